//! `unasked_detection`: labels for values in which a secret is found, which no condition asks about.

use super::{Context, Group, Lint};
use crate::diag::codes::UNASKED_DETECTION;
use crate::diag::{Diagnostic, Level};
use crate::hir::labels::DETECTED;
use crate::hir::{Beside, Labelled, Package, Slot};
use crate::syntax::ast::Item;

/// The lint.
pub const LINT: Lint = Lint {
    name: "unasked_detection",
    code: UNASKED_DETECTION,
    group: Group::Unused,
    level: Level::Warn,
    since: "0.1.0",
    check,
};

fn check(context: &Context<'_>, out: &mut Vec<Diagnostic>) {
    if asked(context.package) & context.package.labels.detected != 0 {
        return;
    }
    for item in &context.module.items {
        if let Item::Source(source) = item
            && source.kind.text == DETECTED
        {
            let message = "no condition asks about the labels of what is detected";
            out.push(
                LINT.finding(source.kind.span, message)
                    .why("every call is looked through, and nothing comes of it")
                    .help("ask with `labels(…) has`, or remove it: secrets are kept nowhere without it, too"),
            );
        }
    }
}

/// The labels that anything asks about, as bits.
fn asked(package: &Package) -> u64 {
    let slots = package.tools.iter().flat_map(|tool| &tool.slots);
    let of_slots = slots.map(|slot| match slot {
        Slot::Label { mask, .. } => *mask,
        Slot::Each(labelled) => beside(labelled),
        _ => 0,
    });
    let of_events = package.history.events.iter().map(|event| event.labels);
    of_slots.chain(of_events).fold(0, |all, mask| all | mask)
}

fn beside(labelled: &Labelled) -> u64 {
    let masks = labelled.beside.iter().map(|one| match one {
        Beside::Label { mask, .. } => *mask,
        Beside::List(inner) => beside(inner),
    });
    masks.fold(0, |all, mask| all | mask)
}
