//! Bodies and answers: JSON both ways, and errors are sentences.

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::args::{one_line, toml_file};
use crate::stats::json;

/// The largest body that is read, in bytes.
pub(super) const MOST: usize = 16 << 10;

/// What is wrong with a request.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) StatusCode, pub(super) String);

impl Refusal {
    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, what.into())
    }

    /// The server is gone, or about to be.
    pub(super) fn ended() -> Self {
        Self(StatusCode::SERVICE_UNAVAILABLE, "the server ends".into())
    }
}

#[derive(Serialize)]
struct ErrorBody {
    error: String,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        answer(self.0, &ErrorBody { error: self.1 })
    }
}

/// An answer that nobody keeps: who looks again is to see what is then.
pub(super) fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    use axum::http::header::CACHE_CONTROL;
    (status, [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")], json(body) + "\n")
        .into_response()
}

/// A body of JSON, in which nothing is unknown.
#[derive(Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        let bytes = to_bytes(request.into_body(), MOST).await;
        let bytes = bytes.map_err(|_| {
            Refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is not whole, or has more than {MOST} bytes"),
            )
        })?;
        // serde takes a list for an object, too.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Refusal(StatusCode::BAD_REQUEST, "the body has to be a JSON object".into()));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let message = error.to_string();
            let sentence = match toml_file::unknown(&message) {
                Some(unknown) => unknown.sentence(""),
                None => one_line(&message),
            };
            Refusal(StatusCode::BAD_REQUEST, sentence)
        })
    }
}
