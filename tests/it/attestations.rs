//! Facts that somebody vouches for by signature: as good as who signed them, for whom and while they are good, and from nowhere else.

use crate::folder::{Folder, compiled, eval, key as gate_key, shown, trusted};
use gait::analysis::Direction;
use gait::artifact::attestation::{self, About, Attestation};
use gait::artifact::{Approvers, Digest, SigningKey};
use gait::attestation::Statements;
use gait::boundary::{Boundary, Moment};
use gait::compare;
use gait::compile;
use gait::domain::Intent;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const POLICY: &str = r#"gaitpol 1
policy acme.desk
default block code none
role runtimes { "sandboxd@acme.com" }
role registries { "registry@acme.com" }
context {
  fact identity from intent context.identity
  fact environment: String[max 40]?
  attested sandbox: { kind: enum { none, container }, network: Bool } by runtimes within 10m
  attested skill: String[max 40]? by registries within 1h
}
tool shell.run { cmd: String[max 40] }
tool crm.read { customer: String[max 40] }
tool crm.delete { customer: String[max 40] }
rule runs on shell.run when context.sandbox.kind == container and not context.sandbox.network allow
rule reads on crm.read allow
rule deletes on crm.delete when not present context.skill allow
"#;

fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(&[name.as_bytes()[0]; 32])
}

fn intent(tool: &str, argument: &str, more: &str) -> Vec<u8> {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
        "producer_version":"t","tool_name":"{tool}","args":{{"{argument}":"c"}},"targets":[],
        "context":{{"identity":"helper","workspace":"/w","risk_class":"low"{more}}}}}"#
    )
    .into_bytes()
}

/// The sandbox daemon, and a registry, may attest; mallory may not.
fn folder() -> Folder {
    let at = Folder::new();
    at.write("b.gaitbundle", &compiled(POLICY));
    at.write("run.json", &intent("shell.run", "cmd", ""));
    at.write("read.json", &intent("crm.read", "customer", ""));
    at.write("delete.json", &intent("crm.delete", "customer", ""));
    for name in ["sandboxd", "registry", "mallory"] {
        at.write_private(&format!("{name}.key"), &key(name).to_file());
        at.write(&format!("{name}.pub"), &key(name).verifying_key().to_file());
    }
    for name in ["sandboxd", "registry"] {
        let (principal, public) = (format!("{name}@acme.com"), format!("{name}.pub"));
        let add = [
            "trust",
            "add",
            "--file",
            "attestors.json",
            "--principal",
            &principal,
            "--key",
            &public,
        ];
        at.json(&add, 0, "trust_add");
    }
    at
}

/// A statement as it should be.
fn statement() -> Attestation {
    let now = Timestamp::now();
    Attestation {
        kind: "sandbox".to_owned(),
        about: About {
            identity: "helper".to_owned(),
            ..About::default()
        },
        body: gait::json::parse(br#"{"kind":"container","network":false}"#).unwrap(),
        issued_at: now - SignedDuration::from_secs(5),
        expires_at: now + SignedDuration::from_hours(1),
        key: key("sandboxd").id(),
        nonce: "0".repeat(64),
    }
}

/// The word of a registry on the skill in use.
fn skill() -> Attestation {
    Attestation {
        kind: "skill".to_owned(),
        body: gait::json::Json::str("cleaner"),
        ..statement()
    }
}

/// Signs a statement by the key of somebody.
fn write(at: &Folder, name: &str, statement: &Attestation, signer: &str) -> Digest {
    let mut statement = statement.clone();
    statement.key = key(signer).id();
    let (signed, digest) = attestation::sign(&statement, &key(signer)).unwrap();
    at.write(name, signed.as_bytes());
    digest
}

fn judge(at: &Folder, name: &str, statements: &[&str], more: &[&str], exit: i32) -> Value {
    let intent = format!("{name}.json");
    let statements = statements.iter().flat_map(|file| ["--attestation", file]);
    let mut args: Vec<&str> = eval(&intent, &["--attestors", "attestors.json"]);
    args.extend(statements.chain(more.iter().copied()));
    at.json(&args, exit, "gate_eval")
}

/// Deciding a trace again, with its intent.
fn recompute<'a>(trace: &'a str, intent: &'a str) -> [&'a str; 7] {
    let bundle = "b.gaitbundle";
    [
        "trace",
        "recompute",
        trace,
        "--bundle",
        bundle,
        "--intent",
        intent,
    ]
}

fn believed(found: &Value) -> String {
    found["traces"][0]["believed"].to_string()
}

#[test]
fn the_page_does_what_it_says() {
    let at = Folder::new();
    std::fs::remove_dir_all(at.path("gait-out")).unwrap();
    let printed = at.page(include_str!("../../docs/reference/attestations.md"));
    assert_eq!(printed.len(), 16);
}

#[test]
fn what_is_attested_is_a_fact() {
    let at = folder();
    let name = write(&at, "s", &statement(), "sandboxd");
    let said = judge(&at, "run", &["s"], &[], 0);
    let trace = said["trace_path"].as_str().unwrap();
    let record = at.valid_trace(trace);
    assert_eq!(
        record["attested_with"],
        json!([{ "kind": "sandbox", "digest": name.to_string() }])
    );
    assert_eq!(
        record["facts"]["sandbox"],
        json!({ "kind": "container", "network": false })
    );
    // Nobody vouches for it, and a tool that does not ask runs.
    assert_eq!(
        judge(&at, "run", &[], &[], 3)["reason_codes"],
        json!(["gait.fact_missing"])
    );
    judge(&at, "read", &[], &[], 0);
    // What is optional is absent where nobody vouches for it.
    judge(&at, "delete", &[], &[], 0);
    write(&at, "skill", &skill(), "registry");
    assert_eq!(
        judge(&at, "delete", &["skill"], &[], 3)["reason_codes"],
        json!(["none"])
    );
    judge(&at, "run", &["skill", "s"], &[], 0);
    // It says why, with the facts that were attested.
    let said = judge(&at, "run", &["s"], &["--explain"], 0);
    assert_eq!(said["explanation"]["rules"][0]["matched"], true, "{said}");
}

type Change<'c> = Box<dyn Fn(&mut Attestation) + 'c>;

/// What is wrong with a statement: the change, who signs, whose trust file, and a part of why.
type Case<'c> = (&'c str, Change<'c>, &'c str, &'c str);

#[test]
fn a_statement_that_does_not_hold_blocks_the_call() {
    let at = folder();
    let minutes = |n| SignedDuration::from_mins(n);
    let good = |_: &mut Attestation| {};
    let body = |text: &'static str| -> Change<'_> {
        Box::new(move |one| one.body = gait::json::parse(text.as_bytes()).unwrap())
    };
    let cases: Vec<Case<'_>> = vec![
        ("by a stranger", Box::new(good), "mallory", "is not trusted"),
        (
            "by who is in another role",
            Box::new(good),
            "registry",
            "who is not in role `runtimes`",
        ),
        (
            "too old for the policy",
            Box::new(move |one| one.issued_at -= minutes(10)),
            "sandboxd",
            "the policy takes it within 10m",
        ),
        (
            "over",
            Box::new(move |one| {
                (one.issued_at, one.expires_at) = (one.issued_at - minutes(2), one.issued_at - minutes(1))
            }),
            "sandboxd",
            "is attested from",
        ),
        (
            "early",
            Box::new(move |one| one.issued_at += minutes(5)),
            "sandboxd",
            "is attested from",
        ),
        (
            "about somebody else",
            Box::new(|one| one.about.identity = "planner".into()),
            "sandboxd",
            "is attested of planner, and helper asks",
        ),
        (
            "about another spelling of who asks",
            Box::new(|one| one.about.identity = "Helper".into()),
            "sandboxd",
            "is attested of Helper, and helper asks",
        ),
        (
            "for a session, and no host says which",
            Box::new(|one| one.about.session = Some("s1".into())),
            "sandboxd",
            "nobody who is trusted says which it is",
        ),
        (
            "for an environment, and no fact says which",
            Box::new(|one| one.about.environment = Some("dev".into())),
            "sandboxd",
            "nobody who is trusted says which it is",
        ),
        (
            "for a workspace that the caller alone says",
            Box::new(|one| one.about.workspace = Some("/w".into())),
            "sandboxd",
            "nobody who is trusted says which it is",
        ),
        (
            "for another workspace",
            Box::new(|one| one.about.workspace = Some("/x".into())),
            "sandboxd",
            "the call is for another one",
        ),
        (
            "of a kind that the policy has not",
            Box::new(|one| one.kind = "sandbx".into()),
            "sandboxd",
            "no `sandbx` attested, but `sandbox`",
        ),
        (
            "of a kind that is the host's to say",
            Box::new(|one| one.kind = "environment".into()),
            "sandboxd",
            "no `environment` attested",
        ),
        (
            "of another type",
            body(r#"{"kind":"container","network":"no"}"#),
            "sandboxd",
            "is none",
        ),
        (
            "with less",
            body(r#"{"kind":"container"}"#),
            "sandboxd",
            "is none",
        ),
        (
            "with more",
            body(r#"{"kind":"container","network":false,"x":1}"#),
            "sandboxd",
            "is none",
        ),
        ("of nothing", body("null"), "sandboxd", "is none"),
    ];
    for (number, (what, change, signer, why)) in cases.into_iter().enumerate() {
        let mut one = statement();
        change(&mut one);
        let name = format!("s{number}");
        write(&at, &name, &one, signer);
        // Whether a rule of the tool asks for it, or not.
        for intent in ["run", "read"] {
            let said = judge(&at, intent, &[&name], &[], 3);
            assert_eq!(
                said["reason_codes"],
                json!(["gait.attestation"]),
                "{what}: {said}"
            );
            assert!(said["detail"].as_str().unwrap().contains(why), "{what}: {said}");
            let trace = said["trace_path"].as_str().unwrap();
            let record = at.valid_trace(trace);
            assert_eq!(
                (record.get("attested_with"), record.get("facts")),
                (None, None),
                "{what}"
            );
            let intent = format!("{intent}.json");
            let again = recompute(trace, &intent);
            let given = ["--attestors", "attestors.json", "--attestation", &name];
            at.json(&again, 0, "trace_recompute");
            at.json(&[&again[..], &given].concat(), 0, "trace_recompute");
        }
    }
    // What says that nothing is there counts as little where the fact is optional, and a rule allows without.
    let mut null = skill();
    null.body = gait::json::Json::Null;
    write(&at, "null", &null, "registry");
    let said = judge(&at, "delete", &["null"], &[], 3);
    assert_eq!(said["reason_codes"], json!(["gait.attestation"]), "{said}");
}

#[test]
fn files_that_are_no_statements_block_the_call() {
    let at = folder();
    write(&at, "s", &statement(), "sandboxd");
    write(
        &at,
        "other",
        &Attestation {
            nonce: "1".repeat(64),
            ..statement()
        },
        "sandboxd",
    );
    write(&at, "skill", &skill(), "registry");
    at.write("cut", &at.read("s")[..200]);
    at.write("none", b"{}");
    // The body under the old signature.
    let text = String::from_utf8(at.read("s")).unwrap();
    let mut envelope: Value = serde_json::from_str(&text).unwrap();
    let payload = envelope["payload"].as_str().unwrap().to_owned();
    let other: Value = serde_json::from_slice(&at.read("other")).unwrap();
    envelope["payload"] = other["payload"].clone();
    let swapped = gait::artifact::jcs::to_vec(&gait::json::parse(envelope.to_string().as_bytes()).unwrap());
    assert_ne!(other["payload"].as_str().unwrap(), payload);
    at.write("swapped", &swapped);
    for (statements, why) in [
        (&["s", "other"][..], "`sandbox` is attested twice"),
        (&["s", "s"], "`sandbox` is attested twice"),
        (&["s", "cut"], ""),
        (&["none"], ""),
        (&["swapped"], "signature"),
        (&["skill", "nowhere"], "does not exist"),
        (&["s"; 17], "more than 16"),
    ] {
        let said = judge(&at, "run", statements, &[], 3);
        assert_eq!(
            said["reason_codes"],
            json!(["gait.attestation"]),
            "{statements:?}: {said}"
        );
        assert!(
            said["detail"].as_str().unwrap().contains(why),
            "{statements:?}: {said}"
        );
    }
    judge(&at, "run", &["s"], &[], 0);
    // A key that is revoked, or out of its time, attests nothing.
    let kept = at.read("attestors.json");
    let id = key("sandboxd").id();
    let known = || Approvers::parse(&kept).unwrap();
    at.write(
        "attestors.json",
        &known().revoking(id, Timestamp::now()).unwrap().to_file(),
    );
    let said = judge(&at, "run", &["s"], &[], 3);
    assert!(
        said["detail"].as_str().unwrap().contains("that is revoked"),
        "{said}"
    );
    let mut late = known().find(id).unwrap().clone();
    late.key.valid_until = Some(Timestamp::now() - SignedDuration::from_mins(1));
    at.write(
        "attestors.json",
        &Approvers::default().with(late).unwrap().to_file(),
    );
    let said = judge(&at, "run", &["s"], &[], 3);
    assert!(
        said["detail"].as_str().unwrap().contains("out of its time"),
        "{said}"
    );
    // Whoever may approve or delegate attests nothing by that.
    at.write("attestors.json", &Approvers::default().to_file());
    let said = judge(&at, "run", &["s"], &[], 3);
    assert!(
        said["detail"].as_str().unwrap().contains("is not trusted"),
        "{said}"
    );
}

#[test]
fn nobody_else_says_what_is_to_be_attested() {
    let at = folder();
    at.write(
        "facts.json",
        br#"{"sandbox":{"kind":"container","network":false}}"#,
    );
    at.write("dev.json", br#"{"environment":"dev"}"#);
    let said = judge(&at, "run", &[], &["--facts", "facts.json"], 3);
    assert_eq!(said["reason_codes"], json!(["gait.attestation"]), "{said}");
    assert!(
        said["detail"].as_str().unwrap().contains("hand over a statement"),
        "{said}"
    );
    let record = at.valid_trace(said["trace_path"].as_str().unwrap());
    assert_eq!(record.get("facts"), None, "{record}");
    at.json(
        &recompute(said["trace_path"].as_str().unwrap(), "run.json"),
        0,
        "trace_recompute",
    );
    // Beside a statement, and of what no rule of the tool asks.
    write(&at, "s", &statement(), "sandboxd");
    for intent in ["run", "read"] {
        let said = judge(&at, intent, &["s"], &["--facts", "facts.json"], 3);
        assert_eq!(said["reason_codes"], json!(["gait.attestation"]), "{said}");
    }
    judge(&at, "run", &["s"], &["--facts", "dev.json"], 0);
    // An intent is not asked.
    let claimed = r#","sandbox":{"network_mode":"disabled","filesystem_isolation":"container"}"#;
    at.write("claimed.json", &intent("shell.run", "cmd", claimed));
    let said = judge(&at, "claimed", &[], &[], 3);
    assert_eq!(said["reason_codes"], json!(["gait.fact_missing"]), "{said}");
    assert!(
        said["detail"]
            .as_str()
            .unwrap()
            .contains("nobody attests `sandbox`"),
        "{said}"
    );
}

#[test]
fn a_statement_is_about_what_it_names() {
    let at = folder();
    at.write("facts.dev", br#"{"environment":"dev"}"#);
    at.write("facts.prod", br#"{"environment":"prod"}"#);
    at.write(
        "elsewhere.json",
        &intent("shell.run", "cmd", r#","environment":"prod""#),
    );
    let about = |name: &str, change: fn(&mut About)| {
        let mut one = statement();
        change(&mut one.about);
        write(&at, name, &one, "sandboxd");
    };
    about("dev", |about| about.environment = Some("dev".into()));
    about("session", |about| about.session = Some("s1".into()));
    about("run", |about| about.run = Some("r1".into()));
    for (intent, file, more, exit) in [
        ("run", "dev", &["--facts", "facts.dev"][..], 0),
        ("run", "dev", &["--facts", "facts.prod"], 3),
        // What the caller says of it refuses a call.
        ("elsewhere", "dev", &["--facts", "facts.dev"], 3),
        ("run", "session", &["--session", "s1"], 0),
        ("run", "session", &["--session", "s2"], 3),
        ("run", "run", &["--run", "r1"], 0),
        ("run", "run", &["--run", "r2"], 3),
        ("run", "run", &[], 3),
    ] {
        let said = judge(&at, intent, &[file], more, exit);
        let is_refused = said["reason_codes"] == json!(["gait.attestation"]);
        assert_eq!(is_refused, exit == 3, "{intent} {file} {more:?}: {said}");
    }
    // Whom the host knows to ask is not whom the intent names.
    let of_host = "fact identity: String[max 80]";
    let policy = POLICY.replace("fact identity from intent context.identity", of_host);
    at.write("b.gaitbundle", &compiled(&policy));
    write(&at, "s", &statement(), "sandboxd");
    for (who, exit) in [("helper", 0), ("mallory", 3)] {
        at.write("who.json", format!(r#"{{"identity":"{who}"}}"#).as_bytes());
        judge(&at, "run", &["s"], &["--facts", "who.json"], exit);
    }
    // Nor is who somebody vouches for.
    let attested = "attested identity: String[max 80] by registries within 1h";
    let policy = POLICY.replace("fact identity from intent context.identity", attested);
    at.write("b.gaitbundle", &compiled(&policy));
    for (who, exit) in [("helper", 0), ("mallory", 3)] {
        let mut one = statement();
        (one.kind, one.body) = ("identity".to_owned(), gait::json::Json::str(who));
        write(&at, "who", &one, "registry");
        judge(&at, "run", &["s", "who"], &[], exit);
    }
}

#[test]
fn a_statement_is_over_before_its_permit() {
    let at = folder();
    let within = |until: &Value, end: Timestamp| {
        let until: Timestamp = until.as_str().unwrap().parse().unwrap();
        assert!(until <= end, "{until} {end}");
    };
    let now = Timestamp::now();
    let soon = Attestation {
        expires_at: now + SignedDuration::from_mins(5),
        ..statement()
    };
    write(&at, "soon", &soon, "sandboxd");
    let said = judge(&at, "run", &["soon"], &["--permit-for", "1h"], 0);
    within(&said["permit_until"], soon.expires_at);
    // It is too old for the policy before it is over.
    let old = Attestation {
        issued_at: now - SignedDuration::from_mins(8),
        ..statement()
    };
    write(&at, "old", &old, "sandboxd");
    let said = judge(&at, "run", &["old"], &["--permit-for", "1h"], 0);
    within(
        &said["permit_until"],
        old.issued_at + SignedDuration::from_mins(10),
    );
    let given = ["--attestors", "attestors.json", "--attestation", "old"];
    let again = recompute(said["trace_path"].as_str().unwrap(), "run.json");
    at.json(&[&again[..], &given].concat(), 0, "trace_recompute");
}

/// A trace of a call with statements, made long ago.
fn long_ago(at: &Folder, then: Timestamp, statements: &[&str]) -> Vec<u8> {
    let known = Approvers::parse(&at.read("attestors.json")).unwrap();
    let files: Vec<Vec<u8>> = statements.iter().map(|name| at.read(name)).collect();
    let attested = (!files.is_empty()).then(|| Statements::of(&files, &known, then, then).into());
    let mut boundary = Boundary::open(&at.read("b.gaitbundle"), &trusted(), then).unwrap();
    let moment = Moment {
        now: then,
        attested,
        keeps_intent: true,
        ..Moment::default()
    };
    let asked = Intent::read(&at.read("run.json")).unwrap();
    let recorded = boundary.judge(&asked, &moment, &gate_key()).unwrap();
    recorded.trace.as_bytes().to_vec()
}

#[test]
fn what_was_allowed_is_proved_when_the_statement_is_over_and_its_key_revoked() {
    let at = folder();
    let then: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let second = SignedDuration::from_secs(1);
    let mut one = statement();
    (one.issued_at, one.expires_at) = (then, then + second);
    write(&at, "s", &one, "sandboxd");
    write(&at, "later", &statement(), "sandboxd");
    at.write("with.trace", &long_ago(&at, then, &["s"]));
    at.write("without.trace", &long_ago(&at, then, &[]));
    let again = |trust: &str, statements: &[&str], exit: i32, schema: &str| {
        let mut args = vec!["trace", "recompute", "with.trace", "without.trace"];
        args.extend(["--bundle", "b.gaitbundle", "--attestors", trust]);
        args.extend(statements.iter().flat_map(|name| ["--attestation", name]));
        at.json(&args, exit, schema)
    };
    let found = again("attestors.json", &["s", "later"], 0, "trace_recompute");
    assert_eq!(found["traces"][0]["verdict"], "allow");
    assert_eq!(found["traces"][1]["verdict"], "block");
    assert!(!believed(&found).contains("attested_with"), "{found}");
    assert!(!believed(&found).contains("facts"), "{found}");
    assert_ne!(found["traces"][0]["trace_id"], found["traces"][1]["trace_id"]);
    // Without it, the trace alone vouches for it.
    let found = again("attestors.json", &[], 0, "trace_recompute");
    assert!(believed(&found).contains("attested_with"), "{found}");
    // Another one is not what the gate saw.
    let mut other = one.clone();
    other.nonce = "1".repeat(64);
    write(&at, "other", &other, "sandboxd");
    let found = again("attestors.json", &["other"], 5, "trace_recompute");
    assert!(
        found["traces"][0]["differences"]
            .to_string()
            .contains("attested_with")
    );
    again("attestors.json", &["later"], 2, "error");
    // Revoked since: what was allowed was allowed, and it is said.
    let id = key("sandboxd").id();
    let known = || Approvers::parse(&at.read("attestors.json")).unwrap();
    at.write(
        "since.json",
        &known().revoking(id, then + second).unwrap().to_file(),
    );
    let found = again("since.json", &["s"], 0, "trace_recompute");
    assert_eq!(
        found["traces"][0]["attestor_revoked_at"],
        "2026-01-02T03:04:06.000Z"
    );
    assert_eq!(found["traces"][1].get("attestor_revoked_at"), None);
    // Revoked before, it vouched for nothing.
    at.write("before.json", &known().revoking(id, then).unwrap().to_file());
    let found = again("before.json", &["s"], 2, "error");
    assert_eq!(found["error"]["code"], "attestation.refused", "{found}");
}

#[test]
fn a_trace_that_makes_up_an_attested_fact_is_found_out() {
    let at = folder();
    let then: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let mut one = statement();
    (one.issued_at, one.expires_at) = (then, then + SignedDuration::from_secs(1));
    write(&at, "s", &one, "sandboxd");
    let trace = long_ago(&at, then, &["s"]);
    let verified = gait::artifact::trace::verify(&trace, &trusted(), then).unwrap();
    // Its signer leaves out whose word it was.
    let mut record = verified.into_value();
    record.attested_with.clear();
    let forged = gait::artifact::envelope::sign(&record, &gate_key()).unwrap();
    at.write("forged.trace", forged.as_bytes());
    let found = at.json(&recompute("forged.trace", "run.json"), 5, "trace_recompute");
    assert!(
        found["traces"][0]["differences"]
            .to_string()
            .contains("gait.attestation"),
        "{found}"
    );
}

#[test]
fn who_may_attest_is_compared_between_policies() {
    let check = |text: &str| compile::check("p.gaitpol", text).checked.unwrap();
    let plain = |text: &str| {
        text.replace(
            "attested sandbox: { kind: enum { none, container }, network: Bool } by runtimes within 10m",
            "fact sandbox: { kind: enum { none, container }, network: Bool }",
        )
    };
    let more = POLICY.replace(
        "{ \"sandboxd@acme.com\" }",
        "{ \"sandboxd@acme.com\", \"bob@acme.com\" }",
    );
    let longer = POLICY.replace("by runtimes within 10m", "by runtimes within 20m");
    for (before, after, text, back) in [
        (
            POLICY,
            plain(POLICY),
            "was attested by `runtimes`, and is no more",
            "is attested by `runtimes`",
        ),
        (
            POLICY,
            more,
            "is attested by other people",
            "is attested by other people",
        ),
        (
            POLICY,
            longer,
            "is attested within 20m, was 10m",
            "is attested within 10m, was 20m",
        ),
    ] {
        let (before, after) = (check(before), check(&after));
        for (old, new, text, direction) in [
            (&before, &after, text, Direction::Loosened),
            (&after, &before, back, Direction::Tightened),
        ] {
            let found = compare::compare(old, new);
            let declared: Vec<_> = found
                .declared
                .iter()
                .map(|one| (one.direction, one.text.clone()))
                .collect();
            let is_it = |(way, said): &(Direction, String)| *way == direction && said.contains(text);
            assert!(declared.iter().any(is_it), "{text}: {declared:?}");
        }
    }
}

#[test]
fn whoever_attests_signs_what_is_one() {
    let at = folder();
    at.write("sandbox.body", br#"{"kind":"container","network":false}"#);
    at.write("null.body", b"null");
    at.write("twice.body", br#"{"kind":"none","kind":"container"}"#);
    let attest = |args: &str, exit: i32| -> Value {
        let args: Vec<&str> = std::iter::once("attest").chain(args.split(' ')).collect();
        at.json(&args, exit, if exit == 0 { "attest" } else { "error" })
    };
    let said = attest(
        "sandbox --body sandbox.body --about-identity helper --about-run r1 --expires 1h --key sandboxd.key --out s",
        0,
    );
    assert_eq!(said["about"], json!({ "identity": "helper", "run": "r1" }));
    judge(&at, "run", &["s"], &["--run", "r1"], 0);
    for (args, code) in [
        (
            "sandbox --body sandbox.body --key sandboxd.key --out x",
            "usage.invalid",
        ),
        (
            "sandbox --body nowhere --about-identity helper --key sandboxd.key --out x",
            "file.not_found",
        ),
        (
            "sandbox --body null.body --about-identity helper --key sandboxd.key --out x",
            "attest.body",
        ),
        (
            "sandbox --body twice.body --about-identity helper --key sandboxd.key --out x",
            "attest.body",
        ),
        (
            "sandbox --body sandbox.body --about-identity helper --expires 32d --key sandboxd.key --out x",
            "attest.expires",
        ),
    ] {
        assert_eq!(attest(args, 6)["error"]["code"], code, "{args}");
    }
    assert!(at.list(".").iter().all(|name| name != "x"));
    let verified = at.run(&["verify", "s", "--trust", "sandboxd.pub"]);
    assert!(verified.status.success(), "{}", shown(&verified));
}

#[cfg(all(unix, feature = "serve"))]
#[test]
fn the_daemon_takes_statements_with_a_call() {
    use crate::daemon::client::{Daemon, request};
    let at = folder();
    write(&at, "s", &statement(), "sandboxd");
    let one = String::from_utf8(at.read("s")).unwrap();
    let daemon = Daemon::start(&at, &["--attestors", "attestors.json"]);
    let with = |more: &str| daemon.decide(&request(&at, "run.json", more));
    let handed = format!(r#", "attestations": [{one}]"#);
    assert_eq!(with(&handed)["verdict"], "allow");
    assert_eq!(with("")["reason_codes"], json!(["gait.fact_missing"]));
    let facts = r#", "facts": {"sandbox": {"kind": "container", "network": false}}"#;
    assert_eq!(with(facts)["reason_codes"], json!(["gait.attestation"]));
    let twice = format!(r#", "attestations": [{one}, {one}]"#);
    assert_eq!(with(&twice)["reason_codes"], json!(["gait.attestation"]));
    // Whose key was revoked while it runs attests no more.
    let id = key("sandboxd").id().to_string();
    let revoke = ["trust", "revoke", "--file", "attestors.json", "--key", &id];
    at.json(&revoke, 0, "trust_revoke");
    assert_eq!(with(&handed)["reason_codes"], json!(["gait.attestation"]));
    drop(daemon);
    let alone = Daemon::start(&at, &[]);
    let body = request(&at, "run.json", &handed);
    alone.refuses("POST", "/v1/decide", &body, (400, "request.no_attestors"));
}

#[cfg(all(unix, feature = "serve"))]
#[test]
fn a_gateway_reads_its_statements_at_every_call() {
    use crate::daemon::Daemon;
    use crate::{mcp, mcp_serve};
    let Some(venv) = mcp::venv() else { return };
    let at = mcp::folder();
    at.write("sandboxd.pub", &key("sandboxd").verifying_key().to_file());
    let add = [
        "trust",
        "add",
        "--file",
        "attestors.json",
        "--principal",
        "sandboxd@acme.com",
        "--key",
        "sandboxd.pub",
    ];
    at.json(&add, 0, "trust_add");
    let policy = "gaitpol 1\npolicy acme.git\ndefault block code none\nrole runtimes { \"sandboxd@acme.com\" }\n\
        context { attested sandbox: { network: Bool } by runtimes within 10m }\ntool git.git_status { repo_path: Path }\n\
        rule look on git.git_status when not context.sandbox.network allow\n";
    at.write("b.gaitbundle", &compiled(policy));
    let sandbox = |network: &str| {
        let mut one = statement();
        one.body = gait::json::parse(format!(r#"{{"network":{network}}}"#).as_bytes()).unwrap();
        write(&at, "s", &one, "sandboxd");
    };
    let repo = at.path("repo").to_str().unwrap().to_owned();
    let calls = json!([["git_status", { "repo_path": repo }]]);
    let flags = ["--attestors", "attestors.json", "--attestation", "s"];
    let ask = |who: &str| -> Value {
        let more = [&["--identity", who], &flags[..]].concat();
        mcp::through(&at, &venv, &more, &calls)["results"][0]["failed"].clone()
    };
    sandbox("false");
    assert_eq!((ask("helper"), ask("planner")), (json!(false), json!(true)));
    // So it is before several servers, and while they run.
    let server = venv.join("bin/mcp-server-git").to_str().unwrap().to_owned();
    let command = [server, "--repository".to_owned(), repo.clone()];
    let config = mcp_serve::config(&[("git", &command)], "identity = \"helper\"");
    at.write("gait.mcp.toml", config.as_bytes());
    let mut command = at.command(&[&["mcp", "serve", "--json"], &flags[..]].concat());
    command.env("PATH", std::env::var_os("PATH").unwrap());
    let daemon = Daemon::that_says(&at, &mut command, "mcp_serve");
    let serve = [daemon.told("listening"), "legacy".to_owned()];
    let calls = json!([["git__git_status", { "repo_path": repo }]]);
    let ask = || -> Value {
        let found = mcp::client_with(&at.path(""), &venv, &serve, &[], &calls);
        found["results"][0]["failed"].clone()
    };
    assert_eq!(ask(), false);
    sandbox("true");
    assert_eq!(ask(), true);
    sandbox("false");
    assert_eq!(ask(), false);
    let id = key("sandboxd").id().to_string();
    let revoke = ["trust", "revoke", "--file", "attestors.json", "--key", &id];
    at.json(&revoke, 0, "trust_revoke");
    assert_eq!(ask(), true);
    drop(daemon);
    let misspelt = [
        "mcp",
        "proxy",
        "--bundle",
        "b.gaitbundle",
        "--server",
        "git",
        "--attestors",
        "atestors.json",
    ];
    let output = at.run(&[&misspelt[..], &["--attestation", "s", "--", "true"]].concat());
    assert!(
        !output.status.success() && shown(&output).contains("atestors.json"),
        "{}",
        shown(&output)
    );
}
