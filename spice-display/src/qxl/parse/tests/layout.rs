//! Lays commands out in guest memory, as a driver would. `super` says whose `qxl` they are.

use spice_proto::display::{Glyphs, LineAttr, LineFlags, Palette, Path, Transform};
use spice_proto::{Point, Rect};

use super::qxl::parse::CommandKind;
use super::qxl::{
    Bitmap, Brush, Clip, Command, CursorCommand, CursorShape, DrawCopy, DrawOp, Drawable, Image, ImageSource,
    Mask, SurfaceCommand,
};

/// How a driver lays things out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// Most bytes of a chunk.
    pub(crate) chunk: usize,
    /// Bitmaps are in one piece.
    pub(crate) direct: bool,
    /// Drawables and updates are those of the first revision.
    pub(crate) compat: bool,
}

/// A guest's memory while commands are laid out in it. No byte is used twice.
#[derive(Debug)]
pub(crate) struct Layout {
    style: Style,
    /// The address of the first byte.
    base: u64,
    memory: Vec<u8>,
}

/// A structure while its fields are appended.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    fn bytes(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    fn u8(self, value: u8) -> Self {
        self.bytes([value])
    }

    fn u16(self, value: u16) -> Self {
        self.bytes(value.to_le_bytes())
    }

    fn u32(self, value: u32) -> Self {
        self.bytes(value.to_le_bytes())
    }

    fn u64(self, value: u64) -> Self {
        self.bytes(value.to_le_bytes())
    }

    fn point(self, point: Point) -> Self {
        self.bytes(point.x.to_le_bytes()).bytes(point.y.to_le_bytes())
    }

    fn rect(self, rect: Rect) -> Self {
        let edges = [rect.top, rect.left, rect.bottom, rect.right];
        edges.into_iter().fold(self, |fields, edge| fields.bytes(edge.to_le_bytes()))
    }

    fn padded(mut self, len: usize) -> Vec<u8> {
        assert!(self.0.len() <= len, "{} bytes are more than {len}", self.0.len());
        self.0.resize(len, 0xaa);
        self.0
    }
}

impl Layout {
    pub(crate) fn new(base: u64, style: Style) -> Self {
        Self { style, base, memory: vec![0xee; 16] }
    }

    pub(crate) fn into_memory(self) -> Vec<u8> {
        self.memory
    }

    /// Lays a command out. The answer is what the ring says of it.
    pub(crate) fn command(&mut self, command: &Command) -> (CommandKind, u64) {
        match command {
            Command::Draw(drawable) => (CommandKind::DRAW, self.drawable(drawable)),
            Command::Update(update) => {
                let fields = release().rect(update.area).u32(update.update_id);
                let fields = if self.style.compat { fields } else { fields.u32(update.surface.0) };
                (CommandKind::UPDATE, self.put(&fields.0))
            }
            Command::Cursor(command) => (CommandKind::CURSOR, self.cursor(command)),
            Command::Message(text) => (CommandKind::MESSAGE, self.put(&release().bytes(text).u8(0).0)),
            other => (CommandKind::SURFACE, self.surface(other)),
        }
    }

    fn put(&mut self, bytes: &[u8]) -> u64 {
        let address = self.base + self.memory.len() as u64;
        self.memory.extend_from_slice(bytes);
        address
    }

    /// A structure that ends with a chunk, and what that begins.
    fn with_chunks(&mut self, head: Fields, data: &[u8]) -> u64 {
        let mut pieces: Vec<&[u8]> = data.chunks(self.style.chunk).collect();
        if pieces.len() > 2 {
            pieces.insert(1, &[]);
        }
        let first = if pieces.is_empty() { &[] } else { pieces.remove(0) };
        let mut next = 0;
        for piece in pieces.into_iter().rev() {
            next = self.put(&chunk(Fields::default(), piece, next));
        }
        self.put(&chunk(head, first, next))
    }

    fn drawable(&mut self, drawable: &Drawable) -> u64 {
        let mut owns = drawable.op.images().filter_map(|image| match image.source {
            ImageSource::Own(area) => Some(area),
            _ => None,
        });
        let own = owns.next();
        let kind = kind(&drawable.op);
        let operation = self.operation(&drawable.op);
        let clip = self.clip(&drawable.clip);
        let (own, area) = (own.is_some(), own.unwrap_or_default());
        let head = if self.style.compat {
            release().u8(drawable.effect.0).u8(kind).u16(u16::from(own) * 99)
        } else {
            release().u32(drawable.surface.0).u8(drawable.effect.0).u8(kind).u8(own.into())
        };
        let head = head.rect(area).rect(drawable.bbox).bytes(clip).u32(drawable.mm_time);
        let head = if self.style.compat { head } else { head.bytes([0x55; 60]) };
        self.put(&head.bytes(operation.padded(68)).0)
    }

    fn operation(&mut self, op: &DrawOp) -> Fields {
        let fields = Fields::default();
        match op {
            DrawOp::Nop => fields,
            DrawOp::Fill(op) => {
                fields.bytes(self.brush(&op.brush)).u16(op.rop.bits()).bytes(self.mask(op.mask.as_ref()))
            }
            DrawOp::Opaque(op) => fields
                .u64(self.image(&op.source))
                .rect(op.source_area)
                .bytes(self.brush(&op.brush))
                .u16(op.rop.bits())
                .u8(op.scale_mode.0)
                .bytes(self.mask(op.mask.as_ref())),
            DrawOp::Copy(op) | DrawOp::Blend(op) => self.copy(op),
            DrawOp::CopyBits(op) => fields.point(op.source),
            DrawOp::Blackness(mask) | DrawOp::Whiteness(mask) | DrawOp::Invers(mask) => {
                fields.bytes(self.mask(mask.as_ref()))
            }
            DrawOp::Rop3(op) => fields
                .u64(self.image(&op.source))
                .rect(op.source_area)
                .bytes(self.brush(&op.brush))
                .u8(op.rop3.0)
                .u8(op.scale_mode.0)
                .bytes(self.mask(op.mask.as_ref())),
            DrawOp::Stroke(op) => fields
                .u64(self.path(&op.path))
                .bytes(self.line(&op.attr))
                .bytes(self.brush(&op.brush))
                .u16(op.fore_mode.bits())
                .u16(op.back_mode.bits()),
            DrawOp::Text(op) => fields
                .u64(self.string(&op.glyphs))
                .rect(op.back_area)
                .bytes(self.brush(&op.fore_brush))
                .bytes(self.brush(&op.back_brush))
                .u16(op.fore_mode.bits())
                .u16(op.back_mode.bits()),
            DrawOp::Transparent(op) => fields
                .u64(self.image(&op.source))
                .rect(op.source_area)
                .u32(op.source_colour)
                .u32(op.true_colour),
            DrawOp::AlphaBlend(op) => {
                let fields = if self.style.compat { fields } else { fields.u16(op.flags.bits().into()) };
                fields.u8(op.alpha).u64(self.image(&op.source)).rect(op.source_area)
            }
            DrawOp::Composite(op) => fields
                .u32(op.flags.bits())
                .u64(self.image(&op.source))
                .u64(self.transform(op.source_transform))
                .u64(op.mask.as_ref().map_or(0, |mask| self.image(mask)))
                .u64(self.transform(op.mask_transform))
                .u16(op.source_origin.x.cast_unsigned())
                .u16(op.source_origin.y.cast_unsigned())
                .u16(op.mask_origin.x.cast_unsigned())
                .u16(op.mask_origin.y.cast_unsigned()),
        }
    }

    fn copy(&mut self, op: &DrawCopy) -> Fields {
        Fields::default()
            .u64(self.image(&op.source))
            .rect(op.source_area)
            .u16(op.rop.bits())
            .u8(op.scale_mode.0)
            .bytes(self.mask(op.mask.as_ref()))
    }

    fn clip(&mut self, clip: &Clip) -> Vec<u8> {
        match clip {
            Clip::None => Fields::default().u32(0).u64(0x1234).0,
            Clip::Rects(rects) => {
                let data = rects.iter().fold(Fields::default(), |fields, rect| fields.rect(*rect));
                let head = Fields::default().u32(u32::try_from(rects.len()).unwrap());
                Fields::default().u32(1).u64(self.with_chunks(head, &data.0)).0
            }
        }
    }

    fn brush(&mut self, brush: &Brush) -> Vec<u8> {
        let fields = match brush {
            Brush::None => Fields::default().u32(0),
            Brush::Solid(colour) => Fields::default().u32(1).u32(*colour),
            Brush::Pattern(pattern) => {
                Fields::default().u32(2).u64(self.image(&pattern.image)).point(pattern.pos)
            }
        };
        fields.padded(20)
    }

    fn mask(&mut self, mask: Option<&Mask>) -> Vec<u8> {
        let Some(mask) = mask else { return Fields::default().u8(1).u64(7).u64(0).0 };
        Fields::default().u8(mask.inverted.into()).point(mask.pos).u64(self.image(&mask.image)).0
    }

    fn image(&mut self, Image { id, flags, source }: &Image) -> u64 {
        let (kind, width, height) = match source {
            ImageSource::Own(_) => return 0,
            ImageSource::Bitmap(bitmap) => (0, bitmap.width(), bitmap.height()),
            ImageSource::Quic(quic) => (1, quic.width, quic.height),
            ImageSource::Surface(_) => (104, 0, 0),
        };
        let head = Fields::default().u64(*id).u8(kind).u8(flags.bits() | 0xf0).u32(width).u32(height);
        match source {
            ImageSource::Own(_) => 0,
            ImageSource::Surface(surface) => self.put(&head.u32(surface.0).0),
            ImageSource::Bitmap(bitmap) => {
                let bitmap = self.bitmap(bitmap);
                self.put(&head.bytes(bitmap).0)
            }
            ImageSource::Quic(quic) => {
                let head = head.u32(u32::try_from(quic.data.len()).unwrap());
                self.with_chunks(head, &quic.data)
            }
        }
    }

    fn bitmap(&mut self, bitmap: &Bitmap) -> Vec<u8> {
        let palette = bitmap.palette().map_or(0, |palette| self.palette(palette));
        let data = match self.style.direct {
            true => self.put(bitmap.data()),
            false => self.with_chunks(Fields::default(), bitmap.data()),
        };
        let flags = u8::from(self.style.direct) | u8::from(bitmap.is_top_down()) << 2;
        let size = Fields::default().u8(bitmap.format().0).u8(flags).u32(bitmap.width());
        size.u32(bitmap.height()).u32(bitmap.stride()).u64(palette).u64(data).0
    }

    fn palette(&mut self, palette: &Palette) -> u64 {
        let head = Fields::default().u64(palette.id.0).u16(u16::try_from(palette.entries.len()).unwrap());
        self.put(&palette.entries.iter().fold(head, |fields, entry| fields.u32(*entry)).0)
    }

    fn path(&mut self, path: &Path) -> u64 {
        let mut data = Fields::default();
        for segment in &path.segments {
            data = data.u32(segment.flags.bits().into()).u32(u32::try_from(segment.points.len()).unwrap());
            for point in &segment.points {
                data = data.point(Point::new(point.x.0, point.y.0));
            }
        }
        // Its size means nothing to anybody.
        self.with_chunks(Fields::default().u32(0x7777_7777), &data.0)
    }

    fn line(&mut self, attr: &LineAttr) -> Vec<u8> {
        let mut flags = attr.flags;
        flags.set(LineFlags::STYLED, attr.style.is_some());
        let style = attr.style.as_deref().unwrap_or_default();
        let lengths =
            style.iter().fold(Fields::default(), |fields, length| fields.bytes(length.0.to_le_bytes()));
        let address = if style.is_empty() { 0 } else { self.put(&lengths.0) };
        let count = u8::try_from(style.len()).unwrap();
        Fields::default().u8(flags.bits()).u16(0).u8(count).u64(u64::MAX).u64(address).0
    }

    fn string(&mut self, glyphs: &Glyphs) -> u64 {
        let mut data = Fields::default();
        for glyph in &glyphs.glyphs {
            data = data.point(glyph.render_pos).point(glyph.origin).u16(glyph.width).u16(glyph.height);
            data = data.bytes(&glyph.data);
        }
        let head = Fields::default().u32(u32::try_from(data.0.len()).unwrap());
        let head = head.u16(u16::try_from(glyphs.glyphs.len()).unwrap()).u16(glyphs.flags.bits().into());
        self.with_chunks(head, &data.0)
    }

    fn transform(&mut self, transform: Option<Transform>) -> u64 {
        let Some(Transform { t00, t01, t02, t10, t11, t12 }) = transform else { return 0 };
        let numbers = [t00, t01, t02, t10, t11, t12];
        self.put(
            &numbers
                .into_iter()
                .fold(Fields::default(), |fields, number| fields.bytes(number.0.to_le_bytes()))
                .0,
        )
    }

    fn cursor(&mut self, command: &CursorCommand) -> u64 {
        let position = |fields: Fields, position: &spice_proto::Point16| {
            fields.bytes(position.x.to_le_bytes()).bytes(position.y.to_le_bytes())
        };
        let fields = match command {
            CursorCommand::Set { position: at, visible, shape } => {
                let shape = self.shape(shape);
                position(release().u8(0), at).u8((*visible).into()).u64(shape)
            }
            CursorCommand::Move(at) => position(release().u8(1), at),
            CursorCommand::Hide => release().u8(2),
            CursorCommand::Trail { length, frequency } => release().u8(3).u16(*length).u16(*frequency),
        };
        self.put(&fields.padded(150))
    }

    fn shape(&mut self, shape: &CursorShape) -> u64 {
        let head = Fields::default().u64(shape.unique).u16(shape.kind.0.into()).u16(shape.width);
        let head = head.u16(shape.height).u16(shape.hot_spot_x).u16(shape.hot_spot_y);
        let head = head.u32(u32::try_from(shape.data.len()).unwrap());
        self.with_chunks(head, &shape.data)
    }

    fn surface(&mut self, command: &Command) -> u64 {
        let Command::Surface(command) = command else { panic!("{command:?} is new") };
        let fields = match command {
            SurfaceCommand::Create { surface, width, height, format, content } => {
                let stride = content.as_ref().map_or(width * 4, |content| content.stride()).cast_signed();
                let down = content.as_ref().is_none_or(|content| content.is_top_down());
                let data = match content {
                    Some(content) => self.put(content.data()),
                    None => self.put(&vec![0x99; *width as usize * 4 * *height as usize]),
                };
                let head = release().u32(surface.0).u8(0).u32(content.is_some().into()).u32(format.0);
                let stride = if down { stride } else { -stride };
                head.u32(*width).u32(*height).u32(stride.cast_unsigned()).u64(data)
            }
            SurfaceCommand::Destroy { surface } => release().u32(surface.0).u8(1).u32(0),
        };
        self.put(&fields.padded(41))
    }
}

/// What the guest calls every command.
pub(crate) const RELEASE_ID: u64 = 0x0123_4567_89ab_cdef;

fn release() -> Fields {
    Fields::default().u64(RELEASE_ID)
}

fn chunk(head: Fields, data: &[u8], next: u64) -> Vec<u8> {
    // Nobody goes back.
    let head = head.u32(u32::try_from(data.len()).unwrap()).u64(0xdead_beef_dead_beef).u64(next);
    head.bytes(data).0
}

fn kind(op: &DrawOp) -> u8 {
    match op {
        DrawOp::Nop => 0,
        DrawOp::Fill(_) => 1,
        DrawOp::Opaque(_) => 2,
        DrawOp::Copy(_) => 3,
        DrawOp::CopyBits(_) => 4,
        DrawOp::Blend(_) => 5,
        DrawOp::Blackness(_) => 6,
        DrawOp::Whiteness(_) => 7,
        DrawOp::Invers(_) => 8,
        DrawOp::Rop3(_) => 9,
        DrawOp::Stroke(_) => 10,
        DrawOp::Text(_) => 11,
        DrawOp::Transparent(_) => 12,
        DrawOp::AlphaBlend(_) => 13,
        DrawOp::Composite(_) => 14,
    }
}

/// All of a command, also what its `Debug` leaves out.
pub(crate) fn whole(command: &Command) -> (String, Vec<Vec<u8>>) {
    let bitmap = |bitmap: &Bitmap| {
        let entries = bitmap.palette().into_iter().flat_map(|palette| palette.entries.iter());
        let palette: Vec<u8> = entries.flat_map(|entry| entry.to_le_bytes()).collect();
        vec![bitmap.data().to_vec(), palette]
    };
    let image = |image: &Image| match &image.source {
        ImageSource::Bitmap(of) => bitmap(of),
        ImageSource::Quic(quic) => vec![quic.data.to_vec()],
        ImageSource::Surface(_) | ImageSource::Own(_) => Vec::new(),
    };
    let data = match command {
        Command::Draw(drawable) => drawable.op.images().flat_map(image).collect(),
        Command::Surface(SurfaceCommand::Create { content: Some(content), .. }) => bitmap(content),
        _ => Vec::new(),
    };
    (format!("{command:?}"), data)
}
