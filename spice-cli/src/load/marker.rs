//! The clock that a guest for measuring shows: the 16x16 pixels in the top left corner of its screen have the monotonic
//! clock of its machine, in milliseconds, as their colour.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use spice_proto::Point;

/// Columns and rows of the marker.
pub(super) const SIDE: u32 = 16;
/// The pixel that is looked at.
pub(super) const PLACE: Point = Point { x: 8, y: 8 };
/// What a colour holds of the clock.
const BITS: u32 = 0x00ff_ffff;
/// What is shown for longer than this is no marker, unless it was drawn as one.
const OLDEST: u32 = 60_000;

/// The monotonic clock.
pub(super) fn now() -> Duration {
    let time = clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A time in milliseconds, in the bits of a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker(u32);

impl Marker {
    /// The marker that a pixel shows.
    pub(super) const fn of_pixel(bits: u32) -> Self {
        Self(bits & BITS)
    }

    /// Milliseconds since then, modulo four and a half hours.
    pub(super) const fn age(self, now: Duration) -> u32 {
        (now.as_millis() as u32).wrapping_sub(self.0) & BITS
    }

    /// Whether it can be a time at all: not one to come, and of the last minute.
    pub(super) const fn is_plausible(self, now: Duration) -> bool {
        self.age(now) <= OLDEST
    }
}

/// Whether a message paints nothing but the marker, by its number and its beginning.
pub(super) fn is_drawn(id: u16, front: &[u8]) -> bool {
    // DRAW_FILL: the primary surface, the box by top, left, bottom and right, no clip, a solid brush.
    const SIDE_BYTE: u8 = SIDE as u8;
    const FILL: [u8; 22] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, SIDE_BYTE, 0, 0, 0, SIDE_BYTE, 0, 0, 0, 0, 1];
    id == 302 && front.starts_with(&FILL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_right_across_the_turn_of_the_bits() {
        let now = Duration::from_millis(0x5_0000_0003);
        assert_eq!(Marker::of_pixel(0xff00_0003).age(now), 0);
        assert_eq!(Marker::of_pixel(0x00ff_fffe).age(now), 5);
        assert!(Marker::of_pixel(0x00ff_fffe).is_plausible(now));
        assert!(!Marker::of_pixel(4).is_plausible(now));
        let minute = Marker::of_pixel(3_u32.wrapping_sub(60_000));
        assert!(minute.is_plausible(now));
        assert!(!minute.is_plausible(now + Duration::from_millis(1)));
    }

    #[test]
    fn only_a_fill_of_its_own_box_is_the_marker() {
        use spice_proto::display::{Brush, Clip, DisplayBase, DrawFill, Mask, Ropd, ServerMessage};
        use spice_proto::{Rect, SurfaceId};
        let fill = |surface, bbox, clip| {
            let base = DisplayBase { surface_id: SurfaceId(surface), bbox, clip };
            let (brush, mask) = (Brush::Solid(0x12_3456), Mask::default());
            let message = ServerMessage::DrawFill(DrawFill { base, brush, rop: Ropd::OP_PUT, mask });
            is_drawn(message.id(), &message.encode().to_bytes())
        };
        let own = Rect::new(0, 0, SIDE, SIDE);
        assert!(fill(0, own, Clip::None));
        assert!(!fill(1, own, Clip::None));
        assert!(!fill(0, Rect::new(0, 0, 16, 17), Clip::None));
        assert!(!fill(0, own, Clip::Rects(vec![own])));
        assert!(!is_drawn(302, &[0; 20]));
    }
}
