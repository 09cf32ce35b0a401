//! Shapes that viewers keep, so that one which comes again is not sent again.
//!
//! A viewer keeps a shape under a number that the server says, and shows it when the server says the number. The guest
//! has such a number, too (`unique`), and it is not used: a guest may give two shapes one number, and the drivers of
//! Linux guests give all of them none. So the channel looks at the shapes themselves, once for all viewers: [`Shapes`]
//! tells one that comes again and numbers those that it has not seen, counting up. A number is never given twice, so
//! whatever a viewer has under it is that shape. Each viewer then has its own [`KeptShapes`], which are numbers only.
//!
//! What viewers do, and so what they are told:
//! - One that is to show what it does not have shows nothing. `INIT` and `RESET` empty its cache.
//! - It keeps the shape with its measures and its hot spot, so those are part of what is compared.
//! - It keeps nothing of a shape without data.
//! - A number that it is to keep a second time replaces the first; older viewers end. It does not come to that.

use std::cmp::Ordering;
use std::sync::Arc;

use crate::lru::{Lru, LruLimits};
use crate::qxl::CursorShape;

/// How many shapes a viewer keeps (`CLIENT_CURSOR_CACHE_SIZE`), and for how many bytes; as many are told apart.
const LIMITS: LruLimits = LruLimits { entries: 256, weight: 16 << 20 };

/// The largest shape that is kept, in bytes: 512 x 512. Larger ones come seldom and push everything else out.
const LARGEST: u64 = 1 << 20;

/// What viewers know a shape by. Never 0.
pub(super) type ShapeNumber = u64;

/// A shape, and the number under which viewers keep it, unless they are not to.
#[derive(Clone, Debug)]
pub(super) struct NamedShape {
    pub(super) number: Option<ShapeNumber>,
    pub(super) shape: Arc<CursorShape>,
}

/// The shapes that have been shown lately, on one channel.
#[derive(Debug)]
pub(super) struct Shapes {
    seen: Lru<Looks, ShapeNumber>,
    last: ShapeNumber,
}

impl Default for Shapes {
    fn default() -> Self {
        Self { seen: Lru::new(LIMITS), last: 0 }
    }
}

impl Shapes {
    /// The number of this shape: that of one that looks the same, if there is one.
    pub(super) fn name(&mut self, shape: &Arc<CursorShape>) -> NamedShape {
        let weight = weight(shape);
        if shape.data.is_empty() || weight > LARGEST {
            return NamedShape { number: None, shape: Arc::clone(shape) };
        }
        let looks = Looks(Arc::clone(shape));
        let number = if let Some(number) = self.seen.touch(&looks) {
            *number
        } else {
            self.last += 1;
            self.seen.insert(looks, self.last, weight);
            self.last
        };
        NamedShape { number: Some(number), shape: Arc::clone(shape) }
    }
}

/// What one viewer keeps.
#[derive(Debug)]
pub(super) struct KeptShapes(Lru<ShapeNumber, ()>);

/// How a shape goes to a viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    /// As its number: the viewer has it.
    FromCache,
    /// Whole, to be kept, once the viewer has been told that these are gone.
    Keep { gone: Vec<ShapeNumber> },
    /// Whole, and not to be kept.
    Once,
}

impl Default for KeptShapes {
    fn default() -> Self {
        Self(Lru::new(LIMITS))
    }
}

impl KeptShapes {
    /// The viewer is about to be sent this shape: how. It has to be sent so.
    pub(super) fn pass(&mut self, named: &NamedShape) -> Passage {
        let Some(number) = named.number else { return Passage::Once };
        if self.0.touch(&number).is_some() {
            return Passage::FromCache;
        }
        match self.0.insert(number, (), weight(&named.shape)) {
            Some(gone) => Passage::Keep { gone: gone.into_iter().map(|(number, ())| number).collect() },
            None => Passage::Once,
        }
    }

    /// The viewer has forgotten everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

/// Bytes that a shape takes, here or at a viewer, which unpacks it into pixels of four bytes: the more of both.
fn weight(shape: &CursorShape) -> u64 {
    let unpacked = u64::from(shape.width) * u64::from(shape.height) * 4;
    unpacked.max(shape.data.len() as u64)
}

/// A shape without the guest's name for it. Which one comes first means nothing.
#[derive(Clone, Debug)]
struct Looks(Arc<CursorShape>);

impl Ord for Looks {
    fn cmp(&self, other: &Self) -> Ordering {
        fn key(shape: &CursorShape) -> (u8, [u16; 4], &[u8]) {
            let CursorShape { unique: _, kind, width, height, hot_spot_x, hot_spot_y, data } = shape;
            (kind.0, [*width, *height, *hot_spot_x, *hot_spot_y], data)
        }
        key(&self.0).cmp(&key(&other.0))
    }
}

impl PartialOrd for Looks {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Looks {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Looks {}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use spice_proto::cursor::CursorType;

    use super::*;

    fn shape(unique: u64, side: u16, data: impl Into<Bytes>) -> Arc<CursorShape> {
        Arc::new(CursorShape {
            unique,
            kind: CursorType::ALPHA,
            width: side,
            height: side,
            hot_spot_x: 0,
            hot_spot_y: 0,
            data: data.into(),
        })
    }

    #[test]
    fn what_looks_the_same_has_one_number_whatever_the_guest_calls_it() {
        let mut shapes = Shapes::default();
        let mut number = |shape: &CursorShape| shapes.name(&Arc::new(shape.clone())).number;
        let first = CursorShape::clone(&shape(7, 1, vec![1; 4]));
        assert_eq!(number(&first), Some(1));
        assert_eq!(number(&CursorShape { unique: 0, ..first.clone() }), Some(1));
        assert_eq!(number(&CursorShape { data: vec![2; 4].into(), ..first.clone() }), Some(2));
        assert_eq!(number(&CursorShape { hot_spot_x: 1, ..first.clone() }), Some(3));
        assert_eq!(number(&CursorShape { hot_spot_y: 1, ..first.clone() }), Some(4));
        assert_eq!(number(&CursorShape { kind: CursorType::MONO, ..first.clone() }), Some(5));
        assert_eq!(number(&CursorShape { width: 2, height: 1, ..first.clone() }), Some(6));
        assert_eq!(number(&CursorShape { data: vec![1; 5].into(), ..first.clone() }), Some(7));
        assert_eq!(number(&first), Some(1));
    }

    #[test]
    fn what_has_no_data_or_is_too_large_has_no_number() {
        let mut shapes = Shapes::default();
        assert_eq!(shapes.name(&shape(1, 0, vec![])).number, None);
        assert_eq!(shapes.name(&shape(1, 512, vec![0; 1 << 20])).number, Some(1));
        assert_eq!(shapes.name(&shape(1, 513, vec![0; 4])).number, None);
        assert_eq!(shapes.name(&shape(1, u16::MAX, vec![0; 4])).number, None);
        assert_eq!(shapes.name(&shape(1, 1, vec![0; (1 << 20) + 1])).number, None);
    }

    /// Thousands of shapes, small and large, and never one number for two that differ.
    #[test]
    fn what_is_kept_is_bounded_here_and_at_the_viewer() {
        let (mut shapes, mut kept) = (Shapes::default(), KeptShapes::default());
        let mut numbers = std::collections::BTreeSet::new();
        for round in 0..2_000_u32 {
            let side = if round % 3 == 0 { 400 } else { 4 };
            let named = shapes.name(&shape(5, side, round.to_le_bytes().to_vec()));
            assert!(numbers.insert(named.number));
            assert!(matches!(kept.pass(&named), Passage::Keep { .. }));
            assert_eq!(kept.pass(&named), Passage::FromCache);
            assert!(shapes.seen.len() <= 256 && shapes.seen.weight() <= 16 << 20);
            assert!(kept.0.len() <= 256 && kept.0.weight() <= 16 << 20);
        }
    }

    #[test]
    fn the_least_recently_shown_is_told_to_go() {
        let (mut shapes, mut kept) = (Shapes::default(), KeptShapes::default());
        let mut pass = |data: u32| kept.pass(&shapes.name(&shape(0, 4, data.to_le_bytes().to_vec())));
        for data in 0..256 {
            assert_eq!(pass(data), Passage::Keep { gone: vec![] });
        }
        assert_eq!(pass(0), Passage::FromCache);
        assert_eq!(pass(256), Passage::Keep { gone: vec![2] });
        assert_eq!(pass(1), Passage::Keep { gone: vec![3] });
    }
}
