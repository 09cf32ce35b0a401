//! The codecs of pictures.

pub mod glz;
pub mod lz;
#[cfg(test)]
mod made;
pub mod quic;
