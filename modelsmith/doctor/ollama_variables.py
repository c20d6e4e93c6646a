"""Every environment variable that Ollama reads, by whom, as what kind of value, and in which versions.

Sources: Ollama ``envconfig/config.go`` and each place that calls ``os.Getenv``, at its release tags from 0.0.1 to 0.33.0;
``scripts/install.sh`` and ``scripts/install.ps1``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.versions import Version


class Reader(Enum):
    """Who reads a variable."""

    SERVER = "the server (`ollama serve`)"
    CLIENT = "the commands (`ollama run`, …)"
    BOTH = "the server and the commands"
    INSTALLER = "the install script"
    APP = "the desktop app"


class VariableKind(Enum):
    """What Ollama makes of the text; named after the functions of its ``envconfig``."""

    TEXT = "text"
    BOOL = "bool"
    UINT = "uint"
    DURATION = "duration"
    LEVEL = "log level"
    HOST = "host"
    ORIGINS = "origins"
    CACHE_TYPE = "K/V cache type"


@dataclass(frozen=True, slots=True)
class Variable:
    """One row; ``default`` is what counts when the value cannot be read; ``until`` is the first version without it."""

    name: str
    reader: Reader
    kind: VariableKind
    meaning: str
    since: str = ""
    until: str = ""
    default: str = ""
    instead: str = ""


def exists(row: Variable, version: Version) -> bool:
    """Say whether this version reads the variable."""
    return (not row.since or version.has(row.since)) and not (row.until and version.has(row.until))


_S, _C, _B = Reader.SERVER, Reader.CLIENT, Reader.BOTH
_ROWS = (
    Variable("OLLAMA_HOST", _B, VariableKind.HOST, "address to listen on, or of the server to talk to", default="11434"),
    Variable("OLLAMA_MODELS", _S, VariableKind.TEXT, "folder of the models", "0.1.6"),
    Variable("OLLAMA_KEEP_ALIVE", _S, VariableKind.DURATION, "how long a model stays loaded", "0.1.29", default="5m"),
    Variable("OLLAMA_LOAD_TIMEOUT", _S, VariableKind.DURATION, "how long a load may stall", "0.3.10", default="5m"),
    Variable("OLLAMA_CONTEXT_LENGTH", _S, VariableKind.UINT, "context length unless set otherwise", "0.5.13", default="0"),
    Variable("OLLAMA_NUM_PARALLEL", _S, VariableKind.UINT, "requests a model answers at once", "0.1.33", default="1"),
    Variable("OLLAMA_MAX_LOADED_MODELS", _S, VariableKind.UINT, "models loaded at once", "0.1.33", default="0"),
    Variable("OLLAMA_MAX_QUEUE", _S, VariableKind.UINT, "requests that may wait", "0.1.34", default="512"),
    Variable("OLLAMA_MAX_TRANSFER_STREAMS", _S, VariableKind.UINT, "parallel transfers", "0.23.3", default="4"),
    Variable("OLLAMA_GPU_OVERHEAD", _S, VariableKind.UINT, "bytes of VRAM to leave free on each GPU", "0.3.10", default="0"),
    Variable("OLLAMA_FLASH_ATTENTION", _S, VariableKind.BOOL, "flash attention", "0.1.39"),
    Variable("OLLAMA_KV_CACHE_TYPE", _S, VariableKind.CACHE_TYPE, "type of the K/V cache", "0.5.0", default="f16"),
    Variable("OLLAMA_ORIGINS", _S, VariableKind.ORIGINS, "origins that browsers may call from", "0.0.14"),
    Variable("OLLAMA_NOPRUNE", _S, VariableKind.BOOL, "keep unused blobs", "0.0.19"),
    Variable("OLLAMA_SCHED_SPREAD", _S, VariableKind.BOOL, "spread a model over all GPUs", "0.1.45"),
    Variable("OLLAMA_LLM_LIBRARY", _S, VariableKind.TEXT, "library to load instead of the detected one", "0.1.21"),
    Variable("OLLAMA_GO_TEMPLATE", _S, VariableKind.BOOL, "let TEMPLATE win over the GGUF's Jinja", "0.30.0"),
    Variable("OLLAMA_IGPU_ENABLE", _S, VariableKind.BOOL, "use integrated GPUs", "0.30.0"),
    Variable("OLLAMA_VULKAN", _S, VariableKind.BOOL, "Vulkan", "0.12.11"),
    Variable("OLLAMA_DEBUG", _B, VariableKind.LEVEL, "more log lines", "0.1.21", default="INFO"),
    Variable("OLLAMA_DEBUG_LOG_REQUESTS", _S, VariableKind.BOOL, "keep requests as files", "0.18.3"),
    Variable("OLLAMA_REMOTES", _S, VariableKind.TEXT, "hosts of remote models", "0.12.0"),
    Variable("OLLAMA_NO_CLOUD", _B, VariableKind.BOOL, "no cloud models", "0.16.2"),
    Variable("OLLAMA_AUTH", _B, VariableKind.BOOL, "sign requests", "0.8.0"),
    Variable("OLLAMA_API_KEY", _B, VariableKind.TEXT, "key for ollama.com"),
    Variable("OLLAMA_CLOUD_BASE_URL", _S, VariableKind.TEXT, "where cloud models are", "0.18.0"),
    Variable("OLLAMA_EXPERIMENT", _S, VariableKind.TEXT, "names of experiments", "0.6.0"),
    Variable("OLLAMA_LLAMA_CPP_COMPAT", _S, VariableKind.TEXT, "compatibility of imports", "0.30.0"),
    Variable("OLLAMA_NOHISTORY", _C, VariableKind.BOOL, "keep no history of the chat's input", "0.1.39"),
    Variable("OLLAMA_EDITOR", _C, VariableKind.TEXT, "editor of the chat", "0.16.0"),
    Variable("OLLAMA_SKILLS", _C, VariableKind.TEXT, "folder of skills", "0.32.2"),
    Variable("OLLAMA_AGENT_DISABLE_SHELL", _C, VariableKind.BOOL, "no shell for agents", "0.32.0"),
    Variable("OLLAMA_AGENT_DISABLE_BASH", _C, VariableKind.BOOL, "no shell for agents", "0.14.0", "0.31.2"),
    Variable("OLLAMA_AGENT_DISABLE_WEBSEARCH", _C, VariableKind.BOOL, "no web search for agents", "0.14.0"),
    Variable("OLLAMA_LAUNCH_DSH_API_KEY", _C, VariableKind.TEXT, "key handed to a launched program", "0.32.11"),
    Variable("OLLAMA_CORS", Reader.APP, VariableKind.BOOL, "CORS of the app's window", "0.12.10"),
    Variable("OLLAMA_DOT_COM_URL", Reader.APP, VariableKind.TEXT, "address of ollama.com", "0.12.10"),
    Variable("OLLAMA_APP_DB_PATH", Reader.APP, VariableKind.TEXT, "database of the app", "0.32.15"),
    Variable("OLLAMA_UPDATE_URL", Reader.APP, VariableKind.TEXT, "where updates come from", "0.12.10", "0.23.0"),
    Variable("OLLAMA_VERSION", Reader.INSTALLER, VariableKind.TEXT, "version to install"),
    Variable("OLLAMA_INSTALL_DIR", Reader.INSTALLER, VariableKind.TEXT, "where to install"),
    Variable("OLLAMA_NO_START", Reader.INSTALLER, VariableKind.TEXT, "do not start after installing"),
    Variable("OLLAMA_UNINSTALL", Reader.INSTALLER, VariableKind.TEXT, "uninstall"),
    Variable("OLLAMA_DOWNLOAD_URL", Reader.INSTALLER, VariableKind.TEXT, "where to download from"),
    Variable("OLLAMA_LIBRARY_PATH", _S, VariableKind.TEXT, "set by Ollama for its runners", "0.6.7"),
    Variable("OLLAMA_MAX_VRAM", _S, VariableKind.UINT, "limit of VRAM", "0.1.29", "0.7.0", instead="PARAMETER num_gpu, or OLLAMA_GPU_OVERHEAD"),
    Variable("OLLAMA_TMPDIR", _S, VariableKind.TEXT, "folder of unpacked runners", "0.1.32", "0.6.6", instead="nothing: runners are no longer unpacked"),
    Variable("OLLAMA_RUNNERS_DIR", _S, VariableKind.TEXT, "folder of runners", "0.1.33", "0.3.11", instead="nothing: runners come with the program"),
    Variable("OLLAMA_PORT", _S, VariableKind.UINT, "port", until="0.1.0", instead="OLLAMA_HOST=127.0.0.1:PORT"),
    Variable("OLLAMA_INTEL_GPU", _S, VariableKind.BOOL, "Intel GPUs", "0.1.45", "0.12.11", instead="OLLAMA_VULKAN=1"),
    Variable("OLLAMA_NEW_ENGINE", _S, VariableKind.BOOL, "the engine of 0.6", "0.5.12", "0.30.0", instead="nothing: models run in llama-server"),
    Variable("OLLAMA_NEW_ESTIMATES", _S, VariableKind.BOOL, "memory estimates", "0.11.5", "0.11.11", instead="nothing: they are the only ones"),
    Variable("OLLAMA_MULTIUSER_CACHE", _S, VariableKind.BOOL, "prompt cache for many users", "0.3.13", "0.30.0", instead="nothing: llama-server keeps the cache"),
    Variable("OLLAMA_BACKEND", _S, VariableKind.TEXT, "backend of the MLX engine", "0.14.0", "0.15.6"),
    Variable("OLLAMA_REGISTRY_MAXSTREAMS", _S, VariableKind.UINT, "parallel downloads", "0.5.13", "0.31.2", instead="OLLAMA_MAX_TRANSFER_STREAMS"),
    Variable("LLAMA_ARG_FIT", _S, VariableKind.TEXT, "automatic fit of llama.cpp", "0.30.0"),
    Variable("LLAMA_ARG_FIT_TARGET", _S, VariableKind.TEXT, "free VRAM that the fit leaves", "0.30.0"),
)  # fmt: skip
VARIABLES: Mapping[str, Variable] = MappingProxyType({row.name: row for row in _ROWS})
"""Every variable by name, of whatever version."""

CACHE_TYPES = frozenset({"f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"})
"""What llama-server takes as ``--cache-type-k``."""
