//! Policy files as the commands of the group read them, and how several of them report mistakes.

use crate::cli::error::{Category, CliError};
use crate::cli::render::{self, Findings};
use crate::cli::ui::{Ui, one_line};
use crate::compile::{self, Checked, Purpose, Report};
use crate::host::{Host, HostError, INPUT};
use crate::prove::{self, Proof};
use crate::{limits, project};
use std::path::{Path, PathBuf};

/// The policy of a repository: what is meant where no file is named.
pub(super) const REPOSITORY: &str = ".gait.gaitpol";

/// One policy file.
#[derive(Clone, Debug)]
pub(super) struct PolicyFile {
    pub path: PathBuf,
    /// The path with `/`, as diagnostics and traces write it.
    pub name: String,
    pub text: String,
}

impl PolicyFile {
    /// Checks it with the files it names, with an error for each assertion that is not proved; `name` is what diagnostics
    /// and traces call it.
    pub(super) fn check(&self, host: &dyn Host, name: &str, purpose: Purpose) -> Report {
        self.prove(host, name, purpose).0
    }

    /// The same, with what became of each assertion.
    pub(super) fn prove(&self, host: &dyn Host, name: &str, purpose: Purpose) -> (Report, Vec<Proof>) {
        let mut report = self.unproved(host, name, purpose);
        let proofs = prove::prove(&mut report);
        (report, proofs)
    }

    /// Checks it without a look at its assertions.
    pub(super) fn unproved(&self, host: &dyn Host, name: &str, purpose: Purpose) -> Report {
        if self.path == Path::new(INPUT) {
            // What is typed in has no folder beside it.
            return compile::check(name, &self.text);
        }
        let project = project::read(host, &self.path, &self.text);
        compile::check_with(name, &self.text, &project.texts, purpose)
    }
}

/// Reads one policy file. Errors: those of the host, and `policy.not_utf8`.
pub(super) fn read(host: &dyn Host, path: &Path) -> Result<PolicyFile, CliError> {
    let bytes = host.read(path, limits::SOURCE_BYTES as u64);
    let bytes = bytes.map_err(|error| match (error, path == Path::new(REPOSITORY)) {
        (error @ HostError::NotFound { .. }, true) => {
            CliError::from(error).hint("name a policy file, or write that of this repository under this name")
        }
        (error, _) => error.into(),
    })?;
    let name = path.to_string_lossy();
    let name = if cfg!(windows) {
        name.replace('\\', "/")
    } else {
        name.into_owned()
    };
    of_bytes(path, name, bytes)
}

/// Reads a policy from standard input.
pub(super) fn read_input(host: &dyn Host) -> Result<PolicyFile, CliError> {
    let bytes = host.read_input(limits::SOURCE_BYTES as u64)?;
    of_bytes(Path::new(INPUT), "<stdin>".to_owned(), bytes)
}

fn of_bytes(path: &Path, name: String, bytes: Vec<u8>) -> Result<PolicyFile, CliError> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        CliError::new(
            Category::InvalidInput,
            "policy.not_utf8",
            format!("{name} is not UTF-8 at byte {at}"),
        )
        .hint("save the file as UTF-8, without a byte order mark")
    })?;
    Ok(PolicyFile {
        path: path.to_owned(),
        name,
        text,
    })
}

/// Reads every file before anything is done with one.
pub(super) fn read_all(host: &dyn Host, paths: &[PathBuf]) -> Result<Vec<PolicyFile>, CliError> {
    paths.iter().map(|path| read(host, path)).collect()
}

/// A policy that has no error but assertions that do not hold; those are about it alone.
pub(super) fn checked(ui: &mut Ui, host: &dyn Host, file: &PolicyFile) -> Result<Checked, CliError> {
    let report = file.unproved(host, &file.name, Purpose::Author);
    if let Some(checked) = report.checked {
        return Ok(checked);
    }
    if !ui.is_json() {
        tell(
            ui,
            Findings {
                diagnostics: &report.diagnostics,
                sources: &report.sources,
            },
        );
    }
    let message = format!("{} has errors", file.name);
    let hint = format!("`gait policy check {}` lists them", file.name);
    Err(CliError::new(Category::InvalidInput, "policy.invalid", message).hint(&hint))
}

/// Shows diagnostics to a person.
pub(super) fn tell(ui: &mut Ui, findings: Findings<'_>) {
    for report in render::human::reports(findings) {
        ui.rendered(&report);
    }
    let mut codes: Vec<&str> = findings.diagnostics.iter().map(|d| d.code.0).collect();
    codes.sort_unstable();
    codes.dedup();
    if let Some(code) = codes.first() {
        ui.note(&format!("`gait explain {code}` says more"));
    }
}

/// `1 tool`, `2 tools`.
pub(super) fn count(n: usize, what: &str) -> String {
    let end = if n == 1 { "" } else { "s" };
    format!("{n} {}{end}", one_line(what))
}
