//! Built-in types: each parsed to one canonical form in one place, one file per type with its rules, its
//! documentation as data, its code and its tests. In: JSON arguments and the text of policy literals. Out: `Value`s
//! whose bytes are equal exactly when the values are. What a file does not accept is refused with a reason; nothing
//! here repairs, guesses between two readings, or panics.

pub mod bind;
pub mod calendar;
pub mod cidr;
pub mod command;
pub mod compound;
pub mod date;
pub mod decimal;
pub mod digest;
pub mod duration;
pub mod email;
pub mod glob;
pub mod host;
pub mod instant;
pub mod ip;
pub mod literal;
pub mod manual;
mod parts;
pub mod path;
mod percent;
pub mod person;
pub mod regex;
pub mod repo;
pub mod scalar;
pub mod sql;
pub mod string;
pub mod url;
pub mod written;
pub mod zone;

use crate::ty::{Field, Ty};

/// A text or value that a type does not accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// Why: one lowercase sentence that does not repeat the input.
    pub reason: String,
}

impl Refused {
    /// Refuses for `reason`.
    pub fn new(reason: impl Into<String>) -> Refused {
        Refused {
            reason: reason.into(),
        }
    }
}

/// The documentation of one built-in type, as data: the manual and `gait explain` print it, the tests run it.
#[derive(Clone, Copy, Debug)]
pub struct Doc {
    /// The type as written in a policy.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Which JSON is accepted.
    pub json: &'static str,
    /// The canonical form.
    pub canonical: &'static str,
    /// The parse rules, each one sentence with its source.
    pub rules: &'static [&'static str],
    /// The parts a policy can name, with their types.
    pub parts: &'static [(&'static str, &'static str)],
    /// The operators it takes.
    pub operators: &'static [&'static str],
    /// The type that the examples are of.
    pub example_type: &'static str,
    /// Inputs with what becomes of them.
    pub examples: &'static [Example],
}

/// An input (JSON; for the text-like types the text alone, without quotes) and its canonical form or the reason why
/// it is refused.
pub type Example = (&'static str, Result<&'static str, &'static str>);

/// Every built-in type, in the order of the manual.
pub const ALL: &[&Doc] = &[
    &scalar::BOOL,
    &decimal::INT,
    &decimal::DECIMAL,
    &decimal::MONEY,
    &duration::DOC,
    &instant::DOC,
    &date::DOC,
    &string::DOC,
    &scalar::ENUM,
    &path::DOC,
    &url::DOC,
    &host::DOC,
    &ip::DOC,
    &cidr::DOC,
    &email::DOC,
    &command::DOC,
    &sql::DOC,
    &repo::DOC,
    &digest::DOC,
    &compound::LIST,
    &compound::SET,
    &compound::MAP,
    &compound::OPTIONAL,
    &compound::RECORD,
];

/// The parts of a type whose values keep them as a record, in its order; none of any other type.
pub fn fields(ty: &Ty) -> Vec<Field> {
    match ty {
        Ty::Command => command::fields(),
        Ty::Sql => sql::fields(),
        Ty::Repo => repo::fields(),
        Ty::Digest => digest::fields(),
        Ty::Cidr => cidr::fields(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use super::{Doc, Refused};

    /// Runs a document's examples; what is accepted must also be its own canonical form.
    pub(crate) fn run(doc: &Doc, parse: impl Fn(&str) -> Result<String, Refused>) {
        assert!(
            doc.examples.iter().any(|(_, result)| result.is_ok()),
            "{}: no accepted example",
            doc.name
        );
        for (input, expected) in doc.examples {
            let got = parse(input).map_err(|refused| refused.reason);
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(got, expected, "{}: {input:?}", doc.name);
            if let Ok(canonical) = got {
                assert_eq!(
                    parse(&canonical).as_deref(),
                    Ok(canonical.as_str()),
                    "{}: not idempotent",
                    doc.name
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn every_type_is_documented_once_with_an_accepted_and_a_refused_example() {
        let mut names: Vec<&str> = ALL.iter().map(|doc| doc.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ALL.len());
        for doc in ALL {
            assert!(
                doc.examples.iter().any(|(_, result)| result.is_ok()),
                "{}",
                doc.name
            );
            assert!(
                doc.examples.iter().any(|(_, result)| result.is_err()),
                "{}",
                doc.name
            );
            assert!(!doc.operators.is_empty() && !doc.rules.is_empty(), "{}", doc.name);
        }
    }
}
