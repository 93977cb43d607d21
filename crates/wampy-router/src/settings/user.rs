//! A user of a realm.

use wampy_proto::Value;
use wampy_proto::auth::{AuthMethod, Credentials};

/// A user: who it becomes, and what it proves itself with.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct User {
    pub(crate) authid: Box<str>,
    pub(crate) role: Box<str>,
    pub(crate) credentials: Credentials,
    pub(crate) certificates: Vec<[u8; 32]>,
    pub(crate) certificate_names: Vec<Box<str>>,
    pub(crate) second_factor: Option<AuthMethod>,
    pub(crate) extra: Vec<(String, Value)>,
}

impl User {
    /// A user without credentials.
    pub fn new(authid: impl Into<Box<str>>, role: impl Into<Box<str>>) -> Self {
        Self {
            authid: authid.into(),
            role: role.into(),
            credentials: Credentials::default(),
            certificates: Vec::new(),
            certificate_names: Vec::new(),
            second_factor: None,
            extra: Vec::new(),
        }
    }

    /// What the user can prove itself with, by any one of them.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// The SHA-256 of a TLS certificate of the user's, in its DER form. May be said several times.
    pub fn certificate(mut self, sha256: [u8; 32]) -> Self {
        self.certificates.push(sha256);
        self
    }

    /// A name that the user's TLS certificate has: its common name, or an alternative one. May be said
    /// several times. Who signs such certificates says
    /// [`Builder::client_certificates`](crate::Builder::client_certificates).
    pub fn certificate_name(mut self, name: impl Into<Box<str>>) -> Self {
        self.certificate_names.push(name.into());
        self
    }

    /// What the user has to prove in addition, in answer to a second CHALLENGE. The client must offer
    /// this method beside the first.
    pub fn second_factor(mut self, method: AuthMethod) -> Self {
        self.second_factor = Some(method);
        self
    }

    /// Something that the client learns in `authextra` of WELCOME, and the realm's sessions by the
    /// session meta API. May be said several times.
    pub fn extra(mut self, key: impl Into<String>, value: Value) -> Self {
        self.extra.push((key.into(), value));
        self
    }

    /// What is wrong with its names, if anything is.
    pub(crate) fn problem(&self) -> Option<String> {
        let names = [("authid", &self.authid), ("role", &self.role)];
        names.into_iter().find_map(|(what, name)| {
            let problem = problem_of_name(name)?;
            Some(format!("the {what} {problem}"))
        })
    }

    /// Whether this user and another, or the same one later, prove themselves by the same means.
    pub(crate) fn proves_itself_like(&self, other: &Self) -> bool {
        self.credentials == other.credentials
            && self.certificates == other.certificates
            && self.certificate_names == other.certificate_names
            && self.second_factor == other.second_factor
    }
}

/// What is wrong with an authid or a role: others tell sessions apart by them, and read them in terminals
/// and logs.
pub(crate) fn problem_of_name(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("is empty");
    }
    let has_controls = name.contains(char::is_control);
    has_controls.then_some("has control characters")
}
