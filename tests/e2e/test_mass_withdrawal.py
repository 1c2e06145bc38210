"""A version that withdraws too much at once waits for the operator; the old one stays in use."""
import pytest

from support.services import make_disk


@pytest.fixture
def running(site, tmp_path):
    publisher = site.publisher()
    publisher.entries = [publisher.add(make_disk(tmp_path / f"{name}.raw", 2), name) for name in ("a", "b", "c", "d")]
    publisher.publish()
    site.seeder(publisher)
    host = site.hypervisors[0]
    daemon = site.daemon(host, [publisher], sinks=[site.directory_sink(host)]).start_and_answer()
    for entry in publisher.entries:
        daemon.wait_for_image(entry["image-id"], "active")
    daemon.publisher = publisher
    return daemon


def withdraw(daemon, *names):
    for name in names:
        daemon.publisher.index("withdraw", name, "--reason", "test")
    daemon.publisher.publish()
    daemon.ctl("refresh")


def states(daemon):
    return [(daemon.image(entry["image-id"]) or {}).get("state") for entry in daemon.publisher.entries]


def test_more_than_half_waits_for_confirmation(running):
    withdraw(running, "a", "b", "c")
    running.wait_for(lambda: running.subscription()["fault"] == "mass-withdrawal", 30, "the version to be held back")
    row = running.subscription()
    assert (row["serial"], row["state"]) == (1, "refused")
    assert "3 of the 4" in row["error"] and f"imageswarmctl confirm {row['name']}" in row["error"]
    running.ctl("refresh")
    assert states(running) == ["active"] * 4

    refused = running.ctl("confirm", "another-document", check=False)
    assert refused.returncode == 1 and "another-document" in refused.stderr
    running.ctl("confirm", row["name"])
    running.wait_for(lambda: not {"active"} & set(states(running)[:3]), 30, "the images to be withdrawn")
    assert states(running)[3] == "active"
    row = running.subscription()
    assert (row["serial"], row["state"], row["fault"]) == (2, "current", None)
    assert running.ctl("confirm", row["name"], check=False).returncode == 1
    assert running.text().count("mass-withdrawal:") == 1


def test_half_is_carried_out_at_once(running):
    withdraw(running, "a", "b")
    running.wait_for(lambda: not {"active"} & set(states(running)[:2]), 30, "the images to be withdrawn")
    assert states(running)[2:] == ["active"] * 2
