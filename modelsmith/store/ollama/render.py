"""Asking a server for the prompt it makes of a conversation, instead of for an answer.

Source: Ollama ``server/routes.go`` (ChatHandler, GenerateHandler: DebugRenderOnly).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from modelsmith.http.client import HttpClient
    from modelsmith.name import ModelName
    from modelsmith.template.conversation.conversation import Conversation

RENDERS_SINCE = "0.11.5"  # older servers do not know the key and would run the model


def render(
    http: HttpClient, name: ModelName, conversation: Conversation, think: bool | str | None = None
) -> str | None:
    """Return the prompt, None where the answer holds none; loading the model first may take as long as it takes."""
    data = conversation.to_dict()
    body: dict[str, Any] = {"model": name.short, "stream": False, "_debug_render_only": True}
    body["options"] = {"num_predict": 1}  # should the server run the model after all, it stops at once
    if think is not None:
        body["think"] = think
    if data.get("messages"):
        path = "/api/chat"
        body |= {"messages": data["messages"], "tools": data.get("tools") or []}
    else:
        path = "/api/generate"
        body |= {"prompt": data.get("prompt", ""), "suffix": data.get("suffix", "")}
    info = http.fields("POST", path, body, seconds=None).object("_debug_info")
    return info.text("rendered_template") if "rendered_template" in info else None
