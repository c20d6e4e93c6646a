"""Recipes of a megabyte."""

from __future__ import annotations

from typing import TYPE_CHECKING

from megabyte_kinds.kind import HEAD, KINDS, MB, Kind, fill, kind, text

if TYPE_CHECKING:
    from pathlib import Path

_RECIPE = (
    "plan ./r.yaml",
    "recipes check r.yaml",
    "lint r.yaml",
    "recipes show ./r.yaml",
    "lock ./r.yaml",
    "recipes check",
)


def recipe(name: str, content: str, *more: str) -> None:
    """Add a recipe."""
    KINDS.append(Kind(f"recipe: {name}", lambda folder: text(folder, "r.yaml", content), (*_RECIPE, *more)))


recipe("a long system", HEAD + "system: |\n" + fill("  be kind and say so\n"))
recipe("inputs", HEAD + "inputs:\n" + fill("  i{n}: {default: a}\n"))
recipe(
    "inputs of inputs",
    HEAD
    + "inputs:\n  i0: {default: a}\n"
    + "".join(f"  i{number + 1}: {{default: '${{i{number}}}'}}\n" for number in range(30_000)),
)
recipe(
    "inputs that double",
    HEAD
    + "inputs:\n  i0: {default: ab}\n"
    + "".join(f"  i{number + 1}: {{default: '${{i{number}}}${{i{number}}}'}}\n" for number in range(60))
    + "system: ${i60}\n",
)
recipe("uses of an input", HEAD + "inputs: {a: {default: x}}\nsystem: '" + fill("${a} ") + "'\n")
recipe("unknown inputs", HEAD + "system: '" + fill("${a{n}} ") + "'\n")
recipe("steps", HEAD + "template:\n" + fill("- inject: {text: 'a{n}', at: generation-prompt}\n"))
recipe("add-stop steps", HEAD + "template:\n" + fill("- add-stop: {text: '<a{n}>'}\n"))
recipe("unknown steps", HEAD + "template:\n" + fill("- injct{n}: {}\n"))
recipe("unknown keys", HEAD + fill("key{n}: 1\n"))
recipe("the same key", HEAD + fill("system: a\n"))
recipe("parameters", HEAD + "parameters:\n" + fill("  num_ct{n}: 1\n"))
recipe("stops", HEAD + "parameters:\n  stop:\n" + fill("  - <a{n}>\n"))
recipe("messages", HEAD + "messages:\n" + fill("- {role: user, content: hi {n}}\n- {role: assistant, content: ho}\n"))
recipe("metadata", HEAD + "gguf:\n  set:\n" + fill("    general.a{n}: x\n"))
recipe("promises", HEAD + "expect:\n" + fill("- prompt-contains: a{n}\n"))
recipe("promises of answers", HEAD + "expect:\n" + fill("- ask: {user: 'hi {n}'}\n  answer: {matches: 'a+b'}\n"))
recipe("rules of tensors", HEAD + "quantize:\n  type: Q8_0\n  tensors:\n" + fill("  - 'blk{n}=Q4_K'\n"))
recipe(
    "a matrix",
    HEAD.replace("made", "made-${a}") + "inputs: {a: {default: x}}\nmatrix:\n  a: [" + fill("v{n}, ") + "z]\n",
)
recipe(
    "a matrix of many",
    HEAD
    + "inputs:\n"
    + "".join(f"  a{number}: {{default: x}}\n" for number in range(40))
    + "matrix:\n"
    + "".join(f"  a{number}: [x, y, z]\n" for number in range(40)),
)
recipe(
    "exclusions",
    HEAD.replace("made", "made-${a}")
    + "inputs: {a: {default: x}}\nmatrix:\n  a: [x, y]\n  exclude:\n"
    + fill("  - {a: v{n}}\n"),
)
recipe("profiles", HEAD + "profiles:\n" + fill("  p{n}: {system: a}\n"))
recipe(
    "aliases",
    "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(
        f"{chr(98 + number)}: &{chr(98 + number)} [{','.join(['*' + chr(97 + number)] * 9)}]\n" for number in range(20)
    )
    + HEAD,
)
recipe("many aliases", "x: &x {a: 1}\n" + HEAD + "parameters:\n" + fill("  k{n}: *x\n"))
recipe("merge keys", "x: &x {a: 1}\n" + HEAD + "parameters:\n" + fill("  <<: *x\n"))
recipe("brackets", "a: " + "[" * 300_000)
recipe("closed brackets", "a: " + "[" * 100_000 + "]" * 100_000 + "\n" + HEAD)
recipe("braces", "a: " + "{a: " * 200_000)
recipe("indentation", "".join(" " * depth + "a:\n" for depth in range(1400)))
recipe("dashes", "a:\n" + "- " * 400_000 + "x\n")
recipe("comments", HEAD + fill("# a comment {n}\n"))
recipe("documents", HEAD + fill("---\na: 1\n"))
recipe("one line", HEAD + "system: '" + "a" * MB + "'\n")
recipe("a template", HEAD + "template: |\n" + fill("  {{ .Prompt }}\n"))
recipe("a question mark", "? " * 300_000 + "x\n" + HEAD)
recipe("tags", HEAD + "system: " + "!a " * 300_000 + "x\n")
recipe("licenses", HEAD + "license:\n" + fill("- MIT {n}\n"))
recipe("adapters", HEAD + "adapters:\n" + fill("- ./a{n}\n"))


@kind("recipe: a chain of files", "plan ./r0.yaml", "recipes check r0.yaml", "recipes check")
def _chain(folder: Path) -> None:
    for number in range(3000):
        text(folder, f"r{number}.yaml", f"name: r{number}\nextends: ./r{number + 1}.yaml\n")
    text(folder, "r3000.yaml", HEAD)


@kind("recipe: includes", "plan ./r.yaml", "recipes check r.yaml", "lint r.yaml")
def _includes(folder: Path) -> None:
    text(folder, "s.yaml", "- inject: {text: a, at: generation-prompt}\n")
    text(folder, "r.yaml", HEAD + "template:\n" + fill("- include: ./s.yaml\n"))


@kind("recipes: a folder of 3,000", "recipes check", "recipes list", "lint")
def _recipes(folder: Path) -> None:
    for number in range(3000):
        text(folder, f"r{number}.yaml", HEAD.replace("name: r", f"name: r{number}"))


@kind(
    "promise: a pattern that explodes",
    "plan ./r.yaml",
    "recipes check r.yaml",
    "verify ./r.yaml --replay answers.jsonl",
)
def _explodes(folder: Path) -> None:
    text(folder, "r.yaml", HEAD + "system: " + "a" * 40 + "\nexpect:\n- ask: hi\n  answer: {matches: '(a|aa)+b'}\n")
    text(folder, "answers.jsonl", "")
