//! The heads of sessions: the last call of each, its number in the session, its signed trace, which tells what happened in
//! the session, and its intent. Gates that share a store go on from there, so a session has one chain of traces whichever of
//! them judges; and what a gate judged and did not come to write into its journal is not lost.

use super::Kind;
use crate::artifact::{Digest, Signed, TraceRecord, jcs};
use crate::json::{self, Json};

/// The schema of a record.
pub const SCHEMA: &str = "gait.session_head/1";

/// The kind; the name of a record is the session's id.
#[derive(Clone, Copy, Debug)]
pub struct Sessions;

/// The last call of a session. Nothing in it is trusted before its trace verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Last {
    /// From 1.
    pub number: u64,
    /// The digest of the trace's record.
    pub digest: Digest,
    /// The signed trace.
    pub trace: Signed<TraceRecord>,
    /// The intent, in canonical bytes.
    pub intent: Vec<u8>,
}

impl Kind for Sessions {
    type Value = Last;
    const NAME: &'static str = "session";

    fn write(name: &str, last: &Last) -> Json {
        // Both are JSON, and what is not would not be read again.
        let tree = |bytes: &[u8]| json::parse(bytes).unwrap_or(Json::Null);
        let number = i64::try_from(last.number).unwrap_or(i64::MAX);
        Json::object([
            ("schema", Json::str(SCHEMA)),
            ("session", Json::str(name)),
            ("number", Json::int(number)),
            ("trace_digest", last.digest.to_json()),
            ("trace", tree(last.trace.as_bytes())),
            ("intent", tree(&last.intent)),
        ])
    }

    fn read(_: &str, json: &Json) -> Result<Last, String> {
        let of = |member: &str| json.get(member).ok_or_else(|| format!("`{member}` is missing"));
        let number = of("number")?.as_i64().and_then(|n| u64::try_from(n).ok());
        let digest = of("trace_digest")?.as_str().and_then(Digest::parse);
        let last = Last {
            number: number.filter(|n| *n > 0).ok_or("its number is none")?,
            digest: digest.ok_or("it names no trace")?,
            trace: Signed::from_bytes(jcs::to_vec(of("trace")?)),
            intent: jcs::to_vec(of("intent")?),
        };
        Ok(last)
    }
}
