//! Authorizers that are procedures: the questions, and what follows from their answers.
//!
//! A question is a call that the realm makes itself.

use serde_json::{Value as Json, json};
use wampy_proto::MatchPolicy;

use super::ending::Due;
use super::gate::{Answered, NOT_ASKED, Need};
use super::requests::Request;
use super::roles::Decider;
use super::waiting::{Entry, Item, Waiting};
use super::{Call, Model, Session, is_large};
use crate::simulated::Client;

/// Procedures that may be authorizers.
pub const AUTHORIZERS: [&str; 2] = ["a.auth", "b.auth"];

/// A question that was not answered yet.
pub struct Question {
    number: u64,
    about: Client,
    pub deadline: u64,
}

/// An answer about a session that is remembered.
pub struct Remembered {
    pub about: Client,
    need: Need,
    /// Nothing if it was refused, else whether the session becomes known.
    grant: Option<bool>,
    expires: u64,
}

/// What an authorizer says.
struct Answer {
    allow: bool,
    disclose: bool,
    cache: bool,
}

impl Answer {
    /// Reads an answer: a boolean, or a dict that has `allow` and nothing unknown.
    fn read(results: &Json) -> Option<Self> {
        let mut answer = Self {
            allow: false,
            disclose: false,
            cache: false,
        };
        if is_large(results) {
            return None;
        }
        match &results[0] {
            Json::Bool(allow) => answer.allow = *allow,
            Json::Object(pairs) => {
                answer.allow = pairs.get("allow")?.as_bool()?;
                for (key, value) in pairs {
                    match &**key {
                        "allow" => {}
                        "disclose" => answer.disclose = value.as_bool()?,
                        "cache" => answer.cache = value.as_bool()?,
                        _ => return None,
                    }
                }
            }
            _ => return None,
        }
        Some(answer)
    }
}

impl Model {
    /// An authorizer of some role that nobody has registered.
    pub fn missing_authorizer(&self) -> Option<&'static str> {
        let deciders = self.roles.iter().flat_map(|roles| roles.values());
        let mut procedures = deciders.filter_map(|decider| match decider {
            Decider::Procedure(procedure) => Some(*procedure),
            Decider::Rules(_) => None,
        });
        procedures.find(|procedure| self.authorizer(procedure).is_none())
    }

    /// The sessions about which authorizers are asked.
    pub fn with_authorizers(&self) -> Vec<Client> {
        let is_asked = |it: &&Session| matches!(self.decider(it), Some(Decider::Procedure(_)));
        let those = self.sessions.iter().filter(is_asked);
        those.map(|it| it.client).collect()
    }

    /// The questions that somebody has: who, and its invocations.
    pub fn questions_asked(&self) -> Vec<(Client, u64)> {
        let asked = self.calls.iter().filter(|it| !self.is_client(it.caller));
        asked
            .filter_map(|it| Some((it.callee?, it.invocation)))
            .collect()
    }

    /// Whether a session is a client's, and not the realm's own.
    pub fn is_client(&self, client: Client) -> bool {
        client != self.realm.client
    }

    /// The registration of an authorizer: one of exactly its URI.
    pub fn authorizer(&self, procedure: &str) -> Option<usize> {
        let mut all = self.registrations.iter();
        all.position(|it| it.uri == procedure && it.policy == MatchPolicy::Exact)
    }

    /// Asks the authorizer of a session's role about the first thing in a queue.
    pub fn ask(
        &mut self,
        client: Client,
        place: usize,
        answered: Answered,
        queue: &mut Vec<Entry>,
    ) -> Result<(), &'static str> {
        let session = self.session(client).clone();
        let Some(&Decider::Procedure(procedure)) = self.decider(&session) else {
            unreachable!("who is asked about has an authorizer");
        };
        if self.authorizer(procedure).is_none() {
            self.note("an authorizer was missing");
            return Err("authorization_failed");
        }
        let item = &queue[0].item;
        let need = self.need_of(item, place).expect("something that is needed");
        let options = match item {
            Item::Request(_, request) if place == 0 => match request {
                Request::Ask(_) => json!({}),
                request => request.options(),
            },
            _ if need.policy == MatchPolicy::Exact => json!({}),
            _ => json!({"match": need.policy.as_str()}),
        };
        let mut details = session.details();
        details["realm"] = json!("realm1");
        let args = json!([details, need.uri, need.action, options]);
        self.last_question += 1;
        let number = self.last_question;
        self.questions.push(Question {
            number,
            about: client,
            deadline: self.now + self.config.authorizer_timeout_ms,
        });
        self.waiting.push(Waiting {
            client,
            question: number,
            place,
            answered,
            queue: std::mem::take(queue),
        });
        self.note("an authorizer was asked");
        if place == 1 {
            self.note("an authorizer was asked about what a meta procedure does");
        }
        let realm = self.realm.client;
        self.call(Call::new(realm, number, &json!({}), procedure, &args));
        Ok(())
    }

    fn need_of(&self, item: &Item, place: usize) -> Option<Need> {
        match item {
            Item::Request(_, request) => self.need(request, place),
            held => self.need_of_held(held),
        }
    }

    /// An authorizer has answered, or will not.
    pub fn take_answer(&mut self, number: u64, results: Option<&Json>) {
        let mut all = self.questions.iter();
        let Some(at) = all.position(|it| it.number == number) else {
            return;
        };
        let client = self.questions.remove(at).about;
        let mut waiting = self.take_waiting(client).expect("who was asked about");
        let item = &waiting.queue[0].item;
        let mut answered = NOT_ASKED;
        match self.verdict(client, waiting.place, item, results) {
            Ok(discloses) => {
                answered = waiting.answered;
                answered[waiting.place] = Some(discloses);
            }
            Err(error) => {
                let entry = waiting.queue.remove(0);
                if !matches!(entry.item, Item::Request(..)) {
                    self.note("an authorizer took back what was held");
                }
                self.refuse_entry(error, client, &entry);
            }
        }
        self.go_on(client, answered, waiting.queue);
    }

    /// What an answer means, which is remembered if it says so.
    fn verdict(
        &mut self,
        client: Client,
        place: usize,
        item: &Item,
        results: Option<&Json>,
    ) -> Result<bool, &'static str> {
        let Some(answer) = results.and_then(Answer::read) else {
            self.note("an authorizer failed");
            return Err("authorization_failed");
        };
        let Some(need) = self.need_of(item, place) else {
            self.note("what was asked about was gone");
            return Err("not_authorized");
        };
        let grant = answer.allow.then_some(answer.disclose);
        if answer.cache {
            self.remember(client, need, grant);
        }
        match grant {
            Some(true) => self.note("an authorizer disclosed a session"),
            Some(false) => self.note("an authorizer allowed something"),
            None => self.note("an authorizer refused something"),
        }
        grant.ok_or("not_authorized")
    }

    fn remember(&mut self, about: Client, need: Need, grant: Option<bool>) {
        let (now, max) = (self.now, self.config.authorizer_answers_per_session_max);
        if max == 0 {
            return;
        }
        let count = |all: &[Remembered]| all.iter().filter(|it| it.about == about).count();
        if count(&self.answers_kept) >= max {
            self.answers_kept
                .retain(|it| it.about != about || now < it.expires);
        }
        if count(&self.answers_kept) >= max {
            self.note("too many answers were remembered");
            let mut all = self.answers_kept.iter();
            let forgotten = all.find(|it| it.about == about && it.need != need);
            self.forgotten = forgotten.map(|it| (about, it.need.clone()));
            self.forget_answers(about);
        }
        self.answers_kept
            .retain(|it| it.about != about || it.need != need);
        self.answers_kept.push(Remembered {
            about,
            need,
            grant,
            expires: now + self.config.authorizer_answer_lifetime_ms,
        });
    }

    /// When each answer that is remembered is too old.
    pub fn answers_due(&self) -> impl Iterator<Item = (u64, Due)> {
        let due = |it: &Remembered| (it.expires, Due::Answer(it.about, it.need.clone()));
        self.answers_kept.iter().map(due)
    }

    pub fn forget_answers(&mut self, about: Client) {
        self.answers_kept.retain(|it| it.about != about);
    }

    /// What was answered before, if it is remembered.
    pub fn remembered(&mut self, client: Client, need: &Need) -> Option<Option<bool>> {
        let mut all = self.answers_kept.iter();
        let found = all.find(|it| it.about == client && it.need == *need)?;
        let (grant, is_fresh) = (found.grant, self.now < found.expires);
        if !is_fresh {
            self.note("a remembered answer was too old");
            return None;
        }
        self.note("a remembered answer counted");
        Some(grant)
    }

    /// Takes back a question.
    pub fn withdraw(&mut self, number: u64) {
        self.note("a question was withdrawn");
        self.questions.retain(|it| it.number != number);
        self.cancel_pending(self.realm.client, number, "killnowait");
    }

    /// Gives up waiting for answers that take too long.
    pub fn end_overdue_questions(&mut self) {
        while let Some(first) = self.questions.first()
            && first.deadline <= self.now
        {
            let number = first.number;
            self.note("an authorizer took too long");
            self.take_answer(number, None);
            self.withdraw(number);
        }
    }
}
