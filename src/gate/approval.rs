//! Whether approvals are enough. In: what rules ask for, verified approvals, who asks, the time. Out: whose approvals
//! counted, or none where they are not enough. What is not known never counts for the call.

use crate::domain::{Approval, ApprovalSpec};
use crate::json::Json;
use std::collections::BTreeSet;

/// Who asks for a call, as principals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asking {
    /// Who asks; empty where nobody says.
    pub requester: Vec<String>,
    /// Everybody in the delegation.
    pub chain: Vec<String>,
}

impl Asking {
    /// Who asks, by an intent: its identity, and the delegation it stands in.
    pub fn of(intent: &Json) -> Asking {
        let text = |json: Option<&Json>| Some(json?.as_str()?.to_owned());
        let identity = intent.get("context").and_then(|context| context.get("identity"));
        let delegation = intent.get("delegation");
        let member = |name: &str| text(delegation.and_then(|d| d.get(name)));
        let links = delegation
            .and_then(|d| d.get("chain")?.as_array())
            .unwrap_or_default();
        let sides = links
            .iter()
            .flat_map(|link| ["delegator_identity", "delegate_identity"].map(|side| text(link.get(side))));
        Asking {
            requester: text(identity)
                .into_iter()
                .chain(member("requester_identity"))
                .collect(),
            chain: sides.flatten().collect(),
        }
    }
}

/// Whose approvals meet every spec at a time, sorted; `None` where they do not. Each spec is asked by itself, so one
/// person's approval may count for several. Without a spec nothing is asked, and nothing is enough.
pub fn satisfied(
    specs: &[ApprovalSpec],
    approvals: &[Approval],
    asking: &Asking,
    now: Option<i128>,
) -> Option<Vec<String>> {
    let mut by: BTreeSet<&str> = BTreeSet::new();
    for spec in specs {
        let mut counted: Vec<&Approval> = Vec::new();
        for approval in approvals {
            // The same approval handed over twice is one.
            if counts(approval, spec, asking, now) && !counted.contains(&approval) {
                counted.push(approval);
            }
        }
        let people: BTreeSet<&str> = counted.iter().map(|approval| approval.by.as_str()).collect();
        let count = if spec.distinct {
            people.len()
        } else {
            counted.len()
        };
        if count < spec.count as usize {
            return None;
        }
        by.extend(people);
    }
    (!specs.is_empty()).then(|| by.into_iter().map(str::to_owned).collect())
}

fn counts(approval: &Approval, spec: &ApprovalSpec, asking: &Asking, now: Option<i128>) -> bool {
    let among = |people: &[String]| people.contains(&approval.by);
    let whose = spec.from.as_ref().is_none_or(|role| among(&role.members));
    // Where nobody says who asks, it may be anybody.
    let requester = spec.excluding_requester && (asking.requester.is_empty() || among(&asking.requester));
    let chain = spec.excluding_chain && among(&asking.chain);
    whose
        && !requester
        && !chain
        && is_fresh(approval, spec.expires, now)
        && (approval.single_use || !spec.single_use)
        && (approval.binds_args || !spec.bind_args)
        && (approval.binds_policy || !spec.bind_policy)
}

/// Whether an approval is good now. Without a time, only one that never ends is.
fn is_fresh(approval: &Approval, within: Option<u64>, now: Option<i128>) -> bool {
    let Some(now) = now else {
        return within.is_none() && approval.expires_at.is_none();
    };
    approval.given_at <= now
        && approval.expires_at.is_none_or(|end| now < end)
        && within.is_none_or(|most| now.saturating_sub(approval.given_at) < i128::from(most))
}

#[cfg(test)]
mod tests {
    use super::{Asking, satisfied};
    use crate::domain::approval::Role;
    use crate::domain::{Approval, ApprovalSpec};
    use crate::json;
    use std::sync::Arc;

    fn finance(members: &[&str]) -> Option<Arc<Role>> {
        Some(Arc::new(Role {
            name: "finance".into(),
            members: members.iter().map(|m| (*m).into()).collect(),
        }))
    }

    fn given(by: &str, given_at: i128) -> Approval {
        Approval {
            by: by.into(),
            given_at,
            expires_at: None,
            single_use: false,
            binds_args: false,
            binds_policy: false,
        }
    }

    fn asking() -> Asking {
        Asking {
            requester: vec!["cid".into()],
            chain: vec!["dan".into()],
        }
    }

    #[test]
    fn people_count_once_in_time_and_never_for_themselves() {
        let spec = ApprovalSpec {
            from: finance(&["ann", "bob", "cid", "dan"]),
            count: 2,
            distinct: true,
            excluding_requester: true,
            excluding_chain: true,
            expires: Some(1_000),
            ..ApprovalSpec::default()
        };
        for (list, now, met) in [
            (&[("ann", 0), ("bob", 0)][..], Some(999), true),
            (&[("ann", 0), ("bob", 0)], Some(1_000), false),
            (&[("ann", 0), ("bob", 0)], None, false),
            (&[("ann", 0), ("ann", 5)], Some(10), false),
            (&[("ann", 0), ("cid", 0)], Some(10), false),
            (&[("ann", 0), ("dan", 0)], Some(10), false),
            (&[("ann", 0), ("eve", 0)], Some(10), false),
            // Given after the moment it is asked at.
            (&[("ann", 0), ("bob", 20)], Some(10), false),
            (&[], Some(10), false),
        ] {
            let list: Vec<Approval> = list.iter().map(|(by, at)| given(by, *at)).collect();
            let got = satisfied(std::slice::from_ref(&spec), &list, &asking(), now);
            assert_eq!(got.is_some(), met, "{list:?} at {now:?}");
            // Nobody knows who asks.
            let unknown = satisfied(std::slice::from_ref(&spec), &list, &Asking::default(), now);
            assert_eq!(unknown, None, "{list:?} at {now:?}");
        }
    }

    #[test]
    fn an_approval_that_is_handed_over_twice_is_one() {
        let spec = ApprovalSpec {
            count: 2,
            ..ApprovalSpec::default()
        };
        let met =
            |list: &[Approval]| satisfied(std::slice::from_ref(&spec), list, &asking(), Some(9)).is_some();
        assert!(!met(&[given("ann", 1), given("ann", 1)]));
        assert!(met(&[given("ann", 1), given("ann", 2)]));
    }

    #[test]
    fn an_approval_is_good_for_what_it_says() {
        let asked = |change: fn(&mut ApprovalSpec)| {
            let mut spec = ApprovalSpec::default();
            change(&mut spec);
            spec
        };
        let all = Approval {
            single_use: true,
            binds_args: true,
            binds_policy: true,
            ..given("ann", 1)
        };
        for spec in [
            asked(|s| s.single_use = true),
            asked(|s| s.bind_args = true),
            asked(|s| s.bind_policy = true),
        ] {
            let specs = std::slice::from_ref(&spec);
            assert_eq!(satisfied(specs, &[given("ann", 1)], &asking(), Some(9)), None);
            let by = satisfied(specs, std::slice::from_ref(&all), &asking(), Some(9));
            assert_eq!(by, Some(vec!["ann".to_owned()]));
        }
        let over = Approval {
            expires_at: Some(9),
            ..all
        };
        let anybody = [ApprovalSpec::default()];
        assert_eq!(
            satisfied(&anybody, std::slice::from_ref(&over), &asking(), Some(9)),
            None
        );
        assert!(satisfied(&anybody, &[over], &asking(), Some(8)).is_some());
    }

    #[test]
    fn every_spec_is_asked_and_none_is_never_enough() {
        let specs = [
            ApprovalSpec {
                from: finance(&["ann"]),
                ..ApprovalSpec::default()
            },
            ApprovalSpec {
                from: finance(&["ann", "eve"]),
                count: 2,
                ..ApprovalSpec::default()
            },
        ];
        let met = |list: &[Approval]| satisfied(&specs, list, &asking(), Some(9));
        assert_eq!(met(&[given("ann", 1)]), None);
        let by = met(&[given("eve", 1), given("ann", 1), given("zoe", 1)]);
        assert_eq!(by, Some(vec!["ann".to_owned(), "eve".to_owned()]));
        assert_eq!(satisfied(&[], &[given("ann", 1)], &asking(), Some(9)), None);
    }

    #[test]
    fn who_asks_stands_in_the_intent() {
        let intent = br#"{"context":{"identity":"a"},"delegation":{"requester_identity":"b",
            "chain":[{"delegator_identity":"b","delegate_identity":"c"}]}}"#;
        let asking = Asking::of(&json::parse(intent).unwrap());
        assert_eq!(asking.requester, ["a", "b"]);
        assert_eq!(asking.chain, ["b", "c"]);
    }
}
