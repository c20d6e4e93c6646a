"""Which characters Ollama keeps does not depend on the Unicode of this Python."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from modelsmith.syntax.modelfile.printable import is_printable


@pytest.mark.parametrize(
    ("kept", "chars"),
    [
        (True, " a~é\u2800\u3164\ufe0f\u180b\u20e3\U0001f3fb\ufffc\ufffd\uff5c\u2581\U000e0100\u034f"),
        (False, "\0\t\n\r\x1b\x7f\x85\u00a0\u00ad\u0600\u061c\u1680\u180e\u2000\u200b\u200d\u2028\u202f\u2060\u3000"),
        (False, "\ue000\ufeff\ufff9\U000e0041\U000f0000\U0010ffff\u0378"),
        (True, "\U0001fae8\U0001fa75\u0cf3"),  # new in Unicode 15.0, which Go has
        (False, "\U0001fae9\u2ffc\U0001cc00"),  # new in 15.1 and 16.0, which Go has not
    ],
)
def test_examples(kept: bool, chars: str) -> None:
    assert {char: is_printable(char) for char in chars} == dict.fromkeys(chars, kept)


def test_python_with_the_same_unicode_agrees() -> None:
    known = [chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) != "Cn"]
    if unicodedata.unidata_version <= "15.0.0":
        assert all(char.isprintable() == is_printable(char) for char in known)
    else:
        assert sum(is_printable(char) for char in known) == 148_998  # every printable character of 15.0
