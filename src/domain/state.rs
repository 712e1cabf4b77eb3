//! What a gate remembers of a session: the labels of what was read, and the states of the policy's monitors. A value:
//! the gate reads one and returns the next; whoever calls it keeps them.

/// The state of a session under one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The digest of what the policy asks of sessions; a state of another policy is foreign.
    pub definition: String,
    /// Events so far.
    pub events: u64,
    /// The labels of everything read so far, as bits.
    pub labels: u64,
    /// One state per monitor.
    pub monitors: Vec<MonitorState>,
}

/// The state of a monitor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MonitorState {
    /// Whether the flag is set.
    Flag(bool),
    /// The steps of the pattern that the last events lead to, as bits.
    Positions(u64),
    /// Events counted, up to the monitor's bound.
    Count(u32),
    /// When the last events were, in milliseconds since 1970, sorted; as many as the monitor counts.
    Times(Vec<i64>),
}
