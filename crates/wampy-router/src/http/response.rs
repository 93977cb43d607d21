//! Answers to HTTP requests, and the headers that all of them have.

use bytes::Bytes;
use http_body_util::Full;
use hyper::StatusCode;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ALLOW, CACHE_CONTROL, CONTENT_TYPE,
    HeaderValue, VARY, X_CONTENT_TYPE_OPTIONS,
};

use super::full;

pub(super) type Response = hyper::Response<Full<Bytes>>;

/// An answer for people.
pub(super) fn text(status: StatusCode, text: &str) -> Response {
    with_body(status, "text/plain; charset=utf-8", format!("{text}\n"))
}

/// An answer with a body of this type.
pub(super) fn with_body(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// An answer without a body.
pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// The request's method is not the one there is.
pub(super) fn wrong_method(allowed: &'static str) -> Response {
    let problem = format!("Only {allowed} is possible here.");
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, &problem);
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// What a browser asks before it sends a request from a page of another origin.
pub(super) fn preflight() -> Response {
    let mut response = empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("GET, POST");
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    let names = HeaderValue::from_static("Content-Type");
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

/// Lets a page of `origin`, which is an allowed one if the answer is no refusal, read the answer.
pub(super) fn for_browsers(origin: Option<HeaderValue>, response: &mut Response) {
    let is_refusal = response.status() == StatusCode::FORBIDDEN;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(X_CONTENT_TYPE_OPTIONS, nosniff);
    headers.insert(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin
        && !is_refusal
    {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        // Pages send cookies with their requests only if this is said.
        let yes = HeaderValue::from_static("true");
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
}
