//! A list that only grows, by one owner, while others read it.

use std::iter::successors;
use std::sync::OnceLock;

/// Values that are found by looking at each: for lists of a handful.
#[derive(Debug)]
pub(crate) struct OnceList<T>(OnceLock<Box<Node<T>>>);

#[derive(Debug)]
struct Node<T> {
    value: T,
    next: OnceList<T>,
}

impl<T> Default for OnceList<T> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<T> OnceList<T> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        successors(self.0.get(), |before| before.next.0.get()).map(|node| &node.value)
    }

    /// The first value that `is` answers true for, or else what `make` makes, which is last then.
    pub(crate) fn find_or_add(&self, is: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> &T {
        let mut list = self;
        while let Some(node) = list.0.get() {
            if is(&node.value) {
                return &node.value;
            }
            list = &node.next;
        }
        &list.0.get_or_init(|| Box::new(Node { value: make(), next: Self::default() })).value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_made_once_and_found_again() {
        let list = OnceList::default();
        let mut made = 0;
        for wanted in [3, 5, 3, 5, 7, 3] {
            let found = list.find_or_add(
                |value| *value == wanted,
                || {
                    made += 1;
                    wanted
                },
            );
            assert_eq!(*found, wanted);
        }
        assert_eq!(made, 3);
        assert!(list.iter().eq(&[3, 5, 7]));
    }
}
