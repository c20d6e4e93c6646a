"""The folder of the page, the server of it, and what is said where there is none."""

from __future__ import annotations

import hashlib
import http.client
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelsmith.cli import run
from modelsmith.errors import StoreError, UsageError
from modelsmith.playground import build as builder
from modelsmith.playground.serve import Server
from modelsmith.playground.site import MANIFEST, Manifest, find_site, read_manifest, source_digest

PAGE = Path(builder.__file__).with_name("page")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "pyodide").mkdir(parents=True)
    (folder / "index.html").write_text("<p>page")
    (folder / "pyodide" / "a.wasm").write_bytes(b"\0asm")
    (folder / "secret").write_text("not of the page")
    files = {"index.html": "1" * 64, "pyodide/a.wasm": "2" * 64}
    (folder / MANIFEST).write_text(json.dumps({"modelsmith": "0.1.0", "source": "old", "files": files}))
    return folder


@pytest.fixture
def server(site: Path) -> Iterator[Server]:
    with Server(site, find_site(site), 0) as found:
        thread = threading.Thread(target=found.run, daemon=True)
        thread.start()
        yield found
        found.stop()
        thread.join(600)


def get(server: Server, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(*re.findall(r"//([^:]+):(\d+)", server.url)[0], timeout=600)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    found = answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


def test_the_server_gives_the_files_of_the_page_and_no_others(server: Server) -> None:
    status, headers, body = get(server, "/")
    assert (status, body) == (200, b"<p>page")
    assert headers["content-type"].startswith("text/html")
    assert get(server, "/pyodide/a.wasm?x")[1]["content-type"] == "application/wasm"
    for path in (
        "/secret",
        "/../secret",
        "/%2e%2e/secret",
        "//secret",
        "/pyodide",
        "/pyodide/",
        "/nosuch",
        "/./index.html",
    ):
        assert get(server, path)[0] == 404
    tag = headers["etag"]
    assert get(server, "/", **{"If-None-Match": tag})[0] == 304


def test_only_this_machine_is_served(server: Server) -> None:
    assert server.url.startswith("http://127.0.0.1:")


def test_a_port_in_use_is_said(server: Server, site: Path) -> None:
    port = int(server.url.rpartition(":")[2].rstrip("/"))
    with pytest.raises(StoreError, match="cannot be used"):
        Server(site, find_site(site), port)


def test_without_a_page_the_way_to_build_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["playground", "--site", str(tmp_path / "no"), "--no-open"]) == 3
    said = capsys.readouterr().err
    assert f"modelsmith playground --build --site {tmp_path / 'no'}" in said


def test_other_files_are_never_built_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").write_text("x")
    assert run(["playground", "--build", "--site", str(tmp_path)]) == 2
    assert "other files" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_missing_program_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run(["playground", "--build", "--site", str(tmp_path / "new")]) == 3
    assert "node is not installed" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": 1}', "{" * 9, "\xff"])
def test_a_damaged_manifest_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_bytes(text.encode("latin-1"))
    assert read_manifest(tmp_path) is None


def test_the_digest_of_the_source_stays() -> None:
    assert source_digest() == source_digest()
    assert Manifest("1", source_digest(), {}).source == source_digest()


def test_the_page_asks_nobody_else_and_runs_no_text() -> None:
    policy = re.findall(r'Content-Security-Policy" content="([^"]+)"', (PAGE / "index.html").read_text())
    assert policy
    rules = dict(each.strip().split(" ", 1) for each in policy[0].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert rules["script-src"] == "'self' 'wasm-unsafe-eval'"
    for path in PAGE.iterdir():
        text = path.read_text("utf-8")
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc", text
        ), path
        addresses = {*re.findall(r"https?://[^\s\"'`)]+", text)} - {"http://www.w3.org/2000/svg"}
        assert not addresses, path


def test_every_element_that_the_page_looks_for_is_there() -> None:
    markup = (PAGE / "index.html").read_text()
    there = {*re.findall(r'\bid="([^"]+)"', markup)}
    for path in PAGE.glob("*.js"):
        wanted = {*re.findall(r'\$\("([^"]+)"\)', path.read_text("utf-8"))}
        assert wanted <= there, path


def test_a_new_page_replaces_only_a_page(tmp_path: Path, site: Path) -> None:
    with pytest.raises(UsageError, match=r"holds other files than the page, such as index\.html"):
        builder.build(site, print)
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
    digests = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name != "secret"}
    del digests[MANIFEST]
    (site / MANIFEST).write_text(json.dumps({"modelsmith": "0.1.0", "source": "old", "files": digests}))
    with pytest.raises(UsageError, match="such as secret"):
        builder.build(site, print)
    (tmp_path / "work" / "site").mkdir(parents=True)
    (tmp_path / "work" / "site" / "new.html").write_text("new")
    builder.put_in_place(tmp_path / "work" / "site", site)
    assert [path.name for path in site.iterdir()] == ["new.html"]
    assert (tmp_path / "work" / "old" / "index.html").is_file()
