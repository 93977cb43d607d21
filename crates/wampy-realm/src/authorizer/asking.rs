//! Authorizers that are procedures: asking them, and what follows from their answers.
//!
//! The realm asks by a session of its own, which is none of a client: a question is a call like any
//! other, and what is sent to that session is taken up here, when the message that brought it is done
//! with. So no handler is ever entered from within another. What becomes of the session meanwhile is
//! in `resuming`.
//!
//! An authorizer has to be registered by exactly its URI: a pattern that happens to match it does not
//! make its callee one. Its callees are not asked about themselves.

use std::collections::{BTreeMap, VecDeque};

use wampy_proto::message::{Call, CallOptions, Cancel, CancelMode, CancelOptions, Goodbye};
use wampy_proto::{
    MatchPolicy, Message, Payload, RegistrationId, RequestId, Roles, SessionId, error_uri,
};

use super::gate::{Answered, Grant, NOT_ASKED, refused};
use super::question::{self, Answer};
use super::requirements::Requirement;
use super::waiting::{Item, Queue, Waiting};
use crate::outbox::{Outbox, SendError, StoreChange, StoreFailed};
use crate::realm::{Now, Realm};
use crate::refusal::Refusal;
use crate::session::{SessionDetails, SessionKey};

/// How the realm calls itself where the caller of an authorizer shows.
const NAME: &str = "wampy.authorizer";

/// The questions that were not answered yet: at most one about each session.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// The realm's own session, once there is something to ask.
    pub(super) session: Option<SessionKey>,
    last: Option<RequestId>,
    /// By their ids, and so also by their deadlines: all have the same time.
    questions: BTreeMap<RequestId, Question>,
}

#[derive(Debug)]
struct Question {
    about: SessionKey,
    deadline_ms: u64,
}

impl Asking {
    pub(super) fn len(&self) -> usize {
        self.questions.len()
    }

    /// Whether this is the question that is asked about a session.
    pub(super) fn is_about(&self, question: RequestId, session: SessionKey) -> bool {
        let asked = self.questions.get(&question);
        asked.is_some_and(|asked| asked.about == session)
    }

    /// When the next question has waited for too long.
    pub(super) fn next_ms(&self) -> Option<u64> {
        let (_, question) = self.questions.first_key_value()?;
        Some(question.deadline_ms)
    }

    fn next_overdue(&self, now: Now) -> Option<RequestId> {
        let (&request, question) = self.questions.first_key_value()?;
        (question.deadline_ms <= now.monotonic_ms).then_some(request)
    }
}

/// Passes on what the realm sends, but for what it sends to itself.
pub(crate) struct Tap<'o> {
    outbox: &'o mut dyn Outbox,
    to: Option<SessionKey>,
    answers: VecDeque<(RequestId, Result<Answer, String>)>,
}

impl Tap<'_> {
    fn take(&mut self, message: &Message<'_>) {
        let (question, answer) = match message {
            Message::Result(result) => {
                let answer = Answer::read(&result.payload);
                let malformed = |why| format!("gave an answer that cannot be used: {why}");
                (result.request, answer.map_err(malformed))
            }
            Message::Error(error) => (error.request, Err(format!("failed with {}", error.error))),
            _ => return,
        };
        self.answers.push_back((question, answer));
    }
}

impl Outbox for Tap<'_> {
    fn send(&mut self, to: SessionKey, message: &Message<'_>) -> Result<(), SendError> {
        if self.to == Some(to) {
            self.take(message);
            return Ok(());
        }
        self.outbox.send(to, message)
    }

    fn send_to_many(&mut self, to: &[SessionKey], message: &Message<'_>) {
        self.outbox.send_to_many(to, message);
    }

    fn end(&mut self, session: SessionKey, goodbye: Goodbye<'_>) {
        self.outbox.end(session, goodbye);
    }

    fn store(&mut self, change: StoreChange<'_>) -> Result<(), StoreFailed> {
        self.outbox.store(change)
    }
}

impl Realm {
    /// Takes in the session by which the realm asks, if there is anybody to ask.
    pub(crate) fn prepare_asking(&mut self) {
        if self.authorizer.has_procedures() && self.authorizer.asking.session.is_none() {
            let details = SessionDetails {
                id: SessionId::from_random_bits(self.random.bits()),
                authid: NAME.into(),
                authrole: NAME.into(),
                authmethod: "internal".into(),
                authprovider: "internal".into(),
                trust_level: None,
                authextra: None,
                roles: Roles::default(),
                transport: None,
            };
            self.authorizer.asking.session = Some(self.join_internal(details));
        }
    }

    /// Does something during which answers of authorizers may come, and then what follows from them.
    pub(crate) fn listening<T>(
        &mut self,
        now: Now,
        outbox: &mut impl Outbox,
        step: impl FnOnce(&mut Self, &mut Tap<'_>) -> T,
    ) -> T {
        let mut tap = Tap {
            outbox,
            to: self.authorizer.asking.session,
            answers: VecDeque::new(),
        };
        let result = step(self, &mut tap);
        self.settle(now, &mut tap);
        while let Some((question, answer)) = tap.answers.pop_front() {
            self.take_answer(now, question, answer, &mut tap);
            self.settle(now, &mut tap);
        }
        result
    }

    /// The registration of an authorizer.
    pub(super) fn authorizer_registration(&self, procedure: &str) -> Option<RegistrationId> {
        let registrations = &self.dealer.registrations;
        registrations.lookup(procedure, MatchPolicy::Exact)
    }

    /// Asks the authorizer of a session's role about the first item of a queue, and lets the queue
    /// wait for the answer. If nobody can be asked, the queue stays as it is.
    pub(super) fn ask(
        &mut self,
        now: Now,
        about: SessionKey,
        place: usize,
        answered: Answered,
        queue: &mut Queue,
        outbox: &mut impl Outbox,
    ) -> Result<(), Refusal> {
        let Some((procedure, payload)) = self.question(now, about, place, queue.first()) else {
            return Err(Refusal::new(error_uri::AUTHORIZATION_FAILED));
        };
        if self.authorizer_registration(&procedure).is_none() {
            let why = format!("the authorizer {procedure:?} is not registered");
            return Err(Refusal::explained(error_uri::AUTHORIZATION_FAILED, why));
        }
        let asking = &mut self.authorizer.asking;
        let Some(session) = asking.session else {
            return Err(Refusal::new(error_uri::AUTHORIZATION_FAILED));
        };
        let request = asking.last.map_or(RequestId::FIRST, RequestId::next);
        asking.last = Some(request);
        let timeout_ms = self.config.authorizer_timeout_ms;
        let deadline_ms = now.monotonic_ms.saturating_add(timeout_ms);
        asking
            .questions
            .insert(request, Question { about, deadline_ms });
        if let Some(session) = self.sessions.get_mut(about) {
            let queue = std::mem::take(queue);
            let waiting = Waiting::new(request, place, answered, queue);
            session.authority.set_waiting(waiting);
        }
        let call = Call {
            request,
            options: CallOptions::default(),
            procedure: procedure.as_ref().into(),
            payload,
        };
        // The call keeps to the protocol; that nobody has room for it comes as an ERROR.
        let _ = self.handle_call(now, session, &call, outbox);
        Ok(())
    }

    /// Whom to ask about an item, and what.
    fn question(
        &self,
        now: Now,
        about: SessionKey,
        place: usize,
        item: Option<&Item>,
    ) -> Option<(Box<str>, Payload<'static>)> {
        let session = self.sessions.get(about)?;
        let procedure = self.authorizer.procedure(&session.authority)?.into();
        let item = item?;
        let requirement = self.requirement_of(now, item, place)?;
        let message = match item {
            Item::Message(kept) if place == 0 => kept.message(),
            _ => None,
        };
        let details = &session.details;
        let payload = question::arguments(&self.name, details, &requirement, message.as_ref());
        Some((procedure, payload))
    }

    /// What an item needs.
    fn requirement_of(&self, now: Now, item: &Item, place: usize) -> Option<Requirement<'static>> {
        match item {
            Item::Message(kept) => {
                let message = kept.message()?;
                self.requirement(now, &message, place)
                    .map(Requirement::into_owned)
            }
            held => self.requirement_of_held(held),
        }
    }

    /// An authorizer has answered, or will not.
    fn take_answer(
        &mut self,
        now: Now,
        question: RequestId,
        answer: Result<Answer, String>,
        tap: &mut Tap<'_>,
    ) {
        let Some(Question { about, .. }) = self.authorizer.asking.questions.remove(&question)
        else {
            return;
        };
        let Some(waiting) = self.take_waiting(about) else {
            return;
        };
        let Waiting {
            place,
            mut answered,
            mut queue,
            ..
        } = waiting;
        match self.verdict(now, about, place, queue.first(), answer) {
            Ok(grant) => answered[place] = Some(grant),
            Err(refusal) => {
                answered = NOT_ASKED;
                if let Some(entry) = queue.pop() {
                    self.refuse_entry(refusal, about, &entry, tap);
                }
            }
        }
        self.go_on(now, about, answered, queue, tap);
    }

    /// What an answer means, which is remembered if it says so.
    fn verdict(
        &mut self,
        now: Now,
        about: SessionKey,
        place: usize,
        item: Option<&Item>,
        answer: Result<Answer, String>,
    ) -> Result<Grant, Refusal> {
        let answer = answer.map_err(|why| {
            let why = format!("the authorizer {why}");
            Refusal::explained(error_uri::AUTHORIZATION_FAILED, why)
        })?;
        let requirement = item.and_then(|item| self.requirement_of(now, item, place));
        let (Some(session), Some(requirement)) = (self.sessions.get_mut(about), requirement) else {
            // What was asked about is no more.
            return Err(Refusal::new(error_uri::NOT_AUTHORIZED));
        };
        let grant = answer.allow.then_some(Grant {
            disclose: answer.disclose,
        });
        if answer.cache {
            session
                .authority
                .remember(now, &requirement, grant, &self.config);
        }
        grant.ok_or_else(|| refused(&session.details.authrole, &requirement))
    }

    /// Takes back a question; what is answered to it counts for nothing.
    pub(crate) fn withdraw(&mut self, question: RequestId, outbox: &mut impl Outbox) {
        let asking = &mut self.authorizer.asking;
        asking.questions.remove(&question);
        if let Some(session) = asking.session {
            let cancel = Cancel {
                request: question,
                options: CancelOptions {
                    mode: Some(CancelMode::KillNoWait),
                    ..CancelOptions::default()
                },
            };
            self.handle_cancel(session, &cancel, outbox);
        }
    }

    /// Gives up waiting for answers that take too long.
    pub(crate) fn end_overdue_questions(&mut self, now: Now, tap: &mut Tap<'_>) {
        let timeout_ms = self.config.authorizer_timeout_ms;
        while let Some(question) = self.authorizer.asking.next_overdue(now) {
            let why = format!("did not answer within {timeout_ms} ms");
            self.take_answer(now, question, Err(why), tap);
            self.withdraw(question, tap);
        }
    }
}
