//! Lists of labels that are alike: around the widest list those that it mostly holds. By an inverted index, so that
//! the work follows what is really shared; the number of steps is bounded.

use std::collections::HashMap;

use crate::rule::Overlap;

/// Steps for one region: the sum over all labels of the square of how many lists have them. The commonest labels, which
/// weigh the least, are left out first.
const MAX_STEPS: usize = 30_000_000;

/// Lists around the widest of them.
pub(super) struct Cluster {
    /// Index of the widest list.
    pub(super) hub: usize,
    /// Those that it holds for the most part, in their order.
    pub(super) members: Vec<Member>,
}

/// A list that another holds for the most part.
pub(super) struct Member {
    /// Its index.
    pub(super) list: usize,
    /// Share of its weight that the widest holds, 0 to 1.
    pub(super) share: f64,
    /// The labels that both have, ascending.
    pub(super) shared: Vec<u32>,
}

/// What was found.
pub(super) struct Clusters {
    /// Suspected, and mentioned.
    pub(super) found: Vec<(bool, Cluster)>,
    /// Labels that were left out, being too common for the steps there are.
    pub(super) left_out: usize,
}

/// Finds the clusters among lists of ascending numbers of labels. `may` says which two may be compared.
pub(super) fn clusters(
    lists: &[&[u32]],
    weights: &[f64],
    overlap: &Overlap,
    may: impl Fn(usize, usize) -> bool,
) -> Clusters {
    let mut index: HashMap<u32, Vec<u32>> = HashMap::new();
    for (list, at) in lists.iter().zip(0..) {
        list.iter().for_each(|label| index.entry(*label).or_default().push(at));
    }
    let mut sizes: Vec<(usize, u32)> = index.iter().map(|(label, having)| (having.len(), *label)).collect();
    sizes.sort_unstable();
    let mut steps = 0_usize;
    let fits = sizes.iter().take_while(|(having, _)| {
        steps = steps.saturating_add(having.saturating_mul(*having));
        steps <= MAX_STEPS
    });
    let left_out: Vec<u32> = sizes[fits.count()..].iter().map(|(_, label)| *label).collect();
    left_out.iter().for_each(|label| drop(index.remove(label)));

    let kept = |list: usize| lists[list].iter().filter(|label| index.contains_key(label)).copied();
    let weight = |label: u32| weights.get(label as usize).copied().unwrap_or_default();
    let totals: Vec<f64> = (0..lists.len()).map(|list| kept(list).map(weight).sum()).collect();
    let mut order: Vec<usize> = (0..lists.len()).collect();
    order.sort_by(|a, b| totals[*b].total_cmp(&totals[*a]).then(a.cmp(b)));
    let mut ranks = vec![0; lists.len()];
    order.iter().zip(0_usize..).for_each(|(list, rank)| ranks[*list] = rank);

    let mut taken = vec![false; lists.len()];
    let mut found = Vec::new();
    let mut weighed: Vec<(f64, usize)> = vec![(0.0, 0); lists.len()];
    for &hub in &order {
        if taken[hub] {
            continue;
        }
        let mut touched = Vec::new();
        for label in kept(hub) {
            for &list in index.get(&label).map_or(&[][..], Vec::as_slice) {
                let list = list as usize;
                if ranks[list] <= ranks[hub] || taken[list] {
                    continue;
                }
                let (sum, count) = &mut weighed[list];
                if *count == 0 {
                    touched.push(list);
                }
                *sum += weight(label);
                *count += 1;
            }
        }
        touched.sort_unstable();
        let (mut suspected, mut mentioned) = (Vec::new(), Vec::new());
        for list in touched {
            let (sum, count) = std::mem::take(&mut weighed[list]);
            if count < overlap.min_shared || totals[list] <= 0.0 || !may(hub, list) {
                continue;
            }
            let share = (sum / totals[list]).min(1.0);
            if share < overlap.mention {
                continue;
            }
            let both = |label: &u32| lists[hub].binary_search(label).is_ok();
            let member = Member { list, share, shared: kept(list).filter(both).collect() };
            match share >= overlap.suspected {
                true => {
                    taken[list] = true;
                    suspected.push(member);
                }
                false => mentioned.push(member),
            }
        }
        for (sure, members) in [(true, suspected), (false, mentioned)] {
            if !members.is_empty() {
                found.push((sure, Cluster { hub, members }));
            }
        }
    }
    Clusters { found, left_out: left_out.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Overlap = Overlap { min_shared: 2, suspected: 0.6, mention: 0.4 };

    fn found(lists: &[&[u32]]) -> Vec<(bool, usize, Vec<usize>)> {
        let clusters = clusters(lists, &[1.0; 100], &LIMITS, |_, _| true);
        let plain = |(sure, cluster): (bool, Cluster)| {
            (sure, cluster.hub, cluster.members.iter().map(|member| member.list).collect())
        };
        clusters.found.into_iter().map(plain).collect()
    }

    #[test]
    fn the_widest_gathers_what_it_mostly_holds() {
        // Of the second 2 of 3, of the third 2 of 4, of the fourth 1 of 2 are in the first.
        let lists: [&[u32]; 4] = [&[1, 2, 3, 4, 5], &[1, 2, 9], &[3, 4, 10, 11], &[5, 12]];
        assert_eq!(found(&lists), [(true, 0, vec![1]), (false, 0, vec![2])]);
    }

    #[test]
    fn a_member_gathers_nothing_itself() {
        let lists: [&[u32]; 3] = [&[1, 2, 3], &[1, 2, 3], &[1, 2, 3]];
        assert_eq!(found(&lists), [(true, 0, vec![1, 2])]);
    }

    #[test]
    fn too_many_copies_of_a_label_are_left_out() {
        // 6,000 lists with one label in common would be 36 million steps; the pair has two labels of its own.
        let mut lists: Vec<Vec<u32>> = vec![vec![0]; 6_000];
        lists[10] = vec![0, 1, 2];
        lists[20] = vec![0, 1, 2];
        let lists: Vec<&[u32]> = lists.iter().map(Vec::as_slice).collect();
        let clusters = clusters(&lists, &[1.0; 3], &LIMITS, |_, _| true);
        assert_eq!(clusters.left_out, 1);
        assert_eq!(clusters.found.len(), 1);
        assert_eq!(clusters.found[0].1.members[0].shared, [1, 2]);
    }
}
