"""Who a client is: every authentication method, against a router that is configured for it."""

import base64
import hashlib
import hmac
import subprocess
import sys

import pytest
from certificates import make_certificate

import wampy
from wampy.auth import Cryptosign, Scram, Ticket, WampCra, compute_wcs
from wampy.errors import ConfigurationError, WelcomeAbortedError
from wampy.testing import CollectingMessageHandler

#: The first key pair of the specification's test vectors.
PRIVATE_KEY = "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510"
PUBLIC_KEY = "1adfc8bfe1d35616e64dffbd900096f23b066f914c8c2ffbb66f6075b96e116d"

CONFIG = f"""
listen = ["127.0.0.1:0"]

[[realms]]
name = "realm1"

[[realms.roles]]
name = "user"
permissions = [
    {{ uri = "", match = "prefix", allow = {{ call = true, register = true }} }},
]

[realms.authentication]
methods = ["ticket", "wampcra", "wamp-scram", "cryptosign"]
router_key_file = "router.key"

[[realms.authentication.users]]
authid = "tim"
role = "user"
ticket = "t1cket"

[[realms.authentication.users]]
authid = "cora"
role = "user"
wampcra = {{ secret = "cr4" }}

[[realms.authentication.users]]
authid = "peter"
role = "user"
wampcra = {{ secret = "salted-secret", salt = "salt123", iterations = 100, keylen = 16 }}

[[realms.authentication.users]]
authid = "kim"
role = "user"
cryptosign = ["{PUBLIC_KEY}"]

[[realms.authentication.users]]
authid = "both"
role = "user"
wampcra = {{ secret = "cr4" }}
ticket = "123456"
second_factor = "ticket"

[[realms.authentication.users]]
authid = "sam"
role = "user"
"""


@pytest.fixture(scope="module")
def configured(tmp_path_factory):
    """A router with users for each method."""
    folder = tmp_path_factory.mktemp("auth")
    hashed = subprocess.run(
        [sys.executable, "-m", "wampy", "hash-secret", "--kdf", "pbkdf2", "--iterations", "4096"],
        input="scr4m",
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    (folder / "router.key").write_text(PRIVATE_KEY)
    (folder / "wampy.toml").write_text(CONFIG + hashed.stdout)
    with wampy.Router(config=folder / "wampy.toml") as router:
        yield router


WAYS = {
    "ticket": (Ticket("tim", "t1cket"), "tim"),
    "wampcra": (WampCra("cora", secret="cr4"), "cora"),
    "wamp-scram": (Scram("sam", password="scr4m"), "sam"),
    "cryptosign": (Cryptosign(key=PRIVATE_KEY), "kim"),
}


@pytest.mark.parametrize("method", WAYS)
def test_every_method_lets_its_user_in(configured, method):
    auth, authid = WAYS[method]
    with wampy.Client(router=configured, auth=auth) as client:
        me = client.rpc.wamp.session.get(client.session.id)
    assert (me["authid"], me["authmethod"], me["authrole"]) == (authid, method, "user")


@pytest.mark.parametrize(
    "auth",
    [
        Ticket("tim", "other"),
        WampCra("cora", secret="other"),
        Scram("sam", password="other"),
        Cryptosign(key="00" * 32),
        Ticket("nobody", "t1cket"),
    ],
    ids=lambda auth: type(auth).__name__,
)
def test_a_wrong_secret_is_refused_with_the_reason(configured, auth):
    with pytest.raises(WelcomeAbortedError) as refused:
        wampy.Client(router=configured, auth=auth).start()
    assert refused.value.uri.startswith("wamp.error.")
    assert "t1cket" not in str(refused.value)


def test_two_factors(configured):
    both = [WampCra("both", secret="cr4"), Ticket("both", "123456")]
    with wampy.Client(router=configured, auth=both) as client:
        assert client.rpc.wamp.session.get(client.session.id)["authid"] == "both"
    with pytest.raises(WelcomeAbortedError):
        wampy.Client(router=configured, auth=[both[0], Ticket("both", "000000")]).start()


def test_the_router_may_have_to_prove_itself_too(configured):
    auth = Cryptosign(key=PRIVATE_KEY, router_key=PUBLIC_KEY)
    with wampy.Client(router=configured, auth=auth) as client:
        assert client.session.is_open
    imposter = Cryptosign(key=PRIVATE_KEY, router_key="11" * 32)
    with pytest.raises(wampy.WampyError, match="router"):
        wampy.Client(router=configured, auth=imposter).start()


def test_a_key_may_stand_in_a_file(configured, tmp_path):
    path = tmp_path / "client.key"
    path.write_text(PRIVATE_KEY + "\n")
    with wampy.Client(router=configured, auth=Cryptosign(key_path=path)) as client:
        assert client.session.is_open
    with pytest.raises(ConfigurationError, match=r"missing\.key"):
        wampy.Client(router=configured, auth=Cryptosign(key_path="missing.key")).start()


@pytest.mark.parametrize("method", ["ticket", "wampcra", "wamp-scram"])
def test_roles_and_the_environment_as_in_wampy_1(configured, monkeypatch, method):
    auth, authid = WAYS[method]
    monkeypatch.setenv("WAMPYSECRET", auth.proof().secret)
    roles = {"roles": {"caller": {}}, "authmethods": [method], "authid": authid}
    with wampy.Client(router=configured, roles=roles) as client:
        assert client.rpc.wamp.session.get(client.session.id)["authid"] == authid


@pytest.mark.parametrize("method", ["wamp-scram", "cryptosign"])
def test_a_method_without_its_secret_is_said_before_connecting(monkeypatch, method):
    monkeypatch.delenv("WAMPYSECRET", raising=False)
    roles = {"authmethods": [method], "authid": "cora"}
    with pytest.raises(ConfigurationError, match=f"{method} .*WAMPYSECRET"):
        wampy.Client(url="ws://localhost:1", roles=roles).start()


@pytest.mark.parametrize("method", ["ticket", "wampcra"])
def test_a_secret_is_missed_when_the_router_asks_for_it(configured, monkeypatch, method):
    monkeypatch.delenv("WAMPYSECRET", raising=False)
    roles = {"authmethods": [method], "authid": WAYS[method][1]}
    with pytest.raises(ConfigurationError, match=f"{method} .*WAMPYSECRET"):
        wampy.Client(router=configured, roles=roles).start()


def test_a_salted_secret_in_the_environment(configured, monkeypatch):
    monkeypatch.setenv("WAMPYSECRET", "salted-secret")
    roles = {"authmethods": ["wampcra"], "authid": "peter"}
    with wampy.Client(router=configured, roles=roles) as client:
        assert client.rpc.wamp.session.get(client.session.id)["authid"] == "peter"


def test_a_message_handler_sees_challenges(configured, monkeypatch):
    monkeypatch.setenv("WAMPYSECRET", "t1cket")
    roles = {"authmethods": ["ticket"], "authid": "tim"}
    arguments = {"router": configured, "message_handler_cls": CollectingMessageHandler}
    client = wampy.Client(roles=roles, **arguments)
    with client:
        assert [code for code, *_ in client.message_handler.messages_received] == [4, 2]
    assert client.message_handler.messages_received[0][:2] == [4, "ticket"]
    both = [WampCra("both", secret="cr4"), Ticket("both", "000000")]
    refused = wampy.Client(auth=both, **arguments)
    with pytest.raises(WelcomeAbortedError) as caught:
        refused.start()
    first, second, abort = refused.message_handler.messages_received
    assert [first[:2], second[:2]] == [[4, "wampcra"], [4, "ticket"]]
    assert abort[0] == 3
    assert abort[2] == caught.value.uri


def test_anonymous_clients_are_not_let_in_where_nobody_said_so(configured):
    with pytest.raises(WelcomeAbortedError) as refused:
        wampy.Client(router=configured).start()
    assert refused.value.uri == "wamp.error.authentication_required"


def test_what_a_role_may_not_do_is_refused(configured):
    with (
        wampy.Client(router=configured, auth=WAYS["ticket"][0]) as client,
        pytest.raises(wampy.Error) as refused,
    ):
        client.publish(topic="com.example.news", message="x", options={"acknowledge": True})
    assert refused.value.uri == "wamp.error.not_authorized"


@pytest.mark.parametrize("auth", ["secret", Ticket, 5])
def test_what_proves_nothing_is_named(auth):
    with pytest.raises(ConfigurationError, match=r"wampy\.auth"):
        wampy.Client(url="ws://localhost:1", auth=auth).start()


def test_secrets_do_not_show():
    for auth, _ in WAYS.values():
        assert not any(secret in repr(auth) for secret in ("t1cket", "cr4", "scr4m", PRIVATE_KEY))


def test_a_key_is_needed_once():
    for arguments in ({}, {"key": PRIVATE_KEY, "key_path": "client.key"}):
        with pytest.raises(ConfigurationError):
            Cryptosign(**arguments)


def test_compute_wcs_signs_as_wampy_1_did():
    signed = base64.b64encode(hmac.new(b"secret", b"challenge", hashlib.sha256).digest())
    assert compute_wcs("secret", "challenge") == signed


TLS_CONFIG = f"""
listen = ["127.0.0.1:0"]

[tls]
certificate = "cert.pem"
key = "key.pem"
client_authorities = "cert.pem"

[[realms]]
name = "realm1"

[realms.authentication]
methods = ["tls", "cryptosign"]

[[realms.authentication.users]]
authid = "kim"
role = "user"
cryptosign = ["{PUBLIC_KEY}"]

[[realms.authentication.users]]
authid = "cert"
role = "user"
certificate_name = ["localhost"]
"""


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory):
    """A router that speaks TLS, and the folder of its certificate, which is also a client's."""
    folder = tmp_path_factory.mktemp("tls")
    make_certificate(folder, "DNS:localhost,IP:127.0.0.1")
    (folder / "wampy.toml").write_text(TLS_CONFIG)
    with wampy.Router(config=folder / "wampy.toml") as router:
        yield router, folder


def test_proofs_are_bound_to_their_connection(encrypted):
    router, folder = encrypted
    auth = Cryptosign(key=PRIVATE_KEY, channel_binding=True)
    with wampy.Client(router=router, auth=auth, cert_path=str(folder / "cert.pem")) as client:
        assert client.rpc.wamp.session.get(client.session.id)["authid"] == "kim"


def test_a_binding_needs_a_connection_that_has_one(configured):
    auth = Cryptosign(key=PRIVATE_KEY, channel_binding=True)
    with pytest.raises(wampy.WampyError, match="TLS"):
        wampy.Client(router=configured, auth=auth).start()


def test_a_certificate_is_an_identity(encrypted):
    router, folder = encrypted
    cert, key = str(folder / "cert.pem"), str(folder / "key.pem")
    with wampy.Client(router=router, cert_path=cert, certificate=(cert, key)) as client:
        me = client.rpc.wamp.session.get(client.session.id)
    assert (me["authid"], me["authmethod"]) == ("cert", "tls")
