//! Differences as people accept them: one entry each, with an id that depends on nothing but what it says. In: a
//! difference. Out: entries, what is loosened first.

use crate::analysis::declared::Declared;
use crate::analysis::difference::{Change, Decision, Kind, What};
use crate::analysis::{Difference, Direction};
use crate::artifact::jcs;
use crate::domain::Verdict;
use crate::hir::Case;
use crate::json::Json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Hexadecimal digits of an id.
const ID: usize = 12;

/// One difference.
pub(super) struct Entry {
    pub id: String,
    pub direction: Direction,
    /// The tool; none where it is about the policy.
    pub tool: Option<String>,
    /// What is different, in words.
    pub title: String,
    /// What holds of the calls it is about; none where it is about all, or about a declaration.
    pub conditions: Vec<String>,
    pub example: Option<(Case, [Decision; 2])>,
    /// Whether calls show it, or a declaration does.
    pub is_certain: bool,
    /// Whether it is loosened, or may be.
    pub is_loosened: bool,
    pub is_accepted: bool,
    /// Recorded calls of this tool that get the other verdict, of whatever kind they are, where calls were given.
    pub recorded: Option<u64>,
}

/// Recorded calls that get another verdict, by tool and both verdicts.
pub(super) struct Recorded {
    pub calls: u64,
    pub changed: BTreeMap<(String, Verdict, Verdict), u64>,
}

/// Whether a text may be an id.
pub(super) fn is_id(text: &str) -> bool {
    text.len() == ID && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Every difference, what is loosened first. `policies` is all of both: what is not known in full is accepted of them only.
pub(super) fn entries(difference: &Difference, recorded: Option<&Recorded>, policies: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    entries.extend(
        difference
            .declared
            .iter()
            .map(|declared| of_declared(None, declared)),
    );
    for tool in &difference.tools {
        let name = Some(tool.tool.as_str());
        entries.extend(tool.declared.iter().map(|declared| of_declared(name, declared)));
        if tool.too_large {
            let title = "its rules were not compared: they tell too many kinds of calls apart, or cannot be put side by side";
            entries.push(Entry {
                is_certain: false,
                ..entry(name, Direction::Loosened, title.to_owned(), Vec::new(), policies)
            });
        }
        for change in &tool.changes {
            entries.extend(of_change(&tool.tool, change, recorded, policies));
        }
    }
    entries.sort_by_key(|entry| entry.direction);
    entries
}

fn of_declared(tool: Option<&str>, declared: &Declared) -> Entry {
    entry(
        tool,
        declared.direction,
        declared.text.clone(),
        Vec::new(),
        &declared.meaning,
    )
}

fn entry(
    tool: Option<&str>,
    direction: Direction,
    title: String,
    conditions: Vec<String>,
    meaning: &str,
) -> Entry {
    let said = Json::Array(vec![
        Json::str(meaning),
        tool.map_or(Json::Null, Json::str),
        Json::str(&title),
        Json::Array(conditions.iter().map(Json::str).collect()),
    ]);
    let digest = Sha256::digest(jcs::to_vec(&said));
    let mut id: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    id.truncate(ID);
    Entry {
        id,
        direction,
        tool: tool.map(str::to_owned),
        title,
        conditions,
        example: None,
        is_certain: true,
        is_loosened: direction == Direction::Loosened,
        is_accepted: false,
        recorded: None,
    }
}

fn of_change(tool: &str, change: &Change, recorded: Option<&Recorded>, policies: &str) -> Vec<Entry> {
    let title = title(&change.what);
    let verdicts = match change.what {
        What::Verdict(from, to) => Some((from, to)),
        _ => None,
    };
    let of_kind = |kind: &Kind| Entry {
        example: kind.example.clone(),
        is_certain: kind.example.is_some(),
        recorded: recorded.zip(verdicts).map(|(recorded, (from, to))| {
            let found = recorded.changed.get(&(tool.to_owned(), from, to));
            found.copied().unwrap_or(0)
        }),
        ..entry(
            Some(tool),
            change.direction,
            title.clone(),
            kind.conditions.clone(),
            &kind.meaning,
        )
    };
    let mut entries: Vec<Entry> = change.kinds.iter().map(of_kind).collect();
    if change.more {
        entries.push(Entry {
            is_certain: false,
            ..entry(
                Some(tool),
                change.direction,
                format!("{title}, of further kinds of calls"),
                Vec::new(),
                policies,
            )
        });
    }
    entries
}

fn title(what: &What) -> String {
    let list = |texts: &[String]| match texts {
        [] => "nothing".to_owned(),
        texts => texts.join(" and "),
    };
    match what {
        What::Verdict(from, to) => format!("{from} -> {to}"),
        What::Approvals(gone, come) => format!("asks for approval {} -> {}", list(gone), list(come)),
        What::Obligations(gone, come) => format!("obliges {} -> {}", list(gone), list(come)),
        What::Codes(gone, come) => format!("code {} -> {}", list(gone), list(come)),
    }
}

/// Who decided a call, as text.
pub(super) fn by(decision: &Decision) -> String {
    match decision.by.as_slice() {
        [] if decision.codes.iter().any(|code| code.starts_with("gait.")) => {
            format!("{} by the gate, {}", decision.verdict, decision.codes.join(", "))
        }
        [] => format!("{} by default", decision.verdict),
        rules => format!("{} by {}", decision.verdict, rules.join(", ")),
    }
}
