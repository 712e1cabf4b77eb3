//! From the errors of the library to what a command reports: one function per kind of error, so that the same
//! failure has the same code and exit everywhere.

use super::error::{Category, CliError};
use crate::artifact::{BuildError, VerifyError};
use crate::boundary::{OpenError, WriteError};
use crate::bundling::{COMPILER, Difference, SuccessionError};
use crate::gate::IntentError;
use crate::json::Json;
use crate::regress::RegressError;
use crate::session::{NO_TRACE, RecordError, SessionError};
use crate::store::StoreError;
use std::path::Path;

/// An artifact that does not verify.
pub fn verification(path: &Path, error: &VerifyError) -> CliError {
    let failed = CliError::from(error.clone()).in_file(path);
    match error {
        VerifyError::KeyUnknown(_) | VerifyError::KeyExpired(_) | VerifyError::KeyNotYetValid(_) => failed,
        _ => failed.hint("do not use this file; take it again from where it was made"),
    }
}

/// A bundle that cannot decide.
pub fn open(path: &Path, error: &OpenError) -> CliError {
    match error {
        OpenError::Verify(error) => verification(path, error),
        OpenError::Succession(error) => succession(path, error),
        OpenError::Program(reason) => about(
            path,
            Category::Verification,
            error.code(),
            &format!(
                "{}: the bundle's program cannot be read: {reason}",
                path.display()
            ),
        )
        .hint("compile the policy again with this version of gait"),
    }
}

/// A bundle that may not follow another.
pub fn succession(path: &Path, error: &SuccessionError) -> CliError {
    let message = format!("{}: {error}", path.display());
    let failed = about(path, Category::Verification, error.code(), &message);
    match error {
        SuccessionError::Loosens(_) | SuccessionError::Undecided(_) | SuccessionError::Enforcement { .. } => {
            failed.hint("`gait bundle cosign` adds the second signature, of a key that `--cosigner` names")
        }
        SuccessionError::Epoch { .. } => failed.hint("`gait policy compile --epoch N` numbers releases"),
        SuccessionError::Policy { .. } => failed,
    }
}

/// A bundle whose sources do not make its program for this compiler; `compiler` made it.
pub fn rebuild(difference: &Difference, compiler: &str) -> CliError {
    let error = CliError::new(Category::Verification, difference.code(), difference.to_string());
    if compiler == COMPILER {
        return error.hint(match difference {
            Difference::ProofMissing(_)
            | Difference::ProofExtra(_)
            | Difference::Claim { .. }
            | Difference::Unproved { .. }
            | Difference::After { .. } => "what the bundle says is proved is not; do not use it",
            Difference::Succession(_) => "name the bundle that it follows",
            _ => "the bundle was not made from the sources in it; do not use it",
        });
    }
    error.hint(format!(
        "compiler {compiler} made the bundle and this is {COMPILER}: rebuild with that version"
    ))
}

/// Bytes that are no intent.
pub fn intent(path: &Path, error: &IntentError) -> CliError {
    let message = format!("{} is refused: {}", path.display(), error.message);
    let pointer = ("pointer", Json::str(&error.pointer));
    let path = ("path", Json::str(path.to_string_lossy()));
    CliError::new(Category::InvalidInput, error.code, message)
        .details([path, pointer])
        .hint(intent_hint(error.code))
}

fn intent_hint(code: &str) -> &'static str {
    match code {
        "intent.syntax" => "send one JSON document in UTF-8, without a byte order mark or anything after it",
        "intent.duplicate_key" => "name every member once; readers disagree on which of two counts",
        "intent.number_not_exact" => {
            "send a large or long number as a string, where the policy's type reads decimal text"
        }
        "intent.too_large" => "send large contents by reference, such as a path",
        "intent.bad_script" => "send a script with `tool_name` \"script\", empty `args`, and 1 to 64 steps",
        _ => "schemas/v1/gate/intent_request.schema.json describes every member",
    }
}

/// A call that has no trace, so has no verdict.
pub fn no_trace(reason: &str) -> CliError {
    let message = format!("the call cannot be recorded, so it may not run: {reason}");
    CliError::new(Category::InvalidInput, NO_TRACE, message)
}

/// A call that has no trace that is kept, for whatever reason.
pub fn unwritten(error: WriteError) -> CliError {
    match error {
        WriteError::Build(error) => no_trace(&error.to_string()),
        WriteError::Session(error) => session(error),
        WriteError::Traces(error) => error.into(),
    }
}

/// A journal that cannot be used.
pub fn session(error: SessionError) -> CliError {
    match error {
        SessionError::Host(error) => error.into(),
        SessionError::NoTrace(reason) => no_trace(&reason),
        SessionError::Store(error) => store(&error),
        SessionError::Forked { ref path, .. } => {
            about(path, Category::Verification, error.code(), &error.to_string())
                .hint("keep both as evidence, and go on in a new session")
        }
        SessionError::Foreign { ref path, .. } => {
            about(path, Category::Verification, error.code(), &error.to_string())
                .hint("a session goes on in its own journal only; name the session it holds, or a new one")
        }
        SessionError::Entry { ref path, .. } | SessionError::Last { ref path, .. } => {
            about(path, Category::Verification, error.code(), &error.to_string())
                .hint("keep the file as evidence, and go on in a new session")
        }
    }
}

/// A run that cannot be packed.
pub fn record(path: &Path, error: &RecordError) -> CliError {
    let message = format!("{}: {error}", path.display());
    let (category, code) = match error {
        RecordError::Trace { error, .. } | RecordError::Pack(error) => (Category::Verification, error.code()),
        RecordError::Foreign { .. } => (Category::Verification, "session.foreign"),
        RecordError::NoTrace { .. } => (Category::InvalidInput, "run.no_trace"),
        RecordError::Interleaved { .. } => (Category::InvalidInput, "run.interleaved"),
        RecordError::Build(error) => (build_category(error), error.code()),
    };
    let failed = about(path, category, code, &message);
    match error {
        RecordError::NoTrace { .. } => failed.hint("name the run with --run"),
        RecordError::Interleaved { .. } => failed.hint("give each run a session of its own"),
        _ => failed,
    }
}

fn build_category(error: &BuildError) -> Category {
    match error {
        BuildError::Verify(_) => Category::Verification,
        BuildError::Invalid(_) | BuildError::Duplicate(_) | BuildError::Archive(_) => Category::InvalidInput,
    }
}

/// A fixture that cannot be made or run.
pub fn regress(path: &Path, error: &RegressError) -> CliError {
    let category = match error {
        RegressError::Shape(_) | RegressError::Changed => Category::Verification,
        RegressError::NoCase
        | RegressError::TooMany
        | RegressError::IntentMissing { .. }
        | RegressError::Intent { .. } => Category::InvalidInput,
    };
    let message = format!("{}: {error}", path.display());
    about(path, category, error.code(), &message)
}

fn about(path: &Path, category: Category, code: &str, message: &str) -> CliError {
    CliError::new(category, code, message).details([("path", Json::str(path.to_string_lossy()))])
}

/// A store that cannot be used.
pub fn store(error: &StoreError) -> CliError {
    let new = |category| CliError::new(category, error.code(), error.to_string());
    let told = match error {
        StoreError::Host(error) => return error.clone().into(),
        StoreError::Damaged { .. } => new(Category::Verification)
            .hint("keep the store as evidence; while it is there, calls that need the record are blocked"),
        StoreError::Foreign { .. } => new(Category::Verification)
            .hint("name the folder of a store of this version, or one that is not there yet"),
        StoreError::Contended { .. } => new(Category::Internal),
        StoreError::Unknown { .. } => new(Category::Internal),
        StoreError::Failed { .. } => new(Category::Internal),
        StoreError::TooMuch { .. } => new(Category::InvalidInput),
        StoreError::NotLocked { .. } => new(Category::Internal),
    };
    let place = ("place", Json::str(error.place()));
    told.details([place])
}
