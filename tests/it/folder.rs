//! A working folder for tests of the real binary: keys, the starter policy as a bundle, its intents.

use gait::artifact::{BundleContents, SigningKey, TestSummary, TrustedKeys, bundle};
use gait::domain::Enforcement;
use gait::{compile, ir};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The time tests state.
pub const AT: &str = "2026-11-23T12:00:00.000Z";

/// The folder; it vanishes with this value.
pub struct Folder {
    dir: TempDir,
}

/// The text of the starter policy.
pub fn policy() -> String {
    std::fs::read_to_string(root().join("policies/starter/policy.gaitpol")).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The key that signs in these tests.
pub fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

/// The keys these tests trust.
pub fn trusted() -> TrustedKeys {
    TrustedKeys::new([key().verifying_key()])
}

/// Compiles and signs a policy, its tests not run.
pub fn compiled(text: &str) -> Vec<u8> {
    deployed(text, Enforcement::Enforce)
}

/// The same, deployed at a level.
pub fn deployed(text: &str, enforcement: Enforcement) -> Vec<u8> {
    let report = compile::check("policy.gaitpol", text);
    let checked = report
        .checked
        .unwrap_or_else(|| panic!("{:?}", report.diagnostics));
    let package = checked.package();
    let contents = BundleContents {
        name: package.name.clone(),
        version: package.version.clone(),
        edition: package.edition,
        epoch: 0,
        ir: ir::encode(&compile::lower(&checked)),
        profile: package.profile,
        enforcement,
        sources: gait::bundling::sources(&checked),
        tests: TestSummary { passed: 0, total: 0 },
        proofs: Vec::new(),
        after: None,
        compiler: "test".to_owned(),
        tz: "2026f".to_owned(),
    };
    bundle::build(contents, &key()).unwrap()
}

impl Folder {
    /// A folder with keys in their default place, `b.gaitbundle` and `allow.json`, `block.json`, `approval.json`.
    pub fn new() -> Folder {
        let folder = Folder {
            dir: tempfile::tempdir().unwrap(),
        };
        folder.write_private("gait-out/keys/gait.private.json", &key().to_file());
        folder.write("gait-out/keys/gait.public.json", &key().verifying_key().to_file());
        folder.write("b.gaitbundle", &compiled(&policy()));
        for name in ["allow", "block", "approval"] {
            let path = root().join(format!("policies/starter/intents/{name}.json"));
            folder.write(&format!("{name}.json"), &std::fs::read(path).unwrap());
        }
        folder
    }

    /// The place of a file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    /// Writes a file that only its owner may read.
    pub fn write_private(&self, name: &str, bytes: &[u8]) {
        self.write(name, bytes);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).unwrap();
    }

    /// The names in a folder, sorted; none when it is not there.
    pub fn list(&self, name: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(name)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The command, to be started here.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gait"));
        command
            .args(args)
            .current_dir(self.dir.path())
            .env_clear()
            .stdin(Stdio::null());
        command
    }

    /// Runs to the end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs with `--json`, checks exit code and schema.
    pub fn json(&self, args: &[&str], exit: i32, schema: &str) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let output = self.run(&args);
        assert_eq!(output.status.code(), Some(exit), "{args:?}\n{}", shown(&output));
        assert!(output.stderr.is_empty(), "{args:?}\n{}", shown(&output));
        valid(&output.stdout, &format!("cli/{schema}"))
    }

    /// Checks the record in a trace of this folder against its schema.
    pub fn valid_trace(&self, name: &str) -> Value {
        let trace = gait::artifact::trace::verify(&self.read(name), &trusted(), AT.parse().unwrap()).unwrap();
        let record = gait::artifact::envelope::Payload::to_json(trace.value());
        valid(&gait::artifact::jcs::to_vec(&record), "trace")
    }

    /// Runs with `--json` and expects an error of this code.
    pub fn fails(&self, args: &[&str], exit: i32, code: &str) {
        let value = self.json(args, exit, "error");
        assert_eq!(value["error"]["code"], code, "{args:?}\n{value}");
        assert_eq!(value["exit_code"], exit);
    }

    /// Judges an intent of this folder with the standard bundle.
    pub fn eval(&self, intent: &str, more: &[&str]) -> Output {
        self.run(&eval(intent, more))
    }

    /// Executes a page of the manual, in order: files are written under the last name in backticks before them, commands
    /// run and exit as their remark says, and what is shown as printed is how one of them began. Gives what they printed.
    pub fn page(&self, page: &str) -> Vec<String> {
        let mut printed: Vec<String> = Vec::new();
        let parts: Vec<&str> = page.split("\n```").collect();
        for pair in parts.chunks_exact(2) {
            let (kind, text) = pair[1].split_once('\n').unwrap();
            match kind {
                "sh" => printed.extend(text.lines().map(|line| self.line(line))),
                "text" => assert!(
                    printed.iter().any(|one| one.starts_with(text.trim())),
                    "{text}\n{}",
                    printed.join("\n")
                ),
                _ => {
                    let name = pair[0].rsplit('`').nth(1).unwrap();
                    self.write(name, text.as_bytes());
                }
            }
        }
        printed
    }

    /// Runs a line of a page: `gait …  # exit N`.
    fn line(&self, line: &str) -> String {
        let (command, remark) = line.split_once('#').unwrap_or((line, ""));
        let exit = remark.trim().strip_prefix("exit ");
        let exit: i32 = exit.map_or(0, |n| n.parse().unwrap());
        let args: Vec<&str> = command.split_whitespace().skip(1).collect();
        let output = self.run(&args);
        assert_eq!(output.status.code(), Some(exit), "{line}\n{}", shown(&output));
        shown(&output)
    }

    /// Three calls in session `s`, packed as `s.zip`.
    pub fn recorded(&self) {
        for name in ["allow.json", "block.json", "approval.json"] {
            let output = self.eval(name, &["--session", "s", "--evaluation-time", AT]);
            assert!(
                matches!(output.status.code(), Some(0 | 3 | 4)),
                "{}",
                shown(&output)
            );
        }
        let output = self.run(&["run", "record", "--session", "s", "--out", "s.zip"]);
        assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    }
}

/// The arguments of an evaluation.
pub fn eval<'a>(intent: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let args = ["gate", "eval", "--bundle", "b.gaitbundle", "--intent", intent];
    args.into_iter().chain(more.iter().copied()).collect()
}

/// Both streams, for messages of tests.
pub fn shown(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Validates a document against `schemas/v1/<name>.schema.json`.
pub fn valid(bytes: &[u8], name: &str) -> Value {
    let path = root().join(format!("schemas/v1/{name}.schema.json"));
    let schema = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let value: Value = serde_json::from_slice(bytes)
        .unwrap_or_else(|e| panic!("{name}: {e}\n{}", String::from_utf8_lossy(bytes)));
    let wrong: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert!(wrong.is_empty(), "{name}: {wrong:?}\n{value:#}");
    value
}
