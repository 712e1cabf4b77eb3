//! The compiler on text nobody meant as a policy: soup of keywords and fragments, and sound policies with pieces cut,
//! moved and repeated. It must not panic, must not report more than `limits::DIAGNOSTICS`, and must place every report
//! inside a source. Work that grew without bound would keep the test from ending.

use gait::compile;
use gait::limits;
use gait::source::{FileId, Source};
use gait::syntax::lexer::lex;
use proptest::prelude::*;

const REFERENCE: &str = include_str!("../../docs/reference/language.md");

/// The complete policy of the manual.
fn example() -> String {
    let block = REFERENCE.split("```gaitpol\n").nth(1).unwrap();
    block.split("```").next().unwrap().to_owned()
}

fn check(text: &str) {
    let report = compile::check("soup.gaitpol", text);
    assert!(report.diagnostics.len() <= limits::DIAGNOSTICS);
    assert_eq!(report.checked.is_none(), report.errors() > 0);
    for d in &report.diagnostics {
        let labels = d.secondary.iter().chain([&d.primary]).map(|l| l.span);
        for span in labels.chain(d.edit.as_ref().map(|e| e.span)) {
            let source = report.sources.iter().find(|s| s.id == span.file).unwrap();
            assert!(
                source.text.get(span.range()).is_some(),
                "{}: {span:?}\n{text}",
                d.message
            );
        }
        assert!(
            !d.message.is_empty() && !d.message.contains('\n'),
            "{:?}",
            d.message
        );
    }
    if let Some(checked) = &report.checked {
        gait::suite::run(checked);
    }
}

/// The tokens of the manual's policy, the words of the language, and pieces that are easy to get wrong.
fn fragments() -> Vec<String> {
    let text = example();
    let source = Source::new(FileId(0), "x", text.as_str());
    let mut out: Vec<String> = lex(&source)
        .iter()
        .filter(|t| !t.kind.is_trivia())
        .map(|t| source.slice(t.span).to_owned())
        .collect();
    out.sort();
    out.dedup();
    let more = [
        "\n",
        "gaitpol 1\n",
        "policy a\n",
        "default block\n",
        "present",
        "else",
        "targets.host",
        "args",
        "like",
        "matches",
        "null",
        "true",
        "false",
        "dry_run",
        "with effect",
        "tools",
        "only",
        "*",
        "**",
        "//",
        "\"",
        "r\"",
        "\"\\u{",
        "64KiB",
        "-",
        "1e3",
        "9007199254740993",
        "0.000000000000000000001",
        "$",
        "é",
        "\u{202e}",
        "\u{0}",
        "😀",
        "args.to.domain",
        "\"*.acme.com\"",
        "r\"(a|b)*\"",
        "any x in args.to:",
        "all y in args.to:",
        "not not",
        "((((",
        "))))",
        "{{",
        "}}",
        "len(args.to)",
        "rule x on * when",
        "tool t { a: Int }",
        "test \"t\" {",
        "call t {} => block",
        "group g = g",
        "enum E { a, a }",
        "effects { x }",
        "effect x to each a.b",
    ];
    out.extend(more.map(str::to_owned));
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn soup_is_survived(words in prop::collection::vec(prop::sample::select(fragments()), 0..120)) {
        check(&words.join(" "));
        check(&format!("gaitpol 1\npolicy a\ndefault block code b\n{}", words.join(" ")));
    }

    #[test]
    fn bytes_are_survived(text in "(\\PC|[\u{0}-\u{7f}]|[\u{200b}\u{202e}\u{feff}]){0,200}") {
        check(&text);
    }

    /// Cuts, moves, repeats and replaces tokens of a sound policy: most of it still parses, so later passes see it.
    #[test]
    fn a_mutated_policy_is_survived(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..5u8), 1..6),
        with in prop::collection::vec(prop::sample::select(fragments()), 6),
    ) {
        let text = example();
        let source = Source::new(FileId(0), "x", text.as_str());
        let mut tokens: Vec<String> = lex(&source).iter().map(|t| source.slice(t.span).to_owned()).collect();
        for ((at, other, what), word) in edits.into_iter().zip(with) {
            let (at, other) = (at.index(tokens.len()), other.index(tokens.len()));
            match what {
                0 => { tokens.remove(at); }
                1 => tokens.insert(at, word),
                2 => tokens[at] = word,
                3 => tokens.swap(at, other),
                _ => { let copy = tokens[other].clone(); tokens.insert(at, copy); }
            }
            if tokens.is_empty() {
                break;
            }
        }
        check(&tokens.concat());
    }
}

/// Sizes an attacker would choose, each as large as a source may be in the dimension it is about.
#[test]
fn large_policies_end() {
    let head = "gaitpol 1\npolicy a\ndefault block code none\ntool t { s: String, n: Int, l: List[String, max 9]? }\n";
    let many = |n: usize, f: &dyn Fn(usize) -> String| (0..n).map(f).collect::<String>();
    for (name, text) in [
        (
            "unknown names",
            many(3_000, &|i| format!("rule r{i} on u{i} allow\n")),
        ),
        ("broken items", many(20_000, &|_| "rule rule rule\n".to_owned())),
        (
            "groups in a line",
            many(2_000, &|i| format!("group g{i} = g{}\n", i + 1)),
        ),
        (
            "groups that double",
            many(60, &|i| format!("group g{i} = g{}, g{}\n", i + 1, i + 1)) + "group g60 = t\n",
        ),
        (
            "a group ring",
            many(500, &|i| format!("group g{i} = g{}\n", (i + 1) % 500)),
        ),
        (
            "one name often",
            many(5_000, &|_| "rule same on t allow\n".to_owned()),
        ),
        (
            "rows that multiply",
            format!(
                "rule r on t when {} block\n",
                (0..20)
                    .map(|i| format!("(args.n == {i} or args.s == \"{i}\")"))
                    .collect::<Vec<_>>()
                    .join(" and ")
            ),
        ),
        (
            "patterns that multiply",
            many(10, &|i| {
                format!("rule r{i} on t when args.s matches r\".*a.{{{i}}}b.*\" block\n")
            }),
        ),
        (
            "patterns too large",
            many(16, &|i| {
                format!("rule r{i} on t when args.s matches r\".*a.{{{i}}}b.*\" block\n")
            }),
        ),
        (
            "nested quantifiers",
            format!(
                "rule r on t when {} args.n == 1 block\n",
                many(60, &|i| format!("any x{i} in args.l: "))
            ),
        ),
        (
            "a long set",
            format!(
                "rule r on t when args.s in {{ {} }} block\n",
                many(20_000, &|i| format!("\"{i}\", "))
            ),
        ),
        (
            "many tools",
            many(9_000, &|i| format!("tool x{i} {{ a: Int }}\n")) + "rule r on * when args.a == 1 allow\n",
        ),
        (
            "alternatives that multiply",
            format!(
                "rule r on t when {} allow\n",
                (0..60)
                    .map(|i| format!("(args.n > {i} or args.s == \"{i}\")"))
                    .collect::<Vec<_>>()
                    .join(" and ")
            ),
        ),
        ("open braces", "{".repeat(200_000)),
        ("open strings", "\"".repeat(100_001)),
        ("hidden characters", "\u{202e} ".repeat(100_000)),
    ] {
        println!("{name}");
        check(&format!("{head}{text}"));
    }
}
