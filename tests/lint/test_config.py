"""The configuration is strict and says what is wrong with it."""

from __future__ import annotations

import pytest

from modelsmith.diagnostic import Severity
from modelsmith.errors import UsageError
from modelsmith.lint.config import parse_config
from modelsmith.versions import NEWEST, Version


def test_every_setting_is_read() -> None:
    config = parse_config(
        {
            "target-ollama": "0.30",
            "select": ["ALL"],
            "ignore": ["MS5"],
            "per-file-ignores": {"examples/*": ["MS3"]},
            "exclude": ["drafts"],
            "baseline": "old.json",
            "fail-on": "error",
            "policy": {"trusted-registries": ["registry.ollama.ai/library"], "requires-license": True},
        },
        "modelsmith.toml",
    )
    assert config.target_ollama == Version.parse("0.30")
    assert config.fail_on is Severity.ERROR
    assert config.policy.requires_license
    settings = config.settings("examples/a.modelfile")
    assert settings.wants("MS104")
    assert not settings.wants("MS301")
    assert not settings.wants("MS508")
    assert config.settings("models/a.modelfile").wants("MS301")


def test_latest_is_a_target() -> None:
    assert parse_config({"target-ollama": "latest"}, "x").target_ollama == NEWEST


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"selekt": []}, 'no setting "selekt"; did you mean "select"'),
        ({"select": "MS104"}, "not a list of texts"),
        ({"select": ["E501"]}, '"E501" is no code'),
        ({"fail-on": "fatal"}, 'fail-on is "fatal"'),
        ({"target-ollama": "new"}, '"new" is not a version'),
        ({"target-ollama": 0.3}, "not a text"),
        ({"per-file-ignores": ["x"]}, "not a table"),
        ({"policy": {"requires-license": "yes"}}, "requires-license is 'yes'"),
        ({"policy": {"trusted": []}}, 'no setting "trusted"'),
        ({"policy": []}, "not a table"),
    ],
)
def test_what_makes_no_sense_is_refused(table: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse_config(table, "modelsmith.toml")
