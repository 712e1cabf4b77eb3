//! Explanations. In documents: an `explanation` block after an `intent` block is what `gait policy explain` prints for it
//! under the policy above. On random policies and calls: an explanation says what the oracle and the gate say, its trees
//! are what they are made of, and the nearest allowed call is allowed. And the commands: bundles, JSON, refusals.

use crate::cli::gait;
use crate::folder::{Folder, eval, shown};
use crate::oracle;
use gait::compile::{self, Checked};
use gait::domain::{Obligation, Request, Verdict};
use gait::eval::reference;
use gait::explain::{self, Element, Explanation, Kind, Nearest, Node, Shown};
use gait::gate::{Gate, request};
use gait::json::{self, Json};
use proptest::prelude::*;
use std::path::{Path, PathBuf};

const FOLDERS: [&str; 3] = ["fixtures/explain", "docs/reference", "docs/errors"];

/// What a document says, line by line: the explanation blocks with the policy and the intent before them.
struct Block {
    line: usize,
    policy: String,
    intent: String,
    explanation: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let (mut policy, mut intent) = (String::new(), String::new());
    let mut out = Vec::new();
    let mut open: Option<(&str, usize, String)> = None;
    for (number, line) in document.lines().enumerate() {
        match &mut open {
            None => {
                if let Some(info) = line.strip_prefix("```") {
                    open = Some((info, number + 2, String::new()));
                }
            }
            Some((info, start, text)) if line == "```" => {
                let text = std::mem::take(text);
                match *info {
                    "gaitpol" => policy = text,
                    "intent" => intent = text,
                    "explanation" => out.push(Block {
                        line: *start,
                        policy: policy.clone(),
                        intent: intent.clone(),
                        explanation: text,
                    }),
                    _ => {}
                }
                open = None;
            }
            Some((_, _, text)) => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    out
}

/// A whole v1 intent around the tool, arguments and context of a document.
fn envelope(short: &Json) -> String {
    let mut context = vec![
        ("identity".into(), Json::str("ann")),
        ("workspace".into(), Json::str("/w")),
        ("risk_class".into(), Json::str("low")),
    ];
    for (name, value) in short.get("context").and_then(Json::as_object).unwrap_or_default() {
        context.retain(|(known, _)| known != name);
        context.push((name.clone(), value.clone()));
    }
    let text = |name: &str| short.get(name).cloned().unwrap();
    let mut intent = vec![
        ("schema_id", Json::str("gait.gate.intent_request")),
        ("schema_version", Json::str("1.0.0")),
        ("created_at", Json::str("2026-01-02T03:04:05Z")),
        ("producer_version", Json::str("1.0.0")),
        ("tool_name", text("tool")),
        ("args", text("args")),
        ("targets", Json::Array(Vec::new())),
        ("context", Json::Object(context)),
    ];
    if let Some(origins) = short.get("arg_provenance") {
        intent.push(("arg_provenance", origins.clone()));
    }
    serde_json::to_string(&Json::object(intent)).unwrap()
}

fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = FOLDERS
        .iter()
        .flat_map(|folder| std::fs::read_dir(root.join(folder)).unwrap());
    let mut out: Vec<PathBuf> = files.map(|entry| entry.unwrap().path()).collect();
    out.retain(|path| path.extension().is_some_and(|e| e == "md"));
    out.sort();
    out
}

/// `GAIT_BLESS=1` writes what is printed into the documents.
#[test]
fn every_explanation_of_a_document_is_what_is_printed() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for path in documents() {
        let document = std::fs::read_to_string(&path).unwrap();
        let mut blessed = document.clone();
        for block in blocks(&document) {
            seen += 1;
            let at = format!("{}:{}", path.display(), block.line);
            let short = json::parse(block.intent.as_bytes()).unwrap();
            let folder = tempfile::tempdir().unwrap();
            let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
            write("policy.gaitpol", &block.policy);
            write("intent.json", &envelope(&short));
            write(
                "facts.json",
                &serde_json::to_string(short.get("facts").unwrap_or(&Json::Object(Vec::new()))).unwrap(),
            );
            let mut args = vec![
                "policy",
                "explain",
                "--policy",
                "policy.gaitpol",
                "--intent",
                "intent.json",
            ];
            args.extend(["--facts", "facts.json"]);
            let output = gait(folder.path(), &args).output().unwrap();
            let printed = String::from_utf8(output.stdout).unwrap();
            if output.status.code() != Some(0) {
                wrong.push(format!("{at}: {}", String::from_utf8_lossy(&output.stderr)));
            } else if printed != block.explanation {
                let block = |text: &str| format!("```explanation\n{text}```\n");
                blessed = blessed.replacen(&block(&block_text(&document, &at)), &block(&printed), 1);
                wrong.push(format!("{at}: printed\n{printed}"));
            }
        }
        if std::env::var_os("GAIT_BLESS").is_some() && blessed != document {
            std::fs::write(&path, blessed).unwrap();
            wrong.clear();
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 5, "only {seen} explanations");
}

/// The text of the explanation block that starts on the line `at` ends with.
fn block_text(document: &str, at: &str) -> String {
    let line: usize = at.rsplit(':').next().unwrap().parse().unwrap();
    let lines = document.lines().skip(line - 1).take_while(|l| *l != "```");
    lines.map(|l| format!("{l}\n")).collect()
}

fn checked(text: &str) -> Option<Checked> {
    compile::check("random.gaitpol", text).checked
}

/// A tree is what its parts make it.
fn consistent(node: &Node) {
    node.parts.iter().for_each(consistent);
    node.elements.iter().for_each(|e| consistent(&e.body));
    let parts = || node.parts.iter().map(|p| p.holds);
    let bodies = |e: &Element| e.body.holds;
    let whole = node.left_out == 0;
    let holds = match node.kind {
        Kind::Constant | Kind::Question => node.holds,
        Kind::Not => !node.parts[0].holds,
        Kind::And => parts().all(|p| p),
        Kind::Or => parts().any(|p| p),
        Kind::Any if whole => node.elements.iter().any(bodies),
        Kind::All if whole => node.elements.iter().all(bodies),
        Kind::Any | Kind::All => node.holds,
    };
    assert_eq!(node.holds, holds, "{node:#?}");
    assert!(node.elements.len() + node.left_out <= node.count, "{node:#?}");
}

/// Explains a call and holds the explanation against the oracle and the gate.
fn explained(checked: &Checked, text: &str, call: &str) -> Explanation {
    let args = json::parse(call.as_bytes()).unwrap();
    let gate = Gate::new(compile::lower(checked));
    let request = Request {
        fulfils: None,
        ..Request::call("t.one", &args)
    };
    let explanation = explain::explain(checked, &gate, &request, &|_: &Request<'_>, _: &[String]| false);
    let package = checked.package();
    let tool = package.tools.iter().position(|t| t.name == "t.one").unwrap();
    let bound = request::bind(
        gate.program(),
        gate.program().tool("t.one").unwrap(),
        &request,
        request::Counting::Known,
    )
    .unwrap();
    let expected = reference::interpret(package, tool, &bound.record);
    let matched: Vec<&str> = explanation
        .rules
        .iter()
        .filter(|r| r.matched)
        .map(|r| r.name.as_str())
        .collect();
    assert_eq!(matched, expected.matched, "{text}\n{call}");
    assert_eq!(explanation.decision.verdict, expected.verdict, "{text}\n{call}");
    for rule in &explanation.rules {
        assert_eq!(rule.matched, rule.clauses.iter().all(|c| c.passes));
        for clause in &rule.clauses {
            assert_eq!(
                clause.passes,
                clause.condition.holds != (clause.keyword == "unless")
            );
            consistent(&clause.condition);
        }
    }
    if let Nearest::Found { call, changes, by } = &explanation.nearest {
        assert!(!changes.is_empty() && !by.is_empty());
        let call = call.as_ref().unwrap();
        let request = Request {
            intent: &call.intent,
            facts: &call.facts,
            fulfils: None,
            ..Request::call("t.one", &call.args)
        };
        let decision = gate.decide(&request, &mut gate.workspace()).decision;
        assert_eq!(decision.verdict, Verdict::Allow, "{text}\n{changes:#?}");
        for change in changes {
            let hides = explanation
                .decision
                .obligations
                .iter()
                .any(Obligation::is_transform);
            assert!(hides || !matches!(change.from.value, Shown::Redacted));
        }
    }
    assert_eq!(
        explanation.nearest == Nearest::Allowed,
        explanation.decision.verdict == Verdict::Allow
    );
    explanation
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn explanations_agree_with_the_oracle(text in oracle::policy(), calls in prop::collection::vec(oracle::args(), 1..4)) {
        if let Some(checked) = checked(&text) {
            for call in &calls {
                explained(&checked, &text, call);
            }
        }
    }
}

/// A single change that gives allow is found whenever there is one: the search knows a value of each class.
#[test]
fn one_class_away_is_near() {
    let head = "gaitpol 1\npolicy a\ndefault block code none\ntool t.one { n: Int, s: String[max 9], h: Host, u: Url, \
        p: Path, e: Email?, xs: List[String[max 4], max 3], b: Bool, k: enum { a, b, c } }\nrule r on t.one when ";
    let call =
        r#"{"n":0,"s":"","h":"a.example","u":"https://a.example/","p":"x","xs":["q"],"b":false,"k":"a"}"#;
    for condition in [
        "args.n > 7",
        "args.n == -3",
        "args.s matches \"[0-9]{3}-x\"",
        "len(args.s) > 4",
        "args.h like \"*.acme.com\"",
        "args.u.host under \"acme.com\"",
        "args.u.port == 8443",
        "args.u.path starts_with \"/api/\"",
        "args.u.scheme == \"http\"",
        "args.u like \"https://*.acme.com/x*\"",
        "args.p under \"/ws\"",
        "args.p like \"/ws/**/*.rs\"",
        "present args.e",
        "any e in args.e: e.domain == \"acme.com\"",
        "any e in args.e: e.local == \"ann\"",
        "any x in args.xs: x == \"yes\"",
        "all x in args.xs: x == \"yes\"",
        "len(args.xs) == 0",
        "len(args.xs) == 3",
        "args.b",
        "args.k in { b, c }",
        "args.n > 1 and args.n < 3",
        "args.n == len(args.s) + 2",
        "len(args.xs) == 2 or args.n == 9",
    ] {
        let text = format!("{head}{condition} allow\n");
        let checked = checked(&text).unwrap_or_else(|| panic!("{text}"));
        let explanation = explained(&checked, &text, call);
        match explanation.nearest {
            Nearest::Found { changes, .. } => assert_eq!(changes.len(), 1, "{condition}"),
            other => panic!("{condition}: {other:?}"),
        }
    }
}

#[test]
fn what_must_not_be_shown_is_not() {
    let text = "gaitpol 1\npolicy a\ndefault block code none\ntool t.one { key: String[max 9], n: Int }\n\
        rule r on t.one when args.key == \"open\" and len(args.key) < args.n + 9 allow\n";
    let checked = checked(text).unwrap();
    let gate = Gate::new(compile::lower(&checked));
    let args = json::parse(br#"{"key":"hunter2","n":1}"#).unwrap();
    let secret = |_: &Request<'_>, path: &[String]| path == ["key"];
    let explanation = explain::explain(&checked, &gate, &Request::call("t.one", &args), &secret);
    assert!(matches!(explanation.nearest, Nearest::Found { .. }));
    let Nearest::Found { changes, .. } = &explanation.nearest else {
        unreachable!()
    };
    let shown = format!("{:?}{:?}", explanation.rules, changes);
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("Redacted"), "{shown}");
}

/// A label of the policy's own hides a value, `untrusted` does not; `--reveal` shows all.
#[test]
fn labels_hide_values() {
    let policy = "gaitpol 1\npolicy a\ndefault block code none\nlabel secret\nsource system => secret\n\
        tool t.one { key: String[max 99], m: { a: List[{ x: String[max 9] }, max 3], n: Int } }\n\
        rule r on t.one when args.key == \"open\" and any a in args.m.a: a.x == \"y\" and args.m.n > 7 allow\n";
    let short = r#"{"tool":"t.one","args":{"key":"hunter2","m":{"a":[{"x":"hidden3"}],"n":5}},"arg_provenance":[
        {"arg_path":"$.key","source":"system"},{"arg_path":"$.m.a[0].x","source":"system"},
        {"arg_path":"$.m.n","source":"external"}]}"#;
    let folder = Folder::new();
    folder.write("p.gaitpol", policy.as_bytes());
    folder.write(
        "i.json",
        envelope(&json::parse(short.as_bytes()).unwrap()).as_bytes(),
    );
    let explain = |more: &[&str]| {
        let base = ["policy", "explain", "--policy", "p.gaitpol", "--intent", "i.json"];
        shown(&folder.run(&[&base[..], more].concat()))
    };
    for output in [explain(&[]), explain(&["--json"])] {
        assert!(
            !output.contains("hunter2") && !output.contains("hidden3"),
            "{output}"
        );
        assert!(output.contains("args.m.n"), "{output}");
    }
    assert!(explain(&[]).contains("args.m.n is 5"), "{}", explain(&[]));
    let all = explain(&["--reveal"]);
    assert!(
        all.contains("args.key is \"hunter2\"") && all.contains("hidden3"),
        "{all}"
    );
}

#[test]
fn the_search_is_bounded_and_says_so() {
    let condition: Vec<String> = (0..40).map(|i| format!("args.a{i} == \"x{i}\"")).collect();
    let args: Vec<String> = (0..40).map(|i| format!("a{i}: String[max 9]")).collect();
    let text = format!(
        "gaitpol 1\npolicy a\ndefault block code none\ntool t.one {{ {} }}\nrule r on t.one when {} allow\n",
        args.join(", "),
        condition.join(" and ")
    );
    let checked = checked(&text).unwrap();
    let call: Vec<String> = (0..40).map(|i| format!("\"a{i}\":\"\"")).collect();
    let explanation = explained(&checked, &text, &format!("{{{}}}", call.join(",")));
    assert!(matches!(explanation.nearest, Nearest::None { .. }));
}

#[test]
fn a_bundle_explains_itself() {
    let folder = Folder::new();
    folder.write("policy.gaitpol", crate::folder::policy().as_bytes());
    let compiled = folder.run(&["policy", "compile", "policy.gaitpol", "--out", "c.gaitbundle"]);
    assert_eq!(compiled.status.code(), Some(0), "{}", shown(&compiled));
    for (intent, status) in [
        ("allow.json", "allowed"),
        ("block.json", "found"),
        ("approval.json", "found"),
    ] {
        let of = |decider: [&str; 2]| {
            let args: Vec<&str> = ["policy", "explain", "--intent", intent]
                .into_iter()
                .chain(decider)
                .collect();
            folder.json(&args, 0, "policy_explain")
        };
        let value = of(["--bundle", "c.gaitbundle"]);
        assert_eq!(value["explanation"]["nearest_allow"]["status"], status);
        assert_eq!(value, of(["--policy", "policy.gaitpol"]));
        let judged = folder.json(
            &[
                "gate",
                "eval",
                "--bundle",
                "c.gaitbundle",
                "--intent",
                intent,
                "--explain",
            ],
            match value["verdict"].as_str().unwrap() {
                "allow" => 0,
                "require_approval" => 4,
                _ => 3,
            },
            "gate_eval",
        );
        assert_eq!(judged["explanation"], value["explanation"]);
        let plain = folder.run(&[
            "gate",
            "eval",
            "--bundle",
            "c.gaitbundle",
            "--intent",
            intent,
            "--explain",
        ]);
        assert!(shown(&plain).contains("✓ "), "{}", shown(&plain));
    }
    let without = folder.json(&eval("allow.json", &[]), 0, "gate_eval");
    assert!(without["explanation"].is_null());
    // This bundle says that none of its tests was run, which is not what its sources give.
    let odd = [
        "policy",
        "explain",
        "--bundle",
        "b.gaitbundle",
        "--intent",
        "allow.json",
    ];
    folder.fails(&odd, 2, "rebuild.tests");
    let judged = folder.run(&eval("allow.json", &["--explain"]));
    assert_eq!(
        judged.status.code(),
        Some(0),
        "what cannot be explained still decides"
    );
    assert!(
        String::from_utf8_lossy(&judged.stderr).contains("no explanation: "),
        "{}",
        shown(&judged)
    );
}

#[test]
fn what_cannot_be_explained_is_refused() {
    let folder = Folder::new();
    folder.write("policy.gaitpol", crate::folder::policy().as_bytes());
    folder.write("bad.gaitpol", b"gaitpol 1\nrule");
    let explain = |policy, intent| ["policy", "explain", "--policy", policy, "--intent", intent];
    folder.fails(&explain("bad.gaitpol", "allow.json"), 6, "policy.invalid");
    folder.fails(&explain("policy.gaitpol", "policy.gaitpol"), 6, "intent.syntax");
    let text = String::from_utf8(folder.read("allow.json")).unwrap();
    folder.write("odd.json", text.replace("ann@acme.example", "ann").as_bytes());
    let value = folder.json(&explain("policy.gaitpol", "odd.json"), 0, "policy_explain");
    assert_eq!(value["reason_codes"][0], "gait.arg_unparsable");
    assert_eq!(value["explanation"]["nearest_allow"]["status"], "not_judged");
    assert_eq!(value["explanation"]["rules"].as_array().unwrap().len(), 0);
    let schema = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/v1/cli/{name}.schema.json"));
        let text = std::fs::read_to_string(path).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["$defs"].clone()
    };
    assert_eq!(
        schema("policy_explain"),
        schema("gate_eval"),
        "one shape of explanation"
    );
}

/// The parts of a command line follow from its text, so the whole line is what changes.
#[test]
fn a_command_line_is_changed_as_a_whole() {
    let text = "gaitpol 1\npolicy a\ndefault block code none\ntool t.one { cmd: Command }\nrule r on t.one\n\
        when not args.cmd.opaque and all c in args.cmd.commands: c.program in { \"ls\", \"cat\" } and \
        all o in c.operands: any p in o.path: p under \"/ws\" and p like \"**/*.txt\"\n\
        when any c in args.cmd.commands: len(c.operands) > 0\nallow\n";
    let checked = checked(text).unwrap();
    let explanation = explained(&checked, text, r#"{"cmd":"rm -rf / | tee $X"}"#);
    let Nearest::Found { changes, .. } = &explanation.nearest else {
        panic!("{:?}", explanation.nearest)
    };
    let wanted = "Put { sample: Value { json: String(\"cat /ws/a.txt\")";
    assert!(format!("{changes:?}").contains(wanted), "{changes:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    /// What a class is shown by lies in the class, and is a value of its type.
    #[test]
    fn samples_lie_in_their_class(text in oracle::policy()) {
        use gait::classes::sample::{Kind, samples};
        use gait::hir::answer::View;
        use gait::hir::{Part, Step, place};
        use gait::ty::{Field, Ty};
        let Some(checked) = checked(&text) else { return Ok(()) };
        let program = compile::lower(&checked);
        let context = |program: &gait::ir::Program| Field {
            name: "context".to_owned(),
            ty: Ty::Record(program.context.iter().map(|c| c.field.clone()).collect()),
        };
        for tool in &program.tools {
            let ty = Ty::Record(tool.args.iter().cloned().chain([context(&program)]).collect());
            for var in &tool.scope.vars {
                let Some(of) = place::ty_at(&ty, &var.steps) else { continue };
                let part = match var.steps.last() {
                    Some(Step::Part(part)) if *part != Part::Len => Some(*part),
                    _ => None,
                };
                let found = samples(Kind { ty: &of, part }, &var.classifier, var.count);
                prop_assert_eq!(found.len(), var.count as usize);
                for (class, sample) in (0u32..).zip(&found) {
                    let Some(sample) = sample else { continue };
                    let lies_in = var.classifier.class(&View::of(sample)).unwrap_or(var.count - 1);
                    prop_assert_eq!(lies_in, class, "{:?} {:?}", sample, var);
                }
                // The missing value and at least one that is there.
                prop_assert!(found.iter().flatten().count() >= 2, "{:?}", var);
            }
        }
    }
}

/// In a session, what happened before is part of the explanation.
#[test]
fn a_session_explains_itself() {
    let policy = r#"gaitpol 1
policy acme.example
default block code none

label secret

tool vault.read {
  key: String[max 64]
  returns secret
}

tool mail.send {
  to: Email
}

latch read_secret on result has secret

rule reading
  on vault.read
  allow

rule after_secrets
  on mail.send
  when read_secret and labels(session) has secret
  block

rule often
  on mail.send
  when count(call vault.read) >= 2
  require_approval

rule mail
  on mail.send
  allow
"#;
    let folder = Folder::new();
    folder.write("policy.gaitpol", policy.as_bytes());
    let compiled = folder.run(&["policy", "compile", "policy.gaitpol", "--out", "c.gaitbundle"]);
    assert_eq!(compiled.status.code(), Some(0), "{}", shown(&compiled));
    let intent = |tool: &str, args: &str| {
        let text = format!("{{\"tool\":\"{tool}\",\"args\":{args}}}");
        envelope(&json::parse(text.as_bytes()).unwrap())
    };
    folder.write("read.json", intent("vault.read", r#"{"key":"k"}"#).as_bytes());
    folder.write(
        "mail.json",
        intent("mail.send", r#"{"to":"ann@acme.com"}"#).as_bytes(),
    );
    let eval = |name: &str, more: &[&str]| {
        let base = [
            "gate",
            "eval",
            "--bundle",
            "c.gaitbundle",
            "--intent",
            name,
            "--session",
            "s",
        ];
        folder.run(&[&base[..], more].concat())
    };
    let explain = |more: &[&str]| {
        let base = [
            "policy",
            "explain",
            "--bundle",
            "c.gaitbundle",
            "--intent",
            "mail.json",
        ];
        folder.run(&[&base[..], more].concat())
    };
    let session = ["--session", "s"];
    assert!(
        shown(&explain(&session)).starts_with("allow"),
        "a session that has not begun"
    );
    assert!(shown(&explain(&[])).contains("gait.state_unavailable"));
    eval("read.json", &[]);
    assert!(shown(&eval("read.json", &[])).starts_with("allow"));
    let alone = explain(&session);
    insta::assert_snapshot!(String::from_utf8_lossy(&alone.stdout));
    let judged = eval("mail.json", &["--explain"]);
    let tail = |output: &std::process::Output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text[text.find("  ✓ after").unwrap()..].to_owned()
    };
    assert_eq!(tail(&judged), tail(&alone));
    let journal = String::from_utf8(folder.read("gait-out/sessions/s.jsonl")).unwrap();
    assert_eq!(journal.lines().count(), 3, "explaining adds nothing");
    let other = [
        "policy",
        "explain",
        "--policy",
        "o.gaitpol",
        "--intent",
        "mail.json",
        "--session",
        "s",
    ];
    folder.write("o.gaitpol", policy.replace(">= 2", ">= 3").as_bytes());
    folder.fails(&other, 6, "session.no_state");
}
