"""Headers over HTTP: as few bytes as it takes, whatever the server can do; and files, models and samples by one name."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.web import FakeWeb, serving
from local_stores import small_gguf, tensor, text

from modelsmith.errors import InvalidGGUF, ModelsmithError, ServerError, Unsupported, UsageError
from modelsmith.http.ranges import WebFile
from modelsmith.models.locate import find_gguf, locate_gguf
from modelsmith.name import ModelName
from modelsmith.store.local.local import LocalStore
from modelsmith.store.model import CreateRequest
from modelsmith.weights.blobs.blob import FileBlob
from modelsmith.weights.gguf import GGUFFile
from modelsmith.weights.gguf.read import remote
from modelsmith.weights.gguf.sample import array_entry, write_sample
from modelsmith.weights.gguf.verify.verify import verify_scan


def no_store() -> LocalStore:
    raise AssertionError("no store is needed")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a file of 8 MB, of which 1 MB is header."""
    entries = [
        text("general.architecture", "llama"),
        array_entry("tokenizer.ggml.tokens", 8, [f"token {number}" for number in range(50_000)]),
        array_entry("tokenizer.ggml.scores", 6, [0.5] * 50_000),
    ]
    return small_gguf(tmp_path_factory.mktemp("x") / "x.gguf", entries, [tensor("t", (1 << 18, 7))]).read_bytes()


def test_only_the_header_is_fetched(large: bytes, tmp_path: Path) -> None:
    with serving(FakeWeb(large)) as web:
        found = find_gguf(f"{web.url}/repo/model.gguf", no_store)
        assert found.scan.faults == ()
        assert found.scan.header is not None
        gguf = GGUFFile.of(found.scan.header)
        assert gguf.size == len(large)
        assert gguf.metadata["tokenizer.ggml.tokens"][49_999] == "token 49999"
        assert len(list(gguf.metadata["tokenizer.ggml.scores"])) == 50_000
        assert gguf.data_offset <= found.fetched < 2 * gguf.data_offset + remote.FIRST_STEP
        assert found.fetched == web.sent
        assert found.requests == len(web.requests) == 3
        assert {headers["range"] for _, headers in web.requests} >= {"bytes=0-262143"}
        with pytest.raises(Unsupported, match="only the header"):
            gguf.data_of(gguf.tensors[0]).read()
    (tmp_path / "same.gguf").write_bytes(large)
    local = GGUFFile.open(tmp_path / "same.gguf")
    assert {key: str(value) for key, value in local.metadata.items()} == {
        key: str(value) for key, value in gguf.metadata.items()
    }
    assert local.tensors == gguf.tensors


def test_a_truncated_upload_is_seen(large: bytes) -> None:
    with serving(FakeWeb(large[:-1000])) as web:
        found = find_gguf(f"{web.url}/model.gguf", no_store)
        assert [fault.code for fault in verify_scan(found.scan, found.spec).faults][:1] == ["truncated"]


def test_a_server_without_ranges_is_read_no_further_than_needed(large: bytes) -> None:
    with serving(FakeWeb(large, ranges=False)) as web:
        found = find_gguf(f"{web.url}/model.gguf", no_store)
        assert found.scan.faults == ()
        assert found.fetched < len(large) // 2


def test_small_and_empty_files_are_read(tmp_path: Path) -> None:
    small = write_sample(tmp_path / "x.gguf").read_bytes()
    for data, ranges in ((small, True), (small, False), (b"", True), (b"", False), (b"GGUF", True)):
        with serving(FakeWeb(data, ranges=ranges)) as web:
            found = find_gguf(f"{web.url}/model.gguf", no_store)
            assert found.fetched == len(data)
            assert (found.scan.header is not None) == (data == small)


def test_redirects_are_followed_and_the_token_is_not_passed_on(large: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(FakeWeb(large)) as far, serving(FakeWeb(b"")) as near:
        near.redirects = {"/a": "/b?x=1", "/b?x=1": f"{far.url}/c?signature=2"}
        monkeypatch.setenv("HF_ENDPOINT", near.url)
        monkeypatch.setenv("HF_TOKEN", "secret")
        found = find_gguf(f"{near.url}/a", no_store)
        assert found.scan.faults == ()
        assert all(headers["authorization"] == "Bearer secret" for _, headers in near.requests)
        assert not any("authorization" in headers for _, headers in far.requests)
        assert far.requests[0][0] == "/c?signature=2"


@pytest.mark.parametrize(
    ("web", "reason"),
    [
        (FakeWeb(b"x" * 9, override={"Content-Range": "bytes 1-8/9"}), "answered for the range"),
        (FakeWeb(b"x" * 9, override={"Content-Range": "nonsense"}), "answered for the range"),
        (FakeWeb(b"x" * 9, override={"Content-Range": "bytes 0-8/*"}), "how large the file is"),
        (FakeWeb(b"x" * 9, override={"Content-Range": "bytes 0-8/900"}), "sent 9 bytes"),
        (FakeWeb(b"x" * 9, ranges=False, length=False), "how large the file is"),
        (FakeWeb(b"", override={"Content-Range": "bytes */77"}), "has no byte 0"),
        (FakeWeb(b"", redirects={"/m": "/m"}), "redirects more than"),
        (FakeWeb(b"", redirects={"/m": "ftp://elsewhere/m"}), "not the URL of a server"),
    ],
)
def test_odd_answers_are_refused(web: FakeWeb, reason: str) -> None:
    with serving(web), pytest.raises(ModelsmithError, match=reason):
        find_gguf(f"{web.url}/m", no_store)


def test_a_file_that_changes_between_ranges_is_refused(large: bytes) -> None:
    with serving(FakeWeb(large)) as web:
        file = WebFile(f"{web.url}/m")
        file.read(0, 100)
        web.override = {"ETag": '"two"'}
        with pytest.raises(ServerError, match="another file there now"):
            file.read(100, 100)
        file.close()


def test_a_web_page_is_told(large: bytes) -> None:
    for length in (True, False):
        page = FakeWeb(b"<!doctype html><html>" + bytes(1000), ranges=False, length=length, kind="text/html")
        with serving(page) as web:
            (fault,) = find_gguf(f"{web.url}/org/repo/blob/main/x.gguf", no_store).scan.faults
            assert "a web page" in fault.message
            assert "/resolve/" in fault.hint


def test_a_header_without_end_is_given_up(large: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "MAX_HEADER", 1 << 19)
    with serving(FakeWeb(large)) as web, pytest.raises(InvalidGGUF, match="longer than 524288 bytes"):
        find_gguf(f"{web.url}/m", no_store)


def test_https_is_not_left(monkeypatch: pytest.MonkeyPatch) -> None:
    from modelsmith.http.client import Answer, HttpClient

    monkeypatch.setattr(HttpClient, "fetch", lambda *_, **__: Answer(302, {"location": "http://example.com/x"}, b""))
    with pytest.raises(ServerError, match="from https to http"):
        WebFile("https://example.com/x").read(0, 10)


def test_files_models_and_samples_have_one_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = write_sample(tmp_path / "x.gguf")
    store = LocalStore(tmp_path / "models")
    store.create(ModelName.parse("mine"), CreateRequest({}, {"x.gguf": FileBlob(path)}))
    (tmp_path / "Modelfile").write_text("FROM ./x.gguf\n")
    assert locate_gguf(str(path), no_store) == path
    assert locate_gguf("x.gguf", no_store, tmp_path) == path
    assert locate_gguf("Modelfile", lambda: store, tmp_path).samefile(path)
    assert locate_gguf("mine", lambda: store, tmp_path).parent.name == "blobs"
    assert GGUFFile.open(locate_gguf("sample:deepseek-r1", lambda: store)).architecture == "llama"
    assert locate_gguf("gone.gguf", no_store, tmp_path) == tmp_path / "gone.gguf"
    with pytest.raises(ModelsmithError, match="nothing"):
        locate_gguf("nothing", lambda: store, tmp_path)
    with pytest.raises(UsageError, match="no http or https"):
        WebFile("ftp://x/y")
