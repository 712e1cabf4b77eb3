//! Whether approvals are enough. In: what rules ask for, verified approvals, who asks, the time. Out: whose approvals
//! counted, or none where they are not enough. What is not known never counts for the call.

use crate::builtins::bind;
use crate::builtins::person::person;
use crate::domain::approval::{self, Role, Standing};
use crate::domain::{Approval, ApprovalSpec, Request};
use crate::ir::{ContextField, Program};
use crate::json::Json;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Who asks for a call, as principals. Only a fact says it; what the caller claims beside it can but name more people
/// whose approvals do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asking {
    /// Who asks; empty where nobody knows.
    pub requester: Vec<String>,
    /// Everybody in the delegation; `None` where nobody knows.
    pub chain: Option<Vec<String>>,
}

impl Asking {
    /// Who asks, by the facts of a program, and by the intent's identity and delegation.
    pub fn of(program: &Program, request: &Request<'_>) -> Asking {
        let mut asking = Asking::default();
        let known = |is: fn(&ContextField) -> bool| program.context.iter().filter(move |f| is(f));
        for field in known(|f| approval::says_who_asks(&f.field.name, f.trust, f.from.as_deref())) {
            match said(field, request) {
                Said::Value(Json::String(one)) if !person(&one).is_empty() => {
                    // Whoever approves may write the principal as it came, not as its type has it.
                    let as_it_came = text(found(field, request)).filter(|text| *text != one);
                    asking
                        .requester
                        .extend(std::iter::once(one.into()).chain(as_it_came));
                }
                Said::Value(_) | Said::Nothing | Said::Wrong => return Asking::default(),
            }
        }
        for field in known(|f| approval::says_the_chain(&f.field.name, f.trust, f.from.as_deref())) {
            let chain = asking.chain.get_or_insert_default();
            match said(field, request) {
                Said::Value(delegation) => chain.extend(links(&delegation)),
                Said::Nothing => {}
                Said::Wrong => return Asking::default(),
            }
        }
        let delegation = request.intent.get("delegation");
        if !asking.requester.is_empty() {
            let identity = request.intent.get("context").and_then(|c| c.get("identity"));
            let delegated = delegation.and_then(|d| d.get("requester_identity"));
            asking
                .requester
                .extend(text(identity).into_iter().chain(text(delegated)));
        }
        if let (Some(chain), Some(delegation)) = (&mut asking.chain, delegation) {
            chain.extend(links(delegation));
        }
        asking
    }

    /// The same people, however their principals are spelled.
    fn people(&self) -> Asking {
        let people = |of: &Vec<String>| of.iter().map(|one| person(one)).collect();
        Asking {
            requester: people(&self.requester),
            chain: self.chain.as_ref().map(people),
        }
    }
}

/// What a fact says.
enum Said {
    Value(Json),
    Nothing,
    /// No value of its type.
    Wrong,
}

fn found<'r>(field: &ContextField, request: &Request<'r>) -> Option<&'r Json> {
    match &field.from {
        None => request.fact(&field.field.name),
        Some(path) => path.iter().try_fold(request.intent, |at, step| at.get(step)),
    }
}

fn said(field: &ContextField, request: &Request<'_>) -> Said {
    match found(field, request) {
        None if field.field.ty.is_optional() => Said::Nothing,
        None => Said::Wrong,
        Some(json) => match bind::bind(json, &field.field.ty) {
            Ok(value) => Said::Value(bind::to_json(&value, &field.field.ty)),
            Err(_) => Said::Wrong,
        },
    }
}

fn text(json: Option<&Json>) -> Option<String> {
    Some(json?.as_str()?.to_owned())
}

/// Both sides of every link of a delegation.
fn links(delegation: &Json) -> Vec<String> {
    let links = delegation
        .get("chain")
        .and_then(Json::as_array)
        .unwrap_or_default();
    let sides = ["delegator_identity", "delegate_identity"];
    let sides = links
        .iter()
        .flat_map(|link| sides.map(|side| text(link.get(side))));
    sides.flatten().collect()
}

/// Whose approvals meet every spec at a time, sorted; `None` where they do not. Each spec is asked by itself, so one
/// person's approval may count for several. Without a spec nothing is asked, and nothing is enough. How a principal is
/// spelled matters for who is in a role, and neither for whom approvals are not to come from nor for how many people gave them.
pub fn satisfied(
    specs: &[ApprovalSpec],
    approvals: &[Approval],
    asking: &Asking,
    now: Option<i128>,
) -> Option<Vec<String>> {
    let asking = asking.people();
    let given: Vec<Given<'_>> = approvals.iter().map(Given::of).collect();
    let mut by: BTreeSet<&str> = BTreeSet::new();
    for spec in specs {
        let mut counted: Vec<&Given<'_>> = Vec::new();
        for one in &given {
            // The same approval handed over twice is one.
            if counts(one, spec, &asking, now) && !counted.iter().any(|known| known.approval == one.approval)
            {
                counted.push(one);
            }
        }
        let people: BTreeSet<&str> = counted.iter().map(|one| one.approval.by.as_str()).collect();
        let count = if spec.distinct {
            people.len()
        } else {
            counted.len()
        };
        if count < spec.count as usize {
            return None;
        }
        by.extend(counted.iter().map(|one| one.spelled));
    }
    (!specs.is_empty()).then(|| by.into_iter().map(str::to_owned).collect())
}

/// An approval that is handed over.
struct Given<'a> {
    /// By the person, not the principal.
    approval: Approval,
    /// The principal.
    spelled: &'a str,
}

impl<'a> Given<'a> {
    fn of(approval: &'a Approval) -> Given<'a> {
        let spelled = approval.by.as_str();
        let by = person(spelled);
        let approval = Approval {
            by,
            ..approval.clone()
        };
        Given { approval, spelled }
    }
}

/// What becomes of an approval where the others are not enough: whether it would count for what any spec asks, or why the
/// first does not take it.
pub fn standing(specs: &[ApprovalSpec], approval: &Approval, asking: &Asking, now: Option<i128>) -> Standing {
    let asking = asking.people();
    let given = Given::of(approval);
    let mut refusals = specs.iter().map(|spec| refusal(&given, spec, &asking, now));
    match refusals.next() {
        None => Standing::NotAsked,
        Some(None) => Standing::NotEnough,
        Some(Some(_)) if refusals.any(|refusal| refusal.is_none()) => Standing::NotEnough,
        Some(Some(first)) => first,
    }
}

/// Whether an approval counts; `asking` are people.
fn counts(given: &Given<'_>, spec: &ApprovalSpec, asking: &Asking, now: Option<i128>) -> bool {
    refusal(given, spec, asking, now).is_none()
}

/// Why an approval does not count; `asking` are people.
fn refusal(given: &Given<'_>, spec: &ApprovalSpec, asking: &Asking, now: Option<i128>) -> Option<Standing> {
    let approval = &given.approval;
    let among = |people: &[String]| people.contains(&approval.by);
    let is_member = |role: &Arc<Role>| role.members.iter().any(|member| member == given.spelled);
    let whose = spec.from.as_ref().is_none_or(is_member);
    // Where nobody knows who asks, it may be anybody.
    let requester = spec.excluding_requester && (asking.requester.is_empty() || among(&asking.requester));
    let chain = spec.excluding_chain && asking.chain.as_ref().is_none_or(|chain| among(chain));
    let bound = (approval.single_use || !spec.single_use)
        && (approval.binds_args || !spec.bind_args)
        && (approval.binds_policy || !spec.bind_policy);
    // Who is nobody approves nothing.
    let refusals = [
        (approval.by.is_empty() || !whose, Standing::NotFrom),
        (requester, Standing::Requester),
        (chain, Standing::Chain),
        (is_early(approval, now), Standing::Early),
        (!is_fresh(approval, spec.expires, now), Standing::Late),
        (!bound, Standing::OtherCall),
    ];
    let mut refusals = refusals.into_iter();
    refusals.find_map(|(is, why)| is.then_some(why))
}

fn is_early(approval: &Approval, now: Option<i128>) -> bool {
    now.is_some_and(|now| now < approval.given_at)
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
    use crate::domain::{Approval, ApprovalSpec, Request};
    use crate::{compile, json};
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
            chain: Some(vec!["dan".into()]),
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
    fn spelling_never_makes_two_people_of_one_nor_a_member_of_anybody() {
        let spec = |from: &[&str], count, distinct| ApprovalSpec {
            from: (!from.is_empty()).then(|| finance(from)).flatten(),
            count,
            distinct,
            excluding_requester: true,
            excluding_chain: true,
            ..ApprovalSpec::default()
        };
        let one = spec(&["ann@a.com"], 1, false);
        let two = spec(&["ann@a.com", "Ann@a.com", "ann@A.com", "bob@a.com"], 2, true);
        for (spec, requester, link, by, met) in [
            (&one, "cid", "dan", &["ann@a.com"][..], true),
            (&one, "ANN@a.com", "dan", &["ann@a.com"], false),
            (&one, "ann@A.com", "dan", &["ann@a.com"], false),
            (&one, "ann@a.com ", "dan", &["ann@a.com"], false),
            (&one, "\u{2003}ann@a.com", "dan", &["ann@a.com"], false),
            (&one, "cid", "Ann@A.com", &["ann@a.com"], false),
            (&one, "cid", " ann@a.com", &["ann@a.com"], false),
            // A role is of those it names.
            (&one, "cid", "dan", &["ANN@a.com"], false),
            (&one, "cid", "dan", &["ann@a.com "], false),
            (
                &two,
                "cid",
                "dan",
                &["ann@a.com", "Ann@a.com", "ann@A.com"],
                false,
            ),
            (&two, "cid", "dan", &["Ann@a.com", "bob@a.com"], true),
            (&two, "BOB@a.com", "dan", &["ann@a.com", "bob@a.com"], false),
            (
                &spec(&[], 2, true),
                "cid",
                "dan",
                &["ann@a.com", "ann@a.com "],
                false,
            ),
            // Of two approvals that one person gave at one moment, one counts.
            (
                &spec(&[], 2, false),
                "cid",
                "dan",
                &["ann@a.com", "ANN@a.com"],
                false,
            ),
            (&spec(&[], 1, false), "CID", "dan", &["cid"], false),
        ] {
            let asking = Asking {
                requester: vec![requester.into()],
                chain: Some(vec![link.into()]),
            };
            let list: Vec<Approval> = by.iter().map(|by| given(by, 1)).collect();
            let got = satisfied(std::slice::from_ref(spec), &list, &asking, Some(9));
            let expected = met.then(|| by.iter().map(|by| (*by).to_owned()).collect());
            assert_eq!(got, expected, "{requester:?} {link:?} {by:?}");
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
    fn a_fact_says_who_asks_and_claims_only_add() {
        let intent = br#"{"context":{"identity":"a"},"delegation":{"requester_identity":"b",
            "chain":[{"delegator_identity":"b","delegate_identity":"c"}]}}"#;
        let intent = json::parse(intent).unwrap();
        let strings = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let link = r#"{ chain: List[{ delegator_identity: String[max 9], delegate_identity: String[max 9] }, max 9]? }?"#;
        let delegation = format!("fact delegation: {link}");
        let chain = r#"{"delegation":{"chain":[{"delegator_identity":"x","delegate_identity":"y"}]}}"#;
        for (context, facts, requester, of_chain) in [
            // Claims alone say nothing.
            ("", "{}", &[][..], None),
            (
                "fact identity from intent context.identity",
                "{}",
                &["a", "a", "b"],
                None,
            ),
            (
                "fact caller: String[max 9] from intent context.identity",
                "{}",
                &["a", "a", "b"],
                None,
            ),
            (
                "fact identity: String[max 9]",
                r#"{"identity":"h"}"#,
                &["h", "a", "b"],
                None,
            ),
            (
                "fact identity: Email",
                r#"{"identity":"H@ACME.com"}"#,
                &["H@acme.com", "H@ACME.com", "a", "b"],
                None,
            ),
            // The host does not say, or says nonsense.
            ("fact identity: String[max 9]", r#"{"identity":" "}"#, &[], None),
            ("fact identity: String[max 9]?", "{}", &[], None),
            ("fact identity: String[max 9]", r#"{"identity":1}"#, &[], None),
            (&delegation, chain, &[], Some(&["x", "y", "b", "c"][..])),
            (&delegation, "{}", &[], Some(&["b", "c"])),
            (&delegation, r#"{"delegation":1}"#, &[], None),
        ] {
            let text = format!(
                "gaitpol 1\npolicy a\ndefault block\ncontext {{ {context} }}\ntool t {{}}\nrule r on t allow\n"
            );
            let text = text.replace("context {  }\n", "");
            let program = compile::lower(&compile::check("a.gaitpol", &text).checked.unwrap());
            let (args, facts) = (
                json::parse(b"{}").unwrap(),
                json::parse(facts.as_bytes()).unwrap(),
            );
            let request = Request {
                intent: &intent,
                ..Request::call("t", &args).with_facts(&facts)
            };
            let asking = Asking::of(&program, &request);
            assert_eq!(asking.requester, strings(requester), "{context}");
            assert_eq!(asking.chain, of_chain.map(strings), "{context}");
        }
    }
}
