//! Where a line that is too long may be split. In: nodes of one line. Out: places between them, by how coarse they are.

use super::layout::Node;
use super::piece::Piece;
use crate::syntax::token::Kind;

/// Whether a line may break between two pieces.
pub(super) type Level = fn(Option<&Piece>, Option<&Piece>) -> bool;

/// Whether a line may be split between two neighbours, coarsest first.
pub(super) const LEVELS: [Level; 4] = [
    |_, after| after.is_some_and(|p| p.kind == Kind::Arrow),
    |before, _| before.is_some_and(|p| matches!(p.kind, Kind::Comma | Kind::Assign)),
    |_, after| after.is_some_and(|p| is_word(p, "or")),
    |_, after| after.is_some_and(|p| is_word(p, "and")),
];
/// The level of alternatives.
pub(super) const OR: usize = 2;

fn is_word(piece: &Piece, word: &str) -> bool {
    piece.kind == Kind::Word && piece.text == word
}

fn piece(nodes: &[Node], at: usize) -> Option<&Piece> {
    match nodes.get(at) {
        Some(Node::Piece(piece)) => Some(piece),
        _ => None,
    }
}

/// Where a level splits nodes. The body of a quantifier reaches to the end, so nothing in it joins what is before.
pub(super) fn cuts(nodes: &[Node], level: usize, is_start: Level) -> Vec<usize> {
    let end = match quantifier(nodes) {
        Some((start, _)) if level >= OR => start + 1,
        _ => nodes.len(),
    };
    let cut = |at: &usize| {
        let before = piece(nodes, at - 1);
        // A list after `=` opens on the line of what it is the value of.
        let is_value = before.is_some_and(|p| p.kind == Kind::Assign)
            && matches!(nodes.get(*at..), Some([Node::Group(_)]));
        let says_where = level == 0 && (is_from(nodes, *at) || is_oblige(nodes, *at));
        says_where || !is_value && is_start(before, piece(nodes, *at))
    };
    (1..end).filter(cut).collect()
}

/// `from intent …` after a type, `from { … }` after a call: where something comes from.
fn is_from(nodes: &[Node], at: usize) -> bool {
    let between_groups = matches!(
        (nodes.get(at - 1), nodes.get(at + 1)),
        (Some(Node::Group(_)), Some(Node::Group(_)))
    );
    let from = piece(nodes, at).is_some_and(|p| is_word(p, "from"));
    (from && between_groups) || says_origin(nodes, at)
}

/// `oblige log(…)` at the end of a case.
fn is_oblige(nodes: &[Node], at: usize) -> bool {
    let named = piece(nodes, at + 1).is_some_and(|p| p.kind == Kind::Word);
    let told = matches!(nodes.get(at + 2), Some(Node::Group(_)));
    named && told && piece(nodes, at).is_some_and(|p| is_word(p, "oblige"))
}

/// Whether what says where the thing before is found stands here: `from intent` or `by … within` of a field, `digest` of an import.
pub(super) fn says_origin(nodes: &[Node], at: usize) -> bool {
    let after_dot = piece(nodes, at - 1).is_some_and(|p| p.kind == Kind::Dot);
    let is = |at: usize, word: &str| piece(nodes, at).is_some_and(|p| is_word(p, word));
    let is_text = piece(nodes, at + 1).is_some_and(|p| p.kind == Kind::String);
    let from = is(at, "from") && is(at + 1, "intent");
    let digest = is(0, "import") && is(at, "digest") && is_text;
    let attested = is(0, "attested") && is(at, "by") && is(at + 2, "within");
    !after_dot && (from || digest || attested)
}

pub(super) fn has_and(nodes: &[Node]) -> bool {
    LEVELS
        .get(OR + 1)
        .is_some_and(|is_start| !cuts(nodes, OR + 1, *is_start).is_empty())
}

/// The first quantifier that is not in brackets: where it starts, and where its body does. Inside the brackets of a sum
/// or count it has no word of its own.
pub(super) fn quantifier(nodes: &[Node]) -> Option<(usize, usize)> {
    let word = |at: usize| piece(nodes, at).filter(|p| p.kind == Kind::Word);
    let starts = |at: &usize| {
        let after_dot = at
            .checked_sub(1)
            .and_then(|before| piece(nodes, before))
            .is_some_and(|p| p.kind == Kind::Dot);
        let named = word(*at).is_some_and(|p| is_word(p, "any") || is_word(p, "all"));
        let variable = if named { at + 1 } else { *at };
        !after_dot
            && (named || *at == 0)
            && word(variable).is_some()
            && word(variable + 1).is_some_and(|p| is_word(p, "in"))
    };
    let start = (0..nodes.len()).find(starts)?;
    let colon = (start..nodes.len()).find(|at| piece(nodes, *at).is_some_and(|p| p.kind == Kind::Colon))?;
    Some((start, colon + 1))
}
