"""What is asked for when a model is quantized: a mix, exceptions from it, and the type that each tensor gets of that.

Source: llama.cpp ``src/llama-quant.cpp`` (llama_tensor_get_type: the order in which wishes count).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelsmith.errors import UsageError
from modelsmith.weights.quantize.mixes import TYPES, Mix, find_mix, find_type
from modelsmith.weights.quantize.roles import Role, may_be_quantized, role_of
from modelsmith.weights.quantize.rules import TypeChooser, fallback
from modelsmith.weights.quantize.tensor_pattern import TensorPattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from modelsmith.weights.gguf.read.tensors import Tensor
    from modelsmith.weights.gguf.types import TensorType


@dataclass(frozen=True, slots=True)
class TensorRule:
    """A wish for single tensors: those whose name holds a match of ``pattern`` get ``type``."""

    pattern: TensorPattern
    type: TensorType

    @classmethod
    def parse(cls, text: str) -> TensorRule:
        r"""Read ``REGEX=TYPE``, such as ``blk\.0\..*=Q8_0``; raises UsageError, also for what may take too long."""
        pattern, separator, kind = text.rpartition("=")
        if not separator or not pattern:
            raise UsageError(f'"{text}" is no rule for tensors', hint=r"write REGEX=TYPE, such as 'blk\.0\..*=Q8_0'")
        return cls(TensorPattern(pattern), find_type(kind))


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is asked for: a mix, and exceptions from it.

    ``output`` and ``embedding`` are types for output.weight and the token embeddings, ``pure`` gives every tensor the mix's
    own type, ``keep_output`` leaves output.weight as it is. The first of ``rules`` that matches counts.
    """

    mix: Mix
    rules: tuple[TensorRule, ...] = ()
    output: TensorType | None = None
    embedding: TensorType | None = None
    pure: bool = False
    keep_output: bool = False
    allow_requantize: bool = False

    @classmethod
    def of(cls, mix: str, *, rules: Iterable[str] = (), allow_requantize: bool = False) -> Wishes:
        """Return the wish for a mix by its name, with rules as text; raises UsageError."""
        return cls(find_mix(mix), tuple(map(TensorRule.parse, rules)), allow_requantize=allow_requantize)


class TypeFinder:
    """Finds the type of each tensor: the wishes for single ones first, then the mix, then what the shape allows."""

    def __init__(self, wishes: Wishes, chooser: TypeChooser, *, tied: bool) -> None:
        self.wishes = wishes
        self.chooser = chooser
        self.tied = tied
        self.unused = dict.fromkeys(wishes.rules)

    def of(self, tensor: Tensor) -> tuple[TensorType, bool]:
        """Return a tensor's type, and whether its shape forced another one than was meant."""
        wanted = self._wanted(tensor)
        if wanted is None:
            return tensor.type, False
        kind = fallback(wanted, tensor.dims[0])
        return TYPES[kind], kind != wanted

    def _wanted(self, tensor: Tensor) -> str | None:
        wishes, default = self.wishes, self.wishes.mix.type
        role = role_of(tensor.name)
        if default is None or not may_be_quantized(tensor) or (wishes.keep_output and role is Role.OUTPUT):
            return None
        special = {Role.OUTPUT: wishes.output, Role.EMBEDDING: wishes.embedding}.get(role)
        if special is not None:
            return special.name
        for rule in wishes.rules:
            if rule.pattern.found_in(tensor.name):
                self.unused.pop(rule, None)
                return rule.type.name
        if wishes.pure or not wishes.mix.quantizes:
            return default
        if self.tied and role is Role.EMBEDDING and wishes.output is not None:
            return wishes.output.name
        return self.chooser.choose(tensor)

    def check_rules(self) -> None:
        """Raise UsageError for a rule that changed nothing: it was meant to do something."""
        for rule in self.unused:
            raise UsageError(
                f'the rule "{rule.pattern.text}={rule.type.name}" is about no tensor that is quantized',
                hint="an earlier rule may have caught them; norms, biases and other small tensors always stay as they are",
            )
