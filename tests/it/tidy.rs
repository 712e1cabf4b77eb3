//! Style is a test: layers, file heads, file sizes, forgotten files. The rules are a pure function
//! (`tidy/rules.rs`) over the layer table (`tidy/table.rs`); here it meets the real tree, and every rule is shown
//! to fail on a sample.

mod rules;
mod scan;
mod table;

use rules::{CODE_LINES, Rule, check};
use std::path::{Path, PathBuf};

#[test]
fn the_tree_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "grammar"] {
        collect(&root.join(folder), &mut files);
    }
    assert!(
        files.iter().any(|p| p.ends_with("src/lib.rs")),
        "the walk found nothing to judge"
    );
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|p| {
            let name = p.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            (name, std::fs::read_to_string(p).unwrap())
        })
        .collect();
    let pairs: Vec<(&str, &str)> = texts.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    let found = check(&pairs);
    let lines: Vec<String> = found
        .iter()
        .map(|f| format!("{}:{}: {:?}: {}", f.path, f.line, f.rule, f.message))
        .collect();
    assert!(
        found.is_empty(),
        "{} untidy places:\n{}",
        found.len(),
        lines.join("\n")
    );
}

/// Every `.rs` and `.lalrpop` file under a folder that may be missing.
fn collect(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs" || e == "lalrpop") {
            out.push(path);
        }
    }
}

/// Judges one file, which some `mod` line reaches, and gives the rules it breaks.
fn broken(path: &str, body: &str) -> Vec<Rule> {
    let text = format!("//! A sample.\n{body}");
    let mut files: Vec<(String, String)> = vec![(path.to_owned(), text)];
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let parts: Vec<&str> = inner.split('/').collect();
    for (depth, name) in parts.iter().enumerate() {
        let parent = match depth {
            0 => "src/lib.rs".to_owned(),
            _ => format!("src/{}.rs", parts[..depth].join("/")),
        };
        if parent != path && path != "src/main.rs" {
            files.push((parent, format!("//! A parent.\nmod {name};\n")));
        }
    }
    let pairs: Vec<(&str, &str)> = files.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    check(&pairs)
        .into_iter()
        .filter(|f| f.path == path)
        .map(|f| f.rule)
        .collect()
}

#[test]
fn an_edge_that_goes_up_or_sideways_fails_in_every_form_of_import() {
    for (path, body) in [
        ("src/syntax.rs", "use crate::hir::Package;"),
        ("src/syntax.rs", "pub use crate::hir::Package;"),
        ("src/syntax.rs", "pub(crate) use crate::ir;"),
        ("src/syntax.rs", "use crate::{diag::Code, hir};"),
        (
            "src/syntax.rs",
            "use crate::{\n    diag::{self, Code},\n    hir::{Package as P},\n};",
        ),
        ("src/syntax.rs", "use ::{crate::hir};"),
        ("src/syntax/parse.rs", "use super::super::hir;"),
        ("src/syntax/parse.rs", "use super::{ast, super::hir::X};"),
        ("src/syntax/parse.rs", "fn f() { super::super::hir::check() }"),
        ("src/syntax.rs", "mod inner { use super::super::hir; }"),
        (
            "src/syntax.rs",
            "mod a { mod b { fn f() { super::super::super::gate::f() } } }",
        ),
        ("src/syntax.rs", "use super::hir;"),
        ("src/syntax.rs", "use self::super::gate;"),
        ("src/syntax.rs", "fn f() -> crate::hir::Package { todo() }"),
        ("src/syntax.rs", "fn f() { Vec::<crate::hir::Package>::new(); }"),
        ("src/syntax.rs", "fn f() { use crate::gate as g; }"),
        ("src/syntax.rs", "macro_rules! m { () => { $crate::gate::f() } }"),
        ("src/syntax.rs", "impl crate :: gate\n  :: Host for X {}"),
        (
            "src/syntax.rs",
            "const C: char = '\"'; use crate::gate; const D: char = '\"';",
        ),
        ("src/syntax.rs", "const C: &str = r#\"a\"b\"#; use crate::gate;"),
        ("src/syntax.rs", "fn f<'a>(x: &'a str) { crate::gate::f('\\'') }"),
        ("src/syntax.rs", "#[cfg(test)]\nmod tests { }\nuse crate::gate;"),
        ("src/syntax.rs", "#[cfg(not(test))]\nuse crate::gate;"),
        (
            "src/syntax.rs",
            "#[cfg(test)] use crate::json::Json; use crate::gate;",
        ),
        ("src/limits.rs", "use crate::json;"),
        ("src/ty.rs", "use crate::hir;"),
        ("src/builtins.rs", "use crate::hir;"),
        ("src/eval.rs", "use crate::artifact;"),
        ("src/artifact.rs", "use crate::eval;"),
        ("src/artifact.rs", "use crate::ir::Program;"),
        ("src/gate.rs", "use crate::host::Host;"),
        ("src/host.rs", "use crate::session;"),
        ("src/session.rs", "use crate::boundary;"),
        ("src/import.rs", "use crate::host::Host;"),
        ("src/boundary.rs", "use crate::cli;"),
        ("src/main.rs", "fn main() { gait::boundary::decide() }"),
    ] {
        assert_eq!(broken(path, body), [Rule::Edge], "{path}: {body}");
    }
}

#[test]
fn a_listed_or_downward_edge_passes() {
    for (path, body) in [
        ("src/syntax.rs", "use crate::{diag::{self, Code}, source::*};"),
        (
            "src/diag/codes.rs",
            "use super::suggest; use super::super::source::Span;",
        ),
        (
            "src/diag.rs",
            "pub mod codes { use super::Code; }\npub use self::codes::Code as C;",
        ),
        (
            "src/diag.rs",
            "use std::{fmt, collections::BTreeMap}; fn f() -> serde::de::Error { std::gate::f() }",
        ),
        (
            "src/syntax.rs",
            "// use crate::gate;\n/* crate::gate::f() /* nested */ crate::gate */",
        ),
        (
            "src/syntax.rs",
            "const C: &str = \"use crate::gate; \\\" crate::gate::x\";",
        ),
        ("src/syntax.rs", "const C: &str = r##\"crate::gate::x \"# \"##;"),
        (
            "src/syntax.rs",
            "#[cfg(test)]\nmod tests { use crate::gate; fn f() { crate::eval::g() } }",
        ),
        ("src/syntax.rs", "fn f(x: impl Fn() + use<>) { x() }"),
        (
            "src/boundary.rs",
            "use crate::{session, gate, host::Host, store};",
        ),
        ("src/regress.rs", "use crate::{replay, session};"),
        ("src/eval.rs", "use crate::{hir, ir, classes, ty};"),
        ("src/compile.rs", "use crate::{hir, ir, classes, ty, builtins};"),
        ("src/cli.rs", "use crate::{boundary, session, compile, import};"),
        (
            "src/main.rs",
            "fn main() -> std::process::ExitCode { gait::cli::main() }",
        ),
    ] {
        assert_eq!(broken(path, body), [], "{path}: {body}");
    }
}

#[test]
fn a_path_that_hides_its_module_fails() {
    for body in [
        "use crate::*;",
        "use super::*;",
        "use crate as root;",
        "use crate::{self as root};",
        "extern crate self as gait;",
        "#[path = \"../gate.rs\"]\npub mod inner;",
    ] {
        assert_eq!(broken("src/syntax.rs", body), [Rule::Evasion], "{body}");
    }
}

#[test]
fn a_module_without_a_row_fails() {
    assert_eq!(broken("src/utils.rs", "use crate::json;"), [Rule::UnknownModule]);
    assert_eq!(broken("src/json.rs", "use crate::utils;"), [Rule::UnknownModule]);
    let rules = |lib: &str| {
        check(&[("src/lib.rs", lib)])
            .into_iter()
            .map(|f| f.rule)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        rules("//! The crate.\npub mod json;\npub mod utils;\npub mod helpers;\n"),
        [Rule::UnknownModule; 2]
    );
    assert_eq!(rules("//! The crate.\npub mod json;\n"), []);
}

#[test]
fn a_file_without_a_head_fails() {
    for text in [
        "",
        "\n//! Late.\n",
        "// No head.\n",
        "//!\n",
        "/// An item.\nfn f() {}\n",
        "fn f() {}\n",
    ] {
        let found = check(&[("src/lib.rs", text)]);
        assert_eq!(
            found.iter().map(|f| f.rule).collect::<Vec<_>>(),
            [Rule::Head],
            "{text:?}"
        );
    }
}

#[test]
fn a_file_over_the_length_fails() {
    let code = "const A: u8 = 1;\n".repeat(CODE_LINES);
    assert_eq!(broken("src/json.rs", &code), []);
    assert_eq!(
        broken("src/json.rs", &format!("{code}const B: u8 = 1;\n")),
        [Rule::Length]
    );
    let free = "\n// A comment.\n/* Two\nlines. */\n".repeat(9);
    let tests = format!(
        "#[cfg(test)]\nmod tests {{\n{}}}\n",
        "    const A: u8 = 1;\n".repeat(900)
    );
    assert_eq!(broken("src/json.rs", &format!("{code}{free}{tests}")), []);
    let table = format!("const T: &str = \"\n{}\";\n", "row\n".repeat(CODE_LINES));
    assert_eq!(
        broken("src/json.rs", &table),
        [Rule::Length],
        "lines of a text table are lines"
    );
}

#[test]
fn a_file_that_no_runner_reaches_fails() {
    let rules = |files: &[(&str, &str)]| {
        check(files)
            .into_iter()
            .map(|f| (f.path, f.rule))
            .collect::<Vec<_>>()
    };
    let main = ("tests/it/main.rs", "//! Runs.\nmod cli;\n");
    let cli = ("tests/it/cli.rs", "//! Runs.\nmod keys;\n");
    let keys = ("tests/it/cli/keys.rs", "//! Runs.\n");
    assert_eq!(rules(&[main, cli, keys]), []);
    let lost = ("tests/it/lost.rs", "//! Never runs.\n");
    assert_eq!(
        rules(&[main, cli, keys, lost]),
        [("tests/it/lost.rs".to_owned(), Rule::Forgotten)]
    );
    let commented = ("tests/it/cli.rs", "//! Runs.\n// mod keys;\n");
    assert_eq!(
        rules(&[main, commented, keys]),
        [("tests/it/cli/keys.rs".to_owned(), Rule::Forgotten)]
    );
    let second = ("tests/extra.rs", "//! A second binary.\n");
    assert_eq!(
        rules(&[main, cli, keys, second]),
        [("tests/extra.rs".to_owned(), Rule::Runner)]
    );
    let orphan = ("src/json/old.rs", "//! Never compiled.\n");
    assert_eq!(
        rules(&[orphan]),
        [("src/json/old.rs".to_owned(), Rule::Forgotten)]
    );
}

#[test]
fn a_file_that_only_tests_compile_may_look_anywhere() {
    let lib = ("src/lib.rs", "//! The crate.\npub mod json;\n");
    let json = ("src/json.rs", "//! JSON.\n#[cfg(test)]\nmod tests;\n");
    let tests = ("src/json/tests.rs", "//! Tests.\nuse crate::gate;\n");
    assert_eq!(check(&[lib, json, tests]), []);
    let plain = ("src/json.rs", "//! JSON.\nmod tests;\n");
    assert_eq!(check(&[lib, plain, tests]).len(), 1);
}

#[test]
fn the_table_lists_each_module_once() {
    let mut names: Vec<&str> = table::TABLE.iter().map(|m| m.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}
