// Runs each input of a target's corpus once: fuzz_replay TARGET FOLDER. What crashed once stays in the corpus, so that
// it is tried on every run of the unit tests.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "fuzz.h"

namespace strife::fuzz {

std::vector<Target>& Targets() {
  static std::vector<Target> targets;
  return targets;
}

namespace {

int Replay(const Target& target, const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    std::fprintf(stderr, "fuzz_replay: %s holds no inputs\n", folder.c_str());
    return 1;
  }
  for (const auto& file : files) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);  // so that the last line names the input that crashes
    std::stringstream bytes;
    bytes << std::ifstream(file, std::ios::binary).rdbuf();
    target.run(bytes.view());
  }
  return 0;
}

}  // namespace
}  // namespace strife::fuzz

int main(int argc, char** argv) {
  if (argc == 3) {
    for (const auto& target : strife::fuzz::Targets()) {
      if (std::string(target.name) == argv[1]) return strife::fuzz::Replay(target, argv[2]);
    }
  }
  std::fprintf(stderr, "usage: fuzz_replay TARGET FOLDER, where TARGET is one of");
  for (const auto& target : strife::fuzz::Targets()) std::fprintf(stderr, " %s", target.name);
  std::fprintf(stderr, "\n");
  return 2;
}
