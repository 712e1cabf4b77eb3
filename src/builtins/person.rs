//! Whom a principal names. In: a principal as somebody wrote it: a name, an address, a URL. Out: one text for all spellings
//! of it, to compare people by, never to show.

use super::{host, url};
use crate::domain::hidden::is_hidden;
use unicode_normalization::UnicodeNormalization;

/// The same for all spellings of one person: in whatever case, width and composition, with whatever nobody sees in it, the
/// host of an address or URL in its canonical form. It only ever takes approvals away, by whom it excludes and counts
/// once; who is in a role is compared exactly. Empty where the principal names nobody.
pub fn person(principal: &str) -> String {
    let seen: String = principal.nfkc().filter(|c| !is_hidden(*c)).collect();
    let written = seen.trim();
    if let Some((local, domain)) = written.rsplit_once('@')
        && let Ok(host) = host::parse(domain)
    {
        return format!("{}@{host}", folded(local));
    }
    match url::parse(written) {
        Ok(url) => folded(url.text()),
        Err(_) => folded(written),
    }
}

/// By way of capitals, which `ς` and `σ` share.
fn folded(text: &str) -> String {
    let small = text
        .chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase);
    small.nfkc().collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::person;

    #[test]
    fn spellings_of_one_person() {
        for (a, b, same) in [
            ("ann@a.com", "ANN@A.com", true),
            ("ann@a.com", "\u{a0}ann@a.com\t\n", true),
            ("ΑΝΝΑΣ", "αννας", true),
            ("ΑΝΝΑΣ", "αννασ", true),
            ("STRASSE", "straße", true),
            ("Andr\u{e9}@a.com", "Andre\u{301}@a.com", true),
            ("andr\u{e9}@a.com", "ANDRE\u{301}@a.com", true),
            ("ann@a.com", "a\u{200b}nn@a.com", true),
            ("ann@a.com", "ann@a.com\u{feff}\u{2060} ", true),
            ("ann@a.com", "an\u{ad}n\u{fe0f}@a.com\u{e0041}", true),
            ("andr\u{e9}@a.com", "andre\u{200d}\u{301}@a.com", true),
            ("ann@a.com", "\u{ff41}nn@a.com", true),
            ("ann@a.com", "\u{ff21}\u{ff2e}N\u{ff20}a.com", true),
            ("\u{390}", "\u{399}\u{308}\u{301}", true),
            ("\u{1fb4}", "\u{391}\u{301}\u{399}", true),
            ("\u{130}da", "I\u{307}da", true),
            ("ann@acme.com", "ann@acme.com.", true),
            ("ann@bücher.example", "Ann@xn--bcher-kva.example", true),
            (
                "andr\u{e9}@bücher.example",
                "andr\u{e9}@B\u{dc}CHER.example.",
                true,
            ),
            ("ann@straße.example", "ann@xn--strae-oqa.example", true),
            ("ann@stra\u{df}e.example", "ANN@Straße.example.", true),
            ("ann@acme\u{3002}com", "ann@acme.com", true),
            (
                "https://acme.com/agents/1",
                "HTTPS://acme.com:443/agents/./1",
                true,
            ),
            ("https://acme.com/agents/1", "https://acme.com/agents/2", false),
            ("ann@a.com", "\u{430}nn@a.com", false),
            ("andr\u{e9}@a.com", "andre@a.com", false),
            ("ann@a.com", "an n@a.com", false),
            ("ann@a.com", "ann@b.com", false),
        ] {
            assert_eq!(person(a) == person(b), same, "{a:?} {b:?}");
            assert_eq!(person(&person(a)), person(a));
        }
    }
}
