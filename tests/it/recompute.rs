//! A trace is an account that a stranger can check: from what it names, the same decision comes out, and one that was
//! written differently does not.

use crate::folder::{AT, Folder, compiled, key, shown, trusted};
use gait::artifact::envelope::Payload;
use gait::artifact::{Digest, SigningKey, TraceRecord, trace};
use gait::domain::{Enforcement, Verdict};
use gait::json::Json;
use serde_json::Value;

const POLICY: &str = r#"gaitpol 1
policy acme.desk @ "1"
default block code none
context { fact identity from intent context.identity
  fact calm: Bool }
role finance { "ann@acme.com", "bob@acme.com" }
tool read { path: Path
  returns { untrusted } }
tool pay { to: Email, amount: Decimal[2], memo: String[max 40]? }
tool mail { to: Email, text: String[max 200] }
rule look on read when args.path under "/ws" allow
rule pays on pay when args.amount <= 10.00 allow
rule asks on pay when args.amount > 10.00 require_approval { from finance excluding requester }
rule mails on mail allow oblige redact(args.text)
rule tainted on mail when labels(session) has untrusted and not context.calm block code tainted
limit often on pay max 3 calls per 1h exceed block code often
"#;

fn intent(tool: &str, args: &str) -> String {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
        "producer_version":"t","tool_name":"{tool}",{args},"targets":[],
        "context":{{"identity":"agent@acme.com","workspace":"/w","risk_class":"low"}}}}"#
    )
}

fn pay(amount: &str) -> String {
    intent(
        "pay",
        &format!(r#""args":{{"to":"x@acme.com","amount":"{amount}"}}"#),
    )
}

/// The calls, by the name of their file.
fn calls() -> Vec<(&'static str, String)> {
    let mail = r#""args":{"to":"x@acme.com","text":"the secret plan"}"#;
    let script = r#""args":{},"script":{"steps":[
        {"tool_name":"read","args":{"path":"/ws/a"}},{"tool_name":"mail","args":{"to":"x@acme.com","text":"hidden"}}]}"#;
    vec![
        ("read", intent("read", r#""args":{"path":"/ws/../ws/a"}"#)),
        ("pay", pay("7.00")),
        ("ask", pay("70.00")),
        ("mail", intent("mail", mail)),
        ("script", intent("script", script)),
        ("other", intent("unknown", r#""args":{}"#)),
        ("wrong", intent("read", r#""args":{"path":7}"#)),
    ]
}

fn folder() -> Folder {
    let at = Folder::new();
    at.write("b.gaitbundle", &compiled(POLICY));
    at.write("calm.json", br#"{"calm":true}"#);
    for (name, text) in calls() {
        at.write(&format!("{name}.json"), text.as_bytes());
    }
    at
}

/// Judges calls of a session, each trace in a file of its name.
fn judged(at: &Folder, names: &[&str], more: &[&str]) -> Vec<String> {
    let judge = |(n, name): (usize, &&str)| {
        let (file, out) = (format!("{name}.json"), format!("{n}-{name}.trace"));
        let _ = std::fs::remove_file(at.path(&out));
        let args = [
            "gate",
            "eval",
            "--bundle",
            "b.gaitbundle",
            "--intent",
            &file,
            "--trace-out",
            &out,
        ];
        let output = at.run(&[&args[..], more].concat());
        assert!(
            matches!(output.status.code(), Some(0 | 3 | 4 | 9)),
            "{}",
            shown(&output)
        );
        out
    };
    names.iter().enumerate().map(judge).collect()
}

fn recompute(at: &Folder, files: &[&str], more: &[&str], exit: i32) -> Value {
    let args = ["trace", "recompute", "--bundle", "b.gaitbundle"];
    at.json(&[&args[..], files, more].concat(), exit, "trace_recompute")
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect()
}

#[test]
fn every_call_of_a_session_comes_out_the_same() {
    let at = folder();
    let names = [
        "read", "pay", "pay", "other", "mail", "ask", "wrong", "pay", "pay", "script", "mail",
    ];
    let facts = ["--session", "s", "--facts", "calm.json"];
    let mut out = judged(&at, &names, &facts);
    out.extend(judged(&at, &["script"], &["--session", "s"]).iter().map(|name| {
        let renamed = format!("last-{name}");
        at.write(&renamed, &at.read(name));
        renamed
    }));
    let packed = at.run(&["run", "record", "--session", "s", "--out", "s.zip"]);
    assert_eq!(packed.status.code(), Some(0), "{}", shown(&packed));
    // The runpack keeps the intents without what is redacted, so those calls cannot be decided again from it.
    let args = ["trace", "recompute", "--bundle", "b.gaitbundle"];
    at.fails(&[&args[..], &["s.zip"]].concat(), 6, "recompute.intent_redacted");
    for (n, name) in out.iter().enumerate() {
        let call = format!("{}.json", names.get(n).unwrap_or(&"script"));
        let record = trace::verify(&at.read(name), &trusted(), AT.parse().unwrap()).unwrap();
        at.fails(&[&args[..], &[name]].concat(), 6, "recompute.intent_missing");
        if record.value().previous.is_none() {
            recompute(&at, &[name], &["--intent", &call], 0);
        } else {
            at.fails(
                &[&args[..], &[name, "--intent", &call]].concat(),
                6,
                "recompute.state_missing",
            );
            let found = recompute(&at, &[name], &["--intent", &call, "--before", &out[n - 1]], 0);
            assert_eq!(found["traces"][0]["same"], true, "{found}");
        }
    }
}

#[test]
fn alone_and_in_runs_the_same_comes_out() {
    let at = folder();
    let plain = ["read", "pay", "ask", "wrong"];
    judged(&at, &plain, &["--session", "s", "--facts", "calm.json"]);
    at.run(&["run", "record", "--session", "s", "--out", "s.zip"]);
    let all = recompute(&at, &["s.zip"], &[], 0);
    assert_eq!(all["traces"].as_array().unwrap().len(), plain.len());
    for one in all["traces"].as_array().unwrap() {
        assert_eq!(one["same"], true, "{one}");
        assert!(texts(&one["believed"]).contains(&"facts"));
    }
    for (name, _) in calls() {
        let call = format!("{name}.json");
        for more in [&["--keep-intent"][..], &["--facts", "calm.json", "--run", "r"]] {
            let out = judged(&at, &[name], more).remove(0);
            let found = recompute(&at, &[&out], &["--intent", &call], 0);
            assert_eq!(found["traces"][0]["same"], true, "{found}");
            let kept = at.run(&["trace", "recompute", "--bundle", "b.gaitbundle", &out]);
            let is_enough = more[0] == "--keep-intent" && !["mail", "script", "other"].contains(&name);
            assert_eq!(kept.status.success(), is_enough, "{name}: {}", shown(&kept));
            at.remove(&out);
        }
    }
}

#[test]
fn approvals_are_weighed_again_where_they_are_given() {
    let at = folder();
    let ann = SigningKey::from_seed(&[9; 32]);
    at.write_private("ann.key", &ann.to_file());
    at.write("ann.pub", &ann.verifying_key().to_file());
    at.json(
        &["trust", "add", "--principal", "ann@acme.com", "--key", "ann.pub"],
        0,
        "trust_add",
    );
    judged(&at, &["ask"], &["--keep-intent"]);
    at.json(
        &[
            "approve",
            "0-ask.trace",
            "--key",
            "ann.key",
            "--yes",
            "--out",
            "a",
        ],
        0,
        "approve",
    );
    at.remove("0-ask.trace");
    let given = ["--approval", "a", "--approvers", "gait-trust.json"];
    let out = judged(&at, &["ask"], &given).remove(0);
    assert_eq!(at.valid_trace(&out)["verdict"], "allow");
    let found = recompute(&at, &[&out], &["--intent", "ask.json"], 0);
    assert_eq!(texts(&found["traces"][0]["believed"]), ["approved_by", "limits"]);
    let found = recompute(&at, &[&out], &[&["--intent", "ask.json"][..], &given].concat(), 0);
    assert_eq!(texts(&found["traces"][0]["believed"]), ["limits"]);
    // Where the key is not trusted any more, the approval does not count.
    at.json(
        &["trust", "revoke", "--key", &ann.verifying_key().id().to_string()],
        0,
        "trust_revoke",
    );
    let found = recompute(&at, &[&out], &[&["--intent", "ask.json"][..], &given].concat(), 5);
    let members = found["traces"][0]["differences"].as_array().unwrap();
    assert!(
        members
            .iter()
            .any(|one| one["member"] == "verdict" && one["recomputed"] == "require_approval")
    );
}

/// A trace that was written differently and signed by the gate's own key.
fn forged(record: &TraceRecord, change: impl Fn(&mut TraceRecord)) -> Vec<u8> {
    let mut record = record.clone();
    change(&mut record);
    trace::sign(&record, &key()).unwrap().into_bytes()
}

#[test]
fn what_was_written_differently_is_named() {
    let at = folder();
    let out = judged(
        &at,
        &["pay"],
        &["--keep-intent", "--facts", "calm.json", "--session", "s"],
    )
    .remove(0);
    let verified = trace::verify(&at.read(&out), &trusted(), AT.parse().unwrap()).unwrap();
    type Change = fn(&mut TraceRecord);
    let other = |_: &TraceRecord| Digest::parse(&format!("sha256:{}", "0".repeat(64))).unwrap();
    let changes: [(&str, Change); 9] = [
        ("verdict", |r| {
            r.decision.verdict = Verdict::Block;
            r.runs = false;
            r.permit_until = None;
        }),
        ("reason_codes", |r| {
            r.decision.reason_codes = vec!["acme.other".to_owned()]
        }),
        ("matched_rules", |r| r.decision.matched[0].start.line += 1),
        ("detail", |r| r.decision.detail = Some("no".to_owned())),
        ("call_digest", |r| {
            r.call_digest = None;
            r.permit_until = None;
        }),
        ("enforcement", |r| {
            r.enforcement = Enforcement::Shadow;
            r.permit_until = None;
        }),
        ("identity", |r| r.identity = Some("ann@acme.com".to_owned())),
        ("verdict", |r| r.decision.limits.clear()),
        ("state", |r| {
            if let Some(Json::Object(members)) = r.state.as_mut().map(|state| &mut state.after) {
                members.retain(|(name, _)| name != "events");
            }
        }),
    ];
    for (member, change) in changes {
        at.write("forged.trace", &forged(verified.value(), change));
        let found = recompute(&at, &["forged.trace"], &[], 5);
        let members = found["traces"][0]["differences"].as_array().unwrap();
        assert!(
            members.iter().any(|one| one["member"] == member),
            "{member}: {found}"
        );
    }
    type Boxed<'b> = Box<dyn Fn(&mut TraceRecord) + 'b>;
    let refused: [(&str, i32, Boxed<'_>); 3] = [
        (
            "recompute.other_bundle",
            6,
            Box::new(|r| r.bundle_digest = other(r)),
        ),
        (
            "recompute.other_state",
            2,
            Box::new(|r| {
                let other = other(r);
                r.state.as_mut().unwrap().before = other;
            }),
        ),
        (
            "recompute.other_intent",
            6,
            Box::new(|r| {
                r.intent = None;
                r.intent_digest = other(r);
            }),
        ),
    ];
    for (code, exit, change) in refused {
        at.write("forged.trace", &forged(verified.value(), change));
        let args = [
            "trace",
            "recompute",
            "--bundle",
            "b.gaitbundle",
            "forged.trace",
            "--intent",
            "pay.json",
        ];
        at.fails(&args, exit, code);
    }
    // A trace of another key is no account of anybody's.
    let stranger = SigningKey::from_seed(&[3; 32]);
    let signed = trace::sign(verified.value(), &stranger).unwrap();
    at.write("forged.trace", &signed.into_bytes());
    let args = ["trace", "recompute", "--bundle", "b.gaitbundle", "forged.trace"];
    at.fails(&args, 2, "verify.key_unknown");
    assert!(Payload::to_json(verified.value()).get("verdict").is_some());
}

/// The page about traces, executed.
#[test]
fn the_page_does_what_it_says() {
    let at = Folder::new();
    std::fs::remove_dir_all(at.path("gait-out")).unwrap();
    let printed = at.page(include_str!("../../docs/reference/traces.md"));
    assert_eq!(printed.len(), 12);
    assert!(printed[5].starts_with("same "), "{}", printed[5]);
}
