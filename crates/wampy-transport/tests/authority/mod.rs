//! A certificate authority for tests of TLS, also those of other crates (by `#[path]`).

#![allow(dead_code, missing_docs)] // Each test uses its part of this.
#![allow(clippy::unwrap_used)] // A test fails by panicking.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
};

/// An authority, and a directory for what it signs, removed at the end. Its own certificate is in
/// `ca.pem`.
pub struct Authority {
    directory: PathBuf,
    pub issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, and the PEM files of both.
pub struct Signed {
    pub certificate: Certificate,
    pub key: KeyPair,
    pub certificate_file: PathBuf,
    pub key_file: PathBuf,
}

impl Authority {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("wampy-authority-{}-{count}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(directory.join("ca.pem"), issuer.pem()).unwrap();
        Self { directory, issuer }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Signs a certificate; its files are called after its common name: `.pem` and `.key`.
    pub fn sign(&self, common_name: &str, alternative_names: &[&str]) -> Signed {
        let names = alternative_names.iter().map(|&name| name.to_owned());
        let mut params = CertificateParams::new(names.collect::<Vec<_>>()).unwrap();
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, common_name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let certificate_file = self.file(&format!("{common_name}.pem"));
        let key_file = self.file(&format!("{common_name}.key"));
        std::fs::write(&certificate_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        Signed {
            certificate,
            key,
            certificate_file,
            key_file,
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        _ = std::fs::remove_dir_all(&self.directory);
    }
}
