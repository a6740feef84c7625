"""Writes and reads the GGUF files: one model with its vocabulary, as llama.cpp loads it.

Keys, tensor names, types and order are those of llama.cpp's own converter for a Llama of this kind, so that a
file read and written again is the same file, byte for byte.
"""

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import torch

from .llama import Llama, Shape
from .phrasing import CHAT_TEMPLATE, SPECIAL_TOKENS
from .vocabulary import Vocabulary


@dataclass(frozen=True)
class ModelFile:
    name: str
    model: Llama
    vocabulary: Vocabulary
    end_token: str
    chat: bool  # carries a chat template and an end-of-turn token


def _write_header(writer: gguf.GGUFWriter, file: ModelFile) -> None:
    shape = file.model.shape
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(file.name)
    writer.add_size_label(gguf.size_label(file.model.parameter_count(), 0, 0, 0))
    writer.add_block_count(shape.layers)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_key_length(shape.head_width)
    writer.add_value_length(shape.head_width)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)


def _write_vocabulary(writer: gguf.GGUFWriter, file: ModelFile) -> None:
    vocabulary = file.vocabulary
    end = vocabulary.special(file.end_token)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(
        [gguf.TokenType.CONTROL if t in SPECIAL_TOKENS else gguf.TokenType.NORMAL for t in vocabulary.tokens]
    )
    writer.add_token_merges(vocabulary.merges)
    writer.add_eos_token_id(end)
    if file.chat:
        writer.add_chat_template(CHAT_TEMPLATE)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)
    if file.chat:
        writer.add_eot_token_id(end)


def write(path: Path, file: ModelFile) -> None:
    """Matrices as F16, norm vectors as F32. An existing file is replaced only once the new one is complete."""
    partial = path.with_name(path.name + ".partial")
    writer = gguf.GGUFWriter(partial, "llama")
    _write_header(writer, file)
    _write_vocabulary(writer, file)
    for name, tensor in file.model.state_dict().items():
        dtype = np.float16 if tensor.dim() > 1 else np.float32
        writer.add_tensor(name, tensor.detach().float().numpy().astype(dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    partial.replace(path)


def read(path: Path) -> ModelFile:
    reader = gguf.GGUFReader(path)

    def value(key: str):
        field = reader.get_field(key)
        if field is None:
            raise ValueError(f"{path}: no key {key}; this reads only the small Llama files that `convert` writes")
        return field.contents()

    # The file holds epsilon as a 32-bit number; the shortest decimal for it is what was meant.
    epsilon = float(str(np.float32(value("llama.attention.layer_norm_rms_epsilon"))))
    vocabulary = Vocabulary(value("tokenizer.ggml.tokens"), value("tokenizer.ggml.merges"))
    model = Llama(
        Shape(
            vocabulary=len(vocabulary),
            width=value("llama.embedding_length"),
            layers=value("llama.block_count"),
            heads=value("llama.attention.head_count"),
            feed_forward=value("llama.feed_forward_length"),
            context=value("llama.context_length"),
            rope_base=value("llama.rope.freq_base"),
            norm_epsilon=epsilon,
        )
    )
    # gguf gives the shape of a tensor in ggml's order but its data in numpy's, which is PyTorch's.
    weights = {tensor.name: torch.tensor(np.array(tensor.data, dtype=np.float32)) for tensor in reader.tensors}
    model.load_state_dict(weights)
    model.eval()
    return ModelFile(
        name=value("general.name"),
        model=model,
        vocabulary=vocabulary,
        end_token=vocabulary.tokens[value("tokenizer.ggml.eos_token_id")],
        chat=reader.get_field("tokenizer.chat_template") is not None,
    )
