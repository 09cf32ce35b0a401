//! From a request to a WebSocket, or to an answer that says why not (RFC 6455, section 4.2).

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::handshake::machine::TryParse;
use tokio_tungstenite::tungstenite::handshake::server::{Request, create_response, write_response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::{HOST, ORIGIN, SEC_WEBSOCKET_PROTOCOL};

use super::{WebSocket, WebSocketRules};

/// Bytes that a request may have, up to and with the empty line.
const MAX_HEAD: usize = 8 << 10;

/// The subprotocol of SPICE in WebSockets, which spice-html5 asks for.
const SUBPROTOCOL: &str = "binary";

/// Bytes that are read and dropped of who was refused, so that what it still sends does not reset the connection
/// before it has read the answer.
const GOODBYE: usize = 64 << 10;

/// To what a client that asked for something else could upgrade.
const UPGRADE: &str = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";

/// Why a connection that speaks HTTP is no WebSocket. The peer has been told, with the status that is named.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum UpgradeError {
    /// The connection broke, or ended within the request.
    #[error("the WebSocket request is not whole: {0}")]
    Io(#[from] io::Error),
    /// 400.
    #[error("bad WebSocket request: {0}")]
    BadRequest(String),
    /// 403: called by a name that is not listed.
    #[error(
        "the WebSocket request calls this server {host:?}, which is no address, nor localhost, nor listed"
    )]
    Host {
        /// The name, with its port.
        host: String,
    },
    /// 403: from a page that may not.
    #[error("the WebSocket request comes from a page of {origin:?}, which is not {host:?}, nor listed")]
    Origin {
        /// Where the page is from.
        origin: String,
        /// What it calls this server.
        host: String,
    },
    /// 426: a request for something else.
    #[error("the HTTP request asks for no WebSocket of version 13")]
    NotAnUpgrade,
    /// 431.
    #[error("the WebSocket request has more than {MAX_HEAD} bytes")]
    TooLong,
}

impl UpgradeError {
    /// What the peer is told: a status line and a sentence, and nothing that it sent itself.
    fn answer(&self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Io(_) => return None,
            Self::BadRequest(_) => ("400 Bad Request", "This WebSocket request makes no sense."),
            Self::Host { .. } => {
                ("403 Forbidden", "This server may not be called by that name; its operator can list it.")
            }
            Self::Origin { .. } => {
                ("403 Forbidden", "Pages from there may not connect; the server's operator can list them.")
            }
            Self::NotAnUpgrade => {
                ("426 Upgrade Required", "This is a SPICE server; it speaks WebSocket, and serves no pages.")
            }
            Self::TooLong => ("431 Request Header Fields Too Large", "This request is too long."),
        })
    }
}

/// Reads a request and answers it. The path may be any. Takes as long as the peer does: the caller has the deadline.
///
/// # Errors
/// See [`UpgradeError`]. The peer was told, and the stream closed.
pub(crate) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    rules: &WebSocketRules,
) -> Result<WebSocket<S>, UpgradeError> {
    let response = match read_head(&mut stream).await {
        Ok(head) => respond(&head, rules),
        Err(error) => Err(error),
    };
    match response {
        Ok(response) => {
            stream.write_all(&response).await?;
            stream.flush().await?;
            Ok(WebSocket::new(stream).await)
        }
        Err(error) => {
            if let Some((status, sentence)) = error.answer() {
                // Whether it hears that changes nothing.
                let upgrade = matches!(error, UpgradeError::NotAnUpgrade);
                let _ = refuse(&mut stream, status, upgrade, sentence).await;
            }
            Err(error)
        }
    }
}

/// Reads up to the empty line. A client waits for the answer before it sends more (section 4.1).
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, UpgradeError> {
    const END: &[u8] = b"\r\n\r\n";
    let mut head = Vec::with_capacity(1024);
    loop {
        // A byte more than there may be, so that a head of just that length is told from a longer one.
        let room = (MAX_HEAD + 1).saturating_sub(head.len());
        let before = head.len();
        if stream.take(room as u64).read_buf(&mut head).await? == 0 {
            return Err(match room {
                0 => UpgradeError::TooLong,
                _ => io::Error::from(io::ErrorKind::UnexpectedEof).into(),
            });
        }
        let from = before.saturating_sub(END.len() - 1);
        let end = head[from..].windows(END.len()).position(|window| window == END);
        match end.map(|at| from + at + END.len()) {
            Some(end) if end > MAX_HEAD => return Err(UpgradeError::TooLong),
            Some(end) if end < head.len() => {
                return Err(UpgradeError::BadRequest("there are bytes after the request".into()));
            }
            Some(_) => return Ok(head),
            None => {}
        }
    }
}

/// The answer to a request that may become a WebSocket.
fn respond(head: &[u8], rules: &WebSocketRules) -> Result<Vec<u8>, UpgradeError> {
    let bad = |what: &str| UpgradeError::BadRequest(what.into());
    let request = match Request::try_parse(head) {
        Ok(Some((_, request))) => request,
        Ok(None) => return Err(bad("it is not whole")),
        Err(error) => return Err(refusal(&error)),
    };
    // An absolute address would be meant instead of `Host`.
    if !request.uri().to_string().starts_with('/') {
        return Err(bad("its path does not begin with a slash"));
    }
    let mut response = create_response(&request).map_err(|error| refusal(&error))?;

    let host = only(&request, HOST.as_str())?.ok_or_else(|| bad("it has no Host"))?;
    match rules.host_allowed(host) {
        Some(true) => {}
        Some(false) => return Err(UpgradeError::Host { host: host.into() }),
        None => return Err(bad("its Host is none")),
    }
    let origin = only(&request, ORIGIN.as_str())?;
    if !rules.origin_allowed(origin, host) {
        let origin = origin.unwrap_or_default().into();
        return Err(UpgradeError::Origin { origin, host: host.into() });
    }

    let mut asked = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL).iter().peekable();
    if asked.peek().is_some() {
        let is_ours = |list: &HeaderValue| {
            list.to_str().is_ok_and(|list| list.split(',').any(|name| name.trim() == SUBPROTOCOL))
        };
        if !asked.any(is_ours) {
            return Err(bad("it asks for subprotocols, and \"binary\" is not among them"));
        }
        response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL));
    }
    let mut out = Vec::new();
    write_response(&mut out, &response).map_err(|error| UpgradeError::BadRequest(error.to_string()))?;
    Ok(out)
}

/// What is wrong with a request, by what the library says of it.
fn refusal(error: &Error) -> UpgradeError {
    match error {
        Error::Protocol(
            ProtocolError::WrongHttpMethod
            | ProtocolError::WrongHttpVersion
            | ProtocolError::MissingConnectionUpgradeHeader
            | ProtocolError::MissingUpgradeWebSocketHeader
            | ProtocolError::MissingSecWebSocketVersionHeader,
        ) => UpgradeError::NotAnUpgrade,
        error => UpgradeError::BadRequest(error.to_string()),
    }
}

/// The value of a header that may be there once, in visible ASCII.
fn only<'r>(request: &'r Request, name: &str) -> Result<Option<&'r str>, UpgradeError> {
    let mut values = request.headers().get_all(name).iter();
    let value = values.next();
    if values.next().is_some() {
        return Err(UpgradeError::BadRequest(format!("it has more than one {name}")));
    }
    let text = value.map(HeaderValue::to_str).transpose();
    text.map_err(|_| UpgradeError::BadRequest(format!("its {name} is no text")))
}

async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    status: &str,
    upgrade: bool,
    sentence: &str,
) -> io::Result<()> {
    let (len, upgrade) = (sentence.len() + 1, if upgrade { UPGRADE } else { "" });
    let answer = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\n{upgrade}Content-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {len}\r\n\r\n{sentence}\n"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    let mut ignored = [0; 1024];
    let mut rest = stream.take(GOODBYE as u64);
    while rest.read(&mut ignored).await? > 0 {}
    Ok(())
}
