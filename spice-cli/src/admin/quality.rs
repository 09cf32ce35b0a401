//! `/quality`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use spice_display::{Compression, WanCompression};

use super::control::Control;
use super::json::{Body, Refusal, answer};
use crate::args::Text;
use crate::plan::Quality;

#[derive(Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
struct Shown {
    image_compression: &'static str,
    jpeg_wan_compression: &'static str,
    zlib_glz_wan_compression: &'static str,
}

fn shown(quality: Quality) -> Response {
    let shown = Shown {
        image_compression: quality.compression.name(),
        jpeg_wan_compression: quality.jpeg.name(),
        zlib_glz_wan_compression: quality.zlib_glz.name(),
    };
    answer(StatusCode::OK, &shown)
}

pub(super) async fn show<C: Control>(State(control): State<C>) -> Response {
    shown(control.quality())
}

/// What is left out stays.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Change {
    image_compression: Option<Text<Compression>>,
    jpeg_wan_compression: Option<Text<WanCompression>>,
    zlib_glz_wan_compression: Option<Text<WanCompression>>,
}

pub(super) async fn change<C: Control>(
    State(control): State<C>,
    Body(change): Body<Change>,
) -> Result<Response, Refusal> {
    let before = control.quality();
    let quality = Quality {
        compression: change.image_compression.map_or(before.compression, |Text(it)| it),
        jpeg: change.jpeg_wan_compression.map_or(before.jpeg, |Text(it)| it),
        zlib_glz: change.zlib_glz_wan_compression.map_or(before.zlib_glz, |Text(it)| it),
    };
    control.set_quality(quality);
    Ok(shown(quality))
}
