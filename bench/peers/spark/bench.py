"""Spark Structured Streaming, local[2]: the Black Friday query over a topic up to its present end.
Usage: spark-submit --jars KAFKA-JARS bench.py BROKERS TOPIC     Prints: peer seconds rows."""
import sys
import tempfile
import time

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

spark = (SparkSession.builder.master("local[2]").config("spark.sql.shuffle.partitions", "2").config("spark.ui.enabled", "false").getOrCreate())
spark.sparkContext.setLogLevel("OFF")
start = time.monotonic()
sales = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", sys.argv[1]).option("subscribe", sys.argv[2])
         .option("startingOffsets", "earliest").load()
         .select(f.from_json(f.col("value").cast("string"), 'id_pedido STRING, categoria STRING, valor DECIMAL(12,2), `timestamp` TIMESTAMP').alias("v"))
         .select("v.*"))
sums = (sales.withWatermark("timestamp", "2 minutes").groupBy(f.window("timestamp", "1 minute"), "categoria")
        .agg(f.sum("valor"), f.count("*").alias("n")))
rows = [0]


def take(batch, _):
    rows[0] += batch.agg(f.sum("n")).collect()[0][0] or 0


with tempfile.TemporaryDirectory() as tmp:
    q = sums.writeStream.outputMode("update").foreachBatch(take).option("checkpointLocation", tmp).trigger(availableNow=True).start()
    q.awaitTermination()
    print("peer %.3f %d" % (time.monotonic() - start, rows[0]), flush=True)
spark.stop()
