"""What scripts/demo shows once programs and image are there: python3 -m support.demo [--keep] IMAGE"""
import filecmp
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from support.process import Failed
from support.testbed import Site

RATE = 500  # Mbit/s of each host's link: fast, and slow enough to see that hosts share
BEGIN = time.monotonic()


def step(title):
    print(f"\n[{time.monotonic() - BEGIN:5.1f} s] {title}", flush=True)


def say(text):
    for line in text.strip().splitlines():
        print(f"          {line}", flush=True)


def megabytes(count):
    return f"{count / 1e6:.0f} MB"


def publish(site, image):
    publisher = site.publisher()
    name = re.sub("[^A-Za-z0-9._-]", "-", image.name.split(".")[0])
    entry = publisher.publish_image(image, name)
    step(f"The endorser publishes {name}: {megabytes(entry['content-size'])} of {entry['disk-format']}")
    say(publisher.index("verify", publisher.catalogue, "--anchors", site.authority.anchors).stdout)
    say(f"image ID {entry['image-id']}\nSHA-512  {entry['content-sha512'][:32]}…")
    return publisher, entry


def fetch(site, publisher, entry):
    for host in [site.index_host, *site.hypervisors]:
        host.limit(RATE)
    seeder = site.seeder(publisher)
    begin = time.monotonic()
    daemons = [site.daemon(host, [publisher], sinks=[site.glance_sink()]).start() for host in site.hypervisors]
    step(f"Three hypervisors start, with links of {RATE} Mbit/s; each verifies the catalogue itself")
    for daemon in daemons:
        daemon.wait_for(lambda: (daemon.subscription() or {}).get("state") == "current", 30, "an accepted catalogue")
        known = daemon.subscription()
        say(f"{daemon.host.name} ({daemon.host.address}) accepted {known['name']}, serial {known['serial']}, "
            f"good until {known['expires']}")
    step("They fetch the image from each other")
    waiting, shown = list(daemons), 0
    while waiting:
        rows = {daemon: daemon.image(entry["image-id"]) for daemon in daemons}
        if time.monotonic() - shown > 2:
            shown = time.monotonic()
            say("   ".join(f"{daemon.host.name} {row['state']} {100 * (row['progress'] or 0):.0f} %"
                           for daemon, row in rows.items() if row))
        waiting = [daemon for daemon in waiting if not rows[daemon] or rows[daemon]["state"] != "active"]
        for daemon in waiting:
            if not daemon.running() or time.monotonic() - begin > 200:
                raise Failed(f"{daemon.name} does not get there\n{daemon.tail()}")
        time.sleep(0.3)
    say(f"all three are active {time.monotonic() - begin:.1f} s after their start")

    step("Who gave how much")
    rows = {daemon: daemon.image(entry["image-id"]) for daemon in [seeder, *daemons]}
    web = sum(row["bytes"]["web-seed"] for row in rows.values())
    say(f"index host  {megabytes(rows[seeder]['bytes']['uploaded'])} by BitTorrent, {megabytes(web)} as web seed")
    for daemon in daemons:
        given, taken = rows[daemon]["bytes"]["uploaded"], rows[daemon]["bytes"]
        say(f"{daemon.host.name}         {megabytes(given)} to its neighbours; received "
            f"{megabytes(taken['peers'])} from peers and {megabytes(taken['web-seed'])} from the web seed")
    return daemons


def compare(site, image, entry, daemons):
    step("Glance has it once")
    [record] = site.cloud.images_of(entry["image-id"])
    for key in ("id", "name", "status", "visibility", "size", "imageswarm_endorser"):
        say(f"{key:20} {record[key]}")
    say(f"{record['os_hash_algo']:20} {record['os_hash_value'][:32]}…, as signed")
    assert record["os_hash_value"] == entry["content-sha512"]
    receipts = [receipt for daemon in daemons for receipt in daemon.receipts()]
    say(f"{len(receipts)} receipts, {site.cloud.uploads(record['id']).count(204)} upload")

    step("Downloaded back from Glance")
    back = site.directory / "from-glance"
    site.cloud.download(record["id"], back)
    if not filecmp.cmp(image, back, shallow=False):
        raise Failed("Glance has other bytes than the endorser")
    say("bit by bit what the endorser had")
    return back


def boot(back, must):
    step("And it boots (qemu, software emulation)")
    run = subprocess.run([Path(__file__).parent / "boot-image", back, "120"], text=True, capture_output=True)
    say(run.stdout + run.stderr)
    if run.returncode and must:
        raise Failed("the image from Glance does not boot")


def main():
    keep, image = "--keep" in sys.argv, Path(sys.argv[-1])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    step("A site: an index host with web server and tracker, three hypervisors, Keystone and Glance")
    site = Site(hypervisors=3)
    try:
        say("\n".join(f"{host.name:8} {host.address}" for host in site.network.hosts.values()))
        publisher, entry = publish(site, image)
        daemons = fetch(site, publisher, entry)
        boot(compare(site, image, entry, daemons), must=image.name == "debian-12.qcow2")
        step("Cleaning up")
    except (Failed, AssertionError) as failure:
        sys.exit(f"demo: {failure}")
    finally:
        if keep:
            kept = Path("/tmp") / f"imageswarm-demo-{site.directory.name.split('-')[1]}"
            site.stop_daemons()
            shutil.copytree(site.directory, kept, symlinks=True, ignore=shutil.ignore_patterns("socket"))
            say(f"kept: {kept}")
        site.close()


if __name__ == "__main__":
    main()
