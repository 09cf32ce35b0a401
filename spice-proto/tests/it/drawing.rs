//! Drawing messages: what their offsets point to, and in which order it lies behind the fixed part.

use bytes::Bytes;
use spice_proto::display::{
    AlphaFlags, BitmapFlags, BitmapFormat, BitmapImage, Brush, Clip, CompositeFlags, DisplayBase,
    DrawAlphaBlend, DrawBlackness, DrawBlend, DrawComposite, DrawCopy, DrawInvers, DrawOpaque, DrawRop3,
    DrawStroke, DrawText, DrawTransparent, DrawWhiteness, Fixed16_16, Fixed28_4, Glyph, Glyphs, Image,
    ImageData, ImageFlags, ImagePalette, JpegAlphaFlags, JpegAlphaImage, LineAttr, LineFlags, LzPaletteImage,
    Mask, MaskFlags, Palette, PaletteId, Path, PathFlags, PathSegment, Pattern, PointFix, Rop3, Ropd,
    ScaleMode, ServerMessage, StringFlags, Transform, ZlibGlzImage,
};
use spice_proto::{DecodeErrorKind, Point, Point16, Rect, SurfaceId};

/// There and back, and every truncation is an error. Gives the bytes.
fn check(message: &ServerMessage) -> Bytes {
    let body = message.encode().to_bytes();
    assert_eq!(ServerMessage::decode(message.id(), &body).as_ref(), Ok(message));
    for short in 0..body.len() {
        let cut = ServerMessage::decode(message.id(), &body.slice(..short));
        assert!(cut.is_err(), "{message:?} cut to {short} of {} bytes is {cut:?}", body.len());
    }
    body
}

fn base() -> DisplayBase {
    DisplayBase { surface_id: SurfaceId(2), bbox: Rect::new(1, 2, 3, 4), clip: Clip::None }
}

fn image(data: ImageData) -> Image {
    Image { id: 9, flags: ImageFlags::empty(), width: 3, height: 2, data }
}

fn palette(id: u64) -> ImagePalette {
    ImagePalette::Sent(Palette { id: PaletteId(id), entries: vec![0x00ff_0000, 0x0000_ff00] })
}

fn lz_palette(palette: ImagePalette) -> Image {
    let data = Bytes::from_static(b"lz_plt");
    image(ImageData::LzPalette(LzPaletteImage { flags: BitmapFlags::empty(), palette, data }))
}

fn bitmap(palette: Option<ImagePalette>) -> Image {
    image(ImageData::Bitmap(BitmapImage {
        format: BitmapFormat::BIT8,
        flags: BitmapFlags::TOP_DOWN,
        x: 3,
        y: 2,
        stride: 4,
        palette,
        data: Bytes::from_static(b"abc.def."),
    }))
}

fn pattern(image: Image) -> Brush {
    Brush::Pattern(Box::new(Pattern { image, pos: Point::new(5, 6) }))
}

fn mask(bitmap: Option<Image>) -> Mask {
    Mask { flags: MaskFlags::INVERS, pos: Point::new(7, 8), bitmap }
}

fn opaque(source: Option<Image>, brush: Brush, mask: Mask) -> ServerMessage {
    ServerMessage::DrawOpaque(DrawOpaque {
        base: base(),
        source,
        source_area: Rect::new(0, 0, 3, 2),
        brush,
        rop: Ropd::OP_PUT,
        scale_mode: ScaleMode::NEAREST,
        mask,
    })
}

fn copy(source: Image) -> ServerMessage {
    ServerMessage::DrawCopy(DrawCopy {
        base: base(),
        source: Some(source),
        source_area: Rect::new(0, 0, 3, 2),
        rop: Ropd::OP_PUT,
        scale_mode: ScaleMode::INTERPOLATE,
        mask: Mask::default(),
    })
}

fn stroke(style: Option<Vec<Fixed28_4>>, brush: Brush) -> ServerMessage {
    let point = |x, y| PointFix { x: Fixed28_4(x), y: Fixed28_4(y) };
    let mut flags = LineFlags::START_WITH_GAP;
    flags.set(LineFlags::STYLED, style.is_some());
    ServerMessage::DrawStroke(DrawStroke {
        base: base(),
        path: Path {
            segments: vec![
                PathSegment { flags: PathFlags::BEGIN, points: vec![point(16, 32), point(-48, 8)] },
                PathSegment { flags: PathFlags::END | PathFlags::CLOSE, points: vec![point(1, 2)] },
            ],
        },
        attr: LineAttr { flags, style },
        brush,
        fore_mode: Ropd::OP_PUT,
        back_mode: Ropd::OP_XOR,
    })
}

fn text(flags: StringFlags, glyphs: Vec<Glyph>, fore_brush: Brush, back_brush: Brush) -> ServerMessage {
    ServerMessage::DrawText(DrawText {
        base: base(),
        glyphs: Glyphs { flags, glyphs },
        back_area: Rect::new(0, 0, 3, 4),
        fore_brush,
        back_brush,
        fore_mode: Ropd::OP_PUT,
        back_mode: Ropd::OP_PUT,
    })
}

fn glyph(width: u16, height: u16, data: &'static [u8]) -> Glyph {
    let (render_pos, origin) = (Point::new(10, 11), Point::new(0, -9));
    Glyph { render_pos, origin, width, height, data: Bytes::from_static(data) }
}

/// The u32 at `at`.
fn word(at: usize, body: &Bytes) -> u32 {
    u32::from_le_bytes(*body[at..].first_chunk().unwrap())
}

/// Bytes of `base()`: surface, box, no clip.
const BASE: usize = 21;
/// Bytes of an image's descriptor.
const IMAGE: usize = 18;

#[test]
fn palettes_lie_behind_every_image_of_their_message() {
    let body = check(&opaque(
        Some(lz_palette(palette(100))),
        pattern(bitmap(Some(palette(101)))),
        mask(Some(bitmap(Some(palette(102))))),
    ));
    let fixed = BASE + 4 + 16 + (1 + 4 + 8) + 2 + 1 + (1 + 8 + 4);
    let (lz_len, bitmap_len) = (IMAGE + 1 + 4 + 4 + 6, IMAGE + 14 + 4 + 8);
    let palette_len = 8 + 2 + 8;
    let images = [fixed, fixed + lz_len, fixed + lz_len + bitmap_len];
    let first_palette = images[2] + bitmap_len;
    let palettes = [0, 1, 2].map(|nth| first_palette + nth * palette_len);
    assert_eq!(body.len(), palettes[2] + palette_len);

    let offsets = [BASE, BASE + 4 + 16 + 1, fixed - 4].map(|at| word(at, &body) as usize);
    assert_eq!(offsets, images);
    let offsets = [images[0] + IMAGE + 5, images[1] + IMAGE + 14, images[2] + IMAGE + 14];
    assert_eq!(offsets.map(|at| word(at, &body) as usize), palettes);
    assert_eq!(palettes.map(|at| word(at, &body)), [100, 101, 102]);
}

#[test]
fn a_path_and_its_style_lie_in_the_order_of_their_offsets() {
    let body = check(&stroke(Some(vec![Fixed28_4(16), Fixed28_4(48)]), pattern(bitmap(None))));
    let fixed = BASE + 4 + (1 + 1 + 4) + (1 + 4 + 8) + 2 + 2;
    let path = 4 + (5 + 16) + (5 + 8);
    assert_eq!(word(BASE, &body) as usize, fixed);
    assert_eq!(word(BASE + 4 + 2, &body) as usize, fixed + path);
    assert_eq!(word(BASE + 4 + 6 + 1, &body) as usize, fixed + path + 8);
    // Segments follow one another: there is no offset for each.
    assert_eq!(body[fixed..fixed + 9], [2, 0, 0, 0, 1, 2, 0, 0, 0]);
    assert_eq!(body[fixed + 25], 2 | 8);

    check(&stroke(Some(vec![]), Brush::None));
    check(&stroke(None, Brush::Solid(3)));
}

#[test]
fn glyphs_follow_one_another_and_have_rows_of_whole_bytes() {
    let samples = [
        (StringFlags::RASTER_A1, glyph(9, 2, b"abcd")),
        (StringFlags::RASTER_A4 | StringFlags::RASTER_TOP_DOWN, glyph(3, 2, b"abcd")),
        (StringFlags::RASTER_A8, glyph(2, 2, b"abcd")),
    ];
    for (flags, glyph) in samples {
        let body = check(&text(flags, vec![glyph; 2], pattern(bitmap(None)), pattern(bitmap(None))));
        let fixed = BASE + 4 + 16 + 13 + 13 + 2 + 2;
        assert_eq!(word(BASE, &body) as usize, fixed);
        assert_eq!(word(BASE + 20 + 1, &body) as usize, fixed + 3 + 2 * 24);
        assert_eq!(body[fixed..fixed + 3], [2, 0, flags.bits()]);
    }
    check(&text(StringFlags::empty(), vec![], Brush::None, Brush::None));
}

#[test]
fn every_packing_comes_back() {
    let packed = Bytes::from_static(b"packed");
    let jpeg_alpha =
        JpegAlphaImage { flags: JpegAlphaFlags::TOP_DOWN, jpeg: packed.clone(), alpha: packed.clone() };
    for data in [
        ImageData::Quic(packed.clone()),
        ImageData::LzRgb(packed.clone()),
        ImageData::GlzRgb(packed.clone().into()),
        ImageData::FromCache,
        ImageData::Surface(SurfaceId(3)),
        ImageData::Jpeg(packed.clone()),
        ImageData::FromCacheLossless,
        ImageData::ZlibGlzRgb(ZlibGlzImage { glz_size: 99, data: packed.clone().into() }),
        ImageData::JpegAlpha(jpeg_alpha),
        ImageData::Lz4(packed),
    ] {
        check(&copy(image(data)));
    }
    check(&copy(lz_palette(palette(1))));
    check(&copy(bitmap(None)));
}

/// The flag says whether an offset or a name follows, so it cannot be left to the caller.
#[test]
fn the_flag_of_a_cached_palette_follows_the_palette() {
    let mut cached = bitmap(Some(ImagePalette::Cached(PaletteId(7))));
    let body = copy(cached.clone()).encode().to_bytes();
    let Ok(ServerMessage::DrawCopy(DrawCopy { source, .. })) = ServerMessage::decode(304, &body) else {
        panic!("{body:?}")
    };
    let ImageData::Bitmap(bitmap) = &mut cached.data else { unreachable!() };
    bitmap.flags |= BitmapFlags::PAL_FROM_CACHE;
    assert_eq!(source, Some(cached.clone()));
    check(&copy(cached));
}

#[test]
fn the_other_operations() {
    let (source, source_area) = (Some(bitmap(None)), Rect::new(0, 0, 3, 2));
    let (rop, scale_mode) = (Ropd::OP_AND, ScaleMode::NEAREST);
    let mask = mask(Some(bitmap(None)));
    let one = Fixed16_16::ONE;
    let zero = Fixed16_16(0);
    let transform = Transform { t00: one, t01: zero, t02: Fixed16_16(-1), t10: zero, t11: one, t12: zero };
    let composite = DrawComposite {
        base: base(),
        flags: CompositeFlags::from_bits_retain(3) | CompositeFlags::DEST_OPAQUE,
        source: source.clone(),
        mask: None,
        source_transform: None,
        mask_transform: None,
        source_origin: Point16 { x: 1, y: -1 },
        mask_origin: Point16 { x: 2, y: -2 },
    };
    let flags = composite.flags
        | CompositeFlags::HAS_MASK
        | CompositeFlags::HAS_SRC_TRANSFORM
        | CompositeFlags::HAS_MASK_TRANSFORM;
    let transformed = DrawComposite {
        flags,
        mask: source.clone(),
        source_transform: Some(transform),
        mask_transform: Some(transform),
        ..composite.clone()
    };
    for message in [
        ServerMessage::DrawBlend(DrawBlend {
            base: base(),
            source: source.clone(),
            source_area,
            rop,
            scale_mode,
            mask: mask.clone(),
        }),
        ServerMessage::DrawBlackness(DrawBlackness { base: base(), mask: mask.clone() }),
        ServerMessage::DrawWhiteness(DrawWhiteness { base: base(), mask: Mask::default() }),
        ServerMessage::DrawInvers(DrawInvers { base: base(), mask: mask.clone() }),
        ServerMessage::DrawRop3(DrawRop3 {
            base: base(),
            source: source.clone(),
            source_area,
            brush: Brush::Solid(1),
            rop3: Rop3(0xcc),
            scale_mode,
            mask,
        }),
        ServerMessage::DrawTransparent(DrawTransparent {
            base: base(),
            source: source.clone(),
            source_area,
            src_color: 1,
            true_color: 2,
        }),
        ServerMessage::DrawAlphaBlend(DrawAlphaBlend {
            base: base(),
            alpha_flags: AlphaFlags::DEST_HAS_ALPHA,
            alpha: 128,
            source,
            source_area,
        }),
        ServerMessage::DrawComposite(composite),
        ServerMessage::DrawComposite(transformed),
    ] {
        check(&message);
    }
}

/// The message with these bytes replaced.
fn fault_with(message: &ServerMessage, at: usize, bytes: &[u8]) -> (&'static str, usize, DecodeErrorKind) {
    let mut body = message.encode().to_bytes().to_vec();
    body[at..at + bytes.len()].copy_from_slice(bytes);
    let error = ServerMessage::decode(message.id(), &body.into()).unwrap_err();
    (error.field, error.offset, error.kind)
}

#[test]
fn what_must_be_pointed_to_cannot_be_missing() {
    let none = DecodeErrorKind::Offset { target: 0 };
    let line = stroke(Some(vec![Fixed28_4(16)]), pattern(bitmap(None)));
    assert_eq!(fault_with(&line, BASE, &[0; 4]), ("path", BASE, none));
    assert_eq!(fault_with(&line, BASE + 6, &[0; 4]), ("attr.style", BASE + 6, none));
    assert_eq!(fault_with(&line, BASE + 11, &[0; 4]), ("brush.pattern", BASE + 11, none));
    let glyphs = text(StringFlags::RASTER_A8, vec![glyph(1, 1, b"a")], Brush::None, Brush::None);
    assert_eq!(fault_with(&glyphs, BASE, &[0; 4]), ("str", BASE, none));
    let lz = copy(lz_palette(palette(1)));
    let at = lz.encode().len() - (8 + 2 + 8) - 6 - 4;
    assert_eq!(fault_with(&lz, at, &[0; 4]), ("lz_plt.palette", at, none));
}

#[test]
fn an_image_inside_an_image_of_its_own_is_refused() {
    let message = copy(bitmap(Some(palette(1))));
    let source = word(BASE, &message.encode().to_bytes());
    let at = source as usize + IMAGE + 14;
    for target in [1, source, u32::try_from(at).unwrap(), 1 << 20, u32::MAX] {
        let fault = fault_with(&message, at, &target.to_le_bytes());
        assert_eq!(fault, ("bitmap.palette", at, DecodeErrorKind::Offset { target }));
    }
}

#[test]
fn hostile_counts_and_numbers_are_refused() {
    let picture = copy(image(ImageData::Quic(Bytes::from_static(b"packed"))));
    let source = word(BASE, &picture.encode().to_bytes()) as usize;
    let kind = DecodeErrorKind::Value { value: 77 };
    assert_eq!(fault_with(&picture, source + 8, &[77]), ("image.type", source + 8, kind));
    let (field, _, kind) = fault_with(&picture, source + IMAGE, &[0xff; 4]);
    assert_eq!((field, kind), ("image.data", DecodeErrorKind::Truncated { missing: u32::MAX as usize - 6 }));

    let line = stroke(None, Brush::None);
    let path = word(BASE, &line.encode().to_bytes()) as usize;
    let (field, _, kind) = fault_with(&line, path, &[0xff; 4]);
    assert_eq!(field, "path.segments");
    assert!(matches!(kind, DecodeErrorKind::Truncated { .. }));
    let (field, _, kind) = fault_with(&line, path + 5, &[0xff; 4]);
    assert_eq!(field, "segment.points");
    assert!(matches!(kind, DecodeErrorKind::Truncated { .. }));

    let glyphs = text(StringFlags::RASTER_A8, vec![glyph(1, 1, b"a")], Brush::None, Brush::None);
    let string = word(BASE, &glyphs.encode().to_bytes()) as usize;
    let (field, _, kind) = fault_with(&glyphs, string, &[0xff; 2]);
    assert_eq!(field, "string.glyphs");
    assert!(matches!(kind, DecodeErrorKind::Truncated { .. }));
    let kind = DecodeErrorKind::Value { value: 8 };
    assert_eq!(fault_with(&glyphs, string + 2, &[8]), ("string.flags", string + 2, kind));

    let jpeg_alpha = JpegAlphaImage {
        flags: JpegAlphaFlags::empty(),
        jpeg: Bytes::from_static(b"j"),
        alpha: Bytes::new(),
    };
    let picture = copy(image(ImageData::JpegAlpha(jpeg_alpha)));
    let kind = DecodeErrorKind::TooMany { count: 2, max: 1 };
    let at = source + IMAGE + 1;
    assert_eq!(fault_with(&picture, at, &[2]), ("jpeg_alpha.jpeg_size", at, kind));
}
