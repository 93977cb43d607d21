//! Subscriber Black- and Whitelisting: a publisher names who may get its event, and who may not,
//! by session id, authid and authrole. A receiver must pass every list that is present.

use wampy_proto::message::PublishOptions;

use crate::session::{SessionKey, Sessions};

/// The lists of one publication, sorted: a lookup stays cheap however long a publisher makes them.
#[derive(Debug, Clone)]
pub(super) struct ReceiverLists {
    eligible: Option<Box<[u64]>>,
    eligible_authid: Option<Box<[Box<str>]>>,
    eligible_authrole: Option<Box<[Box<str>]>>,
    exclude: Option<Box<[u64]>>,
    exclude_authid: Option<Box<[Box<str>]>>,
    exclude_authrole: Option<Box<[Box<str>]>>,
}

impl ReceiverLists {
    /// Takes the lists from the options.
    pub(super) fn take(options: &mut PublishOptions) -> Self {
        Self {
            eligible: sorted(&mut options.eligible),
            eligible_authid: sorted(&mut options.eligible_authid),
            eligible_authrole: sorted(&mut options.eligible_authrole),
            exclude: sorted(&mut options.exclude),
            exclude_authid: sorted(&mut options.exclude_authid),
            exclude_authrole: sorted(&mut options.exclude_authrole),
        }
    }

    /// Whether there is no list at all.
    pub(super) const fn is_empty(&self) -> bool {
        self.eligible.is_none()
            && self.eligible_authid.is_none()
            && self.eligible_authrole.is_none()
            && self.exclude.is_none()
            && self.exclude_authid.is_none()
            && self.exclude_authrole.is_none()
    }

    /// The lists as options of PUBLISH.
    pub(super) fn to_options(&self) -> PublishOptions {
        let mut options = PublishOptions::default();
        options.eligible.clone_from(&self.eligible);
        options.eligible_authid.clone_from(&self.eligible_authid);
        options
            .eligible_authrole
            .clone_from(&self.eligible_authrole);
        options.exclude.clone_from(&self.exclude);
        options.exclude_authid.clone_from(&self.exclude_authid);
        options.exclude_authrole.clone_from(&self.exclude_authrole);
        options
    }

    /// Whether sessions are listed by their ids, which mean nothing to later sessions.
    pub(super) const fn name_sessions(&self) -> bool {
        self.eligible.is_some() || self.exclude.is_some()
    }

    /// How much memory the lists take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let ids = [&self.eligible, &self.exclude].into_iter().flatten();
        let names = [
            &self.eligible_authid,
            &self.eligible_authrole,
            &self.exclude_authid,
            &self.exclude_authrole,
        ];
        let names = names.into_iter().flatten().flatten();
        ids.map(|list| size_of_val(&**list)).sum::<usize>()
            + names
                .map(|name| size_of_val(name) + name.len())
                .sum::<usize>()
    }

    /// Whether a session passes every list.
    pub(super) fn admit(&self, receiver: SessionKey, sessions: &Sessions) -> bool {
        let Some(session) = sessions.get(receiver) else {
            return false;
        };
        let id = session.details.id.value();
        let (authid, authrole) = (&session.details.authid, &session.details.authrole);
        listed(self.eligible.as_deref(), &id) != Some(false)
            && listed(self.eligible_authid.as_deref(), authid) != Some(false)
            && listed(self.eligible_authrole.as_deref(), authrole) != Some(false)
            && listed(self.exclude.as_deref(), &id) != Some(true)
            && listed(self.exclude_authid.as_deref(), authid) != Some(true)
            && listed(self.exclude_authrole.as_deref(), authrole) != Some(true)
    }
}

fn sorted<T: Ord>(list: &mut Option<Box<[T]>>) -> Option<Box<[T]>> {
    list.take().map(|mut list| {
        list.sort_unstable();
        list
    })
}

/// Whether `item` is in the list, or `None` if there is no list.
fn listed<T: Ord>(list: Option<&[T]>, item: &T) -> Option<bool> {
    list.map(|list| list.binary_search(item).is_ok())
}
