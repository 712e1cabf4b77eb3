//! Secrets in texts and documents: tokens of known services, private keys, passwords in URLs, what a name says is secret.
//! In: a text, or JSON. Out: where they are and what they are, and the same without them. Pure: the same of the same
//! input, in time that grows with its length. It finds what somebody left in a call, not what somebody hides: a secret that is
//! written backwards is none here.

mod named;
mod scan;
mod shell;
mod table;
mod within;

pub use within::{Hidden, Place, any, hide, places};

/// The number of what is found. It goes up whenever anything is found that was not, or no more: what a decision that rests on it
/// came from is told by it.
pub const TABLE: u32 = 1;

/// A secret in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it is: `github_token`, `private_key`, `password`, …
    pub kind: &'static str,
    /// Where it starts, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// The secrets in a text, in order; none within another.
pub fn in_text(text: &str) -> Vec<Found> {
    // Nothing shorter is one.
    if text.len() < SHORTEST {
        return Vec::new();
    }
    scan::all(text)
}

/// The secrets in a text that are taken out of it. One on which a shell acts stays: what somebody quoted as a password may run where it
/// stands, and whoever approves the call has to see it.
fn to_hide(text: &str) -> Vec<Found> {
    let mut found = in_text(text);
    shell::keep_inert(text, &mut found);
    found
}

/// No secret with all that tells it is shorter, in bytes: `a://b:c@d`.
const SHORTEST: usize = 9;

/// Those that say themselves what they are, whatever stands beside them.
pub fn tokens_in(text: &str) -> Vec<Found> {
    let mut found = in_text(text);
    found.retain(|one| one.kind == JWT || kinds().any(|(kind, _)| kind == one.kind));
    found
}

/// A JSON Web Token.
const JWT: &str = "jwt";

/// What stands in place of a secret.
fn mark(kind: &str) -> String {
    format!("[secret {kind}]")
}

/// A text without what was found in it.
fn without(text: &str, found: &[Found]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for one in found {
        out.push_str(text.get(at..one.start).unwrap_or_default());
        out.push_str(&mark(one.kind));
        at = one.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// A text without its secrets.
pub fn hidden(text: &str) -> std::borrow::Cow<'_, str> {
    match to_hide(text).as_slice() {
        [] => std::borrow::Cow::Borrowed(text),
        found => std::borrow::Cow::Owned(without(text, found)),
    }
}

/// Every kind of token that a start tells, with where its format is published; a row each.
pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    table::ROWS.iter().map(|row| (row.kind, row.source))
}

/// The canonical text of all rows, for whoever pins the table.
pub fn rows() -> String {
    let row = |row: &table::Row| format!("{} {} {:?} {:?}\n", row.kind, row.start, row.of, row.long);
    table::ROWS.iter().map(row).collect()
}
