//! Video.

use bytes::Bytes;

use crate::draw::Clip;
use crate::geometry::Rect;
use crate::ids::SurfaceId;
use crate::open_enum;
use crate::wire::{In, Parsed, Wire, Writer, counted, field, flags, id, named, record, shared, wire_newtype};

id! {
    /// A video stream of one display channel. Below 64 (`SPICE_MAX_NUM_STREAMS`), which decoding does not check.
    pub struct StreamId(u32);
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

wire_newtype!(VideoCodec(u8));

flags! {
    /// `SPICE_STREAM_FLAGS_*`.
    pub struct StreamFlags: u8 {
        /// The top row comes first.
        const TOP_DOWN = 1;
    }
}

record! {
    /// `SpiceMsgDisplayStreamCreate`.
    #[derive(Eq)]
    pub struct StreamCreate {
        /// The surface that it is shown on.
        pub surface_id: SurfaceId,
        /// Its id.
        pub id: StreamId,
        /// The order of its rows.
        pub flags: StreamFlags,
        /// How its frames are packed.
        pub codec: VideoCodec,
        /// A time; servers send 0 and viewers ignore it.
        pub stamp: u64,
        /// Columns of a frame.
        pub stream_width: u32,
        /// Rows of a frame.
        pub stream_height: u32,
        /// Columns of what the guest drew.
        pub src_width: u32,
        /// Rows of what the guest drew.
        pub src_height: u32,
        /// Where it is shown; frames are scaled to it.
        pub dest: Rect,
        /// In which parts of that.
        pub clip: Clip,
    }
}

/// `SpiceMsgDisplayStreamData`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamData {
    /// The stream.
    pub id: StreamId,
    /// When the frame is to be shown, in milliseconds of the session's multimedia time.
    pub multi_media_time: u32,
    /// The frame, as the stream's codec has it.
    pub data: Bytes,
}

impl Wire for StreamData {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, id) = field("base.id", body, input)?;
        let (input, multi_media_time) = field("base.multi_media_time", body, input)?;
        let (input, data) = parse_frame(body, input)?;
        Ok((input, Self { id, multi_media_time, data }))
    }

    fn put(&self, writer: &mut Writer) {
        self.id.put(writer);
        self.multi_media_time.put(writer);
        put_frame(&self.data, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            id: Wire::arbitrary(source)?,
            multi_media_time: Wire::arbitrary(source)?,
            data: Wire::arbitrary(source)?,
        })
    }
}

/// `SpiceMsgDisplayStreamDataSized`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamDataSized {
    /// The stream.
    pub id: StreamId,
    /// When the frame is to be shown, in milliseconds of the session's multimedia time.
    pub multi_media_time: u32,
    /// Columns of this frame.
    pub width: u32,
    /// Rows of this frame.
    pub height: u32,
    /// Where this frame is shown.
    pub dest: Rect,
    /// The frame, as the stream's codec has it.
    pub data: Bytes,
}

impl Wire for StreamDataSized {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, id) = field("base.id", body, input)?;
        let (input, multi_media_time) = field("base.multi_media_time", body, input)?;
        let (input, width) = field("width", body, input)?;
        let (input, height) = field("height", body, input)?;
        let (input, dest) = field("dest", body, input)?;
        let (input, data) = parse_frame(body, input)?;
        Ok((input, Self { id, multi_media_time, width, height, dest, data }))
    }

    fn put(&self, writer: &mut Writer) {
        self.id.put(writer);
        self.multi_media_time.put(writer);
        self.width.put(writer);
        self.height.put(writer);
        self.dest.put(writer);
        put_frame(&self.data, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            id: Wire::arbitrary(source)?,
            multi_media_time: Wire::arbitrary(source)?,
            width: Wire::arbitrary(source)?,
            height: Wire::arbitrary(source)?,
            dest: Wire::arbitrary(source)?,
            data: Wire::arbitrary(source)?,
        })
    }
}

fn parse_frame<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Bytes> {
    let (input, len) = field::<u32>("data_size", body, input)?;
    named("data", shared(body, input, len as usize))
}

fn put_frame(data: &Bytes, writer: &mut Writer) {
    u32::try_from(data.len()).unwrap_or(u32::MAX).put(writer);
    data.put(writer);
}

record! {
    /// `SpiceMsgDisplayStreamClip`.
    #[derive(Eq)]
    pub struct StreamClip {
        /// The stream.
        pub id: StreamId,
        /// The parts of its box that it is shown in from here on.
        pub clip: Clip,
    }
}

record! {
    /// `SpiceMsgDisplayStreamActivateReport`: when the viewer is to send a [`StreamReport`].
    #[derive(Copy, Eq)]
    pub struct StreamActivateReport {
        /// The stream.
        pub stream_id: StreamId,
        /// Names this activation.
        pub unique_id: u32,
        /// After so many frames at the latest.
        pub max_window_size: u32,
        /// After so many milliseconds at the latest.
        pub timeout_ms: u32,
    }
}

record! {
    /// `SpiceMsgcDisplayStreamReport`.
    #[derive(Copy, Eq)]
    pub struct StreamReport {
        /// The stream.
        pub stream_id: StreamId,
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
