"""Reading without loss: every byte is kept, every character has one terminal, every node knows its place."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from modelfile_strategies import files, texts

from modelsmith.syntax.modelfile.modelfile import Modelfile
from modelsmith.syntax.modelfile.nodes import Comment, Flaw, Instruction, Unreadable
from modelsmith.syntax.modelfile.parse import parsed
from modelsmith.syntax.modelfile.text import Characters, Encoding, decode, encode

SAMPLE = """\
# a model
FROM llama3

PARAMETER stop "<|end|>"  \n\
message user hi there
SYSTEM \"\"\"
You "are" here.
\"\"\"\t
"""


@given(st.one_of(texts, st.text(max_size=40)))
@example("")
@example("\ufeff")
@example("\ufeff\ufeff")
@example("\ud800")
@example("\udcc3\udca9")
def test_no_character_is_lost(text: str) -> None:
    modelfile = Modelfile.parse(text)
    assert str(modelfile) == text
    if not any("\ud800" <= char <= "\udfff" for char in text):
        assert bytes(modelfile) == text.encode()
        assert str(Modelfile.parse(bytes(modelfile))) == text


@given(st.one_of(files(), st.binary(max_size=40)))
@example(b"\xff\xfe")
@example(b"\xff\xfea")
@example(b"\xff\xfe\x00\xd8")
@example(b"\xef\xbb\xbf")
@example(b"\xff")
def test_no_byte_is_lost(data: bytes) -> None:
    assert bytes(Modelfile.parse(data)) == data


@given(st.one_of(texts, st.text(max_size=40)))
def test_terminals_tile_the_text(text: str) -> None:
    masked = Characters.of(text, Encoding()).masked
    assert len(masked) == len(text)
    tokens = [token for item in parsed(masked) for token in (item if isinstance(item, list) else [item])]
    assert "".join(tokens) == masked
    place = 0
    for token in tokens:
        assert token.start_pos == place
        place = token.end_pos


@given(texts)
def test_spans_point_at_what_they_name(text: str) -> None:
    modelfile = Modelfile.parse(text)
    end = 0
    for node in modelfile.nodes:
        assert end <= node.span.start < node.span.end <= len(text)
        end = node.span.end
        if isinstance(node, Comment | Unreadable):
            assert node.span.of(text) == node.text
            continue
        assert node.keyword_span.of(text).upper() == node.keyword
        assert node.span.start == node.keyword_span.start
        if node.name_span is not None:
            assert node.name_span.of(text) == node.name
        assert node.span.end == node.quoted_span.end
        quoted = node.quoted_span.of(text)
        if node.quote and node.fault is None:
            # dropped characters may stand between the three quotes
            assert quoted.replace("\0", "").count('"') >= 2 * len(node.quote)
            assert quoted.startswith('"')
            assert quoted.endswith('"')
        if node.quote == '"' and node.fault is None:
            assert quoted == f'"{node.value_span.of(text)}"'


@given(files())
def test_what_cannot_be_read_is_diagnosed_and_stops_ollama(data: bytes) -> None:
    modelfile = Modelfile.parse(data)
    reading = modelfile.as_ollama()
    assert bool(modelfile.diagnostics) <= (reading.error is not None)
    for diagnostic in modelfile.diagnostics:
        assert diagnostic.span.end <= len(modelfile.text)
        assert diagnostic.message
        assert diagnostic.code in set(Flaw)


def test_nodes_of_a_sample() -> None:
    modelfile = Modelfile.parse(SAMPLE)
    assert [type(node) for node in modelfile.nodes] == [Comment] + [Instruction] * 4
    assert [node.command for node in modelfile.instructions] == [
        ("model", "llama3"),
        ("stop", "<|end|>"),
        ("message", "user: hi there"),
        ("system", '\nYou "are" here.\n'),
    ]
    stop = modelfile.instructions[1]
    assert (stop.keyword, stop.name, stop.quote) == ("PARAMETER", "stop", '"')
    assert stop.span.of(SAMPLE) == 'PARAMETER stop "<|end|>"'
    assert stop.name_span is not None
    assert stop.name_span.of(SAMPLE) == "stop"
    assert stop.value_span.of(SAMPLE) == "<|end|>"
    assert stop.quoted_span.of(SAMPLE) == '"<|end|>"'
    assert modelfile.instructions[3].quote == '"""'
    assert modelfile.comments[0].text == "# a model"


@pytest.mark.parametrize(
    ("text", "code", "place", "message"),
    [
        ("FORM x", "unknown-instruction", "FORM", 'unknown instruction "FORM"; did you mean "FROM"?'),
        ("XYZZY x", "unknown-instruction", "XYZZY", 'unknown instruction "XYZZY"'),
        ("SYSTEM", "not-an-instruction", "SYSTEM", "SYSTEM has no value"),
        ("FROM: x", "not-an-instruction", ":", '"FROM" is followed by ":"; a space or a tab must come first'),
        ("two words\nhere", "not-an-instruction", "here", "this line is not an instruction"),
        ("PARAMETER ", "broken-name", "PARAMETER", "PARAMETER has no name"),
        ("PARAMETER stop", "broken-name", "stop", "PARAMETER stop has no value"),
        ("PARAMETER top-k 1", "broken-name", "-", 'the name "top" is followed by "-"; a space must come first'),
        ("MESSAGE user: hi", "broken-name", ":", 'the role "user" is followed by ":"; a space must come first'),
        ("MESSAGE User hi", "invalid-role", "User", '"User" is not a role'),
        ("MESSAGE  user hi", "invalid-role", "", "MESSAGE has no role"),
        ('SYSTEM "a', "unclosed-quote", '"', 'the " opened here is never closed'),
        ('SYSTEM """a" "', "unclosed-quote", '"""', 'the """ opened here is never closed'),
    ],
)
def test_diagnostics(text: str, code: str, place: str, message: str) -> None:
    diagnostic = Modelfile.parse(text).diagnostics[-1]
    assert (diagnostic.code, diagnostic.span.of(text), diagnostic.message) == (code, place, message)
    assert diagnostic.hint or diagnostic.fix


def test_a_misspelled_word_keeps_its_lines_together() -> None:
    modelfile = Modelfile.parse('SYSTM """\nFROM here\n"""\nFROM m\n')
    assert [each.command for each in modelfile.instructions] == [("systm", "\nFROM here\n"), ("model", "m")]
    assert len(modelfile.diagnostics) == 1


def test_fixes_of_diagnostics_can_be_applied() -> None:
    modelfile = Modelfile.parse("FORM x\nMESSAGE User hi\n")
    edits = [edit for diagnostic in modelfile.diagnostics if diagnostic.fix for edit in diagnostic.fix.edits]
    assert str(modelfile.edit(edits)) == "FROM x\nMESSAGE user hi\n"


def test_ollama_reads_broken_bytes_as_go_does() -> None:
    def system(data: bytes) -> str | None:
        return Modelfile.parse(data).system

    assert system(b"SYSTEM a\xe2\x82b") == "a\ufffdb"
    assert system(b"\xef\xbb\xbfSYSTEM a\xe2\x82b") == "a\ufffd\ufffdb"
    assert system(b"\xff\xfe" + "SYSTEM a".encode("utf-16-le") + b"\x00\xd8") == "a\ufffd"
    assert system(b"\xff\xfe" + "SYSTEM a".encode("utf-16-le") + b"\n") == "a\ufffd"
    assert system("SYSTEM a\u200b\u00a0b\0".encode()) == "ab"


@given(st.binary(max_size=12), st.sampled_from([b"", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"]))
def test_encodings_go_both_ways(data: bytes, mark: bytes) -> None:
    assert encode(*decode(mark + data)) == mark + data


def test_hostile_texts_take_linear_time() -> None:
    for text in ('FOO """x\n' * 3000, 'SYSTEM "' + '"\t' * 30_000, "\0 " * 30_000, 'FROM "' + '"\0' * 30_000 + "x"):
        assert str(Modelfile.parse(text)) == text
