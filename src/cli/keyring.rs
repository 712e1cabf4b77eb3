//! Where commands find keys: the one that signs, and the ones that are trusted. Both come from the user's own
//! configuration, never from an artifact.

use super::error::{Category, CliError};
use crate::artifact::{KeyError, SigningKey, TrustedKeys, VerifyingKey};
use crate::host::{Host, HostError};
use crate::json::Json;
use crate::limits;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

const FOLDER: &str = "gait-out/keys";
const PRIVATE: &str = "gait.private.json";
const PUBLIC_END: &str = ".public.json";
const KEY_VARIABLE: &str = "GAIT_KEY_FILE";

/// The key that signs.
#[derive(Debug, Default, clap::Args)]
pub struct KeyArgs {
    /// The private key that signs; otherwise $GAIT_KEY_FILE, otherwise gait-out/keys/gait.private.json
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
}

/// The keys that are trusted.
#[derive(Debug, Default, clap::Args)]
pub struct TrustArgs {
    /// A public key to trust, may be repeated; otherwise every *.public.json in gait-out/keys
    #[arg(long, value_name = "FILE")]
    pub trust: Vec<PathBuf>,
}

/// Reads the key that signs. The text of the file is wiped from memory.
pub fn signing_key(host: &dyn Host, args: &KeyArgs) -> Result<SigningKey, CliError> {
    let path = match (&args.key, host.env(KEY_VARIABLE)) {
        (Some(path), _) => path.clone(),
        (None, Some(path)) if !path.is_empty() => PathBuf::from(path),
        _ => Path::new(FOLDER).join(PRIVATE),
    };
    let bytes = Zeroizing::new(read(host, &path)?);
    SigningKey::parse(&bytes).map_err(|error| refused(&path, &error))
}

/// Reads the keys that are trusted.
pub fn trusted_keys(host: &dyn Host, args: &TrustArgs) -> Result<TrustedKeys, CliError> {
    let paths = if args.trust.is_empty() {
        found(host)?
    } else {
        args.trust.clone()
    };
    let mut keys = Vec::new();
    for path in paths {
        let bytes = read(host, &path)?;
        keys.push(VerifyingKey::parse(&bytes).map_err(|error| refused(&path, &error))?);
    }
    Ok(TrustedKeys::new(keys))
}

/// Every public key of the default folder.
fn found(host: &dyn Host) -> Result<Vec<PathBuf>, CliError> {
    let folder = Path::new(FOLDER);
    let names = match host.list_dir(folder) {
        Err(HostError::NotFound { .. }) => Vec::new(),
        other => other?,
    };
    let public = names.iter().filter(|name| name.ends_with(PUBLIC_END));
    let paths: Vec<PathBuf> = public.map(|name| folder.join(name)).collect();
    if paths.is_empty() {
        return Err(missing(&folder.join("gait.public.json")));
    }
    Ok(paths)
}

fn read(host: &dyn Host, path: &Path) -> Result<Vec<u8>, CliError> {
    host.read(path, limits::KEY_FILE_BYTES as u64)
        .map_err(|error| match error {
            HostError::NotFound { path } => missing(&path),
            other => other.into(),
        })
}

fn missing(path: &Path) -> CliError {
    let message = format!("there is no key at {}", path.display());
    CliError::new(Category::MissingDependency, "keys.missing", message)
        .hint("gait keys init")
        .details([("path", Json::str(path.to_string_lossy()))])
}

fn refused(path: &Path, error: &KeyError) -> CliError {
    let message = format!("{}: {error}", path.display());
    CliError::new(Category::InvalidInput, error.code(), message)
        .details([("path", Json::str(path.to_string_lossy()))])
}
