//! Policies of several files as their users meet them: imports in folders, the lock, and what of them is in a bundle.

use crate::folder::{Folder, key, shown, valid};
use gait::artifact::{SourceKind, TrustedKeys, bundle};
use jiff::Timestamp;

const POLICY: &str = r#"gaitpol 1
policy acme.mail @ "1"
import "lib/shared.gaitpol" as shared

default block code no_rule_matched

tool mail.send {
  to: Email
  relay: Host
}

rule partners
  on mail.send
  when shared.known(args.relay)
  allow

test "mail" {
  call mail.send { to: "ann@acme.com", relay: "partner.example" } => allow by partners
  call mail.send { to: "eve@evil.example", relay: "evil.example" } => block
}
"#;
const SHARED: &str =
    "gaitpol 1\nimport \"deep/hosts.gaitpol\" { partners }\n\npred known(h: Host) = h in partners\n";
const HOSTS: &str = "gaitpol 1\n\nset partners: Host = { \"partner.example\" }\n";

fn project() -> Folder {
    let folder = Folder::new();
    folder.write("p/policy.gaitpol", POLICY.as_bytes());
    folder.write("p/lib/shared.gaitpol", SHARED.as_bytes());
    folder.write("p/lib/deep/hosts.gaitpol", HOSTS.as_bytes());
    folder
}

fn codes(folder: &Folder, exit: i32) -> Vec<String> {
    let value = folder.json(&["policy", "check", "p/policy.gaitpol"], exit, "policy_check");
    let found = value["files"][0]["diagnostics"].as_array().unwrap();
    found
        .iter()
        .map(|d| d["code"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_lock_is_written_followed_and_noticed() {
    let at = project();
    assert_eq!(codes(&at, 0), ["GP0120", "GP0120"], "both modules, as warnings");
    at.json(
        &["policy", "lock", "p/policy.gaitpol", "--check"],
        5,
        "policy_lock",
    );
    assert!(
        at.list("p").iter().all(|name| name != "gait.lock"),
        "--check writes nothing"
    );
    let first = at.json(&["policy", "lock", "p/policy.gaitpol"], 0, "policy_lock");
    assert_eq!(first["locks"][0]["files"], 2);
    assert_eq!(first["locks"][0]["written"], true);
    valid(&at.read("p/gait.lock"), "lock");
    assert_eq!(codes(&at, 0), Vec::<String>::new());
    let again = at.json(&["policy", "lock", "p/policy.gaitpol"], 0, "policy_lock");
    assert_eq!(again["locks"][0]["written"], false);
    assert_eq!(again["locks"][0]["changes"].as_array().unwrap().len(), 0);

    at.write(
        "p/lib/deep/hosts.gaitpol",
        HOSTS.replace("partner.example", "evil.example").as_bytes(),
    );
    assert_eq!(codes(&at, 6), ["GP0119"], "another file than the locked one");
    let drift = at.run(&["policy", "lock", "p/policy.gaitpol", "--check"]);
    let said = shown(&drift);
    assert_eq!(drift.status.code(), Some(5), "{said}");
    for word in [
        "~ lib/deep/hosts.gaitpol",
        "was sha256:",
        "is  sha256:",
        "out of date",
    ] {
        assert!(said.contains(word), "{word}: {said}");
    }
    for command in [
        &["policy", "test", "p/policy.gaitpol"][..],
        &["policy", "compile", "p/policy.gaitpol"],
        &[
            "policy",
            "replay",
            "--policy",
            "p/policy.gaitpol",
            "--calls",
            "allow.json",
        ],
        &[
            "policy",
            "explain",
            "--policy",
            "p/policy.gaitpol",
            "--intent",
            "allow.json",
        ],
    ] {
        let refused = at.run(command);
        assert_eq!(refused.status.code(), Some(6), "{command:?}\n{}", shown(&refused));
    }
    let changed = at.json(&["policy", "lock", "p/policy.gaitpol"], 0, "policy_lock");
    assert_eq!(
        changed["locks"][0]["changes"][0]["name"],
        "lib/deep/hosts.gaitpol"
    );
}

#[test]
fn policies_of_a_folder_share_a_lock() {
    let at = project();
    at.write(
        "p/other.gaitpol",
        POLICY.replace("lib/shared", "lib/deep/hosts").as_bytes(),
    );
    at.write(
        "q/policy.gaitpol",
        POLICY.replace("import", "// import").as_bytes(),
    );
    at.json(&["policy", "lock", "p/other.gaitpol"], 0, "policy_lock");
    let both = at.json(
        &["policy", "lock", "p/policy.gaitpol", "q/policy.gaitpol"],
        0,
        "policy_lock",
    );
    assert_eq!(both["locks"][0]["policies"].as_array().unwrap().len(), 2);
    assert_eq!(both["locks"][1]["lock"], "q/gait.lock");
    std::fs::remove_file(at.path("p/policy.gaitpol")).unwrap();
    let one = at.json(&["policy", "lock", "p/other.gaitpol"], 0, "policy_lock");
    assert_eq!(one["locks"][0]["policies"].as_array().unwrap().len(), 1);
    assert_eq!(
        one["locks"][0]["changes"][0]["new"],
        serde_json::Value::Null,
        "nothing names it any more"
    );
}

#[test]
fn what_cannot_be_locked_is_named() {
    let at = project();
    std::fs::remove_file(at.path("p/lib/deep/hosts.gaitpol")).unwrap();
    at.fails(&["policy", "lock", "p/policy.gaitpol"], 6, "policy.lock_file");
    at.fails(&["policy", "lock", "p/none.gaitpol"], 6, "file.not_found");
    assert_eq!(codes(&at, 6), ["GP0120", "GP0114"]);
    #[cfg(unix)]
    {
        at.write("elsewhere.gaitpol", HOSTS.as_bytes());
        std::os::unix::fs::symlink(at.path("elsewhere.gaitpol"), at.path("p/lib/deep/hosts.gaitpol"))
            .unwrap();
        let refused = at.run(&["policy", "check", "p/policy.gaitpol", "--format=concise"]);
        assert!(
            shown(&refused).contains("it is a symbolic link"),
            "{}",
            shown(&refused)
        );
    }
}

#[test]
fn a_bundle_holds_every_module_and_only_locked_ones() {
    let at = project();
    at.fails(&["policy", "compile", "p/policy.gaitpol"], 6, "policy.invalid");
    at.json(&["policy", "lock", "p/policy.gaitpol"], 0, "policy_lock");
    let compile = ["policy", "compile", "p/policy.gaitpol", "--out", "m.gaitbundle"];
    let done = at.json(&compile, 0, "policy_compile");
    assert_eq!(done["profile"], "standard");
    // The bundle is judged without the folder it came from.
    std::fs::remove_dir_all(at.path("p")).unwrap();
    at.json(
        &["bundle", "verify", "m.gaitbundle", "--rebuild"],
        0,
        "bundle_verify",
    );
    let inspected = at.json(&["bundle", "inspect", "m.gaitbundle"], 0, "bundle_inspect");
    let names: Vec<(&str, &str)> = inspected["sources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| (s["name"].as_str().unwrap(), s["kind"].as_str().unwrap()))
        .collect();
    for expected in [
        ("policy.gaitpol", "policy"),
        ("lib/shared.gaitpol", "module"),
        ("lib/deep/hosts.gaitpol", "module"),
        ("stdlib/effects.gaitpol", "library"),
    ] {
        assert!(names.contains(&expected), "{names:?}");
    }
    // A module that says something else is found, although the bundle is signed.
    let trusted = TrustedKeys::new([key().verifying_key()]);
    let opened = bundle::open(&at.read("m.gaitbundle"), &trusted, Timestamp::UNIX_EPOCH).unwrap();
    let forge = |change: &dyn Fn(&mut gait::artifact::BundleContents)| {
        let mut contents = opened.value().contents.clone();
        change(&mut contents);
        at.write("forged.gaitbundle", &bundle::build(contents, &key()).unwrap());
        let refused = at.run(&["bundle", "verify", "forged.gaitbundle", "--rebuild"]);
        assert_eq!(refused.status.code(), Some(2), "{}", shown(&refused));
    };
    forge(&|contents| {
        for source in contents
            .sources
            .iter_mut()
            .filter(|s| s.kind == SourceKind::Module)
        {
            source.text = source.text.replace("partner.example", "evil.example");
        }
    });
    forge(&|contents| contents.sources.retain(|s| s.name != "lib/shared.gaitpol"));
    forge(&|contents| {
        for source in contents
            .sources
            .iter_mut()
            .filter(|s| s.kind == SourceKind::Module)
        {
            source.kind = SourceKind::Library;
        }
    });
}

#[test]
fn the_profile_is_in_bundles_and_traces() {
    let at = Folder::new();
    for profile in ["dev", "standard", "strict"] {
        let text = POLICY
            .replace(
                "import \"lib/shared.gaitpol\" as shared",
                &format!("profile {profile}"),
            )
            .replace("shared.known(args.relay)", "args.relay == \"partner.example\"");
        at.write("p.gaitpol", text.as_bytes());
        let made = at.run(&["policy", "compile", "p.gaitpol", "--out", "b.gaitbundle"]);
        assert_eq!(made.status.code(), Some(0), "{}", shown(&made));
        assert_eq!(shown(&made).contains("not for production"), profile == "dev");
        let inspected = at.json(&["bundle", "inspect", "b.gaitbundle"], 0, "bundle_inspect");
        assert_eq!(inspected["profile"], profile);
        let args = [
            "gate",
            "eval",
            "--bundle",
            "b.gaitbundle",
            "--intent",
            "allow.json",
        ];
        let judged = at.json(&args, 3, "gate_eval");
        assert_eq!(judged["policy"]["profile"], profile);
    }
}

const PAYEES: &str = "name,iban\nAnn,DE89370400440532013000\nBob,GB29NWBK60161331926819\n";
const PAYMENTS: &str = r#"gaitpol 1
policy acme.payments
default block code no_rule_matched

tool pay.transfer { payee: String[max 34] }
set payees: String[max 34] from "data/payees.csv" column "iban"

rule known on pay.transfer when args.payee in payees allow

test "payees" { call pay.transfer { payee: "DE89370400440532013000" } => allow }
"#;

#[test]
fn a_data_file_is_pinned_and_in_the_bundle() {
    let at = Folder::new();
    at.write("p/policy.gaitpol", PAYMENTS.as_bytes());
    at.write("p/data/payees.csv", PAYEES.as_bytes());
    at.json(&["policy", "lock", "p/policy.gaitpol"], 0, "policy_lock");
    let compile = ["policy", "compile", "p/policy.gaitpol", "--out", "m.gaitbundle"];
    at.json(&compile, 0, "policy_compile");
    at.write("p/data/payees.csv", PAYEES.replace("GB29", "XX29").as_bytes());
    assert_eq!(codes(&at, 6), ["GP0119"]);
    at.fails(&compile, 6, "policy.invalid");
    std::fs::remove_dir_all(at.path("p")).unwrap();
    at.json(
        &["bundle", "verify", "m.gaitbundle", "--rebuild"],
        0,
        "bundle_verify",
    );
    let inspected = at.json(&["bundle", "inspect", "m.gaitbundle"], 0, "bundle_inspect");
    let sources = inspected["sources"].as_array().unwrap();
    let data = sources.iter().find(|s| s["kind"] == "data").unwrap();
    assert_eq!(data["name"], "data/payees.csv");
    assert_eq!(
        data["digest"],
        gait::artifact::digest::sha256(PAYEES.as_bytes()).to_string()
    );
    let trusted = TrustedKeys::new([key().verifying_key()]);
    let opened = bundle::open(&at.read("m.gaitbundle"), &trusted, Timestamp::UNIX_EPOCH).unwrap();
    let mut contents = opened.value().contents.clone();
    let data = contents
        .sources
        .iter_mut()
        .find(|s| s.kind == SourceKind::Data)
        .unwrap();
    data.text = data.text.replace("GB29", "XX29");
    at.write("forged.gaitbundle", &bundle::build(contents, &key()).unwrap());
    let refused = at.run(&["bundle", "verify", "forged.gaitbundle", "--rebuild"]);
    assert_eq!(refused.status.code(), Some(2), "{}", shown(&refused));
}

#[test]
fn large_sets_are_compiled_and_too_large_ones_refused() {
    let at = Folder::new();
    at.write(
        "p/policy.gaitpol",
        PAYMENTS
            .replace("args.payee in", "args.payee not in")
            .replace("=> allow", "=> block")
            .as_bytes(),
    );
    for (elements, exit) in [(100_000, 0), (100_001, 6)] {
        let rows: String = (0..elements).map(|n| format!("x,DE{n:020}\n")).collect();
        let text = format!(
            "name,iban\nAnn,DE89370400440532013000\n{}",
            rows.split_once('\n').unwrap().1
        );
        at.write("p/data/payees.csv", text.as_bytes());
        let output = at.run(&["policy", "check", "p/policy.gaitpol", "--format=concise"]);
        assert_eq!(output.status.code(), Some(exit), "{}", shown(&output));
    }
}
