//! Who the client is: its HELLO, its answers to the router's challenges, and whether to believe the
//! router's WELCOME. The arithmetic is in `wampy-proto`.

use tokio::task::spawn_blocking;
use wampy_proto::auth::{ChannelId, Culprit, SignError, Signer};
use wampy_proto::message::{Authenticate, Challenge, Hello};

use crate::error::Error;
use crate::options::Options;

/// The HELLO of a new session over a connection with this `channel`, and what will answer the
/// router's challenges.
pub(super) fn hello(
    options: &Options,
    channel: Option<ChannelId>,
) -> Result<(Hello<'_>, Signer), Error> {
    let authentication = &options.authentication;
    let channel = match (authentication.binds_channel, channel) {
        (false, _) => None,
        (true, Some(channel)) => Some(channel),
        (true, None) => {
            let url = &options.url;
            let problem = format!("channel binding needs TLS 1.3, which {url} does not speak");
            return Err(Error::misuse(problem));
        }
    };
    let mut random = [0; 64];
    rand::fill(&mut random);
    let mut details = options.hello.clone();
    let means = authentication.means.clone();
    let signer = Signer::begin(means, channel, &mut details, &random)
        .map_err(|error| Error::misuse(error.problem))?;
    // By a cookie the router proves nothing.
    if options.offers_cookie
        && !signer.wants_proof()
        && let Some(jar) = &options.connect.cookies
        && jar.for_url(&options.url).is_some()
    {
        let others = details.authmethods.take().unwrap_or_default();
        let methods = std::iter::once("cookie".into()).chain(others);
        details.authmethods = Some(methods.collect());
    }
    let realm = options.realm.as_str().into();
    Ok((Hello { realm, details }, signer))
}

/// Answers a challenge. Deriving a key from a password can take seconds of work, so that is not done
/// where other tasks would have to wait for it.
pub(super) async fn answer(
    mut signer: Signer,
    challenge: Challenge<'static>,
) -> Result<(Signer, Authenticate<'static>), SignError> {
    let working = spawn_blocking(move || {
        let answer = signer.answer(&challenge)?;
        Ok((signer, answer))
    });
    working.await.unwrap_or_else(|error| {
        Err(SignError {
            culprit: Culprit::Client,
            problem: format!("the challenge cannot be answered: {error}"),
        })
    })
}

/// The program's error for what the signer says.
pub(super) fn error(options: &Options, error: &SignError) -> Error {
    match error.culprit {
        Culprit::Client => Error::misuse(error.problem.clone()),
        Culprit::Router => Error::Untrusted {
            url: options.url.to_string(),
            problem: error.problem.clone(),
        },
    }
}
