//! Which tests of a run are meant: every one, or those whose name holds a text or fits a glob.

use crate::builtins::glob::{self, GlobKind};
use crate::builtins::regex;

/// One `--filter`.
#[derive(Clone, Debug)]
pub(super) enum Filter {
    /// The name holds this text.
    Part(String),
    /// The whole name matches this regular expression, made of a glob.
    Whole(String),
}

impl Filter {
    /// Reads a filter: a glob where it has a wildcard, else a part of a name.
    pub(super) fn parse(text: &str) -> Result<Filter, String> {
        if text.is_empty() {
            return Err("it is empty, so it would leave nothing out".to_owned());
        }
        if !text.contains(['*', '?']) {
            return Ok(Filter::Part(text.to_owned()));
        }
        let expression = glob::to_regex(GlobKind::String, text).map_err(|refused| refused.reason)?;
        Ok(Filter::Whole(expression))
    }

    fn holds(&self, name: &str) -> bool {
        match self {
            Filter::Part(part) => name.contains(part.as_str()),
            Filter::Whole(expression) => regex::is_match(expression, name),
        }
    }
}

/// Whether a test is meant: no filter leaves anything out, several select what any of them does.
pub(super) fn selects(filters: &[Filter], name: &str) -> bool {
    filters.is_empty() || filters.iter().any(|filter| filter.holds(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_a_part_or_a_glob() {
        for (filters, name, wanted) in [
            (&[][..], "mail stays inside", true),
            (&["stays"], "mail stays inside", true),
            (&["Stays"], "mail stays inside", false),
            (&["stays *"], "mail stays inside", false),
            (&["mail*"], "mail stays inside", true),
            (&["mail ????? inside"], "mail stays inside", true),
            (&["pay", "mail"], "mail stays inside", true),
            (&["a.b"], "a+b", false),
            (&["a.b*"], "a+b", false),
            (&[r"\*"], "a*b", false),
            (&[r"*\**"], "a*b", true),
        ] {
            let read: Vec<Filter> = filters.iter().map(|f| Filter::parse(f).unwrap()).collect();
            assert_eq!(selects(&read, name), wanted, "{filters:?} {name}");
        }
        assert!(Filter::parse("").is_err());
        assert!(Filter::parse(r"*\x").is_err());
    }
}
