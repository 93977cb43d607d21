"""``wampy.Result`` and the exceptions that go over the wire: both ways, with real routers."""

import pickle
import sys

import pytest

import wampy
from wampy import definitions, errors
from wampy.peers import Client
from wampy.roles.callee import callee


@wampy.define("com.shop.error.sold_out")
class SoldOut(Exception):
    """Its ``__init__`` wants other arguments than those that an ERROR has."""

    def __init__(self, article, *, left):
        super().__init__(f"{article} is sold out")
        self.article = article
        self.left = left
        self._secret = "not told"


class SoldOutForever(SoldOut):
    """Has no definition of its own."""


class Broken(KeyError):
    """Defined by a call."""


wampy.define(Broken, "com.shop.error.broken")


@wampy.define("com.shop.error.late")
class Late(wampy.Error):
    """An error of wampy with arguments of its own."""

    def __init__(self, days):
        super().__init__("com.shop.error.late", days)


class Shop(Client):
    @callee
    def size(self):
        return wampy.Result(3, 4, unit="cm")

    @callee
    def names(self):
        return wampy.Result(first="Ada", self="myself", args=1)

    @callee
    def one(self):
        return wampy.Result(5)

    @callee
    def nothing(self):
        return wampy.Result()

    @callee
    def sizes(self):
        yield wampy.Result(1, 2)
        return wampy.Result(3, unit="cm")

    @callee
    def refuse(self, how):
        raise {
            "sold out": SoldOut("tea", left=0),
            "forever": SoldOutForever("tea", left=0),
            "broken": Broken("spout", 3),
            "late": Late(3),
            "error": wampy.Error("com.shop.error.other", 1, article="tea"),
        }[how]

    @callee(name="com.shop.fail")
    def fail(self, n):
        raise ValueError(f"no {n}")

    @callee(name="com.shop.fail.openly", traceback=True)
    def fail_openly(self, n):
        self.fail(n)


def test_several_values_and_keywords_arrive_as_a_result(start):
    start(Shop)
    caller = start()
    size = caller.rpc.size()
    assert size == wampy.Result(3, 4, unit="cm")
    width, height = size
    assert (width, height, size["unit"], size[1], len(size)) == (3, 4, "cm", 4, 2)
    assert (size.args, size.kwargs) == ((3, 4), {"unit": "cm"})
    assert repr(size) == "Result(3, 4, unit='cm')"
    names = caller.rpc.names()
    assert names.kwargs == {"first": "Ada", "self": "myself", "args": 1}
    assert names["self"] == "myself"


def test_one_value_is_that_value_and_none_is_none(start):
    start(Shop)
    caller = start()
    assert caller.rpc.one() == 5
    assert caller.rpc.nothing() is None


def test_parts_of_results_may_have_several_values(start):
    start(Shop)
    parts = list(start().call_progressive("sizes"))
    assert parts == [wampy.Result(1, 2), wampy.Result(3, unit="cm")]


def test_results_compare_and_count_as_true_by_what_they_have():
    assert wampy.Result(1) != wampy.Result(2)
    assert wampy.Result(1) != (1,)
    assert wampy.Result(a=1)
    assert not wampy.Result()
    with pytest.raises(KeyError):
        wampy.Result()["a"]
    with pytest.raises(IndexError):
        wampy.Result()[0]


def test_a_defined_exception_is_raised_at_the_caller(start, caplog):
    start(Shop)
    caller = start()
    for how in ("sold out", "forever"):
        with pytest.raises(SoldOut) as caught:
            caller.rpc.refuse(how)
        error = caught.value
        assert isinstance(error, wampy.Error)
        assert error.uri == "com.shop.error.sold_out"
        assert error.args == ("tea is sold out",)
        assert (error.article, error.left) == ("tea", 0)
        assert error.kwargs == {"article": "tea", "left": 0}
        assert error.procedure == "refuse"
        assert not hasattr(error, "_secret")
        assert str(error).startswith("refuse: com.shop.error.sold_out: tea is sold out")
        assert type(error).__name__ == "SoldOut"
    assert not caplog.records


def test_a_class_defined_by_a_call_keeps_its_builtin_base(start):
    start(Shop)
    with pytest.raises(Broken) as caught:
        start().rpc.refuse("broken")
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, wampy.Error)
    assert caught.value.args == ("spout", 3)


def test_errors_of_wampy_can_be_defined_and_need_not_be(start):
    start(Shop)
    caller = start()
    with pytest.raises(Late) as caught:
        caller.rpc.refuse("late")
    assert type(caught.value) is Late
    assert caught.value.args == (3,)
    with pytest.raises(wampy.Error) as caught:
        caller.rpc.refuse("error")
    assert type(caught.value) is wampy.Error
    assert (caught.value.uri, caught.value.args) == ("com.shop.error.other", (1,))
    assert caught.value.kwargs == {"article": "tea"}


def test_a_defined_exception_survives_pickling():
    error = errors.remote("com.shop.error.sold_out", ["gone"], {"left": 3}, "com.buy", 7)
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, SoldOut)
    assert (copy.uri, copy.args, copy.left) == (error.uri, ("gone",), 3)
    assert (copy.procedure, copy.request_id) == ("com.buy", 7)


def test_a_peer_cannot_set_what_an_error_is_made_of():
    keywords = {"uri": "x", "procedure": "x", "message": "m", "with_traceback": 1, "left": 3}
    error = errors.remote("com.shop.error.sold_out", [], keywords, "com.buy", 7)
    assert (error.uri, error.procedure, error.message) == (
        "com.shop.error.sold_out",
        "com.buy",
        "m",
    )
    assert callable(error.with_traceback)
    assert error.left == 3


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((int, "com.x"), "exception class"),
        ((KeyboardInterrupt, "com.x"), "exception class"),
        ((Exception("x"), "com.x"), "exception class"),
        ((ValueError, ""), "URI"),
        ((ValueError, 7), "URI"),
        ((SoldOut, "com.shop.error.elsewhere"), "already"),
        ((ValueError, "com.shop.error.sold_out"), "already"),
        ((ValueError, "wamp.error.no_such_procedure"), "already"),
    ],
)
def test_definitions_that_make_no_sense_are_refused(arguments, problem):
    with pytest.raises(errors.ConfigurationError, match=problem):
        wampy.define(*arguments)
    assert definitions.uri_of(ValueError()) is None


def test_a_module_may_be_loaded_again():
    assert wampy.define(SoldOut, "com.shop.error.sold_out") is SoldOut
    again = type("SoldOut", (Exception,), {"__module__": SoldOut.__module__})
    wampy.define(again, "com.shop.error.sold_out")
    assert isinstance(errors.remote("com.shop.error.sold_out"), again)
    definitions._URIS.pop(again)
    wampy.define(SoldOut, "com.shop.error.sold_out")


def test_callers_see_no_traceback_unless_the_callee_allows_it(start):
    start(Shop)
    caller = start()
    with pytest.raises(wampy.Error) as caught:
        caller.call("com.shop.fail", 3)
    error = caught.value
    assert error.remote_traceback is None
    assert "traceback" not in error.kwargs
    assert (error.remote_type, error.message) == ("ValueError", "no 3")
    assert str(error) == "com.shop.fail: ValueError: no 3"
    assert not getattr(error, "__notes__", [])


def test_a_callee_may_tell_its_traceback(start):
    start(Shop)
    with pytest.raises(wampy.Error) as caught:
        start().call("com.shop.fail.openly", 3)
    error = caught.value
    assert "in fail_openly" in error.remote_traceback
    assert "wampy/message_handler" not in error.remote_traceback
    assert error.remote_traceback.rstrip().endswith("ValueError: no 3")
    assert "Traceback" not in str(error)
    if sys.version_info >= (3, 11):
        assert "in fail_openly" in error.__notes__[0]


def test_a_client_may_tell_all_its_tracebacks_and_register_may_tell_one(start):
    start(Shop, tracebacks=True)
    service = start()

    def late():
        raise RuntimeError("late")

    service.register(late, "com.late", traceback=True)
    caller = start()
    for procedure in ("com.shop.fail", "com.late"):
        with pytest.raises(wampy.Error) as caught:
            caller.call(procedure, *([3] if procedure == "com.shop.fail" else []))
        assert "Traceback" in caught.value.remote_traceback


def test_a_long_traceback_is_told_by_its_end(start):
    service = start()

    def fail():
        raise RuntimeError("x" * 100_000)

    service.register(fail, "com.fail", traceback=True)
    with pytest.raises(wampy.Error) as caught:
        start().call("com.fail")
    assert len(caught.value.remote_traceback) == 16 * 1024 + 3
    assert caught.value.remote_traceback.startswith("...x")


def test_a_representation_is_short():
    error = errors.remote("com.x", ["y" * 10_000], {"z": list(range(10_000))})
    assert len(repr(error)) < 400
