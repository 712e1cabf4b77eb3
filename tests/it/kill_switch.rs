//! The kill switch: what is stopped is blocked whatever the policy says, nobody gets past it by saying less or
//! otherwise of themselves, and one that cannot be asked lets nothing run.

use crate::folder::{AT, Folder, compiled, shown};
use gait::artifact::SigningKey;
use gait::domain::{Intent, Request, Stop, StopScope, StopTarget, Stops, Verdict};
use gait::gate::Gate;
use serde_json::Value;
use std::process::Stdio;

const POLICY: &str = r#"gaitpol 1
policy acme.desk
default block code none
effects { mail.out, db.drop }
tool fs.read { path: Path
  effect fs.read to path }
tool net.get { url: Url
  effect net.egress to url }
tool mail.send { to: List[Email, max 5], text: String[max 99]
  effect mail.out to each to }
tool mail.list { }
tool mailer { }
tool db.drop { table: String[max 20]
  effect db.drop to table }
rule all on * allow
rule secret on mail.send allow oblige redact(args.text)
"#;

fn intent(tool: &str, args: &str, context: &str, targets: &str) -> Vec<u8> {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
        "producer_version":"t","tool_name":"{tool}","args":{args},"targets":[{targets}],
        "context":{{"identity":"bot@acme.com","workspace":"/ws/app","risk_class":"low"{context}}}}}"#
    )
    .into_bytes()
}

/// `tool mail.*, path /etc` as a scope.
fn scope(text: &str) -> StopScope {
    let mut scope = StopScope::default();
    for part in text.split(", ").filter(|part| *part != "all") {
        let (name, value) = part.split_once(' ').unwrap();
        let value = value.to_owned();
        match name {
            "tool" => scope.tool = Some(value),
            "identity" => scope.identity = Some(value),
            "agent" => scope.agent = Some(value),
            "environment" => scope.environment = Some(value),
            "workspace" => scope.workspace = Some(value),
            "path" => scope.path = Some(value),
            kind => {
                let kind = kind.to_owned();
                scope.target = Some(StopTarget { kind, value });
            }
        }
    }
    scope
}

const READ: (&str, &str) = ("fs.read", r#"{"path":"/srv/data/a"}"#);
const RELATIVE: (&str, &str) = ("fs.read", r#"{"path":"x/../notes"}"#);
const GET: (&str, &str) = ("net.get", r#"{"url":"https://API.Evil.example:8443/x"}"#);
const MAIL: (&str, &str) = (
    "mail.send",
    r#"{"to":["ann@acme.com","Bob@Evil.Example"],"text":"hi"}"#,
);
const DROP: (&str, &str) = ("db.drop", r#"{"table":"orders"}"#);

/// Scope, call, what is said beside it, what is claimed as target, whether it is stopped.
type Case = (
    &'static str,
    (&'static str, &'static str),
    &'static str,
    &'static str,
    bool,
);

const TABLE: &[Case] = &[
    ("all", READ, "", "", true),
    ("tool fs.read", READ, "", "", true),
    ("tool fs.*", READ, "", "", true),
    ("tool fs", READ, "", "", false),
    ("tool fs.rea", READ, "", "", false),
    ("tool mail.*", ("mail.list", "{}"), "", "", true),
    ("tool mail.*", ("mailer", "{}"), "", "", false),
    ("identity bot@acme.com", READ, "", "", true),
    ("identity BOT@acme.com.", READ, "", "", true),
    ("identity ann@acme.com", READ, "", "", false),
    ("agent desk", READ, r#","agent_id":"desk""#, "", true),
    ("agent desk", READ, r#","agent_id":"other""#, "", false),
    // Who does not say which agent it is may be the one.
    ("agent desk", READ, "", "", true),
    ("environment prod", READ, r#","environment":"prod""#, "", true),
    ("environment prod", READ, r#","environment":"dev""#, "", false),
    ("environment prod", READ, "", "", true),
    ("workspace /ws", READ, "", "", true),
    ("workspace /ws/app/", READ, "", "", true),
    ("workspace /ws/ap", READ, "", "", false),
    ("path /srv/data", READ, "", "", true),
    ("path /srv/../srv//data", READ, "", "", true),
    ("path /srv/dat", READ, "", "", false),
    ("path /srv/data/a/b", READ, "", "", false),
    ("path /ws", RELATIVE, "", "", true),
    ("path /ws/app/notes", RELATIVE, "", "", true),
    ("path /ws/other", RELATIVE, "", "", false),
    ("path /srv", DROP, "", "", false),
    ("host evil.example", GET, "", "", true),
    ("host api.evil.EXAMPLE", GET, "", "", true),
    ("host vil.example", GET, "", "", false),
    ("host evil.example", MAIL, "", "", true),
    ("host acme.com", MAIL, "", "", true),
    ("host acme.org", MAIL, "", "", false),
    ("email bob@evil.example", MAIL, "", "", true),
    ("email eve@evil.example", MAIL, "", "", false),
    ("url https://api.evil.example:8443/x", GET, "", "", true),
    ("url https://api.evil.example:8443/", GET, "", "", false),
    ("name orders", DROP, "", "", true),
    ("name order", DROP, "", "", false),
    ("name orders, tool db.*", DROP, "", "", true),
    ("name orders, tool mail.*", DROP, "", "", false),
    ("path /srv, identity ann@acme.com", READ, "", "", false),
    // Claimed targets stop more, and hide nothing.
    (
        "path /etc",
        READ,
        "",
        r#"{"kind":"path","value":"/etc/passwd"}"#,
        true,
    ),
    ("path /srv", READ, "", r#"{"kind":"path","value":"/tmp/x"}"#, true),
    (
        "host evil.example",
        READ,
        "",
        r#"{"kind":"host","value":"evil.example"}"#,
        true,
    ),
    // One target must be both.
    (
        "path /srv, host evil.example",
        READ,
        "",
        r#"{"kind":"host","value":"evil.example"}"#,
        false,
    ),
    // What the policy does not know is stopped, too.
    ("tool new.*", ("new.tool", "{}"), "", "", true),
    ("tool fs.read", ("fs.read", r#"{"path":7}"#), "", "", true),
];

#[test]
fn a_stop_is_about_what_it_says() {
    let checked = gait::compile::check("p.gaitpol", POLICY);
    let checked = checked
        .checked
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let gate = Gate::new(gait::compile::lower(&checked));
    let mut workspace = gate.workspace();
    for (stop, (tool, args), context, targets, is_stopped) in TABLE {
        let intent = Intent::read(&intent(tool, args, context, targets)).unwrap();
        let on = [
            Stop {
                id: "other".to_owned(),
                scope: scope("tool nothing.of.this"),
            },
            Stop {
                id: "this".to_owned(),
                scope: scope(stop),
            },
        ];
        let free = gate.decide(&Request::intent(&intent), &mut workspace).decision;
        let request = Request {
            stops: Stops::On(&on),
            ..Request::intent(&intent)
        };
        let judged = gate.decide(&request, &mut workspace);
        let case = format!("{stop} / {tool} {args} {context} {targets}");
        assert_eq!(
            judged.decision.reason_codes == ["gait.kill_switch"],
            *is_stopped,
            "{case}"
        );
        if *is_stopped {
            assert_eq!(judged.decision.verdict, Verdict::Block, "{case}");
            assert_eq!(
                judged.decision.detail.as_deref(),
                Some("stop `this` of the kill switch is on")
            );
            assert!(judged.after.is_none() && judged.charges.is_empty() && judged.canonical_args.is_none());
        } else {
            assert_eq!(judged.decision, free, "{case}");
        }
        // The same call as the second step of a script.
        let call = format!(r#"{{"tool_name":"{tool}","args":{args},"targets":[{targets}]}}"#);
        let list = r#"{"tool_name":"mailer","args":{}}"#;
        let text = format!(
            r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
            "producer_version":"t","tool_name":"script","args":{{}},"targets":[],"script":{{"steps":[{list},{call}]}},
            "context":{{"identity":"bot@acme.com","workspace":"/ws/app","risk_class":"low"{context}}}}}"#
        );
        let intent = Intent::read(text.as_bytes()).unwrap();
        let request = Request {
            stops: Stops::On(&on),
            ..Request::intent(&intent)
        };
        let script = gate.decide(&request, &mut workspace).decision;
        let stopped = script.reason_codes.iter().any(|code| code == "gait.kill_switch");
        assert_eq!(stopped, *is_stopped, "script: {case}");
        assert_eq!(
            script.verdict == Verdict::Block,
            *is_stopped || free.verdict == Verdict::Block,
            "{case}"
        );
    }
}

fn folder(policy: &str) -> Folder {
    let at = Folder::new();
    at.write("b.gaitbundle", &compiled(policy));
    at.write("read.json", &intent(READ.0, READ.1, "", ""));
    at.write("drop.json", &intent(DROP.0, DROP.1, "", ""));
    at
}

fn add<'a>(id: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = [
        "kill-switch",
        "add",
        "--id",
        id,
        "--reason",
        "a leak",
        "--by",
        "ann",
    ];
    args.into_iter().chain(more.iter().copied()).collect()
}

fn eval<'a>(intent: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = ["gate", "eval", "--bundle", "b.gaitbundle", "--intent", intent];
    let args = args.into_iter().chain(["--kill-switch", "gait-kill-switch.json"]);
    args.chain(more.iter().copied()).collect()
}

fn judged(at: &Folder, intent: &str, more: &[&str], exit: i32) -> (Value, Value) {
    let judged = at.json(&eval(intent, more), exit, "gate_eval");
    let trace = at.valid_trace(judged["trace_path"].as_str().unwrap());
    (judged, trace)
}

#[test]
fn a_stop_holds_from_the_command_to_the_trace() {
    let at = folder(POLICY);
    // There is none yet: nothing runs that is to be asked for.
    let (missing, trace) = judged(&at, "read.json", &[], 3);
    assert_eq!(
        missing["reason_codes"],
        serde_json::json!(["gait.kill_switch_unavailable"])
    );
    assert!(trace.get("kill_switch").is_none());
    let empty = at.json(&["kill-switch", "renew"], 0, "kill_switch_renew");
    assert_eq!((&empty["sequence"], &empty["stale"]), (&0.into(), &false.into()));
    let (_, trace) = judged(&at, "read.json", &[], 0);
    assert_eq!(trace["kill_switch"], empty["digest"]);
    let added = at.json(&add("data", &["--path", "/srv"]), 0, "kill_switch_add");
    assert_eq!(added["stops"][0]["on"], true);
    let (stopped, trace) = judged(&at, "read.json", &[], 3);
    assert_eq!(stopped["reason_codes"], serde_json::json!(["gait.kill_switch"]));
    assert_eq!(trace["kill_switch"], added["digest"]);
    judged(&at, "drop.json", &[], 0);
    let path = stopped["trace_path"].as_str().unwrap();
    let recompute = [
        "trace",
        "recompute",
        path,
        "--bundle",
        "b.gaitbundle",
        "--intent",
        "read.json",
    ];
    at.fails(&recompute, 6, "recompute.kill_switch");
    at.write("then.json", &at.read("gait-kill-switch.json"));
    let given = [&recompute[..], &["--kill-switch", "then.json"]].concat();
    let same = at.json(&given, 0, "trace_recompute");
    assert_eq!(same["traces"][0]["believed"], serde_json::json!([]));
    at.fails(&add("data", &["--all"]), 8, "stop.known");
    let disabled = at.json(&["kill-switch", "disable", "data"], 0, "kill_switch_disable");
    assert_eq!(
        (&disabled["stops"][0]["on"], &disabled["sequence"]),
        (&false.into(), &2.into())
    );
    at.fails(&["kill-switch", "disable", "data"], 6, "stop.off");
    at.fails(&["kill-switch", "expire", "else"], 6, "stop.unknown");
    judged(&at, "read.json", &[], 0);
    // The state of then is not that of now.
    at.json(&given, 0, "trace_recompute");
    let now = [&recompute[..], &["--kill-switch", "gait-kill-switch.json"]].concat();
    at.fails(&now, 6, "recompute.kill_switch");
    at.json(
        &add("all", &["--all", "--until", "2099-01-01T00:00:00Z"]),
        0,
        "kill_switch_add",
    );
    judged(&at, "drop.json", &[], 3);
    // A stop that is on by the clock is on whatever time is stated.
    judged(
        &at,
        "drop.json",
        &["--evaluation-time", "2100-01-01T00:00:00Z"],
        3,
    );
    at.json(&["kill-switch", "expire", "all"], 0, "kill_switch_expire");
    judged(&at, "drop.json", &[], 0);
    judged(&at, "drop.json", &["--evaluation-time", AT], 3);
    at.json(&["kill-switch", "list"], 0, "kill_switch_list");
    at.json(&["verify", "gait-kill-switch.json"], 0, "verify");
    assert!(shown(&at.run(&["kill-switch", "list"])).contains("0 stops on, fresh until"));
}

#[test]
fn what_is_no_kill_switch_lets_nothing_run() {
    let at = folder(POLICY);
    at.json(&["kill-switch", "renew"], 0, "kill_switch_renew");
    let good = at.read("gait-kill-switch.json");
    let stranger = SigningKey::from_seed(&[3; 32]);
    at.write("stranger.pub", &stranger.verifying_key().to_file());
    let flipped = |n: usize| {
        let mut bytes = good.clone();
        bytes[n] ^= 1;
        bytes
    };
    let mut bad: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"{}".to_vec(),
        good[..good.len() / 2].to_vec(),
        [&good[..], b" "].concat(),
        at.read("b.gaitbundle"),
        vec![b' '; 20 << 20],
    ];
    bad.extend((0..good.len()).step_by(37).map(flipped));
    for bytes in bad {
        at.write("gait-kill-switch.json", &bytes);
        let (judged, _) = judged(&at, "read.json", &[], 3);
        assert_eq!(
            judged["reason_codes"],
            serde_json::json!(["gait.kill_switch_unavailable"])
        );
        at.fails(
            &add("x", &["--all"]),
            if bytes.len() > 1 << 20 { 6 } else { 2 },
            code(&at),
        );
        assert_eq!(at.read("gait-kill-switch.json"), bytes);
    }
    // A state that another key has signed is none, and one that only an operator's key has is one where that is named.
    at.write("gait-kill-switch.json", &good);
    let stranger = ["--operator", "stranger.pub"];
    assert_eq!(judged(&at, "read.json", &stranger, 3).0["verdict"], "block");
    at.remove("gait-kill-switch.json");
    std::fs::create_dir(at.path("gait-kill-switch.json")).unwrap();
    assert_eq!(judged(&at, "read.json", &[], 3).0["verdict"], "block");
}

/// The code of what the file is refused with.
fn code(at: &Folder) -> &'static str {
    let output = at.run(&["kill-switch", "list", "--json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    value["error"]["code"].as_str().unwrap().to_owned().leak()
}

#[test]
fn an_older_state_that_is_put_back_lets_nothing_run() {
    let at = folder(POLICY);
    at.json(&["kill-switch", "renew"], 0, "kill_switch_renew");
    let older = at.read("gait-kill-switch.json");
    judged(&at, "read.json", &[], 0);
    at.json(&add("all", &["--all"]), 0, "kill_switch_add");
    at.write("newer.json", &at.read("gait-kill-switch.json"));
    judged(&at, "read.json", &[], 3);
    at.write("gait-kill-switch.json", &older);
    let (blocked, _) = judged(&at, "read.json", &[], 3);
    assert_eq!(
        blocked["reason_codes"],
        serde_json::json!(["gait.kill_switch_unavailable"])
    );
    assert!(
        blocked["detail"]
            .as_str()
            .unwrap()
            .contains("state 1 of the kill switch has been seen")
    );
    // Another state of the same number is not the one that was seen, either.
    at.json(&add("none", &["--tool", "none"]), 0, "kill_switch_add");
    assert_eq!(
        judged(&at, "read.json", &[], 3).0["reason_codes"],
        blocked["reason_codes"]
    );
    // Where another store counts, nobody has seen it.
    judged(&at, "read.json", &["--store", "elsewhere"], 0);
    at.write("gait-kill-switch.json", &at.read("newer.json"));
    at.json(&["kill-switch", "disable", "all"], 0, "kill_switch_disable");
    judged(&at, "read.json", &[], 0);
    // A store that cannot be read does not know.
    std::fs::write(
        at.path("gait-out/store/gait.db"),
        b"no database at all, just some text in a file",
    )
    .unwrap();
    assert_eq!(
        judged(&at, "read.json", &[], 3).0["reason_codes"],
        blocked["reason_codes"]
    );
}

#[test]
fn a_stale_one_blocks_under_a_strict_profile() {
    for (profile, exit) in [("strict", 3), ("standard", 0)] {
        let at = folder(&POLICY.replace("default block", &format!("profile {profile}\ndefault block")));
        at.json(
            &["kill-switch", "renew", "--fresh-for", "1ms"],
            0,
            "kill_switch_renew",
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
        let (judged, _) = judged(&at, "read.json", &[], exit);
        if exit == 3 {
            assert_eq!(
                judged["reason_codes"],
                serde_json::json!(["gait.kill_switch_unavailable"])
            );
        }
        let plain = at.run(&eval("read.json", &[]));
        assert!(shown(&plain).contains("stale since"), "{}", shown(&plain));
        at.json(&["kill-switch", "renew"], 0, "kill_switch_renew");
        assert!(at.run(&eval("read.json", &[])).status.success());
    }
}

#[test]
fn what_could_stop_nothing_is_refused() {
    let at = folder(POLICY);
    for (more, code) in [
        (&["--path", "srv"][..], "stop.scope"),
        (&["--workspace", "C:"], "stop.scope"),
        (&["--target", "host=a b"], "stop.scope"),
        (&["--target", "email=nobody"], "stop.scope"),
        (&["--tool", "a\u{200b}"], "stop.scope"),
        (&["--tool", ""], "stop.scope"),
        (&["--all", "--until", "2001-01-01T00:00:00Z"], "usage.bad_time"),
        (&["--all", "--fresh-for", "0s"], "stop.fresh_for"),
        (&["--target", "bucket=x"], "usage.invalid"),
        (&[], "usage.invalid"),
        (&["--all", "--tool", "a"], "usage.invalid"),
    ] {
        at.fails(&add("x", more), 6, code);
        assert!(!at.path("gait-kill-switch.json").exists());
    }
}

#[test]
fn of_many_operators_at_once_none_loses_a_stop() {
    let at = folder(POLICY);
    let ids: Vec<String> = (0..6).map(|n| format!("s{n}")).collect();
    let start = |id: &String| {
        let mut command = at.command(&add(id, &["--tool", "mail.*"]));
        command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let all: Vec<_> = ids.iter().map(start).collect();
    for mut one in all {
        assert!(one.wait().unwrap().success());
    }
    let listed = at.json(&["kill-switch", "list"], 0, "kill_switch_list");
    assert_eq!(
        (listed["stops"].as_array().unwrap().len(), &listed["sequence"]),
        (6, &5.into())
    );
}

/// The page about the kill switch, executed.
#[test]
fn the_page_does_what_it_says() {
    let at = Folder::new();
    std::fs::remove_dir_all(at.path("gait-out")).unwrap();
    let printed = at.page(include_str!("../../docs/reference/kill-switch.md"));
    assert_eq!(printed.len(), 9);
}
