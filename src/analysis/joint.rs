//! Two policies as one package, so that both are seen over the same variables: tools, context, labels, history, windows
//! and limits that mean the same in both are there once, and each rule is of the one or of the other. In: two packages.
//! Out: a package nobody decides with, and which of its rules are whose.

mod mapper;

use crate::builtins::bind;
use crate::domain::ArgumentSource;
use crate::hir::{
    Cond, ContextField, Event, Labels, Limit, LimitOn, Monitor, Package, PatternStep, Slot, Tool, labels,
};
use crate::ty::{Field, Ty};
use crate::value::Value;
use mapper::Mapper;
use std::ops::Range;

/// What stands after the name of a thing that means something else in the first policy.
pub(super) const BEFORE: &str = " (before)";

/// Two policies as one.
pub(super) struct Joint {
    /// Its rules are those of the first policy, then those of the second.
    pub package: Package,
    /// The rules of each.
    pub rules: [Range<usize>; 2],
    /// Labels that mean the same in both, as bits.
    pub labels: u64,
    /// What is in each, by the numbers of the joint package.
    numbers: [Numbers; 2],
}

impl Joint {
    /// A call of a tool, by number, as the joint package sees it: from what the two policies looked at.
    pub fn record(&self, tool: usize, sides: [&Package; 2], records: &[Option<Value>; 2]) -> Value {
        let Some(declared) = self.package.tools.get(tool) else {
            return Value::Absent;
        };
        let args = declared.args.len();
        let mut context = vec![Value::Absent; self.package.context.len()];
        let mut values = vec![Value::Absent; args + 1 + declared.slots.len()];
        for ((numbers, package), record) in self.numbers.iter().zip(sides).zip(records) {
            let own = numbers.tools.iter().position(|known| *known == tool);
            let (Some(own), Some(Value::Record(record))) = (own, record) else {
                continue;
            };
            let Some(of) = package.tools.get(own) else {
                continue;
            };
            let to_args = numbers.args.get(own).map_or(&[][..], Vec::as_slice);
            let to_slots = numbers.slots.get(own).map_or(&[][..], Vec::as_slice);
            for ((at, value), field) in to_args.iter().zip(record).zip(&of.args) {
                let now = declared.args.get(*at as usize);
                put(&mut values, *at as usize, as_joint(value, &field.ty, now));
            }
            for (at, value) in to_slots.iter().zip(record.iter().skip(to_args.len() + 1)) {
                put(&mut values, args + 1 + *at as usize, value.clone());
            }
            if let Some(Value::Record(fields)) = record.get(to_args.len()) {
                for ((at, value), field) in numbers.context.iter().zip(fields).zip(&package.context) {
                    let now = self.package.context.get(*at as usize).map(|now| &now.field);
                    put(&mut context, *at as usize, as_joint(value, &field.field.ty, now));
                }
            }
        }
        put(&mut values, args, Value::Record(context));
        Value::Record(values)
    }
}

fn put(values: &mut [Value], at: usize, value: Value) {
    if let Some(place) = values.get_mut(at) {
        *place = value;
    }
}

/// A value of one type as that of the joint field; what is none of its values is missing.
fn as_joint(value: &Value, ty: &Ty, now: Option<&Field>) -> Value {
    match now {
        Some(now) if now.ty != *ty && *value != Value::Absent => {
            bind::bind(&bind::to_json(value, ty), &now.ty).unwrap_or(Value::Absent)
        }
        _ => value.clone(),
    }
}

/// What is in a type of a policy, as the joint package sees it.
#[derive(Default)]
struct Numbers {
    /// By tool, then by argument.
    args: Vec<Vec<u32>>,
    tools: Vec<usize>,
    context: Vec<u32>,
    labels: Vec<u32>,
    /// Labels that mean the same in both, as bits of the joint package.
    shared: u64,
    /// Tools of both, by their numbers in the joint package.
    common: Vec<usize>,
    events: Vec<u32>,
    monitors: Vec<u32>,
    windows: Vec<u32>,
    limits: Vec<u32>,
    /// By tool.
    slots: Vec<Vec<u32>>,
}

/// The two policies as one; none where they do not fit into one.
pub(super) fn joint(before: &Package, after: &Package) -> Option<Joint> {
    // What is there after comes first, so that calls are shown as the second policy has them.
    let mut package = Package {
        rules: Vec::new(),
        assertions: Vec::new(),
        tests: Vec::new(),
        history: crate::hir::History::default(),
        windows: Vec::new(),
        limits: Vec::new(),
        ..after.clone()
    };
    let mut numbers = [Numbers::default(), Numbers::default()];
    for (own, numbers) in [after, before].into_iter().zip(&mut numbers) {
        numbers.labels = labels(&mut package.labels, &own.labels)?;
    }
    package.context = context(before, after, &mut numbers);
    package.tools = tools(before, after, &mut numbers);
    for (own, numbers) in [after, before].into_iter().zip(&numbers) {
        for (tool, at) in own.tools.iter().zip(&numbers.tools) {
            let returns = numbers.bits(tool.returns)?;
            if let Some(joint) = package.tools.get_mut(*at) {
                joint.returns |= returns;
            }
        }
    }
    let [of_after, of_before] = &numbers;
    package.labels = all_labels((after, of_after), (before, of_before), package.labels)?;
    let shared = shared(before, after, &package, &numbers);
    let common: Vec<usize> = match &numbers {
        [a, b] => a
            .tools
            .iter()
            .filter(|at| b.tools.contains(at))
            .copied()
            .collect(),
    };
    for numbers in &mut numbers {
        numbers.shared = shared;
        numbers.common.clone_from(&common);
    }
    let [of_after, of_before] = &mut numbers;
    for (own, numbers) in [(after, of_after), (before, of_before)] {
        numbers.windows = own
            .windows
            .iter()
            .map(|window| {
                add(&mut package.windows, window.clone(), |known| {
                    (&known.zone, &known.spans) == (&window.zone, &window.spans)
                })
            })
            .collect::<Option<_>>()?;
        let slots_of = own.tools.iter().map(|tool| vec![UNKNOWN; tool.slots.len()]);
        numbers.slots = slots_of.collect();
        // What happened may be about what is computed of single calls, and a limit about both.
        let sides = (before, after);
        slots(&mut package, sides, own, numbers, &|slot| !is_of_session(slot))?;
        history(&mut package, own, numbers)?;
        slots(&mut package, sides, own, numbers, &|slot| {
            is_of_session(slot) && !is_used(slot)
        })?;
        limits(&mut package, own, numbers)?;
        slots(&mut package, sides, own, numbers, &is_used)?;
    }
    let [of_after, of_before] = &numbers;
    let first = before.rules.len();
    for (own, numbers) in [(before, of_before), (after, of_after)] {
        for rule in &own.rules {
            let mut rule = rule.clone();
            for (tool, cond) in &mut rule.on {
                let mapper = Mapper::new(&package, own, numbers, *tool)?;
                *cond = mapper.cond(cond)?;
                *tool = *numbers.tools.get(*tool)?;
            }
            package.rules.push(rule);
        }
    }
    let all = package.rules.len();
    Some(Joint {
        package,
        rules: [0..first, first..all],
        labels: shared,
        numbers: {
            let [of_after, of_before] = numbers;
            [of_before, of_after]
        },
    })
}

/// The number of a thing that may be there already.
fn add<T>(all: &mut Vec<T>, one: T, same: impl Fn(&T) -> bool) -> Option<u32> {
    let at = all.iter().position(same).unwrap_or_else(|| {
        all.push(one);
        all.len() - 1
    });
    u32::try_from(at).ok()
}

fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Numbers {
    /// Labels as the joint package has them.
    fn bits(&self, mask: u64) -> Option<u64> {
        let bits = (0..64).filter(|bit| mask & 1 << bit != 0);
        bits.map(|bit| Some(1 << self.labels.get(bit as usize)?))
            .try_fold(0, |all, bit: Option<u64>| Some(all | bit?))
    }
}

/// The bits of the labels of a policy.
fn labels(joint: &mut Labels, own: &Labels) -> Option<Vec<u32>> {
    let bit = |name: &String| add(&mut joint.names, name.clone(), |known| known == name);
    let bits: Vec<u32> = own.names.iter().map(bit).collect::<Option<_>>()?;
    bits.iter().all(|bit| *bit < 64).then_some(bits)
}

/// Where labels come from and what takes them off in either policy. What counts for a call that is made up stands first:
/// the sources of the second one.
fn all_labels(after: (&Package, &Numbers), before: (&Package, &Numbers), names: Labels) -> Option<Labels> {
    let mut all = Labels {
        sources: Vec::new(),
        declassify: Vec::new(),
        lifted: Vec::new(),
        detected: 0,
        ..names
    };
    for (own, numbers) in [after, before] {
        for tool in &own.tools {
            all.sources.push(labels::Source {
                kind: ArgumentSource::ToolOutput,
                from: vec![tool.name.clone()],
                labels: numbers.bits(own.labels.of_result(&tool.name, tool.returns))?,
            });
        }
        for source in &own.labels.sources {
            all.sources.push(labels::Source {
                labels: numbers.bits(source.labels)?,
                ..source.clone()
            });
        }
        all.detected |= numbers.bits(own.labels.detected)?;
        for (tool, mask) in &own.labels.declassify {
            all.declassify.push((tool.clone(), numbers.bits(*mask)?));
        }
        for (spec, mask) in &own.labels.lifted {
            all.lifted.push((spec.clone(), numbers.bits(*mask)?));
        }
    }
    Some(all)
}

/// The context of both. A field that differs in more than its bounds is there twice.
fn context(before: &Package, after: &Package, numbers: &mut [Numbers; 2]) -> Vec<ContextField> {
    let mut all = after.context.clone();
    let [of_after, of_before] = numbers;
    of_after.context = (0..all.len()).map(number).collect();
    for field in &before.context {
        let same = |known: &ContextField| known.field.name == field.field.name && known.from == field.from;
        let found = all.iter().position(same);
        let met = found.and_then(|at| meet(&all.get(at)?.field.ty, &field.field.ty));
        let at = match (found, met) {
            (Some(at), Some(ty)) => {
                if let Some(known) = all.get_mut(at) {
                    known.field.ty = ty;
                }
                at
            }
            _ => {
                let is_known = all.iter().any(|known| known.field.name == field.field.name);
                all.push(ContextField {
                    field: once_more(&field.field, is_known),
                    ..field.clone()
                });
                all.len() - 1
            }
        };
        of_before.context.push(number(at));
    }
    all
}

/// A field beside one of the same name.
fn once_more(field: &Field, is_known: bool) -> Field {
    match is_known {
        true => Field {
            name: format!("{}{BEFORE}", field.name),
            ty: field.ty.clone(),
        },
        false => field.clone(),
    }
}

/// The tools of both, without what is computed for them.
fn tools(before: &Package, after: &Package, numbers: &mut [Numbers; 2]) -> Vec<Tool> {
    let bare = |tool: &Tool| Tool {
        slots: Vec::new(),
        returns: 0,
        ..tool.clone()
    };
    let mut all: Vec<Tool> = after.tools.iter().map(bare).collect();
    let [of_after, of_before] = numbers;
    of_after.tools = (0..all.len()).collect();
    of_after.args = all
        .iter()
        .map(|tool| (0..tool.args.len()).map(number).collect())
        .collect();
    for tool in &before.tools {
        let Some(at) = all.iter().position(|known| known.name == tool.name) else {
            of_before.tools.push(all.len());
            of_before.args.push((0..tool.args.len()).map(number).collect());
            all.push(bare(tool));
            continue;
        };
        of_before.tools.push(at);
        if let Some(known) = all.get_mut(at) {
            of_before.args.push(args(known, tool));
        }
    }
    all
}

fn args(known: &mut Tool, tool: &Tool) -> Vec<u32> {
    let mut numbers = Vec::new();
    for field in &tool.args {
        let found = known.args.iter().position(|arg| arg.name == field.name);
        let met = found.and_then(|at| meet(&known.args.get(at)?.ty, &field.ty));
        let at = match (found, met) {
            (Some(at), Some(ty)) => {
                if let Some(arg) = known.args.get_mut(at) {
                    arg.ty = ty;
                }
                at
            }
            _ => {
                known.args.push(once_more(field, found.is_some()));
                known.args.len() - 1
            }
        };
        numbers.push(number(at));
    }
    numbers
}

/// The type of the values that both types have, where they are one type but for its bounds.
pub(super) fn meet(a: &Ty, b: &Ty) -> Option<Ty> {
    let both = |a: &Ty, b: &Ty| meet(a, b).map(Box::new);
    Some(match (a, b) {
        _ if a == b => a.clone(),
        (Ty::Optional(a), Ty::Optional(b)) => Ty::Optional(both(a, b)?),
        (Ty::Optional(a), b) | (b, Ty::Optional(a)) => meet(a, b)?,
        (Ty::String { max: a }, Ty::String { max: b }) => Ty::String { max: *a.min(b) },
        (Ty::List { element: a, max: m }, Ty::List { element: b, max: n }) => Ty::List {
            element: both(a, b)?,
            max: *m.min(n),
        },
        (Ty::Set { element: a, max: m }, Ty::Set { element: b, max: n }) => Ty::Set {
            element: both(a, b)?,
            max: *m.min(n),
        },
        (
            Ty::Map { key, value, max },
            Ty::Map {
                key: k,
                value: v,
                max: n,
            },
        ) => Ty::Map {
            key: both(key, k)?,
            value: both(value, v)?,
            max: *max.min(n),
        },
        (
            Ty::Enum {
                name,
                members,
                ordered,
            },
            Ty::Enum {
                members: others,
                ordered: also,
                ..
            },
        ) if ordered == also => {
            let of = |all: &[String], others: &[String]| -> Vec<String> {
                all.iter().filter(|m| others.contains(m)).cloned().collect()
            };
            let common = of(members, others);
            let in_order = !ordered || common == of(others, members);
            (in_order && !common.is_empty()).then(|| Ty::Enum {
                name: name.clone(),
                members: common,
                ordered: *ordered,
            })?
        }
        (Ty::Record(a), Ty::Record(b)) if a.len() == b.len() => {
            let fields = a.iter().zip(b).map(|(a, b)| {
                (a.name == b.name).then_some(())?;
                Some(Field {
                    name: a.name.clone(),
                    ty: meet(&a.ty, &b.ty)?,
                })
            });
            Ty::Record(fields.collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

/// Whether the same arguments of a tool leave the boundary in both.
pub(super) fn same_carries(sides: [&Package; 2], tool: &str) -> bool {
    let carries = |package: &Package| {
        let tool = package.tools.iter().find(|known| known.name == tool);
        tool.map(|tool| tool.carries.clone())
    };
    let [before, after] = sides.map(carries);
    before == after
}

/// The labels that both policies have and that values get for the same reasons.
fn shared(before: &Package, after: &Package, joint: &Package, numbers: &[Numbers; 2]) -> u64 {
    let [of_after, of_before] = numbers;
    let bit_of = |numbers: &Numbers, bit: u32| numbers.labels.iter().position(|known| *known == bit);
    let names = (0u32..).zip(&joint.labels.names);
    let same = names.filter(|(bit, _)| {
        let (Some(a), Some(b)) = (bit_of(of_after, *bit), bit_of(of_before, *bit)) else {
            return false;
        };
        reasons(after, joint, a) == reasons(before, joint, b)
    });
    same.fold(0, |all, (bit, _)| all | 1 << bit)
}

/// Where a label comes from and where it goes: from each kind of source, from each tool, what takes it off.
fn reasons(own: &Package, joint: &Package, bit: usize) -> (Vec<bool>, Vec<String>, Vec<String>) {
    let has = |mask: u64| mask & 1 << bit != 0;
    let labels = &own.labels;
    let kinds = ArgumentSource::ALL.into_iter().map(|kind| labels.of_kind(kind));
    let of_tools = joint.tools.iter().map(|tool| {
        let declared = own.tools.iter().find(|own| own.name == tool.name);
        labels.of_result(&tool.name, declared.map_or(0, |tool| tool.returns))
    });
    let taken = labels.declassify.iter().filter(|(_, mask)| has(*mask));
    let lifted = labels.lifted.iter().filter(|(_, mask)| has(*mask));
    (
        kinds.chain(of_tools).chain([labels.detected]).map(has).collect(),
        taken.map(|(tool, _)| tool.clone()).collect(),
        lifted.map(|(spec, _)| format!("{spec:?}")).collect(),
    )
}

fn history(joint: &mut Package, own: &Package, numbers: &mut Numbers) -> Option<()> {
    for event in &own.history.events {
        let (mut calls, mut is_said) = (Vec::new(), true);
        for (tool, cond) in &event.calls {
            // What cannot be said is not the same as anything, and nothing that is made up is it.
            let said = Mapper::new(joint, own, numbers, *tool)?.cond(cond);
            is_said &= said.is_some();
            calls.push((*numbers.tools.get(*tool)?, said.unwrap_or(Cond::Const(false))));
        }
        let labels = numbers.bits(event.labels)?;
        let event = Event {
            calls,
            labels,
            ..event.clone()
        };
        // A tool that only one policy knows runs in no session of the other.
        let common = |event: &Event| {
            let calls = event.calls.iter();
            let calls = calls.filter(|(tool, _)| numbers.common.contains(tool));
            Event {
                calls: calls.cloned().collect(),
                ..event.clone()
            }
        };
        let same = is_said && labels & !numbers.shared == 0;
        let known = |known: &Event| same && unplaced(&common(known)) == unplaced(&common(&event));
        let at = add(&mut joint.history.events, event.clone(), known)?;
        numbers.events.push(at);
    }
    let of = |event: u32| numbers.events.get(event as usize).copied();
    for monitor in &own.history.monitors {
        let monitor = match monitor {
            Monitor::Flag {
                set,
                clear,
                clear_wins,
            } => Monitor::Flag {
                set: of(*set)?,
                clear: match clear {
                    Some(clear) => Some(of(*clear)?),
                    None => None,
                },
                clear_wins: *clear_wins,
            },
            Monitor::Pattern(steps) => {
                let steps = steps.iter().map(|step| {
                    Some(match step {
                        PatternStep::Event(event) => PatternStep::Event(of(*event)?),
                        other => *other,
                    })
                });
                Monitor::Pattern(steps.collect::<Option<_>>()?)
            }
            // A count says no more than up to its bound.
            Monitor::Count { event, cap } => Monitor::Count {
                event: of(*event)?,
                cap: *cap,
            },
            Monitor::Recent { event, cap, within } => Monitor::Recent {
                event: of(*event)?,
                cap: *cap,
                within: *within,
            },
        };
        let at = add(&mut joint.history.monitors, monitor.clone(), |known| {
            alike(known, &monitor)
        })?;
        if let Some(known) = joint.history.monitors.get_mut(at as usize) {
            raise(known, &monitor);
        }
        numbers.monitors.push(at);
    }
    Some(())
}

/// An event without places in the source.
fn unplaced(event: &Event) -> Event {
    let calls = event.calls.iter();
    Event {
        calls: calls.map(|(tool, cond)| (*tool, cond.unplaced())).collect(),
        ..event.clone()
    }
}

/// Whether two monitors look for the same; how far they count is no matter.
fn alike(a: &Monitor, b: &Monitor) -> bool {
    match (a, b) {
        (Monitor::Count { event: a, .. }, Monitor::Count { event: b, .. }) => a == b,
        (
            Monitor::Recent {
                event: a, within: m, ..
            },
            Monitor::Recent {
                event: b, within: n, ..
            },
        ) => (a, m) == (b, n),
        _ => a == b,
    }
}

/// Counts as far as the other, too.
fn raise(known: &mut Monitor, other: &Monitor) {
    match (known, other) {
        (Monitor::Count { cap, .. }, Monitor::Count { cap: other, .. })
        | (Monitor::Recent { cap, .. }, Monitor::Recent { cap: other, .. }) => *cap = (*cap).max(*other),
        _ => {}
    }
}

fn limits(joint: &mut Package, own: &Package, numbers: &mut Numbers) -> Option<()> {
    for limit in &own.limits {
        let mut on = Vec::new();
        for one in &limit.on {
            let mapper = Mapper::new(joint, own, numbers, one.tool)?;
            on.push(LimitOn {
                tool: *numbers.tools.get(one.tool)?,
                when: mapper.cond(&one.when)?,
                cost: match &one.cost {
                    Some(cost) => Some(mapper.term(cost, &mut mapper.chain())?),
                    None => None,
                },
            });
        }
        let limit = Limit {
            spec: limit.spec.clone(),
            on,
        };
        let spec = &limit.spec;
        // What has been used does not depend on how much there may be.
        let same = |known: &Limit| {
            let other = &known.spec;
            (other.per, &other.ty, other.by_tool, &other.by) == (spec.per, &spec.ty, spec.by_tool, &spec.by)
                && known.on == limit.on
        };
        let at = add(&mut joint.limits, limit.clone(), same)?;
        numbers.limits.push(at);
    }
    Some(())
}

/// The number of a slot that is not there yet.
const UNKNOWN: u32 = u32::MAX;

fn is_used(slot: &Slot) -> bool {
    matches!(slot, Slot::Used { .. })
}

fn is_of_session(slot: &Slot) -> bool {
    matches!(slot, Slot::Used { .. } | Slot::History(_) | Slot::Tally(_))
}

fn slots(
    joint: &mut Package,
    (before, after): (&Package, &Package),
    own: &Package,
    numbers: &mut Numbers,
    wanted: &dyn Fn(&Slot) -> bool,
) -> Option<()> {
    for (tool, declared) in own.tools.iter().enumerate() {
        let carries = same_carries([before, after], &declared.name);
        let at = *numbers.tools.get(tool)?;
        let slots = declared.slots.iter().enumerate().filter(|(_, slot)| wanted(slot));
        for (number, slot) in slots {
            let (slot, shared) = Mapper::new(joint, own, numbers, tool)?.slot(slot, carries)?;
            let all = &mut joint.tools.get_mut(at)?.slots;
            let same = |known: &Slot| shared && *known == slot;
            let place = add(all, slot.clone(), same)?;
            *numbers.slots.get_mut(tool)?.get_mut(number)? = place;
        }
    }
    Some(())
}
