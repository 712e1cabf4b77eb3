//! What a policy means: names resolved, every condition typed per tool, literals in canonical form. In: syntax trees.
//! Out: a `Package` and diagnostics; lowering never fails, it reports. It must not know how decisions are made fast.

pub mod answer;
mod approval;
mod assertion;
mod claim;
mod compare;
mod condition;
mod constant;
pub mod context;
mod data;
mod declare;
mod duty;
mod env;
mod examples;
pub mod history;
pub mod labelled;
pub mod labels;
pub mod limit;
mod lookup;
mod modules;
mod names;
pub mod obligation;
mod order;
mod origins;
pub mod place;
mod preds;
mod refine;
mod sample;
mod scope;
pub mod scopes;
mod selectors;
mod sets;
mod slot;
mod suite;
pub mod term;
#[cfg(test)]
pub mod trees;
pub mod trust;
mod types;
pub mod unlabelled;
mod unplaced;
pub mod window;

use crate::builtins::glob::GlobKind;
use crate::domain::{ApprovalSpec, ArgumentOrigin, Profile, RuleScope, ScriptStep, Verdict};
use crate::json::Json;
use crate::source::{Source, Span, Spanned};
use crate::ty::{Field, Ty};
use std::collections::BTreeSet;

pub use assertion::Assertion;
pub use claim::Claim;
pub use context::ContextField;
pub use declare::{Role, Unit, lower, profile};
pub use duty::Duty;
pub use env::Computed;
pub use history::{Event, History, Monitor, PatternStep};
pub use labelled::{Beside, Labelled, LabelsOf};
pub use labels::Labels;
pub use limit::{Limit, LimitOn, LimitSpec, Per};
pub use lookup::entry;
pub use obligation::{ObligationKind, Param, Subject};
pub use order::in_order;
pub use sample::canonical_json;
pub use scopes::{Delegation, Policy};
pub use slot::Slot;
pub use term::{Relation, RelationOp, Term};
pub use window::{Open, Window};

/// One policy with everything it declares.
#[derive(Clone, Debug)]
pub struct Package {
    /// The edition of the policy file.
    pub edition: u32,
    /// The policy's name.
    pub name: String,
    /// The policy's version text; empty when none is written.
    pub version: String,
    /// How strictly it asks to be held.
    pub profile: Profile,
    /// The verdict when no rule matches, with its reason code.
    pub default: (Verdict, String),
    /// The policies it is composed of, this one first, then the one above it, and so on.
    pub policies: Vec<Policy>,
    /// The policy each of its sources is part of, by index into `policies`.
    pub source_policies: Vec<usize>,
    /// The texts it was made from, the policy itself first.
    pub sources: Vec<Source>,
    /// The data files its sets take their elements from.
    pub data: Vec<Source>,
    /// What is said and known about a call beside its arguments.
    pub context: Vec<ContextField>,
    /// Every declared tool, by name.
    pub tools: Vec<Tool>,
    /// Labels and where they come from.
    pub labels: Labels,
    /// What rules ask of the session.
    pub history: History,
    /// What rules, assertions and delegations ask the gate to compute: what rules ask for comes first. Only `with_claims`
    /// has use for the rest.
    pub claimed: Computed,
    /// What rules may oblige, sorted by name.
    pub obligations: Vec<ObligationKind>,
    /// Windows of time.
    pub windows: Vec<Window>,
    /// Limits; each has a rule of its name, too.
    pub limits: Vec<Limit>,
    /// Every rule, in the order of the sources.
    pub rules: Vec<Rule>,
    /// What the policy claims of itself.
    pub assertions: Vec<Assertion>,
    /// Every test, in the order of the sources, then the examples of rules.
    pub tests: Vec<Test>,
}

impl Package {
    /// The policy a rule is part of, where that policy is for a scope.
    pub fn scope_of(&self, rule: &Rule) -> Option<RuleScope> {
        let policy = self.policies.get(rule.policy)?;
        Some(RuleScope {
            scope: policy.scope?,
            policy: policy.name.clone(),
        })
    }
}

impl Package {
    /// The package as assertions and delegations see it: its tools compute what these ask for, too. It decides the same, and
    /// is not the one that is compiled: what is only claimed costs no decision anything, and needs no session.
    pub fn with_claims(&self) -> Package {
        let mut package = self.clone();
        package.history = self.claimed.history.clone();
        for (tool, slots) in &self.claimed.slots {
            if let Some(tool) = package.tools.get_mut(*tool) {
                tool.slots.clone_from(slots);
            }
        }
        package
    }
}

/// A declared tool.
#[derive(Clone, Debug)]
pub struct Tool {
    /// The name the runtime sends.
    pub name: String,
    /// Its arguments.
    pub args: Vec<Field>,
    /// Whether it takes further arguments, which are kept as received and which no condition can look at.
    pub open: bool,
    /// The effects it has; sorted, distinct.
    pub effects: Vec<String>,
    /// Where its effects' targets come from.
    pub targets: Vec<TargetSource>,
    /// The arguments that leave the boundary, each by its names.
    pub carries: Vec<Vec<String>>,
    /// The labels of what it returns, as bits.
    pub returns: u64,
    /// What the gate computes for its rules, in the order of their places after the context.
    pub slots: Vec<Slot>,
    /// The declaration.
    pub span: Span,
}

/// The kinds of target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetKind {
    /// A `Host`.
    Host,
    /// A `Url`.
    Url,
    /// A `Path`.
    Path,
    /// An `Email`.
    Email,
    /// A `String` or enum.
    Name,
}

impl TargetKind {
    /// All kinds.
    pub const ALL: [TargetKind; 5] = [
        TargetKind::Host,
        TargetKind::Url,
        TargetKind::Path,
        TargetKind::Email,
        TargetKind::Name,
    ];

    /// The word after `targets.` and in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            TargetKind::Host => "host",
            TargetKind::Url => "url",
            TargetKind::Path => "path",
            TargetKind::Email => "email",
            TargetKind::Name => "name",
        }
    }
}

/// Where targets of an effect are found in the arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSource {
    /// The effect.
    pub effect: String,
    /// What the targets are.
    pub kind: TargetKind,
    /// The list or optional they are elements of, from the arguments.
    pub list: Option<Vec<Step>>,
    /// The steps from the element, or from the arguments where there is no list.
    pub steps: Vec<Step>,
    /// The type at the end.
    pub ty: Ty,
}

/// One step from a value to a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The record field with this index.
    Field(u32),
    /// A part of a domain value.
    Part(Part),
}

/// The parts of domain values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Part {
    /// `url.scheme`
    Scheme = 0,
    /// `url.host`
    Host = 1,
    /// `url.port`
    Port = 2,
    /// `url.path`
    Path = 3,
    /// `url.query`
    Query = 4,
    /// `email.local`
    Local = 5,
    /// `email.domain`
    Domain = 6,
    /// `len(x)`: bytes of a text, elements of a list.
    Len = 7,
    /// `host.ip`
    Ip = 8,
}

impl Part {
    /// All parts, by their number.
    pub const ALL: [Part; 9] = [
        Part::Scheme,
        Part::Host,
        Part::Port,
        Part::Path,
        Part::Query,
        Part::Local,
        Part::Domain,
        Part::Len,
        Part::Ip,
    ];
}

/// A value a condition looks at: steps from the request (level 0) or from the variable of the quantifier nested
/// `level` deep. The request is a record: first the tool's arguments, then the context, then its slots.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// 0 for the request, else the depth of the quantifier, from 1.
    pub level: u32,
    /// From there.
    pub steps: Vec<Step>,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, unique in the package.
    pub name: String,
    /// The policy it is part of, by index into `Package::policies`.
    pub policy: usize,
    /// The verdict it asks for.
    pub verdict: Verdict,
    /// It is that of a limit: it only ever tightens, so a call that none but such rules match has the default too.
    pub limit: bool,
    /// It makes other rules give way.
    pub refines: bool,
    /// Its reason code.
    pub code: String,
    /// What the author tells the caller.
    pub hint: Option<String>,
    /// What must be approved, all of it, where it asks for approval: sorted, distinct.
    pub approvals: Vec<ApprovalSpec>,
    /// What it obliges.
    pub duties: Vec<Spanned<Duty>>,
    /// The whole rule.
    pub span: Span,
    /// Its name's place, for diagnostics.
    pub name_span: Span,
    /// The place of all its conditions, where it has any.
    pub conditions_span: Option<Span>,
    /// Its `when` and `unless` clauses, in order: the first parts of the condition of each tool.
    pub clauses: Vec<Clause>,
    /// Per tool it is about, by index into `Package::tools`, the condition typed for that tool.
    pub on: Vec<(usize, Cond)>,
}

/// A `when` or `unless` of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clause {
    /// `unless`
    pub negated: bool,
    /// Where it is written, its keyword included.
    pub span: Span,
    /// Where its condition is written.
    pub condition: Span,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cond {
    /// Decided already.
    Const(bool),
    /// One question about one place.
    Atom(Atom),
    /// A comparison between two computed values.
    Relation(Box<Relation>),
    /// Negation.
    Not(Box<Cond>),
    /// Conjunction.
    And(Vec<Cond>),
    /// Disjunction.
    Or(Vec<Cond>),
    /// Some element of the list (or the optional's value) satisfies the body, whose variable has level
    /// `list.level + 1` or deeper.
    Any {
        /// The list or optional.
        list: Place,
        /// The level of the body's variable.
        level: u32,
        /// The body.
        body: Box<Cond>,
        /// The quantifier with its list and body, as written.
        span: Span,
    },
}

impl Cond {
    /// The same condition of other parts: each of those it joins, negates or asks of elements, changed. One without parts
    /// stays as it is.
    pub fn with_parts(&self, change: &mut dyn FnMut(&Cond) -> Cond) -> Cond {
        match self {
            Cond::Const(_) | Cond::Atom(_) | Cond::Relation(_) => self.clone(),
            Cond::Not(inner) => Cond::Not(Box::new(change(inner))),
            Cond::And(parts) => Cond::And(parts.iter().map(change).collect()),
            Cond::Or(parts) => Cond::Or(parts.iter().map(change).collect()),
            Cond::Any {
                list,
                level,
                body,
                span,
            } => Cond::Any {
                list: list.clone(),
                level: *level,
                body: Box::new(change(body)),
                span: *span,
            },
        }
    }

    /// Where a condition that is asked as one is written; `None` for what only joins others.
    pub fn own_place(&self) -> Option<Span> {
        match self {
            Cond::Atom(atom) => Some(atom.span),
            Cond::Relation(relation) => Some(relation.span),
            Cond::Any { span, .. } => Some(*span),
            Cond::Const(_) | Cond::Not(_) | Cond::And(_) | Cond::Or(_) => None,
        }
    }

    /// The body of a quantifier that is written as one: in `args.id in args.ids` body and whole are the same text.
    pub fn own_body(&self) -> Option<&Cond> {
        match self {
            Cond::Any { body, span, .. } => (body.own_place() != Some(*span)).then_some(body),
            _ => None,
        }
    }

    /// Shows every place the condition looks at.
    pub fn each_place(&self, see: &mut impl FnMut(&Place)) {
        match self {
            Cond::Const(_) => {}
            Cond::Atom(atom) => see(&atom.place),
            Cond::Relation(relation) => relation.each_place(see),
            Cond::Not(inner) => inner.each_place(see),
            Cond::And(parts) | Cond::Or(parts) => parts.iter().for_each(|part| part.each_place(see)),
            Cond::Any { list, body, .. } => {
                see(list);
                body.each_place(see);
            }
        }
    }
}

/// One question about one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Atom {
    /// What is looked at.
    pub place: Place,
    /// Its type, without `?`.
    pub ty: Ty,
    /// The question.
    pub test: Question,
    /// The answer when an optional on the way is missing.
    pub when_absent: bool,
    /// Where it is written.
    pub span: Span,
}

/// The questions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// The value is there.
    Present,
    /// The `Bool` is true.
    True,
    /// The number lies in one of these inclusive, sorted, disjoint ranges.
    Within(Vec<(i128, i128)>),
    /// The enum member is one of these.
    Member(BTreeSet<u32>),
    /// The text is one of these.
    OneOf(BTreeSet<Box<str>>),
    /// The text has this shape.
    Shape(Shape),
}

/// Shapes of texts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// `starts_with`
    Prefix(String),
    /// `ends_with`
    Suffix(String),
    /// `contains`
    Contains(String),
    /// `like`
    Glob(GlobKind, String),
    /// `matches`: the whole text matches the regular expression.
    Regex(String),
    /// `under` a folder.
    UnderPath(String),
    /// `under` a domain.
    UnderHost(String),
    /// Any of several: what an operator asks with a set.
    AnyOf(BTreeSet<Shape>),
}

/// A test of the policy file.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name.
    pub name: String,
    /// Its cases.
    pub cases: Vec<Case>,
    /// Where its name is written.
    pub span: Span,
}

/// A step of a test's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionStep {
    /// A call that ran.
    Call {
        /// The tool.
        tool: String,
        /// Its arguments.
        args: Json,
        /// Whether it succeeded.
        ok: bool,
    },
    /// A person spoke.
    Turn,
    /// The time went on to this moment, in milliseconds from 1970-01-01T00:00:00Z.
    At(i128),
}

/// One call of a test and what it must give.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The tool called; `script` where several calls are judged as one.
    pub tool: String,
    /// Its arguments; an object without members for a script.
    pub args: Json,
    /// The calls of a script, in order; none where it is one call.
    pub steps: Vec<ScriptStep>,
    /// The context, an object: facts and claims by the names of their fields.
    pub given: Json,
    /// What ran in the session before.
    pub session: Vec<SessionStep>,
    /// Where the arguments come from; none when the adapter does not say.
    pub origins: Option<Vec<ArgumentOrigin>>,
    /// Who approved the call.
    pub approved: Vec<String>,
    /// When, in milliseconds from 1970-01-01T00:00:00Z; none where the test does not say.
    pub at: Option<i128>,
    /// The verdict expected; an example of a rule expects none.
    pub verdict: Option<Verdict>,
    /// Codes that must be among the reason codes.
    pub codes: Vec<String>,
    /// What must be among the obligations, each exactly so.
    pub duties: Vec<Duty>,
    /// Rules that must have matched.
    pub by: Vec<String>,
    /// Rules that must not have matched.
    pub not_by: Vec<String>,
    /// Where the case is written.
    pub span: Span,
}

impl Case {
    /// A call of which nothing else is said, and nothing expected.
    pub fn call(tool: &str, args: Json) -> Case {
        Case {
            tool: tool.to_owned(),
            args,
            steps: Vec::new(),
            given: Json::Object(Vec::new()),
            session: Vec::new(),
            origins: None,
            approved: Vec::new(),
            at: None,
            verdict: None,
            codes: Vec::new(),
            duties: Vec::new(),
            by: Vec::new(),
            not_by: Vec::new(),
            span: Span::default(),
        }
    }
}
