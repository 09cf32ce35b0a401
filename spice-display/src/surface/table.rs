//! The surfaces that exist.

use std::collections::{BTreeMap, VecDeque};

use spice_proto::display::SurfaceFormat;
use spice_proto::{Rect, SurfaceId};

use super::dirty::Dirty;
use super::paint::Failure;
use super::tiles::TileVersions;
use super::tree::{Sequence, Tree};
use crate::canvas::{Canvas, PaintError};
use crate::qxl::Bitmap;
use crate::region::Region;

/// Tells a surface from an earlier one with the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(u64);

/// How much a guest may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SurfaceLimits {
    /// Ids lie below this.
    pub surfaces: u32,
    /// Columns or rows of one surface.
    pub side: u32,
    /// Pixels of all surfaces together.
    pub pixels: u64,
    /// Commands that wait to be painted.
    pub pending: usize,
    /// Bytes that they keep alive.
    pub pending_bytes: usize,
}

impl Default for SurfaceLimits {
    /// What the C server has for ids and sides, 1 GiB of pixels, and what fills a screen twice.
    fn default() -> Self {
        Self { surfaces: 1024, side: 32_767, pixels: 256 << 20, pending: 512, pending_bytes: 8 << 20 }
    }
}

/// Why a surface is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SurfaceError {
    /// An id outside the guest's range.
    #[error("surface id {surface} is not below {limit}")]
    Id {
        /// The id.
        surface: SurfaceId,
        /// The end of the range.
        limit: u32,
    },
    /// There is one with this id.
    #[error("surface {0} exists already")]
    Exists(SurfaceId),
    /// There is none with this id.
    #[error("surface {0} does not exist")]
    Missing(SurfaceId),
    /// A format that does not exist.
    #[error("surface format {0} is not known")]
    Format(SurfaceFormat),
    /// No pixel, or sides beyond the limit.
    #[error("a surface of {width}x{height} pixels is not possible")]
    Size {
        /// Columns.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A first content that is no content.
    #[error("the content is not taken: {0}")]
    Content(#[from] PaintError),
    /// All surfaces together would be too large.
    #[error("{wanted} more pixels of surfaces are beyond the limit of {limit}")]
    Pixels {
        /// What the surface takes.
        wanted: u64,
        /// What all may take together.
        limit: u64,
    },
}

/// A surface's measures, which it keeps for as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SurfaceShape {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// How a viewer keeps its pixels.
    pub format: SurfaceFormat,
}

/// A surface and its pixels.
#[derive(Debug)]
pub struct Surface {
    generation: Generation,
    pub(super) canvas: Canvas,
    pub(super) tree: Tree,
    pub(super) versions: TileVersions,
    pub(super) dirty: Dirty,
    /// Who, elsewhere, waits to read this surface. Some of them may be painted already.
    pub(super) readers: Vec<Reader>,
}

/// A command on another surface that reads this one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    pub(super) surface: SurfaceId,
    pub(super) sequence: Sequence,
    pub(super) area: Rect,
}

impl Surface {
    /// Which of the surfaces that have had this id.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Its measures.
    #[must_use]
    pub fn shape(&self) -> SurfaceShape {
        SurfaceShape {
            width: self.canvas.width(),
            height: self.canvas.height(),
            format: self.canvas.format(),
        }
    }

    /// All of it.
    #[must_use]
    pub fn bounds(&self) -> Rect {
        self.canvas.bounds()
    }

    /// The last command that may have touched these pixels: as long as it is the same, so are they.
    pub(crate) fn newest(&self, area: &Rect) -> Sequence {
        self.versions.newest(area)
    }

    /// Its pixels, as far as they are painted.
    pub(super) fn pixels(&self) -> &Canvas {
        &self.canvas
    }
}

/// All surfaces of one display, bounded in number and in pixels, and the commands on them that are not painted yet.
#[derive(Debug, Default)]
pub struct SurfaceTable {
    pub(super) surfaces: BTreeMap<SurfaceId, Surface>,
    pub(super) limits: SurfaceLimits,
    pixels: u64,
    generations: u64,
    pub(super) sequences: u64,
    /// Every command that waits, oldest first, and some that do no more.
    pub(super) order: VecDeque<(Sequence, SurfaceId)>,
    pub(super) pending: usize,
    pub(super) pending_bytes: usize,
    pub(super) painted: u64,
    pub(super) failures: Vec<Failure>,
}

impl SurfaceTable {
    /// No surface, and these limits.
    #[must_use]
    pub fn new(limits: SurfaceLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// A surface begins: zero, or with `content` from its top left corner on.
    ///
    /// # Errors
    /// An id, a format or a size that is not possible; an id that is in use.
    pub fn create(
        &mut self,
        id: SurfaceId,
        SurfaceShape { width, height, format }: SurfaceShape,
        content: Option<&Bitmap>,
    ) -> Result<&Surface, SurfaceError> {
        if id.0 >= self.limits.surfaces {
            return Err(SurfaceError::Id { surface: id, limit: self.limits.surfaces });
        }
        if self.surfaces.contains_key(&id) {
            return Err(SurfaceError::Exists(id));
        }
        if width == 0 || height == 0 || width > self.limits.side || height > self.limits.side {
            return Err(SurfaceError::Size { width, height });
        }
        let wanted = u64::from(width) * u64::from(height);
        if self.pixels + wanted > self.limits.pixels {
            return Err(SurfaceError::Pixels { wanted, limit: self.limits.pixels });
        }
        let mut canvas = Canvas::new(format, width, height).ok_or(SurfaceError::Format(format))?;
        if let Some(content) = content {
            canvas.load(content)?;
        }
        self.pixels += wanted;
        self.generations += 1;
        let generation = Generation(self.generations);
        let versions = TileVersions::new(width, height);
        let surface = Surface {
            generation,
            canvas,
            tree: Tree::default(),
            versions,
            dirty: Dirty::default(),
            readers: Vec::new(),
        };
        Ok(self.surfaces.entry(id).or_insert(surface))
    }

    /// A surface ends. What still waits to read it is painted first; what waits on it is not painted at all, and is
    /// answered.
    ///
    /// # Errors
    /// [`SurfaceError::Missing`].
    pub(crate) fn destroy(&mut self, id: SurfaceId) -> Result<Vec<Sequence>, SurfaceError> {
        let surface = self.surfaces.get(&id).ok_or(SurfaceError::Missing(id))?;
        let bounds = surface.bounds();
        self.paint_readers(id, &Region::from(bounds));
        let mut covered = Vec::new();
        if let Some(mut surface) = self.surfaces.remove(&id) {
            for (sequence, item) in surface.tree.drain() {
                self.pending -= 1;
                self.pending_bytes -= item.weight;
                covered.push(sequence);
            }
        }
        self.pixels -= bounds.area();
        Ok(covered)
    }

    /// The surface with this id.
    #[must_use]
    pub fn surface(&self, id: SurfaceId) -> Option<&Surface> {
        self.surfaces.get(&id)
    }

    /// All surfaces, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (SurfaceId, &Surface)> {
        self.surfaces.iter().map(|(id, surface)| (*id, surface))
    }

    /// Pixels of all surfaces together.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        self.pixels
    }

    /// How many commands wait to be painted.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// How many commands have been painted.
    #[must_use]
    pub fn painted(&self) -> u64 {
        self.painted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(
        table: &mut SurfaceTable,
        id: u32,
        width: u32,
        height: u32,
    ) -> Result<Generation, SurfaceError> {
        let shape = SurfaceShape { width, height, format: SurfaceFormat::RGB32 };
        table.create(SurfaceId(id), shape, None).map(Surface::generation)
    }

    #[test]
    fn ids_sides_and_pixels_have_their_limits() {
        let mut table = SurfaceTable::new(SurfaceLimits {
            surfaces: 4,
            side: 100,
            pixels: 1000,
            ..SurfaceLimits::default()
        });
        for id in [4, 5, u32::MAX] {
            assert_eq!(
                create(&mut table, id, 1, 1),
                Err(SurfaceError::Id { surface: SurfaceId(id), limit: 4 })
            );
        }
        for (width, height) in [(0, 5), (5, 0), (101, 1), (1, u32::MAX)] {
            assert_eq!(create(&mut table, 0, width, height), Err(SurfaceError::Size { width, height }));
        }
        assert_eq!(create(&mut table, 0, 100, 11), Err(SurfaceError::Pixels { wanted: 1100, limit: 1000 }));
        create(&mut table, 0, 100, 10).unwrap();
        assert_eq!(create(&mut table, 1, 1, 1), Err(SurfaceError::Pixels { wanted: 1, limit: 1000 }));
        table.destroy(SurfaceId(0)).unwrap();
        assert_eq!(table.pixels(), 0);
    }

    #[test]
    fn an_id_that_is_used_again_has_another_generation() {
        let mut table = SurfaceTable::default();
        let first = create(&mut table, 7, 2, 2).unwrap();
        assert_eq!(create(&mut table, 7, 2, 2), Err(SurfaceError::Exists(SurfaceId(7))));
        table.destroy(SurfaceId(7)).unwrap();
        assert_eq!(table.destroy(SurfaceId(7)).unwrap_err(), SurfaceError::Missing(SurfaceId(7)));
        assert_ne!(create(&mut table, 7, 2, 2).unwrap(), first);
    }

    #[test]
    fn formats_that_do_not_exist_are_refused() {
        let mut table = SurfaceTable::default();
        for format in [SurfaceFormat(0), SurfaceFormat(33), SurfaceFormat(u32::MAX)] {
            let shape = SurfaceShape { width: 2, height: 2, format };
            let error = table.create(SurfaceId(1), shape, None).unwrap_err();
            assert_eq!(error, SurfaceError::Format(format));
        }
    }
}
