//! Stops of the kill switch: which calls an operator stops, whatever a policy says of them.

use std::fmt;

/// The calls a stop is about: those that everything said here holds of; every call where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopScope {
    /// The tool, or all tools under a name where it ends with `.*`.
    pub tool: Option<String>,
    /// Who asks.
    pub identity: Option<String>,
    /// The agent.
    pub agent: Option<String>,
    /// The environment.
    pub environment: Option<String>,
    /// The workspace is this folder, or under it.
    pub workspace: Option<String>,
    /// A target is this path, or under it.
    pub path: Option<String>,
    /// A target is this one, or under it where it is a host.
    pub target: Option<StopTarget>,
}

/// A target to stop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopTarget {
    /// The kind, one of `StopTarget::KINDS`.
    pub kind: String,
    /// The value.
    pub value: String,
}

impl StopTarget {
    /// The kinds of targets, as traces name them; paths have a member of their own.
    pub const KINDS: [&str; 4] = ["host", "url", "email", "name"];
}

impl StopScope {
    /// What is said, by the name of its member, in a fixed order.
    pub fn said(&self) -> Vec<(&'static str, String)> {
        let target = self.target.as_ref();
        let target = target.map(|target| format!("{}={}", target.kind, target.value));
        let all = [
            ("tool", self.tool.clone()),
            ("identity", self.identity.clone()),
            ("agent", self.agent.clone()),
            ("environment", self.environment.clone()),
            ("workspace", self.workspace.clone()),
            ("path", self.path.clone()),
            ("target", target),
        ];
        let said = all.into_iter();
        said.filter_map(|(name, value)| Some((name, value?))).collect()
    }

    /// Whether it is about targets, which are known only once the arguments are read.
    pub fn is_of_targets(&self) -> bool {
        self.path.is_some() || self.target.is_some()
    }
}

impl fmt::Display for StopScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = self.said();
        if said.is_empty() {
            return f.write_str("every call");
        }
        let said: Vec<String> = said
            .into_iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        f.write_str(&said.join(", "))
    }
}

/// A stop that is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// Its id.
    pub id: String,
    /// The calls it is about.
    pub scope: StopScope,
}

/// What a gate knows of the kill switch.
#[derive(Clone, Copy, Debug, Default)]
pub enum Stops<'s> {
    /// Nobody keeps one.
    #[default]
    NotKept,
    /// The stops that are on.
    On(&'s [Stop]),
    /// There is one, and it cannot be asked, because of this.
    Unavailable(&'s str),
}
