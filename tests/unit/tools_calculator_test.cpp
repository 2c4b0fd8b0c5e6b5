#include "tools/builtin.hpp"
#include "tools/calculator.hpp"
#include "tools/text.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace troupe;
using tools::evaluate;

namespace {

std::string answer(std::string_view expression) {
  auto value = evaluate(expression);
  return value ? tools::number_text(*value) : "error: " + value.error().text;
}

std::string failure(std::string_view expression) {
  auto value = evaluate(expression);
  return value ? "no error: " + tools::number_text(*value) : value.error().text;
}

std::string repeated(std::string_view piece, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += piece;
  return out;
}

}  // namespace

TEST_CASE("calculator: operators bind as in mathematics", "[tools]") {
  CHECK(answer("2*21") == "42");
  CHECK(answer("2 + 3 * 4") == "14");
  CHECK(answer("(2 + 3) * 4") == "20");
  CHECK(answer("10 - 4 - 3") == "3");
  CHECK(answer("64 / 4 / 2") == "8");
  CHECK(answer("7 % 4") == "3");
  CHECK(answer("-7 % 4") == "-3");
  CHECK(answer("2 ^ 3 ^ 2") == "512");
  CHECK(answer("-2 ^ 2") == "-4");
  CHECK(answer("(-2) ^ 2") == "4");
  CHECK(answer("2 ^ -1") == "0.5");
  CHECK(answer("--3 - -+2") == "5");
  CHECK(answer(".5 + 1.5e1") == "15.5");
  CHECK(answer("\t 1\n+ 1 ") == "2");
}

TEST_CASE("calculator: functions and constants give their values", "[tools]") {
  CHECK(answer("sqrt(16) + abs(-2)") == "6");
  CHECK(answer("min(3, 1, 2) + max(3, 7)") == "8");
  CHECK(answer("round(2.5) + floor(-1.5) + ceil(1.2)") == "3");
  CHECK(answer("ln(e) + log(1000) + exp(0)") == "5");
  CHECK(answer("cos(0) + sin(0) + tan(0)") == "1");
  CHECK(answer("pi").substr(0, 10) == "3.14159265");
}

TEST_CASE("calculator: numbers read as people write them", "[tools]") {
  CHECK(answer("0.1 + 0.2") == "0.3");
  CHECK(answer("9007199254740992") == "9007199254740992");
  CHECK(answer("-0") == "0");
  CHECK(answer("10 / 4") == "2.5");
  CHECK(answer("2 ^ 100").find("e+30") != std::string::npos);
}

TEST_CASE("calculator: a division by zero shows its place", "[tools]") {
  CHECK(failure("1 + 2 / 0") == "division by zero at character 7: `/ 0`");
  CHECK(failure("5 % (3 - 3)") == "division by zero at character 3: `% (3 - 3)`");
  CHECK(failure("0 ^ -1").find("division by zero") == 0);
}

TEST_CASE("calculator: results that are no finite number are failures", "[tools]") {
  CHECK(failure("10 ^ 400").find("too large at character 4") != std::string::npos);
  CHECK(failure("1e308 * 10").find("too large") != std::string::npos);
  CHECK(failure("1e999").find("too large") != std::string::npos);
  CHECK(failure("exp(1000)").find("too large") != std::string::npos);
  CHECK(failure("sqrt(-1)") == "there is no real result at character 1: `sqrt(-1)`");
  CHECK(failure("ln(0)").find("no real result") != std::string::npos);
  CHECK(failure("(-8) ^ 0.5").find("no real result") != std::string::npos);
}

TEST_CASE("calculator: garbage names the character that cannot be read", "[tools]") {
  CHECK(failure("") == "a number is missing at the end");
  CHECK(failure("   ") == "a number is missing at the end");
  CHECK(failure("2 +") == "a number is missing at the end");
  CHECK(failure("2 $ 3") == "this cannot be read at character 3: `$ 3`");
  CHECK(failure("(1 + 2") == "a `)` is missing at the end");
  CHECK(failure("1)") == "this cannot be read at character 2: `)`");
  CHECK(failure("system(1)").find("unknown name") == 0);
  CHECK(failure("sqrt 4").find("a `(` is missing after sqrt") == 0);
  CHECK(failure("sqrt(1, 2)").find("sqrt takes one number") == 0);
  CHECK(failure("min()").find("a number was expected at character 5") == 0);
  CHECK(failure("1..2").find("cannot be read") != std::string::npos);
  CHECK(failure("0x10").find("cannot be read at character 2") != std::string::npos);
  CHECK(failure("inf").find("unknown name") == 0);
  CHECK(failure(std::string_view("2\0 + 1", 6)).find("cannot be read at character 2") != std::string::npos);
  CHECK(tools::is_plain_text(failure("2 + ññññññññññññññññññññññññ")));
}

TEST_CASE("calculator: depth and length are bounded", "[tools]") {
  CHECK(answer(repeated("(", 20) + "1" + repeated(")", 20)) == "1");
  CHECK(failure(repeated("(", 400) + "1" + repeated(")", 400)).find("nested too deeply") == 0);
  CHECK(failure(repeated("2^", 400) + "1").find("nested too deeply") == 0);
  CHECK(failure(repeated("abs(", 200)).find("nested too deeply") == 0);
  CHECK(answer(repeated("-", 900) + "1") == "1");
  CHECK(failure(repeated("1+", 600) + "1").find("at most 1000") != std::string::npos);
}

TEST_CASE("calculator: the tool only computes and reports failures as results", "[tools]") {
  auto tool = tools::make_calculator();
  CHECK(tool->spec().mode == tools::tool_mode::instant);
  CHECK(tool->spec().effect == core::effect::read_only);
  auto good = tool->run({}, {{"expression", "2*21"}});
  CHECK(good.ok);
  CHECK(good.output == "42");
  auto bad = tool->run({}, {{"expression", "1/0"}});
  CHECK_FALSE(bad.ok);
  CHECK(bad.output.find("division by zero") == 0);
}
