//! `gait policy import tools`: declarations from a catalogue of tools.

use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::policy::source::count;
use crate::cli::ui::Ui;
use crate::host::{Host, Mode};
use crate::import::{self, Descriptions, Imported, Note, Options};
use crate::json::Json;
use crate::limits;
use std::io::Read;
use std::path::PathBuf;

/// Turn a tool catalogue into a policy that declares its tools
///
/// Reads a saved MCP `tools/list` result, a list of functions as chat APIs take it, or one tool per line (JSONL);
/// also compressed with gzip. The policy goes to standard output; what was narrowed or left out is told on standard
/// error. Exits 6 when no tool could be declared.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The catalogue
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Put this and a dot before every tool name
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Keep the descriptions; they are the tool author's words and may be aimed at a model
    #[arg(long)]
    descriptions: bool,
    /// The name of the policy
    #[arg(long, value_name = "NAME", default_value = "imported.tools")]
    name: String,
    /// Write a new file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Imports a catalogue.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let bytes = unpacked(host.read(&args.from, limits::FILE_BYTES)?)?;
    let options = Options {
        prefix: args.prefix,
        descriptions: if args.descriptions {
            Descriptions::Keep
        } else {
            Descriptions::Omit
        },
        policy_name: args.name,
    };
    let done = import::tools_from_bytes(&bytes, &options).map_err(|error| {
        CliError::new(
            Category::InvalidInput,
            "import.not_json",
            format!("{} cannot be read: {error}", args.from.display()),
        )
        .hint("save the tool list as JSON, or as one JSON document per line")
    })?;
    if done.tools == 0 {
        return Err(nothing(&done));
    }
    if let Some(out) = &args.out {
        host.write_new(out, done.source.as_bytes(), Mode::Public)?;
    }
    if ui.is_json() {
        let path = args.out.map_or(Json::Null, |p| Json::str(p.to_string_lossy()));
        ui.json(&document(&done, path))?;
        return Ok(Exit::Success);
    }
    tell(ui, &done);
    if args.out.is_none() {
        ui.raw(done.source.as_bytes())?;
    }
    Ok(Exit::Success)
}

/// The catalogue itself, where it came compressed.
fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, CliError> {
    const GZIP: [u8; 2] = [0x1f, 0x8b];
    if !bytes.starts_with(&GZIP) {
        return Ok(bytes);
    }
    let wrong = |code: &str, message: String| CliError::new(Category::InvalidInput, code, message);
    let mut plain = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice())
        .take(limits::FILE_BYTES + 1)
        .read_to_end(&mut plain)
        .map_err(|error| {
            wrong(
                "import.not_gzip",
                format!("the file cannot be decompressed: {error}"),
            )
        })?;
    if plain.len() as u64 > limits::FILE_BYTES {
        let message = format!("the file is over {} bytes once decompressed", limits::FILE_BYTES);
        return Err(wrong("import.too_large", message));
    }
    Ok(plain)
}

fn tell(ui: &mut Ui, done: &Imported) {
    for note in &done.notes {
        ui.note(&sentence("note", note));
    }
    for refused in &done.refused {
        ui.warn(&sentence("left out", refused));
    }
    let [tools, notes, refused] = [done.tools, done.notes.len(), done.refused.len()];
    ui.note(&format!(
        "{} declared, {}, {refused} left out; add rules and effects, then run `gait policy check`",
        count(tools, "tool"),
        count(notes, "note")
    ));
}

fn sentence(head: &str, note: &Note) -> String {
    let tool = if note.tool.is_empty() {
        String::new()
    } else {
        format!(" `{}`", note.tool)
    };
    let place = if note.pointer.is_empty() {
        "the catalogue"
    } else {
        &note.pointer
    };
    format!("{head}{tool}: {} ({place})", note.message).replace('\n', " ")
}

fn nothing(done: &Imported) -> CliError {
    let (message, hint) = match done.refused.first() {
        Some(first) => (
            format!("no tool could be declared; {}", sentence("left out", first)),
            "`--json` lists every reason",
        ),
        None => (
            "the catalogue lists no tools".to_owned(),
            "a catalogue is a list of objects with `name` and a schema of the arguments",
        ),
    };
    CliError::new(Category::InvalidInput, "import.nothing", message)
        .hint(hint)
        .details([("refused", notes(&done.refused))])
}

fn notes(of: &[Note]) -> Json {
    let note = |n: &Note| {
        Json::object([
            ("tool", Json::str(&n.tool)),
            ("pointer", Json::str(&n.pointer)),
            ("message", Json::str(&n.message)),
        ])
    };
    Json::Array(of.iter().map(note).collect())
}

fn document(done: &Imported, out: Json) -> Json {
    Json::object([
        ("ok", Json::Bool(true)),
        ("tools", Json::int(i64::try_from(done.tools).unwrap_or(i64::MAX))),
        ("out", out),
        ("source", Json::str(&done.source)),
        ("notes", notes(&done.notes)),
        ("refused", notes(&done.refused)),
    ])
}
