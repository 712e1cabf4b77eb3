//! What a collector of OpenTelemetry is told of decisions, and that decisions do not wait for it, whatever it does.

use crate::daemon::{Daemon, log, request};
use crate::folder::Folder;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A collector that takes everything, and what it was sent: paths and documents.
fn collector() -> (String, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (to, sent) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let (mut head, mut length) = (Vec::new(), 0);
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).unwrap_or_default() <= 2 {
                    break;
                }
                let line = line.trim().to_lowercase();
                if let Some(value) = line.strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                }
                head.push(line);
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            assert!(
                head.contains(&"content-type: application/json".to_owned()),
                "{head:?}"
            );
            let path = head[0].split(' ').nth(1).unwrap().to_owned();
            if to.send((path, serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
            let _ = stream.get_mut().write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
            );
        }
    });
    (endpoint, sent)
}

/// The value of an attribute.
fn attribute<'v>(of: &'v Value, key: &str) -> &'v Value {
    let mut all = of["attributes"].as_array().unwrap().iter();
    let found = all
        .find(|one| one["key"] == key)
        .unwrap_or_else(|| panic!("{key}: {of}"));
    found["value"].as_object().unwrap().values().next().unwrap()
}

/// Spans and records, once there are so many, in the order of the decisions.
fn told(sent: &Receiver<(String, Value)>, (spans, logs): (usize, usize)) -> (Vec<Value>, Vec<Value>) {
    let (mut all, mut records) = (Vec::new(), Vec::new());
    while all.len() < spans || records.len() < logs {
        let (path, document) = sent.recv_timeout(Duration::from_secs(60)).unwrap();
        let (into, of, scope, items) = match path.as_str() {
            "/base/v1/traces" => (&mut all, "resourceSpans", "scopeSpans", "spans"),
            "/base/v1/logs" => (&mut records, "resourceLogs", "scopeLogs", "logRecords"),
            other => panic!("{other}"),
        };
        let of = &document[of][0];
        assert_eq!(attribute(&of["resource"], "service.name"), "gait");
        let scope = &of[scope][0];
        assert_eq!(scope["scope"]["name"], "gait");
        into.extend(scope[items].as_array().unwrap().iter().cloned());
    }
    assert_eq!((all.len(), records.len()), (spans, logs));
    (all, records)
}

#[test]
fn a_decision_is_a_span_and_a_record_and_says_nothing_of_arguments() {
    let at = Folder::new();
    let (endpoint, sent) = collector();
    let daemon = Daemon::start(&at, &["--otlp-endpoint", &format!("{endpoint}/base/")]);
    let (trace, parent) = ("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7");
    let more = r#", "correlation_id": "canary", "session": "canary", "keep_intent": true"#;
    let asked = request(&at, "block.json", more);
    for (flags, intent) in [
        ("01", &asked),
        ("00", &asked),
        ("", &request(&at, "allow.json", "")),
    ] {
        let header = format!("00-{trace}-{parent}-{flags}");
        let headers = [("traceparent", header.as_str())];
        let headers = &headers[..usize::from(!flags.is_empty())];
        let answer = daemon
            .connect()
            .ask("POST", "/v1/decide", headers, intent.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    let (spans, records) = told(&sent, (2, 3));
    let traces = log(&at);
    for (span, record, trace) in [
        (Some(&spans[0]), &records[0], &traces[0]),
        (None, &records[1], &traces[1]),
        (Some(&spans[1]), &records[2], &traces[2]),
    ] {
        let trace = trace.value();
        let of_log = record.clone();
        for one in span.into_iter().chain([&of_log]) {
            assert_eq!(one["traceId"], record["traceId"]);
            assert_eq!(one["spanId"], record["spanId"]);
            assert_eq!(one["spanId"].as_str().unwrap().len(), 16);
            assert_eq!(attribute(one, "gait.tool"), trace.tool.as_str());
            assert_eq!(attribute(one, "gait.verdict"), trace.decision.verdict.as_str());
            assert_eq!(attribute(one, "gait.runs"), trace.runs);
            assert_eq!(attribute(one, "gait.enforcement"), "enforce");
            assert_eq!(attribute(one, "gait.trace_id"), trace.trace_id.as_str());
            let bundle = trace.bundle_digest.to_string();
            assert_eq!(attribute(one, "gait.bundle_digest"), bundle.as_str());
            let codes = attribute(one, "gait.reason_codes")["values"].as_array().unwrap();
            let codes: Vec<&Value> = codes.iter().map(|code| &code["stringValue"]).collect();
            assert_eq!(json!(codes), json!(trace.decision.reason_codes));
        }
        if let Some(span) = span {
            let nanos = |name: &str| span[name].as_str().unwrap().parse::<u128>().unwrap();
            let (begun, ended) = (nanos("startTimeUnixNano"), nanos("endTimeUnixNano"));
            assert!(begun < ended && ended - begun < 60_000_000_000);
            assert_eq!((&span["kind"], &span["name"]), (&json!(2), &json!("gait.decide")));
        }
    }
    assert_eq!(
        (&spans[0]["traceId"], &spans[0]["parentSpanId"]),
        (&trace.into(), &parent.into())
    );
    assert_eq!(records[1]["traceId"], trace);
    // Who stands in no trace begins one.
    assert_eq!(spans[1]["parentSpanId"], Value::Null);
    let own = spans[1]["traceId"].as_str().unwrap();
    assert!(own.len() == 32 && own != trace, "{own}");
    assert_eq!(
        (&records[0]["severityText"], &records[2]["severityText"]),
        (&"WARN".into(), &"INFO".into())
    );
    let intent: Value = serde_json::from_slice(&at.read("block.json")).unwrap();
    let mut secrets = vec!["canary".to_owned()];
    let args = intent["args"].as_object().unwrap().values();
    secrets.extend(
        args.filter_map(Value::as_str)
            .filter(|text| text.len() > 3)
            .map(str::to_owned),
    );
    assert!(secrets.len() > 1, "{intent}");
    let all = json!([spans, records]).to_string();
    for secret in secrets {
        assert!(!all.contains(&secret), "{secret}: {all}");
    }
    let count = |name: &str| daemon.metric(name);
    while count("gait_otlp_sent_total{signal=\"log\"}") < 3 {}
    assert_eq!(count("gait_otlp_sent_total{signal=\"span\"}"), 2);
    assert_eq!(count("gait_otlp_dropped_total{signal=\"span\"}"), 0);
}

#[test]
fn a_collector_that_is_away_or_says_nothing_delays_no_decision() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = (format!("http://{}", silent.local_addr().unwrap()), silent);
    for endpoint in ["http://127.0.0.1:9", &silent.0] {
        let at = Folder::new();
        let daemon = Daemon::start(&at, &["--otlp-endpoint", endpoint]);
        let asked = request(&at, "allow.json", "");
        let begun = Instant::now();
        let mut client = daemon.connect();
        for _ in 0..30 {
            let answer = client.ask("POST", "/v1/decide", &[], asked.as_bytes());
            assert_eq!(answer.document("decision")["verdict"], "allow");
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
        while daemon.metric("gait_otlp_dropped_total{signal=\"log\"}") == 0 {}
        assert_eq!(daemon.metric("gait_otlp_sent_total{signal=\"log\"}"), 0);
        let begun = Instant::now();
        daemon.stop();
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        assert_eq!(log(&at).len(), 30);
    }
}

#[test]
fn decisions_are_told_to_this_machine_alone() {
    let at = Folder::new();
    for endpoint in [
        "http://192.0.2.1:4318",
        "https://127.0.0.1:4318",
        "http://127.0.0.1:4318/?x",
        "http://collector:4318",
        "127.0.0.1:4318",
    ] {
        let args = ["serve", "--bundle", "b.gaitbundle", "--otlp-endpoint", endpoint];
        at.fails(&args, 6, "serve.collector");
    }
}
