"""A small Hugging Face Hub on this machine: what huggingface_hub asks for when it lists, downloads, creates and commits.

Large files (``.gguf``, ``.safetensors``) are redirected to another host name, as the real one does, where no token may come.
The requests for create, preupload, LFS and commit were recorded from huggingface_hub 2.4.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

LARGE = (".gguf", ".safetensors", ".bin")


@dataclass
class FakeRepo:
    """A repository: its files, who may read it, and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    commit: str = "c0ffee" + "0" * 34
    branches: tuple[str, ...] = ("main", "refs/pr/1")
    private: bool = False
    gated: bool = False
    card: dict[str, Any] = field(default_factory=dict)
    damage: dict[str, bytes] = field(default_factory=dict)  # what is sent instead
    sizes: dict[str, int] = field(default_factory=dict)  # what HEAD says instead
    names: dict[str, str] = field(default_factory=dict)  # what a file is called in the list instead


@dataclass
class FakeHub:
    """What the Hub holds; ``requests`` are method, path and headers; ``cut`` ends answers after so many bytes of a file."""

    repos: dict[str, FakeRepo] = field(default_factory=dict)
    token: str = "hf_secret"
    cut: int = 0
    xet: bool = False
    fail: int = 0
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    uploaded: dict[str, bytes] = field(default_factory=dict)
    url: str = ""

    def paths(self, method: str = "") -> list[str]:
        return [path for each, path, _ in self.requests if not method or each == method]


def is_large(path: str) -> bool:
    return path.endswith(LARGE)


def blob_id(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, *_arguments: Any) -> None:
        """Say nothing."""

    def send(self, status: int, data: Any = b"", headers: dict[str, str] | None = None) -> None:
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def refuse(self, status: int, code: str = "", text: str = "") -> None:
        self.send(status, {"error": text or code}, {"X-Error-Code": code, "X-Error-Message": text or code})

    def noted(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.requests.append((self.command, unquote(self.path), headers))
        self.hub.bodies.append(body)
        return body

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.noted()
        if self.hub.fail:
            return self.refuse(self.hub.fail)
        parts = unquote(urlsplit(self.path).path).strip("/").split("/")
        if parts[0] == "cdn":
            return self.cdn("/".join(parts[1:3]), "/".join(parts[3:]))
        if "xet-read-token" in parts or "xet-write-token" in parts:
            return self.refuse(404, "", "no such token")
        if parts[:2] == ["api", "models"]:
            name, revision = "/".join(parts[2:4]), "/".join(parts[5:]) or "main"
            repo = self.readable(name, revision, listing=True)
            return None if repo is None else self.listing(name, repo)
        if "resolve" in parts:
            name = "/".join(parts[:2])
            repo = self.readable(name, parts[3])
            return None if repo is None else self.resolve(name, repo, "/".join(parts[4:]))
        return self.refuse(404)

    def readable(self, name: str, revision: str, *, listing: bool = False) -> FakeRepo | None:
        given = self.headers.get("Authorization", "")
        known = given == f"Bearer {self.hub.token}"
        repo = self.hub.repos.get(name)
        if given and not known:
            self.refuse(401, "", "Invalid credentials in Authorization header")
        elif repo is None or (repo.private and not known):
            self.refuse(404 if known else 401, "RepoNotFound", "Repository not found")
        elif repo.gated and not known and not listing:
            self.refuse(401, "GatedRepo", "Access to this model is restricted")
        elif revision not in (*repo.branches, repo.commit):
            self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        else:
            return repo
        return None

    def listing(self, name: str, repo: FakeRepo) -> None:
        files = []
        for path, data in repo.files.items():
            each: dict[str, Any] = {"rfilename": repo.names.get(path, path), "size": len(data), "blobId": blob_id(data)}
            if is_large(path):
                sha = hashlib.sha256(data).hexdigest()
                each["lfs"] = {"sha256": sha, "size": len(data), "pointerSize": 130}
            files.append(each)
        answer = {"id": name, "modelId": name, "sha": repo.commit, "siblings": files, "private": repo.private}
        self.send(200, answer | {"cardData": repo.card, "tags": [], "downloads": 0, "likes": 0})

    def resolve(self, name: str, repo: FakeRepo, path: str) -> None:
        if path not in repo.files:
            return self.refuse(404, "EntryNotFound", "Entry not found")
        data = repo.files[path]
        headers = {"X-Repo-Commit": repo.commit, "Accept-Ranges": "bytes"}
        if not is_large(path):
            return self.part(data, headers | {"ETag": f'"{blob_id(data)}"'}, self.hub.cut)
        headers |= {
            "X-Linked-Size": str(repo.sizes.get(path, len(data))),
            "X-Linked-ETag": f'"{hashlib.sha256(data).hexdigest()}"',
            "Location": f"{self.hub.url.replace('127.0.0.1', 'localhost')}/cdn/{name}/{path}?signature=yes",
        }
        if self.hub.xet:
            headers |= {
                "X-Xet-Hash": "a" * 64,
                "Link": f'<{self.hub.url}/api/models/{name}/xet-read-token/{repo.commit}>; rel="xet-auth"',
            }
        return self.send(302, b"", headers)

    def cdn(self, name: str, path: str) -> None:
        if "Authorization" in self.headers:
            return self.refuse(400, "", "a token came to the store of large files")
        repo = self.hub.repos[name]
        return self.part(repo.damage.get(path, repo.files[path]), {"ETag": '"cdn"'}, self.hub.cut)

    def part(self, data: bytes, headers: dict[str, str], cut: int) -> None:
        wanted = self.headers.get("Range", "")
        start, status = 0, 200
        body = data
        if wanted:
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            start = int(first)
            body = data[start : int(last) + 1 if last else None]
            status = 206
            headers |= {"Content-Range": f"bytes {start}-{start + len(body) - 1}/{len(data)}"}
        if cut and self.command == "GET" and len(body) > cut:
            self.hub.cut = 0
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[:cut])
            self.close_connection = True
            return
        self.send(status, body, headers)

    def do_PUT(self) -> None:
        body = self.noted()
        self.hub.uploaded[self.path.rpartition("/")[2]] = body
        self.send(200)

    def do_POST(self) -> None:
        body = self.noted()
        parts = self.path.strip("/").split("/")
        if self.path.startswith("/lfs-verify/"):
            return self.send(200, {})
        if self.headers.get("Authorization") != f"Bearer {self.hub.token}":
            return self.refuse(401, "", "Invalid credentials in Authorization header")
        if self.hub.fail:
            return self.refuse(self.hub.fail)
        if self.path == "/api/repos/create":
            asked = json.loads(body)
            name = f"{asked['organization']}/{asked['name']}"
            if name in self.hub.repos:
                return self.send(409, {"error": "You already created this model repo", "url": f"{self.hub.url}/{name}"})
            self.hub.repos[name] = FakeRepo(private=asked.get("visibility") == "private")
            return self.send(200, {"url": f"{self.hub.url}/{name}", "name": name})
        if self.path == "/api/validate-yaml":
            return self.send(200, {"errors": [], "warnings": []})
        if "preupload" in parts:
            modes = [
                {
                    "path": each["path"],
                    "uploadMode": "lfs" if is_large(each["path"]) else "regular",
                    "shouldIgnore": False,
                }
                for each in json.loads(body)["files"]
            ]
            return self.send(200, {"files": modes, "commitOid": "a" * 40})
        if self.path.endswith("/info/lfs/objects/batch"):
            objects = [
                {
                    "oid": each["oid"],
                    "size": each["size"],
                    "authenticated": True,
                    "actions": {
                        "upload": {"href": f"{self.hub.url}/lfs/{each['oid']}", "header": {}},
                        "verify": {"href": f"{self.hub.url}/lfs-verify/{each['oid']}", "header": {}},
                    },
                }
                for each in json.loads(body)["objects"]
            ]
            return self.send(200, {"transfer": "basic", "objects": objects})
        if "commit" in parts:
            return self.commit("/".join(parts[2:4]), body)
        return self.refuse(404)

    def commit(self, name: str, body: bytes) -> None:
        repo = self.hub.repos[name]
        for line in body.splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                repo.files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                repo.files[value["path"]] = self.hub.uploaded[value["oid"]]
        oid = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        repo.commit = oid
        self.send(200, {"commitUrl": f"{self.hub.url}/{name}/commit/{oid}", "commitOid": oid, "pullRequestUrl": None})


@contextmanager
def serving_hub(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve until the end of the block."""
    handler = type("Handler", (Answering,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
