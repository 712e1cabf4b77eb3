//! `gait delegate`: somebody lets somebody else act for them, for some tools and some time; whoever was delegated to hands on no more than they
//! have. It signs one link and judges nothing: whether links make a chain is for the gate.

use super::error::{Category, CliError};
use super::exit::Exit;
use super::load;
use super::ui::{Tone, Ui, one_line, paint};
use crate::artifact::approvers::check_principal;
use crate::artifact::delegation::{self, Delegation};
use crate::artifact::{Digest, SigningKey, time};
use crate::builtins::person::person;
use crate::delegation::{ChainError, follows};
use crate::host::{self, Host, Mode};
use crate::json::Json;
use crate::{keyring, limits};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where tokens are written unless another place is named.
const FOLDER: &str = "gait-out/delegations";

/// The flag that says how long a link is good for, and the code of what is wrong with it.
const EXPIRES: (&str, &str) = ("--expires", "delegate.expires");

/// Let somebody act for you, for some tools and some time
///
/// Signs one link by your own key. With --parent you hand on what was delegated to you: no more tools, no longer, and
/// fewer further links than you have. A gate takes the chain with `--delegation`, where `--delegators` knows your key or that of
/// who delegated first.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Who may act: the identity that asks
    #[arg(long, value_name = "NAME", value_parser = principal)]
    to: String,
    /// Their public key
    #[arg(long, value_name = "FILE")]
    to_key: PathBuf,
    /// Who you are, as the trust file of the gate names you; with --parent whom that names
    #[arg(long, value_name = "NAME", value_parser = principal, required_unless_present = "parent", conflicts_with = "parent")]
    from: Option<String>,
    /// What was delegated to you
    #[arg(long, value_name = "FILE")]
    parent: Option<PathBuf>,
    /// The tools: names, `group.*`, or `*`
    #[arg(long, value_name = "TOOLS", value_delimiter = ',', required = true, value_parser = tools)]
    tools: Vec<String>,
    /// The only environment that it is for
    #[arg(long, value_name = "NAME", value_parser = principal)]
    environment: Option<String>,
    /// How long it is good for, at most 31 days
    #[arg(long, value_name = "DURATION", default_value = "8h")]
    expires: String,
    /// How many further links may follow
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..i64::from(limits::DELEGATIONS)))]
    depth: u32,
    /// Your own private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the link goes: a new file [default: gait-out/delegations/delegation_ID.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn principal(text: &str) -> Result<String, &'static str> {
    check_principal(text)?;
    Ok(text.to_owned())
}

fn tools(text: &str) -> Result<String, &'static str> {
    delegation::check_tools(text)?;
    Ok(text.to_owned())
}

/// Signs and writes.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let millis = load::duration(EXPIRES, &args.expires, limits::DELEGATION_MILLIS)?;
    let key = keyring::signing_key(host, &args.key)?;
    let to_key = keyring::public_key(host, &args.to_key)?;
    let parent = args
        .parent
        .as_deref()
        .map(|path| parent(host, path, &key))
        .transpose()?;
    let now = time::cut(host.now());
    let asked = now.checked_add(SignedDuration::from_millis(millis));
    let asked = asked.map_err(|_| load::bad_duration(EXPIRES, &args.expires, "that is no time any more"))?;
    // What is handed on ends when it does.
    let expires_at = parent
        .as_ref()
        .map_or(asked, |(_, token)| asked.min(token.expires_at));
    let inherited = parent.as_ref().and_then(|(_, token)| token.environment.clone());
    let from = parent.as_ref().map(|(_, token)| token.delegate.clone());
    let token = Delegation {
        delegator: args.from.or(from).unwrap_or_default(),
        key: key.id(),
        delegate: args.to,
        delegate_key: to_key,
        tools: BTreeSet::from_iter(args.tools).into_iter().collect(),
        environment: args.environment.or(inherited),
        not_before: now,
        expires_at,
        depth: args.depth,
        parent: parent.as_ref().map(|(digest, _)| *digest),
        nonce: host::nonce(host)?,
    };
    let wider = |error: ChainError| {
        CliError::new(Category::InvalidInput, "delegate.wider", error.to_string())
            .hint("no gate would take it: hand on no more tools, time and links than you have")
    };
    if let Some((_, before)) = &parent {
        follows(before, &token).map_err(wider)?;
    }
    if person(&token.delegator) == person(&token.delegate) || token.key == token.delegate_key.id() {
        return Err(wider(ChainError::Twice(token.delegate)));
    }
    let (signed, name) = delegation::sign(&token, &key)?;
    let path = args.out.unwrap_or_else(|| place(name));
    host.write_new(&path, signed.as_bytes(), Mode::Public)?;
    report(ui, &token, name, &path)?;
    Ok(Exit::Success)
}

/// What was delegated: a link that ends at this key, and may be followed by another.
fn parent(host: &dyn Host, path: &Path, key: &SigningKey) -> Result<(Digest, Delegation), CliError> {
    let bytes = host.read(path, limits::ENVELOPE_BYTES as u64)?;
    let refused = |message: &str| {
        let message = format!("{}: {message}", path.display());
        CliError::new(Category::InvalidInput, "delegate.parent", message)
    };
    // Whoever has signed it: that is asked by the gate, which knows who may.
    let claimed = delegation::claimed(&bytes);
    let (token, digest) = claimed.map_err(|error| CliError::from(error).in_file(path))?;
    if token.delegate_key.id() != key.id() {
        return Err(refused("it delegates to another key").hint("name your own key with --key"));
    }
    if token.depth == 0 {
        return Err(refused("it may not be handed on").hint("ask for one with a greater --depth"));
    }
    Ok((digest, token))
}

fn place(name: Digest) -> PathBuf {
    let hex = name.to_string();
    let hex: String = hex.trim_start_matches("sha256:").chars().take(24).collect();
    Path::new(FOLDER).join(format!("delegation_{hex}.json"))
}

fn report(ui: &mut Ui, token: &Delegation, name: Digest, path: &Path) -> Result<(), CliError> {
    let at = |at: Timestamp| Json::str(time::print(at));
    if ui.is_json() {
        return ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("file", Json::str(path.to_string_lossy())),
            ("digest", name.to_json()),
            ("delegator", Json::str(&token.delegator)),
            ("delegate", Json::str(&token.delegate)),
            ("tools", Json::Array(token.tools.iter().map(Json::str).collect())),
            (
                "environment",
                token.environment.as_ref().map_or(Json::Null, Json::str),
            ),
            ("depth", Json::int(token.depth.into())),
            (
                "parent",
                token.parent.as_ref().map_or(Json::Null, Digest::to_json),
            ),
            ("not_before", at(token.not_before)),
            ("expires_at", at(token.expires_at)),
        ]));
    }
    let who = format!("{} to {}", one_line(&token.delegator), one_line(&token.delegate));
    ui.line(&format!("{} {who}", paint(Tone::Good, "delegated")))?;
    ui.line(&format!("  tools    {}", one_line(&token.tools.join(", "))))?;
    ui.line(&format!("  until    {}", time::print(token.expires_at)))?;
    ui.line(&format!("  depth    {}", token.depth))?;
    ui.line(&format!("  file     {}", one_line(&path.to_string_lossy())))
}
