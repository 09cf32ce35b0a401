//! Where in a guest a graphics device is.

use bytes::Bytes;

use crate::error::DecodeErrorKind;
use crate::wire::{Fault, In, Parsed, Wire, Writer, field, named, shared};

/// A device's address in its guest, for instance `pci/0000/02.0` for function 0 of slot 2 in PCI domain 0: the domain,
/// then slot and function of every bridge on the way and of the device itself, all of them hexadecimal.
///
/// The wire ends it with a NUL, which is not part of it. Whatever stands in that place is taken for one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceAddress(pub Bytes);

impl Wire for DeviceAddress {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let at = input;
        let (input, len) = field::<u32>("device_address_len", body, input)?;
        let Some(len) = len.checked_sub(1) else {
            return named("device_address_len", Err(Fault::at(at, DecodeErrorKind::Value { value: 0 })));
        };
        let (input, address) = named("device_address", shared(body, input, len as usize))?;
        let (input, _) = field::<u8>("device_address", body, input)?;
        Ok((input, Self(address)))
    }

    fn put(&self, writer: &mut Writer) {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX).saturating_add(1).put(writer);
        self.0.put(writer);
        0_u8.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let len = source.arbitrary_len::<u8>()?.min(64);
        Ok(Self(Bytes::copy_from_slice(source.bytes(len)?)))
    }
}
