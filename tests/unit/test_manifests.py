"""The manifests agree with one another, with the code and with docker-compose.yml, as far as no cluster is needed."""

import ast
import ipaddress
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values
from pymongo.uri_parser import parse_uri

from common.fetching.addresses import DENIED
from common.settings import Settings
from common.topology import BINDINGS
from deploy.local import programs

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
BASE, KEDA, CLUSTER = (KUBERNETES / name for name in ("base", "components/keda", "overlays/cluster"))
SERVICES = ("fetcher", "scraper", "hasher", "grayscaler", "aggregator", "api")
WORKERS = SERVICES[:-1]
PATCHES = ("every-", "broker-address")
"""How the files begin that are merged into other objects."""
OF_THE_OPERATOR = {("rabbitmq-default-user", "connection_string")}
USES = {
    "fetcher": {"broker", "database", "internet"},
    "scraper": {"broker", "database", "internet"},
    "hasher": {"broker", "database"},
    "grayscaler": {"broker"},
    "aggregator": {"broker", "database"},
    "api": {"broker", "database"},
}
ADDRESSES = {"broker": "AMQP_URL", "database": "MONGO_URL"}
SECRETS = {"scraper": {"WEBHOOK_SECRET"}, "api": {"WEBHOOK_SECRET", "API_KEYS"}}
"""Who is told which: the API takes webhooks only where there is a secret, and writes only from who has a key."""

Object = dict[str, Any]


def documents(path: Path) -> list[Object]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def manifests() -> list[Path]:
    return sorted(KUBERNETES.rglob("*.yaml"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def kustomization(folder: Path) -> Object:
    return documents(folder / "kustomization.yaml")[0]


def objects(*folders: Path, kind: str) -> dict[str, Object]:
    """Give the objects of a kind by name, without the patches."""
    return {
        document["metadata"]["name"]: document
        for folder in folders
        for path in sorted(folder.glob("*.yaml"))
        if not path.name.startswith((*PATCHES, "kustomization"))
        for document in documents(path)
        if document.get("kind") == kind
    }


def pod(workload: Object) -> Object:
    return workload["spec"]["template"]  # type: ignore[no-any-return]


def container(workload: Object) -> Object:
    return pod(workload)["spec"]["containers"][0]  # type: ignore[no-any-return]


def environment(workload: Object) -> dict[str, Object]:
    return {entry["name"]: entry.get("valueFrom", {}) for entry in container(workload).get("env", [])}


def occurrences(tree: Any, key: str) -> Iterator[Any]:
    """Give what stands under a key, wherever it stands."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from occurrences(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from occurrences(value, key)


def compose() -> Object:
    return documents(ROOT / "docker-compose.yml")[0]


def cluster() -> Object:
    return documents(ROOT / "docker-compose.cluster.yml")[0]


def stack() -> Object:
    return documents(ROOT / "deploy" / "swarm" / "stack.yml")[0]


DEPLOYMENTS = objects(BASE, kind="Deployment")
POLICIES = objects(BASE, kind="NetworkPolicy")
SCALED = objects(KEDA, kind="ScaledObject")
MONGODB = objects(CLUSTER, kind="StatefulSet")["mongodb"]
FILES = manifests()
KNOWN_SETTINGS = {field.name.upper() for field in fields(Settings)}


def test_every_service_runs_everywhere() -> None:
    services = {path.parent.name for path in (ROOT / "services").glob("*/__main__.py")}
    assert services == set(SERVICES) == DEPLOYMENTS.keys()
    assert programs.WORKERS.keys() == set(WORKERS)
    for file in (compose(), cluster(), stack()):
        assert services <= file["services"].keys()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_manifest_is_made_of_objects_with_a_name(path: Path) -> None:
    for document in documents(path):
        if path.name not in ("kustomization.yaml", "name-references.yaml"):
            assert {"apiVersion", "kind"} <= document.keys()
            assert document["metadata"]["name"]


@pytest.mark.parametrize("folder", [BASE, KEDA, CLUSTER], ids=name_of)
def test_a_kustomization_names_what_is_there_and_all_of_it(folder: Path) -> None:
    content = kustomization(folder)
    named = [*content["resources"], *content.get("configurations", [])]
    named += [patch["path"] for patch in content["patches"] if "path" in patch]
    generators = [*content.get("configMapGenerator", []), *content.get("secretGenerator", [])]
    kept = [file for generator in generators for file in (*generator.get("envs", []), *generator.get("files", []))]
    secret = [
        file
        for entry in content.get("secretGenerator", [])
        for file in (*entry.get("envs", []), *entry.get("files", []))
    ]
    for path in [*named, *content.get("components", []), *(file for file in kept if file not in secret)]:
        assert (folder / path).exists(), path
    assert {path.name for path in folder.glob("*.yaml")} == {"kustomization.yaml", *named} - {"../../base"}


def test_secrets_are_not_committed() -> None:
    ignored = (KUBERNETES / ".gitignore").read_text().split()
    files = [
        file
        for folder in (BASE, CLUSTER)
        for entry in kustomization(folder)["secretGenerator"]
        for file in (*entry.get("envs", []), *entry.get("files", []))
    ]
    assert set(files) == set(ignored)


def test_every_setting_given_is_one_and_has_a_good_value() -> None:
    given = {**dotenv_values(BASE / "settings.env"), **dotenv_values(BASE / "secret.env.example")}
    names = {name for deployment in DEPLOYMENTS.values() for name in environment(deployment)}
    assert given.keys() | names <= KNOWN_SETTINGS
    settings = Settings.from_environ({name: value or "" for name, value in given.items()})
    assert settings.health_file.startswith("/tmp/")  # the one place that can be written to


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_given_the_addresses_that_its_pods_may_reach_and_no_secret_too_many(service: str) -> None:
    labels = pod(DEPLOYMENTS[service])["metadata"]["labels"]
    prefix = "graymill/uses-"
    reached = {label.removeprefix(prefix) for label in labels if label.startswith(prefix)}
    assert reached == USES[service]
    secret = SECRETS.get(service, set())
    assert set(environment(DEPLOYMENTS[service])) == {ADDRESSES[use] for use in reached - {"internet"}} | secret


@pytest.mark.parametrize("use", ["broker", "database", "internet"])
def test_a_label_opens_what_it_says(use: str) -> None:
    spec = POLICIES[use]["spec"]
    assert spec["podSelector"] == {"matchLabels": {f"graymill/uses-{use}": "yes"}}
    assert spec["policyTypes"] == ["Egress"]


def test_nothing_is_open_that_is_not_opened() -> None:
    assert POLICIES["nothing"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_the_network_keeps_the_fetcher_from_the_addresses_that_it_refuses_itself() -> None:
    blocks = [target["ipBlock"] for rule in POLICIES["internet"]["spec"]["egress"] for target in rule["to"]]
    closed = {ipaddress.ip_network(block) for entry in blocks for block in entry["except"]}
    opened = [ipaddress.ip_network(entry["cidr"]) for entry in blocks]
    inside = {
        denied for denied in DENIED if any(denied.version == net.version and denied.subnet_of(net) for net in opened)
    }  # type: ignore[arg-type]
    assert closed == inside
    outside = [denied for denied in DENIED if denied not in inside]
    assert not any(denied.version == net.version and denied.overlaps(net) for denied in outside for net in opened)


@pytest.mark.parametrize("service", SERVICES)
def test_selectors_find_their_pods(service: str) -> None:
    labels = pod(DEPLOYMENTS[service])["metadata"]["labels"].items()
    budget = objects(BASE, kind="PodDisruptionBudget")[service]["spec"]
    assert DEPLOYMENTS[service]["spec"]["selector"]["matchLabels"].items() <= labels
    assert budget["selector"]["matchLabels"].items() <= labels
    assert budget["maxUnavailable"] == 1


def consumers() -> dict[str, str]:
    """Give the service that consumes each queue, by what its wiring names."""
    return {
        node.value: path.parent.name
        for path in (ROOT / "services").glob("*/__main__.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in BINDINGS
    }


def test_every_queue_is_watched_by_the_service_that_consumes_it() -> None:
    watched = {
        trigger["metadata"]["queueName"]: scaled["spec"]["scaleTargetRef"]["name"]
        for scaled in SCALED.values()
        for trigger in scaled["spec"]["triggers"]
    }
    assert watched == consumers()
    assert watched.keys() == BINDINGS.keys()
    assert set(watched.values()) == set(WORKERS)


@pytest.mark.parametrize("service", WORKERS)
def test_scaling_has_bounds_and_asks_the_broker_as_the_workers_do(service: str) -> None:
    everyone = documents(KEDA / "every-scaled-object.yaml")[0]["spec"]
    spec = SCALED[service]["spec"]
    assert 1 <= everyone["minReplicaCount"] < spec["maxReplicaCount"]
    (authentication,) = objects(KEDA, kind="TriggerAuthentication").values()
    assert authentication["spec"]["secretTargetRef"] == [{"parameter": "host", "name": "addresses", "key": "AMQP_URL"}]
    for trigger in spec["triggers"]:
        assert trigger["authenticationRef"]["name"] == authentication["metadata"]["name"]
        assert trigger["metadata"]["protocol"] == "amqp"
        assert int(trigger["metadata"]["value"]) > 0
        assert all(isinstance(value, str) for value in trigger["metadata"].values())


def test_what_is_referred_to_is_generated() -> None:
    content = [kustomization(folder) for folder in (BASE, CLUSTER)]
    secrets = {entry["name"] for each in content for entry in each["secretGenerator"]}
    maps = {entry["name"] for each in content for entry in each["configMapGenerator"]}
    trees = [document for path in FILES for document in documents(path)]
    keys = [(entry["name"], entry["key"]) for entry in occurrences(trees, "secretKeyRef")]
    example = dotenv_values(BASE / "secret.env.example")
    assert set(keys) - OF_THE_OPERATOR == {("addresses", name) for name in example}
    assert set(occurrences(trees, "secretName")) <= secrets
    assert {entry["name"] for entry in occurrences(trees, "configMapRef")} <= maps
    assert {entry["name"] for entry in occurrences(trees, "configMap") if isinstance(entry, dict)} <= maps


def test_the_api_listens_where_its_service_and_its_probes_ask() -> None:
    settings = dotenv_values(BASE / "settings.env")
    (port,) = container(DEPLOYMENTS["api"])["ports"]
    (published,) = objects(BASE, kind="Service")["api"]["spec"]["ports"]
    assert settings["API_HOST"] == "0.0.0.0"
    assert {str(port["containerPort"]), str(published["port"])} == {settings["API_PORT"]}
    assert {published["targetPort"], POLICIES["api"]["spec"]["ingress"][0]["ports"][0]["port"]} == {port["name"]}
    probes = (container(DEPLOYMENTS["api"])[f"{probe}Probe"]["httpGet"] for probe in ("liveness", "readiness"))
    assert [(probe["path"], probe["port"]) for probe in probes] == [("/health", "http"), ("/ready", "http")]


def test_metrics_are_served_where_prometheus_is_told_and_let_in() -> None:
    settings = dotenv_values(BASE / "settings.env")
    worker = documents(BASE / "every-worker.yaml")[0]
    (port,) = container(worker)["ports"]
    annotations = pod(worker)["metadata"]["annotations"]
    assert settings["METRICS_HOST"] == "0.0.0.0"
    assert {settings["METRICS_PORT"], annotations["prometheus.io/port"]} == {str(port["containerPort"])}
    for given in (annotations, pod(DEPLOYMENTS["api"])["metadata"]["annotations"]):
        assert (given["prometheus.io/scrape"], given["prometheus.io/path"]) == ("true", "/metrics")
    assert pod(DEPLOYMENTS["api"])["metadata"]["annotations"]["prometheus.io/port"] == settings["API_PORT"]
    for policy, opened in (("metrics", port["name"]), ("metrics-of-the-api", "http")):
        (rule,) = POLICIES[policy]["spec"]["ingress"]
        assert [each["port"] for each in rule["ports"]] == [opened]
        assert rule["from"] == [{"namespaceSelector": {"matchLabels": {"graymill/may-scrape": "yes"}}}]


@pytest.mark.parametrize("service", SERVICES)
def test_every_worker_in_a_container_serves_metrics_within_its_networks(service: str) -> None:
    for file in (compose(), stack()):
        given = file["services"][service]["environment"]
        told = {name: given.get(name) for name in ("METRICS_HOST", "METRICS_PORT")}
        expected = ("0.0.0.0", "9464") if service in WORKERS else (None, None)
        assert tuple(told.values()) == expected
        assert service == "api" or "ports" not in file["services"][service]


def test_no_service_is_given_variables_that_kubernetes_makes_up() -> None:
    """A Service called api would set API_PORT to an address, and the API would not start."""
    assert documents(BASE / "every-service.yaml")[0]["spec"]["template"]["spec"]["enableServiceLinks"] is False


def test_our_pods_are_as_restricted_as_can_be() -> None:
    spec = documents(BASE / "every-service.yaml")[0]["spec"]["template"]["spec"]
    (user,) = set(re.findall(r"--uid (\d+)", (ROOT / "Dockerfile").read_text()))
    assert spec["securityContext"]["runAsUser"] == int(user)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert spec["containers"][0]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def mebibytes(quantity: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([A-Za-z]+)", quantity).groups()  # type: ignore[union-attr]
    return int(number) * {"m": 1, "g": 1024}[unit[0].lower()]


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_one_image_and_one_memory_limit_wherever_it_runs(service: str) -> None:
    here, composed, swarm = (
        container(DEPLOYMENTS[service]),
        compose()["services"][service],
        stack()["services"][service],
    )
    assert here["image"] == composed["image"] == f"graymill/{service}"
    assert swarm["image"].startswith(f"${{REGISTRY:-graymill}}/{service}:")
    assert mebibytes(here["resources"]["limits"]["memory"]) == mebibytes(composed["mem_limit"])
    assert mebibytes(swarm["deploy"]["resources"]["limits"]["memory"]) == mebibytes(composed["mem_limit"])
    assert {"name": f"graymill/{service}", "newTag": "0.1.0"} in kustomization(BASE)["images"]


def test_the_servers_have_one_image_wherever_they_run() -> None:
    defaults = {
        name: compose()["services"][name]["image"].partition(":-")[2].rstrip("}") for name in ("rabbitmq", "mongodb")
    }
    assert objects(CLUSTER, kind="RabbitmqCluster")["rabbitmq"]["spec"]["image"] == defaults["rabbitmq"]
    (mongo,) = (image for image in kustomization(CLUSTER)["images"] if image["name"] == "mongo")
    assert f"mongo:{mongo['newTag']}" == defaults["mongodb"]
    for name in ("rabbitmq", "mongodb"):
        assert stack()["services"][name]["image"] == compose()["services"][name]["image"]


@pytest.mark.parametrize("service", SERVICES)
def test_swarm_sets_only_settings_and_gives_a_service_what_it_reaches(service: str) -> None:
    given = stack()["services"][service]["environment"].keys()
    assert given <= KNOWN_SETTINGS
    assert ("MONGO_URL" in given) == ("database" in USES[service])
    assert ("internet" in stack()["services"][service]["networks"]) == ("internet" in USES[service])


@pytest.mark.parametrize("service", SERVICES)
def test_compose_and_swarm_agree_on_who_reaches_what_and_who_signs(service: str) -> None:
    composed, swarm = compose()["services"][service], stack()["services"][service]
    assert composed["environment"].keys() <= KNOWN_SETTINGS
    # The others are the sample site's and, on one machine, what ports are published on.
    assert set(composed["networks"]) - {"sites", "published"} == set(swarm["networks"])
    for given in (composed["environment"], swarm["environment"]):
        assert given.keys() & {"WEBHOOK_SECRET", "API_KEYS"} == SECRETS.get(service, set())


def test_the_example_names_the_members_of_the_replica_set() -> None:
    address = parse_uri(dotenv_values(BASE / "secret.env.example")["MONGO_URL"])
    spec, namespace = MONGODB["spec"], kustomization(CLUSTER)["namespace"]
    members = [(f"mongodb-{number}.{spec['serviceName']}.{namespace}.svc", 27017) for number in range(spec["replicas"])]
    assert address["nodelist"] == members
    assert f"--replSet={address['options']['replicaSet']}" in container(MONGODB)["command"]


def test_servers_of_a_cluster_are_three_on_machines_of_their_own() -> None:
    rabbitmq = objects(CLUSTER, kind="RabbitmqCluster")["rabbitmq"]["spec"]
    for name, spec, affinity in (
        ("rabbitmq", rabbitmq, rabbitmq["affinity"]),
        ("mongodb", MONGODB["spec"], pod(MONGODB)["spec"]["affinity"]),
    ):
        selector = {"matchLabels": {"app.kubernetes.io/name": name}}
        (term,) = affinity["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        assert spec["replicas"] == 3
        assert term == {"topologyKey": "kubernetes.io/hostname", "labelSelector": selector}
        assert objects(CLUSTER, kind="PodDisruptionBudget")[name]["spec"] == {"maxUnavailable": 1, "selector": selector}


def test_the_database_is_asked_for_its_health_as_on_one_machine() -> None:
    """A kustomization cannot name a file outside of its folder, so there are two."""
    copy = CLUSTER / "mongo-health.sh"
    assert copy.read_text() == (ROOT / "deploy" / "compose" / "mongo-health.sh").read_text()


@pytest.mark.parametrize(
    ("seconds_ago", "is_ready", "is_alive"),
    [(0, True, True), (60, False, True), (600, False, False), (None, False, True)],
)
def test_probes_look_at_the_age_of_the_pulse(
    tmp_path: Path, seconds_ago: int | None, is_ready: bool, is_alive: bool
) -> None:
    pulse = tmp_path / "pulse"
    if seconds_ago is not None:
        pulse.touch()
        os.utime(pulse, (time.time() - seconds_ago,) * 2)
    probes = container(documents(BASE / "every-worker.yaml")[0])

    def passes(probe: str) -> bool:
        command = probes[probe]["exec"]["command"]
        variables = {**os.environ, "HEALTH_FILE": str(pulse)}
        return subprocess.run(command, env=variables, check=False, stderr=subprocess.DEVNULL).returncode == 0

    assert (passes("readinessProbe"), passes("livenessProbe")) == (is_ready, is_alive)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="no kubectl that could build them")
@pytest.mark.parametrize("folder", ["base", "overlays/scaled", "overlays/cluster"])
def test_kustomize_builds_them(tmp_path: Path, folder: str) -> None:
    copy = tmp_path / "kubernetes"
    shutil.copytree(KUBERNETES, copy)
    shutil.copy(BASE / "secret.env.example", copy / "base" / "secret.env")
    (copy / "overlays" / "cluster" / "mongodb.key").write_text("key\n")
    scaled = copy / "overlays" / "scaled" / "kustomization.yaml"
    scaled.parent.mkdir()
    scaled.write_text("resources: [../../base]\ncomponents: [../../components/keda]\n")
    built = subprocess.run(["kubectl", "kustomize", copy / folder], check=True, capture_output=True, text=True)
    everything = list(yaml.safe_load_all(built.stdout))
    deployments = {each["metadata"]["name"]: each for each in everything if each["kind"] == "Deployment"}
    assert set(deployments) == set(SERVICES)
    for name, deployment in deployments.items():
        assert ("replicas" in deployment["spec"]) == (folder == "base" or name == "api")
        assert container(deployment)["image"] == f"graymill/{name}:0.1.0"
        assert ("exec" in container(deployment)["livenessProbe"]) == (name in WORKERS)
    made = {each["metadata"]["name"] for each in everything if each["kind"] in ("Secret", "ConfigMap")}
    asked = {
        entry["name"]
        for key in ("secretKeyRef", "configMapRef", "secretTargetRef")
        for found in occurrences(everything, key)
        for entry in (found if isinstance(found, list) else [found])
    }
    assert asked - {name for name, _ in OF_THE_OPERATOR} <= made
    assert all(each["metadata"].get("namespace", "graymill") == "graymill" for each in everything)
