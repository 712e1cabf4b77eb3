//! The blocks of a rule beside `match`. In: the rule's mapping. Out: each block where it is switched on, by any of its
//! keys, with its defaults filled in.

use super::super::ImportError;
use super::super::fields::{Case, Fields};
use super::super::model::{
    Agent, Broker, Credential, Dataflow, Endpoint, Evidence, Freeze, Limit, Sandbox, Words,
};
use super::{CLASSES, STRICT};
use crate::domain::Verdict;

const CREDENTIAL_SOURCES: [&str; 12] = [
    "aws_iam_user",
    "aws_sts",
    "azure_federated",
    "command",
    "env",
    "gcp_sts",
    "github_oidc",
    "github_pat",
    "kubernetes_service_account",
    "stub",
    "unknown",
    "vault_dynamic",
];
const CREDENTIAL_ACCESS: [&str; 6] = ["cloud_admin", "inherited", "jit", "standing", "static", "unknown"];
pub(super) fn endpoint(rule: &mut Fields) -> Result<Option<Endpoint>, ImportError> {
    let keys = [
        "enabled",
        "path_allowlist",
        "path_denylist",
        "domain_allowlist",
        "domain_denylist",
        "egress_classes",
        "action",
        "destructive_action",
        "reason_code",
        "violation",
    ];
    let Some(mut fields) = rule.inner("endpoint", &keys)? else {
        return Ok(None);
    };
    let enabled = fields.flag("enabled")?;
    let action = fields.verdict("action", &STRICT)?;
    let code = fields.text("reason_code", Case::Kept)?;
    fields.text("violation", Case::Kept)?;
    let slashes = |words: Words| -> Words { words.into_iter().map(|w| w.replace('\\', "/")).collect() };
    let at = fields.place("egress_classes");
    let endpoint = Endpoint {
        path_allow: slashes(fields.words("path_allowlist", Case::Kept)?),
        path_deny: slashes(fields.words("path_denylist", Case::Kept)?),
        domain_allow: fields.words("domain_allowlist", Case::Folded)?,
        domain_deny: fields.words("domain_denylist", Case::Folded)?,
        egress: fields.words_of("egress_classes", &CLASSES)?,
        action: action.unwrap_or(Verdict::Block),
        destructive: fields.verdict("destructive_action", &STRICT)?,
        code: or(code, "endpoint_constraint_violation"),
    };
    if let Some(class) = endpoint.egress.iter().find(|class| !class.starts_with("net.")) {
        let message = format!("`{class}` in `egress_classes` is no class of network calls");
        return Err(ImportError::new("import.policy_bad_value", at, message));
    }
    let lists = [
        &endpoint.path_allow,
        &endpoint.path_deny,
        &endpoint.domain_allow,
        &endpoint.domain_deny,
        &endpoint.egress,
    ];
    let asks = enabled || endpoint.destructive.is_some() || lists.iter().any(|list| !list.is_empty());
    Ok(asks.then_some(endpoint))
}

fn or(text: String, fallback: &str) -> String {
    if text.is_empty() {
        fallback.to_owned()
    } else {
        text
    }
}

pub(super) fn dataflow(rule: &mut Fields) -> Result<Option<Dataflow>, ImportError> {
    let keys = [
        "enabled",
        "tainted_sources",
        "destination_kinds",
        "destination_values",
        "destination_operations",
        "action",
        "reason_code",
        "violation",
    ];
    let Some(mut fields) = rule.inner("dataflow", &keys)? else {
        return Ok(None);
    };
    let enabled = fields.flag("enabled")?;
    let mut sources = fields.words("tainted_sources", Case::Folded)?;
    let code = fields.text("reason_code", Case::Kept)?;
    fields.text("violation", Case::Kept)?;
    let (kinds, values, operations) = (
        fields.words("destination_kinds", Case::Folded)?,
        fields.words("destination_values", Case::Kept)?,
        fields.words("destination_operations", Case::Folded)?,
    );
    let action = fields.verdict("action", &STRICT)?;
    let lists = [&sources, &kinds, &values, &operations];
    let asks = enabled || action.is_some() || !code.is_empty() || lists.iter().any(|list| !list.is_empty());
    if sources.is_empty() {
        sources = ["external", "tool_output"].map(str::to_owned).into();
    }
    Ok(asks.then(|| Dataflow {
        sources,
        kinds,
        values,
        operations,
        action: action.unwrap_or(Verdict::RequireApproval),
        code: or(code, "dataflow_tainted_destination"),
    }))
}

pub(super) fn freeze(rule: &mut Fields) -> Result<Option<Freeze>, ImportError> {
    let keys = [
        "enabled",
        "timezone",
        "effect",
        "reason",
        "environments",
        "risk_classes",
        "windows",
    ];
    let Some(mut fields) = rule.inner("freeze_window", &keys)? else {
        return Ok(None);
    };
    let (at, enabled) = (fields.at, fields.flag("enabled")?);
    let zone = fields.text("timezone", Case::Kept)?;
    let effect = fields.verdict("effect", &STRICT)?;
    let reason = fields.text("reason", Case::Kept)?;
    let environments = fields.words("environments", Case::Folded)?;
    let risk_classes = fields.words("risk_classes", Case::Folded)?;
    let items = fields.items("windows")?;
    let asks = enabled
        || !zone.is_empty()
        || effect.is_some()
        || !reason.is_empty()
        || !environments.is_empty()
        || !risk_classes.is_empty()
        || !items.is_empty();
    if !asks {
        return Ok(None);
    }
    let missing = |what: &str| {
        ImportError::new(
            "import.policy_missing",
            at,
            format!("`freeze_window` has no {what}"),
        )
    };
    if zone.is_empty() {
        return Err(missing("`timezone`"));
    }
    if items.is_empty() {
        return Err(missing("`windows`"));
    }
    let mut windows = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let path = format!("windows[{index}]");
        let mut window = Fields::of(item, &path, &["name", "start", "end"])?;
        let (start, end) = (window.text("start", Case::Kept)?, window.text("end", Case::Kept)?);
        if start.is_empty() || end.is_empty() {
            let message = format!("`{path}` has no `start` or no `end`");
            return Err(ImportError::new("import.policy_missing", window.at, message));
        }
        let name = window.text("name", Case::Kept)?;
        windows.push((or(name, &format!("window-{}", index + 1)), start, end));
    }
    Ok(Some(Freeze {
        at,
        zone,
        effect: effect.unwrap_or(Verdict::Block),
        environments,
        risk_classes,
        windows,
    }))
}

pub(super) fn sandbox(rule: &mut Fields) -> Result<Option<Sandbox>, ImportError> {
    let keys = [
        "enabled",
        "allowed_network_modes",
        "allowed_writable_path_prefixes",
        "required_read_only_roots",
        "allowed_env_exposure_modes",
        "max_timeout_seconds",
        "allowed_filesystem_isolations",
        "allowed_user_modes",
    ];
    let Some(mut fields) = rule.inner("sandbox", &keys)? else {
        return Ok(None);
    };
    let enabled = fields.flag("enabled")?;
    let sandbox = Sandbox {
        network: fields.words_of("allowed_network_modes", &["disabled", "egress_allowlist", "full"])?,
        writable: fields.words("allowed_writable_path_prefixes", Case::Kept)?,
        read_only: fields.words("required_read_only_roots", Case::Kept)?,
        env: fields.words_of("allowed_env_exposure_modes", &["none", "allowlist", "full"])?,
        max_timeout: fields.int("max_timeout_seconds", 0)?,
        isolation: fields.words_of(
            "allowed_filesystem_isolations",
            &["none", "workspace", "container"],
        )?,
        user: fields.words_of("allowed_user_modes", &["default", "root", "unprivileged"])?,
    };
    let lists = [
        &sandbox.network,
        &sandbox.writable,
        &sandbox.read_only,
        &sandbox.env,
        &sandbox.isolation,
        &sandbox.user,
    ];
    let asks = enabled || sandbox.max_timeout > 0 || lists.iter().any(|list| !list.is_empty());
    Ok(asks.then_some(sandbox))
}

pub(super) fn credential(fields: &mut Fields) -> Result<Option<Credential>, ImportError> {
    let credential = Credential {
        block_standing: fields.flag("block_standing_credentials")?,
        sources: fields.words_of("allowed_credential_sources", &CREDENTIAL_SOURCES)?,
        issuers: fields.words("allowed_credential_issuers", Case::Kept)?,
        access: fields.words_of("allowed_credential_access_types", &CREDENTIAL_ACCESS)?,
        max_ttl: fields.int("max_credential_ttl_seconds", 0)?,
        jit: fields.flag("require_jit_credential")?,
    };
    let asks = credential.block_standing
        || credential.jit
        || credential.max_ttl > 0
        || [&credential.sources, &credential.issuers, &credential.access]
            .iter()
            .any(|list| !list.is_empty());
    Ok(asks.then_some(credential))
}

pub(super) fn agent(fields: &mut Fields) -> Result<Option<Agent>, ImportError> {
    let at = fields.place("required_agent_manifest_digest");
    let digest = fields.text("required_agent_manifest_digest", Case::Folded)?;
    if !digest.is_empty() && (digest.len() != 64 || !digest.bytes().all(|b| b.is_ascii_hexdigit())) {
        let message = "`required_agent_manifest_digest` is no SHA-256 in 64 hexadecimal digits";
        return Err(ImportError::new("import.policy_bad_value", at, message));
    }
    let agent = Agent {
        declared: fields.flag("require_declared_agent")?,
        allowed: fields.words("allowed_agent_ids", Case::Kept)?,
        denied: fields.words("denied_agent_ids", Case::Kept)?,
        digest: Some(digest).filter(|digest| !digest.is_empty()),
        publishers: fields.words("allowed_agent_manifest_publishers", Case::Folded)?,
        sources: fields.words("allowed_agent_manifest_sources", Case::Folded)?,
        states: fields.words("required_agent_lifecycle_states", Case::Folded)?,
        owner: fields.flag("require_agent_owner")?,
        unexpired: fields.flag("require_unexpired_agent")?,
    };
    let lists = [
        &agent.allowed,
        &agent.denied,
        &agent.publishers,
        &agent.sources,
        &agent.states,
    ];
    let asks = agent.declared
        || agent.owner
        || agent.unexpired
        || agent.digest.is_some()
        || lists.iter().any(|list| !list.is_empty());
    Ok(asks.then_some(agent))
}

pub(super) fn evidence(fields: &mut Fields) -> Result<Option<Evidence>, ImportError> {
    let asked = fields.flag("require_context_evidence")?;
    let mode = fields.word_of("required_context_evidence_mode", &["required"])?;
    let evidence = Evidence {
        required: asked || mode.is_some(),
        max_age: fields.int("max_context_age_seconds", 0)?,
    };
    Ok((evidence.required || evidence.max_age > 0).then_some(evidence))
}

pub(super) fn broker(fields: &mut Fields) -> Result<Option<Broker>, ImportError> {
    let broker = Broker {
        required: fields.flag("require_broker_credential")?,
        reference: fields.text("broker_reference", Case::Kept)?,
        scopes: fields.words("broker_scopes", Case::Folded)?,
    };
    let asks = broker.required || !broker.reference.is_empty() || !broker.scopes.is_empty();
    Ok(asks.then_some(broker))
}

/// A limit; one without `requests` is kept with 0, which limits nothing. What a limit of 0 says beside is not checked.
pub(super) fn limit(fields: &mut Fields, key: &str) -> Result<Option<Limit>, ImportError> {
    let Some(mut inner) = fields.inner(key, &["requests", "window", "scope"])? else {
        return Ok(None);
    };
    let requests = inner.int("requests", 0)?;
    let at = inner.at;
    if requests == 0 {
        let (window, scope) = (
            inner.text("window", Case::Folded)?,
            inner.text("scope", Case::Folded)?,
        );
        return Ok(Some(Limit {
            at,
            requests,
            window,
            scope,
        }));
    }
    let window = inner.word_of("window", &["minute", "hour"])?;
    let scope = inner.word_of("scope", &["tool", "identity", "tool_identity"])?;
    Ok(Some(Limit {
        at,
        requests,
        window: window.unwrap_or_else(|| "minute".to_owned()),
        scope: scope.unwrap_or_else(|| "tool_identity".to_owned()),
    }))
}

pub(super) fn budget(fields: &mut Fields) -> Result<Option<Limit>, ImportError> {
    match limit(fields, "destructive_budget")? {
        Some(limit) if limit.requests == 0 && limit.window.is_empty() && limit.scope.is_empty() => Ok(None),
        Some(limit) if limit.requests == 0 => {
            let message = "`destructive_budget` has no `requests` of at least 1";
            Err(ImportError::new("import.policy_missing", limit.at, message))
        }
        limit => Ok(limit),
    }
}
