//! Proofs as a bundle records them: which claim was proved of which program, and by which compiler. In: a claim's name
//! and the digest of what it says. Out: the digest of what was proved, and the manifest's member. It cannot prove.

use super::VerifyError;
use super::digest::{self, Digest};
use super::fields::Fields;
use super::members::{self, Sink as _};
use crate::json::Json;

/// What the document of a proof starts with, so that its digest is none of anything else.
const SCHEMA: &str = "gait.proof/1";

/// An assertion or promise that was proved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProofEntry {
    /// Its name.
    pub name: String,
    /// The digest of what it says.
    pub claim: Digest,
}

impl ProofEntry {
    /// The digest of what was proved: that this claim holds of this program, as this compiler found.
    pub fn digest(&self, program: Digest, compiler: &str) -> Digest {
        digest::sha256(&members::text(|to| {
            to.digest("claim", &self.claim);
            to.text("compiler", compiler);
            to.text("name", &self.name);
            to.digest("program", &program);
            to.text("schema", SCHEMA);
        }))
    }

    pub(super) fn to_json(&self, digest: Digest) -> Json {
        Json::object([
            ("name", Json::str(&self.name)),
            ("claim", self.claim.to_json()),
            ("digest", digest.to_json()),
        ])
    }

    /// The entry with the digest it states, which is to be held against its own.
    pub(super) fn from_json(json: &Json) -> Result<(ProofEntry, Digest), VerifyError> {
        let fields = Fields::open("bundle manifest proof", json, &["name", "claim", "digest"])?;
        let entry = ProofEntry {
            name: fields.name("name")?,
            claim: fields.digest("claim")?,
        };
        Ok((entry, fields.digest("digest")?))
    }
}
