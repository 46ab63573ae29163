// https://pytorch.org/docs/stable/notes/serialization.html

#include "io/torch_zip.h"

#include <map>

#include "base/error.h"
#include "io/torch_tensors.h"
#include "io/zip.h"

namespace gptj {
namespace {

constexpr std::string_view kPickle = "/data.pkl";

/// The archive has one folder, of any name, with data.pkl, the storages data/KEY, and small files about the archive.
class Archive {
 public:
  explicit Archive(const InputFile& file) : file_(file) {
    for (ZipEntry& entry : read_zip_directory(file)) {
      if (entry.name.ends_with(kPickle) && entry.name.find('/') == entry.name.size() - kPickle.size()) {
        if (!folder_.empty())
          fail("{}: expected one {}, found several", quoted(file.path()), kPickle.substr(1));
        folder_ = entry.name.substr(0, entry.name.size() - kPickle.size() + 1);
      }
      entries_.emplace(entry.name, entry);
    }
    if (folder_.empty()) {
      fail("{}: expected a zip archive by torch.save() with FOLDER{}, found none in it", quoted(file.path()),
           kPickle);
    }
  }

  /// nullptr: there is none.
  const ZipEntry* find(std::string_view name) const {
    const auto found = entries_.find(fmt::format("{}{}", folder_, name));
    return found == entries_.end() ? nullptr : &found->second;
  }

  /// All of a small file.
  std::string read(const ZipEntry& entry) const {
    if (entry.bytes > kMaxPickleBytes) {
      fail("{}: {}: expected at most {} bytes, found {}", quoted(file_.path()), quoted(entry.name),
           kMaxPickleBytes, entry.bytes);
    }
    std::string bytes(static_cast<size_t>(entry.bytes), '\0');
    file_.read_at(entry.offset, bytes.data(), bytes.size());
    return bytes;
  }

 private:
  const InputFile& file_;
  std::string folder_;  // with the slash
  std::map<std::string, ZipEntry> entries_;
};

const ZipEntry& find_storage(const Archive& archive, const TorchTensor& tensor, const InputFile& file) {
  const ZipEntry* entry = archive.find(fmt::format("data/{}", tensor.storage.key));
  if (entry == nullptr) {
    fail("{}: tensor {}: expected its storage {} in the archive, found none", quoted(file.path()),
         quoted(tensor.name), quoted(tensor.storage.key));
  }
  if (entry->bytes != tensor.storage.bytes()) {
    fail("{}: tensor {}: storage {}: expected {} bytes, found {}", quoted(file.path()), quoted(tensor.name),
         quoted(tensor.storage.key), tensor.storage.bytes(), entry->bytes);
  }
  return *entry;
}

}  // namespace

void read_torch_zip(const InputFile& file, ModelFile& model) {
  const Archive archive(file);
  if (const ZipEntry* order = archive.find("byteorder")) {  // since torch 2.1
    const std::string found = archive.read(*order);
    if (found != "little")
      fail("{}: byteorder: expected 'little', found {}", quoted(file.path()), quoted(found));
  }
  const std::string bytes = archive.read(*archive.find(kPickle.substr(1)));
  const Pickle pickle = read_pickle(bytes, 0, file.path(), is_torch_global);
  for (TorchTensor& tensor : read_torch_tensors(pickle, file)) {
    const uint64_t storage_at = find_storage(archive, tensor, file).offset;
    add_torch_tensor(std::move(tensor), file, storage_at, model);
  }
}

}  // namespace gptj
