//! Where the router listens: addresses, and by which methods clients may authenticate there.
//!
//! Deliberately absent: other settings for a port of its own; all ports are alike in everything else.

use wampy_transport::ListenAddress;

use super::section::{Section, TextOrTable};
use super::source::{Located, Source};
use crate::builder::Builder;
use crate::settings::Method;

/// Reads where to listen. The methods of ports that have only some are put into `restricted`.
pub(super) fn read(
    section: &mut Section<'_>,
    mut builder: Builder,
    restricted: &mut Vec<Located<Method>>,
) -> Builder {
    let source = section.source();
    let names = Method::ALL.map(|method| (method.as_str(), method));
    let check = |address: &Located<String>| {
        if let Err(error) = address.value.parse::<ListenAddress>() {
            source.report_at(address.place(), error.to_string());
        }
    };
    for port in section.texts_or_tables("listen") {
        let mut port = match port {
            TextOrTable::Text(address) => {
                check(&address);
                builder = builder.listen(address.value);
                continue;
            }
            TextOrTable::Table(port) => port,
        };
        let address = port.required_text("address");
        let methods = port.words("methods", &names);
        if methods.as_ref().is_some_and(Vec::is_empty) {
            port.problem("methods is empty: nobody could join");
        }
        port.end();
        let Some(address) = address else {
            continue;
        };
        check(&address);
        builder = match methods {
            None => builder.listen(address.value),
            Some(methods) => {
                restricted.extend(methods.iter().cloned());
                builder.listen_for(address.value, methods.into_iter().map(|it| it.value))
            }
        };
    }
    builder
}

/// Checks that what a port allows is something that some realm has.
pub(super) fn check(source: &Source<'_>, restricted: &[Located<Method>], builder: &Builder) {
    let listed = builder.realms.iter();
    let others = (builder.auto_create_realms).then_some(&builder.auto_created_realms);
    let realms: Vec<_> = listed.chain(others).collect();
    for method in restricted {
        let mut there = realms.iter().flat_map(|it| &it.authentication.methods);
        // That there is no realm at all has been reported.
        if !realms.is_empty() && !there.any(|it| *it == method.value) {
            let text = format!("no realm has the method {}", method.value.as_str());
            source.report_at(method.place(), text);
        }
    }
}
