//! Roles, and what rules ask of approvals. In: `role` and `approval` items, and what follows `require_approval`. Out: the
//! specs of each rule that asks for approvals, with names written out; one that nobody could meet is reported.

use super::ContextField;
use super::names::{Declared, Names};
use crate::builtins::{duration, person::person};
use crate::diag::codes::{BAD_APPROVAL, BAD_LITERAL, CLAIM_LOOSENS, DUPLICATE_NAME, TOO_LARGE, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::domain::approval::{self, Role};
use crate::domain::{ApprovalSpec, Verdict};
use crate::limits;
use crate::source::{Span, Spanned};
use crate::syntax::ast::{self, ApprovalClause, Item, Name};
use crate::ty::Ty;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The roles of a policy by name, with their declarations' places.
pub(super) struct Roles<'c> {
    named: BTreeMap<String, Found>,
    /// What says who asks.
    context: &'c [ContextField],
}

impl<'c> Roles<'c> {
    /// The roles among the items, each name once.
    pub fn new(items: &[&Item], out: &mut Vec<Diagnostic>) -> Roles<'c> {
        let mut named: BTreeMap<String, Found> = BTreeMap::new();
        for item in items {
            let Item::Role(declared) = item else { continue };
            let name = &declared.name;
            if let Some((_, first)) = named.get(&name.text) {
                let message = format!("role `{}` is declared twice", name.text);
                out.push(
                    Diagnostic::error(DUPLICATE_NAME, name.span, message)
                        .also(*first, "first declared here")
                        .help("rename or remove one of them"),
                );
                continue;
            }
            let role = Role {
                name: name.text.clone(),
                members: members(declared, out),
            };
            named.insert(name.text.clone(), (Arc::new(role), name.span));
        }
        Roles { named, context: &[] }
    }

    /// The same with what says who asks.
    pub fn knowing(self, context: &'c [ContextField]) -> Roles<'c> {
        Roles { context, ..self }
    }

    /// A role by its name; one that is not there is reported.
    pub fn find(&self, name: &Name, out: &mut Vec<Diagnostic>) -> Option<Found> {
        if let Some((role, span)) = self.named.get(&name.text) {
            return Some((Arc::clone(role), *span));
        }
        let message = format!("no role is called `{}`", name.text);
        let report = Diagnostic::error(UNKNOWN_NAME, name.span, message);
        let known = self.named.keys().map(String::as_str);
        out.push(match suggest::nearest(&name.text, known) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(name.span, near),
            None => report.help(format!(
                "declare it with `role {} {{ \"ann@acme.com\" }}`",
                name.text
            )),
        });
        None
    }
}

fn members(declared: &ast::Role, out: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut seen: BTreeMap<String, &Spanned<String>> = BTreeMap::new();
    for member in &declared.members {
        if person(&member.node).is_empty() {
            let message = "a member of a role has no name";
            out.push(
                Diagnostic::error(BAD_LITERAL, member.span, message)
                    .help("write the principal as it stands in approvals, such as \"ann@acme.com\""),
            );
        }
        let first = *seen.entry(person(&member.node)).or_insert(member);
        if first.span != member.span {
            out.push(named_again(member, first));
        }
    }
    if seen.len() > limits::ROLE_MEMBERS {
        let message = format!("a role has at most {} members", limits::ROLE_MEMBERS);
        out.push(Diagnostic::error(TOO_LARGE, declared.name.span, message));
    }
    let mut members: Vec<String> = seen.into_values().map(|member| member.node.clone()).collect();
    members.sort();
    members
}

/// The report for somebody who is in a role twice.
fn named_again(member: &Spanned<String>, first: &Spanned<String>) -> Diagnostic {
    let report = |message| {
        Diagnostic::error(DUPLICATE_NAME, member.span, message).also(first.span, "first named here")
    };
    if member.node == first.node {
        let message = format!("`{}` is in the role twice", member.node);
        return report(message).help("remove one of them");
    }
    report(format!(
        "`{}` is in the role already, spelled `{}`",
        member.node, first.node
    ))
    .why("principals that differ in case, in width or composition of letters, or in what nobody sees are one person")
    .help("keep the one that stands in approvals")
}

/// What a rule asks for, all of it; nothing where it asks for no approval.
pub(super) fn specs(
    rule: &ast::Rule,
    roles: &Roles<'_>,
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Vec<ApprovalSpec> {
    let verdict = rule.verdict.node;
    let Some(written) = &rule.approval else {
        let asks = verdict == Verdict::RequireApproval;
        return asks.then(ApprovalSpec::default).into_iter().collect();
    };
    if verdict != Verdict::RequireApproval {
        let message = format!("`{verdict}` waits for no approval");
        out.push(
            Diagnostic::error(BAD_APPROVAL, written.span(), message)
                .also(rule.verdict.span, "the verdict is here")
                .help("say nothing of approvals, or write `require_approval`"),
        );
        return Vec::new();
    }
    let mut specs = asked(written, roles, names, out);
    specs.sort();
    specs.dedup();
    specs
}

/// What takes labels off a call: one approval.
pub(super) fn one(
    written: &ast::Asked,
    roles: &Roles<'_>,
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Option<ApprovalSpec> {
    if let [_, second, ..] = written.named() {
        let message = "labels are taken off by one approval, and several are named";
        out.push(
            Diagnostic::error(BAD_APPROVAL, second.span, message)
                .help("keep one of them, and write a `declassify` for each other"),
        );
        return None;
    }
    asked(written, roles, names, out).pop()
}

/// What is asked in braces, or by names that are each found once.
fn asked(
    written: &ast::Asked,
    roles: &Roles<'_>,
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Vec<ApprovalSpec> {
    let named = match written {
        ast::Asked::Written(braces) => {
            for clause in &braces.clauses {
                if let ApprovalClause::Excluding(excluded) = &clause.node {
                    let unknown = |name: &Name| only_claimed(&name.text, name.span, roles.context);
                    out.extend(excluded.iter().filter_map(unknown));
                }
            }
            return vec![spec(braces, &Who::of(roles), out)];
        }
        ast::Asked::Named(named, _) => named,
    };
    if named.len() > limits::ASKED {
        let message = format!("a rule names at most {} approvals", limits::ASKED);
        out.push(Diagnostic::error(TOO_LARGE, written.span(), message));
    }
    let mut seen: Vec<(&str, Vec<&str>, Span)> = Vec::new();
    let mut specs = Vec::new();
    for named in named.iter().take(limits::ASKED) {
        let given: Vec<&str> = named.roles.iter().map(|role| role.text.as_str()).collect();
        let same = |(name, roles, _): &&(&str, Vec<&str>, Span)| *name == named.name.text && *roles == given;
        if let Some((.., first)) = seen.iter().find(same) {
            let message = format!("`{}` is asked for twice", named.name.text);
            out.push(
                Diagnostic::error(DUPLICATE_NAME, named.span, message)
                    .also(*first, "first asked for here")
                    .help("keep one of them: an approval counts for both"),
            );
        }
        seen.push((&named.name.text, given, named.span));
        let spec = written_out(named, roles, names, out);
        let excluded = spec.iter().flat_map(|spec| {
            [
                ("requester", spec.excluding_requester),
                ("chain", spec.excluding_chain),
            ]
        });
        let mut unknown = excluded.filter(|(_, excluded)| *excluded);
        out.extend(unknown.find_map(|(who, _)| only_claimed(who, named.span, roles.context)));
        specs.extend(spec);
    }
    specs
}

/// The report for somebody who must not approve and of whom only the caller says who it is: one who names somebody else
/// could approve its own call.
fn only_claimed(who: &str, at: Span, context: &[ContextField]) -> Option<Diagnostic> {
    let (field, place, is): (_, _, fn(&ContextField) -> bool) = match who {
        "requester" => ("identity", "context.identity", |f| {
            approval::says_who_asks(&f.field.name, f.trust, f.from.as_deref())
        }),
        "chain" => ("delegation", "delegation", |f| {
            approval::says_the_chain(&f.field.name, f.trust, f.from.as_deref()) && has_links(&f.field.ty)
        }),
        _ => return None,
    };
    if let Some(fact) = context.iter().find(|field| is(field)) {
        return (who == "requester").then(|| nobody(fact, at)).flatten();
    }
    let message = match field {
        "identity" => "only the caller says who asks",
        _ => "no fact says who is in the chain of the delegation",
    };
    let report = Diagnostic::error(CLAIM_LOOSENS, at, message)
        .why("a caller who names somebody else could approve its own call")
        .help(format!(
            "declare `context {{ fact {field} from intent {place} }}` where the adapter can be trusted with it, or a fact `{field}` that the host supplies"
        ));
    let declared = context.iter().find(|known| known.field.name == field);
    Some(match declared {
        Some(declared) => report.also(declared.span, "what is known of it"),
        None => report,
    })
}

/// The report for a fact that is to say who asks and has no value that names somebody: no approval would ever count.
fn nobody(fact: &ContextField, at: Span) -> Option<Diagnostic> {
    let ty = fact.field.ty.required();
    if matches!(
        ty,
        Ty::String { .. } | Ty::Email | Ty::Enum { .. } | Ty::Host | Ty::Url | Ty::Path | Ty::Poison
    ) {
        return None;
    }
    let message = format!(
        "`context.{}` is to say who asks, and a `{ty}` names nobody",
        fact.field.name
    );
    Some(
        Diagnostic::error(BAD_APPROVAL, at, message)
            .also(fact.span, "it is declared here")
            .why("while nobody knows who asks, no approval counts")
            .help("declare it as what approvals name people by, such as `String[max 256]` or `Email`"),
    )
}

/// Whether a delegation of this type has the links whose people are excluded.
fn has_links(ty: &Ty) -> bool {
    let fields = |ty: &Ty| match ty {
        Ty::Record(fields) => fields.clone(),
        _ => Vec::new(),
    };
    let chain = fields(ty.required()).into_iter().find(|f| f.name == "chain");
    let link = chain.and_then(|chain| match chain.ty.required().clone() {
        Ty::List { element, .. } => Some(fields(&element)),
        _ => None,
    });
    let has = |name: &str| link.iter().flatten().any(|f| f.name == name);
    has("delegator_identity") && has("delegate_identity")
}

/// What a name asks for.
fn written_out(
    named: &ast::NamedApproval,
    roles: &Roles<'_>,
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Option<ApprovalSpec> {
    if names.is_doubtful(&named.name) {
        return None;
    }
    let Some(declared) = names.approval(&named.name) else {
        out.push(unknown(named, roles, names));
        return None;
    };
    if named.roles.len() != declared.params.len() {
        out.push(wrong_number(named, declared));
        return None;
    }
    let mut who = Who::of(roles);
    for (param, given) in declared.params.iter().zip(&named.roles) {
        who.given.push((&param.text, roles.find(given, out)));
    }
    // What is wrong about the clauses is reported where they stand.
    let spec = spec(&declared.asks, &who, &mut Vec::new());
    for (_, given) in &who.given {
        let asked = |(role, _): &&Found| spec.from.as_ref() == Some(role);
        if let Some((role, span)) = given.as_ref().filter(asked)
            && role.members.len() < spec.count as usize
        {
            out.push(too_few(role, *span, spec.count, named.span));
        }
    }
    Some(spec)
}

/// The report for a name that is no approval's.
fn unknown(named: &ast::NamedApproval, roles: &Roles<'_>, names: &Names<'_>) -> Diagnostic {
    let name = &named.name;
    if let Some(report) = names.private(name) {
        return report;
    }
    let other = names.find(name).map(|(_, declared)| declared.what());
    let message = match other {
        Some(what) => format!("`{}` is {what}, not an approval", name.text),
        None => format!("no approval is called `{}`", name.text),
    };
    let report = Diagnostic::error(UNKNOWN_NAME, name.span, message);
    if roles.named.contains_key(&name.text) && named.roles.is_empty() {
        let mended = format!("{{ from {} }}", name.text);
        return report
            .help(format!("it is a role: write `{mended}`"))
            .edit(named.span, mended);
    }
    let known = names.visible(name.span.file, |d| matches!(d, Declared::Approval(_)));
    match suggest::nearest(&name.text, known.iter().map(String::as_str)) {
        Some(near) => report
            .help(format!("did you mean `{near}`?"))
            .edit(name.span, near),
        None => report.help("declare it, such as `approval four_eyes { count 2 distinct }`"),
    }
}

/// The report for as many roles as an approval does not take.
fn wrong_number(named: &ast::NamedApproval, declared: &ast::ApprovalSpec) -> Diagnostic {
    let number = |n: usize| match n {
        0 => "no role".to_owned(),
        1 => "one role".to_owned(),
        n => format!("{n} roles"),
    };
    let message = format!(
        "approval `{}` takes {}, and here it has {}",
        named.name.text,
        number(declared.params.len()),
        number(named.roles.len())
    );
    let report =
        Diagnostic::error(BAD_APPROVAL, named.span, message).also(declared.name.span, "declared here");
    match declared.params.as_slice() {
        [] => report.help(format!("write `{}`", named.name.text)),
        [..] => report.help(format!(
            "name a role of the policy: `{}(finance)`",
            named.name.text
        )),
    }
}

/// Reports what is wrong about the approvals that have names: each once, however often it is named.
pub(super) fn check(items: &[&Item], roles: &Roles<'_>, out: &mut Vec<Diagnostic>) {
    for item in items {
        let Item::Approval(declared) = item else { continue };
        let mut who = Who::of(roles);
        for param in &declared.params {
            let asked = |clause: &Spanned<ApprovalClause>| matches!(&clause.node, ApprovalClause::From(name) if name.text == param.text);
            if who.given.iter().any(|(known, _)| *known == param.text) {
                let message = format!("`{}` is declared twice", param.text);
                out.push(Diagnostic::error(DUPLICATE_NAME, param.span, message).help("remove one of them"));
            } else if !declared.asks.clauses.iter().any(asked) {
                let message = format!("nothing is asked of the role `{}`", param.text);
                out.push(
                    Diagnostic::error(BAD_APPROVAL, param.span, message)
                        .help(format!("write `from {}` in the braces, or remove it", param.text)),
                );
            }
            who.given.push((&param.text, None));
        }
        spec(&declared.asks, &who, out);
    }
}

/// A role, and where its name is declared.
type Found = (Arc<Role>, Span);

/// Whom `from` may name: the roles of the policy, and those an approval is given, which hide them.
struct Who<'a> {
    roles: &'a Roles<'a>,
    /// By name; `None` where it is not known yet.
    given: Vec<(&'a str, Option<Found>)>,
}

impl<'a> Who<'a> {
    fn of(roles: &'a Roles) -> Who<'a> {
        let given = Vec::new();
        Who { roles, given }
    }

    fn find(&self, name: &Name, out: &mut Vec<Diagnostic>) -> Option<Found> {
        match self.given.iter().find(|(known, _)| *known == name.text) {
            Some((_, given)) => given.clone(),
            None => self.roles.find(name, out),
        }
    }
}

/// What the clauses in braces ask for.
fn spec(written: &ast::Approval, who: &Who<'_>, out: &mut Vec<Diagnostic>) -> ApprovalSpec {
    let mut spec = ApprovalSpec::default();
    let mut seen: Vec<(&str, Span)> = Vec::new();
    let mut role = None;
    let mut count_span = written.span;
    for clause in &written.clauses {
        let keyword = clause.node.keyword();
        if let Some((_, first)) = seen.iter().find(|(word, _)| *word == keyword) {
            let message = format!("`{keyword}` is written twice");
            out.push(
                Diagnostic::error(DUPLICATE_NAME, clause.span, message)
                    .also(*first, "first written here")
                    .help("keep one of them"),
            );
            continue;
        }
        seen.push((keyword, clause.span));
        match &clause.node {
            ApprovalClause::From(name) => {
                role = who.find(name, out);
                // Whose role is unknown is reported; how many it has cannot be.
                spec.from = role.as_ref().map(|(role, _)| Arc::clone(role));
            }
            ApprovalClause::Count { number, distinct } => {
                count_span = number.span;
                spec.count = count(number, out);
                spec.distinct = *distinct;
            }
            ApprovalClause::Excluding(names) => {
                let known = [
                    ("requester", &mut spec.excluding_requester),
                    ("chain", &mut spec.excluding_chain),
                ];
                flags(names, "excluded", known, out);
            }
            ApprovalClause::Expires(length) => spec.expires = expires(length, out),
            ApprovalClause::SingleUse => spec.single_use = true,
            ApprovalClause::Bind(names) => {
                let known = [("args", &mut spec.bind_args), ("policy", &mut spec.bind_policy)];
                flags(names, "bound", known, out);
            }
        }
    }
    if let Some((role, span)) = &role
        && role.members.len() < spec.count as usize
    {
        out.push(too_few(role, *span, spec.count, count_span));
    }
    spec
}

/// More approvals than the role has people.
fn too_few(role: &Role, declared: Span, count: u32, at: Span) -> Diagnostic {
    let people = match role.members.len() {
        1 => "one person".to_owned(),
        n => format!("{n} people"),
    };
    let message = format!(
        "nobody can give {count} approvals: role `{}` has {people}",
        role.name
    );
    Diagnostic::error(BAD_APPROVAL, at, message)
        .also(declared, "the role is declared here")
        .why("one person who approves a call twice checks it once")
        .help("ask for fewer approvals, or name more people in the role")
}

fn count(number: &Spanned<String>, out: &mut Vec<Diagnostic>) -> u32 {
    let most = limits::APPROVALS;
    match number.node.parse::<u32>() {
        Ok(0) => {
            let report = Diagnostic::error(BAD_APPROVAL, number.span, "no approval is asked for");
            out.push(report.help("ask for one or more, or write `allow`"));
            1
        }
        Ok(count) if count <= most => count,
        _ => {
            let message = format!("a rule asks for at most {most} approvals");
            out.push(Diagnostic::error(BAD_APPROVAL, number.span, message).help("ask for fewer"));
            1
        }
    }
}

fn expires(length: &Spanned<String>, out: &mut Vec<Diagnostic>) -> Option<u64> {
    match duration::compact(&length.node) {
        Ok(0) => {
            let message = "an approval that expires at once is never good";
            out.push(
                Diagnostic::error(BAD_APPROVAL, length.span, message)
                    .help("give it a while, such as `expires 15m`"),
            );
            None
        }
        Ok(millis) => u64::try_from(millis).ok(),
        Err(refused) => {
            out.push(Diagnostic::error(BAD_LITERAL, length.span, refused.reason));
            None
        }
    }
}

/// Sets the flags that are named, each once.
fn flags(names: &[Name], what: &str, mut known: [(&str, &mut bool); 2], out: &mut Vec<Diagnostic>) {
    for name in names {
        let words = known.each_ref().map(|(word, _)| *word);
        match known.iter_mut().find(|(word, _)| *word == name.text) {
            Some((_, flag)) if **flag => {
                let message = format!("`{}` is named twice", name.text);
                out.push(Diagnostic::error(DUPLICATE_NAME, name.span, message).help("remove one of them"));
            }
            Some((_, flag)) => **flag = true,
            None => {
                let message = format!("`{}` cannot be {what}", name.text);
                let report = Diagnostic::error(UNKNOWN_NAME, name.span, message);
                out.push(match suggest::nearest(&name.text, words) {
                    Some(near) => report
                        .help(format!("did you mean `{near}`?"))
                        .edit(name.span, near),
                    None => report.help(format!("write `{}`, or both", words.join("` or `"))),
                });
            }
        }
    }
}
