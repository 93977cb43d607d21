"""The compiled part of wampy: Rust's client and router, seen from Python.

Nothing here is public. All waiting happens with the GIL released and ends at once on Ctrl-C; in a
greenlet of a program that gevent has patched, other greenlets run meanwhile.
Failures raise what ``wampy.errors.failure`` and ``wampy.errors.remote`` build.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from wampy.auth import Proof
from wampy.encryption import DataKey

__all__ = [
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
    "shut_down",
    "wait_by_hubs",
]

__version__: str

#: What a job is: the message's list, without trailing emptiness. INVOCATION is
#: ``(68, request_id, registration_id, details, args, kwargs)``, EVENT is
#: ``(36, subscription_id, publication_id, details, args, kwargs)``.
_Job = tuple[int, int, int, dict[str, Any], list[Any], dict[str, Any]]

#: RESULT as a tuple: request id, details, args, kwargs.
_Result = tuple[int, dict[str, Any], list[Any], dict[str, Any]]

def encode(serializer: str, value: object) -> bytes:
    """Encode one value; ``serializer`` is ``json``, ``msgpack`` or ``cbor``."""

def decode(serializer: str, data: bytes) -> Any:
    """Decode one value that fills ``data``."""

def main(argv: Sequence[str]) -> int:
    """Run the command line; ``argv[0]`` is the program's name. Returns the exit code."""

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
class Session:
    """A joined WAMP session."""

    @staticmethod
    def connect(
        url: str,
        realm: str,
        *,
        timeout: float,
        close_timeout: float,
        authmethods: Sequence[str] = ...,
        authid: str | None = None,
        proofs: Sequence[Proof] = ...,
        certificate: tuple[str, str] | None = None,
        ca_path: str | None = None,
        ip_version: int | None = None,
        keys: Sequence[DataKey] = ...,
        cipher: str | None = None,
    ) -> Session:
        """Connect to ``url`` and join ``realm``; ``timeout`` in seconds bounds both together.

        ``close_timeout`` is how long ``close`` waits for the router's goodbye. ``certificate``:
        a file of the client's certificate, and one of its private key.
        """

    @property
    def id(self) -> int:
        """The session id that the router chose."""

    @property
    def is_open(self) -> bool:
        """Whether the session can still send."""

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

    def publish(
        self,
        topic: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        options: Mapping[str, Any],
        timeout: float | None,
    ) -> int | None:
        """Publish; with the option ``acknowledge``, wait and return the publication id."""

    def register(
        self, procedure: str, options: Mapping[str, Any], timeout: float | None
    ) -> tuple[int, int]:
        """Register and wait; returns ``(request_id, registration_id)``."""

    def unregister(self, registration_id: int, timeout: float | None) -> None:
        """Withdraw a registration and wait for the acknowledgement."""

    def subscribe(
        self, topic: str, options: Mapping[str, Any], timeout: float | None
    ) -> tuple[int, int]:
        """Subscribe and wait; returns ``(request_id, subscription_id)``."""

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
        """The next invocation or event; None after ``timeout`` seconds or at the session's end.

        Events come one at a time: the next one follows when ``event_done`` was called.
        """

    def event_done(self) -> None:
        """Say that the event handed out last has been handled."""

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

    @property
    def port(self) -> int | None:
        """The port that the router listens on; ``None`` if it listens on no TCP port."""

    @property
    def url(self) -> str:
        """The URL for clients on this host."""

    @property
    def realms(self) -> list[str]:
        """The realms, in the order in which they were given."""

    def stop(self, timeout: float) -> None:
        """Say GOODBYE to every session and stop, within ``timeout`` seconds. Never fails."""
