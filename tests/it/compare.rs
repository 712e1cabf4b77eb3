//! Comparisons against judged calls: what is said to be the same of two random policies is the same for every random
//! call, and what is said to be different is so for the call that is shown, for the reason that is shown.

use crate::folder::Folder;
use crate::oracle::{args, condition, policy};
use gait::analysis::difference::What;
use gait::analysis::{Difference, Direction};
use gait::compare::compare;
use gait::compile::{self, Checked, Purpose, Texts};
use gait::hir::Case;
use gait::json;
use gait::suite::Runner;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Kinds with a call, kinds without one, tools that were too large.
static COUNTS: [AtomicUsize; 3] = [AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0)];

fn checked(text: &str) -> Option<Checked> {
    compile::check_with("p.gaitpol", text, &Texts::default(), Purpose::Author).checked
}

fn call(args: &str) -> Case {
    Case {
        at: Some(0),
        ..Case::call("t.one", json::parse(args.as_bytes()).unwrap_or(json::Json::Null))
    }
}

fn verdict() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["allow", "dry_run", "require_approval", "block"])
}

/// Whether conditions are written as a policy writes them.
fn is_language(condition: &str) -> bool {
    !["is like", "is from", "of some kind", "in part", "any number", "…"]
        .iter()
        .any(|not| condition.contains(not))
}

fn same_verdicts(
    difference: &Difference,
    [old, new]: [&Checked; 2],
    calls: &[String],
) -> Result<(), TestCaseError> {
    let mut runners = [Runner::new(old), Runner::new(new)];
    for args in calls {
        let [before, after] = &mut runners;
        let (before, after) = (
            before.judge(&call(args)).decision,
            after.judge(&call(args)).decision,
        );
        let tool = difference.tools.iter().find(|tool| tool.tool == "t.one");
        if before.verdict != after.verdict {
            let said = tool.is_some_and(|tool| {
                let is = |what: &What| *what == What::Verdict(before.verdict, after.verdict);
                tool.too_large || tool.changes.iter().any(|change| is(&change.what))
            });
            prop_assert!(said, "{} -> {} of {args}", before.verdict, after.verdict);
        } else if before.reason_codes != after.reason_codes {
            let said = tool.is_some_and(|tool| {
                tool.too_large
                    || tool
                        .changes
                        .iter()
                        .any(|change| matches!(change.what, What::Codes(..)))
            });
            prop_assert!(said, "codes of {args}");
        }
    }
    Ok(())
}

/// What is shown is so, and for the reason that is shown.
fn shown_is_so(difference: &Difference, new: &Checked, text: &str) -> Result<(), TestCaseError> {
    for tool in &difference.tools {
        COUNTS[2].fetch_add(usize::from(tool.too_large), Ordering::Relaxed);
        for change in &tool.changes {
            for kind in &change.kinds {
                let Some((call, [before, after])) = &kind.example else {
                    COUNTS[1].fetch_add(1, Ordering::Relaxed);
                    if std::env::var_os("GAIT_SHOW_OPEN").is_some() {
                        println!("open: {:?}", kind.conditions);
                    }
                    continue;
                };
                COUNTS[0].fetch_add(1, Ordering::Relaxed);
                if let What::Verdict(from, to) = change.what {
                    prop_assert_eq!((before.verdict, after.verdict), (from, to));
                }
                prop_assert_eq!(&Runner::new(new).judge(call).decision.reason_codes, &after.codes);
                if kind.conditions.is_empty() || !kind.conditions.iter().all(|c| is_language(c)) {
                    continue;
                }
                let all = kind.conditions.join(") and (");
                let with = format!("{text}\nrule shown on t.one when ({all}) allow\n");
                let report = compile::check_with("p.gaitpol", &with, &Texts::default(), Purpose::Author);
                let Some(checked) = &report.checked else {
                    return Err(TestCaseError::fail(format!("{:#?}\n{all}", report.diagnostics)));
                };
                let matched = Runner::new(checked).judge(call).decision.matched;
                let is_shown = matched.iter().any(|rule| rule.name == "shown");
                prop_assert!(is_shown, "{all}\n{:?}", call.args);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_is_not_said_is_the_same(
        policy in policy(),
        added in condition(),
        verdict in verdict(),
        taken in any::<bool>(),
        calls in prop::collection::vec(args(), 1..12),
    ) {
        let with = format!("{policy}rule added on t.one when {added} {verdict} code added\n");
        let (Some(less), Some(more)) = (checked(&policy), checked(&with)) else { return Ok(()) };
        let (old, new, text) = if taken { (&more, &less, &policy) } else { (&less, &more, &with) };
        let difference = compare(old, new);
        same_verdicts(&difference, [old, new], &calls)?;
        shown_is_so(&difference, new, text)?;
        let count = |at: usize| COUNTS[at].load(Ordering::Relaxed);
        println!("{} kinds with a call, {} without, {} tools too large", count(0), count(1), count(2));
    }

    #[test]
    fn a_policy_is_the_same_as_itself_in_any_order(policy in policy()) {
        let Some(one) = checked(&policy) else { return Ok(()) };
        prop_assert!(compare(&one, &one).tools.is_empty());
    }
}
