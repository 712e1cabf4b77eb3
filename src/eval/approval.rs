//! What a decision asks of people: the conjunction of what its rules ask for. In: the specs of matching rules. Out: as
//! few specs as mean the same.

use crate::domain::ApprovalSpec;

/// Everything asked for. The shortest expiry holds for all; what another spec implies is left out.
pub fn conjunction(asked: impl Iterator<Item = ApprovalSpec>) -> Vec<ApprovalSpec> {
    let mut specs: Vec<ApprovalSpec> = asked.collect();
    let shortest = specs.iter().filter_map(|spec| spec.expires).min();
    specs.iter_mut().for_each(|spec| spec.expires = shortest);
    specs.sort();
    specs.dedup();
    let needed = |at: usize, spec: &ApprovalSpec| {
        !specs.iter().enumerate().any(|(other, by)| {
            // Of two that imply one another the first stays.
            other != at && by.implies(spec) && (other < at || !spec.implies(by))
        })
    };
    let kept = specs.iter().enumerate().filter(|(at, spec)| needed(*at, spec));
    kept.map(|(_, spec)| spec.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::conjunction;
    use crate::domain::ApprovalSpec;
    use crate::domain::approval::Role;
    use std::sync::Arc;

    fn from(name: &str, members: &[&str]) -> ApprovalSpec {
        ApprovalSpec {
            from: Some(Arc::new(Role {
                name: name.into(),
                members: members.iter().map(|m| (*m).into()).collect(),
            })),
            ..ApprovalSpec::default()
        }
    }

    #[test]
    fn what_another_implies_is_left_out() {
        let finance = from("finance", &["ann", "bob"]);
        let two = ApprovalSpec {
            count: 2,
            distinct: true,
            ..finance.clone()
        };
        let security = from("security", &["eve"]);
        let anybody = ApprovalSpec::default();
        let of = |specs: &[&ApprovalSpec]| conjunction(specs.iter().map(|spec| (*spec).clone()));
        assert_eq!(of(&[&anybody, &finance, &two, &two]), vec![two]);
        assert_eq!(
            of(&[&security, &anybody, &finance]),
            [finance.clone(), security.clone()]
        );
        let bound = ApprovalSpec {
            bind_args: true,
            ..anybody.clone()
        };
        assert_eq!(of(&[&bound, &finance]).len(), 2);
        assert_eq!(of(&[]), []);
        // The same people under two names: one of the two is enough.
        assert_eq!(
            of(&[&from("b", &["ann"]), &from("a", &["ann"])]),
            [from("a", &["ann"])]
        );
    }

    #[test]
    fn the_shortest_expiry_holds() {
        let finance = ApprovalSpec {
            expires: Some(60),
            count: 2,
            ..from("finance", &["ann", "bob"])
        };
        let soon = ApprovalSpec {
            expires: Some(10),
            ..ApprovalSpec::default()
        };
        let expected = ApprovalSpec {
            expires: Some(10),
            ..finance.clone()
        };
        assert_eq!(conjunction([finance, soon].into_iter()), [expected]);
    }
}
