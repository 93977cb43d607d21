"""End-to-end encryption, and payloads that the router passes through as they are."""

import contextlib
import socket
import threading

import pytest

import wampy
from wampy import DataKey, errors
from wampy.peers import Client

SECRET = "attack-at-dawn"
KEY = DataKey(bytes(range(32)), id="2026")
#: Another secret under the same name.
WRONG = DataKey(bytes(32), id="2026")


class Tap:
    """Relays between clients and a router, and keeps every byte of both directions."""

    def __init__(self, router):
        self._router = router
        self._seen = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        # RawSocket does not mask its payloads.
        self.url = f"rs://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                router = socket.create_connection(("127.0.0.1", self._router.port))
                for source, target in ((client, router), (router, client)):
                    arguments = (source, target)
                    threading.Thread(target=self._relay, args=arguments, daemon=True).start()

    def _relay(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                self._seen += data
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    def has_seen(self, text):
        return text.encode() in self._seen

    def close(self):
        self._listener.close()


@pytest.fixture
def tap(router):
    tap = Tap(router)
    yield tap
    tap.close()


class Vault(Client):
    @wampy.callee(name="com.vault.echo", details=True)
    def echo(self, *args, details, **kwargs):
        return [list(args), kwargs, details.get("ppt_scheme"), details.get("ppt_cipher")]

    @wampy.callee(name="com.vault.fail")
    def fail(self):
        raise wampy.Error("com.vault.no", SECRET)

    @wampy.callee(name="com.vault.parts", parts=True)
    def in_parts(self, parts):
        yield from parts
        return SECRET


@pytest.mark.parametrize("cipher", ["xsalsa20poly1305", "aes256gcm"])
def test_calls_are_encrypted_with_either_cipher(start, cipher):
    start(Vault, keys=[KEY])
    caller = start(keys=[KEY], cipher=cipher).with_options(encrypt=KEY)
    answer = caller.call("com.vault.echo", SECRET, b"\x00", key={"a": [1]})
    assert answer == [[SECRET, b"\x00"], {"key": {"a": [1]}}, "wamp", cipher]
    with pytest.raises(errors.Error) as caught:
        caller.call("com.vault.fail")
    assert (caught.value.uri, caught.value.args) == ("com.vault.no", (SECRET,))
    assert list(caller.call_progressive("com.vault.parts")) == [SECRET]
    assert list(caller.call_in_parts("com.vault.parts", [1, SECRET])) == [1, SECRET, SECRET]


def test_plain_calls_go_on_beside_encrypted_ones(start):
    start(Vault, keys=[KEY])
    assert start(keys=[KEY]).rpc.com.vault.echo(1) == [[1], {}, None, None]


def test_nobody_on_the_way_sees_the_plaintext(router, tap, make, seen):
    def tapped(cls=Client):
        client = make(cls, router=None, url=tap.url, keys=[KEY])
        client.start()
        return client

    tapped(Vault)
    listener, sender = tapped(), tapped()
    listener.subscribe("com.secret", lambda *args, meta: seen.add((*args, meta["ppt_scheme"])))
    sealed = sender.with_options(encrypt="2026")
    sealed.publish("com.secret", SECRET)
    assert seen.take(1) == [(SECRET, "wamp")]
    assert sealed.rpc["com.vault.echo"](SECRET, word=SECRET)[0] == [SECRET]
    with pytest.raises(errors.Error, match=SECRET):
        sealed.call("com.vault.fail")
    assert list(sealed.call_in_parts("com.vault.parts", [SECRET])) == [SECRET, SECRET]
    assert tap.has_seen("com.vault.parts")
    assert not tap.has_seen(SECRET)

    # The same without encryption: the tap does see.
    assert sender.rpc.com.vault.echo(SECRET)[0] == [SECRET]
    assert tap.has_seen(SECRET)


def test_listeners_without_the_key_get_nothing(start, seen):
    listeners = {"key": start(keys=[KEY]), "wrong": start(keys=[WRONG]), "none": start()}
    for name, client in listeners.items():
        handler = lambda *args, name=name, **_: seen.add((name, *args))  # noqa: E731
        client.subscribe("com.secret", handler)
    publisher = start(keys=[KEY])
    publisher.publish("com.secret", SECRET, options={"encrypt": KEY})
    publisher.publish("com.secret", "plain")
    heard = set(seen.take(4))
    plain = {(name, "plain") for name in listeners}
    assert heard == {("key", SECRET), *plain}
    undecryptable = {name: client.events_undecryptable for name, client in listeners.items()}
    assert undecryptable == {"key": 0, "wrong": 1, "none": 1}


@pytest.mark.parametrize(
    ("keys", "problem"),
    [([], 'there is no key "2026"'), ([WRONG], 'the key "2026" does not open')],
    ids=["none", "wrong"],
)
def test_a_callee_without_the_key_says_so(start, keys, problem):
    start(Vault, keys=keys)
    caller = start(keys=[KEY]).with_options(encrypt=KEY)
    with pytest.raises(errors.DecryptionError, match=problem) as caught:
        caller.rpc.com.vault.echo(SECRET)
    assert isinstance(caught.value, errors.Error)
    assert caught.value.uri == "wampy.error.decryption_failed"


def test_a_plain_answer_to_an_encrypted_call_is_an_error(start):
    """The router's own procedures cannot encrypt: their answers might be anybody's."""
    caller = start(keys=[KEY]).with_options(encrypt=KEY)
    with pytest.raises(errors.WampyError):
        caller.call("wamp.session.count")


def test_a_key_that_the_client_has_not_is_named(start):
    client = start(keys=[KEY])
    with pytest.raises(errors.ConfigurationError, match='there is no key "2025"'):
        client.with_options(encrypt="2025").call("com.vault.echo")
    with pytest.raises(errors.ConfigurationError, match="there is no key"):
        client.publish("com.secret", options={"encrypt": DataKey.generate("other")})


@pytest.mark.parametrize("key", [3, True, b"2026"], ids=repr)
def test_encrypt_is_a_key_or_its_name(start, key):
    with pytest.raises(errors.ConfigurationError, match="encrypt must be"):
        start(keys=[KEY]).with_options(encrypt=key).call("com.vault.echo")


def test_a_cipher_that_is_none(make):
    with pytest.raises(errors.ConfigurationError, match="rot13"):
        make(keys=[KEY], cipher="rot13").start()


def test_what_other_schemes_pass_through_arrives_as_it_is(start, seen):
    scheme = {"ppt_scheme": "x_mine", "ppt_serializer": "native", "ppt_keyid": "k"}
    start(Vault)
    listener = start()
    listener.subscribe("com.raw", lambda *args, meta: seen.add((args, meta)))
    publisher = start()
    publisher.publish("com.raw", b"\x00raw", options=scheme)
    [(args, meta)] = seen.take(1)
    assert args == (b"\x00raw",)
    assert scheme.items() <= meta.items()
    answer = publisher.with_options(**scheme).call("com.vault.echo", b"raw")
    assert answer == [[b"raw"], {}, "x_mine", None]


# Keys


def test_a_key_is_called_by_its_public_key_unless_it_has_a_name():
    # The same vector as in the Rust tests, made with libsodium and eth_utils.
    assert DataKey(bytes(range(32))).id == "0xE583fB770fa27DbbeD209C20404E075E68c4F0c9"
    assert DataKey(bytes(range(32)).hex()) == DataKey(bytes(range(32)))
    assert DataKey(bytes(32)) != DataKey(bytes(range(32)))
    assert DataKey.generate() != DataKey.generate()


def test_a_key_does_not_show_its_secret():
    assert repr(KEY) == str(KEY) == "DataKey(id='2026')"


@pytest.mark.parametrize("secret", [b"short", "zz", "00", bytes(33), 32, None], ids=repr)
def test_what_is_no_key_is_refused(secret):
    with pytest.raises(errors.ConfigurationError, match="key"):
        DataKey(secret)
