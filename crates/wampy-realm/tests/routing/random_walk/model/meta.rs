//! The meta API: what its procedures answer and do.

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::requests::{Ask, Wish};
use super::{Model, Session};
use crate::simulated::Client;

/// What a procedure answers: its positional results, or an error.
type Outcome = Result<Vec<Json>, &'static str>;

impl Model {
    /// Answers a call of a procedure of the meta API.
    pub fn answer_meta_call(&mut self, client: Client, number: u64, ask: &Ask) {
        match &ask.wish {
            Wish::AddTestament(testament) => {
                self.add_testament(client, number, testament.clone());
            }
            Wish::Define(subject, doc) => self.define(client, number, subject, doc.clone()),
            Wish::Undefine { uri, kind, policy } => {
                self.undefine(client, number, uri, *kind, *policy);
            }
            Wish::GetEvents(id, filter) => self.get_events(client, number, *id, filter),
            Wish::Plain => match self.do_or_tell(client, ask) {
                Ok(results) => match self.why_not_take(client, &json!(results)) {
                    None if results.is_empty() => self.expect(client, json!([50, number, {}])),
                    None => self.expect(client, json!([50, number, {}, results])),
                    Some(error) => self.expect_error(client, 48, number, error),
                },
                Err(error) => self.expect_error(client, 48, number, error),
            },
        }
    }

    fn do_or_tell(&mut self, client: Client, ask: &Ask) -> Outcome {
        let (family, verb) = ask.name.rsplit_once('.').unwrap();
        self.note(match family {
            "session" => "the session meta API told something",
            "registration" => "the registration meta API told something",
            "subscription" => "the subscription meta API told something",
            _ => "something was described",
        });
        match family {
            "session" => self.of_sessions(client, verb, ask),
            "registration" => self.of_registrations(verb, ask),
            "subscription" => self.of_subscriptions(verb, ask),
            "reflect" => {
                let kinds = ["procedure", "topic", "error"];
                let found = kinds.map(|kind| self.describe_by(client, kind, ask));
                let found = found.into_iter().filter(|it| !it.is_null());
                Ok(vec![found.collect()])
            }
            _ => {
                let kind = family.strip_prefix("reflection.").unwrap();
                Ok(vec![match verb {
                    "list" => self.reflection_list(client, kind),
                    _ => self.describe_by(client, kind, ask),
                }])
            }
        }
    }

    fn describe_by(&self, client: Client, kind: &str, ask: &Ask) -> Json {
        let uri = ask.args[0].as_str().unwrap();
        self.description(client, kind, uri, policy_of(&ask.kwargs))
    }

    fn of_sessions(&mut self, client: Client, verb: &str, ask: &Ask) -> Outcome {
        let text = ask.args[0].as_str().unwrap_or_default();
        let authroles = ask.args[0].as_array();
        let wanted = self
            .sessions
            .iter()
            .filter(|it| authroles.is_none_or(|authroles| authroles.contains(&json!(it.authrole))));
        let named = ask.args[0].as_u64();
        let goodbye = match ask.kwargs["reason"].as_str() {
            Some(reason) if self.is_malformed(reason) => return Err("invalid_uri"),
            Some(reason) => json!([6, {"message": ask.kwargs["message"]}, reason]),
            None => json!([6, {}, "wamp.close.killed"]),
        };
        Ok(vec![match verb {
            "count" => json!(wanted.count()),
            "list" => sorted(wanted.map(|it| it.id)),
            "get" => {
                let mut all = self.sessions.iter();
                let found = all.find(|it| Some(it.id) == named);
                found.ok_or("no_such_session")?.details()
            }
            "flush_testaments" => {
                self.flush_testaments(client, ask.kwargs["scope"].as_str().unwrap());
                return Ok(Vec::new());
            }
            "kill" => {
                let is_named = |it: &Session| Some(it.id) == named;
                return match self.kill(client, is_named, true, &goodbye).is_empty() {
                    true => Err("no_such_session"),
                    false => Ok(Vec::new()),
                };
            }
            "kill_by_authid" => sorted(self.kill(client, |it| it.authid == text, true, &goodbye)),
            "kill_by_authrole" => {
                json!(
                    self.kill(client, |it| it.authrole == text, true, &goodbye)
                        .len()
                )
            }
            _ => json!(self.kill(client, |_| true, false, &goodbye).len()),
        }])
    }

    fn of_registrations(&mut self, verb: &str, ask: &Ask) -> Outcome {
        let (uri, id) = (ask.args[0].as_str(), ask.args[0].as_u64());
        let all = &self.registrations;
        let named = all.iter().find(|it| Some(it.id) == id);
        let named = named.ok_or("no_such_registration");
        Ok(vec![match verb {
            "list" => lists(all.iter().map(|it| (it.id, it.policy))),
            "match" => json!(self.best_match(uri.unwrap()).map(|at| all[at].id)),
            "lookup" => lookup(ask, all.iter().map(|it| (it.id, it.uri, it.policy))),
            "get" => self.registration_details(named?),
            "list_callees" => {
                let callees = named?.callees.iter();
                sorted(callees.map(|it| self.session(it.client).id))
            }
            "count_callees" => json!(named?.callees.len()),
            _ => {
                let session = ask.args[1].as_u64().unwrap();
                self.remove_callee(id.unwrap(), session)?;
                return Ok(Vec::new());
            }
        }])
    }

    fn of_subscriptions(&mut self, verb: &str, ask: &Ask) -> Outcome {
        let (uri, id) = (ask.args[0].as_str(), ask.args[0].as_u64());
        let all = &self.subscriptions;
        let named = all.iter().find(|it| Some(it.id) == id);
        let named = named.ok_or("no_such_subscription");
        Ok(vec![match verb {
            "list" => lists(all.iter().map(|it| (it.id, it.policy))),
            "match" => {
                let matches = all
                    .iter()
                    .filter(|it| it.policy.matches(it.uri, uri.unwrap()));
                match matches.clone().next() {
                    Some(_) => sorted(matches.map(|it| it.id)),
                    None => Json::Null,
                }
            }
            "lookup" => lookup(ask, all.iter().map(|it| (it.id, it.uri, it.policy))),
            "get" => self.subscription_details(named?),
            "list_subscribers" => {
                let members = named?.members.iter();
                sorted(members.map(|&it| self.session(it).id))
            }
            "count_subscribers" => json!(named?.members.len()),
            _ => {
                let session = ask.args[1].as_u64().unwrap();
                self.remove_subscriber(id.unwrap(), session)?;
                return Ok(Vec::new());
            }
        }])
    }
}

fn policy_of(map: &Json) -> Option<MatchPolicy> {
    map["match"].as_str().map(|word| word.parse().unwrap())
}

/// Which of all registrations, or subscriptions, is that of exactly a URI or pattern.
fn lookup<'m>(ask: &Ask, mut all: impl Iterator<Item = (u64, &'m str, MatchPolicy)>) -> Json {
    let policy = policy_of(&ask.args[1]).unwrap_or_default();
    let found = all.find(|(_, uri, of)| ask.args[0] == **uri && *of == policy);
    json!(found.map(|it| it.0))
}

/// Ids in an order that does not matter.
fn sorted(ids: impl IntoIterator<Item = u64>) -> Json {
    let mut ids: Vec<u64> = ids.into_iter().collect();
    ids.sort_unstable();
    json!(ids)
}

/// Ids by match policy.
fn lists(all: impl Iterator<Item = (u64, MatchPolicy)> + Clone) -> Json {
    let of = |policy| sorted(all.clone().filter(|it| it.1 == policy).map(|it| it.0));
    let lists = MatchPolicy::ALL.map(|policy| (policy.as_str().to_owned(), of(policy)));
    Json::Object(lists.into_iter().collect())
}
