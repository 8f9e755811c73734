import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkConf;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.Function;
import org.apache.spark.api.java.function.Function2;

/** Pi by throwing darts on all workers: SLICES times 100,000 of them. */
public class Pi implements Function<Integer, Long>, Function2<Long, Long, Long> {
    static final int DARTS = 100000;

    public Long call(Integer slice) {
        java.util.Random random = new java.util.Random(slice);
        long inside = 0;
        for (int i = 0; i < DARTS; i++) {
            double x = random.nextDouble(), y = random.nextDouble();
            if (x * x + y * y <= 1)
                inside++;
        }
        return inside;
    }

    public Long call(Long a, Long b) {
        return a + b;
    }

    public static void main(String[] args) {
        int slices = Integer.parseInt(args[0]);
        List<Integer> numbers = new ArrayList<>();
        for (int i = 0; i < slices; i++)
            numbers.add(i);
        JavaSparkContext context = new JavaSparkContext(new SparkConf().setAppName("pi"));
        Pi pi = new Pi();
        long inside = context.parallelize(numbers, slices).map(pi).reduce(pi);
        System.out.println("pi is about " + 4.0 * inside / slices / DARTS);
        context.stop();
    }
}
