//! The asyncio face: operations of the Rust client that end on an event loop of Python.
//!
//! The loop's thread itself polls the client's futures, so that a request costs no task and no thread
//! of its own; a call, which is what programs make most, costs no future either ([`calls`]). The network thread never calls into Python: it notes whose turn it is ([`crate::bell`]) and
//! writes one byte, for as many as there are, to a pipe that the loop watches. Then the loop drains
//! all of them at once, holding the GIL anyhow ([`event_loop`], [`desk`]).
//!
//! Deliberately absent: tasks, handlers and scopes, which are Python's (`python/wampy/aio`).

mod absence;
mod calls;
mod connect;
mod definition;
mod desk;
mod event;
mod event_loop;
mod input;
mod invocation;
mod registration;
mod session;
mod stream;
mod testament;
mod value;

pub use event::AioEvent;
pub use event_loop::AioLoop;
pub use input::AioInput;
pub use invocation::AioInvocation;
pub use registration::AioRegistration;
pub use session::{AioOptions, AioSession};
pub use stream::AioStream;
