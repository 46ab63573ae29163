#!/usr/bin/env python3
"""Takes random models from transformers' and torch's own writers, through `gpt-j convert` into every form, to the
readers that these forms were made for: transformers, the gguf package, and ggml's `gpt-j` and `gpt-2`.

    check_interop.py --program build/bin/gpt-j --ggml-programs DIR

Every model is GPT-J, GPT-2 or CodeGen in F32, F16 or BF16; a cell of the table is the worst of them. A number is the
largest difference of a logit from what transformers computes in F32 of the weights as they are stored, relative to the
largest logit; `same`: equal weights, ids or texts. What fails is told, and the exit code is then 1."""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import torch
from huggingface_hub import split_torch_state_dict_into_shards
from transformers import (AutoModelForCausalLM, AutoTokenizer, CodeGenConfig, CodeGenForCausalLM, GPT2Config,
                          GPT2LMHeadModel, GPT2Tokenizer, GPTJConfig, GPTJForCausalLM)
from transformers.utils import logging

REPO = Path(__file__).resolve().parent.parent
TOLERANCE = 1e-5  # of F32 sums in another order
SHARD = "200KB"   # makes four of them
PROMPT = "int"    # one token: ggml's programs cut texts up in a way of their own
N_TOKENS = 24
IDS = list(range(1, 40))

TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
# 1024 positions: whatever a GGUF file of GPT-2 says, transformers expects as many.
SHAPE = {"n_positions": 1024, "n_embd": 64, "n_layer": 2, "n_head": 4, "initializer_range": 0.2}
FAMILIES = {
    "GPT-J": (GPTJForCausalLM, GPTJConfig, {"rotary_dim": 8}, "gpt-j"),
    "GPT-2": (GPT2LMHeadModel, GPT2Config, {}, "gpt-2"),
    "CodeGen": (CodeGenForCausalLM, CodeGenConfig, {"rotary_dim": 8, "n_ctx": 1024}, "gpt-j"),
}


def save_torch(model, directory, zipped):
    torch.save(model.state_dict(), directory / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)


def save_torch_shards(model, directory):
    weights = model.state_dict()
    split = split_torch_state_dict_into_shards(weights, filename_pattern="pytorch_model{suffix}.bin",
                                               max_shard_size=SHARD)
    for file, names in split.filename_to_tensors.items():
        torch.save({name: weights[name].clone() for name in names}, directory / file)
    index = {"metadata": split.metadata, "weight_map": split.tensor_to_filename}
    (directory / "pytorch_model.bin.index.json").write_text(json.dumps(index))


WRITERS = {
    "safetensors": lambda model, directory: model.save_pretrained(directory),
    "safetensors in shards": lambda model, directory: model.save_pretrained(directory, max_shard_size=SHARD),
    "torch": lambda model, directory: save_torch(model, directory, zipped=True),
    "torch in shards": save_torch_shards,
    "torch before 1.6": lambda model, directory: save_torch(model, directory, zipped=False),
}


def run(*args):
    done = subprocess.run([str(arg) for arg in args], capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, args))}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


class Original:
    """A random model and what transformers finds of it."""

    def __init__(self, family, dtype):
        make, config, settings, demo = FAMILIES[family]
        self.tokenizer = GPT2Tokenizer.from_pretrained(REPO / "models/demo" / demo)
        end = self.tokenizer.eos_token_id
        config = config(vocab_size=len(self.tokenizer), bos_token_id=end, eos_token_id=end, **SHAPE, **settings)
        torch.manual_seed(1)
        self.model = make(config)
        with torch.no_grad():
            for parameter in self.model.parameters():
                if parameter.dim() == 1:  # gains and biases would be ones and zeros
                    parameter.add_(0.1 * torch.randn_like(parameter))
        self.model.to(dtype)
        exact = make(config)  # not self.model.float(): its positions were rounded, too, which no file has
        exact.load_state_dict(self.model.state_dict())
        self.logits = logits_of(exact)
        self.weights = {name: weight.float().numpy() for name, weight in self.model.state_dict().items()}

    def save(self, directory, writer):
        directory.mkdir()
        self.model.config.save_pretrained(directory)
        self.tokenizer.save_pretrained(directory)
        WRITERS[writer](self.model, directory)

    def difference(self, logits):
        worst = float(np.abs(logits - self.logits).max() / np.abs(self.logits).max())
        if not worst < TOLERANCE:
            raise RuntimeError(f"logits differ by {worst:.1e}")
        return worst


def logits_of(model):
    with torch.no_grad():
        return model.eval()(torch.tensor([IDS])).logits[0].numpy()


def in_gguf(name, weight):
    """A weight's names and values there: Conv1D's are [out, in], CodeGen's queries, keys and values apart."""
    if name.endswith("qkv_proj.weight"):
        groups = weight.reshape(4, 3, -1, weight.shape[1])
        return [(name.replace("qkv", part), groups[:, i].reshape(-1, weight.shape[1])) for i, part in enumerate("qvk")]
    conv1d = re.search(r"\.(c_attn|c_proj|c_fc)\.weight$", name)
    return [(name, weight.T if conv1d else weight)]


class Readers:
    """What reads each form. Each returns a difference of logits, or raises RuntimeError; None: nothing but equal."""

    def __init__(self, program, ggml_programs, directory):
        self.program, self.ggml_programs, self.directory = program, ggml_programs, directory

    def ours(self, path, original):
        out = self.directory / "logits.npy"
        run(self.program, "logits", "-q", "-m", path, "--ids", ",".join(map(str, IDS)), "-o", out)
        return original.difference(np.load(out))

    def transformers(self, path, original):
        return original.difference(logits_of(AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)))

    def its_tokenizer(self, path, original):
        text = (REPO / "README.md").read_text()
        if AutoTokenizer.from_pretrained(path)(text)["input_ids"] != original.tokenizer(text)["input_ids"]:
            raise RuntimeError("other ids")

    def gguf_package(self, path, original):
        found = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
        config = original.model.config
        architecture = gguf.MODEL_ARCH.GPT2 if config.model_type == "gpt2" else gguf.MODEL_ARCH.GPTJ
        names = gguf.get_tensor_name_map(architecture, config.n_layer)
        for name, weight in (pair for item in original.weights.items() for pair in in_gguf(*item)):
            if name == "lm_head.weight" and config.tie_word_embeddings:
                continue
            tensor = found[names.get_name(name, (".weight", ".bias"))]
            values = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1])
            if not np.array_equal(values, weight):
                raise RuntimeError(f"{name}: other weights")

    def transformers_gguf(self, path, original):
        if original.model.config.model_type == "gpt2":  # it knows no GPT-J there
            model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
            return original.difference(logits_of(model))

    def ggml(self, path, original):
        theirs = self.ggml_programs / ("gpt-2-ctx" if original.model.config.model_type == "gpt2" else "gpt-j")
        expected = run(self.program, "-q", "-m", path, "-p", PROMPT, "-n", N_TOKENS, "--temp", 0,
                       "--ignore-eos").strip()
        text = run(theirs, "-m", path, "-p", PROMPT, "-n", N_TOKENS, "--top_k", 1, "-t", 1, "-s", 1)
        if expected not in text:
            raise RuntimeError(f"other text: {expected!r}, found {text[text.find(b'number of tokens in prompt'):]!r}")


# The form that is read, its file, by whom.
COLUMNS = {
    "read": (None, "source", Readers.ours),
    "our own": ("native", "model.gptj", Readers.ours),
    "ggml": ("ggml", "model.bin", Readers.ours),
    "ggml by ggml": ("ggml", "model.bin", Readers.ggml),
    "GGUF": ("gguf", "model.gguf", Readers.ours),
    "GGUF by gguf": ("gguf", "model.gguf", Readers.gguf_package),
    "GGUF by transformers": ("gguf", "model.gguf", Readers.transformers_gguf),
    "Hugging Face": ("hf", "model", Readers.ours),
    "HF by transformers": ("hf", "model", Readers.transformers),
    "its tokenizer": ("hf", "model", Readers.its_tokenizer),
}


def check(original, dtype, writer, readers):
    """Column -> what it says of this model, or what failed."""
    original.save(readers.directory / "source", writer)
    found = {}
    for column, (form, file, reader) in COLUMNS.items():
        if form == "ggml" and dtype == "BF16":  # it has no such type
            continue
        path = readers.directory / file
        try:
            if form is not None and not path.exists():
                run(readers.program, "convert", "-q", readers.directory / "source", path, "--to", form)
            found[column] = reader(readers, path, original)
        except (RuntimeError, KeyError, OSError, ValueError) as error:
            found[column] = error
    return found


def cell(values):
    if any(isinstance(value, Exception) for value in values):
        return "FAILED"
    numbers = [value for value in values if value is not None]
    return f"{max(numbers):.0e}" if numbers else "same"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=REPO / "build/bin/gpt-j")
    parser.add_argument("--ggml-programs", type=Path, required=True, help="the directory of ggml's gpt-j and gpt-2-ctx")
    args = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    failed = False
    print("| from | " + " | ".join(COLUMNS) + " |\n" + "|---" * (len(COLUMNS) + 1) + "|")
    for writer in WRITERS:
        results = []
        for family in FAMILIES:
            for name, dtype in TYPES.items():
                with tempfile.TemporaryDirectory() as directory:
                    readers = Readers(args.program, args.ggml_programs, Path(directory))
                    results.append(check(Original(family, dtype), name, writer, readers))
                for column, value in results[-1].items():
                    if isinstance(value, Exception):
                        failed = True
                        print(f"{family} {name}, {writer}, {column}: {type(value).__name__}: {value}", file=sys.stderr)
        cells = [cell([found[column] for found in results if column in found]) for column in COLUMNS]
        print(f"| {writer} | " + " | ".join(cells) + " |", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
