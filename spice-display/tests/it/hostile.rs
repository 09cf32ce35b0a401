//! What viewers and guests may send: it costs themselves and nobody else.

use spice_channel::{Channel, ChannelError, ChannelLink, ClientId, PipeLimits};
use spice_display::CommandError;
use spice_display::qxl::GuestEvent;
use spice_proto::{HeaderKind, Rect, SurfaceId};

use crate::lab::{Lab, caps};
use crate::scene::{SIDE, fill, primary};

fn message(id: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    HeaderKind::Mini.encode(0, id, u32::try_from(body.len()).unwrap(), &mut bytes);
    bytes.extend_from_slice(body);
    bytes
}

#[test]
fn bad_bytes_end_the_connection_that_sent_them_and_the_other_viewer_goes_on() {
    let init = message(101, &[0; 14]);
    let cases: [(&str, Vec<u8>); 7] = [
        ("an unknown message", message(250, b"")),
        ("a short message", message(101, b"abc")),
        ("a long message", message(101, &[0; 15])),
        ("a message above the cap", vec![101, 0, 0xff, 0xff, 0xff, 0xff]),
        ("a second init", [init.clone(), init].concat()),
        ("migration data that nobody asked for", message(5, b"xyz")),
        ("a frame that was never sent", message(104, b"")),
    ];
    for (what, bytes) in cases {
        let mut lab = Lab::new(PipeLimits::default());
        lab.event(primary()).unwrap();
        let honest = lab.join(HeaderKind::Mini, true, usize::MAX);
        let hostile = ClientId(99);
        let link = ChannelLink { caps: caps(HeaderKind::Mini, true) };
        lab.worker.display_mut().connect(hostile, link, lab.now);
        let error = lab.worker.display_mut().handle_bytes(hostile, &bytes, lab.now).unwrap_err();
        assert!(
            matches!(
                error,
                ChannelError::Decode(_) | ChannelError::TooLarge { .. } | ChannelError::OutOfTurn { .. }
            ),
            "{what}: {error}"
        );
        lab.worker.display_mut().disconnect(hostile, lab.now);
        lab.event(fill(0, Rect::new(0, 0, SIDE, SIDE), 7)).unwrap();
        lab.run_until_idle();
        assert_eq!(lab.difference(honest), None, "{what}");
    }
}

#[test]
fn refused_commands_change_nothing() {
    let mut lab = Lab::new(PipeLimits::default());
    let draw = |surface, bbox| fill(surface, bbox, 1);
    assert!(matches!(lab.event(draw(0, Rect::new(0, 0, 1, 1))), Err(CommandError::Draw(_))));
    lab.event(primary()).unwrap();
    let refused: [GuestEvent; 5] = [
        draw(0, Rect::new(-1, 0, 5, 5)),
        draw(0, Rect::new(0, 0, SIDE + 1, 1)),
        draw(0, Rect::from_edges(i32::MIN, i32::MIN, i32::MAX, i32::MAX)),
        draw(1, Rect::new(0, 0, 1, 1)),
        draw(u32::MAX, Rect::new(0, 0, 1, 1)),
    ];
    for event in refused {
        assert!(lab.event(event).is_err());
    }
    let all = Rect::new(0, 0, SIDE, SIDE);
    let canvas = lab.worker.display_mut().canvas(SurfaceId::PRIMARY, all).unwrap();
    assert!(canvas.read(all).iter().all(|byte| *byte == 0));
}
