//! POST requests to one host, one after the other over a connection that is kept.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::task::JoinHandle;

use crate::connect_options::ConnectOptions;
use crate::dial::dial;
use crate::error::ConnectProblem;
use crate::url::Url;

/// Where requests go, and how.
#[derive(Debug)]
pub(super) struct Target {
    url: Url,
    options: ConnectOptions,
}

impl Target {
    pub(super) fn new(url: &Url, options: &ConnectOptions) -> Self {
        Self {
            url: url.clone(),
            options: options.clone(),
        }
    }
}

/// A connection, made when it is needed.
#[derive(Debug)]
pub(super) struct Http {
    target: Arc<Target>,
    connected: Option<Connected>,
}

#[derive(Debug)]
struct Connected {
    requests: SendRequest<Full<Bytes>>,
    /// Moves the bytes; ended with the connection.
    driver: JoinHandle<()>,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Http {
    pub(super) fn new(target: Arc<Target>) -> Self {
        Self {
            target,
            connected: None,
        }
    }

    /// Sends a request: the status and the body that it is answered with.
    ///
    /// A connection that was kept may have been closed meanwhile. Where that shows before the request
    /// is sent, another one is made; where it shows later, the request may have been heard, and is not
    /// repeated.
    pub(super) async fn post(
        &mut self,
        path: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), ConnectProblem> {
        let mut request = self.request(path, body)?;
        loop {
            let was_kept = self.connected.is_some();
            match self
                .connection()
                .await?
                .requests
                .try_send_request(request)
                .await
            {
                Ok(response) => return self.whole(response).await,
                Err(mut failed) => {
                    self.connected = None;
                    match failed.take_message() {
                        Some(unsent) if was_kept => request = unsent,
                        _ => return Err(io_problem(failed.into_error())),
                    }
                }
            }
        }
    }

    fn request(&self, path: &str, body: Bytes) -> Result<Request<Full<Bytes>>, ConnectProblem> {
        let Target { url, options } = &*self.target;
        let mut request = Request::post(path)
            .header(HOST, url.authority())
            .header(CONTENT_TYPE, "application/json");
        for (name, value) in &options.headers {
            request = request.header(name, value);
        }
        if let Some(cookie) = options.cookie(url) {
            request = request.header(COOKIE, cookie);
        }
        let invalid = |error: hyper::http::Error| ConnectProblem::Io(std::io::Error::other(error));
        request.body(Full::new(body)).map_err(invalid)
    }

    async fn connection(&mut self) -> Result<&mut Connected, ConnectProblem> {
        let is_open = match &mut self.connected {
            Some(connected) => connected.requests.ready().await.is_ok(),
            None => false,
        };
        if !is_open {
            self.connected = None;
        }
        if self.connected.is_none() {
            let stream = dial(&self.target.url, &self.target.options).await?;
            let (requests, driver) = http1::handshake(TokioIo::new(stream))
                .await
                .map_err(io_problem)?;
            let driver = tokio::spawn(async move {
                // How it ends shows in the requests.
                let _ = driver.await;
            });
            self.connected = Some(Connected { requests, driver });
        }
        self.connected.as_mut().ok_or(ConnectProblem::Closed)
    }

    async fn whole(
        &self,
        response: Response<hyper::body::Incoming>,
    ) -> Result<(StatusCode, Bytes), ConnectProblem> {
        let status = response.status();
        if let Some(jar) = &self.target.options.cookies {
            for cookie in response.headers().get_all(SET_COOKIE) {
                jar.take_from(&self.target.url, cookie.as_bytes());
            }
        }
        let bytes_max = self.target.options.message_bytes_max;
        let body = Limited::new(response.into_body(), bytes_max).collect();
        let body = body.await.map_err(|error| {
            let problem = format!("the answer of the router cannot be read: {error}");
            ConnectProblem::Io(std::io::Error::other(problem))
        })?;
        Ok((status, body.to_bytes()))
    }
}

fn io_problem(error: hyper::Error) -> ConnectProblem {
    ConnectProblem::Io(std::io::Error::other(error))
}
