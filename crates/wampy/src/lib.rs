//! A client for WAMP, the Web Application Messaging Protocol: remote procedure calls and
//! publish/subscribe over one connection to a router.
//!
//! ```
//! use wampy::{Client, Invocation};
//!
//! # wampy::doc_example(async |url| {
//! # /*
//! let client = Client::connect("ws://localhost:8080").await?;
//! # */ let client = Client::connect(url).await?;
//!
//! // Offer a procedure, and call it, here or in any other program.
//! client.register("com.example.add", async |invocation: Invocation| {
//!     let (a, b): (i64, i64) = invocation.args()?;
//!     Ok(a + b)
//! }).await?;
//! let sum: i64 = client.call("com.example.add").args((1, 2)).await?.value()?;
//! assert_eq!(sum, 3);
//!
//! // Listen to a topic, and publish to it.
//! let mut events = client.subscribe("com.example.news").await?;
//! client.publish("com.example.news").args(("It works",)).exclude_me(false).await?;
//! let event = events.next().await.expect("the session is open");
//! assert_eq!(event.args::<(String,)>()?.0, "It works");
//!
//! client.close().await?;
//! # Ok(()) });
//! ```
//!
//! # Where to look
//!
//! [`Client`] is where everything starts. [`Builder`] holds what can be chosen: realm, serializer,
//! time limits, [`Reconnect`], and how the client proves who it is ([`auth`]). [`Error`] says who did what wrong. [`proto`] has what the protocol
//! itself knows: payloads, ids, messages.
//!
#![cfg_attr(
    feature = "router",
    doc = r#"
# A router in the program

With the feature `router` a program can bring its own router:

```
# wampy::doc_example(async |_| {
let router = wampy::Router::builder().listen("127.0.0.1:0").realm("realm1").start().await.expect("a free port");
let client = wampy::Client::connect(router.url()).await?;
# client.close().await?;
router.shutdown().await;
# Ok(()) });
```
"#
)]
//! Deliberately absent: threads and runtimes of its own (it runs on the tokio runtime of the
//! program), and blocking calls.

pub mod auth;
mod builder;
mod call;
mod call_result;
mod client;
mod description;
mod duplex;
mod encryption;
mod error;
mod event;
mod invocation;
mod limits;
mod meta;
mod options;
mod parts;
mod pending_call;
mod progressive;
mod publish;
mod queue;
mod reconnect;
mod register;
mod reply;
mod request_future;
mod responder;
mod session;
mod status;
mod subscribe;
mod told_call;
mod values;
mod wamp_error;

pub use builder::Builder;
pub use call::Call;
pub use call_result::CallResult;
pub use client::Client;
pub use description::{Described, Description};
pub use duplex::CallInput;
pub use error::Error;
pub use event::Event;
pub use invocation::Invocation;
pub use limits::Limits;
pub use meta::{EventHistory, HistoryOf, HistoryPage, PastEvent, Testament, TestamentScope};
pub use parts::{Part, Parts};
pub use progressive::ProgressiveCall;
pub use publish::Publish;
pub use reconnect::Reconnect;
pub use register::{Register, Registration};
pub use reply::{IntoReply, Reply};
pub use responder::Responder;
pub use status::Status;
pub use subscribe::{Subscribe, Subscription};
pub use told_call::{Answers, Made, Sending, ToldCalls};
pub use wamp_error::{DECRYPTION_FAILED, RUNTIME_ERROR, TOO_MANY_PARTS, WampError};
/// The protocol: messages, payloads, serializers, ids, URIs.
pub use wampy_proto as proto;
/// All of the embedded router: its limits, its errors, its statistics.
#[cfg(feature = "router")]
pub use wampy_router as router;
#[cfg(feature = "router")]
pub use wampy_router::Router;
pub use wampy_transport::{ConnectError, ConnectProblem, CookieJar, IpVersion};

#[cfg(feature = "router")]
mod doc_example;
#[cfg(feature = "router")]
#[doc(hidden)]
pub use doc_example::doc_example;

/// The readme's Rust example, which is a test like all others.
#[cfg(all(doctest, feature = "router"))]
#[doc = include_str!("../../../README.md")]
struct Readme;
