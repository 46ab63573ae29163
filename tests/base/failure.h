#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "gptj/error.h"

namespace gptj::test {

/// The message of the Error that `action` throws; empty if it throws none.
template <typename Action>
std::string error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

/// `action` must throw an Error: one short line with everything in `words`.
template <typename Action>
void expect_error(const Action& action, const std::vector<std::string>& words) {
  const std::string message = error_of(action);
  EXPECT_NE(message, "") << "no Error";
  EXPECT_LT(message.size(), 500U) << message;
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  for (const std::string& word : words) {
    EXPECT_NE(message.find(word), std::string::npos) << "expected \"" << word << "\" in: " << message;
  }
}

}  // namespace gptj::test
