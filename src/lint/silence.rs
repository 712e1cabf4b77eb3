//! Comments that silence findings: `// gait: allow(broad_allow) because the sandbox has no network`. Above an item one
//! covers the whole item, above or behind any other line that line. A reason is asked for, and a silence without a
//! finding is a finding. In: the findings of a run. Out: those that are left.

use super::levels::lint_named;
use super::{Context, Group, Levels, Lint, Linted};
use crate::diag::codes::{BAD_SILENCE, UNUSED_SILENCE};
use crate::diag::{Diagnostic, Level};
use crate::source::Span;
use crate::syntax::ast::Name;
use crate::syntax::lexer::{Token, lex};
use crate::syntax::token::Kind;

/// A silence that silences nothing. Found by `apply`, after every other lint.
pub const LINT: Lint = Lint {
    name: "unused_silence",
    code: UNUSED_SILENCE,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check: |_, _| (),
};

/// A lint named in a comment.
struct Silence {
    lint: &'static Lint,
    /// Its name in the comment.
    name: Span,
    /// The whole comment.
    comment: Span,
    /// Whether the comment names it alone.
    alone: bool,
    /// Where findings that it covers start.
    covers: std::ops::Range<u32>,
    used: bool,
}

/// Takes out what comments silence; adds what is wrong with the comments.
pub fn apply(context: &Context<'_>, levels: &Levels, found: Vec<Diagnostic>) -> Linted {
    let mut linted = Linted::default();
    let mut silences = silences(context, &mut linted.diagnostics);
    for diagnostic in found {
        let at = diagnostic.primary.span;
        let mut silenced = false;
        for silence in &mut silences {
            let here = at.file == silence.comment.file && silence.covers.contains(&at.start);
            if here && silence.lint.code == diagnostic.code {
                silence.used = true;
                silenced = true;
            }
        }
        if silenced {
            linted.silenced += 1;
        } else {
            linted.diagnostics.push(diagnostic);
        }
    }
    if levels.of(&LINT) != Level::Allow {
        // What an allowed lint would find is not known.
        let unused = silences
            .iter()
            .filter(|s| !s.used && levels.of(s.lint) != Level::Allow);
        linted.diagnostics.extend(unused.map(unused_silence));
    }
    linted
}

fn unused_silence(silence: &Silence) -> Diagnostic {
    let message = format!("`{}` finds nothing here", silence.lint.name);
    let report = LINT
        .finding(silence.name, message)
        .label("nothing is silenced")
        .why("whoever reads it looks for a danger that is not there, and it would hide the next one");
    if silence.alone {
        report.help("remove the comment").edit(silence.comment, "")
    } else {
        report.help("remove the name from the comment")
    }
}

/// The silences of the policy; comments that are none but look like one are reported.
fn silences(context: &Context<'_>, out: &mut Vec<Diagnostic>) -> Vec<Silence> {
    let tokens = lex(context.source);
    let mut silences = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let text = context.text(token.span);
        let Some(words) = text.strip_prefix("//").filter(|_| token.kind == Kind::Comment) else {
            continue;
        };
        let Some(words) = words.trim_start().strip_prefix("gait:") else {
            continue;
        };
        let Some(names) = names(words) else {
            out.push(bad(token.span));
            continue;
        };
        let covers = covers(context, &tokens, at);
        let alone = names.len() == 1;
        for (offset, name) in names {
            // `names` gives offsets from the end of the whole comment, which trimming does not move.
            let start = token.span.end as usize - offset;
            let name = Name {
                text: name.to_owned(),
                span: Span::new(token.span.file, start, start + name.len()),
            };
            match lint_named(&name) {
                Ok(lint) => silences.push(Silence {
                    lint,
                    name: name.span,
                    comment: with_blanks(context, &tokens, at),
                    alone,
                    covers: covers.clone(),
                    used: false,
                }),
                Err(report) => out.push(report),
            }
        }
    }
    silences
}

fn bad(span: Span) -> Diagnostic {
    let message = "this comment silences nothing";
    Diagnostic::error(BAD_SILENCE, span, message)
        .why("a finding that nobody explains is looked into again by everybody")
        .help("write `// gait: allow(lint_name) because …` with the reason, or start the comment with other words")
}

/// The names in `allow(a, b) because …`, each with its distance from the end of the text; `None` without a reason.
fn names(words: &str) -> Option<Vec<(usize, &str)>> {
    let rest = words.trim_start().strip_prefix("allow(")?;
    let (list, reason) = rest.split_once(')')?;
    let reason = reason.trim_start().strip_prefix("because")?;
    if !reason.starts_with([' ', '\t']) || reason.trim().is_empty() {
        return None;
    }
    let mut left = rest.len();
    let mut names = Vec::new();
    for part in list.split(',') {
        let name = part.trim();
        if name.is_empty() {
            return None;
        }
        let blanks = part.len() - part.trim_start().len();
        names.push((left - blanks, name));
        left -= part.len() + 1;
    }
    Some(names)
}

/// The comment at `at` with the blanks before it, and with its whole line where nothing else stands there.
fn with_blanks(context: &Context<'_>, tokens: &[Token], at: usize) -> Span {
    let Some(comment) = tokens.get(at).map(|t| t.span) else {
        return Span::default();
    };
    let text = &context.source.text;
    let before = text.get(..comment.start as usize).unwrap_or_default();
    let start = before.trim_end_matches([' ', '\t']).len();
    let own_line = before
        .get(..start)
        .is_none_or(|t| t.is_empty() || t.ends_with('\n'));
    let after = text.get(comment.end as usize..).unwrap_or_default();
    let line_end = ["\r\n", "\n"].into_iter().find(|end| after.starts_with(end));
    let end = match line_end {
        Some(line_end) if own_line => comment.end as usize + line_end.len(),
        _ => comment.end as usize,
    };
    Span::new(comment.file, start, end)
}

/// Where findings start that the comment at `at` is about.
fn covers(context: &Context<'_>, tokens: &[Token], at: usize) -> std::ops::Range<u32> {
    let text = &context.source.text;
    let line_of = |offset: u32| {
        let at = (offset as usize).min(text.len());
        let before = text.get(..at).unwrap_or_default();
        let after = text.get(at..).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |n| n + 1);
        let end = after.find('\n').map_or(text.len(), |n| at + n);
        let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        small(start)..small(end)
    };
    let Some(comment) = tokens.get(at).map(|t| t.span) else {
        return 0..0;
    };
    let own = line_of(comment.start);
    let head = text.get(own.start as usize..comment.start as usize);
    if head.is_some_and(|head| !head.trim().is_empty()) {
        return own;
    }
    let mut next = tokens.iter().skip(at).filter(|t| !t.kind.is_trivia());
    let Some(next) = next.next() else { return 0..0 };
    let mut end_of_last = 0;
    for item in &context.module.items {
        let Some(span) = item.span() else { continue };
        if comment.start < span.start && comment.start >= end_of_last {
            return next.span.start..span.end;
        }
        end_of_last = span.end;
    }
    line_of(next.span.start)
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_silence_names_lints_and_a_reason() {
        let found = |text: &'static str| {
            names(text).map(|names| {
                names
                    .into_iter()
                    .map(|(left, name)| (text.len() - left, name))
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(found(" allow(a_b) because x"), Some(vec![(7, "a_b")]));
        assert_eq!(
            found(" allow( a,  b ) because of it"),
            Some(vec![(8, "a"), (12, "b")])
        );
        for bad in [
            "",
            " allow(a)",
            " allow(a) because",
            " allow(a) because   ",
            " allow(a) becausexy",
            " allow() because x",
            " allow(a,) because x",
            " deny(a) because x",
            " allow a because x",
        ] {
            assert_eq!(found(bad), None, "{bad}");
        }
    }
}
