"""The test CA, and signing with openssl alone: nothing of ours is needed to make a document that is accepted."""
import base64
import contextlib
import subprocess
import tempfile
import textwrap
from pathlib import Path


def _openssl(*arguments, stdin=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=stdin, capture_output=True, check=True).stdout


class Identity:
    """A signer of the test CA; `test-ca` lists them."""

    def __init__(self, directory, alias):
        self.certificate, self.key = directory / f"{alias}.pem", directory / f"{alias}.key"
        self.alias = alias

    @property
    def name(self):
        """As it stands in a configuration: CN=Ada Endorser,O=Example."""
        shown = _openssl("x509", "-in", self.certificate, "-noout", "-subject", "-nameopt", "RFC2253").decode()
        return shown.strip().removeprefix("subject=")


class Authority:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.anchors = self.directory / "anchors"
        self._run(self.directory)

    def __getitem__(self, alias):
        return Identity(self.directory, alias)

    def revoke(self, identity):
        """For good; the list in the anchors is a new one."""
        self._run(self.directory, "--revoke", identity.alias)

    def certify(self, request, certificate):
        """The issuing CA's certificate for a request, followed by that CA's own; both are files."""
        leaf = subprocess.run(
            ["openssl", "ca", "-config", "ca/issuing.cnf", "-batch", "-notext", "-preserveDN", "-extensions", "person",
             "-days", "30", "-in", request], cwd=self.directory, capture_output=True, check=True).stdout
        certificate.write_bytes(leaf + (self.directory / "ca" / "issuing.pem").read_bytes())

    @contextlib.contextmanager
    def without_revocation_lists(self):
        lists = {path: path.read_bytes() for path in self.anchors.glob("*.r0")}
        for path in lists:
            path.unlink()
        try:
            yield
        finally:
            for path, content in lists.items():
                path.write_bytes(content)

    @contextlib.contextmanager
    def stale_revocation_list(self):
        """The issuing CA's list is one whose next update is overdue, as when its mirror stands still."""
        stale = (self.directory / "crl" / "stale.pem").read_bytes()
        for path in self.anchors.glob("*.r0"):
            if "Test Issuing CA" in _openssl("crl", "-in", path, "-noout", "-issuer").decode():
                fresh = path.read_bytes()
                replace_file(path, stale)
                yield
                replace_file(path, fresh)

    @contextlib.contextmanager
    def intermediate_among_the_anchors(self):
        """The issuing CA's own certificate, beside the root's."""
        issuing = self.directory / "ca" / "issuing.pem"
        added = self.anchors / f"{_openssl('x509', '-in', issuing, '-noout', '-subject_hash').decode().strip()}.0"
        added.write_bytes(issuing.read_bytes())
        try:
            yield
        finally:
            added.unlink()

    @contextlib.contextmanager
    def signing_policy(self, ca, subjects):
        """A .signing_policy of a CA, beside the anchors."""
        def shown(*what):
            return _openssl("x509", "-in", self.directory / "ca" / f"{ca}.pem", "-noout", *what).decode().strip()
        name = shown("-subject", "-nameopt", "compat").removeprefix("subject=").strip()
        policy = self.anchors / f"{shown('-subject_hash')}.signing_policy"
        policy.write_text(f"access_id_CA X509 '{name}'\npos_rights globus CA:sign\n"
                          f"cond_subjects globus '\"{subjects}\"'\n")
        try:
            yield
        finally:
            policy.unlink()

    def _run(self, *arguments):
        result = subprocess.run([Path(__file__).parent / "test-ca", *arguments], text=True, capture_output=True)
        if result.returncode:
            raise RuntimeError(f"test-ca: {result.stderr}")


def replace_file(path, content):
    """At once, as tools that fetch revocation lists do."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(content)
    fresh.rename(path)


def split_document(text):
    """(the signed body, the signature block) of a document."""
    at = text.index("x509-signature:")
    return text[:at], text[at:]


def sign_document(body, identity):
    """The whole document: the body, which ends in LF, and its signature block."""
    # The certificate's file has the intermediates behind the leaf; openssl wants them apart.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as intermediates:
        intermediates.write(identity.certificate.read_text().split("-----END CERTIFICATE-----\n", 1)[1])
        intermediates.flush()
        chain = ["-certfile", intermediates.name] if intermediates.tell() else []
        der = _openssl("cms", "-sign", "-binary", "-outform", "DER", "-nosmimecap", "-md", "sha256", "-signer",
                       identity.certificate, *chain, "-inkey", identity.key, stdin=body.encode())
    lines = textwrap.wrap(base64.b64encode(der).decode(), 76)
    return body + "x509-signature: |\n" + "".join(f"  {line}\n" for line in lines)
