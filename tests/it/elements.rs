//! Labels of elements and fields. On random calls and random things an adapter says of them, true, wrong or odd: the gate
//! finds what a naive reading finds, the index agrees with the oracle, and saying one thing more never makes labels less.
//! And what the decision, the nearest allowed call and a redaction say of elements.

use gait::artifact::digest;
use gait::builtins::bind;
use gait::compile::{self, Checked};
use gait::domain::{ArgumentOrigin, ArgumentSource, Decision, Request, Verdict};
use gait::eval::reference;
use gait::explain::{self, Nearest, Origin, What};
use gait::gate::{Gate, request};
use gait::ir;
use gait::json::Json;
use gait::lint::levels::Flags;
use gait::value::Value;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

const POLICY: &str = r#"gaitpol 1
policy a
default block code none

label secret

source system => secret

pred doubtful(v: String[max 9]) = labels(v) has untrusted

tool t.one {
  to: List[String[max 9], max 5]
  items: List[{ account: String[max 9], note: String[max 9]?, tags: List[String[max 9], max 3] }, max 4]
  cc: List[String[max 9], max 3]?
  few: Set[String[max 9], max 3]
  x: String[max 9]
}

rule element on t.one when any r in args.to: labels(r) has untrusted and r == "v0" require_approval
rule whole on t.one when labels(args.to) has untrusted require_approval
rule each on t.one when all r in args.to: labels(r) has secret or r != "v1" allow
rule field on t.one when any i in args.items: labels(i.account) has untrusted and i.account == "v0" block
rule record on t.one when any i in args.items: labels(i) has secret and i.account == "v1" block
rule nested on t.one when any i in args.items: any g in i.tags: labels(g) has secret and i.account == "v1" block
rule both on t.one when any i in args.items: labels(i.account) has secret and (all g in i.tags: labels(g) has untrusted) allow
rule several on t.one when count(r in args.to: labels(r) has any { untrusted, secret }) >= 2 require_approval
rule compared on t.one when any r in args.to: labels(r) has secret and r == args.x block
rule crossed on t.one when any r in args.to: labels(r) has untrusted and (any i in args.items: i.account == r and labels(i.account) has secret) block
rule optional on t.one when any r in args.cc: labels(r) has untrusted block
rule inner on t.one when any i in args.items: any n in i.note: labels(n) has untrusted and n == "v2" block
rule asked on t.one when any r in args.to: doubtful(r) and r == "v2" block
rule of_set on t.one when any f in args.few: labels(f) has untrusted and f == "v0" block
"#;

fn checked(text: &str) -> Checked {
    let report = compile::check("a.gaitpol", text);
    let messages: Vec<&str> = report.diagnostics.iter().map(|d| d.message.as_str()).collect();
    report.checked.unwrap_or_else(|| panic!("{messages:#?}"))
}

/// An entry: its path as written, its source, and whether its digest is there and right.
#[derive(Clone, Debug)]
struct Entry {
    path: String,
    source: &'static str,
    digest: Option<bool>,
}

fn call() -> impl Strategy<Value = Json> {
    let word = || prop::sample::select(vec!["v0", "v1", "v2"]);
    let words =
        move |most: usize| prop::collection::vec(word().prop_map(Json::str), 0..=most).prop_map(Json::Array);
    let item = (word(), prop::option::of(word()), words(2)).prop_map(|(account, note, tags)| {
        let note = note.map(|note| ("note", Json::str(note)));
        Json::object(
            [("account", Json::str(account)), ("tags", tags)]
                .into_iter()
                .chain(note),
        )
    });
    let items = prop::collection::vec(item, 0..3).prop_map(Json::Array);
    let few = prop::sample::subsequence(vec!["v0", "v1", "v2"], 0..3);
    let few = few.prop_map(|few| Json::Array(few.into_iter().rev().map(Json::str).collect()));
    (words(4), items, prop::option::of(words(2)), few, word()).prop_map(|(to, items, cc, few, x)| {
        let members = [("to", to), ("items", items), ("few", few), ("x", Json::str(x))];
        Json::object(members.into_iter().chain(cc.map(|cc| ("cc", cc))))
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    let index = || 0usize..4;
    let path = prop_oneof![
        3 => index().prop_map(|i| format!("args.to[{i}]")),
        2 => index().prop_map(|i| format!("/items/{i}/account")),
        2 => (index(), index()).prop_map(|(i, j)| format!("$.items[{i}].tags[{j}]")),
        1 => index().prop_map(|i| format!("items[{i}]")),
        1 => index().prop_map(|i| format!("items.{i}.note")),
        1 => index().prop_map(|i| format!("cc[{i}]")),
        1 => index().prop_map(|i| format!("few[{i}]")),
        2 => prop::sample::select(vec!["to", "items", "few", "x", "cc", "$", "items[0].tags", "['to'][0]"]).prop_map(str::to_owned),
        2 => prop::sample::select(vec![
            "to[01]", "to[*]", "to[-1]", "to[0", "to[]", "to[0]x", "to[0].x", "items[0].acount", "nope", "/to/1/", "to..0",
        ])
        .prop_map(str::to_owned),
    ];
    let source = prop::sample::select(vec!["user", "system", "external"]);
    (path, source, prop::option::weighted(0.3, any::<bool>())).prop_map(|(path, source, digest)| Entry {
        path,
        source,
        digest,
    })
}

/// The steps of a path that is written in one of the ways there are, by the book; `None` for another one. `Err` has the
/// steps before what is wrong.
fn steps(written: &str) -> Result<Vec<String>, Vec<String>> {
    if let Some(pointer) = written.strip_prefix('/') {
        return Ok(pointer.split('/').map(str::to_owned).collect());
    }
    match written {
        "$" => Ok(Vec::new()),
        "to[*]" | "to[-1]" | "to[0" | "to[]" | "to..0" => Err(vec!["to".to_owned()]),
        "to[0]x" => Err(vec!["to".to_owned()]),
        "['to'][0]" => Ok(vec!["to".to_owned(), "0".to_owned()]),
        plain => {
            let plain = plain.trim_start_matches("args.").trim_start_matches("$.");
            Ok(plain
                .replace(']', "")
                .split(['.', '['])
                .map(str::to_owned)
                .collect())
        }
    }
}

fn at<'j>(json: &'j Json, path: &[String]) -> Option<&'j Json> {
    path.iter().try_fold(json, |json, step| match json {
        Json::Object(_) => json.get(step),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .find(|(i, _)| i.to_string() == *step)
            .map(|(_, v)| v),
        _ => None,
    })
}

const MISSING: u64 = 1;

fn bits(source: &str) -> u64 {
    match source {
        "user" => 0,
        "system" => 2,
        _ => 1,
    }
}

/// Every entry with the deepest value it leads to, and its labels; whether it is wrong.
fn resolved(args: &Json, entries: &[Entry]) -> Vec<(Vec<String>, u64, bool)> {
    entries
        .iter()
        .filter_map(|entry| {
            let (path, odd) = match steps(&entry.path) {
                Ok(path) => (path, false),
                Err(path) => (path, true),
            };
            if !odd && let Some(value) = at(args, &path) {
                let _ = value;
                return Some(if entry.digest == Some(false) {
                    (path, MISSING, true)
                } else {
                    (path, bits(entry.source), false)
                });
            }
            // Optionals that are left out.
            let is_cc = path.first().is_some_and(|s| s == "cc");
            let is_note =
                path.len() == 3 && path[0] == "items" && path[2] == "note" && at(args, &path[..2]).is_some();
            if (is_cc && args.get("cc").is_none()) || is_note {
                return None;
            }
            let deepest = (0..=path.len())
                .rev()
                .find(|n| at(args, &path[..*n]).is_some())
                .unwrap();
            Some((path[..deepest].to_vec(), bits(entry.source) | MISSING, true))
        })
        .collect()
}

/// The labels of what lies at a path, leaf by leaf.
fn naive(args: &Json, entries: Option<&[Entry]>, path: &[String]) -> u64 {
    let Some(value) = at(args, path) else { return 0 };
    let parts: Vec<(String, &Json)> = match value {
        Json::Object(members) => members.iter().map(|(n, v)| (n.to_string(), v)).collect(),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .map(|(i, v)| (i.to_string(), v))
            .collect(),
        _ => Vec::new(),
    };
    let is_empty = parts.is_empty() && matches!(value, Json::Object(_) | Json::Array(_));
    if !parts.is_empty() {
        let inner = parts
            .iter()
            .map(|(name, _)| naive(args, entries, &[path, std::slice::from_ref(name)].concat()));
        return inner.fold(0, |all, one| all | one);
    }
    let Some(entries) = entries else {
        return if is_empty { 0 } else { MISSING };
    };
    let about: Vec<_> = resolved(args, entries)
        .into_iter()
        .filter(|(at, ..)| path.starts_with(at))
        .collect();
    match about.as_slice() {
        _ if is_empty && !about.iter().any(|(.., wrong)| *wrong) => 0,
        [] => MISSING,
        about => about.iter().fold(0, |all, (_, labels, _)| all | labels),
    }
}

fn document(args: &Json, entries: &[Entry]) -> Json {
    let entries = entries.iter().map(|entry| {
        let found = steps(&entry.path).ok().and_then(|path| at(args, &path).cloned());
        let right = digest::of_json(&found.unwrap_or(Json::Null)).to_string();
        let wrong = digest::of_json(&Json::str("something else")).to_string();
        let digest = entry.digest.map(|is_right| {
            (
                "integrity_digest",
                Json::str(if is_right { right } else { wrong }),
            )
        });
        Json::object(
            [
                ("arg_path", Json::str(&entry.path)),
                ("source", Json::str(entry.source)),
            ]
            .into_iter()
            .chain(digest),
        )
    });
    Json::object([("arg_provenance", Json::Array(entries.collect()))])
}

fn said(args: &Json, entries: Option<&[Entry]>) -> Option<Vec<ArgumentOrigin>> {
    ArgumentOrigin::of_intent(&document(args, entries?))
}

fn decide(gate: &Gate, args: &Json, origins: Option<&[ArgumentOrigin]>) -> Decision {
    let request = Request {
        origins,
        ..Request::call("t.one", args)
    };
    gate.decide(&request, &mut gate.workspace()).decision
}

fn names(bits: u64) -> Vec<&'static str> {
    let known = [(2, "secret"), (1, "untrusted")];
    known
        .iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, name)| *name)
        .collect()
}

/// Runs a property on so many random inputs.
fn each<T: std::fmt::Debug>(
    inputs: impl Strategy<Value = T>,
    check: impl Fn(T) -> Result<(), TestCaseError>,
) {
    let mut runner = TestRunner::new(ProptestConfig::with_cases(400));
    runner.run(&inputs, check).unwrap();
}

/// The policy, and its gate.
pub struct Judge {
    checked: Checked,
    gate: Gate,
}

impl Judge {
    pub fn new() -> Judge {
        let checked = checked(POLICY);
        let gate = Gate::new(compile::lower(&checked));
        Judge { checked, gate }
    }

    /// What is found of each element is what a naive reading finds; and the index and the oracle agree, on what the gate
    /// found and on the naive labels.
    fn agree(&self, args: &Json, entries: Option<&[Entry]>) -> Result<(), TestCaseError> {
        let Judge { checked, gate } = self;
        let origins = said(args, entries);
        let decision = decide(gate, args, origins.as_deref());
        for fact in &decision.labels {
            let path: Vec<String> = steps(&fact.of).unwrap();
            let found = naive(args, entries, &path);
            prop_assert_eq!(&fact.labels, &names(found), "{} of {:?}", fact.of, entries);
        }
        let elements = args.get("to").and_then(Json::as_array).unwrap().len();
        let of_to = decision
            .labels
            .iter()
            .filter(|fact| fact.of.starts_with("args.to["));
        prop_assert_eq!(of_to.count(), elements);
        let request = Request {
            origins: origins.as_deref(),
            ..Request::call("t.one", args)
        };
        let tool = gate.program().tool("t.one").unwrap();
        let bound = request::bind(gate.program(), tool, &request, request::Counting::Known).unwrap();
        let labels = |path: &[String]| naive(args, entries, path);
        let plain = Value::Record(bind::bind_record(args, &tool.args).unwrap());
        let found = reference::interpret(checked.package(), 0, &bound.record);
        let naively = reference::interpret_labelled(checked.package(), 0, &plain, &labels);
        for expected in [found, naively] {
            let matched: Vec<&str> = decision.matched.iter().map(|rule| rule.name.as_str()).collect();
            let of: Vec<&str> = expected.matched.iter().map(String::as_str).collect();
            prop_assert_eq!(matched, of, "{:?}", entries);
            prop_assert_eq!(decision.verdict, expected.verdict);
        }
        Ok(())
    }

    /// One random call and what is said of it. For `benches/differential.rs`.
    #[allow(dead_code, reason = "only benches/differential.rs asks for it")]
    pub fn batch(&self, runner: &mut TestRunner) -> usize {
        use proptest::strategy::ValueTree as _;
        let drawn = said_call().new_tree(runner).expect("nothing is filtered");
        let (args, entries) = drawn.current();
        self.agree(&args, entries.as_deref()).expect("the two agree");
        1
    }
}

/// A call, and what an adapter says of it.
fn said_call() -> impl Strategy<Value = (Json, Option<Vec<Entry>>)> {
    let entries = prop::option::weighted(0.9, prop::collection::vec(entry(), 0..7));
    (call(), entries)
}

#[test]
fn each_element_has_the_labels_that_are_said_of_it() {
    let judge = Judge::new();
    let program = judge.gate.program();
    assert_eq!(ir::decode(&ir::encode(program)).unwrap(), *program);
    each(said_call(), |(args, entries)| {
        judge.agree(&args, entries.as_deref())
    });
}

#[test]
fn saying_more_never_makes_labels_less_unless_nothing_was_said() {
    let gate = Gate::new(compile::lower(&checked(POLICY)));
    let entries = prop::collection::vec(entry(), 0..5);
    each((call(), entries, entry()), |(args, entries, more)| {
        let of = |entries: &[Entry]| decide(&gate, &args, said(&args, Some(entries)).as_deref()).labels;
        let before = of(&entries);
        let after = of(&[&entries[..], std::slice::from_ref(&more)].concat());
        let mine = resolved(&args, std::slice::from_ref(&more));
        let is_wrong = mine.iter().all(|(.., wrong)| *wrong);
        for (old, new) in before.iter().zip(&after) {
            prop_assert_eq!(&old.of, &new.of);
            let path = steps(&old.of).unwrap();
            let mut around = resolved(&args, &entries).into_iter();
            // Where nobody has said anything, a right entry takes the place of `missing`.
            if is_wrong || around.any(|(at, ..)| path.starts_with(&at)) {
                for label in &old.labels {
                    prop_assert!(
                        new.labels.contains(label),
                        "{} {:?} + {:?}",
                        old.of,
                        entries,
                        more
                    );
                }
            }
        }
        Ok(())
    });
}

const MAIL: &str = r#"gaitpol 1
policy a
default block code none
tool t.one {
  to: List[String[max 9], max 99]
  body: String[max 9]
}
rule send on t.one allow
rule strangers on t.one when any r in args.to: labels(r) has untrusted and r != "ann" block
"#;

fn mail(to: &[&str]) -> Json {
    let to = to.iter().map(|to| Json::str(*to)).collect();
    Json::object([("to", Json::Array(to)), ("body", Json::str("x"))])
}

fn from(entries: &[(&str, ArgumentSource)]) -> Vec<ArgumentOrigin> {
    let one = |(path, source): &(&str, ArgumentSource)| ArgumentOrigin {
        path: path.split('/').map(str::to_owned).collect(),
        source: *source,
        tool: None,
        digest: None,
    };
    entries.iter().map(one).collect()
}

/// Leaving an element out moves what is said of those after it; the call alone would not do, so none is given.
#[test]
fn the_nearest_allowed_call_leaves_out_the_element_or_turns_its_labels() {
    let checked = checked(MAIL);
    let gate = Gate::new(compile::lower(&checked));
    let args = mail(&["eve", "bob", "ann"]);
    let (user, external) = (ArgumentSource::User, ArgumentSource::External);
    for (origins, what) in [
        (
            from(&[("to/0", external), ("to/1", user), ("to/2", external)]),
            vec!["eve"],
        ),
        (
            from(&[("to/0", user), ("to/1", external), ("to/2", user)]),
            vec!["bob"],
        ),
    ] {
        let request = Request {
            origins: Some(&origins),
            ..Request::call("t.one", &args)
        };
        let found = explain::explain(&checked, &gate, &request, &|_: &Request<'_>, _: &[String]| false);
        let Nearest::Found { changes, call, .. } = &found.nearest else {
            panic!("{found:#?}");
        };
        let [change] = changes.as_slice() else {
            panic!("{changes:#?}")
        };
        assert_eq!(
            (change.origin, &change.what),
            (Origin::Argument, &What::LeaveOut),
            "{changes:#?}"
        );
        assert!(format!("{:?}", change.from).contains(what[0]), "{change:#?}");
        assert!(call.is_none());
        assert_eq!(change.turns.len(), 1, "{change:#?}");
    }
    // No element can go where one has to be there.
    let text = MAIL.replace(
        "rule send on t.one allow",
        "rule send on t.one when len(args.to) == 3 allow",
    );
    let checked = self::checked(&text);
    let gate = Gate::new(compile::lower(&checked));
    let origins = from(&[("to/0", user), ("to/1", external), ("to/2", user)]);
    let request = Request {
        origins: Some(&origins),
        ..Request::call("t.one", &args)
    };
    let found = explain::explain(&checked, &gate, &request, &|_: &Request<'_>, _: &[String]| false);
    let Nearest::Found { changes, call, .. } = &found.nearest else {
        panic!("{found:#?}");
    };
    assert!(
        call.is_some() || changes.iter().all(|c| c.origin == Origin::Provenance),
        "{changes:#?}"
    );
}

#[test]
fn a_decision_names_the_first_elements_and_the_whole() {
    let gate = Gate::new(compile::lower(&checked(MAIL)));
    let to: Vec<&str> = (0..70).map(|_| "ann").collect();
    let mut origins = from(&[("to/69", ArgumentSource::External)]);
    origins.extend((0..69).flat_map(|i| from(&[(&format!("to/{i}"), ArgumentSource::User)])));
    let decision = decide(&gate, &mail(&to), Some(&origins));
    assert_eq!(decision.verdict, Verdict::Allow);
    assert_eq!(decision.labels.len(), gait::limits::LABELLED_ELEMENTS + 1);
    let whole = decision.labels.iter().find(|fact| fact.of == "args.to").unwrap();
    assert_eq!(whole.labels, ["untrusted"]);
    let few = decide(
        &gate,
        &mail(&to[..2]),
        Some(&from(&[("to/0", ArgumentSource::User)])),
    );
    let few: Vec<(&str, &[String])> = few
        .labels
        .iter()
        .map(|f| (f.of.as_str(), f.labels.as_slice()))
        .collect();
    assert_eq!(
        few,
        [("args.to[0]", &[][..]), ("args.to[1]", &["untrusted".to_owned()])]
    );
}

/// An explanation of a rule about labels names elements, never what is redacted.
#[test]
fn what_is_redacted_is_not_shown_beside_its_labels() {
    let text = MAIL
        .replace("block\n", "block oblige redact(args.to)\n")
        .replace("default block oblige redact(args.to)", "default block");
    let checked = checked(&text);
    let gate = Gate::new(compile::lower(&checked));
    let args = mail(&["ann", "hidden9"]);
    let origins = from(&[("to", ArgumentSource::External)]);
    let request = Request {
        origins: Some(&origins),
        ..Request::call("t.one", &args)
    };
    let found = explain::explain(&checked, &gate, &request, &|_: &Request<'_>, _: &[String]| false);
    assert_eq!(found.decision.verdict, Verdict::Block);
    let shown = format!("{:?} {:?}", found.rules, found.nearest);
    assert!(
        shown.contains("labels(args.to[1])") && !shown.contains("hidden9"),
        "{shown}"
    );
}

/// Programs that ask nothing of elements are what they were before elements had labels.
#[test]
fn a_list_is_a_plain_variable_where_no_element_is_asked_for() {
    let text = "gaitpol 1\npolicy a\ndefault block code none\ntool t { to: List[String[max 9], max 9] }\n\
                rule r on t when any r in args.to: r == \"a\" and labels(args.to) has untrusted allow\n";
    let program = compile::lower(&checked(text));
    let slots = &program.tool("t").unwrap().slots;
    assert_eq!(slots.len(), 1, "{slots:?}");
    assert!(!format!("{slots:?}").contains("Each"), "{slots:?}");
}

/// A lint about a list finds the same where labels of its elements are asked for.
#[test]
fn lints_see_the_list_that_is_meant() {
    let policy = |more: &str| {
        format!(
            "gaitpol 1\npolicy a\ndefault block code none\ntool mail.send {{\n  to: List[Email, max 9]\n  \
             effect net.egress to each to\n}}\nrule send on mail.send when any r in args.to: {more}r != \"a@b.com\" allow\n"
        )
    };
    let codes = |text: &str| {
        let mut report = compile::check("a.gaitpol", text);
        compile::lint(&mut report, &Flags::default());
        let codes = report.diagnostics.iter().map(|d| d.code.0.to_owned());
        codes.collect::<Vec<_>>()
    };
    let found = codes(&policy("labels(r) has untrusted and "));
    assert!(found.contains(&"GP0604".to_owned()), "{found:?}");
    assert_eq!(found, codes(&policy("")));
}
