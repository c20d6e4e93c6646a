"""What a server itself says of the model that was just created: which template runs, what it can do, which prompts it makes.

What was sent, and what lies on the disk, is compared elsewhere. A server decides for itself which template runs, and a setting
of it (OLLAMA_GO_TEMPLATE) or rules that are newer than ours may decide otherwise than the plan did.
Source: Ollama ``server/routes.go`` (GetModelInfo, ChatHandler: DebugRenderOnly).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import ServerError, TemplateRenderError, VerificationFailed
from modelsmith.progress import Progress, ProgressSink, silent
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.conversation.think import THINK_WORDS, THINKS
from modelsmith.versions import FACTS, of_server, resolve

if TYPE_CHECKING:
    from modelsmith.recipe.plan.plan import Plan
    from modelsmith.store.ollama.ollama import OllamaStore
    from modelsmith.store.ollama.show import Shown
    from modelsmith.template.conversation.think import Think

_HINT = (
    "the model was created; is OLLAMA_GO_TEMPLATE set on the server? `modelsmith explain NAME` says what the server shows, and a recipe "
    "whose base is a model of that server is planned with it"
)
_DATES = ("currentDate", "yesterdayDate", "strftime_now")
_DEFAULT_CONTEXT = 4096


def check_served(plan: Plan, *, prompts: bool = True, progress: ProgressSink = silent) -> tuple[str, ...]:
    """Compare what the server says with the plan; return what was found out, or why not, in sentences.

    ``prompts`` has it render one chat for each ``think`` too, for which it loads the model. Nothing is asked of a store in a
    folder. Raises VerificationFailed where the server runs another template, lacks a capability, or makes another prompt.
    """
    from modelsmith.store.ollama.ollama import OllamaStore

    store = plan.store
    if not isinstance(store, OllamaStore):
        return ()
    server, planned = resolve(of_server(store.ollama_version())), resolve(plan.after.version)
    if server != planned:
        return (f"planned for Ollama {planned}, and {store.location} is {server}: what runs there was not compared",)
    shown = store.said(plan.name)
    _check_shown(plan, shown)
    return _check_prompts(plan, store, shown, progress) if prompts else ()


def _check_shown(plan: Plan, shown: Shown) -> None:
    source = plan.after.effective.source
    where = f"{plan.store.location} says of {plan.name.short}"
    chat_template = plan.after.chat_template
    if source == "jinja" and chat_template is not None and shown.chat_template != chat_template.text:
        other = "another Jinja template" if shown.chat_template else "the TEMPLATE"
        raise VerificationFailed(f"{where} that {other} runs, planned was the Jinja template in the GGUF", hint=_HINT)
    if source in {"go", "parser"} and shown.chat_template is not None:
        raise VerificationFailed(
            f"{where} that the Jinja template in the GGUF runs, planned was the TEMPLATE", hint=_HINT
        )
    lacking = plan.after.effective.capabilities - shown.capabilities
    if shown.capabilities and lacking:  # servers before 0.6.4 do not tell
        raise VerificationFailed(
            f"{where} that it can {_words(shown.capabilities)}, planned was {_words(lacking)} too", hint=_HINT
        )


def _check_prompts(plan: Plan, store: OllamaStore, shown: Shown, progress: ProgressSink) -> tuple[str, ...]:
    after, texts = plan.after, [plan.after.template_text or ""]
    if after.effective.source not in {"go", "parser", "jinja"}:
        return (f"the server's own code makes the prompts ({after.effective.source}): they were not compared",)
    if after.chat_template is not None:
        texts.append(after.chat_template.text)
    if any(word in text for word in _DATES for text in texts):
        return ("the template names the date: the server's prompts were not compared",)
    thinks = "thinking" in shown.capabilities
    progress(Progress(f"asking {store.location} for the prompts of {plan.name.short}, for which it loads the model"))
    compared = 0
    for think in THINKS if thinks else (None,):
        ours = _expected(plan, think, thinks=thinks)
        if ours is None:
            continue
        try:
            theirs = store.render(plan.name, _asked(), think)
        except ServerError as error:
            return (f"the server's prompts were not compared: {error.message}",)
        if theirs is None:
            return ("this server does not tell its prompts: they were not compared",)
        if _plain(plan, theirs) != _plain(plan, ours):
            raise VerificationFailed(
                f"{store.location} makes another prompt of {plan.name.short} than was planned (think {THINK_WORDS[think]}): "
                f"{theirs[-200:]!r}, planned was {ours[-200:]!r}",
                hint=_HINT,
            )
        compared += 1
    return (f"the server itself makes the planned prompts ({compared} compared)",) if compared else ()


def _asked() -> Conversation:
    return Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})


def _expected(plan: Plan, think: Think, *, thinks: bool) -> str | None:
    """Return the prompt as planned; None where it fails, or may be too long for the server to leave it whole.

    The server puts the model's SYSTEM and MESSAGEs in front, and takes an unset ``think`` for true where the model can think.
    """
    after = plan.after
    messages = [{"role": role, "content": content} for role, content in after.messages]
    messages += [{"role": "user", "content": "hello"}]
    if after.system:
        messages.insert(0, {"role": "system", "content": after.system})
    if think is None and thinks and resolve(after.version).has(FACTS["think-by-default"].since):
        think = True
    try:
        prompt = after.render(Conversation.from_dict({"messages": messages}), think)
    except TemplateRenderError:
        return None
    context = after.parameters.get("num_ctx", _DEFAULT_CONTEXT)
    room = context if isinstance(context, int) else _DEFAULT_CONTEXT
    return prompt if len(prompt.encode()) < room else None  # a token has at least one byte


def _plain(plan: Plan, prompt: str) -> str:
    """Return a prompt without the BOS token that some servers tell and others leave to llama-server."""
    bos = plan.after.inherited.ends["bos_token"]
    return prompt.removeprefix(bos) if bos else prompt


def _words(capabilities: frozenset[str]) -> str:
    return ", ".join(sorted(capabilities)) or "nothing"
