//! The MCP gateway beside a direct connection and beside plain relays; and what becomes of calls where everything around it fails.
//!
//! `cargo bench --bench gateway` times calls by turns, one of each connection after the other: of a server of its own, and of
//! `@modelcontextprotocol/server-everything` where `GAIT_MCP_NODE` names the folder of packages from npm. `GAIT_MCP_RELAYS` names programs
//! that relay without judging, such as `mcp-proxy` and `supergateway`, separated by `:`. `-- --calls 500` says how many calls.
//! `-- --soak 200000` makes so many calls instead, while servers, and with `--kill-gateway 10` every 10 seconds the gateway, are
//! killed; then it holds what has run against the signed traces. `-- --folder DIR` says where traces are: its disk is part of both.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement reads the clock, starts programs, prints, and stops at the first surprise"
)]

#[cfg(not(all(unix, feature = "serve")))]
fn main() {}

#[cfg(all(unix, feature = "serve"))]
mod connection;
#[cfg(all(unix, feature = "serve"))]
mod latency;
#[cfg(all(unix, feature = "serve"))]
mod place;
#[cfg(all(unix, feature = "serve"))]
mod server;
#[cfg(all(unix, feature = "serve"))]
mod soak;

/// What the command line says after a flag.
#[cfg(all(unix, feature = "serve"))]
fn told(name: &str) -> Option<String> {
    let args: Vec<String> = std::env::args().collect();
    let at = args.iter().position(|arg| arg == name)?;
    args.get(at + 1).cloned()
}

/// The number after a flag.
#[cfg(all(unix, feature = "serve"))]
fn number(name: &str) -> Option<u64> {
    told(name).map(|text| text.parse().expect("a number"))
}

#[cfg(all(unix, feature = "serve"))]
fn main() {
    if let Some(log) = told("--as-server") {
        server::serve(&log);
    } else if let Some(calls) = number("--soak") {
        soak::run(calls);
    } else {
        latency::run(number("--calls").unwrap_or(1_000));
    }
}
