"""A Llama in plain PyTorch whose parameters carry the names, shapes and layout of the GGUF file."""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True)
class Shape:
    vocabulary: int
    width: int
    layers: int
    heads: int
    feed_forward: int
    context: int = 512
    rope_base: float = 10000.0
    norm_epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        return self.width // self.heads

    def as_dict(self) -> dict:
        return asdict(self)


def rotation_table(shape: Shape) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every position's angles, each (context, head_width / 2)."""
    exponents = torch.arange(0, shape.head_width, 2, dtype=torch.float64) / shape.head_width
    angles = torch.outer(torch.arange(shape.context, dtype=torch.float64), shape.rope_base**-exponents)
    return angles.cos().float(), angles.sin().float()


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotates neighbouring pairs (0,1), (2,3), ...: the layout llama.cpp expects of a `llama` file.

    Hugging Face pairs i with i + head_width/2 and has its query and key rows permuted when it is converted;
    with this layout the tensors go into the file as they are.
    """
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1).flatten(-2)


class Norm(nn.Module):
    def __init__(self, width: int, epsilon: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        scale = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.epsilon)
        return (wide * scale).to(x.dtype) * self.weight


class Block(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.heads, self.head_width = shape.heads, shape.head_width
        self.attn_norm = Norm(shape.width, shape.norm_epsilon)
        self.ffn_down = nn.Linear(shape.feed_forward, shape.width, bias=False)
        self.ffn_gate = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.ffn_norm = Norm(shape.width, shape.norm_epsilon)
        self.attn_k = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_q = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_v = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        x = x + self.attention(self.attn_norm(x), cosine, sine)
        normed = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(normed)) * self.ffn_up(normed))

    def attention(self, x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        def split(projected: Tensor) -> Tensor:
            return projected.unflatten(-1, (self.heads, self.head_width)).transpose(-2, -3)

        q = rotate(split(self.attn_q(x)), cosine, sine)
        k = rotate(split(self.attn_k(x)), cosine, sine)
        v = split(self.attn_v(x))
        mixed = F.scaled_dot_product_attention(q.to(v.dtype), k.to(v.dtype), v, is_causal=True)
        return self.attn_output(mixed.transpose(-2, -3).flatten(-2))


class Llama(nn.Module):
    """Input and output embeddings are tied: token_embd is both."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = Norm(shape.width, shape.norm_epsilon)
        cosine, sine = rotation_table(shape)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, tokens: Tensor, last_only: bool = False) -> Tensor:
        """Logits (batch, length, vocabulary) of tokens (batch, length); of the last position alone if asked."""
        length = tokens.shape[-1]
        cosine, sine = self.cosine[:length], self.sine[:length]
        x = self.token_embd(tokens)
        for block in self.blk:
            x = block(x, cosine, sine)
        if last_only:
            x = x[:, -1:]
        return F.linear(self.output_norm(x), self.token_embd.weight)

    def parameter_count(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())
