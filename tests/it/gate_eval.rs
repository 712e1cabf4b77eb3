//! `gait gate eval` as a process: verdicts, traces, sessions, and everything that must not be an allow.

use crate::folder::{AT, Folder, eval, shown, trusted, valid};
use gait::artifact::{TraceRecord, Verified, envelope, trace};
use std::process::{Child, Stdio};

fn verified(bytes: &[u8]) -> Verified<TraceRecord> {
    trace::verify(bytes, &trusted(), "2026-11-23T12:00:00Z".parse().unwrap()).unwrap()
}

/// The records of a session's journal, in order; checks every line against its schema.
fn chain(folder: &Folder, session: &str) -> Vec<Verified<TraceRecord>> {
    let text = String::from_utf8(folder.read(&format!("gait-out/sessions/{session}.jsonl"))).unwrap();
    let lines = text.lines().enumerate().map(|(i, line)| {
        let value = valid(line.as_bytes(), "session_entry");
        assert_eq!(value["sequence"], i + 1);
        let envelope = gait::json::parse(line.as_bytes()).unwrap();
        verified(&gait::artifact::jcs::to_vec(envelope.get("trace").unwrap()))
    });
    lines.collect()
}

fn is_contiguous(chain: &[Verified<TraceRecord>]) {
    let mut previous = None;
    for trace in chain {
        assert_eq!(trace.value().previous, previous);
        previous = Some(trace.digest());
    }
}

#[test]
fn the_verdict_is_the_exit_code_and_the_trace_says_the_same() {
    let folder = Folder::new();
    for (intent, exit, verdict, code, args) in [
        ("allow.json", 0, "allow", "mail_inside", true),
        ("block.json", 3, "block", "foreign_recipient", true),
        ("approval.json", 4, "require_approval", "payment_over_limit", true),
    ] {
        let value = folder.json(&eval(intent, &[]), exit, "gate_eval");
        assert_eq!(value["verdict"], verdict);
        assert_eq!(value["reason_codes"], serde_json::json!([code]));
        assert_eq!(value["canonical_args"].is_object(), args);
        let trace = verified(&folder.read(value["trace_path"].as_str().unwrap()));
        assert_eq!(trace.value().decision.verdict.as_str(), verdict);
        assert_eq!(
            trace.digest().to_string(),
            value["trace_digest"].as_str().unwrap()
        );
        assert_eq!(trace.value().run_id, None);
        let plain = folder.eval(intent, &[]);
        assert_eq!(plain.status.code(), Some(exit));
        let text = shown(&plain);
        assert!(text.starts_with(verdict), "the verdict comes first: {text}");
        assert!(text.contains("policy.gaitpol:"), "{text}");
        assert!(text.contains("gait-out/traces/trace_"), "{text}");
    }
    assert_eq!(folder.list("gait-out/traces").len(), 6);
}

#[test]
fn a_call_the_policy_cannot_type_is_blocked_with_a_trace() {
    let folder = Folder::new();
    let text = String::from_utf8(folder.read("allow.json")).unwrap();
    for (change, code) in [
        (text.replace("mail.send", "mail.sendd"), "gait.unknown_tool"),
        (text.replace("ann@acme.example", "ann"), "gait.arg_unparsable"),
        (text.replace("\"subject\"", "\"topic\""), "gait.input_invalid"),
        (text.replace("mail.send", "x\\u2066y"), "intent.bad_value"),
    ] {
        folder.write("i.json", change.as_bytes());
        if code.starts_with("intent.") {
            folder.fails(&eval("i.json", &[]), 6, code);
            continue;
        }
        let value = folder.json(&eval("i.json", &[]), 3, "gate_eval");
        assert_eq!(value["reason_codes"][0], code);
        assert!(value["canonical_args"].is_null() && value["call_digest"].is_null());
        assert!(value["detail"].is_string());
    }
}

#[test]
fn what_is_no_intent_is_exit_6_and_leaves_no_trace() {
    let folder = Folder::new();
    let good = String::from_utf8(folder.read("allow.json")).unwrap();
    let minutes = "\"The minutes of today are in the wiki.\"";
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1).into_bytes()
    };
    for (name, bytes, code) in [
        ("empty", Vec::new(), "intent.syntax"),
        (
            "truncated",
            good.as_bytes()[..good.len() / 2].to_vec(),
            "intent.syntax",
        ),
        (
            "not utf-8",
            with("Minutes", "M\u{1}")
                .iter()
                .map(|b| if *b == 1 { 0xff } else { *b })
                .collect(),
            "intent.syntax",
        ),
        (
            "two documents",
            format!("{good}{good}").into_bytes(),
            "intent.syntax",
        ),
        (
            "byte order mark",
            format!("\u{feff}{good}").into_bytes(),
            "intent.syntax",
        ),
        ("an array", b"[]".to_vec(), "intent.wrong_type"),
        (
            "duplicate key",
            with("\"subject\"", "\"subject\": \"a\", \"subject\""),
            "intent.duplicate_key",
        ),
        (
            "duplicate tool",
            with("\"tool_name\"", "\"tool_name\": \"x\", \"tool_name\""),
            "intent.duplicate_key",
        ),
        (
            "wrong type",
            with("\"tool_name\": \"mail.send\"", "\"tool_name\": 7"),
            "intent.wrong_type",
        ),
        (
            "args as text",
            with("{\"to\"", "\"x\", \"a\": {\"to\""),
            "intent.unknown_field",
        ),
        (
            "unknown field",
            with("\"tool_name\"", "\"tool\": \"x\", \"tool_name\""),
            "intent.unknown_field",
        ),
        (
            "missing field",
            with("\"targets\": [],", ""),
            "intent.missing_field",
        ),
        ("other version", with("1.0.0", "2.0.0"), "intent.schema_version"),
        (
            "2^53 + 1",
            with(minutes, "9007199254740993"),
            "intent.number_not_exact",
        ),
        ("negative zero", with(minutes, "-0"), "intent.number_not_exact"),
        (
            "deep",
            with(minutes, &format!("{}{}", "[".repeat(100), "]".repeat(100))),
            "intent.too_large",
        ),
        ("huge", with("Minutes", &"M".repeat(5 << 20)), "file.too_large"),
    ] {
        folder.write("i.json", &bytes);
        folder.fails(&eval("i.json", &[]), 6, code);
        let plain = folder.eval("i.json", &["--session", "s"]);
        assert_eq!(plain.status.code(), Some(6), "{name}");
        assert!(plain.stdout.is_empty(), "{name}: {}", shown(&plain));
        if code.starts_with("intent.") {
            assert!(shown(&plain).contains("hint: "), "{name}: {}", shown(&plain));
        }
    }
    folder.fails(&eval("none.json", &[]), 6, "file.not_found");
    folder.fails(&eval("gait-out", &[]), 6, "file.not_regular");
    assert!(folder.list("gait-out/traces").is_empty());
    assert!(folder.list("gait-out/sessions").is_empty());
}

#[test]
fn a_command_that_cannot_decide_says_why() {
    let folder = Folder::new();
    let mut bundle = folder.read("b.gaitbundle");
    let middle = bundle.len() / 2;
    bundle[middle] ^= 1;
    folder.write("tampered", &bundle);
    folder.write("truncated", &bundle[..middle]);
    folder.write("garbage", b"PK\x03\x04");
    let other = gait::artifact::SigningKey::from_seed(&[8; 32]);
    folder.write("other.public.json", &other.verifying_key().to_file());
    folder.write("broken.json", b"{\"schema\":1}");
    folder.write_private("public.json", &other.verifying_key().to_file());
    let with = |bundle: &'static str| ["gate", "eval", "--intent", "allow.json", "--bundle", bundle];
    folder.fails(&with("tampered"), 2, "verify.archive_checksum");
    folder.fails(&with("truncated"), 2, "verify.archive_end");
    folder.fails(&with("garbage"), 2, "verify.archive_end");
    folder.fails(&with("none"), 6, "file.not_found");
    folder.fails(&with("gait-out"), 6, "file.not_regular");
    for (more, exit, code) in [
        (&["--trust", "other.public.json"][..], 2, "verify.key_unknown"),
        (&["--trust", "none.json"][..], 7, "keys.missing"),
        (&["--trust", "broken.json"][..], 6, "key.document"),
        (&["--key", "none.json"][..], 7, "keys.missing"),
        (
            &["--key", "gait-out/keys/gait.public.json"][..],
            8,
            "file.exposed",
        ),
        (&["--session", "../up"][..], 6, "usage.bad_id"),
        (&["--session", "S"][..], 6, "usage.bad_id"),
        (&["--session", ""][..], 6, "usage.bad_id"),
        (&["--run", "a/b"][..], 6, "usage.bad_id"),
        (&["--evaluation-time", "today"][..], 6, "usage.bad_time"),
        (
            &["--evaluation-time", "9999-12-31T23:59:59Z"][..],
            6,
            "usage.bad_time",
        ),
        (&["--fulfils", ""][..], 6, "usage.invalid"),
        (
            &["--evaluation-time", "2026-11-23T12:00:00"][..],
            6,
            "usage.bad_time",
        ),
        (&["--trace-out", "allow.json/"][..], 6, "file.not_folder"),
    ] {
        folder.fails(&eval("allow.json", more), exit, code);
    }
    assert!(folder.list("gait-out/traces").is_empty());
    std::fs::remove_dir_all(folder.path("gait-out/keys")).unwrap();
    folder.fails(&eval("allow.json", &[]), 7, "keys.missing");
}

#[test]
fn what_is_wrong_with_an_argument_is_said() {
    let folder = Folder::new();
    for (args, said) in [
        (
            &["--evaluation-time", "9999-12-31T23:59:59Z"][..],
            "is not between",
        ),
        (&["--fulfils", "notify,,x"][..], "has a name that is empty"),
        (&["--fulfils", "nosuch"][..], "no obligation `nosuch`"),
    ] {
        let output = folder.eval("allow.json", args);
        assert!(shown(&output).contains(said), "{}", shown(&output));
    }
    let output = folder.run(&["permit", "settle", "--trace", "t.json", "--outcome", "done"]);
    assert!(
        shown(&output).contains("executed, failed, ambiguous, not_executed"),
        "{}",
        shown(&output)
    );
}

#[test]
fn a_trace_says_where_the_call_belongs() {
    let folder = Folder::new();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let more = [
        "--correlation-id",
        "ticket 7",
        "--traceparent",
        parent,
        "--trace-out",
        "t.json",
    ];
    folder.json(&eval("allow.json", &more), 0, "gate_eval");
    let record = folder.valid_trace("t.json");
    assert_eq!(
        (&record["correlation_id"], &record["traceparent"]),
        (&"ticket 7".into(), &parent.into())
    );
    for refused in [
        ["--correlation-id", " "],
        ["--correlation-id", "a\u{202e}b"],
        [
            "--traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-zz",
        ],
    ] {
        assert_eq!(
            folder.run(&eval("allow.json", &refused)).status.code(),
            Some(6),
            "{refused:?}"
        );
    }
    assert!(folder.list("gait-out/traces").is_empty());
}

#[test]
fn without_a_trace_there_is_no_verdict() {
    let folder = Folder::new();
    folder.write("gait-out/traces", b"a file where the folder should be");
    let output = folder.eval("allow.json", &[]);
    assert_eq!(output.status.code(), Some(6));
    assert!(output.stdout.is_empty(), "{}", shown(&output));
}

#[test]
fn traces_go_where_they_are_told_and_replace_nothing() {
    let folder = Folder::new();
    folder.write("dir/x", b"");
    for (out, lands) in [
        ("dir", "dir/trace_"),
        ("new/", "new/trace_"),
        ("t.json", "t.json"),
    ] {
        let value = folder.json(&eval("allow.json", &["--trace-out", out]), 0, "gate_eval");
        assert!(
            value["trace_path"].as_str().unwrap().starts_with(lands),
            "{value}"
        );
        verified(&folder.read(value["trace_path"].as_str().unwrap()));
    }
    let before = folder.read("t.json");
    folder.fails(&eval("block.json", &["--trace-out", "t.json"]), 8, "file.exists");
    folder.fails(
        &eval("block.json", &["--trace-out", "t.json", "--session", "s"]),
        8,
        "file.exists",
    );
    assert_eq!(folder.read("t.json"), before);
    assert!(folder.list("gait-out/sessions").is_empty(), "nothing was judged");
    let again = eval("allow.json", &["--evaluation-time", AT]);
    assert_eq!(folder.run(&again).status.code(), Some(0));
    folder.fails(&again, 8, "file.exists");
}

#[test]
fn the_trace_is_the_same_bytes_from_anywhere() {
    let folder = Folder::new();
    folder.write("elsewhere/x", b"");
    let absolute = |name: &str| folder.path(name).to_str().unwrap().to_owned();
    let (bundle, intent) = (absolute("b.gaitbundle"), absolute("allow.json"));
    let key = absolute("gait-out/keys/gait.private.json");
    let trust = absolute("gait-out/keys/gait.public.json");
    let mut traces = Vec::new();
    for (place, zone, at) in [
        (".", "Asia/Kathmandu", "2026-11-23T12:00:00Z"),
        ("elsewhere", "America/St_Johns", "2026-11-23T12:00:00.0004Z"),
        ("elsewhere", "UTC", "2026-11-23T13:00:00+01:00"),
    ] {
        let out = absolute(&format!("t{}.json", traces.len()));
        let args = [
            "gate",
            "eval",
            "--bundle",
            &bundle,
            "--intent",
            &intent,
            "--key",
            &key,
            "--trust",
            &trust,
            "--evaluation-time",
            at,
            "--trace-out",
            &out,
            "--run",
            "r",
        ];
        let mut command = folder.command(&args);
        command.current_dir(folder.path(place)).env("TZ", zone);
        assert_eq!(command.output().unwrap().status.code(), Some(0));
        traces.push(std::fs::read(out).unwrap());
    }
    assert!(traces.iter().all(|t| *t == traces[0]));
    assert_eq!(verified(&traces[0]).value().run_id.as_deref(), Some("r"));
}

fn at_once(folder: &Folder, args: &[&str]) -> Vec<Child> {
    let start = || {
        folder
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    };
    (0..8).map(|_| start().unwrap()).collect()
}

#[test]
fn eight_processes_write_one_contiguous_session() {
    let folder = Folder::new();
    for child in at_once(&folder, &eval("block.json", &["--session", "s"])) {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(3), "{}", shown(&output));
    }
    let chain = chain(&folder, "s");
    assert_eq!(chain.len(), 8);
    is_contiguous(&chain);
    assert_eq!(folder.list("gait-out/traces").len(), 8);
    for trace in &chain {
        assert_eq!(trace.value().session_id.as_deref(), Some("s"));
        assert_eq!(trace.value().run_id.as_deref(), Some("s"));
    }
}

#[test]
fn a_key_whose_traces_nobody_would_accept_decides_nothing() {
    let folder = Folder::new();
    let made = folder.run(&["keys", "init", "--out-dir", "other"]);
    assert_eq!(made.status.code(), Some(0), "{}", shown(&made));
    let stranger = ["--key", "other/gait.private.json", "--session", "s"];
    folder.fails(&eval("allow.json", &stranger), 2, "verify.key_unknown");
    let public = "gait-out/keys/gait.public.json";
    let text = String::from_utf8(folder.read(public)).unwrap();
    let expired = text.replacen('{', "{\"valid_until\":\"2026-01-01T00:00:00.000Z\",", 1);
    folder.write(public, expired.as_bytes());
    folder.fails(&eval("allow.json", &["--session", "s"]), 2, "verify.key_expired");
    assert!(folder.list("gait-out/sessions").is_empty());
    assert!(folder.list("gait-out/traces").is_empty());
}

#[test]
fn the_same_intent_at_the_same_time_leaves_a_trace_for_each() {
    let folder = Folder::new();
    for child in at_once(&folder, &eval("allow.json", &[])) {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    }
    assert_eq!(folder.list("gait-out/traces").len(), 8);
}

#[test]
fn a_line_cut_off_by_a_crash_is_set_aside_and_the_chain_goes_on() {
    let folder = Folder::new();
    let journal = "gait-out/sessions/s.jsonl";
    let go_on = || {
        let output = folder.eval("block.json", &["--session", "s"]);
        assert_eq!(output.status.code(), Some(3), "{}", shown(&output));
    };
    go_on();
    go_on();
    let whole = folder.read(journal);
    let store = folder.read("gait-out/store/gait.db");
    let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    for cut in [first + 1, (first + whole.len()) / 2, whole.len() - 1, first, 7, 0] {
        folder.write(journal, &whole[..cut]);
        folder.write("gait-out/store/gait.db", &store);
        go_on();
        // An entry that lacks only its line end is an entry.
        let kept = if cut == whole.len() - 1 {
            2
        } else {
            usize::from(cut >= first)
        };
        let torn = &whole[if cut >= first { first } else { 0 }..cut];
        let aside: Vec<Vec<u8>> = folder
            .list("gait-out/sessions")
            .into_iter()
            .filter(|name| name.contains(".torn-"))
            .map(|name| folder.read(&format!("gait-out/sessions/{name}")))
            .collect();
        let lost = !torn.is_empty() && kept < 2 && !aside.iter().any(|bytes| bytes == torn);
        assert!(!lost, "cut at {cut}: what was cut off is nowhere");
        // The second call is in the store, too, and comes back from there.
        let lines = folder.read(journal).iter().filter(|b| **b == b'\n').count();
        assert_eq!(lines, if kept > 0 { 3 } else { 2 }, "cut at {cut}");
        if kept > 0 {
            is_contiguous(&chain(&folder, "s"));
        }
        assert!(
            folder
                .read(journal)
                .starts_with(&whole[..[0, first, whole.len()][kept]])
        );
    }
    assert_eq!(
        folder.run(&["run", "record", "--session", "s"]).status.code(),
        Some(0)
    );
}

#[cfg(unix)]
#[test]
fn killed_processes_leave_a_session_that_goes_on() {
    let folder = Folder::new();
    for round in 0..6u64 {
        let children = at_once(&folder, &eval("allow.json", &["--session", "s"]));
        std::thread::sleep(std::time::Duration::from_millis(5 * round));
        for mut child in children {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
    assert_eq!(
        folder.eval("allow.json", &["--session", "s"]).status.code(),
        Some(0)
    );
    is_contiguous(&chain(&folder, "s"));
    assert_eq!(
        folder.run(&["run", "record", "--session", "s"]).status.code(),
        Some(0)
    );
}

#[test]
fn a_journal_that_was_changed_is_not_appended_to() {
    let folder = Folder::new();
    assert_eq!(
        folder.eval("allow.json", &["--session", "s"]).status.code(),
        Some(0)
    );
    folder.write("gait-out/sessions/s.jsonl", b"{\"sequence\":1}\n");
    folder.fails(&eval("allow.json", &["--session", "s"]), 2, "session.entry");
    assert_eq!(folder.read("gait-out/sessions/s.jsonl"), b"{\"sequence\":1}\n");
}

#[test]
fn the_trace_schema_describes_what_is_written() {
    let folder = Folder::new();
    let value = folder.json(&eval("approval.json", &["--session", "s"]), 4, "gate_eval");
    let bytes = folder.read(value["trace_path"].as_str().unwrap());
    valid(&bytes, "envelope");
    let record = envelope::Payload::to_json(verified(&bytes).value());
    valid(&gait::artifact::jcs::to_vec(&record), "trace");
}

/// A copy would fork the session, and its first calls would be missing in the run that is packed.
#[test]
fn a_session_goes_on_in_its_own_journal_only() {
    let folder = Folder::new();
    let judged = |session: &str| folder.eval("allow.json", &["--session", session]);
    assert_eq!(judged("a").status.code(), Some(0));
    assert_eq!(judged("a").status.code(), Some(0));
    let journal = folder.read("gait-out/sessions/a.jsonl");
    folder.write("gait-out/sessions/b.jsonl", &journal);
    let copied = ["--session", "b", "--json"];
    let error = folder.eval("allow.json", &copied);
    assert_eq!(error.status.code(), Some(2), "{}", shown(&error));
    assert!(shown(&error).contains("session.foreign"), "{}", shown(&error));
    assert_eq!(
        folder.read("gait-out/sessions/b.jsonl"),
        journal,
        "nothing was appended"
    );
    let record = ["run", "record", "--session", "b", "--run", "a"];
    folder.fails(&record, 2, "session.foreign");
    assert_eq!(judged("a").status.code(), Some(0));
}

/// The state of a session lies in its last trace; a key that was rotated away is still trusted to tell it.
#[test]
fn a_session_goes_on_under_a_new_key() {
    let policy = "gaitpol 1\npolicy p\ndefault block code none\ntool a { n: Int }\ntool b { n: Int }\n\
                  rule first on a allow\nrule then on b when once(call a) allow\n";
    let folder = Folder::new();
    folder.write("s.gaitbundle", &crate::folder::compiled(policy));
    let intent = |tool: &str| {
        let text = String::from_utf8(folder.read("allow.json")).unwrap();
        let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
        value["tool_name"] = tool.into();
        value["args"] = serde_json::json!({"n": 1});
        value.to_string()
    };
    folder.write("a.json", intent("a").as_bytes());
    folder.write("b.json", intent("b").as_bytes());
    let eval = |name| {
        folder.run(&[
            "gate",
            "eval",
            "--bundle",
            "s.gaitbundle",
            "--intent",
            name,
            "--session",
            "s",
        ])
    };
    assert_eq!(
        eval("a.json").status.code(),
        Some(0),
        "{}",
        shown(&eval("a.json"))
    );
    let rotated = folder.run(&["keys", "rotate"]);
    assert_eq!(rotated.status.code(), Some(0), "{}", shown(&rotated));
    let after = eval("b.json");
    assert_eq!(after.status.code(), Some(0), "{}", shown(&after));
}

#[test]
fn what_is_obliged_is_listed_and_must_be_promised() {
    let policy = "gaitpol 1\npolicy p\ndefault block code none\nenum P ordered { low, high }\n\
                  obligation ticket { queue: String[max 8], at: P merge max }\ntool a { n: Int }\n\
                  rule one on a allow oblige log(level: info), ticket(queue: \"q\", at: low)\n\
                  rule two on a when args.n > 1 allow oblige log(level: error), notify(\"ops\"), ticket(queue: \"q\", at: high)\n";
    let folder = Folder::new();
    folder.write("o.gaitbundle", &crate::folder::compiled(policy));
    let text = String::from_utf8(folder.read("allow.json")).unwrap();
    let mut intent: serde_json::Value = serde_json::from_str(&text).unwrap();
    intent["tool_name"] = "a".into();
    intent["args"] = serde_json::json!({"n": 2});
    folder.write("a.json", intent.to_string().as_bytes());
    let eval = |more: &[&'static str]| {
        let args = [
            "gate",
            "eval",
            "--bundle",
            "o.gaitbundle",
            "--intent",
            "a.json",
            "--explain",
        ];
        args.iter().chain(more).copied().collect::<Vec<&str>>()
    };
    let refused = folder.json(&eval(&["--fulfils", "notify"]), 3, "gate_eval");
    let unheard = serde_json::json!(["gait.obligation_unfulfillable"]);
    assert_eq!(refused["reason_codes"], unheard);
    assert!(refused["detail"].as_str().unwrap().contains("`ticket`"));
    let value = folder.json(&eval(&["--fulfils", "ticket,notify,ticket"]), 0, "gate_eval");
    let obliged = serde_json::json!([
        {"name": "log", "params": {"level": "error"}},
        {"name": "notify", "params": {"channel": ["ops"]}},
        {"name": "ticket", "params": {"at": "high", "queue": "q"}},
    ]);
    assert_eq!(value["obligations"], obliged);
    assert_eq!(
        value["explanation"]["rules"][0]["obliges"][0]["params"]["level"],
        "info"
    );
    let trace = verified(&folder.read(value["trace_path"].as_str().unwrap()));
    let record = gait::artifact::jcs::to_vec(&envelope::Payload::to_json(trace.value()));
    let record = valid(&record, "trace");
    assert_eq!(record["obligations"], obliged);
    assert_eq!(record["fulfils"], serde_json::json!(["notify", "ticket"]));
    let text = shown(&folder.run(&eval(&["--fulfils", "ticket,notify"])));
    assert!(text.contains("oblige  log(level: \"error\")"), "{text}");
}

/// Every file below a folder.
fn files(at: &std::path::Path, out: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, out);
        } else {
            out.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
}

#[test]
fn what_is_redacted_is_kept_nowhere() {
    let policy = "gaitpol 1\npolicy p\ndefault block code none\n\
                  tool pay { n: Int, card: String[max 32], note: String[max 64]?, to: Email, effect net.egress to to }\n\
                  rule all on pay allow oblige mask(args.card, keep_last: 4), redact(args.note), redact(args.to)\n\
                  rule large on pay when args.n > 10 block\n\
                  rule known on pay when args.card == \"x\" block\n";
    let folder = Folder::new();
    folder.write("r.gaitbundle", &crate::folder::compiled(policy));
    folder.write(
        "l.gaitbundle",
        &crate::folder::compiled(&policy.replace("args.n > 10", "args.n > 1")),
    );
    let looking = policy.replace("rule known on pay when args.card == \"x\" block", "");
    folder.write("s.gaitbundle", &crate::folder::compiled(&looking));
    let text = String::from_utf8(folder.read("allow.json")).unwrap();
    let intent = |name: &str, tool: &str, args: serde_json::Value| {
        let mut intent: serde_json::Value = serde_json::from_str(&text).unwrap();
        intent["tool_name"] = tool.into();
        intent["args"] = args;
        intent["targets"] = serde_json::json!([{"kind": "other", "value": "ann@acme.example"}]);
        folder.write(&format!("in/{name}"), intent.to_string().as_bytes());
    };
    let args =
        serde_json::json!({"n": 1, "card": "4111222233334444", "note": "hush", "to": "ann@acme.example"});
    intent("a.json", "pay", args.clone());
    let mut large = args.clone();
    large["n"] = 11.into();
    intent("b.json", "pay", large);
    // Calls that no rule is asked about.
    let mut wrong = args.clone();
    wrong["note "] = wrong["note"].take();
    intent("c.json", "pay", wrong);
    intent("d.json", "pya", args);
    let eval = |name: &'static str, bundle: &'static str| {
        let args = [
            "gate",
            "eval",
            "--bundle",
            bundle,
            "--session",
            "s",
            "--explain",
            "--intent",
            name,
        ];
        args.to_vec()
    };
    for (name, exit) in [
        ("in/a.json", 0),
        ("in/b.json", 3),
        ("in/c.json", 3),
        ("in/d.json", 3),
    ] {
        let mut value = folder.json(&eval(name, "s.gaitbundle"), exit, "gate_eval");
        let places: Vec<&str> = value["obligations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["place"][0].as_str().unwrap_or("all"))
            .collect();
        let read = ["in/a.json", "in/b.json"].contains(&name);
        let expected = if read {
            &["card", "note", "to"][..]
        } else {
            &["all"]
        };
        assert_eq!(places, expected, "{name}");
        if exit == 0 {
            assert_eq!(value["canonical_args"]["card"], "4111222233334444");
        }
        value["canonical_args"] = serde_json::Value::Null;
        let shown = value.to_string();
        for secret in ["411122", "hush", "acme.example"] {
            assert!(!shown.contains(secret), "{name}: {shown}");
        }
    }
    let mut all = Vec::new();
    files(&folder.path("gait-out"), &mut all);
    let mut texts: Vec<(String, String)> = Vec::new();
    for (name, bytes) in all {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Ok(value) = serde_json::from_slice::<serde_json::Value>(&bytes)
            && value.get("payload").is_some()
        {
            let record = envelope::Payload::to_json(verified(&bytes).value());
            texts.push((name.clone(), serde_json::to_string(&record).unwrap()));
        }
        texts.push((name, text));
    }
    for record in chain(&folder, "s") {
        let record = envelope::Payload::to_json(record.value());
        texts.push(("journal".to_owned(), serde_json::to_string(&record).unwrap()));
    }
    for (name, text) in &texts {
        for secret in ["411122", "hush", "acme.example"] {
            assert!(!text.contains(secret), "{name}: {text}");
        }
    }
    assert!(
        texts.iter().any(|(_, text)| text.contains("****4444")),
        "the end is kept"
    );
    // What was kept is verified, packed, and judged again.
    let run = |args: &[&str], exit: i32| {
        let output = folder.run(args);
        assert_eq!(output.status.code(), Some(exit), "{args:?}\n{}", shown(&output));
    };
    run(
        &["run", "record", "--session", "s", "--run", "s", "--out", "p.zip"],
        0,
    );
    run(&["regress", "bootstrap", "p.zip", "--out", "fix"], 0);
    let again = |bundle: &str, exit: i32| {
        folder.json(
            &["regress", "run", "fix", "--bundle", bundle],
            exit,
            "regress_run",
        )["summary"]
            .clone()
    };
    let summary = again("s.gaitbundle", 0);
    assert_eq!(
        (&summary["unchanged"], &summary["undecided"]),
        (&2.into(), &2.into())
    );
    let summary = again("l.gaitbundle", 0);
    assert_eq!(summary["undecided"], 4, "a rule looks at the card");
}

/// A value that holds a redacted one, and a message about a name in it.
#[test]
fn what_is_redacted_shows_in_no_parent_and_no_message() {
    let policy = "gaitpol 1\npolicy p\ndefault block code none\n\
                  tool s { items: List[{ id: String[max 40], n: Int }, max 4], m: Map[String[max 20], String[max 40], max 3]?, o: { a: String[max 40], b: Int }? }\n\
                  rule all on s when all i in args.items: i.n > 0 allow oblige redact(args.items.id), redact(args.m), mask(args.o.a, keep_last: 2)\n\
                  rule seven on s when any x in args.o: x.b == 7 require_approval\n";
    let folder = Folder::new();
    folder.write("b.gaitbundle", &crate::folder::compiled(policy));
    let text = String::from_utf8(folder.read("allow.json")).unwrap();
    for (name, args, exit) in [
        (
            "a.json",
            serde_json::json!({"items": [{"id": "HUSHID", "n": 1}], "o": {"a": "HUSHOA", "b": 7}}),
            4,
        ),
        ("b.json", serde_json::json!({"items": [], "m": {"HUSHKEY": 1}}), 3),
        (
            "c.json",
            serde_json::json!({"items": [{"id": "x", "n": 1, "HUSHNAME": 1}]}),
            3,
        ),
    ] {
        let mut intent: serde_json::Value = serde_json::from_str(&text).unwrap();
        intent["tool_name"] = "s".into();
        intent["args"] = args;
        folder.write(name, intent.to_string().as_bytes());
        let more = ["--session", "s", "--explain", "--json"];
        let output = folder.run(&eval(name, &more));
        assert_eq!(output.status.code(), Some(exit), "{}", shown(&output));
        let mut said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        // What an executor runs is no record.
        said["canonical_args"] = serde_json::Value::Null;
        assert!(!said.to_string().contains("HUSH"), "{said:#}");
    }
    let journal = String::from_utf8(folder.read("gait-out/sessions/s.jsonl")).unwrap();
    assert!(!journal.contains("HUSH"), "{journal}");
    // Rules look at other fields of the elements and the record; of arguments that are no values nobody can tell.
    for args in [
        &["run", "record", "--session", "s", "--out", "p.zip"][..],
        &["regress", "bootstrap", "p.zip", "--out", "fix"],
    ] {
        let output = folder.run(args);
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    }
    let run = ["regress", "run", "fix", "--bundle", "b.gaitbundle"];
    let summary = &folder.json(&run, 0, "regress_run")["summary"];
    assert_eq!(
        (&summary["unchanged"], &summary["undecided"]),
        (&1.into(), &2.into())
    );
}
