"""Runs a command on a terminal of its own and plays a script: JSON on standard input, JSON with the transcript on standard output.

{"argv": [...], "env": {...}, "columns": 80, "steps": [{"expect": "text"}, {"send": "text"}, {"pause": 0.1}, {"resize": 40}]}
"""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

TIMEOUT = 20


def resize(fd, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def main():
    script = json.load(sys.stdin)
    pid, fd = pty.fork()
    if pid == 0:
        resize(0, script["columns"])
        os.execvpe(script["argv"][0], script["argv"], script["env"])
    seen = b""
    at = 0

    def read(seconds):
        """Whether more came; the end of the output is no more."""
        nonlocal seen
        ready, _, _ = select.select([fd], [], [], seconds)
        if not ready:
            return True
        try:
            more = os.read(fd, 65536)
        except OSError:
            more = b""
        seen += more
        return more != b""

    problem = None
    for step in script["steps"]:
        if "send" in step:
            os.write(fd, step["send"].encode())
        elif "pause" in step:
            until = time.monotonic() + step["pause"]
            while time.monotonic() < until and read(0.02):
                pass
        elif "resize" in step:
            resize(fd, step["resize"])
        else:
            wanted = step["expect"].encode()
            until = time.monotonic() + TIMEOUT
            while seen.find(wanted, at) == -1:
                if time.monotonic() > until or not read(0.2):
                    problem = "does not show " + json.dumps(step["expect"])
                    break
            if problem:
                break
            at = seen.find(wanted, at) + len(wanted)
    until = time.monotonic() + TIMEOUT
    while not problem and read(0.2):
        if time.monotonic() > until:
            problem = "does not end"
    if problem:
        os.kill(pid, 9)
    _, status = os.waitpid(pid, 0)
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    json.dump({"output": seen.decode("utf-8", "replace"), "code": code, "problem": problem}, sys.stdout)


main()
