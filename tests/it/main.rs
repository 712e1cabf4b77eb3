//! The one integration binary: one module per kind of test.

mod corpora;
mod import;
mod intents;
