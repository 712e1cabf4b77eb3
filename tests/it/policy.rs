//! `gait policy` as its users meet it: what is printed, where, with which exit code, and what happens to files.

use crate::cli::{document, exit, gait, text};
use std::path::Path;
use std::process::Output;

const GOOD: &str = r#"gaitpol 1
policy acme.mail

default block code no_rule_matched

tool mail.send {
  to: Email
}

rule colleagues
  on mail.send
  when args.to.domain == "acme.com"
  allow

test "mail" {
  call mail.send { to: "ann@acme.com" } => allow by colleagues
  call mail.send { to: "eve@evil.example" } => block
}
"#;

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn run(folder: &Path, args: &[&str]) -> Output {
    let all: Vec<&str> = std::iter::once("policy").chain(args.iter().copied()).collect();
    gait(folder, &all).output().unwrap()
}

fn bad() -> String {
    GOOD.replace("on mail.send", "on mail.sned")
        .replace("by colleagues", "by coleagues")
}

#[test]
fn a_clean_policy_is_summed_up_in_a_line() {
    let at = folder(&[("a.gaitpol", GOOD)]);
    let plain = run(at.path(), &["check", "a.gaitpol"]);
    assert_eq!(exit(&plain), 0);
    assert_eq!(
        text(&plain.stdout),
        "a.gaitpol: ok (1 tool, 1 rule, 2 test cases)\n"
    );
    assert!(plain.stderr.is_empty());
    let json = run(at.path(), &["check", "a.gaitpol", "--json"]);
    let value = document(&json, "policy_check");
    assert_eq!((exit(&json), &value["ok"]), (0, &true.into()));
    assert_eq!(value["files"][0]["counts"]["tests"], 2);
    assert!(
        run(at.path(), &["check", "a.gaitpol", "--format=concise"])
            .stdout
            .is_empty()
    );
}

#[test]
fn a_file_that_is_not_there_hides_nothing_of_the_others() {
    let at = folder(&[("a.gaitpol", &bad()), ("b.gaitpol", GOOD)]);
    let files = ["a.gaitpol", "nosuch", "b.gaitpol"];
    let json = run(at.path(), &[&["check", "--json"][..], &files[..]].concat());
    let value = document(&json, "policy_check");
    assert_eq!((exit(&json), &value["ok"]), (6, &false.into()));
    assert_eq!(value["files"][0]["errors"], 2);
    assert_eq!(value["files"][1]["ok"], true);
    assert_eq!(value["unread"][0]["code"], "file.not_found");
    let human = run(at.path(), &[&["check"][..], &files[..]].concat());
    assert_eq!(exit(&human), 6);
    assert!(text(&human.stdout).contains("a.gaitpol: 2 errors"));
    assert!(text(&human.stderr).contains("nosuch does not exist"));
    let fixed = run(at.path(), &["check", "--fix", "a.gaitpol", "nosuch"]);
    assert_eq!((exit(&fixed), text(&fixed.stdout)), (6, ""));
}

#[test]
fn every_mistake_shows_in_every_format() {
    let at = folder(&[("a.gaitpol", &bad()), ("b.gaitpol", GOOD)]);
    let concise = run(
        at.path(),
        &["check", "--format", "concise", "a.gaitpol", "b.gaitpol"],
    );
    assert_eq!(exit(&concise), 6);
    assert_eq!(
        text(&concise.stdout),
        "a.gaitpol:11:6: error[GP0101]: no tool or group is called `mail.sned`\n\
         a.gaitpol:16:53: error[GP0401]: no rule is called `coleagues`, so this test could not pass\n"
    );
    let human = run(at.path(), &["check", "a.gaitpol", "b.gaitpol"]);
    assert_eq!(exit(&human), 6);
    assert_eq!(
        text(&human.stdout),
        "a.gaitpol: 2 errors\nb.gaitpol: ok (1 tool, 1 rule, 2 test cases)\n"
    );
    insta::assert_snapshot!("human_reports", text(&human.stderr));

    let json = run(at.path(), &["check", "--json", "a.gaitpol", "b.gaitpol"]);
    assert_eq!(exit(&json), 6);
    assert!(json.stderr.is_empty());
    let value = document(&json, "policy_check");
    let first = &value["files"][0]["diagnostics"][0];
    let range = &first["primary"]["range"];
    let (start, end) = (&range["start"]["byte"], &range["end"]["byte"]);
    let slice = start.as_u64().unwrap() as usize..end.as_u64().unwrap() as usize;
    assert_eq!(&bad()[slice], "mail.sned");
    assert_eq!(
        (&range["start"]["line"], &range["end"]["column"]),
        (&11.into(), &15.into())
    );
    assert_eq!(first["edit"]["replacement"], "mail.send");
    assert_eq!(
        run(at.path(), &["check", "--format=json", "a.gaitpol", "b.gaitpol"]).stdout,
        json.stdout
    );

    let sarif = run(at.path(), &["check", "--format=sarif", "a.gaitpol", "b.gaitpol"]);
    assert_eq!(exit(&sarif), 6);
    let log: serde_json::Value = serde_json::from_slice(&sarif.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 2);
    let result = &run["results"][0];
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&"GP0101".into(), &"error".into())
    );
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!(
        (&region["startLine"], &region["startColumn"]),
        (&11.into(), &6.into())
    );
    let fix = &result["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(fix["insertedContent"]["text"], "mail.send");
    insta::assert_snapshot!(
        "sarif_log",
        text(&sarif.stdout).replace(env!("CARGO_PKG_VERSION"), "VERSION")
    );
}

/// Nothing a policy holds can act on a terminal or break the JSON; places stay right beside what is escaped.
#[test]
fn hostile_text_is_shown_harmless() {
    let hostile = "gaitpol 1\r\npolicy a // \u{1b}[2J\u{202e}é😀\r\n\tdefault block // \u{9b}31m \u{7}\r\nrule \u{200b}x on \"\\u{1B}[31m\\n\" allow $\nrule y on nothing allow";
    for (name, source) in [
        ("a.gaitpol", hostile),
        ("empty.gaitpol", ""),
        ("line.gaitpol", "\n\n"),
    ] {
        let at = folder(&[(name, source)]);
        let all = ["human", "concise", "json", "sarif"].map(|f| format!("--format={f}"));
        for format in &all {
            let output = run(at.path(), &["check", name, format, "--color=never"]);
            assert_eq!(exit(&output), 6, "{name} {format}");
            for shown in [text(&output.stdout), text(&output.stderr)] {
                assert!(
                    shown.chars().all(|c| c == '\n' || !c.is_control()),
                    "{name} {format}: {shown:?}"
                );
                assert!(!shown.contains(['\u{202e}', '\u{200b}']), "{name} {format}");
            }
        }
        let coloured = run(at.path(), &["check", name, "--color=always"]);
        assert!(text(&coloured.stderr).contains("\u{1b}["));
        let human = run(at.path(), &["check", name]);
        assert!(
            !text(&human.stderr).contains("Failed to read"),
            "{}",
            text(&human.stderr)
        );
    }
    let at = folder(&[("a.gaitpol", hostile)]);
    insta::assert_snapshot!(
        "hostile_reports",
        text(&run(at.path(), &["check", "a.gaitpol"]).stderr)
    );
}

/// A broken rule hides no declaration, so names are still looked up; a broken tool may be what a name means.
#[test]
fn a_broken_item_hides_only_what_it_could_declare() {
    let broken = bad().replace("when args.to.domain", "when && args.to.domain");
    let at = folder(&[
        ("rule.gaitpol", &format!("{broken}rule other on mail.snt allow\n")),
        (
            "tool.gaitpol",
            &format!("{}tool && {{ }}\nrule other on mail.snt allow\n", bad()),
        ),
    ]);
    let codes = |name| {
        let output = run(at.path(), &["check", name, "--format=concise"]);
        let lines = text(&output.stdout).lines();
        lines
            .map(|l| l.split(['[', ']']).nth(1).unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(codes("rule.gaitpol"), ["GP0001", "GP0101"]);
    // The broken tool has no name that could be one of the two that nobody declares.
    assert_eq!(codes("tool.gaitpol"), ["GP0101", "GP0001", "GP0101"]);
}

#[test]
fn suggested_changes_are_applied_on_request() {
    let at = folder(&[("a.gaitpol", &bad())]);
    let json = run(at.path(), &["check", "--fix", "--json", "a.gaitpol"]);
    assert_eq!(exit(&json), 0, "{}", text(&json.stdout));
    assert_eq!(document(&json, "policy_check")["files"][0]["fixed"], 2);
    assert_eq!(
        std::fs::read_to_string(at.path().join("a.gaitpol")).unwrap(),
        GOOD
    );
    let again = run(at.path(), &["check", "--fix", "a.gaitpol"]);
    assert_eq!((exit(&again), again.stderr.len()), (0, 0));
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let at = folder(&[("a.gaitpol", GOOD)]);
    std::fs::write(at.path().join("latin.gaitpol"), b"gaitpol 1\n// \xe9\n").unwrap();
    for (args, code) in [
        (&["check", "none.gaitpol"][..], "file.not_found"),
        (&["fmt", "."][..], "file.not_regular"),
        (&["test", "latin.gaitpol"][..], "policy.not_utf8"),
        (&["import", "tools", "--from", "none"][..], "file.not_found"),
        (&["import", "tools", "--from", "a.gaitpol"][..], "import.not_json"),
        (&["import", "gait-yaml", "none"][..], "file.not_found"),
        (&["import", "gait-yaml", "a.gaitpol"][..], "import.yaml_syntax"),
        (
            &["import", "gait-yaml", "latin.gaitpol"][..],
            "import.yaml_syntax",
        ),
    ] {
        let json = run(at.path(), &[args, &["--json"]].concat());
        assert_eq!(exit(&json), 6, "{args:?}");
        assert_eq!(document(&json, "error")["error"]["code"], code);
    }
    let none = run(at.path(), &["check"]);
    assert_eq!(exit(&none), 6);
}

#[test]
fn fmt_changes_files_in_place() {
    let loose = GOOD
        .replace("\n  when", " when")
        .replace("{\n  to: Email\n}", "{ to: Email }");
    let at = folder(&[
        ("a.gaitpol", &loose),
        ("b.gaitpol", GOOD),
        ("c.gaitpol", "gaitpol 1\nrule"),
    ]);
    let check = run(at.path(), &["fmt", "--check", "a.gaitpol", "b.gaitpol"]);
    assert_eq!((exit(&check), text(&check.stdout)), (6, "a.gaitpol\n"));
    let json = run(at.path(), &["fmt", "--check", "--json", "a.gaitpol", "b.gaitpol"]);
    let value = document(&json, "error");
    assert_eq!(value["error"]["code"], "fmt.unformatted");
    assert_eq!(value["error"]["details"]["files"][0], "a.gaitpol");

    let done = run(at.path(), &["fmt", "--json", "a.gaitpol", "b.gaitpol"]);
    assert_eq!(exit(&done), 0);
    let value = document(&done, "policy_fmt");
    assert_eq!(
        (&value["files"][0]["changed"], &value["files"][1]["changed"]),
        (&true.into(), &false.into())
    );
    let formatted = std::fs::read_to_string(at.path().join("a.gaitpol")).unwrap();
    assert_ne!(formatted, loose);
    assert_eq!(exit(&run(at.path(), &["fmt", "--check", "a.gaitpol"])), 0);
    assert_eq!(exit(&run(at.path(), &["test", "a.gaitpol"])), 0);

    let broken = run(at.path(), &["fmt", "c.gaitpol"]);
    assert_eq!(exit(&broken), 6);
    assert!(
        text(&broken.stderr).contains("GP0004"),
        "{}",
        text(&broken.stderr)
    );
    assert_eq!(
        std::fs::read_to_string(at.path().join("c.gaitpol")).unwrap(),
        "gaitpol 1\nrule"
    );
    let json = run(at.path(), &["fmt", "--json", "c.gaitpol"]);
    assert_eq!(document(&json, "policy_fmt")["exit_code"], 6);
}

#[test]
fn test_tells_what_was_decided() {
    let wrong = GOOD
        .replace(
            "=> allow by colleagues",
            "=> require_approval code gait.input_invalid",
        )
        .replace("=> block\n", "=> block by colleagues\n");
    let at = folder(&[("a.gaitpol", GOOD), ("b.gaitpol", &wrong), ("c.gaitpol", &bad())]);
    let good = run(at.path(), &["test", "a.gaitpol"]);
    assert_eq!(
        (exit(&good), text(&good.stdout)),
        (0, "a.gaitpol: 2 cases passed\n")
    );
    let failing = run(at.path(), &["test", "a.gaitpol", "b.gaitpol"]);
    assert_eq!(exit(&failing), 5);
    assert_eq!(
        text(&failing.stdout),
        "a.gaitpol: 2 cases passed\n\
         b.gaitpol:16:3: failed mail: call mail.send\n  \
           expected require_approval, got allow (colleagues)\n  \
           expected code gait.input_invalid, got colleagues\n  \
           matched: colleagues (allow, line 10)\n\
         b.gaitpol:17:3: failed mail: call mail.send\n  \
           expected rule colleagues to match, got none\n  \
           no rule matched\n\
         b.gaitpol: 2 cases failed, 0 passed\n"
    );
    let json = run(at.path(), &["test", "b.gaitpol", "--json"]);
    let value = document(&json, "policy_test");
    assert_eq!((exit(&json), &value["files"][0]["failed"]), (5, &2.into()));
    assert_eq!(value["files"][0]["cases"][0]["matched"][0], "colleagues");
    let broken = run(at.path(), &["test", "b.gaitpol", "c.gaitpol", "--json"]);
    assert_eq!(exit(&broken), 6);
    document(&broken, "policy_test");
}

#[test]
fn import_writes_a_policy_that_passes_check() {
    use std::io::Write;
    let catalogue = r#"{"tools":[{"name":"pay","description":"Pays","inputSchema":{"type":"object",
        "properties":{"effect":{"type":"string"},"n":{"type":"integer","maximum":18446744073709551615}},
        "required":["effect","n"]}},{"name":"odd","inputSchema":{"type":"string"}}]}"#;
    let at = folder(&[
        ("t.json", catalogue),
        ("none.json", "[{\"name\":\"x\",\"parameters\":3}]"),
        ("empty.json", "[]"),
    ]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(catalogue.as_bytes()).unwrap();
    std::fs::write(at.path().join("t.json.gz"), packed.finish().unwrap()).unwrap();
    let tools = ["import", "tools", "--from"];
    let plain = run(at.path(), &[&tools[..], &["t.json"]].concat());
    assert_eq!(exit(&plain), 0);
    let source = text(&plain.stdout);
    assert_eq!(
        source,
        "gaitpol 1\npolicy imported.tools\n\ndefault block code no_rule_matched\n\ntool pay {\n  effect: String\n  n: Int\n}\n"
    );
    let told = text(&plain.stderr);
    assert!(told.contains("`maximum` is not carried over"), "{told}");
    assert!(told.contains("warning: left out `odd`"), "{told}");
    let quiet = run(at.path(), &[&tools[..], &["t.json.gz", "-q"]].concat());
    assert_eq!(text(&quiet.stdout), source);
    assert!(!text(&quiet.stderr).contains("note"));

    let args = [
        "t.json",
        "--out",
        "new.gaitpol",
        "--prefix",
        "srv",
        "--descriptions",
        "--name",
        "acme.pay",
        "--json",
    ];
    let json = run(at.path(), &[&tools[..], &args[..]].concat());
    assert_eq!(exit(&json), 0);
    let value = document(&json, "policy_import_tools");
    let written = std::fs::read_to_string(at.path().join("new.gaitpol")).unwrap();
    assert_eq!(value["source"], written.as_str());
    assert!(written.contains("tool srv.pay \"Pays\" {") && written.contains("policy acme.pay"));
    assert_eq!(exit(&run(at.path(), &["check", "new.gaitpol"])), 0);
    assert_eq!(
        exit(&run(at.path(), &[&tools[..], &args[..]].concat())),
        8,
        "a file that exists is kept"
    );

    for file in ["none.json", "empty.json"] {
        let json = run(at.path(), &[&tools[..], &[file, "--json"]].concat());
        assert_eq!(exit(&json), 6);
        assert_eq!(document(&json, "error")["error"]["code"], "import.nothing");
    }
}

/// A policy of the Go system.
const YAML: &str = "default_verdict: block
rules:
  - name: read-only
    priority: 1
    effect: allow
    match: {tool_names: [fs.read], risk_classes: [low]}
";

#[test]
fn import_gait_yaml_names_a_kind_of_target_that_there_is_not() {
    let yaml = YAML.replace("risk_classes: [low]", "risk_classes: [low]}\n  - name: sent\n    priority: 2\n    effect: allow\n    match: {target_kinds: [hosts]");
    let at = folder(&[("p.yaml", &yaml)]);
    let plain = run(at.path(), &["import", "gait-yaml", "p.yaml"]);
    let told = text(&plain.stderr);
    assert_eq!(exit(&plain), 0, "{told}");
    for part in [
        "rule `sent`, line 7: `hosts` is no kind of target: there are path, url, host, ",
        "; 1 of 2 rules kept exactly, 1 left out that can decide no call, the others",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
}

#[test]
fn import_gait_yaml_writes_a_policy_that_checks_and_says_what_is_stricter() {
    let intent = r#"{"tool_name":"fs.list"}"#;
    let script = r#"{"tool_name":"script","script":{"steps":[{"tool_name":"fs.write"}]}}"#;
    let at = folder(&[
        ("p.yaml", YAML),
        ("i.json", intent),
        ("s.jsonl", &format!("{script}\n{intent}\n")),
    ]);
    let yaml = ["import", "gait-yaml", "p.yaml"];
    let plain = run(at.path(), &yaml);
    assert_eq!(exit(&plain), 0, "{}", text(&plain.stderr));
    assert!(text(&plain.stdout).starts_with("gaitpol 1\npolicy imported.policy\n"));
    assert!(
        text(&plain.stderr).contains("1 tool declared; 1 of 1 rule kept exactly"),
        "{}",
        text(&plain.stderr)
    );

    let args = [
        "--intents",
        "i.json",
        "--intents",
        "s.jsonl",
        "--tool",
        "fs.stat",
        "--out",
        "p.gaitpol",
        "--json",
    ];
    let json = run(at.path(), &[&yaml[..], &args[..]].concat());
    assert_eq!(exit(&json), 0, "{}", text(&json.stdout));
    let value = document(&json, "policy_import_gait_yaml");
    assert_eq!((&value["tools"], &value["out"]), (&4.into(), &"p.gaitpol".into()));
    assert_eq!(value["rules"][0]["emitted"][0], "read_only");
    assert_eq!(exit(&run(at.path(), &["check", "p.gaitpol"])), 0);
    assert_eq!(exit(&run(at.path(), &["fmt", "--check", "p.gaitpol"])), 0);
    let again = run(at.path(), &[&yaml[..], &args[..]].concat());
    assert_eq!(exit(&again), 8, "a file that exists is kept");
}

#[test]
fn import_gait_yaml_refuses_what_it_cannot_read_and_says_where() {
    let laughs: String = (1..12)
        .map(|i| format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(", ")))
        .collect();
    for (yaml, code, place) in [
        ("", "import.yaml_empty", "1:1"),
        ("rules: [", "import.yaml_syntax", "2:1"),
        (
            "default_verdict: block\ndefault_verdict: allow\n",
            "import.yaml_duplicate_key",
            "2:1",
        ),
        ("rules: !ruby/object:X []\n", "import.yaml_tag", "1:8"),
        (&format!("a0: &a0 ha\n{laughs}"), "import.yaml_too_large", "6:5"),
        (
            "default_verdict: block\n---\ndefault_verdict: allow\n",
            "import.yaml_documents",
            "3:1",
        ),
        ("- a\n", "import.policy_wrong_type", "1:1"),
        ("rules: {}\n", "import.policy_wrong_type", "1:8"),
        ("rulez: []\n", "import.policy_unknown_key", "1:1"),
        ("boundaries: []\n", "import.policy_draft_key", "1:1"),
        ("schema_version: 2.0.0\n", "import.policy_schema", "1:17"),
        ("default_verdict: maybe\n", "import.policy_bad_value", "1:18"),
        (
            "default_verdict: block\ndefault_action: allow\n",
            "import.policy_disagrees",
            "2:17",
        ),
        ("rules:\n  - effect: allow\n", "import.policy_missing", "2:5"),
        (
            "rules: [{name: a, effect: allow, priority: high}]\n",
            "import.policy_wrong_type",
            "1:44",
        ),
        (
            "rules: [{name: a, effect: allow, match: {tool_names: fs}}]\n",
            "import.policy_wrong_type",
            "1:54",
        ),
        (
            "rules: [{name: a, effect: allow, match: {endpoint_classes: [fs.raed]}}]\n",
            "import.policy_bad_value",
            "1:60",
        ),
        (
            "rules: [{name: a, effect: allow, min_approvals: 1.5}]\n",
            "import.policy_wrong_type",
            "1:49",
        ),
        ("mcp_trust: {enabled: true}\n", "import.policy_missing", "1:12"),
    ] {
        let at = folder(&[("p.yaml", yaml)]);
        let json = run(at.path(), &["import", "gait-yaml", "p.yaml", "--json"]);
        assert_eq!(exit(&json), 6, "{yaml}");
        let error = &document(&json, "error")["error"];
        let message = error["message"].as_str().unwrap();
        assert_eq!(error["code"], code, "{message}");
        assert!(message.starts_with(&format!("p.yaml:{place}: ")), "{message}");
    }
}
