#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/lock.h"
#include "gptj/hub.h"
#include "hub/cache.h"
#include "hub/download.h"
#include "hub/hub_api.h"
#include "hub/names.h"
#include "hub/weights.h"

namespace gptj {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNamesInMessages = 8;

/// "a, b, c and 4 more".
std::string some_of(const std::vector<std::string>& names) {
  const std::vector<std::string> first(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kNamesInMessages)));
  const size_t more = names.size() - first.size();
  return escaped(fmt::format("{}", fmt::join(first, ", "))) +
         (more == 0 ? "" : fmt::format(" and {} more", more));
}

/// Chooses the files to fetch. If one can be opened alone it is the first.
std::vector<std::string> choose(const std::string& repository, const std::string& file,
                                const std::vector<std::string>& files) {
  if (!file.empty()) {
    const bool found = std::find(files.begin(), files.end(), file) != files.end();
    if (!found) fail("'{}' has no file {}; it has {}", repository, quoted(file), some_of(files));
    return with_all_parts(file, files);
  }
  const RepositoryWeights weights = weights_among(files);
  if (weights.form.empty()) {
    fail("'{}' has no weights of a form that is read ({}); it has {}", repository,
         fmt::join(weight_forms(), ", "), some_of(files));
  }
  if (!weights.others.empty()) {
    fail("'{}' has several models, choose one with --file: {}, {}", repository, weights.files[0],
         some_of(weights.others));
  }
  std::vector<std::string> chosen = weights.files;
  if (!weights.alone) std::copy_if(files.begin(), files.end(), std::back_inserter(chosen), is_beside_weights);
  return chosen;
}

/// A pull under way.
class Pull {
 public:
  Pull(const std::string& repository, const PullOptions& options, const HubSettings& hub)
      : repository_(repository),
        options_(options),
        cache_(hub, repository),
        api_(
            hub, [this] { check_stop(); }, options.notice) {}

  PulledModel run() {
    const Listing listing = api_.list(repository_, options_.revision);
    commit_ = listing.commit;
    const std::vector<std::string> names = choose(repository_, options_.file, listing.files);
    std::vector<HubFile> files;
    for (const std::string& name : names) {
      files.push_back(api_.find(repository_, commit_, name));
      total_ += files.back().size;
    }
    make_directories(cache_.folder() / "blobs");
    make_directories(cache_.locks());
    // Small files first: if one of them is wrong, the large ones need not be fetched.
    std::stable_sort(files.begin(), files.end(),
                     [](const HubFile& a, const HubFile& b) { return a.size < b.size; });
    for (const HubFile& file : files) {
      fetch(file);
      cache_.link(commit_, file.name, file.etag);
      done_ += file.size;
    }
    cache_.write_ref(options_.revision, commit_);  // last, so that what a name stands for is complete
    const fs::path snapshot = cache_.snapshot(commit_);
    const bool one_file = !options_.file.empty() || weights_among(names).alone;
    return {(one_file ? snapshot / names[0] : snapshot).native(), commit_, names.size(), total_, fetched_};
  }

 private:
  void check_stop() const { report(0); }

  void report(uint64_t of_this_file) const {
    if (options_.progress && !options_.progress(done_ + of_this_file, total_))
      throw Error("the fetch was stopped");
  }

  bool is_there(const HubFile& file) const {
    std::error_code missing;
    const uint64_t size = fs::file_size(cache_.blob(file.etag), missing);
    return !missing && size == file.size;
  }

  void fetch(const HubFile& file) {
    if (is_there(file)) return;
    bool told = false;
    const FileLock lock(cache_.lock(file.etag), [&] {
      check_stop();
      if (!std::exchange(told, true) && options_.notice) {
        options_.notice(fmt::format("{}: waiting for another program that fetches it", quoted(file.name)));
      }
    });
    if (is_there(file)) return;
    PartialFile partial(cache_.incomplete(file.etag), cache_.folder() / file.name, file.etag, file.size,
                        [this] { check_stop(); });
    const uint64_t before = partial.written();
    const auto find_again = [&] { return api_.find(repository_, commit_, file.name); };
    download(api_, find_again, file, partial, [this](uint64_t written) { report(written); });
    partial.complete(cache_.blob(file.etag));
    fetched_ += file.size - before;
  }

  std::string repository_;
  const PullOptions& options_;
  RepositoryCache cache_;
  HubApi api_;
  std::string commit_ = {};
  uint64_t total_ = 0, done_ = 0, fetched_ = 0;
};

}  // namespace

PulledModel pull_model(const std::string& name, const PullOptions& options, const HubSettings& hub) {
  check_repository_name(name);
  check_revision(options.revision);
  if (hub.offline) fail("cannot fetch '{}': HF_HUB_OFFLINE forbids it", name);
  return Pull(name, options, hub).run();
}

}  // namespace gptj
