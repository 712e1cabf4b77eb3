//! Which answers the gate computes for one call can come together: comparisons with the same values, labels from the same
//! sources, counts of the same events. In: the slots of a tool. Out: a function that is true of every call there can
//! be. It may be true of more: what it excludes is proved, what it keeps is not.

use super::Calls;
use super::diagram::{Function, TooLarge};
use crate::classes::{ClassSet, Classifier, sample};
use crate::domain::LabelOf;
use crate::hir::{Cond, Limit, Monitor, Package, Per, Place, Relation, RelationOp, Slot, Step, Term};
use crate::value::Value;
use std::collections::BTreeSet;

type Result<T> = std::result::Result<T, TooLarge>;

/// The slots of a tool, as far as something is asked of them.
pub(super) struct Related<'a> {
    package: &'a Package,
    /// The field that the first one is in.
    first: usize,
    slots: &'a [Slot],
    known: Known,
}

/// Which labels come from the sources of the package, and from nowhere else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    /// As bits.
    pub labels: u64,
    /// Whether what is carried are the arguments that the tool says.
    pub carried: bool,
}

impl Known {
    /// All of them: the package is that of a policy.
    pub const ALL: Known = Known {
        labels: u64::MAX,
        carried: true,
    };
}

impl<'a> Related<'a> {
    pub fn new(package: &'a Package, args: usize, slots: &'a [Slot], known: Known) -> Related<'a> {
        Related {
            package,
            first: args + 1,
            slots,
            known,
        }
    }

    /// What is true of every call.
    pub fn possible(&self, calls: &mut Calls) -> Result<Function> {
        let mut all = Function::EVERYTHING;
        for part in [
            self.compared(calls)?,
            self.labelled(calls)?,
            self.happened(calls)?,
        ] {
            all = calls.diagrams.and(all, part)?;
        }
        Ok(all)
    }

    /// The variable of a slot.
    fn variable(&self, calls: &Calls, at: usize) -> Option<u32> {
        let steps = [Step::Field(u32::try_from(self.first + at).ok()?)];
        let found = calls.level.variables.iter().position(|v| v.steps == steps)?;
        u32::try_from(found).ok()
    }

    /// The comparisons, those of the same values together.
    fn compared(&self, calls: &mut Calls) -> Result<Function> {
        let mut groups: Vec<Vec<(u32, Compared<'_>)>> = Vec::new();
        for (at, slot) in self.slots.iter().enumerate() {
            let Slot::Holds(Cond::Relation(relation)) = slot else {
                continue;
            };
            let (Some(variable), Some(one)) = (self.variable(calls, at), Compared::of(relation)) else {
                continue;
            };
            let is_like = |group: &&mut Vec<(u32, Compared<'_>)>| {
                group.first().is_some_and(|(_, known)| known.is_like(&one))
            };
            match groups.iter_mut().find(is_like) {
                Some(group) => group.push((variable, one)),
                None => groups.push(vec![(variable, one)]),
            }
        }
        let mut all = Function::EVERYTHING;
        for group in groups.iter().filter(|group| group.len() > 1) {
            let mut any = Function::NOTHING;
            for outcome in Compared::outcomes(group) {
                let mut here = Function::EVERYTHING;
                for (variable, one) in group {
                    let own = is(calls, *variable, one.holds(outcome))?;
                    here = calls.diagrams.and(here, own)?;
                }
                any = calls.diagrams.or(any, here)?;
            }
            all = calls.diagrams.and(all, any)?;
        }
        for (small, large) in groups.iter().flat_map(|a| groups.iter().map(move |b| (a, b))) {
            let never_more = match (small.first(), large.first()) {
                (Some((_, a)), Some((_, b))) => {
                    a.other.is_none() && b.other.is_none() && self.at_most(a.value, b.value)
                }
                _ => false,
            };
            if never_more {
                let both = ordered(calls, small, large)?;
                all = calls.diagrams.and(all, both)?;
            }
        }
        Ok(all)
    }

    /// Whether a term is never more than another: the same, but what is used within a shorter span.
    fn at_most(&self, small: &Term, large: &Term) -> bool {
        match (small, large) {
            (Term::Add(a, b), Term::Add(c, d)) => self.at_most(a, c) && b == d,
            (Term::Place(a), Term::Place(b)) => match (self.used(a), self.used(b)) {
                (Some((a, by_a)), Some((b, by_b))) => {
                    let same = (&a.on, by_a, a.spec.by_tool, &a.spec.ty)
                        == (&b.on, by_b, b.spec.by_tool, &b.spec.ty);
                    let shorter = match (a.spec.per, b.spec.per) {
                        (Per::Time(a), Per::Time(b)) => a < b,
                        _ => false,
                    };
                    same && shorter
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// The limit that is used at a place, and by whom.
    fn used(&self, place: &Place) -> Option<(&Limit, &[Place])> {
        let [Step::Field(field)] = place.steps.as_slice() else {
            return None;
        };
        match self.slots.get((*field as usize).checked_sub(self.first)?)? {
            Slot::Used { limit, by, .. } if place.level == 0 => {
                Some((self.package.limits.get(*limit as usize)?, by))
            }
            _ => None,
        }
    }

    /// A value has its labels from its sources, all those of each.
    fn labelled(&self, calls: &mut Calls) -> Result<Function> {
        let asked = self.slots.iter().enumerate().filter_map(|(at, slot)| match slot {
            Slot::Label { of, mask }
                if mask & !self.known.labels == 0 && (self.known.carried || *of != LabelOf::Carried) =>
            {
                Some((self.variable(calls, at)?, of, *mask))
            }
            _ => None,
        });
        let asked: Vec<(u32, &LabelOf, u64)> = asked.collect();
        let sets = label_sets(self.package);
        let mut all = Function::EVERYTHING;
        for (variable, of, mask) in &asked {
            let mut because = Function::NOTHING;
            for set in sets.iter().filter(|set| *set & mask != 0) {
                let mut here = Function::EVERYTHING;
                for (other, _, _) in asked.iter().filter(|(_, by, mask)| by == of && set & mask != 0) {
                    let has = is(calls, *other, true)?;
                    here = calls.diagrams.and(here, has)?;
                }
                because = calls.diagrams.or(because, here)?;
            }
            let has = is(calls, *variable, true)?;
            let against = calls.diagrams.without(has, because)?;
            all = calls.diagrams.without(all, against)?;
        }
        Ok(all)
    }

    /// What happened at all happened at least once, and within a span not more often than ever.
    fn happened(&self, calls: &mut Calls) -> Result<Function> {
        let seen = self.slots.iter().enumerate().filter_map(|(at, slot)| match slot {
            Slot::History(monitor) | Slot::Tally(monitor) => {
                let monitor = self.package.history.monitors.get(*monitor as usize)?;
                Some((Seen::of(monitor)?, self.variable(calls, at)?))
            }
            _ => None,
        });
        let seen: Vec<(Seen, u32)> = seen.collect();
        let mut all = Function::EVERYTHING;
        for ((a, small), (b, large)) in seen.iter().flat_map(|a| seen.iter().map(move |b| (a, b))) {
            if small == large || !a.at_most(b) {
                continue;
            }
            for class in 0..calls.diagrams.count(*small) {
                let Some((least, _)) = counted(calls, *small, class) else {
                    continue;
                };
                // Of a flag no more is known than whether it is set.
                let least = if b.is_flag { least.min(1) } else { least };
                let mut enough = ClassSet::empty(calls.diagrams.count(*large));
                for other in 0..calls.diagrams.count(*large) {
                    if counted(calls, *large, other).is_none_or(|(_, most)| most >= least) {
                        enough.insert(other);
                    }
                }
                let mut own = ClassSet::empty(calls.diagrams.count(*small));
                own.insert(class);
                let (own, enough) = (
                    calls.diagrams.is(*small, &own)?,
                    calls.diagrams.is(*large, &enough)?,
                );
                let against = calls.diagrams.without(own, enough)?;
                all = calls.diagrams.without(all, against)?;
            }
        }
        Ok(all)
    }
}

/// What a monitor has seen of one event: how often it was, or whether.
struct Seen {
    event: u32,
    /// The span before the call; none for ever.
    within: Option<u64>,
    is_flag: bool,
    /// Whether something may make it forget.
    forgets: bool,
}

impl Seen {
    fn of(monitor: &Monitor) -> Option<Seen> {
        let seen = |event, within, is_flag, forgets| Seen {
            event,
            within,
            is_flag,
            forgets,
        };
        match monitor {
            Monitor::Flag { set, clear, .. } => Some(seen(*set, None, true, clear.is_some())),
            Monitor::Count { event, .. } => Some(seen(*event, None, false, false)),
            Monitor::Recent { event, within, .. } => Some(seen(*event, Some(*within), false, false)),
            Monitor::Pattern(_) => None,
        }
    }

    /// Whether it has never seen more than another.
    fn at_most(&self, other: &Seen) -> bool {
        let within = match (self.within, other.within) {
            (_, None) => true,
            (Some(own), Some(other)) => own <= other,
            (None, Some(_)) => false,
        };
        // A flag stands for one event, and that it is not set says nothing where it forgets.
        self.event == other.event && within && !other.forgets
    }
}

/// How often something was, by the class of what is counted or of its flag.
fn counted(calls: &Calls, variable: u32, class: u32) -> Option<(i128, i128)> {
    let found = calls.level.variables.get(variable as usize)?;
    match &found.classifier {
        Classifier::Bool => match class {
            0 => Some((0, 0)),
            1 => Some((1, i128::MAX)),
            _ => None,
        },
        Classifier::Cuts(cuts) if class + 1 < found.count => {
            let (least, most) = sample::interval(&found.ty, cuts, class)?;
            Some((least.max(0), most))
        }
        _ => None,
    }
}

/// Comparisons of two values of which the first is never more than the second.
fn ordered(
    calls: &mut Calls,
    small: &[(u32, Compared<'_>)],
    large: &[(u32, Compared<'_>)],
) -> Result<Function> {
    let values: BTreeSet<i128> = [small, large].into_iter().flat_map(Compared::values).collect();
    let mut all = Function::EVERYTHING;
    for ((small, a), (large, b)) in small.iter().flat_map(|a| large.iter().map(move |b| (a, b))) {
        let mut any = Function::NOTHING;
        for (low, high) in values
            .iter()
            .flat_map(|low| values.iter().map(move |high| (low, high)))
        {
            if low <= high {
                let (own, other) = (
                    is(calls, *small, a.holds(Some(*low)))?,
                    is(calls, *large, b.holds(Some(*high)))?,
                );
                let both = calls.diagrams.and(own, other)?;
                any = calls.diagrams.or(any, both)?;
            }
        }
        let (own, other) = (is(calls, *small, false)?, is(calls, *large, false)?);
        let missing = calls.diagrams.and(own, other)?;
        any = calls.diagrams.or(any, missing)?;
        all = calls.diagrams.and(all, any)?;
    }
    Ok(all)
}

/// Each set of labels that one source gives, also without what approvals take off.
fn label_sets(package: &Package) -> BTreeSet<u64> {
    let labels = &package.labels;
    let of_sources = labels.sources.iter().map(|source| source.labels);
    let tools = package.tools.iter();
    let of_tools = tools.map(|tool| labels.of_result(&tool.name, tool.returns));
    let mut sets: BTreeSet<u64> = of_sources.chain(of_tools).collect();
    for (_, mask) in &labels.lifted {
        let less: Vec<u64> = sets.iter().map(|set| set & !mask).collect();
        sets.extend(less);
    }
    sets
}

/// Where a `Bool` is as wanted.
fn is(calls: &mut Calls, variable: u32, wanted: bool) -> Result<Function> {
    let mut classes = ClassSet::empty(calls.diagrams.count(variable));
    classes.insert(u32::from(wanted));
    calls.diagrams.is(variable, &classes)
}

/// A comparison of two numbers: the difference of two computed values with zero, or a computed value with a constant.
struct Compared<'a> {
    value: &'a Term,
    /// What it is compared with, where that is no constant.
    other: Option<&'a Term>,
    /// The constant; zero where it is compared with another value.
    with: i128,
    op: RelationOp,
    /// Whether the constant is on the left.
    turned: bool,
}

impl<'a> Compared<'a> {
    fn of(relation: &'a Relation) -> Option<Compared<'a>> {
        let number = |term: &Term| match term {
            Term::Const(Value::Num(n)) => Some(*n),
            Term::Const(Value::Enum(member)) => Some(i128::from(*member)),
            _ => None,
        };
        let (left, right) = (&relation.left, &relation.right);
        let compared = |value, other, with, turned| Compared {
            value,
            other,
            with,
            op: relation.op,
            turned,
        };
        let is_text = matches!(left, Term::Const(_)) || matches!(right, Term::Const(_));
        match (number(left), number(right)) {
            _ if relation.op == RelationOp::Under => None,
            (Some(_), Some(_)) => None,
            (Some(with), None) => Some(compared(right, None, with, true)),
            (None, Some(with)) => Some(compared(left, None, with, false)),
            (None, None) if is_text => None,
            (None, None) => Some(compared(left, Some(right), 0, false)),
        }
    }

    fn is_like(&self, other: &Compared<'_>) -> bool {
        (self.value, self.other) == (other.value, other.other)
    }

    /// Values on all sides of every constant.
    fn values(group: &[(u32, Compared<'_>)]) -> BTreeSet<i128> {
        let near = |with: i128| [with.saturating_sub(1), with, with.saturating_add(1)];
        group.iter().flat_map(|(_, one)| near(one.with)).collect()
    }

    /// The same, and none where something is missing.
    fn outcomes(group: &[(u32, Compared<'_>)]) -> Vec<Option<i128>> {
        Compared::values(group)
            .into_iter()
            .map(Some)
            .chain([None])
            .collect()
    }

    fn holds(&self, value: Option<i128>) -> bool {
        let Some(value) = value else { return false };
        let (left, right) = match self.turned {
            true => (self.with, value),
            false => (value, self.with),
        };
        match self.op {
            RelationOp::Equal => left == right,
            RelationOp::Less => left < right,
            RelationOp::LessOrEqual => left <= right,
            RelationOp::Under => false,
        }
    }
}
