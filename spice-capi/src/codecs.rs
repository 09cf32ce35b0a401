//! Lists of video codecs, `encoder:codec;encoder:codec;...`, the dearest first (`spice_server_set_video_codecs`).

const CODECS: [&str; 5] = ["mjpeg", "vp8", "h264", "vp9", "h265"];

fn is_known(pair: &str) -> bool {
    match pair.split_once(':') {
        Some(("spice", codec)) => codec == "mjpeg",
        Some(("gstreamer", codec)) => CODECS.contains(&codec),
        _ => false,
    }
}

/// What is known of a list by the C library's names, in its order; nothing where all of it is unknown.
pub(crate) fn known_codecs(list: &str) -> Option<String> {
    let mut known = Vec::new();
    for pair in list.split(';').filter(|pair| !pair.is_empty()) {
        if is_known(pair) {
            known.push(pair);
        } else {
            tracing::warn!("there is no video encoder and codec `{pair}`");
        }
    }
    (!known.is_empty()).then(|| known.join(";"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_list_is_kept_in_its_order() {
        assert_eq!(
            known_codecs(";;spice:mjpeg;;gstreamer:h265;").as_deref(),
            Some("spice:mjpeg;gstreamer:h265")
        );
        assert_eq!(known_codecs("spice:vp8;x;gstreamer:vp8").as_deref(), Some("gstreamer:vp8"));
        for none in [
            "",
            ";",
            ";:;",
            "::::",
            "spice",
            ":mjpeg",
            "spice:",
            "spice&:mjpeg",
            "spice:mjpeg&",
            "other:mjpeg",
        ] {
            assert_eq!(known_codecs(none), None, "{none}");
        }
    }
}
