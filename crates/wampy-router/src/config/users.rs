//! Users, in the configuration file or in one of their own.

use std::path::Path;
use std::sync::Arc;

use wampy_proto::Value;
use wampy_proto::auth::{
    AuthMethod, CraCredential, Credentials, PublicKey, ScramCredential, Secret,
};
use wampy_realm::RealmRoles;

use super::problem::ConfigError;
use super::read_text;
use super::section::Section;
use super::source::{Located, Source};
use crate::authenticator::Users;
use crate::settings::{Method, User, problem_of_name};

const SECOND_FACTORS: [(&str, AuthMethod); 4] = [
    ("ticket", AuthMethod::Ticket),
    ("wampcra", AuthMethod::WampCra),
    ("wamp-scram", AuthMethod::Scram),
    ("cryptosign", AuthMethod::Cryptosign),
];

/// The users in a file of their own: `[[users]]`, and nothing else.
pub(crate) fn read_users(
    path: &Path,
    roles: &RealmRoles,
    methods: &[Method],
) -> Result<Vec<User>, ConfigError> {
    let text = read_text(path)?;
    let source = Source::new(path, text.expose_text().unwrap_or_default());
    let table = source.parse();
    let mut root = source.root(&table);
    let users = read_tables(&mut root, roles, methods);
    root.end();
    source.finish(users)
}

/// The users of a section. Each must have something to prove itself with by the realm's `methods`.
pub(super) fn read_tables(
    section: &mut Section<'_>,
    roles: &RealmRoles,
    methods: &[Method],
) -> Vec<User> {
    let mut distinct = Users::default();
    let sections = section.tables("users").into_iter();
    let users = sections.filter_map(|section| read(section, roles, methods, &mut distinct));
    users.collect()
}

/// Reports an authid or a role that is none.
pub(super) fn check_name(source: &Source<'_>, what: &str, name: &Located<String>) {
    if let Some(problem) = problem_of_name(&name.value) {
        source.report_at(name.place(), format!("the {what} {problem}"));
    }
}

/// Reports a role that is none, or none of the realm's.
pub(super) fn check_role(source: &Source<'_>, role: &Located<String>, roles: &RealmRoles) {
    check_name(source, "role", role);
    if !roles.is_empty() && roles.get(&role.value).is_none() {
        let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
        let text = format!(
            "the realm has no role {:?}; it has {}",
            role.value,
            names.join(", ")
        );
        source.report_at(role.place(), text);
    }
}

fn read(
    mut section: Section<'_>,
    roles: &RealmRoles,
    methods: &[Method],
    distinct: &mut Users,
) -> Option<User> {
    let (authid, role) = (
        section.required_text("authid"),
        section.required_text("role"),
    );
    let credentials = Credentials {
        ticket: section.parsed::<Secret>("ticket", true),
        wampcra: section.parsed::<CraCredential>("wampcra", true),
        scram: section.parsed::<ScramCredential>("scram", true),
        cryptosign: section
            .parsed::<Vec<PublicKey>>("cryptosign", false)
            .unwrap_or_default(),
    };
    let ticket = credentials.ticket.as_ref();
    if ticket.is_some_and(|ticket| ticket.expose().is_empty()) {
        section.problem("the ticket is empty: anybody could say it");
    }
    let certificates = certificates(&mut section);
    let certificate_names = section.texts("certificate_name").unwrap_or_default();
    let second_factor = section.word("second_factor", &SECOND_FACTORS);
    let extra = extra(&mut section);
    if let Some(authid) = &authid {
        check_name(section.source(), "authid", authid);
    }
    if let Some(role) = &role {
        check_role(section.source(), role, roles);
    }
    let (Some(authid), Some(role)) = (authid, role) else {
        section.end();
        return None;
    };
    let mut user = User::new(authid.value, role.value).credentials(credentials);
    user.certificates = certificates;
    user.certificate_names = certificate_names
        .into_iter()
        .map(|name| name.value.into())
        .collect();
    user.second_factor = second_factor;
    user.extra = extra;
    check_means(&mut section, &user, methods);
    if let Err(ambiguous) = distinct.insert(Arc::new(user.clone())) {
        section.problem(ambiguous.to_string());
    }
    section.end();
    Some(user)
}

/// Checks that the user can prove itself at all.
fn check_means(section: &mut Section<'_>, user: &User, methods: &[Method]) {
    let has = |method: Method| match method.proof() {
        Some(proof) => user.credentials.get(proof).is_some(),
        None => {
            let certificates = user.certificates.len() + user.certificate_names.len();
            method == Method::Tls && certificates > 0
        }
    };
    let second = user.second_factor.map(Method::from);
    if let Some(second) = second {
        let name = second.as_str();
        if !has(second) {
            section.problem(format!("the second factor, {name}, is missing"));
        }
        if !methods.contains(&second) {
            let text = format!("the second factor, {name}, is none of the realm's methods");
            section.problem(text);
        }
    }
    let asked_for = [
        "ticket",
        "wampcra",
        "scram",
        "cryptosign",
        "certificate_sha256",
        "certificate_name",
    ];
    if asked_for.iter().all(|key| !section.has(key)) {
        section.problem(format!("the user needs one of {}", asked_for.join(", ")));
        return;
    }
    // What was there and could not be read has been reported.
    let is_first = |method: &Method| Some(*method) != second && has(*method);
    if Method::ALL.iter().any(|method| has(*method)) && !methods.iter().any(is_first) {
        section.problem("the user can prove itself by none of the realm's methods");
    }
}

/// SHA-256 in hex; colons between the bytes, as OpenSSL prints them, do no harm.
fn certificates(section: &mut Section<'_>) -> Vec<[u8; 32]> {
    let mut certificates = Vec::new();
    for text in section.texts("certificate_sha256").unwrap_or_default() {
        match from_hex(&text.value.replace(':', "")) {
            Some(sha256) => certificates.push(sha256),
            None => {
                let problem = format!("{:?} is no SHA-256: 64 hex digits", text.value);
                section.source().report_at(text.place(), problem);
            }
        }
    }
    certificates
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

fn extra(section: &mut Section<'_>) -> Vec<(String, Value)> {
    if section.has("extra") && !section.is_table("extra") {
        section.table("extra");
        return Vec::new();
    }
    match section.parsed::<Value>("extra", false) {
        Some(Value::Map(extra)) => extra,
        _ => Vec::new(),
    }
}
