//! Entries that weigh something, within limits: the least recently used ones go first.

use std::collections::BTreeMap;

/// What an [`Lru`] may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LruLimits {
    /// Entries.
    pub(crate) entries: usize,
    /// The sum of their weights, in whatever the owner counts.
    pub(crate) weight: u64,
}

/// A map that forgets. Its order of use is exact and nothing depends on hashes, so the same calls always evict the same.
#[derive(Debug)]
pub(crate) struct Lru<K, V> {
    limits: LruLimits,
    entries: BTreeMap<K, Entry<V>>,
    /// By when each was used last.
    order: BTreeMap<u64, K>,
    weight: u64,
    uses: u64,
    /// What was used at this count or later stays.
    pinned_from: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: u64,
    used: u64,
}

impl<K: Clone + Ord, V> Lru<K, V> {
    pub(crate) const fn new(limits: LruLimits) -> Self {
        Self {
            limits,
            entries: BTreeMap::new(),
            order: BTreeMap::new(),
            weight: 0,
            uses: 0,
            pinned_from: u64::MAX,
        }
    }

    /// The value under `key`, which is now the most recently used.
    pub(crate) fn touch(&mut self, key: &K) -> Option<&mut V> {
        let entry = self.entries.get_mut(key)?;
        if let Some(key) = self.order.remove(&entry.used) {
            self.uses += 1;
            entry.used = self.uses;
            self.order.insert(entry.used, key);
        }
        Some(&mut entry.value)
    }

    /// Adds the most recently used entry, in place of an earlier one of that key, and returns what had to go for it,
    /// the oldest first. `None` where it has no place even so: then nothing has gone.
    pub(crate) fn insert(&mut self, key: K, value: V, weight: u64) -> Option<Vec<(K, V)>> {
        self.remove(&key);
        let victims = self.victims(weight)?;
        let gone =
            victims.into_iter().filter_map(|key| self.remove(&key).map(|value| (key, value))).collect();
        self.uses += 1;
        self.order.insert(self.uses, key.clone());
        self.entries.insert(key, Entry { value, weight, used: self.uses });
        self.weight += weight;
        Some(gone)
    }

    /// Takes an entry out.
    pub(crate) fn remove(&mut self, key: &K) -> Option<V> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.used);
        self.weight -= entry.weight;
        Some(entry.value)
    }

    /// What is used from now on stays until [`Self::unpin`].
    #[cfg(test)]
    pub(crate) const fn pin(&mut self) {
        self.pinned_from = self.uses + 1;
    }

    /// Nothing has to stay.
    #[cfg(test)]
    pub(crate) const fn unpin(&mut self) {
        self.pinned_from = u64::MAX;
    }

    /// Takes everything out, in the order of the keys.
    #[cfg(test)]
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (K, V)> {
        self.order.clear();
        self.weight = 0;
        std::mem::take(&mut self.entries).into_iter().map(|(key, entry)| (key, entry.value))
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.order.clear();
        self.weight = 0;
    }

    /// What has to go for `weight` more, unless that is not enough.
    fn victims(&self, weight: u64) -> Option<Vec<K>> {
        if self.limits.entries == 0 || weight > self.limits.weight {
            return None;
        }
        let mut left = LruLimits { entries: self.entries.len(), weight: self.weight };
        let mut victims = Vec::new();
        let mut oldest = self.order.range(..self.pinned_from);
        while left.entries >= self.limits.entries || left.weight > self.limits.weight - weight {
            let (_, key) = oldest.next()?;
            left.entries -= 1;
            left.weight -= self.entries.get(key).map_or(0, |entry| entry.weight);
            victims.push(key.clone());
        }
        Some(victims)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    impl<K, V> Lru<K, V> {
        pub(crate) fn len(&self) -> usize {
            self.entries.len()
        }

        pub(crate) const fn weight(&self) -> u64 {
            self.weight
        }
    }

    const LIMITS: LruLimits = LruLimits { entries: 4, weight: 20 };

    #[test]
    fn what_has_not_been_used_longest_goes() {
        let mut lru = Lru::new(LIMITS);
        for key in 1..=4 {
            assert_eq!(lru.insert(key, (), 5), Some(vec![]));
        }
        assert!(lru.touch(&1).is_some());
        assert_eq!(lru.insert(5, (), 6), Some(vec![(2, ()), (3, ())]));
        assert_eq!((lru.len(), lru.weight()), (3, 16));
        assert_eq!(lru.insert(6, (), 21), None);
        assert_eq!((lru.len(), lru.weight()), (3, 16));
    }

    #[test]
    fn what_is_pinned_stays_and_then_nothing_goes_at_all() {
        let mut lru = Lru::new(LIMITS);
        lru.insert('a', (), 5);
        lru.insert('b', (), 5);
        lru.pin();
        assert!(lru.touch(&'a').is_some());
        lru.insert('c', (), 5);
        assert_eq!(lru.insert('d', (), 11), None);
        assert_eq!((lru.len(), lru.weight()), (3, 15));
        assert_eq!(lru.insert('d', (), 10), Some(vec![('b', ())]));
        lru.unpin();
        assert_eq!(lru.insert('e', (), 20), Some(vec![('a', ()), ('c', ()), ('d', ())]));
    }

    proptest! {
        /// Against a list in order of use, the oldest first.
        #[test]
        fn it_forgets_what_a_list_would(steps in prop::collection::vec((0..8_u8, 0..6_u8, 0..25_u64), 0..100)) {
            let mut lru = Lru::new(LIMITS);
            let mut list: Vec<(u8, u64)> = Vec::new();
            let mut pinned: Option<Vec<u8>> = None;
            for (key, step, weight) in steps {
                let found = list.iter().position(|(known, _)| *known == key);
                match step {
                    0 | 1 => {
                        prop_assert_eq!(lru.touch(&key).is_some(), found.is_some());
                        if let Some(at) = found {
                            let entry = list.remove(at);
                            list.push(entry);
                            pinned.iter_mut().for_each(|pinned| pinned.push(key));
                        }
                    }
                    2 => {
                        lru.pin();
                        pinned = Some(Vec::new());
                    }
                    3 => {
                        lru.unpin();
                        pinned = None;
                    }
                    _ => {
                        list.retain(|(known, _)| *known != key);
                        let mut after = list.clone();
                        let mut gone = Vec::new();
                        let full = |list: &[(u8, u64)]| {
                            list.len() >= 4 || list.iter().map(|entry| entry.1).sum::<u64>() + weight > 20
                        };
                        let free = |entry: &(u8, u64)| !pinned.iter().flatten().any(|pinned| *pinned == entry.0);
                        while full(&after) && let Some(at) = after.iter().position(free) {
                            gone.push((after.remove(at).0, ()));
                        }
                        let fits = !full(&after);
                        prop_assert_eq!(lru.insert(key, (), weight), fits.then_some(gone));
                        if fits {
                            list = after;
                            list.push((key, weight));
                            pinned.iter_mut().for_each(|pinned| pinned.push(key));
                        }
                    }
                }
                prop_assert_eq!(lru.len(), list.len());
                prop_assert_eq!(lru.weight(), list.iter().map(|entry| entry.1).sum::<u64>());
                prop_assert!(lru.order.values().eq(list.iter().map(|entry| &entry.0)));
            }
        }
    }
}
