//! The syntax tree: what was written, with its places, and nothing about what it means. Literals are already
//! unescaped; numbers keep their text, because only a type says how many places they may have.

mod approval;
mod assert;
mod compat;
mod obligation;
mod reuse;
mod rule;
mod scope;
mod time;
mod walk;

use crate::diag::Level;
use crate::domain::{Trust, Verdict};
use crate::source::{Span, Spanned};
pub use approval::{Approval, ApprovalClause, ApprovalSpec, Asked, NamedApproval, Role};
pub use assert::{Assert, VerdictOrder};
pub use compat::{Compat, Promise};
pub use obligation::{Duty, Given, Obligation, ObligationParam};
pub use reuse::{Alias, Data, Import, ModuleName, Pred, Set};
pub use rule::{Condition, Rule};
pub use scope::{Delegate, Delegated, Scope, Under};
pub use time::{Days, Limit, Per, Window, WindowSpan};

/// One source file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// `gaitpol 1`; the digits as written.
    pub edition: Option<Spanned<String>>,
    /// The items in order, the ones that could not be parsed left out.
    pub items: Vec<Item>,
}

/// A possibly dotted name. A quoted name (`"get-weather"`) has the same meaning as a bare one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The name, unquoted.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// A top-level declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// `policy acme.payments @ "2.3.0"`
    Policy(Policy),
    /// `scope team under "org.gaitpol"`
    Scope(Scope),
    /// `delegate allow on fs.read when args.path under "/ws" to team`
    Delegate(Delegate),
    /// `profile strict`
    Profile(Name),
    /// `import std.net`
    Import(Import),
    /// `default block code no_rule_matched`
    Default(Default_),
    /// `lints { allow unused_group, deny broad_allow }`
    Lints(Lints),
    /// `effects { net.egress, irreversible }`
    Effects(Vec<Name>),
    /// `enum Env { dev, prod }`, `enum Risk ordered { low, high }`
    Enum(Enum),
    /// `type Amount = Decimal[2]`
    Type(Alias),
    /// `set acme: Host = { "acme.com" }`
    Set(Set),
    /// `pred internal(h: Host) = h in acme`
    Pred(Pred),
    /// `group money = pay.transfer, tools with effect irreversible`
    Group(Group),
    /// `tool email.send { … }`
    Tool(Tool),
    /// `rule …`
    Rule(Rule),
    /// `context { fact env: Env }`
    Context(Context),
    /// `label secret, pii`
    Label(Vec<Name>),
    /// `level confidentiality { public < internal < confidential }`
    Level(LabelLevel),
    /// `source tool_output from web.fetch => untrusted`
    Source(Source),
    /// `declassify redact removes pii`
    Declassify(Declassify),
    /// `latch saw_secret on result has secret`
    Latch(Latch),
    /// `role finance { "ann@acme.com" }`
    Role(Role),
    /// `approval four_eyes { count 2 distinct }`
    Approval(ApprovalSpec),
    /// `obligation ticket { queue: String[max 32] }`
    Obligation(Obligation),
    /// `window business = mon..fri "08:00".."18:00" tz "Europe/Berlin"`
    Window(Window),
    /// `limit rate on pay.transfer max 5 calls per 1h exceed block`
    Limit(Limit),
    /// `assert two_people on pay.transfer when args.amount > 1_000.00 verdict >= require_approval`
    Assert(Assert),
    /// `compat never_looser with "releases/1.gaitpol" narrows`
    Compat(Compat),
    /// `test "…" { … }`
    Test(Test),
    /// `examples rule_a { … }`
    Examples(Examples),
}

impl Item {
    /// Its place, from its first word; of `effects` and `profile` that of what is named, and none without a name.
    pub fn span(&self) -> Option<Span> {
        Some(match self {
            Item::Policy(item) => item.span,
            Item::Scope(item) => item.span,
            Item::Delegate(item) => item.span,
            Item::Profile(name) => name.span,
            Item::Import(item) => item.span,
            Item::Default(item) => item.span,
            Item::Lints(item) => item.span,
            Item::Effects(names) => names.iter().map(|n| n.span).reduce(Span::to)?,
            Item::Context(item) => item.span,
            Item::Type(item) => item.span,
            Item::Set(item) => item.span,
            Item::Pred(item) => item.span,
            Item::Enum(item) => item.span,
            Item::Group(item) => item.span,
            Item::Label(names) => names.iter().map(|n| n.span).reduce(Span::to)?,
            Item::Level(item) => item.span,
            Item::Source(item) => item.span,
            Item::Declassify(item) => item.span,
            Item::Latch(item) => item.span,
            Item::Role(item) => item.span,
            Item::Approval(item) => item.span,
            Item::Obligation(item) => item.span,
            Item::Window(item) => item.span,
            Item::Limit(item) => item.span,
            Item::Tool(item) => item.span,
            Item::Rule(item) => item.span,
            Item::Assert(item) => item.span,
            Item::Compat(item) => item.span,
            Item::Test(item) => item.span,
            Item::Examples(item) => item.span,
        })
    }
}

/// The policy header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: Name,
    /// Its version text.
    pub version: Option<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}

/// What is decided when no rule matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Default_ {
    /// The verdict.
    pub verdict: Spanned<Verdict>,
    /// `code name`
    pub code: Option<Name>,
    /// The whole item.
    pub span: Span,
}

/// What findings of lints count as in this file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lints {
    /// A level with the name of a lint or of a group of lints, in order.
    pub entries: Vec<(Spanned<Level>, Name)>,
    /// The whole item.
    pub span: Span,
}

/// An enum declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enum {
    /// Its name.
    pub name: Name,
    /// `ordered`: the members go from the least to the greatest.
    pub ordered: bool,
    /// Its members; a quoted member may hold any characters.
    pub members: Vec<Name>,
    /// The whole item.
    pub span: Span,
}

/// A named set of tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: Name,
    /// The tools it stands for, joined.
    pub selectors: Vec<Selector>,
    /// The whole item.
    pub span: Span,
}

/// Tools a rule or group is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// `*`: every declared tool.
    All(Span),
    /// A tool or group by name.
    Named(Name),
    /// `tools with effect a or b`: tools that declare at least one of them.
    WithEffect(Vec<Name>, Span),
    /// `tools with effect only { a, b }`: tools that declare at least one effect, and none but these.
    OnlyEffects(Vec<Name>, Span),
}

impl Selector {
    /// Where it is written.
    pub fn span(&self) -> Span {
        match self {
            Selector::All(span) | Selector::WithEffect(_, span) | Selector::OnlyEffects(_, span) => *span,
            Selector::Named(name) => name.span,
        }
    }
}

/// A tool declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Its name, as the runtime sends it.
    pub name: Name,
    /// `"…"` after the name.
    pub description: Option<Spanned<String>>,
    /// Its arguments.
    pub args: Vec<Arg>,
    /// Its effects.
    pub effects: Vec<Effect>,
    /// Each `...`: it takes further arguments, which no rule can look at.
    pub rest: Vec<Span>,
    /// `carries body, meta.note`: arguments that leave the boundary, each a path.
    pub carries: Vec<Vec<Name>>,
    /// `returns secret`: labels of what it returns.
    pub returns: Vec<Name>,
    /// The whole item.
    pub span: Span,
}

/// `to: List[Email, max 50]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    /// The member name in the JSON.
    pub name: Name,
    /// Its type.
    pub ty: TypeExpr,
}

/// A type as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeExpr {
    /// Its form.
    pub kind: TypeKind,
    /// Where.
    pub span: Span,
}

/// The forms of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// `Bool`, `Path`, `Env`, or with parameters `Money[USD, 2]`, `String[max 64KiB]`, `List[Email, max 50]`.
    Named(Name, Vec<TypeParam>),
    /// `enum { a, b }` in place.
    Enum(Vec<Name>),
    /// `{ a: T, b: U }`
    Record(Vec<Arg>),
    /// `T?`
    Optional(Box<TypeExpr>),
}

/// A parameter between brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeParam {
    /// A type (also how a currency is written).
    Type(TypeExpr),
    /// A plain count: `2`.
    Count(Spanned<String>),
    /// `max 64KiB`, in bytes or elements; the text as written with its unit.
    Max(Spanned<String>),
}

/// `effect net.egress to each to.domain`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// A declared effect.
    pub name: Name,
    /// What it acts on.
    pub target: Option<EffectTarget>,
}

/// Where an effect's targets come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EffectTarget {
    /// `each`: one target per element.
    pub each: bool,
    /// `to.domain`: an argument and the fields or parts below it, without `args`.
    pub path: Vec<Name>,
    /// The whole target.
    pub span: Span,
}

/// What a call says and what is known about it, beside its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The fields, in order.
    pub fields: Vec<ContextField>,
    /// The whole item.
    pub span: Span,
}

/// `claim purpose: String[max 200]? from intent context.purpose`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextField {
    /// Whether it is verified.
    pub trust: Trust,
    /// Its name.
    pub name: Name,
    /// Its type; where none is written, that of the library's field of this name.
    pub ty: Option<TypeExpr>,
    /// The member of the intent that holds it, step by step from the document; the host supplies it where there is
    /// none.
    pub from: Option<Vec<Name>>,
    /// Who vouches for it; none where it is the host's to say, or the caller's.
    pub attested: Option<AttestedBy>,
    /// The whole field.
    pub span: Span,
}

/// `by runtimes within 10m`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttestedBy {
    /// The role whose members may say it.
    pub by: Name,
    /// How old it may be.
    pub within: Spanned<String>,
}

/// Labels in ascending order, of which a value has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelLevel {
    /// Its name.
    pub name: Name,
    /// From the least to the greatest.
    pub members: Vec<Name>,
    /// The whole item.
    pub span: Span,
}

/// Which labels a value has that comes from a kind of source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `user`, `tool_output`, `external`, `system` or `missing`.
    pub kind: Name,
    /// The tools whose results are meant; every one where none is named.
    pub from: Vec<Name>,
    /// The labels.
    pub labels: Vec<Name>,
    /// The whole item.
    pub span: Span,
}

/// Tools whose results lose labels, or approvals that take them off a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declassify {
    /// The tools.
    pub via: Vec<Name>,
    /// `approved { from privacy }`: the approvals.
    pub approved: Option<Asked>,
    /// The labels.
    pub labels: Vec<Name>,
    /// The whole item.
    pub span: Span,
}

/// A flag of the session, set by one event and reset by another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Latch {
    /// Its name.
    pub name: Name,
    /// What sets it.
    pub on: Event,
    /// What resets it.
    pub resets: Option<Event>,
    /// The whole item.
    pub span: Span,
}

/// Something that happened in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its form.
    pub kind: EventKind,
    /// Where.
    pub span: Span,
}

/// The forms of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// `call fs.read when args.path under "/etc" result has secret`
    Call {
        /// The tools; every one where none is named.
        on: Option<Selector>,
        /// What is asked of its arguments.
        when: Option<Expr>,
        /// What is asked of its result.
        result: Vec<ResultTest>,
    },
    /// `turn`: a person spoke.
    Turn,
}

/// What is asked of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResultTest {
    /// `result ok`, `result failed`
    Ok(bool),
    /// `result has secret`: it has one of these labels.
    Has(Vec<Name>),
}

/// What happened in a session before this call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum History {
    /// `once(A)`, `once(A) since(B)`
    Once {
        /// What happened.
        event: Event,
        /// It counts only after the last of these.
        since: Option<Event>,
    },
    /// `after(A) without(B)`
    After {
        /// What happened.
        event: Event,
        /// It counts only while none of these has followed.
        without: Option<Event>,
    },
    /// `not yet(A)`
    NotYet {
        /// What has not happened.
        event: Event,
    },
    /// `count(A)`, `count(A within 1h)`
    Count {
        /// What is counted.
        event: Event,
        /// How long ago at most.
        within: Option<Spanned<String>>,
    },
    /// `history matches [ A, *, B, * up_to 3 ]`: the last events, in order.
    Pattern(Vec<PatternItem>),
}

/// An element of a pattern of history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternItem {
    /// One event.
    Event(Event),
    /// `*`: any number of events; `* up_to 3`: at most so many.
    Gap(Option<Spanned<String>>, Span),
}

/// A step of a test's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A call that ran.
    Call(SessionCall),
    /// A person spoke.
    Turn(Span),
    /// `at "2026-12-29T09:00:00Z"`: the time goes on to this moment.
    At(Spanned<String>, Span),
}

/// A call that ran before a test's first case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCall {
    /// The tool.
    pub tool: Name,
    /// Its arguments.
    pub args: Vec<(Name, Literal)>,
    /// `result failed`
    pub failed: bool,
    /// The whole step.
    pub span: Span,
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// Its form.
    pub kind: ExprKind,
    /// Where.
    pub span: Span,
}

/// The forms of an expression. `not` binds tightest, then comparisons, `and`, `or`; a quantifier's body reaches as
/// far to the right as it can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// `a or b`
    Or(Box<Expr>, Box<Expr>),
    /// `a and b`
    And(Box<Expr>, Box<Expr>),
    /// `not a`
    Not(Box<Expr>),
    /// `a < b`, `a in { … }`, `a like "…"`
    Compare(Box<Expr>, Spanned<Op>, Box<Expr>),
    /// `any x in args.to: …`, `all x in args.to: …`
    Quantified {
        /// `all` rather than `any`.
        all: bool,
        /// The variable.
        variable: Name,
        /// The list or optional it ranges over.
        list: Box<Expr>,
        /// What is asked of each.
        body: Box<Expr>,
    },
    /// `a + b`, `a - b`
    Arith(Box<Expr>, Spanned<ArithOp>, Box<Expr>),
    /// `count(x in args.to: …)`, `sum(x in context.order.items: x.price)`
    Aggregate {
        /// What is made of the elements.
        of: Aggregate,
        /// The variable.
        variable: Name,
        /// The list or optional it ranges over.
        list: Box<Expr>,
        /// The condition to count by, or the number to add.
        body: Box<Expr>,
    },
    /// `once(call vault.read)`, `history matches [ … ]`: what happened in the session before this call.
    History(Box<History>),
    /// `present args.cc`
    Present(Box<Expr>),
    /// `args.limit else 0`
    Else(Box<Expr>, Box<Expr>),
    /// `len(args.body)`, `internal(args.host)`, `net.private(args.host)`: a function or predicate, its name dotted.
    Call(Name, Vec<Expr>),
    /// A name: `args`, a quantifier's variable, `targets`, an enum member or enum.
    Name(Name),
    /// `a.b`
    Field(Box<Expr>, Name),
    /// `a[b]`: the entry of a map under a key.
    Lookup(Box<Expr>, Box<Expr>),
    /// `"…"`
    String(String),
    /// `12`, `1_000.00`, `64KiB`, possibly with `-`: the text with `_` removed and the unit kept.
    Number(String),
    /// `true`, `false`
    Bool(bool),
    /// `{ a, b }`
    Set(Vec<Expr>),
}

/// An arithmetic operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArithOp {
    /// `+`
    Add,
    /// `-`
    Sub,
}

/// What is made of the elements of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// How many satisfy a condition.
    Count,
    /// The sum of a number of each.
    Sum,
}

impl Aggregate {
    /// The word in a policy.
    pub fn as_str(self) -> &'static str {
        match self {
            Aggregate::Count => "count",
            Aggregate::Sum => "sum",
        }
    }
}

/// A comparison operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
    /// `in`
    In,
    /// `not in`
    NotIn,
    /// `starts_with`
    StartsWith,
    /// `ends_with`
    EndsWith,
    /// `contains`
    Contains,
    /// `like` (glob)
    Like,
    /// `matches` (regular expression)
    Matches,
    /// `under`: a path below a folder, or a host that is a domain or below it.
    Under,
    /// `has`: a set of labels holds one.
    Has,
    /// `has any`: it holds one of several.
    HasAny,
    /// `has all`: it holds each of several.
    HasAll,
}

impl Op {
    /// The operator as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Eq => "==",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Gt => ">",
            Op::Ge => ">=",
            Op::In => "in",
            Op::NotIn => "not in",
            Op::StartsWith => "starts_with",
            Op::EndsWith => "ends_with",
            Op::Contains => "contains",
            Op::Like => "like",
            Op::Matches => "matches",
            Op::Under => "under",
            Op::Has => "has",
            Op::HasAny => "has any",
            Op::HasAll => "has all",
        }
    }
}

/// A test: calls and what each must give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// Its name.
    pub name: Spanned<String>,
    /// `given { env: prod }`: fields of the context, for every case.
    pub given: Vec<(Name, Literal)>,
    /// `session { … }`: what happened before the first case.
    pub session: Vec<Step>,
    /// Its cases.
    pub cases: Vec<Case>,
    /// The whole item.
    pub span: Span,
}

/// `call email.send { to: ["a@b.c"] } => block code x by rule_a`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What is judged.
    pub judged: Judged,
    /// `approved by "ann@acme.com"`: who approved the call.
    pub approved: Vec<Spanned<String>>,
    /// `at "…"`: when, as the test says before it.
    pub at: Option<Spanned<String>>,
    /// The verdict expected.
    pub verdict: Spanned<Verdict>,
    /// `code a, b`: each must be among the reason codes.
    pub codes: Vec<Name>,
    /// `by rule_a, rule_b`: each must have matched.
    pub by: Vec<Name>,
    /// `oblige log(level: info)`: each must be among the obligations.
    pub duties: Vec<Duty>,
    /// The whole case.
    pub span: Span,
}

/// What a case is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judged {
    /// One call.
    Call(CaseCall),
    /// `script { call … call … }`: several calls of one intent, and where they are written.
    Script(Vec<CaseCall>, Span),
}

impl Judged {
    /// The calls.
    pub fn calls(&self) -> &[CaseCall] {
        match self {
            Judged::Call(call) => std::slice::from_ref(call),
            Judged::Script(calls, _) => calls,
        }
    }
}

/// `call email.send { to: ["a@b.c"] } from { to: user }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseCall {
    /// The tool.
    pub tool: Name,
    /// The arguments, as JSON would have them.
    pub args: Vec<(Name, Literal)>,
    /// `from { to: user }`: where the arguments come from; none when the adapter does not say.
    pub sources: Option<Vec<(Name, Literal)>>,
    /// The whole call.
    pub span: Span,
}

/// Calls that a rule must match, and calls that it must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examples {
    /// The rule.
    pub rule: Name,
    /// `given { env: prod }`: fields of the context, for every call.
    pub given: Vec<(Name, Literal)>,
    /// `session { … }`: what happened before each call.
    pub session: Vec<Step>,
    /// `at "…"`: when.
    pub at: Option<Spanned<String>>,
    /// The calls.
    pub cases: Vec<Example>,
    /// The whole item.
    pub span: Span,
}

/// `match email.send { to: ["a@b.c"] }`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// `match` rather than `not_match`.
    pub matches: bool,
    /// The tool.
    pub tool: Name,
    /// The arguments, as JSON would have them.
    pub args: Vec<(Name, Literal)>,
    /// `from { to: user }`: where arguments come from; none where nothing is said.
    pub sources: Option<Vec<(Name, Literal)>>,
    /// The whole example.
    pub span: Span,
}

/// A JSON-like literal in a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literal {
    /// Its form.
    pub kind: LiteralKind,
    /// Where.
    pub span: Span,
}

/// The forms of a literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LiteralKind {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number's text, `_` removed.
    Number(String),
    /// `"…"`, or a bare enum member.
    String(String),
    /// `[ … ]`
    List(Vec<Literal>),
    /// `{ a: … }`
    Record(Vec<(Name, Literal)>),
}
