//! Files with recordings, compressed or not.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use lzma_rust2::XzReader;

use super::ReplayError;

/// The decompressed bytes of a file.
pub type Source = Box<dyn BufRead + Send>;

const ZSTD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const XZ: &[u8] = &[0xfd, b'7', b'z', b'X', b'Z', 0];
/// The largest window of a zstd stream, as a power of two.
const ZSTD_WINDOW_LOG: u32 = 27;
/// How much an xz stream may need, in KiB.
const XZ_MEMORY: u32 = 256 << 10;
const BUFFER: usize = 128 << 10;

/// Opens a file that is plain or compressed with xz or zstd, which its first bytes tell.
///
/// Decompression takes no more than 256 MiB; a stream that needs more fails when it is read.
///
/// # Errors
/// When the file cannot be opened, or not even its beginning be read.
pub fn open(path: &Path) -> Result<Source, ReplayError> {
    decompressed(path).map_err(|error| ReplayError::Open { path: path.to_owned(), error })
}

fn decompressed(path: &Path) -> io::Result<Source> {
    let mut file = BufReader::with_capacity(BUFFER, File::open(path)?);
    let start = file.fill_buf()?;
    if start.starts_with(ZSTD) {
        let mut stream = zstd::Decoder::with_buffer(file)?;
        stream.window_log_max(ZSTD_WINDOW_LOG)?;
        return Ok(Box::new(BufReader::with_capacity(BUFFER, stream)));
    }
    if start.starts_with(XZ) {
        let stream = XzReader::new_mem_limit(file, true, XZ_MEMORY);
        return Ok(Box::new(BufReader::with_capacity(BUFFER, stream)));
    }
    Ok(Box::new(file))
}
