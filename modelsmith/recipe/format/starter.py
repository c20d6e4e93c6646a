"""The text of a new recipe: everything it can say, explained, most of it commented out."""

from __future__ import annotations

import re

_TEXT = """\
# A recipe makes a new Ollama model from another one. Try it, nothing is written by plan:
#
#   modelsmith plan ./@file@ --set base=llama3.2
#   modelsmith apply ./@file@ --set base=llama3.2
#
# Keys are checked; `modelsmith recipes schema > recipe.schema.json` and the next line let an editor help.
# yaml-language-server: $schema=recipe.schema.json
name: @name@
description: Say in one sentence what the new model does better.

# What can be said with --set name=value. ${base} below stands for the value; ${base.stem} makes it fit for a model's name.
# An input without a default is required. Types: text (if none is given), integer, number, boolean, path.
inputs:
  base:
    description: the model to start from, by name, or a .gguf file, or a Modelfile
    default: llama3.2
  name:
    description: the name of the model to create
    default: ${base.stem}-@name@
  # temperature: {description: how freely to choose words, type: number, default: 0.7, choices: [0.2, 0.7, 1.0]}
  # team: {description: who runs this, env: TEAM}            # --set team=…, or the environment variable TEAM

# Start from another recipe instead, and say only what differs: a bundled one by name, or a file relative to this one.
# extends: force-think

from: ${base}

# The chat template: a list of edits, each one proven by rendering conversations, or a whole Go template after `template: |-`
# (| alone would end it with a line break).
# template:
#   - inject: {text: "<think>\\n", when: thinking}            # where the assistant's turn opens
#   - declare-thinking: {opening: <think>, closing: </think>} # so that Ollama separates reasoning from the answer
#   - make-effective: {}                                      # so that Ollama uses this template, not the GGUF's own

system: |-
  You are a helpful assistant. Answer in one paragraph.

# What is not named stays as the base has it. Null drops a parameter that the base's Modelfile sets.
parameters:
  temperature: 0.7
  # stop: ["<|im_end|>", "</s>"]
  # num_ctx: 8192

# messages:
#   - {role: user, content: What is 2 + 2?}
#   - {role: assistant, content: "4"}
# license: Apache-2.0
# adapters: [./style-lora.gguf]
# gguf: {unset: [tokenizer.chat_template]}
# quantize: Q4_K_M
# requires: "0.12.0"

create: ${name}

# Promises, checked before anything is written.
expect:
  - history-unchanged: true
  - parameters: {temperature: 0.7}
  # - prompt-ends-with: "<think>\\n"
  #   when: thinking
  # - thinking-tags: [<think>, </think>]
  # - effective: [go, jinja, parser]
"""


def starter(file: str) -> str:
    """Return the text of a new recipe that will be called ``file``; its name is made from that."""
    stem = re.sub(r"[^a-z0-9]+", "-", file.rpartition("/")[2].rpartition(".")[0].lower()).strip("-")
    return _TEXT.replace("@file@", file.rpartition("/")[2]).replace("@name@", stem[:19].rstrip("-") or "my-recipe")
