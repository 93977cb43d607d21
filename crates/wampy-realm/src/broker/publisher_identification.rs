//! Publisher Identification: subscribers learn who published, if the publisher asks for it and the
//! realm allows it, or if the realm always discloses.
//!
//! The attributes go to every receiver: one that does not know them ignores them.

use wampy_proto::error_uri;
use wampy_proto::message::EventDetails;

use super::publication_trustlevels;
use crate::config::{Disclosure, RealmConfig};
use crate::refusal::Refusal;
use crate::session::SessionDetails;

impl RealmConfig {
    /// The details of an event, with its publisher if disclosed, and the publisher's trust level.
    #[inline]
    pub(crate) fn publisher_identity(
        &self,
        publisher: &SessionDetails,
        disclose_me: bool,
    ) -> Result<EventDetails, Refusal> {
        let always = self.publisher_disclosure == Disclosure::Always;
        if always || disclose_me || publisher.trust_level.is_some() {
            return self.rare_publisher_identity(publisher, disclose_me);
        }
        Ok(EventDetails::default())
    }

    #[cold]
    fn rare_publisher_identity(
        &self,
        publisher: &SessionDetails,
        disclose_me: bool,
    ) -> Result<EventDetails, Refusal> {
        let disclosed = match self.publisher_disclosure {
            Disclosure::Always => true,
            Disclosure::OnRequest => disclose_me,
            Disclosure::Denied if disclose_me => {
                return Err(Refusal::new(error_uri::OPTION_DISALLOWED_DISCLOSE_ME));
            }
            Disclosure::Denied => false,
        };
        let mut details = EventDetails::default();
        publication_trustlevels::add_level(&mut details, publisher);
        if disclosed {
            details.publisher = Some(publisher.id.value());
            details.publisher_authid = Some(publisher.authid.clone());
            details.publisher_authrole = Some(publisher.authrole.clone());
        }
        Ok(details)
    }
}
