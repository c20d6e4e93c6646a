"""Run a compiled chat template and say in one sentence what went wrong, if something did."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any

from jinja2.exceptions import SecurityError, TemplateError, UndefinedError

from modelsmith.errors import TemplateRenderError
from modelsmith.template.allowance import Use
from modelsmith.template.jinja.transformers.filters import joined
from modelsmith.template.jinja.transformers.limits import BUDGET, Budget, LimitReached
from modelsmith.template.jinja.transformers.sandbox import FILENAME, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Template

_OF_TEMPLATES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TemplateError,
    TypeError,
    ValueError,
)
"""What an expression of a template may raise when its values are not what it expects."""


def run(template: Template, variables: Mapping[str, Any], budget: Budget) -> str:
    """Return what the template prints; raises TemplateRenderError for all that its text can cause."""
    use, whole = Use(), budget.left
    budget.look = use.look
    token = BUDGET.set(budget)
    try:
        return joined(template.generate(**variables))
    except Refused as error:
        raise TemplateRenderError(f"the template refuses this conversation: {error}{_where(error)}") from None
    except SecurityError as error:
        raise TemplateRenderError(
            f"the template was stopped: {error}{_where(error)}",
            hint="do not use this model's template; it tries to run code",
        ) from None
    except LimitReached as error:
        raise TemplateRenderError(f"the template was stopped: {error}{_where(error)}") from None
    except UndefinedError as error:
        raise TemplateRenderError(f"the template fails: {error}{_where(error)}") from None
    except (RecursionError, MemoryError) as error:
        raise TemplateRenderError(f"the template was stopped: it calls itself without end{_where(error)}") from None
    except _OF_TEMPLATES as error:
        raise TemplateRenderError(f"the template fails: {type(error).__name__}: {error}{_where(error)}") from None
    finally:
        use.charge(whole - budget.left)
        BUDGET.reset(token)


def _where(error: BaseException) -> str:
    """Name the line of the template that was being run; jinja2 writes it into the traceback."""
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__, limit=None) if frame.filename == FILENAME
    ]
    return f" (line {lines[-1]})" if lines and lines[-1] else ""
