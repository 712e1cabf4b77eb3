//! Names of shell variables: which of them cannot change what a command line runs. In: a name. Out: yes or no; a name
//! that is not known is not harmless.

/// Variables that programs use for texts, colours and messages only.
const HARMLESS: [&str; 20] = [
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "DEBIAN_FRONTEND",
    "FORCE_COLOR",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_MESSAGES",
    "LC_NUMERIC",
    "LC_TIME",
    "LINES",
    "NODE_ENV",
    "NO_COLOR",
    "PYTHONUNBUFFERED",
    "RUST_BACKTRACE",
    "TERM",
];

/// Lower-case names that zsh obeys.
const OBEYED: [&str; 18] = [
    "aliases",
    "argv",
    "builtins",
    "commands",
    "dirstack",
    "fignore",
    "galiases",
    "histchars",
    "keymaps",
    "options",
    "parameters",
    "psvar",
    "saliases",
    "status",
    "watch",
    "widgets",
    "zle_bracketed_paste",
    "zle_highlight",
];

/// Parts of lower-case names that zsh (paths, prompts, hooks) or programs (proxies, npm) obey.
const OBEYED_STARTS: [&str; 3] = ["_", "npm_", "prompt"];
const OBEYED_ENDS: [&str; 3] = ["functions", "path", "_proxy"];

/// Whether setting a variable cannot change which programs run, or what they load. A name of small letters is the
/// shell's own (IEEE Std 1003.1, XBD section 8.1) unless it is `passed` on to a program.
pub(super) fn is_harmless(name: &str, passed: bool) -> bool {
    let own = name
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !OBEYED.contains(&name)
        && !OBEYED_STARTS.iter().any(|start| name.starts_with(start))
        && !OBEYED_ENDS.iter().any(|end| name.ends_with(end));
    HARMLESS.contains(&name) || (own && !passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_matter_is_harmless() {
        for (name, own, passed) in [
            ("LANG", true, true),
            ("file", true, false),
            ("i", true, false),
            ("PATH", false, false),
            ("path", false, false),
            ("LD_PRELOAD", false, false),
            ("https_proxy", false, false),
            ("npm_config_script_shell", false, false),
            ("GIT_SSH_COMMAND", false, false),
            ("IFS", false, false),
            ("_", false, false),
            ("é", false, false),
        ] {
            assert_eq!(is_harmless(name, false), own, "{name}");
            assert_eq!(is_harmless(name, true), passed, "{name}");
        }
    }
}
