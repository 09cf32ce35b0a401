use std::io::{BufReader, Cursor};

use proptest::prelude::*;
use spice_proto::{Point, Rect, SurfaceId};

use super::script::Script;
use super::*;
use crate::qxl::{
    BitmapError, BitmapFormat, Brush, Clip, Command, CursorCommand, DeviceEvent, DrawOp, Drawable, Effect,
    ImageSource, SurfaceCommand,
};

fn read(bytes: &[u8]) -> Result<Vec<RecordedEvent>, RecordingError> {
    // A small buffer, so that everything is seen to cross its ends.
    let mut recording = Recording::new(BufReader::with_capacity(7, bytes))?;
    let mut events = Vec::new();
    while let Some(event) = recording.next_event()? {
        events.push(event);
    }
    assert_eq!(recording.position(), bytes.len() as u64);
    Ok(events)
}

fn only(writer: &Script) -> Event {
    let mut events = read(&writer.finish()).unwrap();
    assert_eq!(events.len(), 1);
    events.remove(0).event
}

fn command(writer: &Script) -> Command {
    match only(writer) {
        Event::Guest(GuestEvent::Command(command)) => command,
        other => panic!("{other:?}"),
    }
}

fn refusal(writer: &Script) -> Refusal {
    match only(writer) {
        Event::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn error(bytes: &[u8]) -> String {
    read(bytes).unwrap_err().to_string()
}

/// A bit of everything that can be expressed.
fn sample() -> Vec<u8> {
    let mut writer = Script::new();
    writer.message(16, 1);
    writer.message(20, 2).line("2 2 -8 32\n0 1 1 0").data("data", &[7; 16]);
    writer.command(5, 3).line("surface_cmd\nsurface_id 9\ntype 0\nflags 0\nu.surface_create.format 96");
    writer.line("u.surface_create.width 4\nu.surface_create.height 5\nu.surface_create.stride 16");
    writer.command(1, 4).drawable("0 0 2 2", 0, 1).fill(-1);
    writer
        .command(1, 5)
        .drawable("0 0 2 2", 0, 3)
        .bitmap(8, 5, (2, 2), b"event 1 1 1 1\n..")
        .copy_tail("0 0 2 2");
    writer.command(1, 6).line("drawable\nrect bbox 1 2 3 4\ntype 1\nnum_rects 1");
    writer.chunks("clip_rects", &[&[1, 0, 0, 0, 2, 0, 0], &[0, 3, 0, 0, 0, 4, 0, 0, 0]]);
    writer.drawable_tail(9, 4).line("point 5 -6");
    writer
        .command(3, 7)
        .line("cursor_cmd\ntype 0\npoint16 -1 2\nu.set.visible 1\nheader.unique 5\nheader.type 0");
    writer.line("header.width 1\nheader.height 1\nheader.hot_spot_x 0\nheader.hot_spot_y 0\ndata_size 4");
    writer.chunks("cursor", &[&[1, 2, 3, 4]]);
    writer.command(2, 8).line("update\nrect area 0 0 1 1\nupdate_id 3\nsurface_id 9");
    writer.command(4, 9).data("message", b"hello");
    writer.message(21, 10);
    writer.finish()
}

#[test]
fn everything_that_can_be_expressed_is_read() {
    let events = read(&sample()).unwrap();
    assert_eq!(events.len(), 10);
    assert!(events.iter().enumerate().all(|(index, event)| event.number == index as u64));
    assert!(events.iter().enumerate().all(|(index, event)| event.at.as_nanos() == index as u128 + 1));
    assert_eq!(events.iter().filter(|event| event.is_command).count(), 7);
    assert!(matches!(events[0].event, Event::Ignored));
    assert!(events[1..].iter().all(|event| matches!(event.event, Event::Guest(_))));
    assert!(matches!(events[9].event, Event::Guest(GuestEvent::Device(DeviceEvent::DestroyPrimary))));
}

#[test]
fn a_primary_surface_keeps_its_content_bottom_row_first() {
    let mut writer = Script::new();
    writer.message(29, 0).line("1 2 -4 32\n0 1 1 0").data("data", b"lowrhigh");
    let Event::Guest(GuestEvent::Device(DeviceEvent::CreatePrimary(primary))) = only(&writer) else {
        panic!()
    };
    assert_eq!((primary.width, primary.height), (1, 2));
    let content = primary.content.unwrap();
    assert_eq!((content.row(0), content.row(1)), (&b"high"[..], &b"lowr"[..]));
}

#[test]
fn a_primary_surface_without_the_flag_is_black() {
    let mut writer = Script::new();
    writer.message(20, 0).line("1 2 4 32\n0 1 0 0").data("data", &[9; 8]);
    let Event::Guest(GuestEvent::Device(DeviceEvent::CreatePrimary(primary))) = only(&writer) else {
        panic!()
    };
    assert!(primary.content.is_none());
}

#[test]
fn a_content_that_no_bitmap_holds_is_refused_and_no_command() {
    let mut writer = Script::new();
    writer.message(20, 0).line("1 1 4 80\n0 1 1 0").data("data", &[9; 4]);
    let events = read(&writer.finish()).unwrap();
    assert!(matches!(events[0].event, Event::Refused(Refusal::Content(_))));
    assert!(!events[0].is_command);
}

#[test]
fn a_fill_is_read() {
    let mut writer = Script::new();
    writer.command(1, 0).drawable("1 2 30 40", 7, 1).fill(-16_777_216);
    let Command::Draw(drawable) = command(&writer) else { panic!() };
    assert_eq!(drawable.surface, SurfaceId(7));
    assert_eq!(drawable.bbox, Rect::from_edges(2, 1, 40, 30));
    assert_eq!((drawable.clip, drawable.effect, drawable.mm_time), (Clip::None, Effect::OPAQUE, u32::MAX));
    let DrawOp::Fill(fill) = drawable.op else { panic!() };
    assert!(matches!(fill.brush, Brush::Solid(0xff00_0000)));
    assert_eq!(fill.rop.bits(), 8);
}

#[test]
fn a_copy_takes_its_bitmap_in_one_piece_or_in_chunks() {
    let rows = b"aaaabbbbccccdddd";
    let mut whole = Script::new();
    whole.command(1, 0).drawable("0 0 2 2", 0, 3).bitmap(9, 1 | 4, (2, 2), rows).copy_tail("0 0 2 2");
    let mut pieces = Script::new();
    pieces.command(1, 0).drawable("0 0 2 2", 0, 3).image_head(0, (2, 2));
    pieces.line("bitmap.format 9\nbitmap.flags 4\nbitmap.x 2\nbitmap.y 2\nbitmap.stride 8\nhas_palette 0");
    pieces.chunks("bitmap.data", &[&rows[..1], &rows[1..10], &rows[10..]]).copy_tail("0 0 2 2");
    for writer in [whole, pieces] {
        let Command::Draw(drawable) = command(&writer) else { panic!() };
        let DrawOp::Copy(copy) = drawable.op else { panic!() };
        let ImageSource::Bitmap(bitmap) = copy.source.source else { panic!() };
        assert_eq!(copy.source.id, 0xffff_ffff_0000_0001);
        assert!(bitmap.is_top_down());
        assert_eq!((bitmap.row(0), bitmap.row(1)), (&rows[..8], &rows[8..]));
        assert_eq!(copy.source_area, Rect::new(0, 0, 2, 2));
    }
}

#[test]
fn chunks_are_as_many_as_they_are_said_to_be() {
    let with = |said: &str, pieces: &[&[u8]], after: &str| {
        let mut writer = Script::new();
        writer.command(1, 0).line("drawable\nrect bbox 0 0 2 2\ntype 1\nnum_rects 1").line(said);
        for piece in pieces {
            writer.data("clip_rects", piece);
        }
        writer.line(after);
        let text = read(&writer.finish()).unwrap_err().to_string();
        text.split(", in event").next().unwrap().to_owned()
    };
    let (half, whole) = (&[0; 8][..], &[0; 16][..]);
    // What follows them is where they end.
    assert_eq!(
        with("data_chunks 1 16", &[half, half], "what"),
        "expected `effect` and a number, found `what`"
    );
    assert_eq!(with("data_chunks 0 16", &[whole], "what"), "expected `effect` and a number, found `what`");
    let one_more = "expected data named `clip_rects`";
    assert_eq!(with("data_chunks 1 16", &[whole], "what"), format!("{one_more}, found `what`"));
    assert_eq!(
        with("data_chunks 2 16", &[half, half], "event 1 0 3 0"),
        format!("{one_more}, found `event`")
    );
    let fewer = "expected 1 pieces of data named `clip_rects`, found `2`";
    assert_eq!(with("data_chunks 0 16", &[half, half], "what"), fewer);
    let bytes = "expected 17 bytes of data named `clip_rects`, found `16 bytes`";
    assert_eq!(with("data_chunks 1 17", &[half, half], "what"), bytes);
    let other = "binary 0 other 1:x";
    assert_eq!(with("data_chunks 1 16", &[whole], other), format!("{one_more}, found `binary other`"));
}

#[test]
fn a_copy_takes_a_surface() {
    let mut writer = Script::new();
    writer.command(1, 0).drawable("0 0 2 2", 0, 3).image_head(104, (9, 9));
    writer.line("surface_image.surface_id 12").copy_tail("5 6 7 8");
    let Command::Draw(drawable) = command(&writer) else { panic!() };
    assert_eq!(drawable.reads().collect::<Vec<_>>(), [SurfaceId(12)]);
}

#[test]
fn clip_rectangles_and_copied_bits_are_read() {
    let events = read(&sample()).unwrap();
    let Event::Guest(GuestEvent::Command(Command::Draw(drawable))) = &events[5].event else { panic!() };
    assert_eq!(drawable.clip, Clip::Rects([Rect::from_edges(2, 1, 4, 3)].into()));
    let DrawOp::CopyBits(copy) = &drawable.op else { panic!() };
    assert_eq!(copy.source, Point::new(5, -6));
}

#[test]
fn cursor_commands_are_read() {
    let mut writer = Script::new();
    writer.command(3, 0).line("cursor_cmd\ntype 1\npoint16 -3 4");
    writer.command(3, 0).line("cursor_cmd\ntype 2");
    writer.command(3, 0).line("cursor_cmd\ntype 3\nu.trail.length 5\nu.trail.frequency 6");
    let commands: Vec<_> = read(&writer.finish())
        .unwrap()
        .into_iter()
        .map(|event| match event.event {
            Event::Guest(GuestEvent::Command(Command::Cursor(command))) => command,
            other => panic!("{other:?}"),
        })
        .collect();
    let [CursorCommand::Move(to), CursorCommand::Hide, CursorCommand::Trail { length: 5, frequency: 6 }] =
        &commands[..]
    else {
        panic!("{commands:?}")
    };
    assert_eq!((to.x, to.y), (-3, 4));
}

#[test]
fn surfaces_come_and_go() {
    let mut writer = Script::new();
    writer.command(5, 0).line("surface_cmd\nsurface_id 9\ntype 0\nflags 1\nu.surface_create.format 96");
    writer.line("u.surface_create.width 1\nu.surface_create.height 2\nu.surface_create.stride 4");
    writer.data("data", b"highlowr");
    writer.command(5, 0).line("surface_cmd\nsurface_id 9\ntype 1\nflags 0");
    let events = read(&writer.finish()).unwrap();
    let Event::Guest(GuestEvent::Command(Command::Surface(SurfaceCommand::Create {
        surface, content, ..
    }))) = &events[0].event
    else {
        panic!()
    };
    assert_eq!(*surface, SurfaceId(9));
    assert_eq!(content.as_ref().unwrap().row(1), b"lowr");
    assert!(matches!(
        events[1].event,
        Event::Guest(GuestEvent::Command(Command::Surface(SurfaceCommand::Destroy {
            surface: SurfaceId(9)
        })))
    ));
}

#[test]
fn what_cannot_be_expressed_is_passed_over_and_counted() {
    let draw = |kind| {
        let mut writer = Script::new();
        writer.command(1, 0).drawable("0 0 2 2", 0, kind);
        writer
    };
    assert_eq!(refusal(&draw(77)).to_string(), "draws of type 77 are not known");

    let mut brush = draw(1);
    brush.line("type 9");
    assert_eq!(refusal(&brush), Refusal::Brush(9));

    let mut image = draw(3);
    image.image_head(9, (1, 1));
    assert_eq!(refusal(&image), Refusal::Image(9));

    let mut outside = draw(3);
    outside.bitmap(8, 5, (2, 2), &[0; 16]).copy_tail("-1 0 1 2");
    assert!(matches!(refusal(&outside), Refusal::Shape(_)));

    let mut transform = draw(14);
    transform
        .line("flags 3")
        .bitmap(8, 5, (2, 2), &[0; 16])
        .line("src_transform 1")
        .data("transform", &[0; 23]);
    assert!(matches!(refusal(&transform), Refusal::Raw(_)));

    let mut text = draw(11);
    text.line("data_size 21\nlength 2\nflags 1").chunks("string", &[&[0; 21]]);
    assert!(matches!(refusal(&text), Refusal::Raw(_)));

    let mut path = draw(10);
    path.chunks("path", &[&[0, 0, 0, 0, 2, 0, 0, 0, 0, 0]]);
    assert!(matches!(refusal(&path), Refusal::Raw(_)));

    let mut short = draw(3);
    short.bitmap(8, 5, (2, 2), &[0; 15]).copy_tail("0 0 2 2");
    assert!(matches!(refusal(&short), Refusal::Bitmap(_)));

    let mut none = draw(3);
    none.line("image 0").copy_tail("0 0 2 2");
    assert_eq!(refusal(&none), Refusal::NoImage);

    let mut unknown = Script::new();
    unknown.command(6, 0).line("whatever");
    assert_eq!(refusal(&unknown), Refusal::Command(6));
    assert!(read(&unknown.finish()).unwrap()[0].is_command);
}

#[test]
fn data_of_another_length_than_is_said_is_refused() {
    let draw = |kind| {
        let mut writer = Script::new();
        writer.command(1, 0).drawable("0 0 2 2", 0, kind);
        writer
    };
    let wrong = |writer: &Script, expected: &str| {
        assert!(matches!(refusal(writer), Refusal::Raw(_)));
        assert_eq!(refusal(writer).to_string(), expected);
    };
    let mut text = draw(11);
    text.line("data_size 21\nlength 1\nflags 1").chunks("string", &[&[0; 20]]);
    wrong(&text, "21 bytes of glyphs do not take 20 bytes");

    for len in [7, 9] {
        let mut dashes = draw(10);
        dashes.chunks("path", &[&[]]).line("attr.flags 8\nattr.style_nseg 2").data("style", &vec![0; len]);
        wrong(&dashes, &format!("2 dashes do not take {len} bytes"));
    }

    let mut transform = draw(14);
    transform.line("flags 3").bitmap(8, 5, (2, 2), &[0; 16]).line("src_transform 1");
    transform.data("transform", &[0; 25]);
    wrong(&transform, "6 numbers of a transform do not take 25 bytes");

    let mut bitmap = draw(3);
    bitmap.bitmap(8, 5, (2, 2), &[0; 17]).copy_tail("0 0 2 2");
    wrong(&bitmap, "2 rows of a bitmap do not take 17 bytes");

    let mut quic = draw(3);
    quic.image_head(1, (1, 1)).line("quic.data_size 4").chunks("quic.data", &[&[1, 2], &[3]]);
    wrong(&quic, "4 bytes of a QUIC image do not take 3 bytes");
}

#[test]
fn colours_need_a_palette_and_masks_do_not() {
    let bitmap = |writer: &mut Script| {
        writer.image_head(0, (8, 1)).line("bitmap.format 2\nbitmap.flags 5\nbitmap.x 8\nbitmap.y 1");
        writer.line("bitmap.stride 1\nhas_palette 0").data("image_data_flat", &[5]);
    };
    let mut copy = Script::new();
    copy.command(1, 0).drawable("0 0 2 2", 0, 3);
    bitmap(&mut copy);
    copy.copy_tail("0 0 2 1");
    assert_eq!(refusal(&copy), Refusal::Bitmap(BitmapError::Palette(BitmapFormat::BIT1_BE)));
    let mut invers = Script::new();
    invers.command(1, 0).drawable("0 0 2 2", 0, 8).line("flags 1\npoint 3 4");
    bitmap(&mut invers);
    let Command::Draw(Drawable { op: DrawOp::Invers(Some(mask)), .. }) = command(&invers) else { panic!() };
    assert!(mask.inverted);
    assert_eq!(mask.pos, Point::new(3, 4));
}

#[test]
fn an_image_that_is_not_there_is_the_surface_itself_where_the_drawable_says_so() {
    let area = Rect::from_edges(2, 1, 4, 3);
    let script = |own: u32, kind: u32| {
        let mut writer = Script::new();
        writer.command(1, 0).line("drawable\nrect bbox 0 0 2 2\ntype 0\neffect 1\nmm_time 7");
        writer.line(&format!("self_bitmap {own}\nrect self_bitmap_area 1 2 3 4\nsurface_id 0"));
        for _ in 0..3 {
            writer.line("surfaces_dest -1\nrect surfaces_rects 0 0 0 0");
        }
        writer.line(&format!("type {kind}"));
        writer
    };
    for (own, expected) in [(0, None), (1, Some(area))] {
        let mut fill = script(own, 1);
        fill.line("type 2\nimage 0\npoint 0 0\nrop_descriptor 8").no_mask();
        let mut transparent = script(own, 12);
        transparent.line("image 0\nrect src_area 0 0 2 2\nsrc_color 1\ntrue_color 2");
        for writer in [fill, transparent] {
            let Some(area) = expected else {
                assert_eq!(refusal(&writer), Refusal::NoImage);
                continue;
            };
            let Command::Draw(drawable) = command(&writer) else { panic!() };
            let images: Vec<_> = drawable.op.images().map(|image| image.source.clone()).collect();
            assert_eq!(images, [ImageSource::Own(area)]);
        }
    }
    let mut composite = script(1, 14);
    composite.line("flags 3").line("image 0").line("src_transform 0\nmask 1\nimage 0\nmask_transform 0");
    composite.line("src_origin 0 0\nmask_origin 0 0");
    let Command::Draw(Drawable { op: DrawOp::Composite(composite), .. }) = command(&composite) else {
        panic!()
    };
    assert_eq!((composite.source.source, composite.mask), (ImageSource::Own(area), None));
    // A copy is not one of the surface itself, whatever is said, with an image or without.
    let mut copy = script(1, 3);
    copy.bitmap(8, 5, (2, 2), &[0; 16]).copy_tail("0 0 2 2");
    let Command::Draw(Drawable { op: DrawOp::Copy(copy), .. }) = command(&copy) else { panic!() };
    assert!(matches!(copy.source.source, ImageSource::Bitmap(_)));
    for kind in [3, 5] {
        let mut none = script(1, kind);
        none.line("image 0").copy_tail("0 0 2 2");
        assert_eq!(refusal(&none), Refusal::NoImage);
    }
}

#[test]
fn the_event_after_a_refused_one_is_read() {
    let mut writer = Script::new();
    writer
        .command(1, 0)
        .drawable("0 0 2 2", 0, 10)
        .chunks("path", &[b"event 9 9 9 9\n"])
        .line("attr.flags 0");
    writer.command(3, 1).line("cursor_cmd\ntype 2");
    let events = read(&writer.finish()).unwrap();
    assert!(matches!(events[0].event, Event::Refused(Refusal::Raw(_))));
    assert!(matches!(events[1].event, Event::Guest(_)));
}

#[test]
fn a_shape_without_all_its_pixels_is_refused() {
    let mut writer = Script::new();
    writer
        .command(3, 7)
        .line("cursor_cmd\ntype 0\npoint16 0 0\nu.set.visible 1\nheader.unique 5\nheader.type 1");
    writer.line("header.width 9\nheader.height 2\nheader.hot_spot_x 0\nheader.hot_spot_y 0\ndata_size 7");
    writer.chunks("cursor", &[&[0; 7]]);
    assert_eq!(refusal(&writer), Refusal::ShapeShort { needed: 8, len: 7 });
}

#[test]
fn a_wrong_head_says_so() {
    for bytes in [&b""[..], b"SPICE", b"SPICE_REPLAYS 1\n", b"\x28\xb5\x2f\xfd\n", &[b'x'; 100_000]] {
        assert!(matches!(read(bytes).unwrap_err().problem(), Problem::NotARecording));
    }
    assert_eq!(
        error(b"SPICE_REPLAY 2\n"),
        "a recording of version 2 cannot be read, only version 1, before the first event, at byte 0"
    );
    assert!(read(b"SPICE_REPLAY 1\n").unwrap().is_empty());
}

#[test]
fn errors_name_what_was_expected_and_where() {
    let good = b"SPICE_REPLAY 1\nevent 4 0 3 9\ncursor_cmd\n";
    let with = |tail: &str| error(&[good, tail.as_bytes()].concat());
    assert_eq!(with("type x\n"), "expected `type` and a number, found `type x`, in event 4, at byte 40");
    assert_eq!(
        with("type 1\n"),
        "expected `point16` and 2 numbers, but the recording ends, in event 4, at byte 47"
    );
    assert_eq!(
        with("type 1\nevent 5 0 3 9\n"),
        "expected `point16` and 2 numbers, found `event`, in event 4, at byte 47"
    );
    assert_eq!(
        with("type 1\npoint16 1 70000\n"),
        "expected a number of 16 bits for `point16`, found `70000`, in event 4, at byte 47"
    );
    assert_eq!(with("type 2\nmore\n"), "expected the next event, found `more`, in event 4, at byte 47");
    assert_eq!(with("typ"), "expected the rest of a line, but the recording ends, in event 4, at byte 40");
    assert_eq!(
        with("binary 0 x 4:ab"),
        "expected 2 more bytes of data, but the recording ends, in event 4, at byte 40"
    );
    assert_eq!(with("binary 1 x 4:9:"), "data compressed with zlib is not supported, in event 4, at byte 40");
    assert_eq!(
        with("event 5 0 3\n"),
        "expected `event` and 4 numbers, found `5 0 3`, in event 4, at byte 40"
    );
}

#[test]
fn limits_hold() {
    let head = b"SPICE_REPLAY 1\nevent 0 0 9 0\n";
    let with = |tail: &[u8]| read(&[head, tail].concat()).unwrap_err();
    let too_large = |error: RecordingError| matches!(error.problem(), Problem::TooLarge { .. });
    assert!(too_large(with(&[b'a'; MAX_LINE + 2])));
    assert!(too_large(with(&b"\n".repeat(MAX_EVENT_PARTS + 1))));
    assert_eq!(read(&[head, &b"\n".repeat(MAX_EVENT_PARTS)[..]].concat()).unwrap().len(), 1);
    let huge = format!("binary 0 x {}:", MAX_EVENT_DATA + 1);
    assert!(too_large(with(huge.as_bytes())));
    // Allowed by its number alone, and not there: no memory is taken for it.
    let absent = format!("binary 0 x {MAX_EVENT_DATA}:");
    assert!(matches!(with(absent.as_bytes()).problem(), Problem::Truncated { .. }));
}

#[test]
fn nothing_follows_an_error() {
    let bytes = b"SPICE_REPLAY 1\nevent 0 0 3 0\nx\nevent 1 1 2 0\n";
    let mut recording = Recording::new(&bytes[..]).unwrap();
    assert!(recording.next_event().is_err());
    assert!(recording.next_event().unwrap().is_none());
}

#[test]
fn the_position_is_where_the_next_event_begins() {
    let sample = sample();
    let mut recording = Recording::new(&sample[..]).unwrap();
    let mut count = 0;
    loop {
        let position = usize::try_from(recording.position()).unwrap();
        assert!(sample[position..].starts_with(b"event ") || position == sample.len());
        assert_eq!(read(&sample[..position]).unwrap().len(), count);
        if recording.next_event().unwrap().is_none() {
            break;
        }
        count += 1;
    }
}

#[test]
fn a_recording_cut_anywhere_ends_or_says_where() {
    let sample = sample();
    for length in 0..sample.len() {
        if let Err(error) = read(&sample[..length]) {
            assert!(error.place().offset <= length as u64, "{error}");
        }
    }
}

#[test]
fn a_reader_that_fails_is_an_error() {
    struct Failing(Cursor<Vec<u8>>);
    impl std::io::Read for Failing {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(std::io::Error::other("the disk is gone")),
                count => Ok(count),
            }
        }
    }
    let mut recording = Recording::new(BufReader::new(Failing(Cursor::new(sample())))).unwrap();
    let error = std::iter::from_fn(|| recording.next_event().transpose()).find_map(Result::err).unwrap();
    assert!(error.to_string().starts_with("reading failed (the disk is gone), in event 9, "), "{error}");
}

proptest! {
    #[test]
    fn flipped_bytes_never_panic(flips in proptest::collection::vec((0..4000_usize, any::<u8>()), 1..8)) {
        let mut sample = sample();
        for (index, byte) in flips {
            let index = index % sample.len();
            sample[index] = byte;
        }
        // Positions are not compared here: a broken recording has its own idea of where it ends.
        if let Ok(mut recording) = Recording::new(&sample[..]) {
            while let Ok(Some(_)) = recording.next_event() {}
        }
    }

    #[test]
    fn noise_never_panics(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        let bytes = [b"SPICE_REPLAY 1\nevent 0 0 1 0\n", &noise[..]].concat();
        if let Ok(mut recording) = Recording::new(&bytes[..]) {
            while let Ok(Some(_)) = recording.next_event() {}
        }
    }
}
