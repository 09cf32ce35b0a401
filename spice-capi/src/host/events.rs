//! `channel_event`: what the host hears of connections.

use std::mem::zeroed;
use std::net::SocketAddr;

use libc::{AF_INET, AF_INET6, AF_UNIX, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_storage, socklen_t};
use spice_server::{ChannelEvent, ChannelInfo, Peer};

use super::Core;
use crate::abi::base::{
    EVENT_CONNECTED, EVENT_DISCONNECTED, EVENT_FLAG_ADDR_EXT, EVENT_FLAG_TLS, EVENT_INITIALIZED,
    SpiceChannelEventInfo,
};

/// The connections that the host knows. It knows them by the addresses of their structures, which are the same from the
/// first event to the last.
#[derive(Default)]
pub(crate) struct ChannelEvents {
    known: Vec<(ChannelInfo, Box<SpiceChannelEventInfo>)>,
}

impl ChannelEvents {
    /// How many connections of main channels there are: viewers, as the host counts them.
    pub(crate) fn handle(&mut self, core: &Core, event: ChannelEvent) {
        match event {
            ChannelEvent::Linked(channel) => {
                let mut info = Box::new(describe(&channel));
                let told: *mut SpiceChannelEventInfo = info.as_mut();
                self.known.push((channel, info));
                for event in [EVENT_CONNECTED, EVENT_INITIALIZED] {
                    // SAFETY: on the host's thread; the structure is kept until its end is told.
                    unsafe { core.channel_event(event, told) };
                }
            }
            ChannelEvent::Ended(channel) => {
                let Some(at) = self.known.iter().position(|known| known.0 == channel) else { return };
                let (_, mut info) = self.known.remove(at);
                // SAFETY: on the host's thread; the structure goes after the call.
                unsafe { core.channel_event(EVENT_DISCONNECTED, info.as_mut()) };
            }
        }
    }
}

fn describe(channel: &ChannelInfo) -> SpiceChannelEventInfo {
    // SAFETY: it is made of numbers, all of which may be 0.
    let mut info: SpiceChannelEventInfo = unsafe { zeroed() };
    info.connection_id = channel.connection.0.cast_signed();
    info.kind = channel.kind.0.into();
    info.id = channel.id.0.into();
    info.flags = EVENT_FLAG_ADDR_EXT | if channel.transport.is_secure() { EVENT_FLAG_TLS } else { 0 };
    let peer = match channel.peer {
        Peer::Ip(addr) => Some(addr),
        Peer::Unix { .. } => None,
    };
    (info.laddr_ext, info.llen_ext) = storage(channel.local);
    (info.paddr_ext, info.plen_ext) = storage(peer);
    (info.laddr, info.llen) = (short(&info.laddr_ext), short_len(info.llen_ext));
    (info.paddr, info.plen) = (short(&info.paddr_ext), short_len(info.plen_ext));
    info
}

/// As much of an address as the old field holds.
fn short(storage: &sockaddr_storage) -> sockaddr {
    // SAFETY: the larger structure begins as the smaller one does.
    unsafe { *std::ptr::from_ref(storage).cast::<sockaddr>() }
}

fn short_len(len: socklen_t) -> socklen_t {
    len.min(size_of::<sockaddr>() as socklen_t)
}

/// An address as the C library has it; one without is a Unix socket's.
fn storage(addr: Option<SocketAddr>) -> (sockaddr_storage, socklen_t) {
    // SAFETY: it is made of numbers, all of which may be 0.
    let mut storage: sockaddr_storage = unsafe { zeroed() };
    let len = match addr {
        Some(SocketAddr::V4(addr)) => {
            let to = std::ptr::from_mut(&mut storage).cast::<sockaddr_in>();
            // SAFETY: a sockaddr_storage holds any address, aligned for any.
            let to = unsafe { &mut *to };
            to.sin_family = AF_INET as u16;
            to.sin_port = addr.port().to_be();
            to.sin_addr.s_addr = u32::from_ne_bytes(addr.ip().octets());
            size_of::<sockaddr_in>()
        }
        Some(SocketAddr::V6(addr)) => {
            let to = std::ptr::from_mut(&mut storage).cast::<sockaddr_in6>();
            // SAFETY: a sockaddr_storage holds any address, aligned for any.
            let to = unsafe { &mut *to };
            to.sin6_family = AF_INET6 as u16;
            to.sin6_port = addr.port().to_be();
            to.sin6_addr.s6_addr = addr.ip().octets();
            to.sin6_scope_id = addr.scope_id();
            size_of::<sockaddr_in6>()
        }
        None => {
            storage.ss_family = AF_UNIX as u16;
            size_of::<libc::sa_family_t>()
        }
    };
    (storage, len as socklen_t)
}
