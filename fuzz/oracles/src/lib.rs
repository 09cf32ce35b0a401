//! What must hold for any input, as plain functions: they panic where it does not.
//!
//! A fuzz target is one call of one of them, and `cargo test` runs each over the stored corpus and over every input
//! that has ever failed.

#![expect(clippy::expect_used, reason = "an oracle fails by panicking")]

mod codecs;
mod guest;
mod memory;
mod migration;
mod pictures;
mod session;

use bytes::Bytes;
pub use codecs::{glz, lz};
pub use guest::{agent, stream_device};
pub use memory::qxl_command;
pub use migration::migration;
pub use pictures::{encode_decode, zlib_glz};
pub use session::{connection_file, sasl, smartcard_device, sub_list};
use spice_channel::{ChannelConfig, RedChannelClient, Time};
use spice_display::codec::quic;
use spice_display::qxl::recording::Recording;
use spice_display::region::Region;
use spice_proto::link::{LinkMess, LinkReply};
use spice_proto::{
    HeaderKind, Rect, base, cursor, display, inputs, main, playback, port, record, smartcard, vmc,
};

/// An oracle: its name, which is its folder in the corpus, and itself.
pub type Oracle = (&'static str, fn(&[u8]));

/// All of them.
pub const ORACLES: &[Oracle] = &[
    ("link", link),
    ("base_server", base_server),
    ("base_client", base_client),
    ("main_server", main_server),
    ("main_client", main_client),
    ("display_server", display_server),
    ("display_client", display_client),
    ("cursor_server", cursor_server),
    ("inputs_server", inputs_server),
    ("inputs_client", inputs_client),
    ("playback_server", playback_server),
    ("record_server", record_server),
    ("record_client", record_client),
    ("smartcard_server", smartcard_server),
    ("smartcard_client", smartcard_client),
    ("vmc_server", vmc_server),
    ("vmc_client", vmc_client),
    ("port_server", port_server),
    ("port_client", port_client),
    ("channel_stream", channel_stream),
    ("recording", recording),
    ("region", region),
    ("quic", quic),
    ("lz", lz),
    ("glz", glz),
    ("zlib_glz", zlib_glz),
    ("encode_decode", encode_decode),
    ("agent", agent),
    ("stream_device", stream_device),
    ("migration", migration),
    ("connection_file", connection_file),
    ("sasl", sasl),
    ("sub_list", sub_list),
    ("smartcard_device", smartcard_device),
    ("qxl_command", qxl_command),
];

/// Decoding never panics, and what decodes comes back from its own encoding.
macro_rules! message_oracles {
    ($($name:ident: $message:ty;)*) => {$(
        /// The first two bytes are a message's number, the others its body.
        pub fn $name(data: &[u8]) {
            let Some((id, body)) = data.split_first_chunk() else { return };
            let body = Bytes::copy_from_slice(body);
            if let Ok(message) = <$message>::decode(u16::from_le_bytes(*id), &body) {
                let again = <$message>::decode(message.id(), &message.encode().to_bytes());
                assert_eq!(again.as_ref(), Ok(&message));
            }
        }
    )*};
}

message_oracles! {
    base_server: base::ServerMessage;
    base_client: base::ClientMessage;
    main_server: main::ServerMessage;
    main_client: main::ClientMessage;
    display_server: display::ServerMessage;
    display_client: display::ClientMessage;
    cursor_server: cursor::ServerMessage;
    inputs_server: inputs::ServerMessage;
    inputs_client: inputs::ClientMessage;
    playback_server: playback::ServerMessage;
    record_server: record::ServerMessage;
    record_client: record::ClientMessage;
    smartcard_server: smartcard::ServerMessage;
    smartcard_client: smartcard::ClientMessage;
    vmc_server: vmc::ServerMessage;
    vmc_client: vmc::ClientMessage;
    port_server: port::ServerMessage;
    port_client: port::ClientMessage;
}

/// Both link messages.
pub fn link(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    if let Ok(mess) = LinkMess::decode(&body) {
        let mut again = Vec::new();
        mess.encode(&mut again);
        assert_eq!(LinkMess::decode(&Bytes::from(again).slice(16..)).as_ref(), Ok(&mess));
    }
    if let Ok(reply) = LinkReply::decode(&body) {
        let mut again = Vec::new();
        reply.encode(&mut again);
        assert_eq!(LinkReply::decode(&Bytes::from(again).slice(16..)).as_ref(), Ok(&reply));
    }
}

/// A viewer's byte stream, cut anywhere: the messages do not depend on the cuts, and nothing above the cap is kept.
pub fn channel_stream(data: &[u8]) {
    let Some((first, stream)) = data.split_first() else { return };
    let header = if first & 1 == 0 { HeaderKind::Mini } else { HeaderKind::Full };
    let cut = usize::from(first >> 1).max(1);
    let whole = messages(header, stream, stream.len().max(1));
    assert_eq!(whole, messages(header, stream, cut));
}

fn messages(header: HeaderKind, stream: &[u8], cut: usize) -> Vec<(u16, Bytes)> {
    let now = Time::from_millis(1);
    let mut client =
        RedChannelClient::new(header, ChannelConfig { ack_window: 20, ..ChannelConfig::default() }, now);
    let mut out = Vec::new();
    for piece in stream.chunks(cut) {
        client.handle_bytes(piece, now);
        loop {
            match client.poll_message(now) {
                Ok(Some(message)) => out.push((message.id, message.body)),
                Ok(None) => break,
                Err(_) => return out,
            }
        }
    }
    out
}

/// A recording: it ends or it is refused, with a place.
pub fn recording(data: &[u8]) {
    let Ok(mut recording) = Recording::new(data) else { return };
    while let Ok(Some(_)) = recording.next_event() {}
}

/// A QUIC stream: a picture within the limit or an error, and a picture comes back from its encoding.
pub fn quic(data: &[u8]) {
    let Ok(image) = quic::decode(data, 1 << 16) else { return };
    let (width, height, stride) = (image.width, image.height, image.stride());
    let again =
        quic::encode(&image.pixels, width, height, stride, image.format).expect("it has been a picture");
    assert_eq!(quic::decode(&again, 1 << 16).as_ref(), Ok(&image));
}

/// Region operations against a bitmap of 16 x 16 pixels.
pub fn region(data: &[u8]) {
    const SIDE: i32 = 16;
    let mut region = Region::new();
    let mut model = [[false; SIDE as usize]; SIDE as usize];
    for step in data.chunks_exact(3) {
        let [op, corner, size] = step else { return };
        let (x, y) = (i32::from(corner & 15), i32::from(corner >> 4));
        let rect =
            Rect::new(x, y, u32::from(size & 15), u32::from(size >> 4)).intersect(&Rect::new(0, 0, 16, 16));
        let other = Region::from(rect);
        region = match op % 3 {
            0 => region.union(&other),
            1 => region.subtract(&other),
            _ => region.intersect(&other),
        };
        for (row, y) in model.iter_mut().zip(0..) {
            for (pixel, x) in row.iter_mut().zip(0..) {
                let inside = (rect.left..rect.right).contains(&x) && (rect.top..rect.bottom).contains(&y);
                *pixel = match op % 3 {
                    0 => *pixel || inside,
                    1 => *pixel && !inside,
                    _ => *pixel && inside,
                };
            }
        }
        let area = u64::try_from(model.iter().flatten().filter(|pixel| **pixel).count()).expect("few pixels");
        assert_eq!(region.area(), area);
        assert_eq!(region.rects().map(|rect| rect.area()).sum::<u64>(), area);
    }
}
