//! Files with secrets in them: only their owner may read them, and what they say is wiped when it is not needed any more.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use zeroize::Zeroizing;

/// The largest file that is read.
const MOST: u64 = 1 << 20;

/// What stands for standard input.
const STDIN: &str = "-";

/// Whether this is standard input, and no file.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == STDIN
}

/// What messages call it.
pub(crate) fn name(path: &Path) -> String {
    if is_stdin(path) { "standard input".into() } else { path.display().to_string() }
}

/// Reads a file that its group and others may not read or write, or standard input to its end. `what` is what messages
/// call it, as in `ticket file`.
pub(crate) fn read(what: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    if is_stdin(path) {
        return read_all(what, path, io::stdin().lock());
    }
    let failed = |error: io::Error| format!("cannot read {what} {}: {error}", path.display());
    let file = File::open(path).map_err(failed)?;
    // Of the file that is open: its name may be another's by now.
    let found = file.metadata().map_err(failed)?;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 != 0 && !found.is_dir() {
        let path = path.display();
        return Err(format!(
            "{what} {path} is open to others than its owner (mode {mode:04o}): chmod 600 {path}"
        ));
    }
    read_all(what, path, file)
}

fn read_all(what: &str, path: &Path, from: impl Read) -> Result<Zeroizing<Vec<u8>>, String> {
    // One that grows while it is read leaves what it had where nobody wipes it.
    let mut content = Zeroizing::new(Vec::with_capacity(MOST as usize + 1));
    let read = from.take(MOST + 1).read_to_end(&mut content);
    read.map_err(|error| format!("cannot read {what} {}: {error}", name(path)))?;
    if content.len() as u64 > MOST {
        return Err(format!("{what} {} is larger than {} KiB", name(path), MOST >> 10));
    }
    Ok(content)
}

/// The first line, without its end.
pub(crate) fn first_line(content: &[u8]) -> &[u8] {
    let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The same content as text.
pub(crate) fn text<'c>(what: &str, path: &Path, content: &'c [u8]) -> Result<&'c str, String> {
    std::str::from_utf8(content).map_err(|error| {
        let line = content.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count() + 1;
        format!("{what} {}: line {line} is no UTF-8", name(path))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs::{self, Permissions};
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A file that is gone when it is dropped.
    pub(crate) struct Scratch(pub(crate) PathBuf);

    impl Scratch {
        pub(crate) fn new(content: &[u8], mode: u32) -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("spice-cli-{}-{number}", std::process::id()));
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            Self(path)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    #[test]
    fn a_file_that_others_may_read_is_refused_with_what_to_do() {
        for mode in [0o600, 0o400, 0o700] {
            let file = Scratch::new(b"secret\n", mode);
            assert_eq!(read("ticket file", &file.0).unwrap().as_slice(), b"secret\n", "{mode:o}");
        }
        for mode in [0o644, 0o640, 0o604, 0o660, 0o602, 0o610] {
            let file = Scratch::new(b"secret\n", mode);
            let said = read("ticket file", &file.0).unwrap_err();
            let path = file.0.display();
            assert!(said.contains(&format!("chmod 600 {path}")) && !said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn what_is_too_large_or_cannot_be_read_is_told() {
        let file = Scratch::new(&vec![b'x'; MOST as usize + 1], 0o600);
        assert!(read("ticket file", &file.0).unwrap_err().contains("larger than 1024 KiB"));
        assert!(read("ticket file", &file.0.with_extension("not")).unwrap_err().contains("No such file"));
        assert!(read("ticket file", Path::new("/")).unwrap_err().contains("directory"));
    }

    #[test]
    fn a_line_ends_as_on_either_kind_of_machine() {
        for content in [&b"secret"[..], b"secret\n", b"secret\r\n", b"secret\nmore\n"] {
            assert_eq!(first_line(content), b"secret");
        }
        assert_eq!(first_line(b"\nsecret"), b"");
        assert_eq!(first_line(b""), b"");
    }
}
