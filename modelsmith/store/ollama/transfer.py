"""A server's own pull and push: progress comes as lines, an error may be the last of them.

Source: Ollama ``server/routes.go`` (PullHandler, PushHandler).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.errors import ServerError
from modelsmith.progress import Progress, ProgressSink

if TYPE_CHECKING:
    from modelsmith.http.client import HttpClient
    from modelsmith.name import ModelName


def transfer(http: HttpClient, verb: str, name: ModelName, progress: ProgressSink, *, insecure: bool) -> None:
    """``POST /api/pull`` or ``/api/push``; raises ServerError with the server's own words."""
    path = f"/api/{verb}"
    body = {"model": name.short, "insecure": insecure, "stream": True}
    ended = False
    for line in http.lines("POST", path, body):
        if error := line.get("error"):
            raise ServerError(
                f"POST {http.url}{path}: {error!s:.1000}", request=f"POST {http.url}{path}", text=str(error)
            )
        said = http.read("POST", path, line)
        status = said.text("status")
        progress(Progress(status, said.text("digest"), said.count("completed"), said.count("total")))
        ended = status == "success"
    if not ended:
        raise ServerError(
            f"POST {http.url}{path}: the server stopped before it was done", hint="run the command again to go on"
        )
