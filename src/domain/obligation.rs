//! Obligations: what must be done besides running a call, or besides refusing it.

use crate::json::{Json, Text};
use std::fmt;

/// How the values that several rules give one parameter become one. Each law is associative, commutative and idempotent
/// where it gives a value, so the order of rules does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Law {
    /// The greatest.
    Max = 0,
    /// The least.
    Min = 1,
    /// The elements of all of them.
    Union = 2,
    /// They must be equal; values that differ are a conflict.
    Same = 3,
}

impl Law {
    /// All laws, by their number.
    pub const ALL: [Law; 4] = [Law::Max, Law::Min, Law::Union, Law::Same];

    /// The word after `merge`.
    pub fn as_str(self) -> &'static str {
        match self {
            Law::Max => "max",
            Law::Min => "min",
            Law::Union => "union",
            Law::Same => "same",
        }
    }
}

/// One thing that a decision obliges to. Printed as a policy writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// The obligation's name.
    pub name: String,
    /// What it is about, by the names from the arguments to it; no name is all arguments. None where it is about the call.
    pub place: Option<Vec<String>>,
    /// What it is told, by the names of its parameters; sorted by them.
    pub params: Vec<(Text, Json)>,
}

impl Obligation {
    /// What a decision has at most one obligation of; they are sorted by it.
    pub fn key(&self) -> (&str, &Option<Vec<String>>) {
        (&self.name, &self.place)
    }

    /// Whether it takes something out of what is kept of a call.
    pub fn is_transform(&self) -> bool {
        self.name == REDACT || self.name == MASK
    }

    /// Whether a runtime has promised to fulfil it: by its name, or a credential by its own name, `credential:deploy`.
    pub fn is_promised(&self, promised: &[String]) -> bool {
        let is_own = |one: &String| match one.strip_prefix(CREDENTIAL).and_then(|own| own.strip_prefix(':')) {
            Some(own) => self.name == CREDENTIAL && self.credential() == Some(own),
            None => *one == self.name,
        };
        promised.iter().any(is_own)
    }

    /// Which credential it asks for.
    pub fn credential(&self) -> Option<&str> {
        let name = self.params.iter().find(|(param, _)| param == "name");
        name.and_then(|(_, name)| name.as_str())
            .filter(|_| self.name == CREDENTIAL)
    }

    /// Whether the gate fulfils it itself; anything else is the runtime's.
    pub fn is_own(&self) -> bool {
        OWN.contains(&self.name.as_str())
    }
}

/// A record of the decision.
pub const LOG: &str = "log";
/// A message to a channel.
pub const NOTIFY: &str = "notify";
/// A value that is kept nowhere.
pub const REDACT: &str = "redact";
/// A text of which only the end is kept.
pub const MASK: &str = "mask";
/// How many characters of it.
pub const KEEP_LAST: &str = "keep_last";
/// A credential that whoever runs the call gets for it; declared by `std.credentials`.
pub const CREDENTIAL: &str = "credential";
/// What the gate fulfils by itself: its trace is the record, and what it keeps is without the values.
pub const OWN: [&str; 3] = [LOG, REDACT, MASK];

impl fmt::Display for Obligation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        if let Some(place) = &self.place {
            let names = place.iter().map(|name| format!(".{name}"));
            write!(f, "args{}", names.collect::<String>())?;
        }
        for (at, (name, value)) in self.params.iter().enumerate() {
            if at > 0 || self.place.is_some() {
                f.write_str(", ")?;
            }
            write!(f, "{name}: ")?;
            self::value(f, value)?;
        }
        f.write_str(")")
    }
}

/// The redaction of what is at a place.
pub fn redacts(place: Vec<String>) -> Obligation {
    Obligation {
        name: REDACT.to_owned(),
        place: Some(place),
        params: Vec::new(),
    }
}

fn value(f: &mut fmt::Formatter<'_>, json: &Json) -> fmt::Result {
    match json {
        Json::Array(items) => {
            f.write_str("{ ")?;
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    f.write_str(", ")?;
                }
                value(f, item)?;
            }
            f.write_str(" }")
        }
        other => f.write_str(&serde_json::to_string(other).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::Obligation;
    use crate::json::Json;

    #[test]
    fn an_obligation_prints_as_it_is_written() {
        let of = |name: &str, place: Option<&str>, params: &[(&str, Json)]| Obligation {
            name: name.to_owned(),
            place: place.map(|place| vec![place.to_owned()]),
            params: params.iter().map(|(n, v)| ((*n).into(), v.clone())).collect(),
        };
        let channels = Json::Array(vec![Json::str("a"), Json::str("b")]);
        for (obligation, text) in [
            (
                of("log", None, &[("level", Json::str("warn"))]),
                "log(level: \"warn\")",
            ),
            (
                of("notify", None, &[("channel", channels)]),
                "notify(channel: { \"a\", \"b\" })",
            ),
            (of("redact", Some("note"), &[]), "redact(args.note)"),
            (
                Obligation {
                    place: Some(Vec::new()),
                    ..of("redact", None, &[])
                },
                "redact(args)",
            ),
            (
                of("mask", Some("card"), &[("keep_last", Json::int(4))]),
                "mask(args.card, keep_last: 4)",
            ),
        ] {
            assert_eq!(obligation.to_string(), text);
        }
    }
}
