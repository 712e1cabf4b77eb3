//! What a text looks like to its author: a domain, a file. In: a literal. Out: a guess that errs towards no.

/// Endings that are those of hosts more often than those of files.
const COMMON_ENDINGS: [&str; 24] = [
    "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "dev", "app", "cloud", "io", "ai", "co",
    "eu", "uk", "de", "fr", "jp", "example", "test", "internal", "local",
];

/// Whether a text is a name of a host or the end of one, such as `acme.com`, `.acme.com` or `*.acme.com`.
pub(super) fn is_domain(text: &str) -> bool {
    let text = text.trim_start_matches('*').trim_start_matches('.');
    let labels: Vec<&str> = text.split('.').collect();
    let label = |l: &&str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let ending = labels.last().map(|l| l.to_ascii_lowercase()).unwrap_or_default();
    labels.len() >= 2 && labels.iter().all(label) && COMMON_ENDINGS.contains(&ending.as_str())
}

/// Whether a text is an ending that hosts have.
pub(super) fn is_ending(text: &str) -> bool {
    COMMON_ENDINGS.contains(&text.to_ascii_lowercase().as_str())
}

/// Whether a text is a mail address or the end of one, such as `@acme.com`.
pub(super) fn is_address(text: &str) -> bool {
    let text = text.trim_start_matches('*');
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-*".contains(c);
    local.chars().all(plain) && !domain.starts_with(['.', '*']) && is_domain(domain)
}

/// The host with which a URL starts, where a text starts like one.
pub(super) fn url_host(text: &str) -> Option<&str> {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))?;
    rest.split(['/', '*', '?', '#']).next()
}

/// Whether a text is a folder, such as `/srv/data/` or `~/notes`.
pub(super) fn is_folder(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/~".contains(c);
    let rooted = text.starts_with('/') || text.starts_with("~/") || text.starts_with("./");
    rooted && text.matches('/').count() > 1 && !text.contains("//") && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_told_from_files_and_sentences() {
        for yes in ["acme.com", ".acme.com", "*.acme.co.uk", "a-b.example", "ACME.COM"] {
            assert!(is_domain(yes), "{yes}");
        }
        for no in [
            "com",
            ".com",
            "report.pdf",
            "a b.com",
            "main.rs",
            "-x.com",
            "a..com",
            "",
            "acme.com/",
            "1.5",
        ] {
            assert!(!is_domain(no), "{no}");
        }
    }

    #[test]
    fn addresses_urls_and_folders_are_told_from_other_texts() {
        for yes in ["@acme.com", "*@acme.com", "ann@acme.example", "*.x@acme.com"] {
            assert!(is_address(yes), "{yes}");
        }
        for no in [
            "@",
            "@ann",
            "a b@acme.com",
            "acme.com",
            "x@.acme.com",
            "@team.lead",
        ] {
            assert!(!is_address(no), "{no}");
        }
        assert_eq!(url_host("https://acme.com/x"), Some("acme.com"));
        assert_eq!(url_host("https://*"), Some(""));
        assert_eq!(url_host("ftp://acme.com"), None);
        for yes in ["/srv/data", "/srv/", "~/notes/x", "./a/b"] {
            assert!(is_folder(yes), "{yes}");
        }
        for no in ["/", "/deploy", "a/b", "//x/y", "/a b/c", "/^x/"] {
            assert!(!is_folder(no), "{no}");
        }
    }
}
