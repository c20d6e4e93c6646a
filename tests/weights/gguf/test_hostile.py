"""Every hostile file is refused, at the right byte, without a traceback and in little memory."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from hostile_ggufs import Hostile, hostile, sound
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelsmith.cli import run
from modelsmith.errors import InvalidGGUF, ModelsmithError
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.inspect.summary import Summary
from modelsmith.weights.gguf.metadata import GGUFArray
from modelsmith.weights.gguf.read.reader import scan_file
from modelsmith.weights.gguf.verify.verify import verify

MEBIBYTE = 1 << 20
CASES = list(hostile())


def written(case: Hostile, path: Path) -> Path:
    with path.open("wb") as file:
        file.write(case.data)
        if case.size:
            file.truncate(case.size)
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_file_is_refused_at_its_byte(case: Hostile, tmp_path: Path) -> None:
    path = written(case, tmp_path / "x.gguf")
    with pytest.raises(InvalidGGUF) as error:
        GGUFFile.open(path)
    found = verify(path)
    assert not found.ok
    fault = next(fault for fault in found.faults if fault.code == case.code)
    assert fault.offset is not None
    if case.offset is not None:
        assert fault.offset == case.offset
    assert fault.expected
    assert fault.hint
    assert error.value.offset is not None
    assert error.value.expected
    assert str(path) in error.value.message


def test_all_of_them_fit_into_a_hundred_megabytes(tmp_path: Path) -> None:
    for number, case in enumerate(CASES):
        written(case, tmp_path / f"{number}.gguf")
    code = f"""
import resource, sys
from pathlib import Path
from modelsmith.errors import InvalidGGUF
from modelsmith.weights.gguf.verify.verify import verify
from modelsmith.weights.gguf import GGUFFile
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {100 * MEBIBYTE},) * 2)
refused = 0
for path in sorted(Path(sys.argv[1]).iterdir()):
    assert not verify(path).ok
    try:
        GGUFFile.open(path)
    except InvalidGGUF:
        refused += 1
print(refused)
"""
    if not Path("/proc/self/statm").exists():
        pytest.skip("only Linux says how much memory is in use")
    done = subprocess.run([sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert int(done.stdout) == len(CASES)


def test_the_command_line_refuses_them_with_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for case in CASES[::7]:
        path = written(case, tmp_path / "x.gguf")
        assert run(["gguf", "verify", str(path), "--json"]) == 1
        found = json.loads(capsys.readouterr().out)
        assert case.code in {each["code"] for each in found["findings"]} | {"byte-split"}
        assert run(["gguf", "inspect", str(path)]) in {1, 3}
        assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [2, 3])
def test_the_file_that_they_are_made_from_is_sound(tmp_path: Path, order: str, version: int) -> None:
    data, _ = sound(order, version)
    path = tmp_path / "x.gguf"
    path.write_bytes(data)
    assert scan_file(path).faults == ()
    gguf = GGUFFile.open(path, any_order=True)
    assert gguf.is_big_endian is (order == ">")
    assert gguf.architecture == "llama"
    assert list(gguf.metadata["tokens"]) == ["x", "", "é"]
    assert (gguf.metadata["tokens"][2], gguf.metadata["numbers"][1], gguf.metadata["scale"]) == ("é", 8, 1.5)
    assert list(gguf.metadata["numbers"]) == [7, 8]
    assert [(each.name, each.dims, each.nbytes, each.offset) for each in gguf.tensors] == [
        ("a", (8, 2), 64, 0),
        ("b", (32,), 34, 64),
    ]
    numbers = struct.unpack(f"{order}16f", gguf.data_of(gguf.tensors[0]).read())
    assert numbers == tuple(map(float, range(16)))


def test_a_big_endian_file_is_looked_at_and_not_worked_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for magic in (b"GGUF", b"FUGG"):
        path = tmp_path / "big.gguf"
        path.write_bytes(magic + sound(">")[0][4:])
        with pytest.raises(InvalidGGUF, match="big-endian") as error:
            GGUFFile.open(path)
        assert error.value.offset == 4
        assert verify(path, deep=True).gguf is not None
        assert run(["gguf", "inspect", str(path)]) == 0
        assert "big-endian" in capsys.readouterr().out


def test_byte_orders_are_compared_by_their_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, order in (("big", ">"), ("same", ">"), ("little", "<")):
        (tmp_path / name).write_bytes(sound(order)[0])
    assert run(["gguf", "diff", str(tmp_path / "big"), str(tmp_path / "same")]) == 0
    assert "byte order" not in capsys.readouterr().out
    assert run(["gguf", "diff", str(tmp_path / "big"), str(tmp_path / "little")]) == 0
    out = capsys.readouterr().out
    assert "byte order: big-endian and little-endian" in out
    assert "their data was not compared" in out


@pytest.mark.parametrize("order", ["<", ">"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutations_raise_nothing_of_their_own(tmp_path: Path, order: str, data: st.DataObject) -> None:
    whole = bytearray(sound(order)[0])
    for _ in range(data.draw(st.integers(1, 5))):
        position = data.draw(st.integers(0, len(whole) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                whole[position] = data.draw(st.integers(0, 255))
            case 1:
                whole[position : position + 8] = struct.pack("<Q", data.draw(st.sampled_from(INTERESTING)))
            case 2:
                del whole[position : position + data.draw(st.integers(1, 16))]
            case _:
                whole[position:position] = data.draw(st.binary(min_size=1, max_size=16))
        if not whole:
            return
    path = tmp_path / "x.gguf"
    path.write_bytes(whole)
    found = verify(path, deep=True)
    json.dumps(found.to_dict())
    if found.gguf is not None:
        json.dumps(Summary(found.gguf).to_dict())
    with suppress(ModelsmithError):
        for value in GGUFFile.open(path, any_order=True).metadata.values():
            str(list(value) if isinstance(value, GGUFArray) else value)


INTERESTING = [0, 1, 4, 8, 9, 32, (1 << 16) + 1, 1 << 24, 1 << 31, 1 << 60, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_are_told_apart(tmp_path: Path, data: bytes) -> None:
    for start in (b"", b"GGUF\x03\0\0\0"):
        (tmp_path / "x").write_bytes(start + data)
        json.dumps(verify(tmp_path / "x").to_dict())
