//! `gait policy compile`, `gait bundle`, `gait trace verify` and `gait verify` as their users meet them: what is
//! built verifies and is the same bytes anywhere; what is changed is refused with exit 2 and a code.

use crate::artifact_fixtures::{forged_bundle, key as fixture_key, signed_trace};
use crate::cli::{document, exit, gait, text};
use crate::cli_keys::{is, refusal};
use gait::artifact::{SigningKey, archive, bundle};
use std::path::Path;
use std::process::Output;

/// A policy with its tests.
pub const POLICY: &str = include_str!("../../fixtures/artifacts/policy.gaitpol");

fn run(folder: &Path, args: &[&str]) -> Output {
    gait(folder, args).output().unwrap()
}

/// A folder with keys, a policy and its bundle.
fn compiled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("p.gaitpol"), POLICY).unwrap();
    assert_eq!(exit(&run(folder.path(), &["keys", "init"])), 0);
    let output = run(folder.path(), &["policy", "compile", "p.gaitpol", "--json"]);
    assert_eq!(exit(&output), 0, "{}", text(&output.stdout));
    document(&output, "policy_compile");
    folder
}

#[test]
fn a_bundle_says_what_it_holds_and_rebuilds() {
    let folder = compiled();
    let here = folder.path();
    let plain = run(
        here,
        &[
            "policy",
            "compile",
            "p.gaitpol",
            "--epoch",
            "3",
            "--out",
            "deep/er/q.gaitbundle",
        ],
    );
    assert_eq!(exit(&plain), 0);
    for part in [
        "compiled acme.payments 1.0.0",
        "deep/er/q.gaitbundle",
        "sha256:",
        "tests    3 of 3 passed",
        "proofs   1 claim proved",
    ] {
        assert!(
            text(&plain.stdout).contains(part),
            "{part}: {}",
            text(&plain.stdout)
        );
    }
    let inspect = run(here, &["bundle", "inspect", "deep/er/q.gaitbundle", "--json"]);
    let inspect = document(&inspect, "bundle_inspect");
    assert_eq!(inspect["epoch"], 3);
    assert_eq!(inspect["program"]["text"], serde_json::Value::Null);
    assert_eq!(inspect["rules"].as_array().unwrap().len(), 2);
    assert_eq!(inspect["sources"][0]["name"], "p.gaitpol");
    let program = run(
        here,
        &["bundle", "inspect", "p.gaitbundle", "--program", "--json"],
    );
    let program = document(&program, "bundle_inspect");
    let shown = program["program"]["text"].as_str().unwrap();
    assert!(shown.contains("tool pay.transfer"), "{shown}");
    let plain = run(here, &["bundle", "inspect", "p.gaitbundle", "--program"]);
    assert!(text(&plain.stdout).contains(shown), "{}", text(&plain.stdout));
    for part in [
        "signer   sha256:",
        "stdlib/effects.gaitpol",
        "require_approval large",
        "pay.transfer (to, amount)",
    ] {
        assert!(
            text(&plain.stdout).contains(part),
            "{part}: {}",
            text(&plain.stdout)
        );
    }

    let verified = run(here, &["bundle", "verify", "p.gaitbundle", "--rebuild", "--json"]);
    let verified = document(&verified, "bundle_verify");
    assert_eq!(verified["rebuilt"], true);
    assert_eq!(verified["reproved"], false);
    let any = document(&run(here, &["verify", "p.gaitbundle", "--json"]), "verify");
    assert_eq!(any["digest"], program["digest"]);
    assert_eq!(
        exit(&run(here, &["bundle", "verify", "p.gaitbundle", "--rebuild"])),
        0
    );
}

#[test]
fn a_bundle_records_what_was_proved_and_proves_it_again() {
    let folder = compiled();
    let here = folder.path();
    let inspect = run(here, &["bundle", "inspect", "p.gaitbundle", "--json"]);
    let inspect = document(&inspect, "bundle_inspect");
    let [proof] = inspect["proofs"].as_array().unwrap().as_slice() else {
        panic!("{inspect}");
    };
    assert_eq!(proof["name"], "large_ones_wait");
    // Anybody can tell the digest from what else is shown.
    let stated = serde_json::json!({
        "schema": "gait.proof/1", "name": proof["name"], "claim": proof["claim"],
        "program": inspect["program"]["digest"], "compiler": inspect["compiler"],
    });
    let canonical = gait::artifact::jcs::to_vec(&gait::json::parse(stated.to_string().as_bytes()).unwrap());
    let digest = gait::artifact::digest::sha256(&canonical).to_string();
    assert_eq!(proof["digest"], digest.as_str());
    let plain = run(here, &["bundle", "inspect", "p.gaitbundle"]);
    let shown = format!("large_ones_wait {digest}");
    assert!(text(&plain.stdout).contains(&shown), "{}", text(&plain.stdout));

    let again = run(here, &["bundle", "verify", "p.gaitbundle", "--reprove", "--json"]);
    let again = document(&again, "bundle_verify");
    assert_eq!((&again["reproved"], &again["proofs"]), (&true.into(), &1.into()));
    let plain = run(here, &["bundle", "verify", "p.gaitbundle", "--reprove"]);
    let shown = "1 claim proved again, each as the bundle records it";
    assert!(text(&plain.stdout).contains(shown), "{}", text(&plain.stdout));
}

#[test]
fn a_bundle_that_says_something_else_is_proved_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(
        here.join("test.public.json"),
        fixture_key().verifying_key().to_file(),
    )
    .unwrap();
    let loose = POLICY
        .replace("  require_approval\n", "  dry_run\n")
        .replace("=> require_approval", "=> dry_run");
    let refuted = |contents: &mut gait::artifact::BundleContents| {
        let checked = gait::compile::check("policy.gaitpol", &loose).checked.unwrap();
        contents.ir = gait::ir::encode(&gait::compile::lower(&checked));
        contents.sources = gait::bundling::sources(&checked);
    };
    let bundles = [
        (
            forged_bundle(|contents| contents.proofs.clear()),
            "reprove.missing",
        ),
        (
            forged_bundle(|contents| contents.proofs[0].name.push('s')),
            "reprove.extra",
        ),
        (
            forged_bundle(|contents| contents.proofs[0].claim = gait::artifact::digest::sha256(b"")),
            "reprove.claim",
        ),
        (forged_bundle(refuted), "reprove.fails"),
    ];
    for (bytes, code) in bundles {
        std::fs::write(here.join("b.gaitbundle"), bytes).unwrap();
        let args = ["bundle", "verify", "b.gaitbundle", "--trust", "test.public.json"];
        let rebuilt = [&args[..], &["--rebuild"]].concat();
        assert_eq!(
            exit(&run(here, &rebuilt)),
            0,
            "{code}: the program is that of the sources"
        );
        let reproved = [&args[..], &["--reprove"]].concat();
        assert_eq!(refusal(here, &reproved), is(code, 2));
        let shown = run(here, &reproved);
        let shown = text(&shown.stderr);
        assert!(shown.contains("what the bundle says is proved is not"), "{shown}");
    }
}

#[test]
fn the_same_policy_gives_the_same_bytes_anywhere() {
    let folder = compiled();
    let here = folder.path();
    let one = std::fs::read(here.join("p.gaitbundle")).unwrap();
    let key = here.join("gait-out/keys/gait.private.json");
    let far = here.join("some/where else");
    std::fs::create_dir_all(&far).unwrap();
    std::fs::copy(here.join("p.gaitpol"), far.join("p.gaitpol")).unwrap();
    let absolute = far.join("p.gaitpol");
    for (cwd, source, zone) in [
        (here, "some/where else/p.gaitpol", "UTC"),
        (here, "./some/../p.gaitpol", "Pacific/Kiritimati"),
        (far.as_path(), "p.gaitpol", "America/St_Johns"),
        (far.as_path(), "../where else/p.gaitpol", ":/nowhere"),
        (Path::new("/"), absolute.to_str().unwrap(), "Asia/Kathmandu"),
    ] {
        let out = here.join("again.gaitbundle");
        let output = gait(
            cwd,
            &["policy", "compile", source, "--out", out.to_str().unwrap()],
        )
        .env("TZ", zone)
        .env("LANG", "tr_TR.UTF-8")
        .env("GAIT_KEY_FILE", &key)
        .output()
        .unwrap();
        assert_eq!(exit(&output), 0, "{}", text(&output.stderr));
        assert_eq!(std::fs::read(&out).unwrap(), one, "{source} in {zone}");
    }
    assert!(!one.windows(10).any(|w| w == b"where else"), "no folder shows");
}

/// Offsets in every region of an archive: each header, name and content, the directory, the end record.
fn regions(bytes: &[u8]) -> Vec<usize> {
    let mut offsets = vec![0, bytes.len() - 1, bytes.len() - 22, bytes.len() - 10];
    for at in 0..bytes.len() - 4 {
        match &bytes[at..at + 4] {
            b"PK\x03\x04" => offsets.extend([
                at,
                at + 5,
                at + 8,
                at + 11,
                at + 15,
                at + 20,
                at + 26,
                at + 31,
                at + 60,
            ]),
            b"PK\x01\x02" => offsets.extend([at, at + 9, at + 17, at + 21, at + 39, at + 43, at + 47]),
            _ => {}
        }
    }
    offsets.sort_unstable();
    offsets.dedup();
    offsets
}

#[test]
fn a_changed_byte_in_any_region_is_exit_2_with_a_code() {
    let folder = compiled();
    let here = folder.path();
    let good = std::fs::read(here.join("p.gaitbundle")).unwrap();
    let offsets = regions(&good);
    assert!(offsets.len() > 40, "{offsets:?}");
    for at in offsets {
        let mut bad = good.clone();
        bad[at] ^= 1;
        std::fs::write(here.join("bad.gaitbundle"), bad).unwrap();
        let (code, exit) = refusal(here, &["verify", "bad.gaitbundle"]);
        assert_eq!(exit, 2, "byte {at}: {code}");
        assert!(code.starts_with("verify."), "byte {at}: {code}");
    }
    for args in [
        &["bundle", "verify", "bad.gaitbundle"][..],
        &["bundle", "inspect", "bad.gaitbundle"],
    ] {
        assert_eq!(refusal(here, args).1, 2);
    }
}

#[test]
fn a_policy_that_cannot_be_released_gives_no_bundle() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let write = |name: &str, text: &str| std::fs::write(here.join(name), text).unwrap();
    write("p.gaitpol", POLICY);
    assert_eq!(
        refusal(here, &["policy", "compile", "p.gaitpol"]),
        is("keys.missing", 7)
    );
    run(here, &["keys", "init"]);
    write("wrong.gaitpol", &POLICY.replace("args.amount", "args.amuont"));
    write(
        "failing.gaitpol",
        &POLICY.replace("=> require_approval", "=> allow"),
    );
    std::fs::write(here.join("bytes.gaitpol"), [0xff]).unwrap();
    write("p.gaitbundle", POLICY);
    for (args, code, exit) in [
        (&["wrong.gaitpol"][..], "policy.invalid", 6),
        (&["failing.gaitpol"], "policy.tests_failed", 5),
        (&["bytes.gaitpol"], "policy.not_utf8", 6),
        (&["absent.gaitpol"], "file.not_found", 6),
        (&["gait-out"], "file.not_regular", 6),
        (&[".."], "policy.file_name", 6),
        (&["p.gaitpol", "--out", "p.gaitpol"], "policy.out_name", 6),
        (&["p.gaitbundle"], "policy.out_is_source", 8),
        (&["p.gaitpol", "--epoch=-1"], "usage.invalid", 6),
        (&["p.gaitpol", "--epoch", "9007199254740992"], "build.invalid", 6),
        (&["p.gaitpol", "--key", "absent.json"], "keys.missing", 7),
        (&["p.gaitpol", "--key", "p.gaitpol"], "file.exposed", 8),
        (
            &["p.gaitpol", "--out", "p.gaitpol/x.gaitbundle"],
            "file.not_folder",
            6,
        ),
    ] {
        let all: Vec<&str> = ["policy", "compile"].iter().chain(args).copied().collect();
        assert_eq!(refusal(here, &all), is(code, exit), "{args:?}");
    }
    let plain = run(here, &["policy", "compile", "wrong.gaitpol"]);
    let shown = text(&plain.stderr);
    assert!(
        shown.contains("wrong.gaitpol:") && shown.contains("error[GP0101]") && shown.contains("amuont"),
        "{shown}"
    );
    let plain = run(here, &["policy", "compile", "failing.gaitpol"]);
    let shown = text(&plain.stderr);
    assert!(shown.contains("expected allow, got require_approval"), "{shown}");
    for name in ["wrong.gaitbundle", "failing.gaitbundle"] {
        assert!(!here.join(name).exists(), "{name}");
    }
    assert_eq!(std::fs::read_to_string(here.join("p.gaitpol")).unwrap(), POLICY);
}

#[test]
fn a_policy_without_tests_is_released_with_a_warning() {
    let folder = compiled();
    let here = folder.path();
    let text_only = POLICY.split("test \"").next().unwrap();
    std::fs::write(here.join("p.gaitpol"), text_only).unwrap();
    // What a killed run leaves beside the bundle is in nobody's way.
    std::fs::write(here.join(".gait-Ab12.tmp"), "PK").unwrap();
    let output = run(here, &["policy", "compile", "p.gaitpol"]);
    assert_eq!(exit(&output), 0);
    assert!(text(&output.stderr).contains("warning: the policy has no tests"));
    assert_eq!(
        exit(&run(here, &["bundle", "verify", "--rebuild", "p.gaitbundle"])),
        0
    );
}

#[test]
fn a_bundle_that_its_sources_do_not_make_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(
        here.join("test.public.json"),
        fixture_key().verifying_key().to_file(),
    )
    .unwrap();
    let check = |bytes: Vec<u8>, rebuild: bool| {
        std::fs::write(here.join("b.gaitbundle"), bytes).unwrap();
        let mut args = vec!["bundle", "verify", "b.gaitbundle", "--trust", "test.public.json"];
        args.extend(rebuild.then_some("--rebuild"));
        run(here, &args)
    };
    let loosened = || {
        forged_bundle(|contents| {
            let policy = contents
                .sources
                .iter_mut()
                .find(|source| source.name == "policy.gaitpol");
            let policy = &mut policy.unwrap().text;
            *policy = policy.replace("1_000.00", "9_000.00").replace("5000", "50000");
        })
    };
    assert_eq!(exit(&check(loosened(), false)), 0, "it is what was signed");
    let refused = check(loosened(), true);
    assert_eq!(exit(&refused), 2);
    let shown = text(&refused.stderr);
    assert!(
        shown.contains("differs from byte") && shown.contains("tool `pay.transfer`"),
        "{shown}"
    );
    assert!(shown.contains("was not made from the sources"), "{shown}");
    let older = check(
        forged_bundle(|contents| {
            contents.compiler = "0.0.9".to_owned();
            contents.tests.total = 9;
        }),
        true,
    );
    assert_eq!(exit(&older), 2);
    assert!(
        text(&older.stderr).contains("compiler 0.0.9 made the bundle"),
        "{}",
        text(&older.stderr)
    );
    let other_compiler = forged_bundle(|contents| contents.compiler = "0.0.9".to_owned());
    let same = check(other_compiler, true);
    assert_eq!(exit(&same), 0);
    assert!(text(&same.stderr).contains("compiler 0.0.9 made this bundle"));
    let unloadable = check(forged_bundle(|contents| contents.ir.clear()), false);
    assert_eq!(exit(&unloadable), 2);
}

#[test]
fn trust_is_what_the_caller_says() {
    let folder = compiled();
    let here = folder.path();
    run(
        here,
        &["keys", "init", "--prefix", "other", "--out-dir", "elsewhere"],
    );
    let (own, other) = ("gait-out/keys/gait.public.json", "elsewhere/other.public.json");
    for (trust, want) in [
        (&[][..], None),
        (&[own], None),
        (&[own, other], None),
        (&[other], Some(is("verify.key_unknown", 2))),
        (&["absent.json"], Some(is("keys.missing", 7))),
        (&["p.gaitpol"], Some(is("key.document", 6))),
    ] {
        let mut args = vec!["bundle", "verify", "p.gaitbundle"];
        trust.iter().for_each(|file| args.extend(["--trust", file]));
        match want {
            Some(want) => assert_eq!(refusal(here, &args), want, "{trust:?}"),
            None => assert_eq!(exit(&run(here, &args)), 0, "{trust:?}"),
        }
    }
    run(here, &["keys", "rotate"]);
    assert_eq!(
        exit(&run(here, &["verify", "p.gaitbundle"])),
        0,
        "a rotated key stays trusted"
    );
    std::fs::remove_dir_all(here.join("gait-out")).unwrap();
    assert_eq!(refusal(here, &["verify", "p.gaitbundle"]), is("keys.missing", 7));
}

#[test]
fn what_is_no_artifact_is_invalid_input() {
    let folder = compiled();
    let here = folder.path();
    for content in ["", "{}", "[]", "P", "text", "{\"schema\":\"x\"}", "\u{1b}[2J"] {
        std::fs::write(here.join("x"), content).unwrap();
        assert_eq!(
            refusal(here, &["verify", "x"]),
            is("verify.unknown_kind", 6),
            "{content:?}"
        );
    }
    assert_eq!(refusal(here, &["verify", "absent"]), is("file.not_found", 6));
    assert_eq!(refusal(here, &["verify", "gait-out"]), is("file.not_regular", 6));
    assert_eq!(
        refusal(here, &["bundle", "verify", "p.gaitpol"]),
        is("verify.archive_end", 2)
    );
    assert_eq!(refusal(here, &["trace", "verify", "p.gaitbundle"]).1, 2);
}

#[test]
fn several_traces_are_verified_and_each_refusal_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let write = |name: &str, bytes: Vec<u8>| std::fs::write(here.join(name), bytes).unwrap();
    write("test.public.json", fixture_key().verifying_key().to_file());
    write("a.json", signed_trace(1, None, true).into_bytes());
    write("b.json", signed_trace(2, None, false).into_bytes());
    let args = |files: &[&'static str]| {
        let mut args = vec!["trace", "verify", "--trust", "test.public.json"];
        args.extend(files);
        args
    };
    let good = run(here, &args(&["a.json", "b.json", "--json"]));
    let good = document(&good, "trace_verify");
    assert_eq!(good["traces"][0]["verdict"], "require_approval");
    assert_eq!(good["traces"][1]["name"], "trace_2");
    let plain = run(here, &args(&["a.json"]));
    assert!(
        text(&plain.stdout).contains("the intent has the digests stated"),
        "{}",
        text(&plain.stdout)
    );
    let mut bad = signed_trace(1, None, true).into_bytes();
    bad.insert(0, b' ');
    write("c.json", bad);
    write("d.json", b"{".to_vec());
    assert_eq!(
        refusal(here, &args(&["c.json"])),
        is("verify.envelope_not_canonical", 2)
    );
    let several = run(here, &args(&["a.json", "c.json", "d.json"]));
    assert_eq!(exit(&several), 2);
    let shown = text(&several.stderr);
    assert!(
        shown.contains("c.json: ") && shown.contains("d.json: ") && shown.contains("2 of 3"),
        "{shown}"
    );
    assert!(
        text(&several.stdout).contains("a.json"),
        "the good one is still reported"
    );
    let json = run(here, &args(&["a.json", "c.json", "d.json", "--json"]));
    let refused = &document(&json, "error")["error"]["details"]["refused"];
    assert_eq!(refused[1]["code"], "verify.not_json");
    assert_eq!(
        refusal(here, &args(&["a.json", "absent.json"])),
        is("file.not_found", 6)
    );
}

#[test]
fn a_bundle_signed_by_a_stranger_shows_nothing() {
    let folder = compiled();
    let here = folder.path();
    let good = std::fs::read(here.join("p.gaitbundle")).unwrap();
    let own = std::fs::read(here.join("gait-out/keys/gait.public.json")).unwrap();
    let own = gait::artifact::VerifyingKey::parse(&own).unwrap();
    let trusted = gait::artifact::TrustedKeys::new([own]);
    let contents = bundle::open(&good, &trusted, jiff::Timestamp::UNIX_EPOCH)
        .unwrap()
        .into_value()
        .contents;
    let forged = bundle::build(contents, &SigningKey::from_seed(&[9; 32])).unwrap();
    assert_eq!(archive::read(&forged).unwrap().len(), 5);
    std::fs::write(here.join("forged.gaitbundle"), forged).unwrap();
    let output = run(here, &["bundle", "inspect", "forged.gaitbundle"]);
    assert_eq!((exit(&output), output.stdout.len()), (2, 0));
    assert!(
        text(&output.stderr).contains("--trust FILE"),
        "{}",
        text(&output.stderr)
    );
}
