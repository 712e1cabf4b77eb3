//! Labels: where values come from and how secret they are. Every label is one bit and labels join by `or`; a member of
//! an ascending level is the bits of all members up to it, so levels join by the greater. In: declarations, and what
//! conditions ask of labels. Out: masks and slots.

use super::approval::{self, Roles};
use super::condition::Failed;
use super::labelled::{self, Whose};
use super::names::Names;
use super::scope::{Scope, member_names, member_of};
use super::scopes::Policies;
use super::{Atom, Beside, Cond, Question, Slot, Step, Tool};
use crate::diag::codes::{
    BAD_LABEL, DUPLICATE_NAME, NOT_ON_EVERY_TOOL, TOO_LARGE, TYPE_MISMATCH, UNKNOWN_NAME,
};
use crate::diag::{Diagnostic, suggest};
use crate::domain::{ApprovalSpec, ArgumentSource, LabelOf};
use crate::limits;
use crate::source::Span;
use crate::syntax::ast::{self, Expr, ExprKind, Item, Name, Op};
use crate::ty::{Field, Ty};
use std::collections::BTreeMap;

/// The label of what nobody vouches for; every policy has it.
pub const UNTRUSTED: &str = "untrusted";

/// The kind of source that is no place: a value in which a secret is found, wherever it comes from.
pub const DETECTED: &str = "detected";

/// The labels of a package and where they come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    /// The name of each bit.
    pub names: Vec<String>,
    /// Ascending levels; their members but the first are bits too.
    pub levels: Vec<Level>,
    /// The labels of values by where they come from.
    pub sources: Vec<Source>,
    /// Tools whose results lose labels.
    pub declassify: Vec<(String, u64)>,
    /// The labels of every value in which a secret is found, beside those that it has otherwise.
    pub detected: u64,
    /// Approvals of a call, and the labels that do not count on its arguments where they are enough.
    pub lifted: Vec<(ApprovalSpec, u64)>,
}

/// An ascending level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// Its name.
    pub name: String,
    /// Its members from the least, which is no bit, to the greatest.
    pub members: Vec<String>,
    /// The bit of the second member; the others follow.
    pub first: u32,
}

/// The labels of values that come from a kind of source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The kind.
    pub kind: ArgumentSource,
    /// The tools whose results are meant; every one where none is named.
    pub from: Vec<String>,
    /// The labels.
    pub labels: u64,
}

impl Labels {
    fn new() -> Labels {
        let default = |kind, labels| Source {
            kind,
            from: Vec::new(),
            labels,
        };
        Labels {
            names: vec![UNTRUSTED.to_owned()],
            levels: Vec::new(),
            sources: vec![
                default(ArgumentSource::User, 0),
                default(ArgumentSource::ToolOutput, 1),
                default(ArgumentSource::External, 1),
                default(ArgumentSource::System, 0),
                default(ArgumentSource::Missing, 1),
            ],
            declassify: Vec::new(),
            detected: 0,
            lifted: Vec::new(),
        }
    }

    /// The labels of what comes from a kind of source of which nothing more is known.
    pub fn of_kind(&self, kind: ArgumentSource) -> u64 {
        let mut sources = self.sources.iter();
        let default = sources.find(|s| s.kind == kind && s.from.is_empty());
        // A kind without a source cannot be; it would count as untrusted.
        default.map_or(1, |s| s.labels)
    }

    /// The labels of a tool's result: those of its source without what it takes off, and those that it declares.
    pub fn of_result(&self, tool: &str, declared: u64) -> u64 {
        let kind = ArgumentSource::ToolOutput;
        let named = self.sources.iter();
        let named = named.filter(|s| s.kind == kind && s.from.iter().any(|from| from == tool));
        let given = named.map(|s| s.labels).reduce(|a, b| a | b);
        let removed = self.declassify.iter().filter(|(by, _)| by == tool);
        let given = given.unwrap_or_else(|| self.of_kind(kind));
        removed.fold(given, |given, (_, labels)| given & !labels) | declared
    }

    /// The names of bits, in their order.
    pub fn names_of(&self, mask: u64) -> impl Iterator<Item = &str> {
        let names = self.names.iter().enumerate();
        names
            .filter(move |(bit, _)| mask >> bit & 1 == 1)
            .map(|(_, name)| name.as_str())
    }

    /// The bits a value has that is given a label or a member of a level.
    fn given(&self, name: &str) -> Option<u64> {
        if let Some(bit) = self.names.iter().position(|n| n == name) {
            let level = self.level_of(bit);
            // A member brings those below it along.
            return Some(match level {
                Some(level) => (level.first as usize..=bit).fold(0, |mask, bit| mask | 1 << bit),
                None => 1 << bit,
            });
        }
        self.levels
            .iter()
            .any(|l| l.members.first().is_some_and(|m| m == name))
            .then_some(0)
    }

    /// The one bit that says whether a value has a label, or at least a member of a level.
    fn asked(&self, name: &str) -> Option<u64> {
        let bit = self.names.iter().position(|n| n == name)?;
        Some(1 << bit)
    }

    fn level_of(&self, bit: usize) -> Option<&Level> {
        self.levels.iter().find(|l| {
            let first = l.first as usize;
            (first..first + l.members.len().saturating_sub(1)).contains(&bit)
        })
    }

    fn all_names(&self) -> impl Iterator<Item = &str> {
        let least = self.levels.iter().filter_map(|l| l.members.first());
        self.names.iter().chain(least).map(String::as_str)
    }
}

/// What a tool of a lower policy returns has every label that something may have to the policies above. They know no tool of
/// that name, and to them it may be anything: a declaration below must not tell them that it is less.
pub(super) fn of_lower(policies: &Policies<'_>, labels: &Labels, tools: &mut [Tool]) {
    let given = labels.sources.iter().fold(0, |all, source| all | source.labels);
    for level in (0..policies.len().saturating_sub(1)).rev() {
        let above = tools.iter().filter(|tool| policies.of(tool.span.file) > level);
        let above = above.fold(given, |all, tool| all | tool.returns);
        let here = tools
            .iter_mut()
            .filter(|tool| policies.of(tool.span.file) == level);
        here.for_each(|tool| tool.returns |= above);
    }
}

/// The labels that items declare.
pub(super) fn lower(items: &[&Item], out: &mut Vec<Diagnostic>) -> Labels {
    let mut labels = Labels::new();
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for item in items {
        match item {
            Item::Label(names) => names
                .iter()
                .for_each(|name| declare(name, &mut labels, &mut seen, out)),
            Item::Level(level) => self::level(level, &mut labels, &mut seen, out),
            _ => {}
        }
    }
    labels
}

fn declare<'n>(
    name: &'n Name,
    labels: &mut Labels,
    seen: &mut BTreeMap<&'n str, Span>,
    out: &mut Vec<Diagnostic>,
) {
    if name.text == UNTRUSTED {
        let message = format!("every policy has the label `{UNTRUSTED}` already");
        out.push(Diagnostic::error(DUPLICATE_NAME, name.span, message).help("remove it here"));
        return;
    }
    if let Some(first) = seen.get(name.text.as_str()) {
        let message = format!("label `{}` is declared twice", name.text);
        let report = Diagnostic::error(DUPLICATE_NAME, name.span, message);
        out.push(
            report
                .also(*first, "first declared here")
                .help("rename or remove one of them"),
        );
        return;
    }
    seen.insert(&name.text, name.span);
    if labels.names.len() >= limits::LABELS {
        let message = format!("a policy has at most {} labels", limits::LABELS);
        out.push(Diagnostic::error(TOO_LARGE, name.span, message));
        return;
    }
    labels.names.push(name.text.clone());
}

fn level<'n>(
    declared: &'n ast::LabelLevel,
    labels: &mut Labels,
    seen: &mut BTreeMap<&'n str, Span>,
    out: &mut Vec<Diagnostic>,
) {
    let Some((least, others)) = declared.members.split_first() else {
        return;
    };
    if let Some(first) = seen.insert(&least.text, least.span) {
        let message = format!("label `{}` is declared twice", least.text);
        let report = Diagnostic::error(DUPLICATE_NAME, least.span, message);
        out.push(
            report
                .also(first, "first declared here")
                .help("rename one of them"),
        );
    }
    let first = u32::try_from(labels.names.len()).unwrap_or(u32::MAX);
    others.iter().for_each(|name| declare(name, labels, seen, out));
    if labels.levels.iter().any(|l| l.name == declared.name.text) {
        let message = format!("level `{}` is declared twice", declared.name.text);
        out.push(Diagnostic::error(DUPLICATE_NAME, declared.name.span, message).help("remove one of them"));
    }
    labels.levels.push(Level {
        name: declared.name.text.clone(),
        members: declared.members.iter().map(|m| m.text.clone()).collect(),
        first,
    });
}

/// The `source` and `declassify` items.
pub(super) fn sources(
    items: &[&Item],
    tools: &[Tool],
    (roles, names): (&Roles<'_>, &Names<'_>),
    labels: &mut Labels,
    out: &mut Vec<Diagnostic>,
) {
    for item in items {
        match item {
            Item::Source(source) => self::source(source, tools, labels, out),
            Item::Declassify(declared) => {
                let mask = given(&declared.labels, labels, out);
                if let Some(written) = &declared.approved {
                    let spec = approval::one(written, roles, names, out);
                    labels.lifted.extend(spec.map(|spec| (spec, mask)));
                }
                for tool in &declared.via {
                    if known_tool(tool, tools, out) {
                        labels.declassify.push((tool.text.clone(), mask));
                    }
                }
            }
            _ => {}
        }
    }
}

fn source(declared: &ast::Source, tools: &[Tool], labels: &mut Labels, out: &mut Vec<Diagnostic>) {
    let kinds = ArgumentSource::ALL;
    let kind = kinds.into_iter().find(|k| k.as_str() == declared.kind.text);
    if kind.is_none() && declared.kind.text != DETECTED {
        out.push(no_kind(&declared.kind));
        return;
    }
    let mask = given(&declared.labels, labels, out);
    if let Some(first) = declared.from.first()
        && kind != Some(ArgumentSource::ToolOutput)
    {
        let message = format!("`{}` does not come from a tool", declared.kind.text);
        out.push(Diagnostic::error(BAD_LABEL, first.span, message).help("only `tool_output` has `from`"));
        return;
    }
    let Some(kind) = kind else {
        labels.detected |= mask;
        return;
    };
    let from: Vec<String> = declared
        .from
        .iter()
        .filter(|tool| known_tool(tool, tools, out))
        .map(|tool| tool.text.clone())
        .collect();
    if from.len() < declared.from.len() {
        return;
    }
    let default = labels
        .sources
        .iter_mut()
        .find(|s| s.kind == kind && s.from.is_empty() && from.is_empty());
    match default {
        Some(default) => default.labels = mask,
        None => labels.sources.push(Source {
            kind,
            from,
            labels: mask,
        }),
    }
}

fn no_kind(kind: &Name) -> Diagnostic {
    let message = format!("no kind of source is called `{}`", kind.text);
    let report = Diagnostic::error(UNKNOWN_NAME, kind.span, message);
    let names = ArgumentSource::ALL.into_iter().map(ArgumentSource::as_str);
    let names: Vec<&str> = names.chain([DETECTED]).collect();
    match suggest::nearest(&kind.text, names.iter().copied()) {
        Some(near) => report
            .help(format!("did you mean `{near}`?"))
            .edit(kind.span, near),
        None => report.help(format!("the kinds are {}", names.join(", "))),
    }
}

fn known_tool(name: &Name, tools: &[Tool], out: &mut Vec<Diagnostic>) -> bool {
    if tools.iter().any(|t| t.name == name.text) {
        return true;
    }
    let report = Diagnostic::error(
        UNKNOWN_NAME,
        name.span,
        format!("no tool is called `{}`", name.text),
    );
    out.push(
        match suggest::nearest(&name.text, tools.iter().map(|t| t.name.as_str())) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(name.span, crate::syntax::quote::dotted_name(near)),
            None => report.help("declare it with `tool`"),
        },
    );
    false
}

/// The bits of labels that a value is given; unknown ones are reported.
pub(super) fn given(names: &[Name], labels: &Labels, out: &mut Vec<Diagnostic>) -> u64 {
    let mut mask = 0;
    for name in names {
        match labels.given(&name.text) {
            Some(bits) => mask |= bits,
            None => out.push(unknown(name, labels)),
        }
    }
    mask
}

/// The bits that a condition asks for, any of which will do.
pub(super) fn asked(names: &[Name], labels: &Labels, out: &mut Vec<Diagnostic>) -> u64 {
    let mut mask = 0;
    for name in names {
        match labels.asked(&name.text) {
            Some(bit) => mask |= bit,
            None => out.push(unknown(name, labels)),
        }
    }
    mask
}

fn unknown(name: &Name, labels: &Labels) -> Diagnostic {
    if labels
        .levels
        .iter()
        .any(|l| l.members.first().is_some_and(|m| *m == name.text))
    {
        let message = format!("every value is at least `{}`", name.text);
        return Diagnostic::error(BAD_LABEL, name.span, message).help("ask for a higher level");
    }
    let report = Diagnostic::error(
        UNKNOWN_NAME,
        name.span,
        format!("no label is called `{}`", name.text),
    );
    match suggest::nearest(&name.text, labels.all_names()) {
        Some(near) => report
            .help(format!("did you mean `{near}`?"))
            .edit(name.span, near),
        None => report.help("declare it with `label` or `level`"),
    }
}

/// The path of an argument that `carries` names.
pub(super) fn carried(path: &[Name], args: &[Field], out: &mut Vec<Diagnostic>) -> Option<Vec<String>> {
    let mut ty = Ty::Record(args.to_vec());
    for name in path {
        let inner = match inside(&ty) {
            Ty::Poison => return None,
            of => match member_of(of, &name.text) {
                Some((Step::Field(_), inner)) => inner,
                _ => {
                    let report = Diagnostic::error(
                        UNKNOWN_NAME,
                        name.span,
                        format!("no argument here is called `{}`", name.text),
                    );
                    out.push(match suggest::nearest(&name.text, member_names(of)) {
                        Some(near) => report
                            .help(format!("did you mean `{near}`?"))
                            .edit(name.span, near),
                        None => report.help("name an argument of the tool, or a field of one"),
                    });
                    return None;
                }
            },
        };
        ty = inner;
    }
    Some(path.iter().map(|name| name.text.clone()).collect())
}

/// The type inside optionals and lists.
fn inside(ty: &Ty) -> &Ty {
    match ty {
        Ty::Optional(inner) => inside(inner),
        Ty::List { element, .. } | Ty::Set { element, .. } => inside(element),
        other => other,
    }
}

/// Whether an expression is `labels(…)` or `level(…)`.
pub(super) fn is_labels(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Call(name, _) if matches!(name.text.as_str(), "labels" | "level"))
}

/// `labels(x) has …` and `level(x, l) >= …`.
pub(super) fn compare(
    (left, op, op_span, right): (&Expr, Op, Span, &Expr),
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Result<Cond, Failed> {
    let ExprKind::Call(name, arguments) = &left.kind else {
        return Err(None);
    };
    let span = left.span.to(right.span);
    match (name.text.as_str(), arguments.as_slice()) {
        ("labels", [of]) => {
            let of = labelled(of, scope)?;
            has(of, op, op_span, right, span, scope, out)
        }
        (
            "level",
            [
                of,
                Expr {
                    kind: ExprKind::Name(level),
                    ..
                },
            ],
        ) => {
            let of = labelled(of, scope)?;
            at_level(of, level, op, op_span, right, span, scope)
        }
        ("labels", _) => wrong(
            left.span,
            "`labels` takes one argument",
            "write `labels(args.body) has secret`",
        ),
        _ => wrong(
            left.span,
            "`level` takes a value and the name of a level",
            "write `level(args.body, confidentiality) >= internal`",
        ),
    }
}

fn wrong<T>(span: Span, message: &str, help: &str) -> Result<T, Failed> {
    Err(Some(Diagnostic::error(TYPE_MISMATCH, span, message).help(help)))
}

fn has(
    of: Whose,
    op: Op,
    op_span: Span,
    right: &Expr,
    span: Span,
    scope: &Scope<'_>,
    out: &mut Vec<Diagnostic>,
) -> Result<Cond, Failed> {
    let names = names(right)?;
    let labels = known(scope)?;
    let before = out.len();
    let bit = |name: &Name, out: &mut Vec<Diagnostic>| asked(std::slice::from_ref(name), labels, out);
    let cond = match op {
        Op::Has | Op::HasAny => {
            let mask = names.iter().fold(0, |mask, name| mask | bit(name, out));
            atom(&of, mask, span, scope)
        }
        Op::HasAll => Cond::And(
            names
                .iter()
                .map(|name| {
                    let mask = bit(name, out);
                    atom(&of, mask, span, scope)
                })
                .collect(),
        ),
        _ => {
            return wrong(
                op_span,
                "labels are asked about with `has`, `has any` and `has all`",
                "write `labels(…) has untrusted`",
            );
        }
    };
    if out.len() > before { Err(None) } else { Ok(cond) }
}

fn names(expr: &Expr) -> Result<Vec<Name>, Failed> {
    let name = |e: &Expr| match &e.kind {
        ExprKind::Name(name) => Ok(name.clone()),
        _ => wrong(
            e.span,
            "this is no label",
            "name a label that the policy declares",
        ),
    };
    match &expr.kind {
        ExprKind::Set(members) => members.iter().map(name).collect(),
        _ => Ok(vec![name(expr)?]),
    }
}

/// The labels of the package; a predicate on its own sees none, and is typed in full where it is asked.
fn known<'a>(scope: &Scope<'a>) -> Result<&'a Labels, Failed> {
    scope.env.map(|env| env.labels).ok_or(None)
}

fn atom(of: &Whose, mask: u64, span: Span, scope: &Scope<'_>) -> Cond {
    let place = match of {
        Whose::Argument(of) => scope.slot(Slot::Label { of: of.clone(), mask }),
        Whose::Element(level, path) => {
            let beside = Beside::Label {
                path: path.clone(),
                mask,
            };
            let place = scope
                .env
                .and_then(|env| env.labelled(|asked| asked.ask(*level, beside)));
            // The quantifier it is an element of is under way.
            let Some(place) = place else {
                return Cond::Const(false);
            };
            place
        }
    };
    Cond::Atom(Atom {
        place,
        ty: Ty::Bool,
        test: Question::True,
        when_absent: false,
        span,
    })
}

fn at_level(
    of: Whose,
    name: &Name,
    op: Op,
    op_span: Span,
    right: &Expr,
    span: Span,
    scope: &Scope<'_>,
) -> Result<Cond, Failed> {
    let levels = &known(scope)?.levels;
    let Some(level) = levels.iter().find(|l| l.name == name.text) else {
        let report = Diagnostic::error(
            UNKNOWN_NAME,
            name.span,
            format!("no level is called `{}`", name.text),
        );
        let near = suggest::nearest(&name.text, levels.iter().map(|l| l.name.as_str()));
        return Err(Some(match near {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(name.span, near),
            None => report.help("declare it with `level`"),
        }));
    };
    let [member] = names(right)?.try_into().unwrap_or_else(|_| [name.clone()]);
    let Some(rank) = level.members.iter().position(|m| *m == member.text) else {
        let message = format!("`{}` has no member `{}`", level.name, member.text);
        let report = Diagnostic::error(UNKNOWN_NAME, right.span, message);
        return Err(Some(
            report.help(format!("its members are {}", level.members.join(" < "))),
        ));
    };
    let at_least = |rank: usize| match rank {
        0 => Cond::Const(true),
        n if n >= level.members.len() => Cond::Const(false),
        n => atom(&of, 1 << (level.first as usize + n - 1), span, scope),
    };
    let not = |cond: Cond| Cond::Not(Box::new(cond));
    Ok(match op {
        Op::Ge => at_least(rank),
        Op::Gt => at_least(rank + 1),
        Op::Lt => not(at_least(rank)),
        Op::Le => not(at_least(rank + 1)),
        Op::Eq => Cond::And(vec![at_least(rank), not(at_least(rank + 1))]),
        Op::Ne => not(Cond::And(vec![at_least(rank), not(at_least(rank + 1))])),
        _ => {
            return wrong(
                op_span,
                "levels are compared with `<`, `>=`, `==` and the like",
                "write `>= internal`",
            );
        }
    })
}

/// What labels are asked of.
fn labelled(expr: &Expr, scope: &Scope<'_>) -> Result<Whose, Failed> {
    match &expr.kind {
        ExprKind::Name(name) if name.text == "session" && scope.variable("session").is_none() => {
            return Ok(Whose::Argument(LabelOf::Session));
        }
        ExprKind::Name(name) if name.text == "carried" && scope.variable("carried").is_none() => {
            if scope.tool.carries.is_empty() {
                let message = format!(
                    "tool `{}` has no argument that leaves the boundary",
                    scope.tool.name
                );
                let report = Diagnostic::error(NOT_ON_EVERY_TOOL, expr.span, message);
                return Err(Some(
                    report.help("name the arguments in its declaration: `carries body`"),
                ));
            }
            return Ok(Whose::Argument(LabelOf::Carried));
        }
        _ => {}
    }
    let found = super::condition::place(expr, scope)?;
    labelled::whose(&found, scope).map_or_else(
        || {
            wrong(
                expr.span,
                "this has no labels",
                "arguments, `carried` and `session` have labels",
            )
        },
        Ok,
    )
}
