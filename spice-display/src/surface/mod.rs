//! Surfaces: what the guest draws on, and what waits to be painted.

mod dirty;
mod duplicate;
mod footprint;
mod lazy;
mod paint;
mod table;
#[cfg(test)]
mod tests;
mod tiles;
mod tree;

pub(crate) use lazy::Drawn;
pub use paint::DrawError;
pub use table::{Generation, Surface, SurfaceError, SurfaceLimits, SurfaceShape, SurfaceTable};
pub(crate) use tiles::Tile;
pub(crate) use tree::{Added, Sequence};
