#include "io/foreign.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"

namespace gptj {
namespace {

constexpr std::string_view kUseOriginal =
    "use the original model's directory with model.safetensors, or its legacy ggml .bin file";
constexpr std::string_view kSaveAgain =
    "save the model again as model.safetensors (transformers: save_pretrained) and name its directory";
constexpr std::string_view kDownloadAgain = "download the model itself";

struct ForeignKind {
  std::string_view begin;
  std::string_view what;
  std::string_view advice;
};

constexpr ForeignKind kForeignKinds[] = {
    {"FUGG", "a byte-swapped GGUF file", kUseOriginal},
    {"ggml", "a byte-swapped ggml file, made for big-endian machines",
     "convert it on a little-endian machine"},
    {"fmgg", "a ggml file in the container of LLaMA and RWKV (ggmf), which no GPT-J or GPT-2 ever had",
     kUseOriginal},
    {"algg", "a ggml LoRA adapter, not a model", kUseOriginal},
    {"PK\x03\x04", "a zip archive", kSaveAgain},
    {"\x80\x02", "a Python pickle, but not one of torch.save()", kSaveAgain},
    {"\x80\x03", "a Python pickle", kSaveAgain},
    {"\x80\x04", "a Python pickle", kSaveAgain},
    {"\x80\x05", "a Python pickle", kSaveAgain},
    {"\x89HDF", "an HDF5 file, as TensorFlow writes it", kSaveAgain},
    {"\x1f\x8b", "a gzip archive", "unpack it first"},
    {"version https://git-lfs", "a Git LFS pointer, not the file itself", "run: git lfs pull"},
    {"<!DOCTYPE", "a web page", kDownloadAgain},
    {"<!doctype", "a web page", kDownloadAgain},
    {"<html", "a web page", kDownloadAgain},
};

}  // namespace

std::string first_bytes(const InputFile& file) {
  std::string head(static_cast<size_t>(std::min<uint64_t>(32, file.size())), '\0');
  file.read_at(0, head.data(), head.size());
  return head;
}

void refuse_foreign(const InputFile& file) {
  const std::string head = first_bytes(file);
  for (const ForeignKind& kind : kForeignKinds) {
    if (!head.starts_with(kind.begin)) continue;
    fail("{} is {}, which this version does not read; {}", quoted(file.path()), kind.what, kind.advice);
  }
}

}  // namespace gptj
