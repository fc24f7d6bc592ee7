"""The nginx of docs/deploy for servers of a trial: the same configuration with other names and folders.

In: where it listens, which servers are behind it, a folder. Out: `nginx.conf` there, a certificate beside it.
Not known here: where nginx runs, who asks it.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

_CONF = Path(__file__).parents[2] / "docs" / "deploy" / "nginx" / "zhiting.conf"
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_UPSTREAMS = 3


def nginx_program() -> str | None:
    """Where nginx lies; None where it is not installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def write_front(folder: Path, *, host: str, plain: str, secure: str, servers: Sequence[str]) -> Path:
    """Write the configuration, and a certificate for `host`; `plain` and `secure` are what nginx listens on.

    Raises `ValueError` where the configuration of the docs has changed too much for this.
    """
    folder.mkdir(parents=True, exist_ok=True)
    is_number = host.replace(".", "").isdigit()
    name = ["-subj", f"/CN={host}", "-addext", f"subjectAltName={'IP' if is_number else 'DNS'}:{host}"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *name]
    key, cert = folder / "key.pem", folder / "chain.pem"
    subprocess.run([*command, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    listed = r"^    server 127\.0\.0\.1:8300 (.*)\n(    # server .*\n)+"
    behind = "".join(rf"    server {server} \1\n" for server in servers)
    text, count = re.subn(listed, behind, _CONF.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if count != _UPSTREAMS:
        raise ValueError(f"{count} upstreams in {_CONF}, not {_UPSTREAMS}")
    changes = {
        "listen 80;": f"listen {plain};",
        "listen 443 ssl http2;": f"listen {secure} ssl http2;",
        "12345.example.gov.cn": host,
        "/etc/zhiting/tls/": f"{folder}/",
        "/var/log/nginx/": f"{folder}/",
    }
    for old, new in changes.items():
        if old not in text:
            raise ValueError(f"{old!r} is not in {_CONF}")
        text = text.replace(old, new)
    kept = "\n".join(f"{one}_temp_path {folder}/{one};" for one in _TEMPORARY)
    head = f"daemon off; pid {folder}/pid; error_log {folder}/error.log; events {{}}"
    main = f"{head}\nhttp {{ {kept}\n{text}\n}}\n"
    if os.geteuid() == 0:
        main = f"user root;\n{main}"
    conf = folder / "nginx.conf"
    conf.write_text(main, encoding="utf-8")
    return conf
