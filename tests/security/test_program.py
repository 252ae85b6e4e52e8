"""The executable itself: what makes a mistake in memory, should there be one, harder to use."""

import subprocess
import unittest

from network import STRIFE


def readelf(option):
    return subprocess.run(["readelf", "-W", option, STRIFE], check=True, capture_output=True, text=True).stdout


class HardenedProgram(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.symbols = readelf("--dyn-syms")
        if "__asan_init" in cls.symbols or "__tsan_init" in cls.symbols:
            raise unittest.SkipTest("a build with sanitizers, which see more")

    def test_lies_at_random_addresses(self):
        self.assertIn("Type:                              DYN", readelf("--file-header"))

    def test_is_resolved_at_its_start_and_read_only_from_then_on(self):
        self.assertIn("BIND_NOW", readelf("--dynamic"))
        self.assertIn("GNU_RELRO", readelf("--program-headers"))

    def test_no_memory_is_writable_and_executable(self):
        headers = [line.split() for line in readelf("--program-headers").splitlines()]
        segments = [words for words in headers if words[:1] in (["LOAD"], ["GNU_STACK"])]
        self.assertGreater(len(segments), 3)
        for words in segments:
            flags = "".join(words[6:-1])
            self.assertFalse("W" in flags and "E" in flags, words)

    def test_stacks_copies_and_indices_are_checked(self):
        for failing in ("__stack_chk_fail", "__memcpy_chk", "__glibcxx_assert_fail"):
            self.assertIn(failing, self.symbols)


if __name__ == "__main__":
    unittest.main()
