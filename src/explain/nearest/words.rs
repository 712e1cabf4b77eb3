//! What was found, in words of the policy: each change with its place, what is there and the conditions that come out
//! differently. In: a call before and after its changes. Out: changes to show.

use super::super::candidate::{Candidate, Edit};
use super::super::frame::Frame;
use super::super::range::Changed;
use super::super::{Seen, Shown, Subject, moment, show, walk};
use super::{Change, Nearest, Origin, Said, Turn, What};
use crate::domain::{Decision, Trust, Verdict};
use crate::hir::{Slot, Step, Tool};
use crate::ty::Ty;
use crate::value::Value;

/// What was found, to be put into words.
pub(super) struct Found<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) ty: &'a Ty,
    pub(super) now: Option<i128>,
    /// What the rules looked at of the call as it is.
    pub(super) before: &'a Value,
    /// What they look at after the changes.
    pub(super) after: &'a Value,
}

impl Found<'_> {
    pub(super) fn nearest(
        &self,
        chosen: &[(usize, &Candidate)],
        decision: &Decision,
        call: Option<Box<Said>>,
    ) -> Nearest {
        let turns = turns(self.subject, self.before, self.after);
        let changes = chosen
            .iter()
            .filter_map(|(_, candidate)| self.change(candidate, &turns))
            .collect();
        let by = decision
            .matched
            .iter()
            .filter(|rule| rule.verdict == Verdict::Allow);
        Nearest::Found {
            changes,
            by: by.map(|rule| rule.name.to_string()).collect(),
            call,
        }
    }

    fn change(&self, candidate: &Candidate, turns: &[(Vec<String>, Turn)]) -> Option<Change> {
        let subject = self.subject;
        let tool = subject.package.tools.get(subject.tool)?;
        let request = Frame::request(tool, &subject.package.context, self.before);
        let mut holders = vec![];
        for (list, number) in &candidate.into {
            let outer = holders.last().unwrap_or(&request);
            let items = crate::hir::answer::elements(outer.value, list);
            let is_list = outer.ty_at(list).is_some_and(|ty| ty.element().is_some());
            let inner = outer.element(list, is_list.then_some(*number), items.get(*number)?);
            holders.push(inner);
        }
        let holder = holders.last().unwrap_or(&request);
        let is_label = holder.label(&candidate.steps).is_some();
        let here = match is_label {
            true => Ty::Bool,
            false => holder.ty_at(&candidate.steps)?,
        };
        let mut from = holder.seen(subject, &candidate.steps);
        let what = match &candidate.edit {
            Edit::At(moment) => {
                let show = |moment: i128| show::value(&Value::Num(moment), &Ty::Instant);
                from = Seen {
                    place: "now".to_owned(),
                    value: self.now.map_or(Shown::Absent, show),
                    because: None,
                };
                What::Put {
                    sample: show(*moment),
                    range: None,
                }
            }
            _ if is_label || is_found(tool, candidate) => What::Turn,
            Edit::Put(value, class) => What::Put {
                sample: show::value(value, &here),
                range: self
                    .range(tool, candidate, value, *class)
                    .map(|range| show::interval(range, crate::classes::sample::range(&here), &here)),
            },
            Edit::Clear => What::Clear,
            Edit::Add(value) => What::Add {
                sample: show::value(value, &element(&here)),
            },
            Edit::LeaveOut(numbers) => {
                let items = crate::hir::answer::elements(holder.value, &candidate.steps);
                let gone = numbers.iter().filter_map(|n| items.get(*n)).cloned().collect();
                if from.value != Shown::Redacted {
                    from.value = show::value(&Value::list(gone), &here);
                }
                What::LeaveOut
            }
        };
        Some(Change {
            origin: origin(subject, candidate.root()),
            from,
            what,
            turns: self.turns_of(&request, candidate, turns),
        })
    }

    /// The numbers around a changed one that every rule treats like it.
    fn range(
        &self,
        tool: &Tool,
        candidate: &Candidate,
        value: &Value,
        class: Option<(i128, i128)>,
    ) -> Option<(i128, i128)> {
        let Value::Num(number) = value else { return None };
        let changed = Changed {
            tool,
            ty: self.ty,
            record: self.after,
            candidate,
            number: *number,
        };
        changed.clipped(self.subject.rules().map(|(_, cond)| cond), class?)
    }

    /// The conditions that come out differently because of one change.
    fn turns_of(
        &self,
        request: &Frame<'_>,
        candidate: &Candidate,
        turns: &[(Vec<String>, Turn)],
    ) -> Vec<Turn> {
        let tool = self.subject.package.tools.get(self.subject.tool);
        let slots = tool.map_or(0, |tool| tool.slots.len());
        let first = tool.map_or(0, |tool| tool.args.len() + 1);
        let roots: Vec<String> = match candidate.edit {
            Edit::At(_) => (first..first + slots)
                .filter_map(|field| u32::try_from(field).ok())
                .map(|field| [Step::Field(field)])
                .filter(|steps| tool.is_some_and(|tool| moment::is_of_time(tool, steps)))
                .map(|steps| request.written(&steps))
                .collect(),
            _ => vec![request.written(candidate.root())],
        };
        let is_mine = |name: &String| roots.iter().any(|root| related(name, root));
        let mine = turns.iter().filter(|(about, _)| about.iter().any(is_mine));
        mine.map(|(_, turn)| turn.clone()).collect()
    }
}

/// Whether a change is of what the gate finds and shows by the conditions that turn; how much is used of a limit is a number.
fn is_found(tool: &Tool, candidate: &Candidate) -> bool {
    let slot = moment::slot(tool, &candidate.steps);
    candidate.into.is_empty()
        && slot.is_some_and(|slot| !matches!(slot, Slot::Lookup { .. } | Slot::Used { .. } | Slot::Each(_)))
}

fn element(list: &Ty) -> Ty {
    let list = list.required();
    list.element().unwrap_or_else(|| list.clone())
}

fn origin(subject: &Subject<'_>, steps: &[Step]) -> Origin {
    let args = subject
        .package
        .tools
        .get(subject.tool)
        .map_or(0, |tool| tool.args.len());
    let slots = subject.package.tools.get(subject.tool).map(|tool| &tool.slots);
    match steps {
        [Step::Field(first)] if *first as usize > args => {
            match slots.and_then(|slots| slots.get(*first as usize - args - 1)) {
                Some(Slot::Label { .. } | Slot::Each(_)) => Origin::Provenance,
                Some(Slot::Now | Slot::Window(_)) => Origin::Time,
                _ => Origin::Session,
            }
        }
        [Step::Field(first), Step::Field(field), ..] if *first as usize >= args => {
            match subject.package.context.get(*field as usize) {
                Some(field) if field.trust == Trust::Claim => Origin::Claim,
                Some(field) if field.attested.is_some() => Origin::Attested,
                _ => Origin::Fact,
            }
        }
        _ => Origin::Argument,
    }
}

/// The conditions that come out differently, with the places they are about.
fn turns(subject: &Subject<'_>, before: &Value, after: &Value) -> Vec<(Vec<String>, Turn)> {
    let Some(tool) = subject.package.tools.get(subject.tool) else {
        return Vec::new();
    };
    let mut out: Vec<(Vec<String>, Turn)> = Vec::new();
    for (_, cond) in subject.rules() {
        let [old, new] = [before, after].map(|record| {
            let frame = Frame::request(tool, &subject.package.context, record);
            walk::node(subject, cond, &[&frame])
        });
        let (mut old_leaves, mut new_leaves) = (Vec::new(), Vec::new());
        old.leaves(&mut old_leaves);
        new.leaves(&mut new_leaves);
        for (old, new) in old_leaves.into_iter().zip(new_leaves) {
            let Some(at) = new.at.clone().filter(|_| old.holds != new.holds) else {
                continue;
            };
            let turn = Turn {
                source: new.source.clone(),
                at,
                holds: new.holds,
            };
            if !out.iter().any(|(_, known)| *known == turn) {
                out.push((new.about.clone(), turn));
            }
        }
    }
    out
}

/// Whether a condition about one place can be about the other: `len(args.to)` is about `args.to`.
fn related(about: &str, root: &str) -> bool {
    let bare = |name: &str| name.trim_start_matches("len(").trim_end_matches(')').to_owned();
    let (about, root) = (bare(about), bare(root));
    let within = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    within(&about, &root) || within(&root, &about)
}
