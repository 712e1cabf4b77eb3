//! Why an artifact was refused, or could not be made. One type for every failed verification in this layer; its
//! codes are part of the command line's contract and are never reused.

use super::archive::ArchiveError;
use super::digest::Digest;
use super::key::KeyId;
use crate::json::JsonError;

/// Why an artifact was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The document is over its size limit.
    #[error("{what} is over {limit} bytes")]
    TooLarge {
        /// What was read.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// The text is not strict JSON.
    #[error("{what} is not strict JSON: {error}")]
    NotJson {
        /// What was read.
        what: &'static str,
        /// Where and why.
        error: JsonError,
    },
    /// A member is missing, unknown or of another form.
    #[error("{what}: {reason}")]
    Shape {
        /// The document.
        what: &'static str,
        /// The member and what is wrong with it.
        reason: String,
    },
    /// The envelope's own text is not canonical.
    #[error("the envelope is not in canonical form (RFC 8785)")]
    EnvelopeNotCanonical,
    /// Base64 with wrong padding, alphabet or trailing bits.
    #[error("`{member}` of the envelope is not canonical base64")]
    Base64 {
        /// The member.
        member: &'static str,
    },
    /// The artifact is of another kind.
    #[error("the payload type is `{found}`, not `{expected}`")]
    PayloadType {
        /// What was asked for.
        expected: &'static str,
        /// What the envelope says.
        found: String,
    },
    /// The signed bytes are not canonical.
    #[error("the payload is not in canonical form (RFC 8785)")]
    PayloadNotCanonical,
    /// Another schema, or a version this program does not know.
    #[error("the schema is `{found}`, not `{expected}`")]
    Schema {
        /// The only schema accepted.
        expected: &'static str,
        /// What the payload says.
        found: String,
    },
    /// No signature at all.
    #[error("the envelope carries no signature")]
    Unsigned,
    /// More signatures than the limit.
    #[error("the envelope carries more than {limit} signatures")]
    TooManySignatures {
        /// The limit.
        limit: usize,
    },
    /// One key signs twice, or signatures are out of order.
    #[error("signatures are not one per key in increasing order of key id")]
    SignatureOrder,
    /// Fewer distinct trusted keys signed than the caller requires.
    #[error("{found} trusted keys signed, {required} are required")]
    Threshold {
        /// Distinct keys that signed.
        found: usize,
        /// Distinct keys required.
        required: usize,
    },
    /// A signature by a key that is not trusted.
    #[error("key {0} is not trusted")]
    KeyUnknown(KeyId),
    /// A signature that does not verify.
    #[error("the signature by key {0} does not verify")]
    SignatureInvalid(KeyId),
    /// `now` lies before the key's window.
    #[error("key {0} is not valid yet")]
    KeyNotYetValid(KeyId),
    /// `now` lies after the key's window.
    #[error("key {0} has expired")]
    KeyExpired(KeyId),
    /// The archive is refused as such.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The archive has no manifest.
    #[error("the archive has no `{0}`")]
    ManifestMissing(&'static str),
    /// A file the manifest does not declare.
    #[error("file `{0}` is not declared in the manifest")]
    FileUndeclared(String),
    /// A declared file that is not there.
    #[error("file `{0}` is declared in the manifest and missing")]
    FileMissing(String),
    /// A file of another size.
    #[error("file `{name}` has {found} bytes, the manifest says {declared}")]
    SizeMismatch {
        /// The file.
        name: String,
        /// Bytes declared.
        declared: u64,
        /// Bytes found.
        found: u64,
    },
    /// A file or document with other content.
    #[error("`{name}` has digest {found}, not {declared}")]
    DigestMismatch {
        /// The file or document.
        name: String,
        /// Digest declared.
        declared: Digest,
        /// Digest found.
        found: Digest,
    },
    /// A file that no artifact of this kind holds, or one too few.
    #[error("the files do not make a {what}: {reason}")]
    Contents {
        /// The kind.
        what: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The journal is not the one its traces make.
    #[error("the journal breaks at line {line}")]
    Chain {
        /// Line of `journal.jsonl`, from 1.
        line: usize,
    },
    /// Traces are linked to something that is not there, or twice to the same.
    #[error("the traces do not form a chain: {0}")]
    TraceLink(String),
    /// A trace of another run.
    #[error("trace `{trace_id}` does not belong to run `{run_id}`")]
    RunMismatch {
        /// The trace.
        trace_id: String,
        /// The run of the pack.
        run_id: String,
    },
}

impl VerifyError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "verify.too_large",
            Self::NotJson { .. } => "verify.not_json",
            Self::Shape { .. } => "verify.shape",
            Self::EnvelopeNotCanonical => "verify.envelope_not_canonical",
            Self::Base64 { .. } => "verify.base64",
            Self::PayloadType { .. } => "verify.payload_type",
            Self::PayloadNotCanonical => "verify.payload_not_canonical",
            Self::Schema { .. } => "verify.schema",
            Self::Unsigned => "verify.unsigned",
            Self::TooManySignatures { .. } => "verify.too_many_signatures",
            Self::SignatureOrder => "verify.signature_order",
            Self::Threshold { .. } => "verify.threshold",
            Self::KeyUnknown(_) => "verify.key_unknown",
            Self::SignatureInvalid(_) => "verify.signature_invalid",
            Self::KeyNotYetValid(_) => "verify.key_not_yet_valid",
            Self::KeyExpired(_) => "verify.key_expired",
            Self::Archive(error) => error.code(),
            Self::ManifestMissing(_) => "verify.manifest_missing",
            Self::FileUndeclared(_) => "verify.file_undeclared",
            Self::FileMissing(_) => "verify.file_missing",
            Self::SizeMismatch { .. } => "verify.size_mismatch",
            Self::DigestMismatch { .. } => "verify.digest_mismatch",
            Self::Contents { .. } => "verify.contents",
            Self::Chain { .. } => "verify.chain",
            Self::TraceLink(_) => "verify.trace_link",
            Self::RunMismatch { .. } => "verify.run_mismatch",
        }
    }
}

/// Why an artifact could not be made from what the caller handed in. What is made always verifies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// A name, id or number that its schema does not allow.
    #[error("cannot build: {0}")]
    Invalid(String),
    /// Two things of one name.
    #[error("`{0}` is given twice")]
    Duplicate(String),
    /// The archive writer refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A part that does not verify.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

impl BuildError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "build.invalid",
            Self::Duplicate(_) => "build.duplicate",
            Self::Archive(error) => error.code(),
            Self::Verify(error) => error.code(),
        }
    }
}
