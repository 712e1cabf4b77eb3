//! `source detected`: a value in which a secret is found has labels, whatever is said of it, in calls, elements, scripts and sessions;
//! and a policy that does not ask is decided and encoded as before.

use crate::folder::{AT, Folder, compiled, eval, key, trusted};
use gait::artifact::{TraceSecrets, trace};
use gait::compile;
use gait::domain::{ArgumentOrigin, ArgumentSource, Intent, Request, Verdict};
use gait::gate::Gate;
use gait::ir;
use gait::json::{self, Json};
use serde_json::json;

const POLICY: &str = r#"gaitpol 1
policy t.detected
default block code none
label secret
level confidentiality { public < internal < restricted }
source user => {}
source detected => { secret, restricted }
role people { "ann@acme.com" }
tool note { text: String[max 200] }
tool send {
  to: List[String[max 99], max 9]
  body: String[max 400]
  parts: List[{ name: String[max 99], value: String[max 99] }, max 9]?
  headers: Map[String[max 99], String[max 99], max 9]?
  password: String[max 99]?
  carries { body, parts, headers }
}
rule all on * allow
rule leak on send when labels(carried) has secret block
rule level on send when level(args.password, confidentiality) >= internal block code level
rule each on send when any t in args.to: labels(t) has secret block code each
rule later on note when labels(session) has secret dry_run
"#;

fn gate(policy: &str) -> Gate {
    let report = compile::check("p.gaitpol", policy);
    let checked = report
        .checked
        .unwrap_or_else(|| panic!("{:?}", report.diagnostics));
    Gate::new(compile::lower(&checked))
}

fn object(value: &serde_json::Value) -> Json {
    json::parse(value.to_string().as_bytes()).unwrap()
}

/// The origins that take every other label off: all of it comes from the user.
fn user() -> Vec<ArgumentOrigin> {
    let origin = |name: &str| ArgumentOrigin {
        path: vec![name.to_owned()],
        source: ArgumentSource::User,
        tool: None,
        digest: None,
    };
    ["to", "body", "parts", "headers", "password", "text"]
        .map(origin)
        .to_vec()
}

#[test]
fn what_is_found_has_its_label_whatever_is_said_of_it() {
    let gate = gate(POLICY);
    let token = format!("{}{}", "gh", "p_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8");
    let plain = json!({"to": ["ann"], "body": "hello"});
    let with = |more: serde_json::Value| {
        let mut args = plain.clone();
        args.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        args
    };
    let user = user();
    for (args, codes) in [
        (plain.clone(), &["all"][..]),
        (with(json!({"body": format!("use {token}")})), &["leak"]),
        (with(json!({"body": "password=hunter2!"})), &["leak"]),
        (with(json!({"to": ["ann", token]})), &["each"]),
        (
            with(
                json!({"parts": [{"name": "a", "value": "b"}, {"name": "Authorization", "value": "Bearer a1B2c3D4"}]}),
            ),
            &["leak"],
        ),
        (
            with(json!({"headers": {"X-Api-Key": "a1B2c3D4e5F6g7H8"}})),
            &["leak"],
        ),
        (with(json!({"headers": {token.as_str(): ""}})), &["leak"]),
        (with(json!({"password": "sesame"})), &["level"]),
        (with(json!({"password": "$PASSWORD"})), &["all"]),
    ] {
        let args = object(&args);
        for origins in [Some(&user[..]), Some(&[][..]), None] {
            let request = Request {
                origins,
                ..Request::call("send", &args)
            };
            let decision = gate.decide(&request, &mut gate.workspace()).decision;
            assert_eq!(decision.reason_codes, codes, "{args:?} {origins:?}");
            let is_found = codes != ["all"];
            assert_eq!(
                decision
                    .labels
                    .iter()
                    .any(|fact| fact.origin.as_str() == "detected"),
                is_found,
                "{:?}",
                decision.labels
            );
        }
    }
}

#[test]
fn steps_and_sessions_have_it_too() {
    let gate = gate(POLICY);
    let (secret, plain) = (
        object(&json!({"text": "password=hunter2!"})),
        object(&json!({"text": "a"})),
    );
    let fresh = gate.fresh_state();
    for (first, verdict) in [(&plain, Verdict::Allow), (&secret, Verdict::DryRun)] {
        let user = user();
        let request = |args, state| Request {
            state: Some(state),
            session: Some("s"),
            origins: Some(&user),
            ..Request::call("note", args)
        };
        let after = gate
            .decide(&request(first, &fresh), &mut gate.workspace())
            .after
            .unwrap();
        let decision = gate
            .decide(&request(&plain, &after), &mut gate.workspace())
            .decision;
        assert_eq!(decision.verdict, verdict);
    }
    let script = json!({
        "schema_id": "gait.gate.intent_request", "schema_version": "1.0.0", "created_at": "2026-11-23T09:00:00Z",
        "producer_version": "t", "tool_name": "script", "args": {}, "targets": [],
        "script": {"steps": [
            {"tool_name": "note", "args": {"text": "a"}, "arg_provenance": [{"arg_path": "text", "source": "user"}]},
            {"tool_name": "send", "args": {"to": [], "body": "password=hunter2!"}, "arg_provenance": [{"arg_path": "body", "source": "user"}]}]},
        "context": {"identity": "a", "workspace": "/ws", "risk_class": "low"}
    });
    let script = Intent::read(script.to_string().as_bytes()).unwrap();
    let state = gate.fresh_state();
    let request = Request {
        state: Some(&state),
        session: Some("s"),
        ..Request::intent(&script)
    };
    let steps = gate.decide(&request, &mut gate.workspace()).decision.steps;
    let verdicts: Vec<Verdict> = steps.iter().map(|step| step.decision.verdict).collect();
    assert_eq!(verdicts, [Verdict::Allow, Verdict::Block]);
}

#[test]
fn approvals_take_it_off_as_any_label() {
    let lifted = POLICY.replace(
        "role people",
        "declassify approved { from people } removes secret\nrole people",
    );
    let gate = gate(&lifted);
    let args = object(&json!({"to": [], "body": "password=hunter2!"}));
    let user = user();
    let approvals = [gait::domain::Approval::just_given("ann@acme.com", 0)];
    for (approvals, verdict) in [(&approvals[..], Verdict::Allow), (&[], Verdict::Block)] {
        let request = Request {
            origins: Some(&user),
            approvals,
            now: Some(1),
            ..Request::call("send", &args)
        };
        assert_eq!(
            gate.decide(&request, &mut gate.workspace()).decision.verdict,
            verdict
        );
    }
}

#[test]
fn a_program_says_it_and_one_that_does_not_is_as_it_was() {
    let program = |policy: &str| compile::lower(&compile::check("p.gaitpol", policy).checked.unwrap());
    let asked = program(POLICY);
    assert_eq!(ir::decode(&ir::encode(&asked)).unwrap(), asked);
    assert_ne!(asked.labels.detected, 0);
    let silent = program(&POLICY.replace("source detected => { secret, restricted }\n", ""));
    assert_eq!(silent.labels.detected, 0);
    let (a, b) = (ir::encode(&asked), ir::encode(&silent));
    assert!(
        a.len() > b.len() && a.len() < b.len() + 8,
        "{} {}",
        a.len(),
        b.len()
    );
}

#[test]
fn analyses_know_that_any_value_may_hold_one() {
    let asserting = |policy: &str, assertion: &str| {
        let at = Folder::new();
        at.write("p.gaitpol", format!("{policy}\n{assertion}\n").as_bytes());
        let output = at.run(&["policy", "prove", "p.gaitpol"]);
        (output.status.code().unwrap(), crate::folder::shown(&output))
    };
    let held = "assert none on send when labels(carried) has secret verdict == block";
    let (exit, said) = asserting(POLICY, held);
    assert_eq!(exit, 0, "{said}");
    // Without the rule the assertion fails with a call that has a secret in it, and was judged.
    let loose = POLICY.replace(
        "rule leak on send when labels(carried) has secret block\n",
        "rule asks on note when labels(args.text) has secret block\n",
    );
    let (exit, said) = asserting(&loose, held);
    assert_ne!(exit, 0, "{said}");
    assert!(said.contains("password=Hunter2!"), "{said}");
}

#[test]
fn a_change_of_it_is_a_change_of_the_policy() {
    let at = Folder::new();
    at.write("old.gaitpol", POLICY.as_bytes());
    at.write(
        "new.gaitpol",
        POLICY
            .replace("source detected => { secret, restricted }\n", "")
            .as_bytes(),
    );
    let output = at.run(&["policy", "diff", "old.gaitpol", "new.gaitpol"]);
    let said = crate::folder::shown(&output);
    assert!(said.contains("loosened") || said.contains("source"), "{said}");
    at.write(
        "bad.gaitpol",
        POLICY.replace("source detected", "source detectd").as_bytes(),
    );
    let said = crate::folder::shown(&at.run(&["policy", "check", "bad.gaitpol"]));
    assert!(said.contains("did you mean `detected`?"), "{said}");
    at.write(
        "bad.gaitpol",
        POLICY
            .replace("source detected", "source detected from note")
            .as_bytes(),
    );
    let said = crate::folder::shown(&at.run(&["policy", "check", "bad.gaitpol"]));
    assert!(said.contains("does not come from a tool"), "{said}");
}

#[test]
fn its_table_is_in_every_trace() {
    let at = Folder::new();
    at.write("b.gaitbundle", &compiled(POLICY));
    let intent = json!({
        "schema_id": "gait.gate.intent_request", "schema_version": "1.0.0", "created_at": "2026-11-23T09:00:00Z",
        "producer_version": "t", "tool_name": "note", "args": {"text": "a"}, "targets": [],
        "context": {"identity": "a", "workspace": "/ws", "risk_class": "low"}
    });
    at.write("in.json", intent.to_string().as_bytes());
    at.json(
        &eval("in.json", &["--trace-out", "t.json", "--session", "s"]),
        0,
        "gate_eval",
    );
    assert_eq!(
        at.valid_trace("t.json")["secrets"],
        json!({"found": [], "table": 1})
    );
    let args = [
        "trace",
        "recompute",
        "t.json",
        "--bundle",
        "b.gaitbundle",
        "--intent",
        "in.json",
    ];
    at.json(&args, 0, "trace_recompute");
    let record = trace::verify(&at.read("t.json"), &trusted(), AT.parse().unwrap())
        .unwrap()
        .into_value();
    let other = gait::artifact::TraceRecord {
        secrets: Some(TraceSecrets {
            table: 2,
            found: Vec::new(),
            kept: false,
        }),
        ..record
    };
    at.write("t.json", trace::sign(&other, &key()).unwrap().as_bytes());
    let said = at.json(&args, 5, "trace_recompute");
    assert_eq!(said["traces"][0]["differences"][0]["member"], "secrets");
}
