//! Where outside test data lies. Tests that need it say so and pass where it is absent.

use std::path::PathBuf;

/// The folder of outside data: `GAIT_CORPORA`, else `../shared/data`. Panics when it is absent and
/// `GAIT_REQUIRE_CORPORA=1`.
pub fn dir() -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let dir = std::env::var_os("GAIT_CORPORA").map_or(beside, PathBuf::from);
    if dir.is_dir() {
        return Some(dir);
    }
    assert!(
        std::env::var_os("GAIT_REQUIRE_CORPORA").is_none_or(|v| v != "1"),
        "no corpora at {}",
        dir.display()
    );
    eprintln!("note: no corpora at {}, nothing checked", dir.display());
    None
}
