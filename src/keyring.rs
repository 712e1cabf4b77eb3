//! Key files on a disk: making a pair, rotating it, and reading keys for signing and for trust. In: a host, paths, the
//! time. Out: keys, or a `KeyringError`. Every write goes in an order from which a second run recovers; a private
//! key that others may read is never used.

use crate::artifact::{KeyError, KeyId, SigningKey, VerifyingKey};
use crate::host::{Host, HostError, Mode};
use crate::limits;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where keys lie unless the caller says otherwise.
pub const FOLDER: &str = "gait-out/keys";
/// What key files are called unless the caller says otherwise.
pub const PREFIX: &str = "gait";
const PRIVATE_SUFFIX: &str = ".private.json";
const PUBLIC_SUFFIX: &str = ".public.json";

/// Why keys cannot be made or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is no key file where one is needed.
    #[error("there is no key {}", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
    },
    /// A folder holds no public key, so nothing would be trusted.
    #[error("there is no public key in {}", folder.display())]
    NothingTrusted {
        /// The folder.
        folder: PathBuf,
    },
    /// A new pair would replace a key.
    #[error("{} exists already", path.display())]
    Exists {
        /// The key file.
        path: PathBuf,
    },
    /// A name that key files cannot have.
    #[error("`{}` cannot be a prefix: use 1 to {max} letters, digits, `-` and `_`", .0.escape_debug(), max = limits::ID_BYTES)]
    Prefix(String),
    /// A key that would be expired from the start.
    #[error("the key would have expired already")]
    Expired,
    /// A key file that is refused.
    #[error("{}: {error}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        error: KeyError,
    },
    /// The two files hold different keys.
    #[error("{} does not belong to {}", public.display(), private.display())]
    Mismatch {
        /// The private key file.
        private: PathBuf,
        /// The public key file.
        public: PathBuf,
    },
    /// The place for an old key is taken.
    #[error("{} holds another key already", path.display())]
    Occupied {
        /// The key file.
        path: PathBuf,
    },
    /// The machine refuses.
    #[error(transparent)]
    Host(#[from] HostError),
}

/// The two files of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The private key file.
    pub private: PathBuf,
    /// The public key file.
    pub public: PathBuf,
}

impl Pair {
    /// The current pair of a folder. Errors on a prefix that is no plain name.
    pub fn current(folder: &Path, prefix: &str) -> Result<Pair, KeyringError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if prefix.is_empty() || prefix.len() > limits::ID_BYTES || !prefix.bytes().all(plain) {
            return Err(KeyringError::Prefix(prefix.to_owned()));
        }
        Ok(Pair::named(folder, prefix))
    }

    fn named(folder: &Path, stem: &str) -> Pair {
        Pair {
            private: folder.join(format!("{stem}{PRIVATE_SUFFIX}")),
            public: folder.join(format!("{stem}{PUBLIC_SUFFIX}")),
        }
    }

    /// The public key file that lies beside a private one, by name; `None` for a name of another form.
    pub fn public_beside(private: &Path) -> Option<PathBuf> {
        let stem = private.file_name()?.to_str()?.strip_suffix(PRIVATE_SUFFIX)?;
        Some(private.with_file_name(format!("{stem}{PUBLIC_SUFFIX}")))
    }
}

/// Reads a private key. Refused when others than its owner may read or change the file.
pub fn signing_key(host: &dyn Host, path: &Path) -> Result<SigningKey, KeyringError> {
    let bytes = match host.read_private(path, limits::KEY_FILE_BYTES as u64) {
        Err(HostError::NotFound { path }) => return Err(KeyringError::Missing { path }),
        read => Zeroizing::new(read?),
    };
    SigningKey::parse(&bytes).map_err(refused(path))
}

/// Reads a public key.
pub fn public_key(host: &dyn Host, path: &Path) -> Result<VerifyingKey, KeyringError> {
    let bytes = match host.read(path, limits::KEY_FILE_BYTES as u64) {
        Err(HostError::NotFound { path }) => return Err(KeyringError::Missing { path }),
        read => read?,
    };
    VerifyingKey::parse(&bytes).map_err(refused(path))
}

fn refused(path: &Path) -> impl FnOnce(KeyError) -> KeyringError {
    let path = path.to_owned();
    |error| KeyringError::Key { path, error }
}

/// Every `*.public.json` of a folder, sorted. Errors when there is none.
pub fn public_files(host: &dyn Host, folder: &Path) -> Result<Vec<PathBuf>, KeyringError> {
    let names = match host.list_dir(folder) {
        Err(HostError::NotFound { .. }) => Vec::new(),
        names => names?,
    };
    let files: Vec<PathBuf> = names
        .iter()
        .filter(|name| name.ends_with(PUBLIC_SUFFIX))
        .map(|name| folder.join(name))
        .collect();
    if files.is_empty() {
        let folder = folder.to_owned();
        return Err(KeyringError::NothingTrusted { folder });
    }
    Ok(files)
}

/// A pair that `init` made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Its public key.
    pub key: VerifyingKey,
    /// Whether an interrupted run had made the private key, and only the public half was missing.
    pub completed: bool,
}

/// Makes a pair, trusted until `valid_until`. The private key is written first: from it the public half can be made
/// again, which the next run does when this one is cut off. Nothing that is there is replaced.
pub fn init(
    host: &dyn Host,
    folder: &Path,
    prefix: &str,
    valid_until: Option<Timestamp>,
) -> Result<Made, KeyringError> {
    let pair = Pair::current(folder, prefix)?;
    check_window(host, valid_until)?;
    alone(host, folder, prefix, || {
        let completed = host.exists(&pair.private);
        if host.exists(&pair.public) {
            let path = if completed { pair.private } else { pair.public };
            return Err(KeyringError::Exists { path });
        }
        let mut key = if completed {
            signing_key(host, &pair.private)?.verifying_key()
        } else {
            let key = draw(host)?;
            host.write_new(&pair.private, &key.to_file(), Mode::Private)?;
            key.verifying_key()
        };
        key.valid_until = valid_until;
        host.write_new(&pair.public, &key.to_file(), Mode::Public)?;
        Ok(Made { key, completed })
    })
}

/// Runs `work` while no other process makes or rotates this pair. The system frees the lock of a killed process.
fn alone<T>(
    host: &dyn Host,
    folder: &Path,
    prefix: &str,
    work: impl FnOnce() -> Result<T, KeyringError>,
) -> Result<T, KeyringError> {
    let lock = folder.join(format!(".{prefix}.lock"));
    let (mut work, mut outcome) = (Some(work), None);
    host.append_line(&lock, &mut |_| {
        outcome = work.take().map(|work| work());
        None
    })?;
    // INVARIANT: `append_line` has called the closure when it succeeds.
    outcome.unwrap_or_else(|| Err(KeyringError::Host(HostError::Contended { path: lock })))
}

/// What a rotation left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key that signs from now on.
    pub current: VerifyingKey,
    /// The key that signed before.
    pub previous: KeyId,
    /// Where its files are kept.
    pub kept: Pair,
}

/// Makes a new pair the current one and keeps the old one under the time of the rotation, its public half still
/// trusted. At every moment the current private key is a trusted one: first the old pair is kept, then the new public
/// key becomes trusted, then the new private key signs. A run after an interrupted one goes on from there.
pub fn rotate(
    host: &dyn Host,
    folder: &Path,
    prefix: &str,
    valid_until: Option<Timestamp>,
) -> Result<Rotated, KeyringError> {
    let pair = Pair::current(folder, prefix)?;
    check_window(host, valid_until)?;
    signing_key(host, &pair.private)?;
    alone(host, folder, prefix, || {
        let old = signing_key(host, &pair.private)?;
        let kept = match already_kept(host, folder, prefix, old.id())? {
            Some(kept) => kept,
            None => {
                let stamp = host.now().strftime("%Y%m%dT%H%M%SZ").to_string();
                Pair::named(folder, &format!("{prefix}.{stamp}"))
            }
        };
        keep(host, &kept.private, &old.to_file(), Mode::Private)?;
        if !host.exists(&kept.public) {
            // After an interrupted rotation the current public key may be the next one's.
            let public = public_key(host, &pair.public)
                .ok()
                .filter(|key| key.id() == old.id());
            let public = public.unwrap_or_else(|| old.verifying_key());
            keep(host, &kept.public, &public.to_file(), Mode::Public)?;
        }
        let key = draw(host)?;
        let mut current = key.verifying_key();
        current.valid_until = valid_until;
        host.write_atomic(&pair.public, &current.to_file(), Mode::Public)?;
        host.write_atomic(&pair.private, &key.to_file(), Mode::Private)?;
        let previous = old.id();
        Ok(Rotated {
            current,
            previous,
            kept,
        })
    })
}

/// The place where an interrupted rotation has kept this key, if one has.
fn already_kept(
    host: &dyn Host,
    folder: &Path,
    prefix: &str,
    id: KeyId,
) -> Result<Option<Pair>, KeyringError> {
    for name in host.list_dir(folder)? {
        let stamp = name
            .strip_prefix(prefix)
            .and_then(|rest| rest.strip_prefix('.'))
            .and_then(|rest| rest.strip_suffix(PRIVATE_SUFFIX));
        if let Some(stamp) = stamp {
            let kept = Pair::named(folder, &format!("{prefix}.{stamp}"));
            if signing_key(host, &kept.private)?.id() == id {
                return Ok(Some(kept));
            }
        }
    }
    Ok(None)
}

/// Writes a file, or finds the same bytes there.
fn keep(host: &dyn Host, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), KeyringError> {
    match host.write_new(path, bytes, mode) {
        Err(HostError::Exists { path }) => match host.read(&path, limits::KEY_FILE_BYTES as u64)? == bytes {
            true => Ok(()),
            false => Err(KeyringError::Occupied { path }),
        },
        written => Ok(written?),
    }
}

/// Checks that two files hold one pair: both strictly read, and what the one signs the other verifies.
pub fn check_pair(host: &dyn Host, pair: &Pair) -> Result<VerifyingKey, KeyringError> {
    let key = signing_key(host, &pair.private)?;
    let public = public_key(host, &pair.public)?;
    let message = b"gait.key.check/1";
    if key.id() != public.id() || !public.verify(message, &key.sign(message)) {
        return Err(KeyringError::Mismatch {
            private: pair.private.clone(),
            public: pair.public.clone(),
        });
    }
    Ok(public)
}

fn check_window(host: &dyn Host, valid_until: Option<Timestamp>) -> Result<(), KeyringError> {
    match valid_until {
        Some(until) if until <= host.now() => Err(KeyringError::Expired),
        _ => Ok(()),
    }
}

fn draw(host: &dyn Host) -> Result<SigningKey, KeyringError> {
    let mut seed = Zeroizing::new([0; 32]);
    host.entropy(&mut seed)?;
    Ok(SigningKey::from_seed(&seed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Memory, NextLine, Stream};
    use std::cell::Cell;

    fn memory() -> Memory {
        Memory::new("2026-01-02T03:04:05Z".parse().unwrap())
    }

    fn folder() -> &'static Path {
        Path::new(FOLDER)
    }

    fn pair() -> Pair {
        Pair::current(folder(), PREFIX).unwrap()
    }

    /// A machine that stops before its n-th write.
    struct Failing<'a> {
        inner: &'a Memory,
        left: Cell<usize>,
    }

    impl Failing<'_> {
        fn step(&self, path: &Path) -> Result<(), HostError> {
            let left = self.left.get();
            if left == 0 {
                let (path, reason) = (path.to_owned(), "power cut".to_owned());
                return Err(HostError::Io { path, reason });
            }
            self.left.set(left - 1);
            Ok(())
        }
    }

    impl Host for Failing<'_> {
        fn now(&self) -> Timestamp {
            self.inner.now()
        }
        fn read(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, HostError> {
            self.inner.read(path, max_bytes)
        }
        fn read_below(&self, folder: &Path, relative: &str, max_bytes: u64) -> Result<Vec<u8>, HostError> {
            self.inner.read_below(folder, relative, max_bytes)
        }
        fn exclusive(&self, path: &Path, work: &mut dyn FnMut()) -> Result<(), HostError> {
            self.inner.exclusive(path, work)
        }
        fn read_input(&self, max_bytes: u64) -> Result<Vec<u8>, HostError> {
            self.inner.read_input(max_bytes)
        }
        fn read_answer(&self, max_bytes: u64) -> Result<String, HostError> {
            self.inner.read_answer(max_bytes)
        }
        fn read_private(&self, path: &Path, max_bytes: u64) -> Result<Vec<u8>, HostError> {
            self.inner.read_private(path, max_bytes)
        }
        fn write_new(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), HostError> {
            self.step(path)?;
            self.inner.write_new(path, bytes, mode)
        }
        fn write_atomic(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), HostError> {
            self.step(path)?;
            self.inner.write_atomic(path, bytes, mode)
        }
        fn append_line(&self, path: &Path, next: &mut NextLine<'_>) -> Result<(), HostError> {
            self.inner.append_line(path, next)
        }
        fn list_dir(&self, path: &Path) -> Result<Vec<String>, HostError> {
            self.inner.list_dir(path)
        }
        fn exists(&self, path: &Path) -> bool {
            self.inner.exists(path)
        }
        fn env(&self, name: &str) -> Option<String> {
            self.inner.env(name)
        }
        fn entropy(&self, seed: &mut [u8; 32]) -> Result<(), HostError> {
            self.inner.entropy(seed)
        }
        fn is_terminal(&self, stream: Stream) -> bool {
            self.inner.is_terminal(stream)
        }
    }

    /// Whether the current private key is one of the trusted ones.
    fn signs_trusted(host: &dyn Host) -> bool {
        let id = signing_key(host, &pair().private).unwrap().id();
        let files = public_files(host, folder()).unwrap();
        files
            .iter()
            .any(|file| public_key(host, file).unwrap().id() == id)
    }

    #[test]
    fn an_interrupted_init_is_completed_by_the_next() {
        for writes in 0..2 {
            let host = memory();
            let failing = Failing {
                inner: &host,
                left: Cell::new(writes),
            };
            assert!(matches!(
                init(&failing, folder(), PREFIX, None),
                Err(KeyringError::Host(HostError::Io { .. }))
            ));
            let again = init(&host, folder(), PREFIX, None).unwrap();
            assert_eq!(again.completed, writes == 1);
            assert_eq!(check_pair(&host, &pair()).unwrap(), again.key);
            let refused = init(&host, folder(), PREFIX, None).unwrap_err();
            assert!(matches!(refused, KeyringError::Exists { .. }));
        }
    }

    #[test]
    fn an_interrupted_rotation_never_signs_with_an_untrusted_key_and_is_completed_by_the_next() {
        for writes in 0..4 {
            let host = memory();
            let first = init(&host, folder(), PREFIX, None).unwrap().key;
            let failing = Failing {
                inner: &host,
                left: Cell::new(writes),
            };
            rotate(&failing, folder(), PREFIX, None).unwrap_err();
            assert!(signs_trusted(&host), "after {writes} writes");
            host.set_now("2026-01-02T03:04:06Z".parse().unwrap());
            let rotated = rotate(&host, folder(), PREFIX, None).unwrap();
            assert_eq!(rotated.previous, first.id());
            assert_eq!(check_pair(&host, &pair()).unwrap(), rotated.current);
            assert_eq!(check_pair(&host, &rotated.kept).unwrap().id(), first.id());
            assert_eq!(host.list_dir(folder()).unwrap().len(), 4, "after {writes} writes");
        }
    }

    #[test]
    fn a_second_rotation_within_a_second_does_not_replace_a_kept_key() {
        let host = memory();
        init(&host, folder(), PREFIX, None).unwrap();
        let first = rotate(&host, folder(), PREFIX, None).unwrap();
        let refused = rotate(&host, folder(), PREFIX, None).unwrap_err();
        assert!(matches!(refused, KeyringError::Occupied { .. }), "{refused:?}");
        assert_eq!(check_pair(&host, &first.kept).unwrap().id(), first.previous);
        assert_eq!(check_pair(&host, &pair()).unwrap(), first.current);
    }

    #[test]
    fn a_window_is_kept_and_must_lie_ahead() {
        let host = memory();
        let past = "2026-01-02T03:04:05Z".parse().unwrap();
        assert_eq!(
            init(&host, folder(), PREFIX, Some(past)),
            Err(KeyringError::Expired)
        );
        let ahead = "2027-01-02T03:04:05Z".parse().unwrap();
        init(&host, folder(), PREFIX, Some(ahead)).unwrap();
        assert_eq!(
            public_key(&host, &pair().public).unwrap().valid_until,
            Some(ahead)
        );
        assert_eq!(host.mode(&pair().private), Some(Mode::Private));
    }

    #[test]
    fn a_public_key_without_its_private_one_is_not_replaced() {
        let host = memory().with_file(pair().public, "{}");
        let refused = init(&host, folder(), PREFIX, None).unwrap_err();
        assert!(matches!(&refused, KeyringError::Exists { path } if *path == pair().public));
        assert!(!host.exists(&pair().private));
    }
}
