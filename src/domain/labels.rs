//! Where the arguments of a call come from, and whose labels are asked about.

use crate::json::Json;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ArgumentSource {
    /// The person the agent works for.
    User = 0,
    /// The result of a tool.
    ToolOutput = 1,
    /// Anywhere outside.
    External = 2,
    /// The agent's own program.
    System = 3,
    /// Nobody says.
    Missing = 4,
}

impl ArgumentSource {
    /// All, by their number.
    pub const ALL: [ArgumentSource; 5] = [
        ArgumentSource::User,
        ArgumentSource::ToolOutput,
        ArgumentSource::External,
        ArgumentSource::System,
        ArgumentSource::Missing,
    ];

    /// The word in policies and intents.
    pub fn as_str(self) -> &'static str {
        match self {
            ArgumentSource::User => "user",
            ArgumentSource::ToolOutput => "tool_output",
            ArgumentSource::External => "external",
            ArgumentSource::System => "system",
            ArgumentSource::Missing => "missing",
        }
    }
}

/// What an adapter says about the origin of one argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentOrigin {
    /// The names and indices from the arguments to the value.
    pub path: Vec<String>,
    /// Where it comes from.
    pub source: ArgumentSource,
    /// The tool, where it comes from a tool's result and the adapter says which.
    pub tool: Option<String>,
    /// The digest of the value as the adapter saw it, lowercase hexadecimal.
    pub digest: Option<String>,
}

impl ArgumentOrigin {
    /// The entries of an intent's `arg_provenance`; none when it has no such member. The document has passed the
    /// closed shape of an intent.
    pub fn of_intent(document: &Json) -> Option<Vec<ArgumentOrigin>> {
        let entries = document.get("arg_provenance")?.as_array()?;
        Some(entries.iter().filter_map(ArgumentOrigin::read).collect())
    }

    fn read(entry: &Json) -> Option<ArgumentOrigin> {
        let text = |name: &str| entry.get(name).and_then(Json::as_str);
        let source = text("source")?;
        let tool = text("source_ref").map(|t| t.strip_prefix("tool:").unwrap_or(t));
        Some(ArgumentOrigin {
            path: path(text("arg_path")?),
            source: ArgumentSource::ALL.into_iter().find(|s| s.as_str() == source)?,
            tool: tool.map(str::to_owned),
            digest: text("integrity_digest").map(|d| {
                let hex = d.strip_prefix("sha256:").unwrap_or(d);
                hex.to_ascii_lowercase()
            }),
        })
    }
}

/// The steps of `$.to[0].name`, `/to/0/name` (RFC 6901) or `args.to[0]`. From where it is not written in such a way, the
/// rest is one step as it stands, which leads to no value.
fn path(written: &str) -> Vec<String> {
    let (mut steps, rest) = steps(written);
    steps.extend(rest.map(str::to_owned));
    steps
}

/// The same steps as far as they are written in such a way: the path of what is meant, or of what it lies in.
pub fn written_path(written: &str) -> Vec<String> {
    steps(written).0
}

fn steps(written: &str) -> (Vec<String>, Option<&str>) {
    if let Some(pointer) = written.strip_prefix('/') {
        let unescape = |step: &str| step.replace("~1", "/").replace("~0", "~");
        return (pointer.split('/').map(unescape).collect(), None);
    }
    let rest = written.strip_prefix('$').unwrap_or(written);
    let mut rest = rest.strip_prefix("args.").unwrap_or(rest);
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let Some((step, after)) = step(rest, steps.is_empty()) else {
            return (steps, Some(rest));
        };
        steps.push(step.to_owned());
        rest = after;
    }
    (steps, None)
}

/// The first step of a path, and what follows it.
fn step(rest: &str, is_first: bool) -> Option<(&str, &str)> {
    if let Some(bracket) = rest.strip_prefix('[') {
        let quote = bracket.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let (step, after) = match quote {
            Some(quote) => bracket.strip_prefix(quote)?.split_once(&format!("{quote}]"))?,
            None => {
                let (index, after) = bracket.split_once(']')?;
                let is_index = !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit());
                is_index.then_some((index, after))?
            }
        };
        return (after.is_empty() || after.starts_with(['.', '['])).then_some((step, after));
    }
    let name = match rest.strip_prefix('.') {
        Some(name) => name,
        None => is_first.then_some(rest)?,
    };
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (step, after) = name.split_at(end);
    let step = step.trim_matches(['\'', '"']);
    (!step.is_empty() && !step.contains(']')).then_some((step, after))
}

/// Whose labels are asked about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LabelOf {
    /// An argument, by the names from the arguments to it.
    Argument(Vec<String>),
    /// Every argument that leaves the boundary.
    Carried,
    /// The session: what was read in it so far.
    Session,
}

impl std::fmt::Display for LabelOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LabelOf::Argument(path) => write!(f, "args.{}", path.join(".")),
            LabelOf::Carried => f.write_str("carried"),
            LabelOf::Session => f.write_str("session"),
        }
    }
}

/// Why a value has its labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LabelOrigin {
    /// The adapter said where the argument comes from.
    Argument,
    /// The adapter said nothing, so what was read in the session counts.
    Session,
    /// Nothing is known.
    Default,
    /// People took labels off the call that it had.
    Approval,
    /// A secret was found in it.
    Detected,
}

impl LabelOrigin {
    /// All.
    pub const ALL: [LabelOrigin; 5] = [
        LabelOrigin::Argument,
        LabelOrigin::Session,
        LabelOrigin::Default,
        LabelOrigin::Approval,
        LabelOrigin::Detected,
    ];

    /// The word in traces.
    pub fn as_str(self) -> &'static str {
        match self {
            LabelOrigin::Argument => "argument",
            LabelOrigin::Session => "session",
            LabelOrigin::Default => "default",
            LabelOrigin::Approval => "approval",
            LabelOrigin::Detected => "detected",
        }
    }
}

/// The labels a decision found on a value that a rule asks about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LabelFact {
    /// Whose they are, as written in a policy.
    pub of: String,
    /// The labels, sorted.
    pub labels: Vec<String>,
    /// Why it has them.
    pub origin: LabelOrigin,
}
