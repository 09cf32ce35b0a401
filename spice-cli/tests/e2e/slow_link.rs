//! What real viewers make of JPEG and zlib, and that they end with every pixel.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;
use spice_display::qxl::recording::RecordingWriter;
use spice_display::qxl::{
    Bitmap, BitmapFormat, Clip, Command, DeviceEvent, DrawCopy, DrawOp, Drawable, Effect, GuestEvent, Image,
    PrimarySurface,
};
use spice_proto::display::SurfaceFormat;
use spice_proto::{Point, Rect, SurfaceId};

use crate::c::{self, Programs};
use crate::desktop::{Desktop, VIEWER_NEEDS};
use crate::methods::{PATIENCE, REAL, in_step};
use crate::needs::{Need, trial};
use crate::recordings;
use crate::scratch::Scratch;
use crate::server::Server;
use crate::shot::Shot;

const SLOW: [&str; 5] =
    ["--hold", "--jpeg-wan-compression", "always", "--zlib-glz-wan-compression", "always"];

pub(crate) fn trials(programs: &Arc<Programs>) -> Vec<Trial> {
    let paths = recordings::recordings(&recordings::folder()).unwrap_or_default();
    let photo_needs = [&[Need::Program("spicy-screenshot")][..], &VIEWER_NEEDS].concat();
    let needs = [&photo_needs[..], &c::REPLAY_NEEDS].concat();
    let mut trials = vec![trial("slow_link_photo_remote_viewer", &photo_needs, photo)];
    if let Some(path) = paths.into_iter().find(|path| recordings::name(path) == REAL) {
        let programs = Arc::clone(programs);
        trials
            .push(trial("slow_link_zlib_remote_viewer", &needs, move || desktop_with_zlib(&path, &programs)));
    }
    trials
}

/// Lossless all along, as there is nothing soft on that desktop.
fn desktop_with_zlib(path: &Path, programs: &Programs) -> Result<(), String> {
    let moment = recordings::last_moment(path)?;
    let scratch = Scratch::new()?;
    let theirs = recordings::c_server(programs, path, moment.commands, &scratch)?;
    let server = in_step(path, moment, "glz", &SLOW)?;
    let mut desktop = Desktop::start(server.addr())?;
    server.wait_for_commands(moment.taken, PATIENCE)?;
    desktop.find("the C server's picture", &theirs, Point::default()).map(drop)
}

/// JPEG at first, which is near, and then the picture itself.
fn photo() -> Result<(), String> {
    let scratch = Scratch::new()?;
    let recording = scratch.file("photo.rec");
    write_photo(&recording)?;
    let serve = |method, more: &[&str]| {
        let guest = format!("replay:{}", recording.display());
        let options = ["--guest", &guest, "--hold", "--image-compression", method];
        let server = Server::start(&[&options[..], more].concat())?;
        server.wait_for_commands(1, PATIENCE)?;
        Ok::<_, String>(server)
    };
    let bare = Shot::take(serve("off", &[])?.addr(), &scratch.file("bare.ppm"))?;
    let quic = Shot::take(serve("quic", &[])?.addr(), &scratch.file("quic.ppm"))?;
    if let Some(difference) = quic.difference(&bare) {
        return Err(format!("QUIC: {difference}"));
    }
    let server = serve("auto_glz", &SLOW[1..])?;
    let first = Shot::take(server.addr(), &scratch.file("jpeg.ppm"))?;
    let decibels = first.psnr(&bare).ok_or("JPEG: another size")?;
    if decibels < 35.0 || decibels.is_infinite() {
        return Err(format!("JPEG: {decibels:.1} dB"));
    }
    Desktop::start(server.addr())?.find("the photo without loss", &bare, Point::default()).map(drop)
}

/// A recording of one soft picture: light and shade of several sizes, and a little grain.
fn write_photo(path: &Path) -> Result<(), String> {
    const SIZE: (u32, u32) = (640, 480);
    let shade = |x: u32, y: u32, phase: f64| {
        let (x, y) = (f64::from(x), f64::from(y));
        let large = (x / 97.0 + phase).sin() * (y / 71.0).cos();
        let small = ((x + y) / 13.0).sin() * (y / 17.0 + phase).cos();
        let grain = (x * 12.9898 + y * 78.233 + phase).sin();
        (128.0 + 80.0 * large + 24.0 * small + 2.0 * grain) as u8
    };
    let pixels = (0..SIZE.1).flat_map(|y| (0..SIZE.0).map(move |x| (x, y)));
    let data: Vec<u8> =
        pixels.flat_map(|(x, y)| [shade(x, y, 0.0), shade(x, y, 0.8), shade(x, y, 1.9), 0]).collect();
    let bitmap = Bitmap::new(BitmapFormat::RGB32, SIZE, SIZE.0 * 4, true, data.into());
    let bitmap = Arc::new(bitmap.map_err(|error| error.to_string())?);
    let all = Rect::new(0, 0, SIZE.0, SIZE.1);
    let primary =
        PrimarySurface { width: SIZE.0, height: SIZE.1, format: SurfaceFormat::RGB32, content: None };
    let photo = Drawable {
        surface: SurfaceId::PRIMARY,
        bbox: all,
        clip: Clip::None,
        effect: Effect::OPAQUE,
        mm_time: 0,
        op: DrawOp::Copy(DrawCopy::put(Image::bitmap(1, bitmap), all)),
    };
    let events =
        [GuestEvent::Device(DeviceEvent::CreatePrimary(primary)), GuestEvent::Command(Command::Draw(photo))];
    let file = File::create(path).map_err(|error| error.to_string())?;
    let mut writer = RecordingWriter::new(BufWriter::new(file)).map_err(|error| error.to_string())?;
    for event in &events {
        writer.event(event, Duration::ZERO).map_err(|error| error.to_string())?;
    }
    writer.finish().map(drop).map_err(|error| error.to_string())
}
