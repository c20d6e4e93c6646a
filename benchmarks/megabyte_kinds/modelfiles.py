"""Modelfiles of a megabyte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from megabyte_kinds.kind import KINDS, MB, Kind, fill, text

if TYPE_CHECKING:
    from pathlib import Path

_MODELFILE = (
    "lint Modelfile",
    "lint --fix --unsafe-fixes --diff Modelfile",
    "fmt --check --templates Modelfile",
    "parse Modelfile",
    "explain Modelfile",
    "render Modelfile -u hi",
    "edit Modelfile --set temperature=1 --dry-run",
    "diff Modelfile Modelfile --text",
    "create x -f Modelfile --dry-run",
    "plan ./base.yaml",
)


def modelfile(name: str, content: str) -> None:
    """Add a Modelfile, and a recipe that starts from it."""

    def make(folder: Path) -> None:
        text(folder, "Modelfile", content)
        text(folder, "base.yaml", "name: r\nfrom: ./Modelfile\nparameters: {temperature: 0.5}\ncreate: made\n")

    KINDS.append(Kind(f"Modelfile: {name}", make, _MODELFILE))


modelfile("a long SYSTEM", 'FROM x\nSYSTEM """' + fill("be kind and say so\n") + '"""\n')
modelfile("parameters", "FROM x\n" + fill("PARAMETER stop <|{n}|>\n"))
modelfile("one parameter", "FROM x\n" + fill("PARAMETER num_ctx 4096\n"))
modelfile("unknown parameters", "FROM x\n" + fill("PARAMETER tempreture{n} 1\n"))
modelfile("messages", "FROM x\n" + fill("MESSAGE user hi {n}\nMESSAGE assistant ho\n"))
modelfile("licenses", "FROM x\n" + fill("LICENSE MIT {n}\n"))
modelfile("FROM lines", fill("FROM ./model{n}.gguf\n"))
modelfile("adapters", "FROM x\n" + fill("ADAPTER ./adapter{n}.gguf\n"))
modelfile("junk lines", "FROM x\n" + fill("junk {n} more\n"))
modelfile("misspelt instructions", "FROM x\n" + fill("PARAMTER stop {n}\n"))
modelfile("comments", "FROM x\n" + fill("# a comment {n}\n"))
modelfile("suppressions", "FROM x\n" + fill("# modelsmith: ignore[MS104]\n"))
modelfile("empty lines", "FROM x\n" + "\n" * MB)
modelfile("carriage returns", "FROM x\n" + "\r" * MB)
modelfile("one long word", "FROM " + "x" * MB)
modelfile("quotes", "FROM x\nSYSTEM " + '"' * MB)
modelfile("open blocks", "FROM x\n" + fill('SYSTEM """a\n'))
modelfile("blanks", "FROM x\nSYSTEM" + " " * MB + "a\n")
modelfile("NULs", "FROM x\nSYSTEM " + "\0" * MB + "\n")
modelfile("tabs and BOMs", "FROM x\n" + "\ufeff\t" * (MB // 4))
modelfile("TEMPLATE of plain text", 'FROM x\nTEMPLATE """' + fill("plain words\n") + '{{ .Prompt }}"""\n')
modelfile("TEMPLATE of fields", 'FROM x\nTEMPLATE """' + fill("{{ .Prompt }}\n") + '"""\n')
modelfile(
    "TEMPLATE with Jinja in it", 'FROM x\nTEMPLATE """' + fill("{% if messages %}{{ messages }}{% endif %}\n") + '"""\n'
)
modelfile("shell text", fill("```sh\nollama create x -f - <<EOF\nFROM llama3\nEOF\n"))
modelfile("escapes", "FROM x\nSYSTEM " + fill("\\n\\t<think>\n"))
