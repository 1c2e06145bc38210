"""Private images: who has a certificate of the publisher's swarm CA gets them, and nobody else gets a byte."""
import filecmp

import pytest

from support.peer import Leech, Seed
from support.services import make_disk
from support.swarm_ca import SwarmCa

PLAIN, TLS = 6881, 6882


@pytest.fixture
def group(site, tmp_path):
    return Group(site, tmp_path)


class Group:
    """A publisher with a private image and the swarm CA that guards it."""

    def __init__(self, site, directory, name="private", megabytes=8, options=()):
        self.site = site
        self.ca = SwarmCa(directory / f"{name}-ca")
        self.publisher = site.publisher()
        self.publisher.index("swarm-ca", self.ca.certificate)
        self.disk = make_disk(directory / f"{name}.raw", megabytes)
        self.entry = self.publisher.publish_image(self.disk, name, "--torrent-ssl", *options)
        self.image = self.entry["image-id"]
        self.info_hash = self.entry["torrent-info-hash-v2"]

    def seeder(self, papers):
        daemon = self.site.daemon(self.site.index_host, [self.publisher], swarm={"ssl": papers.settings()},
                                  store={"seed-from": [str(self.publisher.store / "private")]}).start_and_answer()
        daemon.wait_for_image(self.image, "active")
        return daemon

    def host(self, number, papers, **configuration):
        host = self.site.hypervisors[number]
        return self.site.daemon(host, [self.publisher], swarm={"ssl": papers.settings()},
                                sinks=[self.site.directory_sink(host)], **configuration)


def uploaded(daemon, image):
    return daemon.image(image)["bytes"]["uploaded"]


def test_members_get_a_private_image_and_the_web_server_has_it_not(site, group):
    seeder = group.seeder(group.ca.issue("index"))
    named = group.host(0, group.ca.issue("hv1", names=f"DNS:{group.image}")).start_and_answer()
    star = group.host(1, group.ca.issue("hv2")).start_and_answer()
    for daemon in (named, star):
        row = daemon.wait_for_image(group.image, "active", 60)
        assert row["bytes"]["web-seed"] == 0
        assert row["bytes"]["peers"] >= group.entry["torrent-content-size"]
    assert uploaded(seeder, group.image) > 0
    assert group.entry["torrent-ssl"] is True and group.entry["torrent-content-name"] == group.image
    assert not list((group.publisher.store / "public").rglob(group.image))
    assert (group.publisher.store / "private").stat().st_mode & 0o007 == 0
    assert "only hosts with a certificate" in (group.publisher.store / "public" / "catalogue.html").read_text()


def test_members_get_a_private_image_in_chunks(site, tmp_path):
    group = Group(site, tmp_path, options=("--torrent-layout", "chunks"))
    seeder = group.seeder(group.ca.issue("index"))
    daemon = group.host(0, group.ca.issue("hv1", names=f"DNS:{group.image}")).start_and_answer()
    row = daemon.wait_for_image(group.image, "active", 60)
    assert row["bytes"]["web-seed"] == 0 and row["bytes"]["peers"] > 0
    assert uploaded(seeder, group.image) > 0
    [receipt] = daemon.receipts()
    assert filecmp.cmp(group.disk, receipt["reference"], shallow=False)
    assert len(list((group.publisher.store / "private" / group.image).iterdir())) > 1
    assert not list((group.publisher.store / "public").rglob(group.image))


def test_an_intruder_gets_no_byte_of_a_private_image(site, group, tmp_path, figure):
    ca, image = group.ca, group.image
    seeder = group.seeder(ca.issue("index"))
    intruder, address = site.hypervisors[2], site.index_host.address
    other = SwarmCa(tmp_path / "other-ca")
    attempts = {
        "without TLS, on the plain port": (None, PLAIN, False),
        "without TLS, on the TLS port": (None, TLS, False),
        "TLS on the plain port": (ca.issue("member0"), PLAIN, True),
        "without a certificate": (None, TLS, True),
        "with another CA": (other.issue("stranger"), TLS, True),
        "with another CA and the image's name": (other.issue("named", names=f"DNS:{image}"), TLS, True),
        "with a prefix name": (ca.issue("prefix", names=f"DNS:{image[0]}"), TLS, True),
        "with all but the last letter": (ca.issue("almost", names=f"DNS:{image[:-1]}"), TLS, True),
        "with a prefix as common name": (ca.issue("prefix-cn", image[:2], "DNS:host.example.org"), TLS, True),
        "with the whole name as common name only": (ca.issue("cn", image, ""), TLS, True),
        "with another image's name": (ca.issue("else", names="DNS:9f1c5b52-3c5e-5d4e-8a07-6a9d6f1f0a11"), TLS, True),
        "expired": (ca.issue("expired", "host", "DNS:*", "-days", "-1"), TLS, True),
    }
    for how, (papers, port, tls) in attempts.items():
        leech = Leech(intruder, group.info_hash, papers, tls)
        assert leech.take(address, port) == 0, how
        figure(f"intruder {how}: {leech.payload} payload bytes")
    assert uploaded(seeder, image) == 0
    member = Leech(intruder, group.info_hash, ca.issue("member"))
    assert member.take(address, TLS, 30) > 0, member.failure
    figure(f"a member: {member.payload} payload bytes")


def test_a_tls_session_of_one_private_image_does_not_open_another(site, group, tmp_path, figure):
    """Whoever resumes a session is not asked for a certificate; libtorrent has one session store for all images."""
    second = Group(site, tmp_path, "second")
    papers = group.ca.issue("index"), second.ca.issue("index")
    seeder = site.daemon(
        site.index_host, [group.publisher, second.publisher], swarm={"ssl": [each.settings() for each in papers]},
        store={"seed-from": [str(each.publisher.store / "private") for each in (group, second)]}).start_and_answer()
    for each in (group, second):
        seeder.wait_for_image(each.image, "active")
    member = Leech(site.hypervisors[2], group.info_hash, group.ca.issue("member"))
    assert member.take(site.index_host.address, TLS, 30) > 0
    assert member.session
    member.info_hash, member.payload = bytes.fromhex(second.info_hash)[:20], 0
    assert member.take(site.index_host.address, TLS, 5, session=member.session) == 0
    figure(f"intruder with a session of another image: {member.payload} payload bytes")
    assert uploaded(seeder, second.image) == 0


def test_an_intruder_is_asked_for_no_byte_of_a_private_image(site, group, tmp_path, figure):
    ca = group.ca
    other = SwarmCa(tmp_path / "other-ca")
    intruders = {"with another CA": other.issue("stranger"),
                 "with a prefix name": ca.issue("prefix", names=f"DNS:{group.image[:3]}")}
    victim = group.host(0, ca.issue("hv1"))
    seeds = {how: Seed(site.hypervisors[number], group.info_hash, papers)
             for number, (how, papers) in enumerate(intruders.items(), start=3)}
    try:
        for seed in seeds.values():
            seed.announce(site.tracker.url)
        victim.start_and_answer()
        victim.wait_for(lambda: all(seed.visits for seed in seeds.values()), 60, "the host to try the intruders")
        for how, seed in seeds.items():
            figure(f"intruder that seeds {how}: asked for {seed.asked} payload bytes")
            assert seed.asked == 0
        assert victim.image(group.image)["bytes"]["peers"] == 0
        group.seeder(ca.issue("index"))
        victim.wait_for_image(group.image, "active", 90)
    finally:
        for seed in seeds.values():
            seed.close()


def test_an_image_waits_for_a_certificate_and_goes_on_when_it_is_replaced(site, group):
    ca = group.ca
    group.seeder(ca.issue("index"))
    papers = ca.issue("hv1", "host", "DNS:*", "-days", "-1")
    daemon = group.host(0, papers).start_and_answer()
    row = daemon.wait_for_image(group.image, "failed", 30)
    assert row["fault"] == "swarm-error" and "expired" in row["error"]
    site.hypervisors[0].limit(8)  # Mbit/s: the image takes some ten seconds
    papers.become(ca.issue("fresh"))
    daemon.wait_for(lambda: (daemon.image(group.image)["progress"] or 0) > 0.05, 60, "the image to arrive")
    papers.become(ca.issue("fresher"))
    daemon.wait_for(lambda: daemon.text().count("hv1.pem holds until") >= 2, 30, "the newer certificate")
    site.hypervisors[0].limit(None)
    daemon.wait_for_image(group.image, "active", 60)
    assert "PRIVATE KEY" not in daemon.text()

    daemon.kill()
    daemon.start_and_answer()
    daemon.wait_for_image(group.image, "active", 60)
