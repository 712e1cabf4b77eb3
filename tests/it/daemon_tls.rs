//! TLS before the daemon, with certificates that the test makes and clients that check them: who shows what should not be let in gets no
//! answer, and the daemon goes on.

use crate::daemon::client::{Client, Stream};
use crate::daemon::{Daemon, is_kept, request};
use crate::folder::Folder;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, version};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who signs certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key.
type Identity = (String, String);

fn authority() -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "authority");
    let pem = params.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(params, key);
    Authority { issuer, pem }
}

fn named(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names.clone()).unwrap();
    params.distinguished_name.push(DnType::CommonName, &names[0]);
    params
}

impl Authority {
    fn signs(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = named(names);
        change(&mut params);
        let pem = params.signed_by(&key, &self.issuer).unwrap().pem();
        (pem, key.serialize_pem())
    }

    fn client(&self) -> Identity {
        self.signs(&["gateway"], |_| {})
    }
}

impl Stream for StreamOwned<ClientConnection, TcpStream> {
    fn end(&self) {
        self.sock.shutdown(Shutdown::Write).unwrap();
    }
}

/// A folder with a certificate for this machine.
fn folder(authority: &Authority) -> Folder {
    let at = Folder::new();
    let (chain, key) = authority.signs(&["127.0.0.1", "localhost"], |_| {});
    at.write("chain.pem", chain.as_bytes());
    at.write_private("key.pem", key.as_bytes());
    at.write("ca.pem", authority.pem.as_bytes());
    at
}

const TLS: [&str; 6] = [
    "--listen",
    "127.0.0.1:0",
    "--tls-cert",
    "chain.pem",
    "--tls-key",
    "key.pem",
];
const MUTUAL: [&str; 2] = ["--tls-client-ca", "clients.pem"];

fn address(daemon: &Daemon) -> String {
    let url = daemon.told("listening");
    url.replace("https://", "").trim_end_matches("/mcp").to_owned()
}

fn plain(daemon: &Daemon) -> TcpStream {
    let stream = TcpStream::connect(address(daemon)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream
}

/// A client that trusts an authority, and shows what it has.
fn connect(daemon: &Daemon, trusted: &Authority, shown: Option<&Identity>) -> Client {
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(trusted.pem.as_bytes()).unwrap())
        .unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&version::TLS13])
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        None => config.with_no_client_auth(),
        Some((chain, key)) => {
            let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).map(Result::unwrap);
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            config.with_client_auth_cert(chain.collect(), key).unwrap()
        }
    };
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    Client {
        stream: Box::new(StreamOwned::new(connection, plain(daemon))),
        host: address(daemon),
    }
}

/// Whether a client gets an answer to a question that anybody may ask.
fn is_answered(mut client: Client) -> bool {
    let host = client.host.clone();
    client.send(format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
    client.answer().is_some_and(|answer| answer.status == 200)
}

fn count(daemon: &Daemon, authority: &Authority, shown: Option<&Identity>, code: &str) -> u64 {
    let text = connect(daemon, authority, shown)
        .ask("GET", "/metrics", &[], b"")
        .text();
    let name = format!("gait_errors_total{{code=\"{code}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    line.map_or(0, |count| count.parse().unwrap())
}

#[test]
fn calls_are_decided_over_tls_and_what_is_no_tls_is_not_answered() {
    let (own, other) = (authority(), authority());
    let at = folder(&own);
    let daemon = Daemon::start(&at, &TLS);
    assert!(daemon.told("listening").starts_with("https://127.0.0.1:"));
    let asked = request(&at, "allow.json", "");
    let answer = connect(&daemon, &own, None).ask("POST", "/v1/decide", &[], asked.as_bytes());
    is_kept(&at, &answer.document("decision"));
    assert!(
        !is_answered(connect(&daemon, &other, None)),
        "the client knows another authority"
    );
    let host = address(&daemon);
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    let http = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for bytes in [
        http.as_bytes(),
        http2,
        hello,
        b"\x16\x03\x01\xff\xff",
        b"\x00",
        b"",
    ] {
        let mut stream = plain(&daemon);
        stream.write_all(bytes).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
        assert!(
            told.len() < 16,
            "an alert at most: {}",
            String::from_utf8_lossy(&told)
        );
    }
    assert_eq!(count(&daemon, &own, None, "tls.refused"), 7);
    // Old versions are not spoken.
    if let Some(exit) = curl(&at, &daemon, &["--tls-max", "1.2"]) {
        assert_ne!(exit, 0);
        assert_eq!(curl(&at, &daemon, &[]), Some(0));
    }
    assert!(daemon.stop().contains("stopping"));
}

/// How curl ends that asks for the daemon's health; none where there is no curl.
fn curl(at: &Folder, daemon: &Daemon, more: &[&str]) -> Option<i32> {
    let url = format!("{}/healthz", daemon.told("listening"));
    let mut command = Command::new("curl");
    command.args(["-sS", "--fail", "--max-time", "30", "--cacert", "ca.pem", &url]);
    let output = command.args(more).current_dir(at.path("")).output().ok()?;
    output.status.code()
}

#[test]
fn who_shows_no_certificate_of_a_named_authority_is_not_answered() {
    let (own, clients, stranger) = (authority(), authority(), authority());
    let at = folder(&own);
    at.write("clients.pem", clients.pem.as_bytes());
    let daemon = Daemon::start(&at, &[&TLS[..], &MUTUAL].concat());
    let good = clients.client();
    assert!(is_answered(connect(&daemon, &own, Some(&good))));
    let expired = clients.signs(&["gateway"], |params| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    });
    let early = clients.signs(&["gateway"], |params| {
        params.not_before = date_time_ymd(2100, 1, 1)
    });
    let of_server = clients.signs(&["gateway"], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let by_client = {
        let (issuer, params) = (KeyPair::from_pem(&good.1).unwrap(), named(&["gateway"]));
        let issuer = Issuer::new(params, issuer);
        let (key, signed) = (KeyPair::generate().unwrap(), named(&["gateway"]));
        let signed = signed.signed_by(&key, &issuer).unwrap().pem();
        (format!("{signed}{}", good.0), key.serialize_pem())
    };
    let refused = [
        ("none", None),
        ("a stranger's", Some(stranger.client())),
        ("the daemon's own authority's", Some(own.client())),
        ("one whose time is over", Some(expired)),
        ("one whose time has not come", Some(early)),
        ("a server's", Some(of_server)),
        ("one that a client has signed", Some(by_client)),
    ];
    for (what, shown) in &refused {
        assert!(!is_answered(connect(&daemon, &own, shown.as_ref())), "{what}");
    }
    assert_eq!(
        count(&daemon, &own, Some(&good), "tls.refused"),
        refused.len() as u64
    );
    at.write("client.pem", good.0.as_bytes());
    at.write_private("client.key", good.1.as_bytes());
    if let Some(exit) = curl(&at, &daemon, &["--cert", "client.pem", "--key", "client.key"]) {
        assert_eq!(exit, 0);
        assert_ne!(curl(&at, &daemon, &[]), Some(0));
    }
    // Without a certificate there is no way past it to what needs no token.
    let asked = request(&at, "allow.json", "");
    let answer = connect(&daemon, &own, Some(&good)).ask("POST", "/v1/decide", &[], asked.as_bytes());
    is_kept(&at, &answer.document("decision"));
}

#[test]
fn a_handshake_that_takes_long_ends_and_holds_nobody_up() {
    let own = authority();
    let at = folder(&own);
    let daemon = Daemon::start(&at, &TLS);
    let begun = Instant::now();
    let mut slow: Vec<TcpStream> = (0..50).map(|_| plain(&daemon)).collect();
    slow[0].write_all(b"\x16\x03\x01\x02\x00\x01").unwrap();
    assert!(is_answered(connect(&daemon, &own, None)));
    assert!(begun.elapsed() < Duration::from_secs(5));
    for stream in &mut slow {
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
    }
    assert!(
        (9..25).contains(&begun.elapsed().as_secs()),
        "{:?}",
        begun.elapsed()
    );
    assert_eq!(count(&daemon, &own, None, "tls.slow"), 50);
    // One that is in the middle of it does not keep the daemon.
    let _half = plain(&daemon);
    let begun = Instant::now();
    daemon.stop();
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
}

#[test]
fn what_could_not_be_encrypted_is_not_started() {
    let own = authority();
    let at = folder(&own);
    at.write("exposed.pem", &at.read("key.pem"));
    at.write_private("other.pem", own.client().1.as_bytes());
    at.write("empty.pem", b"no certificate\n");
    at.write("clients.pem", own.pem.as_bytes());
    at.write_private("none.pem", b"no key\n");
    let serve = ["serve", "--bundle", "b.gaitbundle"];
    let local = ["--listen", "127.0.0.1:0"];
    let everywhere = ["--listen", "0.0.0.0:0"];
    let tls = |chain, key| ["--tls-cert", chain, "--tls-key", key];
    for (first, more, exit, code) in [
        (local, &tls("chain.pem", "exposed.pem")[..], 8, "file.exposed"),
        (local, &tls("chain.pem", "other.pem"), 6, "serve.tls"),
        (local, &tls("chain.pem", "none.pem"), 6, "serve.tls"),
        (local, &tls("empty.pem", "key.pem"), 6, "serve.tls"),
        (local, &tls("absent.pem", "key.pem"), 6, "file.not_found"),
        (local, &["--tls-cert", "chain.pem"], 6, "usage.invalid"),
        (local, &["--tls-key", "key.pem"], 6, "usage.invalid"),
        (local, &["--tls-client-ca", "ca.pem"], 6, "usage.invalid"),
        (
            ["--socket", "s"],
            &tls("chain.pem", "key.pem"),
            6,
            "usage.invalid",
        ),
        (
            local,
            &[
                &tls("chain.pem", "key.pem")[..],
                &["--tls-client-ca", "empty.pem"],
            ]
            .concat(),
            6,
            "serve.tls",
        ),
        // What encrypts lets everybody in all the same.
        (everywhere, &tls("chain.pem", "key.pem"), 8, "serve.open"),
    ] {
        at.fails(&[&serve[..], &first, more].concat(), exit, code);
    }
    let mutual = [&everywhere[..], &tls("chain.pem", "key.pem"), &MUTUAL].concat();
    assert!(!Daemon::start(&at, &mutual).stop().contains("on the way"));
    at.write_private("token", b"00112233445566778899aabbccddeeff\n");
    let clear = [&everywhere[..], &["--token-file", "token"]].concat();
    assert!(Daemon::start(&at, &clear).stop().contains("on the way"));
}

#[test]
fn the_gateway_of_mcp_is_encrypted_as_its_configuration_says() {
    let (own, clients) = (authority(), authority());
    let at = folder(&own);
    at.write("clients.pem", clients.pem.as_bytes());
    let files = [
        ("tls_cert", "chain.pem"),
        ("tls_key", "key.pem"),
        ("tls_client_ca", "clients.pem"),
    ];
    let configure = |files: &[(&str, &str)]| {
        let mut text = "bundle = \"b.gaitbundle\"\nlisten = \"127.0.0.1:0\"\n".to_owned();
        for (key, file) in files {
            text.push_str(&format!("{key} = \"{file}\"\n"));
        }
        text.push_str("[servers.none]\ncommand = [\"true\"]\n");
        at.write("gait.mcp.toml", text.as_bytes());
    };
    for (some, code) in [
        (&files[..1], "config.missing_key"),
        (&files[1..], "config.missing_key"),
        (&files[2..], "config.missing_key"),
        (&[files[0], ("tls_key", "clients.pem")], "file.exposed"),
    ] {
        configure(some);
        let exit = if code == "file.exposed" { 8 } else { 6 };
        at.fails(&["mcp", "serve"], exit, code);
    }
    configure(&files);
    let gateway = Daemon::that_says(&at, &mut at.command(&["mcp", "serve", "--json"]), "mcp_serve");
    assert!(gateway.told("listening").starts_with("https://127.0.0.1:"));
    assert!(is_answered(connect(&gateway, &own, Some(&clients.client()))));
    for shown in [None, Some(own.client())] {
        assert!(!is_answered(connect(&gateway, &own, shown.as_ref())));
    }
}
