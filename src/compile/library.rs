//! The library: the modules inside the program. Some every policy sees, the others are imported by name.

/// A module of the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Module {
    /// What an import calls it.
    pub name: &'static str,
    /// What diagnostics, traces and bundles call its source.
    pub source: &'static str,
    /// Its text.
    pub text: &'static str,
    /// Whether every policy sees it without an import.
    pub prelude: bool,
    /// A policy that imports and tests it.
    pub example: Option<&'static str>,
}

macro_rules! prelude {
    ($name:literal) => {
        Module {
            name: concat!("std.", $name),
            source: concat!("stdlib/", $name, ".gaitpol"),
            text: include_str!(concat!("../../stdlib/", $name, ".gaitpol")),
            prelude: true,
            example: None,
        }
    };
}

macro_rules! module {
    ($name:literal) => {
        Module {
            name: concat!("std.", $name),
            source: concat!("stdlib/", $name, ".gaitpol"),
            text: include_str!(concat!("../../stdlib/", $name, ".gaitpol")),
            prelude: false,
            example: Some(include_str!(concat!("../../stdlib/tests/", $name, ".gaitpol"))),
        }
    };
}

/// Every module; those of the prelude first.
pub const LIBRARY: &[Module] = &[
    prelude!("effects"),
    prelude!("context"),
    module!("approvals"),
    module!("credentials"),
    module!("evidence"),
    module!("fs"),
    module!("git"),
    module!("net"),
    module!("pii"),
    module!("risk"),
    module!("shell"),
    module!("sql"),
    module!("time"),
    module!("v1"),
];

/// The folder of the library's sources; no file of a policy may lie in one of this name.
pub const FOLDER: &str = "stdlib/";

/// The module an import names.
pub fn find(name: &str) -> Option<&'static Module> {
    LIBRARY.iter().find(|module| module.name == name)
}

/// The module a source is the text of.
pub fn of_source(source: &str) -> Option<&'static Module> {
    LIBRARY.iter().find(|module| module.source == source)
}
