//! The tools an imported policy declares, since policies of the Go reference system declare none: those its rules name
//! and those that example intents call. In: names. Out: tools in the order of their names, with what the Go system
//! guesses from a name. It gives no effects: nobody stated any.

use std::collections::BTreeSet;

use super::model::Policy;

/// A tool to declare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tool {
    /// Its name, as callers spell it.
    pub(super) name: String,
    /// The name as policies spell it.
    pub(super) folded: String,
    /// What a path without class and operation is taken for.
    pub(super) path: Guess,
    /// What a target of kind `other` without class and operation is taken for.
    pub(super) other: Guess,
}

/// A class guessed from the name of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Guess {
    /// The class.
    pub(super) class: &'static str,
    /// Whether a whole word of the name says so and no other word says otherwise, so that the guess may allow something.
    pub(super) sure: bool,
    /// Whether a whole word of the name says that something is destroyed or run, whatever the guess.
    pub(super) alarming: bool,
}

impl Tool {
    /// Whether a whole word of its name is alarming where the guesses are not.
    pub(super) fn alarms(&self) -> bool {
        (self.path.alarming && self.path.class != "fs.delete")
            || (self.other.alarming && self.other.class != "proc.exec")
    }
}

/// The tools of a policy; `called` are the names that intents call.
pub(super) fn tools(policy: &Policy, called: &BTreeSet<String>) -> Vec<Tool> {
    let named = policy.rules.iter().flat_map(|rule| &rule.matches.tools);
    let names: BTreeSet<&String> = named.chain(called).filter(|name| is_a_name(name)).collect();
    let tool = |name: &String| {
        let folded = name.to_lowercase();
        Tool {
            path: guess(&folded, name, &PATH_HINTS),
            other: guess(&folded, name, &OTHER_HINTS),
            name: name.clone(),
            folded,
        }
    };
    names.into_iter().map(tool).collect()
}

/// Whether a name is one that the gate reads: neither empty nor with blanks around it.
fn is_a_name(name: &str) -> bool {
    !name.is_empty() && name.trim() == name
}

type Hints = [(&'static str, &'static [&'static str])];

/// In the order in which the Go system looks for them, anywhere in the name.
const PATH_HINTS: [(&str, &[&str]); 3] = [
    ("fs.read", &["read", "list", "fetch", "search"]),
    ("fs.write", &["write", "update", "save", "create"]),
    ("fs.delete", &["delete", "remove", "rm", "drop"]),
];
const OTHER_HINTS: [(&str, &[&str]); 1] = [("proc.exec", &["exec", "shell", "command", "spawn", "run"])];
/// Words that mean that something is destroyed, run or changed.
const ALARMING: [&str; 20] = [
    "delete", "remove", "rm", "drop", "erase", "wipe", "purge", "shred", "destroy", "truncate", "unlink",
    "rmdir", "trash", "kill", "exec", "execute", "shell", "run", "spawn", "command",
];
const CHANGING: [&str; 12] = [
    "write", "update", "save", "create", "put", "set", "edit", "move", "rename", "append", "upload", "send",
];

fn guess(folded: &str, spelled: &str, hints: &Hints) -> Guess {
    let last = folded.rsplit('/').next().unwrap_or(folded);
    let found = hints
        .iter()
        .find(|(_, hints)| hints.iter().any(|hint| last.contains(hint)));
    let words = words(spelled);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let alarming = has(&ALARMING);
    let Some((class, hints)) = found else {
        return Guess {
            class: "other",
            sure: false,
            alarming,
        };
    };
    let sure = has(hints)
        && match *class {
            "fs.read" => !alarming && !has(&CHANGING),
            "fs.write" => !alarming,
            _ => true,
        };
    Guess {
        class,
        sure,
        alarming,
    }
}

/// The words of a name, in small letters: it is cut at whatever is no letter, and before a capital.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (small && c.is_uppercase()) {
            words.push(String::new());
        }
        small = c.is_lowercase();
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::{OTHER_HINTS, PATH_HINTS, guess};

    #[test]
    fn names_are_guessed_as_the_go_system_does_and_trusted_only_word_by_word() {
        for (name, class, sure, alarming) in [
            ("tool.read", "fs.read", true, false),
            ("tool.write", "fs.write", true, false),
            ("tool.delete", "fs.delete", true, true),
            ("spreadsheet.delete", "fs.read", false, true),
            ("delete_thread", "fs.read", false, true),
            ("readFile", "fs.read", true, false),
            ("readAndUpdate", "fs.read", false, false),
            ("thread.open", "fs.read", false, false),
            ("team/form", "fs.delete", false, false),
            ("read/x", "other", false, false),
            ("db.wipe", "other", false, true),
            ("tool.deploy", "other", false, false),
        ] {
            let guess = guess(&name.to_lowercase(), name, &PATH_HINTS);
            assert_eq!(
                (guess.class, guess.sure, guess.alarming),
                (class, sure, alarming),
                "{name}"
            );
        }
        for (name, class, sure) in [
            ("tool.exec", "proc.exec", true),
            ("prune", "proc.exec", false),
            ("notify", "other", false),
            ("trunk.list", "proc.exec", false),
        ] {
            let guess = guess(&name.to_lowercase(), name, &OTHER_HINTS);
            assert_eq!((guess.class, guess.sure), (class, sure), "{name}");
        }
    }
}
