//! Signed evidence: what is written down, signed, packed and checked again. In: bytes, keys, `now`. Out: bytes, or
//! values that exist only after one `verify` accepted them. It knows no clock, files or randomness, and neither
//! policies nor evaluation.

pub mod approval;
pub mod approvers;
pub mod archive;
pub mod attestation;
pub mod bundle;
pub mod credential;
pub mod delegation;
pub mod digest;
pub mod envelope;
mod error;
mod fields;
pub mod given;
pub mod jcs;
pub mod key;
pub mod kill_switch;
pub mod kind;
pub mod limit;
pub mod manifest;
pub mod members;
pub mod obligation;
pub mod outcome;
pub mod proof;
pub mod runpack;
pub mod schema;
pub mod script_approval;
pub mod time;
pub mod tool_lock;
pub mod trace;

pub use approvers::{Approver, Approvers};
pub use archive::ArchiveError;
pub use attestation::{Attestation, StatementRef};
pub use bundle::{After, Bundle, BundleContents, SourceFile, SourceKind, TestSummary};
pub use credential::CredentialRecord;
pub use delegation::Delegation;
pub use digest::Digest;
pub use envelope::{PayloadType, Signed, TrustedKeys, Verified};
pub use error::{BuildError, VerifyError};
pub use fields::is_id;
pub use given::{GivenApproval, Subject};
pub use key::{KeyError, KeyId, SigningKey, VerifyingKey};
pub use kill_switch::{KillSwitch, StopEntry};
pub use kind::Kind;
pub use outcome::{CallOutcome, SettledLimit};
pub use proof::ProofEntry;
pub use runpack::{Runpack, RunpackContents};
pub use script_approval::{ArgShape, ScriptApproval, StepShape};
pub use tool_lock::ToolLock;
pub use trace::{PolicyRef, TraceRecord, TraceScript, TraceSecret, TraceSecrets, TraceState};
