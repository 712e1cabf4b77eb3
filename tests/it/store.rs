//! What every store does, whatever keeps it: one table of behaviours, run on each; and what only a database in a folder
//! can meet.

mod crash;
mod fleet;
pub mod server;
mod worker;

use gait::artifact::{Digest, digest};
use gait::domain::Charge;
use gait::store::used::{Used, UsedApprovals};
use gait::store::{self, Key, Kind, Memory, Sqlite, Store, StoreError, counters};
use std::collections::BTreeSet;
use std::path::Path;

const COUNTER: &str = "sha256:00";

fn charge(amount: i128) -> Charge {
    Charge {
        limit: "l".into(),
        counter: COUNTER.into(),
        amount,
        span: None,
    }
}

fn reserve(store: &dyn Store, call: &str, amount: i128) -> Result<(), StoreError> {
    store::change(store, counters::keys([COUNTER]), |records| {
        let mut counters = counters::read(records, [COUNTER])?;
        counters.reserve(call, &[charge(amount)], 7);
        counters::write(records, &counters)
    })
}

fn spent(store: &dyn Store) -> Result<i128, StoreError> {
    let records = store::read(store, counters::keys([COUNTER]))?;
    Ok(counters::read(&records, [COUNTER])?.used(&[charge(1)], 9)[COUNTER])
}

/// Uses an approval up; whether nobody had.
fn use_up(store: &dyn Store, approval: Digest, call: &str) -> Result<bool, StoreError> {
    store::change(store, Used::keys(&[approval]), |records| {
        let mut used = Used::read(records, &[approval])?;
        let free = !used.is_used(approval);
        if free {
            used.use_up(approval, call);
            used.write(records)?;
        }
        Ok(free)
    })
}

fn named(n: usize) -> Digest {
    digest::sha256(n.to_string().as_bytes())
}

fn failed() -> StoreError {
    StoreError::Failed {
        place: "test".to_owned(),
        reason: "on purpose".to_owned(),
    }
}

/// What is asked of a store that is new.
type Behaviour = fn(&dyn Store);

const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("what was changed is there again", |store| {
        assert_eq!(spent(store), Ok(0));
        reserve(store, "a", 3).unwrap();
        reserve(store, "b", 4).unwrap();
        assert_eq!(spent(store), Ok(7));
        assert!(use_up(store, named(0), "a").unwrap());
        assert!(!use_up(store, named(0), "b").unwrap());
        assert_eq!(store.check(), Ok(Vec::new()));
    }),
    ("a change that fails changes nothing", |store| {
        reserve(store, "a", 3).unwrap();
        let approvals = [named(0)];
        let keys = counters::keys([COUNTER]).chain(Used::keys(&approvals));
        let refused = store::change(store, keys, |records| {
            let mut counters = counters::read(records, [COUNTER])?;
            counters.reserve("b", &[charge(4)], 7);
            counters::write(records, &counters)?;
            records.put::<UsedApprovals>(&named(0).to_string(), &Some("b".to_owned()))?;
            Err::<(), _>(failed())
        });
        assert_eq!(refused, Err(failed()));
        assert_eq!(spent(store), Ok(3));
        assert!(use_up(store, named(0), "c").unwrap());
    }),
    ("what was not asked for is not handed out", |store| {
        let (mine, other) = (named(1).to_string(), named(2).to_string());
        store::change(store, [Key::of::<UsedApprovals>(&*mine)], |records| {
            for refused in [
                records.get::<UsedApprovals>(&other).map(drop),
                records.put::<UsedApprovals>(&other, &None),
                records.remove::<UsedApprovals>(&other),
                records.get::<counters::Counters>(&mine).map(drop),
            ] {
                assert!(
                    matches!(refused, Err(StoreError::NotLocked { .. })),
                    "{refused:?}"
                );
            }
            Ok(())
        })
        .unwrap();
    }),
    ("what is removed is gone", |store| {
        assert!(use_up(store, named(0), "a").unwrap());
        store::change(store, Used::keys(&[named(0)]), |records| {
            records.remove::<UsedApprovals>(&named(0).to_string())
        })
        .unwrap();
        assert!(store.list(("", ""), 9).unwrap().is_empty());
        assert!(use_up(store, named(0), "a").unwrap());
    }),
    ("rows are listed in order and in parts", |store| {
        reserve(store, "a", 3).unwrap();
        let mut names: Vec<String> = (0..5).map(|n| named(n).to_string()).collect();
        names.sort();
        for n in 0..5 {
            assert!(use_up(store, named(n), "a").unwrap());
        }
        let mut seen = Vec::new();
        let mut after = (String::new(), String::new());
        loop {
            let rows = store.list((&after.0, &after.1), 2).unwrap();
            let Some(last) = rows.last() else { break };
            after = (last.kind.clone(), last.name.clone());
            assert!(rows.iter().all(|row| row.checked().is_ok()), "{rows:?}");
            seen.extend(rows.into_iter().map(|row| (row.kind, row.name)));
        }
        assert_eq!(seen[0], ("counter".to_owned(), COUNTER.to_owned()));
        let used: Vec<&String> = seen[1..].iter().map(|(_, name)| name).collect();
        assert_eq!(used, names.iter().collect::<Vec<_>>());
    }),
    ("names are bytes and not patterns or code", |store| {
        for name in ["a'; DROP TABLE record; --", "a%", "A", "a", "é", "\u{1}", "a b\\"] {
            let key = Key::of::<UsedApprovals>(name);
            store::change(store, [key.clone()], |records| {
                assert_eq!(records.get::<UsedApprovals>(name), Ok(None), "{name:?}");
                records.put::<UsedApprovals>(name, &Some(name.to_owned()))
            })
            .unwrap();
            let read = store::read(store, [key]).unwrap();
            assert_eq!(read.get::<UsedApprovals>(name), Ok(Some(Some(name.to_owned()))));
        }
    }),
    ("what is too large or too much is refused", |store| {
        let long = "x".repeat(gait::limits::RECORD_NAME_BYTES + 1);
        let refused = store::change(store, [Key::of::<UsedApprovals>(&*long)], |records| {
            records.put::<UsedApprovals>(&long, &None)
        });
        assert!(matches!(refused, Err(StoreError::TooMuch { .. })), "{refused:?}");
        let large = Some("x".repeat(gait::limits::RECORD_BYTES));
        let refused = store::change(store, [Key::of::<UsedApprovals>("a")], |records| {
            records.put::<UsedApprovals>("a", &large)
        });
        assert!(matches!(refused, Err(StoreError::TooMuch { .. })), "{refused:?}");
        let many = (0..=gait::limits::RECORD_KEYS).map(|n| Key::of::<UsedApprovals>(n.to_string()));
        let refused = store::change(store, many, |_| Ok(()));
        assert!(matches!(refused, Err(StoreError::TooMuch { .. })), "{refused:?}");
        let most = Some("x".repeat(1 << 20));
        let written = store::change(store, [Key::of::<UsedApprovals>("a")], |records| {
            records.put::<UsedApprovals>("a", &most)
        });
        assert_eq!(written, Ok(()));
    }),
    ("a clock that goes back frees nothing", |store| {
        let keys = || counters::keys([COUNTER]);
        let hour = Charge {
            span: Some(3_600_000),
            ..charge(5)
        };
        let at = |now: i64| {
            store::change(store, keys(), |records| {
                let mut counters = counters::read(records, [COUNTER])?;
                let used = counters.used(std::slice::from_ref(&hour), now)[COUNTER];
                counters.reserve(&now.to_string(), std::slice::from_ref(&hour), now);
                counters::write(records, &counters)?;
                Ok(used)
            })
        };
        assert_eq!(at(10_000_000), Ok(0));
        assert_eq!(at(1_000), Ok(5));
        assert_eq!(at(10_000_000), Ok(5));
    }),
    ("writers at once lose nothing", |store| {
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    for n in 0..25 {
                        reserve(store, &format!("{thread}.{n}"), 3).unwrap();
                    }
                });
            }
        });
        assert_eq!(spent(store), Ok(300));
    }),
    ("of threads at once one uses an approval up", |store| {
        for round in 0..20 {
            let won = std::thread::scope(|scope| {
                let start =
                    |n: usize| scope.spawn(move || use_up(store, named(round), &n.to_string()).unwrap());
                let threads: Vec<_> = (0..4).map(start).collect();
                threads
                    .into_iter()
                    .filter_map(|thread| thread.join().ok())
                    .filter(|won| *won)
                    .count()
            });
            assert_eq!(won, 1);
        }
    }),
    (
        "locks taken in any order do not wait for each other for ever",
        |store| {
            std::thread::scope(|scope| {
                for thread in 0..4usize {
                    scope.spawn(move || {
                        for n in 0..10 {
                            let mut approvals: Vec<Digest> = (0..6).map(|k| named(100 + k)).collect();
                            approvals.rotate_left((thread + n) % 6);
                            approvals.truncate(4);
                            let changed = store::change(store, Used::keys(&approvals), |records| {
                                let mut used = Used::read(records, &approvals)?;
                                approvals.iter().for_each(|a| used.use_up(*a, "x"));
                                used.write(records)
                            });
                            assert_eq!(changed, Ok(()));
                        }
                    });
                }
            });
        },
    ),
];

#[test]
fn every_store_keeps_the_contract() {
    for (what, behaviour) in BEHAVIOURS {
        println!("memory: {what}");
        behaviour(&Memory::default());
        println!("sqlite: {what}");
        let folder = tempfile::tempdir().unwrap();
        behaviour(&Sqlite::new(&folder.path().join("store")));
    }
}

#[test]
fn kinds_have_names_of_their_own() {
    let names: BTreeSet<&str> = store::KINDS.iter().map(|kind| kind.name).collect();
    assert_eq!(names.len(), store::KINDS.len());
    assert!(store::KINDS.is_sorted_by_key(|kind| kind.name));
    assert!(names.contains(UsedApprovals::NAME));
}

fn database(folder: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(folder.join(store::FILE)).unwrap()
}

/// A store with a record, closed.
fn made(folder: &Path) -> Sqlite {
    reserve(&Sqlite::new(folder), "a", 3).unwrap();
    Sqlite::new(folder)
}

#[test]
fn a_database_that_was_changed_is_not_read() {
    type Change = fn(&Path);
    let changes: &[(&str, Change)] = &[
        ("empty", |at| std::fs::write(at.join(store::FILE), b"").unwrap()),
        ("text", |at| std::fs::write(at.join(store::FILE), b"{}").unwrap()),
        ("cut off", |at| {
            let bytes = std::fs::read(at.join(store::FILE)).unwrap();
            std::fs::write(at.join(store::FILE), &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("garbled", |at| {
            let mut bytes = std::fs::read(at.join(store::FILE)).unwrap();
            bytes[4096..].fill(0x5a);
            std::fs::write(at.join(store::FILE), bytes).unwrap();
        }),
        ("another program's", |at| {
            database(at).execute_batch("PRAGMA application_id = 7").unwrap();
        }),
        ("another version", |at| {
            database(at).execute_batch("PRAGMA user_version = 2").unwrap();
        }),
        ("a trigger", |at| {
            let text = "CREATE TRIGGER t AFTER INSERT ON record BEGIN DELETE FROM record; END";
            database(at).execute_batch(text).unwrap();
        }),
        ("another table", |at| {
            database(at).execute_batch("CREATE TABLE a (b)").unwrap();
        }),
        ("another journal", |at| {
            database(at)
                .execute_batch("PRAGMA journal_mode = DELETE")
                .unwrap();
        }),
    ];
    for (what, change) in changes {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("s");
        let sqlite = made(&at);
        change(&at);
        let before = std::fs::read(at.join(store::FILE)).unwrap();
        for refused in [
            reserve(&sqlite, "b", 1),
            spent(&sqlite).map(drop),
            sqlite.list(("", ""), 9).map(drop),
        ] {
            assert!(
                matches!(refused, Err(StoreError::Foreign { .. })),
                "{what}: {refused:?}"
            );
        }
        assert_eq!(std::fs::read(at.join(store::FILE)).unwrap(), before, "{what}");
    }
}

#[test]
fn a_row_of_which_anything_was_changed_is_damaged() {
    for update in [
        "UPDATE record SET name = 'sha256:01'",
        "UPDATE record SET kind = 'used_approval'",
        "UPDATE record SET value = CAST(replace(CAST(value AS TEXT), '\"3\"', '\"2\"') AS BLOB)",
        "UPDATE record SET digest = zeroblob(32)",
        "UPDATE record SET digest = zeroblob(0)",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = made(folder.path().join("s").as_path());
        let database = database(&folder.path().join("s"));
        assert_eq!(database.execute(update, ()).unwrap(), 1, "{update}");
        let rows = sqlite.list(("", ""), 9).unwrap();
        assert!(rows[0].checked().is_err(), "{update}");
        if !update.contains("name =") && !update.contains("kind =") {
            assert!(
                matches!(spent(&sqlite), Err(StoreError::Damaged { .. })),
                "{update}"
            );
            let refused = reserve(&sqlite, "b", 1);
            assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{update}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_place_that_others_may_change_is_not_used() {
    use gait::host::HostError;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("s");
    let sqlite = made(&at);
    let mode = |path: &Path, mode| std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    for name in [store::FILE, "gait.db-wal", "gait.db-shm"] {
        let found = std::fs::metadata(at.join(name)).map(|found| found.mode() & 0o777);
        assert!(found.is_err() || found.unwrap() == 0o600, "{name}");
    }
    for (path, bad, good) in [
        (at.clone(), 0o770, 0o700),
        (at.clone(), 0o707, 0o700),
        (at.join(store::FILE), 0o640, 0o600),
        (at.join(store::FILE), 0o602, 0o600),
    ] {
        mode(&path, bad);
        for refused in [reserve(&sqlite, "b", 1), spent(&sqlite).map(drop)] {
            assert!(
                matches!(refused, Err(StoreError::Host(HostError::Exposed { .. }))),
                "{bad:o} {refused:?}"
            );
        }
        mode(&path, good);
    }
    assert_eq!(spent(&sqlite), Ok(3));
    // Links, to the folder and to the file.
    let link = folder.path().join("link");
    symlink(&at, &link).unwrap();
    let refused = reserve(&Sqlite::new(&link), "b", 1);
    assert!(
        matches!(refused, Err(StoreError::Host(HostError::Linked { .. }))),
        "{refused:?}"
    );
    let moved = folder.path().join("moved.db");
    std::fs::rename(at.join(store::FILE), &moved).unwrap();
    symlink(&moved, at.join(store::FILE)).unwrap();
    let refused = reserve(&sqlite, "b", 1);
    assert!(
        matches!(refused, Err(StoreError::Host(HostError::Linked { .. }))),
        "{refused:?}"
    );
}

/// A long-running gate does not go on with a file that is no longer the store.
#[cfg(unix)]
#[test]
fn a_database_that_was_replaced_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("s");
    let sqlite = Sqlite::new(&at);
    reserve(&sqlite, "a", 3).unwrap();
    std::fs::rename(&at, folder.path().join("gone")).unwrap();
    assert_eq!(spent(&sqlite), Ok(0));
    reserve(&sqlite, "b", 4).unwrap();
    assert_eq!(spent(&Sqlite::new(&at)), Ok(4));
}

#[test]
fn reading_makes_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("s");
    let sqlite = Sqlite::new(&at);
    assert_eq!(spent(&sqlite), Ok(0));
    assert!(sqlite.list(("", ""), 1).is_err() && sqlite.check().is_err());
    assert!(!at.exists());
}

#[test]
fn a_database_that_others_have_is_waited_for_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let (held, other) = (Sqlite::new(folder.path()), Sqlite::new(folder.path()).waiting(50));
    reserve(&held, "a", 3).unwrap();
    store::change(&held, counters::keys([COUNTER]), |_| {
        let refused = reserve(&other, "b", 1);
        assert!(
            matches!(refused, Err(StoreError::Contended { .. })),
            "{refused:?}"
        );
        // What was written before is read meanwhile.
        assert_eq!(spent(&other), Ok(3));
        Ok(())
    })
    .unwrap();
    assert_eq!(reserve(&other, "b", 1), Ok(()));
}

/// A process that may write no file beyond a size: what it writes of a change does not fit, and nothing of it is there.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_blocks_what_is_counted() {
    use crate::folder::{Folder, compiled, shown};
    let folder = Folder::new();
    folder.write(
        "b.gaitbundle",
        &compiled("gaitpol 1\npolicy acme.p\ndefault block\ntool pay {}\ntool ask {}\nrule r on * allow\nlimit l on pay max 9 calls per 1h exceed block\n"),
    );
    for tool in ["pay", "ask"] {
        let text = format!(
            r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-01-01T00:00:00Z",
            "producer_version":"1","tool_name":"{tool}","args":{{}},"targets":[],
            "context":{{"identity":"bob","workspace":"/w","risk_class":"low"}}}}"#
        );
        folder.write(&format!("{tool}.json"), text.as_bytes());
    }
    let pay = ["gate", "eval", "--bundle", "b.gaitbundle", "--intent", "pay.json"];
    assert_eq!(folder.run(&pay).status.code(), Some(0));
    let limited = |intent: &str| {
        // In blocks of 512 bytes: a trace fits, a page of the log with what surrounds it does not.
        let script = format!(
            "trap '' XFSZ; ulimit -f 8; exec {} gate eval --bundle b.gaitbundle --intent {intent}.json",
            env!("CARGO_BIN_EXE_gait")
        );
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &script]).current_dir(folder.path("."));
        command.output().unwrap()
    };
    let output = limited("pay");
    assert_eq!(output.status.code(), Some(3), "{}", shown(&output));
    assert!(
        shown(&output).contains("gait.limits_unavailable"),
        "{}",
        shown(&output)
    );
    assert_eq!(limited("ask").status.code(), Some(0));
    let output = folder.run(&pay);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert!(shown(&output).contains("1 of 9"), "{}", shown(&output));
    folder.json(&["store", "check"], 0, "store_check");
}
