//! The conformance suite of the protocol (`@modelcontextprotocol/conformance`) against a server, and against the same server behind
//! `gait mcp serve` with a policy that lets everything through: check by check the same, but for what docs/reference/mcp.md lists. And against the
//! gateway as the client of the suite's own servers.

use crate::folder::{Folder, compiled, shown};
use crate::mcp;
use crate::mcp_offered::{node, program};
use crate::mcp_serve::{NEW, OLD, gateway};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const POLICY: &str = "gaitpol 1\npolicy acme.all\nprofile dev\ndefault allow\n\
    type Values = Map[String[max 100], String[max 1000], max 20]\n\
    tool mcp.resource { uri: String[max 200] }\n\
    tool mcp.prompt { name: String[max 80], arguments: Values? }\n\
    tool mcp.completion { ref: { type: String[max 20], name: String[max 80]?, uri: String[max 200]? }, \
        argument: { name: String[max 40], value: String[max 80] }, context: { arguments: Values? }? }\n";

/// What servers ask of clients, and what these answer.
pub const ASKED: &str = "type Block = { type: String[max 20], text: String[max 1000] }\n\
    tool mcp.elicitation { server: String[max 40], mode: String[max 9], message: String[max 200], \
        properties: List[String[max 40], max 20], url: String[max 200]? }\n\
    tool mcp.elicitation_answer { server: String[max 40], action: String[max 9], \
        content: Map[String[max 100], String[max 1000], max 20]? }\n\
    tool mcp.sampling { server: String[max 40], messages: List[{ role: String[max 20], type: String[max 20], text: String[max 1000] }, max 20], \
        systemPrompt: String[max 1000]?, includeContext: String[max 20]?, maxTokens: Int?, tools: List[String[max 80], max 20]? }\n\
    tool mcp.sampling_answer { server: String[max 40], role: String[max 20]?, model: String[max 80]?, stopReason: String[max 40]?, \
        content: List[Block, max 20] }\n\
    tool mcp.roots_answer { server: String[max 40], roots: List[{ uri: String[max 200], name: String[max 200]? }, max 20] }\n";

/// Tools with arguments; all others have none.
const ARGUMENTS: [(&str, &str); 5] = [
    ("test_sampling", "prompt: String[max 200]"),
    ("test_elicitation", "message: String[max 200]"),
    (
        "test_custom_headers",
        "region: String[max 200], query: String[max 200]?",
    ),
    ("json_schema_2020_12_tool", "name: String[max 200]?"),
    ("test_custom_headers_null", "region: String[max 200]?"),
];

pub struct Fixture(Child, pub String);

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn script() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mcp/fixture.py")
}

pub fn fixture(venv: &Path, does: &[&str]) -> Fixture {
    let mut child = Command::new(venv.join("bin/python"))
        .arg(script())
        .args(does)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut port = String::new();
    let mut output = BufReader::new(child.stdout.as_mut().unwrap());
    output.read_line(&mut port).unwrap();
    Fixture(child, format!("http://127.0.0.1:{}/mcp", port.trim()))
}

/// The policy that lets everything through: a line of the fixture that begins with the name of a tool declares it.
pub fn policy() -> String {
    let text = std::fs::read_to_string(script()).unwrap();
    let names = text
        .lines()
        .filter_map(|line| line.strip_prefix("    \"")?.split_once("\": ("));
    let mut policy = format!("{POLICY}{ASKED}");
    for (name, _) in names {
        let arguments = ARGUMENTS.iter().find(|(tool, _)| *tool == name);
        let arguments = arguments.map_or("", |(_, arguments)| arguments);
        policy.push_str(&format!("tool f.{name} {{ {arguments} }}\n"));
    }
    policy
}

/// What the suite says, by scenario: its checks with their states.
type Results = BTreeMap<String, Vec<(String, String)>>;

fn results(node: &Path, url: &str, which: &[&str], out: &Path) -> Results {
    let command = program(node, "conformance", "dist/index.js");
    let output = Command::new(&command[0])
        .args(&command[1..])
        .args(["server", "--url", url, "-o"])
        .arg(out)
        .args(which)
        .output()
        .unwrap();
    read(out, &output)
}

/// The results in a folder.
fn read(out: &Path, output: &Output) -> Results {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(out).unwrap_or_else(|_| panic!("{}", shown(output))) {
        let folder = entry.unwrap();
        let name = folder.file_name().into_string().unwrap();
        // The name ends with the time, such as `-2026-11-27T22-05-34-209Z`.
        let scenario = &name[..name.len() - 25];
        let scenario = scenario.strip_prefix("server-").unwrap_or(scenario).to_owned();
        let bytes = std::fs::read(folder.path().join("checks.json")).unwrap();
        let checks: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
        let text = |check: &Value, member: &str| check[member].as_str().unwrap().to_owned();
        let mut states: Vec<_> = checks
            .iter()
            .map(|check| (text(check, "id"), text(check, "status")))
            .collect();
        states.sort();
        all.insert(scenario, states);
    }
    all
}

/// What the server is told to do, the revision, and the scenarios in which something differs.
const DIFFERS: [(&[&str], &str, &[&str]); 3] = [
    (&[], OLD, &["server-sse-multiple-streams", "server-sse-polling"]),
    (
        &[],
        NEW,
        &[
            "tasks-capability-negotiation",
            "tasks-dispatch-and-envelope",
            "tasks-lifecycle",
        ],
    ),
    (
        &["old"],
        OLD,
        &[
            "resources-subscribe",
            "resources-unsubscribe",
            "server-sse-multiple-streams",
            "server-sse-polling",
        ],
    ),
];

#[test]
fn the_suite_says_the_same_of_a_server_and_of_the_gateway_before_it() {
    let (Some(venv), Some(node)) = (mcp::venv(), node()) else {
        return;
    };
    let folder = Folder::new();
    folder.write("b.gaitbundle", &compiled(&policy()));
    for (at, (does, revision, expected)) in DIFFERS.into_iter().enumerate() {
        let fixture = fixture(&venv, does);
        let text =
            "bundle = \"b.gaitbundle\"\nlisten = \"127.0.0.1:0\"\nown_names = true\n[servers.f]\nurl = ";
        let daemon = gateway(&folder, &format!("{text}\"{}\"\n", fixture.1));
        let url = daemon.told("listening");
        let run = |which: &[&str], name: &str| {
            let out = |of: &str| folder.path(&format!("{at}-{of}-{name}"));
            (
                results(&node, &fixture.1, which, &out("direct")),
                results(&node, &url, which, &out("through")),
            )
        };
        let (direct, through) = run(&["--requirements", revision], revision);
        assert!(direct.len() > 30, "{direct:?}");
        let mut differs: Vec<&str> = Vec::new();
        for (scenario, states) in &direct {
            let found = through.get(scenario);
            // A machine that is slow makes a scenario wait in vain now and then, with any server; then it is run again.
            let differs_again = |round: usize| {
                let which = ["--scenario", scenario, "--spec-version", revision];
                let (direct, through) = run(&which, &format!("{scenario}-{round}"));
                direct.get(scenario) != through.get(scenario)
            };
            let is_known = expected.contains(&scenario.as_str());
            if found != Some(states) && (is_known || (0..3).all(differs_again)) {
                println!("{does:?} {revision} {scenario}\n  direct  {states:?}\n  through {found:?}");
                differs.push(scenario);
            }
        }
        assert_eq!(differs, expected, "{does:?} {revision}");
        // Whatever differs is a row of the manual.
        let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/mcp.md");
        let manual = std::fs::read_to_string(manual).unwrap();
        for scenario in differs {
            let old = if does.is_empty() {
                ""
            } else {
                ", server without 2026-07-28"
            };
            let row = format!("| {revision}{old} | `{scenario}` |");
            assert!(manual.contains(&row), "{row}");
        }
        daemon.stop();
    }
}

/// Tools of the suite's own servers, as policies declare them.
const OF_SERVERS: &str = "tool f.add_numbers { a: Decimal[2], b: Decimal[2] }\n\
    tool f.test_custom_headers { region: String, priority: Int, verbose: Bool, debug: Bool, empty_val: String, method_val: String, \
        float_val: Decimal[9], non_ascii_val: String, whitespace_val: String, leading_space_val: String, trailing_space_val: String, \
        internal_space_val: String, control_char_val: String, crlf_val: String, tab_val: String, query: String }\n\
    tool f.test_custom_headers_null { region: String, priority: Int, verbose: Bool?, query: String }\n";
/// Those that have no arguments, or are called without.
const CALLED: [&str; 17] = [
    "test_headers",
    "valid_tool",
    "test_mrtr_echo_state",
    "test_mrtr_no_state",
    "test_mrtr_unrelated",
    "test_mrtr_no_result_type",
    "invalid_array_header",
    "invalid_colon_in_name",
    "invalid_control_char_name",
    "invalid_duplicate_diff_case",
    "invalid_duplicate_same_case",
    "invalid_empty_header",
    "invalid_non_ascii_name",
    "invalid_null_header",
    "invalid_number_header",
    "invalid_object_header",
    "invalid_space_in_name",
];
const SCENARIOS: [&str; 8] = [
    "initialize",
    "tools_call",
    "request-metadata",
    "http-standard-headers",
    "http-custom-headers",
    "http-invalid-tool-headers",
    "sep-2322-client-request-state",
    "json-schema-ref-no-deref",
];

#[test]
fn the_gateway_is_a_client_as_the_suite_wants_one() {
    let (Some(venv), Some(node)) = (mcp::venv(), node()) else {
        return;
    };
    let folder = Folder::new();
    let called: String = CALLED
        .iter()
        .map(|name| format!("tool f.{name} {{ }}\n"))
        .collect();
    folder.write(
        "b.gaitbundle",
        &compiled(&format!("{POLICY}{ASKED}{OF_SERVERS}{called}")),
    );
    folder.write(
        "head.toml",
        b"bundle = \"b.gaitbundle\"\nlisten = \"127.0.0.1:0\"\nown_names = true\n",
    );
    let words = [
        venv.join("bin/python"),
        script().with_file_name("as_client.py"),
        folder.path(""),
    ];
    let client = words.map(|word| word.to_str().unwrap().to_owned()).join(" ");
    let command = program(&node, "conformance", "dist/index.js");
    for scenario in SCENARIOS {
        let out = folder.path(&format!("out-{scenario}"));
        let output = Command::new(&command[0])
            .args(&command[1..])
            .args(["client", "--command", &client, "--scenario", scenario, "-o"])
            .arg(&out)
            .env("GAIT", env!("CARGO_BIN_EXE_gait"))
            .output()
            .unwrap();
        let checks: Vec<_> = read(&out, &output).into_values().flatten().collect();
        let passed = checks.iter().filter(|(_, status)| status == "SUCCESS").count();
        let failed = checks
            .iter()
            .filter(|(_, status)| status == "FAILURE" || status == "WARNING");
        let failed: Vec<_> = failed.collect();
        assert!(
            passed > 0 && failed.is_empty(),
            "{scenario} {failed:?} {}",
            shown(&output)
        );
    }
}
