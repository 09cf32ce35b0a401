//! State of a character device, and of the channels that are little more.

use bytes::Bytes;

use super::{MigrateMagic, Place, State, VERSION, parse_bool, parse_version, put_bytes, size};
use crate::wire::{Fault, In, OffsetSlot, Parsed, Wire, Writer, field};

/// What a device has been sent and has not taken (`SpiceMigrateDataCharDevice`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CharDevice {
    /// Messages that the viewer may still send; `u32::MAX` where it is not held back.
    pub num_client_tokens: u32,
    /// Messages that the viewer will still take; `u32::MAX` where the device is not held back.
    pub num_send_tokens: u32,
    /// Tokens that the viewer has spent on `write_data`.
    pub write_num_client_tokens: u32,
    /// Bytes that the device has not taken.
    pub write_data: Bytes,
}

impl CharDevice {
    /// Tokens that the viewer has spent, on messages that the device has taken, and has not got back, where it got
    /// `window` of them at first. `None`: the numbers do not add up, and no server has said that.
    #[must_use]
    pub fn free_client_tokens(&self, window: u32) -> Option<u32> {
        window.checked_sub(self.num_client_tokens)?.checked_sub(self.write_num_client_tokens)
    }
}

/// The fixed part of a [`CharDevice`].
pub(super) struct Fixed<'a> {
    connected: bool,
    num_client_tokens: u32,
    num_send_tokens: u32,
    write_num_client_tokens: u32,
    write_data: Place<'a>,
}

impl<'a> Fixed<'a> {
    pub(super) fn parse(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let input = parse_version(body, input)?;
        let (input, connected) = parse_bool("connected", body, input)?;
        let (input, num_client_tokens) = field("num_client_tokens", body, input)?;
        let (input, num_send_tokens) = field("num_send_tokens", body, input)?;
        let (input, write_size) = field("write_size", body, input)?;
        let (input, write_num_client_tokens) = field("write_num_client_tokens", body, input)?;
        let (input, write_data) = Place::parse("write_data", write_size, body, input)?;
        let fixed =
            Self { connected, num_client_tokens, num_send_tokens, write_num_client_tokens, write_data };
        Ok((input, fixed))
    }

    /// The device, if it was connected; `left` is what follows the whole fixed part.
    pub(super) fn device(
        &self,
        body: &'a Bytes,
        left: In<'a>,
    ) -> Result<Option<CharDevice>, nom::Err<Fault>> {
        let write_data = self.write_data.bytes(body, left)?;
        Ok(self.connected.then_some(CharDevice {
            num_client_tokens: self.num_client_tokens,
            num_send_tokens: self.num_send_tokens,
            write_num_client_tokens: self.write_num_client_tokens,
            write_data,
        }))
    }
}

/// Appends the fixed part; the data's place is filled in by who appends the data. A device that is not connected is
/// all zeros.
pub(super) fn put_fixed(device: Option<&CharDevice>, writer: &mut Writer) -> OffsetSlot {
    let none = CharDevice::default();
    VERSION.put(writer);
    u8::from(device.is_some()).put(writer);
    let device = device.unwrap_or(&none);
    device.num_client_tokens.put(writer);
    device.num_send_tokens.put(writer);
    size(&device.write_data).put(writer);
    device.write_num_client_tokens.put(writer);
    writer.put_offset()
}

#[cfg(feature = "arbitrary")]
impl CharDevice {
    pub(super) fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self {
            num_client_tokens: Wire::arbitrary(source)?,
            num_send_tokens: Wire::arbitrary(source)?,
            write_num_client_tokens: Wire::arbitrary(source)?,
            write_data: Wire::arbitrary(source)?,
        })
    }
}

/// The state of a channel that is a byte stream to a device: USB redirection, a port, a shared folder
/// (`SpiceMigrateDataSpiceVmc`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpiceVmcData {
    /// The device; `None` if the viewer was not connected to it.
    pub device: Option<CharDevice>,
}

impl State for SpiceVmcData {
    const MAGIC: MigrateMagic = MigrateMagic::SPICEVMC;
}

impl Wire for SpiceVmcData {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (left, fixed) = Fixed::parse(body, input)?;
        let device = fixed.device(body, left)?;
        Ok((&[], Self { device }))
    }

    fn put(&self, writer: &mut Writer) {
        let slot = put_fixed(self.device.as_ref(), writer);
        if let Some(device) = &self.device {
            put_bytes(&device.write_data, &slot, writer);
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let device = source.arbitrary::<bool>()?.then(|| CharDevice::arbitrary(source)).transpose()?;
        Ok(Self { device })
    }
}

/// The state of a smartcard channel (`SpiceMigrateDataSmartcard`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmartcardData {
    /// The reader; `None` if the viewer had none.
    pub reader: Option<SmartcardReader>,
}

/// A reader that a viewer has put a card into, or may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmartcardReader {
    /// The device behind it.
    pub device: CharDevice,
    /// Whether the device knows of the reader.
    pub reader_added: bool,
    /// The first bytes of a message from the device, which is not whole.
    pub read_data: Bytes,
}

impl State for SmartcardData {
    const MAGIC: MigrateMagic = MigrateMagic::SMARTCARD;
}

impl Wire for SmartcardData {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, fixed) = Fixed::parse(body, input)?;
        let (input, reader_added) = parse_bool("reader_added", body, input)?;
        let (input, read_size) = field("read_size", body, input)?;
        let (left, read_data) = Place::parse("read_data", read_size, body, input)?;
        let device = fixed.device(body, left)?;
        let read_data = read_data.bytes(body, left)?;
        let reader = device.map(|device| SmartcardReader { device, reader_added, read_data });
        Ok((&[], Self { reader }))
    }

    fn put(&self, writer: &mut Writer) {
        let none = SmartcardReader::default();
        let write_slot = put_fixed(self.reader.as_ref().map(|reader| &reader.device), writer);
        let reader = self.reader.as_ref().unwrap_or(&none);
        u8::from(reader.reader_added).put(writer);
        size(&reader.read_data).put(writer);
        let read_slot = writer.put_offset();
        put_bytes(&reader.device.write_data, &write_slot, writer);
        put_bytes(&reader.read_data, &read_slot, writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        if !source.arbitrary::<bool>()? {
            return Ok(Self { reader: None });
        }
        let device = CharDevice::arbitrary(source)?;
        let reader_added = source.arbitrary()?;
        let read_data = Wire::arbitrary(source)?;
        Ok(Self { reader: Some(SmartcardReader { device, reader_added, read_data }) })
    }
}
