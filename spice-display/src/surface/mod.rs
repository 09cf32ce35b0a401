//! Surfaces: what the guest draws on.

mod paint;
mod table;

pub use paint::DrawError;
pub(crate) use paint::paint;
pub use table::{Generation, Surface, SurfaceError, SurfaceLimits, SurfaceShape, SurfaceTable};
