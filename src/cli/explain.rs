//! `gait explain`: the page of a diagnostic code or lint, as it stands in `docs/errors/`, or the entry of a built-in
//! type, as it stands in `docs/reference/types.md`, shipped inside the binary.

use super::error::{Category, CliError};
use super::exit::Exit;
use super::ui::{Tone, Ui, paint, safe};
use crate::builtins::{self, manual};
use crate::diag::{codes, suggest};
use crate::host::Host;
use crate::json::Json;
use crate::lint;

/// Explain a diagnostic code, a lint or a built-in type, with examples
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code, such as GP0102, the lint, such as broad_allow, or the type, such as Email
    #[arg(value_name = "CODE|LINT|TYPE")]
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
    let (page, code, ty) = match (code, ty) {
        (Some((code, page)), _) => ((*page).to_owned(), Json::str(code.0), Json::Null),
        (None, Some(doc)) => (manual::entry(doc), Json::Null, Json::str(doc.name)),
        (None, None) => return Err(unknown(&args.topic)),
    };
    if ui.is_json() {
        let members = [
            ("ok", Json::Bool(true)),
            ("code", code),
            ("type", ty),
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
        format!("no diagnostic code, lint or built-in type is called `{given}`"),
    )
    .details([("given", Json::str(given))]);
    let types = builtins::ALL.iter().map(|doc| manual::key(doc));
    let lints = lint::ALL.iter().map(|lint| lint.name);
    let topics = codes::ALL
        .iter()
        .map(|(code, _)| code.0)
        .chain(types)
        .chain(lints);
    match suggest::nearest(given, topics) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error
            .hint("codes look like GP0102 and stand in the brackets of a diagnostic; types look like Email"),
    }
}
