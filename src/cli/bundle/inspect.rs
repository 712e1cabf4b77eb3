//! `gait bundle inspect`: what a bundle holds. It verifies first: nothing that no trusted key signed is shown.

use crate::artifact::digest::sha256;
use crate::artifact::{Bundle, Verified};
use crate::builtins::written::number;
use crate::cli::after;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::key_args::{TrustArgs, trusted_keys};
use crate::cli::ui::{Tone, Ui, one_line, paint, safe};
use crate::cli::verify::of_bundle;
use crate::host::Host;
use crate::ir::{self, Program, RuleInfo, ToolProgram};
use crate::json::Json;
use crate::limits;
use crate::ty::Ty;
use std::path::PathBuf;

/// Show what a signed bundle holds
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle
    file: PathBuf,
    /// Print the decision program too
    #[arg(long)]
    program: bool,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Verifies the bundle and shows it.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let trusted = trusted_keys(host, &args.trust)?;
    let bytes = host.read(&args.file, limits::FILE_BYTES)?;
    let (bundle, program, _) =
        of_bundle(&bytes, &trusted, host.now()).map_err(|error| error.in_file(&args.file))?;
    let printed = args.program.then(|| ir::print(&program));
    if ui.is_json() {
        ui.json(&document(&bundle, &program, printed))?;
        return Ok(Exit::Success);
    }
    people(ui, &bundle, &program)?;
    match printed {
        Some(text) => ui.raw(format!("\n{}", safe(&text)).as_bytes())?,
        None => ui.note("`--program` prints the decision program"),
    }
    Ok(Exit::Success)
}

fn people(ui: &mut Ui, bundle: &Verified<Bundle>, program: &Program) -> Result<(), CliError> {
    let contents = &bundle.value().contents;
    let tests = contents.tests;
    ui.line(&format!(
        "{} {}",
        paint(Tone::Strong, &contents.name),
        one_line(&contents.version)
    ))?;
    ui.line(&format!("  digest   {}", bundle.digest()))?;
    for signer in bundle.keys() {
        ui.line(&format!("  signer   {signer}"))?;
    }
    ui.line(&format!("  epoch    {}", contents.epoch))?;
    ui.line(&format!("  edition  {}", contents.edition))?;
    ui.line(&format!("  profile  {}", contents.profile))?;
    ui.line(&format!("  enforce  {}", contents.enforcement))?;
    ui.line(&format!("  compiler {}", one_line(&contents.compiler)))?;
    ui.line(&format!("  tz       {}", one_line(&contents.tz)))?;
    ui.line(&format!("  tests    {} of {} passed", tests.passed, tests.total))?;
    if let Some(after) = contents.after {
        ui.line(&format!("  after    {}", after::line(after)))?;
    }
    ui.line(&format!(
        "  program  {} bytes, {}",
        contents.ir.len(),
        sha256(&contents.ir)
    ))?;
    ui.line(&format!(
        "  default  {} code {}",
        program.default.0,
        one_line(&program.default.1)
    ))?;
    let compiled = sha256(&contents.ir);
    if !contents.proofs.is_empty() {
        ui.line(&paint(Tone::Strong, "proofs"))?;
    }
    for proof in &contents.proofs {
        let digest = proof.digest(compiled, &contents.compiler);
        ui.line(&format!("  {} {digest}", one_line(&proof.name)))?;
    }
    ui.line(&paint(Tone::Strong, "sources"))?;
    for source in &contents.sources {
        ui.line(&format!(
            "  {} ({}, {} bytes) {}",
            one_line(&source.name),
            source.kind.as_str(),
            source.text.len(),
            sha256(source.text.as_bytes())
        ))?;
    }
    ui.line(&paint(Tone::Strong, "tools"))?;
    for tool in &program.tools {
        let arguments: Vec<String> = tool.args.iter().map(|field| one_line(&field.name)).collect();
        ui.line(&format!(
            "  {} ({}), at most {} steps",
            one_line(&tool.name),
            arguments.join(", "),
            number(tool.steps.into(), &Ty::Int)
        ))?;
    }
    ui.line(&paint(Tone::Strong, "rules"))?;
    for rule in &program.rules {
        ui.line(&format!(
            "  {} {} code {}",
            rule.verdict,
            one_line(&rule.name),
            one_line(&rule.code)
        ))?;
    }
    Ok(())
}

fn document(bundle: &Verified<Bundle>, program: &Program, printed: Option<String>) -> Json {
    let contents = &bundle.value().contents;
    let size = |n: usize| Json::int(i64::try_from(n).unwrap_or(i64::MAX));
    let signers = bundle.keys().iter().map(|key| Json::str(key.to_string()));
    let tests = Json::object([
        ("passed", Json::int(contents.tests.passed.into())),
        ("total", Json::int(contents.tests.total.into())),
    ]);
    let default = Json::object([
        ("verdict", Json::str(program.default.0.as_str())),
        ("code", Json::str(&program.default.1)),
    ]);
    let sources = contents.sources.iter().map(|source| {
        Json::object([
            ("name", Json::str(&source.name)),
            ("kind", Json::str(source.kind.as_str())),
            ("bytes", size(source.text.len())),
            ("digest", sha256(source.text.as_bytes()).to_json()),
        ])
    });
    let compiled = sha256(&contents.ir);
    let proofs = contents.proofs.iter().map(|proof| {
        Json::object([
            ("name", Json::str(&proof.name)),
            ("claim", proof.claim.to_json()),
            ("digest", proof.digest(compiled, &contents.compiler).to_json()),
        ])
    });
    let program_bytes = Json::object([
        ("bytes", size(contents.ir.len())),
        ("digest", compiled.to_json()),
        ("text", printed.map_or(Json::Null, Json::str)),
    ]);
    Json::object([
        ("ok", Json::Bool(true)),
        ("policy", Json::str(&contents.name)),
        ("version", Json::str(&contents.version)),
        ("edition", Json::int(contents.edition.into())),
        ("profile", Json::str(contents.profile.as_str())),
        ("enforcement", Json::str(contents.enforcement.as_str())),
        (
            "epoch",
            Json::int(i64::try_from(contents.epoch).unwrap_or(i64::MAX)),
        ),
        ("digest", bundle.digest().to_json()),
        ("signers", Json::Array(signers.collect())),
        ("compiler", Json::str(&contents.compiler)),
        ("tz", Json::str(&contents.tz)),
        ("tests", tests),
        ("proofs", Json::Array(proofs.collect())),
        ("after", contents.after.map_or(Json::Null, after::document)),
        ("default", default),
        ("program", program_bytes),
        ("sources", Json::Array(sources.collect())),
        ("tools", Json::Array(program.tools.iter().map(tool).collect())),
        ("rules", Json::Array(program.rules.iter().map(rule).collect())),
    ])
}

fn tool(tool: &ToolProgram) -> Json {
    let arguments = tool.args.iter().map(|field| Json::str(&field.name));
    Json::object([
        ("name", Json::str(&tool.name)),
        ("arguments", Json::Array(arguments.collect())),
        ("steps", Json::int(i64::try_from(tool.steps).unwrap_or(i64::MAX))),
    ])
}

fn rule(rule: &RuleInfo) -> Json {
    Json::object([
        ("name", Json::str(&rule.name)),
        ("verdict", Json::str(rule.verdict.as_str())),
        ("code", Json::str(&rule.code)),
        ("hint", rule.hint.as_ref().map_or(Json::Null, Json::str)),
        ("line", Json::int(rule.start.line.into())),
    ])
}
