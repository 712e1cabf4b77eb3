//! Outcomes: the signed word of a runtime on what became of a call that was allowed. In: the trace's names, what was
//! redeemed and said. Out: envelope bytes, and back. It proves who says so, not that it is so.

use jiff::Timestamp;

use super::envelope::{Payload, PayloadType};
use super::fields::Fields;
use super::{Digest, VerifyError, time};
use crate::domain::outcome::Outcome;
use crate::json::Json;
use crate::limits;

/// What became of one allowed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOutcome {
    /// The trace that allowed it.
    pub trace_digest: Digest,
    /// The id of that trace.
    pub trace_id: String,
    /// The tool, for people; the trace binds it.
    pub tool: String,
    /// What became of it.
    pub outcome: Outcome,
    /// When each step was redeemed, in the order of the steps.
    pub redeemed_at: Vec<Timestamp>,
    /// When this was said.
    pub settled_at: Timestamp,
    /// The limits in which the call was settled, in the order of the trace.
    pub limits: Vec<SettledLimit>,
}

/// A limit in which a call was settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettledLimit {
    /// Its name.
    pub limit: String,
    /// What the call really cost, as it was written; none where nobody has said it, so that it costs what was charged.
    pub amount: Option<String>,
}

impl SettledLimit {
    /// Its document.
    pub fn to_json(&self) -> Json {
        let amount = self.amount.as_ref().map_or(Json::Null, Json::str);
        Json::object([("limit", Json::str(&self.limit)), ("amount", amount)])
    }

    /// Reads its document.
    pub fn from_json(json: &Json) -> Result<SettledLimit, VerifyError> {
        let fields = Fields::open("settled limit", json, &["limit", "amount"])?;
        let amount = match fields.any("amount")? {
            Json::Null => None,
            _ => Some(fields.name("amount")?),
        };
        Ok(SettledLimit {
            limit: fields.name("limit")?,
            amount,
        })
    }
}

const MEMBERS: [&str; 8] = [
    "schema",
    "trace_digest",
    "trace_id",
    "tool",
    "outcome",
    "redeemed_at",
    "settled_at",
    "limits",
];

impl Payload for CallOutcome {
    const TYPE: PayloadType = PayloadType::Outcome;

    fn to_json(&self) -> Json {
        let redeemed = self.redeemed_at.iter().map(|at| Json::str(time::print(*at)));
        Json::record(vec![
            ("schema", Json::str(Self::TYPE.schema())),
            ("trace_digest", self.trace_digest.to_json()),
            ("trace_id", Json::str(&self.trace_id)),
            ("tool", Json::str(&self.tool)),
            ("outcome", Json::str(self.outcome.as_str())),
            ("redeemed_at", Json::Array(redeemed.collect())),
            ("settled_at", Json::str(time::print(self.settled_at))),
            (
                "limits",
                Json::Array(self.limits.iter().map(SettledLimit::to_json).collect()),
            ),
        ])
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let fields = Fields::open("outcome", json, &MEMBERS)?;
        fields.constant("schema", Self::TYPE.schema())?;
        let outcome = Outcome::parse(fields.text("outcome")?);
        let outcome = outcome.ok_or_else(|| fields.refuse("`outcome` is none of a call"))?;
        let redeemed_at = fields.list("redeemed_at", |json| {
            let at = json.as_str().and_then(time::parse);
            at.ok_or_else(|| fields.refuse("`redeemed_at` has one that is no time"))
        })?;
        let fits = redeemed_at.len() <= limits::SCRIPT_STEPS;
        if !fits || (redeemed_at.is_empty() && outcome.was_started()) {
            return Err(fields.refuse("`redeemed_at` does not go with `outcome`"));
        }
        let limits = fields.list("limits", SettledLimit::from_json)?;
        if !outcome.counts() && limits.iter().any(|one| one.amount.is_some()) {
            return Err(fields.refuse("`limits` has an amount of a call that does not count"));
        }
        Ok(CallOutcome {
            trace_digest: fields.digest("trace_digest")?,
            trace_id: fields.id("trace_id")?,
            tool: fields.name("tool")?,
            outcome,
            redeemed_at,
            settled_at: fields.instant("settled_at")?,
            limits,
        })
    }
}
