//! The connections of viewers that are still at the server that they come from.

use spice_channel::{ChannelLink, ClientId, Time};
use spice_proto::{ChannelId, ChannelType, LinkError};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::linking::GOODBYE;
use super::{Reds, RedsEvent, Session};
use crate::io::Opening;
use crate::link::result;
use crate::transport::Stream;

/// The connections of a viewer that is still at the server that it comes from.
#[derive(Debug, Default)]
pub(super) struct Links(Vec<Held>);

/// A connection that is linked, and has no channel yet.
#[derive(Debug)]
pub(crate) struct Held {
    kind: ChannelType,
    channel: ChannelId,
    link: ChannelLink,
    /// None where the viewer did not hear that it is linked.
    stream: Option<Stream>,
}

impl Reds {
    /// Tells a viewer that its channel is linked, and keeps the connection until it is here.
    pub(super) fn hold(
        &self,
        id: ClientId,
        kind: ChannelType,
        channel: ChannelId,
        link: ChannelLink,
        mut stream: Stream,
    ) {
        let this = self.this.clone();
        tokio::spawn(async move {
            let greet = async {
                stream.write_all(&result(LinkError::OK)).await?;
                stream.flush().await
            };
            let greeted = matches!(timeout(GOODBYE, greet).await, Ok(Ok(())));
            let held = Held { kind, channel, link, stream: greeted.then_some(stream) };
            if let Some(this) = this.upgrade() {
                let _ = this.send(RedsEvent::Held(id, held));
            }
        });
    }

    /// A held connection's viewer knows that it is linked.
    pub(super) fn handle_held(&mut self, id: ClientId, held: Held, now: Time) {
        let Some(session) = self.clients.get_mut(&id) else { return };
        match &mut session.arrival {
            Some(Links(links)) if held.stream.is_some() => {
                // A channel that was taken away meanwhile may have come again, and its connection with it.
                links.retain(|before| (before.kind, before.channel) != (held.kind, held.channel));
                links.push(held);
            }
            _ => self.release(id, held, now),
        }
    }

    /// Viewers that were awaited are here.
    pub(super) fn handle_arrivals(&mut self, now: Time) {
        for id in self.main.take_arrived() {
            let links = self.clients.get_mut(&id).and_then(|session| session.arrival.take());
            tracing::info!("{id} has arrived");
            self.greet(id, now);
            for held in links.into_iter().flat_map(|Links(links)| links) {
                self.release(id, held, now);
            }
        }
    }

    /// Gives a held connection to its channel, if the viewer still has that.
    fn release(&mut self, id: ClientId, Held { kind, channel, link, stream }: Held, now: Time) {
        let has = |session: &Session| session.client.channels().any(|has| has == (kind, channel));
        if !self.clients.get(&id).is_some_and(has) {
            return;
        }
        match stream {
            Some(stream) => self.open(kind, channel, id, link, Opening { stream, greeting: Vec::new() }, now),
            None => self.detach(id, kind, channel),
        }
    }
}
