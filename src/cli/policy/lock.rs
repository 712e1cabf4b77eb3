//! `gait policy lock`: the digests of everything around the policies of a folder, in `gait.lock` beside them.

use super::source::REPOSITORY;
use super::source::{self, count};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::host::{Host, HostError, Mode};
use crate::json::Json;
use crate::limits;
use crate::project::lock::{self, Change, LockFile};
use crate::project::{self, Project};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Pin the modules and data files of policies in `gait.lock`
///
/// Writes the digest of every imported module, data file and library module beside the policies. A folder has one lock;
/// policies it was written for before stay in it. With `--check` exits 5 when a file differs from the lock.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy files
    #[arg(default_value = REPOSITORY, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write nothing; tell whether the lock is up to date
    #[arg(long)]
    check: bool,
}

/// A folder's lock after a run.
struct Locked {
    path: PathBuf,
    lock: LockFile,
    changes: Vec<Change>,
    /// Whether the file is what it should be byte for byte.
    is_current: bool,
}

/// Locks, or tells what would change.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let mut folders: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for path in &args.files {
        let name = path.file_name().and_then(|name| name.to_str()).ok_or_else(|| {
            let message = format!("{} has no file name in UTF-8", path.display());
            CliError::new(Category::InvalidInput, "policy.file_name", message)
        })?;
        folders
            .entry(project::folder(path))
            .or_default()
            .insert(name.to_owned());
    }
    let mut locked = Vec::new();
    for (folder, names) in folders {
        locked.push(of_folder(ui, host, &folder, names)?);
    }
    if !args.check {
        for one in locked.iter().filter(|one| !one.is_current) {
            host.write_atomic(&one.path, one.lock.print().as_bytes(), Mode::Public)?;
        }
    }
    let drifted = args.check && locked.iter().any(|one| !one.is_current);
    let exit = if drifted { Exit::Regression } else { Exit::Success };
    if ui.is_json() {
        ui.json(&document(&locked, args.check, exit))?;
    } else {
        for one in &locked {
            people(ui, one, args.check)?;
        }
        if drifted {
            ui.note("read what changed, then run `gait policy lock` without `--check`");
        }
    }
    Ok(exit)
}

fn of_folder(
    ui: &mut Ui,
    host: &dyn Host,
    folder: &Path,
    mut names: BTreeSet<String>,
) -> Result<Locked, CliError> {
    let path = folder.join(lock::NAME);
    let bytes = match host.read(&path, limits::JSON_BYTES as u64) {
        Ok(bytes) => bytes,
        Err(HostError::NotFound { .. }) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let old = match LockFile::parse(&bytes) {
        Ok(old) => old,
        Err(why) => {
            if !bytes.is_empty() {
                ui.warn(&format!(
                    "{} is no lock and counts as empty: {why}",
                    path.display()
                ));
            }
            LockFile::default()
        }
    };
    names.extend(
        old.policies
            .iter()
            .filter(|name| host.exists(&folder.join(name)))
            .cloned(),
    );
    let mut projects: Vec<(String, Project)> = Vec::new();
    for name in names {
        let policy = folder.join(&name);
        let text = source::read(host, &policy)?.text;
        projects.push((name, project::read(host, &policy, &text)));
    }
    let lock = LockFile::of(projects.iter().map(|(name, project)| (name.as_str(), project)));
    let lock = lock.map_err(|(file, why)| {
        let message = format!("`{}` cannot be locked: {why}", folder.join(file).display());
        CliError::new(Category::InvalidInput, "policy.lock_file", message)
            .hint("`gait policy check FILE` shows where it is named")
    })?;
    Ok(Locked {
        changes: old.changes(&lock),
        is_current: lock.print().as_bytes() == bytes,
        lock,
        path,
    })
}

fn people(ui: &mut Ui, locked: &Locked, check: bool) -> Result<(), CliError> {
    for Change { what, old, new } in &locked.changes {
        let what = one_line(what);
        match (old, new) {
            (None, Some(new)) => ui.line(&format!("  + {what} {new}"))?,
            (Some(old), None) => ui.line(&format!("  - {what} {old}"))?,
            (Some(old), Some(new)) => {
                ui.line(&format!("  ~ {what}"))?;
                ui.line(&format!("      was {old}"))?;
                ui.line(&format!("      is  {new}"))?;
            }
            (None, None) => {}
        }
    }
    let state = match (locked.is_current, check) {
        (true, _) => paint(Tone::Good, "up to date"),
        (false, true) => paint(Tone::Bad, "out of date"),
        (false, false) => paint(Tone::Good, "written"),
    };
    ui.line(&format!(
        "{}: {state} ({}, {})",
        one_line(&locked.path.to_string_lossy()),
        count(locked.lock.files.len(), "file"),
        count(locked.lock.library.len(), "library module"),
    ))
}

fn document(locked: &[Locked], check: bool, exit: Exit) -> Json {
    let digest = |digest: &Option<crate::artifact::Digest>| digest.map_or(Json::Null, |d| d.to_json());
    let lock = |one: &Locked| {
        let changes = one.changes.iter().map(|change| {
            Json::object([
                ("name", Json::str(&change.what)),
                ("old", digest(&change.old)),
                ("new", digest(&change.new)),
            ])
        });
        let number = |n: usize| Json::int(i64::try_from(n).unwrap_or(i64::MAX));
        Json::object([
            ("lock", Json::str(one.path.to_string_lossy())),
            ("up_to_date", Json::Bool(one.is_current || !check)),
            ("written", Json::Bool(!one.is_current && !check)),
            (
                "policies",
                Json::Array(one.lock.policies.iter().map(Json::str).collect()),
            ),
            ("files", number(one.lock.files.len())),
            ("library", number(one.lock.library.len())),
            ("changes", Json::Array(changes.collect())),
        ])
    };
    Json::object([
        ("ok", Json::Bool(exit == Exit::Success)),
        ("locks", Json::Array(locked.iter().map(lock).collect())),
        ("exit_code", Json::int(i64::from(exit.code()))),
    ])
}
