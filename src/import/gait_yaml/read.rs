//! Reads the YAML tree as a policy of the Go reference system: closed, every key known, every word checked that is
//! checked there, spellings and defaults as there. In: the tree. Out: the policy, or the first mistake. It gives no
//! meaning to anything and warns of nothing.

mod blocks;
mod rule;

use super::ImportError;
use super::fields::{Case, Fields};
use super::model::{FailClosed, McpTrust, Policy, Rule, Scripts, Words};
use super::yaml::{Kind, Node};
use crate::domain::Verdict;

pub(super) const CLASSES: [&str; 10] = [
    "fs.read",
    "fs.write",
    "fs.delete",
    "proc.exec",
    "net.http",
    "net.dns",
    "ui.click",
    "ui.type",
    "ui.navigate",
    "other",
];
pub(super) const DISCOVERY: [&str; 7] = [
    "webmcp",
    "dynamic_mcp",
    "a2a",
    "mcp",
    "static_mcp",
    "manual",
    "unknown",
];
const VERDICTS: [&str; 4] = ["allow", "dry_run", "require_approval", "block"];
const STRICT: [&str; 2] = ["require_approval", "block"];
const REQUIRED_FIELDS: [&str; 5] = [
    "targets",
    "arg_provenance",
    "endpoint_class",
    "delegation",
    "context_evidence",
];
const REQUIRED_HIGH_RISK_FIELDS: [&str; 14] = [
    "agent_id",
    "agent_identity",
    "run_id",
    "workflow_id",
    "repo",
    "environment",
    "credential_ref",
    "credential_source",
    "credential_access_type",
    "credential_issuer",
    "credential_ttl_seconds",
    "approval_ref",
    "wrkr_inventory_ref",
    "agent_action_bom_ref",
];
const TOP: [&str; 8] = [
    "schema_id",
    "schema_version",
    "default_verdict",
    "default_action",
    "scripts",
    "fail_closed",
    "mcp_trust",
    "rules",
];
/// Keys of a draft nobody released, and what took their place.
const DRAFT: [(&str, &str); 6] = [
    ("version", "`schema_id` and `schema_version`"),
    ("name", "nothing; only rules have names"),
    ("boundaries", "`rules` and `mcp_trust`"),
    ("defaults", "`default_verdict` and `fail_closed`"),
    ("trust_sources", "`mcp_trust.snapshot`"),
    ("unknown_server", "`mcp_trust.action`"),
];

/// Reads a policy.
pub(super) fn policy(root: Node) -> Result<Policy, ImportError> {
    if let Kind::Map(members) = &root.kind {
        for (draft, now) in DRAFT {
            if let Some((_, at, _)) = members.iter().find(|(key, ..)| key == draft) {
                let message = format!("`{draft}` belongs to a draft of the format");
                return Err(ImportError::new("import.policy_draft_key", *at, message)
                    .help(format!("what it said is said by {now}")));
            }
        }
    }
    let mut top = Fields::of(root, "", &TOP)?;
    schema(&mut top, "schema_id", "gait.gate.policy")?;
    schema(&mut top, "schema_version", "1.0.0")?;
    let default = verdict(&mut top, "default_verdict", "default_action")?;
    let mut rules = Vec::new();
    for (index, node) in top.items("rules")?.into_iter().enumerate() {
        rules.push(rule::rule(node, index)?);
    }
    rules.sort_by(|a: &Rule, b: &Rule| (a.priority, &a.name, a.at).cmp(&(b.priority, &b.name, b.at)));
    Ok(Policy {
        default: default.unwrap_or(Verdict::RequireApproval),
        scripts: scripts(&mut top)?,
        fail_closed: fail_closed(&mut top)?,
        mcp_trust: mcp_trust(&mut top)?,
        rules,
    })
}

fn schema(top: &mut Fields, key: &str, expected: &str) -> Result<(), ImportError> {
    let at = top.place(key);
    let found = top.text(key, Case::Kept)?;
    if found.is_empty() || found == expected {
        return Ok(());
    }
    let message = format!(
        "`{key}` is `{}`; only `{expected}` can be imported",
        super::shown(&found)
    );
    Err(ImportError::new("import.policy_schema", at, message))
}

fn scripts(top: &mut Fields) -> Result<Scripts, ImportError> {
    let keys = ["max_steps", "require_approval_above", "block_mixed_risk"];
    let Some(mut fields) = top.inner("scripts", &keys)? else {
        return Ok(Scripts::default());
    };
    Ok(Scripts {
        at: fields.at,
        max_steps: fields.int("max_steps", 0)?,
        approval_above: fields.int("require_approval_above", 0)?,
        block_mixed_risk: fields.flag("block_mixed_risk")?,
    })
}

fn fail_closed(top: &mut Fields) -> Result<Option<FailClosed>, ImportError> {
    let keys = [
        "enabled",
        "risk_classes",
        "required_fields",
        "required_high_risk_fields",
    ];
    let Some(mut fields) = top.inner("fail_closed", &keys)? else {
        return Ok(None);
    };
    let enabled = fields.flag("enabled")?;
    let mut risk_classes = fields.words("risk_classes", Case::Folded)?;
    let mut required = fields.words_of("required_fields", &REQUIRED_FIELDS)?;
    required.extend(fields.words_of("required_high_risk_fields", &REQUIRED_HIGH_RISK_FIELDS)?);
    if risk_classes.is_empty() {
        risk_classes = high_risk();
    }
    Ok(enabled.then_some(FailClosed {
        at: fields.at,
        risk_classes,
        required,
    }))
}

fn high_risk() -> Words {
    ["critical", "high"].map(str::to_owned).into()
}

fn mcp_trust(top: &mut Fields) -> Result<Option<McpTrust>, ImportError> {
    let keys = [
        "enabled",
        "snapshot",
        "action",
        "required_risk_classes",
        "min_score",
        "max_age",
        "publisher_allowlist",
        "require_registry",
    ];
    let Some(mut fields) = top.inner("mcp_trust", &keys)? else {
        return Ok(None);
    };
    let enabled = fields.flag("enabled")?;
    let snapshot = fields.text("snapshot", Case::Kept)?;
    let action = fields.verdict("action", &STRICT)?;
    let mut risk_classes = fields.words("required_risk_classes", Case::Folded)?;
    let min_score = min_score(&mut fields)?;
    let max_age = max_age(&mut fields)?;
    let publishers = fields.words("publisher_allowlist", Case::Folded)?;
    let registry = fields.flag("require_registry")?;
    let asks = enabled
        || !snapshot.is_empty()
        || action.is_some()
        || !risk_classes.is_empty()
        || min_score.is_some()
        || max_age.is_some()
        || !publishers.is_empty()
        || registry;
    if asks && snapshot.is_empty() {
        let message = "`mcp_trust` names no `snapshot`";
        return Err(ImportError::new("import.policy_missing", fields.at, message));
    }
    if risk_classes.is_empty() {
        risk_classes = high_risk();
    }
    Ok(asks.then_some(McpTrust {
        at: fields.at,
        action: action.unwrap_or(Verdict::Block),
        risk_classes,
        min_score,
        max_age,
        publishers,
        registry,
    }))
}

/// A number from 0 to 1 with at most four decimal places, in ten-thousandths; 0 asks nothing.
fn min_score(fields: &mut Fields) -> Result<Option<i64>, ImportError> {
    let Some(node) = fields.take("min_score") else {
        return Ok(None);
    };
    let score = match &node.kind {
        Kind::Scalar { text, quoted: false } => ten_thousandths(text),
        _ => None,
    };
    match score {
        Some(score) => Ok(Some(score).filter(|score| *score > 0)),
        None => {
            let message = "`mcp_trust.min_score` is no number from 0 to 1 with at most four decimal places";
            Err(ImportError::new("import.policy_bad_value", node.at, message))
        }
    }
}

fn ten_thousandths(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !matches!(whole, "0" | "1") || fraction.len() > 4 || !digits(fraction) {
        return None;
    }
    let number: i64 = format!("{whole}{fraction:0<4}").parse().ok()?;
    (number <= 10_000).then_some(number)
}

fn max_age(fields: &mut Fields) -> Result<Option<i64>, ImportError> {
    let at = fields.place("max_age");
    let text = fields.text("max_age", Case::Kept)?;
    if text.is_empty() {
        return Ok(None);
    }
    match seconds(&text) {
        Some(seconds) => Ok(Some(seconds)),
        None => {
            let message = format!(
                "`mcp_trust.max_age` is `{}`; it has to be a duration",
                super::shown(&text)
            );
            Err(ImportError::new("import.policy_bad_value", at, message)
                .help("write it like `72h` or `1h30m`"))
        }
    }
}

/// A positive duration such as `1h30m`, in seconds, a rest below a second dropped.
fn seconds(text: &str) -> Option<i64> {
    const UNITS: [(&str, i128); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let mut total: i128 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(end)?;
        let end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at_checked(end)?;
        let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit)?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || whole.len() > 9 || fraction.len() > 9 || fraction.contains('.') {
            return None;
        }
        let fraction: i128 = format!("{fraction:0<9}").parse().ok()?;
        total += whole.parse::<i128>().ok()? * nanos + fraction * nanos / 1_000_000_000;
        rest = tail;
    }
    (total > 0)
        .then(|| i64::try_from(total / 1_000_000_000).ok())
        .flatten()
}

/// A verdict with its other name, which has to agree.
fn verdict(fields: &mut Fields, key: &str, alias: &str) -> Result<Option<Verdict>, ImportError> {
    let at = fields.place(alias);
    let first = fields.verdict(key, &VERDICTS)?;
    let second = fields.verdict(alias, &VERDICTS)?;
    match (first, second) {
        (Some(a), Some(b)) if a != b => {
            let message = format!("`{alias}` says `{b}` where `{key}` says `{a}`");
            Err(ImportError::new("import.policy_disagrees", at, message).help("keep one of them"))
        }
        (first, second) => Ok(first.or(second)),
    }
}

#[cfg(test)]
mod tests {
    use super::{seconds, ten_thousandths};

    #[test]
    fn durations_and_scores_are_exact() {
        for (text, expected) in [
            ("72h", Some(259_200)),
            ("1h30m", Some(5_400)),
            ("1.5h", Some(5_400)),
            ("90s", Some(90)),
            ("1500ms", Some(1)),
            ("10ms", Some(0)),
            ("0s", None),
            ("-1h", None),
            ("1", None),
            ("1d", None),
            ("h", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
        for (text, expected) in [
            ("0.8", Some(8_000)),
            ("1", Some(10_000)),
            ("1.0000", Some(10_000)),
            ("0", Some(0)),
            ("0.12345", None),
            ("1.1", None),
            (".5", None),
            (".nan", None),
            ("-0.1", None),
            ("1e-1", None),
        ] {
            assert_eq!(ten_thousandths(text), expected, "{text}");
        }
    }
}
