//! Calls whose results come in parts.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use tokio::time::{Instant, Sleep};

use crate::call_result::CallResult;
use crate::error::Error;
use crate::limits::LONGEST_WAIT;
use crate::pending_call::{CancelOnDrop, about, timed_out};
use crate::queue::Queue;
use crate::request_future::RequestFuture;

/// A call whose result comes in parts; made by [`Call::progressive`], or by [`Call::duplex`] for one
/// that is made in parts, too.
///
/// A [`Stream`] of [`CallResult`]s, of which the last one is not [`CallResult::is_progress`], or an
/// error; then it ends. Dropping it before that cancels the call. Parts that are not read wait in a
/// queue; when [`Limits::queue_events_max`](crate::Limits) is reached the call is canceled and fails.
///
/// [`Call::progressive`]: crate::Call::progressive
/// [`Call::duplex`]: crate::Call::duplex
#[must_use = "a call is made when its results are asked for"]
pub struct ProgressiveCall {
    procedure: String,
    timeout: Option<Duration>,
    deadline: Option<Pin<Box<Sleep>>>,
    queue: Queue<Result<CallResult, Error>>,
    progress: Progress,
}

enum Progress {
    Starting(RequestFuture<CancelOnDrop>),
    Running(CancelOnDrop),
    Over,
}

impl fmt::Debug for ProgressiveCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressiveCall")
            .field("procedure", &self.procedure)
            .finish_non_exhaustive()
    }
}

impl ProgressiveCall {
    /// The results of a call that `start` sends when they are asked for.
    pub(crate) fn starting(
        procedure: String,
        timeout: Option<Duration>,
        queue: Queue<Result<CallResult, Error>>,
        start: RequestFuture<CancelOnDrop>,
    ) -> Self {
        Self {
            procedure,
            timeout,
            deadline: None,
            queue,
            progress: Progress::Starting(start),
        }
    }

    /// The results of a call that was sent just now.
    pub(crate) fn running(
        procedure: String,
        timeout: Option<Duration>,
        queue: Queue<Result<CallResult, Error>>,
        guard: CancelOnDrop,
    ) -> Self {
        let mut call = Self {
            procedure,
            timeout,
            deadline: None,
            queue,
            progress: Progress::Running(guard),
        };
        call.restart_clock();
        call
    }

    /// The next part, or the last one; `None` after it.
    ///
    /// ```
    /// # wampy::doc_example(async |url| {
    /// # let client = wampy::Client::connect(url).await?;
    /// let mut parts = client.call("wamp.session.count").progressive();
    /// assert_eq!(parts.next().await.unwrap()?.value::<u64>()?, 1);
    /// assert!(parts.next().await.is_none());
    /// # client.close().await });
    /// ```
    pub async fn next(&mut self) -> Option<Result<CallResult, Error>> {
        std::future::poll_fn(|cx| self.poll_part(cx)).await
    }

    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<CallResult, Error>>> {
        loop {
            match &mut self.progress {
                Progress::Over => return Poll::Ready(None),
                Progress::Starting(start) => match ready!(start.as_mut().poll(cx)) {
                    Ok(guard) => {
                        self.progress = Progress::Running(guard);
                        self.restart_clock();
                    }
                    Err(error) => return self.end(Err(error)),
                },
                Progress::Running(guard) => {
                    if let Poll::Ready(part) = self.queue.poll_next(cx) {
                        return match part {
                            Some(Ok(part)) if part.is_progress() => {
                                self.restart_clock();
                                Poll::Ready(Some(Ok(part)))
                            }
                            Some(last) => {
                                guard.disarm();
                                self.end(last)
                            }
                            None => Poll::Ready(None),
                        };
                    }
                    let (Some(deadline), Some(after)) = (&mut self.deadline, self.timeout) else {
                        return Poll::Pending;
                    };
                    ready!(deadline.as_mut().poll(cx));
                    let error = timed_out(&self.procedure, after);
                    return self.end(Err(error));
                }
            }
        }
    }

    fn restart_clock(&mut self) {
        let Some(after) = self.timeout else { return };
        match &mut self.deadline {
            Some(deadline) => deadline
                .as_mut()
                .reset(Instant::now() + after.min(LONGEST_WAIT)),
            None => self.deadline = Some(Box::pin(tokio::time::sleep(after))),
        }
    }

    fn end(&mut self, last: Result<CallResult, Error>) -> Poll<Option<Result<CallResult, Error>>> {
        self.progress = Progress::Over;
        Poll::Ready(Some(
            last.map_err(|error| about(error, &self.procedure, self.timeout)),
        ))
    }
}

impl Stream for ProgressiveCall {
    type Item = Result<CallResult, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_part(cx)
    }
}
