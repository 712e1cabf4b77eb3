//! The one archive form: a ZIP whose bytes follow from its names and contents alone. In: entries. Out: bytes, and
//! back. Two parsers read every archive (`layout`, by hand, and the zip crate), and what they read is written again
//! and must give the same bytes; so nothing that two tools could read differently gets through.

mod layout;

use std::io::{Cursor, Read as _, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipArchive, ZipWriter};

use crate::limits;

/// One file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name: `/`-separated segments of `a-z`, `0-9`, `.`, `_`, `-`.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Why an archive was refused, or cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Over `limits::ARCHIVE_BYTES`, as bytes or as the sum of the sizes declared.
    #[error("the archive is over {} bytes", limits::ARCHIVE_BYTES)]
    TooLarge,
    /// Over `limits::ARCHIVE_ENTRIES`.
    #[error("the archive has over {} entries", limits::ARCHIVE_ENTRIES)]
    TooMany,
    /// Over `limits::ARCHIVE_ENTRY_BYTES`.
    #[error("entry `{0}` is over {max} bytes", max = limits::ARCHIVE_ENTRY_BYTES)]
    EntryTooLarge(String),
    /// The last 22 bytes are no end record: not a ZIP, cut off, with a comment or with trailing data.
    #[error("the archive does not end with a plain end record (cut off, comment or trailing data)")]
    End,
    /// Several disks or ZIP64.
    #[error("the archive uses several disks or ZIP64")]
    Unsupported,
    /// The central directory does not lie between the last entry and the end record.
    #[error("the central directory is not where the end record says")]
    Directory,
    /// Bytes before, between or after entries.
    #[error("bytes that belong to no entry before `{0}`")]
    Gap(String),
    /// A name outside the alphabet, absolute, empty, too long, or with `.` or `..`.
    #[error("entry name `{0}` is not allowed")]
    Name(String),
    /// One name twice.
    #[error("entry `{0}` appears twice")]
    DuplicateName(String),
    /// Names not in increasing order.
    #[error("entry `{0}` is out of order")]
    Order(String),
    /// A name that is both a file and a folder of another.
    #[error("entry `{0}` is both a file and a folder")]
    Clash(String),
    /// Compressed.
    #[error("entry `{0}` is compressed")]
    Compressed(String),
    /// Encrypted, streamed with a data descriptor, or otherwise flagged.
    #[error("entry `{0}` has flags set (encryption, data descriptor or others)")]
    Flags(String),
    /// A link, a folder, a program or another system's file.
    #[error("entry `{0}` is not a plain file of mode 0644")]
    Mode(String),
    /// Extra fields or a comment.
    #[error("entry `{0}` has extra fields or a comment")]
    Extra(String),
    /// The two headers of an entry differ, or hold other than the fixed values.
    #[error("the headers of entry `{0}` differ or are not the fixed ones")]
    Header(String),
    /// Content that does not give the checksum.
    #[error("entry `{0}` does not match its checksum")]
    Checksum(String),
    /// The two parsers disagree, or writing it again gives other bytes.
    #[error("the archive is not the one its contents make")]
    NotReproducible,
    /// The zip crate refuses.
    #[error("the archive cannot be read or written: {0}")]
    Backend(String),
}

impl ArchiveError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "verify.archive_too_large",
            Self::TooMany => "verify.archive_too_many",
            Self::EntryTooLarge(_) => "verify.archive_entry_too_large",
            Self::End => "verify.archive_end",
            Self::Unsupported => "verify.archive_unsupported",
            Self::Directory => "verify.archive_directory",
            Self::Gap(_) => "verify.archive_gap",
            Self::Name(_) => "verify.archive_name",
            Self::DuplicateName(_) => "verify.archive_duplicate_name",
            Self::Order(_) => "verify.archive_order",
            Self::Clash(_) => "verify.archive_clash",
            Self::Compressed(_) => "verify.archive_compressed",
            Self::Flags(_) => "verify.archive_flags",
            Self::Mode(_) => "verify.archive_mode",
            Self::Extra(_) => "verify.archive_extra",
            Self::Header(_) => "verify.archive_header",
            Self::Checksum(_) => "verify.archive_checksum",
            Self::NotReproducible => "verify.archive_not_reproducible",
            Self::Backend(_) => "verify.archive_backend",
        }
    }
}

/// Writes an archive: entries sorted by name, stored, 1980-01-01, mode 0644. Errors on what `read` would refuse.
pub fn write(mut entries: Vec<Entry>) -> Result<Vec<u8>, ArchiveError> {
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    let sizes: Vec<(&str, u64)> = entries
        .iter()
        .map(|e| (e.name.as_str(), e.bytes.len() as u64))
        .collect();
    check_names(&sizes)?;
    check_sizes(&sizes)?;
    let bytes = emit(&entries).map_err(|error| ArchiveError::Backend(error.to_string()))?;
    if bytes.len() > limits::ARCHIVE_BYTES {
        return Err(ArchiveError::TooLarge);
    }
    Ok(bytes)
}

/// Reads an archive; nothing of an archive that is refused is returned. The steps:
///
/// 1. size of the archive
/// 2. layout, by hand: end record, count, directory, every header, names, order, sizes, no byte unaccounted for
/// 3. names: allowed, no file that is also a folder; sizes: each and in total
/// 4. the zip crate: opens, no duplicates, consistent headers, the same names, checksums
/// 5. written again: the same bytes
pub fn read(bytes: &[u8]) -> Result<Vec<Entry>, ArchiveError> {
    if bytes.len() > limits::ARCHIVE_BYTES {
        return Err(ArchiveError::TooLarge);
    }
    let spans = layout::walk(bytes)?;
    let sizes: Vec<(&str, u64)> = spans
        .iter()
        .map(|s| (s.name.as_str(), (s.data.end - s.data.start) as u64))
        .collect();
    check_names(&sizes)?;
    check_sizes(&sizes)?;
    let entries = extract(bytes, &spans)?;
    let again = emit(&entries).map_err(|error| ArchiveError::Backend(error.to_string()))?;
    if again != bytes {
        return Err(ArchiveError::NotReproducible);
    }
    Ok(entries)
}

fn emit(entries: &[Entry]) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o644)
        .system(System::Unix);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in entries {
        writer.start_file(entry.name.as_str(), options)?;
        writer.write_all(&entry.bytes)?;
    }
    Ok(writer.finish()?.into_inner())
}

/// Step 4: the second parser must see the same files.
fn extract(bytes: &[u8], spans: &[layout::Span]) -> Result<Vec<Entry>, ArchiveError> {
    let backend = |error: zip::result::ZipError| ArchiveError::Backend(error.to_string());
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(backend)?;
    if archive.has_duplicate_names() || archive.len() != spans.len() {
        return Err(ArchiveError::NotReproducible);
    }
    archive.validate_header_consistency().map_err(backend)?;
    let mut entries = Vec::with_capacity(spans.len());
    for (index, span) in spans.iter().enumerate() {
        let file = archive.by_index(index).map_err(backend)?;
        if file.name_raw() != span.name.as_bytes() || !file.is_file() {
            return Err(ArchiveError::NotReproducible);
        }
        let expected = bytes.get(span.data.clone()).unwrap_or_default();
        let mut content = Vec::with_capacity(expected.len());
        let bound = limits::ARCHIVE_ENTRY_BYTES as u64;
        file.take(bound)
            .read_to_end(&mut content)
            .map_err(|_| ArchiveError::Checksum(span.name.clone()))?;
        if content != expected {
            return Err(ArchiveError::NotReproducible);
        }
        entries.push(Entry {
            name: span.name.clone(),
            bytes: content,
        });
    }
    Ok(entries)
}

/// Names allowed, strictly increasing, and none both file and folder.
fn check_names(entries: &[(&str, u64)]) -> Result<(), ArchiveError> {
    if entries.len() > limits::ARCHIVE_ENTRIES {
        return Err(ArchiveError::TooMany);
    }
    let mut seen = std::collections::BTreeSet::new();
    for (name, _) in entries {
        if !is_name(name) {
            return Err(ArchiveError::Name(printable(name)));
        }
        if !seen.insert(*name) {
            return Err(ArchiveError::DuplicateName(printable(name)));
        }
    }
    for pair in entries.windows(2) {
        if let [(before, _), (after, _)] = pair
            && before >= after
        {
            return Err(ArchiveError::Order(printable(after)));
        }
    }
    let folders = entries
        .iter()
        .flat_map(|(name, _)| name.match_indices('/').map(|(at, _)| name.get(..at)));
    match folders.flatten().find(|folder| seen.contains(folder)) {
        Some(folder) => Err(ArchiveError::Clash(printable(folder))),
        None => Ok(()),
    }
}

fn check_sizes(entries: &[(&str, u64)]) -> Result<(), ArchiveError> {
    let mut total = 0u64;
    for (name, size) in entries {
        if *size > limits::ARCHIVE_ENTRY_BYTES as u64 {
            return Err(ArchiveError::EntryTooLarge(printable(name)));
        }
        total = total.saturating_add(*size);
    }
    if total > limits::ARCHIVE_BYTES as u64 {
        return Err(ArchiveError::TooLarge);
    }
    Ok(())
}

/// Whether a name is allowed: no case, no accents, no way up, nothing a file system could read differently.
pub fn is_name(name: &str) -> bool {
    let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-');
    name.len() <= limits::ARCHIVE_NAME_BYTES
        && name
            .split('/')
            .all(|segment| !matches!(segment, "" | "." | "..") && segment.bytes().all(allowed))
}

/// A name as it may be shown: control and foreign characters escaped.
fn printable(name: &str) -> String {
    name.escape_default().take(limits::ARCHIVE_NAME_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use super::{Entry, is_name, read, write};

    #[test]
    fn allows_only_plain_names() {
        for name in ["a", "a/b.json", "0-9_x.y", "a..b", "...", &"x".repeat(255)] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "./a",
            "A",
            "é",
            "a\\b",
            "a b",
            "c:",
            "a\0",
            &"x".repeat(256),
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn writes_the_same_bytes_from_any_order() {
        let entry = |name: &str| Entry {
            name: name.into(),
            bytes: name.as_bytes().to_vec(),
        };
        let names = ["b/c", "a", "b.d", "b/a"];
        let one = write(names.map(entry).to_vec()).unwrap();
        let mut shuffled = names;
        shuffled.reverse();
        assert_eq!(write(shuffled.map(entry).to_vec()).unwrap(), one);
        let back: Vec<String> = read(&one).unwrap().into_iter().map(|e| e.name).collect();
        assert_eq!(back, ["a", "b.d", "b/a", "b/c"]);
        let digest = crate::artifact::digest::sha256(&one).to_string();
        assert_eq!(
            digest, "sha256:ffcb0686b4d101595fa58f4519841d27836ad19985cee6f56ffa988d9527b196",
            "the zip crate writes other bytes than before"
        );
    }
}
