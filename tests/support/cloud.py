"""A real Keystone and Glance, private to one directory, on loopback or on the address of a host."""
import json
import os
import secrets
import shutil
import socket
import sqlite3
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from support.network import inside
from support.process import ENVIRONMENT, Failed, Service

REGION = "RegionOne"


def free_port(address):
    with socket.socket() as probe:
        probe.bind((address, 0))
        return probe.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body) if self.body else {}


def http(method, url, body=None, headers=None, netns=None, timeout=30):
    """One request from inside a namespace; an HTTP error is an answer like any other."""
    data = json.dumps(body).encode() if isinstance(body, (dict, list)) else body
    request = urllib.request.Request(url, data=data, method=method, headers={
        "Content-Type": "application/json", "Accept": "application/json", **(headers or {})})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with inside(netns):
        try:
            with opener.open(request, timeout=timeout) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.headers, error.read())


class Cloud:
    """Everything is kept under `directory`; started again there, it has the images it had.

    clouds.yaml has three entries: `test` (a password), `test-appcred` (an application credential of the same
    project) and `test-other` (another project). Glance runs as one process with one thread of work, since SQLite gives
    errors to concurrent writers.
    """

    def __init__(self, directory, netns=None, address="127.0.0.1", keystone_port=None, glance_port=None):
        self.directory = Path(directory).resolve()
        self.netns, self.address = netns, address
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        remembered = self.directory / "ports.json"
        if remembered.exists():
            kept = json.loads(remembered.read_text())
            self.address, keystone_port, glance_port = kept["address"], kept["keystone"], kept["glance"]
        with inside(netns):
            self.keystone_port = int(keystone_port or free_port(address))
            self.glance_port = int(glance_port or free_port(address))
        remembered.write_text(json.dumps({"address": self.address, "keystone": self.keystone_port,
                                          "glance": self.glance_port}))
        self.auth_url = f"http://{self.address}:{self.keystone_port}/v3"
        self.image_url = f"http://{self.address}:{self.glance_port}"
        self.clouds_file = self.directory / "clouds.yaml"
        self.images = self.directory / "glance" / "images"
        self._passwords = self._remembered_passwords()
        self.keystone = self._service(
            "keystone", ["uwsgi", "--plugins", "python3", "--need-app", "--die-on-term", "--processes", "1", "--threads",
                         "4", "--enable-threads", "--buffer-size", "65535", "--rem-header", "Content-Length",
                         "--disable-logging", "--http-socket", f"{self.address}:{self.keystone_port}", "--wsgi-file",
                         "/usr/bin/keystone-wsgi-public"],
            {"OS_KEYSTONE_CONFIG_DIR": str(self.directory / "keystone")})
        self.glance = self._service("glance", ["glance-api", "--config-file", self.directory / "glance" / "glance.conf"])

    # --- life

    def start(self):
        new = not self.clouds_file.exists()
        if new:
            self._make_keystone()
        self.start_keystone()
        if new:
            self._register()
            self._make_glance()
        self.start_glance()
        return self

    def start_keystone(self):
        self.keystone.start()
        self.keystone.wait_for(lambda: self._answers(self.auth_url), 120, "Keystone to answer")

    def start_glance(self):
        self.glance.start()
        self.glance.wait_for(lambda: self._answers(self.image_url + "/healthcheck"), 120, "Glance to answer")

    def stop(self):
        self.glance.stop()
        self.keystone.stop()

    def purge(self):
        self.stop()
        shutil.rmtree(self.directory)

    # --- questions, as the operator of the cloud

    def token(self, user="operator", project="operators"):
        identity = {"methods": ["password"], "password": {"user": {
            "name": user, "domain": {"id": "default"}, "password": self._passwords[user]}}}
        return self._login(identity, project)

    def other_token(self):
        """Of the project of `test-other`."""
        return self.token("other", "others")

    def glance_api(self, method, path, body=None, headers=None):
        return http(method, f"{self.image_url}/v2{path}", body, {"X-Auth-Token": self.token(), **(headers or {})},
                    self.netns)

    def image(self, image_id):
        """The record as Glance shows it, None if there is none."""
        answer = self.glance_api("GET", f"/images/{image_id}")
        return answer.json() if answer.status == 200 else None

    def images_of(self, image_id):
        """Every record, hidden ones too, that was made for one of our images."""
        found = []
        for hidden in ("false", "true"):
            found += self.glance_api(
                "GET", f"/images?imageswarm_image_id={image_id}&os_hidden={hidden}&limit=1000").json()["images"]
        return found

    def download(self, image_id, path):
        subprocess.run([*(["nsenter", f"--net=/run/netns/{self.netns}"] if self.netns else []), "curl", "--fail",
                        "--silent", "--show-error", "--noproxy", "*", "--header", "@-", "--output", str(path),
                        f"{self.image_url}/v2/images/{image_id}/file"],
                       input=f"X-Auth-Token: {self.token()}\n", text=True, check=True)

    def uploads(self, image_id):
        """Status codes of the finished uploads (PUT …/file) of this record, from Glance's own log."""
        needle = f'"PUT /v2/images/{image_id}/file HTTP'
        return [int(line.split(needle, 1)[1].split('"', 1)[1].split()[0])
                for line in self.glance.text().splitlines() if needle in line]

    # --- making it

    def _service(self, name, command, env=None):
        state = self.directory / name
        state.mkdir(exist_ok=True)
        return Service(name, command, state / "log", self.netns, env, state, state / "pid")

    def _remembered_passwords(self):
        path = self.directory / "passwords.json"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(json.dumps({who: secrets.token_hex(12) for who in ("admin", "glance", "operator", "other")}))
        return json.loads(path.read_text())

    def _answers(self, url):
        try:
            return http("GET", url, netns=self.netns, timeout=5).status == 200
        except OSError:
            return False

    def _manage(self, name, *arguments):
        conf = self.directory / name / f"{name}.conf"
        result = subprocess.run([f"{name}-manage", "--config-file", conf, *arguments], text=True, capture_output=True,
                                env=ENVIRONMENT)
        if result.returncode:
            raise Failed(f"{name}-manage {arguments[0]}: {result.stdout}{result.stderr}")

    def _make_database(self, name):
        self._manage(name, *(["db_sync"] if name == "keystone" else ["db", "sync"]))
        # With the default journal every second writer gets "database is locked".
        with sqlite3.connect(self.directory / name / "database") as database:
            database.execute("PRAGMA journal_mode=WAL")

    def _make_keystone(self):
        home = self.directory / "keystone"
        (home / "keystone.conf").write_text(f"""\
[DEFAULT]
public_endpoint = http://{self.address}:{self.keystone_port}/
[database]
connection = sqlite:///{home}/database?timeout=30
sqlite_synchronous = false
[token]
provider = fernet
[fernet_tokens]
key_repository = {home}/fernet-keys
[credential]
key_repository = {home}/credential-keys
""")
        self._make_database("keystone")
        owner = ["--keystone-user", str(os.getuid()), "--keystone-group", str(os.getgid())]
        self._manage("keystone", "fernet_setup", *owner)
        self._manage("keystone", "credential_setup", *owner)
        urls = [word for kind in ("public", "internal", "admin") for word in (f"--bootstrap-{kind}-url", self.auth_url)]
        self._manage("keystone", "bootstrap", "--bootstrap-username", "admin", "--bootstrap-password",
                     self._passwords["admin"], "--bootstrap-region-id", REGION, *urls)

    def _login(self, identity, project=None):
        scope = {"scope": {"project": {"name": project, "domain": {"id": "default"}}}} if project else {}
        answer = http("POST", f"{self.auth_url}/auth/tokens", {"auth": {"identity": identity, **scope}},
                      netns=self.netns)
        if answer.status != 201:
            raise Failed(f"no token: {answer.status} {answer.body!r}")
        return answer.headers["X-Subject-Token"]

    def _call_keystone(self, method, path, body=None, who=None):
        answer = http(method, self.auth_url + path, body, {"X-Auth-Token": who or self._admin()}, self.netns)
        if answer.status >= 300:
            raise Failed(f"{method} {path}: {answer.status} {answer.body!r}")
        return answer.json()

    def _admin(self):
        return self._login({"methods": ["password"], "password": {"user": {
            "name": "admin", "domain": {"id": "default"}, "password": self._passwords["admin"]}}}, "admin")

    def _make_in_keystone(self, kind, **fields):
        return self._call_keystone("POST", f"/{kind}s", {kind: fields})[kind]["id"]

    def register_service(self, kind, name, url):
        """Its ID in Keystone's catalogue."""
        service = self._make_in_keystone("service", type=kind, name=name)
        for interface in ("public", "internal", "admin"):
            self._make_in_keystone("endpoint", service_id=service, interface=interface, region_id=REGION, url=url)
        return service

    def forget_service(self, service):
        self._call_keystone("DELETE", f"/services/{service}")

    def project_id(self, name):
        projects = self._call_keystone("GET", f"/projects?name={name}")["projects"]
        return projects[0]["id"]

    def _register(self):
        """Glance's service user and endpoint, and the operator's account with an application credential."""
        call, make = self._call_keystone, self._make_in_keystone
        roles = {role["name"]: role["id"] for role in call("GET", "/roles")["roles"]}
        for project, user, role in (("service", "glance", "admin"), ("others", "other", "member"),
                                    ("operators", "operator", "member")):
            project_id = make("project", name=project, domain_id="default")
            user_id = make("user", name=user, domain_id="default", password=self._passwords[user])
            call("PUT", f"/projects/{project_id}/users/{user_id}/roles/{roles[role]}")
        self.register_service("image", "glance", self.image_url)
        credential = call("POST", f"/users/{user_id}/application_credentials",
                          {"application_credential": {"name": "imageswarm"}}, self.token())["application_credential"]
        self._write_clouds(credential)

    def _write_clouds(self, credential):
        common = f"    region_name: {REGION}\n    interface: public\n    identity_api_version: 3\n"
        self.clouds_file.touch(mode=0o600)
        self.clouds_file.write_text(f"""\
clouds:
  test:
    auth:
      auth_url: {self.auth_url}
      username: operator
      password: '{self._passwords["operator"]}'
      project_name: operators
      user_domain_name: Default
      project_domain_name: Default
{common}  test-other:
    auth:
      auth_url: {self.auth_url}
      username: other
      password: '{self._passwords["other"]}'
      project_name: others
      user_domain_name: Default
      project_domain_name: Default
{common}  test-appcred:
    auth_type: v3applicationcredential
    auth:
      auth_url: {self.auth_url}
      application_credential_id: {credential["id"]}
      application_credential_secret: '{credential["secret"]}'
{common}""")

    def _make_glance(self):
        home = self.directory / "glance"
        for folder in ("images", "mirror", "staging", "tasks"):
            (home / folder).mkdir(exist_ok=True)
        shutil.copy("/usr/share/glance-common/glance-api-paste.ini", home)
        (home / "policy.yaml").write_text('"copy_image": "role:member"\n')
        conf = home / "glance.conf"
        conf.touch(mode=0o600)
        conf.write_text(f"""\
[DEFAULT]
bind_host = {self.address}
bind_port = {self.glance_port}
workers = 0
public_endpoint = {self.image_url}
enabled_backends = local:file, mirror:file
[database]
connection = sqlite:///{home}/database?timeout=30
sqlite_synchronous = false
[paste_deploy]
flavor = keystone
config_file = {home}/glance-api-paste.ini
[oslo_concurrency]
lock_path = {home}
[glance_store]
default_backend = local
[local]
filesystem_store_datadir = {home}/images
[mirror]
filesystem_store_datadir = {home}/mirror
[oslo_policy]
policy_file = {home}/policy.yaml
[os_glance_staging_store]
filesystem_store_datadir = {home}/staging
[os_glance_tasks_store]
filesystem_store_datadir = {home}/tasks
[keystone_authtoken]
www_authenticate_uri = {self.auth_url}
auth_url = {self.auth_url}
auth_type = password
username = glance
password = {self._passwords["glance"]}
project_name = service
user_domain_id = default
project_domain_id = default
region_name = {REGION}
""")
        self._make_database("glance")
