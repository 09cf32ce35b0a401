//! Where connections come in, until they are linked or gone.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::link::{Acceptor, Linking};
use crate::reds::{RedsEvent, RedsHandle};
use crate::transport::Incoming;

/// What every connection passes on its way to the viewers' owner.
#[derive(Debug)]
pub(crate) struct Front {
    pub(crate) acceptor: Arc<Acceptor>,
    pub(crate) linking: Arc<Linking>,
    pub(crate) reds: RedsHandle,
    /// Where the server's tasks run.
    pub(crate) runtime: Handle,
    /// How long a viewer may take nothing.
    pub(crate) viewer_timeout: Duration,
}

impl Front {
    /// Lets a connection link, in a task of its own.
    pub(crate) fn receive(&self, incoming: Incoming) {
        let (acceptor, reds) = (Arc::clone(&self.acceptor), self.reds.clone());
        self.linking.start(incoming.peer.origin(), |place| {
            let link = async move {
                if let Some(linked) = acceptor.link(incoming, place).await {
                    let _ = reds.send(RedsEvent::Linked(linked));
                }
            };
            self.runtime.spawn(link).abort_handle()
        });
    }
}
