//! What an executor asks the daemon: may this call run now, and what became of it. In: the bodies of `POST /v1/permits/redeem` and
//! `POST /v1/permits/settle`. Out: documents, or why the call must not run. Permits are `boundary::permit`'s.

use super::request::{self, Given};
use super::service::Service;
use crate::artifact::envelope::Payload;
use crate::artifact::{TraceRecord, Verified, jcs, time, trace};
use crate::boundary::permit::{self, Ended, PermitError, Run};
use crate::domain::Outcome;
use crate::host::{Host, Os};
use crate::http::Refusal;
use crate::json::{self, Json};
use std::collections::BTreeMap;

impl Service {
    /// Redeems the permit of an allowed call: it may run now, once.
    pub fn redeem(&self, body: &[u8]) -> Result<Json, Refusal> {
        let mut asked = Given::read(body)?;
        let trace = self.permit(&mut asked)?;
        let args = asked.object("args")?.ok_or_else(|| request::missing("args"))?;
        let tool = asked.text("tool")?;
        let step = asked.take("step").map(|step| {
            let number = step.as_i64().and_then(|step| u64::try_from(step).ok());
            number.ok_or_else(|| request::wrong_type("step", &step))
        });
        let step = step.transpose()?;
        asked.end()?;
        let record = trace.value();
        let tool = tool.unwrap_or_else(|| tool_of(record, step).to_owned());
        let run = Run {
            step,
            tool: &tool,
            args: &args,
        };
        let now = Os.now();
        let stops = self.stops(record, now);
        let redeemed = permit::redeem(self.store(), &trace, run, stops.as_ref(), now).map_err(refused)?;
        self.metrics.redeemed();
        Ok(redeemed.document(&record.trace_id, &tool))
    }

    /// Says what became of an allowed call, once, and signs it.
    pub fn settle(&self, body: &[u8]) -> Result<Json, Refusal> {
        let mut asked = Given::read(body)?;
        let trace = self.permit(&mut asked)?;
        let outcome = asked
            .text("outcome")?
            .ok_or_else(|| request::missing("outcome"))?;
        let outcome = Outcome::parse(&outcome).ok_or_else(|| {
            let names = Outcome::ALL.map(Outcome::as_str);
            request::bad_value(format!("`outcome` is none of {}", names.join(", ")))
        })?;
        let amounts = asked.object("amounts")?;
        let amounts = amounts.as_ref().and_then(Json::as_object).unwrap_or_default();
        let amounts = self.amounts(trace.value(), amounts)?;
        asked.end()?;
        let ended = Ended { outcome, amounts };
        let now = Os.now();
        let settled = permit::settle(self.store(), &trace, &ended, now, self.key());
        let (outcome, signed) = settled.map_err(refused)?;
        // What was said before keeps its time.
        if outcome.settled_at == time::cut(now) {
            self.metrics.settled(outcome.outcome);
        }
        let document = outcome.to_json();
        let own = document.as_object().unwrap_or_default().iter().cloned();
        let envelope = json::parse(signed.as_bytes()).unwrap_or(Json::Null);
        let members = std::iter::once(("ok".into(), Json::Bool(true)))
            .chain(own.filter(|(name, _)| name != "schema"))
            .chain([("signed".into(), envelope)]);
        Ok(Json::object(members))
    }

    /// The signed trace that a request names, or has in it.
    fn permit(&self, asked: &mut Given) -> Result<Verified<TraceRecord>, Refusal> {
        let bytes = match (asked.id("trace_id")?, asked.object("trace")?) {
            (Some(id), None) => self.trace(&id)?,
            (None, Some(envelope)) => jcs::to_vec(&envelope),
            (None, None) => return Err(request::missing("trace")),
            (Some(_), Some(_)) => {
                return Err(request::bad_value(
                    "`trace_id` and `trace` are both there".to_owned(),
                ));
            }
        };
        Ok(trace::verify(&bytes, self.trusted(), Os.now())?)
    }

    /// What a call really cost, by limit, as the bundle reads amounts that judged it.
    fn amounts(
        &self,
        record: &TraceRecord,
        given: &[(json::Text, Json)],
    ) -> Result<BTreeMap<String, (String, i128)>, Refusal> {
        let invalid = |message: String| Refusal::new(400, "permit.amount", message);
        let mut amounts = BTreeMap::new();
        let boundary = self.boundary();
        if !given.is_empty() && boundary.bundle() != record.bundle_digest {
            return Err(invalid("the trace is one of another bundle".to_owned()));
        }
        for (limit, written) in given {
            let text = match written {
                Json::String(text) => text.to_string(),
                other => String::from_utf8_lossy(&jcs::to_vec(other)).into_owned(),
            };
            let amount = boundary
                .gate()
                .amount(limit, written)
                .filter(|amount| *amount >= 0);
            let amount = amount.ok_or_else(|| invalid("an amount is none of its limit".to_owned()))?;
            amounts.insert(limit.to_string(), (text, amount));
        }
        Ok(amounts)
    }
}

/// A call that must not run, or an outcome that cannot be.
fn refused(error: PermitError) -> Refusal {
    let message = error.to_string();
    match (error.code(), error) {
        (Some(code @ ("permit.step" | "permit.amount")), _) => Refusal::new(400, code, message),
        (Some(code), _) => Refusal::new(409, code, message).hint("the call must not run; judge it anew"),
        (None, PermitError::Store(error)) => error.into(),
        (None, _) => Refusal::new(422, "permit.unsigned", message),
    }
}

/// The tool of a call, or of one of its steps.
fn tool_of(record: &TraceRecord, step: Option<u64>) -> &str {
    let index = step.and_then(|step| usize::try_from(step).ok()?.checked_sub(1));
    let step = index.and_then(|index| record.decision.steps.get(index));
    step.map_or(&record.tool, |step| &step.tool)
}
