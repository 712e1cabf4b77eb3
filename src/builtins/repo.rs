//! `Repo`: a repository of source code, as `host/owner/name`, whichever address it is cloned by. In: an `https` or `ssh`
//! address, the short form of `ssh`, or the canonical form. Out: one text for one repository, or the reason why it may lead
//! to another one than it seems: user names before the host, ports, climbing paths, other protocols.

use super::{Doc, Refused, host};
use crate::limits;
use crate::ty::{Field, Ty};
use crate::value::{ParsedText, Value};

/// What the manual says about `Repo`.
pub const DOC: Doc = Doc {
    name: "Repo",
    summary: "A repository of source code, by whichever address it is cloned",
    json: "string",
    canonical: "`host/owner/name`, the host as a canonical `Host`",
    rules: &[
        "forms are `https://host/owner/name`, `ssh://git@host/owner/name`, `git@host:owner/name`, each also after `git+`, \
         `host/owner/name`, and `github:owner/name`, `gitlab:owner/name`, `bitbucket:owner/name`; one `.git` and one `/` at \
         the end are left out",
        "a host is a name with a dot; `www.` and the hosts for ssh over port 443 of GitHub, GitLab and Bitbucket are their \
         one host",
        "on these three, owner and name are in small letters, as they do not tell them apart by case; elsewhere letters stay",
        "on GitHub and Bitbucket there is one owner; elsewhere the owner may be several parts, as groups in groups are",
        "a user other than `git`, any user before an `https` host, passwords, ports other than the protocol's own, queries, \
         fragments, percent-encoding, backslashes, `.` and `..`, and parts that start with `-` are refused",
        "`http:`, `git:`, `file:` and `ext::` addresses are refused: what comes over them may be anybody's",
        "`owner/name` alone is refused, because it does not say whose host it is",
        "at most 512 bytes",
    ],
    parts: &[("host", "Host"), ("owner", "String"), ("name", "String")],
    operators: &["==", "!=", "in"],
    example_type: "Repo",
    examples: &[
        ("https://github.com/Acme/API.git", Ok("github.com/acme/api")),
        ("git@github.com:acme/api.git", Ok("github.com/acme/api")),
        ("ssh://git@ssh.github.com:443/acme/api", Ok("github.com/acme/api")),
        ("git+https://www.github.com/acme/api/", Ok("github.com/acme/api")),
        ("github:acme/api", Ok("github.com/acme/api")),
        ("GIT.Acme.com/Team/Sub/api", Ok("git.acme.com/Team/Sub/api")),
        (
            "https://github.com@evil.example/acme/api",
            Err("a repository has no user before its host"),
        ),
        (
            "https://github.com/acme/../evil",
            Err("a part of the repository's path is `.` or `..`"),
        ),
        (
            "https://github.com/acme/api/tree/main",
            Err("a repository of this host has one owner and one name"),
        ),
        ("acme/api", Err("a repository names its host, owner and name")),
        (
            "http://github.com/acme/api",
            Err("a repository is reached by https or ssh"),
        ),
        (
            "https://github.com:8443/acme/api",
            Err("a repository has no port but that of its protocol"),
        ),
    ],
};

/// Hosts that do not tell letters apart by case, each with its other names and its short form.
const HOSTS: [(&str, [&str; 2], &str); 3] = [
    ("github.com", ["www.github.com", "ssh.github.com"], "github:"),
    ("gitlab.com", ["www.gitlab.com", "altssh.gitlab.com"], "gitlab:"),
    (
        "bitbucket.org",
        ["www.bitbucket.org", "altssh.bitbucket.org"],
        "bitbucket:",
    ),
];

/// Hosts on which a repository has one owner.
const ONE_OWNER: [&str; 2] = ["github.com", "bitbucket.org"];

fn refused<T>(reason: &str) -> Result<T, Refused> {
    Err(Refused::new(reason))
}

/// Reads a repository. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<ParsedText, Refused> {
    if text.len() > limits::REPO_BYTES {
        return Err(Refused::new(format!(
            "a repository is over {} bytes",
            limits::REPO_BYTES
        )));
    }
    let (host, path) = split(text)?;
    let host = host::parse(host)?;
    if host::is_ip(&host) || !host.contains('.') {
        return refused("the host of a repository is a name with a dot");
    }
    let known = HOSTS
        .iter()
        .find(|(name, others, _)| *name == &*host || others.contains(&&*host));
    let host: &str = known.map_or(&host, |(name, _, _)| name);
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = path.strip_suffix(".git").unwrap_or(path);
    let path = if known.is_some() {
        path.to_ascii_lowercase()
    } else {
        path.to_owned()
    };
    path.split('/').try_for_each(part)?;
    let Some((owner, name)) = path.rsplit_once('/') else {
        return refused("a repository names its host, owner and name");
    };
    if name.ends_with(".git") {
        return refused("the name of a repository ends in `.git` once");
    }
    if ONE_OWNER.contains(&host) && owner.contains('/') {
        return refused("a repository of this host has one owner and one name");
    }
    Ok(ParsedText {
        text: format!("{host}/{owner}/{name}").into(),
        parts: Value::Record(vec![
            Value::Host(host.into()),
            Value::Str(owner.into()),
            Value::Str(name.into()),
        ]),
    })
}

/// The host and the path of an address.
fn split(text: &str) -> Result<(&str, &str), Refused> {
    for (host, _, short) in HOSTS {
        if let Some(path) = text.strip_prefix(short) {
            return Ok((host, path));
        }
    }
    let text = text.strip_prefix("git+").unwrap_or(text);
    if let Some((scheme, rest)) = text.split_once("://") {
        let port = match scheme.to_ascii_lowercase().as_str() {
            "https" => "443",
            "ssh" => "22",
            _ => return refused("a repository is reached by https or ssh"),
        };
        let Some((authority, path)) = rest.split_once('/') else {
            return refused("a repository names its host, owner and name");
        };
        let authority = if port == "22" {
            without_git(authority)
        } else {
            authority
        };
        if authority.contains('@') {
            return refused("a repository has no user before its host");
        }
        return match authority.split_once(':') {
            None => Ok((authority, path)),
            // Hosts that are for it take ssh on the port of https.
            Some((host, given)) if given == port || port == "22" && given == "443" && is_ssh_host(host) => {
                Ok((host, path))
            }
            Some(_) => refused("a repository has no port but that of its protocol"),
        };
    }
    let plain = without_git(text);
    if plain.contains('@') {
        return refused("a repository has no user before its host");
    }
    match plain.split_once(':') {
        Some((_, path)) if path.starts_with(':') => refused("a repository is reached by https or ssh"),
        Some((host, path)) if !host.contains('/') => Ok((host, path)),
        Some(_) => refused("a part of the repository's path has a character that none may have"),
        None if plain.len() < text.len() => refused("a repository names its host, owner and name"),
        None => match text.split_once('/') {
            Some((host, path)) if path.contains('/') => Ok((host, path)),
            _ => refused("a repository names its host, owner and name"),
        },
    }
}

fn without_git(text: &str) -> &str {
    text.strip_prefix("git@").unwrap_or(text)
}

fn is_ssh_host(host: &str) -> bool {
    HOSTS
        .iter()
        .any(|(_, [_, ssh], _)| ssh.eq_ignore_ascii_case(host))
}

/// Checks a part of the path.
fn part(part: &str) -> Result<(), Refused> {
    if part.is_empty() {
        return refused("a part of the repository's path is empty");
    }
    if part == "." || part == ".." {
        return refused("a part of the repository's path is `.` or `..`");
    }
    if part.starts_with('-') {
        return refused("a part of the repository's path starts with `-`");
    }
    let first = part.strip_prefix('~').unwrap_or(part);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    if first.is_empty() || !first.chars().all(plain) {
        return refused("a part of the repository's path has a character that none may have");
    }
    Ok(())
}

/// The parts a policy sees, in the order of the record in the value.
pub fn fields() -> Vec<Field> {
    let field = |name: &str, ty: Ty| Field {
        name: name.to_owned(),
        ty,
    };
    let text = || Ty::String {
        max: limits::REPO_BYTES as u64,
    };
    vec![
        field("host", Ty::Host),
        field("owner", text()),
        field("name", text()),
    ]
}

#[cfg(test)]
mod tests {
    use super::{DOC, parse};
    use crate::builtins::testing;
    use proptest::prelude::*;

    #[test]
    fn examples() {
        testing::run(&DOC, |text| parse(text).map(|repo| repo.text.into()));
    }

    #[test]
    fn forms_of_one_repository() {
        for text in [
            "https://github.com/acme/api",
            "HTTPS://GitHub.com/Acme/Api.git",
            "https://github.com:443/acme/api/",
            "https://github.com./acme/api",
            "git+https://github.com/acme/api.git",
            "ssh://git@github.com/acme/api.git",
            "ssh://git@github.com:22/acme/api",
            "ssh://github.com/acme/api",
            "git+ssh://git@github.com/acme/api.git",
            "git@github.com:acme/api.git",
            "git@ssh.github.com:acme/api",
            "github.com:acme/api",
            "www.github.com/acme/api",
        ] {
            assert_eq!(&*parse(text).expect(text).text, "github.com/acme/api", "{text}");
        }
    }

    #[test]
    fn hostile_text_is_refused() {
        for text in [
            "",
            "/",
            "api",
            "acme/api",
            "/srv/git/api.git",
            "./acme/api",
            "../acme/api",
            "C:\\acme\\api",
            "c:acme/api",
            "file:///srv/git/api",
            "git://github.com/acme/api",
            "ftp://github.com/acme/api",
            "ext::sh -c id",
            "ext::https://github.com/acme/api",
            "https::https://github.com/acme/api",
            "https://github.com",
            "https://github.com/",
            "https://github.com/acme",
            "https://github.com//acme/api",
            "https://github.com/acme//api",
            "https://github.com/acme/api//",
            "https://github.com/acme/.git",
            "https://github.com/acme/api.git.git",
            "https://github.com/acme/api?x=1",
            "https://github.com/acme/api#main",
            "https://github.com/acme/api@main",
            "https://github.com/acme/%61pi",
            "https://github.com/acme%2fapi/x",
            "https://github.com\\@evil.example/acme/api",
            "https://evil.example\\.github.com/acme/api",
            "https://git@github.com/acme/api",
            "https://user:pass@github.com/acme/api",
            "https://github.com:acme/api",
            "https://github.com:/acme/api",
            "https://github.com:0443/acme/api",
            "ssh://root@github.com/acme/api",
            "ssh://git:pass@github.com/acme/api",
            "ssh://git@git@github.com/acme/api",
            "ssh://-oProxyCommand=id/acme/api",
            "-oProxyCommand=id:acme/api",
            "git@-x.example:acme/api",
            "git@github.com/acme/api",
            "root@github.com:acme/api",
            "git@github.com:/acme/api",
            "git@github.com:acme/../evil/api",
            "git@github.com:-u/api",
            "github.com/acme/--upload-pack=id",
            "https://127.0.0.1/acme/api",
            "https://2130706433/acme/api",
            "https://[::1]/acme/api",
            "https://localhost/acme/api",
            "https://github.com/acme/api ",
            " https://github.com/acme/api",
            "https://github.com/acme/api\n",
            "https://github.com/acme/\u{430}pi",
            "https://github.com/ac\u{200b}me/api",
            "https://github.com/acme/api/tree/main",
            "github:acme",
            "github:acme/api/x",
            "github:../acme/api",
        ] {
            assert!(parse(text).is_err(), "{text:?}: {:?}", parse(text));
        }
    }

    #[test]
    fn a_host_that_only_looks_like_another_is_another() {
        for (text, host) in [
            (
                "https://github.com.evil.example/acme/api",
                "github.com.evil.example",
            ),
            ("https://g\u{456}thub.com/acme/api", "xn--gthub-n2e.com"),
            ("git@github.co:acme/api", "github.co"),
        ] {
            assert_eq!(
                parse(text).expect(text).text.split('/').next(),
                Some(host),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_as_itself(text in "(https://|ssh://|git@|git\\+|github:)?[a-cA-C.:/@~-]{0,24}(\\.git)?/?") {
            if let Ok(repo) = parse(&text) {
                prop_assert_eq!(parse(&repo.text), Ok(repo));
            }
        }
    }
}
