"""The promised names exist, are sorted, and say what they are."""

from __future__ import annotations

import inspect

import pytest

import modelsmith


def test_the_promise_is_sorted_and_complete() -> None:
    assert modelsmith.__all__ == sorted(modelsmith.__all__)
    assert set(modelsmith._HOMES) | {"__version__"} == set(modelsmith.__all__)
    assert dir(modelsmith) == modelsmith.__all__


@pytest.mark.parametrize("name", [name for name in modelsmith.__all__ if name != "__version__"])
def test_every_promised_name_exists_and_has_a_docstring(name: str) -> None:
    value = getattr(modelsmith, name)
    assert inspect.getdoc(value)
    assert value is getattr(modelsmith, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        modelsmith.nothing  # noqa: B018
