//! The codecs of pictures.

pub mod quic;
