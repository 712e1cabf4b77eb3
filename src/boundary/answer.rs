//! What a caller is told of a call that was judged: the document that the command line prints and services answer. In: the
//! recorded call. Out: members of a JSON object. It decides nothing.

use super::{HandedOver, Recorded};
use crate::artifact::envelope::Payload;
use crate::artifact::{approval, limit, obligation};
use crate::json::Json;
use crate::secrets;

/// The members of the document; those that say where the trace is come after its id.
pub fn answer(
    recorded: &Recorded,
    place: impl IntoIterator<Item = (&'static str, Json)>,
) -> Vec<(&'static str, Json)> {
    let record = recorded.record.to_json();
    let decision = &recorded.record.decision;
    let member = |name: &'static str| (name, record.get(name).cloned().unwrap_or(Json::Null));
    let approved_by = decision.approved_by.iter().map(Json::str).collect();
    let mut members = vec![("ok", Json::Bool(true))];
    members.extend(["verdict", "enforcement"].map(member));
    members.push(("runs", Json::Bool(recorded.record.runs)));
    members.extend(["reason_codes", "matched_rules", "targets", "detail"].map(member));
    members.extend([
        ("approvals", approval::list(&decision.approvals)),
        ("approved_by", Json::Array(approved_by)),
        ("handed", handed(&recorded.handed)),
        ("obligations", obligation::list(&decision.obligations)),
        ("canonical_args", canonical_args(recorded)),
    ]);
    members.extend(["tool", "script", "permit_until", "trace_id"].map(member));
    members.extend(place);
    members.push(("trace_digest", recorded.digest.to_json()));
    members.extend(
        [
            "bundle_digest",
            "intent_digest",
            "args_digest",
            "call_digest",
            "policy",
        ]
        .map(member),
    );
    members.push(("limits", limit::list(&decision.limits)));
    members.extend(["session_id", "run_id", "previous"].map(member));
    members
}

/// What an executor should run. Of a call that must not run nobody needs the secrets.
fn canonical_args(recorded: &Recorded) -> Json {
    let mut args = recorded.canonical_args.clone().unwrap_or(Json::Null);
    if !recorded.record.runs {
        secrets::hide(&mut args);
    }
    args
}

/// What became of each approval that was handed over.
fn handed(handed: &[HandedOver]) -> Json {
    let one = |one: &HandedOver| {
        Json::object([
            ("digest", one.digest.to_json()),
            ("key_id", one.key.digest().to_json()),
            ("by", Json::str(&one.by)),
            ("standing", Json::str(one.standing.as_str())),
        ])
    };
    Json::Array(handed.iter().map(one).collect())
}
