"""``modelsmith fit``: whether a model fits, with which context, and where its layers go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from modelsmith.cli.shared.complete import complete_models_or_files, complete_shapes, complete_types
from modelsmith.cli.shared.input_file import InputFile
from modelsmith.cli.shared.options import json_option, store_for, store_option
from modelsmith.errors import UsageError

if TYPE_CHECKING:
    from modelsmith.weights.fit.fit import Fit
    from modelsmith.weights.fit.machine import Machine
    from modelsmith.weights.fit.settings import FitSettings

_FILE: Any = InputFile()


@click.command("fit")
@click.argument("spec", metavar="[FILE|URL|MODEL]", shell_complete=complete_models_or_files, required=False)
@click.option(
    "--shape",
    metavar="NAME",
    shell_complete=complete_shapes,
    help="Instead of a file: a well-known shape, such as deepseek-r1:32b.",
)
@click.option(
    "--vram", metavar="SIZE,…", help="Memory of each card, 24G,24G; none: no card. Default: what is found here."
)
@click.option(
    "--ram", metavar="SIZE", help="Main memory. Default: without --vram what is free here, else not looked at."
)
@click.option("--overhead", metavar="SIZE", help="What the driver takes of each card. Default: by the kind of card.")
@click.option("--ctx", "contexts", default="4k,8k,16k,32k,64k,128k", metavar="TOKENS,…", help="Default: 4k to 128k.")
@click.option(
    "--kv-type", default="f16", metavar="TYPE", help="f16, q8_0, q4_0 …; for keys and values apart: q8_0,f16."
)
@click.option(
    "--parallel", default=1, metavar="N", help="Requests at once (OLLAMA_NUM_PARALLEL); each has its context."
)
@click.option("--flash-attention/--no-flash-attention", default=True, help="Default: on, as llama.cpp where it can.")
@click.option("--batch", default=2048, metavar="N", help="Tokens of a batch. Default: 2048.")
@click.option("--ubatch", default=512, metavar="N", help="Tokens computed at once (num_batch). Default: 512.")
@click.option(
    "--gpu-layers", type=click.IntRange(0), metavar="N", help="Layers on cards (num_gpu). Default: all that fit."
)
@click.option("--cpu-moe", is_flag=True, help="Experts of all layers in main memory.")
@click.option(
    "--n-cpu-moe", type=click.IntRange(0), default=0, metavar="N", help="Experts of the first N layers there."
)
@click.option("--tensor-split", metavar="N,N", help="How to deal layers to cards. Default: by their memory.")
@click.option("--swa-full", is_flag=True, help="Layers with a sliding window keep the whole context.")
@click.option("--mmproj", type=_FILE, metavar="FILE", help="A projector for pictures.")
@click.option("--adapter", "adapters", type=_FILE, multiple=True, metavar="FILE", help="A LoRA adapter; repeatable.")
@click.option("--draft", metavar="FILE|MODEL", help="A draft model for speculative decoding.")
@click.option(
    "--type",
    "quantization",
    metavar="TYPE",
    shell_complete=complete_types,
    help="As if it were quantized so. Default for shapes: Q4_K_M.",
)
@click.option("--quantizations", is_flag=True, help="Compare Q4_K_M, Q5_K_M, Q6_K, Q8_0 and F16.")
@click.option("--explain", "explained", is_flag=True, help="Show the formulas with the numbers in them.")
@store_option
@json_option
def command(spec: str | None, shape: str | None, where: str | None, as_json: bool, **asked: Any) -> int:
    r"""Say whether a model fits into memory, with which context, and how many layers go to the cards.

    Computed from the real size of every tensor and the architecture's cache; nothing is loaded, of a URL only the header is
    fetched. Sizes of memory are binary (24G is 24 GiB). Exit code 1 where no context fits.

    \b
    Examples:
      modelsmith fit model.gguf --vram 24G
      modelsmith fit llama3.2:3b --vram 8G --ctx 8k,32k --kv-type q8_0
      modelsmith fit https://huggingface.co/ORG/REPO/resolve/main/model.gguf \
        --vram 24G,24G --explain
      modelsmith fit --shape deepseek-r1:32b --vram 16G
      modelsmith fit --shape deepseek-r1:14b --vram 16G --quantizations
    """
    from modelsmith.cli.shared.progress import progress_bars
    from modelsmith.cli.weights.fit_view import as_data, quantizations_data, show_contexts, show_quantizations
    from modelsmith.models.parts import QUANTIZATIONS, LoadedBeside, find_model, find_shape
    from modelsmith.weights.fit.fit import Verdict, estimate, longest_context

    if (spec is None) == (shape is None):
        raise UsageError(
            "say which model",
            hint="either a file, a URL or a model's name, or --shape deepseek-r1:32b; --help has examples",
        )
    settings, contexts, machine = (
        _settings(asked),
        _contexts(asked["contexts"]),
        _machine(asked["vram"], asked["ram"], asked["overhead"]),
    )

    store = store_for(where, spec)

    with progress_bars(enabled=not as_json) as progress:
        model_of = (find_shape(shape) if shape is not None else find_model(spec or "", store, progress)).model
    extras = LoadedBeside(asked["mmproj"], asked["adapters"], asked["draft"]).extras(store)
    wanted = QUANTIZATIONS if asked["quantizations"] else (asked["quantization"],)
    models = {name: model_of(name) for name in wanted}
    if asked["cpu_moe"]:
        settings = replace(settings, cpu_experts=max(len(model.layers) for model in models.values()))
    answers: dict[str | None, list[Fit]] = {
        name: [estimate(model, replace(settings, context=context), machine, extras) for context in contexts]
        for name, model in models.items()
    }
    longest = {name: longest_context(model, settings, machine, extras) for name, model in models.items()}
    if as_json:
        data = quantizations_data if asked["quantizations"] else as_data
        click.echo(data(answers, longest, explained=asked["explained"]))
    elif asked["quantizations"]:
        show_quantizations(answers, longest)
    else:
        show_contexts(answers[wanted[0]], longest[wanted[0]], explained=asked["explained"])
    split = settings.gpu_layers is not None or settings.cpu_experts
    good = {Verdict.WHOLE, Verdict.PARTLY} if split else {Verdict.WHOLE}
    return 0 if any(fit.verdict in good for fits in answers.values() for fit in fits) else 1


def _settings(asked: dict[str, Any]) -> FitSettings:
    from modelsmith.weights.fit.settings import FitSettings

    keys, _, values = asked["kv_type"].lower().partition(",")
    return FitSettings(
        keys=keys.strip(),
        values=(values or keys).strip(),
        flash_attention=asked["flash_attention"],
        batch=asked["batch"],
        ubatch=asked["ubatch"],
        parallel=asked["parallel"],
        whole_window=asked["swa_full"],
        gpu_layers=asked["gpu_layers"],
        cpu_experts=asked["n_cpu_moe"],
        tensor_split=_shares(asked["tensor_split"]),
    )


def _contexts(text: str) -> tuple[int, ...]:
    from modelsmith.weights.fit.settings import parse_context

    return tuple(map(parse_context, _items(text, "--ctx")))


def _machine(vram: str | None, ram: str | None, overhead: str | None) -> Machine:
    from modelsmith.weights.fit.machine import Machine, detect
    from modelsmith.weights.fit.settings import parse_memory

    memory = parse_memory(ram) if ram else None
    taken = parse_memory(overhead) if overhead else None
    if vram is None:
        found = replace(detect(), overhead=taken)
        return replace(found, ram=memory) if memory else found
    if vram.strip().lower() in {"none", "0"}:
        return Machine(ram=memory)
    return Machine.of(tuple(map(parse_memory, _items(vram, "--vram"))), memory, taken)


def _shares(text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        shares = ()
    if not shares or min(shares) < 0 or not 0 < sum(shares) < 1e9:
        raise UsageError(
            f'--tensor-split "{text}" is no list of shares', hint="write 3,1: three parts to the first card"
        )
    return shares


def _items(text: str, option: str) -> list[str]:
    items = [part for part in text.split(",") if part.strip()]
    if not items or len(items) > 64:
        raise UsageError(
            f'{option} "{text}" names {len(items)} values', hint="write 1 to 64 values with commas between them"
        )
    return items
