//! RSA keys for tickets: made beforehand, in the background, each for one link.
//!
//! The protocol fixes RSA-1024 with OAEP and SHA-1. Making a key takes milliseconds, so none is ever made while a
//! viewer waits: a thread keeps a pool filled. When links come faster than keys, one spare key serves a bounded number
//! of them.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use rsa::pkcs8::EncodePublicKey;
use rsa::{Oaep, PrivateKey};
use rustix::process::setpriority_process;
use spice_proto::link::{PUBLIC_KEY_LEN, TICKET_LEN};
use zeroize::Zeroizing;

/// Keys that wait in the pool.
const POOL: usize = 64;

/// Links that one spare key serves before another takes its place.
const SPARE_LINKS: u32 = 256;

const KEY_BITS: usize = 1024;

/// How nice the thread is that makes them.
const LOWEST: i32 = 19;

/// A key that could not be made.
#[derive(Debug, thiserror::Error)]
#[error("no RSA key for tickets can be made: {0}")]
pub struct KeyError(String);

/// The key of one link. It decrypts once, and is gone.
#[derive(Clone, Debug)]
pub(crate) struct LinkKey(Arc<KeyPair>);

struct KeyPair {
    private: PrivateKey,
    public_der: [u8; PUBLIC_KEY_LEN],
}

impl core::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KeyPair")
    }
}

impl KeyPair {
    fn generate() -> Result<Self, KeyError> {
        let error = |error: &dyn core::fmt::Display| KeyError(error.to_string());
        let private = PrivateKey::new(&mut rand::rng(), KEY_BITS).map_err(|cause| error(&cause))?;
        let der = private.to_public_key().to_public_key_der().map_err(|cause| error(&cause))?;
        let public_der = der.as_bytes().try_into().map_err(|cause| error(&cause))?;
        Ok(Self { private, public_der })
    }
}

impl LinkKey {
    /// The public key as the link reply carries it.
    pub(crate) fn public_der(&self) -> &[u8; PUBLIC_KEY_LEN] {
        &self.0.public_der
    }

    /// The password in a ticket, without the NUL that ends it; `None` when it was not made with this key.
    pub(crate) fn decrypt(self, ticket: &[u8; TICKET_LEN]) -> Option<Zeroizing<Vec<u8>>> {
        let mut plain = Zeroizing::new(self.0.private.decrypt(Oaep::<sha1::Sha1>::new(), ticket).ok()?);
        let end = plain.iter().position(|byte| *byte == 0).unwrap_or(plain.len());
        plain.truncate(end);
        Some(plain)
    }
}

/// Keys that are ready.
#[derive(Debug)]
pub(crate) struct KeyPool {
    /// The public half of a key that nobody has: it goes to viewers whose tickets nobody reads.
    unread: [u8; PUBLIC_KEY_LEN],
    ready: OnceLock<Mutex<Ready>>,
}

#[derive(Debug)]
struct Ready {
    keys: Receiver<LinkKey>,
    spare: LinkKey,
    spare_links: u32,
}

impl KeyPool {
    /// Without any key of which a ticket could be read.
    pub(crate) fn new() -> Result<Self, KeyError> {
        Ok(Self { unread: KeyPair::generate()?.public_der, ready: OnceLock::new() })
    }

    /// Has keys ready from now on, for tickets that are read: makes the spare key, which takes milliseconds, and starts
    /// the thread that makes the others. The thread ends when the pool is gone.
    pub(crate) fn start(&self) -> Result<(), KeyError> {
        if self.ready.get().is_some() {
            return Ok(());
        }
        let spare = LinkKey(Arc::new(KeyPair::generate()?));
        let (sender, keys) = sync_channel(POOL);
        thread::Builder::new()
            .name("ticket-keys".into())
            .spawn(move || fill(&sender))
            .map_err(|error| KeyError(error.to_string()))?;
        self.ready.get_or_init(|| Mutex::new(Ready { keys, spare, spare_links: 0 }));
        Ok(())
    }

    /// A key for one link, at once; `None` when even the spare one is used up, or there were never any.
    pub(crate) fn take(&self) -> Option<LinkKey> {
        self.ready.get()?.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The public key for a link whose ticket nobody reads.
    pub(crate) fn unread(&self) -> &[u8; PUBLIC_KEY_LEN] {
        &self.unread
    }
}

impl Ready {
    fn take(&mut self) -> Option<LinkKey> {
        if let Ok(key) = self.keys.try_recv() {
            if self.spare_links < SPARE_LINKS {
                return Some(key);
            }
            self.spare = key;
            self.spare_links = 0;
        }
        if self.spare_links == SPARE_LINKS {
            return None;
        }
        self.spare_links += 1;
        Some(self.spare.clone())
    }
}

fn fill(keys: &SyncSender<LinkKey>) {
    // Whoever asks for keys as fast as it can must not take the processor from those who are in. Linux has a priority
    // for each thread, and without one the keys are only made sooner.
    let _ = setpriority_process(None, LOWEST);
    loop {
        match KeyPair::generate() {
            Ok(pair) => {
                if keys.send(LinkKey(Arc::new(pair))).is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::error!("{error}");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rsa::PublicKey;
    use rsa::pkcs8::DecodePublicKey;

    use super::*;

    fn encrypt(key: &LinkKey, plain: &[u8]) -> [u8; TICKET_LEN] {
        let key = PublicKey::from_public_key_der(key.public_der()).unwrap();
        key.encrypt(&mut rand::rng(), Oaep::<sha1::Sha1>::new(), plain).unwrap().try_into().unwrap()
    }

    #[test]
    fn every_length_of_plaintext_is_read_up_to_its_nul() {
        let pool = KeyPool::new().unwrap();
        assert!(pool.take().is_none());
        pool.start().unwrap();
        let key = pool.take().unwrap();
        assert_ne!(key.public_der(), pool.unread());
        for len in [0, 1, 59, 60, 61, 80, 86] {
            let plain = vec![b'x'; len];
            let ticket = encrypt(&key, &plain);
            assert_eq!(*key.clone().decrypt(&ticket).unwrap(), plain);
        }
        let ticket = encrypt(&key, b"abc\0def\0");
        assert_eq!(key.clone().decrypt(&ticket).unwrap().as_slice(), b"abc");
        assert!(key.decrypt(&[0x5a; TICKET_LEN]).is_none());
    }

    #[test]
    fn keys_of_the_pool_are_used_once_and_a_dry_pool_has_a_spare_for_so_many_links() {
        let pair = || LinkKey(Arc::new(KeyPair::generate().unwrap()));
        let (sender, keys) = sync_channel(8);
        let mut ready = Ready { keys, spare: pair(), spare_links: 0 };
        (0..3).for_each(|_| sender.send(pair()).unwrap());
        let used: BTreeSet<_> = (0..3).map(|_| *ready.take().unwrap().public_der()).collect();
        assert_eq!(used.len(), 3);
        let spare = *ready.spare.public_der();
        for _ in 0..SPARE_LINKS {
            assert_eq!(*ready.take().unwrap().public_der(), spare);
        }
        assert!(ready.take().is_none());
        sender.send(pair()).unwrap();
        assert_ne!(*ready.take().unwrap().public_der(), spare);
    }
}
