//! The one integration binary: one module per kind of test.

#[cfg(test)]
mod corpora;
#[cfg(test)]
mod import;
#[cfg(test)]
mod intents;
