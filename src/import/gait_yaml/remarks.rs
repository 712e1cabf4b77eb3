//! The remarks of an import, in words. In: what happened to a rule or a policy. Out: notes. It decides nothing.

use super::matching::KINDS;
use super::model::{McpTrust, Policy, Rule};
use super::report::{Kind, Note};
use super::shown;
use super::tools::Tool;
use super::window;
use super::yaml::Place;
use crate::domain::{Verdict, reserved};
use crate::gate;

/// Reasons for which an emitted rule is stricter, and what is said of each.
const STRICTER: [(&str, &str); 15] = [
    (
        "broker_credential",
        "a broker's credential is asked for before the call is approved, not after; the host says that there is one with \
         the fact `broker_credential`",
    ),
    (
        "agent_expiry",
        "an agent's identity that says nothing of its expiry counts as expired",
    ),
    (
        "context_evidence",
        "the host says with the fact `context_evidence` that the context is verified and fresh; what the caller says \
         does not count",
    ),
    (
        "credential_binding",
        "a credential bound to a target cannot be compared with the targets, so it is refused; a standing credential is \
         whatever is not `jit`",
    ),
    (
        "delegation_verified",
        "the host says with the fact `delegation_verified` that the tokens of the delegation are verified; a chain that \
         is only claimed does not count",
    ),
    (
        "destructive_names",
        "a tool whose name says that it destroys or runs something counts as destructive where a target states neither a \
         class nor an operation",
    ),
    (
        "earlier_tiers",
        "there are too many earlier rules to say when they decide, so this one speaks even after some of them",
    ),
    (
        "freeze_window",
        "a time that the clocks of the zone show twice or never counts for the window in both readings",
    ),
    (
        "no_targets",
        "a call that names no targets does not pass a list of allowed ones",
    ),
    (
        "plain_targets",
        "a path that climbs or is encoded, an address that is not plain, and a stated domain beside another one do not \
         pass",
    ),
    (
        "rate_limit",
        "calls are counted over the time before each of them, not by the minute or hour of a clock; limits of one window \
         and scope count on one counter, as they did, which takes the least of their bounds and counts no less than \
         any of them",
    ),
    (
        "read_only_roots",
        "every required folder has to be read-only; the Go system asked that no other one is",
    ),
    (
        "sandbox_evidence",
        "folders of the sandbox are compared as folders, not as texts, and a bound on time excludes 0",
    ),
    (
        "every_target",
        "the rule speaks only where every target is one it names, not where some target is",
    ),
    (
        "guessed_class",
        "the class of a target that states none is guessed from the tool's name only where a whole word says it",
    ),
];

fn words(reason: &str) -> &'static str {
    STRICTER
        .iter()
        .find(|(name, _)| *name == reason)
        .map_or("the rule is stricter", |(_, words)| words)
}

fn note(kind: Kind, reason: &'static str, rule: Option<&Rule>, message: impl Into<String>) -> Note {
    Note {
        kind,
        reason,
        rule: rule.map(|rule| rule.name.clone()),
        at: rule.map_or(Place { line: 1, column: 1 }, |rule| rule.at),
        message: message.into(),
        by: Vec::new(),
    }
}

/// An emitted rule speaks where the Go system does not.
pub(super) fn tightened(rule: &Rule, reason: &'static str, by: Vec<String>) -> Note {
    let told = note(Kind::Tightened, reason, Some(rule), words(reason));
    Note { by, ..told }
}

/// Where a rule is silent that would have loosened a verdict.
pub(super) fn silent(rule: &Rule, tools: &[Tool]) -> Vec<Note> {
    let asked = &rule.matches;
    let targets = &asked.targets;
    let lists = [
        &targets.operations,
        &targets.classes,
        &targets.discovery,
        &targets.sensitivity,
    ];
    let about_targets = lists
        .into_iter()
        .chain(&targets.kinds)
        .chain(&targets.values)
        .any(|list| !list.is_empty())
        || !targets.hints.is_empty();
    let unsure = !targets.classes.is_empty() && tools.iter().any(|tool| !tool.path.sure || !tool.other.sure);
    let tell = |reason, message: &str| note(Kind::Tightened, reason, Some(rule), message);
    let mut notes = Vec::new();
    if about_targets {
        notes.push(tell("every_target", words("every_target")));
    }
    if unsure {
        notes.push(tell("guessed_class", words("guessed_class")));
    }
    if !asked.workspace_prefixes.is_empty() {
        let message =
            "a prefix of the workspace counts as a folder: what lies beside it under a longer name does not";
        notes.push(tell("workspace_folder", message));
    }
    if asked.delegation.is_some() {
        let message = "the rule speaks only where the caller is the one the delegation was given to";
        notes.push(tell("delegation_to_caller", message));
    }
    notes
}

/// How many calls there may be is a limit.
pub(super) fn limited(rule: &Rule, by: &str) -> [Note; 2] {
    let by = [by, reserved::LIMITS_UNAVAILABLE, reserved::TIME_UNAVAILABLE];
    let stopped = "calls that were stopped do not count; the Go system counted them, too";
    [
        tightened(rule, "rate_limit", by.map(str::to_owned).into()),
        note(Kind::Doubtful, "stopped_calls", Some(rule), stopped),
    ]
}

/// Texts in another spelling are blocked.
pub(super) fn spelling(by: &str) -> Note {
    let message = "names, classes and values are compared as received; one with blanks around it, or in capitals where the Go \
                   system folds them, is blocked";
    Note {
        by: vec![by.to_owned()],
        ..note(Kind::Tightened, "spelling", None, message)
    }
}

/// Remarks about the whole policy.
pub(super) fn of_policy(policy: &Policy) -> Vec<Note> {
    let tell = |reason, message: &str, by: &[&str]| Note {
        by: by.iter().map(|code| (*code).to_owned()).collect(),
        ..note(Kind::Tightened, reason, None, message)
    };
    let codes: Vec<&str> = gate::intent::CODES.iter().map(|(code, _)| *code).collect();
    let about_scripts = |code: &&str| code.contains("script");
    let others: Vec<&str> = codes
        .iter()
        .copied()
        .filter(|code| !about_scripts(code))
        .collect();
    let scripts = codes.into_iter().chain(reserved::ALL).filter(about_scripts);
    let scripts: Vec<&str> = scripts.collect();
    let mut notes = vec![
        tell(
            "undeclared_tools",
            "a call of a tool that the policy does not declare is blocked; tools are declared that a rule names or an \
             intent given with `--intents` calls",
            &[reserved::UNKNOWN_TOOL],
        ),
        tell(
            "strict_intents",
            "an intent is read as it is: nothing is trimmed, folded or dropped, digests have to be digests, and every \
             member has to be known",
            &others,
        ),
        tell(
            "bounded_values",
            "what an intent says is read as values with bounds, folders as paths; where a rule looks at one that does not \
             fit, the call is blocked",
            &[reserved::CONTEXT_INVALID],
        ),
        tell(
            "scripts",
            "each step of a request is judged with all that is said beside the steps; what cannot be judged is refused, and can \
             be sent as one intent for each step",
            &scripts,
        ),
    ];
    if let Some(asked) = policy
        .fail_closed
        .as_ref()
        .filter(|asked| asked.required.contains("context_evidence"))
    {
        let message =
            "context evidence is there only where the host says so with the fact `context_evidence`";
        notes.push(Note {
            at: asked.at,
            ..tell("context_evidence", message, &["fail_closed"])
        });
    }
    notes.extend(policy.mcp_trust.as_ref().map(|asked| Note {
        at: asked.at,
        ..tell("mcp_trust", &trust(asked), &["mcp_trust"])
    }));
    if policy.scripts.block_mixed_risk {
        let message = "a step whose targets have a class only by the name of its tool counts as of another risk than any other";
        notes.push(Note {
            at: policy.scripts.at,
            ..tell("script_risk", message, &["script_mixed_risk"])
        });
    }
    if policy.rules.iter().any(|rule| !rule.violations.is_empty()) {
        let message = "`violations` have no place here; codes say why a call is stopped";
        notes.push(note(Kind::Open, "violations", None, message));
    }
    notes
}

/// What the host has to look at before it trusts a server.
fn trust(asked: &McpTrust) -> String {
    let mut wanted = Vec::new();
    wanted.extend(
        asked
            .min_score
            .map(|score| format!("a score of at least {score} ten-thousandths")),
    );
    wanted.extend(
        asked
            .max_age
            .map(|age| format!("a snapshot no older than {age} seconds")),
    );
    if !asked.publishers.is_empty() {
        let names: Vec<String> = asked.publishers.iter().map(|name| shown(name)).collect();
        wanted.push(format!("a publisher among {}", names.join(", ")));
    }
    wanted.extend(asked.registry.then(|| "an entry in the registry".to_owned()));
    let wanted = match wanted.as_slice() {
        [] => String::new(),
        wanted => format!(", which takes {}", wanted.join(", ")),
    };
    format!(
        "the host says with the fact `mcp_server_trusted` that the server of the tool is trusted{wanted}; the Go system \
         looks only at calls that come through its proxy"
    )
}

/// No call can be decided by a rule.
pub(super) fn without_effect(rule: &str, at: Place) -> Note {
    let message = "it can never decide a call: earlier rules always do, or what it asks cannot be";
    Note {
        kind: Kind::Dead,
        reason: "no_effect",
        rule: Some(rule.to_owned()),
        at,
        message: message.to_owned(),
        by: Vec::new(),
    }
}

/// Remarks about what a rule says, whatever became of it.
pub(super) fn of_rule(rule: &Rule, emitted: &[String]) -> Vec<Note> {
    let mut notes = Vec::new();
    let dead = |message: &str| note(Kind::Dead, "no_effect", Some(rule), message);
    if emitted.is_empty() {
        notes.push(without_effect(&rule.name, rule.at));
    }
    if rule.broker.as_ref().is_some_and(|broker| !broker.required) {
        notes.push(dead("it names a broker but does not require one; left out"));
    }
    if rule.rate_limit.as_ref().is_some_and(|limit| limit.requests == 0) {
        notes.push(dead(
            "its rate limit has no `requests` and limits nothing; left out",
        ));
    }
    if rule.min_approvals > 0 && matches!(rule.effect, Verdict::Block) {
        notes.push(dead(
            "approvals of a call that is blocked do not matter; left out",
        ));
    }
    if let Some(freeze) = rule
        .freeze
        .as_ref()
        .filter(|freeze| window::window(freeze).is_none())
    {
        let message = "its freeze window has an unknown zone, or a span without any time in it, so every call is blocked";
        notes.push(Note {
            at: freeze.at,
            ..note(Kind::Doubtful, "freeze_window_invalid", Some(rule), message)
        });
    }
    if rule.reason_codes.len() > 1 {
        let others: Vec<String> = rule.reason_codes.iter().skip(1).map(|code| shown(code)).collect();
        let message = format!("a rule has one code; left out: {}", others.join(", "));
        notes.push(note(Kind::Open, "one_code", Some(rule), message));
    }
    if rule
        .dataflow
        .as_ref()
        .is_some_and(|flow| flow.action < rule.effect)
    {
        let message = "an argument from outside made this rule looser; it no longer does";
        let mut told = note(Kind::Tightened, "dataflow", Some(rule), message);
        told.by = emitted.to_vec();
        notes.push(told);
    }
    let dataflow = rule.dataflow.iter().map(|flow| &flow.kinds);
    for kind in rule.matches.targets.kinds.iter().chain(dataflow).flatten() {
        if !KINDS.contains(&kind.as_str()) {
            let message = format!(
                "`{}` is no kind of target: there are {}",
                shown(kind),
                KINDS.join(", ")
            );
            notes.push(note(Kind::Dead, "unknown_kind", Some(rule), message));
        }
    }
    let usual = ["low", "medium", "high", "critical"];
    for class in &rule.matches.risk_classes {
        if !usual.contains(&class.as_str()) {
            let message = format!("`{}` is none of the usual classes of risk", shown(class));
            notes.push(note(Kind::Doubtful, "unusual_word", Some(rule), message));
        }
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::STRICTER;

    #[test]
    fn every_reason_is_on_the_page_of_the_importer() {
        let page = include_str!("../../../docs/reference/import.md");
        for (reason, _) in STRICTER {
            assert!(page.contains(&format!("| `{reason}` |")), "{reason}");
        }
    }
}
