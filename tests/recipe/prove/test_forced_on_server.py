"""Models that force-think edited, on a real llama-server: it makes the prompts that we say, and splits answers as we say."""

from __future__ import annotations

from pathlib import Path

import llama_server
import pytest
import real_templates
from shared import needs_shared

from modelsmith.recipe.plan.apply import apply
from modelsmith.recipe.plan.plan import plan
from modelsmith.recipe.read.load import load_recipe
from modelsmith.store.local.local import LocalStore
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.jinja.template import ChatTemplate
from modelsmith.weights.gguf.file import GGUFFile
from modelsmith.weights.gguf.metadata import Entry
from modelsmith.weights.gguf.sample import write_sample
from modelsmith.weights.gguf.tokens.ends import text_ends
from modelsmith.weights.gguf.types import ValueType

pytestmark = [needs_shared, pytest.mark.skipif(not llama_server.is_here(), reason=llama_server.MISSING)]

_USER = {"role": "user", "content": "Hello, Wörld!"}
CHATS = (
    [_USER],
    [{"role": "system", "content": "Be brief."}, _USER],
    [_USER, {"role": "assistant", "content": "Hi."}, {"role": "user", "content": "And now?"}],
    [_USER, {"role": "assistant", "content": "It is"}],
)
THINKS = (None, True, False)
ADDS_BOS = "tokenizer.ggml.add_bos_token"


@pytest.mark.parametrize("word", ["Qwen3-0.6B", "Qwen2.5-7B", "gemma-4-31B-it.", "Kimi-K2-Thinking", "LFM2-8B"])
def test_the_server_does_with_the_edited_model_what_we_say(word: str, tmp_path: Path) -> None:
    text = next(text for name, text in real_templates.recorded().items() if word in name)
    adds = {ADDS_BOS: Entry.of(ADDS_BOS, ValueType.BOOL, True)} if "LFM2" in word else {}
    base = write_sample(tmp_path / "base.gguf", chat_template=text, metadata=adds)
    recipe = load_recipe("force-think").resolve({"base": str(base), "name": "forced"})
    weights = apply(plan(recipe, LocalStore(tmp_path / "store"))).model.weights
    assert weights is not None
    with GGUFFile.open(weights) as gguf:
        edited, ends = ChatTemplate.parse(gguf.chat_template or ""), text_ends(gguf)
    assert edited.text != text
    opening, closing = (tag.strip() for tag in (edited.reasoning.opening, edited.reasoning.closing))
    said = [
        "ANSWER",
        f"THOUGHT{closing}ANSWER",
        f"THOUGHT\n{closing}\n\nANSWER",
        f"{opening}\nTHOUGHT\n{closing}\n\nANSWER",
    ]
    cases = [(chat, think) for chat in CHATS for think in THINKS]
    splits = [(answer, think) for answer in said for think in THINKS]
    asked = [{"messages": chat, **kwargs(think)} for chat, think in cases]
    asked += [llama_server.forced({"messages": [_USER], **kwargs(think)}, answer) for answer, think in splits]
    answers = llama_server.answers(None, asked, model=weights)
    assert answers is not None
    ours: list[llama_server.Answer] = [
        {"prompt": edited.render(Conversation.from_dict({"messages": chat}), think, **ends)} for chat, think in cases
    ]
    for answer, think in splits:
        found = edited.split(answer, think)
        ours.append({"reasoning": found.reasoning, "content": found.content})
    assert ours == answers
    assert ours[0]["prompt"].rstrip().endswith(opening)
    assert answers[len(cases) + 3 * 1]["reasoning"].strip() == "THOUGHT"


def kwargs(think: bool | None) -> dict[str, object]:
    return {} if think is None else {"chat_template_kwargs": {"enable_thinking": think}}
