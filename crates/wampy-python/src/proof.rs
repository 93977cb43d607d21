//! What a client proves itself with, from `wampy.auth`.
//!
//! Deliberately absent: the methods' arithmetic, which is the protocol crate's.

use pyo3::prelude::*;
use wampy::auth::{Auth, Cryptosign, PrivateKey, PublicKey, Scram, Ticket, WampCra};

use crate::failure::{Kind, failure};

/// `wampy.auth.Proof`.
#[derive(FromPyObject)]
pub struct Proof {
    method: String,
    authid: Option<String>,
    secret: String,
    key_path: Option<String>,
    router_key: Option<String>,
    channel_binding: bool,
}

impl Proof {
    /// The same as the Rust client wants it.
    ///
    /// # Errors
    /// A key is none, or there is no such method: `wampy.errors.ConfigurationError`.
    pub fn into_auth(self, py: Python<'_>) -> PyResult<Auth> {
        let authid = self.authid.clone().unwrap_or_default();
        Ok(match self.method.as_str() {
            "ticket" => Ticket::new(authid, self.secret).into(),
            "wampcra" => WampCra::new(authid, self.secret).into(),
            "wamp-scram" => Scram::new(authid, self.secret)
                .channel_binding(self.channel_binding)
                .into(),
            "cryptosign" => self.cryptosign(py)?.into(),
            other => {
                let problem = format!("there is no authmethod {other:?}");
                return Err(failure(py, Kind::Configuration, &problem));
            }
        })
    }

    fn cryptosign(self, py: Python<'_>) -> PyResult<Cryptosign> {
        let misuse = |problem: &str| failure(py, Kind::Configuration, problem);
        let mut method = match &self.key_path {
            Some(path) => {
                Cryptosign::from_file(path).map_err(|error| misuse(&error.to_string()))?
            }
            None => {
                let key: PrivateKey = self
                    .secret
                    .parse()
                    .map_err(|error: String| misuse(&format!("the private key: {error}")))?;
                Cryptosign::new(key)
            }
        };
        if let Some(key) = &self.router_key {
            let key: PublicKey = key
                .parse()
                .map_err(|error: String| misuse(&format!("the router's key: {error}")))?;
            method = method.router_key(key);
        }
        if let Some(authid) = self.authid {
            method = method.authid(authid);
        }
        Ok(method.channel_binding(self.channel_binding))
    }
}
