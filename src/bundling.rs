//! From a checked policy to its signed bundle and back: building, loading the program, building again. In: a
//! `Checked` policy and a key, or an opened bundle. Out: bytes, a `Program`, or a named error. No clock, no files: the
//! same policy, epoch and key give the same bytes.

mod rebuild;
pub mod succession;

use crate::analysis::Outcome;
use crate::artifact::{
    BuildError, Bundle, BundleContents, ProofEntry, SigningKey, SourceFile, SourceKind, TestSummary,
    TrustedKeys, Verified, VerifyError, bundle,
};
use crate::builtins::zone;
use crate::compile::{self, Checked, FileKind};
use crate::domain::Enforcement;
use crate::ir::{self, DecodeError, Program};
use crate::prove::{self, Proof};
use crate::suite::{self, CaseResult};
use jiff::Timestamp;

pub use rebuild::{Difference, rebuild, reprove};
pub use succession::{Succession, SuccessionError};

/// The version of this compiler, as bundles record it.
pub const COMPILER: &str = env!("CARGO_PKG_VERSION");

/// A bundle that was built and opened again.
#[derive(Clone, Debug)]
pub struct Built {
    /// The file's content.
    pub bytes: Vec<u8>,
    /// What it opens to.
    pub bundle: Verified<Bundle>,
    /// The program in it.
    pub program: Program,
}

/// Which release of its policy a bundle is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Release<'b> {
    /// Its number.
    pub epoch: u64,
    /// The bundle that it is to follow, where it names one.
    pub after: Option<&'b Bundle>,
    /// Whether what it decides binds.
    pub enforcement: Enforcement,
}

/// Why no bundle was built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundlingError {
    /// The policy's own tests fail.
    #[error("{} of {total} test cases failed", failed.len())]
    Tests {
        /// The failed cases.
        failed: Vec<CaseResult>,
        /// Cases there are.
        total: usize,
    },
    /// The policy does not prove what it claims.
    #[error("`{0}` is not proved")]
    Unproved(String),
    /// It may not follow the bundle that it is to follow.
    #[error(transparent)]
    Succession(#[from] SuccessionError),
    /// The contents make no bundle.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// What was built does not open: a bug.
    #[error("the bundle does not open again: {0}")]
    Reopen(#[from] VerifyError),
    /// What was built does not load: a bug.
    #[error("the bundle does not load again: {0}")]
    Reload(#[from] LoadError),
}

/// Proves what the policy claims, builds, signs and opens again. A policy whose tests or proofs fail gets no bundle.
pub fn build(checked: &Checked, epoch: u64, key: &SigningKey) -> Result<Built, BundlingError> {
    let release = Release {
        epoch,
        ..Release::default()
    };
    build_proved(checked, &prove::proofs(checked), release, key)
}

/// The same with the proofs of this policy, which the caller has from `prove`.
pub fn build_proved(
    checked: &Checked,
    proofs: &[Proof],
    release: Release<'_>,
    key: &SigningKey,
) -> Result<Built, BundlingError> {
    let contents = contents(checked, proofs, release)?;
    let bytes = bundle::build(contents, key)?;
    // The key carries no validity window, so any instant will do.
    let trusted = TrustedKeys::new([key.verifying_key()]);
    let bundle = bundle::open(&bytes, &trusted, Timestamp::UNIX_EPOCH)?;
    let program = load(bundle.value())?;
    Ok(Built {
        bytes,
        bundle,
        program,
    })
}

fn contents(
    checked: &Checked,
    proofs: &[Proof],
    release: Release<'_>,
) -> Result<BundleContents, BundlingError> {
    let package = checked.package();
    let epoch = release.epoch;
    let proofs = proved(checked, proofs)?;
    let after = release
        .after
        .map(|before| succession::after(before, checked, epoch))
        .transpose()?;
    let cases = suite::run(checked);
    let total = cases.len();
    let summary = summary(&cases);
    let failed: Vec<CaseResult> = cases.into_iter().filter(|case| !case.passed()).collect();
    if !failed.is_empty() {
        return Err(BundlingError::Tests { failed, total });
    }
    Ok(BundleContents {
        name: package.name.clone(),
        version: package.version.clone(),
        edition: package.edition,
        epoch,
        ir: ir::encode(&compile::lower(checked)),
        profile: package.profile,
        enforcement: release.enforcement,
        sources: sources(checked),
        tests: summary,
        proofs,
        after,
        compiler: COMPILER.to_owned(),
        tz: zone::version().to_owned(),
    })
}

/// A record of each proof. Errors unless every assertion and promise of the policy has one.
fn proved(checked: &Checked, proofs: &[Proof]) -> Result<Vec<ProofEntry>, BundlingError> {
    let assertions = checked.package().assertions.iter();
    let promises = checked.compats().iter().map(|compat| &compat.name);
    let names = assertions.map(|assertion| &assertion.name).chain(promises);
    let entries = names.map(|name| {
        let mut holding = proofs.iter().filter(|proof| proof.outcome == Outcome::Holds);
        let proof = holding.find(|proof| proof.name == *name);
        let proof = proof.ok_or_else(|| BundlingError::Unproved(name.clone()))?;
        Ok(ProofEntry {
            name: proof.name.clone(),
            claim: proof.claim(),
        })
    });
    entries.collect()
}

/// The files a policy is made of, as a bundle holds them.
pub fn sources(checked: &Checked) -> Vec<SourceFile> {
    let files = checked.files().map(|(name, kind, text)| SourceFile {
        name: name.to_owned(),
        kind: match kind {
            FileKind::Policy => SourceKind::Policy,
            FileKind::Module => SourceKind::Module,
            FileKind::Data => SourceKind::Data,
            FileKind::Library => SourceKind::Library,
        },
        text: text.to_owned(),
    });
    files.collect()
}

fn summary(cases: &[CaseResult]) -> TestSummary {
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    TestSummary {
        passed: small(cases.iter().filter(|case| case.passed()).count()),
        total: small(cases.len()),
    }
}

/// Why the program of a bundle is refused, although the bundle itself verified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The program's bytes.
    #[error("the program cannot be read: {0}")]
    Program(#[from] DecodeError),
    /// The manifest describes another program.
    #[error("the program's {0} is not the one the manifest names")]
    Described(&'static str),
}

impl LoadError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            LoadError::Program(_) => "bundle.program",
            LoadError::Described(_) => "bundle.described",
        }
    }
}

/// Reads the program of an opened bundle and holds it against the manifest.
pub fn load(bundle: &Bundle) -> Result<Program, LoadError> {
    let contents = &bundle.contents;
    let program = ir::decode(&contents.ir)?;
    if program.policy != contents.name {
        return Err(LoadError::Described("policy"));
    }
    if program.version != contents.version {
        return Err(LoadError::Described("version"));
    }
    if program.edition != contents.edition {
        return Err(LoadError::Described("edition"));
    }
    if program.profile != contents.profile {
        return Err(LoadError::Described("profile"));
    }
    let mut files: Vec<&String> = program.files.iter().collect();
    files.sort();
    let sources = contents.sources.iter().filter(|s| s.kind != SourceKind::Data);
    if !files.into_iter().eq(sources.map(|s| &s.name)) {
        return Err(LoadError::Described("list of sources"));
    }
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "gaitpol 1\npolicy p @ \"1\"\ndefault block code none\n\
        tool t { n: Int }\nrule small on t when args.n < 10 allow\n\
        assert big on t when args.n > 50 verdict == block\n\
        test \"t\" { call t { n: 1 } => allow }\n";

    fn refused(text: &str) -> BundlingError {
        let checked = compile::check("p.gaitpol", text).checked.unwrap();
        build(&checked, 0, &SigningKey::from_seed(&[1; 32])).unwrap_err()
    }

    #[test]
    fn a_policy_whose_tests_or_proofs_fail_gets_no_bundle() {
        let failing = refused(&POLICY.replace("=> allow", "=> block"));
        assert!(matches!(&failing, BundlingError::Tests { failed, total: 1 } if failed.len() == 1));
        let refuted = refused(&POLICY.replace("args.n < 10", "args.n < 99"));
        assert_eq!(refuted, BundlingError::Unproved("big".to_owned()));
    }
}
