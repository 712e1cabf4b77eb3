//! The arguments of every command that signs or verifies, and the keys they stand for. It is the one place that
//! knows where keys are looked for.

use super::error::{Category, CliError};
use crate::artifact::{SigningKey, TrustedKeys, VerifyError};
use crate::host::{Host, HostError};
use crate::json::Json;
use crate::keyring::{self, KeyringError};
use std::path::{Path, PathBuf};

/// The variable that names the private key file.
const KEY_VARIABLE: &str = "GAIT_KEY_FILE";

/// The key that signs.
#[derive(Debug, Default, clap::Args)]
pub struct KeyArgs {
    /// The private key that signs [default: $GAIT_KEY_FILE, else gait-out/keys/gait.private.json]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

/// The keys that are trusted.
#[derive(Debug, Default, clap::Args)]
pub struct TrustArgs {
    /// A public key that may have signed; may be repeated [default: gait-out/keys/*.public.json]
    #[arg(long, value_name = "FILE")]
    pub trust: Vec<PathBuf>,
}

/// The path of the private key: the argument, else the environment, else the default.
pub fn signing_key_file(host: &dyn Host, args: &KeyArgs) -> PathBuf {
    let named = args.key.clone();
    named
        .or_else(|| {
            host.env(KEY_VARIABLE)
                .filter(|name| !name.is_empty())
                .map(PathBuf::from)
        })
        .unwrap_or_else(|| Path::new(keyring::FOLDER).join(format!("{}.private.json", keyring::PREFIX)))
}

/// Reads the key that signs. Errors: `keys.missing` (7), `file.exposed` (8) when others may read it, `key.*` (6).
pub fn signing_key(host: &dyn Host, args: &KeyArgs) -> Result<SigningKey, CliError> {
    Ok(keyring::signing_key(host, &signing_key_file(host, args))?)
}

/// Reads the keys that are trusted. Errors: `keys.missing` (7) when there is none, `key.*` (6) when one is refused.
pub fn trusted_keys(host: &dyn Host, args: &TrustArgs) -> Result<TrustedKeys, CliError> {
    let files = match args.trust.as_slice() {
        [] => keyring::public_files(host, Path::new(keyring::FOLDER))?,
        named => named.to_vec(),
    };
    let keys: Result<Vec<_>, _> = files.iter().map(|file| keyring::public_key(host, file)).collect();
    Ok(TrustedKeys::new(keys?))
}

/// Reads the keys of just these files; none where there are none.
pub fn named_keys(host: &dyn Host, files: &[PathBuf]) -> Result<TrustedKeys, CliError> {
    let keys: Result<Vec<_>, _> = files.iter().map(|file| keyring::public_key(host, file)).collect();
    Ok(TrustedKeys::new(keys?))
}

/// Refuses a signing key whose public half is trusted here but out of its time: nobody would accept what it signs. A
/// key that is not trusted here may be trusted where its signatures go.
pub fn usable(host: &dyn Host, key: &SigningKey, args: &TrustArgs) -> Result<(), CliError> {
    let Ok(trusted) = trusted_keys(host, args) else {
        return Ok(());
    };
    match trusted.accepts(key.id(), host.now()) {
        Ok(()) | Err(VerifyError::KeyUnknown(_)) => Ok(()),
        Err(error) => Err(CliError::from(error).hint("`gait keys rotate` makes a new key")),
    }
}

/// Refuses a signing key whose signatures are not accepted under the same trust: its traces could not be verified.
pub fn accepted(host: &dyn Host, key: &SigningKey, trusted: &TrustedKeys) -> Result<(), CliError> {
    trusted
        .accepts(key.id(), host.now())
        .map_err(|error| match error {
            VerifyError::KeyUnknown(_) => CliError::from(error),
            error => CliError::from(error).hint("`gait keys rotate` makes a new key"),
        })
}

impl From<KeyringError> for CliError {
    fn from(error: KeyringError) -> Self {
        let message = error.to_string();
        let new = |category, code: &str| CliError::new(category, code, message);
        let path = |path: &Path| [("path", Json::str(path.to_string_lossy()))];
        match error {
            KeyringError::Missing { path: at } => new(Category::MissingDependency, "keys.missing")
                .hint("`gait keys init` makes a pair of keys")
                .details(path(&at)),
            KeyringError::NothingTrusted { folder } => new(Category::MissingDependency, "keys.missing")
                .hint("`gait keys init` makes a pair of keys; `--trust FILE` names a public key to trust")
                .details(path(&folder)),
            KeyringError::Exists { path: at } => new(Category::Unsafe, "keys.exists")
                .hint("`gait keys verify` checks the pair, `gait keys rotate` replaces it, `--prefix` names another")
                .details(path(&at)),
            KeyringError::Prefix(_) => new(Category::InvalidInput, "keys.prefix"),
            KeyringError::Expired => {
                new(Category::InvalidInput, "keys.expired").hint("`--valid-until` must lie in the future")
            }
            KeyringError::Key { path: at, error } => {
                new(Category::InvalidInput, error.code()).details(path(&at))
            }
            KeyringError::Mismatch { private, public } => new(Category::Verification, "keys.mismatch")
                .hint("`gait keys rotate` makes a new pair and keeps the old private key")
                .details([
                    ("private", Json::str(private.to_string_lossy())),
                    ("public", Json::str(public.to_string_lossy())),
                ]),
            KeyringError::Occupied { path: at } => new(Category::Unsafe, "keys.occupied")
                .hint("wait a second: old keys are named by the time of their rotation")
                .details(path(&at)),
            KeyringError::Host(HostError::Exposed { path: at, mode }) => {
                CliError::from(HostError::Exposed { path: at.clone(), mode })
                    .hint(format!("`chmod 600 {}`, and rotate the key if someone may have read it", at.display()))
            }
            KeyringError::Host(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::{Memory, Mode};
    use crate::keyring::{Pair, init};

    fn host() -> Memory {
        Memory::new("2026-01-02T03:04:05Z".parse().unwrap())
    }

    #[test]
    fn the_argument_comes_before_the_environment_and_that_before_the_default() {
        let args = |key: Option<&str>| KeyArgs {
            key: key.map(PathBuf::from),
        };
        let named = host().with_env(KEY_VARIABLE, "env.json");
        for (host, given, path) in [
            (&named, Some("arg.json"), "arg.json"),
            (&named, None, "env.json"),
            (
                &host().with_env(KEY_VARIABLE, ""),
                None,
                "gait-out/keys/gait.private.json",
            ),
            (&host(), None, "gait-out/keys/gait.private.json"),
        ] {
            assert_eq!(signing_key_file(host, &args(given)), Path::new(path));
        }
    }

    #[test]
    fn keys_that_are_missing_exposed_or_broken_have_their_own_exit() {
        let host = host();
        let outcome = |result: Result<(), CliError>| {
            let error = result.unwrap_err();
            (error.code.clone(), error.exit().code())
        };
        let sign = || signing_key(&host, &KeyArgs::default()).map(drop);
        let trust = |files: &[&str]| {
            let trust = files.iter().map(PathBuf::from).collect();
            trusted_keys(&host, &TrustArgs { trust }).map(drop)
        };
        assert_eq!(outcome(sign()), ("keys.missing".to_owned(), 7));
        assert_eq!(outcome(trust(&[])), ("keys.missing".to_owned(), 7));
        let pair = Pair::current(Path::new(keyring::FOLDER), keyring::PREFIX).unwrap();
        init(&host, Path::new(keyring::FOLDER), keyring::PREFIX, None).unwrap();
        sign().unwrap();
        trust(&[]).unwrap();
        assert_eq!(outcome(trust(&["other"])), ("keys.missing".to_owned(), 7));
        let key = host.read(&pair.private, 9999).unwrap();
        host.write_atomic(&pair.private, &key, Mode::Public).unwrap();
        assert_eq!(outcome(sign()), ("file.exposed".to_owned(), 8));
        host.write_atomic(&pair.private, b"{}", Mode::Private).unwrap();
        assert_eq!(outcome(sign()), ("key.document".to_owned(), 6));
        host.write_atomic(&pair.public, b"{}", Mode::Public).unwrap();
        assert_eq!(outcome(trust(&[])), ("key.document".to_owned(), 6));
    }
}
