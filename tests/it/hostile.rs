//! Hostile archives, built byte by byte: each class is one change of a correct archive, with the code that must
//! refuse it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stderr,
    reason = "a test fails by panicking"
)]

use gait::artifact::archive::{self, Entry};

/// One entry as raw header fields.
#[derive(Clone)]
struct Raw {
    name: Vec<u8>,
    data: Vec<u8>,
    crc: Option<u32>,
    size: Option<u32>,
    stored: Option<u32>,
    flags: u16,
    method: u16,
    time: u16,
    date: u16,
    system: u8,
    attributes: u32,
    extra: Vec<u8>,
    comment: Vec<u8>,
    local_name: Option<Vec<u8>>,
    local_size: Option<u32>,
    local_extra: Vec<u8>,
    before: Vec<u8>,
    after: Vec<u8>,
}

/// An archive as raw parts.
#[derive(Clone)]
struct Zip {
    prefix: Vec<u8>,
    entries: Vec<Raw>,
    gap: Vec<u8>,
    count: Option<u16>,
    disk: u16,
    directory: i64,
    comment: Vec<u8>,
    trailing: Vec<u8>,
}

fn raw(name: &str) -> Raw {
    Raw {
        name: name.as_bytes().to_vec(),
        data: b"content".to_vec(),
        crc: None,
        size: None,
        stored: None,
        flags: 0,
        method: 0,
        time: 0,
        date: 0x21,
        system: 3,
        attributes: 0o100_644 << 16,
        extra: vec![],
        comment: vec![],
        local_name: None,
        local_size: None,
        local_extra: vec![],
        before: vec![],
        after: vec![],
    }
}

fn crc32(data: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            if c & 1 == 1 { c >> 1 ^ 0xEDB8_8320 } else { c >> 1 }
        })
    };
    !data.iter().fold(!0, step)
}

fn zip(names: &[&str]) -> Zip {
    let entries = names.iter().map(|name| raw(name)).collect();
    Zip {
        prefix: vec![],
        entries,
        gap: vec![],
        count: None,
        disk: 0,
        directory: 0,
        comment: vec![],
        trailing: vec![],
    }
}

impl Raw {
    fn fields(&self, size: Option<u32>, name: &[u8], extra: &[u8]) -> Vec<u8> {
        let len = self.data.len() as u32;
        let mut out = Vec::new();
        for word in [10, self.flags, self.method, self.time, self.date] {
            out.extend(u16::to_le_bytes(word));
        }
        for word in [
            self.crc.unwrap_or_else(|| crc32(&self.data)),
            self.stored.or(size).unwrap_or(len),
            size.unwrap_or(len),
        ] {
            out.extend(word.to_le_bytes());
        }
        out.extend((name.len() as u16).to_le_bytes());
        out.extend((extra.len() as u16).to_le_bytes());
        out
    }

    fn local(&self) -> Vec<u8> {
        let name = self.local_name.as_ref().unwrap_or(&self.name);
        let fields = self.fields(self.local_size.or(self.size), name, &self.local_extra);
        [
            &self.before[..],
            b"PK\x03\x04",
            &fields,
            name,
            &self.local_extra,
            &self.data,
            &self.after,
        ]
        .concat()
    }

    fn central(&self, offset: usize) -> Vec<u8> {
        let mut out = b"PK\x01\x02".to_vec();
        out.extend([10, self.system]);
        out.extend(self.fields(self.size, &self.name, &self.extra));
        out.extend((self.comment.len() as u16).to_le_bytes());
        out.extend([0; 4]);
        out.extend(self.attributes.to_le_bytes());
        out.extend((offset as u32).to_le_bytes());
        [&out[..], &self.name, &self.extra, &self.comment].concat()
    }
}

impl Zip {
    fn bytes(&self) -> Vec<u8> {
        let mut out = self.prefix.clone();
        let mut central = Vec::new();
        for entry in &self.entries {
            central.extend(entry.central(out.len() + entry.before.len()));
            out.extend(entry.local());
        }
        out.extend(&self.gap);
        let at = (out.len() as i64 + self.directory) as u32;
        let count = self.count.unwrap_or(self.entries.len() as u16);
        out.extend(&central);
        out.extend(b"PK\x05\x06");
        for word in [self.disk, self.disk, count, count] {
            out.extend(word.to_le_bytes());
        }
        out.extend((central.len() as u32).to_le_bytes());
        out.extend(at.to_le_bytes());
        out.extend((self.comment.len() as u16).to_le_bytes());
        [&out[..], &self.comment, &self.trailing].concat()
    }
}

/// The correct archive with its last entry, `b`, changed.
fn entry(change: impl FnOnce(&mut Raw)) -> Zip {
    let mut zip = zip(&["a", "b"]);
    change(&mut zip.entries[1]);
    zip
}

fn named(name: &str) -> Zip {
    zip(&[name])
}

fn whole(change: impl FnOnce(&mut Zip)) -> Zip {
    let mut zip = zip(&["a", "b"]);
    change(&mut zip);
    zip
}

fn classes() -> Vec<(&'static str, Zip, &'static str)> {
    let mut list = names();
    list.extend(headers());
    list.extend(layouts());
    list
}

fn names() -> Vec<(&'static str, Zip, &'static str)> {
    let refused = [
        ("traversal", "../a"),
        ("traversal inside", "a/../b"),
        ("dot segment", "./a"),
        ("absolute", "/a"),
        ("drive", "c:a"),
        ("backslash", "a\\b"),
        ("NUL", "a\0b"),
        ("empty name", ""),
        ("directory entry", "a/"),
        ("double slash", "a//b"),
        ("upper case", "A"),
        ("NFD accent", "e\u{301}"),
        ("NFC accent", "\u{e9}"),
        ("space at the end", "a "),
        ("stream", "a:b"),
        ("escape sequence", "a\u{1b}[31m"),
    ];
    let mut list: Vec<_> = refused
        .map(|(class, name)| (class, named(name), "verify.archive_name"))
        .into();
    list.push((
        "not UTF-8",
        entry(|e| e.name = b"\xff".to_vec()),
        "verify.archive_name",
    ));
    list.push(("duplicate", zip(&["a", "a"]), "verify.archive_duplicate_name"));
    list.push(("unsorted", zip(&["b", "a"]), "verify.archive_order"));
    list.push(("file and folder", zip(&["a", "a/b"]), "verify.archive_clash"));
    list
}

fn headers() -> Vec<(&'static str, Zip, &'static str)> {
    vec![
        (
            "wrong checksum",
            entry(|e| e.crc = Some(1)),
            "verify.archive_checksum",
        ),
        ("size short", entry(|e| e.size = Some(3)), "verify.archive_gap"),
        (
            "size long",
            entry(|e| e.size = Some(700)),
            "verify.archive_header",
        ),
        (
            "size of a bomb",
            entry(|e| e.size = Some(u32::MAX - 1)),
            "verify.archive_entry_too_large",
        ),
        (
            "sizes differ",
            entry(|e| e.stored = Some(3)),
            "verify.archive_header",
        ),
        ("data descriptor", entry(|e| e.flags = 8), "verify.archive_flags"),
        ("encrypted", entry(|e| e.flags = 1), "verify.archive_flags"),
        ("UTF-8 flag", entry(|e| e.flags = 0x800), "verify.archive_flags"),
        ("deflated", entry(|e| e.method = 8), "verify.archive_compressed"),
        (
            "unknown method",
            entry(|e| e.method = 99),
            "verify.archive_compressed",
        ),
        (
            "symlink",
            entry(|e| e.attributes = 0o120_777 << 16),
            "verify.archive_mode",
        ),
        (
            "executable",
            entry(|e| e.attributes = 0o100_755 << 16),
            "verify.archive_mode",
        ),
        (
            "DOS directory bit",
            entry(|e| e.attributes |= 0x10),
            "verify.archive_mode",
        ),
        ("other system", entry(|e| e.system = 0), "verify.archive_mode"),
        ("time", entry(|e| e.time = 1), "verify.archive_header"),
        ("date", entry(|e| e.date = 0x22), "verify.archive_header"),
        (
            "entry comment",
            entry(|e| e.comment = b"x".to_vec()),
            "verify.archive_extra",
        ),
        (
            "ZIP64 extra",
            entry(|e| e.extra = vec![1, 0, 8, 0, 7, 0, 0, 0, 0, 0, 0, 0]),
            "verify.archive_extra",
        ),
        (
            "unicode path extra",
            entry(|e| e.extra = vec![0x75, 0x70, 1, 0, 1]),
            "verify.archive_extra",
        ),
        (
            "local extra",
            entry(|e| e.local_extra = vec![1, 0, 0, 0]),
            "verify.archive_header",
        ),
        (
            "local name differs",
            entry(|e| e.local_name = Some(b"c".to_vec())),
            "verify.archive_header",
        ),
        (
            "local size differs",
            entry(|e| e.local_size = Some(1)),
            "verify.archive_header",
        ),
    ]
}

fn layouts() -> Vec<(&'static str, Zip, &'static str)> {
    let other = zip(&["a"]).bytes();
    vec![
        (
            "prefix",
            whole(|z| z.prefix = b"#!/bin/sh\n".to_vec()),
            "verify.archive_gap",
        ),
        (
            "trailing",
            whole(|z| z.trailing = b"x".to_vec()),
            "verify.archive_end",
        ),
        (
            "comment",
            whole(|z| z.comment = b"x".to_vec()),
            "verify.archive_end",
        ),
        (
            "end record in the comment",
            whole(|z| z.comment = other[other.len() - 22..].to_vec()),
            "verify.archive_directory",
        ),
        (
            "concatenated",
            whole(|z| z.prefix = other.clone()),
            "verify.archive_gap",
        ),
        (
            "gap between entries",
            entry(|e| e.before = b"xx".to_vec()),
            "verify.archive_gap",
        ),
        (
            "gap before directory",
            whole(|z| z.gap = b"xx".to_vec()),
            "verify.archive_gap",
        ),
        (
            "hidden local entry",
            entry(|e| e.after = raw("c").local()),
            "verify.archive_gap",
        ),
        (
            "count low",
            whole(|z| z.count = Some(1)),
            "verify.archive_directory",
        ),
        (
            "count high",
            whole(|z| z.count = Some(3)),
            "verify.archive_directory",
        ),
        (
            "too many",
            whole(|z| z.count = Some(10_001)),
            "verify.archive_too_many",
        ),
        (
            "ZIP64 count",
            whole(|z| z.count = Some(u16::MAX)),
            "verify.archive_unsupported",
        ),
        ("second disk", whole(|z| z.disk = 1), "verify.archive_unsupported"),
        (
            "directory shifted",
            whole(|z| z.directory = 1),
            "verify.archive_directory",
        ),
        (
            "directory far",
            whole(|z| z.directory = 1 << 31),
            "verify.archive_directory",
        ),
    ]
}

#[test]
fn the_generator_makes_the_one_form() {
    let ours = ["a", "b"].map(|name| Entry {
        name: name.into(),
        bytes: b"content".to_vec(),
    });
    assert_eq!(zip(&["a", "b"]).bytes(), archive::write(ours.to_vec()).unwrap());
}

#[test]
fn every_hostile_class_is_refused_with_its_code() {
    let list = classes();
    assert!(list.len() >= 50, "{} classes", list.len());
    let mut wrong = Vec::new();
    for (class, zip, code) in list {
        let found = archive::read(&zip.bytes()).map_or_else(|error| error.code(), |_| "accepted");
        if found != code {
            wrong.push(format!("{class}: {found}, not {code}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn an_archive_that_cannot_be_read_cannot_be_written() {
    for names in [&["a", "a"][..], &["../a"], &["a", "a/b"], &["A"]] {
        let entries = names
            .iter()
            .map(|name| Entry {
                name: (*name).into(),
                bytes: vec![],
            })
            .collect();
        assert!(archive::write(entries).is_err(), "{names:?}");
    }
}
