"""The demonstration that packaging/quickstart runs once everything is built and fetched."""

import contextlib
import json
import pathlib
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from private_servers import PrivateKafka, PrivateMysql, ServerError, spawn

TOPIC = "outbox.event.order"
ARRIVAL_TIMEOUT = 60.0
BULK_TRANSACTIONS = 500

TTY = sys.stdout.isatty()
BOLD, DIM, GREEN, RED, PLAIN = (
    ("\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m") if TTY else ("",) * 5)

SCHEMA = """
CREATE DATABASE shop;
CREATE TABLE shop.orders (
  id INT PRIMARY KEY,
  item VARCHAR(40) NOT NULL,
  amount DECIMAL(8, 2) NOT NULL);
CREATE TABLE shop.outbox (
  id CHAR(36) PRIMARY KEY,
  aggregatetype VARCHAR(255) NOT NULL,
  aggregateid VARCHAR(255) NOT NULL,
  type VARCHAR(255) NOT NULL,
  payload JSON NOT NULL);
"""

GRANTS = (
    "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO outboxd@'%';",
    "GRANT SELECT ON shop.outbox TO outboxd@'%';",
    "GRANT XA_RECOVER_ADMIN ON *.* TO outboxd@'%';",
)

CONFIG = """[relay]
name = shop
state-directory = {folder}/state

[mysql]
host = {mysql.host}
port = {mysql.port}
user = outboxd
password-file = {folder}/mysql-password
tls = required

[outbox]
table = shop.outbox
preset = debezium
header = type:eventType

[kafka]
bootstrap.servers = {kafka.bootstrap}

[delivery]
start = table
"""

ITEMS = ("desk lamp", "teapot", "bicycle bell", "fountain pen", "wool scarf", "chess set")


class Orders:
    """Gives each order its number, and remembers which event belongs to it."""

    def __init__(self):
        self.attempted = {}  # Order number by event id.
        self._next = 1001

    def place(self) -> tuple:
        """The next order's number, and the SQL of its business row and its event."""
        number = self._next
        self._next += 1
        event = str(uuid.uuid4())
        self.attempted[event] = number
        item, amount = ITEMS[number % len(ITEMS)], f"{(number * 37) % 9000 / 100 + 5:.2f}"
        return number, (
            f"INSERT INTO orders VALUES ({number}, '{item}', {amount});"
            f"INSERT INTO outbox VALUES ('{event}', 'order', '{number}', 'OrderPlaced',"
            f" JSON_OBJECT('item', '{item}', 'amount', {amount}));")


class Arrivals:
    """What Kafka's own Java console consumer prints, gathered by a thread."""

    def __init__(self, consumer: subprocess.Popen):
        self._consumer = consumer
        self._changed = threading.Condition()
        self._messages = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        for line in self._consumer.stdout:
            partition, _, headers, key, value = line.rstrip("\n").split("\t", 4)
            message = {
                "partition": partition.removeprefix("Partition:"),
                "headers": dict(pair.split(":", 1) for pair in headers.split(",")),
                "key": key, "value": value, "at": time.monotonic()}
            with self._changed:
                self._messages.append(message)
                self._changed.notify_all()

    def all(self) -> list:
        with self._changed:
            return list(self._messages)

    def wait_for(self, number: int) -> dict:
        """The message of an order, or None when it does not come."""
        def find():
            return next((m for m in self._messages if m["key"] == str(number)), None)
        with self._changed:
            self._changed.wait_for(find, ARRIVAL_TIMEOUT)
            return find()

    def wait_for_count(self, count: int) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._messages) >= count, ARRIVAL_TIMEOUT)


def heading(text: str) -> None:
    print(f"\n{BOLD}{text}{PLAIN}", flush=True)


def line(left: str, right: str, colour: str = "") -> None:
    print(f"  {left:46}{DIM}|{PLAIN} {colour}{right}{PLAIN}", flush=True)


def sql_line(number: int, verb: str, what: str, right: str, colour: str = "") -> None:
    line(f"{number}  {verb:9} {what}", right, colour)


def show_arrival(arrivals: Arrivals, number: int, verb: str, what: str, since: float) -> None:
    message = arrivals.wait_for(number)
    if message is None:
        sql_line(number, verb, what, f"no message within {ARRIVAL_TIMEOUT:.0f} s", RED)
        raise ServerError(f"the message of order {number} did not arrive")
    waited = ""
    if since:  # It can arrive before the client that committed has ended.
        milliseconds = (message["at"] - since) * 1000
        waited = f"{milliseconds:.0f} ms later" if milliseconds >= 0.5 else "at once"
    value = message["value"]
    sql_line(number, verb, what, f"{value if len(value) <= 52 else value[:51] + '…'}")
    line("", f"{DIM}key {message['key']}, {message['headers'].get('eventType', '')}, "
             f"partition {message['partition']}{', ' + waited if waited else ''}")


def show_single_transactions(mysql, orders: Orders, arrivals: Arrivals) -> None:
    def run(sql: str) -> float:
        mysql.mysql(sql, database="shop")
        return time.monotonic()

    def commit(what: str, extra: str = "") -> None:
        number, sql = orders.place()
        since = run(f"START TRANSACTION; {sql} {extra.format(number)} COMMIT;")
        show_arrival(arrivals, number, "COMMIT", what, since)

    def roll_back(what: str) -> None:
        number, sql = orders.place()
        run(f"START TRANSACTION; {sql} ROLLBACK;")
        sql_line(number, "ROLLBACK", what, "nothing", DIM)

    commit("order and event")
    roll_back("order and event")
    commit("event deleted again", "DELETE FROM outbox WHERE aggregateid = '{}';")

    kept, sql_kept = orders.place()
    undone, sql_undone = orders.place()
    since = run(f"START TRANSACTION; {sql_kept} SAVEPOINT s; {sql_undone} "
                "ROLLBACK TO SAVEPOINT s; COMMIT;")
    show_arrival(arrivals, kept, "COMMIT", "order and event", since)
    sql_line(undone, "  \"", "undone to a savepoint", "nothing", DIM)

    roll_back("order and event")
    commit("order and event")


def run_many_transactions(mysql, orders: Orders) -> tuple:
    """Commits four of five; returns how many were committed and rolled back."""
    statements, rolled_back = [], 0
    for i in range(BULK_TRANSACTIONS):
        _, sql = orders.place()
        end = "ROLLBACK" if i % 5 == 4 else "COMMIT"
        rolled_back += end == "ROLLBACK"
        statements.append(f"START TRANSACTION; {sql} {end};")
    mysql.mysql("\n".join(statements), database="shop")
    return BULK_TRANSACTIONS - rolled_back, rolled_back


def prove(mysql, kafka, orders: Orders, arrivals: Arrivals) -> bool:
    """Compares what MySQL holds with what the consumer got. outboxd has stopped: the topic has
    reached its end."""
    committed = set(mysql.mysql("SELECT id FROM shop.orders").split())
    rolled_back = {str(number) for number in orders.attempted.values()} - committed
    ends = kafka.tool("org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server",
                      kafka.bootstrap, "--topic", TOPIC)
    in_topic = sum(int(end.rsplit(":", 1)[1]) for end in ends.split())
    arrivals.wait_for_count(in_topic)

    messages = arrivals.all()
    keys = {message["key"] for message in messages}
    event_ids = {message["headers"].get("id") for message in messages}
    in_table = dict(row.split("\t") for row in
                    mysql.mysql("SELECT id, payload FROM shop.outbox").splitlines())
    payloads = {message["headers"].get("id"): message["value"] for message in messages}
    same = sum(1 for event, payload in in_table.items()
               if event in payloads and json.loads(payload) == json.loads(payloads[event]))

    checks = (
        ("committed orders in MySQL", len(committed), "of them received", len(committed & keys),
         committed <= keys),
        ("orders rolled back", len(rolled_back), "of them received", len(rolled_back & keys),
         not rolled_back & keys),
        ("events now in shop.outbox", len(in_table), "received with this content", same,
         same == len(in_table)),
        ("messages in the topic", in_topic, "received, each event once", len(event_ids),
         in_topic == len(messages) == len(event_ids) == len(committed)),
    )
    for left, count, right, other, passed in checks:
        mark = f"{GREEN}ok{PLAIN}" if passed else f"{RED}WRONG{PLAIN}"
        print(f"  {left:28}{count:6}    {right:28}{other:6}    {mark}")
    return all(check[-1] for check in checks)


def start_servers(stack: contextlib.ExitStack) -> tuple:
    started = time.monotonic()
    mysql = PrivateMysql()
    stack.callback(mysql.close)
    kafka = PrivateKafka()
    stack.callback(kafka.close)
    with ThreadPoolExecutor() as pool:
        for future in [pool.submit(mysql.start), pool.submit(kafka.start)]:
            future.result()
    version = mysql.mysql("SELECT @@version").split("-")[0].strip()
    print(f"  {'MySQL ' + version:22} {mysql.host}:{mysql.port}")
    print(f"  {'Kafka':22} {kafka.bootstrap}     {DIM}both up after "
          f"{time.monotonic() - started:.1f} s{PLAIN}")
    return mysql, kafka


def set_up(mysql, kafka, folder: pathlib.Path, orders: Orders) -> pathlib.Path:
    """Everything that outboxd needs to be told or granted; returns its configuration."""
    password = secrets.token_urlsafe(18)
    password_file = folder / "mysql-password"
    password_file.touch(0o600)
    password_file.write_text(password + "\n")
    (folder / "state").mkdir(0o700)
    mysql.mysql(SCHEMA)
    mysql.mysql(f"CREATE USER outboxd@'%' IDENTIFIED BY '{password}';" + "".join(GRANTS))
    kafka.create_topic(TOPIC, partitions=3)
    print(f"  {'shop.orders':22} business table")
    print(f"  {'shop.outbox':22} event table: id, aggregatetype, aggregateid, type, payload")
    print(f"  {TOPIC:22} topic with 3 partitions")
    for grant in GRANTS:
        print(f"  {DIM}{grant}{PLAIN}")
    config = folder / "shop.conf"
    config.write_text(CONFIG.format(folder=folder, mysql=mysql, kafka=kafka))
    return config


def stop_outboxd(relay: subprocess.Popen) -> int:
    if relay.poll() is None:
        relay.terminate()
        try:
            relay.wait(40)
        except subprocess.TimeoutExpired:
            relay.kill()
    return relay.wait()


def demonstrate(stack: contextlib.ExitStack, build: pathlib.Path) -> bool:
    binary, folder = build / "outboxd", build / "quickstart"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    orders = Orders()

    heading("Starting private servers")
    mysql, kafka = start_servers(stack)
    heading("Setting up")
    config = set_up(mysql, kafka, folder, orders)

    heading(f"outboxd check --config {short(config)}")
    check = subprocess.run([binary, "check", "--config", config], stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print("".join(f"  {row}\n" for row in check.stdout.splitlines()), end="")
    if check.returncode != 0:
        raise ServerError(f"outboxd check exited with {check.returncode}")

    heading(f"outboxd run --config {short(config)}")
    first, sql = orders.place()
    mysql.mysql(f"START TRANSACTION; {sql} COMMIT;", database="shop")
    consumer = kafka.console_consumer(TOPIC)
    stack.callback(consumer.wait)
    stack.callback(consumer.kill)
    arrivals = Arrivals(consumer)
    log_path = folder / "outboxd.log"
    with open(log_path, "wb") as log:
        relay = spawn([binary, "run", "--config", config], stdin=subprocess.DEVNULL, stdout=log,
                      stderr=log)
    stack.callback(stop_outboxd, relay)

    print(f"  {BOLD}{'What SQL did':46}{PLAIN}{DIM}|{PLAIN} "
          f"{BOLD}What Kafka's Java consumer got{PLAIN}")
    try:
        show_arrival(arrivals, first, "COMMIT", "before outboxd was started", 0)
        show_single_transactions(mysql, orders, arrivals)
        before, started = len(arrivals.all()), time.monotonic()
        committed, rolled_back = run_many_transactions(mysql, orders)
        arrivals.wait_for_count(before + committed)
        line(f"{committed} times COMMIT, {rolled_back} times ROLLBACK",
             f"{len(arrivals.all()) - before} messages; all done after "
             f"{time.monotonic() - started:.1f} s")
    except ServerError:
        print(f"\n  The end of {short(log_path)}:")
        print("".join(f"    {row}\n" for row in log_path.read_text().splitlines()[-15:]))
        raise

    code = stop_outboxd(relay)
    heading("The proof: MySQL's own SELECT against the consumer")
    passed = prove(mysql, kafka, orders, arrivals)
    if code != 0:
        print(f"  {RED}outboxd exited with {code}; see {short(log_path)}{PLAIN}")
    return passed and code == 0


def short(path: pathlib.Path) -> str:
    path = pathlib.Path(path)
    with contextlib.suppress(ValueError):
        return str(path.relative_to(pathlib.Path.cwd()))
    return str(path)


def say_what_next(build: pathlib.Path) -> None:
    binary, config = (
        shlex.quote(short(build / name)) for name in ("outboxd", "quickstart/shop.conf"))
    heading("With your own MySQL and Kafka")
    print("  In MySQL, once (the event table as above):")
    print("    CREATE USER outboxd@'%' IDENTIFIED BY '...';")
    for grant in GRANTS:
        print(f"    {grant}")
    print("  Then, with your host, table, bootstrap.servers and a file that holds the password:")
    print(f"    cp {config} my.conf && ${{EDITOR:-vi}} my.conf")
    print(f"    {binary} check --config my.conf")
    print(f"    {binary} run --config my.conf")


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    build = pathlib.Path(sys.argv[1]).resolve()
    try:
        with contextlib.ExitStack() as stack:
            passed = demonstrate(stack, build)
    except KeyboardInterrupt:
        print("\n  Stopped; MySQL, Kafka and outboxd are gone.")
        return 130
    except ServerError as error:
        print(f"\n  {RED}{error}{PLAIN}", file=sys.stderr)
        return 1
    if not passed:
        print(f"\n  {RED}The proof failed.{PLAIN}")
        return 1
    say_what_next(build)
    return 0


if __name__ == "__main__":
    sys.exit(main())
