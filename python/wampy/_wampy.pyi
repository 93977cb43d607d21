"""The compiled part of wampy: Rust's client and router, seen from Python.

Nothing here is public. All waiting happens with the GIL released and ends at once on Ctrl-C; in a
greenlet of a program that gevent or eventlet has patched, other greenlets run meanwhile.
Failures raise what ``wampy.errors.failure`` and ``wampy.errors.remote`` build.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, final

from wampy.errors import WampyError
from wampy.settings import Settings

__all__ = [
    "CALL_OPTIONS",
    "PUBLISH_OPTIONS",
    "AioInput",
    "AioInvocation",
    "AioLoop",
    "AioOptions",
    "AioRegistration",
    "AioSession",
    "AioStream",
    "Asked",
    "AskedCall",
    "Attempt",
    "CookieJar",
    "Event",
    "Input",
    "Results",
    "Router",
    "Session",
    "Wakeups",
    "__version__",
    "decode",
    "encode",
    "forked",
    "key_id",
    "main",
    "read_crossbar_config",
    "shut_down",
    "wait_by_hubs",
]

__version__: str

#: The options of a CALL and of a PUBLISH, by their names.
CALL_OPTIONS: list[str]
PUBLISH_OPTIONS: list[str]

#: What a job is: INVOCATION as ``(68, request_id, registration_id, details, args, kwargs)``, or
#: the code of EVENT alone, ``(36,)``: events wait for the thread that got this.
_Job = tuple[int, int, int, dict[str, Any], list[Any], dict[str, Any]] | tuple[int]

#: EVENT as a tuple: subscription id, publication id, details, args, kwargs.
_Event = tuple[int, int, dict[str, Any], list[Any], dict[str, Any]]

#: RESULT as a tuple: request id, details, args, kwargs.
_Result = tuple[int, dict[str, Any], list[Any], dict[str, Any]]

def encode(serializer: str, value: object) -> bytes:
    """Encode one value; ``serializer`` is ``json``, ``msgpack`` or ``cbor``."""

def decode(serializer: str, data: bytes) -> Any:
    """Decode one value that fills ``data``."""

def main(argv: Sequence[str]) -> int:
    """Run the command line; ``argv[0]`` is the program's name. Returns the exit code."""

def read_crossbar_config(path: str) -> str:
    """Read a node configuration of Crossbar.io, JSON or YAML, as JSON."""

def key_id(secret: bytes) -> str:
    """What a key for end-to-end encryption is called unless somebody says otherwise."""

def shut_down(timeout: float) -> bool:
    """End every wait in this process, and wait until they have ended; no way back."""

def forked() -> None:
    """Tell the extension that this process is a fork: it must start its threads anew."""

def wait_by_hubs(
    finder: Callable[[], tuple[Wakeups, Callable[[int], object]] | None],
) -> None:
    """Let threads that have a hub wait by it, so that other greenlets run meanwhile.

    ``finder`` returns the hub of the calling thread, if it has one: its wakeups, and what parks the
    current greenlet until a token is woken. The first call counts.
    """

@final
class Asked:
    """A registration or subscription that was asked for and may not be granted yet."""

    def granted(self, timeout: float | None) -> tuple[int, int]:
        """Wait for the answer, once; returns the ids of the request and of what was granted."""

@final
class AskedCall:
    """A call that was made and may not be answered yet."""

    def answered(self) -> None:
        """Wait for the answer, once; of which only counts that it is no error."""

@final
class Attempt:
    """A way to give up attempts to connect, made by whoever may have to."""

    def __new__(cls) -> Attempt: ...
    def give_up(self) -> None:
        """End the attempt under way, and let no further one begin."""

@final
class Session:
    """A joined WAMP session."""

    @staticmethod
    def connect(
        settings: Settings,
        *,
        challenges: list[Any] | None = None,
        attempt: Attempt | None = None,
    ) -> Session:
        """Connect and join a realm.

        ``challenges``: gets the router's CHALLENGEs, as lists, whether or not the client joins.
        ``attempt`` can end it early.
        """

    @property
    def id(self) -> int:
        """The session id that the router chose."""

    @property
    def is_open(self) -> bool:
        """Whether the session can still send."""

    def wait_for_end(self, timeout: float) -> WampyError | None:
        """Wait until the session has ended; returns the exception that says why.

        None after ``timeout`` seconds.
        """

    @property
    def events_dropped(self) -> int:
        """How many events were dropped because handlers were too slow."""

    @property
    def events_undecryptable(self) -> int:
        """How many events were left out because none of the keys opens them."""

    def call(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> _Result:
        """Call and wait; returns ``(request_id, details, args, kwargs)`` of the RESULT."""

    def call_progressive(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> Results:
        """Call for a result in parts; the call is made when its results are asked for."""

    def call_in_parts(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> tuple[Input, Results]:
        """Make a call in parts, of which this is the first."""

    def call_and_forget(
        self, procedure: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        """Call without waiting; what becomes of it makes no difference."""

    def ask_to_call(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: Mapping[str, Any],
    ) -> AskedCall:
        """Call, and wait for the answer later."""

    def publish(
        self,
        topic: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: Mapping[str, Any],
        timeout: float | None,
    ) -> int | None:
        """Publish; with the option ``acknowledge``, wait and return the publication id."""

    def ask_to_register(self, procedure: str, options: Mapping[str, Any]) -> Asked:
        """Ask for a registration, whose answer is waited for later."""

    def unregister(self, registration_id: int, timeout: float | None) -> None:
        """Withdraw a registration and wait for the acknowledgement."""

    def ask_to_subscribe(self, topic: str, options: Mapping[str, Any]) -> Asked:
        """Ask for a subscription, whose answer is waited for later."""

    def unsubscribe(self, subscription_id: int, timeout: float | None) -> None:
        """End a subscription and wait for the acknowledgement."""

    def revoked(self) -> tuple[list[int], list[int]]:
        """The ids of registrations and subscriptions that the router has taken back meanwhile.

        Each is told once.
        """

    def send(self, message: Sequence[Any]) -> int | None:
        """Send a hand-built request; its answer comes from ``next_answer``. Returns its id."""

    def next_answer(self, request_id: int | None, timeout: float | None) -> list[Any]:
        """The next answer to a request that ``send`` sent, or the one to ``request_id``."""

    def next_job(self, timeout: float) -> _Job | None:
        """The next invocation, or that events wait.

        None after ``timeout`` seconds or at the session's end. Events wait for one thread at a
        time: no other is told of any before ``events_done`` was called.
        """

    def run_events(
        self,
        known: Mapping[int, tuple[Any, ...]],
        absent: Callable[[int], tuple[Any, ...]],
        failed: Callable[[Any, BaseException], object],
    ) -> bool:
        """Run the handlers of the events that wait; whether some may be left.

        It returns earlier after so many that other threads have to have their turn, and when events
        were dropped.

        ``known`` has the subscriptions of each id, objects with ``topic``, ``handler`` and
        ``wants_meta``; ``absent`` is asked for those of another. ``failed`` is told of a
        subscription whose handler has raised an exception, and of that.
        """

    def next_event(self) -> _Event | None:
        """The next of the events that wait, as a message."""

    def events_done(self) -> None:
        """Say that the events that this thread took have been handled."""

    def reply(self, request_id: int, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """YIELD the result of an invocation; False if it was answered or canceled before."""

    def reply_error(
        self, request_id: int, uri: str, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> bool:
        """Answer an invocation with ERROR; False if it was answered or canceled before."""

    def progress(self, request_id: int, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """Send a part of a result if the caller takes parts; False if the call is over."""

    def next_part(self, request_id: int) -> tuple[list[Any], dict[str, Any], bool] | None:
        """Wait for the next part of a call: ``(args, kwargs, is_last)``.

        None if there is none, because the last one has been taken or because the call is over.
        """

    def router_has(self, role: str, feature: str) -> bool:
        """Whether the router announced a feature for a role, ``broker`` or ``dealer``."""

    def close(self, reason: str) -> None:
        """Say GOODBYE and wait for the answer, a bounded time. Never fails."""

@final
class Results:
    """The results of a call, as they come."""

    def next(self) -> _Result | None:
        """Wait for the next result; None behind the last."""

    def close(self) -> None:
        """Cancel the call, unless it is over."""

@final
class Input:
    """The further parts of a call, as they are sent."""

    def send(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """Send a part, waiting until there is room for it; False if the call is over."""

    def finish(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """Send the last part; False if the call is over."""

    def close(self) -> None:
        """Cancel the call, unless it is finished or over."""

@final
class Wakeups:
    """The waits of one hub that are to be looked at again."""

    def __new__(cls) -> Wakeups: ...
    def fileno(self) -> int:
        """What to watch: it can be read while there is something to take."""

    @property
    def is_ours(self) -> bool:
        """Whether this process made it, and not one that it is a fork of."""

    def take(self) -> list[int]:
        """The tokens that have been woken since the last time. Never waits."""

@final
class CookieJar:
    """Cookies of routers, kept in memory; clients can share one.

    A cookie goes back to the host that has set it, as long as its ``Max-Age`` says, and over TLS
    only if it is ``Secure``. A program that keeps cookies takes them out and puts them in.
    """

    def __new__(cls) -> CookieJar:
        """An empty jar."""

    def insert(self, host: str, set_cookie: str) -> None:
        """Take in what ``host`` says in a header ``Set-Cookie``: ``name=value; Max-Age=3600``.

        What is no cookie is not kept; a ``Max-Age`` of 0 takes a cookie out.
        """

    def for_host(self, host: str, *, tls: bool = False) -> str | None:
        """The cookies that ``host`` gets, as a header ``Cookie`` has them, or None."""

    def clear(self) -> None:
        """Forget all cookies."""

    def __len__(self) -> int: ...

@final
class Router:
    """A router in this process, on a thread of its own."""

    @staticmethod
    def start(
        host: str, port: int, realms: Sequence[str], tls: tuple[str, str] | None = None
    ) -> Router:
        """Listen on ``host`` and ``port`` (0: a free one); ``tls``: a certificate and its key."""

    @staticmethod
    def start_by_config(path: str) -> Router:
        """Listen and serve as the configuration file ``path`` says."""

    @staticmethod
    def configured(path: str) -> tuple[str | None, list[str]]:
        """The URL of the router that a configuration file describes, and its realms.

        The URL is None if its port is 0.
        """

    @staticmethod
    def start_by_crossbar_config(path: str, directory: str | None, router_only: bool) -> Router:
        """Listen and serve as the node configuration ``path`` of Crossbar.io says."""

    @property
    def port(self) -> int | None:
        """The port that the router listens on; ``None`` if it listens on no TCP port."""

    @property
    def url(self) -> str:
        """The URL for clients on this host."""

    @property
    def realms(self) -> list[str]:
        """The realms, in the order in which they were given."""

    @property
    def warnings(self) -> list[str]:
        """What was ignored or left out of a node configuration."""

    def reload(self, path: str) -> list[str]:
        """Go on with the settings of a configuration file; returns what waits for a restart."""

    def reload_crossbar_config(
        self, path: str, directory: str | None, router_only: bool
    ) -> list[str]:
        """Go on with the settings of a node configuration; returns what waits for a restart."""

    def set_roles(self, realm: str, roles: str) -> None:
        """Give the realm ``realm`` the roles in ``roles``, which is JSON."""

    def stop(self, timeout: float) -> None:
        """Say GOODBYE to every session and stop, within ``timeout`` seconds. Never fails."""

#: What can be given up: the number of an operation, and the future of its outcome.
_Begun = tuple[int, asyncio.Future[Any]]

@final
class AioLoop:
    """The operations of one connection, on one event loop; all is called on its thread."""

    def __new__(
        cls,
        create_future: Callable[[], asyncio.Future[Any]],
        call_soon: Callable[..., Any],
    ) -> AioLoop: ...
    def fileno(self) -> int:
        """What the event loop has to watch: when it can be read, ``drain`` is to be called."""

    def drain(self) -> None:
        """Hand out what has come. Never waits."""

    def connect(self, settings: Settings) -> _Begun:
        """Connect and join a realm: a future of the ``AioSession``."""

    def abandon(self, token: int) -> None:
        """Give up an operation. One that is over is no error."""

    def turn(self) -> asyncio.Future[None]:
        """A future that is done when there may be room for another call."""

    def close(self) -> None:
        """Fail all that waits, and drop all handlers: the scope is over."""

@final
class AioOptions:
    """Options of CALL, read once for many calls."""

    def __new__(cls, options: Mapping[str, Any]) -> AioOptions: ...

@final
class AioSession:
    """A joined session whose requests end on an event loop."""

    @property
    def id(self) -> int:
        """The session id that the router chose."""

    @property
    def is_open(self) -> bool:
        """Whether the session can still send."""

    def router_has(self, role: str, feature: str) -> bool:
        """Whether the router announced a feature for a role, ``broker`` or ``dealer``."""

    def call(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: AioOptions,
        whole: bool,
    ) -> _Begun | None:
        """Call: a future of the value, or of the whole result.

        None if so many are under way that this one has to wait for its ``turn``.
        """

    def call_progressive(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: AioOptions,
    ) -> AioStream:
        """Call for a result in parts; the call is made when the first is asked for."""

    def call_in_parts(
        self,
        procedure: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: AioOptions,
    ) -> _Begun:
        """Make a call in parts: a future of ``(AioInput, AioStream)``."""

    def publish(
        self,
        topic: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: Mapping[str, Any],
        timeout: float | None,
    ) -> asyncio.Future[int | None] | None:
        """Publish: None if it is sent, else a future of the publication id, or of None."""

    def add_testament(
        self,
        topic: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        how: tuple[str, Mapping[str, Any]],
        timeout: float | None,
    ) -> _Begun:
        """Leave a testament, in a scope and with options of PUBLISH."""

    def flush_testaments(self, scope: str, timeout: float | None) -> _Begun:
        """Take back the testaments of a scope."""

    def register(
        self,
        procedure: str,
        options: Mapping[str, Any],
        handler: Callable[[AioInvocation], None],
        definition: Mapping[str, Any] | None,
        timeout: float | None,
    ) -> _Begun:
        """Register: a future of the ``AioRegistration``."""

    def subscribe(
        self,
        topic: str,
        options: Mapping[str, Any],
        definition: Mapping[str, Any] | None,
        timeout: float | None,
    ) -> _Begun:
        """Subscribe: a future of the ``AioStream`` of events."""

    def ended(self) -> asyncio.Future[BaseException | None]:
        """A future that is done when the session has ended: of why, or of None after ``leave``."""

    def leave(self, reason: str) -> asyncio.Future[None]:
        """Say GOODBYE: a future that is done when the router has answered, or in bounded time."""

    def leave_now(self, reason: str) -> None:
        """Say GOODBYE and do not wait for anything."""

@final
class AioStream(AsyncIterator[Any]):
    """What comes one after the other: events, parts of a result, parts of a call."""

    def __aiter__(self) -> AioStream: ...
    def __anext__(self) -> asyncio.Future[Any]:
        """A future of the next item. Behind the last one it raises ``StopAsyncIteration``."""

    def close(self) -> None:
        """End it: the topic is unsubscribed from, and a call that is not over is canceled."""

    def unsubscribe(self, timeout: float | None) -> asyncio.Future[None]:
        """Unsubscribe: a future that is done when the router has acknowledged it."""

    @property
    def id(self) -> int | None:
        """The id of the subscription, if it stands."""

    @property
    def dropped(self) -> int:
        """How many events had to make room for others."""

    @property
    def undecryptable(self) -> int:
        """How many events were left out because none of the keys opens them."""

@final
class AioInput:
    """The further parts of a call, as they are sent."""

    def send(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> asyncio.Future[bool]:
        """Send a part, when there is room: a future of whether the call still goes on."""

    def finish(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> asyncio.Future[bool]:
        """Send the last part: a future of whether the call still goes on."""

    def close(self) -> None:
        """Cancel the call, unless it is finished or over."""

@final
class AioRegistration:
    """A procedure that a session offers."""

    @property
    def id(self) -> int | None:
        """The id in the present session, if the registration stands."""

    def unregister(self, timeout: float | None) -> asyncio.Future[None]:
        """Withdraw it: a future that is done when the router has acknowledged it."""

@final
class AioInvocation:
    """A call that a handler is to answer."""

    @property
    def args(self) -> list[Any]:
        """The positional arguments."""

    @property
    def kwargs(self) -> dict[str, Any]:
        """The keyword arguments."""

    @property
    def details(self) -> dict[str, Any]:
        """What the router tells of the call."""

    @property
    def procedure(self) -> str:
        """The procedure that was called."""

    @property
    def receives_progress(self) -> bool:
        """Whether the caller takes the result in parts."""

    @property
    def is_over(self) -> bool:
        """Whether the call has been answered, or has ended without."""

    def parts(self) -> AioStream | None:
        """The further parts of the call; None if it is made at once, or they were taken before."""

    def watch(self, task: asyncio.Task[Any]) -> None:
        """Cancel ``task`` if the call ends before it is answered."""

    def reply(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """Answer with a result; False if the call is over already."""

    def reply_error(self, uri: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> bool:
        """Answer with an error; False if the call is over already."""

    def progress(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> asyncio.Future[bool]:
        """Send a part of the result: a future of whether the call still goes on."""

@final
class Event:
    """An event."""

    @property
    def args(self) -> list[Any]:
        """What was published by position."""

    @property
    def kwargs(self) -> dict[str, Any]:
        """What was published by keyword."""

    @property
    def topic(self) -> str:
        """The topic that it was published to."""

    @property
    def publication_id(self) -> int:
        """The id of the publication."""

    @property
    def meta(self) -> dict[str, Any]:
        """What else the router tells: ``topic``, ``subscription_id`` and details of EVENT."""
