//! A published event that the realm keeps, and its form in a store.
//!
//! The payload stays in the serializer in which it came; whoever gets the event later gets it
//! transcoded, as every receiver does. In a store an event is one MessagePack list; what a later
//! version adds goes into its maps, whose unknown keys are passed over.

use std::sync::Arc;

use wampy_proto::message::{EventDetails, PublishOptions};
use wampy_proto::serializer::msgpack::{MsgPackReader, MsgPackWriter};
use wampy_proto::serializer::{OptionValue, Reader, Seq, Token, Writer};
use wampy_proto::{DecodeError, MatchPolicy, Payload, PublicationId, Serializer, SessionId};

use super::Selection;
use super::subscriber_blackwhite_listing::ReceiverLists;
use crate::session::{SessionKey, Sessions};

/// What an event takes beside its payload, topic and lists, in bytes, as the limits count it.
const EVENT_BYTES: usize = 256;

/// How many elements the list has that is an event in a store.
const FIELDS: usize = 9;

/// A published event that the realm keeps.
#[derive(Debug)]
pub struct KeptEvent {
    pub(crate) topic: Arc<str>,
    pub(crate) publication: PublicationId,
    /// When it was published, in milliseconds since 1970.
    pub(crate) unix_ms: u64,
    /// Who published it, if disclosed, and what else every receiver is told. Without `topic` and
    /// `retained`, which depend on the receiver.
    pub(crate) details: EventDetails,
    /// Who may get it, if not everybody.
    pub(super) selection: Option<Selection>,
    /// The publisher, where it does not get its own event. A store does not keep it: no session
    /// outlives the router.
    pub(super) excluded: Option<SessionId>,
    pub(crate) payload: Payload<'static>,
}

impl KeptEvent {
    /// Whether it was published for every subscriber.
    pub(super) const fn is_for_everybody(&self) -> bool {
        self.selection.is_none()
    }

    /// What the event counts for, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let selection = self.selection.as_ref();
        let lists = selection.map_or(0, |selection| selection.lists.bytes());
        self.payload.encoded_len() + self.topic.len() + lists + EVENT_BYTES
    }

    /// Whether the lists of receivers that the publisher gave admit a session.
    pub(crate) fn admits(&self, session: SessionKey, sessions: &Sessions) -> bool {
        self.selection
            .as_ref()
            .is_none_or(|selection| selection.lists.admit(session, sessions))
    }

    /// The hash of the event's `rkey`, if it has one.
    pub(super) fn rkey(&self) -> Option<u64> {
        self.selection.as_ref()?.rkey
    }

    /// Whether a session would have got the event, had it subscribed before; but for its `rkey`.
    pub(super) fn reaches(&self, session: SessionKey, sessions: &Sessions) -> bool {
        let id = sessions.get(session).map(|session| session.details.id);
        let selection = self.selection.as_ref();
        id.is_some()
            && self.excluded != id
            && selection.is_none_or(|selection| selection.admits(session, sessions))
    }

    /// What a receiver by a subscription of this match policy is told about the event.
    pub(crate) fn details_for(&self, match_policy: MatchPolicy) -> EventDetails {
        let mut details = self.details.clone();
        if match_policy != MatchPolicy::Exact {
            details.topic = Some((*self.topic).into());
        }
        details
    }

    /// Appends the event as a store keeps it.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let writer = &mut MsgPackWriter::new(out);
        writer.begin_list(FIELDS);
        writer.text(&self.topic);
        writer.unsigned(self.publication.value());
        writer.unsigned(self.unix_ms);
        self.details.write(writer);
        let lists = self
            .selection
            .as_ref()
            .map(|selection| selection.lists.to_options());
        lists.unwrap_or_default().write(writer);
        match self.rkey() {
            Some(rkey) => writer.unsigned(rkey),
            None => writer.null(),
        }
        writer.text(self.payload.serializer().row().name);
        writer.bytes(self.payload.encoded_args());
        writer.bytes(self.payload.encoded_kwargs());
        writer.end_list();
    }

    /// Reads an event as a store keeps it.
    ///
    /// # Errors
    /// The bytes are no such event.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let reader = &mut MsgPackReader::new(bytes);
        let mut list = reader.list()?;
        let topic = Box::<str>::read(next(reader, &mut list)?)?;
        let publication = u64::read(next(reader, &mut list)?)?;
        let unix_ms = u64::read(next(reader, &mut list)?)?;
        let details = EventDetails::read(next(reader, &mut list)?)?;
        let mut options = PublishOptions::read(next(reader, &mut list)?)?;
        let rkey = match next(reader, &mut list)?.skip_null() {
            true => None,
            false => Some(u64::read(reader)?),
        };
        let serializer = Box::<str>::read(next(reader, &mut list)?)?;
        let args = blob(next(reader, &mut list)?)?;
        let kwargs = blob(next(reader, &mut list)?)?;
        while reader.more(&mut list)? {
            reader.skip()?;
        }
        reader.finish()?;
        let publication = PublicationId::try_from(publication)
            .map_err(|error| reader.error(error.to_string()))?;
        let serializer = Serializer::from_name(&serializer)
            .ok_or_else(|| reader.error(format!("there is no serializer {serializer:?}")))?;
        let passed_through = details.ppt_scheme.is_some();
        let lists = ReceiverLists::take(&mut options);
        Ok(Self {
            topic: (*topic).into(),
            publication,
            unix_ms,
            details,
            selection: Selection::new(lists, rkey, passed_through),
            excluded: None,
            payload: Payload::from_encoded(serializer, args, kwargs),
        })
    }
}

/// The reader, before the next element of the list.
fn next<'r, 'a, R: Reader<'a>>(
    reader: &'r mut R,
    list: &mut Seq,
) -> Result<&'r mut R, DecodeError> {
    if reader.more(list)? {
        Ok(reader)
    } else {
        Err(reader.error("the event has too few elements"))
    }
}

fn blob<'a, R: Reader<'a>>(reader: &mut R) -> Result<Vec<u8>, DecodeError> {
    match reader.token()? {
        Token::Bytes(bytes) => Ok(bytes.into_owned()),
        other => Err(reader.expected("bytes", &other)),
    }
}

#[cfg(test)]
mod tests {
    use wampy_proto::message::{RareEventDetails, RarePublishOptions};

    use super::*;

    fn event() -> KeptEvent {
        let lists = RarePublishOptions {
            exclude_authid: Some(["mallory".into()].into()),
            eligible: Some([3, 1].into()),
            ..RarePublishOptions::default()
        };
        let mut options = PublishOptions {
            rare: lists.into(),
            ..PublishOptions::default()
        };
        let publisher = RareEventDetails {
            publisher: Some(17),
            ..RareEventDetails::default()
        };
        let details = EventDetails {
            rare: publisher.into(),
            ..EventDetails::default()
        };
        KeptEvent {
            topic: "com.example.topic".into(),
            publication: PublicationId::try_from(123_456).unwrap(),
            unix_ms: 1_700_000_000_000,
            details,
            selection: Selection::new(ReceiverLists::take(&mut options), Some(u64::MAX), false),
            excluded: None,
            payload: Payload::encode(Serializer::Cbor, &(1, "x"), &()).unwrap(),
        }
    }

    #[test]
    fn an_event_comes_out_of_a_store_as_it_went_in() {
        let event = event();
        let mut bytes = Vec::new();
        event.encode(&mut bytes);
        let again = KeptEvent::decode(&bytes).unwrap();
        assert_eq!(format!("{again:?}"), format!("{event:?}"));
        assert_eq!(again.payload.serializer(), Serializer::Cbor);
        assert_eq!(again.bytes(), event.bytes());
    }

    #[test]
    fn damaged_events_are_errors() {
        let mut bytes = Vec::new();
        event().encode(&mut bytes);
        for end in 0..bytes.len() {
            assert!(KeptEvent::decode(&bytes[..end]).is_err(), "{end} bytes");
        }
        let short = [0x91, 0xA1, b'a'];
        let error = KeptEvent::decode(&short).unwrap_err().to_string();
        assert!(error.contains("too few elements"), "{error}");
    }
}
