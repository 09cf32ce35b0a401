//! What a drawing command has become for viewers.

use std::iter::successors;
use std::sync::{Arc, OnceLock};

use spice_proto::Body;

use crate::image::{Method, Packing};

/// How the images of a command are packed.
pub(super) type Methods = [Method; 3];

/// The messages of one command, a number and a body each. Each is made once, for all viewers whose packings choose the
/// same methods for the command's images.
#[derive(Debug, Default)]
pub(super) struct Messages(OnceLock<Box<Made>>);

/// What one packing has chosen and got, and what comes after it: no more than there are packings.
#[derive(Debug)]
struct Made {
    packing: Packing,
    methods: Methods,
    message: Option<Arc<(u16, Body)>>,
    next: OnceLock<Box<Self>>,
}

impl Messages {
    /// The message for a packing, which chooses `methods`; none where there is none to `make`.
    pub(super) fn message(
        &self,
        packing: Packing,
        methods: impl FnOnce() -> Methods,
        make: impl FnOnce() -> Option<(u16, Body)>,
    ) -> Option<&(u16, Body)> {
        let mut place = &self.0;
        while let Some(made) = place.get()
            && made.packing != packing
        {
            place = &made.next;
        }
        let made = place.get_or_init(|| {
            let methods = methods();
            let message = match self.iter().find(|made| made.methods == methods) {
                Some(made) => made.message.clone(),
                None => make().map(Arc::new),
            };
            Box::new(Made { packing, methods, message, next: OnceLock::new() })
        });
        made.message.as_deref()
    }

    fn iter(&self) -> impl Iterator<Item = &Made> {
        let first = self.0.get().map(|made| &**made);
        successors(first, |made| made.next.get().map(|made| &**made))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Compression;

    #[test]
    fn a_message_is_made_once_for_all_packings_that_choose_the_same_methods() {
        let messages = Messages::default();
        let mut made = 0;
        let mut ask = |compression, lz4, method| {
            let make = || {
                made += 1;
                Some((made, Body::default()))
            };
            messages
                .message(Packing::new(compression, lz4), || [method, Method::Raw, Method::Raw], make)
                .unwrap()
                .0
        };
        assert_eq!(ask(Compression::AutoLz, true, Method::Quic), 1);
        assert_eq!(ask(Compression::AutoLz, false, Method::Quic), 1);
        assert_eq!(ask(Compression::Quic, true, Method::Quic), 1);
        assert_eq!(ask(Compression::Lz, true, Method::Lz), 2);
        assert_eq!(ask(Compression::AutoLz, true, Method::Quic), 1);
        assert_eq!(ask(Compression::Lz4, false, Method::Lz), 2);
        assert_eq!(ask(Compression::Lz4, true, Method::Lz4), 3);
    }

    #[test]
    fn a_packing_chooses_once_and_what_makes_no_message_is_not_tried_again() {
        let messages = Messages::default();
        let packing = Packing::new(Compression::Lz, false);
        assert!(messages.message(packing, || [Method::Raw; 3], || None).is_none());
        let again = messages.message(packing, || panic!("chosen already"), || panic!("tried already"));
        assert!(again.is_none());
    }
}
