"""Broken configurations, unreadable keys and files that are not what they claim: one clear line and the right status."""
import signal
import subprocess

import pytest

from support.services import make_disk
from support.testbed import run_program


def check_config(path):
    return run_program("imageswarmd", "--config", path, "--check-config", check=False)


@pytest.fixture
def configuration(site):
    return site.daemon(site.hypervisors[0], [site.publisher()],
                       sinks=[site.directory_sink(site.hypervisors[0])]).configuration_file


def test_a_right_configuration_passes(configuration):
    run = check_config(configuration)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("word, change", [
    ("config-unknown-key", lambda text: text + "colour: blue\n"),
    ("config-value", lambda text: text.replace("policy: all", "policy: everything")),
    ("config-value", lambda text: text.replace("refresh: 60s", "refresh: soon")),
    ("config-syntax", lambda text: text + "host: [\n"),
    ("config-syntax", lambda text: text + "approvals: {policy: all}\n"),
])
def test_a_broken_configuration_is_refused_with_file_and_line(configuration, word, change):
    text = change(configuration.read_text())
    configuration.write_text(text)
    run = check_config(configuration)
    assert run.returncode == 2
    assert len(run.stderr.strip().splitlines()) == 1, run.stderr
    assert word in run.stderr, run.stderr
    assert f"{configuration}:" in run.stderr, run.stderr


def test_an_absent_configuration(tmp_path):
    run = check_config(tmp_path / "absent.yaml")
    assert run.returncode == 2
    assert "config-missing" in run.stderr and "absent.yaml" in run.stderr


def test_a_reload_with_a_broken_configuration_keeps_the_old_one(site, tmp_path):
    publisher = site.publisher()
    daemon = site.daemon(site.hypervisors[0], [publisher], sinks=[]).start_and_answer()
    daemon.configuration_file.write_text(daemon.configuration_file.read_text() + "colour: blue\n")
    daemon.signal(signal.SIGHUP)
    daemon.wait_for_text("config-unknown-key")
    assert daemon.ctl("status").returncode == 0


def test_an_unreadable_key_of_the_endorser(site, tmp_path):
    publisher = site.publisher()
    publisher.add(make_disk(tmp_path / "disk.raw", 1), "image")
    publisher.index("endorse", "--all", "--yes")
    broken = tmp_path / "broken.key"
    broken.write_text("-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----\n")
    for key in (tmp_path / "absent.key", broken):
        run = publisher.index("publish", "--certificate", publisher.endorser.certificate, "--key", key, check=False)
        assert run.returncode == 2
        assert "key-unreadable" in run.stderr and str(key) in run.stderr
        assert "PRIVATE KEY" not in run.stderr


def test_a_file_that_is_not_the_format_that_it_claims_to_be(site, tmp_path):
    publisher = site.publisher()
    run = publisher.index("add", make_disk(tmp_path / "disk.raw", 1), "--name", "claims", "--disk-format", "qcow2",
                          check=False)
    assert run.returncode == 3
    assert "image-format-mismatch" in run.stderr and "disk.raw" in run.stderr


def test_a_qcow2_with_a_backing_file_is_refused(site, tmp_path):
    base = make_disk(tmp_path / "base.qcow2", 1, "qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", base, tmp_path / "thin.qcow2"],
                   check=True)
    run = site.publisher().index("add", tmp_path / "thin.qcow2", "--name", "thin", check=False)
    assert run.returncode == 3
    assert "image-backing-file" in run.stderr


def test_the_daemon_that_is_not_there(tmp_path):
    run = run_program("imageswarmctl", "--socket", tmp_path / "no-socket", "status", check=False)
    assert run.returncode == 1
    assert "daemon-unreachable" in run.stderr
