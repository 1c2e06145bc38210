"""What stands around our programs: a web server, a tracker, file systems."""
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from support.cloud import http
from support.process import Service


class Nginx(Service):
    """Serves a directory with Range requests, as any web server would."""

    def __init__(self, directory, root, netns=None, address="127.0.0.1", port=80):
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.url = f"http://{address}:{port}" if port != 80 else f"http://{address}"
        temporary = "".join(f"  {kind}_temp_path {directory}/{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (directory / "nginx.conf").write_text(f"""\
daemon off;
worker_processes 1;
user root;
pid {directory}/nginx.pid;
error_log stderr;
events {{ worker_connections 512; }}
http {{
{temporary}  access_log {directory}/access.log;
  types {{ text/html html; }}
  default_type application/octet-stream;
  sendfile on;
  server {{ listen {address}:{port}; root {root}; }}
}}
""")
        super().__init__("nginx", ["nginx", "-e", "stderr", "-p", directory, "-c", directory / "nginx.conf"],
                         directory / "log", netns)

    def start(self):
        super().start()
        self.wait_for(lambda: _answers(self.url + "/", self.netns), 20, "nginx to answer")
        return self


class Opentracker(Service):
    """Debian's build admits listed info-hashes only; it insists on its own root directory and on not being root."""

    def __init__(self, directory, netns=None, address="127.0.0.1", port=6969):
        self.url = f"http://{address}:{port}/announce"
        self._jail = Path(directory) / "root"
        self._jail.mkdir(parents=True, exist_ok=True)
        self._jail.chmod(0o755)
        self._listed = {}
        self._write()
        super().__init__("opentracker", ["opentracker", "-i", address, "-p", port, "-P", port, "-d", self._jail, "-u",
                                         "nobody", "-w", "/whitelist"], Path(directory) / "log", netns)

    def start(self):
        super().start()
        self.wait_for(lambda: _answers(self.url.replace("/announce", "/stats"), self.netns), 20, "opentracker to answer")
        return self

    def admit(self, publisher, whitelist):
        """Takes over the `tracker-whitelist` that a publisher wrote."""
        self._listed[publisher] = Path(whitelist).read_text()
        self._write()
        self.signal(signal.SIGHUP)

    def _write(self):
        fresh = self._jail / "whitelist.new"
        fresh.write_text("".join(self._listed.values()))
        fresh.chmod(0o644)
        fresh.replace(self._jail / "whitelist")


class Rtorrent(Service):
    """An ordinary client on a terminal of its own; downloads one torrent file into a directory and goes on seeding."""

    def __init__(self, directory, torrent, netns=None, port=6891):
        self.directory = Path(directory)
        self.downloads = self.directory / "downloads"
        (self.directory / "session").mkdir(parents=True)
        self.downloads.mkdir()
        watched = self.directory / "to-do.torrent"
        shutil.copy(torrent, watched)
        settings = self.directory / "rtorrent.rc"
        settings.write_text(f"""\
directory.default.set = {self.downloads}
session.path.set = {self.directory}/session
network.port_range.set = {port}-{port}
dht.mode.set = disable
trackers.use_udp.set = no
pieces.hash.on_completion.set = yes
method.set_key = event.download.finished, marked, "execute.nothrow=touch,{self.directory}/finished"
""")
        command = f"rtorrent -n -o import={settings} {watched}"
        super().__init__("rtorrent", ["script", "--quiet", "--return", "--command", command, "/dev/null"],
                         self.directory / "log", netns, env={"TERM": "xterm", "HOME": str(self.directory)})

    def finished(self):
        return (self.directory / "finished").exists()


def _answers(url, netns):
    try:
        return http("GET", url, netns=netns, timeout=5).status < 500
    except OSError:
        return False


def make_disk(path, megabytes, disk_format="raw"):
    """A disk image whose content is random, so that no two tests have an image in common."""
    path = Path(path)
    raw = path if disk_format == "raw" else path.with_suffix(".random")
    with open(raw, "wb") as out:
        for _ in range(megabytes):
            out.write(os.urandom(1 << 20))
    if disk_format != "raw":
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", disk_format, raw, path], check=True)
        raw.unlink()
    return path


@contextlib.contextmanager
def file_system(path, megabytes, kind="ext4"):
    """A new file system on a loop device, mounted on `path`; nobody may use it any more at the end. Btrfs wants 109 MB
    at least, XFS 300. Its file has no name any more, so nothing is left behind once it is not mounted."""
    options = {"ext4": ["-q", "-F", "-m", "0"], "btrfs": ["-q"], "xfs": ["-q"]}[kind]
    with tempfile.NamedTemporaryFile() as disk:
        disk.truncate(megabytes << 20)
        subprocess.run([f"mkfs.{kind}", *options, disk.name], check=True)
        subprocess.run(["mount", "-t", kind, "-o", "loop", disk.name, path], check=True)
    try:
        if kind == "ext4":
            (Path(path) / "lost+found").rmdir()
        yield path
    finally:
        subprocess.run(["umount", path], check=True)
