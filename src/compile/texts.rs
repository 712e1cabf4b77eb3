//! What a policy is made of beside its own text: modules and data files, read before, each with its digest and the one
//! the lock names. Paths are written from the importing file and kept from the policy's folder, which none may leave.

use super::library;
use crate::limits;
use crate::source::{FileId, Source};
use crate::syntax::ast::{Item, ModuleName};
use crate::syntax::parse;
use std::collections::BTreeMap;

/// The texts around a policy. Without any, a policy may still import the library.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// Modules and data files by their path from the policy's folder; why one cannot be read.
    pub files: BTreeMap<String, Result<Text, String>>,
    /// The pins of library modules, by name.
    pub library: BTreeMap<String, Pin>,
    /// The lock beside the policy.
    pub lock: Lock,
}

/// The text of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// Its content.
    pub text: String,
    /// Its digest.
    pub pin: Pin,
}

/// A digest as found and as locked; both are printed as `sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Of the content.
    pub digest: String,
    /// In the lock; none where the lock has no such entry.
    pub locked: Option<String>,
}

/// The lock beside a policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lock {
    /// There is none.
    #[default]
    Missing,
    /// It was read; pins say what it names.
    Read,
    /// Why it cannot be read.
    Unreadable(String),
}

/// What a policy is compiled for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Purpose {
    /// To be looked at.
    #[default]
    Author,
    /// To be signed: an import that no lock names is an error.
    Sign,
}

/// A file that a text names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// Its path from the policy's folder.
    pub key: String,
    /// What it is.
    pub kind: Kind,
}

/// What a file is to a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A module.
    Module,
    /// A data file.
    Data,
}

/// The files that a policy or module names, as far as their paths are well formed. `key` is its own path.
pub fn needs(key: &str, text: &str) -> Vec<Need> {
    named(key, text, &["import", "set", "scope"])
}

/// The earlier policies that a policy promises something about, as far as their paths are well formed. What these promise in
/// turn is nobody's need.
pub fn promised(key: &str, text: &str) -> Vec<Need> {
    named(key, text, &["compat"])
}

fn named(key: &str, text: &str, keywords: &[&str]) -> Vec<Need> {
    let source = Source::new(FileId(0), key, text);
    let items = parse::only(&source, keywords);
    let mut needs: Vec<Need> = items.iter().filter_map(|item| need(key, item)).collect();
    needs.sort();
    needs.dedup();
    needs
}

fn need(key: &str, item: &Item) -> Option<Need> {
    let (written, kind) = match item {
        Item::Import(import) => match &import.module {
            ModuleName::File(path) => (&path.node, Kind::Module),
            ModuleName::Library(_) => return None,
        },
        Item::Scope(scope) => (&scope.under.as_ref()?.path.node, Kind::Module),
        Item::Compat(compat) => (&compat.with.path.node, Kind::Module),
        Item::Set(set) => (&set.data.as_ref()?.path.node, Kind::Data),
        _ => return None,
    };
    let key = join(key, written, kind).ok()?;
    Some(Need { key, kind })
}

/// The library modules that a policy or module imports, by name.
pub fn library_needs(text: &str) -> Vec<&'static library::Module> {
    let source = Source::new(FileId(0), "", text);
    let named = parse::only(&source, &["import"]).into_iter();
    let named = named.filter_map(|item| match item {
        Item::Import(import) => match import.module {
            ModuleName::Library(name) => library::find(&name.text),
            ModuleName::File(_) => None,
        },
        _ => None,
    });
    named.collect()
}

/// The path, from the policy's folder, of what the file `importer` writes as `written`.
///
/// # Errors
/// What is wrong with the path, as the end of a sentence that starts with it.
pub fn join(importer: &str, written: &str, kind: Kind) -> Result<String, &'static str> {
    let ends: &[&str] = match kind {
        Kind::Module => &[".gaitpol"],
        Kind::Data => &[".csv", ".json"],
    };
    if written.starts_with('/') || written.contains([':', '\\']) {
        return Err("is not a path from this file, with `/` between its parts");
    }
    if written.chars().any(char::is_control) {
        return Err("holds a control character");
    }
    if !ends.iter().any(|end| written.ends_with(end)) {
        return Err(match kind {
            Kind::Module => "does not end in `.gaitpol`",
            Kind::Data => "ends neither in `.csv` nor in `.json`",
        });
    }
    let folder = importer.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in written.split('/') {
        match part {
            "" => return Err("has an empty part"),
            "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err("leaves the folder of the policy");
                }
            }
            part => parts.push(part),
        }
    }
    let key = parts.join("/");
    if key.starts_with(library::FOLDER) {
        return Err("is in a folder called `stdlib`, which is the library's name");
    }
    if key.len() > limits::FILE_PATH_BYTES {
        return Err("is too long");
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::{Kind, join, needs};

    #[test]
    fn paths_stay_in_the_policys_folder() {
        for (importer, written, expected) in [
            ("p.gaitpol", "a.gaitpol", Ok("a.gaitpol")),
            ("p.gaitpol", "./lib/a.gaitpol", Ok("lib/a.gaitpol")),
            ("lib/b.gaitpol", "a.gaitpol", Ok("lib/a.gaitpol")),
            ("lib/b.gaitpol", "../a.gaitpol", Ok("a.gaitpol")),
            ("lib/b.gaitpol", "../x/../a.gaitpol", Ok("a.gaitpol")),
            (
                "lib/b.gaitpol",
                "../../a.gaitpol",
                Err("leaves the folder of the policy"),
            ),
            (
                "p.gaitpol",
                "x/../../p/a.gaitpol",
                Err("leaves the folder of the policy"),
            ),
            (
                "p.gaitpol",
                "/etc/a.gaitpol",
                Err("is not a path from this file, with `/` between its parts"),
            ),
            (
                "p.gaitpol",
                "C:\\a.gaitpol",
                Err("is not a path from this file, with `/` between its parts"),
            ),
            (
                "p.gaitpol",
                "https://x/a.gaitpol",
                Err("is not a path from this file, with `/` between its parts"),
            ),
            ("p.gaitpol", "lib//a.gaitpol", Err("has an empty part")),
            (
                "p.gaitpol",
                "a.gaitpol\u{0}.gaitpol",
                Err("holds a control character"),
            ),
            ("p.gaitpol", "a.txt", Err("does not end in `.gaitpol`")),
            (
                "p.gaitpol",
                "stdlib/a.gaitpol",
                Err("is in a folder called `stdlib`, which is the library's name"),
            ),
            (
                "stdlib/p.gaitpol",
                "../stdlib/a.gaitpol",
                Err("is in a folder called `stdlib`, which is the library's name"),
            ),
        ] {
            let got = join(importer, written, Kind::Module);
            assert_eq!(
                got.as_deref().map_err(|e| *e),
                expected,
                "{written} in {importer}"
            );
        }
        assert_eq!(join("p", "a.csv", Kind::Data).as_deref(), Ok("a.csv"));
        assert!(join("p", "a.gaitpol", Kind::Data).is_err());
    }

    #[test]
    fn the_files_of_a_text_are_found_among_mistakes() {
        let text = "gaitpol 1\npolicy p\nimport \"b.gaitpol\" as x\nimport std.net\nimport \"a.gaitpol\"\nrule broken on\n\
                    import \"../out.gaitpol\"\nimport \"a.gaitpol\" as again\n";
        let keys: Vec<String> = needs("lib/p.gaitpol", text).into_iter().map(|n| n.key).collect();
        assert_eq!(keys, ["lib/a.gaitpol", "lib/b.gaitpol", "out.gaitpol"]);
    }
}
