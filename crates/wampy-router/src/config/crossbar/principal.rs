//! One principal of a static method, and what it proves itself with.

use super::super::source::{Located, Place};
use super::item::Item;
use super::toml_text::{list, quoted};

/// A principal, by whatever methods.
pub(super) struct User {
    pub(super) place: Place,
    pub(super) role: Located<String>,
    /// The only realm, if there is one.
    pub(super) realm: Option<Located<String>>,
    pub(super) proofs: Vec<Proof>,
}

/// What a user proves itself with by one method: a key of our users, and its value as TOML.
pub(super) struct Proof {
    pub(super) method: &'static str,
    pub(super) place: Place,
    pub(super) key: &'static str,
    pub(super) value: String,
}

/// Reads a principal of the method that Crossbar.io calls `method`.
pub(super) fn read(
    mut item: Item<'_>,
    method: &str,
    default_role: Option<&Located<String>>,
) -> Option<User> {
    let role = item.text("role").or_else(|| default_role.cloned());
    let realm = item.text("realm");
    if role.is_none() && item.field("role").is_none() {
        item.problem("role is missing");
    }
    let proof = match method {
        "ticket" => ticket(&mut item),
        "wampcra" => wampcra(&mut item),
        "scram" => scram(&mut item),
        "cryptosign" => cryptosign(&mut item),
        _ => certificate(&mut item),
    };
    let place = item.place().clone();
    item.end();
    Some(User {
        place,
        role: role?,
        realm,
        proofs: proof.into_iter().collect(),
    })
}

fn ticket(item: &mut Item<'_>) -> Option<Proof> {
    let ticket = item.secret("ticket")?;
    Some(Proof {
        method: "ticket",
        place: ticket.place,
        key: "ticket",
        value: quoted(&ticket.value),
    })
}

/// A secret, which Crossbar.io derives a key from only if all three parameters are there.
fn wampcra(item: &mut Item<'_>) -> Option<Proof> {
    let secret = item.secret("secret");
    let salt = item.text("salt");
    let (iterations, keylen) = (item.number("iterations"), item.number("keylen"));
    let secret = secret?;
    let mut value = format!("secret = {}", quoted(&secret.value));
    match (&salt, &iterations, &keylen) {
        (Some(salt), Some(iterations), Some(keylen)) => {
            value += &format!(
                ", salt = {}, iterations = {}, keylen = {}",
                quoted(&salt.value),
                iterations.value,
                keylen.value
            );
        }
        (None, None, None) => {}
        _ => {
            let text = "salt, iterations and keylen count only together: the secret is not salted";
            item.scope.source.warn_at(secret.place(), text);
        }
    }
    Some(Proof {
        method: "wampcra",
        place: secret.place,
        key: "wampcra",
        value: format!("{{ {value} }}"),
    })
}

fn scram(item: &mut Item<'_>) -> Option<Proof> {
    let (kdf, salt) = (item.required_text("kdf"), item.required_text("salt"));
    let stored_key = item.required_text("stored-key");
    let server_key = item.required_text("server-key");
    let memory = item.number("memory");
    let Some(iterations) = item.number("iterations") else {
        if item.field("iterations").is_none() {
            item.problem("iterations is missing");
        }
        return None;
    };
    let (kdf, salt) = (kdf?, salt?);
    let mut value = format!(
        "kdf = {}, salt = {}, iterations = {}",
        quoted(&kdf.value),
        quoted(&salt.value),
        iterations.value
    );
    if let Some(memory) = memory.filter(|_| kdf.value != "pbkdf2") {
        value += &format!(", memory = {}", memory.value);
    }
    let (stored_key, server_key) = (quoted(&stored_key?.value), quoted(&server_key?.value));
    value += &format!(", stored_key = {stored_key}, server_key = {server_key}");
    Some(Proof {
        method: "wamp-scram",
        place: kdf.place,
        key: "scram",
        value: format!("{{ {value} }}"),
    })
}

fn cryptosign(item: &mut Item<'_>) -> Option<Proof> {
    if item.field("authorized_keys").is_none() {
        item.problem("authorized_keys is missing");
    }
    let keys = item.texts("authorized_keys")?;
    let texts = keys.value.iter().map(|key| key.value.as_str());
    Some(Proof {
        method: "cryptosign",
        value: list(texts),
        place: keys.place,
        key: "cryptosign",
    })
}

/// A TLS certificate, of which Crossbar.io knows only the SHA-1.
fn certificate(item: &mut Item<'_>) -> Option<Proof> {
    let text = "who has a certificate is known by its SHA-256 here (`openssl x509 -noout -fingerprint \
                -sha256`): leave this user out, and add it with the key certificate_sha256 to what \
                convert-config writes";
    item.refuse("certificate-sha1", text);
    None
}
