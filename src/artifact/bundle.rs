//! Bundles: a compiled policy with its sources, signed. In: what the compiler made. Out: bytes; back, a `Bundle` only
//! after everything verified. It does not look into the IR; the gate decodes it.

use jiff::Timestamp;

use super::archive::Entry;
use super::envelope::{PayloadType, TrustedKeys, Verified};
use super::fields::{Fields, number};
use super::key::SigningKey;
use super::manifest::{self, Files, Manifest, Meta, check_declared};
use super::proof::ProofEntry;
use super::{BuildError, Digest, VerifyError, digest};
use crate::domain::{Enforcement, Profile};
use crate::json::Json;
use crate::limits;

const IR_NAME: &str = "ir.bin";

/// What a compiled policy's own tests gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TestSummary {
    /// Cases that passed.
    pub passed: u32,
    /// Cases there are.
    pub total: u32,
}

/// What a source is to the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceKind {
    /// The policy itself; there is one.
    Policy,
    /// A module beside it.
    Module,
    /// A data file beside it.
    Data,
    /// A module of the compiler's library.
    Library,
}

impl SourceKind {
    /// All kinds.
    pub const ALL: [SourceKind; 4] = [
        SourceKind::Policy,
        SourceKind::Module,
        SourceKind::Data,
        SourceKind::Library,
    ];

    /// The word in the manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            SourceKind::Policy => "policy",
            SourceKind::Module => "module",
            SourceKind::Data => "data",
            SourceKind::Library => "library",
        }
    }

    fn parse(text: &str) -> Option<SourceKind> {
        SourceKind::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// A source of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceFile {
    /// Its name, as diagnostics show it.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// Its text.
    pub text: String,
}

/// The bundle that one was compiled to follow, and what its compiler found the change to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    /// The digest that names it.
    pub bundle: Digest,
    /// Kinds of calls and declarations that are loosened, at most 2^32 - 1.
    pub loosened: u32,
    /// Those of which that is not known.
    pub undecided: u32,
}

impl After {
    fn to_json(self) -> Json {
        Json::object([
            ("bundle", self.bundle.to_json()),
            ("loosened", number(self.loosened.into())),
            ("undecided", number(self.undecided.into())),
        ])
    }

    fn from_json(json: &Json) -> Result<Option<After>, VerifyError> {
        if *json == Json::Null {
            return Ok(None);
        }
        let fields = Fields::open(
            "bundle manifest predecessor",
            json,
            &["bundle", "loosened", "undecided"],
        )?;
        Ok(Some(After {
            bundle: fields.digest("bundle")?,
            loosened: fields.small("loosened")?,
            undecided: fields.small("undecided")?,
        }))
    }
}

/// What goes into a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleContents {
    /// The policy's name.
    pub name: String,
    /// The policy's version; empty when it states none.
    pub version: String,
    /// The language edition.
    pub edition: u32,
    /// Rises with every release; the gate refuses a lower one. At most 2^53 - 1.
    pub epoch: u64,
    /// The encoded decision program.
    pub ir: Vec<u8>,
    /// How strictly the policy asks to be held.
    pub profile: Profile,
    /// Whether what it decides binds; of the profile `strict` it does.
    pub enforcement: Enforcement,
    /// Everything it was compiled from: no two of one name, one of them the policy.
    pub sources: Vec<SourceFile>,
    /// The result of the policy's own tests.
    pub tests: TestSummary,
    /// What the policy claims, its assertions and promises: all of it was proved.
    pub proofs: Vec<ProofEntry>,
    /// The bundle it follows, where it was compiled to follow one.
    pub after: Option<After>,
    /// The version of the compiler.
    pub compiler: String,
    /// The version of the tz database that zones of windows are taken from.
    pub tz: String,
}

/// A bundle that was opened: its contents, and the digest that names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// What it holds; sources sorted by name.
    pub contents: BundleContents,
    /// The digest of the signed manifest: the bundle's name in traces.
    pub digest: Digest,
}

/// The `meta` member of a bundle's manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleMeta {
    name: String,
    version: String,
    edition: u32,
    epoch: u64,
    tests: TestSummary,
    /// Sorted by name, each with the digest of what was proved.
    proofs: Vec<(ProofEntry, Digest)>,
    after: Option<After>,
    compiler: String,
    tz: String,
    profile: Profile,
    enforcement: Enforcement,
    /// Source name, kind and archive name, sorted by the first.
    sources: Vec<(String, SourceKind, String)>,
}

/// Builds and signs a bundle. The order of `sources` and `proofs` does not matter.
pub fn build(mut contents: BundleContents, key: &SigningKey) -> Result<Vec<u8>, BuildError> {
    if i128::from(contents.epoch) > limits::SAFE_INTEGER {
        return Err(BuildError::Invalid("the epoch is over 2^53 - 1".to_owned()));
    }
    if !is_enforced(contents.profile, contents.enforcement) {
        return Err(BuildError::Invalid(UNENFORCED.to_owned()));
    }
    contents.sources.sort();
    contents.proofs.sort();
    let sources = contents.sources.iter().map(|source| &source.name);
    let proofs = contents.proofs.iter().map(|proof| &proof.name);
    if let Some(name) = duplicate(sources).or_else(|| duplicate(proofs)) {
        return Err(BuildError::Duplicate(name.clone()));
    }
    let policies = contents.sources.iter().filter(|s| s.kind == SourceKind::Policy);
    if policies.count() != 1 {
        return Err(BuildError::Invalid("there is not exactly one policy".to_owned()));
    }
    let program = digest::sha256(&contents.ir);
    let proved = contents.proofs.into_iter().map(|proof| {
        let digest = proof.digest(program, &contents.compiler);
        (proof, digest)
    });
    let proofs = proved.collect();
    let mut entries = vec![Entry {
        name: IR_NAME.to_owned(),
        bytes: contents.ir,
    }];
    let mut sources = Vec::new();
    for (index, source) in contents.sources.into_iter().enumerate() {
        let file = source_file(index, &source.name);
        entries.push(Entry {
            name: file.clone(),
            bytes: source.text.into_bytes(),
        });
        sources.push((source.name, source.kind, file));
    }
    let meta = BundleMeta {
        name: contents.name,
        version: contents.version,
        edition: contents.edition,
        epoch: contents.epoch,
        tests: contents.tests,
        proofs,
        after: contents.after,
        compiler: contents.compiler,
        tz: contents.tz,
        profile: contents.profile,
        enforcement: contents.enforcement,
        sources,
    };
    manifest::pack(meta, entries, key)
}

const UNENFORCED: &str = "a policy of the profile `strict` is enforced";

/// Whether a policy of this profile may be deployed so.
fn is_enforced(profile: Profile, enforcement: Enforcement) -> bool {
    enforcement.binds() || profile != Profile::Strict
}

/// Adds the signature of one more key to a bundle that opens; its digest stays the same.
pub fn cosign(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
    key: &SigningKey,
) -> Result<Vec<u8>, BuildError> {
    open(bytes, trusted, now)?;
    manifest::cosign::<BundleMeta>(bytes, trusted, now, key)
}

/// The first of two equal names beside each other.
fn duplicate<'n>(names: impl Iterator<Item = &'n String> + Clone) -> Option<&'n String> {
    let pairs = names.clone().zip(names.skip(1));
    pairs.into_iter().find_map(|(a, b)| (a == b).then_some(a))
}

/// Opens a bundle; the only way to a `Verified<Bundle>`.
pub fn open(bytes: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Result<Verified<Bundle>, VerifyError> {
    let (manifest, files) = manifest::unpack::<BundleMeta>(bytes, trusted, now)?;
    let digest = manifest.digest();
    manifest.try_map(|manifest| assemble(manifest, files, digest))
}

fn assemble(manifest: Manifest<BundleMeta>, mut files: Files, digest: Digest) -> Result<Bundle, VerifyError> {
    let wrong = |reason: String| VerifyError::Contents {
        what: "bundle",
        reason,
    };
    let meta = manifest.meta;
    let ir = files
        .remove(IR_NAME)
        .ok_or_else(|| wrong(format!("`{IR_NAME}` is missing")))?;
    let program = digest::sha256(&ir);
    let mut proofs = Vec::new();
    for (proof, declared) in meta.proofs {
        let what = format!("the proof of {}", proof.name);
        check_declared(&what, declared, proof.digest(program, &meta.compiler))?;
        proofs.push(proof);
    }
    let mut sources = Vec::new();
    for (name, kind, file) in meta.sources {
        let bytes = files
            .remove(&file)
            .ok_or_else(|| wrong(format!("`{file}` is missing")))?;
        let text = String::from_utf8(bytes).map_err(|_| wrong(format!("`{file}` is not UTF-8")))?;
        sources.push(SourceFile { name, kind, text });
    }
    if let Some(name) = files.keys().next() {
        return Err(wrong(format!("`{name}` is no part of a bundle")));
    }
    let contents = BundleContents {
        name: meta.name,
        version: meta.version,
        edition: meta.edition,
        epoch: meta.epoch,
        ir,
        profile: meta.profile,
        enforcement: meta.enforcement,
        sources,
        tests: meta.tests,
        proofs,
        after: meta.after,
        compiler: meta.compiler,
        tz: meta.tz,
    };
    Ok(Bundle { contents, digest })
}

/// The archive name of a source: its index keeps it distinct, what its name may keep makes it readable.
fn source_file(index: usize, name: &str) -> String {
    let plain = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '.' | '-' | '_') => c,
        _ => '_',
    };
    let slug: String = name.chars().map(plain).take(limits::SOURCE_SLUG_BYTES).collect();
    format!("sources/{index:04}_{slug}")
}

impl Meta for BundleMeta {
    const TYPE: PayloadType = PayloadType::BundleManifest;
    const KIND: &'static str = "bundle";

    fn to_json(&self) -> Json {
        let sources = self.sources.iter().map(|(name, kind, file)| {
            Json::object([
                ("name", Json::str(name)),
                ("kind", Json::str(kind.as_str())),
                ("file", Json::str(file)),
            ])
        });
        let proofs = self.proofs.iter().map(|(proof, digest)| proof.to_json(*digest));
        let tests = Json::object([
            ("passed", number(self.tests.passed.into())),
            ("total", number(self.tests.total.into())),
        ]);
        let mut members = vec![
            ("name", Json::str(&self.name)),
            ("version", Json::str(&self.version)),
            ("edition", number(self.edition.into())),
            ("epoch", number(self.epoch)),
            ("tests", tests),
            ("proofs", Json::Array(proofs.collect())),
            ("after", self.after.map_or(Json::Null, After::to_json)),
            ("compiler", Json::str(&self.compiler)),
            ("tz", Json::str(&self.tz)),
            ("profile", Json::str(self.profile.as_str())),
            ("sources", Json::Array(sources.collect())),
        ];
        if !self.enforcement.binds() {
            members.push(("enforcement", Json::str(self.enforcement.as_str())));
        }
        Json::object(members)
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let known = [
            "name",
            "version",
            "edition",
            "epoch",
            "tests",
            "proofs",
            "after",
            "compiler",
            "tz",
            "profile",
            "sources",
            "enforcement",
        ];
        let fields = Fields::open("bundle manifest", json, &known)?;
        let tests = Fields::open(
            "bundle manifest tests",
            fields.any("tests")?,
            &["passed", "total"],
        )?;
        let tests = TestSummary {
            passed: tests.small("passed")?,
            total: tests.small("total")?,
        };
        if tests.passed > tests.total {
            return Err(fields.refuse("more tests passed than there are"));
        }
        let proofs = fields.list("proofs", ProofEntry::from_json)?;
        let names: Vec<&str> = proofs.iter().map(|(proof, _)| proof.name.as_str()).collect();
        fields.sorted("proofs", &names)?;
        let sources = fields.list("sources", |json| {
            let source = Fields::open("bundle manifest source", json, &["name", "kind", "file"])?;
            let kind = SourceKind::parse(source.text("kind")?)
                .ok_or_else(|| source.refuse("`kind` is none of a source"))?;
            Ok((source.name("name")?, kind, source.name("file")?))
        })?;
        let names: Vec<&str> = sources.iter().map(|(name, ..)| name.as_str()).collect();
        fields.sorted("sources", &names)?;
        if sources
            .iter()
            .filter(|(_, kind, _)| *kind == SourceKind::Policy)
            .count()
            != 1
        {
            return Err(fields.refuse("there is not exactly one policy"));
        }
        let profile = Profile::parse(fields.text("profile")?)
            .ok_or_else(|| fields.refuse("`profile` is none of a policy"))?;
        let enforcement = match fields.optional_text("enforcement")? {
            None => Enforcement::Enforce,
            Some(word) => Enforcement::parse(&word)
                .filter(|level| !level.binds())
                .ok_or_else(|| fields.refuse("`enforcement` is neither `shadow` nor `observe`"))?,
        };
        if !is_enforced(profile, enforcement) {
            return Err(fields.refuse(UNENFORCED));
        }
        for (index, (name, _, file)) in sources.iter().enumerate() {
            if *file != source_file(index, name) {
                return Err(fields.refuse(format!("`{}` is not the file of its source", file.escape_debug())));
            }
        }
        Ok(BundleMeta {
            name: fields.name("name")?,
            version: fields.text("version")?.to_owned(),
            edition: fields.small("edition")?,
            epoch: fields.count("epoch")?,
            tests,
            proofs,
            after: After::from_json(fields.any("after")?)?,
            compiler: fields.name("compiler")?,
            tz: fields.name("tz")?,
            profile,
            enforcement,
            sources,
        })
    }
}
