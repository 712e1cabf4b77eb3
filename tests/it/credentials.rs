//! Credentials of allowed calls, with real brokers: one for each call that was allowed, for what its policy says, and none of a
//! secret in anything that is written.

use crate::folder::{Folder, compiled, eval, shown, trusted, valid};
use crate::permit::intent;
use gait::artifact::envelope::{self, Payload};
use gait::artifact::{CredentialRecord, digest, jcs};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const POLICY: &str = r#"gaitpol 1
policy acme.sites
import std.credentials
default block code none
tool deploy { site: Path }
tool status { site: Path }
rule deploys
  on deploy
  allow
  oblige credential(name: "deploy", scope: { "site:docs", "site:logs" }, ttl: 15m)
rule looks on status allow
"#;

/// What nobody but the call may see: the broker has it from the environment, so that it is in no file of ours.
const SECRET: &str = "hunter2-4rT9xQ";

/// A broker that answers in our own form; what it does beside that is in place of `BEFORE`, and of the other words.
const BROKER: &str = r#"#!/bin/sh
PATH=/usr/local/bin:/usr/bin:/bin
echo asked >> LOG
BEFORE
REQUEST=$(cat)
DIGEST=$(printf %s "$REQUEST" | sha256sum | cut -d' ' -f1)
EXPIRES=$(date -u -d '+10 minutes' +%Y-%m-%dT%H:%M:%SZ)
echo "$BROKER_SECRET" >&2
cat <<END
{"schema":"gait.credential_receipt/1","request_digest":"sha256:$DIGEST","issuer":"https://issuer.example",
"subject":"SUBJECT","scope":["SCOPE"],"issued_at":"$(date -u +%Y-%m-%dT%H:%M:%SZ)","expires_at":"$EXPIRES",
"secret":{"token":"$BROKER_SECRET"}}
END
"#;

/// Words of a broker, and what stands in their places.
type Words<'w> = &'w [(&'w str, &'w str)];

struct Machine {
    folder: Folder,
    root: PathBuf,
    /// Everything that was printed.
    printed: RefCell<Vec<u8>>,
}

impl Machine {
    fn new(policy: &str) -> Machine {
        let folder = Folder::new();
        folder.write("b.gaitbundle", &compiled(policy));
        for tool in ["deploy", "status"] {
            let intent = intent(tool, r#""args":{"site":"/docs/./a"}"#);
            folder.write(&format!("{tool}.json"), &intent);
        }
        let root = folder.path("").canonicalize().unwrap();
        let machine = Machine {
            folder,
            root,
            printed: RefCell::default(),
        };
        machine.broker(&[]);
        machine
    }

    fn at(&self, name: &str) -> String {
        self.root.join(name).to_str().unwrap().to_owned()
    }

    /// Writes the broker, with words replaced, and its configuration.
    fn broker(&self, words: &[(&str, &str)]) {
        let mut text = BROKER.to_owned();
        for (word, by) in words.iter().chain(&[
            ("BEFORE", ""),
            ("SUBJECT", "deployer"),
            ("\"SCOPE\"", "\"site:docs\""),
        ]) {
            text = text.replacen(word, by, 1);
        }
        let text = text.replace("LOG", &self.at("broker.log"));
        self.folder.write("broker", text.as_bytes());
        self.mode("broker", 0o755);
        self.config("");
    }

    /// Writes the configuration of the broker, with more of it.
    fn config(&self, more: &str) {
        let program = self.at("broker");
        self.raw_config(&format!(
            "[credentials.deploy]\nbroker = \"command\"\nprogram = \"{program}\"\nformat = \"gait\"\n\
             secrets = [\"BROKER_SECRET\"]\nvariables = {{ DEPLOY_TOKEN = \"token\" }}\n{more}"
        ));
    }

    fn raw_config(&self, text: &str) {
        self.folder.write_private("brokers.toml", text.as_bytes());
    }

    fn mode(&self, name: &str, mode: u32) {
        std::fs::set_permissions(self.folder.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.folder.command(args);
        command.envs([
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("BROKER_SECRET", SECRET),
            ("OTHER", "kept"),
        ]);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        let output = self.command(args).output().unwrap();
        self.printed.borrow_mut().extend(&output.stdout);
        self.printed.borrow_mut().extend(&output.stderr);
        output
    }

    /// Judges a call now; the trace, and the arguments in `args.json`.
    fn judged(&self, tool: &str, more: &[&str], exit: i32) -> String {
        let file = format!("{tool}.json");
        let args = [&eval(&file, more)[..], &["--json"]].concat();
        let output = self.run(&args);
        assert_eq!(output.status.code(), Some(exit), "{}", shown(&output));
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        self.folder
            .write("args.json", said["canonical_args"].to_string().as_bytes());
        said["trace_path"].as_str().unwrap().to_owned()
    }

    fn allowed(&self, tool: &str) -> String {
        self.judged(tool, &["--fulfils", "credential:deploy"], 0)
    }

    /// Runs a shell command under a permit.
    fn exec(&self, trace: &str, more: &[&str], script: &str) -> Output {
        self.run(&Self::line(trace, more, script))
    }

    fn line<'a>(trace: &'a str, more: &[&'a str], script: &'a str) -> Vec<&'a str> {
        let start = ["permit", "exec", "--trace", trace, "--args", "args.json"];
        let with: &[&str] = match more.contains(&"--without") {
            true => &[],
            false => &["--credentials", "brokers.toml"],
        };
        let more: Vec<&str> = more.iter().copied().filter(|one| *one != "--without").collect();
        [&start[..], with, &more, &["--", "sh", "-c", script]].concat()
    }

    /// Runs it and expects an error of this code.
    fn refuses(&self, trace: &str, more: &[&str], (exit, code): (i32, &str)) -> Value {
        let more = [more, &["--json"]].concat();
        let output = self.exec(trace, &more, "echo started; touch started");
        assert_eq!(output.status.code(), Some(exit), "{}", shown(&output));
        let error = valid(&output.stdout, "cli/error");
        assert_eq!(error["error"]["code"], code, "{error}");
        assert!(!self.folder.path("started").exists(), "{code}");
        error
    }

    /// A fresh call is refused with this code, and its permit is used up or not.
    fn fails(&self, (exit, code): (i32, &str), uses_up: bool) -> Value {
        let trace = self.allowed("deploy");
        let error = self.refuses(&trace, &[], (exit, code));
        let redeem = ["permit", "redeem", "--trace", &trace, "--args", "args.json"];
        let output = self.run(&redeem);
        assert_eq!(output.status.success(), !uses_up, "{code} {}", shown(&output));
        error
    }

    fn asked(&self) -> usize {
        let log = std::fs::read_to_string(self.folder.path("broker.log")).unwrap_or_default();
        log.lines().count()
    }

    fn records(&self) -> Vec<String> {
        self.folder.list("gait-out/credentials")
    }

    /// Nothing that was written or printed has the secret in it, in any form in which it is likely to be.
    fn has_no_secret(&self) {
        let hex = digest::sha256(SECRET.as_bytes()).to_string();
        let forms = [
            SECRET.to_owned(),
            hex.replace("sha256:", ""),
            base64(SECRET),
            SECRET.bytes().map(|byte| format!("{byte:02x}")).collect(),
        ];
        let found = |bytes: &[u8]| {
            let mut text = String::from_utf8_lossy(bytes).into_owned();
            // What is signed is written in another alphabet.
            let payloads: Vec<String> = text.split("\"payload\":\"").skip(1).map(decoded).collect();
            text.extend(payloads);
            forms.iter().find(|form| text.contains(form.as_str())).cloned()
        };
        assert_eq!(found(&self.printed.borrow()), None);
        let mut seen = 0;
        files(&self.root, &mut |path| {
            seen += 1;
            let bytes = std::fs::read(path).unwrap();
            assert_eq!(found(&bytes), None, "{}", path.display());
        });
        assert!(seen > 10, "{seen}");
    }
}

fn base64(text: &str) -> String {
    use ::base64::Engine as _;
    let whole = ::base64::engine::general_purpose::STANDARD.encode(text);
    whole.trim_end_matches('=').to_owned()
}

/// The text of a payload that begins here.
fn decoded(rest: &str) -> String {
    use ::base64::Engine as _;
    let payload = rest.split('"').next().unwrap();
    let bytes = ::base64::engine::general_purpose::STANDARD
        .decode(payload)
        .unwrap();
    String::from_utf8(bytes).unwrap()
}

fn files(folder: &Path, each: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, each),
            false => each(&path),
        }
    }
}

#[test]
fn a_call_that_was_allowed_gets_its_credential() {
    let machine = Machine::new(POLICY);
    let trace = machine.allowed("deploy");
    let script =
        r#"test "$DEPLOY_TOKEN" = "hunter2-4rT""9xQ" && env > found && cat > got && echo done; exit 7"#;
    let output = machine.exec(&trace, &[], script);
    // The command is what gait has become: its exit code, its output.
    assert_eq!(output.status.code(), Some(7), "{}", shown(&output));
    assert_eq!(output.stdout, b"done\n");
    assert_eq!(machine.folder.read("got"), br#"{"site":"/docs/a"}"#);
    let found = String::from_utf8(machine.folder.read("found")).unwrap();
    machine.folder.remove("found");
    assert!(
        found.contains("OTHER=kept") && !found.contains("BROKER_SECRET"),
        "{found}"
    );
    let records = machine.records();
    assert_eq!(records.len(), 1, "{records:?}");
    let path = format!("gait-out/credentials/{}", records[0]);
    let verified = machine.folder.json(&["verify", &path], 0, "verify");
    assert_eq!(verified["kind"], "credential");
    let signed = machine.folder.read(&path);
    let now = jiff::Timestamp::now();
    let record = envelope::verify::<CredentialRecord>(&signed, &trusted(), now).unwrap();
    let said = valid(&jcs::to_vec(&record.value().to_json()), "credential");
    let bound = gait::artifact::trace::verify(&machine.folder.read(&trace), &trusted(), now).unwrap();
    assert_eq!(record.value().trace_digest, bound.digest());
    assert_eq!(Some(record.value().call_digest), bound.value().call_digest);
    for (member, value) in [
        ("credential", json!("deploy")),
        ("broker", json!("command")),
        ("format", json!("gait")),
        ("issuer", json!("https://issuer.example")),
        ("subject", json!("deployer")),
        ("scope_asked", json!(["site:docs", "site:logs"])),
        ("scope", json!(["site:docs"])),
        ("scope_stated", json!(true)),
        ("ttl_seconds", json!(900)),
        ("step", json!(1)),
    ] {
        assert_eq!(said[member], value, "{member}");
    }
    machine.refuses(&trace, &[], (2, "permit.redeemed"));
    assert_eq!(machine.asked(), 1);
    machine.has_no_secret();
}

#[test]
fn a_call_that_needs_none_runs_without() {
    let machine = Machine::new(POLICY);
    let script = r#"test -z "$DEPLOY_TOKEN$BROKER_SECRET$GAIT_KEY_FILE" && cat"#;
    for more in [&["--without"][..], &[]] {
        let trace = machine.allowed("status");
        let args = Machine::line(&trace, more, script);
        let mut command = machine.command(&args);
        command.env("GAIT_KEY_FILE", "gait-out/keys/gait.private.json");
        if more.contains(&"--without") {
            command.env_remove("BROKER_SECRET");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", shown(&output));
        assert_eq!(output.stdout, br#"{"site":"/docs/a"}"#);
    }
    assert_eq!((machine.asked(), machine.records().len()), (0, 0));
}

#[test]
fn a_call_is_allowed_only_where_somebody_promises_its_credential() {
    let machine = Machine::new(POLICY);
    for (promise, exit) in [
        (&[][..], 3),
        (&["--fulfils", "notify"], 3),
        (&["--fulfils", "credential:other"], 3),
        (&["--fulfils", "credential:"], 3),
        (&["--fulfils", "notify:deploy"], 3),
        (&["--fulfils", "credential:deploy"], 0),
        (&["--fulfils", "credential"], 0),
    ] {
        let trace = machine.judged("deploy", promise, exit);
        if exit == 3 {
            let record = machine.folder.valid_trace(&trace);
            assert_eq!(
                record["reason_codes"][0], "gait.obligation_unfulfillable",
                "{promise:?}"
            );
            machine.folder.write("args.json", br#"{"site":"/docs/a"}"#);
            machine.refuses(&trace, &[], (2, "permit.none"));
        }
    }
    assert_eq!(machine.asked(), 0);
}

#[test]
fn what_can_be_seen_before_does_not_use_up_the_permit() {
    let machine = Machine::new(POLICY);
    let trace = machine.allowed("deploy");
    // No broker at all, and none of this name.
    machine.refuses(&trace, &["--without"], (7, "credential.no_broker"));
    machine.raw_config("[credentials.deplooy]\nbroker = \"stub\"\nvariables = { A = \"a\" }\n");
    let error = machine.refuses(&trace, &[], (7, "credential.no_broker"));
    assert_eq!(
        error["error"]["hint"],
        "did you mean `deplooy`? the file that --credentials names has that one"
    );
    machine.raw_config("[credentials.deploy]\nbroker = \"stubb\"\n");
    machine.refuses(&trace, &[], (6, "config.bad_value"));
    // The file of brokers, the program and the folders on the way are nobody else's.
    machine.config("");
    machine.mode("brokers.toml", 0o644);
    machine.refuses(&trace, &[], (8, "file.exposed"));
    machine.mode("brokers.toml", 0o600);
    let aside = machine.folder.path("aside.toml");
    std::fs::rename(machine.folder.path("brokers.toml"), &aside).unwrap();
    machine.refuses(&trace, &[], (6, "file.not_found"));
    std::os::unix::fs::symlink(&aside, machine.folder.path("brokers.toml")).unwrap();
    machine.refuses(&trace, &[], (8, "file.linked"));
    std::fs::rename(&aside, machine.folder.path("brokers.toml")).unwrap();
    machine.mode("broker", 0o775);
    machine.refuses(&trace, &[], (8, "file.exposed"));
    machine.mode("broker", 0o755);
    machine.mode("", 0o777);
    machine.refuses(&trace, &[], (8, "file.exposed"));
    machine.mode("", 0o700);
    machine.config(&format!("sha256 = \"{}\"\n", "0".repeat(64)));
    machine.refuses(&trace, &[], (8, "credential.program"));
    let real = machine.folder.path("real");
    std::fs::rename(machine.folder.path("broker"), &real).unwrap();
    std::os::unix::fs::symlink(&real, machine.folder.path("broker")).unwrap();
    machine.config("");
    machine.refuses(&trace, &[], (8, "file.linked"));
    std::fs::remove_file(machine.folder.path("broker")).unwrap();
    machine.refuses(&trace, &[], (6, "file.not_found"));
    machine.broker(&[]);
    // Whoever may write into this folder does not choose the brokers.
    machine.folder.write(
        ".gait/config.toml",
        b"[permit.exec]\ncredentials = \"brokers.toml\"\n",
    );
    machine.refuses(&trace, &[], (6, "config.unknown_key"));
    machine.folder.remove(".gait/config.toml");
    // Nor does a key that cannot sign, a command that is not there, or another call.
    machine.refuses(&trace, &["--key", "none.json"], (7, "keys.missing"));
    let line = Machine::line(&trace, &[], "");
    let at = line.iter().position(|word| *word == "sh").unwrap();
    let none = machine.run(&[&line[..at], &["no-such-program"]].concat());
    assert_eq!(none.status.code(), Some(6), "{}", shown(&none));
    machine.folder.write("x.json", br#"{"site":"/docs/b"}"#);
    let other = [&line[..4], &["--args", "x.json"], &line[6..]].concat();
    assert_eq!(machine.run(&other).status.code(), Some(2));
    assert_eq!((machine.asked(), machine.records().len()), (0, 0));
    let pin = digest::sha256(&machine.folder.read("broker")).to_string();
    machine.config(&format!("sha256 = \"{}\"\n", pin.replace("sha256:", "")));
    let output = machine.exec(&trace, &[], "exit 0");
    assert!(output.status.success(), "{}", shown(&output));
    let path = format!("gait-out/credentials/{}", machine.records()[0]);
    let record = machine.folder.read(&path);
    let record = envelope::verify::<CredentialRecord>(&record, &trusted(), jiff::Timestamp::now()).unwrap();
    assert_eq!(record.value().program_digest.unwrap().to_string(), pin);
    machine.has_no_secret();
}

#[test]
fn a_broker_that_misbehaves_gives_no_credential() {
    let machine = Machine::new(POLICY);
    let secret = r#""$BROKER_SECRET""#;
    let print = |text: &str| format!("printf %s {text}; exit 0");
    let (half, twice) = (
        print(&format!("'{{\"token\":\"'{secret}")),
        print(&format!("'{{\"a\":\"'{secret}'\",\"a\":1}}'")),
    );
    let key = print(&format!("'{{\"'{secret}'\":1}}'"));
    let bare = print(secret);
    let cases: [(Words<'_>, (i32, &str)); 16] = [
        (&[("BEFORE", "exit 3")], (1, "credential.broker")),
        (&[("BEFORE", "kill -9 $$")], (1, "credential.broker")),
        (
            &[("BEFORE", "printf %s \"$BROKER_SECRET\"; exit 3")],
            (1, "credential.broker"),
        ),
        (
            &[("BEFORE", "while :; do printf %s \"$BROKER_SECRET\"; done")],
            (1, "credential.broker"),
        ),
        (&[("BEFORE", "exit 0")], (2, "credential.receipt")),
        (&[("BEFORE", &bare)], (2, "credential.receipt")),
        (&[("BEFORE", &half)], (2, "credential.receipt")),
        (&[("BEFORE", &twice)], (2, "credential.receipt")),
        (&[("BEFORE", &key)], (2, "credential.receipt")),
        (&[("SUBJECT", "$BROKER_SECRET")], (2, "credential.leak")),
        (
            &[("\"SCOPE\"", "\"site:docs\",\"site:shop\"")],
            (2, "credential.scope"),
        ),
        (&[("+10 minutes", "+16 minutes")], (2, "credential.too_long")),
        (&[("+10 minutes", "-1 minutes")], (2, "credential.expired")),
        (
            &[("date -u +", "date -u -d -1hour +")],
            (2, "credential.not_for_this_call"),
        ),
        (
            &[("printf %s \"$REQUEST\"", "printf x")],
            (2, "credential.other_request"),
        ),
        (&[("\"token\"", "\"tocken\"")], (2, "credential.part")),
    ];
    let count = cases.len();
    for (words, expected) in cases {
        machine.broker(words);
        machine.fails(expected, true);
    }
    machine.broker(&[]);
    for (more, code) in [
        ("subject = \"somebody\"\n", "credential.subject"),
        ("issuer = \"https://other.example\"\n", "credential.issuer"),
        ("max_ttl = \"5m\"\n", "credential.too_long"),
    ] {
        machine.config(more);
        machine.fails((2, code), true);
    }
    assert_eq!((machine.asked(), machine.records().len()), (count + 3, 0));
    machine.has_no_secret();
}

#[test]
fn a_broker_that_hangs_is_killed_with_what_it_has_started() {
    let machine = Machine::new(POLICY);
    for before in [
        "sleep 61 & echo $! > PID; sleep 62",
        // It ends, and what it has started holds on to its output.
        "command -v setsid || exit 3; setsid sleep 7 & sleep 0.5; exit 0",
    ] {
        let pid = machine.at("pid");
        machine.broker(&[("BEFORE", &before.replace("PID", &pid))]);
        let started = Instant::now();
        let error = machine.fails((1, "credential.broker"), true);
        let message = error["error"]["message"].as_str().unwrap();
        if before.contains("PID") {
            assert!(message.contains("not answered within 5000 ms"), "{message}");
            let pid = std::fs::read_to_string(&pid).unwrap();
            let stat = format!("/proc/{}/stat", pid.trim());
            let is_there = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(" Z "));
            assert!(wait(|| !is_there()), "{stat}");
        }
        assert!(started.elapsed() < Duration::from_secs(60));
    }
    assert!(machine.records().is_empty());
}

fn wait(is_so: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        if is_so() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    false
}

#[test]
fn one_permit_is_one_credential() {
    let machine = Machine::new(POLICY);
    let rounds = 5;
    for round in 0..rounds {
        let trace = machine.allowed("deploy");
        let line = Machine::line(&trace, &[], "echo ran >> ran");
        let start = || {
            let mut command = machine.command(&line);
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let mut all = [start(), start(), start()];
        let mut codes: Vec<_> = all.iter_mut().map(|one| one.wait().unwrap().code()).collect();
        codes.sort();
        assert_eq!(codes, [Some(0), Some(2), Some(2)], "round {round}");
    }
    let ran = String::from_utf8(machine.folder.read("ran")).unwrap();
    assert_eq!(
        (ran.lines().count(), machine.asked(), machine.records().len()),
        (rounds, rounds, rounds)
    );
}

#[test]
fn who_is_killed_before_the_credential_is_there_gets_no_second_one() {
    let machine = Machine::new(POLICY);
    machine.broker(&[("BEFORE", "sleep 1")]);
    let trace = machine.allowed("deploy");
    let mut command = machine.command(&Machine::line(&trace, &[], "touch started"));
    let mut gait = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(wait(|| machine.asked() == 1));
    gait.kill().unwrap();
    gait.wait().unwrap();
    machine.refuses(&trace, &[], (2, "permit.redeemed"));
    assert_eq!((machine.asked(), machine.records().len()), (1, 0));
    let settle = ["permit", "settle", "--trace", &trace, "--outcome", "ambiguous"];
    let output = machine.run(&settle);
    assert!(output.status.success(), "{}", shown(&output));
}

#[test]
fn a_credential_is_not_handed_over_where_it_cannot_be_written_down() {
    let machine = Machine::new(POLICY);
    machine.folder.write("taken.json", b"");
    let trace = machine.allowed("deploy");
    // What is there already is seen before anything is used up, and what cannot be written later uses the permit up.
    machine.refuses(&trace, &["--record-out", "taken.json"], (8, "file.exists"));
    assert_eq!(machine.asked(), 0);
    machine.refuses(
        &trace,
        &["--record-out", "taken.json/r.json"],
        (6, "file.not_folder"),
    );
    machine.refuses(&trace, &[], (2, "permit.redeemed"));
    assert!(machine.records().is_empty());
}

#[test]
fn what_the_environment_has_is_held_to_the_same() {
    let machine = Machine::new(POLICY);
    machine.raw_config(
        "[credentials.deploy]\nbroker = \"env\"\nprefix = \"SITE_\"\nscope = [\"site:docs\"]\n\
         variables = { DEPLOY_TOKEN = \"TOKEN\" }\n",
    );
    let later =
        |minutes: i64| (jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes)).to_string();
    let script = r#"test "$DEPLOY_TOKEN" = "hunter2-4rT""9xQ" && test -z "$SITE_TOKEN$SITE_EXPIRES_AT""#;
    for (expires, token, code, uses_up) in [
        (Some(later(10)), Some(SECRET), None, true),
        (
            Some(later(20)),
            Some(SECRET),
            Some((2, "credential.too_long")),
            true,
        ),
        (
            Some(later(-1)),
            Some(SECRET),
            Some((2, "credential.expired")),
            true,
        ),
        (Some(later(10)), None, Some((2, "credential.part")), true),
        (
            Some("soon".to_owned()),
            Some(SECRET),
            Some((7, "credential.variable")),
            false,
        ),
        (None, Some(SECRET), Some((7, "credential.variable")), false),
    ] {
        let trace = machine.allowed("deploy");
        let line = Machine::line(&trace, &["--json"], script);
        let mut command = machine.command(&line);
        command.envs(expires.map(|at| ("SITE_EXPIRES_AT", at)));
        command.envs(token.map(|token| ("SITE_TOKEN", token)));
        let output = command.output().unwrap();
        machine.printed.borrow_mut().extend(&output.stdout);
        let exit = code.map_or(0, |(exit, _)| exit);
        assert_eq!(output.status.code(), Some(exit), "{code:?} {}", shown(&output));
        if let Some((_, code)) = code {
            assert_eq!(valid(&output.stdout, "cli/error")["error"]["code"], code);
        }
        let redeem = machine.run(&["permit", "redeem", "--trace", &trace, "--args", "args.json"]);
        assert_eq!(redeem.status.success(), !uses_up, "{code:?}");
    }
    machine.raw_config(
        "[credentials.deploy]\nbroker = \"env\"\nprefix = \"SITE_\"\nscope = [\"site:shop\"]\n\
         variables = { DEPLOY_TOKEN = \"TOKEN\" }\n",
    );
    let trace = machine.allowed("deploy");
    let mut command = machine.command(&Machine::line(&trace, &[], script));
    let output = command
        .envs([("SITE_TOKEN", SECRET), ("SITE_EXPIRES_AT", &later(10))])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert_eq!(machine.records().len(), 1);
    machine.has_no_secret();
}

#[test]
fn a_strict_policy_takes_only_what_is_made_for_the_call() {
    let stub = "[credentials.deploy]\nbroker = \"stub\"\nvariables = { DEPLOY_TOKEN = \"token\" }\n";
    let env = "[credentials.deploy]\nbroker = \"env\"\nprefix = \"SITE_\"\nscope = [\"site:docs\"]\n\
               variables = { DEPLOY_TOKEN = \"TOKEN\" }\n";
    let library = include_str!("../../stdlib/credentials.gaitpol");
    let declared = &library[library.find("obligation").unwrap()..];
    let strict = POLICY
        .replace("default block", "profile strict\ndefault block")
        .replace("import std.credentials\n", declared);
    let machine = Machine::new(&strict);
    for config in [stub, env] {
        machine.raw_config(config);
        machine.fails((8, "credential.profile"), false);
    }
    let machine = Machine::new(POLICY);
    machine.raw_config(stub);
    let shown_twice: Vec<Vec<u8>> = (0..2)
        .map(|_| {
            let trace = machine.allowed("deploy");
            let output = machine.exec(&trace, &[], r#"printf %s "$DEPLOY_TOKEN""#);
            assert!(output.status.success(), "{}", shown(&output));
            output.stdout
        })
        .collect();
    assert!(
        shown_twice
            .iter()
            .all(|token| token.starts_with(b"stub:token:sha256:"))
    );
    assert_ne!(shown_twice[0], shown_twice[1]);
}

#[test]
fn an_obligation_of_that_name_that_says_something_else_is_none() {
    for declared in [
        "obligation credential { name: String[max 64] }\n",
        "obligation credential { name: String[max 64]  scope: String[max 9]  ttl: Duration }\n",
        "obligation credential { name: String[max 64]  scope: Set[String[max 9], max 2]  ttl: Int }\n",
        "obligation credential { name: String[max 64]  scope: Set[String[max 9], max 2]  ttl: Duration  who: Int }\n",
    ] {
        let told = match () {
            () if !declared.contains("ttl") => r#"name: "deploy""#,
            () if declared.contains("who") => r#"name: "deploy", scope: { "a" }, ttl: 15m, who: 1"#,
            () if declared.contains("Int") => r#"name: "deploy", scope: { "a" }, ttl: 15"#,
            () => r#"name: "deploy", scope: "a", ttl: 15m"#,
        };
        let policy = format!(
            "gaitpol 1\npolicy p\ndefault block code none\n{declared}tool deploy {{ site: Path }}\n\
             rule all on deploy allow oblige credential({told})\n"
        );
        let machine = Machine::new(&policy);
        machine.fails((6, "credential.obligation"), false);
        assert_eq!(machine.asked(), 0);
    }
}

#[test]
fn each_step_of_a_script_gets_its_own() {
    let machine = Machine::new(POLICY);
    let step = |tool: &str| json!({"tool_name": tool, "args": {"site": "/docs/a"}, "targets": []});
    let steps = json!([step("status"), step("deploy"), step("deploy")]);
    let script = format!(r#""args":{{}},"script":{{"steps":{steps}}}"#);
    machine.folder.write("script.json", &intent("script", &script));
    let trace = machine.allowed("script");
    machine.folder.write("args.json", br#"{"site":"/docs/a"}"#);
    machine.refuses(&trace, &["--step", "2"], (2, "permit.step_too_early"));
    for (step, token) in [("1", ""), ("2", "yes"), ("3", "yes")] {
        let output = machine.exec(&trace, &["--step", step], r#"printf %s "${DEPLOY_TOKEN:+yes}""#);
        assert_eq!(shown(&output).replace("note:", ""), shown(&output));
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            token,
            "{}",
            shown(&output)
        );
        machine.refuses(&trace, &["--step", step], (2, "permit.redeemed"));
    }
    assert_eq!((machine.asked(), machine.records().len()), (2, 2));
}

/// The page is executed by a shell, since what it is about is started by one.
#[test]
fn the_manual_says_what_happens() {
    let machine = Machine::new(POLICY);
    machine.broker(&[
        ("https://issuer.example", "https://sts.acme.example"),
        ("echo \"$BROKER_SECRET\" >&2", ""),
        ("$BROKER_SECRET", "made-up"),
    ]);
    let folder = &machine.folder;
    folder.remove("gait-out/keys/gait.private.json");
    folder.remove("gait-out/keys/gait.public.json");
    let page = include_str!("../../docs/reference/credentials.md");
    let parts: Vec<&str> = page.split("\n```").collect();
    let binary = Path::new(env!("CARGO_BIN_EXE_gait")).parent().unwrap();
    let mut ran = 0;
    for pair in parts.chunks_exact(2) {
        let (kind, text) = pair[1].split_once('\n').unwrap();
        match kind {
            "text" => {}
            "sh" => {
                for line in text.lines() {
                    let (_, remark) = line.split_once("# exit ").unwrap_or((line, "0"));
                    let output = Command::new("sh")
                        .args(["-c", line])
                        .current_dir(&machine.root)
                        .env_clear()
                        .env(
                            "PATH",
                            format!("{}:/usr/local/bin:/usr/bin:/bin", binary.display()),
                        )
                        .env("ACME_ROOT_TOKEN", "x")
                        .output()
                        .unwrap();
                    let code = output.status.code().unwrap().to_string();
                    assert_eq!(code, remark.trim(), "{line}\n{}", shown(&output));
                    ran += 1;
                }
            }
            _ => {
                let name = pair[0].rsplit('`').nth(1).unwrap();
                let text = text.replace("/opt/acme/bin/deploy-token", &machine.at("broker"));
                folder.write(name, text.as_bytes());
            }
        }
    }
    assert_eq!(ran, 8);
}
