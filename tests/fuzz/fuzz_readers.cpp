// The readers of src/io, src/text and src/grammar under libFuzzer: fuzz_readers READER [libFuzzer's arguments]. The input
// becomes a file; what opens is read to its last weight, and converted. Or it is a grammar; what can be one is followed
// for some bytes. An Error is the right answer to nonsense, anything else a finding.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/thread_pool.h"
#include "engine/session_format.h"
#include "fuzz/session_of_seeds.h"
#include "gptj/convert.h"
#include "gptj/error.h"
#include "gptj/grammar.h"
#include "gptj/session_file.h"
#include "gptj/tokenizer.h"
#include "grammar/texts.h"
#include "io/checksum.h"
#include "io/model_files.h"
#include "io/native.h"
#include "model/architecture.h"
#include "model/load.h"
#include "model/row_reader.h"

using namespace gptj;

namespace {

/// The right answer to nonsense: one short line.
void check(const Error& error) {
  const std::string_view message = error.what();
  constexpr size_t kLongest = 2000;  // with four names of a hundred bytes, all of them escaped
  if (message.size() < kLongest && message.find_first_of("\n\r\x1b") == std::string_view::npos) return;
  std::fprintf(stderr, "a message that is no short line: %s\n", error.what());
  std::abort();
}

void read_vocabulary(const std::string& path) {
  try {
    const Tokenizer tokenizer(open_vocab(path));
    tokenizer.decode(tokenizer.encode("int main(void) {\n  return \xc3\xa9\xff; }\n"));
  } catch (const Error& error) {
    check(error);
  }
}

void read_weights(const std::string& path) {
  try {
    const ModelFile file = open_model_file(path);
    Binder binder(file);
    const std::unique_ptr<Architecture> architecture = make_architecture(file);
    architecture->bind(binder);
    binder.check_unused(architecture->config().n_layer);
    RowReader reader(file.path);
    for (const MatrixBinding& matrix : binder.matrices()) reader.read(matrix, 0, matrix.to->rows);
    for (const VectorBinding& vector : binder.vectors()) {
      if (vector.from != nullptr) reader.read(vector);
    }
    ThreadPool pool(1);
    load_weights(binder, pool, {});
  } catch (const Error& error) {
    check(error);
  }
}

void convert(const std::string& path) {
  const std::string out = path + ".gguf";
  try {
    convert_model(path, out, {.n_threads = 1});
    std::filesystem::remove(out);
  } catch (const Error& error) {
    check(error);
  }
}

void read_model(const std::string& path) {
  read_vocabulary(path);
  read_weights(path);
  convert(path);
}

void read_session(const std::string& path) {
  static SessionOfSeeds seeds;
  try {
    read_session_tokens(path);
    load_session(seeds.session, path);
    seeds.session.decode(1);
  } catch (const Error& error) {
    check(error);
  }
}

/// Follows the grammar where the input's own bytes lead, or else the first that is allowed.
template <Grammar (*kMake)(std::string_view)>
void read_grammar(const std::string& text) {
  constexpr size_t kSteps = 64;
  try {
    GrammarMatcher matcher(kMake(text), {test::byte_tokenizer(), test::byte_tokenizer().n_tokens()});
    for (size_t i = 0; i < kSteps && !matcher.must_end(); ++i) {
      int next = i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
      if (!test::is_allowed(matcher, next)) {
        next = 0;
        while (!test::is_allowed(matcher, next)) ++next;
      }
      matcher.accept(next);
    }
  } catch (const Error& error) {
    check(error);
  }
}

/// A reader, as the file that it reads, or as what makes a grammar.
struct Reader {
  std::string_view name;
  std::string_view file;                 // the input's name; empty: a grammar
  std::string_view beside;               // the golden whose other files lie beside it; empty: none
  void (*mend)(std::string&) = nullptr;  // makes right what the fuzzer cannot
  void (*read)(const std::string& input) = read_model;  // a path; of grammars the text itself
};

/// Gives our own file the checksum of its header.
void mend_native(std::string& bytes) {
  NativeStart start{};
  if (bytes.size() < sizeof start) return;
  bytes.copy(reinterpret_cast<char*>(&start), sizeof start);
  const uint64_t rest = bytes.size() - sizeof start, checksums = start.n_tensors * sizeof(uint32_t);
  if (start.header_bytes > rest || start.vocab_bytes > rest || checksums > rest) return;
  start.checksum = native_checksum(
      start,
      std::string_view(bytes).substr(sizeof start, start.header_bytes + start.vocab_bytes + checksums));
  bytes.replace(0, sizeof start, reinterpret_cast<const char*>(&start), sizeof start);
}

/// Gives a session file the checksums of its tokens, and of each panel of their keys and values.
void mend_session(std::string& bytes) {
  SessionHead head{};
  if (bytes.size() < sizeof head.start) return;
  bytes.copy(reinterpret_cast<char*>(&head.start), sizeof head.start);
  const uint64_t n = head.start.n_tokens, n_ids = n + head.start.n_pending;
  if (n == 0 || n_ids > (bytes.size() - sizeof head.start) / sizeof(int32_t)) return;
  head.ids.resize(n_ids);
  bytes.copy(reinterpret_cast<char*>(head.ids.data()), n_ids * sizeof(int32_t), sizeof head.start);
  head.start.checksum = session_checksum(head);
  bytes.replace(0, sizeof head.start, reinterpret_cast<const char*>(&head.start), sizeof head.start);
  for (uint64_t at = head.bytes(), left = n; left > 0;) {
    const uint64_t tokens = std::min<uint64_t>(left, kPanelRows);
    const uint64_t size = tokens * SessionOfSeeds::kTokenBytes;
    if (size + sizeof(uint32_t) > bytes.size() - at) return;
    const uint32_t checksum = crc32_of(std::string_view(bytes).substr(at, size));
    bytes.replace(at + size, sizeof checksum, reinterpret_cast<const char*>(&checksum), sizeof checksum);
    at += size + sizeof checksum;
    left -= tokens;
  }
}

/// THE list of readers. tests/fuzz/CMakeLists.txt has their seeds.
constexpr Reader kReaders[] = {
    {"ggml", "ggml-model.bin", ""},
    {"gguf", "model.gguf", ""},
    {"native", "model.gptj", "", mend_native},
    {"safetensors", "model.safetensors", "gptj-f32"},
    {"torch_zip", "pytorch_model.bin", "gptj-torch"},
    {"torch_legacy", "pytorch_model.bin", "gpt2-torch-old"},
    {"session", "a.session", "", mend_session, read_session},
    {"config", "config.json", "gpt2-safetensors-shards"},
    {"index", "model.safetensors.index.json", "gpt2-safetensors-shards"},
    {"tokenizer", "tokenizer.json", "gpt2-safetensors-shards"},
    {"vocab", "vocab.json", "gpt2-safetensors-shards"},
    {"merges", "merges.txt", "gpt2-safetensors-shards"},
    {.name = "gbnf", .read = read_grammar<Grammar::gbnf>},
    {.name = "json_schema", .read = read_grammar<Grammar::json_schema>},
    {.name = "regex", .read = read_grammar<Grammar::regex>},
};

/// Where the input becomes a model.
class Place {
 public:
  explicit Place(const Reader& reader) : reader_(reader) {
    namespace fs = std::filesystem;
    if (reader.beside.empty()) return;
    const fs::path golden = fs::path(GPTJ_TEST_DATA) / "golden" / reader.beside;
    for (const auto& entry : fs::directory_iterator(golden)) {
      const fs::path name = entry.path().filename();
      if (name != reader.file) fs::copy(entry.path(), directory_ / name.native());
    }
  }

  const Reader& reader() const { return reader_; }

  /// The path by which the model is opened; of what is no file the input itself.
  std::string put(std::string input) const {
    if (reader_.file.empty()) return input;
    if (reader_.mend != nullptr) reader_.mend(input);
    const std::string path = directory_.file(reader_.file, input);
    return reader_.beside.empty() ? path : directory_.path();
  }

 private:
  const Reader& reader_;
  const test::TemporaryDirectory directory_;
};

std::unique_ptr<Place> place;

}  // namespace

/// Takes READER from the arguments.
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  const std::string_view name = *argc > 1 ? (*argv)[1] : "";
  const auto* reader = std::find_if(std::begin(kReaders), std::end(kReaders),
                                    [&](const Reader& known) { return known.name == name; });
  if (reader == std::end(kReaders)) {
    std::fputs("usage: fuzz_readers READER [libFuzzer's arguments]; READER is one of", stderr);
    for (const Reader& known : kReaders) std::fprintf(stderr, " %s", std::string(known.name).c_str());
    std::fputs("\n", stderr);
    std::exit(2);
  }
  (*argv)[1] = (*argv)[0];
  ++*argv;
  --*argc;
  place = std::make_unique<Place>(*reader);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  place->reader().read(place->put({reinterpret_cast<const char*>(data), size}));
  return 0;
}
