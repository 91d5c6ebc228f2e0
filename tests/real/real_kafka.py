"""real_kafka.py: weir reads from and writes to a real Kafka: metadata columns, starts, keys and partitions, what is wrong is named,
a broker that goes away and comes back changes nothing."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import kafka
import proc
from run_weir import Running, check, fails, ok

USER, PASSWORD = "weir", "s3cret-canary"


def source(brokers, topic, columns="k TEXT, n BIGINT", more=""):
    return "CREATE SOURCE src (%s) WITH (connector = 'kafka', brokers = '%s', topic = '%s', format = 'json'%s);\n" % (
        columns, brokers, topic, more)


def metadata_columns_are_read(k):
    k.create("meta", 3)
    k.produce("meta", [
        {"value": '{"n": 1}', "key": "a", "partition": 0, "timestamp": 1764331200000, "headers": {"h": "x"}},
        {"value": '{"n": 2}', "partition": 2, "timestamp": 1764331200123},
    ])
    columns = """n BIGINT, key TEXT METADATA FROM 'key', part INTEGER METADATA FROM 'partition',
        off BIGINT METADATA FROM 'offset', ts TIMESTAMP METADATA FROM 'timestamp', h JSON METADATA FROM 'headers'"""
    rows = ok(source(k.brokers, "meta", columns) + "SELECT * FROM src;").rows()
    check(sorted(rows, key=lambda r: r["n"]), [
        {"n": 1, "key": "a", "part": 0, "off": 0, "ts": "2025-11-28T12:00:00.000Z", "h": {"h": "x"}},
        {"n": 2, "key": None, "part": 2, "off": 0, "ts": "2025-11-28T12:00:00.123Z", "h": {}},
    ], "metadata columns")


def flinks_option_names_work(k):
    k.create("flink", 1)
    k.produce("flink", [{"value": '{"n": %d}' % i, "timestamp": 1000 * i} for i in range(1, 6)])
    sql = """CREATE TABLE src (n BIGINT) WITH ('connector' = 'kafka', 'properties.bootstrap.servers' = '%s', 'topic' = 'flink',
        'properties.group.id' = 'g', 'value.format' = 'json', 'scan.startup.mode' = 'timestamp',
        'scan.startup.timestamp-millis' = '3000', 'scan.bounded.mode' = 'latest-offset', 'properties.fetch.min.bytes' = '1');
        SELECT n FROM src;""" % k.brokers
    check(ok(sql).rows(), [{"n": 3}, {"n": 4}, {"n": 5}], "rows from 3,000 ms on")


def results_are_keyed_and_partitioned_as_java_does(k):
    # partitions by the hashes in Apache Kafka's own UtilsTest, modulo 7
    places = {"21": 3, "foobar": 0, "a-little-bit-long-string": 1, "a-little-bit-longer-string": 0, "abc": 4}
    k.create("keys_in", 2)
    k.create("keys_out", 7)
    k.produce("keys_in", [{"value": json.dumps({"k": key, "n": n})} for n in range(1, 4) for key in places])
    ok(source(k.brokers, "keys_in") +
       "CREATE SINK snk WITH (connector = 'kafka', brokers = '%s', topic = 'keys_out', format = 'json', compression = 'zstd');"
       "INSERT INTO snk SELECT k, sum(n) AS total, count(*) AS num FROM src GROUP BY k;" % k.brokers)
    last = {}
    for r in k.consume("keys_out"):
        check(r["partition"], places[r["key"]], "partition of " + r["key"])
        last[r["key"]] = json.loads(r["value"])
    check(last, {key: {"k": key, "total": 6, "num": 3} for key in places}, "last record of each key")


def what_is_wrong_is_named(k):
    port, = proc.free_ports(1)
    nobody = "127.0.0.1:%d" % port
    select = "SELECT n FROM src;"
    fails(source(nobody, "x") + select, 1, 'cannot reach any broker of "%s": connection refused' % nobody)
    fails(source("nohost.invalid:9092", "x") + select, 1, "nohost.invalid")
    k.create("orders", 1)
    fails(source(k.brokers, "ordres") + select, 1, 'there is no topic "ordres"', 'did you mean "orders"?')
    fails(source(k.brokers, "orders") + "CREATE SINK snk WITH (connector = 'kafka', brokers = '%s', topic = 'nowhere');"
          "INSERT INTO snk SELECT n FROM src;" % k.brokers, 1, 'there is no topic "nowhere"', "create = 'true'")
    fails(source(k.brokers, "orders", more=", kafka.sasl.kerberos.kinit.cmd = 'touch /tmp/x'") + select, 2,
          '"sasl.kerberos.kinit.cmd"', "shell")


def logins(k):
    """A broker with a second listener that wants a login."""
    plain, controller, sasl = proc.free_ports(3)
    login = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="x" user_%s="%s";'
    settings = {
        "listeners": "PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d,SASL_PLAINTEXT://127.0.0.1:%d" % (plain, controller, sasl),
        "advertised.listeners": "PLAINTEXT://127.0.0.1:%d,SASL_PLAINTEXT://127.0.0.1:%d" % (plain, sasl),
        "controller.quorum.voters": "1@127.0.0.1:%d" % controller,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl_plaintext.plain.sasl.jaas.config": login % (USER, PASSWORD),
    }
    with kafka.Kafka(port=plain, settings=settings) as own:
        own.create("t", 1)
        own.produce("t", [{"value": '{"n": 7}'}])
        secured = "127.0.0.1:%d" % sasl
        how = ", security_protocol = 'sasl_plaintext', sasl_mechanism = 'PLAIN', sasl_username = '%s', sasl_password = '${SECRET}'" % USER
        sql = source(secured, "t", "n BIGINT", how) + "SELECT n FROM src;"
        check(ok(sql, "-v", "SECRET=" + PASSWORD).rows(), [{"n": 7}], "rows after a login")
        wrong = "wrong-canary"
        fails(sql, 1, 'refuses the login of "weir"', secret=wrong, env={"SECRET": wrong})
        fails(source(secured, "t") + "SELECT n FROM src;", 1, "security_protocol")


def a_broker_that_comes_back_changes_nothing(k):
    """Needs a broker of its own: it is killed while the job runs."""
    with kafka.Kafka() as own:
        own.create("in", 3)
        own.create("out", 1)
        expected = {"k%d" % i: 0 for i in range(10)}

        def produce(start):
            batch = [{"value": json.dumps({"k": "k%d" % (n % 10), "n": n}), "key": str(n)} for n in range(start, start + 1000)]
            for n in range(start, start + 1000):
                expected["k%d" % (n % 10)] += n
            own.produce("in", batch, codec="lz4")

        def content():
            last = {}
            for r in own.consume("out"):
                last[r["key"]] = json.loads(r["value"])["total"]
            return last

        sql = (source(own.brokers, "in") +
               "CREATE SINK snk WITH (connector = 'kafka', brokers = '%s', topic = 'out', format = 'json');"
               "INSERT INTO snk SELECT k, sum(n) AS total FROM src GROUP BY k;" % own.brokers)
        produce(0)
        with Running(sql) as job:
            job.wait_for(lambda: content() == expected, "first results")
            own.crash()
            own.run()
            produce(1000)
            job.wait_for(lambda: content() == expected, "results after a crash of the broker")
            own.stop_broker()
            own.run()
            produce(2000)
            job.wait_for(lambda: content() == expected, "results after a restart of the broker")
            job.stop()


def main():
    with kafka.shared() as k:
        metadata_columns_are_read(k)
        flinks_option_names_work(k)
        results_are_keyed_and_partitioned_as_java_does(k)
        what_is_wrong_is_named(k)
        logins(k)
        a_broker_that_comes_back_changes_nothing(k)


if __name__ == "__main__":
    main()
