//! Daemons that share a PostgreSQL server: they count together, one of them may be killed, and while the server is away what needs it is
//! refused, what does not goes on, and nobody has to be started anew.

use crate::daemon::client::Answer;
use crate::daemon::{Daemon, request};
use crate::folder::{Folder, compiled};
use crate::store::server::Server;
use crate::{approve, daemon};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// What is allowed of the limit.
const MOST: usize = 120;

fn folder() -> Folder {
    let policy = format!(
        r#"gaitpol 1
policy acme.pay
default block code none
tool pay {{ amount: Decimal[2] }}
tool ask {{}}
tool send {{}}
rule all on * allow
limit rate on pay max {MOST} calls per 1d exceed block code rate
rule sent on send when once(call ask) block code asked
"#
    );
    let at = Folder::new();
    at.write("b.gaitbundle", &compiled(&policy));
    for (tool, args) in [("pay", r#"{"amount":"1.00"}"#), ("ask", "{}"), ("send", "{}")] {
        let intent = format!(
            r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
            "producer_version":"t","tool_name":"{tool}","args":{args},"targets":[],
            "context":{{"identity":"a","workspace":"/w","risk_class":"low"}}}}"#
        );
        at.write(&format!("{tool}.json"), intent.as_bytes());
    }
    at
}

/// A daemon on a server.
fn start(at: &Folder, url: &str, more: &[&str]) -> Daemon {
    let args = ["serve", "--json", "--bundle", "b.gaitbundle"];
    let mut command = at.command(&[&args[..], more].concat());
    Daemon::of(at, command.env("GAIT_STORE_URL", url))
}

fn redeem(daemon: &Daemon, trace: &Value, decision: &Value) -> Answer {
    let body = json!({ "trace": trace, "args": decision["canonical_args"] }).to_string();
    daemon.ask("POST", "/v1/permits/redeem", &body)
}

fn trace(daemon: &Daemon, decision: &Value) -> Value {
    let id = decision["trace_id"].as_str().unwrap();
    let found = daemon.ask("GET", &format!("/v1/traces/{id}"), "");
    serde_json::from_slice(&found.body).unwrap()
}

#[test]
fn daemons_count_together_and_what_one_allows_another_redeems_once() {
    let Some(mut server) = Server::start() else { return };
    let url = server.database();
    let (one, two) = (folder(), folder());
    let daemons = [start(&one, &url, &[]), start(&two, &url, &[])];
    let asked = request(&one, "pay.json", "");
    let allowed: usize = std::thread::scope(|scope| {
        let work = |daemon: &'_ Daemon| {
            let mut client = daemon.connect();
            let answers = (0..20).map(|_| client.ask("POST", "/v1/decide", &[], asked.as_bytes()));
            let verdicts = answers.map(|answer| answer.document("decision")["verdict"].clone());
            verdicts.filter(|verdict| verdict == "allow").count()
        };
        let workers = (0..16).map(|n| &daemons[n % 2]);
        let workers: Vec<_> = workers.map(|at| scope.spawn(move || work(at))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).sum()
    });
    assert_eq!(allowed, MOST, "of {}", 16 * 20);
    // A session is one, whichever of them judges its next call.
    let mut previous = Value::Null;
    for (n, intent, verdict) in [
        (0, "send.json", "allow"),
        (1, "send.json", "allow"),
        (1, "ask.json", "allow"),
        (0, "send.json", "block"),
        (1, "send.json", "block"),
    ] {
        let decision = daemons[n].decide(&request(&one, intent, r#", "session": "s""#));
        assert_eq!(
            (&decision["verdict"], &decision["previous"]),
            (&verdict.into(), &previous)
        );
        previous = decision["trace_digest"].clone();
    }
    let decision = daemons[0].decide(&request(&one, "ask.json", ""));
    let trace = trace(&daemons[0], &decision);
    let mut answers: Vec<u16> = std::thread::scope(|scope| {
        let workers = (0..8).map(|n| &daemons[n % 2]);
        let (trace, decision) = (&trace, &decision);
        let redeem = |at| scope.spawn(move || redeem(at, trace, decision).status);
        let workers: Vec<_> = workers.map(redeem).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    answers.sort_unstable();
    assert_eq!(answers, [200, 409, 409, 409, 409, 409, 409, 409]);
    redeem(&daemons[1], &trace, &decision).is_refused(409, "permit.redeemed");
}

#[test]
fn of_daemons_that_are_handed_one_approval_one_allows_the_call() {
    let Some(mut server) = Server::start() else { return };
    let url = server.database();
    let folders = [approve::folder(), approve::folder()];
    approve::approve(&folders[0], "pay.json", "ann", "a");
    let approval = String::from_utf8(folders[0].read("a")).unwrap();
    let daemons = folders
        .each_ref()
        .map(|at| start(at, &url, &["--approvers", "gait-trust.json"]));
    let asked = request(&folders[0], "pay.json", &format!(", \"approvals\": [{approval}]"));
    let together = Barrier::new(8);
    let mut verdicts: Vec<String> = std::thread::scope(|scope| {
        let decide = |at: &'_ Daemon| {
            let mut client = at.connect();
            together.wait();
            let answer = client.ask("POST", "/v1/decide", &[], asked.as_bytes());
            let verdict = answer.document("decision")["verdict"].clone();
            verdict.as_str().unwrap().to_owned()
        };
        let workers = (0..8).map(|n| &daemons[n % 2]);
        let workers: Vec<_> = workers.map(|at| scope.spawn(move || decide(at))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    verdicts.sort_unstable();
    assert_eq!(verdicts[..2], ["allow", "require_approval"]);
}

#[test]
fn a_daemon_that_is_killed_has_spent_what_it_told_of_and_the_other_one_goes_on() {
    let Some(mut server) = Server::start() else { return };
    let url = server.database();
    let (one, two) = (folder(), folder());
    let (first, second) = (start(&one, &url, &[]), start(&two, &url, &[]));
    let asked = request(&one, "pay.json", "");
    let told = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut client = first.connect();
                let text = format!(
                    "POST /v1/decide HTTP/1.1\r\nHost: gait\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{asked}",
                    asked.len()
                );
                while std::io::Write::write_all(&mut client.stream, text.as_bytes()).is_ok() {
                    let Some(answer) = client.answer() else { break };
                    assert_eq!(answer.document("decision")["verdict"], "allow");
                    told.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while told.load(Ordering::Relaxed) < 20 {}
        first.signal("KILL");
    });
    first.kill();
    let told = told.into_inner();
    let rest = (0..).map(|_| second.decide(&asked)["verdict"].clone());
    let rest = rest.take_while(|verdict| verdict == "allow").count();
    // Each of the four may have been charged for a call that nobody was told of.
    assert!((MOST - 4..=MOST).contains(&(told + rest)), "{told} {rest}");
    assert!(daemon::log(&one).len() >= told);
}

/// What holds while nobody answers for the store.
fn is_without(at: &Folder, daemon: &Daemon, (trace, decision): (&Value, &Value)) {
    let limited = daemon.decide(&request(at, "pay.json", ""));
    assert_eq!(limited["reason_codes"], json!(["gait.limits_unavailable"]));
    assert_eq!(daemon.decide(&request(at, "ask.json", ""))["verdict"], "allow");
    let session = request(at, "ask.json", r#", "session": "s""#);
    daemon.refuses("POST", "/v1/decide", &session, (503, "store.failed"));
    redeem(daemon, trace, decision).is_refused(503, "store.failed");
    daemon.refuses("GET", "/readyz", "", (503, "store.failed"));
    assert_eq!(daemon.ask("GET", "/healthz", "").status, 200);
}

/// What holds when it is back.
fn is_back(at: &Folder, daemon: &Daemon, (trace, decision): (&Value, &Value)) {
    assert_eq!(daemon.ask("GET", "/readyz", "").status, 200);
    assert_eq!(daemon.decide(&request(at, "pay.json", ""))["verdict"], "allow");
    let session = request(at, "send.json", r#", "session": "s""#);
    let next = daemon.decide(&session);
    assert_eq!(
        (&next["verdict"], next["previous"].is_null()),
        (&"block".into(), false)
    );
    assert_eq!(redeem(daemon, trace, decision).status, 200);
}

#[test]
fn a_server_that_is_gone_stops_what_needs_it_and_nothing_else_until_it_is_back() {
    let Some(mut server) = Server::start() else { return };
    let url = format!("{} password=geheim", server.database());
    let at = folder();
    let daemon = start(&at, &url, &[]);
    let session = request(&at, "ask.json", r#", "session": "s""#);
    assert_eq!(daemon.decide(&session)["verdict"], "allow");
    for signal in ["INT", "QUIT"] {
        let decision = daemon.decide(&request(&at, "pay.json", ""));
        let held = (&trace(&daemon, &decision), &decision);
        server.stop(signal);
        is_without(&at, &daemon, held);
        // Many at once are told so as well, and hold nobody up.
        std::thread::scope(|scope| {
            for n in 0..40 {
                let (asked, verdict) = [("pay.json", "block"), ("ask.json", "allow")][n % 2];
                let (at, daemon) = (&at, &daemon);
                scope.spawn(move || {
                    assert_eq!(daemon.decide(&request(at, asked, ""))["verdict"], verdict);
                });
            }
        });
        server.run();
        is_back(&at, &daemon, held);
    }
    let said = daemon.stop();
    assert!(!said.contains("geheim"), "{said}");
}

#[test]
fn a_server_that_says_nothing_keeps_nobody_for_long() {
    let Some(mut server) = Server::start() else { return };
    let at = folder();
    let daemon = start(&at, &server.database(), &[]);
    let session = request(&at, "ask.json", r#", "session": "s""#);
    assert_eq!(daemon.decide(&session)["verdict"], "allow");
    let decision = daemon.decide(&request(&at, "pay.json", ""));
    let held = (&trace(&daemon, &decision), &decision);
    server.freeze();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let limited = daemon.decide(&request(&at, "pay.json", ""));
                assert_eq!(limited["reason_codes"], json!(["gait.limits_unavailable"]));
            });
        }
        while daemon.metric("gait_requests_in_flight") < 21 {}
        assert_eq!(daemon.decide(&request(&at, "ask.json", ""))["verdict"], "allow");
        assert!(begun.elapsed() < Duration::from_secs(8), "it waits for nobody");
    });
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    // One finds out whether it is back; nobody else waits.
    std::thread::scope(|scope| {
        let tries = scope.spawn(|| daemon.decide(&request(&at, "pay.json", "")));
        while daemon.metric("gait_requests_in_flight") < 2 {}
        let begun = Instant::now();
        is_without(&at, &daemon, held);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        server.thaw();
        tries.join().unwrap();
    });
    is_back(&at, &daemon, held);
}
