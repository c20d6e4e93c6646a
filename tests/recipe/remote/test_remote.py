"""Recipes from elsewhere: addresses, repositories of git, artifacts of registries, and what they may not do."""

from __future__ import annotations

import io
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker_registry import docker_registry
from git_repositories import commit, git, repository

from modelsmith.cli import run
from modelsmith.errors import RecipeError, RecipeSourceError, UnreadableFile, UnreadableRecipe, UsageError
from modelsmith.manifest import Digest
from modelsmith.recipe.read.load import Recipe, load_recipe, parse_recipe
from modelsmith.recipe.read.nodes import RecipeSource
from modelsmith.recipe.read.places import find_from, find_named
from modelsmith.recipe.remote import git as git_module
from modelsmith.recipe.remote.address import meant_address, parse_address
from modelsmith.recipe.remote.checkout import Checkout
from modelsmith.recipe.remote.git import environment
from modelsmith.registry.access import Access, Session

BASE = "name: shared\ninputs: {base: {}}\nfrom: ${base}\ncreate: made\nparameters: {temperature: 0.5}\n"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("https://github.com/a/b", "git+https://github.com/a/b@TAG"),
        ("https://github.com/a/b.git/", "git+https://github.com/a/b.git@TAG"),
        ("https://github.com/a/b/tree/v1/recipes", "git+https://github.com/a/b@v1//recipes"),
        ("https://github.com/a/b/blob/main/x/think.yaml?plain=1#L3", "git+https://github.com/a/b@main//x/think.yaml"),
        ("https://gitlab.example.org/g/s/b/-/tree/main/x/", "git+https://gitlab.example.org/g/s/b@main//x"),
        ("git@example.org:a/b.git", "git+ssh://git@example.org/a/b.git@TAG"),
        ("ssh://git@example.org/a/b", "git+ssh://git@example.org/a/b@TAG"),
        ("file:///srv/b", "git+file:///srv/b@TAG"),
        ("https://raw.example.org/think.yaml", ""),
        ("./nothing-here", ""),
        ("llama3.2:3b", ""),
        ("C:/recipes/x.yaml", ""),
    ],
)
def test_addresses_of_browsers_and_git_are_told_as_they_are_written_here(text: str, meant: str) -> None:
    assert meant_address(text) == meant
    if meant:
        parse_address(meant)
    for found in (find_named, lambda name: find_from(name, RecipeSource("", "x.yaml", folder=Path.cwd()))):
        with pytest.raises((UsageError, UnreadableFile)) as caught:
            found(text)
        assert meant in caught.value.hint


@pytest.fixture(autouse=True)
def _own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git_module.forget()
    yield
    git_module.forget()


def address(folder: Path, ref: str = "v1", path: str = "r.yaml") -> str:
    return f"git+{folder.as_uri()}@{ref}//{path}"


def child(place: str, more: str = "") -> str:
    return f"name: child\nextends: {place}\n{more}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("git+https://example.org/team/recipes.git@v1.2//a/b.yaml", ""),
        ("git+https://example.org:8443/r@feature/x//b.yaml", ""),
        ("git+ssh://git@example.org/team/recipes.git@main//b.yaml", ""),
        ("git+file:///srv/recipes.git@v1//b.yaml", ""),
        ("GIT+HTTPS://example.org/r@v1", "git+https://example.org/r@v1"),
        ("oci://example.org:5000/team/recipes:v1//b.yaml", ""),
        ("oci://example.org/r", "oci://example.org/r:latest"),
    ],
)
def test_addresses(text: str, shown: str) -> None:
    assert str(parse_address(text)) == (shown or text)


@pytest.mark.parametrize(
    "text",
    [
        "git+http://example.org/r@v1//a.yaml",
        "git+ext::sh -c touch% /tmp/x@v1//a.yaml",
        "git+https://example.org/r//a.yaml",
        "git+ssh://git@example.org/r.git//a.yaml",
        "git+https://user:word@example.org/r@v1//a.yaml",
        "git+https://token@example.org/r@v1//a.yaml",
        "git+https://example.org/r@--upload-pack=x//a.yaml",
        "git+https://example.org/r@v1..v2//a.yaml",
        "git+https://example.org/r@v1//../a.yaml",
        "git+https://example.org/r@v1///etc/a.yaml",
        "git+https://example.org/r@v1//a/.git/config.yaml",
        "git+https://example.org/r@v1//a\\b.yaml",
        "git+file:///srv/../r@v1//a.yaml",
        "git+https:///r@v1//a.yaml",
        "git+https://exa mple.org/r@v1//a.yaml",
        "oci://example.org/r@sha256:12//a.yaml",
        "oci://example.org//a.yaml",
    ],
)
def test_bad_addresses_are_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert "word" not in caught.value.message


def test_a_recipe_of_a_repository(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {"r.yaml": BASE})
    loaded = load_recipe(address(folder))
    assert loaded.sources[0].name == address(folder)
    extended = parse_recipe(child(address(folder), "parameters: {top_p: 0.8}\n"), folder=tmp_path)
    assert extended.resolve({"base": "x"}).parameters == {"temperature": 0.5, "top_p": 0.8}
    commit_id = git(folder, "rev-parse", "HEAD")
    assert extended.sources[1].checkout is not None
    assert extended.sources[1].checkout.pin == commit_id
    assert not extended.notes
    assert load_recipe(address(folder, commit_id)).name == "shared"


def test_a_bare_repository_and_files_that_name_each_other(tmp_path: Path) -> None:
    files = {
        "lib/steps.yaml": "- declare-thinking: {}\n- make-effective: {}\n",
        "lib/base.yaml": BASE,
        "team/r.yaml": child("../lib/base.yaml", "template: [{include: ../lib/steps.yaml}]\n"),
    }
    repository(tmp_path / "r", files)
    git(tmp_path, "clone", "--quiet", "--bare", "r", "bare.git")
    loaded = load_recipe(address(tmp_path / "bare.git", path="team/r.yaml"))
    template = loaded.resolve({"base": "x"}).template
    assert template is not None
    assert [step.kind for step in template if not isinstance(step, str)] == ["declare-thinking", "make-effective"]
    assert [source.name.rpartition("//")[2] for source in loaded.sources] == [
        "team/r.yaml",
        "lib/steps.yaml",
        "lib/base.yaml",
    ]


def test_a_branch_is_told_to_move(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {"r.yaml": BASE})
    (note,) = load_recipe(address(folder, "main")).resolve({"base": "x"}).warnings
    assert "is a branch, which moves" in note


def test_a_rewritten_tag_is_refused_with_both_commits(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {"r.yaml": BASE})
    before = git(folder, "rev-parse", "HEAD")
    load_recipe(address(folder))
    after = commit(folder, {"r.yaml": BASE.replace("0.5", "0.9")}, "v1")
    git_module.forget()
    with pytest.raises(UnreadableRecipe) as caught:
        parse_recipe(child(address(folder)), folder=tmp_path)
    assert before[:12] in caught.value.message
    assert after in caught.value.diagnostics[0].hint
    assert load_recipe(address(folder, after)).resolve({"base": "x"}).parameters == {"temperature": 0.9}


def test_a_repository_that_vanished_is_replaced_by_what_is_known(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {"r.yaml": BASE})
    load_recipe(address(folder))
    folder.rename(tmp_path / "gone")
    git_module.forget()
    (note,) = load_recipe(address(folder)).notes
    assert "of an earlier run is used" in note
    with pytest.raises(RecipeSourceError):
        load_recipe(address(folder, "v2"))


def test_a_known_commit_needs_no_repository(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {"r.yaml": BASE})
    commit_id = git(folder, "rev-parse", "HEAD")
    load_recipe(address(folder, commit_id))
    folder.rename(tmp_path / "gone")
    assert not load_recipe(address(folder, commit_id)).notes


@pytest.mark.parametrize(
    ("ref", "path", "said"),
    [("v9", "r.yaml", "no tag and no branch v9"), ("v1", "no.yaml", "has no file no.yaml")],
)
def test_what_is_not_there_is_told_with_its_place(tmp_path: Path, ref: str, path: str, said: str) -> None:
    folder = repository(tmp_path / "r", {"r.yaml": BASE})
    with pytest.raises(RecipeError) as caught:
        parse_recipe(child(address(folder, ref, path)), name="c.yaml", folder=tmp_path)
    assert caught.value.message.startswith("c.yaml:2:10: extends: ")
    assert said in caught.value.message


HOSTILE = {
    "env": ("inputs: {base: {}, t: {env: HOME}}\nfrom: ${base}\ncreate: x\n", "may not read the environment"),
    "absolute": ("from: /etc/passwd.gguf\ncreate: x\n", "leaves the folder"),
    "home": ("from: ~/secret.gguf\ncreate: x\n", "leaves the folder"),
    "above": ("from: ../../../x.gguf\ncreate: x\n", "leaves the folder"),
    "default": ("inputs: {p: {type: path, default: ../../x.gguf}}\nfrom: ${p}\ncreate: x\n", "leaves the folder"),
    "text default": ("inputs: {p: {default: /x.gguf}}\nfrom: ${p}\ncreate: x\n", "leaves the folder"),
    "adapter": ("from: m\nadapters: [../../a.gguf=0.5]\ncreate: x\n", "leaves the folder"),
    "Modelfile": ("from: ./Modelfile\ncreate: x\n", "FROM /etc/hostname, which leaves"),
    "extends": ("extends: ../../../etc/x.yaml\n", "leaves git+file"),
    "include": ("from: m\ncreate: x\ntemplate: [{include: ../../../x.yaml}]\n", "leaves git+file"),
    "matrix": ("inputs: {b: {}}\nfrom: ${b}\ncreate: x\nmatrix: {b: [/x.gguf]}\n", "leaves the folder"),
    "profile": ("from: m\ncreate: x\nprofiles: {fast: {from: /x.gguf}}\n", "leaves the folder"),
    "tag": ("from: !!python/object/apply:os.system [id]\ncreate: x\n", "has no meaning in a recipe"),
}


def resolved(place: str) -> Recipe:
    loaded = load_recipe(place)
    (combination, *_) = loaded.combinations() or (None,)
    return loaded.resolve({}, profile=loaded.profiles[0] if loaded.profiles else "", combination=combination)


@pytest.mark.parametrize("case", HOSTILE)
def test_a_recipe_from_elsewhere_stays_in_its_folder(tmp_path: Path, case: str) -> None:
    text, said = HOSTILE[case]
    files = {"sub/r.yaml": f"name: evil\n{text}", "sub/Modelfile": "FROM /etc/hostname\n"}
    folder = repository(tmp_path / "r", files)
    with pytest.raises(RecipeError) as caught:
        resolved(address(folder, path="sub/r.yaml"))
    assert said in caught.value.message
    assert "sub/r.yaml:" in caught.value.message


@pytest.mark.parametrize(
    "origin", ["git+https://example.org/r@v1", "git+ssh://git@example.org/r@v1", "oci://example.org/r:1"]
)
def test_a_recipe_from_elsewhere_names_no_repository_of_this_machine(tmp_path: Path, origin: str) -> None:
    folder = repository(tmp_path / "r", {"r.yaml": BASE})
    source = RecipeSource("", f"{origin}//x.yaml", folder=tmp_path, checkout=Checkout(tmp_path, origin, "1"))
    with pytest.raises(UsageError, match="is a repository on this machine"):
        find_from(address(folder), source)
    for local in (f"git+{folder.as_uri()}@v1", str(folder)):
        source = RecipeSource("", "x.yaml", folder=tmp_path, checkout=Checkout(tmp_path, local, "1"))
        assert find_from(address(folder), source).path.name == "r.yaml"


def test_links_are_no_way_out(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {"r.yaml": BASE})
    (folder / "link.yaml").symlink_to("/etc/hostname")
    (folder / "folder").symlink_to("/etc")
    commit(folder, {}, "v2")
    with pytest.raises(RecipeError, match=r"has no file link\.yaml"):
        parse_recipe(child(address(folder, "v2", "link.yaml")))
    with pytest.raises(RecipeError, match="has no file folder/x"):
        parse_recipe(child(address(folder, "v2", "folder/x.yaml")))


def test_nothing_of_a_repository_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "ran"
    folder = repository(tmp_path / "r", {"r.yaml": BASE, ".gitattributes": "*.yaml filter=evil\n"})
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "filter.evil.smudge")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"touch {marker}")
    assert load_recipe(address(folder)).name == "shared"
    assert not marker.exists()
    assert not {"GIT_DIR", "GIT_CONFIG_COUNT"} & set(environment())


def test_what_the_user_gives_may_be_anywhere(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {"r.yaml": BASE})
    recipe = load_recipe(address(folder)).resolve({"base": "./m.gguf"}, here=tmp_path)
    assert recipe.from_ == str(tmp_path / "m.gguf")
    text = child(address(folder), "inputs: {base: {env: BASE}}\n")
    own = parse_recipe(text, folder=tmp_path).resolve({}, environment={"BASE": "/somewhere/m.gguf"})
    assert own.from_ == "/somewhere/m.gguf"


def test_circles_over_repositories_are_refused(tmp_path: Path) -> None:
    folder = repository(tmp_path / "r", {"a.yaml": child("./b.yaml"), "b.yaml": child("./a.yaml")})
    with pytest.raises(RecipeError, match="already extends it"):
        load_recipe(address(folder, path="a.yaml"))


def pushed(host: str, name: str, layers: list[tuple[bytes, dict[str, str]]]) -> str:
    """Push an artifact as ORAS does; return the digest of its manifest."""
    with Session(Access(insecure=True)) as session:
        registry = session.registry(host)
        entries = []
        for content, annotations in [(b"{}", {}), *layers]:
            digest = Digest.of(content)
            upload = f"{registry.root}/v2/{name}/blobs/uploads/"
            with registry.send("POST", upload, "") as response:
                place = response.headers["location"]
            separator = "&" if "?" in place else "?"
            with registry.send("PUT", f"{place}{separator}digest={digest}", "", {}, content) as response:
                assert response.status == 201
            entries.append(
                {
                    "mediaType": "application/yaml",
                    "digest": str(digest),
                    "size": len(content),
                    "annotations": annotations,
                }
            )
        kind = "application/vnd.oci.image.manifest.v1+json"
        body = {"schemaVersion": 2, "mediaType": kind, "config": entries[0], "layers": entries[1:]}
        data = json.dumps(body).encode()
        with registry.send(
            "PUT", f"{registry.root}/v2/{name}/manifests/v1", "", {"Content-Type": kind}, data
        ) as response:
            assert response.status == 201
    return str(Digest.of(data))


TITLE = "org.opencontainers.image.title"


def packed(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        link = tarfile.TarInfo("steps/link.yaml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        archive.addfile(link)
    return buffer.getvalue()


def test_artifacts_of_a_registry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with docker_registry(tmp_path) as host:
        steps = packed({"steps/steps.yaml": b"- make-effective: {}\n"})
        text = child("./r.yaml", "template: [{include: ./steps/steps.yaml}]\n")
        layers = [
            (BASE.encode(), {TITLE: "r.yaml"}),
            (text.encode(), {TITLE: "child.yaml"}),
            (steps, {TITLE: "steps", "io.deis.oras.content.unpack": "true"}),
        ]
        digest = pushed(host, "team/recipes", layers)
        loaded = load_recipe(f"oci://{host}/team/recipes:v1//child.yaml")
        assert loaded.sources[0].checkout is not None
        assert loaded.sources[0].checkout.pin == digest
        assert f"pin it with @{digest}" in loaded.notes[0]
        assert not load_recipe(f"oci://{host}/team/recipes:v1@{digest}//child.yaml").notes
        with pytest.raises(UsageError, match="names no file of it"):
            load_recipe(f"oci://{host}/team/recipes:v1")
        pushed(host, "one", [(BASE.encode(), {TITLE: "r.yaml"})])
        assert load_recipe(f"oci://{host}/one:v1").name == "shared"
        pushed(host, "evil", [(BASE.encode(), {TITLE: "../r.yaml"})])
        with pytest.raises(UsageError, match="would leave its folder"):
            load_recipe(f"oci://{host}/evil:v1//r.yaml")
        assert run(["plan", f"oci://{host}/none:v1//r.yaml", "--store", str(tmp_path / "models")]) == 3
        assert "no model none:v1" in capsys.readouterr().err
    assert load_recipe(f"oci://{host}/team/recipes:v1@{digest}//child.yaml").name == "child"
    (note, *_) = load_recipe(f"oci://{host}/team/recipes:v1//child.yaml").notes
    assert "of an earlier run is used" in note
