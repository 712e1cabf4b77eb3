//! The published JSON Schemas (draft 2020-12) of every artifact, by schema id. The files in `schemas/v1/` are the
//! contract, owned by hand; tests validate everything emitted against them.

/// One schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// The id in the `schema` member of documents; an envelope has none and is named by its media type.
    pub id: &'static str,
    /// The text of the JSON Schema.
    pub text: &'static str,
}

/// Every schema, sorted by id.
pub const ALL: &[Schema] = &[
    Schema {
        id: "application/vnd.dsse.envelope.v1+json",
        text: include_str!("../../schemas/v1/envelope.schema.json"),
    },
    Schema {
        id: "gait.approval/1",
        text: include_str!("../../schemas/v1/approval.schema.json"),
    },
    Schema {
        id: "gait.approvers/1",
        text: include_str!("../../schemas/v1/approvers.schema.json"),
    },
    Schema {
        id: "gait.bundle.manifest/1",
        text: include_str!("../../schemas/v1/bundle_manifest.schema.json"),
    },
    Schema {
        id: "gait.journal.entry/1",
        text: include_str!("../../schemas/v1/journal_entry.schema.json"),
    },
    Schema {
        id: "gait.key.private/1",
        text: include_str!("../../schemas/v1/key_private.schema.json"),
    },
    Schema {
        id: "gait.key.public/1",
        text: include_str!("../../schemas/v1/key_public.schema.json"),
    },
    Schema {
        id: "gait.runpack.manifest/1",
        text: include_str!("../../schemas/v1/runpack_manifest.schema.json"),
    },
    Schema {
        id: "gait.trace/1",
        text: include_str!("../../schemas/v1/trace.schema.json"),
    },
];

/// The schema of an id.
pub fn find(id: &str) -> Option<Schema> {
    ALL.iter().find(|schema| schema.id == id).copied()
}
