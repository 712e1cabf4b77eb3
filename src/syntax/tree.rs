//! Builds the tree for the grammar's actions. In: parts and byte offsets. Out: nodes that know how tall they are, so
//! that a tree too tall to walk or drop on one stack is refused while it grows.

use lalrpop_util::ParseError;

use super::ast::{self, Expr, ExprKind, Literal, LiteralKind, Name, TypeExpr, TypeKind};
use super::terminal::Terminal;
use crate::limits;
use crate::source::{FileId, Span, Spanned};

/// What the grammar parses at once: the edition line or one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// `gaitpol 1`
    Edition(Spanned<String>),
    /// Anything else.
    Item(Box<ast::Item>),
}

/// A member of a tool's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Member {
    /// `to: Email`
    Arg(ast::Arg),
    /// `effect net.egress`
    Effect(ast::Effect),
    /// `...`
    Rest(Span),
    /// `carries body`
    Carries(Vec<Vec<Name>>),
    /// `returns secret`
    Returns(Vec<Name>),
}

/// Where and how a tree grew too tall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooDeep {
    /// The node at which the limit was passed.
    pub span: Span,
    /// Which limit.
    pub limit: usize,
}

/// The result of an action.
pub type Step<'s, T> = Result<T, ParseError<usize, Terminal<'s>, TooDeep>>;

/// How far a node is above its deepest leaf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rise {
    /// Counting only what nests: brackets, `not`, quantifiers, `?`.
    nest: usize,
    /// Counting every node, so each operand of a long `and` too.
    height: usize,
}

impl Rise {
    fn over(self, other: Rise) -> Rise {
        Rise {
            nest: self.nest.max(other.nest),
            height: self.height.max(other.height),
        }
    }

    fn nested(self, span: Span) -> Result<Rise, TooDeep> {
        Rise {
            nest: self.nest + 1,
            height: self.height,
        }
        .chained(span)
    }

    fn chained(self, span: Span) -> Result<Rise, TooDeep> {
        let grown = Rise {
            nest: self.nest,
            height: self.height + 1,
        };
        if grown.nest > limits::SYNTAX_DEPTH {
            return Err(TooDeep {
                span,
                limit: limits::SYNTAX_DEPTH,
            });
        }
        if grown.height > limits::SYNTAX_HEIGHT {
            return Err(TooDeep {
                span,
                limit: limits::SYNTAX_HEIGHT,
            });
        }
        Ok(grown)
    }
}

/// A node and how tall it is.
#[derive(Clone, Debug)]
pub struct Tall<T> {
    /// The node.
    pub node: T,
    rise: Rise,
}

/// A node without parts.
pub fn leaf<T>(node: T) -> Tall<T> {
    Tall {
        node,
        rise: Rise::default(),
    }
}

/// The nodes, and the rise of the tallest.
fn gather<T>(parts: Vec<Tall<T>>) -> (Vec<T>, Rise) {
    let rise = parts
        .iter()
        .fold(Rise::default(), |rise, part| rise.over(part.rise));
    (parts.into_iter().map(|part| part.node).collect(), rise)
}

fn user<'s, T>(grown: Result<T, TooDeep>) -> Step<'s, T> {
    grown.map_err(|error| ParseError::User { error })
}

/// An expression without parts.
pub fn atom(span: Span, kind: ExprKind) -> Tall<Expr> {
    leaf(Expr { kind, span })
}

/// An expression in parentheses; it keeps its own span.
pub fn paren<'s>(span: Span, inner: Tall<Expr>) -> Step<'s, Tall<Expr>> {
    Ok(Tall {
        rise: user(inner.rise.nested(span))?,
        node: inner.node,
    })
}

/// `not a`, `present a`
pub fn unary<'s>(span: Span, make: fn(Box<Expr>) -> ExprKind, inner: Tall<Expr>) -> Step<'s, Tall<Expr>> {
    let rise = user(inner.rise.nested(span))?;
    Ok(Tall {
        node: Expr {
            kind: make(Box::new(inner.node)),
            span,
        },
        rise,
    })
}

/// Two operands.
pub fn binary<'s>(
    span: Span,
    left: Tall<Expr>,
    make: impl FnOnce(Box<Expr>, Box<Expr>) -> ExprKind,
    right: Tall<Expr>,
) -> Step<'s, Tall<Expr>> {
    let rise = user(left.rise.over(right.rise).chained(span))?;
    Ok(Tall {
        node: Expr {
            kind: make(Box::new(left.node), Box::new(right.node)),
            span,
        },
        rise,
    })
}

/// `a[b]`
pub fn lookup<'s>(span: Span, of: Tall<Expr>, key: Tall<Expr>) -> Step<'s, Tall<Expr>> {
    let key = Tall {
        rise: user(key.rise.nested(span))?,
        node: key.node,
    };
    binary(span, of, ExprKind::Lookup, key)
}

/// `a.b`
pub fn field<'s>(span: Span, of: Tall<Expr>, name: Name) -> Step<'s, Tall<Expr>> {
    let rise = user(of.rise.chained(span))?;
    Ok(Tall {
        node: Expr {
            kind: ExprKind::Field(Box::new(of.node), name),
            span,
        },
        rise,
    })
}

/// `len(a)`, `{ a, b }`
pub fn many<'s>(
    span: Span,
    parts: Vec<Tall<Expr>>,
    make: impl FnOnce(Vec<Expr>) -> ExprKind,
) -> Step<'s, Tall<Expr>> {
    let (parts, rise) = gather(parts);
    Ok(Tall {
        node: Expr {
            kind: make(parts),
            span,
        },
        rise: user(rise.nested(span))?,
    })
}

/// `len(a)`, `net.private(a)`
pub fn call<'s>(span: Span, name: Name, args: Vec<Tall<Expr>>) -> Step<'s, Tall<Expr>> {
    many(span, args, |args| ExprKind::Call(name, args))
}

/// The name before an opening parenthesis. One that is no name at all gets a text that nobody can declare.
pub fn callee(of: Tall<Expr>, name: Name) -> Name {
    let (text, span) = match of.node.dotted() {
        Some(first) => (first.text, first.span),
        None => ("(…)".to_owned(), of.node.span),
    };
    Name {
        text: format!("{text}.{}", name.text),
        span: span.to(name.span),
    }
}

/// The nodes, where how tall they are no longer counts: right below an item.
pub fn nodes<T>(parts: Vec<Tall<T>>) -> Vec<T> {
    parts.into_iter().map(|part| part.node).collect()
}

/// Which quantifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// `any`
    Any,
    /// `all`
    All,
}

/// `any x in list: body`
pub fn quantified<'s>(
    span: Span,
    quantifier: Quantifier,
    variable: Name,
    list: Tall<Expr>,
    body: Tall<Expr>,
) -> Step<'s, Tall<Expr>> {
    let rise = user(list.rise.over(body.rise).nested(span))?;
    let kind = ExprKind::Quantified {
        all: quantifier == Quantifier::All,
        variable,
        list: Box::new(list.node),
        body: Box::new(body.node),
    };
    Ok(Tall {
        node: Expr { kind, span },
        rise,
    })
}

/// `count(x in list: body)`
pub fn aggregate<'s>(
    span: Span,
    of: ast::Aggregate,
    variable: Name,
    list: Tall<Expr>,
    body: Tall<Expr>,
) -> Step<'s, Tall<Expr>> {
    let rise = user(list.rise.over(body.rise).nested(span))?;
    let kind = ExprKind::Aggregate {
        of,
        variable,
        list: Box::new(list.node),
        body: Box::new(body.node),
    };
    Ok(Tall {
        node: Expr { kind, span },
        rise,
    })
}

/// `call fs.read when …`
pub fn event(
    span: Span,
    on: Option<ast::Selector>,
    when: Option<Tall<Expr>>,
    result: Vec<ast::ResultTest>,
) -> Tall<ast::Event> {
    let rise = when.as_ref().map(|e| e.rise).unwrap_or_default();
    let kind = ast::EventKind::Call {
        on,
        when: when.map(|e| e.node),
        result,
    };
    Tall {
        node: ast::Event { kind, span },
        rise,
    }
}

/// `turn`
pub fn turn(span: Span) -> Tall<ast::Event> {
    leaf(ast::Event {
        kind: ast::EventKind::Turn,
        span,
    })
}

/// `once(a) since(b)`
pub fn history_pair(
    first: Tall<ast::Event>,
    second: Option<Tall<ast::Event>>,
    make: impl FnOnce(ast::Event, Option<ast::Event>) -> ast::History,
) -> Tall<ast::History> {
    let rise = first
        .rise
        .over(second.as_ref().map(|e| e.rise).unwrap_or_default());
    Tall {
        node: make(first.node, second.map(|e| e.node)),
        rise,
    }
}

/// `history matches [ … ]`
pub fn pattern(items: Vec<Tall<ast::PatternItem>>) -> Tall<ast::History> {
    let (items, rise) = gather(items);
    Tall {
        node: ast::History::Pattern(items),
        rise,
    }
}

/// An expression about the history.
pub fn history<'s>(span: Span, inner: Tall<ast::History>) -> Step<'s, Tall<Expr>> {
    let rise = user(inner.rise.nested(span))?;
    Ok(Tall {
        node: Expr {
            kind: ExprKind::History(Box::new(inner.node)),
            span,
        },
        rise,
    })
}

/// `T?`
pub fn optional<'s>(span: Span, inner: Tall<TypeExpr>) -> Step<'s, Tall<TypeExpr>> {
    let rise = user(inner.rise.nested(span))?;
    Ok(Tall {
        node: TypeExpr {
            kind: TypeKind::Optional(Box::new(inner.node)),
            span,
        },
        rise,
    })
}

/// A type made of parts.
pub fn type_of<'s, T>(
    span: Span,
    parts: Vec<Tall<T>>,
    make: impl FnOnce(Vec<T>) -> TypeKind,
) -> Step<'s, Tall<TypeExpr>> {
    let (parts, rise) = gather(parts);
    Ok(Tall {
        node: TypeExpr {
            kind: make(parts),
            span,
        },
        rise: user(rise.nested(span))?,
    })
}

/// A literal made of parts.
pub fn literal_of<'s, T>(
    span: Span,
    parts: Vec<Tall<T>>,
    make: impl FnOnce(Vec<T>) -> LiteralKind,
) -> Step<'s, Tall<Literal>> {
    let (parts, rise) = gather(parts);
    Ok(Tall {
        node: Literal {
            kind: make(parts),
            span,
        },
        rise: user(rise.nested(span))?,
    })
}

impl<T> Tall<T> {
    /// The same height around another node.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Tall<U> {
        Tall {
            node: change(self.node),
            rise: self.rise,
        }
    }
}

/// `match tool { … }`, `not_match tool { … }`
pub fn example(
    span: Span,
    matches: bool,
    tool: Name,
    args: Vec<Tall<(Name, Literal)>>,
    sources: Option<Vec<Tall<(Name, Literal)>>>,
) -> ast::Example {
    let fields = |fields: Vec<Tall<(Name, Literal)>>| fields.into_iter().map(|field| field.node).collect();
    ast::Example {
        matches,
        tool,
        args: fields(args),
        sources: sources.map(fields),
        span,
    }
}

/// A place of the file.
pub fn span(file: FileId, start: usize, end: usize) -> Span {
    Span::new(file, start, end)
}

/// A dotted name; its parts are joined by dots.
pub fn dotted(first: Name, rest: Vec<Name>) -> Name {
    rest.into_iter().fold(first, |mut name, part| {
        name.text.push('.');
        name.text.push_str(&part.text);
        name.span = name.span.to(part.span);
        name
    })
}

/// A tool, its members sorted into arguments and effects.
pub fn tool(name: Name, description: Option<Spanned<String>>, members: Vec<Member>, span: Span) -> ast::Item {
    let mut tool = ast::Tool {
        name,
        description,
        args: Vec::new(),
        effects: Vec::new(),
        rest: Vec::new(),
        carries: Vec::new(),
        returns: Vec::new(),
        span,
    };
    for member in members {
        match member {
            Member::Arg(arg) => tool.args.push(arg),
            Member::Effect(effect) => tool.effects.push(effect),
            Member::Rest(span) => tool.rest.push(span),
            Member::Carries(paths) => tool.carries.extend(paths),
            Member::Returns(labels) => tool.returns.extend(labels),
        }
    }
    ast::Item::Tool(tool)
}

/// A test; what it says of the time holds for the cases that follow.
pub fn test(
    name: Spanned<String>,
    given: Vec<Vec<(Name, Literal)>>,
    session: Option<Vec<ast::Step>>,
    steps: Vec<(Option<Spanned<String>>, ast::Case)>,
    span: Span,
) -> ast::Item {
    let mut now = None;
    let cases = steps.into_iter().map(|(at, case)| {
        now = at.or(now.take());
        ast::Case {
            at: now.clone(),
            ..case
        }
    });
    ast::Item::Test(ast::Test {
        name,
        given: given.into_iter().flatten().collect(),
        session: session.unwrap_or_default(),
        cases: cases.collect(),
        span,
    })
}
