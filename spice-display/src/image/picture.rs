//! A bitmap on its way to viewers, and what it has been packed to.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use spice_proto::Body;
use spice_proto::display::{ImageData, Palette};

use super::choice::{GlzLane, Method, Packing};
use super::pack::pack;
use super::pixmap_cache::Fidelity;
use crate::codec::glz::{Dictionary, Encoded, GlzFormat, GlzSource, encode_alone};
use crate::codec::zlib::ZlibBody;
use crate::once_list::OnceList;
use crate::qxl::{Bitmap, BitmapFormat};

/// A bitmap that viewers are to be sent, each by its method. It is packed once by each, whoever asks first.
#[derive(Debug)]
pub(crate) struct Picture {
    bitmap: Arc<Bitmap>,
    /// All bits of its pixels count, also those that mean nothing.
    exact: bool,
    choices: OnceList<(Packing, Method)>,
    /// A viewer has kept it from before, and did not get it again.
    kept: OnceLock<()>,
    packed: OnceList<(Method, OnceLock<Packed>)>,
}

/// What a picture was packed to.
#[derive(Clone, Debug)]
pub(crate) enum Packed {
    /// For every viewer the same.
    Whole(ImageData),
    /// GLZ. Each viewer gets a header of its own before it.
    Glz(GlzPacked),
    /// The same packed once more.
    Zlib(ZlibBody),
}

/// A picture as the dictionary has it.
#[derive(Clone, Debug)]
pub(crate) struct GlzPacked {
    /// Its number among those of its dictionary. It can refer to those with the numbers just before.
    pub(crate) number: u64,
    pub(crate) encoded: Arc<Encoded>,
}

impl GlzPacked {
    /// The stream for a viewer for which it is picture `id`, packed once more if it is so already.
    pub(crate) fn data(&self, zlib: Option<&ZlibBody>, id: u64, head_distance: u32) -> ImageData {
        let header = self.encoded.header(id, head_distance);
        match zlib {
            Some(zlib) => ImageData::ZlibGlzRgb(zlib.behind(&header)),
            None => {
                let pieces = [Bytes::copy_from_slice(&header), self.encoded.body.clone()];
                ImageData::GlzRgb(Body::from_iter(pieces))
            }
        }
    }
}

impl Picture {
    pub(crate) fn new(bitmap: Arc<Bitmap>, exact: bool) -> Self {
        Self {
            bitmap,
            exact,
            choices: OnceList::default(),
            kept: OnceLock::new(),
            packed: OnceList::default(),
        }
    }

    pub(crate) fn palette(&self) -> Option<&Arc<Palette>> {
        self.bitmap.palette()
    }

    /// Pixels.
    pub(crate) fn pixels(&self) -> u64 {
        u64::from(self.bitmap.width()) * u64::from(self.bitmap.height())
    }

    /// Bytes of it before packing.
    pub(crate) fn len(&self) -> usize {
        self.bitmap.data().len()
    }

    /// How much of it a viewer needs that kept it.
    pub(crate) fn needed(&self) -> Fidelity {
        if self.exact { Fidelity::Exact } else { Fidelity::Shown }
    }

    /// How much of it a viewer has that gets it by this method.
    pub(crate) fn fidelity(&self, method: Method) -> Fidelity {
        let whole =
            matches!(self.bitmap.format(), BitmapFormat::RGBA | BitmapFormat::A8 | BitmapFormat::RGB24);
        match method {
            Method::Jpeg => Fidelity::Lossy,
            Method::Raw | Method::Lz4 => Fidelity::Exact,
            // Where every bit counts, only what leaves them all is chosen.
            _ if whole || self.exact => Fidelity::Exact,
            _ => Fidelity::Shown,
        }
    }

    /// How a viewer with this packing gets it.
    pub(crate) fn method(&self, packing: Packing) -> Method {
        let choose = || match self.exact {
            true => packing.exact_method(&self.bitmap),
            false => packing.method(&self.bitmap),
        };
        self.choices.find_or_add(|(known, _)| *known == packing, || (packing, choose())).1
    }

    /// A viewer has kept it from before, and does not get it again.
    pub(crate) fn set_kept(&self) {
        let _ = self.kept.set(());
    }

    /// Whether a viewer does not get it. It is no picture for a dictionary that viewers share: that one would miss it.
    pub(crate) fn is_kept(&self) -> bool {
        self.kept.get().is_some()
    }

    /// What it was packed to by this method, once it is.
    pub(crate) fn packed(&self, method: Method) -> Option<&Packed> {
        self.packed.iter().find(|(known, _)| *known == method).and_then(|(_, packed)| packed.get())
    }

    /// Has it packed by this method; answers whether nobody has asked before. Bare pixels are there at once.
    pub(crate) fn ask(&self, method: Method) -> bool {
        let mut first = false;
        let make = || {
            first = method != Method::Raw;
            let packed = match method {
                Method::Raw => OnceLock::from(Packed::Whole(self.bare())),
                _ => OnceLock::new(),
            };
            (method, packed)
        };
        self.packed.find_or_add(|(known, _)| *known == method, make);
        first
    }

    /// It has been packed.
    pub(crate) fn set_packed(&self, method: Method, packed: Packed) {
        if let Some((_, place)) = self.packed.iter().find(|(known, _)| *known == method) {
            let _ = place.set(packed);
        }
    }

    /// Packs it by a method that needs no dictionary.
    pub(crate) fn pack(&self, method: Method) -> Packed {
        let packed = match method {
            Method::GlzAlone => self.glz_source().and_then(|source| {
                let encoded = Arc::new(encode_alone(&source).ok()?);
                Some(Packed::Glz(GlzPacked { number: 0, encoded }))
            }),
            Method::GlzZlib(lane) => self.pack_zlib(Method::Glz(lane)),
            Method::GlzAloneZlib => self.pack_zlib(Method::GlzAlone),
            _ => None,
        };
        packed.unwrap_or_else(|| Packed::Whole(pack(method, &self.bitmap)))
    }

    /// Packs once more what it was packed to with GLZ, if that makes it less.
    fn pack_zlib(&self, glz: Method) -> Option<Packed> {
        let Some(Packed::Glz(packed)) = self.packed(glz) else { return None };
        let zlib = ZlibBody::new(&packed.encoded.body).ok()?;
        let less = zlib.packed_len() + ZlibBody::OVERHEAD < packed.encoded.body.len();
        Some(if less { Packed::Zlib(zlib) } else { Packed::Glz(packed.clone()) })
    }

    /// Packs it with the dictionary, for which it is picture `number`.
    pub(crate) fn pack_glz(&self, dictionary: &mut Dictionary, number: u64) -> Packed {
        match self.glz_source().map(|source| dictionary.encode(&source, u32::MAX)) {
            Some(Ok(encoded)) => Packed::Glz(GlzPacked { number, encoded: Arc::new(encoded) }),
            _ => Packed::Whole(pack(Method::Lz, &self.bitmap)),
        }
    }

    /// Its pixels as they are.
    pub(crate) fn bare(&self) -> ImageData {
        pack(Method::Raw, &self.bitmap)
    }

    fn glz_source(&self) -> Option<GlzSource> {
        let bitmap = &self.bitmap;
        Some(GlzSource {
            format: GlzFormat::of_bitmap(bitmap.format())?,
            width: bitmap.width(),
            height: bitmap.height(),
            stride: bitmap.stride() as usize,
            top_down: bitmap.is_top_down(),
            data: bitmap.data().clone(),
        })
    }
}

/// A picture to be packed, and all that it takes: it may be done anywhere, at any time.
#[derive(Debug)]
pub struct EncodeJob {
    picture: Arc<Picture>,
    work: Work,
}

#[derive(Debug)]
enum Work {
    Pack(Method),
    Glz(GlzLane, Box<Dictionary>, u64),
}

/// A picture that has been packed.
#[derive(Debug)]
pub struct EncodeDone {
    pub(crate) picture: Arc<Picture>,
    pub(crate) method: Method,
    pub(crate) packed: Packed,
    pub(crate) dictionary: Option<Box<Dictionary>>,
}

impl EncodeJob {
    pub(crate) fn pack(picture: Arc<Picture>, method: Method) -> Self {
        Self { picture, work: Work::Pack(method) }
    }

    pub(crate) fn glz(
        picture: Arc<Picture>,
        lane: GlzLane,
        dictionary: Box<Dictionary>,
        number: u64,
    ) -> Self {
        Self { picture, work: Work::Glz(lane, dictionary, number) }
    }

    /// What stands for the picture where packing it comes to nothing, so that nobody waits for it for ever: its bare
    /// pixels. A dictionary is lost with the job, and begins anew.
    #[must_use]
    pub fn bare(&self) -> EncodeDone {
        let method = match self.work {
            Work::Pack(method) => method,
            Work::Glz(lane, ..) => Method::Glz(lane),
        };
        let packed = Packed::Whole(self.picture.bare());
        EncodeDone { picture: Arc::clone(&self.picture), method, packed, dictionary: None }
    }

    /// Packs the picture. It takes about a millisecond for each megabyte of pixels, with QUIC up to four.
    pub fn run(self) -> EncodeDone {
        let Self { picture, work } = self;
        match work {
            Work::Pack(method) => {
                let packed = picture.pack(method);
                EncodeDone { picture, method, packed, dictionary: None }
            }
            Work::Glz(lane, mut dictionary, number) => {
                let packed = picture.pack_glz(&mut dictionary, number);
                EncodeDone { picture, method: Method::Glz(lane), packed, dictionary: Some(dictionary) }
            }
        }
    }
}
