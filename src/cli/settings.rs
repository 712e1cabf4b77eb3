//! The settings of a folder, `.gait/config.toml`: what flags say where a command line does not. In: a command line and the file. Out: the
//! command line with the flags that it leaves out. A table is named as its command, a key as a flag, both with `_` for `-`. It must
//! not know what a flag means.

use super::error::{Category, CliError};
use crate::config::{self, ConfigError, Table};
use crate::host::{Host, HostError};
use crate::limits;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::any::TypeId;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Where settings are.
pub const FILE: &str = ".gait/config.toml";

/// The table of flags that every command has alike that judges calls or lets them run.
const GATE: &str = "gate";
const GATES: [&[&str]; 7] = [
    &["gate", "eval"],
    &["serve"],
    &["mcp", "proxy"],
    &["mcp", "serve"],
    &["permit", "redeem"],
    &["permit", "exec"],
    &["permit", "settle"],
];

/// What a folder does not say: who may write into it would choose the programs that hand out credentials.
const NEVER: &str = "credentials";

/// A variable of the environment that says the same as a flag, and goes before the settings.
const VARIABLES: [(&str, &str); 2] = [("key", "GAIT_KEY_FILE"), ("store", "GAIT_STORE_URL")];

/// A flag with its values; none where it takes none.
type Flags = BTreeMap<String, Vec<String>>;

/// A command line, and the flags of it that settings have added.
pub struct Applied {
    /// All of it.
    pub arguments: Vec<OsString>,
    /// What was added, as it would be typed.
    pub added: Vec<String>,
}

impl Applied {
    /// A command line without settings.
    pub fn nothing(arguments: &[OsString]) -> Applied {
        Applied {
            arguments: arguments.to_vec(),
            added: Vec::new(),
        }
    }

    /// A mistake in a command line that settings have added to: they may have made it.
    pub fn told(&self, error: CliError) -> CliError {
        if self.added.is_empty() {
            return error;
        }
        let own = error.hint.clone().unwrap_or_default();
        let added = self.added.join(" ");
        error.hint(format!(
            "{own}; {FILE} has added {added}, and `--no-config` leaves it out"
        ))
    }
}

/// The command line with what the settings of this folder say. What is given there, or by the environment, stays.
pub fn apply(host: &dyn Host, root: fn() -> Command, arguments: &[OsString]) -> Result<Applied, CliError> {
    let as_it_is = Applied::nothing(arguments);
    let mut before = arguments.iter().take_while(|word| *word != "--");
    if before.any(|word| word == "--no-config") {
        return Ok(as_it_is);
    }
    let text = match host.read(Path::new(FILE), limits::SOURCE_BYTES as u64) {
        Ok(bytes) => String::from_utf8(bytes)
            .map_err(|_| refused("config.syntax", format!("{FILE} is not UTF-8"), None))?,
        // A link that leads nowhere is not the same as no settings.
        Err(HostError::NotFound { .. }) if !host.exists(Path::new(FILE)) => return Ok(as_it_is),
        Err(error) => return Err(error.into()),
    };
    // What cannot be read is told by whoever reads it in earnest.
    let lenient = root().ignore_errors(true);
    let mut root = root();
    root.build();
    // Help needs no settings.
    let Ok(matches) = lenient.try_get_matches_from(arguments) else {
        return Ok(as_it_is);
    };
    let Some(asked) = Asked::of(&root, &matches, arguments) else {
        return Ok(as_it_is);
    };
    let flags = read(&text, &root, &asked.path).map_err(told)?;
    Ok(asked.with(host, flags, arguments))
}

/// A command as it was asked for.
struct Asked<'c> {
    path: Vec<&'c str>,
    command: &'c Command,
    given: &'c ArgMatches,
    /// Behind which word of the command line flags may be added.
    behind: usize,
}

impl<'c> Asked<'c> {
    fn of(root: &'c Command, matches: &'c ArgMatches, arguments: &[OsString]) -> Option<Asked<'c>> {
        let mut asked = Asked {
            path: Vec::new(),
            command: root,
            given: matches,
            behind: 0,
        };
        while let Some((name, given)) = asked.given.subcommand() {
            let command = asked.command.find_subcommand(name)?;
            let rest = arguments.iter().enumerate().skip(asked.behind + 1);
            let (at, _) = rest.into_iter().find(|(_, word)| *word == name)?;
            asked = Asked {
                path: asked.path.iter().copied().chain([command.get_name()]).collect(),
                command,
                given,
                behind: at,
            };
        }
        (!asked.path.is_empty() && !asked.command.has_subcommands()).then_some(asked)
    }

    fn is_given(&self, arg: &Arg) -> bool {
        let id = arg.get_id().as_str();
        self.given.try_contains_id(id).is_ok()
            && self.given.value_source(id) == Some(ValueSource::CommandLine)
    }

    /// Whether a flag may be added: it is not given, nor one that goes not with it, nor what says the same elsewhere.
    fn may_add(&self, host: &dyn Host, arg: &Arg, flag: &str) -> bool {
        let variable = VARIABLES.iter().find(|(name, _)| *name == flag);
        let is_said = variable.is_some_and(|(_, variable)| host.env(variable).is_some());
        let mut against = self.command.get_arg_conflicts_with(arg);
        let groups = self.command.get_groups().filter(|group| {
            let mut members = group.get_args();
            // Every struct of arguments is a group, too, of which more than one may be there.
            members.any(|id| id == arg.get_id()) && !(*group).clone().is_multiple()
        });
        for group in groups {
            let members = self.command.get_arguments();
            let others = members.filter(|other| group.get_args().any(|id| id == other.get_id()));
            against.extend(others);
        }
        !is_said && !self.is_given(arg) && !against.iter().any(|other| self.is_given(other))
    }

    fn with(&self, host: &dyn Host, flags: Flags, arguments: &[OsString]) -> Applied {
        let mut added = Vec::new();
        for (flag, values) in flags {
            let arg = flags_of(self.command).find(|arg| arg.get_long() == Some(flag.as_str()));
            if !arg.is_some_and(|arg| self.may_add(host, arg, &flag)) {
                continue;
            }
            match values.as_slice() {
                [] => added.push(format!("--{flag}")),
                values => added.extend(values.iter().map(|value| format!("--{flag}={value}"))),
            }
        }
        let (front, back) = arguments.split_at((self.behind + 1).min(arguments.len()));
        let words = added.iter().map(OsString::from);
        let all = front.iter().cloned().chain(words).chain(back.iter().cloned());
        Applied {
            arguments: all.collect(),
            added,
        }
    }
}

/// What the settings say of a command. All of them are read, so that a mistake is told whichever command meets it.
fn read(text: &str, root: &Command, path: &[&str]) -> Result<Flags, ConfigError> {
    let mut table = config::read(text)?;
    let mut found = Flags::new();
    commands(&mut table, root, &mut Vec::new(), path, &mut found)?;
    table.end()?;
    Ok(found)
}

/// Reads the tables of the commands of a command.
fn commands<'c>(
    table: &mut Table,
    command: &'c Command,
    at: &mut Vec<&'c str>,
    path: &[&str],
    found: &mut Flags,
) -> Result<(), ConfigError> {
    for inner in command.get_subcommands().filter(|one| one.get_name() != "help") {
        let Some(mut own) = table.table(&inner.get_name().replace('-', "_"))? else {
            continue;
        };
        at.push(inner.get_name());
        if at.as_slice() == [GATE] {
            let shared = gates(command);
            flags(
                &mut own,
                shared.iter().copied(),
                GATES.contains(&path),
                false,
                found,
            )?;
        }
        flags(&mut own, flags_of(inner), at.as_slice() == path, true, found)?;
        commands(&mut own, inner, at, path, found)?;
        own.end()?;
        at.pop();
    }
    Ok(())
}

/// The flags of all gates, each once.
fn gates(root: &Command) -> Vec<&Arg> {
    let mut all: Vec<&Arg> = Vec::new();
    for path in GATES {
        let command = path
            .iter()
            .try_fold(root, |command, name| command.find_subcommand(name));
        for arg in command.into_iter().flat_map(flags_of) {
            if !all.iter().any(|known| known.get_long() == arg.get_long()) {
                all.push(arg);
            }
        }
    }
    all
}

/// Takes flags out of a table; where they are of the command that was asked for, they are kept.
fn flags<'c>(
    table: &mut Table,
    args: impl Iterator<Item = &'c Arg>,
    is_asked: bool,
    goes_before: bool,
    found: &mut Flags,
) -> Result<(), ConfigError> {
    for arg in args {
        let Some(flag) = arg.get_long() else { continue };
        let key = flag.replace('-', "_");
        let values = match arg.get_action() {
            ArgAction::SetTrue => table.flag(&key)?.filter(|is_set| *is_set).map(|_| Vec::new()),
            ArgAction::Append => Some(table.texts(&key)?).filter(|texts| !texts.is_empty()),
            // A number is no path.
            _ if arg.get_value_parser().type_id() == TypeId::of::<PathBuf>() => {
                table.text(&key)?.map(|text| vec![text])
            }
            _ => table.word(&key)?.map(|word| vec![word]),
        };
        if let Some(values) = values.filter(|_| is_asked)
            && (goes_before || !found.contains_key(flag))
        {
            found.insert(flag.to_owned(), values);
        }
    }
    Ok(())
}

/// The flags that a command has for itself.
fn flags_of(command: &Command) -> impl Iterator<Item = &Arg> {
    command.get_arguments().filter(|arg| {
        arg.get_long().is_some_and(|flag| flag != NEVER)
            && !arg.is_global_set()
            && !arg.is_hide_set()
            && !matches!(
                arg.get_action(),
                ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
            )
    })
}

fn told(error: ConfigError) -> CliError {
    let message = format!("{FILE}: {error}");
    refused(error.code, message, error.hint)
}

fn refused(code: &'static str, message: String, hint: Option<String>) -> CliError {
    let refused = CliError::new(Category::InvalidInput, code, message);
    refused.hint(hint.unwrap_or_else(|| "`--no-config` leaves it out".to_owned()))
}
