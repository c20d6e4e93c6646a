"""The doctor: what is wrong with commands, variables, requests and how-tos about Ollama, and what was meant.

Pure functions: text in, diagnostics out. The facts are tables: ``ollama_commands``, ``ollama_variables``, ``api_fields`` hold
what is real, ``inventions`` what is not.
"""

from __future__ import annotations

from modelsmith.doctor.environment import check_environment, environment_text
from modelsmith.doctor.excerpt import Language
from modelsmith.doctor.findings import CODES
from modelsmith.doctor.scan import check_command, check_markdown

__all__ = ["CODES", "Language", "check_command", "check_environment", "check_markdown", "environment_text"]
