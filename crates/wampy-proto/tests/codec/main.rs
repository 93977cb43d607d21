//! Tests of the messages and serializers through the public interface.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod bridge;
mod hostile;
mod messages;
mod options;
mod oracle;
mod readers;
mod refused;
mod round_trip;
mod transcoding;
mod undefined_options;
mod values;
mod wire;
