//! Labels that an adapter could lose by saying less, or something else: an empty list, another argument, a tool that
//! there is not, a session whose state nobody can read.

use gait::compile;
use gait::domain::{ArgumentOrigin, ArgumentSource, Request, State, Verdict};
use gait::gate::Gate;
use gait::json::{self, Json};

const POLICY: &str = r#"gaitpol 1
policy t.launder
default block code none
label secret
tool vault.read { key: String[max 9], returns secret }
tool web.get { url: Url, effect net.read to url.host }
tool send { to: String[max 99], body: String[max 99], carries body, effect net.egress }
rule all on * allow
rule leak on send when labels(carried) has secret block
"#;

fn object(text: &str) -> Json {
    json::parse(text.as_bytes()).unwrap()
}

fn origin(path: &str, source: ArgumentSource, tool: Option<&str>) -> ArgumentOrigin {
    ArgumentOrigin {
        path: vec![path.to_owned()],
        source,
        tool: tool.map(str::to_owned),
        digest: None,
    }
}

#[test]
fn a_secret_that_was_read_is_not_lost_by_what_is_said() {
    let gate = Gate::new(compile::lower(
        &compile::check("p.gaitpol", POLICY).checked.unwrap(),
    ));
    let (read, send) = (object(r#"{"key":"k"}"#), object(r#"{"to":"a","body":"b"}"#));
    let fresh = gate.fresh_state();
    let first = Request {
        state: Some(&fresh),
        session: Some("s"),
        ..Request::call("vault.read", &read)
    };
    let after = gate.decide(&first, &mut gate.workspace()).after.unwrap();
    let verdict = |state: Option<&State>, origins: Option<&[ArgumentOrigin]>| {
        let request = Request {
            state,
            session: Some("s"),
            origins,
            ..Request::call("send", &send)
        };
        gate.decide(&request, &mut gate.workspace()).decision.verdict
    };
    let output = |tool| vec![origin("body", ArgumentSource::ToolOutput, tool)];
    let user = origin("to", ArgumentSource::User, None);
    let cases: &[(&str, Option<Vec<ArgumentOrigin>>)] = &[
        ("nothing", None),
        ("an empty list", Some(Vec::new())),
        ("another argument", Some(vec![user.clone()])),
        (
            "missing",
            Some(vec![origin("body", ArgumentSource::Missing, None)]),
        ),
        ("the tool", Some(output(Some("vault.read")))),
        ("some tool", Some(output(None))),
        ("a misspelt tool", Some(output(Some("vault.raed")))),
        ("a tool in capitals", Some(output(Some("Vault.read")))),
        ("a call id", Some(output(Some("call_17")))),
    ];
    for (name, origins) in cases {
        assert_eq!(
            verdict(Some(&after), origins.as_deref()),
            Verdict::Block,
            "{name}"
        );
        // The same in a session whose state is lost: it may have been anything.
        assert_eq!(
            verdict(None, origins.as_deref()),
            Verdict::Block,
            "{name}, state lost"
        );
    }
    // What is said to come from elsewhere does; and where nothing was read there is nothing to lose.
    let web = output(Some("web.get"));
    assert_eq!(verdict(Some(&after), Some(&web)), Verdict::Allow);
    assert_eq!(verdict(Some(&fresh), None), Verdict::Allow);
    assert_eq!(verdict(Some(&fresh), Some(&[user])), Verdict::Allow);
}
