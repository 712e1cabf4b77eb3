//! Where the corpora are. Data nobody here wrote is read in place and never copied.

use std::path::{Path, PathBuf};

/// The folder of corpora: `GAIT_CORPORA`, else `../shared/data` beside the crate. `None`, said aloud, when absent;
/// with `GAIT_REQUIRE_CORPORA=1` absence is a failure.
pub fn dir() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let dir = std::env::var_os("GAIT_CORPORA").map_or_else(beside, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    if std::env::var("GAIT_REQUIRE_CORPORA").as_deref() == Ok("1") {
        panic!("no corpora at {}", dir.display());
    }
    eprintln!("skipped: no corpora at {}", dir.display());
    None
}
