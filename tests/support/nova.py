"""A real Nova API beside the Keystone and Glance of cloud.py. It has no compute services: its instances are rows that
Nova's own objects write into its database, which is all that an answer about them needs."""
import json
import sqlite3
import subprocess
import uuid

from support.cloud import REGION, free_port, http
from support.network import inside
from support.process import ENVIRONMENT, Failed

PASTE = """\
[composite:osapi_compute]
use = call:nova.api.openstack.urlmap:urlmap_factory
/v2.1: v21
[composite:v21]
use = call:nova.api.auth:pipeline_factory_v21
keystone = faultwrap authtoken keystonecontext app
[filter:faultwrap]
paste.filter_factory = nova.api.openstack:FaultWrapper.factory
[filter:keystonecontext]
paste.filter_factory = nova.api.auth:NovaKeystoneContext.factory
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
[app:app]
paste.app_factory = nova.api.openstack.compute:APIRouterV21.factory
"""

MANAGE = "import sys; from nova.cmd.manage import main; sys.exit(main())"

ADD_INSTANCE = """
import json, sys
from nova import config, context, objects
from nova.network.model import NetworkInfo
config.parse_args(["nova", "--config-file", sys.argv[1]])
objects.register_all()
wanted = json.loads(sys.argv[2])
admin = context.get_admin_context()
cell = next(cell for cell in objects.CellMappingList.get_all(admin) if not cell.is_cell0())
flavor = objects.Flavor(flavorid="1", name="small", memory_mb=512, vcpus=1, root_gb=1, ephemeral_gb=0, swap=0,
                        rxtx_factor=1.0, vcpu_weight=0, disabled=False, is_public=True, extra_specs={}, id=1)
with context.target_cell(admin, cell) as there:
    instance = objects.Instance(there, uuid=wanted["id"], project_id=wanted["project"], user_id="somebody",
                                display_name=wanted["name"], image_ref=wanted["image"], vm_state=wanted["state"],
                                memory_mb=512, vcpus=1, root_gb=1, ephemeral_gb=0, instance_type_id=1, flavor=flavor,
                                old_flavor=None, new_flavor=None, system_metadata={})
    instance.info_cache = objects.InstanceInfoCache(instance_uuid=wanted["id"], network_info=NetworkInfo())
    instance.create()
objects.InstanceMapping(admin, instance_uuid=wanted["id"], cell_mapping=cell, project_id=wanted["project"],
                        queued_for_delete=False).create()
"""


class Nova:
    def __init__(self, cloud):
        self.cloud = cloud
        self.home = cloud.directory / "nova"
        self.home.mkdir()
        with inside(cloud.netns):
            self.port = free_port(cloud.address)
        self.url = f"http://{cloud.address}:{self.port}/v2.1"
        self.conf = self.home / "nova.conf"
        self._make()
        self.service = cloud._service(
            "nova", ["uwsgi", "--plugins", "python3", "--need-app", "--die-on-term", "--processes", "1", "--threads", "1",
                     "--enable-threads", "--buffer-size", "65535", "--disable-logging", "--http-socket",
                     f"{cloud.address}:{self.port}", "--module", "nova.api.openstack.compute.wsgi:init_application()"],
            {"OS_NOVA_CONFIG_DIR": str(self.home)})

    def start(self):
        self.service.start()
        self.service.wait_for(self._answers, 120, "Nova to answer")
        return self

    def close(self):
        """Nobody finds it any more."""
        self.cloud.forget_service(self._in_catalogue)
        self.service.stop()

    def add_instance(self, name, image_id, project, state="active"):
        """Its ID."""
        instance_id = str(uuid.uuid4())
        wanted = {"id": instance_id, "name": name, "image": image_id, "project": project, "state": state}
        self._python(ADD_INSTANCE, self.conf, json.dumps(wanted))
        return instance_id

    def _answers(self):
        try:
            return http("GET", self.url, netns=self.cloud.netns, timeout=5).status in (200, 300, 401, 404)
        except OSError:
            return False

    def _make(self):
        cloud = self.cloud
        (self.home / "api-paste.ini").write_text(PASTE)
        self.conf.touch(mode=0o600)
        self.conf.write_text(f"""\
[DEFAULT]
transport_url = fake:/
state_path = {self.home}
[api]
auth_strategy = keystone
[wsgi]
api_paste_config = {self.home}/api-paste.ini
[api_database]
connection = sqlite:///{self.home}/api-database?timeout=30
[database]
connection = sqlite:///{self.home}/database?timeout=30
[oslo_concurrency]
lock_path = {self.home}
[keystone_authtoken]
auth_url = {cloud.auth_url}
auth_type = password
username = glance
password = {cloud._passwords["glance"]}
project_name = service
user_domain_id = default
project_domain_id = default
region_name = {REGION}
""")
        for database in ("api-database", "database", "database-cell0"):
            with sqlite3.connect(self.home / database) as made:
                made.execute("PRAGMA journal_mode=WAL")
        cell0 = f"sqlite:///{self.home}/database-cell0?timeout=30"
        for arguments in (["api_db", "sync"], ["cell_v2", "map_cell0", "--database_connection", cell0],
                          ["db", "sync"], ["cell_v2", "create_cell", "--name", "cell1"]):
            self._python(MANAGE, "--config-file", self.conf, *arguments)
        self._in_catalogue = cloud.register_service("compute", "nova", self.url)

    def _python(self, program, *arguments):
        done = subprocess.run(["/usr/bin/python3", "-c", program, *map(str, arguments)], text=True, capture_output=True,
                              env=ENVIRONMENT, cwd=self.home)
        if done.returncode:
            raise Failed(f"Nova: {done.stdout[-2000:]}{done.stderr[-3000:]}")
