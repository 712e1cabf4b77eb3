//! `gait bundle verify`: the signature and contents of a bundle, and on request whether its sources make it.

use crate::bundling::{self, COMPILER};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::failure;
use crate::cli::key_args::{TrustArgs, trusted_keys};
use crate::cli::ui::{Ui, count, one_line};
use crate::cli::verify::of_bundle;
use crate::host::Host;
use crate::json::Json;
use crate::limits;
use std::path::PathBuf;

/// Verify a signed bundle
///
/// Exits 2 when it is not what was signed by a trusted key or, with --rebuild or --reprove, not what its sources make.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle
    file: PathBuf,
    /// Compile the sources in it again and compare the programs byte for byte
    #[arg(long)]
    rebuild: bool,
    /// Do that, and prove again what the bundle says is proved: every assertion, and just what it says
    #[arg(long)]
    reprove: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Verifies the bundle.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trusted = trusted_keys(host, &args.trust)?;
    let bytes = host.read(&args.file, limits::FILE_BYTES)?;
    let (bundle, _, outcome) =
        of_bundle(&bytes, &trusted, host.now()).map_err(|error| error.in_file(&args.file))?;
    let compiler = &bundle.value().contents.compiler;
    let proofs = bundle.value().contents.proofs.len();
    let again = match (args.rebuild, args.reprove) {
        (_, true) => bundling::reprove(bundle.value()).map(drop),
        (true, false) => bundling::rebuild(bundle.value()).map(drop),
        (false, false) => Ok(()),
    };
    again.map_err(|difference| failure::rebuild(&difference, compiler).in_file(&args.file))?;
    let rebuilt = args.rebuild || args.reprove;
    if ui.is_json() {
        let ok = [("ok", Json::Bool(true))];
        let own = [
            ("compiler", Json::str(compiler)),
            ("rebuilt", Json::Bool(rebuilt)),
            ("reproved", Json::Bool(args.reprove)),
            ("proofs", Json::int(i64::try_from(proofs).unwrap_or(i64::MAX))),
        ];
        ui.json(&Json::object(
            ok.into_iter().chain(outcome.to_json(&args.file)).chain(own),
        ))?;
        return Ok(Exit::Success);
    }
    outcome
        .lines(&args.file)
        .iter()
        .try_for_each(|line| ui.line(line))?;
    if rebuilt {
        ui.line("  checked  the sources make the same program, byte for byte")?;
    }
    if args.reprove {
        let all = count(proofs, "assertion");
        ui.line(&format!(
            "  checked  {all} proved again, each as the bundle records it"
        ))?;
    }
    ui.line(&format!("  compiler {}", one_line(compiler)))?;
    if compiler != COMPILER {
        ui.note(&format!(
            "compiler {compiler} made this bundle; this is {COMPILER}"
        ));
    }
    Ok(Exit::Success)
}
