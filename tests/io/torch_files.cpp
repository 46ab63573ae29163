#include "io/torch_files.h"

#include <algorithm>
#include <stdexcept>

namespace gptj::test {
namespace {

void append(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(i < 8 ? value >> (8 * i) : 0);
}

std::string little_endian(uint64_t value, int bytes) {
  std::string out;
  append(out, value, bytes);
  return out;
}

std::vector<int64_t> contiguous_strides(const std::vector<int64_t>& shape) {
  std::vector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return strides;
}

int64_t product(const std::vector<int64_t>& shape) {
  int64_t values = 1;
  for (const int64_t n : shape) values *= n;
  return values;
}

struct TypeNames {
  const char *safetensors, *torch;
  size_t bytes;
};
constexpr TypeNames kTypes[] = {
    {"F32", "Float", 4}, {"F16", "Half", 2}, {"BF16", "BFloat16", 2}, {"BOOL", "Bool", 1}, {"U8", "Byte", 1},
};

void append_header(std::string& out, const ZipPart& part, uint16_t extra_bytes) {
  out += "PK\x03\x04";
  append(out, 0, 2);
  append(out, part.flags, 2);
  append(out, part.method, 2);
  append(out, 0, 4 + 4 + 4 + 4);
  append(out, part.name.size(), 2);
  append(out, extra_bytes, 2);
  out += part.name;
}

void append_central_header(std::string& out, const ZipPart& part, size_t header) {
  out += "PK\x01\x02";
  append(out, 0, 4);
  append(out, part.flags, 2);
  append(out, part.method, 2);
  append(out, 0, 8);
  append(out, part.data.size(), 4);
  append(out, part.data.size(), 4);
  append(out, part.name.size(), 2);
  append(out, 0, 2 + 2 + 2 + 6);
  append(out, header, 4);
  out += part.name;
}

/// All but the end.
ZipBytes zip_body(const std::vector<ZipPart>& parts) {
  constexpr size_t kAlignment = 64, kHeader = 30, kExtra = 4;
  ZipBytes zip;
  for (const ZipPart& part : parts) {
    zip.headers.push_back(zip.bytes.size());
    const size_t unpadded = zip.bytes.size() + kHeader + part.name.size() + kExtra;
    const size_t padding = (kAlignment - unpadded % kAlignment) % kAlignment;
    append_header(zip.bytes, part, static_cast<uint16_t>(kExtra + padding));
    zip.bytes += "FB" + little_endian(padding, 2) + std::string(padding, 'Z');
    zip.data.push_back(zip.bytes.size());
    zip.bytes += part.data + "PK\x07\x08" + little_endian(0, 4);  // no reader looks at what stands behind
    append(zip.bytes, part.data.size(), 4);
    append(zip.bytes, part.data.size(), 4);
  }
  for (size_t i = 0; i < parts.size(); ++i) {
    zip.central_headers.push_back(zip.bytes.size());
    append_central_header(zip.bytes, parts[i], zip.headers[i]);
  }
  zip.end64 = zip.bytes.size();
  return zip;
}

void append_end(ZipBytes& zip) {
  const size_t begin = zip.central_headers.front(), entries = zip.central_headers.size();
  zip.end = zip.bytes.size();
  zip.bytes += "PK\x05\x06";
  append(zip.bytes, 0, 4);
  append(zip.bytes, entries, 2);
  append(zip.bytes, entries, 2);
  append(zip.bytes, zip.end64 - begin, 4);
  append(zip.bytes, begin, 4);
  append(zip.bytes, 0, 2);
}

}  // namespace

namespace pickled {

std::string text(std::string_view text) {
  return "X" + little_endian(text.size(), 4) + std::string(text);
}

std::string integer(int64_t value) {
  if (value >= 0 && value < 256) return "K" + little_endian(static_cast<uint64_t>(value), 1);
  return "\x8a\x08" + little_endian(static_cast<uint64_t>(value), 8);
}

std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}

std::string tuple(const std::vector<std::string>& items) {
  std::string out = "(";
  for (const std::string& item : items) out += item;
  return out + "t";
}

std::string numbers(const std::vector<int64_t>& items) {
  std::string out = "(";
  for (const int64_t item : items) out += integer(item);
  return out + "t";
}

std::string list(const std::vector<std::string>& items) {
  std::string out = "](";
  for (const std::string& item : items) out += item;
  return out + "e";
}

std::string dict(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string out = "}(";
  for (const auto& [key, value] : items) out.append(key).append(value);
  return out + "u";
}

std::string ordered_dict(const std::vector<std::pair<std::string, std::string>>& items) {
  return call(global("collections", "OrderedDict"), ")") + dict(items).substr(1);
}

std::string call(const std::string& function, const std::string& arguments) {
  return function + arguments + "R";
}

std::string persistent(const std::string& id) {
  return id + "Q";
}

std::string whole(const std::string& value) {
  return "\x80\x02" + value + ".";
}

}  // namespace pickled

ZipBytes zip_bytes(const std::vector<ZipPart>& parts) {
  ZipBytes zip = zip_body(parts);
  zip.bytes += "PK\x06\x06";
  append(zip.bytes, 44, 8);
  append(zip.bytes, 0, 4 + 4 + 4);
  append(zip.bytes, parts.size(), 8);
  append(zip.bytes, parts.size(), 8);
  append(zip.bytes, zip.end64 - zip.central_headers.front(), 8);
  append(zip.bytes, zip.central_headers.front(), 8);
  zip.locator = zip.bytes.size();
  zip.bytes += "PK\x06\x07";
  append(zip.bytes, 0, 4);
  append(zip.bytes, zip.end64, 8);
  append(zip.bytes, 1, 4);
  append_end(zip);
  return zip;
}

ZipBytes plain_zip_bytes(const std::vector<ZipPart>& parts) {
  ZipBytes zip = zip_body(parts);
  append_end(zip);
  return zip;
}

std::string TorchView::storage(bool old) const {
  using namespace pickled;
  std::vector<std::string> id = {text("storage"), global("torch", type + "Storage"), text(key), text("cpu"),
                                 integer(storage_values)};
  if (old) id.push_back("N");
  return persistent(tuple(id));
}

std::string TorchView::pickle(bool old) const {
  using namespace pickled;
  return call(
      global("torch._utils", "_rebuild_tensor_v2"),
      tuple({storage(old), integer(first), numbers(shape), numbers(strides), "\x89", ordered_dict({})}));
}

std::string TorchFile::pickle(bool old) const {
  std::vector<std::pair<std::string, std::string>> items;
  for (const TorchView& tensor : tensors) items.emplace_back(pickled::text(tensor.name), tensor.pickle(old));
  const std::string metadata = pickled::dict({{pickled::text("_metadata"), pickled::ordered_dict({})}});
  return pickled::whole(pickled::ordered_dict(items) + metadata + "b");
}

std::vector<ZipPart> TorchFile::parts() const {
  std::vector<ZipPart> parts = {
      {"model/data.pkl", pickle()}, {"model/.format_version", "1"}, {"model/byteorder", "little"}};
  for (const TorchData& storage : storages) parts.push_back({"model/data/" + storage.key, storage.data});
  parts.push_back({"model/version", "3\n"});
  parts.push_back({"model/.data/serialization_id", "0561108523619670529409408348223983433364"});
  return parts;
}

std::string TorchFile::old() const {
  return old_torch_bytes(pickle(true), storages);
}

TorchFile torch_file(const std::vector<SafeTensor>& tensors) {
  TorchFile file;
  for (const SafeTensor& tensor : tensors) {
    const std::string key = std::to_string(file.storages.size());
    const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeNames& known) {
      return tensor.dtype == known.safetensors;
    });
    if (type == std::end(kTypes)) throw std::runtime_error("no torch type for " + tensor.dtype);
    file.tensors.push_back({tensor.name, type->torch, key, product(tensor.shape), 0, tensor.shape,
                            contiguous_strides(tensor.shape)});
    file.storages.push_back({key, tensor.data, type->bytes});
  }
  return file;
}

std::string old_torch_bytes(const std::string& pickle, const std::vector<TorchData>& storages) {
  using namespace pickled;
  std::string out = "\x80\x02\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.";
  out += whole("M" + little_endian(1001, 2));
  out += whole(
      dict({{text("protocol_version"), "M" + little_endian(1001, 2)}, {text("little_endian"), "\x88"}}));
  out += pickle;
  std::vector<std::string> keys;
  for (const TorchData& storage : storages) keys.push_back(text(storage.key));
  out += whole(list(keys));
  for (const TorchData& storage : storages) {
    out += little_endian(storage.data.size() / storage.value_bytes, 8) + storage.data;
  }
  return out;
}

}  // namespace gptj::test
