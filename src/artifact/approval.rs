//! What must be approved, as JSON in traces and outputs. In: specs. Out: their documents, and back.

use super::VerifyError;
use super::fields::{Fields, named, number, refuse, sorted};
use crate::domain::ApprovalSpec;
use crate::domain::approval::Role;
use crate::json::Json;
use std::sync::Arc;

/// The document of a spec; what is not asked for is left out.
pub fn to_json(spec: &ApprovalSpec) -> Json {
    let mut members = Vec::new();
    if let Some(role) = &spec.from {
        let role = [
            ("role", Json::str(&role.name)),
            (
                "members",
                Json::Array(role.members.iter().map(Json::str).collect()),
            ),
        ];
        members.push(("from", Json::object(role)));
    }
    members.push(("count", number(spec.count.into())));
    members.push(("distinct", Json::Bool(spec.distinct)));
    let excluding = [
        ("chain", spec.excluding_chain),
        ("requester", spec.excluding_requester),
    ];
    members.push(("excluding", words(excluding)));
    members.extend(spec.expires.map(|millis| ("expires_ms", number(millis))));
    members.push(("single_use", Json::Bool(spec.single_use)));
    members.push((
        "bind",
        words([("args", spec.bind_args), ("policy", spec.bind_policy)]),
    ));
    Json::object(members)
}

/// The documents of several specs.
pub fn list(specs: &[ApprovalSpec]) -> Json {
    Json::Array(specs.iter().map(to_json).collect())
}

fn words(flags: [(&'static str, bool); 2]) -> Json {
    let said = flags.into_iter().filter(|(_, said)| *said);
    Json::Array(said.map(|(word, _)| Json::str(word)).collect())
}

/// Reads a document.
pub(super) fn from_json(json: &Json) -> Result<ApprovalSpec, VerifyError> {
    let known = [
        "from",
        "count",
        "distinct",
        "excluding",
        "expires_ms",
        "single_use",
        "bind",
    ];
    let fields = Fields::open("trace approval", json, &known)?;
    let flag = |key: &str| match fields.any(key)? {
        Json::Bool(flag) => Ok(*flag),
        _ => Err(fields.refuse(format!("`{key}` is not true or false"))),
    };
    let count = fields.small("count")?;
    let [excluding_chain, excluding_requester] = flags(&fields, "excluding", ["chain", "requester"])?;
    let [bind_args, bind_policy] = flags(&fields, "bind", ["args", "policy"])?;
    let expires = fields.optional("expires_ms").map(|_| fields.count("expires_ms"));
    Ok(ApprovalSpec {
        from: fields.optional("from").map(role).transpose()?.map(Arc::new),
        count,
        distinct: flag("distinct")?,
        excluding_requester,
        excluding_chain,
        expires: expires.transpose()?,
        single_use: flag("single_use")?,
        bind_args,
        bind_policy,
    })
}

fn flags(fields: &Fields<'_>, key: &str, known: [&str; 2]) -> Result<[bool; 2], VerifyError> {
    let said = fields.list(key, |json| match json.as_str() {
        Some(word) if known.contains(&word) => Ok(word.to_owned()),
        _ => Err(fields.refuse(format!("`{key}` has an unknown word"))),
    })?;
    fields.sorted(key, &said)?;
    Ok(known.map(|word| said.iter().any(|s| s == word)))
}

fn role(json: &Json) -> Result<Role, VerifyError> {
    let fields = Fields::open("trace role", json, &["role", "members"])?;
    let members = people(&fields, "members")?;
    Ok(Role {
        name: fields.text("role")?.to_owned(),
        members,
    })
}

/// A list of principals.
pub(super) fn people(fields: &Fields<'_>, key: &str) -> Result<Vec<String>, VerifyError> {
    fields.list(key, |json| match json.as_str() {
        Some(name) => Ok(name.to_owned()),
        None => Err(fields.refuse(format!("`{key}` has one without a name"))),
    })
}

/// What has to hold of a spec.
pub(super) fn check(spec: &ApprovalSpec) -> Result<(), VerifyError> {
    if spec.count == 0 {
        return Err(refuse("trace approval", "`count` is none"));
    }
    match &spec.from {
        Some(role) => {
            named("trace role", "role", &role.name)?;
            check_people("trace role", "members", &role.members)
        }
        None => Ok(()),
    }
}

/// Principals are named, and sorted.
pub(super) fn check_people(what: &'static str, key: &str, people: &[String]) -> Result<(), VerifyError> {
    if people.iter().any(String::is_empty) {
        return Err(refuse(what, format!("`{key}` has one without a name")));
    }
    sorted(what, key, people)
}
