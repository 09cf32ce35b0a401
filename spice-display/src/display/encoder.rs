//! Pictures that viewers wait for, and the order in which they are packed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::codec::glz::{Dictionary, MAX_WINDOW};
use crate::image::{EncodeDone, EncodeJob, GlzLane, Method, Picture};
use crate::surface::Sequence;

/// Pixels that a dictionary keeps: 64 MiB of 32 bits each.
pub(super) const GLZ_WINDOW: u32 = 1 << 24;

const _: () = assert!(GLZ_WINDOW <= MAX_WINDOW);

/// A picture that takes longer than that many bytes do is no small one.
const SMALL: usize = 8 << 10;

/// What is to be packed. Every picture is packed once by each method, whoever asks first.
///
/// Pictures that are packed with the same dictionary are so one after the other, in the order in which the guest drew
/// them as far as they are waited for at the time.
#[derive(Debug, Default)]
pub(super) struct Encoder {
    small: VecDeque<(Arc<Picture>, Method)>,
    /// Of commands.
    large: VecDeque<(Arc<Picture>, Method)>,
    /// Of surfaces: one viewer that catches up asks for a screen of them.
    parts: VecDeque<(Arc<Picture>, Method)>,
    auto: Lane,
    fixed: Lane,
    /// Who is asked first next: those who want one kind of packing do not keep the others waiting.
    turn: usize,
}

/// A dictionary and the pictures that it is to have next.
#[derive(Debug, Default)]
struct Lane {
    dictionary: Home,
    waiting: BTreeMap<Sequence, Arc<Picture>>,
    /// The number of the next picture. Numbers are not used again when a dictionary begins anew.
    next: u64,
}

/// Where a dictionary is.
#[derive(Debug, Default)]
enum Home {
    /// There is none yet.
    #[default]
    None,
    Here(Box<Dictionary>),
    /// A picture is being packed with it.
    Out,
}

impl Encoder {
    /// Somebody waits for this picture, which is of that command if it is of one.
    ///
    /// Only pictures of commands are packed with a dictionary.
    pub(super) fn ask(&mut self, picture: &Arc<Picture>, method: Method, sequence: Sequence) {
        if !picture.ask(method) {
            return;
        }
        match method {
            Method::Glz(lane) => {
                self.lane(lane).waiting.insert(sequence, Arc::clone(picture));
            }
            _ if picture.len() <= SMALL => self.small.push_back((Arc::clone(picture), method)),
            _ if sequence == Sequence::default() => self.parts.push_back((Arc::clone(picture), method)),
            _ => self.large.push_back((Arc::clone(picture), method)),
        }
    }

    /// The next picture to pack, of those that take some 30 microseconds or of the others.
    pub(super) fn poll(&mut self, small: bool) -> Option<EncodeJob> {
        const SOURCES: usize = 4;
        let turns = self.turn..self.turn + SOURCES;
        turns.map(|turn| turn % SOURCES).find_map(|turn| {
            let job = match turn {
                0 => self.poll_lane(GlzLane::Auto, small),
                1 => self.poll_lane(GlzLane::Fixed, small),
                2 => poll_queue(if small { &mut self.small } else { &mut self.large }),
                _ => poll_queue(if small { &mut self.small } else { &mut self.parts }),
            }?;
            self.turn = turn + 1;
            Some(job)
        })
    }

    fn poll_lane(&mut self, name: GlzLane, small: bool) -> Option<EncodeJob> {
        let lane = self.lane(name);
        lane.waiting.retain(|_, picture| Arc::strong_count(picture) > 1);
        let first = lane.waiting.first_entry()?;
        if matches!(lane.dictionary, Home::Out) || (first.get().len() <= SMALL) != small {
            return None;
        }
        let picture = first.remove();
        let dictionary = match std::mem::replace(&mut lane.dictionary, Home::Out) {
            Home::Here(dictionary) => dictionary,
            Home::None | Home::Out => Box::new(Dictionary::new(GLZ_WINDOW)),
        };
        Some(EncodeJob::glz(picture, name, dictionary, lane.next))
    }

    /// A picture has been packed.
    pub(super) fn handle_done(&mut self, done: EncodeDone) {
        let EncodeDone { picture, method, packed, dictionary } = done;
        picture.set_packed(method, packed);
        if let Method::Glz(lane) = method {
            let lane = self.lane(lane);
            lane.next += 1;
            lane.dictionary = dictionary.map_or(Home::None, Home::Here);
        }
    }

    /// There is no viewer any more: what was kept for them goes.
    pub(super) fn forget(&mut self) {
        self.small.clear();
        self.large.clear();
        self.parts.clear();
        for lane in [&mut self.auto, &mut self.fixed] {
            lane.waiting.clear();
            if let Home::Here(_) = lane.dictionary {
                lane.dictionary = Home::None;
                lane.next += 1;
            }
        }
    }

    fn lane(&mut self, lane: GlzLane) -> &mut Lane {
        match lane {
            GlzLane::Auto => &mut self.auto,
            GlzLane::Fixed => &mut self.fixed,
        }
    }
}

fn poll_queue(queue: &mut VecDeque<(Arc<Picture>, Method)>) -> Option<EncodeJob> {
    loop {
        let (picture, method) = queue.pop_front()?;
        // One that nobody else holds was for viewers that are gone.
        if Arc::strong_count(&picture) > 1 {
            return Some(EncodeJob::pack(picture, method));
        }
    }
}

#[cfg(test)]
mod tests {
    use spice_proto::display::BitmapFormat;

    use super::*;
    use crate::image::Packed;
    use crate::qxl::Bitmap;

    fn picture() -> Arc<Picture> {
        let pixels = vec![7; 64 * 64 * 4];
        let bitmap = Bitmap::new(BitmapFormat::RGB32, (64, 64), 256, true, pixels.into()).unwrap();
        Arc::new(Picture::new(Arc::new(bitmap), false))
    }

    #[test]
    fn no_kind_of_packing_keeps_the_others_waiting() {
        let mut encoder = Encoder::default();
        let auto = Method::Glz(GlzLane::Auto);
        let shared: Vec<_> = (1..=20_u64).map(|number| (Sequence(number), picture())).collect();
        shared.iter().for_each(|(sequence, picture)| encoder.ask(picture, auto, *sequence));
        let (other, fixed) = (picture(), picture());
        encoder.ask(&other, Method::Quic, Sequence(21));
        encoder.ask(&fixed, Method::Glz(GlzLane::Fixed), Sequence(22));
        // Somebody catches up.
        let parts: Vec<_> = (0..200).map(|_| picture()).collect();
        parts.iter().for_each(|part| encoder.ask(part, Method::Lz, Sequence::default()));
        let last = picture();
        encoder.ask(&last, Method::Quic, Sequence(23));
        // A single encoder, which is never out of work.
        for _ in 0..4 {
            let done = encoder.poll(false).unwrap().run();
            encoder.handle_done(done);
        }
        assert!(other.packed(Method::Quic).is_some());
        assert!(fixed.packed(Method::Glz(GlzLane::Fixed)).is_some());
        assert_eq!(parts.iter().filter(|part| part.packed(Method::Lz).is_some()).count(), 1);
        assert!(last.packed(Method::Quic).is_none());
        assert_eq!(shared.iter().filter(|(_, picture)| picture.packed(auto).is_some()).count(), 1);
        // The others of the lanes are out of turn until what is next has had its own.
        for _ in 0..4 {
            let done = encoder.poll(false).unwrap().run();
            encoder.handle_done(done);
        }
        assert!(last.packed(Method::Quic).is_some());
    }

    #[test]
    fn a_dictionary_that_is_lost_begins_anew_and_its_numbers_go_on() {
        let mut encoder = Encoder::default();
        let method = Method::Glz(GlzLane::Auto);
        let pictures: Vec<_> = (0..3).map(|_| picture()).collect();
        let mut numbers = Vec::new();
        for (picture, sequence) in pictures.iter().zip(1..) {
            encoder.ask(picture, method, Sequence(sequence));
            let job = encoder.poll(false).unwrap();
            let done = if sequence == 2 { job.bare() } else { job.run() };
            encoder.handle_done(done);
            numbers.push(match picture.packed(method) {
                Some(Packed::Glz(packed)) => Some((packed.number, packed.encoded.farthest)),
                _ => None,
            });
        }
        assert_eq!(numbers, [Some((0, 0)), None, Some((2, 0))]);
    }
}
