//! The arguments that say who a command is to the router, and with what it proves that.
//!
//! Secrets are better given by the environment than by arguments, which every user of the machine
//! can see.

use std::convert::Infallible;
use std::path::PathBuf;

use clap::Args;
use wampy::Builder;
use wampy::auth::{Cryptosign, PublicKey, Scram, Secret, Ticket, WampCra};

/// Who to be.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who to be (anonymous if nothing is said)")]
pub(crate) struct CredentialArgs {
    /// The user.
    #[arg(long, env = "WAMPY_AUTHID")]
    authid: Option<String>,
    /// Offer only this authmethod, such as wampcra; may be repeated, the preferred first. By default
    /// all that can be done with what is given.
    #[arg(long, env = "WAMPY_AUTHMETHOD", value_name = "METHOD")]
    authmethod: Vec<String>,
    /// A ticket, sent as it is (ticket); better given by the environment.
    #[arg(
        long,
        env = "WAMPY_TICKET",
        hide_env_values = true,
        requires = "authid"
    )]
    #[arg(value_parser = secret)]
    ticket: Option<Secret>,
    /// A secret that is never sent (wamp-scram, wampcra); better given by the environment.
    #[arg(
        long,
        env = "WAMPY_SECRET",
        hide_env_values = true,
        requires = "authid"
    )]
    #[arg(value_parser = secret)]
    secret: Option<Secret>,
    /// A file with a private key, as `wampy keygen` makes it (cryptosign).
    #[arg(long, env = "WAMPY_KEY_FILE", value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The public key that the router must prove to have (cryptosign): 64 hex digits.
    #[arg(
        long,
        env = "WAMPY_ROUTER_KEY",
        value_name = "HEX",
        requires = "key_file"
    )]
    router_key: Option<PublicKey>,
    /// Bind the session to its connection by TLS 1.3 (wamp-scram, cryptosign).
    #[arg(long)]
    channel_binding: bool,
    /// A PEM file with a certificate for routers that ask for one.
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,
    /// A PEM file with the private key of that certificate.
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,
}

fn secret(text: &str) -> Result<Secret, Infallible> {
    Ok(text.into())
}

impl CredentialArgs {
    /// Gives a client all that was said.
    ///
    /// # Errors
    /// The file of the key cannot be used.
    pub(crate) fn apply(&self, mut builder: Builder) -> Result<Builder, wampy::Error> {
        let bound = self.channel_binding;
        if let Some(file) = &self.key_file {
            let mut method = Cryptosign::from_file(file)?.channel_binding(bound);
            if let Some(key) = self.router_key {
                method = method.router_key(key);
            }
            builder = builder.auth(method);
        }
        if let Some(authid) = &self.authid {
            builder = builder.authid(authid.as_str());
            if let Some(secret) = &self.secret {
                let scram = Scram::new(authid, secret.clone()).channel_binding(bound);
                builder = builder.auth(scram);
                // What was to be bound must not fall back to what cannot be.
                if !bound {
                    builder = builder.auth(WampCra::new(authid, secret.clone()));
                }
            }
            if let Some(ticket) = &self.ticket {
                builder = builder.auth(Ticket::new(authid, ticket.clone()));
            }
        }
        if !self.authmethod.is_empty() {
            let methods = self.authmethod.iter().map(String::as_str);
            builder = builder.authmethods(methods);
        }
        if let (Some(certificate), Some(key)) = (&self.client_cert, &self.client_key) {
            builder = builder.client_certificate(certificate, key);
        }
        Ok(builder)
    }
}
