#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gptj/model.h"

/// Models by name: fetched from a hub that is compatible with Hugging Face's, into the cache that Hugging Face's own
/// programs use, and found there. A name is "EleutherAI/gpt-j-6b", or "gpt2" as the oldest models are called; where a
/// revision may be given, "@float16" can follow.
namespace gptj {

struct HubSettings {
  std::string endpoint;  // "https://..." without a slash at the end
  std::string token;     // empty: none. Sent to the endpoint, never to where it redirects
  std::string cache;     // directory
  bool offline = false;  // make no requests

  int n_connections = 4;           // for one file, at most
  uint64_t piece_bytes = 8 << 20;  // that a connection fetches at a time
  int stall_seconds = 30;          // a connection that brings no byte for so long is given up
  int n_attempts = 6;              // after so many in a row that bring no byte the fetch is given up
  int retry_ms = 1000;             // wait before the second attempt; twice as long before each further one
  int max_retry_after_seconds = 3600;  // the longest wait that a server may ask for
};

/// The settings of the environment: HF_ENDPOINT, HF_TOKEN or the file HF_TOKEN_PATH, HF_HUB_CACHE, HF_HOME,
/// HF_HUB_OFFLINE, with Hugging Face's defaults. Throws Error for values that cannot be used.
HubSettings hub_settings();

struct PullOptions {
  std::string revision = "main";  // a branch, a tag or a commit
  std::string file = {};          // only this one; empty: what the model needs
  Progress progress = {};         // bytes, including those that were there already
  /// Gets messages about why nothing moves: an attempt has failed, or another program has locked the file.
  std::function<void(const std::string&)> notice = {};
};

struct PulledModel {
  std::string path;    // the directory, or the file that was asked for
  std::string commit;  // that the revision stands for
  size_t n_files = 0;
  uint64_t bytes = 0;    // of the files
  uint64_t fetched = 0;  // of these, that were not there before
};

/// Fetches what is needed of a model and not in the cache yet. When it is stopped or fails, what has arrived stays,
/// and the next call goes on from there. Every file is checked against the hash that the hub names. Throws Error.
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

/// All models in the cache, sorted by name; none if there is no cache. Throws Error if it cannot be read.
std::vector<CachedModel> cached_models(const HubSettings& hub);

/// The path to open for "ORG/NAME[@REVISION]" if the cache has that model; without a revision that of main, else of
/// the only one there is. Nothing: this is no name, or no model in the cache has it. Throws Error if the revision or
/// files of it are missing, or if files are links to outside of the cache.
std::optional<std::string> find_cached_model(std::string_view text, const HubSettings& hub);

/// Whether this could name a model: letters, digits, '-', '_' and '.', at most one slash; a revision may follow.
bool is_model_name(std::string_view name);

/// Removes a model from the cache, or with `revision` (a branch, tag or commit) only what no other revision needs.
/// Links are removed, not followed. Returns the bytes of the removed files. Throws Error if there is no such model.
uint64_t remove_cached_model(const std::string& name, const std::string& revision, const HubSettings& hub);

}  // namespace gptj
