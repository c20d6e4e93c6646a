"""Flags, commands and variables that tutorials invent, and what was meant.

Sources: seen in published tutorials, READMEs and scripts; what is real is read in Ollama ``cmd/cmd.go``, ``envconfig/config.go``
and ``api/types.go`` (see ``ollama_commands``, ``ollama_variables``).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Invention:
    """``parameter`` is the model parameter that was meant, else ``meant`` says what to do; ``bare`` also alone in a text."""

    meant: str = ""
    parameter: str = ""
    bare: bool = False


def _parameters(*, bare: bool, **names: str) -> dict[str, Invention]:
    return {
        spelling: Invention(parameter=name, bare=bare) for name, given in names.items() for spelling in given.split()
    }


_SERVER_SETTING = "the server is set up by variables: "
_LENGTH = "a context length is num_ctx, or OLLAMA_CONTEXT_LENGTH for the whole server"
_GPU = "GPUs are used by themselves; `ollama ps` shows how much of a model is on the GPU"
_LIST_JSON = "`curl http://localhost:11434/api/tags` gives the list as JSON"
_NO_DRY_RUN = (
    "Ollama has no dry run; `modelsmith parse Modelfile` and `modelsmith lint Modelfile` check without a server"
)

FLAGS: Mapping[str, Invention] = MappingProxyType(
    {
        **_parameters(
            bare=True,
            num_predict="max-tokens max-new-tokens n-predict num-predict",
            num_ctx="num-ctx ctx-size n-ctx",
            num_gpu="num-gpu gpu-layers n-gpu-layers num-gpu-layers",
            num_thread="num-thread",
        ),
        **_parameters(
            bare=False,
            num_predict="max-length max-output-tokens max-token tokens",
            num_ctx="ctx context-length context-size context-window max-context max-model-len",
            num_gpu="ngl",
            num_thread="num-threads threads",
            num_batch="batch-size num-batch",
            temperature="temperature temp",
            top_p="top-p",
            top_k="top-k",
            min_p="min-p",
            repeat_penalty="repeat-penalty repetition-penalty",
            presence_penalty="presence-penalty",
            frequency_penalty="frequency-penalty",
            seed="seed",
            stop="stop stop-sequence",
        ),
        "context": Invention(_LENGTH),
        "precision": Invention(
            "choose the precision by the tag, such as :8b-instruct-q8_0 or -fp16 (fp16 takes about four times the memory "
            "of the usual 4-bit tag)",
            bare=True,
        ),
        "quant": Invention("choose the quantization by the tag, such as :8b-instruct-q4_K_M"),
        "quantize": Invention("only `ollama create` has it; for running, choose the quantization by the tag"),
        "quantization": Invention("choose the quantization by the tag; `ollama create` has --quantize"),
        "load-in-4bit": Invention("choose the quantization by the tag, such as :8b-instruct-q4_K_M"),
        "load-in-8bit": Invention("choose the quantization by the tag, such as :8b-instruct-q8_0"),
        "system": Invention('SYSTEM in a Modelfile, /set system in the chat, or "system" in the API'),
        "system-prompt": Invention('SYSTEM in a Modelfile, /set system in the chat, or "system" in the API'),
        "prompt": Invention('the prompt is the argument after the model: ollama run MODEL "…"'),
        "p": Invention('the prompt is the argument after the model: ollama run MODEL "…"'),
        "prompt-file": Invention("the prompt comes from stdin: ollama run MODEL < prompt.txt"),
        "file": Invention("files are read from stdin: ollama run MODEL < file.txt"),
        "image": Invention('write the image\'s path into the prompt: ollama run MODEL "what is this? ./image.png"'),
        "images": Invention('write the image\'s path into the prompt: ollama run MODEL "what is this? ./image.png"'),
        "template": Invention("TEMPLATE in a Modelfile; `ollama show MODEL --template` prints it"),
        "adapter": Invention("ADAPTER in a Modelfile"),
        "lora": Invention("ADAPTER in a Modelfile"),
        "modelfile": Invention("`ollama create NAME -f Modelfile`, then `ollama run NAME`"),
        "model": Invention("the model is an argument: ollama run MODEL"),
        "no-think": Invention("--think=false", bare=True),
        "nothink": Invention("--think=false", bare=True),
        "disable-thinking": Invention("--think=false"),
        "thinking": Invention("--think, or --think=false"),
        "enable-thinking": Invention("--think"),
        "reasoning": Invention("--think, or --think=false"),
        "reasoning-effort": Invention("--think=low, --think=medium or --think=high"),
        "reasoning-parser": Invention(
            "Ollama splits reasoning by the model's template or PARSER; nothing to switch on"
        ),
        "hide-thinking": Invention("--hidethinking"),
        "keep-alive": Invention("--keepalive of `ollama run`, or OLLAMA_KEEP_ALIVE for the server"),
        "keepalive": Invention("only `ollama run` has it; OLLAMA_KEEP_ALIVE is for the server"),
        "json": Invention(
            "`ollama run MODEL --format json` makes the model answer in JSON; lists come as JSON from the API"
        ),
        "format": Invention(_LIST_JSON),
        "output": Invention('redirect it: ollama run MODEL "…" > answer.txt'),
        "stream": Invention('`ollama run` always streams to a terminal; "stream" is a field of the API'),
        "no-stream": Invention('"stream": false is a field of the API'),
        "interactive": Invention("`ollama run MODEL` without a prompt is interactive"),
        "gpu": Invention(_GPU),
        "gpus": Invention(_GPU + "; --gpus is a flag of docker run"),
        "use-gpu": Invention(_GPU),
        "cpu": Invention("num_gpu 0 keeps a model on the CPU: PARAMETER num_gpu 0, or /set parameter num_gpu 0"),
        "cpu-only": Invention("num_gpu 0 keeps a model on the CPU: PARAMETER num_gpu 0, or /set parameter num_gpu 0"),
        "no-gpu": Invention("num_gpu 0 keeps a model on the CPU: PARAMETER num_gpu 0, or /set parameter num_gpu 0"),
        "device": Invention("CUDA_VISIBLE_DEVICES or HIP_VISIBLE_DEVICES of the server choose the GPU"),
        "low-vram": Invention("a smaller tag, a smaller num_ctx, or OLLAMA_KV_CACHE_TYPE=q8_0 take less memory"),
        "flash-attn": Invention(_SERVER_SETTING + "OLLAMA_FLASH_ATTENTION=1"),
        "flash-attention": Invention(_SERVER_SETTING + "OLLAMA_FLASH_ATTENTION=1"),
        "kv-cache-type": Invention(_SERVER_SETTING + "OLLAMA_KV_CACHE_TYPE=q8_0"),
        "cache-type-k": Invention(_SERVER_SETTING + "OLLAMA_KV_CACHE_TYPE=q8_0"),
        "parallel": Invention(_SERVER_SETTING + "OLLAMA_NUM_PARALLEL"),
        "num-parallel": Invention(_SERVER_SETTING + "OLLAMA_NUM_PARALLEL"),
        "max-loaded-models": Invention(_SERVER_SETTING + "OLLAMA_MAX_LOADED_MODELS"),
        "host": Invention(
            "OLLAMA_HOST=ADDRESS:PORT sets the address of the server, and where the commands look for it"
        ),
        "port": Invention("OLLAMA_HOST=127.0.0.1:PORT sets the port of the server, and where the commands look for it"),
        "address": Invention("OLLAMA_HOST=ADDRESS:PORT sets the address of the server"),
        "url": Invention("OLLAMA_HOST=http://ADDRESS:PORT says where the server is"),
        "models": Invention(_SERVER_SETTING + "OLLAMA_MODELS"),
        "models-dir": Invention(_SERVER_SETTING + "OLLAMA_MODELS"),
        "model-dir": Invention(_SERVER_SETTING + "OLLAMA_MODELS"),
        "model-path": Invention("FROM ./model.gguf in a Modelfile, then `ollama create NAME -f Modelfile`"),
        "cors": Invention(_SERVER_SETTING + "OLLAMA_ORIGINS"),
        "origins": Invention(_SERVER_SETTING + "OLLAMA_ORIGINS"),
        "debug": Invention(_SERVER_SETTING + "OLLAMA_DEBUG=1"),
        "log-level": Invention(_SERVER_SETTING + "OLLAMA_DEBUG=1, or 2 for more"),
        "detach": Invention("`ollama serve &`, or the service that the installer sets up"),
        "background": Invention("`ollama serve &`, or the service that the installer sets up"),
        "daemon": Invention("`ollama serve &`, or the service that the installer sets up"),
        "d": Invention("`ollama serve &`, or the service that the installer sets up"),
        "config": Invention(
            "Ollama has no configuration file; a model is set up by its Modelfile, the server by OLLAMA_* variables"
        ),
        "dry-run": Invention(_NO_DRY_RUN),
        "verify": Invention(_NO_DRY_RUN),
        "check": Invention(_NO_DRY_RUN),
        "from": Invention("FROM in a Modelfile names the base: ollama create NAME -f Modelfile"),
        "from-file": Invention("FROM ./model.gguf in a Modelfile: ollama create NAME -f Modelfile"),
        "from-gguf": Invention("FROM ./model.gguf in a Modelfile: ollama create NAME -f Modelfile"),
        "parameter": Invention('PARAMETER in a Modelfile, /set parameter in the chat, or "options" in the API'),
        "param": Invention('PARAMETER in a Modelfile, /set parameter in the chat, or "options" in the API'),
        "options": Invention('PARAMETER in a Modelfile, /set parameter in the chat, or "options" in the API'),
        "mirror": Invention("name the registry in the model's name, such as hf.co/ORG/REPO or modelscope.cn/ORG/REPO"),
        "registry": Invention("name the registry in the model's name: HOST/NAMESPACE/MODEL:TAG"),
        "proxy": Invention("the server downloads: set HTTPS_PROXY where `ollama serve` runs"),
        "resume": Invention("a pull resumes by itself when it is started again"),
        "all": Invention(
            "name the models one by one, e.g. ollama list | awk 'NR>1 {print $1}' | xargs -n1 ollama pull"
        ),
        "force": Invention("Ollama asks nothing here; leave it away"),
        "f": Invention("Ollama asks nothing here; leave it away"),
        "quiet": Invention("redirect the progress: 2>/dev/null"),
        "q": Invention("redirect the progress: 2>/dev/null"),
        "timeout": Invention("OLLAMA_LOAD_TIMEOUT of the server is for loading; `timeout 60 ollama run …` ends a run"),
        "tag": Invention("the tag belongs to the name: MODEL:TAG"),
        "version": Invention("`ollama --version` alone prints the version; a model's version is its tag, MODEL:TAG"),
        "remote": Invention("OLLAMA_HOST=http://ADDRESS:PORT says where the server is"),
        "raw": Invention('"raw" is a field of /api/generate'),
        "no-cache": Invention("Ollama has no such cache of answers"),
        "rm": Invention("--rm is a flag of docker run"),
    }
)
"""Flags by name, dashes as written, that no command of Ollama has (or not the one they were seen with)."""

_ONE_BY_ONE = "one by one: ollama {} | awk 'NR>1 {{print $1}}' | xargs -n1 ollama {}"
FLAGS_OF: Mapping[tuple[str, str], Invention] = MappingProxyType(
    {
        ("run", "f"): Invention("`ollama create NAME -f Modelfile`, then `ollama run NAME`"),
        ("run", "v"): Invention("--verbose"),
        ("run", "t"): Invention(parameter="temperature"),
        ("run", "c"): Invention(parameter="num_ctx"),
        ("run", "m"): Invention("the model is an argument: ollama run MODEL"),
        ("pull", "all"): Invention(_ONE_BY_ONE.format("list", "pull")),
        ("rm", "all"): Invention(_ONE_BY_ONE.format("list", "rm")),
        ("stop", "all"): Invention(_ONE_BY_ONE.format("ps", "stop")),
        ("list", "all"): Invention("it lists all already"),
        ("ps", "all"): Invention("it lists all already"),
        ("ps", "a"): Invention("it lists all already"),
        ("list", "json"): Invention(_LIST_JSON),
        ("ps", "json"): Invention("`curl http://localhost:11434/api/ps` gives the list as JSON"),
        ("ps", "format"): Invention("`curl http://localhost:11434/api/ps` gives the list as JSON"),
        ("show", "json"): Invention('`curl http://localhost:11434/api/show -d \'{"model": "NAME"}\'` gives it as JSON'),
        ("show", "format"): Invention(
            '`curl http://localhost:11434/api/show -d \'{"model": "NAME"}\'` gives it as JSON'
        ),
        ("list", "verbose"): Invention("`ollama show NAME -v` shows the details of one model"),
        ("show", "parameter"): Invention("--parameters"),
        ("serve", "model"): Invention("the server loads models when they are asked for: ollama run MODEL"),
        ("create", "model"): Invention("the name is an argument: ollama create NAME -f Modelfile"),
        ("create", "name"): Invention("the name is an argument: ollama create NAME -f Modelfile"),
        ("create", "modelfile"): Invention("--file, or -f"),
        ("create", "quant"): Invention("--quantize, or -q"),
        ("create", "quantization"): Invention("--quantize, or -q"),
        ("serve", "timeout"): Invention(_SERVER_SETTING + "OLLAMA_LOAD_TIMEOUT"),
        ("serve", "verbose"): Invention(_SERVER_SETTING + "OLLAMA_DEBUG=1"),
        ("serve", "v"): Invention(_SERVER_SETTING + "OLLAMA_DEBUG=1"),
        ("serve", "p"): Invention("OLLAMA_HOST=127.0.0.1:PORT sets the port of the server"),
        ("serve", "f"): Invention("the server takes no file; OLLAMA_* variables set it up"),
        ("serve", "context-length"): Invention(_SERVER_SETTING + "OLLAMA_CONTEXT_LENGTH"),
        ("serve", "ctx-size"): Invention(_SERVER_SETTING + "OLLAMA_CONTEXT_LENGTH"),
        ("serve", "num-ctx"): Invention(_SERVER_SETTING + "OLLAMA_CONTEXT_LENGTH"),
        ("serve", "keep-alive"): Invention(_SERVER_SETTING + "OLLAMA_KEEP_ALIVE"),
        ("serve", "keepalive"): Invention(_SERVER_SETTING + "OLLAMA_KEEP_ALIVE"),
    }
)
"""What a flag was meant to be where that depends on the command."""

SUBCOMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "chat": "`ollama run MODEL`",
        "generate": '`ollama run MODEL "prompt"`, or /api/generate',
        "prompt": '`ollama run MODEL "prompt"`',
        "embed": '`ollama run MODEL "text"` with an embedding model, or /api/embed',
        "embeddings": "/api/embed",
        "remove": "`ollama rm MODEL`",
        "delete": "`ollama rm MODEL`",
        "del": "`ollama rm MODEL`",
        "uninstall": "`ollama rm MODEL` removes a model",
        "copy": "`ollama cp SOURCE DESTINATION`",
        "mv": "`ollama cp OLD NEW`, then `ollama rm OLD`",
        "rename": "`ollama cp OLD NEW`, then `ollama rm OLD`",
        "tag": "`ollama cp OLD NEW`",
        "install": "`ollama pull MODEL`",
        "download": "`ollama pull MODEL`",
        "get": "`ollama pull MODEL`",
        "fetch": "`ollama pull MODEL`",
        "update": "`ollama pull MODEL` brings a model up to date; the program is updated by its installer",
        "upgrade": "the installer: curl -fsSL https://ollama.com/install.sh | sh",
        "search": "the library at https://ollama.com/search",
        "models": "`ollama list`",
        "images": "`ollama list`",
        "tags": "`ollama list`; the tags of a model are at https://ollama.com/library/MODEL/tags",
        "inspect": "`ollama show MODEL`",
        "info": "`ollama show MODEL`; the server's log names the GPUs it found",
        "describe": "`ollama show MODEL`",
        "status": "`ollama ps`; systemctl status ollama for the service",
        "running": "`ollama ps`",
        "top": "`ollama ps`",
        "kill": "`ollama stop MODEL`",
        "unload": "`ollama stop MODEL`",
        "load": '`ollama run MODEL ""` loads a model',
        "restart": "systemctl restart ollama, or quit and start the app",
        "server": "`ollama serve`",
        "daemon": "`ollama serve`",
        "logs": "journalctl -u ollama, or ~/.ollama/logs/server.log",
        "log": "journalctl -u ollama, or ~/.ollama/logs/server.log",
        "version": "`ollama --version`",
        "import": "FROM ./model.gguf in a Modelfile, then `ollama create NAME -f Modelfile`",
        "export": "`modelsmith export NAME -o FILE`; Ollama has no export",
        "save": "/save NAME in the chat of `ollama run`",
        "build": "`ollama create NAME -f Modelfile`",
        "convert": "Ollama converts Safetensors in `ollama create` with FROM ./folder",
        "quantize": "`ollama create NAME -f Modelfile --quantize q4_K_M` with an F16 or F32 base",
        "validate": "`modelsmith lint Modelfile`; Ollama has no such check",
        "lint": "`modelsmith lint Modelfile`; Ollama has no such check",
        "config": "OLLAMA_* variables of the server; Ollama has no configuration command",
        "set": "/set in the chat of `ollama run`; OLLAMA_* variables for the server",
        "env": "`ollama serve --help` lists the variables",
        "exec": "`ollama run MODEL`",
        "init": "write a file named Modelfile, then `ollama create NAME`",
        "finetune": "Ollama does not train",
        "train": "Ollama does not train",
        "prune": "the server prunes unused blobs when it starts",
        "gc": "the server prunes unused blobs when it starts",
        "clean": "the server prunes unused blobs when it starts; `ollama rm MODEL` removes a model",
        "health": 'curl http://localhost:11434/ answers "Ollama is running"',
        "bench": "`ollama run MODEL --verbose` prints timings",
        "benchmark": "`ollama run MODEL --verbose` prints timings",
        "gpu": _GPU,
        "ui": "the desktop app, or a client such as Open WebUI",
        "api": "the server answers at http://localhost:11434/api",
        "completion": "Ollama writes no shell completions",
    }
)
"""Commands that Ollama never had, and what does the job."""


def _variables(meant: str, names: str, *, bare: bool = True, parameter: str = "") -> dict[str, Invention]:
    return {f"OLLAMA_{name}": Invention(meant, parameter, bare) for name in names.split()}


VARIABLES: Mapping[str, Invention] = MappingProxyType(
    {
        **_variables("", "NUM_GPU NUM_GPUS GPU_LAYERS GPU_LAYER NUM_GPU_LAYERS N_GPU_LAYERS", parameter="num_gpu"),
        **_variables("", "NUM_THREAD NUM_THREADS THREADS CPU_THREADS N_THREADS MAX_THREADS", parameter="num_thread"),
        **_variables("", "NUM_BATCH BATCH_SIZE", parameter="num_batch"),
        **_variables("OLLAMA_CONTEXT_LENGTH", "NUM_CTX CTX_SIZE CONTEXT_SIZE CONTEXT_WINDOW MAX_CONTEXT CTX_LENGTH CONTEXT_LEN MAX_CTX DEFAULT_CONTEXT NUM_CONTEXT", bare=False),
        **_variables("OLLAMA_GPU_OVERHEAD leaves memory free; num_gpu limits the layers on the GPU", "GPU_MEMORY GPU_MEMORY_FRACTION GPU_MEM GPU_MEM_FRACTION MAX_GPU_MEMORY VRAM GPU_MEMORY_LIMIT GPU_MEMORY_UTILIZATION VRAM_LIMIT GPU_UTILIZATION"),
        **_variables("nothing limits Ollama's memory; a smaller tag, a smaller num_ctx and OLLAMA_MAX_LOADED_MODELS take less", "MAX_MEMORY MEMORY_LIMIT MAX_RAM MEM_LIMIT MAX_MEM"),
        **_variables(_GPU, "GPU USE_GPU GPU_ENABLED ENABLE_GPU GPU_ENABLE USE_CUDA CUDA CUDA_ENABLED ENABLE_CUDA USE_METAL METAL METAL_ENABLED ENABLE_METAL GPU_DRIVER GPU_ACCELERATION ACCELERATE FORCE_GPU FORCE_CUDA USE_ROCM ROCM GPU_BACKEND"),
        **_variables("CUDA_VISIBLE_DEVICES or HIP_VISIBLE_DEVICES of the server choose the GPU", "CUDA_DEVICE CUDA_DEVICES GPU_DEVICE GPU_DEVICES GPU_ID GPU_IDS CUDA_VISIBLE_DEVICES VISIBLE_DEVICES MAIN_GPU"),
        **_variables("CUDA_VISIBLE_DEVICES=-1 hides the GPUs from the server; num_gpu 0 keeps one model on the CPU", "NOGPU NO_GPU CPU_ONLY DISABLE_GPU FORCE_CPU USE_CPU NO_CUDA"),
        **_variables("OLLAMA_NUM_PARALLEL", "PARALLEL PARALLEL_REQUESTS MAX_PARALLEL NUM_PARALLEL_REQUESTS MAX_CONCURRENT_REQUESTS"),
        **_variables("OLLAMA_MAX_LOADED_MODELS", "MAX_MODELS NUM_MODELS LOADED_MODELS MAX_LOADED"),
        **_variables("OLLAMA_MAX_QUEUE", "QUEUE_SIZE MAX_QUEUE_SIZE MAX_REQUESTS", bare=False),
        **_variables("OLLAMA_KV_CACHE_TYPE", "KV_CACHE CACHE_TYPE KV_CACHE_QUANT KV_TYPE KV_CACHE_QUANTIZATION"),
        **_variables("OLLAMA_FLASH_ATTENTION", "FLASH_ATTN FLASHATTENTION ENABLE_FLASH_ATTENTION USE_FLASH_ATTENTION"),
        **_variables("OLLAMA_MODELS", "HOME MODELS_DIR MODELS_PATH MODELS_HOME"),
        **_variables("OLLAMA_MODELS", "MODEL_DIR MODEL_PATH MODEL_HOME DATA_DIR STORAGE CACHE_DIR MODEL_STORE", bare=False),
        **_variables("OLLAMA_ORIGINS", "ORIGIN CORS_ORIGINS ALLOWED_ORIGINS CORS_ALLOW_ORIGIN ALLOW_ORIGINS CORS_ORIGIN"),
        **_variables("OLLAMA_HOST=ADDRESS:PORT", "LISTEN LISTEN_ADDR LISTEN_ADDRESS BIND BIND_ADDRESS ADDR ADDRESS SERVER_PORT API_PORT", bare=False),
        **_variables("name the registry in the model's name, such as hf.co/ORG/REPO, or set HTTPS_PROXY for the server", "REGISTRY REGISTRIES REGISTRY_URL REGISTRY_MIRROR REGISTRY_MIRRORS MIRROR MIRRORS MODEL_MIRROR MIRROR_URL DOWNLOAD_MIRROR HUB PULL_MIRROR"),
        **_variables("HTTPS_PROXY of the server", "PROXY HTTP_PROXY HTTPS_PROXY", bare=False),
        **_variables("OLLAMA_DEBUG=1, or 2 for more", "LOG_LEVEL LOGLEVEL VERBOSE LOG DEBUG_LEVEL LOGGING", bare=False),
        **_variables("OLLAMA_KEEP_ALIVE", "KEEPALIVE MODEL_KEEP_ALIVE IDLE_TIMEOUT UNLOAD_TIMEOUT KEEP_ALIVE_TIMEOUT"),
        **_variables("OLLAMA_NOPRUNE", "NO_PRUNE DISABLE_PRUNE"),
        **_variables("OLLAMA_NOHISTORY", "NO_HISTORY"),
        **_variables("choose the quantization by the tag, such as :8b-instruct-q4_K_M", "QUANTIZATION QUANTIZE PRECISION QUANT DEFAULT_QUANTIZATION"),
        **_variables("a smaller tag, a smaller num_ctx or OLLAMA_KV_CACHE_TYPE=q8_0 take less memory", "LOW_VRAM LOW_VRAM_THRESHOLD LOW_MEMORY"),
        **_variables("num_gpu, use_mmap and the like are parameters of a model: PARAMETER in a Modelfile", "USE_MMAP USE_MLOCK MLOCK MMAP NUMA"),
        **_variables("--think=false, or \"think\" in the API", "THINK NO_THINK ENABLE_THINKING THINKING DISABLE_THINKING", bare=False),
        **_variables("", "TEMPERATURE TEMP", bare=False, parameter="temperature"),
        **_variables("", "NUM_PREDICT MAX_TOKENS", bare=False, parameter="num_predict"),
        **_variables("Ollama has no login of its own; put a proxy that has one before it", "AUTH_TOKEN BASIC_AUTH USERNAME PASSWORD API_TOKEN", bare=False),
        **_variables("nothing: Ollama sends no telemetry that could be switched off", "TELEMETRY NO_TELEMETRY DISABLE_TELEMETRY NO_ANALYTICS"),
        **_variables("OLLAMA_SCHED_SPREAD=1 spreads a model over all GPUs", "MULTI_GPU GPU_SPLIT TENSOR_SPLIT SCHED_SPREAD_GPU"),
    }
)  # fmt: skip
"""Variables that Ollama never read. ``bare`` ones mean Ollama wherever they stand; others may be a program's own."""

OTHER_PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "OLLAMA_BASE_URL": "clients such as Open WebUI",
        "OLLAMA_BASE_URLS": "Open WebUI",
        "OLLAMA_API_BASE_URL": "older versions of Open WebUI",
        "OLLAMA_API_BASE": "clients such as LiteLLM and aider",
        "OLLAMA_API_URL": "clients",
        "OLLAMA_API_CREDENTIALS": "Open WebUI",
        "OLLAMA_PROXY_URL": "LobeChat",
        "OLLAMA_MODEL_LIST": "LobeChat",
        "OLLAMA_URL": "clients",
        "OLLAMA_ENDPOINT": "clients",
        "OLLAMA_SERVER": "clients",
        "OLLAMA_SERVER_URL": "clients",
        "OLLAMA_MODEL": "clients",
        "OLLAMA_MODEL_NAME": "clients",
        "OLLAMA_DEFAULT_MODEL": "clients",
        "OLLAMA_EMBED_MODEL": "clients",
        "OLLAMA_EMBEDDING_MODEL": "clients",
        "OLLAMA_CHAT_MODEL": "clients",
        "OLLAMA_TIMEOUT": "clients",
    }
)
"""Variables that other programs read to find or use Ollama."""
