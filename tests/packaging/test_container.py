"""The container image: what is in it and how it runs. The compose file is only loaded."""

import hashlib
import itertools
import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import textwrap

import pytest
from container import CONFIG, RUNTIME, STATE, USER, Container, ContainerRelay, \
    ReadOnlyContainer, Storage, build_image
from debian_package import NOW
from page_blocks import blocks_of
from private_servers import cache_folder, cache_lock, run_program
from relay import wait_until

SOURCE = pathlib.Path(__file__).resolve().parents[2]
CONTAINER = SOURCE / "packaging/container"
SCRIPT = CONTAINER / "build"
DECODER = pathlib.Path(__file__).parent / "compose_decode"
PAGE = "docs/container.md"
BYTES_MAX = 70_000_000


@pytest.fixture(scope="module")
def built(package, tmp_path_factory):
    return build_image(tmp_path_factory.mktemp("image"), SCRIPT, "--deb", package)


@pytest.fixture(scope="module")
def storage(built):
    with Storage(built[0]) as made:
        yield made


@pytest.fixture(scope="module")
def root(storage):
    """What is in the image, as a folder."""
    name = storage.buildah("from", "--pull-never", storage.image).strip()
    return pathlib.Path(storage.buildah("mount", name).strip())


@pytest.fixture(params=[Container, ReadOnlyContainer], ids=["buildah", "read-only"])
def kind(request):
    return request.param


def all_of(root):
    return sorted(root.rglob("*"))


# The image.


def test_the_image_says_how_it_is_run(storage):
    config = storage.config()
    assert config["User"] == f"{USER}:{USER}"
    assert config["Entrypoint"] == ["/usr/bin/outboxd"]
    assert config["Cmd"] == ["run", "--config", f"{CONFIG}/outboxd.conf", "--relay.on-halt=park"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Volumes"] == {STATE: {}}
    assert config["Healthcheck"]["Test"] == [
        "CMD", "/usr/bin/outboxd", "health", "--config", f"{CONFIG}/outboxd.conf"]
    assert config["Healthcheck"]["Timeout"] > 2 * 10**9  # As long as the answer may take.
    assert not [one for one in config["Env"] or () if one.startswith("RUNTIME_DIRECTORY")]
    version = re.search(r"^project\(outboxd VERSION ([\d.]+)",
                        (SOURCE / "CMakeLists.txt").read_text(), re.M)[1]
    labels = config["Labels"]
    assert labels["org.opencontainers.image.title"] == "outboxd"
    assert labels["org.opencontainers.image.version"] == version
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_the_user_of_the_image_is_that_of_the_chart(storage):
    pod = (SOURCE / "packaging/kubernetes/chart/templates/_pod.tpl").read_text()
    assert f"runAsUser: {USER}\n" in pod and f"runAsGroup: {USER}\n" in pod


def test_it_is_small_and_the_script_says_how_large(built, storage):
    image, printed = built
    size = image.stat().st_size
    print(f"{size} bytes")
    assert size < BYTES_MAX
    assert f"localhost/outboxd:{NOW} has {(size + 500000) // 10**6} MB" in printed
    assert f"sha256:{storage.image}" in printed
    told = int(re.search(r"the image\s+has\s+(\d+)\s+MB", (SOURCE / PAGE).read_text())[1])
    assert size / 10**6 == pytest.approx(told, rel=0.1)


def test_the_command_of_the_page_builds_the_image_again_byte_by_byte(built, tmp_path):
    (lines,) = (block.lines for block in blocks_of(PAGE, (SOURCE / PAGE).read_text())
                if "test_the_command_of_the_page_builds" in block.mark)
    (command,) = lines
    again, _ = build_image(tmp_path, SOURCE / command)
    assert again.read_bytes() == built[0].read_bytes()


def test_there_is_no_shell_no_package_manager_and_nothing_that_gives_rights(root):
    programs = [path for path in all_of(root) if path.is_file() and not path.is_symlink()
                and path.stat().st_mode & 0o111 and ".so" not in path.name]
    assert [str(path.relative_to(root)) for path in programs] == ["usr/bin/outboxd"]
    for path in all_of(root):
        mode = path.lstat().st_mode
        assert not mode & (stat.S_ISUID | stat.S_ISGID), path
        assert not (stat.S_ISREG(mode) and mode & stat.S_IWOTH), path
    assert os.listdir(root / "usr/bin") == ["outboxd"] and not os.listdir(root / "usr/sbin")
    for name in ("bin", "sbin"):
        assert os.readlink(root / name) == f"usr/{name}"


def test_every_library_of_every_program_and_library_is_in_the_image(root):
    there = {path.name for path in all_of(root) if ".so" in path.name and path.exists()}
    for path in all_of(root):
        if not path.is_file() or path.is_symlink():
            continue
        with open(path, "rb") as file:
            if file.read(4) != b"\x7fELF":
                continue
        listed = subprocess.run(["objdump", "-p", path], capture_output=True, text=True, check=True)
        for name in re.findall(r"NEEDED\s+(\S+)", listed.stdout):
            assert name in there, (path, name)


def test_every_link_leads_somewhere(root):
    for path in all_of(root):
        if path.is_symlink():
            target = pathlib.Path(os.readlink(path))
            place = root / target.relative_to("/") if target.is_absolute() else path.parent / target
            assert os.path.lexists(place), path


def test_it_tells_what_is_in_it_and_under_which_terms(root):
    records = {path.name: path.read_text() for path in (root / "var/lib/dpkg/status.d").iterdir()}
    assert {"outboxd", "libc6", "libssl3", "ca-certificates", "base-files"} <= records.keys()
    for name, text in records.items():
        assert f"Package: {name}\n" in text and re.search("^Version: ", text, re.M), name
        assert (root / "usr/share/doc" / name / "copyright").read_text(errors="replace"), name
    documents = root / "usr/share/doc/outboxd"
    assert json.loads((documents / "sbom.cdx.json").read_text())["components"]
    for name in ("LICENSE", "licences/libmysqlclient", "licences/librdkafka"):
        assert (documents / name).read_text(), name
    assert 'VERSION_ID="12"' in (root / "etc/os-release").read_text()


def test_it_brings_the_authorities_where_tls_looks_for_them(root):
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    assert bundle.read_text().count("BEGIN CERTIFICATE") > 100
    assert os.readlink(root / "usr/lib/ssl/cert.pem") == "/etc/ssl/certs/ca-certificates.crt"


# How it runs.


def test_it_relays_as_its_user_and_keeps_its_state_in_the_volume(storage, mysql, kafka, tmp_path,
                                                                kind):
    with ContainerRelay(storage, mysql, kafka, tmp_path, kind) as relay:
        relay.insert("e-1")
        relay.start()
        assert [m.id for m in relay.wait_for(1)] == ["e-1"]
        status = pathlib.Path(f"/proc/{relay.container.pid()}/status").read_text()
        assert re.search(rf"^Uid:(\s+{USER}){{4}}$", status, re.M), status
        assert re.search(rf"^Gid:(\s+{USER}){{4}}$", status, re.M), status
        wait_until(lambda: "streaming: 1 event delivered" in relay.health()[1], relay.log)
        assert relay.health()[0] == 0
        assert "outboxd.sock" in os.listdir(relay.volume / relay.name)
        made = [path.lstat() for path in (relay.volume / relay.name).iterdir()]
        assert made and {(one.st_uid, one.st_gid) for one in made} == {(USER, USER)}
        assert relay.stop() == 0
        # Another container of the same volume goes on.
        relay.insert("e-2")
        relay.start()
        assert [m.id for m in relay.wait_for(2)] == ["e-1", "e-2"]
        assert relay.stop() == 0


def test_nothing_but_the_volume_can_be_written_where_the_root_is_read_only(storage, tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "volume").mkdir()
    os.chown(tmp_path / "volume", USER, USER)
    with ReadOnlyContainer(storage, {CONFIG: tmp_path / "etc", STATE: tmp_path / "volume"}) as one:
        for folder in (f"{STATE}/a", "/tmp/a", "/run/a", f"{CONFIG}/a", "/var/a", "/dev/a"):
            (tmp_path / "etc/outboxd.conf").write_text(
                f"[relay]\nname=a\nstate-directory={folder}\n[mysql]\nhost=127.0.0.1\nuser=a\n"
                "[outbox]\ntable=a.b\n[kafka]\nbootstrap.servers=127.0.0.1:1\n")
            said = one.call("/usr/bin/outboxd", "position", "set", "keep", "--config",
                            f"{CONFIG}/outboxd.conf")
            can_write = folder.startswith(STATE)
            assert said.returncode == (84 if can_write else 74), (folder, said.stderr)


def test_a_stop_delivers_or_tells_what_it_has_taken(storage, mysql, kafka, tmp_path):
    with ContainerRelay(storage, mysql, kafka, tmp_path) as relay:
        relay.begin_now()
        relay.start()
        wait_until(lambda: relay.health()[0] == 0, relay.log)
        names = [f"e-{number}" for number in range(500)]
        for begin in range(0, 500, 100):
            relay.insert(*names[begin:begin + 100])
        assert relay.stop() == 0
        told = re.search(r"stopped: (\d+) events? delivered", relay.log())
        assert told, relay.log()
        assert len(relay.received()) >= int(told[1])
        relay.start()  # The rest, from the checkpoint.
        relay.wait_for(500)
        assert relay.stop() == 0
        assert sorted({m.id for m in relay.received()}) == sorted(names)


def test_columns_of_other_character_sets_are_converted_in_the_image(storage, mysql, kafka,
                                                                    tmp_path):
    table = """(id VARCHAR(64) NOT NULL PRIMARY KEY, aggregatetype VARCHAR(255) NOT NULL,
    aggregateid VARCHAR(255), type VARCHAR(255) NOT NULL, payload TEXT CHARACTER SET gbk)"""
    with ContainerRelay(storage, mysql, kafka, tmp_path) as relay:
        relay.sql("DROP TABLE outbox")
        relay.sql(f"CREATE TABLE outbox {table}")
        relay.insert("e-1", payload="中文")
        relay.start()
        assert [m.value.decode() for m in relay.wait_for(1)] == ["中文"]
        assert relay.stop() == 0


def test_a_relay_that_a_person_has_to_mend_stays_up_and_explains_itself(storage, mysql, kafka,
                                                                       tmp_path, kind):
    with ContainerRelay(storage, mysql, kafka, tmp_path, kind, delivery__start=None) as relay:
        relay.start()
        wait_until(lambda: "parked" in relay.health()[1], relay.log)
        code, said = relay.health()
        assert code == 1 and "code 84" in said and "there is no checkpoint yet" in said
        assert relay.health("--live") == (0, "alive")
        assert relay.stop() == 84


def test_a_parked_relay_begins_anew_with_what_was_mended(storage, mysql, kafka, tmp_path, kind):
    with ContainerRelay(storage, mysql, kafka, tmp_path, kind, delivery__start=None) as relay:
        relay.insert("e-1")
        relay.start()
        wait_until(lambda: "parked" in relay.health()[1], relay.log)
        relay.configure(delivery__start="table")
        done = relay.command("reload")
        assert done.returncode == 0, done.stderr
        relay.wait_for(1)
        assert relay.stop() == 0


def test_a_configuration_that_cannot_be_read_is_told_in_the_log_and_by_health(storage, mysql, kafka,
                                                                              tmp_path):
    with ContainerRelay(storage, mysql, kafka, tmp_path, mounts=(STATE, RUNTIME),
                        outbox__nonsense="1") as relay:
        relay.start()
        wait_until(lambda: "parked" in relay.health()[1], relay.log)
        code, said = relay.health()
        assert code == 1 and "code 78" in said and "nonsense" in said
        assert relay.health("--live") == (0, "alive")
        assert "nonsense" in relay.log()
        assert relay.stop() == 78


def test_without_a_volume_it_keeps_its_state_in_that_of_the_image(storage, mysql, kafka, tmp_path):
    with ContainerRelay(storage, mysql, kafka, tmp_path, mounts=()) as relay:
        relay.insert("e-1")
        relay.start()
        relay.wait_for(1)
        assert relay.stop() == 0


def test_a_volume_that_it_cannot_write_to_is_named(storage, mysql, kafka, tmp_path):
    with ContainerRelay(storage, mysql, kafka, tmp_path) as relay:
        os.chown(relay.volume, 0, 0)
        relay.start_unparked()
        assert relay.wait() == 74
        assert f"{STATE}/{relay.name}" in relay.log() and "Permission denied" in relay.log()
        assert f"{STATE} belongs to root" in relay.log() and f"chown {USER}:{USER}" in relay.log()


def test_what_a_container_that_runs_as_root_makes_belongs_to_the_user(storage, mysql, kafka,
                                                                     tmp_path):
    with ContainerRelay(storage, mysql, kafka, tmp_path) as relay:
        relay.insert("e-1")
        user, relay.container.user = relay.container.user, "0:0"
        relay.start()
        relay.wait_for(1)
        assert relay.stop() == 0
        made = [path.lstat() for path in (relay.volume / relay.name).iterdir()]
        assert made and {one.st_uid for one in made} == {USER}
        relay.container.user = user
        relay.insert("e-2")
        relay.start()
        assert [m.id for m in relay.wait_for(2)] == ["e-1", "e-2"]
        assert relay.stop() == 0


# The compose file.

needs_go = pytest.mark.skipif(shutil.which("go") is None,
                              reason="no Go: the decoder is compiled with it")


@pytest.fixture(scope="session")
def decoder():
    """The program of compose_decode/, compiled once for each state of its source."""
    files = [DECODER / name for name in ("go.mod", "go.sum", "main.go")]
    stamp = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    program = cache_folder() / f"compose-decode-{stamp}"
    with cache_lock("compose-decode"):
        if not program.exists():
            run_program(["go", "build", "-o", f"{program}.part", "."], cwd=DECODER)
            os.rename(f"{program}.part", program)
    return program


def decode(decoder, text):
    return subprocess.run([decoder], input=text, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def project(decoder):
    done = decode(decoder, (CONTAINER / "compose.yaml").read_text())
    assert done.returncode == 0 and not done.stderr, done.stderr
    return json.loads(done.stdout)


@needs_go
def test_a_misspelled_key_a_wrong_kind_and_a_name_that_nothing_defines_are_found(decoder):
    good = (CONTAINER / "compose.yaml").read_text()
    for old, new in (("stop_grace_period", "stop_grace_periode"),
                     ("read_only: true", "read_only: [1]"),
                     ("- outboxd-state:", "- outboxd-stat:"), ("source: relay", "source: rely"),
                     ("service_healthy", "service_health"), ("      topics:", "      topicz:")):
        assert old in good
        done = decode(decoder, good.replace(old, new, 1))
        assert done.returncode == 1 and not done.stdout, new


@needs_go
def test_the_composed_relay_has_no_rights_and_time_to_stop(project, storage):
    relay = project["services"]["outboxd"]
    assert relay["image"] == "localhost/outboxd:" + \
        storage.config()["Labels"]["org.opencontainers.image.version"]
    assert relay["read_only"] is True and relay["cap_drop"] == ["ALL"]
    assert relay["security_opt"] == ["no-new-privileges:true"]
    assert not relay.get("environment") and not relay.get("privileged") and "user" not in relay
    assert {one["target"] for one in relay["volumes"]} == {STATE}
    header = (SOURCE / "daemon/config/config.h").read_text()
    milliseconds = int(re.search(r"stop_timeout\{([\d']+)\}", header)[1].replace("'", ""))
    assert relay["stop_grace_period"] == "45s" and 45_000 > milliseconds
    conditions = {name: one["condition"] for name, one in relay["depends_on"].items()}
    assert conditions == {"mysql": "service_healthy", "topics": "service_completed_successfully"}
    for name in ("mysql", "kafka"):
        assert project["services"][name]["healthcheck"]["test"][0] == "CMD"
    for service in project["services"].values():
        registry, _, rest = service["image"].partition("/")
        assert registry == "localhost" or "." not in registry.partition(":")[0] or not rest


@needs_go
def test_the_program_takes_the_composed_configuration_and_only_misses_its_servers(project, storage,
                                                                                 tmp_path):
    for name in ("etc", "secrets", "volume"):
        (tmp_path / name).mkdir()
    os.chown(tmp_path / "volume", USER, USER)
    (tmp_path / "etc/outboxd.conf").write_text(project["configs"]["relay"]["content"])
    (tmp_path / "secrets/mysql.password").write_text("x\n")
    with Container(storage, {CONFIG: tmp_path / "etc", "/run/secrets": tmp_path / "secrets",
                             STATE: tmp_path / "volume"}) as one:
        done = one.call("/usr/bin/outboxd", "check", "--config", f"{CONFIG}/outboxd.conf")
    problems = re.findall(r"^PROBLEM +(\S+)", done.stdout, re.M)
    assert done.returncode == 69 and problems == ["mysql", "kafka"], done.stdout + done.stderr


@pytest.mark.parametrize("manifest", ["outboxd.yaml", "outboxd-sidecar.yaml"])
def test_the_program_takes_the_configuration_of_the_manifests_too(storage, tmp_path, manifest):
    lines = (SOURCE / "packaging/kubernetes" / manifest).read_text().splitlines()
    begin = next(i for i, line in enumerate(lines) if line == "  outboxd.conf: |")
    config = list(itertools.takewhile(lambda line: not line.strip() or line.startswith("    "),
                                      lines[begin + 1:]))
    assert any("on-halt = park" in line for line in config), config
    for name in ("etc", "volume"):
        (tmp_path / name).mkdir()
    os.chown(tmp_path / "volume", USER, USER)
    (tmp_path / "etc/outboxd.conf").write_text(textwrap.dedent("\n".join(config)))
    for name in re.findall(rf"{CONFIG}/(\S+)", "\n".join(config)):
        trusted = pathlib.Path("/etc/ssl/certs/ca-certificates.crt").read_text()
        (tmp_path / "etc" / name).write_text(trusted if name.endswith(".pem") else "x\n")
    with Container(storage, {CONFIG: tmp_path / "etc", STATE: tmp_path / "volume"}) as one:
        done = one.call("/usr/bin/outboxd", "check", "--config", f"{CONFIG}/outboxd.conf")
    assert done.returncode == 69, done.stdout + done.stderr
    assert re.findall(r"^PROBLEM +(\S+)", done.stdout, re.M) == ["mysql", "kafka"], done.stdout


@needs_go
def test_the_composed_account_has_the_password_of_the_file_whatever_is_in_it(project, mysql,
                                                                            tmp_path):
    secret = tmp_path / "mysql.password"
    secret.write_text("it's a \\ $1\n")
    script = project["configs"]["account"]["content"]
    assert script.count("/run/secrets/mysql.password") == 1
    script = script.replace("/run/secrets/mysql.password", str(secret))
    done = subprocess.run(["bash", "-e", "-c", "docker_process_sql() { cat; }\n" + script],
                          capture_output=True, text=True, check=True)
    assert "IDENTIFIED BY 'it''s a \\\\ $1';" in done.stdout
    assert "XA_RECOVER_ADMIN" in done.stdout and "REPLICATION SLAVE" in done.stdout
