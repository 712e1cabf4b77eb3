//! Programs that do different things by a word among their arguments, and the options that may stand before it. In: the
//! name and words of a program. Out: that word, where it is certain. An option that is not in the table makes it uncertain.

use super::word::Word;
use super::wrappers::{PLAIN, Wrapper, walk};

/// Programs whose options before the word are known; of the others only a word that comes first is certain.
const PROGRAMS: [Wrapper; 13] = [
    Wrapper {
        names: &["git"],
        short: "C:c:pPv!h!",
        long: "git-dir: work-tree: namespace: exec-path? paginate no-pager no-replace-objects no-lazy-fetch \
               no-optional-locks no-advice bare literal-pathspecs glob-pathspecs noglob-pathspecs icase-pathspecs \
               config-env: attr-source: super-prefix: list-cmds! html-path! man-path! info-path!",
        ..PLAIN
    },
    Wrapper {
        names: &["docker", "podman", "nerdctl"],
        short: "c:DH:l:v!",
        long: "config: connection: context: debug host: identity: log-level: namespace: root: runroot: tls tlscacert: \
               tlscert: tlskey: tlsverify url:",
        ..PLAIN
    },
    Wrapper {
        names: &["kubectl", "oc"],
        short: "n:s:v:",
        long: "as: as-group: as-uid: cache-dir: certificate-authority: client-certificate: client-key: cluster: context: \
               disable-compression insecure-skip-tls-verify kubeconfig: match-server-version namespace: password: \
               profile: profile-output: request-timeout: server: tls-server-name: token: user: username: v: vmodule: \
               warnings-as-errors",
        ..PLAIN
    },
    Wrapper {
        names: &["helm"],
        short: "n:",
        long: "burst-limit: debug kube-apiserver: kube-as-group: kube-as-user: kube-ca-file: kube-context: \
               kube-insecure-skip-tls-verify kube-tls-server-name: kube-token: kubeconfig: namespace: qps: \
               registry-config: repository-cache: repository-config:",
        ..PLAIN
    },
    Wrapper {
        names: &["npm", "pnpm"],
        short: "gsC:",
        long: "dir: global loglevel: prefix: registry: silent",
        ..PLAIN
    },
    Wrapper {
        names: &["pip", "pip3"],
        short: "vqh!V!",
        long: "debug isolated require-virtualenv python: verbose quiet log: no-input proxy: retries: timeout: \
               exists-action: trusted-host: cert: client-cert: cache-dir: no-cache-dir disable-pip-version-check \
               no-color",
        ..PLAIN
    },
    Wrapper {
        names: &["systemctl"],
        short: "t:p:alqH:M:n:o:P:fri",
        long: "all failed force full global host: machine: no-ask-password no-block no-legend no-pager no-reload no-wall \
               now output: property: quiet recursive root: runtime state: system type: user wait",
        ..PLAIN
    },
    Wrapper {
        names: &["cargo"],
        short: "vqZ:C:",
        long: "color: config: explain! frozen list! locked offline quiet verbose",
        ..PLAIN
    },
    Wrapper {
        names: &["aws"],
        long: "ca-bundle: cli-binary-format: cli-connect-timeout: cli-read-timeout: color: debug endpoint-url: no-cli-pager \
               no-paginate no-sign-request no-verify-ssl output: profile: query: region:",
        ..PLAIN
    },
    Wrapper {
        names: &["gh"],
        short: "R:",
        long: "repo:",
        ..PLAIN
    },
    Wrapper {
        names: &["apt", "apt-get"],
        short: "yqsdfmo:c:t:",
        long: "allow-downgrades allow-unauthenticated assume-no assume-yes config-file: default-release: dry-run \
               fix-broken fix-missing no-install-recommends option: quiet simulate target-release: yes",
        ..PLAIN
    },
    Wrapper {
        names: &["dnf", "yum"],
        short: "yqC",
        long: "assumeno assumeyes disablerepo: enablerepo: quiet releasever:",
        ..PLAIN
    },
    Wrapper {
        names: &["zypper"],
        short: "nqvR:",
        long: "gpg-auto-import-keys no-gpg-checks no-refresh non-interactive quiet root: verbose",
        ..PLAIN
    },
];

/// The word that says what a program of this name does; empty where there is none, or it is not certain.
pub(super) fn verb<'w>(name: &'w str, args: &'w [Word]) -> &'w str {
    if let Some(verb) = name.strip_prefix("git-") {
        // git's own folder has a program for each of its words.
        return verb;
    }
    let words = match PROGRAMS.iter().find(|program| program.names.contains(&name)) {
        Some(program) => match walk(program, args) {
            Some(walk) if !walk.starts_nothing => walk.command,
            _ => &[],
        },
        None => args,
    };
    let first = words.first().and_then(Word::known);
    // `cargo +nightly install` names a toolchain first.
    first
        .filter(|word| !word.starts_with(['-', '+']))
        .unwrap_or_default()
}
