//! `gait store show`: the records of a store, each as the document that it is.

use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::failure;
use crate::cli::store_args::StoreArgs;
use crate::cli::ui::{Ui, one_line};
use crate::host::Host;
use crate::json::{self, Json};
use crate::limits;
use crate::store::{KINDS, Row, Store, StoreError};

/// Show the records of a store
///
/// A record whose digest is wrong, or which is not what its kind says, ends this with 2; `gait store check` lists all of
/// them.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only records of this kind, such as counter
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only records after the one of this name, where more were there than are shown at once
    #[arg(long, value_name = "NAME", requires = "kind")]
    after: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
}

/// Shows.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    if let Some(kind) = &args.kind
        && !KINDS.iter().any(|known| known.name == *kind)
    {
        let names: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        let message = format!("there is no kind `{}`", kind.escape_debug());
        return Err(CliError::new(Category::InvalidInput, "usage.invalid", message)
            .hint(format!("the kinds are {}", names.join(", "))));
    }
    let store = args.store.open(host)?;
    let kind = args.kind.as_deref();
    let after = (
        kind.unwrap_or_default(),
        args.after.as_deref().unwrap_or_default(),
    );
    let rows = rows(store.as_ref(), kind, after).map_err(|error| failure::store(&error))?;
    let more = rows.len() > limits::STORE_SHOWN;
    let mut shown = Vec::new();
    for row in rows.iter().take(limits::STORE_SHOWN) {
        shown.push((
            row,
            value(store.as_ref(), row).map_err(|error| failure::store(&error))?,
        ));
    }
    if ui.is_json() {
        let record = |(row, value): &(&Row, Json)| {
            Json::object([
                ("kind", Json::str(&row.kind)),
                ("name", Json::str(&row.name)),
                ("value", value.clone()),
            ])
        };
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("place", Json::str(store.place())),
            ("records", Json::Array(shown.iter().map(record).collect())),
            ("more", Json::Bool(more)),
        ]))?;
        return Ok(Exit::Success);
    }
    for (row, _) in &shown {
        let value = String::from_utf8_lossy(&row.value);
        ui.line(&format!("{} {}", one_line(&row.kind), one_line(&row.name)))?;
        ui.line(&format!("  {}", one_line(&value)))?;
    }
    if more {
        ui.warn("there are more: name a kind with --kind, and the last name with --after");
    }
    Ok(Exit::Success)
}

/// As many rows as are shown, and one more where there is one.
fn rows(store: &dyn Store, kind: Option<&str>, after: (&str, &str)) -> Result<Vec<Row>, StoreError> {
    let mut all: Vec<Row> = Vec::new();
    let mut after = (after.0.to_owned(), after.1.to_owned());
    loop {
        let page = store.list((&after.0, &after.1), limits::STORE_PAGE)?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        after = (last.kind.clone(), last.name.clone());
        let of_kind = |row: &Row| kind.is_none_or(|kind| row.kind == kind);
        let ends = page.iter().any(|row| !of_kind(row));
        all.extend(page.into_iter().filter(of_kind));
        if ends || all.len() > limits::STORE_SHOWN {
            return Ok(all);
        }
    }
}

fn value(store: &dyn Store, row: &Row) -> Result<Json, StoreError> {
    let damaged = |reason: String| StoreError::Damaged {
        place: store.place(),
        record: format!("{} `{}`", row.kind.escape_debug(), row.name.escape_debug()),
        reason,
    };
    let bytes = row.checked().map_err(damaged)?;
    json::parse(bytes).map_err(|error| damaged(error.to_string()))
}
