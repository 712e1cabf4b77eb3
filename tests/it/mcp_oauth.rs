//! The gateway as an OAuth 2.1 resource server: tokens made by PyJWT, good ones and every kind of wrong one; who asks in the policy's hands, sessions that
//! are of one principal, and where a token is to be had. It needs the Python of `GAIT_MCP_VENV`.

use crate::daemon::Daemon;
use crate::daemon::client::Answer;
use crate::folder::{Folder, compiled};
use crate::mcp;
use crate::mcp_pins;
use crate::mcp_serve::{OLD, config, gateway, header, message, post, reason, result, stateless, traces};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

const POLICY: &str = "gaitpol 1\npolicy acme.callers\ndefault block code none\n\
    context {\n  fact principal: { subject: String[max 80], client: String[max 80]?, scopes: List[String[max 40], max 9] }\n\
      claim who: String[max 80] from intent context.identity\n}\n\
    tool a.say { text: String[max 20] }\n\
    rule ann on a.say when context.principal.subject == \"ann\" and any s in context.principal.scopes: s == \"call\" allow\n\
    rule bob on a.say when context.principal.subject == \"bob\" and (context.principal.client else \"\") == \"desk\" require_approval\n\
    rule other on a.say when context.who == \"carl\" block code carl_is_told\n";

const OAUTH: &str = "public_url = \"https://gate.example\"\nallow_hosts = [\"gate.example\"]\n\
    [oauth]\nissuer = \"https://login.example\"\nkeys = \"jwks.json\"\nscopes = [\"call\"]\n";

/// Makes tokens, and writes the keys of their issuer.
fn tokens(venv: &Path, folder: &Folder, asked: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mcp/tokens.py");
    let mut child = Command::new(venv.join("bin/python"))
        .arg(script)
        .current_dir(folder.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(asked.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A gateway that takes tokens, and those that were asked for.
fn resource(venv: &Path, asked: &Value) -> (Folder, Daemon, Value) {
    let folder = mcp_pins::pinned(venv);
    folder.write("b.gaitbundle", &compiled(POLICY));
    let tokens = tokens(venv, &folder, asked);
    let server = mcp_pins::server(venv, &[]);
    let text = config(&[("a", &server)], "").replace("[servers", &format!("{OAUTH}[servers"));
    let daemon = gateway(&folder, &text);
    (folder, daemon, tokens)
}

fn shows(daemon: &Daemon, token: &str, more: &[(&str, &str)], body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [&[("Authorization", bearer.as_str())], more].concat();
    post(&mut daemon.connect(), &headers, body)
}

const STATELESS: [(&str, &str); 3] = [
    ("MCP-Protocol-Version", "2026-07-28"),
    ("Mcp-Method", "tools/call"),
    ("Mcp-Name", "a__say"),
];

#[test]
fn only_tokens_of_the_issuer_for_this_resource_are_taken() {
    let Some(venv) = mcp::venv() else { return };
    let cases = [
        ("rs256", json!({"key": "rsa", "alg": "RS256"}), Ok(200)),
        ("ps256", json!({"key": "rsa", "alg": "PS256"}), Ok(200)),
        ("es256", json!({"key": "ec", "alg": "ES256"}), Ok(200)),
        ("eddsa", json!({"key": "ed", "alg": "EdDSA"}), Ok(200)),
        (
            "at+jwt",
            json!({"key": "ec", "alg": "ES256", "header": {"typ": "at+jwt"}}),
            Ok(200),
        ),
        (
            "several audiences",
            json!({"key": "ec", "alg": "ES256",
            "claims": {"aud": ["https://other.example", "https://gate.example/mcp"]}}),
            Ok(200),
        ),
        (
            "over within the skew",
            json!({"key": "ec", "alg": "ES256", "claims": {"exp": {"now": -20}}}),
            Ok(200),
        ),
        (
            "no key named, one for EdDSA",
            json!({"key": "ed", "alg": "EdDSA", "kid": null}),
            Ok(200),
        ),
        (
            "no key named, two for RS256",
            json!({"key": "rsa", "alg": "RS256", "kid": null}),
            Err("the issuer has no key"),
        ),
        (
            "a key of nobody",
            json!({"key": "ec", "alg": "ES256", "kid": "other"}),
            Err("the issuer has no key"),
        ),
        (
            "a key for encryption",
            json!({"key": "ec", "alg": "ES256", "kid": "enc"}),
            Err("the issuer has no key"),
        ),
        (
            "a key of another kind",
            json!({"key": "ec", "alg": "ES256", "kid": "rsa"}),
            Err("the issuer has no key"),
        ),
        (
            "a key that is too small",
            json!({"key": "small", "alg": "RS256"}),
            Err("the signature"),
        ),
        (
            "signed by a stranger",
            json!({"key": "stranger", "alg": "ES256", "kid": "ec"}),
            Err("the signature"),
        ),
        (
            "not signed",
            json!({"key": "rsa", "alg": "none"}),
            Err("is not signed"),
        ),
        (
            "the public key as a secret",
            json!({"key": "rsa", "alg": "HS256"}),
            Err("is not signed"),
        ),
        (
            "signed by a weaker hash",
            json!({"key": "rsa", "alg": "RS512"}),
            Err("is not signed"),
        ),
        (
            "an extension",
            json!({"key": "ec", "alg": "ES256", "header": {"crit": ["b64"], "b64": true}}),
            Err("`crit`"),
        ),
        (
            "an identity token",
            json!({"key": "ec", "alg": "ES256", "header": {"typ": "id+jwt"}}),
            Err("another type"),
        ),
        (
            "of another issuer",
            json!({"key": "ec", "alg": "ES256", "claims": {"iss": "https://login.example/"}}),
            Err("another issuer"),
        ),
        (
            "of none",
            json!({"key": "ec", "alg": "ES256", "claims": {"iss": null}}),
            Err("another issuer"),
        ),
        (
            "for another resource",
            json!({"key": "ec", "alg": "ES256", "claims": {"aud": "https://gate.example"}}),
            Err("another resource"),
        ),
        (
            "for none",
            json!({"key": "ec", "alg": "ES256", "claims": {"aud": null}}),
            Err("another resource"),
        ),
        (
            "over",
            json!({"key": "ec", "alg": "ES256", "claims": {"exp": {"now": -61}}}),
            Err("is over"),
        ),
        (
            "never over",
            json!({"key": "ec", "alg": "ES256", "claims": {"exp": null}}),
            Err("does not say when"),
        ),
        (
            "over at no time",
            json!({"key": "ec", "alg": "ES256", "claims": {"exp": 9.9e20}}),
            Err("whole number"),
        ),
        (
            "early",
            json!({"key": "ec", "alg": "ES256", "claims": {"nbf": {"now": 90}}}),
            Err("not good yet"),
        ),
        (
            "given later than now",
            json!({"key": "ec", "alg": "ES256", "claims": {"iat": {"now": 90}}}),
            Err("not good yet"),
        ),
        (
            "for nobody",
            json!({"key": "ec", "alg": "ES256", "claims": {"sub": null}}),
            Err("for whom"),
        ),
        (
            "for somebody unseen",
            json!({"key": "ec", "alg": "ES256", "claims": {"sub": "an\u{200b}n"}}),
            Err("for whom"),
        ),
    ];
    let mut asked: Vec<Value> = Vec::new();
    for (name, token, _) in &cases {
        let mut token = token.clone();
        token["name"] = json!(name);
        asked.push(token);
    }
    asked.push(json!({"name": "narrow", "key": "ec", "alg": "ES256", "claims": {"scope": "read callers"}}));
    let (folder, daemon, tokens) = resource(&venv, &json!(asked));
    let body = stateless("a__say");
    for (name, _, want) in &cases {
        let answer = shows(&daemon, tokens[name].as_str().unwrap(), &STATELESS, &body);
        match want {
            Ok(status) => assert_eq!(answer.status, *status, "{name}: {}", answer.text()),
            Err(why) => {
                answer.is_refused(401, "request.token");
                assert!(answer.text().contains(why), "{name}: {}", answer.text());
                let challenge = header(&answer, "www-authenticate").unwrap();
                assert_eq!(
                    challenge,
                    "Bearer error=\"invalid_token\", resource_metadata=\
                     \"https://gate.example/.well-known/oauth-protected-resource/mcp\", scope=\"call\""
                );
            }
        }
    }
    let good = cases.iter().filter(|(_, _, want)| want.is_ok()).count();
    assert_eq!(mcp_pins::calls(&folder), good, "what was refused has run nothing");
    // Cut, changed, doubled and other headers.
    let token = tokens["es256"].as_str().unwrap();
    let (head, rest) = token.split_once('.').unwrap();
    for wrong in [
        &token[..token.len() - 4],
        &format!("{token}."),
        &format!("{head}.{head}.{}", rest.split_once('.').unwrap().1),
        &format!("{token}="),
        head,
        "",
    ] {
        shows(&daemon, wrong, &STATELESS, &body).is_refused(401, "request.token");
    }
    let bearer = format!("Bearer {token}");
    shows(
        &daemon,
        token,
        &[&[("Authorization", bearer.as_str())], &STATELESS[..]].concat(),
        &body,
    )
    .is_refused(401, "request.token");
    let none = post(&mut daemon.connect(), &STATELESS, &body);
    none.is_refused(401, "request.token");
    assert!(
        header(&none, "www-authenticate")
            .unwrap()
            .starts_with("Bearer resource_metadata=")
    );
    let narrow = shows(&daemon, tokens["narrow"].as_str().unwrap(), &STATELESS, &body);
    narrow.is_refused(403, "request.scope");
    assert!(
        header(&narrow, "www-authenticate")
            .unwrap()
            .contains("insufficient_scope")
    );
    // A key that is not published any more counts no more.
    let keys: Value = serde_json::from_slice(&folder.read("jwks.json")).unwrap();
    let others: Vec<_> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["kid"] != "ec")
        .collect();
    folder.write("jwks.json", json!({"keys": others}).to_string().as_bytes());
    shows(&daemon, token, &STATELESS, &body).is_refused(401, "request.token");
    folder.write("jwks.json", b"{");
    shows(&daemon, token, &STATELESS, &body).is_refused(503, "request.token_keys");
    assert_eq!(mcp_pins::calls(&folder), good);
}

#[test]
fn who_asks_is_what_the_policy_sees_and_a_session_is_of_one() {
    let Some(venv) = mcp::venv() else { return };
    let of = |name: &str, claims: Value| json!({"name": name, "key": "ed", "alg": "EdDSA", "claims": claims});
    let asked = json!([
        of("ann", json!({})),
        of("ann again", json!({"iat": {"now": -5}})),
        of("ann for less", json!({"scope": "call"})),
        of("bob", json!({"sub": "bob"})),
        of("carl", json!({"sub": "carl", "client_id": null})),
    ]);
    let (folder, daemon, tokens) = resource(&venv, &asked);
    let token = |name: &str| tokens[name].as_str().unwrap().to_owned();
    let body = stateless("a__say");
    for (name, code) in [
        ("ann", Value::Null),
        ("bob", json!("approval_required")),
        ("carl", json!("carl_is_told")),
    ] {
        let answer = shows(&daemon, &token(name), &STATELESS, &body);
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        match name {
            "bob" => assert_eq!(
                result(&answer)["_meta"]["dev.gait/decision"]["verdict"],
                "require_approval",
                "{}",
                answer.text()
            ),
            _ => assert_eq!(reason(&answer), code, "{name}: {}", answer.text()),
        }
    }
    // What is approved is approved for one client of a subject and its scopes, with whatever token.
    for name in ["ann again", "ann for less"] {
        assert_eq!(shows(&daemon, &token(name), &STATELESS, &body).status, 200);
    }
    let traces = traces(&folder);
    let asked = |at: usize| traces[at].value().intent_digest;
    assert_eq!((asked(0) == asked(3), asked(0) == asked(4)), (true, false));
    // A session is of who began it, with what it may do.
    let hello =
        json!({"protocolVersion": OLD, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    let begun = shows(&daemon, &token("ann"), &[], &message("1", "initialize", &hello));
    assert_eq!(begun.status, 200, "{}", begun.text());
    let session = header(&begun, "mcp-session-id").unwrap();
    let within = [("Mcp-Session-Id", session.as_str())];
    let ping = message("2", "ping", &json!({}));
    for (name, status) in [
        ("ann", 200),
        ("ann again", 200),
        ("ann for less", 404),
        ("bob", 404),
    ] {
        let answer = shows(&daemon, &token(name), &within, &ping);
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
    }
    let bearer = format!("Bearer {}", token("bob"));
    let bob = [
        ("Authorization", bearer.as_str()),
        within[0],
        ("Accept", "text/event-stream"),
    ];
    assert_eq!(daemon.connect().ask("GET", "/mcp", &bob, b"").status, 404);
    assert_eq!(daemon.connect().ask("DELETE", "/mcp", &bob, b"").status, 404);
    assert_eq!(
        shows(&daemon, &token("ann"), &within, &ping).status,
        200,
        "it goes on"
    );
}

#[test]
fn where_a_token_is_to_be_had_is_told_and_what_is_no_configuration_is_refused() {
    let Some(venv) = mcp::venv() else { return };
    let (folder, daemon, _) = resource(&venv, &json!([]));
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
    ] {
        let answer = daemon.ask("GET", path, "");
        assert_eq!(answer.status, 200, "{}", answer.text());
        let document: Value = serde_json::from_slice(&answer.body).unwrap();
        let want = json!({
            "resource": "https://gate.example/mcp", "authorization_servers": ["https://login.example"],
            "bearer_methods_supported": ["header"], "scopes_supported": ["call"],
        });
        assert_eq!(document, want);
    }
    daemon
        .ask("GET", "/.well-known/oauth-protected-resource/other", "")
        .is_refused(401, "request.token");
    daemon.ask("GET", "/metrics", "").is_refused(401, "request.token");
    let server = mcp_pins::server(&venv, &[]);
    folder.write(
        "secret.json",
        br#"{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}]}"#,
    );
    folder.write("twice.json", br#"{"keys": [], "keys": []}"#);
    folder.write("facts.json", br#"{"identity": "eve"}"#);
    folder.write_private("token", b"0123456789abcdef0123456789abcdef");
    let issuer = "issuer = \"https://login.example\"\n";
    let keys = "keys = \"jwks.json\"\n";
    for (before, oauth, exit, code) in [
        ("", format!("{issuer}keys = \"none.json\"\n"), 6, "mcp.token_keys"),
        (
            "",
            format!("{issuer}keys = \"secret.json\"\n"),
            6,
            "mcp.token_keys",
        ),
        (
            "",
            format!("{issuer}keys = \"twice.json\"\n"),
            6,
            "mcp.token_keys",
        ),
        ("", issuer.to_owned(), 6, "config.missing_key"),
        ("", format!("issuer = \"login\"\n{keys}"), 6, "config.bad_value"),
        (
            "",
            format!("{issuer}{keys}audience = \"gate\"\n"),
            6,
            "config.bad_value",
        ),
        (
            "",
            format!("{issuer}{keys}scopes = [\"a b\"]\n"),
            6,
            "config.bad_value",
        ),
        (
            "",
            format!("{issuer}{keys}jwks = \"x\"\n"),
            6,
            "config.unknown_key",
        ),
        (
            "identity = \"eve\"\n",
            format!("{issuer}{keys}"),
            6,
            "config.bad_value",
        ),
        (
            "token_file = \"token\"\n",
            format!("{issuer}{keys}"),
            6,
            "config.bad_value",
        ),
        (
            "facts = \"facts.json\"\n",
            format!("{issuer}{keys}"),
            6,
            "mcp.facts",
        ),
    ] {
        let text =
            config(&[("a", &server)], before).replace("[servers", &format!("[oauth]\n{oauth}[servers"));
        folder.write("gait.mcp.toml", text.as_bytes());
        folder.fails(&["mcp", "serve"], exit, code);
    }
}
