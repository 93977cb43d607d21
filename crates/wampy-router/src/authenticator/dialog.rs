//! Authentication as a conversation: a future that may ask the client questions.
//!
//! The future belongs to the connection, which polls it together with everything else that it waits
//! for. A question is left in a place that both share, and so is its answer: nothing has to be woken.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;
use wampy_proto::message::{Abort, Authenticate, Challenge};

use super::Identity;

/// What a conversation came to: who the client is, or why it may not join.
pub(crate) type Verdict = Result<Identity, Abort<'static>>;

/// The conversation's end of the line to the client.
#[derive(Debug, Clone, Default)]
pub(super) struct Line(Arc<Mutex<OnTheLine>>);

#[derive(Debug, Default)]
struct OnTheLine {
    question: Option<Challenge<'static>>,
    answer: Option<Authenticate<'static>>,
}

/// A conversation under way.
pub(crate) struct Dialog {
    line: Line,
    future: Pin<Box<dyn Future<Output = Verdict> + Send>>,
    /// Whether a question was asked and not answered.
    is_asking: bool,
}

/// What a conversation wants to have done.
pub(crate) enum Turn {
    Ask(Challenge<'static>),
    End(Verdict),
}

impl Line {
    /// Sends CHALLENGE; waits for AUTHENTICATE.
    pub(super) async fn ask(&self, question: Challenge<'static>) -> Authenticate<'static> {
        self.0.lock().question = Some(question);
        poll_fn(|_| match self.0.lock().answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        })
        .await
    }
}

impl Dialog {
    pub(super) fn begin<F>(conversation: impl FnOnce(Line) -> F) -> Self
    where
        F: Future<Output = Verdict> + Send + 'static,
    {
        let line = Line::default();
        Self {
            future: Box::pin(conversation(line.clone())),
            line,
            is_asking: false,
        }
    }

    /// Whether the client's answer is waited for, and nothing else.
    pub(crate) fn is_asking(&self) -> bool {
        self.is_asking
    }

    /// The client has answered; the conversation is to be polled.
    pub(crate) fn answer(&mut self, answer: Authenticate<'static>) {
        self.is_asking = false;
        self.line.0.lock().answer = Some(answer);
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        if self.is_asking {
            return Poll::Pending;
        }
        if let Poll::Ready(verdict) = self.future.as_mut().poll(cx) {
            return Poll::Ready(Turn::End(verdict));
        }
        match self.line.0.lock().question.take() {
            None => Poll::Pending,
            Some(question) => {
                self.is_asking = true;
                Poll::Ready(Turn::Ask(question))
            }
        }
    }
}
