//! Which artifact some bytes claim to be, so that the caller knows which verification to ask for. In: bytes. Out: a
//! kind or nothing. It verifies nothing: a damaged artifact still counts as its kind, and its verification says why
//! it is refused.

use super::archive;
use super::envelope::PayloadType;
use super::key;
use super::manifest::MANIFEST_NAME;
use crate::json::{self, Json};

/// The kinds of artifact that are files of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A compiled policy.
    Bundle,
    /// A packed run.
    Runpack,
    /// One signed trace.
    Trace,
    /// One signed approval.
    Approval,
    /// The signed state of a kill switch.
    KillSwitch,
    /// The signed word on what became of a call.
    Outcome,
    /// One signed link of a delegation.
    Delegation,
    /// One signed approval of every script of a shape.
    ScriptApproval,
    /// One signed fact.
    Attestation,
    /// The signed record of a credential that was handed out.
    Credential,
    /// A private key file.
    PrivateKey,
    /// A public key file.
    PublicKey,
}

impl Kind {
    /// The name in messages and documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Bundle => "bundle",
            Kind::Runpack => "runpack",
            Kind::Trace => "trace",
            Kind::Approval => "approval",
            Kind::KillSwitch => "kill_switch",
            Kind::Outcome => "outcome",
            Kind::Delegation => "delegation",
            Kind::ScriptApproval => "script_approval",
            Kind::Attestation => "attestation",
            Kind::Credential => "credential",
            Kind::PrivateKey => "private_key",
            Kind::PublicKey => "public_key",
        }
    }
}

/// The kind that bytes claim. One changed byte hides none of them: an archive shows at either end, a document by any
/// of its members.
pub fn claimed(bytes: &[u8]) -> Option<Kind> {
    if is_archive(bytes) {
        return Some(archive_kind(bytes));
    }
    match json::parse(bytes) {
        Ok(document) => document_kind(&document),
        Err(_) => text_kind(bytes),
    }
}

const LOCAL_HEADER: &[u8] = b"PK\x03\x04";
const END_RECORD: &[u8] = b"PK\x05\x06";
const END_RECORD_BYTES: usize = 22;

fn is_archive(bytes: &[u8]) -> bool {
    let tail = bytes.len().saturating_sub(END_RECORD_BYTES);
    bytes.starts_with(LOCAL_HEADER) || bytes.get(tail..).is_some_and(|end| end.starts_with(END_RECORD))
}

/// An archive that cannot be read counts as a bundle: reading fails alike for every kind.
fn archive_kind(bytes: &[u8]) -> Kind {
    let entries = archive::read(bytes).unwrap_or_default();
    let manifest = entries.iter().find(|entry| entry.name == MANIFEST_NAME);
    let envelope = manifest.and_then(|entry| json::parse(&entry.bytes).ok());
    let payload_type = envelope
        .as_ref()
        .and_then(|e| e.get("payloadType"))
        .and_then(Json::as_str);
    match payload_type {
        Some(text) if text == PayloadType::RunpackManifest.media_type() => Kind::Runpack,
        _ => Kind::Bundle,
    }
}

/// Documents in an envelope that are no traces.
const ENVELOPED: [(PayloadType, Kind); 7] = [
    (PayloadType::Approval, Kind::Approval),
    (PayloadType::KillSwitch, Kind::KillSwitch),
    (PayloadType::Outcome, Kind::Outcome),
    (PayloadType::Delegation, Kind::Delegation),
    (PayloadType::ScriptApproval, Kind::ScriptApproval),
    (PayloadType::Attestation, Kind::Attestation),
    (PayloadType::Credential, Kind::Credential),
];

/// Members that only one kind of document has.
const MEMBERS: [(&str, Kind); 5] = [
    ("seed", Kind::PrivateKey),
    ("public_key", Kind::PublicKey),
    ("payload", Kind::Trace),
    ("payloadType", Kind::Trace),
    ("signatures", Kind::Trace),
];

fn document_kind(document: &Json) -> Option<Kind> {
    match document.get("schema").and_then(Json::as_str) {
        Some(key::PRIVATE_SCHEMA) => return Some(Kind::PrivateKey),
        Some(key::PUBLIC_SCHEMA) => return Some(Kind::PublicKey),
        _ => {}
    }
    let payload_type = document.get("payloadType").and_then(Json::as_str);
    let is_of = |(known, _): &&(PayloadType, Kind)| payload_type == Some(known.media_type());
    let enveloped = ENVELOPED.iter().find(is_of).map(|(_, kind)| *kind);
    let has = |(member, _): &&(&str, Kind)| document.get(member).is_some();
    enveloped.or_else(|| MEMBERS.iter().find(has).map(|(_, kind)| *kind))
}

/// For what is not JSON, or not any more.
fn text_kind(bytes: &[u8]) -> Option<Kind> {
    let head = bytes.get(..bytes.len().min(crate::limits::ENVELOPE_BYTES))?;
    let text = String::from_utf8_lossy(head);
    let schemas = [
        (key::PRIVATE_SCHEMA, Kind::PrivateKey),
        (key::PUBLIC_SCHEMA, Kind::PublicKey),
    ];
    let members = MEMBERS.map(|(member, kind)| (format!("\"{member}\":"), kind));
    let marks = schemas.map(|(schema, kind)| (format!("\"{schema}\""), kind));
    let mut known = marks.into_iter().chain(members);
    known.find(|(mark, _)| text.contains(mark)).map(|(_, kind)| kind)
}
