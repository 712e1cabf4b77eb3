//! Two replays of the same calls beside each other: what a change of a policy does to what was recorded. In: the calls, as each
//! policy decided them. Out: how many got which verdicts, those that differ, and the level at which the change may be deployed.

use super::Decided;
use crate::domain::{Enforcement, Verdict};
use crate::limits;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What a change does to recorded calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Simulation {
    /// How many calls.
    pub calls: u64,
    /// How many got these verdicts, before and after.
    pub verdicts: BTreeMap<(Verdict, Verdict), u64>,
    /// Calls that are decided otherwise, before and after, in the order of the records; at most `limits::REPLAY_FINDINGS`.
    pub changed: Vec<(Decided, Decided)>,
    /// Further ones that are only counted.
    pub more: u64,
}

/// In which direction a call is decided otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// A laxer verdict.
    Loosened,
    /// A stricter verdict.
    Tightened,
    /// The same verdict for another reason.
    Sideways,
}

impl Direction {
    /// All, the one to look at first before all others.
    pub const ALL: [Direction; 3] = [Direction::Loosened, Direction::Tightened, Direction::Sideways];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Direction::Loosened => "loosened",
            Direction::Tightened => "tightened",
            Direction::Sideways => "sideways",
        }
    }

    /// The direction of one change.
    pub fn of(before: &Decided, after: &Decided) -> Direction {
        match after.verdict.cmp(&before.verdict) {
            Ordering::Less => Direction::Loosened,
            Ordering::Greater => Direction::Tightened,
            Ordering::Equal => Direction::Sideways,
        }
    }
}

impl Simulation {
    /// Puts the calls of two replays beside each other, which are the same calls in the same order.
    pub fn of(before: &[Decided], after: &[Decided]) -> Simulation {
        let mut simulation = Simulation::default();
        for (before, after) in before.iter().zip(after) {
            simulation.calls += 1;
            let verdicts = (before.verdict, after.verdict);
            *simulation.verdicts.entry(verdicts).or_default() += 1;
            if before == after {
                continue;
            }
            if simulation.changed.len() < limits::REPLAY_FINDINGS {
                simulation.changed.push((before.clone(), after.clone()));
            } else {
                simulation.more += 1;
            }
        }
        simulation
    }

    /// How many calls get a laxer verdict.
    pub fn loosened(&self) -> u64 {
        self.count(|before, after| after < before)
    }

    /// How many calls get a stricter verdict.
    pub fn tightened(&self) -> u64 {
        self.count(|before, after| after > before)
    }

    /// How many calls are decided alike but for their reasons.
    pub fn sideways(&self) -> u64 {
        let changed = self.changed.len() as u64 + self.more;
        changed.saturating_sub(self.loosened() + self.tightened())
    }

    fn count(&self, is_meant: impl Fn(Verdict, Verdict) -> bool) -> u64 {
        let meant = self
            .verdicts
            .iter()
            .filter(|((before, after), _)| is_meant(*before, *after));
        meant.map(|(_, count)| count).sum()
    }

    /// At which level the change may be deployed, by what these calls tell: without calls nothing is known, and what decides one
    /// of them otherwise is looked at first.
    pub fn stage(&self) -> Enforcement {
        match (self.calls, self.loosened() + self.tightened()) {
            (0, _) => Enforcement::Observe,
            (_, 0) => Enforcement::Enforce,
            _ => Enforcement::Shadow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(verdict: Verdict, code: &str) -> Decided {
        Decided {
            file: None,
            id: "s".to_owned(),
            call: 1,
            tool: "t".to_owned(),
            verdict,
            codes: vec![code.to_owned()],
        }
    }

    #[test]
    fn a_change_is_counted_by_its_direction() {
        let (allow, block) = (Verdict::Allow, Verdict::Block);
        for (before, after, counts, stage) in [
            (vec![], vec![], [0, 0, 0], Enforcement::Observe),
            (
                vec![(allow, "a")],
                vec![(allow, "a")],
                [0, 0, 0],
                Enforcement::Enforce,
            ),
            (
                vec![(block, "a")],
                vec![(block, "b")],
                [0, 0, 1],
                Enforcement::Enforce,
            ),
            (
                vec![(allow, "a"), (block, "a")],
                vec![(Verdict::DryRun, "a"), (Verdict::RequireApproval, "a")],
                [1, 1, 0],
                Enforcement::Shadow,
            ),
        ] {
            let all = |all: &[(Verdict, &str)]| -> Vec<Decided> {
                all.iter()
                    .map(|(verdict, code)| decided(*verdict, code))
                    .collect()
            };
            let found = Simulation::of(&all(&before), &all(&after));
            assert_eq!([found.loosened(), found.tightened(), found.sideways()], counts);
            assert_eq!(found.stage(), stage);
        }
    }

    #[test]
    fn what_is_not_kept_is_counted() {
        let many = limits::REPLAY_FINDINGS + 3;
        let all = |verdict| vec![decided(verdict, "a"); many];
        let found = Simulation::of(&all(Verdict::Allow), &all(Verdict::Block));
        assert_eq!((found.changed.len(), found.more), (limits::REPLAY_FINDINGS, 3));
        assert_eq!(found.tightened(), many as u64);
        let sideways = vec![decided(Verdict::Allow, "b"); many];
        assert_eq!(
            Simulation::of(&all(Verdict::Allow), &sideways).sideways(),
            many as u64
        );
    }
}
