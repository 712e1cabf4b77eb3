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
}
