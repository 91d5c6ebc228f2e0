"""peers.py: what a user would run instead: installs each from its registry into the cache directory, and says how to start it.

    import peers; cmd, env = peers.prepare("flink", brokers, topic, messages, build)

Each program prints "peer SECONDS ROWS" when it has read the topic up to its present end: the seconds are its own, without the start of its
runtime, the rows those that went into a window."""
import glob
import os
import subprocess
import sys

here = os.path.dirname(os.path.abspath(__file__))
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
PYSPARK = "3.5.3"
NAMES = ("jansson", "flink", "spark", "kstreams")
ABOUT = {
    "jansson": "by hand: librdkafka, jansson, doubles, no late rows",
    "flink": "Flink SQL 1.20.0, one JVM, parallelism 2",
    "spark": "Spark 3.5.3, local[2], one micro-batch",
    "kstreams": "Kafka Streams 3.9.1, 2 threads, state in memory without a changelog; its clock drops rows as late",
}


def home(name):
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(cache, "weir", "peers", name)


def run(*cmd):
    done = subprocess.run(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        sys.exit("%s failed:\n%s" % (" ".join(cmd[:4]), done.stdout))


def jars(name):
    """Fetches the jars that pom.xml names, once."""
    place = os.path.join(home(name), "jars")
    if not os.path.exists(os.path.join(place, ".complete")):
        print("peers: fetching %s from Maven Central" % name, file=sys.stderr)
        run("mvn", "-q", "-B", "-f", os.path.join(here, name, "pom.xml"), PLUGIN + ":copy-dependencies", "-DincludeScope=runtime",
            "-DoutputDirectory=" + place)
        open(os.path.join(place, ".complete"), "w").close()
    return place


def java(name, main, *args, flags=()):
    place, classes = jars(name), os.path.join(home(name), "classes")
    run("javac", "-cp", place + "/*", "-d", classes, *sorted(glob.glob(os.path.join(here, name, "*.java"))))
    return ["java", "-Xmx2g", *flags, "-cp", "%s/*:%s" % (place, classes), main, *args]


def pyspark():
    place = os.path.join(home("spark"), "venv")
    if not os.path.exists(os.path.join(place, "bin", "spark-submit")):
        print("peers: fetching pyspark %s from PyPI" % PYSPARK, file=sys.stderr)
        run(sys.executable, "-m", "venv", place)
        run(os.path.join(place, "bin", "pip"), "install", "-q", "pyspark==" + PYSPARK)
    return place


def prepare(name, brokers, topic, messages, tools):
    """The command line and the environment of a peer that reads the topic; installs what it needs."""
    env = dict(os.environ)
    if name == "jansson":
        return [os.path.join(tools, "bench_jansson"), brokers, topic], env
    if name == "flink":
        return java("flink", "Bench", brokers, topic, flags=("--add-opens=java.base/java.util=ALL-UNNAMED",)), env
    if name == "kstreams":
        return java("kstreams", "Bench", brokers, topic, str(messages)), env
    place = pyspark()
    env["PYSPARK_PYTHON"] = os.path.join(place, "bin", "python")
    env["PATH"] = os.path.join(place, "bin") + os.pathsep + env["PATH"]
    kafka = ",".join(glob.glob(jars("spark") + "/*.jar"))
    return [os.path.join(place, "bin", "spark-submit"), "--driver-memory", "2g", "--jars", kafka, "--driver-class-path", kafka.replace(",", ":"),
            os.path.join(here, "spark", "bench.py"), brokers, topic], env
