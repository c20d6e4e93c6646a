"""Jinja as llama.cpp evaluates it: an interpreter of our own over llama.cpp's values.

``program.Program`` is the door: it compiles a text once, and runs it on JSON values. No object of Python is reachable from
a template: values are texts of bytes, numbers, lists, mappings and the few functions that llama.cpp knows.

Source of the rules: llama.cpp, common/jinja (b10605).
"""
