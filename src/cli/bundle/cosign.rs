//! `gait bundle cosign`: one more signature of a bundle. It signs nothing that it has not looked at: the bundle verifies, and
//! the sources that people read make its program.

use crate::artifact::{BuildError, bundle};
use crate::bundling;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::key_args::{self, KeyArgs, TrustArgs, trusted_keys};
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::cli::{after, failure};
use crate::host::{Host, Mode};
use crate::json::Json;
use crate::limits;
use std::path::PathBuf;

/// Add the signature of another key to a bundle
///
/// What it holds and its digest stay the same. Exits 2 when it does not verify, or its sources do not make its program.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle
    file: PathBuf,
    /// Where the bundle with both signatures goes [default: over the bundle]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Verifies, rebuilds, signs and writes.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trusted = trusted_keys(host, &args.trust)?;
    let key = key_args::signing_key(host, &args.key)?;
    key_args::usable(host, &key, &args.trust)?;
    let bytes = host.read(&args.file, limits::ARCHIVE_BYTES as u64)?;
    let now = host.now();
    let opened =
        bundle::open(&bytes, &trusted, now).map_err(|error| failure::verification(&args.file, &error))?;
    let contents = &opened.value().contents;
    bundling::rebuild(opened.value())
        .map_err(|difference| failure::rebuild(&difference, &contents.compiler).in_file(&args.file))?;
    let signed = bundle::cosign(&bytes, &trusted, now, &key).map_err(|error| match error {
        BuildError::Duplicate(id) => {
            let message = format!("key {id} has signed it already");
            CliError::new(Category::InvalidInput, "cosign.signed", message)
                .hint("the second signature is another key's: name it with `--key`")
                .in_file(&args.file)
        }
        other => CliError::from(other).in_file(&args.file),
    })?;
    let out = args.out.as_ref().unwrap_or(&args.file);
    host.write_atomic(out, &signed, Mode::Public)?;
    let mut signers: Vec<String> = opened.keys().iter().map(ToString::to_string).collect();
    signers.push(key.id().to_string());
    signers.sort();
    let path = out.to_string_lossy();
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("bundle", Json::str(path.as_ref())),
            ("digest", opened.digest().to_json()),
            ("signer", Json::str(key.id().to_string())),
            ("signers", Json::Array(signers.iter().map(Json::str).collect())),
            ("after", contents.after.map_or(Json::Null, after::document)),
        ]))?;
        return Ok(Exit::Success);
    }
    let head = paint(Tone::Good, "cosigned");
    ui.line(&format!(
        "{head} {} {}",
        one_line(&contents.name),
        one_line(&contents.version)
    ))?;
    ui.line(&format!("  bundle   {}", one_line(&path)))?;
    ui.line(&format!("  digest   {}", opened.digest()))?;
    for signer in &signers {
        ui.line(&format!("  signer   {signer}"))?;
    }
    if let Some(after) = contents.after {
        ui.line(&format!("  after    {}", after::line(after)))?;
    }
    Ok(Exit::Success)
}
