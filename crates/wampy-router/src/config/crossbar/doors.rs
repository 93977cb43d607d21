//! What all ways into the router say together, as settings of the router: here each setting is one
//! for all ports.
//!
//! Where ways differ, what lets more in wins if that does no harm, with a warning; where it would let
//! in somebody who was kept out, it is a mistake.

use wampy_proto::Serializer;

use super::super::source::{Located, Place};
use super::Files;
use super::endpoint::Endpoint;
use super::item::Scope;
use super::toml_text::{TomlText, list, quoted};
use super::transport::{Door, Ways};
use crate::limits::Limits;

/// Writes the settings of the router.
pub(super) fn write(scope: &Scope<'_>, ways: &Ways<'_>, files: &Files<'_>, out: &mut TomlText) {
    listen(&ways.endpoints, out);
    serializers(scope, &ways.doors, out);
    if let Some(place) = ways
        .doors
        .iter()
        .find_map(|it| it.options.compression.as_ref())
    {
        out.set(place, "compress", "true");
    }
    if ways.longpoll.is_none() {
        out.set(&Place::ROOT, "longpoll", "false");
    }
    allowed_origins(scope, &ways.doors, out);
    // Crossbar.io looks at none of these habits.
    let lenient = ["request-ids", "silent-cancel", "progress-without-canceling"];
    out.comment("Habits of some clients that Crossbar.io does not mind.");
    out.set(&Place::ROOT, "lenient", list(lenient));
    limits(scope, ways, out);
    tls(scope, &ways.endpoints, files, out);
    cookie(scope, &ways.doors, out);
}

fn listen(endpoints: &[Endpoint], out: &mut TomlText) {
    let has_tls = endpoints.iter().any(|it| it.tls.is_some());
    out.line(&Place::ROOT, "listen = [");
    for endpoint in endpoints {
        let is_plain = has_tls && endpoint.is_tcp && endpoint.tls.is_none();
        let plain = if is_plain { "plain:" } else { "" };
        let address = quoted(&format!("{plain}{}", endpoint.address));
        let port = match &endpoint.methods {
            None => address,
            Some(only) => {
                let only = list(only.iter().copied());
                format!("{{ address = {address}, methods = {only} }}")
            }
        };
        out.line(&endpoint.place, format!("    {port},"));
    }
    out.line(&Place::ROOT, "]");
}

fn serializers(scope: &Scope<'_>, doors: &[Door<'_>], out: &mut TomlText) {
    let mut stated = doors.iter().filter_map(|it| it.serializers.as_ref());
    let Some(first) = stated.next() else {
        return;
    };
    if doors.iter().any(|door| door.serializers.is_none()) {
        return;
    }
    let all: Vec<_> = doors
        .iter()
        .filter_map(|it| it.serializers.as_ref())
        .collect();
    let is_spoken = |it: &Serializer| all.iter().any(|list| list.value.contains(it));
    let union: Vec<_> = Serializer::ALL.into_iter().filter(is_spoken).collect();
    if let Some(fewer) = all.iter().find(|it| it.value.len() < union.len()) {
        let text = "every port speaks all serializers that are listed anywhere";
        scope.source.warn_at(fewer.place(), text);
    }
    if union.len() < Serializer::ALL.len() {
        let names = union.iter().map(|serializer| serializer.row().name);
        out.set(first.place(), "serializers", list(names));
    }
}

fn allowed_origins(scope: &Scope<'_>, doors: &[Door<'_>], out: &mut TomlText) {
    let mut websockets = doors.iter().filter(|door| door.is_websocket);
    let listed = |door: &Door<'_>| -> Vec<String> {
        let origins = door.options.allowed_origins.as_ref();
        let origins = origins.map(|it| it.value.iter().map(|it| it.value.clone()).collect());
        let mut origins: Vec<_> = origins.unwrap_or_else(|| vec!["*".to_owned()]);
        origins.sort();
        origins
    };
    let Some(first) = websockets.next() else {
        return;
    };
    let origins = listed(first);
    for other in websockets.filter(|other| listed(other) != origins) {
        let place = other.options.allowed_origins.as_ref().map(Located::place);
        let text = format!(
            "other origins than those of {}: here a list of origins is for all ports",
            first.place.key
        );
        scope.refuse(place.unwrap_or(&other.place), text);
    }
    if let Some(stated) = &first.options.allowed_origins {
        out.line(stated.place(), "allowed_origins = [");
        for origin in &stated.value {
            out.line(origin.place(), format!("    {},", quoted(&origin.value)));
        }
        out.line(stated.place(), "]");
    }
}

type Stated<'d> = Vec<&'d Located<u64>>;

fn limits(scope: &Scope<'_>, ways: &Ways<'_>, out: &mut TomlText) {
    let stated = |of: fn(&super::options::Options) -> Option<&Located<u64>>| -> Stated<'_> {
        let stated = ways.doors.iter().filter_map(|door| of(&door.options));
        stated.collect()
    };
    let mut rows: Vec<(Place, String, u64)> = Vec::new();
    let mut add = |key: &str, value: Option<(Place, u64)>| {
        if let Some((place, value)) = value {
            rows.push((place, key.to_owned(), value));
        }
    };
    message_size(scope, &ways.doors, &mut add);
    let handshake = stated(|it| it.open_handshake_timeout.as_ref());
    add("handshake_timeout_ms", largest(scope, &handshake));
    let close = stated(|it| it.close_handshake_timeout.as_ref());
    add("close_timeout_ms", largest(scope, &close));
    let interval = stated(|it| it.auto_ping_interval.as_ref());
    let pinged: Stated<'_> = interval.iter().copied().filter(|it| it.value > 0).collect();
    let interval = if pinged.is_empty() { interval } else { pinged };
    let soonest = interval.into_iter().min_by_key(|it| it.value);
    add(
        "keepalive_interval_ms",
        soonest.map(|it| (it.place.clone(), it.value)),
    );
    let timeout = stated(|it| it.auto_ping_timeout.as_ref());
    add("keepalive_timeout_ms", largest(scope, &timeout));
    let ms = |it: &Located<u64>| (it.place.clone(), it.value.saturating_mul(1000));
    let timeout = ways.client_timeout.as_ref();
    add("http_idle_timeout_ms", timeout.map(ms));
    if let Some(longpoll) = &ways.longpoll {
        add(
            "longpoll_poll_timeout_ms",
            longpoll.request_timeout.as_ref().map(ms),
        );
        let session = longpoll.session_timeout.as_ref();
        add("longpoll_session_timeout_ms", session.map(ms));
    }
    if let Some((first, ..)) = rows.first() {
        out.header(first, "[limits]");
    }
    for (place, key, value) in &rows {
        out.set(place, key, value.to_string());
    }
}

/// The largest that is stated; 0 stands for no limit, where ours keeps its default.
fn largest(scope: &Scope<'_>, stated: &Stated<'_>) -> Option<(Place, u64)> {
    if let Some(unlimited) = stated.iter().find(|it| it.value == 0) {
        scope.ignore(
            unlimited.place(),
            "there is always a limit; it keeps its default",
        );
        return None;
    }
    let largest = stated.iter().max_by_key(|it| it.value)?;
    warn_of_other(scope, stated, largest.value);
    Some((largest.place.clone(), largest.value))
}

fn warn_of_other(scope: &Scope<'_>, stated: &Stated<'_>, taken: u64) {
    if let Some(other) = stated.iter().find(|it| it.value != taken) {
        let text = format!("all ports have one limit here: {taken}");
        scope.source.warn_at(other.place(), text);
    }
}

/// The largest message. A door that says nothing takes at least what is usual here.
fn message_size(
    scope: &Scope<'_>,
    doors: &[Door<'_>],
    add: &mut impl FnMut(&str, Option<(Place, u64)>),
) {
    let stated = doors
        .iter()
        .filter_map(|it| it.options.max_message_size.as_ref());
    let stated: Stated<'_> = stated.collect();
    let Some((place, mut largest)) = largest(scope, &stated) else {
        return;
    };
    let usual = Limits::default();
    if stated.len() < doors.len() {
        largest = largest.max(usual.message_bytes_max as u64);
        warn_of_other(scope, &stated, largest);
    }
    add("message_bytes_max", Some((place.clone(), largest)));
    if largest > usual.outbound_bytes_per_session_max as u64 {
        let both_ways = largest.saturating_mul(2);
        add("outbound_bytes_per_session_max", Some((place, both_ways)));
    }
}

fn tls(scope: &Scope<'_>, endpoints: &[Endpoint], files: &Files<'_>, out: &mut TomlText) {
    let mut all = endpoints.iter().filter_map(|it| it.tls.as_ref());
    let Some(first) = all.next() else {
        return;
    };
    for other in all.filter(|other| other.value != first.value) {
        let text = format!(
            "another certificate than that of {}: here all ports have the same",
            first.place.key
        );
        scope.refuse(other.place(), text);
    }
    let tls = &first.value;
    out.header(first.place(), "[tls]");
    out.set(first.place(), "certificate", files.named(&tls.certificate));
    out.set(first.place(), "key", files.named(&tls.key));
    if let Some(authorities) = &tls.client_authorities {
        out.set(
            first.place(),
            "client_authorities",
            files.named(authorities),
        );
        // Crossbar.io lets nobody in without a certificate then.
        out.set(first.place(), "client_certificates", quoted("required"));
    }
}

fn cookie(scope: &Scope<'_>, doors: &[Door<'_>], out: &mut TomlText) {
    let mut all = doors.iter().filter_map(|it| it.cookie.as_ref());
    let Some(first) = all.next() else {
        return;
    };
    for other in all.filter(|other| other.value != first.value) {
        let text = format!(
            "another cookie than that of {}: here there is one for all ports",
            first.place.key
        );
        scope.refuse(other.place(), text);
    }
    let place = first.place();
    out.header(place, "[cookie]");
    out.set(place, "name", quoted(&first.value.name));
    out.set(place, "max_age_s", first.value.max_age_s.to_string());
    out.set(place, "same_site", quoted(first.value.same_site.as_str()));
    if first.value.secure {
        out.set(place, "secure", "true");
    }
}
