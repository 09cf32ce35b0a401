//! Requests to who administers a server.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::viewer::PATIENCE;

/// A server's admin socket.
#[derive(Clone, Debug)]
pub(crate) struct Admin(PathBuf);

impl Admin {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The status and the body that a request gets.
    pub(crate) fn text(&self, method: &str, path: &str, body: &str) -> Result<(u16, String), String> {
        let stream = UnixStream::connect(&self.0).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
        let len = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len}"
        );
        exchange(stream, &head, body)
    }

    /// The body of a request that has to succeed; null where there is none.
    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> Result<Value, String> {
        let (status, text) = self.text(method, path, body)?;
        if !(200..300).contains(&status) {
            return Err(format!("{method} {path}: {status} {text}"));
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|error| format!("{method} {path}: {error}: {text}"))
    }

    /// Fails unless a request is answered with this status and an error in words.
    pub(crate) fn refuses(&self, method: &str, path: &str, body: &str, expected: u16) -> Result<(), String> {
        let (status, text) = self.text(method, path, body)?;
        let error =
            serde_json::from_str::<Value>(&text).ok().and_then(|it| Some(it["error"].as_str()?.len()));
        if status == expected && error.is_some_and(|len| len > 0) {
            Ok(())
        } else {
            Err(format!("{method} {path} {body}: {status} {text}, and no {expected}"))
        }
    }
}

/// The status of a request over TCP, by the lines of its head.
pub(crate) fn status(addr: SocketAddr, head: &str) -> Result<u16, String> {
    let stream = TcpStream::connect_timeout(&addr, PATIENCE).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    exchange(stream, head, "").map(|(status, _)| status)
}

fn exchange(mut stream: impl Read + Write, head: &str, body: &str) -> Result<(u16, String), String> {
    let request = format!("{head}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    let parts = answer.split_once("\r\n\r\n");
    let (head, body) = parts.ok_or_else(|| format!("no answer: {answer:?}"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.ok_or_else(|| format!("no status: {head}"))?, body.to_owned()))
}
