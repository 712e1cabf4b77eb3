//! What is sent to the daemon by those who should not, or not so: bodies that are no request, web pages, other hosts, no token, too
//! much, too slow. Nothing of it is a verdict, and the daemon goes on.

use crate::daemon::{Daemon, log, request};
use crate::folder::Folder;

fn chunked(parts: &[&str]) -> Vec<u8> {
    let mut text = "POST /v1/decide HTTP/1.1\r\nHost: gait\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
    for part in parts.iter().chain(&[""]) {
        text.push_str(&format!("{:x}\r\n{part}\r\n", part.len()));
    }
    text.into_bytes()
}

#[test]
fn what_is_no_request_is_refused_with_its_code() {
    let at = Folder::new();
    let daemon = Daemon::start(&at, &[]);
    let good = request(&at, "allow.json", "");
    let deep = format!("{{\"facts\": {}1{}}}", "{\"a\":".repeat(70), "}".repeat(70));
    let long = format!("{{\"facts\": {{\"a\": \"{}\"}}}}", "x".repeat(1 << 20));
    for (body, answer) in [
        ("", (400, "intent.syntax")),
        ("{", (400, "intent.syntax")),
        ("[]", (400, "request.wrong_type")),
        ("\u{feff}{}", (400, "intent.syntax")),
        ("{}", (400, "request.missing_field")),
        (r#"{"intent": {}, "intent": {}}"#, (400, "intent.duplicate_key")),
        (
            r#"{"intent": {}, "\u0069ntent": {}}"#,
            (400, "intent.duplicate_key"),
        ),
        (
            r#"{"intent": {"$serde_json::private::RawValue": "{}"}}"#,
            (400, "intent.unknown_field"),
        ),
        (
            r#"{"intent": {}, "facts": {"a": 9007199254740993}}"#,
            (400, "intent.number_not_exact"),
        ),
        (
            r#"{"intent": {}, "facts": {"a": "\ud800"}}"#,
            (400, "intent.syntax"),
        ),
        (deep.as_str(), (413, "intent.too_large")),
        (long.as_str(), (413, "request.too_large")),
        (
            r#"{"intent": {}, "verdict": "allow"}"#,
            (400, "request.unknown_field"),
        ),
        (
            r#"{"intent": {}, "approvals": [{}]}"#,
            (400, "intent.missing_field"),
        ),
    ] {
        daemon.refuses("POST", "/v1/decide", body, answer);
    }
    let approved = request(&at, "allow.json", r#", "approvals": [{}]"#);
    daemon.refuses("POST", "/v1/decide", &approved, (400, "request.no_approvers"));
    let mut client = daemon.connect();
    client
        .ask("POST", "/v1/decide", &[], b"{\"intent\": \xff}")
        .is_refused(400, "intent.syntax");
    for kind in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonx",
    ] {
        let answer = client.ask("POST", "/v1/decide", &[("Content-Type", kind)], good.as_bytes());
        answer.is_refused(415, "request.content_type");
        client = daemon.connect();
    }
    for (method, path, answer) in [
        ("GET", "/v1/decide", (405, "request.method")),
        ("DELETE", "/v1/reload", (405, "request.method")),
        ("POST", "/healthz", (405, "request.method")),
        ("GET", "/", (404, "request.not_found")),
        ("GET", "/v1/traces/../../etc/passwd", (404, "request.not_found")),
        ("GET", "/v1/traces/%2e%2e", (404, "request.not_found")),
        ("POST", "/v1/decide/", (404, "request.not_found")),
        ("POST", "/V1/decide", (404, "request.not_found")),
        ("POST", "/v1/decide?now=1", (400, "request.query")),
    ] {
        daemon.refuses(method, path, "", answer);
    }
    assert_eq!(log(&at).len(), 0, "nothing of this was judged");
    assert_eq!(daemon.ask("POST", "/v1/decide", &good).status, 200);
    assert_eq!(daemon.metric("gait_errors_total{code=\"request.query\"}"), 1);
}

#[test]
fn what_is_no_http_or_too_much_of_it_ends_the_connection_and_nothing_else() {
    let at = Folder::new();
    let daemon = Daemon::start(&at, &[]);
    let good = request(&at, "allow.json", "");
    let many = "X: y\r\n".repeat(70);
    let wide = format!("X: {}\r\n", "y".repeat(20_000));
    let length = "Content-Type: application/json\r\nContent-Length:";
    for (bytes, status) in [
        (b"\x16\x03\x01\x02\x00\x01\x00".to_vec(), 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), 400),
        (
            format!("GET /healthz HTTP/1.1\r\nHost: gait\r\n{many}\r\n").into_bytes(),
            431,
        ),
        (
            format!("GET /healthz HTTP/1.1\r\nHost: gait\r\n{wide}\r\n").into_bytes(),
            431,
        ),
        (b"GET /healthz HTTP/1.1\r\nHost : gait\r\n\r\n".to_vec(), 400),
        (
            b"GET /healthz HTTP/1.1\nHost: gait\r\nX\x00: y\r\n\r\n".to_vec(),
            400,
        ),
        (
            format!("POST /v1/decide HTTP/1.1\r\n{length} 5\r\n{length} 6\r\n\r\n").into_bytes(),
            400,
        ),
        (
            format!("POST /v1/decide HTTP/1.1\r\n{length} -1\r\n\r\n").into_bytes(),
            400,
        ),
        (
            format!("POST /v1/decide HTTP/1.1\r\n{length} 99999999999999999999\r\n\r\n").into_bytes(),
            400,
        ),
        (
            chunked(&["x".repeat(700_000).as_str(), "x".repeat(700_000).as_str()]),
            413,
        ),
    ] {
        let mut client = daemon.connect();
        client.send(&bytes);
        let answered = client.answer();
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(
            answered.as_ref().is_none_or(|answer| answer.status == status),
            "{shown}: {answered:?}"
        );
    }
    // A body that is cut off is judged by nobody.
    let mut client = daemon.connect();
    client.send(
        format!(
            "POST /v1/decide HTTP/1.1\r\nHost: gait\r\n{length} {}\r\n\r\n",
            good.len() + 1
        )
        .as_bytes(),
    );
    client.send(good.as_bytes());
    client.stream.end();
    assert!(client.answer().is_none_or(|answer| answer.status == 400));
    // One that comes in parts is.
    let (head, tail) = good.split_at(good.len() / 2);
    let mut client = daemon.connect();
    client.send(&chunked(&[head, tail]));
    assert_eq!(client.answer().unwrap().document("decision")["verdict"], "allow");
    assert_eq!(log(&at).len(), 1);
}

#[test]
fn a_web_page_another_host_or_no_token_gets_no_verdict() {
    let at = Folder::new();
    let secret = "00112233445566778899aabbccddeeff";
    at.write_private("token", format!("{secret}\n").as_bytes());
    let daemon = Daemon::start(
        &at,
        &[
            "--listen",
            "127.0.0.1:0",
            "--token-file",
            "token",
            "--allow-host",
            "gait.internal",
        ],
    );
    let good = request(&at, "allow.json", "");
    let bearer = format!("Bearer {secret}");
    let own = daemon.told("listening").replace("http://", "");
    let port = own.rsplit(':').next().unwrap().to_owned();
    let ask = |more: &[(&str, &str)]| daemon.connect().ask("POST", "/v1/decide", more, good.as_bytes());
    let token = ("Authorization", bearer.as_str());
    for more in [
        &[token][..],
        &[token, ("Host", &format!("localhost:{port}"))],
        &[token, ("Host", "gait.internal")],
    ] {
        assert_eq!(ask(more).status, 200, "{more:?}");
    }
    for (more, (status, code)) in [
        (&[][..], (401, "request.token")),
        (&[("Authorization", secret)], (401, "request.token")),
        (
            &[("Authorization", "Bearer 00112233445566778899aabbccddeefe")],
            (401, "request.token"),
        ),
        (&[("Authorization", "Bearer ")], (401, "request.token")),
        (&[token, token], (401, "request.token")),
        (
            &[token, ("Origin", "http://evil.example")],
            (403, "request.origin"),
        ),
        (&[token, ("Origin", "null")], (403, "request.origin")),
        (
            &[token, ("Origin", &format!("http://{own}"))],
            (403, "request.origin"),
        ),
        (&[token, ("Host", "evil.example")], (403, "request.host")),
        (
            &[token, ("Host", &format!("evil.example:{port}"))],
            (403, "request.host"),
        ),
        (&[token, ("Host", "")], (403, "request.host")),
    ] {
        ask(more).is_refused(status, code);
    }
    let absolute = format!("http://evil.example:{port}/v1/decide");
    let answer = daemon.connect().ask("POST", &absolute, &[token], good.as_bytes());
    answer.is_refused(403, "request.host");
    // Whether it is alive everybody may know; how it is, only who has the token.
    assert_eq!(daemon.ask("GET", "/healthz", "").status, 200);
    for path in ["/readyz", "/metrics", "/openapi.json", "/v1/traces/0123"] {
        daemon.refuses("GET", path, "", (401, "request.token"));
    }
    daemon.refuses("POST", "/v1/reload", "", (401, "request.token"));
    assert_eq!(log(&at).len(), 3);
}

#[test]
fn what_would_not_be_safe_is_not_started() {
    let at = Folder::new();
    at.write("exposed", b"00112233445566778899aabbccddeeff");
    at.write_private("short", b"0011");
    at.write("file", b"mine");
    let serve = ["serve", "--bundle", "b.gaitbundle"];
    for (more, exit, code) in [
        (&["--listen", "0.0.0.0:0"][..], 8, "serve.open"),
        (&["--listen", "[::]:0"], 8, "serve.open"),
        (&["--token-file", "exposed"], 8, "file.exposed"),
        (&["--token-file", "short"], 6, "serve.token"),
        (&["--token-file", "none"], 6, "file.not_found"),
        (&["--socket", "file"], 8, "file.exists"),
        (&["--approvers", "none"], 6, "file.not_found"),
        (&["--max-concurrent", "0"], 6, "usage.invalid"),
        (&["--keep-for", "23h"], 6, "serve.keep_for"),
        (&["--keep-bytes", "0"], 6, "usage.invalid"),
        (&["--listen", "127.0.0.1:0", "--socket", "x"], 6, "usage.invalid"),
        (&["--allow-host", "x"], 6, "usage.invalid"),
    ] {
        at.fails(&[&serve[..], more].concat(), exit, code);
    }
    assert_eq!(at.read("file"), b"mine");
    at.write("bad.gaitbundle", b"none");
    at.fails(&["serve", "--bundle", "bad.gaitbundle"], 2, "verify.archive_end");
    // One daemon has the socket, and one the log.
    let daemon = Daemon::start(&at, &[]);
    at.fails(&serve, 8, "serve.in_use");
    at.fails(
        &[&serve[..], &["--socket", "gait-out/serve/other.sock"]].concat(),
        8,
        "serve.in_use",
    );
    at.fails(
        &[&serve[..], &["--traces", "gait-out/serve/other"]].concat(),
        8,
        "serve.in_use",
    );
    assert_eq!(daemon.ask("GET", "/readyz", "").status, 200);
}

#[test]
fn more_than_it_takes_at_once_is_told_to_come_again() {
    let at = Folder::new();
    let daemon = Daemon::start(&at, &["--max-concurrent", "1"]);
    let good = request(&at, "allow.json", "");
    let (head, tail) = good.split_at(10);
    let length = good.len();
    let begun = || {
        let mut slow = daemon.connect();
        slow.send(
            format!("POST /v1/decide HTTP/1.1\r\nHost: gait\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{head}")
                .as_bytes(),
        );
        slow
    };
    let mut slow = begun();
    // It has come when the next one is told so. It may be told so itself, where it comes while another is answered.
    let busy = loop {
        let mut answers = (0..50).map(|_| daemon.ask("POST", "/v1/decide", &good));
        if let Some(answer) = answers.find(|answer| answer.status != 200) {
            break answer;
        }
        slow = begun();
    };
    busy.is_refused(503, "serve.busy");
    assert!(busy.head.contains("retry-after: 1"), "{}", busy.head);
    assert_eq!(
        daemon.ask("GET", "/readyz", "").status,
        200,
        "that is about the daemon"
    );
    slow.send(tail.as_bytes());
    assert_eq!(slow.answer().unwrap().status, 200);
    assert_eq!(daemon.ask("POST", "/v1/decide", &good).status, 200);
}

#[test]
fn a_log_of_traces_that_was_taken_away_gives_no_verdict() {
    let at = Folder::new();
    let traces = at.path("gait-out/serve/traces");
    let daemon = Daemon::start(&at, &["--keep-for", "30d"]);
    let good = request(&at, "allow.json", "");
    let decide = || daemon.ask("POST", "/v1/decide", &good);
    let ready = || daemon.ask("GET", "/readyz", "").status;
    assert_eq!((decide().status, ready()), (200, 200));
    let file = || {
        let found = std::fs::read_dir(&traces)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut found: Vec<_> = found
            .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
            .collect();
        found.sort();
        found.pop().unwrap()
    };
    std::fs::remove_file(file()).unwrap();
    decide().is_refused(503, "file.not_found");
    assert_eq!((decide().status, ready()), (200, 200));
    std::fs::remove_file(traces.join("lock")).unwrap();
    assert_eq!((decide().status, ready()), (200, 200));
    assert!(traces.join("lock").exists());
    let moved = at.path("moved");
    std::fs::rename(&traces, &moved).unwrap();
    assert_eq!(ready(), 503);
    decide().is_refused(503, "file.not_found");
    assert!(!traces.exists());
    std::fs::rename(&moved, &traces).unwrap();
    assert_eq!((decide().status, ready()), (200, 200));
}

#[test]
fn an_old_trace_that_cannot_be_removed_is_counted() {
    let at = Folder::new();
    drop(Daemon::start(&at, &[]));
    let old = at.path("gait-out/serve/traces/20250101T000000000Z-000001.jsonl");
    std::fs::write(&old, "x\n").unwrap();
    let file = std::fs::File::options().append(true).open(&old).unwrap();
    let future = std::time::SystemTime::now() + std::time::Duration::from_hours(24);
    file.set_modified(future).unwrap();
    // What a link leads to is nobody's to cut.
    let precious = at.path("precious");
    std::fs::write(&precious, "no end").unwrap();
    for name in ["20250101T000000000Z-000002.jsonl", "x.jsonl"] {
        std::os::unix::fs::symlink(&precious, old.with_file_name(name)).unwrap();
    }
    let daemon = Daemon::start(&at, &["--keep-for", "30d"]);
    assert_eq!(std::fs::read(&precious).unwrap(), b"no end");
    let told = daemon.ask("GET", "/metrics", "").body;
    assert!(
        String::from_utf8(told)
            .unwrap()
            .contains("gait_errors_total{code=\"file.io\"} 1")
    );
}
