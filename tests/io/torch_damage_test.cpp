#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "base/sanitized.h"
#include "io/open_error.h"
#include "io/torch_files.h"

namespace gptj::test {
namespace {

namespace fs = std::filesystem;

class TorchDamage : public testing::Test {
 protected:
  TorchDamage() {
    dir.file("config.json", "{}");
    write_tokenizer(dir, 257);
  }

  std::string write(const std::string& bytes) const { return dir.file("pytorch_model.bin", bytes); }

  /// Every byte of these files counts, or opens as what it was.
  void expect_truncation_errors(const std::string& bytes) const {
    const std::string path = write(bytes);
    EXPECT_EQ(open_error(path), "");
    for (size_t size = bytes.size(); size-- > 0;) {
      SCOPED_TRACE(size);
      fs::resize_file(path, size);
      expect_open_error(path, {});
      if (HasFailure()) return;
    }
  }

  /// A file that opens has only tensors inside it.
  void expect_survived(const std::string& bytes, int& opened) const {
    try {
      expect_consistent(open_model_file(write(bytes)));
      ++opened;
    } catch (const Error& error) {
      EXPECT_LT(std::string(error.what()).size(), 600U) << error.what();
    }
  }

  TemporaryDirectory dir;
};

TorchFile small_file() {
  TorchFile file = torch_file({{"a", "F32", {2, 2}, std::string(16, 'a')}, {"b", "BOOL", {3}, "bbb"}});
  file.tensors.push_back({"t", "Float", "0", 4, 0, {2, 2}, {1, 2}});
  return file;
}

TEST_F(TorchDamage, TruncatedAtEveryByte) {
  const TorchFile file = small_file();
  expect_truncation_errors(file.zip());
  expect_truncation_errors(plain_zip_bytes(file.parts()).bytes);
  expect_truncation_errors(file.old());
}

TEST_F(TorchDamage, SomethingBehindTheEnd) {
  const TorchFile file = small_file();
  for (const std::string& tail : {std::string(1, '\0'), std::string(22, 'x'), std::string(70'000, 'x')}) {
    expect_open_error(write(file.zip() + tail), {"zip archive"});
    expect_open_error(write(file.old() + tail), {"file's end"});
  }
  expect_open_error(write(std::string(64, 'x') + file.zip()), {"begins with the bytes"});
  expect_open_error(write("PK\x03\x04" + file.zip()), {"zip archive"});
}

/// A field of some structure, by its place in that.
struct Field {
  const char* name;
  size_t at, bytes;
};

constexpr Field kEnd[] = {{"signature", 0, 4},          {"disk", 4, 2},     {"directory's disk", 6, 2},
                          {"entries here", 8, 2},       {"entries", 10, 2}, {"directory's size", 12, 4},
                          {"directory's place", 16, 4}, {"comment", 20, 2}};
constexpr Field kEnd64[] = {{"signature", 0, 4},
                            {"size", 4, 8},
                            {"disk", 16, 4},
                            {"directory's disk", 20, 4},
                            {"entries here", 24, 8},
                            {"entries", 32, 8},
                            {"directory's size", 40, 8},
                            {"directory's place", 48, 8}};
constexpr Field kLocator[] = {{"disk", 4, 4}, {"place", 8, 8}, {"disks", 16, 4}};
constexpr Field kCentral[] = {
    {"signature", 0, 4},      {"method", 10, 2},         {"packed size", 20, 4},      {"size", 24, 4},
    {"name's length", 28, 2}, {"extra's length", 30, 2}, {"comment's length", 32, 2}, {"disk", 34, 2},
    {"place", 42, 4}};
constexpr Field kLocal[] = {{"signature", 0, 4}, {"name's length", 26, 2}};

struct Structure {
  const char* name;
  size_t begin;
  std::vector<Field> fields;
};

TEST_F(TorchDamage, FieldsOfTheArchiveThatLie) {
  const auto test = [&](const std::string& bytes, const std::vector<Structure>& structures) {
    ASSERT_EQ(open_error(write(bytes)), "");
    for (const Structure& structure : structures) {
      for (const Field& field : structure.fields) {
        for (const uint64_t lie :
             {uint64_t{0}, uint64_t{1}, uint64_t{0x7f7f7f7f7f7f7f7f}, uint64_t{1} << 63 >> 8, ~uint64_t{0}}) {
          std::string changed = bytes;
          for (size_t i = 0; i < field.bytes; ++i) {
            changed[structure.begin + field.at + i] = static_cast<char>(lie >> (8 * i));
          }
          if (changed == bytes) continue;
          SCOPED_TRACE(fmt::format("{}: {} = {:#x}", structure.name, field.name, lie));
          expect_open_error(write(changed), {});
        }
      }
    }
  };
  const ZipBytes zip = zip_bytes(small_file().parts());
  const auto all = [](const auto& fields) {
    return std::vector<Field>(std::begin(fields), std::end(fields));
  };
  test(zip.bytes, {{"zip64 end", zip.end64, all(kEnd64)},
                   {"locator", zip.locator, all(kLocator)},
                   {"pickle", zip.central_headers[0], all(kCentral)},
                   {"pickle's header", zip.headers[0], all(kLocal)},
                   {"storage", zip.central_headers[3], all(kCentral)},
                   {"storage's header", zip.headers[3], all(kLocal)}});
  const ZipBytes plain = plain_zip_bytes(small_file().parts());
  test(plain.bytes, {{"end", plain.end, all(kEnd)}});
}

TEST_F(TorchDamage, FieldsOfAnOldFileThatLie) {
  const TorchFile file = small_file();
  const std::string bytes = file.old();
  const std::string key = pickled::text("0");
  for (const uint64_t lie :
       {uint64_t{0}, uint64_t{3}, uint64_t{5}, uint64_t{1} << 61, uint64_t{1} << 63, ~uint64_t{0}}) {
    std::string changed = bytes;
    const size_t at = bytes.size() - (8 + 16) - (8 + 3);
    for (size_t i = 0; i < 8; ++i) changed[at + i] = static_cast<char>(lie >> (8 * i));
    expect_open_error(write(changed), {"storage '0'", "expected 4 values", std::to_string(lie)});
  }
  for (const int version : {0, 1000, 1002, 0xffff}) {
    std::string changed = bytes;
    const size_t at = bytes.find("M\xe9\x03") + 1;
    changed[at] = static_cast<char>(version);
    changed[at + 1] = static_cast<char>(version >> 8);
    expect_open_error(write(changed), {"protocol version", "expected 1001", std::to_string(version)});
  }
  std::string big_endian = bytes;
  big_endian[bytes.find('\x88')] = '\x89';
  expect_open_error(write(big_endian), {"little_endian", "big-endian machine"});

  const auto with_keys = [&](std::vector<TorchData> storages) {
    return old_torch_bytes(file.pickle(true), storages);
  };
  const TorchData a = file.storages[0], b = file.storages[1];
  EXPECT_EQ(open_error(write(with_keys({b, a}))), "");
  expect_open_error(write(with_keys({a})), {"list of the 2 storages"});
  expect_open_error(write(with_keys({a, a})), {"once", "'0'"});
  expect_open_error(write(with_keys({a, b, b})), {"list of the 2 storages"});
  expect_open_error(write(with_keys({a, {"../x", "bbb", 1}})), {"once", "'../x'"});
}

TEST_F(TorchDamage, TensorsThatContradictEachOtherAboutAStorage) {
  TorchFile file = small_file();
  file.tensors[2].storage_values = 5;
  expect_open_error(write(file.old()), {"'t'", "storage '0'"});
  expect_open_error(write(file.zip()), {"'t'", "storage '0'"});
  file.tensors[2] = {"t", "Half", "0", 4, 0, {2}, {1}};
  expect_open_error(write(file.old()), {"'t'", "storage '0'"});
  expect_open_error(write(file.zip()), {"'t'", "storage '0'"});
}

TEST_F(TorchDamage, EntriesThatCannotBeReadInPlace) {
  for (const uint16_t method : std::vector<uint16_t>{1, 8, 9, 12, 14, 93, 95, 99, 0xffff}) {
    for (const size_t entry : {size_t{0}, size_t{3}}) {
      std::vector<ZipPart> parts = small_file().parts();
      parts[entry].method = method;
      expect_open_error(write(zip_bytes(parts).bytes),
                        {"compressed", parts[entry].name, std::to_string(method)});
    }
  }
  for (const uint16_t flags : std::vector<uint16_t>{1, 1 << 6, 1 << 13, 0xffff}) {
    std::vector<ZipPart> parts = small_file().parts();
    parts[3].flags = flags;
    expect_open_error(write(zip_bytes(parts).bytes), {"encrypted", "model/data/0"});
  }
}

TEST_F(TorchDamage, EntriesOfTheArchive) {
  using Parts = std::vector<ZipPart>;
  const Parts parts = small_file().parts();
  const auto expect_parts_error = [&](const Parts& changed, const std::vector<std::string>& words) {
    expect_open_error(write(zip_bytes(changed).bytes), words);
  };
  for (size_t i = 0; i < parts.size(); ++i) {  // each one twice
    Parts changed = parts;
    changed.push_back(parts[i]);
    expect_parts_error(changed, {"twice", parts[i].name});
  }
  Parts changed = parts;
  changed.push_back({"other/data.pkl", parts[0].data});
  expect_parts_error(changed, {"one data.pkl", "several"});
  changed = parts;
  changed[0].name = "data.pkl";
  expect_parts_error(changed, {"/data.pkl", "none"});
  changed[0].name = "model/model/data.pkl";
  expect_parts_error(changed, {"/data.pkl", "none"});
  expect_parts_error({{"word/document.xml", "<x/>"}}, {"/data.pkl", "none"});
  changed = parts;
  changed[3].name = "other/data/0";
  expect_parts_error(changed, {"'a'", "storage '0'", "none"});
  for (const std::string order : {"big", "", "LITTLE", "little\n"}) {
    changed = parts;
    changed[2].data = order;
    expect_parts_error(changed, {"byteorder", "'little'"});
  }
  changed = parts;
  changed[0].data.resize(5 << 20);
  expect_parts_error(changed, {"data.pkl", "at most"});
  for (const size_t bytes : {0u, 15u, 17u}) {
    changed = parts;
    changed[3].data.resize(bytes);
    expect_parts_error(changed, {"'a'", "storage '0'", "expected 16 bytes", std::to_string(bytes)});
  }
}

// The directory may say that two entries are the same bytes, or parts of each other.
TEST_F(TorchDamage, EntriesThatOverlap) {
  const ZipBytes zip = zip_bytes(small_file().parts());
  const auto with_size = [&](size_t entry, uint32_t bytes) {
    std::string changed = zip.bytes;
    for (size_t i = 0; i < 4; ++i) {
      changed[zip.central_headers[entry] + 20 + i] = changed[zip.central_headers[entry] + 24 + i] =
          static_cast<char>(bytes >> (8 * i));
    }
    return changed;
  };
  for (size_t entry = 0; entry < zip.headers.size(); ++entry) {
    const size_t next = entry + 1 < zip.headers.size() ? zip.headers[entry + 1] : zip.central_headers[0];
    const auto room = static_cast<uint32_t>(next - zip.data[entry]);
    for (const uint32_t bytes : {room + 1, room + 1000, 0xfffffffeU}) {
      expect_open_error(write(with_size(entry, bytes)), {"zip archive", "expected to end before byte"});
    }
  }
  // Two entries with one header: they would have one name, too.
  std::string changed = zip.bytes;
  for (size_t i = 0; i < 4; ++i)
    changed[zip.central_headers[4] + 42 + i] = zip.bytes[zip.central_headers[3] + 42 + i];
  expect_open_error(write(changed), {"model/data/1", "found 'model/data/0'"});
}

TEST_F(TorchDamage, FlippedBits) {
  std::mt19937 random(4);
  const TorchFile file = small_file();
  const int rounds = kSanitized ? 1000 : 4000;
  for (const std::string& bytes : {file.zip(), plain_zip_bytes(file.parts()).bytes, file.old()}) {
    int opened = 0;
    for (int i = 0; i < rounds; ++i) {
      std::string flipped = bytes;
      for (unsigned n = 0; n <= random() % 2; ++n) {
        flipped[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
      }
      expect_survived(flipped, opened);
    }
    EXPECT_GT(opened, 0);
    EXPECT_LT(opened, rounds);
  }
}

TEST_F(TorchDamage, BytesOfThePickleReplaced) {
  std::mt19937 random(5);
  const TorchFile file = small_file();
  const std::string pickle = file.pickle();
  const std::string opcodes = "\x80.(N\x88\x89JKM\x8aXTU)t\x85\x86\x87]ae}suqrhjcRbQ";
  std::vector<ZipPart> parts = file.parts();
  int opened = 0;
  for (int i = 0; i < (kSanitized ? 1000 : 4000); ++i) {
    parts[0].data = pickle;
    for (unsigned n = 0; n <= random() % 3; ++n) {
      const size_t at = random() % pickle.size();
      switch (random() % 3) {
        case 0:
          parts[0].data[at] = opcodes[random() % opcodes.size()];
          break;
        case 1:
          parts[0].data.insert(at, 1, opcodes[random() % opcodes.size()]);
          break;
        default:
          parts[0].data.erase(std::min(at, parts[0].data.size() - 1), 1);
      }
    }
    expect_survived(zip_bytes(parts).bytes, opened);
  }
  EXPECT_GT(opened, 0);
}

}  // namespace
}  // namespace gptj::test
