"""What the inspector asks of the kernel while it looks at hostile images: nothing that leaves its sandbox."""
import re
import subprocess

from support.testbed import programs

LOADER = re.compile(r'"(/etc/ld\.so\.(cache|preload)|(/usr)?/lib/[^"]*\.so[.0-9]*)"')
CALLS = "open,openat,openat2,creat,connect,socket,execve,execveat,seccomp,prctl"
KINDS = ["--kind", "image", "--kind", "archive"]


def calls_of_helper(trace):
    """The calls of this process from when it became the inspector; none if it never did."""
    no_calls = ("---", "+++", "???(")  # signals, the end, and the end by the parent
    lines = [line for line in trace.read_text().splitlines() if not line.startswith(no_calls)]
    start = [number for number, line in enumerate(lines) if re.match(r"execve\(.*imageswarm-inspector", line)]
    return lines[start[0]:] if start else []


def is_filter(line):
    return line.startswith(("seccomp(SECCOMP_SET_MODE_FILTER", "prctl(PR_SET_SECCOMP")) and line.endswith("= 0")


def test_hostile_images_open_nothing_connect_to_nothing_and_start_nothing(tmp_path):
    # A file for each process: in one file the lines of several would be torn apart.
    subprocess.run(["strace", "-ff", "-qq", "-o", tmp_path / "trace", "-e", f"trace={CALLS}", programs() / "attacks",
                    *KINDS], check=True, stdout=subprocess.DEVNULL, timeout=900)
    traces = list(tmp_path.glob("trace.*"))
    assert not any("qemu-img" in trace.read_text() for trace in traces)
    helpers = [calls for calls in map(calls_of_helper, traces) if calls]
    for started, *calls in helpers:
        assert calls and is_filter(calls[-1]), f"no sandbox, or called from it: {calls}"
        for line in calls:
            assert not line.startswith(("execve", "socket", "connect", "creat")), line
            assert not line.startswith("open") or LOADER.search(line), line
    print(f"\n{len(helpers)} hostile and genuine images and archives looked at: no file but the loader's libraries, no "
          "connection, no other program, and none of these calls after the sandbox was closed")
    assert len(helpers) >= 300
