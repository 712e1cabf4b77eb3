//! The closed shape of a v1 IntentRequest as tables: which members each object has, which are required, and what
//! each may hold. Data only. `schemas/v1/gate/intent_request.schema.json` says the same in JSON Schema, and
//! `tests/it/intents.rs` holds the two together.
//!
//! The shape accepts what the published v1 schema accepts, with these differences, each on the side of refusing:
//! names have no space at their ends and no invisible character; `context` is closed like every other object (free
//! data belongs in `auth_context`); whole numbers stay within ±(2^53 − 1); a script has a bound, and no arguments beside
//! those of its steps. It is wider in two: every digest may be prefixed `sha256:`, and lists need not be free of repeats.

/// What a value may be.
pub(super) enum Shape {
    /// A string a name is compared by: see `check::is_identifier`.
    Identifier,
    /// The same, or the empty string, which means there is none.
    IdentifierOrEmpty,
    /// A string that is not empty.
    NonEmpty,
    /// Any string.
    Text,
    /// A SHA-256: 64 hexadecimal digits of either case, with or without `sha256:`.
    Digest,
    /// An RFC 3339 time.
    Time,
    /// `true` or `false`.
    Bool,
    /// A whole number of seconds.
    Seconds {
        /// The smallest allowed.
        least: i64,
    },
    /// One of these exact strings.
    OneOf(&'static [&'static str]),
    /// An object with any members.
    Open,
    /// An array.
    List(&'static Shape),
    /// A closed object.
    Record(&'static [Field]),
}

/// Whether a member has to be there.
#[derive(PartialEq, Eq)]
pub(super) enum Need {
    /// It has to.
    Required,
    /// It may be missing (but not `null`).
    Optional,
}

/// A member of a closed object.
pub(super) struct Field {
    /// Its name.
    pub(super) name: &'static str,
    /// Whether it has to be there.
    pub(super) need: Need,
    /// What it may hold.
    pub(super) shape: Shape,
}

const fn need(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        need: Need::Required,
        shape,
    }
}

const fn may(name: &'static str, shape: Shape) -> Field {
    Field {
        name,
        need: Need::Optional,
        shape,
    }
}

const NAMES: Shape = Shape::List(&Shape::NonEmpty);

/// The whole document.
pub(super) static INTENT: &[Field] = &[
    need("schema_id", Shape::OneOf(&[super::SCHEMA_ID])),
    need("schema_version", Shape::OneOf(&[super::SCHEMA_VERSION])),
    need("created_at", Shape::Time),
    need("producer_version", Shape::Text),
    need("tool_name", Shape::Identifier),
    need("args", Shape::Open),
    may("args_digest", Shape::Digest),
    may("intent_digest", Shape::Digest),
    may("script_hash", Shape::Digest),
    may("script", Shape::Record(SCRIPT)),
    need("targets", Shape::List(&Shape::Record(TARGET))),
    may("arg_provenance", Shape::List(&Shape::Record(ARG_PROVENANCE))),
    may("skill_provenance", Shape::Record(SKILL_PROVENANCE)),
    may("delegation", Shape::Record(DELEGATION)),
    may("relationship", Shape::Record(RELATIONSHIP)),
    need("context", Shape::Record(CONTEXT)),
];

static SCRIPT: &[Field] = &[need("steps", Shape::List(&Shape::Record(SCRIPT_STEP)))];

static SCRIPT_STEP: &[Field] = &[
    need("tool_name", Shape::Identifier),
    need("args", Shape::Open),
    may("targets", Shape::List(&Shape::Record(TARGET))),
    may("arg_provenance", Shape::List(&Shape::Record(ARG_PROVENANCE))),
];

static TARGET: &[Field] = &[
    need(
        "kind",
        Shape::OneOf(&[
            "path", "url", "host", "repo", "bucket", "table", "queue", "topic", "other",
        ]),
    ),
    need("value", Shape::NonEmpty),
    may("operation", Shape::Text),
    may("sensitivity", Shape::Text),
    may(
        "endpoint_class",
        Shape::OneOf(&[
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
        ]),
    ),
    may("endpoint_domain", Shape::Text),
    may("destructive", Shape::Bool),
    may(
        "discovery_method",
        Shape::OneOf(&[
            "webmcp",
            "dynamic_mcp",
            "a2a",
            "mcp",
            "static_mcp",
            "manual",
            "unknown",
        ]),
    ),
    may("read_only_hint", Shape::Bool),
    may("destructive_hint", Shape::Bool),
    may("idempotent_hint", Shape::Bool),
    may("open_world_hint", Shape::Bool),
];

static ARG_PROVENANCE: &[Field] = &[
    need("arg_path", Shape::NonEmpty),
    need(
        "source",
        Shape::OneOf(&["user", "tool_output", "external", "system"]),
    ),
    may("source_ref", Shape::Text),
    may("integrity_digest", Shape::Digest),
];

static SKILL_PROVENANCE: &[Field] = &[
    need("skill_name", Shape::Identifier),
    need("source", Shape::Identifier),
    need("publisher", Shape::Identifier),
    may("skill_version", Shape::Text),
    may("digest", Shape::Digest),
    may("signature_key_id", Shape::Text),
];

static DELEGATION: &[Field] = &[
    need("requester_identity", Shape::Identifier),
    may("scope_class", Shape::Text),
    may("token_refs", NAMES),
    may("issued_at", Shape::Time),
    may("expires_at", Shape::Time),
    may("chain", Shape::List(&Shape::Record(DELEGATION_LINK))),
];

static DELEGATION_LINK: &[Field] = &[
    need("delegator_identity", Shape::Identifier),
    need("delegate_identity", Shape::Identifier),
    may("scope_class", Shape::Text),
    may("token_ref", Shape::Text),
    may("issued_at", Shape::Time),
    may("expires_at", Shape::Time),
];

static CONTEXT: &[Field] = &[
    need("identity", Shape::Identifier),
    need("workspace", Shape::Identifier),
    need("risk_class", Shape::Identifier),
    may("phase", Shape::OneOf(&["plan", "apply"])),
    may("agent_id", Shape::Identifier),
    may("agent_identity", Shape::Record(AGENT_IDENTITY)),
    may("run_id", Shape::Identifier),
    may("workflow_id", Shape::Identifier),
    may("job_id", Shape::Identifier),
    may("session_id", Shape::IdentifierOrEmpty),
    may("request_id", Shape::IdentifierOrEmpty),
    may("repo", Shape::Identifier),
    may("environment", Shape::Identifier),
    may("environment_fingerprint", Shape::NonEmpty),
    may("credential_ref", Shape::NonEmpty),
    may("credential_source", Shape::NonEmpty),
    may("credential_access_type", Shape::NonEmpty),
    may("credential_issuer", Shape::NonEmpty),
    may("credential_subject", Shape::NonEmpty),
    may("credential_owner", Shape::NonEmpty),
    may("credential_scopes", NAMES),
    may("credential_ttl_seconds", Shape::Seconds { least: 1 }),
    may("credential_target_binding", Shape::NonEmpty),
    may("credential_run_binding", Shape::NonEmpty),
    may("credential_job_binding", Shape::NonEmpty),
    may("approval_ref", Shape::NonEmpty),
    may("wrkr_inventory_ref", Shape::NonEmpty),
    may("agent_action_bom_ref", Shape::NonEmpty),
    may("auth_context", Shape::Open),
    may("sandbox", Shape::Record(SANDBOX)),
    may("context_set_digest", Shape::Digest),
    may(
        "context_evidence_mode",
        Shape::OneOf(&["best_effort", "required"]),
    ),
    may("context_refs", NAMES),
];

static AGENT_IDENTITY: &[Field] = &[
    may("lifecycle_states", NAMES),
    may("owner", Shape::NonEmpty),
    may("manifest_digest", Shape::Digest),
    may("publisher", Shape::NonEmpty),
    may("source", Shape::NonEmpty),
    may("issued_at", Shape::Time),
    may("approved_at", Shape::Time),
    may("expires_at", Shape::Time),
    may("revoked", Shape::Bool),
];

static SANDBOX: &[Field] = &[
    may(
        "network_mode",
        Shape::OneOf(&["disabled", "egress_allowlist", "full"]),
    ),
    may("writable_paths", NAMES),
    may("read_only_roots", NAMES),
    may("env_exposure_mode", Shape::OneOf(&["none", "allowlist", "full"])),
    may("timeout_seconds", Shape::Seconds { least: 0 }),
    may(
        "filesystem_isolation",
        Shape::OneOf(&["none", "workspace", "container"]),
    ),
    may("user_mode", Shape::OneOf(&["default", "root", "unprivileged"])),
    may("evidence_ref", Shape::NonEmpty),
    may("evidence_digest", Shape::Digest),
];

static RELATIONSHIP: &[Field] = &[
    may("parent_ref", Shape::Record(PARENT_REF)),
    may("entity_refs", Shape::List(&Shape::Record(ENTITY_REF))),
    may("policy_ref", Shape::Record(POLICY_REF)),
    may("agent_chain", Shape::List(&Shape::Record(AGENT_LINK))),
    may("edges", Shape::List(&Shape::Record(EDGE))),
    may("parent_record_id", Shape::NonEmpty),
    may("related_record_ids", NAMES),
    may("related_entity_ids", NAMES),
    may("agent_lineage", Shape::List(&Shape::Record(AGENT_LINEAGE))),
];

static PARENT_REF: &[Field] = &[
    need(
        "kind",
        Shape::OneOf(&["trace", "run", "session", "intent", "policy", "agent", "evidence"]),
    ),
    need("id", Shape::NonEmpty),
];

static ENTITY_REF: &[Field] = &[
    need(
        "kind",
        Shape::OneOf(&[
            "agent",
            "tool",
            "resource",
            "policy",
            "run",
            "trace",
            "delegation",
            "evidence",
        ]),
    ),
    need("id", Shape::NonEmpty),
];

static POLICY_REF: &[Field] = &[
    may("policy_id", Shape::NonEmpty),
    may("policy_version", Shape::NonEmpty),
    may("policy_digest", Shape::Digest),
    may("matched_rule_ids", NAMES),
];

static AGENT_LINK: &[Field] = &[
    need("identity", Shape::NonEmpty),
    need("role", Shape::OneOf(&["requester", "delegator", "delegate"])),
];

static EDGE: &[Field] = &[
    need(
        "kind",
        Shape::OneOf(&[
            "delegates_to",
            "calls",
            "governed_by",
            "targets",
            "derived_from",
            "emits_evidence",
        ]),
    ),
    need("from", Shape::Record(EDGE_END)),
    need("to", Shape::Record(EDGE_END)),
];

static EDGE_END: &[Field] = &[need("kind", Shape::NonEmpty), need("id", Shape::NonEmpty)];

static AGENT_LINEAGE: &[Field] = &[
    need("agent_id", Shape::NonEmpty),
    may("delegated_by", Shape::NonEmpty),
    may("delegation_record_id", Shape::NonEmpty),
];
