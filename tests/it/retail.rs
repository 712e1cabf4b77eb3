//! The written policy of tau-bench's shop, as `policies/tau-retail` enforces it: every recorded call is judged with the
//! facts recorded just before it, and what blocked is held against which written rules the recording says it breaks.

use crate::corpora;
use gait::compile;
use gait::domain::Request;
use gait::gate::Gate;
use gait::json::{self, Json};
use std::collections::BTreeMap;
use std::path::Path;

/// The rules of the recording, with the code of ours.
const RULES: [(&str, &str); 13] = [
    ("RET-ID", "not_authenticated"),
    ("RET-CANCEL-1", "not_pending"),
    ("RET-CANCEL-2", "cancel_reason"),
    ("RET-MOD-1", "not_pending"),
    ("RET-DELIV-1", "not_delivered"),
    ("RET-ITEM-1", "items_once"),
    ("RET-ITEM-2", "other_product"),
    ("RET-ITEM-3", "same_option"),
    ("RET-PAY-1", "unknown_method"),
    ("RET-PAY-2", "gift_card_short"),
    ("RET-PAY-3", "same_method"),
    ("RET-PAY-4", "gift_card_short"),
    ("RET-PAY-5", "refund_elsewhere"),
];

/// Calls that break a rule and were stopped for it, stopped without breaking it, and not stopped.
#[derive(Default)]
struct Count {
    calls: usize,
    right: usize,
    wrong: usize,
    missed: usize,
}

#[test]
fn blocks_are_held_against_the_written_rules() {
    let Some(dir) = corpora::dir() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/tau-retail");
    let text = std::fs::read_to_string(folder.join("policy.gaitpol")).unwrap();
    let checked = compile::check("policy.gaitpol", &text).checked.unwrap();
    let gate = Gate::new(compile::lower(&checked));
    let mut workspace = gate.workspace();
    let mut counts: BTreeMap<&str, Count> = BTreeMap::new();
    for file in [
        "gt_actions_tau1_dev.jsonl.gz",
        "gt_actions_tau1_train_part.jsonl.gz",
    ] {
        let packed = std::fs::read(dir.join("tau/retail").join(file)).unwrap();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&packed[..]), &mut text).unwrap();
        for line in text.lines() {
            let task = json::parse(line.as_bytes()).unwrap();
            for call in task.get("calls").and_then(Json::as_array).unwrap() {
                let tool = call.get("tool").and_then(Json::as_str).unwrap();
                let request = Request::call(tool, call.get("args").unwrap());
                let request = request.with_facts(call.get("facts").unwrap());
                let decision = gate.decide(&request, &mut workspace).decision;
                assert!(decision.detail.is_none(), "{tool}: {:?}", decision.detail);
                let rules = call.get("rules").and_then(Json::as_object).unwrap();
                for (rule, holds) in rules {
                    let name = rule.split(':').next().unwrap();
                    let (name, code) = RULES.iter().find(|(n, _)| *n == name).unwrap();
                    let stopped = decision.matched.iter().any(|m| m.code == *code);
                    let count = counts.entry(name).or_default();
                    count.calls += 1;
                    match (holds.as_bool().unwrap(), stopped) {
                        (false, true) => count.right += 1,
                        (true, true) => count.wrong += 1,
                        (false, false) => count.missed += 1,
                        (true, false) => {}
                    }
                }
            }
        }
    }
    let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let mut unsaid = Vec::new();
    for (rule, code) in RULES {
        let Count {
            calls,
            right,
            wrong,
            missed,
        } = &counts[rule];
        let line = format!("| {rule} | `{code}` | {calls} | {right} | {wrong} | {missed} |");
        println!("{line}");
        unsaid.extend((!readme.contains(&line)).then_some(line));
    }
    assert!(unsaid.is_empty(), "the README does not say {unsaid:#?}");
}
