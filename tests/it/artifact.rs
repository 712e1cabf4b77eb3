//! Signed artifacts end to end: what is built verifies, follows its schema and is byte-stable; anything changed is
//! refused with a named error.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use gait::artifact::archive::{self, Entry};
use gait::artifact::digest::{of_json, sha256};
use gait::artifact::envelope::{self, Payload};
use gait::artifact::{
    After, BundleContents, PayloadType, PolicyRef, ProofEntry, RunpackContents, Signed, SigningKey,
    SourceFile, SourceKind, TestSummary, TraceRecord, TrustedKeys, VerifyError, bundle, jcs, runpack, schema,
    time, trace,
};
use gait::domain::approval::Role;
use gait::domain::{
    ApprovalSpec, Decision, Enforcement, MatchedRule, Obligation, PolicyScope, Profile, RuleScope, Target,
    Verdict,
};
use gait::json::{self, Json};
use gait::source::Position;
use jiff::Timestamp;
use proptest::prelude::*;
use std::sync::Arc;

fn key() -> SigningKey {
    SigningKey::from_seed(&[1; 32])
}

fn trusted() -> TrustedKeys {
    TrustedKeys::new([key().verifying_key()])
}

fn now() -> Timestamp {
    time::parse("2026-11-23T12:00:00.000Z").unwrap()
}

fn source(name: &str, kind: SourceKind, text: &str) -> SourceFile {
    SourceFile {
        name: name.into(),
        kind,
        text: text.into(),
    }
}

fn contents() -> BundleContents {
    BundleContents {
        name: "acme.payments".into(),
        version: "1.0.0".into(),
        edition: 1,
        epoch: 7,
        ir: vec![0, 1, 2, 3],
        sources: vec![
            source("policies/Main.gaitpol", SourceKind::Policy, "gaitpol 1\n"),
            source("policies/ünits.gaitpol", SourceKind::Module, "gaitpol 1 // ü\n"),
        ],
        profile: Profile::Strict,
        enforcement: Enforcement::Enforce,
        tests: TestSummary { passed: 3, total: 3 },
        proofs: vec![ProofEntry {
            name: "strangers_wait".into(),
            claim: sha256(b"claim"),
        }],
        after: Some(After {
            bundle: sha256(b"before"),
            loosened: 2,
            undecided: 0,
        }),
        compiler: "0.1.0".into(),
        tz: "2026f".to_owned(),
    }
}

fn a_bundle() -> Vec<u8> {
    bundle::build(contents(), &key()).unwrap()
}

fn intent(n: u32) -> Json {
    Json::object([("tool", Json::str("mail.send")), ("n", Json::int(n.into()))])
}

fn record(n: u32, previous: Option<gait::artifact::Digest>) -> TraceRecord {
    let at = |line| Position { line, column: 1 };
    TraceRecord {
        trace_id: format!("trc_{n}"),
        created_at: now(),
        producer_version: "0.1.0".into(),
        bundle_digest: sha256(b"bundle"),
        policy: PolicyRef {
            name: "acme".into(),
            version: "1".into(),
            profile: Profile::Standard,
        },
        intent_digest: of_json(&intent(n)),
        args_digest: sha256(b"args"),
        call_digest: Some(sha256(b"call")),
        tool: "mail.send".into(),
        script: None,
        decision: Decision {
            limits: Vec::new(),
            labels: Vec::new(),
            verdict: Verdict::Block,
            reason_codes: vec!["foreign_recipient".into()],
            matched: vec![MatchedRule {
                name: "own_people_only".into(),
                verdict: Verdict::Block,
                code: "foreign_recipient".into(),
                file: "main.gaitpol".into(),
                start: at(1),
                end: at(4),
                hint: Some("ask".into()),
                scope: Some(RuleScope {
                    scope: PolicyScope::Org,
                    policy: "acme.org".into(),
                }),
            }],
            targets: vec![Target {
                effect: "net.egress".into(),
                kind: "host".into(),
                value: "evil.example".into(),
            }],
            approvals: Vec::new(),
            approved_by: Vec::new(),
            obligations: Vec::new(),
            detail: None,
            steps: Vec::new(),
        },
        enforcement: Enforcement::Enforce,
        runs: false,
        correlation_id: Some("c".into()),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        session_id: None,
        run_id: Some("run_1".into()),
        request_id: None,
        identity: Some("ann".into()),
        intent: None,
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

fn traces(count: u32) -> Vec<Signed<TraceRecord>> {
    let mut previous = None;
    let mut out = Vec::new();
    // Ids fall while the chain rises, so that only the links give the order.
    for n in (0..count).rev() {
        let signed = trace::sign(&record(n, previous), &key()).unwrap();
        previous = Some(signed.verify(&trusted(), now()).unwrap().digest());
        out.push(signed);
    }
    out
}

fn run(traces: Vec<Signed<TraceRecord>>, intents: &[u32]) -> RunpackContents {
    let intents = intents
        .iter()
        .map(|n| (format!("trc_{n}"), jcs::to_vec(&intent(*n))))
        .collect();
    RunpackContents {
        run_id: "run_1".into(),
        traces,
        intents,
        created_at: now(),
    }
}

fn a_runpack() -> Vec<u8> {
    runpack::pack(run(traces(2), &[0, 1]), &trusted(), &key()).unwrap()
}

fn a_trace() -> Vec<u8> {
    trace::sign(&record(0, None), &key()).unwrap().into_bytes()
}

type Open = fn(&[u8]) -> Result<(), VerifyError>;

fn kinds() -> [(&'static str, Vec<u8>, Open); 3] {
    [
        ("bundle", a_bundle(), |b| {
            bundle::open(b, &trusted(), now()).map(drop)
        }),
        ("trace", a_trace(), |b| {
            trace::verify(b, &trusted(), now()).map(drop)
        }),
        ("runpack", a_runpack(), |b| {
            runpack::open(b, &trusted(), now()).map(drop)
        }),
    ]
}

#[test]
fn what_is_built_opens_to_the_same_contents() {
    let opened = bundle::open(&a_bundle(), &trusted(), now()).unwrap();
    assert_eq!(opened.value().contents, contents());
    assert_eq!(opened.value().digest, opened.digest());
    assert_eq!(
        trace::verify(&a_trace(), &trusted(), now()).unwrap().into_value(),
        record(0, None)
    );
    let opened = runpack::open(&a_runpack(), &trusted(), now())
        .unwrap()
        .into_value();
    let ids: Vec<_> = opened
        .traces
        .iter()
        .map(|t| t.trace.value().trace_id.as_str())
        .collect();
    assert_eq!(ids, ["trc_1", "trc_0"], "the chain gives the order");
    assert_eq!(
        opened.traces[1].intent.as_ref().map(jcs::to_vec),
        Some(jcs::to_vec(&intent(0)))
    );
    assert_eq!(opened.bundles, [sha256(b"bundle")]);
}

#[test]
fn every_changed_byte_and_every_cut_is_refused() {
    for (kind, bytes, open) in kinds() {
        assert_eq!(open(&bytes), Ok(()), "{kind}");
        for at in 0..bytes.len() {
            for mask in [0x01, 0x20, 0x80] {
                let mut changed = bytes.clone();
                changed[at] ^= mask;
                let error = open(&changed).expect_err(&format!("{kind}: byte {at} ^ {mask}"));
                assert!(error.code().starts_with("verify."));
            }
            assert!(open(&bytes[..at]).is_err(), "{kind}: cut at {at}");
        }
    }
}

/// The parts of an archive without its own guard: each file changed and packed again as a correct archive.
#[test]
fn a_changed_file_in_a_correct_archive_is_refused() {
    for (kind, bytes, open) in [&kinds()[0], &kinds()[2]] {
        let entries = archive::read(bytes).unwrap();
        for index in 0..entries.len() {
            for at in 0..entries[index].bytes.len() {
                let mut changed = entries.clone();
                changed[index].bytes[at] ^= 1;
                let error = open(&archive::write(changed).unwrap());
                assert!(error.is_err(), "{kind}: {} byte {at}", entries[index].name);
            }
            let mut fewer = entries.clone();
            let gone = fewer.remove(index);
            let code = open(&archive::write(fewer).unwrap()).unwrap_err().code();
            let manifest = gone.name == "manifest.dsse.json";
            let expected = if manifest {
                "verify.manifest_missing"
            } else {
                "verify.file_missing"
            };
            assert_eq!(code, expected, "{kind}: {}", gone.name);
        }
        let mut more = entries;
        more.push(Entry {
            name: "zz".into(),
            bytes: vec![],
        });
        assert_eq!(
            open(&archive::write(more).unwrap()).unwrap_err().code(),
            "verify.file_undeclared",
            "{kind}"
        );
    }
}

fn edit(envelope: &[u8], change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let mut value: serde_json::Value = serde_json::from_slice(envelope).unwrap();
    change(&mut value);
    jcs::to_vec(&json::parse(value.to_string().as_bytes()).unwrap())
}

fn resign(payload: &str, kind: PayloadType) -> Vec<u8> {
    let sig = STANDARD.encode(key().sign(&envelope::pae(kind.media_type(), payload.as_bytes())));
    let text = format!(
        r#"{{"payload":"{}","payloadType":"{}","signatures":[{{"keyid":"{}","sig":"{sig}"}}]}}"#,
        STANDARD.encode(payload),
        kind.media_type(),
        key().id()
    );
    text.into_bytes()
}

#[test]
fn what_is_signed_can_be_verified() {
    let signed = (55..70).map(|depth| {
        let nested = (0..depth).fold(json::Json::Null, |inner, _| json::Json::Array(vec![inner]));
        let record = gait::artifact::TraceRecord {
            facts: Some(json::Json::object([("deep", nested)])),
            ..record(0, None)
        };
        let Ok(signed) = envelope::sign(&record, &key()) else {
            return false;
        };
        let verified = signed.verify(&trusted(), crate::folder::AT.parse().unwrap());
        assert!(verified.is_ok(), "{depth}: {verified:?}");
        true
    });
    let signed: Vec<bool> = signed.collect();
    assert!(signed.contains(&true) && signed.contains(&false), "{signed:?}");
}

#[test]
fn each_step_of_verification_has_its_error() {
    let good = a_trace();
    let payload = String::from_utf8(jcs::to_vec(&record(0, None).to_json())).unwrap();
    let two = envelope::sign_all(&record(0, None), &[&key(), &SigningKey::from_seed(&[2; 32])]).unwrap();
    let text = String::from_utf8(good.clone()).unwrap();
    let trace = PayloadType::Trace;
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("verify.too_large", vec![b' '; gait::limits::ENVELOPE_BYTES + 1]),
        ("verify.not_json", b"{".to_vec()),
        ("verify.shape", edit(&good, |v| v["more"] = 1.into())),
        (
            "verify.shape",
            edit(&good, |v| v["signatures"][0]["cert"] = "x".into()),
        ),
        (
            "verify.envelope_not_canonical",
            text.replace(',', ", ").into_bytes(),
        ),
        ("verify.envelope_not_canonical", format!("{text}\n").into_bytes()),
        (
            "verify.base64",
            edit(&good, |v| v["signatures"][0]["sig"] = "QQ".into()),
        ),
        (
            "verify.payload_type",
            edit(&good, |v| v["payloadType"] = "application/json".into()),
        ),
        (
            "verify.payload_type",
            resign(&payload, PayloadType::BundleManifest),
        ),
        (
            "verify.unsigned",
            edit(&good, |v| v["signatures"] = serde_json::json!([])),
        ),
        (
            "verify.signature_order",
            edit(&good, |v| {
                let one = v["signatures"][0].clone();
                v["signatures"] = serde_json::json!([one, one]);
            }),
        ),
        (
            "verify.payload_not_canonical",
            resign(&payload.replace(',', ", "), trace),
        ),
        (
            "verify.not_json",
            resign(&payload.replacen('{', r#"{"tool":"x","#, 1), trace),
        ),
        (
            "verify.schema",
            resign(&payload.replace("gait.trace/1", "gait.trace/2"), trace),
        ),
        ("verify.key_unknown", two.into_bytes()),
        (
            "verify.signature_invalid",
            edit(&good, |v| {
                v["payload"] = STANDARD.encode(payload.replace("mail.send", "mail.sent")).into();
            }),
        ),
        (
            "verify.shape",
            resign(
                &payload.replace(r#""verdict":"block"}"#, r#""verdict":"maybe"}"#),
                trace,
            ),
        ),
        (
            "verify.shape",
            resign(&payload.replacen('{', r#"{"a":1,"#, 1), trace),
        ),
    ];
    for (code, bytes) in cases {
        let found = trace::verify(&bytes, &trusted(), now()).map_err(|error| error.code());
        assert_eq!(
            found.map(drop),
            Err(code),
            "{}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(400)])
        );
    }
}

#[test]
fn keys_count_by_trust_window_and_number() {
    let check = |trusted: TrustedKeys| {
        trace::verify(&a_trace(), &trusted, now())
            .map(drop)
            .map_err(|error| error.code())
    };
    let at = |text: &str| time::parse(text);
    let mut past = key().verifying_key();
    past.valid_until = at("2026-11-23T11:59:59.999Z");
    let mut future = key().verifying_key();
    future.valid_from = at("2026-11-23T12:00:00.001Z");
    let mut exact = key().verifying_key();
    (exact.valid_from, exact.valid_until) = (Some(now()), Some(now()));
    let other = SigningKey::from_seed(&[2; 32]);
    assert_eq!(check(TrustedKeys::new([])), Err("verify.key_unknown"));
    assert_eq!(
        check(TrustedKeys::new([other.verifying_key()])),
        Err("verify.key_unknown")
    );
    assert_eq!(check(TrustedKeys::new([past.clone()])), Err("verify.key_expired"));
    assert_eq!(
        check(TrustedKeys::new([key().verifying_key(), past])),
        Err("verify.key_expired")
    );
    assert_eq!(check(TrustedKeys::new([future])), Err("verify.key_not_yet_valid"));
    assert_eq!(check(TrustedKeys::new([exact])), Ok(()));
    assert_eq!(check(trusted().requiring(2)), Err("verify.threshold"));
    let both = TrustedKeys::new([key().verifying_key(), other.verifying_key()]).requiring(2);
    let signed = envelope::sign_all(&record(0, None), &[&other, &key()]).unwrap();
    assert_eq!(signed.verify(&both, now()).unwrap().keys().len(), 2);
    assert!(
        envelope::sign_all(&record(0, None), &[&key(), &key()]).is_err(),
        "one key is one signature"
    );
}

#[test]
fn runpacks_refuse_what_does_not_belong_together() {
    let pack = |contents| {
        runpack::pack(contents, &trusted(), &key())
            .map(drop)
            .map_err(|error| error.code())
    };
    let sign = |record: &TraceRecord| trace::sign(record, &key()).unwrap();
    let with = |n, change: fn(&mut TraceRecord)| {
        let mut record = record(n, None);
        change(&mut record);
        sign(&record)
    };
    let chain = traces(4);
    let cut = vec![chain[0].clone(), chain[1].clone(), chain[3].clone()];
    let link = chain[0].verify(&trusted(), now()).unwrap().digest();
    let fork = vec![chain[0].clone(), chain[1].clone(), sign(&record(9, Some(link)))];
    let late = vec![chain[1].clone(), chain[3].clone()];
    for (code, contents) in [
        ("verify.trace_link", run(late, &[])),
        (
            "verify.run_mismatch",
            run(vec![with(0, |r| r.run_id = None)], &[]),
        ),
        (
            "verify.run_mismatch",
            run(vec![with(0, |r| r.run_id = Some("run_2".into()))], &[]),
        ),
        (
            "verify.digest_mismatch",
            run(vec![with(0, |r| r.intent_digest = sha256(b"x"))], &[0]),
        ),
        ("build.invalid", run(traces(1), &[5])),
        ("build.duplicate", run(traces(1), &[0, 0])),
        (
            "verify.trace_link",
            run(vec![with(0, |_| ()), with(0, |r| r.tool = "x".into())], &[]),
        ),
        ("verify.trace_link", run(cut, &[])),
        ("verify.trace_link", run(fork, &[])),
    ] {
        assert_eq!(pack(contents), Err(code));
    }
    assert_eq!(
        pack(run(chain[1..].to_vec(), &[])),
        Ok(()),
        "a run may continue a chain"
    );
}

#[test]
fn input_order_does_not_change_bytes() {
    let mut shuffled = contents();
    shuffled.sources.reverse();
    assert_eq!(bundle::build(shuffled, &key()).unwrap(), a_bundle());
    let mut given = traces(5);
    let one = runpack::pack(run(given.clone(), &[0, 3, 4]), &trusted(), &key()).unwrap();
    for _ in 0..5 {
        given.rotate_left(2);
        given.swap(0, 1);
        assert_eq!(
            runpack::pack(run(given.clone(), &[4, 0, 3]), &trusted(), &key()).unwrap(),
            one
        );
    }
}

fn validate(id: &str, document: &[u8]) {
    let schema: serde_json::Value = serde_json::from_str(schema::find(id).unwrap().text).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let mut value: serde_json::Value = serde_json::from_slice(document).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{id}: {errors:?}");
    value["unknown_member"] = 1.into();
    assert!(!validator.is_valid(&value), "{id} is closed");
}

#[test]
fn emitted_documents_follow_their_schemas() {
    let payload = |envelope: &[u8]| {
        validate("application/vnd.dsse.envelope.v1+json", envelope);
        let value: serde_json::Value = serde_json::from_slice(envelope).unwrap();
        STANDARD.decode(value["payload"].as_str().unwrap()).unwrap()
    };
    validate("gait.trace/1", &payload(&a_trace()));
    let mut full = record(1, Some(sha256(b"x")));
    (full.call_digest, full.intent, full.decision.detail) = (None, Some(intent(1)), Some("d".into()));
    (full.session_id, full.request_id) = (Some("s".into()), Some("r".into()));
    validate(
        "gait.trace/1",
        &payload(trace::sign(&full, &key()).unwrap().as_bytes()),
    );
    validate(
        "gait.approval/1",
        &payload(&crate::artifact_fixtures::an_approval()),
    );
    for (id, bytes) in [
        ("gait.bundle.manifest/1", a_bundle()),
        ("gait.runpack.manifest/1", a_runpack()),
    ] {
        for entry in archive::read(&bytes).unwrap() {
            if entry.name == "manifest.dsse.json" {
                validate(id, &payload(&entry.bytes));
            }
            if entry.name == "journal.jsonl" {
                for line in entry.bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
                    validate("gait.journal.entry/1", line);
                }
            }
        }
    }
    validate("gait.key.private/1", &key().to_file());
    let mut public = key().verifying_key();
    validate("gait.key.public/1", &public.to_file());
    (public.valid_from, public.valid_until) = (Some(now()), Some(now()));
    validate("gait.key.public/1", &public.to_file());
}

fn open_all(bytes: &[u8]) {
    for (_, _, open) in [
        ("", (), kinds_open(0)),
        ("", (), kinds_open(1)),
        ("", (), kinds_open(2)),
    ] {
        let _ = open(bytes);
    }
    let _ = SigningKey::parse(bytes);
    let _ = gait::artifact::VerifyingKey::parse(bytes);
}

fn kinds_open(index: usize) -> Open {
    let list: [Open; 3] = [
        |b| bundle::open(b, &trusted(), now()).map(drop),
        |b| trace::verify(b, &trusted(), now()).map(drop),
        |b| runpack::open(b, &trusted(), now()).map(drop),
    ];
    list[index]
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        open_all(&bytes);
    }

    #[test]
    fn no_mutation_makes_a_reader_panic_or_passes(
        kind in 0usize..3,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..3), 1..8),
    ) {
        let (_, good, open) = &kinds()[kind];
        let mut bytes = good.clone();
        for (at, byte, how) in edits {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        if bytes != *good {
            prop_assert!(open(&bytes).is_err());
        }
        open_all(&bytes);
    }
}

#[test]
fn a_trace_says_what_must_be_approved_and_who_approved() {
    let spec = ApprovalSpec {
        from: Some(Arc::new(Role {
            name: "finance".into(),
            members: vec!["ann".into(), "bob".into()],
        })),
        count: 2,
        excluding_chain: true,
        expires: Some(900_000),
        bind_policy: true,
        ..ApprovalSpec::default()
    };
    let of = |verdict, approvals: &[ApprovalSpec], by: &[&str]| {
        let mut record = record(1, None);
        record.decision.verdict = verdict;
        record.runs = verdict == Verdict::Allow;
        record.decision.approvals = approvals.to_vec();
        record.decision.approved_by = by.iter().map(|name| (*name).to_owned()).collect();
        record
    };
    let waits = of(
        Verdict::RequireApproval,
        &[ApprovalSpec::default(), spec.clone()],
        &[],
    );
    let runs = of(Verdict::Allow, &[], &["ann", "bob"]);
    for record in [waits, runs] {
        assert_eq!(TraceRecord::from_json(&record.to_json()), Ok(record));
    }
    for wrong in [
        of(Verdict::Allow, std::slice::from_ref(&spec), &[]),
        of(Verdict::RequireApproval, &[], &["ann"]),
        of(Verdict::RequireApproval, &[spec, ApprovalSpec::default()], &[]),
        of(Verdict::Allow, &[], &["bob", "ann"]),
    ] {
        TraceRecord::from_json(&wrong.to_json()).unwrap_err();
    }
}

#[test]
fn a_trace_says_what_is_obliged_and_promised() {
    let obligation = |name: &str, place: Option<&str>, params: &[(&str, Json)]| Obligation {
        name: name.into(),
        place: place.map(|name| vec![name.into()]),
        params: params.iter().map(|(n, v)| ((*n).into(), v.clone())).collect(),
    };
    let log = obligation("log", None, &[("level", Json::str("warn"))]);
    let redact = obligation("redact", Some("note"), &[]);
    let whole = Obligation {
        place: Some(Vec::new()),
        ..redact.clone()
    };
    let ticket = obligation("ticket", None, &[("at", Json::int(1)), ("queue", Json::str("q"))]);
    let of = |obligations: &[Obligation], fulfils: &[&str]| {
        let mut record = record(1, None);
        record.decision.obligations = obligations.to_vec();
        record.fulfils = fulfils.iter().map(|name| (*name).to_owned()).collect();
        record
    };
    let all = [log.clone(), redact.clone(), ticket.clone()];
    for record in [
        of(&[whole], &[]),
        of(&all, &["notify", "ticket"]),
        of(&all, &[]),
        of(&[], &["notify"]),
    ] {
        assert_eq!(TraceRecord::from_json(&record.to_json()), Ok(record));
    }
    let unsorted = Obligation {
        params: ticket.params.iter().rev().cloned().collect(),
        ..ticket.clone()
    };
    for wrong in [
        of(&[ticket.clone(), log.clone()], &[]),
        of(&[log.clone(), log.clone()], &[]),
        of(&[unsorted], &[]),
        of(&all, &["ticket", "notify"]),
        of(&all, &["ticket", "ticket"]),
    ] {
        TraceRecord::from_json(&wrong.to_json()).unwrap_err();
    }
}
