"""BERT, for embeddings.

Source: llama.cpp ``conversion/bert.py`` (what is left out; how its vocabulary is written).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelsmith.weights.convert.families.family import Family, Part
from modelsmith.weights.convert.families.qwen import pooling

if TYPE_CHECKING:
    from modelsmith.weights.convert.keys import Keys

_LEFT_OUT = ("pooler.dense.", "cls.predictions", "cls.seq_relationship", "embeddings.position_ids", "classifier.")


class Bert(Family):
    """An encoder whose output is an embedding of the text."""

    architecture = "bert"
    tokenizers = ("wordpiece",)
    parts = Part.table("""
token_embd.weight            embeddings.word_embeddings.weight                    v e
token_types.weight           embeddings.token_type_embeddings.weight              t e
position_embd.weight         embeddings.position_embeddings.weight                p e
token_embd_norm.weight       embeddings.LayerNorm.weight                          e
token_embd_norm.bias         embeddings.LayerNorm.bias                            e
blk.*.attn_q.weight          encoder.layer.*.attention.self.query.weight          e e
blk.*.attn_q.bias            encoder.layer.*.attention.self.query.bias            e
blk.*.attn_k.weight          encoder.layer.*.attention.self.key.weight            e e
blk.*.attn_k.bias            encoder.layer.*.attention.self.key.bias              e
blk.*.attn_v.weight          encoder.layer.*.attention.self.value.weight          e e
blk.*.attn_v.bias            encoder.layer.*.attention.self.value.bias            e
blk.*.attn_output.weight     encoder.layer.*.attention.output.dense.weight        e e
blk.*.attn_output.bias       encoder.layer.*.attention.output.dense.bias          e
blk.*.attn_output_norm.weight encoder.layer.*.attention.output.LayerNorm.weight   e
blk.*.attn_output_norm.bias  encoder.layer.*.attention.output.LayerNorm.bias      e
blk.*.ffn_up.weight          encoder.layer.*.intermediate.dense.weight            f e
blk.*.ffn_up.bias            encoder.layer.*.intermediate.dense.bias              f
blk.*.ffn_down.weight        encoder.layer.*.output.dense.weight                  e f
blk.*.ffn_down.bias          encoder.layer.*.output.dense.bias                    e
blk.*.layer_output_norm.weight encoder.layer.*.output.LayerNorm.weight            e
blk.*.layer_output_norm.bias encoder.layer.*.output.LayerNorm.bias                e
""")

    def sizes(self) -> dict[str, int]:
        """Add the numbers of positions and of token types."""
        return super().sizes() | {
            "p": self.config.size("max_position_embeddings", default=512),
            "t": self.config.size("type_vocab_size", default=2),
        }

    def named(self, name: str) -> str | None:
        """Bring old names into the new form; heads for training are left out."""
        name = name.removeprefix("bert.")
        if name.startswith(_LEFT_OUT):
            return None
        for old, new in ((".gamma", ".weight"), (".beta", ".bias")):
            if name.endswith(old):
                return name.removesuffix(old) + new
        return name

    def keys(self, keys: Keys) -> None:
        """Add that it looks both ways, and how it pools."""
        super().keys(keys)
        keys.flag("*.attention.causal", False)
        if "*.attention.layer_norm_epsilon" not in keys:
            keys.real("*.attention.layer_norm_epsilon", 1e-12)
        pooling(self, keys)

    def tokenizer_keys(self, keys: Keys) -> None:
        """Add how many token types there are."""
        keys.whole("tokenizer.ggml.token_type_count", self.config.size("type_vocab_size", default=2))
