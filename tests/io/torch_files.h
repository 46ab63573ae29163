#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/model_files.h"

/// Writes small torch files for tests: valid ones, and through their public fields any lie.
namespace gptj::test {

/// Pieces of a pickle, each of which pushes one value.
namespace pickled {

std::string text(std::string_view text);
std::string integer(int64_t value);
std::string global(std::string_view module, std::string_view name);
std::string tuple(const std::vector<std::string>& items);
std::string numbers(const std::vector<int64_t>& items);  // in a tuple
std::string list(const std::vector<std::string>& items);
std::string dict(const std::vector<std::pair<std::string, std::string>>& items);
std::string ordered_dict(const std::vector<std::pair<std::string, std::string>>& items);
std::string call(const std::string& function, const std::string& arguments);
std::string persistent(const std::string& id);

/// The whole pickle of that value.
std::string whole(const std::string& value);

}  // namespace pickled

struct ZipPart {
  std::string name;
  std::string data;
  uint16_t flags = 0x0808;  // sizes behind the data, names in UTF-8: as torch
  uint16_t method = 0;
};

/// A zip archive and where its pieces lie.
struct ZipBytes {
  std::string bytes;
  std::vector<size_t> headers;          // before the data of each part
  std::vector<size_t> data;             // of each part
  std::vector<size_t> central_headers;  // of each part
  size_t end64 = 0;                     // also where the central directory ends
  size_t locator = 0, end = 0;
};

/// As torch writes it: data at multiples of 64, zip64.
ZipBytes zip_bytes(const std::vector<ZipPart>& parts);

/// The same without zip64.
ZipBytes plain_zip_bytes(const std::vector<ZipPart>& parts);

/// Numbers of a storage as a tensor.
struct TorchView {
  std::string name;
  std::string type;  // "Float" for torch.FloatStorage
  std::string key;
  int64_t storage_values;
  int64_t first;
  std::vector<int64_t> shape, strides;

  std::string storage(bool old = false) const;  // its persistent id, pickled
  std::string pickle(bool old = false) const;   // the tensor itself
};

struct TorchData {
  std::string key;
  std::string data;
  size_t value_bytes;
};

struct TorchFile {
  std::vector<TorchView> tensors;
  std::vector<TorchData> storages;

  std::string pickle(bool old = false) const;
  std::vector<ZipPart> parts() const;
  std::string zip() const { return zip_bytes(parts()).bytes; }
  std::string old() const;  // as before torch 1.6
};

/// Each tensor with a storage of its own.
TorchFile torch_file(const std::vector<SafeTensor>& tensors);

/// An old file with that pickle: what stands before it, and the list of storages and these behind it.
std::string old_torch_bytes(const std::string& pickle, const std::vector<TorchData>& storages);

}  // namespace gptj::test
