"""A program used by a person: on a pseudo-terminal, typed at and read."""

import os
import pty
import re
import select
import signal
import subprocess

from network import clean_environment, wait_until


class Terminal:
    """Runs `command` on a pseudo-terminal of 80 columns."""

    def __init__(self, command, **environment):
        self.screen = ""
        self.seen = 0
        environment = clean_environment() | {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"} | environment
        master, slave = pty.openpty()
        self.master = master
        # A program makes it the controlling terminal: Python's own code between fork and exec can hang beside threads.
        self.process = subprocess.Popen(["setsid", "--ctty", *command], stdin=slave, stdout=slave, stderr=slave,
                                        env=environment)
        os.close(slave)

    def read(self):
        while select.select([self.master], [], [], 0.02)[0]:
            try:
                got = os.read(self.master, 65536)
            except OSError:
                return
            if not got:
                return
            self.screen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", got.decode(errors="replace"))

    def expect(self, text):
        """Waits until `text` comes up after what was expected before."""
        def there():
            self.read()
            return text in self.screen[self.seen:]
        try:
            wait_until(there, repr(text), 30)
        except AssertionError as error:
            raise AssertionError(f"{error}; the screen: {self.screen[self.seen:]!r}") from None
        self.seen = self.screen.index(text, self.seen) + len(text)

    def type(self, text):
        os.write(self.master, text.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        os.close(self.master)
