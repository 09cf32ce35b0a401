//! The displays of a server: each a guest's, with a thread of its own.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::RngExt;
use spice_channel::Channel;
use spice_display::{RedWorker, WorkerConfig};
use spice_proto::{ChannelId, ChannelType};
use tokio::runtime::Handle;
use tokio::sync::mpsc::WeakUnboundedSender;
use tokio::sync::watch;

use crate::guest::Guest;
use crate::link::SharedOffer;
use crate::quality::Quality;
use crate::reds::{RedsEvent, RedsHandle};
use crate::stats::Counters;
use crate::worker::{WorkerMailbox, WorkerMessage, WorkerThread};

/// Why a display cannot be added.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddDisplayError {
    /// There is one of this id.
    #[error("there is a display {} already", .0.0)]
    Taken(ChannelId),
    /// The server has ended.
    #[error("the server has ended")]
    Ended,
    /// Its thread cannot be started.
    #[error("cannot start the thread of a display: {0}")]
    Thread(io::Error),
}

/// The displays that there are. The lock is held for one question; whoever stops a display takes it out first.
#[derive(Debug)]
pub(crate) struct Displays {
    running: Mutex<Running>,
    /// What every display begins with, but its id and its seed.
    template: WorkerConfig,
    offer: SharedOffer,
    reds: WeakUnboundedSender<RedsEvent>,
    counters: Arc<Counters>,
    runtime: Handle,
}

#[derive(Debug)]
struct Running {
    displays: BTreeMap<ChannelId, WorkerThread>,
    quality: Quality,
}

impl Displays {
    pub(crate) fn new(
        template: WorkerConfig,
        offer: SharedOffer,
        reds: &RedsHandle,
        counters: Arc<Counters>,
        runtime: Handle,
    ) -> Self {
        let display = &template.display;
        let quality =
            Quality { compression: display.compression, jpeg: display.jpeg, zlib_glz: display.zlib_glz };
        let running = Mutex::new(Running { displays: BTreeMap::new(), quality });
        Self { running, template, offer, reds: reds.downgrade(), counters, runtime }
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the thread of a guest, and tells viewers that they can link its display. Answers what turns true when the
    /// guest has ended.
    pub(crate) fn add(
        &self,
        id: ChannelId,
        guest: Box<dyn Guest>,
    ) -> Result<watch::Receiver<bool>, AddDisplayError> {
        let reds = self.reds.upgrade().ok_or(AddDisplayError::Ended)?;
        let mut running = self.lock();
        if running.displays.contains_key(&id) {
            return Err(AddDisplayError::Taken(id));
        }
        let mut config = self.template;
        config.id = id;
        config.display.seed = rand::rng().random();
        let Quality { compression, jpeg, zlib_glz } = running.quality;
        (config.display.compression, config.display.jpeg, config.display.zlib_glz) =
            (compression, jpeg, zlib_glz);
        let mut core = RedWorker::new(&config);
        let (display, cursor) = core.channels_mut();
        let caps = [(ChannelType::DISPLAY, display.caps()), (ChannelType::CURSOR, cursor.caps())];
        let mailbox = WorkerMailbox::new();
        let handle = mailbox.handle();
        let counters = Arc::clone(&self.counters);
        let thread = mailbox
            .start(core, guest, reds.clone(), counters, self.runtime.clone())
            .map_err(AddDisplayError::Thread)?;
        let finished = thread.finished.clone();
        running.displays.insert(id, thread);
        for (kind, caps) in caps {
            self.offer.add(kind, id, &caps);
        }
        let _ = reds.send(RedsEvent::AddDisplay(id, handle));
        Ok(finished)
    }

    /// Ends a display; its guest is gone when this returns, which waits for nothing but what the guest itself is busy
    /// with. Answers whether there was one.
    pub(crate) fn remove(&self, id: ChannelId) -> bool {
        let Some(mut thread) = self.lock().displays.remove(&id) else { return false };
        for kind in [ChannelType::DISPLAY, ChannelType::CURSOR] {
            self.offer.remove(kind, id);
        }
        if let Some(reds) = self.reds.upgrade() {
            let _ = reds.send(RedsEvent::RemoveDisplay(id));
        }
        thread.stop();
        true
    }

    /// Ends all of them.
    pub(crate) fn stop(&self) {
        let displays = std::mem::take(&mut self.lock().displays);
        for (_, mut thread) in displays {
            thread.stop();
        }
    }

    /// Whether viewers say positions rather than motion.
    pub(crate) fn positions(&self) -> bool {
        self.counters.positions.load(Ordering::Relaxed)
    }

    pub(crate) fn quality(&self) -> Quality {
        self.lock().quality
    }

    /// Tells every display, under the lock, so that the last one to be told is the one that is answered.
    pub(crate) fn set_quality(&self, quality: Quality) {
        let mut running = self.lock();
        running.quality = quality;
        for thread in running.displays.values() {
            thread.handle.send(WorkerMessage::Quality(quality));
        }
    }
}
