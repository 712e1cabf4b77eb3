//! `gait approvals`: the calls that wait, told from traces: each once, until it is decided otherwise, and only where a gate's key has
//! signed it.

use crate::approve::{approve, folder};
use crate::folder::{AT, Folder, shown, trusted};
use gait::artifact::{SigningKey, trace};
use serde_json::Value;

/// Judges an intent into `gait-out/traces`; the path of the trace.
fn judge(at: &Folder, intent: &str, exit: i32, more: &[&str]) -> String {
    let args = [
        "gate",
        "eval",
        "--bundle",
        "b.gaitbundle",
        "--intent",
        intent,
        "--keep-intent",
    ];
    let judged = at.json(&[&args[..], more].concat(), exit, "gate_eval");
    judged["trace_path"].as_str().unwrap().to_owned()
}

fn listed(at: &Folder, more: &[&str]) -> (Vec<Value>, Vec<Value>) {
    let found = at.json(&[&["approvals"][..], more].concat(), 0, "approvals");
    let all = |name: &str| found[name].as_array().unwrap().clone();
    (all("waiting"), all("unread"))
}

#[test]
fn a_call_waits_once_until_it_is_decided_otherwise() {
    let at = folder();
    assert_eq!(listed(&at, &[]), (Vec::new(), Vec::new()), "no folder yet");
    assert!(shown(&at.run(&["approvals"])).contains("nothing waits"));
    judge(&at, "pay.json", 4, &[]);
    let last = judge(&at, "pay.json", 4, &[]);
    judge(&at, "more.json", 4, &[]);
    judge(&at, "huge.json", 3, &[]);
    let (waiting, unread) = listed(&at, &[]);
    assert_eq!((waiting.len(), unread.len()), (2, 0));
    assert_eq!(
        (waiting[0]["asked"].as_u64(), waiting[1]["asked"].as_u64()),
        (Some(2), Some(1))
    );
    assert_eq!(waiting[0]["file"], *last);
    assert_eq!(waiting[0]["intent"]["args"]["amount"], "700.00");
    // The same trace in two places is one.
    at.write("gait-out/traces/copy.json", &at.read(&last));
    assert_eq!(listed(&at, &[]).0[0]["asked"], 2);
    at.remove("gait-out/traces/copy.json");
    let text = shown(&at.run(&["approvals"]));
    for part in [
        "waits pay",
        "2 times",
        r#"amount: "700.00""#,
        "agent@acme.com",
        &last,
        "from finance",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // An approval that is there is shown, and what is known against it.
    let given = approve(&at, "pay.json", "ann", "gait-out/approvals/a.json");
    let trust = ["--approvers", "gait-trust.json"];
    let (waiting, _) = listed(&at, &trust);
    let ann = &waiting[0]["given"][0];
    assert_eq!(
        (&ann["by"], &ann["against"]),
        (&Value::from("ann@acme.com"), &Value::Null)
    );
    assert_eq!(ann["digest"], given["digest"]);
    assert!(waiting[1]["given"].as_array().unwrap().is_empty());
    at.json(
        &["trust", "revoke", "--key", given["key_id"].as_str().unwrap()],
        0,
        "trust_revoke",
    );
    assert_eq!(listed(&at, &trust).0[0]["given"][0]["against"], "key_revoked");
    // What people have let run waits no longer; asked again, it does, and that once.
    approve(&at, "pay.json", "bob", "b.json");
    judge(
        &at,
        "pay.json",
        0,
        &["--approvers", "gait-trust.json", "--approval", "b.json"],
    );
    let (waiting, _) = listed(&at, &[]);
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0]["intent"]["args"]["amount"], "800.00");
    judge(&at, "pay.json", 4, &[]);
    assert_eq!(listed(&at, &[]).0[1]["asked"], 1);
}

#[test]
fn only_genuine_traces_are_calls_that_wait() {
    let at = folder();
    let bytes = at.read(&judge(&at, "pay.json", 4, &["--trace-out", "t.json"]));
    let text = String::from_utf8(bytes.clone()).unwrap();
    let genuine = trace::verify(&bytes, &trusted(), AT.parse().unwrap()).unwrap();
    let forged = trace::sign(genuine.value(), &SigningKey::from_seed(&[9; 32])).unwrap();
    let changed = text.replacen("\"payload\":\"", "\"payload\":\"A", 1);
    assert_ne!(changed, text);
    for (name, bytes) in [
        ("cut", bytes[..bytes.len() / 2].to_vec()),
        ("changed", changed.into_bytes()),
        ("forged", forged.into_bytes()),
        ("empty", Vec::new()),
        ("no trace", at.read("b.gaitbundle")),
        ("approval", at.read("ann.pub")),
    ] {
        at.write("other/x.json", &bytes);
        let (waiting, unread) = listed(&at, &["other"]);
        assert_eq!((waiting.len(), unread.len()), (0, 1), "{name}");
        let text = shown(&at.run(&["approvals", "other"]));
        assert!(
            text.contains("nothing waits") && text.contains("x.json: "),
            "{name}: {text}"
        );
    }
    at.json(&["approvals", "nowhere"], 6, "error");
}

#[test]
fn a_file_of_a_folder_that_cannot_be_read_hides_no_other() {
    let at = folder();
    judge(&at, "pay.json", 4, &[]);
    for name in ["a.json", "z.jsonl"] {
        std::fs::create_dir(at.path("gait-out/traces").join(name)).unwrap();
    }
    let (waiting, unread) = listed(&at, &[]);
    assert_eq!((waiting.len(), unread.len()), (1, 2));
    assert_eq!(unread[0]["file"], "gait-out/traces/a.json");
    let (waiting, unread) = listed(&at, &["gait-out/traces"]);
    assert_eq!((waiting.len(), unread.len()), (1, 2));
    // One that is named has to be there.
    let named = ["approvals", "gait-out/traces/a.json"];
    assert!(!at.run(&named).status.success());
}

#[test]
fn a_trace_of_a_log_is_approved_by_its_line() {
    let at = folder();
    let line = |name: &str| {
        at.read(&judge(
            &at,
            name,
            if name == "huge.json" { 3 } else { 4 },
            &["--trace-out", &format!("{name}.t")],
        ))
    };
    let [huge, pay, more] = ["huge.json", "pay.json", "more.json"].map(line);
    let torn = &more[..more.len() - 9];
    let log: Vec<&[u8]> = vec![&huge, b"\n", b"{}\n", &pay, b"\n", torn];
    at.write("gait-out/serve/traces/l.jsonl", &log.concat());
    let (waiting, unread) = listed(&at, &[]);
    assert_eq!((waiting.len(), unread.len()), (1, 1));
    assert_eq!(
        (&waiting[0]["line"], &unread[0]["line"]),
        (&Value::from(3), &Value::from(2))
    );
    let log = "gait-out/serve/traces/l.jsonl";
    let text = shown(&at.run(&["approvals"]));
    assert!(text.contains("l.jsonl --line 3"), "{text}");
    let approve = |line: &str, exit, schema| {
        at.json(
            &[
                "approve", log, "--line", line, "--key", "ann.key", "--yes", "--out", "a.json",
            ],
            exit,
            schema,
        )
    };
    for (line, code) in [
        ("1", "approve.not_asked"),
        ("2", "verify.shape"),
        ("4", "approve.no_line"),
        ("9", "approve.no_line"),
    ] {
        let error = approve(line, if line == "2" { 2 } else { 6 }, "error");
        assert_eq!(error["error"]["code"], code, "{error}");
    }
    approve("3", 0, "approve");
    let args = ["--approvers", "gait-trust.json", "--approval", "a.json"];
    judge(&at, "pay.json", 0, &args);
}
