//! The tunnel channel, of which only the numbers are left.
//!
//! It carried TCP connections between the guest and printers or other services near the viewer. Its messages are in
//! the first releases of the protocol only: `spice.proto` has a channel without any, no server offers it, and no
//! viewer asks for it. The numbers have names here so that a proxy or a recorder can tell what an old one is.

use crate::open_enum;

open_enum! {
    /// From the server (`SPICE_MSG_TUNNEL_*`).
    pub enum ServerMessageId: u16 {
        /// How many connections there may be, and how much each piece may carry.
        INIT = 101,
        /// The guest's address for a service.
        SERVICE_IP_MAP = 102,
        /// The guest connects to a service.
        SOCKET_OPEN = 103,
        /// The guest sends no more on a connection.
        SOCKET_FIN = 104,
        /// The guest has closed a connection.
        SOCKET_CLOSE = 105,
        /// A piece of a connection's stream.
        SOCKET_DATA = 106,
        /// It is known that the viewer has closed a connection.
        SOCKET_CLOSED_ACK = 107,
        /// The viewer may send this many more pieces on a connection.
        SOCKET_TOKEN = 108,
    }
}

open_enum! {
    /// From the viewer (`SPICE_MSGC_TUNNEL_*`).
    pub enum ClientMessageId: u16 {
        /// There is a service.
        SERVICE_ADD = 101,
        /// There is a service no longer.
        SERVICE_REMOVE = 102,
        /// A connection to a service is made.
        SOCKET_OPEN_ACK = 103,
        /// A connection to a service cannot be made.
        SOCKET_OPEN_NACK = 104,
        /// The service sends no more on a connection.
        SOCKET_FIN = 105,
        /// The service has closed a connection.
        SOCKET_CLOSED = 106,
        /// It is known that the guest has closed a connection.
        SOCKET_CLOSED_ACK = 107,
        /// A piece of a connection's stream.
        SOCKET_DATA = 108,
        /// The server may send this many more pieces on a connection.
        SOCKET_TOKEN = 109,
    }
}
