"""What is found on machines that are made of files: processes, sockets, cards, units."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.ollama import FakeOllama

from modelsmith.cli import run
from modelsmith.diagnostic import Severity
from modelsmith.machine.examine import examine_machine
from modelsmith.machine.system import System
from modelsmith.store.care.doctor import Check

NVIDIA, AMD = "0x10de", "0x1002"


class Machine:
    """A machine below a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environment = {"HOME": "/root"}
        self.write("/proc/self/status", "")

    def write(self, name: str, text: str) -> None:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def serve(self, pid: int = 7, **variables: str) -> None:
        self.write(f"/proc/{pid}/cmdline", "/usr/local/bin/ollama\0serve\0")
        self.write(f"/proc/{pid}/environ", "".join(f"{key}={value}\0" for key, value in variables.items()))
        self.write(f"/proc/{pid}/status", "Name:\tollama\nGroups:\t100 101\n")

    def listen(self, address: str, port: int) -> None:
        head = "  sl  local_address rem_address   st\n"
        self.write("/proc/net/tcp", f"{head}   0: {address}:{port:04X} 00000000:0000 0A 0\n")

    def card(self, vendor: str) -> None:
        self.write("/sys/bus/pci/devices/0000:01:00.0/vendor", f"{vendor}\n")
        self.write("/sys/bus/pci/devices/0000:01:00.0/class", "0x030000\n")

    def examine(self, url: str = "http://127.0.0.1:9") -> tuple[Check, ...]:
        return examine_machine(url, System(self.root, self.environment))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root")


def told(checks: tuple[Check, ...], words: str) -> Check:
    found = [each for each in checks if words in each.text]
    assert found, "\n".join(f"{each.name}: {each.text}" for each in checks)
    return found[0]


def test_a_server_that_does_not_answer(machine: Machine) -> None:
    check = told(machine.examine(), "nothing answers at http://127.0.0.1:9")
    assert check.severity is Severity.ERROR
    assert "ollama serve" in check.hint
    machine.write("/etc/systemd/system/ollama.service", "[Service]\nExecStart=/usr/local/bin/ollama serve\n")
    assert "systemctl start ollama" in told(machine.examine(), "nothing answers").hint
    machine.serve(OLLAMA_HOST="127.0.0.1:11500")
    assert "OLLAMA_HOST=127.0.0.1:11500: set the same here" in told(machine.examine(), "nothing answers").hint
    assert "firewall" in told(machine.examine("http://192.0.2.1:9"), "nothing answers").hint


def test_something_else_on_the_port(machine: Machine, tmp_path: Path) -> None:
    with FakeOllama(tmp_path / "models", version="0.12.0") as server:
        checks = machine.examine(server.url)
        assert told(checks, "Ollama 0.12.0 answers").severity is None
        assert told(checks, "releases behind").severity is Severity.WARNING


@pytest.mark.parametrize(("address", "is_open"), [("00000000", True), ("0100007F", False), ("0A00000A", True)])
def test_who_can_reach_it(machine: Machine, address: str, is_open: bool) -> None:
    machine.listen(address, 9)
    check = told(machine.examine(), "port 9 is open")
    assert (check.severity is Severity.WARNING) == is_open
    assert ("OLLAMA_HOST=127.0.0.1" in check.hint) == is_open


def test_variables_count_where_the_server_reads_them(machine: Machine, tmp_path: Path) -> None:
    machine.environment |= {"OLLAMA_NUM_GPU": "1", "OLLAMA_KV_CACHE_TYPE": "q8_0"}
    machine.write("/etc/systemd/system/ollama.service.d/override.conf", "[Service]\nEnvironment=OLLAMA_NUM_THREADS=4\n")
    with FakeOllama(tmp_path / "models") as server:
        port = server.url.rpartition(":")[2]
        machine.serve(OLLAMA_HOST=f"127.0.0.1:{port}", OLLAMA_FLASH_ATTENTION="off")
        machine.serve(8, OLLAMA_HOST="127.0.0.1:1", OLLAMA_MAX_VRAM="1")
        checks = machine.examine(server.url)
    assert "PARAMETER num_gpu" in told(checks, "this shell: Ollama reads no variable OLLAMA_NUM_GPU").hint
    assert told(checks, "the server (process 7): OLLAMA_FLASH_ATTENTION=off").hint == "write 0 or false"
    assert "has none" in told(checks, "OLLAMA_KV_CACHE_TYPE=q8_0 is set in this shell").text
    assert told(checks, "override.conf:2: Ollama reads no variable OLLAMA_NUM_THREADS").severity is Severity.ERROR
    assert not [each for each in checks if "process 8" in each.text], "another server's variables do not count"


def test_proxies(machine: Machine) -> None:
    machine.environment["HTTPS_PROXY"] = "http://me:secret@proxy:3128"
    assert "downloads are made by the server" in told(machine.examine(), "HTTPS_PROXY").text
    machine.serve(OLLAMA_HOST="127.0.0.1:9", HTTP_PROXY="http://p:1")
    checks = machine.examine()
    assert told(checks, "not for the server (process 7)").severity is Severity.WARNING
    assert "unset HTTP_PROXY" in told(checks, "has HTTP_PROXY=http://p:1").hint
    assert not [each for each in checks if "secret" in each.text + each.hint]
    machine.environment = {"http_proxy": "http://p:2"}
    assert "NO_PROXY=192.0.2.1" in told(machine.examine("http://192.0.2.1:9"), "stands between").hint


def test_nvidia(machine: Machine) -> None:
    machine.card(NVIDIA)
    assert "install driver 550" in told(machine.examine(), "no NVIDIA driver").hint
    machine.write("/.dockerenv", "")
    assert "--gpus=all" in told(machine.examine(), "no driver").hint
    (machine.root / ".dockerenv").unlink()
    version = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  {}.76.03  Wed\n"
    machine.write("/proc/driver/nvidia/version", version.format(515))
    assert told(machine.examine(), "the NVIDIA driver is 515").severity is Severity.ERROR
    machine.write("/proc/driver/nvidia/version", version.format(580))
    assert "nvidia-modprobe" in told(machine.examine(), "/dev/nvidia-uvm is missing").hint
    for device in ("nvidiactl", "nvidia-uvm"):
        machine.write(f"/dev/{device}", "")
    assert told(machine.examine(), "1 from NVIDIA, and nothing stands in the way").severity is None
    machine.serve(OLLAMA_HOST="127.0.0.1:9", CUDA_VISIBLE_DEVICES="-1", OLLAMA_LLM_LIBRARY="cpu_avx2")
    checks = machine.examine()
    assert told(checks, "CUDA_VISIBLE_DEVICES=-1, which hides every card").severity is Severity.ERROR
    assert told(checks, "OLLAMA_LLM_LIBRARY=cpu_avx2").severity is Severity.ERROR


def test_amd(machine: Machine) -> None:
    machine.card(AMD)
    assert "amdgpu-install" in told(machine.examine(), "no /dev/kfd").hint
    machine.write("/dev/kfd", "")
    assert told(machine.examine(), "1 from AMD, and nothing stands in the way").severity is None


def test_a_machine_without_proc_tells_nothing_and_nothing_fails(tmp_path: Path) -> None:
    checks = examine_machine("http://127.0.0.1:9", System(tmp_path / "empty", {}))
    assert [each.name for each in checks] == ["server", "store"]


def test_hostile_files_are_passed_over(machine: Machine) -> None:
    machine.write("/proc/net/tcp", "x\n 0: ZZZZZZZZ:0011 0 0A\n 1: 0100007F:QQQQ 0 0A\n" + "9" * 5000)
    machine.write("/proc/12/cmdline", "")
    machine.write("/proc/13/cmdline", "ollama\0serve\0")
    machine.write("/proc/13/environ", "\0==\0A\0OLLAMA_HOST=[::1\0")
    machine.write("/etc/systemd/system/ollama.service", "\0\xff" * 100)
    machine.examine()


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    assert run(["doctor"]) == 1
    assert "error    server: nothing answers at http://127.0.0.1:9 (OLLAMA_HOST)" in capsys.readouterr().out
    assert run(["doctor", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)
    assert rows[0]["severity"] == "error"
    assert all(row["hint"] for row in rows if row["severity"] in {"error", "warning"}), "each finding has a way out"
    assert run(["doctor", "--store", "ftp://x"]) == 2
