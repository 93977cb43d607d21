//! What the realm said in a step: checked without the model, and compared with what the model
//! foretold.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::Walk;
use super::model::Request;
use crate::simulated::Client;

impl Walk {
    /// A session asks for something, which may break the protocol.
    pub fn request(&mut self, client: Client, number: u64, request: Request, action: &str) {
        let message = request.message(number);
        if message[0] == 48 && !matches!(request, Request::Part { .. }) {
            self.open_calls.insert((client, number));
        }
        let sent = self.network.try_send(client, &message);
        self.gather();
        let is_broken = self.model.request(client, number, request);
        assert_eq!(sent.is_err(), is_broken, "{message}: {sent:?}");
        if is_broken {
            self.network.leave(client);
            self.gather();
            self.model.leave(client);
        }
        self.compare(action);
    }

    /// Sends a message and gathers what everybody received.
    pub fn send(&mut self, client: Client, message: Json) {
        self.network.send(client, message);
        self.gather();
    }

    pub fn gather(&mut self) {
        let all = self.model.sessions.iter().chain(&self.model.internal);
        let clients: Vec<Client> = all.map(|s| s.client).collect();
        for (client, message) in self.network.received_by(&clients) {
            self.check_message(client, &message);
            self.model.seen.push((client, normalized(message)));
        }
    }

    /// Checks a message without the model.
    fn check_message(&mut self, client: Client, message: &Json) {
        let code = message[0].as_u64().unwrap();
        let final_result = code == 50 && message[2]["progress"] != true;
        if final_result || (code == 8 && message[1] == 48) {
            let request = if code == 50 { &message[1] } else { &message[2] };
            let call = (client, request.as_u64().unwrap());
            assert!(
                self.open_calls.remove(&call),
                "{call:?} ended twice, or never began: {message}"
            );
        }
        // Publications and calls carry their sender and a number that grows.
        let args = message[4].as_array().filter(|_| code == 36 || code == 68);
        let from = args.and_then(|args| args.get(1)?.as_u64().zip(args[0].as_u64()));
        let meta = code == 36 && self.is_meta(message);
        if let Some((number, _)) = from.filter(|_| code == 36 && !meta) {
            self.check_publication(number, &message[2]);
        }
        if code == 17 {
            self.check_publication(message[1].as_u64().unwrap(), &message[2]);
        }
        // Neither what is left behind or retained, nor calls that waited or were rerouted, come in the
        // order in which they were sent. (Calls that waited for an authorizer come in order to a
        // registration, which may have a line.)
        let old = meta
            || message[3]["retained"] == true
            || args.is_some_and(|args| args.last().is_some_and(|it| it == "testament"))
            || code == 68
                && (self.model.calls.iter().any(|it| it.args == message[4])
                    || self.model.is_waiting(&message[4]));
        if let Some((number, sender)) = from.filter(|_| !old) {
            let heard = self.last_heard.entry((client, code, sender));
            let last = heard.or_insert(0);
            assert!(*last <= number, "{number} of {sender} came after {last}");
            *last = number;
        }
    }

    /// A publication has the same id for everybody.
    fn check_publication(&mut self, number: u64, id: &Json) {
        let id = id.as_u64().unwrap();
        let known = *self.publications.entry(number).or_insert(id);
        assert_eq!(id, known, "the id of publication {number}");
    }

    fn is_meta(&self, event: &Json) -> bool {
        let id = event[1].as_u64().unwrap();
        let topic = event[3]["topic"].as_str().map(str::to_owned).or_else(|| {
            let subscription = self.model.subscriptions.iter().find(|s| s.id == id);
            subscription.map(|subscription| subscription.uri.to_owned())
        });
        topic.is_none_or(|topic| topic.starts_with("wamp."))
    }

    /// Compares what was received in this step with what the model expected.
    pub fn compare(&mut self, action: &str) {
        self.model.settle();
        for gone in std::mem::take(&mut self.model.gone) {
            self.forget(gone);
        }
        for ended in std::mem::take(&mut self.model.ended_silently) {
            assert!(self.open_calls.remove(&ended), "{ended:?} ended twice");
        }
        let expected = std::mem::take(&mut self.model.expected);
        let mut received = BTreeMap::<Client, Vec<Json>>::new();
        for (client, message) in std::mem::take(&mut self.model.seen) {
            received.entry(client).or_default().push(message);
        }
        assert_eq!(received, expected, "after {action}");
        let stats = self.network.realm.stats();
        let model = &self.model;
        let expected = wampy_realm::Stats {
            sessions: model.sessions.len(),
            registrations: model.registrations.len(),
            subscriptions: model.subscriptions.len(),
            pending_calls: model.calls.len(),
            call_timers: model
                .calls
                .iter()
                .filter(|it| it.deadline.is_some())
                .count(),
            waiting_calls: model.calls.iter().filter(|it| it.callee.is_none()).count(),
            retained_events: model.retained.events.len(),
            history_events: model.history.events.len(),
            ..stats
        };
        assert_eq!(stats, expected, "after {action}");
    }
}

/// A message without what the model does not know: publication ids, the words of errors.
fn normalized(mut message: Json) -> Json {
    match message[0].as_u64() {
        // The model does not know the words with which the realm explains a refusal.
        Some(8) => {
            let uri = message[4].as_str().unwrap_or_default();
            if uri.starts_with("wamp.error.") {
                message.as_array_mut().unwrap().truncate(5);
                message[3] = json!({});
            }
        }
        // Nor those with which it ends a session.
        Some(6) if message[2] == "wamp.error.protocol_violation" => message[1] = json!({}),
        Some(36 | 17) => message[2] = json!(0),
        // Nobody knows the session by which the realm asks authorizers.
        Some(68) if message[3]["caller_authid"] == "wampy.authorizer" => {
            message[3]["caller"] = json!(0);
        }
        // The history names publications.
        Some(50) => {
            let results = message.get_mut(3).and_then(Json::as_array_mut);
            for event in results.into_iter().flatten() {
                if event.get("publication").is_some() {
                    event["publication"] = json!(0);
                }
                sort_ids(event);
                let lists = event.as_object_mut();
                for (policy, list) in lists.into_iter().flatten() {
                    if MatchPolicy::ALL.iter().any(|it| it.as_str() == policy) {
                        sort_ids(list);
                    }
                }
            }
        }
        _ => {}
    }
    message
}

/// Lists of ids are in no order.
fn sort_ids(list: &mut Json) {
    if let Json::Array(ids) = list
        && ids.iter().all(Json::is_u64)
    {
        ids.sort_unstable_by_key(Json::as_u64);
    }
}
