"""The Helm chart and the plain manifests: rendered by Helm, decoded strictly into the types of
k8s.io/api. No cluster runs them."""

import hashlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest
from page_blocks import blocks_of
from private_servers import cache_folder, cache_lock, run_program

SOURCE = pathlib.Path(__file__).resolve().parents[2]
KUBERNETES = SOURCE / "packaging/kubernetes"
CHART = KUBERNETES / "chart"
SIDECAR = ("--values", CHART / "values-sidecar.yaml")
DECODER = pathlib.Path(__file__).parent / "kubernetes_decode"
LIVE = ["/usr/bin/outboxd", "health", "--live", "--config", "/etc/outboxd/outboxd.conf"]
READY = [word for word in LIVE if word != "--live"]

pytestmark = pytest.mark.skipif(
    shutil.which("go") is None, reason="no Go: Helm and the decoder are compiled with it")

# A value other than the default wherever one changes what is rendered.
EVERYTHING = """
image: {repository: somewhere/outboxd, tag: "7", pullPolicy: Always}
imagePullSecrets: [{name: pull}]
secret: {files: {mysql.password: one, kafka.password: two}}
memory: {maxAllowedPacketMiB: 16, limitMiB: 500}
cpuRequest: 1500m
state: {size: 5Gi, storageClass: fast, accessMode: ReadWriteOncePod}
terminationGracePeriodSeconds: 90
podAnnotations: {a/b: "c"}
nodeSelector: {disk: ssd}
tolerations: [{key: k, operator: Exists, effect: NoSchedule}]
affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: [
  {matchExpressions: [{key: zone, operator: In, values: [a]}]}]}}}
priorityClassName: high
monitoring: {port: 9464, serviceMonitor: true, interval: 15s, labels: {release: prometheus}}
mysql: {image: "mysql:8.4", rootSecret: root, size: 7Gi, storageClass: slow,
        resources: {limits: {memory: 2Gi}}, sql: "SELECT 1;"}
"""


def helm(*words):
    return subprocess.run([KUBERNETES / "helm", *map(str, words)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, check=False)


def render(*words, chart=CHART, name="outboxd"):
    done = helm("template", name, chart, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal(*words):
    done = helm("template", "outboxd", CHART, *words)
    assert done.returncode != 0 and not done.stdout
    return done.stderr


@pytest.fixture(scope="session")
def decoder():
    """The program of kubernetes_decode/, compiled once for each state of its source."""
    files = [DECODER / name for name in ("go.mod", "go.sum", "main.go")]
    stamp = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    program = cache_folder() / f"kubernetes-decode-{stamp}"
    with cache_lock("kubernetes-decode"):
        if not program.exists():
            run_program(["go", "build", "-o", f"{program}.part", "."], cwd=DECODER)
            os.rename(f"{program}.part", program)
    return program


@pytest.fixture(scope="session")
def objects(decoder):
    """Of a rendered text: by kind and name what the types of Kubernetes hold of it."""
    def decode(text):
        done = subprocess.run([decoder], input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found = {(one["kind"], one["metadata"]["name"]): one for one in json.loads(done.stdout)}
        assert len(found) == len(json.loads(done.stdout)), "two objects of one name"
        return found
    return decode


@pytest.fixture(scope="session")
def beside(objects):
    return objects(render())


@pytest.fixture(scope="session")
def sidecar(objects):
    return objects(render(*SIDECAR))


def pod_of(found):
    (template,) = [one["spec"]["template"] for one in found.values() if "template" in
                   one.get("spec", {})]
    return template


def relay_of(found):
    spec = pod_of(found)["spec"]
    (relay,) = [one for one in (*spec.get("initContainers", ()), *spec["containers"])
                if one["name"] == "outboxd"]
    return relay


def configuration_of(found, name="outboxd"):
    return found["ConfigMap", name]["data"]["outboxd.conf"]


@pytest.fixture(params=["beside", "sidecar"])
def form(request):
    """The objects of each form."""
    return request.getfixturevalue(request.param)


# What is rendered.


def test_the_plain_manifests_are_what_the_chart_makes_of_its_own_values(tmp_path):
    subprocess.run([KUBERNETES / "render", tmp_path], check=True)
    for name in ("outboxd.yaml", "outboxd-sidecar.yaml"):
        assert (tmp_path / name).read_text() == (KUBERNETES / name).read_text(), name


def test_each_form_has_the_objects_that_it_needs(beside, sidecar, objects):
    ours = {("ConfigMap", "outboxd"), ("PodDisruptionBudget", "outboxd"),
            ("ServiceAccount", "outboxd")}
    database = {("ConfigMap", "outboxd-mysql"), ("Service", "outboxd-mysql"),
                ("StatefulSet", "outboxd-mysql")}
    assert set(beside) == ours | {("StatefulSet", "outboxd")}
    assert set(sidecar) == ours | database
    library = objects(render(*SIDECAR, "--set", "form=library"))
    assert set(library) == {("ConfigMap", "outboxd")}


@pytest.mark.parametrize("words", [(), SIDECAR], ids=["beside", "sidecar"])
def test_every_value_reaches_its_place(objects, tmp_path, words):
    values = tmp_path / "values.yaml"
    values.write_text(EVERYTHING)
    found = objects(render(*words, "--values", values))
    shown, relay, spec = json.dumps(list(found.values())), relay_of(found), pod_of(found)["spec"]
    assert relay["image"] == "somewhere/outboxd:7" and relay["imagePullPolicy"] == "Always"
    assert relay["resources"] == {"limits": {"memory": "500Mi"},
                                  "requests": {"cpu": "1500m", "memory": "96Mi"}}
    assert found["Secret", "outboxd"]["stringData"] == {"mysql.password": "one",
                                                        "kafka.password": "two"}
    assert spec["nodeSelector"] == {"disk": "ssd"} and spec["priorityClassName"] == "high"
    assert spec["tolerations"] and spec["affinity"] and spec["imagePullSecrets"]
    assert spec["terminationGracePeriodSeconds"] == 90
    assert pod_of(found)["metadata"]["annotations"]["a/b"] == "c"
    for text in ("5Gi", "fast", "ReadWriteOncePod", *(
            ("mysql:8.4", "7Gi", "slow", "2Gi", "SELECT 1;", "--max-allowed-packet=16M")
            if words else ())):
        assert f'"{text}"' in shown, text


def test_a_release_of_another_name_has_objects_of_that_name(objects):
    assert ("StatefulSet", "shop-outboxd") in objects(render(name="shop"))


def test_a_misspelled_field_a_wrong_kind_and_a_field_that_stands_twice_are_found(decoder):
    good = render()
    for old, new in (("periodSeconds: 20", "periodSecond: 20"), ("apps/v1", "apps/v2"),
                     ("replicas: 1", "replicas: 1\n  replicas: 1"), ("replicas: 1", "replicas: x")):
        assert old in good
        done = subprocess.run([decoder], input=good.replace(old, new), capture_output=True,
                              text=True, check=False)
        assert done.returncode == 1 and not done.stdout, new


@pytest.mark.parametrize("words", [(), SIDECAR], ids=["beside", "sidecar"])
def test_lint_finds_nothing_but_that_there_is_no_icon(words):
    done = helm("lint", "--strict", CHART, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"^\[.*", done.stdout, re.M)
    assert told == ["[INFO] Chart.yaml: icon is recommended"]


def test_the_version_is_that_of_the_project():
    version = re.search(r"^project\(outboxd VERSION ([\d.]+)",
                        (SOURCE / "CMakeLists.txt").read_text(), re.M)[1]
    chart = (CHART / "Chart.yaml").read_text()
    assert re.findall(r"^(?:version|appVersion): (.*)$", chart, re.M) == [version, version]


def test_the_notes_name_the_pod_and_the_secrets(tmp_path):
    chart = shutil.copytree(CHART, tmp_path / "outboxd")
    (chart / "templates/notes.yaml").write_text(
        'notes: {{ include "outboxd/templates/NOTES.txt" . | toJson }}\n')
    for words, pod in (((), "outboxd-0"), (SIDECAR, "outboxd-mysql-0")):
        notes = render(*words, "--show-only", "templates/notes.yaml", chart=chart)
        assert f"exec {pod} --container outboxd" in notes
        assert "secret generic outboxd-secrets" in notes
        assert ("secret generic outboxd-mysql-root" in notes) == bool(words)


# The pod.


def test_liveness_and_start_ask_whether_the_process_moves_and_nothing_else(form):
    relay = relay_of(form)
    for probe in ("startupProbe", "livenessProbe"):
        assert relay[probe]["exec"]["command"] == LIVE
        assert relay[probe]["timeoutSeconds"] > 2  # As long as the answer may take.
    watchdog = (SOURCE / "systemd/outboxd@.service").read_text()
    assert f"WatchdogSec={relay['livenessProbe']['periodSeconds'] * 3}\n" in watchdog
    assert relay["livenessProbe"]["failureThreshold"] == 3


def test_with_a_port_the_probes_ask_by_http_and_prometheus_finds_the_relay(objects):
    found = objects(render("--set", "monitoring.port=9464,monitoring.serviceMonitor=true,"
                           "monitoring.labels.release=prometheus"))
    relay = relay_of(found)
    assert "--http.listen=0.0.0.0:9464" in relay["args"]
    (port,) = relay["ports"]
    assert port["containerPort"] == 9464
    for probe, path in (("startupProbe", "/healthz"), ("livenessProbe", "/healthz"),
                        ("readinessProbe", "/readyz")):
        assert relay[probe]["httpGet"] == {"path": path, "port": port["name"]}
        assert "exec" not in relay[probe]
    service = found["Service", "outboxd-metrics"]
    assert service["spec"]["publishNotReadyAddresses"], "one that is not ready is asked as well"
    assert service["spec"]["ports"][0]["targetPort"] == port["name"]
    monitor = found["ServiceMonitor", "outboxd"]
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    wanted = monitor["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= service["metadata"]["labels"].items()
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] == service["spec"]["ports"][0]["name"]
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "outboxd"}]
    pod = pod_of(found)["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= pod.items()


def test_beside_a_database_the_pod_is_ready_when_the_relay_is(beside):
    assert relay_of(beside)["readinessProbe"]["exec"]["command"] == READY


def test_the_sidecar_is_native_and_has_no_say_in_whether_the_database_is_ready(sidecar):
    spec = pod_of(sidecar)["spec"]
    (relay,), (database,) = spec["initContainers"], spec["containers"]
    assert relay["restartPolicy"] == "Always"
    assert "readinessProbe" not in relay and database["readinessProbe"]
    # An end would: while a sidecar is not running its pod is not ready.
    assert relay["args"][-1] == "--relay.on-halt=park"


def test_the_sidecar_waits_while_its_own_server_is_read_only(sidecar):
    lines = configuration_of(sidecar).splitlines()
    section = lines[lines.index("[mysql]"):lines.index("[outbox]")]
    assert "host = 127.0.0.1" in section and "require = writable" in section


def test_an_end_for_a_person_to_mend_does_not_become_a_loop(form):
    assert "on-halt = park" in configuration_of(form).splitlines()


def test_a_pod_that_is_not_ready_is_replaced_all_the_same(form):
    (stateful,) = [one for (kind, _), one in form.items() if kind == "StatefulSet"]
    assert stateful["spec"]["podManagementPolicy"] == "Parallel"
    assert stateful["spec"]["replicas"] == 1


@pytest.mark.parametrize("words", [(), SIDECAR], ids=["beside", "sidecar"])
def test_a_change_of_the_configuration_or_of_a_secret_replaces_the_pod(objects, words):
    def annotations(*more):
        return pod_of(objects(render(*words, *more)))["metadata"]["annotations"]
    now = annotations()
    text = configuration_of(objects(render(*words)))
    assert now == {"checksum/config": hashlib.sha256(text.encode()).hexdigest()}
    changed = text.replace("name = shop", "name = shop2")
    assert annotations("--set-string", f"config={escaped(changed)}") != now
    one, two = (annotations("--set", f"secret.files.a={value}") for value in "ab")
    assert one["checksum/secret"] != two["checksum/secret"]


def escaped(text):
    """As a value of --set-string."""
    return text.replace("\\", "\\\\").replace(",", "\\,")


def test_the_relay_has_no_rights_that_it_does_not_need(form):
    spec, relay = pod_of(form)["spec"], relay_of(form)
    assert relay["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001,
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}}
    assert spec["automountServiceAccountToken"] is False
    assert form["ServiceAccount", spec["serviceAccountName"]]["automountServiceAccountToken"] \
        is False


def test_secrets_are_files_for_the_group_and_no_environment(form):
    spec, relay = pod_of(form)["spec"], relay_of(form)
    assert relay["env"] == [{"name": "RUNTIME_DIRECTORY", "value": "/run/outboxd"}]
    assert "envFrom" not in relay
    assert spec["securityContext"]["fsGroup"] == 10001
    volumes = {one["name"]: one for one in spec["volumes"]}
    files = volumes["outboxd-config"]["projected"]
    assert files["defaultMode"] == 0o440
    assert files["sources"] == [{"configMap": {"name": "outboxd"}},
                                {"secret": {"name": "outboxd-secrets"}}]
    modes = {one["secret"]["defaultMode"] for one in spec["volumes"] if "secret" in one}
    assert modes <= {0o440}


def test_what_the_relay_writes_to_is_a_volume(form):
    mounts = {one["mountPath"]: one for one in relay_of(form)["volumeMounts"]}
    assert set(mounts) == {"/etc/outboxd", "/var/lib/outboxd", "/run/outboxd"}
    assert mounts["/etc/outboxd"]["readOnly"] is True
    (stateful,) = [one for (kind, _), one in form.items() if kind == "StatefulSet"]
    claims = [one["metadata"]["name"] for one in stateful["spec"]["volumeClaimTemplates"]]
    assert mounts["/var/lib/outboxd"]["name"] in claims
    volumes = {one["name"]: one for one in pod_of(form)["spec"]["volumes"]}
    assert volumes[mounts["/run/outboxd"]["name"]]["emptyDir"]["medium"] == "Memory"
    for container in pod_of(form)["spec"]["containers"]:
        assert {one["name"] for one in container["volumeMounts"]} <= volumes.keys() | set(claims)


def test_a_stop_is_not_cut_short(form):
    header = (SOURCE / "daemon/config/config.h").read_text()
    milliseconds = int(re.search(r"stop_timeout\{([\d']+)\}", header)[1].replace("'", ""))
    assert pod_of(form)["spec"]["terminationGracePeriodSeconds"] * 1000 > milliseconds


def test_one_pod_may_be_moved_and_the_budget_is_for_it(form):
    budget = form["PodDisruptionBudget", "outboxd"]["spec"]
    assert budget["maxUnavailable"] == 1
    labels = pod_of(form)["metadata"]["labels"]
    assert budget["selector"]["matchLabels"].items() <= labels.items()


# The memory.


def bound_mib(in_flight, packet_mib):
    """As daemon/preparation/memory_need.cc has it."""
    text = (SOURCE / "daemon/preparation/memory_need.cc").read_text()
    own = int(re.search(r"kOwnBytes = (\d+) \* kMebibyte", text)[1])
    copies = int(re.search(r"kCopies = (\d+);", text)[1])
    return own + -(-in_flight // 2**20) + copies * packet_mib


@pytest.mark.parametrize("line, in_flight", [
    ("", 32 << 20), ("in-flight-bytes-max = 100MiB", 100 << 20),
    ("  in-flight-bytes-max=1GB   # Much.", 10**9), ("in-flight-bytes-max = 5000000", 5000000),
    ("#in-flight-bytes-max = 1GiB", 32 << 20), ("in-flight-bytes-max = 65KiB", 65 << 10)])
def test_the_limit_of_the_memory_is_what_the_relay_takes_at_most(objects, line, in_flight):
    default = re.search(r"in_flight_bytes_max = (\d+)ull << 20",
                        (SOURCE / "daemon/config/config.h").read_text())[1]
    assert default == "32"
    config = f"[relay]\nname = a\n\n[delivery]\n{line}\n"
    found = objects(render("--set-string", f"config={escaped(config)}", "--set",
                           "memory.maxAllowedPacketMiB=100"))
    resources = relay_of(found)["resources"]
    assert resources["limits"] == {"memory": f"{bound_mib(in_flight, 100)}Mi"}
    assert resources["requests"]["memory"] == f"{bound_mib(in_flight, 0)}Mi"


def test_a_limit_below_the_bound_is_refused_and_the_bound_is_not(objects):
    least = bound_mib(32 << 20, 64)
    found = objects(render("--set", f"memory.limitMiB={least}"))
    assert relay_of(found)["resources"]["limits"]["memory"] == f"{least}Mi"
    told = refusal("--set", f"memory.limitMiB={least - 1}")
    assert f"memory.limitMiB is {least - 1}, and the relay may take {least} MiB" in told


def test_the_database_takes_packets_as_large_as_the_limit_was_made_for(sidecar):
    (database,) = pod_of(sidecar)["spec"]["containers"]
    assert "--max-allowed-packet=64M" in database["args"]
    assert relay_of(sidecar)["resources"]["limits"]["memory"] == f"{bound_mib(32 << 20, 64)}Mi"


# What is refused.


@pytest.mark.parametrize("words, reason", [
    (["--set", "replicas=2"], "end each other with exit code 82"),
    (["--set", "replicas=0"], "to pause a relay"),
    ([*SIDECAR, "--set", "replicas=2"], "end each other with exit code 82"),
    ([*SIDECAR, "--set", "mysql.replicas=3"], "a checkpoint of its own"),
    ([*SIDECAR, "--set", "form=library,mysql.replicas=2"], "a checkpoint of its own"),
    (["--set", "form=sidecar"], "host = mysql.example.internal"),
    ([*SIDECAR, "--set-string", "config=[relay]"], "config lacks require = writable"),
    (["--set", "monitoring.serviceMonitor=true"], "write monitoring.port: 9464"),
    (["--set", "secret.existing="], "the relay needs its passwords"),
    (["--set", r"secret.files.outboxd\.conf=a"], "choose another name"),
])
def test_what_would_go_wrong_is_refused_with_the_reason(words, reason):
    assert reason in refusal(*words)
    # Not only the schema stands in the way.
    assert reason in refusal(*words, "--skip-schema-validation")


@pytest.mark.parametrize("value", [
    "replica=1", "image.name=a", "secret.file=a", "memory.limit=1", "state.class=a",
    "mysql.replica=1", "form=deployment", "replicas=one", "memory.maxAllowedPacketMiB=64M",
    "memory.maxAllowedPacketMiB=0", "state.size=big", "state.accessMode=ReadWriteMany", "config="])
def test_values_that_do_not_exist_or_cannot_be_are_refused(value):
    name = value.partition("=")[0].split(".")[-1]
    told = refusal("--set", value)
    assert "specifications of the schema" in told and name in told


# The database of the form sidecar, and the pages.


def test_the_account_that_is_made_can_do_what_the_readme_grants(sidecar, mysql, tmp_path):
    import pymysql  # Only the environment of the tests has it.
    scripts = sidecar["ConfigMap", "outboxd-mysql"]["data"]
    assert list(scripts) == sorted(scripts) == ["10-account.sh", "20-tables.sql"]
    secret = "it's \\ \"$HOME\" `x`"
    (tmp_path / "password").write_text(secret + "\n")
    script = scripts["10-account.sh"].replace("/etc/outboxd/mysql.password", "password")
    made = subprocess.run(["bash", "-euc", f"docker_process_sql() {{ cat; }}\n{script}"],
                          cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    mysql.mysql(made)
    mysql.mysql(scripts["20-tables.sql"])
    with pymysql.connect(host="127.0.0.1", port=mysql.port, user="outboxd",
                         password=secret) as connection, connection.cursor() as cursor:
        cursor.execute("SHOW GRANTS")
        granted = {re.sub("[`']", "", row[0]) for row in cursor.fetchall()}
    readme = (SOURCE / "README.md").read_text()
    wanted = re.findall(r"^    (GRANT .*) TO outboxd@'%';", readme, re.M)
    assert len(wanted) == 3
    for grant in wanted:
        assert f"{grant} TO outboxd@127.0.0.1" in granted


def marked(test):
    page = SOURCE / "docs/kubernetes.md"
    return [block.lines for block in blocks_of(page.name, page.read_text()) if test in block.mark]


def test_the_commands_of_the_page_render_what_they_say(objects, tmp_path):
    values, install, install_sidecar = marked("test_the_commands_of_the_page_render")
    (tmp_path / "shop.yaml").write_text("\n".join(values) + "\n")
    (tmp_path / "packaging").symlink_to(SOURCE / "packaging")
    found = []
    for (line,) in (install, install_sidecar):
        words = shlex.split(line)
        assert words[:2] == ["helm", "install"]
        done = subprocess.run([KUBERNETES / "helm", "template", *words[2:]], cwd=tmp_path,
                              capture_output=True, text=True, check=True)
        found.append(objects(done.stdout))
    assert configuration_of(found[0], "shop-outboxd") + "\n" == "".join(
        f"{line[2:]}\n" for line in values[1:]) + "\n"
    assert ("StatefulSet", "shop-outboxd-mysql") in found[1]


PARENT = """
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: database
spec:
  serviceName: database
  selector:
    matchLabels:
      app: database
  template:
{template}
      containers:
        - name: mysql
          image: mysql
  volumeClaimTemplates:
    {{{{- include "outboxd.volumeClaim" .Subcharts.outboxd | nindent 4 }}}}
"""


def test_another_chart_takes_the_sidecar_as_the_page_says(objects, sidecar, tmp_path):
    (lines,) = marked("test_another_chart_takes_the_sidecar_as_the_page_says")
    template = "\n".join(f"    {line}" for line in lines).replace(
        "    metadata:\n", "    metadata:\n      labels:\n        app: database\n", 1)
    chart = tmp_path / "database"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(
        "apiVersion: v2\nname: database\nversion: 1.0.0\n"
        "dependencies:\n  - name: outboxd\n    version: '*'\n    repository: file://../outboxd\n")
    shutil.copytree(CHART, chart / "charts/outboxd")
    config = "\n".join("    " + line for line in configuration_of(sidecar).splitlines())
    (chart / "values.yaml").write_text(f"outboxd:\n  form: library\n  config: |\n{config}\n")
    (chart / "templates/database.yaml").write_text(PARENT.format(template=template))
    found = objects(render(chart=chart, name="shop"))
    assert set(found) == {("ConfigMap", "shop-outboxd"), ("StatefulSet", "database")}
    assert relay_of(found) == relay_of(sidecar)
    assert pod_of(found)["metadata"]["annotations"]["checksum/config"]
    (claim,) = found["StatefulSet", "database"]["spec"]["volumeClaimTemplates"]
    volumes = {one["name"] for one in pod_of(found)["spec"]["volumes"]}
    mounts = {one["name"] for one in relay_of(found)["volumeMounts"]}
    assert volumes | {claim["metadata"]["name"]} == mounts
