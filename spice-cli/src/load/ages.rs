//! Many ages, and how they are distributed.

/// The most that is told apart: ten minutes, in milliseconds.
const MOST: u32 = 600_000;

/// How often each age was seen, in milliseconds. It is exact, and grows with the oldest of them only.
#[derive(Clone, Debug, Default)]
pub(super) struct Ages {
    counts: Vec<u64>,
    total: u64,
}

impl Ages {
    /// Counts an age; above ten minutes, as ten minutes.
    pub(super) fn add(&mut self, millis: u32) {
        let at = millis.min(MOST) as usize;
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
            self.total += 1;
        }
    }

    /// Counts all that the others have.
    pub(super) fn extend(&mut self, others: &Self) {
        if self.counts.len() < others.counts.len() {
            self.counts.resize(others.counts.len(), 0);
        }
        self.counts.iter_mut().zip(&others.counts).for_each(|(count, more)| *count += more);
        self.total += others.total;
    }

    /// The age that `percent` of all are not above, or, at 100, the oldest. None of none.
    pub(super) fn percentile(&self, percent: u64) -> Option<u32> {
        let last = self.total.checked_sub(1)?;
        let rank = (self.total * percent / 100).min(last);
        let mut seen = 0;
        let at = self.counts.iter().position(|count| {
            seen += count;
            seen > rank
        });
        at.and_then(|at| u32::try_from(at).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_a_sorted_list() {
        assert_eq!(Ages::default().percentile(50), None);
        let mut ages = Ages::default();
        let mut list: Vec<u32> = (0..1000_u32).map(|at| at * at % 733).collect();
        list.iter().for_each(|age| ages.add(*age));
        list.sort_unstable();
        for percent in [0, 1, 50, 90, 99] {
            assert_eq!(ages.percentile(percent), list.get(percent as usize * 10).copied());
        }
        assert_eq!(ages.percentile(100), list.last().copied());
        let mut both = Ages::default();
        both.extend(&ages);
        both.extend(&ages);
        assert_eq!((both.percentile(50), both.total), (ages.percentile(50), 2000));
        ages.add(u32::MAX);
        assert_eq!(ages.percentile(100), Some(MOST));
    }
}
