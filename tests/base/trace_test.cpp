#include "base/trace.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/failure.h"
#include "base/file.h"
#include "base/temporary_directory.h"

namespace gptj {
namespace {

std::string written(const Trace& trace) {
  const test::TemporaryDirectory directory;
  const std::string path = directory / "trace.json";
  trace.write(path);
  return read_text_file(path, 1 << 20);
}

int count(const std::string& text, const std::string& part) {
  int n = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++n;
  return n;
}

TEST(Trace, HasWhatEveryThreadDidWhileItLived) {
  { const trace::Scope before("before"); }
  const Trace trace;
  {
    const trace::Scope outer("outer");
    std::thread([] { const trace::Scope other("other"); }).join();
  }
  const std::string json = written(trace);
  EXPECT_EQ(count(json, "\"name\""), 2) << json;
  EXPECT_EQ(count(json, "{\"name\":\"outer\",\"ph\":\"X\",\"pid\":0,\"tid\":"), 1) << json;
  EXPECT_EQ(count(json, "{\"name\":\"other\",\"ph\":\"X\",\"pid\":0,\"tid\":"), 1) << json;
  EXPECT_TRUE(json.starts_with("{\"traceEvents\":[")) << json;
  EXPECT_TRUE(json.ends_with("]}\n")) << json;
}

TEST(Trace, KeepsWhatItHasRoomFor) {
  const Trace trace(3);
  for (int i = 0; i < 5; ++i) const trace::Scope scope("work");
  EXPECT_EQ(count(written(trace), "work"), 3);
}

TEST(Trace, IsNotWrittenWhereNothingCanBe) {
  test::expect_error([] { Trace().write("/no/such/directory/trace.json"); }, {"/no/such/directory"});
}

}  // namespace
}  // namespace gptj
