"""What a recipe can say. The JSON Schema for editors is made from these models, docstrings included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from modelsmith.errors import ModelsmithError, UsageError
from modelsmith.files.paths import looks_like_path
from modelsmith.hub.reference import HubReference, is_hub
from modelsmith.name import ModelName, of_file
from modelsmith.recipe.format.expectations import Expectation
from modelsmith.recipe.format.input import Input
from modelsmith.recipe.parts.choice import Words, choose, kinds_by_option, mark
from modelsmith.recipe.parts.fields import (
    INPUT_NAME,
    NAME,
    VERSION,
    MetadataValue,
    Parameter,
    Part,
    ScalarValue,
    Text,
    Texts,
    key_of,
)
from modelsmith.recipe.steps import STEPS
from modelsmith.records import dataclass

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, ValidationInfo


AS_WRITTEN: Final = "as written"
"""The context of a validation whose texts may refer to inputs: what they make is judged when the values are known."""

_VALUE: dict[str, Any] = {"type": ["string", "number", "boolean"]}
MATRIX_SCHEMA: dict[str, Any] = {
    "type": "object",
    "propertyNames": {"pattern": INPUT_NAME},
    "additionalProperties": {"type": "array", "items": _VALUE, "minItems": 1},
    "properties": {
        "exclude": {
            "title": "exclude",
            "description": "Combinations to leave out: those that have all the values of one of the items.",
            "type": "array",
            "items": {
                "type": "object",
                "propertyNames": {"pattern": INPUT_NAME},
                "additionalProperties": _VALUE,
                "minProperties": 1,
            },
        }
    },
}
"""Values by input, and ``exclude``; what the names of inputs allow is checked with the inputs."""

_OTHER_STEPS = {
    **dict.fromkeys(("insert", "append", "prepend", "prefix", "suffix", "addtext", "uses"), "inject"),
    **dict.fromkeys(("replace", "sub", "substitute", "rename"), "replace-token"),
    **dict.fromkeys(("tools", "toolcalling"), "add-tools"),
    **dict.fromkeys(("stop", "stops"), "add-stop"),
    **dict.fromkeys(("think", "thinking", "reasoning"), "inject"),
    **dict.fromkeys(("nothink", "disablethinking"), "obey-think-false"),
    **dict.fromkeys(("removesystem", "nosystem"), "strip-system"),
    **dict.fromkeys(("convert", "jinja"), "convert-jinja"),
}
"""What people call the kinds of steps, without dashes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One edit of the template: its kind (a key of ``STEPS``) and its options."""

    kind: str
    options: Part

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        choices = {}
        examples = {}
        for kind, module in STEPS.items():
            options = handler.generate_schema(module.Options)
            fields = module.Options.model_fields
            needed = [key_of(name) for name, field in fields.items() if field.is_required()]
            shown = needed or [name for name, field in fields.items() if name == "text" and field.default is None]
            if not needed:
                options = core_schema.nullable_schema(options)
            item = {kind: core_schema.typed_dict_field(options)}
            choices[kind] = core_schema.typed_dict_schema(item, extra_behavior="forbid")
            examples[kind] = f"{{{', '.join(f'{key}: …' for key in shown)}}}"
        inner = kinds_by_option({kind: module.Options for kind, module in STEPS.items()})
        words = Words(examples, inner, inside=True, others=_OTHER_STEPS)
        return choose("step", choices, words, read=cls._read, written=cls._written)

    @classmethod
    def _read(cls, item: dict[str, Any]) -> Step:
        ((kind, options),) = item.items()
        return cls(kind, STEPS[kind].Options() if options is None else options)

    def _written(self) -> dict[str, Any]:
        return {self.kind: self.options.model_dump(exclude_unset=True)}


class Message(Part):
    """One message that the model's conversations start with."""

    role: Literal["system", "user", "assistant"]
    """Who says it."""

    content: Text
    """What is said."""


class GGUF(Part):
    """Edits of the metadata in the GGUF; the tensors stay as they are."""

    set_: dict[Text, MetadataValue] = Field(default_factory=dict)
    """Keys and their new values: text, a number, true, false, a list of one of these, or `{type: u32, value: 7}`. A key keeps
    its type; a new one has the type that converters give it, else the one of its value."""

    unset: tuple[Text, ...] = ()
    """Keys to remove."""


def _mix(name: str, info: ValidationInfo) -> str:
    if "${" in name and info.context == AS_WRITTEN:
        return name
    from modelsmith.weights.quantize.mixes import find_mix

    try:
        return find_mix(name).name
    except UsageError as error:
        raise PydanticCustomError(
            "quantization", "{problem}", {"problem": error.message, "hint": error.hint}
        ) from error


def _rule(text: str, info: ValidationInfo) -> str:
    if "${" in text and info.context == AS_WRITTEN:
        return text
    from modelsmith.weights.quantize.wishes import TensorRule

    try:
        TensorRule.parse(text)
    except UsageError as error:
        raise PydanticCustomError("tensor_rule", "{problem}", {"problem": error.message, "hint": error.hint}) from error
    return text


Mix: TypeAlias = Annotated[Text, AfterValidator(_mix)]
"""The name of a mix of tensor types."""


class Quantize(Part):
    """How to quantize the weights: as llama-quantize does, to the byte."""

    type: Mix
    """`Q4_K_M`, `Q8_0`, `F16` …; `modelsmith gguf quantize --list` names all."""

    tensors: tuple[Annotated[Text, AfterValidator(_rule)], ...] = ()
    """Exceptions, `REGEX=TYPE` each, such as `blk\\.0\\..*=Q8_0`; the first that matches a tensor's name counts."""

    allow_requantize: bool = False
    """Whether weights that are quantized already may lose bits a second time."""


def _quantize_kind(value: object) -> str:
    return mark("more" if isinstance(value, dict | Quantize) else "type")


QuantizeOrType: TypeAlias = Annotated[
    Annotated[Mix, Tag(mark("type"))] | Annotated[Quantize, Tag(mark("more"))], Discriminator(_quantize_kind)
]
"""A quantization, or just its type."""


def _template_kind(value: object) -> str:
    return mark("text" if isinstance(value, str) else "steps")


TemplateOrSteps: TypeAlias = Annotated[
    Annotated[Text, Tag(mark("text"))] | Annotated[tuple[Step, ...], Field(min_length=1), Tag(mark("steps"))],
    Discriminator(_template_kind),
]


def _refused(problem: str, hint: str = "") -> PydanticCustomError:
    return PydanticCustomError("model_name", "{problem}", {"problem": problem, "hint": hint})


def _model_name(text: str) -> str:
    name = ModelName.parse(text)
    if name.problem:
        raise _refused(f'"{text:.120}" is not a model name: {name.problem}', name.way_out)
    return text


def _base(text: str) -> str:
    """Files and built-in samples are looked for when a plan is made; anything else must be able to be a model's name."""
    from modelsmith.registry.reference import Reference

    if looks_like_path(text) or text.startswith("sample:"):
        return text
    if is_hub(text) or text.startswith("oci://"):
        try:
            HubReference.parse(text) if is_hub(text) else Reference.parse(text).model_name()
        except ModelsmithError as error:
            raise _refused(error.message, error.hint) from error
        return text
    scheme, separator, _ = text.partition("://")
    if separator and scheme not in {"http", "https"}:
        raise _refused(f"a recipe cannot start from {scheme}://", "get the file first, then name it: ./model.gguf")
    if problem := ModelName.parse(text).problem:
        raise _refused(
            f'"{text:.120}" is not a model name: {problem}', of_file(text) or "a path starts with ./, / or ~"
        )
    return text


class Titled(Part):
    """How a recipe is known."""

    name: Annotated[str, Field(pattern=NAME)]
    """The recipe's name: small letters, digits and dashes."""

    description: str = ""
    """One sentence for lists of recipes."""


class Content(Part):
    """What a recipe makes of what."""

    from_: Annotated[Text, AfterValidator(_base)]
    """What to start from: the name of a model, a `.gguf` file, a Modelfile, a folder of Safetensors, a repository of the
    Hugging Face Hub (`hf://org/repo@revision:Q4_K_M`), or a model in a registry (`oci://host/namespace/name:tag`). Paths are
    relative to the recipe."""

    template: TemplateOrSteps | None = None
    """A whole Go template, or a list of edits, taken in order. Left out: the base's template."""

    system: Text | None = None
    """The system prompt. Left out: the base's; Ollama has no way to remove an inherited one."""

    parameters: dict[str, Parameter] = Field(default_factory=dict)
    """PARAMETERs by name. A list sets one that can be repeated (`stop`); null drops one that the Modelfile of the base sets."""

    advised_parameters: bool = False
    """Set the PARAMETERs that the model's makers advise (`generation_config.json` of a folder of Safetensors, `general.sampling.*` of
    a GGUF), where neither `parameters` nor the base says otherwise."""

    messages: tuple[Message, ...] | None = None
    """Messages that every conversation starts with, instead of the base's."""

    license_: Texts | None = None
    """The text of a license, or a list of them, instead of the base's."""

    adapters: Texts = ()
    """A LoRA adapter, or a list of them: paths, relative to the recipe, of folders as PEFT saves them or of GGUFs, or
    repositories of the Hub (`hf://org/repo@revision`), each with `=WEIGHT` where it is not 1. They are merged into the weights, which must be F16, BF16 or F32."""

    gguf: GGUF | None = None
    """Edits of the metadata in the GGUF."""

    merge_shards: bool = False
    """Make one GGUF of all shards of the model, of which `from` names the first."""

    quantize: QuantizeOrType | None = None
    """What to quantize the weights to: a type such as `Q4_K_M`, or more about it. Needs a base whose file can be read here."""

    requires: Annotated[str, Field(pattern=VERSION)] | None = None
    """The oldest version of Ollama that the model works with, such as `"0.12.0"` (in quotes)."""

    create: Annotated[str, AfterValidator(_model_name)]
    """The name of the model to create."""

    expect: tuple[Expectation, ...] = ()
    """What must hold for the result. Proven by rendering conversations before anything is written."""


class Profile(Content):
    """What a recipe says otherwise when this profile is chosen: the keys of a recipe, laid over its own."""

    description: str = ""
    """What the profile is for, in one sentence."""

    from_: Annotated[Text, AfterValidator(_base)] | None = None  # type: ignore[assignment]
    """What to start from instead."""

    create: Annotated[str, AfterValidator(_model_name)] | None = None  # type: ignore[assignment]
    """The name of the model to create instead."""

    set_: dict[Annotated[str, Field(pattern=INPUT_NAME)], ScalarValue] = Field(default_factory=dict)
    """Values for inputs, which count where `--set` gives none."""


class Head(Titled):
    """The keys that mean what they say: no input is filled in."""

    extends: Text | None = None
    """A recipe to start from: the name of a bundled one, a path relative to this file, or one from elsewhere
    (`git+https://host/repository@tag//path.yaml`, `oci://host/name:tag//path.yaml`). Mappings are merged key by key, anything else
    here replaces what is there; null drops a key."""

    inputs: dict[Annotated[str, Field(pattern=INPUT_NAME)], Input] = Field(default_factory=dict)
    """The values that can be given, by name. `${name}` in the rest of the recipe is the value, `${name.stem}` the value made
    fit for a model's name, `$${` a literal `${`. A default may refer to inputs above it."""

    matrix: Annotated[dict[str, Any], WithJsonSchema(MATRIX_SCHEMA)] = Field(default_factory=dict)
    """Make one model for each combination of these values of inputs. `exclude` lists combinations to leave out."""


class Document(Content, Head):
    """Build an Ollama model from another one, by edits that are proven before they are written."""

    profiles: dict[Annotated[str, Field(pattern=NAME)], Profile] = Field(default_factory=dict)
    """Variants by name, such as `fast`, `balanced`, `quality` and `low-vram`: `--profile NAME` lays one over the recipe, and
    `${profile}` is its name."""
