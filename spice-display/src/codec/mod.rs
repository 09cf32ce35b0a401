//! The codecs of pictures.

pub mod glz;
pub mod jpeg;
pub mod lz;
#[cfg(test)]
mod made;
pub mod quic;
pub mod zlib;
