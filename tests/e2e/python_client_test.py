"""The `conversation` dialect for a client in Python, whose users run Debian's `websockets` (PROTOCOLS §2)."""
import asyncio
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

import websockets

LIMIT = 60  # seconds for one wait; only for failing

RULES = [
    {"when": {"after": "tool"}, "say": [{"text": ["Resultado: ", "${result}"]}]},
    {"when": {"user": "calcula"}, "say": [{"tool": "calculator", "arguments": {"expression": "6*7"}}]},
    {"when": {"user": "borra"}, "say": [{"tool": "delete_file", "arguments": {"path": "nota.txt"}}]},
    {"when": {"user": "largo"}, "say": [{"repeat": "ñ ", "times": 200, "every_ms": 2}]},
    {"when": {"user": "falla"}, "say": [{"error": "roto"}]},
]
CONFIGURATION = {
    "providers": {"scripted": {"kind": "scripted", "script": {"rules": RULES, "otherwise": [{"text": ["Dices: ", "${user}"]}]}}},
    "projects": {"demo": {"agents": {"guia": {"provider": "scripted", "tools": ["calculator", "delete_file"]}}}},
}


class Client:
    def __init__(self, socket):
        self.socket = socket
        self.frames = []

    async def until(self, kind):
        """The frames up to and with the next of this type."""
        start = len(self.frames)
        while True:
            try:
                frame = json.loads(await asyncio.wait_for(self.socket.recv(), LIMIT))
            except asyncio.TimeoutError:
                raise AssertionError(f"no {kind!r} in {LIMIT} s; frames so far: {self.frames[-40:]}") from None
            self.frames.append(frame)
            if frame["type"] == kind:
                return self.frames[start:]

    async def turn(self, frame):
        await self.socket.send(json.dumps(frame if isinstance(frame, dict) else {"message": frame}))
        return await self.until("done")


def kinds(frames):
    """Types in a row, repeats as one."""
    out = []
    for frame in frames:
        if not out or out[-1] != frame["type"]:
            out.append(frame["type"])
    return out


class ConversationTest(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        configuration = self.folder / "troupe.json"
        configuration.write_text(json.dumps(CONFIGURATION))
        self.data = self.folder / "data"
        self.log = open(self.folder / "log", "w+")
        self.addCleanup(self.log.close)
        self.server = subprocess.Popen(
            [os.environ["TROUPE_BINARY"], "serve", "--listen", "127.0.0.1:0", "--data", self.data, "--config", configuration],
            stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.addCleanup(self.server.stdout.close)
        self.addCleanup(self.end)
        line = self.server.stdout.readline().strip()
        self.assertRegex(line, r"^listening on http://127\.0\.0\.1:\d+$")
        self.port = line.rsplit(":", 1)[1]

    def end(self):
        """An orderly end, and a sound data folder."""
        self.server.send_signal(signal.SIGTERM)
        try:
            status = self.server.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.server.kill()
            self.server.wait()
            status = f"still running {LIMIT} s after SIGTERM"
        self.log.seek(0)
        self.assertEqual(status, 0, self.log.read())
        check = subprocess.run([os.environ["TROUPE_BINARY"], "check", "--data", self.data], capture_output=True, text=True, timeout=LIMIT)
        self.assertEqual(check.returncode, 0, check.stdout + check.stderr)

    async def connect(self, conversation="sala"):
        socket = await websockets.connect(f"ws://127.0.0.1:{self.port}/ws/chat/{conversation}", open_timeout=LIMIT)
        self.addAsyncCleanup(socket.close)
        client = Client(socket)
        [first] = await client.until("connected")
        self.assertEqual(first, {"type": "connected", "conversation_id": conversation, "message": "Conexión establecida"})
        return client

    async def test_a_turn(self):
        client = await self.connect()
        frames = await client.turn("¿qué tal? 🙂")
        self.assertEqual(kinds(frames), ["thinking", "message_chunk", "message", "done"])
        self.assertEqual(frames[-2]["content"], "Dices: ¿qué tal? 🙂")
        self.assertEqual(frames[-1], {"type": "done", "iterations": 1})
        frames = await client.turn("largo")
        self.assertEqual("".join(f["content"] for f in frames if f["type"] == "message_chunk"), "ñ " * 200)
        self.assertEqual(frames[-2]["content"], "ñ " * 200)

    async def test_a_tool(self):
        client = await self.connect()
        frames = await client.turn("calcula")
        self.assertEqual(kinds(frames), ["thinking", "tool_call", "tool_result", "thinking", "message_chunk", "message", "done"])
        call, result = frames[1:3]
        self.assertEqual(call["arguments"], {"expression": "6*7"})
        self.assertEqual({key: result[key] for key in ("success", "error", "arguments", "tool_call_id")},
                         {"success": True, "error": None, "arguments": call["arguments"], "tool_call_id": call["tool_call_id"]})
        self.assertEqual(str(result["result"]), "42")

    async def test_an_approval(self):
        client = await self.connect()
        frames = await client.turn("borra")
        self.assertEqual([f["type"] for f in frames], ["thinking", "tool_call", "approval_required", "done"])
        again = await client.turn("calcula")
        self.assertEqual([f["type"] for f in again], ["approval_required", "done"])
        after = await client.turn({"type": "approval_response", "approved": False, "tool_call_id": frames[2]["tool_call_id"]})
        self.assertEqual(kinds(after), ["tool_result", "thinking", "message_chunk", "message", "done"])
        self.assertIs(after[0]["success"], False)
        queued = await client.until("done")
        self.assertIn("tool_call", kinds(queued))
        await client.socket.send('{"type": "approval_response", "approved": true}')
        [error] = await client.until("error")
        self.assertEqual(error["error"], error["message"])

    async def test_failures_and_refusals(self):
        client = await self.connect()
        self.assertEqual(kinds(await client.turn("falla"))[-2:], ["error", "done"])
        await client.socket.send('{"message": ""}')
        await client.until("error")
        await client.socket.send("no JSON")
        await client.until("error")
        with self.assertRaises(websockets.ConnectionClosedOK) as closed:
            await asyncio.wait_for(client.socket.recv(), LIMIT)
        self.assertEqual(closed.exception.code, 1000)

    async def test_order_and_two_sockets(self):
        one, two = await self.connect(), await self.connect()
        for text in ("largo", "uno", "dos"):
            await one.socket.send(json.dumps({"message": text}))
        for client in (one, two):
            for _ in range(3):
                await client.until("done")
        self.assertEqual(one.frames, two.frames)
        texts = [f["content"] for f in one.frames if f["type"] == "message"]
        self.assertEqual(texts, ["ñ " * 200, "Dices: uno", "Dices: dos"])

    async def test_keepalive_and_compression_offer(self):
        client = await self.connect()
        await asyncio.wait_for(await client.socket.ping(b"x"), LIMIT)
        self.assertEqual(client.socket.extensions, [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
