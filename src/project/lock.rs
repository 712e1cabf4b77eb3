//! `gait.lock`: the digests of everything around the policies of a folder. One entry a line, sorted, so that a change
//! reads as one in a review and two branches merge. In: a project, or bytes. Out: the file's text, or its entries.

use super::Project;
use crate::artifact::Digest;
use crate::artifact::digest::sha256;
use crate::compile::library;
use crate::compile::texts::Kind;
use crate::json::{self, Json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The file's name, beside the policy.
pub const NAME: &str = "gait.lock";
const SCHEMA: &str = "gait.lock/1";

/// What a lock names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockFile {
    /// The policies it was made for, by file name.
    pub policies: BTreeSet<String>,
    /// Modules and data files by their path from the folder.
    pub files: BTreeMap<String, (Kind, Digest)>,
    /// Library modules by name.
    pub library: BTreeMap<String, Digest>,
}

/// A difference between two locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The path or library module.
    pub what: String,
    /// The digest before; none where it is new.
    pub old: Option<Digest>,
    /// The digest now; none where nothing names it any more.
    pub new: Option<Digest>,
}

impl LockFile {
    /// The lock of policies and what is around each.
    ///
    /// # Errors
    /// The first file that cannot be read, and why.
    pub fn of<'p>(
        policies: impl IntoIterator<Item = (&'p str, &'p Project)>,
    ) -> Result<LockFile, (String, String)> {
        let mut lock = LockFile::default();
        for (name, project) in policies {
            lock.policies.insert(name.to_owned());
            for (path, kind) in &project.kinds {
                // Reached again from a module, the policy is a mistake that the compiler reports.
                if path == name {
                    continue;
                }
                match project.texts.files.get(path) {
                    Some(Ok(text)) => {
                        let digest = sha256(text.text.as_bytes());
                        lock.files.insert(path.clone(), (*kind, digest));
                    }
                    Some(Err(why)) => return Err((path.clone(), why.clone())),
                    None => return Err((path.clone(), "it does not exist".to_owned())),
                }
            }
            for name in &project.library {
                let digest = library::find(name).map(|module| sha256(module.text.as_bytes()));
                lock.library
                    .extend(digest.map(|digest| ((*name).to_owned(), digest)));
            }
        }
        Ok(lock)
    }

    /// The file's text.
    pub fn print(&self) -> String {
        let text = |text: &str| {
            String::from_utf8_lossy(&crate::artifact::jcs::to_vec(&Json::str(text))).into_owned()
        };
        let policies: Vec<String> = self.policies.iter().map(|name| text(name)).collect();
        let files = self.files.iter().map(|(path, (kind, digest))| {
            format!(
                "{{\"path\": {}, \"kind\": \"{}\", \"digest\": \"{digest}\"}}",
                text(path),
                word(*kind)
            )
        });
        let library = self
            .library
            .iter()
            .map(|(name, digest)| format!("{{\"name\": {}, \"digest\": \"{digest}\"}}", text(name)));
        let mut out = String::from("{\n");
        let _ = writeln!(out, "  \"schema\": \"{SCHEMA}\",");
        list(&mut out, "policies", policies.into_iter(), ",");
        list(&mut out, "files", files, ",");
        list(&mut out, "library", library, "");
        out.push_str("}\n");
        out
    }

    /// Reads a lock.
    ///
    /// # Errors
    /// Why it is none, in half a sentence.
    pub fn parse(bytes: &[u8]) -> Result<LockFile, String> {
        let json = json::parse(bytes).map_err(|error| error.to_string())?;
        members(&json, &["schema", "policies", "files", "library"])?;
        if json.get("schema").and_then(Json::as_str) != Some(SCHEMA) {
            return Err(format!("it is not of the schema `{SCHEMA}`"));
        }
        let mut lock = LockFile::default();
        for policy in array(&json, "policies")? {
            let name = policy.as_str().ok_or("a policy's name is no text")?;
            lock.policies.insert(name.to_owned());
        }
        for file in array(&json, "files")? {
            members(file, &["path", "kind", "digest"])?;
            let kind = match text(file, "kind")? {
                "module" => Kind::Module,
                "data" => Kind::Data,
                other => return Err(format!("`{other}` is no kind of file")),
            };
            let path = text(file, "path")?.to_owned();
            if lock.files.contains_key(&path) {
                return Err(format!("`{path}` is in it twice"));
            }
            lock.files.insert(path, (kind, digest(file)?));
        }
        for module in array(&json, "library")? {
            members(module, &["name", "digest"])?;
            let name = text(module, "name")?.to_owned();
            if lock.library.contains_key(&name) {
                return Err(format!("`{name}` is in it twice"));
            }
            lock.library.insert(name, digest(module)?);
        }
        Ok(lock)
    }

    /// What another lock has otherwise, sorted.
    pub fn changes(&self, new: &LockFile) -> Vec<Change> {
        let flat = |lock: &LockFile| -> BTreeMap<String, Digest> {
            let files = lock
                .files
                .iter()
                .map(|(path, (_, digest))| (path.clone(), *digest));
            let library = lock.library.iter().map(|(name, digest)| (name.clone(), *digest));
            files.chain(library).collect()
        };
        let (old, new) = (flat(self), flat(new));
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        names
            .into_iter()
            .map(|name| Change {
                what: name.clone(),
                old: old.get(name).copied(),
                new: new.get(name).copied(),
            })
            .filter(|change| change.old != change.new)
            .collect()
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Module => "module",
        Kind::Data => "data",
    }
}

fn list(out: &mut String, name: &str, items: impl Iterator<Item = String>, end: &str) {
    let items: Vec<String> = items.map(|item| format!("    {item}")).collect();
    let body = if items.is_empty() {
        "[]".to_owned()
    } else {
        format!("[\n{}\n  ]", items.join(",\n"))
    };
    let _ = writeln!(out, "  \"{name}\": {body}{end}");
}

fn members(json: &Json, known: &[&str]) -> Result<(), String> {
    let object = json
        .as_object()
        .ok_or("it holds something that should be an object")?;
    match object.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        Some((name, _)) => Err(format!("`{name}` is no member of it")),
        None => Ok(()),
    }
}

fn array<'j>(json: &'j Json, name: &str) -> Result<&'j [Json], String> {
    match json.get(name) {
        Some(Json::Array(items)) => Ok(items),
        _ => Err(format!("`{name}` is missing or no list")),
    }
}

fn text<'j>(json: &'j Json, name: &str) -> Result<&'j str, String> {
    json.get(name)
        .and_then(Json::as_str)
        .ok_or_else(|| format!("`{name}` is missing or no text"))
}

fn digest(json: &Json) -> Result<Digest, String> {
    let printed = text(json, "digest")?;
    Digest::parse(printed).ok_or_else(|| format!("`{printed}` is no digest"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_as_it_prints() {
        let mut lock = LockFile::default();
        assert_eq!(LockFile::parse(lock.print().as_bytes()), Ok(lock.clone()));
        lock.policies.insert("p \"q\".gaitpol".to_owned());
        lock.files
            .insert("lib/é.gaitpol".to_owned(), (Kind::Module, sha256(b"a")));
        lock.files.insert("a.csv".to_owned(), (Kind::Data, sha256(b"b")));
        lock.library.insert("std.effects".to_owned(), sha256(b"c"));
        assert_eq!(LockFile::parse(lock.print().as_bytes()), Ok(lock.clone()));
        let changes = LockFile::default().changes(&lock);
        let names: Vec<&str> = changes.iter().map(|c| c.what.as_str()).collect();
        assert_eq!(names, ["a.csv", "lib/é.gaitpol", "std.effects"]);
        for bad in [
            "",
            "{}",
            "[]",
            &lock.print().replace("gait.lock/1", "gait.lock/2"),
            &lock.print().replace("\"data\"", "\"date\""),
            &lock.print().replace("sha256:", "sha1:"),
            &lock.print().replace("a.csv", "lib/é.gaitpol"),
            &lock.print().replace("\"name\"", "\"nam\""),
        ] {
            assert!(LockFile::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
