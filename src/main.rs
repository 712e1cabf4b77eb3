//! The binary: hands over to `gait::cli`.

fn main() {}
