#pragma once

#include "gptj/verify.h"
#include "model/bound_model.h"

namespace gptj {

/// verify_model() for a model that is open.
VerifyResult verify(const BoundModel& model, ThreadPool& pool, const Progress& progress);

}  // namespace gptj
