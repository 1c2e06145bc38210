"""A test CA in the layout of a trust-anchor directory (HASH.0, HASH.r0), and signing with openssl alone.

That documents made here are accepted shows that nothing of ours is needed to make one.
"""
import base64
import subprocess
import textwrap
from pathlib import Path


def _openssl(*arguments, stdin=None):
    result = subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True)
    if result.returncode:
        raise RuntimeError(f"openssl {arguments[0]}: {result.stderr.decode()}")
    return result.stdout


class Identity:
    def __init__(self, directory, file_name, subject, serial):
        self.certificate = directory / f"{file_name}.pem"
        self.key = directory / f"{file_name}.key"
        self.subject, self.serial = subject, serial

    @property
    def name(self):
        """As it stands in a configuration: CN=…,O=Example."""
        return f"CN={self.subject},O=Example"


class Authority:
    def __init__(self, directory, name="Test CA"):
        self.directory = Path(directory)
        self.anchors = self.directory / "anchors"
        self.anchors.mkdir(parents=True)
        self._revoked, self._serial = [], 1
        self._ca = Identity(self.directory, "ca", name, 1)
        (self.directory / "extensions").write_text("""\
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
""")
        (self.directory / "ca.cnf").write_text(f"""\
[ca]
default_ca = test
[test]
database = {self.directory}/index.txt
crlnumber = {self.directory}/crlnumber
default_md = sha256
""")
        (self.directory / "crlnumber").write_text("01\n")
        request = self._request(self._ca)
        _openssl("x509", "-req", "-in", request, "-signkey", self._ca.key, "-days", 3650, "-extfile",
                 self.directory / "extensions", "-extensions", "ca", "-out", self._ca.certificate)
        self._hash = _openssl("x509", "-in", self._ca.certificate, "-noout", "-subject_hash").decode().strip()
        (self.anchors / f"{self._hash}.0").write_bytes(self._ca.certificate.read_bytes())
        self.write_crl()

    def issue(self, subject, days=365):
        """A signer with certificate and key; the file names come from the subject."""
        self._serial += 1
        identity = Identity(self.directory, subject.lower().replace(" ", "-"), subject, self._serial)
        _openssl("x509", "-req", "-in", self._request(identity), "-CA", self._ca.certificate, "-CAkey", self._ca.key,
                 "-set_serial", identity.serial, "-days", days, "-extfile", self.directory / "extensions",
                 "-extensions", "signer", "-out", identity.certificate)
        return identity

    def revoke(self, identity):
        self._revoked.append(identity)
        self.write_crl()

    def reinstate(self):
        self._revoked.clear()
        self.write_crl()

    def write_crl(self):
        (self.directory / "index.txt").write_text("".join(
            f"R\t400101000000Z\t240101000000Z\t{identity.serial:02X}\tunknown\t/O=Example/CN={identity.subject}\n"
            for identity in self._revoked))
        fresh = self.directory / "crl.pem"
        _openssl("ca", "-config", self.directory / "ca.cnf", "-gencrl", "-crldays", 30, "-cert", self._ca.certificate,
                 "-keyfile", self._ca.key, "-out", fresh)
        fresh.replace(self.anchors / f"{self._hash}.r0")

    def _request(self, identity):
        request = self.directory / "request.pem"
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                 identity.key, "-subj", f"/O=Example/CN={identity.subject}", "-out", request)
        identity.key.chmod(0o600)
        return request


def split_document(text):
    """(the signed body, the signature block) of a document."""
    at = text.index("x509-signature:")
    return text[:at], text[at:]


def sign_document(body, identity):
    """The whole document: the body, which ends in LF, and its signature block."""
    der = _openssl("cms", "-sign", "-binary", "-outform", "DER", "-nosmimecap", "-md", "sha256", "-signer",
                   identity.certificate, "-inkey", identity.key, stdin=body.encode())
    lines = textwrap.wrap(base64.b64encode(der).decode(), 76)
    return body + "x509-signature: |\n" + "".join(f"  {line}\n" for line in lines)
