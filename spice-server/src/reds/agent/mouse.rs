//! The pointer, on its way to the agent.

use std::collections::VecDeque;

use spice_proto::agent::{AgentButtons, MouseState};
use spice_proto::inputs::MouseButtons;

use crate::guest::GuestInput;

/// Changes of buttons that may wait for an agent. Of positions between them the last one counts.
const MAX_STATES: usize = 16;

/// Where the pointer goes. An agent that is slow misses positions and no click, until it is very slow.
#[derive(Debug)]
pub(crate) struct Pointer {
    now: MouseState,
    waiting: VecDeque<MouseState>,
}

impl Default for Pointer {
    fn default() -> Self {
        let now = MouseState { x: 0, y: 0, buttons: AgentButtons::empty(), display_id: 0 };
        Self { now, waiting: VecDeque::new() }
    }
}

impl Pointer {
    /// Takes what a viewer did, where it is the agent's to do.
    pub(crate) fn take(&mut self, input: &GuestInput) -> bool {
        match *input {
            GuestInput::Position { x, y, display, buttons } => {
                self.now = MouseState { x, y, buttons: agents(buttons), display_id: display };
            }
            GuestInput::Press { buttons, .. } | GuestInput::Release { buttons, .. } => {
                self.now.buttons = agents(buttons);
            }
            _ => return false,
        }
        let full = self.waiting.len() >= MAX_STATES;
        match self.waiting.back_mut() {
            Some(last) if full || last.buttons == self.now.buttons => *last = self.now,
            _ => self.waiting.push_back(self.now),
        }
        true
    }

    /// What the agent is told next.
    pub(crate) fn pop(&mut self) -> Option<MouseState> {
        self.waiting.pop_front()
    }
}

/// The same buttons in the agent's bits, which lie one higher.
fn agents(buttons: MouseButtons) -> AgentButtons {
    AgentButtons::from_bits_truncate(u32::from(buttons.bits()) << 1)
}

#[cfg(test)]
mod tests {
    use spice_proto::inputs::MouseButton;

    use super::*;

    fn at(x: u32, buttons: MouseButtons) -> GuestInput {
        GuestInput::Position { x, y: 1, display: 3, buttons }
    }

    fn waits(pointer: &mut Pointer) -> Vec<(u32, AgentButtons)> {
        std::iter::from_fn(|| pointer.pop()).map(|state| (state.x, state.buttons)).collect()
    }

    #[test]
    fn of_positions_the_last_counts_and_clicks_are_kept() {
        let mut pointer = Pointer::default();
        let (none, left) = (MouseButtons::empty(), MouseButtons::LEFT);
        for x in 0..100 {
            assert!(pointer.take(&at(x, none)));
        }
        assert!(pointer.take(&GuestInput::Press { button: MouseButton::LEFT, buttons: left }));
        assert!(pointer.take(&GuestInput::Release { button: MouseButton::LEFT, buttons: none }));
        assert!(pointer.take(&at(200, none)));
        assert!(pointer.take(&at(201, none)));
        assert!(!pointer.take(&GuestInput::ScanCode(1)));
        let none = AgentButtons::empty();
        assert_eq!(waits(&mut pointer), [(99, none), (99, AgentButtons::LEFT), (201, none)]);
    }

    #[test]
    fn clicks_for_an_agent_that_takes_nothing_are_bounded_and_end_as_they_are() {
        let mut pointer = Pointer::default();
        let wheel = MouseButtons::UP;
        for x in 0..1000 {
            pointer.take(&at(x, if x % 2 == 0 { wheel } else { MouseButtons::empty() }));
        }
        let waits = waits(&mut pointer);
        assert_eq!(waits.len(), MAX_STATES);
        assert_eq!((waits[0], waits[MAX_STATES - 1]), ((0, AgentButtons::UP), (999, AgentButtons::empty())));
    }
}
