//! The one integration binary: one module per kind of test.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "tests read fixtures from disk and may stop at the first surprise"
)]

mod artifact;
mod cli;
mod codes;
mod corpora;
mod corpora_builtins;
mod generated;
mod hostile;
mod import;
mod intents;
mod oracle;
mod syntax;
mod tidy;
mod vectors;
