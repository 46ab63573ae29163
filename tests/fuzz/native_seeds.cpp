// native_seeds DIRECTORY GOLDEN...: our own files of these models' shapes, to begin fuzzing with. Their weights are zeros.

#include <filesystem>
#include <string>

#include "io/native_writer.h"

using namespace gptj;

namespace {

void write_seed(const std::string& path, const std::string& golden, DType matrices) {
  const ModelFile file = open_model_file(golden);
  OutputModel model{*file.config, file.vocab, {}};
  for (const FileTensor& tensor : file.tensors) {
    model.tensors.push_back({tensor.name, tensor.shape.size() == 1 ? DType::f32 : matrices, tensor.shape});
  }
  NativeWriter(path, std::move(model)).finish();
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path directory = argv[1];
  std::filesystem::create_directories(directory);
  for (int i = 2; i < argc; ++i) {
    const std::string name = std::filesystem::path(argv[i]).filename();
    write_seed(directory / (name + "-bf16.gptj"), argv[i], DType::bf16);
    write_seed(directory / (name + "-q4.gptj"), argv[i], DType::q4);
  }
}
