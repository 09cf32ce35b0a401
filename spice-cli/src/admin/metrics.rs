//! `/metrics`, for Prometheus, and `/healthz`.
//!
//! What is told is made for each request out of what is here then: who is gone is in no series. Series are named by a
//! viewer's number and its display, so that there are never more than the most viewers there may be, and no address is
//! in them.

use std::sync::atomic::AtomicU64;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::registry::{Registry, Unit};
use spice_server::{Stats, ViewerStats};

use super::control::{Control, Present};
use super::json::{Refusal, answer};
use crate::stats::cpu;

/// What the text is, by its standard.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug, serde::Serialize)]
struct Health {
    status: &'static str,
}

/// A server whose owner of viewers answers serves.
pub(super) async fn health<C: Control>(State(control): State<C>) -> Result<Response, Refusal> {
    control.viewers().await.ok_or_else(Refusal::ended)?;
    Ok(answer(StatusCode::OK, &Health { status: "ok" }))
}

pub(super) async fn metrics<C: Control>(State(control): State<C>) -> Result<Response, Refusal> {
    let viewers = control.viewers().await.ok_or_else(Refusal::ended)?;
    let text = text(&control.stats(), control.linking(), &viewers, cpu())
        .map_err(|_| Refusal(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be written".into()))?;
    Ok(([(CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfViewer {
    viewer: u64,
    display: u8,
}

fn text(stats: &Stats, linking: usize, viewers: &[Present], cpu: f64) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("spice");
    of_server(&mut registry, stats, linking, cpu);
    of_viewers(&mut registry, viewers);
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(text)
}

fn of_server(registry: &mut Registry, stats: &Stats, linking: usize, cpu: f64) {
    let Stats { viewers, commands, refused, bytes, queued, squashes, links_refused } = *stats;
    for (name, help, value) in [
        ("viewers", "Viewers that are here", viewers),
        ("linking", "Connections that are not in yet", linking as u64),
        ("queued_items", "Items in the display pipes of all viewers", queued),
    ] {
        registry.register(name, help, ConstGauge::new(value as f64));
    }
    for (name, help, value) in [
        ("commands", "Commands and events taken from the guest", commands),
        ("refused_commands", "Commands of the guest that were refused", refused),
        ("refused_links", "Connections that were not let in", links_refused),
        ("squashes", "Times that all that waited for a viewer gave way to the newest picture", squashes),
    ] {
        registry.register(name, help, ConstCounter::new(value));
    }
    registry.register_with_unit("sent", "What sockets have taken", Unit::Bytes, ConstCounter::new(bytes));
    registry.register_with_unit("cpu", "Processor time of the server", Unit::Seconds, ConstCounter::new(cpu));
}

fn of_viewers(registry: &mut Registry, viewers: &[Present]) {
    type Read = fn(&ViewerStats) -> Option<f64>;
    let gauges: [(&str, &str, Option<Unit>, Read); 9] = [
        // A display that is linked anew counts from nothing, and so does a viewer with another number: no counter.
        ("viewer_sent", "What its display was sent", Some(Unit::Bytes), |it| Some(it.bytes as f64)),
        ("viewer_updates", "Times that it was handed something to draw", None, |it| Some(it.updates as f64)),
        ("viewer_round_trip", "The least that a ping has shown", Some(Unit::Seconds), |it| {
            it.round_trip.map(|time| time.as_secs_f64())
        }),
        ("viewer_throughput_per_second", "What its link carries", Some(Unit::Bytes), |it| {
            it.throughput.map(|rate| rate as f64)
        }),
        ("viewer_in_flight", "What is on its way", Some(Unit::Bytes), |it| Some(it.in_flight as f64)),
        ("viewer_pipe_items", "What waits for it", None, |it| Some(it.queued as f64)),
        ("viewer_pipe", "How large that is", Some(Unit::Bytes), |it| Some(it.queued_bytes as f64)),
        ("viewer_damaged_pixels", "What has to be sent anew", None, |it| Some(it.damaged_pixels as f64)),
        ("viewer_squashes", "Times that it was squashed", None, |it| Some(it.squashes as f64)),
    ];
    for (name, help, unit, read) in gauges {
        let family = Family::<OfViewer, Gauge<f64, AtomicU64>>::default();
        for Present { viewer, .. } in viewers {
            for display in &viewer.displays {
                let labels = OfViewer { viewer: viewer.id.0, display: display.id.0 };
                if let Some(value) = read(&display.stats) {
                    family.get_or_create(&labels).set(value);
                }
            }
        }
        match unit {
            Some(unit) => registry.register_with_unit(name, help, unit, family),
            None => registry.register(name, help, family),
        }
    }
}
