//! Gait under WebAssembly: the same commands print the same bytes as here, and random policies decide the same. It needs
//! `gait.wasm` (`GAIT_WASM` names it) and Node; without them it passes and says so, unless `GAIT_REQUIRE_WASM` is set.

use crate::corpora;
use crate::oracle;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The module, where it can be run.
fn module() -> Option<PathBuf> {
    let named = std::env::var_os("GAIT_WASM").map(PathBuf::from);
    let node = Command::new("node")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    let found = named.filter(|path| path.is_file() && node.is_ok_and(|status| status.success()));
    if found.is_none() {
        assert!(
            std::env::var_os("GAIT_REQUIRE_WASM").is_none(),
            "GAIT_WASM or node is missing"
        );
        eprintln!("skipped: GAIT_WASM names no module, or there is no node");
    }
    found
}

/// Runs commands there and here, in two folders of the same contents; both must come out alike.
fn alike(module: &Path, fill: &dyn Fn(&Path), commands: &[Vec<String>]) -> Vec<Output> {
    let (there, here) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(there.path());
    fill(here.path());
    let lines: Vec<String> = commands
        .iter()
        .map(|args| serde_json::to_string(args).unwrap())
        .collect();
    let list = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(list.path(), lines.join("\n")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wasm/run.mjs");
    let ran = Command::new("node")
        .args(["--no-warnings".as_ref(), script.as_os_str(), module.as_os_str()])
        .args([there.path(), list.path()])
        .output()
        .unwrap();
    let printed = String::from_utf8(ran.stdout).unwrap();
    assert!(
        ran.status.success(),
        "node: {}\n{}{printed}",
        ran.status,
        String::from_utf8_lossy(&ran.stderr)
    );
    let found: Vec<Value> = printed
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(found.len(), commands.len());
    let one = |(args, found): (&Vec<String>, Value)| {
        let native = Command::new(env!("CARGO_BIN_EXE_gait"))
            .args(args)
            .current_dir(here.path())
            .env_clear()
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(found["exit"], native.status.code().unwrap(), "{args:?}\n{found}");
        assert_eq!(found["stdout"], text(&native.stdout), "{args:?}");
        assert_eq!(found["stderr"], text(&native.stderr), "{args:?}");
        native
    };
    commands.iter().zip(found).map(one).collect()
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn every_command_about_policies_prints_the_same() {
    let Some(module) = module() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let names = [
        "agentdojo-banking",
        "agentdojo-slack",
        "injecagent",
        "starter",
        "tau-retail",
    ];
    let fill = |folder: &Path| {
        for name in names {
            std::fs::copy(
                root.join(name).join("policy.gaitpol"),
                folder.join(format!("{name}.gaitpol")),
            )
            .unwrap();
        }
        let intent = root.join("starter/intents/approval.json");
        std::fs::copy(intent, folder.join("intent.json")).unwrap();
        std::fs::write(
            folder.join("wrong.gaitpol"),
            "gaitpol 1\npolicy a\nrule r on t allow\n",
        )
        .unwrap();
    };
    let mut commands = vec![
        words("version --json"),
        words("policy check wrong.gaitpol"),
        words("policy check wrong.gaitpol --json"),
        words("policy check missing.gaitpol --json"),
        words("policy explain --policy starter.gaitpol --intent intent.json --json"),
        words("policy diff agentdojo-banking.gaitpol starter.gaitpol --json"),
        words("explain GP0307"),
    ];
    for name in names {
        for command in ["check", "lint", "prove", "coverage", "cost", "test", "testgen"] {
            commands.push(words(&format!("policy {command} {name}.gaitpol --json")));
        }
        commands.push(words(&format!("policy diff {name}.gaitpol {name}.gaitpol")));
    }
    let ran = alike(&module, &fill, &commands);
    let done = ran.iter().filter(|output| output.status.success()).count();
    assert!(
        done > commands.len() / 2,
        "{done} of {} did anything",
        commands.len()
    );
}

#[test]
fn recorded_calls_are_decided_the_same() {
    let Some(module) = module() else { return };
    let Some(corpora) = corpora::dir() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let recorded = corpora.join("agentdojo/intents.jsonl.gz");
    let fill = |folder: &Path| {
        std::fs::copy(
            root.join("agentdojo-banking/policy.gaitpol"),
            folder.join("p.gaitpol"),
        )
        .unwrap();
        std::fs::copy(&recorded, folder.join("calls.jsonl.gz")).unwrap();
    };
    let line = "policy replay --policy p.gaitpol --calls calls.jsonl.gz --details --json --evaluation-time 2026-01-02T03:04:05Z";
    let ran = alike(&module, &fill, &[words(line)]);
    assert!(
        ran[0].status.success(),
        "{}",
        String::from_utf8_lossy(&ran[0].stdout)
    );
}

/// Policies and calls of random kinds, those of `tests/it/oracle.rs`. `GAIT_WASM_POLICIES` is how many, with `GAIT_WASM_CALLS` calls
/// each.
#[test]
fn random_policies_decide_the_same() {
    let Some(module) = module() else { return };
    let number = |name: &str, usual: usize| {
        let said = std::env::var(name).ok().and_then(|text| text.parse().ok());
        said.unwrap_or(usual)
    };
    let (wanted, calls) = (number("GAIT_WASM_POLICIES", 20), number("GAIT_WASM_CALLS", 200));
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let drawn: Vec<(String, String)> = (0..wanted).map(|_| draw(&mut runner, calls)).collect();
    let fill = |folder: &Path| {
        for (n, (policy, calls)) in drawn.iter().enumerate() {
            std::fs::write(folder.join(format!("{n}.gaitpol")), policy).unwrap();
            std::fs::write(folder.join(format!("{n}.jsonl")), calls).unwrap();
        }
    };
    let command = |n: usize| {
        let line = "policy replay --json --evaluation-time 2026-01-02T03:04:05Z";
        words(&format!("{line} --policy {n}.gaitpol --calls {n}.jsonl"))
    };
    let commands: Vec<Vec<String>> = (0..wanted).map(command).collect();
    // Some are refused, there as here: two rules oblige what cannot be joined.
    let ran = alike(&module, &fill, &commands);
    let decided = ran.iter().filter(|output| output.status.success()).count();
    assert!(decided * 2 > wanted, "{decided} of {wanted} policies compile");
    println!(
        "{} decisions of {decided} policies, seed 7, alike",
        decided * calls
    );
}

fn draw(runner: &mut TestRunner, count: usize) -> (String, String) {
    let policy = oracle::policy().new_tree(runner).unwrap().current();
    let mut calls = String::new();
    for _ in 0..count {
        let args = oracle::args().new_tree(runner).unwrap().current();
        writeln!(calls, r#"{{"tool":"t.one","args":{args}}}"#).unwrap();
    }
    (policy, calls)
}
