"""The configuration of lint: the table ``[tool.modelsmith.lint]`` of pyproject.toml, or ``[lint]`` of modelsmith.toml."""

from __future__ import annotations

from dataclasses import field, fields
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from modelsmith.diagnostic import Severity, did_you_mean
from modelsmith.errors import UsageError
from modelsmith.lint.rules import rule_codes
from modelsmith.lint.settings import Policy, Settings
from modelsmith.parameters import PARAMETERS, REMOVED_SINCE
from modelsmith.patterns import regex
from modelsmith.records import dataclass
from modelsmith.versions import NEWEST, Version, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_CODE = regex(r"MS\d{0,3}|ALL")


@dataclass(frozen=True, slots=True)
class Config:
    """What a project wants; paths and patterns are relative to the folder that holds the file."""

    target_ollama: Version = NEWEST
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    baseline: str = ""
    fail_on: Severity = Severity.WARNING
    policy: Policy = field(default_factory=Policy)

    def settings(self, path: str) -> Settings:
        """Return how to lint the file at ``path``, which is relative to the configuration."""
        extra = (code for pattern, codes in self.per_file_ignores.items() if _matches(path, pattern) for code in codes)
        return Settings(self.target_ollama, self.select, (*self.ignore, *extra), self.policy)


def _matches(path: str, pattern: str) -> bool:
    return (
        fnmatch(path, pattern) or fnmatch(path, f"{pattern.rstrip('/')}/*") or fnmatch(path.rpartition("/")[2], pattern)
    )


def parse_config(table: Mapping[str, Any], name: str) -> Config:
    """Read a table; ``name`` is said in errors. Raises UsageError for unknown keys and for values that make no sense."""
    read: dict[str, Any] = {}
    known = {option.name.replace("_", "-"): option.name for option in fields(Config)}
    for key, value in table.items():
        if key not in known:
            raise UsageError(
                f'{name}: there is no setting "{key}"{did_you_mean(key, known)}', hint=f"known: {', '.join(known)}"
            )
        read[known[key]] = _READERS[key](value, f"{name}: {key}")
    return Config(**read)


def codes(value: object, where: str) -> tuple[str, ...]:
    """Return codes of rules or their beginnings; ALL is every rule. Raises UsageError for others."""
    texts = _texts(value, where)
    for text in texts:
        if not _CODE.fullmatch(text):
            raise UsageError(
                f'{where}: "{text}" is no code of a rule', hint="write MS104, or the beginning of several such as MS3"
            )
        if text != "ALL" and not any(code.startswith(text) for code in rule_codes()):
            raise UsageError(
                f'{where}: there is no rule "{text}"{did_you_mean(text, rule_codes())}',
                hint="`modelsmith rules` lists all",
            )
    return tuple("MS" if text == "ALL" else text for text in texts)


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{where} is {value!r:.100}, not a list of texts", hint='write it like ["a", "b"]')
    return tuple(value)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{where} is {value!r:.100}, not a text", hint='write it in quotes, like "0.30"')
    return value


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise UsageError(f"{where} is {value!r:.100}", hint="write true or false")
    return value


def _target(value: object, where: str) -> Version:
    text = _text(value, where)
    return NEWEST if text == "latest" else resolve(text)


def _severity(value: object, where: str) -> Severity:
    text = _text(value, where)
    if text not in set(Severity):
        raise UsageError(f'{where} is "{text}"', hint=f"one of {', '.join(Severity)}")
    return Severity(text)


def _per_file(value: object, where: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, dict):
        raise UsageError(f"{where} is {value!r:.100}, not a table", hint='write it like { "old/*" = ["MS3"] }')
    return {pattern: codes(item, f'{where} "{pattern}"') for pattern, item in value.items()}


def _policy(value: object, where: str) -> Policy:
    if not isinstance(value, dict):
        raise UsageError(f"{where} is {value!r:.100}, not a table", hint="write [lint.policy] and its keys below")
    known = {option.name.replace("_", "-"): option for option in fields(Policy)}
    read: dict[str, Any] = {}
    for key, item in value.items():
        if key not in known:
            raise UsageError(
                f'{where}: there is no setting "{key}"{did_you_mean(key, known)}', hint=f"known: {', '.join(known)}"
            )
        reader = _POLICY_READERS.get(key, _flag if isinstance(known[key].default, bool) else _texts)
        read[known[key].name] = reader(item, f"{where}.{key}")
    return Policy(**read)


def _parameters(value: object, where: str) -> tuple[str, ...]:
    """Return names of parameters; raises UsageError for one that no Ollama has had, which would ban nothing."""
    names = _texts(value, where)
    for name in names:
        if name not in PARAMETERS and name not in REMOVED_SINCE:
            raise UsageError(
                f'{where}: there is no parameter "{name}"{did_you_mean(name, PARAMETERS)}',
                hint="write a name as PARAMETER takes it, such as num_gpu",
            )
    return names


_POLICY_READERS: Mapping[str, Callable[[object, str], Any]] = {"banned-parameters": _parameters}
_READERS: Mapping[str, Callable[[object, str], Any]] = {
    "target-ollama": _target,
    "select": codes,
    "ignore": codes,
    "per-file-ignores": _per_file,
    "exclude": _texts,
    "baseline": _text,
    "fail-on": _severity,
    "policy": _policy,
}
