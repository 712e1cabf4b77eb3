//! Sockets in the file system. In: a path. Out: a socket that only this process's user may connect to. One that a process left that
//! is gone is replaced; one that answers, and anything that is no socket, is not.
#![expect(clippy::disallowed_methods, reason = "part of the door the bans point to")]

use super::os::{explain, folder_of};
use super::{HostError, Os};
use std::fs::Permissions;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

impl Os {
    /// Binds a socket in a folder that only its owner may change. It is made where nobody else may look, and gets its name once
    /// only its owner may connect.
    pub fn bind_socket(&self, path: &Path) -> Result<UnixListener, HostError> {
        let wrong = |error| explain(path, &error);
        self.private_folder(&folder_of(path))?;
        if let Ok(found) = std::fs::symlink_metadata(path) {
            if !found.file_type().is_socket() {
                let path = path.to_owned();
                return Err(HostError::Exists { path });
            }
            if UnixStream::connect(path).is_ok() {
                let path = path.to_owned();
                return Err(HostError::Contended { path });
            }
        }
        let made = tempfile::Builder::new()
            .prefix(".gait-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(folder_of(path))
            .map_err(wrong)?;
        let hidden = made.path().join("s");
        let listener = UnixListener::bind(&hidden).map_err(wrong)?;
        std::fs::set_permissions(&hidden, Permissions::from_mode(0o600)).map_err(wrong)?;
        std::fs::rename(&hidden, path).map_err(wrong)?;
        Ok(listener)
    }

    /// Takes a socket away that nobody listens to any more.
    pub fn remove_socket(&self, path: &Path) -> Result<(), HostError> {
        std::fs::remove_file(path).map_err(|error| explain(path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_socket_is_its_owners_and_replaces_only_one_that_is_dead() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("serve/gait.sock");
        let listener = Os.bind_socket(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        assert!(matches!(Os.bind_socket(&path), Err(HostError::Contended { .. })));
        drop(listener);
        let listener = Os.bind_socket(&path).unwrap();
        drop(listener);
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, "mine").unwrap();
        assert!(matches!(Os.bind_socket(&path), Err(HostError::Exists { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    }
}
