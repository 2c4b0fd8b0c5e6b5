// Arithmetic for models: + - * / % ^, parentheses, unary signs, sqrt abs min max round floor ceil ln log exp sin cos
// tan, pi and e. Angles are radians, log is to base 10, ^ binds from the right and before a sign (-2^2 is -4). Pure,
// any thread.
#pragma once

#include "core/error.hpp"

#include <string>
#include <string_view>

namespace troupe::tools {

inline constexpr std::size_t max_expression_bytes = 1'000;
inline constexpr int max_expression_depth = 64;

/// The value, or a `validation_error` that names the character (from 1) and shows what stands there. Never infinite or
/// NaN.
[[nodiscard]] core::result<double> evaluate(std::string_view expression);

/// Whole numbers as such up to 2^53; others with 15 significant digits, so that 0.1 + 0.2 reads 0.3.
[[nodiscard]] std::string number_text(double value);

}  // namespace troupe::tools
