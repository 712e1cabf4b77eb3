//! Tokens with the comments before them. In: the tokens of a file. Out: pieces, one for each token that is not trivia.

use crate::source::Source;
use crate::syntax::lexer::Token;
use crate::syntax::token::Kind;

/// A comment and how it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    /// Its text, without blanks at the end.
    pub(super) text: String,
    /// It stood after a token on the same line.
    pub(super) trailing: bool,
    /// An empty line stood before it.
    pub(super) blank: bool,
}

/// A token and what stood before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// What it is.
    pub(super) kind: Kind,
    /// Its text as written.
    pub(super) text: String,
    /// The comments before it.
    pub(super) lead: Vec<Comment>,
    /// An empty line stood before it.
    pub(super) blank: bool,
    /// Its first byte in the source.
    pub(super) start: u32,
}

impl Piece {
    /// A comma the layout adds.
    pub(super) fn comma() -> Self {
        Self {
            kind: Kind::Comma,
            text: ",".to_owned(),
            lead: Vec::new(),
            blank: false,
            start: u32::MAX,
        }
    }

    /// Takes over what stood before a piece that is left out.
    pub(super) fn take_lead(&mut self, dropped: Piece) {
        self.lead.splice(0..0, dropped.lead);
    }
}

/// The pieces, and the comments after the last.
pub(super) fn pieces(source: &Source, tokens: &[Token]) -> (Vec<Piece>, Vec<Comment>) {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut lead: Vec<Comment> = Vec::new();
    let mut lines = 0;
    for token in tokens {
        let text = source.slice(token.span);
        match token.kind {
            Kind::Space => lines += text.matches('\n').count(),
            Kind::Comment => {
                let trailing = lines == 0 && lead.is_empty() && !pieces.is_empty();
                lead.push(Comment {
                    text: text.trim_end().to_owned(),
                    trailing,
                    blank: lines > 1,
                });
                lines = 0;
            }
            kind => {
                let lead = std::mem::take(&mut lead);
                let text = text.to_owned();
                pieces.push(Piece {
                    kind,
                    text,
                    lead,
                    blank: lines > 1,
                    start: token.span.start,
                });
                lines = 0;
            }
        }
    }
    (pieces, lead)
}

/// Moves the comments before a comma behind it, because a comma never begins a line.
pub(super) fn comments_after_commas(pieces: &mut [Piece]) {
    let mut moved: Vec<Comment> = Vec::new();
    for piece in pieces {
        if piece.kind == Kind::Comma {
            moved.append(&mut piece.lead);
        } else if !moved.is_empty() {
            piece.lead.splice(0..0, std::mem::take(&mut moved));
        }
    }
}
