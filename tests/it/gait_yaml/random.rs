//! Random policies of the Go system and random intents, from few words, so that what one asks and the other says
//! overlap. Out: JSON, which is YAML too.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

const TOOLS: [&str; 5] = ["tool.write", "tool.read", "db.wipe", "spreadsheet.delete", "run"];
const RISKS: [&str; 3] = ["low", "high", "critical"];
const KINDS: [&str; 6] = ["path", "url", "host", "table", "bucket", "other"];
const OPERATIONS: [&str; 6] = ["read", "write", "delete", "exec", "lookup", "wipe"];
const CLASSES: [&str; 7] = [
    "fs.read",
    "fs.write",
    "fs.delete",
    "proc.exec",
    "net.http",
    "net.dns",
    "other",
];
const VALUES: [&str; 8] = [
    "/ws/a.txt",
    "/ws/../etc/passwd",
    "/etc/passwd",
    "/wsx",
    "https://api.acme.example/x",
    "https://api.acme.example@evil.example/",
    "api.acme.example",
    "EVIL.example:443",
];
const PATHS: [&str; 5] = ["/ws/**", "/ws/*.txt", "/etc/passwd", "/ws", "/**"];
const DOMAINS: [&str; 4] = ["api.acme.example", "*.acme.example", "evil.example", "*.example"];
const SOURCES: [&str; 4] = ["user", "tool_output", "external", "system"];
const PEOPLE: [&str; 3] = ["ann", "bob", "Ann"];
const WORDS: [&str; 3] = ["alpha", "beta", "gamma"];
const DISCOVERY: [&str; 3] = ["mcp", "webmcp", "unknown"];
const ACCESS: [&str; 4] = ["jit", "standing", "static", "unknown"];
const CREDENTIALS: [&str; 4] = ["aws_sts", "github_oidc", "env", "unknown"];
const STATES: [&str; 2] = ["active", "approved"];
const FOLDERS: [&str; 4] = ["/ws", "/tmp", "/wsx", "/usr/share"];
const DIGEST: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
/// The time of every call.
pub const NOW: &str = "2026-03-10T10:00:00";

/// The names of every tool that is called.
pub fn tools() -> impl Iterator<Item = String> {
    TOOLS.iter().map(|name| (*name).to_owned())
}

fn some(of: &'static [&'static str]) -> BoxedStrategy<Value> {
    subsequence(of, 1..of.len())
        .prop_map(|words| json!(words))
        .boxed()
}

fn one(of: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(of).prop_map(Value::from).boxed()
}

fn flag() -> BoxedStrategy<Value> {
    any::<bool>().prop_map(Value::from).boxed()
}

fn number(least: i64, most: i64) -> BoxedStrategy<Value> {
    (least..=most).prop_map(Value::from).boxed()
}

/// An object in which each member is there now and then.
fn object(likely: f64, members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| weighted(likely, value).prop_map(move |value| (name, value)))
        .collect();
    members
        .prop_map(|members| {
            let there = members
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Value::Object(there.collect::<Map<String, Value>>())
        })
        .boxed()
}

/// The members of both.
fn joined(a: BoxedStrategy<Value>, b: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    (a, b)
        .prop_map(|(mut a, b)| {
            if let (Value::Object(a), Value::Object(b)) = (&mut a, b) {
                a.extend(b);
            }
            a
        })
        .boxed()
}

fn matched() -> BoxedStrategy<Value> {
    let hints = ["readOnlyHint", "destructiveHint"].map(|hint| (hint, flag()));
    let often = object(
        0.3,
        vec![
            ("tool_names", some(&TOOLS)),
            ("risk_classes", some(&RISKS)),
            ("target_kinds", some(&KINDS)),
            ("endpoint_classes", some(&CLASSES)),
            ("provenance_sources", some(&SOURCES)),
        ],
    );
    let seldom = object(
        0.06,
        vec![
            ("identities", some(&PEOPLE)),
            ("workspace_prefixes", some(&FOLDERS)),
            ("target_values", some(&VALUES)),
            ("destination_kinds", some(&KINDS)),
            ("destination_values", some(&VALUES)),
            ("destination_operations", some(&OPERATIONS)),
            ("data_classes", some(&WORDS)),
            ("discovery_method", some(&DISCOVERY)),
            ("tool_annotations", object(0.5, hints.into())),
            ("skill_publishers", some(&WORDS)),
            ("skill_sources", some(&WORDS)),
            ("context_tool_names", some(&WORDS)),
            ("context_autonomy_levels", some(&WORDS)),
            ("require_delegation", flag()),
            ("allowed_delegator_identities", some(&PEOPLE)),
            ("allowed_delegate_identities", some(&PEOPLE)),
            ("delegation_scopes", some(&WORDS)),
            ("max_delegation_depth", number(0, 2)),
        ],
    );
    joined(often, seldom)
}

fn strict() -> BoxedStrategy<Value> {
    one(&["require_approval", "block"])
}

fn endpoint() -> BoxedStrategy<Value> {
    object(
        0.4,
        vec![
            ("path_allowlist", some(&PATHS)),
            ("path_denylist", some(&PATHS)),
            ("domain_allowlist", some(&DOMAINS)),
            ("domain_denylist", some(&DOMAINS)),
            ("egress_classes", some(&["net.http", "net.dns"])),
            ("action", strict()),
            ("destructive_action", strict()),
        ],
    )
}

fn freeze() -> BoxedStrategy<Value> {
    let past = json!({"start": "2026-03-01T09:00:00", "end": "2026-03-01T12:00:00"});
    let open = json!({"name": "now", "start": "2026-03-10T09:00:00", "end": "2026-03-10T12:00:00"});
    let windows = select(vec![json!([past]), json!([open]), json!([past, open])]);
    let rest = object(
        0.5,
        vec![
            ("effect", strict()),
            ("environments", some(&WORDS)),
            ("risk_classes", some(&RISKS)),
        ],
    );
    let zone = windows.prop_map(|windows| json!({"timezone": "Europe/Berlin", "windows": windows}));
    joined(zone.boxed(), rest)
}

fn rule() -> BoxedStrategy<Value> {
    let sandbox = object(
        0.4,
        vec![
            ("enabled", Just(json!(true)).boxed()),
            (
                "allowed_network_modes",
                some(&["disabled", "egress_allowlist", "full"]),
            ),
            ("allowed_writable_path_prefixes", some(&FOLDERS)),
            ("required_read_only_roots", some(&FOLDERS)),
            ("max_timeout_seconds", number(1, 60)),
            ("allowed_user_modes", some(&["default", "root", "unprivileged"])),
        ],
    );
    let dataflow = object(
        0.5,
        vec![
            ("enabled", Just(json!(true)).boxed()),
            ("tainted_sources", some(&SOURCES)),
            ("destination_kinds", some(&KINDS)),
            ("destination_operations", some(&OPERATIONS)),
            ("action", strict()),
        ],
    );
    let budget = json!({"requests": 3, "window": "hour", "scope": "identity"});
    let blocks = object(
        0.07,
        vec![
            ("endpoint", endpoint()),
            ("dataflow", dataflow),
            ("freeze_window", freeze()),
            ("sandbox", sandbox),
            (
                "rate_limit",
                object(
                    0.7,
                    vec![("requests", number(1, 5)), ("scope", one(&["tool", "identity"]))],
                ),
            ),
            ("destructive_budget", Just(budget).boxed()),
            ("min_approvals", number(0, 3)),
            ("require_context_evidence", Just(json!(true)).boxed()),
            ("require_broker_credential", flag()),
            ("broker_reference", one(&WORDS)),
            ("block_standing_credentials", Just(json!(true)).boxed()),
            ("allowed_credential_sources", some(&CREDENTIALS)),
            ("allowed_credential_issuers", some(&WORDS)),
            ("allowed_credential_access_types", some(&ACCESS)),
            ("max_credential_ttl_seconds", number(1, 900)),
            ("require_jit_credential", Just(json!(true)).boxed()),
            ("require_declared_agent", Just(json!(true)).boxed()),
            ("allowed_agent_ids", some(&WORDS)),
            ("denied_agent_ids", some(&WORDS)),
            ("required_agent_manifest_digest", Just(json!(DIGEST)).boxed()),
            ("allowed_agent_manifest_publishers", some(&WORDS)),
            ("required_agent_lifecycle_states", some(&STATES)),
            ("require_agent_owner", Just(json!(true)).boxed()),
            ("require_unexpired_agent", Just(json!(true)).boxed()),
            ("reason_codes", some(&WORDS)),
        ],
    );
    let head = (
        one(&["allow", "allow", "dry_run", "require_approval", "block"]),
        0..3i64,
        matched(),
    );
    let head = head.prop_map(
        |(effect, priority, matched)| json!({"effect": effect, "priority": priority, "match": matched}),
    );
    joined(head.boxed(), blocks)
}

/// A policy; its rules have names of their own.
pub fn policy() -> BoxedStrategy<Value> {
    let fail_closed = object(
        0.5,
        vec![
            ("enabled", flag()),
            ("risk_classes", some(&RISKS)),
            (
                "required_fields",
                some(&["targets", "arg_provenance", "delegation", "endpoint_class"]),
            ),
            (
                "required_high_risk_fields",
                some(&["agent_id", "repo", "credential_ttl_seconds", "agent_identity"]),
            ),
        ],
    );
    let head = object(
        0.8,
        vec![(
            "default_verdict",
            one(&["allow", "dry_run", "require_approval", "block"]),
        )],
    );
    let head = joined(head, object(0.2, vec![("fail_closed", fail_closed)]));
    (head, vec(rule(), 0..5))
        .prop_map(|(mut policy, rules)| {
            let rules = rules.into_iter().enumerate().map(|(index, mut rule)| {
                rule["name"] = json!(format!("Rule {index}"));
                rule
            });
            policy["rules"] = rules.collect();
            policy
        })
        .boxed()
}

fn target() -> BoxedStrategy<Value> {
    let head = (one(&KINDS), one(&VALUES)).prop_map(|(kind, value)| json!({"kind": kind, "value": value}));
    let rest = object(
        0.3,
        vec![
            ("operation", one(&OPERATIONS)),
            ("endpoint_class", one(&CLASSES)),
            ("endpoint_domain", one(&["api.acme.example", "evil.example"])),
            ("sensitivity", one(&WORDS)),
            ("destructive", flag()),
            ("discovery_method", one(&DISCOVERY)),
            ("read_only_hint", flag()),
            ("destructive_hint", flag()),
        ],
    );
    joined(head.boxed(), rest)
}

fn delegation() -> BoxedStrategy<Value> {
    let link = (one(&PEOPLE), one(&PEOPLE), one(&WORDS)).prop_map(|(from, to, scope)| {
        json!({"delegator_identity": from, "delegate_identity": to, "scope_class": scope})
    });
    (one(&PEOPLE), one(&WORDS), vec(link, 0..3))
        .prop_map(|(requester, scope, chain)| {
            json!({"requester_identity": requester, "scope_class": scope, "chain": chain})
        })
        .boxed()
}

fn context() -> BoxedStrategy<Value> {
    let head = (
        one(&PEOPLE),
        one(&["/ws/app", "/wsx", "/tmp"]),
        one(&["low", "high", "critical", "HIGH"]),
    );
    let head = head.prop_map(|(identity, workspace, risk)| {
        json!({"identity": identity, "workspace": workspace, "risk_class": risk})
    });
    let credential = object(
        0.8,
        vec![
            ("credential_ref", one(&WORDS)),
            ("credential_source", one(&CREDENTIALS)),
            ("credential_access_type", one(&ACCESS)),
            ("credential_issuer", one(&WORDS)),
            ("credential_ttl_seconds", number(1, 1_000)),
            ("credential_run_binding", one(&["r1"])),
            ("run_id", one(&["r1", "r1", "r2"])),
            ("agent_id", one(&WORDS)),
            ("environment", one(&["alpha", "Beta"])),
        ],
    );
    let agent = object(
        0.8,
        vec![
            ("lifecycle_states", some(&["active", "approved", "retired"])),
            ("owner", one(&WORDS)),
            ("manifest_digest", Just(json!(DIGEST)).boxed()),
            ("publisher", one(&WORDS)),
            ("source", one(&WORDS)),
            (
                "expires_at",
                one(&["2026-03-01T00:00:00Z", "2027-03-01T00:00:00Z"]),
            ),
            ("revoked", flag()),
        ],
    );
    let sandbox = object(
        0.85,
        vec![
            ("network_mode", one(&["disabled", "full"])),
            ("writable_paths", some(&["/ws/out", "/tmp", "/wsx"])),
            ("read_only_roots", some(&FOLDERS)),
            ("timeout_seconds", number(0, 90)),
            ("user_mode", one(&["root", "unprivileged"])),
            ("evidence_ref", one(&WORDS)),
            ("evidence_digest", Just(json!(DIGEST)).boxed()),
        ],
    );
    let inventory = object(
        0.6,
        vec![
            ("wrkr.tool_name", one(&WORDS)),
            ("wrkr.autonomy_level", one(&WORDS)),
        ],
    );
    let blocks = object(
        0.5,
        vec![
            ("phase", one(&["plan", "apply"])),
            ("agent_identity", agent),
            ("sandbox", sandbox),
            ("auth_context", inventory),
        ],
    );
    joined(joined(head.boxed(), credential), blocks)
}

/// An intent.
pub fn intent() -> BoxedStrategy<Value> {
    let origin = (one(&["args.a", "args.b"]), one(&SOURCES));
    let origin = origin.prop_map(|(path, source)| json!({"arg_path": path, "source": source}));
    let skill = (one(&WORDS), one(&["alpha", "Beta"]))
        .prop_map(|(source, publisher)| json!({"skill_name": "s", "source": source, "publisher": publisher}));
    let rest = object(
        0.5,
        vec![
            ("arg_provenance", vec(origin, 0..3).prop_map(Value::from).boxed()),
            ("delegation", delegation()),
            ("skill_provenance", skill.boxed()),
        ],
    );
    let head = (one(&TOOLS), vec(target(), 0..3), context()).prop_map(|(tool, targets, context)| {
        json!({
            "schema_id": "gait.gate.intent_request",
            "schema_version": "1.0.0",
            "created_at": "2026-03-10T09:00:00Z",
            "producer_version": "test",
            "tool_name": tool,
            "args": {"a": 1},
            "targets": targets,
            "context": context,
        })
    });
    joined(head.boxed(), rest)
}
