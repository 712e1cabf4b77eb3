//! Patterns of the Go reference system as regular expressions. In: its globs for paths and domains. Out: expressions
//! for `matches`. A glob that Go cannot read matches nothing there but itself; here as well.

use super::model::Words;
use crate::limits;

/// A text as the expression of exactly that text.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(
            c,
            '\\' | '.'
                | '+'
                | '*'
                | '?'
                | '('
                | ')'
                | '|'
                | '['
                | ']'
                | '{'
                | '}'
                | '^'
                | '$'
                | '#'
                | '&'
                | '-'
                | '~'
        ) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// What the wildcards of a glob may stand for.
struct Wild {
    /// `?`
    one: &'static str,
    /// `[^a]`; none where it stays what it is.
    negated: Option<&'static str>,
}

const IN_PATHS: Wild = Wild {
    one: "[^/]",
    negated: None,
};
/// A host cannot hold what ends it, so that no wildcard reaches into the path of an address.
const IN_DOMAINS: Wild = Wild {
    one: "[0-9A-Za-z_.-]",
    negated: Some("[0-9A-Za-z_.-]"),
};

/// One of these patterns of paths: the pattern itself, everything below `x/**`, and Go's `path.Match`.
pub(super) fn paths(patterns: &Words) -> Vec<String> {
    distinct(patterns.iter().flat_map(|pattern| {
        let below = pattern
            .strip_suffix("/**")
            .map(|folder| format!("{}(/.*)?", escape(folder)));
        alternatives(pattern, below, &IN_PATHS)
    }))
}

/// One of these patterns of domains that allow: as `denied_domains`, but one with a negated class is only itself.
pub(super) fn allowed_domains(patterns: &Words) -> Vec<String> {
    distinct(patterns.iter().flat_map(|pattern| {
        if pattern.contains("[^") {
            vec![escape(pattern)]
        } else {
            domain(pattern)
        }
    }))
}

/// One of these patterns of domains that deny: the pattern itself, everything that ends in `.x` for `*.x`, and
/// `path.Match`, whose negated classes are any character of a host here.
pub(super) fn denied_domains(patterns: &Words) -> Vec<String> {
    distinct(patterns.iter().flat_map(|pattern| domain(pattern)))
}

fn domain(pattern: &str) -> Vec<String> {
    let below = pattern.strip_prefix('*').filter(|rest| rest.starts_with('.'));
    let below = below.map(|rest| format!("{}*{}", IN_DOMAINS.one, escape(rest)));
    alternatives(pattern, below, &IN_DOMAINS)
}

/// The pattern itself, a special form of it, and the glob; the broader of them is enough.
fn alternatives(pattern: &str, special: Option<String>, wild: &Wild) -> Vec<String> {
    let itself = escape(pattern);
    match (special, glob(pattern, wild)) {
        (Some(special), Some(glob)) if has_more(pattern) => vec![itself, special, glob],
        (Some(special), _) => vec![special],
        (None, Some(glob)) if glob == itself => vec![itself],
        (None, Some(glob)) => vec![itself, glob],
        (None, None) => vec![itself],
    }
}

/// Whether a wildcard stands elsewhere than in the special form.
fn has_more(pattern: &str) -> bool {
    let pattern = pattern.strip_suffix("/**").unwrap_or(pattern);
    let pattern = pattern.strip_prefix("*.").unwrap_or(pattern);
    pattern.contains(['*', '?', '[', '\\'])
}

fn distinct(parts: impl Iterator<Item = String>) -> Vec<String> {
    let mut distinct: Vec<String> = Vec::new();
    for part in parts {
        if !distinct.contains(&part) {
            distinct.push(part);
        }
    }
    distinct
}

/// Expressions of any of these, as few as there is room for: each is what `whole` makes of some of them. `None` where
/// one alone is too long.
pub(super) fn expressions(any: &[String], whole: impl Fn(&str) -> String) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut open = String::new();
    for one in any {
        let more = if open.is_empty() {
            one.clone()
        } else {
            format!("{open}|{one}")
        };
        if whole(&format!("({more})")).len() <= limits::PATTERN_BYTES {
            open = more;
            continue;
        }
        if whole(&format!("({one})")).len() > limits::PATTERN_BYTES {
            return None;
        }
        out.push(whole(&grouped(&open)));
        open = one.clone();
    }
    if !open.is_empty() {
        out.push(whole(&grouped(&open)));
    }
    Some(out)
}

fn grouped(any: &str) -> String {
    if any.contains('|') {
        format!("({any})")
    } else {
        any.to_owned()
    }
}

/// `path.Match` of Go: `*` and `?` do not go past `/`, `[a-z]` and `[^a]` are classes, `\` takes the next character as
/// it is. None for a pattern that Go refuses.
fn glob(pattern: &str, wild: &Wild) -> Option<String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => {
                while chars.peek() == Some(&'*') {
                    chars.next();
                }
                out.push_str(wild.one);
                out.push('*');
            }
            '?' => out.push_str(wild.one),
            '\\' => out.push_str(&escape(&chars.next()?.to_string())),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let class = class(&mut chars)?;
                match wild.negated.filter(|_| negated) {
                    Some(any) => out.push_str(any),
                    None if negated => out.push_str(&format!("[^{class}]")),
                    None => out.push_str(&format!("[{class}]")),
                }
            }
            other => out.push_str(&escape(&other.to_string())),
        }
    }
    Some(out)
}

/// What stands in a class, which is open.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut out = String::new();
    while out.is_empty() || chars.next_if_eq(&']').is_none() {
        let low = class_character(chars)?;
        let high = match chars.next_if_eq(&'-') {
            Some(_) => class_character(chars)?,
            None => low,
        };
        // A range that runs backwards matches nothing in Go and is refused here.
        if high < low {
            return None;
        }
        out.push_str(&format!(
            "{}-{}",
            escape(&low.to_string()),
            escape(&high.to_string())
        ));
    }
    Some(out)
}

fn class_character(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All of them in one expression.
    fn one(any: Vec<String>) -> String {
        expressions(&any, str::to_owned).unwrap().remove(0)
    }

    #[test]
    fn long_lists_become_several_expressions() {
        let lists: Vec<String> = (0..300).map(|i| format!("host{i}")).collect();
        let parts = expressions(&lists, |any| format!("(?i:{any})")).unwrap();
        assert!(parts.len() > 1 && parts.iter().all(|part| part.len() <= limits::PATTERN_BYTES));
        let all: usize = parts.iter().map(|part| part.matches("host").count()).sum();
        assert_eq!(all, 300);
        assert_eq!(expressions(&["x".repeat(2_000)], str::to_owned), None);
        assert_eq!(expressions(&[], str::to_owned), Some(Vec::new()));
    }

    #[test]
    fn globs_mean_what_they_mean_in_go() {
        for (pattern, expected) in [
            ("/tmp/gait/**", r"/tmp/gait(/.*)?"),
            ("/etc/passwd", "/etc/passwd"),
            ("/a/*.txt", r"(/a/\*\.txt|/a/[^/]*\.txt)"),
            (
                "/a/?/[b-d]/[^e]",
                r"(/a/\?/\[b\-d\]/\[\^e\]|/a/[^/]/[b-d]/[^e-e])",
            ),
            ("/a/[", r"/a/\["),
            ("/*/b/**", r"(/\*/b/\*\*|/\*/b(/.*)?|/[^/]*/b/[^/]*)"),
        ] {
            assert_eq!(one(paths(&[pattern.to_owned()].into())), expected, "{pattern}");
        }
        for (pattern, expected) in [
            ("api.example.com", r"api\.example\.com"),
            ("*.example.com", r"[0-9A-Za-z_.-]*\.example\.com"),
            (
                "api-?.example.com",
                r"(api\-\?\.example\.com|api\-[0-9A-Za-z_.-]\.example\.com)",
            ),
        ] {
            assert_eq!(
                one(denied_domains(&[pattern.to_owned()].into())),
                expected,
                "{pattern}"
            );
        }
        let two = ["a.example".to_owned(), "b.example".to_owned()].into();
        assert_eq!(one(allowed_domains(&two)), r"(a\.example|b\.example)");
        assert_eq!(
            one(allowed_domains(&["[^a].example".to_owned()].into())),
            r"\[\^a\]\.example"
        );
    }
}
