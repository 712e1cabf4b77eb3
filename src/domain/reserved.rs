//! The gate's own reason codes. Authors cannot use the prefix, so such a code always means the gate itself blocked.

/// Prefix of every reserved code.
pub const PREFIX: &str = "gait.";
/// The intent names a tool the policy does not declare.
pub const UNKNOWN_TOOL: &str = "gait.unknown_tool";
/// The arguments are not values of the declared types.
pub const INPUT_INVALID: &str = "gait.input_invalid";
/// An argument cannot be parsed as its domain type.
pub const ARG_UNPARSABLE: &str = "gait.arg_unparsable";
/// A fact that a rule needs was not supplied.
pub const FACT_MISSING: &str = "gait.fact_missing";
/// What the host or the caller says about the call is no value of the declared type.
pub const CONTEXT_INVALID: &str = "gait.context_invalid";
/// A rule asks about the session, and the gate was given no state of it.
pub const STATE_UNAVAILABLE: &str = "gait.state_unavailable";
/// The session state is damaged or belongs to another policy.
pub const STATE_FOREIGN: &str = "gait.state_foreign";
/// Rules that matched oblige what cannot be joined.
pub const OBLIGATION_CONFLICT: &str = "gait.obligation_conflict";
/// A rule obliges what nobody has promised to do.
pub const OBLIGATION_UNFULFILLABLE: &str = "gait.obligation_unfulfillable";
/// A rule asks about the time, and the gate was not told it.
pub const TIME_UNAVAILABLE: &str = "gait.time_unavailable";
/// A rule asks how much was spent of a limit, and the gate was not told it.
pub const LIMITS_UNAVAILABLE: &str = "gait.limits_unavailable";
/// Which steps of a script succeed could lead to more sessions than the gate follows.
pub const SCRIPT_UNCERTAIN: &str = "gait.script_uncertain";
/// An operator has stopped the call.
pub const KILL_SWITCH: &str = "gait.kill_switch";
/// There is a kill switch, and it cannot be asked.
pub const KILL_SWITCH_UNAVAILABLE: &str = "gait.kill_switch_unavailable";
/// Somebody who is asked for an approval has denied the call.
pub const DENIED: &str = "gait.denied";
/// What was handed over of a delegation is none, or does not cover the call.
pub const DELEGATION: &str = "gait.delegation";
/// What was handed over to vouch for facts does not, or the host says what somebody else is to vouch for.
pub const ATTESTATION: &str = "gait.attestation";
/// The gate failed while deciding; the call is blocked.
pub const INTERNAL: &str = "gait.internal";

/// Codes of calls whose arguments are no values of the types that the policy declares.
pub const OF_ARGUMENTS: [&str; 3] = [UNKNOWN_TOOL, INPUT_INVALID, ARG_UNPARSABLE];

/// Codes of calls that something beside the policy blocked, which nobody can ask again: an operator, a person, whoever delegates or
/// attests, a store.
pub const BESIDE_POLICY: [&str; 6] = [
    KILL_SWITCH,
    KILL_SWITCH_UNAVAILABLE,
    DENIED,
    DELEGATION,
    ATTESTATION,
    LIMITS_UNAVAILABLE,
];

/// Every reserved code.
pub const ALL: [&str; 18] = [
    UNKNOWN_TOOL,
    INPUT_INVALID,
    ARG_UNPARSABLE,
    FACT_MISSING,
    CONTEXT_INVALID,
    STATE_UNAVAILABLE,
    STATE_FOREIGN,
    OBLIGATION_CONFLICT,
    OBLIGATION_UNFULFILLABLE,
    TIME_UNAVAILABLE,
    LIMITS_UNAVAILABLE,
    SCRIPT_UNCERTAIN,
    KILL_SWITCH,
    KILL_SWITCH_UNAVAILABLE,
    DENIED,
    DELEGATION,
    ATTESTATION,
    INTERNAL,
];
