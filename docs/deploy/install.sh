#!/bin/sh
# Installs, upgrades and rolls back, out of this folder alone: ./install.sh --help. Needs Python and nothing else.
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
wanted=$(sed -n 's/^ "python": "\([0-9.]*\)".*/\1/p' "$here/manifest.json")
python=${PYTHON:-$(command -v "python$wanted" || command -v python3)}
if [ -z "$python" ] || ! "$python" -c 'import venv' 2>/dev/null; then
    echo "找不到 Python $wanted：请先从系统的安装介质安装，或用 PYTHON=/路径/python$wanted ./install.sh 指定。" >&2
    exit 1
fi
PYTHONPATH=$here/installer PYTHONDONTWRITEBYTECODE=1 exec "$python" -m scripts.bundle_installer "$here" "$@"
