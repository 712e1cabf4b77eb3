//! The manual's page of lints, made from their metadata. In: the registry. Out: Markdown; `docs/reference/lints.md` is
//! it, which a test keeps up to date.

use super::{ALL, Group};

const HEAD: &str = "# Lints

Made from `src/lint/`; `GAIT_BLESS=1 cargo test --test it generated` rewrites it. `gait policy lint FILE` looks for
policies that compile and still say something their author would not want said. `gait explain NAME` prints the page of
a lint, with a policy that has the mistake and the policy without it.

## Levels

A lint is allowed, warns, or denies: what it finds is not reported, a warning, or an error (exit 6). A policy sets levels
for lints, and for whole groups of them:

```gaitpol
gaitpol 1
policy manual.lints

lints { deny security, allow negated_comparison }

default block code no_rule_matched
```

Under `profile strict` the group `strict` warns. Modules of the policy's own are looked at with it, and with its levels.
A level for a lint counts before one for its group. `--allow`, `--warn` and `--deny NAME` on the command line count
before the policy; of two for the same name the stricter counts. `--deny warnings` makes every warning an error.

## Silence

A comment silences what one lint finds in one place, and says why that is right:

```gaitpol
gaitpol 1
policy manual.silence

default block code no_rule_matched

tool sandbox.run {
  program: String[max 64]
  effect proc.exec
}

// gait: allow(broad_allow) because the sandbox has neither files nor network
rule programs
  on sandbox.run
  allow
```

Above an item it covers the item; above another line, or behind it, that line. `gait: allow(a, b) because …` names
several. Without a reason it is an error (GP0601), and where nothing is found it is itself a finding
(`unused_silence`).

## Changes

`gait policy lint --fix` applies the changes that are proved to leave the meaning as it is: the same tools, rules, codes
and tests, and conditions that hold of the same calls. Everything else is shown and left to the author. `--diff` shows
what `--fix` would do.
";

/// The whole page.
pub fn page() -> String {
    let mut out = HEAD.to_owned();
    for group in Group::ALL {
        out.push_str(&format!(
            "\n## {}\n\nFound where {}.\n\n| Lint | Code | Level | Finds |\n|---|---|---|---|\n",
            group.as_str(),
            group.meaning()
        ));
        for lint in ALL.iter().filter(|l| l.group == group) {
            let summary = lint.summary().trim_end_matches('.');
            out.push_str(&format!(
                "| `{}` | [{code}](../errors/{code}.md) | {} | {summary} |\n",
                lint.name,
                lint.level.as_str(),
                code = lint.code,
            ));
        }
    }
    out
}
