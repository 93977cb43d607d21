//! `ticket`: the client says the secret as it is. Only for connections that nobody can listen to.

use super::outcome::Denied;
use super::secret::Secret;
use crate::message::{Authenticate, AuthenticateExtra, Challenge, ChallengeExtra};

/// The authmethod's name.
pub const NAME: &str = "ticket";

/// The client's answer to a CHALLENGE.
pub fn answer(ticket: &Secret) -> Authenticate<'static> {
    Authenticate {
        signature: String::from_utf8_lossy(ticket.expose()).into_owned().into(),
        extra: AuthenticateExtra::default(),
    }
}

/// The router's CHALLENGE.
pub fn challenge() -> Challenge<'static> {
    Challenge {
        authmethod: NAME.into(),
        extra: ChallengeExtra::default(),
    }
}

/// The router's check of what the client answered.
///
/// # Errors
/// It is another ticket.
pub fn verify(ticket: &Secret, answer: &Authenticate<'_>) -> Result<(), Denied> {
    match ticket.is(answer.signature.as_bytes()) {
        true => Ok(()),
        false => Err(Denied::new("the ticket is wrong")),
    }
}
