//! The importer of YAML policies against those of the corpora: every one converts, and of every recorded verdict the
//! imported policy gives the same, or a stricter one for a reason that the import stated.

mod document;
mod random;
mod there;

use crate::corpora;
use gait::compile;
use gait::domain::{ArgumentOrigin, Counters, Decision, Intent, Request, Verdict};
use gait::gate::Gate;
use gait::import::gait_yaml::{self, Imported, Kind};
use gait::json::Json;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

static NOTHING: Json = Json::Object(Vec::new());

/// When the recorded calls were judged, as far as anybody knows: on no day of a window.
const NOW: Option<i128> = Some(1_790_000_000_000);

/// What an imported policy says of a call.
enum Said {
    /// The gate could not read it.
    Refused(&'static str),
    Decided(Box<Decision>),
}

fn gate(done: &Imported) -> Gate {
    let report = compile::check("imported.gaitpol", &done.source);
    let checked = report
        .checked
        .unwrap_or_else(|| panic!("{:#?}", report.diagnostics));
    Gate::new(compile::lower(&checked))
}

fn judge(gate: &Gate, bytes: &[u8], facts: &Json, now: Option<i128>) -> Said {
    let intent = match Intent::read(bytes) {
        Ok(intent) => intent,
        Err(error) => return Said::Refused(error.code),
    };
    let origins = ArgumentOrigin::of_intent(&intent.document);
    let state = gate.fresh_state();
    let request = Request {
        origins: origins.as_deref(),
        state: Some(&state),
        facts,
        now,
        ..Request::intent(&intent)
    };
    let usage = gate.usage(&request, &Counters::default());
    let request = Request {
        usage: Some(&usage),
        ..request
    };
    Said::Decided(Box::new(gate.decide(&request, &mut gate.workspace()).decision))
}

/// The rule of the YAML that decided there, by the names in the recorded verdict.
fn decided_there(cell: &Value) -> BTreeSet<String> {
    let names = cell["matched_rule"].as_str().unwrap_or_default();
    names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Why a stricter verdict is one the import announced.
fn stated(done: &Imported, there: &BTreeSet<String>, said: &Said) -> Option<&'static str> {
    let mut causes: BTreeSet<String> = BTreeSet::new();
    match said {
        Said::Refused(code) => {
            causes.insert((*code).to_owned());
        }
        Said::Decided(decision) => {
            causes.extend(
                decision
                    .reason_codes
                    .iter()
                    .filter(|code| code.starts_with("gait."))
                    .cloned(),
            );
            let strictest = decision
                .matched
                .iter()
                .filter(|rule| rule.verdict == decision.verdict);
            causes.extend(strictest.map(|rule| rule.name.to_string()));
        }
    }
    let tightened = done.notes.iter().filter(|note| note.kind == Kind::Tightened);
    let mut announced = tightened.filter(|note| match note.by.as_slice() {
        [] => note.rule.as_ref().is_some_and(|rule| there.contains(rule)),
        by => by.iter().any(|name| causes.contains(name)),
    });
    announced.next().map(|note| note.reason)
}

impl Said {
    fn verdict(&self) -> Verdict {
        match self {
            Said::Refused(_) => Verdict::Block,
            Said::Decided(decision) => decision.verdict,
        }
    }
}

fn names_called(intents: &BTreeSet<PathBuf>) -> BTreeSet<String> {
    let document = |path: &PathBuf| serde_json::from_slice::<Value>(&std::fs::read(path).unwrap()).unwrap();
    let mut names = BTreeSet::new();
    for intent in intents.iter().map(document) {
        let calls = intent["script"]["steps"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec![intent]);
        names.extend(
            calls
                .iter()
                .map(|call| call["tool_name"].as_str().unwrap().to_owned()),
        );
    }
    names
}

#[test]
fn recorded_verdicts_are_the_same_or_stricter_for_a_stated_reason() {
    let Some(root) = corpora::dir().map(|dir| dir.join("gait-yaml")) else {
        return;
    };
    let cells: Vec<Value> = std::fs::read_to_string(root.join("matrix_part.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let place = |cell: &Value, key: &str| root.join(cell[key].as_str().unwrap());
    let called = names_called(&cells.iter().map(|cell| place(cell, "intent")).collect());
    let mut imported: BTreeMap<PathBuf, (Imported, Gate)> = BTreeMap::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for cell in &cells {
        let policy = place(cell, "policy");
        let (done, gate) = imported.entry(policy.clone()).or_insert_with(|| {
            let done = gait_yaml::policy(&std::fs::read(&policy).unwrap(), "imported.policy", &called)
                .unwrap_or_else(|error| panic!("{}: {error:?}", policy.display()));
            let gate = gate(&done);
            (done, gate)
        });
        let said = judge(
            gate,
            &std::fs::read(place(cell, "intent")).unwrap(),
            &NOTHING,
            NOW,
        );
        let here = said.verdict();
        // An intent that could not be read there could not run there.
        let there = cell["verdict"]
            .as_str()
            .map_or(Verdict::Block, |word| Verdict::parse(word).unwrap());
        let kind = match here.cmp(&there) {
            std::cmp::Ordering::Equal => "same",
            std::cmp::Ordering::Less => "looser",
            std::cmp::Ordering::Greater => match stated(done, &decided_there(cell), &said) {
                Some(reason) => {
                    *reasons.entry(reason).or_default() += 1;
                    "stricter, stated"
                }
                None => "stricter, not stated",
            },
        };
        *counts.entry(kind).or_default() += 1;
        if matches!(kind, "looser" | "stricter, not stated") {
            wrong.push(format!(
                "{kind}: {} on {}: {here} for {there}",
                cell["policy"], cell["intent"]
            ));
        }
    }
    println!("{} cells: {counts:?}; reasons: {reasons:?}", cells.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A limit lets pass what it says and no more, per tool and person.
#[test]
fn limits_count() {
    let yaml = "default_verdict: block
rules:
  - {name: writes, effect: allow, match: {tool_names: [a.put, b.put]}, rate_limit: {requests: 2}}
";
    let done = gait_yaml::policy(yaml.as_bytes(), "imported.policy", &BTreeSet::new()).unwrap();
    let gate = gate(&done);
    let mut counters = Counters::default();
    let mut call = |tool: &str, identity: &str, seconds: i128| {
        let context = json!({"identity": identity, "workspace": "/ws", "risk_class": "low"});
        let intent = json!({
            "schema_id": "gait.gate.intent_request",
            "schema_version": "1.0.0",
            "created_at": "2026-03-10T09:00:00Z",
            "producer_version": "test",
            "tool_name": tool,
            "args": {},
            "targets": [],
            "context": context,
        });
        let intent = Intent::read(intent.to_string().as_bytes()).unwrap();
        let now = 1_790_000_000_000 + seconds * 1_000;
        let request = Request {
            now: Some(now),
            ..Request::intent(&intent)
        };
        let usage = gate.usage(&request, &counters);
        let request = Request {
            usage: Some(&usage),
            ..request
        };
        let verdict = gate.decide(&request, &mut gate.workspace()).decision.verdict;
        if verdict == Verdict::Allow {
            let charges = gate.charges(&request);
            counters.reserve(
                &format!("{tool} {identity} {seconds}"),
                &charges,
                i64::try_from(now).unwrap(),
            );
        }
        verdict
    };
    let expected = [
        ("a.put", "ann", 0, Verdict::Allow),
        ("a.put", "ann", 1, Verdict::Allow),
        ("a.put", "ann", 2, Verdict::Block),
        ("b.put", "ann", 2, Verdict::Allow),
        ("a.put", "bob", 2, Verdict::Allow),
        ("a.put", "ann", 130, Verdict::Allow),
    ];
    for (tool, identity, seconds, verdict) in expected {
        assert_eq!(
            call(tool, identity, seconds),
            verdict,
            "{tool} {identity} {seconds}"
        );
    }
}

/// Policies of the corpora on every intent of the corpora: more pairs than have a recorded verdict. The reading that
/// stands in for the record is held against the record where there is one.
#[test]
fn every_pair_is_decided_as_a_naive_reading_says_or_stricter_for_a_stated_reason() {
    let Some(root) = corpora::dir().map(|dir| dir.join("gait-yaml")) else {
        return;
    };
    let cells: Vec<Value> = std::fs::read_to_string(root.join("matrix_part.jsonl"))
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names = |key: &str| -> BTreeSet<String> {
        cells
            .iter()
            .map(|cell| cell[key].as_str().unwrap().to_owned())
            .collect()
    };
    let intents: Vec<(String, Vec<u8>, Value)> = names("intent")
        .into_iter()
        .map(|name| {
            let bytes = std::fs::read(root.join(&name)).unwrap();
            let value = serde_json::from_slice(&bytes).unwrap();
            (name, bytes, value)
        })
        .collect();
    let called = names_called(&names("intent").iter().map(|name| root.join(name)).collect());
    let refused: BTreeSet<String> = cells
        .iter()
        .filter(|cell| cell["verdict"].is_null())
        .map(|cell| cell["intent"].as_str().unwrap().to_owned())
        .collect();
    let recorded: BTreeMap<(&str, &str), Verdict> = cells
        .iter()
        .filter_map(|cell| {
            let verdict = Verdict::parse(cell["verdict"].as_str()?)?;
            Some(((cell["policy"].as_str()?, cell["intent"].as_str()?), verdict))
        })
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for policy in names("policy") {
        let bytes = std::fs::read(root.join(&policy)).unwrap();
        let done = gait_yaml::policy(&bytes, "imported.policy", &called).unwrap();
        let gate = gate(&done);
        let asked = document::read(&String::from_utf8(bytes).unwrap());
        for (name, bytes, intent) in &intents {
            let said = judge(&gate, bytes, &NOTHING, NOW);
            let (there, rules) = if refused.contains(name) {
                (Verdict::Block, BTreeSet::new())
            } else {
                there::decide(&asked, intent, "2026-09-21T00:00:00")
            };
            let pair = format!("{policy} on {name}");
            let record = recorded.get(&(policy.as_str(), name.as_str()));
            if record.is_some_and(|record| *record != there) {
                wrong.push(format!(
                    "{pair}: read as {there}, recorded as {}",
                    record.unwrap()
                ));
            }
            let here = said.verdict();
            let kind = if here == there {
                "same"
            } else if here > there && stated(&done, &rules, &said).is_some() {
                "stricter, stated"
            } else {
                wrong.push(format!("{pair}: {here} for {there}"));
                "wrong"
            };
            *counts.entry(kind).or_default() += 1;
        }
    }
    println!("pairs: {counts:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every file that is a policy of the Go system.
fn policies(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            policies(&path, found);
        } else if name.ends_with(".yaml") && name != "expected.yaml" && name != "flags.yaml" {
            found.push(path);
        }
    }
}

#[test]
fn every_yaml_policy_of_the_corpora_converts() {
    let Some(root) = corpora::dir().map(|dir| dir.join("gait-yaml")) else {
        return;
    };
    let mut found = Vec::new();
    policies(&root, &mut found);
    assert!(found.len() >= 30, "{found:?}");
    let called: BTreeSet<String> = random::tools().collect();
    for path in found {
        let bytes = std::fs::read(&path).unwrap();
        let done = gait_yaml::policy(&bytes, "imported.policy", &called);
        let done = done.unwrap_or_else(|error| panic!("{}: {error:?}", path.display()));
        gate(&done);
        let mut report = compile::check("imported.gaitpol", &done.source);
        compile::lint(&mut report, &gait::lint::Flags::default());
        // What the YAML does not say, what it says on purpose, what it says twice, and what it says of no call.
        let expected = [
            "tool_without_effect",
            "broad_allow",
            "dead_rule",
            "subsumed_rule",
            "vacuous_rule",
        ]
        .map(|name| gait::lint::by_name(name).unwrap().code);
        report.diagnostics.retain(|found| !expected.contains(&found.code));
        assert!(
            report.diagnostics.is_empty(),
            "{}: {:#?}",
            path.display(),
            report.diagnostics
        );
        assert_eq!(
            done,
            gait_yaml::policy(&bytes, "imported.policy", &called).unwrap()
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn random_policies_are_never_looser_and_say_why_they_are_stricter(
        policy in random::policy(),
        intents in proptest::collection::vec(random::intent(), 12),
        known in any::<bool>(),
    ) {
        let called: BTreeSet<String> = random::tools().collect();
        let done = gait_yaml::policy(policy.to_string().as_bytes(), "imported.policy", &called);
        let done = match done {
            Ok(done) => done,
            Err(error) => return Err(TestCaseError::fail(format!("{error:?}\n{policy:#}"))),
        };
        let gate = gate(&done);
        let facts = ["broker_credential", "delegation_verified"].map(|fact| (fact.into(), Json::Bool(known)));
        let facts = gate.declared_facts(&Json::Object(facts.into()));
        let at: jiff::Timestamp = "2026-03-10T09:00:00Z".parse().unwrap();
        let now = at.as_millisecond();
        for intent in intents {
            let said = judge(&gate, intent.to_string().as_bytes(), &facts, Some(now.into()));
            let (there, rules) = there::decide(&policy, &intent, random::NOW);
            let here = said.verdict();
            let shown = || format!("here {here}, there {there} by {rules:?}\n{policy:#}\n{intent:#}\n{}", done.source);
            prop_assert!(here >= there, "looser: {}", shown());
            prop_assert!(here == there || stated(&done, &rules, &said).is_some(), "not stated: {}", shown());
        }
    }
}
