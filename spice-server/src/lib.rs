//! A SPICE server: one desktop, many viewers. Every socket, thread and clock of the workspace is here.
//!
//! ```no_run
//! use spice_server::{Auth, Server, ServerConfig, guest::demo::DemoGuest};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = ServerConfig::new("127.0.0.1:5900".parse()?, Auth::Open);
//! let server = Server::bind(config, Box::new(DemoGuest::default())).await?;
//! println!("remote-viewer spice://{}", server.local_addr());
//! server.run(async { drop(tokio::signal::ctrl_c().await) }).await;
//! # Ok(())
//! # }
//! ```
//!
//! Two owners hold all state, and everybody else sends them messages: `Reds`, a task, has the viewers,
//! their main and inputs channels and the policy; a thread for each guest has its display and cursor channels. A
//! connection is a task that reads and one that writes; it knows bytes, not meaning.

#[cfg_attr(not(test), expect(dead_code, reason = "the links are not wired to it yet"))]
#[expect(unused_imports, reason = "the links are not wired to it yet")]
pub mod access;
pub mod guest;

mod clock;
mod config;
mod io;
mod link;
mod reds;
mod server;
mod stats;
mod transport;
mod viewers;
mod worker;

pub use clock::wall_clock_offset;
pub use config::{Auth, ServerConfig, Ticket, TicketError};
pub use link::KeyError;
pub use server::{Server, StartError};
pub use spice_channel::ClientId;
pub use spice_display::{ViewerState, ViewerStats};
pub use spice_proto::{ChannelId, ChannelType};
pub use stats::Stats;
pub use transport::{
    ProxyError, ProxyRules, Tls, TlsError, TlsIdentity, TrustedNetwork, TrustedNetworkError, UpgradeError,
    WebSocketRules,
};
pub use viewers::{Viewer, ViewerDisplay, Viewers};
