"""Jinja templates of a megabyte, alone and in a GGUF."""

from __future__ import annotations

from typing import TYPE_CHECKING

from megabyte_kinds.gguf_bytes import gguf, string
from megabyte_kinds.kind import KINDS, LOOP, MB, Kind, fill, text

if TYPE_CHECKING:
    from pathlib import Path

_JINJA = (
    "render c.jinja -u hi",
    "explain c.jinja",
    "convert c.jinja",
    "diff c.jinja d.jinja",
    "render c.jinja -u hi --engine transformers",
    "explain m.gguf",
    "gguf verify m.gguf",
)


def jinja(name: str, content: str) -> None:
    """Add a Jinja template, alone and inside a GGUF."""

    def make(folder: Path) -> None:
        text(folder, "c.jinja", content)
        text(folder, "d.jinja", content + "x")
        gguf(folder / "m.gguf", [string("general.architecture", "llama"), string("tokenizer.chat_template", content)])

    KINDS.append(Kind(f"Jinja: {name}", make, _JINJA))


jinja("plain text", fill("plain words and <|tokens|>\n") + LOOP)
jinja("expressions", fill("{{ messages }}"))
jinja("short expressions", fill("{{ a }}"))
jinja("contents", LOOP + fill("{{ messages[0].content }}"))
jinja("settings", fill("{% set v{n} = 1 %}") + LOOP)
jinja("namespaces", fill("{% set v{n} = namespace(a=1) %}") + LOOP)
jinja("conditions", fill("{% if tools %}a{% else %}b{% endif %}") + LOOP)
jinja("elifs", "{% if tools %}a" + fill("{% elif v{n} %}b") + "{% endif %}" + LOOP)
jinja("nested conditions", "{% if messages %}" * 25_000 + "x" + "{% endif %}" * 25_000)
jinja("nested loops", "{% for m in messages %}" * 20_000 + "x" + "{% endfor %}" * 20_000)
jinja("loops", fill(LOOP))
jinja("macros", fill("{% macro f{n}(x) %}{{ x }}{% endmacro %}{{ f{n}(1) }}") + LOOP)
jinja("nested brackets", "{{ " + "[" * 200_000 + "]" * 200_000 + " }}" + LOOP)
jinja("sums", "{{ 1" + fill(" + 1") + " }}" + LOOP)
jinja("joins", "{{ ''" + fill(" ~ 'a'") + " }}" + LOOP)
jinja("filters", "{{ messages[0].content" + fill(" | trim") + " }}" + LOOP)
jinja("attributes", "{{ a" + fill(".b") + " }}" + LOOP)
jinja("a long list", "{% set v = [" + fill("1, ") + "] %}" + LOOP)
jinja("a long mapping", "{% set v = {" + fill("'k{n}': 1, ") + "} %}" + LOOP)
jinja("comments", fill("{# a comment #}") + LOOP)
jinja("open braces", "{{" * (MB // 2))
jinja("open loops", fill("{% for a in b %}"))
jinja("nots", "{{ " + "not " * 200_000 + "a }}" + LOOP)
jinja("a long literal", "{{ '" + fill("\\n<think>") + "' }}" + LOOP)
jinja("raw", fill("{% raw %}{{ x }}{% endraw %}") + LOOP)
