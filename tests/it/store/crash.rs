//! What holds of every store whatever processes do: of two that use up one approval one gets it, and one that is killed
//! leaves all of a change or nothing.

use super::worker::{Worker, store_of};
use super::{COUNTER, named, spent};
use gait::store::{Store, counters, used::UsedApprovals};
use std::collections::BTreeMap;
use std::time::Duration;

/// Rounds of a test, by a variable of the environment.
fn rounds(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

/// Two processes use up one approval at once, again and again.
pub fn one_of_two_processes_gets_an_approval(place: &str) {
    let rounds = rounds("GAIT_RACE_ROUNDS", 200);
    let mut workers = [Worker::start("race", place), Worker::start("race", place)];
    let mut won = [0; 2];
    for round in 0..rounds {
        for worker in &mut workers {
            worker.tell(&round.to_string());
        }
        let said: Vec<bool> = workers.iter_mut().map(|w| w.says().unwrap() == "won").collect();
        assert_ne!(said[0], said[1], "round {round}");
        won[usize::from(said[1])] += 1;
    }
    println!("{place}: {rounds} rounds, won {won:?}");
}

/// Kills processes at random moments while they spend.
pub fn what_was_killed_left_all_or_nothing(place: &str) {
    let rounds = rounds("GAIT_CRASH_ROUNDS", 50);
    let store = store_of(place);
    let mut seed = 0x5eed_u64;
    let (mut next, mut said) = (0, BTreeMap::new());
    for round in 0..rounds {
        let mut workers: Vec<Worker> = (0..3).map(|_| Worker::start("spend", place)).collect();
        for worker in &mut workers {
            worker.tell(&next.to_string());
        }
        // Where a test is slow, it kills later: nothing is asked of the time.
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros((seed >> 33) % 40_000));
        for line in workers.into_iter().flat_map(Worker::killed) {
            let n: usize = line.parse().unwrap();
            let twice = said.insert(n, round);
            assert_eq!(twice, None, "{n} was got twice");
        }
        next = is_whole(store.as_ref(), &said, round);
    }
    println!(
        "{place}: {rounds} rounds, {next} spent, {} of them said",
        said.len()
    );
}

/// What was said is there, and what is there was charged once; the first approval that nobody has used up.
fn is_whole(store: &dyn Store, said: &BTreeMap<usize, usize>, round: usize) -> usize {
    // A server may still be at the last change of a process that is gone; every change here holds the counter.
    gait::store::change(store, counters::keys([COUNTER]), |_| Ok(())).unwrap();
    assert_eq!(store.check(), Ok(Vec::new()), "round {round}");
    let mut used = 0;
    let mut after = (String::new(), String::new());
    loop {
        let rows = store.list((&after.0, &after.1), 1_000).unwrap();
        let Some(last) = rows.last() else { break };
        after = (last.kind.clone(), last.name.clone());
        for row in &rows {
            assert!(row.checked().is_ok(), "round {round}: {row:?}");
        }
        used += rows
            .iter()
            .filter(|row| row.kind == <UsedApprovals as gait::store::Kind>::NAME)
            .count();
    }
    assert_eq!(spent(store), Ok(used as i128), "round {round}");
    let free = (0..)
        .find(|n| !said.contains_key(n) && !is_used(store, *n))
        .unwrap();
    // One after the other, without a gap; what was said is among them.
    assert_eq!(free, used, "round {round}");
    assert!(said.keys().all(|n| *n < used), "round {round}");
    free
}

fn is_used(store: &dyn Store, n: usize) -> bool {
    let approvals = [named(n)];
    let records = gait::store::read(store, gait::store::used::Used::keys(&approvals)).unwrap();
    gait::store::used::Used::read(&records, &approvals)
        .unwrap()
        .is_used(approvals[0])
}

#[test]
fn processes_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    one_of_two_processes_gets_an_approval(&place("race"));
    what_was_killed_left_all_or_nothing(&place("crash"));
}
