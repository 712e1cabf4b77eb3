//! Proofs against judged calls: what is proved of a random policy holds of every random call, and what is refuted is
//! refuted by a call that the gate judges so.

use crate::folder::Folder;
use crate::judged::call;
use crate::oracle::{args, condition, policy};
use gait::analysis::Outcome;
use gait::compile::{self, Purpose, Texts};
use gait::hir::answer::holds;
use gait::ir;
use gait::prove;
use gait::suite::Runner;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Proved, refuted, neither.
static COUNTS: [AtomicUsize; 3] = [AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0)];

fn claim() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "verdict != allow",
        "verdict >= require_approval",
        "verdict == block",
        "verdict <= dry_run",
        "verdict != block",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn what_is_proved_holds_of_calls(
        policy in policy(),
        claims in prop::collection::vec((condition(), claim()), 1..5),
        calls in prop::collection::vec(args(), 1..12),
    ) {
        let mut text = policy;
        for (number, (condition, claim)) in claims.iter().enumerate() {
            text.push_str(&format!("assert a{number} on t.one when {condition} {claim}\n"));
        }
        let report = compile::check_with("p.gaitpol", &text, &Texts::default(), Purpose::Author);
        let Some(checked) = report.checked.clone() else { return Ok(()) };
        let proofs = prove::prove(&mut report.clone());
        let mut runner = Runner::with_assertions(&checked);
        let judged: Vec<_> = calls.iter().map(|args| runner.judge(&call(args))).collect();
        for (assertion, proof) in checked.package().assertions.iter().zip(&proofs) {
            let (_, cond) = &assertion.on[0];
            match &proof.outcome {
                Outcome::Holds => {
                    COUNTS[0].fetch_add(1, Ordering::Relaxed);
                    for (judged, args) in judged.iter().zip(&calls) {
                        let Some(record) = &judged.record else { continue };
                        prop_assert!(
                            !holds(cond, &[record]) || assertion.accepts(judged.decision.verdict),
                            "{} {args}\n{text}", proof.name
                        );
                    }
                }
                Outcome::Fails(call) => {
                    COUNTS[1].fetch_add(1, Ordering::Relaxed);
                    let judged = runner.judge(call);
                    let record = judged.record.unwrap();
                    prop_assert!(holds(cond, &[&record]) && !assertion.accepts(judged.decision.verdict));
                }
                Outcome::Declared(what) => prop_assert!(false, "an assertion declares nothing: {what}"),
                Outcome::Open(_) | Outcome::TooLarge(_) => {
                    COUNTS[2].fetch_add(1, Ordering::Relaxed);
                    if std::env::var_os("GAIT_SHOW_OPEN").is_some() {
                        println!("{:?}\n{text}", proof);
                    }
                }
            }
        }
        let count = |at: usize| COUNTS[at].load(Ordering::Relaxed);
        println!("{} proved, {} refuted, {} neither", count(0), count(1), count(2));
    }
}

/// Assertions as an author meets them.
const CLAIMS: &str = r#"gaitpol 1
policy acme.pay
default block
tool pay { to: Email, amount: Decimal[2], urgent: Bool }
rule us on pay when args.to.domain under "acme.com" and args.amount <= 500.00 allow
rule urgent on pay when args.urgent require_approval
assert strangers on pay unless args.to.domain under "acme.com" verdict != allow
assert only_the_firm on pay unless args.to.domain == "acme.com" verdict != allow
"#;

#[test]
fn prove_lists_them_with_the_call_that_refutes() {
    let at = Folder::new();
    at.write("p.gaitpol", CLAIMS.as_bytes());
    let found = at.json(&["policy", "prove", "p.gaitpol"], 6, "policy_prove");
    let all = &found["files"][0]["assertions"];
    assert_eq!(all[0]["outcome"], "proved");
    assert_eq!(
        (&all[1]["outcome"], &all[1]["verdict"]),
        (&"refuted".into(), &"allow".into())
    );
    assert_eq!(all[1]["rules"][0], "us");
    let to = all[1]["call"]["args"]["to"].as_str().unwrap();
    assert!(to.ends_with(".acme.com"), "{to}");
    assert_eq!(found["files"][0]["diagnostics"][0]["code"], "GP0701");
    // It does not compile, and nothing is written.
    at.write(
        "q.gaitpol",
        CLAIMS
            .replace(
                "only_the_firm on pay unless args.to.domain ==",
                "x on pay unless args.to.domain under",
            )
            .as_bytes(),
    );
    at.json(&["policy", "prove", "q.gaitpol"], 0, "policy_prove");
    at.json(&["policy", "check", "p.gaitpol"], 6, "policy_check");
    at.json(&["policy", "check", "q.gaitpol"], 0, "policy_check");
}

/// What only a claim asks for is no part of the program: no decision waits for it, and no session.
#[test]
fn an_assertion_changes_no_program() {
    const POLICY: &str = r#"gaitpol 1
policy acme.desk
default block
label secret
context { fact user: Email, fact limit: Int }
window office = mon..fri "08:00".."18:00" tz "Europe/Berlin"
tool vault.read { key: String[max 40], returns secret }
tool send { to: List[Email, max 5], n: Int, carries to }
rule seen on send when args.n > 1 and once(call vault.read) block
rule all on * allow
"#;
    let program = |claims: &str| {
        let report = compile::check("p.gaitpol", &format!("{POLICY}{claims}"));
        let checked = report
            .checked
            .unwrap_or_else(|| panic!("{claims}\n{:#?}", report.diagnostics));
        ir::encode(&compile::lower(&checked))
    };
    let plain = program("");
    for condition in [
        "args.n > 7",
        "once(call vault.read when args.key == \"k\")",
        "count(call send within 1h) > 3",
        "now in office",
        "labels(session) has secret",
        "any r in args.to: labels(r) has untrusted",
        "any r in args.to: r == context.user",
        "args.n < context.limit",
    ] {
        let claim = format!("assert a on send when {condition} verdict <= block\n");
        assert!(program(&claim) == plain, "{condition}");
    }
}

/// What a claim is named by: the same wherever and beside whatever it is written, another as soon as it says something else.
#[test]
fn a_claim_has_one_digest() {
    const POLICY: &str = r#"gaitpol 1
policy acme.desk
default block
label secret
context { fact user: Email, fact limit: Int }
window office = mon..fri "08:00".."18:00" tz "Europe/Berlin"
tool vault.read { key: String[max 40], returns secret }
tool send { to: List[Email, max 5], n: Int, carries to }
rule seen on send when args.n > 1 and once(call vault.read) block
rule all on vault.read allow
pred mine(n: Int) = n > 7
"#;
    let claims = |text: &str| -> Vec<(String, String)> {
        let report = compile::check("p.gaitpol", text);
        let checked = report
            .checked
            .unwrap_or_else(|| panic!("{text}\n{:#?}", report.diagnostics));
        let proofs = prove::proofs(&checked);
        proofs
            .iter()
            .map(|p| (p.name.clone(), p.claim().to_string()))
            .collect()
    };
    let conditions = [
        "args.n > 7",
        "args.n > 8",
        "once(call vault.read when args.key == \"k\")",
        "once(call vault.read when args.key == \"l\")",
        "not once(call vault.read when args.key == \"k\")",
        "once(call vault.read when args.key == \"k\") and count(call send when args.n < context.limit within 1h) > 3",
        "count(call send when args.n < context.limit within 2h) > 3",
        "count(call send within 1h) > 3",
        "now in office",
        "labels(session) has secret",
        "any r in args.to: labels(r) has untrusted",
        "any r in args.to: labels(r) has secret",
        "any r in args.to: r == context.user",
        "args.n < context.limit",
        "args.n <= context.limit",
    ];
    let line = |number: usize, condition: &str| {
        format!("assert a{number} on send when {condition} verdict <= block\n")
    };
    let all: Vec<String> = conditions.iter().enumerate().map(|(n, c)| line(n, c)).collect();
    let together = claims(&format!("{POLICY}{}", all.concat()));
    let digests: std::collections::BTreeSet<&String> = together.iter().map(|(_, digest)| digest).collect();
    assert_eq!(
        digests.len(),
        conditions.len(),
        "no two of them say the same: {together:#?}"
    );
    let reversed: String = all.iter().rev().cloned().collect();
    let mut reversed = claims(&format!("{POLICY}\n\n{reversed}"));
    reversed.reverse();
    assert_eq!(reversed, together);
    for (alone, of) in all.iter().zip(&together) {
        assert_eq!(
            claims(&format!("{POLICY}{alone}")),
            std::slice::from_ref(of),
            "{alone}"
        );
    }
    // Neither its name nor that of a predicate is part of it; tools and verdict are.
    let other = "assert b on send when mine(args.n) verdict <= block\nassert c on send when args.n > 7 verdict != block\n\
        assert d on * verdict <= block\nassert e on send verdict <= block\n";
    let other = claims(&format!("{POLICY}{other}"));
    assert_eq!(other[0].1, together[0].1);
    let different: std::collections::BTreeSet<&String> = other.iter().map(|(_, digest)| digest).collect();
    assert_eq!(different.len(), 4, "{other:#?}");
}
