//! `gait explain`: the page of a diagnostic code or lint, as it stands in `docs/errors/`, the entry of a built-in type,
//! as it stands in `docs/reference/types.md`, or the page of a library module, all shipped inside the binary.

use super::error::{Category, CliError};
use super::exit::Exit;
use super::ui::{Tone, Ui, paint, safe};
use crate::builtins::{self, manual};
use crate::compile::{self, library};
use crate::diag::{codes, suggest};
use crate::host::Host;
use crate::json::Json;
use crate::lint;

/// Explain a diagnostic code, a lint, a built-in type or a library module, with examples
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code, such as GP0102, the lint, such as broad_allow, the type, such as Email, or the module, such as std.fs
    #[arg(value_name = "CODE|LINT|TYPE|MODULE")]
    topic: String,
}

/// Prints the page.
pub fn run(ui: &mut Ui, _host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let wanted = args.topic.to_ascii_uppercase();
    let of_lint = lint::by_name(&args.topic).map(|lint| lint.code);
    let code = codes::PAGES
        .iter()
        .find(|(code, _)| code.0 == wanted || Some(*code) == of_lint);
    let ty = manual::find(&args.topic);
    let module = library::find(&args.topic);
    let (mut code_name, mut ty_name, mut module_name) = (Json::Null, Json::Null, Json::Null);
    let page = match (code, ty, module) {
        (Some((code, page)), ..) => {
            code_name = Json::str(code.0);
            (*page).to_owned()
        }
        (None, Some(doc), _) => {
            ty_name = Json::str(doc.name);
            manual::entry(doc)
        }
        (None, None, Some(module)) => {
            module_name = Json::str(module.name);
            compile::page(module)
        }
        (None, None, None) => return Err(unknown(&args.topic)),
    };
    if ui.is_json() {
        let members = [
            ("ok", Json::Bool(true)),
            ("code", code_name),
            ("type", ty_name),
            ("module", module_name),
            ("page", Json::str(page)),
        ];
        ui.json(&Json::object(members))?;
        return Ok(Exit::Success);
    }
    for line in page.lines() {
        if line.starts_with('#') {
            ui.line(&paint(Tone::Strong, line))?;
        } else {
            ui.line(&safe(line))?;
        }
    }
    Ok(Exit::Success)
}

fn unknown(given: &str) -> CliError {
    let error = CliError::new(
        Category::InvalidInput,
        "explain.unknown_topic",
        format!("no diagnostic code, lint, built-in type or library module is called `{given}`"),
    )
    .details([("given", Json::str(given))]);
    let types = builtins::ALL.iter().map(|doc| manual::key(doc));
    let lints = lint::ALL.iter().map(|lint| lint.name);
    let modules = compile::LIBRARY.iter().map(|module| module.name);
    let topics = codes::ALL
        .iter()
        .map(|(code, _)| code.0)
        .chain(types)
        .chain(lints)
        .chain(modules);
    match suggest::nearest(given, topics) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error
            .hint("codes look like GP0102 and stand in the brackets of a diagnostic; types look like Email, modules like std.fs"),
    }
}
