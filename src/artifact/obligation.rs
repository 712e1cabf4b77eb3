//! What a decision obliges to, as JSON in traces and outputs. In: obligations. Out: their documents, and back.

use super::VerifyError;
use super::fields::Fields;
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

/// The obligations of a document: sorted, one of a name and place; none where the member is not there.
pub(super) fn read(fields: &Fields<'_>) -> Result<Vec<Obligation>, VerifyError> {
    if fields.optional("obligations").is_none() {
        return Ok(Vec::new());
    }
    let obligations = fields.list("obligations", from_json)?;
    if obligations.is_empty() || !obligations.is_sorted_by(|a, b| a.key() < b.key()) {
        return Err(fields.refuse("`obligations` is empty or not sorted"));
    }
    Ok(obligations)
}

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
        Json::Object(params) if params.is_sorted_by(|a, b| a.0 < b.0) => Ok(Obligation {
            name: fields.name("name")?,
            place,
            params: params.clone(),
        }),
        _ => Err(fields.refuse("`params` is no sorted object")),
    }
}
