"""What a server's process takes of the machine."""


def status_mib(process, name):
    """`VmRSS` and the like out of /proc, in MiB."""
    with open(f"/proc/{process.popen.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name + ":")) // 1024
