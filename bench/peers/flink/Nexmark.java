/* Flink SQL in one JVM (mini cluster, 2 slots): statements from standard input, one behind the other, separated by ";\n". The last is a query; its rows go to
 * Flink's sink that drops them. Prints: peer seconds, from the query's submission to the job's end. */
import java.nio.charset.StandardCharsets;

import org.apache.flink.table.api.Schema;
import org.apache.flink.table.api.Table;
import org.apache.flink.table.api.TableDescriptor;
import org.apache.flink.table.api.TableEnvironment;

public class Nexmark {
    public static void main(String[] args) throws Exception {
        TableEnvironment t = Cluster.open();
        String[] all = new String(System.in.readAllBytes(), StandardCharsets.UTF_8).split(";\n");
        for (int i = 0; i < all.length - 1; i++)
            t.executeSql(all[i]);
        long start = System.nanoTime();
        Table query = t.sqlQuery(all[all.length - 1]);
        Schema schema = Schema.newBuilder().fromRowDataType(query.getResolvedSchema().toPhysicalRowDataType()).build();
        t.createTemporaryTable("result_sink", TableDescriptor.forConnector("blackhole").schema(schema).build());
        query.executeInsert("result_sink").await();
        Cluster.done(start, "");
    }
}
