"""The files of deploy/ are what the programs that read them take, and name only what exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from bot.maintenance.metrics import PAID_WITHOUT_VIDEO
from bot.settings import Settings
from bot.worker import schedule

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus/dreamreel.rules.yml"
BOARD = DEPLOY / "grafana/dreamreel.json"
GUIDE = (ROOT / "docs/operate.md").read_text(encoding="utf-8")


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def program(name: str) -> str:
    """The path of a program that is not Python's; without it the test is skipped, but not where CI has it."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found is None and "DREAMREEL_REQUIRE_DEPLOY_TOOLS" not in os.environ:
        pytest.skip(f"{name} is not installed")
    assert found is not None
    return found


def succeeds(*command: str | Path, folder: Path = DEPLOY) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _expressions() -> list[str]:
    rules = [rule["expr"] for group in read(RULES)["groups"] for rule in group["rules"]]
    panels = json.loads(BOARD.read_text(encoding="utf-8"))["panels"]
    return [*rules, *(target["expr"] for panel in panels for target in panel["targets"])]


def test_rules_and_board_name_only_metrics_that_the_guide_lists() -> None:
    """`tests/maintenance/test_metrics.py` compares the guide with the bot."""
    listed = set(re.findall(r"^\| `(dreamreel_\w+)`", GUIDE, re.MULTILINE))
    used = {name for one in _expressions() for name in re.findall(r"\bdreamreel_\w+", one)}
    assert {name.removesuffix("_bucket") for name in used} <= listed


def test_rules_and_board_count_every_outcome_that_may_cost_money_without_a_video() -> None:
    outcomes = [one for text in _expressions() for one in re.findall(r'outcome=~"([^"]+)"', text)]
    assert len(outcomes) == 2
    assert all(set(one.split("|")) == set(PAID_WITHOUT_VIDEO) for one in outcomes)


def test_the_guide_names_every_alert() -> None:
    alerts = {rule["alert"] for group in read(RULES)["groups"] for rule in group["rules"]}
    assert set(re.findall(r"`(Dreamreel\w+)`", GUIDE)) == alerts


def test_the_panels_of_the_board_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(BOARD.read_text(encoding="utf-8"))["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells)
        taken |= cells


def test_prometheus_takes_its_files_and_the_alerts_ring_when_they_should() -> None:
    promtool, folder = program("promtool"), DEPLOY / "prometheus"
    succeeds(promtool, "check", "config", "prometheus.yml", folder=folder)
    succeeds(promtool, "test", "rules", "dreamreel.rules.test.yml", folder=folder)


def test_nginx_takes_its_example(tmp_path: Path) -> None:
    nginx, openssl = program("nginx"), program("openssl")
    pair = ("-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem")
    succeeds(openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=bot.example.org", *pair)
    example = (DEPLOY / "proxy/nginx.conf").read_text(encoding="utf-8")
    example = example.replace("/etc/letsencrypt/live/bot.example.org", str(tmp_path))
    temporary = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {temporary} {example} }}",
        encoding="utf-8",
    )
    succeeds(nginx, "-t", "-p", tmp_path, "-c", tmp_path / "nginx.conf")


def test_caddy_takes_its_example() -> None:
    succeeds(program("caddy"), "adapt", "--config", "proxy/Caddyfile", "--validate")


def test_kubernetes_asks_liveness_and_readiness_where_the_bot_says_them() -> None:
    manifests = list(YAML(typ="safe").load_all(DEPLOY / "kubernetes.yaml"))
    assert [one["kind"] for one in manifests] == ["PersistentVolumeClaim", "Deployment", "Service"]
    pod = manifests[1]["spec"]["template"]["spec"]
    (bot,) = pod["containers"]
    probes = {name: bot[f"{name}Probe"]["httpGet"]["path"] for name in ("liveness", "readiness", "startup")}
    assert probes == {"liveness": "/healthz", "readiness": "/readyz", "startup": "/healthz"}
    assert pod["terminationGracePeriodSeconds"] > schedule.SUBMIT_LIMIT_S + 10
    assert {one["name"] for one in bot["env"]} <= {name.upper() for name in Settings.model_fields}


@dataclass(frozen=True)
class Hosting:
    """What a template of a hosting platform says, in one shape for all."""

    values: dict[str, str]
    kept: set[str]
    probe: tuple[str, int]
    mount: str
    processes: int
    stop_s: int
    dockerfile: Path


def _fly() -> Hosting:
    file = tomllib.loads((DEPLOY / "fly.toml").read_text(encoding="utf-8"))
    # The fields as flyctl reads them: internal/appconfig/config.go in superfly/flyctl.
    assert set(file) <= {
        *("app", "primary_region", "kill_signal", "kill_timeout", "build", "deploy", "env"),
        *("mounts", "checks", "restart", "vm", "http_service"),
    }
    (mount,), (check,) = file["mounts"], file["checks"].values()
    assert set(mount) <= {"source", "destination", "initial_size"}
    assert set(check) <= {"type", "port", "path", "interval", "timeout", "grace_period"}
    assert set(file["deploy"]) <= {"strategy"}
    assert "--ha=false" in GUIDE, "flyctl makes two machines without it"
    return Hosting(
        file["env"],
        set(),
        (check["path"], check["port"]),
        mount["destination"],
        1,
        int(file["kill_timeout"].removesuffix("s")),
        DEPLOY / file["build"]["dockerfile"],
    )


def _render() -> Hosting:
    (service,) = read(DEPLOY / "render.yaml")["services"]
    # The fields that https://render.com/docs/blueprint-spec names.
    assert set(service) <= {
        *("type", "name", "runtime", "dockerfilePath", "dockerContext", "plan", "region", "numInstances"),
        *("healthCheckPath", "maxShutdownDelaySeconds", "disk", "envVars"),
    }
    assert set(service["disk"]) == {"name", "mountPath", "sizeGB"}
    values = {one["key"]: one["value"] for one in service["envVars"] if "value" in one}
    kept = {one["key"] for one in service["envVars"] if one.get("sync") is False}
    assert len(values) + len(kept) == len(service["envVars"])
    probe = (service["healthCheckPath"], int(values.pop("PORT")))
    stop_s = service["maxShutdownDelaySeconds"]
    assert 1 <= stop_s <= 300, "the limits of Render"
    mount, path = service["disk"]["mountPath"], ROOT / service["dockerfilePath"]
    return Hosting(values, kept, probe, mount, service["numInstances"], stop_s, path)


_EVALUATE = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("railway_template", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps(module.main().to_graph()))
"""
"""As Railway's command line does it."""


def _railway() -> Hosting:
    if find_spec("railway_sdk") is None and "DREAMREEL_REQUIRE_DEPLOY_TOOLS" not in os.environ:
        pytest.skip("railway-sdk is not installed")
    graph = json.loads(succeeds(sys.executable, "-c", _EVALUATE, DEPLOY / "railway.py"))
    (service,) = [one for one in graph["resources"] if one["type"] == "service"]
    deploy, (attached,) = service["deploy"], service["volumeAttachments"].values()
    # The fields of https://railway.com/railway.schema.json: the SDK takes others without a word.
    assert set(deploy) <= {
        *("healthcheckPath", "healthcheckTimeout", "numReplicas", "restartPolicyType"),
        *("drainingSeconds", "overlapSeconds", "requiredMountPath"),
    }
    assert attached["volume"] in {one["address"] for one in graph["resources"]}
    assert attached["mountPath"] == deploy["requiredMountPath"]
    variables = service["variables"]
    kept = {name for name, one in variables.items() if one["type"] == "preserve"}
    values = {name: one["value"] for name, one in variables.items() if name not in kept}
    assert values.pop("RAILWAY_RUN_UID") == "0", "its volumes belong to root"
    return Hosting(
        values,
        kept,
        (deploy["healthcheckPath"], int(values.pop("PORT"))),
        attached["mountPath"],
        deploy["numReplicas"],
        deploy["drainingSeconds"],
        ROOT / service["build"]["dockerfilePath"],
    )


@pytest.mark.parametrize("template", [_fly, _render, _railway])
def test_a_template_of_a_platform_keeps_the_data_asks_for_liveness_and_holds_no_secret(template: Any) -> None:
    hosting: Hosting = template()
    fields = {name.upper(): field for name, field in Settings.model_fields.items()}
    assert hosting.values.keys() | hosting.kept <= fields.keys()
    assert not [name for name in hosting.values if "SecretStr" in str(fields[name].annotation)]
    Settings.model_validate({name.lower(): value for name, value in hosting.values.items()})
    assert hosting.values["DATA_DIR"] == hosting.mount
    assert hosting.values["DATABASE_URL"] == f"sqlite:///{hosting.mount}/dreamreel.db"
    # An outage of Telegram must not get the bot restarted, and the probe comes from outside the container.
    assert hosting.probe == ("/healthz", int(hosting.values["LISTEN_PORT"]))
    assert hosting.values["LISTEN_HOST"] == "0.0.0.0"
    assert hosting.processes == 1, "SQLite is for one process"
    assert hosting.stop_s > schedule.SUBMIT_LIMIT_S + 10
    assert hosting.dockerfile.resolve() == ROOT / "Dockerfile"


def test_the_dockerfile_has_no_volume_because_railway_refuses_it() -> None:
    assert not re.search(r"^VOLUME\b", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)


_PYTHON = r"""#!/bin/sh
# A Python whose environments hold a pip that writes down what it is asked for.
[ "$1" = -m ] || exit 0
mkdir -p "$3/bin"
cat > "$3/bin/pip" <<'PIP'
#!/bin/sh
echo "$@" >> "$PIP_LOG"
if [ "$1" = wheel ]; then mkdir -p "$5"; : > "$5/dreamreel.whl"; fi
PIP
chmod +x "$3/bin/pip"
"""


def test_the_installer_installs_what_the_lock_names_upgrades_and_takes_everything_away(
    tmp_path: Path,
) -> None:
    python, log, root = tmp_path / "python", tmp_path / "pip.log", tmp_path / "root"
    python.write_text(_PYTHON, encoding="utf-8")
    python.chmod(0o755)

    def run(*words: str) -> str:
        environment = {**os.environ, "DESTDIR": str(root), "PYTHON": str(python), "PIP_LOG": str(log)}
        done = subprocess.run(
            [DEPLOY / "install.sh", *words], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    settings = root / "etc/dreamreel.env"
    assert "TELEGRAM_BOT_TOKEN" in run()
    for line in log.read_text(encoding="utf-8").splitlines():
        assert "--require-hashes" in line or "--no-deps" in line, line
    assert settings.stat().st_mode & 0o077 == 0
    settings.write_text("TELEGRAM_BOT_TOKEN=1:a\n", encoding="utf-8")
    assert "runs" in run()
    assert settings.read_text(encoding="utf-8") == "TELEGRAM_BOT_TOKEN=1:a\n", "an upgrade keeps the settings"
    (root / "var/lib/dreamreel").mkdir(parents=True)
    run("uninstall")
    assert {path.name for path in root.rglob("*") if path.is_file()} == {"dreamreel.env"}
    run("purge")
    assert [path for path in root.rglob("*") if path.is_file()] == []
    assert not (root / "var/lib/dreamreel").exists()


def test_commands_get_the_settings_and_the_folder_of_the_service() -> None:
    unit = (DEPLOY / "dreamreel.service").read_text(encoding="utf-8").splitlines()
    wrapper = (DEPLOY / "dreamreel").read_text(encoding="utf-8")
    properties = re.findall(r"--property=(\S+)", wrapper)
    assert [one for one in properties if one not in unit] == []
    assert {one for one in unit if one.startswith("Environment")} <= set(properties)
