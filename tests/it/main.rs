//! The one integration binary.

mod generated;
mod syntax;
