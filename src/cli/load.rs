//! Files that commands open: read within their limit, then verified. Nothing leaves here unverified.

use super::error::{Category, CliError};
use super::failure;
use super::gate::journal;
use super::ui::Ui;
use crate::artifact::{Bundle, Runpack, TrustedKeys, Verified, bundle, is_id, jcs, runpack};
use crate::boundary::Boundary;
use crate::builtins::duration;
use crate::bundling::{self, succession};
use crate::compile::Checked;
use crate::domain::{Enforcement, Intent, State};
use crate::gate::Gate;
use crate::host::Host;
use crate::json::{self, Json};
use crate::store::sessions::Sessions;
use crate::store::{self, Key, Store};
use crate::{limits, session};
use std::path::Path;

/// The bundle of a repository: what is meant where none is named. `gait policy compile` makes it of `.gait.gaitpol`.
pub const BUNDLE: &str = ".gait.gaitbundle";

/// A bundle, ready to judge.
pub fn boundary(host: &dyn Host, path: &Path, trusted: &TrustedKeys) -> Result<Boundary, CliError> {
    let bundle = bundle(host, path, trusted)?;
    Boundary::of(bundle, trusted).map_err(|error| failure::open(path, &error))
}

/// A bundle.
pub fn bundle(host: &dyn Host, path: &Path, trusted: &TrustedKeys) -> Result<Verified<Bundle>, CliError> {
    let bytes = host.read(path, limits::ARCHIVE_BYTES as u64)?;
    bundle::open(&bytes, trusted, host.now()).map_err(|error| failure::verification(path, &error))
}

/// A bundle that enforces nothing is worth a word wherever it is used.
pub fn warn_unenforced(ui: &mut Ui, enforcement: Enforcement) {
    if !enforcement.binds() && !ui.is_json() {
        ui.warn(&format!(
            "the bundle enforces nothing ({enforcement}): every call runs that no kill switch stops"
        ));
    }
}

/// A bundle of which a cosigner may be one of the signers.
pub fn cosigned(
    host: &dyn Host,
    path: &Path,
    trusted: &TrustedKeys,
    cosigners: &TrustedKeys,
) -> Result<Verified<Bundle>, CliError> {
    let bytes = host.read(path, limits::ARCHIVE_BYTES as u64)?;
    succession::open(&bytes, trusted, cosigners, host.now())
        .map_err(|error| failure::verification(path, &error))
}

/// The sources of a bundle, compiled again to the same program.
pub fn sources(bundle: &Verified<Bundle>) -> Result<Checked, CliError> {
    let compiler = &bundle.value().contents.compiler;
    bundling::rebuild(bundle.value()).map_err(|difference| failure::rebuild(&difference, compiler))
}

/// What happened in a session so far, as its last trace tells; the start of one that neither the store nor a journal knows.
pub fn session_state(
    (host, store): (&dyn Host, &dyn Store),
    session: &str,
    trusted: &TrustedKeys,
    gate: &Gate,
) -> Result<State, CliError> {
    let path = journal(session);
    let no_state = |message: String| CliError::new(Category::InvalidInput, "session.no_state", message);
    let head = store::read(store, [Key::of::<Sessions>(session)]);
    let head = head.and_then(|records| records.get::<Sessions>(session));
    let trace = match head.map_err(|error| failure::store(&error))? {
        Some(last) => last.trace,
        // The store does not know it: a session that its journal alone tells, or none.
        None if !host.exists(&path) => return Ok(gate.fresh_state()),
        None => {
            let mut entries = session::read(host, &path).map_err(failure::session)?.entries;
            let last = entries.pop().ok_or_else(|| {
                let message = format!("the journal of session {session} is there and has no entry");
                no_state(message).hint("it has lost its calls; explain the call in a new session")
            })?;
            last.trace
        }
    };
    let verified = trace.verify(trusted, host.now());
    let verified = verified.map_err(|error| failure::verification(&path, &error))?;
    let untold = |reason: String| {
        let message = format!("the last trace of session {session} tells no state: {reason}");
        no_state(message).hint("a session is explained by the policy that judged it")
    };
    let state = verified.value().state.as_ref();
    let after = state.ok_or_else(|| untold("it has none".to_owned()))?;
    gate.read_state(&jcs::to_vec(&after.after))
        .map_err(|error| untold(error.to_string()))
}

/// A runpack with its bytes.
pub fn runpack(
    host: &dyn Host,
    path: &Path,
    trusted: &TrustedKeys,
) -> Result<(Verified<Runpack>, Vec<u8>), CliError> {
    let bytes = host.read(path, limits::ARCHIVE_BYTES as u64)?;
    let pack = runpack::open(&bytes, trusted, host.now());
    Ok((pack.map_err(|error| failure::verification(path, &error))?, bytes))
}

/// An intent.
pub fn intent(host: &dyn Host, path: &Path) -> Result<Intent, CliError> {
    let bytes = host.read(path, limits::JSON_BYTES as u64)?;
    Intent::read(&bytes).map_err(|error| failure::intent(path, &error))
}

/// The facts of a call: one JSON object.
pub fn facts(host: &dyn Host, path: &Path) -> Result<Json, CliError> {
    let bytes = host.read(path, limits::JSON_BYTES as u64)?;
    let refuse = |reason: String| {
        let message = format!("{} holds no facts: {reason}", path.display());
        CliError::new(Category::InvalidInput, "facts.malformed", message)
            .hint("facts are a JSON object with a member per fact that the policy's `context` declares")
    };
    match json::parse(&bytes).map_err(|error| refuse(error.to_string()))? {
        facts @ Json::Object(_) => Ok(facts),
        other => Err(refuse(format!("it is {}", other.kind()))),
    }
}

/// A duration of a flag in milliseconds: more than none, and at most so many.
pub fn duration((flag, code): (&str, &'static str), text: &str, most: i128) -> Result<i64, CliError> {
    let refused = |reason: String| bad_duration((flag, code), text, &reason);
    let millis = duration::parse(text).map_err(|error| refused(error.to_string()))?;
    let hours = most / (60 * 60 * 1_000);
    let range = || match hours {
        1 => refused("it is more than nothing and at most an hour".to_owned()),
        hours => refused(format!("it is more than nothing and at most {} days", hours / 24)),
    };
    if !(1..=most).contains(&millis) {
        return Err(range());
    }
    i64::try_from(millis).map_err(|_| range())
}

/// How long a call may wait to run once it is allowed.
pub fn permit_for(text: &str) -> Result<i64, CliError> {
    duration(("--permit-for", "gate.permit_for"), text, limits::PERMIT_MILLIS)
}

/// Why a duration of a flag cannot be used.
pub fn bad_duration((flag, code): (&str, &'static str), text: &str, reason: &str) -> CliError {
    let message = format!("`{flag} {}`: {reason}", text.escape_debug());
    CliError::new(Category::InvalidInput, code, message).hint("write it like 15m, 1h30m or 7d")
}

/// The time of a call: RFC 3339 with any offset.
pub fn time(text: &str) -> Result<jiff::Timestamp, CliError> {
    text.parse().map_err(|_| {
        let (first, last) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
        if crate::builtins::instant::parse(text).is_ok() {
            let message = format!("`{text}` is not between {first} and {last}");
            return CliError::new(Category::InvalidInput, "usage.bad_time", message)
                .hint("name a time that a clock may show");
        }
        let message = format!("`{text}` is not a time");
        CliError::new(Category::InvalidInput, "usage.bad_time", message)
            .hint("write it like 2026-01-31T12:00:00Z (RFC 3339)")
    })
}

/// A session or run id, which becomes part of a file's name.
pub fn id(what: &str, text: Option<String>) -> Result<Option<String>, CliError> {
    match text {
        Some(text) if !is_id(&text) => {
            let message = format!("`{text}` is not a {what} id");
            let error = CliError::new(Category::InvalidInput, "usage.bad_id", message);
            Err(error.hint("an id is 1 to 64 of a-z, 0-9, `-` and `_`, and starts with a letter or digit"))
        }
        other => Ok(other),
    }
}
