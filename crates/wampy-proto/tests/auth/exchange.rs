//! A client's [`Signer`] and a router's [`Challenger`], with the messages between them in the open,
//! so that tests can change them.

use wampy_proto::SessionId;
use wampy_proto::Value;
use wampy_proto::auth::{
    Applicant, Challenger, ChannelId, Credential, Denied, Means, PrivateKey, Proof, SignError,
    Signer, Step,
};
use wampy_proto::message::{Authenticate, Challenge, HelloDetails, WelcomeDetails};

/// The router's own key.
pub fn router_key() -> PrivateKey {
    PrivateKey::from_seed(&[9; 32])
}

/// The two sides, before HELLO.
pub struct Exchange {
    pub hello: HelloDetails,
    /// The connection as the client and the router see it.
    pub channels: [Option<ChannelId>; 2],
    pub means: Vec<Means>,
    pub demanded: Vec<Credential>,
}

/// The two sides, after HELLO.
pub struct Begun {
    pub signer: Signer,
    pub challenger: Challenger,
    pub hello: HelloDetails,
}

impl Exchange {
    pub fn new(means: impl Into<Vec<Means>>, demanded: impl Into<Vec<Credential>>) -> Self {
        Self {
            hello: HelloDetails {
                authid: Some("joe".into()),
                ..HelloDetails::default()
            },
            channels: [None, None],
            means: means.into(),
            demanded: demanded.into(),
        }
    }

    pub fn over(mut self, client: [u8; 32], router: [u8; 32]) -> Self {
        self.channels = [Some(client.into()), Some(router.into())];
        self
    }

    pub fn begin(self) -> Begun {
        let Self {
            mut hello,
            channels: [client, router],
            means,
            demanded,
        } = self;
        let random = std::array::from_fn(|i| i as u8);
        let signer = Signer::begin(means.into(), client, &mut hello, &random).expect("a HELLO");
        let applicant = Applicant {
            session: SessionId::try_from(3_251_278_072_152_162).expect("an id"),
            authid: hello.authid.clone().unwrap_or("joe".into()).into(),
            authrole: "user".into(),
            authprovider: "userdb".into(),
            timestamp: "2014-06-22T16:36:25.448Z".into(),
            channel: router,
            router_key: Some(router_key()),
        };
        let challenger = Challenger::new(applicant, &hello, demanded);
        Begun {
            signer,
            challenger,
            hello,
        }
    }

    /// The whole exchange, undisturbed: what the client says to WELCOME in the end.
    pub fn run(self) -> Result<(), Failed> {
        let mut begun = self.begin();
        let mut step = begun.challenger.next(&[50; 32]).map_err(Failed::Router)?;
        for round in 51.. {
            match step {
                Step::Proven(proof) => {
                    return begun
                        .signer
                        .check_welcome(&welcome(&proof))
                        .map_err(Failed::Client);
                }
                Step::Challenge(challenge) => {
                    let answer = begun.signer.answer(&challenge).map_err(Failed::Client)?;
                    let random = [round; 32];
                    step = begun
                        .challenger
                        .verify(&answer, &random)
                        .map_err(Failed::Router)?;
                }
            }
        }
        unreachable!("the router asks without end");
    }
}

/// Who ended an exchange.
#[derive(Debug, PartialEq)]
pub enum Failed {
    Client(SignError),
    Router(Denied),
}

impl Begun {
    /// The router's first challenge.
    pub fn challenge(&mut self) -> Challenge<'static> {
        match self.challenger.next(&[50; 32]) {
            Ok(Step::Challenge(challenge)) => challenge,
            other => panic!("no challenge: {other:?}"),
        }
    }

    pub fn verify(&mut self, answer: &Authenticate<'_>) -> Result<Proof, Denied> {
        match self.challenger.verify(answer, &[51; 32])? {
            Step::Proven(proof) => Ok(proof),
            Step::Challenge(_) => panic!("another challenge"),
        }
    }
}

/// The WELCOME that follows from `proof`.
pub fn welcome(proof: &Proof) -> WelcomeDetails {
    WelcomeDetails {
        authextra: Some(Value::Map(proof.authextra.clone())),
        ..WelcomeDetails::default()
    }
}
