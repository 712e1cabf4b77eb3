//! What rules ask of people, as canonical bytes. In: specs. Out: their bytes, and back; one that no policy could write is
//! refused.

use super::codec::{DecodeError, Reader, Writer};
use crate::domain::ApprovalSpec;
use crate::domain::approval::Role;
use std::sync::Arc;

/// Writes a spec.
pub(super) fn encode(w: &mut Writer, spec: &ApprovalSpec) {
    w.list(spec.from.as_slice(), |w, role| encode_role(w, role));
    w.int(u64::from(spec.count));
    let flags = [
        spec.distinct,
        spec.excluding_requester,
        spec.excluding_chain,
        spec.single_use,
        spec.bind_args,
        spec.bind_policy,
    ];
    w.byte(
        flags
            .iter()
            .rev()
            .fold(0, |bits, flag| bits << 1 | u8::from(*flag)),
    );
    w.list(spec.expires.as_slice(), |w, millis| w.int(*millis));
}

/// Reads a spec.
pub(super) fn decode(r: &mut Reader<'_>) -> Result<ApprovalSpec, DecodeError> {
    let from = super::decode::optional(r, decode_role)?;
    let count = r.small()?;
    let bits = r.byte()?;
    if count == 0 || bits >> 6 != 0 {
        return Err(DecodeError::Malformed("approval"));
    }
    let flag = |at: u32| bits >> at & 1 == 1;
    Ok(ApprovalSpec {
        from: from.map(Arc::new),
        count,
        distinct: flag(0),
        excluding_requester: flag(1),
        excluding_chain: flag(2),
        single_use: flag(3),
        bind_args: flag(4),
        bind_policy: flag(5),
        expires: super::decode::optional(r, |r| r.int())?,
    })
}

/// Writes a role.
pub(super) fn encode_role(w: &mut Writer, role: &Role) {
    w.text(&role.name);
    w.list(&role.members, |w, member| w.text(member));
}

/// Reads a role.
pub(super) fn decode_role(r: &mut Reader<'_>) -> Result<Role, DecodeError> {
    let role = Role {
        name: r.text()?,
        members: r.list(Reader::text)?,
    };
    if !role.members.windows(2).all(|w| matches!(w, [a, b] if a < b)) {
        return Err(DecodeError::Malformed("role"));
    }
    Ok(role)
}
