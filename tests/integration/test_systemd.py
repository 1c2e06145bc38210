"""The installed units: systemd understands every line, and the daemon is shut in."""
import re
import subprocess

import pytest

from support.testbed import ROOT, programs


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A tree as `cmake --install` makes it below /usr."""
    root = tmp_path_factory.mktemp("installed")
    subprocess.run(["cmake", "--install", programs().parent, "--prefix", root / "usr"], check=True, capture_output=True)
    return root


@pytest.fixture(scope="module")
def unit(installed):
    """The unit, naming the programs in the tree: systemd looks for them."""
    path = installed / "usr/lib/systemd/system/imageswarmd.service"
    path.write_text(re.sub(r"(?m)^(Exec\w+=)\S+/imageswarmd", rf"\1{installed}/usr/sbin/imageswarmd",
                           path.read_text()))
    return path


def test_every_program_and_page_is_installed(installed):
    for name in ("usr/bin/imageswarm-index", "usr/bin/imageswarmctl", "usr/sbin/imageswarmd",
                 "usr/lib/sysusers.d/imageswarm.conf", "usr/lib/tmpfiles.d/imageswarm.conf",
                 "usr/share/doc/imageswarm/operations.md", "usr/share/doc/imageswarm/examples/imageswarmd.yaml"):
        assert (installed / name).exists(), name


def test_an_installed_program_finds_its_inspector(installed, tmp_path):
    (tmp_path / "disk.raw").write_bytes(b"imageswarm" * 1000)
    index = installed / "usr/bin/imageswarm-index"
    for arguments in (["init", "--name", "store", "--endorser-name", "Ada"], ["add", "disk.raw", "--name", "disk"]):
        run = subprocess.run([index, *arguments], cwd=tmp_path, text=True, capture_output=True)
        assert run.returncode == 0, run.stderr


def test_systemd_finds_nothing_to_say_about_the_unit(unit):
    run = subprocess.run(["systemd-analyze", "verify", unit], text=True, capture_output=True)
    assert (run.returncode, run.stdout + run.stderr) == (0, "")


def test_the_unit_is_shut_in(unit, figure):
    run = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", unit],
                         text=True, capture_output=True)
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", run.stdout)
    assert level, run.stderr
    figure(f"systemd-analyze security: {level[1]}")
    assert run.returncode == 0 and float(level[1]) <= 1.5


def test_the_unit_stays_shut_in_with_the_drop_in_for_novas_cache(unit, installed, tmp_path, figure):
    drop_in = installed / "usr/share/doc/imageswarm/examples/imageswarmd.service.d/nova-cache.conf"
    with_it = tmp_path / "imageswarmd.service"
    with_it.write_text(unit.read_text().replace("[Service]\n", "[Service]\n" + "".join(
        line + "\n" for line in drop_in.read_text().splitlines() if "=" in line and not line.startswith("#")), 1)
        .replace("PrivateUsers=yes\n", ""))
    for command in (["verify"], ["security", "--offline=true", "--no-pager", "--threshold=15"]):
        run = subprocess.run(["systemd-analyze", *command, with_it], text=True, capture_output=True)
        assert run.returncode == 0, run.stdout + run.stderr
    figure(f"with nova-cache.conf: {re.search(r'exposure level for .*: ([0-9.]+)', run.stdout)[1]}")


def test_user_and_files_are_made(installed, tmp_path):
    shown = subprocess.run(["systemd-sysusers", "--dry-run", f"--root={tmp_path}",
                            installed / "usr/lib/sysusers.d/imageswarm.conf"], text=True, capture_output=True)
    assert shown.returncode == 0 and "imageswarm" in shown.stdout + shown.stderr
    subprocess.run(["systemd-tmpfiles", "--create", f"--root={tmp_path}",
                    installed / "usr/lib/tmpfiles.d/imageswarm.conf"], check=True)
    assert (tmp_path / "etc/imageswarm/clouds.yaml").stat().st_mode & 0o777 == 0o600


def test_every_relaxed_line_has_its_reason():
    text = (ROOT / "systemd/imageswarmd.service.in").read_text()
    for setting in ("RestrictAddressFamilies=", "SystemCallFilter=seccomp"):
        before = text[:text.index(setting)].rstrip().splitlines()[-1]
        assert before.startswith("#"), setting
