//! `gait policy cost`: what deciding costs at most.

use super::source;
use super::source::REPOSITORY;
use crate::builtins::written::number;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::ui::{Tone, Ui, count, one_line, paint};
use crate::compile;
use crate::host::Host;
use crate::ir::cost::{self, Around, Ceiling, Cost, Part, What};
use crate::ir::{self, Program, ToolProgram};
use crate::json::Json;
use crate::limits;
use crate::ty::Ty;
use std::path::PathBuf;

/// Tell how many steps a decision on each tool takes at most, and how large a session's state becomes
///
/// A step is one value classified, one question answered, one element of a list looked at, or one block of 256 rows of rules
/// read or written. Lists are as long as their types allow. No call takes more.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The policy files
    #[arg(default_value = REPOSITORY, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// A policy and what it costs.
struct Priced {
    file: String,
    program: Program,
    tools: Vec<Cost>,
}

impl Priced {
    fn new(file: String, program: Program) -> Priced {
        let around = Around::of(&program);
        let tools = program.tools.iter().map(|tool| cost::of_tool(around, tool));
        Priced {
            tools: tools.collect(),
            file,
            program,
        }
    }

    fn tools(&self) -> impl Iterator<Item = (&ToolProgram, &Cost)> {
        self.program.tools.iter().zip(&self.tools)
    }

    fn name(&self, tool: &ToolProgram, part: &Part) -> String {
        cost::name(Around::of(&self.program), tool, &part.what)
    }

    fn steps(&self) -> u64 {
        self.tools.iter().map(Cost::steps).max().unwrap_or(0)
    }

    fn state_bytes(&self) -> u64 {
        cost::state_bytes(&self.program.labels, &self.program.monitors)
    }

    fn program_bytes(&self) -> u64 {
        u64::try_from(ir::encode(&self.program).len()).unwrap_or(u64::MAX)
    }
}

/// Prints what each policy costs.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let mut all = Vec::new();
    for file in source::read_all(host, &args.files)? {
        let checked = source::checked(ui, host, &file)?;
        all.push(Priced::new(file.name, compile::lower(&checked)));
    }
    if ui.is_json() {
        ui.json(&document(&all))?;
    } else {
        all.iter().try_for_each(|one| print(ui, one))?;
    }
    Ok(Exit::Success)
}

fn print(ui: &mut Ui, one: &Priced) -> Result<(), CliError> {
    for (tool, cost) in one.tools() {
        ui.line(&format!(
            "{}  at most {} steps",
            paint(Tone::Strong, &one_line(&tool.name)),
            of(cost.steps())
        ))?;
        let mut parts: Vec<&Part> = cost.parts.iter().filter(|part| part.steps > 0).collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.steps));
        for part in parts.iter().take(limits::COSTLIEST_PARTS) {
            let elements = match part.what {
                What::List(_, most) if most != 1 => format!(", up to {} elements", of(most)),
                _ => String::new(),
            };
            let name = one_line(&one.name(tool, part));
            ui.line(&format!("  {:>13}  {name}{elements}", of(part.steps)))?;
        }
        let sizes = format!(
            "  rows {}, words {}, variables {}, automaton states {}",
            of(cost.rows),
            of(cost.words),
            of(cost.variables),
            of(cost.states)
        );
        ui.line(&paint(Tone::Dim, &sizes))?;
    }
    for limit in &one.program.limits {
        let bytes = of(cost::counter_bytes(limit.per));
        ui.line(&format!(
            "limit {}  a counter takes at most {bytes} bytes",
            one_line(&limit.name)
        ))?;
    }
    total(ui, one)
}

/// One line over everything.
fn total(ui: &mut Ui, one: &Priced) -> Result<(), CliError> {
    let ceiling = Ceiling::of(one.program.profile);
    let allowed = |n: Option<u64>| n.map_or(String::new(), |n| format!(" of {}", of(n)));
    ui.line(&format!(
        "{}: {}, at most {}{} steps, session state at most {}{} bytes, program {} bytes (profile {})",
        one_line(&one.file),
        count(one.tools.len(), "tool"),
        of(one.steps()),
        allowed(ceiling.map(|ceiling| ceiling.steps)),
        of(one.state_bytes()),
        allowed(ceiling.map(|ceiling| ceiling.state_bytes)),
        of(one.program_bytes()),
        one.program.profile
    ))
}

fn document(all: &[Priced]) -> Json {
    Json::object([
        ("ok", Json::Bool(true)),
        ("files", Json::Array(all.iter().map(of_file).collect())),
        ("exit_code", Json::int(i64::from(Exit::Success.code()))),
    ])
}

fn of_file(one: &Priced) -> Json {
    let ceiling = Ceiling::of(one.program.profile).map_or(Json::Null, |ceiling| {
        Json::object([
            ("steps", json(ceiling.steps)),
            ("state_bytes", json(ceiling.state_bytes)),
        ])
    });
    let limits = one.program.limits.iter().map(|limit| {
        Json::object([
            ("limit", Json::str(&limit.name)),
            ("counter_bytes", json(cost::counter_bytes(limit.per))),
        ])
    });
    let tools = one.tools().map(|(tool, cost)| of_tool(one, tool, cost));
    Json::object([
        ("file", Json::str(&one.file)),
        ("profile", Json::str(one.program.profile.as_str())),
        ("allowed", ceiling),
        ("steps", json(one.steps())),
        ("state_bytes", json(one.state_bytes())),
        ("program_bytes", json(one.program_bytes())),
        ("limits", Json::Array(limits.collect())),
        ("tools", Json::Array(tools.collect())),
    ])
}

fn of_tool(one: &Priced, tool: &ToolProgram, cost: &Cost) -> Json {
    let part = |part: &Part| {
        let kind = match part.what {
            What::Slot(_) => "computed",
            What::Value(_) => "value",
            What::List(..) => "list",
            What::Verdict => "verdict",
            What::Session => "session",
        };
        let mut members = vec![
            ("kind", Json::str(kind)),
            ("name", Json::str(one.name(tool, part))),
            ("steps", json(part.steps)),
        ];
        if let What::List(_, most) = part.what {
            members.push(("elements", json(most)));
        }
        Json::object(members)
    };
    Json::object([
        ("tool", Json::str(&tool.name)),
        ("steps", json(cost.steps())),
        ("rows", json(cost.rows)),
        ("words", json(cost.words)),
        ("variables", json(cost.variables)),
        ("automaton_states", json(cost.states)),
        ("parts", Json::Array(cost.parts.iter().map(part).collect())),
    ])
}

fn json(n: u64) -> Json {
    Json::int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn of(n: u64) -> String {
    number(i128::from(n), &Ty::Int)
}
