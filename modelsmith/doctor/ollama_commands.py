"""Every command and flag of the ``ollama`` program, and the versions that have them.

Sources: Ollama ``cmd/cmd.go`` (``NewCLI``) and ``cmd/launch/launch.go`` (``LaunchCmd``) at each of its release tags from
0.0.1 to 0.33.0; flags are read as ``spf13/pflag`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.versions import Version


class Takes(Enum):
    """What follows a flag: nothing, a value, or a value only when it is joined with ``=``."""

    NOTHING = "nothing"
    VALUE = "value"
    JOINED = "joined value"


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag; ``until`` is the first version without it."""

    name: str
    takes: Takes = Takes.NOTHING
    short: str = ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class OllamaCommand:
    """One command; ``least`` and ``most`` count its arguments, ``most`` None means any number."""

    name: str
    usage: str
    least: int = 0
    most: int | None = None
    flags: tuple[Flag, ...] = ()
    aliases: tuple[str, ...] = ()
    since: str = ""
    until: str = ""

    def flag(self, name: str) -> Flag | None:
        """Return the flag of a long name or a one-letter name, of whatever version."""
        return next((flag for flag in self.flags if name in (flag.name, flag.short)), None)


def exists(row: OllamaCommand | Flag, version: Version) -> bool:
    """Say whether this version has the command or flag."""
    return (not row.since or version.has(row.since)) and not (row.until and version.has(row.until))


_VALUE, _JOINED = Takes.VALUE, Takes.JOINED
_INSECURE = Flag("insecure", since="0.0.12")
ROOT = OllamaCommand(
    "",
    "ollama COMMAND",
    flags=(
        Flag("version", short="v", since="0.1.14"),
        Flag("verbose", since="0.16.0"),
        Flag("nowordwrap", since="0.16.0"),
    ),
)
"""The program itself, with the flags that stand before a command."""

_ROWS = (
    OllamaCommand("serve", "ollama serve", 0, 0, aliases=("start",)),
    OllamaCommand(
        "create",
        "ollama create MODEL -f Modelfile",
        1,
        1,
        (
            Flag("file", _VALUE, "f"),
            Flag("quantize", _VALUE, "q", "0.1.35"),
            Flag("quantization", _VALUE, since="0.1.32", until="0.1.35"),
            Flag("draft-quantize", _VALUE, since="0.23.1"),
            Flag("experimental", since="0.14.3"),
        ),
    ),
    OllamaCommand(
        "show",
        "ollama show MODEL",
        1,
        1,
        (
            Flag("license"),
            Flag("modelfile"),
            Flag("parameters"),
            Flag("template"),
            Flag("system"),
            Flag("verbose", short="v", since="0.6.1"),
        ),
        since="0.0.18",
    ),
    OllamaCommand(
        "run",
        "ollama run MODEL [PROMPT]",
        1,
        None,
        (
            Flag("keepalive", _VALUE, since="0.1.38"),
            Flag("verbose"),
            Flag("insecure", since="0.0.16"),
            Flag("nowordwrap", since="0.0.20"),
            Flag("format", _VALUE, since="0.1.10"),
            Flag("think", _JOINED, since="0.9.0"),
            Flag("hidethinking", since="0.9.0"),
            Flag("truncate", since="0.12.10"),
            Flag("dimensions", _VALUE, since="0.12.10"),
            Flag("experimental", since="0.14.0", until="0.31.2"),
            Flag("experimental-yolo", since="0.14.0", until="0.31.2"),
            Flag("experimental-websearch", since="0.14.0", until="0.31.2"),
            Flag("imagegen", since="0.16.2", until="0.32.6"),
        ),
    ),
    OllamaCommand("stop", "ollama stop MODEL", 1, 1, since="0.3.11"),
    OllamaCommand("pull", "ollama pull MODEL", 1, 1, (_INSECURE,)),
    OllamaCommand("push", "ollama push MODEL", 1, 1, (_INSECURE,)),
    OllamaCommand("signin", "ollama signin", 0, 0, since="0.12.0"),
    OllamaCommand("login", "ollama login", 0, 0, since="0.16.0"),
    OllamaCommand("signout", "ollama signout", 0, 0, since="0.12.0"),
    OllamaCommand("logout", "ollama logout", 0, 0, since="0.16.0"),
    OllamaCommand("list", "ollama list", aliases=("ls",)),
    OllamaCommand("ps", "ollama ps", since="0.1.38"),
    OllamaCommand("cp", "ollama cp SOURCE DESTINATION", 2, 2, since="0.0.12"),
    OllamaCommand("rm", "ollama rm MODEL [MODEL...]", 1, None, since="0.0.11"),
    OllamaCommand(
        "launch",
        "ollama launch [INTEGRATION]",
        flags=(
            Flag("model", _VALUE),
            Flag("config"),
            Flag("restore", since="0.23.0"),
            Flag("yes", short="y", since="0.18.0"),
        ),
        since="0.15.0",
    ),
    OllamaCommand("agent", "ollama agent", since="0.32.0", until="0.32.2"),
    OllamaCommand("help", "ollama help [COMMAND]"),
)
COMMANDS: Mapping[str, OllamaCommand] = MappingProxyType(
    {name: row for row in _ROWS for name in (row.name, *row.aliases)}
)
"""Every command by name and alias, of whatever version."""

UNCHECKED = frozenset({"runner", "gpu-discover", "completion", "__complete"})
"""What Ollama calls itself with; nobody else has a reason to, and its arguments are not a promise."""

THINK_VALUES: Mapping[str, str] = MappingProxyType(
    {"true": "", "false": "", "high": "0.11.0", "medium": "0.11.0", "low": "0.11.0", "max": "0.22.0"}
)
"""Values of ``--think`` and the version that took them in."""
