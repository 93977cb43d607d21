//! Calls that are made in parts, by the caller's side.

use std::fmt;

use serde::Serialize;
use wampy_proto::message::{self, CallOptions, CancelMode};
use wampy_proto::{Message, Payload};

use crate::client::Client;
use crate::error::Error;
use crate::session::Sent;

/// Sends the further parts of a call that is made in parts; made by
/// [`Call::duplex`](crate::Call::duplex).
///
/// [`CallInput::finish`] sends the last part. Dropping it before that cancels the call, because
/// whoever stops halfway, by an error for example, has not made the call that was meant; its
/// results end with [`Error::Misuse`]. Dropping it when the call is over does nothing.
#[must_use = "dropping it cancels the call"]
pub struct CallInput {
    client: Client,
    procedure: String,
    sent: Sent,
    options: CallOptions,
    encrypt: Option<Box<str>>,
    /// Present until the last part was sent.
    cancel_mode: Option<CancelMode>,
}

impl fmt::Debug for CallInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallInput")
            .field("procedure", &self.procedure)
            .finish_non_exhaustive()
    }
}

impl CallInput {
    /// `options` are those of the first part.
    pub(crate) fn new(
        client: Client,
        procedure: String,
        sent: Sent,
        options: CallOptions,
        encrypt: Option<Box<str>>,
        cancel_mode: CancelMode,
    ) -> Self {
        Self {
            client,
            procedure,
            sent,
            options,
            encrypt,
            cancel_mode: Some(cancel_mode),
        }
    }

    /// Sends a part: `args` is a list of values. Waits while more waits for the socket than
    /// [`Limits::outbox_bytes_max`](crate::Limits).
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # client.register("com.example.count", async |mut invocation: wampy::Invocation| {
    /// #     let mut count = 1;
    /// #     while invocation.next_part().await?.is_some() {
    /// #         count += 1;
    /// #     }
    /// #     Ok(count)
    /// # }).await?;
    /// let (mut input, mut results) = client.call("com.example.count").args(("a",)).duplex().await?;
    /// input.send(("b",)).await?;
    /// input.finish(("c",)).await?;
    /// assert_eq!(results.next().await.unwrap()?.value::<u32>()?, 3);
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// The values have no form in WAMP, the call is over (its results say how), or the session.
    pub async fn send(&mut self, args: impl Serialize) -> Result<(), Error> {
        let payload = Payload::encode(self.client.serializer(), &args, &())?;
        self.send_payload(payload).await
    }

    /// Sends a part that is encoded already.
    ///
    /// ```
    /// use wampy::proto::Payload;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # client.register("com.example.tick", async |mut invocation: wampy::Invocation| {
    /// #     while invocation.next_part().await?.is_some() {}
    /// #     Ok(())
    /// # }).await?;
    /// let (mut input, mut results) = client.call("com.example.tick").duplex().await?;
    /// input.send_payload(Payload::EMPTY).await?;
    /// input.finish_payload(Payload::EMPTY).await?;
    /// results.next().await.unwrap()?;
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// As for [`CallInput::send`].
    pub async fn send_payload(&mut self, payload: Payload<'static>) -> Result<(), Error> {
        self.send_part(payload, true).await
    }

    /// Sends the last part: `args` is a list of values, or `()` for a part without any.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # client.register("com.example.first", async |mut invocation: wampy::Invocation| {
    /// #     while invocation.next_part().await?.is_some() {}
    /// #     Ok(invocation.args::<(String,)>()?.0)
    /// # }).await?;
    /// let (input, mut results) = client.call("com.example.first").args(("a",)).duplex().await?;
    /// input.finish(()).await?;
    /// assert_eq!(results.next().await.unwrap()?.value::<String>()?, "a");
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// As for [`CallInput::send`]; the call is canceled then.
    pub async fn finish(self, args: impl Serialize) -> Result<(), Error> {
        let payload = Payload::encode(self.client.serializer(), &args, &())?;
        self.finish_payload(payload).await
    }

    /// Sends the last part, encoded already.
    ///
    /// ```
    /// use wampy::proto::Payload;
    ///
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// # client.register("com.example.tick", async |_| Ok(())).await?;
    /// let (input, mut results) = client.call("com.example.tick").duplex().await?;
    /// input.finish_payload(Payload::EMPTY).await.ok();
    /// results.next().await.unwrap()?;
    /// # client.close().await });
    /// ```
    ///
    /// # Errors
    /// As for [`CallInput::finish`].
    pub async fn finish_payload(mut self, payload: Payload<'static>) -> Result<(), Error> {
        self.send_part(payload, false).await?;
        self.cancel_mode = None;
        Ok(())
    }

    async fn send_part(&self, payload: Payload<'static>, more: bool) -> Result<(), Error> {
        let mut options = CallOptions {
            progress: more,
            ..self.options.clone()
        };
        let shared = self.client.shared();
        let payload = shared.call_payload(&mut options, self.encrypt.as_deref(), payload)?;
        let part = Message::Call(message::Call {
            request: self.sent.request,
            options,
            procedure: self.procedure.as_str().into(),
            payload,
        });
        shared.further_part(self.sent, &part).await
    }
}

impl Drop for CallInput {
    fn drop(&mut self) {
        let Some(mode) = self.cancel_mode else { return };
        if let Some(call) = self.client.shared().cancel(self.sent, mode) {
            call.fail(Error::misuse(
                "the input of the call was dropped before it was finished, so the call was canceled",
            ));
        }
    }
}
