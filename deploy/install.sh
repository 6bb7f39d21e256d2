#!/bin/sh
# Installs the bot of this checkout as a systemd service, upgrades it, or takes it away:
#   sudo deploy/install.sh             install or upgrade
#   sudo deploy/install.sh uninstall   take the program away; settings and data stay
#   sudo deploy/install.sh purge       take settings and data away too
# DESTDIR=folder puts the files below that folder and starts nothing. PYTHON=python3.13 names a Python.
set -eu
cd "$(dirname "$0")/.."
root=${DESTDIR:-}
python=${PYTHON:-python3}
opt=$root/opt/dreamreel
settings=$root/etc/dreamreel.env
unit=$root/etc/systemd/system/dreamreel.service
command=$root/usr/local/bin/dreamreel

fail() {
  echo "install.sh: $1" >&2
  exit 1
}

control() { # systemd of this machine, unless the files go elsewhere
  [ -n "$root" ] || systemctl "$@"
}

remove() {
  control disable --now dreamreel 2>/dev/null || true
  rm -rf "$opt" "$unit" "$command"
  control daemon-reload
}

[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail "run it as root: sudo $0"
case ${1:-install} in
  install) ;;
  uninstall)
    remove
    echo "Dreamreel is removed. Its settings ($settings) and data (/var/lib/dreamreel) are left."
    exit ;;
  purge)
    remove
    rm -rf "$settings" "$root/var/lib/dreamreel" "$root/var/lib/private/dreamreel"
    echo "Dreamreel, its settings and its data are removed."
    exit ;;
  *) fail "the commands are install, uninstall and purge" ;;
esac

"$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  fail "it needs Python 3.11 or newer with venv: apt install python3-venv, or name one with PYTHON=python3.13"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_QUIET=1

# What is installed is what the lock names, each file by its hash.
echo "Installing into $opt ..."
"$python" -m venv "$work/build"
"$work/build/bin/pip" install --require-hashes --only-binary :all: --requirement requirements/build.txt
"$work/build/bin/pip" wheel --no-deps --no-build-isolation --wheel-dir "$work/wheel" .
mkdir -p "$(dirname "$opt")"
"$python" -m venv "$opt"
"$opt/bin/pip" install --require-hashes --only-binary :all: --requirement requirements/run.txt
"$opt/bin/pip" install --no-deps --no-index --force-reinstall "$work"/wheel/*.whl

mkdir -p "$(dirname "$unit")" "$(dirname "$command")"
install -m 644 deploy/dreamreel.service "$unit"
install -m 755 deploy/dreamreel "$command"
if [ ! -e "$settings" ]; then
  if [ -e .env ]; then install -m 600 .env "$settings"; else install -m 600 .env.example "$settings"; fi
fi
control daemon-reload
if grep -q '^TELEGRAM_BOT_TOKEN=.' "$settings"; then
  control enable dreamreel
  control restart dreamreel
  echo "Dreamreel runs. Its log: journalctl --unit dreamreel --follow"
else
  echo "Set TELEGRAM_BOT_TOKEN in $settings, then start the bot: systemctl enable --now dreamreel"
fi
