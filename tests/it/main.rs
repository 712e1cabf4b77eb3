//! The one integration binary: one module per kind of test.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures from disk")]

mod tidy;
