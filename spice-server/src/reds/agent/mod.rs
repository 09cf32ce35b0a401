//! The guest's agent, and the one viewer that has it.
//!
//! Viewers and the agent speak past the server, each in one stream of messages; two viewers in one stream would be read
//! as one. So one viewer has the agent, the first that may, until it leaves; then the next one.

mod filter;
mod from_guest;
mod mouse;
mod scanner;
#[cfg(test)]
mod tests;
mod to_guest;
mod viewer;

use bytes::Bytes;
use spice_channel::{ChannelError, ClientId, RedChannelClient, Time};
use spice_proto::DecodeError;

use self::from_guest::FromGuest;
use self::to_guest::{Credit, ToGuest};
pub(crate) use self::viewer::{AgentSeat, WINDOW};
use crate::devices::{AgentEvent, AgentPolicy, AgentWrite, NewAgent};
use crate::guest::GuestInput;

/// The agent that is attached, if one is, and its owner.
#[derive(Debug, Default)]
pub(crate) struct Agent {
    attached: Option<Attached>,
    owner: Option<Owner>,
    /// Counts the owners; never used again.
    sessions: u64,
    /// Since when the agent waits for an owner that takes nothing.
    waits_since: Option<Time>,
}

#[derive(Debug)]
struct Attached {
    agent: NewAgent,
    to_guest: ToGuest,
    from_guest: FromGuest,
    /// It does not speak the protocol.
    failed: bool,
}

/// The viewer that has the agent.
#[derive(Clone, Copy, Debug)]
struct Owner {
    client: ClientId,
    session: u64,
    /// It takes part.
    started: bool,
}

/// Whose pieces go nowhere, of which session: they may send as many others.
pub(crate) type Returned = Vec<(ClientId, u64)>;

fn viewers(credits: impl Iterator<Item = Credit>) -> Returned {
    let viewer = |credit| match credit {
        Credit::Viewer(client, session) => Some((client, session)),
        Credit::Server | Credit::Pointer => None,
    };
    credits.filter_map(viewer).collect()
}

impl Agent {
    pub(crate) fn attach(&mut self, agent: NewAgent) {
        self.owner = None;
        let (to_guest, from_guest) = (ToGuest::default(), FromGuest::default());
        self.attached = Some(Attached { agent, to_guest, from_guest, failed: false });
    }

    /// The agent is gone; answers whose pieces went with it.
    pub(crate) fn detach(&mut self) -> Returned {
        self.owner = None;
        self.waits_since = None;
        let gone = self.attached.take();
        gone.map_or_else(Vec::new, |mut gone| {
            viewers(gone.to_guest.cut().chain(gone.to_guest.handle_taken(0)))
        })
    }

    pub(crate) fn set_policy(&mut self, policy: AgentPolicy) {
        if let Some(attached) = &mut self.attached {
            attached.agent.policy = policy;
        }
    }

    /// Whether the agent moves the pointer.
    pub(crate) fn moves_pointer(&self) -> bool {
        self.attached.as_ref().is_some_and(|attached| attached.agent.policy.mouse && !attached.failed)
    }

    /// Takes what a viewer did with its mouse, where the agent moves the pointer.
    pub(crate) fn take_input(&mut self, input: &GuestInput) -> bool {
        self.moves_pointer()
            && self.attached.as_mut().is_some_and(|attached| attached.to_guest.pointer.take(input))
    }

    /// Of these viewers, which may have the agent, the first gets it, unless one has it already. Answers whose pieces
    /// were dropped with an owner that is not among them.
    pub(crate) fn elect(&mut self, may: &[ClientId]) -> Returned {
        let mut returned = Vec::new();
        let Some(attached) = self.attached.as_mut().filter(|attached| !attached.failed) else {
            self.owner = None;
            return returned;
        };
        if self.owner.is_some_and(|owner| may.contains(&owner.client)) {
            return returned;
        }
        if self.owner.take().is_some_and(|owner| owner.started) {
            returned = viewers(attached.to_guest.cut());
        }
        self.waits_since = None;
        self.owner = may.first().map(|&client| {
            self.sessions += 1;
            Owner { client, session: self.sessions, started: false }
        });
        returned
    }

    /// The session in which this viewer has the agent.
    pub(crate) fn session(&self, client: ClientId) -> Option<u64> {
        self.owner.filter(|owner| owner.client == client).map(|owner| owner.session)
    }

    /// The owner, if it is this viewer and knows so.
    fn owner_mut(&mut self, client: ClientId, seat: &AgentSeat) -> Option<&mut Owner> {
        self.owner.as_mut().filter(|owner| owner.client == client && seat.knows(owner.session))
    }

    /// The session in which this viewer takes part.
    fn takes_part(&self, client: ClientId, seat: &AgentSeat) -> Option<u64> {
        let owner = self.owner.filter(|owner| owner.client == client && owner.started)?;
        seat.knows(owner.session).then_some(owner.session)
    }

    /// A viewer takes part from now on. One that does so twice begins anew.
    pub(crate) fn handle_start(&mut self, client: ClientId, seat: &mut AgentSeat, takes: u32) {
        let Some(owner) = self.owner_mut(client, seat) else { return };
        let session = owner.session;
        let again = std::mem::replace(&mut owner.started, true);
        if again && let Some(attached) = &mut self.attached {
            attached.to_guest.cut().for_each(|_| seat.give_back(session));
        }
        seat.start(takes);
    }

    /// A viewer takes more pieces.
    pub(crate) fn handle_tokens(&mut self, client: ClientId, seat: &mut AgentSeat, takes: u32) {
        if self.takes_part(client, seat).is_some() {
            seat.add(takes);
        }
    }

    /// A viewer sends a piece of its stream.
    ///
    /// # Errors
    /// One that it has no token for; what is not the agent's protocol.
    pub(crate) fn handle_piece(
        &mut self,
        client: ClientId,
        seat: &mut AgentSeat,
        piece: Bytes,
    ) -> Result<(), ChannelError> {
        let Some(session) = self.takes_part(client, seat) else {
            seat.drop_piece();
            return Ok(());
        };
        seat.take_piece()?;
        let Some(Attached { to_guest, agent, .. }) = &mut self.attached else { return Ok(()) };
        if !to_guest.handle_piece(piece, Credit::Viewer(client, session), &agent.policy)? {
            seat.give_back(session);
        }
        Ok(())
    }

    /// Has the device and the host catch up; answers whose pieces the device has taken.
    pub(crate) fn poll(&mut self) -> Returned {
        let Some(Attached { agent, to_guest, .. }) = &mut self.attached else { return Vec::new() };
        agent.port.mailbox.bell.answer();
        let returned = viewers(to_guest.handle_taken(agent.port.writes()));
        while let Some(bytes) = to_guest.poll_write() {
            agent.sink.tell(AgentEvent::Write(AgentWrite::new(bytes, &agent.port)));
        }
        if !self.owner.is_some_and(|owner| owner.started) {
            let read = self.read(None);
            self.settle(read);
        }
        self.tell_room();
        returned
    }

    fn read(&mut self, session: Option<u64>) -> Result<Option<Bytes>, DecodeError> {
        match &mut self.attached {
            Some(Attached { agent, from_guest, failed: false, .. }) => {
                from_guest.poll(&agent.port.mailbox, &agent.policy, session)
            }
            Some(Attached { agent, .. }) => {
                while agent.port.mailbox.pop().is_some() {}
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// An agent that says what means nothing is one that is gone.
    fn settle(&mut self, read: Result<Option<Bytes>, DecodeError>) -> Option<Bytes> {
        match read {
            Ok(piece) => piece,
            Err(error) => {
                tracing::warn!("the guest's agent is lost: {error}");
                self.owner = None;
                if let Some(attached) = &mut self.attached {
                    attached.failed = true;
                    // Every viewer is to be told, whoever is being looked after now.
                    attached.agent.port.mailbox.bell.ring();
                    attached.agent.sink.tell(AgentEvent::Failed);
                }
                None
            }
        }
    }

    fn tell_room(&self) {
        if let Some(Attached { agent, .. }) = &self.attached
            && agent.port.mailbox.take_room()
        {
            agent.sink.tell(AgentEvent::Room);
        }
    }

    /// Tells a viewer what it is to know, and gives it what the agent says, as far as it takes it.
    pub(crate) fn poll_viewer(
        &mut self,
        client: ClientId,
        seat: &mut AgentSeat,
        red: &mut RedChannelClient,
        now: Time,
    ) {
        seat.poll(self.session(client), red);
        let Some(session) = self.takes_part(client, seat) else { return };
        while seat.takes() > 0 && red.has_room() {
            let read = self.read(Some(session));
            let Some(piece) = self.settle(read) else { break };
            seat.give(piece, red);
        }
        self.tell_room();
        let waits = seat.takes() == 0 && self.attached.as_ref().is_some_and(Attached::has_more);
        self.waits_since = if waits { self.waits_since.or(Some(now)) } else { None };
    }

    /// The owner that the agent has been waiting for, and since when.
    pub(crate) fn awaited(&self) -> Option<(ClientId, Time)> {
        Some((self.owner?.client, self.waits_since?))
    }
}

impl Attached {
    fn has_more(&self) -> bool {
        !self.from_guest.is_empty() || !self.agent.port.mailbox.is_empty()
    }
}
