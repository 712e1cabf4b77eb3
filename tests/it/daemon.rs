//! The daemon as its callers meet it: the real binary, a real socket. It decides as `gait gate eval` does, its traces are on disk
//! before anybody learns a verdict, and it ends in order.

pub mod client;

pub use client::{Daemon, request};

use crate::folder::{Folder, trusted, valid};
use gait::artifact::envelope::Payload;
use gait::artifact::{Digest, TraceRecord, Verified, jcs, trace};
use serde_json::Value;

/// Every trace of a log, verified, in order.
pub fn log(at: &Folder) -> Vec<Verified<TraceRecord>> {
    log_in(at, "gait-out/serve/traces")
}

/// The same of a folder.
pub fn log_in(at: &Folder, folder: &str) -> Vec<Verified<TraceRecord>> {
    let names = at.list(folder);
    let files = names.iter().filter(|name| name.ends_with(".jsonl"));
    let mut all = Vec::new();
    for name in files {
        let bytes = at.read(&format!("{folder}/{name}"));
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        all.extend(lines.map(|line| trace::verify(line, &trusted(), jiff::Timestamp::now()).unwrap()));
    }
    all
}

/// Whether the trace that an answer names is in the place it names.
pub fn is_kept(at: &Folder, decision: &Value) {
    let bytes = at.read(decision["trace_file"].as_str().unwrap());
    let line = decision["trace_line"].as_u64().unwrap() as usize;
    let line = bytes.split(|byte| *byte == b'\n').nth(line - 1).unwrap();
    let trace = trace::verify(line, &trusted(), jiff::Timestamp::now()).unwrap();
    assert_eq!(trace.value().trace_id, decision["trace_id"].as_str().unwrap());
    let digest = Digest::parse(decision["trace_digest"].as_str().unwrap());
    assert_eq!(Some(trace.digest()), digest);
    valid(&jcs::to_vec(&trace.value().to_json()), "trace");
}

#[test]
fn every_verdict_is_that_of_the_command_line() {
    let at = Folder::new();
    at.write(
        "unknown.json",
        &String::from_utf8(at.read("allow.json"))
            .unwrap()
            .replace("mail.send", "mail.sendd")
            .into_bytes(),
    );
    let daemon = Daemon::start(&at, &[]);
    for (intent, exit) in [
        ("allow.json", 0),
        ("block.json", 3),
        ("approval.json", 4),
        ("unknown.json", 3),
    ] {
        for (more, args) in [
            ("", &[][..]),
            (
                r#", "run": "r", "fulfils": ["notify"], "keep_intent": true"#,
                &["--run", "r", "--fulfils", "notify", "--keep-intent"],
            ),
        ] {
            let args = [
                &["gate", "eval", "--bundle", "b.gaitbundle", "--intent", intent][..],
                args,
            ]
            .concat();
            let mut said = at.json(&args, exit, "gate_eval");
            let mut decision = daemon.decide(&request(&at, intent, more));
            is_kept(&at, &decision);
            for own in [
                "trace_id",
                "trace_path",
                "trace_file",
                "trace_line",
                "trace_digest",
                "explanation",
                "permit_until",
                "exit_code",
            ] {
                said.as_object_mut().unwrap().remove(own);
                decision.as_object_mut().unwrap().remove(own);
            }
            assert_eq!(decision, said, "{intent} {more}");
        }
    }
    assert_eq!(
        daemon.metric("gait_decisions_total{verdict=\"block\",enforcement=\"enforce\"}"),
        4
    );
    assert_eq!(daemon.metric("gait_decision_seconds_count"), 8);
    let said = daemon.stop();
    assert!(said.contains("stopping"), "{said}");
    assert_eq!(log(&at).len(), 8);
}

#[test]
fn a_call_of_a_session_follows_the_one_before_it_wherever_that_was_judged() {
    let at = Folder::new();
    let daemon = Daemon::start(&at, &[]);
    let asked = request(&at, "allow.json", r#", "session": "s""#);
    let first = daemon.decide(&asked);
    let second = daemon.decide(&asked);
    assert_eq!(
        (&first["previous"], &second["previous"]),
        (&Value::Null, &first["trace_digest"])
    );
    assert_eq!(second["run_id"], "s");
    let args = [
        "gate",
        "eval",
        "--bundle",
        "b.gaitbundle",
        "--intent",
        "allow.json",
        "--session",
        "s",
    ];
    let third = at.json(&args, 0, "gate_eval");
    assert_eq!(third["previous"], second["trace_digest"]);
    assert_eq!(daemon.decide(&asked)["previous"], third["trace_digest"]);
    at.json(&["run", "record", "--session", "s"], 0, "run_record");
    // Another session's journal in its place goes on for nobody.
    std::fs::copy(
        at.path("gait-out/sessions/s.jsonl"),
        at.path("gait-out/sessions/t.jsonl"),
    )
    .unwrap();
    let other = request(&at, "allow.json", r#", "session": "t""#);
    daemon.refuses("POST", "/v1/decide", &other, (409, "session.foreign"));
}

#[test]
fn equal_calls_at_once_are_traces_of_their_own() {
    let at = Folder::new();
    let daemon = Daemon::start(&at, &[]);
    let asked = request(&at, "allow.json", "");
    let ids: Vec<String> = std::thread::scope(|scope| {
        let one = || {
            let mut client = daemon.connect();
            let answers = (0..20).map(|_| client.ask("POST", "/v1/decide", &[], asked.as_bytes()));
            answers
                .map(|answer| {
                    answer.document("decision")["trace_id"]
                        .as_str()
                        .unwrap()
                        .to_owned()
                })
                .collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    let mut written: Vec<String> = log(&at)
        .iter()
        .map(|trace| trace.value().trace_id.clone())
        .collect();
    let mut told = ids.clone();
    told.sort();
    written.sort();
    assert_eq!(told, written);
    told.dedup();
    assert_eq!(told.len(), 160);
    let found = daemon.ask("GET", &format!("/v1/traces/{}", ids[0]), "");
    assert_eq!(found.status, 200);
    trace::verify(&found.body, &trusted(), jiff::Timestamp::now()).unwrap();
    daemon.refuses(
        "GET",
        "/v1/traces/000000000000000000000000",
        "",
        (404, "trace.not_found"),
    );
}

#[test]
fn where_a_call_stands_is_in_its_trace() {
    let at = Folder::new();
    let daemon = Daemon::start(&at, &[]);
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let asked = request(&at, "allow.json", r#", "correlation_id": "order 7""#);
    // A header that is not as it must be, or is there twice, is left aside, and the call is judged.
    for (headers, expected) in [
        (&[][..], None),
        (&[("Traceparent", parent)], Some(parent)),
        (&[("traceparent", parent), ("traceparent", parent)], None),
        (&[("traceparent", "00-0-0-01")], None),
        (&[("traceparent", "é")], None),
    ] {
        let answer = daemon
            .connect()
            .ask("POST", "/v1/decide", headers, asked.as_bytes());
        assert_eq!(answer.document("decision")["verdict"], "allow", "{headers:?}");
        let traces = log(&at);
        let record = traces.last().unwrap().value();
        assert_eq!(record.traceparent.as_deref(), expected, "{headers:?}");
        assert_eq!(record.correlation_id.as_deref(), Some("order 7"));
    }
}
