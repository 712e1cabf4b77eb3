//! Near names: the closest entry of a closed catalogue to a name nobody declared.

/// The nearest candidate within a third of the name's length (at least one edit), ties broken by order of the text.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bound = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|c| c.chars().count().abs_diff(name.chars().count()) <= bound)
        .map(|c| (distance(name, c), c))
        .filter(|(d, _)| *d <= bound)
        .min()
        .map(|(_, c)| c)
}

/// Optimal string alignment distance (insertions, deletions, substitutions, swaps of neighbours), ASCII case ignored.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_ascii_lowercase().chars().collect();
    let b: Vec<char> = b.to_ascii_lowercase().chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            let at = |r: &[usize], k: usize| r.get(k).copied().unwrap_or(usize::MAX / 2);
            let swap = i > 0 && j > 0 && a.get(i - 1) == Some(cb) && b.get(j - 1) == Some(ca);
            let mut best = (at(&last, j) + usize::from(ca != cb)).min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            if swap {
                best = best.min(at(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn offers_a_near_name_and_never_a_far_one() {
        let names = ["email.send", "pay.transfer", "web.fetch"];
        assert_eq!(nearest("email.sned", names), Some("email.send"));
        assert_eq!(nearest("pay.trasfer", names), Some("pay.transfer"));
        assert_eq!(nearest("shell.run", names), None);
    }
}
