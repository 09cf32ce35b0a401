//! Why a command is not drawn, and where one finds what it reads.

use spice_proto::{Rect, SurfaceId};

use super::SurfaceTable;
use crate::canvas::{Canvas, PaintError, Surfaces};
use crate::qxl::ShapeError;

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
    /// The surface that it draws on, or one that it reads, does not exist.
    #[error("surface {0} does not exist")]
    Surface(SurfaceId),
    /// The stream of an image is not what the image says.
    #[error(transparent)]
    Stream(#[from] ShapeError),
}

/// A command that could not be painted, which shows only when it is.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The surface that it should have been painted on.
    pub(crate) surface: SurfaceId,
    /// Where.
    pub(crate) area: Rect,
    /// Why it was not.
    pub(crate) error: PaintError,
}

/// The surfaces while one of them is painted on.
pub(super) struct Others<'a> {
    surfaces: &'a SurfaceTable,
    id: SurfaceId,
    /// The one that is painted on, as it was before, if it is read.
    own: Option<Canvas>,
}

impl<'a> Others<'a> {
    pub(super) fn new(surfaces: &'a SurfaceTable, id: SurfaceId, own: Option<Canvas>) -> Self {
        Self { surfaces, id, own }
    }
}

impl Surfaces for Others<'_> {
    fn canvas(&self, id: SurfaceId) -> Option<&Canvas> {
        if id == self.id { self.own.as_ref() } else { Some(self.surfaces.surface(id)?.pixels()) }
    }
}
