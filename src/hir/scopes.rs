//! Policies that are composed: which stand above which, which file is part of which, and what those above leave to those
//! below. In: units. Out: `Policies`, and a report for everything in a lower policy that is not its to say. Whether rules
//! stay within what is delegated is asked of conditions, by `analysis::delegated`.

use super::declare::Role;
use super::{Cond, Unit};
use crate::diag::codes::{BAD_SCOPE, FOR_UPPER, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::domain::{PolicyScope, Profile, Verdict};
use crate::source::{FileId, Span};
use crate::syntax::ast::{self, Delegated, Item, Module, Name};
use std::collections::{BTreeMap, BTreeSet};

/// One of the policies a package is composed of.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// Whom it is for.
    pub scope: Option<PolicyScope>,
    /// The verdict when no rule of it or of those above it matches.
    pub default: Verdict,
    /// What it leaves to those below it.
    pub delegations: Vec<Delegation>,
}

/// What policies of some scopes may give to some calls.
#[derive(Clone, Debug)]
pub struct Delegation {
    /// The verdict, or a stricter one.
    pub verdict: Verdict,
    /// The scopes.
    pub to: BTreeSet<PolicyScope>,
    /// Per tool, the calls.
    pub on: Vec<(usize, Cond)>,
    /// Where it is written.
    pub span: Span,
}

/// The policies of a package as written, the lowest first.
pub(super) struct Policies<'a> {
    levels: Vec<&'a Unit>,
    /// The policy each file is part of, by index into `levels`.
    of: BTreeMap<FileId, usize>,
}

impl<'a> Policies<'a> {
    /// Follows `under` from the policy upwards. A file that several policies import is part of the highest.
    pub fn new(units: &'a [Unit]) -> Policies<'a> {
        let by_id: BTreeMap<FileId, &Unit> = units.iter().map(|unit| (unit.source.id, unit)).collect();
        let mut levels: Vec<&Unit> = units.first().into_iter().collect();
        while let Some(upper) = levels.last().and_then(|unit| unit.upper)
            && let Some(unit) = by_id.get(&upper)
            && levels.len() < units.len()
        {
            levels.push(unit);
        }
        let mut of = BTreeMap::new();
        for (level, policy) in levels.iter().enumerate().rev() {
            let mut open = vec![policy.source.id];
            while let Some(file) = open.pop() {
                if of.contains_key(&file) {
                    continue;
                }
                of.insert(file, level);
                open.extend(
                    by_id
                        .get(&file)
                        .into_iter()
                        .flat_map(|unit| unit.imports.iter().flatten()),
                );
            }
        }
        Policies { levels, of }
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.levels.len()
    }

    /// The policy a file is part of; the highest for those of the library that every policy sees.
    pub fn of(&self, file: FileId) -> usize {
        let top = self.levels.len().saturating_sub(1);
        self.of.get(&file).copied().unwrap_or(top)
    }

    /// The files of the policies, the lowest first.
    pub fn modules(&self) -> impl DoubleEndedIterator<Item = (FileId, &'a Module)> + '_ {
        self.levels.iter().map(|unit| (unit.source.id, &unit.module))
    }

    /// The scope of each policy, with reports of what is wrong about scopes.
    pub fn scopes(&self, out: &mut Vec<Diagnostic>) -> Vec<Option<PolicyScope>> {
        let known: Vec<Option<(PolicyScope, Span)>> =
            self.modules().map(|(_, module)| scope(module, out)).collect();
        for (level, (_, module)) in self.modules().enumerate() {
            let own = known.get(level).copied().flatten();
            let above = known.get(level + 1).copied();
            if let (Some((own, span)), Some(above)) = (own, above) {
                out.extend(stands_under(
                    own,
                    span,
                    above,
                    self.levels.get(level + 1).copied(),
                ));
            }
            for item in &module.items {
                if let Item::Delegate(delegate) = item {
                    to(delegate, own.map(|(scope, _)| scope), out);
                }
            }
        }
        known
            .into_iter()
            .map(|scope| scope.map(|(scope, _)| scope))
            .collect()
    }

    /// The strictest profile of all policies; one that names none has the default. A looser one below a stricter one is
    /// reported.
    pub fn profile(&self, out: &mut Vec<Diagnostic>) -> Profile {
        let mut most: Option<(Profile, Span)> = None;
        for (file, module) in self.modules().rev() {
            let (own, span) = profile_of(module).unwrap_or((Profile::default(), Span::new(file, 0, 0)));
            match most {
                Some((above, place)) if own < above => {
                    let message = format!("profile `{own}` is looser than `{above}`");
                    let report = Diagnostic::error(FOR_UPPER, span, message);
                    out.push(
                        report
                            .also(
                                place,
                                "a policy above has this one; `standard` where it names none",
                            )
                            .help("leave it out, or name a stricter one"),
                    );
                }
                Some((above, _)) if own == above => {}
                _ => most = Some((own, span)),
            }
        }
        most.map_or_else(Profile::default, |(profile, _)| profile)
    }

    /// Reports what a lower policy, or a module of one, may not say.
    pub fn restrict(&self, units: &[Unit], scopes: &[Option<PolicyScope>], out: &mut Vec<Diagnostic>) {
        let fixed: BTreeMap<&str, Span> = units
            .iter()
            .filter(|unit| unit.role == Role::Prelude)
            .flat_map(|unit| context_fields(&unit.module))
            .map(|name| (name.text.as_str(), name.span))
            .collect();
        for unit in units
            .iter()
            .filter(|unit| !matches!(unit.role, Role::Prelude | Role::Library))
        {
            let level = self.of(unit.source.id);
            if level + 1 >= self.len() {
                continue;
            }
            let tools = (level + 1..self.len()).all(|above| {
                let scope = scopes.get(level).copied().flatten();
                scope.is_some_and(|scope| self.delegates_tools(above, scope))
            });
            for item in &unit.module.items {
                out.extend(for_upper(item, tools));
            }
            for name in context_fields(&unit.module) {
                if let Some(first) = fixed.get(name.text.as_str()) {
                    let message = format!(
                        "`{}` of the library is not for a lower policy to declare anew",
                        name.text
                    );
                    let report = Diagnostic::error(FOR_UPPER, name.span, message);
                    out.push(
                        report
                            .also(*first, "declared here")
                            .why("rules of the policies above may ask for it as it is")
                            .help("choose another name, or have the policy above declare it"),
                    );
                }
            }
        }
    }

    fn delegates_tools(&self, level: usize, to: PolicyScope) -> bool {
        let items = self.levels.get(level).map(|unit| unit.module.items.as_slice());
        items.unwrap_or_default().iter().any(|item| match item {
            Item::Delegate(delegate) => {
                delegate.what == Delegated::Tools && scopes_of(&delegate.to).contains(&to)
            }
            _ => false,
        })
    }

    /// Reports the default of a lower policy that is looser than the one above it; gives what holds for each policy.
    pub fn defaults(
        &self,
        written: Vec<Option<(Verdict, String)>>,
        out: &mut Vec<Diagnostic>,
    ) -> Vec<(Verdict, String)> {
        let mut known: Vec<(Verdict, String)> = Vec::new();
        for ((_, module), own) in self.modules().rev().zip(written.into_iter().rev()) {
            let above = known.last().cloned();
            let here = match (own, above) {
                (Some(own), Some(above)) if own.0 < above.0 => {
                    let span = module.items.iter().find_map(|item| match item {
                        Item::Default(default) => Some(default.verdict.span),
                        _ => None,
                    });
                    let message = format!(
                        "the default `{}` is looser than `{}`, that of the policy above",
                        own.0, above.0
                    );
                    let report = Diagnostic::error(FOR_UPPER, span.unwrap_or_default(), message);
                    out.push(report.help("leave it out: the default of the policy above holds here, too"));
                    above
                }
                (Some(own), _) => own,
                (None, Some(above)) => above,
                (None, None) => (Verdict::Block, "no_rule_matched".to_owned()),
            };
            known.push(here);
        }
        known.reverse();
        known
    }
}

/// The regions a policy delegates, each as the rule it would be.
pub(super) fn regions(module: &Module) -> impl Iterator<Item = (ast::Rule, BTreeSet<PolicyScope>)> + '_ {
    module.items.iter().filter_map(|item| match item {
        Item::Delegate(delegate) => as_rule(delegate).map(|rule| (rule, scopes_of(&delegate.to))),
        _ => None,
    })
}

fn as_rule(written: &ast::Delegate) -> Option<ast::Rule> {
    let Delegated::Region {
        verdict,
        on,
        conditions,
    } = &written.what
    else {
        return None;
    };
    let name = Name {
        text: "delegate".to_owned(),
        span: written.span,
    };
    let (on, conditions) = (on.clone(), conditions.clone());
    Some(ast::Rule::about(
        name,
        on,
        conditions,
        verdict.clone(),
        written.span,
    ))
}

fn scopes_of(names: &[Name]) -> BTreeSet<PolicyScope> {
    names
        .iter()
        .filter_map(|name| PolicyScope::parse(&name.text))
        .collect()
}

/// The strictest profile that a policy names, and where.
fn profile_of(module: &Module) -> Option<(Profile, Span)> {
    let named = module.items.iter().filter_map(|item| match item {
        Item::Profile(name) => Profile::parse(&name.text).map(|profile| (profile, name.span)),
        _ => None,
    });
    named.reduce(|most, next| if next.0 > most.0 { next } else { most })
}

fn context_fields(module: &Module) -> impl Iterator<Item = &Name> {
    let contexts = module.items.iter().filter_map(|item| match item {
        Item::Context(context) => Some(&context.fields),
        _ => None,
    });
    contexts.flatten().map(|field| &field.name)
}

/// The scope a policy names, and where.
fn scope(module: &Module, out: &mut Vec<Diagnostic>) -> Option<(PolicyScope, Span)> {
    let mut written = module.items.iter().filter_map(|item| match item {
        Item::Scope(scope) => Some(scope),
        _ => None,
    });
    let first = written.next()?;
    for second in written {
        let report = Diagnostic::error(BAD_SCOPE, second.span, "the scope is given twice");
        out.push(
            report
                .also(first.span, "first given here")
                .help("keep one of them"),
        );
    }
    Some((known(&first.scope, out)?, first.span))
}

fn known(name: &Name, out: &mut Vec<Diagnostic>) -> Option<PolicyScope> {
    let scope = PolicyScope::parse(&name.text);
    if scope.is_none() {
        let message = format!("no scope is called `{}`", name.text);
        let report = Diagnostic::error(UNKNOWN_NAME, name.span, message);
        out.push(
            match suggest::nearest(&name.text, PolicyScope::ALL.map(PolicyScope::as_str)) {
                Some(near) => report
                    .help(format!("did you mean `{near}`?"))
                    .edit(name.span, near),
                None => report.help("the scopes are `org`, `team` and `repo`"),
            },
        );
    }
    scope
}

/// The report for a policy under one that is not of a greater scope.
fn stands_under(
    own: PolicyScope,
    span: Span,
    above: Option<(PolicyScope, Span)>,
    unit: Option<&Unit>,
) -> Option<Diagnostic> {
    let (message, also) = match above {
        Some((above, _)) if above > own => return None,
        Some((above, span)) => (
            format!("a policy for a `{own}` cannot stand under one for a `{above}`"),
            span,
        ),
        None => {
            let unit = unit?;
            let start = Span::new(unit.source.id, 0, 0);
            (format!("`{}` says no scope it is for", unit.source.name), start)
        }
    };
    let report = Diagnostic::error(BAD_SCOPE, span, message);
    Some(
        report
            .also(also, "the policy above")
            .help("a `repo` stands under a `team` or an `org`, a `team` under an `org`; each policy names its own with `scope`"),
    )
}

/// Checks whom something is delegated to.
fn to(delegate: &ast::Delegate, own: Option<PolicyScope>, out: &mut Vec<Diagnostic>) {
    let Some(own) = own else {
        let message = "a policy without a scope has none below it to delegate to";
        let report = Diagnostic::error(BAD_SCOPE, delegate.span, message);
        out.push(report.help("write `scope org` or `scope team` after the policy's name"));
        return;
    };
    for name in &delegate.to {
        if known(name, out).is_some_and(|scope| scope >= own) {
            let message = format!("a policy for a `{own}` cannot delegate to a `{}`", name.text);
            let report = Diagnostic::error(BAD_SCOPE, name.span, message);
            out.push(report.help("name a scope below its own"));
        }
    }
}

/// The report for an item that only the highest policy has.
fn for_upper(item: &Item, tools: bool) -> Option<Diagnostic> {
    let (message, span, why) = match item {
        Item::Tool(tool) if !tools => (
            format!("tool `{}` is not for a lower policy to declare", tool.name.text),
            tool.name.span,
            "rules of the policies above that speak of effects or of all tools would speak of a tool they do not know",
        ),
        Item::Source(source) => (
            "which labels a source gives is not for a lower policy to say".to_owned(),
            source.span,
            "rules of the policies above may ask for these labels",
        ),
        Item::Declassify(declassify) => (
            "what removes labels is not for a lower policy to say".to_owned(),
            declassify.span,
            "rules of the policies above may ask for these labels",
        ),
        _ => return None,
    };
    let help = match item {
        Item::Tool(_) => {
            "declare it in the policy above, or have every policy above say `delegate tools to …`"
        }
        _ => "say it in the policy above",
    };
    Some(Diagnostic::error(FOR_UPPER, span, message).why(why).help(help))
}
