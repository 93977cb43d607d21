"""A connection that can be lost on purpose, and a client's patience with that."""

import contextlib
import socket
import threading

import wampy

FAST = wampy.Reconnect(delay_min=0.01, delay_max=0.1)


class Proxy:
    """A TCP proxy whose connections can be cut on the side of the client, or on both."""

    def __init__(self, target):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs = []
        self._open = threading.Event()
        self._open.set()
        self.url = f"ws://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self._open.is_set():
                client.close()
                continue
            server = socket.create_connection(("127.0.0.1", self._target))
            self._pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)

    def cut(self, router_too=True):
        """Cut all connections; the router's side only if asked for."""
        for client, server in self._pairs:
            for end in (client, server)[: 2 if router_too else 1]:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        if router_too:
            self._pairs.clear()

    def refuse(self):
        """Cut, and let nobody through."""
        self._open.clear()
        self.cut()

    def admit(self):
        """Let everybody through again."""
        self._open.set()

    def close(self):
        """Let nothing listen any more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
