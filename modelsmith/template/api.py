"""Templates as the package promises them: those of ``template.go``, with their proven edits."""

from __future__ import annotations

from functools import lru_cache

from modelsmith.template.go import template as go


class Template(go.Template):
    """A Go template as Ollama's TEMPLATE instruction takes it; ``str(template)`` is its text."""

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read a template; raise TemplateSyntaxError where Go or Ollama refuses it when a model is created."""
        return _parse(text)

    def inject(self, text: str, at: str = "generation-prompt", when: str = "always") -> Template:
        """Return the template that also prints ``text``; proven by rendering, else raises InjectionError.

        ``at``: ``generation-prompt`` (the end of a prompt that opens the assistant's turn), ``start``, or ``before-`` or
        ``after-`` the texts of ``system``, ``user``, ``last-user`` or ``assistant``. ``when``: ``always``, ``thinking``
        (unless a request says ``think: false``) or ``not-thinking`` (only then).
        """
        from modelsmith.template.edit.go.inject import inject

        return Template.parse(str(inject(self, text, at=at, when=when)))


@lru_cache(maxsize=512)
def _parse(text: str) -> Template:
    read = go.Template.parse(text)
    return Template(read.text, read.tree, read.variables, read.adds_response)
