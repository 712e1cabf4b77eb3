//! The kill switch: whether a call is one that an operator has stopped. In: stops, a request, the targets that the tool's
//! declaration derives. Out: the stop that is about the call. What a caller would have to say of itself and does not say counts
//! as what the stop names, so that saying nothing, or nothing readable, never gets past it.

use crate::builtins::{host, path, person::person, url};
use crate::domain::stop::{Stop, StopScope, StopTarget};
use crate::domain::{Request, Target};
use crate::json::Json;

/// The first stop that is about a call. Without targets, only of those that are about none.
pub(super) fn stopping<'s>(
    stops: &'s [Stop],
    request: &Request<'_>,
    targets: Option<&[Target]>,
) -> Option<&'s Stop> {
    stops.iter().find(|stop| match targets {
        None => !stop.scope.is_of_targets() && is_of_call(&stop.scope, request),
        Some(targets) => {
            stop.scope.is_of_targets()
                && is_of_call(&stop.scope, request)
                && is_of_targets(&stop.scope, request, targets)
        }
    })
}

/// The first stop that is about a call that was judged, by the targets that were derived; where nobody knows what was claimed
/// beside them, a stop about targets may be about it, too.
pub fn stop_of<'s>(
    stops: &'s [Stop],
    request: &Request<'_>,
    targets: &[Target],
    knows_claims: bool,
) -> Option<&'s Stop> {
    let may_be =
        |stop: &&Stop| !knows_claims && stop.scope.is_of_targets() && is_of_call(&stop.scope, request);
    stopping(stops, request, None)
        .or_else(|| stopping(stops, request, Some(targets)))
        .or_else(|| stops.iter().find(may_be))
}

/// Whether what a stop says of anything but targets holds of a call.
fn is_of_call(scope: &StopScope, request: &Request<'_>) -> bool {
    let context = request.intent.get("context");
    let said = |name: &str| {
        context
            .and_then(|context| context.get(name))
            .and_then(Json::as_str)
    };
    let known = |name: &str| request.fact(name).and_then(Json::as_str);
    let same = |wanted: &Option<String>, name: &str| {
        wanted.as_ref().is_none_or(|wanted| {
            let found: Vec<&str> = [said(name), known(name)].into_iter().flatten().collect();
            found.is_empty() || found.iter().any(|found| person(found) == person(wanted))
        })
    };
    let tool = scope
        .tool
        .as_ref()
        .is_none_or(|wanted| is_tool(wanted, request.tool));
    let workspace = scope.workspace.as_ref().is_none_or(|folder| {
        let said = said("workspace").and_then(|said| path::parse(said).ok());
        said.is_none_or(|said| is_under(&said, folder))
    });
    tool && workspace
        && same(&scope.identity, "identity")
        && same(&scope.agent, "agent_id")
        && same(&scope.environment, "environment")
}

fn is_tool(wanted: &str, tool: &str) -> bool {
    match wanted.strip_suffix(".*") {
        Some(group) => tool
            .strip_prefix(group)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
        None => wanted == tool,
    }
}

fn is_under(found: &str, folder: &str) -> bool {
    path::parse(folder).is_ok_and(|folder| path::under(found, &folder))
}

/// Whether one target is all that a stop says of targets: one that the declaration derives, or one that the caller claims.
fn is_of_targets(scope: &StopScope, request: &Request<'_>, targets: &[Target]) -> bool {
    let claimed = request.intent.get("targets").and_then(Json::as_array);
    let claimed = claimed.unwrap_or_default().iter().filter_map(|target| {
        let text = |name: &str| target.get(name).and_then(Json::as_str);
        Some((text("kind")?, text("value")?))
    });
    let derived = targets
        .iter()
        .map(|target| (target.kind.as_str(), target.value.as_str()));
    derived.chain(claimed).any(|(kind, value)| {
        let path = scope.path.as_ref().is_none_or(|folder| {
            kind == "path" && absolute(value, request).is_none_or(|found| is_under(&found, folder))
        });
        path && scope
            .target
            .as_ref()
            .is_none_or(|wanted| is_target(wanted, kind, value))
    })
}

/// A path from the root: one that is not is in the workspace. None where nobody can tell.
fn absolute(written: &str, request: &Request<'_>) -> Option<String> {
    let found = path::parse(written).ok()?;
    if found.starts_with('/') {
        return Some(found.as_str().to_owned());
    }
    let workspace = request.intent.get("context")?.get("workspace")?.as_str()?;
    let found = path::parse(&format!("{workspace}/{found}")).ok()?;
    found.starts_with('/').then(|| found.as_str().to_owned())
}

/// Whether a target is the one to stop. A host stops what is under it, and the URLs and addresses at it.
fn is_target(wanted: &StopTarget, kind: &str, value: &str) -> bool {
    if wanted.kind != "host" {
        return wanted.kind == kind && canonical(kind, value) == canonical(kind, &wanted.value);
    }
    let Ok(domain) = host::parse(&wanted.value) else {
        return false;
    };
    let found = match kind {
        "host" => host::parse(value).ok(),
        "url" => url::parse(value)
            .ok()
            .and_then(|url| host::parse(url.host()).ok()),
        "email" => value
            .rsplit_once('@')
            .and_then(|(_, domain)| host::parse(domain).ok()),
        _ => None,
    };
    found.is_some_and(|found| host::under(&found, &domain))
}

/// The same for all spellings that a stop must not tell apart: of a mailbox in whatever case, too.
fn canonical(kind: &str, value: &str) -> String {
    match kind {
        "url" => url::parse(value).map_or_else(|_| value.to_owned(), |url| url.text().to_owned()),
        "email" => person(value),
        _ => value.to_owned(),
    }
}
