//! The store of a fleet: what every store does, on a PostgreSQL server that these tests start; what only a server can meet;
//! and gates on several machines, as a user meets them.

use super::server::Server;
use super::{BEHAVIOURS, COUNTER, crash, reserve, spent, use_up};
use crate::folder::{AT, Folder, compiled, eval, shown};
use gait::store::postgres::Network;
use gait::store::{self, Postgres, Store, StoreError, counters};
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};

fn at(url: &str) -> Postgres {
    Postgres::new(url, Network::Local).unwrap()
}

#[test]
fn a_server_keeps_the_contract() {
    let Some(mut server) = Server::start() else { return };
    for (what, behaviour) in BEHAVIOURS {
        println!("postgresql: {what}");
        behaviour(&at(&server.database()));
    }
}

#[test]
fn processes_share_a_server() {
    let Some(mut server) = Server::start() else { return };
    crash::one_of_two_processes_gets_an_approval(&server.database());
    crash::what_was_killed_left_all_or_nothing(&server.database());
}

#[test]
fn a_table_that_was_changed_is_not_read() {
    let Some(mut server) = Server::start() else { return };
    for text in [
        "UPDATE gait.version SET version = 2",
        "DELETE FROM gait.version",
        "INSERT INTO gait.version VALUES (2)",
        "ALTER TABLE gait.record SET UNLOGGED",
        "ALTER TABLE gait.record ENABLE ROW LEVEL SECURITY",
        "CREATE RULE forgets AS ON INSERT TO gait.record DO INSTEAD NOTHING",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; \
         CREATE TRIGGER t BEFORE INSERT ON gait.record FOR EACH ROW EXECUTE FUNCTION f()",
        "ALTER TABLE gait.record RENAME TO r; CREATE VIEW gait.record AS SELECT * FROM gait.r",
    ] {
        let url = server.database();
        let store = at(&url);
        reserve(&store, "a", 3).unwrap();
        server.sql(url.split("dbname=").nth(1).unwrap(), text);
        let refused = reserve(&at(&url), "b", 1);
        assert!(
            matches!(refused, Err(StoreError::Foreign { .. })),
            "{text}: {refused:?}"
        );
        let refused = spent(&at(&url));
        assert!(
            matches!(refused, Err(StoreError::Foreign { .. })),
            "{text}: {refused:?}"
        );
    }
    for text in [
        "UPDATE gait.record SET value = ''",
        "UPDATE gait.record SET digest = ''",
        "UPDATE gait.record SET digest = sha256(value)",
        "UPDATE gait.record SET value = replace(convert_from(value, 'UTF8'), '\"3\"', '\"2\"')::bytea",
    ] {
        let url = server.database();
        let store = at(&url);
        reserve(&store, "a", 3).unwrap();
        server.sql(url.split("dbname=").nth(1).unwrap(), text);
        for refused in [reserve(&store, "b", 1), spent(&store).map(drop)] {
            assert!(
                matches!(refused, Err(StoreError::Damaged { .. })),
                "{text}: {refused:?}"
            );
        }
        assert!(store.list(("", ""), 9).unwrap()[0].checked().is_err(), "{text}");
    }
}

#[test]
fn a_record_that_others_hold_is_waited_for_and_no_longer() {
    let Some(mut server) = Server::start() else { return };
    let url = server.database();
    let (held, store) = (at(&url), at(&url).waiting(200));
    store::change(&held, counters::keys([COUNTER]), |_| {
        let refused = reserve(&store, "b", 1);
        assert!(
            matches!(refused, Err(StoreError::Contended { .. })),
            "{refused:?}"
        );
        // Another record is free.
        assert_eq!(use_up(&store, super::named(0), "a"), Ok(true));
        Ok(())
    })
    .unwrap();
    assert_eq!(reserve(&store, "b", 1), Ok(()));
}

/// A connection that was kept is made again when the server was started anew; what was answered is there, and what was not may be.
#[test]
fn a_server_may_be_restarted_in_the_middle() {
    let Some(mut server) = Server::start() else { return };
    let url = server.database();
    let store = at(&url);
    reserve(&store, "a", 1).unwrap();
    server.stop("INT");
    assert!(matches!(reserve(&store, "b", 1), Err(StoreError::Failed { .. })));
    server.run();
    reserve(&store, "c", 1).unwrap();
    server.stop("INT");
    server.run();
    reserve(&store, "d", 1).unwrap();
    let done = AtomicBool::new(false);
    let sums = std::thread::scope(|scope| {
        let start = |thread: usize| {
            let (done, store) = (&done, &store);
            scope.spawn(move || {
                let (mut certain, mut open) = (0, 0);
                for n in 0.. {
                    if done.load(Ordering::Relaxed) {
                        break;
                    }
                    match reserve(store, &format!("{thread}.{n}"), 1) {
                        Ok(()) => certain += 1,
                        Err(StoreError::Unknown { .. }) => open += 1,
                        Err(StoreError::Failed { .. } | StoreError::Contended { .. }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
                (certain, open)
            })
        };
        let threads: Vec<_> = (0..3).map(start).collect();
        for signal in ["QUIT", "INT", "QUIT"] {
            std::thread::sleep(std::time::Duration::from_millis(300));
            server.stop(signal);
            server.run();
        }
        std::thread::sleep(std::time::Duration::from_millis(300));
        done.store(true, Ordering::Relaxed);
        let sums = threads.into_iter().map(|thread| thread.join().unwrap());
        sums.fold((3, 0), |all, one| (all.0 + one.0, all.1 + one.1))
    });
    let spent = spent(&store).unwrap();
    println!("answered {}, unknown {}, spent {spent}", sums.0, sums.1);
    assert!(
        sums.0 > 3 && (sums.0..=sums.0 + sums.1).contains(&spent),
        "{sums:?} {spent}"
    );
}

#[test]
fn another_machine_is_asked_in_the_clear_only_where_that_is_said() {
    for (url, is_local) in [
        ("host=/run/postgresql user=a", true),
        ("host=localhost user=a", true),
        ("postgresql://a@127.0.0.1/b", true),
        ("postgresql://a@[::1]:5433/b", true),
        ("hostaddr=127.0.0.1 user=a", true),
        ("host=db.acme.com user=a", false),
        ("host=localhost hostaddr=192.0.2.1 user=a", false),
        ("host=localhost,db.acme.com user=a", false),
        ("postgresql://a:geheim@192.0.2.1/b", false),
        ("host=localhost.acme.com", false),
    ] {
        assert_eq!(Postgres::new(url, Network::Local).is_ok(), is_local, "{url}");
        assert!(Postgres::new(url, Network::Any).is_ok(), "{url}");
    }
    for url in [
        "",
        "user=a",
        "geheim",
        "postgresql:/a:geheim@b",
        "host=a port=geheim",
        "host=a geheim=b",
    ] {
        let refused = Postgres::new(url, Network::Any).map(drop).unwrap_err();
        assert!(!refused.to_string().contains("geheim"), "{refused}");
    }
}

const POLICY: &str = r#"gaitpol 1
policy acme.pay
default block code none
tool pay { amount: Decimal[2] }
tool ask {}
tool send {}
rule all on * allow
limit rate on pay max 3 calls per 1h by tool exceed block code rate
rule sent on send when once(call ask) block code asked
"#;

fn intent(tool: &str, args: &str) -> String {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T09:00:00Z",
        "producer_version":"t","tool_name":"{tool}","args":{args},"targets":[],
        "context":{{"identity":"a","workspace":"/w","risk_class":"low"}}}}"#
    )
}

/// A machine with the policy, and a command on it that uses a store.
fn machine() -> Folder {
    let folder = Folder::new();
    folder.write("b.gaitbundle", &compiled(POLICY));
    folder.write("pay.json", intent("pay", r#"{"amount":"1.00"}"#).as_bytes());
    folder.write("ask.json", intent("ask", "{}").as_bytes());
    folder.write("send.json", intent("send", "{}").as_bytes());
    folder
}

fn run(folder: &Folder, url: &str, args: &[&str]) -> Output {
    folder.command(args).env("GAIT_STORE_URL", url).output().unwrap()
}

fn judge(folder: &Folder, url: &str, intent: &str, more: &[&str], exit: i32) -> serde_json::Value {
    let more = [more, &["--evaluation-time", AT, "--json"]].concat();
    let output = run(folder, url, &eval(intent, &more));
    assert_eq!(output.status.code(), Some(exit), "{}", shown(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn machines_count_together_and_make_one_session() {
    let Some(mut server) = Server::start() else { return };
    let url = format!("{} password=geheim", server.database());
    let (one, two) = (machine(), machine());
    for (at, exit) in [(&one, 0), (&two, 0), (&one, 0), (&two, 3), (&one, 3)] {
        judge(at, &url, "pay.json", &["--trace-out", "t/"], exit);
        // The same call at the same time is another event for another run.
        std::fs::remove_dir_all(at.path("t")).unwrap();
    }
    let mut previous = serde_json::Value::Null;
    for (at, intent, exit) in [
        (&one, "send.json", 0),
        (&two, "send.json", 0),
        (&two, "ask.json", 0),
        (&one, "send.json", 3),
        (&one, "ask.json", 0),
        (&two, "send.json", 3),
    ] {
        let said = judge(at, &url, intent, &["--session", "s"], exit);
        assert_eq!(said["previous"], previous, "{said}");
        previous = said["trace_digest"].clone();
    }
    for (at, numbers) in [(&one, &[1, 3, 4, 5][..]), (&two, &[1, 2, 3, 5, 6])] {
        let text = String::from_utf8(at.read("gait-out/sessions/s.jsonl")).unwrap();
        let number =
            |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["sequence"].as_u64();
        let found: Vec<u64> = text.lines().map(|line| number(line).unwrap()).collect();
        assert_eq!(found, numbers);
        assert!(at.list("gait-out/store").is_empty());
    }
    let check = run(&one, &url, &["store", "check", "--json"]);
    assert_eq!(check.status.code(), Some(0), "{}", shown(&check));
    let checked = crate::folder::valid(&check.stdout, "cli/store_check");
    assert_eq!(checked["records"]["session"], 1);
    assert!(!shown(&check).contains("geheim"));
    let show = run(&one, &url, &["store", "show"]);
    assert!(
        show.status.success() && !shown(&show).contains("geheim"),
        "{}",
        shown(&show)
    );
    // The folder and the server at once.
    let both = run(&one, &url, &eval("pay.json", &["--store", "x", "--json"]));
    assert_eq!(both.status.code(), Some(6), "{}", shown(&both));
    server.stop("INT");
    without(&one, &url);
}

/// With no store, calls that need none go on, and others do not.
fn without(at: &Folder, url: &str) {
    let said = judge(at, url, "pay.json", &[], 3);
    assert_eq!(
        said["reason_codes"],
        serde_json::json!(["gait.limits_unavailable"])
    );
    assert!(
        said["detail"].as_str().unwrap().contains("postgresql at"),
        "{said}"
    );
    assert!(!said.to_string().contains("geheim"), "{said}");
    judge(at, url, "ask.json", &[], 0);
    let said = judge(at, url, "ask.json", &["--session", "s"], 1);
    assert_eq!(said["error"]["code"], "store.failed", "{said}");
    assert!(!said.to_string().contains("geheim"), "{said}");
    for url in ["", "geheim", "host=192.0.2.1 password=geheim"] {
        let said = judge(at, url, "ask.json", &[], 6);
        assert_eq!(said["error"]["code"], "store.url", "{said}");
        assert!(!said.to_string().contains("geheim"), "{said}");
    }
}
