//! Building a bundle again from the sources in it: whether they make its program, and whether what it says is proved of them
//! is. In: an opened bundle. Out: the policy, or the first difference.

use super::{LoadError, SuccessionError, load, summary};
use crate::analysis::Outcome;
use crate::artifact::{After, Bundle, Digest, SourceFile, SourceKind, TestSummary, digest};
use crate::compile::{self, Checked, Lock, Pin, Purpose, Text, Texts};
use crate::ir::{self, Program};
use crate::{prove, suite};

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
    /// A claim of the policy, an assertion or promise, of which the manifest records no proof.
    #[error("the manifest records no proof of `{0}`")]
    ProofMissing(String),
    /// A proof in the manifest of what the policy does not claim.
    #[error("the manifest records a proof of `{0}`, which the policy does not claim")]
    ProofExtra(String),
    /// What the manifest says was proved is not what is claimed.
    #[error("`{name}` says {found}, the manifest records a proof of {declared}")]
    Claim {
        /// The claim.
        name: String,
        /// The digest of what it says.
        found: Digest,
        /// The digest in the manifest.
        declared: Digest,
    },
    /// A claim that is not proved.
    #[error("`{name}` {why}")]
    Unproved {
        /// The claim.
        name: String,
        /// What was found instead.
        why: &'static str,
    },
    /// It may not follow the bundle that it is compared with.
    #[error(transparent)]
    Succession(#[from] SuccessionError),
    /// What the manifest says of the bundle that it follows is not so.
    #[error("it is {}, the manifest says {}", told(Some(found)), told(declared.as_ref()))]
    After {
        /// What the comparison finds.
        found: After,
        /// What the manifest says.
        declared: Option<After>,
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

fn told(after: Option<&After>) -> String {
    match after {
        Some(After {
            bundle,
            loosened,
            undecided,
        }) => format!("after {bundle}, {loosened} loosened and {undecided} not decided"),
        None => "after none".to_owned(),
    }
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
            Difference::ProofMissing(_) => "reprove.missing",
            Difference::ProofExtra(_) => "reprove.extra",
            Difference::Claim { .. } => "reprove.claim",
            Difference::Unproved { .. } => "reprove.fails",
            Difference::Succession(error) => error.code(),
            Difference::After { .. } => "reprove.after",
        }
    }
}

/// Compiles the sources in a bundle again; the program must be the same, byte for byte. Nothing is proved again.
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
    let report = compile::check_with(name, text, &texts, Purpose::Sign);
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

/// Compiles the sources in a bundle again, as `rebuild` does, and proves every claim again. Each must be proved, and the
/// manifest must record just these proofs of just what they say.
pub fn reprove(bundle: &Bundle) -> Result<Checked, Difference> {
    let checked = rebuild(bundle)?;
    let recorded = &bundle.contents.proofs;
    let proofs = prove::proofs(&checked);
    if let Some(extra) = recorded
        .iter()
        .find(|entry| !proofs.iter().any(|p| p.name == entry.name))
    {
        return Err(Difference::ProofExtra(extra.name.clone()));
    }
    for proof in &proofs {
        let name = proof.name.clone();
        let Some(entry) = recorded.iter().find(|entry| entry.name == name) else {
            return Err(Difference::ProofMissing(name));
        };
        let (found, declared) = (proof.claim(), entry.claim);
        if found != declared {
            return Err(Difference::Claim {
                name,
                found,
                declared,
            });
        }
        let why = match proof.outcome {
            Outcome::Holds => continue,
            Outcome::Fails(_) | Outcome::Declared(_) => "does not hold",
            Outcome::Open(_) | Outcome::TooLarge(_) => "was not decided",
        };
        return Err(Difference::Unproved { name, why });
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
    use super::super::{Release, contents, sources};
    use super::*;
    use crate::artifact::{BundleContents, ProofEntry, SigningKey, TrustedKeys, bundle};
    use crate::domain::Profile;
    use jiff::Timestamp;

    const POLICY: &str = "gaitpol 1\npolicy p @ \"1\"\ndefault block code none\n\
        tool t { n: Int }\nrule small on t when args.n < 10 allow\n\
        assert big on t when args.n > 50 verdict == block\n\
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

    fn bundle(change: impl FnOnce(&mut BundleContents)) -> Bundle {
        let checked = checked(POLICY);
        let mut contents = contents(&checked, &prove::proofs(&checked), Release::default()).unwrap();
        change(&mut contents);
        let bytes = bundle::build(contents, &key()).unwrap();
        let trusted = TrustedKeys::new([key().verifying_key()]);
        let bundle = bundle::open(&bytes, &trusted, Timestamp::UNIX_EPOCH).unwrap();
        bundle.into_value()
    }

    fn forged(change: impl FnOnce(&mut BundleContents)) -> Result<(), &'static str> {
        rebuild(&bundle(change)).map(drop).map_err(|d| d.code())
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
    fn proofs_are_repeated_and_held_against_the_manifest() {
        let forged = |change: &dyn Fn(&mut BundleContents)| {
            let bundle = bundle(change);
            assert_eq!(rebuild(&bundle).map(drop), Ok(()), "only proofs differ");
            reprove(&bundle).map(drop).map_err(|d| d.code())
        };
        assert_eq!(forged(&|_| ()), Ok(()));
        assert_eq!(forged(&|c| c.proofs.clear()), Err("reprove.missing"));
        let extra = |c: &mut BundleContents| {
            let proof = c.proofs.first().cloned().unwrap();
            c.proofs.push(ProofEntry {
                name: "more".into(),
                ..proof
            });
        };
        assert_eq!(forged(&extra), Err("reprove.extra"));
        let other = |c: &mut BundleContents| {
            c.proofs
                .iter_mut()
                .for_each(|p| p.claim = digest::sha256(b"other"));
        };
        assert_eq!(forged(&other), Err("reprove.claim"));
        // A signer that records a proof of what does not hold.
        let refuted = |c: &mut BundleContents| {
            let loose = checked(&POLICY.replace("args.n < 10", "args.n < 99"));
            c.ir = ir::encode(&compile::lower(&loose));
            c.sources = sources(&loose);
        };
        assert_eq!(forged(&refuted), Err("reprove.fails"));
        assert_eq!(
            reprove(&bundle(|c| c.ir[0] ^= 1)).map(drop).map_err(|d| d.code()),
            Err("bundle.program")
        );
    }
}
