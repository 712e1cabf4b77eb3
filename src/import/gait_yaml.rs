//! A YAML policy of the Go reference system becomes a policy of this language. In: the bytes of the policy, and intents
//! that name tools. Out: a complete `.gaitpol` source that compiles, and a report of what became of each rule. The
//! result is never looser than the original: what the language cannot say is emitted as something stricter, and the
//! report names every place where that happens.

mod cond;
mod constraint;
mod declare;
mod emit;
mod fields;
mod matching;
mod model;
mod parts;
mod pattern;
mod read;
mod remarks;
mod report;
mod target;
mod tools;
mod write;
mod yaml;

use std::collections::BTreeSet;

use crate::compile;
use crate::diag::Severity;
use crate::limits;
use crate::source::{FileId, Source};
use crate::syntax;

pub use report::{Kind, Note, RuleReport};
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
    let emitted = emit::policy(&policy, &tools);
    // A claim is enough for what only tightens; where the compiler sees further than that, every field is trusted.
    let trusted = emit::trusted(&emitted);
    let all = emit::used(&emitted.rules);
    let source = match compiled(&write::policy(name, &emitted, &tools, &trusted)) {
        Ok(source) => source,
        Err(_) => compiled(&write::policy(name, &emitted, &tools, &all))?,
    };
    Ok(Imported {
        source,
        tools: tools.len(),
        rules: emitted.reports,
        notes: emitted.notes,
    })
}

/// The source laid out, once it compiles.
fn compiled(source: &str) -> Result<String, ImportError> {
    let start = Place { line: 1, column: 1 };
    let laid_out = Source::new(FileId(0), "imported.gaitpol", source.to_owned());
    let refused = |why: &str| {
        ImportError::new(
            "import.policy_not_expressible",
            start,
            format!("what the policy becomes does not compile: {why}"),
        )
        .help("nothing was written; split the policy, or take out the rule named here")
    };
    let source = syntax::format(&laid_out).map_err(|errors| {
        refused(
            errors
                .first()
                .map_or("it does not parse", |error| error.message.as_str()),
        )
    })?;
    let report = compile::check("imported.gaitpol", &source);
    if let Some(error) = report.diagnostics.iter().find(|d| d.severity == Severity::Error) {
        let place = report
            .sources
            .first()
            .map(|source| source.slice(error.primary.span));
        return Err(refused(&format!(
            "{} {} at `{}`",
            error.code,
            error.message,
            shown(place.unwrap_or_default())
        )));
    }
    Ok(source)
}

/// A text of the author, short and on one line.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(limits::SHOWN_NAME_CHARS).collect();
    short.escape_debug().to_string()
}
