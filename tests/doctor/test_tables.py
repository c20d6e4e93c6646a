"""The tables agree with each other, and with a real ``ollama`` where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from modelsmith.doctor.api_fields import FIELDS, METHODS, PATHS
from modelsmith.doctor.inventions import FLAGS, FLAGS_OF, OTHER_PROGRAMS, SUBCOMMANDS
from modelsmith.doctor.inventions import VARIABLES as INVENTED
from modelsmith.doctor.ollama_commands import COMMANDS, exists
from modelsmith.doctor.ollama_variables import VARIABLES
from modelsmith.parameters import PARAMETERS
from modelsmith.versions import Version, resolve


def test_inventions_are_not_real() -> None:
    assert not set(SUBCOMMANDS) & set(COMMANDS)
    assert not set(INVENTED) & set(VARIABLES)
    assert not set(INVENTED) & set(OTHER_PROGRAMS)
    assert not set(PATHS) & set(METHODS)
    assert set(FIELDS) <= set(METHODS)
    for (command, flag), invention in FLAGS_OF.items():
        row = COMMANDS[command].flag(flag)
        assert row is None or not exists(row, Version.parse("0.33")), (command, flag)
        assert invention.meant or invention.parameter in PARAMETERS


def test_every_invention_says_what_was_meant() -> None:
    for name, invention in (FLAGS | INVENTED).items():
        assert invention.meant or invention.parameter in PARAMETERS, name
        for variable in re.findall(r"OLLAMA_\w+", invention.meant):
            assert variable in VARIABLES, (name, variable)


@pytest.mark.ollama
@pytest.mark.skipif(shutil.which("ollama") is None, reason="no ollama on the PATH")
def test_flags_are_those_of_the_real_program() -> None:
    program = shutil.which("ollama") or ""
    printed = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    match = re.search(r"\d+\.\d+\.\d+", printed)
    if match is None or not resolve(match[0]).has("0.16"):
        pytest.skip("not a version that the tables tell apart here")
    version = resolve(match[0])  # one that was built from its sources says 0.0.0
    for command in set(COMMANDS.values()) - {COMMANDS["help"]}:
        if not exists(command, version):
            continue
        text = subprocess.run([program, command.name, "--help"], capture_output=True, text=True, check=False).stdout
        flags = set(re.findall(r"^ +(?:-\w, )?--([\w-]+)", text.partition("Flags:")[2], re.MULTILINE)) - {"help"}
        assert flags == {flag.name for flag in command.flags if exists(flag, version)}, command.name
