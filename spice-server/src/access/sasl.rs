//! The server's side of SASL, without I/O.
//!
//! The mechanisms are those of a library. It indexes into what the peer sends without looking at the length, and
//! goes on in no defined way after an error; so nothing reaches it here that has not the form of RFC 5802 (section
//! 7), and an exchange that has failed once is over.

use core::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::plain::PLAIN;
use rsasl::mechanisms::scram::SCRAM_SHA256;
use rsasl::mechanisms::scram::properties::ScramStoredPassword;
use rsasl::prelude::{Mechanism, Registry, SASLConfig, SASLServer, Session, SessionError};
use rsasl::property::{AuthId, AuthzId, Password};
use rsasl::validate::{Validate, Validation, ValidationError};
use spice_proto::link::sasl::{Challenge, Mechanisms, Start, Step};

use super::users::{DecoyKey, Users, Verifier};

/// The most bytes of data in a [`Start`] or [`Step`] that are taken; more need not be read at all. Names and
/// passwords that are of any use are much shorter.
pub(crate) const MAX_SASL_DATA: usize = 4096;

static SECURE: &[Mechanism] = &[SCRAM_SHA256, PLAIN];

/// What an exchange has come to so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// To be sent; a [`Step`] will follow.
    Continue(Challenge),
    /// The viewer is this user. The challenge, which is complete, still has to be sent: in SCRAM the server proves in
    /// it who it is.
    Done { challenge: Challenge, user: String },
}

/// Why an exchange is over without a user. The peer is told nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SaslFailure {
    #[error("the SASL mechanism was not offered")]
    Mechanism,
    #[error("more than {MAX_SASL_DATA} bytes of SASL data")]
    TooLong,
    #[error("a SASL message out of turn")]
    Turn,
    #[error("a SASL message that is not the mechanism's")]
    Malformed,
    #[error("wrong user or password")]
    Wrong,
}

/// One viewer showing who it is, by SCRAM-SHA-256 or, where nobody can listen, PLAIN.
///
/// A user that does not exist gets as far as any other, so that names cannot be probed. With PLAIN, [`Self::start`] or
/// [`Self::step`] computes for as long as the user's iterations take, up to some 200 ms; the caller has a thread for it.
pub(crate) struct SaslExchange {
    secure: bool,
    judge: Judge,
    state: State,
}

enum State {
    Offered,
    /// A mechanism is chosen, and has had its first data when `begun`.
    Running {
        session: Box<Session<Who>>,
        mechanism: Known,
        begun: bool,
    },
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    Scram,
    Plain,
}

impl SaslExchange {
    /// Before the mechanisms are offered. `secure` is a connection that nobody can listen to: TLS, or a socket of this
    /// host.
    pub(crate) fn new(users: Users, decoys: DecoyKey, secure: bool) -> Self {
        Self { secure, judge: Judge { users, decoys, only: Only::Anybody }, state: State::Offered }
    }

    /// Lets nobody pass but this user, or nobody at all. To the peer the others look as if their passwords were wrong.
    #[must_use]
    pub(crate) fn only_for(mut self, user: Option<&str>) -> Self {
        self.judge.only = user.map_or(Only::Nobody, |name| Only::User(name.to_owned()));
        self
    }

    /// What is offered to the viewer, the best first.
    pub(crate) fn mechanisms(&self) -> Mechanisms {
        Mechanisms::new(self.offered().iter().map(|mechanism| mechanism.mechanism.as_str()))
    }

    /// The viewer has chosen.
    ///
    /// # Errors
    /// See [`SaslFailure`]; the exchange is over then.
    pub(crate) fn start(&mut self, start: &Start) -> Result<Progress, SaslFailure> {
        let State::Offered = core::mem::replace(&mut self.state, State::Over) else {
            return Err(SaslFailure::Turn);
        };
        let offered = self.offered().iter();
        let chosen = offered.into_iter().find(|mechanism| mechanism.mechanism.as_bytes() == start.mechanism);
        let mechanism = chosen.ok_or(SaslFailure::Mechanism)?.mechanism;
        let known = if mechanism == PLAIN.mechanism { Known::Plain } else { Known::Scram };
        let config = SASLConfig::builder()
            .with_registry(Registry::with_mechanisms(self.offered()))
            .with_callback(self.judge.clone())
            .map_err(|_| SaslFailure::Mechanism)?;
        let session =
            SASLServer::new(config).start_suggested(mechanism).map_err(|_| SaslFailure::Mechanism)?;
        let running = State::Running { session: Box::new(session), mechanism: known, begun: false };
        match &start.data {
            Some(data) => self.advance(running, data),
            // RFC 4422, section 3: who begins without data is asked for it.
            None => {
                self.state = running;
                Ok(Progress::Continue(Challenge { data: None, complete: false }))
            }
        }
    }

    /// The viewer has answered a challenge.
    ///
    /// # Errors
    /// See [`SaslFailure`]; the exchange is over then.
    pub(crate) fn step(&mut self, step: &Step) -> Result<Progress, SaslFailure> {
        let state = match core::mem::replace(&mut self.state, State::Over) {
            running @ State::Running { .. } => running,
            State::Offered | State::Over => return Err(SaslFailure::Turn),
        };
        self.advance(state, step.data.as_ref().ok_or(SaslFailure::Malformed)?)
    }

    fn advance(&mut self, state: State, data: &Bytes) -> Result<Progress, SaslFailure> {
        let State::Running { mut session, mechanism, begun } = state else { return Err(SaslFailure::Turn) };
        if data.len() > MAX_SASL_DATA {
            return Err(SaslFailure::TooLong);
        }
        let is_formed = match (mechanism, begun) {
            (Known::Scram, false) => is_client_first(data),
            (Known::Scram, true) => is_client_final(data),
            (Known::Plain, _) => is_plain(data),
        };
        if !is_formed {
            return Err(SaslFailure::Malformed);
        }
        let mut answer = Vec::new();
        let state = session.step(Some(data), &mut answer).map_err(|_| SaslFailure::Wrong)?;
        let complete = state.is_finished();
        let challenge = Challenge { data: (!answer.is_empty()).then(|| answer.into()), complete };
        if !complete {
            self.state = State::Running { session, mechanism, begun: true };
            return Ok(Progress::Continue(challenge));
        }
        // What the library answers to a wrong proof says what is wrong with it; it is not sent.
        let user = session.validation().ok_or(SaslFailure::Wrong)?;
        Ok(Progress::Done { challenge, user })
    }

    fn offered(&self) -> &'static [Mechanism] {
        if self.secure { SECURE } else { &SECURE[..1] }
    }
}

impl fmt::Debug for SaslExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Offered => "offered",
            State::Running { .. } => "running",
            State::Over => "over",
        };
        f.debug_struct("SaslExchange")
            .field("secure", &self.secure)
            .field("state", &state)
            .finish_non_exhaustive()
    }
}

/// What the mechanism says to the exchange: who has passed.
struct Who;

impl Validation for Who {
    type Value = String;
}

/// Answers the mechanisms' questions.
#[derive(Clone)]
struct Judge {
    users: Users,
    decoys: DecoyKey,
    only: Only,
}

#[derive(Clone)]
enum Only {
    Anybody,
    User(String),
    Nobody,
}

impl Judge {
    /// The user of this name if it may pass. Names are compared in the form of SASLprep.
    fn may_pass(&self, name: &str) -> Option<(&str, &Verifier)> {
        let prepared = stringprep::saslprep(name).ok()?;
        self.users.find(&prepared).filter(|(found, _)| match &self.only {
            Only::Anybody => true,
            Only::User(user) => user == found,
            Only::Nobody => false,
        })
    }

    /// A verifier that no password passes, for a name that may not. Of a user it shows the user's own salt, which is
    /// what other exchanges show for it.
    fn decoy(&self, name: &str) -> Verifier {
        let prepared = stringprep::saslprep(name).unwrap_or_else(|_| name.into());
        let mut decoy = self.users.decoy(&prepared, &self.decoys);
        if let Some((_, verifier)) = self.users.find(&prepared) {
            decoy.iterations = verifier.iterations;
            decoy.salt.clone_from(&verifier.salt);
        }
        decoy
    }
}

impl SessionCallback for Judge {
    fn callback(
        &self,
        _: &SessionData,
        context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        let Some(name) = context.get_ref::<AuthId>().and_then(unescaped) else { return Ok(()) };
        // Made for every name, so that the time does not tell which ones there are.
        let decoy = self.decoy(&name);
        let Verifier { iterations, salt, stored_key, server_key } =
            self.may_pass(&name).map_or(&decoy, |(_, verifier)| verifier);
        let stored =
            ScramStoredPassword::new(*iterations, salt, stored_key.as_slice(), server_key.as_slice());
        request.satisfy::<ScramStoredPassword<'_>>(&stored)?;
        Ok(())
    }

    /// SCRAM asks only behind a proof that is right; PLAIN, with the password.
    fn validate(
        &self,
        session: &SessionData,
        context: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        let Some(name) = context.get_ref::<AuthId>() else { return Ok(()) };
        let is_plain = session.mechanism().mechanism == PLAIN.mechanism;
        let Some(user) = (if is_plain { Some(name.to_owned()) } else { unescaped(name) }) else {
            return Ok(());
        };
        // Nobody acts for another here.
        let acts_for = context.get_ref::<AuthzId>().unwrap_or_default();
        let acts_for_itself = acts_for.is_empty() || acts_for == name;
        let found = self.may_pass(&user);
        let proven = if is_plain {
            let password = context.get_ref::<Password>().unwrap_or_default();
            let decoy = self.decoy(&user);
            found.map_or(&decoy, |(_, verifier)| verifier).is_of(password).into()
        } else {
            true
        };
        if let Some((user, _)) = found
            && proven
            && acts_for_itself
        {
            validate.finalize::<Who>(user.to_owned());
        }
        Ok(())
    }
}

/// A SCRAM `saslname` without its escapes; `None` where it has other ones.
fn unescaped(name: &str) -> Option<String> {
    let mut parts = name.split('=');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        text.push(match code {
            "2C" => ',',
            "3D" => '=',
            _ => return None,
        });
        text.push_str(rest);
    }
    Some(text)
}

fn is_name(bytes: &[u8]) -> bool {
    core::str::from_utf8(bytes)
        .is_ok_and(|name| !name.is_empty() && !name.contains('\0') && unescaped(name).is_some())
}

fn is_nonce(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_graphic)
}

/// `client-first-message`, with no channel binding, since none is offered, and no extension, since none is known.
fn is_client_first(data: &[u8]) -> bool {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == b',').take(5).collect();
    let [flag, for_whom, name, nonce] = parts.as_slice() else { return false };
    matches!(flag, [b'n' | b'y'])
        && (for_whom.is_empty() || for_whom.strip_prefix(b"a=").is_some_and(is_name))
        && name.strip_prefix(b"n=").is_some_and(is_name)
        && nonce.strip_prefix(b"r=").is_some_and(is_nonce)
}

/// `client-final-message`, with no extension.
fn is_client_final(data: &[u8]) -> bool {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == b',').take(4).collect();
    let [binding, nonce, proof] = parts.as_slice() else { return false };
    let base64 = |text: &[u8]| BASE64.decode(text).ok();
    binding.strip_prefix(b"c=").and_then(base64).is_some()
        && nonce.strip_prefix(b"r=").is_some_and(is_nonce)
        && proof.strip_prefix(b"p=").and_then(base64).is_some_and(|proof| proof.len() == 32)
}

/// `message` of RFC 4616.
fn is_plain(data: &[u8]) -> bool {
    let parts: Vec<&[u8]> = data.split(|byte| *byte == 0).take(4).collect();
    let [_, name, password] = parts.as_slice() else { return false };
    !name.is_empty() && !password.is_empty()
}

#[cfg(test)]
mod tests;
