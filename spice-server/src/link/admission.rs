//! Who may come in, shared by those that link and those that decide. Each lock is held for one question.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::AbortHandle;

use crate::access::{Access, AddTicketError, Auth, Origin, PlaceId, Places};
use crate::clock;

/// Tickets, users, lock-outs and who came in by which: asked by every link, told by the viewers' owner.
#[derive(Debug)]
pub(crate) struct Admission(Mutex<Access>);

impl Admission {
    pub(crate) fn new(auth: &Auth, spares_local: bool) -> Result<Self, AddTicketError> {
        Ok(Self(Mutex::new(Access::new(auth, clock::now())?.sparing_local(spares_local))))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Access> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The connections that are not in yet, and the task of each: who needs a place may end the task of another.
#[derive(Debug)]
pub(crate) struct Linking(Mutex<Tasks>);

#[derive(Debug)]
struct Tasks {
    places: Places,
    tasks: BTreeMap<PlaceId, AbortHandle>,
}

/// A connection's place among those that are not in yet; it leaves when this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    linking: Arc<Linking>,
    id: PlaceId,
}

impl Linking {
    pub(crate) fn new(in_all: usize, per_origin: usize) -> Self {
        Self(Mutex::new(Tasks { places: Places::new(in_all, per_origin), tasks: BTreeMap::new() }))
    }

    fn lock(&self) -> MutexGuard<'_, Tasks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connections that are not in yet.
    pub(crate) fn len(&self) -> usize {
        self.lock().places.len()
    }

    /// Ends all of them.
    pub(crate) fn end(&self) {
        self.lock().tasks.values().for_each(AbortHandle::abort);
    }

    /// Takes a place for a connection from `origin`, and starts its task in it. Where there is none, the connection
    /// that has proven least for longest gives way: it is closed without a word.
    pub(crate) fn start(self: &Arc<Self>, origin: Origin, start: impl FnOnce(Place) -> AbortHandle) {
        let mut tasks = self.lock();
        let id = tasks.take(origin);
        // The task cannot end before it is known here: its place waits for this lock.
        let task = start(Place { linking: Arc::clone(self), id });
        tasks.tasks.insert(id, task);
    }
}

impl Tasks {
    fn take(&mut self, origin: Origin) -> PlaceId {
        let (id, gone) = self.places.take(origin);
        if let Some(task) = gone.and_then(|gone| self.tasks.remove(&gone)) {
            task.abort();
        }
        id
    }
}

impl Place {
    /// The connection comes from somewhere else than it seemed: a proxy has said so.
    pub(crate) fn move_to(&mut self, origin: Origin) {
        let mut tasks = self.linking.lock();
        let Some(task) = tasks.tasks.remove(&self.id) else { return };
        tasks.places.leave(self.id);
        self.id = tasks.take(origin);
        tasks.tasks.insert(self.id, task);
    }

    /// The connection has sent a link message that makes sense.
    pub(crate) fn prove(&self) {
        self.linking.lock().places.prove(self.id);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut tasks = self.linking.lock();
        tasks.places.leave(self.id);
        tasks.tasks.remove(&self.id);
    }
}
