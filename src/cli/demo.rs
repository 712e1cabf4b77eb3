//! `gait demo`: the whole path of a call, once, on sample data inside the binary. It prints what each step did and
//! the commands that go on from there.

mod script;

use super::error::{Category, CliError};
use super::exit::Exit;
use super::ui::{Tone, Ui, count, one_line, paint, shell_word};
use crate::host::{Host, Stream};
use crate::json::Json;
use script::{Done, Step};
use std::path::PathBuf;

/// Show everything in one go: compile, decide, sign, verify, pack, replay, and catch a forgery
///
/// Works on sample data in a folder of its own, with throw-away keys. Where the folder is taken, a numbered one
/// beside it is used; nothing is ever deleted.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder
    #[arg(long, value_name = "FOLDER", default_value = "gait-out/demo")]
    out: PathBuf,
}

/// Runs every step; the first that does not do what it should ends the demo with an error.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    // Asked first: a demo whose commands cannot be printed should not start.
    word(args.out.to_str().unwrap_or("\u{0}"))?;
    let mark = if host.is_terminal(Stream::Out) {
        "✓"
    } else {
        "ok"
    };
    let plain = !ui.is_json();
    let mut show = |step: &Step| {
        if plain {
            let text = format!(
                "{} {:<8} {}",
                paint(Tone::Good, mark),
                step.name,
                one_line(&step.text)
            );
            ui.line(&text)
        } else {
            Ok(())
        }
    };
    let done = script::play(host, &args.out, &mut show)?;
    let next = commands(&done)?;
    if ui.is_json() {
        ui.json(&document(&done, &next))?;
        return Ok(Exit::Success);
    }
    ui.line("")?;
    ui.line(&format!(
        "{} in {}:",
        count(done.files.len(), "file"),
        paint(Tone::Strong, &done.folder)
    ))?;
    for file in &done.files {
        ui.line(&format!("  {}", one_line(file)))?;
    }
    ui.line("")?;
    ui.line("next, try:")?;
    for command in &next {
        ui.line(&format!("  {command}"))?;
    }
    Ok(Exit::Success)
}

/// Commands that work as printed, from the folder the demo was started in.
fn commands(done: &Done) -> Result<Vec<String>, CliError> {
    let at = |name: &str| word(&format!("{}/{name}", done.folder));
    let program = word(&program())?;
    let (bundle, trust) = (at(script::BUNDLE)?, at(script::PUBLIC_KEY)?);
    let (intent, key) = (at("intents/block.json")?, at(script::PRIVATE_KEY)?);
    let (pack, tampered, fixture) = (at(script::RUNPACK)?, at(script::TAMPERED)?, at(script::FIXTURE)?);
    let (traces, policy) = (at("traces/")?, at(script::POLICY_NAME)?);
    Ok(vec![
        format!(
            "{program} gate eval --bundle {bundle} --intent {intent} --trace-out {traces} --key {key} --trust {trust}"
        ),
        format!("{program} run inspect {pack} --trust {trust}"),
        format!("{program} run receipt {pack} --trust {trust}"),
        format!("{program} verify {tampered} --trust {trust}"),
        format!("{program} regress run {fixture} --bundle {bundle} --trust {trust}"),
        format!("{program} policy test {policy}"),
    ])
}

/// How this program was started: `cargo run` does not put it on the search path.
fn program() -> String {
    let first = std::env::args_os()
        .next()
        .and_then(|name| name.into_string().ok());
    first
        .filter(|name| name.contains('/'))
        .unwrap_or_else(|| "gait".to_owned())
}

/// A name as it stands in a command. Errors on what would break it.
fn word(name: &str) -> Result<String, CliError> {
    shell_word(name).ok_or_else(|| {
        let message = format!("the name `{}` does not fit into a command", name.escape_debug());
        CliError::new(Category::InvalidInput, "demo.folder", message).hint("name a plainer folder with --out")
    })
}

fn document(done: &Done, next: &[String]) -> Json {
    let strings = |texts: &[String]| Json::Array(texts.iter().map(Json::str).collect());
    let step = |step: &Step| {
        Json::object([
            ("step", Json::str(step.name)),
            ("ok", Json::Bool(true)),
            ("text", Json::str(&step.text)),
        ])
    };
    Json::object([
        ("ok", Json::Bool(true)),
        ("folder", Json::str(&done.folder)),
        ("steps", Json::Array(done.steps.iter().map(step).collect())),
        ("files", strings(&done.files)),
        ("next", strings(next)),
        ("exit_code", Json::int(0)),
    ])
}
