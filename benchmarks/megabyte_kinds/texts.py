"""Configuration, locks, conversations and texts for doctor, a megabyte each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from megabyte_kinds.gguf_bytes import gguf, string
from megabyte_kinds.kind import HEAD, KINDS, MB, Kind, fill, kind, text

if TYPE_CHECKING:
    from pathlib import Path


def configuration(name: str, content: str) -> None:
    """Add a configuration of lint beside a Modelfile that is fine."""

    def make(folder: Path) -> None:
        text(folder, "modelsmith.toml", content)
        text(folder, "Modelfile", "FROM llama3\nPARAMETER num_ctx 4096\n")

    KINDS.append(
        Kind(
            f"config: {name}",
            make,
            ("lint Modelfile", "lint", "fmt --check", "plan force-think --set base=sample:deepseek-r1"),
        )
    )


configuration("rules", "[lint]\nignore = [" + fill('"MS10{n}", ') + "]\n")
configuration("known rules", "[lint]\nignore = [" + fill('"MS104", ') + "]\n")
configuration("bases", "[lint.policy]\nallowed-bases = [" + fill('"base{n}*", ') + "]\n")
configuration("stars", '[lint.policy]\nallowed-bases = ["' + "*a" * 200_000 + '"]\n')
configuration("parameters", "[lint.policy]\nbanned-parameters = [" + fill('"num_gp{n}", ') + "]\n")
configuration("tables", fill("[lint.t{n}]\na = 1\n"))
configuration("unknown keys", "[lint]\n" + fill("key{n} = 1\n"))
configuration("brackets", "[lint]\nignore = " + "[" * 200_000)
configuration("dots", "a" + ".a" * 300_000 + " = 1\n")
configuration("excludes", "[lint]\nexclude = [" + fill('"a{n}*", ') + "]\n")
configuration("stores", "stores = [" + fill('"./s{n}", ') + "]\n")


def lock(name: str, content: str) -> None:
    """Add a lock beside a recipe."""

    def make(folder: Path) -> None:
        text(folder, "modelsmith.lock", content)
        text(folder, "r.yaml", HEAD)

    commands = (
        "plan ./r.yaml --check",
        "lock --check",
        "lock ./r.yaml",
        "plan ./r.yaml --from-lock",
        "outdated",
        "apply ./r.yaml --locked --quiet",
    )
    KINDS.append(Kind(f"lock: {name}", make, commands))


lock("models", '{"lock-version": 1, "models": {' + fill('"m{n}": {}, ') + '"z": {}}}')
lock("brackets", "[" * 500_000)
lock("objects", '{"a":' * 200_000)
lock("numbers", '{"a": ' + "9" * MB + "}")
lock("words", fill("word "))


def conversation(name: str, value: str) -> None:
    """Add a conversation."""
    commands = (
        "render sample:deepseek-r1 --chat c.json",
        "render sample:deepseek-r1 --chat c.json --engine jinja",
        "render sample:deepseek-r1 --chat c.json --engine transformers",
        "diff sample:deepseek-r1 sample:deepseek-r1 -c c.json",
        "render sample:deepseek-r1 -u hi --tools c.json",
    )
    KINDS.append(Kind(f"conversation: {name}", lambda folder: text(folder, "c.json", value), commands))


conversation(
    "messages", '{"messages": [' + fill('{"role": "user", "content": "hi"}, ') + '{"role": "user", "content": "z"}]}'
)
conversation("a long message", json.dumps({"messages": [{"role": "user", "content": fill("a word ")}]}))
conversation(
    "tools",
    '{"messages": [], "tools": ['
    + fill('{"type": "function", "function": {"name": "f{n}", "parameters": {}}}, ')
    + "{}]}",
)
conversation(
    "deep arguments",
    '{"messages": [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": '
    + '{"a":' * 100_000
    + "1"
    + "}" * 100_000
    + "}}]}]}",
)
conversation("brackets", "[" * 500_000)
conversation("long numbers", '{"messages": [' + "1" * MB + "]}")
conversation("unknown keys", '{"messages": [{"role": "user", "content": "hi", ' + fill('"k{n}": 1, ') + '"z": 1}]}')
conversation("tools, bare", "[" + fill('{"type": "function", "function": {"name": "f{n}"}}, ') + "{}]")


def how_to(name: str, content: str) -> None:
    """Add a text for doctor."""
    commands = ("doctor md t.md",)
    KINDS.append(Kind(f"how-to: {name}", lambda folder: text(folder, "t.md", content), commands))


how_to("commands", "```sh\n" + fill("ollama run llama3 --verbose {n}\n") + "```\n")
how_to("wrong commands", "```sh\n" + fill("ollama rnu llama3 --verbos {n}\n") + "```\n")
how_to("fences", fill("```sh\nollama run a\n```\n"))
how_to("open fences", fill("```sh {n}\n"))
how_to("inline code", fill("`ollama run a{n}` "))
how_to("variables", "```sh\n" + fill("export OLLAMA_V{n}=1\n") + "```\n")
how_to("JSON", "```json\n" + '{"a":' * 100_000 + "\n```\n")
how_to("requests", "```json\n{" + fill('"k{n}": 1, ') + '"model": "a"}\n```\n')
how_to("YAML", "```yaml\nservices:\n" + fill("  o{n}:\n    image: ollama/ollama\n") + "```\n")
how_to("deep YAML", "```yaml\n" + "".join(" " * depth + "a:\n" for depth in range(1000)) + "```\n")
how_to("TOML", "```toml\n" + fill("a{n} = 1\n") + "```\n")
how_to(
    "Python",
    "```python\n" + fill("requests.post('http://localhost:11434/api/chat', json={'model': 'a{n}'})\n") + "```\n",
)
how_to("deep Python", "```python\n" + "(" * 200_000 + "\n```\n")
how_to("units", "```ini\n[Service]\n" + fill('Environment="OLLAMA_X{n}=1"\n') + "```\n")
how_to("curl", "```sh\n" + fill('curl http://localhost:11434/api/chat -d \'{"model": "x{n}"}\'\n') + "```\n")
how_to("continued lines", "```sh\nollama run a \\\n" + fill("  --a{n} \\\n") + "```\n")
how_to("quotes", "```sh\nollama run '" + "\"'" * 400_000 + "\n```\n")
how_to("here documents", "```sh\n" + fill("cat <<E{n}\nFROM a\n") + "```\n")
how_to("Modelfiles", fill("```\nFROM llama3\nPARAMETER num_ctx {n}\n```\n"))
how_to("plain words", fill("word "))
how_to("lists", fill("> ") + "\n" + fill("* a\n"))
how_to("substitutions", "```sh\n" + "$(" * 400_000 + "\n```\n")


@kind("variables of a megabyte", "doctor env")
def _variables(folder: Path) -> None:
    text(folder, "env.json", json.dumps({f"OLLAMA_VARIABLE_{number}": "x" for number in range(20_000)}))


@kind("imatrix: words", "gguf quantize m.gguf o.gguf --type Q4_K_M --imatrix i.dat")
def _imatrix(folder: Path) -> None:
    gguf(folder / "m.gguf", [string("general.architecture", "llama")])
    text(folder, "i.dat", fill("word "))
