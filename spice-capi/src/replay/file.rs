//! The host's file.

use std::io::{self, Read};

use libc::FILE;

/// A `FILE` of the host, read with its own buffer. It is not closed.
#[derive(Debug)]
pub(super) struct HostFile {
    file: *mut FILE,
}

// SAFETY: stdio locks a file for each call.
unsafe impl Send for HostFile {}

impl HostFile {
    /// # Safety
    /// The file is open for reading until this is dropped.
    pub(super) const unsafe fn new(file: *mut FILE) -> Self {
        Self { file }
    }
}

impl Read for HostFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // SAFETY: the file is open by the contract of `new`, and `into` has room for so many bytes.
        let read = unsafe { libc::fread(into.as_mut_ptr().cast(), 1, into.len(), self.file) };
        if read == into.len() {
            return Ok(read);
        }
        let error = io::Error::last_os_error();
        // SAFETY: as above.
        if unsafe { libc::ferror(self.file) } == 0 {
            return Ok(read);
        }
        if error.kind() == io::ErrorKind::Interrupted {
            // SAFETY: as above.
            unsafe { libc::clearerr(self.file) };
        }
        // What was read before an error comes first; one that stays comes again.
        if read > 0 { Ok(read) } else { Err(error) }
    }
}
