#!/usr/bin/python3
"""The layers check finds each kind of violation, and nothing in a tree that keeps the rules."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import layers  # noqa: E402


class Layers(unittest.TestCase):
    def found(self, tree):
        with tempfile.TemporaryDirectory() as root:
            for path, text in tree.items():
                path = os.path.join(root, path)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            return list(layers.findings(root))

    def source(self, path, include):
        return self.found({path: f"// first line\n#include {include}\n", path.split("/")[0] + "/README.md": "x\n"})

    def test_allowed_includes_pass(self):
        for path, include in (
            ("core/a.hpp", "<optional>"),
            ("core/a.cpp", '"core/a.hpp"'),
            ("core/a.cpp", "<boost/json/value.hpp>"),
            ("storage/a.cpp", "<SQLiteCpp/Database.h>"),
            ("storage/a.cpp", "<sys/file.h>"),
            ("tools/a.cpp", "<valijson/validator.hpp>"),
            ("actors/a.hpp", "<caf/all.hpp>"),
            ("actors/a.hpp", '"providers/provider.hpp"'),
            ("transport/a.cpp", '"actors/messages.hpp"'),
            ("transport/a.cpp", "<boost/beast/http.hpp>"),
            ("tests/unit/a.cpp", '"transport/net/server.hpp"'),
            ("tests/unit/a.cpp", '"support/tcp_client.hpp"'),
        ):
            self.assertEqual(self.source(path, include), [], (path, include))

    def test_forbidden_includes_are_named_with_file_line_and_rule(self):
        for path, include, rule in (
            ("core/a.hpp", "<caf/all.hpp>", "core/ may include of theirs"),
            ("core/a.cpp", "<unistd.h>", "core/ may include of theirs"),
            ("core/a.cpp", '"storage/store.hpp"', "core/ may include of ours"),
            ("storage/a.cpp", "<boost/asio/post.hpp>", "storage/ may include of theirs"),
            ("actors/a.cpp", '"transport/net/server.hpp"', "actors/ may include of ours"),
            ("transport/a.cpp", '"actors/session.hpp"', "transport/ may include of ours"),
            ("transport/a.cpp", '"storage/store.hpp"', "transport/ may include of ours"),
            ("transport/a.hpp", "<boost/beast/http.hpp>", "Beast stays out of headers"),
            ("core/a.cpp", '"a.hpp"', "with the path from its root"),
            ("core/a.cpp", "<core/a.hpp>", "with quotes"),
            ("new/a.cpp", "<optional>", "new/ is not in the table"),
        ):
            found = self.source(path, include)
            self.assertEqual(len(found), 1, (path, include, found))
            self.assertTrue(found[0].startswith(f"{path}:2: "), found[0])
            self.assertIn(rule, found[0])

    def test_a_folder_without_a_short_readme_is_found(self):
        self.assertIn("missing", self.found({"core/a.txt": "x"})[0])
        self.assertIn("21 lines", self.found({"core/README.md": "x\n" * 21})[0])
        self.assertEqual(self.found({"core/README.md": "x\n" * 20}), [])

    def test_a_machine_path_is_found_in_any_text_file(self):
        for text in ("see /" + "work/main", 'open("/' + 'home/someone/x")', "/" + "root/x"):
            found = self.found({"docs/README.md": f"x\n{text}\n"})
            self.assertEqual(len(found), 1, text)
            self.assertTrue(found[0].startswith("docs/README.md:2: "), found[0])
        self.assertEqual(self.found({"docs/README.md": "docs/work/list and https://example.com/home/\n"}), [])

    def test_build_folders_and_dependencies_are_not_looked_at(self):
        bad = "/" + "work/x"
        self.assertEqual(self.found({"build-x/a.txt": bad, "tests/README.md": "x", "tests/e2e/node_modules/a.js": bad}), [])


if __name__ == "__main__":
    unittest.main()
