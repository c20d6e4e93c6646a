"""MSD06, MSD10, MSD11: what can be seen in a text without reading its commands.

Sources: NVIDIA's Container Toolkit install guide (nvidia-docker2 and its repository are archived), Debian's apt-key(8)
(deprecated, removed after Debian 12), Ollama's ``docs/`` at 0.33.0 and its moved repository, DeepSeek's tokenizer (its tokens
hold no blanks).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.doctor.excerpt import BlockKind, Language
from modelsmith.doctor.findings import finding
from modelsmith.doctor.shell import BROKEN_VOLUME, broken_continuations
from modelsmith.source import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.scene import Scene

_STALE = (
    (
        re.compile(r"\bapt-key\b(?= +add)"),
        "apt-key is deprecated and gone from current Debian and Ubuntu",
        "put the key into /usr/share/keyrings (gpg --dearmor) and name it in the list with signed-by=",
    ),
    (
        re.compile(r"\bnvidia-docker2\b"),
        "nvidia-docker2 is archived",
        "install nvidia-container-toolkit, then: nvidia-ctk runtime configure --runtime=docker",
    ),
    (
        re.compile(r"nvidia\.github\.io/nvidia-docker\b"),
        "this repository of nvidia-docker is archived",
        "the repository is https://nvidia.github.io/libnvidia-container now",
    ),
    (
        re.compile(r"\bollama\.ai/install\.sh"),
        "ollama.ai is the old address",
        "curl -fsSL https://ollama.com/install.sh | sh",
    ),
)
_STALE_LINKS = (
    (
        re.compile(r"github\.com/(?:jmorganca|ollama)/ollama/blob/main/docs/(?P<page>faq|gpu|import|linux|macos|modelfile|openai|template|troubleshooting|tutorials|windows|docker|quickstart)\.md\b"),
        "this page is no longer there",
        "Ollama's documentation is at https://docs.ollama.com",
    ),
    (re.compile(r"github\.com/jmorganca/ollama\b"), "the repository has moved", "https://github.com/ollama/ollama"),
)  # fmt: skip
_TOKEN = re.compile(
    r"(?:<|&lt;)(?P<left>[ \u00a0]?)(?P<bar>[|｜])(?P<a>[ \u00a0]?)(?P<name>[A-Za-z][\w▁]*)(?P<b>[ \u00a0]?)(?P=bar)(?P<right>[ \u00a0]?)(?:>|&gt;)"
)
_ESCAPE = re.compile(r"(?:(?:<|&lt;)/?think(?:>|&gt;))(?P<escape>\\{2,}n)")


def check_prose(text: str) -> Iterator[Diagnostic]:
    """Yield what is wrong anywhere in a text, its prose included."""
    for match in _TOKEN.finditer(text):
        if match["left"] or match["a"] or match["b"] or match["right"]:
            token = f"<{match['bar']}{match['name']}{match['bar']}>"
            yield finding(
                "MSD11", "blanks have come into this control token: as it is written here, no model knows it", Span(*match.span()),
                f"copy it as {token}",
            )  # fmt: skip
    for match in _ESCAPE.finditer(text):
        yield finding(
            "MSD11",
            "typed into a TEMPLATE this is not a line break: the model sees the backslash and the n",
            Span(*match.span("escape")),
            'break the line there, or write {{ "<think>\\n" }} with one backslash; `modelsmith apply force-think` does it, proven',
        )
    for pattern, message, hint in _STALE_LINKS:
        for match in pattern.finditer(text):
            yield finding("MSD06", message, Span(*match.span()), hint)


def check_lines(scene: Scene) -> Iterator[Diagnostic]:
    """Yield what is wrong with the lines of a block of commands."""
    text = scene.excerpt.text
    for pattern, message, hint in _STALE:
        for match in pattern.finditer(text):
            if not text[text.rfind("\n", 0, match.start()) + 1 : match.start()].lstrip().startswith("#"):
                yield finding("MSD06", message, Span(*match.span()), hint)
    if scene.excerpt.language not in {Language.SHELL, Language.POWERSHELL}:
        return
    for match in BROKEN_VOLUME.finditer(text):
        yield finding(
            "MSD04",
            "the command breaks off inside -v: its second line is run as a command of its own",
            Span(match.end(), match.end() + 1),
            "write host:container without a line break between them",
        )
    if scene.excerpt.kind is not BlockKind.INLINE:
        for span in broken_continuations(text):
            yield finding(
                "MSD10",
                "blanks after the backslash: the command ends here, and the next line is run on its own",
                span,
                "remove them",
            )
        for match in re.finditer(r"(?m)^[ \t]*(?P<mark>[∙·•])[ \t]+\S", text):
            if re.search(
                r"[`\\][ \t]*$|[({][ \t]*$",
                text[: match.start()].rpartition("\n")[0].rpartition("\n")[2] or text[: match.start()].rstrip("\n"),
            ):
                yield finding(
                    "MSD10", "a continuation mark of the terminal was copied too: the command does not run like this",
                    Span(*match.span("mark")), "remove the marks at the beginning of the lines",
                )  # fmt: skip
                break
