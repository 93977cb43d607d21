"""How a client waits for its first connection, and what ``Reconnect`` takes."""

import threading

import pytest
from lossy import FAST

import wampy
from wampy import errors


def test_a_client_may_wait_for_its_router(serve, free_port):
    url = f"ws://127.0.0.1:{free_port}"
    with pytest.raises(errors.ConnectionRefusedError):
        wampy.Client(url=url, reconnect=FAST).start()
    reconnect = wampy.Reconnect(delay_min=0.01, delay_max=0.05, first_connection=True)
    client = wampy.Client(url=url, reconnect=reconnect)
    starting = threading.Thread(target=client.start)
    starting.start()
    serve()
    starting.join(20)
    assert client.session.is_open
    client.stop()


def test_a_first_connection_has_an_end_if_asked_for(free_port):
    reconnect = wampy.Reconnect(0.01, 0.02, attempts_max=3, first_connection=True)
    with pytest.raises(errors.ConnectionRefusedError):
        wampy.Client(url=f"ws://127.0.0.1:{free_port}", reconnect=reconnect).start()


def test_delays_double_up_to_the_longest():
    reconnect = wampy.Reconnect(delay_min=0.1, delay_max=1)
    for attempt, longest in [(1, 0.1), (2, 0.2), (4, 0.8), (5, 1), (10**6, 1)]:
        for _ in range(50):
            assert longest / 2 <= reconnect.delay(attempt) <= longest
    assert repr(reconnect) == (
        "Reconnect(attempts_max=None, delay_max=1, delay_min=0.1, first_connection=False)"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"delay_min": 0},
        {"delay_min": "1"},
        {"delay_max": float("nan")},
        {"delay_max": True},
        {"delay_min": 2, "delay_max": 1},
        {"attempts_max": 0},
        {"attempts_max": 1.5},
    ],
)
def test_nonsense_is_refused(arguments):
    with pytest.raises(errors.ConfigurationError):
        wampy.Reconnect(**arguments)


def test_a_client_refuses_another_reconnect():
    with pytest.raises(errors.ConfigurationError, match="reconnect must be"):
        wampy.Client(reconnect=5)
