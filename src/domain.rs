//! Plain data shared by every layer above: verdicts, reason codes, the decision. No behaviour beyond ordering and
//! printing lives here.

pub mod approval;
pub mod counter;
pub mod decision;
pub mod enforcement;
pub mod held;
pub mod hidden;
pub mod intent;
pub mod labels;
pub mod obligation;
pub mod outcome;
pub mod profile;
pub mod request;
pub mod reserved;
pub mod scope;
pub mod state;
pub mod stop;
pub mod traceparent;
pub mod trust;
pub mod verdict;

pub use approval::{Approval, ApprovalSpec};
pub use counter::{Charge, Counters, Usage};
pub use decision::{Decision, LimitFact, MatchedRule, ReasonCode, StepDecision, Target};
pub use enforcement::Enforcement;
pub use held::HeldFact;
pub use intent::{Intent, ScriptStep};
pub use labels::{ArgumentOrigin, ArgumentSource, LabelFact, LabelOf, LabelOrigin};
pub use obligation::Obligation;
pub use outcome::Outcome;
pub use profile::Profile;
pub use request::Request;
pub use scope::{PolicyScope, RuleScope};
pub use state::State;
pub use stop::{Stop, StopScope, StopTarget, Stops};
pub use trust::{AttestedBy, Trust};
pub use verdict::Verdict;
