import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.hdfs.MiniDFSCluster;

/**
 * A NameNode and a DataNode in one process: MiniHdfs FOLDER HTTP_PORT RPC_PORT. Prints READY.
 * Lines on standard input: "datanode stop" and "datanode start", each answered with DONE.
 */
public final class MiniHdfs {
  public static void main(String[] args) throws Exception {
    File folder = new File(args[0]);
    boolean format = !new File(folder, "name-0-1").exists();
    Configuration conf = new Configuration();
    conf.set("dfs.permissions.enabled", "true");
    conf.setInt("dfs.replication", 1);
    MiniDFSCluster cluster = new MiniDFSCluster.Builder(conf, folder)
        .numDataNodes(1)
        .format(format)
        .nameNodeHttpPort(Integer.parseInt(args[1]))
        .nameNodePort(Integer.parseInt(args[2]))
        .build();
    cluster.waitActive();
    System.out.println("READY");
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    MiniDFSCluster.DataNodeProperties stopped = null;
    for (String line; (line = in.readLine()) != null; System.out.println("DONE")) {
      if (line.equals("datanode stop")) stopped = cluster.stopDataNode(0);
      if (line.equals("datanode start")) {
        cluster.restartDataNode(stopped, true);
        cluster.waitActive();
      }
    }
    cluster.shutdown();
  }
}
