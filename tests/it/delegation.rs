//! Chains of delegation: from somebody who is known to who asks, each link for no more than the one before it, and nothing that anybody
//! makes up.

use crate::folder::{Folder, compiled, eval, shown, trusted};
use gait::artifact::delegation::{self, Delegation};
use gait::artifact::{Approvers, Digest, SigningKey, trace};
use gait::boundary::{Boundary, Moment};
use gait::delegation::Chain;
use gait::domain::Intent;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::OnceLock;

const POLICY: &str = r#"gaitpol 1
policy acme.desk
default block code none
context {
  fact identity from intent context.identity
  fact environment: String[max 40]?
  fact delegation: { requester_identity: String[max 512], token_refs: List[String[max 80], max 8] }?
}
tool crm.read { customer: String[max 40] }
tool crm.delete { customer: String[max 40] }
tool crm.pay { customer: String[max 40] }
rule reads on crm.read when present context.delegation allow
rule deletes on crm.delete allow
rule pays on crm.pay require_approval
"#;

fn key(name: &str) -> SigningKey {
    SigningKey::from_seed(&[name.as_bytes()[0]; 32])
}

fn intent(tool: &str, identity: &str, more: &str) -> Vec<u8> {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
        "producer_version":"t","tool_name":"{tool}","args":{{"customer":"c"}},"targets":[],
        "context":{{"identity":"{identity}","workspace":"/w","risk_class":"low"{more}}}}}"#
    )
    .into_bytes()
}

/// Ann may delegate; Bob may approve.
fn folder() -> Folder {
    let at = Folder::new();
    at.write("b.gaitbundle", &compiled(POLICY));
    for (name, tool) in [("read", "crm.read"), ("delete", "crm.delete"), ("pay", "crm.pay")] {
        at.write(&format!("{name}.json"), &intent(tool, "helper", ""));
    }
    for name in ["ann", "planner", "helper", "bob", "mallory"] {
        at.write_private(&format!("{name}.key"), &key(name).to_file());
        at.write(&format!("{name}.pub"), &key(name).verifying_key().to_file());
    }
    for (file, name) in [
        ("roots.json", "ann"),
        ("gait-trust.json", "bob"),
        ("gait-trust.json", "planner"),
    ] {
        let (principal, public) = (format!("{name}@acme.com"), format!("{name}.pub"));
        at.json(
            &[
                "trust",
                "add",
                "--file",
                file,
                "--principal",
                &principal,
                "--key",
                &public,
            ],
            0,
            "trust_add",
        );
    }
    at
}

/// A link as it should be, from one to another.
fn link(from: (&str, &str), to: (&str, &str), parent: Option<Digest>) -> Delegation {
    // All links of a test begin at one time.
    static NOW: OnceLock<Timestamp> = OnceLock::new();
    let now = *NOW.get_or_init(Timestamp::now);
    Delegation {
        delegator: from.0.to_owned(),
        key: key(from.1).id(),
        delegate: to.0.to_owned(),
        delegate_key: key(to.1).verifying_key(),
        tools: vec!["crm.*".to_owned()],
        environment: None,
        not_before: now - SignedDuration::from_mins(1),
        expires_at: now + SignedDuration::from_hours(1),
        depth: if parent.is_none() { 2 } else { 0 },
        parent,
        nonce: "0".repeat(64),
    }
}

/// Signs a link by the key of somebody, who need not be who it says.
fn write(at: &Folder, name: &str, link: &Delegation, signer: &str) -> Digest {
    let mut link = link.clone();
    link.key = key(signer).id();
    let (signed, digest) = delegation::sign(&link, &key(signer)).unwrap();
    at.write(name, signed.as_bytes());
    digest
}

fn judge(at: &Folder, name: &str, links: &[&str], more: &[&str], exit: i32) -> Value {
    let intent = format!("{name}.json");
    let links = links.iter().flat_map(|link| ["--delegation", link]);
    let mut args: Vec<&str> = eval(&intent, &["--delegators", "roots.json"]);
    args.extend(links.chain(more.iter().copied()));
    at.json(&args, exit, "gate_eval")
}

/// Deciding a trace again, with its intent.
fn recompute<'a>(trace: &'a str, intent: &'a str) -> [&'a str; 7] {
    [
        "trace",
        "recompute",
        trace,
        "--bundle",
        "b.gaitbundle",
        "--intent",
        intent,
    ]
}

/// Two links, handed over.
fn under([one, other]: [&str; 2]) -> [&str; 6] {
    [
        "--delegators",
        "roots.json",
        "--delegation",
        one,
        "--delegation",
        other,
    ]
}

#[test]
fn the_page_does_what_it_says() {
    let at = Folder::new();
    std::fs::remove_dir_all(at.path("gait-out")).unwrap();
    let printed = at.page(include_str!("../../docs/reference/delegation.md"));
    assert_eq!(printed.len(), 13);
}

const ANN: (&str, &str) = ("ann@acme.com", "ann");
const PLANNER: (&str, &str) = ("planner", "planner");
const HELPER: (&str, &str) = ("helper", "helper");

#[test]
fn a_chain_lets_its_last_one_call_what_it_is_for() {
    let at = folder();
    let first = write(&at, "first", &link(ANN, PLANNER, None), "ann");
    let second = write(&at, "second", &link(PLANNER, HELPER, Some(first)), "planner");
    // In whatever order.
    for links in [["first", "second"], ["second", "first"]] {
        let said = judge(&at, "read", &links, &[], 0);
        let record = at.valid_trace(said["trace_path"].as_str().unwrap());
        assert_eq!(
            record["delegated_with"],
            json!([first.to_string(), second.to_string()])
        );
        assert_eq!(record["facts"]["delegation"]["requester_identity"], "helper");
        let trace = said["trace_path"].as_str().unwrap();
        let again = recompute(trace, "read.json");
        let found = at.json(&again, 0, "trace_recompute");
        assert!(
            found["traces"][0]["believed"]
                .to_string()
                .contains("delegated_with")
        );
        let given = under(["second", "first"]);
        let found = at.json(&[&again[..], &given].concat(), 0, "trace_recompute");
        assert!(
            !found["traces"][0]["believed"]
                .to_string()
                .contains("delegated_with")
        );
        let short = ["--delegators", "roots.json", "--delegation", "first"];
        let found = at.json(&[&again[..], &short].concat(), 5, "trace_recompute");
        assert!(
            found["traces"][0]["differences"]
                .to_string()
                .contains("delegated_with")
        );
    }
    // Without it the rule does not match, and what the caller says of it counts for nothing.
    assert_eq!(judge(&at, "read", &[], &[], 3)["reason_codes"], json!(["none"]));
    let said = r#"},"delegation":{"requester_identity":"helper","chain":[]},"x":{"a":"b""#;
    at.write("said.json", &intent("crm.read", "helper", said));
    at.write(
        "facts.json",
        br#"{"delegation": {"requester_identity": "helper", "token_refs": []}}"#,
    );
    let both = judge(&at, "read", &["first", "second"], &["--facts", "facts.json"], 3);
    assert_eq!(
        both["reason_codes"],
        json!(["gait.delegation"]),
        "the host says it, too"
    );
}

/// What is wrong with a chain, and a part of why.
type Case<'c> = (
    &'c str,
    Box<dyn Fn(&mut Delegation, &mut Delegation) + 'c>,
    [&'c str; 2],
    &'c str,
);

#[test]
fn a_link_that_is_not_what_it_must_be_blocks_the_call() {
    let at = folder();
    let hour = SignedDuration::from_hours(1);
    let good = |_: &mut Delegation, _: &mut Delegation| {};
    let cases: [Case<'_>; 15] = [
        (
            "more tools",
            Box::new(|_, b| b.tools = vec!["*".into()]),
            ["ann", "planner"],
            "more tools",
        ),
        (
            "a tool of another group",
            Box::new(|_, b| b.tools = vec!["crmx.read".into()]),
            ["ann", "planner"],
            "more tools",
        ),
        (
            "longer",
            Box::new(move |_, b| b.expires_at += hour),
            ["ann", "planner"],
            "more time",
        ),
        (
            "earlier",
            Box::new(move |_, b| b.not_before -= hour),
            ["ann", "planner"],
            "more time",
        ),
        (
            "deeper",
            Box::new(|a, b| (a.depth, b.depth) = (1, 1)),
            ["ann", "planner"],
            "more links",
        ),
        (
            "may not be handed on",
            Box::new(|a, _| a.depth = 0),
            ["ann", "planner"],
            "more links",
        ),
        (
            "elsewhere",
            Box::new(|a, b| (a.environment, b.environment) = (Some("dev".into()), Some("prod".into()))),
            ["ann", "planner"],
            "more environments",
        ),
        (
            "everywhere",
            Box::new(|a, _| a.environment = Some("dev".into())),
            ["ann", "planner"],
            "more environments",
        ),
        (
            "by a stranger",
            Box::new(good),
            ["mallory", "planner"],
            "tokens is a first link",
        ),
        (
            "forged in the middle",
            Box::new(good),
            ["ann", "mallory"],
            "not trusted",
        ),
        (
            "by the delegate before",
            Box::new(good),
            ["ann", "ann"],
            "not trusted",
        ),
        (
            "in the name of somebody else",
            Box::new(|a, _| a.delegator = "bob@acme.com".into()),
            ["ann", "planner"],
            "in the name of bob@acme.com",
        ),
        (
            "handed on in another name",
            Box::new(|_, b| b.delegator = "ann@acme.com".into()),
            ["ann", "planner"],
            "in the name of ann@acme.com",
        ),
        (
            "the same person again",
            Box::new(|a, b| {
                (a.delegate, b.delegator, b.delegate) = ("x".into(), "x".into(), "ANN@acme.com".into())
            }),
            ["ann", "planner"],
            "in the chain twice",
        ),
        (
            "the same key again",
            Box::new(|_, b| b.delegate_key = key("ann").verifying_key()),
            ["ann", "planner"],
            "in the chain twice",
        ),
    ];
    for (number, (what, change, [one, two], why)) in cases.into_iter().enumerate() {
        let any = Some(gait::artifact::digest::sha256(b""));
        let (mut a, mut b) = (link(ANN, PLANNER, None), link(PLANNER, HELPER, any));
        change(&mut a, &mut b);
        let names = [format!("a{number}"), format!("b{number}")];
        b.parent = Some(write(&at, &names[0], &a, one));
        write(&at, &names[1], &b, two);
        let said = judge(&at, "delete", &[&names[0], &names[1]], &[], 3);
        assert_eq!(said["reason_codes"], json!(["gait.delegation"]), "{what}: {said}");
        assert!(said["detail"].as_str().unwrap().contains(why), "{what}: {said}");
        at.valid_trace(said["trace_path"].as_str().unwrap());
        let trace = said["trace_path"].as_str().unwrap();
        let again = recompute(trace, "delete.json");
        assert_eq!(at.run(&again).status.code(), Some(0), "{what}");
    }
}

#[test]
fn chains_are_whole_and_for_this_call() {
    let at = folder();
    let first = write(&at, "first", &link(ANN, PLANNER, None), "ann");
    let second = link(PLANNER, HELPER, Some(first));
    write(&at, "second", &second, "planner");
    let other = write(
        &at,
        "other",
        &Delegation {
            nonce: "1".repeat(64),
            ..link(ANN, PLANNER, None)
        },
        "ann",
    );
    write(
        &at,
        "of_other",
        &Delegation {
            parent: Some(other),
            ..second.clone()
        },
        "planner",
    );
    let reads = Delegation {
        tools: vec!["crm.read".into()],
        ..second.clone()
    };
    write(&at, "reads", &reads, "planner");
    write(
        &at,
        "dev",
        &Delegation {
            environment: Some("dev".into()),
            ..second.clone()
        },
        "planner",
    );
    let now = Timestamp::now();
    let over = Delegation {
        expires_at: now - SignedDuration::from_secs(1),
        ..second.clone()
    };
    write(&at, "over", &over, "planner");
    let early = Delegation {
        not_before: now + SignedDuration::from_mins(30),
        ..second
    };
    write(&at, "early", &early, "planner");
    at.write("cut", &at.read("second")[..200]);
    at.write("none", b"{}");
    at.write("else.json", &intent("crm.delete", "planner", ""));
    at.write(
        "prod.json",
        &intent("crm.delete", "helper", r#","environment":"prod""#),
    );
    at.write(
        "dev.json",
        &intent("crm.delete", "helper", r#","environment":"dev""#),
    );
    for (intent, links, why) in [
        ("delete", &["second"][..], "is not trusted"),
        ("delete", &["first"], "the last delegate is planner"),
        ("else", &["first", "second"], "the last delegate is helper"),
        ("delete", &["first", "second", "second"], "follow each other"),
        ("delete", &["first", "first"], "follow each other"),
        ("delete", &["first", "other", "second"], "first link"),
        ("delete", &["first", "of_other"], "follow each other"),
        (
            "delete",
            &["first", "reads"],
            "not among what is delegated: crm.read",
        ),
        ("delete", &["first", "dev"], "no fact says where the call is"),
        ("dev", &["first", "dev"], "no fact says where the call is"),
        ("prod", &["first", "dev"], "another environment"),
        ("delete", &["first", "over"], "is good from"),
        ("delete", &["first", "early"], "is good from"),
        ("delete", &["first", "cut"], ""),
        ("delete", &["first", "none"], ""),
        ("delete", &["first", "nowhere"], "does not exist"),
    ] {
        let said = judge(&at, intent, links, &[], 3);
        assert_eq!(
            said["reason_codes"],
            json!(["gait.delegation"]),
            "{links:?}: {said}"
        );
        assert!(
            said["detail"].as_str().unwrap().contains(why),
            "{links:?}: {said}"
        );
    }
    judge(&at, "delete", &["first", "second"], &[], 0);
    // A key that is revoked is in no chain, wherever it would stand.
    at.json(
        &[
            "trust",
            "add",
            "--file",
            "roots.json",
            "--principal",
            "p@acme.com",
            "--key",
            "planner.pub",
        ],
        0,
        "trust_add",
    );
    judge(&at, "delete", &["first", "second"], &[], 0);
    let kept = at.read("roots.json");
    let middle = key("planner").id().to_string();
    at.json(
        &["trust", "revoke", "--file", "roots.json", "--key", &middle],
        0,
        "trust_revoke",
    );
    let said = judge(&at, "delete", &["first", "second"], &[], 3);
    assert!(said["detail"].as_str().unwrap().contains("revoked"), "{said}");
    at.write("roots.json", &kept);
    // Revoked, it delegates nothing any more.
    let id = key("ann").id().to_string();
    at.json(
        &["trust", "revoke", "--file", "roots.json", "--key", &id],
        0,
        "trust_revoke",
    );
    let said = judge(&at, "delete", &["first", "second"], &[], 3);
    assert!(said["detail"].as_str().unwrap().contains("revoked"), "{said}");
}

#[test]
fn who_asks_and_where_is_what_facts_say() {
    let at = folder();
    let mut only_dev = link(ANN, HELPER, None);
    only_dev.environment = Some("dev".into());
    write(&at, "dev", &only_dev, "ann");
    at.write(
        "claimed.json",
        &intent("crm.delete", "helper", r#","environment":"dev""#),
    );
    at.write("facts.dev", br#"{"environment":"dev"}"#);
    at.write("facts.prod", br#"{"environment":"prod"}"#);
    for (name, facts, exit) in [
        ("delete", "facts.dev", 0),
        ("claimed", "facts.dev", 0),
        ("claimed", "facts.prod", 3),
    ] {
        let said = judge(&at, name, &["dev"], &["--facts", facts], exit);
        assert_eq!(
            said["reason_codes"] == json!(["gait.delegation"]),
            exit == 3,
            "{said}"
        );
    }
    // The policy believes the adapter where a call is.
    let of_adapter = "fact environment: String[max 40]? from intent context.environment";
    at.write(
        "b.gaitbundle",
        &compiled(&POLICY.replace("fact environment: String[max 40]?", of_adapter)),
    );
    judge(&at, "claimed", &["dev"], &[], 0);
    judge(&at, "delete", &["dev"], &[], 3);
    // Whom the host knows to ask is not whom the intent names.
    let of_host = "fact identity: String[max 80]";
    let policy = POLICY.replace("fact identity from intent context.identity", of_host);
    at.write("b.gaitbundle", &compiled(&policy));
    write(&at, "any", &link(ANN, HELPER, None), "ann");
    for (who, exit) in [("helper", 0), ("mallory", 3)] {
        at.write("who.json", format!(r#"{{"identity":"{who}"}}"#).as_bytes());
        let said = judge(&at, "delete", &["any"], &["--facts", "who.json"], exit);
        assert_eq!(
            said["reason_codes"] == json!(["gait.delegation"]),
            exit == 3,
            "{said}"
        );
    }
}

/// A trace of a call under a chain, made long ago.
fn long_ago(at: &Folder, then: Timestamp, chain: Option<Vec<u8>>) -> Vec<u8> {
    let roots = Approvers::parse(&at.read("roots.json")).unwrap();
    let chain = chain.map(|token| Chain::of(&[token], &roots, then, then).into());
    let mut boundary = Boundary::open(&at.read("b.gaitbundle"), &trusted(), then).unwrap();
    let moment = Moment {
        now: then,
        delegation: chain,
        keeps_intent: true,
        ..Moment::default()
    };
    let asked = Intent::read(&intent("crm.read", "planner", "")).unwrap();
    let recorded = boundary.judge(&asked, &moment, &crate::folder::key()).unwrap();
    recorded.trace.as_bytes().to_vec()
}

#[test]
fn what_was_allowed_is_proved_when_the_chain_is_over_and_its_key_revoked() {
    let at = folder();
    let then: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let mut token = link(ANN, PLANNER, None);
    (token.not_before, token.expires_at) = (then, then + SignedDuration::from_secs(1));
    write(&at, "token", &token, "ann");
    write(&at, "later", &link(ANN, PLANNER, None), "ann");
    at.write("with.trace", &long_ago(&at, then, Some(at.read("token"))));
    at.write("without.trace", &long_ago(&at, then, None));
    let over = long_ago(&at, then, Some(at.read("token")));
    assert_eq!(over, at.read("with.trace"), "the same bytes");
    let id = |bytes: &[u8]| {
        trace::verify(bytes, &trusted(), then)
            .unwrap()
            .value()
            .trace_id
            .clone()
    };
    // One call of one millisecond, under a chain, under one that is none, and under none: three events.
    let refused = long_ago(&at, then, Some(at.read("later")));
    let ids = [over, refused, at.read("without.trace")].map(|bytes| id(&bytes));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 3, "{ids:?}");
    let again = |roots: &str, exit: i32, schema: &str| {
        let mut args = vec!["trace", "recompute", "with.trace", "without.trace"];
        args.extend(["--bundle", "b.gaitbundle", "--delegators", roots]);
        args.extend(["--delegation", "token", "--delegation", "later"]);
        at.json(&args, exit, schema)
    };
    let found = again("roots.json", 0, "trace_recompute");
    assert_eq!(found["traces"][0]["verdict"], "allow");
    assert_eq!(found["traces"][1]["verdict"], "block");
    assert_eq!(found["traces"][0].get("delegator_revoked_at"), None);
    let believed = found["traces"][0]["believed"].to_string();
    assert!(!believed.contains("delegated_with"), "{believed}");
    // Revoked since: what was allowed was allowed, and it is said.
    let id = key("ann").id();
    let roots = || Approvers::parse(&at.read("roots.json")).unwrap();
    let second = SignedDuration::from_secs(1);
    let since = roots().revoking(id, then + second).unwrap();
    at.write("since.json", &since.to_file());
    let found = again("since.json", 0, "trace_recompute");
    assert_eq!(
        found["traces"][0]["delegator_revoked_at"],
        "2026-01-02T03:04:06.000Z"
    );
    assert_eq!(found["traces"][1].get("delegator_revoked_at"), None);
    // Revoked before, it began nothing.
    for before in [then, then - second] {
        at.write("before.json", &roots().revoking(id, before).unwrap().to_file());
        let found = again("before.json", 2, "error");
        assert_eq!(found["error"]["code"], "delegation.chain", "{found}");
    }
}

#[cfg(all(unix, feature = "serve"))]
#[test]
fn a_gateway_asks_for_its_chain_at_every_call() {
    use crate::daemon::Daemon;
    use crate::{mcp, mcp_serve};
    let Some(venv) = mcp::venv() else { return };
    let at = mcp::folder();
    at.write("ann.pub", &key("ann").verifying_key().to_file());
    let add = [
        "trust",
        "add",
        "--file",
        "roots.json",
        "--principal",
        ANN.0,
        "--key",
        "ann.pub",
    ];
    at.json(&add, 0, "trust_add");
    let mut token = link(ANN, HELPER, None);
    token.tools = vec!["git.git_status".to_owned()];
    let name = write(&at, "token", &token, "ann");
    let repo = at.path("repo").to_str().unwrap().to_owned();
    let calls = json!([
        ["git_status", {"repo_path": repo}],
        ["git_log", {"repo_path": repo, "max_count": 1}],
    ]);
    let ask = |who: &str, links: &[&str]| -> Vec<bool> {
        let mut more = vec!["--identity", who, "--delegators", "roots.json"];
        more.extend(links.iter().flat_map(|link| ["--delegation", link]));
        let found = mcp::through(&at, &venv, &more, &calls);
        let results = found["results"].as_array().unwrap().iter();
        results.map(|one| one["failed"].as_bool().unwrap()).collect()
    };
    assert_eq!(ask("helper", &[]), [false, false]);
    assert_eq!(ask("helper", &["token"]), [false, true]);
    assert_eq!(ask("planner", &["token"]), [true, true]);
    let of_chain = at.list("gait-out/traces").into_iter().filter(|file| {
        let record = at.valid_trace(&format!("gait-out/traces/{file}"));
        record["delegated_with"] == json!([name.to_string()])
    });
    assert_eq!(of_chain.count(), 4);
    // So it is before several servers.
    let server = venv.join("bin/mcp-server-git").to_str().unwrap().to_owned();
    let command = [server, "--repository".to_owned(), repo.clone()];
    let config = mcp_serve::config(&[("git", &command)], "identity = \"helper\"");
    at.write("gait.mcp.toml", config.as_bytes());
    let flags = ["--delegators", "roots.json", "--delegation", "token"];
    let mut command = at.command(&[&["mcp", "serve", "--json"], &flags[..]].concat());
    command.env("PATH", std::env::var_os("PATH").unwrap());
    let daemon = Daemon::that_says(&at, &mut command, "mcp_serve");
    let serve = [daemon.told("listening"), "legacy".to_owned()];
    let calls = calls.to_string().replace("git_", "git__git_");
    let calls: Value = serde_json::from_str(&calls).unwrap();
    let ask_all = || -> Vec<bool> {
        let found = mcp::client_with(&at.path(""), &venv, &serve, &[], &calls);
        let results = found["results"].as_array().unwrap().iter();
        results.map(|one| one["failed"].as_bool().unwrap()).collect()
    };
    assert_eq!(ask_all(), [false, true]);
    let id = key("ann").id().to_string();
    at.json(
        &["trust", "revoke", "--file", "roots.json", "--key", &id],
        0,
        "trust_revoke",
    );
    assert_eq!(ask("helper", &["token"]), [true, true]);
    // While it runs.
    assert_eq!(ask_all(), [true, true]);
    let misspelt = [
        "mcp",
        "proxy",
        "--bundle",
        "b.gaitbundle",
        "--server",
        "git",
        "--delegators",
        "rots.json",
    ];
    let output = at.run(&[&misspelt[..], &["--delegation", "token", "--", "true"]].concat());
    assert!(
        !output.status.success() && shown(&output).contains("rots.json"),
        "{}",
        shown(&output)
    );
}

#[test]
fn nobody_in_a_chain_approves_what_is_asked_under_it() {
    let at = folder();
    let first = write(&at, "first", &link(ANN, PLANNER, None), "ann");
    // The trust file of approvals has the planner's key under another name.
    write(&at, "second", &link(PLANNER, HELPER, Some(first)), "planner");
    let links = ["first", "second"];
    for (who, exit, standing) in [("planner", 4, "chain"), ("bob", 0, "counted")] {
        let trace = format!("{who}.trace");
        judge(&at, "pay", &links, &["--keep-intent", "--trace-out", &trace], 4);
        let (signer, out) = (format!("{who}.key"), format!("{who}.yes"));
        at.json(
            &["approve", &trace, "--key", &signer, "--yes", "--out", &out],
            0,
            "approve",
        );
        let more = ["--approvers", "gait-trust.json", "--approval", &out];
        let said = judge(&at, "pay", &links, &more, exit);
        assert_eq!(said["handed"][0]["standing"], standing, "{who}: {said}");
    }
    // Whose key it is said to be is somebody of the chain, too: no other key of theirs counts, either, and none is used up.
    for name in ["bob", "planner"] {
        let public = format!("{name}.pub");
        let add = [
            "trust",
            "add",
            "--file",
            "both.json",
            "--principal",
            "bob@acme.com",
            "--key",
            &public,
        ];
        at.json(&add, 0, "trust_add");
    }
    judge(
        &at,
        "pay",
        &links,
        &["--keep-intent", "--trace-out", "both.trace"],
        4,
    );
    for who in ["planner", "bob"] {
        let (signer, out) = (format!("{who}.key"), format!("{who}.both"));
        let approve = ["approve", "both.trace", "--key", &signer, "--yes", "--out", &out];
        at.json(&approve, 0, "approve");
    }
    let more = [
        "--approvers",
        "both.json",
        "--approval",
        "planner.both",
        "--approval",
        "bob.both",
    ];
    let said = judge(&at, "pay", &links, &more, 4);
    let mut standings: Vec<&str> = said["handed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["standing"].as_str().unwrap())
        .collect();
    standings.sort();
    assert_eq!(standings, ["chain", "chain"], "{said}");
    let record = at.valid_trace(said["trace_path"].as_str().unwrap());
    assert_eq!(record.get("approved_with"), None, "{record}");
}

#[test]
fn a_second_key_of_somebody_in_the_chain_approves_no_more_than_the_first() {
    let at = folder();
    let first = write(&at, "first", &link(ANN, PLANNER, None), "ann");
    write(&at, "second", &link(PLANNER, HELPER, Some(first)), "planner");
    // The planner, by another spelling of the name, has a key more.
    at.json(
        &[
            "trust",
            "add",
            "--principal",
            "PLANNER@acme.com",
            "--key",
            "mallory.pub",
        ],
        0,
        "trust_add",
    );
    let links = ["first", "second"];
    judge(
        &at,
        "pay",
        &links,
        &["--keep-intent", "--trace-out", "t.trace"],
        4,
    );
    for who in ["planner", "mallory"] {
        let (signer, out) = (format!("{who}.key"), format!("{who}.yes"));
        at.json(
            &["approve", "t.trace", "--key", &signer, "--yes", "--out", &out],
            0,
            "approve",
        );
    }
    let more = [
        "--approvers",
        "gait-trust.json",
        "--approval",
        "planner.yes",
        "--approval",
        "mallory.yes",
    ];
    let said = judge(&at, "pay", &links, &more, 4);
    let handed = said["handed"].as_array().unwrap().iter();
    let standings: Vec<&Value> = handed.map(|one| &one["standing"]).collect();
    assert_eq!(standings, ["chain", "chain"], "{said}");
}

#[test]
fn a_chain_is_over_before_its_permit_and_is_decided_again_later() {
    let at = folder();
    let soon = Timestamp::now() + SignedDuration::from_secs(2);
    let first = write(&at, "first", &link(ANN, PLANNER, None), "ann");
    let short = Delegation {
        expires_at: soon,
        ..link(PLANNER, HELPER, Some(first))
    };
    write(&at, "short", &short, "planner");
    let said = judge(&at, "delete", &["first", "short"], &["--permit-for", "1h"], 0);
    let until: Timestamp = said["permit_until"].as_str().unwrap().parse().unwrap();
    assert!(until <= soon, "{until} {soon}");
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    let trace = said["trace_path"].as_str().unwrap();
    let again = recompute(trace, "delete.json");
    let given = under(["short", "first"]);
    let found = at.json(&[&again[..], &given].concat(), 0, "trace_recompute");
    assert!(
        !found["traces"][0]["believed"]
            .to_string()
            .contains("delegated_with")
    );
    // One that was over is told again as one that was over.
    let said = judge(&at, "delete", &["first", "short"], &[], 3);
    let again = recompute(said["trace_path"].as_str().unwrap(), "delete.json");
    let args = [&again[..], &given].concat();
    at.json(&args, 0, "trace_recompute");
}

#[test]
fn who_asks_is_the_last_delegate_by_whatever_says_it() {
    let at = folder();
    let facts = POLICY.replace(
        "fact identity from intent context.identity",
        "fact identity: String[max 99]",
    );
    at.write("b.gaitbundle", &compiled(&facts));
    let first = write(&at, "first", &link(ANN, PLANNER, None), "ann");
    write(&at, "second", &link(PLANNER, HELPER, Some(first)), "planner");
    for (who, exit) in [("helper", 0), ("mallory", 3)] {
        at.write("facts.json", json!({ "identity": who }).to_string().as_bytes());
        judge(
            &at,
            "delete",
            &["first", "second"],
            &["--facts", "facts.json"],
            exit,
        );
    }
}

#[test]
fn limits_count_by_what_a_chain_says() {
    let at = folder();
    let limit = "limit few on crm.delete max 2 calls per 1h by context.delegation.requester_identity exceed block code too_many";
    let limited = format!("{POLICY}{limit}\n");
    let limited = limited.replace("max 8] }?", "max 8] }");
    let limited = limited.replace(
        "present context.delegation",
        "len(context.delegation.token_refs) > 0",
    );
    at.write("b.gaitbundle", &compiled(&limited));
    let first = write(&at, "first", &link(ANN, PLANNER, None), "ann");
    write(&at, "second", &link(PLANNER, HELPER, Some(first)), "planner");
    for (exit, code) in [(0, "deletes"), (0, "deletes"), (3, "too_many")] {
        let said = judge(&at, "delete", &["first", "second"], &[], exit);
        assert_eq!(said["reason_codes"], json!([code]));
    }
}

#[test]
fn what_is_handed_on_is_signed_by_who_has_it() {
    let at = folder();
    let delegate = |args: &str, exit: i32| -> Value {
        let args: Vec<&str> = std::iter::once("delegate").chain(args.split(' ')).collect();
        at.json(&args, exit, if exit == 0 { "delegate" } else { "error" })
    };
    delegate(
        "--from ann@acme.com --to planner --to-key planner.pub --tools crm.* --expires 2h --depth 1 --key ann.key --out one",
        0,
    );
    let two = delegate(
        "--parent one --to helper --to-key helper.pub --tools crm.read,crm.delete --expires 30d --key planner.key --out two",
        0,
    );
    let one: Value = serde_json::from_slice(&at.read("one")).unwrap();
    assert!(one["payload"].is_string());
    assert_eq!(
        (&two["delegator"], &two["tools"]),
        (&json!("planner"), &json!(["crm.delete", "crm.read"]))
    );
    judge(&at, "delete", &["one", "two"], &[], 0);
    for (args, code) in [
        (
            "--parent one --to helper --to-key helper.pub --tools crm.read --key mallory.key --out x",
            "delegate.parent",
        ),
        (
            "--parent two --to bob --to-key bob.pub --tools crm.read --key helper.key --out x",
            "delegate.parent",
        ),
        (
            "--to bob --to-key bob.pub --tools crm.read --key ann.key --out x",
            "usage.invalid",
        ),
        (
            "--from ann --to bob --to-key bob.pub --tools crm*read --key ann.key --out x",
            "usage.invalid",
        ),
        (
            "--from ann --to bob --to-key bob.pub --tools crm.read --expires 32d --key ann.key --out x",
            "delegate.expires",
        ),
        (
            "--parent one --to helper --to-key helper.pub --tools db.drop --key planner.key --out x",
            "delegate.wider",
        ),
        (
            "--parent one --to helper --to-key helper.pub --tools crm.read --depth 1 --key planner.key --out x",
            "delegate.wider",
        ),
        (
            "--from ann --to ANN --to-key bob.pub --tools crm.read --key ann.key --out x",
            "delegate.wider",
        ),
        (
            "--from ann --to bob --to-key ann.pub --tools crm.read --key ann.key --out x",
            "delegate.wider",
        ),
        (
            "--from ann --to bob --to-key bob.pub --tools crm.read --depth 8 --key ann.key --out x",
            "usage.invalid",
        ),
    ] {
        assert_eq!(delegate(args, 6)["error"]["code"], code, "{args}");
    }
    assert!(at.list(".").iter().all(|name| name != "x"));
    let verified = at.run(&["verify", "one", "--trust", "ann.pub"]);
    assert!(verified.status.success(), "{}", shown(&verified));
}

#[cfg(all(unix, feature = "serve"))]
#[test]
fn the_daemon_takes_links_with_a_call() {
    use crate::daemon::client::{Daemon, request};
    let at = folder();
    let first = write(&at, "first", &link(ANN, PLANNER, None), "ann");
    write(&at, "second", &link(PLANNER, HELPER, Some(first)), "planner");
    let [one, two] = ["first", "second"].map(|name| String::from_utf8(at.read(name)).unwrap());
    let daemon = Daemon::start(&at, &["--delegators", "roots.json"]);
    let with = |links: &str| {
        daemon.decide(&request(
            &at,
            "read.json",
            &format!(r#", "delegation": [{links}]"#),
        ))
    };
    assert_eq!(with(&format!("{two}, {one}"))["verdict"], "allow");
    assert_eq!(with("")["reason_codes"], json!(["none"]));
    assert_eq!(with(&two)["reason_codes"], json!(["gait.delegation"]));
    drop(daemon);
    let alone = Daemon::start(&at, &[]);
    let body = request(&at, "read.json", &format!(r#", "delegation": [{one}]"#));
    alone.refuses("POST", "/v1/decide", &body, (400, "request.no_delegators"));
}
