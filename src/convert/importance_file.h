#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/binder.h"

namespace gptj {

/// How much the columns of a model's matrices matter: for each matrix, by Hugging Face's name, the mean squares [n]
/// of what its columns are multiplied with. Stored as a safetensors file.
class Importance {
 public:
  Importance() = default;

  /// Reads it and checks that it was made for the model of the binder. Throws Error.
  Importance(const std::string& path, const Binder& binder);

  void set(const std::string& name, std::vector<float> mean_squares);

  /// [n]; nullptr if nothing is known, as of an embedding, which is not multiplied.
  const float* of(const std::string& name) const;
  size_t size() const { return mean_squares_.size(); }

  /// `note` is stored in the file for people to read. Throws Error if it cannot be written.
  void save(const std::string& path, const std::string& note) const;

 private:
  std::map<std::string, std::vector<float>> mean_squares_;
};

}  // namespace gptj
