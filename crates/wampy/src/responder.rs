//! How an invocation is answered.

use std::sync::Arc;

use crate::invocation::{Invocation, InvocationKey};
use crate::reply::{IntoReply, Reply};
use crate::session::{Answer, Handler, Stop};
use crate::wamp_error::{RUNTIME_ERROR, WampError, text_payload};

/// The one right to answer an invocation, from any thread.
///
/// Dropping it without an answer answers with [`RUNTIME_ERROR`]. When the call is canceled the
/// client answers for itself, and what the responder says later counts for nothing.
#[derive(Debug)]
#[must_use = "dropping a responder answers with an error"]
pub struct Responder {
    /// Present until the answer.
    key: Option<InvocationKey>,
}

impl Responder {
    pub(crate) fn new(key: InvocationKey) -> Self {
        Self { key: Some(key) }
    }

    /// Answers with a result: a [`Reply`], or a [`Payload`](crate::proto::Payload). False if the call is over already.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register_with("com.example.one", |_, responder| {
    ///     responder.complete(wampy::Reply::new().with_args((1,)));
    /// }).await?;
    /// assert_eq!(client.call("com.example.one").await?.value::<u8>()?, 1);
    /// # client.close().await });
    /// ```
    pub fn complete(self, reply: impl Into<Reply>) -> bool {
        self.answer(Answer::Yield(reply.into()))
    }

    /// Answers with an error. False if the call is over already.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register_with("com.example.no", |_, responder| {
    ///     responder.fail(wampy::WampError::new("com.example.error.no"));
    /// }).await?;
    /// let error = client.call("com.example.no").await.unwrap_err();
    /// assert_eq!(error.uri(), Some("com.example.error.no"));
    /// # client.close().await });
    /// ```
    pub fn fail(self, error: WampError) -> bool {
        self.answer(Answer::Error(error))
    }

    /// Whether the call is over already: canceled, or its session is lost.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// client.register_with("com.example.open", |_, responder| {
    ///     assert!(!responder.is_over());
    ///     responder.complete(wampy::Reply::new());
    /// }).await?;
    /// client.call("com.example.open").await?;
    /// # client.close().await });
    /// ```
    #[must_use]
    pub fn is_over(&self) -> bool {
        !self
            .key
            .as_ref()
            .is_some_and(|key| key.shared.is_in_work(key))
    }

    /// Has `told` called if the call ends before it is answered: it was canceled, or its session is
    /// lost. It is called at once if that has happened; a later `on_end` takes the place of it.
    ///
    /// It runs on the task that reads the socket, or here, so it must not wait.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let (sender, ended) = std::sync::mpsc::channel();
    /// client.register_with("com.example.slow", move |_, responder| {
    ///     let sender = sender.clone();
    ///     responder.on_end(move || sender.send("canceled").expect("somebody waits"));
    ///     std::thread::spawn(move || {
    ///         std::thread::sleep(std::time::Duration::from_millis(500));
    ///         responder.complete(wampy::Reply::new());
    ///     });
    /// }).await?;
    /// let timeout = std::time::Duration::from_millis(10);
    /// client.call("com.example.slow").timeout(timeout).await.unwrap_err();
    /// assert_eq!(tokio::task::spawn_blocking(move || ended.recv()).await.unwrap(), Ok("canceled"));
    /// # client.close().await });
    /// ```
    pub fn on_end(&self, told: impl FnOnce() + Send + 'static) {
        match &self.key {
            Some(key) => key.shared.stop_by(key, Stop::Tell(Box::new(told))),
            None => told(),
        }
    }

    async fn answer_when_room(mut self, answer: Answer) {
        // Stays in place until then, so that whoever stops this task answers for it.
        if let Some(key) = &self.key {
            key.shared.answer_when_room(key, answer).await;
            self.key = None;
        }
    }

    fn answer(mut self, answer: Answer) -> bool {
        self.key
            .take()
            .is_some_and(|key| key.shared.answer(&key, answer))
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let problem = match std::thread::panicking() {
            true => "the handler panicked",
            false => "the handler gave no answer",
        };
        let error = WampError::new(RUNTIME_ERROR).with_payload(text_payload(problem));
        key.shared.answer(&key, Answer::Error(error));
    }
}

/// Makes of an async function a handler that runs it as a task.
pub(crate) fn handler<H, F, R>(function: H) -> Handler
where
    H: Fn(Invocation) -> F + Send + Sync + 'static,
    F: Future<Output = Result<R, WampError>> + Send + 'static,
    R: IntoReply,
{
    let function = Arc::new(function);
    Arc::new(move |invocation: Invocation, responder: Responder| {
        let function = Arc::clone(&function);
        let shared = Arc::clone(&invocation.key.shared);
        let task = tokio::spawn(async move {
            // Moved in first, so that a panic drops the responder and so answers.
            let responder = responder;
            let answer = match (*function)(invocation).await {
                Ok(reply) => Answer::Yield(reply.into_reply(shared.serializer())),
                Err(error) => Answer::Error(error),
            };
            responder.answer_when_room(answer).await;
        });
        Some(Stop::Abort(task.abort_handle()))
    })
}
