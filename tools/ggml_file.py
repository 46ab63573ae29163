"""The legacy ggml file (`ggml-model.bin`) of GPT-J and GPT-2: tensor names, block formats, writer, reader.

Needs NumPy only. Quantizing follows ggml's reference quantizers. Blocks are those of quantization version 2, or of the
versions 0 and 1 before it: docs/formats.md has the eras.
"""

import json
import struct
from dataclasses import dataclass
from typing import BinaryIO, Callable, Iterable, Iterator

import numpy as np

MAGIC = 0x67676D6C
GGJT_MAGIC = 0x67676A74
GGJT_ALIGNMENT = 32


# --- storage types ------------------------------------------------------------------------------------------


def _nibbles(q: np.ndarray) -> np.ndarray:
    """[blocks, 32] values -> [blocks, 16] bytes: j in the low nibble of byte j, j + 16 in the high."""
    q = q & 15
    return q[:, :16] | q[:, 16:] << 4


def _from_nibbles(qs: np.ndarray) -> np.ndarray:
    return np.concatenate([qs & 15, qs >> 4], axis=1)


def _neighbours(q: np.ndarray) -> np.ndarray:
    """[blocks, n] values -> [blocks, n / 2] bytes as version 0 had them: 2j in the low nibble of byte j, 2j + 1 in the high."""
    q = q & 15
    return q[:, 0::2] | q[:, 1::2] << 4


def _from_neighbours(qs: np.ndarray) -> np.ndarray:
    return np.stack([qs & 15, qs >> 4], axis=2).reshape(len(qs), -1)


def _fifth_bits(q: np.ndarray) -> np.ndarray:
    """[blocks, 32] values of 5 bits -> [blocks, 4] bytes: bit j is the fifth bit of element j."""
    return np.packbits(q >> 4, axis=1, bitorder="little")


def _from_fifth_bits(qh: np.ndarray) -> np.ndarray:
    return np.unpackbits(qh, axis=1, bitorder="little") << 4


def _inverse(d: np.ndarray) -> np.ndarray:
    return np.divide(np.float32(1), d, out=np.zeros_like(d), where=d != 0)


def _symmetric(x: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray]:
    """Scale and unsigned values of q4_0 and q5_0: the value of largest magnitude becomes -2^(bits-1)."""
    half = 1 << (bits - 1)
    largest = np.take_along_axis(x, np.abs(x).argmax(axis=1, keepdims=True), axis=1)
    d = largest / np.float32(-half)
    q = (x * _inverse(d) + np.float32(half + 0.5)).astype(np.int8)
    return d, np.minimum(q, 2 * half - 1).astype(np.uint8)


def _affine(x: np.ndarray, bits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scale, minimum and unsigned values of q4_1 and q5_1."""
    low = x.min(axis=1, keepdims=True)
    d = (x.max(axis=1, keepdims=True) - low) / np.float32((1 << bits) - 1)
    q = ((x - low) * _inverse(d) + np.float32(0.5)).astype(np.uint8)
    return d, low, np.minimum(q, (1 << bits) - 1)


def _encode_q4_0(x):
    d, q = _symmetric(x, 4)
    return {"d": d, "qs": q}


def _encode_q4_1(x):
    d, m, q = _affine(x, 4)
    return {"d": d, "m": m, "qs": q}


def _encode_q5_0(x):
    d, q = _symmetric(x, 5)
    return {"d": d, "qh": _fifth_bits(q), "qs": q}


def _encode_q5_1(x):
    d, m, q = _affine(x, 5)
    return {"d": d, "m": m, "qh": _fifth_bits(q), "qs": q}


def _encode_q8_0(x):
    d = np.abs(x).max(axis=1, keepdims=True) / np.float32(127)
    scaled = (x * _inverse(d)).astype(np.float64)
    q = np.copysign(np.floor(np.abs(scaled) + 0.5), scaled)  # half away from zero, as C's roundf
    return {"d": d, "q": q.astype(np.int8)}


def _scale(x: np.ndarray) -> np.ndarray:
    """As our reader has it: rounded to F16 where a file has F32."""
    return x.astype(np.float16).astype(np.float32)


def _decode(b: np.ndarray, offset: int, version: int) -> np.ndarray:
    """Blocks -> [blocks, values] floats: x = d * (q - offset) + m, where the type has them."""
    if "q" in b.dtype.names:
        q = b["q"].astype(np.float32)
    else:
        q = _from_neighbours(b["qs"]) if version == 0 else _from_nibbles(b["qs"])
        if "qh" in b.dtype.names:
            q = q | _from_fifth_bits(b["qh"])
        q = q.astype(np.float32) - np.float32(offset)
    x = _scale(b["d"]) * q
    return x + _scale(b["m"]) if "m" in b.dtype.names else x


@dataclass(frozen=True)
class Type:
    """How a tensor is stored. `block` is the layout of `n` values, or of one where `encode` is missing."""

    name: str
    id: int  # in a tensor's header
    ftype: int  # in the file's header
    block: np.dtype
    encode: Callable | None = None
    offset: int = 0  # subtracted from the stored integers
    version: int = 2  # of quantization
    n: int = 32

    @property
    def header_ftype(self) -> int:
        return self.ftype if self.encode is None else 1000 * self.version + self.ftype

    def quantize(self, x: np.ndarray) -> np.ndarray:
        """Any shape -> the stored elements, flat. Rows must divide into the type's blocks."""
        x = np.ascontiguousarray(x, dtype=np.float32)
        if self.encode is None:
            return x.astype(self.block).ravel()
        assert x.shape[-1] % self.n == 0, f"{self.name} needs rows that divide by {self.n}, not {x.shape}"
        fields = self.encode(x.reshape(-1, self.n))
        if "qs" in fields:
            fields["qs"] = _neighbours(fields["qs"]) if self.version == 0 else _nibbles(fields["qs"])
        out = np.empty(len(fields["d"]), self.block)
        for name, values in fields.items():
            out[name] = values
        return out

    def dequantize(self, stored: np.ndarray) -> np.ndarray:
        """Stored elements -> float32, flat."""
        if self.encode is None:
            return stored.astype(np.float32)
        values = _decode(stored, self.offset, self.version).ravel()
        # Blocks of 16 become F16 in our reader.
        return values if self.n == 32 else values.astype(np.float16).astype(np.float32)

    def count(self, n: int) -> int:
        """Stored elements of n values."""
        return n if self.encode is None else n // self.n


def _layout(*fields: tuple[str, str, int]) -> np.dtype:
    return np.dtype([(name, kind, (n,)) for name, kind, n in fields])


_D, _M, _QH, _QS = ("d", "<f2", 1), ("m", "<f2", 1), ("qh", "u1", 4), ("qs", "u1", 16)

F32 = Type("f32", 0, 0, np.dtype("<f4"))
TYPES = {
    t.name: t
    for t in [
        F32,
        Type("f16", 1, 1, np.dtype("<f2")),
        Type("q4_0", 2, 2, _layout(_D, _QS), _encode_q4_0, 8),
        Type("q4_1", 3, 3, _layout(_D, _M, _QS), _encode_q4_1),
        Type("q5_0", 6, 8, _layout(_D, _QH, _QS), _encode_q5_0, 16),
        Type("q5_1", 7, 9, _layout(_D, _M, _QH, _QS), _encode_q5_1),
        Type("q8_0", 8, 7, _layout(_D, ("q", "i1", 32)), _encode_q8_0),
    ]
}
_D4, _M4, _QS8 = ("d", "<f4", 1), ("m", "<f4", 1), ("qs", "u1", 8)
OLD_TYPES = {
    f"{t.name}-v{t.version}": t
    for t in [
        Type("q4_0", 2, 2, _layout(_D4, _QS), _encode_q4_0, 8, version=0),
        Type("q4_1", 3, 3, _layout(_D4, _M4, _QS), _encode_q4_1, version=0),
        Type("q4_2", 4, 5, _layout(_D, _QS8), _encode_q4_0, 8, version=0, n=16),
        Type("q4_3", 5, 6, _layout(_D, _M, _QS8), _encode_q4_1, version=0, n=16),
        Type("q5_0", 6, 8, _layout(_D, _QH, _QS), _encode_q5_0, 16, version=0),
        Type("q5_1", 7, 9, _layout(_D, _M, _QH, _QS), _encode_q5_1, version=0),
        Type("q8_0", 8, 7, _layout(_D4, ("q", "i1", 32)), _encode_q8_0, version=0),
        Type("q4_0", 2, 2, _layout(_D4, _QS), _encode_q4_0, 8, version=1),
        Type("q4_1", 3, 3, _layout(_D4, _M4, _QS), _encode_q4_1, version=1),
        Type("q5_0", 6, 8, _layout(_D, _QH, _QS), _encode_q5_0, 16, version=1),
        Type("q5_1", 7, 9, _layout(_D, _M, _QH, _QS), _encode_q5_1, version=1),
        Type("q8_0", 8, 7, _layout(_D4, ("q", "i1", 32)), _encode_q8_0, version=1),
    ]
}


# --- models -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hparams:
    """The header's numbers, in its order."""

    n_vocab: int
    n_ctx: int
    n_embd: int
    n_head: int
    n_layer: int
    n_rot: int | None = None  # GPT-J only: a GPT-2 file has no such field


@dataclass(frozen=True)
class TensorSpec:
    name: str  # in the ggml file
    hf_name: str  # in a Hugging Face directory
    shape: tuple[int, ...]  # outermost dimension first, weights as [out, in]
    big: bool  # stored in the file's type; the others always as F32
    conv1d: bool = False  # Hugging Face stores the transpose


def gptj_tensors(h: Hparams) -> list[TensorSpec]:
    """In the order of Hugging Face's state_dict, which the public converter keeps."""
    e, inner = h.n_embd, 4 * h.n_embd
    shapes = [("wte.weight", (h.n_vocab, e))]
    for i in range(h.n_layer):
        layer = [("ln_1.weight", (e,)), ("ln_1.bias", (e,))]
        layer += [(f"attn.{x}_proj.weight", (e, e)) for x in ("k", "v", "q", "out")]
        layer += [("mlp.fc_in.weight", (inner, e)), ("mlp.fc_in.bias", (inner,))]
        layer += [("mlp.fc_out.weight", (e, inner)), ("mlp.fc_out.bias", (e,))]
        shapes += [(f"h.{i}.{name}", shape) for name, shape in layer]
    shapes += [("ln_f.weight", (e,)), ("ln_f.bias", (e,))]
    shapes = [("transformer." + name, shape) for name, shape in shapes]
    shapes += [("lm_head.weight", (h.n_vocab, e)), ("lm_head.bias", (h.n_vocab,))]
    return [TensorSpec(name, name, shape, len(shape) == 2) for name, shape in shapes]


def gpt2_tensors(h: Hparams) -> list[TensorSpec]:
    """In alphabetical order, that of the files made from OpenAI's checkpoints; the head is tied to wte."""
    e, inner = h.n_embd, 4 * h.n_embd
    specs = [
        TensorSpec("model/wte", "transformer.wte.weight", (h.n_vocab, e), True),
        TensorSpec("model/wpe", "transformer.wpe.weight", (h.n_ctx, e), False),
        TensorSpec("model/ln_f/g", "transformer.ln_f.weight", (e,), False),
        TensorSpec("model/ln_f/b", "transformer.ln_f.bias", (e,), False),
    ]
    linear = {
        "attn/c_attn": (3 * e, e),
        "attn/c_proj": (e, e),
        "mlp/c_fc": (inner, e),
        "mlp/c_proj": (e, inner),
    }
    for i in range(h.n_layer):
        hf = f"transformer.h.{i}."
        for norm in ("ln_1", "ln_2"):
            specs.append(TensorSpec(f"model/h{i}/{norm}/g", f"{hf}{norm}.weight", (e,), False))
            specs.append(TensorSpec(f"model/h{i}/{norm}/b", f"{hf}{norm}.bias", (e,), False))
        for name, shape in linear.items():
            hf_name = hf + name.replace("/", ".")
            specs.append(TensorSpec(f"model/h{i}/{name}/w", hf_name + ".weight", shape, True, conv1d=True))
            specs.append(TensorSpec(f"model/h{i}/{name}/b", hf_name + ".bias", shape[:1], False))
    return sorted(specs, key=lambda spec: spec.name)


def tensors(h: Hparams) -> list[TensorSpec]:
    return gpt2_tensors(h) if h.n_rot is None else gptj_tensors(h)


# --- vocabulary ---------------------------------------------------------------------------------------------


def byte_to_char() -> dict[int, str]:
    """GPT-2's printable alphabet: each byte as one character of vocab.json and merges.txt."""
    plain = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    table = {b: chr(b) for b in plain}
    for b in range(256):
        if b not in table:
            table[b] = chr(256 + len(table) - len(plain))
    return table


def read_vocab_json(path) -> list[bytes]:
    """The tokens of a vocab.json as raw bytes, index = id."""
    char_to_byte = {c: b for b, c in byte_to_char().items()}
    with open(path, encoding="utf-8") as f:
        ids = json.load(f)
    chars = sorted(ids, key=ids.get)
    assert [ids[c] for c in chars] == list(range(len(chars))), f"{path}: ids are not 0 to {len(chars) - 1}"
    return [bytes(char_to_byte[c] for c in token) for token in chars]


def pad_vocab(tokens: list[bytes], n_vocab: int) -> list[bytes]:
    """Fills up as GPT-J's vocabulary does: <|extratoken_1|>, <|extratoken_2|>, ..."""
    return tokens + [b"<|extratoken_%d|>" % (i + 1) for i in range(n_vocab - len(tokens))]


# --- files --------------------------------------------------------------------------------------------------


def _int32(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}i", *values)


@dataclass(frozen=True)
class Form:
    """What else files of some eras have."""

    ggjt: int = 0  # the version of LLaMA's container; 0: ggml's own
    transposed: bool = False  # the matrices that files held as [in, out] before 29 March 2023
    replaced: bool = False  # tokens that are no UTF-8 became replacement characters, before 4 December 2022


_TRANSPOSED = ("mlp.fc_in.weight", "_proj.weight", "attn/c_attn/w", "attn/c_proj/w", "mlp/c_fc/w")


def is_turned(name: str, form: Form) -> bool:
    return form.transposed and name.endswith(_TRANSPOSED)


def header_bytes(h: Hparams, type_: Type, vocab: list[bytes], form: Form = Form()) -> bytes:
    """Everything before the first tensor."""
    assert len(vocab) == h.n_vocab, f"{len(vocab)} tokens for n_vocab = {h.n_vocab}"
    magic = (GGJT_MAGIC, form.ggjt) if form.ggjt else (MAGIC,)
    numbers = [h.n_vocab, h.n_ctx, h.n_embd, h.n_head, h.n_layer]
    numbers += [type_.header_ftype] if h.n_rot is None else [h.n_rot, type_.header_ftype]
    if form.replaced:
        vocab = [token.decode(errors="replace").encode() for token in vocab]
    score = bytes(4) if form.ggjt else b""
    return _int32(*magic, *numbers, h.n_vocab) + b"".join(_int32(len(token)) + token + score for token in vocab)


def tensor_header(spec: TensorSpec, type_: Type, form: Form = Form()) -> bytes:
    name = spec.name.encode()
    return _int32(len(spec.shape), len(name), type_.id, *(spec.shape if is_turned(spec.name, form) else spec.shape[::-1])) + name


def stored_type(spec: TensorSpec, type_: Type) -> Type:
    return type_ if spec.big else F32


def padding(f: BinaryIO, form: Form) -> int:
    return -f.tell() % GGJT_ALIGNMENT if form.ggjt else 0


def write(
    f: BinaryIO,
    h: Hparams,
    type_: Type,
    vocab: list[bytes],
    data: Callable[[TensorSpec], np.ndarray],
    form: Form = Form(),
):
    """`data` gives each tensor's values as [out, in]."""
    f.write(header_bytes(h, type_, vocab, form))
    for spec in tensors(h):
        stored = stored_type(spec, type_)
        values = data(spec)
        assert values.shape == spec.shape, f"{spec.name}: {values.shape} is not {spec.shape}"
        f.write(tensor_header(spec, stored, form))
        f.write(bytes(padding(f, form)))
        f.write(stored.quantize(values.T if is_turned(spec.name, form) else values).tobytes())


def read_tensors(
    f: BinaryIO, h: Hparams, types: Iterable[Type], form: Form = Form()
) -> Iterator[tuple[str, Type, np.ndarray]]:
    """Name, type and float32 values [out, in] of each tensor, from a whole file whose model and types are known."""
    by_id = {t.id: t for t in types}
    f.seek(4 * (7 if h.n_rot is None else 8) + (4 if form.ggjt else 0))  # magic and header
    (n_vocab,) = struct.unpack("<i", f.read(4))
    for _ in range(n_vocab):
        f.seek(struct.unpack("<I", f.read(4))[0] + (4 if form.ggjt else 0), 1)
    while head := f.read(12):
        n_dims, name_length, type_id = struct.unpack("<3i", head)
        shape = struct.unpack(f"<{n_dims}i", f.read(4 * n_dims))[::-1]
        name = f.read(name_length).decode()
        type_ = by_id[type_id]
        f.seek(padding(f, form), 1)
        stored = np.frombuffer(f.read(type_.count(int(np.prod(shape))) * type_.block.itemsize), type_.block)
        values = type_.dequantize(stored).reshape(shape)
        yield name, type_, values.T if is_turned(name, form) else values
