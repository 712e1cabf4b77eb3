//! The canonical layout. In: a `Source` that parses. Out: its text laid out anew, every token and comment in its
//! order. It prints from the tokens, not from the tree, so nothing an author wrote can be lost; the tree only says
//! where lines begin. A text with mistakes is refused whole.

mod align;
mod breaks;
mod layout;
mod piece;

use std::collections::BTreeMap;

use super::lexer::lex;
use super::parse::{EDITION, parse};
use super::split::split;
use super::token::Kind;
use super::{ast, lexer::Token};
use crate::diag::Diagnostic;
use crate::source::{Source, Span};
use layout::{Blank, Printer};
use piece::Piece;

/// Columns a line may fill before its lists are broken.
pub const WIDTH: usize = 100;
/// Columns of one indentation step.
const INDENT: usize = 2;

/// Lays out a file.
///
/// # Errors
/// The diagnostics of a text that does not parse.
pub fn format(source: &Source) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(source);
    if !parsed.diagnostics.is_empty() {
        return Err(parsed.diagnostics);
    }
    debug_assert_eq!(parsed.module.edition.map(|e| e.node).as_deref(), Some(EDITION));
    let tokens = lex(source);
    let (pieces, tail) = piece::pieces(source, &tokens);
    let tokens: Vec<Token> = tokens.into_iter().filter(|t| !t.kind.is_trivia()).collect();
    let slices = split(source, &tokens);
    let mut printer = Printer::default();
    let mut pieces = pieces.into_iter();
    for (index, slice) in slices.iter().enumerate() {
        let pieces: Vec<Piece> = pieces.by_ref().take(slice.len()).collect();
        let item_at = |back: usize| index.checked_sub(back).and_then(|i| parsed.module.items.get(i));
        let item = item_at(1);
        let blank = match (index, item) {
            (0, _) | (1, Some(ast::Item::Policy(_))) => Blank::NotFirst,
            _ if item_at(2).zip(item).is_some_and(|(a, b)| may_stand_close(a, b)) => Blank::Keep,
            _ => Blank::Force,
        };
        item_lines(&mut printer, item, pieces, blank);
    }
    printer.line(0, Blank::Force);
    printer.comments(&tail, 0);
    Ok(printer.finish())
}

/// Whether an item may follow another without an empty line.
fn may_stand_close(first: &ast::Item, second: &ast::Item) -> bool {
    use ast::Item::{Import, Policy, Pred, Profile, Set, Type};
    match second {
        Profile(_) => matches!(first, Policy(_)),
        Import(_) => matches!(first, Policy(_) | Profile(_) | Import(_)),
        Type(_) => matches!(first, Type(_)),
        Set(_) => matches!(first, Set(_)),
        Pred(_) => matches!(first, Pred(_)),
        _ => false,
    }
}

/// Prints one item, line by line.
fn item_lines(printer: &mut Printer, item: Option<&ast::Item>, mut pieces: Vec<Piece>, blank: Blank) {
    let inner = item.map(|item| starts(item, &pieces)).unwrap_or_default();
    let is_test = matches!(item, Some(ast::Item::Test(_) | ast::Item::Examples(_)));
    let has_body = is_test
        || matches!(
            item,
            Some(ast::Item::Tool(_) | ast::Item::Context(_) | ast::Item::Obligation(_))
        );
    if has_body {
        drop_optional_commas(&mut pieces, &inner);
    }
    piece::comments_after_commas(&mut pieces);
    let last = pieces.len().saturating_sub(1);
    let mut line: Vec<Piece> = Vec::new();
    let mut start = (0, 0, blank);
    for (at, mut piece) in pieces.into_iter().enumerate() {
        let closes = has_body && at == last && (!inner.is_empty() || !piece.lead.is_empty());
        let begins = match inner.get(&piece.start) {
            Some((indent, blank)) => Some((*indent, *indent, *blank)),
            None if closes => {
                piece.blank = false;
                let blank = if inner.is_empty() {
                    Blank::NotFirst
                } else {
                    Blank::Keep
                };
                Some((0, INDENT, blank))
            }
            None => None,
        };
        if let Some(next) = begins {
            print_line(printer, std::mem::take(&mut line), start, is_test);
            start = next;
        }
        line.push(piece);
    }
    print_line(printer, line, start, is_test);
}

fn print_line(printer: &mut Printer, line: Vec<Piece>, start: (usize, usize, Blank), is_test: bool) {
    let (indent, comments, blank) = start;
    printer.line(indent, blank);
    if let Some(first) = line.first() {
        printer.comments(&first.lead, comments);
    }
    printer.segment(&layout::nodes(line, is_test), indent);
}

/// Where the lines inside an item begin, by byte offset: how far they are indented, and which blank lines are kept before
/// them.
type Starts = BTreeMap<u32, (usize, Blank)>;

fn starts(item: &ast::Item, pieces: &[Piece]) -> Starts {
    let before = |offset: u32| {
        pieces
            .iter()
            .map(|p| p.start)
            .take_while(|start| *start < offset)
            .last()
    };
    let mut clauses: Vec<Option<u32>> = Vec::new();
    let mut members: Vec<Option<u32>> = Vec::new();
    match item {
        ast::Item::Rule(rule) => {
            clauses.push(
                rule.on
                    .first()
                    .and_then(|selector| before(selector_start(selector))),
            );
            clauses.extend(rule.conditions.iter().map(|c| Some(c.span.start)));
            clauses.push(rule.refines.first().and_then(|name| before(name.span.start)));
            clauses.push(Some(rule.verdict.span.start));
            clauses.push(rule.code.as_ref().and_then(|code| before(code.span.start)));
            clauses.push(rule.hint.as_ref().and_then(|hint| before(hint.span.start)));
            clauses.push(rule.duties.first().and_then(|duty| before(duty.span.start)));
        }
        ast::Item::Delegate(delegate) => {
            if let ast::Delegated::Region { on, conditions, .. } = &delegate.what {
                clauses.push(on.first().and_then(|selector| before(selector_start(selector))));
                clauses.extend(conditions.iter().map(|c| Some(c.span.start)));
                clauses.push(delegate.to.first().and_then(|name| before(name.span.start)));
            }
        }
        ast::Item::Assert(assert) => {
            let first = assert.on.first();
            clauses.push(first.and_then(|selector| before(selector_start(selector))));
            clauses.extend(assert.conditions.iter().map(|c| Some(c.span.start)));
            clauses.push(before(assert.verdict.span.start).and_then(before));
        }
        ast::Item::Limit(limit) => {
            clauses.push(
                limit
                    .on
                    .first()
                    .and_then(|selector| before(selector_start(selector))),
            );
            clauses.extend(limit.conditions.iter().map(|c| Some(c.span.start)));
            clauses.push(before(limit.max.span.start));
            clauses.push(before(limit.verdict.span.start));
            clauses.push(limit.code.as_ref().and_then(|code| before(code.span.start)));
            clauses.push(limit.hint.as_ref().and_then(|hint| before(hint.span.start)));
        }
        ast::Item::Tool(tool) => {
            members.extend(tool.args.iter().map(|arg| Some(arg.name.span.start)));
            members.extend(tool.rest.iter().map(|rest| Some(rest.start)));
            members.extend(tool.effects.iter().map(|effect| before(effect.name.span.start)));
            members.extend(keyword_starts(pieces, &["carries", "returns"]));
        }
        ast::Item::Context(context) => {
            members.extend(context.fields.iter().map(|field| Some(field.span.start)));
        }
        ast::Item::Obligation(declared) => {
            members.extend(declared.params.iter().map(|param| Some(param.name.span.start)));
        }
        ast::Item::Test(test) => {
            members.extend(
                test.given
                    .first()
                    .and_then(|(name, _)| before(before(name.span.start)?))
                    .map(Some),
            );
            members.extend(
                keyword_starts(pieces, &["session"])
                    .into_iter()
                    .take(1)
                    .filter(|_| !test.session.is_empty()),
            );
            members.extend(test.cases.iter().map(|case| Some(case.span.start)));
            members.extend(keyword_starts(pieces, &["at"]));
        }
        ast::Item::Examples(examples) => {
            let given = examples.given.first();
            members.push(given.and_then(|(name, _)| before(before(name.span.start)?)));
            members.extend(
                keyword_starts(pieces, &["session"])
                    .into_iter()
                    .take(1)
                    .filter(|_| !examples.session.is_empty()),
            );
            members.extend(examples.cases.iter().map(|case| Some(case.span.start)));
            members.push(examples.at.as_ref().and_then(|at| before(at.span.start)));
        }
        ast::Item::Policy(_)
        | ast::Item::Profile(_)
        | ast::Item::Scope(_)
        | ast::Item::Compat(_)
        | ast::Item::Import(_)
        | ast::Item::Default(_)
        | ast::Item::Lints(_)
        | ast::Item::Effects(_)
        | ast::Item::Enum(_)
        | ast::Item::Type(_)
        | ast::Item::Set(_)
        | ast::Item::Pred(_)
        | ast::Item::Group(_)
        | ast::Item::Label(_)
        | ast::Item::Level(_)
        | ast::Item::Source(_)
        | ast::Item::Declassify(_)
        | ast::Item::Latch(_)
        | ast::Item::Role(_)
        | ast::Item::Approval(_)
        | ast::Item::Window(_) => {}
    }
    let clauses = clauses
        .into_iter()
        .flatten()
        .map(|start| (start, (INDENT, Blank::Never)));
    let first = members.iter().flatten().min().copied();
    let members = members.into_iter().flatten().map(|start| {
        let blank = if Some(start) == first {
            Blank::NotFirst
        } else {
            Blank::Keep
        };
        (start, (INDENT, blank))
    });
    let mut starts: Starts = clauses.chain(members).collect();
    match item {
        ast::Item::Test(test) => {
            session_starts(&test.session, pieces, &mut starts);
            for case in &test.cases {
                if let ast::Judged::Script(calls, _) = &case.judged {
                    block_starts(calls.iter().map(|call| call.span), pieces, &mut starts);
                }
            }
        }
        ast::Item::Examples(examples) => session_starts(&examples.session, pieces, &mut starts),
        ast::Item::Rule(rule) => asked_starts(rule.approval.as_ref(), pieces, &mut starts),
        ast::Item::Limit(limit) => asked_starts(limit.approval.as_ref(), pieces, &mut starts),
        ast::Item::Approval(named) => approval_starts(&named.asks, 0, pieces, &mut starts),
        _ => {}
    }
    starts
}

fn asked_starts(asked: Option<&ast::Asked>, pieces: &[Piece], starts: &mut Starts) {
    if let Some(ast::Asked::Written(approval)) = asked {
        approval_starts(approval, INDENT, pieces, starts);
    }
}

/// An approval of more than two clauses has a line for each.
fn approval_starts(approval: &ast::Approval, margin: usize, pieces: &[Piece], starts: &mut Starts) {
    if approval.clauses.len() <= 2 {
        return;
    }
    for clause in &approval.clauses {
        starts.insert(clause.span.start, (margin + INDENT, Blank::Never));
    }
    let close = pieces.iter().take_while(|p| p.start < approval.span.end).last();
    if let Some(close) = close {
        starts.insert(close.start, (margin, Blank::Never));
    }
}

/// A session of several steps has a line for each.
fn session_starts(session: &[ast::Step], pieces: &[Piece], starts: &mut Starts) {
    let span = |step: &ast::Step| match step {
        ast::Step::Call(call) => call.span,
        ast::Step::Turn(span) | ast::Step::At(_, span) => *span,
    };
    block_starts(session.iter().map(span), pieces, starts);
}

/// Several steps in braces within a test have a line for each.
fn block_starts(steps: impl Iterator<Item = Span>, pieces: &[Piece], starts: &mut Starts) {
    let steps: Vec<Span> = steps.collect();
    let [first, rest @ .., last] = steps.as_slice() else {
        return;
    };
    starts.insert(first.start, (2 * INDENT, Blank::NotFirst));
    for step in rest.iter().chain([last]) {
        starts.insert(step.start, (2 * INDENT, Blank::Keep));
    }
    let end = last.end;
    let close = pieces
        .iter()
        .find(|p| p.start >= end && p.kind == Kind::CloseBrace);
    if let Some(close) = close {
        starts.insert(close.start, (INDENT, Blank::Never));
    }
}

/// Where members begin with one of these words, at the first level of the item's braces.
fn keyword_starts(pieces: &[Piece], words: &[&str]) -> Vec<Option<u32>> {
    let mut depth = 0usize;
    let mut found = Vec::new();
    for piece in pieces {
        if piece.kind.is_open() {
            depth += 1;
        } else if piece.kind.is_close() {
            depth = depth.saturating_sub(1);
        } else if depth == 1 && piece.kind == Kind::Word && words.contains(&piece.text.as_str()) {
            found.push(Some(piece.start));
        }
    }
    found
}

fn selector_start(selector: &ast::Selector) -> u32 {
    match selector {
        ast::Selector::All(span)
        | ast::Selector::WithEffect(_, span)
        | ast::Selector::OnlyEffects(_, span) => span.start,
        ast::Selector::Named(name) => name.span.start,
    }
}

/// Takes out the commas that end a member of a body; their comments go to the next token.
fn drop_optional_commas(pieces: &mut Vec<Piece>, starts: &Starts) {
    let mut kept: Vec<Piece> = Vec::with_capacity(pieces.len());
    let mut rest = std::mem::take(pieces).into_iter().peekable();
    while let Some(piece) = rest.next() {
        let optional = piece.kind == Kind::Comma;
        match rest.peek_mut() {
            Some(next) if optional && (starts.contains_key(&next.start) || next.kind == Kind::CloseBrace) => {
                // A closing brace after a comma may also be that of a list inside; there the comma is optional too.
                next.take_lead(piece);
            }
            _ => kept.push(piece),
        }
    }
    *pieces = kept;
}
