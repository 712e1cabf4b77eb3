//! Scripts: each step is judged as a call of its own, after whatever those before it may have come to.

use gait::domain::{Approval, Intent, Request, ScriptStep, Verdict};
use gait::gate::{Gate, Judged};
use gait::json::{self, Json};
use gait::{compile, limits};
use proptest::prelude::*;

use crate::folder::{AT, Folder, compiled, eval, shown};
use crate::oracle;

/// Reads, secrets, history by outcome and approvals.
const POLICY: &str = r#"gaitpol 1
policy acme.scripts
default block code none

label secret

role lead { "ann" }
role security { "eve" }

tool vault.read {
  key: String[max 20]
  returns secret
}

tool tests.run {}

tool fs.write { path: Path }

tool deploy { to: String[max 20] }

tool mail.send {
  to: Email
  body: String[max 99]
  carries body
}

rule all on * allow

rule leak on mail.send when labels(carried) has secret block

rule strangers on mail.send when labels(args.to) has untrusted require_approval { from security } code stranger

rule untested
  on deploy
  unless once(call tests.run result ok) since(call fs.write)
  require_approval { from lead }

rule root on fs.write when args.path under "/root" dry_run
"#;

fn gate(text: &str) -> Gate {
    let report = compile::check("p.gaitpol", text);
    let checked = report
        .checked
        .unwrap_or_else(|| panic!("{:?}", report.diagnostics));
    Gate::new(compile::lower(&checked))
}

fn step(tool: &str, args: &str) -> ScriptStep {
    ScriptStep {
        tool: tool.to_owned(),
        args: json::parse(args.as_bytes()).unwrap(),
        origins: None,
        said: Json::Object(Vec::new()),
    }
}

fn script<'r>(steps: &'r [ScriptStep], args: &'r Json) -> Request<'r> {
    Request {
        steps,
        ..Request::call("script", args)
    }
}

fn judge(gate: &Gate, request: &Request<'_>) -> Judged {
    gate.decide(request, &mut gate.workspace())
}

/// The verdict of a script, its codes, and the verdicts of its steps, in a new session.
fn verdicts(gate: &Gate, steps: &[ScriptStep]) -> (Verdict, Vec<String>, Vec<Verdict>) {
    let (nothing, state) = (Json::Object(Vec::new()), gate.fresh_state());
    let request = Request {
        state: Some(&state),
        ..script(steps, &nothing)
    };
    let decision = judge(gate, &request).decision;
    let each = decision.steps.iter().map(|s| s.decision.verdict).collect();
    (decision.verdict, decision.reason_codes, each)
}

#[test]
fn a_step_is_judged_after_what_the_earlier_ones_may_have_come_to() {
    use Verdict::{Allow, Block, DryRun, RequireApproval};
    let gate = gate(POLICY);
    let mail = || step("mail.send", r#"{"to":"a@acme.com","body":"x"}"#);
    let read = || step("vault.read", r#"{"key":"k"}"#);
    let write = |path: &str| step("fs.write", &format!(r#"{{"path":"{path}"}}"#));
    let tests = || step("tests.run", "{}");
    let deploy = || step("deploy", r#"{"to":"prod"}"#);
    for (name, steps, verdict, codes, each) in [
        ("one", vec![mail()], Allow, vec!["all"], vec![Allow]),
        (
            "secrets flow on",
            vec![read(), mail()],
            Block,
            vec!["leak"],
            vec![Allow, Block],
        ),
        (
            "not backwards",
            vec![mail(), read()],
            Allow,
            vec!["all"],
            vec![Allow, Allow],
        ),
        // The tests may fail, and then nothing is tested.
        (
            "outcomes",
            vec![tests(), deploy()],
            RequireApproval,
            vec!["untested"],
            vec![Allow, RequireApproval],
        ),
        (
            "max",
            vec![write("/root/x"), write("/a")],
            DryRun,
            vec!["root"],
            vec![DryRun, Allow],
        ),
        (
            "undeclared",
            vec![step("nope", "{}"), mail()],
            Block,
            vec!["gait.unknown_tool"],
            vec![Block, Allow],
        ),
        (
            "typed",
            vec![step("fs.write", "{}"), mail()],
            Block,
            vec!["gait.input_invalid"],
            // What the write came to is a tool's word.
            vec![Block, RequireApproval],
        ),
    ] {
        let codes: Vec<String> = codes.into_iter().map(str::to_owned).collect();
        assert_eq!(verdicts(&gate, &steps), (verdict, codes, each), "{name}");
    }
}

#[test]
fn an_earlier_success_in_the_session_still_counts() {
    let gate = gate(POLICY);
    let (nothing, fresh) = (Json::Object(Vec::new()), gate.fresh_state());
    let tested = judge(
        &gate,
        &Request {
            state: Some(&fresh),
            ..Request::call("tests.run", &nothing)
        },
    );
    let tested = tested.after.unwrap();
    let steps = [step("tests.run", "{}"), step("deploy", r#"{"to":"prod"}"#)];
    let request = Request {
        state: Some(&tested),
        ..script(&steps, &nothing)
    };
    let judged = judge(&gate, &request);
    assert_eq!(judged.decision.verdict, Verdict::Allow);
    // The session goes on as if the calls had run one by one.
    let mut state = tested.clone();
    for step in &steps {
        let request = Request {
            state: Some(&state),
            ..Request::call(&step.tool, &step.args)
        };
        state = judge(&gate, &request).after.unwrap();
    }
    assert_eq!(judged.after, Some(state));
}

/// Nobody keeps the session, and still what a step read does not leave in a later one.
#[test]
fn labels_flow_between_steps_without_a_session() {
    let gate = gate(&POLICY.replace("label secret\n", "label secret\n\nsource missing => {}\n"));
    let nothing = Json::Object(Vec::new());
    let mail = || step("mail.send", r#"{"to":"a@acme.com","body":"x"}"#);
    let decide = |steps: &[ScriptStep]| judge(&gate, &script(steps, &nothing)).decision;
    assert_eq!(decide(&[mail()]).verdict, Verdict::Allow);
    let both = decide(&[step("vault.read", r#"{"key":"k"}"#), mail()]);
    assert_eq!(both.reason_codes, ["leak"]);
}

#[test]
fn what_is_said_beside_the_steps_is_said_of_each() {
    let gate = gate(POLICY);
    let intent = |provenance: &str, own: &str| {
        let text = format!(
            r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-01-01T00:00:00Z",
            "producer_version":"1","tool_name":"script","args":{{}},"targets":[],{provenance}
            "context":{{"identity":"a","workspace":"/w","risk_class":"low"}},
            "script":{{"steps":[{{"tool_name":"mail.send","args":{{"to":"a@acme.com","body":"x"}}{own}}}]}}}}"#
        );
        let intent = Intent::read(text.as_bytes()).unwrap();
        let origins = gait::domain::ArgumentOrigin::of_intent(&intent.document);
        let request = Request {
            origins: origins.as_deref(),
            ..Request::intent(&intent)
        };
        judge(&gate, &request).decision.reason_codes
    };
    let said = |source: &str| format!(r#""arg_provenance":[{{"arg_path":"args.to","source":"{source}"}}]"#);
    let user = said("user");
    assert_eq!(intent(&format!("{user},"), ""), ["all"]);
    assert_eq!(intent("", &format!(",{user}")), ["all"]);
    assert_eq!(intent("", ""), ["stranger"]);
    // Both count.
    assert_eq!(
        intent(&format!("{},", said("external")), &format!(",{user}")),
        ["stranger"]
    );
}

#[test]
fn the_approvals_of_all_steps_are_asked_for() {
    let gate = gate(POLICY);
    let (nothing, state) = (Json::Object(Vec::new()), gate.fresh_state());
    let mut mail = step("mail.send", r#"{"to":"a@acme.com","body":"x"}"#);
    mail.origins = Some(Vec::new());
    let steps = [step("deploy", r#"{"to":"prod"}"#), mail];
    let approval = |by: &str| Approval {
        by: by.to_owned(),
        given_at: 0,
        expires_at: None,
        single_use: true,
        binds_args: true,
        binds_policy: true,
    };
    for (people, verdict) in [
        (&[][..], Verdict::RequireApproval),
        (&["ann"], Verdict::RequireApproval),
        (&["eve"], Verdict::RequireApproval),
        (&["ann", "eve"], Verdict::Allow),
    ] {
        let approvals: Vec<Approval> = people.iter().map(|by| approval(by)).collect();
        let intent = json::parse(br#"{"context":{"identity":"bob"}}"#).unwrap();
        let request = Request {
            intent: &intent,
            state: Some(&state),
            approvals: &approvals,
            now: Some(0),
            ..script(&steps, &nothing)
        };
        let judged = judge(&gate, &request);
        assert_eq!(judged.decision.verdict, verdict, "{people:?}");
        assert_eq!(judged.decision.reason_codes, ["stranger", "untested"]);
        let open = judged.decision.approvals.len();
        assert_eq!(open, if verdict == Verdict::Allow { 0 } else { 2 });
    }
}

/// A v1 intent of these steps.
fn document(steps: &[(&str, &str)]) -> String {
    let each = steps
        .iter()
        .map(|(tool, args)| format!(r#"{{"tool_name":"{tool}","args":{args}}}"#));
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-01-01T00:00:00Z",
        "producer_version":"1","tool_name":"script","args":{{}},"targets":[],
        "context":{{"identity":"bob","workspace":"/w","risk_class":"low"}},"script":{{"steps":[{}]}}}}"#,
        each.collect::<Vec<_>>().join(",")
    )
}

/// From the intent over the journal and the runpack to the regression, as processes.
#[test]
fn a_script_has_one_trace_that_is_recorded_and_judged_again() {
    let folder = Folder::new();
    folder.write("b.gaitbundle", &compiled(POLICY));
    let mail = ("mail.send", r#"{"to":"a@acme.com","body":"x"}"#);
    let read = ("vault.read", r#"{"key":"k"}"#);
    let write = ("fs.write", r#"{"path":"/w//a"}"#);
    folder.write("read.json", document(&[write, read]).as_bytes());
    folder.write("send.json", document(&[write, mail]).as_bytes());
    let session = ["--session", "s", "--evaluation-time", AT, "--explain"];
    let value = folder.json(&eval("read.json", &session), 0, "gate_eval");
    assert_eq!(value["tool"], "script");
    let args = &value["canonical_args"]["steps"];
    assert_eq!(args[0]["args"]["path"], "/w/a", "{value:#}");
    let steps = value["script"]["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[1]["tool"], "vault.read");
    assert!(steps[1]["call_digest"].is_string());
    assert_eq!(value["explanation"]["steps"][1]["rules"][0]["name"], "all");
    // The second script goes on where the first one ended.
    let value = folder.json(&eval("send.json", &session), 3, "gate_eval");
    assert_eq!(value["reason_codes"], serde_json::json!(["leak"]));
    assert_eq!(value["script"]["steps"][0]["verdict"], "allow");
    assert_eq!(value["script"]["steps"][1]["labels"][0]["labels"][0], "secret");
    folder.valid_trace(value["trace_path"].as_str().unwrap());
    let plain = folder.eval("send.json", &["--explain"]);
    let text = shown(&plain);
    for part in ["  step 1  allow fs.write (all)", "step 2: mail.send", "stranger"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    for args in [
        &["run", "record", "--session", "s", "--out", "s.zip"][..],
        &["regress", "bootstrap", "s.zip", "--out", "f"],
        &["run", "inspect", "s.zip"],
    ] {
        let output = folder.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}\n{}", shown(&output));
    }
    let run = ["regress", "run", "f", "--bundle", "b.gaitbundle"];
    folder.json(&run, 0, "regress_run");
    // The script is blocked as before, but its first step now is, too.
    let stricter = POLICY.replace(
        "rule root on",
        "rule none on fs.write block code leak\n\nrule root on",
    );
    folder.write("b.gaitbundle", &compiled(&stricter));
    let value = folder.json(&run, 5, "regress_run");
    assert_eq!(value["summary"]["sideways"], 1, "{value:#}");
    assert_eq!(value["summary"]["tightened"], 1, "{value:#}");
    let text = shown(&folder.run(&run));
    assert!(text.contains("step 1: allow (all), now block (leak)"), "{text}");
}

/// What a rule redacts is kept of no step, and judged again as far as that is possible.
#[test]
fn what_a_step_redacts_is_not_kept() {
    let folder = Folder::new();
    let policy = POLICY.replace(
        "rule all on * allow",
        "rule all on * allow\n\nrule quiet on vault.read allow oblige redact(args.key)",
    );
    folder.write("b.gaitbundle", &compiled(&policy));
    folder.write(
        "i.json",
        document(&[("tests.run", "{}"), ("vault.read", r#"{"key":"hunter2"}"#)]).as_bytes(),
    );
    let value = folder.json(
        &eval("i.json", &["--session", "s", "--evaluation-time", AT]),
        0,
        "gate_eval",
    );
    assert_eq!(value["script"]["steps"][1]["obligations"][0]["name"], "redact");
    folder.valid_trace(value["trace_path"].as_str().unwrap());
    let journal = String::from_utf8(folder.read("gait-out/sessions/s.jsonl")).unwrap();
    assert!(
        !journal.contains("hunter2") && journal.contains("[redacted]"),
        "{journal}"
    );
    for args in [
        &["run", "record", "--session", "s", "--out", "s.zip"][..],
        &["regress", "bootstrap", "s.zip", "--out", "f"],
        &["regress", "run", "f", "--bundle", "b.gaitbundle"],
    ] {
        let output = folder.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}\n{}", shown(&output));
    }
}

/// What the steps of a script cost of a limit adds up, within the script and with what was spent before.
#[test]
fn limits_count_every_step() {
    let gate = gate(
        "gaitpol 1\npolicy a\ndefault block\ntool t {}\nlimit few on t max 2 calls per session exceed block code over\nrule all on * allow\n",
    );
    let (nothing, state) = (Json::Object(Vec::new()), gate.fresh_state());
    for (before, steps, verdict) in [
        (0, 2, Verdict::Allow),
        (0, 3, Verdict::Block),
        (1, 2, Verdict::Block),
    ] {
        let steps: Vec<ScriptStep> = (0..steps).map(|_| step("t", "{}")).collect();
        let request = Request {
            state: Some(&state),
            session: Some("s"),
            now: Some(0),
            ..script(&steps, &nothing)
        };
        let charges = gate.charges(&request);
        assert_eq!((charges.len(), charges[0].amount), (1, steps.len() as i128));
        let usage = [(charges[0].counter.clone(), before)].into_iter().collect();
        let judged = judge(
            &gate,
            &Request {
                usage: Some(&usage),
                ..request
            },
        );
        assert_eq!(judged.decision.verdict, verdict, "{before} {steps:?}");
        assert_eq!(judged.charges, charges);
        assert_eq!(judged.decision.limits.len(), 1);
    }
}

/// Which of many steps succeed may matter in more ways than the gate follows; then it does not guess.
#[test]
fn too_many_possible_sessions_block() {
    let mut text = "gaitpol 1\npolicy a\ndefault block\n".to_owned();
    for tool in 0..8 {
        text += &format!(
            "tool t{tool} {{}}\nrule r{tool} on t{tool} when once(call t{tool} result ok) dry_run\n"
        );
    }
    text += "rule all on * allow\n";
    let gate = gate(&text);
    let steps = |n: usize| (0..n).map(|t| step(&format!("t{t}"), "{}")).collect::<Vec<_>>();
    // Six steps lead to 2^6 sessions, seven to twice as many.
    assert_eq!(verdicts(&gate, &steps(7)).0, Verdict::Allow);
    let (verdict, codes, each) = verdicts(&gate, &steps(8));
    assert_eq!(
        (verdict, codes),
        (Verdict::Block, vec!["gait.script_uncertain".to_owned()])
    );
    assert_eq!(each.len(), 8);
    assert_eq!(each[6], Verdict::Allow);
}

#[test]
fn more_steps_than_the_bound_are_refused() {
    let gate = gate(POLICY);
    let steps: Vec<ScriptStep> = (0..=limits::SCRIPT_STEPS)
        .map(|_| step("tests.run", "{}"))
        .collect();
    assert_eq!(verdicts(&gate, &steps[1..]).0, Verdict::Allow);
    assert_eq!(verdicts(&gate, &steps).1, ["gait.input_invalid"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// A script of one step is that call; of more, it is as strict as the strictest, in whatever order where no history
    /// is asked about; and one more step never makes it milder.
    #[test]
    fn scripts_join_their_steps(text in oracle::policy(), calls in prop::collection::vec(oracle::args(), 1..5)) {
        let Some(checked) = compile::check("p.gaitpol", &text).checked else { return Ok(()) };
        let gate = Gate::new(compile::lower(&checked));
        let nothing = Json::Object(Vec::new());
        let mut steps = Vec::new();
        let (mut strictest, mut before) = (None, None);
        for call in &calls {
            let step = step("t.one", call);
            let single = judge(&gate, &Request::call("t.one", &step.args));
            let one = judge(&gate, &script(std::slice::from_ref(&step), &nothing));
            let mut decision = one.decision.clone();
            prop_assert_eq!(&decision.steps[0].decision, &single.decision);
            prop_assert_eq!(decision.detail.is_some(), single.decision.detail.is_some());
            decision.steps.clear();
            decision.detail.clone_from(&single.decision.detail);
            decision.labels.clone_from(&single.decision.labels);
            decision.obligations.clone_from(&single.decision.obligations);
            prop_assert_eq!(decision, single.decision.clone());
            steps.push(step);
            strictest = strictest.max(Some(single.decision.verdict));
            let whole = judge(&gate, &script(&steps, &nothing)).decision;
            prop_assert_eq!(Some(whole.verdict), strictest);
            prop_assert!(before <= Some(whole.verdict));
            before = Some(whole.verdict);
            let turned: Vec<ScriptStep> = steps.iter().rev().cloned().collect();
            let turned = judge(&gate, &script(&turned, &nothing)).decision;
            prop_assert_eq!(turned.verdict, whole.verdict);
            prop_assert_eq!(turned.reason_codes, whole.reason_codes);
            prop_assert_eq!(turned.matched, whole.matched);
            prop_assert_eq!(turned.approvals, whole.approvals);
        }
    }
}
