//! `gait policy compile`: a policy file to a signed bundle. Nothing of the machine enters the bundle but the key: no
//! time, no folder.

use super::source;
use super::source::REPOSITORY;
use crate::artifact::{Bundle, Verified};
use crate::bundling::{self, Built, BundlingError, Release};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::key_args::{self, KeyArgs, TrustArgs, signing_key};
use crate::cli::render::{self, Findings};
use crate::cli::ui::{Tone, Ui, brief, one_line, paint};
use crate::cli::{after, load};
use crate::compile::{Purpose, Report};
use crate::domain::{Enforcement, Profile};
use crate::host::{Host, Mode};
use crate::json::Json;
use crate::suite::CaseResult;
use std::path::{Path, PathBuf};

/// What the names of bundles end in.
pub(super) const EXTENSION: &str = "gaitbundle";

/// Compile a policy into a signed bundle
///
/// Checks the policy, proves its assertions, runs its tests, signs, and opens the result again before it is written. Exits 6
/// when the policy has errors and 5 when a test fails. The same file, epoch and key give the same bytes, wherever the file lies.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy file
    #[arg(default_value = REPOSITORY, value_name = "FILE")]
    file: PathBuf,
    /// Where the bundle goes [default: beside the policy, ending in .gaitbundle]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The number of this release, which the bundle states
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = epoch)]
    epoch: u64,
    /// The bundle that this one is to follow; it is named in the new one, with what the change loosens
    #[arg(long, value_name = "BUNDLE")]
    after: Option<PathBuf>,
    /// Whether what is decided binds; `shadow` and `observe` let every call run that no kill switch stops
    #[arg(long, value_name = "LEVEL", default_value = "enforce", value_parser = enforcement)]
    enforcement: Enforcement,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

fn epoch(text: &str) -> Result<u64, String> {
    let wrong = |_| "an epoch is a whole number from 0 to 2^53 - 1".to_owned();
    text.parse().map_err(wrong)
}

fn enforcement(text: &str) -> Result<Enforcement, String> {
    Enforcement::parse(text).ok_or_else(|| "it is none of `enforce`, `shadow`, `observe`".to_owned())
}

/// Compiles, signs and writes.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let name = source_name(&args.file)?;
    let out = destination(&args)?;
    let (report, proofs) = source::read(host, &args.file)?.prove(host, &name, Purpose::Sign);
    if !ui.is_json() {
        source::tell(ui, findings(&report));
    }
    let Some(checked) = &report.checked else {
        return Err(invalid(&args.file, &report));
    };
    if checked.package().profile == Profile::Strict && !args.enforcement.binds() {
        let message = "a policy of the profile `strict` is enforced";
        return Err(
            CliError::new(Category::InvalidInput, "policy.strict_enforced", message)
                .hint("leave out --enforcement, or try it out under `profile standard`")
                .in_file(&args.file),
        );
    }
    let key = signing_key(host, &args.key)?;
    key_args::usable(host, &key, &TrustArgs::default())?;
    let before = args
        .after
        .as_deref()
        .map(|path| load::bundle(host, path, &key_args::trusted_keys(host, &args.trust)?))
        .transpose()?;
    let release = Release {
        epoch: args.epoch,
        after: before.as_ref().map(Verified::value),
        enforcement: args.enforcement,
    };
    let built = bundling::build_proved(checked, &proofs, release, &key)
        .map_err(|error| refused(ui, &args.file, error))?;
    host.write_atomic(&out, &built.bytes, Mode::Public)?;
    let contents = &built.bundle.value().contents;
    if contents.tests.total == 0 {
        ui.warn("the policy has no tests");
    }
    if contents.profile == Profile::Dev {
        ui.warn("the policy's profile is `dev`: for trying out, not for production");
    }
    load::warn_unenforced(ui, contents.enforcement);
    print(ui, &built, &out)?;
    Ok(Exit::Success)
}

/// Where the bundle goes. Another ending is refused, so that a slip cannot replace the policy.
fn destination(args: &Args) -> Result<PathBuf, CliError> {
    let out = args
        .out
        .clone()
        .unwrap_or_else(|| args.file.with_extension(EXTENSION));
    let ends_well = out.extension().is_some_and(|end| end == EXTENSION);
    if !ends_well {
        let message = format!("{} does not end in .{EXTENSION}", out.display());
        return Err(CliError::new(Category::InvalidInput, "policy.out_name", message));
    }
    if out == args.file {
        let message = format!("the bundle would replace the policy {}", out.display());
        return Err(CliError::new(Category::Unsafe, "policy.out_is_source", message)
            .hint("policies end in .gaitpol; `--out FILE` names another place"));
    }
    Ok(out)
}

/// What the bundle and its traces call the policy: the file's own name, so that no folder of this machine shows.
fn source_name(path: &Path) -> Result<String, CliError> {
    let name = path.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| {
        let message = format!("{} has no file name in UTF-8", path.display());
        CliError::new(Category::InvalidInput, "policy.file_name", message)
    })
}

fn findings(report: &Report) -> Findings<'_> {
    Findings {
        diagnostics: &report.diagnostics,
        sources: &report.sources,
    }
}

fn invalid(path: &Path, report: &Report) -> CliError {
    let errors = report.errors();
    let count = source::count(errors, "error");
    let code = report
        .diagnostics
        .iter()
        .find(|d| d.is_error())
        .map_or("", |d| d.code.0);
    let error = CliError::new(
        Category::InvalidInput,
        "policy.invalid",
        format!("{} has {count}", path.display()),
    );
    error.hint(format!("`gait explain {code}` says more")).details([
        ("path", Json::str(path.to_string_lossy())),
        ("diagnostics", render::json::diagnostics(findings(report))),
    ])
}

fn refused(ui: &mut Ui, path: &Path, error: BundlingError) -> CliError {
    let message = error.to_string();
    match error {
        BundlingError::Tests { failed, .. } => {
            let lines: Vec<String> = failed.iter().flat_map(|case| failures(path, case)).collect();
            lines.iter().for_each(|line| ui.rendered(&brief(line)));
            CliError::new(
                Category::Regression,
                "policy.tests_failed",
                format!("{}: {message}", path.display()),
            )
            .hint("mend the rules or the tests; no bundle was written")
            .details([
                ("path", Json::str(path.to_string_lossy())),
                ("failures", Json::Array(lines.iter().map(Json::str).collect())),
            ])
        }
        // `prove` has made each of them an error of the policy.
        BundlingError::Unproved(_) => CliError::new(Category::Internal, "policy.unproved", message),
        BundlingError::Succession(error) => {
            let told = CliError::new(Category::InvalidInput, error.code(), message).in_file(path);
            told.hint("a bundle follows one of the same policy, and with `--epoch` no lower")
        }
        BundlingError::Build(error) => CliError::from(error).in_file(path),
        BundlingError::Reopen(_) | BundlingError::Reload(_) => {
            CliError::new(Category::Internal, "policy.unopened", message)
        }
    }
}

fn failures(path: &Path, case: &CaseResult) -> Vec<String> {
    let line = |failure: &String| {
        format!(
            "{}:{}:{}: test `{}`, call of `{}`: {failure}",
            path.display(),
            case.at.line,
            case.at.column,
            case.test,
            case.tool
        )
    };
    case.failures.iter().map(line).collect()
}

fn print(ui: &mut Ui, built: &Built, out: &Path) -> Result<(), CliError> {
    let Bundle { contents, digest } = built.bundle.value();
    let number = |n: usize| Json::int(i64::try_from(n).unwrap_or(i64::MAX));
    let (rules, tools) = (built.program.rules.len(), built.program.tools.len());
    let path = out.to_string_lossy();
    let signer = built
        .bundle
        .keys()
        .first()
        .map_or_else(String::new, ToString::to_string);
    if ui.is_json() {
        return ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("policy", Json::str(&contents.name)),
            ("version", Json::str(&contents.version)),
            ("profile", Json::str(contents.profile.as_str())),
            ("enforcement", Json::str(contents.enforcement.as_str())),
            (
                "epoch",
                Json::int(i64::try_from(contents.epoch).unwrap_or(i64::MAX)),
            ),
            ("digest", digest.to_json()),
            ("signer", Json::str(signer)),
            ("rules", number(rules)),
            ("tools", number(tools)),
            ("tests", Json::int(i64::from(contents.tests.total))),
            ("proofs", number(contents.proofs.len())),
            ("after", contents.after.map_or(Json::Null, after::document)),
            ("program_bytes", number(contents.ir.len())),
            ("bundle_bytes", number(built.bytes.len())),
            ("bundle", Json::str(path)),
        ]));
    }
    let head = paint(Tone::Good, "compiled");
    ui.line(&format!(
        "{head} {} {}",
        one_line(&contents.name),
        one_line(&contents.version)
    ))?;
    ui.line(&format!(
        "  bundle   {} ({} bytes)",
        one_line(&path),
        built.bytes.len()
    ))?;
    ui.line(&format!("  digest   {digest}"))?;
    ui.line(&format!("  epoch    {}", contents.epoch))?;
    ui.line(&format!("  profile  {}", contents.profile))?;
    if !contents.enforcement.binds() {
        ui.line(&format!("  enforce  {}", contents.enforcement))?;
    }
    ui.line(&format!("  signer   {signer}"))?;
    ui.line(&format!(
        "  holds    {} over {}, {} bytes of program",
        source::count(rules, "rule"),
        source::count(tools, "tool"),
        contents.ir.len()
    ))?;
    ui.line(&format!(
        "  tests    {} of {} passed",
        contents.tests.passed, contents.tests.total
    ))?;
    if !contents.proofs.is_empty() {
        let all = source::count(contents.proofs.len(), "claim");
        ui.line(&format!("  proofs   {all} proved"))?;
    }
    if let Some(after) = contents.after {
        ui.line(&format!("  after    {}", after::line(after)))?;
    }
    ui.note(&format!(
        "next: `gait bundle verify {path} --reprove`, or `gait gate eval --bundle {path} --intent FILE`"
    ));
    Ok(())
}
