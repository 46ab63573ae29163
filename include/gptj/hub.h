#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gptj/model.h"

/// Models by name: fetched from a Hugging Face compatible hub into the cache that Hugging Face's own programs
/// use, and found there. A name is "EleutherAI/gpt-j-6b", or "gpt2" as the oldest ones are called; where a
/// revision may be meant, "@float16" can follow.
namespace gptj {

struct HubSettings {
  std::string endpoint;  // "https://..." without a slash at the end
  std::string token;     // empty: none. Sent to the endpoint, never to where it redirects
  std::string cache;     // directory
  bool offline = false;  // no request is to be made

  int n_connections = 4;               // at most, for one file
  uint64_t piece_bytes = 8 << 20;      // that a connection fetches at a time
  int stall_seconds = 30;              // without a byte, then a connection is given up
  int n_attempts = 6;                  // without a byte between them, then the fetch is given up
  int retry_ms = 1000;                 // before the second attempt; then twice as long each time
  int max_retry_after_seconds = 3600;  // longer than a server may ask to wait
};

/// As the environment says: HF_ENDPOINT, HF_TOKEN or the file HF_TOKEN_PATH, HF_HUB_CACHE, HF_HOME,
/// HF_HUB_OFFLINE, with Hugging Face's defaults. Throws Error for values that cannot be used.
HubSettings hub_settings();

struct PullOptions {
  std::string revision = "main";  // a branch, a tag or a commit
  std::string file = {};          // only this one; empty: what the model needs
  Progress progress = {};         // bytes, with those that were there already
  /// Told why nothing moves: an attempt that failed, a lock.
  std::function<void(const std::string&)> notice = {};
};

struct PulledModel {
  std::string path;    // the directory, or the file that was asked for
  std::string commit;  // what the revision stands for
  size_t n_files = 0;
  uint64_t bytes = 0;    // of the files
  uint64_t fetched = 0;  // of these, not there before
};

/// Fetches what is needed of a model and not there yet. What has arrived stays when it is stopped or fails, and is
/// gone on from by the next call. Every file is checked against the hash that the hub names. Throws Error.
PulledModel pull_model(const std::string& name, const PullOptions& options, const HubSettings& hub);

/// One revision of a model in the cache.
struct CachedModel {
  std::string name;
  std::string commit;
  std::vector<std::string> refs;  // branches and tags that stand for the commit
  std::string path;               // the directory
  std::string form;               // "safetensors"; empty: there are no weights in it
  uint64_t bytes = 0;
};

/// All models in the cache, by name. Throws Error if it cannot be read; one that is not there is empty.
std::vector<CachedModel> cached_models(const HubSettings& hub);

/// The path to open for "ORG/NAME[@REVISION]" if the cache has that model: without a revision main, or else the only
/// one. Nothing: the cache has no model of this name, or it is no name. Throws Error if the revision is missing, or
/// files of it, or if they are links to outside of the cache.
std::optional<std::string> find_cached_model(std::string_view name, const HubSettings& hub);

/// Whether it could name a model: letters, digits, '-', '_' and '.', at most one slash; a revision may follow.
bool is_model_name(std::string_view name);

/// Removes a model from the cache, or with `revision` (branch, tag, commit) only what no other one needs. Links
/// are removed, not followed. Returns the bytes of the files removed. Throws Error if there is no such model.
uint64_t remove_cached_model(const std::string& name, const std::string& revision, const HubSettings& hub);

}  // namespace gptj
