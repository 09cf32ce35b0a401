//! State of a display channel.

use bytes::Bytes;

use super::{MigrateMagic, Place, parse_bool, parse_header, put_header};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::geometry::Rect;
use crate::ids::SurfaceId;
use crate::wire::{Body, Fault, In, Parsed, Wire, Writer, counted, decode_all_with, field, named, record};

/// The most surfaces that a viewer has; identifiers of surfaces lie below it (`NUM_SURFACES`).
pub const MAX_SURFACES: u32 = 1024;

/// The most display channels of one viewer that share a cache or a dictionary
/// (`MIGRATE_DATA_DISPLAY_MAX_CACHE_CLIENTS`).
pub const MAX_GLZ_ENCODERS: u32 = 4;

/// The state of a display channel (`SpiceMigrateDataDisplay`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayData {
    /// The serial of this very message, in the channel's order.
    pub message_serial: u64,
    /// Whether the connection is taken for a slow one.
    pub low_bandwidth: bool,
    /// Names the viewer's pixmap cache.
    pub pixmap_cache_id: u8,
    /// Pixels that it can hold; below 0 while it is not in use.
    pub pixmap_cache_size: i64,
    /// Whether this channel is the one that has stopped the cache, which is then the one that starts it again.
    pub pixmap_cache_freezer: bool,
    /// The serial of the last message of each display channel that used the cache, by the channel's id.
    pub pixmap_cache_clients: [u64; MAX_GLZ_ENCODERS as usize],
    /// Names the viewer's GLZ dictionary.
    pub glz_dictionary_id: u8,
    /// How the dictionary goes on.
    pub glz_dictionary: GlzDictionary,
    /// The surfaces that the viewer has.
    pub surfaces: SurfacesAtClient,
}

record! {
    /// What a dictionary goes on from (`GlzEncDictRestoreData`): its images stay behind.
    #[derive(Copy, Eq)]
    pub struct GlzDictionary {
        /// Pixels that it can hold, at most `i32::MAX`.
        pub size: u32,
        /// Channels that share it, at most [`MAX_GLZ_ENCODERS`].
        pub max_encoders: u32,
        /// The number of its last image.
        pub last_image_id: u64,
    }
}

/// The surfaces that a viewer has: at most [`MAX_SURFACES`], each named once, by an identifier below that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SurfacesAtClient {
    /// All of them as they are (`MigrateDisplaySurfacesAtClientLossless`).
    Lossless(Vec<SurfaceId>),
    /// Parts of them have lost something to compression (`MigrateDisplaySurfacesAtClientLossy`).
    Lossy(Vec<LossySurface>),
}

/// A surface and where it is not as it should be (`MigrateDisplaySurfaceLossy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossySurface {
    /// The surface.
    pub surface_id: SurfaceId,
    /// The box around all that has lost something; an empty one where nothing has.
    pub lossy_rect: Rect,
}

/// Whether surfaces are listed with their lossy areas: the data does not say, the server's setting of lossy compression
/// for slow connections does, which must be the same on both servers (`jpeg-wan-compression`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossyAreas {
    /// It is never used.
    Never,
    /// It is always used.
    Always,
    /// It is used on a slow connection.
    OnLowBandwidth,
}

impl LossyAreas {
    /// Whether lossy areas are listed, on a slow connection or on another.
    #[must_use]
    pub const fn listed(self, low_bandwidth: bool) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::OnLowBandwidth => low_bandwidth,
        }
    }
}

impl DisplayData {
    /// Decodes the content of a migrate-data message.
    ///
    /// # Errors
    /// Another channel's data or a later version; too few bytes; a list that does not lie in it, behind the fixed part;
    /// more surfaces, another surface or a larger dictionary than a viewer can have; a surface that is named twice.
    pub fn decode(body: &Bytes, areas: LossyAreas) -> Result<Self, DecodeError> {
        decode_all_with("migration.Display", body, |body, input| Self::parse(areas, body, input))
    }

    /// The content of a migrate-data message.
    #[must_use]
    pub fn encode(&self) -> Body {
        let mut writer = Writer::default();
        put_header(MigrateMagic::DISPLAY, &mut writer);
        self.message_serial.put(&mut writer);
        u8::from(self.low_bandwidth).put(&mut writer);
        self.pixmap_cache_id.put(&mut writer);
        self.pixmap_cache_size.put(&mut writer);
        u8::from(self.pixmap_cache_freezer).put(&mut writer);
        for serial in self.pixmap_cache_clients {
            serial.put(&mut writer);
        }
        self.glz_dictionary_id.put(&mut writer);
        self.glz_dictionary.put(&mut writer);
        let slot = writer.put_offset();
        writer.point_here(&slot);
        self.surfaces.put(&mut writer);
        writer.finish()
    }

    fn parse<'a>(areas: LossyAreas, body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let input = parse_header(body, input, MigrateMagic::DISPLAY)?;
        let (input, message_serial) = field("message_serial", body, input)?;
        let (input, low_bandwidth) = parse_bool("low_bandwidth_setting", body, input)?;
        let (input, pixmap_cache_id) = field("pixmap_cache_id", body, input)?;
        let (input, pixmap_cache_size) = field("pixmap_cache_size", body, input)?;
        let (input, pixmap_cache_freezer) = parse_bool("pixmap_cache_freezer", body, input)?;
        let mut pixmap_cache_clients = [0; MAX_GLZ_ENCODERS as usize];
        let mut input = input;
        for serial in &mut pixmap_cache_clients {
            (input, *serial) = field("pixmap_cache_clients", body, input)?;
        }
        let (input, glz_dictionary_id) = field("glz_dict_id", body, input)?;
        let (input, glz_dictionary) = parse_dictionary(body, input)?;
        let (left, place) = Place::parse("surfaces_at_client", 0, body, input)?;
        let list = place.find(body, left)?;
        let surfaces = SurfacesAtClient::parse(areas.listed(low_bandwidth), body, list)?;
        let data = Self {
            message_serial,
            low_bandwidth,
            pixmap_cache_id,
            pixmap_cache_size,
            pixmap_cache_freezer,
            pixmap_cache_clients,
            glz_dictionary_id,
            glz_dictionary,
            surfaces,
        };
        Ok((&[], data))
    }

    /// Makes one up whose surfaces are listed as `areas` says.
    #[cfg(feature = "arbitrary")]
    pub fn arbitrary_with_areas(
        areas: LossyAreas,
        source: &mut arbitrary::Unstructured<'_>,
    ) -> arbitrary::Result<Self> {
        let low_bandwidth = source.arbitrary()?;
        Ok(Self {
            message_serial: Wire::arbitrary(source)?,
            low_bandwidth,
            pixmap_cache_id: Wire::arbitrary(source)?,
            pixmap_cache_size: Wire::arbitrary(source)?,
            pixmap_cache_freezer: source.arbitrary()?,
            pixmap_cache_clients: source.arbitrary()?,
            glz_dictionary_id: Wire::arbitrary(source)?,
            glz_dictionary: GlzDictionary {
                size: source.int_in_range(0..=i32::MAX.unsigned_abs())?,
                max_encoders: source.int_in_range(0..=MAX_GLZ_ENCODERS)?,
                last_image_id: Wire::arbitrary(source)?,
            },
            surfaces: SurfacesAtClient::arbitrary(areas.listed(low_bandwidth), source)?,
        })
    }
}

fn parse_dictionary<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, GlzDictionary> {
    let (left, dictionary) = field::<GlzDictionary>("glz_dict_data", body, input)?;
    for (name, count, max) in [
        ("size", dictionary.size, i32::MAX.unsigned_abs()),
        ("max_encoders", dictionary.max_encoders, MAX_GLZ_ENCODERS),
    ] {
        if count > max {
            let kind = DecodeErrorKind::TooMany { count: count.into(), max: max.into() };
            return named(name, Err(Fault::at(input, kind)));
        }
    }
    Ok((left, dictionary))
}

impl SurfacesAtClient {
    /// The identifiers of all of them.
    pub fn ids(&self) -> impl Iterator<Item = SurfaceId> {
        let (lossless, lossy): (&[SurfaceId], &[LossySurface]) = match self {
            Self::Lossless(surfaces) => (surfaces, &[]),
            Self::Lossy(surfaces) => (&[], surfaces),
        };
        lossless.iter().copied().chain(lossy.iter().map(|surface| surface.surface_id))
    }

    fn parse<'a>(lossy: bool, body: &'a Bytes, input: In<'a>) -> Result<Self, nom::Err<Fault>> {
        let at = input;
        let (input, count) = field::<u32>("num_surfaces", body, input)?;
        if count > MAX_SURFACES {
            let kind = DecodeErrorKind::TooMany { count: count.into(), max: MAX_SURFACES.into() };
            return named("num_surfaces", Err(Fault::at(at, kind)));
        }
        let surfaces = if lossy {
            Self::Lossy(named("surfaces", counted(body, input, count as usize, 20))?.1)
        } else {
            Self::Lossless(named("surfaces", counted(body, input, count as usize, 4))?.1)
        };
        let mut seen = [false; MAX_SURFACES as usize];
        for id in surfaces.ids() {
            match seen.get_mut(id.0 as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => {
                    let kind = DecodeErrorKind::Value { value: id.0.into() };
                    return named("surfaces", Err(Fault::at(input, kind)));
                }
            }
        }
        Ok(surfaces)
    }

    fn put(&self, writer: &mut Writer) {
        u32::try_from(self.ids().count()).unwrap_or(u32::MAX).put(writer);
        match self {
            Self::Lossless(surfaces) => surfaces.iter().for_each(|surface| surface.put(writer)),
            Self::Lossy(surfaces) => surfaces.iter().for_each(|surface| surface.put(writer)),
        }
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(lossy: bool, source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        let mut ids = std::collections::BTreeSet::new();
        for _ in 0..source.int_in_range(0..=4)? {
            ids.insert(SurfaceId(source.int_in_range(0..=MAX_SURFACES - 1)?));
        }
        if !lossy {
            return Ok(Self::Lossless(ids.into_iter().collect()));
        }
        let surface = |surface_id| Ok(LossySurface { surface_id, lossy_rect: Wire::arbitrary(source)? });
        ids.into_iter().map(surface).collect::<arbitrary::Result<_>>().map(Self::Lossy)
    }
}

/// The rectangle's left edge comes first here (`SpiceMigrateDataRect`).
impl Wire for LossySurface {
    fn parse<'a>(body: &'a Bytes, input: In<'a>) -> Parsed<'a, Self> {
        let (input, surface_id) = field("surface_id", body, input)?;
        let (input, left) = field("lossy_rect.left", body, input)?;
        let (input, top) = field("lossy_rect.top", body, input)?;
        let (input, right) = field("lossy_rect.right", body, input)?;
        let (input, bottom) = field("lossy_rect.bottom", body, input)?;
        Ok((input, Self { surface_id, lossy_rect: Rect { top, left, bottom, right } }))
    }

    fn put(&self, writer: &mut Writer) {
        self.surface_id.put(writer);
        self.lossy_rect.left.put(writer);
        self.lossy_rect.top.put(writer);
        self.lossy_rect.right.put(writer);
        self.lossy_rect.bottom.put(writer);
    }

    #[cfg(feature = "arbitrary")]
    fn arbitrary(source: &mut crate::wire::Source<'_>) -> arbitrary::Result<Self> {
        Ok(Self { surface_id: Wire::arbitrary(source)?, lossy_rect: Wire::arbitrary(source)? })
    }
}
