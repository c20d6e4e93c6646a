"""``modelsmith lora inspect``: say what an adapter changes."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.options import adapter_at, json_option, store_for, store_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from modelsmith.weights.adapters.lora import Lora, LoraPair
    from modelsmith.weights.adapters.peft import PeftAdapter, PeftPair


@click.command("inspect")
@click.argument("adapter", metavar="ADAPTER")
@click.option("--base", metavar="MODEL", help="Also check whether it fits: a .gguf or a model's name.")
@store_option
@json_option
def command(adapter: str, base: str | None, where: str | None, as_json: bool) -> int:
    r"""Say what an adapter changes and how strongly.

    ADAPTER is a folder as PEFT saves it, a GGUF, or one on the Hub (hf://org/repo), of which only the header is fetched. With --base the answer is 1 where it does not fit the model.

    \b
    Examples:
      modelsmith lora inspect ./my-adapter
      modelsmith lora inspect adapter.gguf --base base-f16.gguf --json
    """
    from modelsmith.errors import InvalidAdapter, Unsupported
    from modelsmith.models.locate import locate_gguf
    from modelsmith.weights.adapters.gguf_adapter import read_gguf_adapter
    from modelsmith.weights.adapters.open import open_adapter
    from modelsmith.weights.adapters.peft import is_peft, read_peft
    from modelsmith.weights.quantize.quantize import open_parts

    place = adapter_at(adapter, whole=False)
    found: PeftAdapter | Lora = read_peft(place) if is_peft(place) else read_gguf_adapter(place)
    facts = _facts(found.base, found.alpha, found.pairs, found)
    problem = ""
    if base is not None:
        parts = open_parts(locate_gguf(base, store_for(where, base)))
        try:
            facts["notes"] = list(open_adapter(place, parts).notes)
        except (InvalidAdapter, Unsupported) as error:
            problem, facts["hint"] = error.message, error.hint
        facts |= {"fits": not problem, "problem": problem}
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
    else:
        _show(adapter, facts)
    return 1 if problem else 0


def _facts(
    base: str, alpha: float, pairs: Mapping[str, PeftPair | LoraPair], found: PeftAdapter | Lora
) -> dict[str, Any]:
    from modelsmith.weights.adapters.peft import PeftAdapter

    is_folder = isinstance(found, PeftAdapter)
    targets = Counter(_target(name) for name in pairs)
    return {
        "kind": "peft" if is_folder else "gguf",
        "base": base,
        "alpha": alpha,
        "ranks": sorted({pair.b.shape[1] for pair in pairs.values()}),
        "scales": sorted({round(pair.scale, 6) for pair in pairs.values()}),
        "rslora": found.rank_stabilized if isinstance(found, PeftAdapter) else None,
        "targets": dict(sorted(targets.items())),
        "pairs": len(pairs),
        "numbers": sum(matrix.shape[0] * matrix.shape[1] for pair in pairs.values() for matrix in (pair.a, pair.b)),
        "fingerprint": "" if isinstance(found, PeftAdapter) else found.fingerprint,
    }


def _target(name: str) -> str:
    """Return a tensor's name without the number of its block."""
    return ".".join(part for part in name.removesuffix(".weight").split(".") if not part.isdigit())


def _show(place: str, facts: dict[str, Any]) -> None:
    from modelsmith.cli.shared.failure import printable

    kind = {"peft": "a LoRA adapter of PEFT", "gguf": "a LoRA adapter as a GGUF"}[facts["kind"]]
    rows = {
        "base": facts["base"] or "(it does not say)",
        "changes": f"{facts['pairs']} tensors: "
        + ", ".join(f"{name} ({count})" for name, count in facts["targets"].items()),
        "rank": ", ".join(map(str, facts["ranks"])),
        "scale": f"{', '.join(f'{scale:g}' for scale in facts['scales'])} (alpha {facts['alpha']:g}"
        f"{' by the root of the rank: rslora' if facts['rslora'] else ' by the rank'})",
        "size": f"{facts['numbers']:,} numbers",
    }
    click.echo(printable(f"{place}: {kind}"))
    for name, value in rows.items():
        click.echo(printable(f"  {name:<8} {value}"))
    for note in facts.get("notes", ()):
        click.echo(printable(f"  note: {note}"))
    if "fits" in facts:
        click.echo(printable(f"  fits     {'yes' if facts['fits'] else 'no: ' + facts['problem']}"))
        if facts.get("hint"):
            click.echo(printable(f"  hint: {facts['hint']}"))
