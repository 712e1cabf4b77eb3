//! The command line: reads arguments, starts one command, turns its result into output and an exit code. Each
//! command is one file with `Args` (its doc comment is the help) and `run(ui, host, args)`; it parses, calls library
//! functions and prints through `Ui`. It must not decide anything about a policy or a call.

mod after;
mod approvals;
mod approve;
mod attest;
mod bundle;
mod completions;
mod delegate;
mod demo;
mod deny;
pub mod error;
pub mod exit;
mod explain;
mod explanation;
mod failure;
mod gate;
mod json_text;
mod junit;
pub mod key_args;
mod keys;
mod kill_switch;
#[cfg(all(feature = "serve", unix))]
mod listen;
mod load;
mod markdown;
mod mcp;
mod permit;
mod policy;
mod regress;
mod render;
mod run;
#[cfg(all(feature = "serve", unix))]
mod serve;
mod settings;
mod store;
mod store_args;
mod trace;
mod trust;
pub mod ui;
mod verify;
mod version;

use crate::host::{Host, Os};
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use error::{Category, CliError};
use exit::Exit;
use settings::Applied;
use std::ffi::OsString;
use std::process::ExitCode;
use ui::{Choice, Options, Ui};

/// Decides whether an AI agent's tool call may happen, and proves afterwards what it decided and why.
#[derive(Debug, clap::Parser)]
#[command(name = "gait", version, max_term_width = 100, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

/// Flags every command takes.
#[derive(Debug, clap::Args)]
struct Global {
    /// Print one JSON document on standard output, errors included
    #[arg(long, global = true)]
    json: bool,
    /// Colour: auto (on a terminal, unless NO_COLOR is set), always or never
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "WHEN",
        default_value_t = Choice::Auto,
        hide_possible_values = true,
        hide_default_value = true
    )]
    color: Choice,
    /// Print no notes or progress on standard error
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Take no settings from .gait/config.toml
    #[arg(long, global = true)]
    no_config: bool,
}

/// The list of commands, as `--help` shows it.
#[derive(Debug, clap::Subcommand)]
enum Command {
    Approvals(approvals::Args),
    Approve(approve::Args),
    Attest(attest::Args),
    Bundle(bundle::Args),
    Completions(completions::Args),
    Delegate(delegate::Args),
    Demo(demo::Args),
    Deny(deny::Args),
    Explain(explain::Args),
    Gate(gate::Args),
    Permit(permit::Args),
    Mcp(mcp::Args),
    Keys(keys::Args),
    Policy(policy::Args),
    Regress(regress::Args),
    Run(run::Args),
    #[cfg(all(feature = "serve", unix))]
    Serve(Box<serve::Args>),
    Store(store::Args),
    Trace(trace::Args),
    KillSwitch(kill_switch::Args),
    Trust(trust::Args),
    Verify(verify::Args),
    Version(version::Args),
}

impl Command {
    fn run(self, ui: &mut Ui, host: &dyn Host) -> Result<Exit, CliError> {
        match self {
            Command::Approvals(args) => approvals::run(ui, host, args),
            Command::Approve(args) => approve::run(ui, host, args),
            Command::Attest(args) => attest::run(ui, host, args),
            Command::Bundle(args) => bundle::run(ui, host, args),
            Command::Completions(args) => completions::run(ui, host, args),
            Command::Delegate(args) => delegate::run(ui, host, args),
            Command::Demo(args) => demo::run(ui, host, args),
            Command::Deny(args) => deny::run(ui, host, args),
            Command::Explain(args) => explain::run(ui, host, args),
            Command::Gate(args) => gate::run(ui, host, args),
            Command::Permit(args) => permit::run(ui, host, args),
            Command::Mcp(args) => mcp::run(ui, host, args),
            Command::Keys(args) => keys::run(ui, host, args),
            Command::Policy(args) => policy::run(ui, host, args),
            Command::Regress(args) => regress::run(ui, host, args),
            Command::Run(args) => run::run(ui, host, args),
            #[cfg(all(feature = "serve", unix))]
            Command::Serve(args) => serve::run(ui, host, *args),
            Command::Store(args) => store::run(ui, host, args),
            Command::Trace(args) => trace::run(ui, host, args),
            Command::KillSwitch(args) => kill_switch::run(ui, host, args),
            Command::Trust(args) => trust::run(ui, host, args),
            Command::Verify(args) => verify::run(ui, host, args),
            Command::Version(args) => version::run(ui, host, args),
        }
    }
}

/// Runs the process's command line on the real machine.
pub fn main() -> ExitCode {
    let host = Os::new();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let exit =
        std::panic::catch_unwind(|| start(&host, &arguments)).unwrap_or_else(|_| bug(&host, &arguments));
    ExitCode::from(exit.code())
}

/// Reports a panic, whose own message is on standard error already. Its exit code is that of every other bug, never
/// one that means something else.
fn bug(host: &dyn Host, arguments: &[OsString]) -> Exit {
    let mut ui = Ui::new(
        host,
        Options {
            json: asks_for_json(arguments),
            ..Options::default()
        },
    );
    let error = CliError::new(
        Category::Internal,
        "internal.panic",
        "gait met a bug of its own and stopped",
    );
    finish(&mut ui, Err(error))
}

fn start(host: &dyn Host, arguments: &[OsString]) -> Exit {
    let (applied, refused) = match settings::apply(host, Cli::command, arguments) {
        Ok(applied) => (applied, None),
        Err(error) => (Applied::nothing(arguments), Some(error)),
    };
    match (Cli::try_parse_from(&applied.arguments), refused) {
        (Ok(cli), refused) => {
            let options = Options {
                json: cli.global.json,
                quiet: cli.global.quiet,
                color: cli.global.color,
            };
            let mut ui = Ui::new(host, options);
            let result = match refused {
                Some(error) => Err(error),
                None => cli.command.run(&mut ui, host),
            };
            finish(&mut ui, result)
        }
        (Err(refused), _) => {
            let mut ui = Ui::new(
                host,
                Options {
                    json: asks_for_json(arguments),
                    ..Options::default()
                },
            );
            let result = usage(&mut ui, &visible(&applied.arguments, refused));
            finish(&mut ui, result.map_err(|error| applied.told(error)))
        }
    }
}

/// Prints what is left to print. Output that cannot be written is an error of its own.
fn finish(ui: &mut Ui, result: Result<Exit, CliError>) -> Exit {
    let flushed = ui.flush();
    match result.and_then(|exit| flushed.map(|()| exit)) {
        Ok(exit) => exit,
        Err(error) => {
            // Where even the report cannot be written, the exit code still tells.
            let _unwritable = ui.failure(&error);
            error.exit()
        }
    }
}

/// The same refusal with the hidden characters of the arguments escaped: clap drops them from its messages.
fn visible(arguments: &[OsString], refused: clap::Error) -> clap::Error {
    let escaped = arguments.iter().map(|a| ui::one_line(&a.to_string_lossy()));
    match Cli::try_parse_from(escaped) {
        Err(again) if again.kind() == refused.kind() => again,
        _ => refused,
    }
}

/// Help and version are data; everything else clap reports is invalid input.
fn usage(ui: &mut Ui, refused: &clap::Error) -> Result<Exit, CliError> {
    let code = match refused.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            ui.raw(refused.render().ansi().to_string().as_bytes())?;
            return Ok(Exit::Success);
        }
        ErrorKind::InvalidSubcommand => "usage.unknown_command",
        ErrorKind::UnknownArgument => "usage.unknown_argument",
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "usage.missing_command"
        }
        _ => "usage.invalid",
    };
    let text = refused.render().to_string();
    let message = match refused.kind() {
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "a command is missing"
        }
        _ => text
            .strip_prefix("error: ")
            .unwrap_or(&text)
            .split("\n\nUsage:")
            .next()
            .unwrap_or_default(),
    };
    let message = message
        .split("\n\nFor more information")
        .next()
        .unwrap_or_default();
    let lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let (mut tips, said): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with("tip: "));
    tips.iter_mut()
        .for_each(|tip| *tip = tip.trim_start_matches("tip: "));
    tips.push("`gait --help` lists the commands");
    Err(CliError::new(Category::InvalidInput, code, said.join(" ")).hint(tips.join("; ")))
}

/// Whether the flag is there, for command lines clap could not read.
fn asks_for_json(arguments: &[OsString]) -> bool {
    arguments.iter().take_while(|a| *a != "--").any(|a| a == "--json")
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_tree_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
