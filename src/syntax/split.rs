//! Cuts a file's tokens into items before any is parsed, so a mistake in one item leaves the others whole. In: tokens
//! without trivia. Out: index ranges that tile them. It decides by keyword, bracket depth and column alone.

use std::ops::Range;

use super::lexer::Token;
use super::terminal::keyword_at;
use super::token::{Keyword, Kind, Role};
use crate::source::Source;

/// The ranges of the items, in order. Tokens before the first item keyword are a range of their own.
pub fn split(source: &Source, tokens: &[Token]) -> Vec<Range<usize>> {
    let mut starts: Vec<usize> = Vec::new();
    let mut depth = 0usize;
    // Whether the last token asks for a name or value, so that a keyword here is one.
    let mut wants_operand = false;
    for (at, token) in tokens.iter().enumerate() {
        if at == 0 || starts_item(source, tokens, at, depth, wants_operand) {
            starts.push(at);
            depth = 0;
            wants_operand = false;
        }
        if token.kind.is_open() {
            depth += 1;
        } else if token.kind.is_close() {
            depth = depth.saturating_sub(1);
        }
        wants_operand = asks(source, tokens, at, wants_operand);
    }
    let ends = starts.iter().skip(1).copied().chain([tokens.len()]);
    starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(start, end)| start..end)
        .collect()
}

fn starts_item(source: &Source, tokens: &[Token], at: usize, depth: usize, wants_operand: bool) -> bool {
    let Some(token) = tokens.get(at).filter(|t| t.kind == Kind::Word) else {
        return false;
    };
    let next = tokens.get(at + 1).map(|t| t.kind);
    let begins_line = source
        .text
        .get(..token.span.start as usize)
        .is_none_or(|t| t.is_empty() || t.ends_with('\n'));
    let free = depth == 0 && !wants_operand;
    match keyword_at(source, tokens, at) {
        Some(word) if word.role() == Role::Item => free || (begins_line && has_shape(word, next)),
        Some(_) => false,
        // A misspelt item keyword: the mistake is this item's, not the one's before it.
        None => free && begins_line && matches!(next, Some(Kind::Word | Kind::String | Kind::OpenBrace)),
    }
}

/// Whether the token after an item keyword is one that only an item has there, whatever brackets are open.
fn has_shape(word: Keyword, next: Option<Kind>) -> bool {
    match word {
        Keyword::Gaitpol => next == Some(Kind::Number),
        Keyword::Test => next == Some(Kind::String),
        Keyword::Effects | Keyword::Lints => next == Some(Kind::OpenBrace),
        Keyword::Default => next == Some(Kind::Word),
        _ => matches!(next, Some(Kind::Word | Kind::String)),
    }
}

/// Whether a name or value must follow this token.
fn asks(source: &Source, tokens: &[Token], at: usize, wanted: bool) -> bool {
    let kind = tokens.get(at).map(|t| t.kind);
    if kind != Some(Kind::Word) {
        return matches!(
            kind,
            Some(
                Kind::Comma
                    | Kind::Colon
                    | Kind::Dot
                    | Kind::At
                    | Kind::Assign
                    | Kind::Eq
                    | Kind::Ne
                    | Kind::Lt
                    | Kind::Le
                    | Kind::Gt
                    | Kind::Ge
            )
        );
    }
    let Some(word) = keyword_at(source, tokens, at) else {
        return false;
    };
    match word.role() {
        Role::Prefix | Role::Infix => true,
        Role::Verdict | Role::Constant => false,
        _ if wanted => false,
        Role::Item => !matches!(
            word,
            Keyword::Default | Keyword::Effects | Keyword::Gaitpol | Keyword::Lints | Keyword::Test
        ),
        // The last three may end an item.
        Role::Clause => !matches!(
            word,
            Keyword::Only
                | Keyword::Ordered
                | Keyword::Hint
                | Keyword::Tools
                | Keyword::With
                | Keyword::Turn
                | Keyword::Ok
                | Keyword::Failed
        ),
    }
}
