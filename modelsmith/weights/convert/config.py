"""Values of ``config.json``, with the types that they must have; what is wrong is named with its key and place.

Source: llama.cpp ``conversion/base.py`` (names that mean the same, rope parameters of old and new configurations).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from modelsmith.errors import InvalidCheckpoint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MOST = (1 << 31) - 1


class Config:
    """The configuration of the text model; of a multimodal one what stands under ``text_config`` comes first."""

    def __init__(self, values: Mapping[str, Any], path: Path) -> None:
        inner = values.get("text_config")
        self.values: dict[str, Any] = {**values, **inner} if isinstance(inner, dict) else dict(values)
        self.path = path
        self._outer = values

    @property
    def architecture(self) -> str:
        """The first of ``architectures``; raises where there is none."""
        inner = self._outer.get("text_config")
        for source in (inner, self._outer):
            names = source.get("architectures") if isinstance(source, dict) else None
            if isinstance(names, list) and names and isinstance(names[0], str):
                return names[0]
        return self._fail("architectures", None, "a list with the name of the model's class")

    def get(self, *keys: str) -> Any:
        """Return the value of the first of the keys that is there and not null, else None."""
        return next((self.values[key] for key in keys if self.values.get(key) is not None), None)

    def size(self, *keys: str, default: int | None = None) -> int:
        """Return a whole number above zero."""
        found = self.optional_size(*keys)
        if found is None:
            found = default
        if found is None:
            self._fail(keys[0], None, "a whole number")
        return found

    def optional_size(self, *keys: str) -> int | None:
        """Return a whole number above zero, None where no key is there."""
        value = self.get(*keys)
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not 0 < value <= _MOST:
            self._fail(keys[0], value, "a whole number above 0")
        return value

    def number(self, *keys: str, default: float | None = None) -> float:
        """Return a number."""
        value = self.get(*keys)
        if value is None:
            value = default
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._fail(keys[0], value, "a number")
        return float(value)

    @property
    def rope(self) -> dict[str, Any]:
        """What is said of rotary positions, in the names that newer configurations use."""
        found = self.get("rope_parameters", "rope_scaling") or {}
        if not isinstance(found, dict):
            self._fail("rope_scaling", found, "a table")
        rope = dict(found)
        if "full_attention" in rope or "sliding_attention" in rope:
            return rope
        local = self.get("rope_local_base_freq", "local_rope_theta", "swa_rope_theta")
        if local is not None:
            rope["sliding_attention"] = {"rope_theta": local}
        for name, key in (
            ("rope_theta", "rope_theta"),
            ("partial_rotary_factor", "partial_rotary_factor"),
            ("original_max_position_embeddings", "original_max_position_embeddings"),
        ):
            if rope.get(name) is None and self.get(key) is not None:
                rope[name] = self.get(key)
        if rope.get("rope_type") is None and rope.get("type") is not None:
            rope["rope_type"] = rope["type"]
        return rope

    def _fail(self, key: str, value: Any, wanted: str) -> NoReturn:
        said = "is missing" if value is None else f"is {value!r:.60}"
        raise InvalidCheckpoint(f"{self.path}: {key} {said}, and should be {wanted}", hint="fetch the file again")
