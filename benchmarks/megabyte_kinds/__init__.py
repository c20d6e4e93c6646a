"""A megabyte of everything that a command reads, with the commands that read it."""

from megabyte_kinds import (
    checkpoints,
    folders,
    ggufs,
    go_templates,
    jinja_templates,
    modelfiles,
    recipes,
    servers,
    stores,
    texts,
)
from megabyte_kinds.kind import KINDS, Kind

__all__ = [
    "KINDS",
    "Kind",
    "checkpoints",
    "folders",
    "ggufs",
    "go_templates",
    "jinja_templates",
    "modelfiles",
    "recipes",
    "servers",
    "stores",
    "texts",
]
