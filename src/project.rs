//! A policy with the files around it: from a path to what the compiler reads. Imports are followed breadth first, every
//! file is read once and named by its path from the policy's folder, and nothing outside that folder is read. In: a path
//! and the policy's text. Out: `Texts`, with each file's digest and the one in `gait.lock`. It judges nothing: what is
//! missing or changed the compiler reports, where it is imported.

pub mod lock;

use crate::artifact::digest::sha256;
use crate::compile::texts::{self, Kind};
use crate::compile::{LIBRARY, Lock, Pin, Text, Texts};
use crate::host::{Host, HostError};
use crate::limits;
use lock::LockFile;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

/// The files around a policy.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// What the compiler reads.
    pub texts: Texts,
    /// What each file is, by its path from the policy's folder.
    pub kinds: BTreeMap<String, Kind>,
    /// The library modules it is made of, the prelude's included, by name.
    pub library: BTreeSet<&'static str>,
}

/// The folder a policy's files lie in; empty for the current one.
pub fn folder(policy: &Path) -> PathBuf {
    policy.parent().map(Path::to_owned).unwrap_or_default()
}

/// Reads what a policy names, what that names in turn, and the lock.
pub fn read(host: &dyn Host, policy: &Path, text: &str) -> Project {
    let folder = folder(policy);
    let key = policy
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let (state, locked) = lock(host, &folder);
    let mut project = Project::default();
    let mut left = limits::MODULES_BYTES;
    let mut promised = texts::promised(&key, text);
    let mut queue: VecDeque<(String, String)> = VecDeque::from([(key, text.to_owned())]);
    project.library = LIBRARY.iter().filter(|m| m.prelude).map(|m| m.name).collect();
    while let Some((key, text)) = queue.pop_front() {
        for module in texts::library_needs(&text) {
            if project.library.insert(module.name) {
                queue.push_back((module.source.to_owned(), module.text.to_owned()));
            }
        }
        for need in texts::needs(&key, &text).into_iter().chain(promised.drain(..)) {
            if project.kinds.contains_key(&need.key) || project.kinds.len() > limits::MODULES {
                continue;
            }
            let found = file(host, &folder, &need, &mut left, &locked);
            project.kinds.insert(need.key.clone(), need.kind);
            let Some(found) = found else { continue };
            if let (Ok(found), Kind::Module) = (&found, need.kind) {
                queue.push_back((need.key.clone(), found.text.clone()));
            }
            project.texts.files.insert(need.key, found);
        }
    }
    project.texts.lock = state;
    project.texts.library = library(&locked);
    project
}

/// A file a policy names; `None` where there is none of that name.
fn file(
    host: &dyn Host,
    folder: &Path,
    need: &texts::Need,
    left: &mut usize,
    locked: &LockFile,
) -> Option<Result<Text, String>> {
    let most = match need.kind {
        Kind::Module => limits::SOURCE_BYTES,
        Kind::Data => limits::DATA_BYTES,
    };
    let bytes = match host.read_below(folder, &need.key, most.min(*left) as u64) {
        Ok(bytes) => bytes,
        Err(HostError::NotFound { .. } | HostError::NotFolder { .. }) => return None,
        Err(error) => return Some(Err(reason(&error))),
    };
    *left = left.saturating_sub(bytes.len());
    let digest = sha256(&bytes).to_string();
    let locked = locked.files.get(&need.key).map(|(_, digest)| digest.to_string());
    Some(match String::from_utf8(bytes) {
        Ok(text) => Ok(Text {
            text,
            pin: Pin { digest, locked },
        }),
        Err(error) => Err(format!(
            "it is not UTF-8 at byte {}",
            error.utf8_error().valid_up_to()
        )),
    })
}

/// Why a file cannot be read, without its path, which the reader has before the eyes.
fn reason(error: &HostError) -> String {
    match error {
        HostError::TooLarge { limit, .. } => format!("it is larger than {limit} bytes"),
        HostError::NotRegular { .. } => "it is no regular file".to_owned(),
        HostError::Permission { .. } => "it may not be accessed".to_owned(),
        HostError::Linked { .. } => "it is a symbolic link, or lies behind one".to_owned(),
        HostError::Io { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}

/// The lock of a folder, and what it names.
fn lock(host: &dyn Host, folder: &Path) -> (Lock, LockFile) {
    let nothing = LockFile::default();
    match host.read(&folder.join(lock::NAME), limits::JSON_BYTES as u64) {
        Err(HostError::NotFound { .. } | HostError::NotFolder { .. }) => (Lock::Missing, nothing),
        Err(error) => (Lock::Unreadable(reason(&error)), nothing),
        Ok(bytes) => match LockFile::parse(&bytes) {
            Ok(locked) => (Lock::Read, locked),
            Err(why) => (Lock::Unreadable(why), nothing),
        },
    }
}

fn library(locked: &LockFile) -> BTreeMap<String, Pin> {
    let pin = |module: &crate::compile::library::Module| Pin {
        digest: sha256(module.text.as_bytes()).to_string(),
        locked: locked.library.get(module.name).map(ToString::to_string),
    };
    LIBRARY
        .iter()
        .map(|module| (module.name.to_owned(), pin(module)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compile::{self, Purpose};
    use crate::host::{Memory, Mode};

    fn host(files: &[(&str, &str)]) -> Memory {
        let host = Memory::new("2026-01-02T03:04:05Z".parse().unwrap());
        for (path, text) in files {
            host.write_new(Path::new(path), text.as_bytes(), Mode::Public)
                .unwrap();
        }
        host
    }

    #[test]
    fn imports_are_followed_and_each_file_is_read_once() {
        let host = host(&[
            (
                "p/lib/a.gaitpol",
                "gaitpol 1\nimport \"b.gaitpol\"\nimport \"../p.gaitpol\"\n",
            ),
            (
                "p/lib/b.gaitpol",
                "gaitpol 1\nimport \"a.gaitpol\"\nimport \"../../out.gaitpol\"\nimport \"none.gaitpol\"\n",
            ),
            ("out.gaitpol", "gaitpol 1\n"),
        ]);
        let text = "gaitpol 1\npolicy p\nimport \"lib/a.gaitpol\"\n";
        let project = read(&host, Path::new("p/p.gaitpol"), text);
        let read: Vec<&str> = project.texts.files.keys().map(String::as_str).collect();
        // The policy's own file is named, but was not written to this machine.
        assert_eq!(read, ["lib/a.gaitpol", "lib/b.gaitpol"]);
        assert_eq!(project.texts.lock, Lock::Missing);
    }

    #[test]
    fn a_changed_file_is_not_the_locked_one() {
        let host = host(&[("p/lib/a.gaitpol", "gaitpol 1\nset x: Host = { \"a.example\" }\n")]);
        let text = "gaitpol 1\npolicy p\nprofile strict\nimport \"lib/a.gaitpol\"\ndefault block\n\
                    tool t { h: Host }\nrule r on t when args.h in a.x allow\n";
        let path = Path::new("p/p.gaitpol");
        let codes = |host: &Memory| -> Vec<&str> {
            let project = read(host, path, text);
            let report = compile::check_with("p.gaitpol", text, &project.texts, Purpose::Sign);
            report.diagnostics.iter().map(|d| d.code.0).collect()
        };
        assert_eq!(codes(&host), ["GP0120"], "not locked");
        let project = read(&host, path, text);
        let locked = LockFile::of([("p.gaitpol", &project)]).unwrap();
        let write = |text: &str, name: &str| {
            host.write_atomic(Path::new(name), text.as_bytes(), Mode::Public)
                .unwrap();
        };
        write(&locked.print(), "p/gait.lock");
        assert_eq!(codes(&host), Vec::<&str>::new());
        write("gaitpol 1\nset x: Host = { \"b.example\" }\n", "p/lib/a.gaitpol");
        assert_eq!(codes(&host), ["GP0119"], "another file");
        write("{}", "p/gait.lock");
        assert_eq!(codes(&host), ["GP0121", "GP0120"], "no lock");
    }
}
