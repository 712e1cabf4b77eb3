//! What a bundle says of the one it follows, as commands show it.

use super::ui::count;
use crate::artifact::After;
use crate::json::Json;

/// For people.
pub fn line(after: After) -> String {
    let After {
        bundle,
        loosened,
        undecided,
    } = after;
    let what = match (loosened, undecided) {
        (0, 0) => "loosens nothing".to_owned(),
        (_, 0) => count(loosened as usize, "difference") + " loosened",
        (0, _) => count(undecided as usize, "difference") + " not decided",
        _ => format!(
            "{} loosened, {undecided} not decided",
            count(loosened as usize, "difference")
        ),
    };
    format!("{bundle}: {what}")
}

/// As JSON.
pub fn document(after: After) -> Json {
    Json::object([
        ("bundle", after.bundle.to_json()),
        ("loosened", Json::int(after.loosened.into())),
        ("undecided", Json::int(after.undecided.into())),
    ])
}
