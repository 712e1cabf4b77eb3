//! What the daemon keeps: traces that were acknowledged outlive it, an approval is used once, a bundle is replaced as a whole, and
//! what cannot be written down is not decided.

use crate::approve;
use crate::daemon::{Daemon, is_kept, log, request};
use crate::folder::{Folder, compiled, key, policy};
use gait::{bundling, compile};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[test]
fn a_daemon_that_is_killed_has_lost_no_trace_that_it_told_of() {
    let at = Folder::new();
    let asked = request(&at, "allow.json", "");
    let mut told: BTreeSet<String> = BTreeSet::new();
    for round in 0..3u64 {
        let daemon = Daemon::start(&at, &[]);
        let heard: Vec<String> = std::thread::scope(|scope| {
            let one = || {
                let mut client = daemon.connect();
                let mut ids = Vec::new();
                let text = format!(
                    "POST /v1/decide HTTP/1.1\r\nHost: gait\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{asked}",
                    asked.len()
                );
                while std::io::Write::write_all(&mut client.stream, text.as_bytes()).is_ok() {
                    let Some(answer) = client.answer() else { break };
                    ids.push(
                        answer.document("decision")["trace_id"]
                            .as_str()
                            .unwrap()
                            .to_owned(),
                    );
                }
                ids
            };
            let workers: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
            std::thread::sleep(Duration::from_millis(200 + 70 * round));
            daemon.signal("KILL");
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap())
                .collect()
        });
        daemon.kill();
        assert!(!heard.is_empty());
        told.extend(heard);
        // What a write that was cut off leaves.
        let names = at.list("gait-out/serve/traces");
        let last = names.iter().rfind(|name| name.ends_with(".jsonl")).unwrap();
        let path = format!("gait-out/serve/traces/{last}");
        at.write(
            &path,
            &[at.read(&path).as_slice(), b"{\"payload\":\"e30"].concat(),
        );
    }
    let daemon = Daemon::start(&at, &[]);
    let said = daemon.stop();
    assert!(said.contains("cut off"), "{said}");
    let torn = at
        .list("gait-out/serve/traces")
        .into_iter()
        .filter(|name| name.ends_with(".torn"));
    assert_eq!(torn.count(), 3);
    let written: BTreeSet<String> = log(&at)
        .iter()
        .map(|trace| trace.value().trace_id.clone())
        .collect();
    assert_eq!(told.difference(&written).count(), 0);
}

#[test]
fn what_cannot_be_written_down_is_not_decided() {
    let at = Folder::new();
    let asked = request(&at, "allow.json", "");
    // Files of at most 8 KiB, as on a disk that is full.
    let binary = env!("CARGO_BIN_EXE_gait");
    let script = format!("trap '' XFSZ; ulimit -f 16; exec '{binary}' serve --json --bundle b.gaitbundle");
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(at.path("")).env_clear();
    let daemon = Daemon::of(&at, command.stdin(Stdio::null()));
    let mut decided = 0;
    let refused = loop {
        let answer = daemon.ask("POST", "/v1/decide", &asked);
        if answer.status != 200 {
            break answer;
        }
        is_kept(&at, &answer.document("decision"));
        decided += 1;
    };
    refused.is_refused(503, "file.io");
    assert!(decided > 1);
    daemon.refuses("GET", "/readyz", "", (503, "file.io"));
    daemon.refuses("POST", "/v1/decide", &asked, (503, "file.io"));
    assert_eq!(daemon.ask("GET", "/healthz", "").status, 200);
    assert_eq!(log(&at).len(), decided, "no line is half written");
}

#[test]
fn of_many_clients_with_one_approval_one_is_allowed() {
    let at = approve::folder();
    approve::approve(&at, "pay.json", "ann", "a");
    let daemon = Daemon::start(&at, &["--approvers", "gait-trust.json"]);
    let approval = String::from_utf8(at.read("a")).unwrap();
    let asked = request(&at, "pay.json", &format!(", \"approvals\": [{approval}]"));
    let verdicts: Vec<Value> = std::thread::scope(|scope| {
        let one = || daemon.decide(&asked);
        let workers: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let allowed: Vec<&Value> = verdicts.iter().filter(|one| one["verdict"] == "allow").collect();
    assert_eq!(allowed.len(), 1);
    assert_eq!(allowed[0]["handed"][0]["standing"], "counted");
    for other in verdicts.iter().filter(|one| one["verdict"] != "allow") {
        assert_eq!(
            (&other["verdict"], &other["handed"][0]["standing"]),
            (&"require_approval".into(), &"used".into())
        );
    }
    // What nobody known has signed, or was changed, is no approval.
    let changed = asked.replace("\"payload\":\"", "\"payload\":\"AAAA");
    let answer = daemon.ask("POST", "/v1/decide", &changed);
    assert_eq!(answer.status, 400, "{}", answer.text());
    // A key that is revoked counts no more, without a restart.
    approve::approve(&at, "more.json", "ann", "b");
    let approvers = at.json(&["trust", "list"], 0, "trust_list");
    let ann = approvers["approvers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["principal"] == "ann@acme.com")
        .unwrap();
    at.json(
        &["trust", "revoke", "--key", ann["key_id"].as_str().unwrap()],
        0,
        "trust_revoke",
    );
    let approval = String::from_utf8(at.read("b")).unwrap();
    let decision = daemon.decide(&request(
        &at,
        "more.json",
        &format!(", \"approvals\": [{approval}]"),
    ));
    assert_eq!(decision["handed"][0]["standing"], "key_revoked");
}

#[test]
fn a_stop_of_the_kill_switch_holds_from_the_next_call_on() {
    let at = Folder::new();
    at.json(&["kill-switch", "renew"], 0, "kill_switch_renew");
    let daemon = Daemon::start(&at, &["--kill-switch", "gait-kill-switch.json"]);
    let asked = request(&at, "allow.json", "");
    assert_eq!(daemon.decide(&asked)["verdict"], "allow");
    let add = [
        "kill-switch",
        "add",
        "--id",
        "all",
        "--all",
        "--reason",
        "leak",
        "--by",
        "ann@acme.com",
    ];
    at.json(&add, 0, "kill_switch_add");
    let stopped = daemon.decide(&asked);
    assert_eq!(
        (&stopped["verdict"], &stopped["reason_codes"][0]),
        (&"block".into(), &"gait.kill_switch".into())
    );
    at.remove("gait-kill-switch.json");
    assert_eq!(
        daemon.decide(&asked)["reason_codes"][0],
        "gait.kill_switch_unavailable"
    );
}

const SMALL: &str = "gaitpol 1\npolicy desk @ \"1.0.0\"\ndefault block code none\n\
    tool t { n: Int }\nrule small on t when args.n < 10 allow\n";

/// A bundle of a version and an epoch.
fn release(text: &str, version: &str, epoch: u64) -> Vec<u8> {
    let text = text.replace("@ \"1.0.0\"", &format!("@ \"{version}\""));
    let checked = compile::check("policy.gaitpol", &text).checked.unwrap();
    bundling::build(&checked, epoch, &key()).unwrap().bytes
}

/// Puts a bundle in the place of the one that decides, as a whole.
fn replace(at: &Folder, bytes: &[u8]) {
    at.write("next", bytes);
    std::fs::rename(at.path("next"), at.path("b.gaitbundle")).unwrap();
}

#[test]
fn each_answer_under_reload_is_of_one_bundle() {
    let at = Folder::new();
    let releases = [release(&policy(), "1.0.1", 3), release(&policy(), "1.0.2", 3)];
    replace(&at, &releases[0]);
    let daemon = Daemon::start(&at, &[]);
    let asked = request(&at, "allow.json", "");
    let ended = AtomicBool::new(false);
    let seen: BTreeSet<(String, String)> = std::thread::scope(|scope| {
        let one = || {
            let mut client = daemon.connect();
            let mut seen = BTreeSet::new();
            while !ended.load(Ordering::Relaxed) {
                let answer = client.ask("POST", "/v1/decide", &[], asked.as_bytes());
                let decision = answer.document("decision");
                is_kept(&at, &decision);
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                seen.insert((
                    text(&decision["bundle_digest"]),
                    text(&decision["policy"]["version"]),
                ));
            }
            seen
        };
        let workers: Vec<_> = (0..3).map(|_| scope.spawn(one)).collect();
        for round in 1..=12 {
            replace(&at, &releases[round % 2]);
            let done = daemon.ask("POST", "/v1/reload", "");
            let done = done.document("reload");
            assert_ne!(done["bundle_digest"], done["previous"]);
        }
        ended.store(true, Ordering::Relaxed);
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap())
            .collect()
    });
    let versions: Vec<&str> = seen.iter().map(|(_, version)| version.as_str()).collect();
    assert!(
        seen.len() <= 2 && versions.iter().all(|v| ["1.0.1", "1.0.2"].contains(v)),
        "{seen:?}"
    );
    for trace in log(&at) {
        let record = trace.value();
        assert!(seen.contains(&(record.bundle_digest.to_string(), record.policy.version.clone())));
    }
    assert_eq!(daemon.metric("gait_reloads_total"), 12);
}

#[test]
fn a_bundle_that_may_not_follow_is_refused_and_the_one_before_it_goes_on() {
    let at = Folder::new();
    replace(&at, &release(SMALL, "1.0.1", 3));
    let daemon = Daemon::start(&at, &["--refuse-loosening"]);
    let first = daemon.told("bundle_digest");
    let (looser, other) = (
        SMALL.replace("< 10", "< 99"),
        SMALL.replace("policy desk", "policy bench"),
    );
    for (bytes, code) in [
        (release(SMALL, "1.0.2", 2), "succession.epoch"),
        (release(&other, "1.0.2", 3), "succession.policy"),
        (release(&looser, "1.0.2", 3), "succession.loosens"),
        (b"none".to_vec(), "verify.archive_end"),
    ] {
        replace(&at, &bytes);
        daemon.refuses("POST", "/v1/reload", "", (409, code));
        assert_eq!(
            daemon.decide(&request(&at, "allow.json", ""))["bundle_digest"],
            first.as_str()
        );
    }
    at.remove("b.gaitbundle");
    daemon.refuses("POST", "/v1/reload", "", (409, "file.not_found"));
    assert_eq!(daemon.metric("gait_reloads_refused_total"), 5);
    // A signal does the same as the request.
    replace(&at, &release(SMALL, "1.0.2", 4));
    daemon.signal("HUP");
    while daemon.metric("gait_reloads_total") == 0 {}
    assert_ne!(
        daemon.decide(&request(&at, "allow.json", ""))["bundle_digest"],
        first.as_str()
    );
    let said = daemon.stop();
    assert!(said.contains("goes on to decide"), "{said}");
}

#[test]
fn what_was_begun_is_finished_before_it_ends() {
    let at = Folder::new();
    let daemon = Daemon::start(&at, &[]);
    let good = request(&at, "allow.json", "");
    let (head, tail) = good.split_at(good.len() / 2);
    let (mut idle, mut slow) = (daemon.connect(), daemon.connect());
    assert_eq!(idle.ask("GET", "/healthz", &[], b"").status, 200);
    let length = good.len();
    slow.send(
        format!("POST /v1/decide HTTP/1.1\r\nHost: gait\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{head}")
            .as_bytes(),
    );
    while daemon.metric("gait_requests_in_flight") < 2 {}
    let answer = std::thread::scope(|scope| {
        let stopping = scope.spawn(|| daemon.stop());
        // Nobody is waited for who asks for nothing.
        assert!(idle.answer().is_none());
        slow.send(tail.as_bytes());
        let answer = slow.answer().unwrap();
        stopping.join().unwrap();
        answer
    });
    is_kept(&at, &answer.document("decision"));
    assert_eq!(log(&at).len(), 1);
}

#[test]
fn a_store_that_cannot_be_used_stops_what_needs_it_and_nothing_else() {
    let at = Folder::new();
    at.write("store", b"no folder");
    let daemon = Daemon::start(&at, &["--store", "store"]);
    daemon.refuses("GET", "/readyz", "", (503, "file.not_folder"));
    assert_eq!(daemon.decide(&request(&at, "allow.json", ""))["verdict"], "allow");
    let asked = request(&at, "allow.json", r#", "session": "s""#);
    daemon.refuses("POST", "/v1/decide", &asked, (503, "file.not_folder"));
}

#[test]
fn a_key_that_nobody_accepts_any_more_signs_nothing() {
    let at = Folder::new();
    let mut public = key().verifying_key();
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_millis(2_500);
    public.valid_until = Some(until);
    at.write("gait-out/keys/gait.public.json", &public.to_file());
    let daemon = Daemon::start(&at, &[]);
    let asked = request(&at, "allow.json", "");
    assert_eq!(daemon.ask("POST", "/v1/decide", &asked).status, 200);
    while jiff::Timestamp::now() <= until {
        std::thread::sleep(Duration::from_millis(50));
    }
    daemon.refuses("POST", "/v1/decide", &asked, (503, "verify.key_expired"));
    daemon.refuses("GET", "/readyz", "", (503, "verify.key_expired"));
    assert_eq!(compiled(&policy()), at.read("b.gaitbundle"));
}
