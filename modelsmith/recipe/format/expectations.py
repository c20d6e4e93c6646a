"""What a recipe promises of its result: proven by rendering before anything is written, or (``ask``) by asking the model."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from modelsmith.recipe.format.ask import Ask
from modelsmith.recipe.parts.choice import KeyedModels
from modelsmith.recipe.parts.fields import At, Parameter, Part, Text, When, one_as_many

Engine = Literal["renderer", "parser", "harmony", "go", "jinja", "default"]
"""What may turn a conversation into the prompt; the ``source`` of an EffectiveTemplate."""

Capability = Literal["tools", "thinking", "insert"]
"""What a template gives a model."""

Engines = Annotated[
    tuple[Engine, ...],
    Field(min_length=1),
    BeforeValidator(one_as_many, json_schema_input_type=Engine | tuple[Engine, ...]),
]


class PromptEndsWith(Part):
    """Every prompt that opens the assistant's turn ends with a text."""

    text: Text = Field(alias="prompt-ends-with")
    """The end of the prompt, line breaks included."""

    when: When = "always"
    """For which requests: `thinking` means unless a request says `think: false`, `not-thinking` only when it does."""


class ReasoningIs(Part):
    """Every prompt that opens the assistant's turn opens reasoning, or has closed it, with the tags of the model's format."""

    reasoning: Literal["open", "closed"]
    """`open`: the answer begins inside reasoning; `closed`: it begins behind it."""

    when: When = "always"
    """For which requests: `thinking` means unless a request says `think: false`, `not-thinking` only when it does."""


class SplitsReasoning(Part):
    """Whatever runs the model separates reasoning from the answer, by whichever tags."""

    splits_reasoning: Literal[True]
    """Always `true`."""


class PromptHas(Part):
    """Every prompt has a text: anywhere, or at a position wherever a conversation has that."""

    text: Text = Field(alias="prompt-has")
    """The text, line breaks included."""

    at: At | None = None
    """Where, as in the step `inject`; left out: anywhere in every prompt."""

    when: When = "always"
    """For which requests: `thinking` means unless a request says `think: false`, `not-thinking` only when it does."""


class PromptLacks(Part):
    """No prompt has a text, such as a token that was replaced."""

    text: Text = Field(alias="prompt-lacks")
    """The text, line breaks included."""

    when: When = "always"
    """For which requests: `thinking` means unless a request says `think: false`, `not-thinking` only when it does."""


class Capabilities(Part):
    """Ollama takes the model for one that can do this."""

    capabilities: Annotated[
        tuple[Capability, ...],
        Field(min_length=1),
        BeforeValidator(one_as_many, json_schema_input_type=Capability | tuple[Capability, ...]),
    ]
    """What the template that runs gives the model: `tools`, `thinking`, `insert`."""


class ThinkingTags(Part):
    """Ollama finds these tags in the template, and separates reasoning from the answer by them."""

    tags: tuple[Text, Text] = Field(alias="thinking-tags")
    """The opening and the closing tag."""


class Effective(Part):
    """The template that runs is one of these."""

    engines: Engines = Field(alias="effective")
    """`go`: the TEMPLATE; `jinja`: the template inside the GGUF; `parser`: the TEMPLATE, because of a PARSER; `renderer` and
    `harmony`: built into Ollama; `default`: the bare prompt."""


class HistoryUnchanged(Part):
    """Everything before the assistant's turn renders as it did in the base."""

    history_unchanged: Literal[True]
    """Always `true`."""


class ParametersAre(Part):
    """The model has these parameters, given or inherited."""

    parameters: dict[str, Parameter]
    """Names and values; null: the parameter is not set."""


Expectation: TypeAlias = Annotated[
    Ask
    | PromptEndsWith
    | ReasoningIs
    | SplitsReasoning
    | PromptHas
    | PromptLacks
    | Capabilities
    | ThinkingTags
    | Effective
    | HistoryUnchanged
    | ParametersAre,
    KeyedModels(
        "expectation",
        (
            ("ask", Ask),
            ("prompt-ends-with", PromptEndsWith),
            ("reasoning", ReasoningIs),
            ("splits-reasoning", SplitsReasoning),
            ("prompt-has", PromptHas),
            ("prompt-lacks", PromptLacks),
            ("capabilities", Capabilities),
            ("thinking-tags", ThinkingTags),
            ("effective", Effective),
            ("history-unchanged", HistoryUnchanged),
            ("parameters", ParametersAre),
        ),
        examples={
            "ask": '"What is 17 * 23?"',
            "prompt-ends-with": '"<think>\\n"',
            "reasoning": "open",
            "splits-reasoning": "true",
            "prompt-has": '"Answer in one line."',
            "prompt-lacks": '"<|User|>"',
            "capabilities": "[thinking]",
            "thinking-tags": "[<think>, </think>]",
            "effective": "go",
            "history-unchanged": "true",
            "parameters": "{num_ctx: 8192}",
        },
        others={
            **dict.fromkeys(("prompt", "question", "q", "input", "user", "message", "messages"), "ask"),
            **dict.fromkeys(("template", "engine", "runs"), "effective"),
            **dict.fromkeys(("params", "sampling"), "parameters"),
            **dict.fromkeys(("promptcontains", "has"), "prompt-has"),
            **dict.fromkeys(("endswith", "promptends"), "prompt-ends-with"),
        },
    ),
]
"""One promise of a recipe; the first key of its mapping tells which."""
