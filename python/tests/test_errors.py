"""The exceptions: one root, what they carry, and how failures become them."""

import builtins
import copy
import pickle

import pytest

import wampy
from wampy import errors, exceptions


@pytest.mark.parametrize("name", errors.__all__)
def test_every_exception_derives_from_wampy_error(name):
    assert issubclass(getattr(errors, name), errors.WampyError)


@pytest.mark.parametrize("name", errors.__all__)
def test_exceptions_of_2016_live_in_wampy_exceptions_too(name):
    assert getattr(exceptions, name) is getattr(errors, name)


def test_every_exception_carries_the_five_attributes():
    error = errors.WampyError("something")
    assert (error.uri, error.args, error.kwargs) == (None, ("something",), {})
    assert (error.procedure, error.request_id) == (None, None)


def test_error_keeps_its_uri_and_arguments():
    error = wampy.Error("com.shop.sold_out", 3, article="tea")
    assert error.uri == "com.shop.sold_out"
    assert error.args == (3,)
    assert error.kwargs == {"article": "tea"}
    assert repr(error) == "Error('com.shop.sold_out', 3, article='tea')"
    assert str(error) == "com.shop.sold_out: 3, article='tea'"


def test_error_survives_pickling():
    error = errors.remote("com.shop.sold_out", [3], {"article": "tea"}, "com.shop.buy", 7)
    twin = pickle.loads(pickle.dumps(error))
    assert type(twin) is errors.Error
    assert (twin.uri, twin.args, twin.kwargs) == (error.uri, error.args, error.kwargs)
    assert (twin.procedure, twin.request_id) == ("com.shop.buy", 7)


class SoldOut(wampy.Error):
    """As programs write it: made of something else than a URI."""

    def __init__(self, article, *, left):
        super().__init__("com.shop.sold_out", article, left=left)
        self.article = article


@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))]
)
def test_an_error_of_a_programs_own_class_survives_pickling(copied):
    twin = copied(SoldOut("tea", left=0))
    assert type(twin) is SoldOut
    assert (twin.uri, twin.args, twin.kwargs) == ("com.shop.sold_out", ("tea",), {"left": 0})
    assert twin.article == "tea"


@pytest.mark.parametrize("uri", ["", None, 7])
def test_error_needs_a_uri(uri):
    with pytest.raises(errors.ConfigurationError, match="URI"):
        wampy.Error(uri)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("wamp.error.no_such_procedure", errors.ProcedureNotFoundError),
        ("wamp.error.procedure_already_exists", errors.ProcedureAlreadyExistsError),
        ("wamp.error.not_authorized", errors.NotAuthorisedError),
        ("wamp.error.canceled", errors.CanceledError),
        ("wamp.error.timeout", errors.WampyTimeOutError),
        ("com.shop.sold_out", errors.Error),
        ("", errors.Error),
    ],
)
def test_well_known_uris_have_classes_of_their_own(uri, expected):
    error = errors.remote(uri, ["why"], {"a": 1}, "com.shop.buy", 7)
    assert isinstance(error, expected)
    assert isinstance(error, errors.Error)
    assert (error.args, error.kwargs) == (("why",), {"a": 1})
    assert (error.procedure, error.request_id) == ("com.shop.buy", 7)


def test_a_missing_procedure_is_an_attribute_error_as_in_2016():
    assert issubclass(errors.ProcedureNotFoundError, AttributeError)


@pytest.mark.parametrize(
    ("kind", "expected", "builtin"),
    [
        ("configuration", errors.ConfigurationError, ValueError),
        ("serialization", errors.SerializationError, TypeError),
        ("overflow", errors.NumberTooLargeError, OverflowError),
        ("connection", errors.ConnectionError, builtins.ConnectionError),
        ("refused", errors.ConnectionRefusedError, builtins.ConnectionRefusedError),
        ("session", errors.SessionError, Exception),
        ("aborted", errors.WelcomeAbortedError, Exception),
        ("protocol", errors.WampProtocolError, Exception),
        ("timeout", errors.WampyTimeOutError, TimeoutError),
        ("from a newer extension", errors.WampyError, Exception),
    ],
)
def test_failures_are_of_the_builtin_class_that_people_expect(kind, expected, builtin):
    error = errors.failure(kind, "it went wrong", "wamp.error.x", "com.shop.buy")
    assert type(error) is expected
    assert isinstance(error, builtin)
    assert str(error) == "it went wrong"
    assert (error.uri, error.procedure) == ("wamp.error.x", "com.shop.buy")


def test_a_remote_exception_reads_well():
    error = errors.remote(
        "get_date", [], {"exc_type": "ValueError", "message": "no date", "call_args": []}
    )
    assert str(error) == "get_date: ValueError: no date"


def test_not_authorised_says_so():
    error = errors.remote("wamp.error.not_authorized", ["no"], procedure="com.shop.buy")
    assert str(error).startswith("NOT_AUTHORISED: com.shop.buy")
