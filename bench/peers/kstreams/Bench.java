/* Kafka Streams with 2 threads and state in memory: the Black Friday query over a topic up to its present end.
 * Usage: Bench BROKERS TOPIC ROWS     Prints: peer seconds rows-in-windows.
 * Its clock follows the fastest partition: with the query's grace of 2 minutes it drops what other partitions bring later while it catches
 * up. GRACE_HOURS=n in the environment gives it more grace, so that it does the whole work. */
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.processor.TimestampExtractor;
import org.apache.kafka.streams.state.Stores;

public class Bench {
    static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    static byte[] add(byte[] value, byte[] sum) {           /* sum: count (8 bytes), cents (8 bytes) */
        ByteBuffer was = ByteBuffer.wrap(sum);
        return ByteBuffer.allocate(16).putLong(was.getLong() + 1).putLong(was.getLong() + ByteBuffer.wrap(value).getLong()).array();
    }

    public static void main(String[] args) throws Exception {
        long total = Long.parseLong(args[2]);
        String hours = System.getenv().getOrDefault("GRACE_HOURS", "");
        Duration grace = hours.isEmpty() ? Duration.ofMinutes(2) : Duration.ofHours(Long.parseLong(hours));
        AtomicLong read = new AtomicLong(), grouped = new AtomicLong(), counted = new AtomicLong();
        CountDownLatch done = new CountDownLatch(1);
        TimestampExtractor time = (record, before) -> {
            JsonNode n = (JsonNode) record.value();
            return LocalDateTime.parse(n.get("timestamp").textValue()).toInstant(ZoneOffset.UTC).toEpochMilli();
        };
        StreamsBuilder b = new StreamsBuilder();
        b.stream(args[1], Consumed.with(Serdes.ByteArray(),
                Serdes.serdeFrom((topic, v) -> null, (topic, bytes) -> {
                    try {
                        return JSON.readTree(bytes);
                    } catch (Exception e) {
                        throw new RuntimeException(e);
                    }
                })).withTimestampExtractor(time))
            .map((k, v) -> {
                read.incrementAndGet();
                long cents = v.get("valor").decimalValue().multiply(BigDecimal.valueOf(100)).longValueExact();
                return KeyValue.pair(v.get("categoria").textValue(), ByteBuffer.allocate(8).putLong(cents).array());
            })
            .groupByKey(Grouped.with(Serdes.String(), Serdes.ByteArray()))
            .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(1), grace))
            .aggregate(() -> new byte[16], (k, v, sum) -> {
                counted.incrementAndGet();
                return add(v, sum);
            }, Materialized.<String, byte[]>as(Stores.inMemoryWindowStore("w", grace.plusMinutes(2), Duration.ofMinutes(1), false))
                .withKeySerde(Serdes.String()).withValueSerde(Serdes.ByteArray()).withLoggingDisabled())
            .toStream().foreach((k, v) -> { });
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, "bench" + System.nanoTime());
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, args[0]);
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, "2");
        p.put(StreamsConfig.STATE_DIR_CONFIG, System.getProperty("java.io.tmpdir") + "/kstreams-bench");
        p.put("auto.offset.reset", "earliest");
        KafkaStreams s = new KafkaStreams(b.build(), p);
        long start = System.nanoTime();
        s.start();
        long last = -1;
        int still = 0;                                       /* the end: all read, and nothing more arrives behind the repartitioning */
        while (still < 10) {
            Thread.sleep(100);
            long now = counted.get();
            still = read.get() >= total && now == last ? still + 1 : 0;
            last = now;
        }
        System.out.printf("peer %.3f %d%n", (System.nanoTime() - start) / 1e9 - 1.0, counted.get());
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}
