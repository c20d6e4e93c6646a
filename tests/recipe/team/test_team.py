"""Recipes of a team under a short name: added, pinned, found, updated, signed, removed; and what may go wrong with them."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from docker_registry import docker_registry
from git_repositories import commit, git, repository

from modelsmith.cli import run
from modelsmith.errors import RecipeSourceError, UnreadableFile, UsageError
from modelsmith.manifest import Digest
from modelsmith.recipe.read.load import load_recipe
from modelsmith.recipe.remote import git as git_module
from modelsmith.recipe.team.source import team_source
from modelsmith.recipe.team.sources import NAME, sources_file
from modelsmith.registry.access import Access, Session
from modelsmith.registry.documents import Document
from modelsmith.registry.reference import Reference

THINK = "name: think\ndescription: Thinks.\ninputs: {base: {}}\nextends: force-think\ncreate: made\n"
TERSE = "name: terse\ndescription: Short answers.\ninputs: {base: {}}\nfrom: ${base}\ncreate: made\n"

SIZED = "name: sized\nfrom: sample:deepseek-r1\nparameters: {num_ctx: %d}\ncreate: sized\n"


@pytest.fixture(autouse=True)
def _own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    git_module.forget()
    yield
    git_module.forget()


@pytest.fixture
def team(tmp_path: Path) -> Path:
    return repository(
        tmp_path / "team", {"recipes/think.yaml": THINK, "recipes/more/terse.yaml": TERSE, "ci.yaml": "on: push\n"}
    )


def place(folder: Path, ref: str = "v1", path: str = "") -> str:
    return f"git+{folder.as_uri()}@{ref}" + (f"//{path}" if path else "")


def test_added_found_planned_and_removed(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["recipes", "add", "team", place(team, path="recipes")]) == 0
    assert "team/more/terse" in capsys.readouterr().out
    assert load_recipe("team/think").description == "Thinks."
    assert load_recipe("team/more/terse").sources[0].checkout is not None
    command = ["plan", "team/think", "--set", "base=sample:deepseek-r1", "--store", "./models", "--json"]
    assert run(command) == 0
    assert json.loads(capsys.readouterr().out)["recipe"]
    assert run(["recipes", "list"]) == 0
    assert "team/think  Thinks." in capsys.readouterr().out
    assert run(["recipes", "search", "SHORT"]) == 0
    assert "team/more/terse" in capsys.readouterr().out
    assert run(["recipes", "search", "nothing-like-it"]) == 1
    assert run(["recipes", "show", "team/think"]) == 0
    assert run(["recipes", "remove", "team"]) == 0
    with pytest.raises(UnreadableFile):
        load_recipe("team/think")


def test_an_existing_path_wins(team: Path) -> None:
    run(["recipes", "add", "team", place(team, path="recipes")])
    Path("team").mkdir()
    Path("team/think").write_text("name: mine\ninputs: {base: {}}\nfrom: ${base}\ncreate: made\n")
    assert load_recipe("team/think").name == "mine"


def test_a_recipe_of_ours_extends_one_of_the_team(team: Path) -> None:
    run(["recipes", "add", "team", place(team, path="recipes")])
    Path("own.yaml").write_text("name: own\nextends: team/think\nparameters: {num_ctx: 4096}\n")
    assert load_recipe("./own.yaml").resolve({"base": "x"}).parameters["num_ctx"] == 4096


def test_update_says_what_changed_and_only_then_it_counts(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["recipes", "add", "team", place(team, "main", "recipes")])
    commit(team, {"recipes/think.yaml": THINK.replace("Thinks.", "Thinks more."), "recipes/new.yaml": TERSE})
    git_module.forget()
    assert load_recipe("team/think").description == "Thinks."
    capsys.readouterr()
    assert run(["recipes", "update", "--dry-run"]) == 1
    assert load_recipe("team/think").description == "Thinks."
    assert run(["recipes", "update", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out.split("\n", 3)[-1])
    assert (row["added"], row["changed"], row["removed"]) == (["new"], ["think"], [])
    assert load_recipe("team/think").description == "Thinks more."
    assert run(["recipes", "update"]) == 0
    assert "no changes" in capsys.readouterr().out


def test_a_lock_follows_what_is_pinned_and_a_plan_that_was_written_does_not(
    team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit(team, {"recipes/sized.yaml": SIZED % 512})
    git_module.forget()
    run(["recipes", "add", "team", place(team, "main", "recipes"), "--project"])
    store = ["--store", "./models"]
    assert run(["lock", "team/sized", *store]) == 0
    assert run(["plan", "team/sized", *store, "-o", "plan.json"]) == 0
    assert run(["lock", "--check", *store]) == 0
    commit(team, {"recipes/sized.yaml": SIZED % 1024})
    git_module.forget()
    assert run(["lock", "--check", *store]) == 0, "nobody has taken the new state"
    assert run(["recipes", "update"]) == 0
    capsys.readouterr()
    assert run(["lock", "--check", *store]) == 1
    assert "result params" in capsys.readouterr().out
    assert run(["apply", "plan.json", "--quiet"]) == 0
    assert run(["lock", *store]) == 0
    assert run(["plan", "team/sized", "--from-lock", "--check"]) == 0


def test_verify_takes_a_recipe_of_a_team(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    commit(team, {"recipes/sized.yaml": f"{SIZED % 512}expect: [{{parameters: {{num_ctx: 512}}}}]\n"})
    git_module.forget()
    run(["recipes", "add", "team", place(team, "main", "recipes")])
    capsys.readouterr()
    assert run(["verify", "team/sized", "--store", "./models"]) == 0
    assert "1 of 1 promises hold" in capsys.readouterr().out
    assert run(["verify", "team/sized:8b", "--store", "./models"]) == 3, "that is the name of a model"


def test_a_commit_is_named_whole(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["recipes", "add", "team", place(team, "0123abc")]) == 3
    assert "a commit is named by all of its 40 digits" in capsys.readouterr().err


def test_update_to_another_tag(team: Path) -> None:
    run(["recipes", "add", "team", place(team, path="recipes")])
    commit(team, {"recipes/think.yaml": THINK.replace("Thinks.", "Two.")}, "v2")
    git_module.forget()
    assert run(["recipes", "update", "team", "--to", "v2"]) == 0
    assert load_recipe("team/think").description == "Two."
    assert sources_file().get("team").place.endswith("@v2//recipes")


def test_a_tag_that_was_rewritten_is_not_taken(team: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["recipes", "add", "team", place(team, path="recipes")])
    commit(team, {"recipes/think.yaml": THINK.replace("Thinks.", "Evil.")}, "v1")
    git_module.forget()
    assert run(["recipes", "update"]) == 3
    assert "rewritten" in capsys.readouterr().err
    assert load_recipe("team/think").description == "Thinks."


def test_one_that_cannot_be_had_keeps_no_other_from_moving(
    team: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = repository(tmp_path / "other", {"terse.yaml": TERSE})
    run(["recipes", "add", "gone", place(other)])
    run(["recipes", "add", "team", place(team, "main", "recipes")])
    commit(team, {"recipes/think.yaml": THINK.replace("Thinks.", "Two.")})
    shutil.rmtree(other)
    shutil.rmtree(tmp_path / "cache")
    git_module.forget()
    capsys.readouterr()
    assert run(["recipes", "search", "two"]) == 1
    assert "not searched: the recipes gone: " in capsys.readouterr().err
    assert run(["recipes", "update", "--json"]) == 3
    gone, moved = json.loads(capsys.readouterr().out)
    assert (gone["name"], moved["name"], moved["changed"]) == ("gone", "team", ["think"])
    assert gone["problem"].startswith("the recipes gone: ")
    assert run(["recipes", "update"]) == 3
    captured = capsys.readouterr()
    assert "team: no changes" in captured.out
    assert "error: the recipes gone: " in captured.err
    assert load_recipe("team/think").description == "Two."


def test_a_name_that_no_recipe_has_is_told_where_names_come_from(
    team: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["recipes", "add", "own", place(team, path="recipes"), "--project"])
    for words, said in (
        (["recipes", "show", "own"], "its recipes: own/more/terse, own/think"),
        (["plan", "team/think"], "modelsmith-recipes.json, which counts here, knows own; add others"),
    ):
        assert run(words) in {2, 3}
        assert said in capsys.readouterr().err


def test_a_repository_that_vanished(team: Path, tmp_path: Path) -> None:
    run(["recipes", "add", "team", place(team, path="recipes")])
    shutil.rmtree(team)
    assert load_recipe("team/think").name == "think"  # as pinned, from the cache
    shutil.rmtree(tmp_path / "cache")
    with pytest.raises(RecipeSourceError, match="the recipes team"):
        load_recipe("team/think")


def test_the_project_s_file_is_found_from_below_and_has_relative_folders(tmp_path: Path) -> None:
    (tmp_path / "work" / "ours").mkdir()
    (tmp_path / "work" / "ours" / "terse.yaml").write_text(TERSE)
    assert run(["recipes", "add", "own", "./ours", "--project"]) == 0
    assert json.loads(Path(NAME).read_text())["recipes"]["own"] == {"place": "./ours"}
    below = tmp_path / "work" / "a" / "b"
    below.mkdir(parents=True)
    os.chdir(below)
    assert load_recipe("own/terse").name == "terse"


def test_the_project_itself_can_be_a_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in ("recipes", ".github/workflows"):
        Path(path).mkdir(parents=True)
    Path("recipes/terse.yaml").write_text(TERSE.replace("base: {}", "base: {default: 'sample:deepseek-r1'}"))
    Path(".github/workflows/ci.yaml").write_text("on: push\n")
    assert run(["recipes", "add", "own", ".", "--project"]) == 0
    assert json.loads(Path(NAME).read_text())["recipes"]["own"] == {"place": "."}
    assert load_recipe("own/recipes/terse").name == "terse"
    with pytest.raises(UnreadableFile) as caught:
        load_recipe("own/terse")
    assert 'have no "terse"; did you mean "recipes/terse"?' in caught.value.message
    assert caught.value.hint == "there are: recipes/terse"
    assert run(["lock", "own/recipes/terse", "--store", "./models"]) == 0
    locked = Path("modelsmith.lock").read_text()
    assert str(tmp_path) not in locked
    capsys.readouterr()
    assert run(["lock", "recipes/terse.yaml", "--store", "./models"]) == 0
    assert Path("modelsmith.lock").read_text() == locked
    assert "no changes" in capsys.readouterr().out


def test_a_recipe_of_a_folder_stays_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "work" / "ours"
    folder.mkdir()
    (tmp_path / "work" / "secret.gguf").write_bytes(b"GGUF")
    (folder / "out.yaml").write_text("name: out\nfrom: ../secret.gguf\ncreate: made\n")
    run(["recipes", "add", "own", "./ours"])
    assert run(["plan", "own/out", "--store", "./models"]) == 2


@pytest.mark.parametrize(
    ("name", "where", "reason"),
    [
        ("Team", "./x", "small letters"),
        ("a/b", "./x", "small letters"),
        ("team", "./nothing-here", "is no folder, and no address either"),
        ("team", __file__, "is a file, and no address either"),
        ("team", "git+https://user:word@example.org/r@v1", "login"),
    ],
)
def test_what_cannot_be_added(name: str, where: str, reason: str) -> None:
    with pytest.raises((UsageError, RecipeSourceError)) as caught:
        team_source(name, where)
    assert reason in f"{caught.value.message} {caught.value.hint}"


def test_another_place_of_the_name_is_refused_and_the_hint_names_update(
    team: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):  # a run that was killed at its end may be repeated
        assert run(["recipes", "add", "team", place(team, path="recipes")]) == 0
    (tmp_path / "other").mkdir()
    other = tmp_path / "other"
    (other / "terse.yaml").write_text(TERSE)
    assert run(["recipes", "add", "team", str(other)]) == 2
    assert "recipes update team" in capsys.readouterr().err
    assert run(["recipes", "add", "team", str(other), "--force"]) == 0


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        '{"version": 2}',
        '{"version": 1, "recipes": []}',
        '{"version": 1, "recipes": {"team": {"place": 5}}}',
        '{"version": 1, "recipes": {"team": {"place": "git+https://example.org/r@v1"}}}',
        '{"version": 1, "recipes": {"../x": {"place": "./x"}}}',
        '{"version": 1, "recipes": {"team": {"place": "./x", "run": "rm"}}}',
        '{"version": 1, "recipes": {"team": {}}}',
        "not json",
    ],
)
def test_a_file_that_is_wrong_is_told_with_its_place(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(NAME).write_text(text)
    assert run(["recipes", "list"]) == 3
    assert NAME in capsys.readouterr().err


def _ssh_key(folder: Path, name: str) -> Path:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed (Debian: openssh-client)")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    return folder / name


@pytest.mark.parametrize("what", ["commit", "tag"])
def test_commits_and_tags_signed_with_ssh(
    team: Path, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key, other = _ssh_key(tmp_path, "key"), _ssh_key(tmp_path, "other")
    signing = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={key}")
    if what == "commit":
        git(team, *signing, "commit", "--quiet", "--allow-empty", "-S", "-m", "signed")
        git(team, "tag", "v2")
    else:
        git(team, *signing, "tag", "-s", "-m", "signed", "v2")
    address = place(team, "v2", "recipes")
    assert run(["recipes", "add", "team", address, "--key", f"{key}.pub"]) == 0
    hidden = team.rename(tmp_path / "gone")
    assert load_recipe("team/think").name == "think"  # checked before, and nobody is asked again
    hidden.rename(team)
    for wrong, where in ((other, address), (key, place(team, path="recipes"))):
        assert run(["recipes", "add", "x", where, "--key", f"{wrong}.pub"]) == 3
        assert "not signed with the key" in capsys.readouterr().err
    assert run(["recipes", "add", "y", address, "--key", str(key)]) == 2  # the private half is no public key


def test_artifacts_signed_as_cosign_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, other = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    with docker_registry(tmp_path) as host:
        manifest = _push(host, "v1", {"think.yaml": THINK.encode()})
        _sign(host, manifest, key, str(manifest))
        for name, private in (("good.pub", key), ("bad.pub", other)):
            pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            (tmp_path / name).write_bytes(pem)
        where = f"oci://{host}/team/recipes:v1"
        assert run(["recipes", "add", "team", where, "--key", str(tmp_path / "good.pub")]) == 0
        assert load_recipe("team/think").name == "think"
        assert run(["recipes", "add", "bad", where, "--key", str(tmp_path / "bad.pub")]) == 3
        assert "not signed with the key" in capsys.readouterr().err
        second = _push(host, "v2", {"think.yaml": THINK.replace("Thinks.", "Two.").encode()})
        _sign(host, second, key, str(manifest))  # a signature of the first one, put beside the second
        assert run(["recipes", "update", "team", "--to", "v2"]) == 3
        assert "another artifact" in capsys.readouterr().err
        _sign(host, second, key, str(second))
        assert run(["recipes", "update", "team", "--to", "v2"]) == 0
        assert load_recipe("team/think").description == "Two."


def _push(host: str, tag: str, files: dict[str, bytes], annotations: dict[str, dict[str, str]] | None = None) -> Digest:
    import httpx2

    layers = []
    for title, data in {**files, "": b"{}"}.items():
        begun = httpx2.post(f"http://{host}/v2/team/recipes/blobs/uploads/")
        target = begun.headers["Location"]
        joined = f"{target}{'&' if '?' in target else '?'}digest={Digest.of(data)}"
        assert httpx2.put(joined, content=data).status_code == 201
        if title:
            notes = (annotations or {}).get(title) or {"org.opencontainers.image.title": title}
            layers.append(
                {"mediaType": "text/yaml", "digest": str(Digest.of(data)), "size": len(data), "annotations": notes}
            )
    config = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": str(Digest.of(b"{}")), "size": 2}
    body = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config,
        "layers": layers,
    }
    document = Document(json.dumps(body).encode(), body["mediaType"])
    with Session(Access(insecure=True)) as session:
        session.registry(host).put_manifest(Reference.parse(f"oci://{host}/team/recipes:{tag}"), document)
    return document.digest


def _sign(host: str, manifest: Digest, key: object, said: str) -> None:
    statement = json.dumps(
        {"critical": {"image": {"docker-manifest-digest": said}, "type": "cosign container image signature"}}
    ).encode()
    signature = base64.b64encode(key.sign(statement, ECDSA(SHA256()))).decode()  # type: ignore[attr-defined]
    _push(
        host,
        f"{str(manifest).replace(':', '-')}.sig",
        {"s": statement},
        {"s": {"dev.cosignproject.cosign/signature": signature}},
    )
