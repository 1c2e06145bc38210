"""Hooks: each event is delivered once or more, whatever becomes of the hook and the daemon, and never lost."""
import json
import time

import pytest

from support.approvals import Approvals
from support.process import wait_until
from support.services import make_disk
from support.testbed import merged, random_moments

# Writes the event down whole under a name of its own, unless the file `mode` says otherwise. Only then is it received.
HOOK = """#!/bin/sh
dir=$1
echo tried >> $dir/tries
case $(cat $dir/mode 2>/dev/null) in
  fail) exit 1 ;;
  hang) exec sleep 1000 ;;  # what it starts outlives a killed daemon; in a unit systemd ends it
  killed) kill -9 $$ ;;
  slow) sleep 0.3 ;;
esac
part=$(mktemp $dir/.part.XXXXXX)
cat > $part
mv $part $dir/$(date +%s.%N)-$$.event
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

    def tries(self):
        tries = self.directory / "tries"
        return len(tries.read_text().splitlines()) if tries.exists() else 0

    def events(self):
        return [json.loads(file.read_text()) for file in sorted(self.directory.glob("*.event"))]

    def heard(self, image_id):
        """The kinds of the events of an image, in order; a repeated one counts once."""
        by_id = {event["id"]: event["event"] for event in self.events() if event["image"]["image-id"] == image_id}
        return list(by_id.values())


@pytest.fixture
def published(site, tmp_path):
    publisher = site.publisher()
    publisher.entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 4), "with-hooks")
    publisher.approvals = Approvals(site, publisher, tmp_path)
    site.seeder(publisher)
    return publisher


@pytest.fixture
def receiver(tmp_path):
    return Receiver(tmp_path / "receiver")


def hypervisor(site, published, *hooks):
    host = site.hypervisors[0]
    return site.daemon(host, [published], sinks=[site.directory_sink(host)], hooks=list(hooks),
                       approvals=published.approvals.settings())


def test_available_then_recalled(site, published, receiver):
    daemon = hypervisor(site, published, receiver.settings()).start()
    image_id = published.entry["image-id"]
    daemon.wait_for(lambda: receiver.heard(image_id) == ["available"], 120, "the event")
    [event] = receiver.events()
    image = daemon.image(image_id)
    assert event["host"] == daemon.host.name
    assert event["state"] == "active"
    assert event["image"]["content-sha256"] == published.entry["content-sha256"]
    assert event["image"]["content-size"] == published.entry["content-size"]
    assert event["endorser"] == image["endorser"]
    assert event["sinks"] == image["sinks"]
    assert event["fault"] is None

    published.approvals.recall(image_id)
    daemon.wait_for(lambda: receiver.heard(image_id) == ["available", "recalled"], 60, "the recall")
    assert "a hole in its login" in receiver.events()[-1]["reason"]
    assert receiver.tries() == 2


@pytest.mark.parametrize("mode", ["fail", "hang", "killed"])
def test_a_hook_that_cannot_take_it_is_told_again(site, published, receiver, mode):
    receiver.be(mode)
    other = Receiver(receiver.directory.parent / "other")
    daemon = hypervisor(site, published, receiver.settings(timeout="2s"), other.settings()).start()
    image_id = published.entry["image-id"]
    daemon.wait_for(lambda: other.heard(image_id) == ["available"], 120, "the other hook to be told")
    daemon.wait_for(lambda: receiver.tries() >= 2, 60, "a second try")
    row = daemon.hooks()[0]
    assert row["waiting"] == 1
    assert row["fault"] == {"fail": "child-failed", "hang": "timeout", "killed": "child-failed"}[mode]
    assert not receiver.events()
    daemon.kill()
    receiver.be("well")
    daemon.start()
    daemon.wait_for(lambda: receiver.heard(image_id) == ["available"], 60, "the event after a restart")
    daemon.wait_for(lambda: daemon.hooks()[0]["waiting"] == 0, 10, "nothing to wait")
    assert len(other.events()) == 1


def test_kill_9_loses_no_event(site, receiver, tmp_path, figure):
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
        tries = receiver.tries()
        daemon.start()
        wait_until(lambda before=tries: receiver.tries() > before, 60, "a hook to begin", every=0.01)
        time.sleep(moment)
        daemon.kill()
        kills += 1
    daemon.start()
    for image_id in ids:
        wait_until(lambda wanted=image_id: receiver.heard(wanted) == ["available"], 60, f"the event of {image_id}")
    interrupted = receiver.tries() - len(receiver.events())
    figure(f"{kills} kills while hooks were told of {len(ids)} images: {interrupted} runs were cut off, "
           f"{len(receiver.events())} deliveries of {len(ids)} events, none lost")
    assert interrupted >= 3


def test_a_program_that_others_may_write_to_is_not_run(site, published, receiver):
    receiver.program.chmod(0o777)
    daemon = hypervisor(site, published, receiver.settings()).start()
    daemon.wait_for(lambda: (daemon.hooks() or [{}])[0].get("fault") == "permission", 120, "the refusal")
    assert receiver.tries() == 0
    receiver.program.chmod(0o755)
    daemon.wait_for(lambda: receiver.heard(published.entry["image-id"]) == ["available"], 60, "the event")
