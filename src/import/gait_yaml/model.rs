//! A policy of the Go reference system, read and normalised: lower case where it is lower case there, lists sorted and
//! distinct, defaults filled in. Data only.

use std::collections::BTreeSet;

use super::yaml::Place;
use crate::domain::Verdict;

/// Distinct texts, sorted.
pub(super) type Words = BTreeSet<String>;

/// A policy.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// The verdict when no rule matches.
    pub(super) default: Verdict,
    /// Limits of requests with several steps.
    pub(super) scripts: Scripts,
    /// What must be there before any rule is asked, for some classes of risk.
    pub(super) fail_closed: Option<FailClosed>,
    /// What must be known of the MCP server.
    pub(super) mcp_trust: Option<McpTrust>,
    /// Sorted by priority, then name.
    pub(super) rules: Vec<Rule>,
}

/// `scripts`; 0 and false mean there is no such limit.
#[derive(Clone, Debug, Default)]
pub(super) struct Scripts {
    pub(super) at: Place,
    pub(super) max_steps: i64,
    pub(super) approval_above: i64,
    pub(super) block_mixed_risk: bool,
}

/// `fail_closed`, switched on.
#[derive(Clone, Debug)]
pub(super) struct FailClosed {
    pub(super) at: Place,
    pub(super) risk_classes: Words,
    /// Of `required_fields` and `required_high_risk_fields`.
    pub(super) required: Words,
}

/// `mcp_trust`, switched on.
#[derive(Clone, Debug)]
pub(super) struct McpTrust {
    pub(super) at: Place,
    pub(super) action: Verdict,
    pub(super) risk_classes: Words,
    /// The least score, in ten-thousandths.
    pub(super) min_score: Option<i64>,
    /// In seconds.
    pub(super) max_age: Option<i64>,
    pub(super) publishers: Words,
    pub(super) registry: bool,
}

/// A rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) at: Place,
    pub(super) name: String,
    pub(super) priority: i64,
    pub(super) effect: Verdict,
    pub(super) reason_codes: Words,
    pub(super) violations: Words,
    pub(super) matches: Match,
    pub(super) endpoint: Option<Endpoint>,
    pub(super) dataflow: Option<Dataflow>,
    pub(super) freeze: Option<Freeze>,
    pub(super) sandbox: Option<Sandbox>,
    pub(super) credential: Option<Credential>,
    pub(super) agent: Option<Agent>,
    pub(super) evidence: Option<Evidence>,
    pub(super) broker: Option<Broker>,
    /// How many approvals, 0 where it does not say.
    pub(super) min_approvals: i64,
    pub(super) distinct_approvers: bool,
    pub(super) rate_limit: Option<Limit>,
    pub(super) destructive_budget: Option<Limit>,
}

/// `match`; an empty list asks nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Match {
    pub(super) tools: Words,
    pub(super) risk_classes: Words,
    pub(super) identities: Words,
    pub(super) workspace_prefixes: Words,
    /// Of `context_*`: the name of the context's field, and what it must be.
    pub(super) inventory: Vec<(&'static str, Words)>,
    pub(super) provenance_sources: Words,
    pub(super) skill_publishers: Words,
    pub(super) skill_sources: Words,
    pub(super) targets: TargetMatch,
    pub(super) delegation: Option<Delegation>,
}

/// The keys of `match` that ask about targets.
#[derive(Clone, Debug, Default)]
pub(super) struct TargetMatch {
    /// `target_kinds` and `destination_kinds`.
    pub(super) kinds: [Words; 2],
    /// `target_values` and `destination_values`.
    pub(super) values: [Words; 2],
    pub(super) operations: Words,
    pub(super) classes: Words,
    pub(super) discovery: Words,
    pub(super) sensitivity: Words,
    /// Members of a target that must be so.
    pub(super) hints: Vec<(&'static str, bool)>,
}

/// The keys of `match` that ask about the delegation; there when any is.
#[derive(Clone, Debug, Default)]
pub(super) struct Delegation {
    pub(super) required: bool,
    pub(super) delegators: Words,
    pub(super) delegates: Words,
    pub(super) scopes: Words,
    pub(super) max_depth: Option<i64>,
}

/// `endpoint`, switched on.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    pub(super) path_allow: Words,
    pub(super) path_deny: Words,
    pub(super) domain_allow: Words,
    pub(super) domain_deny: Words,
    pub(super) egress: Words,
    pub(super) action: Verdict,
    /// What destructive targets ask for.
    pub(super) destructive: Option<Verdict>,
    pub(super) code: String,
}

/// `dataflow`, switched on.
#[derive(Clone, Debug)]
pub(super) struct Dataflow {
    pub(super) sources: Words,
    pub(super) kinds: Words,
    pub(super) values: Words,
    pub(super) operations: Words,
    pub(super) action: Verdict,
    pub(super) code: String,
}

/// `freeze_window`, switched on.
#[derive(Clone, Debug)]
pub(super) struct Freeze {
    pub(super) at: Place,
    pub(super) zone: String,
    pub(super) effect: Verdict,
    pub(super) environments: Words,
    pub(super) risk_classes: Words,
    /// Name, start and end.
    pub(super) windows: Vec<(String, String, String)>,
}

/// `sandbox`, switched on.
#[derive(Clone, Debug, Default)]
pub(super) struct Sandbox {
    pub(super) network: Words,
    pub(super) writable: Words,
    pub(super) read_only: Words,
    pub(super) env: Words,
    /// In seconds; 0 for no bound.
    pub(super) max_timeout: i64,
    pub(super) isolation: Words,
    pub(super) user: Words,
}

/// What the credential must be; there when any key asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Credential {
    pub(super) block_standing: bool,
    pub(super) sources: Words,
    pub(super) issuers: Words,
    pub(super) access: Words,
    /// In seconds; 0 for no bound.
    pub(super) max_ttl: i64,
    pub(super) jit: bool,
}

/// What the agent must be; there when any key asks.
#[derive(Clone, Debug, Default)]
pub(super) struct Agent {
    pub(super) declared: bool,
    pub(super) allowed: Words,
    pub(super) denied: Words,
    pub(super) digest: Option<String>,
    pub(super) publishers: Words,
    pub(super) sources: Words,
    pub(super) states: Words,
    pub(super) owner: bool,
    pub(super) unexpired: bool,
}

/// What evidence of the context must be there.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    /// Its mode must be `required`.
    pub(super) required: bool,
    /// In seconds; 0 for no bound.
    pub(super) max_age: i64,
}

/// Which broker must have given the credential.
#[derive(Clone, Debug)]
pub(super) struct Broker {
    pub(super) reference: String,
    pub(super) scopes: Words,
    /// False where the settings are dead: no `require_broker_credential`.
    pub(super) required: bool,
}

/// `rate_limit` or `destructive_budget`.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    pub(super) at: Place,
    pub(super) requests: i64,
    /// `minute` or `hour`.
    pub(super) window: String,
    /// `tool`, `identity` or `tool_identity`.
    pub(super) scope: String,
}
