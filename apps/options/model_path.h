#pragma once

#include <optional>
#include <string>

namespace gptj::apps {

/// What a user named as a model, as a path to open: the path itself if there is such a file or directory; for
/// "ORG/NAME[@REVISION]" that of the Hugging Face cache. Throws Error, with the way to fetch it, for such a name
/// that is neither.
std::string model_path(const std::string& named);

/// NAME@REVISION is the same as NAME --revision REVISION: takes the revision from the name. Throws UsageError if both are
/// there.
void split_revision(std::string& name, std::optional<std::string>& revision);

/// The name of the cache's model that is most like `name`, as a question to append to a message; empty if it has that
/// very one, or none.
std::string similar_cached_model(const std::string& name);

}  // namespace gptj::apps
