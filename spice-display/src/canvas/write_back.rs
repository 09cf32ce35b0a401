//! Pixels back to the guest's memory, for a guest that wants to read what it has drawn.

use spice_proto::Rect;
use spice_proto::display::SurfaceFormat;

use super::{Canvas, Pixels};
use crate::memory::{MemSlots, MemoryError};
use crate::qxl::{SurfacePlace, bits_per_pixel};

/// Why pixels are not put into the guest's memory. None of them is, then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteBackError {
    /// The surface there is not the one that was painted.
    #[error(
        "a surface of {width}x{height} pixels of {format} lies there, and {painted}x{rows} of {kept} are painted"
    )]
    Shape {
        /// Columns there.
        width: u32,
        /// Rows there.
        height: u32,
        /// How its pixels are kept there.
        format: SurfaceFormat,
        /// Columns that are painted.
        painted: u32,
        /// Rows that are painted.
        rows: u32,
        /// How they are kept here.
        kept: SurfaceFormat,
    },
    /// Rows that overlap.
    #[error("rows of {row} bytes do not fit a stride of {stride}")]
    Stride {
        /// Bytes of a row.
        row: u64,
        /// Bytes from row to row.
        stride: i32,
    },
    /// Not all of the surface lies in memory that can be written.
    #[error(transparent)]
    Memory(#[from] MemoryError),
}

impl Canvas {
    /// Puts the pixels of `area` that are on the canvas where the surface lies in the guest's memory, and nothing of
    /// what is between its rows. Where eight pixels share a byte, their neighbours in it are put there too.
    ///
    /// The memory is looked up now: of a slot that has been taken away nothing is written.
    ///
    /// # Errors
    /// A surface of another shape than the canvas, rows that do not fit their stride, memory that is not there for the
    /// whole of the surface, or is only read.
    pub fn write_back(
        &self,
        area: Rect,
        slots: &MemSlots,
        place: &SurfacePlace,
    ) -> Result<(), WriteBackError> {
        let SurfacePlace { group, address, stride, width, height, format } = *place;
        let (painted, rows, kept) = (self.width(), self.height(), self.format());
        let shape = WriteBackError::Shape { width, height, format, painted, rows, kept };
        let bits = bits_per_pixel(format).filter(|_| (width, height, format) == (painted, rows, kept));
        let bits = u64::from(bits.ok_or(shape)?);
        let row = (u64::from(width) * bits).div_ceil(8);
        if row > u64::from(stride.unsigned_abs()) {
            return Err(WriteBackError::Stride { row, stride });
        }
        let memory = slots.resolve(group, address)?;
        memory.check(place.len())?;
        let area = whole_bytes(area.intersect(&self.bounds()), format).intersect(&self.bounds());
        let first = u64::from(area.left.unsigned_abs()) * bits / 8;
        let mut bytes = Vec::new();
        for y in (area.top..area.bottom).map(i32::unsigned_abs) {
            bytes.clear();
            self.append_row(y, &area, &mut bytes);
            memory.behind(place.row(y) + first)?.write(&bytes)?;
        }
        Ok(())
    }

    /// Adds the pixels of a row that are between the left and right edges of `within`, as a guest keeps them.
    fn append_row(&self, y: u32, within: &Rect, bytes: &mut Vec<u8>) {
        let columns = within.left.unsigned_abs() as usize..within.right.unsigned_abs() as usize;
        match &self.pixels {
            Pixels::Bits8(plane) => {
                let row = plane.row(y).get(columns).unwrap_or_default();
                if self.format == SurfaceFormat::A1 {
                    bytes.extend(row.chunks(8).map(share_byte));
                } else {
                    bytes.extend_from_slice(row);
                }
            }
            Pixels::Bits16(plane) => {
                let row = plane.row(y).get(columns).unwrap_or_default();
                bytes.extend(row.iter().flat_map(|pixel| pixel.to_le_bytes()));
            }
            Pixels::Bits32(plane) => {
                let row = plane.row(y).get(columns).unwrap_or_default();
                bytes.extend(row.iter().flat_map(|pixel| pixel.to_le_bytes()));
            }
        }
    }
}

/// The pixels whose bytes are touched.
fn whole_bytes(area: Rect, format: SurfaceFormat) -> Rect {
    if format != SurfaceFormat::A1 || area.is_empty() {
        return area;
    }
    Rect::from_edges(area.left & !7, area.top, area.right.saturating_add(7) & !7, area.bottom)
}

/// Up to eight pixels of one bit, the first in the lowest bit.
fn share_byte(pixels: &[u8]) -> u8 {
    pixels.iter().rev().fold(0, |byte, pixel| byte << 1 | (pixel & 1))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU8, Ordering};

    use proptest::prelude::*;
    use spice_proto::Point;

    use super::*;
    use crate::memory::{GuestMemory, MemSlot, MemSlotSetup, OutOfRange, QxlPhysical};
    use crate::qxl::parse::{SurfaceCreate, primary_surface};
    use crate::region::Region;

    const GROUP: u32 = 1;
    /// Slot 2, generation 5, 16 bytes behind its beginning.
    const ADDRESS: u64 = 2 << 56 | 5 << 48 | 0x1010;

    /// Memory of which every byte is 0xee.
    fn memory(len: usize) -> Arc<Vec<AtomicU8>> {
        Arc::new((0..len).map(|_| AtomicU8::new(0xee)).collect())
    }

    fn slots(memory: impl GuestMemory + 'static) -> MemSlots {
        let setup =
            MemSlotSetup { groups: 2, slots: 4, generation_bits: 8, id_bits: 8, internal_groupslot_id: 0 };
        let mut slots = MemSlots::new(setup).unwrap();
        slots.add(GROUP, 2, MemSlot { generation: 5, start: 0x1000, memory: Arc::new(memory) }).unwrap();
        slots
    }

    /// What is behind the first 16 bytes.
    fn bytes(memory: &[AtomicU8]) -> Vec<u8> {
        memory.iter().skip(16).map(|byte| byte.load(Ordering::Relaxed)).collect()
    }

    fn place(canvas: &Canvas, stride: i32) -> SurfacePlace {
        let (width, height, format) = (canvas.width(), canvas.height(), canvas.format());
        SurfacePlace { group: GROUP, address: QxlPhysical(ADDRESS), stride, width, height, format }
    }

    /// A canvas whose pixels count from 1 on.
    fn numbered(format: SurfaceFormat, width: u32, height: u32) -> Canvas {
        let mut canvas = Canvas::new(format, width, height).unwrap();
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        for (bits, (x, y)) in (1..).zip(places) {
            canvas.fill(&Region::from(Rect::new(x as i32, y as i32, 1, 1)), bits);
        }
        canvas
    }

    const ALL: Rect = Rect::new(0, 0, 1000, 1000);

    #[test]
    fn rows_lie_from_the_top_down_and_what_is_between_them_stays() {
        let memory = memory(16 + 15);
        let canvas = numbered(SurfaceFormat::RGB565, 2, 3);
        assert_eq!(canvas.write_back(ALL, &slots(memory.clone()), &place(&canvas, 5)), Ok(()));
        assert_eq!(bytes(&memory), [1, 0, 2, 0, 0xee, 3, 0, 4, 0, 0xee, 5, 0, 6, 0, 0xee]);
        assert!(memory[..16].iter().all(|byte| byte.load(Ordering::Relaxed) == 0xee));
    }

    #[test]
    fn with_a_stride_below_0_the_bottom_row_comes_first() {
        let memory = memory(16 + 15);
        let canvas = numbered(SurfaceFormat::RGB565, 2, 3);
        assert_eq!(canvas.write_back(ALL, &slots(memory.clone()), &place(&canvas, -5)), Ok(()));
        assert_eq!(bytes(&memory), [5, 0, 6, 0, 0xee, 3, 0, 4, 0, 0xee, 1, 0, 2, 0, 0xee]);
    }

    #[test]
    fn an_area_is_put_there_and_no_pixel_more() {
        let canvas = numbered(SurfaceFormat::RGB32, 4, 3);
        for (stride, row) in [(16, 1), (-16, 1), (20, 1), (-20, 1)] {
            let memory = memory(16 + 60);
            canvas
                .write_back(Rect::new(1, 1, 2, 1), &slots(memory.clone()), &place(&canvas, stride))
                .unwrap();
            let at = row * stride.unsigned_abs() as usize + 4;
            let bytes = bytes(&memory);
            assert_eq!(bytes[at..at + 8], [6, 0, 0, 0, 7, 0, 0, 0]);
            assert_eq!(bytes.iter().filter(|byte| **byte != 0xee).count(), 8);
        }
    }

    #[test]
    fn an_area_beyond_the_surface_is_clipped_and_one_outside_of_it_is_nothing() {
        let canvas = numbered(SurfaceFormat::A8, 3, 2);
        for (area, expected) in [
            (Rect::from_edges(i32::MIN, i32::MIN, i32::MAX, i32::MAX), [1, 2, 3, 4, 5, 6]),
            (Rect::from_edges(2, 1, i32::MAX, i32::MAX), [0xee, 0xee, 0xee, 0xee, 0xee, 6]),
            (Rect::from_edges(-5, -5, 1, 1), [1, 0xee, 0xee, 0xee, 0xee, 0xee]),
            (Rect::new(3, 0, 9, 9), [0xee; 6]),
            (Rect::from_edges(2, 1, 1, 0), [0xee; 6]),
        ] {
            let memory = memory(16 + 6);
            canvas.write_back(area, &slots(memory.clone()), &place(&canvas, 3)).unwrap();
            assert_eq!(bytes(&memory), expected, "{area:?}");
        }
    }

    #[test]
    fn pixels_of_one_bit_share_bytes_with_their_neighbours() {
        let mut canvas = Canvas::new(SurfaceFormat::A1, 19, 2).unwrap();
        canvas.fill(&Region::from(Rect::new(0, 0, 1, 1)), 1);
        canvas.fill(&Region::from(Rect::new(7, 0, 4, 2)), 1);
        canvas.fill(&Region::from(Rect::new(18, 0, 1, 2)), 1);
        let memory = memory(16 + 8);
        let slots = slots(memory.clone());
        canvas.write_back(Rect::new(9, 0, 1, 1), &slots, &place(&canvas, -4)).unwrap();
        assert_eq!(bytes(&memory), [0xee, 0xee, 0xee, 0xee, 0xee, 0b111, 0xee, 0xee]);
        canvas.write_back(ALL, &slots, &place(&canvas, -4)).unwrap();
        assert_eq!(bytes(&memory), [0x80, 0b111, 0b100, 0xee, 0x81, 0b111, 0b100, 0xee]);
    }

    #[test]
    fn memory_that_is_too_small_gone_or_only_read_is_refused_before_anything_is_written() {
        let canvas = numbered(SurfaceFormat::RGB32, 2, 3);
        let first = Rect::new(0, 0, 1, 1);
        let short = memory(16 + 23);
        for stride in [8, -8] {
            let error = canvas.write_back(first, &slots(short.clone()), &place(&canvas, stride));
            let range = OutOfRange { offset: 16, wanted: 24, len: 39 };
            assert_eq!(error, Err(WriteBackError::Memory(range.into())));
        }
        assert_eq!(bytes(&short), [0xee; 23]);
        let mut gone = slots(memory(16 + 24));
        gone.remove(GROUP, 2);
        let error = canvas.write_back(first, &gone, &place(&canvas, 8)).unwrap_err();
        assert_eq!(error, WriteBackError::Memory(MemoryError::Empty { group: GROUP, slot: 2 }));
        let error = canvas.write_back(first, &slots(vec![0_u8; 40]), &place(&canvas, 8)).unwrap_err();
        assert_eq!(error.to_string(), "this memory is only read");
    }

    #[test]
    fn a_surface_of_another_shape_and_rows_that_overlap_are_refused() {
        let canvas = numbered(SurfaceFormat::RGB32, 2, 3);
        let slots = slots(memory(1000));
        let there = place(&canvas, 8);
        let others = [
            SurfacePlace { width: 1, ..there },
            SurfacePlace { height: 4, ..there },
            SurfacePlace { format: SurfaceFormat::ARGB32, ..there },
            SurfacePlace { format: SurfaceFormat(7), ..there },
        ];
        for other in others {
            let error = canvas.write_back(ALL, &slots, &other).unwrap_err();
            assert!(matches!(error, WriteBackError::Shape { painted: 2, rows: 3, .. }), "{error}");
        }
        for stride in [0, 7, -7] {
            let error = canvas.write_back(ALL, &slots, &place(&canvas, stride));
            assert_eq!(error, Err(WriteBackError::Stride { row: 8, stride }));
        }
        let far = place(&canvas, i32::MIN);
        assert!(matches!(canvas.write_back(ALL, &slots, &far), Err(WriteBackError::Memory(_))));
    }

    proptest! {
        /// What is put there is what is read again from there as a surface's first content.
        #[test]
        fn what_is_written_is_read_again(
            format in prop_oneof![
                Just(SurfaceFormat::RGB32),
                Just(SurfaceFormat::ARGB32),
                Just(SurfaceFormat::RGB555),
                Just(SurfaceFormat::A8),
            ],
            (width, height) in (1..12_u32, 1..12_u32),
            padding in 0..6_u32,
            down in any::<bool>(),
            pieces in proptest::collection::vec((0..12, 0..12, 1..12_u32, 1..12_u32), 0..4),
        ) {
            let canvas = numbered(format, width, height);
            let stride = (width * bits_per_pixel(format).unwrap() / 8 + padding).cast_signed();
            let stride = if down { stride } else { -stride };
            let memory = memory(16 + (height * stride.unsigned_abs()) as usize);
            let slots = slots(memory.clone());
            let there = place(&canvas, stride);
            let mut written = Region::new();
            for (x, y, width, height) in pieces {
                let area = Rect::new(x, y, width, height);
                canvas.write_back(area, &slots, &there).unwrap();
                written = written.union_rect(&area);
            }
            let flags = 1;
            let create = SurfaceCreate { width, height, stride, format, flags, mem: there.address };
            prop_assert_eq!(create.place(GROUP), there);
            let content = primary_surface(&slots, GROUP, &create).unwrap().content.unwrap();
            let mut read = Canvas::new(format, width, height).unwrap();
            read.load(&content).unwrap();
            let mut untouched = Canvas::new(format, width, height).unwrap();
            untouched.fill(&Region::from(untouched.bounds()), 0xeeee_eeee);
            for at in (0..height).flat_map(|y| (0..width).map(move |x| Point::new(x as i32, y as i32))) {
                let from = if written.contains_point(at) { &canvas } else { &untouched };
                prop_assert_eq!(read.pixel(at), from.pixel(at));
            }
        }
    }
}
