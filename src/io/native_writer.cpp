#include "io/native_writer.h"

#include <bit>
#include <nlohmann/json.hpp>

#include "io/native.h"
#include "io/native_vocab.h"

namespace gptj {

using nlohmann::json;

NativeWriter::NativeWriter(const std::string& path, OutputModel model)
    : ModelWriter(path, std::move(model.tensors)) {
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
  const uint64_t data_begin = native_aligned(kNativeHeaderAt + header.size());
  for (uint64_t& offset : offsets_) offset += data_begin;
  file_bytes_ = data_begin + end;
  check_room(path, file_bytes_);

  const uint32_t words[] = {kNativeByteOrder, kNativeVersion};
  const uint64_t length = header.size();
  file_.write_at(0, kNativeMagic.data(), kNativeMagic.size());
  file_.write_at(8, words, sizeof(words));
  file_.write_at(16, &length, sizeof(length));
  file_.write_at(kNativeHeaderAt, header.data(), header.size());
}

}  // namespace gptj
