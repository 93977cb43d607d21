"""Our own Rust client as its users run it: the `wampy` command.

Absent on purpose: what the commands ought to print, which the tests say.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time

import routers

COMMAND_TIMEOUT_S = 20


def arguments(router, transport, serializer):
    """The arguments that lead a command to the router."""
    return ["--url", router.url(transport), "--serializer", serializer]


def wampy(*words, stdin=None, environment=None):
    """Run `wampy WORDS` to its end, with more in its environment."""
    return subprocess.run(
        [str(routers.wampy_binary()), *words],
        input=stdin,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=COMMAND_TIMEOUT_S,
        check=False,
    )


def wampy_json(*words, stdin=None, environment=None):
    """Run `wampy WORDS`, which has to succeed, and read the JSON values that it prints."""
    done = wampy(*words, stdin=stdin, environment=environment)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class Running:
    """A command that runs until it is told to end."""

    def __init__(self, process):
        self.process = process
        self._errors = []
        self._changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stderr:
            with self._changed:
                self._errors.append(line)
                self._changed.notify_all()

    def wait_for(self, text):
        """Wait until the command has printed `text` on standard error."""
        deadline = time.monotonic() + COMMAND_TIMEOUT_S
        with self._changed:
            while not any(text in line for line in self._errors):
                waiting = time.monotonic() < deadline and self.process.poll() is None
                assert waiting, f"no {text!r} in {''.join(self._errors)!r}"
                self._changed.wait(0.1)

    def lines(self):
        """Wait for the end of the command; returns the JSON values that it printed."""
        output = self.process.stdout.read()
        assert self.process.wait(COMMAND_TIMEOUT_S) == 0, "".join(self._errors)
        return [json.loads(line) for line in output.splitlines()]


@contextlib.contextmanager
def running(*words):
    """Run `wampy WORDS` beside the test; it is ended with the block."""
    process = subprocess.Popen(
        [str(routers.wampy_binary()), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        yield Running(process)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(COMMAND_TIMEOUT_S)
        process.stdout.close()


@contextlib.contextmanager
def registered(procedure, *words):
    """Run `wampy register PROCEDURE WORDS` and wait until others can call it."""
    with running("register", procedure, *words) as command:
        command.wait_for(f"registered {procedure}")
        yield command


@contextlib.contextmanager
def subscribed(topic, *words):
    """Run `wampy subscribe TOPIC WORDS` and wait until it gets events."""
    with running("subscribe", topic, *words) as command:
        command.wait_for(f"subscribed to {topic}")
        yield command
