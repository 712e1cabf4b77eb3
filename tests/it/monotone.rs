//! Labels against judged calls: where nothing is reported of a random policy, no call gets to run, or to be tried, for labels
//! that its argument has beside.

use crate::compare::{after_others, around};
use crate::judged::checked;
use gait::analysis::monotone;
use gait::domain::{ArgumentOrigin, ArgumentSource, Verdict};
use gait::hir::Case;
use gait::suite::Runner;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Policies of which nothing is reported, and others.
static COUNTS: [AtomicUsize; 2] = [AtomicUsize::new(0), AtomicUsize::new(0)];

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn a_label_more_loosens_nothing(
        policy in around(),
        calls in prop::collection::vec(after_others(), 1..12),
    ) {
        let Some(checked) = checked(&policy) else { return Err(TestCaseError::fail(policy)) };
        let mut found = Vec::new();
        monotone::check(checked.package(), &mut found);
        COUNTS[usize::from(!found.is_empty())].fetch_add(1, Ordering::Relaxed);
        if found.is_empty() {
            let mut runner = Runner::new(&checked);
            for call in calls {
                let plain = Case {
                    origins: Some(vec![ArgumentOrigin {
                        path: vec!["to".to_owned()],
                        source: ArgumentSource::User,
                        tool: None,
                        digest: None,
                    }]),
                    ..call.clone()
                };
                let [less, more] = [&plain, &call].map(|case| runner.judge(case).decision.verdict);
                prop_assert!(less <= more || more >= Verdict::RequireApproval, "{less} -> {more} of {call:?}\n{policy}");
            }
        }
        let count = |at: usize| COUNTS[at].load(Ordering::Relaxed);
        println!("{} policies without a report, {} with", count(0), count(1));
    }
}
