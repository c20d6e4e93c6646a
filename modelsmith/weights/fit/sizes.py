"""Adding up the tensors of a model by what they are for: layers, experts, embeddings, output, pictures.

Sources: llama.cpp ``src/llama-arch.cpp`` (names of tensors), ``src/llama-model.cpp`` (which of them are input and output).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from modelsmith.errors import InvalidGGUF

if TYPE_CHECKING:
    from modelsmith.weights.gguf.read.tensors import Tensor

_BLOCK = re.compile(r"blk\.(\d{1,6})\.")
_PICTURES = ("v.", "a.", "mm.")
_EXPERTS = re.compile(r"_(ch)?exps(\.|$)")


class Sizes:
    """Adds up tensors by what they are for."""

    def __init__(self, layers: int, name: str) -> None:
        self.name = name
        self.weights = [0] * layers
        self.experts = [0] * layers
        self.largest = [0] * layers
        self.input = self.output = self.embeddings = self.pictures = 0
        self.vocabulary = self.up = self.down = self.expert_width = 0
        self.mixer = (0, 0)
        self.has_output = self.gated = False

    @property
    def empty(self) -> bool:
        """Whether no layer has a tensor."""
        return not any(self.weights)

    @property
    def feed_forward(self) -> int:
        """How many numbers a token live at once: up, gate and their product; without a gate the product takes up's place."""
        fused = self.up == 2 * self.down  # up and gate in one matrix
        return (2 if self.gated else 1) * self.up + (self.down if self.gated or fused else 0)

    def add(self, tensor: Tensor) -> None:
        """Count a tensor; raises InvalidGGUF for one of a layer that the model does not have."""
        name, size = tensor.name, tensor.nbytes
        if match := _BLOCK.match(name):
            self._add_to_layer(int(match[1]), name[match.end() :], tensor)
        elif name.startswith(_PICTURES):
            self.pictures += size
        elif name.startswith(("token_embd.", "per_layer_token_embd.", "position_embd.", "token_types.")):
            self.input += size
            if name == "token_embd.weight":
                self.embeddings = size
                self.vocabulary = tensor.dims[1] if len(tensor.dims) > 1 else 0
        else:
            self.output += size
            self.has_output = self.has_output or name == "output.weight"

    def _add_to_layer(self, layer: int, part: str, tensor: Tensor) -> None:
        if layer >= len(self.weights):
            raise InvalidGGUF(
                f'{self.name}: tensor "{tensor.name:.80}" is of layer {layer}, and the model has {len(self.weights)} layers',
                hint="the key block_count and the tensors do not belong together; convert the model again",
            )
        self.weights[layer] += tensor.nbytes
        self.largest[layer] = max(self.largest[layer], tensor.nbytes)
        rows = tensor.dims[1] if len(tensor.dims) > 1 else 0
        if _EXPERTS.search(part):
            self.experts[layer] += tensor.nbytes
            if part.startswith("ffn_up"):
                self.expert_width = max(self.expert_width, rows)
        elif part == "ffn_up.weight":
            self.up = max(self.up, rows)
        elif part == "ffn_gate.weight":
            self.gated = True
        elif part == "ffn_down.weight":
            self.down = max(self.down, tensor.dims[0])
        elif part == "ssm_in.weight":
            self.mixer = (max(self.mixer[0], rows), self.mixer[1])
        elif part == "ssm_conv1d.weight":
            self.mixer = (self.mixer[0], max(self.mixer[1], rows))
