"""Parsers from the grammars in ``grammars/``."""
