"""The clients as processes: which scripts there are, what each can do, and how to run one.

A script runs as `serve`, which offers procedures and subscriptions until it is told to leave, or
as `drive`, which calls and publishes and ends by itself. Both print one JSON line per step.
Absent on purpose: what the lines ought to say, which is in `scenario.py`.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import subprocess
import threading
import time

INTEROP = pathlib.Path(__file__).resolve().parent
ROOT = INTEROP.parent
STEP_TIMEOUT_S = 20
DRIVE_TIMEOUT_S = 40

ALL_STEPS = (
    "echo",
    "error",
    "missing",
    "publish",
    "own_event",
    "own_procedure",
    "progress",
    "cancel",
    "time_out",
    "retained",
)
ALL_POLICIES = ("exact", "prefix", "wildcard")


@dataclasses.dataclass(frozen=True)
class Client:
    """One client library and what it can do. The defaults describe one that can do everything."""

    name: str
    command: tuple[str, ...]
    transports: tuple[str, ...] = ("ws",)
    #: The steps that it can drive.
    drives: tuple[str, ...] = ALL_STEPS[:-2]
    #: The steps that others can drive against it.
    serves: tuple[str, ...] = ALL_STEPS
    policies: tuple[str, ...] = ALL_POLICIES
    #: What it cannot take: names of the `needs` in payloads.json.
    lacks: tuple[str, ...] = ()
    #: Serializers with which it has no bytes.
    no_bytes_in: tuple[str, ...] = ()
    #: Whether an INTERRUPT stops its procedures. The specification has a callee without call
    #: canceling give no progressive results either, so the router does not ask it for them.
    is_interruptible: bool = False
    #: Whether its procedures return one value instead of args and kwargs.
    returns_one_value: bool = False
    #: The ERROR that its procedure `fail` answers with, if not the common one.
    failure: dict | None = None
    #: What the URIs of its procedures begin with.
    prefix: str = "interop."


@dataclasses.dataclass(frozen=True)
class Endpoint:
    """A client together with the transport and the serializer that it is to use."""

    client: Client
    transport: str = "ws"
    serializer: str = "json"
    #: Whether its messages come in batches.
    batched: bool = False

    def __str__(self):
        batched = "-batched" if self.batched else ""
        return f"{self.client.name}-{self.transport}-{self.serializer}{batched}"

    def arguments(self, router):
        arguments = ["--url", router.url(self.transport), "--serializer", self.serializer]
        return arguments + ["--batched"] * self.batched


def python_of(venv):
    """The Python of a virtual environment in the project root."""
    return str(ROOT / venv / "bin" / "python")


def script(name):
    """The path of a scenario script."""
    return str(INTEROP / name)


AUTOBAHN_PYTHON = Client(
    "autobahn-python",
    (python_of(".venv-interop"), script("clients/autobahn_client.py")),
    transports=("ws", "rs", "unix"),
    drives=(*ALL_STEPS[:-2], "retained"),
    is_interruptible=True,
)
AUTOBAHN_JS = Client(
    "autobahn-js",
    ("node", script("node/autobahn_client.js")),
    transports=("ws", "rs", "lp"),
    lacks=("wide_integers",),
    no_bytes_in=("json",),
)
WAMPY_JS = Client(
    "wampy.js",
    ("node", script("node/wampyjs_client.js")),
    lacks=("wide_integers",),
    no_bytes_in=("json",),
)
WAMPY_1 = Client(
    "wampy-1.1.0",
    (python_of(".venv-wampy1"), script("clients/wampy1_client.py")),
    drives=("echo", "error", "missing", "publish", "own_event", "time_out"),
    serves=("echo", "error", "missing", "publish", "own_event", "own_procedure"),
    policies=("exact",),
    # It misreads the length of frames from 32 KiB to 64 KiB, which ends its listening.
    lacks=("frames_to_64k",),
    no_bytes_in=("json",),
    returns_one_value=True,
    failure={
        "uri": "interop_fail",
        "args": [],
        "kwargs": {
            "exc_type": "ValueError",
            "message": "broken",
            "call_args": [],
            "call_kwargs": {},
        },
    },
    prefix="interop_",
)
#: Our own Python package, from the environment that has it: $WAMPY_PYTHON or .venv.
WAMPY_PYTHON = Client(
    "wampy-python",
    (
        os.environ.get("WAMPY_PYTHON", python_of(".venv")),
        script("clients/wampy_client.py"),
    ),
    transports=("ws", "rs", "unix"),
    drives=("echo", "error", "missing", "publish", "own_event", "own_procedure", "time_out"),
    serves=("echo", "error", "missing", "publish", "own_event", "own_procedure"),
    policies=("exact",),
    returns_one_value=True,
)
#: The same on an event loop.
WAMPY_AIO = Client(
    "wampy-aio",
    (WAMPY_PYTHON.command[0], script("clients/wampy_aio_client.py")),
    transports=("ws", "rs", "unix"),
    drives=(*ALL_STEPS[:-2], "retained"),
    is_interruptible=True,
)


class Line(dict):
    """One step; a missing field says which line lacks it."""

    def __missing__(self, key):
        raise AssertionError(f"no {key!r} in {dict(self)}")


def parse_steps(text):
    """The steps among the lines of `text`; client libraries print other things as well."""
    steps = []
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            value = json.loads(line)
            if isinstance(value, dict) and "step" in value:
                steps.append(Line(value))
    return steps


def drive(endpoint, router, prefix, steps, payloads=()):
    """Run a driving script to its end and return its steps."""
    command = [*endpoint.client.command, "drive", *endpoint.arguments(router)]
    command += ["--prefix", prefix, "--steps", ",".join(steps), "--payloads", ",".join(payloads)]
    with _process(command, router) as process:
        try:
            output, errors = process.communicate(timeout=DRIVE_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            errors += f"\n{endpoint} was not done after {DRIVE_TIMEOUT_S} s"
            process.returncode = None
    said = f"{endpoint}:\n{_shortened(output)}\n{_shortened(errors)}"
    assert process.returncode == 0, said
    return parse_steps(output)


class Serving:
    """A serving script that runs: `steps` so far, and ways to wait for more."""

    def __init__(self, endpoint, process):
        self.endpoint = endpoint
        self._process = process
        self._steps = []
        self._text = []
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(stream,), daemon=True)
            for stream in (process.stdout, process.stderr)
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream):
        for line in stream:
            with self._changed:
                self._text.append(line)
                if stream is self._process.stdout:
                    self._steps += parse_steps(line)
                self._changed.notify_all()

    def wait_for(self, step, count=1):
        """Wait until `step` has been printed `count` times, and return those lines."""
        deadline = time.monotonic() + STEP_TIMEOUT_S
        with self._changed:
            while len(lines := [line for line in self._steps if line["step"] == step]) < count:
                ended = self._process.poll() is not None and not self._reading()
                late = time.monotonic() > deadline
                assert not ended and not late, f"{count} x {step!r} missing in {self}"
                self._changed.wait(0.1)
            return lines

    def _reading(self):
        return any(reader.is_alive() for reader in self._readers)

    def leave(self):
        """Have the script leave the realm; returns all its steps."""
        self._process.stdin.close()
        try:
            code = self._process.wait(STEP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"never left: {self}") from None
        for reader in self._readers:
            reader.join(STEP_TIMEOUT_S)
        assert code == 0, f"ended with {code}: {self}"
        return list(self._steps)

    def __str__(self):
        return f"{self.endpoint}:\n{_shortened(''.join(self._text))}"


@contextlib.contextmanager
def serve(endpoint, router, prefix):
    """Run a serving script that is ready; whatever happens, no process is left."""
    command = [*endpoint.client.command, "serve", *endpoint.arguments(router)]
    with _process([*command, "--prefix", prefix], router) as process:
        serving = Serving(endpoint, process)
        serving.wait_for("ready")
        yield serving


@contextlib.contextmanager
def _process(command, router):
    # Both are what the libraries underneath go by: OpenSSL and rustls, and Node.js.
    trust = dict.fromkeys(("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"), str(router.ca_file))
    process = subprocess.Popen(
        command,
        cwd=INTEROP,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={
            **os.environ,
            **(trust if router.ca_file else {}),
            "PYTHONUTF8": "1",
            "PYTHONUNBUFFERED": "1",
        },
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(STEP_TIMEOUT_S)
        for stream in (process.stdin, process.stdout, process.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.close()


def _shortened(text, line_chars=400, lines=80):
    """The end of what a script printed, for a person to read."""
    return "\n".join(line[:line_chars] for line in text.splitlines()[-lines:])
