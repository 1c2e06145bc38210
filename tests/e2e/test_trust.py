"""What may not be trusted is refused with its word, in one line, and changes nothing."""
import re

import pytest

from support.authority import sign_document, split_document
from support.services import make_disk


@pytest.fixture
def published(site, tmp_path):
    publisher = site.publisher()
    publisher.entry = publisher.publish_image(make_disk(tmp_path / "disk.raw", 2), "trusted-image")
    return publisher


def refusal(site, publisher, word, status=3):
    """The line with which a fresh daemon refuses the catalogue as it stands."""
    host = site.hypervisors[0]
    folder = site.directory_sink(host)
    daemon = site.daemon(host, [publisher], sinks=[folder])
    run = daemon.once(timeout=20)
    assert run.returncode == status, f"status {run.returncode}\n{run.stderr}"
    lines = [line for line in run.stderr.splitlines() if f"{word}:" in line and "refused" in line]
    assert lines, f"no refusal with {word} in:\n{run.stderr}"
    assert publisher.url in lines[0]
    return lines[0]


def rewrite(publisher, change, identity=None):
    """Replaces the published catalogue by one whose body was changed; signed anew if there is an identity."""
    body, block = split_document(publisher.catalogue.read_text())
    body = change(body)
    publisher.catalogue.unlink()
    publisher.catalogue.write_text(sign_document(body, identity) if identity else body + block)


def set_key(key, value):
    return lambda body: re.sub(rf"(?m)^{key}: .*$", f"{key}: {value}", body, count=1)


def test_a_catalogue_signed_with_openssl_alone_is_accepted(site, published):
    rewrite(published, lambda body: body, published.endorser)
    site.seeder(published)
    daemon = site.daemon(site.hypervisors[0], [published], sinks=[site.directory_sink(site.hypervisors[0])])
    run = daemon.once()
    assert run.returncode == 0, run.stderr


def test_unsigned(site, published):
    body, _ = split_document(published.catalogue.read_text())
    published.catalogue.unlink()
    published.catalogue.write_text(body)
    refusal(site, published, "sig-missing")


def test_altered_after_signing(site, published):
    rewrite(published, lambda body: body.replace("trusted-image", "altered-image"))
    refusal(site, published, "sig-invalid")


def test_expired(site, published):
    rewrite(published, lambda body: set_key("issued", "2026-01-01T00:00:00Z")(
        set_key("expires", "2026-01-02T00:00:00Z")(body)), published.endorser)
    refusal(site, published, "doc-expired")


def test_from_the_future(site, published):
    rewrite(published, lambda body: set_key("issued", "2199-01-01T00:00:00Z")(
        set_key("expires", "2199-01-02T00:00:00Z")(body)), published.endorser)
    refusal(site, published, "doc-future")


def test_signed_by_somebody_who_is_not_listed(site, published):
    rewrite(published, lambda body: body, site.authority["bob"])
    assert "Bob Endorser" in refusal(site, published, "signer-not-listed")


def test_signed_under_another_ca_with_the_same_name(site, published):
    rewrite(published, lambda body: body, site.authority["stranger"])
    refusal(site, published, "chain-untrusted")


def test_revoked_signer(site, tmp_path):
    publisher = site.publisher(site.authority["grace"])
    publisher.publish_image(make_disk(tmp_path / "disk.raw", 2), "signed-before-the-revocation")
    site.authority.revoke(publisher.endorser)
    refusal(site, publisher, "cert-revoked")


def test_no_revocation_list(site, published):
    with site.authority.without_revocation_lists():
        refusal(site, published, "crl-missing")


@pytest.mark.parametrize("subjects, status", [("/O=Example/*", 0), ("/O=Elsewhere/*", 3)])
def test_a_ca_signs_what_its_policy_permits(site, published, subjects, status):
    """The default is if-present: the file counts as soon as it is there."""
    with site.authority.signing_policy("issuing", subjects):
        if status:
            assert "Ada Endorser" in refusal(site, published, "ca-namespace", status)
        else:
            site.seeder(published)
            host = site.hypervisors[0]
            assert site.daemon(host, [published], sinks=[site.directory_sink(host)]).once().returncode == 0


def test_unknown_format(site, published):
    rewrite(published, set_key("format", "2"), published.endorser)
    assert "upgrade" in refusal(site, published, "doc-format")


def test_approval_list_served_as_catalogue(site, published):
    rewrite(published, set_key("document", "approval-list"), published.endorser)
    refusal(site, published, "kind-mismatch")


def test_rollback_and_equivocation_keep_the_accepted_one(site, published):
    """A daemon that has seen serial N stays with it, whatever older or other document it is offered."""
    site.seeder(published)
    first = published.catalogue.read_text()
    host = site.hypervisors[0]
    published.publish()
    second = published.catalogue.read_text()
    daemon = site.daemon(host, [published], sinks=[site.directory_sink(host)])
    assert daemon.once().returncode == 0

    published.catalogue.unlink()
    published.catalogue.write_text(first)
    rolled_back = daemon.once(timeout=10)
    assert rolled_back.returncode == 4, rolled_back.stderr
    assert "serial-rollback:" in rolled_back.stderr
    assert "keeping the accepted one" in rolled_back.stderr

    published.catalogue.write_text(second)
    rewrite(published, lambda body: body.replace("trusted-image", "another-image"), published.endorser)
    other = daemon.once(timeout=10)
    assert other.returncode == 4, other.stderr
    assert "equivocation:" in other.stderr

    published.catalogue.write_text(second)
    assert daemon.once().returncode == 0


def test_a_torrent_that_is_not_the_signed_one_is_refused(site, published, tmp_path):
    decoy = site.publisher()
    decoy.publish_image(make_disk(tmp_path / "decoy.raw", 2), "decoy")
    signed = next((published.store / "public" / "torrents").iterdir())
    other = next((decoy.store / "public" / "torrents").iterdir())
    content = other.read_bytes()
    signed.unlink()
    signed.write_bytes(content)
    daemon = site.daemon(site.hypervisors[0], [published], sinks=[site.directory_sink(site.hypervisors[0])])
    run = daemon.once(timeout=15)
    assert run.returncode == 4, run.stderr
    assert "hash-mismatch:" in run.stderr
    assert not any((daemon.state).rglob(published.entry["torrent-content-name"]))


def test_a_refused_document_is_seen_in_the_status(site, published):
    site.seeder(published)
    daemon = site.daemon(site.hypervisors[0], [published], sinks=[site.directory_sink(site.hypervisors[0])]).start()
    daemon.wait_for_image(published.entry["image-id"], "active")
    # Of another length: nginx tells versions of one second apart by their size alone.
    rewrite(published, lambda body: body.replace("trusted-image", "another-altered-image"))
    daemon.ctl("refresh")
    daemon.wait_for(lambda: daemon.subscription()["fault"] == "sig-invalid", 30, "the refusal to be seen")
    assert daemon.subscription()["state"] == "refused"
    assert daemon.image(published.entry["image-id"])["state"] == "active"
