"""Everything about this machine that decides whether Ollama works on it, in the order in which people look for a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.machine.cards import check_cards
from modelsmith.machine.network import check_proxies
from modelsmith.machine.places import check_store
from modelsmith.machine.server import Server, check_exposure, check_server, serves
from modelsmith.machine.system import System
from modelsmith.machine.variables import check_variables

if TYPE_CHECKING:
    from modelsmith.store.care.doctor import Check


def examine_machine(where: str | None = None, system: System | None = None) -> tuple[Check, ...]:
    """Look at server, variables, store, graphics cards, network and proxies; changes nothing.

    ``where`` names a server (default: OLLAMA_HOST, else the default place). Raises UsageError where it names none.
    """
    system = system or System()
    server = Server(system, where)
    processes = system.servers() if server.is_local else ()
    reached = tuple(check_server(server, system, processes))  # first: the others need its version
    processes = tuple(process for process in processes if serves(process, server.port))
    parts = (check_exposure, check_proxies, check_variables, check_store, check_cards)
    return (*reached, *(checked for check in parts for checked in check(server, system, processes)))
