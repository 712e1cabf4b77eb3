//! Typed access to the members of one YAML mapping. In: a node and the keys it may have. Out: values of the types
//! asked for, or the first mistake with its place. It knows no key by name.

use std::collections::BTreeMap;

use super::ImportError;
use super::model::Words;
use super::yaml::{Kind, Node, Place};
use crate::diag::suggest;
use crate::domain::Verdict;

/// What becomes of capital letters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    /// They become small ones.
    Folded,
    /// They stay.
    Kept,
}

/// The members of a mapping that have not been asked for yet.
pub(super) struct Fields {
    pub(super) at: Place,
    /// The mapping, for messages: empty for the whole document.
    path: String,
    members: BTreeMap<String, Node>,
}

impl Fields {
    /// A mapping whose keys are all among these. Nothing written is an empty mapping.
    pub(super) fn of(node: Node, path: &str, keys: &[&str]) -> Result<Fields, ImportError> {
        let at = node.at;
        let members = match node.kind {
            Kind::Map(members) => members,
            _ if node.is_null() => Vec::new(),
            _ => {
                let message = format!("{} is {}; it has to be a mapping", name(path), node.phrase());
                return Err(ImportError::new("import.policy_wrong_type", at, message));
            }
        };
        if let Some((key, at, _)) = members.iter().find(|(key, ..)| !keys.contains(&key.as_str())) {
            let message = format!("`{}` is no key of {}", super::shown(key), name(path));
            let error = ImportError::new("import.policy_unknown_key", *at, message);
            return Err(match suggest::nearest(key, keys.iter().copied()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("the keys are {}", keys.join(", "))),
            });
        }
        let members = members.into_iter().map(|(key, _, node)| (key, node));
        Ok(Fields {
            at,
            path: path.to_owned(),
            members: members.collect(),
        })
    }

    /// The value of a key; none where nothing is written.
    pub(super) fn take(&mut self, key: &str) -> Option<Node> {
        self.members.remove(key).filter(|node| !node.is_null())
    }

    /// Where the value of a key stands, before it is taken.
    pub(super) fn place(&self, key: &str) -> Place {
        self.members.get(key).map_or(self.at, |node| node.at)
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// A mapping inside this one.
    pub(super) fn inner(&mut self, key: &str, keys: &[&str]) -> Result<Option<Fields>, ImportError> {
        let path = self.path_of(key);
        self.take(key)
            .map(|node| Fields::of(node, &path, keys))
            .transpose()
    }

    /// The elements of a list.
    pub(super) fn items(&mut self, key: &str) -> Result<Vec<Node>, ImportError> {
        let path = self.path_of(key);
        match self.take(key) {
            None => Ok(Vec::new()),
            Some(Node {
                kind: Kind::List(items),
                ..
            }) => Ok(items),
            Some(other) => {
                let message = format!("`{path}` is {}; it has to be a list", other.phrase());
                Err(ImportError::new("import.policy_wrong_type", other.at, message))
            }
        }
    }

    /// Distinct texts without blanks around them; empty ones do not count.
    pub(super) fn words(&mut self, key: &str, case: Case) -> Result<Words, ImportError> {
        let path = self.path_of(key);
        let mut words = Words::new();
        for item in self.items(key)? {
            let text = text(&item, &path)?;
            let text = text.trim();
            let text = match case {
                Case::Folded => text.to_lowercase(),
                Case::Kept => text.to_owned(),
            };
            if !text.is_empty() {
                words.insert(text);
            }
        }
        Ok(words)
    }

    /// The same, each one of `allowed`.
    pub(super) fn words_of(&mut self, key: &str, allowed: &[&str]) -> Result<Words, ImportError> {
        let (path, at) = (self.path_of(key), self.place(key));
        let words = self.words(key, Case::Folded)?;
        match words.iter().find(|word| !allowed.contains(&word.as_str())) {
            None => Ok(words),
            Some(word) => Err(not_one_of(&path, word, allowed, at)),
        }
    }

    /// A text without blanks around it; empty where nothing is written.
    pub(super) fn text(&mut self, key: &str, case: Case) -> Result<String, ImportError> {
        let path = self.path_of(key);
        let Some(node) = self.take(key) else {
            return Ok(String::new());
        };
        let text = text(&node, &path)?;
        Ok(match case {
            Case::Folded => text.trim().to_lowercase(),
            Case::Kept => text.trim().to_owned(),
        })
    }

    /// One of `allowed`, or none where nothing is written.
    pub(super) fn word_of(&mut self, key: &str, allowed: &[&str]) -> Result<Option<String>, ImportError> {
        let (path, at) = (self.path_of(key), self.place(key));
        let word = self.text(key, Case::Folded)?;
        if word.is_empty() {
            Ok(None)
        } else if allowed.contains(&word.as_str()) {
            Ok(Some(word))
        } else {
            Err(not_one_of(&path, &word, allowed, at))
        }
    }

    /// A verdict among `allowed`.
    pub(super) fn verdict(&mut self, key: &str, allowed: &[&str]) -> Result<Option<Verdict>, ImportError> {
        Ok(self.word_of(key, allowed)?.and_then(|word| Verdict::parse(&word)))
    }

    /// A truth value; false where nothing is written.
    pub(super) fn flag(&mut self, key: &str) -> Result<bool, ImportError> {
        Ok(self.flag_or_none(key)?.unwrap_or(false))
    }

    /// A truth value.
    pub(super) fn flag_or_none(&mut self, key: &str) -> Result<Option<bool>, ImportError> {
        let path = self.path_of(key);
        let Some(node) = self.take(key) else {
            return Ok(None);
        };
        match &node.kind {
            Kind::Scalar { text, quoted: false } if matches!(text.as_str(), "true" | "True" | "TRUE") => {
                Ok(Some(true))
            }
            Kind::Scalar { text, quoted: false } if matches!(text.as_str(), "false" | "False" | "FALSE") => {
                Ok(Some(false))
            }
            _ => {
                let message = format!("`{path}` is neither `true` nor `false`");
                let error = ImportError::new("import.policy_wrong_type", node.at, message);
                Err(error.help("write `true` or `false`; `yes`, `no`, `on` and `off` are texts in YAML 1.2"))
            }
        }
    }

    /// A whole number of at least `least`; 0 where nothing is written.
    pub(super) fn int(&mut self, key: &str, least: i64) -> Result<i64, ImportError> {
        Ok(self.int_or_none(key, least)?.unwrap_or(0))
    }

    /// A whole number of at least `least`.
    pub(super) fn int_or_none(&mut self, key: &str, least: i64) -> Result<Option<i64>, ImportError> {
        let path = self.path_of(key);
        let Some(node) = self.take(key) else {
            return Ok(None);
        };
        let number = match &node.kind {
            Kind::Scalar { text, quoted: false } if is_plain_integer(text) => text.parse::<i64>().ok(),
            _ => None,
        };
        match number {
            Some(number) if number >= least && i128::from(number) <= crate::limits::SAFE_INTEGER => {
                Ok(Some(number))
            }
            Some(_) => {
                let message = format!("`{path}` has to be at least {least} and within 2^53");
                Err(ImportError::new("import.policy_bad_value", node.at, message))
            }
            None => {
                let message = format!("`{path}` is no whole number");
                let error = ImportError::new("import.policy_wrong_type", node.at, message);
                Err(error.help("write decimal digits without quotes and without a leading zero"))
            }
        }
    }
}

/// The text of a single value. A plain number or truth value is one where it can only be read as its own digits.
pub(super) fn text(node: &Node, path: &str) -> Result<String, ImportError> {
    let wrong = |message: String| ImportError::new("import.policy_wrong_type", node.at, message);
    match &node.kind {
        Kind::Scalar { text, quoted: true } => Ok(text.clone()),
        Kind::Scalar { .. } if node.is_null() => Err(wrong(format!(
            "`{path}` holds an empty value; it has to be a text"
        ))),
        Kind::Scalar { text, .. } if looks_like_number(text) && !is_plain_integer(text) => {
            let message = format!(
                "`{path}` holds `{}`, a number that readers of YAML print in other ways",
                super::shown(text)
            );
            Err(wrong(message).help("put it in quotes"))
        }
        Kind::Scalar { text, .. } => Ok(text.clone()),
        _ => Err(wrong(format!(
            "`{path}` holds {}; it has to be a text",
            node.phrase()
        ))),
    }
}

fn is_plain_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let zero_led = digits.len() > 1 && digits.starts_with('0');
    !digits.is_empty() && !zero_led && text != "-0" && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a YAML reader may take it for a number: decimal, octal, hexadecimal, binary, with underscores or an
/// exponent, infinite, or none.
fn looks_like_number(text: &str) -> bool {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    let lower = bare.to_ascii_lowercase();
    if matches!(lower.as_str(), ".inf" | ".nan") {
        return true;
    }
    let of = |digits: &str, allowed: fn(&char) -> bool| {
        !digits.is_empty() && digits.chars().all(|c| c == '_' || allowed(&c))
    };
    for (prefix, allowed) in [
        ("0x", char::is_ascii_hexdigit as fn(&char) -> bool),
        ("0o", char::is_ascii_digit),
        ("0b", char::is_ascii_digit),
    ] {
        if let Some(digits) = lower.strip_prefix(prefix) {
            return of(digits, allowed);
        }
    }
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let digits = |text: &str| text.chars().all(|c| c == '_' || c.is_ascii_digit());
    mantissa.bytes().any(|b| b.is_ascii_digit())
        && digits(whole)
        && digits(fraction)
        && !exponent.is_empty()
        && digits(exponent)
}

fn not_one_of(path: &str, word: &str, allowed: &[&str], at: Place) -> ImportError {
    let message = format!("`{path}` cannot be `{}`", super::shown(word));
    let error = ImportError::new("import.policy_bad_value", at, message);
    match suggest::nearest(word, allowed.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("it is one of {}", allowed.join(", "))),
    }
}

fn name(path: &str) -> String {
    if path.is_empty() {
        "a policy".to_owned()
    } else {
        format!("`{path}`")
    }
}

#[cfg(test)]
mod tests {
    use super::looks_like_number;

    #[test]
    fn numbers_in_every_spelling_are_recognised() {
        for (text, expected) in [
            ("12", true),
            ("-1.5", true),
            (".5", true),
            ("1e9", true),
            ("1_000", true),
            ("0x1F", true),
            ("0o17", true),
            ("010", true),
            (".inf", true),
            ("-.INF", true),
            (".NaN", true),
            ("1.0.0", false),
            ("nan", false),
            ("0xyz", false),
            ("e9", false),
            ("1e", false),
            ("12h", false),
            (".", false),
            ("-", false),
            ("2026-03-10T09:00:00", false),
            ("high", false),
        ] {
            assert_eq!(looks_like_number(text), expected, "{text}");
        }
    }
}
