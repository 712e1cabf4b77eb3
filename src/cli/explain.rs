//! `gait explain`: the page of a diagnostic code, as it stands in `docs/errors/`, shipped inside the binary.

use super::error::{Category, CliError};
use super::exit::Exit;
use super::ui::{Tone, Ui, paint, safe};
use crate::diag::{codes, suggest};
use crate::host::Host;
use crate::json::Json;

/// Explain a diagnostic code, with an example and its fix
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The code, such as GP0102
    code: String,
}

/// Prints the page.
pub fn run(ui: &mut Ui, _host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let wanted = args.code.to_ascii_uppercase();
    let (code, page) = codes::PAGES
        .iter()
        .find(|(code, _)| code.0 == wanted)
        .ok_or_else(|| unknown(&args.code))?;
    if ui.is_json() {
        let members = [
            ("ok", Json::Bool(true)),
            ("code", Json::str(code.0)),
            ("page", Json::str(*page)),
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
        "explain.unknown_code",
        format!("no diagnostic has the code `{given}`"),
    )
    .details([("given", Json::str(given))]);
    match suggest::nearest(given, codes::ALL.iter().map(|(code, _)| code.0)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint("codes look like GP0102; a diagnostic shows its code in brackets"),
    }
}
