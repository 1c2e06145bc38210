"""Swarm CAs and the certificates under them, by `swarm-ca`."""
import subprocess
from pathlib import Path


class Papers:
    """A certificate and its key, as files."""

    def __init__(self, certificate, key):
        self.certificate, self.key = certificate, key

    def settings(self):
        return {"certificate": str(self.certificate), "key": str(self.key)}

    def become(self, other):
        """The files hold what those of `other` hold, from one moment to the next, key first as tools do."""
        for ours, theirs in ((self.key, other.key), (self.certificate, other.certificate)):
            fresh = ours.with_name(ours.name + ".new")
            fresh.write_bytes(theirs.read_bytes())
            fresh.chmod(0o600)
            fresh.replace(ours)


class SwarmCa:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.certificate = self.directory / "ca.pem"
        self._run()

    def issue(self, name, common_name="host.example.org", names="DNS:*", *options):
        self._run(name, common_name, names, *options)
        return Papers(self.directory / f"{name}.pem", self.directory / f"{name}.key")

    def _run(self, *arguments):
        subprocess.run([Path(__file__).parent / "swarm-ca", self.directory, *arguments], check=True,
                       capture_output=True)
