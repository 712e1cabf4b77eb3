//! What the analyses say of small policies, held against what is true of them: `fixtures/analysis/*.md`, written by hand from
//! the meaning. The counts of false alarms, misses and answers that stay open are in docs/analysis-corpus.md.

use gait::analysis::Outcome;
use gait::analysis::idle::{Kind, idle};
use gait::compare::compare;
use gait::compile::{self, Checked, Pin, Purpose, Text, Texts};
use gait::coverage::coverage;
use gait::prove;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The analyses, in the order of the table.
const ANALYSES: [&str; 4] = ["idle rules", "assertions", "reachable verdicts", "difference"];

/// Questions, false alarms, misses, undecided.
type Counts = [usize; 4];

/// One policy of the corpus.
struct Case {
    name: String,
    before: String,
    after: Option<String>,
    truths: Vec<Vec<String>>,
}

/// The files that stand beside the policies of a file: blocks with `file=` and their names.
fn beside(text: &str) -> Texts {
    let mut texts = Texts::default();
    for part in text.split("```gaitpol file=").skip(1) {
        let (name, rest) = part.split_once('\n').unwrap();
        let text = rest.split_once("\n```").unwrap().0;
        let text = Text {
            text: format!("{text}\n"),
            pin: Pin {
                digest: String::new(),
                locked: None,
            },
        };
        texts.files.insert(name.to_owned(), Ok(text));
    }
    texts
}

/// The cases of a file: under each heading a block, whose lines with `+ ` or `- ` in front are in one of two versions only,
/// and whose truths stand after `//=`.
fn cases(text: &str) -> Vec<Case> {
    let mut parts = text.split("\n### ");
    let block = |part: &str| {
        let (_, rest) = part.split_once("```gaitpol\n")?;
        Some(rest.split_once("\n```")?.0.to_owned())
    };
    let prelude = block(parts.next().unwrap()).unwrap_or_default();
    let case = |part: &str| {
        let name = part.lines().next().unwrap().trim().to_owned();
        let body = block(part).unwrap();
        let version = |other: &str, own: &str| {
            let lines = body
                .lines()
                .filter(|line| !line.starts_with(other) && !line.starts_with("//="));
            let lines: Vec<&str> = lines.map(|line| line.strip_prefix(own).unwrap_or(line)).collect();
            format!("gaitpol 1\npolicy corpus.a\n{prelude}\n{}\n", lines.join("\n"))
        };
        let changed = body
            .lines()
            .any(|line| line.starts_with("+ ") || line.starts_with("- "));
        let words = |line: &str| {
            line.split([' ', ','])
                .filter(|w| !w.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let truths = body
            .lines()
            .filter_map(|line| line.strip_prefix("//=").map(words));
        Case {
            before: version("+ ", "- "),
            after: changed.then(|| version("- ", "+ ")),
            truths: truths.collect(),
            name,
        }
    };
    parts.map(case).collect()
}

fn checked(name: &str, text: &str, texts: &Texts) -> Checked {
    let report = compile::check_with("p.gaitpol", text, texts, Purpose::Author);
    report
        .checked
        .unwrap_or_else(|| panic!("{name}: {:#?}\n{text}", report.diagnostics))
}

/// What the rules of a policy are said to be: nothing is true of those of which nothing is written.
fn idle_rules(case: &Case, checked: &Checked, tally: &mut dyn FnMut(&str, usize)) {
    let found = idle(checked.package());
    for (number, rule) in checked.package().rules.iter().enumerate() {
        let said = found
            .iter()
            .find(|(of, _)| *of == number)
            .map(|(_, idle)| match idle.kind {
                Kind::Dead => "dead",
                Kind::Vacuous => "vacuous",
                Kind::Subsumed => "subsumed",
            });
        let truth = case
            .truths
            .iter()
            .find(|words| words[0] == rule.name)
            .map(|words| words[1].as_str());
        let at = format!("{}: rule {}: {said:?}, in truth {truth:?}", case.name, rule.name);
        match (said, truth) {
            (said, truth) if said == truth => tally(&at, 0),
            (Some(_), _) => tally(&at, 1),
            (None, _) => tally(&at, 2),
        }
    }
}

fn assertions(case: &Case, texts: &Texts, tally: &mut dyn FnMut(&str, usize)) {
    let mut report = compile::check_with("p.gaitpol", &case.before, texts, Purpose::Author);
    for proof in prove::prove(&mut report) {
        let truth = case.truths.iter().find(|words| words.get(1) == Some(&proof.name));
        let holds =
            truth.unwrap_or_else(|| panic!("{}: {} has no truth", case.name, proof.name))[0] == "holds";
        let at = format!(
            "{}: {}: {:?}, in truth {holds}",
            case.name, proof.name, proof.outcome
        );
        match (&proof.outcome, holds) {
            (Outcome::Holds, true) | (Outcome::Fails(_) | Outcome::Declared(_), false) => tally(&at, 0),
            (Outcome::Fails(_) | Outcome::Declared(_), true) => tally(&at, 1),
            (Outcome::Holds, false) => tally(&at, 2),
            (Outcome::Open(_) | Outcome::TooLarge(_), _) => tally(&at, 3),
        }
    }
}

fn reach(case: &Case, checked: &Checked, tally: &mut dyn FnMut(&str, usize)) {
    let truths = case.truths.iter().filter(|words| words[0] == "reach");
    let truths: BTreeMap<&str, &[String]> = truths.map(|words| (words[1].as_str(), &words[2..])).collect();
    if truths.is_empty() {
        return;
    }
    for tool in coverage(checked) {
        let Some(truth) = truths.get(tool.tool.as_str()) else {
            continue;
        };
        for verdict in ["allow", "dry_run", "require_approval", "block"] {
            let said = tool
                .reached
                .iter()
                .find(|reached| reached.verdict.as_str() == verdict);
            let is = truth.iter().any(|word| word == verdict);
            let at = format!(
                "{}: {} of {}: {said:?}, in truth {is}",
                case.name, verdict, tool.tool
            );
            match (said.map(|reached| reached.call.is_some()), is) {
                (Some(true), true) | (None, false) => tally(&at, 0),
                (Some(true), false) => tally(&at, 1),
                (None, true) => tally(&at, 2),
                (Some(false), _) => tally(&at, 3),
            }
        }
    }
}

fn difference(case: &Case, before: &Checked, after: &Checked, tally: &mut dyn FnMut(&str, usize)) {
    let truths = case.truths.iter().filter(|words| words[0] == "diff");
    let difference = compare(before, after);
    for words in truths {
        let tool = difference.tools.iter().find(|tool| tool.tool == words[1]);
        let changes: Vec<_> = tool.into_iter().flat_map(|tool| &tool.changes).collect();
        for direction in ["loosened", "tightened", "sideways"] {
            let here = changes
                .iter()
                .filter(|change| change.direction.as_str() == direction);
            let kinds: Vec<bool> = here
                .flat_map(|change| &change.kinds)
                .map(|kind| kind.example.is_some())
                .collect();
            let is = words[2..].iter().any(|word| word == direction);
            let at = format!(
                "{}: {direction} of {}: {changes:?}, in truth {is}",
                case.name, words[1]
            );
            match (kinds.is_empty(), kinds.contains(&true), is) {
                (true, _, false) | (false, true, true) => tally(&at, 0),
                (false, true, false) => tally(&at, 1),
                (true, _, true) => tally(&at, 2),
                (false, false, _) => tally(&at, 3),
            }
        }
    }
}

#[test]
fn the_analyses_say_what_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = std::fs::read_dir(root.join("fixtures/analysis"))
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    files.sort();
    let mut table = String::new();
    let mut wrong: BTreeSet<String> = BTreeSet::new();
    let mut total = [Counts::default(); 4];
    let mut policies = 0;
    for file in &files {
        let family = file.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(file).unwrap();
        let (cases, texts) = (cases(&text), beside(&text));
        policies += cases.len();
        let mut counts = [Counts::default(); 4];
        for case in &cases {
            let mut note = |analysis: usize, at: &str, outcome: usize| {
                counts[analysis][0] += 1;
                if outcome > 0 {
                    counts[analysis][outcome] += 1;
                    let what = ["", "false alarm", "miss", "undecided"][outcome];
                    wrong.insert(format!("{what}: {}: {family}: {at}", ANALYSES[analysis]));
                }
            };
            let before = checked(&case.name, &case.before, &texts);
            match &case.after {
                Some(after) => difference(
                    case,
                    &before,
                    &checked(&case.name, after, &texts),
                    &mut |at, o| note(3, at, o),
                ),
                None => {
                    idle_rules(case, &before, &mut |at, o| note(0, at, o));
                    assertions(case, &texts, &mut |at, o| note(1, at, o));
                    reach(case, &before, &mut |at, o| note(2, at, o));
                }
            }
        }
        let mut cells = Vec::new();
        for (sum, count) in total.iter_mut().zip(&counts) {
            sum.iter_mut().zip(count).for_each(|(sum, count)| *sum += count);
            cells.push(cell(count));
        }
        table.push_str(&format!(
            "| {family} | {} | {} |\n",
            cases.len(),
            cells.join(" | ")
        ));
    }
    let sums: Vec<String> = total.iter().map(cell).collect();
    table.push_str(&format!("| all | {policies} | {} |\n", sums.join(" | ")));
    assert!(policies >= 180, "{policies}");
    check(root, &table, &wrong);
}

fn cell(count: &Counts) -> String {
    match count {
        [0, ..] => "".to_owned(),
        [all, alarms, misses, open] => format!("{all}: {alarms} / {misses} / {open}"),
    }
}

/// Holds the page against what was counted.
fn check(root: &Path, table: &str, wrong: &BTreeSet<String>) {
    let page = root.join("docs/analysis-corpus.md");
    let known = std::fs::read_to_string(&page).unwrap();
    let (head, _) = known.split_once("<!-- counts -->").unwrap();
    let list: String = wrong
        .iter()
        .map(|line| {
            format!(
                "- {}\n",
                line.split(": Some(").next().unwrap().split(": [").next().unwrap()
            )
        })
        .collect();
    let wanted = format!(
        "{head}<!-- counts -->\n\n| Family | Policies | {} |\n|---|---|---|---|---|---|\n{table}\n{}",
        ANALYSES
            .map(|name| format!("{name}: answers, false alarms / misses / undecided"))
            .join(" | "),
        if list.is_empty() {
            "Nothing is answered wrongly or left open.\n".to_owned()
        } else {
            list
        }
    );
    if std::env::var_os("GAIT_BLESS").is_some() {
        std::fs::write(&page, &wanted).unwrap();
    }
    let known = std::fs::read_to_string(&page).unwrap();
    assert!(
        known == wanted,
        "docs/analysis-corpus.md is stale; run the tests with GAIT_BLESS=1\n{wrong:#?}\n{table}"
    );
}
