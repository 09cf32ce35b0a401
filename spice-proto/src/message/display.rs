//! The display channel: surfaces and what is drawn on them.

use bytes::Bytes;

pub use crate::draw::{
    BitmapFlags, BitmapImage, Brush, Clip, DisplayBase, Image, ImageData, ImageFlags, ImageType, Mask,
    MaskFlags, Ropd, ScaleMode,
};

#[cfg(feature = "arbitrary")]
use crate::draw::arbitrary_image;
use crate::draw::{parse_image, put_image};
use crate::geometry::{Point, Rect};
use crate::ids::SurfaceId;
use crate::open_enum;
use crate::wire::{In, Parsed, Wire, Writer, counted, field, flags, messages, named, record, wire_newtype};

messages! {
    /// From the server.
    pub enum ServerMessage in "display" {
        /// What is on the primary surface may be shown now.
        102 Mark,
        /// Everything is forgotten.
        103 Reset,
        /// Pixels move within a surface.
        104 CopyBits(CopyBits, all),
        /// The viewer forgets every palette.
        108 InvalAllPalettes,
        /// A brush fills.
        302 DrawFill(DrawFill, front),
        /// An image is drawn.
        304 DrawCopy(DrawCopy, front),
        /// A surface begins.
        314 SurfaceCreate(SurfaceCreate, all),
        /// A surface ends.
        315 SurfaceDestroy(SurfaceId, all),
        /// Which parts of the primary surface are monitors.
        317 MonitorsConfig(MonitorsConfig, all),
    }
}

messages! {
    /// From the viewer.
    pub enum ClientMessage in "display" {
        /// The first message: how much the viewer can keep.
        101 Init(Init, all),
        /// How a video stream fares.
        102 StreamReport(StreamReport, all),
        /// The image compression that the viewer would like.
        103 PreferredCompression(ImageCompression, all),
        /// A frame of the graphics processor has been shown.
        104 GlDrawDone,
        /// The video codecs that the viewer would like, best first.
        105 PreferredVideoCodecs(PreferredVideoCodecs, all),
    }
}

open_enum! {
    /// How a surface's pixels are kept (`SPICE_SURFACE_FMT_*`).
    pub enum SurfaceFormat: u32 {
        /// 1 bit of alpha.
        A1 = 1,
        /// 8 bits of alpha.
        A8 = 8,
        /// 16 bits, x555.
        RGB555 = 16,
        /// 32 bits, the top byte means nothing.
        RGB32 = 32,
        /// 16 bits, 565.
        RGB565 = 80,
        /// 32 bits with alpha, premultiplied.
        ARGB32 = 96,
    }
}

open_enum! {
    /// A way to pack images (`SPICE_IMAGE_COMPRESSION_*`).
    pub enum ImageCompression: u8 {
        /// None.
        OFF = 1,
        /// GLZ or QUIC, by the image.
        AUTO_GLZ = 2,
        /// LZ or QUIC, by the image.
        AUTO_LZ = 3,
        /// QUIC.
        QUIC = 4,
        /// GLZ.
        GLZ = 5,
        /// LZ.
        LZ = 6,
        /// LZ4.
        LZ4 = 7,
    }
}

open_enum! {
    /// `SPICE_VIDEO_CODEC_TYPE_*`.
    pub enum VideoCodec: u8 {
        /// Motion JPEG.
        MJPEG = 1,
        /// VP8.
        VP8 = 2,
        /// H.264.
        H264 = 3,
        /// VP9.
        VP9 = 4,
        /// H.265.
        H265 = 5,
    }
}

wire_newtype!(SurfaceFormat(u32), ImageCompression(u8), VideoCodec(u8));

record! {
    /// `SpiceMsgDisplayCopyBits`: the box is filled from the same surface.
    #[derive(Eq)]
    pub struct CopyBits {
        /// Where it goes.
        pub base: DisplayBase,
        /// The top left corner of what is copied.
        pub src_pos: Point,
    }
}

/// `SpiceMsgDisplayDrawFill`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawFill {
    /// Where.
    pub base: DisplayBase,
    /// With what.
    pub brush: Brush,
    /// How.
    pub rop: Ropd,
    /// Which pixels of the box.
    pub mask: Mask,
}

impl Wire for DrawFill {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, base) = field("base", body, input)?;
        let (input, brush) = field("brush", body, input)?;
        let (input, rop) = field("rop_descriptor", body, input)?;
        let (input, mask) = Mask::parse(body, input)?;
        Ok((input, Self { base, brush, rop, mask }))
    }

    fn put(&self, writer: &mut Writer) {
        self.base.put(writer);
        self.brush.put(writer);
        self.rop.put(writer);
        let mask = self.mask.put_fixed(writer);
        put_image(self.mask.bitmap.as_ref(), &mask, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            base: Wire::arbitrary(source)?,
            brush: Wire::arbitrary(source)?,
            rop: Wire::arbitrary(source)?,
            mask: Mask::arbitrary(source)?,
        })
    }
}

/// `SpiceMsgDisplayDrawCopy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawCopy {
    /// Where.
    pub base: DisplayBase,
    /// What; the protocol allows none, and means nothing by it.
    pub source: Option<Image>,
    /// Which part of the image; of another size than the box where it is scaled.
    pub source_area: Rect,
    /// How.
    pub rop: Ropd,
    /// How it is scaled.
    pub scale_mode: ScaleMode,
    /// Which pixels of the box.
    pub mask: Mask,
}

impl Wire for DrawCopy {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, base) = field("base", body, input)?;
        let (input, source) = named("src_bitmap", parse_image(body, input))?;
        let (input, source_area) = field("src_area", body, input)?;
        let (input, rop) = field("rop_descriptor", body, input)?;
        let (input, scale_mode) = field("scale_mode", body, input)?;
        let (input, mask) = Mask::parse(body, input)?;
        Ok((input, Self { base, source, source_area, rop, scale_mode, mask }))
    }

    fn put(&self, writer: &mut Writer) {
        self.base.put(writer);
        let source = writer.put_offset();
        self.source_area.put(writer);
        self.rop.put(writer);
        self.scale_mode.put(writer);
        let mask = self.mask.put_fixed(writer);
        put_image(self.source.as_ref(), &source, writer);
        put_image(self.mask.bitmap.as_ref(), &mask, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            base: Wire::arbitrary(source)?,
            source: arbitrary_image(source)?,
            source_area: Wire::arbitrary(source)?,
            rop: Wire::arbitrary(source)?,
            scale_mode: Wire::arbitrary(source)?,
            mask: Mask::arbitrary(source)?,
        })
    }
}

flags! {
    /// `SPICE_SURFACE_FLAGS_*`.
    pub struct SurfaceFlags: u32 {
        /// It is what a monitor shows.
        const PRIMARY = 1;
        /// Only video is drawn on it.
        const STREAMING_MODE = 2;
    }
}

record! {
    /// `SpiceMsgSurfaceCreate`.
    #[derive(Copy, Eq)]
    pub struct SurfaceCreate {
        /// Its id.
        pub surface_id: SurfaceId,
        /// Columns.
        pub width: u32,
        /// Rows.
        pub height: u32,
        /// How its pixels are kept.
        pub format: SurfaceFormat,
        /// What it is for.
        pub flags: SurfaceFlags,
    }
}

record! {
    /// One monitor (`SpiceHead`).
    #[derive(Copy, Eq)]
    pub struct Head {
        /// Its number.
        pub monitor_id: u32,
        /// The surface that it shows.
        pub surface_id: SurfaceId,
        /// Columns.
        pub width: u32,
        /// Rows.
        pub height: u32,
        /// Where on the surface, from the left.
        pub x: u32,
        /// Where on the surface, from the top.
        pub y: u32,
        /// No flag is defined.
        pub flags: u32,
    }
}

/// `SpiceMsgDisplayMonitorsConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonitorsConfig {
    /// The most monitors that the guest could have.
    pub max_allowed: u16,
    /// The monitors, at most 65,535.
    pub heads: Vec<Head>,
}

impl Wire for MonitorsConfig {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u16>("count", body, input)?;
        let (input, max_allowed) = field("max_allowed", body, input)?;
        let (input, heads) = named("heads", counted(body, input, count.into(), 28))?;
        Ok((input, Self { max_allowed, heads }))
    }

    fn put(&self, writer: &mut Writer) {
        let count = u16::try_from(self.heads.len()).unwrap_or(u16::MAX);
        count.put(writer);
        self.max_allowed.put(writer);
        for head in self.heads.iter().take(count.into()) {
            head.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { max_allowed: Wire::arbitrary(source)?, heads: crate::wire::arbitrary_list(source, 64)? })
    }
}

record! {
    /// `SpiceMsgcDisplayInit`.
    #[derive(Copy, Eq)]
    pub struct Init {
        /// Names the viewer's pixmap cache, which its displays share.
        pub pixmap_cache_id: u8,
        /// Pixels that the pixmap cache can hold.
        pub pixmap_cache_size: i64,
        /// Names the viewer's GLZ dictionary, which its displays share.
        pub glz_dictionary_id: u8,
        /// Pixels that the GLZ dictionary can hold.
        pub glz_dictionary_window_size: i32,
    }
}

record! {
    /// `SpiceMsgcDisplayStreamReport`.
    #[derive(Copy, Eq)]
    pub struct StreamReport {
        /// The stream.
        pub stream_id: u32,
        /// Which activation of reports it answers.
        pub unique_id: u32,
        /// The first frame's time.
        pub start_frame_mm_time: u32,
        /// The last frame's time.
        pub end_frame_mm_time: u32,
        /// Frames that arrived.
        pub num_frames: u32,
        /// Of these, how many came too late; `u32::MAX` with no frames: the viewer cannot decode the stream.
        pub num_drops: u32,
        /// How early the last frame came, in milliseconds.
        pub last_frame_delay: i32,
        /// The sound's latency in milliseconds; `u32::MAX` without sound.
        pub audio_delay: u32,
    }
}

/// `SpiceMsgcDisplayPreferredVideoCodecType`: at most 255, best first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreferredVideoCodecs(pub Vec<VideoCodec>);

impl Wire for PreferredVideoCodecs {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, count) = field::<u8>("num_of_codecs", body, input)?;
        let (input, codecs) = named("codecs", counted(body, input, count.into(), 1))?;
        Ok((input, Self(codecs)))
    }

    fn put(&self, writer: &mut Writer) {
        let count = u8::try_from(self.0.len()).unwrap_or(u8::MAX);
        count.put(writer);
        for codec in self.0.iter().take(count.into()) {
            codec.put(writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        crate::wire::arbitrary_list(source, 255).map(Self)
    }
}
