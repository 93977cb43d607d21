//! The gate: what is let through, what is refused, and about what an authorizer has to be asked.

use wampy_proto::{Feature, MatchPolicy, Role};
use wampy_realm::Disclosure;

use super::requests::{Request, Wish};
use super::roles::Decider;
use super::waiting::{Entry, Item};
use super::{Call, Model};
use crate::simulated::Client;

/// Something to be allowed.
#[derive(Clone, PartialEq)]
pub struct Need {
    pub action: &'static str,
    pub uri: String,
    pub policy: MatchPolicy,
}

/// What was granted of the two things that a request may need, and whether the sender becomes known.
pub type Answered = [Option<bool>; 2];
pub const NOT_ASKED: Answered = [None; 2];

pub enum Decision {
    Granted { discloses: bool },
    Refused(&'static str),
    MustAsk,
}

/// What became of something at the gate.
pub enum Handled {
    Done,
    /// About which of its needs an authorizer has to be asked.
    MustAsk(usize),
    /// It breaks the protocol.
    Broken,
}

impl Need {
    pub fn new(action: &'static str, uri: &str, policy: MatchPolicy) -> Self {
        let uri = uri.to_owned();
        Self {
            action,
            uri,
            policy,
        }
    }

    /// Whether it is to make what is the protocol's own.
    fn is_reserved(&self) -> bool {
        ["register", "publish"].contains(&self.action) && self.uri.starts_with("wamp.")
    }
}

impl Model {
    /// Takes what a session asks for; returns whether that breaks the protocol.
    pub fn request(&mut self, client: Client, number: u64, request: Request) -> bool {
        let entry = Entry::new(Item::Request(number, request));
        let mut is_broken = false;
        if self.waits(client) {
            self.wait_behind(client, entry);
        } else {
            match self.handle(client, &entry.item, &NOT_ASKED) {
                Handled::Done => {}
                Handled::Broken => is_broken = true,
                Handled::MustAsk(place) => {
                    let mut queue = vec![entry];
                    if let Err(error) = self.ask(client, place, NOT_ASKED, &mut queue) {
                        self.refuse_entry(error, client, &queue[0]);
                    }
                }
            }
        }
        self.settle();
        is_broken
    }

    /// Lets something through or refuses it, if that can be decided.
    pub fn handle(&mut self, client: Client, item: &Item, answered: &Answered) -> Handled {
        let Item::Request(number, request) = item else {
            return self.recheck(client, item, answered);
        };
        let mut discloses = false;
        for (place, answer) in answered.iter().enumerate() {
            let granted = match *answer {
                Some(granted) => granted,
                None if self.is_internal(client) => {
                    self.note("the router called without being asked what it may do");
                    break;
                }
                None => {
                    let Some(need) = self.need(request, place) else {
                        break;
                    };
                    match self.decide(client, &need) {
                        Decision::Granted { discloses } => discloses,
                        Decision::MustAsk => return Handled::MustAsk(place),
                        Decision::Refused(error) => {
                            self.refuse(error, client, *number, request);
                            return Handled::Done;
                        }
                    }
                }
            };
            if place == 0 {
                discloses = granted;
            }
        }
        if self.execute(client, *number, request, discloses) {
            self.settle_lines();
            return Handled::Done;
        }
        Handled::Broken
    }

    /// What a request has to be allowed, in the first place and in the second.
    pub fn need(&self, request: &Request, place: usize) -> Option<Need> {
        self.roles.as_ref()?;
        let exact = MatchPolicy::Exact;
        if place == 0 {
            return Some(match request {
                Request::Subscribe { uri, policy, .. } => Need::new("subscribe", uri, *policy),
                Request::Register(wanted) => Need::new("register", wanted.uri, wanted.policy),
                Request::Publish { topic, .. } => Need::new("publish", topic, exact),
                Request::Call { procedure, .. } => Need::new("call", procedure, exact),
                Request::Ask(ask) => Need::new("call", &ask.procedure(), exact),
                Request::Unsubscribe(_) | Request::Unregister(_) | Request::Part { .. } => {
                    return None;
                }
            });
        }
        let Request::Ask(ask) = request else {
            return None;
        };
        match &ask.wish {
            Wish::AddTestament(testament) => Some(Need::new("publish", testament.topic, exact)),
            Wish::Define(subject, _) => match subject.kind {
                "procedure" => Some(Need::new("register", subject.uri, subject.policy)),
                "topic" => Some(Need::new("publish", subject.uri, subject.policy)),
                _ => None,
            },
            Wish::GetEvents(id, _) => {
                let found = self.subscriptions.iter().find(|it| it.id == *id)?;
                Some(Need::new("subscribe", found.uri, found.policy))
            }
            Wish::Plain | Wish::Undefine { .. } => None,
        }
    }

    /// Whether a session may do something, if that is known without asking an authorizer.
    pub fn decide(&mut self, client: Client, need: &Need) -> Decision {
        // What was held up by an authorizer, in a realm that has no roles any more.
        if self.roles.is_none() {
            return Decision::Granted { discloses: false };
        }
        if self.is_malformed(&need.uri) || need.is_reserved() {
            return Decision::Refused("invalid_uri");
        }
        let session = self.session(client).clone();
        let Some(&Decider::Procedure(procedure)) = self.decider(&session) else {
            return match self.forbids(&session, need) {
                true => Decision::Refused("not_authorized"),
                false => Decision::Granted {
                    discloses: need.policy == MatchPolicy::Exact
                        && self.discloses(&session, &need.uri),
                },
            };
        };
        match self.remembered(client, need) {
            Some(Some(discloses)) => return Decision::Granted { discloses },
            Some(None) => return Decision::Refused("not_authorized"),
            None => {}
        }
        let asked = self.authorizer(procedure);
        match asked.is_some_and(|at| self.registrations[at].has(client)) {
            true => {
                self.note("an authorizer was not asked about itself");
                Decision::Granted { discloses: false }
            }
            false => Decision::MustAsk,
        }
    }

    pub fn refuse(&mut self, error: &str, client: Client, number: u64, request: &Request) {
        if request.is_answered() && !matches!(request, Request::Part { .. }) {
            self.expect_error(client, request.message_type(), number, error);
        }
    }

    /// Does what was allowed; returns whether it kept to the protocol.
    fn execute(&mut self, client: Client, number: u64, request: &Request, discloses: bool) -> bool {
        let disclose = |options: &mut serde_json::Value, disclosure| {
            if discloses && disclosure != Disclosure::Denied {
                options["disclose_me"] = true.into();
            }
        };
        match request {
            Request::Subscribe {
                uri,
                policy,
                options,
            } => self.subscribe(client, number, uri, *policy, options),
            Request::Unsubscribe(id) => self.unsubscribe(client, number, *id),
            Request::Register(wanted) => self.register(client, number, wanted),
            Request::Unregister(id) => self.unregister(client, number, *id),
            Request::Publish {
                topic,
                options,
                args,
            } => {
                let publisher = self.session(client).roles;
                let passes = publisher.supports(Role::Publisher, Feature::PayloadPassthruMode);
                if !options["ppt_scheme"].is_null() && !passes {
                    return false;
                }
                let mut options = options.clone();
                disclose(&mut options, self.config.publisher_disclosure);
                self.publish(client, number, &options, topic, args);
            }
            Request::Call {
                procedure,
                options,
                args,
            } => {
                if !self.may_call(client, options) {
                    return false;
                }
                let mut call = Call::new(client, number, options, procedure, args);
                disclose(&mut call.options, self.config.caller_disclosure);
                self.call(call);
            }
            Request::Part {
                procedure,
                progress,
                args,
            } => return self.part(client, number, (procedure, *progress), args),
            Request::Ask(ask) => self.answer_meta_call(client, number, ask),
        }
        true
    }
}
