#pragma once

#include <string>

#include "cli/declared.h"

/// Scripts for shells, made of what the commands declare.
namespace gptj::apps {

/// What a shell offers for a value.
enum class Offer { nothing, choices, files, directories, models, fetched_models };

Offer offer_for(const DeclaredOption& option);

/// The name of a shell function: "_gpt_j".
std::string function_name(const Program& program);

/// The scripts. They ask the program for the models that were fetched: 'gpt-j list --names'.
std::string bash_completion(const Program& program);
std::string zsh_completion(const Program& program);

}  // namespace gptj::apps
