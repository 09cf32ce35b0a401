//! How a viewer gets the pictures of what it is sent.

use std::sync::Arc;

use spice_channel::Time;
use spice_proto::display::{BitmapImage, ImageData, ImageFlags, LzPaletteImage, PaletteId, ServerMessage};
use spice_proto::{Rect, SurfaceId};

use super::super::draw::Draw;
use super::super::encoder::{Encoder, GLZ_WINDOW};
use super::super::shared::Shared;
use super::super::translate::SentImage;
use super::DisplayViewer;
use super::glz::GlzHistory;
use super::outbox::{Chosen, Outgoing, Wanted};
use crate::image::{Fidelity, Method, Packed, Picture};
use crate::surface::Sequence;

impl DisplayViewer {
    /// Has a part of a surface sent, as it is now.
    pub(super) fn push_image(
        &mut self,
        id: SurfaceId,
        area: Rect,
        jpeg: bool,
        shared: &mut Shared,
        now: Time,
    ) {
        let Some(picture) = shared.snapshots.take(id, area, &mut shared.surfaces) else { return };
        let method = match picture.method(self.packing) {
            Method::Glz(_) => Method::Lz,
            Method::Quic if jpeg => Method::Jpeg,
            method => method,
        };
        if method == Method::Jpeg {
            self.lossy.add(id, area, now);
        } else {
            self.lossy.remove(id, area);
        }
        let wanted = want(&picture, method, Sequence::default(), &mut shared.encoder);
        self.outbox.push(Outgoing::Image(id, area, wanted));
    }

    /// Chooses how the viewer gets the pictures of a command, and says whether something is lost.
    ///
    /// Only what a command copies is kept, or packed with the dictionary. Viewers may pass over other pictures without
    /// unpacking them where they draw nothing, and would wait for what refers to one for ever.
    pub(super) fn choose_pictures(
        &mut self,
        draw: &Draw,
        jpeg: bool,
        shared: &mut Shared,
    ) -> (Vec<Chosen>, bool) {
        let jpeg = jpeg && draw.may_lose();
        let mut loses = false;
        let mut is_source = draw.copies_picture();
        let mut kept = self.pixmaps.begin();
        let mut chosen = Vec::with_capacity(draw.pictures().len());
        for picture in draw.pictures() {
            let is_source = std::mem::take(&mut is_source);
            let key = if is_source { draw.key(&shared.keys) } else { None };
            if let Some(key) = key {
                if let Some((id, data)) = kept.refer(key, picture.needed()) {
                    picture.set_kept();
                    chosen.push(Chosen::Kept(id, data));
                    continue;
                }
                if jpeg && let Some((id, data)) = kept.refer(key, Fidelity::Lossy) {
                    picture.set_kept();
                    chosen.push(Chosen::Kept(id, data));
                    loses = true;
                    continue;
                }
            }
            let method = match picture.method(self.packing) {
                Method::Glz(_) if !(is_source && can_have_glz(picture, &self.glz)) => Method::Lz,
                Method::Quic if jpeg => Method::Jpeg,
                method => method,
            };
            loses |= method == Method::Jpeg;
            let mut wanted = want(picture, method, draw.sequence(), &mut shared.encoder);
            wanted.keep = key.and_then(|key| kept.bring(key, picture.fidelity(method)));
            chosen.push(Chosen::Wanted(wanted));
        }
        kept.commit();
        (chosen, loses)
    }

    /// Whether all pictures of what comes next are packed, by every method that this viewer turns out to need.
    pub(super) fn is_packed(&self, encoder: &mut Encoder) -> bool {
        let mut pictures = self.outbox.first().into_iter().flat_map(Outgoing::pictures);
        pictures.all(|wanted| match (wanted.method, wanted.packed()) {
            (_, None) => false,
            (Method::Glz(lane), Some(Packed::Glz(shared))) => {
                let Err(method) = self.glz.stream(&wanted.picture, lane, shared, self.zlib) else {
                    return true;
                };
                encoder.ask(&wanted.picture, method, wanted.sequence);
                false
            }
            _ => true,
        })
    }

    pub(super) fn sent_image(&mut self, chosen: &Chosen) -> SentImage {
        match chosen {
            Chosen::Kept(id, data) => SentImage { id: *id, flags: ImageFlags::empty(), data: data.clone() },
            Chosen::Wanted(wanted) => {
                let (id, flags) = wanted.keep.unwrap_or((0, ImageFlags::empty()));
                SentImage { id, flags, data: self.data(wanted) }
            }
        }
    }

    /// Has the viewer keep an image's palette, or refers to what it kept.
    pub(super) fn pass_palette(&mut self, data: &mut ImageData, picture: &Picture) {
        let (ImageData::Bitmap(BitmapImage { flags, palette: Some(place), .. })
        | ImageData::LzPalette(LzPaletteImage { flags, palette: place, .. })) = data
        else {
            return;
        };
        let Some(palette) = picture.palette() else { return };
        let mut kept = self.palettes.begin();
        let (kept_flags, passed) = kept.pass(palette);
        kept.commit();
        *flags |= kept_flags;
        *place = passed;
        let gone: Vec<PaletteId> = self.palettes.take_gone().collect();
        for id in gone {
            self.send(&ServerMessage::InvalPalette(id));
        }
    }

    /// The picture as this viewer gets it.
    pub(super) fn data(&mut self, wanted: &Wanted) -> ImageData {
        match (wanted.method, wanted.packed()) {
            (Method::Glz(lane), Some(Packed::Glz(shared))) => {
                match self.glz.stream(&wanted.picture, lane, shared, self.zlib) {
                    Ok(Some(stream)) => self.glz.send(&stream),
                    Ok(None) | Err(_) => wanted.picture.bare(),
                }
            }
            (_, Some(Packed::Whole(data))) => data.clone(),
            _ => wanted.picture.bare(),
        }
    }
}

/// Asks for a picture.
fn want(picture: &Arc<Picture>, method: Method, sequence: Sequence, encoder: &mut Encoder) -> Wanted {
    encoder.ask(picture, method, sequence);
    Wanted { picture: Arc::clone(picture), method, keep: None, sequence }
}

fn can_have_glz(picture: &Picture, history: &GlzHistory) -> bool {
    !picture.is_kept() && picture.pixels() < GLZ_WINDOW.into() && history.holds(picture.pixels())
}
