// session_seeds DIRECTORY: session files to begin fuzzing with, of one panel of tokens and of two.

#include <filesystem>
#include <string>
#include <vector>

#include "fuzz/session_of_seeds.h"
#include "gptj/session_file.h"

using namespace gptj;

int main(int, char** argv) {
  const std::filesystem::path directory = argv[1];
  std::filesystem::create_directories(directory);
  SessionOfSeeds seeds;
  for (const int n : {5, 20}) {
    seeds.session.truncate(0);
    seeds.session.prefill(std::vector<int>(static_cast<size_t>(n), 7));
    save_session(seeds.session, directory / ("session-" + std::to_string(n)), std::vector<int>{8});
  }
}
