//! The page of approvals in a real browser: Chromium, driven over WebDriver (W3C). Needs `chromedriver` and `chromium`; passes and says so where
//! they are not there, unless `GAIT_REQUIRE_BROWSER=1`.

use crate::approve::folder;
use crate::daemon::client::{Daemon, request};
use crate::folder::Folder;
use crate::{mcp, mcp_approve};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A browser with one window. It ends with this value.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = std::panic::catch_unwind(|| self.command("DELETE", "", &json!({})));
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Browser {
    pub fn start(at: &Folder) -> Option<Browser> {
        let driver = Command::new("chromedriver")
            .arg("--port=0")
            .current_dir(at.path(""))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut driver) = driver else {
            assert_ne!(
                std::env::var("GAIT_REQUIRE_BROWSER").as_deref(),
                Ok("1"),
                "no chromedriver"
            );
            eprintln!("skipped: no chromedriver");
            return None;
        };
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines.find_map(|line| {
            let line = line.ok()?;
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        // It goes on talking, and would stop if nobody listened.
        std::thread::spawn(move || lines.for_each(drop));
        let mut browser = Browser {
            driver,
            port: port.unwrap(),
            session: String::new(),
        };
        let args = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--window-size=1000,1400",
        ];
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": args}}}});
        let begun = browser.ask("POST", "/session", &wanted);
        browser.session = begun["sessionId"].as_str().unwrap().to_owned();
        Some(browser)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let body = body.to_string();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim().to_ascii_lowercase();
            if let Some(said) = line.strip_prefix("content-length:") {
                length = said.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let document: Value = serde_json::from_slice(&body).unwrap();
        assert!(document["value"].get("error").is_none(), "{path}: {document}");
        document["value"].clone()
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        self.ask(method, &format!("/session/{}{path}", self.session), body)
    }

    pub fn open(&self, url: &str) {
        self.command("POST", "/url", &json!({ "url": url }));
    }

    fn run(&self, script: &str) -> Value {
        self.command("POST", "/execute/sync", &json!({"script": script, "args": []}))
    }

    fn element(&self, css: &str) -> String {
        let found = self.command(
            "POST",
            "/element",
            &json!({"using": "css selector", "value": css}),
        );
        let (_, id) = found.as_object().unwrap().iter().next().unwrap();
        id.as_str().unwrap().to_owned()
    }

    pub fn write(&self, css: &str, text: &str) {
        let path = format!("/element/{}/value", self.element(css));
        self.command("POST", &path, &json!({ "text": text }));
    }

    pub fn click(&self, css: &str) {
        self.command(
            "POST",
            &format!("/element/{}/click", self.element(css)),
            &json!({}),
        );
    }

    /// Waits until the page shows a text.
    pub fn sees(&self, text: &str) {
        let begun = Instant::now();
        loop {
            let shown = self.run("return document.body.innerText");
            let shown = shown.as_str().unwrap_or_default();
            if shown.contains(text) {
                return;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{text:?} is not in {shown}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Keeps a picture of the page, for whoever wants to look at it: `GAIT_SCREENSHOTS` names the folder.
    pub fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("GAIT_SCREENSHOTS") else {
            return;
        };
        use base64::Engine;
        let taken = self.command("GET", "/screenshot", &json!({}));
        let bytes = base64::engine::general_purpose::STANDARD.decode(taken.as_str().unwrap());
        std::fs::write(std::path::Path::new(&folder).join(name), bytes.unwrap()).unwrap();
    }
}

#[test]
fn a_person_approves_and_denies_on_the_page() {
    let at = folder();
    let Some(browser) = Browser::start(&at) else {
        return;
    };
    at.write_private("token", b"00112233445566778899aabbccddeeff");
    let more = [
        "--approvers",
        "gait-trust.json",
        "--listen",
        "127.0.0.1:0",
        "--token-file",
        "token",
    ];
    let daemon = Daemon::start(&at, &more);
    let bearer = ("Authorization", "Bearer 00112233445566778899aabbccddeeff");
    let decide = |intent: &str| -> Value {
        let body = request(&at, intent, "");
        let answer = daemon
            .connect()
            .ask("POST", "/v1/decide", &[bearer], body.as_bytes());
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.document("decision")
    };
    // Whatever a call says of itself is text on the page.
    let nasty = String::from_utf8(at.read("pay.json")).unwrap();
    let nasty = nasty.replace(
        "\"amount\":\"700.00\"",
        "\"amount\":\"700.00\",\"memo\":\"<img src=x onerror=alert(1)>\u{202e}\"",
    );
    at.write("nasty.json", nasty.as_bytes());
    assert_eq!(decide("nasty.json")["verdict"], "require_approval");
    browser.open(&format!("{}/approvals", daemon.told("listening")));
    browser.sees("Token of the daemon");
    assert!(
        !browser
            .run("return document.body.innerText")
            .as_str()
            .unwrap()
            .contains("pay")
    );
    browser.write("#token", "00112233445566778899aabbccddeeff");
    browser.click("#token-form button");
    browser.sees("<img src=x onerror=alert(1)>\\u{202e}");
    assert_eq!(browser.run("return document.images.length"), 0);
    let is_disabled = "return document.querySelector('[name=approve]').disabled";
    assert_eq!(browser.run(is_disabled), true, "nobody signs without a key");
    browser.write("#key", at.path("ann.pub").to_str().unwrap());
    browser.sees("not read");
    browser.write("#key", at.path("ann.key").to_str().unwrap());
    browser.sees("signs, in this page");
    browser.picture("waits.png");
    browser.click("[name=approve]");
    browser.sees("Approved by ann@acme.com");
    browser.sees("approved by");
    browser.picture("approved.png");
    assert_eq!(decide("nasty.json")["approved_by"], json!(["ann@acme.com"]));
    browser.sees("Nothing waits");
    // The next one is denied, and needs a reason.
    assert_eq!(decide("more.json")["verdict"], "require_approval");
    browser.sees("800.00");
    browser.click("[name=deny]");
    browser.sees("Say why");
    browser.write("[name=reason]", "ask Bob \u{e9}\u{436} \"first\"");
    browser.click("[name=deny]");
    browser.sees("Denied by ann@acme.com");
    browser.picture("denied.png");
    let denied = decide("more.json");
    assert_eq!(denied["reason_codes"], json!(["gait.denied"]));
    assert_eq!(
        denied["detail"],
        "ann@acme.com has denied the call: ask Bob \u{e9}\u{436} \"first\""
    );
    // A key that nobody knows answers nothing.
    browser.write("#key", at.path("eve.key").to_str().unwrap());
    browser.sees("signs, in this page");
    browser.click("[name=approve]");
    browser.sees("Not answered");
    // The key went nowhere: what was sent and kept are answers.
    let seed: Value = serde_json::from_slice(&at.read("ann.key")).unwrap();
    for name in at.list("gait-out/approvals") {
        let kept = String::from_utf8(at.read(&format!("gait-out/approvals/{name}"))).unwrap();
        assert!(!kept.contains(seed["seed"].as_str().unwrap()));
    }
    assert_eq!(
        browser.run("return document.cookie + localStorage.length + sessionStorage.length"),
        "00"
    );
}

#[test]
fn a_call_of_an_agent_runs_once_a_person_approves_it_on_the_gateways_page() {
    let Some(venv) = mcp::venv() else { return };
    let (folder, daemon, repo) = mcp_approve::git(&venv, "");
    let Some(browser) = Browser::start(&folder) else {
        return;
    };
    let commit = json!(["git__git_commit", {"repo_path": repo, "message": "<b>two</b>"}]);
    let ask = || {
        let command = [daemon.told("listening"), "legacy".to_owned()];
        mcp::client_in(&folder.path(""), &venv, &command, &json!([commit]))
    };
    assert_eq!(ask()["results"][0]["failed"], true);
    let listening = daemon.told("listening");
    browser.open(&format!("{}/approvals", listening.trim_end_matches("/mcp")));
    browser.sees("<b>two</b>");
    browser.write("#key", folder.path("ann.private.json").to_str().unwrap());
    browser.sees("signs, in this page");
    browser.click("[name=approve]");
    browser.sees("Approved by");
    browser.picture("gateway.png");
    assert_eq!(ask()["results"][0]["failed"], false);
    assert_eq!(mcp_approve::commits(&folder), 2);
    assert_eq!(ask()["results"][0]["failed"], true, "once");
}
