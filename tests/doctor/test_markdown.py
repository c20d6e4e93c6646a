"""``check_markdown``: code is found where it is, prose is left alone."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shared import SHARED, needs_shared

from modelsmith.diagnostic import Diagnostic
from modelsmith.doctor import Language, check_environment, check_markdown, environment_text
from modelsmith.lint.linter import lint
from modelsmith.source import Source


def found(text: str, language: Language | None = None) -> list[tuple[int, int, str]]:
    source = Source(text)
    return [(*source.position(each.span.start), each.code) for each in check_markdown(text, lint, language=language)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# A\n\n```bash\nollama logs\n```\n", [(4, 8, "MSD02")]),
        ("1. x\n   ```sh\n   ollama logs\n   ```\n", [(3, 11, "MSD02")]),
        ("> ~~~\n> ollama logs\n> ~~~\n", [(2, 10, "MSD02")]),
        ("Look at `ollama logs` there.\n", [(1, 17, "MSD02")]),
        ("There is no `ollama logs` there.\n", []),
        ("ollama logs are what I read.\n", []),
        ("text\n\n    $ ollama run x --seed 1\n", [(3, 20, "MSD02")]),
        ("Ollama takes `--max-tokens 3`.\n", [(1, 15, "MSD02")]),
        ("vLLM and Ollama: `--max-tokens 3`.\n", []),
        ("Set `OLLAMA_NUM_GPU=1`.\n", [(1, 6, "MSD01")]),
        ("```python\nos.environ['OLLAMA_NUM_GPU'] = 1\n```\n", []),
        ("```\nFROM x\nPARAMETER think true\n```\n", [(3, 11, "MS401")]),
        ("Write `PARAMETER think true` in it.\n", [(1, 18, "MS401")]),
        ("```dockerfile\nFROM ollama/ollama\nENV OLLAMA_NUM_GPU=1\nRUN ollama logs\n```\n", [(3, 5, "MSD01"), (4, 12, "MSD02")]),
        ("```sh\ncat > Modelfile <<'EOF'\nFROM x\nPARAMETER max_tokens 5\nEOF\n```\n", [(4, 11, "MS201")]),
        ("FROM x\nPARAMETER max_tokens 5\n\nmore\n", [(2, 11, "MS201")]),
        ("```ini\n[Service]\nEnvironment=\"OLLAMA_NUM_GPU=1\"\n```\n", [(3, 14, "MSD01")]),
        ("```env\nOLLAMA_NUM_GPU=1\n```\n", []),
        ("```yaml\nservices:\n  o:\n    image: ollama/ollama\n    environment:\n      - OLLAMA_NUM_GPU=1\n    ports: []\n```\n", [(4, 12, "MSD04"), (6, 9, "MSD01")]),
        ("```yaml\ncontainers:\n- name: o\n  image: ollama/ollama\n  env:\n  - name: OLLAMA_NUM_GPU\n    value: \"1\"\n```\n", [(6, 11, "MSD01")]),
        ("```yaml\nenvironment:\n  OLLAMA_NUM_GPU: 1\n```\n", []),
        ('```ini\nEnvironment="OLLAMA_HOST=1.2.3.4"\n```\n', [(2, 1, "MSD10")]),
        ('Below `[Service]`:\n```ini\nEnvironment="OLLAMA_HOST=1.2.3.4"\n```\n', []),
        ('```ini\n[Unit]\nEnvironment="OLLAMA_HOST=1.2.3.4"\n```\n', [(3, 1, "MSD10")]),
        ("```ini\n[Service]\nProtectHome=yes\nEnvironment=OLLAMA_MODELS=/home/me/models\n```\n", [(4, 27, "MSD03")]),
        ("```ini\n[Service]\nProtectHome=no\nEnvironment=OLLAMA_MODELS=/home/me/models\n```\n", []),
        ('```env\nOLLAMA_CONTEXT_LENGTH value="8192"\n```\n', [(2, 1, "MSD10")]),
        ("```env\nOLLAMA_CONTEXT_LENGTH=8192\nOLLAMA_KEEP_ALIVE = 5m\n```\n", []),
        ('```python\nclient = OpenAI(\n    base_url="http://localhost:11434",\n)\n```\n', [(3, 15, "MSD07")]),
        ('```python\nOpenAI(base_url="http://localhost:11434/v1/")\nChatOllama(base_url="http://localhost:11434")\n```\n', []),
        ('```python\nOpenAI(\n    api_key=os.getenv("K"), base_url="http://localhost:11434")\n```\n', [(3, 39, "MSD07")]),
        ('```js\ncreateOllama({ baseURL: "http://localhost:11434/api" })\n```\n', []),
        ('```yaml\nbase_url: http://ollama:11434/api/generate\n```\n', [(2, 11, "MSD07")]),
        ("This is not valid: base_url=http://localhost:11434/api/chat\n", []),
        ("after <｜ Assistant｜ > add &lt;think&gt;\\\\n\n", [(1, 7, "MSD11"), (1, 40, "MSD11")]),
        ("see https://github.com/ollama/ollama/blob/main/docs/import.md\n", [(1, 13, "MSD06")]),
        ("<!-- modelsmith: ignore[MSD02] shown as it is -->\n```sh\nollama logs\n```\n`ollama logs`\n", [(5, 9, "MSD02")]),
        ("OLLAMA_HOST=0.0.0.0 ollama serve\n", [(1, 13, "MSD03")]),
        ("OLLAMA_HOST=0.0.0.0 ollama serve\n\nPut a firewall before it.\n", []),
        ("```sh\ndocker run --name a -p 127.0.0.1:1:11434 -v m:/r/.ollama ollama/ollama\ndocker run --name b -p 127.0.0.1:2:11434 -v m:/r/.ollama ollama/ollama\n```\n", [(3, 45, "MSD05")]),
    ],
)  # fmt: skip
def test_places(text: str, expected: list[tuple[int, int, str]]) -> None:
    assert found(text) == expected


def test_other_files_are_read_as_what_they_are() -> None:
    assert found("#!/bin/sh\nollama logs\n", Language.SHELL) == [(2, 8, "MSD02")]
    assert found("FROM ollama/ollama\nRUN ollama logs\n", Language.DOCKERFILE) == [(2, 12, "MSD02")]


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("`~>#-1. \n\tolamrunOLLAMA_FROMx=$('\"<|｜\\:/"), max_size=200))
def test_any_text_is_read(text: str) -> None:
    def nothing(_: str) -> Iterable[Diagnostic]:
        return ()

    for each in check_markdown(text, nothing):
        assert 0 <= each.span.start <= each.span.end <= len(text)


def test_environment() -> None:
    environ = {
        "OLLAMA_FLASH_ATTENTION": "no",
        "OLLAMA_MODELS": "/x",
        "OLLAMA_NUM_GPU": "1",
        "PATH": "/bin",
        "OLLAMA_MODEL": "m",
    }
    text = environment_text(environ)
    assert text == "OLLAMA_FLASH_ATTENTION=no\nOLLAMA_MODEL=m\nOLLAMA_MODELS=/x\nOLLAMA_NUM_GPU=1\n"
    assert [(each.code, each.span.of(text)) for each in check_environment(environ)] == [
        ("MSD08", "no"),
        ("MSD01", "OLLAMA_NUM_GPU"),
    ]


SEEDS = {
    "000": [],
    "001": [(77, "MSD12"), (83, "MSD03"), (83, "MSD04"), (93, "MSD04"), (104, "MSD04"), (113, "MSD06"), (113, "MSD06"),
            (116, "MSD06"), (190, "MSD05"), (191, "MSD04"), (222, "MSD11"), (229, "MSD09"), (232, "MSD11"), (232, "MSD11"), (325, "MSD11")],
    "002": [(134, "MSD06"), (145, "MSD10")],
    "003": [(149, "MSD02")],
    "004": [(67, "MSD10"), (67, "MSD03"), (76, "MSD04"), (108, "MSD01"), (109, "MSD02"), (112, "MSD03"), (115, "MSD02")],
}  # fmt: skip


@needs_shared
@pytest.mark.parametrize("number", sorted(SEEDS))
def test_real_how_tos(number: str) -> None:
    (path,) = (SHARED / "seeds").glob(f"{number}_*")
    assert [(line, code) for line, _, code in found(path.read_text(encoding="utf-8"))] == SEEDS[number]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x1c", "\x1e", "\x85", "\u2028"])
def test_a_variable_whose_name_has_line_ends(end: str) -> None:
    (found,) = check_environment({f"OLLAMA_{end}HOST": "0.0.0.0:11434"})
    assert "OLLAMA_ HOST" in found.message
    (other,) = check_environment({"OLLAMA_KEEP_ALIVES": f"5m{end}x", f"OLLAMA{end}": "x"})
    assert "OLLAMA_KEEP_ALIVE" in other.message + other.hint
