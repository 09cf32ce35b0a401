//! Every drawing operation with every kind of operand, as guests' events: a picture whose cells are test cases.
//!
//! Each [`Part`] fills a primary surface of 1280x1024 pixels, cell by cell: a known background, then one tested draw.
//! What is drawn off screen, on a surface of another format, is blended onto its cell, so that one picture shows all.
//! Written as a recording ([`spice_display::qxl::recording::RecordingWriter`]), the C server plays it, too.
//!
//! Left out is what the C server does not survive: surfaces of one bit, palettes on surfaces of 8 bits or of 565, bitmaps
//! of the little-endian palette formats, copies between surfaces of different depth, the 38 ROP3 operations that it has
//! no code for, ROP3 on surfaces of 8 bits, sources of COPY and ROP3 that end before their box does, images that are a
//! part of a surface of 565 itself, brushes that are a part of the surface itself. So is what it does not do by rule:
//! copies of a surface to itself where they overlap, glyphs of 8 bits, behind which it reads, and the top bytes
//! of surfaces without alpha after TEXT, which clears them outside its box, too, and after ALPHA_BLEND, unless it is to
//! keep them: whether they are cleared depends on one pixel.

mod areas;
mod cell;
mod composite;
mod formats;
mod images;
mod lines;
mod masks;
mod rops;
mod scaling;
mod surfaces;
mod text;

use spice_display::qxl::{Command, DeviceEvent, Drawable, GuestEvent, PrimarySurface, SurfaceCommand};
use spice_proto::display::SurfaceFormat;
use spice_proto::{Rect, SurfaceId};

use cell::Sheet;

/// Columns of the primary surface.
pub const WIDTH: u32 = 1280;
/// Rows of the primary surface.
pub const HEIGHT: u32 = 1024;

/// What is tortured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Part {
    /// FILL: brushes, raster operations, clips.
    Fill,
    /// COPY, BLEND: images of all formats, raster operations.
    Copy,
    /// OPAQUE, TRANSPARENT, COPY_BITS, images of the surface itself.
    Other,
    /// ROP3, each operation with a colour and with a pattern.
    Rop3,
    /// Masks, with every operation that has one.
    Masks,
    /// Images of other sizes than their box.
    Scaling,
    /// ALPHA_BLEND.
    Alpha,
    /// COMPOSITE: operators, masks.
    Composite,
    /// COMPOSITE: repeats, filters, transforms.
    Transforms,
    /// TEXT.
    Text,
    /// STROKE.
    Stroke,
    /// Surfaces of all formats, with everything.
    Formats,
    /// Parts of images that reach beyond them.
    Areas,
    /// What surfaces begin with, images of a surface itself, the top bytes of surfaces without alpha.
    Surfaces,
}

impl Part {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Fill,
        Self::Copy,
        Self::Other,
        Self::Rop3,
        Self::Masks,
        Self::Scaling,
        Self::Alpha,
        Self::Composite,
        Self::Transforms,
        Self::Text,
        Self::Stroke,
        Self::Formats,
        Self::Areas,
        Self::Surfaces,
    ];

    /// Its name, in small letters.
    #[must_use]
    pub fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// One test case.
#[derive(Clone, Debug)]
pub struct Case {
    /// What it tests.
    pub name: String,
    /// Where its result is seen on the primary surface.
    pub cell: Rect,
    /// What the guest does.
    pub events: Vec<GuestEvent>,
}

/// The cases of a part.
#[must_use]
pub fn cases(part: Part) -> Vec<Case> {
    let mut sheet = Sheet::new(part as u32 + 1);
    fill(part, &mut sheet);
    sheet.finish()
}

/// What all cases draw, each in the top left 32x32 pixels of a surface. They read surfaces 1 to 6, but none takes the top
/// bytes of a surface without alpha for alpha: a viewer's are not always the server's.
#[must_use]
pub fn drawables() -> Vec<Drawable> {
    let draws = Part::ALL.into_iter().flat_map(|part| {
        let mut sheet = Sheet::stacked(part as u32 + 1);
        fill(part, &mut sheet);
        sheet.finish()
    });
    let drawn = draws.flat_map(|case| case.events).filter_map(|event| match event {
        GuestEvent::Command(Command::Draw(drawable)) => Some(drawable),
        _ => None,
    });
    drawn.collect()
}

fn fill(part: Part, sheet: &mut Sheet) {
    match part {
        Part::Fill => rops::fill(sheet),
        Part::Copy => rops::copy(sheet),
        Part::Other => rops::other(sheet),
        Part::Rop3 => rops::rop3(sheet),
        Part::Masks => masks::masks(sheet),
        Part::Scaling => scaling::scaling(sheet),
        Part::Alpha => scaling::alpha(sheet),
        Part::Composite => composite::operators(sheet),
        Part::Transforms => composite::transforms(sheet),
        Part::Text => text::text(sheet),
        Part::Stroke => lines::stroke(sheet),
        Part::Formats => formats::formats(sheet),
        Part::Areas => areas::areas(sheet),
        Part::Surfaces => surfaces::surfaces(sheet),
    }
}

/// A part from the creation of its surfaces on.
#[must_use]
pub fn events(part: Part) -> Vec<GuestEvent> {
    let primary =
        PrimarySurface { width: WIDTH, height: HEIGHT, format: SurfaceFormat::RGB32, content: None };
    let mut events = vec![GuestEvent::Device(DeviceEvent::CreatePrimary(primary))];
    events.extend(Scratch::ALL.map(|scratch| {
        GuestEvent::Command(Command::Surface(SurfaceCommand::Create {
            surface: scratch.id(),
            width: images::SIDE,
            height: images::SIDE,
            format: scratch.format(),
            content: None,
        }))
    }));
    events.extend(cases(part).into_iter().flat_map(|case| case.events));
    events
}

/// An off-screen surface as large as a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scratch {
    Argb,
    Rgb,
    Rgb555,
    Rgb565,
    Alpha,
    /// A second one with alpha, to be read while another is drawn on.
    Source,
}

impl Scratch {
    const ALL: [Self; 6] = [Self::Argb, Self::Rgb, Self::Rgb555, Self::Rgb565, Self::Alpha, Self::Source];

    fn id(self) -> SurfaceId {
        SurfaceId(1 + self as u32)
    }

    fn format(self) -> SurfaceFormat {
        match self {
            Self::Argb | Self::Source => SurfaceFormat::ARGB32,
            Self::Rgb => SurfaceFormat::RGB32,
            Self::Rgb555 => SurfaceFormat::RGB555,
            Self::Rgb565 => SurfaceFormat::RGB565,
            Self::Alpha => SurfaceFormat::A8,
        }
    }
}
