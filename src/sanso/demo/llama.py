"""A real llama.cpp server in this process, on a tiny model of random weights made on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import xllamacpp
from numpy.typing import NDArray

CONTEXT = 2048
"""Tokens of context, shared by the slots."""
SLOTS = 2
_WIDTH, _BLOCKS, _HEADS, _FEED = 64, 2, 4, 128


def start_server(path: Path) -> Any:
    """Write the model to `path` and serve it on a free port of 127.0.0.1; ends with the process.

    Returns:
        xllamacpp's server; `listening_address` is its URL, with OpenAI's API and `/metrics`.
    """
    _write_model(path)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = CONTEXT
    params.n_parallel = SLOTS
    params.port = 0
    params.endpoint_metrics = True
    params.cpuparams.n_threads = 1
    return xllamacpp.Server(params)


def _write_model(path: Path) -> None:
    tokens = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256)), "▁", *map(chr, range(32, 127))]
    writer = gguf.GGUFWriter(str(path), "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_block_count(_BLOCKS)
    writer.add_feed_forward_length(_FEED)
    writer.add_head_count(_HEADS)
    writer.add_head_count_kv(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(_WIDTH // _HEADS)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([2, 3, 3, *[6] * 256, *[1] * 96])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    for name, weights in _tensors(len(tokens)).items():
        writer.add_tensor(name, weights)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _tensors(vocabulary: int) -> dict[str, NDArray[np.float32]]:
    random = np.random.default_rng(0)

    def weights(*shape: int) -> NDArray[np.float32]:
        return (random.standard_normal(shape) * 0.05).astype(np.float32)

    tensors = {
        "token_embd.weight": weights(vocabulary, _WIDTH),
        "output_norm.weight": np.ones(_WIDTH, np.float32),
        "output.weight": weights(vocabulary, _WIDTH),
    }
    for block in range(_BLOCKS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensors[f"blk.{block}.{name}.weight"] = weights(_WIDTH, _WIDTH)
        tensors[f"blk.{block}.ffn_gate.weight"] = weights(_FEED, _WIDTH)
        tensors[f"blk.{block}.ffn_up.weight"] = weights(_FEED, _WIDTH)
        tensors[f"blk.{block}.ffn_down.weight"] = weights(_WIDTH, _FEED)
        for name in ("attn_norm", "ffn_norm"):
            tensors[f"blk.{block}.{name}.weight"] = np.ones(_WIDTH, np.float32)
    return tensors
