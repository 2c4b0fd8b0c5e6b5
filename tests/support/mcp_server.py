#!/usr/bin/python3
"""An MCP server over stdio that behaves as its arguments and the names of its tools say, mostly badly.

Both eras. One thread, no timers: what has to wait waits for another call or for an answer. `--starts FILE` gets a line per start.
"""

import argparse
import json
import os
import signal
import sys
import time

MODERN = "2026-07-28"
PREFIX = "io.modelcontextprotocol/"

parser = argparse.ArgumentParser()
parser.add_argument("--era", choices=["legacy", "modern", "dual"], default="legacy")
parser.add_argument("--probe", choices=["error", "silent", "die"], default="error", help="legacy: what becomes of server/discover")
parser.add_argument("--start", choices=["well", "hang", "die", "rubbish", "late"], default="well")
parser.add_argument("--version", default="", help="answered to initialize instead of what was asked for")
parser.add_argument("--supported", default=MODERN, help="modern: supportedVersions, separated by commas")
parser.add_argument("--filler", type=int, default=0, help="so many more tools")
parser.add_argument("--page", type=int, default=1000)
parser.add_argument("--circle", action="store_true", help="the last page leads back to the first")
parser.add_argument("--die-every", type=int, default=0, help="ends at every so many calls")
parser.add_argument("--stubborn", action="store_true", help="ignores SIGTERM and the end of its stdin")
parser.add_argument("--starts", default="")
parser.add_argument("--probes", default="", help="a file that gets a line per server/discover of a legacy server")
options = parser.parse_args()

if options.starts:
    with open(options.starts, "a", encoding="utf-8") as file:
        file.write(f"{os.getpid()}\n")


def send(message):
    message["jsonrpc"] = "2.0"
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def raw(text):
    sys.stdout.write(text)
    sys.stdout.flush()


def text(words, **more):
    return {"content": [{"type": "text", "text": words}], **more}


def tool(name, properties=None, **more):
    return {"name": name, "description": f"does {name}", "inputSchema": {"type": "object", "properties": properties or {}}, **more}


READ_ONLY = {"annotations": {"readOnlyHint": True}}
TOOLS = [
    tool("echo", {"text": {"type": "string"}}, **READ_ONLY),
    tool("pid", **READ_ONLY),
    tool("hang", **READ_ONLY),
    tool("hang_once"),
    tool("freeze", **READ_ONLY),
    tool("die", **READ_ONLY),
    tool("die_once"),
    tool("rubbish", **READ_ONLY),
    tool("endless_rubbish", **READ_ONLY),
    tool("endless_line", **READ_ONLY),
    tool("wrong_ids", **READ_ONLY),
    tool("twice", **READ_ONLY),
    tool("hold", **READ_ONLY),
    tool("release", **READ_ONLY),
    tool("add_tool", {"name": {"type": "string"}}, annotations={"destructiveHint": False}),
    tool("ask", {"times": {"type": "integer"}}),
    tool("ask_page"),
    tool("ask_model"),
    tool("ask_roots"),
    tool("ping_back", **READ_ONLY),
    tool("count", {"to": {"type": "integer"}}, **READ_ONLY),
    tool("steps", {"step": {"type": "integer"}}, **READ_ONLY),
    tool("cancelled", **READ_ONLY),
    tool("bad_structure", outputSchema={"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}, **READ_ONLY),
    tool("fail", annotations={"idempotentHint": True}),
    tool("refuse", **READ_ONLY),
    {"name": "no_schema"},
    {"name": "bad_schema", "inputSchema": {"type": "object", "properties": {"a": {"type": "no such type"}}}},
]
TOOLS += [tool(f"filler_{i}", **READ_ONLY) for i in range(options.filler)]

FORM = {"type": "object", "properties": {"color": {"type": "string"}}, "required": ["color"]}
calls = 0
held = []
asked = {}  # id of a request of ours: what to do with its answer
cancelled = []
last_asked = 0
is_modern = False
listening = None


def answer(request, result):
    if is_modern:
        result.setdefault("resultType", "complete")
    send({"id": request["id"], "result": result})


def fail(request, code, message, data=None):
    error = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    send({"id": request["id"], "error": error})


def ask(method, params, then):
    global last_asked
    last_asked += 1
    asked[f"ask-{last_asked}"] = then
    send({"id": f"ask-{last_asked}", "method": method, "params": params})


def ask_person(request, params):
    """A question in either era, answered with what the person said; so often as the call wants."""
    left = request["params"]["arguments"].get("times", 1)
    if is_modern:
        said = request["params"].get("inputResponses")
        done = int(request["params"].get("requestState", "0"))
        if said is None or done + 1 < left:
            questions = {"q": {"method": "elicitation/create", "params": params}}
            done += 0 if said is None else 1
            return answer(request, {"resultType": "input_required", "inputRequests": questions, "requestState": str(done)})
        return answer(request, text("said " + json.dumps(said["q"], sort_keys=True)))

    def then(message):
        nonlocal left
        left -= 1
        if left > 0:
            return ask("elicitation/create", params, then)
        return answer(request, text("said " + json.dumps(message.get("result", message.get("error")), sort_keys=True)))

    return ask("elicitation/create", params, then)


def call(request):
    global calls, listening
    calls += 1
    name = request["params"]["name"]
    arguments = request["params"].get("arguments", {})
    if options.die_every and calls % options.die_every == 0:
        os._exit(3)
    if name == "echo":
        return answer(request, text(arguments.get("text", "")))
    if name == "pid":
        return answer(request, text(str(os.getpid())))
    if name in ("hang", "hang_once"):
        return None
    if name == "freeze":
        signal.pause()
    if name in ("die", "die_once"):
        raw('{"jsonrpc":"2.0","id":' + str(request["id"]) + ',"result":{"content":[{"type":"te')
        os._exit(4)
    if name == "rubbish":
        raw("Welcome to the server!\n\n{\n[]\n[1,2]\n{}\n" + "[" * 100000 + "\n" + '{"jsonrpc":"2.0","id":{},"method":7}\n')
        sys.stdout.buffer.write(b"\xff\xfe\x00\n")
        return answer(request, text("after the rubbish"))
    if name == "endless_rubbish":
        while True:
            raw("no message\n")
    if name == "endless_line":
        while True:
            raw("x" * (1 << 16))
    if name == "wrong_ids":
        for wrong in (request["id"] + 1000, str(request["id"]), None, -1, request["id"] + 0.5):
            send({"id": wrong, "result": text("wrong")})
        send({"result": text("wrong")})
        return answer(request, text("right"))
    if name == "twice":
        answer(request, text("first"))
        return answer(request, text("second"))
    if name == "hold":
        held.append(request)
        return None
    if name == "release":
        for one in reversed(held):
            answer(one, text("held"))
        count = len(held)
        held.clear()
        return answer(request, text(f"released {count}"))
    if name == "add_tool":
        TOOLS.append(tool(arguments["name"], **READ_ONLY))
        note = {"method": "notifications/tools/list_changed"}
        if is_modern and listening is not None:
            note["params"] = {"_meta": {PREFIX + "subscriptionId": listening}}
        send(note)
        return answer(request, text("added"))
    if name == "ask":
        return ask_person(request, {"mode": "form", "message": "Which color?", "requestedSchema": FORM})
    if name == "ask_page":
        return ask_person(request, {"mode": "url", "message": "Sign in.", "url": "https://example.org/sign-in", "elicitationId": "e"})
    if name in ("ask_model", "ask_roots"):
        method = "sampling/createMessage" if name == "ask_model" else "roots/list"
        if is_modern:
            return answer(request, {"resultType": "input_required", "inputRequests": {"q": {"method": method, "params": {}}}})
        return ask(method, {}, lambda m: answer(request, text("heard " + json.dumps(m.get("error", m.get("result")), sort_keys=True))))
    if name == "ping_back":
        return ask("ping", {}, lambda m: answer(request, text("heard " + json.dumps(m.get("result")))))
    if name == "count":
        token = request["params"]["_meta"]["progressToken"]
        for i in range(arguments["to"]):
            params = {"progressToken": token, "progress": i + 1, "total": arguments["to"], "message": f"step {i + 1}"}
            send({"method": "notifications/progress", "params": params})
            send({"method": "notifications/nobody/knows", "params": {}})
        return answer(request, text("counted"))
    if name == "cancelled":
        return answer(request, text(json.dumps(cancelled)))
    if name == "bad_structure":
        return answer(request, text("seven", structuredContent={"n": "seven"}))
    if name == "fail":
        return answer(request, text("it went wrong", isError=True))
    if name == "refuse":
        return fail(request, -32602, "not like this")
    if any(t["name"] == name for t in TOOLS):
        return answer(request, text(f"this is {name}"))
    return fail(request, -32602, f"no tool {name}")


def tools(request):
    first = int(request["params"].get("cursor", "0"))
    page = {"tools": TOOLS[first : first + options.page]}
    if first + options.page < len(TOOLS):
        page["nextCursor"] = str(first + options.page)
    elif options.circle:
        page["nextCursor"] = "0"
    return answer(request, page)


def discover(request):
    supported = options.supported.split(",")
    meta = request["params"]["_meta"]
    assert PREFIX + "clientCapabilities" in meta
    if meta[PREFIX + "protocolVersion"] not in supported:
        return fail(request, -32022, "Unsupported protocol version", {"supported": supported, "requested": "?"})
    return send({"id": request["id"], "result": {
        "resultType": "complete", "supportedVersions": supported, "capabilities": {"tools": {"listChanged": True}}}})


def initialize(request):
    if options.era == "modern":
        return fail(request, -32022, "Unsupported protocol version", {"supported": options.supported.split(",")})
    version = options.version or request["params"]["protocolVersion"]
    return send({"id": request["id"], "result": {
        "protocolVersion": version, "capabilities": {"tools": {"listChanged": True}}, "serverInfo": {"name": "t", "version": "1"}}})


def take(message):
    global is_modern, listening
    method = message.get("method")
    if method is None:
        then = asked.pop(message["id"], None)
        return then(message) if then else None
    if method == "notifications/cancelled":
        return cancelled.append(message["params"]["requestId"])
    if "id" not in message:
        return None
    if method == "initialize":
        return initialize(message)
    meta = message.get("params", {}).get("_meta", {})
    if options.era == "legacy" and method == "server/discover":
        if options.probes:
            with open(options.probes, "a", encoding="utf-8") as file:
                file.write("probed\n")
        if options.probe == "die":
            os._exit(5)
        return None if options.probe == "silent" else fail(message, -32601, "Method not found")
    if PREFIX + "protocolVersion" in meta:
        is_modern = True
    elif options.era == "modern":
        return fail(message, -32602, "_meta is missing")
    if method == "server/discover":
        return discover(message)
    if method == "subscriptions/listen":
        listening = message["id"]
        return send({"method": "notifications/subscriptions/acknowledged", "params": {
            "_meta": {PREFIX + "subscriptionId": listening}, "notifications": {"toolsListChanged": True}}})
    if method == "ping":
        return answer(message, {})
    if method == "tools/list":
        return tools(message)
    if method == "tools/call":
        return call(message)
    return fail(message, -32601, "Method not found")


if options.stubborn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if options.start == "die":
    sys.stderr.write("cannot find my configuration\n")
    sys.exit(7)
if options.start == "hang":
    signal.pause()
if options.start == "rubbish":
    raw("Starting...\n")
if options.start == "late":
    time.sleep(0.6)
sys.stderr.write("a line for the log\n")
sys.stderr.flush()
for line in sys.stdin:
    take(json.loads(line))
while options.stubborn:
    signal.pause()
