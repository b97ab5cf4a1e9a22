#!/usr/bin/env bash
# Run `ansible-test sanity` with the ansible-core of a virtual environment on a copy of this collection.
# Usage: tools/sanity.sh VENV [more arguments of ansible-test sanity]
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(realpath "$1")
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# ansible-test follows no links, so it gets a copy of what git would commit. It needs no git there.
copy=$work/ansible_collections/bw/selfhost
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard -- . ':!collections' |
  while IFS= read -rd '' file; do [ -e "$file" ] && printf '%s\0' "$file"; done |
  tar --null -T - -c | tar -x -C "$copy"

# A home of its own keeps the virtual environments that ansible-test makes, but leaves ~/.ansible alone.
home=${XDG_CACHE_HOME:-$HOME/.cache}/bw-selfhost/ansible-test
mkdir -p "$home/.ansible/test/cache"
[ -d "$HOME/.config" ] && ln -sfn "$HOME/.config" "$home/.config" # pip's settings

# ansible-test would download a script that installs pip; the interpreter brings its own.
for version in 23_1_2 24_2 25_2; do
  cat > "$home/.ansible/test/cache/get_pip_$version.py" <<'PYTHON'
import subprocess, sys
subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"])
packages = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "pip", "install", *packages])
PYTHON
done

# Other interpreters, for the compile and import tests of every Python a managed host may have.
path=$venv/bin
if command -v pyenv > /dev/null; then
  for folder in "$(pyenv root)"/versions/3.*/bin; do path=$path:$folder; done
fi

cd "$copy"
HOME=$home PATH=$path:$PATH "$venv/bin/ansible-test" sanity --local --color no "$@"
