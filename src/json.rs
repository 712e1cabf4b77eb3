//! JSON read strictly: the one parser for everything that comes from outside. In: bytes. Out: a tree whose
//! objects keep their order and whose numbers keep their exact decimal value. Refused: duplicate keys (after
//! unescaping), lone surrogates, invalid UTF-8, a byte order mark, trailing data, numbers that RFC 8785 section
//! 3.2.2.3 cannot carry exactly, nesting or size over the limit. It must not round or repair anything.

mod number;
mod parse;
mod plain;
pub mod pointer;

pub use number::{Number, scaled};
pub use parse::{JsonError, JsonErrorKind, parse, parse_any_numbers};
pub(crate) use plain::plain_run;

/// A text of a document: a name, or a string. A short one takes no space of its own.
pub type Text = compact_str::CompactString;

/// A JSON document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, exact.
    Number(Number),
    /// A string.
    String(Text),
    /// An array.
    Array(Vec<Json>),
    /// An object: members in the order received, keys distinct.
    Object(Vec<(Text, Json)>),
}

impl Json {
    /// A string value.
    pub fn str(text: impl Into<Text>) -> Json {
        Json::String(text.into())
    }

    /// An integer value; `None` past ±(2^53 − 1).
    pub fn int(n: i64) -> Json {
        Json::Number(Number::from_i64(n))
    }

    /// An object from members; later duplicates are a caller's bug and are dropped.
    pub fn object<K: Into<Text>>(members: impl IntoIterator<Item = (K, Json)>) -> Json {
        let mut out: Vec<(Text, Json)> = Vec::new();
        for (key, value) in members {
            let key = key.into();
            if !out.iter().any(|(k, _)| *k == key) {
                out.push((key, value));
            }
        }
        Json::Object(out)
    }

    /// An object of members whose names a caller has written down, each once.
    pub fn record(members: impl IntoIterator<Item = (&'static str, Json)>) -> Json {
        let named = members
            .into_iter()
            .map(|(key, value)| (Text::const_new(key), value));
        Json::Object(named.collect())
    }

    /// How deep it is nested: 1 where nothing is in it.
    pub fn depth(&self) -> usize {
        let deepest = match self {
            Json::Array(items) => items.iter().map(Json::depth).max(),
            Json::Object(members) => members.iter().map(|(_, value)| value.depth()).max(),
            _ => None,
        };
        1 + deepest.unwrap_or(0)
    }

    /// The member of an object.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(members) => members.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Json::String(s) => Some(s),
            _ => None,
        }
    }

    /// The elements of an array.
    pub fn as_array(&self) -> Option<&[Json]> {
        match self {
            Json::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The members of an object.
    pub fn as_object(&self) -> Option<&[(Text, Json)]> {
        match self {
            Json::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The truth value.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Json::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The integer, where it is one within ±(2^53 − 1).
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Json::Number(n) => n.to_scaled(0).and_then(|v| i64::try_from(v).ok()),
            _ => None,
        }
    }

    /// Overwrites every text in it: it held a secret.
    pub fn wipe(&mut self) {
        match self {
            Json::String(text) => zeroize::Zeroize::zeroize(text),
            Json::Array(items) => items.iter_mut().for_each(Json::wipe),
            Json::Object(members) => members.iter_mut().for_each(|(key, value)| {
                zeroize::Zeroize::zeroize(key);
                value.wipe();
            }),
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Bool(_) => "a boolean",
            Json::Number(_) => "a number",
            Json::String(_) => "a string",
            Json::Array(_) => "an array",
            Json::Object(_) => "an object",
        }
    }
}

/// For writers that know serde. There is no `Deserialize`: reading goes through `parse`, which refuses what serde's
/// readers let through.
impl serde::Serialize for Json {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Json::Null => to.serialize_unit(),
            Json::Bool(truth) => to.serialize_bool(*truth),
            Json::Number(number) => number.serialize(to),
            Json::String(text) => to.serialize_str(text),
            Json::Array(items) => to.collect_seq(items),
            Json::Object(members) => to.collect_map(members.iter().map(|(key, value)| (key.as_str(), value))),
        }
    }
}
