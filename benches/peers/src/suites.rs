//! The work: what is decided, by which policy, in the words of each engine.

mod apps;
mod synthetic;
mod tools;
mod worlds;

use crate::engine::Failure;
use crate::suite::Suite;

/// The sizes of the synthetic suite.
const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

/// The suites whose name begins with `name`; `rules` says one size of the synthetic one.
pub fn all(name: &str, rules: Option<usize>) -> Result<Vec<Suite>, Failure> {
    let mut all = Vec::new();
    let sizes = rules.map_or(SIZES.to_vec(), |rules| vec![rules]);
    for rules in sizes {
        if synthetic::name(rules).starts_with(name) {
            all.push(synthetic::suite(rules)?);
        }
    }
    all.extend(tools::all(name)?);
    all.extend(apps::all(name)?);
    Ok(all)
}
