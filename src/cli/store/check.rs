//! `gait store check`: whether a store is whole, by its engine and by every record of it.

use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::failure;
use crate::cli::store_args::StoreArgs;
use crate::cli::ui::{Ui, count, one_line};
use crate::host::Host;
use crate::json::Json;
use crate::limits;
use crate::store::{KINDS, Store, StoreError};
use std::collections::BTreeMap;

/// Check that a store is whole, and each of its records what its kind says
///
/// Exits with 2 where something is wrong.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    store: StoreArgs,
}

/// What a check found.
struct Found {
    /// How many records of each kind are good.
    good: BTreeMap<&'static str, usize>,
    flaws: Vec<String>,
    /// How many more flaws there are.
    more: usize,
}

/// Checks.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let store = args.store.open(host)?;
    let found = check(store.as_ref()).map_err(|error| failure::store(&error))?;
    let place = store.place();
    if !found.flaws.is_empty() {
        let total = found.flaws.len() + found.more;
        let first = found.flaws.first().map(String::as_str).unwrap_or_default();
        let message = format!("{place} has {}; {first}", count(total, "flaw"));
        let flaws = found.flaws.iter().map(Json::str).collect();
        return Err(CliError::new(Category::Verification, "store.damaged", message)
            .hint("keep the store as evidence; calls that need a damaged record are blocked")
            .details([("place", Json::str(place)), ("flaws", Json::Array(flaws))]));
    }
    if ui.is_json() {
        let number = |n: usize| Json::int(i64::try_from(n).unwrap_or(i64::MAX));
        let records = found.good.iter().map(|(kind, n)| (*kind, number(*n)));
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("place", Json::str(place)),
            ("records", Json::object(records)),
        ]))?;
    } else {
        ui.line(&format!("whole  {}", one_line(&place)))?;
        for (kind, n) in &found.good {
            ui.line(&format!("  {kind}: {n}"))?;
        }
    }
    Ok(Exit::Success)
}

fn check(store: &dyn Store) -> Result<Found, StoreError> {
    let mut found = Found {
        good: KINDS.iter().map(|kind| (kind.name, 0)).collect(),
        flaws: store.check()?,
        more: 0,
    };
    let mut after = (String::new(), String::new());
    loop {
        let rows = store.list((&after.0, &after.1), limits::STORE_PAGE)?;
        let Some(last) = rows.last() else {
            return Ok(found);
        };
        after = (last.kind.clone(), last.name.clone());
        for row in &rows {
            match row.checked() {
                Ok(_) => {
                    let kind = found.good.iter_mut().find(|(kind, _)| **kind == row.kind);
                    kind.into_iter().for_each(|(_, n)| *n += 1);
                }
                Err(_) if found.flaws.len() >= limits::STORE_FLAWS => found.more += 1,
                Err(reason) => {
                    let (kind, name) = (row.kind.escape_debug(), row.name.escape_debug());
                    found.flaws.push(format!("{kind} `{name}` is damaged: {reason}"));
                }
            }
        }
    }
}
