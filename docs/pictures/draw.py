"""Draw the pictures of the docs: what commands really print on a terminal, as SVG. With --check: whether they are still true.

python docs/pictures/draw.py            draws lint.svg, force-think.svg and fit.svg beside this file
python docs/pictures/draw.py --check    exit 1 where one of them is not what the command prints today
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from io import StringIO
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

HERE = Path(__file__).parent
COLUMNS = 100
MODELFILE = """\
FROM llama3.2:3b
PARAMETER temprature 0.6
PARAMETER num_ctx 8192   # more room
TEMPLATE "{{ if .System }}{{ .System }}{{ end }}{{ .Promt }}"
"""
THEME = TerminalTheme(
    (23, 28, 35),
    (228, 233, 238),
    [(23, 28, 35), (255, 138, 133), (95, 208, 124), (234, 181, 77), (121, 184, 255), (213, 160, 238), (118, 211, 220), (201, 209, 217)],
    [(110, 118, 129), (255, 160, 155), (126, 226, 150), (245, 200, 110), (150, 203, 255), (226, 179, 247), (150, 226, 233), (255, 255, 255)],
)  # fmt: skip


class Picture(NamedTuple):
    """A command, and how many lines of what it prints are shown (0: all)."""

    command: str
    lines: int = 0


PICTURES = {
    "lint": Picture("modelsmith lint Modelfile"),
    "force-think": Picture("modelsmith plan force-think --set base=sample:deepseek-r1 --store ./models -v", 46),
    "fit": Picture("modelsmith fit --shape deepseek-r1:32b --vram 24G --ctx 4k,16k,32k"),
}


def printed(command: str) -> str:
    """Return what a command prints on a terminal of COLUMNS columns, colours and all, in a folder with MODELFILE."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Modelfile").write_text(MODELFILE, "utf-8")
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "XDG_CACHE_HOME": f"{folder}/.cache",
            "TERM": "xterm-256color",
            "COLUMNS": str(COLUMNS),
            "LANG": "C.UTF-8",
        }
        words = [sys.executable, "-m", *command.split()]
        started = subprocess.Popen(words, cwd=folder, env=environment, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        said = b""
        while True:
            try:
                more = os.read(master, 1 << 16)
            except OSError:
                break  # the command has closed its end
            if not more:
                break
            said += more
        os.close(master)
        started.wait()
    text = said.decode().replace("\r\n", "\n").replace(folder, "~")
    text = re.sub(r"; planned in [0-9.]+ s", "", text)  # another number each time
    return re.sub(r"\x1b\[\?[0-9;]*[a-zA-Z]|\x1b\[[0-9;]*[A-HJKf]", "", text)


def draw(name: str) -> str:
    """Return a picture as SVG; it loads nothing from elsewhere."""
    picture = PICTURES[name]
    lines = Text.from_ansi(printed(picture.command)).split("\n")
    shown = [*lines][: picture.lines or None]
    console = Console(
        record=True, width=COLUMNS, file=StringIO(), force_terminal=True, color_system="truecolor", legacy_windows=False
    )
    console.print(Text.assemble(("$ ", "bold green"), (picture.command, "bold")))
    for line in shown:
        console.print(line, soft_wrap=False, overflow="fold")
    if len(shown) < len(lines):
        console.print(Text("…", "dim"))
    svg = console.export_svg(title="", theme=THEME, unique_id=f"modelsmith-{name}")
    svg = re.sub(r"@font-face \{.*?\}\n", "", svg, flags=re.DOTALL)
    svg = svg.replace("Fira Code", "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main() -> int:
    """Draw or check all pictures."""
    stale = []
    for name in PICTURES:
        path, svg = HERE / f"{name}.svg", draw(name)
        if not path.exists() or path.read_text("utf-8") != svg:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(svg, "utf-8")
    verb = "not true any more" if "--check" in sys.argv else "drawn"
    sys.stdout.write(f"{verb}: {', '.join(stale) or 'nothing'}\n")
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
