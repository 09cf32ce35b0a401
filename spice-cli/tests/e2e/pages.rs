//! A web server of a folder, as small as a browser puts up with.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::viewer::PATIENCE;

/// Serves until it is dropped.
#[derive(Debug)]
pub(crate) struct Pages {
    addr: SocketAddr,
    ended: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Folder {
    path: PathBuf,
    /// Files that are there instead of the folder's.
    own: Vec<(String, String)>,
}

impl Pages {
    /// Serves the files of a folder, and these files, by their names, in place of its own.
    pub(crate) fn serve(path: &Path, own: Vec<(String, String)>) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let addr = listener.local_addr().map_err(|error| error.to_string())?;
        let ended = Arc::new(AtomicBool::new(false));
        let folder = Arc::new(Folder { path: path.to_owned(), own });
        let end = Arc::clone(&ended);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if end.load(Ordering::SeqCst) {
                    break;
                }
                let folder = Arc::clone(&folder);
                // A browser opens connections that it may not use.
                thread::spawn(move || folder.answer(&stream));
            }
        });
        Ok(Self { addr, ended })
    }

    pub(crate) fn port(&self) -> u16 {
        self.addr.port()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.addr);
    }
}

impl Folder {
    /// Answers one request, and closes.
    fn answer(&self, stream: &TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut lines = BufReader::new(stream).lines();
        let first = lines.next().transpose()?.unwrap_or_default();
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        let target = first.strip_prefix("GET /").and_then(|rest| rest.split([' ', '?']).next());
        let (status, body) = match target.and_then(|name| Some((name, self.file(name)?))) {
            Some((_, body)) => ("200 OK", body),
            None => ("404 Not Found", Vec::new()),
        };
        let kind = match target.and_then(|name| name.rsplit('.').next()) {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript",
            Some("css") => "text/css",
            _ => "application/octet-stream",
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = stream;
        stream.write_all(head.as_bytes())?;
        stream.write_all(&body)
    }

    fn file(&self, name: &str) -> Option<Vec<u8>> {
        if let Some((_, text)) = self.own.iter().find(|(own, _)| own == name) {
            return Some(text.clone().into_bytes());
        }
        let name = Path::new(name);
        let inside = name.components().all(|component| matches!(component, Component::Normal(_)));
        if inside { fs::read(self.path.join(name)).ok() } else { None }
    }
}
