//! The outermost table: what concerns the router as a whole.

use std::path::PathBuf;

use wampy_proto::Serializer;
use wampy_realm::RealmConfig;
use wampy_transport::ClientCertificates;

use super::section::Section;
use super::source::{Located, Source};
use super::{beside, limits, listen, realm};
use crate::builder::Builder;
use crate::http::cookies::{CookieConfig, CookiePorts, SameSite};
use crate::http::origins::Origins;
use crate::settings::RealmSettings;

/// What the router can be told to tolerate, as `--lenient` calls it.
#[derive(Clone, Copy)]
enum Habit {
    RequestIds,
    SilentCancel,
    ProgressWithoutCanceling,
}

const HABITS: [(&str, Habit); 3] = [
    ("request-ids", Habit::RequestIds),
    ("silent-cancel", Habit::SilentCancel),
    (
        "progress-without-canceling",
        Habit::ProgressWithoutCanceling,
    ),
];

/// Reads the whole file. Mistakes are left with its source.
pub(super) fn read(mut section: Section<'_>) -> Builder {
    let mut builder = Builder {
        has_default_realm: false,
        ..Builder::default()
    };
    let mut restricted = Vec::new();
    builder = listen::read(&mut section, builder, &mut restricted);
    builder = transports(&mut section, builder);
    let mut policies = RealmConfig::default();
    for habit in section.words("lenient", &HABITS).unwrap_or_default() {
        match habit.value {
            Habit::RequestIds => builder = builder.any_request_id(true),
            Habit::SilentCancel => policies.silent_cancel = true,
            Habit::ProgressWithoutCanceling => policies.progress_without_canceling = true,
        }
    }
    builder = builder.realm_config(policies.clone());
    if let Some(section) = section.table("limits") {
        builder = builder.limits(limits::router(section));
    }
    if let Some(path) = section.text("store") {
        builder = builder.store(beside(section.source().file, &path.value));
    }
    builder = realms(&mut section, builder, &policies);
    listen::check(section.source(), &restricted, &builder);
    section.end();
    builder
}

fn transports(section: &mut Section<'_>, mut builder: Builder) -> Builder {
    if let Some(section) = section.table("tls") {
        builder = tls(section, builder);
    }
    let serializers = Serializer::ALL.map(|serializer| (serializer.row().name, serializer));
    if let Some(found) = section.words("serializers", &serializers) {
        if found.is_empty() {
            section.problem("serializers is empty: a router needs at least one");
        }
        let found: Vec<_> = found.into_iter().map(|found| found.value).collect();
        builder = builder.serializers(found);
    }
    if let Some(compress) = section.flag("compress") {
        builder = builder.compress(compress);
    }
    if let Some(longpoll) = section.flag("longpoll") {
        builder = builder.longpoll(longpoll);
    }
    builder = browsers(section, builder);
    if let Some(rawsocket_ping) = section.flag("rawsocket_ping") {
        builder = builder.rawsocket_ping(rawsocket_ping);
    }
    builder
}

/// What concerns browsers: whose pages may talk to the router, and the cookie that they get.
fn browsers(section: &mut Section<'_>, mut builder: Builder) -> Builder {
    if let Some(origins) = section.texts("allowed_origins") {
        for origin in &origins {
            if let Err(problem) = Origins::parse(std::slice::from_ref(&origin.value)) {
                section.source().report_at(origin.place(), problem);
            }
        }
        builder = builder.allowed_origins(origins.into_iter().map(|origin| origin.value));
    }
    let Some(mut section) = section.table("cookie") else {
        return builder;
    };
    let mut cookie = CookieConfig::default();
    if let Some(name) = section.text("name") {
        cookie.name = name.value;
    }
    if let Some(max_age_s) = section.number("max_age_s") {
        cookie.max_age_s = max_age_s;
    }
    let same_sites = SameSite::ALL.map(|it| (it.as_str(), it));
    if let Some(same_site) = section.word("same_site", &same_sites) {
        cookie.same_site = same_site;
    }
    if let Some(secure) = section.flag("secure") {
        cookie.secure = secure;
    }
    let origins = Origins::parse(&builder.allowed_origins);
    let are_any = origins.is_ok_and(|origins| origins.are_any());
    // Of an address that is none its place tells.
    let ports = builder.cookie_ports().unwrap_or(CookiePorts::Tls);
    if let Some(problem) = cookie.problem(are_any, ports) {
        section.problem(problem);
    }
    section.end();
    builder.cookie(cookie)
}

fn tls(mut section: Section<'_>, builder: Builder) -> Builder {
    let (certificate, key) = (
        section.required_text("certificate"),
        section.required_text("key"),
    );
    let authorities = section.text("client_authorities");
    let is_required = section.word(
        "client_certificates",
        &[("optional", false), ("required", true)],
    );
    let source = section.source();
    let readable = |named: Option<Located<String>>| named.map(|named| readable(source, &named));
    let (certificate, key) = (readable(certificate), readable(key));
    let clients = match (readable(authorities), is_required) {
        (None, None) => ClientCertificates::Unwanted,
        (None, Some(_)) => {
            section
                .problem("client_certificates needs client_authorities, a file of who signs them");
            ClientCertificates::Unwanted
        }
        (Some(file), Some(true)) => ClientCertificates::Required(file),
        (Some(file), _) => ClientCertificates::Optional(file),
    };
    section.end();
    match (certificate, key) {
        (Some(certificate), Some(key)) => {
            builder.tls(certificate, key).client_certificates(clients)
        }
        _ => builder,
    }
}

/// The file that is named, which must be there.
fn readable(source: &Source<'_>, named: &Located<String>) -> PathBuf {
    let path = beside(source.file, &named.value);
    if let Err(error) = std::fs::File::open(&path) {
        let text = format!("{}: {error}", path.display());
        source.report_at(named.place(), text);
    }
    path
}

fn realms(section: &mut Section<'_>, mut builder: Builder, policies: &RealmConfig) -> Builder {
    let source = section.source();
    let mut names: Vec<String> = Vec::new();
    let mut referred = realm::Referred::default();
    let sections = section.tables("realms");
    let is_silent = sections.is_empty();
    for mut section in sections {
        let Some(name) = section.required_text("name") else {
            continue;
        };
        if names.contains(&name.value) {
            let text = format!("there are two realms called {:?}", name.value);
            section.source().report_at(name.place(), text);
        }
        realm::check_name(section.source(), &name, policies);
        names.push(name.value.clone());
        let settings = RealmSettings::new(name.value);
        builder = builder.realm_with(realm::read(section, settings, policies, &mut referred));
    }
    if let Some(yes) = section.flag("auto_create_realms") {
        builder = builder.auto_create_realms(yes);
    }
    if is_silent && !builder.auto_create_realms && !source.is_broken.get() {
        section.problem(
            "there is no realm: the file needs [[realms]], or auto_create_realms = true where \
             clients may bring any into being",
        );
    }
    if let Some(section) = section.table("auto_created_realms") {
        let place = section.place().clone();
        let settings = RealmSettings::new("");
        let settings = realm::read(section, settings, policies, &mut referred);
        let authenticator = settings.authentication.authenticator.as_ref();
        if authenticator.is_some_and(|authenticator| authenticator.realm.is_none()) {
            let text = "the authenticator needs a realm: nobody is in one that does not exist yet";
            source.report_at(&place, text);
        }
        builder = builder.auto_created_realms_with(settings);
    }
    if builder.cookie.is_none() {
        for place in referred.cookies {
            let text = "the authmethod `cookie` needs a cookie that the router sets";
            source.report_at(&place, text);
        }
    }
    for realm in referred.realms {
        if !names.contains(&realm.value) {
            let text = format!("there is no realm {:?}", realm.value);
            section.source().report_at(realm.place(), text);
        }
    }
    builder
}
