//! Migration data: as servers in use write it, and as nobody should.

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use proptest::prelude::*;
use spice_proto::agent::{ChunkHeader, Port};
use spice_proto::migration::*;
use spice_proto::{DecodeError, DecodeErrorKind, Rect, SurfaceId};

const AREAS: [LossyAreas; 3] = [LossyAreas::Never, LossyAreas::Always, LossyAreas::OnLowBandwidth];

/// Little endian bytes of numbers of any width.
macro_rules! le {
    ($($number:expr),* $(,)?) => {[$(&$number.to_le_bytes()[..]),*].concat()};
}

/// The fixed part of a connected device with this many bytes to write, there.
fn device(write_size: u32, place: u32) -> Vec<u8> {
    le![1_u32, 1_u8, 10_u32, u32::MAX, write_size, 2_u32, place]
}

fn char_device(write_data: &'static [u8]) -> CharDevice {
    CharDevice {
        num_client_tokens: 10,
        num_send_tokens: u32::MAX,
        write_num_client_tokens: 2,
        write_data: Bytes::from_static(write_data),
    }
}

fn headed(letters: &[u8; 4], rest: &[&[u8]]) -> Bytes {
    [&letters[..], &1_u32.to_le_bytes(), &rest.concat()].concat().into()
}

/// The body with a number in place of the one that is there.
fn with(body: &[u8], at: usize, number: u32) -> Bytes {
    let mut body = body.to_vec();
    body[at..at + 4].copy_from_slice(&number.to_le_bytes());
    body.into()
}

fn fault<T: std::fmt::Debug>(decoded: Result<T, DecodeError>) -> (&'static str, usize, DecodeErrorKind) {
    let error = decoded.unwrap_err();
    (error.field, error.offset, error.kind)
}

fn vmc() -> Bytes {
    headed(b"SVMD", &[&device(5, 33), b"bytes"])
}

fn smartcard() -> Bytes {
    headed(b"SCMD", &[&device(5, 42), &le![1_u8, 3_u32, 47_u32], b"bytesabc"])
}

/// A main channel's data, from what its agent's stream is in.
fn main_data(read: &[u8], behind: &[u8]) -> Bytes {
    headed(b"MNMD", &[&device(5, 65), &[1], read, &le![77_u32, 1_u8], b"bytes", behind])
}

fn display(low_bandwidth: u8, list: &[u8]) -> Bytes {
    let fixed = [
        &le![9_u64, low_bandwidth, 1_u8, -1_i64, 1_u8, 11_u64, 12_u64, 0_u64, 0_u64][..],
        &le![2_u8, 0x0030_0000_u32, 4_u32, 1_u64 << 40, 80_u32],
    ];
    headed(b"DCMD", &[&fixed.concat(), list])
}

#[test]
fn char_device_data_is_as_servers_write_it() {
    let data = SpiceVmcData { device: Some(char_device(b"bytes")) };
    assert_eq!(SpiceVmcData::decode(&vmc()), Ok(data.clone()));
    assert_eq!(data.encode().to_bytes(), vmc());
    let none = headed(b"SVMD", &[&le![1_u32], &[0; 21]]);
    assert_eq!(SpiceVmcData::decode(&none), Ok(SpiceVmcData::default()));
    assert_eq!(SpiceVmcData::default().encode().to_bytes(), none);
    let nothing_to_write = headed(b"SVMD", &[&device(0, 0)]);
    let data = SpiceVmcData { device: Some(char_device(b"")) };
    assert_eq!(SpiceVmcData::decode(&nothing_to_write), Ok(data.clone()));
    assert_eq!(data.encode().to_bytes(), nothing_to_write);

    let reader = SmartcardReader {
        device: char_device(b"bytes"),
        reader_added: true,
        read_data: Bytes::from_static(b"abc"),
    };
    let data = SmartcardData { reader: Some(reader) };
    assert_eq!(SmartcardData::decode(&smartcard()), Ok(data.clone()));
    assert_eq!(data.encode().to_bytes(), smartcard());
    let none = headed(b"SCMD", &[&le![1_u32], &[0; 21 + 9]]);
    assert_eq!(SmartcardData::default().encode().to_bytes(), none);
    assert_eq!(SmartcardData::decode(&none), Ok(SmartcardData::default()));
}

#[test]
fn tokens_that_do_not_add_up_are_no_number() {
    let device = char_device(b"");
    assert_eq!(device.free_client_tokens(15), Some(3));
    assert_eq!(device.free_client_tokens(12), Some(0));
    assert_eq!((device.free_client_tokens(11), device.free_client_tokens(9)), (None, None));
}

#[test]
fn inputs_data_is_as_servers_write_it() {
    let body = headed(b"ICMD", &[&[3, 1]]);
    let data = InputsData { motion_count: 0x103 };
    assert_eq!(InputsData::decode(&body), Ok(data));
    assert_eq!(data.encode().to_bytes(), body);
}

#[test]
fn main_data_is_as_servers_write_it() {
    let chunk = ChunkHeader { port: Port::CLIENT, size: 600 };
    let chunk_bytes = le![1_u32, 600_u32];
    let partial = Bytes::from_static(b"head");
    for (read, behind, expected) in [
        (
            [&le![3_u32][..], &chunk_bytes, &[0], &le![0_u32, 0_u32, 0_u32, 0_u8]].concat(),
            &b""[..],
            AgentReadState::ChunkHeader { read: 3, bytes: [1, 0, 0, 0, 88, 2, 0, 0] },
        ),
        (
            [&le![8_u32][..], &chunk_bytes, &[0], &le![4_u32, 70_u32, 0_u32, 0_u8]].concat(),
            b"head",
            AgentReadState::MessageHeader { chunk, partial },
        ),
        (
            [&le![8_u32][..], &chunk_bytes, &[1], &le![0_u32, 0_u32, 1000_u32, 3_u8]].concat(),
            b"",
            AgentReadState::Message { chunk, remaining: 1000, filter: FilterResult::MONITORS_CONFIG },
        ),
    ] {
        let body = main_data(&read, behind);
        let agent = AgentState {
            device: char_device(b"bytes"),
            client_agent_started: true,
            read: expected,
            write: AgentWriteState { remaining: 77, filter: FilterResult::DISCARD },
        };
        let data = MainData { agent: Some(agent) };
        assert_eq!(MainData::decode(&body), Ok(data.clone()));
        assert_eq!(data.encode().to_bytes(), body);
    }
    let none = headed(b"MNMD", &[&le![1_u32], &[0; 21 + 32]]);
    assert_eq!(MainData::decode(&none), Ok(MainData::default()));
    assert_eq!(MainData::default().encode().to_bytes(), none);
}

#[test]
fn display_data_is_as_servers_write_it() {
    let rect = Rect { left: -1, top: 2, right: 30, bottom: 40 };
    let lossy = |id| LossySurface { surface_id: SurfaceId(id), lossy_rect: rect };
    let lossless = SurfacesAtClient::Lossless(vec![SurfaceId(0), SurfaceId(1023)]);
    let rect = le![-1_i32, 2_i32, 30_i32, 40_i32];
    let listed = [&le![1_u32, 5_u32][..], &rect].concat();
    for (low_bandwidth, list, areas, surfaces) in [
        (1, le![2_u32, 0_u32, 1023_u32], LossyAreas::Never, lossless.clone()),
        (0, le![2_u32, 0_u32, 1023_u32], LossyAreas::OnLowBandwidth, lossless),
        (1, listed.clone(), LossyAreas::OnLowBandwidth, SurfacesAtClient::Lossy(vec![lossy(5)])),
        (0, listed, LossyAreas::Always, SurfacesAtClient::Lossy(vec![lossy(5)])),
        (0, le![0_u32], LossyAreas::Never, SurfacesAtClient::Lossless(vec![])),
    ] {
        let body = display(low_bandwidth, &list);
        let data = DisplayData {
            message_serial: 9,
            low_bandwidth: low_bandwidth == 1,
            pixmap_cache_id: 1,
            pixmap_cache_size: -1,
            pixmap_cache_freezer: true,
            pixmap_cache_clients: [11, 12, 0, 0],
            glz_dictionary_id: 2,
            glz_dictionary: GlzDictionary { size: 0x0030_0000, max_encoders: 4, last_image_id: 1 << 40 },
            surfaces,
        };
        assert_eq!(DisplayData::decode(&body, areas), Ok(data.clone()));
        assert_eq!(data.encode().to_bytes(), body);
    }
}

#[test]
fn another_channels_data_and_a_later_version_are_refused() {
    let bodies = [vmc(), smartcard(), MainData::default().encode().to_bytes(), display(0, &le![0_u32])];
    let decode: [fn(&Bytes) -> Option<DecodeError>; 5] = [
        |body| SpiceVmcData::decode(body).err(),
        |body| SmartcardData::decode(body).err(),
        |body| MainData::decode(body).err(),
        |body| DisplayData::decode(body, LossyAreas::Never).err(),
        |body| InputsData::decode(body).err(),
    ];
    for (i, body) in bodies.iter().enumerate() {
        for (j, decode) in decode.iter().enumerate() {
            let error = decode(body);
            if i == j {
                assert_eq!(error, None);
                let error = decode(&with(body, 4, 2)).unwrap();
                assert_eq!((error.field, error.kind), ("version", DecodeErrorKind::Value { value: 2 }));
            } else {
                assert_eq!(error.unwrap().field, "magic");
            }
        }
    }
    assert_eq!(fault(SpiceVmcData::decode(&with(&vmc(), 8, 2))).0, "version");
    assert_eq!(magic(&bodies[1]), Some(MigrateMagic::SMARTCARD));
    assert_eq!((magic(b"SVM"), magic(b"????").map(MigrateMagic::name)), (None, Some(None)));
}

#[test]
fn places_outside_and_in_the_fixed_part_are_refused() {
    for (body, size_at, place_at, behind, field) in [
        (vmc(), 21, 29, 33, "write_data"),
        (smartcard(), 21, 29, 42, "write_data"),
        (smartcard(), 34, 38, 42, "read_data"),
    ] {
        let decode = |body: &Bytes| {
            let letters: [u8; 4] = body[..4].try_into().unwrap();
            match &letters {
                b"SVMD" => SpiceVmcData::decode(body).err(),
                _ => SmartcardData::decode(body).err(),
            }
        };
        let len = u32::try_from(body.len()).unwrap();
        assert_eq!(decode(&body), None);
        for target in [0, 1, 8, behind - 1, len + 1, 1 << 31, u32::MAX] {
            let error = decode(&with(&body, place_at, target)).unwrap();
            let expected = (field, place_at, DecodeErrorKind::Offset { target });
            assert_eq!((error.field, error.offset, error.kind), expected);
        }
        for size in [len - behind + 1, 1 << 31, u32::MAX] {
            let error = decode(&with(&with(&body, place_at, behind), size_at, size)).unwrap();
            assert_eq!(error.field, field);
            assert!(matches!(error.kind, DecodeErrorKind::Truncated { .. }));
        }
    }
}

#[test]
fn an_agents_state_that_cannot_be_is_refused() {
    let read = [&le![8_u32, 1_u32, 600_u32][..], &[0], &le![4_u32, 70_u32, 0_u32, 0_u8]].concat();
    let body = main_data(&read, b"head");
    assert!(MainData::decode(&body).is_ok());
    let (size_at, done_at, partial_at, place_at, remaining_at) = (34, 46, 47, 51, 55);
    let refused = |body: &Bytes| fault(MainData::decode(body));
    for size in [9, 1 << 31, u32::MAX] {
        let kind = DecodeErrorKind::Value { value: size.into() };
        assert_eq!(refused(&with(&body, size_at, size)), ("chunk_header_size", size_at, kind));
    }
    for partial in [20, 1 << 31, u32::MAX] {
        let kind = DecodeErrorKind::Value { value: partial.into() };
        assert_eq!(refused(&with(&body, partial_at, partial)), ("msg_header_partial_len", partial_at, kind));
    }
    for target in [0, 64, 75, u32::MAX] {
        let kind = DecodeErrorKind::Offset { target };
        assert_eq!(refused(&with(&body, place_at, target)), ("msg_header", place_at, kind));
    }
    // A partial message header before the chunk's is whole, and content before the message's header is.
    assert_eq!(refused(&with(&body, size_at, 7)).0, "msg_header_partial_len");
    assert_eq!(refused(&with(&body, remaining_at, 1)).0, "agent2client.msg_remaining");
    let mut done = body.to_vec();
    done[done_at] = 1;
    assert_eq!(refused(&done.clone().into()).0, "msg_header_partial_len");
    assert_eq!(refused(&with(&with(&done, partial_at, 0), size_at, 7)).0, "chunk_header_size");
    done[done_at] = 2;
    assert_eq!(refused(&done.into()).0, "msg_header_done");
}

#[test]
fn surfaces_and_dictionaries_that_cannot_be_are_refused() {
    let body = display(0, &le![2_u32, 0_u32, 1_u32]);
    let refused = |body: &Bytes, areas| fault(DisplayData::decode(body, areas));
    let never = |body: &Bytes| refused(body, LossyAreas::Never);
    for target in [0, 76, 79, 93, 1 << 31, u32::MAX] {
        let kind = DecodeErrorKind::Offset { target };
        assert_eq!(never(&with(&body, 76, target)), ("surfaces_at_client", 76, kind));
    }
    for count in [1025, 1 << 30, u32::MAX] {
        let kind = DecodeErrorKind::TooMany { count: count.into(), max: 1024 };
        assert_eq!(never(&with(&body, 80, count)), ("num_surfaces", 80, kind));
    }
    for count in [3, 1024] {
        assert!(matches!(never(&with(&body, 80, count)), ("surfaces", _, DecodeErrorKind::Truncated { .. })));
    }
    assert_eq!(refused(&body, LossyAreas::Always).0, "surfaces");
    for id in [1024, u32::MAX] {
        let kind = DecodeErrorKind::Value { value: id.into() };
        assert_eq!(never(&with(&body, 88, id)), ("surfaces", 84, kind));
    }
    assert_eq!(never(&with(&body, 88, 0)), ("surfaces", 84, DecodeErrorKind::Value { value: 0 }));
    let all = std::iter::once(1024).chain(0..1024_u32).flat_map(u32::to_le_bytes).collect::<Vec<_>>();
    assert!(DisplayData::decode(&display(0, &all), LossyAreas::Never).is_ok());
    assert_eq!(never(&with(&body, 60, 1 << 31)).0, "size");
    assert_eq!(never(&with(&body, 64, 5)).0, "max_encoders");
}

fn check<T: PartialEq + std::fmt::Debug>(
    value: &T,
    encode: impl Fn(&T) -> Bytes,
    decode: impl Fn(&Bytes) -> Result<T, DecodeError>,
) -> Result<(), TestCaseError> {
    let body = encode(value);
    let decoded = decode(&body);
    prop_assert_eq!(decoded.as_ref(), Ok(value));
    for short in 0..body.len() {
        if let Ok(cut) = decode(&body.slice(..short)) {
            prop_assert_ne!(&cut, value, "cut to {} of {}", short, body.len());
        }
    }
    Ok(())
}

/// Decodes as everything there is, and checks that what decodes comes back.
fn decode_as_everything(body: &Bytes) -> Result<(), TestCaseError> {
    macro_rules! all {
        ($($data:ident),*) => {$(
            if let Ok(data) = $data::decode(body) {
                prop_assert_eq!($data::decode(&data.encode().to_bytes()), Ok(data));
            }
        )*};
    }
    all!(MainData, InputsData, SmartcardData, SpiceVmcData);
    for areas in AREAS {
        if let Ok(data) = DisplayData::decode(body, areas) {
            prop_assert_eq!(DisplayData::decode(&data.encode().to_bytes(), areas), Ok(data));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn made_up_data_comes_back(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        macro_rules! all {
            ($($data:ident),*) => {$(
                let data = $data::arbitrary(&mut Unstructured::new(&bytes)).unwrap();
                check(&data, |data| data.encode().to_bytes(), $data::decode)?;
            )*};
        }
        all!(MainData, InputsData, SmartcardData, SpiceVmcData);
        for areas in AREAS {
            let data = DisplayData::arbitrary_with_areas(areas, &mut Unstructured::new(&bytes)).unwrap();
            check(&data, |data| data.encode().to_bytes(), |body| DisplayData::decode(body, areas))?;
        }
    }

    /// Small numbers make sizes, counts and places that almost fit.
    #[test]
    fn data_of_small_numbers_never_panics(
        letters in prop::sample::select(vec![b"MNMD", b"DCMD", b"ICMD", b"SCMD", b"SVMD"]),
        version in 0..=2_u32,
        numbers in prop::collection::vec(prop_oneof![Just(0_u8), 0..3_u8, 0..120_u8], 0..120),
    ) {
        decode_as_everything(&[&letters[..], &version.to_le_bytes(), &numbers].concat().into())?;
    }

    /// One number of good data replaced.
    #[test]
    fn data_with_one_wrong_number_never_panics(which in 0..4_usize, at in 8..80_usize, number in prop_oneof![0..120_u32, any::<u32>()]) {
        let read = [&le![8_u32, 1_u32, 600_u32][..], &[0], &le![4_u32, 70_u32, 0_u32, 0_u8]].concat();
        let bodies = [vmc(), smartcard(), main_data(&read, b"head"), display(0, &le![2_u32, 0_u32, 1_u32])];
        let at = at.min(bodies[which].len() - 4);
        decode_as_everything(&with(&bodies[which], at, number))?;
    }
}
