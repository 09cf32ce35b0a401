//! Tickets as an operator writes them: in a file, or in a request.

use std::fmt;
use std::path::Path;
use std::time::Duration;

use rand::RngExt;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize};
use spice_server::{Permissions, Secret, Ticket};
use toml::Spanned;
use zeroize::Zeroizing;

use crate::args::{Period, toml_file};
use crate::secret_file;

/// What a viewer may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// Looks on: who forgets to say a role gives away the least.
    #[default]
    View,
    Control,
}

impl From<Role> for spice_server::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::View => Self::View,
            Role::Control => Self::Control,
        }
    }
}

impl From<spice_server::Role> for Role {
    fn from(role: spice_server::Role) -> Self {
        match role {
            spice_server::Role::View => Self::View,
            spice_server::Role::Control => Self::Control,
        }
    }
}

/// What a viewer may do, as far as its role permits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum May {
    Inputs,
    Clipboard,
    Audio,
    Usb,
}

impl May {
    pub(crate) const ALL: [Self; 4] = [Self::Inputs, Self::Clipboard, Self::Audio, Self::Usb];

    /// Those that are in `permissions`, in their order.
    pub(crate) fn of(permissions: Permissions) -> Vec<Self> {
        Self::ALL.into_iter().filter(|may| permissions.contains(may.permission())).collect()
    }

    const fn permission(self) -> Permissions {
        match self {
            Self::Inputs => Permissions::INPUTS,
            Self::Clipboard => Permissions::CLIPBOARD,
            Self::Audio => Permissions::AUDIO,
            Self::Usb => Permissions::USB,
        }
    }
}

/// The text that lets somebody in. It is not printed, and wiped when it is dropped.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SecretText(Zeroizing<Vec<u8>>);

/// Characters of a secret that is drawn: six bits each.
const DRAWN: usize = 20;

/// What it is made of: base64url.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

impl SecretText {
    /// One of 120 bits that nobody guesses.
    pub(crate) fn draw() -> Self {
        let mut rng = rand::rng();
        let mut text = Zeroizing::new(Vec::with_capacity(DRAWN));
        for _ in 0..DRAWN {
            // A byte has four of each.
            let at = usize::from(rng.random::<u8>()) % ALPHABET.len();
            text.extend(ALPHABET.get(at));
        }
        Self(text)
    }

    /// The secret in these bytes.
    ///
    /// # Errors
    /// No byte, more than viewers send, a NUL, which ends a ticket on the wire.
    pub(crate) fn new(secret: &[u8]) -> Result<Self, String> {
        match secret {
            [] => Err("the ticket is empty".into()),
            long if long.len() > LONGEST_SECRET => {
                let len = long.len();
                Err(format!("the ticket has {len} bytes, more than the {LONGEST_SECRET} that viewers send"))
            }
            nul if nul.contains(&0) => Err("the ticket has a NUL in it".into()),
            secret => Ok(Self(Zeroizing::new(secret.to_vec()))),
        }
    }

    pub(crate) fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The same as text: what is drawn and what comes from TOML or JSON is one.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText")
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

/// Says what it expected, and never what was there in its place.
struct SecretVisitor;

impl SecretVisitor {
    fn refuse<E: Error>(self, kind: &'static str) -> Result<SecretText, E> {
        Err(E::invalid_type(Unexpected::Other(kind), &self))
    }
}

impl Visitor<'_> for SecretVisitor {
    type Value = SecretText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<SecretText, E> {
        SecretText::new(text.as_bytes()).map_err(E::custom)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<SecretText, E> {
        self.refuse("a boolean")
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<SecretText, E> {
        self.refuse("a number")
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<SecretText, E> {
        self.refuse("a number")
    }

    fn visit_i128<E: Error>(self, _: i128) -> Result<SecretText, E> {
        self.refuse("a number")
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<SecretText, E> {
        self.refuse("a number")
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<SecretText, E> {
        self.refuse("a number")
    }
}

/// A ticket, and what was left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct TicketSpec {
    pub(crate) secret: Option<SecretText>,
    name: Option<String>,
    role: Role,
    may: Option<Vec<May>>,
    expires: Option<Period>,
    single_use: bool,
}

/// A ticket to let somebody in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewTicket {
    pub(crate) secret: SecretText,
    pub(crate) name: String,
    pub(crate) role: Role,
    /// In their order, each once.
    pub(crate) may: Vec<May>,
    pub(crate) expires_after: Option<Duration>,
    pub(crate) single_use: bool,
}

impl NewTicket {
    /// The same in the words of the server.
    pub(crate) fn ticket(&self) -> Result<Ticket, String> {
        let mut ticket = Ticket::new(Secret::new(self.secret.expose()).map_err(|error| error.to_string())?);
        ticket.name = Some(self.name.clone());
        ticket.role = self.role.into();
        ticket.permissions = self.may.iter().map(|may| may.permission()).collect();
        ticket.expires_after = self.expires_after;
        ticket.single_use = self.single_use;
        Ok(ticket)
    }
}

/// The longest name of a ticket, in bytes.
const LONGEST_NAME: usize = 64;

/// What a ticket's secret has at most (`SPICE_MAX_PASSWORD_LENGTH`).
const LONGEST_SECRET: usize = 60;

impl TicketSpec {
    /// The ticket; `secret` and `name` where it has none of its own.
    pub(crate) fn ticket(
        self,
        secret: impl FnOnce() -> Result<SecretText, String>,
        name: impl FnOnce() -> String,
    ) -> Result<NewTicket, String> {
        let secret = self.secret.map_or_else(secret, Ok)?;
        let name = self.name.unwrap_or_else(name);
        if name.is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(format!(
                "the name of a ticket has 1 to {LONGEST_NAME} bytes and no control characters"
            ));
        }
        let mut may = self.may.unwrap_or_else(|| May::ALL.to_vec());
        may.sort_unstable();
        may.dedup();
        let expires_after = self.expires.map(|period| period.0);
        Ok(NewTicket { secret, name, role: self.role, may, expires_after, single_use: self.single_use })
    }
}

/// What is in a file of tickets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketFile {
    #[serde(default)]
    ticket: Vec<Spanned<TicketSpec>>,
}

/// The tickets in this text; `name` is what messages call it.
pub(crate) fn parse(text: &str, name: &str) -> Result<Vec<NewTicket>, String> {
    let file: TicketFile = toml_file::read(text, name)?;
    let tickets = (1..).zip(file.ticket).map(|(number, spec)| {
        let line = toml_file::line(text, spec.span().start);
        let ticket =
            spec.into_inner().ticket(|| Err("there is no `secret`".into()), || format!("ticket {number}"));
        ticket.map_err(|error| format!("[[ticket]] at line {line} of {name}: {error}"))
    });
    let tickets: Vec<_> = tickets.collect::<Result<_, _>>()?;
    for (at, ticket) in tickets.iter().enumerate() {
        if let Some(other) = tickets.iter().take(at).find(|other| other.secret == ticket.secret) {
            return Err(format!("`{}` and `{}` in {name} have the same secret", other.name, ticket.name));
        }
    }
    Ok(tickets)
}

/// The ticket that is the first line of a file which only its owner may read. It permits everything.
pub(crate) fn read_line(path: &Path) -> Result<NewTicket, String> {
    const WHAT: &str = "ticket file";
    let content = secret_file::read(WHAT, path)?;
    let secret = SecretText::new(secret_file::first_line(&content));
    let secret = secret.map_err(|error| format!("{WHAT} {}: {error}", secret_file::name(path)))?;
    let (name, may) = (WHAT.to_owned(), May::ALL.to_vec());
    Ok(NewTicket { secret, name, role: Role::Control, may, expires_after: None, single_use: false })
}

/// The tickets in a file that only its owner may read.
pub(crate) fn read(path: &Path) -> Result<Vec<NewTicket>, String> {
    const WHAT: &str = "tickets file";
    let content = secret_file::read(WHAT, path)?;
    parse(secret_file::text(WHAT, path, &content)?, &secret_file::name(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_tickets_with_all_that_they_permit() {
        let text = "\
[[ticket]]
secret = 'one'

[[ticket]]
secret = 'two'
name = 'guests'
role = 'control'
may = ['audio', 'inputs', 'audio']
expires = '10m'
single-use = true
";
        let tickets = parse(text, "tickets.toml").unwrap();
        let [one, two] = &tickets[..] else { panic!("{tickets:?}") };
        assert_eq!((one.secret.text(), one.name.as_str(), one.role), ("one", "ticket 1", Role::View));
        assert_eq!((&one.may[..], one.expires_after, one.single_use), (&May::ALL[..], None, false));
        assert_eq!((two.secret.text(), two.name.as_str(), two.role), ("two", "guests", Role::Control));
        assert_eq!(two.may, [May::Inputs, May::Audio]);
        assert_eq!((two.expires_after, two.single_use), (Some(Duration::from_secs(600)), true));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_without_a_secret() {
        let long = format!("[[ticket]]\nsecret = '{}'", "hunter2".repeat(9));
        for (text, words) in [
            ("[[ticket]]\nname = 'x'", "[[ticket]] at line 1 of t.toml: there is no `secret`"),
            ("[[ticket]]\nsecret = ''", "at line 2 of t.toml: the ticket is empty"),
            ("[[ticket]]\nsecret = \"hunter2\\u0000\"", "NUL"),
            (&long, "63 bytes"),
            (
                "[[ticket]]\nsecret = 'hunter2'\nsecrte = 'x'",
                "unknown key `secrte` at line 3 of t.toml; did you mean `secret`?",
            ),
            ("[[tickets]]\nsecret = 'hunter2'", "did you mean `ticket`?"),
            (
                "[[ticket]]\nsecret = 4711",
                "at line 2 of t.toml: invalid type: a number, expected a secret in quotes",
            ),
            ("[[ticket]]\nsecret = 47.11", "a number"),
            ("[[ticket]]\nsecret = ['hunter2']", "at line 2"),
            ("[[ticket]]\nsecret = hunter2", "at line 2"),
            ("hunter2", "at line 1"),
            ("[[ticket]]\nsecret = 'hunter2'\nrole = 'admin'", "unknown word `admin` at line 3"),
            ("[[ticket]]\nsecret = 'hunter2'\nmay = ['input']", "did you mean `inputs`?"),
            ("[[ticket]]\nsecret = 'hunter2'\nexpires = 'soon'", "at line 3"),
            ("[[ticket]]\nsecret = 'hunter2'\nname = ''", "1 to 64 bytes"),
            (
                "[[ticket]]\nsecret = 'hunter2'\n[[ticket]]\nsecret = 'hunter2'",
                "`ticket 1` and `ticket 2` in t.toml have the same",
            ),
        ] {
            let said = parse(text, "t.toml").unwrap_err();
            assert!(said.contains(words), "{text}: {said}");
            assert!(!said.contains("hunter2") && !said.contains("47") && !said.contains('\n'), "{said}");
        }
    }

    #[test]
    fn a_secret_that_is_drawn_is_another_each_time_and_is_not_printed() {
        let (one, other) = (SecretText::draw(), SecretText::draw());
        assert_eq!(one.expose().len(), DRAWN);
        assert!(one.expose().iter().all(|byte| ALPHABET.contains(byte)));
        assert_ne!(one, other);
        let ticket = TicketSpec::default().ticket(|| Ok(one.clone()), || "x".into()).unwrap();
        assert!(!format!("{ticket:?}").contains(one.text()));
    }
}
