#!/usr/bin/python3
"""Enforces the import rule and the purity of the core, by reading the #include lines and names in src/.

Exit status 1 and one line `file:line: what` for each violation. `--self-test` plants violations in a temporary tree and
fails unless each is found. The tables below are the rule; docs/architecture.md explains it.
"""

import argparse
import re
import sys
import tempfile
from pathlib import Path

# ---- The rule --------------------------------------------------------------------------------------------------------

# Folder of src/ -> folders it may include from (besides itself). A folder that is not listed is a violation.
MAY_INCLUDE = {
    "base": [],
    "protocol": ["base"],
    "invariant": ["base", "protocol"],
    "env": ["base", "protocol"],
    "audit": ["base", "protocol", "env"],
    "observability": ["base"],
    "security": ["base", "protocol", "env"],
    "runtime": ["base", "protocol", "env"],
    "storage": ["base", "protocol", "env", "audit", "runtime"],
    "sim": ["base", "protocol", "invariant", "verify", "env", "runtime", "storage"],
    "http2": ["base", "env", "security"],
    "rpc": ["base", "protocol", "env", "http2", "runtime", "observability", "security"],
    "server": ["base", "protocol", "env", "runtime", "observability", "security"],
    "client": ["base", "protocol", "env", "runtime", "storage", "rpc", "observability", "security"],
    "gateway": ["base", "protocol", "env", "runtime", "storage", "rpc", "observability", "security", "server"],
    "bank": ["base", "protocol", "env", "runtime", "storage", "rpc", "observability", "security", "server"],
    "verify": ["base", "protocol", "invariant", "env", "storage"],
    "cli": ["base", "protocol", "invariant", "env", "audit", "runtime", "storage", "rpc", "observability", "security",
            "client", "gateway", "bank", "verify", "sim"],
}

# Outside header -> the only folders that may include it. Tests are held to it too.
OUTSIDE = [
    (re.compile(r"^(grpc|grpcpp|google/protobuf)/|^strife/v\d+/|\.(grpc\.)?pb\.h$"), ["rpc"]),
    (re.compile(r"^sqlite3\.h$"), ["storage"]),
    (re.compile(r"^(spdlog|fmt|prometheus)/"), ["observability"]),
    (re.compile(r"^nghttp2/|^zlib\.h$"), ["http2"]),
    (re.compile(r"^openssl/"), ["audit", "http2", "security", "storage", "rpc", "cli"]),
    (re.compile(r"^(jwt|argon2|sodium)"), ["security"]),
    (re.compile(r"^CLI/|^histedit\.h$|^editline/"), ["cli"]),
    (re.compile(r"^toml\+\+/"), ["cli", "gateway", "bank", "client", "sim"]),
]

# These folders compute; they read no clock, draw no chance, start no thread and touch no file.
PURE = ["protocol", "invariant"]
BANNED_HEADERS = {
    "atomic", "condition_variable", "ctime", "filesystem", "fstream", "future", "iostream", "mutex", "random",
    "semaphore", "shared_mutex", "stop_token", "syncstream", "thread", "time.h", "unistd.h", "pthread.h", "cstdio",
}
BANNED_NAMES = [
    (re.compile(r"\b(steady_clock|system_clock|high_resolution_clock|clock_gettime|gettimeofday)\b|::now\s*\("),
     "reads a clock"),
    (re.compile(r"\bstd::time\s*\(|(?<![\w:.>])time\s*\(\s*(NULL|nullptr|0|&)"), "reads a clock"),
    (re.compile(r"\b(std::)?(jthread|thread|mutex|shared_mutex|atomic\w*|condition_variable\w*|async|future|promise)"
                r"\s*(<|\(|\{|[a-z_]+\s*[;{(=])|\bthread_local\b"), "uses threads"),
    (re.compile(r"\brandom_device\b|\bmt19937\w*|\bdefault_random_engine\b|(?<![\w.])s?rand\s*\("), "draws chance"),
    (re.compile(r"\b(getenv|sleep|usleep|nanosleep|sleep_for|sleep_until)\b"), "depends on its surroundings"),
    (re.compile(r"\b(fopen|ifstream|ofstream|fstream|std::c(out|err|in)|printf|fprintf)\b"), "does I/O"),
]
# The order of an unordered container differs from run to run and library to library; what it decides cannot be replayed.
UNORDERED = re.compile(r"\bunordered_(?:multi)?(?:map|set)\s*<.*>\s*&?\s*(\w+)\s*[;{=,)(]")
RANGE_FOR = re.compile(r"\bfor\s*\(.*?:\s*(?:[\w>.\-]*?[.>])?(\w+)\s*\)")

# ---- The reading -----------------------------------------------------------------------------------------------------

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')


def code_lines(text):
    """The lines of `text` with comments and the contents of string literals blanked out."""
    text = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    for line in text.splitlines():
        if INCLUDE.match(line):
            yield line
        else:
            yield re.sub(r"//.*", "", STRINGS.sub('""', line))


def check_include(folder, name, folders):
    """What is wrong with `folder` including `name`, or None."""
    for pattern, allowed in OUTSIDE:
        if pattern.search(name):
            return None if folder in allowed else f"{name} belongs to {', '.join(allowed)} alone"
    target = name.split("/")[0]
    if "/" in name and target in folders and target != folder and target not in MAY_INCLUDE.get(folder, []):
        return f"{folder} must not include {name}: it may use {', '.join(MAY_INCLUDE.get(folder, [])) or 'nothing'}"
    if folder in PURE and name in BANNED_HEADERS:
        return f"{folder} is pure: <{name}> has no place in it"
    return None


def check_purity(lines, unordered):
    for number, line in enumerate(lines, 1):
        if INCLUDE.match(line):
            continue
        for pattern, why in BANNED_NAMES:
            if match := pattern.search(line):
                yield number, f"the core is pure, and `{match.group().strip()}` {why}"
        if (match := RANGE_FOR.search(line)) and match.group(1) in unordered:
            yield number, f"iterates over the unordered container `{match.group(1)}`, whose order cannot be replayed"


def check(root):
    """Yields (path, line, message) for every violation under root/src."""
    sources = root / "src"
    folders = set(MAY_INCLUDE)
    for directory in sorted(p for p in sources.iterdir() if p.is_dir()):
        folder = directory.name
        if folder not in folders:
            yield directory, 0, f"src/{folder} is not in MAY_INCLUDE of tools/check_structure.py"
            continue
        files = {path: list(code_lines(path.read_text(encoding="utf-8")))
                 for path in sorted(directory.rglob("*")) if path.suffix in (".h", ".cc")}
        unordered = {m.group(1) for lines in files.values() for line in lines if (m := UNORDERED.search(line))}
        for path, lines in files.items():
            for number, line in enumerate(lines, 1):
                if match := INCLUDE.match(line):
                    if problem := check_include(folder, match.group(2), folders):
                        yield path, number, problem
            if folder in PURE and not re.search(r"(_test|test_support)$", path.stem):
                for number, problem in check_purity(lines, unordered):
                    yield path, number, problem


# ---- The test of the test --------------------------------------------------------------------------------------------

PLANTED = [
    ("protocol/a.cc", '#include "env/store.h"', True),
    ("protocol/a.cc", '#include "base/money.h"', False),
    ("base/a.h", '#include "protocol/types.h"', True),
    ("gateway/a.cc", '#include <grpcpp/grpcpp.h>', True),
    ("gateway/a.cc", '#include "strife/v1/gateway.pb.h"', True),
    ("rpc/a.cc", '#include "strife/v1/gateway.grpc.pb.h"', False),
    ("rpc/a.cc", '#include "gateway/server.h"', True),
    ("runtime/a.cc", '#include <sqlite3.h>', True),
    ("storage/sqlite/a.cc", '#include <sqlite3.h>', False),
    ("bank/a.cc", '#include "gateway/config.h"', True),
    ("security/a.cc", '#include <spdlog/spdlog.h>', True),
    ("novelty/a.cc", "", True),
    ("protocol/a.h", "#include <mutex>", True),
    ("invariant/a.cc", "#include <fstream>", True),
    ("protocol/a.cc", "auto t = std::chrono::steady_clock::now();", True),
    ("protocol/a.cc", "auto t = Clock::now();", True),
    ("protocol/a.cc", "auto t = std::time(nullptr);", True),
    ("protocol/a.cc", "auto t = time(NULL);", True),
    ("protocol/a.cc", "std::mutex lock;", True),
    ("protocol/a.cc", "std::atomic<int> counter;", True),
    ("protocol/a.cc", "std::thread worker(Run);", True),
    ("protocol/a.cc", "auto f = std::async(Run);", True),
    ("protocol/a.cc", "thread_local int depth;", True),
    ("protocol/a.cc", "std::mt19937 g(std::random_device{}());", True),
    ("protocol/a.cc", "int r = rand();", True),
    ("protocol/a.cc", 'auto home = getenv("HOME");', True),
    ("protocol/a.cc", "sleep(1);", True),
    ("invariant/a.cc", "std::cout << 1;", True),
    ("protocol/a.cc", "std::unordered_map<int, int> rows_;\nvoid F() { for (const auto& [k, v] : rows_) Use(k); }", True),
    ("protocol/a.cc", "std::map<int, int> rows_;\nvoid F() { for (const auto& [k, v] : rows_) Use(k); }", False),
    ("protocol/a.cc", "// never calls std::chrono::steady_clock::now()", False),
    ("protocol/a.cc", 'Refuse("the thread of time(0) sleeps");', False),
    ("protocol/a.cc", "Duration commit_time(Now now); int operand(int x);", False),
    ("protocol/a_test.cc", "std::mt19937 g(7);", False),
    ("protocol/test_support.h", "std::mt19937 g(7);", False),
    ("runtime/a.cc", "std::mutex lock; auto t = std::chrono::steady_clock::now();", False),
]


def self_test():
    failed = 0
    for name, text, bad in PLANTED:
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary) / "src" / name
            path.parent.mkdir(parents=True)
            path.write_text(text + "\n", encoding="utf-8")
            found = list(check(Path(temporary)))
        if bool(found) != bad:
            failed += 1
            print(f"self-test: {name}: {text!r}: {'not found' if bad else f'wrongly reported: {found[0][2]}'}")
    print(f"self-test: {len(PLANTED) - failed} passed, {failed} failed")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--self-test", action="store_true", help="check that planted violations are found")
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    found = list(check(arguments.root))
    for path, line, message in found:
        print(f"{path.relative_to(arguments.root)}:{line}: {message}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
