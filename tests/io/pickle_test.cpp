#include "io/pickle.h"

#include <algorithm>

#include "base/failure.h"
#include "base/quoted.h"
#include "io/torch_files.h"

namespace gptj::test {
namespace {

using Kind = PickleValue::Kind;

bool is_known(std::string_view global) {
  return global == "torch.known";
}

Pickle read(const std::string& bytes) {
  return read_pickle(bytes, 0, "a file", is_known);
}

/// Of what stands between protocol and stop.
Pickle read_opcodes(const std::string& opcodes) {
  return read(pickled::whole(opcodes));
}

const PickleValue& root(const Pickle& pickle) {
  return pickle.values[pickle.root];
}

void expect_opcodes_error(const std::string& opcodes, std::vector<std::string> words) {
  SCOPED_TRACE(quoted(opcodes));
  words.insert(words.end(), {"'a file'", "pickle", "byte"});
  expect_error([&] { read_opcodes(opcodes); }, words);
}

std::string times(size_t n, std::string_view opcodes) {
  std::string out;
  for (size_t i = 0; i < n; ++i) out += opcodes;
  return out;
}

/// So many bytes of any kind: string literals end at a zero.
template <size_t N>
std::string bytes(const char (&literal)[N]) {
  return std::string(literal, N - 1);
}

TEST(Pickle, Integers) {
  const std::pair<std::string, int64_t> cases[] = {
      {bytes("K\0"), 0},
      {bytes("K\xff"), 255},
      {bytes("M\xff\xff"), 65535},
      {bytes("J\xff\xff\xff\xff"), -1},
      {bytes("J\0\0\0\x80"), -2147483648},
      {bytes("\x8a\0"), 0},
      {bytes("\x8a\x01\xff"), -1},
      {bytes("\x8a\x02\xff\0"), 255},
      {bytes("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"), INT64_MAX},
      {bytes("\x8a\x08\0\0\0\0\0\0\0\x80"), INT64_MIN},
  };
  for (const auto& [opcodes, value] : cases) {
    const Pickle pickle = read_opcodes(opcodes);
    EXPECT_EQ(root(pickle).kind, Kind::integer);
    EXPECT_EQ(root(pickle).integer, value) << quoted(opcodes);
  }
}

TEST(Pickle, OtherValues) {
  EXPECT_EQ(root(read_opcodes("N")).kind, Kind::none);
  EXPECT_EQ(root(read_opcodes("\x88")).integer, 1);
  EXPECT_EQ(root(read_opcodes("\x89")).integer, 0);
  EXPECT_EQ(root(read_opcodes("NQ")).kind, Kind::persistent);
  EXPECT_EQ(root(read_opcodes("ctorch\nknown\n")).text, "torch.known");
  for (const std::string& text : {bytes("X\2\0\0\0ab"), bytes("T\2\0\0\0ab"), bytes("U\2ab")}) {
    EXPECT_EQ(root(read_opcodes(text)).text, "ab");
  }
  for (const std::string tuple : {")", "(t", "N\x85", "NN\x86", "NNN\x87", "(NNNNt"}) {
    const Pickle pickle = read_opcodes(tuple);
    EXPECT_EQ(root(pickle).kind, Kind::tuple);
    EXPECT_EQ(static_cast<long>(root(pickle).parts.size()), std::count(tuple.begin(), tuple.end(), 'N'));
  }
  EXPECT_EQ(root(read_opcodes("]Na(NNe")).parts.size(), 3U);
  EXPECT_EQ(root(read_opcodes("}NNs(NNNNu")).parts.size(), 6U);
}

TEST(Pickle, WhatIsRememberedIsOneValue) {
  const Pickle pickle = read_opcodes(bytes("(K\7q\0h\0q\1h\1r\2\0\0\0j\2\0\0\0t"));
  ASSERT_EQ(root(pickle).parts.size(), 4U);
  for (const uint32_t part : root(pickle).parts) EXPECT_EQ(part, root(pickle).parts[0]);
}

TEST(Pickle, ThereMayBeMoreBehindIt) {
  const std::string first = pickled::whole("K\7"), second = pickled::whole("K\x8");
  const Pickle pickle = read(first + second);
  EXPECT_EQ(root(pickle).integer, 7);
  EXPECT_EQ(pickle.end, first.size());
  EXPECT_EQ(root(read_pickle(first + second, pickle.end, "a file", is_known)).integer, 8);
}

TEST(Pickle, CallsAreOnlyNamed) {
  const Pickle pickle = read_opcodes("ctorch\nknown\nK\7\x85R");
  EXPECT_EQ(root(pickle).kind, Kind::call);
  EXPECT_EQ(pickle.part(root(pickle), 0).text, "torch.known");
  EXPECT_EQ(pickle.part(pickle.part(root(pickle), 1), 0).integer, 7);
}

TEST(Pickle, OrderedDictsOfBothPythons) {
  const std::string name = "ccollections\nOrderedDict\n";
  for (const std::string& dict :
       {name + ")RU\1aK\7s", name + "](](U\1aK\7ee\x85R", name + "](U\1aK\7\x86\x65\x85R"}) {
    const Pickle pickle = read_opcodes(dict);
    ASSERT_EQ(root(pickle).kind, Kind::dict);
    ASSERT_EQ(root(pickle).parts.size(), 2U);
    EXPECT_EQ(pickle.part(root(pickle), 0).text, "a");
    EXPECT_EQ(pickle.part(root(pickle), 1).integer, 7);
  }
  expect_opcodes_error(name + "K\7\x85R", {"OrderedDict of one list"});
  expect_opcodes_error(name + "]]\x86R", {"OrderedDict of one list"});
  expect_opcodes_error(name + "]Na\x85R", {"pairs", "None"});
  expect_opcodes_error(name + "]]a\x85R", {"pairs", "a list"});
}

TEST(Pickle, OnlyMetadataIsSetAsAnAttribute) {
  const std::string dict = "ccollections\nOrderedDict\n)R", metadata = "}" + pickled::text("_metadata");
  EXPECT_EQ(root(read_opcodes(dict + metadata + "}sb")).kind, Kind::dict);
  for (const std::string& state : {std::string("}"), std::string("N"),
                                   "}" + pickled::text("__class__") + "Ns", metadata + "}s" + "NNs"}) {
    expect_opcodes_error(dict + state + "b", {"_metadata"});
  }
  for (const std::string object : {"N", "]", "ctorch\nknown\n", "ctorch\nknown\n)R"}) {
    expect_opcodes_error(object + metadata + "}sb", {"expected a dict"});
  }
}

TEST(Pickle, Attacks) {
  for (const std::string global :
       {"cos\nsystem\n", "cposix\nsystem\n", "c__builtin__\neval\n", "cbuiltins\nexec\n",
        "csubprocess\nPopen\n", "ctorch.hub\nload\n", "c\n\n", "ctorch\nknown.x\n", "ctorch.known\n\n"}) {
    expect_opcodes_error(global + pickled::text("echo pwned") + "\x85R", {"not looked up"});
  }
  expect_opcodes_error("ctorch\n" + std::string(2000, 'x') + "\x1b\n", {"not looked up"});
  // INST, OBJ, NEWOBJ, NEWOBJ_EX, STACK_GLOBAL, EXT1, EXT2, EXT4, PERSID, STRING, UNICODE, INT, LONG, FLOAT, GET, PUT,
  // LIST, DICT, POP, POP_MARK, DUP, BINFLOAT, LONG4, BINBYTES, SHORT_BINUNICODE, MEMOIZE, FRAME, EMPTY_SET, BYTEARRAY8
  for (const char opcode :
       "io\x81\x92\x93\x82\x83\x84PSVILFgpld01"
       "2G\x8b"
       "B\x8c\x94\x95\x8f\x96") {
    if (opcode == 0) continue;
    expect_opcodes_error("NNN" + std::string(1, opcode) + std::string(16, '1') + "\n1\n",
                         {"an opcode that torch writes", "0x"});
  }
  for (int opcode = 0; opcode < 256; ++opcode) {  // with nothing to work on: none may do harm
    const std::string alone(1, static_cast<char>(opcode));
    error_of([&] { read_opcodes(alone); });
    error_of([&] { read(alone); });
    error_of([&] { read_opcodes("(N" + alone + alone + alone); });
  }
}

TEST(Pickle, WrongUseOfTheStack) {
  for (const std::string opcodes :
       {"", "(", "a", "s", "R", "b", "Q", "\x85", "N\x86", "NN\x87", "Na", "NNs", "(a", "N(R", "(\x85"}) {
    expect_opcodes_error(opcodes, {"on the stack"});
  }
  expect_opcodes_error(bytes("q\0"), {"on the stack"});
  for (const std::string opcodes : {"t", "e", "u", "Nt"}) expect_opcodes_error(opcodes, {"a mark"});
  for (const std::string opcodes : {"NN", "N(N", "(N"}) expect_opcodes_error(opcodes, {"found"});
  expect_opcodes_error("}(Nu", {"odd"});
  expect_opcodes_error("NNa", {"expected a list", "None"});
  expect_opcodes_error("]NNs", {"expected a dict", "a list"});
  expect_opcodes_error("N)R", {"a global", "None"});
  expect_opcodes_error("ctorch\nknown\nNR", {"a tuple", "None"});
}

TEST(Pickle, Protocols) {
  for (const char protocol : {'\0', '\1', '\3', '\4', '\5', '\xff'}) {
    const std::string lie = std::string("\x80") + protocol + "N.";
    expect_error([&] { read(lie); },
                 {"'a file'", "protocol 2", std::to_string(static_cast<uint8_t>(protocol))});
  }
}

TEST(Pickle, NumbersThatLie) {
  for (const std::string& text :
       {bytes("X\xff\xff\xff\xffxx"), bytes("T\xff\xff\xff\x7fxx"), bytes("U\xffxx"), bytes("X\0\0\0\x80")}) {
    expect_opcodes_error(text, {"more bytes"});
  }
  expect_opcodes_error("\x8a\x09" + std::string(9, '1'), {"at most 8 bytes", "9"});
  expect_opcodes_error("\x8a\xff" + std::string(255, '1'), {"at most 8 bytes", "255"});
  // A memo that would take gigabytes.
  expect_opcodes_error(bytes("Nr\xff\xff\xff\xff"), {"below that of the opcodes", "4294967295"});
  expect_opcodes_error(bytes("Nr\0\0\0\x01"), {"16777216"});
  expect_opcodes_error(bytes("Nq\x10"), {"16"});
  expect_opcodes_error(bytes("Nq\1h\0"), {"remembered", "0"});  // never filled
  for (const std::string& place : {bytes("h\0"), bytes("h\xff"), bytes("j\xff\xff\xff\xff")}) {
    expect_opcodes_error(place, {"remembered"});
  }
}

TEST(Pickle, DeepOnesAndOnesWithoutEnd) {
  constexpr size_t kDeep = 100'000;
  EXPECT_EQ(root(read_opcodes(")" + times(kDeep, "\x85"))).kind, Kind::tuple);
  EXPECT_EQ(root(read_opcodes(times(kDeep, "(") + times(kDeep, "t"))).kind, Kind::tuple);
  EXPECT_EQ(root(read_opcodes(bytes("]q\0h\0a"))).parts.size(), 1U);  // a list that is its own item
}

TEST(Pickle, Bombs) {
  expect_opcodes_error("(" + times(1 << 18, "N") + "t", {"values"});
  // A tuple of ten of the one before, and so on: as a tree it would have 10^30 leaves.
  std::string laughs = bytes("(Nq\0");
  for (int i = 0; i < 30; ++i) laughs += "(" + times(10, bytes("h\0")) + "tq" + std::string(1, '\0');
  EXPECT_LT(read_opcodes(laughs + "t").values.size(), 100U);
  // An OrderedDict of one long list, again and again.
  const std::string list = bytes("NN\x86q\0") + "](" + times(100'000, bytes("h\0")) + bytes("eq\1");
  const std::string copy = "ccollections\nOrderedDict\n" + bytes("h\1\x85R");
  expect_opcodes_error(list + times(1000, copy), {"parts"});
}

TEST(Pickle, TruncatedAtEveryByte) {
  const TorchFile file = torch_file({{"w", "F32", {2, 2}, std::string(16, 'w')}});
  const std::string whole = file.pickle();
  EXPECT_THROW(read(whole), Error);  // globals that nobody knows here
  const auto all = [](std::string_view) { return true; };
  read_pickle(whole, 0, "a file", all);
  for (size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    expect_error([&] { read_pickle(std::string_view(whole).substr(0, size), 0, "a file", all); },
                 {"'a file'"});
  }
}

}  // namespace
}  // namespace gptj::test
