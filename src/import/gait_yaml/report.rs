//! What became of each rule: the remarks of an import. In: nothing. Out: data and its JSON. It finds nothing itself.

use super::yaml::Place;
use crate::json::Json;

/// How a remark bears on the meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Some calls get a stricter verdict than they got.
    Tightened,
    /// Kept as it was, which rests on somebody's word.
    Trusted,
    /// A setting that never had an effect; left out.
    Dead,
    /// Probably not what the author meant; kept as it was.
    Doubtful,
    /// Something the source cannot say, left to its author.
    Open,
}

impl Kind {
    /// The word used in JSON and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Tightened => "tightened",
            Kind::Trusted => "trusted",
            Kind::Dead => "dead",
            Kind::Doubtful => "doubtful",
            Kind::Open => "open",
        }
    }
}

/// A remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How it bears on the meaning.
    pub kind: Kind,
    /// A stable name of the reason.
    pub reason: &'static str,
    /// The rule of the YAML policy; none for the whole policy.
    pub rule: Option<String>,
    /// Where in the YAML.
    pub at: Place,
    /// One sentence.
    pub message: String,
    /// Where the kind is `Tightened`: the emitted rules and the gate's codes by which such a call is stopped. Empty
    /// where it is stopped because an emitted rule does not speak.
    pub by: Vec<String>,
}

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleReport {
    /// Its name in the YAML.
    pub name: String,
    /// Where it stands there.
    pub at: Place,
    /// The rules it became.
    pub emitted: Vec<String>,
    /// Reasons of the remarks that tighten it; none where its meaning is kept exactly.
    pub tightened: Vec<&'static str>,
}

impl Note {
    /// The remark as JSON.
    pub fn json(&self) -> Json {
        let texts = |of: &[String]| Json::Array(of.iter().map(Json::str).collect());
        Json::object([
            ("kind", Json::str(self.kind.as_str())),
            ("reason", Json::str(self.reason)),
            ("rule", self.rule.as_ref().map_or(Json::Null, Json::str)),
            ("line", number(self.at.line)),
            ("column", number(self.at.column)),
            ("message", Json::str(&self.message)),
            ("by", texts(&self.by)),
        ])
    }
}

impl RuleReport {
    /// The report as JSON.
    pub fn json(&self) -> Json {
        Json::object([
            ("name", Json::str(&self.name)),
            ("line", number(self.at.line)),
            ("exact", Json::Bool(self.tightened.is_empty())),
            (
                "emitted",
                Json::Array(self.emitted.iter().map(Json::str).collect()),
            ),
            (
                "tightened",
                Json::Array(self.tightened.iter().map(|r| Json::str(*r)).collect()),
            ),
        ])
    }
}

fn number(of: usize) -> Json {
    Json::int(i64::try_from(of).unwrap_or(i64::MAX))
}
