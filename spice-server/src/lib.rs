//! A SPICE server: one desktop, many viewers. Every socket, thread and clock of the workspace is here.
//!
//! ```no_run
//! use spice_server::{Auth, Server, ServerConfig, guest::demo::DemoGuest};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let config = ServerConfig::new("127.0.0.1:5900".parse()?, Auth::Open);
//! let server = Server::bind(config, Box::new(DemoGuest::default())).await?;
//! println!("remote-viewer spice://{}", server.local_addrs()[0]);
//! server.run(async { drop(tokio::signal::ctrl_c().await) }).await;
//! # Ok(())
//! # }
//! ```
//!
//! Two owners hold all state, and everybody else sends them messages: `Reds`, a task, has the viewers,
//! their main and inputs channels and the policy; a thread for each guest has its display and cursor channels. A
//! connection is a task that reads and one that writes; it knows bytes, not meaning.

pub mod devices;
pub mod guest;

mod access;
mod audit;
mod clock;
mod config;
mod control;
mod displays;
mod events;
mod front;
mod io;
mod link;
mod migration;
mod quality;
mod reds;
mod server;
mod sound;
mod stats;
mod transport;
mod viewers;
mod worker;

pub use access::{
    AddTicketError, Auth, Credential, Credentials, Permissions, Role, Secret, SecretError, Ticket, TicketId,
    TicketInfo, UnknownPermission, UnknownRole, UserError, Users, UsersError, verifier,
};
pub use audit::{AuditEvent, AuditSink, REFUSALS_PER_SECOND};
pub use clock::wall_clock_offset;
pub use config::ServerConfig;
pub use control::Control;
pub use displays::AddDisplayError;
pub use events::{ChannelEvent, ChannelEventSink, ChannelInfo};
pub use link::{ChannelSecurity, ChannelSecurityError, KeyError, Security};
pub use migration::{MigrationEvent, MigrationSink, MigrationTarget};
pub use quality::Quality;
pub use server::{Server, StartError};
pub use sound::{AddSoundError, Playback, Record, SOUND_CHANNELS, SOUND_FRAMES, SOUND_RATE};
pub use spice_channel::ClientId;
pub use spice_display::{Compression, ViewerState, ViewerStats, WanCompression};
pub use spice_proto::{ChannelId, ChannelType};
pub use stats::Stats;
pub use transport::{
    Listen, ListenAt, ListenAtError, OwnSocket, Peer, ProxyRules, Tls, TlsError, TlsIdentity, Transport,
    TrustedNetwork, TrustedNetworkError, WebSocketRules,
};
pub use viewers::{Viewer, ViewerDisplay, Viewers};
