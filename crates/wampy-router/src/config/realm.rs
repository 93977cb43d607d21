//! A realm: its policies, its roles, and who may join it.

use wampy_proto::auth::{PrivateKey, Secret};
use wampy_proto::uri::Grammar;
use wampy_realm::{Disclosure, ForceReregister, Permission, RealmConfig, RealmRole, RealmRoles};

use super::section::Section;
use super::source::{Located, Place, Source};
use super::{beside, keeping, limits, users};
use crate::authenticator::Users;
use crate::settings::{Authentication, Authenticator, Method, RealmSettings};

const DISCLOSURES: [(&str, Disclosure); 3] = [
    ("denied", Disclosure::Denied),
    ("on-request", Disclosure::OnRequest),
    ("always", Disclosure::Always),
];

const FORCE_REREGISTER: [(&str, ForceReregister); 3] = [
    ("denied", ForceReregister::Denied),
    ("same-authid", ForceReregister::SameAuthid),
    ("everybody", ForceReregister::Everybody),
];

const GRAMMARS: [(&str, Grammar); 2] = [("loose", Grammar::Loose), ("strict", Grammar::Strict)];

pub(super) fn check_name(source: &Source<'_>, name: &Located<String>, policies: &RealmConfig) {
    if !Grammar::Loose.accepts(&name.value) || name.value.len() > policies.uri_bytes_max {
        let text = format!("{:?} is no name for a realm: it must be a URI", name.value);
        source.report_at(name.place(), text);
    }
}

/// What realms refer to elsewhere in the file: looked for when all of it is read.
#[derive(Debug, Default)]
pub(super) struct Referred {
    /// The realms of authenticators.
    pub(super) realms: Vec<Located<String>>,
    /// Where clients may authenticate by a cookie.
    pub(super) cookies: Vec<Place>,
}

/// Reads a realm, whose name is known. What it refers to is added to `referred`.
pub(super) fn read(
    mut section: Section<'_>,
    mut settings: RealmSettings,
    policies: &RealmConfig,
    referred: &mut Referred,
) -> RealmSettings {
    let mut config = policies.clone();
    if let Some(grammar) = section.word("uri_grammar", &GRAMMARS) {
        config.uri_grammar = grammar;
    }
    if let Some(disclosure) = section.word("caller_disclosure", &DISCLOSURES) {
        config.caller_disclosure = disclosure;
    }
    if let Some(disclosure) = section.word("publisher_disclosure", &DISCLOSURES) {
        config.publisher_disclosure = disclosure;
    }
    if let Some(policy) = section.word("force_reregister", &FORCE_REREGISTER) {
        config.force_reregister = policy;
    }
    if let Some(section) = section.table("event_retention") {
        config.event_retention = keeping::retention(section);
    }
    if let Some(section) = section.table("event_history") {
        config.event_history = keeping::history(section);
    }
    if let Some(section) = section.table("limits") {
        limits::realm(section, &mut config);
    }
    settings.silence.roles = !section.has("roles");
    (config.roles, settings) = roles(&mut section, settings);
    settings.silence.authentication = !section.has("authentication");
    if let Some(section) = section.table("authentication") {
        let read = authentication(section, &config.roles, referred);
        settings = settings.authentication(read);
    } else if !config.roles.is_empty() && config.roles.get("anonymous").is_none() {
        section.problem(
            "without authentication everybody gets the role anonymous, which is not among the roles",
        );
    }
    section.end();
    settings.config(config)
}

fn roles(section: &mut Section<'_>, mut settings: RealmSettings) -> (RealmRoles, RealmSettings) {
    let mut roles: Vec<RealmRole> = Vec::new();
    for mut section in section.tables("roles") {
        let name = section.required_text("name");
        let trust_level = section.number("trust_level");
        let permissions = section.parsed_items::<Permission>("permissions");
        let authorizer = section.text("authorizer");
        let Some(name) = name else {
            section.end();
            continue;
        };
        users::check_name(section.source(), "name", &name);
        if roles.iter().any(|role| role.name() == name.value) {
            let text = format!("there are two roles called {:?}", name.value);
            section.source().report_at(name.place(), text);
            section.end();
            continue;
        }
        let role = match (permissions, authorizer) {
            (Some(_), Some(_)) => {
                section.problem("a role has either permissions or an authorizer");
                None
            }
            (None, Some(procedure)) => Some(RealmRole::with_authorizer(
                name.value.as_str(),
                procedure.value,
            )),
            (permissions, None) => Some(RealmRole::with_permissions(
                name.value.as_str(),
                permissions.unwrap_or_default(),
            )),
        };
        match role {
            Some(Ok(role)) => roles.push(role),
            Some(Err(error)) => section.problem(error.to_string()),
            None => {}
        }
        if let Some(level) = trust_level {
            settings = settings.trust_level(name.value, level);
        }
        section.end();
    }
    match RealmRoles::new(roles) {
        Ok(roles) => (roles, settings),
        Err(error) => {
            section.problem(error.to_string());
            (RealmRoles::default(), settings)
        }
    }
}

fn authentication(
    mut section: Section<'_>,
    roles: &RealmRoles,
    referred: &mut Referred,
) -> Authentication {
    let names = Method::ALL.map(|method| (method.as_str(), method));
    let methods = section.words("methods", &names).unwrap_or_else(|| {
        section.problem("methods is missing");
        Vec::new()
    });
    let by_cookie = methods.iter().filter(|it| it.value == Method::Cookie);
    let by_cookie = by_cookie.map(|method| method.place.clone());
    referred.cookies.extend(by_cookie);
    let methods: Vec<_> = methods.into_iter().map(|method| method.value).collect();
    let mut settings = Authentication::by(methods.iter().copied());
    settings = anonymous(&mut section, settings, roles);
    for user in users::read_tables(&mut section, roles, &methods) {
        settings = settings.user(user);
    }
    if let Some(named) = section.text("users_file") {
        let path = beside(section.source().file, &named.value);
        match users::read_users(&path, roles, &methods) {
            Ok(others) => {
                let mine = || settings.users.iter().cloned();
                if Users::new(mine()).is_ok()
                    && let Err(ambiguous) = Users::new(mine().chain(others))
                {
                    let text = ambiguous.to_string();
                    section.source().report_at(named.place(), text);
                }
                settings = settings.users_file(path);
            }
            Err(error) if error.problems.iter().all(|problem| problem.line.is_none()) => {
                section.source().report_at(named.place(), error.to_string());
            }
            Err(error) => section.source().adopt(error),
        }
    }
    if let Some(authenticator) = authenticator(&mut section, referred) {
        settings = settings.authenticator(authenticator);
    }
    if let Some(yes) = section.flag("reveal_unknown_users") {
        settings = settings.reveal_unknown_users(yes);
    }
    if let Some(seed) = section.parsed::<Secret>("unknown_users_seed", true) {
        settings = settings.unknown_users_seed(seed);
    }
    if let Some(key) = router_key(&mut section) {
        settings = settings.router_key(key);
    }
    section.end();
    settings
}

fn anonymous(
    section: &mut Section<'_>,
    settings: Authentication,
    roles: &RealmRoles,
) -> Authentication {
    let is_anonymous = settings.methods.contains(&Method::Anonymous);
    let role = section.text("anonymous_role");
    match role {
        Some(role) => {
            users::check_role(section.source(), &role, roles);
            settings.anonymous_role(role.value)
        }
        None => {
            if is_anonymous && !roles.is_empty() && roles.get(&settings.anonymous_role).is_none() {
                section
                    .problem("anonymous clients need an anonymous_role, one of the realm's roles");
            }
            settings
        }
    }
}

/// A procedure, or a table of a procedure and its realm.
fn authenticator(section: &mut Section<'_>, referred: &mut Referred) -> Option<Authenticator> {
    const KEY: &str = "authenticator";
    let (procedure, realm) = if section.is_table(KEY) {
        let mut table = section.table(KEY)?;
        let found = (table.required_text("procedure"), table.text("realm"));
        table.end();
        found
    } else {
        (section.text(KEY), None)
    };
    let procedure = procedure?;
    if !Grammar::Loose.accepts(&procedure.value) {
        let text = format!("{:?} is no URI of a procedure", procedure.value);
        section.source().report_at(procedure.place(), text);
    }
    let authenticator = Authenticator::new(procedure.value);
    Some(match realm {
        None => authenticator,
        Some(realm) => {
            referred.realms.push(realm.clone());
            authenticator.in_realm(realm.value)
        }
    })
}

fn router_key(section: &mut Section<'_>) -> Option<PrivateKey> {
    let named = section.text("router_key_file")?;
    let path = beside(section.source().file, &named.value);
    let read = std::fs::read(&path)
        .map(Secret::from)
        .map_err(|error| error.to_string())
        .and_then(|contents| PrivateKey::from_file_contents(contents.expose()));
    match read {
        Ok(key) => Some(key),
        Err(problem) => {
            let text = format!("{}: {problem}", path.display());
            section.source().report_at(named.place(), text);
            None
        }
    }
}
