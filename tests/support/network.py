"""Hosts as network namespaces: one address each, joined by a bridge that has a namespace of its own.

Nothing of it touches the machine's own network. Names begin with "is" and our process id, so runs can go side by side;
all of them vanish with `close`.
"""
import contextlib
import ctypes
import json
import os
import subprocess
import threading

_libc = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNET = 0x40000000
_serial = iter(range(1 << 20))


def run(*command, **options):
    result = subprocess.run(list(map(str, command)), text=True, capture_output=True, **options)
    if result.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: {result.stderr.strip()}")
    return result.stdout


def _enter(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        if _libc.setns(fd, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {path}")
    finally:
        os.close(fd)


@contextlib.contextmanager
def inside(netns):
    """Sockets that this thread makes in the block belong to the namespace; None is the machine's own."""
    if netns is None:
        yield
        return
    home = f"/proc/self/task/{threading.get_native_id()}/ns/net"
    fd = os.open(home, os.O_RDONLY)
    try:
        _enter(f"/run/netns/{netns}")
        yield
    finally:
        _enter(f"/proc/self/fd/{fd}")
        os.close(fd)


class Host:
    def __init__(self, network, name, address, netns):
        self.network, self.name, self.address, self.netns = network, name, address, netns

    def run(self, *command, check=True, **options):
        """Runs a command on this host to its end; the CompletedProcess, with text."""
        return subprocess.run(["nsenter", f"--net=/run/netns/{self.netns}", *map(str, command)], text=True,
                              capture_output=True, check=check, **options)

    def limit(self, rate):
        """The link's speed from now on: Mbit/s each way, None = as fast as the machine."""
        for netns, device in ((self.netns, "eth0"), (self.network.switch, f"to-{self.name}")):
            if rate:
                burst = int(min(128 << 10, max(16 << 10, rate * 500)))  # 4 ms, within bounds
                queue = int(max(128 << 10, rate * 6250))  # 50 ms, and room for a few hosts' bursts
                run("tc", "-n", netns, "qdisc", "replace", "dev", device, "root", "tbf", "rate", f"{rate}mbit", "burst",
                    burst, "limit", burst + queue)
            else:
                subprocess.run(["tc", "-n", netns, "qdisc", "delete", "dev", device, "root"], capture_output=True)

    def bytes_sent(self):
        return self.network.counters()[self.name][0]

    def bytes_received(self):
        return self.network.counters()[self.name][1]


class Network:
    """`rate` limits each host's link to so many Mbit/s both ways; None leaves it as fast as the machine."""

    def __init__(self, names, rate=None, subnet="10.79"):
        self.prefix = f"is{os.getpid()}-{next(_serial)}"
        self.switch = f"{self.prefix}-switch"
        self._made = []
        self.hosts = {}
        try:
            self._add_namespace(self.switch)
            run("ip", "-n", self.switch, "link", "add", "bridge", "type", "bridge", "forward_delay", "0",
                "mcast_snooping", "0")
            run("ip", "-n", self.switch, "link", "set", "bridge", "up")
            for number, name in enumerate(names, start=1):
                self._add_host(name, f"{subnet}.{(number - 1) // 254}.{1 + (number - 1) % 254}", rate)
        except BaseException:
            self.close()
            raise

    def __getitem__(self, name):
        return self.hosts[name]

    def _add_namespace(self, name):
        run("ip", "netns", "add", name)
        self._made.append(name)
        # Without IPv6 a namespace is ready at once: no duplicate address detection, no router solicitations to count.
        with inside(name), open("/proc/sys/net/ipv6/conf/default/disable_ipv6", "w") as setting:
            setting.write("1")
        run("ip", "-n", name, "link", "set", "lo", "up")

    def _add_host(self, name, address, rate):
        netns = f"{self.prefix}-{name}"
        self._add_namespace(netns)
        port = f"to-{name}"
        run("ip", "-n", self.switch, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", netns)
        run("ip", "-n", self.switch, "link", "set", port, "master", "bridge", "up")
        run("ip", "-n", netns, "addr", "add", f"{address}/16", "brd", "+", "dev", "eth0")
        run("ip", "-n", netns, "link", "set", "eth0", "up")
        self.hosts[name] = Host(self, name, address, netns)
        self.hosts[name].limit(rate)

    def split(self, names, rate=None):
        """Takes these hosts to a second switch, at the far end of one link of so many Mbit/s each way."""
        run("ip", "-n", self.switch, "link", "add", "elsewhere", "type", "bridge", "forward_delay", "0", "mcast_snooping",
            "0")
        run("ip", "-n", self.switch, "link", "add", "between", "type", "veth", "peer", "name", "between-end")
        for device, bridge in (("between", "bridge"), ("between-end", "elsewhere"), *((f"to-{name}", "elsewhere")
                                                                                for name in names)):
            run("ip", "-n", self.switch, "link", "set", device, "master", bridge, "up")
            if rate and device.startswith("between"):
                run("tc", "-n", self.switch, "qdisc", "add", "dev", device, "root", "tbf", "rate", f"{rate}mbit",
                    "burst", "64kb", "latency", "50ms")
        run("ip", "-n", self.switch, "link", "set", "elsewhere", "up")

    def bytes_over_link(self):
        """What went over the link of `split` to its far end."""
        return json.loads(run("ip", "-n", self.switch, "-s", "-j", "link", "show", "between"))[0]["stats64"]["tx"]["bytes"]

    def counters(self):
        """{host: (bytes it sent, bytes it received)} since the start, as the switch saw them."""
        links = json.loads(run("ip", "-n", self.switch, "-s", "-j", "link"))
        return {link["ifname"][3:]: (link["stats64"]["rx"]["bytes"], link["stats64"]["tx"]["bytes"])
                for link in links if link["ifname"].startswith("to-")}

    def close(self):
        """Removes the namespaces; stop what runs in them first."""
        while self._made:
            subprocess.run(["ip", "netns", "delete", self._made.pop()], capture_output=True)
