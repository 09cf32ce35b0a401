//! Which family of codes has been the cheapest after residuals like the last one.

use super::book::CodeBook;

/// What is known of one kind of sample: one bucket for the residuals 0, 1-2, 3-6, 7-14 and so on.
#[derive(Clone, Debug)]
pub(super) struct Model<const BPC: usize> {
    /// By residual, the best family of its bucket: looked up far more often than it changes.
    families: [u8; 256],
    /// Bits that each family would have taken, by bucket. A lesson adds from 1 to 26, and all are halved once the
    /// smallest is above a trigger, at most 900: there are no more than 901 lessons between, and none comes to
    /// overflow.
    costs: [[i32; BPC]; BPC],
}

impl<const BPC: usize> Model<BPC> {
    const LAST: u8 = (BPC - 1) as u8;

    pub(super) const fn new() -> Self {
        Self { families: [Self::LAST; 256], costs: [[0; BPC]; BPC] }
    }

    /// The family for the residual that comes after `last`.
    #[inline]
    pub(super) const fn family_after(&self, last: u8) -> u8 {
        self.families[last as usize]
    }

    /// Takes in that `residual` came after `last`. The costs are halved once the best of them is above `trigger`.
    pub(super) fn learn(&mut self, last: u8, residual: u8, trigger: i32) {
        let bucket = bucket_of::<BPC>(last);
        let costs = &mut self.costs[bucket];
        // Eight to a bit of cost, so that among equals the highest family is the smallest number.
        let mut lowest = i32::MAX;
        for ((cost, &len), rank) in
            costs.iter_mut().zip(CodeBook::<BPC>::BOOK.lens(residual)).zip((0..8).rev())
        {
            *cost += i32::from(len);
            lowest = lowest.min((*cost << 3) | rank);
        }
        if lowest >> 3 > trigger {
            for cost in costs {
                *cost >>= 1;
            }
        }
        let best = 7 - (lowest & 7) as u8;
        if best != self.families[usize::from(last)] {
            let end = if bucket == BPC - 1 { 256 } else { (2 << bucket) - 1 };
            self.families[(1 << bucket) - 1..end].fill(best);
        }
    }
}

#[inline]
fn bucket_of<const BPC: usize>(residual: u8) -> usize {
    ((u32::from(residual) + 1).ilog2() as usize).min(BPC - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_double_and_the_last_takes_the_rest() {
        let eight = [0, 1, 2, 3, 6, 7, 14, 15, 62, 63, 126, 127, 254, 255].map(bucket_of::<8>);
        assert_eq!(eight, [0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 6, 7, 7, 7]);
        assert_eq!([0, 1, 2, 3, 6, 7, 14, 15, 30, 31].map(bucket_of::<5>), [0, 1, 1, 2, 2, 3, 3, 4, 4, 4]);
    }

    #[test]
    fn the_highest_family_wins_a_tie() {
        let mut model = Model::<8>::new();
        assert_eq!(model.family_after(0), 7);
        // Five, six and seven take eight bits each for a 64, then four and five fourteen for that and a zero.
        model.learn(0, 64, 100);
        assert_eq!(model.family_after(0), 7);
        model.learn(0, 0, 100);
        assert_eq!(model.family_after(0), 5);
        assert_eq!(model.family_after(1), 7);
    }
}
