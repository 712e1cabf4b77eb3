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
    let mut n = 3;
    // The store knows where the session is, whatever its journal has lost.
    let whole = folder.read(JOURNAL);
    let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    for (left, said) in [
        (0, "it was there and empty"),
        (9, "it ended in 9 bytes of an entry that was cut off, now in"),
        (first + 20, "it ended in 20 bytes"),
        (first, ""),
    ] {
        folder.write(JOURNAL, &whole[..left]);
        let text = call(&folder, "send", 3);
        assert_eq!(
            text.contains("warning: gait-out/sessions/s.jsonl: "),
            !said.is_empty(),
            "{text}"
        );
        assert!(
            text.contains(said) && !text.contains("gait.state_unavailable"),
            "{text}"
        );
        // The call before it is in the journal again.
        assert_eq!(numbers(&folder).last_chunk(), Some(&[n, n + 1]), "{text}");
        n += 1;
    }
    folder.remove(JOURNAL);
    assert!(!call(&folder, "send", 3).contains("gait.state_unavailable"));
    assert_eq!(numbers(&folder), [n, n + 1]);
    // Where the store does not know it either, nobody tells the state.
    folder.remove("gait-out/store/gait.db");
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
        folder.remove("gait-out/store/gait.db");
    }
    // A journal that the store has not seen goes on where it ends.
    folder.write(JOURNAL, &whole);
    assert!(!call(&folder, "send", 3).contains("gait.state_unavailable"));
}

/// A journal or a store that was put back is not gone on with: its session would have two calls in one place.
#[test]
fn a_session_does_not_go_two_ways() {
    let folder = Folder::new();
    folder.write("j.gaitpol", POLICY);
    let output = folder.run(&["policy", "compile", "j.gaitpol", "--out", "j.gaitbundle"]);
    assert!(output.status.success(), "{}", shown(&output));
    call(&folder, "send", 0);
    let early = folder.read("gait-out/store/gait.db");
    call(&folder, "read", 0);
    call(&folder, "send", 3);
    let late = folder.read("gait-out/store/gait.db");
    folder.write("gait-out/store/gait.db", &early);
    let text = call(&folder, "send", 2);
    assert!(text.contains("does not know call 3 of the session"), "{text}");
    folder.write("gait-out/store/gait.db", &late);
    // A journal of another machine, of an earlier call: what it lacks is between its lines.
    let lines = folder.read(JOURNAL);
    let first = lines.iter().position(|b| *b == b'\n').unwrap() + 1;
    folder.write(JOURNAL, &lines[..first]);
    call(&folder, "send", 3);
    assert_eq!(numbers(&folder), [1, 3, 4]);
    // An entry in the right place and of another call.
    let member = "\"trace_digest\":\"sha256:";
    let mut bytes = folder.read(JOURNAL);
    let at = String::from_utf8_lossy(&bytes).rfind(member).unwrap() + member.len();
    bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
    folder.write(JOURNAL, &bytes);
    let text = call(&folder, "send", 2);
    assert!(text.contains("does not know call 4 of the session"), "{text}");
}

fn numbers(folder: &Folder) -> Vec<u64> {
    let text = String::from_utf8(folder.read(JOURNAL)).unwrap();
    let number = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["sequence"].as_u64();
    text.lines().map(|line| number(line).unwrap()).collect()
}
