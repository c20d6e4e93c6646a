"""What is wrong with the indentation of a YAML line, in words that say where it should begin."""

from __future__ import annotations

from typing import NamedTuple


class Misplaced(NamedTuple):
    """The offset of the line's first character, what is wrong with it, and the way out."""

    offset: int
    message: str
    hint: str


def misplaced(text: str, offset: int, problem: str) -> Misplaced | None:
    """Explain a complaint of the YAML parser at ``offset`` where the indentation of that line is its cause, else None."""
    start = text.rfind("\n", 0, offset) + 1
    line = text[start:].split("\n", 1)[0]
    indent = len(line) - len(line.lstrip(" \t"))
    place = start + indent
    if "\t" in line[:indent]:
        return Misplaced(
            start, "a tab indents this line, and YAML takes blanks only", "put two blanks in place of each tab"
        )
    above = [part for part in text[:start].split("\n") if part.strip() and not part.lstrip().startswith("#")]
    columns = _open_columns(above)
    if not columns or ("expected <block end>" in problem and offset > place):
        return None
    if "expected <block end>" in problem and indent not in columns:
        wanted = " or ".join(map(str, columns))
        return Misplaced(
            place,
            f"this line is indented by {_blanks(indent)}, and no line that it could belong to is",
            f"lines that belong together begin in the same column: indent it by {wanted}",
        )
    if "expected <block end>" in problem:
        here, there = _kind(line), next(_kind(earlier) for earlier in reversed(above) if _indent(earlier) == indent)
        if here != there:
            return Misplaced(
                place,
                f"this line is {here}, and the one above that begins in its column is {there}",
                "indent a list further than the key that it belongs to; keys of one mapping begin in the same column",
            )
    if "mapping values are not allowed" in problem and indent > columns[0] and _has_value(above[-1]):
        return Misplaced(
            place,
            f'this line is indented further than "{above[-1].strip():.40}" above it, which has its value already',
            f"indent it by {columns[0]}, like that line",
        )
    return None


def _open_columns(above: list[str]) -> list[int]:
    """Return the columns in which the next line may go on, the innermost first."""
    columns: list[int] = []
    for line in reversed(above):
        indent = _indent(line)
        if not columns or indent < columns[-1]:
            columns.append(indent)
    return columns


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _kind(line: str) -> str:
    return "a list item" if line.lstrip().startswith("- ") or line.strip() == "-" else "a key"


def _has_value(line: str) -> bool:
    key, colon, value = line.partition(":")
    return bool(key.strip() and colon and value.strip() and value.strip()[0] not in "#|>&")


def _blanks(count: int) -> str:
    return f"{count} blank{'' if count == 1 else 's'}"
