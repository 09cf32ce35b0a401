//! Slots, addresses and lists of chunks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use proptest::prelude::*;

use super::{
    ChunkError, GuestMemory, MAX_CHUNKS, MAX_DATA, MemSlot, MemSlotSetup, MemSlots, MemoryError, OutOfRange,
    QxlPhysical, SetupError,
};

const SETUP: MemSlotSetup =
    MemSlotSetup { groups: 2, slots: 8, generation_bits: 8, id_bits: 8, internal_groupslot_id: 0 };

fn slot(generation: u32, start: u64, memory: impl GuestMemory + 'static) -> MemSlot {
    MemSlot { generation, start, memory: Arc::new(memory) }
}

/// One slot, 0 of group 0, of generation 0, from address 0 on.
fn flat(memory: impl GuestMemory + 'static) -> MemSlots {
    let mut slots = MemSlots::new(SETUP).unwrap();
    slots.add(0, 0, slot(0, 0, memory)).unwrap();
    slots
}

fn byte(slots: &MemSlots, group: u32, address: u64) -> Result<u8, MemoryError> {
    let mut byte = [0];
    slots.resolve(group, QxlPhysical(address))?.read(&mut byte)?;
    Ok(byte[0])
}

#[test]
fn an_address_is_a_slot_a_generation_and_a_place() {
    let mut slots = MemSlots::new(SETUP).unwrap();
    slots.add(0, 0, slot(0, 0, vec![1_u8, 2, 3])).unwrap();
    slots.add(0, 7, slot(255, 0x1000, Bytes::from_static(&[4, 5]))).unwrap();
    slots.add(1, 7, slot(1, 0, vec![6_u8])).unwrap();
    assert_eq!((byte(&slots, 0, 0), byte(&slots, 0, 2)), (Ok(1), Ok(3)));
    assert_eq!(byte(&slots, 0, 0x07ff_0000_0000_1001), Ok(5));
    assert_eq!(byte(&slots, 1, 0x0701_0000_0000_0000), Ok(6));
    assert_eq!(slots.group_len(0), 5);
    assert_eq!(slots.group_len(1), 1);
}

#[test]
fn an_address_that_names_nothing_says_why() {
    let mut slots = MemSlots::new(SETUP).unwrap();
    slots.add(1, 2, slot(3, 0x100, vec![0_u8; 16])).unwrap();
    let at = |group, address| byte(&slots, group, address).unwrap_err();
    assert_eq!(at(2, 0), MemoryError::Group { group: 2, groups: 2 });
    assert_eq!(at(u32::MAX, 0), MemoryError::Group { group: u32::MAX, groups: 2 });
    assert_eq!(at(1, 8 << 56), MemoryError::Slot { slot: 8, slots: 8 });
    assert_eq!(at(1, u64::MAX), MemoryError::Slot { slot: 255, slots: 8 });
    assert_eq!(at(1, 7 << 56), MemoryError::Empty { group: 1, slot: 7 });
    assert_eq!(at(0, 2 << 56), MemoryError::Empty { group: 0, slot: 2 });
    let wrong = MemoryError::Generation { group: 1, slot: 2, found: 4, expected: 3 };
    assert_eq!(at(1, 2 << 56 | 4 << 48 | 0x100), wrong);
    let base = 2 << 56 | 3 << 48;
    for (place, offset) in [(0x110, 16), (0, 0_u64.wrapping_sub(0x100)), (0xff, u64::MAX)] {
        let error = at(1, base | place);
        assert!(matches!(error, MemoryError::Range(OutOfRange { offset: at, len: 16, .. }) if at == offset));
    }
    assert_eq!(at(1, 2 << 56 | 4 << 48).to_string(), "slot 2 of group 1 is of generation 3, not 4");
}

#[test]
fn slots_that_cannot_be_are_refused_before_they_are_asked_for() {
    let none = MemSlotSetup { groups: 0, ..SETUP };
    assert_eq!(MemSlots::new(none).unwrap_err(), SetupError::NoSlot { groups: 0, slots: 8 });
    assert!(MemSlots::new(MemSlotSetup { slots: 0, ..SETUP }).is_err());
    assert!(MemSlots::new(MemSlotSetup { id_bits: 32, generation_bits: 31, ..SETUP }).is_ok());
    for (id_bits, generation_bits) in [(32, 32), (64, 0), (0, 64), (255, 255)] {
        let setup = MemSlotSetup { id_bits, generation_bits, ..SETUP };
        assert_eq!(MemSlots::new(setup).unwrap_err(), SetupError::Bits { generation_bits, id_bits });
    }
    let mut slots = MemSlots::new(SETUP).unwrap();
    for (group, id) in [(2, 0), (0, 8), (u32::MAX, u32::MAX)] {
        let outside = SetupError::Outside { group, slot: id, groups: 2, slots: 8 };
        assert_eq!(slots.add(group, id, slot(0, 0, vec![0_u8])), Err(outside));
    }
}

#[test]
fn no_bits_at_all_leave_one_slot_with_every_address() {
    let setup = MemSlotSetup { groups: 1, slots: 1, id_bits: 0, generation_bits: 0, ..SETUP };
    let mut slots = MemSlots::new(setup).unwrap();
    slots.add(0, 0, slot(0, u64::MAX, vec![1_u8, 2])).unwrap();
    assert_eq!((byte(&slots, 0, u64::MAX), byte(&slots, 0, 0)), (Ok(1), Ok(2)));
    assert!(byte(&slots, 0, 1).is_err());
}

#[test]
fn what_is_taken_away_is_not_there() {
    let mut slots = MemSlots::new(SETUP).unwrap();
    for id in 0..3 {
        slots.add(0, id, slot(0, 0, vec![0_u8])).unwrap();
    }
    assert!(slots.remove(0, 1));
    assert!(!slots.remove(0, 1) && !slots.remove(9, 9));
    assert_eq!(byte(&slots, 0, 1 << 56), Err(MemoryError::Empty { group: 0, slot: 1 }));
    assert!(byte(&slots, 0, 2 << 56).is_ok());
    slots.reset();
    assert_eq!(slots.group_len(0), 0);
    assert!(byte(&slots, 0, 0).is_err());
}

#[test]
fn reads_stay_within_the_region() {
    let slots = flat(vec![7_u8; 10]);
    let end = slots.resolve(0, QxlPhysical(10)).unwrap();
    assert_eq!(end.room(), 0);
    assert_eq!(end.bytes(0), Ok(Vec::new()));
    assert!(end.bytes(1).is_err() && end.behind(1).is_err());
    let place = slots.resolve(0, QxlPhysical(4)).unwrap();
    assert_eq!(place.bytes(6).unwrap(), [7; 6]);
    assert_eq!(place.behind(6).unwrap().address(), QxlPhysical(10));
    let mut into = [1; 7];
    for len in [7, 1 << 31, 1 << 32, u64::MAX - 3, u64::MAX] {
        let error = MemoryError::Range(OutOfRange { offset: 4, wanted: len, len: 10 });
        assert_eq!((place.bytes(len), place.check(len)), (Err(error), Err(error)));
    }
    assert!(place.read(&mut into).is_err());
    assert_eq!(into, [1; 7]);
}

#[test]
fn writes_stay_within_the_region() {
    let memory: Arc<Vec<AtomicU8>> = Arc::new((0..10).map(AtomicU8::new).collect());
    let slots = flat(memory.clone());
    let now = || memory.iter().map(|byte| byte.load(Ordering::Relaxed)).collect::<Vec<u8>>();
    let place = slots.resolve(0, QxlPhysical(4)).unwrap();
    assert_eq!(place.write(&[20, 21]), Ok(()));
    assert_eq!(place.behind(6).unwrap().write(&[]), Ok(()));
    assert_eq!(now(), [0, 1, 2, 3, 20, 21, 6, 7, 8, 9]);
    let error = MemoryError::Range(OutOfRange { offset: 4, wanted: 7, len: 10 });
    assert_eq!(place.write(&[30; 7]), Err(error));
    assert_eq!(memory.write(u64::MAX, &[1]), Err(OutOfRange { offset: u64::MAX, wanted: 1, len: 10 }.into()));
    assert_eq!(now(), [0, 1, 2, 3, 20, 21, 6, 7, 8, 9]);
}

#[test]
fn memory_that_nobody_writes_refuses_to_be_written() {
    for slots in [flat(vec![7_u8; 10]), flat(Bytes::from_static(&[7; 10])), flat(Arc::new(vec![7_u8; 10]))] {
        let place = slots.resolve(0, QxlPhysical(4)).unwrap();
        assert_eq!(place.write(&[1]), Err(MemoryError::ReadOnly));
        assert_eq!(place.bytes(6).unwrap(), [7; 6]);
    }
}

#[test]
fn memory_that_is_written_meanwhile_is_read_as_it_was_at_some_moment() {
    let memory: Arc<Vec<AtomicU8>> = Arc::new((0..4096).map(|_| AtomicU8::new(0)).collect());
    let slots = flat(memory.clone());
    std::thread::scope(|scope| {
        let reading = Arc::new(());
        let read_on = Arc::downgrade(&reading);
        scope.spawn(move || {
            for byte in memory.iter().cycle().take_while(|_| read_on.strong_count() > 0) {
                byte.fetch_xor(0xff, Ordering::Relaxed);
            }
        });
        for _ in 0..100 {
            let bytes = slots.resolve(0, QxlPhysical(96)).unwrap().bytes(4000).unwrap();
            assert!(bytes.iter().all(|byte| matches!(byte, 0 | 0xff)));
        }
        drop(reading);
    });
}

/// Chunks one behind the other: what each holds, and where it says the next one is.
fn chunks(list: &[(&[u8], u64)]) -> Vec<u8> {
    list.iter()
        .flat_map(|(data, next)| {
            let len = u32::try_from(data.len()).unwrap();
            [&len.to_le_bytes()[..], &[0x66; 8], &next.to_le_bytes(), data].concat()
        })
        .collect()
}

fn read(memory: Vec<u8>) -> Result<Vec<u8>, ChunkError> {
    let slots = flat(memory);
    let list = slots.chunks(0, QxlPhysical(0))?;
    let bytes = list.bytes().unwrap();
    assert_eq!((list.len(), list.is_empty()), (bytes.len() as u64, bytes.is_empty()));
    Ok(bytes)
}

#[test]
fn chunks_are_one_after_the_other() {
    assert_eq!(read(chunks(&[(b"", 0)])), Ok(Vec::new()));
    assert_eq!(read(chunks(&[(b"abc", 0)])).unwrap(), b"abc");
    assert_eq!(read(chunks(&[(b"", 20), (b"ab", 42), (b"", 62), (b"c", 0)])).unwrap(), b"abc");
    assert_eq!(read(chunks(&[(b"ab", 43), (b"c", 0), (b"d", 22)])).unwrap(), b"abdc");
}

#[test]
fn a_chunk_that_is_not_there_is_named() {
    let memory = chunks(&[(b"ab", 22), (b"cd", 0)]);
    for cut in [0, 5, 19, 21, 22, 41, 43] {
        let error = read(memory[..cut].to_vec()).unwrap_err();
        let which = usize::from(cut >= 22);
        assert!(matches!(error, ChunkError::Memory { index, .. } if index == which), "{cut}: {error}");
    }
    let error = read(chunks(&[(b"ab", 9 << 56)])).unwrap_err();
    let text = "chunk 1 at 0x900000000000000: there is no slot 9, only 8 slots in a group";
    assert_eq!(error.to_string(), text);
}

#[test]
fn a_list_that_goes_in_circles_ends() {
    assert_eq!(read(chunks(&[(b"", 20), (b"", 20)])), Err(ChunkError::TooMany));
    assert_eq!(read(chunks(&[(b"", 20), (b"", 0x28), (b"", 20)])), Err(ChunkError::TooMany));
    // Bytes that are counted more than once are soon more than there are.
    assert_eq!(read(chunks(&[(b"a", 21), (b"b", 21)])), Err(ChunkError::TooLong { most: 42 }));
}

#[test]
fn chunks_over_one_another_do_not_multiply_memory() {
    const COUNT: u64 = 100;
    let mut memory = Vec::new();
    for index in 0..COUNT {
        let next = if index + 1 < COUNT { (index + 1) * 20 } else { 0 };
        let len = u32::try_from(20 * (COUNT - index) + 3000 - 20).unwrap();
        memory.extend_from_slice(&[&len.to_le_bytes()[..], &[0; 8], &next.to_le_bytes()].concat());
    }
    memory.resize(20 * COUNT as usize + 3000, 1);
    assert_eq!(read(memory), Err(ChunkError::TooLong { most: 5000 }));
}

/// 16 TiB: a list of chunks at the front, then nothing but zeros.
#[derive(Debug)]
struct Vast(Vec<u8>);

impl GuestMemory for Vast {
    fn len(&self) -> u64 {
        1 << 44
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), OutOfRange> {
        assert!(into.len() < 1 << 20, "{} bytes are read", into.len());
        for (to, at) in into.iter_mut().zip(offset..) {
            *to = self.0.get(at as usize).copied().unwrap_or(0);
        }
        Ok(())
    }
}

#[test]
fn a_list_has_its_limit_in_memory_without_one() {
    let header = |len: u64, next: u64| {
        let len = u32::try_from(len).unwrap();
        [&len.to_le_bytes()[..], &[0; 8], &next.to_le_bytes()].concat()
    };
    let list = |memory: Vec<u8>| flat(Vast(memory)).chunks(0, QxlPhysical(0)).map(|list| list.len());
    assert_eq!(list(header(MAX_DATA, 0)), Ok(MAX_DATA));
    let too_long = Err(ChunkError::TooLong { most: MAX_DATA });
    assert_eq!(list(header(MAX_DATA + 1, 0)), too_long);
    assert_eq!(list(header(u32::MAX.into(), 0)), too_long);
    assert_eq!(list([header(MAX_DATA, 20), header(1, 0)].concat()), too_long);
    // One that does not come back, of as many chunks as may be, and of one more.
    let long = |count: usize| {
        let next = |index: usize| if index + 1 < count { (index as u64 + 1) * 20 } else { 0 };
        list((0..count).flat_map(|index| header(0, next(index))).collect())
    };
    assert_eq!(long(MAX_CHUNKS), Ok(0));
    assert_eq!(long(MAX_CHUNKS + 1), Err(ChunkError::TooMany));
}

proptest! {
    /// As the C server has it: an address plus the slot's delta lies between the memory's start and end.
    #[test]
    fn addresses_are_those_of_the_c_server(
        address in any::<u64>(),
        near in prop_oneof![Just(None), (-40_i64..40).prop_map(Some)],
        start in any::<u64>(),
        delta in any::<u64>(),
        len in 0..32_u64,
        size in 0..40_u64,
    ) {
        const CLEAN: u64 = (1 << 48) - 1;
        let first = start.wrapping_sub(delta);
        let address = near.map_or(address, |near| first.wrapping_add_signed(near)) & CLEAN;
        let start = start.min(u64::MAX - len);
        let host = address.wrapping_add(delta);
        let theirs = start <= host && host.checked_add(size).is_some_and(|end| end <= start + len);

        let mut slots = MemSlots::new(SETUP).unwrap();
        let memory: Vec<u8> = (0..len).map(|at| at.to_le_bytes()[0]).collect();
        slots.add(0, 0, slot(0, start.wrapping_sub(delta), memory)).unwrap();
        let ours = slots.resolve(0, QxlPhysical(address)).and_then(|place| place.bytes(size));
        prop_assert_eq!(ours.is_ok(), theirs);
        if let Ok([first, ..]) = ours.as_deref() {
            prop_assert_eq!(u64::from(*first), host - start);
        }
    }

    #[test]
    fn noise_is_no_endless_list(noise in proptest::collection::vec(0..60_u8, 0..200)) {
        let len = noise.len() as u64;
        if let Ok(bytes) = read(noise) {
            prop_assert!(bytes.len() as u64 <= len);
        }
    }
}
