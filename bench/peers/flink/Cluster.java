/* What every run of Flink SQL here shares: one JVM, a mini cluster of 2 slots, rows not copied between operators, times in UTC. */
import org.apache.flink.configuration.Configuration;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

final class Cluster {
    private Cluster() {
    }

    static TableEnvironment open() {
        Configuration conf = new Configuration();
        conf.setString("parallelism.default", "2");
        conf.setString("taskmanager.numberOfTaskSlots", "2");
        conf.setString("pipeline.object-reuse", "true");
        conf.setString("table.local-time-zone", "UTC");
        return TableEnvironment.create(EnvironmentSettings.newInstance().inStreamingMode().withConfiguration(conf).build());
    }

    /* The line that says how long the job took, from its submission on, and how many rows it counted (none: ""); ends the process. */
    static void done(long start, String rows) {
        System.out.printf("peer %.3f%s%n", (System.nanoTime() - start) / 1e9, rows);
        System.exit(0);
    }
}
