//! Every diagnostic code has a page that `gait explain` prints and a fixture that triggers it; no page and no
//! fixture is without a code. Whether the examples compile as they say is checked where they are compiled.

use gait::diag::codes::{ALL, PAGES};
use std::collections::BTreeSet;
use std::path::Path;

/// What is wrong with the set of codes, pages and fixtures. Pure, so that each complaint is shown to be possible.
/// Pages and fixtures are (file name, text).
fn complaints(
    codes: &[(&str, &str)],
    pages: &[(String, String)],
    fixtures: &[(String, String)],
) -> Vec<String> {
    let mut out = Vec::new();
    let known: BTreeSet<&str> = codes.iter().map(|(code, _)| *code).collect();
    if known.len() != codes.len() || !codes.is_sorted_by_key(|(code, _)| *code) {
        out.push("codes are not distinct and in order".to_owned());
    }
    for (code, meaning) in codes {
        match pages
            .iter()
            .find(|(name, _)| name.strip_suffix(".md") == Some(code))
        {
            Some((_, text)) => out.extend(page_complaints(code, meaning, text)),
            None => out.push(format!("{code} has no page docs/errors/{code}.md")),
        }
        if !fixtures.iter().any(|(name, text)| {
            fixture_code(name) == Some(code) && remarks(code).iter().any(|r| text.contains(r))
        }) {
            out.push(format!(
                "{code} has no fixture fixtures/lang/{code}_*.md that remarks it"
            ));
        }
    }
    for (name, _) in pages
        .iter()
        .filter(|(name, _)| !known.contains(name.trim_end_matches(".md")))
    {
        out.push(format!("docs/errors/{name} belongs to no code"));
    }
    let stale = |name: &str| fixture_code(name).is_some_and(|code| !known.contains(code));
    for (name, _) in fixtures.iter().filter(|(name, _)| stale(name)) {
        out.push(format!("fixtures/lang/{name} belongs to no code"));
    }
    out
}

/// How an example says that a code is reported; a code may be a warning only.
fn remarks(code: &str) -> [String; 2] {
    [format!("// error[{code}]"), format!("// warning[{code}]")]
}

/// `GP0101` of `GP0101_unknown_tool.md`; `None` for a case that is about no diagnostic.
fn fixture_code(name: &str) -> Option<&str> {
    name.split_once('_')
        .map(|(code, _)| code)
        .filter(|code| code.starts_with("GP"))
}

fn page_complaints(code: &str, meaning: &str, text: &str) -> Vec<String> {
    let heading = format!("# {code}: {}", meaning.trim_end_matches('.'));
    // Files beside a policy (`gaitpol file=…`) are parts of its example.
    let is_policy = |block: &&str| !block.lines().next().unwrap_or_default().contains(" file=");
    let blocks: Vec<&str> = text.split("```").skip(1).step_by(2).filter(is_policy).collect();
    let count = |block: &str| block.matches("// error[").count() + block.matches("// warning[").count();
    let reports = |block: &&str| count(block) > 0;
    let fix = blocks.get(1).and_then(|fix| text.rsplit_once(fix));
    let example = fix.map_or(text, |(before, _)| before);
    let complete = |block: &&str| block.starts_with("gaitpol\ngaitpol ") && block.contains("\npolicy ");
    [
        (
            text.lines().next() == Some(&heading),
            format!("{code}: the page does not start with `{heading}`"),
        ),
        (
            blocks.len() == 2,
            format!(
                "{code}: the page has {} blocks, not an example and its fix",
                blocks.len()
            ),
        ),
        (
            blocks.iter().all(complete),
            format!("{code}: a block is no complete policy"),
        ),
        (
            remarks(code).iter().any(|r| example.contains(r)) && count(example) == 1,
            format!("{code}: the example does not remark the code once"),
        ),
        (
            !blocks.iter().skip(1).any(reports),
            format!("{code}: the fix shows an error"),
        ),
    ]
    .into_iter()
    .filter_map(|(good, complaint)| (!good).then_some(complaint))
    .collect()
}

fn markdown(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_code_has_its_page_and_fixture() {
    let codes: Vec<(&str, &str)> = ALL.iter().map(|(code, meaning)| (code.0, *meaning)).collect();
    let pages = markdown("docs/errors");
    let found = complaints(&codes, &pages, &markdown("fixtures/lang"));
    assert!(found.is_empty(), "{}", found.join("\n"));
    let shipped: Vec<(String, String)> = PAGES
        .iter()
        .map(|(code, page)| (format!("{code}.md"), (*page).to_owned()))
        .collect();
    assert_eq!(shipped, pages, "the binary ships the pages as they are");
}

#[test]
fn each_complaint_is_possible() {
    let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
            .collect()
    };
    let codes = [("GP0001", "A bad thing.")];
    let bad = "```gaitpol\ngaitpol 1\npolicy a // error[GP0001]\n```\n";
    let good = "```gaitpol\ngaitpol 1\npolicy a\n```\n";
    let page = format!("# GP0001: A bad thing\n{bad}{good}");
    let fixture = ("GP0001_x.md", bad);
    let judge = |page: &str, fixture: (&str, &str)| {
        complaints(&codes, &own(&[("GP0001.md", page)]), &own(&[fixture])).len()
    };
    assert_eq!(judge(&page, fixture), 0);
    assert_eq!(judge(&page, ("plain_case.md", bad)), 1, "no fixture");
    assert_eq!(
        judge(&page, ("GP0001_x.md", good)),
        1,
        "a fixture without the remark"
    );
    assert_eq!(
        judge(&page.replace("# GP0001", "# GP0002"), fixture),
        1,
        "wrong heading"
    );
    assert_eq!(
        judge(&page.replace("bad thing", "good thing"), fixture),
        1,
        "wrong meaning"
    );
    assert_eq!(
        judge(&page.replacen("GP0001]", "GP0002]", 1), fixture),
        1,
        "the example is about another code"
    );
    assert_eq!(
        judge(
            &page.replace("policy a\n", "policy a // error[GP0001]\n"),
            fixture
        ),
        1,
        "the fix is wrong"
    );
    assert_eq!(
        judge(&page.replace("\ngaitpol 1\npolicy a\n", "\nrule x\n"), fixture),
        1,
        "a part of a policy"
    );
    assert_eq!(
        judge(&format!("# GP0001: A bad thing\n{bad}"), fixture),
        1,
        "no fix"
    );
    let extra = complaints(
        &codes,
        &own(&[("GP0001.md", &page), ("GP0999.md", &page)]),
        &own(&[fixture, ("GP0999_x.md", bad)]),
    );
    assert_eq!(extra.len(), 2, "{extra:?}");
    let twice = [codes[0], codes[0]];
    assert_eq!(
        complaints(&twice, &own(&[("GP0001.md", &page)]), &own(&[fixture])).len(),
        1
    );
    assert_eq!(complaints(&codes, &[], &own(&[fixture])).len(), 1, "no page");
}

/// The manual's table of the gate's own codes has every one of them, and no other.
#[test]
fn the_manual_lists_the_codes_of_the_gate() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/language.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `gait."));
    let listed: BTreeSet<String> = rows
        .map(|row| format!("gait.{}", row.split('`').next().unwrap()))
        .collect();
    let known: BTreeSet<String> = gait::domain::reserved::ALL.map(str::to_owned).into();
    assert_eq!(listed, known);
}
