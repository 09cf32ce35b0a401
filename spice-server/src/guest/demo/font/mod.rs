//! The demo's typeface: 9x15 pixels, two weights, ASCII.
//!
//! The glyphs are those of the X11 `misc-fixed` fonts 9x15 and 9x15B, whose copyright notice reads, in full:
//! "Public domain font. Share and enjoy."

mod bold;
mod regular;

/// Columns of every glyph.
pub(super) const WIDTH: u32 = 9;
/// Rows of every glyph.
pub(super) const HEIGHT: u32 = 15;

/// A weight of the typeface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    Regular,
    Bold,
}

impl Face {
    /// The rows of a character, the leftmost pixel in bit `WIDTH - 1`; what is not printable ASCII looks like `?`.
    pub(super) fn glyph(self, character: char) -> &'static [u16; HEIGHT as usize] {
        let glyphs = match self {
            Self::Regular => &regular::GLYPHS,
            Self::Bold => &bold::GLYPHS,
        };
        let place = |character: char| (character as usize).checked_sub(' ' as usize);
        let known = place(character).and_then(|index| glyphs.get(index));
        known.unwrap_or(&glyphs['?' as usize - ' ' as usize])
    }
}

/// Columns that `text` takes.
pub(super) fn text_width(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX).saturating_mul(WIDTH)
}
