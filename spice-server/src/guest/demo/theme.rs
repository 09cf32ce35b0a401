//! The colours of the desktop.

use super::raster::Colour;

/// Text on dark ground.
pub(super) const TEXT: Colour = Colour(0x00e8_ecf3);
/// Text that stands back.
pub(super) const DIM_TEXT: Colour = Colour(0x008f_9bb0);
/// The panel at the top of the screen.
pub(super) const PANEL: Colour = Colour(0x001d_2331);
/// The title bar of the window on top.
pub(super) const ACTIVE_TITLE: Colour = Colour(0x0035_4260);
/// The title bars of the others.
pub(super) const INACTIVE_TITLE: Colour = Colour(0x0028_3042);
/// Around windows and below the panel.
pub(super) const OUTLINE: Colour = Colour(0x0010_1520);
/// The ground of the terminal.
pub(super) const TERMINAL: Colour = Colour(0x0016_1b27);

pub(super) const TEAL: Colour = Colour(0x0058_c9b0);
pub(super) const AMBER: Colour = Colour(0x00f2_b866);
pub(super) const CORAL: Colour = Colour(0x00ee_7762);
pub(super) const SKY: Colour = Colour(0x006f_b1f0);
pub(super) const LEAF: Colour = Colour(0x009c_cc7a);
pub(super) const LILAC: Colour = Colour(0x00b7_9cec);
