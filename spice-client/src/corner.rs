//! The corner of a viewer's display: messages in, a few pixels out.

use bytes::{Bytes, BytesMut};
use spice_display::canvas::{Canvas, Surfaces, clip_region};
use spice_display::codec::quic::QuicHeader;
use spice_display::qxl::{Brush, DrawOp, Drawable};
use spice_proto::display::{DrawCopy, ImageData, ImageFlags, Ropd, ServerMessage};
use spice_proto::{Point, Rect, SurfaceId};

use crate::error::ModelError;
use crate::images::Images;
use crate::translate::drawable;

/// The top left corner of a viewer's primary surface, painted without the rest of it.
///
/// It keeps nothing but its pixels. So it does not know them, until they are painted over, where a command takes pixels
/// from elsewhere: copied from beyond the corner or from another surface, from an image that the viewer has kept, with a
/// palette that it has kept, from earlier images by GLZ. Video is not painted either.
#[derive(Debug)]
pub struct CornerModel {
    area: Rect,
    canvas: Option<Canvas>,
    /// Whether the canvas is what a viewer shows.
    known: bool,
}

/// There are no other surfaces.
struct Alone;

impl Surfaces for Alone {
    fn canvas(&self, _: SurfaceId) -> Option<&Canvas> {
        None
    }
}

impl CornerModel {
    /// So many pixels, from the top left one on.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { area: Rect::new(0, 0, width, height), canvas: None, known: false }
    }

    /// Whether a message can change the corner, by its number and the [front](crate::Skimmer::FRONT) of its body. Others
    /// need not be handled.
    #[must_use]
    pub fn concerns(&self, id: u16, front: &[u8]) -> bool {
        let mut words = front.as_chunks().0.iter().map(|word| i32::from_le_bytes(*word));
        let mut next = || words.next().unwrap_or(0);
        let is_primary = next() == 0;
        match id {
            104 | 302..=313 | 318 => {
                let bbox = Rect { top: next(), left: next(), bottom: next(), right: next() };
                is_primary && !bbox.intersect(&self.area).is_empty()
            }
            314 | 315 => is_primary,
            _ => false,
        }
    }

    /// Takes one message.
    ///
    /// # Errors
    /// It does not decode, or what it makes of the corner cannot be told: then no pixel is known until all are painted over
    /// by one message.
    pub fn handle(&mut self, id: u16, body: &Bytes) -> Result<(), ModelError> {
        self.take(id, body).map_err(|error| {
            self.known = false;
            ModelError(error)
        })
    }

    /// The bits of a pixel, where they are known.
    #[must_use]
    pub fn pixel(&self, at: Point) -> Option<u32> {
        self.canvas.as_ref().filter(|_| self.known)?.pixel(at)
    }

    fn take(&mut self, id: u16, body: &Bytes) -> Result<(), String> {
        let mut message = ServerMessage::decode(id, body).map_err(|error| error.to_string())?;
        match &mut message {
            ServerMessage::SurfaceCreate(create) => {
                if create.surface_id == SurfaceId::PRIMARY {
                    let Rect { right, bottom, .. } =
                        self.area.intersect(&Rect::new(0, 0, create.width, create.height));
                    let canvas = Canvas::new(create.format, right.unsigned_abs(), bottom.unsigned_abs());
                    (self.canvas, self.known) = (canvas, false);
                }
                return Ok(());
            }
            ServerMessage::SurfaceDestroy(surface) => {
                if *surface == SurfaceId::PRIMARY {
                    self.canvas = None;
                }
                return Ok(());
            }
            ServerMessage::DrawCopy(copy) => self.shorten(copy),
            _ => {}
        }
        let drawable = drawable(message, &mut Images::new(u64::MAX))?;
        if drawable.surface == SurfaceId::PRIMARY { self.draw(&drawable) } else { Ok(()) }
    }

    /// Takes away the rows below the corner, where that spares unpacking them, and what a viewer would do with the image
    /// beyond showing it.
    fn shorten(&self, copy: &mut DrawCopy) {
        let Some(image) = &mut copy.source else { return };
        image.flags &= ImageFlags::HIGH_BITS_SET;
        let (bbox, area) = (copy.base.bbox, copy.source_area);
        let is_scaled = (bbox.width(), bbox.height()) != (area.width(), area.height());
        let ImageData::Quic(data) = &image.data else { return };
        if is_scaled || copy.mask.bitmap.is_some() || QuicHeader::read(data).is_err() {
            return;
        }
        let below = i64::from(area.top) + i64::from(self.area.bottom) - i64::from(bbox.top);
        let Some(rows) = u32::try_from(below).ok().filter(|rows| (1..image.height).contains(rows)) else {
            return;
        };
        // A stream says its height last in its header, and nothing of it but what depends on how many rows are read.
        let mut short = BytesMut::from(&data[..]);
        let Some(height) = short.get_mut(QuicHeader::LEN - 4..QuicHeader::LEN) else { return };
        height.copy_from_slice(&rows.to_le_bytes());
        image.data = ImageData::Quic(short.freeze());
        image.height = rows;
        copy.source_area.bottom = area.bottom.min(rows.cast_signed());
        copy.base.bbox.bottom = bbox.top.saturating_add_unsigned(copy.source_area.height());
    }

    fn draw(&mut self, drawable: &Drawable) -> Result<(), String> {
        let canvas = self.canvas.as_mut().ok_or("the primary surface is not there")?;
        let bounds = canvas.bounds();
        let region = clip_region(drawable.bbox, &drawable.clip, bounds);
        if let DrawOp::CopyBits(copy) = &drawable.op {
            let Rect { left, top, .. } = drawable.bbox;
            let (dx, dy) = (copy.source.x.saturating_sub(left), copy.source.y.saturating_sub(top));
            if region.rects().any(|rect| !bounds.contains(&rect.translate(dx, dy))) {
                return Err("pixels come from beyond the corner".into());
            }
        }
        canvas.paint(drawable, &region, &Alone).map_err(|error| error.to_string())?;
        self.known |= covers(&drawable.op) && region.contains_rect(&bounds);
        Ok(())
    }
}

/// Whether nothing is left of the pixels before.
fn covers(op: &DrawOp) -> bool {
    match op {
        DrawOp::Fill(fill) => {
            matches!(fill.brush, Brush::Solid(_)) && fill.rop == Ropd::OP_PUT && fill.mask.is_none()
        }
        DrawOp::Copy(copy) => copy.rop == Ropd::OP_PUT && copy.mask.is_none(),
        DrawOp::Blackness(mask) | DrawOp::Whiteness(mask) => mask.is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use spice_display::codec::quic::{self, QuicFormat};
    use spice_proto::display::{
        self as wire, Clip, CopyBits, DisplayBase, DrawFill, Image, Mask, ScaleMode, SurfaceCreate,
        SurfaceFlags, SurfaceFormat,
    };

    use super::*;
    use crate::DisplayModel;

    const SIDE: u32 = 64;

    /// A whole display and its corner of 16x16, which are sent the same.
    struct Both(DisplayModel, CornerModel);

    impl Both {
        fn new() -> Self {
            let mut both = Self(DisplayModel::default(), CornerModel::new(16, 16));
            both.send(&ServerMessage::SurfaceCreate(SurfaceCreate {
                surface_id: SurfaceId::PRIMARY,
                width: SIDE,
                height: SIDE,
                format: SurfaceFormat::RGB32,
                flags: SurfaceFlags::PRIMARY,
            }));
            both
        }

        /// Whether the message concerned the corner, and whether that took it.
        fn send(&mut self, message: &ServerMessage) -> (bool, bool) {
            let (id, body) = (message.id(), message.encode().to_bytes());
            self.0.handle(id, &body).unwrap();
            let concerns = self.1.concerns(id, &body[..body.len().min(crate::Skimmer::FRONT)]);
            (concerns, concerns && self.1.handle(id, &body).is_ok())
        }

        /// Whether the corner is known; then it is as on the display.
        fn compare(&self) -> bool {
            let whole = self.0.surface(SurfaceId::PRIMARY).unwrap();
            let places = (0..16).flat_map(|y| (0..16).map(move |x| Point::new(x, y)));
            let mut known = false;
            for at in places {
                let Some(pixel) = self.1.pixel(at) else { continue };
                assert_eq!(Some(pixel), whole.pixel(at), "{at:?}");
                known = true;
            }
            known
        }
    }

    fn base(bbox: Rect) -> DisplayBase {
        DisplayBase { surface_id: SurfaceId::PRIMARY, bbox, clip: Clip::None }
    }

    fn fill(bbox: Rect, colour: u32) -> ServerMessage {
        let brush = wire::Brush::Solid(colour);
        ServerMessage::DrawFill(DrawFill {
            base: base(bbox),
            brush,
            rop: Ropd::OP_PUT,
            mask: Mask::default(),
        })
    }

    fn copy(bbox: Rect, source_area: Rect, size: (u32, u32), flags: ImageFlags) -> ServerMessage {
        let (width, height) = size;
        let pixels: Vec<u8> = (0..width * height).flat_map(|at| (at * 0x0003_0517).to_le_bytes()).collect();
        let data = quic::encode(&pixels, width, height, width as usize * 4, QuicFormat::Rgb32).unwrap();
        let source = Image { id: 7, flags, width, height, data: ImageData::Quic(data.into()) };
        let rop = Ropd::OP_PUT;
        let (scale_mode, mask) = (ScaleMode::NEAREST, Mask::default());
        let source = Some(source);
        ServerMessage::DrawCopy(DrawCopy { base: base(bbox), source, source_area, rop, scale_mode, mask })
    }

    #[test]
    fn it_shows_what_the_whole_display_does_there() {
        let mut both = Both::new();
        assert!(!both.compare());
        let all = Rect::new(0, 0, SIDE, SIDE);
        assert_eq!(both.send(&copy(all, all, (SIDE, SIDE), ImageFlags::CACHE_ME)), (true, true));
        assert!(both.compare());
        for (bbox, area, size) in [
            (Rect::new(3, 5, 40, 30), Rect::new(2, 7, 40, 30), (50, 50)),
            (Rect::new(0, 15, 40, 30), Rect::new(0, 0, 40, 30), (40, 30)),
            (Rect::new(0, 0, 8, 8), Rect::new(10, 40, 8, 8), (50, 60)),
            (Rect::new(2, 2, 30, 30), Rect::new(0, 0, 15, 15), (15, 15)),
        ] {
            assert_eq!(both.send(&copy(bbox, area, size, ImageFlags::empty())), (true, true));
            assert!(both.compare(), "{bbox:?}");
        }
        assert_eq!(both.send(&fill(Rect::new(0, 0, 9, 9), 0x12_3456)), (true, true));
        let within = CopyBits { base: base(Rect::new(4, 4, 10, 10)), src_pos: Point::new(1, 2) };
        assert_eq!(both.send(&ServerMessage::CopyBits(within)), (true, true));
        assert!(both.compare());
    }

    #[test]
    fn what_comes_from_elsewhere_is_not_known_until_all_is_painted_over() {
        let mut both = Both::new();
        both.send(&fill(Rect::new(0, 0, SIDE, SIDE), 1));
        assert!(both.compare());
        let beyond = CopyBits { base: base(Rect::new(0, 0, 10, 10)), src_pos: Point::new(7, 7) };
        assert_eq!(both.send(&ServerMessage::CopyBits(beyond)), (true, false));
        assert!(!both.compare());
        both.send(&fill(Rect::new(0, 0, 15, 16), 2));
        assert!(!both.compare());
        both.send(&fill(Rect::new(0, 0, 16, 16), 3));
        assert!(both.compare());
        assert_eq!(both.1.pixel(Point::new(15, 15)), Some(3));
        both.send(&ServerMessage::SurfaceDestroy(SurfaceId::PRIMARY));
        assert!(both.1.pixel(Point::default()).is_none());
    }

    #[test]
    fn what_is_drawn_beside_it_does_not_concern_it() {
        let mut both = Both::new();
        assert_eq!(both.send(&fill(Rect::new(16, 0, 9, 9), 1)), (false, false));
        assert_eq!(both.send(&ServerMessage::Mark), (false, false));
        assert!(!both.1.concerns(302, &[]));
        let mut other = fill(Rect::new(0, 0, 9, 9), 1).encode().to_bytes().to_vec();
        other[0] = 1;
        assert!(!both.1.concerns(302, &other));
    }
}
