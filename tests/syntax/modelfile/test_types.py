"""Values of wrong types are refused by the name of the argument, before anything is edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from modelsmith.syntax.modelfile.modelfile import Modelfile

MODELFILE: Any = Modelfile.parse("FROM x\n")


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda: MODELFILE.set_from(b"x"), "model must be a str, not bytes: decode it first"),
        (lambda: MODELFILE.set_template(5), "text must be a str, not int"),
        (lambda: MODELFILE.set_system(None), "text must be a str, not None"),
        (lambda: MODELFILE.set_adapter(1), "path must be a str"),
        (lambda: MODELFILE.set_renderer(1), "name must be a str"),
        (lambda: MODELFILE.set_requires(0.14), "version must be a str, not float"),
        (
            lambda: MODELFILE.set_parameter("stop", ["a"]),
            "value must be a str, int, float or bool, not list: give several",
        ),
        (lambda: MODELFILE.set_parameter(5, "a"), "name must be a str"),
        (lambda: MODELFILE.append_parameter("stop", None), "value must be .* not None"),
        (lambda: MODELFILE.unset_parameter(3), "name must be a str"),
        (lambda: MODELFILE.set_license(5), "texts must be a str"),
        (lambda: MODELFILE.append_license(b""), "text must be a str, not bytes"),
        (lambda: MODELFILE.set_messages("ab"), "messages must be pairs of role and text, not str"),
        (lambda: MODELFILE.set_messages([("user",)]), r"messages\[0\] must be a pair of role and text, not 1 values"),
        (lambda: MODELFILE.set_messages([{"role": "user"}]), r"messages\[0\] must be a pair .* not dict"),
        (lambda: MODELFILE.set_messages([("user", "a"), ("user", 1)]), r"the text of messages\[1\] must be a str"),
        (lambda: MODELFILE.append_message("user", 3), "text must be a str"),
    ],
)
def test_wrong_types(edit: Callable[[], object], words: str) -> None:
    with pytest.raises(TypeError, match=words):
        edit()
