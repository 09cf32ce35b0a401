//! What guests have done to the C server and to QEMU, one test for each: here it costs them a command.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use spice_channel::PipeLimits;
use spice_display::codec::quic::{self, QuicError, QuicFormat};
use spice_display::memory::{
    GuestMemory, MemSlot, MemSlotSetup, MemSlots, MemoryError, OutOfRange, QxlPhysical,
};
use spice_display::qxl::parse::{
    CommandFlags, CommandKind, MAX_HEADS, QxlCommand, SurfaceCreate, monitors_config, parse, primary_surface,
};
use spice_display::qxl::{
    Command, CursorCommand, DrawCopy, DrawOp, Drawable, GuestEvent, Image, ImageSource, QuicImage,
};
use spice_display::{CommandError, SurfaceError, SurfaceLimits, SurfaceShape, SurfaceTable};
use spice_proto::display::SurfaceFormat;
use spice_proto::{Point, Rect, SurfaceId};
use testkit::torture::{self, Part};

use crate::lab::Lab;
use crate::layout::Style;
use crate::memory::{BASE, GROUP, Laid, SETUP, lay_out, slots};
use crate::scene::{SIDE, copy_surface, create, destroy, fill, primary};

/// Memory in which somebody else writes while a test runs.
type Shared = Arc<Vec<AtomicU8>>;

fn shared(bytes: &[u8]) -> (Shared, MemSlots) {
    let memory: Shared = Arc::new(bytes.iter().copied().map(AtomicU8::new).collect());
    let mut slots = MemSlots::new(SETUP).unwrap();
    slots.add(GROUP, 1, MemSlot { generation: 3, start: 0x100, memory: Arc::new(memory.clone()) }).unwrap();
    (memory, slots)
}

/// Does `test` while another thread turns the bytes of `memory` there to these and back, until it has gone either way
/// often enough: `test` says whether something was read.
fn while_flipping(memory: &Shared, at: std::ops::Range<usize>, to: &[u8], mut test: impl FnMut() -> bool) {
    const ENOUGH: u32 = 2000;
    let from: Vec<u8> = memory[at.clone()].iter().map(|byte| byte.load(Ordering::Relaxed)).collect();
    std::thread::scope(|scope| {
        let testing = Arc::new(());
        let tested = Arc::downgrade(&testing);
        scope.spawn(move || {
            while tested.strong_count() > 0 {
                for bytes in [to, &from] {
                    for (byte, to) in memory[at.clone()].iter().zip(bytes) {
                        byte.store(*to, Ordering::Relaxed);
                    }
                }
            }
        });
        let (mut read, mut refused) = (0, 0);
        while read < ENOUGH || refused < ENOUGH {
            match test() {
                true => read += 1,
                false => refused += 1,
            }
        }
        drop(testing);
    });
}

/// The places in memory that hold an address of it.
fn addresses(memory: &[u8]) -> Vec<usize> {
    let within = BASE..BASE + memory.len() as u64;
    let windows = memory.windows(8).enumerate();
    let addresses = windows.map(|(at, bytes)| (at, u64::from_le_bytes(bytes.try_into().unwrap())));
    addresses.filter(|(_, address)| within.contains(address)).map(|(at, _)| at).collect()
}

/// Pointers in shared memory that nobody looked at.
#[test]
fn cve_2010_0428_and_0429_no_address_leaves_the_memory_of_its_guest() {
    let style = Style { chunk: 100, direct: false, compat: false };
    let mut tried = 0;
    for part in [Part::Copy, Part::Other, Part::Masks, Part::Transforms, Part::Text, Part::Stroke] {
        for case in torture::cases(part).iter().step_by(7) {
            let Some(GuestEvent::Command(command)) = case.events.last() else { continue };
            let Laid { memory, command } = lay_out(command, style);
            assert!(parse(&slots(memory.clone()), &command).is_ok());
            let end = BASE + memory.len() as u64;
            let hostile = [
                end,
                end - 3,
                end + 0x1000,
                BASE - 1,
                BASE ^ 1 << 48,
                BASE ^ 1 << 56,
                BASE | 0xff << 56,
                1,
                0x7fff_ffff_ffff,
                u64::MAX,
            ];
            for at in addresses(&memory) {
                for address in hostile {
                    let mut memory = memory.clone();
                    memory[at..at + 8].copy_from_slice(&address.to_le_bytes());
                    let refused = parse(&slots(memory), &command).unwrap_err();
                    assert!(refused.release.is_some(), "{}: {refused}", case.name);
                    tried += 1;
                }
            }
            for address in hostile {
                let command = QxlCommand { data: QxlPhysical(address), ..command };
                assert_eq!(parse(&slots(memory.clone()), &command).unwrap_err().release, None);
            }
        }
    }
    assert!(tried > 1000, "{tried} addresses are few");
}

/// A number of monitors that was checked, then read again.
#[test]
fn cve_2015_3247_monitors_are_counted_once() {
    let head = |id: u32| [id, 0, 640, 480, 0, 0, 0].into_iter().flat_map(u32::to_le_bytes);
    let heads = (0..3).flat_map(head);
    let (memory, slots) = shared(&[1, 0, 0xff, 0xff].into_iter().chain(heads).collect::<Vec<u8>>());
    while_flipping(&memory, 0..2, &[0xff, 0xff], || {
        let config = monitors_config(&slots, GROUP, QxlPhysical(BASE));
        assert!(config.iter().all(|config| config.heads.len() == 1 && config.max_allowed <= MAX_HEADS));
        config.is_ok()
    });
}

/// Ids of surfaces beyond the table, and sizes that wrap.
#[test]
fn cve_2015_5260_surfaces_have_ids_of_the_table() {
    let limit = SurfaceLimits::default().surfaces;
    for id in [limit, limit + 1, u32::MAX] {
        let mut lab = Lab::new(PipeLimits::default());
        lab.event(primary()).unwrap();
        let all = Rect::new(0, 0, SIDE, SIDE);
        let beyond = SurfaceError::Id { surface: SurfaceId(id), limit };
        assert_eq!(lab.event(create(id, None)), Err(CommandError::Surface(beyond)));
        assert!(lab.event(destroy(id)).is_err());
        assert!(lab.event(fill(id, all, 1)).is_err());
        assert!(lab.event(copy_surface(id, all, 0, Point::default())).is_err());
        assert!(lab.event(copy_surface(0, all, id, Point::default())).is_err(), "{id}");
        assert_eq!(lab.worker.display().surfaces().iter().count(), 1);
        assert!(lab.event(create(limit - 1, None)).is_ok());
    }
}

#[test]
fn cve_2015_5261_surfaces_are_as_large_as_their_memory() {
    let refused: [(u32, u32, i32); 8] = [
        (0x0800_0004, 0x4000_0020, 0x2000_0010),
        (0x4000_0000, 1, 0),
        (0x4000_0001, 1, 4),
        (1, 0x4000_0000, 4),
        (1, u32::MAX, 4),
        (1, u32::MAX, i32::MAX),
        (0x8000, 0x8000, 0x8000),
        (65, 64, 260),
    ];
    for (width, height, stride) in refused {
        for flags in [0, 1] {
            let fields = [32, width, height, stride.cast_unsigned()].map(u32::to_le_bytes).concat();
            let head = [&[0; 8][..], &7_u32.to_le_bytes(), &[0], &u32::to_le_bytes(flags)].concat();
            let mut memory = [&head[..], &fields, &BASE.to_le_bytes()].concat();
            memory.resize(64 * 64 * 4, 0);
            let data = QxlPhysical(BASE);
            let (kind, flags) = (CommandKind::SURFACE, CommandFlags::default());
            let refused = parse(&slots(memory), &QxlCommand { group: GROUP, flags, kind, data });
            assert!(refused.unwrap_err().release.is_some());
        }
        let mut table = SurfaceTable::new(SurfaceLimits { pixels: 64 * 64, ..SurfaceLimits::default() });
        let shape = SurfaceShape { width, height, format: SurfaceFormat::RGB32 };
        assert!(table.create(SurfaceId(0), shape, None).is_err());
    }
}

/// A primary surface whose rows lie outside of its memory.
#[test]
fn cve_2016_2150_rows_of_the_primary_surface_lie_in_its_memory() {
    const LEN: usize = 0x1000;
    let memory: Vec<u8> = (0..LEN).map(|at| (at / 64).to_le_bytes()[0]).collect();
    let slots = slots(memory);
    let read = |width, height, stride, offset: u64| {
        let (format, mem) = (SurfaceFormat::RGB32, QxlPhysical(BASE + offset));
        primary_surface(&slots, GROUP, &SurfaceCreate { width, height, stride, format, flags: 1, mem })
    };
    let rows = |stride| {
        let content = read(16, 64, stride, 0).unwrap().content.unwrap();
        (0..64).map(|y| content.row(y)[0]).collect::<Vec<_>>()
    };
    assert_eq!(rows(64), (0..64).collect::<Vec<_>>());
    assert_eq!(rows(-64), (0..64).rev().collect::<Vec<_>>());
    for sign in [1, -1] {
        for (width, height, stride, offset) in [
            (16, 64, 64, 1),
            (16, 64, 64, 64),
            (16, 65, 64, 0),
            (17, 64, 64, 0),
            (16, 64, 63, 0),
            (16, 64, 0, 0),
            (16, 64, i32::MAX, 0),
            (16, 2, i32::MAX, 0),
            (16, u32::MAX, 64, 0),
            (u32::MAX, 1, -4, 0),
            (u32::MAX, u32::MAX, i32::MAX, 0),
        ] {
            assert!(read(width, height, stride * sign, offset).is_err(), "{width}x{height}, {stride}");
        }
    }
    assert!(read(16, 64, i32::MIN, 0).is_err());
    assert!(read(0, 0, i32::MIN, 0).is_err());
}

/// A slot's id that is one too many.
#[test]
fn cve_2019_3813_slots_end_before_their_number() {
    for (slots, id_bits, generation_bits) in
        [(1, 1, 1), (1, 8, 8), (8, 8, 8), (255, 8, 0), (3, 2, 0), (8, 3, 1)]
    {
        let setup = MemSlotSetup { groups: 2, slots, generation_bits, id_bits, internal_groupslot_id: 0 };
        let mut memory = MemSlots::new(setup).unwrap();
        for group in 0..2 {
            for slot in 0..slots {
                let (generation, start) = (0, 0);
                memory.add(group, slot, MemSlot { generation, start, memory: Arc::new(vec![0_u8]) }).unwrap();
            }
        }
        for group in 0..4 {
            for id in 0..1_u64 << id_bits {
                let found = memory.resolve(group, QxlPhysical(id << (64 - id_bits)));
                match found {
                    Ok(_) => assert!(id < slots.into() && group < 2),
                    Err(MemoryError::Slot { slot, slots: of }) => {
                        assert!(id >= slots.into() && (slot, of) == (id, slots));
                    }
                    Err(MemoryError::Group { group: wrong, groups: 2 }) => {
                        assert!(group == wrong && group >= 2);
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }
}

/// QUIC images that are not what they say.
#[test]
fn cve_2020_14355_quic_streams_that_lie_are_no_pictures() {
    let pixels: Vec<u8> = (0..16 * 9 * 4_u32).map(|at| (at * at / 7).to_le_bytes()[0] & 0xf0).collect();
    let stream = quic::encode(&pixels, 16, 9, 64, QuicFormat::Rgb32).unwrap();
    let with = |at: usize, value: u32| {
        let mut stream = stream.to_vec();
        stream[at..at + 4].copy_from_slice(&value.to_le_bytes());
        stream
    };
    // A picture that is announced is not allocated before it can be there.
    let most = quic::MAX_PIXELS;
    assert_eq!(quic::decode(&with(12, 16_000), most), Err(QuicError::Truncated));
    assert_eq!(quic::decode(&with(16, 90_000), most), Err(QuicError::Truncated));
    for (at, value) in
        [(12, 0), (16, 0), (12, u32::MAX), (16, u32::MAX), (12, 1 << 28), (8, 0), (8, 6), (4, 1)]
    {
        assert!(quic::decode(&with(at, value), most).is_err(), "{at}: {value}");
    }
    // The encoder ends with a word that no pixel is in.
    let whole = quic::decode(&stream, most).unwrap();
    for len in 0..stream.len() {
        match quic::decode(&stream[..len], most) {
            Ok(picture) => assert!(picture == whole && len + 8 > stream.len(), "{len} of {}", stream.len()),
            Err(error) => assert_eq!(error, QuicError::Truncated),
        }
    }
    for at in 20..stream.len() {
        for flip in [1, 0x80, 0xff] {
            let mut stream = stream.to_vec();
            stream[at] ^= flip;
            if let Ok(picture) = quic::decode(&stream, most) {
                assert_eq!(picture.pixels.len(), pixels.len());
            }
        }
    }
    // An image of another size than its stream is not painted, and what follows is.
    for (width, height) in [(17, 9), (16, 10), (15, 9), (u32::MAX, u32::MAX), (16, 9)] {
        let mut lab = Lab::new(PipeLimits::default());
        lab.event(primary()).unwrap();
        let quic = QuicImage { width, height, data: stream.clone().into() };
        let image = Image { source: ImageSource::Quic(Arc::new(quic)), ..Image::surface(SurfaceId(0)) };
        let bbox = Rect::new(0, 0, 10, 5);
        let GuestEvent::Command(Command::Draw(drawable)) = fill(0, bbox, 0) else { panic!() };
        let op = DrawOp::Copy(DrawCopy::put(image, bbox));
        let copy = Command::Draw(Drawable { op, ..drawable });
        let Laid { memory, command } = lay_out(&copy, Style { chunk: 50, direct: false, compat: false });
        let command = parse(&slots(memory), &command).unwrap().command;
        let early = lab.event(GuestEvent::Command(command));
        let canvas = lab.worker.display_mut().canvas(SurfaceId(0), bbox).unwrap();
        let painted = canvas.read(bbox).iter().any(|byte| *byte != 0);
        lab.event(fill(0, bbox, 7)).unwrap();
        let failed = early.is_err() || lab.worker.display_mut().poll_failure().is_some();
        let honest = (width, height) == (16, 9);
        assert_eq!((painted, failed), (honest, !honest), "{width}x{height}");
        let canvas = lab.worker.display_mut().canvas(SurfaceId(0), bbox).unwrap();
        assert_eq!(canvas.pixel(Point::new(9, 4)), Some(7));
    }
}

/// A pointer's shape with this size, and this many bytes by its own word and by its chunk's.
fn pointer(width: u16, height: u16, said: u32, chunk: u32, room: usize) -> Vec<u8> {
    let shape = [&[9; 8][..], &[0, 0], &width.to_le_bytes(), &height.to_le_bytes(), &[0; 4]].concat();
    let shape = [&shape[..], &said.to_le_bytes(), &chunk.to_le_bytes(), &[0; 16], &vec![1; room]].concat();
    [&[0; 14][..], &(BASE + 22).to_le_bytes(), &shape].concat()
}

fn pointer_command() -> QxlCommand {
    let (kind, flags) = (CommandKind::CURSOR, CommandFlags::default());
    QxlCommand { group: GROUP, flags, kind, data: QxlPhysical(BASE) }
}

/// A pointer whose pixels wrap to few bytes.
#[test]
fn cve_2021_4206_pointers_have_all_their_pixels() {
    let read = |width, height, said, chunk, room| {
        parse(&slots(pointer(width, height, said, chunk, room)), &pointer_command())
    };
    assert!(read(32, 32, 4096, 4096, 4096).is_ok());
    for (width, height) in [(0x8000, 0x8000), (u16::MAX, u16::MAX), (0x4000, 0x4000), (33, 32), (1, 1025)] {
        let refused = read(width, height, 4096, 4096, 4096).unwrap_err();
        assert!(refused.release.is_some() && refused.to_string().contains("has only 4096"));
        assert!(read(width, height, u32::MAX, 4096, 4096).is_err());
        assert!(read(width, height, u32::MAX, u32::MAX, 4096).is_err());
    }
    assert!(read(32, 32, 4096, 4097, 4096).is_err());
    assert!(read(32, 32, 4095, 4096, 4096).is_err());
}

/// A pointer whose size is read, then read again.
#[test]
fn cve_2021_4207_pointers_are_measured_once() {
    const SIZE: usize = 22 + 10;
    let (memory, slots) = shared(&pointer(8, 8, 256, 256, 256));
    while_flipping(&memory, SIZE..SIZE + 4, &[0, 1, 0, 1], || {
        let Ok(parsed) = parse(&slots, &pointer_command()) else { return false };
        let Command::Cursor(CursorCommand::Set { shape, .. }) = parsed.command else { panic!() };
        assert!(usize::from(shape.width) * usize::from(shape.height) * 4 <= shape.data.len());
        true
    });
}

/// Memory in which every read finds another size.
#[derive(Debug)]
struct Growing(Vec<u8>);

impl GuestMemory for Growing {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        self.0.read(offset, into)?;
        if offset > 22 {
            into.fill(0xff);
        }
        Ok(())
    }
}

#[test]
fn cve_2021_4207_nothing_of_a_pointer_is_read_twice() {
    let memory = Growing(pointer(8, 8, 256, 256, 256));
    let mut slots = MemSlots::new(SETUP).unwrap();
    slots.add(GROUP, 1, MemSlot { generation: 3, start: 0x100, memory: Arc::new(memory) }).unwrap();
    let Command::Cursor(CursorCommand::Set { shape, .. }) =
        parse(&slots, &pointer_command()).unwrap().command
    else {
        panic!()
    };
    assert_eq!((shape.width, shape.height, &shape.data[..]), (8, 8, &[0xff; 256][..]));
}
