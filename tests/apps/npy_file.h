#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "process.h"

namespace gptj::test {

/// A .npy file of float32 in C order.
struct Array {
  size_t rows = 0, columns = 0;
  std::vector<float> values;
};

inline Array read_npy(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  Array array;
  if (bytes.substr(0, 8) != std::string("\x93NUMPY\x01\x00", 8)) throw std::runtime_error("not version 1.0");
  const size_t header = static_cast<unsigned char>(bytes[8]) + 256U * static_cast<unsigned char>(bytes[9]);
  EXPECT_EQ((10 + header) % 64, 0U);
  const std::string dictionary = bytes.substr(10, header);
  if (!matches(dictionary, "{'descr': '<f4', 'fortran_order': False, 'shape': (%, %), }*\n")) {
    throw std::runtime_error(dictionary);
  }
  array.rows = static_cast<size_t>(number_after(dictionary, "("));
  array.columns = static_cast<size_t>(number_after(dictionary, "(" + std::to_string(array.rows) + ", "));
  array.values.resize((bytes.size() - 10 - header) / sizeof(float));
  std::memcpy(array.values.data(), bytes.data() + 10 + header, array.values.size() * sizeof(float));
  return array;
}

}  // namespace gptj::test
