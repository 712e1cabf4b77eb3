//! Approved scripts: somebody approves every script that calls these tools in this order, with arguments of this shape, until it expires. In:
//! steps, keys, the time. Out: envelope bytes, and back. Whose key it is and whether the approval counts is decided elsewhere.

use jiff::Timestamp;

use super::envelope::{self, Payload, PayloadType, Signed, TrustedKeys, Verified};
use super::fields::Fields;
use super::key::{KeyId, SigningKey};
use super::{BuildError, Digest, VerifyError, jcs, time};
use crate::json::{Json, Text};
use crate::limits;

/// What an argument may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArgShape {
    /// This value.
    Is(Json),
    /// Any value of this kind of JSON: `string`, `number`, `boolean`, `array`, `object`, `null`.
    Kind(String),
}

/// A step: its tool, and each of its arguments by name; sorted by name. It has no other argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepShape {
    /// The tool.
    pub tool: String,
    /// Its arguments.
    pub args: Vec<(String, ArgShape)>,
}

impl StepShape {
    /// Whether a call, as it was asked for, is of this shape.
    pub fn fits(&self, tool: &str, args: &Json) -> bool {
        let Some(members) = args.as_object().filter(|_| self.tool == tool) else {
            return false;
        };
        members.len() == self.args.len()
            && self.args.iter().all(|(name, shape)| {
                args.get(name).is_some_and(|value| match shape {
                    ArgShape::Is(is) => jcs::to_vec(is) == jcs::to_vec(value),
                    ArgShape::Kind(kind) => kind_of(value) == kind,
                })
            })
    }
}

/// The kind of a value, as JSON Schema names it.
pub fn kind_of(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

const KINDS: [&str; 6] = ["null", "boolean", "number", "string", "array", "object"];

/// One approval, good for every script of its shape while it lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptApproval {
    /// The bundle that asked.
    pub bundle_digest: Digest,
    /// The steps, in order.
    pub steps: Vec<StepShape>,
    /// The key of who approves, which alone signs.
    pub key: KeyId,
    /// When it was given; milliseconds are kept.
    pub given_at: Timestamp,
    /// From when on it is no longer good.
    pub expires_at: Timestamp,
    /// What tells two approvals apart that one key gives in one moment: 64 lowercase hexadecimal digits.
    pub nonce: String,
}

/// Signs an approval by the key it names.
pub fn sign(
    approval: &ScriptApproval,
    key: &SigningKey,
) -> Result<(Signed<ScriptApproval>, Digest), BuildError> {
    envelope::sign_and_name(approval, &[key])
}

/// Verifies an approval as `envelope::verify` does, and that it is signed by the key it names and no other.
pub fn verify(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<Verified<ScriptApproval>, VerifyError> {
    envelope::verify_own(
        bytes,
        (trusted, now),
        ("script approval", |one: &ScriptApproval| one.key),
    )
}

const MEMBERS: [&str; 7] = [
    "schema",
    "bundle_digest",
    "steps",
    "key_id",
    "given_at",
    "expires_at",
    "nonce",
];

impl Payload for ScriptApproval {
    const TYPE: PayloadType = PayloadType::ScriptApproval;

    fn to_json(&self) -> Json {
        Json::record(vec![
            ("schema", Json::str(Self::TYPE.schema())),
            ("bundle_digest", self.bundle_digest.to_json()),
            (
                "steps",
                Json::Array(self.steps.iter().map(step_to_json).collect()),
            ),
            ("key_id", self.key.digest().to_json()),
            ("given_at", Json::str(time::print(self.given_at))),
            ("expires_at", Json::str(time::print(self.expires_at))),
            ("nonce", Json::str(&self.nonce)),
        ])
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let fields = Fields::open("script approval", json, &MEMBERS)?;
        fields.constant("schema", Self::TYPE.schema())?;
        let steps = fields.list("steps", step_from_json)?;
        if steps.is_empty() || steps.len() > limits::SCRIPT_STEPS {
            return Err(fields.refuse("`steps` has none, or too many"));
        }
        let key = KeyId::parse(fields.text("key_id")?);
        let approval = ScriptApproval {
            bundle_digest: fields.digest("bundle_digest")?,
            steps,
            key: key.ok_or_else(|| fields.refuse("`key_id` is not a key id"))?,
            given_at: fields.instant("given_at")?,
            expires_at: fields.instant("expires_at")?,
            nonce: fields.nonce("nonce")?,
        };
        if approval.expires_at <= approval.given_at {
            return Err(fields.refuse("`expires_at` is not after `given_at`"));
        }
        Ok(approval)
    }
}

fn step_to_json(step: &StepShape) -> Json {
    let shape = |(name, shape): &(String, ArgShape)| {
        let said = match shape {
            ArgShape::Is(value) => ("is", value.clone()),
            ArgShape::Kind(kind) => ("kind", Json::str(kind)),
        };
        (Text::from(name.clone()), Json::object([said]))
    };
    Json::object([
        ("tool", Json::str(&step.tool)),
        ("args", Json::Object(step.args.iter().map(shape).collect())),
    ])
}

fn step_from_json(json: &Json) -> Result<StepShape, VerifyError> {
    let fields = Fields::open("approved step", json, &["tool", "args"])?;
    let members = fields.any("args")?.as_object();
    let members = members.ok_or_else(|| fields.refuse("`args` is not an object"))?;
    let shape = |(name, json): &(Text, Json)| {
        let shape = Fields::open("approved argument", json, &["is", "kind"])?;
        let said = match (
            shape.optional("is"),
            shape.optional("kind").and_then(Json::as_str),
        ) {
            (Some(value), None) => ArgShape::Is(value.clone()),
            (None, Some(kind)) if KINDS.contains(&kind) => ArgShape::Kind(kind.to_owned()),
            _ => return Err(shape.refuse("it has not exactly one of `is` and `kind`")),
        };
        Ok((name.to_string(), said))
    };
    let mut args = members
        .iter()
        .map(shape)
        .collect::<Result<Vec<_>, VerifyError>>()?;
    args.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(StepShape {
        tool: fields.name("tool")?,
        args,
    })
}
