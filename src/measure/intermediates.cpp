#include "gptj/intermediates.h"

#include <functional>
#include <map>

#include "base/file.h"
#include "gptj/npy.h"

namespace gptj {

struct IntermediatesWriter::Impl {
  Impl(const std::string& path, int n) : directory(path), n_tokens(n) {}

  OutputDirectory directory;
  const int n_tokens;
  std::map<std::string, NpyWriter, std::less<>> files;
};

IntermediatesWriter::IntermediatesWriter(const std::string& directory, int n_tokens)
    : impl_(std::make_unique<Impl>(directory, n_tokens)) {}
IntermediatesWriter::IntermediatesWriter(IntermediatesWriter&&) noexcept = default;
IntermediatesWriter& IntermediatesWriter::operator=(IntermediatesWriter&&) noexcept = default;
IntermediatesWriter::~IntermediatesWriter() = default;

void IntermediatesWriter::add(const Intermediate& seen) {
  auto file = impl_->files.find(seen.name);
  if (file == impl_->files.end()) {
    const std::string name(seen.name);
    const std::string file_name = name + ".npy";
    const OutputDirectory& directory = impl_->directory;
    NpyWriter writer(directory.file(file_name), impl_->n_tokens, seen.n, directory.shown(file_name));
    file = impl_->files.emplace(name, std::move(writer)).first;
  }
  for (int token = 0; token < seen.n_tokens; ++token) file->second.row(seen.row(token));
}

size_t IntermediatesWriter::finish() {
  for (auto& [name, file] : impl_->files) file.finish();
  impl_->directory.commit();
  return impl_->files.size();
}

}  // namespace gptj
