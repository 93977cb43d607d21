"""The decorators: every way to import them, with and without parentheses, and their mistakes."""

import functools

import pytest

import wampy
from wampy.errors import ConfigurationError, WampyError
from wampy.roles.callee import procedure_of
from wampy.roles.declared import declared
from wampy.roles.subscriber import accepts_meta, topic_of


def test_callee_is_one_decorator_under_every_name():
    from wampy.roles import callee as module
    from wampy.roles.callee import callee as function

    @module
    def by_module():
        pass

    @module(name="com.x")
    def by_module_with_name():
        pass

    @function
    def by_function():
        pass

    @wampy.callee(invocation_policy="roundrobin")
    def by_package():
        pass

    assert procedure_of(by_module).uri == "by_module"
    assert procedure_of(by_module_with_name).uri == "com.x"
    assert procedure_of(by_function).options == {"invoke": "single"}
    assert procedure_of(by_package).options == {"invoke": "roundrobin"}
    assert by_package.callee is True
    assert by_package.invocation_policy == "roundrobin"


def test_rpc_is_a_decorator_by_module_and_by_function():
    from wampy import rpc as module
    from wampy.rpc import register_rpc, rpc

    @module
    def first():
        pass

    @rpc
    def second():
        pass

    @register_rpc(name="com.third")
    def third():
        pass

    assert [procedure_of(f).uri for f in (first, second, third)] == ["first", "second", "com.third"]
    assert first.rpc is second.rpc is third.rpc is True


def test_subscriber_is_a_decorator_by_module_and_by_function():
    from wampy.roles import subscriber as module
    from wampy.roles.subscriber import subscribe

    @module(topic="com.a")
    def first():
        return 1

    @subscribe(topic="com.b")
    def second():
        return 2

    @wampy.subscribe("com.c")
    def third():
        return 3

    assert [topic_of(f) for f in (first, second, third)] == ["com.a", "com.b", "com.c"]
    assert [f() for f in (first, second, third)] == [1, 2, 3]
    assert first.handler is first


@pytest.mark.parametrize("arguments", [{}, {"topic": ""}, {"topic": 7}])
def test_subscribe_needs_a_topic(arguments):
    with pytest.raises(WampyError, match="topic"):
        wampy.subscribe(**arguments)


@pytest.mark.parametrize("arguments", [{"invocation_policy": "any"}, {"name": ""}, {"name": 7}])
def test_callee_refuses_what_it_does_not_understand(arguments):
    with pytest.raises(ConfigurationError):
        wampy.callee(**arguments)


def test_undecorated_functions_are_nothing():
    assert procedure_of(test_undecorated_functions_are_nothing) is None
    assert topic_of(test_undecorated_functions_are_nothing) is None


def no_meta(self, *args, name=None): ...
def named_meta(self, *args, meta): ...
def positional_meta(self, meta): ...
def any_keyword(self, **kwargs): ...
def positional_only_meta(self, meta, /): ...


@pytest.mark.parametrize(
    ("handler", "accepted"),
    [
        (no_meta, False),
        (named_meta, True),
        (positional_meta, True),
        (any_keyword, True),
        (positional_only_meta, False),
        (functools.partial(named_meta, None), True),
        (print, False),
        (dict.fromkeys, False),
    ],
)
def test_meta_is_for_handlers_that_take_it(handler, accepted):
    assert accepts_meta(handler) is accepted


def test_methods_of_all_bases_count_once():
    class Base(wampy.Client):
        @wampy.callee
        def inherited(self): ...

        @wampy.callee
        def overridden(self): ...

        @wampy.callee(name="com.static")
        @staticmethod
        def static(): ...

    class Derived(Base):
        def overridden(self): ...

        @wampy.callee
        @wampy.subscribe("com.a")
        def both(self): ...

    assert sorted(name for name, _ in declared(Derived)) == [
        "both",
        "inherited",
        "overridden",
        "static",
    ]
