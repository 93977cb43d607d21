//! One connection's task: its future, and whether it is waiting, queued or polled.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::task::{Context, Wake, Waker};

use parking_lot::Mutex;

use super::Run;

pub(super) type Connection = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A task, which is also its own waker.
pub(super) struct Task {
    number: u64,
    run: Arc<Run>,
    state: AtomicU8,
    is_aborted: AtomicBool,
    future: Mutex<Option<Connection>>,
}

/// Nothing to do.
const IDLE: u8 = 0;
/// In the queue.
const QUEUED: u8 = 1;
/// Being polled.
const RUNNING: u8 = 2;
/// Being polled, and woken meanwhile.
const WOKEN: u8 = 3;

/// A connection's task, to end it early.
#[derive(Debug, Clone)]
pub(crate) struct Handle(Arc<Task>);

impl Handle {
    /// Lets `task` be polled for the first time.
    pub(super) fn start(task: Arc<Task>) -> Self {
        task.wake_by_ref();
        Self(task)
    }

    /// Ends the task: it is dropped before it would be polled again.
    pub(crate) fn abort(&self) {
        self.0.is_aborted.store(true, Ordering::Release);
        self.0.wake_by_ref();
    }
}

impl Task {
    pub(super) fn new(number: u64, run: Arc<Run>, future: Connection) -> Arc<Self> {
        Arc::new(Self {
            number,
            run,
            state: AtomicU8::new(IDLE),
            is_aborted: AtomicBool::new(false),
            future: Mutex::new(Some(future)),
        })
    }

    /// Polls the task once.
    pub(super) fn run(self: Arc<Self>) {
        self.state.store(RUNNING, Ordering::Release);
        let has_ended = self.is_aborted() || self.poll();
        if has_ended || self.is_aborted() {
            self.end();
            self.run.forget(self.number);
            return;
        }
        let woken = self
            .state
            .compare_exchange(RUNNING, IDLE, Ordering::AcqRel, Ordering::Acquire)
            .is_err();
        if woken {
            self.state.store(QUEUED, Ordering::Release);
            let run = Arc::clone(&self.run);
            run.push(self);
        }
    }

    fn is_aborted(&self) -> bool {
        self.is_aborted.load(Ordering::Acquire)
    }

    /// Polls the future; true if it has ended.
    fn poll(self: &Arc<Self>) -> bool {
        let waker = Waker::from(Arc::clone(self));
        let mut context = Context::from_waker(&waker);
        let mut future = self.future.lock();
        let Some(future) = &mut *future else {
            return true;
        };
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
        match polled {
            Ok(polled) => polled.is_ready(),
            // What it held is dropped with it; the others go on.
            Err(_) => {
                tracing::error!("a connection's task panicked; the connection is closed");
                true
            }
        }
    }

    /// Ends the task now, or, while it is being polled (perhaps by the caller), right afterwards.
    pub(super) fn end(&self) {
        self.is_aborted.store(true, Ordering::Release);
        let future = self.future.try_lock().and_then(|mut future| future.take());
        // A panic must not end the lane, and with it everybody's connections.
        if catch_unwind(AssertUnwindSafe(|| drop(future))).is_err() {
            tracing::error!("a connection's task panicked at its end");
        }
    }
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut state = self.state.load(Ordering::Acquire);
        loop {
            let next = match state {
                IDLE => QUEUED,
                RUNNING => WOKEN,
                _ => return,
            };
            let changed =
                self.state
                    .compare_exchange_weak(state, next, Ordering::AcqRel, Ordering::Acquire);
            match changed {
                Ok(IDLE) => return self.run.push(Arc::clone(self)),
                Ok(_) => return,
                Err(now) => state = now,
            }
        }
    }
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Task")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}
