//! Which family of codes has been the cheapest after residuals like the last one.

use super::book::CodeBook;

/// What is known of one kind of sample: one bucket for the residuals 0, 1-2, 3-6, 7-14 and so on.
#[derive(Clone, Debug)]
pub(super) struct Model<const BPC: usize> {
    buckets: [Bucket<BPC>; BPC],
}

#[derive(Clone, Copy, Debug)]
struct Bucket<const BPC: usize> {
    /// Bits that each family would have taken. A lesson adds from 1 to 26, and all are halved once the smallest is
    /// above a trigger, at most 900: there are no more than 901 lessons between, and none comes to overflow.
    costs: [u32; BPC],
    best: usize,
}

impl<const BPC: usize> Model<BPC> {
    pub(super) const fn new() -> Self {
        Self { buckets: [Bucket { costs: [0; BPC], best: BPC - 1 }; BPC] }
    }

    /// The family for the residual that comes after `last`.
    #[inline]
    pub(super) fn family_after(&self, last: u8) -> usize {
        self.buckets[bucket_of::<BPC>(last)].best
    }

    /// Takes in that `residual` came after `last`. The costs are halved once the best of them is above `trigger`.
    pub(super) fn learn(&mut self, last: u8, residual: u8, trigger: u32) {
        let bucket = &mut self.buckets[bucket_of::<BPC>(last)];
        let codes = CodeBook::<BPC>::BOOK.codes(residual);
        let mut lowest = u32::MAX;
        for (family, (cost, code)) in bucket.costs.iter_mut().zip(codes).enumerate() {
            *cost += u32::from(code.len);
            if *cost <= lowest {
                lowest = *cost;
                bucket.best = family;
            }
        }
        if lowest > trigger {
            for cost in &mut bucket.costs {
                *cost >>= 1;
            }
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
