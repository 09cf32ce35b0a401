//! Who is here, for the owner of the server.
//!
//! Nobody keeps a list of it: a question goes to the owner of the viewers and from there to that of their displays, which
//! answers. So what is told is of one moment of each, no lock is needed, and a server that nobody asks does nothing.

use std::fmt::Debug;
use std::time::Duration;

use spice_channel::{ClientId, Time};
use spice_display::{DisplayChannel, ViewerStats};
use spice_proto::{ChannelId, ChannelType};
use tokio::sync::mpsc::WeakUnboundedSender;
use tokio::sync::oneshot;

use crate::access::{Credential, Permissions, Role};
use crate::reds::{RedsEvent, RedsHandle};
use crate::transport::{Peer, Transport};

/// One viewer of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// The server's own name for it; never used again.
    pub id: ClientId,
    /// Where its main channel comes from.
    pub peer: Peer,
    /// What its main channel is wrapped in.
    pub transport: Transport,
    /// By what it was let in.
    pub credential: Credential,
    /// Its role.
    pub role: Role,
    /// What it may do in that role.
    pub permissions: Permissions,
    /// How long it has been here.
    pub connected: Duration,
    /// The channels that it has linked, in the order of type and id.
    pub channels: Vec<(ChannelType, ChannelId)>,
    /// How it fares on the displays that it has linked, in the order of their ids.
    pub displays: Vec<ViewerDisplay>,
}

/// A display of a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewerDisplay {
    /// Which.
    pub id: ChannelId,
    /// How the viewer fares there.
    pub stats: ViewerStats,
}

/// Tells who is here. It does not keep the server running.
#[derive(Clone, Debug)]
pub struct Viewers {
    reds: WeakUnboundedSender<RedsEvent>,
}

impl Viewers {
    pub(crate) fn new(reds: &RedsHandle) -> Self {
        Self { reds: reds.downgrade() }
    }

    /// The viewers that are here now, in the order in which they came; none when the server has ended.
    ///
    /// It costs the server a few additions for each viewer, between two commands of the guest.
    pub async fn list(&self) -> Option<Vec<Viewer>> {
        let (reply, answer) = oneshot::channel();
        self.reds.upgrade()?.send(RedsEvent::Viewers(reply)).ok()?;
        answer.await.ok()
    }
}

/// Where an answer goes.
pub(crate) type Reply = oneshot::Sender<Vec<Viewer>>;

/// Who has a display, and adds to the roll how its viewers fare.
pub(crate) trait HasDisplay: Debug + Send {
    /// Hands it the roll, to be passed on from there; gives it back where the display is gone.
    fn call(&self, roll: Roll) -> Result<(), Roll>;
}

/// A list that still lacks how the viewers fare.
#[derive(Debug)]
pub(crate) struct Roll {
    viewers: Vec<Viewer>,
    /// Whose displays are still to be asked, the next one last.
    displays: Vec<Box<dyn HasDisplay>>,
    reply: Reply,
}

impl Roll {
    /// `viewers` and `displays` are in the order of their ids.
    pub(crate) fn new(viewers: Vec<Viewer>, mut displays: Vec<Box<dyn HasDisplay>>, reply: Reply) -> Self {
        displays.reverse();
        Self { viewers, displays, reply }
    }

    /// Asks the next display; after the last, answers.
    pub(crate) fn send(mut self) {
        while let Some(display) = self.displays.pop() {
            // A display that is gone is left out.
            match display.call(self) {
                Ok(()) => return,
                Err(unsent) => self = unsent,
            }
        }
        let _ = self.reply.send(self.viewers);
    }

    /// Adds how they fare on a display, and goes on to the next.
    pub(crate) fn pass_on(mut self, display: &DisplayChannel, now: Time) {
        for (id, stats) in display.viewer_stats(now) {
            if let Ok(at) = self.viewers.binary_search_by_key(&id, |viewer| viewer.id)
                && let Some(viewer) = self.viewers.get_mut(at)
            {
                viewer.displays.push(ViewerDisplay { id: display.id(), stats });
            }
        }
        self.send();
    }
}
