// https://github.com/pytorch/pytorch/blob/main/torch/serialization.py: _legacy_save()

#include "io/torch_legacy.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "io/byte_reader.h"
#include "io/torch_tensors.h"

namespace gptj {
namespace {

/// A storage, and where its numbers begin in the file.
struct Place {
  TorchStorage storage;
  uint64_t offset = 0;
};
using Places = std::map<std::string_view, Place>;  // by key

const PickleValue* find_item(const Pickle& pickle, const PickleValue& dict, std::string_view key) {
  for (size_t i = 0; dict.kind == PickleValue::Kind::dict && i < dict.parts.size(); i += 2) {
    if (pickle.part(dict, i).text == key) return &pickle.part(dict, i + 1);
  }
  return nullptr;
}

/// Checks the version of the form, and what machine wrote the file. Returns where the next pickle begins.
size_t check_preamble(std::string_view bytes, const std::string& path) {
  constexpr int64_t kVersion = 1001;
  const Pickle version = read_pickle(bytes, kTorchLegacyMagic.size(), path, is_torch_global);
  const PickleValue& number = version.values[version.root];
  if (number.kind != PickleValue::Kind::integer || number.integer != kVersion) {
    fail("{}: protocol version of torch.save(): expected {}, found {}", quoted(path), kVersion,
         number.kind == PickleValue::Kind::integer ? std::to_string(number.integer)
                                                   : std::string(kind_name(number.kind)));
  }
  const Pickle machine = read_pickle(bytes, version.end, path, is_torch_global);
  const PickleValue* little_endian = find_item(machine, machine.values[machine.root], "little_endian");
  if (little_endian == nullptr || little_endian->kind != PickleValue::Kind::boolean ||
      little_endian->integer == 0) {
    fail("{}: expected little_endian true, found it false or missing: written on a big-endian machine?",
         quoted(path));
  }
  return machine.end;
}

Places storages_of(const std::vector<TorchTensor>& tensors, const std::string& path) {
  Places places;
  for (const TorchTensor& tensor : tensors) {
    const TorchStorage& known =
        places.emplace(tensor.storage.key, Place{tensor.storage}).first->second.storage;
    if (known.values == tensor.storage.values && known.value_bytes == tensor.storage.value_bytes) continue;
    fail("{}: tensor {}: expected its storage {} as other tensors say: {} values of {} bytes, found {} of {}",
         quoted(path), quoted(tensor.name), quoted(known.key), known.values, known.value_bytes,
         tensor.storage.values, tensor.storage.value_bytes);
  }
  return places;
}

/// Walks over the storages, which follow each other to the file's end in the order of their list. Each begins with its
/// number of values.
void find_places(const Pickle& list, const InputFile& file, Places& places) {
  ByteReader reader(file);
  reader.skip(list.end, "storages");
  const PickleValue& keys = list.values[list.root];
  if (keys.kind != PickleValue::Kind::list || keys.parts.size() != places.size()) {
    fail("{}: expected a list of the {} storages that its tensors have, found {} of {}", quoted(file.path()),
         places.size(), kind_name(keys.kind), keys.parts.size());
  }
  for (size_t i = 0; i < keys.parts.size(); ++i) {
    const std::string& key = list.part(keys, i).text;
    const auto found = places.find(key);
    if (found == places.end() || found->second.offset != 0) {
      fail("{}: list of storages: expected each storage of its tensors once, found {}", quoted(file.path()),
           quoted(key));
    }
    const TorchStorage& storage = found->second.storage;
    const uint64_t values = reader.u64("number of values");
    if (values != storage.values) {
      fail("{}: storage {}: expected {} values, found {}", quoted(file.path()), quoted(key), storage.values,
           values);
    }
    found->second.offset = reader.offset();
    reader.skip(storage.bytes(), "storage");
  }
  if (reader.remaining() != 0) {
    fail("{}: expected the file's end at byte {}, found {} more", quoted(file.path()), reader.offset(),
         reader.remaining());
  }
}

}  // namespace

void read_torch_legacy(const InputFile& file, ModelFile& model) {
  std::string bytes(static_cast<size_t>(std::min<uint64_t>(file.size(), kMaxPickleBytes)), '\0');
  file.read_at(0, bytes.data(), bytes.size());
  const size_t begin = check_preamble(bytes, file.path());
  const Pickle pickle = read_pickle(bytes, begin, file.path(), is_torch_global);
  std::vector<TorchTensor> tensors = read_torch_tensors(pickle, file);
  Places places = storages_of(tensors, file.path());
  find_places(read_pickle(bytes, pickle.end, file.path(), is_torch_global), file, places);
  for (TorchTensor& tensor : tensors) {
    const uint64_t storage_at = places.at(tensor.storage.key).offset;
    add_torch_tensor(std::move(tensor), file, storage_at, model);
  }
}

}  // namespace gptj
