// A disk that is full in the middle of what is converted or measured: an error, no half file, the old one as it was.

#include <filesystem>
#include <vector>

#include "base/failure.h"
#include "base/file.h"
#include "base/file_size_limit.h"
#include "engine/tiny_models.h"
#include "gptj/convert.h"
#include "gptj/importance.h"
#include "gptj/intermediates.h"
#include "gptj/npy.h"

namespace gptj {
namespace {

using namespace test;

constexpr const char* kOld = "what was there before";

class FullDisk : public testing::Test {
 protected:
  const TemporaryDirectory models_, directory_;
  const std::string model_ = write_tiny(models_, "gptj", DType::f16);

  /// Writes with room for these many bytes of a file.
  template <class Write>
  void expect_old(const std::string& path, rlim_t room, const Write& write) {
    SCOPED_TRACE(path);
    std::string message;
    {
      const FileSizeLimit limit(room);
      message = error_of(write);
    }
    EXPECT_NE(message.find("cannot write '" + path), std::string::npos) << message;
    EXPECT_NE(message.find("File too large"), std::string::npos) << message;
    EXPECT_EQ(read_text_file(path, 1000), kOld);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_.path()), {}), 1);
    std::filesystem::remove(path);
  }
};

TEST_F(FullDisk, OfModelsInEveryForm) {
  for (const WrittenForm& form : written_forms()) {
    if (form.extension.empty()) continue;
    for (const rlim_t room : {rlim_t{1000}, rlim_t{100'000}}) {
      const std::string path = directory_.file("model" + form.extension, kOld);
      expect_old(path, room, [&] { convert_model(model_, path, {.n_threads = 2}); });
    }
  }
}

TEST_F(FullDisk, OfDirectories) {
  const std::string path = directory_ / "model";
  for (const rlim_t room : {rlim_t{100}, rlim_t{10'000}, rlim_t{100'000}}) {
    std::string message;
    {
      const FileSizeLimit limit(room);
      message = error_of([&] { convert_model(model_, path, {.n_threads = 2}); });
    }
    EXPECT_NE(message.find("cannot write '" + path + "/"), std::string::npos) << message;
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
  }
}

TEST_F(FullDisk, OfImportance) {
  const std::string path = directory_.file("a.imatrix", kOld);
  const Model model(model_);
  Session session(model);
  expect_old(path, 1000, [&] { measure_importance(session, some_ids(10), path, {}); });
}

TEST_F(FullDisk, ImportanceIsNotMeasuredForNothing) {
  const Model model(model_);
  Session session(model);
  int n_windows = 0;
  const auto count = [&](int done, int) { return n_windows = done, true; };
  expect_error([&] { measure_importance(session, some_ids(10), directory_ / "no/where", count); },
               {"no/where", "No such file"});
  EXPECT_EQ(n_windows, 0);
}

TEST_F(FullDisk, OfArrays) {
  const std::string path = directory_.file("a.npy", kOld);
  expect_old(path, 50'000, [&] {
    NpyWriter writer(path, 100, 1000);
    for (int row = 0; row < 100; ++row) writer.row(std::vector<float>(1000));
    writer.finish();
  });
}

TEST_F(FullDisk, OfIntermediates) {
  const std::string path = directory_ / "dump";
  const std::vector<float> values(100'000);
  std::string message;
  {
    const FileSizeLimit limit(50'000);
    IntermediatesWriter writer(path, 1);
    message = error_of([&] { writer.add({"h.0", 1, 100'000, values.data(), 0}); });
  }
  EXPECT_NE(message.find("cannot write '" + path + "/h.0.npy'"), std::string::npos) << message;
  EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

}  // namespace
}  // namespace gptj
