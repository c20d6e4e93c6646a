"""A store behind the HTTP API of an Ollama server, on this machine or another.

Source: Ollama ``server/routes.go``, ``api/types.go``, ``internal/modelref/modelref.go``.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from modelsmith.diagnostic import did_you_mean
from modelsmith.errors import ModelNotFound, ServerError, Unsupported
from modelsmith.http.client import HttpClient
from modelsmith.memo import Same, said_once
from modelsmith.progress import ProgressSink, silent
from modelsmith.store.ollama.create import create, sources, upload
from modelsmith.store.ollama.files import find_files
from modelsmith.store.ollama.render import RENDERS_SINCE, render
from modelsmith.store.ollama.show import DEFAULT_TEMPLATE, Described, Shown, digest_of_path, read_show, says
from modelsmith.store.ollama.transfer import transfer
from modelsmith.versions import of_server, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from modelsmith.fields import Fields
    from modelsmith.name import ModelName
    from modelsmith.store.listing import Listing
    from modelsmith.store.model import CreatePreview, CreateRequest, StoredModel
    from modelsmith.template.conversation.conversation import Conversation

ABSENT = "start it with `ollama serve`, name another one in OLLAMA_HOST, or work on a directory with --store DIR"
_REWRITES_SINCE = "0.30.0"


class OllamaStore:
    """Models of an Ollama server. Nothing is asked before the first call, so a wrong URL shows up there."""

    def __init__(self, url: str, *, connect_seconds: float = 5.0, headers: Mapping[str, str] | None = None) -> None:
        self.address = server_url(url)
        """The server's URL with the credentials that it was given: to connect to, not to show."""
        self._http = HttpClient(
            self.address, peer="Ollama server", absent=ABSENT, connect_seconds=connect_seconds, headers=headers
        )
        self._version: str | None = None

    def __repr__(self) -> str:
        return f"OllamaStore({self.location!r})"

    @property
    def location(self) -> str:
        """The server's URL, without credentials."""
        return self._http.url

    def close(self) -> None:
        """Close the connections; the store can still be used and opens new ones."""
        self._http.close()

    @property
    def is_local(self) -> bool:
        """Whether the server runs on this machine (or at the near end of a tunnel)."""
        return self._http.is_local

    def is_listening(self, seconds: float) -> bool:
        """Whether something accepts connections there, or a proxy is to be asked; says nothing about what."""
        return self._http.is_listening(seconds)

    def ollama_version(self, *, seconds: float = 10.0) -> str | None:
        """Return the server's version, as it says (``0.0.0`` for one that was built from source)."""
        if self._version is None:
            answer = self._http.fields("GET", "/api/version", seconds=seconds)
            if "version" not in answer:
                request = f"GET {self.location}/api/version"
                hint = f"is {self.location} an Ollama server?"
                raise ServerError(f"{request}: the answer has no version", request=request, hint=hint)
            self._version = answer.text("version")
        return self._version

    def models(self) -> tuple[ModelName, ...]:
        """List the models, sorted by name."""
        return tuple(sorted((name for name, _ in self._tags()), key=str))

    def listing(self) -> Listing:
        """Return the table of the models; a server does not tell which blobs they share."""
        from modelsmith.store.listing import ListedModel, Listing

        rows = [
            ListedModel(name, entry.text("digest").removeprefix("sha256:"), entry.count("size"), None, moment(entry))
            for name, entry in self._tags()
        ]
        return Listing(tuple(sorted(rows, key=lambda row: str(row.name))))

    def show(self, name: ModelName | str) -> StoredModel:
        """Describe one model; raises ModelNotFound.

        A server tells less than its files say: a template that is exactly ``{{ .Prompt }}`` looks like none, and
        whether there is a Jinja template in the GGUF is known only while the server runs that. Where the server's own
        files can be read on this machine (and are the ones it serves) they are used instead.
        """
        return self._describe(_name(name)).model

    def said(self, name: ModelName | str) -> Shown:
        """Return what the server itself says about a model, whatever its files hold; raises ModelNotFound."""
        return self._describe(_name(name)).shown

    def preview(
        self,
        name: ModelName | str,
        request: CreateRequest,
        *,
        as_is: bool = False,
        progress: ProgressSink = silent,
    ) -> CreatePreview:
        """Say what ``create`` with the same arguments would send and write. Changes nothing."""
        from modelsmith.store.ollama.preview import preview

        name = _name(name)
        self._check_as_is(request, as_is)
        base = self._base(request)
        try:
            current = self._describe(name)
        except ModelNotFound:
            current = None
        return preview(self._http, request, base, current, as_is=as_is, progress=progress)

    def create(
        self,
        name: ModelName | str,
        request: CreateRequest,
        *,
        as_is: bool = False,
        progress: ProgressSink = silent,
    ) -> StoredModel:
        """Create or replace a model; the base must be on the server already, it is not pulled.

        ``as_is`` raises Unsupported where the server would rewrite the GGUF (Ollama 0.30 and later).
        """
        name = _name(name)
        self._check_as_is(request, as_is)
        _refuse_cloud(name)
        base = self._base(request)
        for source in sources(request):
            upload(self._http, source, progress)
        body = {**request.to_body(progress), "model": name.short, "name": "", "stream": True}
        if base is not None:
            body["from"] = base.model.name.short  # the server forgives another case of letters everywhere but here
        create(self._http, body, progress)
        model = self.show(name)
        if model.template is None and body.get("template") == DEFAULT_TEMPLATE:
            return replace(model, template=DEFAULT_TEMPLATE)  # it looks like none, but it was just written
        return model

    def prepare(self, request: CreateRequest, progress: ProgressSink = silent) -> None:
        """Send the blobs that a request needs and that are not there; nothing is created yet."""
        self._base(request)  # that is not there is told before anything is sent
        for source in sources(request):
            upload(self._http, source, progress)

    def copy(self, source: ModelName | str, target: ModelName | str) -> None:
        """Give a model a second name; raises ModelNotFound."""
        source, target = _name(source), _name(target)
        with self._naming(source):
            self._http.ask("POST", "/api/copy", {"source": source.short, "destination": target.short})

    def delete(self, name: ModelName | str) -> None:
        """Remove a model and the blobs that no other model uses; a server does not say how many bytes that frees.

        Raises ModelNotFound.
        """
        name = _name(name)
        with self._naming(name):
            self._http.ask("DELETE", "/api/delete", {"model": name.short})

    def pull(self, name: ModelName | str, *, insecure: bool = False, progress: ProgressSink = silent) -> None:
        """Have the server fetch a model from its registry; ``insecure`` is plain http. Raises ServerError."""
        transfer(self._http, "pull", _name(name), progress, insecure=insecure)

    def push(self, name: ModelName | str, *, insecure: bool = False, progress: ProgressSink = silent) -> None:
        """Have the server send a model to the registry of its name. Raises ServerError."""
        transfer(self._http, "push", _name(name), progress, insecure=insecure)

    def render(self, name: ModelName | str, conversation: Conversation, think: bool | str | None = None) -> str | None:
        """Return the prompt that the server itself makes of a conversation, for verification.

        The server loads the model to do this. None where it cannot: it is older than 0.11.5, or the conversation is
        empty. Raises ServerError when rendering or loading fails.
        """
        name = _name(name)
        with self._naming(name):
            return render(self._http, name, conversation, think) if self._has(RENDERS_SINCE) else None

    def _has(self, since: str) -> bool:
        """Whether the server has what came in version ``since``; builds from source (0.0.0) count as the newest."""
        return resolve(of_server(self.ollama_version())).has(since)

    def _tags(self) -> tuple[tuple[ModelName, Fields], ...]:
        from modelsmith.name import ModelName

        found = []
        for entry in self._http.fields("GET", "/api/tags").objects("models"):
            name = ModelName.parse(entry.text("name"))
            if not name.is_valid:
                raise entry.wrong("name", f"the name of a model ({name.problem})")
            found.append((name, entry))
        return tuple(found)

    def _describe(self, name: ModelName) -> Described:
        return said_once(("shown", Same(self), name), lambda: self._described(name), refusals=ModelNotFound)

    def _described(self, name: ModelName) -> Described:
        from modelsmith.store.model import StoredModel

        _refuse_cloud(name)
        with self._naming(name):
            asked = {"model": name.short, "verbose": False}
            shown = read_show(self._http.fields("POST", "/api/show", asked, seconds=300))
        if shown.remote_model:
            raise Unsupported(
                f"{name.short} runs as {shown.remote_model} on {shown.remote_host}: there are no weights and no template here",
                hint="use a model that is stored on the server",
            )
        version = of_server(self.ollama_version()) or ""
        name, tag = next(((other, entry) for other, entry in self._tags() if other.same_as(name)), (name, None))
        digest, size = (tag.text("digest").removeprefix("sha256:"), tag.count("size")) if tag else ("", 0)
        files = find_files(shown.weights_path) if self._http.is_local else None
        twin = files.model(name, digest) if files is not None else None
        if twin is not None:
            return Described(shown, replace(twin, capabilities=shown.capabilities, said=says(shown, twin, version)))
        known, inside = files.chat_template() if files is not None else (False, None)
        model = StoredModel(
            name=name,
            digest=digest,
            template=shown.template,
            chat_template=shown.chat_template or inside,
            chat_template_known=known or shown.chat_template is not None,
            system=shown.system,
            parameters=shown.parameters,
            messages=shown.messages,
            licenses=shown.licenses,
            noted=shown.noted,
            family=shown.family,
            capabilities=shown.capabilities,
            weights=files.weights if files is not None else None,
            weights_digest=digest_of_path(shown.weights_path),
            size=size,
            extra_layers=shown.extra,
            format=shown.format,
            parent=shown.parent,
        )
        return Described(shown, replace(model, said=says(shown, model, version)))

    def _base(self, request: CreateRequest) -> Described | None:
        base = request.fields.get("from")
        return self._describe(_name(base)) if isinstance(base, str) and base else None

    def _check_as_is(self, request: CreateRequest, as_is: bool) -> None:
        if as_is and any(sources(request)) and self._has(_REWRITES_SINCE):
            raise Unsupported(
                f"{self.location} (Ollama {self._version}) writes every imported GGUF anew, so its bytes cannot be kept",
                hint="leave --as-is out, or create the model in a directory with --store DIR",
            )

    @contextmanager
    def _naming(self, name: ModelName) -> Iterator[None]:
        """Turn the server's 404 into ModelNotFound with the closest name that exists."""
        try:
            yield
        except ServerError as error:
            if error.status == 403 and "cloud" in error.text:
                raise Unsupported(
                    f"{name.short}: {error.text}", hint="use a model that is stored on the server"
                ) from error
            if error.status == 500 and not error.hint and "/api/show" in error.request:
                raise ServerError(
                    f"{name.short}: {error.message}",
                    status=500,
                    text=error.text,
                    request=error.request,
                    hint="perhaps a file of its store is damaged: `modelsmith store fsck --store FOLDER`, where the server runs, names it",
                ) from error
            if error.status != 404 or "not found" not in error.text or "page not found" in error.text:
                raise
            guess = did_you_mean(name.short, (other.short for other, _ in self._tags()))
            raise ModelNotFound(
                f"no model {name.short} on {self.location}{guess}", hint=f"`ollama pull {name.short}` may bring it"
            ) from error


def moment(entry: Fields) -> float | None:
    """Return when a model was changed, in seconds since 1970; None where the server does not say it."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(entry.text("modified_at")).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _name(name: ModelName | str) -> ModelName:
    """Return a valid name; a tag that a server takes as a mark of the source, not as a name, is Unsupported."""
    from modelsmith.name import ModelName

    name = ModelName.strict(name if isinstance(name, str) else str(name))
    if name.tag.lower() == "local":
        raise Unsupported(f'a server reads the tag of {name.short} as "the one stored here"', hint="choose another tag")
    return name


def _refuse_cloud(name: ModelName) -> None:
    tag = name.tag.lower()
    if tag == "cloud" or tag.endswith("-cloud"):
        raise Unsupported(
            f"{name.short} is a cloud model: it runs on ollama.com, and there are no weights and no template here",
            hint="use a model that is stored on the server",
        )


def server_url(text: str) -> str:
    """Return the URL to connect to for anything OLLAMA_HOST may hold, plus credentials, which OLLAMA_HOST cannot hold.

    Addresses that only a server can use (0.0.0.0, ::, none) become this machine's.
    """
    from modelsmith.name import parse_host

    before, separator, rest = text.rpartition("://")
    authority, slash, path = rest.partition("/")
    credentials, at, host = authority.rpartition("@")
    url = parse_host(before + separator + host + slash + path).rstrip("/")
    scheme, _, rest = url.partition("://")
    for unspecified, own in (("0.0.0.0:", "127.0.0.1:"), ("[::]:", "[::1]:"), (":", "127.0.0.1:")):
        if rest.startswith(unspecified):
            rest = own + rest.removeprefix(unspecified)
            break
    return f"{scheme}://{credentials}{at}{rest}"
