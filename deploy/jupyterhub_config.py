"""JupyterHub for a class on one Linux server: `sudo make hub`. TEACHING.md says what to do before.

A student is a Linux account of the group `cnnlab`, logs in with its password, and works in a copy of the course in
their home. There is no password in this file, and nobody else can log in but who has sudo.
"""

import grp
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HUB = HERE.parent / "build" / "hub"  # `make hub` installs the proxy there

c = get_config()  # noqa: F821

# Who gets in.
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.allowed_groups = {"cnnlab"}
# They see who is there, and can stop a server; PAM stumbles over a group that the machine does not have.
c.PAMAuthenticator.admin_groups = {"sudo", "wheel"} & {group.gr_name for group in grp.getgrall()}
c.Authenticator.blocked_users = {"root"}

c.JupyterHub.template_vars = {"announcement_login": "What networks see: your teacher has your name and password."}

# A student's server: JupyterLab in their copy of the course, at the start page.
c.Spawner.cmd = [sys.executable, str(HERE / "student_server.py")]
c.Spawner.notebook_dir = "~/cnnlab-course"
c.Spawner.default_url = "/lab/tree/00_start_here.ipynb"
c.Spawner.start_timeout = c.Spawner.http_timeout = 120  # seconds; all of a class begin at once

# What a student may take. With more threads than cores every step waits for the slowest.
c.Spawner.environment = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
c.Spawner.mem_limit = "4G"  # of the server and all kernels of one student
c.Spawner.cpu_limit = 2  # cores
if Path("/run/systemd/system").exists():
    c.JupyterHub.spawner_class = "systemd"  # it holds these two limits
else:
    c.JupyterHub.spawner_class = "jupyterhub.spawner.LocalProcessSpawner"  # it only tells the student's server of them

# Memory comes back: a kernel that did nothing for an hour is ended, and so is a server after two. Saved work stays.
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=3600",
    "--MappingKernelManager.cull_interval=300",
    "--MappingKernelManager.cull_connected=True",
    "--KernelManager.transport=ipc",  # through files of their own, not through ports of the machine
]
c.JupyterHub.services = [
    {"name": "idle-culler", "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=7200"]}
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
]

# Only this machine reaches the hub. The web server in front of it has the certificate: see TEACHING.md.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.ConfigurableHTTPProxy.command = [str(HUB / "node_modules/.bin/configurable-http-proxy")]

# What the hub remembers between two starts is nobody else's business.
STATE = HUB / "state"
STATE.mkdir(mode=0o700, parents=True, exist_ok=True)
c.JupyterHub.db_url = f"sqlite:///{STATE}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
