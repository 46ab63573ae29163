#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "gptj/error.h"
#include "io/model_file.h"

namespace gptj::test {

/// The message of the Error with which opening fails; empty if it does not fail.
inline std::string open_error(const std::string& path) {
  try {
    open_model_file(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// Opening must fail with one short line that names `path` and everything in `words`.
inline void expect_open_error(const std::string& path, const std::vector<std::string>& words) {
  const std::string message = open_error(path);
  EXPECT_NE(message, "") << "opened " << path;
  EXPECT_LT(message.size(), 600U) << message;
  EXPECT_EQ(message.find_first_of("\n\r\x1b"), std::string::npos) << message;
  EXPECT_NE(message.find(path), std::string::npos) << message;
  for (const std::string& word : words) {
    EXPECT_NE(message.find(word), std::string::npos) << "expected '" << word << "' in: " << message;
  }
}

/// Of the file, by shape, strides and type.
inline uint64_t bytes_asked_for(const FileTensor& tensor) {
  if (!tensor.strides.empty()) {
    int64_t numbers = 1;
    for (size_t i = 0; i < tensor.shape.size(); ++i) numbers += (tensor.shape[i] - 1) * tensor.strides.at(i);
    return row_bytes(tensor.dtype, numbers);
  }
  int64_t rows = 1;
  for (size_t i = 0; i + 1 < tensor.shape.size(); ++i) rows *= tensor.shape[i];
  const int64_t width = tensor.shape.empty() ? 1 : tensor.shape.back();
  const size_t stride =
      tensor.encoding != nullptr ? tensor.encoding->row_bytes(width) : row_bytes(tensor.dtype, width);
  return stride * static_cast<uint64_t>(rows);
}

/// What model_file.h promises of every tensor of a file that opens.
inline void expect_consistent(const ModelFile& model) {
  EXPECT_NE(model.config, nullptr);
  for (const FileTensor& tensor : model.tensors) {
    for (const int64_t n : tensor.shape) EXPECT_GT(n, 0) << tensor.name;
    EXPECT_EQ(tensor.bytes, bytes_asked_for(tensor)) << tensor.name;
    EXPECT_LE(tensor.offset + tensor.bytes, tensor.file->size()) << tensor.name;
  }
}

}  // namespace gptj::test
