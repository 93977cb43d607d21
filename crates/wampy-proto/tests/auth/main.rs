//! The proofs of every authmethod: test vectors of others, and both sides against each other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod cryptosign;
mod exchange;
mod scram;
mod stored;
mod ticket;
mod two_factors;
mod wampcra;
