//! Every message of the agent's protocol.

use bytes::Bytes;

use super::{
    AgentLayout, AnnounceCapabilities, AudioVolumeSync, Clipboard, ClipboardGrab, ClipboardRelease,
    ClipboardRequest, ClipboardSelection, DisplayConfig, FileXferData, FileXferStart, FileXferStatus,
    GraphicsDeviceInfo, MaxClipboard, MessageType, MonitorsConfig, MouseState, Reply,
};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::wire::{Body, Nothing, Wire, Writer, decode_all, decode_all_with};

/// The content of an agent message.
///
/// The directions are those that the protocol has in mind. Server and viewer relay each other's, and none of it is
/// checked on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Message {
    /// From the server to the agent: where the pointer is.
    MouseState(MouseState),
    /// From the viewer: how the guest is to arrange its monitors.
    MonitorsConfig(MonitorsConfig),
    /// From the agent: what became of a message.
    Reply(Reply),
    /// Either way: content of a clipboard.
    Clipboard(Clipboard),
    /// From the viewer: how the guest is to draw.
    DisplayConfig(DisplayConfig),
    /// Either way: what the sender can do.
    AnnounceCapabilities(AnnounceCapabilities),
    /// Either way: the sender's end has a clipboard now.
    ClipboardGrab(ClipboardGrab),
    /// Either way: the sender wants a clipboard's content.
    ClipboardRequest(ClipboardRequest),
    /// Either way: the sender's end has a clipboard no longer.
    ClipboardRelease(ClipboardRelease),
    /// From the viewer: a file is to be sent.
    FileXferStart(FileXferStart),
    /// Either way: how a file transfer stands.
    FileXferStatus(FileXferStatus),
    /// From the viewer: a part of a file.
    FileXferData(FileXferData),
    /// From the server: the viewer is gone.
    ClientDisconnected,
    /// From the viewer: the most clipboard content that it takes.
    MaxClipboard(MaxClipboard),
    /// From the viewer: how loud its sound is.
    AudioVolumeSync(AudioVolumeSync),
    /// From the server: which devices show the session's monitors.
    GraphicsDeviceInfo(GraphicsDeviceInfo),
}

impl Message {
    /// The types of all messages.
    pub const TYPES: &[MessageType] = &[
        MessageType::MOUSE_STATE,
        MessageType::MONITORS_CONFIG,
        MessageType::REPLY,
        MessageType::CLIPBOARD,
        MessageType::DISPLAY_CONFIG,
        MessageType::ANNOUNCE_CAPABILITIES,
        MessageType::CLIPBOARD_GRAB,
        MessageType::CLIPBOARD_REQUEST,
        MessageType::CLIPBOARD_RELEASE,
        MessageType::FILE_XFER_START,
        MessageType::FILE_XFER_STATUS,
        MessageType::FILE_XFER_DATA,
        MessageType::CLIENT_DISCONNECTED,
        MessageType::MAX_CLIPBOARD,
        MessageType::AUDIO_VOLUME_SYNC,
        MessageType::GRAPHICS_DEVICE_INFO,
    ];

    /// The type that stands in the message's header.
    #[must_use]
    pub const fn message_type(&self) -> MessageType {
        match self {
            Self::MouseState(_) => MessageType::MOUSE_STATE,
            Self::MonitorsConfig(_) => MessageType::MONITORS_CONFIG,
            Self::Reply(_) => MessageType::REPLY,
            Self::Clipboard(_) => MessageType::CLIPBOARD,
            Self::DisplayConfig(_) => MessageType::DISPLAY_CONFIG,
            Self::AnnounceCapabilities(_) => MessageType::ANNOUNCE_CAPABILITIES,
            Self::ClipboardGrab(_) => MessageType::CLIPBOARD_GRAB,
            Self::ClipboardRequest(_) => MessageType::CLIPBOARD_REQUEST,
            Self::ClipboardRelease(_) => MessageType::CLIPBOARD_RELEASE,
            Self::FileXferStart(_) => MessageType::FILE_XFER_START,
            Self::FileXferStatus(_) => MessageType::FILE_XFER_STATUS,
            Self::FileXferData(_) => MessageType::FILE_XFER_DATA,
            Self::ClientDisconnected => MessageType::CLIENT_DISCONNECTED,
            Self::MaxClipboard(_) => MessageType::MAX_CLIPBOARD,
            Self::AudioVolumeSync(_) => MessageType::AUDIO_VOLUME_SYNC,
            Self::GraphicsDeviceInfo(_) => MessageType::GRAPHICS_DEVICE_INFO,
        }
    }

    /// Decodes the whole content of a message of this type. Payloads share its memory.
    ///
    /// # Errors
    /// A type without a name here; content that is too short, too long, or means nothing.
    pub fn decode(message_type: MessageType, body: &Bytes, layout: AgentLayout) -> Result<Self, DecodeError> {
        match message_type {
            MessageType::MOUSE_STATE => decode_all("agent.MouseState", body).map(Self::MouseState),
            MessageType::MONITORS_CONFIG => {
                decode_all("agent.MonitorsConfig", body).map(Self::MonitorsConfig)
            }
            MessageType::REPLY => decode_all("agent.Reply", body).map(Self::Reply),
            MessageType::CLIPBOARD => {
                decode_all_with("agent.Clipboard", body, |body, input| Clipboard::parse(layout, body, input))
                    .map(Self::Clipboard)
            }
            MessageType::DISPLAY_CONFIG => decode_all("agent.DisplayConfig", body).map(Self::DisplayConfig),
            MessageType::ANNOUNCE_CAPABILITIES => {
                decode_all("agent.AnnounceCapabilities", body).map(Self::AnnounceCapabilities)
            }
            MessageType::CLIPBOARD_GRAB => {
                let parse = |body, input| ClipboardGrab::parse(layout, body, input);
                decode_all_with("agent.ClipboardGrab", body, parse).map(Self::ClipboardGrab)
            }
            MessageType::CLIPBOARD_REQUEST => {
                let parse = |body, input| ClipboardRequest::parse(layout, body, input);
                decode_all_with("agent.ClipboardRequest", body, parse).map(Self::ClipboardRequest)
            }
            MessageType::CLIPBOARD_RELEASE => {
                let parse = |body, input| ClipboardRelease::parse(layout, body, input);
                decode_all_with("agent.ClipboardRelease", body, parse).map(Self::ClipboardRelease)
            }
            MessageType::FILE_XFER_START => decode_all("agent.FileXferStart", body).map(Self::FileXferStart),
            MessageType::FILE_XFER_STATUS => {
                decode_all("agent.FileXferStatus", body).map(Self::FileXferStatus)
            }
            MessageType::FILE_XFER_DATA => decode_all("agent.FileXferData", body).map(Self::FileXferData),
            MessageType::CLIENT_DISCONNECTED => {
                decode_all::<Nothing>("agent.ClientDisconnected", body).map(|_| Self::ClientDisconnected)
            }
            MessageType::MAX_CLIPBOARD => decode_all("agent.MaxClipboard", body).map(Self::MaxClipboard),
            MessageType::AUDIO_VOLUME_SYNC => {
                decode_all("agent.AudioVolumeSync", body).map(Self::AudioVolumeSync)
            }
            MessageType::GRAPHICS_DEVICE_INFO => {
                decode_all("agent.GraphicsDeviceInfo", body).map(Self::GraphicsDeviceInfo)
            }
            unknown => Err(DecodeError {
                message: "agent",
                field: "type",
                offset: 0,
                kind: DecodeErrorKind::Value { value: unknown.0.into() },
            }),
        }
    }

    /// The content as it goes on the wire, after a header with [`Self::message_type`].
    ///
    /// `None` where the layout cannot say it: a clipboard message for another selection than the clipboard, in a
    /// layout without selections. Such a message is not sent. A grab's number is left out where the layout has none.
    #[must_use]
    pub fn encode(&self, layout: AgentLayout) -> Option<Body> {
        let selection = self.selection();
        if !layout.selection && selection.is_some_and(|selection| selection != ClipboardSelection::CLIPBOARD)
        {
            return None;
        }
        let mut writer = Writer::default();
        match self {
            Self::MouseState(content) => content.put(&mut writer),
            Self::MonitorsConfig(content) => content.put(&mut writer),
            Self::Reply(content) => content.put(&mut writer),
            Self::Clipboard(content) => content.put(layout, &mut writer),
            Self::DisplayConfig(content) => content.put(&mut writer),
            Self::AnnounceCapabilities(content) => content.put(&mut writer),
            Self::ClipboardGrab(content) => content.put(layout, &mut writer),
            Self::ClipboardRequest(content) => content.put(layout, &mut writer),
            Self::ClipboardRelease(content) => content.put(layout, &mut writer),
            Self::FileXferStart(content) => content.put(&mut writer),
            Self::FileXferStatus(content) => content.put(&mut writer),
            Self::FileXferData(content) => content.put(&mut writer),
            Self::ClientDisconnected => {}
            Self::MaxClipboard(content) => content.put(&mut writer),
            Self::AudioVolumeSync(content) => content.put(&mut writer),
            Self::GraphicsDeviceInfo(content) => content.put(&mut writer),
        }
        Some(writer.finish())
    }

    /// The selection that a clipboard message is about; `None` for every other message.
    #[must_use]
    pub const fn selection(&self) -> Option<ClipboardSelection> {
        match self {
            Self::Clipboard(Clipboard { selection, .. })
            | Self::ClipboardGrab(ClipboardGrab { selection, .. })
            | Self::ClipboardRequest(ClipboardRequest { selection, .. })
            | Self::ClipboardRelease(ClipboardRelease { selection }) => Some(*selection),
            _ => None,
        }
    }

    /// Makes up a message of this type that the layout can say; a type without a name here is an error of
    /// `arbitrary`.
    #[cfg(feature = "arbitrary")]
    pub fn arbitrary_with_type(
        message_type: MessageType,
        layout: AgentLayout,
        source: &mut arbitrary::Unstructured<'_>,
    ) -> arbitrary::Result<Self> {
        match message_type {
            MessageType::MOUSE_STATE => Wire::arbitrary(source).map(Self::MouseState),
            MessageType::MONITORS_CONFIG => Wire::arbitrary(source).map(Self::MonitorsConfig),
            MessageType::REPLY => Wire::arbitrary(source).map(Self::Reply),
            MessageType::CLIPBOARD => Clipboard::arbitrary(layout, source).map(Self::Clipboard),
            MessageType::DISPLAY_CONFIG => Wire::arbitrary(source).map(Self::DisplayConfig),
            MessageType::ANNOUNCE_CAPABILITIES => Wire::arbitrary(source).map(Self::AnnounceCapabilities),
            MessageType::CLIPBOARD_GRAB => ClipboardGrab::arbitrary(layout, source).map(Self::ClipboardGrab),
            MessageType::CLIPBOARD_REQUEST => {
                ClipboardRequest::arbitrary(layout, source).map(Self::ClipboardRequest)
            }
            MessageType::CLIPBOARD_RELEASE => {
                ClipboardRelease::arbitrary(layout, source).map(Self::ClipboardRelease)
            }
            MessageType::FILE_XFER_START => Wire::arbitrary(source).map(Self::FileXferStart),
            MessageType::FILE_XFER_STATUS => Wire::arbitrary(source).map(Self::FileXferStatus),
            MessageType::FILE_XFER_DATA => Wire::arbitrary(source).map(Self::FileXferData),
            MessageType::CLIENT_DISCONNECTED => Ok(Self::ClientDisconnected),
            MessageType::MAX_CLIPBOARD => Wire::arbitrary(source).map(Self::MaxClipboard),
            MessageType::AUDIO_VOLUME_SYNC => Wire::arbitrary(source).map(Self::AudioVolumeSync),
            MessageType::GRAPHICS_DEVICE_INFO => Wire::arbitrary(source).map(Self::GraphicsDeviceInfo),
            _ => Err(arbitrary::Error::IncorrectFormat),
        }
    }
}
