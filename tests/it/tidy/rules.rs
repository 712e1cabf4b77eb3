//! The tidy rules as one pure function: (path, text) pairs in, findings out. It reads no files, so every rule is
//! proved to fail on a sample.

use super::scan::{self, ModDecl, PathUse, Token};
use super::table::{self, refusal};
use std::collections::{BTreeMap, BTreeSet};

/// Lines of code a file may have: not blank, no comment, outside `#[cfg(test)]`.
pub const CODE_LINES: usize = 800;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// An import that goes up, or sideways without being listed.
    Edge,
    /// A path the layer check cannot follow: the crate's root itself, a moved module.
    Evasion,
    /// A top-level module without a row in the table.
    UnknownModule,
    /// A file that does not open with a `//!` paragraph.
    Head,
    /// A file over `CODE_LINES`.
    Length,
    /// A source or test file that no `mod` line reaches, so it is never compiled or run.
    Forgotten,
    /// A second integration binary.
    Runner,
}

/// One finding.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    /// From 1.
    pub line: usize,
    pub rule: Rule,
    pub message: String,
}

/// A file with what was read from it.
struct File<'a> {
    path: &'a str,
    text: &'a str,
    blanked: String,
}

/// Judges the files under `src/`, `tests/` and `grammar/`, given with `/`-separated paths from the crate's root.
pub fn check(files: &[(&str, &str)]) -> Vec<Finding> {
    let files: Vec<File> = files
        .iter()
        .map(|(path, text)| File {
            path,
            text,
            blanked: scan::blank(text),
        })
        .collect();
    let mut declared: BTreeMap<String, bool> = BTreeMap::new();
    let mut found = Vec::new();
    for file in &files {
        let tokens = scan::tokens(&file.blanked);
        let own: &[&str] = if file.path == "src/main.rs" {
            &["crate", "gait"]
        } else {
            &["crate"]
        };
        let names = scan::names(&tokens, own);
        head(file, &mut found);
        length(file, &tokens, &mut found);
        runner(file, &mut found);
        for (line, message) in names.evasions {
            found.push(finding(file, line, Rule::Evasion, message));
        }
        for decl in names.mods.iter().filter(|d| d.external) {
            for path in files_of(file.path, decl) {
                declared.insert(path, decl.test);
            }
        }
        if file.path == "src/lib.rs" {
            unknown_modules(file, &names.mods, &mut found);
        }
        if let Some(from) = module_path(file.path) {
            edges(file, &from, &names.paths, &mut found);
        }
    }
    forgotten(&files, &declared, &mut found);
    // A file that only `#[cfg(test)] mod` reaches is a test: it may be long and may look anywhere.
    let tests: BTreeSet<&str> = declared
        .iter()
        .filter(|(_, test)| **test)
        .map(|(p, _)| p.as_str())
        .collect();
    found.retain(|f| !(tests.contains(f.path.as_str()) && matches!(f.rule, Rule::Edge | Rule::Length)));
    found.sort();
    found
}

fn finding(file: &File, line: usize, rule: Rule, message: impl Into<String>) -> Finding {
    Finding {
        path: file.path.to_owned(),
        line,
        rule,
        message: message.into(),
    }
}

fn head(file: &File, found: &mut Vec<Finding>) {
    let first = file.text.lines().next().unwrap_or_default();
    let says_something = first
        .strip_prefix("//!")
        .is_some_and(|rest| !rest.trim().is_empty());
    if file.path.ends_with(".rs") && !says_something {
        found.push(finding(
            file,
            1,
            Rule::Head,
            "the first line is no `//!` paragraph that says what the file does",
        ));
    }
}

fn length(file: &File, tokens: &[Token], found: &mut Vec<Finding>) {
    let lines: BTreeSet<usize> = tokens.iter().filter(|t| !t.test).map(|t| t.line).collect();
    if lines.len() > CODE_LINES {
        let message = format!(
            "{} lines of code, over {CODE_LINES}; split it by concept",
            lines.len()
        );
        found.push(finding(file, 1, Rule::Length, message));
    }
}

/// `tests/it/` is the only integration binary; Cargo would make one more of each `tests/*.rs` or `tests/*/main.rs`.
fn runner(file: &File, found: &mut Vec<Finding>) {
    if file.path.starts_with("tests/") && !file.path.starts_with("tests/it/") {
        found.push(finding(
            file,
            1,
            Rule::Runner,
            "tests live in `tests/it/`, the one integration binary",
        ));
    }
}

/// The two files a `mod name;` in `path` may mean.
fn files_of(path: &str, decl: &ModDecl) -> [String; 2] {
    let is_root = matches!(path, "src/lib.rs" | "src/main.rs" | "tests/it/main.rs");
    let mut folder = match path.rsplit_once('/') {
        Some((folder, _)) if is_root => folder.to_owned(),
        _ => path.trim_end_matches(".rs").to_owned(),
    };
    for name in &decl.inside {
        folder = format!("{folder}/{name}");
    }
    [
        format!("{folder}/{}.rs", decl.name),
        format!("{folder}/{}/mod.rs", decl.name),
    ]
}

fn forgotten(files: &[File], declared: &BTreeMap<String, bool>, found: &mut Vec<Finding>) {
    let roots = ["src/lib.rs", "src/main.rs", "tests/it/main.rs"];
    for file in files {
        let ours = file.path.starts_with("src/") || file.path.starts_with("tests/it/");
        if ours
            && file.path.ends_with(".rs")
            && !roots.contains(&file.path)
            && !declared.contains_key(file.path)
        {
            found.push(finding(
                file,
                1,
                Rule::Forgotten,
                "no `mod` line reaches this file, so it never runs",
            ));
        }
    }
}

fn unknown_modules(file: &File, mods: &[ModDecl], found: &mut Vec<Finding>) {
    for decl in mods.iter().filter(|d| !d.test && d.inside.is_empty()) {
        if table::find(&decl.name).is_none() {
            let message = format!("module `{}` has no row in tests/it/tidy/table.rs", decl.name);
            found.push(finding(file, decl.line, Rule::UnknownModule, message));
        }
    }
}

/// The module path of a file that the layer table judges: `src/diag/codes.rs` is `diag::codes`. `lib.rs` may name
/// every module; `main.rs` is the binary and counts as a caller of `cli` alone.
fn module_path(path: &str) -> Option<Vec<String>> {
    let inner = match path {
        "src/lib.rs" => return None,
        "grammar/gaitpol.lalrpop" => "syntax/grammar",
        other => other.strip_prefix("src/")?.strip_suffix(".rs")?,
    };
    Some(inner.split('/').map(str::to_owned).collect())
}

fn edges(file: &File, from: &[String], paths: &[PathUse], found: &mut Vec<Finding>) {
    for used in paths.iter().filter(|p| !p.test) {
        let Some(absolute) = resolve(from, used) else {
            continue;
        };
        let Some(target) = absolute.first().filter(|t| *t != "*" && *t != "self") else {
            found.push(finding(
                file,
                used.line,
                Rule::Evasion,
                "names the crate's root itself; name the module",
            ));
            continue;
        };
        if let Some((rule, message)) = judge(&from[0], target) {
            found.push(finding(file, used.line, rule, message));
        }
    }
}

fn judge(from: &str, to: &str) -> Option<(Rule, String)> {
    if from == "main" {
        return (to != "cli").then(|| {
            (
                Rule::Edge,
                format!("`main.rs` starts `cli` and nothing else, not `{to}`"),
            )
        });
    }
    let Some(source) = table::find(from) else {
        return Some((
            Rule::UnknownModule,
            format!("module `{from}` has no row in tests/it/tidy/table.rs"),
        ));
    };
    match table::find(to) {
        Some(target) => refusal(source, target).map(|why| (Rule::Edge, why)),
        None => Some((Rule::UnknownModule, format!("`crate::{to}` is in no layer"))),
    }
}

/// The path from the crate's root; `None` for a path into another crate or a child module.
fn resolve(from: &[String], used: &PathUse) -> Option<Vec<String>> {
    let mut segments = used.segments.iter().map(String::as_str).peekable();
    let mut here: Vec<&str> = from.iter().chain(&used.inside).map(String::as_str).collect();
    match segments.next()? {
        "crate" | "gait" => here.clear(),
        "self" => {}
        "super" => drop(here.pop()),
        _ => return None,
    }
    while segments.next_if_eq(&"super").is_some() {
        here.pop();
    }
    here.extend(segments);
    Some(here.into_iter().map(str::to_owned).collect())
}
