//! Brokers of credentials, as the operator of whoever runs calls configures them: a table `[credentials.NAME]` each. In: a text.
//! Out: brokers by the names of their credentials, or the first mistake with its line. It must not know what a call is.

use super::receipt::Format;
use crate::artifact::Digest;
use crate::artifact::credential::BrokerKind;
use crate::builtins::duration;
use crate::config::{self, ConfigError, Table};
use crate::diag::suggest::nearest;
use crate::limits;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How long a credential may be good for where nobody says it.
const TTL: &str = "1h";
/// What starts so is Gait's own, and not told to anybody.
const OWN: &str = "GAIT_";

/// What hands out one credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Where it comes from.
    pub source: Source,
    /// What the call finds in its environment: the variable, and the part of the secret that it has.
    pub variables: BTreeMap<String, String>,
    /// How long it may be good for at most, in seconds.
    pub max_ttl: u64,
}

/// Where a credential comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A program that gets one for each call.
    Command(Command),
    /// Variables of the environment.
    Env {
        /// How their names begin.
        prefix: String,
        /// What the credential is good for.
        scope: Vec<String>,
    },
    /// Nothing that anybody takes.
    Stub,
}

/// A program that gets a credential for each call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it must be.
    pub pin: Option<Digest>,
    /// The variables of the environment that it gets; no others but `secrets`.
    pub environment: Vec<String>,
    /// Those that it gets and no call does.
    pub secrets: Vec<String>,
    /// The form of what it writes.
    pub format: Format,
    /// Who must have issued the credential.
    pub issuer: Option<String>,
    /// For whom it must be.
    pub subject: Option<String>,
}

impl Broker {
    /// What kind it is.
    pub fn kind(&self) -> BrokerKind {
        match self.source {
            Source::Command(_) => BrokerKind::Command,
            Source::Env { .. } => BrokerKind::Env,
            Source::Stub => BrokerKind::Stub,
        }
    }
}

impl Command {
    /// The variables of the environment that it gets.
    pub fn passed(&self) -> impl Iterator<Item = &String> {
        self.environment.iter().chain(&self.secrets)
    }
}

/// Whether a variable of the environment is kept from calls: it is Gait's own, or one that brokers have credentials from.
pub fn is_withheld(brokers: &BTreeMap<String, Broker>, name: &str) -> bool {
    let of_broker = |broker: &Broker| match &broker.source {
        Source::Command(command) => command.secrets.iter().any(|secret| secret == name),
        Source::Env { prefix, .. } => name.starts_with(prefix.as_str()),
        Source::Stub => false,
    };
    name.starts_with(OWN) || brokers.values().any(of_broker)
}

/// Reads a configuration.
pub fn read(text: &str) -> Result<BTreeMap<String, Broker>, ConfigError> {
    let mut table = config::read(text)?;
    let mut brokers = BTreeMap::new();
    for (name, own) in table.tables("credentials")? {
        if name.is_empty() || name.len() > limits::CREDENTIAL_NAME_BYTES {
            let message = format!(
                "the name of a credential has 1 to {} bytes",
                limits::CREDENTIAL_NAME_BYTES
            );
            return Err(own.wrong(own.line(), "config.bad_value", message));
        }
        brokers.insert(name, broker(own)?);
    }
    table.end()?;
    Ok(brokers)
}

fn broker(mut table: Table) -> Result<Broker, ConfigError> {
    let kind = needed(&mut table, "broker")?;
    let names = BrokerKind::ALL.map(BrokerKind::as_str);
    let kind = BrokerKind::parse(&kind).ok_or_else(|| unknown(&table, "broker", &kind, &names))?;
    let source = match kind {
        BrokerKind::Command => Source::Command(command(&mut table)?),
        BrokerKind::Env => env(&mut table)?,
        BrokerKind::Stub => Source::Stub,
    };
    let max_ttl = max_ttl(&mut table)?;
    let variables = table.named("variables")?;
    table.end()?;
    if variables.is_empty() {
        return Err(missing(&table, "variables"));
    }
    if let Some(name) = variables.keys().find(|name| !is_variable(name)) {
        let message = format!(
            "`{}` is no variable that a credential may be in",
            name.escape_debug()
        );
        return Err(bad(&table, message));
    }
    Ok(Broker {
        source,
        variables,
        max_ttl,
    })
}

fn command(table: &mut Table) -> Result<Command, ConfigError> {
    let program = PathBuf::from(needed(table, "program")?);
    if !program.is_absolute() {
        let message = "`program` is no path from the root on";
        return Err(bad(table, message.to_owned()));
    }
    let written = needed(table, "format")?;
    let names = Format::ALL.map(Format::as_str);
    let format = Format::parse(&written).ok_or_else(|| unknown(table, "format", &written, &names))?;
    let pin = table.text("sha256")?;
    let pin = pin.map(|hex| {
        let digest = Digest::parse(&format!("sha256:{hex}"));
        digest.ok_or_else(|| bad(table, "`sha256` is no 64 lowercase hexadecimal digits".to_owned()))
    });
    let command = Command {
        program,
        format,
        pin: pin.transpose()?,
        args: table.texts("args")?,
        environment: table.texts("environment")?,
        secrets: table.texts("secrets")?,
        issuer: table.text("issuer")?,
        subject: table.text("subject")?,
    };
    if let Some(name) = command.passed().find(|name| !is_variable(name)) {
        let message = format!("`{}` is no variable that a broker may see", name.escape_debug());
        return Err(bad(table, message));
    }
    let says_whose = [
        ("issuer", command.issuer.is_some(), format.says_issuer()),
        ("subject", command.subject.is_some(), format.says_subject()),
    ];
    match says_whose.into_iter().find(|(_, asked, says)| *asked && !says) {
        Some((key, ..)) => {
            let message = format!("`{key}` is asked for, and {} says none", format.as_str());
            Err(bad(table, message))
        }
        None => Ok(command),
    }
}

fn env(table: &mut Table) -> Result<Source, ConfigError> {
    let prefix = needed(table, "prefix")?;
    let scope = table.texts("scope")?;
    if !is_variable(&prefix) || !prefix.ends_with('_') {
        let message = "`prefix` is not how a variable begins, such as `DEPLOY_`";
        return Err(bad(table, message.to_owned()));
    }
    if scope.is_empty() {
        return Err(missing(table, "scope"));
    }
    Ok(Source::Env { prefix, scope })
}

fn max_ttl(table: &mut Table) -> Result<u64, ConfigError> {
    let written = table.text("max_ttl")?;
    let seconds = seconds(written.as_deref().unwrap_or(TTL));
    let seconds = seconds.filter(|seconds| (1..=limits::CREDENTIAL_SECONDS).contains(seconds));
    seconds.ok_or_else(|| {
        let hours = limits::CREDENTIAL_SECONDS / 3_600;
        let message = format!("`max_ttl` is no time between 1s and {hours}h, such as 15m");
        bad(table, message)
    })
}

/// The whole seconds of a duration.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let millis = duration::parse(text).ok()?;
    u64::try_from(millis / 1_000).ok()
}

/// Whether a variable of the environment may have this name, and is none of Gait's own.
fn is_variable(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty()
        && name.chars().all(plain)
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.starts_with(OWN)
}

fn needed(table: &mut Table, key: &str) -> Result<String, ConfigError> {
    let found = table.text(key)?.filter(|text| !text.is_empty());
    found.ok_or_else(|| missing(table, key))
}

fn missing(table: &Table, key: &str) -> ConfigError {
    table.wrong(table.line(), "config.missing_key", format!("`{key}` is missing"))
}

fn bad(table: &Table, message: String) -> ConfigError {
    table.wrong(table.line(), "config.bad_value", message)
}

fn unknown(table: &Table, key: &str, written: &str, names: &[&str]) -> ConfigError {
    let message = format!("`{key}` is `{}`, which is none", written.escape_debug());
    let hint = match nearest(written, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of {}", names.join(", ")),
    };
    ConfigError {
        hint: Some(hint),
        ..bad(table, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VARIABLES: &str = "variables = { TOKEN = \"token\" }\n";

    fn one(text: &str) -> Result<Broker, (&'static str, String)> {
        let text = format!("[credentials.x]\n{text}");
        let read = read(&text).map_err(|error| (error.code, error.hint.unwrap_or(error.message)));
        read.map(|mut all| all.remove("x").unwrap())
    }

    #[test]
    fn a_broker_is_read_strictly() {
        let command = "broker = \"command\"\nprogram = \"/opt/b\"\nformat = \"gait\"\n";
        let read = one(&format!("{command}max_ttl = \"15m\"\n{VARIABLES}")).unwrap();
        assert_eq!((read.kind(), read.max_ttl), (BrokerKind::Command, 900));
        let stub = one(&format!("broker = \"stub\"\n{VARIABLES}")).unwrap();
        assert_eq!((stub.kind(), stub.max_ttl), (BrokerKind::Stub, 3_600));
        let env = "broker = \"env\"\nprefix = \"DEPLOY_\"\nscope = [\"a\"]\n";
        assert_eq!(one(&format!("{env}{VARIABLES}")).unwrap().kind(), BrokerKind::Env);
        for (text, code, told) in [
            (
                "broker = \"comand\"\n",
                "config.bad_value",
                "did you mean `command`?",
            ),
            (
                "broker = \"vault\"\n",
                "config.bad_value",
                "one of command, env, stub",
            ),
            ("", "config.missing_key", "`broker` is missing"),
            (
                "broker = \"command\"\n",
                "config.missing_key",
                "`program` is missing",
            ),
            (
                "broker = \"command\"\nprogram = \"b\"\nformat = \"gait\"\n",
                "config.bad_value",
                "`program` is no path from the root on",
            ),
            (
                "broker = \"command\"\nprogram = \"/b\"\nformat = \"aws_st\"\n",
                "config.bad_value",
                "did you mean `aws_sts`?",
            ),
            (
                &format!("{command}sha256 = \"12\"\n"),
                "config.bad_value",
                "`sha256` is no 64 lowercase hexadecimal digits",
            ),
            (
                &format!("{command}environment = [\"GAIT_KEY_FILE\"]\n"),
                "config.bad_value",
                "`GAIT_KEY_FILE` is no variable that a broker may see",
            ),
            (
                "broker = \"command\"\nprogram = \"/b\"\nformat = \"vault\"\nsubject = \"a\"\n",
                "config.bad_value",
                "`subject` is asked for, and vault says none",
            ),
            (
                &format!("{command}enviroment = []\n{VARIABLES}"),
                "config.unknown_key",
                "did you mean `environment`?",
            ),
            (
                &format!("broker = \"stub\"\nprogram = \"/b\"\n{VARIABLES}"),
                "config.unknown_key",
                "keys here are broker, max_ttl, variables",
            ),
            (
                "broker = \"env\"\nprefix = \"DEPLOY\"\nscope = [\"a\"]\n",
                "config.bad_value",
                "`prefix` is not how a variable begins, such as `DEPLOY_`",
            ),
            (
                "broker = \"env\"\nprefix = \"GAIT_\"\nscope = [\"a\"]\n",
                "config.bad_value",
                "`prefix` is not how a variable begins, such as `DEPLOY_`",
            ),
            (
                "broker = \"env\"\nprefix = \"DEPLOY_\"\n",
                "config.missing_key",
                "`scope` is missing",
            ),
            (
                "broker = \"stub\"\n",
                "config.missing_key",
                "`variables` is missing",
            ),
            (
                "broker = \"stub\"\nvariables = { \"A B\" = \"token\" }\n",
                "config.bad_value",
                "`A B` is no variable that a credential may be in",
            ),
            (
                "broker = \"stub\"\nmax_ttl = \"0s\"\n",
                "config.bad_value",
                "`max_ttl` is no time between 1s and 12h, such as 15m",
            ),
            (
                "broker = \"stub\"\nmax_ttl = \"13h\"\n",
                "config.bad_value",
                "`max_ttl` is no time between 1s and 12h, such as 15m",
            ),
        ] {
            assert_eq!(one(text).unwrap_err(), (code, told.to_owned()), "{text}");
        }
        assert_eq!(
            super::read("[credential.x]\n").unwrap_err().hint.unwrap(),
            "did you mean `credentials`?"
        );
    }
}
