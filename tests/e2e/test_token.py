"""Keys that are not plain files: in a PKCS#11 token (SoftHSM stands for one), and under a passphrase."""
import subprocess

import pytest

from support.authority import Authority, split_document
from support.desk import Desk
from support.terminal import on_terminal

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
SPY = "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so"
PIN = "4711-very-secret"
PROMPT = "Enter PKCS#11 token PIN for endorser:"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca") / "pki")


@pytest.fixture
def desk(tmp_path, authority):
    made = Desk(tmp_path, authority)
    made.run("init", "--name", "lxcloud", "--endorser-name", "Ada Endorser")
    return made


class Token:
    """A token named "endorser" with the keys `ada` (RSA, imported) and `made` (EC, generated there)."""

    def __init__(self, directory, authority):
        self.directory, self.authority = directory, authority
        (directory / "tokens").mkdir()
        (directory / "softhsm2.conf").write_text(f"directories.tokendir = {directory}/tokens\n")
        self.environment = {"SOFTHSM2_CONF": f"{directory}/softhsm2.conf"}
        self.pin_file = directory / "pin"
        self.pin_file.write_text(PIN + "\n")
        self._run("softhsm2-util", "--init-token", "--free", "--label", "endorser", "--so-pin", "12345678", "--pin", PIN)
        self._run("softhsm2-util", "--import", authority["ada"].key, "--token", "endorser", "--label", "ada", "--id",
                  "a1", "--pin", PIN)
        self._run("pkcs11-tool", "--module", MODULE, "--token-label", "endorser", "--login", "--pin", PIN,
                  "--keypairgen", "--key-type", "EC:prime256v1", "--label", "made", "--id", "b2")
        self.certificates = {"ada": authority["ada"].certificate, "made": self._certify_made()}

    def _run(self, *command):
        run = subprocess.run([*map(str, command)], text=True, capture_output=True, check=False,
                             env={"PATH": "/usr/bin:/bin", **self.environment})
        assert run.returncode == 0, f"{command}: {run.stdout}{run.stderr}"

    def _certify_made(self):
        request, certificate = self.directory / "made.csr", self.directory / "made.pem"
        self._run("openssl", "req", "-new", "-engine", "pkcs11", "-keyform", "engine", "-key",
                  self.uri("made"), "-passin", f"file:{self.pin_file}", "-subj", "/O=Example/CN=Token Endorser",
                  "-out", request)
        self.authority.certify(request, certificate)
        return certificate

    def store_certificate(self, key, key_id):
        self._run("openssl", "x509", "-in", self.certificates[key], "-outform", "DER", "-out", self.directory / "der")
        self._run("pkcs11-tool", "--module", MODULE, "--token-label", "endorser", "--login", "--pin", PIN,
                  "--write-object", self.directory / "der", "--type", "cert", "--label", key, "--id", key_id)

    def uri(self, key, *query):
        return f"pkcs11:token=endorser;object={key}" + ("?" + "&".join(query) if query else "")

    def arguments(self, key, *query):
        return "publish", "--certificate", self.certificates[key], "--key", self.uri(key, *query)


@pytest.fixture
def token(tmp_path, authority, monkeypatch):
    made = Token(tmp_path, authority)
    monkeypatch.setenv("SOFTHSM2_CONF", made.environment["SOFTHSM2_CONF"])
    return made


def test_a_catalogue_is_signed_in_the_token_with_a_pin_that_is_typed(desk, token):
    for serial, (key, subject) in enumerate([("ada", "CN=Ada Endorser"), ("made", "CN=Token Endorser")], 1):
        talk = on_terminal(desk.command(*token.arguments(key)), (PROMPT, PIN + "\n"), hidden=True)
        assert talk.status == 0, talk.shown
        assert talk.shown.count(PROMPT) == 1
        assert PIN not in talk.shown, "the PIN was echoed"
        assert PIN.encode() not in talk.visible, "the PIN stands in the arguments or the environment"
        good = desk.json("verify", desk.catalogue, "--anchors", desk.authority.anchors)
        assert good["serial"] == serial and good["subject"] == f"{subject},O=Example"
    assert not any(PIN.encode() in path.read_bytes() for path in desk.store.rglob("*") if path.is_file())


def test_openssl_accepts_what_the_token_signed(desk, token, tmp_path):
    desk.run(*token.arguments("made", f"pin-source=file:{token.pin_file}"))
    body, block = split_document(desk.catalogue.read_text())
    (tmp_path / "body").write_text(body)
    der = subprocess.run(["openssl", "base64", "-d"], input="\n".join(map(str.strip, block.splitlines()[1:])).encode() +
                         b"\n", capture_output=True, check=True).stdout
    subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-content", tmp_path / "body",
                    "-no-CApath", "-no-CAstore", "-CAfile", desk.authority.directory / "ca" / "root.pem",
                    "-out", "/dev/null"], input=der, capture_output=True, check=True)


def test_a_list_is_signed_by_the_token_as_well(desk, token):
    approvals, signed = desk.directory / "approvals.yaml", desk.directory / "signed.yaml"
    desk.run("approvals", "init", "--list", approvals, "--name", "site")
    desk.run("sign", approvals, "--certificate", token.certificates["made"], "--key",
             token.uri("made", f"pin-source=file:{token.pin_file}"), "--output", signed)
    desk.verify(signed)


def test_the_certificate_may_be_in_the_token_too(desk, token):
    """It comes without its intermediate, so a host needs that one among its anchors."""
    token.store_certificate("made", "b2")
    desk.run("publish", "--certificate", token.uri("made"), "--key",
             token.uri("made", f"pin-source=file:{token.pin_file}"))
    assert "chain-untrusted" in desk.verify(status=3).stderr
    with desk.authority.intermediate_among_the_anchors():
        desk.verify()


def test_a_wrong_pin_is_tried_once(desk, token, monkeypatch):
    """With three attempts, as cards have them, a second try by itself would be one too many."""
    wrong = token.directory / "wrong"
    wrong.write_text("9999\n")
    monkeypatch.setenv("PKCS11SPY", MODULE)
    monkeypatch.setenv("PKCS11SPY_OUTPUT", f"{token.directory}/spy")
    run = desk.run(*token.arguments("ada", f"module-path={SPY}", f"pin-source=file:{wrong}"), status=2)
    assert "key-unreadable: " in run.stderr and "the PIN is wrong; it was tried once" in run.stderr
    assert (token.directory / "spy").read_text().count("C_Login\n") == 1
    talk = on_terminal(desk.command(*token.arguments("ada")), (PROMPT, "9999\n"), hidden=True)
    assert talk.status == 2 and talk.shown.count(PROMPT) == 1 and "the PIN is wrong" in talk.shown
    assert not desk.catalogue.exists()


def test_a_pin_in_the_uri_is_refused_and_not_repeated(desk, token):
    for query in (f"pin-value={PIN}", f"pin-source=file:{token.pin_file}&PIN-value={PIN}"):
        run = desk.run(*token.arguments("ada", query), status=2)
        assert "key-unreadable: " in run.stderr and "pin-value" in run.stderr and PIN not in run.stderr
    inside = desk.run("publish", "--certificate", token.certificates["ada"], "--key",
                      f"pkcs11:token=endorser;pin-value={PIN};object=ada", status=2)
    assert "pin-value" in inside.stderr and PIN not in inside.stderr


def test_what_is_missing_is_named_in_one_line(desk, token, monkeypatch):
    source = f"pin-source=file:{token.pin_file}"

    def refusal(key, *query):
        return desk.run("publish", "--certificate", token.certificates["ada"], "--key", token.uri(key, *query),
                        status=2).stderr

    assert "no token that is here has it" in refusal("absent", source)
    assert "no token that is here has it" in refusal("ada;serial=0000", source)
    assert "absent.so" in refusal("ada", source, "module-path=/absent.so")
    assert "/etc/passwd" in refusal("ada", source, "module-path=/etc/passwd")
    assert "pin-source" in refusal("ada", "pin-source=file:/absent")
    assert "pin-source" in refusal("ada", "pin-source=|cat")
    assert "no PKCS#11 URI" in refusal("ada;nonsense", source)
    mismatch = desk.run("publish", "--certificate", token.certificates["made"], "--key", token.uri("ada", source),
                        status=2).stderr
    assert "key-mismatch: " in mismatch
    absent = desk.run("publish", "--certificate", token.uri("absent", source), "--key", token.uri("ada", source), status=2)
    assert "certificate-unreadable: " in absent.stderr
    with monkeypatch.context() as other:
        other.setenv("PKCS11_MODULE_PATH", "/absent.so")
        assert "absent.so" in refusal("ada", source)
        other.setenv("OPENSSL_ENGINES", "/absent")
        other.delenv("PKCS11_MODULE_PATH")
        assert "libengine-pkcs11-openssl" in refusal("ada", source)


@pytest.fixture
def locked_key(tmp_path, authority):
    """bob's key under the passphrase "open sesame"."""
    subprocess.run(["openssl", "pkcs8", "-topk8", "-in", authority["bob"].key, "-out", tmp_path / "locked.key",
                    "-passout", "pass:open sesame"], check=True)
    return tmp_path / "locked.key"


def test_the_passphrase_of_a_key_is_asked_on_the_terminal(desk, locked_key):
    command = desk.command("publish", "--certificate", desk.authority["bob"].certificate, "--key", locked_key)
    wrong = on_terminal(command, ("pass phrase:", "open barley\n"), hidden=True)
    assert wrong.status == 2 and "key-unreadable: " in wrong.shown and "barley" not in wrong.shown
    talk = on_terminal(command, ("pass phrase:", "open sesame\n"), hidden=True)
    assert talk.status == 0 and "sesame" not in talk.shown and b"sesame" not in talk.visible
    desk.verify()


def test_a_change_of_the_signer_is_said(desk):
    assert "warning" not in desk.publish("ada").stderr
    assert "warning" not in desk.publish("ada").stderr
    changed = desk.publish("bob").stderr
    assert "the last catalogue is by CN=Ada Endorser,O=Example, this one by CN=Bob Endorser,O=Example" in changed
