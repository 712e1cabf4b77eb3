//! What an assertion says, as canonical bytes. They say what its names mean, but for what the program of its policy says as
//! well: tools, context, labels, windows and limits. The digest of a proof covers both.

use super::codec::Writer;
use super::session::{self, EventTest};
use super::slots::{encode_cond, encode_slot};
use super::{Program, encode};
use crate::hir::{Assertion, Claim, Package};
use crate::syntax::ast::{Promise, VerdictOrder};

/// First bytes of every claim.
const MAGIC: &[u8; 11] = b"gait-claim\0";

/// First bytes of every promise about an earlier policy.
const COMPAT: &[u8; 12] = b"gait-compat\0";

/// Version of this encoding.
const VERSION: u64 = 1;

/// The canonical bytes of an assertion of a package with its claims. Its name is none of them.
pub fn claim(package: &Package, assertion: &Assertion) -> Vec<u8> {
    let claim = Claim::of(package, assertion);
    let mut w = Writer::default();
    w.bytes.extend(MAGIC);
    w.int(VERSION);
    w.byte(match assertion.order {
        VerdictOrder::Is => 0,
        VerdictOrder::IsNot => 1,
        VerdictOrder::AtLeast => 2,
        VerdictOrder::AtMost => 3,
    });
    w.byte(assertion.verdict as u8);
    w.list(&claim.on, |w, (tool, cond)| {
        w.text(tool);
        encode_cond(w, cond);
    });
    w.size(claim.slots.len());
    for (tool, slots) in &claim.slots {
        w.text(tool);
        w.list(slots, encode_slot);
    }
    w.list(&claim.history.events, |w, event| {
        session::event(w, &EventTest::of(event));
        let name = |tool: usize| package.tools.get(tool).map_or("", |tool| tool.name.as_str());
        let mut calls: Vec<_> = event
            .calls
            .iter()
            .map(|(tool, cond)| (name(*tool), cond))
            .collect();
        calls.sort_by_key(|(tool, _)| *tool);
        w.list(&calls, |w, (tool, cond)| {
            w.text(tool);
            encode_cond(w, cond);
        });
    });
    w.list(&claim.history.monitors, session::monitor);
    w.bytes
}

/// The canonical bytes of a promise about the policy of an earlier program.
pub fn promise(promise: Promise, earlier: &Program) -> Vec<u8> {
    let mut w = Writer::default();
    w.bytes.extend(COMPAT);
    w.int(VERSION);
    w.byte(match promise {
        Promise::Narrows => 0,
        Promise::Widens => 1,
    });
    w.bytes.extend(encode(earlier));
    w.bytes
}
