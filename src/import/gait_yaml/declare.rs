//! The fields of the context that an imported policy may look at: where the intent holds each, and how its texts have to
//! be spelt to be compared. In: the name of a field. Out: source text and conditions. It decides no verdict.

use super::cond::{Cond, and, any, ask, not, of, or};
use super::target::{FIELD, TARGETS};

/// A field.
pub(super) struct Declared {
    /// Its name in the context.
    pub(super) name: &'static str,
    /// Where rules find it.
    place: &'static str,
    /// Its type, where the library does not declare it.
    pub(super) ty: Option<&'static str>,
    /// The member of the intent; none where the host supplies it.
    pub(super) from: Option<&'static str>,
    /// How its text is compared.
    pub(super) spelling: Spelling,
}

/// How the text of a field is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// It is no text, or its condition takes care of it.
    Any,
    /// Without blanks around it.
    Trimmed,
    /// The same, in small letters.
    Folded,
}

const fn field(
    place: &'static str,
    ty: Option<&'static str>,
    from: Option<&'static str>,
    spelling: Spelling,
) -> Declared {
    let name = match place.split_at_checked("context.".len()) {
        Some((_, name)) => name,
        None => place,
    };
    Declared {
        name,
        place,
        ty,
        from,
        spelling,
    }
}

const TEXT: Option<&str> = Some("String[max 1024]?");
const FLAG: Option<&str> = Some("Bool?");

/// Whether the host has verified the evidence of the context.
pub(super) const CONTEXT_EVIDENCE: &str = "context_evidence";
/// Whether the host has a credential of the broker.
pub(super) const BROKER_CREDENTIAL: &str = "broker_credential";
/// Whether the host has found the server of the tool in its list of trusted ones.
pub(super) const MCP_SERVER_TRUSTED: &str = "mcp_server_trusted";
/// Whether the host has verified the tokens of the delegation.
pub(super) const DELEGATION_VERIFIED: &str = "delegation_verified";

/// What is said of a script beside the arguments of its steps.
const SCRIPT: &str = r#"{ steps: List[{ tool_name: String[max 256], targets: List[{
  kind: enum { path, url, host, repo, bucket, table, queue, topic, other },
  value: String[max 8192],
  operation: String[max 64]?,
  sensitivity: String[max 64]?,
  endpoint_class: enum {
    "fs.read", "fs.write", "fs.delete", "proc.exec", "net.http", "net.dns", "ui.click", "ui.type", "ui.navigate", other
  }?,
  endpoint_domain: String[max 256]?,
  destructive: Bool?,
  discovery_method: enum { webmcp, dynamic_mcp, a2a, mcp, static_mcp, manual, unknown }?,
  read_only_hint: Bool?,
  destructive_hint: Bool?,
  idempotent_hint: Bool?,
  open_world_hint: Bool?
}, max 1000]? }, max 64] }?"#;

/// Every field that a condition may look at.
pub(super) const FIELDS: [Declared; 34] = [
    field("context.script", Some(SCRIPT), Some("script"), Spelling::Any),
    field(
        "context.identity",
        None,
        Some("context.identity"),
        Spelling::Trimmed,
    ),
    field(
        "context.workspace",
        None,
        Some("context.workspace"),
        Spelling::Trimmed,
    ),
    field(
        "context.workspace_folder",
        Some("Path"),
        Some("context.workspace"),
        Spelling::Any,
    ),
    field(
        "context.risk_class",
        None,
        Some("context.risk_class"),
        Spelling::Folded,
    ),
    field("context.phase", None, Some("context.phase"), Spelling::Any),
    field(
        "context.environment",
        None,
        Some("context.environment"),
        Spelling::Trimmed,
    ),
    field("context.repo", None, Some("context.repo"), Spelling::Trimmed),
    field(
        "context.agent_id",
        None,
        Some("context.agent_id"),
        Spelling::Trimmed,
    ),
    field("context.run_id", None, Some("context.run_id"), Spelling::Trimmed),
    field(
        "context.workflow_id",
        None,
        Some("context.workflow_id"),
        Spelling::Trimmed,
    ),
    field("context.job_id", None, Some("context.job_id"), Spelling::Trimmed),
    field(
        "context.approval_ref",
        None,
        Some("context.approval_ref"),
        Spelling::Trimmed,
    ),
    field(
        "context.wrkr_inventory_ref",
        TEXT,
        Some("context.wrkr_inventory_ref"),
        Spelling::Trimmed,
    ),
    field(
        "context.agent_action_bom_ref",
        TEXT,
        Some("context.agent_action_bom_ref"),
        Spelling::Trimmed,
    ),
    field(
        "context.agent",
        None,
        Some("context.agent_identity"),
        Spelling::Any,
    ),
    field(
        "context.credential_ref",
        None,
        Some("context.credential_ref"),
        Spelling::Trimmed,
    ),
    field(
        "context.credential_source",
        None,
        Some("context.credential_source"),
        Spelling::Folded,
    ),
    field(
        "context.credential_access",
        None,
        Some("context.credential_access_type"),
        Spelling::Folded,
    ),
    field(
        "context.credential_issuer",
        None,
        Some("context.credential_issuer"),
        Spelling::Trimmed,
    ),
    field(
        "context.credential_ttl_seconds",
        None,
        Some("context.credential_ttl_seconds"),
        Spelling::Any,
    ),
    field(
        "context.credential_target",
        None,
        Some("context.credential_target_binding"),
        Spelling::Any,
    ),
    field(
        "context.credential_run",
        None,
        Some("context.credential_run_binding"),
        Spelling::Trimmed,
    ),
    field(
        "context.credential_job",
        None,
        Some("context.credential_job_binding"),
        Spelling::Trimmed,
    ),
    field("context.sandbox", None, Some("context.sandbox"), Spelling::Any),
    field("context.delegation", None, Some("delegation"), Spelling::Any),
    field("context.skill", None, Some("skill_provenance"), Spelling::Any),
    field("context.arg_sources", None, Some("arg_provenance"), Spelling::Any),
    field(TARGETS, None, Some("targets"), Spelling::Any),
    field(
        "context.inventory_tool_name",
        TEXT,
        Some("context.auth_context.\"wrkr.tool_name\""),
        Spelling::Folded,
    ),
    field(
        "context.inventory_data_class",
        TEXT,
        Some("context.auth_context.\"wrkr.data_class\""),
        Spelling::Folded,
    ),
    field(
        "context.inventory_endpoint_class",
        TEXT,
        Some("context.auth_context.\"wrkr.endpoint_class\""),
        Spelling::Folded,
    ),
    field(
        "context.inventory_autonomy_level",
        TEXT,
        Some("context.auth_context.\"wrkr.autonomy_level\""),
        Spelling::Folded,
    ),
    field("context.context_evidence", FLAG, None, Spelling::Any),
];

/// Facts that only the host knows.
pub(super) const HOST: [Declared; 3] = [
    field("context.mcp_server_trusted", FLAG, None, Spelling::Any),
    field("context.broker_credential", FLAG, None, Spelling::Any),
    field("context.delegation_verified", FLAG, None, Spelling::Any),
];

/// Fields that every intent states, so that they are no optionals.
const ALWAYS: [&str; 3] = ["identity", "workspace", "risk_class"];

/// The declaration of a field.
pub(super) fn find(name: &str) -> Option<&'static Declared> {
    FIELDS.iter().chain(&HOST).find(|field| field.name == name)
}

/// What is wrong with the spelling of the texts in these fields; `false` where nothing can be.
pub(super) fn misspelt<'f>(used: impl Iterator<Item = &'f str>) -> Cond {
    or(used
        .filter_map(find)
        .map(|field| match (field.name, field.spelling) {
            (FIELD, _) => targets(),
            ("delegation", _) => delegation(),
            ("workspace", _) => or([
                wrong(field.name, "trimmed"),
                ask("context.workspace contains \"\\\\\"", &["workspace"]),
            ]),
            (_, Spelling::Any) => Cond::Const(false),
            (name, Spelling::Trimmed) => wrong(name, "trimmed"),
            (name, Spelling::Folded) => wrong(name, "folded"),
        }))
}

fn wrong(name: &'static str, form: &str) -> Cond {
    if ALWAYS.contains(&name) {
        return not(ask(format!("v1.{form}(context.{name})"), &[name]));
    }
    let place = find(name).map_or("", |field| field.place);
    any("x", place, Some(name), not(of(format!("v1.{form}(x)"))))
}

fn part(place: &str, form: &str) -> Cond {
    not(of(format!("v1.{form}({place})")))
}

/// A text that may be missing.
fn optional(place: &'static str, form: &str) -> Cond {
    any("x", place, None, part("x", form))
}

fn targets() -> Cond {
    let wrong = [
        part("t.value", "trimmed"),
        optional("t.operation", "folded"),
        optional("t.sensitivity", "folded"),
        optional("t.endpoint_domain", "folded"),
    ];
    any("t", TARGETS, Some(FIELD), or(wrong))
}

fn delegation() -> Cond {
    let link = or([
        part("l.delegator_identity", "trimmed"),
        part("l.delegate_identity", "trimmed"),
        optional("l.scope_class", "folded"),
    ]);
    let whole = [
        part("d.requester_identity", "trimmed"),
        optional("d.scope_class", "folded"),
        any("l", "d.chain", None, link),
    ];
    any("d", "context.delegation", Some("delegation"), or(whole))
}

/// The host has said so.
pub(super) fn known(fact: &'static str) -> Cond {
    ask(format!("(context.{fact} else false)"), &[fact])
}

/// The call is only planned.
pub(super) fn planned() -> Cond {
    ask("(context.phase else apply) == plan", &["phase"])
}

/// A text of the context that is missing or empty.
pub(super) fn missing(name: &'static str) -> Cond {
    not(present(name))
}

/// A text of the context that is there.
pub(super) fn present(name: &'static str) -> Cond {
    ask(format!("(context.{name} else \"\") != \"\""), &[name])
}

/// A number of the context within bounds.
pub(super) fn at_most(name: &'static str, most: Option<i64>) -> Cond {
    let some = ask(format!("(context.{name} else 0) > 0"), &[name]);
    let bound = most.map(|most| ask(format!("(context.{name} else 0) <= {most}"), &[name]));
    and(std::iter::once(some).chain(bound))
}
