"""Units, compose files, manifests, property lists, environment files and programs: values that do not arrive or mean something else."""

from __future__ import annotations

import pytest

from modelsmith.doctor.excerpt import Language
from modelsmith.doctor.scan import check_command, check_markdown

UNIT = "[Service]\nExecStart=/usr/bin/ollama serve\n"
COMPOSE = 'services:\n  o:\n    image: ollama/ollama\n    volumes: ["o:/r/.ollama"]\n'
WEBUI = 'services:\n  w:\n    image: ghcr.io/open-webui/open-webui:main\n    volumes: ["w:/app/backend/data"]\n'
POD = "spec:\n  containers:\n  - name: o\n    image: ollama/ollama:0.30.0\n"
PLIST = (
    "<dict><key>ProgramArguments</key><array><string>/usr/local/bin/ollama</string><string>serve</string>{words}</array>"
    "<key>EnvironmentVariables</key><dict>{variables}</dict></dict>"
)
WRONG = [
    (Language.SETTINGS, f"{UNIT}Environment=OLLAMA_HOST=127.0.0.1 OLLAMA_KEEP_ALIVE=2d\n", "MSD08", "2d"),
    (Language.SETTINGS, f'{UNIT}Environment="OLLAMA_DEBUG=1" "OLLAMA_NUM_PARALLEL=four"\n', "MSD08", "four"),
    (Language.SETTINGS, f"{UNIT}ProtectHome=yes\nEnvironment=A=b OLLAMA_MODELS=/home/me/models\n", "MSD03", "/home/me/models"),
    (Language.SETTINGS, f"{UNIT}Environment='OLLAMA_NUM_PARALEL=2'\n", "MSD01", "OLLAMA_NUM_PARALEL"),
    (Language.SETTINGS, f"{UNIT}Environment=OLLAMA_MODELS=/data/My Models\n", "MSD10", "Models"),
    (Language.SETTINGS, f'{UNIT}Environment="OLLAMA_CONTEXT_LENGTH = 8192"\n', "MSD10", '"OLLAMA_CONTEXT_LENGTH = 8192"'),
    (Language.SETTINGS, f"{UNIT}Environment=export OLLAMA_DEBUG=1\n", "MSD10", "export"),
    (Language.SETTINGS, f"{UNIT}export OLLAMA_DEBUG=1\n", "MSD10", "export"),
    (Language.SETTINGS, f"{UNIT}Environment=OLLAMA_DEBUG = 1\n", "MSD10", "="),
    (Language.SETTINGS, f"{UNIT}Environment=OLLAMA_HOST=0.0.0.0:1, OLLAMA_DEBUG=1\n", "MSD08", "0.0.0.0:1,"),
    (Language.YAML, f"{COMPOSE}    ports:\n      - 11434\n", "MSD03", "11434"),
    (Language.YAML, f"{COMPOSE}    ports:\n      - '127.0.0.1:11434:11435'\n", "MSD03", "127.0.0.1:11434:11435"),
    (Language.YAML, f"{COMPOSE}    environment:\n      - OLLAMA_DEBUG = 1\n", "MSD10", "OLLAMA_DEBUG ="),
    (Language.YAML, f"{COMPOSE}    environment:\n      - OLLAMA_DEBUG: 1\n", "MSD10", "OLLAMA_DEBUG"),
    (Language.DOCKERFILE, "FROM ollama/ollama\nRUN ollama pull llama3\n", "MSD10", "ollama pull"),
    (Language.SETTINGS, f'{UNIT}Enviroment="OLLAMA_DEBUG=1"\n', "MSD10", "Enviroment"),
    (Language.SETTINGS, "OLLAMA_BASE_URL=http://127.0.0.1:11434/v1\n", "MSD07", "http://127.0.0.1:11434/v1"),
    (Language.YAML, f"{COMPOSE}    environment:\n      OLLAMA_HOST: localhost\n", "MSD03", "localhost"),
    (Language.YAML, f"{COMPOSE}    environment: \n      - OLLAMA_HOST=127.0.0.1:11434\n", "MSD03", "127.0.0.1:11434"),
    (Language.YAML, f"{COMPOSE}    command: [serve, --host, 0.0.0.0]\n", "MSD02", "--host"),
    (Language.YAML, f"{COMPOSE}    command: ollama serve --verbose\n", "MSD02", "--verbose"),
    (Language.YAML, f"{WEBUI}    environment:\n      - OLLAMA_BASE_URL=http://localhost:11434\n", "MSD03", "http://localhost:11434"),
    (Language.YAML, f'{POD}    args: ["serve", "--port", "8080"]\n', "MSD02", "--port"),
    (Language.YAML, f"{POD}    args:\n    - serve\n    - --models=/m\n", "MSD02", "--models"),
    (Language.PLIST, PLIST.format(words="<string>--host</string>", variables=""), "MSD02", "--host"),
    (Language.PLIST, PLIST.format(words="", variables="<key>OLLAMA_KEEP_ALIVE</key><string>1d</string>"), "MSD08", "1d"),
    (Language.PLIST, PLIST.format(words="", variables="<key>OLLAMA_MODEL_DIR</key><string>/x</string>"), "MSD01", "OLLAMA_MODEL_DIR"),
    (Language.PLIST, PLIST.format(words="", variables="<key>OLLAMA_DEBUG</key><integer>1</integer>"), "MSD10", "1"),
    (Language.PYTHON, "import ollama\nollama.chat(model='x', messages=[], num_ctx=4096)\n", "MSD07", "num_ctx"),
    (Language.PYTHON, "import ollama as o\no.generate('x', options={'num_context': 8})\n", "MSD07", "'num_context'"),
    (Language.PYTHON, "import ollama\nc = ollama.Client()\nc.embed(model='é', temprature=1)\n", "MSD07", "temprature"),
    (Language.PYTHON, "import requests\nrequests.post('http://localhost:11434/api/chats', json={})\n", "MSD07", "'http://localhost:11434/api/chats'"),
    (Language.PYTHON, "httpx.post(url='http://a:11434/api/generate', json={'model': 'x', 'max_tokens': 1})\n", "MSD07", "'max_tokens'"),
    (Language.PYTHON, "import os\n# ollama\nos.environ['OLLAMA_CONTEXT_LENGTH'] = '8k'\n", "MSD08", "'8k'"),
    (Language.PYTHON, "from langchain_ollama import ChatOllama\nChatOllama(base_url='http://a:11434/v1')\n", "MSD07", "http://a:11434/v1"),
]  # fmt: skip
RIGHT = [
    (Language.SETTINGS, f'{UNIT}Environment="OLLAMA_MODELS=/data/My Models" OLLAMA_KEEP_ALIVE=-1 \'OLLAMA_DEBUG=1\'\n'),
    (Language.SETTINGS, f"{UNIT}Environment=PATH=/usr/bin HOME=/x y\n"),
    (Language.SETTINGS, "OPENAI_BASE_URL=http://127.0.0.1:11434/v1\nOLLAMA_HOST=127.0.0.1:11434\n"),
    (Language.YAML, f"{COMPOSE}    network_mode: host\n    environment:\n      OLLAMA_HOST: 127.0.0.1\n"),
    (Language.YAML, f"{COMPOSE}    entrypoint: [sh, -c]\n    command: [serve, --host, x]\n"),
    (Language.YAML, f"{COMPOSE}    command: [serve]\n"),
    (Language.YAML, f"{COMPOSE}    ports: ['127.0.0.1:1:11434']\n    environment:\n      - OLLAMA_DEBUG=1\n"),
    (Language.YAML, f"{COMPOSE}    environment:\n      - OLLAMA_HOST=0.0.0.0:80\n    ports:\n      - 127.0.0.1:80:80\n"),
    (Language.DOCKERFILE, "FROM ollama/ollama\nRUN ollama serve & sleep 5 && ollama pull llama3\n"),
    (Language.SETTINGS, "export OLLAMA_DEBUG=1\n"),
    (Language.YAML, f"{WEBUI}    environment:\n      - OLLAMA_BASE_URL=http://o:11434\n"),
    (Language.YAML, f"{WEBUI.replace(':main', ':ollama')}    environment:\n      - OLLAMA_BASE_URL=http://localhost:11434\n"),
    (Language.PLIST, PLIST.replace("ollama<", "other<").format(words="<string>--host</string>", variables="")),
    (Language.PLIST, "<dict><key>OLLAMA_X</key><string>"),
    (Language.PYTHON, "import ollama\nollama.chat(model='x', messages=[], options={'num_ctx': 8}, keep_alive='1h', think=True)\n"),
    (Language.PYTHON, "import ollama\nthis is no Python\nollama.chat(num_ctx=1)\n"),
    (Language.PYTHON, "other.chat(num_ctx=1)\nrequests.post('http://localhost:8000/api/chats', json={'x': 1})\n# ollama\n"),
    (Language.PYTHON, "httpx.Client(base_url='http://localhost:11434/v1')\nrequests.post('http://[bad:11434/api', json={})\n"),
    (Language.PYTHON, "# ollama\n" + "(" * 5000 + ")" * 5000),
]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "code", "marked"), WRONG)
def test_wrong_values(language: Language, text: str, code: str, marked: str) -> None:
    found = check_markdown(text, lambda _: (), language=language)
    assert [(each.code, each.span.of(text)) for each in found] == [(code, marked)]


@pytest.mark.parametrize(("language", "text"), RIGHT)
def test_right_values(language: Language, text: str) -> None:
    assert check_markdown(text, lambda _: (), language=language) == ()


@pytest.mark.parametrize(
    ("command", "code", "marked"),
    [
        ("docker run -v o:/r/.ollama -e OLLAMA_HOST=localhost ollama/ollama", "MSD03", "localhost"),
        ("docker run -v w:/app/backend/data -e OLLAMA_BASE_URL=http://127.0.0.1:11434 open-webui:main", "MSD03", "http://127.0.0.1:11434"),
        ("curl http://localhost:11434/api/chat -d \"{'model': 'x'}\"", "MSD07", "\"{'model': 'x'}\""),
        ("ollama create m -f Modelfile --quantize", "MSD02", "--quantize"),
    ],
)  # fmt: skip
def test_commands(command: str, code: str, marked: str) -> None:
    assert [(each.code, each.span.of(command)) for each in check_command(command)] == [(code, marked)]


@pytest.mark.parametrize(
    "command",
    [
        "docker run --network host -v o:/r/.ollama -e OLLAMA_HOST=127.0.0.1 ollama/ollama",
        "docker run --net=host -v w:/app/backend/data -e OLLAMA_BASE_URL=http://127.0.0.1:11434 open-webui:main",
        'curl http://localhost:11434/api/chat -d \'{"model": "x"}\'',
    ],
)
def test_right_commands(command: str) -> None:
    assert check_command(command) == ()


def test_export_in_a_file_that_is_no_script() -> None:
    text = "EnvironmentFile=/etc/ollama.env\n\n```env\nexport OLLAMA_DEBUG=1\n```\n"
    (found,) = check_markdown(text, lambda _text: ())
    assert (found.code, found.span.of(text)) == ("MSD10", "export")
    assert "write OLLAMA_DEBUG=1" in found.hint
