//! What a session asks for while an authorizer is asked about it: it waits, in order.

use serde_json::{Value as Json, json};

use super::gate::{Answered, Decision, Handled, NOT_ASKED, Need};
use super::requests::{Request, Wish};
use super::{Model, large_within};
use crate::simulated::Client;

/// A session about which an authorizer is asked.
pub struct Waiting {
    pub client: Client,
    /// The number of the question, and what it is about.
    pub question: u64,
    pub place: usize,
    pub answered: Answered,
    pub queue: Vec<Entry>,
}

/// Something that waits.
pub struct Entry {
    pub item: Item,
    /// A call in parts that ended, and whose parts would have come behind this.
    then_ended: Option<u64>,
}

pub enum Item {
    Request(u64, Request),
    /// What the session holds, which has to be allowed anew.
    Registration(u64),
    Subscription(u64),
    /// It was given up.
    Nothing,
}

impl Entry {
    pub fn new(item: Item) -> Self {
        Self {
            item,
            then_ended: None,
        }
    }

    fn is_of_call(&self, number: u64) -> bool {
        matches!(&self.item, Item::Request(it, request)
            if *it == number && request.message_type() == 48)
    }

    /// Whether it is the first part of a call, or all of it.
    fn begins_call(&self, number: u64) -> bool {
        let is_part = matches!(&self.item, Item::Request(_, Request::Part { .. }));
        self.is_of_call(number) && !is_part
    }

    fn request(&self) -> Option<&Request> {
        match &self.item {
            Item::Request(_, request) => Some(request),
            _ => None,
        }
    }
}

impl Model {
    /// Whether an authorizer is asked about a session.
    pub fn waits(&self, client: Client) -> bool {
        self.waiting.iter().any(|it| it.client == client)
    }

    fn queue(&mut self, client: Client) -> Option<&mut Vec<Entry>> {
        let mut waiting = self.waiting.iter_mut();
        let found = waiting.find(|it| it.client == client);
        found.map(|it| &mut it.queue)
    }

    /// Takes out who waits, if it does.
    pub fn take_waiting(&mut self, client: Client) -> Option<Waiting> {
        let at = self.waiting.iter().position(|it| it.client == client)?;
        Some(self.waiting.remove(at))
    }

    /// Whether a call with these args waits.
    pub fn is_waiting(&self, args: &Json) -> bool {
        let mut entries = self.waiting.iter().flat_map(|it| &it.queue);
        entries.any(|entry| {
            matches!(&entry.item, Item::Request(_, Request::Call { args: it, .. }) if it == args)
        })
    }

    /// The subscriptions about whose history an authorizer is asked, each with who asks for it.
    pub fn histories_asked_for(&self) -> Vec<(Client, u64)> {
        let first = self.waiting.iter().filter(|it| it.place == 1);
        let asked = first.filter_map(|it| match it.queue[0].request()? {
            Request::Ask(ask) => match ask.wish {
                Wish::GetEvents(id, _) => Some((it.client, id)),
                _ => None,
            },
            _ => None,
        });
        asked.collect()
    }

    /// The calls that wait: their callers and numbers.
    pub fn calls_that_wait(&self) -> Vec<(Client, u64)> {
        let calls = self.waiting.iter().flat_map(|waiting| {
            waiting.queue.iter().filter_map(|entry| match &entry.item {
                Item::Request(number, request) if request.message_type() == 48 => {
                    Some((waiting.client, *number))
                }
                _ => None,
            })
        });
        calls.collect()
    }

    pub fn wait_behind(&mut self, client: Client, entry: Entry) {
        let Item::Request(number, request) = &entry.item else {
            unreachable!("only requests come behind others");
        };
        let number = *number;
        let is_pending = self.find(client, number).is_some();
        let max = self.config.waiting_messages_per_session_max;
        let large_max = large_within(self.config.waiting_bytes_per_session_max);
        let queue = self.queue(client).unwrap();
        if matches!(request, Request::Part { .. }) {
            let last = queue.iter().filter_map(|it| it.then_ended).max();
            let waits = queue.iter().any(|it| it.is_of_call(number));
            if last.is_some_and(|last| number <= last) && !waits && !is_pending {
                return self.note("a part of a call that was given up came too late");
            }
        }
        let waiting = queue.iter().filter_map(Entry::request);
        let count = waiting.clone().count();
        let large: usize = waiting.map(Request::large_payloads).sum();
        let is_too_large = large + request.large_payloads() > large_max;
        // One is always taken.
        if count > 0 && (count >= max || is_too_large) {
            return self.find_no_room(client, number, request);
        }
        queue.push(entry);
        self.note("a request waited for an authorizer");
    }

    /// There is no room for a request behind those that wait.
    fn find_no_room(&mut self, client: Client, number: u64, request: &Request) {
        self.note("too much waited for an authorizer");
        if !matches!(request, Request::Part { .. }) {
            if let (Request::Call { options, .. }, Some(queue)) = (request, self.queue(client))
                && options["progress"] == true
            {
                queue.last_mut().unwrap().then_ended = Some(number);
            }
            return self.refuse("unavailable", client, number, request);
        }
        if let Some(at) = self.find(client, number) {
            return self.break_off(at, "unavailable");
        }
        let queue = self.queue(client).unwrap();
        if queue.iter().any(|it| it.begins_call(number)) {
            self.give_up_waiting(client, number, Some("unavailable"));
        }
    }

    /// Cancels a call that waits; returns whether there was one.
    pub fn cancel_waiting(&mut self, client: Client, number: u64) -> bool {
        let waits = |queue: &mut Vec<Entry>| queue.iter().any(|it| it.begins_call(number));
        if !self.queue(client).is_some_and(waits) {
            return false;
        }
        self.note("a call was canceled while an authorizer was asked");
        let is_silent = self.session(client).is_silent;
        if is_silent {
            self.ended_silently.push((client, number));
        }
        self.give_up_waiting(client, number, (!is_silent).then_some("canceled"));
        true
    }

    /// Ends a call that waits, with all its parts.
    fn give_up_waiting(&mut self, client: Client, number: u64, error: Option<&str>) {
        let queue = self.queue(client).unwrap();
        let is_first = queue[0].is_of_call(number);
        for entry in std::mem::take(queue) {
            if !entry.is_of_call(number) {
                queue.push(entry);
                continue;
            }
            let in_parts = entry.request().is_some_and(Request::has_more_parts);
            let ended = entry.then_ended.max(in_parts.then_some(number));
            if let Some(earlier) = queue.last_mut() {
                earlier.then_ended = ended.max(earlier.then_ended);
            }
        }
        if let Some(error) = error {
            self.expect_error(client, 48, number, error);
        }
        if is_first {
            let waiting = self.take_waiting(client).unwrap();
            self.withdraw(waiting.question);
            self.go_on(client, NOT_ASKED, waiting.queue);
        }
    }

    /// Handles what waits, in order, until an authorizer has to be asked again.
    pub fn go_on(&mut self, client: Client, mut answered: Answered, mut queue: Vec<Entry>) {
        while self.alive(client) && !queue.is_empty() {
            match self.handle(client, &queue[0].item, &answered) {
                Handled::Done => _ = queue.remove(0),
                Handled::Broken => {
                    self.note("a request that waited broke the protocol");
                    self.leave(client);
                    let goodbye = json!([6, {}, "wamp.error.protocol_violation"]);
                    return self.expect(client, goodbye);
                }
                Handled::MustAsk(place) => {
                    let Err(error) = self.ask(client, place, answered, &mut queue) else {
                        return;
                    };
                    let entry = queue.remove(0);
                    self.refuse_entry(error, client, &entry);
                }
            }
            answered = NOT_ASKED;
        }
    }

    pub fn refuse_entry(&mut self, error: &'static str, client: Client, entry: &Entry) {
        match &entry.item {
            Item::Request(number, request) => self.refuse(error, client, *number, request),
            held => self.revoke_held(client, held),
        }
    }

    /// Lets what a session holds be decided before all that waits.
    pub fn hold_up(&self, client: Client, queue: Vec<Entry>) -> Vec<Entry> {
        let held = self.subscriptions.iter();
        let held = held.filter(|it| it.members.contains(&client));
        let mut subscriptions: Vec<u64> = held.map(|it| it.id).collect();
        subscriptions.sort_unstable();
        let held = self.registrations.iter().filter(|it| it.has(client));
        let mut registrations: Vec<u64> = held.map(|it| it.id).collect();
        registrations.sort_unstable();
        let subscriptions = subscriptions.into_iter().map(Item::Subscription);
        let registrations = registrations.into_iter().map(Item::Registration);
        let held = subscriptions.chain(registrations).map(Entry::new);
        let before = queue.into_iter().filter_map(|entry| match entry.item {
            Item::Request(..) => Some(entry),
            _ => entry.then_ended.map(|_| Entry {
                item: Item::Nothing,
                ..entry
            }),
        });
        held.chain(before).collect()
    }

    /// What a session needs for what it holds.
    pub fn need_of_held(&self, held: &Item) -> Option<Need> {
        match *held {
            Item::Registration(id) => {
                let it = &self.registrations[self.registration(id)?];
                Some(Need::new("register", it.uri, it.policy))
            }
            Item::Subscription(id) => {
                let it = self.subscriptions.iter().find(|it| it.id == id)?;
                Some(Need::new("subscribe", it.uri, it.policy))
            }
            Item::Request(..) | Item::Nothing => None,
        }
    }

    /// Decides whether a session may keep what it holds.
    pub fn recheck(&mut self, client: Client, held: &Item, answered: &Answered) -> Handled {
        let Some(need) = self.need_of_held(held).filter(|_| answered[0].is_none()) else {
            return Handled::Done;
        };
        match self.decide(client, &need) {
            Decision::Granted { .. } => {}
            Decision::MustAsk => return Handled::MustAsk(0),
            Decision::Refused(_) => {
                self.note("a role lost a permission that was used");
                self.revoke_held(client, held);
            }
        }
        Handled::Done
    }

    fn revoke_held(&mut self, client: Client, held: &Item) {
        let reason = "wamp.error.not_authorized";
        match *held {
            Item::Registration(id) => {
                let at = self.registration(id);
                if at.is_some_and(|at| self.registrations[at].has(client)) {
                    self.revoke_registration(id, client, reason);
                }
            }
            Item::Subscription(id) => {
                let mut all = self.subscriptions.iter();
                if all.any(|it| it.id == id && it.members.contains(&client)) {
                    self.revoke_subscription(id, client, reason);
                }
            }
            Item::Request(..) | Item::Nothing => {}
        }
    }
}
