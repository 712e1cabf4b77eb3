//! `gait bundle verify`: the signature and contents of a bundle, and on request whether its sources make it.

use crate::artifact::{Bundle, Verified};
use crate::bundling::{self, COMPILER, Difference};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::key_args::{TrustArgs, trusted_keys};
use crate::cli::ui::{Ui, count, one_line};
use crate::cli::verify::of_bundle;
use crate::cli::{after, failure, load};
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
    /// The bundle that it follows: compare both again, and hold what it says of the change against that
    #[arg(long, value_name = "BUNDLE")]
    after: Option<PathBuf>,
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
    let before = args.after.as_deref();
    let before = before
        .map(|path| load::bundle(host, path, &trusted))
        .transpose()?;
    again(&args, bundle.value(), before.as_ref().map(Verified::value))
        .map_err(|difference| failure::rebuild(&difference, compiler).in_file(&args.file))?;
    let rebuilt = args.rebuild || args.reprove || args.after.is_some();
    let change = bundle.value().contents.after;
    if ui.is_json() {
        let ok = [("ok", Json::Bool(true))];
        let own = [
            ("compiler", Json::str(compiler)),
            ("rebuilt", Json::Bool(rebuilt)),
            ("reproved", Json::Bool(args.reprove)),
            ("recompared", Json::Bool(args.after.is_some())),
            ("after", change.map_or(Json::Null, after::document)),
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
        let all = count(proofs, "claim");
        ui.line(&format!(
            "  checked  {all} proved again, each as the bundle records it"
        ))?;
    }
    if let (Some(_), Some(change)) = (&args.after, change) {
        let what = after::line(change);
        ui.line(&format!("  checked  what changed, after {what}"))?;
    }
    ui.line(&format!("  compiler {}", one_line(compiler)))?;
    if compiler != COMPILER {
        ui.note(&format!(
            "compiler {compiler} made this bundle; this is {COMPILER}"
        ));
    }
    Ok(Exit::Success)
}

/// Makes the bundle again as far as that is asked for.
fn again(args: &Args, bundle: &Bundle, before: Option<&Bundle>) -> Result<(), Difference> {
    if args.reprove {
        bundling::reprove(bundle)?;
    } else if args.rebuild {
        bundling::rebuild(bundle)?;
    }
    before.map_or(Ok(()), |before| bundling::succession::recompare(before, bundle))
}
