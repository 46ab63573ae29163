// The commands for looking inside: their output is what tests and other programs rely on.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/sanitized.h"
#include "io/model_files.h"
#include "npy_file.h"
#include "process.h"

namespace gptj::test {
namespace {

const std::string kCode =
    "#include <stdio.h>\n\nint main(void) {\n\tprintf(\"Grüße, 世界 %d\\n\", 42);\n  return 0;\n}\n";

std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<int> ids_of(const std::string& text) {
  const Finished f = gptj({"tokenize", "-m", kDemoGptJ, "--json", "-q", "-p", text});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_TRUE(matches(f.out, "[*]\n"));
  EXPECT_EQ(f.out.find_first_not_of("[0123456789,]\n"), std::string::npos) << f.out;
  return nlohmann::json::parse(f.out).get<std::vector<int>>();
}

std::string joined(const std::vector<int>& ids, const std::string& separator) {
  std::string out;
  for (int id : ids) out += (out.empty() ? "" : separator) + std::to_string(id);
  return out;
}

TEST(Tokenize, DecodeGivesTheSameBytesBack) {
  for (const std::string& text :
       {kCode, std::string("\xff\xc3 \x80"), std::string(" \t\n"), std::string("")}) {
    const std::vector<int> ids = ids_of(text);
    const Finished f = gptj({"tokenize", "-m", kDemoGptJ, "--decode", joined(ids, ",")});
    EXPECT_EQ(f.code, 0);
    EXPECT_EQ(f.out, text);
  }
}

TEST(Tokenize, FileAndStandardInputAreTakenExactly) {
  const TemporaryDirectory directory;
  const std::string expected = joined(ids_of(kCode), ",");
  const std::vector<std::string> args = {"tokenize", "-m", kDemoGptJ, "--json"};
  EXPECT_EQ(gptj(args, kCode).out, "[" + expected + "]\n");
  const std::string file = directory.file("code.c", kCode);
  EXPECT_EQ(gptj({"tokenize", "-m", kDemoGptJ, "--json", "-f", file}).out, "[" + expected + "]\n");
  const std::string ids = directory.file("ids", joined(ids_of(kCode), " \n"));
  EXPECT_EQ(gptj({"tokenize", "-m", kDemoGptJ, "--decode", "@" + ids}).out, kCode);
}

TEST(Tokenize, ListsIdsWithTheirPieces) {
  const std::string text = "int x = 'a';\n\t\\\x01\xff";
  const std::vector<int> ids = ids_of(text);
  const Finished f = gptj({"tokenize", "-m", kDemoGptJ, "-p", text});
  const std::vector<std::string> found = lines(f.out);
  ASSERT_EQ(found.size(), ids.size());
  std::string pieces;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string before = std::to_string(ids[i]) + "\t'";
    EXPECT_TRUE(found[i].starts_with(before) && found[i].ends_with('\'')) << found[i];
    pieces += found[i].substr(before.size(), found[i].size() - before.size() - 1);
  }
  EXPECT_EQ(pieces, R"(int x = \'a\';\n\t\\\x01\xff)");
}

TEST(Tokenize, NeedsOnlyTokenizerFiles) {
  const TemporaryDirectory directory;
  for (const char* name : {"vocab.json", "merges.txt"}) {
    std::filesystem::copy_file(kDemoGptJ + "/" + name, directory / name);
  }
  const Finished f = gptj({"tokenize", "-m", directory.path(), "--json", "-p", kCode});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_EQ(f.out, "[" + joined(ids_of(kCode), ",") + "]\n");
}

TEST(Tokenize, AnIdOutsideTheVocabularyIsAnError) {
  const Finished f = gptj({"tokenize", "-m", kDemoGptJ, "--decode", "1,4096"});
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(f.out, "");
  EXPECT_TRUE(contains(f.err, "expected ids from 0 to 4095, found 4096"));
}

TEST(Logits, WritesARowOfTheVocabularyForEachToken) {
  const TemporaryDirectory directory;
  const std::vector<int> ids = ids_of(kCode);
  const Finished f = gptj({"logits", "-m", kDemoGptJ, "-q", "-p", kCode, "-o", directory / "a.npy"});
  EXPECT_EQ(f.code, 0);
  EXPECT_EQ(f.out + f.err, "");
  const Array a = read_npy(directory / "a.npy");
  EXPECT_EQ(a.rows, ids.size());
  EXPECT_EQ(a.columns, 4096U);
  ASSERT_EQ(a.values.size(), a.rows * a.columns);

  // The rows are those of these tokens: a greedy text continues with the last row's largest.
  const auto last = a.values.end() - 4096;
  const auto best = static_cast<int>(std::max_element(last, a.values.end()) - last);
  const Finished text = gptj({"-m", kDemoGptJ, "-q", "--temp", "0", "-n", "1", "--exact", "-p", kCode});
  const Finished piece = gptj({"tokenize", "-m", kDemoGptJ, "--decode", std::to_string(best)});
  EXPECT_EQ(text.out, kCode + piece.out + "\n");
}

TEST(Logits, IdsFromTheCommandLineAndFromAFileGiveTheSame) {
  const TemporaryDirectory directory;
  const std::vector<int> ids = ids_of(kCode);
  const std::string file = directory.file("ids.txt", "\n" + joined(ids, ", \n") + "\n");
  const std::vector<std::vector<std::string>> ways = {
      {"-p", kCode}, {"--ids", joined(ids, ",")}, {"--ids", "@" + file}, {"-p", kCode, "-t", "1", "-b", "5"}};
  std::string first;
  for (const auto& way : ways) {
    std::vector<std::string> args = {"logits", "-m", kDemoGptJ, "-q", "-o", directory / "b.npy"};
    args.insert(args.end(), way.begin(), way.end());
    EXPECT_EQ(gptj(args).code, 0);
    const std::string bytes = read(directory / "b.npy");
    if (first.empty()) first = bytes;
    EXPECT_TRUE(bytes == first);
  }
}

TEST(Logits, BadIdsAndFilesAreErrorsThatLeaveNothing) {
  const TemporaryDirectory directory;
  const std::string out = directory / "c.npy";
  const auto failure = [&](const std::string& ids, const std::string& path) {
    const Finished f = gptj({"logits", "-m", kDemoGptJ, "-q", "--ids", ids, "-o", path});
    EXPECT_NE(f.code, 0);
    EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
    EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
    return f.err;
  };
  EXPECT_TRUE(contains(failure("1,4096", out), "--ids: expected ids from 0 to 4095, found 4096"));
  EXPECT_TRUE(contains(failure("1,-2", out), "found '-2'"));
  EXPECT_TRUE(contains(failure("", out), "at least one token"));
  EXPECT_TRUE(contains(failure("@/no/such", out), "'/no/such'"));
  EXPECT_TRUE(contains(failure("1,2", directory / "no/such.npy"), "no/such.npy"));
  std::string many = "1";
  for (int i = 0; i < 512; ++i) many += ",1";
  EXPECT_TRUE(contains(failure(many, out), "expected at most 512 tokens, the model's context, found 513"));
}

TEST(Logits, OnlyARegularFileIsReplaced) {
  const TemporaryDirectory directory;
  ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
  const Finished f = gptj({"logits", "-m", kDemoGptJ, "-q", "--ids", "1", "-o", directory / "fifo"});
  EXPECT_EQ(f.code, 1);
  EXPECT_TRUE(contains(f.err, "expected a regular file"));
  EXPECT_TRUE(std::filesystem::is_fifo(directory / "fifo"));
}

/// C source of the project's own: what the demo models were made for.
std::string long_code() {
  std::string text;
  for (int i = 0; i < (kSanitized ? 15 : 40); ++i)
    text += "static int f" + std::to_string(i) + "(int x) {\n  return x + 1;\n}\n" + kCode;
  return text;
}

TEST(Outputs, NeverTakeTheNameOfWhatIsRead) {
  const TemporaryDirectory directory;
  const std::string model = directory / "model.gptj", link = directory / "link";
  EXPECT_EQ(gptj({"convert", kDemoGptJ, model, "-q"}).code, 0);
  const auto size = std::filesystem::file_size(model);
  std::filesystem::create_symlink(model, link);
  const std::string text = directory.file("text.c", long_code());
  const auto expect_refused = [&](const std::string& out, const std::string& read) {
    for (std::vector<std::string> args : {std::vector<std::string>{"logits", "-f", text, "-o"},
                                          {"imatrix", "-f", text, "-o"},
                                          {"embed", "--lines", "-f", text, "-o"},
                                          {"perplexity", "-f", text, "--save-kl-base"},
                                          {"-n", "1", "-f", text, "--trace"},
                                          {"-n", "1", "--batch-file", text, "--trace"}}) {
      args.insert(args.end(), {out, "-m", read});
      const Finished f = gptj(args);
      EXPECT_EQ(f.code, 1);
      EXPECT_EQ(lines(f.err).size(), 1U) << f.err;
      EXPECT_TRUE(contains(f.err, out + "': expected another name"));
    }
  };
  for (const std::string& out : {model, link, text}) expect_refused(out, model);
  EXPECT_EQ(gptj({"convert", kDemoGptJ, directory / "hf/", "-q"}).code, 0);
  expect_refused(directory / "hf/model.safetensors", directory / "hf");
  const Finished draft = gptj({"-m", kDemoGptJ, "-p", "x", "--draft", model, "--trace", model});
  EXPECT_TRUE(contains(draft.err, model + "': expected another name"));
  EXPECT_EQ(std::filesystem::file_size(model), size);
}

TEST(Perplexity, ReportsResultErrorAndMethod) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("code.c", long_code());
  const Finished f = gptj({"perplexity", "-m", kDemoGptJ, "-f", file, "--ctx", "128"});
  EXPECT_EQ(f.code, 0);
  EXPECT_TRUE(matches(f.out,
                      "perplexity = %.#### +/- %.####\n"
                      "nll = %.###### nats per token\n"
                      "windows = % of 128 tokens (% of % tokens scored)\n"
                      "method = windows *\n"));
  EXPECT_TRUE(contains(f.err, "perplexity: ........................................ done\n"));
  EXPECT_TRUE(has_line(f.err, "perplexity: time = %.## ms / % tokens / %.## tokens per second"));
}

TEST(Perplexity, JsonIsOneObjectThatAgreesWithItself) {
  const TemporaryDirectory directory;
  const std::string file = directory.file("code.c", long_code());
  const auto measured = [&](std::vector<std::string> more) {
    std::vector<std::string> args = {"perplexity", "-m", kDemoGptJ, "-f", file, "--json", "-q"};
    args.insert(args.end(), more.begin(), more.end());
    const Finished f = gptj(args);
    EXPECT_EQ(f.code, 0);
    EXPECT_EQ(f.err, "");
    return nlohmann::json::parse(f.out);
  };
  const nlohmann::json a = measured({});
  EXPECT_EQ(a.at("n_ctx"), 512);
  EXPECT_EQ(a.at("n_windows"), a.at("n_tokens").get<int>() / 512);
  EXPECT_NEAR(a.at("perplexity").get<double>(), std::exp(a.at("nll").get<double>()), 1e-9);
  EXPECT_GT(a.at("error").get<double>(), 0);
  EXPECT_LT(a.at("perplexity").get<double>(), 100);  // an untrained model has 4096
  EXPECT_EQ(measured({"-t", "1", "-b", "9"}), a);
  EXPECT_EQ(measured({"-c", "64"}).at("n_ctx"), 64);
}

TEST(Perplexity, WithoutAFiniteValueIsAnError) {
  const TemporaryDirectory directory;
  GgmlFile file = ggml_gptj({}, DType::f16);
  const float liking = 1000;  // exp(1000) is no double
  std::memcpy(file.tensor("lm_head.bias").data.data(), &liking, sizeof liking);
  const std::string model = directory.file("model.bin", file.bytes());
  const Finished f = gptj({"perplexity", "-m", model, "-q", "--json", "-c", "8"}, "int main(void) {}");
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(f.out, "");
  EXPECT_TRUE(contains(f.err, "expected a finite number, found inf"));
}

TEST(Perplexity, ATextShorterThanAWindowIsAnError) {
  const Finished f = gptj({"perplexity", "-m", kDemoGptJ, "-q"}, "int x;");
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(f.out, "");
  EXPECT_TRUE(contains(f.err, "at least 512 tokens"));
  const Finished loud = gptj({"perplexity", "-m", kDemoGptJ}, "int x;");
  EXPECT_FALSE(contains(loud.err, "loading model")) << "loads long before it says so";
}

TEST(Inspect, ShowsSizesTensorsAndMemory) {
  const Finished f = gptj({"inspect", kDemoGptJ, "-c", "256"});
  EXPECT_EQ(f.code, 0);
  EXPECT_EQ(f.err, "");
  for (const char* part :
       {"architecture   gptj\n", "n_layer        4\n", "n_rot          32\n", "file format    safetensors\n",
        "memory for a context of 256 tokens\n", "KV cache             1.00 MB (f16)\n"}) {
    EXPECT_TRUE(contains(f.out, part));
  }
  EXPECT_TRUE(has_line(f.out, "transformer.wte.weight *[4096, 256] *f16 *2097152"));
  EXPECT_EQ(gptj({"inspect", "-m", kDemoGptJ, "-c", "256"}).out, f.out);
}

TEST(Inspect, OpensEveryKindOfModel) {
  const std::pair<const char*, const char*> cases[] = {
      {"gptj-q4_0/ggml-model.bin", "q4_0"}, {"gpt2-q8_0/ggml-model.bin", "q8_0"}, {"gpt2-f32", "f32"}};
  for (const auto& [name, type] : cases) {
    const Finished f = gptj({"inspect", std::string(GPTJ_TEST_DATA "/golden/") + name});
    EXPECT_EQ(f.code, 0) << f.err;
    EXPECT_TRUE(contains(f.out, std::string("type           ") + type + "\n"));
  }
}

TEST(Inspect, AMissingFileIsAnError) {
  const Finished f = gptj({"inspect", "/no/such"});
  EXPECT_EQ(f.code, 1);
  EXPECT_EQ(f.out, "");
  EXPECT_EQ(lines(f.err).size(), 1U);
}

class NativeFile : public testing::Test {
 protected:
  NativeFile() {
    const Finished f = gptj({"quantize", kDemoGptJ, path, "q8", "-q"});
    EXPECT_EQ(f.code, 0) << f.err;
  }

  TemporaryDirectory dir;
  std::string path = dir / "model.gptj";
};

TEST_F(NativeFile, VerifyNamesTheDamagedTensor) {
  const Finished good = gptj({"verify", path, "-q"});
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_TRUE(matches(good.out, "*: gptj: good: % tensors, * MB (header and checksums of all tensors)\n"));

  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(-1, std::ios::end);
  file.put('x');
  file.close();
  const Finished bad = gptj({"verify", path, "-q"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_TRUE(matches(bad.out, "damaged: '*': tensor '*': checksum: expected *, found *\n*: 1 damaged: *\n"));
}

TEST_F(NativeFile, VerifyReadsOtherFormsToo) {
  const Finished f = gptj({"verify", kDemoGptJ, "-q"});
  EXPECT_EQ(f.code, 0) << f.err;
  EXPECT_TRUE(contains(f.out, "this form has no checksums"));
}

TEST_F(NativeFile, TextIsTheSameHoweverWeightsComeIntoMemory) {
  std::string text;
  for (const char* option : {"-v", "--no-mmap", "--prefetch", "--lock"}) {
    const Finished f = gptj({"-m", path, "-p", "int main", "-n", "8", "--temp", "0", option});
    if (option == std::string("--lock") && f.code != 0) {  // where it is not allowed
      EXPECT_TRUE(contains(f.err, "RLIMIT_MEMLOCK"));
      continue;
    }
    EXPECT_EQ(f.code, 0) << f.err;
    if (text.empty()) text = f.out;
    EXPECT_EQ(f.out, text) << option;
  }
}

TEST_F(NativeFile, CutOffWhileItIsUsed) {
  Process program({.args = {"-m", path, "-p", "int main", "-n", "900", "--ignore-eos"}});
  ASSERT_TRUE(program.wait_for_error_text("number of tokens in prompt"));
  std::filesystem::resize_file(path, 4096);
  const Finished f = program.finish();
  EXPECT_EQ(f.signal, 0);
  EXPECT_EQ(f.code, 1);
  const std::string told = "cannot read '" + path + "', which is in use";
  ASSERT_TRUE(contains(f.err, told));
  EXPECT_EQ(f.err.find(told), f.err.rfind(told)) << "is told by one thread only";
}

}  // namespace
}  // namespace gptj::test
