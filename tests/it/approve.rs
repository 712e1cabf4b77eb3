//! Approvals from the key to the call that runs: who may give them, what they are for, and that they are good once.

use crate::folder::{Folder, compiled, shown};
use gait::artifact::{Digest, GivenApproval, SigningKey, Subject, given, time};
use serde_json::Value;
use std::process::Stdio;

const POLICY: &str = r#"gaitpol 1
policy acme.pay @ "1"
default block code none
context { fact identity from intent context.identity }
role finance { "ann@acme.com", "bob@acme.com", "cid@acme.com" }
tool pay { to: Email, amount: Decimal[2], memo: String[max 40]? }
tool two { amount: Decimal[2] }
rule one on pay require_approval { from finance excluding requester expires 1h single_use bind args, policy }
rule never on pay when args.amount > 9_000.00 block
rule both on two require_approval { from finance count 2 distinct }
"#;

fn intent(tool: &str, args: &str, identity: &str) -> String {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
        "producer_version":"t","tool_name":"{tool}","args":{args},"targets":[],
        "context":{{"identity":"{identity}","workspace":"/w","risk_class":"low"}}}}"#
    )
}

fn person(name: &str) -> SigningKey {
    SigningKey::from_seed(&[name.as_bytes()[0]; 32])
}

/// A folder with the policy, two intents, and the keys of Ann, Bob and Cid, who are trusted.
pub fn folder() -> Folder {
    let at = Folder::new();
    at.write("b.gaitbundle", &compiled(POLICY));
    let pay = |amount: &str| format!(r#"{{"to":"x@acme.com","amount":"{amount}"}}"#);
    at.write(
        "pay.json",
        intent("pay", &pay("700.00"), "agent@acme.com").as_bytes(),
    );
    at.write(
        "more.json",
        intent("pay", &pay("800.00"), "agent@acme.com").as_bytes(),
    );
    at.write(
        "huge.json",
        intent("pay", &pay("9999.00"), "agent@acme.com").as_bytes(),
    );
    at.write(
        "own.json",
        intent("pay", &pay("700.00"), "ANN@acme.com").as_bytes(),
    );
    at.write(
        "two.json",
        intent("two", r#"{"amount":"1.00"}"#, "agent@acme.com").as_bytes(),
    );
    for name in ["ann", "bob", "cid", "eve"] {
        at.write_private(&format!("{name}.key"), &person(name).to_file());
        at.write(&format!("{name}.pub"), &person(name).verifying_key().to_file());
    }
    for name in ["ann", "bob", "cid"] {
        trust(&at, name, name, &[]);
    }
    at
}

fn trust(at: &Folder, principal: &str, key: &str, more: &[&str]) -> Value {
    let (principal, key) = (format!("{principal}@acme.com"), format!("{key}.pub"));
    let args = ["trust", "add", "--principal", &principal, "--key", &key];
    at.json(&[&args[..], more].concat(), 0, "trust_add")
}

/// Judges an intent and approves what waits.
pub fn approve(at: &Folder, intent: &str, who: &str, out: &str) -> Value {
    let trace = format!("{out}.trace");
    let eval = eval(intent, &["--keep-intent", "--trace-out", &trace]);
    at.json(&eval, 4, "gate_eval");
    let key = format!("{who}.key");
    at.json(
        &["approve", &trace, "--key", &key, "--yes", "--out", out],
        0,
        "approve",
    )
}

fn eval<'a>(intent: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = [
        "gate",
        "eval",
        "--bundle",
        "b.gaitbundle",
        "--intent",
        intent,
        "--approvers",
        "gait-trust.json",
    ];
    args.into_iter().chain(more.iter().copied()).collect()
}

/// Judges an intent with an approval; what became of it.
fn with(at: &Folder, intent: &str, approval: &str, more: &[&str], exit: i32) -> String {
    let args = [&["--approval", approval][..], more].concat();
    let judged = at.json(&eval(intent, &args), exit, "gate_eval");
    let trace = at.valid_trace(judged["trace_path"].as_str().unwrap());
    let handed = &judged["handed"][0];
    let counted = handed["standing"] == "counted";
    assert_eq!(trace["approved_with"][0] == handed["digest"], counted, "{judged}");
    assert_eq!(judged["approved_by"].as_array().unwrap().is_empty(), !counted);
    handed["standing"].as_str().unwrap().to_owned()
}

/// Judges an intent and denies what waits.
fn deny(at: &Folder, intent: &str, who: &str, out: &str, more: &[&str]) -> Value {
    let trace = format!("{out}.trace");
    let eval = eval(intent, &["--keep-intent", "--trace-out", &trace]);
    at.json(&eval, 4, "gate_eval");
    let key = format!("{who}.key");
    let args = [
        "deny",
        &trace,
        "--key",
        &key,
        "--reason",
        "not today",
        "--yes",
        "--out",
        out,
    ];
    at.json(&[&args[..], more].concat(), 0, "deny")
}

#[test]
fn while_a_call_is_denied_no_approval_of_it_counts() {
    let at = folder();
    approve(&at, "pay.json", "ann", "yes");
    let denied = deny(&at, "pay.json", "bob", "no", &[]);
    assert_eq!(denied["denied"], "not today");
    at.json(&["verify", "no", "--trust", "bob.pub"], 0, "verify");
    let handed = |intent: &str, files: &[&str], more: &[&str], exit: i32| {
        let files = files.iter().flat_map(|file| ["--approval", file]);
        let files: Vec<&str> = files.chain(more.iter().copied()).collect();
        let judged = at.json(&eval(intent, &files), exit, "gate_eval");
        let trace = judged["trace_path"].as_str().unwrap().to_owned();
        let record = at.valid_trace(&trace);
        let standings = judged["handed"].as_array().unwrap().iter();
        let standings: Vec<Value> = standings.map(|one| one["standing"].clone()).collect();
        (judged, record, standings, trace)
    };
    for files in [&["no"][..], &["yes", "no"], &["no", "yes"]] {
        let (judged, record, mut standings, trace) = handed("pay.json", files, &["--keep-intent"], 3);
        assert_eq!(judged["reason_codes"], serde_json::json!(["gait.denied"]));
        assert_eq!(judged["detail"], "bob@acme.com has denied the call: not today");
        assert_eq!(record["denied_with"], serde_json::json!([denied["digest"]]));
        standings.sort_by_key(Value::to_string);
        let expected = if files.len() == 1 {
            vec!["denies"]
        } else {
            vec!["denied", "denies"]
        };
        assert_eq!(standings, expected, "{files:?}");
        // A stranger comes to the same, with the denial and without.
        let recompute = ["trace", "recompute", &trace, "--bundle", "b.gaitbundle"];
        let alone = at.json(&recompute, 0, "trace_recompute");
        assert!(alone["traces"][0]["believed"].to_string().contains("denied_with"));
        let given = files.iter().flat_map(|file| ["--approval", file]);
        let given: Vec<&str> = given.chain(["--approvers", "gait-trust.json"]).collect();
        let whole = at.json(&[&recompute[..], &given].concat(), 0, "trace_recompute");
        assert!(!whole["traces"][0]["believed"].to_string().contains("denied_with"));
    }
    // Of another call it says nothing, nor of one that nobody is asked about.
    assert_eq!(handed("more.json", &["no"], &[], 4).2, ["other_call"]);
    assert_eq!(handed("huge.json", &["no"], &[], 3).2, ["other_call"]);
    // It was no approval that was used up.
    assert_eq!(with(&at, "pay.json", "yes", &[], 0), "counted");
    // Once it is over, it is over.
    deny(&at, "pay.json", "bob", "short", &["--expires", "1ms"]);
    assert_eq!(handed("pay.json", &["short"], &[], 4).2, ["late"]);
    // Nobody denies for somebody else, and a stranger nothing.
    deny(&at, "pay.json", "eve", "foreign", &[]);
    at.fails(
        &eval("pay.json", &["--approval", "foreign"]),
        2,
        "verify.key_unknown",
    );
    at.json(
        &[
            "trust",
            "revoke",
            "--key",
            &person("bob").verifying_key().id().to_string(),
        ],
        0,
        "trust_revoke",
    );
    assert_eq!(handed("pay.json", &["no"], &[], 4).2, ["key_revoked"]);
    for reason in ["", "  ", "two\nlines", "\u{202e}turned"] {
        let args = [
            "deny", "no.trace", "--key", "ann.key", "--yes", "--reason", reason,
        ];
        at.fails(&args, 6, "usage.invalid");
    }
}

#[test]
fn an_approval_lets_one_call_run_once() {
    let at = folder();
    let given = approve(&at, "pay.json", "ann", "a");
    at.json(&["verify", "a", "--trust", "ann.pub"], 0, "verify");
    // For another call, a stricter one, and under another bundle it is nothing.
    assert_eq!(with(&at, "more.json", "a", &[], 4), "other_call");
    assert_eq!(with(&at, "huge.json", "a", &[], 3), "other_call");
    assert_eq!(with(&at, "own.json", "a", &[], 4), "other_call");
    at.write("c.gaitbundle", &compiled(&POLICY.replace("\"1\"", "\"2\"")));
    let mut other = eval("pay.json", &["--approval", "a"]);
    other[3] = "c.gaitbundle";
    let judged = at.json(&other, 4, "gate_eval");
    assert_eq!(judged["handed"][0]["standing"], "other_bundle");
    // At another time, too.
    for (when, standing) in [
        ("2026-11-01T00:00:00Z", "early"),
        ("2099-01-01T00:00:00Z", "late"),
    ] {
        assert_eq!(
            with(&at, "pay.json", "a", &["--evaluation-time", when], 4),
            standing
        );
    }
    // Handed over twice it is one.
    let twice = eval("two.json", &["--approval", "a", "--approval", "a"]);
    assert_eq!(
        at.json(&twice, 4, "gate_eval")["handed"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(with(&at, "pay.json", "a", &["--explain"], 0), "counted");
    assert_eq!(with(&at, "pay.json", "a", &[], 4), "used");
    let plain = at.run(&eval("pay.json", &["--approval", "a"]));
    assert!(shown(&plain).contains("ann@acme.com: not counted: a call has used it up"));
    // A second approval of the same person for the same call is another one.
    let again = approve(&at, "pay.json", "ann", "a2");
    assert_ne!(given["digest"], again["digest"]);
    assert_eq!(given["call_digests"], again["call_digests"]);
    assert_eq!(with(&at, "pay.json", "a2", &["--session", "s"], 0), "counted");
    assert_eq!(with(&at, "pay.json", "a2", &["--session", "s"], 4), "used");
}

#[test]
fn of_many_at_once_one_is_allowed() {
    let at = folder();
    for round in 0..3 {
        let name = format!("a{round}");
        approve(&at, "pay.json", "ann", &name);
        let start = |_| {
            let mut command = at.command(&eval("pay.json", &["--approval", &name]));
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let all: Vec<_> = (0..6).map(start).collect();
        let exits: Vec<_> = all
            .into_iter()
            .map(|mut one| one.wait().unwrap().code())
            .collect();
        let allowed = exits.iter().filter(|code| **code == Some(0)).count();
        let waiting = exits.iter().filter(|code| **code == Some(4)).count();
        assert_eq!((allowed, waiting), (1, 5), "{exits:?}");
    }
}

#[test]
fn people_count_by_their_principal_and_not_by_their_keys() {
    let at = folder();
    // Eve's key is a second one of Ann's.
    trust(&at, "ann", "eve", &[]);
    approve(&at, "two.json", "ann", "a");
    approve(&at, "two.json", "eve", "e");
    approve(&at, "two.json", "bob", "b");
    let of = |names: &[&str], exit| {
        let args: Vec<&str> = names.iter().flat_map(|name| ["--approval", *name]).collect();
        let judged = at.json(&eval("two.json", &args), exit, "gate_eval");
        let handed = judged["handed"].as_array().unwrap().clone();
        let standings = handed
            .iter()
            .map(|one| one["standing"].as_str().unwrap().to_owned());
        standings.collect::<Vec<_>>()
    };
    assert_eq!(of(&["a"], 4), ["not_enough"]);
    assert_eq!(of(&["a", "e"], 4), ["not_enough"; 2]);
    assert_eq!(of(&["a", "e", "b"], 0), ["counted"; 3]);
    // Whoever asks does not approve, by whatever spelling.
    approve(&at, "own.json", "ann", "o");
    assert_eq!(with(&at, "own.json", "o", &[], 4), "requester");
    // Somebody who is trusted and in no role.
    let dan = SigningKey::from_seed(&[1; 32]);
    at.write_private("dan.key", &dan.to_file());
    at.write("dan.pub", &dan.verifying_key().to_file());
    trust(&at, "dan", "dan", &[]);
    approve(&at, "pay.json", "dan", "d");
    assert_eq!(with(&at, "pay.json", "d", &[], 4), "not_from");
}

#[test]
fn what_needs_no_approval_uses_none_up() {
    let at = folder();
    let policy = POLICY
        .replace("context { ", "context { fact calm: Bool\n ")
        .replace("on two require", "on two when not context.calm require")
        .replace("distinct }\n", "}\nrule free on two when context.calm allow\nrule try on two when context.calm and args.amount > 0.50 dry_run\n");
    let policy = policy.replace("count 2 ", "");
    at.write("b.gaitbundle", &compiled(&policy));
    at.write(
        "one.json",
        intent("two", r#"{"amount":"0.10"}"#, "agent@acme.com").as_bytes(),
    );
    at.write("calm", br#"{"calm":true}"#);
    at.write("storm", br#"{"calm":false}"#);
    for (intent, calm) in [("one.json", 0), ("two.json", 9)] {
        let wait = eval(intent, &["--facts", "storm", "--keep-intent", "--trace-out", "t"]);
        at.json(&wait, 4, "gate_eval");
        at.json(
            &["approve", "t", "--key", "ann.key", "--yes", "--out", "a"],
            0,
            "approve",
        );
        assert_eq!(with(&at, intent, "a", &["--facts", "calm"], calm), "not_asked");
        assert_eq!(with(&at, intent, "a", &["--facts", "storm"], 0), "counted");
        assert_eq!(with(&at, intent, "a", &["--facts", "storm"], 4), "used");
        at.remove("t");
        at.remove("a");
    }
}

#[test]
fn an_approved_call_is_judged_again_as_it_was() {
    let at = folder();
    approve(&at, "two.json", "ann", "a");
    approve(&at, "two.json", "bob", "b");
    let args = eval(
        "two.json",
        &["--approval", "a", "--approval", "b", "--session", "s"],
    );
    at.json(&args, 0, "gate_eval");
    at.json(&eval("two.json", &["--session", "s"]), 4, "gate_eval");
    for args in [
        &["run", "record", "--session", "s", "--out", "s.zip"][..],
        &["verify", "s.zip"],
        &["regress", "bootstrap", "s.zip", "--out", "f"],
        &["regress", "run", "f", "--bundle", "b.gaitbundle"],
    ] {
        let output = at.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}\n{}", shown(&output));
    }
    // Of a policy that asks for more, the same approvals are not enough.
    at.write("c.gaitbundle", &compiled(&POLICY.replace("count 2", "count 3")));
    let output = at.run(&["regress", "run", "f", "--bundle", "c.gaitbundle"]);
    assert_eq!(output.status.code(), Some(5), "{}", shown(&output));
}

#[test]
fn a_key_that_is_revoked_or_unknown_approves_nothing() {
    let at = folder();
    approve(&at, "pay.json", "ann", "a");
    approve(&at, "pay.json", "eve", "e");
    at.fails(&eval("pay.json", &["--approval", "e"]), 2, "verify.key_unknown");
    let id = person("ann").id().to_string();
    let revoke = ["trust", "revoke", "--key", &id[..20]];
    assert_eq!(
        at.json(&revoke, 0, "trust_revoke")["approver"]["state"],
        "revoked"
    );
    assert_eq!(with(&at, "pay.json", "a", &[], 4), "key_revoked");
    assert_eq!(
        with(
            &at,
            "pay.json",
            "a",
            &["--evaluation-time", "2026-01-01T00:00:00Z"],
            4
        ),
        "key_revoked"
    );
    at.fails(&revoke, 6, "trust.revoked");
    at.fails(&["trust", "revoke", "--key", "sha256:00"], 6, "trust.unknown");
    at.fails(&["trust", "revoke", "--key", "sha256:"], 6, "trust.unknown");
    let again = ["trust", "add", "--principal", "eve@acme.com", "--key", "ann.pub"];
    at.fails(&again, 8, "trust.known");
    let listed = at.json(&["trust", "list"], 0, "trust_list");
    assert_eq!(listed["approvers"].as_array().unwrap().len(), 3);
    // Trusted until before the time of the call.
    let mut key = person("eve").verifying_key();
    key.valid_until = Some("2098-01-01T00:00:00Z".parse().unwrap());
    at.write("eve.pub", &key.to_file());
    let added = trust(&at, "cid", "eve", &["--until", "2099-01-01T00:00:00Z"]);
    assert_eq!(added["approver"]["valid_until"], "2098-01-01T00:00:00.000Z");
    let late = ["--evaluation-time", "2098-06-01T00:00:00Z"];
    assert_eq!(with(&at, "pay.json", "e", &late, 4), "key_not_valid");
    assert_eq!(with(&at, "pay.json", "e", &[], 0), "counted");
}

#[test]
fn a_trust_file_is_exactly_what_was_written() {
    let at = folder();
    let good = String::from_utf8(at.read("gait-trust.json")).unwrap();
    crate::folder::valid(good.as_bytes(), "approvers");
    let first = good.find("{\"added_at\"").unwrap();
    let one = &good[first..=good[first..].find('}').unwrap() + first];
    approve(&at, "pay.json", "ann", "a");
    for bad in [
        good.trim_end().to_owned(),
        good.replace(":[", ": ["),
        good.replace(one, &format!("{one},{one}")),
        good.replace("ann@", " ann@"),
        good.replace("ann@", "an\u{200b}n@"),
        good.replace("\"principal\":\"ann@acme.com\"", "\"principal\":\"\""),
        good.replace("approvers/1", "approvers/2"),
        good.replace("\"public_key\":\"", "\"public_key\":\"A"),
        "{}".to_owned(),
        String::new(),
        good.replace(",\"schema\"", ",\"more\":1,\"schema\""),
    ] {
        assert_ne!(bad, good);
        at.write("gait-trust.json", bad.as_bytes());
        for args in [
            &eval("pay.json", &["--approval", "a"])[..],
            &["trust", "list"],
            &["trust", "revoke", "--key", "00"],
        ] {
            let failed = at.run(args);
            assert_eq!(
                failed.status.code(),
                Some(6),
                "{args:?} {bad}\n{}",
                shown(&failed)
            );
        }
    }
    at.write("gait-trust.json", &vec![b' '; 2 << 20]);
    at.fails(&["trust", "list"], 6, "file.too_large");
    for (more, code) in [
        (&["--principal", " "][..], "trust.principal"),
        (&["--principal", "a\u{202e}b"], "trust.principal"),
        (
            &["--principal", "a", "--until", "2020-01-01T00:00:00Z"],
            "trust.window",
        ),
        (&["--principal", "a", "--until", "soon"], "usage.bad_time"),
    ] {
        let args = [
            &["trust", "add", "--key", "eve.pub", "--file", "new.json"][..],
            more,
        ]
        .concat();
        at.fails(&args, 6, code);
    }
    at.fails(&["trust", "list", "--file", "none.json"], 6, "file.not_found");
    at.fails(
        &[
            "trust",
            "revoke",
            "--key",
            &person("ann").id().to_string(),
            "--file",
            "none.json",
        ],
        6,
        "file.not_found",
    );
    assert!(!at.path("none.json").exists() && !at.path("new.json").exists());
}

#[test]
fn keys_that_are_added_at_once_are_all_there() {
    let at = Folder::new();
    let keys: Vec<SigningKey> = (1..9).map(|n| SigningKey::from_seed(&[n; 32])).collect();
    let start = |key: &SigningKey| {
        let file = format!("{}.pub", &key.id().to_string()[7..19]);
        at.write(&file, &key.verifying_key().to_file());
        let mut command = at.command(&["trust", "add", "--principal", "p", "--key", &file]);
        command.stdout(Stdio::null()).spawn().unwrap()
    };
    let all: Vec<_> = keys.iter().map(start).collect();
    all.into_iter()
        .for_each(|mut one| assert!(one.wait().unwrap().success()));
    let listed = at.json(&["trust", "list"], 0, "trust_list");
    assert_eq!(listed["approvers"].as_array().unwrap().len(), keys.len());
}

#[test]
fn what_is_no_approval_judges_nothing() {
    let at = folder();
    approve(&at, "pay.json", "ann", "a");
    let traces = at.list("gait-out/traces").len();
    let good = at.read("a");
    let mut refused = 0;
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad[place] ^= 1;
        let known = gait::artifact::Approvers::parse(&at.read("gait-trust.json")).unwrap();
        let now = jiff::Timestamp::now();
        refused += usize::from(gait::approvals::verify(&bad, &known, now, now).is_err());
    }
    assert_eq!(refused, good.len());
    let at_hand = [
        ("cut", good[..good.len() - 9].to_vec(), 2, "verify.not_json"),
        ("trace", at.read("a.trace"), 2, "verify.payload_type"),
        ("key", at.read("ann.pub"), 2, "verify.shape"),
        ("intent", at.read("pay.json"), 2, "verify.shape"),
        ("empty", Vec::new(), 2, "verify.not_json"),
        ("huge", vec![b' '; 5 << 20], 6, "file.too_large"),
    ];
    for (name, bytes, exit, code) in at_hand {
        at.write("bad", &bytes);
        at.fails(&eval("pay.json", &["--approval", "bad"]), exit, code);
        // A good one beside it changes nothing.
        at.fails(
            &eval("pay.json", &["--approval", "a", "--approval", "bad"]),
            exit,
            code,
        );
        assert_eq!(at.list("gait-out/traces").len(), traces, "{name}");
    }
    at.fails(&eval("pay.json", &["--approval", "none"]), 6, "file.not_found");
    at.fails(
        &eval("pay.json", &["--approvers", "gait-trust.json"]),
        6,
        "usage.invalid",
    );
    assert_eq!(
        with(&at, "pay.json", "a", &[], 0),
        "counted",
        "none of it has used the approval up"
    );
}

#[test]
fn an_approval_names_the_key_that_signs_it() {
    let at = folder();
    let digest = |n: u8| Digest::from_bytes([n; 32]);
    let now = time::cut(jiff::Timestamp::now());
    let mut approval = GivenApproval {
        denied: None,
        subject: Subject {
            bundle_digest: digest(1),
            intent_digest: digest(2),
            call_digests: vec![digest(3)],
        },
        tool: "pay".to_owned(),
        key: person("ann").id(),
        given_at: now,
        expires_at: now + std::time::Duration::from_secs(60),
        nonce: "0".repeat(64),
    };
    // Bob signs what says that Ann has given it.
    let (forged, _) = given::sign(&approval, &person("bob")).unwrap();
    at.write("f", forged.as_bytes());
    at.fails(&eval("pay.json", &["--approval", "f"]), 2, "verify.contents");
    for change in [
        |a: &mut GivenApproval| a.nonce = "0".repeat(63),
        |a: &mut GivenApproval| a.nonce = "G".repeat(64),
        |a: &mut GivenApproval| a.expires_at = a.given_at,
        |a: &mut GivenApproval| a.subject.call_digests.clear(),
        |a: &mut GivenApproval| a.tool.clear(),
    ] {
        let good = approval.clone();
        change(&mut approval);
        assert!(given::sign(&approval, &person("ann")).is_err(), "{approval:?}");
        approval = good;
    }
}

#[test]
fn only_what_waits_and_is_seen_is_approved() {
    let at = folder();
    let eval_to = |intent: &str, out: &str, more: &[&str]| {
        let args = [&["--trace-out", out][..], more].concat();
        at.run(&eval(intent, &args));
    };
    eval_to("huge.json", "blocked", &["--keep-intent"]);
    eval_to("pay.json", "bare", &[]);
    let approve = |trace: &str, more: &[&str]| {
        let args = ["approve", trace, "--key", "ann.key", "--yes", "--out", "a"];
        args.iter()
            .chain(more)
            .map(|s| (*s).to_owned())
            .collect::<Vec<String>>()
    };
    let fails = |args: Vec<String>, exit, code: &str| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        at.fails(&args, exit, code);
        assert!(!at.path("a").exists(), "{args:?}");
    };
    fails(approve("blocked", &[]), 6, "approve.not_asked");
    fails(approve("bare", &[]), 6, "approve.no_intent");
    fails(
        approve("bare", &["--intent", "more.json"]),
        2,
        "approve.other_intent",
    );
    fails(
        approve("bare", &["--intent", "pay.json", "--trust", "ann.pub"]),
        2,
        "verify.key_unknown",
    );
    for expires in ["0s", "32d", "soon", "1000001d"] {
        let more = ["--intent", "pay.json", "--expires", expires];
        fails(
            approve("bare", &more),
            6,
            if expires == "-1m" {
                "usage.invalid"
            } else {
                "approve.expires"
            },
        );
    }
    fails(approve("pay.json", &[]), 2, "verify.shape");
    fails(
        approve("bare", &["--intent", "pay.json", "--key", "none"]),
        6,
        "usage.invalid",
    );
    at.write("open.key", &person("ann").to_file());
    let args = ["approve", "bare", "--intent", "pay.json", "--yes", "--out", "a"];
    at.fails(&[&args[..], &["--key", "open.key"]].concat(), 8, "file.exposed");
    at.fails(
        &[&args[..4], &["--key", "ann.key"]].concat(),
        8,
        "approve.nobody_to_ask",
    );
    let output = at.run(&[&args[..], &["--key", "ann.key"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    for part in [
        "argument amount: \"700.00\"",
        "rule     one",
        "approve  from finance",
        "identity",
    ] {
        assert!(shown(&output).contains(part), "{part}: {}", shown(&output));
    }
    at.fails(&[&args[..], &["--key", "ann.key"]].concat(), 8, "file.exists");
    assert_eq!(with(&at, "pay.json", "a", &[], 0), "counted");
}

#[test]
fn where_nobody_keeps_what_is_used_nothing_counts() {
    let at = folder();
    let given = approve(&at, "pay.json", "ann", "a");
    let name = given["digest"].as_str().unwrap();
    assert_eq!(with(&at, "pay.json", "a", &[], 0), "counted");
    let shown = at.json(&["store", "show"], 0, "store_show");
    assert_eq!(shown["records"][0]["name"], name, "{shown}");
    let database = rusqlite::Connection::open(at.path("gait-out/store/gait.db")).unwrap();
    let column = |column: &str| {
        let query = format!("SELECT {column} FROM record WHERE name = ?1");
        let found = database.query_row(&query, [name], |row| row.get::<_, Vec<u8>>(0));
        found.unwrap()
    };
    let set = |column: &str, value: &[u8]| {
        let update = format!("UPDATE record SET {column} = ?1 WHERE name = ?2");
        assert_eq!(database.execute(&update, (value, name)).unwrap(), 1);
    };
    let (value, digest) = (column("value"), column("digest"));
    let text = String::from_utf8(value.clone()).unwrap();
    for bad in [
        String::new(),
        "{}".to_owned(),
        text.replace("used_approval", "counter"),
        format!("{text} "),
    ] {
        set("value", bad.as_bytes());
        assert_eq!(with(&at, "pay.json", "a", &[], 4), "no_store", "{bad}");
    }
    set("value", &value);
    set("digest", &[7; 32]);
    assert_eq!(with(&at, "pay.json", "a", &[], 4), "no_store");
    set("digest", &digest);
    assert_eq!(with(&at, "pay.json", "a", &[], 4), "used");
    // A place for counters that is a file.
    assert_eq!(
        with(&at, "pay.json", "a", &["--store", "pay.json"], 4),
        "no_store"
    );
}

#[test]
fn a_script_is_approved_as_a_whole() {
    let at = folder();
    let script = |amount: &str| {
        let step = |tool: &str, args: &str| format!(r#"{{"tool_name":"{tool}","args":{args},"targets":[]}}"#);
        let pay = step("pay", &format!(r#"{{"to":"x@acme.com","amount":"{amount}"}}"#));
        let text = intent("script", "{}", "agent@acme.com");
        text.replace(
            r#""targets":[],"#,
            &format!(r#""targets":[],"script":{{"steps":[{pay},{pay}]}},"#),
        )
    };
    at.write("s.json", script("1.00").as_bytes());
    at.write("t.json", script("2.00").as_bytes());
    let given = approve(&at, "s.json", "ann", "a");
    assert_eq!(given["call_digests"].as_array().unwrap().len(), 2);
    assert_eq!(with(&at, "t.json", "a", &[], 4), "other_call");
    assert_eq!(with(&at, "s.json", "a", &[], 0), "counted");
    assert_eq!(with(&at, "s.json", "a", &[], 4), "used");
}

#[test]
fn what_is_redacted_is_approved_by_its_real_value() {
    let at = folder();
    let policy = POLICY
        .replace("rule one on pay", "rule one on pay when true")
        .replace(
            "bind args, policy }\n",
            "bind args, policy } oblige redact(args.memo)\n",
        );
    at.write("b.gaitbundle", &compiled(&policy));
    let pay = |memo: &str| format!(r#"{{"to":"x@acme.com","amount":"7.00","memo":"{memo}"}}"#);
    at.write(
        "x.json",
        intent("pay", &pay("secret"), "agent@acme.com").as_bytes(),
    );
    at.write(
        "y.json",
        intent("pay", &pay("public"), "agent@acme.com").as_bytes(),
    );
    approve(&at, "x.json", "ann", "a");
    let trace = at.valid_trace("a.trace");
    assert!(
        trace["intent"]["args"].is_object() && !trace.to_string().contains("secret"),
        "{trace}"
    );
    assert_eq!(with(&at, "y.json", "a", &[], 4), "other_call");
    assert_eq!(with(&at, "x.json", "a", &[], 0), "counted");
}

/// The page about approvals, executed: its files are written and its commands run, in order.
#[test]
fn the_page_does_what_it_says() {
    let page = include_str!("../../docs/reference/approvals.md");
    let at = Folder::new();
    std::fs::remove_dir_all(at.path("gait-out")).unwrap();
    let printed = at.page(page);
    assert_eq!(printed.len(), 17);
    let last = printed.last().unwrap();
    assert!(
        last.contains("bob@acme.com: not counted: a call has used it up"),
        "{last}"
    );
    let table = page.split("| `standing` |").nth(1).unwrap();
    for line in table.lines().skip(2).filter(|line| line.starts_with('|')) {
        let names = line.split('|').nth(1).unwrap();
        let schema = include_str!("../../schemas/v1/cli/gate_eval.schema.json");
        for name in names.split('`').skip(1).step_by(2) {
            assert!(schema.contains(&format!("\"{name}\"")), "{name}");
        }
    }
}
