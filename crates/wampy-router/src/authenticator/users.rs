//! The users of a realm, found by what they come with; and what stands for users that do not exist.

use std::collections::HashMap;
use std::sync::Arc;

use wampy_proto::auth::{AuthMethod, Credential, PublicKey, Secret, wampcra};

use crate::settings::User;
use wampy_transport::PeerCertificate;

/// The users of a realm.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Users {
    all: Vec<Arc<User>>,
    with_keys: Vec<Arc<User>>,
    by_authid: HashMap<Box<str>, Arc<User>>,
    by_key: HashMap<PublicKey, Arc<User>>,
    by_certificate: HashMap<[u8; 32], Arc<User>>,
    by_certificate_name: HashMap<Box<str>, Arc<User>>,
}

/// Two users cannot be told apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two users have the same {what}: {authid:?} and {other:?}")]
pub struct AmbiguousUsers {
    /// What they share.
    pub what: &'static str,
    /// The first of them.
    pub authid: Box<str>,
    /// The second.
    pub other: Box<str>,
}

impl Users {
    pub(crate) fn new(users: impl IntoIterator<Item = User>) -> Result<Self, AmbiguousUsers> {
        let mut table = Self::default();
        for user in users {
            table.insert(Arc::new(user))?;
        }
        Ok(table)
    }

    /// Adds a user.
    ///
    /// # Errors
    /// Another has something by which this one is to be found.
    pub(crate) fn insert(&mut self, user: Arc<User>) -> Result<(), AmbiguousUsers> {
        insert(&mut self.by_authid, user.authid.clone(), &user, "authid")?;
        for key in &user.credentials.cryptosign {
            insert(&mut self.by_key, *key, &user, "public key")?;
        }
        for certificate in &user.certificates {
            insert(&mut self.by_certificate, *certificate, &user, "certificate")?;
        }
        for name in &user.certificate_names {
            insert(
                &mut self.by_certificate_name,
                name.clone(),
                &user,
                "certificate name",
            )?;
        }
        if !user.credentials.cryptosign.is_empty() {
            self.with_keys.push(Arc::clone(&user));
        }
        self.all.push(user);
        Ok(())
    }

    pub(super) fn by_authid(&self, authid: &str) -> Option<Arc<User>> {
        self.by_authid.get(authid).cloned()
    }

    pub(super) fn by_key(&self, key: PublicKey) -> Option<Arc<User>> {
        self.by_key.get(&key).cloned()
    }

    /// The user of exactly this certificate, else of the first of its names that is a user's.
    pub(super) fn by_certificate(&self, certificate: &PeerCertificate) -> Option<Arc<User>> {
        let names = certificate
            .common_name
            .iter()
            .chain(&certificate.alternative_names);
        self.by_certificate
            .get(&certificate.fingerprint.0)
            .or_else(|| {
                names
                    .filter_map(|name| self.by_certificate_name.get(&**name))
                    .next()
            })
            .cloned()
    }

    /// The user whose ways an unknown `authid` imitates, always the same: the same methods, the same
    /// parameters, the same role. One with a key if the client came by a key alone. Takes the same time
    /// however many users there are.
    fn model(&self, authid: &str, seed: &Secret, by_key_alone: bool) -> Option<&Arc<User>> {
        let among = if by_key_alone {
            &self.with_keys
        } else {
            &self.all
        };
        let text = wampcra::signature(seed, &format!("model of {authid}"));
        // Base64 letters are as good as random numbers here.
        let number = text.bytes().fold(0_usize, |number, byte| {
            number.wrapping_mul(31).wrapping_add(usize::from(byte))
        });
        among.get(number.checked_rem(among.len())?)
    }

    /// What an authid has to prove that is no user's: nobody can, and it does not show before the end.
    /// `by_key_alone` says that the client came with a key, and without an authid.
    pub(super) fn decoy(
        &self,
        authid: &str,
        seed: &Secret,
        nobodys_role: &str,
        by_key_alone: bool,
    ) -> Candidate {
        let model = self.model(authid, seed, by_key_alone);
        let role = model.map_or(nobodys_role, |model| &model.role);
        let mut user = User::new(authid, role);
        user.second_factor = model.and_then(|model| model.second_factor);
        Candidate {
            user: Arc::new(user),
            stands_for: StandsFor::Nobody {
                seed: seed.clone(),
                model: model.cloned(),
            },
            authprovider: STATIC,
        }
    }
}

fn insert<K: std::hash::Hash + Eq>(
    table: &mut HashMap<K, Arc<User>>,
    key: K,
    user: &Arc<User>,
    what: &'static str,
) -> Result<(), AmbiguousUsers> {
    match table.insert(key, Arc::clone(user)) {
        None => Ok(()),
        Some(other) => Err(AmbiguousUsers {
            what,
            authid: other.authid.clone(),
            other: user.authid.clone(),
        }),
    }
}

/// `authprovider` of users of the configuration.
pub(super) const STATIC: &str = "static";
/// `authprovider` of users that a procedure knows.
pub(super) const DYNAMIC: &str = "dynamic";

/// Whom a client says it is, before it has proven anything.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) user: Arc<User>,
    stands_for: StandsFor,
    pub(super) authprovider: &'static str,
}

#[derive(Debug, Clone)]
enum StandsFor {
    Somebody,
    /// There is no such user.
    Nobody {
        seed: Secret,
        model: Option<Arc<User>>,
    },
}

impl Candidate {
    pub(super) fn known(user: Arc<User>, authprovider: &'static str) -> Self {
        Self {
            user,
            stands_for: StandsFor::Somebody,
            authprovider,
        }
    }

    /// Whether there is such a user.
    pub(super) fn is_known(&self) -> bool {
        matches!(self.stands_for, StandsFor::Somebody)
    }

    /// What the candidate has to prove by `method`, if it is a user (or imitates one) that can.
    pub(super) fn credential(&self, method: AuthMethod) -> Option<Credential> {
        match &self.stands_for {
            StandsFor::Somebody => self.user.credentials.get(method),
            StandsFor::Nobody { seed, model } => {
                let like = match model {
                    Some(model) => Some(model.credentials.get(method)?),
                    None => None,
                };
                let authid = &self.user.authid;
                Some(Credential::decoy(method, authid, seed, like.as_ref()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wampy_proto::auth::{CraCredential, Credentials};

    fn user(authid: &str, secret: &str, is_salted: bool) -> User {
        let secret = Secret::from(secret);
        let credential = match is_salted {
            false => CraCredential::plain(secret),
            true => {
                let salting = wampcra::Salting {
                    salt: "pepper".to_owned(),
                    iterations: 10,
                    keylen: 32,
                };
                CraCredential::salted(&secret, salting).unwrap()
            }
        };
        User::new(authid, "user").credentials(Credentials {
            wampcra: Some(credential),
            ..Credentials::default()
        })
    }

    #[test]
    fn an_unknown_authid_imitates_the_same_user_each_time_and_can_prove_nothing() {
        let seed = Secret::from("seed");
        let users = Users::new([user("joe", "a", true), user("ann", "b", false)]).unwrap();
        let mut salted = 0;
        for number in 0..100 {
            let authid = format!("nobody{number}");
            let decoy = || {
                users
                    .decoy(&authid, &seed, "nobody", false)
                    .credential(AuthMethod::WampCra)
            };
            let Some(Credential::WampCra(credential)) = decoy() else {
                panic!("{:?}", decoy());
            };
            assert_eq!(decoy(), Some(Credential::WampCra(credential.clone())));
            if let Some(salting) = credential.salting {
                salted += 1;
                assert_eq!((salting.iterations, salting.keylen), (10, 32));
                assert_ne!(salting.salt, "pepper");
            }
            let candidate = users.decoy(&authid, &seed, "nobody", false);
            assert!(!candidate.is_known());
            assert_eq!(&*candidate.user.role, "user");
            assert_eq!(
                candidate.credential(AuthMethod::Ticket),
                None,
                "nobody has a ticket"
            );
        }
        assert!((20..80).contains(&salted), "{salted} imitate a salted user");
    }

    #[test]
    fn without_users_every_method_has_a_decoy() {
        let users = Users::default();
        for method in AuthMethod::ALL {
            let decoy = users.decoy("joe", &Secret::from("seed"), "guest", false);
            assert!(decoy.credential(method).is_some(), "{method:?}");
            assert_eq!(&*decoy.user.role, "guest");
        }
    }

    #[test]
    fn users_that_share_what_they_are_found_by_are_refused() {
        let twice = Users::new([user("joe", "a", false), user("joe", "b", false)]);
        assert_eq!(twice.unwrap_err().what, "authid");
        let certificate = [7; 32];
        let twice =
            Users::new(["joe", "ann"].map(|name| User::new(name, "user").certificate(certificate)));
        let text = twice.unwrap_err().to_string();
        assert_eq!(
            text,
            "two users have the same certificate: \"joe\" and \"ann\""
        );
    }
}
