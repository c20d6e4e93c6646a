"""``modelsmith convert``: a chat template in the other language, Jinja or Go, proven equal by rendering."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.options import json_option, store_for, store_option
from modelsmith.cli.shared.outputs import force_option
from modelsmith.errors import ConversionError, UsageError

if TYPE_CHECKING:
    from modelsmith.models.draft import Draft
    from modelsmith.template.convert.conversion import Conversion

GO_ENDINGS = frozenset({".gotmpl", ".tmpl"})
"""What files with a Go template alone are called."""


@click.command("convert")
@click.argument("source", metavar="FILE|MODEL")
@click.option(
    "--to",
    type=click.Choice(["go", "jinja"]),
    help="The language to write; else the one that a FILE is not in, for models go.",
)
@click.option(
    "--output", "-o", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the template here."
)
@force_option
@click.option("--allow-different", is_flag=True, help="Give the nearest template even where it is not proven equal.")
@click.option("--eos-token", metavar="TEXT", help="The end token that a .jinja file names as eos_token.")
@store_option
@json_option
def command(
    source: str,
    to: str | None,
    output: Path | None,
    force: bool,
    allow_different: bool,
    eos_token: str | None,
    where: str | None,
    as_json: bool,
) -> int:
    r"""Convert a chat template between Jinja (llama.cpp, Hugging Face) and Go (Ollama's TEMPLATE).

    FILE is a .jinja, a .gotmpl, a .gguf or a Modelfile. The result is accepted where it renders all conversations as the
    original does, with tools, reasoning and every value of think. Else the smallest that differs is shown, and the exit
    code is 1.

    \b
    Examples:
      modelsmith convert chat_template.jinja -o template.gotmpl
      modelsmith convert template.gotmpl -o chat_template.jinja
      modelsmith convert model.gguf --json
      modelsmith convert llama3.1:8b --to jinja
      modelsmith convert mymodel --allow-different
    """
    from modelsmith.models.sources.bare import is_jinja

    to = to or ("jinja" if Path(source).suffix.lower() in GO_ENDINGS else "go")
    if is_jinja(source) and to == "jinja":
        raise UsageError(f"{source} is a Jinja template already", hint="leave --to away to convert it to Go")
    if output is not None:
        from modelsmith.files.outputs import check_place

        check_place(output, [Path(source)])
    try:
        conversion = _to_go(source, where, eos_token) if to == "go" else _to_jinja(source, where)
    except ConversionError as error:
        if as_json:
            click.echo(json.dumps({"accepted": False, "error": error.message}, ensure_ascii=False))
        else:
            from modelsmith.cli.shared.failure import show_error

            show_error(error)
        return 1
    accepted = conversion.proven or allow_different
    if accepted and output is not None:
        from modelsmith.cli.shared.outputs import write_output

        write_output(output, conversion.template.text.encode(), force=force, option="--output")
    if as_json:
        click.echo(json.dumps({"to": to, **_as_json(conversion, accepted)}, ensure_ascii=False))
    else:
        if accepted and output is None:
            click.echo(conversion.template.text)
        _tell(conversion, accepted)
    return 0 if accepted else 1


def _to_go(source: str, where: str | None, eos_token: str | None) -> Conversion:
    """Convert what ``source`` has in Jinja; raises UsageError where it has nothing, or an end token is missing."""
    from modelsmith.models.sources.bare import is_jinja
    from modelsmith.template.convert.to_go.convert import to_go

    draft = _draft(source, where)
    chat_template = draft.chat_template
    if chat_template is None:
        hint = "name a .jinja file" if draft.template is None else "name a .jinja file, or say --to jinja"
        raise UsageError(f"{source} has no Jinja chat template", hint=hint)
    if eos_token is None and is_jinja(source) and "eos_token" in chat_template.text:
        raise UsageError(
            f"{source} prints eos_token, and a file alone does not say what that is",
            hint="give it: --eos-token '</s>', as in tokenizer_config.json",
        )
    return to_go(chat_template, eos_token=draft.inherited.ends["eos_token"] if eos_token is None else eos_token)


def _to_jinja(source: str, where: str | None) -> Conversion:
    """Convert what ``source`` has in Go; raises UsageError where it has nothing."""
    from modelsmith.template.convert.to_jinja.convert_jinja import to_jinja

    template = _draft(source, where).template
    if template is None:
        raise UsageError(f"{source} has no Go TEMPLATE", hint="name a .gotmpl file")
    return to_jinja(template)


def _draft(source: str, where: str | None) -> Draft:
    from modelsmith.models.draft import Draft
    from modelsmith.models.find import find_base
    from modelsmith.models.sources.bare import is_bare, template_base

    folder = Path.cwd()
    if is_bare(source, folder):
        return Draft.start(template_base(source, folder), None)
    return Draft.start(
        find_base(source, store_for(where, source)(), folder, alone=lambda modelfile: bool(modelfile.template)), None
    )


def _as_json(conversion: Conversion, accepted: bool) -> dict[str, Any]:
    difference = conversion.counterexample
    return {
        "template": conversion.template.text,
        "accepted": accepted,
        "proven": conversion.proven,
        "proven_without_tools": conversion.proven_chat,
        "covered": list(conversion.covered),
        "limits": list(conversion.limits),
        "unrendered": list(conversion.unrendered),
        "thinking_tags": list(conversion.thinking_tags),
        "counterexample": difference
        and {
            "name": difference.name,
            "conversation": difference.conversation.to_dict(),
            "think": difference.think,
            "jinja": difference.jinja,
            "go": difference.go,
        },
    }


def _tell(conversion: Conversion, accepted: bool) -> None:
    """Say on stderr how far the template is proven."""
    from modelsmith.cli.shared.failure import printable
    from modelsmith.template.convert.proof import GAP

    count = len(conversion.covered)
    for limit in conversion.limits:
        click.echo(f"{click.style('note:', fg='cyan')} left out of the comparison: {limit}", err=True)
    difference = conversion.counterexample
    if difference is None and conversion.unrendered:
        title = click.style("different:" if accepted else "error:", fg="yellow" if accepted else "red", bold=True)
        gaps = [kind.removeprefix(f"{GAP}: ") for kind in conversion.unrendered if kind.startswith(GAP)]
        kinds = [kind for kind in conversion.unrendered if not kind.startswith(GAP)]
        reasons = [f"the original renders no conversation with {', '.join(kinds)}"] if kinds else []
        reasons += [f"{GAP} has no Go form ({'; '.join(gaps)})"] if gaps else []
        click.echo(
            f"{title} not proven: {'; '.join(reasons)}; so nothing is known about those; the same prompt for the {count} "
            "conversations that it takes",
            err=True,
        )
        return
    if difference is None:
        click.echo(f"proven: the same prompt for all {count} conversations that the template takes", err=True)
        return
    scope = " (all without tools are equal)" if conversion.proven_chat else ""
    think = "unset" if difference.think is None else str(difference.think).lower()
    title = click.style("different:" if accepted else "error:", fg="yellow" if accepted else "red", bold=True)
    click.echo(f'{title} not proven equal{scope}; smallest difference: "{difference.name}", think {think}', err=True)
    for name, prompt in (("Jinja", difference.jinja), ("Go", difference.go)):
        click.echo(f"  {name:<6}{printable(json.dumps(prompt, ensure_ascii=False))}", err=True)
    if not accepted:
        click.echo(
            f"  {click.style('hint:', fg='green')} --allow-different gives the nearest template ({count} conversations are equal)",
            err=True,
        )
