//! Roles, and what rules ask of approvals. In: `role` items and the clauses after `require_approval`. Out: a spec per
//! rule that asks for approvals; one that nobody could meet is reported.

use crate::builtins::duration;
use crate::diag::codes::{BAD_APPROVAL, BAD_LITERAL, DUPLICATE_NAME, TOO_LARGE, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::domain::approval::Role;
use crate::domain::{ApprovalSpec, Verdict};
use crate::limits;
use crate::source::{Span, Spanned};
use crate::syntax::ast::{self, ApprovalClause, Item, Name};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The roles of a policy by name, with their declarations' places.
pub(super) struct Roles {
    named: BTreeMap<String, (Arc<Role>, Span)>,
}

impl Roles {
    /// The roles among the items, each name once.
    pub fn new(items: &[&Item], out: &mut Vec<Diagnostic>) -> Roles {
        let mut named: BTreeMap<String, (Arc<Role>, Span)> = BTreeMap::new();
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
        Roles { named }
    }

    fn find(&self, name: &Name, out: &mut Vec<Diagnostic>) -> Option<(Arc<Role>, Span)> {
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
    let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
    for member in &declared.members {
        if let Some(first) = seen.get(member.node.as_str()) {
            let message = format!("`{}` is in the role twice", member.node);
            out.push(
                Diagnostic::error(DUPLICATE_NAME, member.span, message)
                    .also(*first, "first named here")
                    .help("remove one of them"),
            );
        }
        if member.node.is_empty() {
            let message = "a member of a role has no name";
            out.push(
                Diagnostic::error(BAD_LITERAL, member.span, message)
                    .help("write the principal as it stands in approvals, such as \"ann@acme.com\""),
            );
        }
        seen.entry(&member.node).or_insert(member.span);
    }
    if seen.len() > limits::ROLE_MEMBERS {
        let message = format!("a role has at most {} members", limits::ROLE_MEMBERS);
        out.push(Diagnostic::error(TOO_LARGE, declared.name.span, message));
    }
    seen.into_keys().map(str::to_owned).collect()
}

/// What a rule asks for; none where it asks for no approval.
pub(super) fn spec(rule: &ast::Rule, roles: &Roles, out: &mut Vec<Diagnostic>) -> Option<ApprovalSpec> {
    let verdict = rule.verdict.node;
    let Some(written) = &rule.approval else {
        return (verdict == Verdict::RequireApproval).then(ApprovalSpec::default);
    };
    if verdict != Verdict::RequireApproval {
        let message = format!("`{verdict}` waits for no approval");
        out.push(
            Diagnostic::error(BAD_APPROVAL, written.span, message)
                .also(rule.verdict.span, "the verdict is here")
                .help("leave the braces out, or write `require_approval`"),
        );
        return None;
    }
    Some(asked(written, roles, out))
}

/// What the clauses in braces ask for.
pub(super) fn asked(written: &ast::Approval, roles: &Roles, out: &mut Vec<Diagnostic>) -> ApprovalSpec {
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
                role = roles.find(name, out);
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
