//! Declarations: the header, tools, enums, groups and rules of a module, each name once, put together as a package.

use super::approval::{self, Roles};
use super::assertion::{self, Assertion};
use super::env::{Computed, Env};
use super::names::Names;
use super::obligation::Kinds;
use super::preds::Weight;
use super::refine;
use super::scope::Scope;
use super::scopes::{self, Delegation, Policies, Policy};
use super::selectors::{Catalogue, unknown_effect};
use super::{
    Clause, Cond, ContextField, Labels, Package, Rule, Tool, Window, condition, context, duty, examples,
    history, labels, suite, types, window,
};
use super::{Limit, limit};
use crate::diag::codes::{
    BAD_DEFAULT, DUPLICATE_NAME, EMPTY_SELECTOR, HEADER, NOT_ON_EVERY_TOOL, OPTIONAL_UNCHECKED,
    RESERVED_NAME, TOO_LARGE, TYPE_MISMATCH, UNKNOWN_NAME,
};
use crate::diag::{Diagnostic, suggest};
use crate::domain::{PolicyScope, Profile, Verdict, reserved};
use crate::limits;
use crate::source::{FileId, Source, Span};
use crate::syntax::ast::{self, Item, Module, Name};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// One parsed source.
pub struct Unit {
    /// The text.
    pub source: Source,
    /// Its tree.
    pub module: Module,
    /// What it is to the policy.
    pub role: Role,
    /// The policy it stands under.
    pub upper: Option<FileId>,
    /// What each of its imports is, in order; `None` for one that is wrong, which is reported.
    pub imports: Vec<Option<FileId>>,
    /// Which data file each of its sets from a file is in, in order; `None` for one that is not there, which is reported.
    pub data: Vec<Option<usize>>,
}

/// What a source is to a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The policy itself.
    Policy,
    /// A library module that every policy sees.
    Prelude,
    /// A library module that is imported.
    Library,
    /// A module of the policy's own.
    Module,
    /// A policy above it.
    Upper,
}

/// Gives a policy its meaning. Of the units the first is the policy; the others add declarations, modules of its own
/// also rules and tests.
pub fn lower(units: &[Unit], data: &[Source], out: &mut Vec<Diagnostic>) -> Package {
    let empty = Module::default();
    let policy = units.first().map_or(&empty, |unit| &unit.module);
    let items: Vec<&Item> = units
        .iter()
        .skip(1)
        .flat_map(|u| &u.module.items)
        .chain(&policy.items)
        .collect();
    let policies = Policies::new(units);
    // The tests of a policy above are about that policy: a rule here may be stricter than they expect.
    let own: Vec<&Item> = units
        .iter()
        .filter(|unit| matches!(unit.role, Role::Policy | Role::Module))
        .filter(|unit| policies.of(unit.source.id) == 0)
        .flat_map(|unit| &unit.module.items)
        .collect();
    let start = Span::new(FileId(0), 0, 0);
    let (name, version) = header(policy, start, out);
    let scopes = policies.scopes(out);
    check_profile(policy, out);
    let profile = policies.profile(out);
    let defaults = defaults(&policies, profile, out);
    let default = defaults
        .first()
        .cloned()
        .unwrap_or((Verdict::Block, String::new()));
    policies.restrict(units, &scopes, out);
    let effects = effects(&items, out);
    let names = Names::new(units, data, out);
    let mut labels = labels::lower(&items, out);
    let mut tools = tools(&items, &names, &effects, &labels, out);
    let roles = Roles::new(&items, out);
    let context = context::lower(&items, (&names, &roles), profile, out);
    let roles = roles.knowing(&context);
    approval::check(&items, &roles, out);
    labels::sources(&items, &tools, (&roles, &names), &mut labels, out);
    labels::of_lower(&policies, &labels, &mut tools);
    let obligations = Kinds::new(&items, &names, out);
    let windows = window::windows(&items, out);
    let known = Known {
        tools: &tools,
        context: &context,
        effects: &effects,
        labels: &labels,
        windows: &windows,
        roles: &roles,
    };
    let (mut rules, limits, delegations, assertions, [of_rules, of_all]) =
        rules(&items, &policies, &known, &names, out);
    oblige(&mut rules, &items, &tools, &obligations, out);
    for (tool, slots) in of_rules.slots {
        if let Some(tool) = tools.get_mut(tool) {
            tool.slots = slots;
        }
    }
    let tests: Vec<&ast::Test> = own.iter().copied().filter_map(as_test).collect();
    let known = suite::Names {
        tools: &tools,
        rules: &rules,
        default_code: &default.1,
        context: &context,
        obligations: &obligations,
    };
    let mut tests = suite::lower(&tests, &known, out);
    tests.extend(examples::lower(&own, &known, out));
    names.unused(out);
    Package {
        edition: 1,
        name,
        version,
        profile,
        default,
        source_policies: units.iter().map(|u| policies.of(u.source.id)).collect(),
        policies: composed(&policies, &scopes, &defaults, delegations),
        sources: units.iter().map(|u| u.source.clone()).collect(),
        data: data.to_vec(),
        context,
        tools,
        labels,
        history: of_rules.history,
        claimed: of_all,
        obligations: obligations.kinds,
        windows,
        limits,
        rules,
        assertions,
        tests,
    }
}

/// The default of each policy; a lower one may leave it out.
fn defaults(policies: &Policies<'_>, profile: Profile, out: &mut Vec<Diagnostic>) -> Vec<(Verdict, String)> {
    let top = policies.len().saturating_sub(1);
    let mut written = Vec::new();
    for (level, (file, module)) in policies.modules().enumerate() {
        let says = module.items.iter().any(|item| matches!(item, Item::Default(_)));
        let own = (says || level == top).then(|| default(module, profile, Span::new(file, 0, 0), out));
        written.push(own);
    }
    policies.defaults(written, out)
}

/// The policies a package is composed of.
fn composed(
    policies: &Policies<'_>,
    scopes: &[Option<PolicyScope>],
    defaults: &[(Verdict, String)],
    delegations: Vec<Vec<Delegation>>,
) -> Vec<Policy> {
    let modules = policies.modules().zip(scopes).zip(defaults).zip(delegations);
    modules
        .map(|((((_, module), scope), (default, _)), delegations)| Policy {
            name: name_of(module),
            scope: *scope,
            default: *default,
            delegations,
        })
        .collect()
}

fn name_of(module: &Module) -> String {
    let named = module.items.iter().find_map(|item| match item {
        Item::Policy(policy) => Some(policy.name.text.clone()),
        _ => None,
    });
    named.unwrap_or_default()
}

/// The profile a policy names, where there is one of that name.
pub fn profile(policy: &Module) -> Option<Profile> {
    let mut named = policy.items.iter().filter_map(|item| match item {
        Item::Profile(name) => Some(name),
        _ => None,
    });
    named.next().and_then(|name| Profile::parse(&name.text))
}

/// Reports what is wrong about the profile a policy names.
fn check_profile(policy: &Module, out: &mut Vec<Diagnostic>) {
    let named = policy.items.iter().filter_map(|item| match item {
        Item::Profile(name) => Some(name),
        _ => None,
    });
    let mut first: Option<&Name> = None;
    for name in named {
        if let Some(first) = first {
            let report = Diagnostic::error(HEADER, name.span, "the profile is given twice");
            out.push(
                report
                    .also(first.span, "first given here")
                    .help("keep one of them"),
            );
        }
        first = first.or(Some(name));
        if Profile::parse(&name.text).is_none() {
            let message = format!("no profile is called `{}`", name.text);
            let report = Diagnostic::error(UNKNOWN_NAME, name.span, message);
            out.push(
                match suggest::nearest(&name.text, Profile::ALL.map(Profile::as_str)) {
                    Some(near) => report
                        .help(format!("did you mean `{near}`?"))
                        .edit(name.span, near),
                    None => report.help("the profiles are `dev`, `standard` and `strict`"),
                },
            );
        }
    }
}

fn as_rule(item: &Item) -> Option<&ast::Rule> {
    match item {
        Item::Rule(rule) => Some(rule),
        _ => None,
    }
}

fn as_test(item: &Item) -> Option<&ast::Test> {
    match item {
        Item::Test(test) => Some(test),
        _ => None,
    }
}

fn header(module: &Module, start: Span, out: &mut Vec<Diagnostic>) -> (String, String) {
    let mut headers = module.items.iter().filter_map(|i| match i {
        Item::Policy(policy) => Some(policy),
        _ => None,
    });
    let Some(first) = headers.next() else {
        let report = Diagnostic::error(HEADER, start, "the policy has no name");
        out.push(report.help("after the edition, write `policy team.name @ \"1.0.0\"`"));
        return (String::new(), String::new());
    };
    for second in headers {
        let report = Diagnostic::error(HEADER, second.span, "the policy is named twice");
        out.push(
            report
                .also(first.span, "first named here")
                .help("keep one of them"),
        );
    }
    let version = first.version.as_ref().map(|v| v.node.clone()).unwrap_or_default();
    (first.name.text.clone(), version)
}

fn default(module: &Module, profile: Profile, start: Span, out: &mut Vec<Diagnostic>) -> (Verdict, String) {
    let mut defaults = module.items.iter().filter_map(|i| match i {
        Item::Default(default) => Some(default),
        _ => None,
    });
    let fallback = (Verdict::Block, "no_rule_matched".to_owned());
    let Some(first) = defaults.next() else {
        let report = Diagnostic::error(
            HEADER,
            start,
            "the policy does not say what happens when no rule matches",
        );
        out.push(report.help("write `default block code no_rule_matched` after the policy's name"));
        return fallback;
    };
    for second in defaults {
        let report = Diagnostic::error(HEADER, second.span, "the default is given twice");
        out.push(
            report
                .also(first.span, "first given here")
                .help("keep one of them"),
        );
    }
    let verdict = first.verdict.node;
    if !matches!(verdict, Verdict::Block | Verdict::RequireApproval) && profile != Profile::Dev {
        let message = format!("`{verdict}` cannot be the default");
        let report = Diagnostic::error(BAD_DEFAULT, first.verdict.span, message)
            .why("a call that no rule speaks of would run unjudged")
            .help("write `default block` or `default require_approval`; `profile dev` takes any, for trying out")
            .edit(first.verdict.span, "block");
        out.push(report);
    }
    let code = first.code.as_ref().map_or(fallback.1, |c| own_code(c, out));
    (verdict, code)
}

/// A code an author may use.
fn own_code(name: &Name, out: &mut Vec<Diagnostic>) -> String {
    if name.text.starts_with(reserved::PREFIX) {
        let message = format!(
            "`{}` is reserved: codes that start with `gait.` are the gate's own",
            name.text
        );
        let report = Diagnostic::error(RESERVED_NAME, name.span, message);
        let own = name.text.trim_start_matches(reserved::PREFIX).to_owned();
        out.push(report.help("choose another code").edit(name.span, own));
    }
    name.text.clone()
}

fn once<'n>(
    seen: &mut BTreeMap<&'n str, Span>,
    name: &'n Name,
    what: &str,
    out: &mut Vec<Diagnostic>,
) -> bool {
    if let Some(first) = seen.get(name.text.as_str()) {
        let message = format!("{what} `{}` is declared twice", name.text);
        let report = Diagnostic::error(DUPLICATE_NAME, name.span, message);
        let help = if first.file == name.span.file {
            "rename or remove one of them"
        } else {
            "another file declares it for this policy already; remove it here"
        };
        out.push(report.also(*first, "first declared here").help(help));
        return false;
    }
    seen.insert(&name.text, name.span);
    true
}

fn effects(items: &[&Item], out: &mut Vec<Diagnostic>) -> BTreeSet<String> {
    let mut seen = BTreeMap::new();
    for item in items {
        if let Item::Effects(names) = item {
            for name in names {
                once(&mut seen, name, "effect", out);
            }
        }
    }
    seen.keys().map(|k| (*k).to_owned()).collect()
}

fn tools(
    items: &[&Item],
    names: &Names<'_>,
    effects: &BTreeSet<String>,
    labels: &Labels,
    out: &mut Vec<Diagnostic>,
) -> Vec<Tool> {
    let mut seen = BTreeMap::new();
    let mut tools = Vec::new();
    for item in items {
        let Item::Tool(declared) = item else { continue };
        if !once(&mut seen, &declared.name, "tool", out) {
            continue;
        }
        if tools.len() == limits::TOOLS {
            let message = format!("a policy declares at most {} tools", limits::TOOLS);
            out.push(Diagnostic::error(TOO_LARGE, declared.name.span, message));
            break;
        }
        tools.push(tool(declared, names, effects, labels, out));
    }
    tools
}

fn tool(
    declared: &ast::Tool,
    names: &Names<'_>,
    known: &BTreeSet<String>,
    labels: &Labels,
    out: &mut Vec<Diagnostic>,
) -> Tool {
    let args = types::fields(&declared.args, names, out);
    if let [first, second, ..] = declared.rest.as_slice() {
        let report = Diagnostic::error(DUPLICATE_NAME, *second, "`...` is written twice");
        out.push(
            report
                .also(*first, "first written here")
                .help("remove one of them"),
        );
    }
    let mut effects = BTreeSet::new();
    let mut targets = Vec::new();
    for effect in &declared.effects {
        if let Some(report) = unknown_effect(&effect.name, known) {
            out.push(report);
            continue;
        }
        effects.insert(effect.name.text.clone());
        if let Some(target) = &effect.target {
            targets.extend(types::target(effect, target, &args, out));
        }
    }
    let effects = effects.into_iter().collect();
    let paths = declared.carries.iter();
    let carries = paths
        .filter_map(|path| labels::carried(path, &args, out))
        .collect();
    Tool {
        name: declared.name.text.clone(),
        args,
        open: !declared.rest.is_empty(),
        effects,
        targets,
        carries,
        returns: labels::given(&declared.returns, labels, out),
        slots: Vec::new(),
        span: declared.span,
    }
}

/// What rules may refer to.
struct Known<'a> {
    tools: &'a [Tool],
    context: &'a [ContextField],
    effects: &'a BTreeSet<String>,
    labels: &'a Labels,
    windows: &'a [Window],
    roles: &'a Roles<'a>,
}

/// What rules, limits and delegations come to.
type Lowered = (
    Vec<Rule>,
    Vec<Limit>,
    Vec<Vec<Delegation>>,
    Vec<Assertion>,
    [Computed; 2],
);

fn rules(
    items: &[&Item],
    policies: &Policies<'_>,
    known: &Known<'_>,
    reuse: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Lowered {
    let tools = known.tools;
    let by_name = tools
        .iter()
        .enumerate()
        .map(|(i, t)| (t.name.as_str(), i))
        .collect();
    for group in reuse.groups() {
        if let Some(tool) = tools.iter().find(|t| t.name == group.name.text) {
            let message = format!("`{}` is a tool and a group", group.name.text);
            let report = Diagnostic::error(DUPLICATE_NAME, group.name.span, message);
            out.push(
                report
                    .also(tool.span, "the tool is declared here")
                    .help("rename the group"),
            );
        }
    }
    let catalogue = Catalogue::new(tools, by_name, reuse, known.effects, out);
    let mut env = Env::new(known.context, known.labels, known.windows, &catalogue);
    history::latches(items, &mut env, reuse, out);
    let env = env;
    let mut seen = BTreeMap::new();
    let mut rules = Vec::new();
    let mut kept = Vec::new();
    let mut pairs = 0;
    let written: Vec<(Cow<'_, ast::Rule>, Option<&ast::Limit>)> = items
        .iter()
        .filter_map(|item| match item {
            Item::Rule(rule) => Some((Cow::Borrowed(rule), None)),
            Item::Limit(limit) => Some((Cow::Owned(limit::as_rule(limit)), Some(limit))),
            _ => None,
        })
        .collect();
    for (declared, limit) in &written {
        let what = if limit.is_some() { "limit" } else { "rule" };
        if !once(&mut seen, &declared.name, what, out) {
            continue;
        }
        if rules.len() == limits::RULES {
            let message = format!("a policy has at most {} rules", limits::RULES);
            out.push(Diagnostic::error(TOO_LARGE, declared.name.span, message));
            break;
        }
        let mut rule = rule(declared, &env, reuse, out);
        rule.policy = policies.of(declared.name.span.file);
        rule.approvals = approval::specs(declared, known.roles, reuse, out);
        rule.limit = limit.is_some();
        if let Some(limit) = limit {
            let number = u32::try_from(kept.len()).unwrap_or(u32::MAX);
            kept.extend(limit::lower(limit, number, &mut rule, (&env, reuse), out));
        }
        pairs += rule.on.len();
        if pairs > limits::RULE_TOOLS {
            let message = format!(
                "the rules are about over {} tools, each counted once per rule",
                limits::RULE_TOOLS
            );
            let report = Diagnostic::error(TOO_LARGE, declared.name.span, message);
            out.push(report.help("join rules that differ only in a constant, or name fewer tools in them"));
            break;
        }
        rules.push(rule);
    }
    let declared: Vec<&ast::Rule> = items.iter().filter_map(|item| as_rule(item)).collect();
    refine::apply(&mut rules, &declared, policies, out);
    let of_rules = env.computed();
    let delegations = policies.modules().map(|(_, module)| {
        let regions = scopes::regions(module);
        let lowered = regions.map(|(written, to)| {
            let mut found = Vec::new();
            let on = rule(&written, &env, reuse, &mut found).on;
            if waits_for_tools(module, &written, &to) {
                found.retain(|report| report.code != EMPTY_SELECTOR);
            }
            out.extend(found);
            Delegation {
                verdict: written.verdict.node,
                to,
                on,
                span: written.span,
            }
        });
        lowered.collect()
    });
    let delegations = delegations.collect();
    let assertions = assertions(items, &env, reuse, out);
    let of_all = env.computed();
    (rules, kept, delegations, assertions, [of_rules, of_all])
}

/// Whether a region is of tools that policies below may have yet to declare: it names none by its name, and they may declare
/// tools.
fn waits_for_tools(module: &ast::Module, region: &ast::Rule, to: &BTreeSet<PolicyScope>) -> bool {
    let is_named = |selector: &ast::Selector| matches!(selector, ast::Selector::Named(_));
    let declares = |item: &Item| match item {
        Item::Delegate(delegate) => {
            let scopes = delegate
                .to
                .iter()
                .filter_map(|name| PolicyScope::parse(&name.text));
            delegate.what == ast::Delegated::Tools && scopes.into_iter().any(|scope| to.contains(&scope))
        }
        _ => false,
    };
    !region.on.iter().any(is_named) && module.items.iter().any(declares)
}

/// Every assertion, typed as a rule is.
fn assertions(
    items: &[&Item],
    env: &Env<'_>,
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Vec<Assertion> {
    let mut seen = BTreeMap::new();
    let mut assertions = Vec::new();
    for item in items {
        let Item::Assert(written) = item else { continue };
        if once(&mut seen, &written.name, "assertion", out) {
            let typed = rule(&assertion::as_rule(written), env, names, out);
            assertions.push(assertion::of_rule(written, typed));
        }
    }
    assertions
}

fn rule(declared: &ast::Rule, env: &Env<'_>, names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Rule {
    let catalogue = env.catalogue;
    let before = out.len();
    let tools = catalogue.resolve(&declared.on, out);
    if tools.is_empty() && out.len() == before && !catalogue.is_doubtful(&declared.on) {
        let message = format!("rule `{}` applies to no tool", declared.name.text);
        let span = declared.on.iter().map(ast::Selector::span).reduce(Span::to);
        let report = Diagnostic::error(EMPTY_SELECTOR, span.unwrap_or(declared.name.span), message)
            .label("this selects nothing");
        out.push(report.help("declare a tool that it selects after `on`, or remove the rule"));
    }
    let mut on = Vec::new();
    let mut found: Vec<(usize, Diagnostic)> = Vec::new();
    let too_large = declared
        .conditions
        .iter()
        .find_map(|c| Weight::of(&c.expr, names).refuse(c.span, "this condition"));
    let lowered = match too_large {
        Some(report) => {
            out.push(report);
            &BTreeSet::new()
        }
        None => &tools,
    };
    for index in lowered {
        let Some(scope) = Scope::of(*index, env, names) else {
            continue;
        };
        let mut mine = Vec::new();
        on.push((*index, conditions(&declared.conditions, scope, &mut mine)));
        found.extend(mine.into_iter().map(|d| (*index, d)));
    }
    report_once(found, &tools, catalogue.tools, out);
    let code = declared
        .code
        .as_ref()
        .map_or_else(|| declared.name.text.clone(), |c| own_code(c, out));
    Rule {
        name: declared.name.text.clone(),
        policy: 0,
        verdict: declared.verdict.node,
        limit: false,
        refines: !declared.refines.is_empty(),
        code,
        hint: declared.hint.as_ref().map(|h| h.node.clone()),
        approvals: Vec::new(),
        duties: Vec::new(),
        span: declared.span,
        name_span: declared.name.span,
        conditions_span: declared.conditions.iter().map(|c| c.span).reduce(Span::to),
        clauses: declared.conditions.iter().map(clause).collect(),
        on,
    }
}

/// What rules oblige. Of two of one name the first is the rule.
fn oblige(rules: &mut [Rule], items: &[&Item], tools: &[Tool], kinds: &Kinds, out: &mut Vec<Diagnostic>) {
    let mut declared: BTreeMap<&str, &ast::Rule> = BTreeMap::new();
    for rule in items.iter().filter_map(|item| as_rule(item)) {
        declared.entry(&rule.name.text).or_insert(rule);
    }
    for rule in rules {
        if let Some(written) = declared.get(rule.name.as_str()) {
            let on = rule.on.iter().map(|(index, _)| *index);
            let about: Vec<(usize, &Tool)> =
                on.filter_map(|index| Some((index, tools.get(index)?))).collect();
            let mut found = Vec::new();
            rule.duties = duty::duties(&written.duties, kinds, &about, &mut found, out);
            let selected = about.iter().map(|(index, _)| *index).collect();
            report_once(found, &selected, tools, out);
        }
    }
}

fn clause(written: &ast::Condition) -> Clause {
    Clause {
        negated: written.negated,
        span: written.span,
        condition: written.expr.span,
    }
}

/// Every `when` and no `unless`, in order; what one clause finds present, the next may use.
fn conditions(clauses: &[ast::Condition], mut scope: Scope<'_>, out: &mut Vec<Diagnostic>) -> Cond {
    let mut parts = Vec::new();
    for clause in clauses {
        let cond = condition::lower(&clause.expr, &scope, out);
        if clause.negated {
            condition::learn_failed(&cond, &mut scope);
            parts.push(Cond::Not(Box::new(cond)));
        } else {
            condition::learn(&cond, &mut scope);
            parts.push(cond);
        }
    }
    Cond::And(parts)
}

/// Codes whose mistake is better understood beside the tool's declaration.
const SHOWS_TOOL: [crate::diag::Code; 4] =
    [UNKNOWN_NAME, NOT_ON_EVERY_TOOL, OPTIONAL_UNCHECKED, TYPE_MISMATCH];

/// "tool `a` has no …" as "tool `a` and 2 others have no …".
fn in_plural(message: &str, others: usize) -> String {
    let word = if others == 1 { "other" } else { "others" };
    message.replacen(" has no ", &format!(" and {others} {word} have no "), 1)
}

/// The same mistake on several tools is one mistake; one that only some tools have says which.
fn report_once(
    found: Vec<(usize, Diagnostic)>,
    selected: &BTreeSet<usize>,
    tools: &[Tool],
    out: &mut Vec<Diagnostic>,
) {
    let mut merged: Vec<(Diagnostic, Vec<usize>)> = Vec::new();
    for (tool, diagnostic) in found {
        let same = merged
            .iter_mut()
            .find(|(d, _)| d.primary.span == diagnostic.primary.span && d.code == diagnostic.code);
        match same {
            Some((_, on)) => on.push(tool),
            None => merged.push((diagnostic, vec![tool])),
        }
    }
    for (mut diagnostic, on) in merged {
        let lacks = diagnostic.code == NOT_ON_EVERY_TOOL;
        if lacks && on.len() < selected.len() && diagnostic.why.is_none() {
            diagnostic.why = Some("a rule over several tools may use only what each of them has".to_owned());
            diagnostic.help =
                Some("leave the tools without it out of the rule, or write another rule for them".to_owned());
            diagnostic.edit = None;
        }
        if lacks && on.len() == selected.len() && !diagnostic.message.contains("target") {
            diagnostic.code = UNKNOWN_NAME;
            // No tool has it, so there is no call that shows the difference.
            diagnostic.witness = None;
        }
        if lacks && on.len() > 1 {
            diagnostic.message = in_plural(&diagnostic.message, on.len() - 1);
        } else if !lacks && on.len() < selected.len() {
            let names: Vec<&str> = on
                .iter()
                .take(5)
                .filter_map(|i| tools.get(*i))
                .map(|t| t.name.as_str())
                .collect();
            let more = on.len().saturating_sub(names.len());
            let rest = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            diagnostic.message = format!("{} (on `{}`{rest})", diagnostic.message, names.join("`, `"));
        }
        if let Some(tool) = on.first().and_then(|i| tools.get(*i))
            && diagnostic.secondary.is_empty()
            && SHOWS_TOOL.contains(&diagnostic.code)
        {
            let head = Span {
                end: tool.span.start.saturating_add(4),
                ..tool.span
            };
            diagnostic = diagnostic.also(head, "the tool is declared here");
        }
        out.push(diagnostic);
    }
}
