//! Which request goes where.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, put};

use super::control::Control;
use super::guard::{Way, guard};
use super::json::{MOST, Refusal};
use super::{metrics, quality, tickets, viewers};

/// All routes, for requests that come this way.
pub(super) fn router<C: Control>(control: C, way: Way) -> Router {
    Router::new()
        .route("/healthz", get(metrics::health::<C>))
        .route("/metrics", get(metrics::metrics::<C>))
        .route("/viewers", get(viewers::list::<C>))
        .route("/viewers/{id}", delete(viewers::disconnect::<C>))
        .route("/viewers/{id}/role", put(viewers::set_role::<C>))
        .route("/tickets", get(tickets::list::<C>).post(tickets::add::<C>))
        .route("/tickets/{id}", delete(tickets::revoke::<C>))
        .route("/tickets/{id}/expiry", put(tickets::expire::<C>))
        .route("/quality", get(quality::show::<C>).put(quality::change::<C>))
        .fallback(async |uri: Uri| Refusal::not_found(format!("there is no `{}`", uri.path())))
        .method_not_allowed_fallback(async || {
            Refusal(StatusCode::METHOD_NOT_ALLOWED, "that cannot be done there".into())
        })
        .layer(DefaultBodyLimit::max(MOST))
        .layer(from_fn_with_state(way, guard))
        .with_state(control)
}
