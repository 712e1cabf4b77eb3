//! The one integration binary: one module per kind of test.
#![expect(
    clippy::disallowed_methods,
    clippy::string_slice,
    reason = "tests read fixtures from disk and may stop at the first surprise"
)]

#[cfg(test)]
mod approvals;
#[cfg(test)]
mod approve;
#[cfg(test)]
mod approved_scripts;
mod artifact;
#[cfg(test)]
mod artifact_fixtures;
#[cfg(test)]
mod attestations;
#[cfg(test)]
mod author;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod browser;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod calls;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod canaries;
#[cfg(test)]
mod cli;
#[cfg(test)]
mod cli_bundle;
#[cfg(test)]
mod cli_keys;
#[cfg(test)]
mod codes;
mod compare;
#[cfg(test)]
mod corpora;
#[cfg(test)]
mod corpora_builtins;
#[cfg(test)]
mod cost;
#[cfg(test)]
mod coverage;
#[cfg(test)]
#[cfg(unix)]
mod credentials;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod daemon;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod daemon_fleet;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod daemon_hostile;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod daemon_inbox;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod daemon_interface;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod daemon_otlp;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod daemon_permits;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod daemon_state;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod daemon_tls;
#[cfg(test)]
mod delegation;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod detected;
#[cfg(test)]
mod elements;
#[cfg(test)]
mod enforcement;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod gait_yaml;
#[cfg(test)]
mod gate_eval;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod held;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod idle;
#[cfg(test)]
mod import;
#[cfg(test)]
mod inbox;
#[cfg(test)]
mod intent_page;
#[cfg(test)]
mod intents;
#[cfg(test)]
mod journals;
#[cfg(test)]
mod judged;
#[cfg(test)]
mod kill_switch;
#[cfg(test)]
mod lang;
#[cfg(test)]
mod laundering;
#[cfg(test)]
mod library;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lints;
#[cfg(test)]
mod mcp;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod mcp_approve;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod mcp_attacks;
#[cfg(test)]
mod mcp_conformance;
#[cfg(test)]
mod mcp_events;
#[cfg(test)]
mod mcp_import;
#[cfg(test)]
mod mcp_oauth;
#[cfg(test)]
mod mcp_offered;
#[cfg(test)]
mod mcp_pins;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod mcp_rounds;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod mcp_serve;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod mcp_web;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod modules;
mod monotone;
#[cfg(test)]
mod nearest;
#[cfg(test)]
mod oracle;
#[cfg(test)]
mod permit;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod policy;
mod proofs;
#[cfg(test)]
mod reach;
#[cfg(test)]
mod receipts;
#[cfg(test)]
mod recompute;
#[cfg(test)]
mod regress;
#[cfg(test)]
mod replay;
mod retail;
#[cfg(test)]
mod runs;
#[cfg(test)]
#[cfg(all(unix, feature = "serve"))]
mod scenario;
#[cfg(test)]
mod scopes;
#[cfg(test)]
mod script_oracle;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod security;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod shells;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod soup;
#[cfg(test)]
mod store;
#[cfg(test)]
mod succession;
#[cfg(test)]
mod syntax;
#[cfg(test)]
mod testgen;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod trace_text;
#[cfg(test)]
mod truths;
#[cfg(test)]
mod vectors;
#[cfg(test)]
mod wasm;
