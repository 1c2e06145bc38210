"""Services that tests and the demo start: real processes, perhaps in the network namespace of a host."""
import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

# Debian's own programs: another python3 ahead on PATH could not import what the packaged services need.
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": os.environ.get("HOME", "/root"),
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
}


class Failed(Exception):
    """A service did not start, or a condition did not come true in time."""


def wait_until(condition, timeout, what, every=0.1):
    """The first true value of `condition()`; asks every `every` seconds, at most `timeout` seconds long."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {timeout} s" if isinstance(what, str) else what())
        time.sleep(every)


def in_namespace(netns, command):
    """The command line that runs `command` in the network namespace, with the process id that was started."""
    if netns is None:
        return list(map(str, command))
    return ["nsenter", f"--net=/run/netns/{netns}", *map(str, command)]


def _started_at(pid):
    """Start time of a process in clock ticks: with the id it names one process for good."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        return None


class Service:
    """One long-running program with its log file. It leads a session of its own, so workers end with it."""

    def __init__(self, name, command, log, netns=None, env=None, cwd=None, pid_file=None):
        self.name, self.command, self.log, self.netns = name, command, Path(log), netns
        self.env, self.cwd, self.pid_file = {**ENVIRONMENT, **(env or {})}, cwd, pid_file
        self._process = None
        self._adopted = None  # a process that an earlier run of ours left in the pid file
        if pid_file and Path(pid_file).exists():
            pid, started = json.loads(Path(pid_file).read_text())
            self._adopted = pid if _started_at(pid) == started else None

    @property
    def pid(self):
        return self._process.pid if self._process else self._adopted

    def start(self):
        if self.running():
            return self
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(in_namespace(self.netns, self.command), stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, env=self.env, cwd=self.cwd,
                                             start_new_session=True)
        if self.pid_file:
            Path(self.pid_file).write_text(json.dumps([self.pid, _started_at(self.pid)]))
        return self

    def running(self):
        if self._process:
            return self._process.poll() is None
        return self._adopted is not None and _started_at(self._adopted) is not None

    def signal(self, number):
        if self.running():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def stop(self, timeout=10):
        """SIGTERM, and SIGKILL when that does not help. The exit status, None if it was not ours to wait for."""
        self.signal(signal.SIGTERM)
        with contextlib.suppress(Failed):
            wait_until(lambda: not self.running(), timeout, self.name, every=0.05)
        return self.kill()

    def kill(self):
        self.signal(signal.SIGKILL)
        wait_until(lambda: not self.running(), 10, f"{self.name} to end after SIGKILL", every=0.02)
        status = self._process.wait() if self._process else None
        self._process = self._adopted = None
        if self.pid_file:
            Path(self.pid_file).unlink(missing_ok=True)
        return status

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self, lines=25):
        return "".join(f"  {self.name}| {line}\n" for line in self.text().splitlines()[-lines:])

    def wait_for(self, condition, timeout, what):
        """As wait_until, but gives up at once when the service has ended; both come with the end of its log."""
        def check():
            value = condition()
            if not value and not self.running():
                raise Failed(f"{self.name} ended while waiting for: {what}\n{self.tail()}")
            return value
        return wait_until(check, timeout, lambda: f"{what}: not within {timeout} s\n{self.tail()}")
