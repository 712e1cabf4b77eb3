//! `gait demo` as a process: every step, twice, and the commands it prints.

use crate::folder::{Folder, shown};
use std::process::{Command, Stdio};

#[test]
fn every_step_does_what_it_should_and_files_are_where_it_says() {
    let folder = Folder::new();
    let value = folder.json(&["demo"], 0, "demo");
    assert_eq!(value["folder"], "gait-out/demo");
    let verdicts: Vec<&str> = value["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["step"] == "decide")
        .map(|s| s["text"].as_str().unwrap())
        .collect();
    assert!(
        verdicts[0].contains(": allow")
            && verdicts[1].contains(": block")
            && verdicts[2].contains(": require_approval")
    );
    let last = value["steps"].as_array().unwrap().last().unwrap();
    assert!(
        last["text"].as_str().unwrap().contains("refused with verify."),
        "{last}"
    );
    let mut said: Vec<&str> = value["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f.as_str().unwrap())
        .collect();
    said.sort_unstable();
    let mut there = Vec::new();
    files(&folder.path("gait-out/demo"), "", &mut there);
    there.sort();
    assert_eq!(said, there);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = folder.path("gait-out/demo/keys/gait.private.json");
        assert_eq!(
            std::fs::metadata(key).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

fn files(at: &std::path::Path, prefix: &str, out: &mut Vec<String>) {
    for entry in std::fs::read_dir(at).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files(&entry.path(), &format!("{name}/"), out);
        } else {
            out.push(name);
        }
    }
}

#[cfg(unix)]
#[test]
fn the_commands_it_prints_work_as_printed() {
    let folder = Folder::new();
    for out in ["gait-out/demo", "an other place"] {
        let output = folder.run(&["demo", "--out", out]);
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
        let text = shown(&output);
        let commands: Vec<&str> = text.split("next, try:\n").nth(1).unwrap().lines().collect();
        let exits = [3, 0, 0, 2, 0, 0];
        assert_eq!(commands.len(), exits.len(), "{text}");
        for (command, exit) in commands.iter().zip(exits) {
            let output = Command::new("/bin/sh")
                .args(["-c", command])
                .current_dir(folder.path("."))
                .stdin(Stdio::null())
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(exit), "{command}\n{}", shown(&output));
        }
    }
}

#[test]
fn again_is_a_folder_beside_and_the_first_stays() {
    let folder = Folder::new();
    folder.write("gait-out/demo/mine", b"not the demo's");
    for expected in ["gait-out/demo-2", "gait-out/demo-3"] {
        assert_eq!(folder.json(&["demo"], 0, "demo")["folder"], expected);
    }
    assert_eq!(folder.list("gait-out/demo"), ["mine"]);
    assert_eq!(folder.read("gait-out/demo/mine"), b"not the demo's");
    folder.fails(&["demo", "--out", "it's"], 6, "demo.folder");
    folder.write("file", b"");
    assert_eq!(
        folder.json(&["demo", "--out", "file"], 0, "demo")["folder"],
        "file-2"
    );
    std::fs::create_dir(folder.path("empty")).unwrap();
    assert_eq!(
        folder.json(&["demo", "--out", "empty/"], 0, "demo")["folder"],
        "empty"
    );
}

#[test]
fn the_starter_policy_is_formatted() {
    let text = crate::folder::policy();
    let source = gait::source::Source::new(gait::source::FileId(0), "policy.gaitpol", text.as_str());
    assert_eq!(gait::syntax::format::format(&source).unwrap(), text);
}

#[test]
fn off_a_terminal_it_is_plain_text() {
    let folder = Folder::new();
    let output = folder.run(&["demo"]);
    assert!(output.stdout.is_ascii(), "{}", shown(&output));
    assert!(output.stderr.is_empty());
}
