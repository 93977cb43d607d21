//! An error with a URI and values: what ERROR carries, in either direction.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wampy_proto::message::{self, ErrorDetails};
use wampy_proto::serializer::json::JsonWriter;
use wampy_proto::serializer::transcode;
use wampy_proto::{MessageType, Payload, PayloadError, RequestId, Serializer, error_uri};

use crate::encryption::Sealed;
use crate::error::Error;
use crate::values::Values;

/// The URI of errors that a handler did not name: it failed, panicked or gave no answer. Other
/// WAMP libraries use it so.
pub const RUNTIME_ERROR: &str = "wamp.error.runtime_error";

/// The URI of the error that the caller of a call in parts gets when its parts come faster than the
/// handler reads them, and more wait than [`Limits`](crate::Limits) allows.
pub const TOO_MANY_PARTS: &str = "wampy.error.too_many_parts";

/// The URI of the error that a caller gets whose encrypted arguments the callee cannot decrypt.
pub const DECRYPTION_FAILED: &str = "wampy.error.decryption_failed";

/// The longest text of args that an error shows, in bytes.
const SHOWN_BYTES_MAX: usize = 400;

/// An ERROR of WAMP: a URI, and values as a result has them.
///
/// A handler returns one to its caller; whoever makes a request that fails gets one inside
/// [`Error::Wamp`]. In a handler, `?` turns every [`std::error::Error`] into one: an error of WAMP
/// passes through with its URI and values, any other becomes [`RUNTIME_ERROR`] with its text.
///
/// ```
/// use wampy::WampError;
///
/// let error = WampError::new("com.example.error.too_hot").with_args((81, "degrees"));
/// assert_eq!(error.uri(), "com.example.error.too_hot");
/// assert_eq!(error.args::<(u32, String)>()?, (81, "degrees".to_owned()));
/// # Ok::<(), wampy::proto::PayloadError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct WampError {
    /// On the heap, so that a `Result` of it stays small.
    inner: Box<Inner>,
}

#[derive(Debug, Clone, PartialEq)]
struct Inner {
    uri: String,
    details: ErrorDetails,
    payload: Payload<'static>,
    /// Whether the values were encrypted when they came.
    encrypted: bool,
    request: Option<Request>,
}

/// The request that an error answers.
#[derive(Debug, Clone, PartialEq)]
struct Request {
    request_type: MessageType,
    id: RequestId,
    target: String,
}

impl WampError {
    /// An error without values.
    ///
    /// ```
    /// assert_eq!(wampy::WampError::new("com.example.no").uri(), "com.example.no");
    /// ```
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            inner: Box::new(Inner {
                uri: uri.into(),
                details: ErrorDetails::default(),
                payload: Payload::EMPTY,
                encrypted: false,
                request: None,
            }),
        }
    }

    /// The error of a handler that cannot take the call now: a router that knows Call Rerouting
    /// tries another callee of the registration.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register("com.example.busy", async |_| {
    ///     Err::<(), _>(wampy::WampError::unavailable())
    /// }).await?;
    /// let error = client.call("com.example.busy").await.unwrap_err();
    /// assert_eq!(error.uri(), Some("wamp.error.no_available_callee"));
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(error_uri::UNAVAILABLE)
    }

    /// Adds a list of values, such as a tuple. Values that WAMP has no form for are replaced by a
    /// text that says so.
    ///
    /// ```
    /// let error = wampy::WampError::new("com.example.no").with_args(("because", 1));
    /// assert_eq!(error.args::<(String, u8)>().unwrap().1, 1);
    /// ```
    #[must_use]
    pub fn with_args(self, args: impl Serialize) -> Self {
        self.with(|values| values.set_args(Serializer::MsgPack, &args))
    }

    /// Adds named values: a map, or a struct.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// let error = wampy::WampError::new("com.example.no").with_kwargs(HashMap::from([("code", 7)]));
    /// assert_eq!(error.kwargs::<HashMap<String, u8>>().unwrap()["code"], 7);
    /// ```
    #[must_use]
    pub fn with_kwargs(self, kwargs: impl Serialize) -> Self {
        self.with(|values| values.set_kwargs(Serializer::MsgPack, &kwargs))
    }

    /// Replaces all values by those of `payload`.
    ///
    /// ```
    /// use wampy::proto::{Payload, Serializer};
    ///
    /// let payload = Payload::from_encoded(Serializer::Json, b"[1]".as_slice(), b"".as_slice());
    /// let error = wampy::WampError::new("com.example.no").with_payload(payload);
    /// assert_eq!(error.args::<(u8,)>().unwrap(), (1,));
    /// ```
    #[must_use]
    pub fn with_payload(mut self, payload: Payload<'static>) -> Self {
        self.inner.payload = payload;
        self
    }

    fn with(mut self, set: impl FnOnce(&mut Values)) -> Self {
        let mut values = Values::EMPTY;
        values.set_payload(std::mem::replace(&mut self.inner.payload, Payload::EMPTY));
        set(&mut values);
        self.inner.payload = values
            .finish()
            .unwrap_or_else(|error| text_payload(&error.to_string()));
        self
    }

    /// The error's URI.
    ///
    /// ```
    /// assert_eq!(wampy::WampError::new("com.example.no").uri(), "com.example.no");
    /// ```
    #[must_use]
    pub fn uri(&self) -> &str {
        &self.inner.uri
    }

    /// The values, decoded as a list (a tuple, a `Vec`).
    ///
    /// ```
    /// let error = wampy::WampError::new("com.example.no").with_args((1, 2));
    /// assert_eq!(error.args::<Vec<u8>>().unwrap(), [1, 2]);
    /// ```
    ///
    /// # Errors
    /// The values do not suit `T`.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        self.inner.payload.args()
    }

    /// The named values, decoded as a map or struct.
    ///
    /// ```
    /// use std::collections::HashMap;
    ///
    /// let error = wampy::WampError::new("com.example.no");
    /// assert!(error.kwargs::<HashMap<String, u8>>().unwrap().is_empty());
    /// ```
    ///
    /// # Errors
    /// The values do not suit `T`.
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, PayloadError> {
        self.inner.payload.kwargs()
    }

    /// The values as they are encoded.
    ///
    /// ```
    /// assert!(wampy::WampError::new("com.example.no").payload().is_empty());
    /// ```
    #[must_use]
    pub fn payload(&self) -> &Payload<'static> {
        &self.inner.payload
    }

    /// The details of the ERROR message.
    ///
    /// ```
    /// assert_eq!(wampy::WampError::new("com.example.no").details().message, None);
    /// ```
    #[must_use]
    pub fn details(&self) -> &ErrorDetails {
        &self.inner.details
    }

    /// Whether the values were encrypted on their way here from the callee. (An error of the router
    /// never is.)
    ///
    /// ```
    /// assert!(!wampy::WampError::new("com.example.no").is_encrypted());
    /// ```
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.inner.encrypted
    }

    /// The procedure or topic of the request that failed; `None` for an error made by this program.
    ///
    /// ```
    /// assert_eq!(wampy::WampError::new("com.example.no").target(), None);
    /// ```
    #[must_use]
    pub fn target(&self) -> Option<&str> {
        self.inner
            .request
            .as_ref()
            .map(|request| request.target.as_str())
    }

    /// The id of the request that failed.
    ///
    /// ```
    /// assert_eq!(wampy::WampError::new("com.example.no").request_id(), None);
    /// ```
    #[must_use]
    pub fn request_id(&self) -> Option<RequestId> {
        self.inner.request.as_ref().map(|request| request.id)
    }

    /// The type of the request that failed.
    ///
    /// ```
    /// assert_eq!(wampy::WampError::new("com.example.no").request_type(), None);
    /// ```
    #[must_use]
    pub fn request_type(&self) -> Option<MessageType> {
        self.inner
            .request
            .as_ref()
            .map(|request| request.request_type)
    }

    /// The error that the router answered; the target is known to whoever made the request.
    pub(crate) fn received(error: message::Error<'_>) -> Self {
        Self {
            inner: Box::new(Inner {
                uri: error.error.into_owned(),
                details: error.details,
                payload: error.payload.into_owned(),
                encrypted: false,
                request: Some(Request {
                    request_type: error.request_type,
                    id: error.request,
                    target: String::new(),
                }),
            }),
        }
    }

    /// Notes that the values were encrypted, and are no longer: in whatever message the error
    /// travels next, they are plain, unless that is sealed.
    pub(crate) fn opened(mut self) -> Self {
        let details = &mut *self.inner.details.rare;
        details.ppt_scheme = None;
        details.ppt_serializer = None;
        details.ppt_cipher = None;
        details.ppt_keyid = None;
        self.inner.encrypted = true;
        self
    }

    /// The error with its values sealed.
    pub(crate) fn sealed(mut self, sealed: Sealed) -> Self {
        self.inner.details.set_passthru(sealed.passthru);
        self.inner.payload = sealed.payload;
        self
    }

    pub(crate) fn about(mut self, target: &str) -> Self {
        if let Some(request) = &mut self.inner.request {
            target.clone_into(&mut request.target);
        }
        self
    }

    /// The message that answers `request` with this error.
    pub(crate) fn as_message(&self, request: RequestId) -> message::Error<'_> {
        message::Error {
            request_type: MessageType::Invocation,
            request,
            details: self.inner.details.clone(),
            error: self.inner.uri.as_str().into(),
            payload: self.inner.payload.borrowed(),
        }
    }
}

/// The error for arguments that do not suit what the handler asks for.
pub(crate) fn invalid_argument(error: PayloadError) -> WampError {
    WampError::new(error_uri::INVALID_ARGUMENT).with_payload(text_payload(&error.to_string()))
}

/// A payload of one text.
pub(crate) fn text_payload(text: &str) -> Payload<'static> {
    Payload::encode(Serializer::MsgPack, &(text,), &()).unwrap_or(Payload::EMPTY)
}

impl fmt::Display for WampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(Request {
            request_type,
            target,
            ..
        }) = &self.inner.request
        {
            write!(f, "{}", request_type.as_str())?;
            match target.as_str() {
                "" => f.write_str(" failed: ")?,
                target => write!(f, " of {target} failed: ")?,
            }
        }
        f.write_str(&self.inner.uri)?;
        if let Some(message) = &self.inner.details.message {
            write!(f, ": {message}")?;
        }
        for encoded in [
            self.inner.payload.encoded_args(),
            self.inner.payload.encoded_kwargs(),
        ] {
            if let Some(text) = shown(self.inner.payload.serializer(), encoded) {
                write!(f, " {text}")?;
            }
        }
        Ok(())
    }
}

/// The values as JSON, cut if they are long; `None` if there are none.
fn shown(serializer: Serializer, encoded: &[u8]) -> Option<String> {
    if encoded.is_empty() {
        return None;
    }
    let mut json = Vec::new();
    transcode(serializer, encoded, &mut JsonWriter::new(&mut json)).ok()?;
    let mut text = String::from_utf8(json).ok()?;
    if text == "[]" || text == "{}" {
        return None;
    }
    if text.len() > SHOWN_BYTES_MAX {
        text.truncate(text.floor_char_boundary(SHOWN_BYTES_MAX));
        text.push('…');
    }
    Some(text)
}

impl<E: std::error::Error + 'static> From<E> for WampError {
    fn from(error: E) -> Self {
        let erased: &(dyn std::error::Error + 'static) = &error;
        match erased.downcast_ref::<Error>() {
            Some(Error::Wamp(error)) => {
                let mut error = error.clone();
                error.inner.request = None;
                error.inner.encrypted = false;
                error
            }
            _ => Self::new(RUNTIME_ERROR).with_payload(text_payload(&error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_shows_its_request_and_values() {
        let message = message::Error {
            payload: Payload::encode(Serializer::Cbor, &("no", 1), &()).unwrap(),
            ..message::Error::new(MessageType::Call, RequestId::FIRST, "com.example.no")
        };
        let error = WampError::received(message).about("com.example.add");
        assert_eq!(
            error.to_string(),
            r#"CALL of com.example.add failed: com.example.no ["no",1]"#
        );
        assert_eq!(error.target(), Some("com.example.add"));
    }

    #[test]
    fn wamp_errors_pass_through_and_others_become_runtime_errors() {
        let inner = WampError::new("com.example.no").with_args((1,));
        assert_eq!(WampError::from(Error::from(inner.clone())), inner);
        let other = WampError::from(std::io::Error::other("disk full"));
        assert_eq!(other.uri(), RUNTIME_ERROR);
        assert_eq!(other.args::<(String,)>().unwrap().0, "disk full");
    }
}
