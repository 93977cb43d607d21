//! How a client proves who it is: the arithmetic of every authmethod that has a CHALLENGE, for both
//! sides.
//!
//! A router has a [`Challenger`] for each client, over what it stores of the user ([`Credentials`]);
//! a client has a [`Signer`] for each session, over what it knows ([`Means`]). Each method is a
//! module of its own. Time and randomness are arguments.
//!
//! Deliberately absent: who may join which realm in which role (the router's configuration),
//! authentication by the transport (cookies, TLS certificates), and slowing down those who guess.

mod applicant;
mod binary;
mod challenger;
pub mod channel;
mod credential;
pub mod cryptosign;
mod outcome;
pub mod scram;
mod secret;
mod signer;
pub mod ticket;
pub mod wampcra;

pub use applicant::Applicant;
pub use challenger::{Challenger, Proof, Step};
pub use channel::ChannelId;
pub use credential::{AuthMethod, Credential, Credentials};
pub use cryptosign::{Cryptosign, PrivateKey, PublicKey};
pub use outcome::{Culprit, Denied, SignError};
pub use scram::{CostBounds, Scram, ScramCredential};
pub use secret::Secret;
pub use signer::{Means, Signer};
pub use wampcra::CraCredential;
