//! What the server sends.

use bytes::Bytes;

use super::draw::{
    CopyBits, DrawAlphaBlend, DrawBlackness, DrawBlend, DrawComposite, DrawCopy, DrawFill, DrawInvers,
    DrawOpaque, DrawRop3, DrawStroke, DrawText, DrawTransparent, DrawWhiteness,
};
use super::gl::{GlDraw, GlScanoutUnix};
use super::monitors::MonitorsConfig;
use super::stream::{StreamActivateReport, StreamClip, StreamCreate, StreamData, StreamDataSized, StreamId};
use super::surface::{Mode, SurfaceCreate};
use crate::draw::PaletteId;
use crate::ids::SurfaceId;
use crate::message::base::WaitForChannels;
use crate::open_enum;
use crate::wire::{In, Parsed, Wire, Writer, counted, field, messages, named, record, wire_newtype};

messages! {
    /// From the server.
    pub enum ServerMessage in "display" {
        /// The primary surface begins: what servers without surfaces sent in place of a surface's beginning.
        101 Mode(Mode, all),
        /// What is on the primary surface may be shown now.
        102 Mark,
        /// Everything is forgotten.
        103 Reset,
        /// Pixels move within a surface.
        104 CopyBits(CopyBits, all),
        /// The viewer forgets some images.
        105 InvalList(InvalList, all),
        /// The viewer forgets every image, once other channels have come so far.
        106 InvalAllPixmaps(WaitForChannels, all),
        /// The viewer forgets one palette (`SpiceMsgDisplayInvalOne`).
        107 InvalPalette(PaletteId, all),
        /// The viewer forgets every palette.
        108 InvalAllPalettes,
        /// A video stream begins.
        122 StreamCreate(StreamCreate, all),
        /// A frame of a video stream.
        123 StreamData(StreamData, all),
        /// A video stream is shown in other parts of its box.
        124 StreamClip(StreamClip, all),
        /// A video stream ends (`SpiceMsgDisplayStreamDestroy`).
        125 StreamDestroy(StreamId, all),
        /// Every video stream ends.
        126 StreamDestroyAll,
        /// A brush fills.
        302 DrawFill(DrawFill, front),
        /// An image is drawn, mixed with a brush.
        303 DrawOpaque(DrawOpaque, front),
        /// An image is drawn.
        304 DrawCopy(DrawCopy, front),
        /// An image is drawn, mixed with the old pixels.
        305 DrawBlend(DrawBlend, front),
        /// All becomes black.
        306 DrawBlackness(DrawBlackness, front),
        /// All becomes white.
        307 DrawWhiteness(DrawWhiteness, front),
        /// All is inverted.
        308 DrawInvers(DrawInvers, front),
        /// An image, a brush and the old pixels are mixed.
        309 DrawRop3(DrawRop3, front),
        /// A line is drawn.
        310 DrawStroke(DrawStroke, front),
        /// Text is drawn.
        311 DrawText(DrawText, front),
        /// An image is drawn except for one colour.
        312 DrawTransparent(DrawTransparent, front),
        /// An image is blended by its alpha.
        313 DrawAlphaBlend(DrawAlphaBlend, front),
        /// A surface begins.
        314 SurfaceCreate(SurfaceCreate, all),
        /// A surface ends (`SpiceMsgSurfaceDestroy`).
        315 SurfaceDestroy(SurfaceId, all),
        /// A frame of a video stream that has its own size and place.
        316 StreamDataSized(StreamDataSized, all),
        /// Which parts of the primary surface are monitors.
        317 MonitorsConfig(MonitorsConfig, all),
        /// An image is put over the old pixels.
        318 DrawComposite(DrawComposite, front),
        /// The viewer is to report how a video stream fares.
        319 StreamActivateReport(StreamActivateReport, all),
        /// What the graphics processor shows is in this buffer now.
        320 GlScanoutUnix(GlScanoutUnix, all),
        /// The graphics processor has drawn.
        321 GlDraw(GlDraw, all),
        /// How good the display can be; nobody has said what the bytes are.
        322 QualityIndicator(Bytes, all),
    }
}

open_enum! {
    /// What a [`Resource`] is (`SPICE_RES_TYPE_*`).
    pub enum ResourceType: u8 {
        /// Nothing.
        INVALID = 0,
        /// An image in the cache.
        PIXMAP = 1,
    }
}

wire_newtype!(ResourceType(u8));

record! {
    /// Something that the viewer keeps (`SpiceResourceID`).
    #[derive(Copy, Eq)]
    pub struct Resource {
        /// What it is.
        pub kind: ResourceType,
        /// Its name; of an image, its id.
        pub id: u64,
    }
}

/// `SpiceResourceList`: what the viewer forgets, at most 65,535.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InvalList(pub Vec<Resource>);

impl Wire for InvalList {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u16>("count", body, input)?;
        let (input, resources) = named("resources", counted(body, input, count.into(), 9))?;
        Ok((input, Self(resources)))
    }

    fn put(&self, writer: &mut Writer) {
        let count = u16::try_from(self.0.len()).unwrap_or(u16::MAX);
        count.put(writer);
        for resource in self.0.iter().take(count.into()) {
            resource.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        crate::wire::arbitrary_list(source, 64).map(Self)
    }
}
