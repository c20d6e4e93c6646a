"""How to lint: which rules, for which Ollama, under which policy."""

from __future__ import annotations

from dataclasses import field

from modelsmith.records import dataclass
from modelsmith.versions import NEWEST, Version


@dataclass(frozen=True, slots=True)
class Policy:
    """What an organisation demands beside what works; nothing by default.

    ``trusted_registries`` are hosts (with an optional ``/namespace``) that FROM may name; ``allowed_licenses`` are texts of
    which one must occur in a LICENSE; ``banned_parameters`` are names that no Modelfile may set.
    """

    trusted_registries: tuple[str, ...] = ()
    requires_license: bool = False
    allowed_licenses: tuple[str, ...] = ()
    banned_parameters: tuple[str, ...] = ()
    requires_pinned_base: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """``select`` and ``ignore`` hold codes or their beginnings (MS3); nothing selected means every rule.

    Where both match a rule, the longer text wins, and ``ignore`` on a draw.
    """

    target: Version = NEWEST
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    policy: Policy = field(default_factory=Policy)

    def wants(self, code: str) -> bool:
        """Say whether a rule is on."""
        chosen = max(
            (len(prefix) for prefix in self.select if code.startswith(prefix)), default=-1 if self.select else 0
        )
        refused = max((len(prefix) for prefix in self.ignore if code.startswith(prefix)), default=-1)
        return chosen > refused
