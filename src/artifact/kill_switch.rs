//! The state of a kill switch: which calls an operator has stopped, signed as a whole. In: stops, keys, the time. Out:
//! envelope bytes, and back. Each state names the one before it. Which call a stop is about is the gate's to say.

use jiff::Timestamp;

use super::fields::{Fields, number};
use super::{Digest, VerifyError, time};
use crate::artifact::envelope::{Payload, PayloadType};
use crate::domain::{Stop, StopScope, StopTarget, hidden};
use crate::json::Json;
use crate::limits;

/// One stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopEntry {
    /// Its id and what it is about.
    pub stop: Stop,
    /// Why, for people.
    pub reason: String,
    /// Who stopped the calls, as they say.
    pub by: String,
    /// Since when.
    pub added_at: Timestamp,
    /// From when on it is off by itself.
    pub expires_at: Option<Timestamp>,
    /// Since when somebody has turned it off.
    pub disabled_at: Option<Timestamp>,
}

impl StopEntry {
    /// Whether it is on at a time.
    pub fn is_on(&self, at: Timestamp) -> bool {
        self.disabled_at.is_none() && self.expires_at.is_none_or(|end| at < end)
    }
}

/// The state of a kill switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillSwitch {
    /// What all states of one kill switch have in common: 64 lowercase hexadecimal digits.
    pub id: String,
    /// How many states there were before, so that an old one is not taken for the last.
    pub sequence: u64,
    /// The digest of the state before this one.
    pub previous: Option<Digest>,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// From when on it is stale, and must have been signed again.
    pub fresh_until: Timestamp,
    /// The stops, sorted by id, those that are off too.
    pub stops: Vec<StopEntry>,
}

const MEMBERS: [&str; 7] = [
    "schema",
    "id",
    "sequence",
    "previous",
    "issued_at",
    "fresh_until",
    "stops",
];
const ENTRY: [&str; 7] = [
    "id",
    "scope",
    "reason",
    "by",
    "added_at",
    "expires_at",
    "disabled_at",
];
const SCOPE: [&str; 7] = [
    "tool",
    "identity",
    "agent",
    "environment",
    "workspace",
    "path",
    "target",
];

impl Payload for KillSwitch {
    const TYPE: PayloadType = PayloadType::KillSwitch;

    fn to_json(&self) -> Json {
        Json::record(vec![
            ("schema", Json::str(Self::TYPE.schema())),
            ("id", Json::str(&self.id)),
            ("sequence", number(self.sequence)),
            (
                "previous",
                self.previous.map_or(Json::Null, |digest| digest.to_json()),
            ),
            ("issued_at", Json::str(time::print(self.issued_at))),
            ("fresh_until", Json::str(time::print(self.fresh_until))),
            (
                "stops",
                Json::Array(self.stops.iter().map(entry_to_json).collect()),
            ),
        ])
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let fields = Fields::open("kill switch", json, &MEMBERS)?;
        fields.constant("schema", Self::TYPE.schema())?;
        let stops = fields.list("stops", entry_from_json)?;
        let ids: Vec<&str> = stops.iter().map(|entry| entry.stop.id.as_str()).collect();
        fields.sorted("stops", &ids)?;
        if stops.len() > limits::KILL_SWITCH_STOPS {
            return Err(fields.refuse("`stops` has too many"));
        }
        let state = KillSwitch {
            id: fields.nonce("id")?,
            sequence: fields.count("sequence")?,
            previous: fields.digest_or_null("previous")?,
            issued_at: fields.instant("issued_at")?,
            fresh_until: fields.instant("fresh_until")?,
            stops,
        };
        if state.fresh_until <= state.issued_at {
            return Err(fields.refuse("`fresh_until` is not after `issued_at`"));
        }
        if (state.sequence == 0) != state.previous.is_none() {
            return Err(fields.refuse("`previous` does not go with `sequence`"));
        }
        Ok(state)
    }
}

fn instant(at: Timestamp) -> Json {
    Json::str(time::print(at))
}

/// A stop as documents show it.
pub fn entry_to_json(entry: &StopEntry) -> Json {
    let mut members = vec![
        ("id", Json::str(&entry.stop.id)),
        ("scope", scope_to_json(&entry.stop.scope)),
        ("reason", Json::str(&entry.reason)),
        ("by", Json::str(&entry.by)),
        ("added_at", instant(entry.added_at)),
    ];
    members.extend(entry.expires_at.map(|at| ("expires_at", instant(at))));
    members.extend(entry.disabled_at.map(|at| ("disabled_at", instant(at))));
    Json::record(members)
}

fn scope_to_json(scope: &StopScope) -> Json {
    let texts = [
        ("tool", &scope.tool),
        ("identity", &scope.identity),
        ("agent", &scope.agent),
        ("environment", &scope.environment),
        ("workspace", &scope.workspace),
        ("path", &scope.path),
    ];
    let texts = texts.into_iter();
    let mut members: Vec<(&'static str, Json)> = texts
        .filter_map(|(name, text)| Some((name, Json::str(text.as_ref()?))))
        .collect();
    members.extend(scope.target.as_ref().map(|target| {
        let both = [
            ("kind", Json::str(&target.kind)),
            ("value", Json::str(&target.value)),
        ];
        ("target", Json::object(both))
    }));
    Json::record(members)
}

fn entry_from_json(json: &Json) -> Result<StopEntry, VerifyError> {
    let fields = Fields::open("stop", json, &ENTRY)?;
    let optional = |name| fields.optional(name).map(|_| fields.instant(name)).transpose();
    let entry = StopEntry {
        stop: Stop {
            id: fields.id("id")?,
            scope: scope_from_json(fields.any("scope")?)?,
        },
        reason: fields.name("reason")?,
        by: fields.name("by")?,
        added_at: fields.instant("added_at")?,
        expires_at: optional("expires_at")?,
        disabled_at: optional("disabled_at")?,
    };
    for text in [&entry.reason, &entry.by] {
        check(&fields, text)?;
    }
    Ok(entry)
}

fn scope_from_json(json: &Json) -> Result<StopScope, VerifyError> {
    let fields = Fields::open("stop scope", json, &SCOPE)?;
    let text = |name: &str| -> Result<Option<String>, VerifyError> {
        let Some(text) = fields.optional(name).map(|_| fields.name(name)).transpose()? else {
            return Ok(None);
        };
        check(&fields, &text)?;
        Ok(Some(text))
    };
    let target = fields.optional("target").map(|json| {
        let fields = Fields::open("stop target", json, &["kind", "value"])?;
        let target = StopTarget {
            kind: fields.name("kind")?,
            value: fields.name("value")?,
        };
        check(&fields, &target.value)?;
        if !StopTarget::KINDS.contains(&target.kind.as_str()) {
            return Err(fields.refuse("`kind` is none of a target"));
        }
        Ok(target)
    });
    Ok(StopScope {
        tool: text("tool")?,
        identity: text("identity")?,
        agent: text("agent")?,
        environment: text("environment")?,
        workspace: text("workspace")?,
        path: text("path")?,
        target: target.transpose()?,
    })
}

fn check(fields: &Fields<'_>, text: &str) -> Result<(), VerifyError> {
    let checked = hidden::check_line(text, limits::STOP_TEXT_BYTES);
    checked.map_err(|reason| fields.refuse(format!("`{}`: {reason}", text.escape_debug())))
}
