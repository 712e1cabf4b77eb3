//! `fixtures/artifacts/`: every valid artifact verifies, every tampered one is refused with the code in its name. The
//! files are made here; `GAIT_BLESS=1` writes them, and without it they must be what would be written.

use crate::cli::{document, exit, gait, text};
use crate::cli_keys::refusal;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use gait::artifact::archive::{self, Entry};
use gait::artifact::attestation::{About, Attestation};
use gait::artifact::credential::BrokerKind;
use gait::artifact::delegation::Delegation;
use gait::artifact::digest::of_json;
use gait::artifact::envelope::{self, Payload};
use gait::artifact::{
    BundleContents, CallOutcome, CredentialRecord, Digest, GivenApproval, KillSwitch, PayloadType, PolicyRef,
    RunpackContents, SettledLimit, Signed, SigningKey, StopEntry, Subject, TraceRecord, TrustedKeys, bundle,
    given, jcs, runpack, time, trace,
};
use gait::bundling::{self, Built};
use gait::compile;
use gait::domain::{Enforcement, Intent, Request, Stop, StopScope, StopTarget, Verdict};
use gait::gate::Gate;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The key of every fixture.
pub fn key() -> SigningKey {
    SigningKey::from_seed(b"a key for tests, known to anyone")
}

fn now() -> Timestamp {
    time::parse("2026-11-23T12:00:00.000Z").unwrap()
}

fn trusted() -> TrustedKeys {
    TrustedKeys::new([key().verifying_key()])
}

fn built() -> Built {
    let report = compile::check("policy.gaitpol", crate::cli_bundle::POLICY);
    bundling::build(&report.checked.unwrap(), 1, &key()).unwrap()
}

/// The fixture bundle with other contents, signed all the same.
pub fn forged_bundle(change: impl FnOnce(&mut BundleContents)) -> Vec<u8> {
    let mut contents = built().bundle.into_value().contents;
    change(&mut contents);
    bundle::build(contents, &key()).unwrap()
}

fn intent(number: u32) -> Intent {
    let document = serde_json::json!({
        "schema_id": "gait.gate.intent_request", "schema_version": "1.0.0",
        "created_at": "2026-11-23T12:00:00Z", "producer_version": "0.1.0",
        "tool_name": "pay.transfer",
        "args": { "to": "ann@acme.example", "amount": 4000 + number },
        "targets": [],
        "context": { "identity": "ann", "workspace": "/w", "risk_class": "low", "run_id": "run_1" },
    });
    Intent::read(document.to_string().as_bytes()).unwrap()
}

fn record(number: u32, previous: Option<Digest>, with_intent: bool) -> TraceRecord {
    let built = built();
    let gate = Gate::new(built.program);
    let intent = intent(number);
    let judged = gate.decide(&Request::intent(&intent), &mut gate.workspace());
    TraceRecord {
        script: None,
        trace_id: format!("trace_{number}"),
        created_at: now(),
        producer_version: "0.1.0".into(),
        bundle_digest: built.bundle.digest(),
        policy: PolicyRef {
            name: gate.program().policy.clone(),
            version: gate.program().version.clone(),
            profile: gate.program().profile,
        },
        intent_digest: of_json(&intent.canonical()),
        args_digest: of_json(intent.args()),
        call_digest: judged.canonical_args.as_ref().map(of_json),
        tool: intent.tool.to_string(),
        enforcement: Enforcement::Enforce,
        runs: judged.decision.verdict == Verdict::Allow,
        decision: judged.decision,
        correlation_id: None,
        traceparent: None,
        session_id: None,
        run_id: Some("run_1".into()),
        request_id: None,
        identity: Some("ann".into()),
        intent: with_intent.then(|| intent.canonical()),
        secrets: None,
        facts: None,
        fulfils: Vec::new(),
        approved_with: Vec::new(),
        delegated_with: Vec::new(),
        attested_with: Vec::new(),
        denied_with: Vec::new(),
        kill_switch: None,
        permit_until: None,
        state: None,
        previous,
    }
}

/// A trace of a decision on intent `number`.
pub fn signed_trace(number: u32, previous: Option<Digest>, with_intent: bool) -> Signed<TraceRecord> {
    trace::sign(&record(number, previous, with_intent), &key()).unwrap()
}

/// An approval of the call of trace 1.
pub fn an_approval() -> Vec<u8> {
    let approval = GivenApproval {
        denied: None,
        subject: Subject::of_trace(&record(1, None, false)).unwrap(),
        tool: "pay.transfer".into(),
        key: key().id(),
        given_at: now(),
        expires_at: time::parse("2026-11-23T12:15:00.000Z").unwrap(),
        nonce: "07".repeat(32),
    };
    given::sign(&approval, &key()).unwrap().0.into_bytes()
}

/// The second state of a kill switch, with a stop that is on and one that is off.
pub fn a_kill_switch() -> Vec<u8> {
    let stop = |id: &str, scope, disabled_at| StopEntry {
        stop: Stop { id: id.into(), scope },
        reason: "a leak".into(),
        by: "ann".into(),
        added_at: now(),
        expires_at: None,
        disabled_at,
    };
    let mails = StopScope {
        tool: Some("mail.*".into()),
        ..StopScope::default()
    };
    let host = StopScope {
        identity: Some("agent@acme.com".into()),
        target: Some(StopTarget {
            kind: "host".into(),
            value: "evil.example".into(),
        }),
        ..StopScope::default()
    };
    let state = KillSwitch {
        id: "07".repeat(32),
        sequence: 1,
        previous: Some(of_json(&gait::json::Json::Null)),
        issued_at: now(),
        fresh_until: time::parse("2026-11-30T12:00:00.000Z").unwrap(),
        stops: vec![stop("egress", host, None), stop("mails", mails, Some(now()))],
    };
    envelope::sign(&state, &key()).unwrap().into_bytes()
}

/// Ann lets a planner act for her.
pub fn a_delegation() -> Vec<u8> {
    let token = Delegation {
        delegator: "ann@acme.example".into(),
        key: key().id(),
        delegate: "planner".into(),
        delegate_key: SigningKey::from_seed(&[2; 32]).verifying_key(),
        tools: vec!["pay.transfer".into()],
        environment: Some("dev".into()),
        not_before: now(),
        expires_at: now() + SignedDuration::from_hours(8),
        depth: 1,
        parent: None,
        nonce: "0".repeat(64),
    };
    envelope::sign(&token, &key()).unwrap().into_bytes()
}

fn tampered_delegations() -> Vec<(&'static str, Vec<u8>)> {
    let good = a_delegation();
    let envelope: serde_json::Value = serde_json::from_slice(&good).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let resealed =
        |change: fn(&mut serde_json::Value)| seal(&edit(&payload, change), PayloadType::Delegation);
    vec![
        (
            "delegation_prolonged__verify.signature_invalid.json",
            repayload(&good, |p| p["expires_at"] = "2027-11-30T12:00:00.000Z".into()),
        ),
        (
            "delegation_of_more_tools__verify.signature_invalid.json",
            repayload(&good, |p| p["tools"] = serde_json::json!(["*"])),
        ),
        (
            "delegation_to_another_key__verify.signature_invalid.json",
            repayload(&good, |p| {
                let other = SigningKey::from_seed(&[3; 32]).verifying_key();
                p["delegate_key"] = serde_json::from_slice::<serde_json::Value>(&other.to_file()).unwrap();
                p["delegate_key"].as_object_mut().unwrap().remove("schema");
            }),
        ),
        (
            "delegation_of_another_key__verify.contents.json",
            resealed(|p| p["key_id"] = p["delegate_key"]["key_id"].clone()),
        ),
        (
            "delegation_of_no_tools__verify.shape.json",
            resealed(|p| p["tools"] = serde_json::json!([])),
        ),
        (
            "delegation_of_half_a_name__verify.shape.json",
            resealed(|p| p["tools"] = serde_json::json!(["pay.t*"])),
        ),
        (
            "delegation_deeper_than_any_chain__verify.shape.json",
            resealed(|p| p["depth"] = 8.into()),
        ),
        (
            "delegation_over_before_it_starts__verify.shape.json",
            resealed(|p| p["expires_at"] = p["not_before"].clone()),
        ),
        (
            "delegation_with_more__verify.shape.json",
            resealed(|p| p["role"] = "admin".into()),
        ),
        (
            "delegation_as_an_approval__verify.schema.json",
            seal(&payload, PayloadType::Approval),
        ),
    ]
}

/// A runtime vouches for the sandbox of a caller.
pub fn an_attestation() -> Vec<u8> {
    let body = br#"{"isolation": "container", "network": "none", "timeout": 30}"#;
    let statement = Attestation {
        kind: "sandbox".into(),
        about: About {
            identity: "agent-7".into(),
            environment: Some("dev".into()),
            ..About::default()
        },
        body: gait::json::parse(body).unwrap(),
        issued_at: now(),
        expires_at: now() + SignedDuration::from_mins(10),
        key: key().id(),
        nonce: "0".repeat(64),
    };
    envelope::sign(&statement, &key()).unwrap().into_bytes()
}

fn tampered_attestations() -> Vec<(&'static str, Vec<u8>)> {
    let good = an_attestation();
    let envelope: serde_json::Value = serde_json::from_slice(&good).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let resealed =
        |change: fn(&mut serde_json::Value)| seal(&edit(&payload, change), PayloadType::Attestation);
    let other = || SigningKey::from_seed(&[2; 32]).id().to_string();
    vec![
        (
            "attestation_cut_off__verify.not_json.json",
            good[..good.len() - 30].to_vec(),
        ),
        (
            "attestation_prolonged__verify.signature_invalid.json",
            repayload(&good, |p| p["expires_at"] = "2027-11-30T12:00:00.000Z".into()),
        ),
        (
            "attestation_of_another_body__verify.signature_invalid.json",
            repayload(&good, |p| p["body"]["network"] = "full".into()),
        ),
        (
            "attestation_about_somebody_else__verify.signature_invalid.json",
            repayload(&good, |p| p["about"]["identity"] = "agent-8".into()),
        ),
        (
            "attestation_of_another_key__verify.contents.json",
            seal(
                &edit(&payload, |p| p["key_id"] = other().into()),
                PayloadType::Attestation,
            ),
        ),
        (
            "attestation_about_nobody__verify.shape.json",
            resealed(|p| p["about"] = serde_json::json!({"environment": "dev"})),
        ),
        (
            "attestation_about_more__verify.shape.json",
            resealed(|p| p["about"]["tool"] = "shell.run".into()),
        ),
        (
            "attestation_over_before_it_starts__verify.shape.json",
            resealed(|p| p["expires_at"] = p["issued_at"].clone()),
        ),
        (
            "attestation_with_more__verify.shape.json",
            resealed(|p| p["role"] = "runtimes".into()),
        ),
        (
            "attestation_as_an_approval__verify.schema.json",
            seal(&payload, PayloadType::Approval),
        ),
    ]
}

/// What a runtime says became of the call of trace 1.
pub fn an_outcome() -> Vec<u8> {
    let outcome = CallOutcome {
        trace_digest: of_json(&record(1, None, false).to_json()),
        trace_id: "trace_1".into(),
        tool: "pay.transfer".into(),
        outcome: gait::domain::Outcome::Executed,
        redeemed_at: vec![now()],
        settled_at: now(),
        limits: vec![SettledLimit {
            limit: "spend".into(),
            amount: Some("12.50".into()),
        }],
    };
    envelope::sign(&outcome, &key()).unwrap().into_bytes()
}

fn tampered_outcomes() -> Vec<(&'static str, Vec<u8>)> {
    let good = an_outcome();
    let envelope: serde_json::Value = serde_json::from_slice(&good).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let resealed = |change: fn(&mut serde_json::Value)| seal(&edit(&payload, change), PayloadType::Outcome);
    vec![
        (
            "outcome_cut_off__verify.not_json.json",
            good[..good.len() - 2].to_vec(),
        ),
        (
            "outcome_other_word__verify.signature_invalid.json",
            repayload(&good, |payload| payload["outcome"] = "ambiguous".into()),
        ),
        (
            "outcome_as_a_trace__verify.schema.json",
            seal(&payload, PayloadType::Trace),
        ),
        (
            "outcome_unknown_word__verify.shape.json",
            resealed(|outcome| outcome["outcome"] = "done".into()),
        ),
        (
            "outcome_of_what_was_not_started__verify.shape.json",
            resealed(|outcome| outcome["redeemed_at"] = serde_json::json!([])),
        ),
        (
            "outcome_cost_of_what_failed__verify.shape.json",
            resealed(|outcome| outcome["outcome"] = "failed".into()),
        ),
    ]
}

/// A credential that was handed out for the call of trace 1.
pub fn a_credential() -> Vec<u8> {
    let record = CredentialRecord {
        trace_digest: of_json(&record(1, None, false).to_json()),
        trace_id: "trace_1".into(),
        tool: "pay.transfer".into(),
        step: 1,
        call_digest: of_json(&gait::json::Json::Null),
        run_id: Some("run_1".into()),
        session_id: None,
        credential: "bank".into(),
        broker: BrokerKind::Command,
        format: Some("gait".into()),
        program_digest: Some(of_json(&gait::json::Json::Null)),
        request_digest: of_json(&gait::json::Json::Null),
        issuer: Some("https://bank.example".into()),
        subject: Some("agent".into()),
        scope_asked: vec!["read".into(), "transfer".into()],
        scope: vec!["transfer".into()],
        scope_stated: true,
        ttl_seconds: 900,
        issued_at: Some(now()),
        expires_at: time::parse("2026-11-23T12:10:00.000Z").unwrap(),
        redeemed_at: now(),
        received_at: time::parse("2026-11-23T12:00:01.000Z").unwrap(),
    };
    envelope::sign(&record, &key()).unwrap().into_bytes()
}

fn tampered_credentials() -> Vec<(&'static str, Vec<u8>)> {
    let good = a_credential();
    let envelope: serde_json::Value = serde_json::from_slice(&good).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let resealed =
        |change: fn(&mut serde_json::Value)| seal(&edit(&payload, change), PayloadType::Credential);
    vec![
        (
            "credential_of_another_call__verify.signature_invalid.json",
            repayload(&good, |p| p["call_digest"] = p["trace_digest"].clone()),
        ),
        (
            "credential_as_an_outcome__verify.schema.json",
            seal(&payload, PayloadType::Outcome),
        ),
        (
            "credential_for_more_than_asked__verify.shape.json",
            resealed(|p| p["scope"] = serde_json::json!(["admin"])),
        ),
        (
            "credential_for_longer_than_asked__verify.shape.json",
            resealed(|p| p["expires_at"] = "2026-11-23T12:15:06.001Z".into()),
        ),
        (
            "credential_before_its_permit__verify.shape.json",
            resealed(|p| p["received_at"] = "2026-11-23T11:59:59.999Z".into()),
        ),
        (
            "credential_with_its_secret__verify.shape.json",
            resealed(|p| p["secret"] = "hunter2".into()),
        ),
    ]
}

fn tampered_kill_switches() -> Vec<(&'static str, Vec<u8>)> {
    let good = a_kill_switch();
    let envelope: serde_json::Value = serde_json::from_slice(&good).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let resealed =
        |change: fn(&mut serde_json::Value)| seal(&edit(&payload, change), PayloadType::KillSwitch);
    vec![
        (
            "kill_switch_emptied__verify.signature_invalid.json",
            repayload(&good, |p| p["stops"] = serde_json::json!([])),
        ),
        (
            "kill_switch_kept_fresh__verify.signature_invalid.json",
            repayload(&good, |p| p["fresh_until"] = "2027-11-30T12:00:00.000Z".into()),
        ),
        (
            "kill_switch_with_a_stop_twice__verify.shape.json",
            resealed(|p| p["stops"][1] = p["stops"][0].clone()),
        ),
        (
            "kill_switch_with_more_of_a_scope__verify.shape.json",
            resealed(|p| p["stops"][0]["scope"]["hour"] = 3.into()),
        ),
        (
            "kill_switch_of_no_kind_of_target__verify.shape.json",
            resealed(|p| p["stops"][0]["scope"]["target"]["kind"] = "bucket".into()),
        ),
        (
            "kill_switch_without_the_one_before__verify.shape.json",
            resealed(|p| p["previous"] = serde_json::Value::Null),
        ),
        (
            "kill_switch_as_an_approval__verify.schema.json",
            seal(&payload, PayloadType::Approval),
        ),
    ]
}

fn a_runpack() -> Vec<u8> {
    let mut previous = None;
    let mut traces = Vec::new();
    for number in 1..=3 {
        let signed = signed_trace(number, previous, false);
        previous = Some(signed.verify(&trusted(), now()).unwrap().digest());
        traces.push(signed);
    }
    let contents = RunpackContents {
        run_id: "run_1".into(),
        traces,
        intents: vec![("trace_2".into(), jcs::to_vec(&intent(2).canonical()))],
        created_at: now(),
    };
    runpack::pack(contents, &trusted(), &key()).unwrap()
}

/// A JSON document after a change, canonical again.
fn edit(document: &[u8], change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut value: serde_json::Value = serde_json::from_slice(document).unwrap();
    change(&mut value);
    jcs::to_vec(&gait::json::parse(value.to_string().as_bytes()).unwrap())
}

/// The payload of an envelope after a change, under the old signature.
fn repayload(envelope: &[u8], change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    edit(envelope, |outer| {
        let payload = STANDARD.decode(outer["payload"].as_str().unwrap()).unwrap();
        outer["payload"] = STANDARD.encode(edit(&payload, change)).into();
    })
}

/// An envelope over any payload, rightly signed.
fn seal(payload: &[u8], kind: PayloadType) -> Vec<u8> {
    let sig = STANDARD.encode(key().sign(&envelope::pae(kind.media_type(), payload)));
    let envelope = serde_json::json!({
        "payload": STANDARD.encode(payload), "payloadType": kind.media_type(),
        "signatures": [{ "keyid": key().id().to_string(), "sig": sig }],
    });
    edit(envelope.to_string().as_bytes(), |_| ())
}

fn repack(bytes: &[u8], change: impl FnOnce(&mut Vec<Entry>)) -> Vec<u8> {
    let mut entries = archive::read(bytes).unwrap();
    change(&mut entries);
    archive::write(entries).unwrap()
}

fn entry<'a>(entries: &'a mut [Entry], name: &str) -> &'a mut Entry {
    entries
        .iter_mut()
        .find(|entry| entry.name.contains(name))
        .unwrap()
}

/// Replaces a text by one of the same length, wherever it stands.
fn replace(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut out = bytes.to_vec();
    let found: Vec<usize> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(from.as_bytes()))
        .collect();
    assert!(!found.is_empty(), "{from}");
    for at in found {
        out[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    out
}

type Files = BTreeMap<String, Vec<u8>>;

fn valid() -> Files {
    let other = SigningKey::from_seed(&[2; 32]).verifying_key();
    let files = [
        ("approval.json", an_approval()),
        ("attestation.json", an_attestation()),
        ("bundle.gaitbundle", built().bytes),
        ("credential.json", a_credential()),
        ("delegation.json", a_delegation()),
        ("kill_switch.json", a_kill_switch()),
        ("outcome.json", an_outcome()),
        ("public_key.json", other.to_file()),
        ("runpack_run_1.zip", a_runpack()),
        ("trace.json", signed_trace(1, None, false).into_bytes()),
        ("trace_with_intent.json", signed_trace(1, None, true).into_bytes()),
    ];
    files
        .into_iter()
        .map(|(name, bytes)| (name.to_owned(), bytes))
        .collect()
}

fn tampered() -> Files {
    let all = [
        tampered_bundles(),
        tampered_traces(),
        tampered_runpacks(),
        tampered_approvals(),
        tampered_kill_switches(),
        tampered_outcomes(),
        tampered_credentials(),
        tampered_delegations(),
        tampered_attestations(),
        tampered_keys(),
    ];
    all.into_iter()
        .flatten()
        .map(|(name, bytes)| (name.to_owned(), bytes))
        .collect()
}

fn tampered_bundles() -> Vec<(&'static str, Vec<u8>)> {
    let good = built().bytes;
    let manifest = "manifest.dsse.json";
    let again = |change: fn(&mut Vec<Entry>)| repack(&good, change);
    let named = |change: &dyn Fn(&[u8]) -> Vec<u8>| {
        repack(&good, |entries| {
            let manifest = entry(entries, "manifest.dsse.json");
            manifest.bytes = change(&manifest.bytes);
        })
    };
    // Another manifest, rightly signed.
    let resealed = |change: &dyn Fn(&mut serde_json::Value)| {
        named(&|bytes| {
            let envelope: serde_json::Value = serde_json::from_slice(bytes).unwrap();
            let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
            let payload = edit(&payload, |payload| change(&mut payload["meta"]));
            seal(&payload, PayloadType::BundleManifest)
        })
    };
    let extra = again(|entries| {
        let (name, bytes) = ("zz/evil".to_owned(), b"x".to_vec());
        entries.push(Entry { name, bytes });
    });
    let twin = again(|entries| {
        let (name, bytes) = ("ir.bio".to_owned(), entry(entries, "ir.bin").bytes.clone());
        entries.push(Entry { name, bytes });
    });
    let contents = built().bundle.into_value().contents;
    let stranger = bundle::build(contents, &SigningKey::from_seed(&[9; 32])).unwrap();
    vec![
        (
            "bundle_cut_off__verify.archive_end.gaitbundle",
            good[..good.len() - 30].to_vec(),
        ),
        (
            "bundle_trailing_data__verify.archive_end.gaitbundle",
            [&good[..], b"x"].concat(),
        ),
        (
            "bundle_leading_data__verify.archive_directory.gaitbundle",
            [b"PK\x03\x04", &good[..]].concat(),
        ),
        (
            "bundle_name_twice__verify.archive_duplicate_name.gaitbundle",
            replace(&twin, "ir.bio", "ir.bin"),
        ),
        (
            "bundle_name_goes_up__verify.archive_name.gaitbundle",
            replace(&extra, "zz/evil", "../evil"),
        ),
        (
            "bundle_source_edited__verify.archive_checksum.gaitbundle",
            replace(&good, "1_000.00", "9_000.00"),
        ),
        (
            "bundle_source_repacked__verify.digest_mismatch.gaitbundle",
            again(|entries| entry(entries, "policy.gaitpol").bytes[0] ^= 1),
        ),
        (
            "bundle_source_longer__verify.size_mismatch.gaitbundle",
            again(|entries| entry(entries, "policy.gaitpol").bytes.push(b'\n')),
        ),
        (
            "bundle_without_program__verify.file_missing.gaitbundle",
            again(|entries| entries.retain(|e| e.name != "ir.bin")),
        ),
        ("bundle_with_more__verify.file_undeclared.gaitbundle", extra),
        (
            "bundle_without_manifest__verify.manifest_missing.gaitbundle",
            repack(&good, |entries| entries.retain(|e| e.name != manifest)),
        ),
        (
            "bundle_epoch_raised__verify.signature_invalid.gaitbundle",
            named(&|bytes| repayload(bytes, |payload| payload["meta"]["epoch"] = 2.into())),
        ),
        (
            "bundle_with_a_proof_of_another_program__verify.digest_mismatch.gaitbundle",
            resealed(&|meta| meta["proofs"][0]["digest"] = meta["proofs"][0]["claim"].clone()),
        ),
        (
            "bundle_with_a_proof_renamed__verify.digest_mismatch.gaitbundle",
            resealed(&|meta| meta["proofs"][0]["name"] = "nothing_leaves".into()),
        ),
        (
            "bundle_with_more_of_a_proof__verify.shape.gaitbundle",
            resealed(&|meta| meta["proofs"][0]["by"] = "me".into()),
        ),
        (
            "bundle_with_a_proof_twice__verify.shape.gaitbundle",
            resealed(&|meta| {
                let one = meta["proofs"][0].clone();
                meta["proofs"] = serde_json::json!([one, one]);
            }),
        ),
        (
            "bundle_that_says_nothing_of_its_predecessor__verify.shape.gaitbundle",
            resealed(&|meta| drop(meta.as_object_mut().unwrap().remove("after"))),
        ),
        (
            "bundle_with_half_a_predecessor__verify.shape.gaitbundle",
            resealed(&|meta| meta["after"] = serde_json::json!({ "bundle": null, "loosened": 0 })),
        ),
        (
            "bundle_that_says_nothing_of_proofs__verify.shape.gaitbundle",
            resealed(&|meta| drop(meta.as_object_mut().unwrap().remove("proofs"))),
        ),
        (
            "bundle_unsigned__verify.unsigned.gaitbundle",
            named(&|bytes| edit(bytes, |envelope| envelope["signatures"] = serde_json::json!([]))),
        ),
        ("bundle_of_a_stranger__verify.key_unknown.gaitbundle", stranger),
        (
            "bundle_with_a_trace_for_manifest__verify.payload_type.gaitbundle",
            named(&|_| signed_trace(1, None, false).into_bytes()),
        ),
        (
            "bundle_with_broken_program__bundle.program.gaitbundle",
            forged_bundle(|contents| contents.ir.truncate(20)),
        ),
        (
            "bundle_that_lies_about_itself__bundle.described.gaitbundle",
            forged_bundle(|contents| contents.version = "2.0.0".into()),
        ),
    ]
}

fn tampered_traces() -> Vec<(&'static str, Vec<u8>)> {
    let good = signed_trace(1, None, true).into_bytes();
    let payload = jcs::to_vec(&record(1, None, true).to_json());
    let resealed = |change: fn(&mut serde_json::Value)| seal(&edit(&payload, change), PayloadType::Trace);
    vec![
        (
            "trace_permit_of_what_is_not_allowed__verify.shape.json",
            resealed(|trace| trace["permit_until"] = "2026-11-23T12:01:00.000Z".into()),
        ),
        (
            "trace_cut_off__verify.not_json.json",
            good[..good.len() - 2].to_vec(),
        ),
        (
            "trace_line_end__verify.envelope_not_canonical.json",
            [&good[..], b"\n"].concat(),
        ),
        (
            "trace_verdict_changed__verify.signature_invalid.json",
            repayload(&good, |payload| payload["verdict"] = "allow".into()),
        ),
        (
            "trace_signed_twice_by_one__verify.signature_order.json",
            edit(&good, |envelope| {
                let one = envelope["signatures"][0].clone();
                envelope["signatures"] = serde_json::json!([one, one]);
            }),
        ),
        (
            "trace_unsigned__verify.unsigned.json",
            edit(&good, |envelope| envelope["signatures"] = serde_json::json!([])),
        ),
        (
            "trace_as_another_kind__verify.payload_type.json",
            seal(&payload, PayloadType::BundleManifest),
        ),
        (
            "trace_schema_2__verify.schema.json",
            resealed(|p| p["schema"] = "gait.trace/2".into()),
        ),
        (
            "trace_with_more__verify.shape.json",
            resealed(|p| p["note"] = "x".into()),
        ),
        (
            "trace_of_another_intent__verify.digest_mismatch.json",
            resealed(|p| p["intent"]["context"]["identity"] = "eve".into()),
        ),
        (
            "trace_of_other_arguments__verify.digest_mismatch.json",
            resealed(|p| p["args_digest"] = p["intent_digest"].clone()),
        ),
        (
            "trace_of_another_tool__verify.shape.json",
            resealed(|p| p["tool"] = "pay.refund".into()),
        ),
        (
            "trace_spaced_payload__verify.payload_not_canonical.json",
            seal(&[&payload[..], b" "].concat(), PayloadType::Trace),
        ),
    ]
}

fn tampered_approvals() -> Vec<(&'static str, Vec<u8>)> {
    let good = an_approval();
    let envelope: serde_json::Value = serde_json::from_slice(&good).unwrap();
    let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
    let resealed = |change: fn(&mut serde_json::Value)| seal(&edit(&payload, change), PayloadType::Approval);
    vec![
        (
            "approval_cut_off__verify.not_json.json",
            good[..good.len() - 2].to_vec(),
        ),
        (
            "approval_prolonged__verify.signature_invalid.json",
            repayload(&good, |p| p["expires_at"] = "2027-11-23T12:15:00.000Z".into()),
        ),
        (
            "approval_of_another_call__verify.signature_invalid.json",
            repayload(&good, |p| {
                p["call_digests"] = serde_json::json!([p["bundle_digest"]])
            }),
        ),
        (
            "approval_by_another_key__verify.contents.json",
            resealed(|p| p["key_id"] = p["bundle_digest"].clone()),
        ),
        (
            "approval_of_nothing__verify.shape.json",
            resealed(|p| p["call_digests"] = serde_json::json!([])),
        ),
        (
            "approval_with_more__verify.shape.json",
            resealed(|p| p["uses"] = 2.into()),
        ),
        (
            "approval_over_before_it_starts__verify.shape.json",
            resealed(|p| p["expires_at"] = p["given_at"].clone()),
        ),
        (
            "approval_as_a_trace__verify.schema.json",
            seal(&payload, PayloadType::Trace),
        ),
        (
            "approval_from_a_trace__verify.schema.json",
            seal(
                &jcs::to_vec(&record(1, None, false).to_json()),
                PayloadType::Approval,
            ),
        ),
    ]
}

fn tampered_runpacks() -> Vec<(&'static str, Vec<u8>)> {
    let good = a_runpack();
    let again = |change: fn(&mut Vec<Entry>)| repack(&good, change);
    vec![
        (
            "runpack_trace_dropped__verify.file_missing.zip",
            again(|entries| entries.retain(|e| !e.name.contains("trace_2"))),
        ),
        (
            "runpack_trace_replaced__verify.digest_mismatch.zip",
            again(|entries| {
                let trace = entry(entries, "traces/0001");
                trace.bytes = repayload(&trace.bytes, |payload| payload["trace_id"] = "trace_9".into());
            }),
        ),
        (
            "runpack_journal_edited__verify.digest_mismatch.zip",
            again(|entries| entry(entries, "journal").bytes[3] ^= 1),
        ),
        (
            "runpack_intent_added__verify.file_undeclared.zip",
            again(|entries| {
                let (name, bytes) = ("intents/0001_trace_1.json".to_owned(), b"{}".to_vec());
                entries.push(Entry { name, bytes });
            }),
        ),
        (
            "runpack_renamed_file__verify.archive_order.zip",
            replace(&good, "journal.jsonl", "zournal.jsonl"),
        ),
        (
            "runpack_with_a_folder__verify.archive_mode.zip",
            with_folder_mode(&good),
        ),
    ]
}

/// The first entry turned into a folder by its attributes alone.
fn with_folder_mode(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let directory = (0..bytes.len())
        .find(|at| bytes[*at..].starts_with(b"PK\x01\x02"))
        .unwrap();
    let mode: u32 = 0o040_755 << 16;
    out[directory + 38..directory + 42].copy_from_slice(&mode.to_le_bytes());
    out
}

fn tampered_keys() -> Vec<(&'static str, Vec<u8>)> {
    let good = key().verifying_key().to_file();
    let other = SigningKey::from_seed(&[2; 32]).id().to_string();
    let line = |bytes: Vec<u8>| [bytes, b"\n".to_vec()].concat();
    vec![
        (
            "key_of_another_name__key.id_mismatch.json",
            line(edit(&good, |k| k["key_id"] = other.clone().into())),
        ),
        (
            "key_of_small_order__key.weak.json",
            line(edit(&good, |k| k["public_key"] = STANDARD.encode([0; 32]).into())),
        ),
        (
            "key_with_more__key.document.json",
            line(edit(&good, |k| k["alg"] = "none".into())),
        ),
    ]
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// The files of a folder must be these; with `GAIT_BLESS` they become these.
fn settle(folder: &Path, want: &Files) {
    let names = || -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    if std::env::var_os("GAIT_BLESS").is_some() {
        for name in names().iter().filter(|name| !want.contains_key(*name)) {
            std::fs::remove_file(folder.join(name)).unwrap();
        }
        std::fs::create_dir_all(folder).unwrap();
        for (name, bytes) in want {
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
    assert!(
        names().iter().eq(want.keys()),
        "{} is stale; run with GAIT_BLESS=1",
        folder.display()
    );
    for (name, bytes) in want {
        let have = std::fs::read(folder.join(name)).unwrap();
        assert!(have == *bytes, "{name} is stale; run the tests with GAIT_BLESS=1");
    }
}

#[test]
fn the_fixtures_are_what_this_version_makes() {
    let folder = root().join("artifacts");
    settle(&folder.join("valid"), &valid());
    settle(&folder.join("tampered"), &tampered());
    let bless = std::env::var_os("GAIT_BLESS").is_some();
    for (name, bytes) in [
        ("test.private.json", key().to_file().to_vec()),
        ("test.public.json", key().verifying_key().to_file()),
    ] {
        let path = root().join("keys").join(name);
        if bless {
            std::fs::write(&path, &bytes).unwrap();
        }
        assert!(
            std::fs::read(&path).unwrap_or_default() == bytes,
            "{name} is stale; run with GAIT_BLESS=1"
        );
    }
}

#[test]
fn every_valid_artifact_verifies() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("trust"), key().verifying_key().to_file()).unwrap();
    for (name, bytes) in valid() {
        std::fs::write(folder.path().join(&name), bytes).unwrap();
        let args = ["verify", &name, "--trust", "trust"];
        let plain = gait(folder.path(), &args).output().unwrap();
        assert_eq!(exit(&plain), 0, "{name}: {}", text(&plain.stderr));
        let json = gait(folder.path(), &[&args[..], &["--json"]].concat())
            .output()
            .unwrap();
        let value = document(&json, "verify");
        let kind = value["kind"].as_str().unwrap();
        assert!(name.starts_with(kind), "{name}: {kind}");
        assert!(
            text(&plain.stdout).contains(value["digest"].as_str().unwrap()),
            "{name}"
        );
        assert_eq!(
            value["signers"].as_array().unwrap().is_empty(),
            kind == "public_key"
        );
    }
}

#[test]
fn every_tampered_artifact_is_refused_with_the_code_in_its_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("trust"), key().verifying_key().to_file()).unwrap();
    let mut wrong = Vec::new();
    for (name, bytes) in tampered() {
        let code = name.split_once("__").unwrap().1.rsplit_once('.').unwrap().0;
        std::fs::write(folder.path().join(&name), bytes).unwrap();
        let found = refusal(folder.path(), &["verify", &name, "--trust", "trust"]);
        if found != (code.to_owned(), 2) {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_changed_byte_hides_what_a_file_claims_to_be() {
    for (name, bytes) in valid() {
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(gait::artifact::kind::claimed(&bad).is_some(), "{name}: byte {at}");
        }
    }
}
