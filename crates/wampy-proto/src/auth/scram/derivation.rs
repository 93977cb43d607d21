//! From a password to keys: the slow part of SCRAM, its parameters, and how slow it may be.

use std::borrow::Cow;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::auth::Secret;

/// The largest memory, in KiB, that this implementation gives a key derivation: 1 GiB.
pub const ARGON2_MEMORY_KIB_MAX: u64 = 1 << 20;

/// A key derivation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kdf {
    /// PBKDF2-HMAC-SHA256.
    Pbkdf2,
    /// Argon2id, version 1.3, without parallelism.
    Argon2id13,
    /// The same as Autobahn and Crossbar.io have it: what goes on as the salted password is not
    /// the derived bytes, but their base64 text without padding. So keys made for one spelling of
    /// the name are of no use under the other.
    Argon2id13Text,
}

impl Kdf {
    /// Every function.
    pub const ALL: [Self; 3] = [Self::Pbkdf2, Self::Argon2id13, Self::Argon2id13Text];

    /// The name in a challenge and in stored credentials.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pbkdf2 => "pbkdf2",
            Self::Argon2id13 => "argon2id13",
            Self::Argon2id13Text => "argon2id-13",
        }
    }
}

impl FromStr for Kdf {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|kdf| kdf.as_str() == name)
            .ok_or_else(|| {
                let begin = &name[..name.floor_char_boundary(64)];
                format!("the kdf {begin:?} is unknown: pbkdf2, argon2id13 and argon2id-13 are not")
            })
    }
}

/// How a password becomes the salted password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// The function.
    pub kdf: Kdf,
    /// Random bytes, other ones for each user.
    pub salt: Vec<u8>,
    /// Iterations of PBKDF2, or passes of Argon2 over its memory.
    pub iterations: u64,
    /// Memory of Argon2 in KiB; 0 for PBKDF2.
    pub memory_kib: u64,
}

/// How cheap and how dear a derivation may be that a router asks a client for.
///
/// Too cheap a one would let a false router guess the password from the proof; too dear a one would
/// keep the client busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostBounds {
    /// The fewest iterations of PBKDF2. Default 4096, as RFC 7677 demands.
    pub pbkdf2_iterations_min: u64,
    /// The most iterations of PBKDF2. Default 10 million, some seconds.
    pub pbkdf2_iterations_max: u64,
    /// The fewest KiB that Argon2 must fill, memory times iterations. Default 16 MiB, the half of
    /// what is recommended at least.
    pub argon2_filled_kib_min: u64,
    /// The most KiB that Argon2 may fill, memory times iterations. Default 8 GiB, some seconds.
    pub argon2_filled_kib_max: u64,
    /// The most memory for Argon2, in KiB. Default 256 MiB, and never more than
    /// [`ARGON2_MEMORY_KIB_MAX`].
    pub argon2_memory_kib_max: u64,
    /// The shortest salt in bytes. Default 8, as RFC 2898 demands.
    pub salt_bytes_min: usize,
}

impl Default for CostBounds {
    fn default() -> Self {
        Self {
            pbkdf2_iterations_min: 4096,
            pbkdf2_iterations_max: 10_000_000,
            argon2_filled_kib_min: 16 << 10,
            argon2_filled_kib_max: 8 << 20,
            argon2_memory_kib_max: 256 << 10,
            salt_bytes_min: 8,
        }
    }
}

impl CostBounds {
    /// Whether a derivation is within the bounds.
    ///
    /// # Errors
    /// Says which bound it breaks.
    pub fn check(&self, derivation: &Derivation) -> Result<(), String> {
        let within = |what: &str, value: u64, min: u64, max: u64| {
            if value < min {
                Err(format!("{what} {value} is suspiciously cheap, below {min}"))
            } else if value > max {
                Err(format!("{what} {value} is too expensive, above {max}"))
            } else {
                Ok(())
            }
        };
        if derivation.salt.len() < self.salt_bytes_min {
            let (bytes, min) = (derivation.salt.len(), self.salt_bytes_min);
            return Err(format!(
                "a salt of {bytes} bytes is suspiciously short, below {min}"
            ));
        }
        let Derivation {
            iterations,
            memory_kib,
            ..
        } = *derivation;
        match derivation.kdf {
            Kdf::Pbkdf2 => within(
                "the number of iterations",
                iterations,
                self.pbkdf2_iterations_min,
                self.pbkdf2_iterations_max,
            ),
            Kdf::Argon2id13 | Kdf::Argon2id13Text => {
                within(
                    "the memory in KiB",
                    memory_kib,
                    8,
                    self.argon2_memory_kib_max,
                )?;
                within(
                    "the memory in KiB times the iterations",
                    memory_kib.saturating_mul(iterations),
                    self.argon2_filled_kib_min,
                    self.argon2_filled_kib_max,
                )
            }
        }
    }
}

impl Derivation {
    /// What new passwords are to be derived by, for about a tenth of a second: Argon2 with 19 MiB and
    /// two passes, or PBKDF2 with 600 000 iterations.
    pub const fn recommended(kdf: Kdf, salt: Vec<u8>) -> Self {
        let (iterations, memory_kib) = match kdf {
            Kdf::Pbkdf2 => (600_000, 0),
            Kdf::Argon2id13 | Kdf::Argon2id13Text => (2, 19 << 10),
        };
        Self {
            kdf,
            salt,
            iterations,
            memory_kib,
        }
    }

    /// Derives the salted password. That takes as long, and as much memory, as the parameters say.
    ///
    /// # Errors
    /// The password has characters that SASLprep forbids, or the parameters make no sense.
    pub(super) fn salted_password(&self, password: &Secret) -> Result<Secret, String> {
        let mut derived = Zeroizing::new([0; 32]);
        let prepared = self.prepare(password)?;
        let iterations = u32::try_from(self.iterations)
            .ok()
            .filter(|&iterations| iterations > 0)
            .ok_or_else(|| format!("{} iterations are not possible", self.iterations))?;
        if self.kdf == Kdf::Pbkdf2 {
            pbkdf2_hmac::<Sha256>(&prepared, &self.salt, iterations, &mut *derived);
            return Ok(derived.to_vec().into());
        }
        if self.memory_kib > ARGON2_MEMORY_KIB_MAX {
            return Err(format!("{} KiB of memory are too much", self.memory_kib));
        }
        let memory_kib = u32::try_from(self.memory_kib).unwrap_or(u32::MAX);
        let invalid = |error: argon2::Error| format!("argon2: {error}");
        let params =
            Params::new(memory_kib, iterations, 1, Some(derived.len())).map_err(invalid)?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(&prepared, &self.salt, &mut *derived)
            .map_err(invalid)?;
        Ok(match self.kdf {
            Kdf::Argon2id13Text => STANDARD_NO_PAD.encode(*derived).into(),
            _ => derived.to_vec().into(),
        })
    }

    /// The password as it is derived from: by SASLprep, which Autobahn leaves out.
    fn prepare<'a>(&self, password: &'a Secret) -> Result<Zeroizing<Vec<u8>>, String> {
        if self.kdf == Kdf::Argon2id13Text {
            return Ok(Zeroizing::new(password.expose().to_vec()));
        }
        let text = password.expose_text();
        let text = text.ok_or_else(|| "the password is not text".to_owned())?;
        let prepared: Cow<'a, str> = stringprep::saslprep(text)
            .map_err(|_| "the password has characters that SASLprep forbids".to_owned())?;
        Ok(Zeroizing::new(prepared.into_owned().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Test vectors of autobahn-python, the first made with the reference implementation of Argon2.
    #[test]
    fn passwords_are_derived_as_others_derive_them() {
        let mut derivation = Derivation {
            kdf: Kdf::Argon2id13,
            salt: b"1234567890abcdef".to_vec(),
            iterations: 32,
            memory_kib: 512,
        };
        let derived = |derivation: &Derivation| {
            let salted = derivation.salted_password(&"p4ssw0rd".into()).unwrap();
            hex::encode(salted.expose())
        };
        assert_eq!(
            derived(&derivation),
            "ee4a8acf9d5958354fb79a95ae20692d05e42591ba49fae85eb6700e8b0ed293"
        );
        derivation.kdf = Kdf::Pbkdf2;
        derivation.iterations = 8;
        assert_eq!(
            derived(&derivation),
            "f6991a28c75f43751e0d75499fd7b8649f659118ddc1d61cee5883af547d15f5"
        );
    }
}
