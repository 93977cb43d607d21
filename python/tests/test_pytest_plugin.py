"""The pytest plugin, in suites of its users: each runs in a pytest of its own."""

import json
import os
import socket

import pytest

pytest_plugins = "pytester"


@pytest.fixture
def suite(pytester):
    """Run a suite with the given test module; returns pytest's result."""

    def run(text, *arguments, conftest=""):
        pytester.makeconftest(conftest)
        pytester.makepyfile(text)
        return pytester.runpytest_subprocess(*arguments)

    return run


def test_a_router_and_a_client_for_each_test(suite):
    done = suite(
        """
        import wampy

        seen = []

        class Service(wampy.Client):
            @wampy.callee
            def double(self, n):
                return 2 * n

        def check(router, url, client):
            assert router.url == url and url != "ws://localhost:8080"
            seen.append((router, client.session.id))
            with Service(url=url):
                assert client.rpc.double(4) == 8

        def test_first(router, url, client):
            check(router, url, client)

        def test_second(client, url, router):
            check(router, url, client)
            first, _ = seen[0]
            assert first is not router and not first.is_running

        def test_only_the_url(url):
            with wampy.Client(url=url) as client:
                assert client.call("wamp.session.count") == 1

        def test_only_a_client(client):
            assert client.call("wamp.session.count") == 1
            assert client.session.realm == "realm1"
        """
    )
    done.assert_outcomes(passed=4)
    assert "Warning" not in done.stdout.str()


def test_a_suite_that_uses_nothing_loads_nothing(suite):
    done = suite(
        """
        import logging, sys, threading

        def test_nothing():
            ours = {name for name in sys.modules if name.partition(".")[0] in {"wampy", "gevent"}}
            assert ours == {"wampy", "wampy.testing", "wampy.testing.pytest_plugin"}
            assert threading.active_count() == 1
            assert not logging.getLogger("wampy").handlers
        """,
        "-p",
        "no:logging",
    )
    done.assert_outcomes(passed=1)


def test_without_the_plugin(suite):
    done = suite("def test(router): pass", "-p", "no:pytest_wampy")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*fixture 'router' not found*"])


def test_it_adds_no_options(suite):
    assert "wampy" not in suite("", "--help").stdout.str()


LOGGING = """
import logging

def test_it():
    logging.getLogger("shop").debug("%s is sold", "tea")
"""


@pytest.mark.parametrize("options", [["--logging-level=DEBUG"], ["--logging-level", "DEBUG"]])
def test_the_options_of_wampy_1_are_those_of_pytest(suite, pytester, options):
    done = suite(LOGGING, *options)
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["*live log call*", "DEBUG *shop:*tea is sold"])
    assert "tea" not in suite(LOGGING, "--logging-level=INFO").stdout.str()
    assert not (pytester.path / "test-runner-log.log").exists()
    suite(LOGGING, "--file-logging=True").assert_outcomes(passed=1)
    suite(LOGGING, "--file-logging", "True").assert_outcomes(passed=1)
    assert (pytester.path / "test-runner-log.log").read_text().count("tea is sold") == 2


def test_the_options_of_wampy_1_by_the_configuration(suite, pytester):
    pytester.makeini("[pytest]\naddopts = --logging-level=DEBUG --file-logging=False")
    done = suite(LOGGING)
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["DEBUG *shop:*tea is sold"])
    assert not (pytester.path / "test-runner-log.log").exists()


def test_a_wrong_level_is_a_mistake_in_words(suite):
    done = suite(LOGGING, "--logging-level=LOUD")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*'LOUD' is not recognized as a logging level name*"])


def test_options_of_the_suite_with_these_names_are_meant(suite):
    conftest = """
def pytest_addoption(parser):
    parser.addoption("--logging-level", type=int)
    parser.addoption("--file-logging", action="store_true")
"""
    text = """
def test_it(pytestconfig):
    assert pytestconfig.getoption("logging_level") == 7
    assert pytestconfig.getoption("file_logging")
"""
    suite(text, "--logging-level=7", "--file-logging", conftest=conftest).assert_outcomes(passed=1)


@pytest.mark.parametrize("earlier", [True, False])
def test_the_fixtures_of_other_plugins_are_those_meant(suite, pytester, earlier):
    """As pytest-django and pytest-flask have a `client`."""
    pytester.makepyfile(
        other_plugin="""
        import pytest

        @pytest.fixture
        def client():
            yield "theirs"
        """
    )
    text = """
        def test_theirs(client):
            assert client == "theirs"
            import sys
            assert "wampy._wampy" not in sys.modules

        def test_ours(router):
            assert router.is_running
        """
    # A plugin of the command line comes before those of entry points, one of a conftest after.
    arguments = ["-p", "other_plugin"] if earlier else []
    conftest = "" if earlier else "pytest_plugins = 'other_plugin'"
    suite(text, *arguments, conftest=conftest).assert_outcomes(passed=2)


def test_a_configuration_of_ours(suite, pytester):
    pytester.makefile(
        ".toml",
        wampy="""
        listen = ["localhost:0"]

        [[realms]]
        name = "com.shop"
        """,
    )
    done = suite(
        """
        import pytest

        @pytest.fixture
        def config_path(request):
            return request.config.rootpath / "wampy.toml"

        def test_realm(router, client):
            assert router.realms == ["com.shop"]
            assert client.realm == "com.shop" and client.session.is_open
        """
    )
    done.assert_outcomes(passed=1)


def test_a_node_configuration_of_crossbar(suite, pytester):
    """As the suites of wampy 1 have it: the router listens where its configuration says."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    everything = {action: True for action in ("call", "register", "publish", "subscribe")}
    permission = {"uri": "", "match": "prefix", "allow": everything}
    endpoint = {"type": "tcp", "port": port, "interface": "127.0.0.1"}
    router = {
        "type": "router",
        "realms": [
            {"name": "realm1", "roles": [{"name": "anonymous", "permissions": [permission]}]}
        ],
        "transports": [{"type": "websocket", "endpoint": endpoint}],
    }
    config = json.dumps({"version": 2, "workers": [router]})
    pytester.makefile(".json", crossbar=config)
    done = suite(
        f"""
        import pytest

        @pytest.fixture
        def config_path(request):
            return str(request.config.rootpath / "crossbar.json")

        @pytest.mark.parametrize("again", [1, 2])
        def test_there(router, url, client, again):
            assert router.url == url == "ws://localhost:{port}"
            assert type(router).__name__ == "Crossbar" and router.started
            assert client.call("wamp.session.count") == 1
        """
    )
    done.assert_outcomes(passed=2)


def test_a_configuration_of_crossbar(suite, pytester):
    pytester.makefile(
        ".json",
        config="""
        {"version": 2, "workers": [{"type": "router",
            "realms": [{"name": "com.shop", "roles": [{"name": "anonymous", "permissions": [
                {"uri": "*", "allow": {"call": true}}]}]}],
            "transports": [{"type": "websocket",
                "endpoint": {"type": "tcp", "port": "$TEST_PORT", "interface": "127.0.0.1"}}]}]}
        """,
    )
    done = suite(
        """
        import os, socket, pytest

        @pytest.fixture
        def config_path(request):
            return request.config.rootpath / "config.json"

        @pytest.fixture
        def url(monkeypatch):
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            monkeypatch.setenv("TEST_PORT", str(port))
            return f"ws://127.0.0.1:{port}"

        def test_realm(router, client):
            assert type(router).__name__ == "Crossbar" and router.started
            assert client.realm == "com.shop" and client.session.is_open
        """
    )
    done.assert_outcomes(passed=1)


def test_an_url_of_the_suite(suite):
    done = suite(
        """
        import socket, pytest

        @pytest.fixture
        def url():
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            return f"ws://127.0.0.1:{port}"

        def test_there(router, url, client):
            assert router.url == client.url == url

        @pytest.mark.parametrize("url", ["wss://localhost:8443"])
        def test_not_there(url, router):
            pass
        """
    )
    done.assert_outcomes(passed=1, errors=1)
    done.stdout.fnmatch_lines(["*cannot listen: override config_path, too"])


def test_connections_and_sessions_by_hand(suite):
    done = suite(
        """
        import wampy

        def test_connection(connection, router):
            assert connection.connected and connection.url == router.url
            assert connection.status == 101
            assert connection.headers["upgrade"].lower() == "websocket"

        def test_sessions(session_maker, router):
            session = session_maker(wampy.Client(router=router))
            assert session.id is None
            session.begin()
            assert session.call("wamp.session.count") == 1
        """
    )
    done.assert_outcomes(passed=2)


def test_what_the_suite_leaves_open_is_closed(suite):
    done = suite(
        """
        import wampy

        def test_open(router):
            wampy.Client(router=router).start()

        def test_fails(client):
            assert client.call("com.nobody") == 1
        """
    )
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*ProcedureNotFoundError*com.nobody*"])


@pytest.mark.skipif("WAMPY_ONLY_THE_WHEEL" in os.environ, reason="needs pytest-xdist")
def test_side_by_side(suite):
    done = suite(
        """
        import pytest

        @pytest.mark.parametrize("number", range(8))
        def test_alone(number, client):
            assert client.call("wamp.session.count") == 1
        """,
        "-n",
        "2",
    )
    done.assert_outcomes(passed=8)
