#!/usr/bin/python3
"""Checks what the compiler does not: who may include what, folder READMEs, paths of one machine.

The table below is the architecture (ARCHITECTURE.md explains it). Every finding is one line, `file:line: what, and the rule`.
Usage: layers.py [ROOT]; exits 1 when anything is found.
"""

import os
import re
import sys

# folder: (folders or single headers of ours besides its own, prefixes of theirs besides the common ones)
TABLE = {
    "core": ((), ()),
    "storage": (("core",), ("SQLiteCpp", "sqlite3.h")),
    # Beast: its WebSocket client, for websocket_upstream.cpp; libcurl 7.88 calls its own one experimental.
    "providers": (("core",), ("curl", "boost/asio", "boost/beast")),
    # Tools that speak HTTP use the loop that the models' adapters use.
    "tools": (
        ("core", "providers/curl_loop.hpp", "providers/sse_parser.hpp"),
        ("valijson", "re2", "boost/asio", "curl", "openssl"),
    ),
    "actors": (("core", "storage", "providers", "tools"), ("caf",)),
    "transport": (
        ("core", "actors/messages.hpp", "actors/interfaces.hpp", "actors/event_sink.hpp", "actors/session_view.hpp"),
        ("boost/asio", "boost/beast", "boost/intrusive", "openssl", "jwt.h", "crypt.h", "rhonabwy", "sodium", "caf"),
    ),
    "app": None,  # everything
    "tests": None,
    "bench": None,
    "cmake": None,
}
# What every folder may use besides the C++ standard library.
COMMON = ("boost/system", "boost/describe", "boost/mp11", "boost/json")
# Headers of the operating system. core/ has no I/O, so it has none of them either.
SYSTEM = ("sys", "netinet", "arpa", "linux", "unistd.h", "fcntl.h", "poll.h", "sched.h", "signal.h", "spawn.h", "dirent.h", "netdb.h", "pthread.h")
# Beast costs twelve seconds a file: it stays out of headers.

README_LINES = 20
SKIPPED = re.compile(r"^(\.(?!ci$).*|build.*|node_modules|troupe-data|__pycache__)$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|farm|root|home/[a-z]\w*|Users/\w+)/")


def under(name, prefixes):
    return any(name == p or name.startswith(p + "/") or name.startswith(p + ".hpp") for p in prefixes)


def check_include(path, quoted, name):
    """The broken rule, or None."""
    folder = path.split("/")[0]
    if folder not in TABLE:
        return f"{folder}/ is not in the table of tests/layers.py; add it with what it may include"
    if under(name, ("boost/beast",)) and path.endswith(".hpp") and folder != "cmake":
        return "Beast stays out of headers; hide it behind an interface"
    top = name.split("/")[0]
    if quoted or top in TABLE and name.endswith(".hpp"):
        if not quoted:
            return "headers of this project are included with quotes"
        if top not in TABLE and folder == "tests":
            return None  # tests share code among themselves, relative to tests/
        if top not in TABLE:
            return "quotes are for headers of this project, with the path from its root"
        if TABLE[folder] is None or top == folder or under(name, TABLE[folder][0]):
            return None
        return f"{folder}/ may include of ours: {', '.join((folder,) + TABLE[folder][0])}"
    if TABLE[folder] is None or under(name, COMMON + TABLE[folder][1]):
        return None
    if "/" not in name and "." not in name:
        return None  # the C++ standard library
    if folder != "core" and under(name, SYSTEM):
        return None
    return f"{folder}/ may include of theirs: std, {', '.join(COMMON + TABLE[folder][1])}"


def check_readme(root, folder):
    path = os.path.join(root, folder, "README.md")
    if not os.path.isfile(path):
        return f"{folder}/README.md:1: missing; every folder says its purpose, what it may include and the file to read first"
    with open(path, encoding="utf-8") as file:
        lines = sum(1 for _ in file)
    if lines > README_LINES:
        return f"{folder}/README.md:{lines}: {lines} lines; a folder's README has at most {README_LINES}"
    return None


def files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(f for f in folders if not SKIPPED.match(f))
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), root)


def findings(root):
    for folder in sorted(os.listdir(root)):
        if os.path.isdir(os.path.join(root, folder)) and not SKIPPED.match(folder) and folder != ".ci":
            finding = check_readme(root, folder)
            if finding:
                yield finding
    for path in files(root):
        try:
            with open(os.path.join(root, path), encoding="utf-8") as file:
                lines = file.read().splitlines()
        except (UnicodeDecodeError, OSError):
            continue  # not text
        is_source = path.endswith((".hpp", ".cpp"))
        for number, line in enumerate(lines, 1):
            machine = MACHINE_PATH.search(line)
            if machine:
                yield f"{path}:{number}: '{machine.group(0)}' is a path of one machine; no file may depend on it"
            include = INCLUDE.match(line) if is_source else None
            if include:
                rule = check_include(path, include.group(1) == '"', include.group(2))
                if rule:
                    yield f"{path}:{number}: includes {include.group(2)}: {rule}"


def main():
    root = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), ".."))
    found = list(findings(root))
    print("\n".join(found + [f"layers: {len(found)} findings"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
