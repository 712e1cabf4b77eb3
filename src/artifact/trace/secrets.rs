//! What a trace says of secrets: by which table they were looked for, where some were found, and whether they were kept. In:
//! the member `secrets`. Out: the same as data. A secret itself is no part of it.

use super::Fields;
use crate::artifact::VerifyError;
use crate::artifact::fields::{named, refuse, sorted};
use crate::artifact::members::Sink;
use crate::json::Json;
use crate::limits;

/// The secrets of a call, as its trace tells of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSecrets {
    /// The number of the table by which they were looked for.
    pub table: u32,
    /// Where they were found; sorted, distinct, at most `limits::SECRETS_NAMED`.
    pub found: Vec<TraceSecret>,
    /// Whether the intent that is digested has them: somebody asked for it.
    pub kept: bool,
}

/// A secret of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TraceSecret {
    /// Where in the intent, such as `args.headers[0].value`.
    pub at: String,
    /// What it is, such as `github_token`.
    pub kind: String,
}

/// Reads the member.
pub(super) fn from_json(json: &Json) -> Result<TraceSecrets, VerifyError> {
    let fields = Fields::open("trace secrets", json, &["found", "kept", "table"])?;
    let found = fields.list("found", |json| {
        let fields = Fields::open("trace secret", json, &["at", "kind"])?;
        Ok(TraceSecret {
            at: fields.text("at")?.to_owned(),
            kind: fields.text("kind")?.to_owned(),
        })
    })?;
    let kept = match fields.optional("kept") {
        None => false,
        Some(Json::Bool(true)) => true,
        Some(_) => return Err(fields.refuse("`kept` is there and not true")),
    };
    Ok(TraceSecrets {
        table: fields.small("table")?,
        found,
        kept,
    })
}

/// Checks what was read, or is about to be signed.
pub(super) fn check(secrets: &TraceSecrets) -> Result<(), VerifyError> {
    sorted("trace secrets", "found", &secrets.found)?;
    for one in &secrets.found {
        named("trace secret", "at", &one.at)?;
        named("trace secret", "kind", &one.kind)?;
    }
    if secrets.found.len() > limits::SECRETS_NAMED {
        return Err(refuse("trace secrets", "`found` has too many"));
    }
    if secrets.kept && secrets.found.is_empty() {
        return Err(refuse("trace secrets", "`kept` does not go with `found`"));
    }
    Ok(())
}

/// The members of it.
pub(super) fn members(secrets: &TraceSecrets, to: &mut impl Sink) {
    to.objects("found", &secrets.found, |one, to| {
        to.text("at", &one.at);
        to.text("kind", &one.kind);
    });
    if secrets.kept {
        to.json("kept", &Json::Bool(true));
    }
    to.number("table", secrets.table.into());
}
