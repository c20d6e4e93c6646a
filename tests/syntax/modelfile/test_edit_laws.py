"""Laws of edits, on drawn files and values."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import example, given
from hypothesis import strategies as st
from modelfile_strategies import accepted, files, odd_values, values

from modelsmith.errors import ModelsmithError, UnquotableValue
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.syntax.modelfile.reading import ModelfileCommand

Edit = Callable[[Modelfile], Modelfile]
SCALARS = {
    "model": Modelfile.set_from,
    "system": Modelfile.set_system,
    "template": Modelfile.set_template,
    "adapter": Modelfile.set_adapter,
    "draft": Modelfile.set_draft,
    "renderer": Modelfile.set_renderer,
    "parser": Modelfile.set_parser,
}


def commands(modelfile: Modelfile) -> list[ModelfileCommand]:
    reading = modelfile.as_ollama()
    assert reading.commands is not None, reading.error
    return list(reading.commands)


def check(before: Modelfile, edit: Edit, name: str, expected: list[str]) -> None:
    """After the edit Ollama reads ``expected`` for ``name``, all else is as it was, and so do the written bytes."""
    try:
        after = edit(before)
    except UnquotableValue:
        return
    read = commands(after)
    assert [command.args for command in read if command.name == name] == expected
    assert [each for each in read if each.name != name] == [each for each in commands(before) if each.name != name]
    assert [each.text for each in after.comments] == [each.text for each in before.comments]
    assert commands(Modelfile.parse(bytes(after))) == read
    assert edit(after) == after or not name


@given(accepted(), st.sampled_from(sorted(SCALARS)), odd_values)
def test_ollama_reads_back_exactly_what_was_set(text: str, name: str, value: str) -> None:
    check(Modelfile.parse(text), lambda modelfile: SCALARS[name](modelfile, value), name, [value])


@given(accepted(), st.lists(values, max_size=3))
def test_stops(text: str, stops: list[str]) -> None:
    check(Modelfile.parse(text), lambda modelfile: modelfile.set_parameter("stop", *stops), "stop", stops)


@given(accepted(), st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), values), max_size=3))
def test_messages(text: str, messages: list[tuple[str, str]]) -> None:
    expected = [f"{role}: {content}" for role, content in messages]
    check(Modelfile.parse(text), lambda modelfile: modelfile.set_messages(messages), "message", expected)


@given(accepted(), st.lists(values, max_size=3))
def test_licenses(text: str, licenses: list[str]) -> None:
    check(Modelfile.parse(text), lambda modelfile: modelfile.set_license(*licenses), "license", licenses)


@given(accepted())
def test_setting_what_is_there_changes_nothing(text: str) -> None:
    modelfile = Modelfile.parse(text)
    assert modelfile.set_messages(modelfile.messages) == modelfile
    assert modelfile.set_parameter("stop", *modelfile.parameters.get("stop", ())) == modelfile
    if len(modelfile.find("SYSTEM")) == 1:
        assert modelfile.set_system(modelfile.system or "") == modelfile


@given(accepted(), st.sampled_from(["utf-16-le", "utf-16-be"]), values)
def test_utf_16_stays_utf_16(text: str, codec: str, value: str) -> None:
    data = "\ufeff".encode(codec) + text.removeprefix("\ufeff").encode(codec)
    try:
        after = Modelfile.parse(data).set_system(value)
    except UnquotableValue:
        return
    assert bytes(after).startswith("\ufeff".encode(codec))
    assert ("system", value) in commands(Modelfile.parse(bytes(after)))


@given(files(), values)
@example(b"\xff\xfeF\x00R\x00O\x00M\x00 \x00\xffm\x00\n\x00\xd8\x00", "")
def test_edits_of_any_file_never_crash(data: bytes, value: str) -> None:
    modelfile = Modelfile.parse(data)
    for edit in (*SCALARS.values(), Modelfile.append_license):
        try:
            after = edit(modelfile, value)
        except ModelsmithError:
            continue
        assert Modelfile.parse(bytes(after)).as_ollama() == after.as_ollama()
