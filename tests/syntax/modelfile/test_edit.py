"""Edits change what they are about, and nothing else."""

from __future__ import annotations

import pytest

from modelsmith.errors import InvalidParameter, ModelfileRefused, ModelsmithError, UnquotableValue
from modelsmith.syntax.modelfile.modelfile import Modelfile

PARSE = Modelfile.parse


def test_a_value_is_replaced_in_place_with_its_layout() -> None:
    text = "# head\nfrom   a \t\n\nParameter  \n"
    assert str(PARSE(text).set_from("b")) == "# head\nfrom   b \t\n\nParameter  \n"


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("SYSTEM a", "b", "SYSTEM b"),
        ("SYSTEM a", "b\nc", 'SYSTEM """b\nc"""'),
        ("SYSTEM a", "", 'SYSTEM ""'),
        ("SYSTEM a", " b", 'SYSTEM " b"'),
        ("SYSTEM a", '"b"', 'SYSTEM """"b""""'),
        ('SYSTEM "a"', "b", 'SYSTEM "b"'),
        ('SYSTEM "a"', "b\nc", 'SYSTEM """b\nc"""'),
        ('SYSTEM """a"""  ', "b", 'SYSTEM """b"""  '),
        ('SYSTEM """\na\n"""', "\nb\n", 'SYSTEM """\nb\n"""'),
        ('SYSTEM """a"""', 'say """\nx', None),
        ('SYSTEM "a"', 'b "c" d', 'SYSTEM b "c" d'),
        ('SYSTEM """a"""', 'b"""', 'SYSTEM """b""""""'),
        ("SYSTEM ", "b", "SYSTEM b"),
        ("SYSTEM  \t", "b", "SYSTEM  \tb"),
        ("SYSTEM a", "a", "SYSTEM a"),
    ],
)
def test_quotes_follow_the_value(before: str, value: str, after: str | None) -> None:
    modelfile = PARSE(f"FROM m\n{before}\nLICENSE x\n")
    if after is None:
        with pytest.raises(UnquotableValue):
            modelfile.set_system(value)
        return
    assert str(modelfile.set_system(value)) == f"FROM m\n{after}\nLICENSE x\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_new_lines_have_the_line_end_of_the_file(end: str) -> None:
    text = f"FROM m{end}PARAMETER stop a{end}# end{end}"
    edited = PARSE(text).append_parameter("stop", "b").set_system("hi")
    assert str(edited) == f"FROM m{end}SYSTEM hi{end}PARAMETER stop a{end}PARAMETER stop b{end}# end{end}"


def test_a_missing_final_line_end_stays_missing() -> None:
    assert str(PARSE("FROM m").set_system("a").append_message("user", "b")) == "FROM m\nSYSTEM a\nMESSAGE user b"


@pytest.mark.parametrize(
    ("text", "edited"),
    [
        ("", "SYSTEM x\n"),
        ("\ufeff", "\ufeffSYSTEM x\n"),
        ("# only a comment", "# only a comment\nSYSTEM x\n"),
        ("\n", "\nSYSTEM x\n"),
        ("FROM m\n\nPARAMETER top_k 1\n", "FROM m\nSYSTEM x\n\nPARAMETER top_k 1\n"),
        ("# c\n  PARAMETER top_k 1\nMESSAGE user a\n", "# c\nSYSTEM x\n  PARAMETER top_k 1\nMESSAGE user a\n"),
        ('TEMPLATE """\n{{ .Prompt }}\n"""  \nFROM m \n', 'TEMPLATE """\n{{ .Prompt }}\n"""  \nFROM m \nSYSTEM x\n'),
        ('FROM m\nTEMPLATE "open\n', 'FROM m\nSYSTEM x\nTEMPLATE "open\n'),
    ],
)
def test_where_a_new_instruction_goes(text: str, edited: str) -> None:
    assert str(PARSE(text).set_system("x")) == edited


def test_from_goes_first() -> None:
    assert str(PARSE("# c\nSYSTEM x\n").set_from("m")) == "# c\nFROM m\nSYSTEM x\n"


def test_a_new_parameter_goes_to_the_others() -> None:
    text = "FROM m\nPARAMETER top_k 1\nSYSTEM x\n"
    assert str(PARSE(text).set_parameter("seed", 7)) == "FROM m\nPARAMETER top_k 1\nPARAMETER seed 7\nSYSTEM x\n"


def test_after_set_one_is_left_and_it_counts() -> None:
    text = "FROM m\nSYSTEM a\n# why b\nSYSTEM b\nPARAMETER top_k 1\nPARAMETER top_k 2\n"
    edited = PARSE(text).set_system("c").set_parameter("top_k", 3)
    assert str(edited) == "FROM m\n# why b\nSYSTEM c\nPARAMETER top_k 3\n"


def test_unset_removes_whole_lines_and_keeps_comments() -> None:
    text = 'FROM m\r\n# s\r\n  SYSTEM """a\r\nb""" \t\r\n\r\nPARAMETER stop a\r\nPARAMETER stop b'
    edited = PARSE(text).unset_system().unset_parameter("stop")
    assert str(edited) == "FROM m\r\n# s\r\n\r\n"
    assert edited.unset_system() == edited


def test_lists_are_rewritten_line_by_line() -> None:
    text = 'FROM m\nPARAMETER stop a\n# b\nPARAMETER stop "b"\nPARAMETER stop c\n'
    modelfile = PARSE(text)
    assert str(modelfile.set_parameter("stop", "a", "x")) == 'FROM m\nPARAMETER stop a\n# b\nPARAMETER stop "x"\n'
    assert str(modelfile.set_parameter("stop", "a", "b", "c", "d")) == text + "PARAMETER stop d\n"
    assert str(modelfile.set_parameter("stop")) == "FROM m\n# b\n"


def test_messages_and_licenses() -> None:
    modelfile = PARSE("FROM m\nMESSAGE user a\nMESSAGE assistant b\n")
    edited = modelfile.set_messages([("system", "a"), ("assistant", " b"), ("user", "c")]).set_license("MIT", "Apache")
    assert str(edited) == (
        'FROM m\nLICENSE MIT\nLICENSE Apache\nMESSAGE system a\nMESSAGE assistant " b"\nMESSAGE user c\n'
    )
    assert str(edited.set_messages([]).unset_license()) == "FROM m\n"


def test_every_plain_instruction_can_be_set_and_unset() -> None:
    modelfile = PARSE("FROM m\n")
    edited = (
        modelfile.set_template("t")
        .set_adapter("a")
        .set_draft("d")
        .set_renderer("r")
        .set_parser("p")
        .set_requires("v0.14.0")
    )
    assert str(edited) == "FROM m\nREQUIRES v0.14.0\nADAPTER a\nDRAFT d\nTEMPLATE t\nRENDERER r\nPARSER p\n"
    unset = edited.unset_template().unset_adapter().unset_draft().unset_renderer().unset_parser().unset_requires()
    assert unset == modelfile


def test_encodings_are_kept() -> None:
    data = b"\xff\xfe" + "FROM m\r\nSYSTEM ä\r\n".encode("utf-16-le")
    assert bytes(PARSE(data).set_system("ö")) == b"\xff\xfe" + "FROM m\r\nSYSTEM ö\r\n".encode("utf-16-le")
    assert bytes(PARSE(b"\xef\xbb\xbfSYSTEM \xff\n").set_from("m")) == b"\xef\xbb\xbfFROM m\nSYSTEM \xff\n"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((True,), "true"),
        ((0.6,), "0.6"),
        ((1.0,), "1"),
        ((1e-07,), "1e-07"),
        ((10**6,), "1000000"),
        (("0.70",), "0.70"),
    ],
)
def test_values_are_written_so_that_ollama_reads_them(values: tuple[object, ...], text: str) -> None:
    name = "use_mmap" if values == (True,) else "temperature"
    assert PARSE("FROM m").set_parameter(name, *values).parameters == {name: [text]}  # type: ignore[arg-type]


def test_parameters_that_ollama_refuses() -> None:
    modelfile = PARSE("FROM m\n")
    with pytest.raises(InvalidParameter, match="unknown parameter 'temprature'"):
        modelfile.set_parameter("temprature", 1)
    with pytest.raises(InvalidParameter, match="unknown parameter 'temprature'"):
        modelfile.set_parameter("temprature")
    with pytest.raises(InvalidParameter, match="invalid int value"):
        modelfile.set_parameter("num_ctx", "4k")
    with pytest.raises(InvalidParameter, match="takes one value"):
        modelfile.set_parameter("num_ctx", 1, 2)
    with pytest.raises(InvalidParameter, match="has one value"):
        modelfile.append_parameter("num_ctx", 1)
    assert str(modelfile.set_parameter("mirostat", 1)) == "FROM m\nPARAMETER mirostat 1\n"
    assert str(PARSE("FROM m\nPARAMETER tfs_z 1\n").unset_parameter("tfs_z")) == "FROM m\n"


def test_values_that_no_quoting_carries() -> None:
    modelfile = PARSE("FROM m\n")
    with pytest.raises(UnquotableValue, match=r'line 2 of the value ends with """') as caught:
        modelfile.set_system('a\nb""" \nc')
    assert caught.value.hint
    with pytest.raises(UnquotableValue, match=r"line 2, column 3 of the value is U\+200D \(ZERO WIDTH JOINER\)"):
        modelfile.set_system("a\nbc\u200dd")
    with pytest.raises(UnquotableValue, match=r"U\+0000"):
        modelfile.set_system("\0")
    with pytest.raises(UnquotableValue, match=r"U\+D800"):
        modelfile.set_system("\ud800")
    with pytest.raises(UnquotableValue, match="tool"):
        modelfile.append_message("tool", "x")
    with pytest.raises(ModelsmithError, match="REQUIRES"):
        modelfile.set_requires(">=0.14")


def test_a_broken_line_is_written_anew() -> None:
    assert str(PARSE("FROM m\nPARAMETER top_k\n").set_parameter("top_k", 4)) == "FROM m\nPARAMETER top_k 4\n"
    assert str(PARSE("FROM m\nMESSAGE User hi\n").set_messages([("user", "hi")])) == "FROM m\nMESSAGE user hi\n"


def test_a_quote_that_is_never_closed_is_not_guessed_at() -> None:
    with pytest.raises(ModelfileRefused, match="SYSTEM on line 2"):
        PARSE('FROM m\nSYSTEM """a\nPARAMETER top_k 1\n').set_system("b")
