from __future__ import annotations

from modelsmith.template.effective.imported import ARCHITECTURE_DEFAULTS
from modelsmith.template.effective.renderers import PARSERS, RENDERERS
from modelsmith.versions import NEWEST


def test_names_are_known_since_a_version_that_exists() -> None:
    for known in (*RENDERERS.values(), *PARSERS.values()):
        assert NEWEST.has(known.since)
    assert RENDERERS["qwen3-coder"].since == PARSERS["passthrough"].since == "0.12.0"


def test_there_is_no_renderer_of_these_names() -> None:
    assert not {"qwen3", "deepseek-r1", "deepseek3", "harmony", "ministral", "qwen3-vl"} & RENDERERS.keys()
    assert not {"deepseek3.1", "qwen3.8", "gemma4-small", "none"} & PARSERS.keys()


def test_a_parser_that_splits_claims_thinking() -> None:
    for parser in PARSERS.values():
        assert parser.thinking or not (parser.unset or parser.on or parser.off)
    assert PARSERS["qwen3.5"].capabilities == {"tools", "thinking"}
    assert PARSERS["passthrough"].capabilities == frozenset()


def test_defaults_of_architectures_exist() -> None:
    for defaults in ARCHITECTURE_DEFAULTS.values():
        assert defaults.renderer in RENDERERS
        assert defaults.parser in PARSERS
