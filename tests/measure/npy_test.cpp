#include "gptj/npy.h"

#include <filesystem>

#include "base/failure.h"
#include "base/file.h"
#include "io/model_files.h"

namespace gptj {
namespace {

// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
TEST(Npy, IsWhatNumPyReads) {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "a.npy";
  for (const auto& [rows, columns] :
       {std::pair{0, 5}, std::pair{1, 1}, std::pair{3, 7}, std::pair{123456, 1}}) {
    NpyWriter writer(path, rows, columns);
    std::vector<float> row(static_cast<size_t>(columns)), all;
    for (int r = 0; r < rows; ++r) {
      for (float& value : row) value = static_cast<float>(all.size()) / 3;
      all.insert(all.end(), row.begin(), row.end());
      writer.row(row);
    }
    writer.finish();

    const std::string bytes = read_text_file(path, 1 << 20);
    ASSERT_GE(bytes.size(), 10U);
    EXPECT_EQ(bytes.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
    const size_t begin =
        10U + static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
    EXPECT_EQ(begin % 64, 0U);
    ASSERT_EQ(bytes.size(), begin + all.size() * sizeof(float));
    EXPECT_EQ(bytes[begin - 1], '\n');
    const std::string header = bytes.substr(10, begin - 10);
    EXPECT_TRUE(header.starts_with("{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                                   std::to_string(rows) + ", " + std::to_string(columns) + "), }"))
        << header;
    EXPECT_EQ(bytes.substr(begin),
              std::string_view(reinterpret_cast<const char*>(all.data()), all.size() * sizeof(float)));
  }
}

TEST(Npy, AppearsOnlyWhenItIsComplete) {
  const test::TemporaryDirectory directory;
  {
    NpyWriter writer(directory / "a.npy", 2, 1);
    const float value = 1;
    writer.row({&value, 1});
  }
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
  test::expect_error([] { NpyWriter writer("/nowhere/a.npy", 1, 1); }, {"/nowhere/a.npy"});
}

}  // namespace
}  // namespace gptj
