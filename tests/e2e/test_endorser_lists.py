"""A daemon that is given an endorser list alone follows the catalogues that it names, as long as it names them."""
import itertools
import json
import time

import pytest

from support.authority import sign_document
from support.services import make_disk
from support.testbed import run_program

ISSUER = "CN=Test Issuing CA,O=Imageswarm Test"
numbers = itertools.count(1)


class EndorserList:
    """A list on the site's web server; `maker` signs it."""

    def __init__(self, site, maker):
        self.site, self.maker = site, maker
        self.name = f"endorsers-{next(numbers)}"
        self.file = site.directory / f"{self.name}.yaml"
        self.public = site.web_root / self.file.name
        self.url = f"{site.web.url}/{self.file.name}"
        self.change("init", "--name", self.name)

    def change(self, verb, *options):
        return run_program("imageswarm-index", "endorsers", verb, "--list", self.file, *options,
                           netns=self.site.index_host.netns)

    def add(self, publisher):
        self.change("add", "--subject", publisher.endorser.name, "--issuer", ISSUER, "--document", publisher.name,
                    "--catalogue", publisher.url)
        return self

    def include(self, other, *options):
        self.change("include", "--url", other.url, "--document", other.name, "--subject", other.maker.name, "--issuer",
                    ISSUER, *options)
        return self

    def sync(self):
        return json.loads(self.change("sync", "--anchors", self.site.authority.anchors, "--json").stdout)

    def sign(self):
        run_program("imageswarm-index", "sign", self.file, "--certificate", self.maker.certificate, "--key",
                    self.maker.key, "--output", self.public)
        return self

    def sign_for(self, seconds):
        """Signs the list so that it holds this long; gives the moment when it no longer does."""
        end = int(time.time()) + seconds
        times = {"issued": time.time() - 60, "expires": end}
        lines = []
        for line in self.file.read_text().splitlines(keepends=True):
            key = line.split(":")[0]
            if key in times:
                line = f"{key}: {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(times[key]))}\n"
            lines.append(line)
        body = "".join(lines)
        self.public.write_text(sign_document(body, self.maker))
        self.file.write_text(body.replace("serial: 1\n", "serial: 2\n"))
        return end


@pytest.fixture
def security(site):
    return site.authority["site-security"]


def follower(site, endorsers, **configuration):
    """A daemon whose only source is the list."""
    host = site.hypervisors[0]
    return site.daemon(host, [], sinks=[site.directory_sink(host)], **{
        "endorser-lists": [{"url": endorsers.url, "signed-by": endorsers.maker.name, "refresh": "1s"}],
        "trust": {"mass-withdrawal": "100%"}}, **configuration)


def followed(daemon):
    return {row["name"]: row for row in daemon.status()["subscriptions"]}


def test_an_endorser_list_alone_is_enough(site, security, tmp_path):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 2), "listed")
    site.seeder(publisher)
    endorsers = EndorserList(site, security).add(publisher).sign()
    daemon = follower(site, endorsers).start()
    daemon.wait_for_image(entry["image-id"], "active")
    assert followed(daemon)[publisher.name]["state"] == "current"
    assert followed(daemon)[endorsers.name]["kind"] == "endorser-list"


def test_a_list_builds_on_another_but_for_an_exception(site, security, tmp_path):
    good, excepted = site.publisher(), site.publisher(site.authority["grace"])
    entry = good.publish_image(make_disk(tmp_path / "good.raw", 2), "good")
    other = excepted.publish_image(make_disk(tmp_path / "excepted.raw", 2), "excepted")
    site.seeder(good, excepted)
    community = EndorserList(site, site.authority["bob"]).add(good).add(excepted).sign()
    endorsers = EndorserList(site, security).include(
        community, "--except-subject", excepted.endorser.name, "--except-issuer", ISSUER)
    assert len(endorsers.sync()["accepted"]) == 1
    daemon = follower(site, endorsers.sign()).start()
    daemon.wait_for_image(entry["image-id"], "active")
    assert set(followed(daemon)) == {endorsers.name, community.name, good.name}
    assert daemon.image(other["image-id"]) is None


def test_whoever_is_taken_out_of_the_list_has_withdrawn(site, security, tmp_path):
    stays, goes = site.publisher(), site.publisher(site.authority["grace"])
    kept = stays.publish_image(make_disk(tmp_path / "stays.raw", 2), "stays")
    entry = goes.publish_image(make_disk(tmp_path / "goes.raw", 2), "goes")
    site.seeder(stays, goes)
    endorsers = EndorserList(site, security).add(stays).add(goes).sign()
    daemon = follower(site, endorsers).start()
    for image in kept, entry:
        daemon.wait_for_image(image["image-id"], "active")
    endorsers.change("remove", "--subject", goes.endorser.name)
    endorsers.sign()
    begin = time.monotonic()
    [gone] = daemon.wait_for(lambda: json.loads(daemon.ctl("recalled", "--json").stdout), 30, "the withdrawal")
    print(f"withdrawn {time.monotonic() - begin:.1f} s after the list was signed, with refresh: 1s")
    assert gone["image-id"] == entry["image-id"] and gone["state"] == "withdrawn"
    assert gone["reason"].startswith("endorser-withdrawn: " + goes.endorser.name), gone["reason"]
    assert f"removed {goes.endorser.name}" in daemon.text()
    assert daemon.image(kept["image-id"])["state"] == "active"

    # Neither does a restart bring it back, nor does one take away what stays.
    daemon.stop()
    daemon.start_and_answer()
    daemon.wait_for_image(kept["image-id"], "active")
    assert (daemon.image(entry["image-id"]) or {"state": "withdrawn"})["state"] == "withdrawn"


@pytest.mark.parametrize("which", ["its own", "included"])
def test_an_expired_list_brings_nothing_new(site, security, tmp_path, which):
    publisher = site.publisher()
    entry = publisher.publish_image(make_disk(tmp_path / "before.raw", 2), "before")
    site.seeder(publisher)
    if which == "its own":
        expiring = endorsers = EndorserList(site, security).add(publisher)
        end = endorsers.sign_for(15)
    else:
        expiring = EndorserList(site, site.authority["bob"]).add(publisher)
        end = expiring.sign_for(25)
        endorsers = EndorserList(site, security).include(expiring)
        endorsers.sync()
        endorsers.sign()
    daemon = follower(site, endorsers).start()
    daemon.wait_for_image(entry["image-id"], "active")
    expiring.public.unlink()  # nor can it be had any more
    daemon.wait_for(lambda: followed(daemon)[publisher.name]["state"] == "stale", end - time.time() + 15,
                    "the catalogue to be stale")
    assert followed(daemon)[expiring.name]["state"] == "expired"
    assert expiring.name in followed(daemon)[publisher.name]["error"]

    late = publisher.publish_image(make_disk(tmp_path / "after.raw", 2), "after")
    daemon.wait_for(lambda: daemon.image(late["image-id"]), 30, "the new image to be known")
    time.sleep(3)
    assert daemon.image(late["image-id"])["state"] != "active"
    assert daemon.image(entry["image-id"])["state"] == "active"

    # A restart knows nobody who could vouch, and still takes nothing away.
    daemon.stop()
    daemon.start_and_answer()
    daemon.wait_for(lambda: followed(daemon), 20, "the subscriptions to be followed again")
    time.sleep(3)
    assert daemon.image(entry["image-id"])["state"] == "active"

    expiring.sign()
    daemon.wait_for_image(late["image-id"], "active", timeout=60)
