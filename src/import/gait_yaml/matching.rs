//! What a rule's `match` asks, as a condition on a call of one tool. In: the `match`, the tool, and whether the
//! condition tightens or loosens. Out: for tightening exactly what the Go system asks, for loosening that or more:
//! every target instead of some target, whole folders instead of prefixes, a delegation to the caller itself.

use super::cond::{Cond, and, any, ask, of, or};
use super::model::{Delegation, Match, TargetMatch, Words};
use super::pattern;
use super::target::{self, Use, all_targets, any_target, class, hint, member, said};
use super::tools::Tool;
use crate::builtins::path;
use crate::limits;
use crate::syntax::quote;

/// The kinds of targets there are.
pub(super) const KINDS: [&str; 9] = [
    "path", "url", "host", "repo", "bucket", "table", "queue", "topic", "other",
];
const SOURCES: [&str; 4] = ["user", "tool_output", "external", "system"];

/// The condition.
pub(super) fn condition(of: &Match, tool: &Tool, usage: Use) -> Cond {
    if !of.tools.is_empty() && !of.tools.contains(&tool.folded) {
        return Cond::Const(false);
    }
    let mut parts = vec![
        one_of("context.risk_class", "risk_class", &of.risk_classes),
        one_of("context.identity", "identity", &of.identities),
        workspace(&of.workspace_prefixes, usage),
    ];
    for (field, words) in &of.inventory {
        parts.push(said(&format!("(context.{field} else \"\")"), words, field));
    }
    parts.push(targets(&of.targets, tool, usage));
    parts.push(skill("publisher", &of.skill_publishers));
    parts.push(skill("source", &of.skill_sources));
    if !of.provenance_sources.is_empty() {
        parts.push(provenance(&of.provenance_sources));
    }
    parts.extend(of.delegation.as_ref().map(|asked| delegation(asked, usage)));
    and(parts)
}

fn one_of(place: &str, field: &'static str, words: &Words) -> Cond {
    if words.is_empty() {
        Cond::Const(true)
    } else {
        said(place, words, field)
    }
}

/// A prefix of the workspace's text; for loosening it has to be a folder above it as well.
fn workspace(prefixes: &Words, usage: Use) -> Cond {
    if prefixes.is_empty() {
        return Cond::Const(true);
    }
    or(prefixes.iter().map(|prefix| {
        let starts = ask(
            format!("context.workspace starts_with {}", quote::string(prefix)),
            &["workspace"],
        );
        match (usage, path::parse(prefix)) {
            (Use::Tighten, _) => starts,
            (Use::Loosen, Ok(folder)) => {
                let under = format!("context.workspace_folder under {}", quote::string(&folder));
                and([starts, ask(under, &["workspace_folder"])])
            }
            (Use::Loosen, Err(_)) => Cond::Const(false),
        }
    }))
}

/// Some argument comes from one of these sources.
pub(super) fn provenance(sources: &Words) -> Cond {
    any(
        "p",
        "context.arg_sources",
        Some("arg_sources"),
        member("p.source", sources, &SOURCES),
    )
}

/// Compared without regard to case, as the Go system does.
fn skill(part: &str, words: &Words) -> Cond {
    if words.is_empty() {
        return Cond::Const(true);
    }
    any(
        "s",
        "context.skill",
        Some("skill"),
        folded_in(&format!("s.{part}"), words),
    )
}

/// A text is one of these, whatever its capitals.
pub(super) fn folded_in(place: &str, words: &Words) -> Cond {
    // INVARIANT: what is compared is at most 256 bytes long, so a word that fits no expression is none of it.
    let short = words
        .iter()
        .filter(|word| word.len() <= limits::PATTERN_BYTES / 4);
    let words: Vec<String> = short.map(|word| pattern::escape(word)).collect();
    let any = pattern::expressions(&words, |any| format!(r"\s*(?i:{any})\s*"));
    target::matching(place, &any.unwrap_or_default())
}

/// Each key asks some target; for loosening there must be targets, and every one must answer all of them.
fn targets(asked: &TargetMatch, tool: &Tool, usage: Use) -> Cond {
    let questions = questions(asked, tool, usage);
    if questions.is_empty() {
        return Cond::Const(true);
    }
    match usage {
        Use::Tighten => and(questions.into_iter().map(any_target)),
        Use::Loosen => all_targets(and(questions)),
    }
}

fn questions(asked: &TargetMatch, tool: &Tool, usage: Use) -> Vec<Cond> {
    let mut questions = Vec::new();
    for kinds in asked.kinds.iter().filter(|words| !words.is_empty()) {
        questions.push(member("t.kind", kinds, &KINDS));
    }
    for values in asked.values.iter().filter(|words| !words.is_empty()) {
        questions.push(target::text("t.value", values));
    }
    if !asked.operations.is_empty() {
        questions.push(target::text("(t.operation else \"\")", &asked.operations));
    }
    if !asked.classes.is_empty() {
        questions.push(class(&asked.classes, tool, usage));
    }
    if !asked.discovery.is_empty() {
        questions.push(member(
            "(t.discovery_method else unknown)",
            &asked.discovery,
            &super::read::DISCOVERY,
        ));
    }
    if !asked.sensitivity.is_empty() {
        questions.push(target::text("(t.sensitivity else \"\")", &asked.sensitivity));
    }
    questions.extend(asked.hints.iter().map(|(name, wanted)| hint(name, *wanted)));
    questions
}

fn delegation(asked: &Delegation, usage: Use) -> Cond {
    let mut parts = Vec::new();
    if let Some(most) = asked.max_depth {
        parts.push(of(format!("(len(d.chain) else 0) <= {most}")));
    }
    let link = |body: Cond| any("l", "d.chain", None, body);
    if !asked.delegators.is_empty() {
        parts.push(link(target::text("l.delegator_identity", &asked.delegators)));
    }
    if !asked.delegates.is_empty() {
        parts.push(or([
            target::text("d.requester_identity", &asked.delegates),
            link(target::text("l.delegate_identity", &asked.delegates)),
        ]));
    }
    if !asked.scopes.is_empty() {
        parts.push(or([
            target::text("(d.scope_class else \"\")", &asked.scopes),
            link(target::text("(l.scope_class else \"\")", &asked.scopes)),
        ]));
    }
    if usage == Use::Loosen {
        parts.push(ask("d.requester_identity == context.identity", &["identity"]));
    }
    match and(parts) {
        Cond::Const(true) => ask("present context.delegation", &["delegation"]),
        body => any("d", "context.delegation", Some("delegation"), body),
    }
}
