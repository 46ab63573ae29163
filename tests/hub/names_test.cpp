#include "hub/names.h"

#include <gtest/gtest.h>

#include "gptj/hub.h"

namespace gptj::test {
namespace {

TEST(Names, OfRepositories) {
  for (const std::string name : {"gpt2", "EleutherAI/gpt-j-6b", "a/b", "A_b/c.d-e", "6b"}) {
    EXPECT_TRUE(is_repository_name(name)) << name;
  }
  for (const std::string name :
       {"",   "/",  "a/", "/a", "a/b/c", "../a", "a/..",    "a/.", ".",     "..",  "a..b", "a--b",
        "-a", "a-", ".a", "a.", "a b",   "a\\b", "a/b.git", "ä",   "a%2fb", "a@b", "a\nb"}) {
    EXPECT_FALSE(is_repository_name(name)) << name;
  }
  EXPECT_TRUE(is_repository_name(std::string(96, 'x')));
  EXPECT_FALSE(is_repository_name(std::string(97, 'x')));
}

TEST(Names, OfFilesStayBelowTheirDirectory) {
  for (const std::string name :
       {"config.json", "a/b/c.gguf", "with space", "größe", "..a", "a..", ".gitattributes"}) {
    EXPECT_TRUE(is_file_name(name)) << name;
  }
  for (const std::string& name :
       {std::string(""), std::string("/etc/passwd"), std::string("../x"), std::string("a/../../x"),
        std::string("a/.."), std::string("."), std::string("a//b"), std::string("a/"),
        std::string("a\\..\\b"), std::string("a\nb"), std::string("a\0b", 3), std::string(256, 'x'),
        "a/" + std::string(300, 'x')}) {
    EXPECT_FALSE(is_file_name(name)) << name;
  }
  std::string deep = "x";
  while (deep.size() < 2000) deep += "/x";
  EXPECT_FALSE(is_file_name(deep));
}

TEST(Names, OfRevisionsCommitsAndBlobs) {
  for (const std::string revision : {"main", "float16", "refs/pr/1", "v1.0", "a-b_c+d"}) {
    EXPECT_TRUE(is_revision(revision)) << revision;
  }
  for (const std::string revision :
       {"", "..", "../main", "a/../b", "/main", "a b", "a..b", "a?b", "a#b", "a\r\nb"}) {
    EXPECT_FALSE(is_revision(revision)) << revision;
  }
  EXPECT_TRUE(is_commit(std::string(40, 'a')));
  for (const std::string commit : {"", "..", "a/b", "a.b", "a\n"}) EXPECT_FALSE(is_commit(commit)) << commit;
  EXPECT_TRUE(is_etag("5d41402abc4b2a76b9719d911017c592-3"));
  for (const std::string etag : {"", ".", "..", ".x", "a/b", "a\"b", "a b"})
    EXPECT_FALSE(is_etag(etag)) << etag;
  EXPECT_FALSE(is_etag(std::string(250, 'a')));
}

TEST(Names, OfModelsMayHaveARevision) {
  const auto name = parse_model_name("EleutherAI/gpt-j-6b@float16");
  ASSERT_TRUE(name);
  EXPECT_EQ(name->repository, "EleutherAI/gpt-j-6b");
  EXPECT_EQ(name->revision, "float16");
  EXPECT_EQ(parse_model_name("gpt2")->revision, "");
  EXPECT_TRUE(is_model_name("a/b@refs/pr/1"));
  for (const std::string text :
       {"", "@main", "a/b@", "a/b@../c", "models/x/y.bin", "./a", "~/a", "a/b@c d"}) {
    EXPECT_FALSE(is_model_name(text)) << text;
  }
}

}  // namespace
}  // namespace gptj::test
