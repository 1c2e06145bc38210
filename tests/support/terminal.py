"""Programs that talk to a person: run at a terminal of their own."""
import contextlib
import os
import pty
import termios
from pathlib import Path

from support.process import wait_until


class Talk:
    """What a program showed, with its exit status, and what others could see of it while it waited."""

    def __init__(self):
        self.status, self.shown, self.visible = None, "", b""


def _echoes(terminal):
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def on_terminal(command, *dialogue, hidden=False):
    """Runs a command at a terminal. `dialogue`: (text to wait for, what is typed then)…; if that is `hidden`, it is
    typed as soon as the program has turned the echo off, which comes after the question."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], [str(part) for part in command])
    talk, shown, read_until = Talk(), b"", 0
    pending = list(dialogue)
    with contextlib.suppress(OSError):  # EIO: it has closed its end
        while True:
            while pending and (at := shown.find(pending[0][0].encode(), read_until)) >= 0:
                process = Path(f"/proc/{pid}")
                talk.visible += (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
                read_until = at + len(pending[0][0])
                if hidden:
                    wait_until(lambda: not _echoes(terminal), 10, "the echo to be off", every=0.01)
                os.write(terminal, pending.pop(0)[1].encode())
            chunk = os.read(terminal, 65536)
            if not chunk:
                break
            shown += chunk
    talk.status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    talk.shown = shown.decode()
    assert not pending, f"never asked for {pending[0][0]!r}: {talk.shown}"
    return talk
