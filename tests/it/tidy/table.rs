//! The layer table of `ARCHITECTURE.md` as data: which module sits where, and which neighbours it may use. In: a
//! module's name. Out: whether one may use another, and why not. It reads no source text.

/// A layer, lowest first. `Effects` sits between the pure layers and the ones that work with files and clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    L0,
    L1,
    L2,
    L3,
    L4,
    Effects,
    L5,
    L6,
}

/// One top-level module of the crate.
pub struct Module {
    pub name: &'static str,
    pub layer: Layer,
    /// Modules of the same layer it may use.
    sideways: &'static [&'static str],
    /// Lower modules it must not know although they are lower.
    never: &'static [&'static str],
}

const fn module(name: &'static str, layer: Layer, sideways: &'static [&'static str]) -> Module {
    Module {
        name,
        layer,
        sideways,
        never: &[],
    }
}

/// Every module there may be. A new one starts here.
pub const TABLE: &[Module] = &[
    module("limits", Layer::L0, &[]),
    module("json", Layer::L0, &["limits"]),
    module("secrets", Layer::L0, &["limits", "json"]),
    module("source", Layer::L0, &["limits", "json"]),
    module("value", Layer::L0, &["limits", "json"]),
    module("domain", Layer::L0, &["limits", "json", "source", "value"]),
    module("diag", Layer::L0, &["limits", "json", "source"]),
    module("syntax", Layer::L1, &[]),
    module("ty", Layer::L2, &[]),
    module("builtins", Layer::L2, &["ty"]),
    module("hir", Layer::L2, &["ty", "builtins"]),
    module("classes", Layer::L2, &["hir", "ty", "builtins"]),
    module("ir", Layer::L2, &["hir", "classes", "ty", "builtins"]),
    module("analysis", Layer::L2, &["ty", "builtins", "hir", "classes", "ir"]),
    module(
        "lint",
        Layer::L2,
        &["ty", "builtins", "hir", "classes", "ir", "analysis"],
    ),
    module(
        "compile",
        Layer::L2,
        &["ty", "builtins", "hir", "classes", "ir", "analysis", "lint"],
    ),
    module("eval", Layer::L3, &[]),
    Module {
        name: "artifact",
        layer: Layer::L3,
        sideways: &[],
        never: &["ty", "builtins", "hir", "classes", "ir", "compile"],
    },
    module("gate", Layer::L4, &[]),
    module("host", Layer::Effects, &[]),
    module("store", Layer::Effects, &["host"]),
    module("approvals", Layer::L5, &[]),
    module("attestation", Layer::L5, &["approvals"]),
    module(
        "boundary",
        Layer::L5,
        &[
            "approvals",
            "attestation",
            "bundling",
            "delegation",
            "kill_switch",
            "session",
        ],
    ),
    module("bundling", Layer::L5, &["prove", "suite", "compare"]),
    module("delegation", Layer::L5, &["approvals"]),
    module("credentials", Layer::L5, &["config"]),
    module("keyring", Layer::L5, &[]),
    module("kill_switch", Layer::L5, &[]),
    module("project", Layer::L5, &[]),
    module("session", Layer::L5, &[]),
    module("replay", Layer::L5, &[]),
    module("suite", Layer::L5, &[]),
    Module {
        name: "prove",
        layer: Layer::L5,
        sideways: &["compare", "suite"],
        never: &["host", "store"],
    },
    Module {
        name: "coverage",
        layer: Layer::L5,
        sideways: &["suite"],
        never: &["host", "store"],
    },
    Module {
        name: "testgen",
        layer: Layer::L5,
        sideways: &["suite"],
        never: &["host", "store"],
    },
    Module {
        name: "compare",
        layer: Layer::L5,
        sideways: &["suite"],
        never: &["host", "store"],
    },
    Module {
        name: "explain",
        layer: Layer::L5,
        sideways: &[],
        never: &["host", "store"],
    },
    module("regress", Layer::L5, &["session", "replay"]),
    Module {
        name: "import",
        layer: Layer::L5,
        sideways: &[],
        never: &["host", "store"],
    },
    module("config", Layer::L5, &[]),
    module("trace_log", Layer::L5, &["boundary"]),
    module("http", Layer::L6, &[]),
    module("daemon", Layer::L6, &["http"]),
    module("mcp", Layer::L6, &["http"]),
    module("cli", Layer::L6, &["http", "daemon", "mcp"]),
];

/// The row of a module.
pub fn find(name: &str) -> Option<&'static Module> {
    TABLE.iter().find(|m| m.name == name)
}

/// Says why `from` must not use `to`; `None` when it may.
pub fn refusal(from: &Module, to: &Module) -> Option<String> {
    if from.name == to.name {
        return None;
    }
    if from.never.contains(&to.name) {
        return Some(format!("`{}` must not know `{}`", from.name, to.name));
    }
    match to.layer.cmp(&from.layer) {
        std::cmp::Ordering::Less => None,
        std::cmp::Ordering::Equal if from.sideways.contains(&to.name) => None,
        std::cmp::Ordering::Equal => Some(format!(
            "`{}` -> `{}` is no listed sideways edge of {:?}",
            from.name, to.name, to.layer
        )),
        std::cmp::Ordering::Greater => Some(format!(
            "`{}` ({:?}) looks up to `{}` ({:?})",
            from.name, from.layer, to.name, to.layer
        )),
    }
}
