use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A viewer with its palettes: the colours under each id.
#[derive(Debug, Default)]
struct Viewer(BTreeMap<PaletteId, Vec<u32>>);

impl Viewer {
    fn forget(&mut self, gone: impl Iterator<Item = PaletteId>) {
        for id in gone {
            self.0.remove(&id).expect("it goes, and is not there");
        }
    }

    /// What it draws with, before it has kept anything of the message.
    fn colours<'a>(&'a self, palette: &'a ImagePalette) -> &'a [u32] {
        match palette {
            ImagePalette::Sent(palette) => &palette.entries,
            ImagePalette::Cached(id) => self.0.get(id).expect("it is referred to, and not there"),
        }
    }

    fn keep(&mut self, (flags, palette): (BitmapFlags, ImagePalette)) {
        match (palette, flags) {
            (ImagePalette::Sent(sent), BitmapFlags::PAL_CACHE_ME) => {
                assert_ne!(sent.id, PaletteId(0));
                assert_eq!(self.0.insert(sent.id, sent.entries), None);
            }
            (ImagePalette::Sent(sent), flags) => {
                assert!(flags.is_empty() && sent.id == PaletteId(0));
            }
            (ImagePalette::Cached(_), flags) => assert_eq!(flags, BitmapFlags::PAL_FROM_CACHE),
        }
        assert!(self.0.len() <= MOST);
    }
}

/// Under a name of the guest's that means nothing.
fn palette(name: u64, colours: u32) -> Arc<Palette> {
    let len = colours % 300;
    Arc::new(Palette { id: PaletteId(name), entries: (0..len).map(|at| at ^ colours).collect() })
}

fn show(cache: &mut PaletteCache, palette: &Arc<Palette>) -> BitmapFlags {
    let mut message = cache.begin();
    let (flags, _) = message.pass(palette);
    message.commit();
    flags
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_image_is_drawn_with_its_palette(
        messages in prop::collection::vec(
            (prop::collection::vec((0..3_u64, 0..200_u32), 1..4), prop::bool::weighted(0.8)),
            1..600,
        ),
    ) {
        let mut cache = PaletteCache::default();
        let mut viewer = Viewer::default();
        for (palettes, sent) in messages {
            let palettes: Vec<_> =
                palettes.into_iter().map(|(name, colours)| palette(name, colours * 7)).collect();
            let mut message = cache.begin();
            let passed: Vec<_> = palettes.iter().map(|palette| message.pass(palette)).collect();
            if !sent {
                continue;
            }
            message.commit();
            viewer.forget(cache.take_gone());
            for (palette, (_, passed)) in palettes.iter().zip(&passed) {
                prop_assert_eq!(viewer.colours(passed), &palette.entries[..]);
            }
            passed.into_iter().for_each(|passed| viewer.keep(passed));
        }
    }
}

#[test]
fn a_palette_is_its_colours_and_not_its_name() {
    let mut cache = PaletteCache::default();
    assert_eq!(show(&mut cache, &palette(0, 16)), BitmapFlags::PAL_CACHE_ME);
    assert_eq!(show(&mut cache, &palette(5, 16)), BitmapFlags::PAL_FROM_CACHE);
    assert_eq!(show(&mut cache, &palette(5, 17)), BitmapFlags::PAL_CACHE_ME);
    let first = palette(0, 16);
    assert_eq!(show(&mut cache, &first), BitmapFlags::PAL_FROM_CACHE);
    cache.forget_all();
    assert_eq!(show(&mut cache, &first), BitmapFlags::PAL_CACHE_ME);
}

#[test]
fn a_message_does_not_refer_to_a_palette_that_it_brings() {
    let mut cache = PaletteCache::default();
    let mut message = cache.begin();
    assert_eq!(message.pass(&palette(1, 16)).0, BitmapFlags::PAL_CACHE_ME);
    assert_eq!(message.pass(&palette(1, 16)).0, BitmapFlags::empty());
    message.commit();
    assert_eq!(show(&mut cache, &palette(1, 16)), BitmapFlags::PAL_FROM_CACHE);
}

#[test]
fn a_palette_with_colours_that_no_pixel_has_is_not_kept() {
    let mut cache = PaletteCache::default();
    for _ in 0..2 {
        assert_eq!(show(&mut cache, &palette(1, 256)), BitmapFlags::PAL_CACHE_ME);
        assert_eq!(show(&mut cache, &palette(1, 257)), BitmapFlags::empty());
        cache.forget_all();
    }
}

#[test]
fn the_palette_that_was_not_used_longest_goes() {
    let mut cache = PaletteCache::default();
    let one = |colour| Arc::new(Palette { id: PaletteId(1), entries: vec![colour] });
    for colour in 0..128 {
        assert_eq!(show(&mut cache, &one(colour)), BitmapFlags::PAL_CACHE_ME);
    }
    assert_eq!(show(&mut cache, &one(0)), BitmapFlags::PAL_FROM_CACHE);
    assert_eq!(cache.take_gone().count(), 0);
    assert_eq!(show(&mut cache, &one(128)), BitmapFlags::PAL_CACHE_ME);
    assert_eq!(cache.take_gone().collect::<Vec<_>>(), [PaletteId(id(&[1]))]);
}
