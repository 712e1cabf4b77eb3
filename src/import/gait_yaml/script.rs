//! Bounds on requests of several steps. In: `scripts`. Out: conditions on a step, which sees how many steps there are and
//! what each targets. Each step is judged alone; the strictest verdict is the script's.

use super::cond::{Cond, and, any, not, of, or};

/// There are more steps than this.
pub(super) fn longer_than(most: i64) -> Cond {
    script(of(format!("len(c.steps) > {most}")))
}

/// The steps are not all of one risk: destructive, writing or calling out, neither. Steps whose targets have a class only
/// by the name of their tool count as different from any other.
pub(super) fn mixed() -> Cond {
    let target = |predicates: &[&str]| {
        let asked = predicates.iter().map(|name| of(format!("v1.{name}(t)")));
        any("t", "s.targets", None, or(asked))
    };
    let step = |body: Cond| any("s", "c.steps", None, body);
    let high = target(&["destructive"]);
    let medium = target(&["fs_write", "net_http", "net_dns"]);
    let unsure = target(&["path_by_name", "other_by_name"]);
    script(or([
        and([step(high.clone()), step(not(high.clone()))]),
        and([step(medium.clone()), step(and([not(high), not(medium)]))]),
        and([of("len(c.steps) > 1"), step(unsure)]),
    ]))
}

fn script(body: Cond) -> Cond {
    any("c", "context.script", Some("script"), body)
}
