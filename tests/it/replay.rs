//! Replay: the shapes of records it reads, what it refuses, and how it counts. Random bytes and random records never
//! stop it otherwise than with an error.

use gait::compile;
use gait::gate::Gate;
use gait::limits;
use gait::replay::{Attacked, FindingKind, Options, Replay, ReplayError, Report, Tasks};
use proptest::prelude::*;
use std::io::Write as _;

const POLICY: &str = r#"gaitpol 1
policy t
default block code nothing

tool pay {
  amount: Decimal[2]
}

tool look {
}

rule small
  on pay
  when args.amount <= 10
  allow

rule middle
  on pay
  when args.amount > 10 and args.amount <= 100
  require_approval

rule looking
  on look
  allow
"#;

fn gate() -> Gate {
    let report = compile::check("t.gaitpol", POLICY);
    Gate::new(compile::lower(&report.checked.unwrap()))
}

fn replay_with(bytes: &[u8], options: Options) -> Result<Report, ReplayError> {
    let gate = gate();
    let mut replay = Replay::new(&gate, options);
    replay.file("f", bytes, &mut |_| ())?;
    Ok(replay.finish())
}

fn replay(text: &str) -> Result<Report, ReplayError> {
    replay_with(text.as_bytes(), Options::default())
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

fn intent(session: &str, amount: &str) -> String {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2031-01-01T00:00:00Z","producer_version":"1","tool_name":"pay","args":{{"amount":{amount}}},"targets":[],"context":{{"identity":"a","workspace":"/w","risk_class":"low","session_id":"{session}"}}}}"#
    )
}

#[test]
fn every_shape_of_a_call_is_read() {
    let bare = intent("", "5");
    let wrapped = format!(r#"{{"id":"x","label":"benign","intent":{bare}}}"#);
    for line in [
        r#"{"tool":"pay","args":{"amount":5}}"#,
        r#"{"tool_name":"pay","arguments":{"amount":"5.00"}}"#,
        r#"{"name":"pay","input":{"amount":5}}"#,
        r#"{"calls":[{"tool":"pay","args":{"amount":5}}]}"#,
        r#"{"id":7,"tool_calls":[{"id":"c","type":"function","function":{"name":"pay","arguments":"{\"amount\":5}"}}]}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{"amount":5}}}"#,
        r#"{"user_call":{"tool":"pay","args":{"amount":5}}}"#,
        bare.as_str(),
        wrapped.as_str(),
    ] {
        let report = replay(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        assert_eq!(report.tools["pay"].verdicts, [1, 0, 0, 0], "{line}");
        assert_eq!(report.tasks.allowed, 1, "{line}");
    }
}

#[test]
fn lines_arrays_pretty_documents_and_gzip_read_alike() {
    let (a, b) = (
        r#"{"tool":"pay","args":{"amount":5}}"#,
        r#"{"tool":"pay","args":{"amount":50}}"#,
    );
    let expected = replay(&format!("{a}\n{b}\n")).unwrap();
    assert_eq!(
        (
            expected.documents,
            expected.tasks.allowed,
            expected.tasks.approval
        ),
        (2, 1, 1)
    );
    for text in [
        format!("\n{a}\r\n\n{b}"),
        format!("[{a},{b}]"),
        format!("[\n  {a},\n  {b}\n]\n"),
    ] {
        let mut report = replay(&text).unwrap();
        for found in &mut report.findings {
            found.id = "line 2".to_owned();
        }
        let mut like = expected.clone();
        like.findings[0].id = "line 2".to_owned();
        assert_eq!(report, like, "{text}");
        assert_eq!(
            replay_with(&gzip(&text), Options::default()).unwrap().tasks,
            expected.tasks
        );
    }
    let pretty = "{\n  \"tool\": \"look\"\n}\n";
    assert_eq!(replay(pretty).unwrap().tasks.allowed, 1);
    assert_eq!(replay("").unwrap(), Report::default());
}

#[test]
fn groups_are_counted_by_their_strictest_call() {
    let call = |amount: u32, label: &str| {
        format!(r#"{{"tool":"pay","args":{{"amount":{amount}}},"label":"{label}"}}"#)
    };
    let run = |calls: &[String]| format!("{{\"calls\":[{}]}}\n", calls.join(","));
    let (good, ask, bad) = (call(1, "benign"), call(50, "benign"), call(500, "benign"));
    let (done, stopped) = (call(2, "malicious"), call(900, "malicious"));
    let text: String = [
        run(&[good.clone(), good.clone()]),
        run(&[good.clone(), ask.clone()]),
        run(&[ask.clone(), bad.clone()]),
        run(&[]),
        run(&[good.clone(), stopped.clone()]),
        run(&[bad, done.clone(), stopped]),
        run(&[good, done.clone(), done]),
    ]
    .concat();
    let report = replay(&text).unwrap();
    assert_eq!(
        report.tasks,
        Tasks {
            total: 3,
            allowed: 1,
            approval: 1,
            blocked: 1
        }
    );
    assert_eq!(
        report.attacked,
        Attacked {
            total: 3,
            stopped: 1,
            partial: 1,
            complete: 1,
            benign_allowed: 2
        }
    );
    let calls = report.calls;
    assert_eq!(
        (
            calls.benign,
            calls.benign_allowed,
            calls.malicious,
            calls.malicious_stopped
        ),
        (9, 5, 5, 2)
    );
    let kinds = |kind| report.findings.iter().filter(|f| f.kind == kind).count();
    assert_eq!(
        (
            kinds(FindingKind::BenignNotAllowed),
            kinds(FindingKind::MaliciousAllowed)
        ),
        (4, 3)
    );
    assert_eq!(
        (report.findings[0].id.as_str(), report.findings[0].call),
        ("line 2", 2)
    );
    assert_eq!(report.tools["pay"].codes["nothing"], 4);
}

#[test]
fn sessions_join_intents_within_a_file() {
    let label = |label: &str, session: &str, amount: &str| {
        format!(
            "{{\"label\":\"{label}\",\"intent\":{}}}\n",
            intent(session, amount)
        )
    };
    let text = [
        label("benign", "s", "1"),
        label("benign", "r", "50"),
        label("malicious", "s", "2"),
    ]
    .concat();
    let gate = gate();
    let mut replay = Replay::new(&gate, Options::default());
    replay.file("one", text.as_bytes(), &mut |_| ()).unwrap();
    replay
        .file("two", label("benign", "s", "3").as_bytes(), &mut |_| ())
        .unwrap();
    let report = replay.finish();
    assert_eq!((report.tasks.total, report.tasks.approval), (2, 1));
    assert_eq!((report.attacked.total, report.attacked.complete), (1, 1));
}

#[test]
fn options_leave_out_and_count() {
    let text = "{\"suite\":\"a\",\"tool\":\"a.look\"}\n{\"suite\":\"b\",\"tool\":\"a.look\"}\n{\"suite\":\"a\",\"tool\":\"look\"}\n";
    let options = Options {
        at: None,
        tool_prefix: Some("a.".to_owned()),
        only: vec![("suite".to_owned(), "a".to_owned())],
        ..Options::default()
    };
    let report = replay_with(text.as_bytes(), options).unwrap();
    assert_eq!(
        (report.documents, report.skipped_documents, report.calls.skipped),
        (3, 1, 1)
    );
    assert_eq!((report.tools["look"].calls, report.tasks.total), (1, 1));
}

#[test]
fn calls_that_say_no_time_have_the_one_that_is_given() {
    let policy = "gaitpol 1\npolicy p\ndefault block code none\ntool t { n: Int }\n\
                  rule late on t when now >= \"2026-06-01T00:00:00Z\" allow\n";
    let checked = compile::check("p.gaitpol", policy).checked.unwrap();
    let gate = Gate::new(compile::lower(&checked));
    for (at, allowed) in [(None, 0), (Some(0), 0), (Some(1_800_000_000_000), 1)] {
        let options = Options {
            at,
            ..Options::default()
        };
        let mut replay = Replay::new(&gate, options);
        replay
            .file("f", br#"{"tool":"t","args":{"n":1}}"#, &mut |_| ())
            .unwrap();
        let report = replay.finish();
        assert_eq!(report.calls.benign_allowed, allowed, "{at:?}");
    }
}

#[test]
fn what_the_gate_would_refuse_is_blocked_and_counted() {
    let unknown = intent("s", "1").replace("\"targets\"", "\"target\"");
    for (text, code, inexact) in [
        (unknown, "intent.unknown_field", 0),
        (intent("s", "-0"), "intent.number_not_exact", 0),
        (intent("s", "9007199254740993"), "intent.number_not_exact", 1),
        (
            r#"{"calls":[{"tool":"pay","args":{"amount":1},"output":[1e400, 0.30000000000000000001]}]}"#
                .to_owned(),
            "intent.number_not_exact",
            1,
        ),
        (
            r#"{"tool":"pay","args":null}"#.to_owned(),
            "gait.input_invalid",
            0,
        ),
        (r#"{"tool":"nap"}"#.to_owned(), "gait.unknown_tool", 0),
    ] {
        let report = replay(&text).unwrap();
        assert_eq!(
            (report.tasks.blocked, report.inexact_documents),
            (1, inexact),
            "{text}"
        );
        assert_eq!(report.findings[0].codes, [code], "{text}");
    }
    // Within an array, only the element that has the number.
    let array = r#"[{"tool":"look","seen":1e400},{"tool":"look"}]"#;
    let report = replay(array).unwrap();
    assert_eq!(
        (
            report.tasks.blocked,
            report.tasks.allowed,
            report.inexact_documents
        ),
        (1, 1, 1)
    );
}

#[test]
fn files_that_cannot_be_read_are_refused_with_the_place() {
    let ok = "{\"tool\":\"look\"}\n";
    let damaged = {
        let mut bytes = gzip(&ok.repeat(1000));
        bytes.truncate(bytes.len() / 2);
        bytes
    };
    let long = format!("{ok}\"{}\"", "x".repeat(limits::JSONL_LINE_BYTES));
    let many = format!(
        "{{\"n\":[{}],\"tool\":\"look\"}}",
        vec!["1e400"; limits::REPLAY_INEXACT_NUMBERS + 1].join(",")
    );
    for (bytes, code, says) in [
        (
            format!("{ok}{{\"tool\":\n{ok}").into_bytes(),
            "calls.malformed",
            "f, line 2: ",
        ),
        (
            format!("{ok}\n{{\"tool\":\"look\",\"tool\":\"pay\"}}").into_bytes(),
            "calls.malformed",
            "f, line 3: ",
        ),
        (
            format!("[{ok}, {{\n\"tool\" 1}}]").into_bytes(),
            "calls.malformed",
            "f, line 3: ",
        ),
        (
            format!("{ok}[{ok}]").replace('\n', " ").into_bytes(),
            "calls.malformed",
            "f, line 1: ",
        ),
        (many.into_bytes(), "calls.malformed", "f, line 1: "),
        (
            b"{}".to_vec(),
            "calls.shape",
            "f, line 1: no tool is named; known are",
        ),
        (
            b"{\"name\":\"pay\",\"parameters\":{}}".to_vec(),
            "calls.shape",
            "there is a `name`, but no arguments; known are",
        ),
        (
            b"{\"intent\":\"a/file.json\"}".to_vec(),
            "calls.shape",
            "f, line 1: `intent` is a string",
        ),
        (
            format!("{ok}[1]").into_bytes(),
            "calls.shape",
            "f, line 2: an array where",
        ),
        (b"[1]".to_vec(), "calls.shape", "f, element 1: a number where"),
        (
            b"{\"tool\":\"look\",\"name\":\"pay\"}".to_vec(),
            "calls.shape",
            "`tool` and `name` say the same thing twice",
        ),
        (
            b"{\"calls\":[{\"tool\":1}]}".to_vec(),
            "calls.shape",
            "`calls`, call 1: `tool` is a number",
        ),
        (b"{\"calls\":{}}".to_vec(), "calls.shape", "`calls` is an object"),
        (
            b"{\"tool\":\"look\",\"label\":\"evil\"}".to_vec(),
            "calls.shape",
            "`label` is neither",
        ),
        (
            b"{\"name\":\"pay\",\"arguments\":\"{\"}".to_vec(),
            "calls.shape",
            "the text of `arguments`: ",
        ),
        (damaged, "calls.unreadable", "f: the gzip data is damaged"),
        (
            long.into_bytes(),
            "calls.unreadable",
            "f: line 2 is over 16777216 bytes",
        ),
    ] {
        let error = replay_with(&bytes, Options::default()).unwrap_err();
        let start = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert_eq!(error.code(), code, "{start}: {error}");
        assert!(error.to_string().contains(says), "{start}: {error}");
    }
}

/// Records that are nearly right.
fn record() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "1",
        "-0",
        "1e999",
        "\"pay\"",
        "\"look\"",
        "null",
        "{}",
        "[]",
        "\"{}\"",
        "{\"amount\":3}",
        "\"benign\"",
        "\"malicious\"",
        "[{\"tool\":\"pay\",\"args\":{\"amount\":1e-400}}]",
        "\"gait.gate.intent_request\"",
        "{\"session_id\":\"s\"}",
    ]);
    let key = prop::sample::select(vec![
        "tool",
        "tool_name",
        "name",
        "args",
        "arguments",
        "input",
        "label",
        "calls",
        "tool_calls",
        "intent",
        "id",
        "function",
        "params",
        "call",
        "schema_id",
        "context",
    ]);
    prop::collection::vec((key, scalar), 0..5).prop_map(|members| {
        let members: Vec<String> = members.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
        format!("{{{}}}", members.join(","))
    })
}

proptest! {
    #[test]
    fn random_records_are_counted_or_refused(lines in prop::collection::vec(record(), 0..4), glue in "[\n ,\\[\\]]{0,2}") {
        let text = lines.join(&glue);
        let once = replay(&text);
        prop_assert_eq!(&once, &replay(&text));
        if let Ok(report) = once {
            let decided: u64 = report.tools.values().map(|t| t.verdicts.iter().sum::<u64>()).sum();
            prop_assert_eq!(decided, report.calls.benign + report.calls.malicious);
        }
    }

    #[test]
    fn random_bytes_never_stop_it(bytes in prop::collection::vec(any::<u8>(), 0..64), packed in any::<bool>()) {
        let bytes = if packed { [&[0x1f, 0x8b, 8, 0][..], &bytes].concat() } else { bytes };
        let _any = replay_with(&bytes, Options::default());
    }
}
