//! The last state of each kill switch that a gate has seen, so that an older one that somebody puts back is told: a record
//! per kill switch, by its id.

use super::Kind;
use crate::artifact::Digest;
use crate::json::Json;

/// The schema of a record.
pub const SCHEMA: &str = "gait.kill_switch_seen/1";

/// The kind.
#[derive(Clone, Copy, Debug)]
pub struct KillSwitches;

/// A state of a kill switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub sequence: u64,
    /// Its digest.
    pub digest: Digest,
}

impl Kind for KillSwitches {
    type Value = Seen;
    const NAME: &'static str = "kill_switch";

    fn write(name: &str, seen: &Seen) -> Json {
        let sequence = i64::try_from(seen.sequence).unwrap_or(i64::MAX);
        Json::object([
            ("schema", Json::str(SCHEMA)),
            ("id", Json::str(name)),
            ("sequence", Json::int(sequence)),
            ("digest", seen.digest.to_json()),
        ])
    }

    fn read(_: &str, json: &Json) -> Result<Seen, String> {
        let sequence = json
            .get("sequence")
            .and_then(Json::as_i64)
            .and_then(|n| u64::try_from(n).ok());
        let digest = json.get("digest").and_then(Json::as_str).and_then(Digest::parse);
        let seen = Seen {
            sequence: sequence.ok_or("its number is none")?,
            digest: digest.ok_or("it names no state")?,
        };
        Ok(seen)
    }
}
