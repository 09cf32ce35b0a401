//! Whatever viewers, the device and the agent do, in any order.

use core::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Join(u64),
    Leave(u64),
    May(u64, bool),
    Hear(u64),
    Start(u64, u32),
    /// Content of this length, of which so many pieces are sent, with a device that takes them at once or not.
    Message {
        client: u64,
        len: usize,
        pieces: usize,
        takes: bool,
    },
    Noise(u64, u8),
    /// A whole message, or less.
    AgentSays(bool),
    DeviceTakes,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let client = || 0..4_u64;
    let step = prop_oneof![
        4 => client().prop_map(Step::Join),
        1 => client().prop_map(Step::Leave),
        1 => (client(), any::<bool>()).prop_map(|(client, may)| Step::May(client, may)),
        1 => client().prop_map(Step::Hear),
        4 => (client(), 0..3_u32).prop_map(|(client, tokens)| Step::Start(client, tokens)),
        8 => (client(), 0..9000_usize, 1..6_usize, any::<bool>())
            .prop_map(|(client, len, pieces, takes)| Step::Message { client, len, pieces, takes }),
        1 => (client(), any::<u8>()).prop_map(|(client, byte)| Step::Noise(client, byte)),
        1 => any::<bool>().prop_map(Step::AgentSays),
        2 => Just(Step::DeviceTakes),
    ];
    prop::collection::vec(step, 0..150)
}

impl Bench {
    /// Something that somebody does. A viewer that is refused ends.
    fn step(&mut self, step: &Step, here: &mut BTreeSet<u64>) {
        let client = match *step {
            Step::Join(client) => {
                if here.insert(client) {
                    let caps = if client % 2 == 0 { vec![MainCap::AGENT_CONNECTED_TOKENS.0] } else { vec![] };
                    self.join_with(client, &caps, Permissions::all());
                }
                client
            }
            Step::Leave(client) => {
                here.remove(&client);
                self.torn.remove(&client);
                self.main.disconnect(ClientId(client), self.now);
                client
            }
            Step::May(client, may) => {
                let permissions = if may { Permissions::all() } else { Permissions::empty() };
                self.main.set_permissions(ClientId(client), permissions);
                client
            }
            Step::Hear(client) => {
                self.hears(client);
                client
            }
            Step::Start(client, tokens) => {
                if here.contains(&client) {
                    self.hears(client);
                    self.start(client, tokens);
                    self.torn.remove(&client);
                }
                client
            }
            Step::Message { client, len, pieces: count, takes } => {
                // The viewer's own mark in every byte. One that has left off in the middle begins anew.
                let data = vec![u8::try_from(client).unwrap(); len];
                let pieces = pieces(&Message::FileXferData(FileXferData { id: 1, data: data.into() }));
                if self.torn.remove(&client) && here.contains(&client) {
                    self.start(client, u32::MAX);
                }
                if pieces.len() > count {
                    self.torn.insert(client);
                }
                let refused = here.contains(&client)
                    && pieces.into_iter().take(count).any(|piece| {
                        if takes {
                            self.device_takes();
                        }
                        self.hears(client);
                        self.piece(client, piece).is_err()
                    });
                if refused {
                    return self.step(&Step::Leave(client), here);
                }
                client
            }
            Step::Noise(client, byte) => {
                let refused = here.contains(&client) && self.piece(client, vec![byte; 30]).is_err();
                if refused {
                    return self.step(&Step::Leave(client), here);
                }
                // It means nothing, or is a part of a message that it has left off.
                self.torn.insert(client);
                client
            }
            Step::AgentSays(whole) => {
                let message = on_port(&file(300));
                let len = if whole { message.len() } else { 100 };
                if self.room() > len {
                    self.agent_says(message[..len].to_vec());
                }
                0
            }
            Step::DeviceTakes => {
                self.device_takes();
                0
            }
        };
        self.main.poll_agent();
        let attached = self.main.agent().attached.as_ref().unwrap();
        assert!(attached.to_guest.waiting() <= 2 * WINDOW as usize, "{client}");
        assert!(self.events.lock().unwrap().len() + self.held.len() <= 6);
    }
}

#[test]
fn whatever_viewers_do_the_agent_reads_whole_messages_of_one_viewer_each() {
    let read = Cell::new(0);
    let play = |steps: Vec<Step>| {
        let mut bench = Bench::with_agent(AgentPolicy::default());
        let mut here = BTreeSet::new();
        for step in &steps {
            bench.step(step, &mut here);
        }
        bench.device_takes();
        let messages = bench.agent_reads();
        read.set(read.get() + messages.iter().filter(|message| message.0 == Port::CLIENT).count());
        Ok(())
    };
    TestRunner::deterministic().run(&steps(), play).unwrap();
    assert!(read.get() > 300, "only {} messages", read.get());
}
