//! A picture painted from commands.

use spice_display::qxl::{
    Bitmap, Brush, Clip, Command, CursorCommand, DeviceEvent, DrawOp, Drawable, GuestEvent, ImageSource,
};
use spice_proto::{Point, Point16, Rect};

/// What a viewer would see, and what it took to see it.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    pub(crate) area: Rect,
    pixels: Vec<u32>,
    pub(crate) pointer: Point16,
    pub(crate) counts: Counts,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) copies: usize,
    pub(crate) moves: usize,
    pub(crate) fills: usize,
    /// Bytes of the bitmaps that came with the copies.
    pub(crate) bitmap_bytes: usize,
}

impl Screen {
    /// Paints an event. Panics when one reads or writes outside of the screen or of its bitmap.
    pub(crate) fn apply(&mut self, event: &GuestEvent) {
        match event {
            GuestEvent::Device(DeviceEvent::CreatePrimary(primary)) => {
                self.area = Rect::new(0, 0, primary.width, primary.height);
                self.pixels = vec![0; primary.width as usize * primary.height as usize];
            }
            GuestEvent::Command(Command::Draw(drawable)) => self.draw(drawable),
            GuestEvent::Command(Command::Cursor(CursorCommand::Move(position))) => self.pointer = *position,
            GuestEvent::Command(Command::Cursor(CursorCommand::Set { position, visible, shape })) => {
                assert!(visible);
                assert_eq!(shape.data.len(), usize::from(shape.width) * usize::from(shape.height) * 4);
                self.pointer = *position;
            }
            other => panic!("the desktop has no use for {other:?}"),
        }
    }

    pub(crate) fn pixel(&self, point: Point) -> u32 {
        self.pixels[point.y as usize * self.area.width() as usize + point.x as usize]
    }

    /// The first pixel that is not the same on both.
    pub(crate) fn difference(&self, other: &Self) -> Option<Point> {
        assert_eq!(self.area, other.area);
        let index = self.pixels.iter().zip(&other.pixels).position(|(one, another)| one != another)?;
        let width = self.area.width() as usize;
        Some(Point::new((index % width) as i32, (index / width) as i32))
    }

    /// How many pixels within `area` are not the same on both.
    pub(crate) fn changed(&self, other: &Self, area: Rect) -> usize {
        points(area).filter(|point| self.pixel(*point) != other.pixel(*point)).count()
    }

    pub(crate) fn snapshot(&self) -> Self {
        Self { area: self.area, pixels: self.pixels.clone(), ..Self::default() }
    }

    fn draw(&mut self, drawable: &Drawable) {
        let Drawable { bbox, clip, op, .. } = drawable;
        let own = [*bbox];
        let rects: &[Rect] = match clip {
            Clip::None => &own,
            Clip::Rects(rects) => rects,
        };
        for rect in rects {
            assert!(!rect.is_empty() && bbox.contains(rect), "clip {rect:?} of {bbox:?}");
            assert!(self.area.contains(rect), "{rect:?} leaves the screen");
        }
        let before = matches!(op, DrawOp::CopyBits(_)).then(|| self.snapshot());
        match op {
            DrawOp::Copy(_) => self.counts.copies += 1,
            DrawOp::CopyBits(_) => self.counts.moves += 1,
            DrawOp::Fill(_) => self.counts.fills += 1,
            other => panic!("the desktop has no use for {other:?}"),
        }
        if let DrawOp::Copy(copy) = op
            && let ImageSource::Bitmap(bitmap) = &copy.source.source
        {
            let image = Rect::new(0, 0, bitmap.width(), bitmap.height());
            assert!(image.contains(&copy.source_area), "{:?} of {image:?}", copy.source_area);
            let size = |rect: &Rect| (rect.width(), rect.height());
            assert_eq!(size(&copy.source_area), size(bbox), "the image is not scaled");
            self.counts.bitmap_bytes += bitmap.data().len();
        }
        for point in rects.iter().copied().flat_map(points) {
            let (dx, dy) = (point.x - bbox.left, point.y - bbox.top);
            let pixel = match (op, &before) {
                (DrawOp::Fill(fill), _) => {
                    let Brush::Solid(colour) = fill.brush else { panic!("{:?}", fill.brush) };
                    colour
                }
                (DrawOp::CopyBits(copy), Some(before)) => {
                    let source = Point::new(copy.source.x + dx, copy.source.y + dy);
                    assert!(
                        self.area.contains(&Rect::new(source.x, source.y, 1, 1)),
                        "{source:?} is no pixel"
                    );
                    before.pixel(source)
                }
                (DrawOp::Copy(copy), _) => {
                    let ImageSource::Bitmap(bitmap) = &copy.source.source else {
                        panic!("{:?}", copy.source)
                    };
                    bitmap_pixel(bitmap, copy.source_area.left + dx, copy.source_area.top + dy)
                }
                (other, _) => panic!("{other:?}"),
            };
            let index = point.y as usize * self.area.width() as usize + point.x as usize;
            self.pixels[index] = pixel;
        }
    }
}

pub(crate) fn points(area: Rect) -> impl Iterator<Item = Point> {
    (area.top..area.bottom).flat_map(move |y| (area.left..area.right).map(move |x| Point::new(x, y)))
}

fn bitmap_pixel(bitmap: &Bitmap, x: i32, y: i32) -> u32 {
    let row = bitmap.row(y as u32);
    let start = x as usize * 4;
    u32::from_le_bytes(row[start..start + 4].try_into().unwrap())
}
