//! Whether one bundle may follow another: what the change loosens, and who has signed it. In: verified bundles, and the keys of
//! those who may sign what loosens. Out: nothing, or why not. What a manifest says of the change is not believed here: both
//! policies are compiled again from the sources in their bundles and compared.

use super::{Difference, rebuild};
use crate::artifact::{After, Bundle, KeyId, TrustedKeys, Verified, VerifyError, bundle};
use crate::compare::{self, Loosened};
use crate::compile::Checked;
use crate::domain::Enforcement;
use jiff::Timestamp;

/// What a bundle must follow, and whose second signature lets it loosen that.
#[derive(Clone, Debug)]
pub struct Succession {
    /// The bundle before it.
    pub predecessor: Verified<Bundle>,
    /// The keys of those who may sign what loosens; none where nothing may.
    pub cosigners: TrustedKeys,
}

/// Why a bundle may not follow another.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuccessionError {
    /// They are of different policies.
    #[error("the policy is `{after}`, that of the bundle before it `{before}`")]
    Policy {
        /// The name of the policy before.
        before: String,
        /// The name of this one.
        after: String,
    },
    /// It enforces less, and one key has signed.
    #[error("it is deployed to {after}, the bundle before it to {before}, and no second key has signed it")]
    Enforcement {
        /// What becomes of calls before.
        before: Enforcement,
        /// What becomes of them now.
        after: Enforcement,
    },
    /// It goes back.
    #[error("the epoch is {after}, lower than {before} of the bundle before it")]
    Epoch {
        /// The epoch before.
        before: u64,
        /// This one.
        after: u64,
    },
    /// It allows more, and one key has signed.
    #[error("it loosens the bundle before it ({count}), and no second key has signed it", count = counted(.0))]
    Loosens(Loosened),
    /// It is not known what it does, and one key has signed.
    #[error("whether it loosens the bundle before it was not decided ({0}), and no second key has signed it")]
    Undecided(String),
}

fn counted(found: &Loosened) -> String {
    let Loosened { certain, undecided } = found;
    match undecided {
        0 => differences(*certain),
        _ => format!("{}, {undecided} not decided", differences(*certain)),
    }
}

fn differences(n: usize) -> String {
    let end = if n == 1 { "" } else { "s" };
    format!("{n} difference{end}")
}

impl SuccessionError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            SuccessionError::Policy { .. } => "succession.policy",
            SuccessionError::Enforcement { .. } => "succession.enforcement",
            SuccessionError::Epoch { .. } => "succession.epoch",
            SuccessionError::Loosens(_) => "succession.loosens",
            SuccessionError::Undecided(_) => "succession.undecided",
        }
    }
}

/// Opens a bundle that may have been signed by one of `trusted` and one of `cosigners`. A cosigner alone makes no bundle.
pub fn open(
    bytes: &[u8],
    trusted: &TrustedKeys,
    cosigners: &TrustedKeys,
    now: Timestamp,
) -> Result<Verified<Bundle>, VerifyError> {
    let bundle = bundle::open(bytes, &trusted.and(cosigners), now)?;
    match bundle.keys() {
        [first, rest @ ..] if !trusted.knows(*first) && !rest.iter().any(|id| trusted.knows(*id)) => {
            Err(VerifyError::KeyUnknown(*first))
        }
        _ => Ok(bundle),
    }
}

/// Whether a bundle may follow another. Where two keys have signed it, one of `trusted` and another one of the cosigners, it
/// may loosen; else it is proved to loosen nothing. What is not decided counts as loosened.
pub fn follows(
    bundle: &Verified<Bundle>,
    trusted: &TrustedKeys,
    succession: &Succession,
) -> Result<(), SuccessionError> {
    let (before, after) = (succession.predecessor.value(), bundle.value());
    in_line(before, after)?;
    if before.digest == after.digest || is_cosigned(bundle.keys(), trusted, &succession.cosigners) {
        return Ok(());
    }
    let levels = [before, after].map(|bundle| bundle.contents.enforcement);
    if let [before, after] = levels
        && after < before
    {
        return Err(SuccessionError::Enforcement { before, after });
    }
    let undecided = |which: &str, error: &Difference| {
        let reason = format!("the sources of {which} do not make it: {error}");
        SuccessionError::Undecided(reason)
    };
    let after = rebuild(after).map_err(|error| undecided("this bundle", &error))?;
    let before = rebuild(before).map_err(|error| undecided("the bundle before it", &error))?;
    match loosened(&before, &after) {
        Loosened {
            certain: 0,
            undecided: 0,
        } => Ok(()),
        Loosened {
            certain: 0,
            undecided,
        } => Err(SuccessionError::Undecided(differences(undecided))),
        found => Err(SuccessionError::Loosens(found)),
    }
}

/// What a policy does to the bundle that it is to follow, for its manifest. Where that bundle is another compiler's and
/// cannot be compared, this is one thing not decided.
pub(super) fn after(before: &Bundle, after: &Checked, epoch: u64) -> Result<After, SuccessionError> {
    is_in_line(before, &after.package().name, epoch)?;
    let found = match rebuild(before) {
        Ok(before) => loosened(&before, after),
        Err(_) => Loosened {
            certain: 0,
            undecided: 1,
        },
    };
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(After {
        bundle: before.digest,
        loosened: small(found.certain),
        undecided: small(found.undecided),
    })
}

/// Compares a bundle with the one that it follows again; what its manifest says of the change must be so.
pub fn recompare(before: &Bundle, bundle: &Bundle) -> Result<(), Difference> {
    let checked = rebuild(bundle)?;
    let found = after(before, &checked, bundle.contents.epoch)?;
    let declared = bundle.contents.after;
    if declared == Some(found) {
        return Ok(());
    }
    Err(Difference::After { found, declared })
}

fn loosened(before: &Checked, after: &Checked) -> Loosened {
    compare::loosened(&compare::compare(before, after))
}

/// Whether a bundle is of the same policy as one before it, and does not go back; what it loosens is not asked.
pub fn in_line(before: &Bundle, after: &Bundle) -> Result<(), SuccessionError> {
    is_in_line(before, &after.contents.name, after.contents.epoch)
}

fn is_in_line(before: &Bundle, name: &str, epoch: u64) -> Result<(), SuccessionError> {
    let before = &before.contents;
    if before.name != name {
        return Err(SuccessionError::Policy {
            before: before.name.clone(),
            after: name.to_owned(),
        });
    }
    if epoch < before.epoch {
        return Err(SuccessionError::Epoch {
            before: before.epoch,
            after: epoch,
        });
    }
    Ok(())
}

/// Whether one of the keys is a cosigner's and another one is trusted.
fn is_cosigned(keys: &[KeyId], trusted: &TrustedKeys, cosigners: &TrustedKeys) -> bool {
    let others = |of: &KeyId| keys.iter().any(|id| id != of && trusted.knows(*id));
    keys.iter().any(|id| cosigners.knows(*id) && others(id))
}

#[cfg(test)]
mod tests {
    use super::super::{Release, build, build_proved};
    use super::*;
    use crate::artifact::{BundleContents, SigningKey};
    use crate::{compile, prove};

    const POLICY: &str = "gaitpol 1\npolicy p @ \"1\"\ndefault block code none\n\
        tool t { a: Int, of: List[Int, max 9] }\nrule small on t when args.a < 10 allow\n";

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed(&[seed; 32])
    }

    fn keys(seeds: &[u8]) -> TrustedKeys {
        TrustedKeys::new(seeds.iter().map(|seed| key(*seed).verifying_key()))
    }

    fn checked(text: &str) -> Checked {
        let report = compile::check("p.gaitpol", text);
        report
            .checked
            .unwrap_or_else(|| panic!("{:?}", report.diagnostics))
    }

    /// A bundle signed by these keys.
    fn signed(bytes: Vec<u8>, signers: &[u8]) -> Vec<u8> {
        let all = keys(signers);
        let more = signers.iter().skip(1);
        more.fold(bytes, |bytes, seed| {
            bundle::cosign(&bytes, &all, Timestamp::UNIX_EPOCH, &key(*seed)).unwrap()
        })
    }

    /// The code with which a bundle is refused after `POLICY` of epoch 3 by key 1; nothing where it is not.
    fn refused(bytes: &[u8], trusted: &[u8], cosigners: &[u8]) -> Option<&'static str> {
        let before = build(&checked(POLICY), 3, &key(1)).unwrap();
        let (trusted, cosigners) = (keys(trusted), keys(cosigners));
        let bundle = match open(bytes, &trusted, &cosigners, Timestamp::UNIX_EPOCH) {
            Ok(bundle) => bundle,
            Err(error) => return Some(error.code()),
        };
        let succession = Succession {
            predecessor: before.bundle,
            cosigners,
        };
        follows(&bundle, &trusted, &succession)
            .err()
            .map(|error| error.code())
    }

    fn made(text: &str, epoch: u64, signers: &[u8]) -> Vec<u8> {
        let first = key(signers.first().copied().unwrap());
        signed(build(&checked(text), epoch, &first).unwrap().bytes, signers)
    }

    #[test]
    fn what_loosens_takes_a_second_key() {
        let loosened = POLICY.replace("< 10", "< 99");
        for (signers, trusted, cosigners, want) in [
            (&[1][..], &[1][..], &[][..], Some("succession.loosens")),
            (&[1], &[1], &[2], Some("succession.loosens")),
            (&[1, 2], &[1], &[2], None),
            (&[2, 1], &[1], &[2], None),
            (&[1, 2], &[1, 2], &[1, 2], None),
            (&[1, 2, 3], &[1], &[2, 3], None),
            // Trust alone makes no cosigner, and nobody is a second one to himself.
            (&[1, 2], &[1, 2], &[], Some("succession.loosens")),
            (&[1, 3], &[1, 3], &[2], Some("succession.loosens")),
            (&[1], &[1], &[1], Some("succession.loosens")),
            // Cosigners alone make no bundle.
            (&[2], &[1], &[2], Some("verify.key_unknown")),
            (&[2, 3], &[1], &[2, 3], Some("verify.key_unknown")),
            (&[1, 2], &[1], &[], Some("verify.key_unknown")),
        ] {
            let bytes = made(&loosened, 3, signers);
            assert_eq!(
                refused(&bytes, trusted, cosigners),
                want,
                "{signers:?} {trusted:?} {cosigners:?}"
            );
        }
    }

    #[test]
    fn what_enforces_less_needs_a_second_key() {
        let level = |enforcement, signers: &[u8]| {
            let release = Release {
                epoch: 3,
                after: None,
                enforcement,
            };
            let checked = checked(POLICY);
            let built = build_proved(&checked, &prove::proofs(&checked), release, &key(signers[0])).unwrap();
            refused(&signed(built.bytes, signers), &[1], &[2])
        };
        for enforcement in [Enforcement::Shadow, Enforcement::Observe] {
            assert_eq!(level(enforcement, &[1]), Some("succession.enforcement"));
            assert_eq!(level(enforcement, &[1, 2]), None);
        }
        assert_eq!(level(Enforcement::Enforce, &[1]), None);
    }

    #[test]
    fn one_key_is_enough_for_what_is_proved_to_loosen_nothing() {
        let alone = |text: &str, epoch| refused(&made(text, epoch, &[1]), &[1], &[2]);
        assert_eq!(alone(POLICY, 3), None, "the same");
        assert_eq!(alone(&POLICY.replace("< 10", "< 9"), 3), None);
        assert_eq!(alone(&POLICY.replace("@ \"1\"", "@ \"2\""), 4), None);
        let renamed = POLICY.replace("policy p", "policy q");
        assert_eq!(alone(&renamed, 3), Some("succession.policy"));
        assert_eq!(alone(POLICY, 2), Some("succession.epoch"));
        // Both hold with two keys, too.
        let both = |text: &str, epoch| refused(&made(text, epoch, &[1, 2]), &[1], &[2]);
        assert_eq!(both(&renamed, 3), Some("succession.policy"));
        assert_eq!(both(POLICY, 2), Some("succession.epoch"));
        // No call is so, which the analysis does not find out.
        let both_ways = "(any n in args.of: n < args.a) and (all n in args.of: n > args.a)";
        let perhaps = format!("{POLICY}rule never on t when {both_ways} allow\n");
        assert_eq!(alone(&perhaps, 3), Some("succession.undecided"));
        assert_eq!(both(&perhaps, 3), None);
    }

    #[test]
    fn what_a_manifest_says_of_the_change_is_not_believed() {
        let before = build(&checked(POLICY), 3, &key(1)).unwrap().bundle;
        let loosened = checked(&POLICY.replace("< 10", "< 99"));
        let release = Release {
            epoch: 3,
            after: Some(before.value()),
            ..Release::default()
        };
        let proofs = prove::proofs(&loosened);
        let honest = build_proved(&loosened, &proofs, release, &key(1)).unwrap().bundle;
        let said = honest.value().contents.after.unwrap();
        assert_eq!((said.loosened, said.undecided), (1, 0));
        assert_eq!(recompare(before.value(), honest.value()), Ok(()));
        let forged = |change: &dyn Fn(&mut BundleContents)| {
            let mut contents = honest.value().contents.clone();
            change(&mut contents);
            bundle::build(contents, &key(1)).unwrap()
        };
        let lies = forged(&|c| c.after.iter_mut().for_each(|after| after.loosened = 0));
        assert_eq!(refused(&lies, &[1], &[2]), Some("succession.loosens"));
        let silent = forged(&|c| c.after = None);
        assert_eq!(refused(&silent, &[1], &[2]), Some("succession.loosens"));
        for bytes in [lies, silent] {
            let bundle = bundle::open(&bytes, &keys(&[1]), Timestamp::UNIX_EPOCH).unwrap();
            let again = recompare(before.value(), bundle.value());
            assert_eq!(again.map_err(|error| error.code()), Err("reprove.after"));
        }
        // Sources that loosen nothing beside a program that does.
        let beside = forged(&|c| c.sources = before.value().contents.sources.clone());
        assert_eq!(refused(&beside, &[1], &[2]), Some("succession.undecided"));
    }
}
