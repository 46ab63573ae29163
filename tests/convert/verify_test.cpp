#include "gptj/verify.h"

#include <filesystem>

#include "base/failure.h"
#include "base/file.h"
#include "engine/tiny_models.h"
#include "gptj/convert.h"
#include "io/model_file.h"

namespace gptj {
namespace {

using namespace test;

class Verify : public testing::Test {
 protected:
  /// Our own file of a tiny model.
  std::string native() const {
    write_huggingface_gptj(in, kTinyShape, DType::f32);
    convert_model(in.path(), dir / "model.gptj", {.type = "q4_0", .n_threads = 2});
    return dir / "model.gptj";
  }

  TemporaryDirectory in, dir;
};

TEST_F(Verify, WhatIsWrittenIsGood) {
  const std::string path = native();
  for (const int n_threads : {1, 3}) {
    const VerifyResult result = verify_model(path, {.n_threads = n_threads});
    EXPECT_EQ(result.file_format, "gptj");
    EXPECT_TRUE(result.checksums);
    EXPECT_EQ(result.n_tensors, open_model_file(path).tensors.size());
    EXPECT_GT(result.bytes, 100'000U);
    EXPECT_TRUE(result.damaged.empty()) << result.damaged.front();
  }
}

TEST_F(Verify, FindsABitAnywhereInATensor) {
  const std::string bytes = read_text_file(native(), 1 << 24);
  const ModelFile file = open_model_file(dir / "model.gptj");
  for (const FileTensor& tensor : file.tensors) {
    for (const uint64_t at : {uint64_t{0}, tensor.bytes / 2, tensor.bytes - 1}) {
      std::string damaged = bytes;
      damaged[tensor.offset + at] ^= 1;
      const VerifyResult result = verify_model(dir.file("damaged.gptj", damaged), {.n_threads = 2});
      ASSERT_EQ(result.damaged.size(), 1U) << tensor.name << " " << at;
      EXPECT_NE(result.damaged.front().find("tensor '" + tensor.name + "': checksum: expected"),
                std::string::npos)
          << result.damaged.front();
    }
  }
}

TEST_F(Verify, ConvertingDoesNotMakeDamageGood) {
  std::string bytes = read_text_file(native(), 1 << 24);
  const FileTensor tensor = open_model_file(dir / "model.gptj").tensors.front();
  bytes[tensor.offset] ^= 1;
  const std::string damaged = dir.file("damaged.gptj", bytes);
  expect_error([&] { convert_model(damaged, dir / "copy.gptj"); },
               {damaged, "tensor '" + tensor.name + "': checksum"});
  EXPECT_FALSE(std::filesystem::exists(dir / "copy.gptj"));
}

TEST_F(Verify, NamesEveryDamagedTensor) {
  std::string bytes = read_text_file(native(), 1 << 24);
  const ModelFile file = open_model_file(dir / "model.gptj");
  for (const FileTensor& tensor : file.tensors) bytes[tensor.offset] ^= 0x40;
  const VerifyResult result = verify_model(dir.file("damaged.gptj", bytes), {.n_threads = 2});
  EXPECT_EQ(result.damaged.size(), file.tensors.size());
}

TEST_F(Verify, OtherFormsAreReadAndTheirScalesLookedAt) {
  GgmlFile file = ggml_gptj(kTinyShape, DType::q4_0);
  const std::string path = dir.file("model.bin", file.bytes());
  const VerifyResult good = verify_model(path, {.n_threads = 2});
  EXPECT_FALSE(good.checksums);
  EXPECT_EQ(good.n_tensors, file.tensors.size());
  EXPECT_TRUE(good.damaged.empty());

  const std::string name = "transformer.h.1.mlp.fc_in.weight";
  std::string& data = file.tensor(name).data;
  data.replace(data.size() - 18, 2, "\x01\x7e");  // a NaN of 16 bits, the last block's scale
  const VerifyResult bad = verify_model(dir.file("model.bin", file.bytes()), {.n_threads = 2});
  ASSERT_EQ(bad.damaged.size(), 1U);
  EXPECT_NE(bad.damaged.front().find(name), std::string::npos) << bad.damaged.front();
}

TEST_F(Verify, MayBeStopped) {
  const std::string path = native();
  const auto stop = [](uint64_t, uint64_t) { return false; };
  expect_error([&] { verify_model(path, {.n_threads = 1, .progress = stop}); }, {"stopped"});
}

}  // namespace
}  // namespace gptj
