"""What tests find around them: the same, whoever runs them where."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

OF_WHO_RUNS_THEM = re.compile(
    r"(?:OLLAMA|MODELSMITH|XDG|HF|HUGGING_?FACE|GIT|GITHUB|LC|DOCKER)_.*|.*_PROXY|PYTHON(?:IOENCODING|UTF8|WARNINGS)"
    r"|(?:NO|FORCE)_COLOR|CLICOLOR.*|TTY_COMPATIBLE|COLUMNS|LINES|CI|LANGUAGE|PAGER|EDITOR|VISUAL|SOURCE_DATE_EPOCH",
    re.IGNORECASE,
)
"""Variables that something listens to and that a machine or its user may have set; a test that needs one sets it."""


@contextmanager
def same_surroundings(home: Path) -> Iterator[None]:
    """Set the home (an empty folder), environment, time zone, umask and signals of this process and of those that it starts."""
    umask = os.umask(0o022)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:  # as a shell does to what runs in the background, and nohup
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    with pytest.MonkeyPatch.context() as patch:
        for name in filter(OF_WHO_RUNS_THEM.fullmatch, list(os.environ)):
            patch.delenv(name)
        for name, value in {"HOME": str(home), "LANG": "C.UTF-8", "TZ": "UTC", "TERM": "xterm"}.items():
            patch.setenv(name, value)
        time.tzset()
        yield
    time.tzset()
    os.umask(umask)
