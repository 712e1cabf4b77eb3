//! What went wrong with a command: a category, which chooses the exit code, a stable code for programs, a message
//! for people. The JSON error envelope of `--json` is written here and nowhere else.

use super::exit::Exit;
use crate::artifact::{BuildError, KeyError, VerifyError};
use crate::host::HostError;
use crate::json::{Json, Text};
use std::path::Path;

/// The kind of failure. Verdicts are not errors and are not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// A bug, or the machine failed.
    Internal,
    /// A signature, digest or archive is not what it must be.
    Verification,
    /// A recorded decision came out differently.
    Regression,
    /// A policy, intent, file or command line that cannot be used.
    InvalidInput,
    /// Something that must be installed or configured is not there.
    MissingDependency,
    /// The operation would lose or expose something.
    Unsafe,
}

impl Category {
    /// All of them, in the order of their exit codes.
    pub const ALL: [Category; 6] = [
        Category::Internal,
        Category::Verification,
        Category::Regression,
        Category::InvalidInput,
        Category::MissingDependency,
        Category::Unsafe,
    ];

    /// The name in the JSON envelope.
    pub fn as_str(self) -> &'static str {
        match self {
            Category::Internal => "internal",
            Category::Verification => "verification",
            Category::Regression => "regression",
            Category::InvalidInput => "invalid_input",
            Category::MissingDependency => "missing_dependency",
            Category::Unsafe => "unsafe",
        }
    }
}

/// The failure of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliError {
    /// Chooses the exit code.
    pub category: Category,
    /// Stable and dotted, such as `keys.exists`; programs may match it.
    pub code: String,
    /// One sentence for people.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// Whatever a program needs beyond the code; an object.
    pub details: Json,
}

impl CliError {
    /// An error without hint or details.
    pub fn new(category: Category, code: impl Into<String>, message: impl Into<String>) -> Self {
        let details = Json::Object(Vec::new());
        Self {
            category,
            code: code.into(),
            message: message.into(),
            hint: None,
            details,
        }
    }

    /// Says what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds members to the details.
    pub fn details<K: Into<Text>>(mut self, members: impl IntoIterator<Item = (K, Json)>) -> Self {
        self.details = Json::object(members);
        self
    }

    /// Says which file it is about: before the message, and as `details.path`.
    pub fn in_file(mut self, path: &Path) -> Self {
        self.message = format!("{}: {}", path.display(), self.message);
        self.details([("path", Json::str(path.to_string_lossy()))])
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        Exit::of_category(self.category)
    }

    /// The envelope of `schemas/v1/cli/error.schema.json`.
    pub fn envelope(&self) -> Json {
        let hint = self.hint.as_ref().map_or(Json::Null, Json::str);
        let error = Json::object([
            ("code", Json::str(&self.code)),
            ("category", Json::str(self.category.as_str())),
            ("message", Json::str(&self.message)),
            ("hint", hint),
            ("details", self.details.clone()),
        ]);
        let exit = Json::int(i64::from(self.exit().code()));
        Json::object([("ok", Json::Bool(false)), ("error", error), ("exit_code", exit)])
    }
}

impl From<HostError> for CliError {
    fn from(error: HostError) -> Self {
        let category = match &error {
            HostError::NotFound { .. }
            | HostError::Permission { .. }
            | HostError::TooLarge { .. }
            | HostError::NotRegular { .. }
            | HostError::NotFolder { .. } => Category::InvalidInput,
            HostError::Linked { .. }
            | HostError::Exists { .. }
            | HostError::Exposed { .. }
            | HostError::Foreign { .. } => Category::Unsafe,
            HostError::Contended { .. } | HostError::Io { .. } | HostError::Entropy { .. } => {
                Category::Internal
            }
        };
        let path = error.path().map(|p| ("path", Json::str(p.to_string_lossy())));
        let told = CliError::new(category, error.code(), error.to_string()).details(path);
        match error {
            HostError::NotFound { path } if path.is_relative() => told.hint(
                "look at the spelling, and at the folder: names are looked for from the one you are in",
            ),
            HostError::NotFound { .. } => told.hint("look at the spelling"),
            _ => told,
        }
    }
}

impl From<VerifyError> for CliError {
    fn from(error: VerifyError) -> Self {
        let unknown = matches!(error, VerifyError::KeyUnknown(_));
        let refused = CliError::new(Category::Verification, error.code(), error.to_string());
        if unknown {
            refused.hint("if you trust the signer, name its public key with `--trust FILE`")
        } else {
            refused
        }
    }
}

impl From<KeyError> for CliError {
    fn from(error: KeyError) -> Self {
        CliError::new(Category::Verification, error.code(), error.to_string())
    }
}

impl From<BuildError> for CliError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Verify(error) => error.into(),
            error => CliError::new(Category::InvalidInput, error.code(), error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CliError, HostError};
    use crate::json::Json;
    use std::path::PathBuf;

    #[test]
    fn what_the_user_gave_is_invalid_input_and_nothing_is_overwritten() {
        let path = || PathBuf::from("a/b");
        for (error, code, exit) in [
            (HostError::NotFound { path: path() }, "file.not_found", 6),
            (HostError::Permission { path: path() }, "file.permission", 6),
            (
                HostError::TooLarge {
                    path: path(),
                    limit: 1,
                },
                "file.too_large",
                6,
            ),
            (HostError::NotRegular { path: path() }, "file.not_regular", 6),
            (HostError::NotFolder { path: path() }, "file.not_folder", 6),
            (HostError::Linked { path: path() }, "file.linked", 8),
            (HostError::Exists { path: path() }, "file.exists", 8),
            (
                HostError::Exposed {
                    path: path(),
                    mode: 0o644,
                },
                "file.exposed",
                8,
            ),
            (HostError::Foreign { path: path() }, "file.foreign", 8),
            (
                HostError::Io {
                    path: path(),
                    reason: "disk".to_owned(),
                },
                "file.io",
                1,
            ),
        ] {
            let error = CliError::from(error);
            assert_eq!((error.code.as_str(), error.exit().code()), (code, exit));
            assert_eq!(
                error.details.get("path").and_then(Json::as_str),
                Some("a/b"),
                "{code}"
            );
        }
    }
}
