//! `gait mcp serve`: starts the gateway that a configuration file describes. It reads files and keys, refuses what would not be safe, and
//! says what the gateway tells it; it decides nothing.

use super::oauth::{self, OAuth};
use super::server;
use super::setup::{GateArgs, Judged};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::gate::journals;
use crate::cli::listen::TlsFiles;
use crate::cli::ui::Ui;
use crate::cli::{listen, load};
use crate::config::{self, ConfigError, Table};
use crate::domain::hidden;
use crate::host::Host;
use crate::http::{Guard, Listening, Said, Target};
use crate::json::Json;
use crate::limits;
use crate::mcp::Keeps;
use crate::mcp::gateway::{self, Behind, Gateway, Reached, Settings};
use crate::mcp::revision::Revision;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use url::Url;

/// The address where the configuration names none.
const ADDRESS: &str = "127.0.0.1:8736";

/// Put the gate before any number of MCP servers, and answer their clients over HTTP
///
/// Clients post to /mcp (Streamable HTTP); the tools of a server `git` are called `git__TOOL` there, and `git.TOOL` in the policy. The
/// configuration names the bundle, the address and how each server is started. SIGTERM finishes what was begun and ends.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration
    #[arg(long, value_name = "FILE", default_value = "gait.mcp.toml")]
    config: PathBuf,
    #[command(flatten)]
    gate: GateArgs,
}

/// What a configuration says.
struct Config {
    judged: Judged,
    address: SocketAddr,
    hosts: Vec<String>,
    origins: Vec<String>,
    token_file: Option<PathBuf>,
    oauth: Option<OAuth>,
    tls: Option<TlsFiles>,
    most: usize,
    lock: Option<PathBuf>,
    session: Option<String>,
    revisions: BTreeSet<Revision>,
    servers: BTreeMap<String, (Named, Vec<String>)>,
    own_names: bool,
    public_url: Option<String>,
    keep_for: Option<String>,
    keep_bytes: Option<usize>,
}

/// A server as it is written.
enum Named {
    Command(Vec<OsString>),
    Url(Target, Option<PathBuf>),
}

/// How a server is reached, with the token that it is shown.
fn reached(host: &dyn Host, named: Named) -> Result<Reached, CliError> {
    match named {
        Named::Command(command) => Ok(Reached::Started(command)),
        Named::Url(target, file) => Ok(Reached::Asked(target, listen::shown(host, file.as_deref())?)),
    }
}

/// Reads everything, listens, and serves.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let config = read(host, &args.config)?;
    let token = listen::token(host, config.token_file.as_deref())?;
    let tls = listen::tls(host, config.tls.as_ref())?;
    let asks = token.is_some() || config.oauth.is_some();
    listen::check(ui, Some(config.address), asks, tls.as_ref())?;
    let mut servers = BTreeMap::new();
    for (name, named) in config.servers {
        let (named, resources) = named;
        let reached = reached(host, named)?;
        let pinned = match &config.lock {
            Some(lock) => Some(server::pins(host, lock, Some(&name))?),
            None => None,
        };
        let behind = Behind {
            reached,
            pinned,
            resources,
        };
        servers.insert(name, behind);
    }
    let listening = Listening::on_tcp(config.address, tls).map_err(listen::failed)?;
    let base = config.public_url.unwrap_or_else(|| listening.place());
    let resource = config
        .oauth
        .map(|oauth| oauth.resource(host, &base))
        .transpose()?;
    let settings = Settings {
        base,
        servers,
        own_names: config.own_names,
        revisions: config.revisions,
        session: load::id("session", config.session)?,
        journals: journals(),
    };
    let names: Vec<Json> = settings.servers.keys().map(Json::str).collect();
    let kept = ("keep_for", config.keep_for.as_deref());
    let retention = listen::retention(kept, config.keep_bytes.map(|bytes| bytes as u64));
    let retention = retention.map_err(|error| error.in_file(&args.config))?;
    let traces = config.judged.traces.clone();
    let mut setup = config.judged.setup(ui, host, &args.gate)?;
    oauth::alone(resource.as_ref(), setup.facts.as_ref())?;
    setup.traces = Keeps::Log(listen::log(ui, &traces, retention)?);
    let bundle = (setup.boundary.bundle(), setup.boundary.policy().name.clone());
    let Listening::Tcp { address, .. } = &listening else {
        return Err(CliError::new(Category::Internal, "serve.address", "no address"));
    };
    // Its own page may ask: no script runs there but its own.
    let own = Guard::hosts_of(*address, &[]).into_iter();
    let own = own.filter(|_| address.ip().is_loopback());
    let own = own.map(|host| format!("{}://{host}", listening.scheme()));
    let guard = Guard {
        token,
        hosts: Some(Guard::hosts_of(*address, &config.hosts)),
        origins: config.origins.into_iter().chain(own).collect(),
    };
    let place = format!("{}/mcp", listening.place());
    let mut printed = Ok(());
    let mut say = |said| match said {
        Said::Ready => {
            let document = Json::object([
                ("ok", Json::Bool(true)),
                ("listening", Json::str(&place)),
                ("bundle_digest", bundle.0.to_json()),
                ("policy", Json::str(&bundle.1)),
                ("servers", Json::Array(names.clone())),
            ]);
            printed = started(ui, &place, document);
        }
        Said::Note(text) => ui.note(&text),
        Said::Warning(text) => ui.warn(&text),
    };
    let gateway = Gateway::new(setup, settings);
    gateway::serve(listening, gateway, (guard, resource), config.most, &mut say).map_err(listen::failed)?;
    printed.map(|()| Exit::Success)
}

/// Says that clients are answered: whoever started it waits for this.
fn started(ui: &mut Ui, place: &str, document: Json) -> Result<(), CliError> {
    if ui.is_json() {
        ui.json(&document)?;
    } else {
        ui.line(&format!("listening on {place}"))?;
    }
    ui.flush()
}

fn read(host: &dyn Host, path: &Path) -> Result<Config, CliError> {
    let bytes = host.read(path, limits::CONFIG_BYTES)?;
    let wrong = |error: ConfigError| {
        let told = CliError::new(Category::InvalidInput, error.code, error.to_string());
        match error.hint {
            Some(hint) => told.hint(hint),
            None => told,
        }
        .in_file(path)
    };
    let text = str::from_utf8(&bytes).map_err(|_| {
        CliError::new(Category::InvalidInput, "config.syntax", "the file is not UTF-8").in_file(path)
    })?;
    config::read(text).and_then(config_of).map_err(wrong)
}

fn config_of(mut table: Table) -> Result<Config, ConfigError> {
    let path = |text: Option<String>| text.map(PathBuf::from);
    let bundle = path(table.text("bundle")?);
    let identity = table.text("identity")?;
    let oauth = oauth::read(&mut table)?;
    let approvals = path(table.text("approvals")?);
    let mut judged = Judged {
        bundle: PathBuf::new(),
        server: None,
        identity: identity.clone().unwrap_or_else(|| "mcp-client".to_owned()),
        workspace: table.text("workspace")?,
        facts: path(table.text("facts")?),
        fulfils: table.texts("fulfils")?,
        show_all: table.flag("show_all")?.unwrap_or(false),
        traces: path(table.text("traces")?).unwrap_or_else(|| "gait-out/mcp-serve/traces".into()),
        approvers: path(table.text("approvers")?),
        approvals: approvals.clone().unwrap_or_else(|| "gait-out/approvals".into()),
    };
    let listen = table.text("listen")?.unwrap_or_else(|| ADDRESS.to_owned());
    let address = listen.parse().map_err(|_| {
        let message = format!("`listen` is no address with a port: {}", listen.escape_debug());
        table.wrong(table.line(), "config.bad_value", message)
    })?;
    let hosts = table.texts("allow_hosts")?;
    let origins = table.texts("allow_origins")?;
    let token_file = path(table.text("token_file")?);
    let tls = tls(&mut table)?;
    let most = table.count("max_concurrent", limits::REQUESTS_MOST)?;
    let lock = path(table.text("lock")?);
    let session = table.text("session")?;
    let revisions = revisions(&mut table)?;
    let public_url = public_url(&mut table)?;
    let keep_for = table.text("keep_for")?;
    let keep_bytes = table.count("keep_bytes", usize::MAX)?;
    let own_names = table.flag("own_names")?.unwrap_or(false);
    let servers = servers(&mut table)?;
    // A key that is misspelt is told as that, and not as one that is missing.
    table.end()?;
    judged.bundle = bundle.ok_or_else(|| {
        table.wrong(
            table.line(),
            "config.missing_key",
            "`bundle` is missing".to_owned(),
        )
    })?;
    some(&table, &servers)?;
    asked_by(&table, identity.as_deref(), &hosts, &origins)?;
    if approvals.is_some() && judged.approvers.is_none() {
        let message = "`approvals` is the folder of what `approvers` answer, and none are named".to_owned();
        return Err(table.wrong(table.line(), "config.bad_value", message));
    }
    if oauth.is_some() && (identity.is_some() || token_file.is_some()) {
        let message =
            "with `[oauth]` tokens say who asks: `identity` and `token_file` do not go with it".to_owned();
        return Err(table.wrong(table.line(), "config.bad_value", message));
    }
    if own_names && servers.len() > 1 {
        let message = "`own_names` is for one server alone".to_owned();
        return Err(table.wrong(table.line(), "config.bad_value", message));
    }
    Ok(Config {
        judged,
        address,
        hosts,
        origins,
        token_file,
        oauth,
        tls,
        most: most.unwrap_or(limits::REQUESTS),
        lock,
        session,
        revisions,
        servers,
        own_names,
        public_url,
        keep_for,
        keep_bytes,
    })
}

/// Refuses names of whoever asks that nothing could have: no call would ever be answered.
fn asked_by(
    table: &Table,
    identity: Option<&str>,
    hosts: &[String],
    origins: &[String],
) -> Result<(), ConfigError> {
    let wrong = |message| Err(table.wrong(table.line(), "config.bad_value", message));
    let checked = identity.map(|identity| hidden::check_line(identity, limits::PRINCIPAL_BYTES));
    if let Some(Err(why)) = checked {
        return wrong(format!("`identity` is no name of who asks: {why}"));
    }
    let is_host = |text: &str| {
        let is_part = |c: char| c.is_ascii_graphic() && !"/\\?#@*,".contains(c);
        !text.is_empty() && text.chars().all(is_part)
    };
    if let Some(host) = hosts.iter().find(|host| !is_host(host)) {
        let host = host.escape_debug();
        return wrong(format!(
            "`allow_hosts`: `{host}` is no name of a host, such as gate.example"
        ));
    }
    let is_origin = |text: &String| {
        text.split_once("://")
            .is_some_and(|(scheme, host)| is_host(scheme) && is_host(host))
    };
    if let Some(origin) = origins.iter().find(|origin| !is_origin(origin)) {
        let origin = origin.escape_debug();
        return wrong(format!(
            "`allow_origins`: `{origin}` is no origin, such as https://ui.example"
        ));
    }
    Ok(())
}

/// The files that connections are encrypted with, where they are.
fn tls(table: &mut Table) -> Result<Option<TlsFiles>, ConfigError> {
    let mut file = |key| Ok::<_, ConfigError>(table.text(key)?.map(PathBuf::from));
    match (file("tls_cert")?, file("tls_key")?, file("tls_client_ca")?) {
        (Some(chain), Some(key), clients) => Ok(Some(TlsFiles { chain, key, clients })),
        (None, None, None) => Ok(None),
        _ => {
            let message = "`tls_cert` and `tls_key` go together, and `tls_client_ca` with them".to_owned();
            Err(table.wrong(table.line(), "config.missing_key", message))
        }
    }
}

/// Where people reach the gateway, where that is not the address.
fn public_url(table: &mut Table) -> Result<Option<String>, ConfigError> {
    let Some(text) = table.text("public_url")? else {
        return Ok(None);
    };
    let is_web = |url: &Url| ["http", "https"].contains(&url.scheme()) && url.query().is_none();
    match Url::parse(&text) {
        Ok(url) if is_web(&url) && url.fragment().is_none() && url.username().is_empty() => {
            Ok(Some(text.trim_end_matches('/').to_owned()))
        }
        _ => {
            let message = "`public_url` is no address of the web, such as https://gate.example".to_owned();
            Err(table.wrong(table.line(), "config.bad_value", message))
        }
    }
}

/// The revisions that clients may speak: all of them, unless some are named.
fn revisions(table: &mut Table) -> Result<BTreeSet<Revision>, ConfigError> {
    let mut named = BTreeSet::new();
    for text in table.texts("revisions")? {
        named.insert(Revision::read(&text).ok_or_else(|| {
            let all = Revision::ALL.map(Revision::as_str).join(", ");
            let message = format!("`{}` is no revision; there are {all}", text.escape_debug());
            table.wrong(table.line(), "config.bad_value", message)
        })?);
    }
    match named.is_empty() {
        true => Ok(BTreeSet::from(Revision::ALL)),
        false => Ok(named),
    }
}

/// How a server is reached, by a command or at an address; and what the URIs of its resources begin with.
fn how(name: &str, server: &mut Table) -> Result<(Named, Vec<String>), ConfigError> {
    let command = server.texts("command")?;
    let (url, file) = (server.text("url")?, server.text("token_file")?);
    let resources = server.texts("resources")?;
    server.end()?;
    let wrong = |code, message| server.wrong(server.line(), code, message);
    let (missing, bad) = ("config.missing_key", "config.bad_value");
    let named = match (command.first().is_some_and(|word| !word.is_empty()), url) {
        (true, None) if file.is_none() => Named::Command(command.into_iter().map(OsString::from).collect()),
        (false, Some(url)) if command.is_empty() => {
            let target =
                Target::read(&url).map_err(|why| wrong(bad, format!("`servers.{name}.url`: {why}")))?;
            Named::Url(target, file.map(PathBuf::from))
        }
        (false, None) => {
            return Err(wrong(
                missing,
                format!("`servers.{name}` has no `command` and no `url`"),
            ));
        }
        _ => {
            let message =
                format!("`servers.{name}` has a `command` or a `url`, and a `token_file` only with a `url`");
            return Err(wrong(bad, message));
        }
    };
    Ok((named, resources))
}

fn servers(table: &mut Table) -> Result<BTreeMap<String, (Named, Vec<String>)>, ConfigError> {
    let mut servers = BTreeMap::new();
    for (name, mut server) in table.tables("servers")? {
        if !gateway::is_server_name(&name) {
            let message = format!("`{}` is no name of a server", name.escape_debug());
            return Err(ConfigError {
                hint: Some("use a-z, 0-9, `-` and `_`; no `__`, no `_` at the end, and not `mcp`".to_owned()),
                ..server.wrong(server.line(), "config.bad_value", message)
            });
        }
        let named = how(&name, &mut server)?;
        for start in &named.1 {
            let overlaps = |(_, other): &(Named, Vec<String>)| {
                let is_both = |one: &String| one.starts_with(start) || start.starts_with(one);
                other.iter().any(is_both)
            };
            if start.is_empty() || servers.values().any(overlaps) {
                let message = format!(
                    "`servers.{name}.resources`: `{}` begins what is of another server, too, or is empty",
                    start.escape_debug()
                );
                return Err(server.wrong(server.line(), "config.bad_value", message));
            }
        }
        servers.insert(name, named);
    }
    Ok(servers)
}

/// Refuses no servers, and too many.
fn some(table: &Table, servers: &BTreeMap<String, (Named, Vec<String>)>) -> Result<(), ConfigError> {
    if servers.is_empty() || servers.len() > limits::MCP_SERVERS {
        let message = format!("there are no servers, or more than {}", limits::MCP_SERVERS);
        return Err(ConfigError {
            hint: Some("a table `[servers.NAME]` with `command` names each".to_owned()),
            ..table.wrong(table.line(), "config.missing_key", message)
        });
    }
    Ok(())
}
