//! `gait run` as a process: packing, looking into a pack, naming it, and every changed byte.

use crate::folder::{AT, Folder, key, shown, trusted};
use gait::artifact::{RunpackContents, Signed, runpack};

#[test]
fn a_session_becomes_a_pack_that_can_be_looked_into() {
    let folder = Folder::new();
    folder.recorded();
    let value = folder.json(&["run", "inspect", "s.zip"], 0, "run_inspect");
    assert_eq!(value["run_id"], "s");
    assert_eq!(value["created_at"], AT);
    let verdicts: Vec<&str> = value["traces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["allow", "block", "require_approval"]);
    assert!(
        value["traces"]
            .as_array()
            .unwrap()
            .iter()
            .all(|t| t["has_intent"] == true)
    );
    let text = shown(&folder.run(&["run", "inspect", "s.zip"]));
    assert!(
        text.contains("foreign_recipient") && text.contains("pay.transfer"),
        "{text}"
    );
    let receipt = folder.json(&["run", "receipt", "s.zip"], 0, "run_receipt");
    let digest = value["runpack_digest"].as_str().unwrap();
    let line = format!("GAIT run_id=s runpack={digest} traces=3 verify=\"gait verify s.zip\"");
    assert_eq!(receipt["receipt"], line.as_str());
    assert_eq!(
        shown(&folder.run(&["run", "receipt", "s.zip"])),
        format!("{line}\n")
    );
}

#[test]
fn the_same_run_is_the_same_bytes_and_nothing_else_is_overwritten() {
    let folder = Folder::new();
    folder.recorded();
    let args = ["run", "record", "--session", "s", "--out", "s.zip"];
    assert_eq!(folder.json(&args, 0, "run_record")["written"], false);
    let value = folder.json(&["run", "record", "--session", "s"], 0, "run_record");
    assert_eq!(value["path"], "gait-out/runpack_s.zip");
    assert_eq!(folder.read("gait-out/runpack_s.zip"), folder.read("s.zip"));
    folder.write("s.zip", b"something else");
    folder.fails(&args, 8, "file.exists");
    assert_eq!(folder.read("s.zip"), b"something else");
    folder.fails(
        &["run", "record", "--session", "s", "--out", "gait-out"],
        8,
        "file.exists",
    );
}

#[test]
fn the_order_traces_are_given_in_changes_no_byte() {
    let folder = Folder::new();
    folder.recorded();
    let now = AT.parse().unwrap();
    let bytes = folder.read("s.zip");
    let journal = folder.path("gait-out/sessions/s.jsonl");
    let mut entries = gait::session::read(&gait::host::Os::new(), &journal)
        .unwrap()
        .entries;
    for turn in 0..entries.len() {
        entries.rotate_left(turn);
        let mut contents = RunpackContents {
            run_id: "s".to_owned(),
            traces: Vec::new(),
            intents: Vec::new(),
            created_at: now,
        };
        for entry in &entries {
            let trace = entry.trace.verify(&trusted(), now).unwrap();
            contents
                .intents
                .insert(0, (trace.value().trace_id.clone(), entry.intent.clone()));
            contents
                .traces
                .push(Signed::from_bytes(entry.trace.as_bytes().to_vec()));
        }
        assert_eq!(runpack::pack(contents, &trusted(), &key()).unwrap(), bytes);
    }
}

#[test]
fn runs_of_one_session_are_packed_apart() {
    let folder = Folder::new();
    let eval = |intent: &str, run: &str| {
        let output = folder.eval(intent, &["--session", "s", "--run", run]);
        assert!(matches!(output.status.code(), Some(0 | 3)), "{}", shown(&output));
    };
    eval("allow.json", "one");
    eval("block.json", "two");
    eval("allow.json", "two");
    folder.fails(&["run", "record", "--session", "s"], 6, "run.no_trace");
    let value = folder.json(
        &[
            "run",
            "record",
            "--session",
            "s",
            "--run",
            "two",
            "--out",
            "two.zip",
        ],
        0,
        "run_record",
    );
    assert_eq!(value["traces"], 2);
    let pack = folder.json(&["run", "inspect", "two.zip"], 0, "run_inspect");
    assert!(pack["continues"].is_string(), "it follows run one");
    eval("allow.json", "one");
    folder.fails(
        &["run", "record", "--session", "s", "--run", "one"],
        6,
        "run.interleaved",
    );
}

#[test]
fn what_cannot_be_packed_is_refused() {
    let folder = Folder::new();
    folder.fails(&["run", "record", "--session", "none"], 6, "file.not_found");
    folder.fails(&["run", "record", "--session", "../s"], 6, "usage.bad_id");
    folder.fails(
        &["run", "record", "--session", "s", "--run", "A"],
        6,
        "usage.bad_id",
    );
    folder.recorded();
    let path = "gait-out/sessions/s.jsonl";
    let text = String::from_utf8(folder.read(path)).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for (name, changed, code) in [
        ("a line is gone", lines[1..].concat(), "session.entry"),
        (
            "a middle line is gone",
            [lines[0], lines[2]].concat(),
            "session.entry",
        ),
        (
            "a verdict is edited",
            text.replacen("block", "allow", 1),
            "session.entry",
        ),
        (
            "an intent is edited",
            text.replacen("Minutes", "Nothing", 1),
            "session.entry",
        ),
        ("no line is a line", "x\n".to_owned(), "session.entry"),
        (
            "the last intent is edited",
            {
                let last = lines[2].replacen("Laptop", "Latpop", 1);
                [lines[0], lines[1], &last].concat()
            },
            "verify.digest_mismatch",
        ),
    ] {
        folder.write("gait-out/sessions/s.jsonl", changed.as_bytes());
        if changed == text {
            continue;
        }
        let value = folder.json(&["run", "record", "--session", "s", "--out", "x.zip"], 2, "error");
        assert_eq!(value["error"]["code"], code, "{name}: {value}");
    }
    assert!(!folder.path("x.zip").exists());
}

#[test]
fn every_changed_byte_of_a_pack_is_found() {
    let folder = Folder::new();
    folder.recorded();
    let bytes = folder.read("s.zip");
    let now = AT.parse().unwrap();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(runpack::open(&changed, &trusted(), now).is_err(), "byte {at}");
    }
    for at in [0, bytes.len() / 3, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[at] ^= 0x20;
        folder.write("t.zip", &changed);
        for command in ["inspect", "receipt"] {
            let value = folder.json(&["run", command, "t.zip"], 2, "error");
            assert!(
                value["error"]["code"].as_str().unwrap().starts_with("verify."),
                "{value}"
            );
        }
    }
    folder.write("t.zip", &bytes[..bytes.len() - 5]);
    folder.fails(&["run", "inspect", "t.zip"], 2, "verify.archive_end");
    folder.fails(&["run", "inspect", "none.zip"], 6, "file.not_found");
    folder.fails(&["run", "inspect", "gait-out"], 6, "file.not_regular");
    folder.fails(&["run", "receipt", "b.gaitbundle"], 2, "verify.payload_type");
}

#[test]
fn a_receipt_stays_one_line_that_a_shell_reads() {
    let folder = Folder::new();
    folder.recorded();
    folder.write("a b.zip", &folder.read("s.zip"));
    folder.write("a\nb.zip", &folder.read("s.zip"));
    let value = folder.json(&["run", "receipt", "a b.zip"], 0, "run_receipt");
    assert!(
        value["receipt"]
            .as_str()
            .unwrap()
            .ends_with("verify=\"gait verify 'a b.zip'\""),
        "{value}"
    );
    folder.fails(&["run", "receipt", "a\nb.zip"], 6, "receipt.path");
}
