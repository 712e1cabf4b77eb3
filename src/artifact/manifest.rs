//! Containers: an archive whose `manifest.dsse.json` signs the digest of every other file. In: files and typed meta
//! data. Out: bytes, and back. The signed message stays small, and no file can be added, dropped or swapped.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::archive::{self, Entry};
use super::digest::{Digest, sha256};
use super::envelope::{self, Payload, PayloadType, TrustedKeys, Verified};
use super::fields::{Fields, number};
use super::key::SigningKey;
use super::{BuildError, VerifyError};
use crate::json::Json;

/// The name of the signed manifest in every container.
pub const MANIFEST_NAME: &str = "manifest.dsse.json";

/// What one kind of container says about itself beside its files.
pub trait Meta: Sized + PartialEq {
    /// The kind of payload.
    const TYPE: PayloadType;
    /// The kind's name in the manifest.
    const KIND: &'static str;
    /// The `meta` member.
    fn to_json(&self) -> Json;
    /// Reads the `meta` member strictly.
    fn from_json(json: &Json) -> Result<Self, VerifyError>;
}

/// A file as the manifest declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name in the archive.
    pub name: String,
    /// The digest of its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub bytes: u64,
}

/// The signed list of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest<M> {
    /// Every file but the manifest, sorted by name.
    pub files: Vec<FileEntry>,
    /// What the kind adds.
    pub meta: M,
}

/// Files of a container that match their manifest, by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Makes a container and signs it.
pub fn pack<M: Meta>(meta: M, mut entries: Vec<Entry>, key: &SigningKey) -> Result<Vec<u8>, BuildError> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let files = entries.iter().map(|entry| FileEntry {
        name: entry.name.clone(),
        digest: sha256(&entry.bytes),
        bytes: entry.bytes.len() as u64,
    });
    let manifest = Manifest {
        files: files.collect(),
        meta,
    };
    let signed = envelope::sign(&manifest, key)?;
    entries.push(Entry {
        name: MANIFEST_NAME.to_owned(),
        bytes: signed.into_bytes(),
    });
    Ok(archive::write(entries)?)
}

/// Adds a signature to the manifest of a container.
pub fn cosign<M: Meta>(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
    key: &SigningKey,
) -> Result<Vec<u8>, BuildError> {
    let mut entries = archive::read(bytes).map_err(VerifyError::from)?;
    let manifest = entries
        .iter_mut()
        .find(|entry| entry.name == MANIFEST_NAME)
        .ok_or(VerifyError::ManifestMissing(MANIFEST_NAME))?;
    let signed = envelope::cosign::<Manifest<M>>(&manifest.bytes, trusted, now, key)?;
    manifest.bytes = signed.into_bytes();
    Ok(archive::write(entries)?)
}

/// Opens a container: the archive, then the signed manifest, then every file against it.
pub fn unpack<M: Meta>(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<(Verified<Manifest<M>>, Files), VerifyError> {
    let mut files: Files = archive::read(bytes)?
        .into_iter()
        .map(|entry| (entry.name, entry.bytes))
        .collect();
    let envelope = files
        .remove(MANIFEST_NAME)
        .ok_or(VerifyError::ManifestMissing(MANIFEST_NAME))?;
    let manifest = envelope::verify::<Manifest<M>>(&envelope, trusted, now)?;
    let declared = &manifest.value().files;
    let known = |name: &String| declared.binary_search_by(|file| file.name.cmp(name)).is_ok();
    if let Some(name) = files.keys().find(|name| !known(name)) {
        return Err(VerifyError::FileUndeclared(name.clone()));
    }
    for file in declared {
        let content = files
            .get(&file.name)
            .ok_or_else(|| VerifyError::FileMissing(file.name.clone()))?;
        file.check(content)?;
    }
    Ok((manifest, files))
}

impl FileEntry {
    fn check(&self, content: &[u8]) -> Result<(), VerifyError> {
        let size = content.len() as u64;
        if size != self.bytes {
            let name = self.name.clone();
            return Err(VerifyError::SizeMismatch {
                name,
                declared: self.bytes,
                found: size,
            });
        }
        check_digest(&self.name, self.digest, content)
    }

    fn to_json(&self) -> Json {
        Json::object([
            ("name", Json::str(&self.name)),
            ("digest", self.digest.to_json()),
            ("bytes", number(self.bytes)),
        ])
    }

    fn from_json(json: &Json) -> Result<FileEntry, VerifyError> {
        let fields = Fields::open("manifest file", json, &["name", "digest", "bytes"])?;
        let name = fields.name("name")?;
        if !archive::is_name(&name) || name == MANIFEST_NAME {
            return Err(fields.refuse(format!("`{}` is not a file name", name.escape_debug())));
        }
        Ok(FileEntry {
            name,
            digest: fields.digest("digest")?,
            bytes: fields.count("bytes")?,
        })
    }
}

/// Errors unless `content` has the digest declared.
pub fn check_digest(name: &str, declared: Digest, content: &[u8]) -> Result<(), VerifyError> {
    check_declared(name, declared, sha256(content))
}

/// Errors unless the digest found is the one declared.
pub fn check_declared(name: &str, declared: Digest, found: Digest) -> Result<(), VerifyError> {
    if found == declared {
        return Ok(());
    }
    Err(VerifyError::DigestMismatch {
        name: name.to_owned(),
        declared,
        found,
    })
}

impl<M: Meta> Payload for Manifest<M> {
    const TYPE: PayloadType = M::TYPE;

    fn to_json(&self) -> Json {
        Json::object([
            ("schema", Json::str(M::TYPE.schema())),
            ("kind", Json::str(M::KIND)),
            (
                "files",
                Json::Array(self.files.iter().map(FileEntry::to_json).collect()),
            ),
            ("meta", self.meta.to_json()),
        ])
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let fields = Fields::open("manifest", json, &["schema", "kind", "files", "meta"])?;
        fields.constant("schema", M::TYPE.schema())?;
        fields.constant("kind", M::KIND)?;
        let files = fields.list("files", FileEntry::from_json)?;
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        fields.sorted("files", &names)?;
        Ok(Manifest {
            files,
            meta: M::from_json(fields.any("meta")?)?,
        })
    }
}
