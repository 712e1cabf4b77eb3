//! Signed files that are handed over with a call, whatever they say: read, and chosen by what a trace names; and whether a key that a
//! trust file knows may sign them.

use super::standing_of_key;
use crate::artifact::Approver;
use crate::domain::approval::Standing;
use crate::host::{Host, HostError};
use crate::limits;
use jiff::Timestamp;
use std::path::PathBuf;

/// Reads them.
pub fn read(host: &dyn Host, files: &[PathBuf]) -> Result<Vec<Vec<u8>>, HostError> {
    let read = files
        .iter()
        .map(|file| host.read(file, limits::ENVELOPE_BYTES as u64));
    read.collect()
}

/// Those that are named; all, where none of them is.
pub fn named(mut all: Vec<Vec<u8>>, is_named: impl Fn(&[u8]) -> bool) -> Vec<Vec<u8>> {
    if all.iter().any(|bytes| is_named(bytes)) {
        all.retain(|bytes| is_named(bytes));
    }
    all
}

/// Why a key signs nothing at one of these times; none where it may at each.
pub fn out_of_use(known: &Approver, times: [Timestamp; 2]) -> Option<&'static str> {
    let standings = times.map(|at| standing_of_key(known, at));
    match standings.into_iter().find(|one| *one != Standing::Counted)? {
        Standing::KeyRevoked => Some("revoked"),
        _ => Some("out of its time"),
    }
}
