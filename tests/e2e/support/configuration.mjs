// The scripted model that most tests talk to. What a user types picks the behaviour:
//   hello · clock · both · write NAME · delete NAME · long · hold · fail · cut · loop · unknown tool
export const words = Array.from({ length: 120 }, (_, i) => `w${i} `);
export const longText = words.join("");

const rules = [
  { when: { after: "tool", user: "loop" }, say: [{ tool: "clock" }] },
  { when: { tool: "clock" }, say: [{ text: ["It is ", "${result}."] }, { usage: { prompt: 30, completion: 5 } }] },
  { when: { tool: "calculator" }, say: [{ text: ["That makes ", "${result}."] }] },
  { when: { tool: "write_file" }, say: [{ text: ["Written: ", "${result}"] }] },
  { when: { tool: "delete_file" }, say: [{ text: ["Outcome: ", "${result}"] }] },
  { when: { after: "tool" }, say: [{ text: "Tool said: ${result}" }] },
  { when: { user: "hello" }, say: [{ text: ["Hel", "lo, ", "world"] }, { usage: { prompt: 10, cached_prompt: 4, completion: 3 } }] },
  { when: { user: "clock" }, say: [{ text: "Let me look. " }, { tool: "clock" }, { usage: { prompt: 20, completion: 4 } }] },
  { when: { user: "both" }, say: [{ tool: "clock" }, { tool: "calculator", arguments: { expression: "6*7" } }] },
  { when: { user: "write (\\w+)" }, say: [{ tool: "write_file", arguments: { path: "${1}.txt", content: "content of ${1}" } }] },
  { when: { user: "delete (\\w+)" },
    say: [{ text: "May I? " }, { usage: { prompt: 7, completion: 2 } }, { tool: "delete_file", arguments: { path: "${1}.txt" } }] },
  { when: { user: "long" }, say: [{ text: words, every_ms: 10 }] },
  { when: { user: "hold" }, say: [{ text: "Holding. " }, { delay_ms: 600000 }, { text: "Never said." }] },
  { when: { user: "fail" }, say: [{ text: "So " }, { error: "the upstream broke" }] },
  { when: { user: "cut" }, say: [{ text: "Half an ans" }, { cut: true }] },
  { when: { user: "loop" }, say: [{ tool: "clock" }] },
  { when: { user: "unknown tool" }, say: [{ tool: "telescope", arguments: { at: "moon" } }] },
];

// A title would come behind the end of the first answer, for which most tests wait; those of titles turn them on.
const untitled = { titles: "none" };
const tools = ["calculator", "clock", "delete_file", "list_files", "read_file", "write_file"];

/** A configuration of its own for every caller. */
export function standard(changes = {}) {
  return structuredClone({
    default_project: "demo",
    providers: { scripted: { kind: "scripted", script: { rules, otherwise: [{ text: "You said: ${user}" }] } } },
    prices: { "scripted/tiny": { input: 1, cached_input: 0.5, output: 4 } },
    projects: {
      demo: {
        default_agent: "writer",
        agents: {
          writer: { provider: "scripted", model: "tiny", instructions: "Be brief.", tools, limits: { max_steps: 4 }, ...untitled },
          other: { provider: "scripted", model: "tiny", tools: ["clock"], ...untitled },
        },
      },
      empty: { agents: { lonely: { provider: "scripted", model: "tiny", ...untitled } } },
    },
    limits: { messages_per_second: 1000, max_frame_bytes: 65536, max_body_bytes: 262144 },
    ...changes,
  });
}
