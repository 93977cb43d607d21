//! `wampy hash-secret`: what the router's configuration may hold instead of a secret.

use std::io::{IsTerminal as _, Read as _};

use clap::{Args, ValueEnum};
use serde::Serialize;
use wampy::auth::Secret;
use wampy::proto::auth::scram::{CostBounds, Derivation, Kdf};
use wampy::proto::auth::wampcra::{KEYLEN_DEFAULT, Salting};
use wampy::proto::auth::{CraCredential, ScramCredential};

use crate::exit::{Exit, UsageError};
use crate::json;

/// The longest secret that is read from standard input, in bytes.
const SECRET_BYTES_MAX: u64 = 64 << 10;
/// The iterations for wampcra, which clients compute in browsers, too.
const CRA_ITERATIONS: u64 = 100_000;

/// Print what the router's configuration may hold instead of a secret.
///
/// The secret is asked for, or read from standard input. What is printed is a line for a user in the
/// configuration file of `wampy router`; with it nobody can guess the secret but by trying.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  wampy hash-secret
  wampy hash-secret --method wampcra
  wampy hash-secret --kdf argon2id-13 < secret.txt")]
pub(crate) struct HashSecret {
    /// The authmethod that it is for.
    #[arg(long, value_enum, default_value_t = Method::WampScram)]
    method: Method,
    /// How SCRAM derives keys. Autobahn's clients know only argon2id-13.
    #[arg(long, value_parser = kdf_parser(), default_value = "argon2id13")]
    kdf: Kdf,
    /// How often the derivation repeats itself. Default: 2 for Argon2, 600000 for pbkdf2 and 100000
    /// for wampcra.
    #[arg(long, value_name = "N")]
    iterations: Option<u64>,
    /// The memory of Argon2. Default 19456.
    #[arg(long, value_name = "KIB")]
    memory: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Method {
    WampScram,
    Wampcra,
}

fn kdf_parser() -> impl clap::builder::TypedValueParser<Value = Kdf> {
    use clap::builder::{PossibleValuesParser, TypedValueParser as _};
    PossibleValuesParser::new(Kdf::ALL.map(Kdf::as_str)).try_map(|name| name.parse::<Kdf>())
}

impl HashSecret {
    /// Reads the secret and prints the line.
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let mut salt = vec![0; 16];
        rand::fill(&mut salt[..]);
        let line = match self.method {
            Method::Wampcra => {
                let salting = Salting {
                    salt: hex(&salt),
                    iterations: self.iterations.unwrap_or(CRA_ITERATIONS),
                    keylen: KEYLEN_DEFAULT,
                };
                let credential = CraCredential::salted(&read_secret()?, salting);
                line("wampcra", &credential.map_err(UsageError)?)?
            }
            Method::WampScram => {
                let mut derivation = Derivation::recommended(self.kdf, salt);
                derivation.iterations = self.iterations.unwrap_or(derivation.iterations);
                derivation.memory_kib = self.memory.unwrap_or(derivation.memory_kib);
                // What clients would refuse to do is of no use.
                let bounds = CostBounds::default();
                bounds.check(&derivation).map_err(UsageError)?;
                let credential = ScramCredential::new(&read_secret()?, derivation);
                line("scram", &credential.map_err(UsageError)?)?
            }
        };
        json::print_line(&line)?;
        Ok(Exit::Success)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A key and an inline table of TOML. Its values are numbers and plain text, which TOML writes as
/// JSON does.
fn line(key: &str, credential: &impl Serialize) -> anyhow::Result<String> {
    let fields: serde_json::Map<_, _> = serde_json::from_value(serde_json::to_value(credential)?)?;
    let fields: Vec<_> = fields
        .iter()
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    Ok(format!("{key} = {{ {} }}", fields.join(", ")))
}

/// The secret: at a terminal asked for twice, else the whole of standard input but for the end of
/// its line.
fn read_secret() -> anyhow::Result<Secret> {
    if std::io::stdin().is_terminal() {
        let secret: Secret = rpassword::prompt_password("Secret: ")?.into();
        let again: Secret = rpassword::prompt_password("Again: ")?.into();
        return match secret == again {
            true => checked(secret),
            false => Err(UsageError("the two are not the same".to_owned()).into()),
        };
    }
    let mut text = String::new();
    let read = std::io::stdin()
        .take(SECRET_BYTES_MAX + 1)
        .read_to_string(&mut text)?;
    let text: Secret = text.into();
    if read as u64 > SECRET_BYTES_MAX {
        let problem = format!("the secret has more than {SECRET_BYTES_MAX} bytes");
        return Err(UsageError(problem).into());
    }
    let line = text.expose_text().unwrap_or_default();
    let line = line.strip_suffix('\n').unwrap_or(line);
    checked(line.strip_suffix('\r').unwrap_or(line).into())
}

fn checked(secret: Secret) -> anyhow::Result<Secret> {
    match secret.expose().is_empty() {
        false => Ok(secret),
        true => Err(UsageError("the secret is empty".to_owned()).into()),
    }
}
