"""A real Ollama for the tests marked ``ollama``: the server at OLLAMA_HOST, or the program on the PATH, started for them."""

from __future__ import annotations

import fcntl
import re
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from modelsmith.errors import ServerError
from modelsmith.name import ModelName
from modelsmith.store.model import CreateRequest
from modelsmith.store.ollama.ollama import OllamaStore
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf.sample import write_sample


@contextmanager
def alone(host: str) -> Iterator[None]:
    """Keep the tests of other processes away from a server.

    An Ollama that deletes a model takes files from under a like one that it is just making.
    """
    name = re.sub(r"\W+", "-", host)
    with Path(tempfile.gettempdir(), f"modelsmith-tests-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def answers(host: str) -> bool:
    for _ in range(300):
        try:
            return OllamaStore(host).ollama_version() is not None
        except ServerError:
            time.sleep(0.1)
    return False


def can_create(store: OllamaStore, folder: Path) -> bool:
    number = uuid.uuid4().int >> 96
    name = ModelName.parse(f"modelsmith-test-{number:08x}")
    blob = FileBlob(
        write_sample(folder / "probe.gguf", seed=number)
    )  # deleted below: no other test may have these weights
    try:
        store.create(name, CreateRequest({}, files={"probe.gguf": blob}))
    except ServerError as error:
        if "llama-quantize" in error.text:
            return False
        raise
    store.delete(name)
    return True
