//! The codecs of pictures.

pub mod glz;
pub mod lz;
pub mod quic;
