#include "io/native_writer.h"

#include <bit>
#include <nlohmann/json.hpp>

#include "base/platform.h"
#include "io/file_start.h"
#include "io/native_vocab.h"

namespace gptj {

using nlohmann::json;

NativeWriter::NativeWriter(const std::string& path, OutputModel model)
    : ModelWriter(path, std::move(model.tensors)), path_(path), checksums_(tensors_.size()) {
  static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");
  json list = json::array();
  uint64_t end = 0;  // from the beginning of the data
  for (const OutputTensor& tensor : tensors_) {
    offsets_.push_back(native_aligned(end));
    const uint64_t bytes = native_bytes(tensor.dtype, tensor.shape);
    list.push_back({{"name", tensor.name},
                    {"dtype", info(tensor.dtype).name},
                    {"shape", tensor.shape},
                    {"offset", offsets_.back()},
                    {"bytes", bytes}});
    end = offsets_.back() + bytes;
  }
  const std::string header =
      json{{"config", model.config}, {"tokenizer", vocab_to_json(model.vocab)}, {"tensors", std::move(list)}}
          .dump();
  const std::string tokens = vocab_to_bytes(model.vocab);
  start_.header_bytes = header.size();
  start_.vocab_bytes = tokens.size();
  start_.n_tensors = static_cast<uint32_t>(tensors_.size());
  head_ = header + tokens;
  const uint64_t data_begin =
      native_aligned(sizeof start_ + head_.size() + tensors_.size() * sizeof(uint32_t));
  for (uint64_t& offset : offsets_) offset += data_begin;
  file_bytes_ = data_begin + end;
  check_room(path, file_bytes_);
}

void NativeWriter::write(size_t tensor, uint64_t offset, const void* data, size_t bytes) {
  ModelWriter::write(tensor, offset, data, bytes);
  checksums_[tensor].add(offset, data, bytes);
}

void NativeWriter::finish() {
  for (const ChecksumOfParts& tensor : checksums_) {
    const uint32_t checksum = tensor.value();
    head_.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
  }
  kNativeMagic.copy(start_.magic, sizeof start_.magic);
  start_.byte_order = kByteOrder;
  start_.version = kNativeVersion;
  start_.checksum = native_checksum(start_, head_);
  file_.write_at(0, &start_, sizeof start_);
  file_.write_at(sizeof start_, head_.data(), head_.size());
  ModelWriter::finish();
  // Written in pieces, the cached file does not lie in huge pages; read anew it does, where the system has them for
  // files.
  platform::forget_cached(path_);
}

}  // namespace gptj
