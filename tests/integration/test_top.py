"""`strife top`: a live view on a terminal, which is as it was before afterwards."""

import fcntl
import signal
import struct
import termios

from cases import NetworkCase
from network import STRIFE, run_strife, wait_until
from person import Person
from terminal import Terminal


class Top(NetworkCase):
    BANKS = 2
    USERS = 2

    def setUp(self):
        self.terminal = Terminal([STRIFE, "top", "--dir", self.network.path, "--interval", "200ms"])
        self.addCleanup(self.terminal.close)

    def attributes(self):
        return termios.tcgetattr(self.terminal.master)[3] & (termios.ICANON | termios.ECHO)

    def resize(self, columns, rows):
        fcntl.ioctl(self.terminal.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def ended(self):
        """The exit status, and that the terminal was given back."""
        wait_until(lambda: (self.terminal.read(), self.terminal.process.poll() is not None)[1], "top to end")
        self.assertEqual(self.attributes(), termios.ICANON | termios.ECHO)
        return self.terminal.process.returncode

    def test_ShowsRatesBanksAndPhases_AndEndsWithQ(self):
        self.terminal.expect("bank1")
        self.terminal.expect("up")
        # Not by Python's gRPC, which does not survive the fork of the next test.
        paid = Person(self.network, "user1").login().pay(to="bank2/user2")
        self.assertEqual(paid.returncode, 0, paid.stderr)
        self.terminal.expect("prepare")
        self.terminal.expect("COMPLETED")
        self.terminal.type("q")
        self.assertEqual(self.ended(), 0)

    def test_CtrlCAndTerm_GiveTheTerminalBack(self):
        self.terminal.expect("strife top")
        self.terminal.type("\x03")
        self.assertEqual(self.ended(), 0)
        self.terminal = Terminal([STRIFE, "top", "--dir", self.network.path])
        self.addCleanup(self.terminal.close)
        self.terminal.expect("strife top")
        self.terminal.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.ended(), 0)

    def test_ATerminalThatGetsSmaller_IsDrawnAnew(self):
        self.resize(120, 40)
        self.terminal.expect("bank2")
        self.resize(30, 3)
        self.terminal.seen = len(self.terminal.screen)
        self.terminal.expect("strife top")
        self.terminal.type("q")
        self.assertEqual(self.ended(), 0)

    def test_ABankThatIsAway_IsNamed(self):
        self.terminal.expect("bank1")
        self.network.kill("bank2")
        self.terminal.expect("! bank2")
        self.terminal.expect("DOWN")
        self.network.start("bank2")

    def test_WithoutATerminal_SaysWhatToUseInstead(self):
        refused = run_strife("top", "--dir", self.network.path)
        self.assertEqual(refused.returncode, 1)
        self.assertEqual(refused.stdout, "")
        self.assertIn("strife status", refused.stderr)
        usage = run_strife("top")
        self.assertEqual(usage.returncode, 2)
