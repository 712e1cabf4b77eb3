//! One rule and its `match`. In: their mappings. Out: data. The blocks beside `match` are read elsewhere.

use super::super::ImportError;
use super::super::fields::{Case, Fields};
use super::super::model::{Delegation, Match, Rule, TargetMatch};
use super::super::yaml::Node;
use super::{CLASSES, DISCOVERY, blocks, verdict};

const RULE: [&str; 36] = [
    "name",
    "priority",
    "effect",
    "action",
    "match",
    "endpoint",
    "reason_codes",
    "violations",
    "require_declared_agent",
    "allowed_agent_ids",
    "denied_agent_ids",
    "required_agent_manifest_digest",
    "allowed_agent_manifest_publishers",
    "allowed_agent_manifest_sources",
    "required_agent_lifecycle_states",
    "require_agent_owner",
    "require_unexpired_agent",
    "block_standing_credentials",
    "allowed_credential_sources",
    "allowed_credential_issuers",
    "allowed_credential_access_types",
    "max_credential_ttl_seconds",
    "require_jit_credential",
    "min_approvals",
    "require_distinct_approvers",
    "require_context_evidence",
    "required_context_evidence_mode",
    "max_context_age_seconds",
    "require_broker_credential",
    "broker_reference",
    "broker_scopes",
    "freeze_window",
    "sandbox",
    "rate_limit",
    "destructive_budget",
    "dataflow",
];

pub(super) fn rule(node: Node, index: usize) -> Result<Rule, ImportError> {
    let path = format!("rules[{index}]");
    let mut fields = Fields::of(node, &path, &RULE)?;
    let at = fields.at;
    let name = fields.text("name", Case::Kept)?;
    if name.is_empty() {
        return Err(ImportError::new(
            "import.policy_missing",
            at,
            format!("`{path}` has no `name`"),
        ));
    }
    let Some(effect) = verdict(&mut fields, "effect", "action")? else {
        let message = format!(
            "rule `{}` has no `effect`",
            crate::import::gait_yaml::shown(&name)
        );
        return Err(ImportError::new("import.policy_missing", at, message));
    };
    let min_approvals = fields.int("min_approvals", 0)?;
    Ok(Rule {
        at,
        name,
        priority: fields.int("priority", i64::MIN)?,
        effect,
        reason_codes: fields.words("reason_codes", Case::Kept)?,
        violations: fields.words("violations", Case::Kept)?,
        matches: matches(&mut fields)?,
        endpoint: blocks::endpoint(&mut fields)?,
        dataflow: blocks::dataflow(&mut fields)?,
        freeze: blocks::freeze(&mut fields)?,
        sandbox: blocks::sandbox(&mut fields)?,
        credential: blocks::credential(&mut fields)?,
        agent: blocks::agent(&mut fields)?,
        evidence: blocks::evidence(&mut fields)?,
        broker: blocks::broker(&mut fields)?,
        min_approvals,
        distinct_approvers: fields.flag("require_distinct_approvers")? || min_approvals > 1,
        rate_limit: blocks::limit(&mut fields, "rate_limit")?,
        destructive_budget: blocks::budget(&mut fields)?,
    })
}

fn matches(rule: &mut Fields) -> Result<Match, ImportError> {
    let keys = [
        "tool_name",
        "tool_names",
        "risk_classes",
        "target_kinds",
        "target_values",
        "endpoint_class",
        "endpoint_classes",
        "discovery_method",
        "tool_annotations",
        "skill_publishers",
        "skill_sources",
        "data_classes",
        "destination_kinds",
        "destination_values",
        "destination_operations",
        "provenance_sources",
        "identities",
        "workspace_prefixes",
        "context_tool_names",
        "context_data_classes",
        "context_endpoint_classes",
        "context_autonomy_levels",
        "require_delegation",
        "allowed_delegator_identities",
        "allowed_delegate_identities",
        "delegation_scopes",
        "max_delegation_depth",
    ];
    let Some(mut fields) = rule.inner("match", &keys)? else {
        return Ok(Match::default());
    };
    let mut tools = fields.words("tool_names", Case::Folded)?;
    let one = fields.text("tool_name", Case::Folded)?;
    tools.extend(Some(one).filter(|name| !name.is_empty()));
    let mut classes = fields.words_of("endpoint_classes", &CLASSES)?;
    classes.extend(fields.words_of("endpoint_class", &CLASSES)?);
    let mut hints = Vec::new();
    if let Some(mut annotations) = fields.inner("tool_annotations", &HINTS.map(|(key, _)| key))? {
        for (key, member) in HINTS {
            hints.extend(annotations.flag_or_none(key)?.map(|wanted| (member, wanted)));
        }
    }
    let mut inventory = Vec::new();
    for (key, field) in INVENTORY {
        let words = fields.words(key, Case::Folded)?;
        if !words.is_empty() {
            inventory.push((field, words));
        }
    }
    let delegation = Delegation {
        required: fields.flag("require_delegation")?,
        delegators: fields.words("allowed_delegator_identities", Case::Kept)?,
        delegates: fields.words("allowed_delegate_identities", Case::Kept)?,
        scopes: fields.words("delegation_scopes", Case::Folded)?,
        max_depth: fields.int_or_none("max_delegation_depth", 0)?,
    };
    let delegated = delegation.required
        || !delegation.delegators.is_empty()
        || !delegation.delegates.is_empty()
        || !delegation.scopes.is_empty()
        || delegation.max_depth.is_some();
    Ok(Match {
        tools,
        risk_classes: fields.words("risk_classes", Case::Folded)?,
        identities: fields.words("identities", Case::Kept)?,
        workspace_prefixes: fields.words("workspace_prefixes", Case::Kept)?,
        inventory,
        provenance_sources: fields.words("provenance_sources", Case::Folded)?,
        skill_publishers: fields.words("skill_publishers", Case::Folded)?,
        skill_sources: fields.words("skill_sources", Case::Folded)?,
        targets: TargetMatch {
            kinds: [
                fields.words("target_kinds", Case::Folded)?,
                fields.words("destination_kinds", Case::Folded)?,
            ],
            values: [
                fields.words("target_values", Case::Kept)?,
                fields.words("destination_values", Case::Kept)?,
            ],
            operations: fields.words("destination_operations", Case::Folded)?,
            classes,
            discovery: fields.words_of("discovery_method", &DISCOVERY)?,
            sensitivity: fields.words("data_classes", Case::Folded)?,
            hints,
        },
        delegation: delegated.then_some(delegation),
    })
}

const HINTS: [(&str, &str); 4] = [
    ("readOnlyHint", "read_only_hint"),
    ("destructiveHint", "destructive_hint"),
    ("idempotentHint", "idempotent_hint"),
    ("openWorldHint", "open_world_hint"),
];
/// Keys about the inventory of tools, and the fields of the context that hold what it says.
const INVENTORY: [(&str, &str); 4] = [
    ("context_tool_names", "inventory_tool_name"),
    ("context_data_classes", "inventory_data_class"),
    ("context_endpoint_classes", "inventory_endpoint_class"),
    ("context_autonomy_levels", "inventory_autonomy_level"),
];
