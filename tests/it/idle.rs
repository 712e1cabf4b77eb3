//! Rules that are said to change nothing, against judged calls: without them every random call of a random policy is
//! decided the same, and the comparison of both policies shows no call.

use crate::judged::{call, checked};
use crate::oracle::{args, condition, policy};
use gait::analysis::difference::What;
use gait::analysis::idle::{Idle, Kind, idle};
use gait::compare::compare;
use gait::compile::Checked;
use gait::domain::Decision;
use gait::suite::Runner;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rules that match nothing, are dead, are subsumed, and all.
static COUNTS: [AtomicUsize; 4] = [const { AtomicUsize::new(0) }; 4];

/// The policy without some rules, each of which is a line.
fn without(text: &str, rules: &[&str]) -> String {
    let mut out = String::new();
    for line in text.lines() {
        if rules
            .iter()
            .any(|rule| line.starts_with(&format!("rule {rule} ")))
        {
            continue;
        }
        let kept = rules.iter().fold(line.to_owned(), |line, rule| {
            line.replace(&format!(" refines {rule} "), " ")
        });
        out.push_str(&kept);
        out.push('\n');
    }
    out
}

/// A rule, and one that may say no more than it.
fn pair() -> impl Strategy<Value = String> {
    let pick = |s: &'static [&'static str]| prop::sample::select(s);
    let verdict = || pick(&["allow", "dry_run", "require_approval", "block"]);
    let say = || {
        pick(&[
            "code c",
            "code c",
            "",
            "code c oblige log(warn)",
            "oblige log(debug), redact(args.s)",
        ])
    };
    let join = pick(&["and", "and", "or"]);
    (condition(), condition(), join, (verdict(), verdict(), any::<bool>()), say(), say()).prop_map(
        |(wide, also, join, (one, other, same), a, b)| {
            let other = if same { one } else { other };
            format!(
                "rule wide on t.one when {wide} {one} {a}\nrule narrow on t.one when ({wide}) {join} ({also}) {other} {b}\n"
            )
        },
    )
}

fn names<'c>(checked: &'c Checked, found: &[(usize, Idle)], is: impl Fn(&Idle) -> bool) -> Vec<&'c str> {
    let those = found.iter().filter(|(_, idle)| is(idle));
    those
        .map(|(rule, _)| checked.package().rules[*rule].name.as_str())
        .collect()
}

/// Both decisions, but for what names the rules.
fn same(full: &Decision, less: &Decision, codes: bool) -> Result<(), TestCaseError> {
    prop_assert_eq!(full.verdict, less.verdict);
    prop_assert_eq!(&full.approvals, &less.approvals);
    prop_assert_eq!(&full.obligations, &less.obligations);
    if codes {
        prop_assert_eq!(&full.reason_codes, &less.reason_codes);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn without_them_calls_are_decided_the_same(
        policy in policy(),
        pair in pair(),
        calls in prop::collection::vec(args(), 1..16),
    ) {
        let text = format!("{policy}{pair}");
        let Some(full) = checked(&text) else { return Ok(()) };
        let found = idle(full.package());
        let vacuous = names(&full, &found, |idle| idle.kind == Kind::Vacuous);
        let dead = names(&full, &found, |idle| idle.kind == Kind::Dead);
        let all = names(&full, &found, |idle| idle.kind != Kind::Vacuous);
        for (count, more) in COUNTS.iter().zip([
            vacuous.len(),
            dead.len(),
            all.len() - dead.len(),
            full.package().rules.len(),
        ]) {
            count.fetch_add(more, Ordering::Relaxed);
        }
        let judged = |checked: &Checked| -> Vec<Decision> {
            let mut runner = Runner::new(checked);
            calls.iter().map(|args| runner.judge(&call(args)).decision).collect()
        };
        let decisions = judged(&full);
        for decision in &decisions {
            prop_assert!(decision.matched.iter().all(|rule| !vacuous.contains(&rule.name.as_str())), "{text}");
        }
        for (rules, codes) in [(&dead, true), (&all, false)] {
            if rules.is_empty() {
                continue;
            }
            let shorter = without(&text, rules);
            let Some(less) = checked(&shorter) else { return Err(TestCaseError::fail(shorter)) };
            for (one, other) in decisions.iter().zip(judged(&less)) {
                same(one, &other, codes)?;
            }
            for tool in compare(&full, &less).tools {
                prop_assert!(!tool.too_large && tool.declared.is_empty());
                for change in tool.changes {
                    if matches!(change.what, What::Codes(..)) && !codes {
                        continue;
                    }
                    // Obligations that are joined and approvals that imply others are other words for the same.
                    let in_words = matches!(change.what, What::Obligations(..) | What::Approvals(..));
                    let is_shown = change.kinds.iter().any(|kind| kind.example.is_some());
                    prop_assert!(in_words && !is_shown, "{rules:?} {change:#?}\n{text}");
                }
            }
        }
        let count = |at: usize| COUNTS[at].load(Ordering::Relaxed);
        println!("{} vacuous, {} dead, {} subsumed of {} rules", count(0), count(1), count(2), count(3));
    }
}
