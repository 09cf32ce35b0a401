//! The bitmaps of real desktops through the codecs: they come back, and take no more bytes than with the C encoders.

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use spice_display::codec::{glz, lz};
use spice_display::qxl::recording::{Event, Recording};
use spice_display::qxl::{Bitmap, Command, DrawOp, GuestEvent, ImageSource};

/// Pixels that the GLZ dictionaries hold.
const WINDOW: u32 = 1_000_000;

/// For each recording, how many bitmaps of colours its copies have, and the bytes that spice-common's LZ encoder and
/// spice-server's GLZ encoder make of them, each bitmap given in one piece.
const RECORDINGS: [(&str, usize, usize, usize); 6] = [
    ("qemu-kms-term", 96, 440_326, 454_802),
    ("qemu-qxl-move", 1126, 1_020_796, 572_147),
    ("qemu-qxlums-move", 200, 497_213, 403_933),
    ("qemu-stdvga-term", 5000, 1_293_100, 590_935),
    ("xspice-move", 632, 688_816, 502_971),
    ("xspice-term", 1921, 1_946_848, 1_024_618),
];

#[test]
fn bitmaps_of_recordings_come_back_and_are_smaller_than_with_the_c_encoders() {
    for (name, count, c_lz, c_glz) in RECORDINGS {
        let (mut by_lz, mut by_glz) = (0, 0);
        let mut dictionary = glz::Dictionary::new(WINDOW);
        let mut viewer = glz::Decoder::new(WINDOW.into());
        let bitmaps = bitmaps(name);
        assert_eq!(bitmaps.len(), count, "{name}");
        for bitmap in bitmaps {
            let pixels = coded(&bitmap);
            by_lz += lz_there_and_back(&bitmap, &pixels);
            by_glz += glz_there_and_back(&bitmap, &pixels, &mut dictionary, &mut viewer);
        }
        assert!(by_lz <= c_lz, "{name}: {by_lz} bytes of LZ");
        assert!(by_glz <= c_glz, "{name}: {by_glz} bytes of GLZ");
    }
}

fn bitmaps(name: &str) -> Vec<Arc<Bitmap>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/{name}.rec.zst"));
    let file = std::fs::read(path).unwrap();
    let mut recording = Recording::new(BufReader::new(zstd::Decoder::new(&file[..]).unwrap())).unwrap();
    let mut bitmaps = Vec::new();
    while let Some(recorded) = recording.next_event().unwrap() {
        if let Event::Guest(GuestEvent::Command(Command::Draw(draw))) = recorded.event
            && let DrawOp::Copy(copy) = draw.op
            && let ImageSource::Bitmap(bitmap) = copy.source.source
            && glz::GlzFormat::of_bitmap(bitmap.format()).is_some()
        {
            bitmaps.push(bitmap);
        }
    }
    bitmaps
}

/// Its bytes, with nothing between rows, and zeros where nothing is coded.
fn coded(bitmap: &Bitmap) -> Vec<u8> {
    let row = (bitmap.width() as usize * bitmap.depth() as usize).div_ceil(8);
    let mut pixels: Vec<_> =
        bitmap.data().chunks(bitmap.stride() as usize).flat_map(|line| &line[..row]).copied().collect();
    if lz::LzFormat::of_bitmap(bitmap.format()) == Some(lz::LzFormat::Rgb32) {
        pixels.chunks_exact_mut(4).for_each(|pixel| pixel[3] = 0);
    }
    pixels
}

fn lz_there_and_back(bitmap: &Bitmap, pixels: &[u8]) -> usize {
    let mut stream = Vec::new();
    let source = lz::LzSource {
        format: lz::LzFormat::of_bitmap(bitmap.format()).unwrap(),
        width: bitmap.width(),
        height: bitmap.height(),
        stride: bitmap.stride() as usize,
        top_down: bitmap.is_top_down(),
        data: bitmap.data(),
    };
    lz::encode(&source, &mut stream).unwrap();
    assert!(lz::decode(&stream, 1 << 24).unwrap().pixels == pixels, "{bitmap:?}");
    stream.len()
}

fn glz_there_and_back(
    bitmap: &Bitmap,
    pixels: &[u8],
    dictionary: &mut glz::Dictionary,
    viewer: &mut glz::Decoder,
) -> usize {
    let source = glz::GlzSource {
        format: glz::GlzFormat::of_bitmap(bitmap.format()).unwrap(),
        width: bitmap.width(),
        height: bitmap.height(),
        stride: bitmap.stride() as usize,
        top_down: bitmap.is_top_down(),
        data: bitmap.data().clone(),
    };
    let encoded = dictionary.encode(&source, u32::MAX).unwrap();
    let header = encoded.header(viewer.next_id(), encoded.before);
    let stream = [&header[..], &encoded.body].concat();
    assert!(viewer.decode(&stream).unwrap().pixels == pixels, "{bitmap:?}");
    stream.len()
}
