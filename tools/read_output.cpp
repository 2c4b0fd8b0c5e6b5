#include "tools/builtin.hpp"

namespace troupe::tools {

std::unique_ptr<tool> make_read_output() {
  return std::make_unique<tool>(tool_spec{
      .name = "read_output",
      .description = "More of a tool's output that was too long to be given at once. The cut output says the call_id.",
      .parameters = R"({"type":"object","properties":{)"
                    R"("call_id":{"type":"string","minLength":1,"maxLength":256,"description":"The call whose output it is"},)"
                    R"("offset":{"type":"integer","minimum":0,"description":"Bytes to skip; 0 when left out"},)"
                    R"("limit":{"type":"integer","minimum":1,"description":"Bytes to give, at most"}},)"
                    R"("required":["call_id"],"additionalProperties":false})",
      .effect = core::effect::read_only,
      .mode = tool_mode::actors});
}

}  // namespace troupe::tools
