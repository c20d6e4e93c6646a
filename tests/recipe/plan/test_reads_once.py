"""A plan reads each file once, and renders each template once on the same conversation."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from modelsmith.memo import Same, note, recall, remembered, remembering
from modelsmith.models import draft as drafts
from modelsmith.recipe.plan import apply as applying
from modelsmith.recipe.plan import plan as planning
from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import plan
from modelsmith.recipe.read.load import load_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.template.go.render import Renderer
from modelsmith.template.jinja.engine.program import Program
from modelsmith.weights.gguf.read import reader


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> dict[str, Counter[object]]:
    counts: dict[str, Counter[object]] = {}

    def count(owner: Any, name: str, what: str, key: Any) -> None:
        original = getattr(owner, name)
        counts[what] = Counter()

        def counting(*arguments: Any, **options: Any) -> Any:
            counts[what][key(*arguments, **options)] += 1
            return original(*arguments, **options)

        monkeypatch.setattr(owner, name, counting)

    count(reader, "scan", "headers", lambda source: source.name)
    count(Modelfile, "parse", "Modelfiles", lambda data: data)
    count(drafts, "brought_along", "inherited", lambda *_arguments, **_options: "")
    count(planning, "compile_request", "requests", lambda _draft: "")
    count(
        Renderer,
        "render",
        "Go",
        lambda self, talk, think: (self._tree.text, Same(talk), think if "think" in self._tree.text.lower() else None),
    )
    count(
        Program,
        "run",
        "Jinja",
        lambda self, variables, now, limits: (
            self.source,
            repr({name: value for name, value in variables.items() if name in self.source}),
            limits,
        ),
    )
    return counts


def test_a_plan_reads_and_renders_once(counted: dict[str, Counter[object]], tmp_path: Path) -> None:
    recipe = load_recipe("force-think").resolve({"base": "sample:deepseek-r1"})
    with remembering():
        made = plan(recipe, LocalStore(tmp_path / "store"))
        apply(made)
    assert len(counted["Modelfiles"]) == counted["Modelfiles"].total() == 1
    assert counted["requests"].total() == 1
    assert not hasattr(applying, "compile_request")
    assert counted["inherited"].total() <= 8
    originals = {name: times for name, times in counted["headers"].items() if "samples" in str(name)}
    assert list(originals.values()) == [1]
    for engine in ("Go", "Jinja"):
        repeated = {key: times for key, times in counted[engine].items() if times > 1}
        assert counted[engine], engine
        assert not repeated, f"{engine}: {len(repeated)} renderings are made more than once"


def test_what_is_remembered_ends_with_the_command() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(1)
        return len(made)

    assert [remembered("key", make), remembered("key", make)] == [1, 2]
    with remembering():
        assert [remembered("key", make), remembered("key", make)] == [3, 3]
        with remembering():
            assert remembered("key", make) == 3
    assert recall("key") is None
    with remembering():
        assert remembered("key", make) == 4


def test_a_memory_can_be_taken_up_again_and_has_an_end() -> None:
    with remembering() as memory:
        note("small", "x", size=1)
        note("large", "x", size=10**9)
    with remembering(memory):
        assert (recall("small"), recall("large")) == ("x", None)


def test_refusals_are_remembered_and_others_are_not() -> None:
    tried: list[int] = []

    def refuse() -> None:
        tried.append(1)
        raise ValueError(str(len(tried)))

    with remembering():
        for refusals, expected in ((ValueError, "1"), (ValueError, "1")):
            with pytest.raises(ValueError, match=expected):
                remembered("key", refuse, refusals=refusals)
        for expected in ("2", "3"):
            with pytest.raises(ValueError, match=expected):
                remembered("other", refuse)


def test_a_key_may_stand_for_one_object() -> None:
    one, two = [1], [1]
    assert Same(one) == Same(one) != Same(two)
    assert hash(Same(one)) == hash(Same(one))
