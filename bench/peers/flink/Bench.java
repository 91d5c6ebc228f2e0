/* Flink SQL in one JVM (mini cluster, 2 slots): the Black Friday query over a topic up to its present end.
 * Usage: Bench BROKERS TOPIC     Prints: peer seconds rows. */
import org.apache.flink.table.api.TableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.util.CloseableIterator;

public class Bench {
    public static void main(String[] args) throws Exception {
        TableEnvironment t = Cluster.open();
        t.executeSql("CREATE TABLE sales (id_pedido STRING, categoria STRING, valor DECIMAL(12,2), `timestamp` TIMESTAMP(3),"
            + " WATERMARK FOR `timestamp` AS `timestamp` - INTERVAL '2' MINUTE) WITH ('connector' = 'kafka',"
            + " 'properties.bootstrap.servers' = '" + args[0] + "', 'topic' = '" + args[1] + "', 'scan.startup.mode' = 'earliest-offset',"
            + " 'scan.bounded.mode' = 'latest-offset', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601')");
        long start = System.nanoTime();
        long rows = 0;
        try (CloseableIterator<Row> it = t.executeSql("SELECT window_start, categoria, sum(valor), count(*) FROM"
                + " TABLE(TUMBLE(TABLE sales, DESCRIPTOR(`timestamp`), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end, categoria").collect()) {
            while (it.hasNext())
                rows += (Long) it.next().getField(3);
        }
        Cluster.done(start, " " + rows);
    }
}
