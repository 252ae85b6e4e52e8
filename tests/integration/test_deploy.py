"""The container file: what it installs is what the program needs."""

import re
import subprocess
import unittest

from network import ROOT, STRIFE

ALWAYS_THERE = {"libc6", "libgcc-s1", "libstdc++6"}


def output_of(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


class Container(unittest.TestCase):
    def test_Containerfile_InstallsThePackageOfEveryLibraryTheProgramNeeds(self):
        needed = re.findall(r"NEEDED.*\[(lib.*)\]", output_of("readelf", "-d", str(STRIFE)))
        if any(re.match("lib[at]san", name) for name in needed):
            self.skipTest("a program with sanitizers is not what goes into a container")
        self.assertGreater(len(needed), 5, needed)
        owners = {line.split(":")[0] for name in needed for line in output_of("dpkg", "-S", f"*-linux-gnu/{name}").splitlines()}
        owners = {package for package in owners if not package.endswith("-dev")} - ALWAYS_THERE
        text = (ROOT / "deploy/Containerfile").read_text()
        installed = re.search(r"--no-install-recommends([^&]*)&&", text)[1].replace("\\", "").split()
        self.assertEqual(sorted(owners), sorted(installed))
