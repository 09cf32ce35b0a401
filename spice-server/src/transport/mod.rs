//! What a connection is made of between a socket and the link: PROXY headers, TLS, WebSocket.

#![cfg_attr(not(test), expect(dead_code, reason = "until the listeners are here"))]
#![expect(unused_imports, reason = "until the listeners are here")]

mod prefixed;
mod proxy;
mod tls;
mod websocket;

pub(crate) use prefixed::Prefixed;
pub use proxy::{ProxyError, ProxyRules, TrustedNetwork, TrustedNetworkError};
pub use tls::{Tls, TlsError, TlsIdentity};
pub use websocket::{UpgradeError, WebSocketRules};
pub(crate) use websocket::{WebSocket, accept as accept_websocket};
