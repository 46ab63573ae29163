// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT

#include "io/zip.h"

#include <map>
#include <set>

#include "base/error.h"
#include "io/byte_reader.h"

namespace gptj {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50;
constexpr uint32_t kEnd = 0x06054b50, kEnd64 = 0x06064b50, kEnd64Locator = 0x07064b50;
constexpr uint64_t kLocalBytes = 30, kEndBytes = 22, kEnd64Bytes = 56, kLocatorBytes = 20;

/// A field has this value if its number is in a zip64 field.
constexpr uint32_t kSee64 = 0xffffffff;

/// The list of entries at the archive's end.
struct CentralDirectory {
  uint64_t entries, bytes, offset;
};

/// An entry of the central directory: where its own header begins, and how many bytes it has.
struct CentralEntry {
  std::string name;
  uint64_t header_at, bytes;
};

ByteReader reader_at(const InputFile& file, uint64_t offset, std::string_view what) {
  ByteReader reader(file);
  reader.skip(offset, what);
  return reader;
}

void expect(ByteReader& reader, std::string_view what, uint64_t expected, uint64_t found) {
  if (found == expected) return;
  fail("{}: zip archive: {} before byte {}: expected {:#x}, found {:#x}: truncated or damaged",
       quoted(reader.path()), what, reader.offset(), expected, found);
}

CentralDirectory read_end64(const InputFile& file, uint64_t locator_at) {
  ByteReader locator = reader_at(file, locator_at + 4, "zip64 locator");
  expect(locator, "number of the disk", 0, locator.u32("number of the disk"));
  const uint64_t end_at = locator.u64("place of the zip64 end");
  if (locator_at < kEnd64Bytes) fail("{}: zip archive: truncated", quoted(file.path()));
  expect(locator, "place of the zip64 end", locator_at - kEnd64Bytes, end_at);
  expect(locator, "number of disks", 1, locator.u32("number of disks"));

  ByteReader end = reader_at(file, end_at, "zip64 end");
  expect(end, "signature of the zip64 end", kEnd64, end.u32("signature"));
  expect(end, "size of the zip64 end", kEnd64Bytes - 12, end.u64("size"));
  end.skip(4, "versions");
  expect(end, "number of the disk", 0, end.u64("number of the disk"));  // two fields of 4 bytes
  const uint64_t entries = end.u64("number of entries");
  expect(end, "number of entries", entries, end.u64("number of entries"));
  const uint64_t bytes = end.u64("size of the directory");
  return {entries, bytes, end.u64("place of the directory")};
}

/// Finds the directory. The archive must end with its end record: torch writes no comment behind it.
CentralDirectory read_end(const InputFile& file) {
  if (file.size() < kEndBytes) fail("{}: zip archive: truncated: {} bytes", quoted(file.path()), file.size());
  const uint64_t end_at = file.size() - kEndBytes;
  ByteReader end = reader_at(file, end_at, "end");
  expect(end, "signature of its end", kEnd, end.u32("signature"));
  expect(end, "number of the disk", 0, end.u32("number of the disk"));  // two fields of 2 bytes
  const uint64_t entries = end.u16("number of entries");
  expect(end, "number of entries", entries, end.u16("number of entries"));
  const uint64_t bytes = end.u32("size of the directory"), offset = end.u32("place of the directory");
  expect(end, "length of a comment", 0, end.u16("length of a comment"));

  CentralDirectory directory{entries, bytes, offset};
  uint64_t directory_end = end_at;
  if (end_at >= kLocatorBytes) {
    const uint64_t locator_at = end_at - kLocatorBytes;
    if (reader_at(file, locator_at, "locator").u32("signature") == kEnd64Locator) {
      directory = read_end64(file, locator_at);
      directory_end = locator_at - kEnd64Bytes;
    }
  }
  if (directory.bytes > directory_end || directory.offset != directory_end - directory.bytes) {
    fail("{}: zip archive: expected its directory to end at byte {}, found {} bytes from {} on",
         quoted(file.path()), directory_end, directory.bytes, directory.offset);
  }
  return directory;
}

/// Reads an entry's extra fields, and replaces numbers that are kSee64 with those of zip64's.
void read_extra(ByteReader& reader, uint64_t bytes, CentralEntry& entry, uint64_t& packed_bytes) {
  constexpr uint16_t kZip64 = 1;
  for (uint64_t end = reader.offset() + bytes; reader.offset() < end;) {
    const uint16_t id = reader.u16("extra field");
    const uint16_t field_bytes = reader.u16("extra field");
    const uint64_t field_end = reader.offset() + field_bytes;
    if (field_end > end)
      fail("{}: zip archive: entry {}: damaged extra field", quoted(reader.path()), quoted(entry.name));
    for (uint64_t* number : {&entry.bytes, &packed_bytes, &entry.header_at}) {
      if (id == kZip64 && *number == kSee64 && reader.offset() + 8 <= field_end)
        *number = reader.u64("zip64 field");
    }
    reader.skip(field_end - reader.offset(), "extra field");
  }
}

CentralEntry read_central_entry(ByteReader& reader) {
  expect(reader, "signature of an entry", kCentralHeader, reader.u32("signature"));
  reader.skip(4, "versions");
  const uint16_t flags = reader.u16("flags"), method = reader.u16("compression method");
  reader.skip(8, "time and checksum");
  uint64_t packed_bytes = reader.u32("packed size");
  CentralEntry entry{.name = "", .header_at = 0, .bytes = reader.u32("size")};
  const uint16_t name_bytes = reader.u16("length of a name"),
                 extra_bytes = reader.u16("length of extra fields");
  const uint16_t comment_bytes = reader.u16("length of a comment");
  expect(reader, "number of the disk", 0, reader.u16("number of the disk"));
  reader.skip(6, "attributes");
  entry.header_at = reader.u32("place");
  entry.name = reader.text(name_bytes, "name of an entry");
  read_extra(reader, extra_bytes, entry, packed_bytes);
  reader.skip(comment_bytes, "comment");

  constexpr uint16_t kEncrypted = 1 << 0 | 1 << 6 | 1 << 13;
  if ((flags & kEncrypted) != 0) {
    fail("{}: zip archive: entry {} is encrypted, which is not read", quoted(reader.path()),
         quoted(entry.name));
  }
  if (method != 0 || packed_bytes != entry.bytes) {
    fail(
        "{}: zip archive: entry {} is compressed (method {}); torch stores weights as they are: unpack the "
        "archive and pack it with method 0",
        quoted(reader.path()), quoted(entry.name), method);
  }
  return entry;
}

/// Where the entry's bytes begin: behind its own header.
uint64_t data_offset(const InputFile& file, const CentralEntry& entry) {
  ByteReader reader = reader_at(file, entry.header_at, "header of an entry");
  expect(reader, "signature of an entry's header", kLocalHeader, reader.u32("signature"));
  reader.skip(kLocalBytes - 4 - 4, "header of an entry");
  const uint16_t name_bytes = reader.u16("length of a name"),
                 extra_bytes = reader.u16("length of extra fields");
  const std::string name = reader.text(name_bytes, "name of an entry");
  if (name != entry.name) {
    fail("{}: zip archive: entry {}: expected its name again in its header, found {}", quoted(file.path()),
         quoted(entry.name), quoted(name));
  }
  reader.skip(extra_bytes, "extra fields");
  return reader.offset();
}

/// `entries` by the place of their headers: each must end before the next one's header, the last before the directory.
void check_overlaps(const InputFile& file, const std::map<uint64_t, ZipEntry>& entries,
                    uint64_t directory_at) {
  for (auto it = entries.begin(); it != entries.end();) {
    const ZipEntry& entry = it->second;
    const uint64_t limit = ++it == entries.end() ? directory_at : it->first;
    if (entry.offset <= limit && entry.bytes <= limit - entry.offset) continue;
    fail("{}: zip archive: entry {}: expected to end before byte {}, found {} bytes from {} on",
         quoted(file.path()), quoted(entry.name), limit, entry.bytes, entry.offset);
  }
}

}  // namespace

std::vector<ZipEntry> read_zip_directory(const InputFile& file) {
  const CentralDirectory directory = read_end(file);
  ByteReader reader = reader_at(file, directory.offset, "directory");
  std::map<uint64_t, ZipEntry> by_place;
  std::set<std::string> names;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    const CentralEntry entry = read_central_entry(reader);
    if (!names.insert(entry.name).second) {
      fail("{}: zip archive: entry {}: found twice", quoted(file.path()), quoted(entry.name));
    }
    by_place.insert({entry.header_at, {entry.name, data_offset(file, entry), entry.bytes}});
  }
  expect(reader, "end of the directory", directory.offset + directory.bytes, reader.offset());
  check_overlaps(file, by_place, directory.offset);

  std::vector<ZipEntry> entries;
  for (auto& [place, entry] : by_place) entries.push_back(std::move(entry));
  return entries;
}

}  // namespace gptj
