//! `Command` against the shells of this machine: words in quotes are the words a shell makes of them, and whatever a
//! shell starts is among the commands found, or some program of them is not known. Passes with a note where there is
//! no shell.
#![cfg(unix)]

use gait::builtins::command;
use gait::value::Value;
use proptest::prelude::*;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What programs `a`, `b` and `c` do: they write their name and arguments into the log, at once.
const PROBE: &str = "#!/bin/sh\nprintf '%s\\037' \"${0##*/}\" \"$@\" '\u{1e}' >>\"$LOG\"\n";

/// A program found where systems keep them.
fn program(name: &str) -> Option<PathBuf> {
    ["/usr/bin", "/bin", "/usr/local/bin"]
        .iter()
        .map(|dir| Path::new(dir).join(name))
        .find(|path| path.exists())
}

/// The shells there are; says so when there is none.
fn shells() -> Vec<PathBuf> {
    let found: Vec<PathBuf> = ["dash", "bash", "zsh", "ksh", "mksh", "yash"]
        .into_iter()
        .filter_map(program)
        .collect();
    if found.is_empty() {
        eprintln!("skipped: no shell on this machine");
    }
    found
}

/// A folder with the probes and the wrappers of this machine, and nothing else to start.
fn bin() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["a", "b", "c"] {
        let path = dir.path().join(name);
        std::fs::write(&path, PROBE).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    for name in [
        "cat", "env", "find", "nice", "nohup", "setsid", "sh", "stdbuf", "timeout", "xargs",
    ] {
        if let Some(path) = program(name) {
            std::os::unix::fs::symlink(path, dir.path().join(name)).unwrap();
        }
    }
    dir
}

/// Runs a text; gives the probes it started, each with its arguments.
fn run(shell: &Path, bin: &Path, text: &str) -> Option<Vec<Vec<String>>> {
    let work = tempfile::tempdir().unwrap();
    let log = work.path().join("log");
    std::fs::write(&log, "").unwrap();
    let here = work.path().join("here");
    std::fs::create_dir(&here).unwrap();
    // `timeout` ends whatever runs on, with its whole group.
    let status = Command::new(program("timeout")?)
        .args(["-s", "KILL", "5"])
        .arg(shell)
        .args(["-c", text])
        .current_dir(&here)
        .env_clear()
        .env("PATH", bin)
        .env("LOG", &log)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.unwrap();
    let log = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    let words = |entry: &str| entry.split_terminator('\u{1f}').map(str::to_owned).collect();
    Some(log.split_terminator("\u{1e}\u{1f}").map(words).collect())
}

/// A command found: its program, its arguments, and whether all of them are known.
type Found = (String, Vec<String>, bool);

fn found(text: &str) -> Vec<Found> {
    let value = command::parse(text).unwrap().parts;
    let at = |name: &str, fields: &[gait::ty::Field]| fields.iter().position(|f| f.name == name).unwrap();
    let fields = command::fields();
    let commands = at("commands", &fields);
    let gait::ty::Ty::List { element, .. } = &fields[commands].ty else {
        panic!()
    };
    let gait::ty::Ty::Record(parts) = &**element else {
        panic!()
    };
    let Value::List(commands) = &value.fields().unwrap()[commands] else {
        panic!()
    };
    let one = |command: &Value| {
        let part = |name: &str| &command.fields().unwrap()[at(name, parts)];
        let Value::List(args) = part("args") else { panic!() };
        let args = args.iter().map(|a| a.text().unwrap().to_owned()).collect();
        (
            part("program").text().unwrap().to_owned(),
            args,
            *part("opaque") == Value::Bool(false),
        )
    };
    commands.iter().map(one).collect()
}

/// Whether what a shell started is among what was found.
fn covers(found: &[Found], started: &[String]) -> bool {
    let Some((program, args)) = started.split_first() else {
        return true;
    };
    found
        .iter()
        .any(|(name, words, known)| name == program && (!known || words == args))
}

fn check(shells: &[PathBuf], bin: &Path, text: &str) -> Result<(), TestCaseError> {
    let found = found(text);
    if found.iter().any(|(program, _, _)| program.is_empty()) {
        return Ok(());
    }
    for shell in shells {
        for started in run(shell, bin, text).unwrap_or_default() {
            prop_assert!(
                covers(&found, &started),
                "{} started {started:?} for {text:?}; found {found:?}",
                shell.display()
            );
        }
    }
    Ok(())
}

fn pieces() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "b",
        "c",
        "a ",
        "b ",
        "c ",
        " ",
        "x",
        " -y",
        "\n",
        "; ",
        " && ",
        " || ",
        " | ",
        " & ",
        "( ",
        " )",
        "{ ",
        "; }",
        "'",
        "\"",
        "\\",
        "$(",
        "`",
        "$x",
        "${x}",
        "if ",
        "; then ",
        "; else ",
        "; fi",
        "for i in p q; do ",
        "; done",
        "case x in x) ",
        ";; esac",
        "! ",
        "# ",
        "<<E\n",
        "\nE\n",
        "<<'E'\n",
        "<<-E\n",
        ">f ",
        " 2>&1 ",
        "<f ",
        "sh -c '",
        "sh -c \"",
        "eval ",
        "env ",
        "env -i ",
        "xargs ",
        "xargs -n1 ",
        "nohup ",
        "command ",
        "exec ",
        "timeout 5 ",
        "nice -n 1 ",
        "trap 'c' EXIT; ",
        "x=a ",
        "x=a; ",
        "$((1+1))",
        "*",
        "{b,c}",
        "find . -exec ",
        " {} +",
        "'; '",
        "\\\n",
        "\t",
        "\r",
        "#",
        "=",
        "&>f ",
        "<<<b ",
        "$'b'",
        "$",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 1..12).prop_map(|pieces| pieces.concat())
}

/// Commands in one another, with a few characters taken out or put in.
fn nested() -> impl Strategy<Value = String> {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let leaf = prop::sample::select(
        &[
            "a",
            "b x",
            "c -y z",
            "a \"q; c\"",
            "b 'q && c'",
            "c \\; d",
            "a \"$x\"",
            "b $x",
            "c *",
            "a >f",
            "b 2>&1",
            "x=1 a",
            "c # b",
            "'a' x",
            "cat <<E\n$(b)\nE\n",
            "cat <<'E'\n$(b)\nE\n",
            "sh <<E\nb\nE\n",
            "find . -exec a {} +",
            "eval \"b x\"",
        ][..],
    )
    .prop_map(str::to_owned);
    let whole = leaf.prop_recursive(4, 16, 2, move |inner| {
        let two = || (inner.clone(), inner.clone());
        prop_oneof![
            (
                two(),
                prop::sample::select(&["; ", " && ", " || ", " | ", " & ", "\n", "&", ";"][..])
            )
                .prop_map(|((a, b), o)| format!("{a}{o}{b}")),
            (
                inner.clone(),
                prop::sample::select(
                    &[
                        ("(", ")"),
                        ("{ ", "; }"),
                        ("a $(", ")"),
                        ("b \"$(", ")\""),
                        ("c `", "`"),
                        ("! ", ""),
                        ("env ", ""),
                        ("nohup ", ""),
                        ("command ", ""),
                        ("eval ", ""),
                        ("exec ", ""),
                        ("xargs ", ""),
                        ("timeout 5 ", ""),
                        ("for i in 1 2; do ", "; done"),
                        ("case x in y) ;; *) ", ";; esac"),
                        ("x=$(", ")"),
                        ("if ", "; then a; fi"),
                        ("cat <<E\n$(", ")\nE\n"),
                        (">f ", ""),
                        ("a <(", ")")
                    ][..]
                )
            )
                .prop_map(|(a, (open, close))| format!("{open}{a}{close}")),
            inner.clone().prop_map(move |a| format!("sh -c {}", quoted(&a))),
            inner.prop_map(move |a| format!("eval {}", quoted(&a))),
        ]
    });
    let change = (
        any::<prop::sample::Index>(),
        0..3usize,
        prop::sample::select(
            &[
                "", "", "", "'", "\"", "\\", "$", "(", ")", "`", ";", "&", "|", "\n", "#", " ", "<", ">",
                "{", "}", "=", "a", "E", "!", "~", "*", "\t",
            ][..],
        ),
    );
    (whole, prop::collection::vec(change, 0..3)).prop_map(|(mut text, changes)| {
        for (at, remove, insert) in changes {
            let start = at.index(text.len() + 1);
            let end = (start + remove).min(text.len());
            text.replace_range(start..end, insert);
        }
        text
    })
}

/// A word in some mixture of quotes, with the word it stands for.
fn word() -> impl Strategy<Value = (String, String)> {
    let part = prop_oneof![
        "[a-z0-9_./:,+%@-]{1,4}".prop_map(|t| (t.clone(), t)),
        "[ -~\n\té]{0,6}".prop_map(|t| {
            let t = t.replace('\'', "");
            (format!("'{t}'"), t)
        }),
        "[a-z 'é;|&()<>#*?~{}\n]{0,6}".prop_map(|t| (format!("\"{t}\""), t)),
        "[ -~]".prop_map(|c| (format!("\\{c}"), c)),
        prop::sample::select(
            &[
                ("\"\\$\"", "$"),
                ("\"\\\\\"", "\\"),
                ("\"\\x\"", "\\x"),
                ("\\\n", ""),
                ("\"a\\\nb\"", "ab"),
                ("''", "")
            ][..]
        )
        .prop_map(|(written, meant)| (written.to_owned(), meant.to_owned())),
    ];
    prop::collection::vec(part, 1..4).prop_map(|parts| {
        let (written, meant): (Vec<String>, Vec<String>) = parts.into_iter().unzip();
        // A quote is before it, so that the word is one even where it is empty.
        (format!("''{}", written.concat()), meant.concat())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn words_are_those_of_the_shell(words in prop::collection::vec(word(), 1..8)) {
        let bin = bin();
        let (written, meant): (Vec<String>, Vec<String>) = words.into_iter().unzip();
        let text = format!("a {}", written.join(" "));
        let found = found(&text);
        prop_assert_eq!(&found, &vec![("a".to_owned(), meant.clone(), true)], "{}", text);
        let expected: Vec<String> = std::iter::once("a".to_owned()).chain(meant).collect();
        for shell in shells() {
            let started = run(&shell, bin.path(), &text).unwrap_or_else(|| vec![expected.clone()]);
            prop_assert_eq!(&started, &vec![expected.clone()], "{} {}", shell.display(), &text);
        }
    }
}

/// Cases of the next test; `GAIT_SHELL_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("GAIT_SHELL_CASES")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(400)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn what_a_shell_starts_is_found(text in pieces()) {
        let bin = bin();
        check(&shells(), bin.path(), &text)?;
    }

    #[test]
    fn what_a_shell_starts_within_is_found(text in nested()) {
        let bin = bin();
        check(&shells(), bin.path(), &text)?;
    }
}

#[test]
fn tricks_are_found() {
    let (shells, bin) = (shells(), bin());
    for text in [
        "a; b",
        "a&&b",
        "a|b",
        "a\nb",
        "\\a",
        "a''",
        "\"a\" x",
        "command a x",
        "env a x",
        "env -S 'a x'",
        "sh -c 'a x; b'",
        "find . -exec a {} +",
        "find . -maxdepth 0 -exec a x \\;",
        "echo x | xargs a",
        "eval a x",
        "eval 'a;' b",
        "trap 'a x' EXIT",
        "$(echo a) x",
        "`echo a`",
        "a <<E\n$(b)\nE\nc",
        "a <<'E'\n$(b)\nE\nc",
        "x=a; $x",
        "if a; then b; fi",
        "a & b",
        "(a; { b; })",
        "case x in x) a;; esac",
        "for i in 1 2; do a $i; done",
        "a \"$(b \"$(c)\")\"",
        "a # ; b",
        "a x#; b",
        "nice -n 1 nohup a x",
        "sh -c \"sh -c 'a x'\"",
        "a ${x:-`b`}",
        "a $((1)) ; b",
        "! a",
        "a >f 2>&1; b <f",
        "xargs sh -c 'a \"$@\"' _ <f",
        "time a x",
        "f() { a; }; f",
        "alias a=b\na",
        "a() { b; }\na",
        "PATH=.; a",
        "exec a x",
        "timeout 5 a x",
        "a {b,c}",
        "a *",
        "{ a; } 2>&1",
    ] {
        let found = found(text);
        let unknown = found.iter().any(|(program, _, _)| program.is_empty());
        for shell in &shells {
            for started in run(shell, bin.path(), text).unwrap_or_default() {
                assert!(
                    unknown || covers(&found, &started),
                    "{text:?}: {started:?} in {found:?}"
                );
            }
        }
    }
}
