//! Says what a word has no place for in `script { … }`, and where it goes. In: an item's tokens, and the one that was not
//! understood. Out: the help and, where the fix is mechanical, its edit.

use super::{Expected, Item};
use crate::diag::{Diagnostic, suggest};
use crate::source::Span;
use crate::syntax::terminal::Terminal;
use crate::syntax::token::{Keyword, Kind, Role};

const OUTCOME: &str =
    "a script is one request and has one outcome, after its last step: `script { call … call … } => block`";

/// Adds the help to a report about a script; the report itself where it is about something else.
pub(super) fn explain(
    item: Item<'_>,
    span: Span,
    found: &Terminal<'_>,
    expected: &Expected<'_>,
    report: Diagnostic,
) -> Result<Diagnostic, Diagnostic> {
    if expected.has("{") && word_before(item, span.start) == Some("script") {
        return Ok(report.help("the steps of a script stand in braces: `script { call … call … } => block`"));
    }
    if matches!(found, Terminal::Keyword(Keyword::Oblige)) && expected.has("script") {
        return Ok(report.help("only a case of one call says what is obliged, for each step has its own"));
    }
    if !(expected.has("call") && expected.has("}") && is_inside(item, span.start)) {
        return Err(report);
    }
    match found {
        Terminal::Mark(_) => Ok(report.help(OUTCOME)),
        Terminal::Keyword(keyword) => Ok(report.help(misplaced(*keyword))),
        Terminal::Name(_) | Terminal::Text(_) if names_tool(item, span) => {
            Ok(report.help("each step starts with `call`").edit(
                Span {
                    end: span.start,
                    ..span
                },
                "call ",
            ))
        }
        Terminal::Name(name) if suggest::nearest(name, ["call", "from"]).is_some() => Err(report),
        Terminal::Name("expect" | "expects" | "assert") => Ok(report.help(OUTCOME)),
        _ => Ok(report.help("a step is written `call TOOL { … }`")),
    }
}

/// Where a word goes that is none of a script.
fn misplaced(keyword: Keyword) -> &'static str {
    match keyword {
        Keyword::Code | Keyword::By => OUTCOME,
        Keyword::Approved => {
            "people approve the script as a whole: `script { … } approved by \"ann\" => allow`"
        }
        Keyword::Result | Keyword::Ok | Keyword::Failed => {
            "the steps are judged before they run; what ran before, and how, stands in `session { … }` at the head of the test"
        }
        Keyword::Turn | Keyword::Session | Keyword::Given => {
            "a script holds calls only; what was before it stands at the head of the test: `given { … }`, `session { … turn … }`"
        }
        Keyword::At => {
            "a script is made at one moment, which stands before it: `at \"2026-12-29T09:00:00Z\" script { … }`"
        }
        Keyword::Script => "a script holds calls only; write one script after the other",
        Keyword::When | Keyword::Unless => "a step has no condition; rules have them, outside of tests",
        keyword if keyword.role() == Role::Verdict => OUTCOME,
        keyword if keyword.role() == Role::Item => {
            "a script holds calls only; this stands outside of the test"
        }
        _ => "a script holds calls only: `call TOOL { … }`",
    }
}

/// Whether a place is in the braces of a script and in no others in them.
fn is_inside(item: Item<'_>, at: u32) -> bool {
    let mut open: Vec<bool> = Vec::new();
    let mut before = "";
    for token in item.tokens.iter().take_while(|token| token.span.start < at) {
        let text = item.source.slice(token.span);
        if token.kind.is_open() {
            open.push(token.kind == Kind::OpenBrace && before == "script");
        } else if token.kind.is_close() {
            open.pop();
        }
        before = text;
    }
    open.pop().unwrap_or_default()
}

fn word_before(item: Item<'_>, at: u32) -> Option<&str> {
    let before = item.tokens.iter().take_while(|token| token.span.start < at);
    before.last().map(|token| item.source.slice(token.span))
}

/// Whether a name, with what is joined to it by dots, stands before the braces of arguments.
fn names_tool(item: Item<'_>, span: Span) -> bool {
    let rest = item
        .tokens
        .iter()
        .skip_while(|token| token.span.start < span.start);
    let mut rest = rest.skip(1).map(|token| token.kind);
    loop {
        match rest.next() {
            Some(Kind::OpenBrace) => return true,
            Some(Kind::Dot) => drop(rest.next()),
            _ => return false,
        }
    }
}
