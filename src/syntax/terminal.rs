//! Tokens as the grammar sees them. In: the tokens of one item, trivia left out. Out: terminals with byte offsets. This
//! is where a keyword becomes a name: next to a dot or before a colon no keyword can stand, so a word there is a name.

use super::lexer::Token;
use super::literal::{self, Flaw, NumberForm};
use super::token::{Keyword, Kind};
use crate::source::{Source, Span};

/// A terminal of the grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Terminal<'s> {
    /// A word that is no keyword here.
    Name(&'s str),
    /// A string, unescaped.
    Text(String),
    /// `12`
    Int(&'s str),
    /// `-3`, `1.50`
    Decimal(&'s str),
    /// `64KiB`
    Size(&'s str),
    /// `15m`
    Duration(&'s str),
    /// A word that may be a keyword.
    Keyword(Keyword),
    /// Any other token.
    Mark(Kind),
}

/// A terminal between its byte offsets, the form the generated parser reads.
pub type Placed<'s> = (usize, Terminal<'s>, usize);

/// Makes terminals of one item's tokens, which hold no trivia and no `Bad` or `OpenString`.
///
/// # Errors
/// The first string or number that is malformed, with its place.
pub fn terminals<'s>(source: &'s Source, tokens: &[Token]) -> Result<Vec<Placed<'s>>, (Span, Flaw)> {
    let mut out = Vec::with_capacity(tokens.len());
    for (at, token) in tokens.iter().enumerate() {
        let text = source.slice(token.span);
        let terminal = match token.kind {
            Kind::Word => match keyword_at(source, tokens, at) {
                Some(keyword) => Terminal::Keyword(keyword),
                None => Terminal::Name(text),
            },
            Kind::String | Kind::RawString => {
                Terminal::Text(literal::string(text).map_err(|flaw| place(token.span, flaw))?)
            }
            Kind::Number => match literal::number(text).map_err(|flaw| place(token.span, flaw))? {
                NumberForm::Int => Terminal::Int(text),
                NumberForm::Decimal => Terminal::Decimal(text),
                NumberForm::Size => Terminal::Size(text),
                NumberForm::Duration => Terminal::Duration(text),
            },
            kind => Terminal::Mark(kind),
        };
        out.push((token.span.start as usize, terminal, token.span.end as usize));
    }
    Ok(out)
}

fn place(token: Span, flaw: Flaw) -> (Span, Flaw) {
    let start = token.start as usize;
    (
        Span::new(token.file, start + flaw.range.start, start + flaw.range.end),
        flaw,
    )
}

/// The keyword a word token may be, given its neighbours; `None` where it can only be a name. `tokens` holds no trivia.
pub fn keyword_at(source: &Source, tokens: &[Token], at: usize) -> Option<Keyword> {
    let token = tokens.get(at).filter(|t| t.kind == Kind::Word)?;
    let kind_at = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map(|t| t.kind);
    let before = kind_at(at.checked_sub(1));
    let after = kind_at(Some(at + 1));
    if before == Some(Kind::Dot) || matches!(after, Some(Kind::Dot | Kind::Colon)) {
        return None;
    }
    let word = Keyword::parse(source.slice(token.span))?;
    // `history` is one only in `history matches […]`, so that a predicate may have the name.
    let goes_on = tokens.get(at + 1).map(|next| source.slice(next.span));
    (word != Keyword::History || goes_on == Some(Keyword::Matches.text())).then_some(word)
}
