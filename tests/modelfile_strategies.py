"""Hypothesis strategies: texts that are Modelfiles, nearly Modelfiles, or bytes that nobody should call one."""

from __future__ import annotations

from hypothesis import strategies as st

KEYWORDS = ("FROM", "from", "SYSTEM", "TEMPLATE", "LICENSE", "ADAPTER", "DRAFT", "RENDERER", "PARSER", "REQUIRES")
ODD = ("\0", "\u00a0", "\u200b", "\ufeff", "\u3000", "\x85", "\u2028", "\ue000", "é", "\U0001f468\u200d\U0001f469")
ATOMS = (
    *KEYWORDS, "PARAMETER", "MESSAGE", "FOO", "1x", "#", "# note", " ", "  ", "\t", " ", " ", "\n", "\n", "\r", "\r\n",
    '"', '"', '""', '"""', '"""', '""""', "a", "b c", "user", "assistant", "stop", "top_k", "t-x", "=", ":", *ODD,
)  # fmt: skip

fragments = st.lists(st.sampled_from(ATOMS), max_size=16).map("".join)
texts = st.tuples(st.sampled_from(["", "FROM m\n", "\ufeffFROM m\n", "FROM m\nSYSTEM "]), fragments).map("".join)

values = st.lists(st.sampled_from(['"', '"""', " ", "\t", "\n", "\r", "a", "é", "#", "b c", "FROM x"]), max_size=7).map(
    "".join
)
odd_values = st.one_of(values, st.text(max_size=8))


@st.composite
def accepted(draw: st.DrawFn) -> str:
    """Draw a text that Ollama accepts, with odd layout and mixed line ends."""
    lines = draw(st.permutations(["FROM m", *draw(st.lists(st.sampled_from(_LINES), max_size=6))]))
    text = "".join(line + draw(st.sampled_from(["\n", "\r\n", "\n\n", " \t\n", "\r"])) for line in lines)
    return draw(st.sampled_from(["", "\ufeff", "# head\n", "\n \n"])) + text.rstrip(draw(st.sampled_from(["", "\r\n"])))


_LINES = (
    "# a comment",
    "  # indented",
    "SYSTEM hi",
    'system  "quoted"',
    'SYSTEM """\ntwo\nlines\n"""',
    "TEMPLATE {{ .Prompt }}",
    'TEMPLATE """{{ .System }}\r\n{{ .Prompt }}"""',
    "PARAMETER stop a",
    '\tPARAMETER stop " b "',
    "parameter temperature 0.7",
    "PARAMETER temperature   1",
    "LICENSE MIT",
    "LICENSE ",
    "MESSAGE user hi: there",
    'MESSAGE assistant ""',
    "ADAPTER ./a",
    "\u00a0RENDERER x",
    "REQUIRES 0.14.0",
    "FROM other",
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Draw the bytes of a file in one of the encodings that Ollama knows, or damaged."""
    text = draw(texts)
    data = draw(
        st.sampled_from(
            [
                text.encode(),
                b"\xef\xbb\xbf" + text.encode(),
                b"\xff\xfe" + text.encode("utf-16-le"),
                b"\xfe\xff" + text.encode("utf-16-be"),
            ]
        )
    )
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(data)))
        data = data[:place] + draw(st.sampled_from(BROKEN)) + data[place:]
    return data


BROKEN = (b"", b"\xff", b"\x80", b"\xe2\x82", b"\xf0\x9f", b"\xed\xa0\x80", b"\xc0\xaf", b"\x00", b"\x00\xd8")
