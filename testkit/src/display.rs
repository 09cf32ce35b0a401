//! A viewer's display: messages in, pictures out.

use std::collections::BTreeMap;

use bytes::Bytes;
use spice_proto::display::{
    BitmapFlags, Brush, Clip, DisplayBase, Head, Image, ImageData, Ropd, ServerMessage, SurfaceFlags,
};
use spice_proto::{Point, Rect, SurfaceId};

use crate::Picture;

/// The surfaces of a viewer. It is strict: what a real viewer would warn of is an error here.
#[derive(Clone, Debug, Default)]
pub struct DisplayModel {
    surfaces: BTreeMap<SurfaceId, Picture>,
    monitors: Vec<Head>,
    marked: bool,
    messages: BTreeMap<u16, u64>,
}

impl DisplayModel {
    /// A surface that the viewer has.
    #[must_use]
    pub fn surface(&self, id: SurfaceId) -> Option<&Picture> {
        self.surfaces.get(&id)
    }

    /// The surfaces that the viewer has.
    pub fn surfaces(&self) -> impl Iterator<Item = (SurfaceId, &Picture)> {
        self.surfaces.iter().map(|(id, picture)| (*id, picture))
    }

    /// Whether the viewer has been told to show its primary surface.
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.marked
    }

    /// The monitors of the last configuration.
    #[must_use]
    pub fn monitors(&self) -> &[Head] {
        &self.monitors
    }

    /// How many messages of this number have come.
    #[must_use]
    pub fn count(&self, id: u16) -> u64 {
        self.messages.get(&id).copied().unwrap_or(0)
    }

    /// Takes one message.
    ///
    /// # Errors
    /// What is wrong with it, in words: it does not decode, it names a surface that the viewer does not have, it draws
    /// beyond one.
    pub fn handle(&mut self, id: u16, body: &Bytes) -> Result<(), String> {
        *self.messages.entry(id).or_default() += 1;
        match ServerMessage::decode(id, body).map_err(|error| error.to_string())? {
            ServerMessage::SurfaceCreate(create) => {
                let primary = create.flags.contains(SurfaceFlags::PRIMARY);
                if primary != (create.surface_id == SurfaceId::PRIMARY) {
                    return Err(format!("surface {} has flags {:?}", create.surface_id, create.flags));
                }
                let picture = Picture::new(create.width, create.height);
                match self.surfaces.insert(create.surface_id, picture) {
                    None => Ok(()),
                    Some(_) => Err(format!("surface {} created twice", create.surface_id)),
                }
            }
            ServerMessage::SurfaceDestroy(id) => match self.surfaces.remove(&id) {
                Some(_) => {
                    self.marked &= id != SurfaceId::PRIMARY;
                    Ok(())
                }
                None => Err(format!("surface {id} destroyed and not there")),
            },
            ServerMessage::DrawFill(fill) => {
                put_only(fill.rop)?;
                let Brush::Solid(colour) = fill.brush else { return Err("fill without a brush".into()) };
                self.paint(&fill.base, |_, _| Some(colour))
            }
            ServerMessage::CopyBits(copy) => {
                let before = self.known(copy.base.surface_id)?.clone();
                let (dx, dy) = (copy.src_pos.x - copy.base.bbox.left, copy.src_pos.y - copy.base.bbox.top);
                self.paint(&copy.base, |x, y| before.pixel(Point::new(x + dx, y + dy)))
            }
            ServerMessage::DrawCopy(copy) => {
                put_only(copy.rop)?;
                let (bbox, area) = (&copy.base.bbox, &copy.source_area);
                if (bbox.width(), bbox.height()) != (area.width(), area.height()) {
                    return Err("scaled".into());
                }
                let image = copy.source.as_ref().ok_or("copy without an image")?;
                let source = self.image(image)?;
                let (dx, dy) = (area.left - bbox.left, area.top - bbox.top);
                self.paint(&copy.base, |x, y| source.pixel(Point::new(x + dx, y + dy)))
            }
            ServerMessage::Mark => {
                self.known(SurfaceId::PRIMARY)?;
                self.marked = true;
                Ok(())
            }
            ServerMessage::MonitorsConfig(config) => {
                self.known(SurfaceId::PRIMARY)?;
                self.monitors = config.heads;
                Ok(())
            }
            ServerMessage::InvalAllPalettes => Ok(()),
            other => Err(format!("unexpected {other:?}")),
        }
    }

    fn known(&self, id: SurfaceId) -> Result<&Picture, String> {
        self.surfaces.get(&id).ok_or_else(|| format!("surface {id} is not there"))
    }

    fn paint(&mut self, base: &DisplayBase, source: impl Fn(i32, i32) -> Option<u32>) -> Result<(), String> {
        let id = base.surface_id;
        let picture = self.surfaces.get_mut(&id).ok_or_else(|| format!("surface {id} is not there"))?;
        if !picture.contains(&base.bbox) {
            return Err(format!("{:?} reaches beyond surface {id}", base.bbox));
        }
        let clip: Option<&[Rect]> = match &base.clip {
            Clip::None => None,
            Clip::Rects(rects) => Some(rects),
        };
        picture.paint(&base.bbox, clip, source);
        Ok(())
    }

    fn image(&self, image: &Image) -> Result<Picture, String> {
        let (pixels, stride, top_down) = match &image.data {
            ImageData::Surface(id) => return self.known(*id).cloned(),
            ImageData::Bitmap(bitmap) => {
                (bitmap.data.clone(), bitmap.stride, bitmap.flags.contains(BitmapFlags::TOP_DOWN))
            }
            ImageData::Lz4(data) => {
                (unpack_lz4(data, image.width, image.height)?, image.width * 4, data.first() != Some(&0))
            }
            other => return Err(format!("image {other:?}")),
        };
        let mut picture = Picture::new(image.width, image.height);
        let bounds = Rect::new(0, 0, image.width, image.height);
        picture.paint(&bounds, None, |x, y| {
            let (x, y) = (x.unsigned_abs(), y.unsigned_abs());
            let row = if top_down { y } else { image.height - 1 - y };
            let start = row as usize * stride as usize + x as usize * 4;
            pixels.get(start..)?.first_chunk().copied().map(u32::from_le_bytes)
        });
        Ok(picture)
    }
}

fn put_only(rop: Ropd) -> Result<(), String> {
    if rop == Ropd::OP_PUT { Ok(()) } else { Err(format!("raster operation {rop:?}")) }
}

fn unpack_lz4(data: &[u8], width: u32, height: u32) -> Result<Bytes, String> {
    let len = width as usize * height as usize * 4;
    let mut pixels = Vec::new();
    let mut blocks = data.get(2..).ok_or("LZ4 image without a head")?;
    while let Some((size, rest)) = blocks.split_first_chunk() {
        let size = u32::from_be_bytes(*size) as usize;
        let block = rest.get(..size).ok_or("LZ4 block beyond its image")?;
        let room = len.saturating_sub(pixels.len());
        pixels.extend(lz4_flex::block::decompress(block, room).map_err(|error| error.to_string())?);
        blocks = &rest[size..];
    }
    if pixels.len() == len { Ok(pixels.into()) } else { Err(format!("LZ4 image of {} bytes", pixels.len())) }
}
