import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.text.ParseException;
import java.util.Date;
import java.util.TimeZone;
import org.quartz.CronExpression;

/**
 * Asks Quartz: reads lines "EXPRESSION TAB ZONE TAB AFTER_MS" (or an expression alone) and prints golden lines as in
 * quartz-vectors.jsonl. The tests do not need it; it says where quartz-clock-changes.jsonl came from, and makes more:
 *
 *   apt-get install libquartz2-java default-jdk-headless
 *   java -cp /usr/share/java/quartz2.jar:/usr/share/java/slf4j-api.jar QuartzVectors.java < questions
 */
public class QuartzVectors {
    private static final int COUNT = 8;

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null; ) {
            String[] part = line.split("\t", -1);
            System.out.println(part.length == 1 ? validity(part[0]) : times(part[0], part[1], Long.parseLong(part[2])));
        }
    }

    private static String validity(String expression) {
        return String.format("{\"expression\":\"%s\",\"valid\":%b}", expression, CronExpression.isValidExpression(expression));
    }

    private static String times(String expression, String zone, long after) throws ParseException {
        CronExpression cron = new CronExpression(expression);
        cron.setTimeZone(TimeZone.getTimeZone(zone));
        StringBuilder next = new StringBuilder();
        Date at = new Date(after);
        for (int i = 0; i < COUNT && (at = cron.getNextValidTimeAfter(at)) != null; i++) {
            next.append(i == 0 ? "" : ",").append(at.getTime());
        }
        return String.format("{\"expression\":\"%s\",\"timezoneId\":\"%s\",\"after\":%d,\"next\":[%s]}",
                expression, zone, after, next);
    }
}
