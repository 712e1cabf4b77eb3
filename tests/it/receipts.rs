//! Receipts of credentials in the forms of their issuers: what is taken, and for what each other one is refused.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use gait::artifact::digest::of_json;
use gait::credentials::receipt::{Format, Terms, hold, variables};
use gait::json::Json;
use jiff::Timestamp;
use std::collections::BTreeMap;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// What becomes of an answer, for a call that was judged at 12:00:00, answered at 12:00:10, with 15 minutes of `a` and `b`.
fn told(format: &str, answer: &str) -> String {
    let scope = ["a", "b"].map(str::to_owned);
    let format = Format::parse(format).unwrap();
    let terms = Terms {
        request: of_json(&Json::Null),
        issuer: format.issuer(),
        subject: None,
        scope: &scope,
        ttl: 900,
        judged_at: at("2026-11-23T12:00:00Z"),
        received_at: at("2026-11-23T12:00:10Z"),
    };
    let held = format
        .read(answer.as_bytes())
        .and_then(|receipt| Ok((hold(&receipt, &terms)?, receipt)));
    match held {
        Ok((held, receipt)) => {
            let stated = if held.scope_stated { "" } else { " as asked" };
            let parts: Vec<&str> = receipt.secret.keys().map(String::as_str).collect();
            format!(
                "{}{stated} until {} with {}",
                held.scope.join(","),
                held.expires_at,
                parts.join(",")
            )
        }
        Err(fault) => match fault.code() {
            "credential.receipt" => fault.to_string().replace("the answer is no receipt: ", ""),
            code => code.to_owned(),
        },
    }
}

fn check(format: &str, good: &str, edits: &[(&str, &str, &str)]) {
    for (from, to, expected) in edits {
        assert!(good.contains(from), "{from}");
        let answer = good.replacen(from, to, 1);
        assert_eq!(told(format, &answer), *expected, "{format} {answer}");
    }
}

#[test]
fn our_own_form() {
    let request = of_json(&Json::Null);
    let good = format!(
        r#"{{"schema":"gait.credential_receipt/1","request_digest":"{request}","issuer":"i","subject":"s","scope":["a"],
        "issued_at":"2026-11-23T12:00:05Z","expires_at":"2026-11-23T12:10:00Z","secret":{{"token":"hunter2"}}}}"#
    );
    let other = of_json(&Json::Bool(true)).to_string();
    let fits = "a until 2026-11-23T12:10:00Z with token";
    check(
        "gait",
        &good,
        &[
            ("", "", fits),
            (
                r#"["a"]"#,
                r#"["b","a","b"]"#,
                "a,b until 2026-11-23T12:10:00Z with token",
            ),
            (r#"["a"]"#, "[]", " until 2026-11-23T12:10:00Z with token"),
            (&request.to_string(), &other, "credential.other_request"),
            (&request.to_string(), "sha256:12", "`request_digest` is none"),
            (r#"["a"]"#, r#"["a","c"]"#, "credential.scope"),
            (r#"["a"]"#, r#"["A"]"#, "credential.scope"),
            (r#"["a"]"#, r#"["a*"]"#, "credential.scope"),
            (r#"["a"]"#, r#""a""#, "`scope` is no list"),
            (r#"["a"]"#, "[1]", "`scope` has a member that is no text"),
            (
                r#"["a"]"#,
                r#"[""]"#,
                "what is said of the credential is empty or too long",
            ),
            // Five seconds are between clocks.
            ("12:00:05Z", "11:59:55Z", fits),
            ("12:00:05Z", "11:59:54.999Z", "credential.not_for_this_call"),
            ("12:00:05Z", "12:00:15Z", fits),
            ("12:00:05Z", "12:00:15.001Z", "credential.early"),
            (
                "12:10:00Z",
                "12:15:15Z",
                "a until 2026-11-23T12:15:15Z with token",
            ),
            ("12:10:00Z", "12:15:15.001Z", "credential.too_long"),
            ("12:10:00Z", "12:00:10Z", "credential.expired"),
            (
                "2026-11-23T12:10:00Z",
                "9999-12-30T00:00:00Z",
                "credential.too_long",
            ),
            ("2026-11-23T12:10:00Z", "never", "`expires_at` is no time"),
            (
                "2026-11-23T12:10:00Z",
                "2026-11-23T12:10:00",
                "`expires_at` is no time",
            ),
            (
                r#""issued_at":"2026-11-23T12:00:05Z","#,
                "",
                "`issued_at` is no time",
            ),
            (r#""subject":"s","#, "", "`subject` is missing"),
            (r#""subject":"s""#, r#""subject":"is hunter2""#, "credential.leak"),
            (r#""issuer":"i""#, r#""issuer":"hunter2""#, "credential.leak"),
            (
                r#""issuer":"i""#,
                r#""issuer":"i","issuer":"j""#,
                "it is no strict JSON",
            ),
            (
                r#""issuer":"i""#,
                r#""issuer":"i","\u0069ssuer":"j""#,
                "it is no strict JSON",
            ),
            (
                r#""issuer":"i""#,
                r#""issuer":"i","hunter2":1"#,
                "it has a member that nobody knows",
            ),
            (r#"{"token":"hunter2"}"#, r#""hunter2""#, "`secret` is no object"),
            (
                r#"{"token":"hunter2"}"#,
                r#"{"token":1}"#,
                "`secret` has a part that is no text",
            ),
            ("receipt/1", "receipt/2", "`schema` is another one"),
            ("}}", "}", "it is no strict JSON"),
            ("}}", "}} hunter2", "it is no strict JSON"),
        ],
    );
    for (answer, expected) in [
        ("", "it is no strict JSON"),
        ("[]", "it is no object"),
        ("\"hunter2\"", "it is no object"),
        ("{}", "`schema` is missing"),
    ] {
        assert_eq!(told("gait", answer), expected);
    }
}

#[test]
fn a_role_of_aws() {
    let good = r#"{"Credentials":{"AccessKeyId":"ASIAEXAMPLE","SecretAccessKey":"k","SessionToken":"t",
        "Expiration":"2026-11-23T12:15:09+00:00"},"AssumedRoleUser":{"AssumedRoleId":"AROA:x","Arn":"ARN"}}"#;
    let role = "arn:aws:sts::123456789012:assumed-role/reader/session";
    let good = good.replace("ARN", role);
    check(
        "aws_sts",
        &good,
        &[
            // The scope is the role, which was not asked for here.
            ("", "", "credential.scope"),
            ("12:15:09+00:00", "12:16:09Z", "credential.too_long"),
            ("12:15:09+00:00", "12:00:09Z", "credential.expired"),
            (
                role,
                "arn:aws:iam::123456789012:user/reader",
                "`AssumedRoleUser.Arn` is no role that was assumed",
            ),
            (
                role,
                "x/assumed-role/reader",
                "`AssumedRoleUser.Arn` is no role that was assumed",
            ),
            (
                r#""SessionToken":"t","#,
                "",
                "`Credentials.SessionToken` is missing",
            ),
            (
                r#""SecretAccessKey":"k""#,
                r#""SecretAccessKey":"""#,
                "`Credentials.SecretAccessKey` is missing",
            ),
            (
                "Credentials",
                "credentials",
                "`Credentials.AccessKeyId` is missing",
            ),
            (
                "2026-11-23T12:15:09+00:00",
                "1795500909",
                "`Credentials.Expiration` is no time",
            ),
        ],
    );
    let receipt = Format::AwsSts.read(good.as_bytes()).unwrap();
    assert_eq!(receipt.subject.as_deref(), Some(role));
    let scope = ["arn:aws:sts::123456789012:assumed-role/reader".to_owned()];
    assert_eq!(receipt.scope.as_deref(), Some(&scope[..]));
    assert!(!format!("{receipt:?}").contains("ASIA"), "{receipt:?}");
}

#[test]
fn tokens_of_oauth() {
    let good = r#"{"token_type":"Bearer","expires_in":900,"access_token":"hunter2","ext_expires_in":900}"#;
    let fits = "a,b as asked until 2026-11-23T12:15:10Z with access_token";
    let scoped = r#""expires_in":900,"scope":"b""#;
    let both = [
        (
            r#""expires_in":900"#,
            r#""expires_in":901"#,
            "credential.too_long",
        ),
        (r#""expires_in":900"#, r#""expires_in":0"#, "credential.expired"),
        (
            r#""expires_in":900"#,
            r#""expires_in":"900""#,
            "`expires_in` is no whole number",
        ),
        (
            r#""expires_in":900"#,
            r#""expires_in":9.5"#,
            "`expires_in` is no whole number",
        ),
        (
            r#""expires_in":900"#,
            r#""expires_in":-1"#,
            "`expires_in` is no whole number",
        ),
        (r#""expires_in":900,"#, "", "`expires_in` is no whole number"),
        ("Bearer", "mac", "`token_type` is not Bearer"),
        (
            r#""access_token":"hunter2""#,
            r#""access_token":null"#,
            "`access_token` is missing",
        ),
        (
            r#""access_token":"hunter2""#,
            r#""refresh_token":"hunter2""#,
            "`access_token` is missing",
        ),
        (
            r#""expires_in":900"#,
            r#""expires_in":900,"scope":"a c""#,
            "credential.scope",
        ),
        (
            r#""expires_in":900"#,
            r#""expires_in":900,"scope":["a"]"#,
            "`scope` is no text",
        ),
        (
            r#""expires_in":900"#,
            r#""expires_in":900,"scope":"a  b""#,
            "what is said of the credential is empty or too long",
        ),
        (
            r#""expires_in":900"#,
            scoped,
            "b until 2026-11-23T12:15:10Z with access_token",
        ),
    ];
    check(
        "azure_federated",
        good,
        &[("", "", fits), ("Bearer", "bearer", fits)],
    );
    check("azure_federated", good, &both);
    let kind = "urn:ietf:params:oauth:token-type:access_token";
    let gcp = good.replacen('{', &format!(r#"{{"issued_token_type":"{kind}","#), 1);
    check("gcp_sts", &gcp, &both);
    check(
        "gcp_sts",
        &gcp,
        &[
            ("", "", fits),
            (
                kind,
                "urn:ietf:params:oauth:token-type:refresh_token",
                "`issued_token_type` is not that of an access token",
            ),
        ],
    );
    assert_eq!(told("gcp_sts", good), "`issued_token_type` is missing");
    // Okta says what a token is good for, always.
    assert_eq!(told("okta", good), "`scope` is missing");
    let okta = good.replace(r#""expires_in":900"#, scoped);
    assert_eq!(
        told("okta", &okta),
        "b until 2026-11-23T12:15:10Z with access_token"
    );
}

#[test]
fn a_token_of_github() {
    let good = r#"{"iss":"https://token.actions.githubusercontent.com","sub":"repo:acme/site:ref:refs/heads/main","aud":"a",
        "iat":1795435205,"nbf":1795434605,"exp":1795435505,"repository":"acme/site"}"#;
    let told = |claims: &str| {
        let body = URL_SAFE_NO_PAD.encode(claims);
        told(
            "github_oidc",
            &format!(r#"{{"count":1,"value":"eyJhbGciOiJSUzI1NiJ9.{body}.c2ln"}}"#),
        )
    };
    assert_eq!(at("2026-11-23T12:00:05Z").as_second(), 1_795_435_205);
    for (from, to, expected) in [
        ("", "", "a until 2026-11-23T12:05:05Z with value"),
        (
            r#""aud":"a""#,
            r#""aud":["a","b"]"#,
            "a,b until 2026-11-23T12:05:05Z with value",
        ),
        (
            r#""aud":"a""#,
            r#""aud":["a","https://github.com/acme"]"#,
            "credential.scope",
        ),
        (r#""aud":"a","#, "", "the claim `aud` is missing"),
        (r#""aud":"a""#, r#""aud":7"#, "the claim `aud` is no text"),
        ("https://token", "https://evil", "credential.issuer"),
        (
            "https://token.actions.githubusercontent.com",
            "https://token.actions.githubusercontent.com/acme",
            "credential.issuer",
        ),
        // It was got before the call was judged, and is still good.
        (
            r#""iat":1795435205"#,
            r#""iat":1795435100"#,
            "credential.not_for_this_call",
        ),
        (r#""iat":1795435205"#, r#""iat":1795435300"#, "credential.early"),
        (r#""nbf":1795434605"#, r#""nbf":1795435300"#, "credential.early"),
        (
            r#""nbf":1795434605,"#,
            "",
            "a until 2026-11-23T12:05:05Z with value",
        ),
        (r#""exp":1795435505"#, r#""exp":1795435205"#, "credential.expired"),
        (
            r#""exp":1795435505"#,
            r#""exp":1795439999"#,
            "credential.too_long",
        ),
        (
            r#""exp":1795435505"#,
            r#""exp":"1795435505""#,
            "the claim `exp` is no time",
        ),
        (
            r#""exp":1795435505"#,
            r#""exp":9007199254740991"#,
            "the claim `exp` is no time",
        ),
        (
            r#""exp":1795435505"#,
            r#""exp":1795435505,"exp":1"#,
            "it is no strict JSON",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        assert_eq!(told(&good.replacen(from, to, 1)), expected, "{to}");
    }
    for value in ["hunter2", "a.b", "a.b.c.d", "a.%.c", "a..c", "a.e30.", "a.e30=.c"] {
        let answer = format!(r#"{{"value":"{value}"}}"#);
        let expected = match value {
            "a..c" => "it is no strict JSON",
            _ => "`value` is no signed token",
        };
        assert_eq!(self::told("github_oidc", &answer), expected, "{value}");
    }
}

#[test]
fn a_secret_of_vault_with_a_lease() {
    let good = r#"{"request_id":"r","lease_id":"a/27e1b9a1","renewable":true,"lease_duration":900,
        "data":{"username":"u","password":"hunter2","ttl":3},"wrap_info":null,"warnings":null,"auth":null}"#;
    let fits = "a until 2026-11-23T12:15:10Z with password,username";
    check(
        "vault",
        good,
        &[
            ("", "", fits),
            (
                "a/27e1b9a1",
                "",
                "`lease_id` is missing, so it is no secret with a lease",
            ),
            ("a/27e1b9a1", "a", "`lease_id` has no path"),
            ("a/27e1b9a1", "a/admin/27e1b9a1", "credential.scope"),
            ("a/27e1b9a1", "/27e1b9a1", "`lease_id` has no path"),
            (
                r#""lease_duration":900"#,
                r#""lease_duration":2764800"#,
                "credential.too_long",
            ),
            (
                r#""lease_duration":900"#,
                r#""lease_duration":0"#,
                "credential.expired",
            ),
            (r#""data":{"#, r#""dat":{"#, "`data` is no object"),
        ],
    );
}

#[test]
fn every_variable_has_its_part() {
    let answer = |data: &str| format!(r#"{{"lease_id":"a/1","lease_duration":9,"data":{data}}}"#);
    let mapped = BTreeMap::from([("PGPASSWORD".to_owned(), "password".to_owned())]);
    let found = |data: &str| {
        let receipt = Format::Vault.read(answer(data).as_bytes()).unwrap();
        variables(&receipt, &mapped).map(|found| {
            let one =
                |(name, secret): &(String, gait::credentials::Secret)| format!("{name}={}", secret.reveal());
            found.iter().map(one).collect::<Vec<_>>().join(" ")
        })
    };
    assert_eq!(found(r#"{"password":"p","more":"m"}"#).unwrap(), "PGPASSWORD=p");
    for data in [
        "{}",
        r#"{"Password":"p"}"#,
        r#"{"password":""}"#,
        r#"{"password":"a\u0000b"}"#,
        r#"{"password":1}"#,
    ] {
        assert_eq!(found(data).unwrap_err().code(), "credential.part", "{data}");
    }
}
