//! `gait keys` as its users meet it: pairs on a disk, their permissions, races and interrupted runs.

use crate::cli::{document, exit, gait, text};
use gait::artifact::{SigningKey, time};
use std::path::Path;
use std::process::{Output, Stdio};

fn run(folder: &Path, args: &[&str]) -> Output {
    gait(folder, args).output().unwrap()
}

/// Runs a command that must fail, and gives its code and exit code.
pub fn refusal(folder: &Path, args: &[&str]) -> (String, i32) {
    let all: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
    let output = run(folder, &all);
    let value = document(&output, "error");
    assert_eq!(value["exit_code"], exit(&output), "{args:?}");
    assert!(
        output.stderr.is_empty() || args.contains(&"compile"),
        "{args:?}: {}",
        text(&output.stderr)
    );
    (value["error"]["code"].as_str().unwrap().to_owned(), exit(&output))
}

pub fn is(code: &str, exit: i32) -> (String, i32) {
    (code.to_owned(), exit)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".lock"))
        .collect();
    names.sort();
    names
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, permissions).unwrap();
}

#[test]
fn a_pair_is_made_once_checked_and_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let keys = here.join("gait-out/keys");
    let made = run(
        here,
        &[
            "keys",
            "init",
            "--json",
            "--valid-until",
            "2999-01-31T01:00:00.0009+01:00",
        ],
    );
    assert_eq!(exit(&made), 0, "{}", text(&made.stdout));
    let made = document(&made, "keys_init");
    assert_eq!(made["valid_until"], "2999-01-31T00:00:00.000Z");
    assert_eq!(names(&keys), ["gait.private.json", "gait.public.json"]);
    #[cfg(unix)]
    assert_eq!(mode(&keys.join("gait.private.json")), 0o600);
    let before = std::fs::read(keys.join("gait.private.json")).unwrap();
    assert_eq!(refusal(here, &["keys", "init"]), is("keys.exists", 8));
    assert_eq!(
        std::fs::read(keys.join("gait.private.json")).unwrap(),
        before,
        "nothing was replaced"
    );

    let checked = document(&run(here, &["keys", "verify", "--json"]), "keys_verify");
    assert_eq!(checked["key_id"], made["key_id"]);
    let rotated = document(&run(here, &["keys", "rotate", "--json"]), "keys_rotate");
    assert_eq!(rotated["previous"]["key_id"], made["key_id"]);
    assert_ne!(rotated["key_id"], made["key_id"]);
    assert_eq!(names(&keys).len(), 4);
    let kept = here.join(rotated["previous"]["private"].as_str().unwrap());
    assert_eq!(std::fs::read(&kept).unwrap(), before);
    #[cfg(unix)]
    assert_eq!(mode(&kept), 0o600);
    let checked = document(&run(here, &["keys", "verify", "--json"]), "keys_verify");
    assert_eq!(checked["key_id"], rotated["key_id"]);
    let kept = document(
        &run(
            here,
            &["keys", "verify", "--json", "--private", kept.to_str().unwrap()],
        ),
        "keys_verify",
    );
    assert_eq!(
        kept["valid_until"], "2999-01-31T00:00:00.000Z",
        "its window is kept"
    );

    let plain = run(
        here,
        &["keys", "init", "--out-dir", "other", "--prefix", "Team-1"],
    );
    assert!(
        text(&plain.stdout).contains("other/Team-1.private.json"),
        "{}",
        text(&plain.stdout)
    );
    assert!(text(&plain.stderr).contains("next: "));
    assert_eq!(
        names(&here.join("other")),
        ["Team-1.private.json", "Team-1.public.json"]
    );
}

#[test]
fn what_cannot_be_made_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("file"), "x").unwrap();
    for (args, code) in [
        (&["--prefix", "../up"][..], "keys.prefix"),
        (&["--prefix", "a.b"][..], "keys.prefix"),
        (&["--prefix", ""][..], "keys.prefix"),
        (&["--valid-until", "tomorrow"][..], "keys.valid_until"),
        (&["--valid-until", "2027-01-31"][..], "keys.valid_until"),
        (&["--valid-until", "2001-01-31T00:00:00Z"][..], "keys.expired"),
        (&["--out-dir", "file"][..], "file.not_folder"),
        (&["--out-dir", "file/keys"][..], "file.not_folder"),
    ] {
        let all: Vec<&str> = ["keys", "init"].iter().chain(args).copied().collect();
        assert_eq!(refusal(here, &all), is(code, 6));
    }
    assert_eq!(refusal(here, &["keys", "rotate"]), is("keys.missing", 7));
    assert_eq!(refusal(here, &["keys", "verify"]), is("keys.missing", 7));
    assert_eq!(names(here), ["file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_written_is_invalid_input() {
    let folder = tempfile::tempdir().unwrap();
    // Even the superuser may not write here.
    assert_eq!(
        refusal(folder.path(), &["keys", "init", "--out-dir", "/sys/gait"]),
        is("file.permission", 6)
    );
}

#[test]
fn files_that_are_no_pair_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let keys = here.join("gait-out/keys");
    run(here, &["keys", "init"]);
    run(here, &["keys", "init", "--prefix", "other"]);
    let verify = ["keys", "verify"];
    let public = keys.join("gait.public.json");
    let good = std::fs::read(&public).unwrap();

    std::fs::copy(keys.join("other.public.json"), &public).unwrap();
    assert_eq!(refusal(here, &verify), is("keys.mismatch", 2));
    std::fs::write(
        &public,
        String::from_utf8(good.clone())
            .unwrap()
            .replace('{', "{\"more\":1,"),
    )
    .unwrap();
    assert_eq!(refusal(here, &verify), is("key.document", 6));
    std::fs::remove_file(&public).unwrap();
    assert_eq!(refusal(here, &verify), is("keys.missing", 7));
    std::fs::rename(keys.join("gait.private.json"), keys.join("renamed")).unwrap();
    assert_eq!(
        refusal(here, &["keys", "verify", "--private", "gait-out/keys/renamed"]),
        is("keys.public_unnamed", 6)
    );
    std::fs::rename(keys.join("renamed"), keys.join("gait.private.json")).unwrap();

    let key = SigningKey::parse(&std::fs::read(keys.join("gait.private.json")).unwrap()).unwrap();
    let mut window = key.verifying_key();
    window.valid_until = time::parse("2001-01-01T00:00:00.000Z");
    std::fs::write(&public, window.to_file()).unwrap();
    assert_eq!(refusal(here, &verify), is("verify.key_expired", 2));
    (window.valid_from, window.valid_until) = (time::parse("2999-01-01T00:00:00.000Z"), None);
    std::fs::write(&public, window.to_file()).unwrap();
    assert_eq!(refusal(here, &verify), is("verify.key_not_yet_valid", 2));
    std::fs::write(&public, good).unwrap();
    assert_eq!(exit(&run(here, &verify)), 0);
}

#[cfg(unix)]
#[test]
fn a_private_key_that_others_may_read_is_refused_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    run(here, &["keys", "init"]);
    let private = here.join("gait-out/keys/gait.private.json");
    std::fs::write(here.join("p.gaitpol"), crate::cli_bundle::POLICY).unwrap();
    for open in [0o640, 0o604, 0o660, 0o620, 0o644, 0o601] {
        set_mode(&private, open);
        for args in [
            &["keys", "verify"][..],
            &["keys", "rotate"],
            &["policy", "compile", "p.gaitpol"],
            &["verify", "gait-out/keys/gait.private.json"],
        ] {
            assert_eq!(refusal(here, args), is("file.exposed", 8), "{open:o} {args:?}");
        }
    }
    for closed in [0o600, 0o400] {
        set_mode(&private, closed);
        assert_eq!(exit(&run(here, &["keys", "verify"])), 0, "{closed:o}");
    }
    assert!(!here.join("p.gaitbundle").exists());
}

#[test]
fn of_many_at_once_one_makes_the_pair() {
    for _ in 0..3 {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let start = |_| {
            let mut command = gait(here, &["keys", "init", "--json"]);
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        };
        let running: Vec<_> = (0..8).map(start).collect();
        let outputs: Vec<Output> = running
            .into_iter()
            .map(|c| c.wait_with_output().unwrap())
            .collect();
        let mut codes: Vec<i32> = outputs.iter().map(exit).collect();
        codes.sort_unstable();
        assert_eq!(
            codes,
            [0, 8, 8, 8, 8, 8, 8, 8],
            "one wins, the others are refused"
        );
        let winner = outputs.iter().find(|o| exit(o) == 0).unwrap();
        let made = document(winner, "keys_init");
        let checked = document(&run(here, &["keys", "verify", "--json"]), "keys_verify");
        assert_eq!(checked["key_id"], made["key_id"]);
        assert_eq!(
            names(&here.join("gait-out/keys")),
            ["gait.private.json", "gait.public.json"]
        );
    }
}

#[test]
fn what_a_killed_run_leaves_is_no_key_and_no_obstacle() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let keys = here.join("gait-out/keys");
    std::fs::create_dir_all(&keys).unwrap();
    // Killed while the first file was being written.
    std::fs::write(keys.join(".gait-Ab12.tmp"), "{\"key_id\":\"sha2").unwrap();
    assert_eq!(
        refusal(here, &["verify", "gait-out/keys/.gait-Ab12.tmp"]),
        is("verify.unknown_kind", 6)
    );
    let made = document(&run(here, &["keys", "init", "--json"]), "keys_init");
    // Killed between the two files.
    std::fs::remove_file(keys.join("gait.public.json")).unwrap();
    let again = document(&run(here, &["keys", "init", "--json"]), "keys_init");
    assert_eq!(
        (&again["completed"], &again["key_id"]),
        (&true.into(), &made["key_id"])
    );
    assert_eq!(refusal(here, &["keys", "init"]), is("keys.exists", 8));
    let checked = document(&run(here, &["keys", "verify", "--json"]), "keys_verify");
    assert_eq!(checked["key_id"], made["key_id"]);
    // Killed in a rotation, when the next public key was there and its private one was not.
    run(here, &["keys", "init", "--prefix", "next"]);
    std::fs::rename(keys.join("next.public.json"), keys.join("gait.public.json")).unwrap();
    let rotated = document(&run(here, &["keys", "rotate", "--json"]), "keys_rotate");
    assert_eq!(rotated["previous"]["key_id"], made["key_id"]);
    assert_eq!(exit(&run(here, &["keys", "verify"])), 0);
    let kept = rotated["previous"]["private"].as_str().unwrap();
    assert_eq!(exit(&run(here, &["keys", "verify", "--private", kept])), 0);
}
