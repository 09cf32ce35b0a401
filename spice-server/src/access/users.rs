//! Users and their verifiers: what lets a server check a password that it does not have.

use core::fmt;
use core::str::FromStr;
use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

use super::permissions::{Permissions, Role, UnknownPermission, UnknownRole};

/// The verifier's mechanism, as the file of users names it.
const MECHANISM: &str = "SCRAM-SHA-256";
/// Fewer iterations than RFC 7677 asks for are not taken; more keep a server busy for too long.
const MIN_ITERATIONS: u32 = 4096;
const MAX_ITERATIONS: u32 = 1_000_000;
const MAX_SALT: usize = 64;
const MAX_NAME: usize = 255;
const KEY: usize = 32;

type Key = Zeroizing<[u8; KEY]>;

/// The users of a server, each with a verifier, a role and permissions. Cheap to clone; prints no verifier.
///
/// As text it has a line for each user, in the form that PostgreSQL has for its verifiers; `#` begins a comment line:
///
/// ```text
/// name:SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey> [role=view] [may=audio,clipboard]
/// ```
///
/// The salt and the keys (RFC 5802, section 3) are in Base64. Without `role` a user is one in control, without `may`
/// it may do all that its role permits. [`verifier`] makes what follows the first colon.
#[derive(Clone)]
pub struct Users(Arc<BTreeMap<String, User>>);

struct User {
    verifier: Verifier,
    role: Role,
    permissions: Permissions,
}

/// A line of the users that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {error}")]
pub struct UsersError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub error: UserError,
}

/// What is wrong with a user's line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserError {
    /// There is no colon.
    #[error("there is no name with a colon behind it")]
    NoName,
    /// A name that is empty, too long, or not in the form that names are compared in.
    #[error(
        "the name has to have 1 to {MAX_NAME} bytes, no space or control character, and the form that SASLprep gives it"
    )]
    Name,
    /// The name has been there before.
    #[error("the user has a line already")]
    Twice,
    /// The verifier has not the form of one.
    #[error("the verifier has not the form {MECHANISM}$<iterations>:<salt>$<StoredKey>:<ServerKey>")]
    Form,
    /// Iterations out of bounds.
    #[error("the iterations have to be {MIN_ITERATIONS} to {MAX_ITERATIONS}")]
    Iterations,
    /// A salt that is no Base64, empty or too long.
    #[error("the salt has to be 1 to {MAX_SALT} bytes in Base64")]
    Salt,
    /// A key that is no Base64 or not of the right length.
    #[error("the {0} has to be {KEY} bytes in Base64")]
    Key(&'static str),
    /// Something behind the verifier that is neither `role=` nor `may=`, or is there twice.
    #[error("only one `role=` and one `may=` may follow the verifier")]
    Option,
    /// No such role.
    #[error(transparent)]
    Role(#[from] UnknownRole),
    /// No such permission.
    #[error(transparent)]
    Permission(#[from] UnknownPermission),
}

impl Users {
    /// Reads the users, as the type's documentation has them.
    ///
    /// # Errors
    /// The first line that is wrong, and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, UsersError> {
        let mut users = BTreeMap::new();
        for (index, line) in text.lines().enumerate() {
            let line_text = line.trim();
            if line_text.is_empty() || line_text.starts_with('#') {
                continue;
            }
            let at = |error| UsersError { line: index + 1, error };
            let (name, user) = User::parse(line_text).map_err(at)?;
            if users.insert(name.to_owned(), user).is_some() {
                return Err(at(UserError::Twice));
            }
        }
        Ok(Self(Arc::new(users)))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a user is and may do.
    pub(super) fn rights(&self, name: &str) -> Option<(Role, Permissions)> {
        self.0.get(name).map(|user| (user.role, user.role.limit(user.permissions)))
    }

    /// The user of this name as it is kept, and its verifier.
    pub(super) fn find(&self, name: &str) -> Option<(&str, &Verifier)> {
        self.0.get_key_value(name).map(|(name, user)| (name.as_str(), &user.verifier))
    }

    /// A verifier that no password passes, for a name that may not come in. It is the same whenever the name is the
    /// same, and the iterations and the salt's length are some user's, so that asking does not tell who exists.
    pub(super) fn decoy(&self, name: &str, key: &DecoyKey) -> Verifier {
        let model = usize::from_le_bytes(key.bytes("model", name))
            .checked_rem(self.0.len())
            .and_then(|nth| self.0.values().nth(nth))
            .map_or((MIN_ITERATIONS, 16), |user| (user.verifier.iterations, user.verifier.salt.len()));
        let mut salt = [key.bytes::<KEY>("salt", name), key.bytes("more salt", name)].concat();
        salt.truncate(model.1);
        Verifier {
            iterations: model.0,
            salt,
            stored_key: Zeroizing::new(key.bytes("StoredKey", name)),
            server_key: Zeroizing::new(key.bytes("ServerKey", name)),
        }
    }
}

impl FromStr for Users {
    type Err = UsersError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl User {
    fn parse(line: &str) -> Result<(&str, Self), UserError> {
        let (name, rest) = line.split_once(':').ok_or(UserError::NoName)?;
        let plain = |c: char| !c.is_whitespace() && !c.is_control();
        if name.is_empty()
            || name.len() > MAX_NAME
            || !name.chars().all(plain)
            || stringprep::saslprep(name).ok().as_deref() != Some(name)
        {
            return Err(UserError::Name);
        }
        let mut words = rest.split_whitespace();
        let verifier = words.next().ok_or(UserError::Form)?.parse()?;
        let (mut role, mut permissions) = (None, None);
        for word in words {
            match word.split_once('=') {
                Some(("role", text)) if role.is_none() => role = Some(text.parse()?),
                Some(("may", text)) if permissions.is_none() => permissions = Some(text.parse()?),
                _ => return Err(UserError::Option),
            }
        }
        let permissions = permissions.unwrap_or_else(Permissions::all);
        Ok((name, Self { verifier, role: role.unwrap_or_default(), permissions }))
    }
}

/// What a server knows of a password (RFC 5802, section 3).
pub(super) struct Verifier {
    pub(super) iterations: u32,
    pub(super) salt: Vec<u8>,
    pub(super) stored_key: Key,
    pub(super) server_key: Key,
}

impl Verifier {
    /// Takes time in proportion to the iterations: some 200 ms for the most that there may be.
    fn new(password: &[u8], salt: &[u8], iterations: u32) -> Self {
        let prepared = core::str::from_utf8(password).ok().and_then(|text| stringprep::saslprep(text).ok());
        let password = prepared.as_deref().map_or(password, str::as_bytes);
        let mut salted = Zeroizing::new([0; KEY]);
        // The only error is an output longer than the hash permits.
        let _ = pbkdf2::pbkdf2::<Hmac<Sha256>>(password, salt, iterations, salted.as_mut_slice());
        let client_key = Zeroizing::new(hmac(salted.as_slice(), [b"Client Key"]));
        Self {
            iterations,
            salt: salt.to_vec(),
            stored_key: Zeroizing::new(Sha256::digest(client_key.as_slice()).into()),
            server_key: Zeroizing::new(hmac(salted.as_slice(), [b"Server Key"])),
        }
    }

    /// Whether this is the password; takes the same time for all passwords of about the same length.
    pub(super) fn is_of(&self, password: &[u8]) -> Choice {
        let offered = Self::new(password, &self.salt, self.iterations);
        self.stored_key.ct_eq(&*offered.stored_key) & self.server_key.ct_eq(&*offered.server_key)
    }
}

impl FromStr for Verifier {
    type Err = UserError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('$');
        let (Some(MECHANISM), Some(cost), Some(keys), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(UserError::Form);
        };
        let (iterations, salt) = cost.split_once(':').ok_or(UserError::Form)?;
        let (stored_key, server_key) = keys.split_once(':').ok_or(UserError::Form)?;
        let iterations = iterations.parse().map_err(|_| UserError::Iterations)?;
        if !(MIN_ITERATIONS..=MAX_ITERATIONS).contains(&iterations) {
            return Err(UserError::Iterations);
        }
        let salt = BASE64.decode(salt).map_err(|_| UserError::Salt)?;
        if salt.is_empty() || salt.len() > MAX_SALT {
            return Err(UserError::Salt);
        }
        let key = |name, text: &str| {
            let bytes = BASE64.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.map(Zeroizing::new).ok_or(UserError::Key(name))
        };
        Ok(Self {
            iterations,
            salt,
            stored_key: key("StoredKey", stored_key)?,
            server_key: key("ServerKey", server_key)?,
        })
    }
}

/// What a line of [`Users`] has behind the name for this password: the means to check it, not the password.
///
/// The salt is to be random, 16 bytes for instance, and another one for each user. A salt of no or more than 64 bytes,
/// fewer than 4096 or more than 1,000,000 iterations make a verifier that [`Users::parse`] refuses. A password that is
/// text is first brought into the form of SASLprep (RFC 4013), as viewers do. The time that it takes grows with the
/// iterations.
#[must_use]
pub fn verifier(password: &[u8], salt: &[u8], iterations: u32) -> String {
    let Verifier { iterations, salt, stored_key, server_key } = Verifier::new(password, salt, iterations);
    let [salt, stored_key, server_key] =
        [salt.as_slice(), stored_key.as_slice(), server_key.as_slice()].map(|bytes| BASE64.encode(bytes));
    format!("{MECHANISM}${iterations}:{salt}${stored_key}:{server_key}")
}

fn hmac<const N: usize>(key: &[u8], parts: [&[u8]; N]) -> [u8; KEY] {
    // A key of any length is one; hashing with none at all keeps the type without a way to fail.
    let mut mac =
        <Hmac<Sha256> as Mac>::new_from_slice(key).unwrap_or_else(|_| Mac::new(&Default::default()));
    parts.into_iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// From what verifiers for users that do not exist are made up: random, and the same as long as the server runs. It
/// is not printed.
#[derive(Clone)]
pub(crate) struct DecoyKey(Arc<Key>);

impl DecoyKey {
    pub(crate) fn new(random: [u8; KEY]) -> Self {
        Self(Arc::new(Zeroizing::new(random)))
    }

    /// Up to 32 bytes that depend on the key, the name and what they are for.
    fn bytes<const N: usize>(&self, purpose: &str, name: &str) -> [u8; N] {
        let made = hmac(self.0.as_slice(), [purpose.as_bytes(), &[0], name.as_bytes()]);
        core::array::from_fn(|at| made.get(at).copied().unwrap_or_default())
    }
}

impl fmt::Debug for DecoyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DecoyKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PENCIL: &str = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==\
        $WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    #[test]
    fn a_verifier_is_the_one_of_the_rfcs_exchange() {
        // RFC 7677, section 3: the salt, the proof and the server's signature of its exchange.
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let made = Verifier::new(b"pencil", &salt, 4096);
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let said = format!(
            "n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
        );
        let proof = BASE64.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        let signature = hmac(made.stored_key.as_slice(), [said.as_bytes()]);
        let client_key: Vec<u8> = proof.iter().zip(signature).map(|(proof, byte)| proof ^ byte).collect();
        assert_eq!(Sha256::digest(client_key).as_slice(), made.stored_key.as_slice());
        let signed = BASE64.encode(hmac(made.server_key.as_slice(), [said.as_bytes()]));
        assert_eq!(signed, "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert_eq!(verifier(b"pencil", &salt, 4096), PENCIL);
    }

    #[test]
    fn a_verifier_passes_its_own_password_alone() {
        let read: Verifier = PENCIL.parse().unwrap();
        assert!(bool::from(read.is_of(b"pencil")));
        for other in [&b"Pencil"[..], b"", b"pencil ", b"\xff"] {
            assert!(!bool::from(read.is_of(other)));
        }
    }

    #[test]
    fn passwords_that_look_alike_are_the_same() {
        // RFC 4013, section 3: SOFT HYPHEN goes, the Roman numeral nine becomes two letters.
        assert_eq!(verifier("I\u{ad}X".as_bytes(), b"salt", 4096), verifier(b"IX", b"salt", 4096));
        assert_eq!(verifier("\u{2168}".as_bytes(), b"salt", 4096), verifier(b"IX", b"salt", 4096));
    }

    #[test]
    fn users_are_read_with_their_roles_and_permissions() {
        let text = format!(
            "# who may come in\n\n ann:{PENCIL}\nbob:{PENCIL} role=view may=audio,usb\r\n\
             a,b=c:{PENCIL} may=inputs role=control\n  # dan:{PENCIL}\neve:{PENCIL} may=none"
        );
        let users: Users = text.parse().unwrap();
        assert_eq!(users.len(), 4);
        assert_eq!(users.rights("ann"), Some((Role::Control, Permissions::all())));
        assert_eq!(users.rights("bob"), Some((Role::View, Permissions::AUDIO)));
        assert_eq!(users.rights("a,b=c"), Some((Role::Control, Permissions::INPUTS)));
        assert_eq!(users.rights("eve"), Some((Role::Control, Permissions::empty())));
        assert_eq!(users.rights("dan"), None);
        assert!(Users::parse("# none\n").unwrap().is_empty());
    }

    #[test]
    fn a_line_that_is_wrong_is_named_and_what_is_wrong_with_it() {
        let keys = PENCIL.split_once("==$").unwrap().1;
        let key = keys.split_once(':').unwrap().0;
        let salt = |len| BASE64.encode(vec![7; len]);
        for (line, error) in [
            ("ann".to_owned(), UserError::NoName),
            (format!(":{PENCIL}"), UserError::Name),
            (format!("{}:{PENCIL}", "x".repeat(256)), UserError::Name),
            (format!("a b:{PENCIL}"), UserError::Name),
            (format!("a\0b:{PENCIL}"), UserError::Name),
            (format!("\u{2168}:{PENCIL}"), UserError::Name),
            ("ann:".to_owned(), UserError::Form),
            ("ann:pencil".to_owned(), UserError::Form),
            (format!("ann:SCRAM-SHA-1$4096:AAAA${keys}"), UserError::Form),
            (format!("ann:{PENCIL}$"), UserError::Form),
            (format!("ann:SCRAM-SHA-256$4096${keys}"), UserError::Form),
            (format!("ann:SCRAM-SHA-256$4095:AAAA${keys}"), UserError::Iterations),
            (format!("ann:SCRAM-SHA-256$1000001:AAAA${keys}"), UserError::Iterations),
            (format!("ann:SCRAM-SHA-256$4294967297:AAAA${keys}"), UserError::Iterations),
            (format!("ann:SCRAM-SHA-256$4096:${keys}"), UserError::Salt),
            (format!("ann:SCRAM-SHA-256$4096:!${keys}"), UserError::Salt),
            (format!("ann:SCRAM-SHA-256$4096:{}${keys}", salt(65)), UserError::Salt),
            (format!("ann:SCRAM-SHA-256$4096:AAAA${}:{key}", salt(31)), UserError::Key("StoredKey")),
            (format!("ann:SCRAM-SHA-256$4096:AAAA${key}:{}", salt(33)), UserError::Key("ServerKey")),
            (format!("ann:{PENCIL} view"), UserError::Option),
            (format!("ann:{PENCIL} role=view role=view"), UserError::Option),
            (format!("ann:{PENCIL} role=root"), UnknownRole { name: "root".into() }.into()),
            (format!("ann:{PENCIL} may=fly"), UnknownPermission { name: "fly".into() }.into()),
            (format!("bob:{PENCIL}"), UserError::Twice),
        ] {
            let text = format!("bob:{PENCIL}\n\n{line}\n");
            assert_eq!(Users::parse(&text).unwrap_err(), UsersError { line: 3, error }, "{line}");
        }
        for (iterations, salt) in [(4096, salt(64)), (1_000_000, salt(1))] {
            assert!(Users::parse(&format!("ann:SCRAM-SHA-256${iterations}:{salt}${keys}")).is_ok());
        }
    }

    #[test]
    fn a_made_up_verifier_depends_on_the_name_and_the_key_and_looks_like_some_users() {
        let users = Users::parse(&format!("ann:{PENCIL}\nbob:{}\n", verifier(b"x", &[1; 40], 5000))).unwrap();
        let key = DecoyKey::new([1; 32]);
        let shown = |users: &Users, name: &str, key: &DecoyKey| {
            let made = users.decoy(name, key);
            (made.iterations, made.salt)
        };
        assert_eq!(shown(&users, "eve", &key), shown(&users, "eve", &key.clone()));
        assert_ne!(shown(&users, "eve", &key).1, shown(&users, "eva", &key).1);
        assert_ne!(shown(&users, "eve", &key).1, shown(&users, "eve", &DecoyKey::new([2; 32])).1);
        let mut seen = std::collections::BTreeSet::new();
        for nth in 0..64 {
            let (iterations, salt) = shown(&users, &format!("user {nth}"), &key);
            seen.insert((iterations, salt.len()));
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [(4096, 16), (5000, 40)]);
        assert_eq!(shown(&Users::parse("").unwrap(), "eve", &key).0, 4096);
    }
}
