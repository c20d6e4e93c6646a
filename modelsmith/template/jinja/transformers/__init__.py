"""Jinja as Hugging Face transformers, vLLM and SGLang run it: jinja2 in its sandbox, the second opinion."""
