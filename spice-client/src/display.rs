//! A viewer's display: messages in, pictures out.

use std::collections::BTreeMap;

use bytes::Bytes;
use spice_display::canvas::{Canvas, Surfaces, clip_region};
use spice_display::qxl::Drawable;
use spice_proto::SurfaceId;
use spice_proto::display::{ClientMessage, Head, ImageType, Init, ResourceType, ServerMessage, SurfaceFlags};

use crate::error::ModelError;
use crate::images::{GLZ_WINDOW, Images};
use crate::translate::drawable;

/// The surfaces of a viewer. It is strict: what a real viewer would warn of is an error here.
#[derive(Debug)]
pub struct DisplayModel {
    surfaces: BTreeMap<SurfaceId, Canvas>,
    monitors: Vec<Head>,
    marked: bool,
    messages: BTreeMap<u16, u64>,
    images: Images,
}

/// What a command reads while one surface is drawn on.
struct Known<'a>(&'a BTreeMap<SurfaceId, Canvas>);

impl Surfaces for Known<'_> {
    fn canvas(&self, id: SurfaceId) -> Option<&Canvas> {
        self.0.get(&id)
    }
}

impl Default for DisplayModel {
    /// One that keeps images of a mebipixel.
    fn default() -> Self {
        Self::new(1 << 20)
    }
}

impl DisplayModel {
    /// One that keeps images of so many pixels.
    #[must_use]
    pub fn new(pixels: u32) -> Self {
        Self {
            surfaces: BTreeMap::new(),
            monitors: Vec::new(),
            marked: false,
            messages: BTreeMap::new(),
            images: Images::new(pixels.into()),
        }
    }

    /// What it says of itself in its first message.
    #[must_use]
    pub fn init(&self) -> ClientMessage {
        ClientMessage::Init(Init {
            pixmap_cache_id: 1,
            pixmap_cache_size: i64::try_from(self.images.kept.pixels).unwrap_or(i64::MAX),
            glz_dictionary_id: 1,
            glz_dictionary_window_size: i32::try_from(GLZ_WINDOW).unwrap_or(i32::MAX),
        })
    }

    /// A surface that the viewer has.
    #[must_use]
    pub fn surface(&self, id: SurfaceId) -> Option<&Canvas> {
        self.surfaces.get(&id)
    }

    /// The surfaces that the viewer has.
    pub fn surfaces(&self) -> impl Iterator<Item = (SurfaceId, &Canvas)> {
        self.surfaces.iter().map(|(id, canvas)| (*id, canvas))
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

    /// How many images packed this way have come.
    #[must_use]
    pub fn images(&self, kind: ImageType) -> u64 {
        self.images.count(kind)
    }

    /// Takes one message.
    ///
    /// # Errors
    /// It does not decode, it names a surface that the viewer does not have, it draws beyond one, it cannot be painted.
    pub fn handle(&mut self, id: u16, body: &Bytes) -> Result<(), ModelError> {
        self.take(id, body).map_err(ModelError)
    }

    fn take(&mut self, id: u16, body: &Bytes) -> Result<(), String> {
        *self.messages.entry(id).or_default() += 1;
        match ServerMessage::decode(id, body).map_err(|error| error.to_string())? {
            ServerMessage::SurfaceCreate(create) => {
                let primary = create.flags.contains(SurfaceFlags::PRIMARY);
                if primary != (create.surface_id == SurfaceId::PRIMARY) {
                    return Err(format!("surface {} has flags {:?}", create.surface_id, create.flags));
                }
                let canvas = Canvas::new(create.format, create.width, create.height);
                let canvas = canvas.ok_or_else(|| format!("surface format {}", create.format))?;
                match self.surfaces.insert(create.surface_id, canvas) {
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
            ServerMessage::InvalAllPalettes => {
                self.images.kept.forget_palettes();
                Ok(())
            }
            ServerMessage::InvalPalette(id) => self.images.kept.forget_palette(id),
            ServerMessage::InvalList(list) => {
                let mut pixmaps = list.0.iter().filter(|gone| gone.kind == ResourceType::PIXMAP);
                pixmaps.try_for_each(|gone| self.images.kept.forget(gone.id))
            }
            other => {
                let drawable = drawable(other, &mut self.images)?;
                self.draw(&drawable)
            }
        }
    }

    fn draw(&mut self, drawable: &Drawable) -> Result<(), String> {
        let id = drawable.surface;
        let bounds = self.known(id)?.bounds();
        if !bounds.contains(&drawable.bbox) {
            return Err(format!("{:?} reaches beyond surface {id}", drawable.bbox));
        }
        // A surface is taken out while it is drawn on, unless the command reads it as it was.
        let reads_itself = drawable.reads().any(|read| read == id);
        let kept = reads_itself.then(|| self.surfaces.get(&id).cloned()).flatten();
        let mut canvas = kept.or_else(|| self.surfaces.remove(&id)).unwrap_or_default();
        let region = clip_region(drawable.bbox, &drawable.clip, bounds);
        let painted = canvas.paint(drawable, &region, &Known(&self.surfaces));
        self.surfaces.insert(id, canvas);
        painted.map_err(|error| error.to_string())
    }

    fn known(&self, id: SurfaceId) -> Result<&Canvas, String> {
        self.surfaces.get(&id).ok_or_else(|| format!("surface {id} is not there"))
    }
}
