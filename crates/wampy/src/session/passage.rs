//! Payloads on their way through the router: which are sealed or passed through, and whether the
//! router lets them.

use wampy_proto::end_to_end::OpenError;
use wampy_proto::message::{CallOptions, Passthru, PublishOptions, YieldOptions};
use wampy_proto::{EncodeError, Feature, Payload, Role};

use super::Shared;
use super::invocations::Answer;
use crate::encryption::{self, Seal, Sealed};
use crate::error::Error;
use crate::invocation::InvocationKey;
use crate::reply::Reply;
use crate::values::Values;
use crate::wamp_error::{RUNTIME_ERROR, WampError, text_payload};

impl Shared {
    /// The arguments of a call as they are sent: sealed, if that is asked for. The options say so.
    pub(crate) fn call_payload(
        &self,
        options: &mut CallOptions,
        encrypt: Option<&str>,
        payload: Payload<'static>,
    ) -> Result<Payload<'static>, Error> {
        let payload =
            self.encrypted(encrypt, payload, |passthru| options.set_passthru(passthru))?;
        if options.is_passed_through() {
            self.check_passage(Role::Dealer).map_err(Error::misuse)?;
        }
        Ok(payload)
    }

    /// The values of an event as they are sent, likewise.
    pub(crate) fn event_payload(
        &self,
        options: &mut PublishOptions,
        encrypt: Option<&str>,
        payload: Payload<'static>,
    ) -> Result<Payload<'static>, Error> {
        let payload =
            self.encrypted(encrypt, payload, |passthru| options.set_passthru(passthru))?;
        if options.is_passed_through() {
            self.check_passage(Role::Broker).map_err(Error::misuse)?;
        }
        Ok(payload)
    }

    fn encrypted(
        &self,
        keyid: Option<&str>,
        payload: Payload<'static>,
        say: impl FnOnce(Passthru),
    ) -> Result<Payload<'static>, Error> {
        let Some(keyid) = keyid else {
            return Ok(payload);
        };
        let keys = &self.options.keys;
        let key = keys
            .key(keyid)
            .map_err(|problem| Error::misuse(problem.to_string()))?;
        let seal = Seal {
            keyid: key.id().into(),
            cipher: self.options.cipher,
        };
        let sealed = self.seal(&seal, &payload)?;
        say(sealed.passthru);
        Ok(sealed.payload)
    }

    /// Whether the router may be given payloads to pass through: else it would end the session.
    fn check_passage(&self, role: Role) -> Result<(), String> {
        match self.router_has(role, Feature::PayloadPassthruMode) {
            true => Ok(()),
            false => Err(format!(
                "the router passes no payloads through: its {} has not announced payload_passthru_mode",
                role.as_str()
            )),
        }
    }

    fn seal(&self, seal: &Seal, payload: &Payload<'_>) -> Result<Sealed, EncodeError> {
        seal.apply(&self.options.keys, self.serializer(), payload)
    }

    /// Opens a payload that has come, if it is a sealed one; returns how it was sealed.
    pub(super) fn open(
        &self,
        passthru: Option<Passthru>,
        payload: &mut Payload<'_>,
    ) -> Result<Option<Seal>, OpenError> {
        encryption::open(&self.options.keys, passthru, payload)
    }

    /// A part of the result of an invocation, sealed if the invocation was.
    pub(super) fn seal_part(
        &self,
        key: &InvocationKey,
        options: &mut YieldOptions,
        payload: Payload<'static>,
    ) -> Result<Payload<'static>, EncodeError> {
        let Some(seal) = &key.seal else {
            return Ok(payload);
        };
        let sealed = self.seal(seal, &payload)?;
        options.set_passthru(sealed.passthru);
        Ok(sealed.payload)
    }

    /// The answer to an invocation, sealed if the invocation was.
    pub(super) fn seal_answer(&self, key: &InvocationKey, answer: Answer) -> Answer {
        match (answer, &key.seal) {
            (Answer::Yield(reply), Some(seal)) => Answer::Yield(self.seal_reply(seal, reply)),
            (Answer::Yield(reply), None) if reply.passthru.is_some() => {
                Answer::Yield(match self.check_passage(Role::Dealer) {
                    Ok(()) => reply,
                    Err(problem) => Reply::failed(EncodeError(problem.into())),
                })
            }
            (Answer::Error(error), Some(seal)) => match self.seal(seal, error.payload()) {
                Ok(sealed) => Answer::Error(error.sealed(sealed)),
                Err(problem) => Answer::Error(
                    WampError::new(RUNTIME_ERROR).with_payload(text_payload(&problem.to_string())),
                ),
            },
            (answer, None) => answer,
        }
    }

    fn seal_reply(&self, seal: &Seal, reply: Reply) -> Reply {
        let sealed = reply
            .values
            .finish()
            .and_then(|payload| self.seal(seal, &payload));
        match sealed {
            Ok(sealed) => Reply {
                values: Values::of(Ok(sealed.payload)),
                passthru: Some(Box::new(sealed.passthru)),
            },
            Err(problem) => Reply::failed(problem),
        }
    }
}
