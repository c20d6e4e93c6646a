"""The HTTP API: its paths, the fields of their requests, and fields that are invented or belong elsewhere.

Sources: Ollama ``server/routes.go`` (``GenerateRoutes``), ``api/types.go``, ``openai/openai.go``, at its release tags from
0.0.1 to 0.33.0.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from modelsmith.parameters import DEPRECATED, PARAMETERS

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAMPLING = "model stream format keep_alive options think truncate shift logprobs top_logprobs _debug_render_only"

FIELDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "/api/generate": frozenset(
            f"{_SAMPLING} prompt suffix system template context raw images width height steps".split()
        ),
        "/api/chat": frozenset(f"{_SAMPLING} messages tools".split()),
        "/api/embed": frozenset(["model", "input", "keep_alive", "truncate", "dimensions", "options"]),
        "/api/embeddings": frozenset(["model", "prompt", "keep_alive", "options"]),
        "/api/create": frozenset(
            [
                "model",
                "stream",
                "quantize",
                "draft_quantize",
                "from",
                "remote_host",
                "files",
                "draft_files",
                "adapters",
                "template",
                "license",
                "system",
                "parameters",
                "messages",
                "renderer",
                "parser",
                "requires",
                "info",
                "name",
                "quantization",
            ]
        ),
        "/api/show": frozenset(["model", "system", "template", "verbose", "options", "name"]),
        "/api/copy": frozenset({"source", "destination"}),
        "/api/pull": frozenset(["model", "insecure", "username", "password", "stream", "name"]),
        "/api/push": frozenset(["model", "insecure", "username", "password", "stream", "name"]),
        "/api/delete": frozenset({"model", "name"}),
        "/v1/chat/completions": frozenset(
            [
                "model",
                "messages",
                "stream",
                "stream_options",
                "max_tokens",
                "seed",
                "stop",
                "temperature",
                "frequency_penalty",
                "presence_penalty",
                "top_p",
                "response_format",
                "tools",
                "reasoning",
                "reasoning_effort",
                "logprobs",
                "top_logprobs",
                "_debug_render_only",
            ]
        ),
        "/v1/completions": frozenset(
            [
                "model",
                "prompt",
                "frequency_penalty",
                "max_tokens",
                "presence_penalty",
                "seed",
                "stop",
                "stream",
                "stream_options",
                "temperature",
                "top_p",
                "suffix",
                "logprobs",
                "_debug_render_only",
            ]
        ),
        "/v1/embeddings": frozenset(["model", "input", "dimensions", "encoding_format"]),
    }
)
"""The fields that a request to each path may have."""

SINCE: Mapping[tuple[str, str], str] = MappingProxyType(
    {(path, field): version for path in ("/api/generate", "/api/chat") for field, version in (("think", "0.9.0"), ("keep_alive", "0.1.23"), ("truncate", "0.12.6"), ("shift", "0.12.6"), ("logprobs", "0.12.11"), ("top_logprobs", "0.12.11"))}
    | {("/api/chat", "tools"): "0.2.6", ("/api/generate", "suffix"): "0.2.6", ("/v1/chat/completions", "tools"): "0.2.6", ("/v1/chat/completions", "reasoning_effort"): "0.11.5", ("/v1/chat/completions", "reasoning"): "0.11.0"}
)  # fmt: skip
"""The first version that reads a field, where it is not as old as its path."""

OPENAI_ONLY = frozenset(
    [
        "n",
        "user",
        "logit_bias",
        "tool_choice",
        "parallel_tool_calls",
        "best_of",
        "echo",
        "metadata",
        "store",
        "service_tier",
        "max_completion_tokens",
    ]
)
"""Fields of OpenAI's API that Ollama's ``/v1`` accepts and ignores."""

METHODS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "/": frozenset({"GET", "HEAD"}),
        "/api/version": frozenset({"GET", "HEAD"}),
        "/api/status": frozenset({"GET"}),
        "/api/tags": frozenset({"GET", "HEAD"}),
        "/api/ps": frozenset({"GET"}),
        "/api/delete": frozenset({"DELETE"}),
        "/v1/models": frozenset({"GET"}),
        **{
            f"/{path}": frozenset({"POST"})
            for path in [
                "api/generate",
                "api/chat",
                "api/embed",
                "api/embeddings",
                "api/create",
                "api/show",
                "api/copy",
                "api/pull",
                "api/push",
                "api/me",
                "api/signout",
                "v1/chat/completions",
                "v1/completions",
                "v1/embeddings",
                "v1/responses",
                "v1/messages",
                "v1/audio/transcriptions",
                "v1/images/generations",
                "v1/images/edits",
                "api/experimental/web_search",
                "api/experimental/web_fetch",
            ]
        },
    }
)
"""The methods of every path. Paths below ``OPEN`` have more parts and are not checked."""

OPEN = ("/api/blobs/", "/v1/models/", "/api/user/", "/api/experimental/", "/api/web_")

PATHS: Mapping[str, str] = MappingProxyType(
    {
        "/api/models": "/api/tags lists the models",
        "/api/v1/models": "/api/tags, or /v1/models",
        "/api/v1/chat/completions": "/v1/chat/completions",
        "/api/list": "/api/tags lists the models",
        "/api/model": "/api/tags lists the models, /api/show describes one",
        "/api/completions": "/api/generate, or /v1/completions",
        "/api/completion": "/api/generate, or /v1/completions",
        "/api/chat/completions": "/api/chat, or /v1/chat/completions",
        "/api/run": "/api/generate",
        "/api/embedding": "/api/embed",
        "/api/health": 'GET / answers "Ollama is running"',
        "/api/healthz": 'GET / answers "Ollama is running"',
        "/health": 'GET / answers "Ollama is running"',
        "/api/ping": 'GET / answers "Ollama is running"',
        "/api/info": "/api/show describes a model, /api/version the server",
        "/api/stop": '/api/generate with "keep_alive": 0 unloads a model',
        "/api/unload": '/api/generate with "keep_alive": 0 unloads a model',
        "/api/load": "/api/generate without a prompt loads a model",
        "/api/rm": "DELETE /api/delete",
        "/api/remove": "DELETE /api/delete",
        "/api/gpu": "/api/ps shows what is in VRAM",
        "/api/running": "/api/ps",
        "/v1/chat": "/v1/chat/completions",
        "/v1/generate": "/v1/completions",
        "/v1/embed": "/v1/embeddings",
        "/v1/api/chat": "/api/chat",
    }
)
"""Paths that Ollama does not have, and those that were meant."""

_OPTIONS = {"max_tokens": "num_predict", "max_new_tokens": "num_predict", "max_length": "num_predict", "n_predict": "num_predict", "max_output_tokens": "num_predict", "max_completion_tokens": "num_predict", "context_length": "num_ctx", "n_ctx": "num_ctx", "ctx_size": "num_ctx", "context_window": "num_ctx", "max_context_length": "num_ctx", "gpu_layers": "num_gpu", "n_gpu_layers": "num_gpu", "temp": "temperature", "repetition_penalty": "repeat_penalty", "n_threads": "num_thread", "num_threads": "num_thread", "threads": "num_thread", "stop_sequences": "stop", "batch_size": "num_batch"}  # fmt: skip
OPTION_NAMES: Mapping[str, str] = MappingProxyType({**{name: name for name in PARAMETERS}, **_OPTIONS})
"""Names that are, or stand for, an entry of ``options``."""

KNOWN_OPTIONS = frozenset(PARAMETERS) | DEPRECATED | {"numa", "tfs_z", "num_gqa", "rope_frequency_base", "rope_frequency_scale", "embedding_only"}  # fmt: skip

NATIVE: Mapping[str, str] = MappingProxyType(
    {
        "messages": "/api/chat takes messages",
        "prompt": '/api/chat takes messages: [{"role": "user", "content": "…"}]; /api/generate takes a prompt',
        "system": 'in /api/chat the system prompt is the first message, with "role": "system"',
        "system_prompt": '"system" in /api/generate, a message with "role": "system" in /api/chat',
        "response_format": '"format": "json", or a JSON schema as "format"',
        "input": '"prompt" in /api/generate, "messages" in /api/chat; "input" is a field of /api/embed',
        "reasoning_effort": '"think": "low", "medium" or "high"',
        "thinking": '"think": true or false',
        "enable_thinking": '"think": true or false',
        "chat_template_kwargs": '"think": true or false',
        "stream_options": "/api answers always end with their counts",
        "parameters": '"options"',
        "keepalive": '"keep_alive"',
        "modelfile": "the fields from, system, template, parameters, …; `modelsmith parse Modelfile --json` prints them",
        "path": "the fields from, system, template, parameters, …; `modelsmith parse Modelfile --json` prints them",
    }
)
"""What was meant by a field that one of the paths below ``/api`` does not have."""
