"""The frame of a page: everything inside, nothing loaded from elsewhere.

A page allows itself its own style and script, by their hashes, and nothing more (W3C Content Security Policy Level 3).
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING

from modelsmith.about import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable

START = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="modelsmith">"""
"""How every page begins, and by which an older one is known."""


def html_page(
    title: str, body: Iterable[str], *, style: str, script: str = "", classes: str = "", foot: str = ""
) -> str:
    """Return a page. ``title`` and ``foot`` are texts, ``body`` is markup; the same arguments give the same bytes."""
    allowed = f"style-src {_hash(style)}; " + (f"script-src {_hash(script)}; " if script else "")
    return "\n".join(
        (
            START,
            f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; {allowed}base-uri 'none'; form-action 'none'\">",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{style}</style>\n</head>",
            f'<body class="{classes}">' if classes else "<body>",
            *body,
            f"<footer>modelsmith {escape(__version__)} · {escape(foot)}{' · ' * bool(foot)}this page is whole and loads nothing</footer>",
            f"<script>{script}</script>\n</body>\n</html>\n" if script else "</body>\n</html>\n",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
