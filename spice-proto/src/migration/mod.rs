//! Migration data: a channel's state, which one server hands to another by way of the viewer.
//!
//! It is the content of [`base::ServerMessage::MigrateData`](crate::base::ServerMessage) and
//! [`base::ClientMessage::MigrateData`](crate::base::ClientMessage). A viewer relays it, and may send whatever it likes
//! in its place: nothing in it is taken on trust. Every place that it names lies in it and behind its fixed part, and
//! identifiers and sizes are such as a live session can have.
//!
//! ```
//! use spice_proto::migration::{InputsData, MigrateMagic, magic};
//!
//! let data = InputsData { motion_count: 3 };
//! let body = data.encode().to_bytes();
//! assert_eq!(magic(&body), Some(MigrateMagic::INPUTS));
//! assert_eq!(InputsData::decode(&body), Ok(data));
//! ```
//!
//! Facts are those of `migration-protocol.h` in the server that it comes from, which calls these `SpiceMigrateData*`.

mod char_device;
mod display;
mod main;

use bytes::Bytes;

pub use char_device::{CharDevice, SmartcardData, SmartcardReader, SpiceVmcData};
pub use display::{
    DisplayData, GlzDictionary, LossyAreas, LossySurface, MAX_GLZ_ENCODERS, MAX_SURFACES, SurfacesAtClient,
};
pub use main::{AgentReadState, AgentState, AgentWriteState, FilterResult, MainData};

use crate::error::{DecodeError, DecodeErrorKind};
use crate::open_enum;
use crate::wire::{
    Body, Fault, In, OffsetSlot, Parsed, Wire, Writer, decode_all, field, named, record, shared, wire_newtype,
};

/// The version of all of this data (`SPICE_MIGRATE_DATA_*_VERSION`). Data of a later one is refused; there is no
/// earlier one that looks different.
pub const VERSION: u32 = 1;

open_enum! {
    /// Which channel's state it is: four letters, the first one lowest (`SPICE_MIGRATE_DATA_*_MAGIC`).
    pub enum MigrateMagic: u32 {
        /// `MNMD`: [`MainData`].
        MAIN = 0x444d_4e4d,
        /// `DCMD`: [`DisplayData`].
        DISPLAY = 0x444d_4344,
        /// `ICMD`: [`InputsData`].
        INPUTS = 0x444d_4349,
        /// `SCMD`: [`SmartcardData`].
        SMARTCARD = 0x444d_4353,
        /// `SVMD`: [`SpiceVmcData`].
        SPICEVMC = 0x444d_5653,
    }
}

wire_newtype!(MigrateMagic(u32));

/// Which channel's state begins here, or `None` while there are less than four bytes.
#[must_use]
pub fn magic(body: &[u8]) -> Option<MigrateMagic> {
    body.first_chunk().map(|bytes| MigrateMagic(u32::from_le_bytes(*bytes)))
}

record! {
    /// The state of an inputs channel (`SpiceMigrateDataInputs`).
    #[derive(Copy, Eq)]
    pub struct InputsData {
        /// Motion and position messages that have not been acknowledged.
        pub motion_count: u16,
    }
}

/// State that stands behind a header with a magic.
trait State: Wire {
    const MAGIC: MigrateMagic;
}

impl State for InputsData {
    const MAGIC: MigrateMagic = MigrateMagic::INPUTS;
}

/// State and the header before it.
struct Headed<T>(T);

impl<T: State> Wire for Headed<T> {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let input = parse_header(body, input, T::MAGIC)?;
        let (input, state) = T::parse(body, input)?;
        Ok((input, Self(state)))
    }

    fn put(&self, writer: &mut Writer) {
        put_header(T::MAGIC, writer);
        self.0.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        T::arbitrary(source).map(Self)
    }
}

macro_rules! state {
    ($($name:ident in $message:literal,)*) => {$(
        impl $name {
            /// Decodes the content of a migrate-data message. Payloads share its memory.
            ///
            /// # Errors
            /// Another channel's data or a later version; too few bytes; a place that does not lie in it, behind the
            /// fixed part; a value that no channel can have.
            pub fn decode(body: &Bytes) -> Result<Self, DecodeError> {
                decode_all::<Headed<Self>>($message, body).map(|headed| headed.0)
            }

            /// The content of a migrate-data message.
            #[must_use]
            pub fn encode(&self) -> Body {
                let mut writer = Writer::default();
                put_header(<Self as State>::MAGIC, &mut writer);
                self.put(&mut writer);
                writer.finish()
            }
        }

        #[cfg(feature = "arbitrary")]
        impl<'a> arbitrary::Arbitrary<'a> for $name {
            fn arbitrary(source: &mut arbitrary::Unstructured<'a>) -> arbitrary::Result<Self> {
                Wire::arbitrary(source)
            }
        }
    )*};
}

state! {
    MainData in "migration.Main",
    InputsData in "migration.Inputs",
    SmartcardData in "migration.Smartcard",
    SpiceVmcData in "migration.SpiceVmc",
}

/// Reads a header (`SpiceMigrateDataHeader`), which must be that of this data.
fn parse_header<'a>(body: &'a Bytes, input: In<'a>, magic: MigrateMagic) -> Result<In<'a>, nom::Err<Fault>> {
    let at = input;
    let (input, found) = field::<MigrateMagic>("magic", body, input)?;
    if found != magic {
        return named("magic", Err(Fault::at(at, DecodeErrorKind::Value { value: found.0.into() })));
    }
    let input = parse_version(body, input)?;
    Ok(input)
}

fn parse_version<'a>(body: &'a Bytes, input: In<'a>) -> Result<In<'a>, nom::Err<Fault>> {
    let (left, version) = field::<u32>("version", body, input)?;
    if version > VERSION {
        return named("version", Err(Fault::at(input, DecodeErrorKind::Value { value: version.into() })));
    }
    Ok(left)
}

fn put_header(magic: MigrateMagic, writer: &mut Writer) {
    magic.put(writer);
    VERSION.put(writer);
}

/// Reads a byte that is 0 or 1.
fn parse_bool<'a>(name: &'static str, body: &'a Bytes, input: In<'a>) -> Parsed<'a, bool> {
    let (left, byte) = field::<u8>(name, body, input)?;
    match byte {
        0 => Ok((left, false)),
        1 => Ok((left, true)),
        other => named(name, Err(Fault::at(input, DecodeErrorKind::Value { value: other.into() }))),
    }
}

/// Bytes that lie behind the fixed part, as the fixed part names them.
struct Place<'a> {
    name: &'static str,
    size: u32,
    target: u32,
    /// Where the offset was read.
    at: In<'a>,
}

impl<'a> Place<'a> {
    /// Reads the offset of `size` bytes.
    fn parse(name: &'static str, size: u32, body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (left, target) = field(name, body, input)?;
        Ok((left, Self { name, size, target, at: input }))
    }

    /// What lies there and behind it; `left` is what follows the fixed part.
    fn find(&self, body: &'a Bytes, left: In<'a>) -> Result<In<'a>, nom::Err<Fault>> {
        let behind = body.len() - left.len();
        let target = self.target as usize;
        match body.get(target..) {
            Some(place) if target >= behind => Ok(place),
            _ => named(self.name, Err(Fault::at(self.at, DecodeErrorKind::Offset { target: self.target }))),
        }
    }

    /// The bytes there. Where there are none the offset means nothing.
    fn bytes(&self, body: &'a Bytes, left: In<'a>) -> Result<Bytes, nom::Err<Fault>> {
        if self.size == 0 {
            return Ok(Bytes::new());
        }
        let place = self.find(body, left)?;
        let (_, bytes) = named(self.name, shared(body, place, self.size as usize))?;
        Ok(bytes)
    }
}

/// The length of a payload as its field has it.
fn size(bytes: &Bytes) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// Appends a payload and fills in its offset, which stays 0 where there is none.
fn put_bytes(bytes: &Bytes, slot: &OffsetSlot, writer: &mut Writer) {
    if !bytes.is_empty() {
        writer.point_here(slot);
        writer.put_bytes(bytes);
    }
}
