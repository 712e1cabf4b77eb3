//! From a checked policy to its signed bundle and back: building, loading the program, building again. In: a
//! `Checked` policy and a key, or an opened bundle. Out: bytes, a `Program`, or a named error. No clock, no files: the
//! same policy, epoch and key give the same bytes.

use crate::artifact::{BuildError, Bundle, BundleContents, SigningKey, SourceFile, SourceKind, TestSummary};
use crate::artifact::{TrustedKeys, Verified, VerifyError, bundle, digest};
use crate::builtins::zone;
use crate::compile::{self, Checked, FileKind, Lock, Pin, Purpose, Text, Texts};
use crate::ir::{self, DecodeError, Program};
use crate::prove;
use crate::suite::{self, CaseResult};
use jiff::Timestamp;

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

/// Builds, signs and opens again. A policy whose tests fail gets no bundle.
pub fn build(checked: &Checked, epoch: u64, key: &SigningKey) -> Result<Built, BundlingError> {
    let contents = contents(checked, epoch)?;
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

fn contents(checked: &Checked, epoch: u64) -> Result<BundleContents, BundlingError> {
    let package = checked.package();
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
        sources: sources(checked),
        tests: summary,
        compiler: COMPILER.to_owned(),
        tz: zone::version().to_owned(),
    })
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

/// The first thing in which a bundle is not what its sources make.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Difference {
    /// The bundle's program does not even load.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A module of the library is missing or another one.
    #[error("`{0}` is not the library module of this compiler")]
    Library(String),
    /// A source that the policy does not name, or that is missing.
    #[error("`{0}` is no source of the policy, or a source that is missing")]
    Sources(String),
    /// The policy has errors for this compiler.
    #[error("`{source_name}` does not compile ({errors} in all), the first error: {first}")]
    Errors {
        /// The source.
        source_name: String,
        /// How many.
        errors: usize,
        /// The first one's code and message.
        first: String,
    },
    /// The policy's tests give something else.
    #[error("{found} of {total} test cases pass, the manifest says {declared}", found = .found.passed, total = .found.total, declared = format_args!("{} of {}", .declared.passed, .declared.total))]
    Tests {
        /// What they give.
        found: TestSummary,
        /// What the manifest says.
        declared: TestSummary,
    },
    /// The program is another one.
    #[error("the program differs from byte {byte} on: {what}")]
    Program {
        /// The first byte of `ir.bin` that differs, from 0.
        byte: usize,
        /// The first part that differs.
        what: String,
    },
}

impl Difference {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Difference::Load(error) => error.code(),
            Difference::Library(_) => "rebuild.library",
            Difference::Sources(_) => "rebuild.sources",
            Difference::Errors { .. } => "rebuild.errors",
            Difference::Tests { .. } => "rebuild.tests",
            Difference::Program { .. } => "rebuild.program",
        }
    }
}

/// Compiles the sources in a bundle again; the program must be the same, byte for byte.
pub fn rebuild(bundle: &Bundle) -> Result<Checked, Difference> {
    let contents = &bundle.contents;
    let found = load(bundle)?;
    let mut texts = Texts {
        lock: Lock::Read,
        ..Texts::default()
    };
    for module in compile::LIBRARY {
        texts.library.insert(module.name.to_owned(), pinned(module.text));
    }
    let mut policy = None;
    for source in &contents.sources {
        match source.kind {
            SourceKind::Policy => policy = Some(source),
            SourceKind::Module | SourceKind::Data => {
                let text = Text {
                    text: source.text.clone(),
                    pin: pinned(&source.text),
                };
                texts.files.insert(source.name.clone(), Ok(text));
            }
            SourceKind::Library => {
                let known = compile::library::of_source(&source.name);
                if known.is_none_or(|module| module.text != source.text) {
                    return Err(Difference::Library(source.name.clone()));
                }
            }
        }
    }
    let Some(SourceFile { name, text, .. }) = policy else {
        return Err(Difference::Sources("policy".to_owned()));
    };
    let mut report = compile::check_with(name, text, &texts, Purpose::Sign);
    prove::prove(&mut report);
    let Some(checked) = report.checked else {
        let first = report.diagnostics.iter().find(|d| d.is_error());
        return Err(Difference::Errors {
            source_name: name.clone(),
            errors: report.diagnostics.iter().filter(|d| d.is_error()).count(),
            first: first.map_or_else(String::new, |d| format!("{}: {}", d.code, d.message)),
        });
    };
    let mut files: Vec<&str> = checked.files().map(|(name, ..)| name).collect();
    files.sort_unstable();
    let listed = contents.sources.iter().map(|s| s.name.as_str());
    if let Some(name) = differing_name(&files, &listed.collect::<Vec<_>>()) {
        return Err(Difference::Sources(name));
    }
    let tests = summary(&suite::run(&checked));
    if tests != contents.tests {
        return Err(Difference::Tests {
            found: tests,
            declared: contents.tests,
        });
    }
    let program = compile::lower(&checked);
    let bytes = ir::encode(&program);
    if bytes != contents.ir {
        let same = bytes.iter().zip(&contents.ir).take_while(|(a, b)| a == b);
        return Err(Difference::Program {
            byte: same.count(),
            what: differing_part(&found, &program),
        });
    }
    Ok(checked)
}

/// A text that its bundle's manifest pins.
fn pinned(text: &str) -> Pin {
    let digest = digest::sha256(text.as_bytes()).to_string();
    Pin {
        locked: Some(digest.clone()),
        digest,
    }
}

/// The first name that only one of two sorted lists has.
fn differing_name(some: &[&str], others: &[&str]) -> Option<String> {
    let missing = |from: &[&str], of: &[&str]| {
        of.iter()
            .find(|name| !from.contains(name))
            .map(|n| (*n).to_owned())
    };
    missing(some, others).or_else(|| missing(others, some))
}

/// The first part of two programs that differs, in the order of the encoding.
fn differing_part(found: &Program, rebuilt: &Program) -> String {
    if found.edition != rebuilt.edition {
        return "the edition".to_owned();
    }
    if (&found.policy, &found.version) != (&rebuilt.policy, &rebuilt.version) {
        return "the policy's name or version".to_owned();
    }
    if found.profile != rebuilt.profile {
        return "the profile".to_owned();
    }
    if found.default != rebuilt.default {
        return "the default".to_owned();
    }
    if found.files != rebuilt.files {
        return "the list of sources".to_owned();
    }
    let rules = found.rules.iter().zip(&rebuilt.rules).find(|(a, b)| a != b);
    if let Some((rule, _)) = rules {
        return format!("rule `{}`", rule.name);
    }
    if found.rules.len() != rebuilt.rules.len() {
        return format!("{} rules instead of {}", found.rules.len(), rebuilt.rules.len());
    }
    let tools = found.tools.iter().zip(&rebuilt.tools).find(|(a, b)| a != b);
    match tools {
        Some((tool, _)) => format!("tool `{}`", tool.name),
        None => format!("{} tools instead of {}", found.tools.len(), rebuilt.tools.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Profile;

    const POLICY: &str = "gaitpol 1\npolicy p @ \"1\"\ndefault block code none\n\
        tool t { n: Int }\nrule small on t when args.n < 10 allow\n\
        test \"t\" { call t { n: 1 } => allow }\n";

    fn key() -> SigningKey {
        SigningKey::from_seed(&[1; 32])
    }

    fn checked(text: &str) -> Checked {
        let report = compile::check("p.gaitpol", text);
        report
            .checked
            .unwrap_or_else(|| panic!("{:?}", report.diagnostics))
    }

    fn forged(change: impl FnOnce(&mut BundleContents)) -> Result<(), &'static str> {
        let mut contents = contents(&checked(POLICY), 1).unwrap();
        change(&mut contents);
        let bytes = bundle::build(contents, &key()).unwrap();
        let trusted = TrustedKeys::new([key().verifying_key()]);
        let bundle = bundle::open(&bytes, &trusted, Timestamp::UNIX_EPOCH).unwrap();
        rebuild(bundle.value()).map(drop).map_err(|d| d.code())
    }

    fn source(contents: &mut BundleContents) -> &mut String {
        let policy = contents.sources.iter_mut().find(|s| s.name == "p.gaitpol");
        &mut policy.unwrap().text
    }

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(forged(|_| ()), Ok(()));
        assert_eq!(forged(|c| c.ir[0] ^= 1), Err("bundle.program"));
        assert_eq!(forged(|c| c.name = "q".into()), Err("bundle.described"));
        assert_eq!(forged(|c| c.edition = 2), Err("bundle.described"));
        assert_eq!(forged(|c| c.version = "2".into()), Err("bundle.described"));
        assert_eq!(forged(|c| c.profile = Profile::Dev), Err("bundle.described"));
        assert_eq!(
            forged(|c| c.sources.retain(|s| s.kind == SourceKind::Policy)),
            Err("bundle.described")
        );
        let extra = |c: &mut BundleContents| {
            c.sources.push(SourceFile {
                name: "x.csv".into(),
                kind: SourceKind::Data,
                text: "a".into(),
            });
        };
        assert_eq!(forged(extra), Err("rebuild.sources"));
        assert_eq!(forged(|c| c.tests.passed = 0), Err("rebuild.tests"));
        let library = |c: &mut BundleContents| c.sources.iter_mut().for_each(|s| s.text.push('\n'));
        assert_eq!(forged(library), Err("rebuild.library"));
        assert_eq!(forged(|c| source(c).push('}')), Err("rebuild.errors"));
        let loosened = |c: &mut BundleContents| {
            let other = checked(&POLICY.replace("10", "99"));
            c.ir = ir::encode(&compile::lower(&other));
        };
        assert_eq!(forged(loosened), Err("rebuild.program"));
    }

    #[test]
    fn a_policy_whose_tests_fail_gets_no_bundle() {
        let broken = checked(&POLICY.replace("=> allow", "=> block"));
        let refused = build(&broken, 0, &key()).unwrap_err();
        assert!(matches!(&refused, BundlingError::Tests { failed, total: 1 } if failed.len() == 1));
    }
}
