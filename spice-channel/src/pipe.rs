//! What a client still has to be sent.

use std::collections::VecDeque;

/// How much a pipe may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PipeLimits {
    /// Items.
    pub items: usize,
    /// The sum of the items' weights, in bytes that the pipe keeps alive.
    pub bytes: usize,
}

impl Default for PipeLimits {
    /// 1024 items and 32 MiB: some frames of a busy desktop.
    fn default() -> Self {
        Self { items: 1024, bytes: 32 << 20 }
    }
}

/// A pipe has no place for the item, which comes back. What waits has to become less first: squashed, or sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full<I>(pub I);

/// A queue of intentions, bounded in items and in the bytes that they keep alive.
///
/// Pipe order is wire order. Items become bytes late, when the transport has room, so what waits here can still be
/// taken back or replaced.
#[derive(Clone, Debug)]
pub struct Pipe<I> {
    items: VecDeque<(I, usize)>,
    bytes: usize,
    limits: PipeLimits,
}

impl<I> Default for Pipe<I> {
    fn default() -> Self {
        Self::new(PipeLimits::default())
    }
}

impl<I> Pipe<I> {
    /// An empty pipe with these limits.
    #[must_use]
    pub const fn new(limits: PipeLimits) -> Self {
        Self { items: VecDeque::new(), bytes: 0, limits }
    }

    /// Appends an item that keeps `weight` bytes alive. An empty pipe takes an item of any weight, so that one
    /// larger than the limit is sent rather than refused for ever.
    ///
    /// # Errors
    /// The item, when the pipe has no place for it.
    pub fn enqueue(&mut self, item: I, weight: usize) -> Result<(), Full<I>> {
        let bytes = self.bytes.saturating_add(weight);
        if self.items.len() >= self.limits.items || (bytes > self.limits.bytes && !self.items.is_empty()) {
            return Err(Full(item));
        }
        self.bytes = bytes;
        self.items.push_back((item, weight));
        Ok(())
    }

    /// Takes the item that is sent next.
    pub fn pop(&mut self) -> Option<I> {
        let (item, weight) = self.items.pop_front()?;
        self.bytes = self.bytes.saturating_sub(weight);
        Some(item)
    }

    /// Takes back every item that `unwanted` answers true for. The others keep their order.
    pub fn retract(&mut self, mut unwanted: impl FnMut(&I) -> bool) {
        let bytes = &mut self.bytes;
        self.items.retain(|(item, weight)| {
            let drop = unwanted(item);
            if drop {
                *bytes = bytes.saturating_sub(*weight);
            }
            !drop
        });
    }

    /// Takes back everything.
    pub fn clear(&mut self) {
        self.items.clear();
        self.bytes = 0;
    }

    /// The items in the order in which they will be sent.
    pub fn iter(&self) -> impl Iterator<Item = &I> {
        self.items.iter().map(|(item, _)| item)
    }

    /// How many items wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The sum of the weights of what waits.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// How much the pipe may hold.
    #[must_use]
    pub const fn limits(&self) -> PipeLimits {
        self.limits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_full_at_either_limit_and_gives_the_item_back() {
        let mut pipe = Pipe::new(PipeLimits { items: 3, bytes: 10 });
        assert_eq!(pipe.enqueue('a', 6), Ok(()));
        assert_eq!(pipe.enqueue('b', 5), Err(Full('b')));
        assert_eq!(pipe.enqueue('c', 4), Ok(()));
        assert_eq!(pipe.enqueue('d', 0), Ok(()));
        assert_eq!(pipe.enqueue('e', 0), Err(Full('e')));
        assert_eq!(pipe.pop(), Some('a'));
        assert_eq!((pipe.len(), pipe.bytes()), (2, 4));
    }

    #[test]
    fn an_item_larger_than_the_limit_goes_alone() {
        let mut pipe = Pipe::new(PipeLimits { items: 3, bytes: 10 });
        assert_eq!(pipe.enqueue("huge", 1000), Ok(()));
        assert_eq!(pipe.enqueue("small", 1), Err(Full("small")));
        assert_eq!(pipe.pop(), Some("huge"));
        assert_eq!(pipe.enqueue("small", 1), Ok(()));
    }

    proptest! {
        #[test]
        fn weights_always_add_up_and_order_is_kept(steps in prop::collection::vec((0..4_u8, 0..50_usize), 0..200)) {
            let mut pipe = Pipe::new(PipeLimits { items: 20, bytes: 300 });
            let mut model: Vec<(usize, usize)> = Vec::new();
            for (number, (step, weight)) in steps.into_iter().enumerate() {
                match step {
                    0 | 1 => {
                        if pipe.enqueue((number, weight), weight).is_ok() {
                            model.push((number, weight));
                        }
                    }
                    2 => prop_assert_eq!(pipe.pop(), (!model.is_empty()).then(|| model.remove(0))),
                    _ => {
                        pipe.retract(|item| item.1 == weight);
                        model.retain(|item| item.1 != weight);
                    }
                }
                prop_assert!(pipe.iter().eq(&model));
                prop_assert_eq!(pipe.bytes(), model.iter().map(|item| item.1).sum::<usize>());
                prop_assert!(pipe.len() <= 20 && pipe.bytes() <= 300);
            }
        }
    }
}
