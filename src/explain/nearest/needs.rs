//! What has to change for a call to be allowed: which rules must stop to match, and of which one must start to. In: a judged
//! request. Out: which changes may lead there, so that others are not judged.

use super::super::candidate::{Candidate, Edit, overlaps};
use super::super::{Subject, labelled, moment};
use crate::domain::Verdict;
use crate::hir::{Cond, Slot, Step, Tool};
use crate::value::Value;
use std::collections::BTreeSet;

/// What has to change: rules stricter than allow must stop matching, and where none allows, one must start to.
pub(super) struct Needs<'a> {
    tool: Option<&'a Tool>,
    stricter: Vec<&'a Cond>,
    allowing: Vec<&'a Cond>,
}

/// The look-up whose value lies some steps away.
pub(super) fn lookup<'a>(tool: Option<&'a Tool>, steps: &[Step]) -> Option<&'a Slot> {
    let (Some(tool), Some(Step::Field(first))) = (tool, steps.first()) else {
        return None;
    };
    let slot = tool
        .slots
        .get((*first as usize).checked_sub(tool.args.len() + 1)?);
    slot.filter(|slot| matches!(slot, Slot::Lookup { .. }))
}

/// What a change has to do with the needs: the rules stricter than allow whose conditions look there, and whether an
/// allowing one does where that is needed.
#[derive(Clone, Debug, Default)]
pub(super) struct Touch {
    stricter: BTreeSet<usize>,
    allowing: bool,
}

impl<'a> Needs<'a> {
    pub(super) fn of(subject: &Subject<'a>, record: &Value) -> Needs<'a> {
        let mut needs = Needs {
            tool: subject.package.tools.get(subject.tool),
            stricter: Vec::new(),
            allowing: Vec::new(),
        };
        let mut allowed = false;
        for (rule, cond) in subject.rules() {
            let matched = crate::hir::answer::holds(cond, &[record]);
            match rule.verdict {
                Verdict::Allow if matched => allowed = true,
                Verdict::Allow => needs.allowing.push(cond),
                _ if matched => needs.stricter.push(cond),
                _ => {}
            }
        }
        if allowed {
            needs.allowing.clear();
            needs.allowing.push(&Cond::Const(true));
        }
        needs
    }

    pub(super) fn touched(&self, candidate: &Candidate) -> Touch {
        let is_of_time = |steps: &[Step]| {
            let at = matches!(candidate.edit, Edit::At(_));
            at && self.tool.is_some_and(|tool| moment::is_of_time(tool, steps))
        };
        let looks = |cond: &Cond| {
            let mut found = false;
            cond.each_place(&mut |place| {
                let looks = self.looks_at(&place.steps, candidate.root()) || is_of_time(&place.steps);
                found |= place.level == 0 && looks;
            });
            found
        };
        Touch {
            stricter: (0..self.stricter.len())
                .filter(|at| self.stricter.get(*at).is_some_and(|cond| looks(cond)))
                .collect(),
            allowing: self.allowing.iter().any(|cond| looks(cond)),
        }
    }

    /// Whether a place is the changed one, or is looked up in or by it.
    fn looks_at(&self, steps: &[Step], changed: &[Step]) -> bool {
        let mut found = overlaps(steps, changed);
        if let Some(slot) = lookup(self.tool, steps) {
            slot.each_place(&mut |place| found |= self.looks_at(&place.steps, changed));
        }
        let list = self.tool.and_then(|tool| labelled::slot(tool, steps));
        found |= list.is_some_and(|labelled| overlaps(&labelled.list, changed));
        found
    }

    /// Whether changes that touch this much could lead to allow.
    pub(super) fn may_be_met(&self, touched: &[&Touch]) -> bool {
        let allowed = self.allowing.contains(&&Cond::Const(true));
        let all: BTreeSet<usize> = touched.iter().flat_map(|t| t.stricter.iter().copied()).collect();
        all.len() == self.stricter.len() && (allowed || touched.iter().any(|t| t.allowing))
    }
}
