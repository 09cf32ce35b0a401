//! What a viewer knows of the agent, and how many pieces may be on their way.

use spice_channel::{ChannelError, RedChannelClient};
use spice_proto::agent::MAX_CHUNK;
use spice_proto::main::{AgentDisconnected, AgentTokens, ServerMessage};
use spice_proto::{HeaderKind, LinkError};

/// Pieces that a viewer may have on their way to the agent (`REDS_AGENT_WINDOW_SIZE`).
pub(crate) const WINDOW: u32 = 10;

/// Tokens that are given back at once (`REDS_TOKENS_TO_SEND`).
const STEP: u32 = 5;

/// One viewer's side of the agent.
#[derive(Debug)]
pub(crate) struct AgentSeat {
    /// It can be told of an agent and of tokens in one message, and counts anew then.
    renews: bool,
    /// The session with the agent that it knows of.
    told: Option<u64>,
    /// Pieces that it may send.
    may_send: u32,
    /// Pieces that it may send besides, and does not know of.
    owed: u32,
    /// Pieces that it takes.
    takes: u32,
}

fn send(red: &mut RedChannelClient, message: &ServerMessage) {
    red.send(message.id(), &message.encode());
}

/// What tokens ask for is not what the viewer says by itself.
fn invite(red: &mut RedChannelClient, tokens: u32) {
    red.invite(tokens, u64::from(tokens) * (HeaderKind::Full.len() + MAX_CHUNK) as u64);
}

impl AgentSeat {
    /// A viewer that has its first tokens from its init message.
    pub(crate) fn new(renews: bool) -> Self {
        Self { renews, told: None, may_send: WINDOW, owed: 0, takes: 0 }
    }

    /// The init message tells it of this session.
    pub(crate) fn greet(&mut self, session: Option<u64>, red: &mut RedChannelClient) {
        self.told = session;
        invite(red, WINDOW);
    }

    pub(crate) fn knows(&self, session: u64) -> bool {
        self.told == Some(session)
    }

    pub(crate) fn takes(&self) -> u32 {
        self.takes
    }

    /// The viewer begins to take part, and takes this many pieces. One that counts anew may send what it was told.
    pub(crate) fn start(&mut self, takes: u32) {
        self.takes = takes;
        if self.renews {
            (self.may_send, self.owed) = (WINDOW, 0);
        }
    }

    pub(crate) fn add(&mut self, takes: u32) {
        self.takes = self.takes.saturating_add(takes);
    }

    /// A piece has come from a viewer that takes part.
    ///
    /// # Errors
    /// It had no token for it.
    pub(crate) fn take_piece(&mut self) -> Result<(), ChannelError> {
        let left = self.may_send.checked_sub(1);
        self.may_send = left.ok_or(ChannelError::OutOfTurn { message: "main.AgentData without a token" })?;
        Ok(())
    }

    /// A piece has come from a viewer that does not take part: it does not know yet that the agent which it means is gone.
    /// It counts anew once it knows of another, or else keeps count.
    pub(crate) fn drop_piece(&mut self) {
        if !self.renews && self.may_send > 0 {
            self.may_send -= 1;
            self.owed += 1;
        }
    }

    /// A piece that it sent in this session is where it should be.
    pub(crate) fn give_back(&mut self, session: u64) {
        if !self.renews || self.knows(session) {
            self.owed = self.owed.saturating_add(1);
        }
    }

    /// Tells it what it does not know yet. `session` is the one that it has now.
    pub(crate) fn poll(&mut self, session: Option<u64>, red: &mut RedChannelClient) {
        if self.told != session {
            if self.told.take().is_some() {
                send(red, &ServerMessage::AgentDisconnected(AgentDisconnected { error_code: LinkError::OK }));
            }
            self.takes = 0;
            self.told = session;
            if session.is_some() && self.renews {
                (self.may_send, self.owed) = (WINDOW, 0);
                invite(red, WINDOW);
                send(red, &ServerMessage::AgentConnectedTokens(AgentTokens { num_tokens: WINDOW }));
            } else if session.is_some() {
                send(red, &ServerMessage::AgentConnected);
            }
        }
        if self.owed >= STEP && self.told.is_some() {
            let num_tokens = std::mem::take(&mut self.owed);
            self.may_send = self.may_send.saturating_add(num_tokens);
            invite(red, num_tokens);
            send(red, &ServerMessage::AgentToken(AgentTokens { num_tokens }));
        }
    }

    /// Gives it a piece of what the agent says.
    pub(crate) fn give(&mut self, piece: bytes::Bytes, red: &mut RedChannelClient) {
        // A viewer says so for as many as there are.
        if self.takes != u32::MAX {
            self.takes = self.takes.saturating_sub(1);
        }
        send(red, &ServerMessage::AgentData(piece));
    }
}
