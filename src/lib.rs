//! Gait decides whether an AI agent's tool call may happen, and proves afterwards what it decided and why.
//!
//! Modules are listed in reading order, lowest layer first; `ARCHITECTURE.md` has the table and the fourteen arrows.

// L0 base
pub mod diag;
pub mod domain;
pub mod json;
pub mod limits;
pub mod secrets;
pub mod source;
pub mod value;

// L1 syntax
pub mod syntax;

// L2 compile
pub mod analysis;
pub mod builtins;
pub mod classes;
pub mod compile;
pub mod hir;
pub mod ir;
pub mod lint;
pub mod ty;

// L3 run
pub mod eval;

// L3 evidence
pub mod artifact;

// L4 gate
pub mod gate;

// Effects
#[cfg(feature = "cli")]
pub mod host;
#[cfg(feature = "cli")]
pub mod store;

// L5 work
#[cfg(feature = "cli")]
pub mod approvals;
#[cfg(feature = "cli")]
pub mod attestation;
#[cfg(feature = "cli")]
pub mod boundary;
pub mod bundling;
pub mod compare;
#[cfg(feature = "cli")]
pub mod config;
pub mod coverage;
#[cfg(feature = "cli")]
pub mod credentials;
#[cfg(feature = "cli")]
pub mod delegation;
pub mod explain;
pub mod import;
#[cfg(feature = "cli")]
pub mod keyring;
#[cfg(feature = "cli")]
pub mod kill_switch;
#[cfg(feature = "cli")]
pub mod project;
pub mod prove;
pub mod regress;
#[cfg(feature = "cli")]
pub mod replay;
#[cfg(feature = "cli")]
pub mod session;
pub mod suite;
pub mod testgen;
#[cfg(all(feature = "serve", unix))]
pub mod trace_log;

// L6 surface
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(all(feature = "serve", unix))]
pub mod daemon;
#[cfg(all(feature = "serve", unix))]
pub mod http;
#[cfg(feature = "cli")]
pub mod mcp;
