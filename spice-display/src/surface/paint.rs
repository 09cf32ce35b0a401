//! Drawing commands onto surfaces.

use std::mem;

use spice_proto::{Rect, SurfaceId};

use super::SurfaceTable;
use crate::canvas::{Canvas, PaintError, Surfaces, clip_region};
use crate::qxl::Drawable;
use crate::region::Region;

/// Why a drawing command is refused. It is not painted, and no viewer hears of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DrawError {
    /// The box reaches beyond the surface.
    #[error("the box {bbox:?} reaches beyond surface {surface} of {width}x{height} pixels")]
    Outside {
        /// The surface.
        surface: SurfaceId,
        /// The box.
        bbox: Rect,
        /// Columns of the surface.
        width: u32,
        /// Rows of the surface.
        height: u32,
    },
    /// The surface that it draws on does not exist.
    #[error("surface {0} does not exist")]
    Surface(SurfaceId),
    /// It cannot be painted.
    #[error(transparent)]
    Paint(#[from] PaintError),
}

/// Paints a command and answers the pixels that it touches, if there are any.
pub(crate) fn paint(surfaces: &mut SurfaceTable, drawable: &Drawable) -> Result<Region, DrawError> {
    let id = drawable.surface;
    let target = surfaces.surface_mut(id).ok_or(DrawError::Surface(id))?;
    let bounds = target.canvas.bounds();
    if drawable.bbox.is_empty() {
        return Ok(Region::new());
    }
    if !bounds.contains(&drawable.bbox) {
        let (width, height) = (bounds.width(), bounds.height());
        return Err(DrawError::Outside { surface: id, bbox: drawable.bbox, width, height });
    }
    let region = clip_region(drawable.bbox, &drawable.clip, bounds);
    let mut canvas = mem::take(&mut target.canvas);
    let own = drawable.reads().any(|read| read == id).then(|| canvas.clone());
    let painted = canvas.paint(drawable, &region, &Others { surfaces, id, own });
    if let Some(target) = surfaces.surface_mut(id) {
        target.canvas = canvas;
    }
    painted?;
    Ok(region)
}

/// The surfaces while one of them is drawn on.
struct Others<'a> {
    surfaces: &'a SurfaceTable,
    id: SurfaceId,
    /// The one that is drawn on, as it was before, if it is read.
    own: Option<Canvas>,
}

impl Surfaces for Others<'_> {
    fn canvas(&self, id: SurfaceId) -> Option<&Canvas> {
        if id == self.id {
            self.own.as_ref()
        } else {
            self.surfaces.surface(id).map(|surface| &surface.canvas)
        }
    }
}
