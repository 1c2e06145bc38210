"""imageswarm-index as an endorser uses it."""
import json
import subprocess

from support.testbed import programs


class Desk:
    """An endorser's desk: a store, files beside it, an identity."""

    def __init__(self, directory, authority):
        self.directory, self.store, self.authority = directory, directory / "store", authority
        self.public = self.store / "public"
        self.catalogue = self.public / "catalogue.yaml"

    def command(self, *arguments):
        return [programs() / "imageswarm-index", *map(str, arguments), "--store", self.store]

    def run(self, *arguments, status=0):
        run = subprocess.run(self.command(*arguments), text=True, capture_output=True, stdin=subprocess.DEVNULL,
                             timeout=120, check=False)
        assert run.returncode == status, f"{arguments}: status {run.returncode}\n{run.stdout}{run.stderr}"
        if status:
            assert len(run.stderr.strip().splitlines()) == 1, run.stderr
        return run

    def json(self, *arguments, status=0):
        return json.loads(self.run(*arguments, "--json", status=status).stdout)

    def publish(self, who="ada", *more, status=0):
        identity = self.authority[who]
        return self.run("publish", "--certificate", identity.certificate, "--key", identity.key, *more, status=status)

    def verify(self, source=None, *more, status=0):
        return self.run("verify", source or self.catalogue, "--anchors", self.authority.anchors, *more, status=status)

    def file(self, name, content):
        (self.directory / name).write_bytes(content)
        return self.directory / name

    def endorsed(self, name, content, *more):
        self.run("add", self.file(name + ".raw", content), "--name", name, *more)
        self.run("endorse", "--all", "--yes")

    def leftovers(self):
        return list(self.store.rglob("*.tmp"))
