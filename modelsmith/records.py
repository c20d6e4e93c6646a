"""``@dataclass(frozen=True)`` as the standard library has it, at a twentieth of its cost at import.

The standard one examines fields, and writes and compiles six functions for each class, when its module is imported: a
quarter of what a short command takes altogether. Here one function is compiled, ``__init__``, and only for a class of which
there are many instances; the others are the same for all classes, and what the standard library knows of a class (``fields``,
``replace``, ``asdict``) is found out by itself when it is asked for. Not for ``init=False`` and ``InitVar``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 -- the name under which type checkers know it
else:
    import dataclasses
    from operator import attrgetter, ge, gt, le, lt
    from types import MemberDescriptorType

    _MISSING = dataclasses.MISSING
    _FEW = 60  # instances for which a compiled function is not worth its cost

    def dataclass(
        *, frozen: bool, slots: bool = False, eq: bool = True, order: bool = False, kw_only: bool = False
    ) -> Any:
        """Make a class a frozen dataclass; the arguments are those of the standard library."""
        if not frozen:
            raise TypeError("only frozen dataclasses are made here; take dataclasses.dataclass for others")

        def made(cls: type) -> type:
            own = {name: var for name, var in vars(cls).items() if name not in ("__dict__", "__weakref__")}
            given = own.get("__annotations__", {})
            names = [name for name, kind in given.items() if not str(kind).startswith("ClassVar")]
            inherited = dict(getattr(cls, "__record__", {}))
            values = {name: own.get(name, _MISSING) for name in names}
            if kw_only:
                values = {name: _named(value) for name, value in values.items()}
                own |= values
            for name, value in values.items():
                is_field = _is_field(value)
                if slots or (is_field and value.default is _MISSING):
                    own.pop(name, None)
                elif is_field:
                    own[name] = value.default
            for name, method in _COMMON.items():
                is_ours = own.get(name) is None  # a class with an __eq__ has the __hash__ None
                if is_ours and (slots or name not in _STATE) and (eq or name not in _COMPARISON):
                    own[name] = method
            if order:
                own |= _ORDER
            if slots:
                own["__slots__"] = tuple(name for name in names if name not in inherited)
            fields = own["__record__"] = inherited | values
            own["__values__"] = _values(fields)
            own["__match_args__"] = tuple(name for name, field in fields.items() if not _is_named(field))
            twin = _Twin(cls, fields, {"order": order, "eq": eq})
            own["__dataclass_fields__"] = _Asked("__dataclass_fields__", twin.fields)
            own["__dataclass_params__"] = _Asked("__dataclass_params__", twin.parameters)
            is_written = "__init__" in own
            if slots:
                result = type(cls)(cls.__name__, cls.__bases__, own)
                result.__qualname__ = cls.__qualname__
            else:
                result = _changed(cls, own)
            if not is_written:
                result.__init__ = _first(result)
            return result

        return made

    def _changed(cls: type, own: dict[str, Any]) -> type:
        """Give a class without slots its new attributes."""
        for name in [var for var in vars(cls) if var not in own and not var.startswith("__")]:
            delattr(cls, name)
        for name, made in own.items():
            if vars(cls).get(name, _MISSING) is not made:
                setattr(cls, name, made)
        return cls

    class _Twin:
        """A standard dataclass of the same fields, made when somebody asks what the standard library knows of the class."""

        def __init__(self, cls: type, fields: dict[str, Any], arguments: dict[str, bool]) -> None:
            self._cls, self._values, self._arguments = cls, fields, arguments

        def fields(self) -> Any:
            """Return ``__dataclass_fields__``: what ``replace`` asks for, so it writes and compiles no function."""
            return self._made(init=False, repr=False, eq=False, match_args=False).__dataclass_fields__

        def parameters(self) -> Any:
            """Return ``__dataclass_params__``."""
            return self._made(frozen=True, **self._arguments).__dataclass_params__

        def _made(self, **arguments: bool) -> Any:
            kinds: dict[str, Any] = {}
            for base in reversed(self._cls.__mro__):
                kinds |= vars(base).get("__annotations__", {})
            body = {name: value for name, value in self._values.items() if value is not _MISSING}
            body |= {"__annotations__": {name: kinds[name] for name in self._values}}
            body |= {"__doc__": self._cls.__doc__ or self._cls.__name__, "__module__": self._cls.__module__}
            return dataclasses.dataclass(**arguments)(type(self._cls.__name__, (), body))

    class _Asked:
        """An attribute of a class that is found out when it is asked for, and stays with the class then."""

        def __init__(self, name: str, make: Any) -> None:
            self._name, self._make = name, make

        def __get__(self, instance: object, owner: type) -> Any:
            holder = next(holding for holding in owner.__mro__ if vars(holding).get(self._name) is self)
            value = self._make()
            setattr(holder, self._name, value)
            return value

    def _first(cls: type) -> Any:
        """Return the ``__init__`` of the first instances, which puts a compiled one in its place after a few."""
        left = _FEW
        fill: Any = None

        def first(self: object, *args: Any, **kwargs: Any) -> None:
            nonlocal left, fill
            fill = fill or _filling(cls)
            left -= 1
            if left and fill(self, args, kwargs):
                return
            cls.__init__ = init = _compiled(cls)
            init(self, *args, **kwargs)

        first.__name__, first.__qualname__ = "__init__", f"{cls.__qualname__}.__init__"
        return first

    def _filling(cls: type) -> Any:
        """Return what gives an instance the values of its fields; it says False, and gives none, for arguments that do not fit."""
        fields = cls.__record__
        names = [name for name, given in fields.items() if not _is_named(given)]
        setters = {name: _setter(cls, name) for name in fields}
        after = getattr(cls, "__post_init__", None)

        def fill(self: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
            if len(args) > len(names):
                return False
            values = dict(zip(names, args, strict=False))
            if kwargs:
                if not kwargs.keys() <= fields.keys() - values.keys():
                    return False
                values |= kwargs
            if len(values) < len(fields):
                for name in fields.keys() - values.keys():
                    value = fields[name]
                    if _is_field(value):
                        value = value.default if value.default_factory is _MISSING else value.default_factory()
                    if value is _MISSING:
                        return False
                    values[name] = value
            for name, value in values.items():
                setters[name](self, value)
            if after is not None:
                after(self)
            return True

        return fill

    def _setter(cls: type, name: str) -> Any:
        slot = getattr(cls, name, None)
        if isinstance(slot, MemberDescriptorType):
            return slot.__set__

        def put(self: object, value: object) -> None:
            object.__setattr__(self, name, value)

        return put

    def _is_named(value: object) -> bool:
        return _is_field(value) and value.kw_only is True

    def _named(value: Any) -> Any:
        """Return the field of a value that is given by its name only."""
        made = value if _is_field(value) else dataclasses.field(default=value)
        made.kw_only = True if made.kw_only is _MISSING else made.kw_only
        return made

    def _compiled(cls: type) -> Any:
        names: dict[str, Any] = {"_set": object.__setattr__, "_MISSING": _MISSING}
        parameters, named, lines = ["self"], ["*"], []
        for name, given in cls.__record__.items():
            taken, value = named if _is_named(given) else parameters, name
            is_field = _is_field(given)
            default = given.default if is_field else given
            factory = given.default_factory if is_field else _MISSING
            if factory is not _MISSING:
                names[f"_make_{name}"] = factory
                taken.append(f"{name}=_MISSING")
                value = f"_make_{name}() if {name} is _MISSING else {name}"
            elif default is not _MISSING:
                names[f"_default_{name}"] = default
                taken.append(f"{name}=_default_{name}")
            else:
                taken.append(name)
            if isinstance(slot := getattr(cls, name, None), MemberDescriptorType):
                names[f"_set_{name}"] = slot.__set__
                lines.append(f" _set_{name}(self, {value})")
            else:
                lines.append(f" _set(self, {name!r}, {value})")
        if hasattr(cls, "__post_init__"):
            lines.append(" self.__post_init__()")
        parameters += named if len(named) > 1 else []
        body = "\n".join(lines or [" pass"])
        exec(f"def __init__({', '.join(parameters)}):\n{body}", names)  # noqa: S102 -- the names are those of the class
        init = names["__init__"]
        init.__qualname__ = f"{cls.__qualname__}.__init__"
        return init

    def _repr(self: Any) -> str:
        fields = type(self).__record__.items()
        hidden = {name for name, field in fields if _is_field(field) and not field.repr}
        shown = (f"{name}={getattr(self, name)!r}" for name, _ in fields if name not in hidden)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _values(fields: dict[str, Any]) -> Any:
        """Return what gives the values by which instances are compared."""
        names = [name for name, field in fields.items() if not (_is_field(field) and field.compare is False)]
        return attrgetter(*names) if len(names) > 1 else _Few(names)

    class _Few:
        """An attrgetter of one name, or of none, that gives a tuple too."""

        def __init__(self, names: list[str]) -> None:
            self._names = names

        def __call__(self, instance: Any) -> tuple[Any, ...]:
            return tuple(getattr(instance, name) for name in self._names)

    def _is_field(value: object) -> bool:
        return isinstance(value, dataclasses.Field)

    def _eq(self: Any, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self.__values__(self) == self.__values__(other)

    def _compared(way: Any) -> Any:
        def compare(self: Any, other: object) -> bool:
            if other.__class__ is not self.__class__:
                return NotImplemented
            return way(self.__values__(self), self.__values__(other))

        return compare

    def _hash(self: Any) -> int:
        return hash(self.__values__(self))

    def _setattr(self: Any, name: str, value: object) -> None:
        del self, value
        raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")

    def _delattr(self: Any, name: str) -> None:
        del self
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")

    def _getstate(self: Any) -> list[Any]:
        return [getattr(self, name) for name in self.__record__]

    def _setstate(self: Any, state: list[Any]) -> None:
        for name, value in zip(self.__record__, state, strict=True):
            object.__setattr__(self, name, value)

    _COMMON = {
        "__repr__": _repr,
        "__eq__": _eq,
        "__hash__": _hash,
        "__setattr__": _setattr,
        "__delattr__": _delattr,
        "__getstate__": _getstate,
        "__setstate__": _setstate,
    }
    _ORDER = {f"__{way.__name__}__": _compared(way) for way in (lt, le, gt, ge)}
    _STATE = ("__getstate__", "__setstate__")
    _COMPARISON = ("__eq__", "__hash__")
