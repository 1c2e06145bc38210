"""A whole site: one host with the index, one with the cloud, and hypervisors, each with its own address and daemon."""
import copy
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import yaml

from support.authority import Authority
from support.cloud import Cloud
from support.network import Network
from support.process import ENVIRONMENT, Service, in_namespace, wait_until
from support.services import Nginx, Opentracker

ROOT = Path(__file__).resolve().parent.parent.parent


def programs():
    """The folder with our programs: IMAGESWARM_BIN, or the newest build."""
    if os.environ.get("IMAGESWARM_BIN"):
        return Path(os.environ["IMAGESWARM_BIN"]).resolve()
    built = [folder for folder in ROOT.glob("build/*/bin") if (folder / "imageswarmd").exists()]
    if not built:
        raise FileNotFoundError("no build with imageswarmd in it: run cmake --preset release && ninja -C build/release")
    return max(built, key=lambda folder: (folder / "imageswarmd").stat().st_mtime)


def run_program(name, *arguments, netns=None, cwd=None, check=True, timeout=300):
    command = in_namespace(netns, [programs() / name, *arguments])
    result = subprocess.run(command, text=True, capture_output=True, cwd=cwd, env=ENVIRONMENT, timeout=timeout,
                            stdin=subprocess.DEVNULL)
    if check and result.returncode:
        raise AssertionError(f"{name} {' '.join(map(str, arguments))}: status {result.returncode}\n"
                             f"{result.stdout}{result.stderr}")
    return result


def merged(base, changes):
    """`base` with `changes` laid over it, map by map; lists and values are replaced."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        deeper = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if deeper else value
    return result


class Publisher:
    """An endorser at work: a store, what is published from it, and the web server's view of that."""

    def __init__(self, site, name, endorser=None):
        self.site, self.name = site, name
        self.endorser = endorser or site.endorser
        self.store = site.directory / "stores" / name
        self.store.mkdir(parents=True)
        (site.web_root / name).symlink_to(self.store / "public")
        self.url = f"{site.web.url}/{name}/catalogue.yaml"
        self.catalogue = self.store / "public" / "catalogue.yaml"
        self.index("init", "--name", name, "--endorser-name", "Endorser of the tests", "--tracker", site.tracker.url,
                   "--web-seed", f"{site.web.url}/{name}/images/")

    def index(self, *arguments, check=True):
        return run_program("imageswarm-index", *arguments, cwd=self.store, check=check)

    def add(self, image, name, *options):
        """The entry of the new image, as `show --json` prints it."""
        self.index("add", image, "--name", name, *options)
        return self.show(name)

    def show(self, name):
        return json.loads(self.index("show", name, "--json").stdout)

    def publish(self, *options):
        self.index("endorse", "--all", "--yes")
        self.index("publish", "--certificate", self.endorser.certificate, "--key", self.endorser.key, *options)
        self.site.tracker.admit(self.name, self.store / "public" / "tracker-whitelist")
        return self

    def publish_image(self, image, name, *options):
        entry = self.add(image, name, *options)
        self.publish()
        return entry

    def artefact(self, entry):
        return self.store / "public" / "images" / entry["torrent-content-name"]


class Daemon(Service):
    """imageswarmd on one host of the site, with a state directory that outlives a restart."""

    def __init__(self, site, host, catalogues, configuration):
        self.site, self.host = site, host
        self.directory = site.directory / "daemons" / f"{next(site.numbers)}-{host.name}"
        self.directory.mkdir(parents=True)
        self.state = self.directory / "state"
        self.state.mkdir()
        self.socket = self.directory / "socket"
        self.settings = merged({
            "host": {"name": host.name},
            "trust": {"anchors": str(site.authority.anchors)},
            "catalogues": [{"url": publisher.url, "endorsers": [publisher.endorser.name], "refresh": "60s"}
                           for publisher in catalogues],
            "approvals": {"policy": "all"},
            "swarm": {"listen": f"{host.address}:6881", "networks": [site.subnet]},
            "store": {"directory": str(self.state)},
            "sinks": [],
            "control": {"socket": str(self.socket)},
        }, configuration)
        self.configuration_file = self.directory / "imageswarmd.yaml"
        self.configure({})
        super().__init__(f"imageswarmd on {host.name}",
                         [programs() / "imageswarmd", "--config", self.configuration_file],
                         self.directory / "log", host.netns)

    def configure(self, changes):
        """Writes the configuration anew with these changes; a running daemon reads it upon SIGHUP or restart."""
        self.settings = merged(self.settings, changes)
        self.configuration_file.write_text(yaml.safe_dump(self.settings, sort_keys=False, allow_unicode=True))

    def once(self, timeout=60):
        """A whole round by itself; the finished process with its exit status and what it said."""
        return run_program("imageswarmd", "--config", self.configuration_file, "--once", "--timeout", str(timeout),
                           netns=self.netns, check=False, timeout=timeout + 60)

    def start_and_answer(self):
        self.start()
        self.wait_for(lambda: self.ctl("status", "--json", check=False).returncode == 0, 30, "the daemon to answer")
        return self

    def kill(self):
        """SIGKILL to the daemon alone: its helper processes have to notice, as after a crash."""
        if self.running():
            leader = self.pid
            os.kill(leader, signal.SIGKILL)
            wait_until(lambda: not self.running(), 10, f"{self.name} to end after SIGKILL", every=0.02)
            wait_until(lambda: subprocess.run(["pgrep", "--session", str(leader)], capture_output=True).returncode, 5,
                       f"the helpers of {self.name} to end with it")
        return super().kill()

    def ctl(self, *arguments, check=True, timeout=300):
        return run_program("imageswarmctl", "--socket", self.socket, *arguments, check=check, timeout=timeout)

    def status(self):
        """`status --json`; an empty one while the daemon does not answer."""
        answer = self.ctl("status", "--json", check=False)
        return json.loads(answer.stdout) if answer.returncode == 0 else {"images": [], "subscriptions": []}

    def image(self, image_id):
        """The row of an image, None if the daemon does not know it (yet)."""
        return next((row for row in self.status()["images"] if row["image-id"] == image_id), None)

    def subscription(self, kind="catalogue"):
        return next((row for row in self.status()["subscriptions"] if row["kind"] == kind), None)

    def wait_for_image(self, image_id, state, timeout=120):
        def there():
            row = self.image(image_id)
            return row if row and row["state"] == state else None
        return self.wait_for(there, timeout, f"image {image_id} to be {state} on {self.host.name}")

    def wait_for_text(self, text, timeout=60):
        return self.wait_for(lambda: text in self.text(), timeout, f"the daemon to say \"{text}\"")

    def receipts(self):
        return json.loads(self.ctl("receipts", "--json").stdout)

    def hooks(self):
        answer = self.ctl("hooks", "--json", check=False)
        return json.loads(answer.stdout) if answer.returncode == 0 else []

    def payload_received(self, image_id):
        row = self.image(image_id)
        return row["bytes"]["peers"] + row["bytes"]["web-seed"]


class Site:
    """`close` stops and removes all of it."""

    subnet = "10.79.0.0/24"

    def __init__(self, hypervisors=4, with_cloud=True):
        # Short, since a Unix socket's path has at most 107 characters.
        self.directory = Path(tempfile.mkdtemp(prefix="imageswarm-"))
        self.directory.chmod(0o755)
        self.daemons, self.numbers = [], itertools.count(1)
        self.cloud = self.tracker = self.web = self.network = None
        try:
            self.hypervisor_names = [f"hv{number}" for number in range(1, hypervisors + 1)]
            self.network = Network(["index", "cloud", *self.hypervisor_names])
            self.index_host = self.network["index"]
            self.hypervisors = [self.network[name] for name in self.hypervisor_names]
            self.authority = Authority(self.directory / "ca")
            self.endorser = self.authority["ada"]
            self.web_root = self.directory / "web"
            self.web_root.mkdir()
            self.web = Nginx(self.directory / "nginx", self.web_root, self.index_host.netns,
                             self.index_host.address).start()
            self.tracker = Opentracker(self.directory / "tracker", self.index_host.netns,
                                       self.index_host.address).start()
            if with_cloud:
                host = self.network["cloud"]
                self.cloud = Cloud(self.directory / "cloud", host.netns, host.address, 5000, 9292).start()
        except BaseException:
            self.close()
            raise

    def publisher(self, endorser=None):
        """A new endorser's store with a catalogue of its own."""
        return Publisher(self, f"catalogue-{next(self.numbers)}", endorser)

    def glance_sink(self, **settings):
        return {"type": "glance", "cloud": "test", "clouds-file": str(self.cloud.clouds_file), **settings}

    def daemon(self, host, catalogues, **configuration):
        daemon = Daemon(self, host, catalogues, configuration)
        self.daemons.append(daemon)
        return daemon

    def refresh_all(self):
        """Every daemon is told, and nobody waits for it."""
        for daemon in self.daemons:
            threading.Thread(target=daemon.ctl, args=("refresh",), kwargs={"check": False}).start()

    def seeder(self, *publishers):
        """The daemon of the index host: it has the artefacts already and seeds them in place."""
        seed_from = [str(publisher.store / "public" / "images") for publisher in publishers]
        return self.daemon(self.index_host, publishers, store={"seed-from": seed_from}).start_and_answer()

    def directory_sink(self, host):
        path = self.directory / "images" / f"{next(self.numbers)}-{host.name}"
        path.mkdir(parents=True)
        return {"type": "directory", "path": str(path)}

    def nova_cache_sink(self, host, **settings):
        """The cache in an instances_path of its own; the group is a number that no host knows."""
        path = self.directory / "nova" / f"{next(self.numbers)}-{host.name}" / "_base"
        path.mkdir(parents=True)
        return {"type": "nova-cache", "directory": str(path), "group": "4711", **settings}

    def stop_daemons(self):
        for daemon in self.daemons:
            daemon.kill()

    def heal(self):
        """Everything around the daemons runs, on unlimited links, with all its data."""
        for host in self.network.hosts.values():
            host.limit(None)
        self.web.start()
        self.tracker.start()
        if self.cloud:
            self.cloud.start()

    def close(self):
        self.stop_daemons()
        for service in (self.cloud, self.tracker, self.web):
            if service:
                service.stop()
        if self.network:
            self.network.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def random_moments(count, low, high):
    """`count` waiting times, spread over low to high and shuffled: no moment is left out by chance."""
    step = (high - low) / count
    moments = [low + step * (number + random.random()) for number in range(count)]
    random.shuffle(moments)
    return moments


def wait_for_images(daemons, image_id, state="active", timeout=180):
    """Seconds until the image is in this state on every daemon."""
    begin = time.monotonic()
    for daemon in daemons:
        daemon.wait_for_image(image_id, state, max(1, timeout - (time.monotonic() - begin)))
    return time.monotonic() - begin
