"""Which module moves models from and to a place: one row for each scheme.

A module has ``pull(source, name, options, print_urls)`` and ``push(name, target, options, oci)``, which do the work, print
what they did, and return the exit code.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from modelsmith.cli.moving.options import MovingOptions


class Places(Protocol):
    """The module of a scheme."""

    def pull(self, source: str, name: str | None, options: MovingOptions, *, print_urls: bool) -> int:
        """Bring a model from ``source`` into the store, under ``name`` if one is given."""

    def push(self, name: str, target: str | None, options: MovingOptions, *, oci: bool) -> int:
        """Send the model ``name`` of the store to ``target``."""


SCHEMES = {
    "oci://": "registries",
    "dir:": "registries",
    "hf://": "hub",
    "hf.co/": "hub",
    "huggingface.co/": "hub",
    "https://hf.co/": "hub",
    "https://huggingface.co/": "hub",
}
DEFAULT = "registries"
"""What a name without a scheme means: a model in a registry, as for Ollama."""


def is_hub(place: str) -> bool:
    """Whether a place is on the Hugging Face Hub."""
    return any(module == "hub" and place.startswith(scheme) for scheme, module in SCHEMES.items())


def module_for(place: str) -> Places:
    """Return the module that knows a place."""
    name = next((module for scheme, module in SCHEMES.items() if place.startswith(scheme)), DEFAULT)
    return cast("Places", import_module(f"modelsmith.cli.moving.{name}"))
