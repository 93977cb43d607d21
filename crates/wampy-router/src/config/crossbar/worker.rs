//! The node as a whole: its controller and its workers, of which one is the router.
//!
//! Deliberately absent: running anything but a router. What else the node would run is left out, if
//! the user has agreed to that.

use super::super::source::Located;
use super::auth::Auth;
use super::item::{Item, Scope};
use super::node::{self, Value};
use super::ports;
use super::realm::{self, Realm};
use super::transport::Ways;

/// What the node's router does.
pub(super) struct Node<'n> {
    pub(super) ways: Ways<'n>,
    pub(super) realms: Vec<Realm<'n>>,
    pub(super) auth: Option<Auth<'n>>,
}

/// The versions of node configurations that are read. The first has the actions of a permission beside
/// its URI.
const VERSIONS: std::ops::RangeInclusive<u64> = 1..=2;

/// Reads the whole file. `None` if there is no router in it, which has been reported.
pub(super) fn read<'n>(mut item: Item<'n>) -> Option<Node<'n>> {
    item.know("$schema");
    if let Some(version) = item.number("version")
        && !VERSIONS.contains(&version.value)
    {
        let text = format!("version {} is not known; 1 and 2 are", version.value);
        item.scope.refuse(version.place(), text);
    }
    let controller = item.field("controller");
    if let Some(field) = controller.filter(|it| it.node != &node::Node::empty_dict()) {
        item.scope
            .ignore(&field.place, "there is no node controller");
    }
    item.ignore("reporting", "nothing is reported to anybody");
    if item.field("workers").is_none() {
        item.problem("workers is missing");
    }
    let mut routers = Vec::new();
    let mut had_workers = false;
    for worker in item.items("workers") {
        had_workers = true;
        routers.extend(router(worker));
    }
    let place = item.place().clone();
    let scope = item.scope;
    item.end();
    let mut routers = routers.into_iter();
    let Some(first) = routers.next() else {
        if had_workers {
            scope.refuse(&place, "none of the workers is a router");
        }
        return None;
    };
    for other in routers {
        let text = "a second router: its realms would be open to the ports of the first. Give it a \
                    file of its own";
        scope.refuse(other.place(), text);
        other.forget();
    }
    Some(read_router(first, scope))
}

/// The worker, if it is a router that is to run.
fn router(mut worker: Item<'_>) -> Option<Item<'_>> {
    if worker.field("type").is_none() {
        worker.problem("type is missing");
    }
    let kind = worker.text("type")?;
    if kind.value != "router" {
        let what = format!(
            "a worker of the type {:?} is no part of a router",
            kind.value
        );
        worker.scope.leave_out(worker.place(), &what);
        worker.forget();
        return None;
    }
    if is_disabled(&mut worker) {
        worker
            .scope
            .ignore(worker.place(), "the worker is disabled");
        worker.forget();
        return None;
    }
    Some(worker)
}

/// Whether the worker is not to run: `true`, or an environment variable that is set to anything.
fn is_disabled(worker: &mut Item<'_>) -> bool {
    let Some(field) = worker.field("options") else {
        return false;
    };
    let disabled = field.node.get("disabled");
    match disabled.map(|it| (&it.value, it.text())) {
        Some((Value::Flag(flag), _)) => *flag,
        Some((_, Some(text))) => {
            let name = text.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
            match name {
                Some(name) => std::env::var(name).is_ok_and(|value| !value.is_empty()),
                None => !text.is_empty(),
            }
        }
        _ => false,
    }
}

fn read_router<'n>(mut item: Item<'n>, scope: &'n Scope<'n>) -> Node<'n> {
    item.know("id");
    if let Some(mut options) = item.item("options") {
        options.know("title");
        options.know("disabled");
        let why = "one process runs the whole router, and no Python in it";
        for key in [
            "extra",
            "python",
            "pythonpath",
            "env",
            "expose_controller",
            "expose_shared",
        ] {
            options.ignore(key, why);
        }
        options.ignore(
            "cpu_affinity",
            "the router runs on all processors (taskset says otherwise)",
        );
        options.end();
    }
    item.ignore("manhole", "there is no shell into the process");
    for component in item.items("components") {
        let what = "a component in the router's process cannot be run";
        scope.leave_out(component.place(), what);
        component.forget();
    }
    for connection in item.items("connections") {
        scope.leave_out(connection.place(), "there are no connections to databases");
        connection.forget();
    }
    let mut ways = Ways::default();
    for transport in item.items("transports") {
        ways.read(transport);
    }
    let realms: Vec<_> = item
        .items("realms")
        .into_iter()
        .filter_map(realm::read)
        .collect();
    let auth = ports::read(scope, &mut ways);
    if let Some(auth) = &auth {
        auth.check(&realms);
        let methods: Vec<_> = realms.iter().flat_map(|it| auth.methods_of(it)).collect();
        let restricted = ways
            .endpoints
            .iter_mut()
            .filter_map(|it| it.methods.as_mut());
        restricted.for_each(|only| only.retain(|it| methods.contains(it)));
    }
    check(&mut item, &ways, &realms);
    item.end();
    Node { ways, realms, auth }
}

/// Checks that there is a realm to join and a port to come by.
fn check(item: &mut Item<'_>, ways: &Ways<'_>, realms: &[Realm<'_>]) {
    if item.fields("transports").is_empty() {
        item.problem("there are no transports: nobody could connect");
    }
    if item.fields("realms").is_empty() {
        item.problem("there are no realms: nobody could join");
    }
    for (at, realm) in realms.iter().enumerate() {
        let mut earlier = realms[..at].iter();
        if earlier.any(|it| it.name.value == realm.name.value) {
            let text = format!("there are two realms called {:?}", realm.name.value);
            item.scope.refuse(Located::place(&realm.name), text);
        }
    }
    if let Some(longpoll) = &ways.longpoll
        && ways.doors.iter().any(|door| door.auth.is_some())
    {
        let text = "who comes by long-polling authenticates as by WebSocket";
        item.scope.source.warn_at(&longpoll.place, text);
    }
    if ways.endpoints.is_empty() && !ways.doors.is_empty() {
        // Each has been reported.
        return;
    }
    if ways.doors.is_empty() && ways.longpoll.is_none() && !item.fields("transports").is_empty() {
        item.problem("no transport is left by which a client could come");
    }
}
