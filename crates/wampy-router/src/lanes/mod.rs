//! The tasks of connections, and the few lanes on which they run.
//!
//! A runtime polls each task by itself, so that every connection that read something would write
//! its receivers on its own: sixteen callers of one callee mean sixteen writes to that callee. A
//! lane is one task of the runtime that polls all connections which are ready, and writes what they
//! had to say only afterwards, once to each receiver ([`unflushed`](crate::unflushed)).
//!
//! Under light load there is one lane at work, on one thread, with nobody to wait for or to wake. A
//! lane that does not come to the end of what is ready calls another one for help; there are as
//! many as the runtime has threads.
//!
//! Deliberately absent: priorities, timers and I/O, which are the runtime's.

mod lull;
mod task;

use std::collections::{HashMap, VecDeque};
use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};

use crate::unflushed;
use lull::Lull;
pub(crate) use task::Handle;
use task::Task;

/// How many tasks a lane polls before it writes and lets the runtime look for news.
const TASKS_PER_PASS: usize = 256;

/// For how long a lane goes on alone while others are ready.
const HELP_AFTER: Duration = Duration::from_micros(500);

/// After how long a lane writes and lets the runtime look for news, though more is ready.
const PASS_MAX: Duration = Duration::from_millis(1);

/// After how many tasks a lane looks at the clock.
const TASKS_PER_LOOK: usize = 8;

/// The lanes of a router. Dropping this ends them, and with them every task that is left.
#[derive(Debug)]
pub(crate) struct Lanes(Arc<Run>);

/// What the lanes share.
#[derive(Debug, Default)]
struct Run {
    ready: Mutex<Ready>,
    tasks: Mutex<Tasks>,
}

#[derive(Debug, Default)]
struct Ready {
    queue: VecDeque<Arc<Task>>,
    /// The lanes that have nothing to do, each with what wakes it. The last one is called first.
    idle: Vec<(usize, Waker)>,
    /// The lanes at work, or called to it.
    at_work: usize,
    /// Whether nothing is taken in any more.
    is_closed: bool,
}

/// All tasks that have not ended, so that they can be dropped with the last lane.
#[derive(Debug, Default)]
struct Tasks {
    by_number: HashMap<u64, Arc<Task>>,
    next: u64,
    lanes: usize,
    is_closed: bool,
}

impl Lanes {
    /// Lanes on the runtime that this is called in, one for each of its threads.
    ///
    /// A lane may look for news up to `busy_poll` long before it sleeps.
    pub(crate) fn start(busy_poll: Duration) -> Self {
        let lanes = tokio::runtime::Handle::current().metrics().num_workers();
        let run = Arc::new(Run::default());
        run.tasks.lock().lanes = lanes;
        run.ready.lock().at_work = lanes;
        for number in 0..lanes {
            let lane = Lane {
                run: Arc::clone(&run),
                number,
                busy_poll,
            };
            // The runtime's budget is for one task; a lane has its own, for many.
            tokio::spawn(tokio::task::unconstrained(lane.serve()));
        }
        Self(run)
    }

    /// Runs `connection` as a task. When the lanes have ended, it is dropped at once.
    pub(crate) fn spawn(&self, connection: impl Future<Output = ()> + Send + 'static) -> Handle {
        let mut tasks = self.0.tasks.lock();
        let number = tasks.next;
        tasks.next += 1;
        let task = Task::new(number, Arc::clone(&self.0), Box::pin(connection));
        if tasks.is_closed {
            // Without the lock: what is dropped may end the lanes themselves.
            drop(tasks);
            task.end();
        } else {
            tasks.by_number.insert(number, Arc::clone(&task));
        }
        Handle::start(task)
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.0.close();
        let idle = {
            let mut ready = self.0.ready.lock();
            ready.at_work += ready.idle.len();
            std::mem::take(&mut ready.idle)
        };
        for (_, waker) in idle {
            waker.wake();
        }
    }
}

impl Run {
    /// Drops all tasks, and those that still come.
    fn close(&self) {
        let tasks = {
            let mut tasks = self.tasks.lock();
            tasks.is_closed = true;
            std::mem::take(&mut tasks.by_number)
        };
        let queue = {
            let mut ready = self.ready.lock();
            ready.is_closed = true;
            std::mem::take(&mut ready.queue)
        };
        // Without the locks: what is dropped may end other tasks.
        for task in tasks.into_values().chain(queue) {
            task.end();
        }
    }

    /// Puts a task into the queue, and calls a lane if none is at work.
    fn push(&self, task: Arc<Task>) {
        let mut ready = self.ready.lock();
        if ready.is_closed {
            return;
        }
        ready.queue.push_back(task);
        if ready.at_work == 0 {
            Self::call(ready);
        }
    }

    /// Calls an idle lane, if there is one.
    fn call(mut ready: MutexGuard<'_, Ready>) {
        if let Some((_, waker)) = ready.idle.pop() {
            ready.at_work += 1;
            drop(ready);
            waker.wake();
        }
    }

    fn call_for_help(&self) {
        let ready = self.ready.lock();
        if !ready.queue.is_empty() {
            Self::call(ready);
        }
    }

    fn has_ready(&self) -> bool {
        !self.ready.lock().queue.is_empty()
    }

    fn next(&self) -> Option<Arc<Task>> {
        self.ready.lock().queue.pop_front()
    }

    /// A task has ended.
    fn forget(&self, number: u64) {
        let task = self.tasks.lock().by_number.remove(&number);
        drop(task);
    }
}

/// One lane: a task of the runtime.
struct Lane {
    run: Arc<Run>,
    number: usize,
    busy_poll: Duration,
}

impl Lane {
    async fn serve(self) {
        let mut busy_since = None;
        let mut lull = Lull::new(self.busy_poll);
        while poll_fn(|cx| self.poll_ready(cx, &mut busy_since)).await {
            lull.ends();
            let tasks = self.pass(&mut busy_since);
            lull.begins(tasks);
            // With each yield the runtime looks for news.
            if self.run.has_ready() {
                tokio::task::yield_now().await;
                continue;
            }
            while lull.is_awaited() && !self.run.has_ready() {
                // Whoever the message has to come from may be waiting for this very processor.
                std::thread::yield_now();
                tokio::task::yield_now().await;
            }
        }
    }

    /// Waits until a task is ready; false if the lanes end.
    fn poll_ready(&self, cx: &Context<'_>, busy_since: &mut Option<Instant>) -> Poll<bool> {
        let mut ready = self.run.ready.lock();
        if ready.is_closed {
            return Poll::Ready(false);
        }
        let idle = ready.idle.iter_mut().find(|(lane, _)| *lane == self.number);
        if let Some((_, waker)) = idle {
            // Nobody has called.
            waker.clone_from(cx.waker());
            return Poll::Pending;
        }
        if !ready.queue.is_empty() {
            return Poll::Ready(true);
        }
        *busy_since = None;
        ready.at_work -= 1;
        ready.idle.push((self.number, cx.waker().clone()));
        Poll::Pending
    }

    /// Polls what is ready, then writes what that had to say: how many tasks were polled.
    fn pass(&self, busy_since: &mut Option<Instant>) -> usize {
        let unflushed = unflushed::collect();
        let mut begin = None;
        let mut polled = 0;
        while polled < TASKS_PER_PASS {
            let Some(task) = self.run.next() else { break };
            task.run();
            polled += 1;
            if polled.is_multiple_of(TASKS_PER_LOOK) {
                let now = Instant::now();
                if now - *busy_since.get_or_insert(now) > HELP_AFTER {
                    self.run.call_for_help();
                }
                if now - *begin.get_or_insert(now) > PASS_MAX {
                    break;
                }
            }
        }
        drop(unflushed);
        polled
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let is_last = {
            let mut tasks = self.run.tasks.lock();
            tasks.lanes -= 1;
            tasks.lanes == 0
        };
        if is_last {
            self.run.close();
        }
    }
}
