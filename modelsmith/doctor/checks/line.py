"""One command line: which checks it gets.

Sources: those of the checks; Ollama ``cmd/cmd.go`` (``ShowHandler``: FROM of the printed Modelfile is a blob's path).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.doctor.checks.assigned import check_assigned
from modelsmith.doctor.checks.call import check_call, check_glued, flag_hint
from modelsmith.doctor.checks.container import Mounts, check_container, check_image
from modelsmith.doctor.checks.request import check_request
from modelsmith.doctor.checks.setting import check_setting
from modelsmith.doctor.excerpt import BlockKind, Language
from modelsmith.doctor.findings import finding
from modelsmith.doctor.inventions import FLAGS
from modelsmith.doctor.invocation import container_run
from modelsmith.doctor.ollama_commands import COMMANDS
from modelsmith.doctor.scene import foreign_flags, found
from modelsmith.doctor.settings import Form, Owner, Setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.invocation import Invocation
    from modelsmith.doctor.scene import Scene

_VARIABLE = re.compile(r"OLLAMA_[A-Z_]+")
_OLLAMA = re.compile("ollama", re.IGNORECASE)
_OTHER_TOOLS = re.compile(
    r"vllm|llama\.cpp|llama-server|llama-cli|sglang|lmdeploy|transformers|tgi\b|mlx_lm|koboldcpp", re.IGNORECASE
)


def check_line(invoked: Invocation, scene: Scene, mounts: Mounts) -> Iterator[Diagnostic]:
    """Yield what is wrong with one command line."""
    program = invoked.program
    yield from check_assigned(invoked)
    if invoked.is_ollama:
        yield from check_call(invoked.arguments, scene, open_ended=invoked.more_from_stdin)
        yield from _printed_modelfile(invoked)
    elif (run := container_run(invoked)) is not None:
        yield from check_container(run, scene, mounts)
    elif program.value in {"docker", "podman"} and [word.value for word in invoked.arguments[:1]] == ["pull"]:
        yield from check_image(invoked.arguments[-1])
    elif program.value in {"curl", "curl.exe"}:
        yield from check_request(invoked.arguments, scene)
    elif scene.excerpt.kind is BlockKind.INLINE and program.value.startswith("--"):
        yield from _bare_flag(invoked, scene)
    elif scene.excerpt.language is not Language.DOCKERFILE:
        yield from check_glued(program)
        yield from _not_a_setting(invoked, scene)


def _printed_modelfile(invoked: Invocation) -> Iterator[Diagnostic]:
    words = [word.value for word in invoked.arguments]
    if words[:1] == ["show"] and "--modelfile" in words:
        for operator, target in invoked.simple.redirects:
            if operator == ">":
                yield finding(
                    "MSD09",
                    "FROM in the printed Modelfile is the path of a blob on this machine: it means nothing on another one",
                    target.span,
                    "set FROM to the model's name; the comment at its top shows how",
                )


def _bare_flag(invoked: Invocation, scene: Scene) -> Iterator[Diagnostic]:
    """Judge ``--max-tokens`` alone in a text that speaks of Ollama and of no other program that has such a flag."""
    name = invoked.program.value.partition("=")[0].lstrip("-")
    invention = FLAGS.get(name.replace("_", "-"))
    if invention is None or not invention.bare or found(_OTHER_TOOLS, scene.whole):
        return
    near, others = scene.span_around(0, lines=12), foreign_flags(f"--{name}", scene.whole)
    if found(_OLLAMA, scene.whole) and all(near.start <= start < near.end for start in (*others[:1], *others[-1:])):
        yield finding(
            "MSD02", f"no command of Ollama has a flag --{name}", invoked.program.part(0, len(name) + 2),
            flag_hint(name, COMMANDS["run"], f"--{name}", next((word.value for word in invoked.arguments), "")), Severity.WARNING,
        )  # fmt: skip


def _not_a_setting(invoked: Invocation, scene: Scene) -> Iterator[Diagnostic]:
    """Judge lines that were to set a variable and do not."""
    program, words = invoked.program, invoked.arguments
    if _VARIABLE.fullmatch(program.value) and words and scene.excerpt.kind is not BlockKind.INLINE:
        given = words[1] if words[0].value == "=" and len(words) > 1 else words[0]
        joined = f"{program.value}={given.value}"
        yield finding(
            "MSD10", f"this sets nothing: {program.value} is run as a command", program.span,
            f"write export {joined}; on Windows: set {joined} in cmd, $env:{program.value}=\"{given.value}\" in PowerShell",
        )  # fmt: skip
        yield from check_setting(
            Setting(program.value, program.span, given.value, given.span, Form.SESSION, Owner.UNKNOWN), scene
        )
    elif program.value == "export":
        for place, word in enumerate(words):
            colon = re.fullmatch(r"(OLLAMA_[A-Z_]+):(\S+)", word.value)
            if colon or (
                _VARIABLE.fullmatch(word.value) and [word.value for word in words[place + 1 : place + 2]] == ["="]
            ):
                name = colon[1] if colon else word.value
                value = colon[2] if colon else "".join(word.value for word in words[place + 2 : place + 3])
                yield finding(
                    "MSD10",
                    "this sets nothing: export wants NAME=VALUE without blanks",
                    word.span,
                    f"write export {name}={value}",
                )
