//! The one integration binary: one module per kind of test.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "tests read fixtures from disk and may stop at the first surprise"
)]

#[cfg(test)]
mod artifact;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod corpora;
#[cfg(test)]
mod corpora_builtins;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod gate_eval;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod import;
#[cfg(test)]
mod intents;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod regress;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod syntax;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod vectors;
