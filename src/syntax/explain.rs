//! Says in words what the parser did not understand. In: the item's terminals and the generated parser's error. Out:
//! one diagnostic with what was expected, what was found and, where the fix is mechanical, the edit.

mod script;

use std::collections::BTreeSet;

use lalrpop_util::ParseError;

use super::lexer::Token;
use super::terminal::Terminal;
use super::token::{Keyword, Kind, Role};
use super::tree::TooDeep;
use crate::diag::{Diagnostic, codes, suggest};
use crate::limits;
use crate::source::{Source, Span};

/// What the generated parser returns.
pub type Failure<'s> = ParseError<usize, Terminal<'s>, TooDeep>;

/// The item that failed.
#[derive(Clone, Copy, Debug)]
pub struct Item<'a> {
    /// The file.
    pub source: &'a Source,
    /// The item's tokens without trivia; never empty.
    pub tokens: &'a [Token],
}

/// The diagnostic for a failure.
pub fn explain(item: Item<'_>, failure: Failure<'_>) -> Diagnostic {
    match failure {
        ParseError::User { error } => too_deep(error),
        ParseError::UnrecognizedEof { expected, .. } => unfinished(item, &Expected::new(&expected)),
        ParseError::UnrecognizedToken {
            token: (start, found, end),
            expected,
        } => unexpected(
            item,
            Span::new(item.source.id, start, end),
            &found,
            &Expected::new(&expected),
        ),
        ParseError::ExtraToken {
            token: (start, found, end),
        } => unexpected(
            item,
            Span::new(item.source.id, start, end),
            &found,
            &Expected::new(&[]),
        ),
        ParseError::InvalidToken { location } => {
            let span = Span::new(item.source.id, location, location);
            Diagnostic::error(codes::UNEXPECTED, span, "this is not understood")
        }
    }
}

/// The diagnostic for a tree that grew too tall.
pub fn too_deep(error: TooDeep) -> Diagnostic {
    let (message, help) = if error.limit == limits::SYNTAX_HEIGHT {
        (
            format!("this expression chains more than {} parts", error.limit),
            "use a set (`in { … }`) or several rules",
        )
    } else {
        (
            format!("this is nested deeper than {} levels", error.limit),
            "split it into several clauses or rules",
        )
    };
    Diagnostic::error(codes::TOO_DEEP, error.span, message).help(help)
}

fn unfinished(item: Item<'_>, expected: &Expected<'_>) -> Diagnostic {
    let last = item.tokens.last().map(|t| t.span).unwrap_or_default();
    let wanted = expected.words();
    if let Some(opener) = unclosed(item.tokens) {
        let message = format!("`{}` is never closed", item.source.slice(opener.span));
        return Diagnostic::error(codes::UNEXPECTED, opener.span, message)
            .label("opened here")
            .also(last, format!("the item ends here; expected {wanted}"));
    }
    let first = item
        .tokens
        .first()
        .map(|t| item.source.slice(t.span))
        .unwrap_or_default();
    let what = match Keyword::parse(first).map(Keyword::role) {
        Some(Role::Item) => format!("`{first}`"),
        _ => "item".to_owned(),
    };
    Diagnostic::error(
        codes::UNEXPECTED,
        last,
        format!("this {what} is not finished: expected {wanted}"),
    )
    .label("it ends here")
}

/// The innermost bracket that the item opens and does not close.
fn unclosed(tokens: &[Token]) -> Option<Token> {
    let mut open: Vec<Token> = Vec::new();
    for token in tokens {
        if token.kind.is_open() {
            open.push(*token);
        } else if token.kind.is_close() {
            open.pop();
        }
    }
    open.pop()
}

fn unexpected(item: Item<'_>, span: Span, found: &Terminal<'_>, expected: &Expected<'_>) -> Diagnostic {
    let is_clause = matches!(found, Terminal::Keyword(k) if matches!(k.role(), Role::Clause | Role::Verdict | Role::Item));
    if is_clause && expected.may_close() && unclosed(item.tokens).is_some() {
        return unfinished(item, expected);
    }
    let text = item.source.slice(span);
    let shown = match found {
        Terminal::Text(_) => "a string".to_owned(),
        _ => format!("`{text}`"),
    };
    let wanted = expected.words();
    let message = if wanted.is_empty() {
        format!("expected the end of the item, found {shown}")
    } else {
        format!("expected {wanted}, found {shown}")
    };
    let diagnostic = Diagnostic::error(codes::UNEXPECTED, span, message);
    let diagnostic = match script::explain(item, span, found, expected, diagnostic) {
        Ok(explained) => return explained,
        Err(other) => other,
    };
    if let Terminal::Name(name) = found
        && let Some(near) = suggest::nearest(name, expected.keywords())
    {
        return diagnostic
            .help(format!("did you mean `{near}`?"))
            .edit(span, near);
    }
    // `effct a.b` reads as an argument whose colon is missing.
    let before = item
        .tokens
        .iter()
        .map(|t| t.span)
        .take_while(|s| s.end <= span.start)
        .last();
    if let Some(before) = before
        && expected.terminals.iter().eq([":"].iter())
        && suggest::nearest(item.source.slice(before), ["effect"]).is_some()
    {
        return diagnostic.help("did you mean `effect`?").edit(before, "effect");
    }
    mend(item, span, found, expected, diagnostic)
}

/// Adds the help and edit for the mistakes that have one mending.
fn mend(
    item: Item<'_>,
    span: Span,
    found: &Terminal<'_>,
    expected: &Expected<'_>,
    diagnostic: Diagnostic,
) -> Diagnostic {
    let text = item.source.slice(span);
    match found {
        Terminal::Mark(Kind::Assign) if expected.has("==") => {
            diagnostic.help("`==` compares").edit(span, "==")
        }
        Terminal::Int(text) | Terminal::Decimal(text) if text.starts_with('-') && expected.has("-") => {
            let sign = Span {
                end: span.start.saturating_add(1),
                ..span
            };
            diagnostic
                .help("a `-` between two values has a space after it")
                .edit(sign, "- ")
        }
        Terminal::Mark(Kind::Minus) => {
            diagnostic.help("a name that holds `-` is written in quotes: `\"get-weather\"`")
        }
        Terminal::Mark(Kind::Eq) if expected.has("=") => diagnostic.help("`=` defines").edit(span, "="),
        Terminal::Keyword(Keyword::Null) if expected.is_operand() => {
            diagnostic.help("`present x` asks whether an optional value is there")
        }
        Terminal::Keyword(_) if expected.has("NAME") && expected.has("STRING") && !expected.has("not") => {
            diagnostic
                .help("a name that is a keyword here is written in quotes")
                .edit(span, format!("\"{text}\""))
        }
        _ if expected.has("=>") => diagnostic.help("a case says what it expects: `=> block`"),
        Terminal::Mark(kind) if !kind.is_open() => diagnostic,
        _ if expected.has(",") && expected.may_close() => {
            let end = item
                .tokens
                .iter()
                .map(|t| t.span)
                .take_while(|s| s.end <= span.start)
                .last();
            let Some(end) = end else { return diagnostic };
            let here = Span {
                start: end.end,
                ..end
            };
            diagnostic
                .help("elements are separated by commas")
                .edit(here, ",")
        }
        Terminal::Name(_) if VERDICTS.iter().all(|v| expected.has(v)) => {
            diagnostic.help("the verdicts are `allow`, `dry_run`, `require_approval` and `block`")
        }
        _ => diagnostic,
    }
}

/// The terminals the parser would have taken.
struct Expected<'e> {
    terminals: BTreeSet<&'e str>,
}

const VERDICTS: [&str; 4] = ["allow", "dry_run", "require_approval", "block"];
const OPERATORS: [&str; 15] = [
    "has",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "not",
    "starts_with",
    "ends_with",
    "contains",
    "like",
    "matches",
    "under",
];

impl<'e> Expected<'e> {
    fn new(terminals: &'e [String]) -> Self {
        Self {
            terminals: terminals.iter().map(|t| t.trim_matches('"')).collect(),
        }
    }

    fn has(&self, terminal: &str) -> bool {
        self.terminals.contains(terminal)
    }

    /// A value or condition may start here.
    fn is_operand(&self) -> bool {
        self.has("(") && self.has("INT")
    }

    /// A bracket may be closed here.
    fn may_close(&self) -> bool {
        ["}", "]", ")"].iter().any(|t| self.has(t))
    }

    /// Every keyword is listed because each may be a name here.
    fn is_any_name(&self) -> bool {
        self.has("NAME") && self.has("policy")
    }

    /// The keywords that do not stand for names.
    fn keywords(&self) -> impl Iterator<Item = &'e str> {
        let named = self.is_any_name();
        self.terminals
            .iter()
            .copied()
            .filter(move |t| !named && Keyword::parse(t).is_some())
    }

    /// What was expected, as `a, b or c`.
    fn words(&self) -> String {
        let mut left = self.terminals.clone();
        let mut words: Vec<String> = Vec::new();
        let mut named = self.name_words(&mut left);
        words.append(&mut named);
        if ["tool", "rule", "test"].iter().all(|t| left.contains(t)) {
            left.retain(|t| Keyword::parse(t).map(Keyword::role) != Some(Role::Item));
            words.push("an item such as `tool`, `rule` or `test`".to_owned());
        }
        if left.contains("==") {
            left.retain(|t| !OPERATORS.contains(t));
            left.remove("(");
            words.push("an operator".to_owned());
        }
        if left.remove("STRING") {
            let described = left.contains("on") || (left.contains("{") && left.len() <= 2);
            words.push(if described { "a description" } else { "a string" }.to_owned());
        }
        if VERDICTS.iter().all(|v| left.contains(v)) {
            left.retain(|t| !VERDICTS.contains(t));
            words.push("a verdict".to_owned());
        }
        // A value may nearly always go on with these; naming them helps nobody.
        left.retain(|t| ![".", "[", "+", "-"].contains(t));
        let numbers = [
            ("INT", "a whole number"),
            ("DECIMAL", "a number"),
            ("SIZE", "a size"),
            ("DURATION", "a duration"),
            ("NAME", "a name"),
        ];
        for (terminal, word) in numbers {
            if left.remove(terminal) {
                words.push(word.to_owned());
            }
        }
        let (mut keywords, mut marks): (Vec<&str>, Vec<&str>) =
            left.into_iter().partition(|t| Keyword::parse(t).is_some());
        keywords.sort_by_key(|t| Keyword::parse(t));
        marks.sort_by_key(|t| (*t == "}" || *t == "]" || *t == ")", *t));
        words.extend(keywords.into_iter().chain(marks).map(|t| format!("`{t}`")));
        join(&words)
    }

    /// Words for the positions where names stand, with the terminals they cover taken out.
    fn name_words(&self, left: &mut BTreeSet<&'e str>) -> Vec<String> {
        let closers = |left: &mut BTreeSet<&'e str>| left.retain(|t| matches!(*t, "}" | "]" | ")" | ","));
        let words: &[&str] = if self.is_operand() {
            if self.has("not") {
                &["a condition"]
            } else {
                &["a value"]
            }
        } else if self.has("null") && self.has("INT") {
            &["a value"]
        } else if self.has("*") && self.has("NAME") {
            &["a tool", "a group", "`*`", "`tools with effect`"]
        } else if self.has("NAME") && self.has("{") && self.has("enum") && !self.has("STRING") {
            if self.has("max") && self.has("INT") {
                &["a type", "a whole number", "`max`"]
            } else {
                &["a type"]
            }
        } else if self.has("NAME") && self.has("effect") && !self.has("policy") {
            left.retain(|t| matches!(*t, "}" | "," | "effect" | "to"));
            return vec!["an argument".to_owned()];
        } else if self.is_any_name() {
            &["a name"]
        } else {
            return Vec::new();
        };
        closers(left);
        words.iter().map(|w| (*w).to_owned()).collect()
    }
}

fn join(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}
