//! Breaking lines. In: one logical line as a tree of bracket groups. Out: text. A line that fits is printed flat; one
//! that does not is split at `=>`, `from` and `oblige`, then after commas and `=`, then before `or`, then before `and`, then after the `:` of a
//! quantifier, then its groups are broken one element per line. A comment inside ends the line it stands on, so it breaks what it stands in.

use super::breaks::{LEVELS, Level, OR, cuts, has_and, quantifier, says_origin};
use super::piece::{Comment, Piece};
use super::{INDENT, WIDTH, align};
use crate::syntax::token::{Keyword, Kind, Role};

/// Which empty lines are kept before a line and the comments before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blank {
    /// None.
    Never,
    /// One wherever the author left some, but not before the first.
    NotFirst,
    /// One wherever the author left some.
    Keep,
    /// One before the first, then wherever the author left some.
    Force,
}

/// A piece or a bracket group.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// One token.
    Piece(Piece),
    /// Brackets and what is between.
    Group(Group),
}

/// Brackets and the elements between, which end in their comma except the last.
#[derive(Clone, Debug)]
pub(super) struct Group {
    open: Piece,
    elements: Vec<Vec<Node>>,
    close: Piece,
    /// The grammar allows a comma after the last element.
    last_comma: bool,
}

/// Makes the tree of a line. Brackets that the line does not close stay pieces.
pub(super) fn nodes(line: Vec<Piece>, is_test: bool) -> Vec<Node> {
    let mut open: Vec<(Piece, Vec<Vec<Node>>)> = Vec::new();
    let mut bottom: Vec<Node> = Vec::new();
    for piece in line {
        let kind = piece.kind;
        if kind.is_open() {
            open.push((piece, vec![Vec::new()]));
        } else if let (true, Some((opener, mut elements))) =
            (kind.is_close(), kind.is_close().then(|| open.pop()).flatten())
        {
            let last_comma = opener.kind == Kind::OpenBrace || (opener.kind == Kind::OpenBracket && is_test);
            elements.retain(|element| !element.is_empty());
            // The members of a level are told apart by `<`.
            let is_level = |node: &Node| matches!(node, Node::Piece(p) if p.kind == Kind::Lt);
            let last_comma = last_comma && !elements.iter().flatten().any(is_level);
            if let Some(last) = elements.last_mut()
                && matches!(last.last(), Some(Node::Piece(p)) if p.kind == Kind::Comma)
            {
                last.pop();
            }
            let group = Node::Group(Group {
                open: opener,
                elements,
                close: piece,
                last_comma,
            });
            push(&mut open, &mut bottom, group);
        } else {
            push(&mut open, &mut bottom, Node::Piece(piece));
            if kind == Kind::Comma
                && let Some((_, elements)) = open.last_mut()
            {
                elements.push(Vec::new());
            }
        }
    }
    for (opener, elements) in open {
        bottom.push(Node::Piece(opener));
        bottom.extend(elements.into_iter().flatten());
    }
    bottom
}

fn push(open: &mut [(Piece, Vec<Vec<Node>>)], bottom: &mut Vec<Node>, node: Node) {
    match open.last_mut().and_then(|(_, elements)| elements.last_mut()) {
        Some(element) => element.push(node),
        None => bottom.push(node),
    }
}

/// The pieces of nodes in order.
fn leaves<'n>(nodes: &'n [Node], out: &mut Vec<&'n Piece>) {
    for node in nodes {
        match node {
            Node::Piece(piece) => out.push(piece),
            Node::Group(group) => {
                out.push(&group.open);
                group.elements.iter().for_each(|element| leaves(element, out));
                out.push(&group.close);
            }
        }
    }
}

/// What stands between two tokens of one line.
fn gap(before: (Kind, &str), after: Kind) -> &'static str {
    let (kind, text) = before;
    match (kind, after) {
        (
            _,
            Kind::Comma
            | Kind::Colon
            | Kind::Dot
            | Kind::Range
            | Kind::Question
            | Kind::CloseBracket
            | Kind::CloseParen,
        )
        | (Kind::Dot | Kind::Range | Kind::OpenBracket | Kind::OpenParen, _)
        | (Kind::CloseBracket | Kind::String, Kind::OpenBracket)
        | (Kind::OpenBrace, Kind::CloseBrace) => "",
        // A type takes its parameters without a blank, an operator its list with one.
        (Kind::Word, Kind::OpenBracket) => match Keyword::parse(text) {
            Some(Keyword::Matches) => " ",
            _ => "",
        },
        (Kind::Word, Kind::OpenParen) => match Keyword::parse(text) {
            Some(word) if word.is_called() => "",
            Some(word) if matches!(word.role(), Role::Prefix | Role::Infix) => " ",
            Some(Keyword::When | Keyword::Unless) => " ",
            _ => "",
        },
        _ => " ",
    }
}

/// The width of pieces on one line; `None` when a comment stands among them.
fn width(pieces: &[&Piece]) -> Option<usize> {
    let mut width = 0;
    let mut last: Option<&Piece> = None;
    for piece in pieces {
        if let Some(last) = last {
            if !piece.lead.is_empty() {
                return None;
            }
            width += gap((last.kind, &last.text), piece.kind).len();
        }
        width += piece.text.chars().count();
        last = Some(piece);
    }
    Some(width)
}

/// The text so far and how the next token joins it.
#[derive(Default)]
pub(super) struct Printer {
    out: String,
    column: usize,
    last: Option<(Kind, String)>,
    /// The next token begins a line with this indentation.
    pending: Option<(usize, bool)>,
    blank: Option<Blank>,
    /// Where comments stand after a token on its line, by byte.
    trailing: Vec<usize>,
}

impl Printer {
    /// Ends the line; the next one has this indentation.
    pub(super) fn line(&mut self, indent: usize, blank: Blank) {
        self.pending = Some((indent, false));
        self.blank = Some(blank);
    }

    /// The text, ending in one line end.
    pub(super) fn finish(mut self) -> String {
        self.out.push('\n');
        align::comments(&self.out, &self.trailing)
    }

    /// Prints comments, each on its own line at `indent` unless it trailed a token.
    pub(super) fn comments(&mut self, comments: &[Comment], indent: usize) {
        for (at, comment) in comments.iter().enumerate() {
            let resume = self.pending.map_or(indent, |(indent, _)| indent);
            if at == 0 && comment.trailing && !self.out.is_empty() {
                self.text(" ");
                self.trailing.push(self.out.len());
            } else {
                self.start(indent, comment.blank);
            }
            self.text(&comment.text);
            self.pending = Some((resume, true));
        }
    }

    fn text(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    /// Begins a line.
    fn start(&mut self, indent: usize, author_blank: bool) {
        let blank = match self.blank {
            None | Some(Blank::Never) => false,
            Some(Blank::NotFirst) => {
                self.blank = Some(Blank::Keep);
                false
            }
            Some(Blank::Keep) => author_blank,
            Some(Blank::Force) => {
                self.blank = Some(Blank::Keep);
                true
            }
        };
        if !self.out.is_empty() {
            self.out.push_str(if blank { "\n\n" } else { "\n" });
        }
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column = indent;
    }

    /// Prints one token whose comments are printed already.
    fn token(&mut self, piece: &Piece) {
        match self.pending.take() {
            Some((indent, _)) => self.start(indent, piece.blank),
            None => {
                let gap = self
                    .last
                    .as_ref()
                    .map_or("", |(kind, text)| gap((*kind, text), piece.kind));
                self.text(gap);
            }
        }
        self.blank = None;
        self.text(&piece.text);
        self.last = Some((piece.kind, piece.text.clone()));
    }

    fn put(&mut self, piece: &Piece, comments: usize) {
        // The first piece of a logical line has had its comments printed by the caller.
        match self.pending {
            Some((_, true)) => {}
            Some((indent, false)) if !piece.kind.is_close() => self.comments(&piece.lead, indent),
            _ => self.comments(&piece.lead, comments),
        }
        self.token(piece);
    }

    /// Columns left on the line when a token like this is next.
    fn fits(&self, pieces: &[&Piece]) -> bool {
        let Some(first) = pieces.first() else { return true };
        let start = match self.pending {
            Some((indent, _)) => indent,
            None => {
                self.column
                    + self
                        .last
                        .as_ref()
                        .map_or(0, |(kind, text)| gap((*kind, text), first.kind).len())
            }
        };
        width(pieces).is_some_and(|width| start + width <= WIDTH)
    }

    /// Prints a logical line that starts at `indent`.
    pub(super) fn segment(&mut self, nodes: &[Node], indent: usize) {
        self.at_level(nodes, indent, 0);
    }

    fn at_level(&mut self, nodes: &[Node], indent: usize, level: usize) {
        let mut pieces = Vec::new();
        leaves(nodes, &mut pieces);
        let joins = self.pending.is_some() || pieces.first().is_none_or(|p| p.lead.is_empty());
        if joins && self.fits(&pieces) {
            return pieces
                .into_iter()
                .for_each(|piece| self.put(piece, indent + INDENT));
        }
        match LEVELS.get(level) {
            Some(is_start) => self.split(nodes, indent, level, *is_start),
            None => self.quantifier(nodes, indent),
        }
    }

    /// Prints nodes that do not fit on a line, split at one level where that level splits them.
    fn split(&mut self, nodes: &[Node], indent: usize, level: usize, is_start: Level) {
        let mut cuts = cuts(nodes, level, is_start);
        if let Some(first) = cuts.first().copied().filter(|at| says_origin(nodes, *at)) {
            // After brackets of several lines it follows the one that closes them.
            let mut pieces = Vec::new();
            leaves(nodes.get(..first).unwrap_or_default(), &mut pieces);
            if !self.fits(&pieces) {
                cuts.remove(0);
            }
        }
        let mut rest = nodes;
        let mut done = 0;
        let mut inner = indent;
        for cut in cuts.iter().copied().chain([nodes.len()]) {
            let (chunk, left) = rest.split_at(cut - done);
            // The `and`s of a first alternative stand deeper than the `or`s after it.
            let deeper = level == OR && done == 0 && !cuts.is_empty() && has_and(chunk);
            self.at_level(chunk, if deeper { indent + INDENT } else { inner }, level + 1);
            (rest, done) = (left, cut);
            inner = indent + INDENT;
            if !rest.is_empty() {
                self.line(inner, Blank::Never);
            }
        }
    }

    /// Prints nodes that nothing joins: a quantifier's body goes on a line of its own, and is split like a condition.
    fn quantifier(&mut self, nodes: &[Node], indent: usize) {
        match quantifier(nodes) {
            Some((_, body)) if body < nodes.len() => {
                let (head, body) = nodes.split_at(body);
                self.broken(head, indent);
                self.line(indent + INDENT, Blank::Never);
                self.at_level(body, indent + INDENT, OR);
            }
            _ => self.broken(nodes, indent),
        }
    }

    /// Prints nodes that do not fit and have nothing to split at: groups that do not fit are broken.
    fn broken(&mut self, nodes: &[Node], indent: usize) {
        for (at, node) in nodes.iter().enumerate() {
            match node {
                Node::Piece(piece) => self.put(piece, indent + INDENT),
                Node::Group(group) => {
                    let after = nodes.get(at + 1..).unwrap_or_default();
                    let next = after
                        .iter()
                        .position(|n| matches!(n, Node::Group(_)))
                        .unwrap_or(after.len());
                    let mut pieces = Vec::new();
                    leaves(std::slice::from_ref(node), &mut pieces);
                    let own = pieces.len();
                    leaves(after.get(..next).unwrap_or_default(), &mut pieces);
                    // A comment after the group ends the line there; only one inside the group breaks it.
                    let end = pieces
                        .iter()
                        .enumerate()
                        .position(|(i, p)| i >= own && !p.lead.is_empty());
                    pieces.truncate(end.unwrap_or(pieces.len()));
                    let flat = self.fits(&pieces);
                    self.put(&group.open, indent + INDENT);
                    if flat || (group.elements.is_empty() && group.close.lead.is_empty()) {
                        pieces.truncate(own);
                        pieces
                            .into_iter()
                            .skip(1)
                            .for_each(|piece| self.put(piece, indent + INDENT));
                    } else {
                        self.elements(group, indent);
                    }
                }
            }
        }
    }

    fn elements(&mut self, group: &Group, indent: usize) {
        let last = group.elements.len().saturating_sub(1);
        for (at, element) in group.elements.iter().enumerate() {
            self.line(indent + INDENT, Blank::Never);
            if at == last && group.last_comma {
                let mut element = element.clone();
                element.push(Node::Piece(Piece::comma()));
                self.at_level(&element, indent + INDENT, 0);
            } else {
                self.at_level(element, indent + INDENT, 0);
            }
        }
        self.line(indent, Blank::Never);
        self.put(&group.close, indent + INDENT);
    }
}
