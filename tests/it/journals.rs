//! Session journals that have lost something: what is said of it, and what calls are decided by then.

use crate::folder::{Folder, shown};

const POLICY: &[u8] =
    b"gaitpol 1\npolicy acme.j\ndefault block\ntool read {}\ntool send {}\nrule r on read allow\n\
    rule s on send when not once(call read) allow\n";
const JOURNAL: &str = "gait-out/sessions/s.jsonl";

fn intent(tool: &str) -> String {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-01-01T00:00:00Z",
        "producer_version":"1","tool_name":"{tool}","args":{{}},"targets":[],
        "context":{{"identity":"bob","workspace":"/w","risk_class":"low"}}}}"#
    )
}

fn call(folder: &Folder, tool: &str, exit: i32) -> String {
    folder.write("i.json", intent(tool).as_bytes());
    let args = [
        "gate",
        "eval",
        "--bundle",
        "j.gaitbundle",
        "--intent",
        "i.json",
        "--session",
        "s",
    ];
    let output = folder.run(&args);
    let text = shown(&output);
    assert_eq!(output.status.code(), Some(exit), "{text}");
    text
}

/// Without its entries a journal does not tell that `read` was called, and a session does not start in it anew.
#[test]
fn what_a_journal_has_lost_is_said_and_starts_no_session() {
    let folder = Folder::new();
    folder.write("j.gaitpol", POLICY);
    let compile = ["policy", "compile", "j.gaitpol", "--out", "j.gaitbundle"];
    let output = folder.run(&compile);
    assert!(output.status.success(), "{}", shown(&output));
    let fresh = call(&folder, "send", 0);
    assert!(!fresh.contains("warning"), "{fresh}");
    call(&folder, "read", 0);
    assert!(!call(&folder, "send", 3).contains("gait.state_unavailable"));
    let whole = folder.read(JOURNAL);
    for (left, said) in [
        (0, "it was there and empty; no entry"),
        (9, "it ended in 9 bytes"),
    ] {
        folder.write(JOURNAL, &whole[..left]);
        let text = call(&folder, "send", 3);
        assert!(text.contains("warning: gait-out/sessions/s.jsonl: "), "{text}");
        assert!(
            text.contains(said) && text.contains("gait.state_unavailable"),
            "{text}"
        );
        // Nor does it with the next call, though the journal has an entry then.
        let text = call(&folder, "send", 3);
        assert!(!text.contains("warning"), "{text}");
        assert!(text.contains("gait.state_unavailable"), "{text}");
        call(&folder, "read", 0);
    }
    // What was cut off was never acknowledged: the entries before it tell the state.
    let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    folder.write(JOURNAL, &whole[..first + 20]);
    let text = call(&folder, "send", 0);
    assert!(
        text.contains("it ended in 20 bytes of an entry that was cut off, now in"),
        "{text}"
    );
    assert!(!text.contains("no entry says"), "{text}");
}
