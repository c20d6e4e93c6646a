"""MSD01, MSD03, MSD06, MSD08: environment variables that Ollama does not read, or not there, or not like that.

Sources: Ollama ``envconfig/config.go``, ``server/routes.go`` (who calls what), ``api/client.go``; see ``ollama_variables``.
"""

from __future__ import annotations

import difflib
import re
from functools import cache
from typing import TYPE_CHECKING

from modelsmith.diagnostic import Severity
from modelsmith.doctor.checks.call import meaning
from modelsmith.doctor.findings import finding
from modelsmith.doctor.inventions import OTHER_PROGRAMS
from modelsmith.doctor.inventions import VARIABLES as INVENTED
from modelsmith.doctor.ollama_variables import VARIABLES, Reader, exists
from modelsmith.doctor.settings import Form, Owner, Setting
from modelsmith.doctor.values import misread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from modelsmith.diagnostic import Diagnostic
    from modelsmith.doctor.ollama_variables import Variable
    from modelsmith.doctor.scene import Scene
    from modelsmith.versions import Version

CLIENTS = frozenset(
    ["run", "pull", "push", "create", "show", "list", "ls", "ps", "stop", "cp", "rm", "launch", "signin", "signout"]
)
PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"})
_DOWNLOADS = frozenset({"run", "pull", "push"})
_MIRROR = re.compile(r"mirror|registry|modelscope|huggingface|hf-mirror|daocloud|镜像|鏡像", re.IGNORECASE)
_EVERYWHERE = re.compile(r"(?:https?://)?(?:0\.0\.0\.0|\[::\]|::)(?::\d+)?/?")


def check_setting(setting: Setting, scene: Scene) -> Iterator[Diagnostic]:
    """Yield what is wrong with one variable that is set."""
    if (variable := VARIABLES.get(setting.name)) is not None:
        yield from _real(setting, variable, scene)
    elif setting.name in PROXIES and setting.form is Form.PREFIX and setting.command in _DOWNLOADS:
        yield proxy_for_client(setting)
    elif setting.name.startswith("OLLAMA_"):
        yield from _unreal(setting, scene)


def proxy_for_client(setting: Setting) -> Diagnostic:
    """Return the finding for a proxy that is set where nothing is downloaded."""
    return finding(
        "MSD03",
        f"{setting.name} reaches only the `ollama` command; the download is made by the server, which does not see it",
        setting.name_span,
        "set it where `ollama serve` runs: Environment= of the service, launchctl setenv, or -e of docker run",
    )


def _unreal(setting: Setting, scene: Scene) -> Iterator[Diagnostic]:
    name, invented = setting.name, INVENTED.get(setting.name)
    if name == "OLLAMA_NUM_GPU" and scene.is_for_intel:
        return
    certain = setting.owner is Owner.OLLAMA
    severity = Severity.ERROR if certain else Severity.WARNING
    if invented is not None:
        if certain or (setting.owner is Owner.UNKNOWN and invented.bare):
            yield finding(
                "MSD01",
                f"Ollama reads no variable {name}",
                setting.name_span,
                _meant(meaning(invented, setting.value)),
                severity,
            )
        return
    if name in OTHER_PROGRAMS:
        if certain and setting.form is not Form.SESSION:
            hint = "Ollama's own address is OLLAMA_HOST" if re.search("URL|BASE|SERVER|ENDPOINT", name) else ""
            yield finding(
                "MSD01",
                f"{name} is read by {OTHER_PROGRAMS[name]}, not by Ollama",
                setting.name_span,
                hint,
                Severity.WARNING,
            )
        return
    close = difflib.get_close_matches(name, _living(scene.version), n=1, cutoff=0.93)
    if close and setting.owner is not Owner.OTHER:
        yield finding(
            "MSD01",
            f'Ollama reads no variable {name}; did you mean "{close[0]}"?',
            setting.name_span,
            severity=severity,
        )
    elif certain and setting.form is not Form.SESSION:
        yield finding(
            "MSD01", f"Ollama reads no variable {name}", setting.name_span, "`ollama serve --help` lists them", severity
        )


@cache
def _living(version: Version) -> tuple[str, ...]:
    return tuple(name for name, row in VARIABLES.items() if exists(row, version))


def _meant(text: str) -> str:
    return f"use {text}" if text.startswith("OLLAMA_") else text


def _real(setting: Setting, variable: Variable, scene: Scene) -> Iterator[Diagnostic]:
    if setting.owner is Owner.OTHER and setting.form is not Form.PREFIX and variable.reader is not Reader.SERVER:
        return
    if not exists(variable, scene.version):
        if setting.owner is not Owner.OTHER:
            yield from _out_of_time(setting, variable, scene)
        return
    if (wrong := misread(variable, setting.value)) is not None:
        verb = "" if wrong[0].startswith(("is ", "Ollama", '"')) else ": "
        value = setting.value.strip().strip("\"'")
        sentence = (
            f'{setting.name}: "{value}" {wrong[0]}'
            if wrong[0].startswith("is ")
            else f"{setting.name}={value}: {verb}{wrong[0]}"
        )
        yield finding("MSD08", sentence, setting.value_span, wrong[1])
    if setting.form is Form.PREFIX and setting.owner is Owner.OLLAMA:
        yield from _for_whom(setting, variable)
    if setting.name == "OLLAMA_HOST":
        yield from _host(setting, scene)


def _out_of_time(setting: Setting, variable: Variable, scene: Scene) -> Iterator[Diagnostic]:
    if variable.until and scene.version.has(variable.until):
        hint = f"instead: {variable.instead}" if variable.instead else ""
        yield finding(
            "MSD06",
            f"{variable.name} is no longer read since Ollama {variable.until}",
            setting.name_span,
            hint,
            Severity.WARNING,
        )
    else:
        yield finding(
            "MSD01", f"{variable.name} is read since Ollama {variable.since}, not by {scene.version}", setting.name_span
        )


def _for_whom(setting: Setting, variable: Variable) -> Iterator[Diagnostic]:
    if variable.reader is Reader.SERVER and setting.command in CLIENTS - {"create", "launch"}:
        yield finding(
            "MSD03",
            f"{variable.name} is read by the server; `ollama {setting.command}` only talks to it, so nothing changes",
            setting.name_span,
            "set it where `ollama serve` runs: Environment= of the service, launchctl setenv, or -e of docker run",
        )
    elif variable.reader is Reader.INSTALLER:
        yield finding("MSD03", f"{variable.name} is read by the install script only", setting.name_span)


def _host(setting: Setting, scene: Scene) -> Iterator[Diagnostic]:
    value = setting.value.strip().strip("\"'")
    downloads = setting.form is Form.PREFIX and setting.command in _DOWNLOADS
    if _MIRROR.search(value) or (
        downloads and not _is_local(value) and _MIRROR.search(scene.around(setting.name_span.start))
    ):
        yield finding(
            "MSD03",
            "OLLAMA_HOST is the server that the commands talk to, not a mirror to download from: prompts would go there",
            setting.name_span,
            "name the registry in the model's name (hf.co/ORG/REPO, modelscope.cn/ORG/REPO), or set HTTPS_PROXY for the server",
        )
    elif (
        _EVERYWHERE.fullmatch(value)
        and setting.form is not Form.CONTAINER
        and setting.command not in CLIENTS
        and not scene.names_protection
    ):
        yield finding(
            "MSD03",
            f"{setting.name}={value} opens the server to the whole network, and Ollama asks nobody for a password",
            setting.value_span,
            "say so in the text; keep 127.0.0.1, or put a firewall or a proxy with a login before it",
        )


def _is_local(value: str) -> bool:
    return bool(re.match(r"(?:https?://)?(?:localhost|127\.|0\.0\.0\.0|\[?::|192\.168\.|10\.|172\.|:)", value))
