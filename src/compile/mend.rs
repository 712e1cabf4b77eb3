//! Applying the changes that lints offer. In: a policy's text and how to judge one. Out: the text with every change
//! that is proved to leave the meaning as it is; applied again, it changes nothing more.

use super::Report;
use crate::diag::{Applicability, Diagnostic, Edit};
use crate::limits;
use crate::lint::meaning::same_package;

/// A text after changes.
#[derive(Clone, Debug)]
pub struct Mended {
    /// The text.
    pub text: String,
    /// What is found in it.
    pub report: Report,
    /// How many changes were applied.
    pub applied: usize,
}

/// Applies changes of `report`, which `judge` gives for `text`, until none is left.
pub fn mend(text: &str, report: Report, judge: impl Fn(&str) -> Report) -> Mended {
    let mut mended = Mended {
        text: text.to_owned(),
        report,
        applied: 0,
    };
    for _ in 0..limits::FIX_PASSES {
        let edits = edits(&mended.report);
        if edits.is_empty() {
            break;
        }
        let together = changed(&mended, &edits, &judge);
        let next = together.or_else(|| {
            // One of them is to blame; the others still hold.
            let mut singly = edits.iter().map(std::slice::from_ref);
            singly.find_map(|edit| changed(&mended, edit, &judge))
        });
        match next {
            Some(next) => mended = next,
            None => break,
        }
    }
    mended
}

/// The text after some changes; `None` unless it means the same and less is found in it.
fn changed(before: &Mended, edits: &[Edit], judge: &impl Fn(&str) -> Report) -> Option<Mended> {
    let mut text = before.text.clone();
    for edit in edits.iter().rev() {
        text.replace_range(edit.span.range(), &edit.replacement);
    }
    let report = judge(&text);
    let (old, new) = (before.report.checked.as_ref()?, report.checked.as_ref()?);
    same_package(&old.package().with_claims(), &new.package().with_claims()).then_some(Mended {
        text,
        report,
        applied: before.applied + edits.len(),
    })
}

/// The changes of the policy itself that may be applied, by place; of two that overlap the first.
pub fn edits(report: &Report) -> Vec<Edit> {
    let Some(policy) = report.sources.first() else {
        return Vec::new();
    };
    let mut edits: Vec<&Edit> = report
        .diagnostics
        .iter()
        .filter_map(|d: &Diagnostic| d.edit.as_ref())
        .filter(|e| e.applicability == Applicability::Mends)
        .filter(|e| e.span.file == policy.id)
        .filter(|e| {
            policy
                .text
                .get(e.span.range())
                .is_some_and(|old| old != e.replacement)
        })
        .collect();
    edits.sort_by_key(|e| e.span);
    let mut free = 0;
    edits.retain(|e| {
        let fits = e.span.start >= free;
        if fits {
            // Two insertions at one place would also be in doubt.
            free = e.span.end.max(e.span.start.saturating_add(1));
        }
        fits
    });
    edits.into_iter().cloned().collect()
}
