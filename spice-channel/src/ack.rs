//! The protocol's own flow control: the viewer acknowledges every so many messages.

use spice_proto::base::SetAck;

/// Counts messages that the viewer has not acknowledged.
///
/// Sending stops above twice the window, so a viewer that is a window behind is slow, not dead. The window is a
/// second line: what a connection may hold is bounded in bytes, and the window is chosen so large that it does not
/// limit a viewer that keeps acknowledging, however long its link.
#[derive(Clone, Debug)]
pub struct AckWindow {
    window: u32,
    generation: u32,
    /// The generation that the viewer echoed last.
    echoed: Option<u32>,
    unacknowledged: u64,
}

impl AckWindow {
    /// A window of `window` messages; 0 asks for no acknowledgements and never stops.
    #[must_use]
    pub const fn new(window: u32) -> Self {
        Self { window, generation: 1, echoed: None, unacknowledged: 0 }
    }

    /// The message that asks the viewer for acknowledgements, unless none are wanted.
    #[must_use]
    pub const fn request(&self) -> Option<SetAck> {
        if self.window == 0 {
            None
        } else {
            Some(SetAck { generation: self.generation, window: self.window })
        }
    }

    /// Whether more than twice the window is unacknowledged.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.window != 0 && self.unacknowledged > self.window as u64 * 2
    }

    /// Messages sent and not acknowledged.
    #[must_use]
    pub const fn unacknowledged(&self) -> u64 {
        self.unacknowledged
    }

    /// A message has been sent.
    pub fn handle_sent(&mut self) {
        self.unacknowledged = self.unacknowledged.saturating_add(1);
    }

    /// The viewer echoes a generation: its acknowledgements count from here.
    pub fn handle_sync(&mut self, generation: u32) {
        self.echoed = Some(generation);
    }

    /// The viewer acknowledges one window. An acknowledgement of another generation, or of messages that were never
    /// sent, counts for nothing.
    pub fn handle_ack(&mut self) {
        if self.echoed == Some(self.generation) {
            self.unacknowledged = self.unacknowledged.saturating_sub(self.window.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_closes_above_two_windows_and_opens_with_an_acknowledgement() {
        let mut ack = AckWindow::new(3);
        assert_eq!(ack.request(), Some(SetAck { generation: 1, window: 3 }));
        ack.handle_sync(1);
        for _ in 0..6 {
            ack.handle_sent();
        }
        assert!(!ack.is_closed());
        ack.handle_sent();
        assert!(ack.is_closed());
        ack.handle_ack();
        assert!(!ack.is_closed());
        assert_eq!(ack.unacknowledged(), 4);
    }

    #[test]
    fn acknowledgements_of_another_generation_or_of_nothing_count_for_nothing() {
        let mut ack = AckWindow::new(1);
        ack.handle_sent();
        ack.handle_ack();
        ack.handle_sync(7);
        ack.handle_ack();
        assert_eq!(ack.unacknowledged(), 1);
        ack.handle_sync(1);
        for _ in 0..1000 {
            ack.handle_ack();
        }
        assert_eq!(ack.unacknowledged(), 0);
    }

    #[test]
    fn a_window_of_zero_never_closes() {
        let mut ack = AckWindow::new(0);
        assert_eq!(ack.request(), None);
        (0..100).for_each(|_| ack.handle_sent());
        assert!(!ack.is_closed());
    }
}
