//! What differs between the tools that were pinned and those that a server lists now, member by member. In: both. Out: changes, in the
//! order of names. It asks nobody and prints nothing.

use crate::artifact::digest::Digest;
use crate::artifact::tool_lock::{Listed, Tool, Tools};
use crate::json::pointer::child;
use crate::json::{Json, Text};
use std::collections::{BTreeMap, BTreeSet};

/// How a tool differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drift {
    /// It is listed and was not pinned.
    New,
    /// It was pinned and is not listed.
    Gone,
    /// It is defined otherwise.
    Changed,
    /// More than one tool has its name.
    Twice,
}

impl Drift {
    /// Its name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Drift::New => "new",
            Drift::Gone => "gone",
            Drift::Changed => "changed",
            Drift::Twice => "twice",
        }
    }
}

/// A tool that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its name.
    pub tool: String,
    /// How.
    pub drift: Drift,
    /// The digest that was pinned.
    pub old: Option<Digest>,
    /// The digest of what is listed.
    pub new: Option<Digest>,
    /// Where the definitions differ.
    pub members: Vec<Member>,
}

/// A place at which two definitions differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// A JSON Pointer (RFC 6901).
    pub pointer: String,
    /// What was there.
    pub old: Option<Json>,
    /// What is there.
    pub new: Option<Json>,
}

/// What differs.
pub fn changes(pinned: &Tools, listed: &Listed) -> Vec<Change> {
    let names: BTreeSet<&String> = pinned
        .keys()
        .chain(listed.tools.keys())
        .chain(&listed.twice)
        .collect();
    let one = |name: &&String| {
        let (old, new) = (pinned.get(*name), listed.tools.get(*name));
        let drift = match (old, new) {
            _ if listed.twice.contains(*name) => Drift::Twice,
            (Some(old), Some(new)) if old.digest == new.digest => return None,
            (Some(_), Some(_)) => Drift::Changed,
            (None, _) => Drift::New,
            (Some(_), None) => Drift::Gone,
        };
        let mut members = Vec::new();
        if drift != Drift::Twice {
            let definition = |tool: &'_ Tool| tool.definition.clone();
            compare(
                String::new(),
                old.map(definition),
                new.map(definition),
                &mut members,
            );
        }
        Some(Change {
            tool: (*name).clone(),
            drift,
            old: old.map(|tool| tool.digest),
            new: new.map(|tool| tool.digest),
            members,
        })
    };
    names.iter().filter_map(one).collect()
}

/// Goes down as far as both are objects, or lists of the same length.
fn compare(pointer: String, old: Option<Json>, new: Option<Json>, members: &mut Vec<Member>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Some(Json::Object(old)), Some(Json::Object(new))) => {
            let mut old: BTreeMap<Text, Json> = old.into_iter().collect();
            let mut new: BTreeMap<Text, Json> = new.into_iter().collect();
            let names: BTreeSet<Text> = old.keys().chain(new.keys()).cloned().collect();
            for name in names {
                compare(
                    child(&pointer, &name),
                    old.remove(&name),
                    new.remove(&name),
                    members,
                );
            }
        }
        (Some(Json::Array(old)), Some(Json::Array(new))) if old.len() == new.len() => {
            for (at, (old, new)) in old.into_iter().zip(new).enumerate() {
                compare(format!("{pointer}/{at}"), Some(old), Some(new), members);
            }
        }
        (old, new) => members.push(Member { pointer, old, new }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn each_place_that_differs_is_named() {
        let read = |text: &str| Listed::read(parse(text.as_bytes()).unwrap().as_array().unwrap()).unwrap();
        let old = read(
            r#"[{"name":"a","description":"d","inputSchema":{"required":["x"],"properties":{"x/y":{"type":"string"}}}},
                {"name":"b"},{"name":"c"},{"name":"d"}]"#,
        );
        let new = read(
            r#"[{"inputSchema":{"properties":{"x/y":{"type":"integer"}},"required":["y"]},"description":"e","name":"a","icons":[]},
                {"name":"b"},{"name":"d"},{"name":"d"},{"name":"e"}]"#,
        );
        let found = changes(&old.tools, &new);
        let drifts: Vec<_> = found
            .iter()
            .map(|change| (change.tool.as_str(), change.drift.as_str()))
            .collect();
        assert_eq!(
            drifts,
            [("a", "changed"), ("c", "gone"), ("d", "twice"), ("e", "new")]
        );
        let members: Vec<_> = found[0].members.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(
            members,
            [
                "/description",
                "/icons",
                "/inputSchema/properties/x~1y/type",
                "/inputSchema/required/0"
            ]
        );
        assert_eq!(
            (&found[0].members[0].old, &found[0].members[1].old),
            (&Some(Json::str("d")), &None)
        );
        assert!(changes(&old.tools, &old).is_empty());
    }
}
