//! How connections come in, and what they are wrapped in, until only SPICE is left.

mod listen;
mod open;
mod own_socket;
mod peer;
mod prefixed;
mod proxy;
mod stream;
mod tls;
mod websocket;

pub(crate) use listen::{Incoming, Listener, Opened};
pub use listen::{Listen, ListenAt, ListenAtError};
pub(crate) use open::{FIRST, OpenError, Opener, Spice};
pub use own_socket::OwnSocket;
pub use peer::{Peer, Transport};
pub(crate) use prefixed::Prefixed;
pub use proxy::{ProxyRules, TrustedNetwork, TrustedNetworkError};
pub(crate) use stream::Stream;
pub use tls::{Tls, TlsError, TlsIdentity};
pub use websocket::WebSocketRules;
