//! What is refused, and how that is said; and what is read although it looks odd.

use std::sync::Arc;

use bytes::Bytes;
use spice_proto::cursor::CursorType;
use spice_proto::display::{
    Fixed28_4, Glyph, Glyphs, LineAttr, LineFlags, Palette, PaletteId, Path, PathFlags, PathSegment,
    PointFix, Ropd, ScaleMode, StringFlags, SurfaceFormat,
};
use spice_proto::{Point, Point16, Rect, SurfaceId};

use super::{BASE, GROUP, Layout, Style, read, read_with, slots};
use crate::memory::{GuestMemory, OutOfRange, QxlPhysical};
use crate::qxl::parse::{
    CommandFlags, CommandKind, MAX_HEADS, MAX_MESSAGE, Parsed, QxlCommand, Refused, SurfaceCreate,
    monitors_config, parse, primary_surface,
};
use crate::qxl::{
    Bitmap, BitmapFormat, Brush, Clip, Command, CursorCommand, DrawCopy, DrawFill, DrawOp, DrawOpaque,
    DrawStroke, DrawText, Drawable, Effect, Image, ImageSource, Mask, Pattern, QuicImage, SurfaceCommand,
};

/// Where a drawable's operation begins.
const OP: usize = 123;

/// A command in memory whose bytes are then changed.
struct Guest {
    memory: Vec<u8>,
    kind: CommandKind,
    /// Where the command is.
    at: usize,
}

impl Guest {
    fn new(command: &Command) -> Self {
        let mut layout = Layout::new(BASE, Style { chunk: 7, direct: false, compat: false });
        let (kind, address) = layout.command(command);
        Self { memory: layout.into_memory(), kind, at: (address - BASE) as usize }
    }

    fn draw(op: DrawOp) -> Self {
        let bbox = Rect::new(0, 0, 4, 3);
        let (surface, effect) = (SurfaceId(5), Effect::OPAQUE);
        Self::new(&Command::Draw(Drawable { surface, bbox, clip: Clip::None, effect, mm_time: 0, op }))
    }

    /// The place that an address in memory names.
    fn follow(&self, at: usize) -> usize {
        let address = u64::from_le_bytes(self.memory[at..at + 8].try_into().unwrap());
        (address - BASE) as usize
    }

    /// The same with these bytes there.
    fn with(mut self, at: usize, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        self.memory[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn read(self) -> Result<Parsed, Refused> {
        read(self.memory, self.kind, BASE + self.at as u64)
    }

    fn drawable(self) -> Drawable {
        match self.read().unwrap().command {
            Command::Draw(drawable) => drawable,
            other => panic!("{other:?}"),
        }
    }

    /// What is said, without where.
    fn refused(self) -> String {
        let refused = self.read().unwrap_err();
        assert!(refused.release.is_some());
        let text = refused.to_string();
        let (field, rest) = text.split_once(" at ").unwrap();
        let (_, what) = rest.split_once(": ").unwrap();
        format!("{field}: {what}")
    }
}

fn bitmap(format: BitmapFormat) -> Image {
    let palette = Palette { id: PaletteId(1), entries: vec![0x7fff, 0x7c00, 0x03e0, 0x001f] };
    let bitmap = Bitmap::new(format, (4, 3), 16, true, Bytes::from(vec![3; 48])).unwrap();
    Image::bitmap(9, Arc::new(bitmap.with_palette(Some(Arc::new(palette)))))
}

fn copy() -> Guest {
    Guest::draw(DrawOp::Copy(DrawCopy::put(bitmap(BitmapFormat::BIT8), Rect::new(0, 0, 4, 3))))
}

fn opaque() -> Guest {
    Guest::draw(DrawOp::Opaque(DrawOpaque {
        source: bitmap(BitmapFormat::RGB32),
        source_area: Rect::new(0, 0, 4, 3),
        brush: Brush::Solid(0x7fff),
        rop: Ropd::OP_AND,
        scale_mode: ScaleMode::NEAREST,
        mask: None,
    }))
}

#[test]
fn a_command_that_is_not_there_gives_nothing_back() {
    let slots = slots(vec![0_u8; 500]);
    let refused = |group, kind, data| {
        let flags = CommandFlags::default();
        let command = QxlCommand { group, flags, kind, data: QxlPhysical(data) };
        let refused = parse(&slots, &command).unwrap_err();
        assert_eq!(refused.release, None);
        refused.to_string()
    };
    let address = format!("{BASE:#x}");
    assert_eq!(refused(GROUP, CommandKind::NOP, BASE), format!("command.type at {address}: 0 is not known"));
    assert_eq!(refused(GROUP, CommandKind(6), BASE), format!("command.type at {address}: 6 is not known"));
    assert_eq!(
        refused(2, CommandKind::DRAW, BASE),
        format!("drawable.address at {address}: there is no group 2, only 2 groups of memory slots")
    );
    assert_eq!(
        refused(GROUP, CommandKind::CURSOR, 0),
        "cursor_cmd.address at 0x0: slot 0 of group 1 has no memory"
    );
    let short = BASE + 500 - 190;
    assert_eq!(
        refused(GROUP, CommandKind::DRAW, short),
        format!("drawable.address at {short:#x}: 191 bytes at 0x136 do not lie within 0x1f4")
    );
}

#[test]
fn values_that_nothing_stands_for_are_named() {
    assert_eq!(copy().with_op(13, [77]), "drawable.type: 77 is not known");
    assert_eq!(copy().with_op(47, [5]), "drawable.clip.type: 5 is not known");
    assert_eq!(opaque().with_op(OP + 24, [9]), "drawable.brush.type: 9 is not known");
    let image = copy();
    let at = image.follow(image.at + OP) + 8;
    assert_eq!(image.with(at, [9]).refused(), "src_bitmap.descriptor.type: 9 is not known");
    let format = copy();
    let at = format.follow(format.at + OP) + 18;
    assert_eq!(format.with(at, [11]).refused(), "bitmap.format: bitmap format 11 is not known");
    let cursor = || Guest::new(&Command::Cursor(CursorCommand::Hide));
    assert_eq!(cursor().with_op(8, [4]), "cursor_cmd.type: 4 is not known");
    let surface = || Guest::new(&Command::Surface(SurfaceCommand::Destroy { surface: SurfaceId(1) }));
    assert_eq!(surface().with_op(12, [2]), "surface_cmd.type: 2 is not known");
}

impl Guest {
    /// [`Self::refused`] with these bytes there, counted from the command.
    fn with_op(self, at: usize, bytes: impl AsRef<[u8]>) -> String {
        let at = self.at + at;
        self.with(at, bytes).refused()
    }
}

#[test]
fn an_image_that_is_not_there_is_the_surface_itself_where_that_is_said() {
    const SELF_BITMAP: usize = 14;
    let own = Rect::from_edges(0x0303_0303, 0x0303_0303, 0x0303_0303, 0x0303_0303);
    let none = [0; 8];
    assert_eq!(opaque().with_op(OP, none), "drawable.src_bitmap: nothing is there");
    let guest = opaque();
    let at = guest.at;
    let drawable = guest.with(at + OP, none).with(at + SELF_BITMAP, [3; 17]).drawable();
    let sources: Vec<&ImageSource> = drawable.op.images().map(|image| &image.source).collect();
    assert!(matches!(sources[..], [ImageSource::Own(area)] if *area == own));
    // A copy never is one of the surface itself, whatever is said.
    let guest = copy();
    let at = guest.at;
    let text = guest.with(at + OP, none).with_op(SELF_BITMAP, [3; 17]);
    assert_eq!(text, "drawable.src_bitmap: nothing is there");
    let drawable = copy().with(at + SELF_BITMAP, [1]).drawable();
    assert!(drawable.op.images().all(|image| matches!(image.source, ImageSource::Bitmap(_))));
}

#[test]
fn bitmaps_have_all_their_bytes_and_no_more() {
    let refused = |at: usize, bytes: &[u8]| {
        let guest = copy();
        let at = guest.follow(guest.at + OP) + 18 + at;
        guest.with(at, bytes).refused()
    };
    assert_eq!(refused(6, &[4]), "bitmap.data: 48 bytes instead of 64");
    assert_eq!(refused(6, &[2]), "bitmap.data: 48 bytes instead of 32");
    assert_eq!(refused(6, &[0]), "bitmap.data: 48 bytes instead of 0");
    assert_eq!(refused(2, &[0; 4]), "bitmap.format: bitmap of 0x3 has no pixel");
    assert_eq!(refused(2, &[17]), "bitmap.format: bitmap rows of 17 pixels do not fit a stride of 16 bytes");
    let most = 128 << 20;
    let wanted = 16 * u64::from(u32::MAX);
    assert_eq!(refused(6, &[0xff; 4]), format!("bitmap.stride: {wanted} bytes are more than {most}"));
    assert_eq!(refused(14, &[0; 8]), "bitmap.palette: a bitmap of format BIT8 needs a palette");
    // In one piece, where the same bytes are no list.
    let guest = copy();
    let at = guest.follow(guest.at + OP) + 19;
    assert!(guest.with(at, [1]).read().is_ok());
}

#[test]
fn a_mask_needs_no_palette() {
    let mask = Some(Mask { inverted: true, pos: Point::new(1, 2), image: bitmap(BitmapFormat::BIT1_BE) });
    let guest = Guest::draw(DrawOp::Invers(mask));
    let palette = guest.follow(guest.at + OP + 9) + 18 + 14;
    assert!(guest.with(palette, [0; 8]).read().is_ok());
}

#[test]
fn packed_images_and_strings_are_as_long_as_is_said() {
    let quic = QuicImage { width: 4, height: 3, data: vec![1; 30].into() };
    let image = Image { source: ImageSource::Quic(Arc::new(quic)), ..Image::surface(SurfaceId(0)) };
    let guest = Guest::draw(DrawOp::Copy(DrawCopy::put(image, Rect::new(0, 0, 4, 3))));
    let at = guest.follow(guest.at + OP) + 18;
    assert_eq!(guest.with(at, [31]).refused(), "quic.data_size: 30 bytes instead of 31");

    let text = || {
        let pos = Point::default();
        let glyph = Glyph { render_pos: pos, origin: pos, width: 3, height: 2, data: vec![9; 6].into() };
        Guest::draw(DrawOp::Text(DrawText {
            glyphs: Arc::new(Glyphs { flags: StringFlags::RASTER_A8, glyphs: vec![glyph.clone(), glyph] }),
            back_area: Rect::default(),
            fore_brush: Brush::None,
            back_brush: Brush::None,
            fore_mode: Ropd::OP_PUT,
            back_mode: Ropd::OP_PUT,
        }))
    };
    let refused = |at: usize, bytes: &[u8]| {
        let guest = text();
        let at = guest.follow(guest.at + OP) + at;
        guest.with(at, bytes).refused()
    };
    assert_eq!(refused(0, &[51]), "string.data_size: 52 bytes instead of 51");
    assert_eq!(refused(4, &[3]), "string.chunk: 3 glyphs do not take 52 bytes");
    assert_eq!(refused(6, &[0]), "string.chunk: a string of flags 0x0 has no glyphs");
    assert!(text().read().is_ok());
}

#[test]
fn clips_and_paths_hold_what_they_count() {
    let fill = DrawOp::Fill(DrawFill::solid(1));
    let clip = Clip::Rects(vec![Rect::new(1, 2, 3, 4); 3].into());
    let (surface, bbox) = (SurfaceId(0), Rect::new(0, 0, 9, 9));
    let drawable = Drawable { surface, bbox, clip, effect: Effect::OPAQUE, mm_time: 0, op: fill };
    let clipped = || Guest::new(&Command::Draw(drawable.clone()));
    for count in [2, 4, 0x1000_0003, u32::MAX] {
        let guest = clipped();
        let at = guest.follow(guest.at + 51);
        let text = guest.with(at, count.to_le_bytes()).refused();
        assert_eq!(text, format!("clip_rects.num_rects: {count} rectangles do not take 48 bytes"));
    }

    let stroke = || {
        let points = vec![PointFix::default(); 2];
        let segment = PathSegment { flags: PathFlags::BEGIN, points };
        Guest::draw(DrawOp::Stroke(DrawStroke {
            path: Arc::new(Path { segments: vec![segment.clone(), segment] }),
            attr: LineAttr { flags: LineFlags::STYLED, style: Some(vec![Fixed28_4(16); 5]) },
            brush: Brush::Solid(1),
            fore_mode: Ropd::OP_PUT,
            back_mode: Ropd::OP_PUT,
        }))
    };
    for count in [6_u32, 0x2000_0002, u32::MAX] {
        let guest = stroke();
        // The first chunk has 7 bytes, so the count's first three, and the next one the fourth.
        let (first, path) = (count.to_le_bytes(), guest.follow(guest.at + OP));
        let second = guest.follow(path + 16);
        let second = guest.follow(second + 12);
        let text = guest.with(path + 28, &first[..3]).with(second + 20, &first[3..]).refused();
        assert!(text.starts_with("path.chunk: path segment "), "{text}");
    }
    assert_eq!(stroke().with_op(OP + 20, [0; 8]), "drawable.attr.style: nothing is there");
    let guest = stroke();
    let end = BASE + guest.memory.len() as u64;
    let text = guest.with_op(OP + 20, (end - 19).to_le_bytes());
    assert!(text.starts_with("drawable.attr.style: 20 bytes at "), "{text}");
}

#[test]
fn source_areas_lie_within_their_image() {
    for area in [[-1, 0, 3, 4], [0, -1, 3, 4], [0, 0, 4, 4], [0, 0, 3, 5], [2, 0, 1, 4], [0, 0, i32::MAX, 4]]
    {
        let bytes: Vec<u8> = area.into_iter().flat_map(i32::to_le_bytes).collect();
        let text = copy().with_op(OP + 8, bytes);
        assert!(text.starts_with("drawable.u: the source area"), "{text}");
    }
}

#[test]
fn colours_of_16_bits_have_32_where_that_is_said() {
    let flags = CommandFlags::from_bits(2);
    let guest = opaque();
    let parsed = read_with(guest.memory, guest.kind, BASE + guest.at as u64, flags).unwrap();
    let Command::Draw(Drawable { op: DrawOp::Opaque(op), .. }) = parsed.command else { panic!() };
    assert!(matches!(op.brush, Brush::Solid(0x00ff_ffff)));
    let ImageSource::Bitmap(bitmap) = op.source.source else { panic!() };
    assert_eq!(bitmap.palette().unwrap().entries, [0x00ff_ffff, 0x00ff_0000, 0x0000_ff00, 0x0000_00ff]);
    let converted = super::super::image::colour;
    assert_eq!((converted(0x4210), converted(0xffff_8000), converted(0x0421)), (0x0084_8484, 0, 0x0008_0808));
}

#[test]
fn the_first_revision_has_no_composite() {
    let memory: Vec<u8> = [&[0; 9][..], &[14], &[0; 300]].concat();
    let flags = CommandFlags::from_bits(1);
    let refused = read_with(memory, CommandKind::DRAW, BASE, flags).unwrap_err();
    assert_eq!(refused.to_string(), format!("drawable.type at {BASE:#x}: 14 is not known"));
}

#[test]
fn messages_end_at_a_zero_or_at_the_limit_or_with_memory() {
    let message = |text: &[u8]| match read([&[7; 8], text].concat(), CommandKind::MESSAGE, BASE).unwrap() {
        Parsed { command: Command::Message(text), release, surface: None } => {
            assert_eq!(release.id, 0x0707_0707_0707_0707);
            text
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(message(b"hello\0world\0"), "hello");
    assert_eq!(message(b"hello"), "hello");
    assert_eq!(message(b""), "");
    let most = MAX_MESSAGE as usize;
    assert_eq!(message(&vec![b'x'; most + 1]).len(), most);
}

fn cursor(kind: u16, size: (u16, u16), len: u32, data: &[u8]) -> Result<Parsed, Refused> {
    let data_len = u32::try_from(data.len()).unwrap();
    let shape = [&[1; 8][..], &kind.to_le_bytes(), &size.0.to_le_bytes(), &size.1.to_le_bytes(), &[0; 4]];
    let shape = [&shape.concat()[..], &len.to_le_bytes(), &data_len.to_le_bytes(), &[0; 16], data].concat();
    let command = [&[0; 8][..], &[0], &[0; 5], &(BASE + 22).to_le_bytes(), &shape].concat();
    read(command, CommandKind::CURSOR, BASE)
}

#[test]
fn shapes_have_all_their_pixels() {
    let full = |kind, size, len: usize| {
        let fits = cursor(kind, size, u32::try_from(len).unwrap(), &vec![0; len]);
        assert!(fits.is_ok(), "{kind}: {fits:?}");
        if len > 0 {
            let len = len - 1;
            let error = cursor(kind, size, u32::MAX, &vec![0; len]).unwrap_err().to_string();
            let text = format!("a pointer shape of {} bytes has only {len}", len + 1);
            assert!(error.ends_with(&text), "{error}");
            let cut = cursor(kind, size, u32::try_from(len).unwrap(), &vec![0; len + 1]);
            assert_eq!(cut.unwrap_err().to_string(), error);
        }
    };
    full(0, (128, 128), 128 * 128 * 4);
    full(1, (9, 2), 8);
    full(2, (3, 2), 4 + 64 + 2);
    full(3, (3, 2), 6 + 1024 + 2);
    full(4, (3, 2), 12 + 2);
    full(5, (3, 2), 18 + 2);
    full(6, (3, 2), 24 + 2);
    full(0, (0, 0), 0);
    for kind in [7, 256, u16::MAX] {
        let text = cursor(kind, (1, 1), 4, &[0; 4]).unwrap_err().to_string();
        assert!(text.ends_with(&format!("{kind} is not known")), "{text}");
    }
    let parsed = cursor(0, (1, 1), 4, &[7; 9]).unwrap();
    let Command::Cursor(CursorCommand::Set { shape, visible: false, position }) = parsed.command else {
        panic!()
    };
    assert_eq!((&shape.data[..], shape.kind, position), (&[7; 4][..], CursorType::ALPHA, Point16::default()));
}

#[test]
fn a_shape_of_circular_chunks_is_refused() {
    for len in [0_u32, 1] {
        let shape = [&[0; 8][..], &[0; 2], &[128, 0, 128, 0], &[0; 4], &[0xff; 4]].concat();
        let next = BASE + 22 + 42 + 1;
        let chunk = |next: u64| [&len.to_le_bytes()[..], &[0; 8], &next.to_le_bytes(), &[0xaa]].concat();
        let (first, second) = (chunk(next), chunk(BASE + 22 + 22));
        let command = [&[0; 14][..], &(BASE + 22).to_le_bytes(), &shape, &first, &second].concat();
        let text = read(command, CommandKind::CURSOR, BASE).unwrap_err().to_string();
        assert!(text.contains("cursor.chunk at ") && text.contains("more than"), "{text}");
    }
}

/// Size, stride and format of a surface.
type Shape = (u32, u32, i32, u32);

/// What is wrong with a surface of this shape in 64 KiB of memory, created by a command and as the primary one.
fn surface((width, height, stride, format): Shape, flags: u32) -> Option<String> {
    let fields = [format, width, height, stride.cast_unsigned()];
    let fields: Vec<u8> = fields.into_iter().flat_map(u32::to_le_bytes).collect();
    let head = [&[0; 8][..], &5_u32.to_le_bytes(), &[0], &flags.to_le_bytes()].concat();
    let mut memory = [&head[..], &fields, &(BASE + 41).to_le_bytes()].concat();
    memory.resize(41 + 0x1_0000, 0);
    let what = |text: String| text.split_once(": ").unwrap().1.to_owned();
    let text = |error: &dyn std::error::Error| Some(what(error.to_string()));
    let command = read(memory.clone(), CommandKind::SURFACE, BASE).err().and_then(|error| text(&error));

    let format = SurfaceFormat(format);
    let create = SurfaceCreate { width, height, stride, format, flags, mem: QxlPhysical(BASE + 41) };
    let primary = primary_surface(&slots(memory), GROUP, &create).err().and_then(|error| text(&error));
    assert_eq!(primary, command);
    command
}

#[test]
fn surfaces_lie_in_their_memory() {
    for flags in [0, 1] {
        for stride in [512, -512, 0x200, 8192 / 16] {
            assert_eq!(surface((128, 128, stride, 32), flags), None);
        }
        assert_eq!(surface((128, 8, 8192, 96), flags), None);
        let refused: [(Shape, &str); 9] = [
            ((128, 128, 256, 32), "rows of 512 bytes do not fit a stride of 256"),
            ((128, 128, -511, 32), "rows of 512 bytes do not fit a stride of -511"),
            ((1, 1, i32::MIN, 32), "rows of 4 bytes do not fit a stride of -2147483648"),
            ((1, 1, 0, 8), "rows of 1 bytes do not fit a stride of 0"),
            // In 32 bits these sizes wrap to small ones.
            (
                (0x0800_0004, 0x4000_0020, 0x2000_0010, 32),
                "576460786663162368 bytes are more than 2147483647",
            ),
            ((0x4000_0001, 1, 4, 32), "rows of 4294967300 bytes do not fit a stride of 4"),
            ((1, 0x4000_0001, 4, 32), "4294967300 bytes are more than 2147483647"),
            ((128, 129, 512, 32), "66048 bytes at 0x29 do not lie within 0x10029"),
            ((128, 128, 512, 33), "33 is not known"),
        ];
        for (shape, what) in refused {
            assert_eq!(surface(shape, flags).as_deref(), Some(what), "{shape:?}");
        }
    }
    assert_eq!(surface((2, 2, 4, 80), 0), None);
    let content = "surfaces of format RGB565 that keep their content are not supported";
    assert_eq!(surface((2, 2, 4, 80), 1).as_deref(), Some(content));
    let primary = Guest::new(&Command::Surface(SurfaceCommand::Destroy { surface: SurfaceId(1) }));
    assert_eq!(
        primary.with_op(8, [0]),
        "surface_cmd.surface_id: the primary surface is not an off-screen one"
    );
}

#[test]
fn a_negative_stride_has_its_bottom_row_first() {
    let slots = slots(b"lowrhigh".to_vec());
    let (format, mem) = (SurfaceFormat::RGB32, QxlPhysical(BASE));
    let create = SurfaceCreate { width: 1, height: 2, stride: -4, format, flags: 1, mem };
    let content = primary_surface(&slots, GROUP, &create).unwrap().content.unwrap();
    assert_eq!((content.row(0), content.row(1)), (&b"high"[..], &b"lowr"[..]));
    let black = SurfaceCreate { flags: 0, ..create };
    assert!(primary_surface(&slots, GROUP, &black).unwrap().content.is_none());
}

fn monitors(count: u16, max_allowed: u16, heads: usize) -> Vec<u8> {
    let heads = (0..heads as u32 * 7).flat_map(u32::to_le_bytes);
    [&count.to_le_bytes()[..], &max_allowed.to_le_bytes()].concat().into_iter().chain(heads).collect()
}

#[test]
fn monitors_are_as_many_as_is_said_once() {
    let read = |memory| monitors_config(&slots(memory), GROUP, QxlPhysical(BASE));
    let config = read(monitors(2, 4, 3)).unwrap();
    assert_eq!((config.max_allowed, config.heads.len()), (4, 2));
    let head = config.heads[1];
    assert_eq!((head.monitor_id, head.surface_id, head.width, head.height), (7, SurfaceId(8), 9, 10));
    assert_eq!((head.x, head.y, head.flags), (11, 12, 13));
    let config = read(monitors(u16::MAX, 0, 300)).unwrap();
    assert_eq!((config.max_allowed, config.heads.len()), (MAX_HEADS, 256));
    for (count, max_allowed) in [(0, 4), (5, 4), (u16::MAX, 1)] {
        let text = read(monitors(count, max_allowed, 9)).unwrap_err().to_string();
        let what = format!("monitors_config.count at {BASE:#x}: {count} monitors, of at most {max_allowed}");
        assert_eq!(text, what);
    }
    assert!(read(monitors(4, 4, 3)).is_err());
    assert!(read(vec![1, 0, 1]).is_err());
}

/// Memory that is other memory from the second read on.
#[derive(Debug)]
struct Turning(Vec<u8>, std::sync::atomic::AtomicBool);

impl GuestMemory for Turning {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        self.0.read(offset, into)?;
        if self.1.swap(true, std::sync::atomic::Ordering::Relaxed) {
            into.fill(0xff);
        }
        Ok(())
    }
}

#[test]
fn a_count_that_grows_once_it_is_read_changes_nothing() {
    let memory = Turning(monitors(2, 4, 9), false.into());
    let config = monitors_config(&slots(memory), GROUP, QxlPhysical(BASE)).unwrap();
    assert_eq!((config.max_allowed, config.heads.len()), (4, 2));
}

#[test]
fn a_pattern_may_be_of_the_surface_itself() {
    let image = Image { source: ImageSource::Own(Rect::new(1, 1, 2, 2)), ..Image::surface(SurfaceId(0)) };
    let brush = Brush::Pattern(Pattern { image, pos: Point::new(-1, 1) });
    let guest = Guest::draw(DrawOp::Fill(DrawFill { brush, ..DrawFill::solid(0) }));
    assert!(matches!(guest.drawable().op, DrawOp::Fill(DrawFill { brush: Brush::Pattern(_), .. })));
}
