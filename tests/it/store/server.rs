//! A PostgreSQL server of the tests' own: made in a folder, reached by a socket there, gone with its value. Where no
//! PostgreSQL is installed the tests that need one pass and say so, unless `GAIT_REQUIRE_POSTGRES` is set.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server that runs, or has been stopped.
pub struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    running: Option<Child>,
    databases: usize,
}

/// Where `initdb` and `postgres` are.
fn programs() -> Option<PathBuf> {
    let of_debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut folders: Vec<PathBuf> = of_debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let of_path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&of_path));
    folders
        .into_iter()
        .find(|at| at.join("initdb").exists() && at.join("postgres").exists())
}

/// PostgreSQL does not run as root: it runs as nobody then.
fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout == b"0\n")
}

impl Server {
    /// Starts one; nothing where there is none to start and none is required.
    pub fn start() -> Option<Server> {
        let Some(programs) = programs().filter(|_| cfg!(unix)) else {
            assert!(
                std::env::var_os("GAIT_REQUIRE_POSTGRES").is_none(),
                "GAIT_REQUIRE_POSTGRES is set, and there is no PostgreSQL"
            );
            println!("skipped: there is no PostgreSQL on this machine");
            return None;
        };
        // The path of a socket is short.
        let folder = tempfile::Builder::new()
            .prefix("gait-pg-")
            .tempdir_in("/tmp")
            .unwrap();
        if is_root() {
            let owner = Command::new("chown").arg("nobody").arg(folder.path()).status();
            assert!(owner.unwrap().success());
        }
        let mut server = Server {
            folder,
            programs,
            running: None,
            databases: 0,
        };
        let data = server.folder.path().join("data");
        let made = server
            .program("initdb")
            .args([
                "-U",
                "gait",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        server.run();
        Some(server)
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args([
                    "--reuid=nobody",
                    "--regid=nogroup",
                    "--clear-groups",
                    "--pdeathsig=INT",
                ])
                .arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }

    fn socket(&self) -> &Path {
        self.folder.path()
    }

    /// Runs it, and waits until it answers.
    pub fn run(&mut self) {
        let mut command = self.program("postgres");
        command
            .arg("-D")
            .arg(self.socket().join("data"))
            .arg("-k")
            .arg(self.socket());
        command.args(["-c", "listen_addresses=", "-c", "max_connections=60"]);
        let log = std::fs::File::create(self.socket().join("log")).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.running = Some(command.spawn().unwrap());
        let started = Instant::now();
        while postgres::Client::connect(&self.url("postgres"), postgres::NoTls).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "the server does not start"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops it: at once, as a crash does, or as an operator does.
    pub fn stop(&mut self, signal: &str) {
        if let Some(mut child) = self.running.take() {
            let kill = Command::new("kill")
                .arg(format!("-{signal}"))
                .arg(child.id().to_string())
                .status();
            assert!(kill.unwrap().success());
            child.wait().unwrap();
        }
    }

    /// Has it and all its processes do nothing, as on a machine that hangs: it takes connections, and says nothing.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Has them go on.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let id = self.running.as_ref().unwrap().id().to_string();
        let script = format!("kill -{name} {id} $(cat /proc/{id}/task/{id}/children)");
        let sent = Command::new("sh").args(["-c", &script]).status();
        assert!(sent.unwrap().success());
    }

    /// The connection string of a database.
    pub fn url(&self, database: &str) -> String {
        format!("host={} user=gait dbname={database}", self.socket().display())
    }

    /// The connection string of a database that is new.
    pub fn database(&mut self) -> String {
        self.databases += 1;
        let name = format!("d{}", self.databases);
        self.sql("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// Runs statements.
    pub fn sql(&self, database: &str, text: &str) {
        let mut client = postgres::Client::connect(&self.url(database), postgres::NoTls).unwrap();
        client.batch_execute(text).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop("QUIT");
    }
}
