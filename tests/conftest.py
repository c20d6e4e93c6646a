"""What tests find around them: the same environment whoever runs them where, the same examples of property tests; a real Ollama
where there is one.

Random exploration is a command of its own: ``python tests/explore.py``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import settings

from modelsmith.memo import remembering

settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, database=None)
settings.load_profile("same")

OLLAMA_HOST = os.environ.get("OLLAMA_HOST")


@pytest.fixture(scope="session", autouse=True)
def _surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let every test find the same environment around it."""
    from surroundings import same_surroundings

    with same_surroundings(tmp_path_factory.mktemp("home")):
        yield


@pytest.fixture
def one_command() -> Iterator[None]:
    """Let a test remember what it has read and hashed, as a command does: two steps of a test are two steps of one program."""
    with remembering():
        yield


@pytest.fixture
def ordinary_user() -> Iterator[None]:
    """Be bound by the permissions of files, as root is not."""
    from ordinary_user import bound_by_permissions

    with bound_by_permissions():
        yield


@pytest.fixture
def real_ollama(real_ollama_server: str) -> Iterator[str]:
    """Yield the URL of a real server, which is this test's alone for as long as it runs."""
    from real_ollama import alone

    with alone(real_ollama_server):
        yield real_ollama_server


@pytest.fixture(scope="session")
def real_ollama_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a real server: the one at OLLAMA_HOST, or the program on the PATH, started for these tests."""
    from ports import free_port
    from real_ollama import alone, answers, can_create

    from modelsmith.store.ollama.ollama import OllamaStore

    if host := OLLAMA_HOST:
        if not answers(host):
            pytest.skip(f"no Ollama answers at {host}, where OLLAMA_HOST says that one is")
        with alone(host):
            creates = can_create(OllamaStore(host), tmp_path_factory.mktemp("probe"))
        if not creates:
            pytest.skip(f"the Ollama at {host} has no llama-quantize, so it cannot import a GGUF")
        yield host
        return
    program = shutil.which("ollama")
    if program is None:
        pytest.skip("no OLLAMA_HOST, and no `ollama` on the PATH")
    folder = tmp_path_factory.mktemp("ollama")
    host = f"127.0.0.1:{free_port()}"
    environment = os.environ | {"OLLAMA_HOST": host, "OLLAMA_MODELS": str(folder / "models"), "HOME": str(folder)}
    environment |= {"OLLAMA_NO_CLOUD": "1", "OLLAMA_NOPRUNE": "1"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([program, "serve"], env=environment, stdout=log, stderr=log)
    try:
        if not answers(host) or not can_create(OllamaStore(host), folder):
            pytest.skip(f"`{program} serve` does not answer, or cannot import a GGUF")
        yield host
    finally:
        process.terminate()
        process.wait(600)
