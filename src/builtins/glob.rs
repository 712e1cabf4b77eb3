//! Globs (`like`): four dialects, each turned into the text of one regular expression that matches whole canonical
//! values. A pattern that could never match a canonical value is refused, and so is one that reads as narrower than
//! it would match.
//!
//! - `String`: `*` is any run of characters, `?` one.
//! - `Path`: `*` and `?` stay within a segment; `**` is a whole segment of the pattern and stands for any number of
//!   segments, for at least one when it is last. At the start it also stands for the root, so `**/x` matches `/x`.
//! - `Host`: labels; `*` is exactly one, `**` one or more. No other wildcards, so `*.acme.com` is never `xacme.com`.
//! - `Url`: as `String`, but up to the first `/` after `://` no wildcard matches a `/`, and in the host `*` is whole
//!   labels, one or more, with a name at the end unless all is `*`. So `https://*.acme.com/*` matches neither
//!   `https://evil.example/.acme.com/` nor `https://xacme.com/`, and `https://acme.com*` is refused.
//!
//! In all of them `\*`, `\?` and `\\` are the characters themselves. `(?i)` before a `String` or `Path` pattern compares
//! letters in any case, as in regular expressions: for file systems that do. Linear by construction: the result is for
//! `regex-automata`, and a pattern is at most `limits::PATTERN_BYTES` long.

use super::{Refused, host, path};
use crate::limits;

/// Which dialect a pattern is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GlobKind {
    /// For `String`, and the text parts of other types.
    String,
    /// For `Path`.
    Path,
    /// For `Host`.
    Host,
    /// For `Url`.
    Url,
}

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// `?`
    One,
    /// `*`
    Run,
}

/// What stands before a pattern that compares letters in any case.
pub const ANY_CASE: &str = "(?i)";
/// Any one character, line ends too.
const ANY: &str = "(?s:.)";
/// `*` of a `String`.
const RUN: &str = "(?s:.)*";
/// `**/` at the start of a path.
const LEADING_FOLDERS: &str = "/?(?:[^/]+/)*";
/// `**` at the end of a path, after its `/`.
const BELOW: &str = "[^/]+(?:/[^/]+)*";
/// One character of a path segment.
const IN_SEGMENT: &str = "[^/]";
/// One label of a host.
const LABEL: &str = "[^.]+";

/// Translates a pattern. The expression is anchored at both ends (`\A…\z`) and needs Unicode mode, the default.
/// Errors: the reason, one sentence.
pub fn to_regex(kind: GlobKind, pattern: &str) -> Result<String, Refused> {
    if pattern.len() > limits::PATTERN_BYTES {
        return Err(Refused::new(format!(
            "the pattern is over {} bytes",
            limits::PATTERN_BYTES
        )));
    }
    let (pattern, folds) = match pattern.strip_prefix(ANY_CASE) {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let tokens = tokens(pattern)?;
    let body = match kind {
        GlobKind::Host | GlobKind::Url if folds => {
            return Err(Refused::new(
                "`(?i)` stands before patterns of texts and paths; hosts are in small letters as they are",
            ));
        }
        GlobKind::String => run(&tokens, ANY),
        GlobKind::Path => path_body(&tokens)?,
        GlobKind::Host => host_body(&tokens)?,
        GlobKind::Url => url_body(&tokens)?,
    };
    let flag = if folds { "i" } else { "" };
    Ok(format!(r"\A(?{flag}:{body})\z"))
}

/// The same without anchors, in three parts: what may stand before, the rest, and what may stand after. Patterns with the
/// same first and last part can share them.
pub fn in_pieces(kind: GlobKind, pattern: &str) -> Result<(&'static str, String, &'static str), Refused> {
    let expression = to_regex(kind, pattern)?;
    let folds = expression.starts_with(r"\A(?i:");
    let start = if folds { r"\A(?i:" } else { r"\A(?:" };
    let body = expression
        .strip_prefix(start)
        .and_then(|e| e.strip_suffix(r")\z"));
    let body = body.unwrap_or(&expression);
    let (first, last) = match kind {
        GlobKind::Path => (LEADING_FOLDERS, BELOW),
        GlobKind::String => (RUN, RUN),
        GlobKind::Host | GlobKind::Url => return Ok(("", body.to_owned(), "")),
    };
    let (lead, body) = body.strip_prefix(first).map_or(("", body), |rest| (first, rest));
    let (body, tail) = body.strip_suffix(last).map_or((body, ""), |rest| (rest, last));
    let body = if folds {
        format!("(?i:{body})")
    } else {
        body.to_owned()
    };
    Ok((lead, body, tail))
}

fn tokens(pattern: &str) -> Result<Vec<Token>, Refused> {
    let mut chars = pattern.chars();
    let mut out = Vec::new();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => Token::Run,
            '?' => Token::One,
            '\\' => match chars.next() {
                Some(escaped @ ('*' | '?' | '\\')) => Token::Literal(escaped),
                _ => {
                    return Err(Refused::new(
                        "in a pattern `\\` stands only before `*`, `?` and `\\`",
                    ));
                }
            },
            other => Token::Literal(other),
        });
    }
    Ok(out)
}

/// Tokens as an expression whose wildcards match characters of the class `one`; runs next to each other are one.
fn run(tokens: &[Token], one: &str) -> String {
    let mut out = String::new();
    let mut last = None;
    for token in tokens {
        match token {
            Token::Literal(c) => out.push_str(&regex_syntax::escape(c.encode_utf8(&mut [0; 4]))),
            Token::One => out.push_str(one),
            Token::Run if last == Some(Token::Run) => {}
            Token::Run => {
                out.push_str(one);
                out.push('*');
            }
        }
        last = Some(*token);
    }
    out
}

/// A value the pattern would match, `a` for every wildcard: it tells whether the literal parts can occur.
fn sample(tokens: &[Token]) -> String {
    let letters = tokens.iter().map(|token| match token {
        Token::Literal(c) => *c,
        Token::One | Token::Run => 'a',
    });
    letters.collect()
}

fn split(tokens: &[Token], at: char) -> Vec<&[Token]> {
    tokens.split(|token| *token == Token::Literal(at)).collect()
}

fn path_body(tokens: &[Token]) -> Result<String, Refused> {
    let parts = split(tokens, '/');
    for part in &parts {
        let doubled = part.windows(2).any(|pair| *pair == [Token::Run, Token::Run]);
        if doubled && part.len() != 2 {
            return Err(Refused::new("in a path pattern `**` is a whole segment"));
        }
    }
    let folders = |part: &&[Token]| **part == [Token::Run, Token::Run];
    if parts.windows(2).any(|pair| pair.iter().all(folders)) {
        return Err(Refused::new("`**/**` says no more than `**`"));
    }
    let shown = sample(tokens);
    match path::parse(&shown) {
        Ok(normal) if *normal == *shown => {}
        Ok(_) => {
            return Err(Refused::new(
                "the pattern is not a normal path and would never match",
            ));
        }
        Err(refused) => {
            return Err(Refused::new(format!(
                "the pattern would never match: {}",
                refused.reason
            )));
        }
    }
    if *tokens == [Token::Literal('/')] {
        return Ok("/".to_owned());
    }
    Ok(segments(&parts))
}

/// Joins the segments of a path pattern. A `**` carries the `/` that follows it, the last one the `/` before it.
fn segments(parts: &[&[Token]]) -> String {
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        let last = at + 1 == parts.len();
        match (**part == [Token::Run, Token::Run], last) {
            (true, true) if at == 0 => out.push_str(&format!("{ANY}+")),
            (true, true) => out.push_str(BELOW),
            (true, false) if at == 0 => out.push_str(LEADING_FOLDERS),
            (true, false) => out.push_str("(?:[^/]+/)*"),
            (false, _) => {
                out.push_str(&segment(part));
                out.push_str(if last { "" } else { "/" });
            }
        }
    }
    out
}

/// One segment; a lone `*` is not the empty one, which stands before the root.
fn segment(part: &[Token]) -> String {
    if *part == [Token::Run] {
        format!("{IN_SEGMENT}+")
    } else {
        run(part, IN_SEGMENT)
    }
}

fn host_body(tokens: &[Token]) -> Result<String, Refused> {
    let labels = split(tokens.strip_suffix(&[Token::Literal('.')]).unwrap_or(tokens), '.');
    let wild = |label: &&[Token]| **label == [Token::Run] || **label == [Token::Run, Token::Run];
    for label in &labels {
        if !wild(label) && label.iter().any(|token| !matches!(token, Token::Literal(_))) {
            return Err(Refused::new("in a host pattern `*` and `**` are whole labels"));
        }
    }
    let digits = |label: &&[Token]| {
        label
            .iter()
            .all(|t| matches!(t, Token::Literal(c) if c.is_ascii_digit()))
    };
    if labels.last().is_some_and(&wild) && labels.iter().any(digits) {
        return Err(Refused::new(
            "the pattern looks like a range of addresses, but names would match it too",
        ));
    }
    if labels.iter().all(|label| !wild(label)) {
        return Ok(regex_syntax::escape(&host::parse(&sample(tokens))?));
    }
    // `**` counts as one label here, so that the canonical labels line up with those of the pattern.
    let shown: Vec<String> = labels
        .iter()
        .map(|label| {
            if wild(label) {
                "a".to_owned()
            } else {
                sample(label)
            }
        })
        .collect();
    let canonical = host::parse(&shown.join("."))
        .map_err(|refused| Refused::new(format!("the pattern would never match: {}", refused.reason)))?;
    if canonical.split('.').count() != labels.len() {
        return Err(Refused::new("the pattern is not a canonical host"));
    }
    let parts = labels
        .iter()
        .zip(canonical.split('.'))
        .map(|(label, text)| match label.len() {
            _ if !wild(label) => regex_syntax::escape(text),
            1 => LABEL.to_owned(),
            _ => format!(r"{LABEL}(?:\.{LABEL})*"),
        });
    Ok(parts.collect::<Vec<_>>().join(r"\."))
}

fn url_body(tokens: &[Token]) -> Result<String, Refused> {
    let start = [':', '/', '/'].map(Token::Literal);
    let Some(at) = tokens.windows(start.len()).position(|window| *window == start) else {
        return Ok(run(tokens, ANY));
    };
    let (scheme, rest) = tokens.split_at_checked(at + start.len()).unwrap_or((tokens, &[]));
    let slash = rest.iter().position(|token| *token == Token::Literal('/'));
    let Some((authority, rest)) = slash.and_then(|slash| rest.split_at_checked(slash)) else {
        return Err(Refused::new(
            "a URL pattern needs a `/` after the host, as every URL has one",
        ));
    };
    let canonical = |token: &Token| match token {
        Token::Literal(c) => c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.:/[]".contains(*c),
        Token::One | Token::Run => true,
    };
    if !scheme.iter().chain(authority).all(canonical) {
        return Err(Refused::new(
            "scheme and host of a URL pattern are canonical: lowercase, A-labels, no `@`",
        ));
    }
    check_url_host(authority)?;
    Ok(format!(
        "{}{}{}",
        run(scheme, IN_SEGMENT),
        run(authority, IN_SEGMENT),
        run(rest, ANY)
    ))
}

/// Refuses hosts that read as one organisation's but match names that anybody can register.
fn check_url_host(authority: &[Token]) -> Result<(), Refused> {
    let port = authority.iter().rposition(|token| *token == Token::Literal(':'));
    let bracket = authority.iter().rposition(|token| *token == Token::Literal(']'));
    let end = port
        .filter(|port| bracket.is_none_or(|bracket| bracket < *port))
        .unwrap_or(authority.len());
    let labels = split(authority.get(..end).unwrap_or_default(), '.');
    let literal = |label: &&[Token]| label.iter().all(|token| matches!(token, Token::Literal(_)));
    let wild = |label: &&[Token]| !label.is_empty() && label.iter().all(|token| *token == Token::Run);
    if labels
        .iter()
        .any(|label| label.is_empty() || !(literal(label) || wild(label)))
    {
        return Err(Refused::new("in the host of a URL pattern `*` is whole labels"));
    }
    if labels.last().is_some_and(wild) && labels.iter().any(literal) {
        return Err(Refused::new(
            "the host of a URL pattern ends with a name, not with `*`",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex_automata::Input;
    use regex_automata::dfa::{Automaton, dense};
    use regex_automata::nfa::thompson::NFA;

    use super::{GlobKind, Token, to_regex, tokens};

    fn like(kind: GlobKind, pattern: &str, text: &str) -> bool {
        let regex = to_regex(kind, pattern).unwrap_or_else(|e| panic!("{pattern}: {e}"));
        let dfa = dense::DFA::new(&regex).unwrap();
        dfa.try_search_fwd(&Input::new(text)).unwrap().is_some()
    }

    /// One row per pattern element over one column per value element, as in an edit distance: `wild` says how many
    /// elements an element may take, `fits` whether it takes this one.
    fn oracle<P, V>(
        pattern: &[P],
        value: &[V],
        wild: impl Fn(&P) -> Wild,
        fits: impl Fn(&P, &V) -> bool,
    ) -> bool {
        let mut reach = vec![false; value.len() + 1];
        reach[0] = true;
        for element in pattern {
            let mut next = vec![false; value.len() + 1];
            for at in 0..=value.len() {
                let stays = wild(element) == Wild::Any && reach[at];
                let taken = at > 0 && fits(element, &value[at - 1]) && {
                    reach[at - 1] || (wild(element) != Wild::One && next[at - 1])
                };
                next[at] = stays || taken;
            }
            reach = next;
        }
        reach[value.len()]
    }

    #[derive(PartialEq)]
    enum Wild {
        One,
        Some,
        Any,
    }

    fn text_oracle(pattern: &[Token], value: &str) -> bool {
        let value: Vec<char> = value.chars().collect();
        let wild = |token: &Token| {
            if *token == Token::Run {
                Wild::Any
            } else {
                Wild::One
            }
        };
        oracle(
            pattern,
            &value,
            wild,
            |token, c| !matches!(token, Token::Literal(l) if l != c),
        )
    }

    /// The segments of a canonical path; the root is an empty one at the start.
    fn path_oracle(pattern: &str, value: &str) -> bool {
        let split = |text: &str| -> Vec<String> {
            if text == "/" {
                vec![String::new()]
            } else {
                text.split('/').map(str::to_owned).collect()
            }
        };
        let (parts, value) = (split(pattern), split(value));
        let count = parts.len();
        let parts: Vec<(usize, String)> = parts.into_iter().enumerate().collect();
        let wild = |part: &(usize, String)| match (&*part.1, part.0 + 1 == count) {
            ("**", true) => Wild::Some,
            ("**", false) => Wild::Any,
            _ => Wild::One,
        };
        oracle(&parts, &value, wild, |(_, part), segment| match &**part {
            "**" => true,
            "*" => !segment.is_empty(),
            other => text_oracle(&tokens(other).unwrap(), segment),
        })
    }

    fn host_oracle(pattern: &str, value: &str) -> bool {
        let (pattern, value): (Vec<&str>, Vec<&str>) =
            (pattern.split('.').collect(), value.split('.').collect());
        let wild = |label: &&str| if *label == "**" { Wild::Some } else { Wild::One };
        oracle(&pattern, &value, wild, |label, text| {
            matches!(*label, "*" | "**") || label == text
        })
    }

    #[test]
    fn strings() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a\nb\u{1F600}", true),
            ("?", "\u{fc}", true),
            ("?", "\n", true),
            ("?", "", false),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("**a", "ba", true),
            ("a.c", "abc", false),
            ("[a]+(b)|^$", "[a]+(b)|^$", true),
            (r"\*\?\\", r"*?\", true),
            (r"\*", "a", false),
            ("A", "a", false),
            ("(?i)A*", "aB", true),
            ("(?i)a\u{fc}?", "A\u{dc}x", true),
            ("(?i)k", "\u{212a}", true),
            ("(?i)a", "b", false),
            (r"(\?i)A", "(?i)A", true),
            (r"(\?i)A", "(?i)a", false),
            ("x(?i)A", "x(?i)A", true),
        ] {
            assert_eq!(
                like(GlobKind::String, pattern, text),
                expected,
                "{pattern} ~ {text:?}"
            );
        }
    }

    #[test]
    fn paths() {
        for (pattern, text, expected) in [
            ("/w/*", "/w/a", true),
            ("/w/*", "/w/a/b", false),
            ("/w/*", "/w", false),
            ("/w/**", "/w", false),
            ("/w/**", "/w/a/b", true),
            ("/w/**", "/wa/b", false),
            ("/w/**/x", "/w/x", true),
            ("/w/**/x", "/w/a/b/x", true),
            ("/w/**/x", "/w/ax", false),
            ("(?i)**/.env", "/a/.ENV", true),
            ("(?i)**/.Env/**", "/A/.eNV/x/Y", true),
            ("(?i)**/.env", "/a/x.ENV", false),
            ("(?i)/W", "/w", true),
            ("(?i)/", "/", true),
            ("**/.env", ".env", true),
            ("**/.env", "/.env", true),
            ("**/.env", "/a/b/.env", true),
            ("**/.env", "/a/x.env", false),
            ("**", "/", true),
            ("**", "a/b", true),
            ("/**", "a", false),
            ("/**", "/", false),
            ("*", "/a", false),
            ("*/x", "/x", false),
            ("*.txt", ".txt", true),
            ("*.txt", "a/b.txt", false),
            ("a?c", "a/c", false),
            ("/", "/", true),
            ("/", "/a", false),
            (r"a\*b", "a*b", true),
            ("/*/**", "/a/b", true),
            ("/*/**", "/a", false),
        ] {
            assert_eq!(
                like(GlobKind::Path, pattern, text),
                expected,
                "{pattern} ~ {text:?}"
            );
            let is_plain = !pattern.contains('\\') && !pattern.starts_with(super::ANY_CASE);
            let agrees = !is_plain || path_oracle(pattern, text) == expected;
            assert!(agrees, "oracle: {pattern} ~ {text:?}");
        }
    }

    #[test]
    fn hosts() {
        for (pattern, text, expected) in [
            ("*.acme.com", "a.acme.com", true),
            ("*.acme.com", "a.b.acme.com", false),
            ("*.acme.com", "acme.com", false),
            ("*.acme.com", "xacme.com", false),
            ("**.acme.com", "a.b.acme.com", true),
            ("**.acme.com", "acme.com", false),
            ("api.*.acme.com", "api.eu.acme.com", true),
            ("*.ACME.com.", "a.acme.com", true),
            ("*.b\u{fc}cher.example", "a.xn--bcher-kva.example", true),
            ("acme.com", "acme.com", true),
            ("acme.com", "acmexcom", false),
            ("127.1", "127.0.0.1", true),
            ("**", "10.0.0.1", true),
            ("*", "fd00::1", true),
            ("*.*", "a.b", true),
            ("acme.*", "acme.org", true),
        ] {
            assert_eq!(
                like(GlobKind::Host, pattern, text),
                expected,
                "{pattern} ~ {text:?}"
            );
        }
    }

    #[test]
    fn urls() {
        for (pattern, text, expected) in [
            ("https://*.acme.com/*", "https://a.acme.com/x/y?z", true),
            ("https://*.acme.com/*", "https://evil.example/.acme.com/", false),
            (
                "https://*.acme.com/*",
                "https://evil.example/?q=.acme.com/",
                false,
            ),
            ("https://acme.com/*", "https://acme.com/", true),
            ("https://acme.com/*", "https://acme.com.evil.example/", false),
            ("*://acme.com/v?/*", "http://acme.com/v1/x", true),
            ("*://acme.com/*", "http://evil.example/://acme.com/", false),
            ("*.pdf", "https://a.b/c/d.pdf", true),
            ("https://*:8443/*", "https://a.b:8443/", true),
            ("http://*/*", "http://a.b.c:8080/x", true),
            ("http://*/*", "http://[::1]/x", true),
            ("http://[::1]:*/*", "http://[::1]:80/x", true),
            ("https://*.acme.com/*", "https://a.b.acme.com/", true),
            ("https://*.acme.com/*", "https://acme.com/", false),
            ("https://*.acme.com/*", "https://xacme.com/", false),
            ("https://*.acme.com/*", "https://a.acme.com:8443/", false),
        ] {
            assert_eq!(
                like(GlobKind::Url, pattern, text),
                expected,
                "{pattern} ~ {text:?}"
            );
        }
    }

    #[test]
    fn patterns_that_mislead_are_refused() {
        let long = "a".repeat(1_025);
        for (kind, pattern) in [
            (GlobKind::String, r"a\"),
            (GlobKind::String, r"\d"),
            (GlobKind::String, &long),
            (GlobKind::Path, ""),
            (GlobKind::Path, "/w/"),
            (GlobKind::Path, "/w/../**"),
            (GlobKind::Path, "./*"),
            (GlobKind::Path, "a//b"),
            (GlobKind::Path, "//**"),
            (GlobKind::Path, "a**"),
            (GlobKind::Path, "/w/***"),
            (GlobKind::Path, "/w/**/**"),
            (GlobKind::Path, "~/*"),
            (GlobKind::Path, r"a\\*"),
            (GlobKind::Path, "%2e%2e/*"),
            (GlobKind::Path, "(?i)"),
            (GlobKind::Path, "(?i)/w/"),
            (GlobKind::Host, "(?i)*.acme.com"),
            (GlobKind::Url, "(?i)https://acme.com/*"),
            (GlobKind::Host, ""),
            (GlobKind::Host, "api-*.acme.com"),
            (GlobKind::Host, "?.acme.com"),
            (GlobKind::Host, "*acme.com"),
            (GlobKind::Host, "***.acme.com"),
            (GlobKind::Host, "*..com"),
            (GlobKind::Host, "*.acme.com:443"),
            (GlobKind::Host, "https://*.acme.com"),
            (GlobKind::Host, "10.0.*.*"),
            (GlobKind::Host, "*.0.0.1"),
            (GlobKind::Host, r"\*.com"),
            (GlobKind::Url, "https://acme.com*"),
            (GlobKind::Url, "https://acme.com"),
            (GlobKind::Url, "https://acme.com*/*"),
            (GlobKind::Url, "https://acme.*/*"),
            (GlobKind::Url, "https://*acme.com/*"),
            (GlobKind::Url, "https://acme.co?/*"),
            (GlobKind::Url, "https://10.0.*.*/*"),
            (GlobKind::Url, "https:///*"),
            (GlobKind::Url, "https://ACME.com/*"),
            (GlobKind::Url, "https://*@acme.com/*"),
        ] {
            assert!(
                to_regex(kind, pattern).is_err(),
                "{kind:?} {pattern}: {:?}",
                to_regex(kind, pattern)
            );
        }
    }

    proptest! {
        /// The pieces are the whole, in any case or not.
        #[test]
        fn pieces_are_the_whole(pattern in "(\\(\\?i\\))?(\\*\\*/)?[aB*?]{1,4}(/\\*\\*)?", text in "/?[aAbB/]{0,6}") {
            if let (Ok(whole), Ok((lead, body, tail))) =
                (to_regex(GlobKind::Path, &pattern), super::in_pieces(GlobKind::Path, &pattern))
            {
                let found = |regex: &str| {
                    let dfa = dense::DFA::new(regex).unwrap();
                    dfa.try_search_fwd(&Input::new(&text)).unwrap().is_some()
                };
                prop_assert_eq!(found(&whole), found(&format!(r"\A(?:{lead}{body}{tail})\z")), "{}", pattern);
            }
        }

        #[test]
        fn strings_agree_with_the_oracle(pattern in "[ab*?.\\n(]{0,10}", text in "[ab.\\n(]{0,10}") {
            let expected = text_oracle(&tokens(&pattern).unwrap(), &text);
            prop_assert_eq!(like(GlobKind::String, &pattern, &text), expected);
        }

        #[test]
        fn paths_agree_with_the_oracle(
            pattern in "/?(\\*\\*|[ab*?]{1,3})(/(\\*\\*|[ab*?]{1,3})){0,3}",
            text in "/|\\.|/?[ab]{1,2}(/[ab]{1,2}){0,4}",
        ) {
            if to_regex(GlobKind::Path, &pattern).is_ok() {
                prop_assert_eq!(like(GlobKind::Path, &pattern, &text), path_oracle(&pattern, &text));
            }
        }

        #[test]
        fn hosts_agree_with_the_oracle(
            pattern in "(\\*\\*|\\*|[ab])(\\.(\\*\\*|\\*|[ab])){0,3}",
            text in "[ab]{1,2}(\\.[ab]{1,2}){0,4}",
        ) {
            prop_assert_eq!(like(GlobKind::Host, &pattern, &text), host_oracle(&pattern, &text));
        }

        /// Any pattern is refused or gives an expression that compiles.
        #[test]
        fn any_pattern_compiles(pattern in prop_oneof!["\\PC{0,20}", "[a*?./:\\\\]{0,16}"], pick in 0usize..4) {
            let kind = [GlobKind::String, GlobKind::Path, GlobKind::Host, GlobKind::Url][pick];
            if let Ok(regex) = to_regex(kind, &pattern) {
                prop_assert!(NFA::new(&regex).is_ok(), "{}", regex);
            }
        }
    }
}
