//! One sample or more of each message.

use bytes::Bytes;
use spice_proto::{ChannelId, ChannelType, ConnectionId, LinkError, Point, Point16, Rect, SurfaceId};
use spice_proto::{base, cursor, display, inputs, main};

/// There and back; and every truncation is an error, unless the message ends in bytes that may be any number: then
/// `=>` says how many there are.
macro_rules! check {
    ($message:ty: $($sample:expr $(=> $open_end:literal)?,)*) => {$({
        let message: $message = $sample;
        let body = message.encode().to_bytes();
        assert_eq!(<$message>::decode(message.id(), &body).unwrap(), message);
        assert!(<$message>::name(message.id()).is_some());
        let open_end: Option<usize> = None$(.or(Some($open_end)))?;
        for short in 0..body.len().saturating_sub(open_end.unwrap_or(0)) {
            let cut = <$message>::decode(message.id(), &body.slice(..short));
            assert!(cut.is_err(), "{message:?} cut to {short} of {} bytes is {cut:?}", body.len());
        }
        if open_end.is_none() {
            let longer: Bytes = [&body[..], &[0]].concat().into();
            let decoded = <$message>::decode(message.id(), &longer);
            let offsets = matches!(message.id(), 302..=313 | 318);
            assert!(decoded.is_err() || offsets, "{message:?} with a byte more is {decoded:?}");
        }
    })*};
}

#[test]
fn base_messages() {
    use base::*;
    let data = Bytes::from_static(b"payload");
    let wait =
        WaitForChannel { channel_type: ChannelType::CURSOR, channel_id: ChannelId(3), message_serial: 9 };
    check! { ServerMessage:
        ServerMessage::Migrate(Migrate { flags: MigrateFlags::NEED_FLUSH }),
        ServerMessage::MigrateData(data.clone()) => 7,
        ServerMessage::SetAck(SetAck { generation: 1, window: 20 }),
        ServerMessage::Ping(Ping { id: 1, timestamp: 2, data: data.clone() }) => 7,
        ServerMessage::WaitForChannels(WaitForChannels(vec![wait; 255])),
        ServerMessage::WaitForChannels(WaitForChannels(vec![])),
        ServerMessage::Disconnecting(Disconnecting { time_stamp: 5, reason: LinkError::ERROR }),
        ServerMessage::Notify(Notify {
            time_stamp: 1,
            severity: NotifySeverity::WARN,
            visibility: NotifyVisibility(77),
            what: 0,
            message: data.clone(),
        }) => 1,
        ServerMessage::List(data.clone()) => 7,
    }
    check! { ClientMessage:
        ClientMessage::AckSync(AckSync { generation: 7 }),
        ClientMessage::Ack,
        ClientMessage::Pong(Pong { id: 1, timestamp: u64::MAX }),
        ClientMessage::MigrateFlushMark,
        ClientMessage::MigrateData(data) => 7,
        ClientMessage::Disconnecting(Disconnecting { time_stamp: 5, reason: LinkError(99) }),
    }
}

#[test]
fn main_messages() {
    use main::*;
    let tokens = AgentTokens { num_tokens: 10 };
    let channel = OfferedChannel { channel_type: ChannelType::DISPLAY, channel_id: ChannelId(0) };
    check! { ServerMessage:
        ServerMessage::MigrateCancel,
        ServerMessage::Init(Init {
            session_id: ConnectionId(0x1234_5678),
            display_channels_hint: 1,
            supported_mouse_modes: 3,
            current_mouse_mode: 2,
            agent_connected: 0,
            agent_tokens: 10,
            multi_media_time: 1,
            ram_hint: 0,
        }),
        ServerMessage::ChannelsList(ChannelsList(vec![channel; 4])),
        ServerMessage::MouseMode(MouseMode { supported_modes: MouseModes::all(), current_mode: MouseModes::CLIENT }),
        ServerMessage::MultiMediaTime(MultiMediaTime { time: 4 }),
        ServerMessage::AgentConnected,
        ServerMessage::AgentDisconnected(AgentDisconnected { error_code: LinkError::OK }),
        ServerMessage::AgentData(Bytes::from_static(b"x")) => 1,
        ServerMessage::AgentToken(tokens),
        ServerMessage::MigrateEnd,
        ServerMessage::Name(Name(Bytes::from_static(b"vm\0"))),
        ServerMessage::Uuid([7; 16]),
        ServerMessage::AgentConnectedTokens(tokens),
    }
    check! { ClientMessage:
        ClientMessage::ClientInfo(ClientInfo { cache_size: 1 << 40 }),
        ClientMessage::MigrateConnected,
        ClientMessage::MigrateConnectError,
        ClientMessage::AttachChannels,
        ClientMessage::MouseModeRequest(MouseModeRequest { mode: MouseModes::SERVER }),
        ClientMessage::AgentStart(tokens),
        ClientMessage::AgentData(Bytes::from_static(b"x")) => 1,
        ClientMessage::AgentToken(tokens),
        ClientMessage::MigrateEnd,
    }
}

fn bitmap(len: usize) -> display::Image {
    display::Image {
        id: 1,
        flags: display::ImageFlags::CACHE_ME,
        width: 4,
        height: u32::try_from(len / 16).unwrap(),
        data: display::ImageData::Bitmap(display::BitmapImage {
            format: display::BitmapFormat::RGB32,
            flags: display::BitmapFlags::TOP_DOWN,
            x: 4,
            y: u32::try_from(len / 16).unwrap(),
            stride: 16,
            palette: None,
            data: vec![0x5a; len].into(),
        }),
    }
}

#[test]
fn display_messages() {
    use display::*;
    let over = |clip| DisplayBase { surface_id: SurfaceId(2), bbox: Rect::new(1, 2, 3, 4), clip };
    let clip = Clip::Rects(vec![Rect::new(0, 0, 1, 1), Rect::new(-5, -5, 9, 9)]);
    let image = |data| Image { id: 9, flags: ImageFlags::empty(), width: 3, height: 4, data };
    let copy = |source, mask| {
        ServerMessage::DrawCopy(DrawCopy {
            base: over(Clip::None),
            source,
            source_area: Rect::new(0, 0, 3, 4),
            rop: Ropd::OP_PUT,
            scale_mode: ScaleMode::NEAREST,
            mask,
        })
    };
    let mask = Mask { flags: MaskFlags::INVERS, pos: Point::new(1, -1), bitmap: Some(bitmap(64)) };
    let resource = Resource { kind: ResourceType::PIXMAP, id: u64::MAX };
    let wait = base::WaitForChannel {
        channel_type: ChannelType::DISPLAY,
        channel_id: ChannelId(1),
        message_serial: 9,
    };
    check! { ServerMessage:
        ServerMessage::Mode(Mode { x_res: 800, y_res: 600, bits: 32 }),
        ServerMessage::Mark,
        ServerMessage::Reset,
        ServerMessage::InvalList(InvalList(vec![resource; 3])),
        ServerMessage::InvalAllPixmaps(base::WaitForChannels(vec![wait; 2])),
        ServerMessage::InvalPalette(PaletteId(7)),
        ServerMessage::StreamCreate(StreamCreate {
            surface_id: SurfaceId::PRIMARY,
            id: StreamId(63),
            flags: StreamFlags::TOP_DOWN,
            codec: VideoCodec::MJPEG,
            stamp: 0,
            stream_width: 320,
            stream_height: 240,
            src_width: 640,
            src_height: 480,
            dest: Rect::new(1, 2, 640, 480),
            clip: clip.clone(),
        }),
        ServerMessage::StreamData(StreamData {
            id: StreamId(1),
            multi_media_time: 2,
            data: Bytes::from_static(b"frame"),
        }),
        ServerMessage::StreamClip(StreamClip { id: StreamId(1), clip: Clip::Rects(vec![]) }),
        ServerMessage::StreamDestroy(StreamId(1)),
        ServerMessage::StreamDestroyAll,
        ServerMessage::StreamDataSized(StreamDataSized {
            id: StreamId(1),
            multi_media_time: 2,
            width: 3,
            height: 4,
            dest: Rect::new(-1, -1, 2, 2),
            data: Bytes::new(),
        }),
        ServerMessage::StreamActivateReport(StreamActivateReport {
            stream_id: StreamId(1),
            unique_id: 2,
            max_window_size: 3,
            timeout_ms: 4,
        }),
        ServerMessage::GlScanoutUnix(GlScanoutUnix {
            width: 1,
            height: 2,
            stride: 3,
            drm_fourcc_format: 0x3432_5258,
            flags: GlScanoutFlags::Y0TOP,
        }),
        ServerMessage::GlDraw(GlDraw { x: 1, y: 2, width: 3, height: 4 }),
        ServerMessage::QualityIndicator(Bytes::from_static(b"good")) => 4,
        ServerMessage::CopyBits(CopyBits { base: over(clip.clone()), src_pos: Point::new(-1, 7) }),
        ServerMessage::InvalAllPalettes,
        ServerMessage::DrawFill(DrawFill {
            base: over(clip.clone()),
            brush: Brush::Solid(0x00ff_8800),
            rop: Ropd::OP_PUT,
            mask: Mask::default(),
        }),
        ServerMessage::DrawFill(DrawFill {
            base: over(clip),
            brush: Brush::None,
            rop: Ropd::OP_XOR | Ropd::INVERS_RES,
            mask: mask.clone(),
        }),
        copy(None, Mask::default()),
        copy(Some(bitmap(64)), Mask::default()),
        copy(Some(bitmap(16 << 10)), mask),
        copy(Some(image(ImageData::Lz4(Bytes::from_static(b"\x01\x08\0\0\0\x01x")))), Mask::default()),
        copy(Some(image(ImageData::Surface(SurfaceId(5)))), Mask::default()),
        ServerMessage::SurfaceCreate(SurfaceCreate {
            surface_id: SurfaceId::PRIMARY,
            width: 640,
            height: 480,
            format: SurfaceFormat::RGB32,
            flags: SurfaceFlags::PRIMARY,
        }),
        ServerMessage::SurfaceDestroy(SurfaceId(9)),
        ServerMessage::MonitorsConfig(MonitorsConfig {
            max_allowed: 4,
            heads: vec![
                Head { monitor_id: 0, surface_id: SurfaceId(0), width: 1, height: 2, x: 3, y: 4, flags: 0 };
                3
            ],
        }),
    }
    check! { ClientMessage:
        ClientMessage::Init(Init {
            pixmap_cache_id: 1,
            pixmap_cache_size: -1,
            glz_dictionary_id: 1,
            glz_dictionary_window_size: i32::MIN,
        }),
        ClientMessage::StreamReport(StreamReport {
            stream_id: StreamId(1),
            unique_id: 2,
            start_frame_mm_time: 3,
            end_frame_mm_time: 4,
            num_frames: 5,
            num_drops: u32::MAX,
            last_frame_delay: -7,
            audio_delay: 8,
        }),
        ClientMessage::PreferredCompression(ImageCompression(200)),
        ClientMessage::GlDrawDone,
        ClientMessage::PreferredVideoCodecs(PreferredVideoCodecs(vec![VideoCodec::VP8, VideoCodec(40)])),
    }
}

#[test]
fn cursor_messages() {
    use cursor::*;
    let header = CursorHeader {
        unique: 4,
        kind: CursorType::ALPHA,
        width: 1,
        height: 2,
        hot_spot_x: 0,
        hot_spot_y: 1,
    };
    let shape =
        Cursor { flags: CursorFlags::CACHE_ME, header: Some(header), data: Bytes::from_static(b"12345678") };
    let position = Point16 { x: -3, y: 300 };
    check! { ServerMessage:
        ServerMessage::Init(Init { position, trail_length: 0, trail_frequency: 0, visible: 1, cursor: Cursor::none() }) => 0,
        ServerMessage::Init(Init { position, trail_length: 1, trail_frequency: 2, visible: 0, cursor: shape.clone() }) => 8,
        ServerMessage::Reset,
        ServerMessage::Set(Set { position, visible: 1, cursor: shape }) => 8,
        ServerMessage::Move(position),
        ServerMessage::Hide,
        ServerMessage::Trail(Trail { length: 3, frequency: 4 }),
        ServerMessage::InvalOne(9),
        ServerMessage::InvalAll,
    }
}

#[test]
fn inputs_messages() {
    use inputs::*;
    let modifiers = KeyModifiersState { modifiers: KeyModifiers::CAPS_LOCK };
    let click = MouseClick { button: MouseButton(12), buttons_state: MouseButtons::from_bits_retain(0xf000) };
    check! { ServerMessage:
        ServerMessage::Init(modifiers),
        ServerMessage::KeyModifiers(modifiers),
        ServerMessage::MouseMotionAck,
    }
    check! { ClientMessage:
        ClientMessage::KeyDown(KeyCode { code: 0x48e0 }),
        ClientMessage::KeyUp(KeyCode { code: 0xc8e0 }),
        ClientMessage::KeyModifiers(modifiers),
        ClientMessage::KeyScancode(Bytes::from_static(&[0xe0, 0x48])) => 2,
        ClientMessage::MouseMotion(MouseMotion { dx: -1, dy: i32::MAX, buttons_state: MouseButtons::LEFT }),
        ClientMessage::MousePosition(MousePosition {
            x: 1,
            y: u32::MAX,
            buttons_state: MouseButtons::RIGHT,
            display_id: 255,
        }),
        ClientMessage::MousePress(click),
        ClientMessage::MouseRelease(click),
    }
    assert!(KeyCode { code: 0xc8e0 }.bytes().eq([0xe0, 0xc8]));
}

#[test]
fn decoding_a_large_image_copies_nothing() {
    use display::*;
    let message = ServerMessage::DrawCopy(DrawCopy {
        base: DisplayBase { surface_id: SurfaceId(0), bbox: Rect::new(0, 0, 4, 65_536), clip: Clip::None },
        source: Some(bitmap(1 << 20)),
        source_area: Rect::new(0, 0, 4, 65_536),
        rop: Ropd::OP_PUT,
        scale_mode: ScaleMode::INTERPOLATE,
        mask: Mask::default(),
    });
    let body = message.encode();
    assert!(body.pieces().len() >= 2, "the pixels are sent from where they lie");
    let flat = body.to_bytes();
    let ServerMessage::DrawCopy(copy) = ServerMessage::decode(304, &flat).unwrap() else { unreachable!() };
    let Some(Image { data: ImageData::Bitmap(bitmap), .. }) = copy.source else { unreachable!() };
    assert!(flat.as_ptr_range().contains(&bitmap.data.as_ptr()));
}
