//! Declarations that name one another put in an order in which each follows what it needs. In: keys and what each needs.
//! Out: the order and the ways back. No step goes deeper for a longer chain.

use crate::source::Span;
use std::collections::BTreeSet;

/// A declaration that leads back to itself.
pub struct Ring<K> {
    /// The keys on the way, the one that is reached again first.
    pub path: Vec<K>,
    /// The use, in the last of them, that leads back to the first.
    pub back: Span,
}

/// The keys, each after those it needs. Every use that leads back to an open key is a ring; it counts for nothing else.
pub fn in_order<K: Ord + Copy>(
    roots: impl IntoIterator<Item = K>,
    needs: impl Fn(K) -> Vec<(K, Span)>,
) -> (Vec<K>, Vec<Ring<K>>) {
    let (mut order, mut rings) = (Vec::new(), Vec::new());
    let mut seen: BTreeSet<K> = BTreeSet::new();
    for root in roots {
        if !seen.insert(root) {
            continue;
        }
        // Keys under way, each with what it still needs, last first.
        let mut open: Vec<(K, Vec<(K, Span)>)> = vec![(root, reversed(needs(root)))];
        let mut under_way = BTreeSet::from([root]);
        while let Some((key, left)) = open.last_mut() {
            match left.pop() {
                None => {
                    order.push(*key);
                    under_way.remove(key);
                    open.pop();
                }
                Some((next, back)) if under_way.contains(&next) => {
                    let path = open.iter().map(|(k, _)| *k).skip_while(|k| *k != next);
                    rings.push(Ring {
                        path: path.collect(),
                        back,
                    });
                }
                Some((next, _)) => {
                    if seen.insert(next) {
                        open.push((next, reversed(needs(next))));
                        under_way.insert(next);
                    }
                }
            }
        }
    }
    (order, rings)
}

fn reversed<T>(mut list: Vec<T>) -> Vec<T> {
    list.reverse();
    list
}

#[cfg(test)]
mod tests {
    use super::in_order;
    use crate::source::Span;

    #[test]
    fn each_follows_what_it_needs_and_every_ring_is_found() {
        let needs = |key: u32| -> Vec<(u32, Span)> {
            let needs: &[u32] = match key {
                1 => &[2, 3],
                2 => &[3],
                4 => &[5],
                5 => &[6, 3],
                6 => &[4, 6],
                _ => &[],
            };
            needs.iter().map(|n| (*n, Span::default())).collect()
        };
        let (order, rings) = in_order(1..=6, needs);
        assert_eq!(order, [3, 2, 1, 6, 5, 4]);
        let paths: Vec<_> = rings.into_iter().map(|r| r.path).collect();
        assert_eq!(paths, [vec![4, 5, 6], vec![6]]);
    }

    #[test]
    fn a_long_chain_needs_no_deep_stack() {
        let (order, rings) = in_order([0u32], |key| {
            (key < 100_000)
                .then_some((key + 1, Span::default()))
                .into_iter()
                .collect()
        });
        assert_eq!((order.len(), rings.len()), (100_001, 0));
    }
}
