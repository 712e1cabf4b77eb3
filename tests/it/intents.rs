//! `Intent::read` against every intent of the corpora, against the published JSON Schema, and against mutations.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gait::domain::Intent;
use gait::gate::intent::CODES;
use gait::json::Json;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::corpora;

/// Files of the Go corpus that are refused, and with which code. All others that hold an intent are accepted.
const REFUSED: &[(&str, &str)] = &[
    (
        "core/schema/testdata/gate_intent_request_skill_invalid.json",
        "intent.bad_value",
    ),
    (
        "core/schema/testdata/gate_intent_request_enterprise_context_invalid.json",
        "intent.wrong_type",
    ),
    (
        "core/schema/testdata/gate_intent_request_invalid.json",
        "intent.bad_value",
    ),
    (
        "core/schema/testdata/gate_intent_request_endpoint_invalid.json",
        "intent.bad_value",
    ),
    ("core/schema/testdata/intent_valid.jsonl", "intent.schema_version"),
    (
        "core/schema/testdata/intent_invalid.jsonl",
        "intent.schema_version",
    ),
    (
        "core/schema/testdata/voice_commitment_intent_valid.json",
        "intent.schema_version",
    ),
    (
        "core/schema/testdata/voice_commitment_intent_invalid.json",
        "intent.schema_version",
    ),
    ("core/gate/testdata/intent_equivalent_b.json", "intent.bad_value"),
];

/// Every member the shape has, each with a value it may hold.
fn full() -> Value {
    let digest = "ab".repeat(32);
    let time = "2026-01-31T12:00:00Z";
    json!({
        "schema_id": "gait.gate.intent_request", "schema_version": "1.0.0", "created_at": time,
        "producer_version": "1.2.3", "tool_name": "pay.transfer",
        "args": {"amount": 98.7, "note": " as is ", "a": 1, "a ": [{"deep": null}]},
        "args_digest": digest, "intent_digest": format!("sha256:{digest}"), "script_hash": digest,
        "targets": [{
            "kind": "url", "value": "https://a.example/", "operation": "write", "sensitivity": "",
            "endpoint_class": "net.http", "endpoint_domain": "a.example", "destructive": false,
            "discovery_method": "mcp", "read_only_hint": false, "destructive_hint": true,
            "idempotent_hint": false, "open_world_hint": true}],
        "arg_provenance": [
            {"arg_path": "args.to", "source": "user", "source_ref": "call:0", "integrity_digest": digest}],
        "skill_provenance": {"skill_name": "s", "source": "registry", "publisher": "acme",
            "skill_version": "1", "digest": digest, "signature_key_id": "k"},
        "delegation": {"requester_identity": "ann", "scope_class": "w", "token_refs": ["t"],
            "issued_at": time, "expires_at": time, "chain": [{"delegator_identity": "bob",
            "delegate_identity": "ann", "scope_class": "w", "token_ref": "t", "issued_at": time,
            "expires_at": time}]},
        "relationship": full_relationship(&digest),
        "context": full_context(&digest, time)
    })
}

/// The same for a script.
fn full_script() -> Value {
    let (mut script, targets) = (full(), full()["targets"].take());
    let step = json!({"tool_name": "pay.transfer", "args": {"amount": 98.7}, "targets": targets,
        "arg_provenance": full()["arg_provenance"].take()});
    script["tool_name"] = json!("script");
    script["args"] = json!({});
    script["script"] = json!({"steps": [step, {"tool_name": "t", "args": {}}]});
    script
}

fn full_context(digest: &str, time: &str) -> Value {
    json!({
            "identity": "ann", "workspace": "/work dir", "risk_class": "HIGH", "phase": "plan", "agent_id": "a",
            "agent_identity": {"lifecycle_states": ["l"], "owner": "o", "manifest_digest": digest,
                "publisher": "p", "source": "s", "issued_at": time, "approved_at": time, "expires_at": time,
                "revoked": false},
            "run_id": "r", "workflow_id": "w", "job_id": "j", "session_id": "s", "request_id": "",
            "repo": "r", "environment": "prod", "environment_fingerprint": "f", "credential_ref": "c",
            "credential_source": "c", "credential_access_type": "c", "credential_issuer": "c",
            "credential_subject": "c", "credential_owner": "c", "credential_scopes": ["c"],
            "credential_ttl_seconds": 60, "credential_target_binding": "c", "credential_run_binding": "c",
            "credential_job_binding": "c", "approval_ref": "a", "wrkr_inventory_ref": "w",
            "agent_action_bom_ref": "a", "auth_context": {"free": [1, {"x": true}]},
            "sandbox": {"network_mode": "full", "writable_paths": ["/w"], "read_only_roots": ["/r"],
                "env_exposure_mode": "none", "timeout_seconds": 0, "filesystem_isolation": "none",
                "user_mode": "root", "evidence_ref": "e", "evidence_digest": digest},
            "context_set_digest": digest, "context_evidence_mode": "required", "context_refs": ["c"]})
}

fn full_relationship(digest: &str) -> Value {
    json!({
            "parent_ref": {"kind": "session", "id": "s"}, "entity_refs": [{"kind": "tool", "id": "t"}],
            "policy_ref": {"policy_id": "p", "policy_version": "1", "policy_digest": digest,
                "matched_rule_ids": ["r"]},
            "agent_chain": [{"identity": "ann", "role": "requester"}],
            "edges": [{"kind": "calls", "from": {"kind": "agent", "id": "a"}, "to": {"kind": "tool", "id": "t"}}],
            "parent_record_id": "x", "related_record_ids": ["x"], "related_entity_ids": ["x"],
            "agent_lineage": [{"agent_id": "a", "delegated_by": "b", "delegation_record_id": "c"}]})
}

fn code(bytes: &[u8]) -> Option<&'static str> {
    Intent::read(bytes).err().map(|e| e.code)
}

fn read(document: &Value) -> Result<Intent, gait::gate::IntentError> {
    Intent::read(&serde_json::to_vec(document).unwrap())
}

fn validator() -> jsonschema::Validator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/v1/gate/intent_request.schema.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

fn walk(dir: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, out);
        } else {
            out.push(path);
        }
    }
}

/// Every document of the Go corpus that is or is called an intent, with its path; JSONL files give one per line.
fn go_corpus() -> Option<Vec<(String, Vec<u8>)>> {
    let root = corpora::dir()?.join("gait-yaml");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let mut out = Vec::new();
    for file in files {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let base = name.rsplit('/').next().unwrap();
        let called = base.contains("intent") && !base.ends_with(".schema.json");
        if called && base.ends_with(".json") {
            out.push((name, std::fs::read(&file).unwrap()));
        } else if called && base.ends_with(".jsonl") {
            let text = std::fs::read_to_string(&file).unwrap();
            out.extend(
                text.lines()
                    .filter(|l| !l.trim().is_empty())
                    .map(|l| (name.clone(), l.as_bytes().to_vec())),
            );
        }
    }
    Some(out)
}

fn agentdojo() -> Option<Vec<Value>> {
    let file = std::fs::File::open(corpora::dir()?.join("agentdojo/intents.jsonl.gz")).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    Some(
        text.lines()
            .map(|l| serde_json::from_str::<Value>(l).unwrap()["intent"].take())
            .collect(),
    )
}

#[test]
fn every_intent_of_the_go_corpus_is_read_as_a_person_would() {
    let Some(corpus) = go_corpus() else { return };
    let schema = validator();
    let mut met = BTreeSet::new();
    for (path, bytes) in &corpus {
        let expected = REFUSED.iter().find(|(p, _)| p == path).map(|(_, code)| *code);
        let got = Intent::read(bytes);
        assert_eq!(got.as_ref().err().map(|e| e.code), expected, "{path}: {got:?}");
        assert_eq!(
            schema.is_valid(&serde_json::from_slice(bytes).unwrap()),
            got.is_ok(),
            "schema on {path}"
        );
        met.insert(path.as_str());
    }
    assert!(corpus.len() >= 60, "only {} intents found", corpus.len());
    for (path, _) in REFUSED {
        assert!(met.contains(path), "{path} is not in the corpus");
    }
}

#[test]
fn every_intent_the_index_names_was_met() {
    let (Some(dir), Some(corpus)) = (corpora::dir(), go_corpus()) else {
        return;
    };
    let met: BTreeSet<&str> = corpus.iter().map(|(path, _)| path.as_str()).collect();
    let index = std::fs::read_to_string(dir.join("gait-yaml/index.jsonl")).unwrap();
    for line in index.lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        let intent = row["intent"].as_str().unwrap();
        assert!(met.contains(intent), "{intent}");
    }
}

#[test]
fn every_agentdojo_intent_is_accepted() {
    let Some(intents) = agentdojo() else { return };
    let schema = validator();
    assert_eq!(intents.len(), 1383);
    for intent in &intents {
        let got = read(intent).unwrap_or_else(|e| panic!("{e} in {intent}"));
        assert_eq!(intent["tool_name"], got.tool.as_str());
        assert!(schema.is_valid(intent), "{intent}");
    }
}

#[test]
fn refusals_name_the_place() {
    let base = serde_json::to_string(&full()).unwrap();
    assert_eq!(code(base.as_bytes()), None);
    for (find, replace, code, pointer) in [
        (
            "\"identity\":\"ann\",\"job_id\"",
            "\"idenity\":\"ann\",\"job_id\"",
            "unknown_field",
            "/context/idenity",
        ),
        ("\"tool_name\"", "\"tool_nmae\"", "unknown_field", "/tool_nmae"),
        (
            "\"tool_name\":\"pay.transfer\"",
            "\"tool_name\":\" pay.transfer\"",
            "bad_value",
            "/tool_name",
        ),
        (
            "\"tool_name\":\"pay.transfer\"",
            "\"tool_name\":7",
            "wrong_type",
            "/tool_name",
        ),
        (
            ",\"tool_name\":\"pay.transfer\"",
            "",
            "missing_field",
            "/tool_name",
        ),
        (
            "\"schema_version\":\"1.0.0\"",
            "\"schema_version\":\"1.0.1\"",
            "schema_version",
            "/schema_version",
        ),
        (
            "\"amount\":98.7",
            "\"amount\":-0.0",
            "number_not_exact",
            "/args/amount",
        ),
        (
            "\"amount\":98.7",
            "\"amount\":9007199254740993",
            "number_not_exact",
            "",
        ),
        (
            "\"amount\":98.7",
            "\"amount\":1,\"amount\":1",
            "duplicate_key",
            "",
        ),
        ("\"amount\":98.7", "\"amount\":01", "syntax", ""),
        (
            "\"args\":{",
            "\"script\":{\"steps\":[]},\"args\":{",
            "bad_script",
            "/script/steps",
        ),
        (
            "\"args\":{",
            "\"script\":{\"steps\":[{\"tool_name\":\"t\",\"args\":{}}]},\"args\":{",
            "bad_script",
            "/tool_name",
        ),
        (
            "\"kind\":\"url\"",
            "\"kind\":\"URL\"",
            "bad_value",
            "/targets/0/kind",
        ),
        (
            "\"credential_ttl_seconds\":60",
            "\"credential_ttl_seconds\":0",
            "bad_value",
            "/context/credential_ttl_seconds",
        ),
        (
            "\"args_digest\":\"ab",
            "\"args_digest\":\"zb",
            "bad_value",
            "/args_digest",
        ),
        (
            "\"phase\":\"plan\"",
            "\"phase\":null",
            "wrong_type",
            "/context/phase",
        ),
        (
            "\"free\":[",
            "\"a/b~\":-0,\"free\":[",
            "number_not_exact",
            "/context/auth_context/a~1b~0",
        ),
    ] {
        let text = base.replacen(find, replace, 1);
        assert!(text != base, "{find} is not in the base");
        let error = Intent::read(text.as_bytes()).unwrap_err();
        assert_eq!(
            (error.code, error.pointer.as_str()),
            (format!("intent.{code}").as_str(), pointer),
            "{error}"
        );
        assert!(CODES.iter().any(|(c, _)| *c == error.code));
    }
    let typo = base.replacen("\"tool_name\"", "\"tool_nmae\"", 1);
    assert!(
        Intent::read(typo.as_bytes())
            .unwrap_err()
            .message
            .contains("did you mean `tool_name`?")
    );
    let deep = base.replacen("98.7", &format!("{}{}", "[".repeat(99), "]".repeat(99)), 1);
    assert_eq!(code(deep.as_bytes()), Some("intent.too_large"));
    assert_eq!(code(b"[]"), Some("intent.wrong_type"));
}

#[test]
fn arguments_stay_as_received() {
    let intent = read(&full()).unwrap();
    assert_eq!(intent.args().get("note"), Some(&Json::str(" as is ")));
    assert_ne!(intent.args().get("a"), intent.args().get("a "));
    assert_eq!(intent.risk_class, "HIGH");
    assert_eq!(
        (intent.session_id.as_deref(), intent.request_id),
        (Some("s"), None)
    );
}

/// Places of a document: every value, by pointer.
fn places(value: &Value, at: &str, out: &mut Vec<String>) {
    out.push(at.to_owned());
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(k, v)| places(v, &format!("{at}/{k}"), out)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(i, v)| places(v, &format!("{at}/{i}"), out)),
        _ => {}
    }
}

fn is_open(at: &str) -> bool {
    at.starts_with("/args/")
        || at == "/args"
        || at.starts_with("/script/steps/0/args")
        || at.starts_with("/context/auth_context")
}

/// Values that are wrong somewhere: other types, odd strings, near numbers.
fn odd() -> impl Strategy<Value = Value> {
    let odd_text = prop::sample::select(vec![
        "",
        " ",
        "x",
        " x",
        "x ",
        "x y",
        "x\ny",
        "\u{a0}x",
        "x\u{200b}",
        "\u{feff}",
        "\u{ad}",
        "é",
        "\u{85}",
        "\u{206f}x",
        "\u{2070}x",
        "\u{180d}",
        "url",
        "URL",
        "other",
        "plan",
        "1.0.0",
        "gait.gate.intent_request",
        "2026-02-30T00:00:00Z",
        "2024-02-29T00:00:00.5+01:00",
        "2026-01-01T00:00:60Z",
        "2026-01-01t00:00:00z",
        "abababababababababababababababababababababababababababababababab",
        "sha256:ABababababababababababababababababababababababababababababababab",
        "sha256:ababababababababababababababababababababababababababababababab",
    ]);
    prop_oneof![
        odd_text.prop_map(|t| json!(t)),
        "\\PC{0,6}".prop_map(|t| json!(t)),
        ".{0,3}".prop_map(|t| json!(t)),
        prop::sample::select(vec![
            json!(0),
            json!(1),
            json!(-1),
            json!(1.5),
            json!(2.0),
            json!(1e30),
            json!(null)
        ]),
        prop::sample::select(vec![
            json!(true),
            json!([]),
            json!({}),
            json!([1]),
            json!(["x"]),
            json!({"kind": "x"})
        ]),
        Just(json!(9_007_199_254_740_991_i64)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Replacing any value by another, the schema and the reader agree, and what is accepted is covered.
    #[test]
    fn schema_and_reader_agree_on_mutations(script in any::<bool>(), pick in any::<prop::sample::Index>(), value in odd()) {
        thread_local! { static SCHEMA: jsonschema::Validator = validator(); }
        let mut document = if script { full_script() } else { full() };
        let before = read(&document).unwrap().canonical();
        let mut all = Vec::new();
        places(&document, "", &mut all);
        let at = pick.get(&all);
        let old = std::mem::replace(document.pointer_mut(at).unwrap(), value.clone());
        let got = read(&document);
        let valid = SCHEMA.with(|s| s.is_valid(&document));
        prop_assert_eq!(valid, got.is_ok(), "{} = {}: {:?}", at, value, got.err());
        if let Ok(intent) = got {
            let claim = ["/args_digest", "/intent_digest", "/script_hash"].contains(&at.as_str());
            prop_assert_eq!(intent.canonical() == before, claim || old == value, "{} = {}", at, value);
        }
    }

    /// A member nobody declared is refused in every closed object, one written twice in every object.
    #[test]
    fn added_members_are_refused(script in any::<bool>(), pick in any::<prop::sample::Index>(), name in "[a-z_]{1,12}") {
        let mut document = if script { full_script() } else { full() };
        let mut all = Vec::new();
        places(&document, "", &mut all);
        // The arguments beside a script's steps are open, but have to be none.
        all.retain(|at| document.pointer(at).unwrap().as_object().is_some_and(|o| !o.is_empty()));
        let at = pick.get(&all);
        let object = document.pointer_mut(at).unwrap().as_object_mut().unwrap();
        let existing = object.keys().next().cloned().unwrap();
        prop_assume!(!object.contains_key(&name));
        object.insert("__mark__".to_owned(), json!(null));
        let text = serde_json::to_string(&document).unwrap();
        let twice = text.replace("\"__mark__\":null", &format!("\"{existing}\":null"));
        prop_assert_eq!(code(twice.as_bytes()), Some("intent.duplicate_key"));
        let object = document.pointer_mut(at).unwrap().as_object_mut().unwrap();
        object.remove("__mark__");
        let names_field = object.insert(name.clone(), json!(null)).is_none();
        let got = read(&document);
        if is_open(at) {
            prop_assert!(got.is_ok());
        } else {
            let error = got.unwrap_err();
            prop_assert!(names_field);
            // A member of the shape that `full` lacks does not exist, except the script.
            let expected = if name == "script" { "intent.wrong_type" } else { "intent.unknown_field" };
            prop_assert_eq!((error.code, error.pointer), (expected, format!("{at}/{name}")));
        }
    }

    /// Every required member is missed, wherever it is taken away; every optional one is not.
    #[test]
    fn schema_and_reader_agree_on_removals(script in any::<bool>(), pick in any::<prop::sample::Index>()) {
        thread_local! { static SCHEMA: jsonschema::Validator = validator(); }
        let mut document = if script { full_script() } else { full() };
        let mut all = Vec::new();
        places(&document, "", &mut all);
        let (parent, name) = pick.get(&all[1..]).rsplit_once('/').unwrap();
        if let Some(object) = document.pointer_mut(parent).unwrap().as_object_mut() {
            object.remove(name);
        }
        prop_assert_eq!(SCHEMA.with(|s| s.is_valid(&document)), read(&document).is_ok(), "{}/{}", parent, name);
    }

    /// Two numbers share a canonical document exactly when they are the same number.
    #[test]
    fn canonical_documents_tell_numbers_apart(
        a in (-1000i64..1000, -3i32..4, 0usize..3), b in (-1000i64..1000, -3i32..4, 0usize..3),
    ) {
        let spell = |(m, e, zeros): (i64, i32, usize)| match zeros {
            0 => format!("{m}e{e}"),
            z => format!("{m}.{}E{e}", "0".repeat(z)),
        };
        let value = |(m, e, _): (i64, i32, usize)| i128::from(m) * 10i128.pow(u32::try_from(e + 3).unwrap());
        let base = serde_json::to_string(&full()).unwrap();
        let [first, second] = [a, b].map(|n| Intent::read(base.replacen("98.7", &spell(n), 1).as_bytes()).unwrap());
        prop_assert_eq!(first.canonical() == second.canonical(), value(a) == value(b));
    }

    /// Bytes of any kind are read or refused, never more.
    #[test]
    fn damaged_bytes_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = serde_json::to_vec(&full()).unwrap();
        let at = at.index(bytes.len());
        if cut { bytes.truncate(at) } else { bytes[at] = byte }
        if let Err(error) = Intent::read(&bytes) {
            prop_assert!(CODES.iter().any(|(c, _)| *c == error.code));
            prop_assert!(!error.message.is_empty());
        }
    }
}
