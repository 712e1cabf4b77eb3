//! Bundles that follow one another, as their users meet them: what loosens needs a second signature, and the gate finds out for
//! itself what does.

use crate::folder::{AT, Folder, shown};
use gait::artifact::SigningKey;
use serde_json::Value;

const POLICY: &str = r#"gaitpol 1
policy acme.pay @ "1"
default require_approval
tool pay { to: Email, amount: Decimal[2], memo: String[max 40]? }
rule small on pay when args.amount <= 500.00 and args.to.domain under "acme.com" allow
rule never on pay when args.to.domain under "evil.example" block
test "pay" { call pay { to: "ann@acme.com", amount: 1.00 } => allow }
"#;

const INTENT: &str = r#"{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
    "producer_version":"t","tool_name":"pay","args":{"to":"ann@acme.com","amount":"700.00"},"targets":[],
    "context":{"identity":"a","workspace":"/w","risk_class":"low"}}"#;

/// A folder with a second pair of keys and the first release.
fn folder() -> Folder {
    let at = Folder::new();
    let second = SigningKey::from_seed(&[8; 32]);
    at.write_private("second.private.json", &second.to_file());
    at.write("second.public.json", &second.verifying_key().to_file());
    at.write("pay.json", INTENT.as_bytes());
    release(&at, "v1", POLICY, 1, None);
    at
}

/// Compiles a release.
fn release(at: &Folder, name: &str, text: &str, epoch: u64, after: Option<&str>) -> Value {
    at.write(&format!("{name}/p.gaitpol"), text.as_bytes());
    let (file, out, epoch) = (
        format!("{name}/p.gaitpol"),
        format!("{name}.gaitbundle"),
        epoch.to_string(),
    );
    let mut args = vec!["policy", "compile", &file, "--out", &out, "--epoch", &epoch];
    let after = after.map(|after| format!("{after}.gaitbundle"));
    if let Some(after) = &after {
        args.extend(["--after", after]);
    }
    at.json(&args, 0, "policy_compile")
}

/// The arguments of a judgement by one bundle after `v1`.
fn eval<'a>(bundle: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = [
        "gate",
        "eval",
        "--bundle",
        bundle,
        "--predecessor",
        "v1.gaitbundle",
        "--intent",
        "pay.json",
        "--evaluation-time",
        AT,
    ];
    args.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn a_bundle_that_loosens_needs_a_second_signature() {
    let at = folder();
    let tight = release(&at, "v2", &POLICY.replace("500.00", "400.00"), 2, Some("v1"));
    assert_eq!(
        (&tight["after"]["loosened"], &tight["after"]["undecided"]),
        (&0.into(), &0.into())
    );
    at.json(&eval("v2.gaitbundle", &[]), 4, "gate_eval");

    let loose = release(&at, "v3", &POLICY.replace("500.00", "800.00"), 3, Some("v1"));
    assert_eq!(loose["after"]["loosened"], 1);
    let traces = at.list("gait-out/traces").len();
    at.fails(&eval("v3.gaitbundle", &[]), 2, "succession.loosens");
    at.fails(
        &eval("v3.gaitbundle", &["--cosigner", "second.public.json"]),
        2,
        "succession.loosens",
    );
    assert_eq!(
        at.list("gait-out/traces").len(),
        traces,
        "what is refused judges nothing"
    );

    let cosign = [
        "bundle",
        "cosign",
        "v3.gaitbundle",
        "--key",
        "second.private.json",
    ];
    let cosigned = at.json(&cosign, 0, "bundle_cosign");
    assert_eq!(cosigned["digest"], loose["digest"]);
    assert_eq!(cosigned["signers"].as_array().unwrap().len(), 2);
    let judged = at.json(
        &eval("v3.gaitbundle", &["--cosigner", "second.public.json"]),
        0,
        "gate_eval",
    );
    assert_eq!(judged["bundle_digest"], loose["digest"]);
    // Without its public key the second signature is a stranger's; with trust alone it is no cosigner's.
    at.fails(&eval("v3.gaitbundle", &[]), 2, "verify.key_unknown");
    let both = [
        "--trust",
        "gait-out/keys/gait.public.json",
        "--trust",
        "second.public.json",
    ];
    at.fails(&eval("v3.gaitbundle", &both), 2, "succession.loosens");
    at.fails(&[&cosign[..], &both].concat(), 6, "cosign.signed");
}

#[test]
fn what_a_manifest_says_of_the_change_can_be_checked() {
    let at = folder();
    release(&at, "v2", &POLICY.replace("500.00", "800.00"), 2, Some("v1"));
    release(
        &at,
        "v3",
        &POLICY.replace("500.00", "800.00").replace("\"1\"", "\"3\""),
        3,
        Some("v2"),
    );
    let verified = at.json(
        &["bundle", "verify", "v2.gaitbundle", "--after", "v1.gaitbundle"],
        0,
        "bundle_verify",
    );
    assert_eq!(verified["recompared"], true);
    assert_eq!(verified["after"]["loosened"], 1);
    let plain = at.run(&["bundle", "verify", "v2.gaitbundle", "--after", "v1.gaitbundle"]);
    assert!(
        shown(&plain).contains(": 1 difference loosened"),
        "{}",
        shown(&plain)
    );
    at.fails(
        &["bundle", "verify", "v3.gaitbundle", "--after", "v1.gaitbundle"],
        2,
        "reprove.after",
    );
    at.fails(
        &["bundle", "verify", "v1.gaitbundle", "--after", "v2.gaitbundle"],
        2,
        "succession.epoch",
    );
    let inspected = at.json(&["bundle", "inspect", "v2.gaitbundle"], 0, "bundle_inspect");
    assert_eq!(inspected["after"]["loosened"], 1);
    let plain = at.run(&["bundle", "inspect", "v3.gaitbundle"]);
    assert!(shown(&plain).contains(": loosens nothing"), "{}", shown(&plain));
    // A policy of another name follows nothing, and neither does an earlier release.
    at.write("q.gaitpol", POLICY.replace("acme.pay", "acme.paid").as_bytes());
    at.write("p.gaitpol", POLICY.as_bytes());
    for (args, code) in [
        (["q.gaitpol", "--epoch", "9"], "succession.policy"),
        (["p.gaitpol", "--epoch", "0"], "succession.epoch"),
    ] {
        let args = [&["policy", "compile", "--after", "v1.gaitbundle"][..], &args].concat();
        at.fails(&args, 6, code);
    }
}

/// What bundles count is what `gait policy diff` lists.
#[test]
fn loosened_is_counted_as_diff_lists_it() {
    let at = folder();
    at.write("before.gaitpol", POLICY.as_bytes());
    for (number, text) in [
        POLICY.to_owned(),
        POLICY.replace("500.00", "800.00"),
        POLICY.replace("evil.example", "evil.test"),
        POLICY.replace("amount: Decimal[2]", "amount: Decimal[2], cc: Email?"),
        POLICY.replace("default require_approval", "default block"),
        POLICY.replace("tool pay", "tool ask { q: String[max 10] }\ntool pay"),
        format!(
            "{POLICY}tool add {{ a: Int, of: List[Int, max 9] }}\n\
            rule no on add when (any n in args.of: n < args.a) and (all n in args.of: n > args.a) allow\n"
        ),
    ]
    .iter()
    .enumerate()
    {
        at.write("after.gaitpol", text.as_bytes());
        let listed = at.json(
            &["policy", "diff", "before.gaitpol", "after.gaitpol"],
            0,
            "policy_diff",
        );
        let listed = listed["differences"].as_array().unwrap().iter();
        let loosened: Vec<&Value> = listed.filter(|one| one["direction"] == "loosened").collect();
        let certain = loosened.iter().filter(|one| one["certain"] == true).count();
        let name = format!("n{number}");
        let after = release(&at, &name, text, 1, Some("v1"));
        let counted = (&after["after"]["loosened"], &after["after"]["undecided"]);
        let wanted = (&Value::from(certain), &Value::from(loosened.len() - certain));
        assert_eq!(counted, wanted, "{text}");
    }
}

/// A promise about an earlier policy is proved again from what the bundle holds.
#[test]
fn a_bundle_holds_the_policy_that_is_promised_about() {
    let at = folder();
    at.write(
        "p/old/1.gaitpol",
        POLICY
            .replace("default", "import \"sets.gaitpol\" as sets\ndefault")
            .replace("under \"evil.example\"", "in sets.evil")
            .as_bytes(),
    );
    at.write(
        "p/old/sets.gaitpol",
        b"gaitpol 1\nset evil: Host = { \"evil.example\" }\n",
    );
    let promise = "compat never_looser with \"old/1.gaitpol\" narrows\n";
    let broken = format!("{}{promise}", POLICY.replace("500.00", "800.00"));
    let kept = format!("{}{promise}", POLICY.replace("500.00", "400.00"));
    at.write("p/p.gaitpol", kept.as_bytes());
    assert_eq!(at.run(&["policy", "lock", "p/p.gaitpol"]).status.code(), Some(0));
    let compiled = at.json(&["policy", "compile", "p/p.gaitpol"], 0, "policy_compile");
    assert_eq!(compiled["proofs"], 1);
    let verify = ["bundle", "verify", "p/p.gaitbundle", "--reprove"];
    assert_eq!(at.json(&verify, 0, "bundle_verify")["reproved"], true);
    let inspected = at.json(&["bundle", "inspect", "p/p.gaitbundle"], 0, "bundle_inspect");
    assert_eq!(inspected["proofs"][0]["name"], "never_looser");
    let sources = inspected["sources"].as_array().unwrap().iter();
    let of = |name: &str| sources.clone().find(|source| source["name"] == name).unwrap()["kind"].clone();
    assert_eq!(
        [of("p.gaitpol"), of("old/1.gaitpol"), of("old/sets.gaitpol")],
        ["policy", "data", "data"]
    );
    let proved = at.json(&["policy", "prove", "p/p.gaitpol"], 0, "policy_prove");
    assert_eq!(proved["files"][0]["assertions"][0]["outcome"], "proved");

    at.write("p/p.gaitpol", broken.as_bytes());
    let refuted = at.json(&["policy", "prove", "p/p.gaitpol"], 6, "policy_prove");
    let one = &refuted["files"][0]["assertions"][0];
    assert_eq!(
        (&one["outcome"], &one["verdict"], &one["rules"][0]),
        (&"refuted".into(), &"allow".into(), &"small".into())
    );
    let amount: f64 = one["call"]["args"]["amount"]
        .to_string()
        .trim_matches('"')
        .parse()
        .unwrap();
    assert!(amount > 500.0 && amount <= 800.0, "{one}");
    let tests = at.run(&["policy", "compile", "p/p.gaitpol"]);
    assert_eq!(tests.status.code(), Some(6), "{}", shown(&tests));
    // Another text than the one that was locked is not what was promised about.
    at.write("p/p.gaitpol", kept.as_bytes());
    at.write("p/old/1.gaitpol", POLICY.as_bytes());
    at.fails(&["policy", "compile", "p/p.gaitpol"], 6, "policy.invalid");
}
