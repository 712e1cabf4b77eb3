//! What a decision obliges to, as JSON in traces and outputs. In: obligations. Out: their documents, and back.

use super::VerifyError;
use super::fields::{Fields, named, refuse};
use crate::domain::Obligation;
use crate::json::Json;

/// The document of an obligation; `place` is left out where it is about the call.
pub fn to_json(obligation: &Obligation) -> Json {
    let mut members = vec![("name", Json::str(&obligation.name))];
    members.extend(obligation.place.as_ref().map(|place| {
        let names = place.iter().map(Json::str).collect();
        ("place", Json::Array(names))
    }));
    members.push(("params", Json::Object(obligation.params.clone())));
    Json::object(members)
}

/// The documents of several obligations.
pub fn list(obligations: &[Obligation]) -> Json {
    Json::Array(obligations.iter().map(to_json).collect())
}

/// The obligations of a document; none where the member is not there.
pub(super) fn read(fields: &Fields<'_>) -> Result<Vec<Obligation>, VerifyError> {
    if fields.optional("obligations").is_none() {
        return Ok(Vec::new());
    }
    let obligations = fields.list("obligations", from_json)?;
    if obligations.is_empty() {
        return Err(fields.refuse(UNSORTED));
    }
    Ok(obligations)
}

const UNSORTED: &str = "`obligations` is empty or not sorted";

/// What has to hold of obligations: sorted, one of a name and place, and the same of their parameters.
pub(super) fn check(obligations: &[Obligation]) -> Result<(), VerifyError> {
    for obligation in obligations {
        named("trace obligation", "name", &obligation.name)?;
        if !obligation.params.is_sorted_by(|a, b| a.0 < b.0) {
            return Err(refuse("trace obligation", NO_PARAMS));
        }
    }
    if !obligations.is_sorted_by(|a, b| a.key() < b.key()) {
        return Err(refuse("trace", UNSORTED));
    }
    Ok(())
}

const NO_PARAMS: &str = "`params` is no sorted object";

fn from_json(json: &Json) -> Result<Obligation, VerifyError> {
    let fields = Fields::open("trace obligation", json, &["name", "place", "params"])?;
    let name = |json: &Json| match json.as_str() {
        Some(name) => Ok(name.to_owned()),
        None => Err(fields.refuse("`place` has an element that is no name")),
    };
    let place = match fields.optional("place") {
        None => None,
        Some(_) => Some(fields.list("place", name)?),
    };
    match fields.any("params")? {
        Json::Object(params) => Ok(Obligation {
            name: fields.text("name")?.to_owned(),
            place,
            params: params.clone(),
        }),
        _ => Err(fields.refuse(NO_PARAMS)),
    }
}
