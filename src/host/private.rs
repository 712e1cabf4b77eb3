//! Folders and files that hold what gates rely on: nobody but this process's user may change them, and nothing on the way
//! into them is a link. In: a folder. Out: the file in it, and which file that is.

use super::os::{explain, folder_of, make_folder};
use super::{HostError, Os};
use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// A file that only this process's user may read or change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Private {
    /// Its path, without links.
    pub path: PathBuf,
    /// Which file it is: another one may have its path later.
    identity: (u64, u64),
}

impl Os {
    /// Makes a folder that only its owner may enter, with its parents; where it is there, it must be one that only its owner
    /// may change.
    pub fn private_folder(&self, folder: &Path) -> Result<(), HostError> {
        if std::fs::symlink_metadata(folder).is_err() {
            make_folder(&folder_of(folder))?;
            match builder().create(folder) {
                // Somebody else was faster.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                made => made.map_err(|error| explain(folder, &error))?,
            }
        }
        is_private_folder(folder)
    }

    /// The first of these files of a folder that only its owner may change, where it is there. All that are there must be
    /// files of this process's user that nobody else may read or change.
    pub fn private_file<const N: usize>(
        &self,
        folder: &Path,
        names: [&str; N],
    ) -> Result<Option<Private>, HostError> {
        if is_missing(folder) {
            return Ok(None);
        }
        is_private_folder(folder)?;
        let real = folder.canonicalize().map_err(|error| explain(folder, &error))?;
        let mut first = None;
        for name in names {
            let path = folder.join(name);
            // Looked at once: another process may take it away at any time.
            let file = match found(&path) {
                Err(HostError::NotFound { .. }) => continue,
                looked => looked?,
            };
            if !file.is_file() {
                return Err(HostError::NotRegular { path });
            }
            is_own(&path, &file, 0o077)?;
            if names.first() == Some(&name) {
                let (path, identity) = (real.join(name), identity(&file));
                first = Some(Private { path, identity });
            }
        }
        Ok(first)
    }

    /// Refuses a file that somebody else than this process's user or the system's could change or exchange: it and every folder
    /// on the way to it are theirs, and none is a link.
    pub fn is_safe_file(&self, file: &Path) -> Result<(), HostError> {
        let wrong = |error| explain(file, &error);
        let whole = std::path::absolute(file).map_err(wrong)?;
        if whole.canonicalize().map_err(wrong)? != whole {
            let path = file.to_owned();
            return Err(HostError::Linked { path });
        }
        for path in whole.ancestors() {
            let metadata = found(path)?;
            if path == whole && !metadata.is_file() {
                let path = path.to_owned();
                return Err(HostError::NotRegular { path });
            }
            is_safe(path, &metadata)?;
        }
        Ok(())
    }
}

fn is_missing(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// What is at a path and is no link.
fn found(path: &Path) -> Result<Metadata, HostError> {
    let found = std::fs::symlink_metadata(path).map_err(|error| explain(path, &error))?;
    if found.is_symlink() {
        let path = path.to_owned();
        return Err(HostError::Linked { path });
    }
    Ok(found)
}

fn is_private_folder(folder: &Path) -> Result<(), HostError> {
    let metadata = found(folder)?;
    if !metadata.is_dir() {
        let path = folder.to_owned();
        return Err(HostError::NotFolder { path });
    }
    is_own(folder, &metadata, 0o022)
}

/// Refuses what is another user's, or has one of these permissions.
#[cfg(unix)]
fn is_own(path: &Path, found: &Metadata, forbidden: u32) -> Result<(), HostError> {
    use std::os::unix::fs::MetadataExt;
    let path = path.to_owned();
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(HostError::Foreign { path });
    }
    let mode = found.mode() & 0o7777;
    if mode & forbidden != 0 {
        return Err(HostError::Exposed { path, mode });
    }
    Ok(())
}

/// Elsewhere access is that of the folder, which a user profile restricts to its owner.
#[cfg(not(unix))]
fn is_own(_path: &Path, _found: &Metadata, _forbidden: u32) -> Result<(), HostError> {
    Ok(())
}

/// Refuses what somebody else could exchange. In a folder of everybody with the sticky bit, each can exchange only their own.
#[cfg(unix)]
fn is_safe(path: &Path, found: &Metadata) -> Result<(), HostError> {
    use std::os::unix::fs::MetadataExt;
    let path = path.to_owned();
    let own = [rustix::process::geteuid().as_raw(), 0];
    if !own.contains(&found.uid()) {
        return Err(HostError::Foreign { path });
    }
    let mode = found.mode() & 0o7777;
    let is_sticky = found.is_dir() && mode & 0o1000 != 0;
    if mode & 0o022 != 0 && !is_sticky {
        return Err(HostError::Exposed { path, mode });
    }
    Ok(())
}

/// Elsewhere access is that of the folder, which a user profile restricts to its owner.
#[cfg(not(unix))]
fn is_safe(_path: &Path, _found: &Metadata) -> Result<(), HostError> {
    Ok(())
}

#[cfg(unix)]
fn identity(found: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

/// Elsewhere a database that is open cannot be replaced.
#[cfg(not(unix))]
fn identity(_found: &Metadata) -> (u64, u64) {
    (0, 0)
}

#[cfg(unix)]
fn builder() -> std::fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt;
    let mut builder = std::fs::DirBuilder::new();
    builder.mode(0o700);
    builder
}

#[cfg(not(unix))]
fn builder() -> std::fs::DirBuilder {
    std::fs::DirBuilder::new()
}

#[cfg(unix)]
#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests make what is refused"
)]
mod tests {
    use super::*;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    fn set(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_what_nobody_else_may_change_is_used() {
        let at = tempfile::tempdir().unwrap();
        let folder = at.path().join("a/b");
        assert_eq!(Os.private_file(&folder, ["x"]), Ok(None));
        Os.private_folder(&folder).unwrap();
        assert_eq!(std::fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);
        assert_eq!(Os.private_file(&folder, ["x"]), Ok(None));
        let (file, other) = (folder.join("x"), folder.join("y"));
        std::fs::write(&file, "1").unwrap();
        set(&file, 0o600);
        let first = Os.private_file(&folder, ["x", "y"]).unwrap().unwrap();
        assert!(first.path.ends_with("a/b/x"));
        for (path, mode) in [(&file, 0o604), (&file, 0o620), (&folder, 0o720), (&folder, 0o702)] {
            let before = std::fs::metadata(path).unwrap().mode() & 0o777;
            set(path, mode);
            let refused = Os.private_file(&folder, ["x", "y"]);
            assert!(
                matches!(refused, Err(HostError::Exposed { .. })),
                "{mode:o} {refused:?}"
            );
            set(path, before);
        }
        // A file beside it counts, too, and so does a link, wherever it leads.
        symlink(&file, &other).unwrap();
        let refused = Os.private_file(&folder, ["x", "y"]);
        assert_eq!(refused, Err(HostError::Linked { path: other.clone() }));
        std::fs::remove_file(&other).unwrap();
        std::fs::create_dir(&other).unwrap();
        let refused = Os.private_file(&folder, ["x", "y"]);
        assert_eq!(refused, Err(HostError::NotRegular { path: other }));
        let link = at.path().join("link");
        symlink(&folder, &link).unwrap();
        let linked = HostError::Linked { path: link.clone() };
        assert_eq!(Os.private_file(&link, ["x"]), Err(linked.clone()));
        assert_eq!(Os.private_folder(&link), Err(linked));
        assert!(matches!(
            Os.private_folder(&file),
            Err(HostError::NotFolder { .. })
        ));
        // Another file in its place is another one.
        std::fs::rename(&file, folder.join("z")).unwrap();
        std::fs::write(&file, "2").unwrap();
        set(&file, 0o600);
        assert_ne!(Os.private_file(&folder, ["x"]).unwrap(), Some(first));
    }

    #[test]
    fn a_file_is_one_that_nobody_else_can_exchange() {
        let at = tempfile::tempdir().unwrap();
        let folder = at.path().canonicalize().unwrap().join("a");
        std::fs::create_dir(&folder).unwrap();
        let program = folder.join("x");
        std::fs::write(&program, "1").unwrap();
        set(&folder, 0o755);
        set(&program, 0o755);
        assert_eq!(Os.is_safe_file(&program), Ok(()));
        for (path, mode, safe) in [
            (&program, 0o775, false),
            (&program, 0o757, false),
            (&program, 0o700, true),
            (&folder, 0o775, false),
            (&folder, 0o777, false),
            (&folder, 0o1777, true),
        ] {
            let before = std::fs::metadata(path).unwrap().mode() & 0o7777;
            set(path, mode);
            assert_eq!(Os.is_safe_file(&program).is_ok(), safe, "{mode:o}");
            set(path, before);
        }
        let link = folder.join("link");
        symlink(&program, &link).unwrap();
        assert_eq!(
            Os.is_safe_file(&link),
            Err(HostError::Linked { path: link.clone() })
        );
        let dotted = folder.join("../a/x");
        assert!(matches!(Os.is_safe_file(&dotted), Err(HostError::Linked { .. })));
        assert_eq!(
            Os.is_safe_file(&folder),
            Err(HostError::NotRegular { path: folder.clone() })
        );
        assert!(matches!(
            Os.is_safe_file(&folder.join("none")),
            Err(HostError::NotFound { .. })
        ));
    }

    #[test]
    fn a_file_that_goes_while_it_is_looked_at_is_not_there() {
        use std::os::unix::fs::OpenOptionsExt;
        let at = tempfile::tempdir().unwrap();
        let folder = at.path().join("a");
        Os.private_folder(&folder).unwrap();
        let (first, beside) = (folder.join("x"), folder.join("y"));
        let mut owned = std::fs::OpenOptions::new();
        owned.write(true).create(true).truncate(true).mode(0o600);
        owned.open(&first).unwrap();
        let rounds = 20_000;
        std::thread::scope(|scope| {
            // As SQLite does with the index of its log, when the last process closes it.
            let other = scope.spawn(|| {
                for _ in 0..rounds {
                    owned.open(&beside).unwrap();
                    std::fs::remove_file(&beside).unwrap();
                }
            });
            while !other.is_finished() {
                assert!(Os.private_file(&folder, ["x", "y"]).unwrap().is_some());
            }
        });
    }
}
