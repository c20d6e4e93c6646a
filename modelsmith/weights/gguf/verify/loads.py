"""Whether llama.cpp would load a file and find the marks of its template: the part of verify that plans tell, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.weights.gguf.read.fault import Faults
from modelsmith.weights.gguf.verify.architecture import check_architecture
from modelsmith.weights.gguf.verify.tokenizer import check_kinds

if TYPE_CHECKING:
    from modelsmith.weights.gguf.file import GGUFFile
    from modelsmith.weights.gguf.read.fault import Fault


def refusals(gguf: GGUFFile) -> tuple[Fault, ...]:
    """Return what is missing, of a wrong type or unknown to llama.cpp, and tokens of the template that are cut into pieces."""
    faults = Faults()
    check_architecture(gguf, faults)
    check_kinds(gguf, faults)
    return tuple(faults)
