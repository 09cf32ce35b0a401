//! One viewer of any SPICE server without a ticket that counts what its display channel brings.
//!
//!     cargo run -p spice-client --example wire -- ADDR:PORT [--quiet MILLISECONDS] [--kinds] [--cache PIXELS] [--window PIXELS]
//!
//! It says what spice-gtk says of itself: what it can draw, and how much it keeps of images. It ends when so long
//! nothing has come after the first image, 1000 ms unless told otherwise, and prints one line of JSON: bytes and messages of
//! the display channel, and how many of these draw. With `--kinds`, a line follows for each kind of message and of image: the
//! messages, their bytes, and the pixels of their images.

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the crate does no I/O; who uses it does"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use spice_client::{ChannelPeer, link};
use spice_proto::caps::{CapabilitySet, DisplayCap, MainCap};
use spice_proto::display::{
    self, Brush, ClientMessage, DrawComposite, Image, ImageData, ImageFlags, ServerMessage,
};
use spice_proto::{ChannelType, ConnectionId, main};

type Failure = Box<dyn Error + Send + Sync>;

/// What spice-gtk can draw, with the video that it always knows.
const CAPS: [DisplayCap; 8] = [
    DisplayCap::SIZED_STREAM,
    DisplayCap::MONITORS_CONFIG,
    DisplayCap::COMPOSITE,
    DisplayCap::A8_SURFACE,
    DisplayCap::LZ4_COMPRESSION,
    DisplayCap::STREAM_REPORT,
    DisplayCap::MULTI_CODEC,
    DisplayCap::CODEC_MJPEG,
];
/// Pixels that spice-gtk keeps in images, unless told otherwise: 80 MiB.
const PIXMAP_CACHE: i64 = (80 << 20) / 4;
/// Pixels in the dictionary of spice-gtk for a guest of 128 MiB or more: 64 MiB.
const GLZ_WINDOW: i32 = (64 << 20) / 4;

const USAGE: &str = "wire ADDR:PORT [--quiet MILLISECONDS] [--kinds] [--cache PIXELS] [--window PIXELS]";

#[derive(Debug)]
struct Options {
    addr: String,
    quiet: Duration,
    kinds: bool,
    cache: i64,
    window: i32,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self {
            addr: arguments.next()?,
            quiet: Duration::from_millis(1000),
            kinds: false,
            cache: PIXMAP_CACHE,
            window: GLZ_WINDOW,
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quiet" => options.quiet = Duration::from_millis(arguments.next()?.parse().ok()?),
                "--kinds" => options.kinds = true,
                "--cache" => options.cache = arguments.next()?.parse().ok()?,
                "--window" => options.window = arguments.next()?.parse().ok()?,
                _ => return None,
            }
        }
        Some(options)
    }
}

fn main() -> ExitCode {
    let Some(options) = Options::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::FAILURE;
    };
    match watch(&options) {
        Ok(counts) => {
            counts.print(options.kinds);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Messages of one kind.
#[derive(Debug, Default)]
struct Kind {
    messages: u64,
    bytes: u64,
    pixels: u64,
}

#[derive(Debug, Default)]
struct Counts {
    bytes: u64,
    messages: u64,
    draws: u64,
    seconds: f64,
    kinds: BTreeMap<String, Kind>,
}

impl Counts {
    fn add(&mut self, id: u16, body: &Bytes, header: usize) -> Result<(), Failure> {
        let message = ServerMessage::decode(id, body)?;
        self.messages += 1;
        self.draws += u64::from(id == 104 || (302..=313).contains(&id) || id == 318);
        let (name, pixels) = describe(&message);
        let kind = self.kinds.entry(name).or_default();
        kind.messages += 1;
        kind.bytes += (body.len() + header) as u64;
        kind.pixels += pixels;
        Ok(())
    }

    fn print(&self, kinds: bool) {
        let Self { bytes, messages, draws, seconds, .. } = self;
        println!("{{\"bytes\":{bytes},\"messages\":{messages},\"draws\":{draws},\"seconds\":{seconds:.3}}}");
        if kinds {
            for (name, Kind { messages, bytes, pixels }) in &self.kinds {
                println!("{name} {messages} {bytes} {pixels}");
            }
        }
    }
}

/// The kind of a message, and the pixels of its images.
fn describe(message: &ServerMessage) -> (String, u64) {
    let name = match message {
        ServerMessage::DrawFill(_) => "fill",
        ServerMessage::DrawOpaque(_) => "opaque",
        ServerMessage::DrawCopy(_) => "copy",
        ServerMessage::DrawBlend(_) => "blend",
        ServerMessage::DrawRop3(_) => "rop3",
        ServerMessage::DrawStroke(_) => "stroke",
        ServerMessage::DrawText(_) => "text",
        ServerMessage::DrawTransparent(_) => "transparent",
        ServerMessage::DrawAlphaBlend(_) => "alpha_blend",
        ServerMessage::DrawComposite(_) => "composite",
        ServerMessage::CopyBits(_) => "copy_bits",
        ServerMessage::SurfaceCreate(_) => "surface_create",
        ServerMessage::SurfaceDestroy(_) => "surface_destroy",
        ServerMessage::InvalList(_) => "inval_list",
        ServerMessage::StreamData(_) | ServerMessage::StreamDataSized(_) => "stream_data",
        _ => "other",
    };
    let mut name = name.to_owned();
    let mut pixels = 0;
    for image in images(message) {
        name += "/";
        name += packing(&image.data);
        let cached = image.flags.intersects(ImageFlags::CACHE_ME | ImageFlags::CACHE_REPLACE_ME);
        name += if cached { "+keep" } else { "" };
        pixels += u64::from(image.width) * u64::from(image.height);
    }
    (name, pixels)
}

fn images(message: &ServerMessage) -> Vec<&Image> {
    fn of_brush(brush: &Brush) -> Option<&Image> {
        if let Brush::Pattern(pattern) = brush { Some(&pattern.image) } else { None }
    }
    let (source, other) = match message {
        ServerMessage::DrawFill(draw) => (None, of_brush(&draw.brush)),
        ServerMessage::DrawOpaque(draw) => (draw.source.as_ref(), of_brush(&draw.brush)),
        ServerMessage::DrawCopy(draw) => (draw.source.as_ref(), draw.mask.bitmap.as_ref()),
        ServerMessage::DrawBlend(draw) => (draw.source.as_ref(), draw.mask.bitmap.as_ref()),
        ServerMessage::DrawRop3(draw) => (draw.source.as_ref(), of_brush(&draw.brush)),
        ServerMessage::DrawTransparent(draw) => (draw.source.as_ref(), None),
        ServerMessage::DrawAlphaBlend(draw) => (draw.source.as_ref(), None),
        ServerMessage::DrawComposite(DrawComposite { source, mask, .. }) => (source.as_ref(), mask.as_ref()),
        _ => (None, None),
    };
    source.into_iter().chain(other).collect()
}

fn packing(data: &ImageData) -> &'static str {
    match data {
        ImageData::Bitmap(_) => "raw",
        ImageData::Quic(_) => "quic",
        ImageData::LzPalette(_) => "lz_plt",
        ImageData::LzRgb(_) => "lz",
        ImageData::GlzRgb(_) => "glz",
        ImageData::FromCache | ImageData::FromCacheLossless => "cached",
        ImageData::Surface(_) => "surface",
        ImageData::Jpeg(_) | ImageData::JpegAlpha(_) => "jpeg",
        ImageData::ZlibGlzRgb(_) => "zlib_glz",
        ImageData::Lz4(_) => "lz4",
        _ => "unknown",
    }
}

/// A channel and its socket.
#[derive(Debug)]
struct Channel {
    stream: TcpStream,
    peer: ChannelPeer,
    header: usize,
    buffer: Vec<u8>,
}

/// What reading once brought.
#[derive(Debug)]
enum Came {
    Bytes(usize),
    Silence,
    End,
}

impl Channel {
    fn link(
        addr: &str,
        session: ConnectionId,
        kind: ChannelType,
        caps: CapabilitySet,
    ) -> Result<Self, Failure> {
        let mut stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        let linked = link(&mut stream, session, kind, caps, "")?;
        let peer = ChannelPeer::new(linked.header);
        Ok(Self { stream, peer, header: linked.header.len(), buffer: vec![0; 256 << 10] })
    }

    fn send(&mut self, id: u16, body: &[u8]) -> Result<(), Failure> {
        self.peer.send_message(id, body);
        Ok(self.stream.write_all(&self.peer.take_answers())?)
    }

    /// Reads once, handles the messages that are whole, and answers what has to be.
    fn read(&mut self, mut handle: impl FnMut(u16, Bytes) -> Result<(), Failure>) -> Result<Came, Failure> {
        let len = match self.stream.read(&mut self.buffer) {
            Ok(0) => return Ok(Came::End),
            Ok(len) => len,
            Err(error) => match error.kind() {
                ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut => {
                    return Ok(Came::Silence);
                }
                _ => return Err(error.into()),
            },
        };
        self.peer.handle_bytes(&self.buffer[..len]);
        while let Some((id, body)) = self.peer.poll_message()? {
            handle(id, body)?;
        }
        self.stream.write_all(&self.peer.take_answers())?;
        Ok(Came::Bytes(len))
    }
}

fn watch(options: &Options) -> Result<Counts, Failure> {
    let caps = CapabilitySet::new([MainCap::AGENT_CONNECTED_TOKENS.0]);
    let mut main = Channel::link(&options.addr, ConnectionId(0), ChannelType::MAIN, caps)?;
    let session = begin(&mut main)?;
    // The server asks on the main channel whether its viewer lives.
    thread::spawn(move || while matches!(main.read(|_, _| Ok(())), Ok(Came::Bytes(_) | Came::Silence)) {});

    let caps = CapabilitySet::new(CAPS.map(|cap| cap.0));
    let mut display = Channel::link(&options.addr, session, ChannelType::DISPLAY, caps)?;
    let init = ClientMessage::Init(display::Init {
        pixmap_cache_id: 1,
        pixmap_cache_size: options.cache,
        glz_dictionary_id: 1,
        glz_dictionary_window_size: options.window,
    });
    display.send(init.id(), &init.encode().to_bytes())?;
    display.stream.set_read_timeout(Some(Duration::from_millis(50)))?;

    let header = display.header;
    let mut counts = Counts::default();
    let (mut first, mut last) = (None, Instant::now());
    loop {
        let before = counts.draws;
        match display.read(|id, body| counts.add(id, &body, header))? {
            Came::Bytes(len) => counts.bytes += len as u64,
            Came::Silence => {}
            Came::End => break,
        }
        if counts.draws > before {
            last = Instant::now();
            first.get_or_insert(last);
        } else if first.is_some() && last.elapsed() > options.quiet {
            break;
        }
    }
    counts.seconds = last.duration_since(first.unwrap_or(last)).as_secs_f64();
    Ok(counts)
}

/// Reads the main channel until the server has said which channels there are.
fn begin(main: &mut Channel) -> Result<ConnectionId, Failure> {
    let (mut session, mut asked, mut listed) = (None, false, false);
    while !listed {
        let read = main.read(|id, body| {
            match main::ServerMessage::decode(id, &body)? {
                main::ServerMessage::Init(init) => session = Some(init.session_id),
                main::ServerMessage::ChannelsList(_) => listed = true,
                _ => {}
            }
            Ok(())
        })?;
        if matches!(read, Came::End) {
            return Err("the server has closed the main channel".into());
        }
        if session.is_some() && !asked {
            asked = true;
            main.send(main::ClientMessage::AttachChannels.id(), &[])?;
        }
    }
    session.ok_or_else(|| "channels before the first message".into())
}
