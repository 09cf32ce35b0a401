//! What a viewer of the graphics processor's output has yet to be sent, and to answer.

use core::time::Duration;

use spice_channel::Time;
use spice_proto::Rect;

/// Scanout and draws are facts that are due: a viewer that takes none for a while is sent the last scanout and one draw.
/// It has one draw at a time to answer.
#[derive(Debug, Default)]
pub(in crate::display) struct Scanout {
    /// The viewer can be sent descriptors, and says that it knows what to do with them.
    able: bool,
    scanout_due: bool,
    /// The viewer has been sent a scanout.
    shown: bool,
    due: Option<Due>,
    /// A draw that it has been sent and has not answered, and since when that was due.
    owed: Option<Time>,
    /// It answers in time, and is waited for. Nobody is who has not shown that yet.
    keeps_up: bool,
}

#[derive(Clone, Copy, Debug)]
struct Due {
    area: Rect,
    since: Option<Time>,
}

/// What a viewer is sent next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextGl {
    /// The scanout.
    Scanout,
    /// This part of it is new.
    Draw(Rect),
}

impl Scanout {
    /// The viewer's connection can carry descriptors, and the viewer takes them. There may be a scanout, and something
    /// on it.
    pub(super) fn enable(&mut self, scanout: bool, drawn: Option<Rect>) {
        self.able = true;
        self.scanout_due = scanout;
        self.due = drawn.map(|area| Due { area, since: None });
    }

    /// Whether it has been sent one.
    pub(super) fn is_shown(&self) -> bool {
        self.shown
    }

    /// There is another scanout, or none; what was drawn on the one before means nothing on it.
    pub(in crate::display) fn handle_scanout(&mut self, scanout: bool) {
        self.scanout_due = self.able && scanout;
        self.due = None;
    }

    /// These pixels of it are new.
    pub(in crate::display) fn handle_draw(&mut self, area: Rect) {
        if self.able {
            let due = self.due.get_or_insert(Due { area, since: None });
            due.area = due.area.union(&area);
        }
    }

    /// It is now so late.
    pub(super) fn handle_time(&mut self, now: Time) {
        if let Some(due) = &mut self.due {
            due.since.get_or_insert(now);
        }
    }

    /// The viewer has answered. spice-gtk does so once for each of its windows that show the display, or for a scanout
    /// that it cannot show; what nobody asked for counts for nothing, if there has been a scanout at all.
    pub(super) fn handle_answer(&mut self, limit: Duration, now: Time) -> bool {
        if let Some(since) = self.owed.take() {
            self.keeps_up = now.since(since) < limit;
        }
        self.shown
    }

    /// Who owes an answer now is not waited for until it has given one in time.
    pub(in crate::display) fn give_up(&mut self) {
        self.keeps_up &= self.is_settled();
    }

    /// Whether the host is to wait for it.
    pub(in crate::display) fn is_waited_for(&self) -> bool {
        self.keeps_up && !self.is_settled()
    }

    /// Whether nothing of it waits to be sent.
    pub(super) fn is_sent(&self) -> bool {
        !self.scanout_due && self.due.is_none()
    }

    fn is_settled(&self) -> bool {
        self.due.is_none() && self.owed.is_none()
    }

    /// What to send now that there is room.
    pub(super) fn poll_next(&mut self, now: Time) -> Option<NextGl> {
        if std::mem::take(&mut self.scanout_due) {
            self.shown = true;
            return Some(NextGl::Scanout);
        }
        let due = self.due.take_if(|_| self.owed.is_none())?;
        self.owed = Some(due.since.unwrap_or(now));
        Some(NextGl::Draw(due.area))
    }
}
