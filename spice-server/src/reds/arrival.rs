//! Viewers that come from another server, together with a desktop that moves here.
//!
//! ```text
//! main link that names the session there  ->  a session under that name, not greeted
//! other links                             ->  linked, and held
//! MigrateDstDoSeamless                    ->  MigrateDstSeamlessNack
//!            .. the desktop moves
//! MigrateEnd                              ->  Init, and each link goes to its channel
//! ```
//!
//! Such a viewer reads nothing of its channels before the desktop is here (spice-gtk throws it away), and begins anew
//! with each of them then.

use spice_channel::RedChannelClient;
use spice_proto::main::ServerMessage;

/// How far a viewer has come, as its main channel knows.
#[derive(Debug, Default)]
pub(super) struct ArrivalSeat {
    stage: Stage,
    /// It asks for what is not done here: to go on with its state of there.
    nack_due: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Here,
    Awaited,
    Arrived,
}

impl ArrivalSeat {
    pub(super) fn awaited() -> Self {
        Self { stage: Stage::Awaited, nack_due: false }
    }

    /// The desktop is here, and so is the viewer. False where it was here before.
    #[must_use]
    pub(super) fn handle_end(&mut self) -> bool {
        let awaited = self.stage == Stage::Awaited;
        if awaited {
            self.stage = Stage::Arrived;
        }
        awaited
    }

    pub(super) fn handle_seamless(&mut self) {
        self.nack_due = self.stage == Stage::Awaited;
    }

    /// Whether it has arrived since.
    pub(super) fn take_arrived(&mut self) -> bool {
        let arrived = self.stage == Stage::Arrived;
        if arrived {
            self.stage = Stage::Here;
        }
        arrived
    }

    /// Tells it what it can hear while it is elsewhere. Whether it may be told everything else, too.
    pub(super) fn poll(&mut self, red: &mut RedChannelClient) -> bool {
        if std::mem::take(&mut self.nack_due) {
            let nack = ServerMessage::MigrateDstSeamlessNack;
            red.send(nack.id(), &nack.encode());
        }
        self.stage == Stage::Here
    }
}
