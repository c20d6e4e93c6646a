from __future__ import annotations

from typing import Any

import pytest
from shared import SHARED, conformance, needs_shared

from modelsmith.errors import TemplateRenderError
from modelsmith.template.jinja.template import ChatTemplate

THINKS = {"unset": None, "true": True, "false": False}


def templates() -> list[Any]:
    if not (SHARED / "conformance" / "jinja.jsonl.gz").is_file():
        return []
    return [pytest.param(row, id=row["name"]) for row in conformance("jinja.jsonl.gz")]


@needs_shared
@pytest.mark.parametrize("row", templates())
def test_every_recorded_answer_is_split_as_the_real_server_does(row: dict[str, Any]) -> None:
    template = ChatTemplate.parse(row["jinja"])
    splits = [each for each in row["rows"] if "split" in each]
    assert splits
    for each in splits:
        said = (each["split"], each["think"])
        if "error" in each["answer"]:
            with pytest.raises(TemplateRenderError):
                template.split(each["split"], THINKS[each["think"]])
            continue
        found = template.split(each["split"], THINKS[each["think"]])
        assert (said, found.reasoning, found.content) == (said, each["answer"]["reasoning"], each["answer"]["content"])
