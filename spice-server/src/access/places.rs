//! Places for connections that are not let in yet.
//!
//! They are few, in all and for each origin. Where there is none left, who has waited longest gives way, so that
//! connections which say nothing cannot keep newcomers out. A connection that has shown to speak the protocol is
//! worth more than one that has not: it gives way only where all others have.

use core::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::lockout::Origin;

/// Which place; numbers grow, so the lowest is the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PlaceId(u64);

/// Places before authentication. Every call takes O(log n).
#[derive(Debug)]
pub(crate) struct Places {
    in_all: usize,
    per_origin: usize,
    next: u64,
    places: BTreeMap<PlaceId, Origin>,
    silent: Ranked,
    proven: Ranked,
}

/// The places of each origin, and the origins by how much they hold.
#[derive(Debug, Default)]
struct Ranked {
    held: BTreeMap<Origin, BTreeSet<PlaceId>>,
    /// How many, the oldest, whose. The last is who holds most, and of those with as many whoever has waited longest:
    /// an address alone makes nobody the first to go.
    ranks: BTreeSet<(usize, Reverse<PlaceId>, Origin)>,
}

impl Ranked {
    fn change(&mut self, origin: Origin, change: impl FnOnce(&mut BTreeSet<PlaceId>) -> bool) -> bool {
        let held = self.held.entry(origin).or_default();
        if let Some(oldest) = held.first() {
            self.ranks.remove(&(held.len(), Reverse(*oldest), origin));
        }
        let changed = change(held);
        match held.first() {
            Some(oldest) => {
                self.ranks.insert((held.len(), Reverse(*oldest), origin));
            }
            None => {
                self.held.remove(&origin);
            }
        }
        changed
    }

    fn insert(&mut self, origin: Origin, place: PlaceId) {
        self.change(origin, |held| held.insert(place));
    }

    fn remove(&mut self, origin: Origin, place: PlaceId) -> bool {
        self.change(origin, |held| held.remove(&place))
    }

    fn len(&self, origin: Origin) -> usize {
        self.held.get(&origin).map_or(0, BTreeSet::len)
    }

    fn oldest_of(&self, origin: Origin) -> Option<PlaceId> {
        self.held.get(&origin)?.first().copied()
    }

    fn oldest_of_most(&self) -> Option<PlaceId> {
        self.ranks.last().map(|(_, Reverse(oldest), _)| *oldest)
    }
}

impl Places {
    /// So many places in all and for one origin, at least one each.
    pub(crate) fn new(in_all: usize, per_origin: usize) -> Self {
        Self {
            in_all: in_all.max(1),
            per_origin: per_origin.max(1),
            next: 0,
            places: BTreeMap::new(),
            silent: Ranked::default(),
            proven: Ranked::default(),
        }
    }

    /// Places that are taken.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Places that this origin has taken.
    pub(crate) fn len_of(&self, origin: Origin) -> usize {
        self.silent.len(origin) + self.proven.len(origin)
    }

    /// A place for a newcomer, which always gets one, and the place of the connection that has to go for it. That
    /// one has no place any more; to leave it again does nothing.
    pub(crate) fn take(&mut self, origin: Origin) -> (PlaceId, Option<PlaceId>) {
        let goes = if self.len_of(origin) >= self.per_origin {
            self.silent.oldest_of(origin).or_else(|| self.proven.oldest_of(origin))
        } else if self.len() >= self.in_all {
            self.silent.oldest_of_most().or_else(|| self.proven.oldest_of_most())
        } else {
            None
        };
        if let Some(place) = goes {
            self.leave(place);
        }
        let place = PlaceId(self.next);
        self.next += 1;
        self.places.insert(place, origin);
        self.silent.insert(origin, place);
        (place, goes)
    }

    /// The connection has sent a whole, valid link message. For a place that is not taken, nothing.
    pub(crate) fn prove(&mut self, place: PlaceId) {
        if let Some(origin) = self.places.get(&place)
            && self.silent.remove(*origin, place)
        {
            self.proven.insert(*origin, place);
        }
    }

    /// The connection has been let in, or has ended.
    pub(crate) fn leave(&mut self, place: PlaceId) {
        if let Some(origin) = self.places.remove(&place)
            && !self.silent.remove(origin, place)
        {
            self.proven.remove(origin, place);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn user(uid: u32) -> Origin {
        Origin::Local(Some(uid))
    }

    #[test]
    fn the_oldest_of_an_origin_that_is_full_gives_way() {
        let mut places = Places::new(10, 2);
        let (other, _) = places.take(user(0));
        let (first, _) = places.take(user(1));
        let (second, none) = places.take(user(1));
        assert_eq!(none, None);
        assert_eq!(places.take(user(1)).1, Some(first));
        assert_eq!(places.take(user(1)).1, Some(second));
        assert_eq!((places.len(), places.len_of(user(1))), (3, 2));
        places.leave(first);
        places.leave(other);
        assert_eq!((places.len(), places.len_of(user(0))), (2, 0));
    }

    #[test]
    fn when_all_is_full_the_origin_that_holds_most_gives_way() {
        let mut places = Places::new(4, 3);
        let (_lone, _) = places.take(user(9));
        let (first, _) = places.take(user(1));
        (0..2).for_each(|_| assert_eq!(places.take(user(1)).1, None));
        assert_eq!(places.take(user(2)).1, Some(first));
        assert_eq!(places.len_of(user(9)), 1);
    }

    #[test]
    fn of_origins_that_hold_as_much_the_one_goes_that_has_waited_longest() {
        let mut places = Places::new(3, 3);
        let ids: Vec<_> = [5, 9, 1].map(|uid| places.take(user(uid)).0).into();
        for (uid, id) in [7, 2, 8].into_iter().zip(ids) {
            assert_eq!(places.take(user(uid)).1, Some(id));
        }
    }

    #[test]
    fn who_has_proven_nothing_goes_before_those_who_have() {
        let mut places = Places::new(3, 2);
        let (proven, _) = places.take(user(1));
        let (silent, _) = places.take(user(1));
        let (lone, _) = places.take(user(2));
        places.prove(proven);
        places.prove(lone);
        assert_eq!(places.take(user(3)).1, Some(silent));
        let (other, gone) = places.take(user(1));
        assert!(gone.is_some_and(|gone| gone != proven && gone != lone));
        places.prove(other);
        assert_eq!(places.take(user(1)).1, Some(proven));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Take(u32),
        Prove(usize),
        Leave(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..5_u32).prop_map(Step::Take),
            1 => any::<usize>().prop_map(Step::Prove),
            1 => any::<usize>().prop_map(Step::Leave),
        ]
    }

    proptest! {
        #[test]
        fn bounds_hold_and_a_newcomer_always_gets_a_place(
            in_all in 1..8_usize,
            per_origin in 1..5_usize,
            steps in prop::collection::vec(step(), 1..200),
        ) {
            let mut places = Places::new(in_all, per_origin);
            let mut model: Vec<(PlaceId, u32, bool)> = Vec::new();
            for step in steps {
                match step {
                    Step::Take(uid) => {
                        let of_origin = model.iter().filter(|place| place.1 == uid).count();
                        let (id, gone) = places.take(user(uid));
                        prop_assert_eq!(gone.is_some(), of_origin >= per_origin || model.len() >= in_all);
                        if let Some(gone) = gone {
                            let at = model.iter().position(|place| place.0 == gone).unwrap();
                            let (_, owner, proven) = model.remove(at);
                            prop_assert!(owner == uid || of_origin < per_origin);
                            let rivals = |place: &&(PlaceId, u32, bool)| of_origin < per_origin || place.1 == uid;
                            prop_assert!(!proven || model.iter().filter(rivals).all(|place| place.2));
                            let older = |place: &&(PlaceId, u32, bool)| {
                                place.1 == owner && place.2 == proven && place.0 < gone
                            };
                            prop_assert_eq!(model.iter().filter(older).count(), 0);
                        }
                        model.push((id, uid, false));
                    }
                    Step::Prove(which) if !model.is_empty() => {
                        let at = which % model.len();
                        model[at].2 = true;
                        places.prove(model[at].0);
                    }
                    Step::Leave(which) if !model.is_empty() => {
                        places.leave(model.remove(which % model.len()).0);
                    }
                    Step::Prove(_) | Step::Leave(_) => {}
                }
                prop_assert!(places.len() <= in_all);
                prop_assert_eq!(places.len(), model.len());
                for uid in 0..5 {
                    let expected = model.iter().filter(|place| place.1 == uid).count();
                    prop_assert_eq!(places.len_of(user(uid)), expected);
                    prop_assert!(expected <= per_origin);
                }
            }
        }
    }
}
