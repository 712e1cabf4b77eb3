//! What became of permits: a record per trace of an allowed call, by the trace's digest, from the moment a step of it is
//! redeemed or it is settled. A permit without a record is as it was issued.

use super::{Key, Kind, Records, StoreError};
use crate::artifact::{Digest, SettledLimit, time};
use crate::domain::outcome::Outcome;
use crate::json::Json;
use jiff::Timestamp;

/// The schema of a record.
pub const SCHEMA: &str = "gait.permit/1";

/// The kind.
#[derive(Clone, Copy, Debug)]
pub struct Permits;

/// What became of a permit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permit {
    /// When each step was redeemed, in the order of the steps.
    pub redeemed: Vec<Timestamp>,
    /// What became of the call; none while nobody has said it.
    pub settled: Option<Settled>,
}

/// What somebody has said became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What became of it.
    pub outcome: Outcome,
    /// When it was said.
    pub at: Timestamp,
    /// The limits in which the call was settled, with what it really cost where that was said.
    pub limits: Vec<SettledLimit>,
}

impl Permit {
    /// The key of a trace's permit.
    pub fn key(trace: Digest) -> Key {
        Key::of::<Permits>(trace.to_string())
    }

    /// What records say of a trace's permit.
    pub fn read(records: &Records, trace: Digest) -> Result<Permit, StoreError> {
        let found = records.get::<Permits>(&trace.to_string())?;
        Ok(found.unwrap_or_default())
    }

    /// Writes it into records.
    pub fn write(&self, records: &mut Records, trace: Digest) -> Result<(), StoreError> {
        records.put::<Permits>(&trace.to_string(), self)
    }
}

impl Kind for Permits {
    type Value = Permit;
    const NAME: &'static str = "permit";

    fn write(name: &str, permit: &Permit) -> Json {
        let instants = permit.redeemed.iter().map(|at| Json::str(time::print(*at)));
        Json::object([
            ("schema", Json::str(SCHEMA)),
            ("trace_digest", Json::str(name)),
            ("redeemed", Json::Array(instants.collect())),
            ("settled", permit.settled.as_ref().map_or(Json::Null, settled)),
        ])
    }

    fn read(_: &str, json: &Json) -> Result<Permit, String> {
        let instants = json.get("redeemed").and_then(Json::as_array).unwrap_or_default();
        let redeemed: Option<Vec<Timestamp>> = instants.iter().map(instant).collect();
        let settled = json.get("settled").filter(|settled| **settled != Json::Null);
        let read = |settled| settled_of(settled).ok_or("what became of the call is not said");
        Ok(Permit {
            redeemed: redeemed.ok_or("the times at which it was redeemed are none")?,
            settled: settled.map(read).transpose()?,
        })
    }
}

fn instant(json: &Json) -> Option<Timestamp> {
    json.as_str().and_then(time::parse)
}

fn settled(settled: &Settled) -> Json {
    Json::object([
        ("outcome", Json::str(settled.outcome.as_str())),
        ("at", Json::str(time::print(settled.at))),
        (
            "limits",
            Json::Array(settled.limits.iter().map(SettledLimit::to_json).collect()),
        ),
    ])
}

fn settled_of(json: &Json) -> Option<Settled> {
    let limits = json.get("limits")?.as_array()?.iter();
    let limits: Option<Vec<_>> = limits.map(|one| SettledLimit::from_json(one).ok()).collect();
    Some(Settled {
        outcome: Outcome::parse(json.get("outcome")?.as_str()?)?,
        at: instant(json.get("at")?)?,
        limits: limits?,
    })
}
