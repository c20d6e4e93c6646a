"""What a recipe promises of the model's answers: asked of the real model by ``modelsmith verify``, not when it is planned."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from modelsmith.errors import InvalidParameter, ModelsmithError, UsageError
from modelsmith.parameters import typed_parameters
from modelsmith.recipe.parts.choice import mark
from modelsmith.recipe.parts.fields import Parameter, Part, Text, Texts
from modelsmith.recipe.parts.pattern import AnswerPattern
from modelsmith.template.conversation.conversation import Conversation
from modelsmith.template.effective.think_rules import LEVELS


def plain(value: Any) -> Any:
    """Return data as JSON has it: lists for tuples."""
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items()} if isinstance(value, dict) else value


def _pattern(text: str) -> str:
    try:
        AnswerPattern(text)
    except UsageError as error:
        raise PydanticCustomError(
            "answer_pattern", "{problem}", {"problem": error.message, "hint": error.hint}
        ) from error
    return text


def _tools(value: Any) -> Any:
    try:
        Conversation.from_dict({"tools": plain(value)})
    except ModelsmithError as error:
        raise PydanticCustomError("tools", "{problem}", {"problem": error.message, "hint": error.hint}) from error
    return value


def _schema(value: Any) -> Any:
    if isinstance(value, dict):
        from modelsmith.recipe.prove.json_schema import JsonShape

        try:
            JsonShape(plain(value))
        except UsageError as error:
            raise PydanticCustomError(
                "json_shape", "{problem}", {"problem": error.message, "hint": error.hint}
            ) from error
        return value
    if value is True or value == "json":
        return value
    raise PydanticCustomError("json_shape", "expected true, or a JSON Schema as a mapping")


_OBJECT: dict[str, Any] = {"type": "object", "additionalProperties": True, "propertyNames": {"minLength": 1}}


class AskedMessage(Part):
    """One message of the conversation."""

    role: Literal["system", "user", "assistant", "tool"]
    """Who says it."""

    content: Text
    """What is said."""


class Call(Part):
    """A call of a tool that is expected."""

    name: Text
    """The name of the tool."""

    arguments: Annotated[dict[str, Any], WithJsonSchema(_OBJECT)] = Field(default_factory=dict)
    """Arguments that it must have; it may have others too."""


def _call(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _question_kind(value: object) -> str:
    return mark("text" if isinstance(value, str) else "messages")


Question: TypeAlias = Annotated[
    Annotated[Text, Tag(mark("text"))]
    | Annotated[tuple[AskedMessage, ...], Field(min_length=1), Tag(mark("messages"))],
    Discriminator(_question_kind),
]


def _think(value: object) -> object:
    if value is None or isinstance(value, bool) or value in LEVELS:
        return value
    raise PydanticCustomError("think_value", f"expected true, false, {', '.join(LEVELS[:-1])} or {LEVELS[-1]}")


class Ask(Part):
    """The model is asked, and its answer must be so. Checked by `modelsmith verify`."""

    ask: Question
    """What the user says, or a list of messages."""

    system: Text | None = None
    """A system prompt instead of the model's own."""

    tools: Annotated[
        tuple[dict[str, Any], ...],
        BeforeValidator(_tools, json_schema_input_type=list[dict[str, Any]]),
        WithJsonSchema({"type": "array", "items": _OBJECT}),
    ] = ()
    """Tools that are offered, as in a request of `/api/chat`."""

    think: Annotated[Any, BeforeValidator(_think), WithJsonSchema({"enum": [True, False, *LEVELS]})] = None
    """The request's `think`. Left out: the model's default."""

    options: dict[str, Parameter] = Field(default_factory=dict)
    """PARAMETERs instead of the model's own, such as `{temperature: 0, seed: 1, num_predict: 200}`."""

    format_: Annotated[Any, BeforeValidator(_schema), WithJsonSchema({"anyOf": [{"const": "json"}, _OBJECT]})] = None
    """What the answer is forced into: `json`, or a JSON Schema."""

    thinks: bool | None = None
    """`true`: there is reasoning; `false`: there is none."""

    apart: Literal[True] | None = None
    """Reasoning and answer are apart: no tag of reasoning and no token of the template is left in the answer."""

    stops_within: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """The model ends its answer by itself, with at most so many tokens, reasoning included."""

    calls: Annotated[Call, BeforeValidator(_call, json_schema_input_type=Text | Call)] | None = Field(
        None, title="calls"
    )
    """It calls this tool: a name, or a name with arguments."""

    json_: Annotated[Any, BeforeValidator(_schema), WithJsonSchema({"anyOf": [{"const": True}, _OBJECT]})] = None
    """The answer is JSON; with a JSON Schema, JSON of that shape."""

    contains: Texts = ()
    """Texts that the answer has."""

    lacks: Texts = ()
    """Texts that the answer does not have."""

    matches: Annotated[Text, AfterValidator(_pattern)] | None = None
    """A regular expression that is found in the answer."""

    tokens_per_second: Annotated[float, Field(gt=0)] | None = None
    """It answers at least so fast."""

    @model_validator(mode="after")
    def _promises_something(self) -> Ask:
        if not any(
            promise not in (None, ())
            for promise in (
                self.thinks,
                self.apart,
                self.stops_within,
                self.calls,
                self.json_,
                self.contains,
                self.lacks,
                self.matches,
                self.tokens_per_second,
            )
        ):
            raise PydanticCustomError(
                "no_promise",
                "nothing is expected of the answer; add thinks, apart, stops-within, calls, json, contains, lacks, matches or "
                "tokens-per-second",
            )
        return self

    @property
    def request_options(self) -> dict[str, Any]:
        """The options with the types that Ollama wants; an answer that has a limit of tokens is not generated beyond it."""
        given = {name: value for name, value in self.options.items() if value is not None}
        texts = {
            name: [_written(item) for item in (value if isinstance(value, tuple) else (value,))]
            for name, value in given.items()
        }
        try:
            typed = typed_parameters(texts)
        except InvalidParameter as error:
            raise UsageError(f"options: {error.message}", hint=error.hint) from error
        if self.stops_within is not None:
            typed.setdefault("num_predict", self.stops_within)
        return typed

    @property
    def conversation(self) -> Conversation:
        """What the model is asked."""
        said = (
            [{"role": "user", "content": self.ask}]
            if isinstance(self.ask, str)
            else [{"role": message.role, "content": message.content} for message in self.ask]
        )
        system = [{"role": "system", "content": self.system}] if self.system else []
        tools: dict[str, Any] = {"tools": plain(self.tools)} if self.tools else {}
        return Conversation.from_dict({"messages": [*system, *said], **tools})


def _written(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
