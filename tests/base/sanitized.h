#pragma once

namespace gptj::test {

/// Compiled with a sanitizer: everything takes ten times as long, and memory means little.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kSanitized = true;
#elif defined(__has_feature)
inline constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool kSanitized = false;
#endif

/// Compiled with clang's sanitizer of undefined behaviour. (gcc does not tell.)
#ifdef __has_feature
inline constexpr bool kUndefinedSanitized = __has_feature(undefined_behavior_sanitizer);
#else
inline constexpr bool kUndefinedSanitized = false;
#endif

}  // namespace gptj::test
