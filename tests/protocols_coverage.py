#!/usr/bin/python3
"""protocols.md: every row names tests that exist and are run, or says that it is open.

Tests are named `file: name`, the file relative to this folder: a TEST_CASE of Catch2, a test of node:test, the "scenario" of a
file in scenarios/.
"""
import pathlib
import re
import sys

TESTS = pathlib.Path(__file__).resolve().parent
SECTIONS = ["head", "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2", "3", "4", "5", "6", "7"]

LITERAL = r'"((?:[^"\\]|\\.)*)"'
TEST_CASE = re.compile(r"\bTEST_CASE\(\s*((?:" + LITERAL + r"\s*)+)")
NODE_TEST = re.compile(r"^\s*test\(\s*([\"'`])(.*?)\1\s*,", re.MULTILINE)
SCENARIO = re.compile(r'"scenario"\s*:\s*' + LITERAL)
REFERENCE = re.compile(r"`([^`:]+\.(?:cpp|mjs|json)): ([^`]+)`")


def run_files(folder):
    """The names in a folder's CMakeLists.txt: what is not listed there is not run."""
    return set(re.findall(r"[\w.]+", (TESTS / folder / "CMakeLists.txt").read_text()))


def names_in(file):
    """The names of the tests of one file; an error message in place of a set where they would not be run."""
    path = TESTS / file
    if not path.is_file():
        return f"there is no file {file}"
    text = path.read_text()
    if path.suffix == ".json":
        return set(SCENARIO.findall(text))
    listed = path.name if path.suffix == ".cpp" else path.name.removesuffix(".test.mjs")
    if listed not in run_files(path.parent):
        return f"{file} is not in {path.parent.name}/CMakeLists.txt, so nothing runs it"
    if path.suffix == ".mjs":
        return {name for _, name in NODE_TEST.findall(text)}
    return {"".join(re.findall(LITERAL, match[0])) for match in TEST_CASE.findall(text)}


def rows_of(page):
    """(line number, section, name, tests) of every row; section is None for rows that stand in none."""
    section = None
    for number, line in enumerate(page.splitlines(), 1):
        if line.startswith("## "):
            section = re.match(r"## ([\w.]+)", line)[1]
        elif line.startswith("|") and not re.match(r"\| row \||\|[-|]+$", line):
            name, _, tests = line.removeprefix("|").removesuffix("|").partition("|")
            yield number, section, name.strip(), tests.strip()


def problems(page):
    known = {}
    seen = set()
    for number, section, name, tests in rows_of(page):
        where = f"protocols.md:{number}: {name or '(no name)'}"
        if section not in SECTIONS:
            yield f"{where}: stands in no known section"
        if not name or (section, name) in seen:
            yield f"{where}: needs a name that no other row of its section has"
        seen.add((section, name))
        references = REFERENCE.findall(tests)
        if len(references) != tests.count("`") // 2:
            yield f"{where}: tests are named `file: name`, with a .cpp, .mjs or .json file"
        is_open = re.search(r"\*\*open\*\*: \S+", tests)
        if not references and not is_open:
            yield f"{where}: names no test; write one, or say **open**: and what is missing"
        for file, test in references:
            found = known.setdefault(file, names_in(file))
            if isinstance(found, str):
                yield f"{where}: {found}"
            elif test not in found:
                yield f"{where}: {file} has no test named: {test}"
    for section in SECTIONS:
        if not any(there == section for there, _ in seen):
            yield f"protocols.md: section {section} has no rows"


def main():
    page = (TESTS / "protocols.md").read_text()
    found = list(problems(page))
    for problem in found:
        print(problem)
    rows = list(rows_of(page))
    print(f"{len(rows)} rows, {sum('**open**' in tests for *_, tests in rows)} of them open, {len(found)} problems")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
