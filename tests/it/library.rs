//! The library's modules: each is laid out, only declares, is documented, and is tested by a policy of its own that uses
//! everything it offers.

use gait::compile::{self, LIBRARY, Purpose, Texts};
use gait::source::{FileId, Source};
use gait::suite;
use gait::syntax::{self, ast::Item, parse};
use std::collections::BTreeSet;
use std::path::Path;

fn items(text: &str) -> Vec<Item> {
    let parsed = parse::parse(&Source::new(FileId(0), "m", text));
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    parsed.module.items
}

/// What a module offers by name.
fn offered(text: &str) -> BTreeSet<String> {
    let name = |item: &Item| match item {
        Item::Enum(item) => Some(item.name.text.clone()),
        Item::Type(item) => Some(item.name.text.clone()),
        Item::Set(item) => Some(item.name.text.clone()),
        Item::Pred(item) => Some(item.name.text.clone()),
        Item::Group(item) => Some(item.name.text.clone()),
        Item::Approval(item) => Some(item.name.text.clone()),
        _ => None,
    };
    let names = items(text).iter().filter_map(name).collect::<BTreeSet<_>>();
    names.into_iter().filter(|name| !name.starts_with('_')).collect()
}

#[test]
fn every_module_is_laid_out_and_only_declares() {
    for module in LIBRARY {
        let layout = |text: &str| syntax::format(&Source::new(FileId(0), "m", text)).unwrap();
        assert_eq!(layout(module.text), module.text, "{}", module.name);
        if let Some(example) = module.example {
            assert_eq!(layout(example), example, "the tests of {}", module.name);
        }
        for item in items(module.text) {
            let speaks = matches!(
                item,
                Item::Policy(_)
                    | Item::Default(_)
                    | Item::Profile(_)
                    | Item::Rule(_)
                    | Item::Tool(_)
                    | Item::Test(_)
            );
            assert!(!speaks, "{}: {item:?}", module.name);
        }
    }
}

#[test]
fn every_module_is_tested_by_a_policy_of_its_own() {
    for module in LIBRARY {
        let Some(example) = module.example else { continue };
        let report = compile::check_with("t.gaitpol", example, &Texts::default(), Purpose::Author);
        assert!(
            report.diagnostics.is_empty(),
            "{}: {:#?}",
            module.name,
            report.diagnostics
        );
        let checked = report.checked.unwrap();
        let results = suite::run(&checked);
        let failed: Vec<_> = results.iter().filter(|r| !r.passed()).collect();
        assert!(failed.is_empty(), "{}: {failed:#?}", module.name);
        let last = module.name.rsplit('.').next().unwrap();
        let unused: Vec<String> = offered(module.text)
            .into_iter()
            .filter(|name| !example.contains(&format!("{last}.{name}")))
            .collect();
        assert!(unused.is_empty(), "{}: its tests use no {unused:?}", module.name);
        // Each rule of the tests matches some call and not every one: what is asked is told apart.
        for rule in &checked.package().rules {
            let matches = |r: &suite::CaseResult| r.decision.matched.iter().any(|m| m.name == rule.name);
            let about: Vec<bool> = results
                .iter()
                .filter(|r| {
                    rule.on
                        .iter()
                        .any(|(tool, _)| checked.package().tools[*tool].name == r.tool)
                })
                .map(matches)
                .collect();
            assert!(
                about.contains(&true),
                "{}: no case matches rule {}",
                module.name,
                rule.name
            );
        }
    }
}

#[test]
fn every_module_is_documented() {
    for module in LIBRARY {
        let page = compile::page(module);
        assert!(page.starts_with(&format!("# {}\n\n", module.name)), "{page}");
        for name in offered(module.text) {
            let section = page
                .split("\n## ")
                .find(|s| s.contains(&format!("`{name}`")))
                .unwrap();
            let text = section.lines().nth(2).unwrap_or_default();
            assert!(
                !text.is_empty() && !text.starts_with("```"),
                "{}: {name} has no words",
                module.name
            );
        }
        assert!(!page.contains("`_"), "{}: what is private is shown", module.name);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib");
    let files = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let modules = files.filter(|path| path.extension().is_some_and(|e| e == "gaitpol"));
    assert_eq!(modules.count(), LIBRARY.len(), "a module is in the list");
}
