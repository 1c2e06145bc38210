"""Hooks: each event is delivered once or more, whatever becomes of hook, daemon and disk, and never lost."""
import itertools
import json
import os
import shutil
import subprocess
import time

import pytest

from support.approvals import Approvals
from support.process import wait_until
from support.services import make_disk
from support.testbed import merged, random_moments

# Writes down what it is told, and whether it took it: only then is it received.
HOOK = """#!/bin/sh
dir=$1
name=$dir/$(date +%s.%N)-$$
cat > $name.part
mv $name.part $name.try
case $(cat $dir/mode 2>/dev/null) in
  fail) exit 1 ;;
  fail-twice) test $(ls $dir/*.try | wc -l) -gt 2 || exit 1 ;;
  hang) exec sleep 1000 ;;  # what it starts outlives a killed daemon; in a unit systemd ends it
  killed) kill -9 $$ ;;
  slow) sleep 0.3 ;;
esac
mv $name.try $name.event
"""


class Receiver:
    def __init__(self, directory):
        self.directory = directory
        directory.mkdir()
        self.program = directory / "hook"
        self.program.write_text(HOOK)
        self.program.chmod(0o755)

    def settings(self, **changes):
        return merged({"run": [str(self.program), str(self.directory)]}, changes)

    def be(self, mode):
        (self.directory / "mode").write_text(mode)

    def told(self, suffixes=(".try", ".event")):
        files = sorted(file for file in self.directory.iterdir() if file.suffix in suffixes)
        return [json.loads(file.read_text()) for file in files]

    def events(self):
        return self.told((".event",))

    def forget(self):
        for file in itertools.chain(self.directory.glob("*.try"), self.directory.glob("*.event")):
            file.unlink()

    def heard(self, image_id):
        """The kinds of the events of an image, in order; a repeated one counts once."""
        by_id = {event["id"]: event["event"] for event in self.events() if event["image"]["image-id"] == image_id}
        return list(by_id.values())


@pytest.fixture
def published(site, tmp_path):
    publisher = site.publisher()
    publisher.add(make_disk(tmp_path / "other.raw", 1), "left-alone")
    publisher.entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 4), "with-hooks",
                                              "--image-version", "1")
    publisher.approvals = Approvals(site, publisher, tmp_path)
    site.seeder(publisher)
    return publisher


@pytest.fixture
def receiver(tmp_path):
    return Receiver(tmp_path / "receiver")


def hypervisor(site, published, *hooks, **settings):
    host = site.hypervisors[0]
    return site.daemon(host, [published], **merged(
        {"sinks": [site.directory_sink(host)], "hooks": list(hooks), "approvals": published.approvals.settings()},
        settings))


def test_what_a_hook_is_told_is_what_the_status_says(site, published, receiver):
    daemon = hypervisor(site, published, receiver.settings(events=["available"])).start()
    image_id = published.entry["image-id"]
    daemon.wait_for(lambda: receiver.heard(image_id) == ["available"], 120, "the event")
    [event] = [event for event in receiver.events() if event["image"]["image-id"] == image_id]
    image = daemon.image(image_id)
    assert event["host"] == daemon.host.name
    assert event["state"] == "active"
    assert event["image"]["content-sha256"] == published.entry["content-sha256"]
    assert event["image"]["content-size"] == published.entry["content-size"]
    assert event["endorser"] == image["endorser"]
    assert event["sinks"] == image["sinks"]
    assert event["fault"] is None


def supersede(published, directory):
    for number in (2, 3):  # a directory keeps two
        published.add(make_disk(directory / f"{number}.raw", 1), "with-hooks", "--image-version", str(number))
    published.publish()


def withdraw(published, _):
    published.index("withdraw", "with-hooks", "--reason", "a hole in its login")
    published.publish()


def recall(published, _):
    published.approvals.recall(published.entry["image-id"])


@pytest.mark.parametrize("change, kind, reason", [
    (supersede, "superseded", None),
    (withdraw, "withdrawn", "a hole in its login"),
    (recall, "recalled", "a hole in its login"),
])
def test_what_ends_an_images_use_is_told_after_it_was_available(site, published, receiver, tmp_path, change, kind,
                                                                reason):
    daemon = hypervisor(site, published, receiver.settings()).start()
    image_id = published.entry["image-id"]
    daemon.wait_for(lambda: receiver.heard(image_id) == ["available"], 120, "the image")
    change(published, tmp_path)
    daemon.ctl("refresh")
    daemon.wait_for(lambda: receiver.heard(image_id) == ["available", kind], 120, "the event")
    event = [event for event in receiver.events() if event["image"]["image-id"] == image_id][-1]
    assert event["state"] == kind
    assert (reason or "") in event["reason"]
    assert len(receiver.told()) == len({event["id"] for event in receiver.events()}), "nothing comes twice by itself"


def test_a_failure_is_told_with_its_fault_and_then_that_it_is_over(site, published, receiver, tmp_path):
    absent = tmp_path / "absent"
    daemon = hypervisor(site, published, receiver.settings(), sinks=[{"type": "directory", "path": str(absent)}])
    daemon.start()
    image_id = published.entry["image-id"]
    daemon.wait_for(lambda: receiver.heard(image_id) == ["failed"], 120, "the event")
    event = receiver.events()[0]
    assert event["fault"] == daemon.image(image_id)["fault"]
    assert event["state"] == "failed" and event["error"]
    absent.mkdir()
    daemon.wait_for(lambda: receiver.heard(image_id) == ["failed", "available"], 120, "the success")


def to_mode(mode):
    return lambda receiver: receiver.be(mode)


def to_permissions(permissions):
    return lambda receiver: receiver.program.chmod(permissions)


def taken_away(receiver):
    receiver.program.rename(receiver.program.with_suffix(".away"))


def put_back(receiver):
    receiver.program.with_suffix(".away").rename(receiver.program)


# What is wrong with a hook, how that ends, what the daemon calls it meanwhile, and how often it runs until then.
TROUBLES = {
    "status 1 twice": (to_mode("fail-twice"), lambda receiver: None, "child-failed", 2),
    "killed": (to_mode("killed"), to_mode("well"), "child-failed", 2),
    "hanging": (to_mode("hang"), to_mode("well"), "timeout", 2),
    "missing": (taken_away, put_back, "not-found", 0),
    "not executable": (to_permissions(0o644), to_permissions(0o755), "permission", 0),
    "writable by others": (to_permissions(0o757), to_permissions(0o755), "permission", 0),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_a_hook_cannot_take_is_told_again_under_the_same_id(site, published, receiver, trouble):
    breaks, mends, fault, runs = TROUBLES[trouble]
    breaks(receiver)
    other = Receiver(receiver.directory.parent / "other")
    daemon = hypervisor(site, published, receiver.settings(timeout="2s"), other.settings(),
                        select=[{"name": "with-hooks"}]).start()
    image_id = published.entry["image-id"]
    daemon.wait_for(lambda: other.heard(image_id) == ["available"], 120, "the other hook to be told")
    daemon.wait_for(lambda: daemon.hooks()[0]["fault"] == fault, 30, "the fault")
    assert daemon.hooks()[0]["waiting"] == 1
    daemon.wait_for(lambda: len(receiver.told()) >= runs, 30, "another try")
    assert not receiver.events()
    mends(receiver)
    daemon.wait_for(lambda: receiver.heard(image_id) == ["available"], 60, "the event")
    daemon.wait_for(lambda: daemon.hooks()[0]["waiting"] == 0, 10, "nothing to wait")
    assert daemon.hooks()[0]["fault"] is None
    assert len(receiver.told()) in (runs, runs + 1), "the last try that was broken may see the hook mended"
    assert {event["id"] for event in receiver.told()} == {other.events()[0]["id"]}
    assert len(other.told()) == 1


def test_kill_9_in_the_middle_of_runs_loses_no_event(site, receiver, tmp_path, figure):
    """Killed again and again, just when a hook has begun, while it runs, or when it is done and the next one is due."""
    publisher = site.publisher()
    site.seeder(publisher)
    receiver.be("slow")
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.directory_sink(host)], hooks=[receiver.settings()])
    ids = [publisher.publish_image(make_disk(tmp_path / f"{i}.raw", 1), f"hooked-{i}")["image-id"] for i in range(10)]
    kills = 0
    for moment in random_moments(10, 0.0, 0.6):
        if len(receiver.events()) >= len(ids):
            break
        tries = len(receiver.told())
        daemon.start()
        wait_until(lambda before=tries: len(receiver.told()) > before, 60, "a hook to begin", every=0.01)
        time.sleep(moment)
        daemon.kill()
        kills += 1
    daemon.start()
    for image_id in ids:
        wait_until(lambda wanted=image_id: receiver.heard(wanted) == ["available"], 60, f"the event of {image_id}")
    interrupted = len(receiver.told()) - len(receiver.events())
    figure(f"{kills} kills while hooks were told of {len(ids)} images: {interrupted} runs were cut off, "
           f"{len(receiver.events())} deliveries of {len(ids)} events, none lost")
    assert len({event["id"] for event in receiver.told()}) == len(ids)
    assert interrupted >= 3


class Snapshot:
    """A stopped daemon's state and sink, to begin from them again and again."""

    def __init__(self, daemon, sink, directory):
        self.folders = [(daemon.state, directory / "state"), (sink, directory / "sink")]
        for original, copy in self.folders:
            shutil.copytree(original, copy)

    def restore(self):
        for original, copy in self.folders:
            shutil.rmtree(original)
            shutil.copytree(copy, original)


def dies_before_sync(daemon, number):
    """The daemon's command line, so that it is killed when its state is to reach the disk for the n-th time."""
    log = daemon.state / "state.sqlite-wal"
    log.touch()  # strace overlooks what is not there yet
    return ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-P", log,
            "-e", "trace=fdatasync", "-e", f"inject=fdatasync:signal=KILL:when={number}", *daemon.command]


@pytest.mark.parametrize("kind", ["available", "recalled"])
def test_kill_9_between_any_two_changes_of_the_state_loses_no_event(site, published, receiver, tmp_path, figure, kind):
    """The ledger has the change and the event not yet, the event and not yet the change, or any other moment."""
    image_id = published.entry["image-id"]
    daemon = hypervisor(site, published, select=[{"name": "with-hooks"}])
    with_sink = daemon.settings["sinks"]
    daemon.configure({"sinks": with_sink if kind == "recalled" else []})
    daemon.start()
    daemon.wait_for_image(image_id, "active")
    daemon.stop()
    if kind == "recalled":
        recall(published, None)
    daemon.configure({"sinks": with_sink, "hooks": [receiver.settings()]})
    snapshot = Snapshot(daemon, with_sink[0]["path"], tmp_path)
    uninterrupted = daemon.command

    def told():
        rows = daemon.hooks()
        return receiver.events() and rows and rows[0]["waiting"] == 0

    killed, deliveries = 0, 0
    for number in itertools.count(1):
        snapshot.restore()
        receiver.forget()
        daemon.command = dies_before_sync(daemon, number)
        daemon.start()
        wait_until(lambda: not daemon.running() or told(), 60, "the daemon to be killed or to be done", every=0.02)
        was_killed = not daemon.running()
        daemon.kill()
        if not was_killed:
            break
        killed += 1
        daemon.command = uninterrupted
        daemon.start()
        daemon.wait_for(told, 60, f"the event after a kill at sync {number}")
        assert receiver.heard(image_id) == [kind], f"after a kill at sync {number}"
        deliveries += len(receiver.events())
        daemon.kill()
    figure(f"killed at each of {killed} syncs of the state on the way to '{kind}': "
           f"{deliveries} deliveries of {killed} events, none lost")
    assert killed >= 4


@pytest.fixture
def small_disk(site):
    """A file system of its own on a loop device."""
    mounted = []

    def mount(path, megabytes):
        file = path.with_suffix(".ext4")
        with open(file, "wb") as out:
            out.truncate(megabytes << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m", "0", file], check=True)
        subprocess.run(["mount", "-o", "loop", file, path], check=True)
        mounted.append(path)
    yield mount
    site.stop_daemons()
    for path in mounted:
        subprocess.run(["umount", path], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as out:
        try:
            while True:
                out.write(bytes(4096))
        except OSError:
            os.fsync(out.fileno())


@pytest.mark.parametrize("is_killed", [False, True], ids=["stays up", "killed"])
@pytest.mark.parametrize("kind", ["available", "recalled"])
def test_an_event_that_a_full_disk_had_no_room_for_is_told_later(site, published, receiver, small_disk, kind,
                                                                 is_killed):
    image_id = published.entry["image-id"]
    daemon = hypervisor(site, published, select=[{"name": "with-hooks"}])
    small_disk(daemon.state, 160)  # the daemon leaves 67 MB free for others
    with_sink = daemon.settings["sinks"]
    daemon.configure({"sinks": with_sink if kind == "recalled" else []})
    daemon.start()
    daemon.wait_for_image(image_id, "active")
    daemon.configure({"sinks": with_sink, "hooks": [receiver.settings()]})
    fill(daemon.state / "filler")
    daemon.kill()
    if kind == "recalled":
        recall(published, None)
    daemon.start()
    daemon.wait_for_text("disk-full")
    assert not receiver.told()
    if is_killed:
        daemon.kill()
    (daemon.state / "filler").unlink()
    daemon.start()
    daemon.wait_for(lambda: receiver.heard(image_id) == [kind], 60, "the event")
