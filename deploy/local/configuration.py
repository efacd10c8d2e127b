"""Programs in, the text of supervisord's configuration out."""

import os
import re
import shlex
from collections.abc import Iterable

from deploy.local.checkout import Checkout
from deploy.local.errors import StackError
from deploy.local.programs import Program

SETTLED_SECONDS = 2
"""A program that lives this long counts as running."""

DAEMON = """\
[supervisord]
identifier = graymill
directory = {root}
logfile = {logs}/supervisord.log
logfile_maxbytes = 5MB
logfile_backups = 1
pidfile = {data}/supervisord.pid
childlogdir = {logs}
umask = 077
{user}
[unix_http_server]
file = {socket}
chmod = 0700

[supervisorctl]
serverurl = unix://{socket}

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""

PROGRAM = """
[program:{name}]
command = {command}
directory = {root}
environment = {environment}
autostart = false
autorestart = true
startsecs = {settled_seconds}
startretries = 1000000
stopsignal = TERM
stopwaitsecs = {stop_wait_seconds}
stopasgroup = true
killasgroup = true
redirect_stderr = true
stdout_logfile = {log}
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 2
"""

# The kernel ends what supervisord leaves behind when it is killed itself.
WITH_SUPERVISOR = ("/usr/bin/setpriv", "--pdeathsig", "TERM")


def render(checkout: Checkout, programs: Iterable[Program]) -> str:
    """Give the whole file. Nothing in it starts by itself: `up` starts things in order."""
    paths = {
        "root": _escape(str(checkout.root)),
        "data": _escape(str(checkout.data)),
        "logs": _escape(str(checkout.logs)),
        "socket": _escape(str(checkout.supervisor_socket)),
    }
    # Said outright, as supervisord warns of running as root by accident.
    user = "user = root\n" if os.geteuid() == 0 else ""
    return DAEMON.format(**paths, user=user) + "".join(_render_program(checkout, program) for program in programs)


def _render_program(checkout: Checkout, program: Program) -> str:
    # A section a process, not `numprocs`: with that, another count would restart all of them.
    return PROGRAM.format(
        name=program.name,
        command=_escape(shlex.join((*WITH_SUPERVISOR, *program.command))),
        root=_escape(str(checkout.root)),
        environment=",".join(f'{name}="{_value(name, value)}"' for name, value in program.environment.items()),
        settled_seconds=SETTLED_SECONDS,
        stop_wait_seconds=program.stop_wait_seconds,
        log=_escape(str(checkout.log(program.name))),
    )


def _value(name: str, value: str) -> str:
    """Escape what stands in double quotes; there is no way to write a quote, a line break or a comment mark."""
    if re.search(r'["\n\r]|\s[;#]', value) or value.strip("'") != value:
        raise StackError(f"{name}: supervisor cannot be given a value with a quote, line break or comment mark")
    return _escape(value)


def _escape(text: str) -> str:
    return text.replace("%", "%%")
