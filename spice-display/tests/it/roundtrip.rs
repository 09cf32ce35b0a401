//! Pictures of every kind, format and size up to 513x257 through every codec, and back: by our decoders, and by a
//! viewer that is sent a message with the image.

use bytes::Bytes;
use proptest::prelude::*;
use spice_channel::{ClientId, PipeLimits};
use spice_client::{ChannelPeer, DisplayModel};
use spice_display::codec::glz::{self, GlzFormat, GlzSource};
use spice_display::codec::jpeg::{self, JpegFormat, JpegSource};
use spice_display::codec::lz::{self, LzFormat, LzSource};
use spice_display::codec::quic::{self, QuicFormat};
use spice_display::codec::zlib;
use spice_display::qxl::{Bitmap, Clip, DeviceEvent, DrawCopy, DrawOp, GuestEvent, Image, PrimarySurface};
use spice_proto::display::{
    self as wire, BitmapFormat, DisplayBase, ImageCompression, ImageData, ImageFlags, ServerMessage,
    SurfaceFlags, SurfaceFormat,
};
use spice_proto::{HeaderKind, Rect, SurfaceId};

use crate::lab::Lab;
use crate::pictures::{COLOURS, FORMATS, KINDS, Kind, Picture, at_the_ends, cases, picture};
use crate::scene::draw;

/// What LZ4 packs.
pub(crate) const LZ4_FORMATS: [LzFormat; 3] = [LzFormat::Rgb16, LzFormat::Rgb32, LzFormat::Rgba];

/// What QUIC packs; shades of grey are given as bytes of an index.
const QUIC_FORMATS: [LzFormat; 5] =
    [LzFormat::Plt8, LzFormat::Rgb16, LzFormat::Rgb24, LzFormat::Rgb32, LzFormat::Rgba];

/// Pixels of the dictionaries: two of the largest pictures, and a little.
const WINDOW: u32 = 2 * 513 * 257 + 1000;

pub(crate) fn by_lz(picture: &Picture) -> Vec<u8> {
    let &Picture { format, width, height, stride, top_down, ref data, .. } = picture;
    let mut stream = Vec::new();
    lz::encode(&LzSource { format, width, height, stride, top_down, data }, &mut stream).unwrap();
    stream
}

pub(crate) fn by_quic(picture: &Picture) -> Vec<u8> {
    let format = match picture.format {
        LzFormat::Plt8 => QuicFormat::Gray,
        LzFormat::Rgb16 => QuicFormat::Rgb16,
        LzFormat::Rgb24 => QuicFormat::Rgb24,
        LzFormat::Rgb32 => QuicFormat::Rgb32,
        LzFormat::Rgba => QuicFormat::Rgba,
        other => panic!("QUIC of {other:?}"),
    };
    quic::encode(&picture.data, picture.width, picture.height, picture.stride, format).unwrap()
}

/// The header and the body of a picture that is the `id`th.
pub(crate) fn by_glz(
    picture: &Picture,
    dictionary: &mut glz::Dictionary,
    (id, reach): (u64, u32),
) -> ([u8; glz::GlzHeader::LEN], Bytes) {
    let &Picture { width, height, stride, top_down, ref data, .. } = picture;
    let format = GlzFormat::of_bitmap(picture.bitmap().format()).unwrap();
    let data = Bytes::copy_from_slice(data);
    let source = GlzSource { format, width, height, stride, top_down, data };
    let encoded = dictionary.encode(&source, reach).unwrap();
    (encoded.header(id, encoded.before), encoded.body)
}

pub(crate) fn jpeg_source(picture: &Picture) -> JpegSource<'_> {
    let &Picture { width, height, stride, top_down, ref data, .. } = picture;
    let format = JpegFormat::of_bitmap(picture.bitmap().format()).unwrap();
    JpegSource { format, width, height, stride, top_down, data }
}

fn primary(width: u32, height: u32) -> GuestEvent {
    let format = SurfaceFormat::RGB32;
    GuestEvent::Device(DeviceEvent::CreatePrimary(PrimarySurface { width, height, format, content: None }))
}

/// What the server sends of a picture to a viewer that asks for LZ4, and that has the picture afterwards.
pub(crate) fn by_lz4(picture: &Picture) -> ImageData {
    let area = Rect::new(0, 0, picture.width, picture.height);
    let mut lab = Lab::new(PipeLimits::default());
    lab.event(primary(picture.width, picture.height)).unwrap();
    let id: ClientId = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.prefer(id, ImageCompression::LZ4);
    lab.run_until_idle();
    let before = lab.viewer(id).transcript.len();
    let copy = DrawCopy::put(Image::bitmap(1, picture.bitmap()), area);
    lab.event(draw(0, area, Clip::None, DrawOp::Copy(copy))).unwrap();
    lab.run_until_idle();
    assert_eq!(lab.difference(id), None, "{picture:?}");

    let mut peer = ChannelPeer::new(HeaderKind::Mini);
    peer.handle_bytes(&lab.viewer(id).transcript[before..]);
    let mut sent = Vec::new();
    while let Some((id, body)) = peer.poll_message().unwrap() {
        if let ServerMessage::DrawCopy(copy) = ServerMessage::decode(id, &body).unwrap() {
            sent.push(copy.source.unwrap().data);
        }
    }
    assert_eq!(sent.len(), 1, "{picture:?}");
    sent.remove(0)
}

/// A viewer that is sent images one by one, each on a surface of its own.
#[derive(Default)]
struct Shower {
    model: DisplayModel,
    surfaces: u32,
}

impl Shower {
    /// What it has after an image, the bits of its pixels with the top row first.
    fn show(&mut self, data: ImageData, (width, height): (u32, u32), format: SurfaceFormat) -> Vec<u32> {
        self.surfaces += 1;
        let surface_id = SurfaceId(self.surfaces);
        let area = Rect::new(0, 0, width, height);
        let flags = SurfaceFlags::empty();
        let image = wire::Image { id: 7, flags: ImageFlags::empty(), width, height, data };
        let messages = [
            ServerMessage::SurfaceCreate(wire::SurfaceCreate { surface_id, width, height, format, flags }),
            ServerMessage::DrawCopy(wire::DrawCopy {
                base: DisplayBase { surface_id, bbox: area, clip: wire::Clip::None },
                source: Some(image),
                source_area: area,
                rop: wire::Ropd::OP_PUT,
                scale_mode: wire::ScaleMode::INTERPOLATE,
                mask: wire::Mask::default(),
            }),
        ];
        for message in messages {
            self.model.handle(message.id(), &message.encode().to_bytes()).unwrap();
        }
        let canvas = self.model.surface(surface_id).unwrap();
        canvas.read(area).as_chunks().0.iter().copied().map(u32::from_le_bytes).collect()
    }
}

/// What a viewer has of a picture that comes without loss, and without alpha.
fn colours(picture: &Picture) -> Vec<u32> {
    picture
        .rgba()
        .into_iter()
        .map(|[red, green, blue, _]| u32::from_le_bytes([blue, green, red, 0]))
        .collect()
}

fn with_alpha(picture: &Picture) -> Vec<u32> {
    picture.rgba().into_iter().map(|[r, g, b, alpha]| u32::from_le_bytes([b, g, r, alpha])).collect()
}

fn lz_comes_back(picture: &Picture) {
    let image = lz::decode(&by_lz(picture), u64::MAX).unwrap();
    assert_eq!((image.format, image.width, image.height), (picture.format, picture.width, picture.height));
    assert_eq!(image.top_down, picture.top_down);
    assert!(image.pixels == picture.coded(), "{picture:?}");
}

fn quic_comes_back(picture: &Picture) {
    let image = quic::decode(&by_quic(picture), u64::MAX).unwrap();
    assert_eq!((image.width, image.height), (picture.width, picture.height));
    assert!(image.pixels == picture.coded(), "{picture:?}");
}

/// Pictures one after the other to one viewer, every other behind zlib.
fn glz_comes_back(pictures: &[Picture], reach: u32) {
    let mut dictionary = glz::Dictionary::new(WINDOW);
    let mut viewer = glz::Decoder::new(WINDOW.into());
    for (picture, id) in pictures.iter().zip(0..) {
        let (header, body) = by_glz(picture, &mut dictionary, (id, reach));
        let mut stream = [&header[..], &body].concat();
        if id % 2 == 1 {
            let packed = zlib::ZlibBody::new(&body).unwrap().behind(&header);
            assert_eq!(
                zlib::decode(&packed.data.to_bytes(), packed.glz_size, stream.len() as u64).as_ref(),
                Ok(&stream)
            );
            stream = zlib::decode(&packed.data.to_bytes(), packed.glz_size, u64::MAX).unwrap();
        }
        let image = viewer.decode(&stream).unwrap();
        assert_eq!((image.width, image.height), (picture.width, picture.height));
        assert_eq!(image.top_down, picture.top_down);
        assert!(image.pixels == picture.coded(), "{picture:?}, number {id} of {pictures:?}");
    }
}

/// How near two pictures are, in dB; none where they are the same.
pub(crate) fn psnr(
    ours: impl Iterator<Item = [u8; 3]>,
    theirs: impl Iterator<Item = [u8; 3]>,
) -> Option<f64> {
    let (mut error, mut count) = (0_u64, 0_u64);
    for (a, b) in ours.zip(theirs).flat_map(|(ours, theirs)| ours.into_iter().zip(theirs)) {
        error += u64::from(a.abs_diff(b)).pow(2);
        count += 1;
    }
    assert!(count > 0);
    (error > 0).then(|| 10.0 * (255.0 * 255.0 * count as f64 / error as f64).log10())
}

/// What a natural picture has to be near by at least, at the quality of the C server, in dB.
const NEAR: f64 = 35.0;

/// The same for one of fewer pixels than a block, which may be nothing but the steps of a colour of five bits.
const NEAR_BELOW_A_BLOCK: f64 = 32.0;

pub(crate) fn is_near(picture: &Picture, theirs: impl Iterator<Item = [u8; 3]>) {
    let ours = picture.rgba().into_iter().map(|[red, green, blue, _]| [red, green, blue]);
    if let Some(near) = psnr(ours, theirs) {
        let least = if picture.width * picture.height < 64 { NEAR_BELOW_A_BLOCK } else { NEAR };
        assert!(near > least, "{picture:?}: {near:.1} dB");
    }
}

fn jpeg_is_near(picture: &Picture) {
    let size = (picture.width, picture.height);
    let of = |pixel: u32| {
        let [blue, green, red, _] = pixel.to_le_bytes();
        [red, green, blue]
    };
    let stream = jpeg::encode(&jpeg_source(picture), jpeg::QUALITY).unwrap();
    let shown = Shower::default().show(ImageData::Jpeg(stream.into()), size, SurfaceFormat::RGB32);
    is_near(picture, shown.iter().copied().map(of));
    if picture.format == LzFormat::Rgba {
        let image = jpeg::encode_alpha(&jpeg_source(picture), jpeg::QUALITY).unwrap();
        let both = Shower::default().show(ImageData::JpegAlpha(image), size, SurfaceFormat::ARGB32);
        is_near(picture, both.iter().copied().map(of));
        let alpha = picture.rgba().into_iter().map(|[.., alpha]| alpha);
        assert!(both.iter().map(|pixel| (pixel >> 24) as u8).eq(alpha), "{picture:?}");
    }
}

/// What the server packed with LZ4 is what the picture was, to the bit; noise is not packed.
fn lz4_comes_back(picture: &Picture) {
    let size = (picture.width, picture.height);
    let data = by_lz4(picture);
    let bare = match &data {
        ImageData::Lz4(_) => false,
        ImageData::Bitmap(_) => true,
        other => panic!("{other:?}"),
    };
    // Bits that mean nothing are noise, of which alpha has none.
    let level = (picture.kind, picture.format) == (Kind::Flat, LzFormat::Rgba);
    assert!(!(bare && level && picture.coded().len() > 100), "{picture:?}");
    let shown = Shower::default().show(data, size, SurfaceFormat::ARGB32);
    if picture.format == LzFormat::Rgba {
        assert!(shown == with_alpha(picture), "{picture:?}");
    } else {
        assert!(shown.iter().map(|pixel| pixel & 0x00ff_ffff).eq(colours(picture)), "{picture:?}");
    }
}

/// By every codec that loses nothing, in the messages of one viewer.
fn is_shown(picture: &Picture) {
    let size = (picture.width, picture.height);
    let alpha = picture.format == LzFormat::Rgba;
    let (format, expected) = match alpha {
        true => (SurfaceFormat::ARGB32, with_alpha(picture)),
        false => (SurfaceFormat::RGB32, colours(picture)),
    };
    let mut dictionary = glz::Dictionary::new(WINDOW);
    let mut glz = |id| by_glz(picture, &mut dictionary, (id, 1));
    let (header, body) = glz(0);
    let first = ImageData::GlzRgb([Bytes::copy_from_slice(&header), body].into_iter().collect());
    let (header, body) = glz(1);
    let second = ImageData::ZlibGlzRgb(zlib::ZlibBody::new(&body).unwrap().behind(&header));
    // QUIC has no order of rows: the top one comes first.
    let bitmap: &Bitmap = &picture.bitmap();
    let rows = (0..picture.height).map(|y| bitmap.row(y));
    let quic = match picture.format {
        LzFormat::Rgb16 => QuicFormat::Rgb16,
        LzFormat::Rgb24 => QuicFormat::Rgb24,
        LzFormat::Rgb32 => QuicFormat::Rgb32,
        _ => QuicFormat::Rgba,
    };
    let quic = quic::encode_rows(rows, picture.width, picture.height, quic).unwrap();
    let images = [ImageData::LzRgb(by_lz(picture).into()), first, second, ImageData::Quic(quic.into())];
    let mut viewer = Shower::default();
    for data in images {
        let kind = data.image_type();
        let shown = viewer.show(data, size, format);
        assert!(
            shown
                .iter()
                .map(|pixel| if alpha { *pixel } else { pixel & 0x00ff_ffff })
                .eq(expected.iter().copied()),
            "{kind:?} {picture:?}"
        );
    }
}

#[test]
fn pictures_of_the_sizes_at_the_ends_come_back() {
    at_the_ends(&KINDS, &FORMATS).iter().for_each(lz_comes_back);
    at_the_ends(&KINDS, &QUIC_FORMATS).iter().for_each(quic_comes_back);
    let pictures = at_the_ends(&[Kind::Text, Kind::Photo, Kind::Noise], &COLOURS);
    for reach in [0, 3] {
        glz_comes_back(&pictures, reach);
    }
    at_the_ends(&[Kind::Photo], &COLOURS).iter().for_each(jpeg_is_near);
    at_the_ends(&[Kind::Noise, Kind::Flat, Kind::Text], &LZ4_FORMATS).iter().for_each(lz4_comes_back);
    at_the_ends(&[Kind::Desktop], &COLOURS).iter().for_each(is_shown);
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn lz_brings_back_every_pixel(picture in picture(&KINDS, &FORMATS)) {
        lz_comes_back(&picture);
    }

    #[test]
    fn quic_brings_back_every_pixel(picture in picture(&KINDS, &QUIC_FORMATS)) {
        quic_comes_back(&picture);
    }

    #[test]
    fn glz_brings_back_every_pixel_also_behind_zlib(
        pictures in prop::collection::vec(picture(&KINDS, &COLOURS), 1..5),
        again in any::<prop::sample::Index>(),
        reach in prop_oneof![Just(0), Just(1), Just(u32::MAX)],
    ) {
        let mut pictures = pictures;
        let again = pictures[again.index(pictures.len())].clone();
        pictures.push(again);
        glz_comes_back(&pictures, reach);
    }

    #[test]
    fn lz4_brings_back_every_pixel(picture in picture(&KINDS, &LZ4_FORMATS)) {
        lz4_comes_back(&picture);
    }

    #[test]
    fn jpeg_brings_back_natural_pictures_nearly(picture in picture(&[Kind::Photo], &COLOURS)) {
        jpeg_is_near(&picture);
    }

    #[test]
    fn viewers_show_what_was_packed(picture in picture(&KINDS, &COLOURS)) {
        is_shown(&picture);
    }
}

#[test]
fn formats_that_a_codec_does_not_have_are_none_of_its() {
    for format in [BitmapFormat::BIT1_LE, BitmapFormat::BIT4_BE, BitmapFormat::BIT8, BitmapFormat::A8] {
        assert_eq!((JpegFormat::of_bitmap(format), GlzFormat::of_bitmap(format)), (None, None));
    }
}
