"""Names of models and addresses of servers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelsmith.errors import InvalidModelName
from modelsmith.name import MISSING, ModelName, parse_host, split_name


@pytest.mark.parametrize(
    ("text", "full", "short"),
    [
        ("qwen3", "registry.ollama.ai/library/qwen3:latest", "qwen3:latest"),
        ("me/qwen3:8b", "registry.ollama.ai/me/qwen3:8b", "me/qwen3:8b"),
        ("hf.co/me/qwen3:Q4_K_M", "hf.co/me/qwen3:Q4_K_M", "hf.co/me/qwen3:Q4_K_M"),
        ("https://hf.co/me/qwen3", "hf.co/me/qwen3:latest", "hf.co/me/qwen3:latest"),
        ("localhost:5000/library/m:1", "localhost:5000/library/m:1", "localhost:5000/library/m:1"),
        ("REGISTRY.ollama.ai/Library/m", "REGISTRY.ollama.ai/Library/m:latest", "m:latest"),
    ],
)
def test_valid_names(text: str, full: str, short: str) -> None:
    name = ModelName.strict(text)
    assert (str(name), name.short) == (full, short)
    assert name == ModelName.parse(full)
    assert ModelName.from_path(name.path) == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the model is missing"),
        ("m:", "the tag is missing"),
        ("/m", "the namespace is missing"),
        ("a//m", "the namespace is missing"),
        ("localhost:5000/m", 'the namespace "localhost:5000" contains ":"'),
        ("a.b/m", 'the namespace "a.b" contains "."'),
        ("a/b/c/d", 'the host "a/b" contains "/"'),
        ("..", 'the model ".." starts with "."; a letter, a digit or "_" must come first'),
        ("-m", 'the model "-m" starts with "-"; a letter, a digit or "_" must come first'),
        ("m@sha256", 'the model "m@sha256" contains "@"'),
        ("m\u200b", 'the model "m\u200b" contains U+200B'),
        ("m" * 81, "the model has 81 characters, 80 are allowed"),
        ("m:" + "t" * 81, "the tag has 81 characters, 80 are allowed"),
    ],
)
def test_invalid_names_say_why(text: str, reason: str) -> None:
    name = ModelName.parse(text)
    assert not name.is_valid
    assert name.problem == reason
    with pytest.raises(InvalidModelName, match="is not a model name") as caught:
        ModelName.strict(text)
    assert str(caught.value).endswith(reason)
    assert caught.value.hint
    with pytest.raises(InvalidModelName):
        _ = name.path


def test_a_host_without_namespace_gets_the_name_it_meant_as_hint() -> None:
    with pytest.raises(InvalidModelName) as caught:
        ModelName.strict("localhost:5000/m")
    assert "localhost:5000/library/m" in caught.value.hint


@pytest.mark.parametrize("path", ["a/b/c", "a/b/c/d/e", "../b/c/d", "a/b.c/d/e", "a/b/c/"])
def test_paths_that_are_no_names(path: str) -> None:
    with pytest.raises(InvalidModelName):
        ModelName.from_path(path)


def test_case_is_kept_and_ignored() -> None:
    assert ModelName.parse("Qwen3:8B").same_as(ModelName.parse("qwen3:8b"))
    assert ModelName.parse("Qwen3") != ModelName.parse("qwen3")
    assert not ModelName.parse("qwen3").same_as(ModelName.parse("qwen2"))


def test_the_scheme_does_not_tell_names_apart() -> None:
    assert ModelName.parse("http://h/n/m") == ModelName.parse("h/n/m")
    assert ModelName.parse("http://h/n/m").scheme == "http"


def test_a_promised_part_that_is_missing_is_marked() -> None:
    assert split_name("a//:") == ("", "a", MISSING, MISSING, MISSING)


@given(st.text(alphabet="aB0_-.:/@é ", max_size=30))
def test_parse_never_raises_and_strict_names_are_stable(text: str) -> None:
    name = ModelName.parse(text)
    if name.is_valid:
        assert ModelName.strict(str(name)) == name
        assert ".." not in name.path.split("/")
        assert name.path.count("/") == 3


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("example.com", "http://example.com:11434"),
        (":1234", "http://:1234"),
        (":66000", "http://:11434"),
        ("::1", "http://[::1]:11434"),
        ("[::1]:80", "http://[::1]:80"),
        ("::ffff:1.2.3.4", "http://1.2.3.4:11434"),
        ("fe80::1%eth0", "http://[fe80::1%25eth0]:11434"),
        ("http://1.2.3.4", "http://1.2.3.4:80"),
        ("https://example.com/ollama", "https://example.com:443/ollama"),
        ("ollama.com", "https://ollama.com:443"),
        (' "0.0.0.0:1" ', "http://0.0.0.0:1"),
        ("unix://h", "unix://h:11434"),
        ("h:+80", "http://h:+80"),
        ("h:8_0", "http://h:11434"),
    ],
)
def test_ollama_host(text: str, url: str) -> None:
    assert parse_host(text) == url


@given(st.text(max_size=20))
def test_every_ollama_host_becomes_a_url(text: str) -> None:
    assert "//" in parse_host(text)


def test_bytes_of_the_environment_that_are_not_utf8_are_kept() -> None:
    assert parse_host("h\udcffst") == "http://h%FFst:11434"
