"""Frozen classes made fast are what the standard library makes: the same fields, equality, order, copies and errors."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import FrozenInstanceError, field
from typing import Any, ClassVar

import pytest

from modelsmith import records


def made(dataclass: Any, slots: bool) -> tuple[type, type]:
    @dataclass(frozen=True, slots=slots, order=True)
    class Base:
        """A base."""

        kind: ClassVar[str] = "base"
        a: int
        b: str = "b"

    @dataclass(frozen=True, slots=slots, order=True)
    class Inner(Base):
        """It inherits."""

        kind: ClassVar[str] = "inner"
        c: list[int] = field(default_factory=list, compare=False)
        d: int = field(default=3, repr=False)
        e: int = field(default=4, kw_only=True)

        def __post_init__(self) -> None:
            if self.a < 0:
                raise ValueError("negative")

    return Base, Inner


@records.dataclass(frozen=True, slots=True)
class Point:
    """One that pickle can find."""

    x: int
    y: tuple[int, ...] = ()


@pytest.mark.parametrize("slots", [True, False])
@pytest.mark.parametrize("calls", [1, 30])
def test_like_the_standard_library(slots: bool, calls: int) -> None:
    seen = []
    for dataclass in (records.dataclass, dataclasses.dataclass):
        base, inner = made(dataclass, slots)
        for _ in range(calls):
            one, other = inner(1, c=[1]), inner(1, "b", [2], e=4)
        assert one == other
        assert hash(base(1)) == hash(base(1, "b"))
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'a'"):
            one.a = 2
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'a'"):
            del one.a
        with pytest.raises(ValueError, match="negative"):
            inner(-1)
        for wrong in ((), (1, "b", [], 3, 4)):
            with pytest.raises(TypeError):
                inner(*wrong)
        with pytest.raises(TypeError):
            inner(1, f=2)
        with pytest.raises(TypeError):
            inner(1, a=2)
        seen.append(
            (
                repr(one),
                one < inner(2),
                inner.kind,
                inner.__match_args__,
                [each.name for each in dataclasses.fields(inner)],
                dataclasses.asdict(one),
                repr(dataclasses.replace(one, b="x", e=5)),
                one == base(1),
                hasattr(one, "__dict__"),
                copy.deepcopy(one).c,
            )
        )
    assert seen[0] == seen[1]


def test_fields_that_are_given_by_name() -> None:
    seen = []
    for dataclass in (records.dataclass, dataclasses.dataclass):

        @dataclass(frozen=True, slots=True, kw_only=True)
        class Named:
            a: int
            b: list[int] = field(default_factory=list)
            c: str = "c"

        for _ in range(30):
            one = Named(a=1, c="x")
        with pytest.raises(TypeError):
            Named(1)
        with pytest.raises(TypeError):
            Named(c="x")
        seen.append((repr(one), Named.__match_args__, repr(dataclasses.replace(one, b=[2])), one == Named(a=1, c="x")))
    assert seen[0] == seen[1]


def test_copies_of_what_inherits() -> None:
    @records.dataclass(frozen=True, slots=True)
    class Base:
        x: int = 1

    @records.dataclass(frozen=True, slots=True)
    class Inner(Base):
        y: int = 2

    assert dataclasses.replace(Inner(), x=3) == Inner(3, 2)
    assert [(one.name, one.type, one.default) for one in dataclasses.fields(Inner)] == [
        ("x", "int", 1),
        ("y", "int", 2),
    ]


def test_copies() -> None:
    point = Point(1, (2,))
    assert pickle.loads(pickle.dumps(point)) == point
    assert copy.copy(point) == point
    match point:
        case Point(x, y):
            assert (x, y) == (1, (2,))


def test_the_standard_one_may_build_on_it() -> None:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Named(Point):
        name: str = ""

    assert Named(1, (), "n") == Named(1, name="n")
    assert [each.name for each in dataclasses.fields(Named)] == ["x", "y", "name"]


def test_only_frozen_ones() -> None:
    with pytest.raises(TypeError, match="only frozen"):
        records.dataclass(frozen=False)
