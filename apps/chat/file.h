#pragma once

#include <string>

#include "chat/conversation.h"

namespace gptj::apps {

/// A conversation as JSON: the preset's name, the system text if it is not the preset's, and messages with role and text.
/// Bytes that are no UTF-8 become U+FFFD. Throws Error if it cannot be written, or would replace a file
/// that is no conversation; a file that was there is then as before.
void save_conversation(const Conversation& conversation, const std::string& path);

/// Throws Error, naming the file: it is missing, damaged or no conversation, or there is no such preset.
Conversation load_conversation(const Program& program, const std::string& path);

}  // namespace gptj::apps
