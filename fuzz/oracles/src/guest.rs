//! What comes from a guest: the agent's protocol, the stream device.

use bytes::Bytes;
use spice_proto::DecodeError;
use spice_proto::agent::{
    AgentLayout, Chunk, ChunkReader, ChunkSplitter, MAX_CHUNK, Message, Port, RawMessage, Reassembler,
};
use spice_proto::stream_device::{Frame, FrameDecoder, GuestMessage, HostMessage, Sender};

/// Calls `read` on each piece of `stream` until it wants more or fails.
fn read_all<T>(
    stream: &[u8],
    cut: usize,
    mut read: impl FnMut(&mut Bytes) -> Result<Option<T>, DecodeError>,
) -> (Vec<T>, Option<DecodeError>) {
    let mut out = Vec::new();
    for piece in stream.chunks(cut) {
        let mut input = Bytes::copy_from_slice(piece);
        loop {
            match read(&mut input) {
                Ok(Some(value)) => out.push(value),
                Ok(None) => break,
                Err(error) => return (out, Some(error)),
            }
        }
        assert!(input.is_empty(), "more is wanted before all is taken");
    }
    (out, None)
}

/// An agent's device, cut anywhere: chunks and messages do not depend on the cuts. What is a message comes back from
/// its encoding, in the layout that the first byte chooses, and any message is whole again after it was cut up.
pub fn agent(data: &[u8]) {
    let Some((first, stream)) = data.split_first() else { return };
    let layout = AgentLayout { selection: first & 1 != 0, grab_serial: first & 2 != 0 };
    let cut = usize::from(first >> 2).max(1);
    let chunks = |cut| {
        let mut reader = ChunkReader::default();
        read_all(stream, cut, |input| reader.read(input))
    };
    let whole = chunks(stream.len().max(1));
    assert_eq!(whole, chunks(cut));
    for port in [Port::CLIENT, Port::SERVER] {
        let bytes = port_bytes(&whole.0, port);
        let messages = raw_messages(&bytes, bytes.len().max(1));
        assert_eq!(messages, raw_messages(&bytes, cut));
        for raw in &messages.0 {
            agent_message(raw, layout);
        }
    }
}

fn port_bytes(chunks: &[Chunk], port: Port) -> Vec<u8> {
    chunks.iter().filter(|chunk| chunk.port == port).flat_map(|chunk| chunk.data.iter().copied()).collect()
}

fn raw_messages(bytes: &[u8], cut: usize) -> (Vec<RawMessage>, Option<DecodeError>) {
    let mut reassembler = Reassembler::new(1 << 16);
    read_all(bytes, cut, |input| reassembler.read(input))
}

fn agent_message(raw: &RawMessage, layout: AgentLayout) {
    let pieces: Vec<Bytes> =
        ChunkSplitter::new(raw.message_type, raw.opaque, &raw.data.clone().into()).collect();
    assert!(pieces.iter().all(|piece| (1..=MAX_CHUNK).contains(&piece.len())));
    assert_eq!(raw_messages(&pieces.concat(), MAX_CHUNK), (vec![raw.clone()], None));
    if let Ok(message) = Message::decode(raw.message_type, &raw.data, layout) {
        let again = message.encode(layout).map(|body| body.to_bytes());
        let again = again.map(|body| Message::decode(raw.message_type, &body, layout));
        assert_eq!(again, Some(Ok(message)), "what a layout has said it can say");
    }
}

/// A stream device, cut anywhere: frames do not depend on the cuts, and none is larger than its kind may be. What is a
/// message comes back from its encoding.
pub fn stream_device(data: &[u8]) {
    let Some((first, stream)) = data.split_first() else { return };
    let sender = if first & 1 == 0 { Sender::Guest } else { Sender::Host };
    let frames = |cut| {
        let mut decoder = FrameDecoder::new(sender);
        read_all(stream, cut, |input| decoder.read(input))
    };
    let whole = frames(stream.len().max(1));
    assert_eq!(whole, frames(usize::from(first >> 1).max(1)));
    for Frame { id, body } in &whole.0 {
        let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
        assert!(sender.sizes(*id).is_some_and(|sizes| sizes.contains(&len)), "{len} bytes of {id}");
        match sender {
            Sender::Guest => {
                if let Ok(message) = GuestMessage::decode(*id, body) {
                    assert_eq!(GuestMessage::decode(*id, &message.encode().to_bytes()), Ok(message));
                }
            }
            Sender::Host => {
                if let Ok(message) = HostMessage::decode(*id, body) {
                    assert_eq!(HostMessage::decode(*id, &message.encode().to_bytes()), Ok(message));
                }
            }
        }
    }
}
