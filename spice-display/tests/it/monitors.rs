//! What viewers are told of the guest's monitors, and what the guest may know of viewers.

use spice_channel::{Channel, ChannelLink, ClientId, PipeLimits};
use spice_client::DisplayModel;
use spice_display::qxl::{Clip, DeviceEvent, DrawCopy, DrawOp, GuestEvent, Image, PrimarySurface};
use spice_proto::caps::{Capabilities, CapabilitySet, DisplayCap};
use spice_proto::display::{Head, MonitorsConfig, SurfaceFormat};
use spice_proto::{HeaderKind, Rect, SurfaceId};

use crate::lab::{Encoders, Lab};
use crate::scene::{SIDE, draw, fill, primary, soft};

/// `SPICE_MSG_DISPLAY_MONITORS_CONFIG`, `SPICE_MSG_DISPLAY_MARK`.
const MONITORS: u16 = 317;
const MARK: u16 = 102;

fn lab() -> Lab {
    Lab::new(PipeLimits { items: 8, bytes: 64 << 10 })
}

fn head(monitor_id: u32, x: u32, width: u32) -> Head {
    Head { monitor_id, surface_id: SurfaceId::PRIMARY, width, height: SIDE, x, y: 0, flags: 0 }
}

fn monitors(heads: &[Head]) -> GuestEvent {
    let config = MonitorsConfig { max_allowed: 4, heads: heads.to_vec() };
    GuestEvent::Device(DeviceEvent::Monitors(config))
}

fn model(lab: &mut Lab, id: ClientId) -> &DisplayModel {
    &lab.viewer(id).model
}

#[test]
fn before_the_guest_says_anything_one_monitor_shows_all_of_the_primary_surface() {
    let mut lab = lab();
    let early = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    assert_eq!(model(&mut lab, early).count(MONITORS), 0);
    lab.event(primary()).unwrap();
    let late = lab.join(HeaderKind::Full, false, usize::MAX);
    lab.run_until_idle();
    for id in [early, late] {
        assert_eq!(model(&mut lab, id).monitors(), [head(0, 0, SIDE)]);
        assert_eq!((model(&mut lab, id).count(MONITORS), model(&mut lab, id).count(MARK)), (1, 1));
    }
    let another = PrimarySurface { width: 20, height: SIDE, format: SurfaceFormat::RGB32, content: None };
    lab.event(GuestEvent::Device(DeviceEvent::CreatePrimary(another))).unwrap();
    lab.run_until_idle();
    assert_eq!(model(&mut lab, early).monitors(), [head(0, 0, 20)]);
}

#[test]
fn what_the_guest_says_is_told_now_and_to_those_who_come_later() {
    let mut lab = lab();
    lab.event(primary()).unwrap();
    let here = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    // One is switched off, and one lies outside of the surface.
    let off = Head { height: 0, ..head(1, 24, 24) };
    lab.event(monitors(&[head(0, 0, 24), off, head(2, 24, 0), head(3, 1000, 24)])).unwrap();
    lab.run_until_idle();
    let later = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    for (id, count) in [(here, 2), (later, 1)] {
        assert_eq!(model(&mut lab, id).monitors(), [head(0, 0, 24), head(3, 1000, 24)]);
        assert_eq!(model(&mut lab, id).count(MONITORS), count);
    }
    lab.event(monitors(&[off])).unwrap();
    lab.run_until_idle();
    assert_eq!(model(&mut lab, here).count(MONITORS), 2, "no monitor at all is no word");
}

#[test]
fn of_a_display_without_a_primary_surface_no_monitor_is_told() {
    let mut lab = lab();
    let here = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    lab.event(monitors(&[head(0, 0, 30)])).unwrap();
    lab.run_until_idle();
    assert_eq!(model(&mut lab, here).count(MONITORS), 0);
    // The guest's word was of the surface before; of this one it will say it anew. Who knows no monitor is told of one.
    lab.event(primary()).unwrap();
    lab.run_until_idle();
    assert_eq!(model(&mut lab, here).monitors(), [head(0, 0, SIDE)]);
}

#[test]
fn changes_cost_a_viewer_that_does_not_read_one_message() {
    let mut lab = lab();
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    let before = model(&mut lab, viewer).count(MONITORS);
    lab.viewer(viewer).rate = 0;
    for width in 1..10_000 {
        lab.event(monitors(&[head(0, 0, width)])).unwrap();
        lab.event(fill(0, Rect::new(0, 0, 48, 48), width)).unwrap();
        if width % 10 == 0 {
            lab.step();
        }
    }
    // What had left for the socket before there was no room, and the last.
    let room = 256 << 10;
    let sent = lab.worker.display().viewer_stats(lab.now).next().unwrap().1.in_flight;
    assert!(sent < room + 4096, "{sent}");
    lab.run_until_idle();
    assert_eq!(model(&mut lab, viewer).monitors(), [head(0, 0, 9999)]);
    let told = model(&mut lab, viewer).count(MONITORS) - before;
    assert!((1..=1000).contains(&told), "{told}");
}

#[test]
fn changes_do_not_pile_up_behind_a_picture_that_is_packed() {
    let mut lab = lab();
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    lab.encoders = Encoders::Stuck;
    let area = Rect::new(0, 0, SIDE, SIDE);
    let image = Image::bitmap(0, soft(SIDE, SIDE, 2));
    lab.event(draw(0, area, Clip::None, DrawOp::Copy(DrawCopy::put(image, area)))).unwrap();
    let before = model(&mut lab, viewer).count(MONITORS);
    for width in 1..10_000 {
        lab.event(monitors(&[head(0, 0, width)])).unwrap();
        lab.step();
    }
    lab.encoders = Encoders::Prompt;
    lab.run_until_idle();
    assert_eq!(model(&mut lab, viewer).monitors(), [head(0, 0, 9999)]);
    let told = model(&mut lab, viewer).count(MONITORS) - before;
    assert!((1..20).contains(&told), "{told}");
}

#[test]
fn a_guest_that_says_what_its_monitors_show_is_waited_for_after_a_new_primary_surface() {
    let mut lab = lab();
    lab.event(primary()).unwrap();
    let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.event(monitors(&[head(0, 0, 24), head(1, 24, 24)])).unwrap();
    lab.run_until_idle();
    let told = model(&mut lab, viewer).count(MONITORS);

    lab.event(GuestEvent::Device(DeviceEvent::DestroyPrimary)).unwrap();
    lab.event(primary()).unwrap();
    lab.run_until_idle();
    let newcomer = lab.join(HeaderKind::Mini, true, usize::MAX);
    lab.run_until_idle();
    assert_eq!(model(&mut lab, viewer).monitors().len(), 2);
    assert_eq!((model(&mut lab, viewer).count(MONITORS), model(&mut lab, viewer).count(MARK)), (told, 2));
    assert_eq!(model(&mut lab, newcomer).monitors(), [head(0, 0, SIDE)]);
    lab.event(monitors(&[head(0, 0, 40)])).unwrap();
    lab.run_until_idle();
    assert_eq!(model(&mut lab, viewer).monitors(), [head(0, 0, 40)]);
    assert_eq!(model(&mut lab, newcomer).monitors(), [head(0, 0, 40)]);
}

#[test]
fn a_guest_whose_driver_is_gone_is_not_waited_for() {
    for unload_first in [true, false] {
        let mut lab = lab();
        lab.event(primary()).unwrap();
        let viewer = lab.join(HeaderKind::Mini, true, usize::MAX);
        lab.event(monitors(&[head(0, 0, 24), head(1, 24, 24)])).unwrap();
        lab.run_until_idle();
        let unload = GuestEvent::Device(DeviceEvent::DriverUnload);
        let events = if unload_first { [unload, primary()] } else { [primary(), unload] };
        for event in events {
            lab.event(event).unwrap();
            lab.run_until_idle();
        }
        assert_eq!(model(&mut lab, viewer).monitors(), [head(0, 0, SIDE)]);
    }
}

#[test]
fn a_guest_may_know_what_any_of_its_viewers_can_do() {
    const ASKED: [DisplayCap; 4] = [
        DisplayCap::SIZED_STREAM,
        DisplayCap::MONITORS_CONFIG,
        DisplayCap::COMPOSITE,
        DisplayCap::A8_SURFACE,
    ];
    let mut lab = lab();
    let known = |lab: &Lab| ASKED.map(|cap| lab.worker.display().any_viewer_has(cap));
    assert_eq!(known(&lab), [false; 4]);
    lab.join(HeaderKind::Mini, false, usize::MAX);
    assert_eq!(known(&lab), [false, true, false, false]);
    let able = lab.join(HeaderKind::Mini, true, usize::MAX);
    assert_eq!(known(&lab), [false, true, true, true]);
    let streams = CapabilitySet::new([DisplayCap::SIZED_STREAM.0]);
    let caps = Capabilities { common: CapabilitySet::default(), channel: streams };
    lab.worker.display_mut().connect(ClientId(77), ChannelLink { caps }, lab.now);
    lab.leave(able);
    assert_eq!(known(&lab), [true, true, false, false]);
}
