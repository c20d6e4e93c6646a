"""Jinja as chat templates are written for it, run without trusting them.

The dialect is that of transformers: blocks trimmed, ``break`` and ``continue``, ``{% generation %}``, ``tojson`` without
HTML escapes. It runs in jinja2's immutable sandbox and within limits, and what the sandbox refuses is an error that
names the attempt, never an empty text.

Source: Hugging Face transformers, utils/chat_template_utils.py; jinja2, sandbox.py.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from jinja2 import FunctionLoader, Template, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from modelsmith.template.jinja.transformers.filters import chat_filters, joined
from modelsmith.template.jinja.transformers.limits import BUDGET, check_braces, check_method, check_operation, weight

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from jinja2.parser import Parser
    from jinja2.runtime import Context

FILENAME = "<chat template>"
"""The name that compiled templates have in tracebacks."""


class Refused(Exception):
    """The template called ``raise_exception``; the text is what it said."""


def raise_exception(message: object = "") -> NoReturn:
    """Let a template refuse a conversation; part of the dialect."""
    raise Refused(str(message))


class _Namespace(Namespace):
    """A namespace that prints without what is in it: two of them can hold each other."""

    def __repr__(self) -> str:
        return "<Namespace>"


class _Generation(Extension):
    """``{% generation %}`` marks what a model was trained to write; for a prompt it is only a scope."""

    tags: ClassVar[set[str]] = {"generation"}  # type: ignore[misc]  # the base class declares it on the instance

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


class _Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox, with a budget and without silent refusals."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})
    concat = staticmethod(joined)
    joined = staticmethod(joined)

    @property
    def clock(self) -> None:
        """Look at the clock; compiled templates do it in every round of a loop."""
        BUDGET.get().check_time()

    def built(self, value: Any) -> Any:
        """Measure a list, tuple or mapping that a template writes down."""
        BUDGET.get().spend(weight(value))
        return value

    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:
        """Name what the template reached for, instead of printing nothing for it."""
        raise SecurityError(f'it reads the attribute "{attribute}" of a {type(obj).__name__}, a way out of the sandbox')

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Let ``str.format`` see only safe attributes and widths."""
        text = getattr(value, "__self__", None)
        if isinstance(text, str) and getattr(value, "__name__", "") in {"format", "format_map"}:
            check_braces(text)
        return super().wrap_str_format(value)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look up an item; a slice is a new text or list and is counted."""
        found = super().getitem(obj, argument)
        if isinstance(argument, slice):
            BUDGET.get().spend(weight(found))
        return found

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call what the template calls, unless it is unsafe or its result is too large."""
        budget = BUDGET.get()
        budget.check_time()
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            check_method(owner, getattr(obj, "__name__", ""), args)
        elif isinstance(obj, type):
            budget.spend(weight(args) + weight(kwargs))
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute ``left operator right``, unless the result is too large."""
        check_operation(operator, left, right)
        return super().call_binop(context, operator, left, right)


class _Guards(NodeTransformer):
    """Make every loop look at the clock, and measure what a template joins or writes down; names are jinja2's."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        return self._clocked(node)

    def visit_Macro(self, node: nodes.Macro) -> nodes.Node:  # noqa: N802
        return self._clocked(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> nodes.Node:  # noqa: N802
        return self._clocked(node)

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802
        self.generic_visit(node)
        return _call("joined", nodes.List(node.nodes), node.lineno)

    def visit_List(self, node: nodes.List) -> nodes.Expr:  # noqa: N802
        return self._measured(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802
        return self._measured(node) if node.ctx == "load" else node

    def visit_Dict(self, node: nodes.Dict) -> nodes.Expr:  # noqa: N802
        return self._measured(node)

    def _clocked(self, node: nodes.For | nodes.Macro | nodes.CallBlock) -> nodes.Node:
        self.generic_visit(node)
        clock = nodes.ExprStmt(nodes.EnvironmentAttribute("clock"))
        node.body.insert(0, clock.set_lineno(node.lineno))
        return node

    def _measured(self, node: nodes.List | nodes.Tuple | nodes.Dict) -> nodes.Expr:
        constant = all(isinstance(item, nodes.Const) for item in node.items)
        self.generic_visit(node)
        return node if constant else _call("built", node, node.lineno)


def _no_files(name: str) -> NoReturn:
    raise SecurityError(f'it loads another template, "{name}"')


def _call(name: str, argument: nodes.Expr, line: int) -> nodes.Expr:
    call = nodes.Call(nodes.EnvironmentAttribute(name), [argument], [], None, None)
    call.set_lineno(line)
    return call


@cache
def environment() -> _Sandbox:
    """Return the one environment of all chat templates; what differs between renderings is a variable."""
    sandbox = _Sandbox(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=[loopcontrols, _Generation],
        optimized=False,
        loader=FunctionLoader(_no_files),
        cache_size=0,
    )
    sandbox.filters = chat_filters(sandbox.filters)
    del sandbox.globals["lipsum"]
    sandbox.globals |= {"namespace": _Namespace, "raise_exception": raise_exception}
    return sandbox


def compile_template(text: str) -> Template:
    """Return the compiled template; raises jinja2's TemplateSyntaxError, or SyntaxError where it nests too deeply."""
    sandbox = environment()
    tree = _Guards().visit(sandbox.parse(text))
    tree.set_environment(sandbox)
    return Template.from_code(sandbox, sandbox.compile(tree, filename=FILENAME), sandbox.make_globals(None))
