"""What Ollama's own parser makes of it: its commands, or its error with its line."""

from __future__ import annotations

import pytest

from modelsmith.errors import UsageError
from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.syntax.modelfile.reading import INVALID_ROLE
from modelsmith.syntax.modelfile.table import invalid_command

COMMAND = invalid_command()


def read(text: str) -> list[tuple[str, str]] | str:
    reading = Modelfile.parse(text).as_ollama()
    if reading.error is not None:
        assert reading.commands is None
        return str(reading.error)
    return [tuple(command) for command in reading.commands or ()]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("SYSTEM a # b", "a # b"),
        ('SYSTEM "a"b"', 'a"b'),
        ('SYSTEM "a" "b"', 'a" "b'),
        ('SYSTEM "a\nb"', "a\nb"),
        ('SYSTEM "a\r\nb"', "a\r\nb"),
        ('SYSTEM ["a","b"]', '["a","b"]'),
        ('SYSTEM ""', ""),
        ('SYSTEM """"""', ""),
        ('SYSTEM """""""', '"'),
        ('SYSTEM """say "hi""""', 'say "hi"'),
        ('SYSTEM """a"""b\n"""', 'a"""b\n'),
        ('SYSTEM """x""" # note\nLICENSE """y"""', 'x""" # note\nLICENSE """y'),
        ("SYSTEM ", ""),
        ("SYSTEM \t ", ""),
        ("SYSTEM \t a\tb \t", "a\tb"),
        ("\u00a0SYSTEM a", "a"),
        ('SYSTEM "\u200b"\u200b"a"""', "a"),
        ("sYsTeM \\n", "\\n"),
        ("SYSTEM 'a b'", "'a b'"),
    ],
)
def test_values(line: str, value: str) -> None:
    assert read(f"FROM m\n{line}\n") == [("model", "m"), ("system", value)]
    assert read(f"FROM m\n{line}") == [("model", "m"), ("system", value)]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "no FROM line"),
        ("SYSTEM a", "no FROM line"),
        ("FROM", "unexpected EOF"),
        ("FROM\n", f"(line 2): {COMMAND}"),
        ("FROM a\r\n\r\nBAD x", f"(line 5): {COMMAND}"),
        ("EMBED a\n", f"(line 1): {COMMAND}"),
        ("1x a\n", f"(line 1): {COMMAND}"),
        ("\u00a0 FROM m", f"(line 1): {COMMAND}"),
        ("FROM a\nSYSTEM \ntext", "unexpected EOF"),
        ("FROM a\nSYSTEM \ntext\n", f"(line 4): {COMMAND}"),
        ("FROM a\nMESSAGE tool hi", f"(line 2): {INVALID_ROLE}"),
        ("FROM a\nMESSAGE  user hi", f"(line 2): {INVALID_ROLE}"),
        ("FROM a\nMESSAGE user: hi", "unexpected EOF: user"),
        ("FROM a\nPARAMETER stop\n", "unexpected EOF: stop"),
        ("FROM a\nPARAMETER stop", "unexpected EOF"),
        ("FROM a\nPARAMETER top-k 1\n", "unexpected EOF: top"),
        ('FROM a\nSYSTEM "x" # note\n', "unexpected EOF"),
        ('FROM a\nSYSTEM """""\n', "unexpected EOF"),
        ('FROM a\nSYSTEM """one """\ntwo"""\n', f"(line 3): {COMMAND}"),
    ],
)
def test_errors(text: str, error: str) -> None:
    assert read(text) == error


def test_an_error_has_message_and_line() -> None:
    error = Modelfile.parse("FROM a\n\nBAD x").as_ollama().error
    assert error is not None
    assert (error.message, error.line) == (COMMAND, 3)


def test_two_blanks_make_an_empty_name() -> None:
    assert read("FROM m\nPARAMETER  stop x") == [("model", "m"), ("", "stop x")]


def test_commands_have_names() -> None:
    reading = Modelfile.parse("FROM m\nMESSAGE user a: b").as_ollama()
    assert reading.commands is not None
    assert reading.commands[1].name == "message"
    assert reading.commands[1].args == "user: a: b"


@pytest.mark.parametrize(
    ("line", "since", "before"),
    [
        ("RENDERER x", "0.12.0", "0.11.11"),
        ("PARSER x", "v0.12", "0.11.0"),
        ("REQUIRES 1", "0.14.0-rc0", "0.13.5"),
        ("DRAFT x", "0.23.1", "0.23.0"),
    ],
)
def test_older_versions_know_fewer_instructions(line: str, since: str, before: str) -> None:
    modelfile = Modelfile.parse(f"FROM m\n{line}\n")
    assert modelfile.as_ollama(since).error is None
    error = modelfile.as_ollama(before).error
    assert error is not None
    assert error.line == 2
    assert line.split(maxsplit=1)[0].lower() not in error.message


def test_the_error_of_old_versions_names_their_instructions() -> None:
    error = Modelfile.parse("BAD x").as_ollama("0.11.0").error
    assert error is not None
    assert error.message == (
        'command must be one of "from", "license", "template", "system", "adapter", "parameter", or "message"'
    )


def test_a_version_that_is_none() -> None:
    with pytest.raises(UsageError):
        Modelfile.parse("FROM m").as_ollama("new")


def test_what_counts() -> None:
    modelfile = Modelfile.parse(
        "FROM a\nFROM b\nSYSTEM x\nSYSTEM y\nPARAMETER stop 1\nPARAMETER top_k 1\nPARAMETER stop 2\nPARAMETER top_k 2\n"
        "PARAMETER mirostat 1\nADAPTER p\nADAPTER q\nLICENSE l\nLICENSE m\nMESSAGE user hi\nMESSAGE assistant ho\n"
    )
    assert (modelfile.from_, modelfile.system, modelfile.adapters) == ("b", "y", ("q",))
    assert modelfile.parameters == {"stop": ["1", "2"], "top_k": ["2"]}
    assert modelfile.licenses == ("l", "m")
    assert modelfile.messages == (("user", "hi"), ("assistant", "ho"))
    assert modelfile.template is modelfile.renderer is modelfile.parser is modelfile.requires is modelfile.draft is None
