// What is found in a cache, whoever filled it, and what is removed from it.

#include "hub/pulling.h"

namespace gptj::test {
namespace {

namespace fs = std::filesystem;

const std::string kMain(40, 'a'), kOther(40, 'b');

/// A cache as huggingface_hub lays it out.
class Cache : public testing::Test {
 protected:
  Cache() {
    settings.cache = directory.path() + "/hub";
    add(kMain, "config.json", "1111", "{}");
    add(kMain, "model.safetensors", "2222", "weights");
    add(kOther, "config.json", "1111", "{}");
    add(kOther, "model.safetensors", "3333", "other weights");
    ref("main", kMain);
    ref("refs/pr/1", kOther);
  }

  static void put(const fs::path& path, const std::string& bytes) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }

  void add(const std::string& commit, const std::string& file, const std::string& etag,
           const std::string& bytes) {
    put(folder / "blobs" / etag, bytes);
    link(folder / "snapshots" / commit / file, "../../blobs/" + etag);
  }

  static void link(const fs::path& path, const fs::path& to) {
    fs::create_directories(path.parent_path());
    fs::create_symlink(to, path);
  }

  void ref(const std::string& name, const std::string& commit) const { put(folder / "refs" / name, commit); }

  std::optional<std::string> find(const std::string& name) const { return find_cached_model(name, settings); }

  TemporaryDirectory directory;
  HubSettings settings;
  fs::path folder = directory.path() + "/hub/models--org--name";
};

TEST_F(Cache, FindsByBranchTagCommitOrNone) {
  const std::string snapshots = (folder / "snapshots").native() + "/";
  EXPECT_EQ(find("org/name"), snapshots + kMain);
  EXPECT_EQ(find("org/name@main"), snapshots + kMain);
  EXPECT_EQ(find("org/name@refs/pr/1"), snapshots + kOther);
  EXPECT_EQ(find("org/name@" + kOther), snapshots + kOther);
  expect_error([&] { find("org/name@float16"); }, {"'float16'", "main", "refs/pr/1"});
  for (const std::string name : {"org/other", "name", "org--name", "../hub", "", "/", "models--org--name"}) {
    EXPECT_EQ(find(name), std::nullopt) << name;
  }
}

TEST_F(Cache, WithoutMainTheOnlyRevisionIsMeant) {
  fs::remove(folder / "refs" / "main");
  expect_error([&] { find("org/name"); }, {"'main'", kMain, "refs/pr/1"});
  fs::remove_all(folder / "snapshots" / kMain);
  EXPECT_EQ(find("org/name"), (folder / "snapshots" / kOther).native());
}

TEST_F(Cache, OldNamesHaveNoOrganisation) {
  const fs::path gpt2 = fs::path(settings.cache) / "models--gpt2";
  put(gpt2 / "snapshots" / kMain / "model.safetensors", "x");  // without links, as on systems that have none
  put(gpt2 / "refs" / "main", kMain + "\n");
  EXPECT_EQ(find("gpt2"), (gpt2 / "snapshots" / kMain).native());
}

TEST_F(Cache, AFileThatHoldsEverythingIsFoundItself) {
  const fs::path gguf = fs::path(settings.cache) / "models--org--gguf" / "snapshots" / kMain;
  put(gguf / "a.gguf", "GGUF");
  EXPECT_EQ(find("org/gguf"), (gguf / "a.gguf").native());
  put(gguf / "b.gguf", "GGUF");
  expect_error([&] { find("org/gguf"); }, {"several", gguf.native()});
}

TEST_F(Cache, WhatIsThereOnlyInPart) {
  fs::remove(folder / "snapshots" / kMain / "model.safetensors");
  expect_error([&] { find("org/name"); }, {"without its weights"});
  fs::remove_all(folder / "snapshots" / kMain);
  expect_error([&] { find("org/name@main"); }, {"'main'"});
}

TEST_F(Cache, LinksThatLeadOutsideAreRefused) {
  put(directory.path() + "/secret", "secret");
  for (const std::string& to :
       {directory.path() + "/secret", std::string("../../../../secret"), std::string("/etc/passwd")}) {
    fs::remove(folder / "snapshots" / kMain / "config.json");
    link(folder / "snapshots" / kMain / "config.json", to);
    expect_error([&] { find("org/name"); }, {"config.json", "outside"});
  }
}

TEST_F(Cache, ButTheCacheItselfMayLieElsewhere) {
  fs::create_directory(directory.path() + "/disk");
  fs::rename(folder / "blobs", directory.path() + "/disk/blobs");
  fs::create_directory_symlink(directory.path() + "/disk/blobs", folder / "blobs");
  EXPECT_TRUE(find("org/name"));
  fs::rename(settings.cache, directory.path() + "/disk/hub");
  fs::create_directory_symlink(directory.path() + "/disk/hub", settings.cache);
  EXPECT_TRUE(find("org/name"));
}

TEST_F(Cache, BlobsMayLieInTheStoreOfTheCache) {  // as newer versions of huggingface_hub keep them
  put(fs::path(settings.cache) / "blobs" / "ab" / "abcd", "weights");
  fs::remove(folder / "blobs" / "2222");
  fs::create_symlink("../../blobs/ab/abcd", folder / "blobs" / "2222");
  EXPECT_TRUE(find("org/name"));
  remove_cached_model("org/name", "", settings);
  EXPECT_TRUE(fs::exists(fs::path(settings.cache) / "blobs" / "ab" / "abcd"));
}

TEST_F(Cache, RefsThatLie) {
  for (const std::string& commit : {std::string(""), std::string(".."), std::string("../../../etc"),
                                    std::string("a/b"), std::string("a\nb"), std::string(2000, 'a')}) {
    ref("main", commit);
    EXPECT_NE(error_of([&] { find("org/name"); }), "") << commit;
  }
}

TEST_F(Cache, Lists) {
  const fs::path gguf = fs::path(settings.cache) / "models--gpt2" / "snapshots" / kMain;
  put(gguf / "a.gguf", "GGUF");
  for (const std::string ignored :
       {"datasets--org--data/snapshots/x/y", "models--org--name/.DS_Store", "version.txt",
        "models--bad name/snapshots/x/y", "models--a--b--c--..--x/snapshots/x/y"}) {
    put(fs::path(settings.cache) / ignored, "x");
  }
  ref("broken", "../..");
  const std::vector<CachedModel> models = cached_models(settings);
  ASSERT_EQ(models.size(), 3U);
  EXPECT_EQ(models[0].name, "gpt2");
  EXPECT_EQ(models[0].form, "gguf");
  EXPECT_TRUE(models[0].refs.empty());
  EXPECT_EQ(models[1].name, "org/name");
  EXPECT_EQ(models[1].commit, kMain);
  EXPECT_EQ(models[1].refs, std::vector<std::string>{"main"});
  EXPECT_EQ(models[1].bytes, 9U);
  EXPECT_EQ(models[1].form, "safetensors");
  EXPECT_EQ(models[1].path, (folder / "snapshots" / kMain).native());
  EXPECT_EQ(models[2].refs, std::vector<std::string>{"refs/pr/1"});

  settings.cache += "/nowhere";
  EXPECT_TRUE(cached_models(settings).empty());
}

TEST_F(Cache, RemovesARevisionWithWhatOnlyItNeeds) {
  put(folder / "trees" / (kMain + ".json"), "tree");
  const uint64_t freed = remove_cached_model("org/name", "main", settings);
  EXPECT_EQ(freed, std::string("weights").size() + kMain.size() + 4);
  EXPECT_FALSE(fs::exists(folder / "snapshots" / kMain));
  EXPECT_FALSE(fs::exists(folder / "refs" / "main"));
  EXPECT_FALSE(fs::exists(folder / "trees" / (kMain + ".json")));
  EXPECT_FALSE(fs::exists(folder / "blobs" / "2222"));
  EXPECT_TRUE(fs::exists(folder / "blobs" / "1111"));
  EXPECT_TRUE(find("org/name@refs/pr/1"));
  remove_cached_model("org/name", kOther, settings);  // the last one: all
  EXPECT_FALSE(fs::exists(folder));
}

TEST_F(Cache, RemovesAllOfAModelAndNothingElse) {
  put(fs::path(settings.cache) / "models--org--name2" / "snapshots" / kMain / "x", "x");
  put(fs::path(settings.cache) / ".locks" / "models--org--name" / "1111.lock", "");
  put(folder / "blobs" / "4444.incomplete", "begun");
  EXPECT_GE(remove_cached_model("org/name", "", settings), 2U + 7 + 13 + 5);
  EXPECT_FALSE(fs::exists(folder));
  EXPECT_FALSE(fs::exists(fs::path(settings.cache) / ".locks" / "models--org--name"));
  EXPECT_TRUE(fs::exists(fs::path(settings.cache) / "models--org--name2"));
  expect_error([&] { remove_cached_model("org/name", "", settings); }, {"'org/name'", "not in the cache"});
}

TEST_F(Cache, RemovesLinksAndNotWhatTheyLeadTo) {
  const fs::path precious = directory.path() + "/precious";
  put(precious / "file", "precious");
  link(folder / "snapshots" / kMain / "sub", precious);
  link(folder / "snapshots" / kMain / "file", precious / "file");
  link(folder / "blobs" / "5555", precious / "file");
  link(folder / "snapshots" / kMain / "linked", "../../blobs/5555");
  remove_cached_model("org/name", "main", settings);
  EXPECT_EQ(read_bytes(precious / "file"), "precious");
  EXPECT_FALSE(fs::exists(fs::symlink_status(folder / "blobs" / "5555")));
  remove_cached_model("org/name", "", settings);
  EXPECT_EQ(read_bytes(precious / "file"), "precious");

  fs::create_directory_symlink(precious, folder);
  EXPECT_EQ(remove_cached_model("org/name", "", settings), 0U);
  EXPECT_EQ(read_bytes(precious / "file"), "precious");
}

TEST_F(Cache, RefusesToRemoveWhatIsNoModelOfIt) {
  for (const std::string name : {"", "..", "../hub", "a/../..", "/", "org/name/", ".locks"}) {
    expect_error([&] { remove_cached_model(name, "", settings); }, {"expected the name of a model"});
  }
  expect_error([&] { remove_cached_model("org/name", "../main", settings); }, {"revision"});
  expect_error([&] { remove_cached_model("org/name", "float16", settings); }, {"'float16'"});
  EXPECT_TRUE(find("org/name"));
}

}  // namespace
}  // namespace gptj::test
