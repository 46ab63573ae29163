#include "cli/declared.h"

namespace gptj::apps {

std::vector<DeclaredOption> declared_options(const Program& program, const Command& command) {
  std::vector<DeclaredOption> declared;
  Command asked = command;
  asked.declared = &declared;
  asked.run(program, asked, {});
  return declared;
}

}  // namespace gptj::apps
