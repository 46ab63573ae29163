#pragma once

#include "engine/bound_model.h"
#include "gptj/verify.h"

namespace gptj {

/// What verify_model() does, of a model that is open.
VerifyResult verify(const BoundModel& model, ThreadPool& pool, const Progress& progress);

}  // namespace gptj
