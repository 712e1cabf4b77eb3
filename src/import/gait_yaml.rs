//! A YAML policy of the Go reference system becomes a policy of this language. In: the bytes of the policy, and intents
//! that name tools. Out: a complete `.gaitpol` source that compiles, and a report of what became of each rule. The
//! result is never looser than the original: what the language cannot say is emitted as something stricter, and the
//! report names every place where that happens.

mod cond;
mod constraint;
mod declare;
mod emit;
mod fields;
mod limit;
mod matching;
mod model;
mod parts;
mod pattern;
mod read;
mod remarks;
mod report;
mod script;
mod target;
mod tools;
mod window;
mod write;
mod yaml;

use std::collections::BTreeSet;

use crate::compile;
use crate::diag::Severity;
use crate::diag::codes::CONSTANT_CONDITION;
use crate::limits;
use crate::source::{FileId, Source};
use crate::syntax;

use emit::Emitted;
pub use report::{Kind, Note, RuleReport};
use tools::Tool;
pub use yaml::Place;

/// Why a YAML policy cannot be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportError {
    /// A stable code.
    pub code: &'static str,
    /// Where.
    pub at: Place,
    /// One sentence.
    pub message: String,
    /// What to do, where that is known.
    pub help: Option<String>,
}

impl ImportError {
    fn new(code: &'static str, at: Place, message: impl Into<String>) -> ImportError {
        ImportError {
            code,
            at,
            message: message.into(),
            help: None,
        }
    }

    fn help(self, help: impl Into<String>) -> ImportError {
        ImportError {
            help: Some(help.into()),
            ..self
        }
    }
}

/// An imported policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// A complete source, laid out.
    pub source: String,
    /// How many tools it declares.
    pub tools: usize,
    /// What became of each rule, in the order in which the Go system asks them.
    pub rules: Vec<RuleReport>,
    /// Remarks; those about the whole policy first.
    pub notes: Vec<Note>,
}

/// Imports a policy under a name. `called` are the names of tools that intents call: the policy declares them beside
/// those its rules name, since a call of a tool that is not declared is blocked.
pub fn policy(bytes: &[u8], name: &str, called: &BTreeSet<String>) -> Result<Imported, ImportError> {
    let policy = read::policy(yaml::read(bytes)?)?;
    let start = Place { line: 1, column: 1 };
    let tools = tools::tools(&policy, called);
    if tools.len() > limits::TOOLS {
        let message = format!("the policy would declare over {} tools", limits::TOOLS);
        return Err(ImportError::new("import.policy_too_large", start, message));
    }
    let mut emitted = emit::policy(&policy, &tools);
    let source = compiled(name, &mut emitted, &tools)?;
    Ok(Imported {
        source,
        tools: tools.len(),
        rules: emitted.reports,
        notes: emitted.notes,
    })
}

/// The source, laid out, once it compiles. Rules that no call can match are taken out of it and of the report.
fn compiled(name: &str, emitted: &mut Emitted, tools: &[Tool]) -> Result<String, ImportError> {
    // A claim is enough for what only tightens; where the compiler sees further than that, every field is trusted.
    let mut trusted = emit::trusted(emitted);
    // INVARIANT: each round takes out a rule, trusts more fields, or is the last.
    loop {
        let source = laid_out(write::policy(name, emitted, tools, &trusted))?;
        let report = compile::check("imported.gaitpol", &source);
        let mut errors = report
            .diagnostics
            .iter()
            .filter(|d| d.severity == Severity::Error);
        let Some(first) = errors.next() else {
            return Ok(source);
        };
        let never: BTreeSet<String> = std::iter::once(first)
            .chain(errors)
            .filter(|error| error.code == CONSTANT_CONDITION)
            .filter_map(|error| rule_at(&source, error.primary.span.start as usize))
            .collect();
        let all = emit::used(&emitted.rules, &emitted.limits);
        if emit::take_out(emitted, &never) {
            continue;
        }
        if trusted.is_superset(&all) {
            let place = report.sources.first().map(|s| s.slice(first.primary.span));
            let place = shown(place.unwrap_or_default());
            return Err(not_expressible(&format!(
                "{} {} at `{place}`",
                first.code, first.message
            )));
        }
        trusted = all;
    }
}

/// The standard layout.
fn laid_out(source: String) -> Result<String, ImportError> {
    let source = Source::new(FileId(0), "imported.gaitpol", source);
    syntax::format(&source).map_err(|errors| {
        let first = errors.first().map(|error| error.message.clone());
        not_expressible(&first.unwrap_or_else(|| "it does not parse".to_owned()))
    })
}

fn not_expressible(why: &str) -> ImportError {
    let message = format!("what the policy becomes does not compile: {why}");
    ImportError::new(
        "import.policy_not_expressible",
        Place { line: 1, column: 1 },
        message,
    )
    .help("nothing was written; split the policy, or take out the rule named here")
}

/// The name of the rule around a place of a source that is laid out.
fn rule_at(source: &str, place: usize) -> Option<String> {
    let before = source.get(..place)?;
    let item = before.rfind("\nrule ").max(before.rfind("\nlimit "))?;
    let (_, name) = before.get(item..)?.split_once(' ')?;
    // The report may start in the name itself.
    let whole = source.get(place - name.len().min(place)..)?;
    whole.split([' ', '\n']).next().map(str::to_owned)
}

/// A text of the author, short and on one line.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(limits::SHOWN_NAME_CHARS).collect();
    short.escape_debug().to_string()
}
